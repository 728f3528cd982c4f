// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_flow.c - the lives of flows without a handshake: begun, answered, replayed; judged anew when the configuration has changed;
 * ended by age; refused when there is no room
 */
#include "tests/prog/secure.h"

#include <bpf/bpf.h>
#include <stdio.h>

#define BEGINS "in 1, udp begins, rules 1 4, out 2, redirect"
#define ANSWERED "in 2, udp established for good, rules 1 4, out 1, redirect"
#define ON_AB "in 1, udp goes on, rules 1 4, out 2, redirect"
#define ON_BA "in 2, udp goes on, rules 1 4, out 1, redirect"

static struct flow dns(struct fixture *f)
{
	return flow_of(f, IPPROTO_UDP, a.v4, 4000, b.v4, 53);
}

static void establish(struct fixture *f, uint16_t port)
{
	struct pkt ask = udp4(&a, &b, port, 53), reply = udp4(&b, &a, 53, port);

	enters(f, 1, &ask, BEGINS);
	enters(f, 2, &reply, ANSWERED);
}

static void udp(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), reply = udp4(&b, &a, 53, 4000);
	struct flow flow;

	secure_world(f);
	enters(f, 1, &ask, BEGINS);
	flow = dns(f);
	assert_true(flow.there && flow.is_new);
	assert_int_equal(flow.network, 1);
	assert_int_equal(flow.value.state, HD_FLOW_NEW);
	assert_int_equal(flow.value.opener, flow.side);
	assert_int_equal(flow.value.port[flow.side], 1);
	assert_int_equal(flow.value.port[!flow.side], 2);
	assert_int_equal(flow.value.rule[0], A_OUT4);
	assert_int_equal(flow.value.rule[1], B_UDP);
	assert_int_equal(flow.value.gen, GEN(1) + GEN(2));
	assert_int_equal(flow.value.packets[flow.side], 1);
	assert_int_equal(flow.value.bytes[flow.side], ask.len);
	assert_int_equal(flow.value.packets[!flow.side], 0);
	assert_true((uint32_t)now(f) - flow.value.seen < 1000);
	enters(f, 1, &ask, "in 1, udp waits, rules 1 4, out 2, redirect");
	enters(f, 2, &reply, ANSWERED);
	flow = dns(f);
	assert_true(flow.there && !flow.is_new);
	assert_int_equal(flow.value.state, HD_FLOW_ESTABLISHED);
	assert_int_equal(flow.value.opener, flow.side);
	assert_int_equal(flow.value.packets[flow.side], 2);
	assert_int_equal(flow.value.packets[!flow.side], 1);
	assert_int_equal(flow.value.bytes[!flow.side], reply.len);
	enters(f, 1, &ask, ON_AB);
	enters(f, 2, &reply, ON_BA);
	flow = dns(f);
	assert_int_equal(flow.value.packets[flow.side], 3);
	assert_int_equal(flow.value.packets[!flow.side], 2);
	assert_int_equal(flow.value.bytes[flow.side], 3 * ask.len);
}

/* The same from the side whose endpoint is the larger one. */
static void udp_of_the_other_side(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&b, &a, 60000, 4000), reply = udp4(&a, &b, 4000, 60000);

	secure_world(f);
	open_rules(f, 2, FREE_RULE);
	allow(f, (struct allow){ .id = 30, .policy = POLICY(1), .dir = HD_INGRESS });
	enters(f, 2, &ask, "in 2, udp begins, rules 13 30, out 1, redirect");
	enters(f, 1, &reply, "in 1, udp established for good, rules 13 30, out 2, redirect");
	enters(f, 2, &ask, "in 2, udp goes on, rules 13 30, out 1, redirect");
	enters(f, 1, &reply, "in 1, udp goes on, rules 13 30, out 2, redirect");
}

