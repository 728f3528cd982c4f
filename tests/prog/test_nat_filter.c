// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_nat_filter.c - who outside may begin something with an outside endpoint: RFC 4787 section 5
 *
 * cat, who has no security, and ann, whose group decides, have asked dan's port 53 from port 4000 of theirs.
 */
#include "sync/nat.h"
#include "tests/prog/natted.h"

#include <bpf/bpf.h>

#define BY_PORT HD_END_SNAT
#define BY_ADDRESS (HD_END_SNAT | HD_END_NAT_ADDRESS)
#define OPEN (HD_END_SNAT | HD_END_NAT_OPEN)

#define REFUSED(port) "in " #port ", drop outside at " #port " in routed-flow, shot"
#define BEGINS(port) "in " #port ", routed udp begins, out 3, redirect"

/* cat's endpoint is PORT(0), ann's PORT(64). */
static void asked_world(struct fixture *f, uint32_t filter)
{
	natted_world(f, 4);
	gateway_set(f, ROUTER, GATE, filter);
	becomes(f, 3, to_router(udp4(&cat, &dan, 4000, 53)), udp4(&gate, &dan, PORT(0), 53),
		"in 3, routed udp begins, out 4, redirect");
	becomes(f, 1, to_router(udp4(&ann, &dan, 4000, 53)), udp4(&gate, &dan, PORT(64), 53),
		"in 1, routed udp begins, rules 1, out 4, redirect");
}

/* The configuration of the router changes. */
static void filter_set(struct fixture *f, uint32_t filter)
{
	static uint32_t gen = 1000;

	gateway_set(f, ROUTER, GATE, filter);
	router_gen(f, ROUTER, ++gen);
}

static uint32_t rows(const struct bpf_map *map)
{
	struct hd_nat_asked_key key, *last = NULL;
	uint32_t n = 0;

	for (; bpf_map_get_next_key(bpf_map__fd(map), last, &key) == 0; last = &key)
		n++;
	return n;
}

/* To cat's endpoint, from a port of dan's or eve's. */
static struct pkt to_cat(const struct host *from, uint16_t port)
{
	return udp4(from, &gate, port, PORT(0));
}

static struct pkt at_cat(const struct host *from, uint16_t port)
{
	return udp4(from, &cat, port, 4000);
}

static void by_address(void **state)
{
	struct fixture *f = *state;

	asked_world(f, BY_ADDRESS);
	assert_int_equal(rows(f->skel->maps.hd_nat_asked), 2);
	becomes(f, 4, to_cat(&dan, 54), at_cat(&dan_in, 54), BEGINS(4));
	becomes(f, 3, to_router(udp4(&cat, &dan, 4000, 54)), udp4(&gate, &dan, PORT(0), 54),
		"in 3, routed udp established for good, out 4, redirect");
	becomes(f, 4, to_cat(&dan, 54), at_cat(&dan_in, 54),
		"in 4, routed udp goes on, out 3, redirect");
	/* Nobody else, until it is asked. */
	dropped(f, 5, to_cat(&eve, 53), REFUSED(5));
	becomes(f, 3, to_router(udp4(&cat, &eve, 4000, 7)), udp4(&gate, &eve, PORT(0), 7),
		"in 3, routed udp begins, out 5, redirect");
	becomes(f, 5, to_cat(&eve, 53), at_cat(&eve_in, 53), BEGINS(5));
	dropped(f, 5, udp4(&eve, &gate, 53, PORT(64)), REFUSED(5));
	/* What comes from outside makes no entry. */
	assert_int_equal(rows(f->skel->maps.hd_nat_asked), 3);
}

/* The filter only opens the way to the rules. */
static void rules_decide(void **state)
{
	struct fixture *f = *state;

	asked_world(f, BY_ADDRESS);
	dropped(f, 4, udp4(&dan, &gate, 54, PORT(64)),
		"in 4, drop group-ingress at 1 in routed-flow, shot");
	allow(f, (struct allow){ .id = FREE_RULE, .policy = POLICY(1), .dir = HD_INGRESS });
	becomes(f, 4, udp4(&dan, &gate, 54, PORT(64)), udp4(&dan_in, &ann, 54, 4000),
		"in 4, routed udp begins, rules 11, out 1, redirect");
}

static void everybody(void **state)
{
	struct fixture *f = *state;

	asked_world(f, OPEN);
	assert_int_equal(rows(f->skel->maps.hd_nat_asked), 0);
	becomes(f, 5, to_cat(&eve, 53), at_cat(&eve_in, 53), BEGINS(5));
	becomes(f, 3, to_router(udp4(&cat, &eve, 4000, 53)), udp4(&gate, &eve, PORT(0), 53),
		"in 3, routed udp established for good, out 5, redirect");
	dropped(f, 5, udp4(&eve, &gate, 53, PORT(64)),
		"in 5, drop group-ingress at 1 in routed-flow, shot");
	assert_int_equal(endpoints(f), 4);
}

