/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * resolve.h - how a router gets to know its neighbours: it asks (ARP, RFC 826; neighbour solicitation, RFC 4861), and listens to what is told to it
 *
 * The question takes the place of the packet that needs the answer, which is lost; an address that does not answer is asked once a second, and after three
 * seconds of that whoever sends there is told that it can't be reached. It is asked for with the router's MAC of this host, and as who has no address (RFC
 * 5227), or only one on the link: an answer to the router's own MAC would end at the host where the neighbour is, and no neighbour shall take this one for
 * the router's.
 */
#pragma once

#include "lib/icmp.h"
#include "lib/rate.h"
#include "lib/route.h"

/* After how many seconds of questions in vain, one a second, the sender is told; from then on it is asked as seldom as that. */
#define RESOLVE_TELL_S 3

/*
 * So many neighbours are asked for the packets of one port in a second, and so many get known by what it says: each question goes to everybody, and all
 * routers share one table, which nobody may fill with addresses that are nobody's (RFC 6583).
 */
#define RESOLVE_PER_SECOND 256

#define ASK_LEN4 60
#define ASK_LEN6 (ETH_HLEN + 40 + 32)

static __always_inline bool resolve_has_room(__u32 port)
{
	struct hd_router_state *state = bpf_map_lookup_elem(&hd_router_state, &port);

	return state && hd_rate_take(&state->asked, RESOLVE_PER_SECOND);
}

/* Whether the address may be asked for now; and whether it has been asked in vain for long. Global, so that the value is off the stack when the question is made. */
__noinline int hd_resolve_may_ask(void)
{
	struct hd_arp_value fresh = {}, *arp;
	struct hd_neigh_key key = {};
	struct hd_ip *ip = hd_ip_entering();
	__u32 now = flow_now(), pause = hd_cfg.hz;
	bool in_vain;

	if (!ip)
		return 0;
	key.network = ip->to_network;
	hd_memcpy(key.addr, ip->via, 16);
	arp = bpf_map_lookup_elem(&hd_arp, &key);
	if (!hd_may_write())
		return 1;
	in_vain = arp && mac_is_zero(arp->mac) && now - arp->since >= RESOLVE_TELL_S * hd_cfg.hz;
	if (in_vain)
		pause *= RESOLVE_TELL_S;
	if (arp && mac_is_zero(arp->mac) && now - arp->asked < pause)
		return -(int)in_vain;
	if (!resolve_has_room(ip->port))
		return 0;
	if (!arp) {
		fresh.since = fresh.asked = now;
		fresh.router = ip->router;
		return !bpf_map_update_elem(&hd_arp, &key, &fresh, BPF_ANY);
	}
	if (!mac_is_zero(arp->mac)) { /* it has answered once; its MAC is not heard any more */
		hd_memset(arp->mac, 0, 6);
		arp->since = now;
	} else if (now - arp->asked > 2 * RESOLVE_TELL_S * hd_cfg.hz) {
		arp->since = now; /* nobody has wanted it for a while */
	}
	arp->asked = now;
	return 1;
}

/* @as: 0, or the router's own address where nobody else has it */
static __always_inline void ask_arp(__u8 *p, const struct hd_ip *ip, const __u8 mac[6], __be32 as)
{
	struct arp_ipv4 *arp = (void *)(p + ETH_HLEN);

	hd_memset(p, 0xff, 6);
	mac_copy(p + 6, mac);
	*(hd_u16 *)(p + 12) = bpf_htons(ETH_P_ARP);
	arp->htype = bpf_htons(ARPHRD_ETHER);
	arp->ptype = bpf_htons(ETH_P_IP);
	arp->hlen = 6;
	arp->plen = 4;
	arp->op = bpf_htons(ARPOP_REQUEST);
	mac_copy(arp->sha, mac);
	hd_memcpy(arp->sip, &as, 4);
	hd_memcpy(arp->tip, &ip->via[3], 4);
}

