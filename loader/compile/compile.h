/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compile.h - from objects to table entries
 *
 * A pure function of the model and of what is known about the ports' devices: no I/O, no clock, the same in, the same out. What changes in
 * the kernel is then the difference between two results.
 */
#pragma once

#include "compile/table.h"
#include "model/model.h"

/**
 * struct hd_fact - what the machine says about the device of a port or an uplink, about the way to a peer, or for a router
 * @port:    its id
 * @ifindex: 0 if the device is missing, or there is no way
 * @mtu:     of the device, of the way
 * @up:      it can transmit; the next hop has answered
 * @peer:    bpf_redirect_peer reaches its other end
 * @shared:  of an uplink: the host has an address there
 * @partial: of an uplink: what comes by it may have checksums that are not computed yet
 * @forward: of an uplink: XDP sends on what established flows lead out there
 * @to:      MAC of the next hop, for a peer
 * @from:    MAC of the device by which it is reached; of an uplink: its own; of a router: that with which it asks for neighbours on this host
 * @address: of an uplink by which routers masquerade: the host's IPv4 address there, network order; 0 = it has none
 * @at:      likewise: all addresses of the host that are reached there, network order, @address among them; borrowed
 * @n_at:    number of them
 * @address6: as @address, of IPv6: by which workloads go out
 * @at6:     as @at, 16 bytes each
 * @n_at6:   number of them; with @address6 there is at least one
 * @local:   address from which a peer is reached, IPv6 or IPv4 mapped
 */
struct hd_fact {
	uint32_t port;
	uint32_t ifindex;
	uint32_t mtu;
	bool up;
	bool peer;
	bool shared;
	bool partial;
	bool forward;
	uint8_t to[6];
	uint8_t from[6];
	uint32_t address;
	const uint32_t *at;
	size_t n_at;
	uint8_t address6[16];
	const uint8_t (*at6)[16];
	size_t n_at6;
	uint8_t local[16];
};

/* The tables that the configuration decides, in the order in which a new entry is written: what refers to another comes later. */
enum hd_table_id {
	HD_TABLE_RULES,
	HD_TABLE_SHAPES,
	HD_TABLE_FW_RULES,
	HD_TABLE_FW_SHAPES,
	HD_TABLE_MEMBERS,
	HD_TABLE_SOURCES,
	HD_TABLE_GATEWAYS,
	HD_TABLE_HOPS,
	HD_TABLE_ROUTES,
	HD_TABLE_FIPS,
	HD_TABLE_FIPS6,
	HD_TABLE_FORWARDS,
	HD_TABLE_FORWARDS6,
	HD_TABLE_OUTSIDES6,
	HD_TABLE_NETWORKS,
	HD_TABLE_TRUNKS,
	HD_TABLE_LIMITS,
	HD_TABLE_ENDS,
	HD_TABLE_PORTS,
	HD_TABLE_PEER_NETS,
	HD_TABLE_PEERS,
	HD_TABLE_TUNNELS,
	HD_TABLE_TUNNEL_PORTS,
	HD_TABLE_LEGS,
	HD_TABLE_FDB,
	HD_TABLE_NEIGH,
	HD_TABLE_IFINDEX_FAR,
	HD_TABLE_IFINDEX,
	HD_TABLE_COUNT,
};

/** struct hd_tables - everything that the configuration puts into maps; of hd_fdb only the static entries */
struct hd_tables {
	struct hd_table table[HD_TABLE_COUNT];
};

void hd_tables_init(struct hd_tables *tables);
void hd_tables_done(struct hd_tables *tables);

/** hd_tables_swap - exchange two */
void hd_tables_swap(struct hd_tables *a, struct hd_tables *b);

/** hd_table_names - name of the map of each table */
extern const char *const hd_table_names[HD_TABLE_COUNT];

/**
 * hd_compile - compute all table entries
 * @model:   validated, ids assigned
 * @facts:   one for each port, uplink, peer and router, in ascending order of ids
 * @n_facts: number of them
 * @hz:      jiffies in a second
 * @ret:     initialised and empty; sorted on return
 *
 * @err:     with -EEXIST and -EOVERFLOW, see hd_policy_compile() and hd_compile_firewall()
 *
 * Return: 0, -ENOMEM, -EEXIST, -EOVERFLOW.
 */
int hd_compile(const struct hd_model *model, const struct hd_fact *facts, size_t n_facts,
	       uint32_t hz, struct hd_tables *ret, struct hd_error *err);
