// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_nat_sweep.c - the daemon's sweep over what is translated, on the tables that the datapath fills, at times of the test's
 *
 * What is of no use rests four times before another gets it: the endpoint, the port, the block with its owner, the block in nobody's hands.
 */
#include "sync/nat.h"
#include "tests/prog/natted.h"

#include <bpf/bpf.h>
#include <stdlib.h>

#define REST 120

/* A daemon with its datapath. @now: seconds */
struct daemon {
	struct fixture *f;
	struct hd_datapath dp;
	struct hd_nat_keeper *keeper;
	time_t now;
};

static struct daemon daemon_of(struct fixture *f)
{
	struct daemon d = { .f = f, .keeper = hd_nat_keeper_new(), .now = 1000 };

	assert_non_null(d.keeper);
	d.dp = datapath_of(f);
	for (int i = 0; i < HD_TIMEOUT_COUNT; i++)
		d.dp.limits.timeouts_s[i] = 3600; /* flows end when the test says so */
	return d;
}

static void sweep_after(struct daemon *d, time_t seconds)
{
	d->now += seconds;
	hd_nat_sweep_at(d->keeper, &d->dp, d->now);
}

/* Ends all flows, as their timeout would. */
static void flows_end(struct fixture *f)
{
	const struct bpf_map *maps[] = { f->skel->maps.hd_rnew4, f->skel->maps.hd_rflow4 };
	struct hd_flow4_key key;

	for (size_t i = 0; i < 2; i++)
		while (bpf_map_get_next_key(bpf_map__fd(maps[i]), NULL, &key) == 0)
			assert_int_equal(bpf_map_delete_elem(bpf_map__fd(maps[i]), &key), 0);
}

static struct hd_nat_pool pool_get(struct fixture *f)
{
	struct hd_nat_pool_key key = { .zone = OUTSIDE };
	struct hd_nat_pool pool;

	pkt_address(AF_INET, GATE, &key.addr);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_nat_pools), &key, &pool),
			 0);
	return pool;
}

/* As if all blocks of the address were there, in their order. */
static void whole_pool(struct fixture *f)
{
	pool_set(f, GATE, HD_NAT_BLOCK_FIRST, HD_NAT_BLOCKS - HD_NAT_BLOCK_FIRST, 0);
}

#define FIRST_PORT (HD_NAT_BLOCK_FIRST * HD_NAT_BLOCK_PORTS)

static void asks(struct fixture *f, const struct host *who, uint16_t port)
{
	struct pkt p = to_router(udp4(who, &dan, port, 53));

	assert_int_equal(run_in(f, who->port, &p), REDIRECTED);
}

static bool is_known(struct fixture *f, const char *ip)
{
	struct hd_nat_user_key key = { .router = ROUTER };
	struct hd_nat_user user;

	pkt_address(AF_INET, ip, &key.addr);
	return bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_nat_users), &key, &user) == 0;
}

static void in_use(void **state)
{
	struct fixture *f = *state;
	struct daemon d = daemon_of(f);

	natted_world(f, 0);
	whole_pool(f);
	asks(f, &ann, 4000);
	for (int i = 0; i < 20; i++)
		sweep_after(&d, 60);
	assert_int_equal(endpoint_of(f, HD_FLOW_UDP, ann.v4, 4000), FIRST_PORT);
	assert_int_equal(user_get(f, ann.v4).block[0].used, 1);
	assert_int_equal(pool_get(f).tail, HD_NAT_BLOCKS - HD_NAT_BLOCK_FIRST);
	hd_nat_keeper_free(d.keeper);
}

static void comes_back(void **state)
{
	struct fixture *f = *state;
	struct daemon d = daemon_of(f);
	uint32_t tail = HD_NAT_BLOCKS - HD_NAT_BLOCK_FIRST;

	natted_world(f, 0);
	whole_pool(f);
	asks(f, &ann, 4000);
	asks(f, &ann, 4001);
	sweep_after(&d, 0);
	flows_end(f);
	asks(f, &ann, 4001);
	sweep_after(&d, 1);
	/* The endpoint that nobody uses, not the other. */
	sweep_after(&d, REST - 1);
	assert_int_equal(endpoints(f), 4);
	sweep_after(&d, 1);
	assert_int_equal(endpoints(f), 2);
	assert_int_equal(endpoint_of(f, HD_FLOW_UDP, ann.v4, 4001), FIRST_PORT + 1);
	/* Its port. */
	sweep_after(&d, REST - 1);
	assert_int_equal(user_get(f, ann.v4).block[0].used, 3);
	sweep_after(&d, 1);
	assert_int_equal(user_get(f, ann.v4).block[0].used, 2);
	/* The block, only when its other port is free, too. */
	flows_end(f);
	sweep_after(&d, 1);
	sweep_after(&d, REST);
	sweep_after(&d, REST);
	assert_int_equal(user_get(f, ann.v4).block[0].used, 0);
	sweep_after(&d, 1);
	sweep_after(&d, REST - 1);
	assert_int_equal(user_get(f, ann.v4).block[0].block, HD_NAT_BLOCK_FIRST);
	sweep_after(&d, 1);
	assert_int_equal(user_get(f, ann.v4).block[0].block, 0);
	assert_int_equal(user_get(f, ann.v4).block[0].addr, 0);
	/* Into the ring, at its end; and nothing is left of the host. */
	sweep_after(&d, 1);
	sweep_after(&d, REST - 1);
	assert_int_equal(pool_get(f).tail, tail);
	sweep_after(&d, 1);
	assert_int_equal(pool_get(f).tail, tail + 1);
	assert_int_equal(pool_get(f).ring[tail % HD_NAT_BLOCKS], HD_NAT_BLOCK_FIRST);
	assert_false(is_known(f, ann.v4));
	sweep_after(&d, REST);
	assert_int_equal(pool_get(f).tail, tail + 1);
	asks(f, &ann, 4000);
	assert_int_equal(endpoint_of(f, HD_FLOW_UDP, ann.v4, 4000), FIRST_PORT + 64);
	hd_nat_keeper_free(d.keeper);
}

