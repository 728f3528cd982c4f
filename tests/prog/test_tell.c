// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_tell.c - what a router says itself: ICMP errors, and answers to ping */
#include "tests/prog/routed.h"

#include <stdio.h>

#define TOLD(reason) "in 3, out 3, drop " reason " at 3 in tell, redirect"
#define NOT_TOLD(reason) "in 3, drop " reason " at 3 in tell, shot"

static struct pkt udp(void)
{
	return to_router(udp4(&cat, &dan, 4000, 53));
}

static struct pkt udp_v6(void)
{
	return to_router(udp6(&cat, &dan, 4000, 53));
}

/* Of either family, with payload up to a whole length of @len bytes. */
static struct pkt long_udp(const struct host *from, const struct host *to, bool v6, uint32_t len)
{
	struct pkt p = v6 ? ip6(from, to, IPPROTO_UDP) : ip4(from, to, IPPROTO_UDP);

	pkt_udp(&p, 4000, 53);
	pkt_fill(&p, len);
	pkt_end(&p);
	return to_router(p);
}

/* @p enters by port 3, and its sender is told @type, @code from @gate. */
static void is_told(struct fixture *f, struct pkt p, const char *gate, uint8_t type, uint8_t code,
		    const char *story)
{
	struct pkt error = told(&p, gate, type, code, 0);

	enters_as(f, 3, &p, &error, story);
}

/* RFC 1812 section 5.3.1, RFC 4443 section 3.3. From the router's address on the sender's side, to whose MAC it came from. */
static void ttl(void **state)
{
	struct fixture *f = *state;

	routed_world(f);
	for (uint8_t n = 0; n < 2; n++) {
		is_told(f, with_ttl(udp(), n), GATE1, 11, 0, TOLD("ttl-expired"));
		is_told(f, with_ttl(udp_v6(), n), GATE1_6, 3, 0, TOLD("ttl-expired"));
	}
}

/* Of an established flow, too. */
static void ttl_on_a_flow(void **state)
{
	struct fixture *f = *state;

	for (int v6 = 0; v6 < 2; v6++) {
		struct pkt ask = v6 ? udp6(&ann, &bob, 4000, 53) : udp4(&ann, &bob, 4000, 53);
		struct pkt reply = v6 ? udp6(&bob, &ann, 53, 4000) : udp4(&bob, &ann, 53, 4000);
		struct pkt old, error;

		fixture_resize(f, (struct sizes){ 0 });
		routed_world(f);
		ask = to_router(ask);
		reply = to_router(reply);
		assert_int_equal(run_in(f, 1, &ask), REDIRECTED);
		assert_int_equal(run_in(f, 2, &reply), REDIRECTED);
		old = with_ttl(ask, 1);
		error = told(&old, v6 ? GATE1_6 : GATE1, v6 ? 3 : 11, 0, 0);
		enters_as(f, 1, &old, &error,
			  "in 1, out 1, drop ttl-expired at 1 in tell, redirect");
	}
}

/* With all of it, up to 128 bytes behind the Ethernet header; what a short frame was filled up with is none of it. */
static void quotes(void **state)
{
	struct fixture *f = *state;

	routed_world(f);
	for (uint32_t len = ETH_HLEN + 48; len < 1500; len += len < 200 ? 1 : 97) {
		forget_told(f, 3);
		is_told(f, with_ttl(long_udp(&cat, &dan, len & 1, len), 1),
			len & 1 ? GATE1_6 : GATE1, len & 1 ? 3 : 11, 0, TOLD("ttl-expired"));
	}
	for (uint32_t len = ETH_HLEN + 28; len < 60; len++) {
		struct pkt p = with_ttl(long_udp(&cat, &dan, false, len), 1), filled = p,
			   error = told(&p, GATE1, 11, 0, 0);

		forget_told(f, 3);
		pkt_fill(&filled, 60);
		enters_as(f, 3, &filled, &error, TOLD("ttl-expired"));
	}
}

/* The secure are told as well, though nothing may get to them. */
static void to_a_port_with_security(void **state)
{
	struct fixture *f = *state;
	struct pkt p = with_ttl(to_router(udp4(&bob, &ann, 1, 2)), 1),
		   error = told(&p, GATE2, 11, 0, 0);

	routed_world(f);
	enters_as(f, 2, &p, &error, "in 2, out 2, drop ttl-expired at 2 in tell, redirect");
}

