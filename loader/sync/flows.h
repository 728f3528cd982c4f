/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* flows.h - the daemon's side of the flow tables: list, flush, sweep */
#pragma once

#include "heddle/router.h"
#include "sync/datapath.h"

/**
 * struct hd_flow - a flow, of either family
 * @network: network id; of one that crosses a router that of its opener, 0 if another host routes it and it is not known here
 * @router:  that it crosses: its id, 0 = none
 * @hop:     where its sides are, with @router
 * @vlan:    VLAN inside of it
 * @proto:   protocol
 * @is_v4:   family
 * @addr:    of side 0 and 1, IPv6 or IPv4 mapped
 * @port:    likewise, network order
 * @listen_addr: outside address of the port forward that it came by, network order, of IPv6 its number; 0 = by none
 * @listen_port: likewise
 * @firewall: rule of the router's firewall that allowed it, 0 = none
 * @value:   as the table has it
 */
struct hd_flow {
	uint32_t network;
	uint32_t router;
	struct hd_hop hop[2];
	uint16_t vlan;
	uint8_t proto;
	bool is_v4;
	uint8_t addr[2][16];
	uint16_t port[2];
	uint32_t listen_addr;
	uint16_t listen_port;
	uint32_t firewall;
	struct hd_flow_value value;
};

/** hd_flow_fn - one flow; non-zero stops */
typedef int (*hd_flow_fn)(void *arg, const struct hd_flow *flow);

/** hd_flows_walk - report all flows that have not expired */
int hd_flows_walk(const struct hd_datapath *dp, hd_flow_fn fn, void *arg);

/** hd_flow_match - whether a flow is meant */
typedef bool (*hd_flow_match)(void *arg, const struct hd_flow *flow);

/** hd_flows_flush - remove flows; returns how many */
unsigned int hd_flows_flush(const struct hd_datapath *dp, hd_flow_match match, void *arg);

/** hd_flow_timeout_s - after how many idle seconds a flow ends */
uint32_t hd_flow_timeout_s(const struct hd_limits *limits, const struct hd_flow *flow);

#define HD_FLOW_TABLES 8

/**
 * struct hd_flow_sweep - a sweep in several steps, so that a large table does not keep the daemon from its other work
 * @table: of the eight, where it goes on
 * @token: position in it
 * @begun: the position is valid
 * @counting: entries of this table seen so far
 * @count: entries of each table when it was last gone through: flows4, flows6, new4, new6; then the same that cross a router
 */
struct hd_flow_sweep {
	int table;
	uint32_t token;
	bool begun;
	uint32_t counting;
	uint32_t count[HD_FLOW_TABLES];
};

/** hd_flows_sweep - one step: look at some thousand entries, remove those that have expired or lost a port; true when it has come round */
bool hd_flows_sweep(const struct hd_datapath *dp, const struct hd_model *model,
		    struct hd_flow_sweep *sweep);
