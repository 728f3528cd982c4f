// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* nat_use.c - how much of an external address is in use */
#include "sync/nat_use.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "heddle/abi.h"
#include "sync/fdb.h"
#include "sync/nat.h"
#include "sync/nat_name.h"

/* Being counted. @users: inside addresses so far; @last: for each pool, the last of them that has blocks of it */
struct count {
	const struct hd_datapath *dp;
	const struct hd_model *model;
	struct hd_nat_use *use;
	size_t n;
	size_t users;
	size_t last[HD_NAT_POOLS];
};

static int note_pool(void *arg, const void *key, const void *value)
{
	struct count *count = arg;
	struct hd_nat_use *use = &count->use[count->n];
	struct hd_nat_pool pool;
	uint32_t head;

	memcpy(&use->pool, key, sizeof(use->pool));
	memcpy(&pool, value, sizeof(pool));
	if (count->n == HD_NAT_POOLS ||
	    bpf_map_lookup_elem(count->dp->maps[HD_MAP_NAT_HEADS], key, &head) < 0)
		return 0; /* being removed */
	use->blocks = hd_nat_blocks(&use->pool);
	use->free = pool.tail - head;
	count->n++;
	return 0;
}

static void note_block(struct count *count, uint32_t zone, const struct hd_nat_block *block)
{
	for (size_t i = 0; i < count->n; i++) {
		struct hd_nat_use *use = &count->use[i];

		if (use->pool.zone != zone || use->pool.addr != block->addr)
			continue;
		use->used++;
		use->ports += (uint32_t)__builtin_popcountll(block->used);
		use->users += count->last[i] != count->users;
		count->last[i] = count->users;
	}
}

/* Its blocks may be of two addresses, where the router's has changed; equal addresses of two networks are told apart by the router. */
static int note_user(void *arg, const void *key, const void *value)
{
	struct hd_nat_pool_key pool = { 0 };
	const struct hd_object *router;
	struct hd_nat_user_key user_key;
	struct count *count = arg;
	struct hd_nat_user user;

	memcpy(&user_key, key, sizeof(user_key));
	memcpy(&user, value, sizeof(user));
	count->users++;
	router = hd_model_get_id(count->model, HD_NOUN_ROUTER, user_key.router);
	if (!router || !hd_nat_pool_of(count->dp, router, hd_nat_family(user_key.addr), &pool))
		return 0; /* it goes with the next run */
	for (int i = 0; i < HD_NAT_USER_BLOCKS; i++)
		if (user.block[i].block)
			note_block(count, pool.zone, &user.block[i]);
	return 0;
}

int hd_nat_uses(const struct hd_datapath *dp, const struct hd_model *model, struct hd_nat_use **ret,
		size_t *ret_n)
{
	_free_ struct hd_nat_use *use = calloc(HD_NAT_POOLS + 1, sizeof(*use));
	struct count count = { .dp = dp, .model = model, .use = use };
	int r;

	if (!use)
		return -ENOMEM;
	r = hd_map_walk(dp->maps[HD_MAP_NAT_POOLS], sizeof(struct hd_nat_pool_key),
			sizeof(struct hd_nat_pool), note_pool, &count);
	if (r == 0 && count.n)
		r = hd_map_walk(dp->maps[HD_MAP_NAT_USERS], sizeof(struct hd_nat_user_key),
				sizeof(struct hd_nat_user), note_user, &count);
	if (r < 0)
		return r;
	/* The datapath goes on meanwhile: a block can be counted twice. */
	for (size_t i = 0; i < count.n; i++)
		if (use[i].free + use[i].used < use[i].blocks)
			use[i].resting = use[i].blocks - use[i].free - use[i].used;
	*ret_n = count.n;
	*ret = TAKE_PTR(use);
	return 0;
}
