/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * abi.h - what a running datapath and a newly started daemon must agree on
 *
 * Maps, programs and links are pinned under HD_PIN_ROOT/INSTANCE. A daemon that starts compares HD_ABI_VERSION and the hash in
 * struct hd_meta with its own: equal means adopt what runs; else the new programs are loaded, tables move their entries
 * where key and value kept their layout, and each link is updated in place.
 */
#pragma once

#include "heddle/types.h"

#define HD_ABI_VERSION 1
#define HD_PIN_ROOT "/sys/fs/bpf/heddle"

/* Default sizes of tables, in entries; `table-sizes` of heddled.conf changes them. */
#define HD_PORTS_DEFAULT 16384
#define HD_NETWORKS_DEFAULT 8192
#define HD_FDB_DEFAULT 131072
#define HD_NEIGH_DEFAULT 65536
#define HD_DROPS_DEFAULT 16384
#define HD_FLOWS_DEFAULT 524288	   /* established connections, IPv4 and IPv6 each */
#define HD_NEW_FLOWS_DEFAULT 65536 /* those that only one side has spoken on */
#define HD_RULES_DEFAULT 262144	   /* rows that rules are compiled to */
#define HD_RULE_COUNTERS_DEFAULT 131072
#define HD_POLICIES_DEFAULT 4096
#define HD_MEMBERS_DEFAULT 131072
#define HD_SOURCES_DEFAULT 65536
#define HD_FRAGS_DEFAULT 4096
#define HD_HELD_DEFAULT 1024
#define HD_PEER_NETS_DEFAULT 65536 /* networks of peers that are not in all of them */
#define HD_ROUTES_DEFAULT 65536
#define HD_ONWARD_SLOTS 65536
#define HD_NAT_DEFAULT 524288 /* endpoints, two entries each */
#define HD_NAT_USERS_DEFAULT 16384
#define HD_NAT_POOLS 256
#define HD_OUTSIDES6_DEFAULT 8192 /* two for each router with one */
#define HD_NAT_ASKED_DEFAULT HD_NEW_FLOWS_DEFAULT
#define HD_NAT_ASKED6_DEFAULT 16384
#define HD_NAT_QUOTAS 4096     /* routers that may have only so many ports */
#define HD_NAT_LOG_BYTES 65536 /* 2048 blocks handed out */
#define HD_FIPS_DEFAULT 8192
#define HD_FORWARDS_DEFAULT 16384
#define HD_FORWARDS6_DEFAULT (2 * HD_FORWARDS_DEFAULT) /* two entries each */
#define HD_ARP_DEFAULT 16384			       /* neighbours that routers have learned */

/* Slots of the direct-mapped ifindex table: a power of two. */
#define HD_IFINDEX_SLOTS 65536

/**
 * struct hd_meta - who loaded what is pinned; one entry, key 0, in map hd_meta
 * @abi:         HD_ABI_VERSION of the loader
 * @pad:         zero
 * @object_hash: over the program object and its configuration; equal hash, equal datapath
 */
struct hd_meta {
	__u32 abi;
	__u32 pad;
	__u64 object_hash;
};
HD_ASSERT_SIZE(struct hd_meta, 16);