static void no_route(void **state)
{
	struct fixture *f = *state;

	routed_world(f);
	is_told(f, with_target(udp(), "203.0.113.9"), GATE1, 3, 0, TOLD("no-route"));
	is_told(f, with_target(udp_v6(), "2001:db8:9::9"), GATE1_6, 1, 0, TOLD("no-route"));
}

/* The way to its sender says from which address it is told: also one that came from further on. */
static void from_the_right_address(void **state)
{
	struct fixture *f = *state;
	struct pkt p = with_source(udp(), "203.0.113.9");

	routed_world(f);
	route_add(f,
		  (struct route){ ROUTER, "203.0.113.0", 24, HD_ROUTE_VIA, 1, cat.v4, GATE1, 1 });
	is_told(f, with_ttl(p, 1), GATE1, 11, 0, TOLD("ttl-expired"));
	/* To whom there is no way, nothing is told. */
	p = with_ttl(with_source(udp(), "203.0.112.9"), 1);
	enters(f, 3, &p, NOT_TOLD("ttl-expired"));
	route_add(f, (struct route){ ROUTER, "203.0.112.0", 24, HD_ROUTE_BLACKHOLE, .id = 2 });
	enters(f, 3, &p, NOT_TOLD("ttl-expired"));
}

/* RFC 1122 section 3.2.2, RFC 4443 section 2.4: not of errors, nor of later pieces. */
static void never_of_errors(void **state)
{
	static const uint8_t v4[] = { 3, 4, 5, 11, 12 }, v6[] = { 1, 2, 3, 4, 100, 127 };
	struct fixture *f = *state;
	struct pkt p;

	routed_world(f);
	for (size_t i = 0; i < sizeof(v4); i++) {
		p = with_ttl(to_router(icmp4(&cat, &dan, v4[i], 0, 0)), 1);
		enters(f, 3, &p, NOT_TOLD("ttl-expired"));
	}
	for (size_t i = 0; i < sizeof(v6); i++) {
		p = with_ttl(to_router(icmp6(&cat, &dan, v6[i], 0, 0)), 1);
		enters(f, 3, &p, NOT_TOLD("ttl-expired"));
	}
	is_told(f, with_ttl(to_router(icmp4(&cat, &dan, 8, 0, 1)), 1), GATE1, 11, 0,
		TOLD("ttl-expired"));
	is_told(f, with_ttl(to_router(icmp6(&cat, &dan, 128, 0, 1)), 1), GATE1_6, 3, 0,
		TOLD("ttl-expired"));
}

static void never_of_later_pieces(void **state)
{
	struct fixture *f = *state;
	struct pkt one = piece_of(&cat, &dan, false, 7, 0, 48, true),
		   two = with_ttl(piece_of(&cat, &dan, false, 7, 48, 48, false), 1),
		   out = routed(one, dan.mac);

	routed_world(f);
	enters_as(f, 3, &one, &out, "in 3, pieces +1, out 4, redirect");
	enters(f, 3, &two, "in 3, piece, drop ttl-expired at 3 in tell, shot");
	is_told(f, with_ttl(piece_of(&cat, &dan, false, 8, 0, 48, true), 1), GATE1, 11, 0,
		TOLD("ttl-expired"));
}

/* RFC 1812 section 4.3.2.8: a hundred in a second for each port. */
static void so_many_in_a_second(void **state)
{
	struct fixture *f = *state;
	struct pkt p = with_ttl(udp(), 1), error = told(&p, GATE1, 11, 0, 0);
	struct pkt q = with_ttl(to_router(udp4(&dan, &cat, 1, 2)), 1),
		   error2 = told(&q, GATE2, 11, 0, 0);
	uint32_t second, n;

	routed_world(f);
	do { /* all of it in one second of the datapath's clock */
		second = (uint32_t)now(f) / HZ;
		for (n = 0; run_in(f, 3, &p) == REDIRECTED; n++)
			assert_true(n < 1000);
		if ((uint32_t)now(f) / HZ == second)
			break;
	} while (true);
	assert_int_equal(n, 100);
	assert_int_equal(router_state(f, 3).told >> 16, second & 0xffff);
	enters_as(f, 4, &q, &error2, "in 4, out 4, drop ttl-expired at 4 in tell, redirect");
	while ((uint32_t)now(f) / HZ == second)
		;
	enters_as(f, 3, &p, &error, TOLD("ttl-expired"));
}

/* --- too big --- */

