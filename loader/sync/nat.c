// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* nat.c - the daemon's side of address translation; see heddle/nat.h */
#include "sync/nat.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "cleanup.h"
#include "compile/table.h"
#include "flow_class.h"
#include "heddle/nat.h"
#include "log.h"
#include "sync/fdb.h"
#include "sync/flows.h"
#include "sync/nat_name.h"
#include "sync/nat_quota.h"

/* For so long nobody gets what somebody has had: what is late must not reach another (RFC 6888 REQ-8 has 120 s). */
#define REST_S 120

/* An inside endpoint, as in the key of hd_nat. */
struct endpoint {
	struct hd_nat_key key;
	UT_hash_handle hh;
};

/* What has been of no use since @since, CLOCK_MONOTONIC seconds: an endpoint, some ports of a block, or a block. */
struct idle {
	struct idle_key {
		struct hd_nat_key endpoint;
		struct hd_nat_pool_key pool;
		struct hd_nat_user_key user;
		uint32_t block;
		uint32_t port;
	} key;
	time_t since;
	bool seen;
	UT_hash_handle hh;
};

struct hd_nat_keeper {
	struct idle *idle;
};

/* One sweep. @names: of inside addresses of IPv6; @used: inside endpoints that flows have; @mapped: outside endpoints, and the blocks that they are in */
struct sweep {
	struct hd_nat_keeper *keeper;
	const struct hd_datapath *dp;
	struct hd_table names;
	struct endpoint *used;
	struct endpoint *mapped;
	time_t now;
};

static time_t now_s(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

struct hd_nat_keeper *hd_nat_keeper_new(void)
{
	return calloc(1, sizeof(struct hd_nat_keeper));
}

void hd_nat_keeper_free(struct hd_nat_keeper *keeper)
{
	struct idle *idle, *next;

	if (!keeper)
		return;
	HASH_ITER(hh, keeper->idle, idle, next) {
		HASH_DEL(keeper->idle, idle);
		free(idle);
	}
	free(keeper);
}

/* ---- pools ---- */

/* In random order, so that nobody can guess the next (RFC 6056). */
static void shuffle(uint16_t *ring, uint32_t n)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t random, k;
		uint16_t t;

		if (getrandom(&random, sizeof(random), 0) < 0)
			return;
		k = random % i;
		t = ring[k];
		ring[k] = ring[i - 1];
		ring[i - 1] = t;
	}
}

/* A copy of a table of the datapath: it is changed while we look at it. */
static int copy_row(void *arg, const void *key, const void *value)
{
	return hd_table_add(arg, key, value);
}

/* The external network of a router; 0 if it has none, or is gone. */
static uint32_t network_of(const struct hd_datapath *dp, uint32_t router)
{
	struct hd_end_value end = { 0 };

	(void)bpf_map_lookup_elem(dp->maps[HD_MAP_ENDS], &router, &end);
	return end.ifindex;
}

/* Whether an inside address has blocks of an external one. */
static bool has_some(const struct hd_nat_user *user, __be32 addr)
{
	for (int i = 0; i < HD_NAT_USER_BLOCKS; i++)
		if (user->block[i].block && user->block[i].addr == addr)
			return true;
	return false;
}

/* The blocks of an external address that some inside address has. */
struct held {
	const struct hd_datapath *dp;
	const struct hd_nat_pool_key *pool;
	bool block[HD_NAT_BLOCKS];
};

static int note_held(void *arg, const void *key, const void *value)
{
	struct hd_nat_user_key user_key;
	struct held *held = arg;
	struct hd_nat_user user;
	uint32_t network;

	memcpy(&user_key, key, sizeof(user_key));
	memcpy(&user, value, sizeof(user));
	if (!has_some(&user, held->pool->addr))
		return 0;
	/* The same address may be another one in another network. Of a router that is gone nobody knows which it was. */
	network = network_of(held->dp, user_key.router);
	if (network && network != held->pool->zone)
		return 0;
	for (int i = 0; i < HD_NAT_USER_BLOCKS; i++)
		if (user.block[i].addr == held->pool->addr)
			held->block[user.block[i].block % HD_NAT_BLOCKS] = true;
	return 0;
}

