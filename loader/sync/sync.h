/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sync.h - bring the kernel to what the model says: devices, tables, programs on devices
 *
 * One run is mark and sweep. In its order nothing is ever open that should be closed, and nothing points at what is not there:
 *
 *   make devices ─▶ facts ─▶ compile ─▶ add rows ─▶ change rows ─▶ attach ─▶ devices up
 *                                                     ─▶ detach ─▶ remove rows ─▶ remove devices ─▶ forget learned MACs
 *
 * A run that finds everything as it should be writes nothing.
 */
#pragma once

#include "heddle/port.h"
#include "compile/compile.h"
#include "heddle/policy.h"
#include "heddle/reason.h"
#include "sync/datapath.h"
#include "sync/devices.h"
#include "sync/flows.h"
#include "sync/links.h"
#include "sync/live.h"
#include "sync/seek.h"

struct hd_sync;

/** struct hd_port_run - what is known at run time about a port */
struct hd_port_run {
	bool up;
	const char *reason; /* why it is down, static; "" when it is up */
	enum hd_attach attach;
	uint32_t ifindex;
	char device[IFNAMSIZ];
	bool shared;		/* of an uplink: the host has an address there */
	bool xdp;		/* of an uplink: XDP opens packets there */
	const char *no_xdp;	/* why not, "" when it does or mode is tc; borrowed */
	const char *no_forward; /* why XDP does not send on from there, "" when it does; static */
};

/** struct hd_peer_run - what is known at run time about a peer; @next is empty where there is no way */
struct hd_peer_run {
	bool up;
	const char *reason;
	char device[IFNAMSIZ];
	char next[64];
	uint8_t mac[6];
	uint32_t mtu;
};

/** hd_sync_port_fn - a port, uplink or peer went up or down */
typedef void (*hd_sync_port_fn)(void *arg, const struct hd_object *port, bool up,
				const char *reason);

/**
 * hd_sync_open - load or adopt the datapath, find what is attached
 * @instance: borrowed for the life of it
 * @fn:       told about ports that change their state
 */
int hd_sync_open(const char *instance, const struct hd_limits *limits, hd_sync_port_fn fn,
		 void *arg, struct hd_sync **ret, struct hd_error *err);

/** hd_sync_close - let go; the datapath runs on. NULL is fine. */
void hd_sync_close(struct hd_sync *sync);

/**
 * hd_sync_run - make the kernel match a model
 * @model: validated, ids assigned
 * @old:   what it matched before: a port that is not in it, or differs, must succeed. NULL: at start, or after a change of the
 *         machine; then a port that can't be set up is down, with its reason, and the others go on.
 * @err:   set when a port that must succeed did not; the caller then runs again with @old
 */
int hd_sync_run(struct hd_sync *sync, const struct hd_model *model, const struct hd_model *old,
		struct hd_error *err);

/** hd_sync_check - what can be known about new ports before anything is changed: their devices */
int hd_sync_check(struct hd_sync *sync, const struct hd_model *model, const struct hd_model *old,
		  struct hd_error *err);

/** hd_sync_link - news about a device; true if a run is due */
bool hd_sync_link(struct hd_sync *sync, const struct hd_link *link);

/** hd_sync_reload_links - news about devices were lost: list them again */
int hd_sync_reload_links(struct hd_sync *sync);

/** hd_sync_wants_retry - whether a device that heddle should have made is missing */
bool hd_sync_wants_retry(const struct hd_sync *sync);

/**
 * struct hd_reach - who reaches a port forward
 * @outside: who comes to its address from outside, and workloads
 * @host:    the host's own sockets, if it listens at the host
 * @reason:  why one of these does not; static
 */
struct hd_reach {
	bool outside;
	bool host;
	const char *reason;
};

/** hd_sync_reach - as it is now */
struct hd_reach hd_sync_reach(const struct hd_sync *sync, const struct hd_model *model,
			      const struct hd_port_forward *forward);

/** hd_sync_keep_published - look after what leads the host's own sockets to workloads */
void hd_sync_keep_published(struct hd_sync *sync);