/* For a port: RFC 1191, RFC 8201; also without "don't fragment". */
static void too_big_for_a_port(void **state)
{
	struct fixture *f = *state;

	for (int v6 = 0; v6 < 2; v6++) {
		struct pkt p = long_udp(&cat, &dan, v6, ETH_HLEN + 1400), out = routed(p, dan.mac),
			   more = long_udp(&cat, &dan, v6, ETH_HLEN + 1401),
			   error = told(&more, v6 ? GATE1_6 : GATE1, v6 ? 2 : 3, v6 ? 0 : 4, 1400);

		fixture_resize(f, (struct sizes){ 0 });
		routed_world(f);
		port_mtu(f, 4, 1400);
		enters_as(f, 3, &p, &out, "in 3, out 4, redirect");
		enters_as(f, 3, &more, &error, TOLD("mtu"));
		if (v6)
			continue;
		more.data[ETH_HLEN + 6] = 0x40; /* DF */
		more = with_ttl(more, 64);
		error = told(&more, GATE1, 3, 4, 1400);
		enters_as(f, 3, &more, &error, TOLD("mtu"));
	}
}

/* On a flow that is established, too. */
static void too_big_for_a_flow(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = to_router(udp4(&ann, &bob, 4000, 53)), out = routed(ask, bob.mac),
		   reply = to_router(udp4(&bob, &ann, 53, 4000)), back = routed(reply, ann.mac),
		   more = long_udp(&ann, &bob, false, ETH_HLEN + 1401),
		   error = told(&more, GATE1, 3, 4, 1400);

	routed_world(f);
	port_mtu(f, 2, 1400);
	enters_as(f, 1, &ask, &out, "in 1, routed udp begins, rules 1 4, out 2, redirect");
	enters_as(f, 2, &reply, &back,
		  "in 2, routed udp established for good, rules 1 4, out 1, redirect");
	enters_as(f, 1, &more, &error, "in 1, out 1, drop mtu at 1 in tell, redirect");
}

/* For a tunnel: what fits is what the way to the peer takes, less the headers. */
static void too_big_for_a_tunnel(void **state)
{
	struct fixture *f = *state;

	for (int v6 = 0; v6 < 2; v6++) {
		struct pkt more = long_udp(&cat, &eve, v6, ETH_HLEN + 1351),
			   error = told(&more, v6 ? GATE1_6 : GATE1, v6 ? 2 : 3, v6 ? 0 : 4, 1350);

		fixture_resize(f, (struct sizes){ 0 });
		routed_world(f);
		net_tunnel(f, 2, HD_TUNNEL_VXLAN, 12, HD_VXLAN_PORT);
		uplink_add(f, 20, 6, "203.0.113.1");
		peer_add(f, 21, 6, "203.0.113.1", "203.0.113.2");
		end_mtu(f, 21, 1400);
		fdb_learned(f, 2, eve.mac, 21, 0);
		arp_learned(f, 2, v6 ? eve.v6 : eve.v4, eve.mac);
		enters_as(f, 3, &more, &error, TOLD("mtu"));
		more = long_udp(&cat, &eve, v6, ETH_HLEN + 1350);
		assert_int_equal(run_in(f, 3, &more), REDIRECTED);
	}
}

/* A super-packet is measured by its segments. */
static void super_packets(void **state)
{
	struct fixture *f = *state;

	for (int v6 = 0; v6 < 2; v6++) {
		struct pkt_segment segment = { PKT_ACK, 1, 1, 1000, -1 };
		uint32_t headers = v6 ? 60 : 40;
		struct pkt p = v6 ? tcp6(&cat, &dan, 1, 2, segment, 2800)
				  : tcp4(&cat, &dan, 1, 2, segment, 2800);
		struct pkt out, error;

		fixture_resize(f, (struct sizes){ 0 });
		routed_world(f);
		p = to_router(p);
		out = routed(p, dan.mac);
		f->also[0] = &out;
		arrives(f, 3, &p, (uint16_t)(1500 - headers), "in 3, copies 4, out 4");
		port_mtu(f, 4, 1400);
		arrives(f, 3, &p, (uint16_t)(1400 - headers), "in 3, copies 4, out 4");
		error = told(&p, v6 ? GATE1_6 : GATE1, v6 ? 2 : 3, v6 ? 0 : 4, 1400);
		f->also[0] = &error;
		f->inside = &error;
		arrives(f, 3, &p, (uint16_t)(1401 - headers),
			"in 3, copies 3, out 3, drop mtu at 3 in tell");
		f->also[0] = NULL;
		f->inside = NULL;
	}
}

/* --- to the router itself --- */

