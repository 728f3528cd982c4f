/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rewrite.h - packets that cross a router: which one, whether a flow says where it goes on, and what it looks like there; whatever the hook
 *
 * The functions that are not static take and return nothing but numbers, as those of hop.h.
 */
#pragma once

#include "heddle/router.h"

#include "lib/csum.h"
#include "lib/fdb.h"
#include "lib/nat.h"

/* A MAC of a router, the second kind included; see heddle/router.h. */
static __always_inline bool mac_is_router(const __u8 mac[6])
{
	return *(const hd_u16 *)mac == bpf_htons(HD_ROUTER_MAC_0 << 8 | HD_ROUTER_MAC_1) &&
	       (mac[2] & 0xfe) == HD_ROUTER_MAC_2;
}

/* The router that a MAC of the packet's network is; HD_PORT_NONE if it is none. */
static __always_inline __u32 router_of(const struct hd_pkt *pkt, const __u8 mac[6])
{
	struct hd_fdb_key key = fdb_key(pkt, mac);
	const struct hd_fdb_value *entry = bpf_map_lookup_elem(&hd_fdb, &key);
	const struct hd_port_value *port;

	if (!entry || !(entry->flags & HD_FDB_STATIC))
		return HD_PORT_NONE;
	port = hd_port_lookup(entry->port);
	return port && (port->flags & HD_PORT_ROUTER) ? entry->port : HD_PORT_NONE;
}

/**
 * hd_router_find - whether a unicast packet crosses a router: it is for one, or one at another host has sent it on
 * @pkt: gets @router
 */
static __always_inline bool hd_router_find(struct hd_pkt *pkt)
{
	bool here = mac_is_router(pkt->dst);

	if (!here &&
	    (!(pkt->from->flags & (HD_PORT_TUNNEL | HD_PORT_LEG)) || !mac_is_router(pkt->src)))
		return false;
	pkt->ip->router = router_of(pkt, here ? pkt->dst : pkt->src);
	pkt->ip->rewrite = here;
	return pkt->ip->router;
}

/* Ethernet, and of IPv4 all but options, of IPv6 up to the hop limit. */
#define REWRITE4 (ETH_HLEN + 20)
#define REWRITE6 (ETH_HLEN + 8)

/* In its external network a router is on this host alone, and there may be others of its kind: there it has the MAC of this host. */
static __always_inline void rewrite_eth(__u8 *p, const struct hd_ip *ip,
					const struct hd_port_value *router)
{
	__u32 id = ip->router;
	const struct hd_end_value *end = bpf_map_lookup_elem(&hd_ends, &id);

	mac_copy(p, ip->hop_mac);
	mac_copy(p + 6, router->mac);
	if (end && end->ifindex == ip->to_network)
		mac_copy(p + 6, end->from);
}

static __always_inline void write_address4(__be32 *addr, __u16 *check, __be32 new)
{
	*check = csum_replace(*check, (__u16)*addr, (__u16) new);
	*check = csum_replace(*check, *addr >> 16, new >> 16);
	*addr = new;
}

/* TTL and addresses; the checksum of the transport header follows in hd_nat_rewrite(). */
static __always_inline void write_ip4(struct iphdr *iph, const struct hd_ip *ip)
{
	__u16 check = iph->check;

	iph->ttl--;
	check = csum_replace(check, bpf_htons(0x0100), 0); /* the upper half of its word */
	if ((ip->nat & (NAT_DST | NAT_WRITTEN)) == NAT_DST)
		write_address4(&iph->daddr, &check, ip->nat_to_addr[0]);
	if ((ip->nat & (NAT_SRC | NAT_WRITTEN)) == NAT_SRC)
		write_address4(&iph->saddr, &check, ip->nat_src_addr[0]);
	iph->check = check;
}

/* Together the header sums up to what it was, so a sum that the device has made of the packet stays right; it does not hold the Ethernet header. */
static __always_inline int rewrite4(hd_ctx *ctx, const struct hd_ip *ip,
				    const struct hd_port_value *router)
{
	__u8 room[REWRITE4 + 2] __attribute__((aligned(4))), *p = room + 2; /* IP at a word */
	struct iphdr *iph = (void *)(p + ETH_HLEN);

	if (ctx_load(ctx, 0, p, REWRITE4))
		return -HD_DROP_IP_MALFORMED;
	if (iph->ttl <= 1)
		return -HD_DROP_TTL; /* of one that has waited; of others it is known */
	rewrite_eth(p, ip, router);
	write_ip4(iph, ip);
	return ctx_put(ctx, 0, p, REWRITE4) ? -HD_DROP_NO_MEMORY : 0;
}

/* Here the sum changes with the hop limit. */
static __always_inline int rewrite6(hd_ctx *ctx, const struct hd_ip *ip,
				    const struct hd_port_value *router)
{
	__u8 p[REWRITE6 + 2];

	if (ctx_load(ctx, 0, p, REWRITE6))
		return -HD_DROP_IP_MALFORMED;
	if (p[ETH_HLEN + 7] <= 1)
		return -HD_DROP_TTL;
	rewrite_eth(p, ip, router);
	p[ETH_HLEN + 7]--;
	if (ctx_put(ctx, 0, p, ETH_HLEN) || ctx_store(ctx, ETH_HLEN + 6, p + ETH_HLEN + 6, 2))
		return -HD_DROP_NO_MEMORY;
	return 0;
}

