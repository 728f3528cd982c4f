// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* grace.c - waiting for packets that are on their way through a program */
#include "sync/grace.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

/* membarrier(2): the global command is synchronize_rcu(). A kernel without it keeps us from nothing worse than a packet's loss. */
void hd_grace_wait(void)
{
	(void)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}
