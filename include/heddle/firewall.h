/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * firewall.h - rules of a router, compiled so that finding the first that matches needs no scan
 *
 * The rules of a firewall are in order, and the first that matches decides. Each becomes one or a few rows of hd_fw_rules, as those of security groups do
 * (heddle/policy.h): an exact match on fields of which some bits are masked away, here source and destination, protocol and destination port. A row
 * says at which *position* its rule stands. Asking means one hash lookup for each shape in use, and the lowest position found wins. The shapes are
 * in the order of the lowest position among their rows: when something is found that stands before all rows of the shapes that are left, those are not asked.
 *
 *      shape                     first   rows
 *      from /24, tcp, port /16      1    10.0.1.0/24 tcp 22 ─▶ 1     10.0.2.0/24 tcp 22 ─▶ 7
 *      to /32                       2    10.0.9.9 ─▶ 2
 *      any                          8    ─▶ 8
 *
 * What no row matches is allowed. So rows can't be added and removed one by one, as those of groups can: a rule set is replaced as a whole. Its number, the
 * *policy*, is a hash of all that it says; the rows of another set have other keys. They are written beside the old ones, the router is told the new number (hd_port_value.policy)
 * by one write, and the old rows go when no packet can be asking for them any more.
 */
#pragma once

#include "heddle/types.h"

enum hd_fw_action {
	HD_FW_ALLOW,
	HD_FW_DENY,   /* dropped in silence */
	HD_FW_REJECT, /* dropped, and the sender is told: TCP gets a RST, all else an ICMP error */
};

/* struct hd_fw_key.flags, struct hd_fw_shape.flags */
enum {
	HD_FW_PROTO = 1 << 0, /* the protocol matters */
	HD_FW_IPV6 = 1 << 1,  /* of IPv6 packets, else of IPv4 */
};

/**
 * struct hd_fw_shape - which bits a row looks at
 * @from_len: bits of the source address
 * @to_len:   bits of the destination address
 * @flags:    HD_FW_*
 * @port_len: bits of the destination port that matter, 0-16
 * @first:    lowest position of a rule that has rows of this shape
 */
struct hd_fw_shape {
	__u8 from_len;
	__u8 to_len;
	__u8 flags;
	__u8 port_len;
	__u32 first;
};
HD_ASSERT_SIZE(struct hd_fw_shape, 8);

/* For each family. */
#define HD_FW_SHAPES_MAX 128

/**
 * struct hd_fw_shapes - value of hd_fw_shapes, by policy: which shapes to try
 * @n:     number for IPv4, IPv6
 * @shape: likewise, in ascending order of @first
 */
struct hd_fw_shapes {
	__u32 n[2];
	struct hd_fw_shape shape[2][HD_FW_SHAPES_MAX];
};
HD_ASSERT_SIZE(struct hd_fw_shapes, 2056);

/**
 * struct hd_fw_key - key of hd_fw_rules
 * @policy:   number of the rule set
 * @from_len: as in the shape; so are @to_len, @flags, @port_len
 * @port:     destination port, host order, masked
 * @proto:    protocol, or 0 where the shape does not look at it
 * @pad:      zero
 * @from:     source address, masked (IPv4 in the first word; network order)
 * @to:       destination address, likewise
 */
struct hd_fw_key {
	__u32 policy;
	__u8 from_len;
	__u8 to_len;
	__u8 flags;
	__u8 port_len;
	__u16 port;
	__u8 proto;
	__u8 pad;
	__be32 from[4];
	__be32 to[4];
};
HD_ASSERT_SIZE(struct hd_fw_key, 44);

/**
 * struct hd_fw_value - value of hd_fw_rules
 * @position: of the rule, from 1, in network order: so rows with the same key sort by it, and the first one stays (compile/table.h)
 * @rule:     rule id
 * @action:   enum hd_fw_action
 */
struct hd_fw_value {
	__be32 position;
	__u32 rule;
	__u32 action;
};
HD_ASSERT_SIZE(struct hd_fw_value, 12);
