// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_listen.c - port forwards, and outside endpoints that are used from inside (hairpin) */
#include "tests/prog/natted.h"

#define IN_BEGINS "in 4, routed udp begins, rules 11, out 1, redirect"
#define IN_GOES_ON "in 4, routed udp goes on, rules 11, out 1, redirect"
#define ANSWER_CONFIRMS "in 1, routed udp established for good, rules 11, out 4, redirect"
#define ANSWER_GOES_ON "in 1, routed udp goes on, rules 11, out 4, redirect"

/* Ports 81 and 82 of the gateway are port 80 of ann. */
static void forwarded_world(struct fixture *f)
{
	natted_world(f, 2);
	allow(f, (struct allow){ .id = FREE_RULE, .policy = POLICY(1), .dir = HD_INGRESS });
	forward_set(f, ROUTER, GATE, 81, ann.v4, 80);
	forward_set(f, ROUTER, GATE, 82, ann.v4, 80);
}

static struct pkt answer(uint16_t to)
{
	return to_router(udp4(&ann, &dan, 80, to));
}

static void in_and_back(void **state)
{
	struct fixture *f = *state;

	forwarded_world(f);
	becomes(f, 4, udp4(&dan, &gate, 4000, 81), udp4(&dan_in, &ann, 4000, 80), IN_BEGINS);
	becomes(f, 1, answer(4000), udp4(&gate, &dan, 81, 4000), ANSWER_CONFIRMS);
	becomes(f, 4, udp4(&dan, &gate, 4000, 81), udp4(&dan_in, &ann, 4000, 80), IN_GOES_ON);
	becomes(f, 1, answer(4000), udp4(&gate, &dan, 81, 4000), ANSWER_GOES_ON);
	assert_int_equal(endpoints(f), 0);
	dropped(f, 4,
		tcp4(&dan, &gate, 4000, 81, (struct pkt_segment){ PKT_SYN, 1, 0, 1000, -1 }, 0),
		"in 4, drop to-router at 4 in route, shot"); /* it is for UDP */
}

/* Two of them lead to the same endpoint; each is answered as it was asked. */
static void two_to_one(void **state)
{
	struct fixture *f = *state;

	forwarded_world(f);
	becomes(f, 4, udp4(&dan, &gate, 4000, 81), udp4(&dan_in, &ann, 4000, 80), IN_BEGINS);
	becomes(f, 4, udp4(&dan, &gate, 4001, 82), udp4(&dan_in, &ann, 4001, 80), IN_BEGINS);
	becomes(f, 1, answer(4000), udp4(&gate, &dan, 81, 4000), ANSWER_CONFIRMS);
	becomes(f, 1, answer(4001), udp4(&gate, &dan, 82, 4001), ANSWER_CONFIRMS);
	/* From the same port to both at once would be one connection inside. */
	dropped(f, 4, udp4(&dan, &gate, 4000, 82),
		"in 4, drop nat-clash at 4 in routed-flow, shot");
	becomes(f, 1, answer(4000), udp4(&gate, &dan, 81, 4000), ANSWER_GOES_ON);
}

/* What has its connection by a floating IP is answered as that, and is not mixed with what came by a port. */
static void beside_a_floating_ip(void **state)
{
	struct fixture *f = *state;

	forwarded_world(f);
	floating_add(f, ROUTER, FLOATING, ann.v4);
	becomes(f, 4, udp4(&dan, &gate, 4000, 81), udp4(&dan_in, &ann, 4000, 80), IN_BEGINS);
	becomes(f, 1, answer(4000), udp4(&gate, &dan, 81, 4000), ANSWER_CONFIRMS);
	becomes(f, 4, udp4(&dan, &floating, 4001, 80), udp4(&dan_in, &ann, 4001, 80), IN_BEGINS);
	becomes(f, 1, answer(4001), udp4(&floating, &dan, 80, 4001), ANSWER_CONFIRMS);
	dropped(f, 4, udp4(&dan, &floating, 4000, 80),
		"in 4, drop nat-clash at 4 in routed-flow, shot");
	dropped(f, 4, udp4(&dan, &gate, 4001, 81),
		"in 4, drop nat-clash at 4 in routed-flow, shot");
}