/* RFC 4861 section 4.3, to the solicited-node address (RFC 4291 section 2.7.1), from a link-local one made of the MAC (RFC 2464 section 4). */
static __always_inline void ask_nd(__u8 *p, const struct hd_ip *ip, const __u8 mac[6])
{
	struct nd_advert *ns = (void *)(p + ETH_HLEN); /* but for its type and flags the same */
	const __u8 *via = (const __u8 *)ip->via;
	__u8 *from = (__u8 *)&ns->ip.saddr, *to = (__u8 *)&ns->ip.daddr;

	p[0] = p[1] = 0x33;
	p[2] = 0xff;
	p[3] = via[13];
	p[4] = via[14];
	p[5] = via[15];
	mac_copy(p + 6, mac);
	*(hd_u16 *)(p + 12) = bpf_htons(ETH_P_IPV6);
	ns->ip.version = 6;
	ns->ip.payload_len = bpf_htons(ND_ADVERT_LEN);
	ns->ip.nexthdr = IPPROTO_ICMPV6;
	ns->ip.hop_limit = 255;
	from[0] = 0xfe;
	from[1] = 0x80;
	from[8] = mac[0] ^ 2;
	from[9] = mac[1];
	from[10] = mac[2];
	from[11] = 0xff;
	from[12] = 0xfe;
	from[13] = mac[3];
	from[14] = mac[4];
	from[15] = mac[5];
	to[0] = 0xff;
	to[1] = 2;
	to[11] = 1;
	to[12] = 0xff;
	to[13] = via[13];
	to[14] = via[14];
	to[15] = via[15];
	ns->type = NDISC_NEIGHBOUR_SOLICITATION;
	hd_memcpy(ns->target, via, 16);
	ns->opt_type = ND_OPT_SOURCE_LL_ADDR;
	ns->opt_len = 1;
	mac_copy(ns->opt_mac, mac);
	ns->csum = nd_checksum(ns);
}

/* Makes the packet the question. */
static __always_inline int ask(struct hd_pkt *pkt, const struct hd_end_value *end)
{
	bool outside = end->ifindex == pkt->ip->to_network;
	__u32 zero = 0, v4 = ip_is_v4(pkt->ip), len = v4 ? ASK_LEN4 : ASK_LEN6;
	__u8 *p = bpf_map_lookup_elem(&hd_bytes, &zero);

	if (!p)
		return -HD_DROP_NO_MEMORY;
	hd_memset(p, 0, HD_BYTES);
	if (v4)
		ask_arp(p, pkt->ip, end->from, outside ? end->local[3] : 0);
	else
		ask_nd(p, pkt->ip, end->from);
	if (make_blank(pkt, len) || bpf_skb_store_bytes(pkt->ctx, 0, p, len, 0))
		return -HD_DROP_NO_MEMORY;
	return 0;
}

/**
 * hd_resolve - stage resolve: ask for the next hop, in the place of the packet
 *
 * Return: HD_VERDICT_PASS: now it is the router's question, to be flooded in the network of the next hop; HD_VERDICT_TELL; or -HD_DROP_x. The packet is
 * counted as dropped.
 */
static __always_inline int hd_resolve(struct hd_pkt *pkt)
{
	const struct hd_end_value *end = bpf_map_lookup_elem(&hd_ends, &pkt->ip->router);
	int r = hd_resolve_may_ask();

	if (r < 0)
		return tell_unreachable(pkt, HD_DROP_UNRESOLVED, ICMP_HOST_UNREACHABLE,
					ICMPV6_ADDR_UNREACHABLE);
	if (!r || !end)
		return -HD_DROP_UNRESOLVED;
	hd_drop(pkt, pkt->port, HD_DROP_UNRESOLVED);
	if (ask(pkt, end) < 0)
		return HD_VERDICT_DONE; /* it is counted already */
	pkt->ip->port = pkt->ip->router;
	pkt->ip->network = pkt->ip->to_network;
	pkt->ip->router = HD_PORT_NONE;
	pkt->vlan = pkt->prio = pkt->tpid = 0;
	return HD_VERDICT_PASS;
}

/* Whether the router has a subnet in that network that the address is of. */
static __always_inline bool is_neighbour_of(__u32 router, const struct hd_neigh_key *key)
{
	struct hd_route_key where = { .prefix_len = HD_ROUTE_FIXED_BITS + 128, .router = router };
	const struct hd_route_value *route;

	hd_memcpy(where.addr, key->addr, 16);
	route = bpf_map_lookup_elem(&hd_routes, &where);
	return route && route->kind == HD_ROUTE_CONNECTED && route->network == key->network;
}

static __always_inline bool is_outside_of(__u32 router, __u32 network)
{
	const struct hd_end_value *end = bpf_map_lookup_elem(&hd_ends, &router);

	return end && end->ifindex == network;
}

static __always_inline void moved(__u32 router)
{
	struct hd_router_state *state = bpf_map_lookup_elem(&hd_router_state, &router);

	if (state)
		__sync_fetch_and_add(&state->moved, 1);
}

/*
 * Notes what a neighbour says about itself: of the router, or one that it has asked for before. A neighbour outside may be that of other routers as well, and
 * the one that has asked may have gone: then the flows of all are to find out.
 */
