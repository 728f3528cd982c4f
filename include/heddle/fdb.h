/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fdb.h - the forwarding database: which MAC of which network is behind which port
 *
 * Static entries come from the configuration (a port's own MAC, `heddle fdb add`): they don't age and don't move, and a frame
 * from another port that carries such a source is dropped. Learned entries are made, refreshed and moved by the datapath, also
 * while no daemon runs. An entry that was not heard for the network's ageing time counts as absent from that moment; the daemon
 * sweeps it out later. hd_port_state.learned counts the learned entries of a port: who removes an entry takes it off the count.
 */
#pragma once

#include "heddle/types.h"

/**
 * struct hd_fdb_key - key of hd_fdb
 * @network: network id; the same MAC in two networks is two entries
 * @vlan:    VLAN inside of the network (heddle/vlan.h); the same MAC in two of them is two entries
 * @mac:     unicast
 */
struct hd_fdb_key {
	__u32 network;
	__u16 vlan;
	__u8 mac[6];
};
HD_ASSERT_SIZE(struct hd_fdb_key, 12);

enum {
	HD_FDB_STATIC = 1 << 0, /* from the configuration */
};

/**
 * struct hd_fdb_value - value of hd_fdb
 * @port:  port id
 * @flags: HD_FDB_*
 * @seen:  jiffies when it was last heard, within a second; 0 for a static entry
 */
struct hd_fdb_value {
	__u32 port;
	__u32 flags;
	__u64 seen;
};
HD_ASSERT_SIZE(struct hd_fdb_value, 16);
