/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nat.h - translation of addresses and ports at the outside of a router (RFC 4787, 5382, 5508, 6888)
 *
 * The *outside* is the network of the router's external gateway. What is translated are endpoints, not connections: an inside endpoint (address, and
 * port or query id) has one outside endpoint for all that it talks to (endpoint-independent mapping), and an outside endpoint is never given to two
 * insides (no overloading). A floating IP is the same for whole addresses, a port forward for one port.
 *
 *      inside                                    outside
 *      10.0.0.5:40000  ── hd_nat, OUT ──▶  192.0.2.9:1089       a port out of a block of 64 that 10.0.0.5 has
 *      10.0.0.5:40000  ◀── hd_nat, IN ───  192.0.2.9:1089
 *      10.0.0.7        ◀── hd_fips ─────▶  192.0.2.10           floating IP, all ports
 *      10.0.0.8:80     ◀── hd_forwards ──  192.0.2.9:81         port forward; several may lead to one endpoint
 *      2001:db8:1::7   ◀── hd_fips6 ────▶  2001:db8:f::10       the same for IPv6
 *      2001:db8:1::8 port 80 ◀── hd_forwards6 ──▶ 2001:db8:f::9 port 81
 *
 * Flows, rules and traces have inside tuples: what comes in is translated before its flow is looked for, what goes out when it leaves. What
 * belongs to no flow gets in by an endpoint of hd_nat if the router's filter lets it (RFC 4787 section 5): from an address that the endpoint has asked, which
 * hd_nat_asked says; or from any; or not at all. Then it begins a flow, if firewall and groups allow that. By which port forward a flow came in is in its entry: as that its answers leave.
 *
 * Who is inside may use outside endpoints, too (hairpin): both ends of such a packet are translated.
 *
 * Ports are handed out in blocks. Each external address has a *pool*: a ring of free blocks, which the daemon fills at its tail (hd_nat_pools), and
 * the datapath takes from at its head (hd_nat_heads). An inside address takes a port out of its own blocks, and another block when they are used up. So
 * nothing is ever searched for; a block that is given back rests until the ring has come round; and who must keep a log needs a line for each block only.
 *
 * IPv6 addresses have *names* here: numbers of 24 bits, by which hd_nat and all that has to do with blocks know them as if they were IPv4 addresses of 0.0.0.0/8,
 * which nobody has. So there is one allocator, one log and one sweep for both families, and no key has grown.
 *
 *      2001:db8:1::5 of router 7  ── hd_nat_names ──▶ 0.17.4.9  ── hd_nat, OUT ──▶ 0.88.2.1 port 1089 ── hd_outsides6 ──▶ 2001:db8:f::9
 *      2001:db8:1::5              ◀── hd_nat_named ── 0.17.4.9  ◀── hd_nat, IN ─── 0.88.2.1 port 1089 ◀── hd_outsides6 ── 2001:db8:f::9
 *
 * The datapath gives a name, at random, to an inside address that needs one; the daemon takes it back when its blocks are. An outside address has a hash as its name.
 *
 * A router may have a *quota* of blocks, however much is left in a pool that it shares with others. hd_nat_shares counts what it has taken since it has one, by the
 * datapath; hd_nat_quotas how far that may go, by the daemon, which puts it further when blocks have come back. Both are routers' ids -> __u32.
 */
#pragma once

#include "heddle/types.h"

enum hd_nat_dir {
	HD_NAT_OUT, /* from inside to outside: the zone is the router */
	HD_NAT_IN,  /* from outside to inside: the zone is the external network */
};

/**
 * struct hd_nat_key - key of hd_nat: an endpoint
 * @zone:  port id of the router, or network id
 * @addr:  IPv4, network order
 * @port:  or id of an ICMP query, network order
 * @class: enum hd_flow_class of the protocol
 * @dir:   enum hd_nat_dir
 */
struct hd_nat_key {
	__u32 zone;
	__be32 addr;
	__be16 port;
	__u8 class;
	__u8 dir;
};
HD_ASSERT_SIZE(struct hd_nat_key, 12);

/**
 * struct hd_nat_value - value of hd_nat: what the endpoint is on the other side
 * @addr:   IPv4, network order
 * @router: port id
 * @port:   network order
 * @pad:    zero
 * @born:   low half of jiffies when it was made
 */
