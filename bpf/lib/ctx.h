/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ctx.h - the words in which features speak of a packet, so that they need not know the hook
 *
 * These are the TC ones. ctx_xdp.h has the same words with its own bodies; a program includes one of the two, before all else. What only TC can do
 * is done with the context itself, in headers that no program of another hook includes.
 */
#pragma once

#include "lib/base.h"

typedef struct __sk_buff hd_ctx;

static __always_inline void *ctx_data(const hd_ctx *ctx)
{
	return (void *)(unsigned long)ctx->data;
}

static __always_inline void *ctx_data_end(const hd_ctx *ctx)
{
	return (void *)(unsigned long)ctx->data_end;
}

/** ctx_len - bytes of the packet, also of those that can't be looked at directly */
static __always_inline __u32 ctx_len(const hd_ctx *ctx)
{
	return ctx->len;
}

/** ctx_ifindex - the device that it is on */
static __always_inline __u32 ctx_ifindex(const hd_ctx *ctx)
{
	return ctx->ifindex;
}

/** ctx_segs - packets that it is counted as: those that a super-packet was made of, or will be cut into */
static __always_inline __u32 ctx_segs(const hd_ctx *ctx)
{
	return ctx->gso_segs ?: 1;
}

/** ctx_protocol - what is behind the Ethernet header, network order; behind tags beside the packet */
static __always_inline __u32 ctx_protocol(const hd_ctx *ctx)
{
	return ctx->protocol;
}

/** ctx_has_tag - whether a tag lies beside the packet */
static __always_inline bool ctx_has_tag(const hd_ctx *ctx)
{
	return ctx->vlan_present;
}

/** ctx_tag - the tag that lies beside the packet: TCI, kind in the upper half (network order); 0 = there is none */
static __always_inline __u32 ctx_tag(const hd_ctx *ctx)
{
	return ctx->vlan_present ? ctx->vlan_proto << 16 | ctx->vlan_tci : 0;
}

/** ctx_is_super - whether it is a super-packet, to be cut into segments later */
static __always_inline bool ctx_is_super(const hd_ctx *ctx)
{
	return ctx->gso_size;
}

/** ctx_load - copy @len bytes at @off, wherever they are. 0 or negative. */
static __always_inline long ctx_load(const hd_ctx *ctx, __u32 off, void *to, __u32 len)
{
	return bpf_skb_load_bytes(ctx, off, to, len);
}

/** ctx_store - write @len bytes at @off; what the kernel knows about a sum over the packet follows. Pointers into it are stale afterwards. */
static __always_inline long ctx_store(hd_ctx *ctx, __u32 off, const void *from, __u32 len)
{
	return bpf_skb_store_bytes(ctx, off, from, len, BPF_F_RECOMPUTE_CSUM);
}

/** ctx_put - the same for bytes that no sum over the packet holds, or whose changes cancel each other out */
static __always_inline long ctx_put(hd_ctx *ctx, __u32 off, const void *from, __u32 len)
{
	return bpf_skb_store_bytes(ctx, off, from, len, 0);
}

/** ctx_replace_l3 - make the checksum at @off that of a header in which @old has become @new, @size bytes each */
static __always_inline long ctx_replace_l3(hd_ctx *ctx, __u32 off, __u32 old, __u32 new, __u32 size)
{
	return bpf_l3_csum_replace(ctx, off, old, new, size);
}

/** ctx_replace_l4 - the same of a transport header. @flags: BPF_F_PSEUDO_HDR, BPF_F_MARK_MANGLED_0; size in the lowest four bits */
static __always_inline long ctx_replace_l4(hd_ctx *ctx, __u32 off, __u32 old, __u32 new,
					   __u64 flags)
{
	return bpf_l4_csum_replace(ctx, off, old, new, flags);
}

/** ctx_replace_l4_by - the same by the difference of two sums, see bpf_csum_diff(). @flags: without a size */
static __always_inline long ctx_replace_l4_by(hd_ctx *ctx, __u32 off, __s64 diff, __u64 flags)
{
	return bpf_l4_csum_replace(ctx, off, 0, diff, flags);
}

/** ctx_vlan_push, ctx_vlan_pop - put a tag on, beside the packet; take the outer one off, wherever it is. Pointers into the packet are stale afterwards. */
static __always_inline long ctx_vlan_push(hd_ctx *ctx, __be16 tpid, __u16 tci)
{
	return bpf_skb_vlan_push(ctx, tpid, tci);
}

static __always_inline long ctx_vlan_pop(hd_ctx *ctx)
{
	return bpf_skb_vlan_pop(ctx);
}

/**
 * ctx_header - pointer to @len bytes at @off, pulled into the linear part if they are not there
 * @ctx: packet; pointers taken from it earlier are stale afterwards
 * @off: offset from the packet's start
 * @len: constant number of bytes
 *
 * Return: NULL if the packet is shorter, or @off beyond CTX_OFFSET_MAX.
 */
static __always_inline void *ctx_header(hd_ctx *ctx, __u32 off, __u32 len)
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
