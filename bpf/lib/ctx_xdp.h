/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ctx_xdp.h - the words of ctx.h for XDP
 *
 * A packet may lie in several buffers here, too, but nothing can pull it together: what can be looked at directly is the first. hd_xdp_is_whole()
 * says whether all headers that are of interest are there.
 */
#pragma once

#include "lib/base.h"

typedef struct xdp_md hd_ctx;

static __always_inline void *ctx_data(const hd_ctx *ctx)
{
	return (void *)(unsigned long)ctx->data;
}

static __always_inline void *ctx_data_end(const hd_ctx *ctx)
{
	return (void *)(unsigned long)ctx->data_end;
}

/** ctx_len - bytes of the packet, also of those that can't be looked at directly */
static __always_inline __u32 ctx_len(hd_ctx *ctx)
{
	return bpf_xdp_get_buff_len(ctx);
}

/** ctx_ifindex - the device that it is on */
static __always_inline __u32 ctx_ifindex(const hd_ctx *ctx)
{
	return ctx->ingress_ifindex;
}

/** ctx_header - pointer to @len bytes at @off; NULL if the packet, or its first buffer, is shorter, or @off beyond CTX_OFFSET_MAX */
static __always_inline void *ctx_header(hd_ctx *ctx, __u32 off, __u32 len)
{
	void *p;

	if (off > CTX_OFFSET_MAX)
		return NULL;
	asm volatile("%0 &= %1"
		     : "+r"(off)
		     : "i"(CTX_OFFSET_MAX)); /* the same register that is added */
	p = ctx_data(ctx) + off;
	return p + len <= ctx_data_end(ctx) ? p : NULL;
}

/** ctx_protocol - what is behind the Ethernet header, network order; a tag, if one is in the bytes */
static __always_inline __u32 ctx_protocol(hd_ctx *ctx)
{
	const struct ethhdr *eth = ctx_header(ctx, 0, sizeof(*eth));

	return eth ? eth->h_proto : 0;
}

/** ctx_has_tag - whether a tag lies beside the packet: that can't be seen from here, see heddle/opened.h */
static __always_inline bool ctx_has_tag(const hd_ctx *ctx)
{
	return false;
}

/** ctx_is_super - whether it is a super-packet; none gets here */
static __always_inline bool ctx_is_super(const hd_ctx *ctx)
{
	return false;
}

/** ctx_load - copy @len bytes at @off, wherever they are. 0 or negative. */
static __always_inline long ctx_load(hd_ctx *ctx, __u32 off, void *to, __u32 len)
{
	return bpf_xdp_load_bytes(ctx, off, to, len);
}

/** ctx_store - write @len bytes at @off. Pointers into the packet are stale afterwards. */
static __always_inline long ctx_store(hd_ctx *ctx, __u32 off, void *from, __u32 len)
{
	return bpf_xdp_store_bytes(ctx, off, from, len);
}