/**
 * hd_hop_write - give a routed packet the MACs and the TTL with which it goes on, and make the network where it does its own
 *
 * Pointers into the packet are stale afterwards. Nothing to do for one that was routed at another host. Return: 0 or -HD_DROP_x.
 */
__noinline int hd_hop_write(hd_ctx *ctx)
{
	const struct hd_port_value *router;
	struct hd_ip *ip = hd_ip_entering();

	if (!ip)
		return -HD_DROP_NO_MEMORY;
	if (!ip->router || !ip->rewrite)
		return 0;
	router = hd_port_lookup(ip->router);
	if (!router)
		return -HD_DROP_NO_ROUTE;
	ip->network = ip->to_network;
	return ip_is_v4(ip) ? rewrite4(ctx, ip, router) : rewrite6(ctx, ip, router);
}

/** hd_hop_dress - the same, and the addresses and ports that it has there: hd_nat_look() or hd_nat_leave() has found them. @error: it may be an ICMP error */
static __always_inline int hd_hop_dress(struct hd_pkt *pkt, bool error)
{
	int r = 0;

	if (pkt->ip->nat & NAT_SRC)
		hd_nat_trace(pkt, HD_TRACE_SNAT, pkt->ip->nat_src_addr,
			     pkt->ip->nat & NAT_SRC_PORT ? pkt->ip->nat_src_port : 0);
	if (pkt->ip->nat & (NAT_SRC | NAT_DST))
		r = error && (pkt->ip->nat & NAT_ERROR) ? hd_nat_rewrite_error(pkt->ctx)
							: hd_nat_rewrite(pkt->ctx);
	if (r == 0)
		r = hd_hop_write(pkt->ctx);
	pkt->network = pkt->ip->network;
	return r;
}

/** hd_hop_rewrite - the same; what its sender is called there is found, or made */
static __always_inline int hd_hop_rewrite(struct hd_pkt *pkt)
{
	int r = hd_nat_leave();

	return r < 0 ? r : hd_hop_dress(pkt, true);
}

/** hd_hop_is_there - whether a packet that crosses a router may go to a port in a network; a router of this host is wherever it is found to be a neighbour */
static __always_inline bool hd_hop_is_there(__u32 network, __u32 to_id,
					    const struct hd_port_value *to)
{
	return (to->flags & HD_PORT_ROUTER) || hd_port_is_member(network, to_id);
}

/* Whether the next hop that the entry knows still is where the flow leads. */
static __always_inline bool hop_leads_to(const struct hd_hop *hop, __u32 to_id,
					 const struct hd_port_value *to)
{
	struct hd_pkt at = { .network = hop->network, .stage = HD_STAGE_ROUTE };

	if ((to->flags & HD_PORT_HAS_MAC) && mac_equal(hop->mac, to->mac))
		return true;
	mac_copy(at.dst, hop->mac);
	return hd_fdb_lookup(&at) == to_id;
}

static __always_inline void take_hop(const struct hd_pkt *pkt, const struct hd_hop *hop)
{
	pkt->ip->to_network = hop->network;
	mac_copy(pkt->ip->hop_mac, hop->mac);
}

/**
 * struct hd_replay - the flow that answers for a packet that crosses a router, and where it leads
 * @rflow: its entry
 * @side:  of the sender
 * @to_id: port that it leads to
 * @to:    that port's entry
 */
struct hd_replay {
	struct hd_rflow_value *rflow;
	const struct hd_port_value *to;
	__u32 side;
	__u32 to_id;
};

static __always_inline const struct hd_hop *replay_hop(const struct hd_replay *replay)
{
	return replay->side ? &replay->rflow->hop[0] : &replay->rflow->hop[1];
}

/* The entry, if it is that of the sender, and says where to. */
static __always_inline bool replay_find(const struct hd_pkt *pkt, struct hd_replay *replay)
{
	__u32 side = hd_flow_side(pkt->ip);

	if (!flow_is_plain(pkt->ip) || pkt->ip->ttl <= 1 || hd_nat_is_shut(pkt->ip))
		return false;
	replay->side = side;
	replay->rflow = hd_rflow_find(pkt, side, FLOW_ESTABLISHED);
	if (!replay->rflow || !hd_flow_answers(pkt, &replay->rflow->flow, side) ||
	    !hd_nat_is_of(replay->rflow, side))
		return false;
	replay->to_id = side ? replay->rflow->flow.port[0] : replay->rflow->flow.port[1];
	replay->to = hd_port_lookup(replay->to_id);
	return replay->to;
}

/**
 * hd_replay_find - find the established flow of a packet that crosses a router, if what was decided for it still holds
 * @pkt: hd_ip_parse() and hd_nat_arrive() have been called; gets the next hop
 */
static __always_inline bool hd_replay_find(const struct hd_pkt *pkt, struct hd_replay *ret)
{
	const struct hd_hop *hop;

	if (!replay_find(pkt, ret))
		return false;
	hop = replay_hop(ret);
	if (ret->rflow->flow.gen != hd_flow_gen(pkt, pkt->from, ret->to) ||
	    !hd_hop_is_there(hop->network, ret->to_id, ret->to) ||
	    !hop_leads_to(hop, ret->to_id, ret->to))
		return false;
	if (!pkt->ip->rewrite && (ret->to_id == pkt->port || hop->network != pkt->network ||
				  !mac_equal(pkt->dst, hop->mac)))
		return false;
	take_hop(pkt, hop);
	return true;
}
