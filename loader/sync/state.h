/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* state.h - inside sync/: what one hd_sync keeps between runs */
#pragma once

#include "compile/compile.h"
#include "sync/announce.h"
#include "sync/publish.h"
#include "sync/seek.h"
#include "sync/sync.h"
#include "sync/underlay.h"

/**
 * struct run - a port, uplink or peer as the machine has it
 * @port:       id
 * @attachment: programs on its device
 * @current:    they are the programs of this datapath
 * @foreign:    somebody else's program looks at what leaves by the device
 * @failed:     it could not be set up, and this was said
 * @no_xdp:     of an uplink: why XDP is not used though it may be; "" = it is, or mode is tc
 * @xdp_tried:  device that has refused it, 0 = none
 * @reported:   its state was reported once
 * @up:         the state that was reported
 */
struct run {
	uint32_t port;
	struct hd_attachment attachment;
	bool current;
	bool foreign;
	bool failed;
	char no_xdp[160];
	uint32_t xdp_tried;
	bool reported;
	bool up;
	UT_hash_handle hh;
};

/**
 * struct hd_sync - the kernel as we know it
 * @dp:      programs and maps
 * @nl:      requests
 * @devices: links of this namespace
 * @current: what the configuration has put into the maps
 * @ways:    to peers
 * @announcer: of addresses outside
 * @publisher: of port forwards to the host itself
 * @host:    addresses of the host, as the last run has seen them
 * @runs:    by port id
 * @imagined: facts are for a trace from this port of a model that is not applied: ports without a device count as up; else 0
 * @epoch:   of the generations in between
 * @unsettled: a run has failed half-way: all ports get new generations with the next
 * @expedited: grace periods are short because of us
 */
struct hd_sync {
	struct hd_datapath dp;
	struct hd_netlink *nl;
	struct hd_devices devices;
	struct hd_tables current;
	struct hd_way *ways;
	struct hd_announcer *announcer;
	struct hd_seeker *seeker;
	struct hd_publisher *publisher;
	struct hd_address *host;
	size_t n_host;
	struct run *runs;
	uint32_t epoch;
	bool unsettled;
	bool expedited;
	uint32_t imagined;
	uint32_t nat;
	hd_sync_port_fn fn;
	void *arg;
};

/** hd_drops_sweep - remove the drop counters of ports that are gone */
void hd_drops_sweep(const struct hd_datapath *dp, const struct hd_model *model);

/** hd_drops_forget_rules - what rules have dropped that are not in @model is counted as dropped by none: their numbers may be given to others */
void hd_drops_forget_rules(const struct hd_datapath *dp, const struct hd_model *model);

/** hd_rule_clear - let the counters of a rule begin again */
void hd_rule_clear(const struct hd_datapath *dp, uint32_t rule);
