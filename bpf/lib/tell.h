/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tell.h - what a router says to the sender of a packet that it drops: an ICMP error (RFC 792, RFC 1812 section 4.3, RFC 4443), or a TCP RST
 *
 * Each is made out of the packet itself:
 *
 *   Ethernet │ IP, from the router's address on the sender's side │ ICMP type, code │ first bytes of the packet
 *   Ethernet │ IP, from whom the packet was for │ TCP, RST
 */
#pragma once

#include "lib/icmp.h"
#include "lib/rate.h"
#include "lib/route.h"

/* So many errors in a second for each port; more are not told. */
#define TELL_PER_SECOND 100

static __always_inline bool tell_has_room(const struct hd_pkt *pkt)
{
	struct hd_router_state *state = bpf_map_lookup_elem(&hd_router_state, &pkt->port);

	return state && (!hd_may_write() || hd_rate_take(&state->told, TELL_PER_SECOND));
}

static __always_inline bool is_reset(const struct hd_ip *ip)
{
	return ip->tell >> 16 == HD_TELL_RESET;
}

/* RFC 1122 section 3.2.2, RFC 4443 section 2.4: not of errors, later pieces, and what went to many; and not to who is nobody. */
static __always_inline bool tell_is_due(const struct hd_pkt *pkt)
{
	const struct hd_ip *ip = pkt->ip;

	if (ip->flags & (HD_IP_ICMP_ERROR | HD_IP_LATER))
		return false;
	if (is_reset(ip) && (ip->tcp_flags & TCP_RST))
		return false; /* RFC 9293 section 3.10.7.1: nor of a RST by another */
	return !is_unroutable(ip, ip->saddr) && (ip->source[2] | ip->source[3]);
}

/* The answer, in @p. Return: its length, or -HD_DROP_x. */
static __always_inline int tell_compose(struct hd_pkt *pkt, __u8 *p)
{
	__u32 v4 = ip_is_v4(pkt->ip), head = ETH_HLEN + (v4 ? 20 : 40) + 8;
	__u32 quoted = pkt->ip->end - ETH_HLEN; /* without what a short frame was filled up with */
	struct icmp_error error = { .type = pkt->ip->tell & 0xffff0000,
				    .word = pkt->ip->tell_word };

	if (quoted > QUOTE)
		quoted = QUOTE;
	asm volatile("" : "+r"(quoted)); /* one bound after the other, as in hold_fits() */
	if (quoted < 20)
		return -HD_DROP_NO_MEMORY;
	hd_memset(p, 0, HD_BYTES);
	mac_copy(p, pkt->src);
	mac_copy(p + 6, pkt->dst);
	*(hd_u16 *)(p + 12) = pkt->eth_type;
	if (bpf_skb_load_bytes(pkt->ctx, ETH_HLEN, v4 ? p + ETH_HLEN + 28 : p + ETH_HLEN + 48,
			       quoted))
		return -HD_DROP_NO_MEMORY;
	error.quoted = quoted;
	if (v4)
		icmp_write4(p, &error, pkt->ip->source[3], pkt->ip->saddr[0], 0);
	else
		icmp_write6(p, &error, pkt->ip->source, pkt->ip->saddr);
	return head + quoted;
}

/* What a closed port answers with (RFC 9293 section 3.10.7.1). @got: header of the packet */
static __always_inline void reset_tcp(const struct hd_ip *ip, const struct tcphdr *got,
				      struct tcphdr *tcp)
{
	__u32 len = ip->end - ip->l4_off - got->doff * 4;
	__u8 flags = ip->tcp_flags, *set = (__u8 *)tcp + 13;

	tcp->source = got->dest;
	tcp->dest = got->source;
	tcp->doff = sizeof(*tcp) / 4;
	*set = TCP_RST;
	if (flags & TCP_ACK) {
		tcp->seq = got->ack_seq;
		return;
	}
	*set |= TCP_ACK;
	tcp->ack_seq =
		bpf_htonl(bpf_ntohl(got->seq) + len + !!(flags & TCP_SYN) + !!(flags & TCP_FIN));
}

/* Over the pseudo-header, whose addresses are @bytes behind @addr, and the header (RFC 9293 section 3.1). */
static __always_inline void reset_checksum(struct tcphdr *tcp, __be32 *addr, __u32 bytes)
{
	__u32 sum = bpf_htons(sizeof(*tcp)) + bpf_htons(IPPROTO_TCP);

	sum = bpf_csum_diff(NULL, 0, addr, bytes, sum);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)tcp, sizeof(*tcp), sum);
	tcp->check = ~csum_fold(sum);
}

