// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_tcp.c - the life of a TCP connection, as the flow table sees it */
#include "tests/prog/secure.h"

#define SYN PKT_SYN
#define ACK PKT_ACK
#define FIN PKT_FIN
#define RST PKT_RST

#define ISN_A 1000u
#define ISN_B 0xffffff00u /* wraps soon */

/* What the story is when the packet passes. */
#define A_SAYS(what) "in 1, tcp " what ", rules 1 3, out 2, redirect"
#define B_SAYS(what) "in 2, tcp " what ", rules 1 3, out 1, redirect"

/* Segments of "a" (from 4000) and "b" (from 80); sequence numbers count from behind the SYN. */
static struct pkt from_a(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t payload)
{
	return tcp4(&a, &b, 4000, 80,
		    (struct pkt_segment){ flags, ISN_A + 1 + seq, ISN_B + 1 + ack, 1000, -1 },
		    payload);
}

static struct pkt from_b(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t payload)
{
	return tcp4(&b, &a, 80, 4000,
		    (struct pkt_segment){ flags, ISN_B + 1 + seq, ISN_A + 1 + ack, 2000, -1 },
		    payload);
}

static struct pkt syn_a(int scale)
{
	return tcp4(&a, &b, 4000, 80, (struct pkt_segment){ SYN, ISN_A, 0, 60000, scale }, 0);
}

static struct pkt syn_ack_b(int scale)
{
	return tcp4(&b, &a, 80, 4000,
		    (struct pkt_segment){ SYN | ACK, ISN_B, ISN_A + 1, 50000, scale }, 0);
}

static struct flow web(struct fixture *f)
{
	return flow_of(f, IPPROTO_TCP, a.v4, 4000, b.v4, 80);
}

static uint8_t seen(const struct flow *flow, int side)
{
	return flow->value.seen_flags >> side &
	       (HD_FLOW_SYN | HD_FLOW_ACK | HD_FLOW_FIN | HD_FLOW_SCALE);
}

/* Scales 7 and 3, unless they are left out. */
static void handshake(struct fixture *f, bool scaled)
{
	struct pkt one = syn_a(scaled ? 7 : -1), two = syn_ack_b(scaled ? 3 : -1);
	struct pkt three = from_a(ACK, 0, 0, 0);

	enters(f, 1, &one, A_SAYS("begins"));
	enters(f, 2, &two, B_SAYS("half-open"));
	enters(f, 1, &three, A_SAYS("established for good"));
}

static void opening(void **state)
{
	struct fixture *f = *state;
	struct pkt one = syn_a(7), two = syn_ack_b(3), three = from_a(ACK, 0, 0, 0);
	struct flow flow;
	int me, peer;

	secure_world(f);
	enters(f, 1, &one, A_SAYS("begins"));
	flow = web(f);
	me = flow.side;
	peer = !me;
	assert_true(flow.there && flow.is_new);
	assert_int_equal(flow.value.state, HD_FLOW_NEW);
	assert_int_equal(flow.value.opener, me);
	assert_int_equal(flow.value.port[me], 1);
	assert_int_equal(flow.value.port[peer], 2);
	assert_int_equal(flow.value.gen, GEN(1) + GEN(2));
	assert_int_equal(flow.value.rule[0], A_OUT4);
	assert_int_equal(flow.value.rule[1], B_TCP);
	assert_int_equal(seen(&flow, me), HD_FLOW_SYN | HD_FLOW_SCALE);
	assert_int_equal(seen(&flow, peer), 0);
	assert_int_equal(flow.value.tcp[peer].ack, ISN_A + 1);
	enters(f, 1, &one, A_SAYS("waits")); /* once more, as nobody answered */
	enters(f, 2, &two, B_SAYS("half-open"));
	flow = web(f);
	assert_true(flow.is_new);
	assert_int_equal(seen(&flow, peer), HD_FLOW_SYN | HD_FLOW_ACK | HD_FLOW_SCALE);
	assert_int_equal(flow.value.tcp[me].ack, ISN_B + 1);
	assert_int_equal(flow.value.tcp[peer].ack, ISN_A + 1);
	assert_int_equal(flow.value.tcp[peer].window, 50000);
	assert_int_equal(flow.value.scale >> 4 * me & 15, 7);
	assert_int_equal(flow.value.scale >> 4 * peer & 15, 3);
	enters(f, 1, &three, A_SAYS("established for good"));
	flow = web(f);
	assert_false(flow.is_new);
	assert_int_equal(flow.value.state, HD_FLOW_ESTABLISHED);
	assert_int_equal(seen(&flow, me), HD_FLOW_SYN | HD_FLOW_ACK | HD_FLOW_SCALE);
	assert_int_equal(flow.value.tcp[me].window, 1000);
	assert_int_equal(flow.value.packets[me], 3);
	assert_int_equal(flow.value.packets[peer], 1);
}

