/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wrap.h - the headers of a frame that goes to a peer; whatever the hook. Making room for them is the business of encap.h and forward_xdp.h
 *
 *   ┌────────────┬─────────────┬─────────────────┬─────────────────┬────────┬──────────
 *   │ Ethernet   │ IPv4 20     │ UDP 8, VXLAN 8  │ Ethernet        │ tags   │ content
 *   │ (outer) 14 │ or IPv6 40  │ or GRE 4, 8     │ (the frame's) 14│ 0, 4, 8│
 *   └────────────┴─────────────┴─────────────────┴─────────────────┴────────┴──────────
 *
 * The outer UDP checksum is zero, as GSO of tunnels wants it, and RFC 7348 and RFC 8926 do; RFC 6935 allows it for IPv6. The source
 * port comes from the inner flow, so that routers on the way spread flows. DF is set: nothing is fragmented outside.
 */
#pragma once

#include "lib/csum.h"
#include "lib/eth.h"
#include "lib/peer.h"

#define OUTER_DF bpf_htons(0x4000)

/* RFC 6335: the dynamic ports. */
#define SOURCE_PORT_FIRST 49152
#define SOURCE_PORTS 16384

#define TAGS_MAX 2

/* The longest of all these headers. What is shorter when it is wrapped, gets the length of Ethernet's smallest frame inside. */
#define OUTER_MAX (ETH_HLEN + 40 + 16 + ETH_HLEN + TAGS_MAX * VLAN_HLEN)

/**
 * struct wrap - a frame being wrapped
 * @tunnel: how
 * @v6:     the underlay is IPv6
 * @room:   bytes that are added
 * @len:    of the outer IP packet, all headers included
 * @hash:   of the inner flow
 * @tos:    of the outer packet
 * @n_tags: tags that lie beside the frame, and must go into it
 * @tag:    they, as they are on the wire
 * @eth:    the frame's header
 */
struct wrap {
	struct hd_tunnel tunnel;
	__u32 v6;
	__u32 room;
	__u32 len;
	__u32 hash;
	__u32 tos;
	__u32 n_tags;
	__be16 tag[TAGS_MAX * 2];
	hd_u16 eth[ETH_HLEN / 2];
};

static __always_inline bool is_gre(const struct hd_tunnel *tunnel)
{
	return tunnel->type >= HD_TUNNEL_GRE;
}

static __always_inline __u8 inner_tos(struct hd_pkt *pkt)
{
	const __u8 *ip = ctx_header(pkt->ctx, pkt->l3_off, 2);

	if (!ip)
		return 0;
	if (pkt->eth_type == bpf_htons(ETH_P_IP))
		return ip[1];
	return pkt->eth_type == bpf_htons(ETH_P_IPV6) ? (ip[0] << 4 | ip[1] >> 4) & 0xff : 0;
}

/*
 * ECN goes along always (RFC 6040 section 4.1, normal mode). So does DSCP (RFC 2983 section 3, the uniform model), unless the network has one of its own
 * (the pipe model): what the underlay makes of a packet is then not up to the workload. What is not IP counts as having none.
 */
static __always_inline __u32 outer_tos(struct hd_pkt *pkt, const struct hd_tunnel *tunnel)
{
	return (inner_tos(pkt) & tunnel->tos_keep) | tunnel->tos;
}

/* What comes in front of the inner IP packet, from the outer IP header on. */
static __always_inline __u32 outer_len(const struct hd_network_value *net,
				       const struct hd_end_value *end)
{
	return (end->flags & HD_END_IPV6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)) +
	       net->tunnel.overhead;
}

