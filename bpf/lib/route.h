/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * route.h - packets that cross a router: replaying a flow, deciding where a packet goes; see heddle/router.h
 *
 * RFC 1812, and RFC 4443 for IPv6. What differs from a router that is a machine of its own: nothing is cut in pieces (a sender is told in any case),
 * and no ICMP redirects are sent.
 */
#pragma once

#include "lib/csum.h"
#include "lib/encap.h"
#include "lib/judge.h"
#include "lib/onward.h"

/* Whether a packet, or each segment of it, fits a port, or the way to a peer. Global, as what it asks. */
__noinline int hd_route_fits(struct __sk_buff *ctx, __u32 to_id, __u32 eth_type)
{
	const struct hd_port_value *to = hd_port_lookup(to_id);
	struct hd_pkt pkt = { .ctx = ctx, .eth_type = eth_type, .l3_off = ETH_HLEN };
	const struct hd_network_value *net;
	const struct hd_end_value *end;
	struct hd_ip *ip = hd_ip_entering();

	if (!to || !ip)
		return 0;
	if (to->flags & HD_PORT_ROUTER)
		return 1; /* it finds out */
	if (!(to->flags & HD_PORT_TUNNEL)) {
		ip->tell_word = to->mtu;
		return fits_mtu(&pkt, to);
	}
	net = bpf_map_lookup_elem(&hd_networks, &ip->to_network);
	end = bpf_map_lookup_elem(&hd_ends, &to_id);
	if (!net || !end)
		return 1; /* dropped for another reason */
	ip->tell_word = end->mtu - outer_len(net, end);
	return wrapped_fits(&pkt, net, end);
}

static __always_inline bool is_of_uplink(const struct hd_port_value *port)
{
	return port->flags & (HD_PORT_LEG | HD_PORT_TUNNEL);
}

/**
 * hd_route_replay - as hd_flow_replay(), for a packet that crosses a router
 * @ret: verdict, when true is returned
 */
static __always_inline bool hd_route_replay(struct hd_pkt *pkt, int *ret)
{
	struct hd_replay replay;
	struct hd_flow_value *flow;
	int r;

	if (!hd_replay_find(pkt, &replay) || !hd_route_fits(pkt->ctx, replay.to_id, pkt->eth_type))
		return false;
	flow = &replay.rflow->flow;
	if (is_of_uplink(pkt->from) && is_of_uplink(replay.to))
		(void)hd_onward_mark(pkt->ctx, pkt->l3_off, pkt->eth_type);
	hd_trace(pkt, HD_TRACE_FLOW_HIT, flow->rule[0], flow->rule[1]);
	hd_firewall_trace(pkt, flow);
	if (pkt->ip->proto == IPPROTO_TCP)
		hd_flow_track_tcp(pkt, flow, replay.side);
	r = hd_port_may_send(pkt, replay.to_id, replay.to);
	if (r == 0) {
		hd_flow_count(pkt, flow, replay.side);
		r = hd_hop_rewrite(pkt);
	}
	*ret = r < 0 ? r : hd_port_send(pkt, replay.to_id, replay.to);
	return true;
}

/* Drops the packet, and has its sender told if that may be. @type, @code: of the ICMP error, in the family of the packet */
static __always_inline int tell_sender(struct hd_pkt *pkt, __u32 reason, __u32 type, __u32 code)
{
	pkt->ip->tell = type << 24 | code << 16 | reason;
	return HD_VERDICT_TELL;
}

static __always_inline int tell_unreachable(struct hd_pkt *pkt, __u32 reason, __u32 code4,
					    __u32 code6)
{
	bool v4 = ip_is_v4(pkt->ip);

	pkt->ip->tell_word = 0;
	return tell_sender(pkt, reason, v4 ? ICMP_DEST_UNREACH : ICMPV6_DEST_UNREACH,
			   v4 ? code4 : code6);
}

static __always_inline int tell_ttl(struct hd_pkt *pkt)
{
	pkt->ip->tell_word = 0;
	return tell_sender(pkt, HD_DROP_TTL,
			   ip_is_v4(pkt->ip) ? ICMP_TIME_EXCEEDED : ICMPV6_TIME_EXCEEDED, 0);
}