/* It ends with the next packet, in both directions. */
static void removed(void **state)
{
	struct fixture *f = *state;

	forwarded_world(f);
	becomes(f, 4, udp4(&dan, &gate, 4000, 81), udp4(&dan_in, &ann, 4000, 80), IN_BEGINS);
	becomes(f, 1, answer(4000), udp4(&gate, &dan, 81, 4000), ANSWER_CONFIRMS);
	forward_set(f, ROUTER, GATE, 81, NULL, 0);
	dropped(f, 1, answer(4000),
		"in 1, routed udp goes on, rules 11, drop outside at 1 in route, shot");
	forward_set(f, ROUTER, GATE, 81, ann.v4, 90); /* somebody else by now */
	dropped(f, 1, answer(4000),
		"in 1, routed udp goes on, rules 11, drop outside at 1 in route, shot");
}

static void without_snat(void **state)
{
	struct fixture *f = *state;

	forwarded_world(f);
	gateway_set(f, ROUTER, GATE, HD_END_FORWARDS);
	becomes(f, 4, udp4(&dan, &gate, 4000, 81), udp4(&dan_in, &ann, 4000, 80), IN_BEGINS);
	becomes(f, 1, answer(4000), udp4(&gate, &dan, 81, 4000), ANSWER_CONFIRMS);
}

static void errors(void **state)
{
	struct fixture *f = *state;
	struct pkt got, quote;

	forwarded_world(f);
	becomes(f, 4, udp4(&dan, &gate, 4000, 81), udp4(&dan_in, &ann, 4000, 80), IN_BEGINS);
	got = going(udp4(&dan_in, &ann, 4000, 80));
	quote = with_port(with_target(got, GATE), 2, 81);
	becomes(f, 1, to_router(error_about(&ann, &dan, 3, 3, 0, &got)),
		error_about(&gate, &dan, 3, 3, 0, &quote), "in 1, out 4, redirect");
	becomes(f, 1, answer(4000), udp4(&gate, &dan, 81, 4000), ANSWER_CONFIRMS);
	got = going(udp4(&gate, &dan, 81, 4000));
	quote = with_port(with_source(got, ann.v4), 0, 80);
	becomes(f, 5, error_about(&eve, &gate, 3, 4, 1280, &got),
		error_about(&eve_in, &ann, 3, 4, 1280, &quote), "in 5, out 1, redirect");
}

/* A port that is forwarded is given to nobody, whatever block it is in. */
static void not_handed_out(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 2);
	for (uint16_t i = 0; i < 64; i++)
		if (i != 3 && i != 40)
			forward_set(f, ROUTER, GATE, PORT(i), ann.v4, 80);
	becomes(f, 3, to_router(udp4(&cat, &dan, 4000, 53)), udp4(&gate, &dan, PORT(3), 53),
		"in 3, routed udp begins, out 4, redirect");
	becomes(f, 3, to_router(udp4(&cat, &dan, 4001, 53)), udp4(&gate, &dan, PORT(40), 53),
		"in 3, routed udp begins, out 4, redirect");
	becomes(f, 3, to_router(udp4(&cat, &dan, 4002, 53)), udp4(&gate, &dan, PORT(64), 53),
		"in 3, routed udp begins, out 4, redirect");
}

/* --- hairpin: both ends are inside, and each knows the other by its outside endpoint (RFC 4787 REQ-9) --- */

static void hairpin(void **state)
{
	struct fixture *f = *state;
	struct host as_gate = gate;

	memcpy(as_gate.mac, inner.mac, 6);
	forwarded_world(f);
	becomes(f, 3, to_router(udp4(&cat, &gate, 4000, 81)), udp4(&as_gate, &ann, PORT(0), 80),
		"in 3, routed udp begins, rules 11, out 1, redirect");
	becomes(f, 1, to_router(udp4(&ann, &gate, 80, PORT(0))), udp4(&as_gate, &cat, 81, 4000),
		"in 1, routed udp established for good, rules 11, out 3, redirect");
	becomes(f, 3, to_router(udp4(&cat, &gate, 4000, 81)), udp4(&as_gate, &ann, PORT(0), 80),
		"in 3, routed udp goes on, rules 11, out 1, redirect");
	becomes(f, 1, to_router(udp4(&ann, &gate, 80, PORT(0))), udp4(&as_gate, &cat, 81, 4000),
		"in 1, routed udp goes on, rules 11, out 3, redirect");
	/* Who was not asked gets in there no more than from outside. */
	dropped(f, 1, to_router(udp4(&ann, &gate, 81, PORT(0))),
		"in 1, drop outside at 1 in routed-flow, shot");
}