/* The TTL that the peer's sum is with is taken off again: in sums of this kind, what is added to get all bits set. */
static __always_inline void write_ipv4(struct iphdr *ip, const struct wrap *w,
				       const struct hd_end_value *end)
{
	__u32 proto = is_gre(&w->tunnel) ? IPPROTO_GRE : IPPROTO_UDP;
	__u32 sum = end->csum + bpf_htons(w->len) + bpf_htons(w->tos) +
		    bpf_htons(w->tunnel.ttl << 8 | proto) +
		    bpf_htons(0xffff - (HD_TUNNEL_TTL << 8));

	*(hd_u16 *)ip = bpf_htons(0x4500 | w->tos);
	ip->tot_len = bpf_htons(w->len);
	ip->id = 0;
	ip->frag_off = OUTER_DF;
	ip->ttl = w->tunnel.ttl;
	ip->protocol = proto;
	ip->check = ~csum_fold(sum);
	ip->saddr = end->local[3];
	ip->daddr = end->remote[3];
}

static __always_inline void write_ipv6(struct ipv6hdr *ip6, const struct wrap *w,
				       const struct hd_end_value *end)
{
	*(hd_u32 *)ip6 = bpf_htonl(6U << 28 | w->tos << 20);
	ip6->payload_len = bpf_htons(w->len - sizeof(*ip6));
	ip6->nexthdr = is_gre(&w->tunnel) ? IPPROTO_GRE : IPPROTO_UDP;
	ip6->hop_limit = w->tunnel.ttl;
	hd_memcpy(&ip6->saddr, end->local, 16);
	hd_memcpy(&ip6->daddr, end->remote, 16);
}

/* UDP and VXLAN or Geneve, whose headers differ in nothing that is not zero; or GRE. Return: where they end. */
static __always_inline void *write_tunnel(void *p, const struct wrap *w, __u32 ip_len)
{
	const struct hd_tunnel *tunnel = &w->tunnel;
	struct udphdr *udp = p;
	hd_u32 *word = p;

	if (is_gre(tunnel)) {
		word[0] =
			bpf_htonl(ETH_P_TEB | (tunnel->type == HD_TUNNEL_GRE_KEY ? 0x20000000 : 0));
		if (tunnel->type == HD_TUNNEL_GRE)
			return p + 4;
		word[1] = bpf_htonl(tunnel->id);
		return p + 8;
	}
	udp->source = bpf_htons(SOURCE_PORT_FIRST + w->hash % SOURCE_PORTS);
	udp->dest = tunnel->port;
	udp->len = bpf_htons(w->len - ip_len);
	udp->check = 0;
	word[2] = tunnel->type == HD_TUNNEL_GENEVE ? bpf_htonl(ETH_P_TEB) : bpf_htonl(0x08000000);
	word[3] = bpf_htonl(tunnel->id << 8);
	return p + 16;
}

/**
 * hd_wrap_write - write all headers of a packet that has been wrapped
 * @end: the peer
 *
 * May be called again for another peer of the same network, after a copy was sent.
 */
static __always_inline int hd_wrap_write(struct hd_pkt *pkt, const struct wrap *w,
					 const struct hd_end_value *end)
{
	__u32 ip_len = w->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	struct ethhdr *eth = ctx_header(pkt->ctx, 0, OUTER_MAX);
	hd_u16 *inner;

	if (!eth)
		return -HD_DROP_ENCAP;
	mac_copy(eth->h_dest, end->to);
	mac_copy(eth->h_source, end->from);
	if (w->v6) {
		eth->h_proto = bpf_htons(ETH_P_IPV6);
		write_ipv6((void *)(eth + 1), w, end);
	} else {
		eth->h_proto = bpf_htons(ETH_P_IP);
		write_ipv4((void *)(eth + 1), w, end);
	}
	inner = write_tunnel((void *)(eth + 1) + ip_len, w, ip_len);
	for (int i = 0; i < ETH_HLEN / 2; i++)
		inner[i] = w->eth[i];
	if (!w->n_tags)
		return 0;
	/* dst, src, tag, tag, type: each tag's own type stands in front of it, the frame's type behind the last. */
	inner[6] = w->tag[0];
	inner[7] = w->tag[1];
	inner[8] = w->n_tags > 1 ? w->tag[2] : w->eth[6];
	if (w->n_tags > 1) {
		inner[9] = w->tag[3];
		inner[10] = w->eth[6];
	}
	return 0;
}