/** hd_sync_ways - something has happened to the ways to others, or to the host's addresses; true if a run is due */
bool hd_sync_ways(struct hd_sync *sync, const struct hd_model *model);

/** hd_sync_keep_ways - to be called every few seconds: asks next hops whether they are there */
void hd_sync_keep_ways(struct hd_sync *sync);

/** hd_sync_announce - to be called every two seconds: tells those outside once more what is new there, and asks for next hops that are not known */
void hd_sync_announce(struct hd_sync *sync);

/** hd_sync_told - something is to be read from a socket of hd_told_open(); true if a run is due */
bool hd_sync_told(struct hd_sync *sync, const struct hd_model *model, int fd, bool is_v4);

/** hd_sync_underlay - what the uplinks say about the way between hosts, for a network */
struct hd_underlay hd_sync_underlay(const struct hd_sync *sync, const struct hd_model *model,
				    const struct hd_network *network);

/** hd_sync_router_ip - a router's address outside; not @is_v4 if it has none: the host has none at its uplink */
struct hd_ip hd_sync_router_ip(const struct hd_sync *sync, const struct hd_object *router);

/** hd_sync_router_ip6 - its IPv6 address outside, by which endpoints are known; false if it has none */
bool hd_sync_router_ip6(const struct hd_sync *sync, const struct hd_object *router,
			struct hd_ip *ret);

/** hd_sync_next_hop - of the router's gateway, for one family: HD_V4, HD_V6 */
struct hd_next_hop hd_sync_next_hop(const struct hd_sync *sync, const struct hd_object *router,
				    int family);

/** hd_sync_peer - run-time state of a peer */
struct hd_peer_run hd_sync_peer(const struct hd_sync *sync, const struct hd_object *peer);

/** hd_sync_port - run-time state of a port or uplink */
struct hd_port_run hd_sync_port(const struct hd_sync *sync, const struct hd_object *port);

/** hd_sync_counters - of one port, summed over the CPUs */
struct hd_counters hd_sync_counters(const struct hd_sync *sync, uint32_t port);

/** hd_sync_flow_is_current - whether a flow between two ports was judged by the present configuration */
bool hd_sync_flow_is_current(const struct hd_sync *sync, const struct hd_flow *flow);

/** hd_sync_rule - counters of one rule, summed over the CPUs */
struct hd_rule_counters hd_sync_rule(const struct hd_sync *sync, uint32_t rule);

/** hd_sync_drops_fn - one counter of drops, summed over the CPUs; zeros are left out */
typedef int (*hd_sync_drops_fn)(void *arg, const struct hd_drop_key *key,
				const struct hd_drop_value *value);
int hd_sync_drops(const struct hd_sync *sync, hd_sync_drops_fn fn, void *arg);

/** hd_sync_datapath - for the FDB and the sizes of tables; borrowed */
const struct hd_datapath *hd_sync_datapath(const struct hd_sync *sync);

/** hd_sync_used - entries in use of a hash map; counts by walking the keys in batches */
uint32_t hd_sync_used(const struct hd_sync *sync, enum hd_map_id map);

/**
 * hd_sync_twin - the datapath as it would be with another model: a twin on tables of its own
 * @port:  of @model, that will be asked about; its device need not be there yet
 */
int hd_sync_twin(struct hd_sync *sync, const struct hd_model *model, const struct hd_object *port,
		 struct hd_twin **ret, struct hd_error *err);

/** hd_sync_twin_ifindex - device by which a port of such a twin is known; 0 if there is none to be had */
uint32_t hd_sync_twin_ifindex(const struct hd_sync *sync, const struct hd_object *port);

/** hd_sync_swap - let all ports run the programs of @live instead of those that they run, or the other way round */
void hd_sync_swap(struct hd_sync *sync, struct hd_live *live);

/** hd_sync_rows - rows that the configuration has in a table */
size_t hd_sync_rows(const struct hd_sync *sync, enum hd_table_id table);

/** hd_sync_purge - take everything off this machine: programs, pins, devices */
int hd_sync_purge(struct hd_sync *sync, struct hd_error *err);