/* @tell_word is the MTU: hd_route_fits() has left it there. */
static __always_inline int tell_too_big(struct hd_pkt *pkt)
{
	bool v4 = ip_is_v4(pkt->ip);

	return tell_sender(pkt, HD_DROP_MTU, v4 ? ICMP_DEST_UNREACH : ICMPV6_PACKET_TOO_BIG,
			   v4 ? ICMP_FRAG_NEEDED : 0);
}

/* RFC 1812 section 5.3.7, RFC 4291 sections 2.5.2, 2.5.3, 2.5.6: what stays on its link, or is no address of a host. */
static __always_inline bool is_unroutable(const struct hd_ip *ip, const __be32 addr[4])
{
	__u32 first = bpf_ntohl(addr[0]);

	if (ip_is_v4(ip))
		return first >> 24 == 0 || first >> 24 == 127 || first >> 28 >= 14 ||
		       first >> 16 == 0xa9fe;
	return first >> 24 == 0xff || first >> 22 == 0xfe80 >> 6 ||
	       !(addr[0] | addr[1] | addr[2] | (addr[3] & bpf_htonl(~1u)));
}

/* What the rewritten echo looks like up to its checksum: Ethernet, IP without options, type, code, checksum. */
#define ECHO4 (ETH_HLEN + 20 + 4)
#define ECHO6 (ETH_HLEN + 40 + 4)

static __always_inline void echo_eth(__u8 *p)
{
	__u8 mac[6];

	mac_copy(mac, p);
	mac_copy(p, p + 6);
	mac_copy(p + 6, mac);
}

static __always_inline int echo4(struct __sk_buff *ctx)
{
	__u8 room[ECHO4 + 2 + 4] __attribute__((aligned(4))), *p = room + 2; /* IP at a word */
	struct iphdr *ip = (void *)(p + ETH_HLEN);
	hd_u16 *icmp = (void *)(ip + 1);
	__be32 addr;

	if (bpf_skb_load_bytes(ctx, 0, p, ECHO4))
		return -HD_DROP_L4_MALFORMED;
	echo_eth(p);
	addr = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = addr;
	ip->check = csum_replace(ip->check, bpf_htons((__u16)(ip->ttl << 8)),
				 bpf_htons(ANSWER_TTL << 8));
	ip->ttl = ANSWER_TTL;
	icmp[1] = csum_replace(icmp[1], icmp[0], 0) ?: 0xffff; /* all else may be zero */
	icmp[0] = 0;					       /* type: echo reply; code */
	return bpf_skb_store_bytes(ctx, 0, p, ECHO4, BPF_F_RECOMPUTE_CSUM) ? -HD_DROP_NO_MEMORY : 0;
}

static __always_inline int echo6(struct __sk_buff *ctx)
{
	__u8 room[ECHO6 + 2 + 4] __attribute__((aligned(4))), *p = room + 2;
	struct ipv6hdr *ip = (void *)(p + ETH_HLEN);
	hd_u16 *icmp = (void *)(ip + 1);
	__be32 addr[4];

	if (bpf_skb_load_bytes(ctx, 0, p, ECHO6))
		return -HD_DROP_L4_MALFORMED;
	echo_eth(p);
	hd_memcpy(addr, &ip->saddr, 16);
	hd_memcpy(&ip->saddr, &ip->daddr, 16);
	hd_memcpy(&ip->daddr, addr, 16);
	ip->hop_limit = ANSWER_TTL;
	icmp[1] = csum_replace(icmp[1], icmp[0], bpf_htons(ICMPV6_ECHO_REPLY << 8));
	icmp[0] = bpf_htons(ICMPV6_ECHO_REPLY << 8);
	return bpf_skb_store_bytes(ctx, 0, p, ECHO6, BPF_F_RECOMPUTE_CSUM) ? -HD_DROP_NO_MEMORY : 0;
}

/* The request, turned round in place. Global, for the stack of its caller. */
__noinline int hd_route_echo(struct __sk_buff *ctx, __u32 v4)
{
	return v4 ? echo4(ctx) : echo6(ctx);
}

