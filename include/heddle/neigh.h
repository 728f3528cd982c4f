/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * neigh.h - neighbours: which MAC an address of a network has
 *
 * Written by the daemon from the configuration only (addresses of ports that have a MAC, `heddle neighbour add`), so an answer given
 * out of this table can't be poisoned. IPv4 addresses are kept as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2): one table, one code.
 */
#pragma once

#include "heddle/types.h"

/**
 * struct hd_neigh_key - key of hd_neigh
 * @network: network id
 * @vlan:    VLAN inside of the network (heddle/vlan.h)
 * @pad:     zero
 * @addr:    IPv6 address, or ::ffff:a.b.c.d; network order
 */
struct hd_neigh_key {
	__u32 network;
	__u16 vlan;
	__u16 pad;
	__u8 addr[16];
};
HD_ASSERT_SIZE(struct hd_neigh_key, 24);

/**
 * struct hd_neigh_value - value of hd_neigh
 * @port: port that owns the address: never answered for itself; HD_PORT_NONE for a static neighbour
 * @mac:  its MAC
 * @pad:  zero
 */
struct hd_neigh_value {
	__u32 port;
	__u8 mac[6];
	__u8 pad[2];
};
HD_ASSERT_SIZE(struct hd_neigh_value, 12);
