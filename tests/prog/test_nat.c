// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_nat.c - what goes to the outside of a router is called by the router's address there, and what comes back finds its way
 *
 * Network 3, 203.0.113.0/24, is the outside of router 30, whose address there is .1; its way on is "hop" at port 6, .9. Out there is "server".
 */
#include "tests/prog/routed.h"

#define OUTSIDE "203.0.113.1"
#define FIRST_BLOCK 20
#define FIRST_PORT (FIRST_BLOCK * HD_NAT_BLOCK_PORTS)

static const struct host hop = { 6, { 2, 0, 0, 0, 0, 0x0f }, "203.0.113.9", "2001:db8:3::9", "" };
static const struct host server = { 6, { 2, 0, 0, 0, 0, 0x0f }, "198.18.0.5", "2001:db8:4::5", "" };

/* As the router is known outside: by its MAC of this host. */
static const struct host outside = { 0, { 2, 0x68, 0x65, 0, 0, 0x1e }, OUTSIDE, "", "" };

static void world(struct fixture *f, uint32_t blocks)
{
	routed_world(f);
	net_add(f, 3, HD_NETWORK_FLOOD, 300);
	routed_host(f, &hop, 3, false);
	router_outside(f, ROUTER, 3, OUTSIDE);
	router_joins(f, ROUTER, 3, "203.0.113.0", 24, OUTSIDE);
	neigh_add(f, 3, OUTSIDE, MAC_ASKS, ROUTER);
	route_add(f, (struct route){ ROUTER, "0.0.0.0", 0, HD_ROUTE_VIA, 3, hop.v4, OUTSIDE, 0 });
	nat_pool(f, 3, OUTSIDE, FIRST_BLOCK, blocks);
}

/* Out by the hop, and back to ann: whole packets, all checksums. */
static void there_and_back(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = to_router(udp4(&ann, &server, 4000, 53));
	struct pkt asked = with_ttl(udp4(&outside, &server, FIRST_PORT, 53), 63);
	struct pkt reply = udp4(&server, &outside, 53, FIRST_PORT);
	struct pkt replied = with_ttl(udp4(&server, &ann, 53, 4000), 63);

	world(f, 2);
	memcpy(replied.data + 6, MAC_ROUTER, 6);
	enters_as(f, 1, &ask, &asked, "in 1, routed udp begins, rules 1, out 6, redirect");
	enters_as(f, 6, &reply, &replied,
		  "in 6, routed udp established for good, rules 1, out 1, redirect");
	for (int i = 0; i < 2; i++) {
		enters_as(f, 1, &ask, &asked, "in 1, routed udp goes on, rules 1, out 6, redirect");
		enters_as(f, 6, &reply, &replied,
			  "in 6, routed udp goes on, rules 1, out 1, redirect");
	}
}

/* Two inside have two ports outside, whatever their own are. */
static void ports_of_two(void **state)
{
	struct fixture *f = *state;
	struct pkt one = to_router(udp4(&ann, &server, 4000, 53)),
		   two = to_router(udp4(&cat, &server, 4000, 53));
	struct pkt first = with_ttl(udp4(&outside, &server, FIRST_PORT, 53), 63);
	struct pkt second =
		with_ttl(udp4(&outside, &server, FIRST_PORT + HD_NAT_BLOCK_PORTS, 53), 63);

	world(f, 2);
	enters_as(f, 1, &one, &first, "in 1, routed udp begins, rules 1, out 6, redirect");
	enters_as(f, 3, &two, &second, "in 3, routed udp begins, out 6, redirect");
}

/* Nothing begins from outside: not to who is inside, nor by a port that is somebody's. */
static void from_outside(void **state)
{
	struct fixture *f = *state;
	struct pkt direct = udp4(&server, &ann, 53, 4000),
		   by_port = udp4(&server, &outside, 99, FIRST_PORT);
	struct pkt ask = to_router(udp4(&ann, &server, 4000, 53));
	struct pkt asked = with_ttl(udp4(&outside, &server, FIRST_PORT, 53), 63);

	world(f, 2);
	memcpy(direct.data, MAC_ASKS, 6);
	enters(f, 6, &direct, "in 6, drop outside at 6 in route, shot");
	enters_as(f, 1, &ask, &asked, "in 1, routed udp begins, rules 1, out 6, redirect");
	enters(f, 6, &by_port, "in 6, drop outside at 6 in routed-flow, shot");
}

/* Where there is no port, nothing goes out; nor what has none. */
static void no_port(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = to_router(udp4(&ann, &server, 4000, 53)), gre = ip4(&ann, &server, 47);

	world(f, 0);
	enters(f, 1, &ask,
	       "in 1, routed udp begins, rules 1, drop nat-ports at 1 in routed-flow, shot");
	pkt_bytes(&gre, 40);
	pkt_end(&gre);
	gre = to_router(gre);
	enters(f, 1, &gre,
	       "in 1, routed proto47 begins, rules 1, drop nat-protocol at 1 in routed-flow, shot");
}

int nat_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_and_back),
		TEST(ports_of_two),
		TEST(from_outside),
		TEST(no_port),
	};

	return cmocka_run_group_tests_name("nat", tests, NULL, NULL);
}