/* Used again while it rests, it begins anew. */
static void used_again(void **state)
{
	struct fixture *f = *state;
	struct daemon d = daemon_of(f);

	natted_world(f, 0);
	whole_pool(f);
	asks(f, &ann, 4000);
	for (int i = 0; i < 5; i++) {
		flows_end(f);
		sweep_after(&d, 1);
		sweep_after(&d, REST - 1);
		asks(f, &ann, 4000);
		sweep_after(&d, 1);
		assert_int_equal(endpoint_of(f, HD_FLOW_UDP, ann.v4, 4000), FIRST_PORT);
	}
	hd_nat_keeper_free(d.keeper);
}

/* A port whose endpoint another CPU was first to make; and a block that was taken for nobody. */
static void what_is_lost(void **state)
{
	struct fixture *f = *state;
	struct daemon d = daemon_of(f);
	uint32_t tail = HD_NAT_BLOCKS - HD_NAT_BLOCK_FIRST;
	struct hd_nat_user user;

	natted_world(f, 0);
	whole_pool(f);
	asks(f, &ann, 4000);
	user = user_get(f, ann.v4);
	user.block[0].used |= 1ULL << 63;
	user_put(f, ann.v4, &user);
	pool_set(f, GATE, HD_NAT_BLOCK_FIRST, tail, 2);
	sweep_after(&d, 0);
	sweep_after(&d, REST - 1);
	assert_int_equal(user_get(f, ann.v4).block[0].used, 1 | 1ULL << 63);
	assert_int_equal(pool_get(f).tail, tail);
	sweep_after(&d, 1);
	assert_int_equal(user_get(f, ann.v4).block[0].used, 1);
	assert_int_equal(pool_get(f).tail, tail + 1);
	assert_int_equal(pool_get(f).ring[tail], HD_NAT_BLOCK_FIRST + 1);
	hd_nat_keeper_free(d.keeper);
}

/* A block that nobody has, but in which an endpoint lies: its row has gone while the datapath wrote to it. */
static void nobodys_but_mapped(void **state)
{
	struct fixture *f = *state;
	struct daemon d = daemon_of(f);
	uint32_t tail = HD_NAT_BLOCKS - HD_NAT_BLOCK_FIRST;
	struct hd_nat_user none = { 0 };

	natted_world(f, 0);
	whole_pool(f);
	asks(f, &ann, 4000);
	user_put(f, ann.v4, &none);
	for (int i = 0; i < 10; i++)
		sweep_after(&d, REST);
	assert_int_equal(pool_get(f).tail, tail);
	flows_end(f);
	for (int i = 0; i < 4; i++)
		sweep_after(&d, REST);
	assert_int_equal(pool_get(f).tail, tail + 1);
	hd_nat_keeper_free(d.keeper);
}

/* ---- whatever happens: nobody gets what another has ---- */

static void check_ring(struct fixture *f)
{
	bool free_block[HD_NAT_BLOCKS] = { false };
	struct hd_nat_pool pool = pool_get(f);
	struct hd_nat_user users[2] = { user_get(f, ann.v4), user_get(f, cat.v4) };

	for (uint32_t i = pool_head(f, GATE); i != pool.tail; i++) {
		uint16_t block = pool.ring[i % HD_NAT_BLOCKS];

		assert_false(free_block[block]);
		free_block[block] = true;
	}
	for (int u = 0; u < 2; u++)
		for (int i = 0; i < HD_NAT_USER_BLOCKS; i++)
			if (users[u].block[i].block) {
				assert_false(free_block[users[u].block[i].block]);
				free_block[users[u].block[i].block] = true; /* only one has it */
			}
}

/* The endpoint of each flow is there, and its port is taken. */
static void check_used(struct fixture *f, const struct host *who, uint16_t port, uint16_t was)
{
	uint16_t outside = endpoint_of(f, HD_FLOW_UDP, who->v4, port);
	struct hd_nat_user user = user_get(f, who->v4);
	int found = 0;

	assert_int_equal(outside, was);
	for (int i = 0; i < HD_NAT_USER_BLOCKS; i++)
		if (user.block[i].block == outside / HD_NAT_BLOCK_PORTS)
			found += (int)(user.block[i].used >> outside % HD_NAT_BLOCK_PORTS & 1);
	assert_int_equal(found, 1);
}

