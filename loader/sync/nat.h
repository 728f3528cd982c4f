/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nat.h - the daemon's side of address translation: pools of ports for the datapath, and giving back what no flow uses
 *
 * Nothing is kept but how long something has been of no use: all else is read from the tables, so a daemon that starts finds everything as it is.
 */
#pragma once

#include <time.h>

#include "heddle/nat.h"
#include "model/model.h"
#include "sync/datapath.h"
#include "sync/flows.h"

struct hd_nat_keeper;

struct hd_nat_keeper *hd_nat_keeper_new(void); /* NULL without memory */
void hd_nat_keeper_free(struct hd_nat_keeper *keeper);

/** hd_nat_state - differs when hd_nat_sync() has something to do; never 0 */
uint32_t hd_nat_state(const struct hd_datapath *dp, const struct hd_model *model);

/** hd_nat_sync - a pool for each external address of the model, none for others; called when the configuration has changed */
int hd_nat_sync(const struct hd_datapath *dp, const struct hd_model *model);

/** hd_nat_pool_of - key of the pool that a router takes ports of a family from (HD_V4, HD_V6); false if it translates none */
bool hd_nat_pool_of(const struct hd_datapath *dp, const struct hd_object *router, int family,
		    struct hd_nat_pool_key *ret);

/** hd_nat_translates - whether a router has a pool at all */
bool hd_nat_translates(const struct hd_datapath *dp, const struct hd_object *router);

/**
 * hd_nat_outside - what an end of a flow is called outside; false if that is nothing else than inside
 * @side:     of the flow
 * @ret_addr: without a length
 * @ret_port: likewise; that of the flow where only the address is translated
 */
bool hd_nat_outside(const struct hd_datapath *dp, const struct hd_flow *flow, int side,
		    struct hd_ip *ret_addr, uint16_t *ret_port);

/** hd_nat_blocks - how many blocks a pool has: all, or those that the host does not take its own ports out of */
uint32_t hd_nat_blocks(const struct hd_nat_pool_key *pool);

/**
 * hd_nat_sweep - look for endpoints, ports and blocks that no flow uses; what has rested long enough is given back
 *
 * Looks at all flows that cross a router.
 */
void hd_nat_sweep(struct hd_nat_keeper *keeper, const struct hd_datapath *dp);

/** hd_nat_sweep_at - the same at a time of the caller's, in seconds: for tests, which have none to wait */
void hd_nat_sweep_at(struct hd_nat_keeper *keeper, const struct hd_datapath *dp, time_t now);