static void data(void **state)
{
	struct fixture *f = *state;
	struct pkt there, back;
	struct flow flow;

	secure_world(f);
	handshake(f, true);
	stage_del(f, HD_STAGE_JUDGE);
	stage_del(f, HD_STAGE_FLOW);
	for (uint32_t i = 0; i < 5; i++) {
		there = from_a(ACK | PKT_PSH, i * 100, i * 300, 100);
		back = from_b(ACK, i * 300, i * 100 + 100, 300);
		enters(f, 1, &there, A_SAYS("goes on"));
		enters(f, 2, &back, B_SAYS("goes on"));
	}
	flow = web(f);
	assert_int_equal(flow.value.tcp[flow.side].ack, ISN_B + 1 + 1200);
	assert_int_equal(flow.value.tcp[!flow.side].ack, ISN_A + 1 + 500);
	assert_int_equal(flow.value.tcp[!flow.side].window, 2000);
	there = from_a(ACK, 500, 0, 0); /* an old acknowledgement takes nothing back */
	enters(f, 1, &there, A_SAYS("goes on"));
	flow = web(f);
	assert_int_equal(flow.value.tcp[flow.side].ack, ISN_B + 1 + 1200);
}

static void v6(void **state)
{
	struct fixture *f = *state;
	struct pkt one = tcp6(&a, &b, 4000, 80, (struct pkt_segment){ SYN, 1, 0, 9, -1 }, 0);
	struct pkt two = tcp6(&b, &a, 80, 4000, (struct pkt_segment){ SYN | ACK, 5, 2, 9, -1 }, 0);
	struct pkt three = tcp6(&a, &b, 4000, 80, (struct pkt_segment){ ACK, 2, 6, 9, -1 }, 0);

	secure_world(f);
	enters(f, 1, &one, "in 1, tcp6 begins, rules 2 6, out 2, redirect");
	enters(f, 2, &two, "in 2, tcp6 half-open, rules 2 6, out 1, redirect");
	enters(f, 1, &three, "in 1, tcp6 established for good, rules 2 6, out 2, redirect");
	enters(f, 1, &three, "in 1, tcp6 goes on, rules 2 6, out 2, redirect");
}

static void closing(void **state)
{
	struct fixture *f = *state;
	struct pkt fin = from_a(FIN | ACK, 0, 0, 0), data = from_b(ACK, 0, 1, 100);
	struct pkt fin_b = from_b(FIN | ACK, 100, 1, 0), last = from_a(ACK, 1, 101, 0);
	struct flow flow;

	secure_world(f);
	handshake(f, true);
	enters(f, 1, &fin, A_SAYS("closing"));
	flow = web(f);
	assert_int_equal(seen(&flow, flow.side) & HD_FLOW_FIN, HD_FLOW_FIN);
	assert_int_equal(seen(&flow, !flow.side) & HD_FLOW_FIN, 0);
	enters(f, 2, &data, B_SAYS("goes on")); /* half-closed: the other half lives */
	enters(f, 2, &fin_b, B_SAYS("closed"));
	enters(f, 1, &last, A_SAYS("goes on"));
	assert_int_equal(web(f).value.state, HD_FLOW_CLOSED);
}

