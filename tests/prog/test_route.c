// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_route.c - packets that cross a router: what goes on and in which form, what does not, and the flows that are kept of it
 *
 * What a router says itself is in test_tell.c; how it gets to know its neighbours in test_resolve.c.
 */
#include "tests/prog/routed.h"

#include <stdio.h>

/* A packet from @from to @to that bob's rules allow, on its way to the router. */
static struct pkt udp(const struct host *from, const struct host *to)
{
	return to_router(udp4(from, to, 4000, 53));
}

static struct pkt answer(const struct host *from, const struct host *to)
{
	return to_router(udp4(from, to, 53, 4000));
}

static struct pkt udp_v6(const struct host *from, const struct host *to)
{
	return to_router(udp6(from, to, 4000, 53));
}

static struct pkt answer_v6(const struct host *from, const struct host *to)
{
	return to_router(udp6(from, to, 53, 4000));
}

/* Enters by @port and goes on to host @to. */
#define crosses(f, port, p, to, story)                                                             \
	do {                                                                                       \
		struct pkt out_ = routed(p, (to)->mac);                                            \
                                                                                                   \
		enters_as(f, port, &(p), &out_, story);                                            \
	} while (0)

static struct flow the_flow(struct fixture *f)
{
	return flow_of(f, IPPROTO_UDP, ann.v4, 4000, bob.v4, 53);
}

/* --- flows --- */

static void there_and_back(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp(&ann, &bob), reply = answer(&bob, &ann);

	routed_world(f);
	crosses(f, 1, ask, &bob, "in 1, routed udp begins, rules 1 4, out 2, redirect");
	crosses(f, 1, ask, &bob, "in 1, routed udp waits, rules 1 4, out 2, redirect");
	crosses(f, 2, reply, &ann,
		"in 2, routed udp established for good, rules 1 4, out 1, redirect");
	for (int i = 0; i < 3; i++) {
		crosses(f, 1, ask, &bob, "in 1, routed udp goes on, rules 1 4, out 2, redirect");
		crosses(f, 2, reply, &ann, "in 2, routed udp goes on, rules 1 4, out 1, redirect");
	}
}

static void there_and_back_v6(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp_v6(&ann, &bob), reply = answer_v6(&bob, &ann);

	routed_world(f);
	crosses(f, 1, ask, &bob, "in 1, routed udp6 begins, rules 2 7, out 2, redirect");
	crosses(f, 2, reply, &ann,
		"in 2, routed udp6 established for good, rules 2 7, out 1, redirect");
	for (int i = 0; i < 3; i++) {
		crosses(f, 1, ask, &bob, "in 1, routed udp6 goes on, rules 2 7, out 2, redirect");
		crosses(f, 2, reply, &ann, "in 2, routed udp6 goes on, rules 2 7, out 1, redirect");
	}
}

/* What an entry says: of which router it is, and for each side in which network and behind which MAC. */
static void what_is_kept(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp(&ann, &bob), reply = answer(&bob, &ann);
	struct flow flow;

	routed_world(f);
	crosses(f, 1, ask, &bob, "in 1, routed udp begins, rules 1 4, out 2, redirect");
	flow = the_flow(f);
	assert_int_equal(flow.router, ROUTER);
	assert_int_equal(flow.value.gen, GEN(1) + GEN(2) + 1000 * ROUTER);
	assert_int_equal(flow.hop[flow.side].network, 1);
	assert_int_equal(flow.hop[!flow.side].network, 2);
	assert_memory_equal(flow.hop[!flow.side].mac, bob.mac, 6);
	crosses(f, 2, reply, &ann,
		"in 2, routed udp established for good, rules 1 4, out 1, redirect");
	flow = the_flow(f);
	assert_false(flow.is_new);
	assert_memory_equal(flow.hop[flow.side].mac, ann.mac, 6);
	assert_memory_equal(flow.hop[!flow.side].mac, bob.mac, 6);
}

static void tcp(void **state)
{
	struct fixture *f = *state;
	struct pkt_segment syn = { PKT_SYN, 100, 0, 1000, -1 },
			   syn_ack = { PKT_SYN | PKT_ACK, 500, 101, 1000, -1 },
			   ack = { PKT_ACK, 101, 501, 1000, -1 },
			   back = { PKT_ACK, 501, 101, 1000, -1 },
			   fin = { PKT_FIN | PKT_ACK, 101, 501, 1000, -1 },
			   fin2 = { PKT_FIN | PKT_ACK, 501, 102, 1000, -1 };

	for (int v6 = 0; v6 < 2; v6++) {
		struct pkt (*seg)(const struct host *, const struct host *, uint16_t, uint16_t,
				  struct pkt_segment, uint32_t) = v6 ? tcp6 : tcp4;
		char story[128];
		const struct {
			const struct host *from;
			const struct host *to;
			struct pkt_segment segment;
			const char *what;
		} steps[] = {
			{ &ann, &bob, syn, "begins" },
			{ &bob, &ann, syn_ack, "half-open" },
			{ &ann, &bob, ack, "established for good" },
			{ &bob, &ann, back, "goes on" },
			{ &ann, &bob, ack, "goes on" },
			{ &ann, &bob, fin, "closing" },
			{ &bob, &ann, fin2, "closed" },
		};

		fixture_resize(f, (struct sizes){ 0 });
		routed_world(f);
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			bool there = steps[i].from == &ann;
			struct pkt p = to_router(seg(steps[i].from, steps[i].to, there ? 4000 : 80,
						     there ? 80 : 4000, steps[i].segment, 0));

			(void)snprintf(story, sizeof(story),
				       "in %u, routed tcp%s %s, rules %s, out %u, redirect",
				       steps[i].from->port, v6 ? "6" : "", steps[i].what,
				       v6 ? "2 6" : "1 3", steps[i].to->port);
			crosses(f, steps[i].from->port, p, steps[i].to, story);
		}
	}
}

