/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* peer.h - pseudo ports: ends of tunnels, and which networks they are in; see heddle/tunnel.h */
#pragma once

#include "heddle/abi.h"
#include "heddle/epoch.h"
#include "heddle/tunnel.h"

#include "lib/drop.h"

/*
 * The functions here that are not static take and return nothing but numbers: the verifier then looks at each of them once, instead of
 * once for each way that leads to it, and forgets by which way it came out. What goes into tunnels would else multiply all that comes after.
 */

/* hd_epoch: see heddle/epoch.h. Writers: the daemon, the datapath. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hd_epoch);
} hd_epoch SEC(".maps");

/** hd_epoch_now - its entry, to read the numbers before a table is asked, or to change one after a table was; NULL never in fact */
static __always_inline struct hd_epoch *hd_epoch_now(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&hd_epoch, &zero);
}

/* hd_ends: by port id, used for pseudo ports only. Writer: the daemon. Readers: what comes from or goes to the underlay. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HD_PORTS_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_end_value);
} hd_ends SEC(".maps");

/* hd_peers: outer source -> port id of the peer. Writer: the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_PORTS_DEFAULT);
	__type(key, struct hd_peer_key);
	__type(value, __u32);
} hd_peers SEC(".maps");

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

/* hd_tunnel_ports: by UDP port: whether tunnel packets come there, and of what type; entry 0 is for GRE. Writer: the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u32);
} hd_tunnel_ports SEC(".maps");

/* Marks what has come in from the underlay, out of a tunnel or by a leg, until it leaves by a port's device; what arrives with it is washed. See hd_port_out. */
#define HD_TC_INDEX_OURS 0x4864

static __always_inline bool addr_equal(const __be32 a[4], const __be32 b[4])
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]));
}