static void closing_by_the_other(void **state)
{
	struct fixture *f = *state;
	struct pkt fin_b = from_b(FIN | ACK, 0, 0, 0), fin = from_a(FIN | ACK, 0, 1, 0);

	secure_world(f);
	handshake(f, false);
	enters(f, 2, &fin_b, B_SAYS("closing"));
	enters(f, 1, &fin, A_SAYS("closed"));
}

/* The same ports once more: it begins anew, and is judged anew. */
static void syn_on_closed(void **state)
{
	struct fixture *f = *state;
	struct pkt fin_b = from_b(FIN | ACK, 0, 0, 0), fin = from_a(FIN | ACK, 0, 1, 0);
	struct pkt again = syn_a(2);
	struct flow flow;

	secure_world(f);
	handshake(f, true);
	enters(f, 2, &fin_b, B_SAYS("closing"));
	enters(f, 1, &fin, A_SAYS("closed"));
	enters(f, 1, &again, A_SAYS("begins"));
	flow = web(f);
	assert_true(flow.is_new);
	assert_int_equal(flow.value.packets[flow.side], 1);
	assert_int_equal(seen(&flow, flow.side), HD_FLOW_SYN | HD_FLOW_SCALE);
	assert_int_equal(flow.value.scale >> 4 * flow.side & 15, 2);
	disallow(f, (struct allow){ .policy = POLICY(1), .dir = HD_EGRESS });
	set_gen(f, 1, 99);
	enters(f, 1, &again, "in 1, tcp ends, drop group-egress at 1 in flow, shot");
}

/* On one that is alive it changes nothing: the peer answers it with a challenge. */
static void syn_on_established(void **state)
{
	struct fixture *f = *state;
	struct pkt again = syn_a(2), reply = from_b(ACK, 0, 0, 0);
	struct flow was, is;

	secure_world(f);
	handshake(f, true);
	was = web(f);
	enters(f, 1, &again, A_SAYS("goes on"));
	is = web(f);
	assert_int_equal(is.value.state, HD_FLOW_ESTABLISHED);
	assert_int_equal(is.value.seen_flags, was.value.seen_flags);
	assert_int_equal(is.value.scale, was.value.scale);
	assert_memory_equal(is.value.tcp, was.value.tcp, sizeof(was.value.tcp));
	enters(f, 2, &reply, B_SAYS("goes on"));
}

static void reset_that_is_expected(void **state)
{
	struct fixture *f = *state;
	struct pkt rst = from_a(RST, 0, 0, 0), rst_b = from_b(RST | ACK, 0, 0, 0);

	secure_world(f);
	handshake(f, false);
	enters(f, 1, &rst, A_SAYS("closed"));
	handshake(f, false);
	enters(f, 2, &rst_b, B_SAYS("closed"));
}

/* RFC 5961: it may be one, or forged; if the receiver goes on, so does the connection. */
static void reset_in_the_window(void **state)
{
	static const uint32_t near[] = { 1, 2000 };
	struct fixture *f = *state;
	struct pkt data = from_b(ACK, 0, 0, 10), syn = syn_a(-1);

	secure_world(f);
	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++) {
		struct pkt rst = from_a(RST, near[i], 0, 0);

		handshake(f, false);
		enters(f, 2, &data, B_SAYS("goes on")); /* its window: 2000 */
		enters(f, 1, &rst, A_SAYS("closing"));
		enters(f, 2, &data, B_SAYS("goes on"));
		rst = from_a(RST, 0, 0, 0);
		enters(f, 1, &rst, A_SAYS("closed"));
		enters(f, 1, &syn, A_SAYS("begins"));
		struct flow flow = web(f);

		flow.value.seen = (uint32_t)now(f) - 1000 * HZ;
		flow_put(f, &flow, false);
	}
}

