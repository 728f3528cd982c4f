/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * policy.h - security-group rules, compiled so that finding the one that allows a packet needs no search
 *
 * A *policy* is the union of the groups that a port names; ports with the same groups share it. Its id is a hash of their names. Each rule of it becomes one or a few rows of
 * hd_rules. A row is an exact match on fields of which some bits are masked away: the other side's address (or its class of
 * group membership), protocol, destination port. Rows that mask the same bits share a *shape*. Asking a policy means one hash lookup for each
 * shape that it uses, never for each rule: "any", "tcp from a /24 to one port" and "members of a group" are three shapes, whether there are three
 * rules or 100,000. A range of ports becomes the aligned blocks that it consists of.
 *
 * All rules allow; what no row matches is denied. So rows can be added and removed one by one: adding the new before removing the
 * old, every moment in between allows nothing that neither the old nor the new rules allow, and loses nothing that both allow.
 *
 * Membership: who is in the same groups has the same policy, so the policy's id is also the class of its members. A port on this host carries it
 * in hd_ports; other addresses that belong to a group are in hd_members. A membership that changes is one entry that changes.
 */
#pragma once

#include "heddle/types.h"

/* Which rows a packet is compared with. */
enum hd_direction {
	HD_EGRESS,  /* what the port's workload sends; the remote is the destination */
	HD_INGRESS, /* what it receives; the remote is the source */
};

enum hd_shape_kind {
	HD_SHAPE_IPV4,	 /* remote: IPv4 prefix */
	HD_SHAPE_IPV6,	 /* remote: IPv6 prefix */
	HD_SHAPE_GROUP4, /* remote: class of membership; IPv4 packets */
	HD_SHAPE_GROUP6, /* the same, IPv6 packets */
};

/**
 * struct hd_shape - which bits a row looks at
 * @kind:      enum hd_shape_kind
 * @addr_len:  bits of the remote address; 0 for groups
 * @has_proto: the protocol matters
 * @port_len:  bits of the destination port (for ICMP: type << 8 | code) that matter, 0-16
 */
struct hd_shape {
	__u8 kind;
	__u8 addr_len;
	__u8 has_proto;
	__u8 port_len;
};
HD_ASSERT_SIZE(struct hd_shape, 4);

/**
 * struct hd_rule_key - key of hd_rules
 * @policy: policy id
 * @dir:    enum hd_direction
 * @shape:  shape of the row
 * @proto:  protocol, or 0 where the shape does not look at it
 * @port:   destination port, host order, masked
 * @remote: address, masked (IPv4 in the first word; network order); or the class in the first word
 */
struct hd_rule_key {
	__u32 policy;
	struct hd_shape shape;
	__u8 proto;
	__u8 dir;
	__u16 port;
	__be32 remote[4];
};
HD_ASSERT_SIZE(struct hd_rule_key, 28);

#define HD_SHAPES_MAX 64

/**
 * struct hd_shapes - value of hd_shapes, by policy id: which shapes to try
 * @n:     number for each direction
 * @shape: for each direction, most exact first
 */
struct hd_shapes {
	__u32 n[2];
	struct hd_shape shape[2][HD_SHAPES_MAX];
};
HD_ASSERT_SIZE(struct hd_shapes, 520);

/**
 * struct hd_member_key - key of hd_members, and of hd_gateways
 * @network: network id
 * @vlan:    VLAN inside of the network (heddle/vlan.h); 0 for a gateway, which is one in all of them
 * @pad:     zero
 * @addr:    IPv6, or IPv4 mapped
 */
struct hd_member_key {
	__u32 network;
	__u16 vlan;
	__u16 pad;
	__be32 addr[4];
};
HD_ASSERT_SIZE(struct hd_member_key, 24);

/**
 * struct hd_source_key - key of hd_sources, a trie: addresses that a port may send from
 * @prefix_len: of what follows, in bits: 96 + length of the address
 * @port:       port id
 * @mac:        the MAC that goes with it
 * @pad:        zero
 * @addr:       IPv6, or IPv4 mapped
 */
struct hd_source_key {
	__u32 prefix_len;
	__u32 port;
	__u8 mac[6];
	__u8 pad[2];
	__be32 addr[4];
};
HD_ASSERT_SIZE(struct hd_source_key, 32);

/**
 * struct hd_rule_counters - entry of hd_rule_counters, by rule id, one for each CPU
 * @packets: of flows that the rule allowed
 * @bytes:   the same, Ethernet header included
 */
struct hd_rule_counters {
	__u64 packets;
	__u64 bytes;
};
HD_ASSERT_SIZE(struct hd_rule_counters, 16);
