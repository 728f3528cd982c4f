// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_nat6.c - port forwards of IPv6: in, back, removed, errors, pieces, checksums, from inside; all bytes are compared */
#include "tests/prog/natted.h"

#define LISTEN6 "2001:db8:2::77"
#define IN_BEGINS "in 4, routed udp6 begins, rules 11, out 1, redirect"
#define IN_GOES_ON "in 4, routed udp6 goes on, rules 11, out 1, redirect"
#define ANSWERS "in 1, routed udp6 established for good, rules 11, out 4, redirect"
#define ANSWERS_ON "in 1, routed udp6 goes on, rules 11, out 4, redirect"
#define NO_LONGER "in 4, drop to-router at 4 in route, shot"

/* Where it listens, as it is seen from outside, and from inside. */
static const struct host gate6 = { 0, { 2, 0x68, 0x65, 0, 0, 0x1e }, GATE, LISTEN6, "fe80::1" };
static const struct host gate6_in = { 0, { 2, 0x68, 0x64, 0, 0, 0x1e }, GATE, LISTEN6, "fe80::1" };

/* natted.h with IPv6, closed: UDP and TCP 81 at LISTEN6 lead to ann's 53 and 80. */
static void world6(struct fixture *f)
{
	natted_world(f, 2);
	router_joins(f, ROUTER, OUTSIDE, "2001:db8:2::", 64, GATE2_6);
	forward6_set(f, HD_FLOW_UDP, LISTEN6, 81, ann.v6, 53);
	forward6_set(f, HD_FLOW_TCP, LISTEN6, 81, ann.v6, 80);
	allow(f, (struct allow){
			 .id = FREE_RULE, .policy = POLICY(1), .dir = HD_INGRESS, .v6 = true });
}

static void forwarded(void **state)
{
	struct fixture *f = *state;
	struct pkt_segment syn = { PKT_SYN, 100, 0, 1000, -1 },
			   syn_ack = { PKT_SYN | PKT_ACK, 500, 101, 1000, -1 };
	struct host ann_out = ann;

	world6(f);
	memcpy(ann_out.mac, MAC_ASKS, 6);
	becomes(f, 4, udp6(&dan, &gate6, 4000, 81), udp6(&dan_in, &ann, 4000, 53), IN_BEGINS);
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4000)), udp6(&gate6, &dan, 81, 4000), ANSWERS);
	becomes(f, 4, udp6(&dan, &gate6, 4000, 81), udp6(&dan_in, &ann, 4000, 53), IN_GOES_ON);
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4000)), udp6(&gate6, &dan, 81, 4000),
		ANSWERS_ON);
	becomes(f, 5, tcp6(&eve, &gate6, 4000, 81, syn, 0), tcp6(&eve_in, &ann, 4000, 80, syn, 0),
		"in 5, routed tcp6 begins, rules 11, out 1, redirect");
	becomes(f, 1, to_router(tcp6(&ann, &eve, 80, 4000, syn_ack, 0)),
		tcp6(&gate6, &eve, 81, 4000, syn_ack, 0),
		"in 1, routed tcp6 half-open, rules 11, out 5, redirect");
	/* Another port, another protocol, a ping; and past it nothing gets in, not even as a part of the flow. */
	dropped(f, 4, tcp6(&dan, &gate6, 4000, 82, syn, 0), NO_LONGER);
	dropped(f, 4, udp6(&dan, &ann_out, 4001, 53),
		"in 4, drop outside at 4 in routed-flow, shot");
	dropped(f, 4, udp6(&dan, &ann_out, 4000, 53),
		"in 4, drop nat-clash at 4 in routed-flow, shot");
	/* What ann begins by herself goes out as it is, from the same port, too. */
	becomes(f, 1, to_router(udp6(&ann, &eve, 53, 53)), udp6(&ann_out, &eve, 53, 53),
		"in 1, routed udp6 begins, rules 2, out 5, redirect");
}