/* Which ports the host takes for its own connections; as the kernel has it at first, if it does not tell. */
static void local_ports(uint32_t *ret_first, uint32_t *ret_last)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");

	if (!file || fscanf(file, "%u %u", ret_first, ret_last) != 2) {
		*ret_first = 32768;
		*ret_last = 60999;
	}
	if (file)
		(void)fclose(file);
}

/* The blocks of a pool that nobody may have: those that lie in the host's own ports, if the address is the host's. */
static void exclude(const struct hd_nat_pool_key *key, bool excluded[HD_NAT_BLOCKS])
{
	uint32_t first, last;

	if (key->zone != HD_NETWORK_HOST)
		return;
	local_ports(&first, &last);
	for (uint32_t block = 0; block < HD_NAT_BLOCKS; block++)
		if (block >= first / HD_NAT_BLOCK_PORTS && block <= last / HD_NAT_BLOCK_PORTS)
			excluded[block] = true;
}

uint32_t hd_nat_blocks(const struct hd_nat_pool_key *pool)
{
	bool excluded[HD_NAT_BLOCKS] = { 0 };
	uint32_t n = 0;

	exclude(pool, excluded);
	for (uint32_t block = HD_NAT_BLOCK_FIRST; block < HD_NAT_BLOCKS; block++)
		n += !excluded[block];
	return n;
}

/* What somebody still has of an address that was there before comes back by the sweep. */
static int fill_pool(const struct hd_datapath *dp, const struct hd_nat_pool_key *key,
		     struct hd_nat_pool *pool)
{
	struct held held = { .dp = dp, .pool = key };
	int r = hd_map_walk(dp->maps[HD_MAP_NAT_USERS], sizeof(struct hd_nat_user_key),
			    sizeof(struct hd_nat_user), note_held, &held);

	exclude(key, held.block);
	for (uint32_t block = HD_NAT_BLOCK_FIRST; block < HD_NAT_BLOCKS; block++)
		if (!held.block[block])
			pool->ring[pool->tail++] = (uint16_t)block;
	shuffle(pool->ring, pool->tail);
	return r;
}

/* The head first: a pool that is there has one, wherever we were ended the last time. */
static int make_pool(const struct hd_datapath *dp, const struct hd_nat_pool_key *key)
{
	struct hd_nat_pool pool = { .tail = 0 };
	uint32_t head = 0;
	int r;

	if (bpf_map_lookup_elem(dp->maps[HD_MAP_NAT_POOLS], key, &pool) == 0 &&
	    bpf_map_lookup_elem(dp->maps[HD_MAP_NAT_HEADS], key, &head) == 0)
		return 0;
	memset(&pool, 0, sizeof(pool));
	r = fill_pool(dp, key, &pool);
	if (r < 0)
		return r;
	if (bpf_map_update_elem(dp->maps[HD_MAP_NAT_HEADS], key, &head, BPF_ANY) < 0 ||
	    bpf_map_update_elem(dp->maps[HD_MAP_NAT_POOLS], key, &pool, BPF_ANY) < 0)
		return -errno;
	return 0;
}

/* The address of a router that endpoints of IPv6 are of; false if it has none. */
static bool outside6_of(const struct hd_datapath *dp, uint32_t router,
			struct hd_outside6_value *ret)
{
	struct hd_fip6_key key = { .zone = router, .dir = HD_NAT_OUT };

	return bpf_map_lookup_elem(dp->maps[HD_MAP_OUTSIDES6], &key, ret) == 0;
}

bool hd_nat_pool_of(const struct hd_datapath *dp, const struct hd_object *router, int family,
		    struct hd_nat_pool_key *ret)
{
	struct hd_outside6_value outside;
	struct hd_end_value end;

