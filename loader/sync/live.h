/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * live.h - the datapath with a reporter in it, in the place of the datapath while somebody looks
 *
 * The live object works on the same tables. Links are switched to it, and back, one by one and each without a gap, so a packet meets
 * either the one or the other. Nothing of it is pinned but what the links hold: a daemon that starts after a crash puts its own programs
 * back, as after an upgrade.
 */
#pragma once

#include "sync/datapath.h"

struct hd_live;

/** hd_live_open - load it; nothing runs yet. @dp: borrowed; no links are touched. */
int hd_live_open(const struct hd_datapath *dp, const struct hd_live_filter *filter,
		 struct hd_live **ret, struct hd_error *err);

/** hd_live_swap - exchange the programs of @dp with those that it was opened with; the caller then brings the links over */
void hd_live_swap(struct hd_live *live, struct hd_datapath *dp);

/** hd_live_fn - one packet; negative: read no more after it */
typedef int (*hd_live_fn)(void *arg, const struct hd_live_packet *packet);

/** hd_live_read - what has been reported since; does not wait */
void hd_live_read(struct hd_live *live, hd_live_fn fn, void *arg);

/** hd_live_lost - packets so far that were not reported because there was no room */
uint64_t hd_live_lost(const struct hd_live *live);

/** hd_live_forget - no link runs programs of a live object any more: also not of one that a daemon left when it was killed */
void hd_live_forget(const struct hd_datapath *dp);

/** hd_live_close - unload; hd_live_swap() has been called twice, or never. NULL is fine. */
void hd_live_close(struct hd_live *live);
