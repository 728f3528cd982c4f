/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * datapath.h - the programs and maps: load them, or adopt those that are pinned
 *
 *   PIN_ROOT/INSTANCE/maps/hd_fdb ...    progs/hd_port_in ...    links/PORT-in, PORT-out
 *
 * Opening decides between three ways. Nothing pinned: load everything. The very same object and configuration pinned: open the
 * pins, load nothing. Anything else: load the new object beside the running one, let it use the pinned maps whose layout
 * fits, copy the entries of those whose size alone changed, say which could not be kept; the caller brings tables and links over,
 * then hd_datapath_commit() replaces the pins. Until then the old programs run on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "heddlectl/error.h"
#include "model/model.h"

enum hd_map_id {
	HD_MAP_IFINDEX,
	HD_MAP_IFINDEX_FAR,
	HD_MAP_PORTS,
	HD_MAP_NETWORKS,
	HD_MAP_PORT_COUNTERS,
	HD_MAP_PORT_STATE,
	HD_MAP_FDB,
	HD_MAP_NEIGH,
	HD_MAP_DROPS,
	HD_MAP_STAGES,
	HD_MAP_META,
	HD_MAP_COUNT,
};

enum hd_prog_id {
	HD_PROG_IN,
	HD_PROG_OUT,
	HD_PROG_CLOCK,
	HD_PROG_COUNT,
};

struct hd_port_state;
struct port_bpf;

/**
 * struct hd_datapath - what is loaded
 * @dir:     PIN_ROOT/INSTANCE
 * @limits:  sizes of the tables
 * @maps:    fds
 * @progs:   fds
 * @prog_ids: kernel's ids of the programs
 * @hz:      jiffies in a second
 * @states:  hd_port_state, mapped; @limits.ports entries
 * @skel:    the freshly loaded object; NULL when adopted
 * @changed: programs were loaded that the links do not run yet
 */
struct hd_datapath {
	char dir[200];
	struct hd_limits limits;
	int maps[HD_MAP_COUNT];
	int progs[HD_PROG_COUNT];
	uint32_t prog_ids[HD_PROG_COUNT];
	uint32_t hz;
	struct hd_port_state *states;
	struct port_bpf *skel;
	bool changed;
};

/** hd_map_name - name of a map, static */
const char *hd_map_name(enum hd_map_id id);

/**
 * hd_datapath_open - load or adopt
 * @instance: name; part of the pin path
 * @limits:   sizes of the tables
 * @ret:      filled; hd_datapath_close() also after a failure
 * @err:      what the kernel refused, with the end of the verifier's log
 */
int hd_datapath_open(const char *instance, const struct hd_limits *limits, struct hd_datapath *ret,
		     struct hd_error *err);

/** hd_datapath_commit - pin what was loaded, in place of what was pinned before; nothing to do when adopted */
int hd_datapath_commit(struct hd_datapath *dp, struct hd_error *err);

/** hd_datapath_close - close and unmap; what is pinned goes on running */
void hd_datapath_close(struct hd_datapath *dp);

/** hd_datapath_unpin - remove all pins of this instance and its folder; programs end with their last link */
int hd_datapath_unpin(const struct hd_datapath *dp);

/** hd_datapath_now - the datapath's clock: low 32 bits of jiffies */
uint32_t hd_datapath_now(const struct hd_datapath *dp);
