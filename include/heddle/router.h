/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * router.h - routers: routes between subnets, next hops, and flows that cross a router
 *
 * A router is a *pseudo port* (heddle/tunnel.h): an entry of hd_ports with an id out of the same space, so that the FDB, drops and counters name
 * it as they name ports. Its MAC is a static entry of the FDB in each network that it is in, the same on every host; its gateway addresses are
 * entries of hd_neigh. So a workload finds the router as it finds any neighbour, on its own host.
 *
 *      workload ─▶ port.in ─▶ the destination MAC is a router's ─▶ a flow answers for it: replay
 *                                └─▶ stage route: hd_routes (router, address) ─▶ network and next hop ─▶ hd_neigh, hd_arp: its MAC
 *                                      ├─ known: the FDB says behind which port ─▶ stage flow, as for all packets to one port
 *                                      ├─ not known: stage resolve asks the network for it, in the place of the packet
 *                                      └─ no route, TTL, too big ...: stage tell answers with an ICMP error
 *
 * The packet is routed where it enters. It goes on in the network of its destination, into a tunnel too if that is where the destination is: the
 * host there sees a frame from the router's MAC, and delivers it.
 *
 * A flow that crosses a router has its own tables: its zone is the router, and its entry also says for each side where it is, in which network
 * and behind which MAC. Both directions find the same entry, on each of the hosts.
 */
#pragma once

#include "heddle/flow.h"
#include "heddle/types.h"

/*
 * The MACs of routers begin with 02:68:64. With 02:68:65 begins the MAC that a router has on one host alone: it asks for neighbours with it, so that
 * their answers come back to that host. That a MAC begins with neither is known without a look-up.
 */
#define HD_ROUTER_MAC_0 0x02
#define HD_ROUTER_MAC_1 0x68
#define HD_ROUTER_MAC_2 0x64

/* VLAN of the zone of a flow that crosses a router; no network has it. The zone's network is the router's port id. */
#define HD_ZONE_ROUTED 0xfff

/* Bits of a key of hd_routes in front of the address. */
#define HD_ROUTE_FIXED_BITS 32

enum hd_route_kind {
	HD_ROUTE_NONE,
	HD_ROUTE_CONNECTED, /* the destination is a neighbour in @network */
	HD_ROUTE_VIA,	    /* the neighbour @via takes it on */
	HD_ROUTE_BLACKHOLE, /* dropped, in silence */
	HD_ROUTE_LOCAL,	    /* an address of the router itself */
	HD_ROUTE_BROADCAST, /* the broadcast address of a subnet: not routed (RFC 2644) */
	HD_ROUTE_ECMP,	    /* one of several neighbours: by hash of the flow out of hd_hops */
};

/**
 * struct hd_route_key - key of hd_routes, a trie
 * @prefix_len: of what follows, in bits: HD_ROUTE_FIXED_BITS + length of the address
 * @router:     port id
 * @addr:       destination, IPv6 or IPv4 mapped
 */
struct hd_route_key {
	__u32 prefix_len;
	__u32 router;
	__be32 addr[4];
};
HD_ASSERT_SIZE(struct hd_route_key, 24);

/**
 * struct hd_route_value - value of hd_routes
 * @kind:    enum hd_route_kind
 * @network: where the destination or @via is
 * @id:      number of a static route among those of its router, 0 for one that comes from a subnet; with HD_ROUTE_ECMP of the group in hd_hops
 * @pad:     zero
 * @via:     next hop, IPv6 or IPv4 mapped
 * @gateway: the router's own address in the subnet that holds the destination, or @via: errors come from it
 */
struct hd_route_value {
	__u32 kind;
	__u32 network;
	__u32 id;
	__u32 pad;
	__be32 via[4];
	__be32 gateway[4];
};
HD_ASSERT_SIZE(struct hd_route_value, 48);

/* Slots of a group of equal routes: each is given to one hop by weight, so that a hop that goes takes only its own slots with it. */
#define HD_HOP_SLOTS 128

/**
 * struct hd_hop_key - key of hd_hops; its value is that of the hop's route
 * @router: port id
 * @group:  number of the group
 * @slot:   0 to HD_HOP_SLOTS - 1
 */
struct hd_hop_key {
	__u32 router;
	__u16 group;
	__u16 slot;
};
HD_ASSERT_SIZE(struct hd_hop_key, 8);

/**
 * struct hd_arp_value - value of hd_arp, whose key is that of hd_neigh: what a neighbour has told a router about itself
 * @mac:    all zero while it has not answered
 * @router: port id of the router that wants to know
 * @since:  low half of jiffies when it was asked first without having answered
 * @asked:  low half of jiffies when it was asked last
 */
struct hd_arp_value {
	__u8 mac[6];
	__u16 router;
	__u32 since;
	__u32 asked;
};
HD_ASSERT_SIZE(struct hd_arp_value, 16);

/**
 * struct hd_router_state - entry of hd_router_state, by port id, written by the datapath
 * @moved: of a router: changes with each neighbour that has got another MAC; part of the generation of its flows. Of number 0, which is no port's: likewise with
 *         each neighbour in an external network, which routers may share; part of the generation of all flows across routers
 * @told:  of any port: second in the upper, ICMP errors that it was told in that second in the lower 16 bits
 * @asked: of any port: likewise, neighbours that routers have asked for its packets, or got to know from it
 */
struct hd_router_state {
	__u32 moved;
	__u32 told;
	__u32 asked;
};
HD_ASSERT_SIZE(struct hd_router_state, 12);

/**
 * struct hd_hop - where one side of a flow is
 * @mac:     of its next hop; all zero = not known
 * @network: network id
 */
struct hd_hop {
	__u8 mac[6];
	__u16 network;
};
HD_ASSERT_SIZE(struct hd_hop, 8);

/**
 * struct hd_rflow_value - value of hd_rflow4, hd_rflow6, hd_rnew4, hd_rnew6: a flow that crosses a router
 * @flow: as that of all flows
 * @hop:  of side 0 and side 1
 * @listen_addr: of a port forward by which the flow began, of IPv6 its number (struct hd_forward6_value); 0 = by none
 * @listen_port: likewise
 * @rule: of the router's firewall that allowed it; 0 = none had to, or it was asked at another host
 * @pad:  zero
 * @reserved: zero
 */
struct hd_rflow_value {
	struct hd_flow_value flow;
	struct hd_hop hop[2];
	__be32 listen_addr;
	__be16 listen_port;
	__u16 pad;
	__u32 rule;
	__u32 reserved;
};
HD_ASSERT_SIZE(struct hd_rflow_value, 104);
