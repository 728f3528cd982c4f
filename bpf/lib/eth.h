/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* eth.h - the Ethernet header and its tag */
#pragma once

#include "lib/pkt.h"

static __always_inline bool mac_is_multicast(const __u8 mac[6])
{
	return mac[0] & 1;
}

static __always_inline bool mac_is_zero(const __u8 mac[6])
{
	const hd_u16 *word = (const hd_u16 *)mac;

	return !(word[0] | word[1] | word[2]);
}

static __always_inline bool mac_equal(const __u8 a[6], const __u8 b[6])
{
	const hd_u16 *x = (const hd_u16 *)a, *y = (const hd_u16 *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]));
}

/* memcpy() of a packed header's member goes byte by byte; addresses are always at even offsets. */
static __always_inline void mac_copy(__u8 to[6], const __u8 from[6])
{
	const hd_u16 *x = (const hd_u16 *)from;
	hd_u16 *y = (hd_u16 *)to;

	y[0] = x[0];
	y[1] = x[1];
	y[2] = x[2];
}

/*
 * IEEE 802.1Q table 8-1: 01:80:c2:00:00:00 to :0f end at the next bridge. :00 is for spanning tree, which heddle does not speak: as
 * the kernel's bridge without STP does, it lets the workloads' own bridges talk to each other.
 */
static __always_inline bool mac_is_link_local(const __u8 mac[6])
{
	return mac[0] == 0x01 && mac[1] == 0x80 && mac[2] == 0xc2 && !mac[3] && !mac[4] &&
	       mac[5] >= 0x01 && mac[5] <= 0x0f;
}

static __always_inline bool eth_is_tag(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

/** eth_is_arp - an ARP packet without a tag in front of it */
static __always_inline bool eth_is_arp(const struct hd_pkt *pkt)
{
	return pkt->eth_type == bpf_htons(ETH_P_ARP) && !pkt->tagged;
}

/** eth_is_ip - an IPv4 or IPv6 packet without a tag in front of it */
static __always_inline bool eth_is_ip(const struct hd_pkt *pkt)
{
	return !pkt->tagged &&
	       (pkt->eth_type == bpf_htons(ETH_P_IP) || pkt->eth_type == bpf_htons(ETH_P_IPV6));
}

/**
 * hd_eth_parse - read addresses and type
 * @pkt: gets @dst, @src, @eth_type, @l3_off and @tagged
 *
 * An outer tag usually lies beside the packet (the kernel moves it there on receive); a second one, or one that a
 * sender without offload put in and nobody moved, is in the packet. Both are only looked at: the tag goes on as it came.
 *
 * Return: 0, -HD_DROP_SHORT_FRAME, or -HD_DROP_SOURCE_MAC.
 */
static __always_inline int hd_eth_parse(struct hd_pkt *pkt)
{
	struct ethhdr *eth = ctx_header(pkt->ctx, 0, sizeof(*eth));

	if (!eth)
		return -HD_DROP_SHORT_FRAME;
	mac_copy(pkt->dst, eth->h_dest);
	mac_copy(pkt->src, eth->h_source);
	pkt->eth_type = eth->h_proto;
	pkt->l3_off = ETH_HLEN;
	pkt->tagged = ctx_has_tag(pkt->ctx);
	if (mac_is_multicast(pkt->src) || mac_is_zero(pkt->src))
		return -HD_DROP_SOURCE_MAC;
	if (eth_is_tag(pkt->eth_type)) {
		__be16 *inner = ctx_header(pkt->ctx, ETH_HLEN + 2, sizeof(*inner));

		if (!inner)
			return -HD_DROP_SHORT_FRAME;
		pkt->eth_type = *inner;
		pkt->l3_off = ETH_HLEN + VLAN_HLEN;
		pkt->tagged = 1;
	}
	return 0;
}
