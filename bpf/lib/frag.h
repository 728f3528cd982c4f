/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * frag.h - packets in pieces: only the first piece has ports; the others follow it
 *
 * What has passed of a packet is kept as a few disjoint ranges. A piece that overlaps with one of them is dropped (RFC 5722; RFC 1858 for IPv4), so
 * what the receiver puts together is what was judged.
 */
#pragma once

#include "lib/flow.h"
#include "lib/hop.h"

/* hd_frags: see heddle/flow.h. Writer: the datapath. Entries die by age, or are pushed out by newer ones. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HD_FRAGS_DEFAULT);
	__type(key, struct hd_frag_key);
	__type(value, struct hd_frag_value);
} hd_frags SEC(".maps");

/* What the twin adds a piece to; on the stack there is no room. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hd_frag_value);
} hd_frag_copy SEC(".maps");

static __always_inline void frag_key(const struct hd_ip *ip, struct hd_frag_key *key)
{
	key->network = ip->network;
	key->vlan = ip->tag & HD_VLAN_MASK;
	key->proto = ip->frag_proto;
	key->port = ip->port;
	key->id = ip->frag_id;
	hd_ip_mapped(ip, ip->saddr, key->saddr);
	hd_ip_mapped(ip, ip->daddr, key->daddr);
	/* As all its pieces have it on the wire. */
	if (ip->router && (ip->nat & NAT_DST))
		hd_ip_mapped(ip, ip->nat_dst_addr, key->daddr);
}

/* As the first piece had it on the wire: the others are translated as it was. */
static __always_inline __be16 frag_dport(const struct hd_ip *ip)
{
	return ip->router && (ip->nat & NAT_DST_PORT) ? ip->nat_dst_port : ip->dport;
}

/* Two CPUs rarely have pieces of one packet; the second waits for the few instructions of the first. */
static __always_inline bool frag_lock(struct hd_frag_value *frag)
{
	for (int i = 0; i < 16; i++)
		if (!__sync_val_compare_and_swap(&frag->lock, 0, 1))
			return true;
	return false;
}

static __always_inline void frag_unlock(struct hd_frag_value *frag)
{
	(void)__sync_lock_test_and_set(&frag->lock, 0);
}

/* A piece being added. @joined: the range that it became part of, @free: one that is not in use; HD_FRAG_RANGES = none. */
struct frag_add {
	struct hd_frag_value *frag;
	__u32 start;
	__u32 end;
	__u32 joined;
	__u32 free;
	__u32 overlaps;
};

static long frag_compare(__u32 i, void *arg)
{
	struct frag_add *add = arg;
	const struct hd_frag_range *r;

	if (i >= HD_FRAG_RANGES)
		return 1;
	r = &add->frag->range[i];
	if (!r->end) {
		add->free = i;
		return 0;
	}
	if (add->start >= r->end || r->start >= add->end)
		return 0;
	add->overlaps = 1;
	return 1;
}

/* What it touches becomes part of it; a piece that closes a gap takes in two. */
static long frag_join(__u32 i, void *arg)
{
	struct frag_add *add = arg;
	struct hd_frag_range *r;

	if (i >= HD_FRAG_RANGES)
		return 1;
	r = &add->frag->range[i];
	if (!r->end || (r->end != add->start && r->start != add->end))
		return 0;
	if (r->end == add->start)
		add->start = r->start;
	else
		add->end = r->end;
	r->end = 0;
	add->joined = i;
	return 0;
}

/* Adds [start, end): joined with what it touches, else in a free place. @last: the packet ends there. */
static __always_inline int frag_add(struct hd_frag_value *frag, __u32 start, __u32 end, bool last)
{
	struct frag_add add = { .frag = frag,
				.start = start,
				.end = end,
				.joined = HD_FRAG_RANGES,
				.free = HD_FRAG_RANGES };
	struct hd_frag_range *r;

	bpf_loop(HD_FRAG_RANGES, frag_compare, &add, 0);
	if (add.overlaps)
		return -HD_DROP_FRAG_OVERLAP;
	bpf_loop(HD_FRAG_RANGES, frag_join, &add, 0);
	if (add.joined == HD_FRAG_RANGES)
		add.joined = add.free;
	if (add.joined >= HD_FRAG_RANGES)
		return -HD_DROP_FRAG_FULL;
	r = &frag->range[add.joined];
	r->start = add.start;
	r->end = add.end;
	if (last)
		frag->total = end;
	if (!add.start && add.end == frag->total)
		frag->state = HD_FRAG_COMPLETE;
	return 0;
}

/* Notes that [start, end) passes. */
static __always_inline int frag_note_range(struct hd_frag_value *frag, __u32 start, __u32 end,
					   bool last)
{
	int r;

	if (end > 65535 || start >= end)
		return -HD_DROP_IP_MALFORMED;
	if (!frag_lock(frag))
		return -HD_DROP_FRAG_FULL;
	r = frag_add(frag, start, end, last);
	if (r == 0)
		frag->seen = flow_now();
	frag_unlock(frag);
	return r;
}