static void udp_v6(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp6(&a, &b, 4000, 53), reply = udp6(&b, &a, 53, 4000);

	secure_world(f);
	enters(f, 1, &ask, "in 1, udp6 begins, rules 2 7, out 2, redirect");
	enters(f, 2, &reply, "in 2, udp6 established for good, rules 2 7, out 1, redirect");
	enters(f, 1, &ask, "in 1, udp6 goes on, rules 2 7, out 2, redirect");
	enters(f, 2, &reply, "in 2, udp6 goes on, rules 2 7, out 1, redirect");
}

/* Two endpoints that are the same: the flow has two sides all the same. */
static void to_itself(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp4(&a, &a, 7, 7);

	secure_world(f);
	open_rules(f, 1, FREE_RULE);
	enters(f, 1, &p, "in 1, drop same-port at 1 in flow, shot");
}

/* I1: what is established needs one lookup and no other stage. */
static void established_needs_no_stage(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), reply = udp4(&b, &a, 53, 4000);
	struct pkt ask6 = udp6(&a, &b, 4000, 53), reply6 = udp6(&b, &a, 53, 4000);

	secure_world(f);
	establish(f, 4000);
	enters(f, 1, &ask6, "in 1, udp6 begins, rules 2 7, out 2, redirect");
	enters(f, 2, &reply6, "in 2, udp6 established for good, rules 2 7, out 1, redirect");
	stage_del(f, HD_STAGE_JUDGE);
	stage_del(f, HD_STAGE_FLOW);
	enters(f, 1, &ask, ON_AB);
	enters(f, 2, &reply, ON_BA);
	enters(f, 1, &ask6, "in 1, udp6 goes on, rules 2 7, out 2, redirect");
	enters(f, 2, &reply6, "in 2, udp6 goes on, rules 2 7, out 1, redirect");
}

static void protocols_without_ports(void **state)
{
	struct fixture *f = *state;
	struct pkt gre = ip4(&a, &b, 47), back = ip4(&b, &a, 47), esp = ip4(&a, &b, 50);

	secure_world(f);
	pkt_bytes(&gre, 40);
	pkt_end(&gre);
	pkt_bytes(&back, 40);
	pkt_end(&back);
	pkt_bytes(&esp, 40);
	pkt_end(&esp);
	enters(f, 1, &gre, "in 1, proto47 begins, rules 1 9, out 2, redirect");
	enters(f, 2, &back, "in 2, proto47 established for good, rules 1 9, out 1, redirect");
	enters(f, 1, &gre, "in 1, proto47 goes on, rules 1 9, out 2, redirect");
	enters(f, 1, &esp, "in 1, drop group-ingress at 2 in flow, shot");
	assert_true(flow_of(f, 47, a.v4, 0, b.v4, 0).there);
}

static void sctp(void **state)
{
	struct fixture *f = *state;
	struct pkt init = ip4(&a, &b, IPPROTO_SCTP), ack = ip4(&b, &a, IPPROTO_SCTP);
	struct pkt other = ip4(&a, &b, IPPROTO_SCTP);

	secure_world(f);
	pkt_put(&init, "\x10\x00\x00\x09", 4); /* 4096 to 9 */
	pkt_bytes(&init, 28);
	pkt_end(&init);
	pkt_put(&ack, "\x00\x09\x10\x00", 4);
	pkt_bytes(&ack, 28);
	pkt_end(&ack);
	pkt_put(&other, "\x10\x00\x00\x0a", 4);
	pkt_bytes(&other, 28);
	pkt_end(&other);
	enters(f, 1, &init, "in 1, proto132 begins, rules 1 10, out 2, redirect");
	enters(f, 2, &ack, "in 2, proto132 established for good, rules 1 10, out 1, redirect");
	enters(f, 1, &other, "in 1, drop group-ingress at 2 in flow, shot");
}

/* I2: the same two ends in another network are another flow. */
static void networks_are_apart(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), reply = udp4(&b, &a, 53, 4000);

	secure_world(f);
	net_add(f, 2, HD_NETWORK_FLOOD, 300);
	for (uint32_t id = 5; id <= 6; id++) {
		port_add(f, id, 2, UP);
		secure(f, id, POLICY(id), GEN(id));
		fdb_static(f, 2, id == 5 ? a.mac : b.mac, id);
	}
	establish(f, 4000);
	enters(f, 6, &reply, "in 6, drop group-egress at 6 in flow, shot");
	open_rules(f, 6, FREE_RULE);
	open_rules(f, 5, FREE_RULE + 4);
	enters(f, 6, &reply, "in 6, udp begins, rules 13 15, out 5, redirect");
	enters(f, 1, &ask, ON_AB);
}

