/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* decap.h - taking the wrapping off at TC, and what must not get there; see outer.h */
#pragma once

#include "lib/leg.h"
#include "lib/outer.h"

/* Before 6.3 the kernel does not know that what is inside may be of another family, and goes on to take it for what was outside. */
static __always_inline int shrink(struct hd_pkt *pkt, __u32 len, __u64 flags)
{
	long r = bpf_skb_adjust_room(pkt->ctx, -(__s32)len, BPF_ADJ_ROOM_MAC, flags);

	if (r == -EINVAL && flags != BPF_F_ADJ_ROOM_FIXED_GSO)
		r = bpf_skb_adjust_room(pkt->ctx, -(__s32)len, BPF_ADJ_ROOM_MAC,
					BPF_F_ADJ_ROOM_FIXED_GSO);
	return r;
}

/*
 * The kernel wants to see an IP header's length behind what it takes out, before 6.3 one of the outer family. A frame that has less is filled up to
 * what Ethernet has as its smallest. It can't be if a sender on this machine has wrapped it (skb->encapsulation): then the outer header becomes that of
 * IPv4, of whose length any IPv4 packet and ARP have enough.
 */
static __always_inline int shrink_short(struct hd_pkt *pkt, const struct outer *o, __u64 flags)
{
	const __u32 more = sizeof(struct ipv6hdr) - sizeof(struct iphdr);
	__u32 len = o->off;

	if (pkt->ctx->len >= o->off + FRAME_MIN)
		return -HD_DROP_TUNNEL_SHORT;
	if (bpf_skb_change_tail(pkt->ctx, o->off + FRAME_MIN, 0)) {
		if (!o->v6 || bpf_skb_change_proto(pkt->ctx, bpf_htons(ETH_P_IP), 0))
			return -HD_DROP_NO_MEMORY;
		len -= more;
		flags = BPF_F_ADJ_ROOM_FIXED_GSO;
	}
	return shrink(pkt, len, flags) ? -HD_DROP_TUNNEL_SHORT : 0;
}

/* Takes the wrapping off. The kernel takes out what is behind the outer Ethernet header, which becomes the inner one. */
static __always_inline int unwrap(struct hd_pkt *pkt, const struct outer *o)
{
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;
	const hd_u16 *inner = ctx_header(pkt->ctx, o->off, ETH_HLEN);
	hd_u16 eth[ETH_HLEN / 2];
	hd_u16 *to;
	int r;

	if (!inner || o->off + ETH_HLEN > o->end)
		return -HD_DROP_TUNNEL_SHORT;
	for (int i = 0; i < ETH_HLEN / 2; i++)
		eth[i] = inner[i];
	if (o->v6 && eth[6] != bpf_htons(ETH_P_IPV6))
		flags |= BPF_F_ADJ_ROOM_DECAP_L3_IPV4;
	else if (!o->v6 && eth[6] == bpf_htons(ETH_P_IPV6))
		flags |= BPF_F_ADJ_ROOM_DECAP_L3_IPV6;
	if (pkt->ctx->len > o->end && bpf_skb_change_tail(pkt->ctx, o->end, 0))
		return -HD_DROP_NO_MEMORY;
	r = shrink(pkt, o->off, flags);
	if (r == -ENOTSUPP)
		r = shrink_short(pkt, o, flags);
	else if (r)
		r = -HD_DROP_TUNNEL_SHORT;
	if (r)
		return r;
	to = ctx_header(pkt->ctx, 0, ETH_HLEN);
	if (!to)
		return -HD_DROP_TUNNEL_SHORT;
	for (int i = 0; i < ETH_HLEN / 2; i++)
		to[i] = eth[i];
	return 0;
}

/* Whether a packet would be taken out of a tunnel where it goes: by its protocol or UDP port, and because a peer is there. */
static __always_inline bool outer_is_for_peer(struct hd_pkt *pkt)
{
	struct outer o = {};

	if (pkt->ctx->protocol == bpf_htons(ETH_P_IP)) {
		const struct iphdr *ip = ctx_header(pkt->ctx, ETH_HLEN, sizeof(*ip));

		if (!ip || ip->frag_off & bpf_htons(IP_OFFSET))
			return false; /* without its first piece it comes to nothing */
		o.off = ETH_HLEN + ip->ihl * 4;
		o.proto = ip->protocol;
		o.peer.addr[2] = bpf_htonl(0xffff);
		o.peer.addr[3] = ip->daddr;
	} else {
		const struct ipv6hdr *ip6 = ctx_header(pkt->ctx, ETH_HLEN, sizeof(*ip6));

		if (!ip6 || pkt->ctx->protocol != bpf_htons(ETH_P_IPV6))
			return false;
		o.off = ETH_HLEN + sizeof(*ip6);
		o.proto = ip6->nexthdr;
		hd_memcpy(o.peer.addr, &ip6->daddr, 16);
	}
	if (pkt->ctx->protocol == bpf_htons(ETH_P_IPV6) && is_ext_header(o.proto))
		return bpf_map_lookup_elem(&hd_peers, &o.peer) !=
		       NULL; /* anything may be behind them */
	if (o.proto != IPPROTO_UDP && o.proto != IPPROTO_GRE)
		return false;
	return outer_type(pkt, &o) && bpf_map_lookup_elem(&hd_peers, &o.peer);
}

/**
 * hd_decap - open a packet of the underlay
 * @pkt: @port is the uplink's; afterwards @port, @from and @network are the peer's and the tunnel's, as soon as they are known
 * @us:  the uplink
 *
 * Return: 0: opened, and noted for the stages; 1: not ours, and untouched; -HD_DROP_x.
 */
static __always_inline int hd_decap(struct hd_pkt *pkt, const struct hd_end_value *us)
{
	struct outer o = {};
	int r;

	r = hd_outer_parse(pkt, us, &o);
	if (r != OUTER_OURS)
		return r == OUTER_OTHER ? 1 : r;
	r = outer_network(pkt, &o);
	if (r == 0)
		r = unwrap(pkt, &o);
	if (r == 0 && (o.tos & ECN_ECT1)) /* or ECN_CE; ECT(0) says nothing new */
		r = carry_congestion(pkt, o.tos & 3);
	if (r < 0)
		return r;
	pkt->ctx->tc_index = HD_TC_INDEX_OURS;
	hd_ip_enter(pkt->ip, pkt->port, pkt->network);
	return 0;
}