static void tcp_out_of_the_middle(void **state)
{
	struct fixture *f = *state;
	struct pkt p = to_router(
		tcp4(&ann, &bob, 4000, 80, (struct pkt_segment){ PKT_ACK, 1, 1, 1000, -1 }, 10));

	routed_world(f);
	enters(f, 1, &p, "in 1, drop tcp-no-connection at 1 in routed-flow, shot");
}

static void ping(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = to_router(icmp4(&ann, &bob, 8, 0, 77)),
		   reply = to_router(icmp4(&bob, &ann, 0, 0, 77)),
		   ask6 = to_router(icmp6(&ann, &bob, 128, 0, 77)),
		   reply6 = to_router(icmp6(&bob, &ann, 129, 0, 77));

	routed_world(f);
	enters(f, 2, &reply, "in 2, drop icmp-unrelated at 2 in routed-flow, shot");
	crosses(f, 1, ask, &bob, "in 1, routed icmp begins, rules 1 5, out 2, redirect");
	crosses(f, 2, reply, &ann,
		"in 2, routed icmp established for good, rules 1 5, out 1, redirect");
	crosses(f, 1, ask, &bob, "in 1, routed icmp goes on, rules 1 5, out 2, redirect");
	crosses(f, 1, ask6, &bob, "in 1, routed icmp6 begins, rules 2 8, out 2, redirect");
	crosses(f, 2, reply6, &ann,
		"in 2, routed icmp6 established for good, rules 2 8, out 1, redirect");
}

/* Rules are asked across a router as they are in a network. */
static void rules(void **state)
{
	struct fixture *f = *state;
	struct pkt closed = to_router(udp4(&ann, &bob, 4000, 54)), out = udp(&bob, &ann),
		   open = udp(&ann, &dan), stranger = udp(&cat, &bob);

	routed_world(f);
	enters(f, 1, &closed, "in 1, drop group-ingress at 2 in routed-flow, shot");
	enters(f, 2, &out, "in 2, drop group-egress at 2 in routed-flow, shot");
	crosses(f, 1, open, &dan, "in 1, routed udp begins, rules 1, out 4, redirect");
	crosses(f, 3, stranger, &bob, "in 3, routed udp begins, rules 4, out 2, redirect");
}

/* "From members of that group": whoever is in it, in whichever network. */
static void groups(void **state)
{
	struct fixture *f = *state;
	struct pkt member = to_router(udp4(&ann, &bob, 4000, 99)),
		   stranger = to_router(udp4(&cat, &bob, 4000, 99));

	routed_world(f);
	allow(f, (struct allow){ .id = FREE_RULE,
				 .policy = POLICY(2),
				 .dir = HD_INGRESS,
				 .group = POLICY(1) });
	crosses(f, 1, member, &bob, "in 1, routed udp begins, rules 1 11, out 2, redirect");
	enters(f, 3, &stranger, "in 3, drop group-ingress at 2 in routed-flow, shot");
}

/* Between ports without security: no flow, no rules; but they have to fit, and be let. */
static void without_security(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp(&cat, &dan), back = answer(&dan, &cat), six = udp_v6(&cat, &dan);

	routed_world(f);
	crosses(f, 3, p, &dan, "in 3, out 4, redirect");
	crosses(f, 4, back, &cat, "in 4, out 3, redirect");
	crosses(f, 3, six, &dan, "in 3, out 4, redirect");
	port_flags(f, 4, UP | HD_PORT_ROUTED | HD_PORT_ISOLATED);
	port_flags(f, 3, UP | HD_PORT_ROUTED | HD_PORT_ISOLATED);
	enters(f, 3, &p, "in 3, drop isolated at 3 in route, shot");
	port_flags(f, 4, HD_PORT_ROUTED);
	enters(f, 3, &p, "in 3, drop port-down at 3 in route, shot");
}

/* The sum of every header is right afterwards, also where it goes over the end of the word. */
static void header_checksum(void **state)
{
	struct fixture *f = *state;
	uint32_t tried = 0;

	routed_world(f);
	for (uint32_t id = 0; id < 65536; id++) {
		struct pkt p = udp(&cat, &dan), out;
		uint16_t sum;

		pkt_set16(&p, ETH_HLEN + 4, id);
		p = with_ttl(p, 64);
		sum = (uint16_t)(p.data[ETH_HLEN + 10] << 8 | p.data[ETH_HLEN + 11]);
		if (sum > 0x0108 && sum < 0xfdf8)
			continue;
		out = routed(p, dan.mac);
		enters_as(f, 3, &p, &out, "in 3, out 4, redirect");
		tried++;
	}
	assert_true(tried > 700);
}

/* Options are not looked at, and stay. */
static void options(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp(&cat, &dan), with = pkt_cut(&p, ETH_HLEN + 20);
	static const uint8_t nops[8] = { 1, 1, 1, 1, 1, 1, 1, 0 };

	routed_world(f);
	with.data[ETH_HLEN] = 0x47;
	pkt_put(&with, nops, sizeof(nops));
	pkt_put(&with, p.data + ETH_HLEN + 20, p.len - ETH_HLEN - 20);
	pkt_set16(&with, ETH_HLEN + 2, with.len - ETH_HLEN);
	with = with_ttl(with, 9);
	crosses(f, 3, with, &dan, "in 3, out 4, redirect");
}

/* --- configuration that changes --- */

static void established(struct fixture *f, struct pkt *ask, struct pkt *reply)
{
	*ask = udp(&ann, &bob);
	*reply = answer(&bob, &ann);
	routed_world(f);
	crosses(f, 1, *ask, &bob, "in 1, routed udp begins, rules 1 4, out 2, redirect");
	crosses(f, 2, *reply, &ann,
		"in 2, routed udp established for good, rules 1 4, out 1, redirect");
}