static void nobody(void **state)
{
	struct fixture *f = *state;

	asked_world(f, BY_PORT);
	assert_int_equal(rows(f->skel->maps.hd_nat_asked), 0);
	dropped(f, 5, to_cat(&eve, 53), REFUSED(5));
	dropped(f, 4, to_cat(&dan, 54), REFUSED(4));
	becomes(f, 4, to_cat(&dan, 53), at_cat(&dan_in, 53),
		"in 4, routed udp established for good, out 3, redirect");
}

/* RFC 5382 REQ-3: the same for TCP, where only a SYN begins. */
static void tcp(void **state)
{
	struct fixture *f = *state;
	struct pkt_segment syn = { PKT_SYN, 100, 0, 1000, -1 },
			   hello = { PKT_SYN, 700, 0, 1000, -1 },
			   ack = { PKT_ACK, 701, 1, 1000, -1 };

	natted_world(f, 4);
	gateway_set(f, ROUTER, GATE, BY_ADDRESS);
	becomes(f, 3, to_router(tcp4(&cat, &dan, 4000, 80, syn, 0)),
		tcp4(&gate, &dan, PORT(0), 80, syn, 0), "in 3, routed tcp begins, out 4, redirect");
	becomes(f, 4, tcp4(&dan, &gate, 81, PORT(0), hello, 0),
		tcp4(&dan_in, &cat, 81, 4000, hello, 0),
		"in 4, routed tcp begins, out 3, redirect");
	dropped(f, 5, tcp4(&eve, &gate, 80, PORT(0), hello, 0), REFUSED(5));
	dropped(f, 4, tcp4(&dan, &gate, 82, PORT(0), ack, 9),
		"in 4, drop tcp-no-connection at 4 in routed-flow, shot");
}

/* The filter becomes stricter: what came in by it is over with the next packet, whoever sends it; what began inside goes on. */
static void stricter(void **state)
{
	struct fixture *f = *state;

	asked_world(f, OPEN);
	becomes(f, 5, to_cat(&eve, 53), at_cat(&eve_in, 53), BEGINS(5));
	becomes(f, 5, to_cat(&eve, 54), at_cat(&eve_in, 54), BEGINS(5));
	becomes(f, 5, to_cat(&eve, 55), at_cat(&eve_in, 55), BEGINS(5));
	becomes(f, 3, to_router(udp4(&cat, &eve, 4000, 54)), udp4(&gate, &eve, PORT(0), 54),
		"in 3, routed udp established for good, out 5, redirect");
	becomes(f, 3, to_router(udp4(&cat, &eve, 4000, 55)), udp4(&gate, &eve, PORT(0), 55),
		"in 3, routed udp established for good, out 5, redirect");
	becomes(f, 4, to_cat(&dan, 53), at_cat(&dan_in, 53),
		"in 4, routed udp established for good, out 3, redirect");
	/* eve was asked, if she was answered. */
	filter_set(f, BY_ADDRESS);
	dropped(f, 5, to_cat(&eve, 53),
		"in 5, routed udp ends, drop outside at 5 in routed-flow, shot");
	becomes(f, 5, to_cat(&eve, 54), at_cat(&eve_in, 54),
		"in 5, routed udp goes on, out 3, redirect");
	filter_set(f, BY_PORT);
	dropped(f, 5, to_cat(&eve, 54),
		"in 5, routed udp ends, drop outside at 5 in routed-flow, shot");
	dropped(f, 3, to_router(udp4(&cat, &eve, 4000, 55)),
		"in 3, routed udp ends, drop outside at 3 in routed-flow, shot");
	becomes(f, 4, to_cat(&dan, 53), at_cat(&dan_in, 53),
		"in 4, routed udp goes on, out 3, redirect");
}

/* An endpoint that is called otherwise by now: nobody comes in by the old name. */
static void not_by_an_old_name(void **state)
{
	struct fixture *f = *state;

	asked_world(f, OPEN);
	floating_add(f, ROUTER, FLOATING, cat.v4);
	dropped(f, 5, to_cat(&eve, 53), REFUSED(5));
}