struct hd_nat_value {
	__be32 addr;
	__u32 router;
	__be16 port;
	__u16 pad;
	__u32 born;
};
HD_ASSERT_SIZE(struct hd_nat_value, 16);

/**
 * struct hd_nat_asked_key - key of hd_nat_asked: an inside endpoint, and whom it has sent something
 * @router: port id
 * @addr:   IPv4, network order
 * @remote: address that it has asked, likewise; of who is inside, too: the address there
 * @port:   network order
 * @class:  enum hd_flow_class of the protocol
 * @pad:    zero
 *
 * The value is @born of the endpoint: what another one has asked, that was called the same inside, counts for nothing.
 */
struct hd_nat_asked_key {
	__u32 router;
	__be32 addr;
	__be32 remote;
	__be16 port;
	__u8 class;
	__u8 pad;
};
HD_ASSERT_SIZE(struct hd_nat_asked_key, 16);

/** struct hd_fip_key - key of hd_fips; @zone, @dir: as in struct hd_nat_key */
struct hd_fip_key {
	__u32 zone;
	__be32 addr;
	__u32 dir;
};
HD_ASSERT_SIZE(struct hd_fip_key, 12);

/** struct hd_fip_value - value of hd_fips: the address on the other side; @router: port id */
struct hd_fip_value {
	__be32 addr;
	__u32 router;
};
HD_ASSERT_SIZE(struct hd_fip_value, 8);

/** struct hd_fip6_key - key of hd_fips6, the same for IPv6: a table of its own, so that the keys of IPv4 stay small */
struct hd_fip6_key {
	__u32 zone;
	__be32 addr[4];
	__u32 dir;
};
HD_ASSERT_SIZE(struct hd_fip6_key, 24);

/** struct hd_fip6_value - value of hd_fips6 */
struct hd_fip6_value {
	__be32 addr[4];
	__u32 router;
};
HD_ASSERT_SIZE(struct hd_fip6_value, 20);

/**
 * struct hd_forward_value - value of hd_forwards, whose key is an outside endpoint (struct hd_nat_key, HD_NAT_IN): where it leads to
 * @addr:   IPv4, network order
 * @router: port id
 * @port:   network order
 * @pad:    zero
 */
struct hd_forward_value {
	__be32 addr;
	__u32 router;
	__be16 port;
	__u16 pad;
};
HD_ASSERT_SIZE(struct hd_forward_value, 12);

/** struct hd_nat6_key - an endpoint of IPv6; fields as in struct hd_nat_key */
struct hd_nat6_key {
	__u32 zone;
	__be32 addr[4];
	__be16 port;
	__u8 class;
	__u8 dir;
};
HD_ASSERT_SIZE(struct hd_nat6_key, 24);

/**
 * struct hd_forward6_value - value of hd_forwards6: the endpoint on the other side of a port forward of IPv6
 * @addr:   network order
 * @router: port id
 * @number: of the listener: a hash of where it listens, so that it is the same whenever it is there; never 0
 * @port:   network order
 * @pad:    zero
 *
 * Two entries for each: from where it listens (HD_NAT_IN), and, since several may lead to one endpoint, back from the listener's number, as zone, and
 * the endpoint inside (HD_NAT_OUT). In the entry of a flow the number stands for the address.
 */
struct hd_forward6_value {
	__be32 addr[4];
	__u32 router;
	__u32 number;
	__be16 port;
	__u16 pad;
};
HD_ASSERT_SIZE(struct hd_forward6_value, 28);

/**
 * struct hd_outside6_value - value of hd_outsides6, whose key is a struct hd_fip6_key: an outside address of IPv6 that endpoints are of (HD_NAT_IN); of a router,
 * with no address in the key, the one that it has (HD_NAT_OUT)
 * @addr: network order
 * @name: likewise
 */
struct hd_outside6_value {
	__be32 addr[4];
	__be32 name;
};
HD_ASSERT_SIZE(struct hd_outside6_value, 20);

/**
 * struct hd_nat_name_key - key of hd_nat_names: an inside address of IPv6; the value is its name, network order
 * @router: port id
 * @addr:   network order
 */