/* --- the configuration changes --- */

static void stale_is_judged_and_kept(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), reply = udp4(&b, &a, 53, 4000);
	struct flow flow;

	secure_world(f);
	establish(f, 4000);
	/* Another rule allows it now: the reply tells, though it goes the other way. */
	disallow(f, (struct allow){ .policy = POLICY(2),
				    .dir = HD_INGRESS,
				    .proto = IPPROTO_UDP,
				    .port = 53,
				    .port_len = 16 });
	allow(f, (struct allow){ .id = 20,
				 .policy = POLICY(2),
				 .dir = HD_INGRESS,
				 .remote = "192.0.2.8",
				 .len = 29 });
	set_gen(f, 2, 777);
	enters(f, 2, &reply, "in 2, udp goes on, rules 1 20, out 1, redirect");
	flow = dns(f);
	assert_int_equal(flow.value.gen, GEN(1) + 777);
	assert_int_equal(flow.value.rule[0], A_OUT4);
	assert_int_equal(flow.value.rule[1], 20);
	assert_int_equal(flow.value.state, HD_FLOW_ESTABLISHED);
	assert_int_equal(flow.value.packets[flow.side], 1);
	assert_int_equal(flow.value.packets[!flow.side], 2);
	stage_del(f, HD_STAGE_JUDGE); /* and from now on by replay again */
	enters(f, 1, &ask, "in 1, udp goes on, rules 1 20, out 2, redirect");
}

static void stale_is_judged_and_cut(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), reply = udp4(&b, &a, 53, 4000);

	secure_world(f);
	establish(f, 4000);
	disallow(f, (struct allow){ .policy = POLICY(2),
				    .dir = HD_INGRESS,
				    .proto = IPPROTO_UDP,
				    .port = 53,
				    .port_len = 16 });
	set_gen(f, 2, 777);
	enters(f, 2, &reply, "in 2, udp ends, drop group-ingress at 2 in flow, shot");
	enters(f, 2, &reply, "in 2, drop group-egress at 2 in flow, shot");
	enters(f, 1, &ask, "in 1, drop group-ingress at 2 in flow, shot");
}

static void stale_and_the_opener_may_no_more(void **state)
{
	struct fixture *f = *state;
	struct pkt reply = udp4(&b, &a, 53, 4000);

	secure_world(f);
	establish(f, 4000);
	disallow(f, (struct allow){ .policy = POLICY(1), .dir = HD_EGRESS });
	set_gen(f, 1, 777);
	enters(f, 2, &reply, "in 2, udp ends, drop group-egress at 1 in flow, shot");
}

/* Not answered yet, and the rule is gone: the answer does not come through either. */
static void stale_before_the_answer(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), reply = udp4(&b, &a, 53, 4000);

	secure_world(f);
	enters(f, 1, &ask, BEGINS);
	disallow(f, (struct allow){ .policy = POLICY(1), .dir = HD_EGRESS });
	set_gen(f, 1, 777);
	enters(f, 2, &reply, "in 2, udp ends, drop group-egress at 1 in flow, shot");
}

static void security_is_switched_off_and_on(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 54), reply = udp4(&b, &a, 54, 4000);

	secure_world(f);
	port_flags(f, 2, port_get(f, 2).flags & ~(uint32_t)HD_PORT_SECURE);
	set_gen(f, 2, 5);
	enters(f, 1, &ask, "in 1, udp begins, rules 1, out 2, redirect");
	enters(f, 2, &reply, "in 2, udp established for good, rules 1, out 1, redirect");
	enters(f, 1, &ask, "in 1, udp goes on, rules 1, out 2, redirect");
	secure(f, 2, POLICY(2), GEN(2));
	enters(f, 1, &ask, "in 1, udp ends, drop group-ingress at 2 in flow, shot");
}

