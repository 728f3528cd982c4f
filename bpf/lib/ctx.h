/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ctx.h - the words in which features speak of a packet, so that they need not know the hook
 *
 * These are the TC ones. A hook with another context brings the same words with its own bodies.
 */
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

static __always_inline void *ctx_data(const struct __sk_buff *ctx)
{
	return (void *)(unsigned long)ctx->data;
}

static __always_inline void *ctx_data_end(const struct __sk_buff *ctx)
{
	return (void *)(unsigned long)ctx->data_end;
}

/* Where a header may begin. The verifier follows a pointer into a packet only as far as it can see that its offset is small. */
#define CTX_OFFSET_MAX 0x3fff

/**
 * ctx_header - pointer to @len bytes at @off, pulled into the linear part if they are not there
 * @ctx: packet; pointers taken from it earlier are stale afterwards
 * @off: offset from the packet's start
 * @len: constant number of bytes
 *
 * Return: NULL if the packet is shorter, or @off beyond CTX_OFFSET_MAX.
 */
static __always_inline void *ctx_header(struct __sk_buff *ctx, __u32 off, __u32 len)
{
	void *p;

	if (off > CTX_OFFSET_MAX)
		return NULL;
	asm volatile("%0 &= %1"
		     : "+r"(off)
		     : "i"(CTX_OFFSET_MAX)); /* the same register that is added */
	p = ctx_data(ctx) + off;
	if (p + len <= ctx_data_end(ctx))
		return p;
	if (off + len > ctx->len || bpf_skb_pull_data(ctx, off + len))
		return NULL;
	p = ctx_data(ctx) + off;
	return p + len <= ctx_data_end(ctx) ? p : NULL;
}