/* A change of either port or of the router: the next packet is judged again. */
static void stale(void **state)
{
	struct fixture *f = *state;
	struct pkt ask, reply;

	established(f, &ask, &reply);
	set_gen(f, 1, 5);
	crosses(f, 1, ask, &bob, "in 1, routed udp goes on, rules 1 4, out 2, redirect");
	assert_int_equal(the_flow(f).value.gen, 5 + GEN(2) + 1000 * ROUTER);
	router_gen(f, ROUTER, 7);
	crosses(f, 2, reply, &ann, "in 2, routed udp goes on, rules 1 4, out 1, redirect");
	assert_int_equal(the_flow(f).value.gen, 5 + GEN(2) + 7);
	disallow(f, (struct allow){ .policy = POLICY(2),
				    .dir = HD_INGRESS,
				    .proto = IPPROTO_UDP,
				    .port = 53,
				    .port_len = 16 });
	crosses(f, 2, reply, &ann, "in 2, routed udp goes on, rules 1 4, out 1, redirect");
	router_gen(f, ROUTER, 8);
	enters(f, 2, &reply, "in 2, routed udp ends, drop group-ingress at 2 in routed-flow, shot");
}

/* The router has another route: an established flow takes it with its next packet. */
static void route_changes(void **state)
{
	struct fixture *f = *state;
	struct pkt ask, reply;

	established(f, &ask, &reply);
	route_add(f, (struct route){ ROUTER, "198.51.100.11", 32, HD_ROUTE_BLACKHOLE, .id = 1 });
	crosses(f, 1, ask, &bob, "in 1, routed udp goes on, rules 1 4, out 2, redirect");
	router_gen(f, ROUTER, 7);
	enters(f, 1, &ask, "in 1, drop blackhole at 1 in route, shot");
	route_add(f,
		  (struct route){ ROUTER, "198.51.100.11", 32, HD_ROUTE_VIA, 2, dan.v4, GATE2, 1 });
	router_gen(f, ROUTER, 8);
	crosses(f, 1, ask, &dan, "in 1, routed udp goes on, rules 1, out 4, redirect");
}

/* The router is gone: its MAC is that of nobody. */
static void router_goes(void **state)
{
	struct fixture *f = *state;
	struct pkt ask, reply;

	established(f, &ask, &reply);
	fdb_del(f, 1, MAC_ROUTER);
	enters(f, 1, &ask,
	       "in 1, udp begins, rules 1, out 3, redirect"); /* flooded, as for any unknown MAC */
}

/* Its port has moved to another network, or is gone. */
static void port_goes(void **state)
{
	struct fixture *f = *state;
	struct pkt ask, reply;

	established(f, &ask, &reply);
	port_del(f, 2);
	port_add(f, 2, 9, UP);
	enters(f, 1, &ask, "in 1, drop port-down at 1 in route, shot");
	port_del(f, 2);
	enters(f, 1, &ask, "in 1, drop port-down at 1 in route, shot");
}

/* Her MAC is behind another port now: her connection goes on there, and not by what the flow has known. */
static void neighbour_moves(void **state)
{
	struct fixture *f = *state;
	struct pkt ask, reply;
	struct pkt there = udp(&ann, &eve), back = answer(&eve, &ann);

	established(f, &ask, &reply);
	fdb_learned(f, 2, eve.mac, 5, 0);
	arp_learned(f, 2, eve.v4, eve.mac);
	crosses(f, 1, there, &eve, "in 1, routed udp begins, rules 1, out 5, redirect");
	crosses(f, 5, back, &ann,
		"in 5, routed udp established for good, rules 1, out 1, redirect");
	fdb_del(f, 2, eve.mac);
	fdb_learned(f, 2, eve.mac, 4, 0);
	crosses(f, 1, there, &eve, "in 1, routed udp goes on, rules 1, out 4, redirect");
}

/* --- who it comes from --- */

/* The flow of another: neither by her addresses, nor from elsewhere in the router's networks. */
static void stolen(void **state)
{
	struct fixture *f = *state;
	struct pkt ask, reply, forged;

	established(f, &ask, &reply);
	forged = ask;
	memcpy(forged.data + 6, cat.mac, 6);
	enters(f, 3, &forged, "in 3, drop flow-port at 3 in routed-flow, shot");
	memcpy(forged.data + 6, dan.mac, 6);
	enters(f, 4, &forged, "in 4, drop flow-port at 4 in routed-flow, shot");
	crosses(f, 2, reply, &ann, "in 2, routed udp goes on, rules 1 4, out 1, redirect");
	memcpy(forged.data + 6, bob.mac, 6);
	enters(f, 2, &forged, "in 2, drop spoof-ip at 2 in route, shot");
}

/*
 * Answers go where the routes say, and not to whoever has sent something that looks like a part of the flow: behind a port without security are
 * many.
 */
static void answers_follow_routes(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp(&cat, &dan), reply = answer(&dan, &cat), forged;

	routed_world(f);
	secure(f, 4, POLICY(2), GEN(4));       /* dan takes what bob takes */
	port_flags(f, 3, UP | HD_PORT_ROUTED); /* hosts behind port 3: cat, and another */
	crosses(f, 3, ask, &dan, "in 3, routed udp begins, rules 4, out 4, redirect");
	crosses(f, 4, reply, &cat,
		"in 4, routed udp established for good, rules 4, out 3, redirect");
	forged = ask;
	memcpy(forged.data + 6, MAC(0x0f), 6);
	set_gen(f, 4, 5); /* so that it is judged, as a piece would be */
	crosses(f, 3, forged, &dan,
		"in 3, new 1/f at 3, macs 3 +1, routed udp goes on, rules 4, out 4, redirect");
	crosses(f, 4, reply, &cat, "in 4, routed udp goes on, rules 4, out 3, redirect");
}

/* The router's MACs are the router's. */
static void mac_of_the_router(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp(&dan, &cat);

	routed_world(f);
	memcpy(p.data + 6, MAC_ROUTER, 6);
	enters(f, 4, &p, "in 4, drop mac-static at 4 in port-in, shot");
	memcpy(p.data + 6, MAC_ASKS, 6);
	enters(f, 4, &p, "in 4, drop mac-static at 4 in port-in, shot");
	p = udp(&ann, &bob);
	memcpy(p.data + 6, MAC_ROUTER, 6);
	enters(f, 1, &p, "in 1, drop spoof-mac at 1 in route, shot");
}

/* Its MAC of this host alone is as good. */
static void second_mac(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp(&cat, &dan);

	routed_world(f);
	memcpy(p.data, MAC_ASKS, 6);
	crosses(f, 3, p, &dan, "in 3, out 4, redirect");
}

