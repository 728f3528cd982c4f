/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * onward.h - which packets XDP should look at, because their flow leads from uplink to uplink
 *
 * To find a packet's flow costs as much at XDP as at TC, and most of what comes by an uplink is for a workload here. So TC leaves a mark when it replays a flow
 * that XDP could have: by a hash of what is in the packet, whatever it is translated to. A mark that nobody has renewed for a while is none; two flows with the
 * same one are no harm: one of them is looked at in vain.
 */
#pragma once

#include "heddle/abi.h"

#include "lib/eth.h"
#include "lib/trace.h"

/* hd_onward: by that hash: low half of jiffies when such a packet was last sent on. Writers: TC, and XDP. Reader: XDP. Never full. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HD_ONWARD_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} hd_onward SEC(".maps");

/* Seconds that a mark holds. */
#define ONWARD_SECONDS 10

/* @off: of the IP header. The extension headers of IPv6 are taken for ports: as good as others. */
static __always_inline __u32 *onward_slot(hd_ctx *ctx, __u32 off, __u32 eth_type)
{
	__u32 slot = 0, len = sizeof(struct ipv6hdr);
	const hd_u32 *word;

	if (eth_type == bpf_htons(ETH_P_IP)) {
		word = ctx_header(ctx, off, sizeof(struct iphdr));
		if (!word)
			return NULL;
		len = (*(const __u8 *)word & 15) * 4;
		slot = word[3] * 0x9e3779b1 + word[4];
	} else {
		word = ctx_header(ctx, off, sizeof(struct ipv6hdr));
		if (!word)
			return NULL;
		for (int i = 2; i < 10; i++)
			slot = slot * 0x9e3779b1 + word[i];
	}
	word = ctx_header(ctx, off + len, sizeof(*word));
	if (!word)
		return NULL;
	slot = (slot ^ *word) * 0x7feb352d;
	slot = (slot ^ slot >> 15) * 0x846ca68b;
	slot = (slot ^ slot >> 16) % HD_ONWARD_SLOTS;
	return bpf_map_lookup_elem(&hd_onward, &slot);
}

/** hd_onward_renew - it was sent on */
static __always_inline void hd_onward_renew(__u32 *seen)
{
	__u32 now = (__u32)bpf_jiffies64();

	if (hd_may_write() && now - *(volatile __u32 *)seen > hd_cfg.hz)
		*(volatile __u32 *)seen = now;
}

/** hd_onward_mark - a packet, whose bytes have not been changed yet, is of a flow from uplink to uplink. Not static, for the stack of its caller. */
__noinline int hd_onward_mark(hd_ctx *ctx, __u32 off, __u32 eth_type)
{
	__u32 *seen = onward_slot(ctx, off, eth_type);

	if (seen)
		hd_onward_renew(seen);
	return 0;
}

/** hd_onward_find - the mark of such a packet; NULL if it has none. hd_onward_renew() is for who has sent it on. */
static __always_inline __u32 *hd_onward_find(hd_ctx *ctx, __u32 off, __u32 eth_type)
{
	__u32 *seen = onward_slot(ctx, off, eth_type);

	if (!seen || (__u32)bpf_jiffies64() - *(volatile __u32 *)seen > ONWARD_SECONDS * hd_cfg.hz)
		return NULL;
	return seen;
}
