/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * icmp.h - ICMP errors, made out of the packet that they are about
 *
 *   Ethernet │ IP │ ICMP type, code, sum │ word │ first bytes of the packet
 */
#pragma once

#include "lib/csum.h"
#include "lib/ip.h"

/* So much of the packet is quoted at most: its headers and some more, enough for the sender to find its socket. */
#define QUOTE 128

/* What the packet is cut down to first, and what of that goes: a checksum that was still to be filled in must not be any more. */
#define CUT 512
#define REMOVED 256

/* What an error says. @type: ICMP type and code, in the upper half; @word: behind the sum; @quoted: bytes, up to QUOTE; then zeros. */
struct icmp_error {
	__u32 type;
	__u32 word;
	__u32 quoted;
};

/* The headers in front of the quote, which stands where it will be on the wire. */
static __always_inline void icmp_write4(__u8 *p, const struct icmp_error *error, __be32 from,
					__be32 to, __be16 frag_off)
{
	struct iphdr *ip = (void *)(p + ETH_HLEN);
	hd_u32 *icmp = (void *)(ip + 1);
	__u32 sum;

	*(hd_u32 *)ip = bpf_htonl(0x45c00000 | (sizeof(*ip) + 8 + error->quoted));
	ip->id = 0;
	ip->frag_off = frag_off;
	ip->ttl = ANSWER_TTL;
	ip->protocol = IPPROTO_ICMP;
	ip->check = 0;
	ip->saddr = from;
	ip->daddr = to;
	sum = bpf_csum_diff(NULL, 0, (__be32 *)ip, sizeof(*ip), 0);
	ip->check = ~csum_fold(sum);
	icmp[0] = bpf_htonl(error->type);
	icmp[1] = bpf_htonl(error->word);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)icmp, 8 + QUOTE, 0);
	*((hd_u16 *)icmp + 1) = ~csum_fold(sum);
}

static __always_inline void icmp_write6(__u8 *p, const struct icmp_error *error,
					const __be32 from[4], const __be32 to[4])
{
	struct ipv6hdr *ip6 = (void *)(p + ETH_HLEN);
	hd_u32 *icmp = (void *)(ip6 + 1);
	__u32 sum;

	*(hd_u32 *)ip6 = bpf_htonl(6U << 28);
	ip6->payload_len = bpf_htons(8 + error->quoted);
	ip6->nexthdr = IPPROTO_ICMPV6;
	ip6->hop_limit = ANSWER_TTL;
	hd_memcpy(&ip6->saddr, from, 16);
	hd_memcpy(&ip6->daddr, to, 16);
	icmp[0] = bpf_htonl(error->type);
	icmp[1] = bpf_htonl(error->word);
	/* The pseudo-header (RFC 8200 section 8.1): addresses, length, next header. */
	sum = bpf_htons(8 + error->quoted) + bpf_htons(IPPROTO_ICMPV6);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&ip6->saddr, 32, sum);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)icmp, 8 + QUOTE, sum);
	*((hd_u16 *)icmp + 1) = ~csum_fold(sum);
}

/*
 * What was in a tunnel: the kernel lets nobody change its length at the end (skb->encapsulation). So all that can go goes behind the Ethernet header, and the
 * room comes in front; what is left of the packet is the tail, which its receiver takes for what a short frame is filled up with. A checksum that is still to
 * be filled in is gone, or is in the tail. That of a super-packet is not that simple: nothing is made of it.
 */
static __always_inline int make_blank_in_front(struct hd_pkt *pkt, __u32 len)
{
	bool v4 = pkt->eth_type == bpf_htons(ETH_P_IP);
	__u32 keep = v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	__s32 surplus = pkt->ctx->len - ETH_HLEN - keep;
	__u8 nothing[ETH_HLEN + sizeof(struct ipv6hdr)] = {};

	if (pkt->ctx->gso_size ||
	    (surplus > 0 && bpf_skb_adjust_room(pkt->ctx, -surplus, BPF_ADJ_ROOM_MAC, 0)) ||
	    bpf_skb_change_head(pkt->ctx, len, 0) ||
	    bpf_skb_store_bytes(pkt->ctx, len, nothing, ETH_HLEN + sizeof(struct iphdr), 0))
		return -HD_DROP_NO_MEMORY;
	if (!v4 &&
	    bpf_skb_store_bytes(pkt->ctx, len + ETH_HLEN, nothing, sizeof(struct ipv6hdr), 0))
		return -HD_DROP_NO_MEMORY;
	return 0;
}

/*
 * Cuts the packet down to @len bytes that are nothing but room, also where it was shorter. Growing at the end makes the kernel forget a sum that a
 * device has made of the packet, and which what is written next would not be in.
 */
static __always_inline int make_blank(struct hd_pkt *pkt, __u32 len)
{
	if (bpf_skb_change_tail(pkt->ctx, CUT, 0))
		return make_blank_in_front(pkt, len);
	if (bpf_skb_adjust_room(pkt->ctx, -REMOVED, BPF_ADJ_ROOM_MAC, 0) ||
	    bpf_skb_change_tail(pkt->ctx, len - 1, 0) || bpf_skb_change_tail(pkt->ctx, len, 0))
		return -HD_DROP_NO_MEMORY;
	return 0;
}
