// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* expedite.c - shorter RCU grace periods while programs are attached and detached */
#include "sync/expedite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

#define SWITCH "/sys/kernel/rcu_expedited"

static void note_path(const char *dir, char path[300])
{
	(void)snprintf(path, 300, "%s/expedited", dir);
}

static bool write_switch(const char *value)
{
	_close_ int fd = open(SWITCH, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, value, 1) == 1;
}

static bool is_on(void)
{
	_close_ int fd = open(SWITCH, O_RDONLY | O_CLOEXEC);
	char value = '0';

	return fd < 0 || read(fd, &value, 1) != 1 || value != '0';
}

bool hd_expedite_begin(const char *dir)
{
	char path[300];

	note_path(dir, path);
	if (is_on() || (mkdir(path, 0700) < 0 && errno != EEXIST))
		return false;
	if (write_switch("1"))
		return true;
	(void)rmdir(path); /* a read-only /sys: slower, not wrong */
	return false;
}

void hd_expedite_end(const char *dir)
{
	char path[300];

	note_path(dir, path);
	if (access(path, F_OK) == 0 && write_switch("0"))
		(void)rmdir(path);
}
