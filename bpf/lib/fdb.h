/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fdb.h - learning where MACs are; whatever the hook */
#pragma once

#include "heddle/abi.h"
#include "heddle/fdb.h"

#include "lib/eth.h"
#include "lib/port.h"

/*
 * hd_fdb: see heddle/fdb.h. Writers: the daemon (static entries, sweep, flush), the datapath (learned entries).
 * A learned entry dies by age, by flush, or with its port. When the table is full a new MAC is not learned, and frames for it are
 * flooded; `heddle status` shows how full it is.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_FDB_DEFAULT);
	__type(key, struct hd_fdb_key);
	__type(value, struct hd_fdb_value);
} hd_fdb SEC(".maps");

/* hd_port_state: by port id, see heddle/port.h. Mapped into the daemon, so that both sides count with atomic operations. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HD_PORTS_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_port_state);
} hd_port_state SEC(".maps");

static __always_inline struct hd_fdb_key fdb_key(const struct hd_pkt *pkt, const __u8 mac[6])
{
	struct hd_fdb_key key = { .network = pkt->network, .vlan = pkt->vlan };

	mac_copy(key.mac, mac);
	return key;
}

static __always_inline bool fdb_expired(const struct hd_pkt *pkt, const struct hd_fdb_value *entry)
{
	__u32 ageing = entry->flags & HD_FDB_STATIC ? 0 : hd_network_ageing(pkt);

	if (!ageing)
		return false;
	/* Signed: another CPU may have heard it a tick after we looked at the clock. */
	return (__s64)(bpf_jiffies64() - entry->seen) > ageing;
}

/* What was known of MACs is not so any more. */
static __always_inline void new_epoch(void)
{
	struct hd_epoch *epoch = hd_epoch_now();

	if (epoch)
		__sync_fetch_and_add(&epoch->fdb, 1);
}

/* Takes a place among the MACs of a port before the entry is made, so that two CPUs can't both take the last one. */
static __always_inline bool learn_reserve(__u32 id, const struct hd_port_value *port)
{
	struct hd_port_state *state = bpf_map_lookup_elem(&hd_port_state, &id);

	if (!state)
		return false;
	if (__sync_fetch_and_add(&state->learned, 1) < port->mac_limit)
		return true;
	__sync_fetch_and_add(&state->learned, -1);
	return false;
}

/* Never below zero, whoever else has taken the same entry off: the sweep puts right what was counted twice. */
static __always_inline void learn_release(__u32 id)
{
	struct hd_port_state *state = bpf_map_lookup_elem(&hd_port_state, &id);

	if (!state)
		return;
	for (int i = 0; i < 8; i++) {
		__u32 learned = state->learned;

		if (!learned ||
		    __sync_val_compare_and_swap(&state->learned, learned, learned - 1) == learned)
			return;
	}
}

/*
 * A workload that shows more MACs than it may is not heard any more under new ones. Behind a peer or the leg of a physical network are many, of many
 * tenants, and one of them must not silence the others: there a MAC over the limit passes and is not learned.
 */
static __always_inline int learn_refuse(const struct hd_pkt *pkt)
{
	return pkt->from->flags & (HD_PORT_TUNNEL | HD_PORT_LEG) ? 0 : -HD_DROP_MAC_LIMIT;
}

static __noinline int learn_new(struct hd_pkt *pkt)
{
	struct hd_fdb_key key;
	struct hd_fdb_value value = {};

	if (!pkt || !pkt->from)
		return 0;
	key = fdb_key(pkt, pkt->src);
	value.port = pkt->port;
	value.seen = bpf_jiffies64();
	hd_trace(pkt, HD_TRACE_LEARN, pkt->port, 0);
	if (!hd_may_write())
		return 0;
	if (!learn_reserve(pkt->port, pkt->from))
		return learn_refuse(pkt);
	if (bpf_map_update_elem(&hd_fdb, &key, &value, BPF_NOEXIST))
		learn_release(pkt->port); /* full, or another CPU was first: nothing is lost */
	new_epoch();
	return 0;
}

/* A router is at every host: what it has sent on at another comes from its MAC. */
static __always_inline bool is_routers_elsewhere(const struct hd_pkt *pkt, __u32 id)
{
	const struct hd_port_value *owner = hd_port_lookup(id);

	return owner && (owner->flags & HD_PORT_ROUTER) && mac_equal(owner->mac, pkt->src) &&
	       (pkt->from->flags & (HD_PORT_TUNNEL | HD_PORT_LEG));
}

/* The MAC is known at another port: it moved there, unless the configuration says that it can't. */
static __always_inline int learn_move(struct hd_pkt *pkt, struct hd_fdb_value *entry)
{
	__u32 old = entry->port;

	if (entry->flags & HD_FDB_STATIC)
		return is_routers_elsewhere(pkt, old) ? 0 : -HD_DROP_MAC_STATIC;
	hd_trace(pkt, HD_TRACE_LEARN, pkt->port, 0);
	if (!hd_may_write())
		return 0;
	if (!learn_reserve(pkt->port, pkt->from))
		return learn_refuse(pkt);
	if (__sync_val_compare_and_swap(&entry->port, old, pkt->port) == old) {
		new_epoch();
		entry->seen = bpf_jiffies64();
		learn_release(old);
	} else {
		learn_release(pkt->port); /* another CPU moved it at this moment */
	}
	return 0;
}

/** hd_fdb_touch - its MAC was heard: noted at most once a second, so that a busy sender does not bounce its cache line between CPUs */
static __always_inline void hd_fdb_touch(struct hd_fdb_value *entry)
{
	__u64 now = bpf_jiffies64();

	if (hd_may_write() && !(entry->flags & HD_FDB_STATIC) && now - entry->seen > hd_cfg.hz)
		entry->seen = now;
}

/* A function, since it stands in several places of programs that must stay small. */
static __noinline int learn(struct hd_pkt *pkt)
{
	struct hd_fdb_value *entry;
	struct hd_fdb_key key;

	if (!pkt || !pkt->from)
		return 0;
	key = fdb_key(pkt, pkt->src);
	entry = bpf_map_lookup_elem(&hd_fdb, &key);
	if (!entry)
		return learn_new(pkt);
	if (entry->port != pkt->port)
		return learn_move(pkt, entry);
	hd_fdb_touch(entry);
	return 0;
}

/**
 * hd_fdb_learn - remember that the source MAC is behind the port the packet came from
 *
 * Costs nothing for a port that sends from its configured MAC, in its own VLAN.
 *
 * Return: 0, -HD_DROP_MAC_STATIC, or -HD_DROP_MAC_LIMIT.
 */
static __always_inline int hd_fdb_learn(struct hd_pkt *pkt)
{
	if ((pkt->from->flags & HD_PORT_HAS_MAC) && mac_equal(pkt->src, pkt->from->mac) &&
	    pkt->vlan == pkt->from->vlan)
		return 0;
	return learn(pkt);
}

/**
 * hd_fdb_lookup - the port behind which the destination MAC is
 *
 * Return: port id, or HD_PORT_NONE if nobody knows.
 */
static __always_inline __u32 hd_fdb_lookup(const struct hd_pkt *pkt)
{
	struct hd_fdb_key key = fdb_key(pkt, pkt->dst);
	const struct hd_fdb_value *entry = bpf_map_lookup_elem(&hd_fdb, &key);
	__u32 port = entry && !fdb_expired(pkt, entry) ? entry->port : HD_PORT_NONE;

	hd_trace(pkt, HD_TRACE_FDB, port, 0);
	return port;
}
