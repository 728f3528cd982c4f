/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * encap.h - wrapping a frame for a peer, at TC
 *
 * Room is made between the frame's Ethernet header and what follows it, and all headers are written anew (wrap.h): so the kernel knows where
 * the inner packet begins, and can cut a super-packet into segments later (GSO). The kernel does that for IP only; to others, which
 * are never super-packets, room is added in front. Both come to the same.
 */
#pragma once

#include "lib/send.h"
#include "lib/wrap.h"

/* Tags beside the frame, outermost first, off it. A frame has one, rarely two. */
static __noinline int take_tags(struct hd_pkt *pkt, struct wrap *w)
{
	if (!pkt || !w || !pkt->ctx)
		return 0;
	for (int i = 0; i < TAGS_MAX && pkt->ctx->vlan_present; i++) {
		w->tag[i * 2] = pkt->ctx->vlan_proto;
		w->tag[i * 2 + 1] = bpf_htons(pkt->ctx->vlan_tci);
		if (bpf_skb_vlan_pop(pkt->ctx))
			return -HD_DROP_NO_MEMORY;
		w->n_tags = i + 1;
	}
	return 0;
}

/* Whether the outer packet, or each segment of it, will fit the way to the peer. */
static __always_inline bool wrapped_fits(const struct hd_pkt *pkt,
					 const struct hd_network_value *net,
					 const struct hd_end_value *end)
{
	__u32 len = pkt->ctx->len - ETH_HLEN, headers;

	if (pkt->ctx->vlan_present)
		len += VLAN_HLEN;
	if (pkt->ctx->gso_size) {
		headers =
			gso_header_len(pkt->ctx, pkt->l3_off, pkt->eth_type == bpf_htons(ETH_P_IP));
		if (!headers)
			return false;
		len = pkt->ctx->gso_size + headers + (pkt->tagged ? VLAN_HLEN : 0);
	}
	return len + outer_len(net, end) <= end->mtu;
}

/*
 * By what the packet is, if a stage has looked: the same as at XDP, so that a flow that comes to be sent on there keeps its way, and without the kernel's
 * dissection, since few packets of a workload bring their hash with them. Pieces have the ports of their first one.
 */
static __always_inline __u32 entropy(const struct hd_pkt *pkt)
{
	return pkt->ip->proto ? hd_ip_hash(pkt->ip) : bpf_get_hash_recalc(pkt->ctx);
}

static __always_inline int make_room(struct hd_pkt *pkt, const struct wrap *w)
{
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L2_ETH |
		      BPF_F_ADJ_ROOM_ENCAP_L2(ETH_HLEN + w->n_tags * VLAN_HLEN);

	flags |= w->v6 ? BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 : BPF_F_ADJ_ROOM_ENCAP_L3_IPV4;
	flags |= is_gre(&w->tunnel) ? BPF_F_ADJ_ROOM_ENCAP_L4_GRE : BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
	if (!bpf_skb_adjust_room(pkt->ctx, w->room, BPF_ADJ_ROOM_MAC, flags))
		return 0;
	/* Not IP, or a tunnel packet already: then it must not be one that is cut later. */
	if (pkt->ctx->gso_size || bpf_skb_change_head(pkt->ctx, w->room, 0))
		return -HD_DROP_ENCAP;
	return 0;
}

/**
 * hd_wrap - make room for the outer headers
 * @pkt: pointers taken from the packet earlier are stale afterwards
 * @w:   @tunnel and @v6 are set; gets the rest
 *
 * Return: 0 or -HD_DROP_x; after a failure the packet may be half-built and must be dropped.
 */
static __always_inline int hd_wrap(struct hd_pkt *pkt, struct wrap *w)
{
	const hd_u16 *eth;
	int r;

	w->hash = entropy(pkt);
	w->tos = outer_tos(pkt, &w->tunnel);
	if (pkt->ctx->vlan_present) {
		r = take_tags(pkt, w);
		if (r < 0)
			return r;
	}
	eth = ctx_header(pkt->ctx, 0, ETH_HLEN);
	if (!eth)
		return -HD_DROP_SHORT_FRAME;
	for (int i = 0; i < ETH_HLEN / 2; i++)
		w->eth[i] = eth[i];
	w->room = (w->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)) + w->tunnel.overhead +
		  w->n_tags * VLAN_HLEN;
	/* Afterwards the kernel takes it for a tunnel packet, and refuses to make it longer. */
	if (pkt->ctx->len + w->room < OUTER_MAX && bpf_skb_change_tail(pkt->ctx, FRAME_MIN, 0))
		return -HD_DROP_NO_MEMORY;
	r = make_room(pkt, w);
	w->len = pkt->ctx->len - ETH_HLEN;
	return r;
}

