/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nat_quota.h - how many blocks of ports a router may have, and has
 *
 * The datapath counts what a router takes (hd_nat_shares) and stops at what the daemon has granted (hd_nat_quotas): what was taken, and as many more as it may
 * have besides those that its inside addresses hold. Nothing else is kept, so whatever was lost on the way is back with the next count.
 */
#pragma once

#include "compile/table.h"
#include "heddle/nat.h"
#include "model/model.h"
#include "sync/datapath.h"

/** hd_nat_held - blocks that inside addresses have, by router: @ret is for hd_nat_held_by(), then hd_table_done() */
int hd_nat_held(const struct hd_datapath *dp, struct hd_table *ret);

/** hd_nat_held_by - of one router, by its id */
uint32_t hd_nat_held_by(const struct hd_table *held, uint32_t router);

/**
 * hd_nat_grant - let routers that have a quota take as many blocks as they have fewer
 *
 * Called when the configuration has changed and when blocks may have come back. Return: 0 or -errno.
 */
int hd_nat_grant(const struct hd_datapath *dp, const struct hd_model *model);