static struct pkt echo(bool v6, const char *gate, uint8_t code, uint32_t len, bool is_reply)
{
	uint8_t proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	uint8_t type = v6 ? 128 : 8, answer = v6 ? 129 : 0;
	struct pkt p = pkt_eth(is_reply ? cat.mac : MAC_ROUTER, is_reply ? MAC_ROUTER : cat.mac,
			       v6 ? ETH_P_IPV6 : ETH_P_IP);
	const char *us = v6 ? cat.v6 : cat.v4;

	if (v6)
		pkt_ipv6(&p, is_reply ? gate : us, is_reply ? us : gate, proto, 64);
	else
		pkt_ipv4(&p, is_reply ? gate : us, is_reply ? us : gate, proto);
	pkt_icmp(&p, proto, is_reply ? answer : type, is_reply ? 0 : code, 77);
	pkt_bytes(&p, len);
	pkt_end(&p);
	return p;
}

static void ping(void **state)
{
	static const char *const gates[] = { GATE1, GATE2, GATE1_6, GATE2_6 };
	struct fixture *f = *state;

	routed_world(f);
	for (int i = 0; i < 4; i++)
		for (uint32_t len = 0; len < 300; len += 13) {
			struct pkt ask = echo(i > 1, gates[i], 0, len, false),
				   reply = echo(i > 1, gates[i], 0, len, true);

			enters_as(f, 3, &ask, &reply, "in 3, out 3, redirect");
			ask = with_ttl(ask, 1); /* it ends here */
			enters_as(f, 3, &ask, &reply, "in 3, out 3, redirect");
			ask = with_ttl(ask, 255);
			enters_as(f, 3, &ask, &reply, "in 3, out 3, redirect");
		}
}

/* Whatever its checksum is: the sum of one's complements has two zeros. */
static void ping_checksums(void **state)
{
	struct fixture *f = *state;

	routed_world(f);
	for (uint32_t id = 0; id < 65536; id += 5)
		for (int v6 = 0; v6 < 2; v6++) {
			struct pkt ask = echo(v6, v6 ? GATE1_6 : GATE1, 0, 0, false), out;
			uint32_t at = v6 ? ETH_HLEN + 40 : ETH_HLEN + 20, sum;

			pkt_set16(&ask, at + 2, 0);
			pkt_set16(&ask, at + 4, id);
			if (v6)
				pkt_set16(&ask, at + 2, pkt_l4_csum(&ask, 1));
			else
				pkt_set16(&ask, at + 2, pkt_fold(pkt_sum(ask.data + at, 8, 0)));
			assert_int_equal(run_through(f, 3, &ask, &out), REDIRECTED);
			sum = pkt_sum(out.data + at, 8, 0);
			if (v6)
				sum = pkt_sum(out.data + ETH_HLEN + 8, 32, sum + 8 + 58);
			assert_int_equal(pkt_fold(sum), 0);
			if (!v6)
				assert_int_equal(pkt_fold(pkt_sum(out.data + ETH_HLEN, 20, 0)), 0);
		}
}

/* A code that means nothing is not repeated. */
static void ping_with_a_code(void **state)
{
	struct fixture *f = *state;

	routed_world(f);
	for (int v6 = 0; v6 < 2; v6++) {
		struct pkt ask = echo(v6, v6 ? GATE1_6 : GATE1, 5, 20, false),
			   reply = echo(v6, v6 ? GATE1_6 : GATE1, 5, 20, true);

		enters_as(f, 3, &ask, &reply, "in 3, out 3, redirect");
	}
}

/* From a port with security, its rules are asked as they are for any other address. */
static void ping_with_rules(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = with_target(to_router(icmp4(&ann, &bob, 8, 0, 77)), GATE1),
		   reply = icmp4(&bob, &ann, 0, 0, 77),
		   deny = with_target(to_router(icmp4(&bob, &ann, 8, 0, 77)), GATE2);

	reply = with_source(reply, GATE1);
	memcpy(reply.data + 6, MAC_ROUTER, 6);
	routed_world(f);
	enters_as(f, 1, &ask, &reply, "in 1, rules 1, out 1, redirect");
	enters(f, 2, &deny, "in 2, drop group-egress at 2 in route, shot");
}