/**
 * hd_encap - stage encap: wrap a packet for one peer and send it
 * @id: the peer
 *
 * Return: HD_VERDICT_REDIRECT, HD_VERDICT_TOO_BIG or -HD_DROP_x.
 */
static __always_inline int hd_encap(struct hd_pkt *pkt, __u32 id)
{
	const struct hd_network_value *net = bpf_map_lookup_elem(&hd_networks, &pkt->network);
	const struct hd_end_value *end = bpf_map_lookup_elem(&hd_ends, &id);
	struct wrap w = {};
	int r;

	if (!net || !net->tunnel.type || !end || !end->ifindex)
		return -HD_DROP_PEER_DOWN;
	if (!wrapped_fits(pkt, net, end))
		return HD_VERDICT_TOO_BIG;
	w.tunnel = net->tunnel;
	w.v6 = end->flags & HD_END_IPV6;
	hd_port_count_out(pkt, id);
	r = hd_wrap(pkt, &w);
	if (r == 0)
		r = hd_wrap_write(pkt, &w, end);
	if (r < 0)
		return r;
	hd_trace(pkt, HD_TRACE_ENCAP, id, w.len);
	return bpf_redirect(end->ifindex, 0) == TC_ACT_REDIRECT ? HD_VERDICT_REDIRECT
								: -HD_DROP_REDIRECT;
}

/**
 * struct spread - a walk along the peers of a network
 * @pkt:  the packet, wrapped
 * @w:    how
 * @at:   link to follow next
 * @taken: somebody got a copy, or was refused one with a reason of its own
 */
struct spread {
	struct hd_pkt *pkt;
	const struct wrap *w;
	struct hd_peer_net_key at;
	__u32 taken;
};

static __always_inline int spread_copy(struct spread *s, __u32 id)
{
	const struct hd_port_value *peer = hd_port_lookup(id);
	const struct hd_end_value *end = bpf_map_lookup_elem(&hd_ends, &id);
	struct hd_pkt *pkt = s->pkt;
	__u32 len = s->w->len;
	int r;

	if (!peer || !end || !(peer->flags & HD_PORT_UP) || !end->ifindex)
		return -HD_DROP_PEER_DOWN;
	if (!pkt->ctx->gso_size && len > end->mtu)
		return -HD_DROP_MTU;
	hd_trace(pkt, HD_TRACE_ENCAP, id, len);
	if (!hd_may_write())
		return 0;
	hd_port_count_out(pkt, id);
	r = hd_wrap_write(pkt, s->w, end);
	if (r == 0 && bpf_clone_redirect(pkt->ctx, end->ifindex, 0))
		r = -HD_DROP_REDIRECT;
	return r;
}

/* The network's own list, then that of the peers that are everywhere. */
static long spread_step(__u32 index, void *arg)
{
	struct spread *s = arg;
	const __u32 *next = bpf_map_lookup_elem(&hd_peer_nets, &s->at);
	__u32 id = next ? *next : HD_PORT_NONE;
	int r;

	if (id == HD_PORT_NONE) {
		if (!s->at.network)
			return 1;
		s->at.network = 0;
		s->at.peer = 0;
		return 0;
	}
	s->at.peer = id;
	s->taken = 1;
	r = spread_copy(s, id);
	if (r < 0)
		hd_drop(s->pkt, id, -r);
	return 0;
}

static __always_inline bool has_peers(__u32 network)
{
	struct hd_peer_net_key first = { .network = network };

	return bpf_map_lookup_elem(&hd_peer_nets, &first);
}

/**
 * hd_spread - stage spread: a copy for each peer of the network (head-end replication)
 *
 * Return: HD_VERDICT_DONE, or -HD_DROP_x.
 */
static __always_inline int hd_spread(struct hd_pkt *pkt)
{
	const struct hd_network_value *net = bpf_map_lookup_elem(&hd_networks, &pkt->network);
	struct spread s = { .pkt = pkt };
	struct wrap w = {};
	int r;

	if (!net || !net->tunnel.type)
		return -HD_DROP_NO_MEMBER;
	s.at.network = pkt->network;
	s.taken = pkt->ip->to;
	s.w = &w;
	if (!has_peers(pkt->network) && !has_peers(0))
		return s.taken ? HD_VERDICT_DONE : -HD_DROP_NO_MEMBER;
	w.tunnel = net->tunnel;
	w.v6 = !!(net->flags & HD_NETWORK_IPV6_UNDERLAY);
	r = hd_wrap(pkt, &w);
	if (r < 0)
		return r;
	bpf_loop(hd_cfg.max_ports, spread_step, &s, 0);
	return s.taken ? HD_VERDICT_DONE : -HD_DROP_NO_MEMBER;
}