static void at_random(void **state)
{
	struct fixture *f = *state;
	uint16_t outside[2][100] = { 0 };
	struct daemon d;

	fixture_resize(f, (struct sizes){ .new_flows = 4096 }); /* none is pushed out */
	d = daemon_of(f);
	natted_world(f, 0);
	whole_pool(f);
	srand(1);
	for (int step = 0; step < 600; step++) {
		int who = rand() % 2, port = rand() % 100;

		if (rand() % 100 < 2) {
			flows_end(f);
			memset(outside, 0, sizeof(outside));
		}
		if (rand() % 100 < 40) {
			asks(f, who ? &cat : &ann, (uint16_t)(4000 + port));
			outside[who][port] = endpoint_of(f, HD_FLOW_UDP, who ? cat.v4 : ann.v4,
							 (uint16_t)(4000 + port));
		}
		sweep_after(&d, rand() % 50);
		check_ring(f);
		for (int i = 0; i < 200; i++)
			if (outside[i / 100][i % 100])
				check_used(f, i / 100 ? &cat : &ann, (uint16_t)(4000 + i % 100),
					   outside[i / 100][i % 100]);
	}
	hd_nat_keeper_free(d.keeper);
}

/* ---- IPv6: names ---- */

static uint32_t rows_of(const struct bpf_map *map)
{
	uint8_t key[64], *last = NULL;
	uint32_t n = 0;

	for (; bpf_map_get_next_key(bpf_map__fd(map), last, key) == 0; last = key)
		n++;
	return n;
}

static void flows6_end(struct fixture *f)
{
	const struct bpf_map *maps[] = { f->skel->maps.hd_rnew6, f->skel->maps.hd_rflow6 };
	struct hd_flow6_key key;

	for (size_t i = 0; i < 2; i++)
		while (bpf_map_get_next_key(bpf_map__fd(maps[i]), NULL, &key) == 0)
			assert_int_equal(bpf_map_delete_elem(bpf_map__fd(maps[i]), &key), 0);
}

static void asks6(struct fixture *f, const struct host *who, uint16_t port)
{
	struct pkt p = to_router(udp6(who, &dan, port, 53));

	assert_int_equal(run_in(f, who->port, &p), REDIRECTED);
}

/* An address keeps its name while it is used. Then all goes, endpoint, port, block, owner; and last the name: first nobody is called that, then it is nobody's. */
static void names(void **state)
{
	struct fixture *f = *state;
	struct daemon d = daemon_of(f);

	natted_world(f, 0);
	router_joins(f, ROUTER, OUTSIDE, "2001:db8:2::", 64, GATE2_6);
	masked6(f, "2001:db8:2::77", HD_END_SNAT6, 4);
	asks6(f, &ann, 4000);
	asks6(f, &cat, 4000);
	for (int i = 0; i < 10; i++)
		sweep_after(&d, 60);
	assert_int_equal(endpoints(f), 4);
	assert_int_equal(rows_of(f->skel->maps.hd_nat_names), 2);
	assert_int_equal(rows_of(f->skel->maps.hd_nat_users), 2);
	flows6_end(f);
	asks6(f, &cat, 4000);
	for (int i = 0; rows_of(f->skel->maps.hd_nat_names) == 2; i++) {
		assert_in_range(i, 0, 30);
		assert_int_equal(rows_of(f->skel->maps.hd_nat_named), 2);
		sweep_after(&d, 60);
	}
	assert_int_equal(rows_of(f->skel->maps.hd_nat_users), 1);
	assert_int_equal(rows_of(f->skel->maps.hd_nat_named), 2);
	sweep_after(&d, 60);
	assert_int_equal(rows_of(f->skel->maps.hd_nat_named), 2);
	asks6(f, &ann, 4000); /* she has another one now */
	assert_int_equal(rows_of(f->skel->maps.hd_nat_named), 3);
	sweep_after(&d, 60);
	sweep_after(&d, 60);
	assert_int_equal(rows_of(f->skel->maps.hd_nat_named), 2);
	assert_int_equal(rows_of(f->skel->maps.hd_nat_names), 2);
	assert_int_equal(endpoints(f), 4);
	flows6_end(f);
	for (int i = 0; i < 20; i++)
		sweep_after(&d, 60);
	assert_int_equal(endpoints(f), 0);
	assert_int_equal(rows_of(f->skel->maps.hd_nat_users), 0);
	assert_int_equal(rows_of(f->skel->maps.hd_nat_names), 0);
	assert_int_equal(rows_of(f->skel->maps.hd_nat_named), 0);
	hd_nat_keeper_free(d.keeper);
}

int nat_sweep_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(in_use),	    TEST(comes_back),	      TEST(used_again),
		TEST(what_is_lost), TEST(nobodys_but_mapped), TEST(at_random),
		TEST(names),
	};

	return cmocka_run_group_tests_name("nat_sweep", tests, NULL, NULL);
}
