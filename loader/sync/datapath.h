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

#include "heddle/trace.h"
#include "heddlectl/error.h"
#include "model/model.h"

enum hd_map_id {
	HD_MAP_IFINDEX,
	HD_MAP_IFINDEX_FAR,
	HD_MAP_PORTS,
	HD_MAP_NETWORKS,
	HD_MAP_TRUNKS,
	HD_MAP_LIMITS,
	HD_MAP_BUCKETS,
	HD_MAP_ENDS,
	HD_MAP_PEER_NETS,
	HD_MAP_PEERS,
	HD_MAP_TUNNELS,
	HD_MAP_TUNNEL_PORTS,
	HD_MAP_LEGS,
	HD_MAP_PORT_COUNTERS,
	HD_MAP_PORT_STATE,
	HD_MAP_EPOCH,
	HD_MAP_FDB,
	HD_MAP_NEIGH,
	HD_MAP_DROPS,
	HD_MAP_FLOW4,
	HD_MAP_FLOW6,
	HD_MAP_NEW4,
	HD_MAP_NEW6,
	HD_MAP_RFLOW4,
	HD_MAP_RFLOW6,
	HD_MAP_RNEW4,
	HD_MAP_RNEW6,
	HD_MAP_ROUTES,
	HD_MAP_HOPS,
	HD_MAP_ARP,
	HD_MAP_ROUTER_STATE,
	HD_MAP_FIPS,
	HD_MAP_FIPS6,
	HD_MAP_FORWARDS,
	HD_MAP_FORWARDS6,
	HD_MAP_OUTSIDES6,
	HD_MAP_NAT,
	HD_MAP_NAT_POOLS,
	HD_MAP_NAT_HEADS,
	HD_MAP_NAT_USERS,
	HD_MAP_NAT_NAMES,
	HD_MAP_NAT_NAMED,
	HD_MAP_NAT_ASKED,
	HD_MAP_NAT_ASKED6,
	HD_MAP_NAT_QUOTAS,
	HD_MAP_NAT_SHARES,
	HD_MAP_NAT_LOG,
	HD_MAP_NAT_LOST,
	HD_MAP_ONWARD,
	HD_MAP_FRAGS,
	HD_MAP_RULES,
	HD_MAP_SHAPES,
	HD_MAP_FW_RULES,
	HD_MAP_FW_SHAPES,
	HD_MAP_MEMBERS,
	HD_MAP_SOURCES,
	HD_MAP_GATEWAYS,
	HD_MAP_RULE_COUNTERS,
	HD_MAP_STAGES,
	HD_MAP_META,
	HD_MAP_COUNT,
};

enum hd_prog_id {
	HD_PROG_IN,
	HD_PROG_OUT,
	HD_PROG_UPLINK,
	HD_PROG_UPLINK_OUT,
	HD_PROG_UPLINK_OPENED,
	HD_PROG_UPLINK_XDP,
	HD_PROG_CLOCK,
	HD_PROG_NAT_GIVE,
	HD_PROG_COUNT,
};

struct hd_epoch;
struct hd_port_state;
struct port_bpf;
struct uplink_bpf;

/**
 * struct hd_datapath - what is loaded
 * @dir:     PIN_ROOT/INSTANCE
 * @limits:  sizes of the tables
 * @maps:    fds
 * @progs:   fds
 * @prog_ids: kernel's ids of the programs
 * @hz:      jiffies in a second
 * @states:  hd_port_state, mapped; @limits.ports entries
 * @epoch:   hd_epoch, mapped
 * @skel:    the freshly loaded object; NULL when adopted
 * @xdp:     likewise, the programs for XDP, on the same maps
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
	struct hd_epoch *epoch;
	struct port_bpf *skel;
	struct uplink_bpf *xdp;
	bool changed;
};

/** hd_map_name - name of a map, static */
const char *hd_map_name(enum hd_map_id id);

/** hd_prog_id - the kernel's id of the program behind @fd. Returns 0 or -errno. */
int hd_prog_id(int fd, uint32_t *ret);

/**
 * hd_datapath_open - load or adopt
 * @instance: name; part of the pin path
 * @limits:   sizes of the tables
 * @ret:      filled; hd_datapath_close() also after a failure
 * @err:      what the kernel refused, with the end of the verifier's log
 */
int hd_datapath_open(const char *instance, const struct hd_limits *limits, struct hd_datapath *ret,
		     struct hd_error *err);

/**
 * hd_datapath_load_again - load the object once more, for a trace
 * @apart: with empty tables of its own, instead of those in use
 * @ret:   to be destroyed by the caller
 *
 * Return: 0 or -errno.
 */
int hd_datapath_load_again(const struct hd_datapath *dp, enum hd_trace_mode mode, bool apart,
			   struct port_bpf **ret);

/** hd_datapath_load_xdp_again - likewise the programs for XDP, to work together with @port. 0 or -errno. */
int hd_datapath_load_xdp_again(const struct hd_datapath *dp, enum hd_trace_mode mode,
			       const struct port_bpf *port, struct uplink_bpf **ret);

struct hd_twin;

/**
 * hd_twin_open - load the datapath once more, as its own twin: on the same tables, but changing nothing and writing down its steps
 * @dp: borrowed
 */
int hd_twin_open(const struct hd_datapath *dp, struct hd_twin **ret, struct hd_error *err);

/**
 * hd_twin_open_apart - a twin with empty tables of its own
 * @tables: gets the fds of its tables, borrowed from it, for hd_tables_write()
 */
int hd_twin_open_apart(const struct hd_datapath *dp, struct hd_twin **ret,
		       struct hd_datapath *tables, struct hd_error *err);
void hd_twin_close(struct hd_twin *twin); /* NULL is fine */

/**
 * hd_twin_run - what would happen to a frame that comes in on a device
 * @ret:   up to HD_TRACE_MAX steps
 * @ret_n: number of them
 *
 * Return: 0 or -errno (-ENODEV: no such device; -EINVAL: the kernel does not take the frame for a packet).
 */
int hd_twin_run(struct hd_twin *twin, uint32_t ifindex, const void *frame, size_t len,
		struct hd_trace_record *ret, size_t *ret_n);

/** hd_datapath_commit - pin what was loaded, in place of what was pinned before; nothing to do when adopted */
int hd_datapath_commit(struct hd_datapath *dp, struct hd_error *err);

/** hd_datapath_close - close and unmap; what is pinned goes on running */
void hd_datapath_close(struct hd_datapath *dp);

/** hd_datapath_unpin - remove all pins of this instance and its folder; programs end with their last link */
int hd_datapath_unpin(const struct hd_datapath *dp);

/** hd_datapath_now - the datapath's clock: low 32 bits of jiffies */
uint32_t hd_datapath_now(const struct hd_datapath *dp);