static void reset_outside_the_window(void **state)
{
	static const uint32_t bad[] = { 2001, 70000, 0x80000000u, (uint32_t)-1, (uint32_t)-1000 };
	struct fixture *f = *state;
	struct pkt data = from_b(ACK, 0, 0, 10), ack = from_a(ACK, 0, 10, 0);

	secure_world(f);
	handshake(f, false);
	enters(f, 2, &data, B_SAYS("goes on"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pkt rst = from_a(RST, bad[i], 0, 0), fin = from_a(FIN | ACK, bad[i], 10, 0);

		enters(f, 1, &rst, A_SAYS("goes on"));
		assert_int_equal(web(f).value.state, HD_FLOW_ESTABLISHED);
		if (bad[i] != (uint32_t)-1) /* a FIN ends one later: that one is what is expected */
			enters(f, 1, &fin, A_SAYS("goes on"));
		assert_int_equal(web(f).value.state, HD_FLOW_ESTABLISHED);
	}
	stage_del(f, HD_STAGE_JUDGE);
	enters(f, 1, &ack, A_SAYS("goes on"));
}

/* A scale counts from the handshake on, if both have sent one. */
static void scaled_window(void **state)
{
	struct fixture *f = *state;
	struct pkt data = from_b(ACK, 0, 0, 10), far = from_a(RST, 2000 * 8, 0, 0),
		   too_far = from_a(RST, 2000 * 8 + 1, 0, 0);

	secure_world(f);
	handshake(f, true);
	enters(f, 2, &data, B_SAYS("goes on"));
	enters(f, 1, &too_far, A_SAYS("goes on"));
	assert_int_equal(web(f).value.state, HD_FLOW_ESTABLISHED);
	enters(f, 1, &far, A_SAYS("closing"));
}

static void one_sided_scale(void **state)
{
	struct fixture *f = *state;
	struct pkt one = syn_a(-1), two = syn_ack_b(3), three = from_a(ACK, 0, 0, 0);
	struct pkt data = from_b(ACK, 0, 0, 10), rst = from_a(RST, 2001, 0, 0);

	secure_world(f);
	enters(f, 1, &one, A_SAYS("begins"));
	enters(f, 2, &two, B_SAYS("half-open"));
	enters(f, 1, &three, A_SAYS("established for good"));
	enters(f, 2, &data, B_SAYS("goes on"));
	enters(f, 1, &rst, A_SAYS("goes on"));
	assert_int_equal(web(f).value.state, HD_FLOW_ESTABLISHED);
}

/* RFC 9293 section 3.10.7.1: nobody listens there. */
static void refused(void **state)
{
	struct fixture *f = *state;
	struct pkt one = syn_a(7),
		   rst = tcp4(&b, &a, 80, 4000,
			      (struct pkt_segment){ RST | ACK, 0, ISN_A + 1, 0, -1 }, 0);
	struct pkt forged =
		tcp4(&b, &a, 80, 4000, (struct pkt_segment){ RST | ACK, 0, ISN_A + 2, 0, -1 }, 0);

	secure_world(f);
	enters(f, 1, &one, A_SAYS("begins"));
	enters(f, 2, &forged, B_SAYS("waits"));
	enters(f, 2, &rst, B_SAYS("closed"));
	enters(f, 1, &one, A_SAYS("begins"));
}

/* RFC 9293 figure 7. */
static void simultaneous_open(void **state)
{
	struct fixture *f = *state;
	struct pkt one = syn_a(7);
	struct pkt other = tcp4(&b, &a, 80, 4000, (struct pkt_segment){ SYN, ISN_B, 0, 9, 1 }, 0);
	struct pkt ack_a = tcp4(&a, &b, 4000, 80,
				(struct pkt_segment){ SYN | ACK, ISN_A, ISN_B + 1, 9, 7 }, 0);
	struct pkt ack_b = syn_ack_b(1), data = from_a(ACK, 0, 0, 10);

	secure_world(f);
	enters(f, 1, &one, A_SAYS("begins"));
	enters(f, 2, &other, B_SAYS("half-open"));
	enters(f, 1, &ack_a, A_SAYS("waits"));
	enters(f, 2, &ack_b, B_SAYS("established for good"));
	enters(f, 1, &data, A_SAYS("goes on"));
}

static void not_from_the_beginning(void **state)
{
	static const uint8_t flags[] = { ACK, SYN | ACK, FIN | ACK, RST, RST | ACK, 0, PKT_PSH };
	struct fixture *f = *state;

	secure_world(f);
	for (size_t i = 0; i < sizeof(flags); i++) {
		struct pkt p = from_a(flags[i], 0, 0, 0);

		enters(f, 1, &p, "in 1, drop tcp-no-connection at 1 in flow, shot");
	}
}

static void answers_only(void **state)
{
	struct fixture *f = *state;
	struct pkt out = tcp4(&b, &a, 80, 4000, (struct pkt_segment){ SYN, 1, 0, 9, -1 }, 0);
	struct pkt closed = tcp4(&a, &b, 4000, 81, (struct pkt_segment){ SYN, 1, 0, 9, -1 }, 0);
	struct pkt none = tcp4(&a, &c, 4000, 80, (struct pkt_segment){ SYN, 1, 0, 9, -1 }, 0);

	secure_world(f);
	enters(f, 2, &out, "in 2, drop group-egress at 2 in flow, shot");
	enters(f, 1, &closed, "in 1, drop group-ingress at 2 in flow, shot");
	enters(f, 1, &none, "in 1, drop group-ingress at 3 in flow, shot");
}

/* The sender talks on in the middle of a handshake: nothing is established by one side alone. */
static void one_side_establishes_nothing(void **state)
{
	struct fixture *f = *state;
	struct pkt one = syn_a(7), ack = from_a(ACK, 0, 0, 100), fin = from_a(FIN | ACK, 0, 0, 0);

	secure_world(f);
	enters(f, 1, &one, A_SAYS("begins"));
	for (int i = 0; i < 3; i++)
		enters(f, 1, &ack, A_SAYS("waits"));
	enters(f, 1, &fin, A_SAYS("waits"));
	assert_true(web(f).is_new);
	assert_int_equal(web(f).value.state, HD_FLOW_NEW);
}

static void grow_old(struct fixture *f, uint32_t seconds)
{
	struct flow flow = web(f);

	flow.value.seen = (uint32_t)now(f) - seconds * HZ;
	flow_put(f, &flow, false);
}

/* Each state has its own patience. */
static void ages(void **state)
{
	struct fixture *f = *state;
	struct pkt one = syn_a(7), data = from_a(ACK, 0, 0, 1), fin = from_a(FIN | ACK, 1, 0, 0);
	struct pkt fin_b = from_b(FIN | ACK, 0, 2, 0), more = from_a(ACK, 2, 0, 0);
	struct pkt last = from_a(ACK, 2, 1, 0);

	secure_world(f);
	enters(f, 1, &one, A_SAYS("begins"));
	grow_old(f, 31);
	enters(f, 1, &data, "in 1, drop tcp-no-connection at 1 in flow, shot");
	handshake(f, true);
	grow_old(f, 7400);
	enters(f, 1, &data, A_SAYS("goes on"));
	enters(f, 1, &fin, A_SAYS("closing"));
	grow_old(f, 239);
	enters(f, 1, &more, A_SAYS("goes on"));
	enters(f, 2, &fin_b, B_SAYS("closed"));
	grow_old(f, 9);
	enters(f, 1, &last, A_SAYS("goes on"));
	grow_old(f, 11);
	enters(f, 1, &last, "in 1, tcp ends, drop tcp-no-connection at 1 in flow, shot");
	handshake(f, true);
	grow_old(f, 7441);
	enters(f, 1, &data, "in 1, tcp ends, drop tcp-no-connection at 1 in flow, shot");
}

static void flags_of_nonsense(void **state)
{
	static const uint8_t flags[] = { SYN | FIN, SYN | RST, SYN | FIN | ACK, 0xff };
	struct fixture *f = *state;

	secure_world(f);
	handshake(f, true);
	for (size_t i = 0; i < sizeof(flags); i++) {
		struct pkt p = from_a(flags[i], 0, 0, 0);

		enters(f, 1, &p, "in 1, drop l4-malformed at 1 in judge, shot");
	}
}

static void full_table(void **state)
{
	struct fixture *f = *state;
	struct pkt one = syn_a(7), two = syn_ack_b(3), three = from_a(ACK, 0, 0, 0);

	fixture_resize(f, (struct sizes){ .flows = 2 });
	secure_world(f);
	for (uint16_t port = 53; port > 51; port--) {
		struct pkt ask = udp4(&a, &b, port, 53), reply = udp4(&b, &a, 53, port);

		enters(f, 1, &ask, "in 1, udp begins, rules 1 4, out 2, redirect");
		enters(f, 2, &reply, "in 2, udp established for good, rules 1 4, out 1, redirect");
	}
	enters(f, 1, &one, A_SAYS("begins"));
	enters(f, 2, &two, B_SAYS("half-open"));
	enters(f, 1, &three, "in 1, tcp waits, drop flow-table-full at 1 in flow, shot");
	assert_int_equal(web(f).value.state, HD_FLOW_HALF_OPEN);
}

static void limit_of_a_port(void **state)
{
	struct fixture *f = *state;
	struct pkt one = syn_a(7), two = syn_ack_b(3), three = from_a(ACK, 0, 0, 0);
	struct pkt ask = udp4(&a, &b, 53, 53), reply = udp4(&b, &a, 53, 53);
	struct pkt out = udp4(&d, &b, 53, 53), back = udp4(&b, &d, 53, 53);
	struct pkt rst = from_a(RST, 0, 0, 0);

	fixture_resize(f, (struct sizes){ .flows_per_port = 1 });
	secure_world(f);
	enters(f, 1, &ask, "in 1, udp begins, rules 1 4, out 2, redirect");
	enters(f, 2, &reply, "in 2, udp established for good, rules 1 4, out 1, redirect");
	assert_int_equal(port_flows(f, 1), 1);
	enters(f, 1, &one, A_SAYS("begins"));
	enters(f, 2, &two, B_SAYS("half-open"));
	enters(f, 1, &three, "in 1, tcp waits, drop flow-limit at 1 in flow, shot");
	assert_int_equal(web(f).value.state, HD_FLOW_HALF_OPEN);
	enters(f, 4, &out,
	       "in 4, udp begins, rules 4, out 2, redirect"); /* another's are its own */
	enters(f, 2, &back, "in 2, udp established for good, rules 4, out 4, redirect");
	/* Room again. */
	disallow(f, (struct allow){ .policy = POLICY(2),
				    .dir = HD_INGRESS,
				    .proto = IPPROTO_UDP,
				    .port = 53,
				    .port_len = 16 });
	set_gen(f, 1, 99);
	enters(f, 1, &ask, "in 1, udp ends, drop group-ingress at 2 in flow, shot");
	assert_int_equal(port_flows(f, 1), 0);
	enters(f, 1, &three, A_SAYS("established for good"));
	enters(f, 1, &rst, A_SAYS("closed"));
	assert_int_equal(port_flows(f, 1), 1); /* until it is swept, or its ports are used again */
	enters(f, 1, &one, A_SAYS("begins"));
	assert_int_equal(port_flows(f, 1), 0);
}

int tcp_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opening),
		TEST(data),
		TEST(v6),
		TEST(closing),
		TEST(closing_by_the_other),
		TEST(syn_on_closed),
		TEST(syn_on_established),
		TEST(reset_that_is_expected),
		TEST(reset_in_the_window),
		TEST(reset_outside_the_window),
		TEST(scaled_window),
		TEST(one_sided_scale),
		TEST(refused),
		TEST(simultaneous_open),
		TEST(not_from_the_beginning),
		TEST(answers_only),
		TEST(one_side_establishes_nothing),
		TEST(ages),
		TEST(flags_of_nonsense),
		TEST(full_table),
		TEST(limit_of_a_port),
	};

	return cmocka_run_group_tests_name("TCP", tests, NULL, NULL);
}