/* A MAC that looks like one is a MAC like others. */
static void looks_like_a_router(void **state)
{
	static const uint8_t other[6] = { 2, 0x68, 0x64, 0, 0, 0x0f };
	struct fixture *f = *state;
	struct pkt p = udp4(&cat, &dan, 1, 2);

	routed_world(f);
	memcpy(p.data, other, 6);
	fdb_static(f, 1, other, 1);
	enters(f, 3, &p, "in 3, drop group-ingress at 1 in flow, shot");
}

/* --- addresses that do not cross --- */

#define STAYS "in 3, drop not-routable at 3 in route, shot"

static void not_routable(void **state)
{
	static const char *const v4[] = {
		"0.0.0.0",     "0.1.2.3",   "127.0.0.1", "169.254.1.2",
		"224.0.0.251", "239.1.1.1", "240.0.0.1", "255.255.255.255"
	};
	static const char *const v6[] = { "::", "::1", "fe80::1", "febf::1", "ff02::1", "ff0e::1" };
	struct fixture *f = *state;
	struct pkt four = udp(&cat, &dan), six = udp_v6(&cat, &dan), p;

	routed_world(f);
	route_add(f, (struct route){ ROUTER, "0.0.0.0", 0, HD_ROUTE_VIA, 2, dan.v4, GATE2, 1 });
	route_add(f, (struct route){ ROUTER, "::", 0, HD_ROUTE_VIA, 2, dan.v6, GATE2_6, 2 });
	for (size_t i = 0; i < sizeof(v4) / sizeof(v4[0]); i++) {
		p = with_target(four, v4[i]);
		enters(f, 3, &p, STAYS);
		p = with_source(four, v4[i]);
		enters(f, 3, &p, STAYS);
	}
	for (size_t i = 0; i < sizeof(v6) / sizeof(v6[0]); i++) {
		p = with_target(six, v6[i]);
		enters(f, 3, &p, STAYS);
		p = with_source(six, v6[i]);
		enters(f, 3, &p, STAYS);
	}
	/* What only looks like one. */
	p = with_target(four, "1.0.0.1");
	crosses(f, 3, p, &dan, "in 3, out 4, redirect");
	p = with_target(four, "223.255.255.254");
	crosses(f, 3, p, &dan, "in 3, out 4, redirect");
	p = with_target(six, "fec0::1");
	crosses(f, 3, p, &dan, "in 3, out 4, redirect");
	p = with_target(six, "::2");
	crosses(f, 3, p, &dan, "in 3, out 4, redirect");
}

/* The broadcast addresses of subnets: to them (RFC 2644), also when the TTL is at its end (RFC 1122: nobody is told), and from them. */
static void broadcasts(void **state)
{
	static const char *const all[] = { "198.51.100.255", "198.51.100.0", "192.0.2.255" };
	struct fixture *f = *state;
	struct pkt p;

	routed_world(f);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		p = with_target(udp(&cat, &dan), all[i]);
		enters(f, 3, &p, STAYS);
		p = with_ttl(p, 1);
		enters(f, 3, &p, STAYS);
		p = with_source(udp(&cat, &dan), all[i]);
		enters(f, 3, &p, STAYS);
	}
}

/* Nobody but the router sends from its addresses. */
static void source_of_the_router(void **state)
{
	static const char *const all[] = { GATE1, GATE2 };
	struct fixture *f = *state;
	struct pkt p;

	routed_world(f);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		p = with_source(udp(&cat, &dan), all[i]);
		enters(f, 3, &p, STAYS);
		p = with_source(to_router(icmp4(&cat, &dan, 8, 0, 1)), all[i]);
		p = with_target(p, GATE1);
		enters(f, 3, &p, STAYS);
	}
	p = with_source(udp_v6(&cat, &dan), GATE2_6);
	enters(f, 3, &p, STAYS);
}

/* What carries a tag is not routed; nor what is no IP. */
static void not_ip(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp(&cat, &dan), other = pkt_eth(MAC_ROUTER, cat.mac, ETH_P_OTHER);
	struct pkt tagged = pkt_eth(MAC_ROUTER, cat.mac, ETH_P_8021Q);

	routed_world(f);
	f->vid = 7;
	enters(f, 3, &p, "in 3, drop tagged at 3 in route, shot");
	pkt_vlan(&tagged, 7, ETH_P_IP);
	pkt_put(&tagged, p.data + ETH_HLEN, p.len - ETH_HLEN);
	enters(f, 3, &tagged, "in 3, drop tagged at 3 in route, shot");
	pkt_fill(&other, 60);
	enters(f, 3, &other, "in 3, drop ethertype at 3 in route, shot");
	p = pkt_cut(&p, ETH_HLEN + 24);
	enters(f, 3, &p, "in 3, drop ip-malformed at 3 in route, shot");
}

/* A router is in VLAN 0 of its networks: whoever is in another has to do without. */
static void another_vlan(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp(&cat, &dan);

	routed_world(f);
	port_vlan(f, 3, 0, 7);
	enters(f, 3, &p, "in 3, drop no-member at 3 in flood, shot");
}

/* --- routes --- */

static void static_route(void **state)
{
	struct fixture *f = *state;
	struct pkt p = with_target(udp(&cat, &dan), "203.0.113.9"),
		   six = with_target(udp_v6(&cat, &dan), "2001:db8:9::9");

	routed_world(f);
	route_add(f,
		  (struct route){ ROUTER, "203.0.113.0", 24, HD_ROUTE_VIA, 2, dan.v4, GATE2, 1 });
	route_add(f, (struct route){ ROUTER, "2001:db8:9::", 48, HD_ROUTE_VIA, 2, dan.v6, GATE2_6,
				     2 });
	crosses(f, 3, p, &dan, "in 3, out 4, redirect");
	crosses(f, 3, six, &dan, "in 3, out 4, redirect");
	/* The longest prefix decides. */
	route_add(f, (struct route){ ROUTER, "203.0.113.8", 29, HD_ROUTE_BLACKHOLE, .id = 3 });
	enters(f, 3, &p, "in 3, drop blackhole at 3 in route, shot");
	p = with_ttl(p, 1); /* in silence */
	enters(f, 3, &p, "in 3, drop blackhole at 3 in route, shot");
}

