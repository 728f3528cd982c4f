/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hold.h - pieces that come before the first one of their packet wait for it
 *
 * Only the first piece has ports, so nothing can be decided about the others before it is there, and a network may well deliver them in
 * another order. They are put by in a small table, as they came. When the first piece is let through, it is sent as a copy, and its buffer is
 * filled with one waiting piece after the other. What waits is counted as dropped (fragment-orphan), and taken off that count
 * when it goes on.
 */
#pragma once

#include "lib/frag.h"
#include "lib/rate.h"

/* hd_held: see heddle/flow.h. Writer: the datapath. An entry dies when its first piece comes, or is pushed out by newer ones. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HD_HELD_DEFAULT);
	__type(key, struct hd_held_key);
	__type(value, struct hd_held_value);
} hd_held SEC(".maps");

#define HOLD_PER_SECOND 256

/* A frame on its way into hd_held: too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hd_held_value);
} hd_hold_scratch SEC(".maps");

/*
 * Whether a frame of this length may wait. One bound after the other: the compiler would test both at once, by comparing the length minus the
 * lower one, and that tells the verifier of 6.1 nothing about the length itself.
 */
static __always_inline bool hold_fits(__u32 *len)
{
	if (*len > HD_HELD_BYTES)
		return false;
	asm volatile("" : "+r"(*len));
	return *len >= ETH_HLEN;
}

static __always_inline bool hold_frame(struct __sk_buff *ctx, const struct hd_ip *ip,
				       struct hd_held_value *held)
{
	__u32 len = ctx->len;

	if (!hold_fits(&len))
		return false;
	held->port = ip->port;
	held->len = len;
	held->seen = flow_now();
	held->start = ip->frag_off;
	held->end = ip->frag_off + ip->frag_len;
	held->last = ip->flags & HD_IP_LAST;
	held->prio = ip->tag & 0xffff & ~HD_VLAN_MASK;
	return !bpf_skb_load_bytes(ctx, 0, held->frame, len);
}

/* The next free place of a packet, HD_HELD_MAX if there is none. */
static __always_inline __u32 hold_index(const struct hd_frag_key *key)
{
	struct hd_frag_value fresh = { .seen = flow_now() }, *frag;

	frag = bpf_map_lookup_elem(&hd_frags, key);
	if (frag && !frag_is_current(frag))
		frag = NULL;
	if (!frag) {
		(void)bpf_map_update_elem(&hd_frags, key, &fresh, BPF_ANY); /* looked for below */
		frag = bpf_map_lookup_elem(&hd_frags, key);
	}
	if (!frag || frag->state != HD_FRAG_WAITING || frag->held >= HD_HELD_MAX)
		return HD_HELD_MAX;
	return __sync_fetch_and_add(&frag->held, 1);
}

/* So many in a second for each port: more is a flood, and would push out what others wait for. */
static __always_inline bool hold_has_room(__u32 port)
{
	struct hd_port_state *state = bpf_map_lookup_elem(&hd_port_state, &port);

	return state && hd_rate_take(&state->held, HOLD_PER_SECOND);
}

/**
 * hd_hold - put a piece by whose first one has not come
 *
 * Return: -HD_DROP_FRAG_ORPHAN, whether it waits or not: so it is counted until it goes on.
 */
__noinline int hd_hold(struct __sk_buff *ctx, __u32 stage)
{
	struct hd_ip *ip = frag_recall(stage);
	struct hd_held_value *held;
	struct hd_held_key key;
	__u32 zero = 0;

	if (!hd_may_write() || !ip)
		return -HD_DROP_FRAG_ORPHAN;
	held = bpf_map_lookup_elem(&hd_hold_scratch, &zero);
	if (!hold_has_room(ip->port) || !held || !hold_frame(ctx, ip, held))
		return -HD_DROP_FRAG_ORPHAN;
	frag_key(ip, &key.frag);
	key.index = hold_index(&key.frag);
	if (key.index < HD_HELD_MAX)
		(void)bpf_map_update_elem(&hd_held, &key, held,
					  BPF_ANY); /* no room: it stays dropped */
	return -HD_DROP_FRAG_ORPHAN;
}

/* What was counted when it was put by, in stage judge or route; the sum over the CPUs is what counts. */
static __always_inline void take_back(const struct hd_held_value *held)
{
	const struct hd_ip *ip = hd_ip_entering();
	struct hd_drop_key key = { .port = held->port,
				   .reason = HD_DROP_FRAG_ORPHAN,
				   .stage = ip && ip->router ? HD_STAGE_ROUTE : HD_STAGE_JUDGE };
	struct hd_drop_value *drop = bpf_map_lookup_elem(&hd_drops, &key);
	struct hd_counters *count = bpf_map_lookup_elem(&hd_port_counters, &key.port);

	if (drop) {
		drop->packets--;
		drop->bytes -= held->len;
	}
	if (count)
		count->drops--;
}