/* Several lead to one endpoint; each is answered by its own name. Who uses two at once, from one port, would be two connections in one. */
static void two_names(void **state)
{
	struct fixture *f = *state;

	world6(f);
	forward6_set(f, HD_FLOW_UDP, LISTEN6, 83, ann.v6, 53);
	becomes(f, 4, udp6(&dan, &gate6, 4000, 81), udp6(&dan_in, &ann, 4000, 53), IN_BEGINS);
	becomes(f, 4, udp6(&dan, &gate6, 4001, 83), udp6(&dan_in, &ann, 4001, 53), IN_BEGINS);
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4001)), udp6(&gate6, &dan, 83, 4001), ANSWERS);
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4000)), udp6(&gate6, &dan, 81, 4000), ANSWERS);
	dropped(f, 4, udp6(&dan, &gate6, 4000, 83),
		"in 4, drop nat-clash at 4 in routed-flow, shot");
}

/* With it its flows end, whoever speaks next. */
static void removed(void **state)
{
	struct fixture *f = *state;

	world6(f);
	becomes(f, 4, udp6(&dan, &gate6, 4000, 81), udp6(&dan_in, &ann, 4000, 53), IN_BEGINS);
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4000)), udp6(&gate6, &dan, 81, 4000), ANSWERS);
	forward6_unset(f, HD_FLOW_UDP, LISTEN6, 81, ann.v6, 53);
	dropped(f, 1, to_router(udp6(&ann, &dan, 53, 4000)),
		"in 1, routed udp6 goes on, rules 11, drop outside at 1 in route, shot");
}

/* Outer and quoted addresses, the quoted port, and the checksum over all of it. @frag: bytes of a fragment header in front of it */
static struct pkt quoted(struct pkt p, const char *ip, bool source, uint16_t port, uint32_t frag)
{
	p = source ? with_source(p, ip) : with_target(p, ip);
	pkt_set16(&p, ETH_HLEN + 40 + frag + (source ? 0 : 2), port);
	return p;
}

static void errors(void **state)
{
	struct fixture *f = *state;
	struct pkt got, quote;

	world6(f);
	becomes(f, 4, udp6(&dan, &gate6, 4000, 81), udp6(&dan_in, &ann, 4000, 53), IN_BEGINS);
	/* From inside about what came from outside. */
	got = going(udp6(&dan_in, &ann, 4000, 53));
	quote = quoted(got, LISTEN6, false, 81, 0);
	becomes(f, 1, to_router(error_about(&ann, &dan, 1, 4, 0, &got)),
		error_about(&gate6, &dan, 1, 4, 0, &quote), "in 1, out 4, redirect");
	/* From a router outside about an answer: too big, time exceeded. */
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4000)), udp6(&gate6, &dan, 81, 4000), ANSWERS);
	got = going(udp6(&gate6, &dan, 81, 4000));
	quote = quoted(got, ann.v6, true, 53, 0);
	becomes(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &got),
		error_about(&eve_in, &ann, 2, 0, 1300, &quote), "in 5, out 1, redirect");
	becomes(f, 4, error_about(&dan, &gate6, 3, 0, 0, &got),
		error_about(&dan_in, &ann, 3, 0, 0, &quote), "in 4, out 1, redirect");
	/* About what nobody has sent: another port, another remote, another's address. */
	got = going(udp6(&gate6, &dan, 82, 4000));
	dropped(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &got),
		"in 5, drop to-router at 5 in route, shot");
	got = going(udp6(&gate6, &dan, 81, 4001));
	dropped(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &got),
		"in 5, drop icmp-unrelated at 5 in routed-flow, shot");
	got = going(udp6(&eve, &dan, 81, 4000));
	dropped(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &got),
		"in 5, drop to-router at 5 in route, shot");
	forward6_unset(f, HD_FLOW_UDP, LISTEN6, 81, ann.v6, 53);
	got = going(udp6(&gate6, &dan, 81, 4000));
	dropped(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &got),
		"in 5, drop to-router at 5 in route, shot");
}

/* A part of a datagram; its first has the ports. */
static struct pkt piece6(const struct host *from, const struct host *to, uint16_t sport,
			 uint16_t dport, uint32_t id, uint32_t off, uint32_t len, bool more)
{
	struct pkt p = ip6(from, to, IPPROTO_FRAGMENT);

	pkt_frag6(&p, IPPROTO_UDP, id, off, more);
	if (!off)
		pkt_udp(&p, sport, dport);
	pkt_bytes(&p, off ? len : len - 8);
	pkt_end(&p);
	return p;
}

