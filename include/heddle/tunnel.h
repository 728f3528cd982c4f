/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tunnel.h - networks that go on at other hosts: VXLAN, Geneve, GRE
 *
 * A peer (another tunnel endpoint) and an uplink (the host's device that the underlay is behind) are *pseudo ports*: entries of hd_ports
 * with ids out of the same space, so that the FDB, flows, counters and drops name them as they name ports. What is more to know about
 * them stands in hd_ends, by the same id.
 *
 *      workload ─▶ port.in ─▶ FDB or flow says "port 9", a peer ─▶ stage encap: hd_networks says how, hd_ends says whereto ─▶ uplink
 *
 *      uplink ─▶ uplink.in: not ours ─▶ host stack
 *                  │ ours: hd_tunnels (type, UDP port, id) ─▶ network;  hd_peers (outer source) ─▶ peer; is it in that network?
 *                  └▶ decapsulate, and go on as with a frame of that network that came in by "port 9"
 *
 * Which networks a peer is in: those that are linked to it in hd_peer_nets, or all that leave the host (HD_PORT_EVERYWHERE). The links
 * of a network are a list that flooding walks:
 *
 *      {network, 0} ──▶ peer 4;   {network, 4} ──▶ peer 9;   {network, 9} ──▶ 0, the end.   Network 0: the peers that are everywhere.
 */
#pragma once

#include "heddle/types.h"

/* hd_port_value.network of a pseudo port: the id of no network, and not free. */
#define HD_NETWORK_UNDERLAY 0xffffffffU

/* What routers that masquerade have outside: it is no segment, but where the host's own routes lead. No network has this id. */
#define HD_NETWORK_HOST 0xfffeU

/* How a network leaves the host. Ids of different types are different spaces. */
enum hd_tunnel_type {
	HD_TUNNEL_NONE,
	HD_TUNNEL_VXLAN,   /* RFC 7348 */
	HD_TUNNEL_GENEVE,  /* RFC 8926 */
	HD_TUNNEL_GRE,	   /* RFC 2784, Ethernet inside, without a key */
	HD_TUNNEL_GRE_KEY, /* RFC 2890: with one */
};

/* UDP ports as RFC 7348 and RFC 8926 have them. */
#define HD_VXLAN_PORT 4789
#define HD_GENEVE_PORT 6081

/* TTL or hop limit of outer packets, unless the network says another; hd_end_value.csum is with this one. */
#define HD_TUNNEL_TTL 64

/* What the outer type of service has of the inner: all of it, or where the network has a DSCP of its own, ECN alone. */
#define HD_TUNNEL_TOS_INHERIT 0xff
#define HD_TUNNEL_TOS_ECN 0x03

/**
 * struct hd_tunnel - how a network's frames are wrapped; part of hd_network_value
 * @ttl:      TTL or hop limit of the outer packet
 * @tos_keep: bits of the inner type of service that the outer one has, HD_TUNNEL_TOS_*
 * @tos:      its other bits
 * @pad:      zero
 * @id:       VNI or key
 * @port:     destination UDP port, 0 for GRE
 * @type:     enum hd_tunnel_type
 * @overhead: bytes of an outer packet in front of the inner IP packet, without those of the outer IP header
 */
struct hd_tunnel {
	__u8 ttl;
	__u8 tos_keep;
	__u8 tos;
	__u8 pad;
	__u32 id;
	__be16 port;
	__u8 type;
	__u8 overhead;
};
HD_ASSERT_SIZE(struct hd_tunnel, 12);

/**
 * struct hd_tunnel_key - key of hd_tunnels: what an outer header says about the network; its value is a network id
 * @id:   VNI or key
 * @port: UDP port that it came to, 0 for GRE
 * @type: enum hd_tunnel_type
 * @pad:  zero
 */
struct hd_tunnel_key {
	__u32 id;
	__be16 port;
	__u8 type;
	__u8 pad;
};
HD_ASSERT_SIZE(struct hd_tunnel_key, 8);

/** struct hd_peer_key - key of hd_peers: the outer source address, IPv6 or IPv4 mapped; its value is the peer's port id */
struct hd_peer_key {
	__be32 addr[4];
};
HD_ASSERT_SIZE(struct hd_peer_key, 16);

/**
 * struct hd_peer_net_key - key of hd_peer_nets; its value is the next peer of the network, 0 = there is none
 * @network: network id, 0 = every network that leaves the host
 * @peer:    port id, 0 = the beginning of the list
 */
struct hd_peer_net_key {
	__u32 network;
	__u32 peer;
};
HD_ASSERT_SIZE(struct hd_peer_net_key, 8);

enum {
	HD_END_IPV6 = 1 << 0, /* @local and @remote are IPv6 */
	HD_END_SNAT = 1 << 8, /* a router that translates what goes out of its external gateway */
	HD_END_MASQ =
		1
		<< 10, /* an uplink by which routers masquerade: @remote[3] is the host's address */
	HD_END_MASQ_MORE =
		1
		<< 18, /* ... and has others there: those at which a port forward listens are in hd_neigh, as the uplink's */
	HD_END_FORWARDS = 1 << 9, /* a router with port forwards of IPv4 */
	HD_END_NAT_LOG =
		1 << 11, /* one that tells the daemon of each block of ports that is handed out */
	HD_END_NAT_QUOTA =
		1 << 12, /* one that may have only so many blocks of ports, see hd_nat_quotas */
	HD_END_FIPS6 = 1 << 17,	    /* a router with floating IPs of IPv6 */
	HD_END_FORWARDS6 = 1 << 19, /* one with port forwards of IPv6 */
	HD_END_NAT6 =
		1
		<< 20, /* one that has an address for endpoints of IPv6, see hd_outsides6: for hairpins, at least */
	HD_END_SNAT6 = 1 << 21, /* ... and translates what goes out to it */
	HD_END_MASQ6 =
		1
		<< 22, /* an uplink by which routers masquerade with addresses of IPv6, which are in hd_neigh, as the uplink's */
	HD_END_OPEN6 =
		1
		<< 16, /* a router whose inside is reached from outside by IPv6; else by answers and floating IPs only */
	HD_END_NAT_OPEN = 1 << 13,    /* one whose endpoints anybody outside may begin a flow to */
	HD_END_NAT_ADDRESS = 1 << 14, /* who has been asked by that endpoint, from whatever port */
	HD_END_FORWARD =
		1
		<< 2, /* an uplink with XDP, which sends on by it what established flows lead out there */
	HD_END_PARTIAL =
		1
		<< 1, /* uplink: what comes by its device may have checksums that are not computed yet */
};

/**
 * struct hd_end_value - entry of hd_ends, by port id: an end of tunnels
 * @flags:   HD_END_*
 * @ifindex: peer: device by which it is reached
 * @mtu:     peer: largest outer IP packet on the way there
 * @csum:    peer: sum of the outer IPv4 header but for type of service, length and protocol, folded; with HD_TUNNEL_TTL
 * @pad:     zero
 * @to:      peer: MAC of the next hop
 * @from:    peer: MAC of the device; uplink: its own, for XDP
 * @local:   our address, network order; IPv4 mapped. Of an uplink: what the outer destination must be; all zero = it takes no tunnels.
 * @remote:  the peer's
 *
 * Of a router (heddle/router.h): @from is the MAC that it has on this host alone; @ifindex the id of its external network, 0 = it has none; @local its
 * IPv4 address there, all zero = it has none; @remote[0] and [1] a mask, and what all its outside addresses are under it, @remote[2]
 * and [3] the same for IPv6, of the sum without carry (xor) of their first two words; @mtu how many blocks of ports an
 * inside address may have, 0 = HD_NAT_USER_BLOCKS.
 */
struct hd_end_value {
	__u32 flags;
	__u32 ifindex;
	__u32 mtu;
	__u16 csum;
	__u8 pad[2];
	__u8 to[6];
	__u8 from[6];
	__be32 local[4];
	__be32 remote[4];
};
HD_ASSERT_SIZE(struct hd_end_value, 60);
