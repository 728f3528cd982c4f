/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* pool.h - addresses of a network that somebody has, and the next free one */
#pragma once

#include "model/model.h"

/**
 * struct hd_pool - all addresses of one network that are taken
 * @list: as numbers (IPv4 as ::ffff:a.b.c.d), sorted
 */
struct hd_pool {
	unsigned __int128 *list;
	size_t n, room;
	bool failed;
};

/**
 * hd_pool_open - look up who has what: ports and what they are allowed, gateways, routers and their floating IPs and listeners, neighbours
 * @ret: to be closed by hd_pool_done(), also after a failure
 *
 * Return: 0 or -ENOMEM.
 */
int hd_pool_open(const struct hd_model *model, const char *network, struct hd_pool *ret);
void hd_pool_done(struct hd_pool *pool);

/** hd_pool_take - @ip has an owner, too; 0 or -ENOMEM */
int hd_pool_take(struct hd_pool *pool, const struct hd_ip *ip);

/**
 * struct hd_range - from one address to another of the same family
 * @cidr: of the subnet that holds them
 */
struct hd_range {
	struct hd_ip first;
	struct hd_ip last;
	const struct hd_ip *cidr;
};

/** hd_pool_of_subnet - what a subnet hands out: its pool, or all of it */
struct hd_range hd_pool_of_subnet(const struct hd_subnet *subnet);

/**
 * hd_pool_next - a free address that a host can have
 * @place: where to begin, as a number from the first on, and round; becomes that behind the one that is found
 *
 * Return: false if there is none; nothing has changed then.
 */
bool hd_pool_next(const struct hd_pool *pool, const struct hd_range *range, uint64_t *place,
		  struct hd_ip *ret);