/* RFC 5508 REQ-7: an error about such a packet is translated at both ends, as what it quotes. */
static void hairpin_errors(void **state)
{
	struct fixture *f = *state;
	struct host as_gate = gate;
	struct pkt got, sent;

	memcpy(as_gate.mac, inner.mac, 6);
	forwarded_world(f);
	becomes(f, 3, to_router(udp4(&cat, &gate, 4000, 81)), udp4(&as_gate, &ann, PORT(0), 80),
		"in 3, routed udp begins, rules 11, out 1, redirect");
	got = going(udp4(&as_gate, &ann, PORT(0), 80));
	sent = with_port(with_port(with_target(with_source(got, cat.v4), GATE), 0, 4000), 2, 81);
	becomes(f, 1, to_router(error_about(&ann, &gate, 3, 3, 0, &got)),
		error_about(&as_gate, &cat, 3, 3, 0, &sent), "in 1, out 3, redirect");
}

static void hairpin_floating(void **state)
{
	struct fixture *f = *state;
	struct host as_gate = gate, as_floating = floating;

	memcpy(as_gate.mac, inner.mac, 6);
	memcpy(as_floating.mac, inner.mac, 6);
	forwarded_world(f);
	floating_add(f, ROUTER, FLOATING, ann.v4);
	becomes(f, 3, to_router(udp4(&cat, &floating, 4000, 53)), udp4(&as_gate, &ann, PORT(0), 53),
		"in 3, routed udp begins, rules 11, out 1, redirect");
	becomes(f, 1, to_router(udp4(&ann, &gate, 53, PORT(0))), udp4(&as_floating, &cat, 53, 4000),
		"in 1, routed udp established for good, rules 11, out 3, redirect");
	becomes(f, 3, to_router(icmp4(&cat, &floating, 8, 0, 7)),
		icmp4(&as_gate, &ann, 8, 0, PORT(1)),
		"in 3, routed icmp begins, rules 11, out 1, redirect");
	becomes(f, 1, to_router(icmp4(&ann, &gate, 0, 0, PORT(1))),
		icmp4(&as_floating, &cat, 0, 0, 7),
		"in 1, routed icmp established for good, rules 11, out 3, redirect");
}

/* Routers may share an address; who is inside one of them is not inside the other, whatever its address. */
static void not_by_another_router(void **state)
{
	struct fixture *f = *state;
	struct pkt in = to_router(udp4(&cat, &gate, 4000, 81)), error = told(&in, GATE1, 3, 3, 0);

	natted_world(f, 2);
	forward_set(f, ROUTER + 1, GATE, 81, ann.v4, 80);
	enters_as(f, 3, &in, &error, "in 3, out 3, drop to-router at 3 in tell, redirect");
	assert_int_equal(endpoints(f), 0);
}

/* Without a name outside the answer would not come back this way. */
static void hairpin_without_snat(void **state)
{
	struct fixture *f = *state;

	forwarded_world(f);
	gateway_set(f, ROUTER, GATE, HD_END_FORWARDS);
	dropped(f, 3, to_router(udp4(&cat, &gate, 4000, 81)),
		"in 3, routed udp begins, rules 11, drop outside at 3 in routed-flow, shot");
}

int listen_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(in_and_back),	    TEST(two_to_one),
		TEST(beside_a_floating_ip), TEST(removed),
		TEST(without_snat),	    TEST(errors),
		TEST(not_handed_out),	    TEST(hairpin),
		TEST(hairpin_errors),	    TEST(hairpin_floating),
		TEST(hairpin_without_snat), TEST(not_by_another_router),
	};

	return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
