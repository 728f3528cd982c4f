/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hop.h - routes, next hops, and sending a packet on to one; see heddle/router.h
 *
 * The functions that are not static take and return nothing but numbers, and find the packet's header, and leave what they find, in the scratch of
 * what enters the host: so the verifier looks at each once.
 */
#pragma once

#include "heddle/abi.h"
#include "heddle/router.h"

#include "lib/neigh.h"
#include "lib/rewrite.h"

/* hd_routes: (router, prefix) -> route. Writer: the daemon. Readers: routed packets that no flow answers for. Full: the daemon refuses the configuration. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_ROUTES_DEFAULT);
	__type(key, struct hd_route_key);
	__type(value, struct hd_route_value);
} hd_routes SEC(".maps");

/* hd_hops: slots of equal routes. Writer: the daemon. Readers: as above. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_ROUTES_DEFAULT);
	__type(key, struct hd_hop_key);
	__type(value, struct hd_route_value);
} hd_hops SEC(".maps");

/*
 * hd_arp: neighbours that are not configured. Writer: the datapath, from ARP and neighbour discovery that is addressed to a router; the daemon
 * (flush). Readers: as above. An entry is pushed out by newer ones, and counts only while its MAC is in the FDB.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HD_ARP_DEFAULT);
	__type(key, struct hd_neigh_key);
	__type(value, struct hd_arp_value);
} hd_arp SEC(".maps");

static __always_inline const struct hd_route_value *route_find(const struct hd_ip *ip, __u32 router,
							       const __be32 addr[4])
{
	struct hd_route_key key = { .prefix_len = HD_ROUTE_FIXED_BITS + 128, .router = router };
	const struct hd_route_value *route;

	hd_ip_mapped(ip, addr, key.addr);
	route = bpf_map_lookup_elem(&hd_routes, &key);
	if (route && route->kind == HD_ROUTE_ECMP) {
		struct hd_hop_key slot = { .router = router,
					   .group = route->id,
					   .slot = hd_ip_hash(ip) % HD_HOP_SLOTS };

		return bpf_map_lookup_elem(&hd_hops, &slot);
	}
	return route;
}

/** hd_route_look - where a router would send the packet in hand on to: enum hd_route_kind; the network and next hop are left in the scratch */
__noinline int hd_route_look(__u32 router)
{
	const struct hd_route_value *route;
	struct hd_ip *ip = hd_ip_entering();

	if (!ip)
		return HD_ROUTE_NONE;
	route = route_find(ip, router, ip->daddr);
	if (!route)
		return HD_ROUTE_NONE;
	ip->to_network = route->network;
	if (route->kind == HD_ROUTE_VIA)
		hd_memcpy(ip->via, route->via, 16);
	else
		hd_ip_mapped(ip, ip->daddr, ip->via);
	ip->route = route->id;
	return route->kind;
}

/** hd_route_back - the same for the way back to the packet's sender: where it is, and, if it is a host's address, the router's there */
__noinline int hd_route_back(__u32 router)
{
	const struct hd_route_value *route;
	struct hd_ip *ip = hd_ip_entering();

	if (!ip)
		return HD_ROUTE_NONE;
	ip->from_network = ip->network;
	ip->source[0] = ip->source[1] = ip->source[2] = ip->source[3] = 0;
	route = route_find(ip, router, ip->saddr);
	if (!route)
		return HD_ROUTE_NONE;
	if (route->kind == HD_ROUTE_CONNECTED || route->kind == HD_ROUTE_VIA) {
		ip->from_network = route->network;
		hd_memcpy(ip->source, route->gateway, 16);
	}
	return route->kind;
}

/* The MAC that the configuration, or else the neighbour itself, says it has; NULL if neither does. @ret_port: where it is, if that is configured */
static __always_inline const __u8 *hop_mac(const struct hd_neigh_key *key, __u32 *ret_port)
{
	const struct hd_neigh_value *known = bpf_map_lookup_elem(&hd_neigh, key);
	const struct hd_arp_value *arp;

	*ret_port = HD_PORT_NONE;
	if (known) {
		*ret_port = known->port;
		return known->mac;
	}
	arp = bpf_map_lookup_elem(&hd_arp, key);
	return arp && !mac_is_zero(arp->mac) ? arp->mac : NULL;
}

/** hd_hop_resolve - find the MAC of the next hop, and the port behind which it is: its id, HD_PORT_NONE if one of them is not known */
__noinline __u32 hd_hop_resolve(void)
{
	struct hd_neigh_key key = {};
	struct hd_ip *ip = hd_ip_entering();
	struct hd_pkt at = {};
	const __u8 *mac;
	__u32 port;

	if (!ip)
		return HD_PORT_NONE;
	key.network = at.network = ip->to_network;
	hd_memcpy(key.addr, ip->via, 16);
	mac = hop_mac(&key, &port);
	if (!mac)
		return HD_PORT_NONE;
	mac_copy(ip->hop_mac, mac);
	if (port != HD_PORT_NONE)
		return port;
	mac_copy(at.dst, mac);
	at.stage = HD_STAGE_ROUTE;
	return hd_fdb_lookup(&at);
}

/** hd_hop_send - send a packet by a port, or into a tunnel; one that crosses a router to its next hop there */
static __always_inline int hd_hop_send(struct hd_pkt *pkt, __u32 to_id)
{
	int r = pkt->routed ? hd_hop_rewrite(pkt) : 0;

	return r < 0 ? r : hd_port_send_to(pkt, to_id);
}

/* In which network the receiver, and the sender, of a packet are. */
static __always_inline __u32 hd_to_network(const struct hd_pkt *pkt)
{
	return pkt->routed ? pkt->ip->to_network : pkt->network;
}

static __always_inline __u32 hd_from_network(const struct hd_pkt *pkt)
{
	return pkt->routed ? pkt->ip->from_network : pkt->network;
}