/* --- time --- */

static void grow_old(struct fixture *f, uint32_t seconds)
{
	struct flow flow = dns(f);

	assert_true(flow.there);
	flow.value.seen = (uint32_t)now(f) - seconds * HZ;
	flow_put(f, &flow, false);
}

static void expired_established(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), reply = udp4(&b, &a, 53, 4000);

	secure_world(f);
	establish(f, 4000);
	grow_old(f, 299);
	enters(f, 2, &reply, ON_BA);
	grow_old(f, 301);
	enters(f, 2, &reply, "in 2, udp ends, drop group-egress at 2 in flow, shot");
	establish(f, 4000);
	grow_old(f, 301);
	enters(f, 1, &ask, "in 1, udp begins, rules 1 4, out 2, redirect");
}

static void expired_unanswered(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), reply = udp4(&b, &a, 53, 4000);

	secure_world(f);
	enters(f, 1, &ask, BEGINS);
	grow_old(f, 29);
	enters(f, 2, &reply, ANSWERED);
	ask = udp4(&a, &b, 4001, 53);
	reply = udp4(&b, &a, 53, 4001);
	enters(f, 1, &ask, BEGINS);
	struct flow flow = flow_of(f, IPPROTO_UDP, a.v4, 4001, b.v4, 53);

	flow.value.seen = (uint32_t)now(f) - 31 * HZ;
	flow_put(f, &flow, false);
	enters(f, 2, &reply, "in 2, drop group-egress at 2 in flow, shot");
}

/* --- whose flow it is --- */

/* "c", which is held to no address, sends as if it were "a" on the flow of "a". */
static void flow_of_another_port(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), fake = ask;

	secure_world(f);
	establish(f, 4000);
	port_flags(f, 3, UP | HD_PORT_SECURE);
	open_rules(f, 3, FREE_RULE);
	memcpy(fake.data + 6, c.mac, 6);
	enters(f, 3, &fake, "in 3, drop flow-port at 3 in flow, shot");
	enters(f, 1, &ask, ON_AB);
	/* Its own port is gone: then it is whoever says so. */
	port_flags(f, 1, port_get(f, 1).flags & ~(uint32_t)UP);
	enters(f, 3, &fake, "in 3, udp begins, rules 4 13, out 2, redirect");
}

/* The MAC is answered for by another port now: the flow was with the old one. */
static void destination_moves(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), reply = udp4(&b, &a, 53, 4000);

	secure_world(f);
	establish(f, 4000);
	port_flags(f, 2, UP | HD_PORT_SECURE);
	fdb_static(f, 1, b.mac, 3);
	enters(f, 1, &ask, "in 1, drop group-ingress at 3 in flow, shot");
	enters(f, 2, &reply, "in 2, drop mac-static at 2 in port-in, shot");
}

static void port_is_down(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53);

	secure_world(f);
	establish(f, 4000);
	port_flags(f, 2, port_get(f, 2).flags & ~(uint32_t)UP);
	enters(f, 1, &ask, "in 1, drop port-down at 1 in port-in, shot");
}

static void mtu_and_isolation_hold(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53);

	secure_world(f);
	establish(f, 4000);
	port_mtu(f, 2, 50);
	enters(f, 1, &ask, "in 1, drop mtu at 1 in port-in, shot");
	port_mtu(f, 2, 1500);
	port_flags(f, 1, port_get(f, 1).flags | HD_PORT_ISOLATED);
	port_flags(f, 2, port_get(f, 2).flags | HD_PORT_ISOLATED);
	enters(f, 1, &ask, "in 1, drop isolated at 1 in port-in, shot");
}

/* --- ports without security --- */

static void without_security_no_flows(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp4(&d, &c, 1, 2), q;

	secure_world(f);
	port_flags(f, 3, UP | HD_PORT_HAS_MAC);
	enters(f, 4, &p, "in 4, out 3, redirect");
	q = udp4(&c, &d, 2, 1);
	enters(f, 3, &q, "in 3, out 4, redirect");
}