	if (bpf_map_lookup_elem(dp->maps[HD_MAP_ENDS], &router->id, &end) < 0 || !end.ifindex ||
	    !(end.flags & (family == HD_V4 ? HD_END_SNAT : HD_END_NAT6)))
		return false;
	ret->zone = end.ifindex;
	ret->addr = end.local[3];
	if (family == HD_V4)
		return true;
	if (!outside6_of(dp, router->id, &outside))
		return false;
	ret->addr = outside.name;
	return true;
}

bool hd_nat_translates(const struct hd_datapath *dp, const struct hd_object *router)
{
	struct hd_nat_pool_key pool;

	return hd_nat_pool_of(dp, router, HD_V4, &pool) || hd_nat_pool_of(dp, router, HD_V6, &pool);
}

/* Key of the pools that are read: a router has one for each family. */
struct pool_of {
	uint32_t router;
	int family;
};

/* What there is outside, as the datapath has it now. @pools: by router and family; @forwards, @forwards6: outside endpoints of port forwards */
struct outside {
	const struct hd_datapath *dp;
	struct hd_table pools;
	struct hd_table forwards;
	struct hd_table forwards6;
};

static const void *pool_row(const struct outside *outside, uint32_t router, __be32 addr)
{
	struct pool_of of = { .router = router, .family = hd_nat_family(addr) };

	return hd_table_find(&outside->pools, &of);
}

static int add_pools(struct outside *outside, const struct hd_object *router)
{
	int r = 0;

	for (int family = 0; r == 0 && family < HD_FAMILIES; family++) {
		struct pool_of of = { .router = router->id, .family = family };
		struct hd_nat_pool_key pool;

		if (hd_nat_pool_of(outside->dp, router, family, &pool))
			r = hd_table_add(&outside->pools, &of, &pool);
	}
	return r;
}

static int read_outside(const struct hd_datapath *dp, const struct hd_model *model,
			struct outside *ret)
{
	int r;

	ret->dp = dp;
	hd_table_init(&ret->pools, sizeof(struct pool_of), sizeof(struct hd_nat_pool_key));
	hd_table_init(&ret->forwards6, sizeof(struct hd_nat6_key),
		      sizeof(struct hd_forward6_value));
	hd_table_init(&ret->forwards, sizeof(struct hd_nat_key), sizeof(struct hd_forward_value));
	r = hd_map_walk(dp->maps[HD_MAP_FORWARDS], ret->forwards.key_size, ret->forwards.value_size,
			copy_row, &ret->forwards);
	if (r == 0)
		r = hd_map_walk(dp->maps[HD_MAP_FORWARDS6], ret->forwards6.key_size,
				ret->forwards6.value_size, copy_row, &ret->forwards6);
	hd_model_each(model, HD_NOUN_ROUTER, router)
		if (r == 0)
			r = add_pools(ret, router);
	hd_table_sort(&ret->pools);
	hd_table_sort(&ret->forwards);
	hd_table_sort(&ret->forwards6);
	return r;
}

/* Keys to be removed after a walk, which would lose its place otherwise. */
struct unwanted {
	const struct outside *outside;
	struct hd_table keys;
};

static int note_pool(void *arg, const void *key, const void *value)
{
	struct unwanted *unwanted = arg;
	const struct hd_table *pools = &unwanted->outside->pools;

	(void)value;
	for (size_t i = 0; i < pools->n; i++)
		if (!memcmp(hd_table_value(pools, i), key, pools->value_size))
			return 0;
	return hd_table_add(&unwanted->keys, key, "");
}

/* Whether a port forward has an outside endpoint. @router: whose it would be */
static bool is_forwarded(const struct outside *outside, const struct hd_nat_key *endpoint,
			 uint32_t router)
{
	struct hd_nat6_key key = { .zone = endpoint->zone,
				   .port = endpoint->port,
				   .class = endpoint->class,
				   .dir = HD_NAT_IN };
	struct hd_outside6_value own;

	if (hd_nat_family(endpoint->addr) == HD_V4)
		return hd_table_find(&outside->forwards, endpoint);
	if (!outside6_of(outside->dp, router, &own))
		return false;
	memcpy(key.addr, own.addr, sizeof(key.addr));
	return hd_table_find(&outside->forwards6, &key);
}

