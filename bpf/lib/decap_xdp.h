/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * decap_xdp.h - taking the wrapping off at XDP, before the kernel makes an skb of the packet; see outer.h, heddle/opened.h
 *
 * What can't be done here is left to TC, which can do all of it: the packet then goes on as it came.
 */
#pragma once

#include "heddle/opened.h"

#include "lib/eth.h"
#include "lib/outer.h"

/* Outer Ethernet, IPv6, UDP and Geneve with all its options, and of the inner packet Ethernet and IPv6. */
#define XDP_HEADERS_MAX (ETH_HLEN + 40 + 8 + 8 + 252 + ETH_HLEN + 40)

/* Whether all headers are where they can be looked at; of what ctx_header() can't reach the packet then is too short. */
static __always_inline bool is_whole(hd_ctx *ctx)
{
	void *data = ctx_data(ctx), *end = ctx_data_end(ctx);

	return data + XDP_HEADERS_MAX <= end || ctx_len(ctx) == (__u32)(end - data);
}

/*
 * Whether the kernel may still have to compute the outer UDP checksum: at devices that are software, where a local sender leaves that to be done
 * (CHECKSUM_PARTIAL). It would go on to do so, with an offset in front of what is left of the packet.
 */
static __always_inline bool has_unfinished_sum(struct hd_pkt *pkt, const struct hd_end_value *us,
					       const struct outer *o)
{
	__u32 ip_len = o->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	const struct udphdr *udp;

	if (!(us->flags & HD_END_PARTIAL) || o->proto != IPPROTO_UDP)
		return false;
	udp = ctx_header(pkt->ctx, ETH_HLEN + ip_len, sizeof(*udp));
	return udp && udp->check;
}

/* In front of what is now the packet's beginning; it moves along when that moves. */
static __always_inline bool put_note(struct hd_pkt *pkt)
{
	const int len = sizeof(struct hd_opened);
	struct hd_opened *opened;
	void *data;

	if (bpf_xdp_adjust_meta(pkt->ctx, -len))
		return false; /* the driver has no room for it */
	opened = (void *)(unsigned long)pkt->ctx->data_meta;
	data = ctx_data(pkt->ctx);
	if ((void *)(opened + 1) > data)
		return false;
	if ((void *)opened + len + 1 <= data) { /* the driver's own is behind it */
		(void)bpf_xdp_adjust_meta(pkt->ctx, len);
		return false;
	}
	opened->magic = HD_OPENED_MAGIC;
	opened->port = pkt->port;
	opened->network = pkt->network;
	return true;
}

/*
 * Tags inside are left to TC: the kernel takes them off before TC can see them, and then an inner one can't be told from one that was
 * outside, beside the packet.
 *
 * Return: 0; 1: left to TC; -HD_DROP_TUNNEL_SHORT.
 */
static __always_inline int unwrap(struct hd_pkt *pkt, const struct outer *o)
{
	const struct ethhdr *eth = ctx_header(pkt->ctx, o->off, sizeof(*eth));
	__u32 len = ctx_len(pkt->ctx);

	if (!eth || o->off + ETH_HLEN > o->end)
		return -HD_DROP_TUNNEL_SHORT;
	if (eth_is_tag(eth->h_proto))
		return 1;
	if (len > o->end && bpf_xdp_adjust_tail(pkt->ctx, (int)(o->end - len)))
		return 1;
	if (!put_note(pkt))
		return 1;
	if (bpf_xdp_adjust_head(pkt->ctx, (int)o->off) == 0)
		return 0;
	(void)bpf_xdp_adjust_meta(pkt->ctx, (int)sizeof(struct hd_opened));
	return 1;
}

/**
 * hd_decap_xdp - open a packet of the underlay
 * @pkt: @port is the uplink's; afterwards @port, @from and @network are the peer's and the tunnel's, as soon as they are known
 * @us:  the uplink
 *
 * Return: 0: opened, with a note in front; 1: not ours, or left to TC; -HD_DROP_x.
 */
static __always_inline int hd_decap_xdp(struct hd_pkt *pkt, const struct hd_end_value *us)
{
	struct outer o = {};
	int r;

	if (!is_whole(pkt->ctx))
		return 1;
	r = hd_outer_parse(pkt, us, &o);
	if (r != OUTER_OURS)
		return r == OUTER_OTHER ? 1 : r;
	r = outer_network(pkt, &o);
	if (r == 0 && has_unfinished_sum(pkt, us, &o))
		r = 1;
	if (r == 0)
		r = unwrap(pkt, &o);
	if (r == 0 && (o.tos & ECN_ECT1)) /* or ECN_CE; ECT(0) says nothing new */
		r = carry_congestion(pkt, o.tos & 3);
	return r;
}