static void one_end_without_security(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&d, &b, 4000, 53), reply = udp4(&b, &d, 53, 4000);
	struct pkt closed = udp4(&d, &b, 4000, 54), out = udp4(&a, &d, 4000, 9);
	struct pkt back = udp4(&d, &a, 9, 4000);

	secure_world(f);
	enters(f, 4, &ask, "in 4, udp begins, rules 4, out 2, redirect");
	enters(f, 2, &reply, "in 2, udp established for good, rules 4, out 4, redirect");
	enters(f, 4, &ask, "in 4, udp goes on, rules 4, out 2, redirect");
	enters(f, 4, &closed, "in 4, drop group-ingress at 2 in flow, shot");
	enters(f, 1, &out, "in 1, udp begins, rules 1, out 4, redirect");
	enters(f, 4, &back, "in 4, udp established for good, rules 1, out 1, redirect");
	enters(f, 4, &back, "in 4, udp goes on, rules 1, out 1, redirect");
}

/* --- full tables --- */

/* I4: those that exist go on; a new one can't become established, and is told so. */
static void full_table(void **state)
{
	struct fixture *f = *state;
	uint16_t port = 4000;
	struct pkt ask, reply;

	fixture_resize(f, (struct sizes){ .flows = 8 });
	secure_world(f);
	for (; port < 4008; port++)
		establish(f, port);
	ask = udp4(&a, &b, port, 53);
	reply = udp4(&b, &a, 53, port);
	enters(f, 1, &ask, BEGINS);
	enters(f, 2, &reply, "in 2, drop flow-table-full at 2 in flow, shot");
	enters(f, 2, &reply, "in 2, drop flow-table-full at 2 in flow, shot");
	assert_int_equal(flow_of(f, IPPROTO_UDP, a.v4, port, b.v4, 53).value.state, HD_FLOW_NEW);
	for (port = 4000; port < 4008; port++) {
		ask = udp4(&a, &b, port, 53);
		reply = udp4(&b, &a, 53, port);
		enters(f, 1, &ask, ON_AB);
		enters(f, 2, &reply, ON_BA);
	}
	/* Room again: the next answer gets in. */
	struct flow flow = dns(f);

	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(f->skel->maps.hd_flow4), flow.key), 0);
	reply = udp4(&b, &a, 53, 4008);
	enters(f, 2, &reply, ANSWERED);
}

/* A flood of unanswered ones pushes out each other, and nothing that is established. */
static void flood_of_new_ones(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), reply = udp4(&b, &a, 53, 4000);

	fixture_resize(f, (struct sizes){ .new_flows = 32 });
	secure_world(f);
	establish(f, 4000);
	for (uint32_t port = 10000; port < 12000; port++) {
		struct pkt p = udp4(&a, &b, (uint16_t)port, 53);
		int verdict = run_in(f, 1, &p);

		assert_true(verdict == REDIRECTED || verdict == SHOT);
	}
	enters(f, 1, &ask, ON_AB);
	enters(f, 2, &reply, ON_BA);
	assert_true(dns(f).there);
}

int flow_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(udp),
		TEST(udp_of_the_other_side),
		TEST(udp_v6),
		TEST(to_itself),
		TEST(established_needs_no_stage),
		TEST(protocols_without_ports),
		TEST(sctp),
		TEST(networks_are_apart),
		TEST(stale_is_judged_and_kept),
		TEST(stale_is_judged_and_cut),
		TEST(stale_and_the_opener_may_no_more),
		TEST(stale_before_the_answer),
		TEST(security_is_switched_off_and_on),
		TEST(expired_established),
		TEST(expired_unanswered),
		TEST(flow_of_another_port),
		TEST(destination_moves),
		TEST(port_is_down),
		TEST(mtu_and_isolation_hold),
		TEST(without_security_no_flows),
		TEST(one_end_without_security),
		TEST(full_table),
		TEST(flood_of_new_ones),
	};

	return cmocka_run_group_tests_name("flows", tests, NULL, NULL);
}