static int note_endpoint(void *arg, const void *key, const void *value)
{
	struct unwanted *unwanted = arg;
	struct hd_nat_pool_key pool;
	struct hd_nat_value nat;
	struct hd_nat_key outside;
	const void *row;

	memcpy(&nat, value, sizeof(nat));
	memcpy(&outside, key, sizeof(outside));
	row = pool_row(unwanted->outside, nat.router, nat.addr);
	if (!row)
		return hd_table_add(&unwanted->keys, key, "");
	memcpy(&pool, row, sizeof(pool));
	if (outside.dir == HD_NAT_OUT) {
		outside.zone = pool.zone;
		outside.addr = nat.addr;
		outside.port = nat.port;
	}
	outside.dir = HD_NAT_IN;
	if (outside.addr == pool.addr && outside.zone == pool.zone &&
	    !is_forwarded(unwanted->outside, &outside, nat.router))
		return 0; /* and no port forward has its port now */
	return hd_table_add(&unwanted->keys, key, "");
}

/* Whether an inside address has blocks, and all of them of an address that its router does not have any more: then it could take no others. */
static bool is_outdated(const struct hd_nat_user *user, const struct hd_nat_pool_key *pool)
{
	bool any = false;

	for (int i = 0; i < HD_NAT_USER_BLOCKS; i++)
		any = any || user->block[i].block;
	return any && !has_some(user, pool->addr);
}

static int note_user(void *arg, const void *key, const void *value)
{
	struct unwanted *unwanted = arg;
	struct hd_nat_user_key user_key;
	struct hd_nat_pool_key pool;
	struct hd_nat_user user;
	const void *row;

	memcpy(&user_key, key, sizeof(user_key));
	memcpy(&user, value, sizeof(user));
	row = pool_row(unwanted->outside, user_key.router, user_key.addr);
	if (row)
		memcpy(&pool, row, sizeof(pool));
	if (row && !is_outdated(&user, &pool))
		return 0;
	return hd_table_add(&unwanted->keys, key, "");
}

static void remove_unwanted(const struct hd_datapath *dp, const struct outside *outside,
			    enum hd_map_id map, size_t key_size, size_t value_size,
			    hd_map_row_fn fn)
{
	struct unwanted unwanted = { .outside = outside };

	hd_table_init(&unwanted.keys, key_size, 0);
	(void)hd_map_walk(dp->maps[map], key_size, value_size, fn, &unwanted);
	for (size_t i = 0; i < unwanted.keys.n; i++)
		(void)bpf_map_delete_elem(dp->maps[map], hd_table_key(&unwanted.keys, i));
	hd_table_done(&unwanted.keys);
}

/* Of a router that translates no IPv6 any more. */
static int note_named(void *arg, const void *key, const void *value)
{
	struct unwanted *unwanted = arg;
	struct hd_nat_user_key user;

	(void)value;
	memcpy(&user, key, sizeof(user));
	if (pool_row(unwanted->outside, user.router, user.addr))
		return 0;
	return hd_table_add(&unwanted->keys, key, "");
}

static void unname_unwanted(const struct hd_datapath *dp, const struct outside *outside)
{
	struct unwanted unwanted = { .outside = outside };

	hd_table_init(&unwanted.keys, sizeof(struct hd_nat_user_key), 0);
	(void)hd_map_walk(dp->maps[HD_MAP_NAT_NAMED], sizeof(struct hd_nat_user_key),
			  sizeof(struct hd_nat_named), note_named, &unwanted);
	for (size_t i = 0; i < unwanted.keys.n; i++) {
		struct hd_nat_user_key user;

		memcpy(&user, hd_table_key(&unwanted.keys, i), sizeof(user));
		hd_nat_unname(dp, &user, true);
	}
	hd_table_done(&unwanted.keys);
}

