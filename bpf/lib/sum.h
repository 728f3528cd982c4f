/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sum.h - Internet checksums over parts of a packet of any length: slow, and only for what is rare; whatever the hook */
#pragma once

#include "lib/csum.h"
#include "lib/pkt.h"

/* A sum over a part of a packet. @off: of what is left; @end: where it ends; @p: hd_bytes */
struct sum_walk {
	hd_ctx *ctx;
	__u8 *p;
	__u32 off;
	__u32 end;
	__u32 sum;
};

/* One piece of it, filled up with zeros: 1 ends the walk. */
static long sum_step(__u32 unused, void *arg)
{
	struct sum_walk *walk = arg;
	__u32 len = walk->end - walk->off;

	if (walk->off >= walk->end)
		return 1;
	if (len > HD_BYTES)
		len = HD_BYTES;
	barrier_var(len);
	len = ((len - 1) & (HD_BYTES - 1)) +
	      1; /* as it is; the verifier must see that it is not 0 */
	hd_memset(walk->p, 0, HD_BYTES);
	if (ctx_load(walk->ctx, walk->off, walk->p, len)) {
		walk->sum = 0;
		return 1;
	}
	walk->sum = bpf_csum_diff(NULL, 0, (void *)walk->p, HD_BYTES, walk->sum);
	walk->off += HD_BYTES;
	return 0;
}

/** hd_sum_is_right - whether a part of the packet that holds its own checksum sums up to what it must; of all lengths, so only for what is rare */
__noinline int hd_sum_is_right(hd_ctx *ctx, __u32 off, __u32 end)
{
	struct sum_walk walk = { .ctx = ctx, .end = end };
	__u32 zero = 0;

	walk.p = bpf_map_lookup_elem(&hd_bytes, &zero);
	if (!walk.p)
		return 0;
	walk.off = off + hd_unknown_zero;
	walk.sum = hd_unknown_zero;
	bpf_loop(65536 / HD_BYTES + 1, sum_step, &walk, 0);
	return csum_fold(walk.sum) == 0xffff;
}