/* The way of a default route is for its own family. */
static void families_apart(void **state)
{
	struct fixture *f = *state;
	struct pkt p = with_target(udp(&cat, &dan), "203.0.113.9"), error;

	routed_world(f);
	route_add(f, (struct route){ ROUTER, "::", 0, HD_ROUTE_VIA, 2, dan.v6, GATE2_6, 2 });
	route_add(f, (struct route){ ROUTER, "0.0.0.0", 0, HD_ROUTE_NONE, .id = 0 });
	error = told(&p, GATE1, 3, 0, 0);
	enters_as(f, 3, &p, &error, "in 3, out 3, drop no-route at 3 in tell, redirect");
}

/* A VNF: what comes back to it is not its own, and what it sends on is neither. */
static void by_way_of_a_port(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = with_target(udp(&ann, &bob), "203.0.113.9"),
		   reply = with_source(answer(&dan, &ann), "203.0.113.9");

	routed_world(f);
	route_add(f,
		  (struct route){ ROUTER, "203.0.113.0", 24, HD_ROUTE_VIA, 2, dan.v4, GATE2, 1 });
	crosses(f, 1, ask, &dan, "in 1, routed udp begins, rules 1, out 4, redirect");
	crosses(f, 4, reply, &ann,
		"in 4, routed udp established for good, rules 1, out 1, redirect");
	crosses(f, 1, ask, &dan, "in 1, routed udp goes on, rules 1, out 4, redirect");
	crosses(f, 4, reply, &ann, "in 4, routed udp goes on, rules 1, out 1, redirect");
}

static void equal_routes(struct fixture *f, uint16_t group)
{
	for (uint16_t slot = 0; slot < HD_HOP_SLOTS; slot++)
		hop_add(f, group, slot,
			(struct route){ .router = ROUTER,
					.kind = HD_ROUTE_VIA,
					.network = 2,
					.via = slot & 1 ? dan.v4 : eve.v4,
					.gateway = GATE2,
					.id = 1 + (slot & 1u) });
	fdb_learned(f, 2, eve.mac, 5, 0);
	arp_learned(f, 2, eve.v4, eve.mac);
}

/* Flows spread over equal routes; each stays where it is, and its answers take the way that they take. */
static void ecmp(void **state)
{
	struct fixture *f = *state;
	uint32_t at_dan = 0;

	routed_world(f);
	equal_routes(f, 4);
	route_add(f, (struct route){ ROUTER, "203.0.113.0", 24, HD_ROUTE_ECMP, .id = 4 });
	for (uint16_t port = 1000; port < 1200; port++) {
		struct pkt p = with_target(to_router(udp4(&cat, &dan, port, 53)), "203.0.113.9");
		struct pkt first, again, expected;

		assert_int_equal(run_through(f, 3, &p, &first), REDIRECTED);
		expected = routed(p, first.data[5] == dan.mac[5] ? dan.mac : eve.mac);
		assert_memory_equal(first.data, expected.data, p.len);
		at_dan += first.data[5] == dan.mac[5];
		assert_int_equal(run_through(f, 3, &p, &again), REDIRECTED);
		assert_memory_equal(first.data, again.data, p.len);
	}
	assert_in_range(at_dan, 60, 140);
}

/* A group without hops, as there is none while they are exchanged: no route. */
static void ecmp_of_nobody(void **state)
{
	struct fixture *f = *state;
	struct pkt p = with_target(udp(&cat, &dan), "203.0.113.9"),
		   error = told(&p, GATE1, 3, 0, 0);

	routed_world(f);
	route_add(f, (struct route){ ROUTER, "203.0.113.0", 24, HD_ROUTE_ECMP, .id = 4 });
	enters_as(f, 3, &p, &error, "in 3, out 3, drop no-route at 3 in tell, redirect");
}

/* --- packets in pieces --- */

static void pieces(void **state)
{
	struct fixture *f = *state;

	for (int v6 = 0; v6 < 2; v6++) {
		struct pkt one = piece_of(&ann, &bob, v6, 7, 0, 48, true),
			   two = piece_of(&ann, &bob, v6, 7, 48, 48, true),
			   three = piece_of(&ann, &bob, v6, 7, 96, 20, false);

		fixture_resize(f, (struct sizes){ 0 });
		routed_world(f);
		crosses(f, 1, one, &bob,
			v6 ? "in 1, routed udp6 begins, pieces +1, rules 2 7, out 2, redirect"
			   : "in 1, routed udp begins, pieces +1, rules 1 4, out 2, redirect");
		crosses(f, 1, two, &bob,
			v6 ? "in 1, routed udp6 waits, piece, rules 2 7, out 2, redirect"
			   : "in 1, routed udp waits, piece, rules 1 4, out 2, redirect");
		crosses(f, 1, three, &bob,
			v6 ? "in 1, routed udp6 waits, piece, rules 2 7, out 2, redirect"
			   : "in 1, routed udp waits, piece, rules 1 4, out 2, redirect");
	}
}

/* What has waited goes on in the form in which the first one does. */
static void pieces_before_the_first(void **state)
{
	struct fixture *f = *state;

	for (int v6 = 0; v6 < 2; v6++) {
		struct pkt one = piece_of(&ann, &bob, v6, 7, 0, 48, true),
			   two = piece_of(&ann, &bob, v6, 7, 48, 48, true),
			   three = piece_of(&ann, &bob, v6, 7, 96, 48, false), outs[3];

		fixture_resize(f, (struct sizes){ 0 });
		routed_world(f);
		outs[0] = routed(one, bob.mac);
		outs[1] = routed(two, bob.mac);
		outs[2] = routed(three, bob.mac);
		for (int i = 0; i < 3; i++)
			f->also[i] = &outs[i];
		enters(f, 1, &three,
		       "in 1, pieces +1, held +1, drop fragment-orphan at 1 in route, shot");
		enters(f, 1, &two,
		       "in 1, piece, held +1, drop fragment-orphan at 1 in route, shot");
		enters_as(f, 1, &one, &outs[1],
			  v6 ? "in 1, routed udp6 begins, piece, held -2, rules 2 7, copies 2 2 2, "
			       "out 2 2 2, 2 undone fragment-orphan at 1, shot"
			     : "in 1, routed udp begins, piece, held -2, rules 1 4, copies 2 2 2, "
			       "out 2 2 2, 2 undone fragment-orphan at 1, shot");
		memset(f->also, 0, sizeof(f->also));
	}
}