static uint32_t pool_state(const struct hd_datapath *dp, const struct hd_object *router, int family)
{
	struct hd_nat_pool_key key;

	if (!hd_nat_pool_of(dp, router, family, &key))
		return 0;
	return ((router->id * 0x9e3779b1u ^ key.zone) * 0x85ebca6bu ^ key.addr) +
	       router->view.router.gateway.blocks * 0xc2b2ae35u;
}

uint32_t hd_nat_state(const struct hd_datapath *dp, const struct hd_model *model)
{
	struct hd_nat_pool_key key;
	uint32_t state = 1;

	hd_model_each(model, HD_NOUN_ROUTER, router)
		state += pool_state(dp, router, HD_V4) + pool_state(dp, router, HD_V6);
	hd_model_each(model, HD_NOUN_PORT_FORWARD, object) {
		const struct hd_port_forward *forward = &object->view.port_forward;
		uint32_t port = (uint32_t)forward->protocol << 16 | forward->listen.port;

		memcpy(&key.addr, forward->listen.ip.bytes + 12, 4);
		state += (port * 0x9e3779b1u ^ key.addr) * 0x85ebca6bu;
	}
	return state;
}

static void remove_all_unwanted(const struct hd_datapath *dp, const struct outside *outside)
{
	remove_unwanted(dp, outside, HD_MAP_NAT, sizeof(struct hd_nat_key),
			sizeof(struct hd_nat_value), note_endpoint);
	remove_unwanted(dp, outside, HD_MAP_NAT_USERS, sizeof(struct hd_nat_user_key),
			sizeof(struct hd_nat_user), note_user);
	unname_unwanted(dp, outside);
	remove_unwanted(dp, outside, HD_MAP_NAT_HEADS, sizeof(struct hd_nat_pool_key),
			sizeof(uint32_t), note_pool);
	remove_unwanted(dp, outside, HD_MAP_NAT_POOLS, sizeof(struct hd_nat_pool_key),
			sizeof(struct hd_nat_pool), note_pool);
}

int hd_nat_sync(const struct hd_datapath *dp, const struct hd_model *model)
{
	struct outside outside;
	int r = read_outside(dp, model, &outside);

	if (r == 0)
		remove_all_unwanted(dp, &outside);
	for (size_t i = 0; r == 0 && i < outside.pools.n; i++) {
		struct hd_nat_pool_key key;

		memcpy(&key, hd_table_value(&outside.pools, i), sizeof(key));
		r = make_pool(dp, &key);
	}
	hd_table_done(&outside.pools);
	hd_table_done(&outside.forwards);
	hd_table_done(&outside.forwards6);
	return r < 0 ? r : hd_nat_grant(dp, model);
}

/* ---- the sweep ---- */

static struct idle_key blank_key(void)
{
	struct idle_key key;

	memset(&key, 0, sizeof(key)); /* the padding too: it is hashed */
	return key;
}

/* Whether something that is of no use now has been so for long enough. */
static bool has_rested(struct sweep *s, const struct idle_key *key)
{
	struct idle *idle;

	HASH_FIND(hh, s->keeper->idle, key, sizeof(*key), idle);
	if (!idle) {
		idle = calloc(1, sizeof(*idle));
		if (!idle)
			return false;
		idle->key = *key;
		idle->since = s->now;
		HASH_ADD(hh, s->keeper->idle, key, sizeof(idle->key), idle);
	}
	idle->seen = true;
	return s->now - idle->since >= REST_S;
}

/* What was not idle this time begins anew the next. */
static void forget_busy(struct hd_nat_keeper *keeper)
{
	struct idle *idle, *next;

	HASH_ITER(hh, keeper->idle, idle, next) {
		if (idle->seen) {
			idle->seen = false;
			continue;
		}
		HASH_DEL(keeper->idle, idle);
		free(idle);
	}
}

static bool find(struct endpoint *set, const struct hd_nat_key *key)
{
	struct endpoint *found;

	HASH_FIND(hh, set, key, sizeof(*key), found);
	return found;
}

