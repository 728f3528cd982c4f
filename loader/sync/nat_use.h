/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nat_use.h - how much of an external address is in use
 *
 * All of it is read from the tables of the datapath: a daemon that has just started says the same as the one before.
 */
#pragma once

#include "heddle/nat.h"
#include "model/model.h"
#include "sync/datapath.h"

/**
 * struct hd_nat_use - of one external address
 * @pool:    which
 * @blocks:  that it has
 * @free:    blocks that the datapath may take
 * @used:    blocks that inside addresses have
 * @resting: the rest: nobody's, and not free yet
 * @ports:   that are taken out of the used blocks; also those that rest
 * @users:   inside addresses that have blocks
 */
struct hd_nat_use {
	struct hd_nat_pool_key pool;
	uint32_t blocks;
	uint32_t free;
	uint32_t used;
	uint32_t resting;
	uint32_t ports;
	uint32_t users;
};

/**
 * hd_nat_uses - of all external addresses
 * @ret: to be freed
 *
 * Looks at all inside addresses that have ports. Return: 0 or -ENOMEM.
 */
int hd_nat_uses(const struct hd_datapath *dp, const struct hd_model *model, struct hd_nat_use **ret,
		size_t *ret_n);
