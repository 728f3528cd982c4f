/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* drop.h - every drop is counted under its name */
#pragma once

#include "lib/trace.h"

/*
 * hd_drops: one counter for each (port, reason, stage, rule).
 * Writer: the datapath, on the first drop of its kind and on each one after. Reader: the daemon.
 * An entry dies when its port is removed. When the table is full a drop is counted under port 0 and rule 0; those entries are made at start.
 * All entries have their memory from the start: a program gets memory for each CPU only out of pages that are populated already, and while
 * another map is made on the machine these can run out for some milliseconds.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, HD_DROPS_DEFAULT);
	__type(key, struct hd_drop_key);
	__type(value, struct hd_drop_value);
} hd_drops SEC(".maps");

static __always_inline void drop_add(const struct hd_drop_key *key, __u32 bytes)
{
	struct hd_drop_value *value = bpf_map_lookup_elem(&hd_drops, key);

	if (!value)
		return;
	value->packets++;
	value->bytes += bytes;
}

/**
 * hd_drop_count - count a drop under (@port, @reason, @stage, @rule)
 * @port:   HD_PORT_NONE if no port is known
 * @rule:   0 if no rule decided
 * @bytes:  of the packet
 */
static __noinline int hd_drop_count(__u32 port, __u32 reason, __u32 stage, __u32 rule, __u32 bytes)
{
	struct hd_drop_key key = { .port = port, .reason = reason, .stage = stage, .rule = rule };
	struct hd_drop_value first = { .packets = 1, .bytes = bytes };
	int r;

	if (!hd_may_write())
		return 0;
	if (bpf_map_lookup_elem(&hd_drops, &key)) {
		drop_add(&key, bytes);
		return 0;
	}
	r = bpf_map_update_elem(&hd_drops, &key, &first, BPF_NOEXIST);
	if (r == 0)
		return 0;
	if (r != -EEXIST) /* else another CPU was first */
		key.port = key.rule = 0;
	drop_add(&key, bytes);
	return 0;
}