static int add(struct endpoint **set, const struct hd_nat_key *key)
{
	struct endpoint *endpoint;

	if (find(*set, key))
		return 0;
	endpoint = calloc(1, sizeof(*endpoint));
	if (!endpoint)
		return -ENOMEM;
	endpoint->key = *key;
	HASH_ADD(hh, *set, key, sizeof(endpoint->key), endpoint);
	return 0;
}

static void clear(struct endpoint **set)
{
	struct endpoint *endpoint, *next;

	HASH_ITER(hh, *set, endpoint, next) {
		HASH_DEL(*set, endpoint);
		free(endpoint);
	}
}

/* Who is asked from outside, and does not answer, does not use its endpoint: nobody outside can keep it in use (RFC 4787 REQ-6). */
static bool uses_endpoint(const struct hd_flow *flow, int side)
{
	return flow->value.state >= HD_FLOW_ESTABLISHED || flow->value.opener == side;
}

/* Both ends of a routed flow: one of them may have an endpoint outside. */
static int note_flow(void *arg, const struct hd_flow *flow)
{
	struct sweep *s = arg;

	for (int side = 0; flow->router && side < 2; side++) {
		struct hd_nat_key key = { .zone = flow->router,
					  .port = flow->port[side],
					  .class = hd_flow_class(flow->proto),
					  .dir = HD_NAT_OUT };
		int r;

		if (!uses_endpoint(flow, side))
			continue;
		memcpy(&key.addr, flow->addr[side] + 12, 4);
		if (!flow->is_v4)
			key.addr = hd_nat_name_of(&s->names, flow->router, flow->addr[side]);
		r = key.addr ? add(&s->used, &key) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* The walk over the endpoints, and what is to go when it is over. */
struct endpoints {
	struct sweep *s;
	struct hd_table gone;
};

static int look_at_endpoint(void *arg, const void *key, const void *value)
{
	struct endpoints *e = arg;
	struct idle_key idle = blank_key();
	struct hd_nat_key outside = { 0 };
	struct hd_nat_value nat;
	int r;

	memcpy(&idle.endpoint, key, sizeof(idle.endpoint));
	memcpy(&nat, value, sizeof(nat));
	if (idle.endpoint.dir != HD_NAT_OUT)
		return 0;
	if (!find(e->s->used, &idle.endpoint) && has_rested(e->s, &idle))
		return hd_table_add(&e->gone, key, value);
	outside.addr = nat.addr;
	outside.port = (uint16_t)(ntohs(nat.port) / HD_NAT_BLOCK_PORTS);
	outside.zone = ntohs(nat.port);
	r = add(&e->s->mapped, &outside); /* of this address, this port is in use */
	outside.zone = 0;
	return r < 0 ? r : add(&e->s->mapped, &outside); /* and this block */
}

/* The way in goes first: while there is a way out, the port is not given to anybody. */
static void remove_endpoint(const struct hd_datapath *dp, const struct hd_nat_key *out,
			    const struct hd_nat_value *value)
{
	struct hd_nat_key in = { .zone = network_of(dp, value->router),
				 .addr = value->addr,
				 .port = value->port,
				 .class = out->class,
				 .dir = HD_NAT_IN };

	(void)bpf_map_delete_elem(dp->maps[HD_MAP_NAT], &in);
	(void)bpf_map_delete_elem(dp->maps[HD_MAP_NAT], out);
}

static int sweep_endpoints(struct sweep *s)
{
	struct endpoints e = { .s = s };
	int r;

	hd_table_init(&e.gone, sizeof(struct hd_nat_key), sizeof(struct hd_nat_value));
	r = hd_map_walk(s->dp->maps[HD_MAP_NAT], sizeof(struct hd_nat_key),
			sizeof(struct hd_nat_value), look_at_endpoint, &e);
	for (size_t i = 0; r == 0 && i < e.gone.n; i++) {
		struct hd_nat_value value;
		struct hd_nat_key key;

		memcpy(&key, hd_table_key(&e.gone, i), sizeof(key));
		memcpy(&value, hd_table_value(&e.gone, i), sizeof(value));
		remove_endpoint(s->dp, &key, &value);
	}
	hd_table_done(&e.gone);
	return r;
}

static bool give(const struct hd_datapath *dp, const struct hd_nat_give *what)
{
	uint8_t frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);

	memcpy(frame + 14, what, sizeof(*what));
	return bpf_prog_test_run_opts(dp->progs[HD_PROG_NAT_GIVE], &opts) == 0 && opts.retval;
}

/* Ports of a block that are taken, but of which there is no endpoint (any more). */
static uint64_t idle_ports(struct sweep *s, const struct hd_nat_user_key *user,
			   const struct hd_nat_block *block)
{
	uint64_t ret = 0;

	for (uint32_t bit = 0; bit < HD_NAT_BLOCK_PORTS; bit++) {
		uint32_t port = block->block * HD_NAT_BLOCK_PORTS + bit;
		struct hd_nat_key outside = { .zone = port,
					      .addr = block->addr,
					      .port = (uint16_t)block->block };
		struct idle_key idle = blank_key();

		if (!(block->used >> bit & 1) || find(s->mapped, &outside))
			continue;
		idle.user = *user;
		idle.pool.addr = block->addr;
		idle.port = port;
		if (has_rested(s, &idle))
			ret |= 1ULL << bit;
	}
	return ret;
}

static void sweep_block(struct sweep *s, const struct hd_nat_user_key *user,
			const struct hd_nat_block *block)
{
	struct hd_nat_give what = { .user = *user, .block = block->block, .addr = block->addr };
	struct idle_key idle = blank_key();

	what.bits = idle_ports(s, user, block);
	if (what.bits)
		(void)give(s->dp, &what);
	if (block->used)
		return;
	idle.user = *user;
	idle.pool.addr = block->addr;
	idle.block = block->block;
	what.bits = 0;
	if (has_rested(s, &idle))
		(void)give(s->dp, &what); /* if it is in use again, the next time */
}

/* Whether an endpoint has a port of a block, whoever the block belongs to. */
static bool is_mapped(const struct sweep *s, __be32 addr, uint32_t block)
{
	struct hd_nat_key outside = { .addr = addr, .port = (uint16_t)block };

	return find(s->mapped, &outside);
}

/* Blocks of a pool that somebody has, or that wait in the ring; the others are lost, and put back when they have rested. */
static void refill(struct sweep *s, const struct hd_nat_pool_key *key, const struct hd_table *users)
{
	struct held known = { .dp = s->dp, .pool = key };
	struct hd_nat_pool pool;
	uint32_t head, n = 0;

	if (bpf_map_lookup_elem(s->dp->maps[HD_MAP_NAT_POOLS], key, &pool) < 0 ||
	    bpf_map_lookup_elem(s->dp->maps[HD_MAP_NAT_HEADS], key, &head) < 0)
		return;
	for (uint32_t i = head; i != pool.tail; i++)
		known.block[pool.ring[i % HD_NAT_BLOCKS] % HD_NAT_BLOCKS] = true;
	exclude(key, known.block);
	for (size_t i = 0; i < users->n; i++)
		(void)note_held(&known, hd_table_key(users, i), hd_table_value(users, i));
	for (uint32_t block = HD_NAT_BLOCK_FIRST; block < HD_NAT_BLOCKS; block++) {
		struct idle_key idle = blank_key();

		idle.pool = *key;
		idle.block = block;
		if (known.block[block] || is_mapped(s, key->addr, block) || !has_rested(s, &idle))
			continue;
		pool.ring[(pool.tail + n++) % HD_NAT_BLOCKS] = (uint16_t)block;
	}
	pool.tail += n;
	if (n)
		(void)bpf_map_update_elem(s->dp->maps[HD_MAP_NAT_POOLS], key, &pool, BPF_EXIST);
}

/* An inside address that has no block any more is forgotten: addresses are many, and its table is not. */
static void sweep_user(struct sweep *s, const struct hd_nat_user_key *key,
		       const struct hd_nat_user *user)
{
	struct idle_key idle = blank_key();
	bool any = false;

	for (int k = 0; k < HD_NAT_USER_BLOCKS; k++) {
		if (user->block[k].block)
			sweep_block(s, key, &user->block[k]);
		any = any || user->block[k].block || user->block[k].used;
	}
	idle.user = *key;
	if (!any && has_rested(s, &idle))
		(void)bpf_map_delete_elem(s->dp->maps[HD_MAP_NAT_USERS], key);
}

static void sweep_blocks(struct sweep *s)
{
	struct hd_table users, pools;

	hd_table_init(&users, sizeof(struct hd_nat_user_key), sizeof(struct hd_nat_user));
	hd_table_init(&pools, sizeof(struct hd_nat_pool_key), sizeof(struct hd_nat_pool));
	(void)hd_map_walk(s->dp->maps[HD_MAP_NAT_USERS], users.key_size, users.value_size, copy_row,
			  &users);
	(void)hd_map_walk(s->dp->maps[HD_MAP_NAT_POOLS], pools.key_size, pools.value_size, copy_row,
			  &pools);
	for (size_t i = 0; i < users.n; i++) {
		struct hd_nat_user_key key;
		struct hd_nat_user user;

		memcpy(&key, hd_table_key(&users, i), sizeof(key));
		memcpy(&user, hd_table_value(&users, i), sizeof(user));
		sweep_user(s, &key, &user);
	}
	for (size_t i = 0; i < pools.n; i++) {
		struct hd_nat_pool_key key;

		memcpy(&key, hd_table_key(&pools, i), sizeof(key));
		refill(s, &key, &users);
	}
	hd_table_done(&users);
	hd_table_done(&pools);
}

/* Of no use now, and what of it. */
enum { IDLE_NAME = UINT32_MAX, IDLE_NAMED = UINT32_MAX - 1 };

static bool name_has_rested(struct sweep *s, const struct hd_nat_user_key *user, uint32_t what)
{
	struct idle_key idle = blank_key();

	idle.user = *user;
	idle.port = what;
	return has_rested(s, &idle);
}

/*
 * Names of inside addresses that have no blocks any more. First nobody is called that, then it is nobody's: in between, who has looked just before may still come
 * to use it.
 */
static void sweep_names(struct sweep *s)
{
	struct hd_table all;
	struct hd_nat_user ignored;

	hd_table_init(&all, sizeof(struct hd_nat_user_key), sizeof(struct hd_nat_named));
	(void)hd_map_walk(s->dp->maps[HD_MAP_NAT_NAMED], all.key_size, all.value_size, copy_row,
			  &all);
	for (size_t i = 0; i < all.n; i++) {
		struct hd_nat_named named;
		struct hd_nat_user_key user;

		memcpy(&user, hd_table_key(&all, i), sizeof(user));
		memcpy(&named, hd_table_value(&all, i), sizeof(named));
		if (bpf_map_lookup_elem(s->dp->maps[HD_MAP_NAT_USERS], &user, &ignored) == 0)
			continue;
		if (hd_nat_name_of(&s->names, user.router, named.addr) != user.addr) {
			if (name_has_rested(s, &user, IDLE_NAMED))
				hd_nat_unname(s->dp, &user, true);
		} else if (name_has_rested(s, &user, IDLE_NAME)) {
			hd_nat_unname(s->dp, &user, false);
		}
	}
	hd_table_done(&all);
}

void hd_nat_sweep(struct hd_nat_keeper *keeper, const struct hd_datapath *dp)
{
	hd_nat_sweep_at(keeper, dp, now_s());
}

void hd_nat_sweep_at(struct hd_nat_keeper *keeper, const struct hd_datapath *dp, time_t now)
{
	struct sweep s = { .keeper = keeper, .dp = dp, .now = now };

	/* What can't be read completely could look unused. */
	if (hd_nat_names(dp, &s.names) == 0 && hd_flows_walk(dp, note_flow, &s) == 0 &&
	    sweep_endpoints(&s) == 0) {
		sweep_blocks(&s);
		sweep_names(&s);
		forget_busy(keeper);
	}
	clear(&s.used);
	clear(&s.mapped);
	hd_table_done(&s.names);
}