/* The same endpoint inside, but another one: what the first has asked is forgotten with it. */
static void not_by_an_old_question(void **state)
{
	struct fixture *f = *state;
	struct hd_nat_asked_key key;
	uint32_t born;
	int fd;

	asked_world(f, BY_ADDRESS);
	fd = bpf_map__fd(f->skel->maps.hd_nat_asked);
	for (void *last = NULL; bpf_map_get_next_key(fd, last, &key) == 0; last = &key) {
		assert_int_equal(bpf_map_lookup_elem(fd, &key, &born), 0);
		born--;
		assert_int_equal(bpf_map_update_elem(fd, &key, &born, BPF_EXIST), 0);
	}
	dropped(f, 4, to_cat(&dan, 54), REFUSED(4));
}

/* What asks most pushes out what has asked first: from there only answers get in then, and nothing is refused for want of room. */
static void more_than_there_is_room_for(void **state)
{
	struct fixture *f = *state;
	struct hd_nat_asked_key key = { .router = ROUTER };
	uint32_t born = 1;

	asked_world(f, BY_ADDRESS);
	for (uint32_t i = 0; i < 4096; i++) {
		key.remote = i;
		assert_int_equal(bpf_map_update_elem(bpf_map__fd(f->skel->maps.hd_nat_asked), &key,
						     &born, BPF_ANY),
				 0);
	}
	dropped(f, 4, to_cat(&dan, 54), REFUSED(4));
	becomes(f, 4, to_cat(&dan, 53), at_cat(&dan_in, 53),
		"in 4, routed udp established for good, out 3, redirect");
	becomes(f, 3, to_router(udp4(&cat, &dan, 4000, 7)), udp4(&gate, &dan, PORT(0), 7),
		"in 3, routed udp begins, out 4, redirect");
	becomes(f, 4, to_cat(&dan, 54), at_cat(&dan_in, 54), BEGINS(4));
}

/* Two inside know each other by their outside endpoints: when both have asked, both are let in (RFC 4787 REQ-9). */
static void hairpin(void **state)
{
	struct fixture *f = *state;
	struct host as_gate = gate;

	memcpy(as_gate.mac, inner.mac, 6);
	asked_world(f, BY_ADDRESS);
	dropped(f, 3, to_router(udp4(&cat, &gate, 4000, PORT(64))), REFUSED(3));
	becomes(f, 1, to_router(udp4(&ann, &gate, 4000, PORT(0))),
		udp4(&as_gate, &cat, PORT(64), 4000),
		"in 1, routed udp begins, rules 1, out 3, redirect");
	becomes(f, 3, to_router(udp4(&cat, &gate, 4000, PORT(64))),
		udp4(&as_gate, &ann, PORT(0), 4000),
		"in 3, routed udp established for good, rules 1, out 1, redirect");
}

/* Nobody outside keeps an endpoint in use by asking (RFC 4787 REQ-6); an answer does. */
static void kept_by_answers(void **state)
{
	struct fixture *f = *state;
	struct hd_nat_keeper *keeper = hd_nat_keeper_new();
	struct hd_datapath dp = datapath_of(f);

	for (int i = 0; i < HD_TIMEOUT_COUNT; i++)
		dp.limits.timeouts_s[i] = 3600;
	natted_world(f, 4);
	gateway_set(f, ROUTER, GATE, OPEN);
	endpoint_add(f, ROUTER, HD_FLOW_UDP, cat.v4, 4000, GATE, PORT(0));
	endpoint_add(f, ROUTER, HD_FLOW_UDP, cat.v4, 4001, GATE, PORT(1));
	becomes(f, 5, to_cat(&eve, 53), at_cat(&eve_in, 53), BEGINS(5));
	becomes(f, 5, udp4(&eve, &gate, 53, PORT(1)), udp4(&eve_in, &cat, 53, 4001), BEGINS(5));
	becomes(f, 3, to_router(udp4(&cat, &eve, 4001, 53)), udp4(&gate, &eve, PORT(1), 53),
		"in 3, routed udp established for good, out 5, redirect");
	hd_nat_sweep_at(keeper, &dp, 1000);
	hd_nat_sweep_at(keeper, &dp, 1120);
	assert_int_equal(endpoint_of(f, HD_FLOW_UDP, cat.v4, 4000), 0);
	assert_int_equal(endpoint_of(f, HD_FLOW_UDP, cat.v4, 4001), PORT(1));
	hd_nat_keeper_free(keeper);
}

int nat_filter_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(by_address),
		TEST(rules_decide),
		TEST(everybody),
		TEST(nobody),
		TEST(tcp),
		TEST(stricter),
		TEST(not_by_an_old_name),
		TEST(not_by_an_old_question),
		TEST(more_than_there_is_room_for),
		TEST(hairpin),
		TEST(kept_by_answers),
	};

	return cmocka_run_group_tests_name("nat_filter", tests, NULL, NULL);
}