static __always_inline void arp_note(const struct hd_pkt *pkt, __u32 router,
				     const struct hd_neigh_key *key, const __u8 mac[6])
{
	bool its = is_neighbour_of(router, key);
	struct hd_arp_value value = {}, *arp;

	arp = bpf_map_lookup_elem(&hd_arp, key);
	if ((!its && !(arp && arp->router == router)) || !hd_may_write() ||
	    bpf_map_lookup_elem(&hd_neigh, key))
		return;
	if ((arp && mac_equal(arp->mac, mac)) || !resolve_has_room(pkt->port))
		return;
	mac_copy(value.mac, mac);
	value.router = router;
	if (bpf_map_update_elem(&hd_arp, key, &value, BPF_ANY))
		return;
	moved(router);
	if (arp && (!its || is_outside_of(router, key->network)))
		moved(HD_PORT_NONE);
}

/* The router that an address of the packet's network is of, HD_PORT_NONE if it is none's. */
static __always_inline __u32 router_at(const struct hd_neigh_key *key)
{
	const struct hd_neigh_value *entry = bpf_map_lookup_elem(&hd_neigh, key);
	const struct hd_port_value *port = entry ? hd_port_lookup(entry->port) : NULL;

	return port && (port->flags & HD_PORT_ROUTER) ? entry->port : HD_PORT_NONE;
}

/*
 * The router that knows an address already, or asks for it. It believes what the neighbour says to others, too (RFC 826), as who announces that its MAC is
 * another one now speaks to all (RFC 5227 section 3, RFC 4861 section 7.2.6). Who is not known is not noted: nobody has asked.
 */
static __always_inline __u32 router_that_knows(const struct hd_neigh_key *key)
{
	const struct hd_arp_value *arp = bpf_map_lookup_elem(&hd_arp, key);

	return arp ? arp->router : HD_PORT_NONE;
}

static __always_inline bool mac_is_of_a_neighbour(const __u8 mac[6])
{
	return !mac_is_multicast(mac) && !mac_is_router(mac) && !mac_is_zero(mac);
}

/** hd_listen_arp - an ARP packet that a router should hear: note who its sender is */
static __noinline int hd_listen_arp(struct hd_pkt *pkt)
{
	struct hd_neigh_key key = { .addr = { [10] = 0xff, [11] = 0xff } };
	const struct arp_ipv4 *arp;
	__u32 router;
	__u8 mac[6];

	if (!pkt || !pkt->ctx)
		return 0;
	key.network = pkt->network;
	key.vlan = pkt->vlan;
	arp = ctx_header(pkt->ctx, ETH_HLEN, sizeof(*arp));
	if (!arp || !arp_is_ipv4(arp))
		return 0;
	hd_memcpy(&key.addr[12], arp->tip, 4);
	router = mac_is_router(pkt->dst) ? router_of(pkt, pkt->dst) : router_at(&key);
	hd_memcpy(&key.addr[12], arp->sip, 4);
	if (router == HD_PORT_NONE)
		router = router_that_knows(&key);
	mac_copy(mac, arp->sha);
	if (router == HD_PORT_NONE || !mac_is_of_a_neighbour(mac))
		return 0;
	arp_note(pkt, router, &key, mac);
	return 0;
}

/** hd_listen_nd - the same for neighbour discovery: who asks says so in its option, who answers in another */
static __noinline int hd_listen_nd(struct hd_pkt *pkt)
{
	struct hd_neigh_key key = {};
	const struct nd_advert *nd;
	__u32 router;
	__u8 mac[6];
	bool asks;

	if (!pkt || !pkt->ctx)
		return 0;
	key.network = pkt->network;
	key.vlan = pkt->vlan;
	nd = ctx_header(pkt->ctx, ETH_HLEN, sizeof(*nd));
	if (!nd || nd->ip.hop_limit != 255 || nd->ip.nexthdr != IPPROTO_ICMPV6 || nd->opt_len != 1)
		return 0;
	asks = nd->type == NDISC_NEIGHBOUR_SOLICITATION && nd->opt_type == ND_OPT_SOURCE_LL_ADDR;
	if (!asks &&
	    (nd->type != NDISC_NEIGHBOUR_ADVERTISEMENT || nd->opt_type != ND_OPT_TARGET_LL_ADDR))
		return 0;
	hd_memcpy(key.addr, nd->target, 16);
	router = mac_is_router(pkt->dst) ? router_of(pkt, pkt->dst) : router_at(&key);
	if (asks)
		hd_memcpy(key.addr, &nd->ip.saddr, 16);
	if (router == HD_PORT_NONE)
		router = router_that_knows(&key);
	mac_copy(mac, nd->opt_mac);
	if (router == HD_PORT_NONE || !mac_is_of_a_neighbour(mac))
		return 0;
	arp_note(pkt, router, &key, mac);
	return 0;
}
