/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * trace.h - the steps of a packet, written down
 *
 * In the datapath itself hd_cfg.trace is 0 and the verifier removes all of this. In the twin it removes every write to shared state
 * instead: they stand behind hd_may_write(). The live object keeps both. See heddle/trace.h.
 */
#pragma once

#include "heddle/trace.h"

#include "lib/live.h"

/* hd_trace_log: see heddle/trace.h. Writer: the twin, one run at a time. Reader: the daemon, after the run. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HD_TRACE_MAX + 1);
	__type(key, __u32);
	__type(value, struct hd_trace_record);
} hd_trace_log SEC(".maps");

/** hd_may_write - whether this program may change what others see */
static __always_inline bool hd_may_write(void)
{
	return hd_cfg.trace != HD_TRACE_TWIN;
}

/* The twin's log; only the twin gets here. */
static __noinline int trace_add(__u32 stage, __u32 what, __u32 a, __u32 b)
{
	struct hd_trace_record *head, *record;
	__u32 at = 0;

	head = bpf_map_lookup_elem(&hd_trace_log, &at);
	if (!head || head->stage >= HD_TRACE_MAX)
		return 0;
	at = ++head->stage;
	record = bpf_map_lookup_elem(&hd_trace_log, &at);
	if (!record)
		return 0;
	record->stage = stage;
	record->what = what;
	record->a = a;
	record->b = b;
	return 0;
}

/** hd_trace, hd_trace_at - log a step of the packet's way; nothing in the datapath itself */
static __always_inline void hd_trace_at(__u32 stage, enum hd_trace_what what, __u32 a, __u32 b)
{
	if (hd_cfg.trace == HD_TRACE_TWIN)
		(void)trace_add(stage, what, a, b);
	if (hd_cfg.trace == HD_TRACE_LIVE)
		(void)hd_live_step(stage, what, a, b);
}

static __always_inline void hd_trace(const struct hd_pkt *pkt, enum hd_trace_what what, __u32 a,
				     __u32 b)
{
	hd_trace_at(pkt->stage, what, a, b);
}