static __always_inline int reset_write4(__u8 *p, const struct hd_ip *ip, const struct tcphdr *got)
{
	struct iphdr *iph = (void *)(p + ETH_HLEN);
	struct tcphdr *tcp = (void *)(iph + 1);

	*(hd_u32 *)iph = bpf_htonl(0x45000000 | (sizeof(*iph) + sizeof(*tcp)));
	iph->ttl = ANSWER_TTL;
	iph->protocol = IPPROTO_TCP;
	iph->saddr = ip->nat & NAT_DST ? ip->nat_dst_addr[0] : ip->daddr[0];
	iph->daddr = ip->saddr[0];
	iph->check = ~csum_fold(bpf_csum_diff(NULL, 0, (__be32 *)iph, sizeof(*iph), 0));
	reset_tcp(ip, got, tcp);
	reset_checksum(tcp, &iph->saddr, 8);
	return ETH_HLEN + sizeof(*iph) + sizeof(*tcp);
}

static __always_inline int reset_write6(__u8 *p, const struct hd_ip *ip, const struct tcphdr *got)
{
	struct ipv6hdr *ip6 = (void *)(p + ETH_HLEN);
	struct tcphdr *tcp = (void *)(ip6 + 1);

	*(hd_u32 *)ip6 = bpf_htonl(6U << 28);
	ip6->payload_len = bpf_htons(sizeof(*tcp));
	ip6->nexthdr = IPPROTO_TCP;
	ip6->hop_limit = ANSWER_TTL;
	hd_memcpy(&ip6->saddr, ip->nat & NAT_DST ? ip->nat_dst_addr : ip->daddr, 16);
	hd_memcpy(&ip6->daddr, ip->saddr, 16);
	reset_tcp(ip, got, tcp);
	reset_checksum(tcp, (__be32 *)&ip6->saddr, 32);
	return ETH_HLEN + sizeof(*ip6) + sizeof(*tcp);
}

/* A RST, in @p. Return: its length, or -HD_DROP_x. */
static __always_inline int reset_compose(struct hd_pkt *pkt, __u8 *p)
{
	struct tcphdr got;

	if (bpf_skb_load_bytes(pkt->ctx, pkt->ip->l4_off, &got, sizeof(got)))
		return -HD_DROP_NO_MEMORY;
	hd_memset(p, 0, HD_BYTES);
	mac_copy(p, pkt->src);
	mac_copy(p + 6, pkt->dst);
	*(hd_u16 *)(p + 12) = pkt->eth_type;
	return ip_is_v4(pkt->ip) ? reset_write4(p, pkt->ip, &got) : reset_write6(p, pkt->ip, &got);
}

static __always_inline int tell_send(struct hd_pkt *pkt)
{
	__u32 zero = 0, len;
	__u8 *p = bpf_map_lookup_elem(&hd_bytes, &zero);
	int r;

	if (!p)
		return -HD_DROP_NO_MEMORY;
	r = is_reset(pkt->ip) ? reset_compose(pkt, p) : tell_compose(pkt, p);
	if (r < 0)
		return r;
	len = r;
	if (make_blank(pkt, len) || len > HD_BYTES)
		return -HD_DROP_NO_MEMORY;
	asm volatile("" : "+r"(len));
	if (!len || bpf_skb_store_bytes(pkt->ctx, 0, p, len, 0))
		return -HD_DROP_NO_MEMORY;
	return hd_port_send_to(pkt, pkt->port);
}

/**
 * hd_tell - stage tell: a router drops a packet, and tells its sender
 *
 * pkt->ip->tell says what. Return: a verdict for the answer. The packet is counted as dropped in any case.
 */
static __always_inline int hd_tell(struct hd_pkt *pkt)
{
	__u32 tell = pkt->ip->tell, reason = tell & 0xffff;
	int r;

	if (!tell_is_due(pkt) || !tell_has_room(pkt))
		return -(int)reason;
	hd_drop(pkt, pkt->port, reason);
	hd_trace(pkt, HD_TRACE_TOLD, pkt->port << 16 | tell >> 16, reason);
	r = tell_send(pkt);
	return r < 0 ? HD_VERDICT_DONE : r; /* it is counted already */
}