/* One waiting piece after the other into the buffer of the packet in hand, and a copy of it out. */
struct release {
	struct __sk_buff *ctx;
	__u32 from;
	__u8 dst[6];
	struct hd_held_key key;
	__u32 ifindex;
	__u32 flags;
	__u32 own;
	__u32 tag; /* without its priority, of which each piece has its own */
	__u32 to;
	__u32 mtu;
};

/* Each piece counts as long as the one before it: most are as long as the first. */
static __always_inline bool hold_is_limited(struct __sk_buff *ctx, __u32 flags, __u32 to)
{
	return (flags & HD_PORT_LIMIT_INGRESS) && !limit_take(ctx, to, HD_INGRESS, 0, 0);
}

static int release_one(struct release *release, struct hd_held_value *held)
{
	struct hd_pkt pkt = { .ctx = release->ctx };
	struct hd_frag_value *frag = bpf_map_lookup_elem(&hd_frags, &release->key.frag);
	__u32 len = held->len;

	if (!frag || held->port != release->from || !hold_fits(&len))
		return -HD_DROP_FRAG_ORPHAN;
	if (!mac_equal(held->frame, release->dst) || len - ETH_HLEN > release->mtu)
		return -HD_DROP_FRAG_ORPHAN;
	if (frag_note_range(frag, held->start, held->end, held->last) < 0)
		return -HD_DROP_FRAG_OVERLAP;
	if (hold_is_limited(pkt.ctx, release->flags, release->to))
		return -HD_DROP_LIMIT_INGRESS;
	if (bpf_skb_change_tail(pkt.ctx, len, 0) ||
	    bpf_skb_store_bytes(pkt.ctx, 0, held->frame, len, 0) || hd_nat_rewrite(pkt.ctx) ||
	    hd_hop_write(pkt.ctx) ||
	    vlan_clone(pkt.ctx, release->ifindex, release->flags, release->own,
		       release->tag | held->prio))
		return -HD_DROP_NO_MEMORY;
	hd_port_count_out(&pkt, release->to);
	take_back(held);
	return 0;
}

static long release_step(__u32 i, void *arg)
{
	struct release *release = arg;
	struct hd_held_value *held;

	release->key.index = i;
	held = bpf_map_lookup_elem(&hd_held, &release->key);
	if (!held)
		return 0;
	(void)release_one(release, held); /* what does not go on stays counted */
	(void)bpf_map_delete_elem(&hd_held, &release->key);
	return 0;
}

/* The first piece goes, and what is to know of it for the others. Its own function, so that all this is off the stack when they go. */
static __noinline int release_first(struct __sk_buff *ctx, __u32 stage, struct release *release)
{
	const struct hd_port_value *to = release ? hd_port_lookup(release->to) : NULL;
	const struct ethhdr *eth = ctx_header(ctx, 0, sizeof(*eth));
	struct hd_ip *ip = frag_recall(stage);
	struct hd_pkt pkt = { .ctx = ctx, .ip = ip };

	if (!to || !eth || !ip)
		return -HD_DROP_REDIRECT;
	mac_copy(release->dst, eth->h_dest);
	release->from = ip->port;
	release->ifindex = to->ifindex;
	release->flags = to->flags;
	release->own = to->vlan;
	hd_vlan_restore(&pkt);
	release->tag = hd_vlan_tag(&pkt) & ~(__u32)pkt.prio;
	release->mtu = to->mtu;
	frag_key(ip, &release->key.frag);
	if (!ip->router)
		ip->nat = 0;
	if (hold_is_limited(ctx, to->flags, release->to))
		return -HD_DROP_LIMIT_INGRESS;
	if (hd_nat_rewrite(ctx) || hd_hop_write(ctx) || hd_vlan_clone(&pkt, to) < 0)
		return -HD_DROP_REDIRECT;
	ip->flags |= HD_IP_LATER; /* what is sent on after it has no transport header */
	hd_port_count_out(&pkt, release->to);
	return 0;
}

/**
 * hd_release - send a first piece, then those that have waited for it
 * @held: how many there are
 * @to_id: where to
 *
 * Return: HD_VERDICT_DONE, or -HD_DROP_x.
 */
__noinline int hd_release(struct __sk_buff *ctx, __u32 stage, __u32 held, __u32 to_id)
{
	struct release release = { .ctx = ctx, .to = to_id };
	int r = release_first(ctx, stage, &release);

	if (r < 0)
		return r;
	bpf_loop(held < HD_HELD_MAX ? held : HD_HELD_MAX, release_step, &release, 0);
	return HD_VERDICT_DONE;
}