/* The twin says what would come of it, by a copy. */
static __always_inline int frag_note(const struct hd_ip *ip, struct hd_frag_value *frag)
{
	__u32 start = ip->frag_off, end = start + ip->frag_len;
	bool last = ip->flags & HD_IP_LAST;
	__u32 zero = 0;

	if (!hd_may_write()) {
		struct hd_frag_value *copy = bpf_map_lookup_elem(&hd_frag_copy, &zero);

		if (!copy)
			return -HD_DROP_FRAG_FULL;
		*copy = *frag;
		copy->lock = 0; /* of whoever has it in the tables */
		frag = copy;
	}
	return frag_note_range(frag, start, end, last);
}

/* @complete: also if this piece was the last that was missing */
static __always_inline struct hd_frag_value *frag_find(struct hd_ip *ip, bool complete)
{
	struct hd_frag_value *frag;
	struct hd_frag_key key;

	frag_key(ip, &key);
	frag = bpf_map_lookup_elem(&hd_frags, &key);
	if (!frag || frag->state == HD_FRAG_WAITING ||
	    (frag->state == HD_FRAG_COMPLETE && !complete) ||
	    (__s32)(flow_now() - frag->seen) > (__s32)hd_cfg.timeouts[HD_TIMEOUT_FRAGMENT])
		return NULL;
	ip->sport = frag->sport;
	ip->dport = frag->dport;
	ip->proto = frag->proto;
	return frag;
}

/*
 * The public functions are global and take numbers, so that the verifier looks at each once, and forgets by which way it got there; all that they
 * must know about the packet lies in its scratch.
 */
static __always_inline struct hd_ip *frag_recall(__u32 stage)
{
	__u32 slot = stage == HD_STAGE_PORT_OUT;

	return bpf_map_lookup_elem(&hd_scratch, &slot);
}

/** hd_frag_ports - give a later piece the ports of its first, which has been noted already; 0 or -HD_DROP_FRAG_ORPHAN */
__noinline int hd_frag_ports(__u32 stage)
{
	struct hd_ip *ip = frag_recall(stage);

	return ip && frag_find(ip, true) ? 0 : -HD_DROP_FRAG_ORPHAN;
}

/**
 * hd_frag_follow - give a later piece the ports of its first
 *
 * Return: 0, -HD_DROP_FRAG_ORPHAN if the first has not been let through, -HD_DROP_FRAG_OVERLAP, -HD_DROP_FRAG_FULL.
 */
__noinline int hd_frag_follow(__u32 stage)
{
	struct hd_ip *ip = frag_recall(stage);
	struct hd_frag_value *frag = ip ? frag_find(ip, false) : NULL;

	if (!frag)
		return -HD_DROP_FRAG_ORPHAN;
	hd_trace_at(stage, HD_TRACE_FRAGMENT, 0, 0);
	return frag_note(ip, frag);
}

/* Whether a first piece belongs to what is known: all of that may have passed, or part of it been lost on the way a while ago. */
static __always_inline bool frag_is_current(const struct hd_frag_value *frag)
{
	return frag->state != HD_FRAG_COMPLETE &&
	       (__s32)(flow_now() - frag->seen) <= (__s32)hd_cfg.hz;
}

/* Notes a first piece of a packet that is new. Its own function, so that the entry is not on the stack while ranges are joined. */
static __noinline int frag_fresh(const struct hd_ip *ip, const struct hd_frag_key *key)
{
	struct hd_frag_value fresh = { .state = HD_FRAG_ALLOWED };

	if (!ip || !key)
		return -HD_DROP_FRAG_FULL;
	fresh.sport = ip->sport;
	fresh.dport = frag_dport(ip);
	fresh.proto = ip->proto;
	fresh.seen = flow_now();
	fresh.range[0].end = ip->frag_len;
	return bpf_map_update_elem(&hd_frags, key, &fresh, BPF_ANY) ? -HD_DROP_FRAG_FULL : 0;
}

/* The same for one whose other pieces may wait. */
static __always_inline int frag_awaited(const struct hd_ip *ip, struct hd_frag_value *frag)
{
	bool first = frag->state == HD_FRAG_WAITING;
	int r = frag_note(ip, frag);

	if (r < 0 || !first || !hd_may_write())
		return r;
	frag->sport = ip->sport;
	frag->dport = frag_dport(ip);
	frag->proto = ip->proto;
	frag->state = HD_FRAG_ALLOWED;
	return frag->held & 0xff;
}

/**
 * hd_frag_begin - note a first piece that is let through, so that the others may follow
 *
 * A second first piece with the same identification overlaps with the first one, unless that packet is complete or a second old.
 *
 * Return: how many pieces wait for it, -HD_DROP_FRAG_OVERLAP or -HD_DROP_FRAG_FULL.
 */
__noinline int hd_frag_begin(__u32 stage)
{
	struct hd_ip *ip = frag_recall(stage);
	struct hd_frag_value *frag;
	struct hd_frag_key key;

	if (!ip)
		return -HD_DROP_FRAG_FULL;
	frag_key(ip, &key);
	frag = bpf_map_lookup_elem(&hd_frags, &key);
	if (frag && frag_is_current(frag))
		return frag_awaited(ip, frag);
	return hd_may_write() ? frag_fresh(ip, &key) : 0;
}
