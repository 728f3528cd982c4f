/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fdb.h - the daemon's side of learning: sweep, flush, list */
#pragma once

#include "heddle/fdb.h"
#include "sync/datapath.h"

/** hd_map_row_fn - one entry of a map; non-zero stops the walk and is returned */
typedef int (*hd_map_row_fn)(void *arg, const void *key, const void *value);

/** hd_map_walk - report all entries of an array or hash, read in batches; entries that come and go meanwhile may be missed */
int hd_map_walk(int fd, size_t key_size, size_t value_size, hd_map_row_fn fn, void *arg);

/** hd_fdb_forget - remove one learned entry and take it off its port's count; a static one is left alone. True if it went. */
bool hd_fdb_forget(const struct hd_datapath *dp, const struct hd_fdb_key *key);

/** hd_fdb_sweep - remove learned entries that are too old, or whose port is gone; returns how many */
unsigned int hd_fdb_sweep(const struct hd_datapath *dp, const struct hd_model *model);

/**
 * hd_fdb_flush - forget learned entries
 * @network: only of this network, 0 = of all
 * @port:    only of this port, 0 = of all
 */
unsigned int hd_fdb_flush(const struct hd_datapath *dp, uint32_t network, uint32_t port);

/** hd_fdb_make_room - forget some learned entries, whoever's: a configured one has no room. Returns how many went. */
unsigned int hd_fdb_make_room(const struct hd_datapath *dp);

/** hd_fdb_age - seconds since a learned entry was heard; @now: hd_datapath_now() */
uint32_t hd_fdb_age(const struct hd_datapath *dp, const struct hd_fdb_value *value, uint32_t now);

/** hd_fdb_is_old - whether the datapath would treat it as absent */
bool hd_fdb_is_old(const struct hd_datapath *dp, const struct hd_network *network,
		   const struct hd_fdb_value *value, uint32_t now);