/* UDP is refused, so that traceroute ends; all else is not heard. */
static void others(void **state)
{
	struct fixture *f = *state;
	struct pkt p;

	routed_world(f);
	is_told(f, with_target(udp(), GATE1), GATE1, 3, 3, TOLD("to-router"));
	is_told(f, with_target(udp(), GATE2), GATE1, 3, 3, TOLD("to-router"));
	is_told(f, with_ttl(with_target(udp(), GATE1), 1), GATE1, 3, 3, TOLD("to-router"));
	is_told(f, with_target(udp_v6(), GATE2_6), GATE1_6, 1, 4, TOLD("to-router"));
	p = with_target(
		to_router(tcp4(&cat, &dan, 1, 22, (struct pkt_segment){ PKT_SYN, 1, 0, 1, -1 }, 0)),
		GATE1);
	enters(f, 3, &p, "in 3, drop to-router at 3 in route, shot");
	p = with_target(to_router(icmp4(&cat, &dan, 13, 0, 1)), GATE1);
	enters(f, 3, &p, "in 3, drop to-router at 3 in route, shot");
	p = with_target(to_router(icmp4(&cat, &dan, 0, 0, 1)), GATE1);
	enters(f, 3, &p, "in 3, drop to-router at 3 in route, shot");
	p = with_target(to_router(icmp4(&cat, &dan, 3, 3, 1)), GATE1);
	enters(f, 3, &p, "in 3, drop to-router at 3 in route, shot");
}

static void in_pieces(void **state)
{
	struct fixture *f = *state;
	struct pkt one = with_target(piece_of(&cat, &dan, false, 7, 0, 48, true), GATE1),
		   two = with_target(piece_of(&cat, &dan, false, 7, 48, 48, false), GATE1), ask;

	routed_world(f);
	is_told(f, one, GATE1, 3, 3, TOLD("to-router"));
	enters(f, 3, &two, "in 3, pieces +1, held +1, drop fragment-orphan at 3 in route, shot");
	ask = ip4(&cat, &dan, IPPROTO_ICMP);
	pkt_frag4(&ask, 8, 0, true);
	pkt_icmp(&ask, IPPROTO_ICMP, 8, 0, 1);
	pkt_bytes(&ask, 40);
	pkt_end(&ask);
	ask = with_target(to_router(ask), GATE1);
	enters(f, 3, &ask, "in 3, drop to-router at 3 in route, shot");
}

/* By a tunnel: back into it. */
static void to_a_peer(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = echo(false, GATE1, 0, 20, false), reply = echo(false, GATE1, 0, 20, true);
	struct pkt late = with_ttl(udp(), 1), error = told(&late, GATE1, 11, 0, 0);
	const struct pkt *const pairs[][2] = { { &ask, &reply }, { &late, &error } };

	routed_world(f);
	net_tunnel(f, 1, HD_TUNNEL_VXLAN, 11, HD_VXLAN_PORT);
	uplink_add(f, 20, 6, "203.0.113.1");
	peer_add(f, 21, 6, "203.0.113.1", "203.0.113.2");
	fdb_del(f, 1, cat.mac);
	fdb_learned(f, 1, cat.mac, 21, 0);
	for (int i = 0; i < 2; i++) {
		struct pkt in = pkt_eth(MAC_UPLINK, MAC(21), ETH_P_IP), out;

		pkt_ipv4(&in, "203.0.113.2", "203.0.113.1", IPPROTO_UDP);
		pkt_udp_no_csum(&in, 50000, HD_VXLAN_PORT);
		pkt_vxlan(&in, 11);
		pkt_append(&in, pairs[i][0]);
		pkt_end(&in);
		assert_int_equal(run_uplink(f, 6, &in, &out), REDIRECTED);
		assert_int_equal(out.len, 50 + pairs[i][1]->len);
		assert_memory_equal(out.data, MAC(21), 6);
		assert_memory_equal(out.data + 50, pairs[i][1]->data, pairs[i][1]->len);
		assert_int_equal(out.data[ETH_HLEN + 20 + 8 + 6], 11); /* its VNI */
	}
}

int tell_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ttl),
		TEST(ttl_on_a_flow),
		TEST(quotes),
		TEST(to_a_port_with_security),
		TEST(no_route),
		TEST(from_the_right_address),
		TEST(never_of_errors),
		TEST(never_of_later_pieces),
		TEST(so_many_in_a_second),
		TEST(too_big_for_a_port),
		TEST(too_big_for_a_flow),
		TEST(too_big_for_a_tunnel),
		TEST(super_packets),
		TEST(ping),
		TEST(ping_checksums),
		TEST(ping_with_a_code),
		TEST(ping_with_rules),
		TEST(others),
		TEST(in_pieces),
		TEST(to_a_peer),
	};

	return cmocka_run_group_tests_name("tell", tests, NULL, NULL);
}
