/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * toobig.h - telling a sender that its packet does not fit into the tunnel
 *
 * There is no router between the workloads of a network, so the answer comes from the address that the packet was for, as the kernel's own
 * tunnel devices have it. It is made out of the packet itself:
 *
 *   Ethernet │ IP │ ICMP "fragmentation needed" (RFC 792, RFC 1191) or "packet too big" (RFC 4443), with the MTU │ first bytes of the packet
 *
 * It goes back whether or not the packet said "don't fragment": nothing is fragmented here, and a sender that hears it will do it.
 */
#pragma once

#include "lib/encap.h"
#include "lib/ip.h"

/* So much of the packet is quoted: its headers and some more, enough for the sender to find its socket. */
#define QUOTE 128

/* What the packet is cut down to first, and what of that goes: a checksum that was still to be filled in must not be any more. */
#define CUT 512
#define REMOVED 256

#define ANSWER_TTL 64

/* Who may be told: not of errors, of what went to many, or pieces (RFC 1122 section 3.2.2, RFC 4443 section 2.4). */
static __always_inline bool may_be_told(struct hd_pkt *pkt)
{
	if (hd_ip_parse(pkt) < 0 || mac_is_multicast(pkt->dst) || hd_ip_is_multicast(pkt->ip))
		return false;
	return !(pkt->ip->flags & (HD_IP_ICMP_ERROR | HD_IP_LATER)) && pkt->ctx->len > CUT;
}

static __always_inline __u32 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* In the scratch, the quote stands where it will be on the wire. Return: bytes in front of it, or -HD_DROP_x. */
static __always_inline void answer_ipv4(__u8 *p, __u32 mtu)
{
	struct iphdr *ip = (void *)(p + ETH_HLEN), *was = (void *)(ip + 1) + 8;
	struct icmphdr *icmp = (void *)(ip + 1);
	__u32 sum;

	*(hd_u32 *)ip = bpf_htonl(0x45c00000 | (sizeof(*ip) + 8 + QUOTE));
	ip->id = 0;
	ip->frag_off = OUTER_DF;
	ip->ttl = ANSWER_TTL;
	ip->protocol = IPPROTO_ICMP;
	ip->check = 0;
	ip->saddr = was->daddr;
	ip->daddr = was->saddr;
	sum = bpf_csum_diff(NULL, 0, (__be32 *)ip, sizeof(*ip), 0);
	ip->check = ~fold(sum);
	*(hd_u32 *)icmp = bpf_htonl(ICMP_DEST_UNREACH << 24 | ICMP_FRAG_NEEDED << 16);
	*((hd_u32 *)icmp + 1) = bpf_htonl(mtu);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)icmp, 8 + QUOTE, 0);
	icmp->checksum = ~fold(sum);
}

static __always_inline void answer_ipv6(__u8 *p, __u32 mtu)
{
	struct ipv6hdr *ip6 = (void *)(p + ETH_HLEN), *was = (void *)(ip6 + 1) + 8;
	hd_u32 *icmp = (void *)(ip6 + 1);
	__u32 sum;

	*(hd_u32 *)ip6 = bpf_htonl(6U << 28);
	ip6->payload_len = bpf_htons(8 + QUOTE);
	ip6->nexthdr = IPPROTO_ICMPV6;
	ip6->hop_limit = ANSWER_TTL;
	hd_memcpy(&ip6->saddr, &was->daddr, 16);
	hd_memcpy(&ip6->daddr, &was->saddr, 16);
	icmp[0] = bpf_htonl(ICMPV6_PACKET_TOO_BIG << 24);
	icmp[1] = bpf_htonl(mtu);
	/* The pseudo-header (RFC 8200 section 8.1): addresses, length, next header. */
	sum = bpf_htons(8 + QUOTE) + bpf_htons(IPPROTO_ICMPV6);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&ip6->saddr, 32, sum);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)icmp, 8 + QUOTE, sum);
	*((hd_u16 *)icmp + 1) = ~fold(sum);
}

/* Cuts the packet down to @len bytes that are nothing but room. */
static __always_inline int make_blank(struct hd_pkt *pkt, __u32 len)
{
	if (bpf_skb_change_tail(pkt->ctx, CUT, 0) ||
	    bpf_skb_adjust_room(pkt->ctx, -REMOVED, BPF_ADJ_ROOM_MAC, 0) ||
	    bpf_skb_change_tail(pkt->ctx, len, 0))
		return -HD_DROP_MTU;
	return 0;
}

/**
 * hd_too_big - stage too-big: drop a packet that does not fit, and tell its sender what would
 *
 * pkt->ip->to is the peer. Return: HD_VERDICT_REDIRECT with the answer, or -HD_DROP_MTU. The packet is counted as dropped in both cases.
 */
static __always_inline int hd_too_big(struct hd_pkt *pkt)
{
	const struct hd_network_value *net = bpf_map_lookup_elem(&hd_networks, &pkt->network);
	__u32 zero = 0, id = pkt->ip->to, v4 = pkt->eth_type == bpf_htons(ETH_P_IP), mtu, len;
	const struct hd_end_value *end = bpf_map_lookup_elem(&hd_ends, &id);
	__u8 *p = bpf_map_lookup_elem(&hd_bytes, &zero);
	int r;

	if (!net || !end || !p || !may_be_told(pkt) || (pkt->from->flags & HD_PORT_TUNNEL))
		return -HD_DROP_MTU;
	mtu = end->mtu - outer_len(net, end);
	len = ETH_HLEN + (v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) + 8 + QUOTE;
	mac_copy(p, pkt->src);
	mac_copy(p + 6, pkt->dst);
	*(hd_u16 *)(p + 12) = pkt->eth_type;
	if (v4) {
		if (bpf_skb_load_bytes(pkt->ctx, ETH_HLEN, p + ETH_HLEN + 28, QUOTE))
			return -HD_DROP_MTU;
		answer_ipv4(p, mtu);
	} else {
		if (bpf_skb_load_bytes(pkt->ctx, ETH_HLEN, p + ETH_HLEN + 48, QUOTE))
			return -HD_DROP_MTU;
		answer_ipv6(p, mtu);
	}
	hd_drop(pkt, pkt->port, HD_DROP_MTU);
	r = make_blank(pkt, len);
	if (r == 0 && bpf_skb_store_bytes(pkt->ctx, 0, p, len, 0))
		r = -HD_DROP_NO_MEMORY;
	if (r < 0)
		return HD_VERDICT_DONE; /* it is counted already */
	return hd_port_send(pkt, pkt->port, pkt->from);
}
