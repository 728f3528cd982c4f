/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* types.h - the one place that chooses between vmlinux.h (BPF) and the uapi headers (user space) */
#pragma once

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

#define HD_ASSERT_SIZE(type, bytes)                                                                \
	_Static_assert(sizeof(type) == (bytes), #type " has changed its size")
#define HD_ASSERT_OFFSET(type, member, bytes)                                                      \
	_Static_assert(__builtin_offsetof(type, member) == (bytes), #type "." #member " has moved")
