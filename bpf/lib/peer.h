/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* peer.h - pseudo ports: ends of tunnels, and which networks they are in; see heddle/tunnel.h */
#pragma once

#include "heddle/abi.h"
#include "heddle/tunnel.h"

#include "lib/drop.h"

/*
 * The functions here that are not static take and return nothing but numbers: the verifier then looks at each of them once, instead of
 * once for each way that leads to it, and forgets by which way it came out. What goes into tunnels would else multiply all that comes after.
 */

/* hd_ends: by port id, used for pseudo ports only. Writer: the daemon. Readers: what comes from or goes to the underlay. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HD_PORTS_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_end_value);
} hd_ends SEC(".maps");

/*
 * hd_peer_nets: the peers of each network, linked. Writer: the daemon; a new link is complete before another leads to it, and an old one goes
 * after nothing leads to it any more. Readers: flooding, and packets from and to peers that are not everywhere.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_PEER_NETS_DEFAULT);
	__type(key, struct hd_peer_net_key);
	__type(value, __u32);
} hd_peer_nets SEC(".maps");