static __always_inline bool is_plain_echo(const struct hd_ip *ip)
{
	if (ip->flags & HD_IP_FRAGMENT)
		return false;
	if (ip_is_v4(ip))
		return ip->proto == IPPROTO_ICMP && ip->icmp_type == ICMP_ECHO &&
		       ip->l4_off == ETH_HLEN + sizeof(struct iphdr);
	return ip->proto == IPPROTO_ICMPV6 && ip->icmp_type == ICMPV6_ECHO_REQUEST &&
	       ip->l4_off == ETH_HLEN + sizeof(struct ipv6hdr);
}

/* For the router itself: ping is answered, UDP refused, all else not heard. */
static __always_inline int route_local(struct hd_pkt *pkt)
{
	__u32 rule;
	int r = hd_judge_egress(pkt, pkt->from, pkt->port, NULL, &rule);

	if (r < 0)
		return r;
	hd_rule_count(rule, 1, pkt->ctx->len);
	if (!is_plain_echo(pkt->ip)) {
		if (pkt->ip->proto == IPPROTO_UDP)
			return tell_unreachable(pkt, HD_DROP_TO_ROUTER, ICMP_PORT_UNREACHABLE,
						ICMPV6_PORT_UNREACHABLE);
		return -HD_DROP_TO_ROUTER;
	}
	r = hd_route_echo(pkt->ctx, ip_is_v4(pkt->ip));
	hd_trace(pkt, HD_TRACE_ANSWERED, pkt->ip->router, 0);
	return r < 0 ? r : hd_port_send_to(pkt, pkt->port);
}

/* Whether a packet crosses the outside of a router that translates it, or lets in answers only: then it belongs to a flow, whoever its ends are. */
static __always_inline bool is_translated(const struct hd_pkt *pkt)
{
	__u32 id = pkt->ip->router;
	const struct hd_end_value *end = bpf_map_lookup_elem(&hd_ends, &id);

	if (!pkt->ip->rewrite || !end || !end->ifindex)
		return false;
	if (end->ifindex != pkt->network && end->ifindex != pkt->ip->to_network &&
	    !(pkt->ip->nat & NAT_HAIRPIN))
		return false;
	return is_closed(pkt->ip, end) || (pkt->ip->nat & NAT_DST) ||
	       (end->flags & (ip_is_v4(pkt->ip) ? HD_END_FORWARDS : HD_END_FORWARDS6)) ||
	       (ip_is_v4(pkt->ip) ? !!fip_find(id, pkt->ip->saddr[0], HD_NAT_OUT)
				  : (end->flags & HD_END_FIPS6) && hd_fip6_find(id, HD_NAT_OUT, 1));
}

/* To one port. Rules and flows matter if one of the two has security, or the router a firewall; else it only has to fit. */
static __always_inline int route_to(struct hd_pkt *pkt, __u32 to_id)
{
	const struct hd_port_value *to = hd_port_lookup(to_id);
	struct judge j = { .to_id = to_id, .to = to };
	int r;

	if (!to || !hd_hop_is_there(pkt->ip->to_network, to_id, to))
		return -HD_DROP_PORT_DOWN;
	pkt->ip->to = HD_PORT_NONE; /* if it does not fit: hd_port_is_told() */
	if (!hd_route_fits(pkt->ctx, to_id, pkt->eth_type))
		return pkt->ip->rewrite ? tell_too_big(pkt) : -HD_DROP_MTU;
	pkt->ip->to = to_id;
	if (is_secure(pkt->from) || is_secure(to) || is_translated(pkt) || firewall_of(pkt->ip))
		return HD_VERDICT_FLOW;
	r = hd_port_may_send_to(pkt, to_id);
	return r < 0 ? r : send_flow(pkt, &j, NULL);
}

/*
 * Whether the sender is somebody: not the router itself, and not all hosts of a subnet (RFC 1812 section 5.3.7). What comes from outside may come from an
 * address that several routers share.
 */