/* Its own TTL counts, of each. */
static void old_pieces_before_the_first(void **state)
{
	struct fixture *f = *state;

	for (uint8_t ttl = 0; ttl < 2; ttl++) {
		struct pkt one = piece_of(&ann, &bob, false, 7, 0, 48, true),
			   two = with_ttl(piece_of(&ann, &bob, false, 7, 48, 48, false), ttl),
			   out = routed(one, bob.mac);

		fixture_resize(f, (struct sizes){ 0 });
		routed_world(f);
		enters(f, 1, &two,
		       "in 1, pieces +1, held +1, drop fragment-orphan at 1 in route, shot");
		f->also[0] = &out;
		assert_int_equal(run_in(f, 1, &one), SHOT); /* the clone goes on */
		assert_int_equal(packets_out(f), 1);
	}
}

static void pieces_without_security(void **state)
{
	struct fixture *f = *state;
	struct pkt one = piece_of(&cat, &dan, false, 7, 0, 48, true),
		   two = piece_of(&cat, &dan, false, 7, 48, 48, false), outs[2];

	routed_world(f);
	crosses(f, 3, one, &dan, "in 3, pieces +1, out 4, redirect");
	crosses(f, 3, two, &dan, "in 3, piece, out 4, redirect");
	one = piece_of(&cat, &dan, false, 8, 0, 48, true);
	two = piece_of(&cat, &dan, false, 8, 48, 48, false);
	outs[0] = routed(one, dan.mac);
	outs[1] = routed(two, dan.mac);
	f->also[0] = &outs[0];
	f->also[1] = &outs[1];
	enters(f, 3, &two, "in 3, pieces +1, held +1, drop fragment-orphan at 3 in route, shot");
	enters_as(f, 3, &one, &outs[1],
		  "in 3, piece, held -1, copies 4 4, out 4 4, 1 undone fragment-orphan at 3, shot");
}

/* The first one is refused: so are the others. */
static void pieces_of_what_is_refused(void **state)
{
	struct fixture *f = *state;
	struct pkt one = piece_of(&bob, &ann, false, 7, 0, 48, true),
		   two = piece_of(&bob, &ann, false, 7, 48, 48, false);

	routed_world(f);
	enters(f, 2, &one, "in 2, drop group-egress at 2 in routed-flow, shot");
	enters(f, 2, &two, "in 2, pieces +1, held +1, drop fragment-orphan at 2 in route, shot");
}

/* --- errors of others --- */

static struct pkt error_of(const struct host *from, const struct host *to, const struct pkt *about)
{
	bool v6 = about->data[12] == 0x86;
	uint8_t proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	struct pkt p = v6 ? ip6(from, to, proto) : ip4(from, to, proto);

	pkt_icmp(&p, proto, v6 ? 1 : 3, 1, 0);
	pkt_put(&p, about->data + ETH_HLEN, about->len - ETH_HLEN);
	pkt_end(&p);
	return to_router(p);
}

/* About a flow that is known, to who has sent what it quotes. */
static void errors(void **state)
{
	struct fixture *f = *state;

	for (int v6 = 0; v6 < 2; v6++) {
		struct pkt ask = v6 ? udp_v6(&ann, &bob) : udp(&ann, &bob), seen, p;
		struct pkt unknown = v6 ? to_router(udp6(&ann, &bob, 4001, 53))
					: to_router(udp4(&ann, &bob, 4001, 53));

		fixture_resize(f, (struct sizes){ 0 });
		routed_world(f);
		seen = routed(ask, bob.mac);
		crosses(f, 1, ask, &bob,
			v6 ? "in 1, routed udp6 begins, rules 2 7, out 2, redirect"
			   : "in 1, routed udp begins, rules 1 4, out 2, redirect");
		p = error_of(&bob, &ann, &seen);
		crosses(f, 2, p, &ann, "in 2, out 1, redirect");
		p = error_of(&dan, &ann, &seen); /* from somewhere on the way */
		crosses(f, 4, p, &ann, "in 4, out 1, redirect");
		p = error_of(&bob, &ann, &unknown);
		enters(f, 2, &p, "in 2, drop icmp-unrelated at 2 in routed-flow, shot");
		p = error_of(&bob, &cat, &seen); /* to another */
		enters(f, 2, &p, "in 2, drop icmp-unrelated at 2 in routed-flow, shot");
		p = with_ttl(error_of(&bob, &ann, &seen), 1);
		enters(f, 2, &p, "in 2, drop ttl-expired at 2 in tell, shot");
	}
}

/* --- two hosts: both networks go on in tunnels, and the router is at the other host, too --- */

#define WIRE 6
#define US "203.0.113.1"
#define PEER "203.0.113.2"

/* Behind the peer: in network 1, and in network 2. */
static const struct host fay = { 21, { 2, 0, 0, 0, 0, 0x0f }, "192.0.2.15", "2001:db8:1::f", "" };
static const struct host gus = {
	21, { 2, 0, 0, 0, 0, 0x10 }, "198.51.100.16", "2001:db8:2::10", ""
};

static void behind_peer(struct fixture *f, const struct host *host, uint32_t network)
{
	fdb_learned(f, network, host->mac, 21, 0);
	arp_learned(f, network, host->v4, host->mac);
	arp_learned(f, network, host->v6, host->mac);
}

