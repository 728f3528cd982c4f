/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ctx_xdp.h - the words of ctx.h for XDP
 *
 * A packet may lie in several buffers here, too, but nothing can pull it together: what can be looked at directly is the first. hd_xdp_is_whole()
 * says whether all headers that are of interest are there.
 */
#pragma once

#include "lib/csum.h"

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

/** ctx_segs - packets that it is counted as */
static __always_inline __u32 ctx_segs(const hd_ctx *ctx)
{
	return 1;
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

/** ctx_tag - the same: a tag beside the packet */
static __always_inline __u32 ctx_tag(const hd_ctx *ctx)
{
	return 0;
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

/** ctx_put - the same: there is no sum over the packet */
static __always_inline long ctx_put(hd_ctx *ctx, __u32 off, void *from, __u32 len)
{
	return bpf_xdp_store_bytes(ctx, off, from, len);
}

/* @csum: gets the change of @old to @new, of 2 or 4 bytes. */
static __always_inline __u16 sum_replace(__u16 csum, __u32 old, __u32 new, __u32 size)
{
	csum = csum_replace(csum, (__u16)old, (__u16) new);
	return size == 4 ? csum_replace(csum, (__u16)(old >> 16), (__u16)(new >> 16)) : csum;
}

/** ctx_replace_l3 - make the checksum at @off that of a header in which @old has become @new, @size bytes each */
static __always_inline long ctx_replace_l3(hd_ctx *ctx, __u32 off, __u32 old, __u32 new, __u32 size)
{
	hd_u16 *csum = ctx_header(ctx, off, sizeof(*csum));

	if (!csum)
		return -EINVAL;
	*csum = sum_replace(*csum, old, new, size);
	return 0;
}

/** ctx_replace_l4 - the same of a transport header. @flags: BPF_F_MARK_MANGLED_0; size in the lowest four bits; all others are for what computes sums later */
static __always_inline long ctx_replace_l4(hd_ctx *ctx, __u32 off, __u32 old, __u32 new,
					   __u64 flags)
{
	hd_u16 *csum = ctx_header(ctx, off, sizeof(*csum));

	if (!csum)
		return -EINVAL;
	if ((flags & BPF_F_MARK_MANGLED_0) && !*csum)
		return 0;
	*csum = sum_replace(*csum, old, new, flags & 15);
	if ((flags & BPF_F_MARK_MANGLED_0) && !*csum)
		*csum = 0xffff;
	return 0;
}

/** ctx_replace_l4_by - the same where the sum of what is summed up has changed by @diff, of bpf_csum_diff() */
static __always_inline long ctx_replace_l4_by(hd_ctx *ctx, __u32 off, __u32 diff, __u64 flags)
{
	hd_u16 *csum = ctx_header(ctx, off, sizeof(*csum));
	__u32 sum;

	if (!csum)
		return -EINVAL;
	if ((flags & BPF_F_MARK_MANGLED_0) && !*csum)
		return 0;
	sum = (__u16) ~*csum + csum_fold(diff);
	*csum = ~csum_fold(sum);
	if ((flags & BPF_F_MARK_MANGLED_0) && !*csum)
		*csum = 0xffff;
	return 0;
}

/* Of a frame with a tag: two addresses, and the tag, in words. */
#define MACS 6
#define TAG 2

/** ctx_vlan_push, ctx_vlan_pop - put a tag on, take it off. Pointers into the packet are stale afterwards. */
static __always_inline long ctx_vlan_push(hd_ctx *ctx, __be16 tpid, __u16 tci)
{
	hd_u16 *word;

	if (bpf_xdp_adjust_head(ctx, -TAG * 2))
		return -EINVAL;
	word = ctx_header(ctx, 0, (MACS + TAG) * 2);
	if (!word)
		return -EINVAL;
	for (int i = 0; i < MACS; i++)
		word[i] = word[i + TAG];
	word[MACS] = tpid;
	word[MACS + 1] = bpf_htons(tci);
	return 0;
}

static __always_inline long ctx_vlan_pop(hd_ctx *ctx)
{
	hd_u16 *word = ctx_header(ctx, 0, (MACS + TAG) * 2);

	if (!word)
		return -EINVAL;
	for (int i = MACS - 1; i >= 0; i--)
		word[i + TAG] = word[i];
	return bpf_xdp_adjust_head(ctx, TAG * 2);
}