struct hd_nat_name_key {
	__u32 router;
	__be32 addr[4];
};
HD_ASSERT_SIZE(struct hd_nat_name_key, 20);

/** struct hd_nat_named - value of hd_nat_named, whose key is a struct hd_nat_user_key with a name as its address: who is called that */
struct hd_nat_named {
	__be32 addr[4];
};
HD_ASSERT_SIZE(struct hd_nat_named, 16);

/* Names, host order, are not above this. */
#define HD_NAT_NAME_MAX 0xffffff

/** struct hd_nat_asked6_key - key of hd_nat_asked6; as struct hd_nat_asked_key, @name: of the inside address */
struct hd_nat_asked6_key {
	__u32 router;
	__be32 name;
	__be32 remote[4];
	__be16 port;
	__u8 class;
	__u8 pad;
};
HD_ASSERT_SIZE(struct hd_nat_asked6_key, 28);

/* Ports of a block, and blocks of an address. Those below 1024 are not handed out. */
#define HD_NAT_BLOCK_PORTS 64
#define HD_NAT_BLOCKS 1024
#define HD_NAT_BLOCK_FIRST 16

/** struct hd_nat_pool_key - key of hd_nat_pools and hd_nat_heads: an external address; @zone: id of its network */
struct hd_nat_pool_key {
	__u32 zone;
	__be32 addr;
};
HD_ASSERT_SIZE(struct hd_nat_pool_key, 8);

/**
 * struct hd_nat_pool - value of hd_nat_pools: the free blocks of an external address
 * @tail: blocks that have been put in so far. As many as the value of hd_nat_heads, which is how many have been taken: none is free
 * @ring: number of a block (first port / HD_NAT_BLOCK_PORTS), at place modulo HD_NAT_BLOCKS
 */
struct hd_nat_pool {
	__u32 tail;
	__u16 ring[HD_NAT_BLOCKS];
};
HD_ASSERT_SIZE(struct hd_nat_pool, 2052);

/** struct hd_nat_user_key - key of hd_nat_users: an inside address of a router */
struct hd_nat_user_key {
	__u32 router;
	__be32 addr;
};
HD_ASSERT_SIZE(struct hd_nat_user_key, 8);

/* Blocks that one inside address may have at a time; a router may set it fewer (@mtu of its struct hd_end_value). */
#define HD_NAT_USER_BLOCKS 32

/**
 * struct hd_nat_block - a block that an inside address has
 * @used:  its ports in use, a bit each
 * @block: its number; 0 = there is none here
 * @addr:  external address that it is of, network order
 */
struct hd_nat_block {
	__u64 used;
	__u32 block;
	__be32 addr;
};
HD_ASSERT_SIZE(struct hd_nat_block, 16);

/** struct hd_nat_user - value of hd_nat_users */
struct hd_nat_user {
	struct hd_nat_block block[HD_NAT_USER_BLOCKS];
};
HD_ASSERT_SIZE(struct hd_nat_user, 512);

/**
 * struct hd_nat_give - what the daemon has program hd_nat_give do, since only the datapath can change a block at once
 * @user:  whose
 * @block: number of one of its blocks
 * @addr:  external address that it is of
 * @bits:  ports that are free again; 0: the block itself is given back, if none of its ports is in use
 */
struct hd_nat_give {
	struct hd_nat_user_key user;
	__u32 block;
	__be32 addr;
	__u64 bits;
};
HD_ASSERT_SIZE(struct hd_nat_give, 24);

/**
 * struct hd_nat_event - record in hd_nat_log: an inside address has got a block
 * @user:  whose
 * @block: number
 * @addr:  external address that it is of
 * @at:    low half of jiffies
 */
struct hd_nat_event {
	struct hd_nat_user_key user;
	__u32 block;
	__be32 addr;
	__u32 at;
};
HD_ASSERT_SIZE(struct hd_nat_event, 20);

/* Entries of hd_nat_lost: events that found no room in hd_nat_log, and how many of them the log has told of. */
enum {
	HD_NAT_LOST,
	HD_NAT_LOST_TOLD,
	HD_NAT_LOST_ENTRIES,
};
