// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_nat_quota.c - how many ports an inside address may have, and a router: RFC 6888 REQ-4 */
#include "sync/nat_quota.h"
#include "tests/prog/natted.h"

#include <bpf/bpf.h>

#define LIMITED (HD_END_SNAT | HD_END_NAT_QUOTA)

/* Whether a new endpoint is there afterwards. */
static bool gets(struct fixture *f, const struct host *who, uint16_t port)
{
	struct pkt p = to_router(udp4(who, &dan, port, 53));

	assert_int_equal(run_in(f, who->port, &p), REDIRECTED); /* or a message about it */
	return endpoint_of(f, HD_FLOW_UDP, who->v4, port);
}

/* As many new endpoints as there are to be had, from this port on; in the end one is refused. */
static uint32_t gets_all(struct fixture *f, const struct host *who, uint16_t port)
{
	uint32_t n = 0;

	while (gets(f, who, (uint16_t)(port + n)))
		n++;
	return n;
}

static void may_have(struct fixture *f, uint32_t blocks)
{
	gateway_set(f, ROUTER, GATE, HD_END_SNAT);
	end_mtu(f, ROUTER, blocks);
}

/* ---- an address ---- */

static void limit_of_an_address(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 8);
	may_have(f, 2);
	assert_int_equal(gets_all(f, &ann, 4000), 2 * 64);
	assert_int_equal(gets_all(f, &ann, 5000), 0);
	assert_int_equal(gets_all(f, &cat, 4000), 2 * 64);
	assert_int_equal(pool_head(f, GATE), 4);
	/* With the next packet. */
	may_have(f, 3);
	assert_int_equal(gets_all(f, &ann, 5000), 64);
	assert_int_equal(pool_head(f, GATE), 5);
	/* Nothing that it does not know. */
	end_mtu(f, ROUTER, 0);
	assert_int_equal(gets_all(f, &ann, 6000), 3 * 64);
	assert_int_equal(pool_head(f, GATE), 8);
}

/* Fewer than it has: what it has goes on, and of the blocks beyond the limit no port is taken any more. */
static void lower_than_before(void **state)
{
	struct fixture *f = *state;
	struct hd_nat_user user;

	natted_world(f, 8);
	assert_true(gets(f, &ann, 4000));
	for (uint16_t i = 1; i < 100; i++)
		assert_true(gets(f, &ann, (uint16_t)(4000 + i)));
	may_have(f, 1);
	assert_int_equal(gets_all(f, &ann, 5000), 0);
	for (uint16_t i = 0; i < 100; i++)
		assert_int_equal(endpoint_of(f, HD_FLOW_UDP, ann.v4, (uint16_t)(4000 + i)),
				 PORT(i));
	/* One of the first block's is free again. */
	user = user_get(f, ann.v4);
	user.block[0].used &= ~(1ULL << 5);
	user_put(f, ann.v4, &user);
	assert_int_equal(gets_all(f, &ann, 6000), 1);
	assert_int_equal(endpoint_of(f, HD_FLOW_UDP, ann.v4, 6000), PORT(5));
	/* The first block has gone back: the other is the one that it may have. */
	user.block[0] = (struct hd_nat_block){ 0 };
	user_put(f, ann.v4, &user);
	assert_int_equal(gets_all(f, &ann, 7000), 64 - 36);
	assert_int_equal(pool_head(f, GATE), 2);
}

/* ---- a router ---- */

static struct hd_model *model_of(const char *gateway)
{
	struct hd_model *model = hd_model_new();

	assert_non_null(model);
	model_put(model, HD_NOUN_NETWORK, "ext", OUTSIDE,
		  "{\"type\":\"flat\",\"physical\":\"one\"}");
	model_put(model, HD_NOUN_ROUTER, "r1", ROUTER, gateway);
	return model;
}