static void pieces(void **state)
{
	struct fixture *f = *state;
	struct pkt got, quote;

	world6(f);
	becomes(f, 4, piece6(&dan, &gate6, 4000, 81, 98, 0, 64, true),
		piece6(&dan_in, &ann, 4000, 53, 98, 0, 64, true),
		"in 4, routed udp6 begins, pieces +1, rules 11, out 1, redirect");
	becomes(f, 4, piece6(&dan, &gate6, 0, 0, 98, 64, 32, false),
		piece6(&dan_in, &ann, 0, 0, 98, 64, 32, false),
		"in 4, routed udp6 waits, piece, rules 11, out 1, redirect");
	becomes(f, 1, to_router(piece6(&ann, &dan, 53, 4000, 99, 0, 64, true)),
		piece6(&gate6, &dan, 81, 4000, 99, 0, 64, true),
		"in 1, routed udp6 established for good, pieces +1, rules 11, out 4, redirect");
	becomes(f, 1, to_router(piece6(&ann, &dan, 0, 0, 99, 64, 32, false)),
		piece6(&gate6, &dan, 0, 0, 99, 64, 32, false),
		"in 1, routed udp6 goes on, piece, rules 11, out 4, redirect");
	/* "Too big" about the first of them; about a later one nobody can say whose it was. */
	got = going(piece6(&gate6, &dan, 81, 4000, 99, 0, 64, true));
	quote = quoted(got, ann.v6, true, 53, 8);
	becomes(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &got),
		error_about(&eve_in, &ann, 2, 0, 1300, &quote), "in 5, out 1, redirect");
	got = going(piece6(&gate6, &dan, 0, 0, 99, 64, 32, false));
	dropped(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &got),
		"in 5, drop to-router at 5 in route, shot");
}

/* A checksum of UDP that would be zero is all ones (RFC 8200 section 8.1); where there is none there will be none (RFC 6935). */
static void checksums(void **state)
{
	struct fixture *f = *state;
	struct pkt in, out;
	uint16_t port = 0;

	world6(f);
	do
		out = udp6(&dan_in, &ann, ++port, 53);
	while (port && (out.data[ETH_HLEN + 46] || out.data[ETH_HLEN + 47]));
	assert_int_not_equal(port, 0);
	memset(out.data + ETH_HLEN + 40 + 6, 0xff, 2);
	becomes(f, 4, udp6(&dan, &gate6, port, 81), out, IN_BEGINS);
	in = udp6(&dan, &gate6, 60000, 81);
	out = udp6(&dan_in, &ann, 60000, 53);
	memset(in.data + ETH_HLEN + 40 + 6, 0, 2);
	memset(out.data + ETH_HLEN + 40 + 6, 0, 2);
	becomes(f, 4, in, out, IN_BEGINS);
}

/* When the configuration has changed a flow is judged again, whoever speaks next; the router lets nothing else begin. */
static void stale(void **state)
{
	struct fixture *f = *state;

	world6(f);
	becomes(f, 4, udp6(&dan, &gate6, 4000, 81), udp6(&dan_in, &ann, 4000, 53), IN_BEGINS);
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4000)), udp6(&gate6, &dan, 81, 4000), ANSWERS);
	router_gen(f, ROUTER, 77);
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4000)), udp6(&gate6, &dan, 81, 4000),
		ANSWERS_ON);
	router_gen(f, ROUTER, 78);
	becomes(f, 4, udp6(&dan, &gate6, 4000, 81), udp6(&dan_in, &ann, 4000, 53), IN_GOES_ON);
}

/* Who has no name outside could not be answered. */
static void from_inside(void **state)
{
	struct fixture *f = *state;

	world6(f);
	dropped(f, 3, to_router(udp6(&cat, &gate6_in, 4000, 81)),
		"in 3, routed udp6 begins, rules 11, drop outside at 3 in routed-flow, shot");
}

int nat6_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(forwarded), TEST(two_names), TEST(removed), TEST(errors),
		TEST(pieces),	 TEST(checksums), TEST(stale),	 TEST(from_inside),
	};

	return cmocka_run_group_tests_name("nat6", tests, NULL, NULL);
}