static __always_inline bool has_source(const struct hd_pkt *pkt)
{
	int kind = hd_route_back(pkt->ip->router);

	if (kind == HD_ROUTE_LOCAL)
		return pkt->ip->nat & NAT_DST;
	return !is_unroutable(pkt->ip, pkt->ip->saddr) && kind != HD_ROUTE_BROADCAST;
}

static __always_inline int route_on(struct hd_pkt *pkt)
{
	int kind;
	__u32 to;

	if (is_unroutable(pkt->ip, pkt->ip->daddr) || !has_source(pkt))
		return -HD_DROP_ROUTE_CAST;
	kind = hd_route_look(pkt->ip->router);
	if (kind == HD_ROUTE_LOCAL)
		return route_local(pkt);
	if (hd_nat_is_shut(pkt->ip))
		return -HD_DROP_OUTSIDE;
	if (pkt->ip->route)
		hd_trace(pkt, HD_TRACE_ROUTE_STATIC, pkt->ip->router, pkt->ip->route);
	else if (kind == HD_ROUTE_CONNECTED)
		hd_trace(pkt, HD_TRACE_ROUTE, pkt->ip->router, pkt->ip->to_network);
	if (kind == HD_ROUTE_BLACKHOLE)
		return -HD_DROP_BLACKHOLE;
	if (kind == HD_ROUTE_BROADCAST)
		return -HD_DROP_ROUTE_CAST; /* nobody is told, whatever its TTL (RFC 1122 section 3.2.2) */
	if (pkt->ip->ttl <= 1)
		return tell_ttl(pkt);
	if (kind != HD_ROUTE_CONNECTED && kind != HD_ROUTE_VIA)
		return tell_unreachable(pkt, HD_DROP_NO_ROUTE, ICMP_NET_UNREACHABLE,
					ICMPV6_NO_ROUTE);
	to = hd_hop_resolve();
	hd_trace(pkt, HD_TRACE_NEXT_HOP, pkt->ip->to_network, to);
	return to == HD_PORT_NONE ? HD_VERDICT_RESOLVE : route_to(pkt, to);
}

/*
 * Sent on by the same router at another host: what is left is to deliver it. If nobody knows where, it is a frame like others. What a physical network
 * gives to us as well as to whom it is for, stays there.
 */
static __always_inline int route_arrived(struct hd_pkt *pkt)
{
	__u32 to = hd_fdb_lookup(pkt);

	if (to == HD_PORT_NONE) {
		pkt->ip->router = HD_PORT_NONE;
		return HD_VERDICT_PASS;
	}
	if (to == pkt->port)
		return -HD_DROP_SAME_PORT;
	(void)hd_route_back(pkt->ip->router);
	hd_trace(pkt, HD_TRACE_ROUTED, pkt->ip->router, pkt->network);
	pkt->ip->to_network = pkt->network;
	mac_copy(pkt->ip->hop_mac, pkt->dst);
	return route_to(pkt, to);
}

/**
 * hd_route - stage route: a packet that crosses a router, and that no flow answers for
 *
 * Return: a verdict; HD_VERDICT_FLOW, _NEIGH, _RESOLVE and _TELL mean the stages of these names, HD_VERDICT_PASS: flood it. Or -HD_DROP_x.
 */
static __always_inline int hd_route(struct hd_pkt *pkt)
{
	int r;

	if (eth_is_arp(pkt))
		return HD_VERDICT_NEIGH;
	r = judge_sender(pkt);
	if (r == -HD_DROP_FRAG_ORPHAN)
		return hd_hold(pkt->ctx, pkt->stage);
	if (r < 0)
		return r;
	if (hd_is_nd(pkt->ip))
		return HD_VERDICT_NEIGH;
	if (hd_nat_arrive(pkt->ctx)) {
		if (pkt->ip->nat & NAT_FORWARD)
			hd_nat_trace_forward(pkt);
		hd_nat_trace(pkt, HD_TRACE_DNAT, pkt->ip->nat_to_addr,
			     pkt->ip->nat & NAT_DST_PORT ? pkt->ip->nat_to_port : 0);
	}
	return pkt->ip->rewrite ? route_on(pkt) : route_arrived(pkt);
}