/* What the daemon does when its configuration has changed, and after each sweep. */
static void grant(struct fixture *f, const char *gateway)
{
	struct hd_model *model = model_of(gateway);
	struct hd_datapath dp = datapath_of(f);

	assert_int_equal(hd_nat_grant(&dp, model), 0);
	hd_model_free(model);
}

static bool has_quota(struct fixture *f)
{
	uint32_t router = ROUTER, n;

	return bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_nat_quotas), &router, &n) == 0;
}

#define OF(ports)                                                                                  \
	"{\"gateway\":{\"network\":\"ext\",\"ip\":\"198.51.100.1\",\"nat-ports\":" #ports "}}"
#define NO_QUOTA "{\"gateway\":{\"network\":\"ext\",\"ip\":\"198.51.100.1\"}}"

static void quota_of_a_router(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 8);
	gateway_set(f, ROUTER, GATE, LIMITED);
	grant(f, OF(192));
	assert_int_equal(gets_all(f, &ann, 4000), 192);
	assert_int_equal(gets_all(f, &cat, 4000), 0);
	grant(f, OF(192)); /* nothing has come back */
	assert_int_equal(gets_all(f, &cat, 4000), 0);
	assert_int_equal(pool_head(f, GATE), 3);
	/* More, fewer than it has, and none. */
	grant(f, OF(320));
	assert_int_equal(gets_all(f, &cat, 4000), 128);
	grant(f, OF(64));
	assert_int_equal(gets_all(f, &cat, 5000), 0);
	assert_true(gets(f, &cat, 4000));
	gateway_set(f, ROUTER, GATE, HD_END_SNAT);
	grant(f, NO_QUOTA);
	assert_false(has_quota(f));
	assert_int_equal(gets_all(f, &ann, 5000), 3 * 64);
	assert_int_equal(pool_head(f, GATE), 8);
}

/* A block that was given back may be taken again, by whoever of the router. */
static void what_comes_back(void **state)
{
	struct fixture *f = *state;
	struct hd_nat_user user;

	natted_world(f, 8);
	gateway_set(f, ROUTER, GATE, LIMITED);
	grant(f, OF(128));
	assert_int_equal(gets_all(f, &ann, 4000), 128);
	user = user_get(f, ann.v4);
	user.block[1] = (struct hd_nat_block){ 0 };
	user_put(f, ann.v4, &user);
	assert_int_equal(gets_all(f, &cat, 4000), 0);
	grant(f, OF(128));
	assert_int_equal(gets_all(f, &cat, 4000), 64);
}

/* While the pool that it shares is empty it asks in vain; that is not held against it when there is something again. */
static void asked_in_vain(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 1);
	gateway_set(f, ROUTER, GATE, LIMITED);
	grant(f, OF(192));
	assert_int_equal(gets_all(f, &ann, 4000), 64);
	for (uint16_t i = 0; i < 10; i++)
		assert_false(gets(f, &ann, 5000));
	pool_set(f, GATE, BLOCK, 8, 1);
	grant(f, OF(192));
	assert_int_equal(gets_all(f, &ann, 5000), 128);
}

/* Blocks that it has from before it had a quota count. */
static void a_quota_later(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 8);
	for (uint16_t i = 0; i < 65; i++)
		assert_true(gets(f, &ann, (uint16_t)(4000 + i)));
	gateway_set(f, ROUTER, GATE, LIMITED);
	assert_true(gets(f, &cat, 4000)); /* it is not told yet: nobody waits for that */
	grant(f, OF(256));
	assert_int_equal(gets_all(f, &cat, 5000), 63 + 64);
	assert_int_equal(gets_all(f, &ann, 5000), 63);
	assert_int_equal(pool_head(f, GATE), 4);
}

int nat_quota_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(limit_of_an_address), TEST(lower_than_before), TEST(quota_of_a_router),
		TEST(what_comes_back),	   TEST(asked_in_vain),	    TEST(a_quota_later),
	};

	return cmocka_run_group_tests_name("nat_quota", tests, NULL, NULL);
}
