/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * port.h - ports and networks as the datapath sees them
 *
 * A packet arrives on a device; hd_ifindex says which port that is, hd_ports what the port may do, hd_networks how its
 * network behaves. All three are arrays: finding the port costs two loads, not two hashes.
 *
 * The ports of a network form a ring in ascending order of their ids, closed from the highest back to the lowest:
 *
 *      port 3 ──next──▶ port 7 ──next──▶ port 12 ──next──▶ port 3
 *
 * so that flooding needs no list of its own, has no limit on members, and a join or leave changes one word of one neighbour.
 * A walk stops when it has come round to its start, whether or not the start is still a member.
 *
 * An array's entries are not replaced atomically: each word of a port stands for itself, a new port's entry is complete before
 * hd_ifindex leads to it, and an id is not given out again while others are free.
 */
#pragma once

#include "heddle/tunnel.h"
#include "heddle/types.h"

/* An id of 0 is no port, no network. */
#define HD_PORT_NONE 0
#define HD_NETWORK_NONE 0

enum {
	HD_PORT_UP = 1 << 0, /* its device can transmit */
	HD_PORT_PEER =
		1
		<< 1, /* a veth whose other end is in another namespace: bpf_redirect_peer reaches it */
	HD_PORT_ISOLATED = 1 << 2, /* no frames to or from other isolated ports */
	HD_PORT_HAIRPIN = 1 << 3,  /* frames may leave by the port they came in by */
	HD_PORT_HAS_MAC = 1 << 4,  /* @mac is set: a static entry of the FDB, need not be learned */
	HD_PORT_SECURE = 1 << 5,   /* flows are tracked, rules decide, sources are checked */
	HD_PORT_HAS_IPS =
		1 << 6, /* hd_sources says which addresses it may use; else any but a gateway's */
	HD_PORT_UPLINK = 1 << 7, /* a pseudo port: a device of the underlay (heddle/tunnel.h) */
	/* How it treats tags; see heddle/vlan.h. */
	HD_PORT_VLAN = 1 << 8,		 /* it has a VLAN mode; else tags pass it unseen */
	HD_PORT_TRUNK = 1 << 9,		 /* tagged frames, too */
	HD_PORT_TRUNK_LIST = 1 << 10,	 /* of the VLANs in hd_trunks only */
	HD_PORT_NATIVE_TAGGED = 1 << 11, /* it sends its own VLAN tagged as well */
	HD_PORT_QINQ = 1 << 12, /* tags are its customer's: they are carried inside its own VLAN */
	HD_PORT_TUNNEL =
		1 << 13, /* a pseudo port: a peer; @ifindex is 0, hd_ends says how it is reached */
	HD_PORT_EVERYWHERE = 1 << 14, /* a peer that is in every network that leaves the host */
	HD_PORT_LEG =
		1 << 15, /* a pseudo port: a network's leg in a physical network (heddle/leg.h) */
	HD_PORT_LEGS = 1 << 16, /* an uplink that networks have legs at */
	HD_PORT_SHARED =
		1 << 17, /* a leg for untagged frames at an uplink that the host uses, too */
	HD_PORT_ROUTER = 1 << 20, /* a pseudo port: a router (heddle/router.h) */
	HD_PORT_MASQ =
		1
		<< 22, /* an uplink by which routers masquerade: in HD_NETWORK_HOST (bpf/lib/masq.h) */
	HD_PORT_ROUTED = 1 << 21,	 /* a router is in its network */
	HD_PORT_LIMIT_EGRESS = 1 << 23,	 /* hd_limits says how fast its workload may send */
	HD_PORT_LIMIT_INGRESS = 1 << 24, /* and how fast it may be sent to */
};

/**
 * struct hd_port_value - entry of hd_ports, by port id
 * @network:   network it belongs to; HD_NETWORK_NONE marks a free slot, HD_NETWORK_UNDERLAY a pseudo port
 * @ifindex:   device on this side; 0 while it is missing
 * @flags:     HD_PORT_*
 * @next:      next member of the network, in a ring by ascending id; itself if it is alone
 * @mtu:       largest L3 packet in bytes that may leave here
 * @mac_limit: MACs that may be learned here at a time
 * @mac:       configured MAC, with HD_PORT_HAS_MAC
 * @vlan:      its own VLAN, that of untagged frames; 0 without a VLAN mode, and for a trunk. Of a leg: its tag outside, 0 = none
 * @policy:    with HD_PORT_SECURE, the union of its security groups; also the class of its membership (heddle/policy.h). Of a router: the rule set of
 *             its firewall, 0 = it has none (heddle/firewall.h)
 * @gen:       generation: a hash of all that a flow of this port was judged by, its rules included
 */
struct hd_port_value {
	__u32 network;
	__u32 ifindex;
	__u32 flags;
	__u32 next;
	__u32 mtu;
	__u32 mac_limit;
	__u8 mac[6];
	__u16 vlan;
	__u32 policy;
	__u32 gen;
};
HD_ASSERT_SIZE(struct hd_port_value, 40);

/**
 * struct hd_ifindex_value - entry of hd_ifindex, by ifindex modulo HD_IFINDEX_SLOTS
 * @ifindex: the device this slot is for; another device that falls on the same slot is found in hd_ifindex_far
 * @port:    its port
 */
struct hd_ifindex_value {
	__u32 ifindex;
	__u32 port;
};
HD_ASSERT_SIZE(struct hd_ifindex_value, 8);

/**
 * struct hd_port_state - entry of hd_port_state, by port id; written by the datapath, and by the daemon with atomic operations on
 * the mapped memory
 * @learned: MACs learned at this port now
 * @flows:   established flows that it has begun
 * @dhcp:    low half of jiffies when it last asked for an address; 0 = never
 * @held:    second in the upper, pieces put by in that second in the lower 16 bits
 */
struct hd_port_state {
	__u32 learned;
	__u32 flows;
	__u32 dhcp;
	__u32 held;
};
HD_ASSERT_SIZE(struct hd_port_state, 16);

enum {
	HD_NETWORK_FLOOD = 1 << 0, /* unicast for an unknown MAC goes to all members */
	HD_NETWORK_SUPPRESS =
		1 << 1, /* ARP and ND for known addresses are answered by the datapath */
	HD_NETWORK_IPV6_UNDERLAY = 1 << 2, /* its peers have IPv6 addresses */
};

/**
 * struct hd_network_value - entry of hd_networks, by network id
 * @flags:          HD_NETWORK_*
 * @ageing_jiffies: how long a learned MAC lives unheard; 0 = for ever
 * @first:          the member with the smallest id; HD_PORT_NONE if there is none
 * @tunnel:         how it leaves the host; type HD_TUNNEL_NONE: it does not
 */
struct hd_network_value {
	__u32 flags;
	__u32 ageing_jiffies;
	__u32 first;
	struct hd_tunnel tunnel;
};
HD_ASSERT_SIZE(struct hd_network_value, 24);

/**
 * struct hd_counters - entry of hd_port_counters, by port id, one for each CPU; packets as the kernel hands them over, so
 * a TCP super-packet counts once
 * @rx_packets: from the port into the host
 * @rx_bytes:   the same in bytes, Ethernet header included
 * @tx_packets: out of the host to the port
 * @tx_bytes:   the same in bytes
 * @drops:      packets from or to this port that were dropped, whatever the reason
 */
struct hd_counters {
	__u64 rx_packets;
	__u64 rx_bytes;
	__u64 tx_packets;
	__u64 tx_bytes;
	__u64 drops;
};
HD_ASSERT_SIZE(struct hd_counters, 40);
