// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* nat_quota.c - how many blocks of ports a router may have, and has */
#include "sync/nat_quota.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "sync/fdb.h"
#include "sync/nat.h"

/* ---- what they have ---- */

static uint32_t blocks_of(const struct hd_nat_user *user)
{
	uint32_t n = 0;

	for (int i = 0; i < HD_NAT_USER_BLOCKS; i++)
		n += user->block[i].block != 0;
	return n;
}

/* One row for each inside address: they are summed up when they are asked for. */
static int note_user(void *arg, const void *key, const void *value)
{
	struct hd_nat_user_key user_key;
	struct hd_nat_user user;
	uint32_t blocks;

	memcpy(&user_key, key, sizeof(user_key));
	memcpy(&user, value, sizeof(user));
	blocks = blocks_of(&user);
	return hd_table_add(arg, &user_key, &blocks);
}

int hd_nat_held(const struct hd_datapath *dp, struct hd_table *ret)
{
	int r;

	hd_table_init(ret, sizeof(struct hd_nat_user_key), sizeof(uint32_t));
	r = hd_map_walk(dp->maps[HD_MAP_NAT_USERS], ret->key_size, sizeof(struct hd_nat_user),
			note_user, ret);
	hd_table_sort(ret);
	return r;
}

uint32_t hd_nat_held_by(const struct hd_table *held, uint32_t router)
{
	uint32_t n = 0;

	for (size_t i = 0; i < held->n; i++) {
		struct hd_nat_user_key key;
		uint32_t blocks;

		memcpy(&key, hd_table_key(held, i), sizeof(key));
		memcpy(&blocks, hd_table_value(held, i), sizeof(blocks));
		n += key.router == router ? blocks : 0;
	}
	return n;
}

/* ---- what they may have ---- */

/* Routers with a quota, and how many blocks each has taken so far: one that is new has taken none. */
static int read_taken(const struct hd_datapath *dp, const struct hd_model *model,
		      struct hd_table *ret)
{
	int r = 0;

	hd_model_each(model, HD_NOUN_ROUTER, router) {
		int fd = dp->maps[HD_MAP_NAT_SHARES];
		uint32_t taken = 0;

		if (!router->view.router.gateway.blocks || !hd_nat_translates(dp, router))
			continue;
		if (bpf_map_lookup_elem(fd, &router->id, &taken) < 0 &&
		    bpf_map_update_elem(fd, &router->id, &taken, BPF_NOEXIST) < 0)
			return -errno;
		r = hd_table_add(ret, &router->id, &taken);
		if (r < 0)
			return r;
	}
	hd_table_sort(ret);
	return 0;
}

static int grant(const struct hd_datapath *dp, const struct hd_model *model,
		 const struct hd_table *taken, const struct hd_table *held)
{
	for (size_t i = 0; i < taken->n; i++) {
		const struct hd_object *router;
		uint32_t id, may;

		memcpy(&id, hd_table_key(taken, i), sizeof(id));
		memcpy(&may, hd_table_value(taken, i), sizeof(may));
		router = hd_model_get_id(model, HD_NOUN_ROUTER, id);
		may += router->view.router.gateway.blocks - hd_nat_held_by(held, id);
		if (bpf_map_update_elem(dp->maps[HD_MAP_NAT_QUOTAS], &id, &may, BPF_ANY) < 0)
			return -errno;
	}
	return 0;
}

struct without {
	const struct hd_table *taken;
	struct hd_table keys;
};

static int note_without(void *arg, const void *key, const void *value)
{
	struct without *without = arg;

	(void)value;
	return hd_table_find(without->taken, key) ? 0 : hd_table_add(&without->keys, key, "");
}

/* Of routers that have no quota any more. */
static void forget_others(const struct hd_datapath *dp, enum hd_map_id map,
			  const struct hd_table *taken)
{
	struct without without = { .taken = taken };

	hd_table_init(&without.keys, sizeof(uint32_t), 0);
	(void)hd_map_walk(dp->maps[map], sizeof(uint32_t), sizeof(uint32_t), note_without,
			  &without);
	for (size_t i = 0; i < without.keys.n; i++)
		(void)bpf_map_delete_elem(dp->maps[map], hd_table_key(&without.keys, i));
	hd_table_done(&without.keys);
}

/* What is taken between the two counts is in both, so that it counts twice: never too few. */
int hd_nat_grant(const struct hd_datapath *dp, const struct hd_model *model)
{
	struct hd_table taken, held;
	int r;

	hd_table_init(&taken, sizeof(uint32_t), sizeof(uint32_t));
	hd_table_init(&held, sizeof(struct hd_nat_user_key), sizeof(uint32_t));
	r = read_taken(dp, model, &taken);
	if (r == 0)
		forget_others(dp, HD_MAP_NAT_QUOTAS, &taken);
	if (r == 0)
		forget_others(dp, HD_MAP_NAT_SHARES, &taken);
	if (r == 0 && taken.n)
		r = hd_nat_held(dp, &held);
	if (r == 0)
		r = grant(dp, model, &taken, &held);
	hd_table_done(&taken);
	hd_table_done(&held);
	return r;
}
