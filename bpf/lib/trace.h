/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * trace.h - the twin's log
 *
 * The same object is loaded a second time with hd_cfg.trace set. The verifier then removes every write to shared state from it
 * (they stand behind hd_may_write()), and this code from the real one.
 */
#pragma once

#include "heddle/trace.h"

#include "lib/pkt.h"

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
	return !hd_cfg.trace;
}

/** hd_trace_add - log a step; only the twin gets here */
static __noinline int hd_trace_add(__u32 stage, __u32 what, __u32 a, __u32 b)
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

/** hd_trace - log a step of the packet's way; nothing in the real program */
static __always_inline void hd_trace(const struct hd_pkt *pkt, enum hd_trace_what what, __u32 a,
				     __u32 b)
{
	if (hd_cfg.trace)
		(void)hd_trace_add(pkt->stage, what, a, b);
}
