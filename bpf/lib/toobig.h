/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * toobig.h - telling a sender that its packet does not fit into the tunnel, or out by the leg of a physical network
 *
 * A bridge would drop it, and say nothing. But the smaller MTU is one that heddle has brought in: of the underlay, or of an uplink that is not the
 * workloads' own. There is no router between the workloads of a network, so the answer comes from the address that the packet was for, as the
 * kernel's own tunnel devices have it. It is made out of the packet itself:
 *
 *   Ethernet │ IP │ ICMP "fragmentation needed" (RFC 792, RFC 1191) or "packet too big" (RFC 4443), with the MTU │ first bytes of the packet
 *
 * It goes back whether or not the packet said "don't fragment": nothing is fragmented here, and a sender that hears it will do it. It goes to the port
 * that has sent the packet and nowhere else, whatever address that says it is from, and is always smaller.
 */
#pragma once

#include "lib/encap.h"
#include "lib/icmp.h"
#include "lib/rate.h"

/*
 * hd_told: how many answers a port has had in this second, see rate.h. Writer and reader: the datapath. Ports with the same number modulo the size
 * share an entry; it never dies.
 */
#define TOLD_SLOTS 4096
#define TOLD_PER_SECOND 1000

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TOLD_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} hd_told SEC(".maps");

/* An address that is not one host's: none, a group, all. */
static __always_inline bool is_nobody(const struct hd_ip *ip)
{
	__u8 first = *(const __u8 *)ip->saddr;

	if (ip_is_v4(ip))
		return !ip->saddr[0] || first >= 224;
	return first == 0xff || !(ip->saddr[0] | ip->saddr[1] | ip->saddr[2] | ip->saddr[3]);
}

/*
 * Who may be told: whoever is at a port here; not of errors, of what went to many or comes from nobody, or pieces (RFC 1122 section 3.2.2, RFC 4443
 * section 2.4). What came out of a tunnel or from a physical network is from somebody whom the network there tells.
 */
static __always_inline bool may_be_told(struct hd_pkt *pkt)
{
	if (pkt->from->flags & (HD_PORT_TUNNEL | HD_PORT_LEG))
		return false;
	if (hd_ip_parse(pkt) < 0 || mac_is_multicast(pkt->dst) || hd_ip_is_multicast(pkt->ip))
		return false;
	return !(pkt->ip->flags & (HD_IP_ICMP_ERROR | HD_IP_LATER)) && !is_nobody(pkt->ip) &&
	       pkt->ctx->len > CUT;
}

/* RFC 4443 section 2.4 (f): not without limit. So many that path MTU discovery never waits, and that nobody makes us do nothing else. */
static __always_inline bool has_turn(const struct hd_pkt *pkt)
{
	__u32 slot = pkt->port % TOLD_SLOTS;
	__u32 *told = bpf_map_lookup_elem(&hd_told, &slot);

	return told && (!hd_may_write() || hd_rate_take(told, TOLD_PER_SECOND));
}

/* Largest IP packet that goes out by a leg, or into a tunnel; 0 = it has gone meanwhile. */
static __always_inline __u32 largest(const struct hd_pkt *pkt, __u32 id)
{
	const struct hd_network_value *net = bpf_map_lookup_elem(&hd_networks, &pkt->network);
	const struct hd_end_value *end = bpf_map_lookup_elem(&hd_ends, &id);
	const struct hd_port_value *to = hd_port_lookup(id);

	if (!to || !net || !end)
		return 0;
	return to->flags & HD_PORT_LEG ? to->mtu : end->mtu - outer_len(net, end);
}

/* The whole answer into the scratch: from whom the packet was for. Return: its length, 0 if there is nothing to quote. */
static __always_inline __u32 compose(struct hd_pkt *pkt, __u8 *p, __u32 mtu)
{
	const struct iphdr *ip = (void *)(p + ETH_HLEN + 28);
	const struct ipv6hdr *ip6 = (void *)(p + ETH_HLEN + 48);
	struct icmp_error error = { .word = mtu, .quoted = QUOTE };

	mac_copy(p, pkt->src);
	mac_copy(p + 6, pkt->dst);
	*(hd_u16 *)(p + 12) = pkt->eth_type;
	if (pkt->eth_type == bpf_htons(ETH_P_IP)) {
		if (bpf_skb_load_bytes(pkt->ctx, ETH_HLEN, p + ETH_HLEN + 28, QUOTE))
			return 0;
		error.type = ICMP_DEST_UNREACH << 24 | ICMP_FRAG_NEEDED << 16;
		icmp_write4(p, &error, ip->daddr, ip->saddr, OUTER_DF);
		return ETH_HLEN + 28 + QUOTE;
	}
	if (bpf_skb_load_bytes(pkt->ctx, ETH_HLEN, p + ETH_HLEN + 48, QUOTE))
		return 0;
	error.type = ICMPV6_PACKET_TOO_BIG << 24;
	icmp_write6(p, &error, ip6->daddr.in6_u.u6_addr32, ip6->saddr.in6_u.u6_addr32);
	return ETH_HLEN + 48 + QUOTE;
}

/**
 * hd_too_big - stage too-big: drop a packet that does not fit, and tell its sender what would
 *
 * pkt->ip->to is the peer or the leg. Return: HD_VERDICT_REDIRECT with the answer, or -HD_DROP_MTU. The packet is counted as dropped in both
 * cases.
 */
static __always_inline int hd_too_big(struct hd_pkt *pkt)
{
	__u32 zero = 0, mtu = largest(pkt, pkt->ip->to), len;
	__u8 *p = bpf_map_lookup_elem(&hd_bytes, &zero);
	int r;

	if (!mtu || !p || !may_be_told(pkt) || !has_turn(pkt))
		return -HD_DROP_MTU;
	len = compose(pkt, p, mtu);
	if (!len)
		return -HD_DROP_MTU;
	hd_drop(pkt, pkt->port, HD_DROP_MTU);
	r = make_blank(pkt, len);
	if (r == 0 && bpf_skb_store_bytes(pkt->ctx, 0, p, len, 0))
		r = -HD_DROP_NO_MEMORY;
	if (r < 0)
		return HD_VERDICT_DONE; /* it is counted already */
	return hd_port_send(pkt, pkt->port, pkt->from);
}