static void two_hosts(struct fixture *f)
{
	routed_world(f);
	net_tunnel(f, 1, HD_TUNNEL_VXLAN, 11, HD_VXLAN_PORT);
	net_tunnel(f, 2, HD_TUNNEL_VXLAN, 12, HD_VXLAN_PORT);
	uplink_add(f, 20, WIRE, US);
	peer_add(f, 21, WIRE, US, PEER);
	peer_link(f, 0, 0, 21);
	peer_link(f, 0, 21, 0);
	behind_peer(f, &fay, 1);
	behind_peer(f, &gus, 2);
}

static struct pkt tunnel(const struct pkt *frame, const char *from, const char *to, uint8_t to_mac,
			 uint8_t from_mac, uint32_t vni)
{
	struct pkt p = pkt_eth(MAC(to_mac), MAC(from_mac), ETH_P_IP);

	pkt_ipv4(&p, from, to, IPPROTO_UDP);
	p.data[ETH_HLEN + 6] = 0x40; /* DF */
	pkt_udp_no_csum(&p, 50000, HD_VXLAN_PORT);
	pkt_vxlan(&p, vni);
	pkt_append(&p, frame);
	pkt_end(&p);
	return p;
}

/* Enters by @port and goes to @host behind the peer, in the network of that. */
#define crosses_out(f, port, p, host, vni, story)                                                  \
	do {                                                                                       \
		struct pkt in_ = routed(p, (host)->mac);                                           \
		struct pkt out_ = tunnel(&in_, US, PEER, 21, 0xee, vni);                           \
                                                                                                   \
		(f)->inside = &in_;                                                                \
		(f)->hash_at = ETH_HLEN + 20;                                                      \
		enters_as(f, port, &(p), &out_, story);                                            \
	} while (0)

/* The router at the other host has sent @p on to @to; the peer brings it. */
#define arrives_from(f, p, to, vni, story)                                                         \
	do {                                                                                       \
		struct pkt frame_ = routed(p, (to)->mac);                                          \
		struct pkt in_ = tunnel(&frame_, PEER, US, 0xee, 21, vni);                         \
                                                                                                   \
		(f)->inside = &frame_;                                                             \
		uplink_gets(f, WIRE, &in_, &frame_, story);                                        \
	} while (0)

/* The way out ends in the network of the one who has it, and so does the way back. */
static void to_another_host(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp(&ann, &gus), reply = answer(&gus, &ann);
	struct pkt ask6 = udp_v6(&ann, &gus), reply6 = answer_v6(&gus, &ann);

	two_hosts(f);
	crosses_out(f, 1, ask, &gus, 12, "in 1, routed udp begins, rules 1, out 21, redirect");
	arrives_from(f, reply, &ann, 11,
		     "in 21, routed udp established for good, rules 1, out 1, redirect");
	for (int i = 0; i < 3; i++) {
		crosses_out(f, 1, ask, &gus, 12,
			    "in 1, routed udp goes on, rules 1, out 21, redirect");
		arrives_from(f, reply, &ann, 11,
			     "in 21, routed udp goes on, rules 1, out 1, redirect");
	}
	crosses_out(f, 1, ask6, &gus, 12, "in 1, routed udp6 begins, rules 2, out 21, redirect");
	arrives_from(f, reply6, &ann, 11,
		     "in 21, routed udp6 established for good, rules 2, out 1, redirect");
	crosses_out(f, 1, ask6, &gus, 12, "in 1, routed udp6 goes on, rules 2, out 21, redirect");
	arrives_from(f, reply6, &ann, 11, "in 21, routed udp6 goes on, rules 2, out 1, redirect");
}

/* Begun at the other host: its TTL is not touched here once more, and bob's rules are asked here. */
static void from_another_host(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp(&fay, &bob), reply = answer(&bob, &fay),
		   closed = to_router(udp4(&fay, &bob, 4000, 54)), frame, in;

	two_hosts(f);
	arrives_from(f, ask, &bob, 12, "in 21, routed udp begins, rules 4, out 2, redirect");
	crosses_out(f, 2, reply, &fay, 11,
		    "in 2, routed udp established for good, rules 4, out 21, redirect");
	arrives_from(f, ask, &bob, 12, "in 21, routed udp goes on, rules 4, out 2, redirect");
	crosses_out(f, 2, reply, &fay, 11, "in 2, routed udp goes on, rules 4, out 21, redirect");
	ask = with_ttl(ask, 2); /* it arrives with 1: that was for the other host to say */
	arrives_from(f, ask, &bob, 12, "in 21, routed udp goes on, rules 4, out 2, redirect");
	frame = routed(closed, bob.mac);
	in = tunnel(&frame, PEER, US, 0xee, 21, 12);
	f->inside = &frame;
	uplink_gets(f, WIRE, &in, &frame, "in 21, drop group-ingress at 2 in routed-flow, shot");
}

/* Membership of a sender elsewhere: of its own network, whatever the network in which it arrives. */
static void group_from_another_host(void **state)
{
	struct fixture *f = *state;
	struct pkt member = to_router(udp4(&fay, &bob, 4000, 99));

	two_hosts(f);
	allow(f, (struct allow){ .id = FREE_RULE,
				 .policy = POLICY(2),
				 .dir = HD_INGRESS,
				 .group = POLICY(1) });
	neigh_add(f, 1, fay.v4, fay.mac, 21);
	member_add(f, 1, fay.v4, POLICY(1));
	arrives_from(f, member, &bob, 12, "in 21, routed udp begins, rules 11, out 2, redirect");
}

/* From one tunnel into another, where it is routed; what another host has routed is only delivered. */
static void tunnel_to_tunnel(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp(&fay, &gus), in, frame, out;

	two_hosts(f);
	in = tunnel(&p, PEER, US, 0xee, 21, 11);
	frame = routed(p, gus.mac);
	out = tunnel(&frame, US, PEER, 21, 0xee, 12);
	f->inside = &p;
	f->hash_at = ETH_HLEN + 20;
	uplink_gets(f, WIRE, &in, &out, "in 21, out 21, redirect");
	in = tunnel(&frame, PEER, US, 0xee, 21, 12);
	f->inside = &frame;
	uplink_gets(f, WIRE, &in, &frame, "in 21, drop same-port at 21 in route, shot");
}

