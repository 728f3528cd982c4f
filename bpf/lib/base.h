/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* base.h - what every program needs, whatever its hook */
#pragma once

#include "heddle/types.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "lib/uapi.h"

#ifndef barrier
#define barrier() asm volatile("" ::: "memory")
#endif

#define hd_memcpy __builtin_memcpy
#define hd_memset __builtin_memset

/* For looking at bytes a word at a time. */
typedef __u16 __attribute__((may_alias)) hd_u16;
typedef __u32 __attribute__((may_alias)) hd_u32;

/* Where a header may begin. The verifier follows a pointer into a packet only as far as it can see that its offset is small. */
#define CTX_OFFSET_MAX 0x3fff