/* A MAC that is not known here: a frame like others. */
static void arrives_for_nobody(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp(&fay, &dan), frame = routed(p, MAC(0x0c)), in;

	two_hosts(f);
	in = tunnel(&frame, PEER, US, 0xee, 21, 12);
	f->inside = &frame;
	f->also[0] = &frame;
	uplink_gets(f, WIRE, &in, &frame, "in 21, rules 4, copies 2 4, out 2 4 5, redirect");
}

/* --- a physical network, whose switch may give us what is not for us --- */

/* What the router at another host sends to somebody out there is not sent back to where it came from, with or without a flow. */
static void not_back_to_the_wire(void **state)
{
	struct fixture *f = *state;
	struct pkt frame, in;

	routed_world(f);
	uplink_add(f, 20, WIRE, US);
	port_flags(f, 20, HD_PORT_UPLINK | HD_PORT_LEGS | UP);
	leg_add(f, 25, 20, 2, 7, HD_PORT_ROUTED);
	fdb_learned(f, 2, gus.mac, 25, 0);
	arp_learned(f, 2, gus.v4, gus.mac);
	frame = routed(udp(&ann, &gus), gus.mac);
	in = pkt_tagged(&frame, ETH_P_8021Q, 7);
	f->inside = &frame;
	uplink_gets(f, WIRE, &in, &frame, "in 25, drop same-port at 25 in route, shot");
	secure(f, 25, POLICY(2), GEN(25));
	f->inside = &frame;
	uplink_gets(f, WIRE, &in, &frame, "in 25, drop same-port at 25 in route, shot");
}

/* --- two routers, two tenants, the same MACs and addresses --- */

static void tenants(void **state)
{
	static const uint8_t mac[6] = { 2, 0x68, 0x64, 0, 0, 0x1f },
			     asks[6] = { 2, 0x68, 0x65, 0, 0, 0x1f };
	struct fixture *f = *state;
	struct host ann2 = ann, bob2 = bob;
	struct pkt ask = udp(&ann, &bob), reply = answer(&bob, &ann), ask2 = ask, reply2 = reply,
		   out;

	ann2.port = 7;
	bob2.port = 8;
	routed_world(f);
	net_add(f, 3, 0, 300);
	net_add(f, 4, 0, 300);
	routed_host(f, &ann2, 3, true);
	routed_host(f, &bob2, 4, true);
	open_rules(f, 7, 20);
	open_rules(f, 8, 24);
	router_add(f, ROUTER + 1, mac, asks);
	router_joins(f, ROUTER + 1, 3, "192.0.2.0", 24, GATE1);
	router_joins(f, ROUTER + 1, 4, "198.51.100.0", 24, GATE2);
	memcpy(ask2.data, mac, 6);
	memcpy(reply2.data, mac, 6);
	crosses(f, 1, ask, &bob, "in 1, routed udp begins, rules 1 4, out 2, redirect");
	out = routed(ask2, bob.mac);
	memcpy(out.data + 6, mac, 6);
	enters_as(f, 7, &ask2, &out, "in 7, routed udp begins, rules 22 24, out 8, redirect");
	crosses(f, 2, reply, &ann,
		"in 2, routed udp established for good, rules 1 4, out 1, redirect");
	enters_as(f, 7, &ask2, &out, "in 7, routed udp waits, rules 22 24, out 8, redirect");
	out = routed(reply2, ann.mac);
	memcpy(out.data + 6, mac, 6);
	enters_as(f, 8, &reply2, &out,
		  "in 8, routed udp established for good, rules 22 24, out 7, redirect");
	crosses(f, 1, ask, &bob, "in 1, routed udp goes on, rules 1 4, out 2, redirect");
}

/* Each router answers for its own networks, and knows its own routes alone. */
static void tenants_apart(void **state)
{
	static const uint8_t mac[6] = { 2, 0x68, 0x64, 0, 0, 0x1f },
			     asks[6] = { 2, 0x68, 0x65, 0, 0, 0x1f };
	struct fixture *f = *state;
	struct pkt p = udp(&cat, &dan), error;

	routed_world(f);
	router_add(f, ROUTER + 1, mac, asks);
	memcpy(p.data, mac, 6);
	enters(f, 3, &p, "in 3, drop group-ingress at 1 in flood, shot"); /* nobody's MAC */
	router_joins(f, ROUTER + 1, 1, "192.0.2.0", 24, "192.0.2.2");
	error = told(&p, "192.0.2.2", 3, 0, 0);
	enters_as(f, 3, &p, &error, "in 3, out 3, drop no-route at 3 in tell, redirect");
}

int route_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_and_back),
		TEST(there_and_back_v6),
		TEST(what_is_kept),
		TEST(tcp),
		TEST(tcp_out_of_the_middle),
		TEST(ping),
		TEST(rules),
		TEST(groups),
		TEST(without_security),
		TEST(header_checksum),
		TEST(options),
		TEST(stale),
		TEST(route_changes),
		TEST(router_goes),
		TEST(port_goes),
		TEST(neighbour_moves),
		TEST(stolen),
		TEST(answers_follow_routes),
		TEST(mac_of_the_router),
		TEST(second_mac),
		TEST(looks_like_a_router),
		TEST(not_routable),
		TEST(broadcasts),
		TEST(source_of_the_router),
		TEST(not_ip),
		TEST(another_vlan),
		TEST(static_route),
		TEST(families_apart),
		TEST(by_way_of_a_port),
		TEST(ecmp),
		TEST(ecmp_of_nobody),
		TEST(pieces),
		TEST(pieces_before_the_first),
		TEST(old_pieces_before_the_first),
		TEST(pieces_without_security),
		TEST(pieces_of_what_is_refused),
		TEST(errors),
		TEST(to_another_host),
		TEST(from_another_host),
		TEST(group_from_another_host),
		TEST(tunnel_to_tunnel),
		TEST(arrives_for_nobody),
		TEST(not_back_to_the_wire),
		TEST(tenants),
		TEST(tenants_apart),
	};

	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
