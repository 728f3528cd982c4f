// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_flood.c - one copy for each other member, in the order of the ring
 *
 * All members but the last get clones, which are seen on the wire; the last gets the packet itself.
 */
#include "tests/prog/fixture.h"

/*
 * Network 1 with the given ports, network 2 with port 8. "a" is the configured MAC of all, so that
 * nothing is learned.
 */
static void ring(struct fixture *f, const uint32_t *ids, size_t n)
{
	net_add(f, 1, HD_NETWORK_FLOOD, 300);
	net_add(f, 2, HD_NETWORK_FLOOD, 300);
	for (size_t i = 0; i < n; i++) {
		port_add(f, ids[i], 1, UP);
		port_mac(f, ids[i], MAC_A);
	}
	port_add(f, 8, 2, UP);
	port_mac(f, 8, MAC_A);
}

#define RING(f, ...)                                                                               \
	ring(f, (const uint32_t[]){ __VA_ARGS__ },                                                 \
	     sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static struct pkt to(const uint8_t dst[6])
{
	struct pkt p = pkt_eth(dst, MAC_A, ETH_P_IP);

	pkt_ipv4(&p, "192.0.2.1", "192.0.2.255", IPPROTO_UDP);
	pkt_udp(&p, 1000, 2000);
	pkt_bytes(&p, 30);
	pkt_end(&p);
	return p;
}

static void from_the_lowest(void **state)
{
	struct pkt p = to(MAC_ALL);

	RING(*state, 1, 3, 5, 7);
	enters((struct fixture *)*state, 1, &p, "in 1, copies 3 5, out 3 5 7, redirect");
}

static void around_the_end(void **state)
{
	struct fixture *f = *state;
	struct pkt p = to(MAC_ALL);

	RING(f, 1, 3, 5, 7);
	enters(f, 5, &p, "in 5, copies 7 1, out 1 3 7, redirect");
	enters(f, 7, &p, "in 7, copies 1 3, out 1 3 5, redirect");
}

static void groups_and_the_unknown(void **state)
{
	static const uint8_t groups[][6] = { { 0x01, 0x00, 0x5e, 0, 0, 0xfb }, /* IPv4 */
					     { 0x33, 0x33, 0, 0, 0, 1 },       /* IPv6 */
					     { 0x02, 9, 9, 9, 9, 9 } };	       /* unknown unicast */
	struct fixture *f = *state;

	RING(f, 1, 2, 3);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		struct pkt p = to(groups[i]);

		enters(f, 2, &p, "in 2, copies 3, out 1 3, redirect");
	}
}

static void alone(void **state)
{
	struct fixture *f = *state;
	struct pkt p = to(MAC_ALL);

	RING(f, 4);
	enters(f, 4, &p, "in 4, drop no-member at 4 in flood, shot");
}

static void nobody_can_take_it(void **state)
{
	struct fixture *f = *state;
	struct pkt p = to(MAC_ALL);

	RING(f, 1, 2, 3);
	port_add(f, 2, 1, 0);
	port_add(f, 3, 1, 0);
	enters(f, 1, &p, "in 1, drop port-down at 2 in flood, drop port-down at 3 in flood, shot");
}

static void members_that_are_down(void **state)
{
	struct fixture *f = *state;
	struct pkt p = to(MAC_ALL);

	RING(f, 1, 2, 3, 4);
	port_add(f, 3, 1, 0);
	enters(f, 1, &p, "in 1, copies 2, out 2 4, drop port-down at 3 in flood, redirect");
	port_add(f, 4, 1, 0);
	enters(f, 1, &p,
	       "in 1, out 2, drop port-down at 3 in flood, drop port-down at 4 in flood, redirect");
}

static void isolated_members(void **state)
{
	struct fixture *f = *state;
	struct pkt p = to(MAC_ALL);

	RING(f, 2);
	port_add(f, 1, 1, UP | HD_PORT_ISOLATED);
	port_mac(f, 1, MAC_A);
	port_add(f, 3, 1, UP | HD_PORT_ISOLATED);
	port_add(f, 4, 1, UP);
	enters(f, 1, &p, "in 1, copies 2, out 2 4, drop isolated at 3 in flood, redirect");
	enters(f, 2, &p, "in 2, copies 3 4, out 1 3 4, redirect");
}

/* A hairpin port hears its own broadcasts, last; once. */
static void hairpin_member(void **state)
{
	struct fixture *f = *state;
	struct pkt p = to(MAC_ALL);

	RING(f, 1, 3);
	port_add(f, 2, 1, UP | HD_PORT_HAIRPIN);
	port_mac(f, 2, MAC_A);
	enters(f, 2, &p, "in 2, copies 3 1, out 1 2 3, redirect");
	enters(f, 1, &p, "in 1, copies 2, out 2 3, redirect");
}

static void hairpin_alone(void **state)
{
	struct fixture *f = *state;
	struct pkt p = to(MAC_ALL);

	net_add(f, 1, HD_NETWORK_FLOOD, 300);
	port_add(f, 1, 1, UP | HD_PORT_HAIRPIN);
	port_mac(f, 1, MAC_A);
	enters(f, 1, &p, "in 1, out 1, redirect");
}

/*
 * IEEE 802.1Q: :01 to :0f end here; :00, spanning tree, passes as through a bridge that does not
 * speak it.
 */
static void link_local_groups(void **state)
{
	uint8_t group[6] = { 0x01, 0x80, 0xc2, 0, 0, 0 };
	struct fixture *f = *state;

	RING(f, 1, 2);
	for (unsigned int last = 0; last <= 0x21; last++) {
		struct pkt p;

		group[5] = (uint8_t)last;
		p = to(group);
		enters(f, 1, &p,
		       last >= 0x01 && last <= 0x0f
			       ? "in 1, drop link-local-multicast at 1 in flood, shot"
			       : "in 1, out 2, redirect");
	}
}

static void groups_like_link_local_ones(void **state)
{
	static const uint8_t groups[][6] = { { 0x01, 0x80, 0xc2, 0, 1, 2 },
					     { 0x01, 0x80, 0xc2, 1, 0, 2 },
					     { 0x01, 0x80, 0xc3, 0, 0, 2 },
					     { 0x01, 0x81, 0xc2, 0, 0, 2 },
					     { 0x03, 0x80, 0xc2, 0, 0, 2 } };
	struct fixture *f = *state;

	RING(f, 1, 2);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		struct pkt p = to(groups[i]);

		enters(f, 1, &p, "in 1, out 2, redirect");
	}
}

static void too_large_for_one(void **state)
{
	struct fixture *f = *state;
	struct pkt p = pkt_eth(MAC_ALL, MAC_A, ETH_P_IP);

	RING(f, 1, 2, 3, 4);
	port_mtu(f, 3, 1400);
	pkt_bytes(&p, 1401);
	enters(f, 1, &p, "in 1, copies 2, out 2 4, drop mtu at 3 in flood, redirect");
}

static void too_large_for_all(void **state)
{
	struct fixture *f = *state;
	struct pkt p = pkt_eth(MAC_ALL, MAC_A, ETH_P_IP);

	RING(f, 1, 2);
	port_mtu(f, 2, 1400);
	pkt_bytes(&p, 1401);
	enters(f, 1, &p, "in 1, drop mtu at 2 in flood, shot");
}

/* A device that has just vanished: its copy is lost and counted, the others are not. */
static void device_that_vanished(void **state)
{
	struct fixture *f = *state;
	struct hd_port_value value;
	struct pkt p = to(MAC_ALL);

	RING(f, 1, 2, 3, 4);
	value = port_get(f, 3);
	value.ifindex = device(DEVICE_NONE);
	port_put(f, 3, value);
	enters(f, 1, &p, "in 1, copies 2, out 2 4, drop redirect-failed at 3 in flood, redirect");
}

/* --- the ring changes while a packet walks around it --- */

/*
 * 3 was taken out between 1 and 5, but this walk got its old pointer: it ends up where it should.
 */
static void a_member_that_left(void **state)
{
	struct fixture *f = *state;
	struct pkt p = to(MAC_ALL);

	RING(f, 1, 2, 3, 5);
	port_put(f, 3, (struct hd_port_value){ 0 });
	enters(f, 1, &p, "in 1, out 2, redirect");
	port_next(f, 2, 5);
	enters(f, 1, &p, "in 1, copies 2, out 2 5, redirect");
}

/* An id that another network has now: not one step over the border. */
static void a_member_that_is_elsewhere_now(void **state)
{
	struct fixture *f = *state;
	struct pkt p = to(MAC_ALL);

	RING(f, 1, 2, 3);
	port_next(f, 2, 8);
	enters(f, 1, &p, "in 1, out 2, redirect");
	port_next(f, 1, 8);
	enters(f, 1, &p, "in 1, drop no-member at 1 in flood, shot");
	port_next(f, 1, MAX_PORTS + 5);
	enters(f, 1, &p, "in 1, drop no-member at 1 in flood, shot");
	port_next(f, 1, HD_PORT_NONE);
	enters(f, 1, &p, "in 1, drop no-member at 1 in flood, shot");
}

static void a_member_that_is_new(void **state)
{
	struct fixture *f = *state;
	struct pkt p = to(MAC_ALL);

	RING(f, 1, 2, 5);
	port_next(f, 2, 3); /* 3 is complete before anyone points to it */
	port_put(f, 3,
		 (struct hd_port_value){
			 .network = 1, .ifindex = device(3), .flags = UP, .next = 5, .mtu = 1500 });
	enters(f, 1, &p, "in 1, copies 2 3, out 2 3 5, redirect");
	enters(f, 5, &p, "in 5, copies 1 2, out 1 2 3, redirect");
}

/*
 * A port that is being removed: the ring is closed already, its own entry and device are still
 * there and point into the ring. What comes from it now goes to each member once, like all else.
 */
static void a_start_that_left_in_the_middle(void **state)
{
	struct fixture *f = *state;
	struct pkt p = to(MAC_ALL);

	RING(f, 1, 3, 5, 7);
	port_next(f, 3, 7);
	enters(f, 5, &p, "in 5, copies 7 1, out 1 3 7, redirect");
}

static void a_start_that_left_at_the_bottom(void **state)
{
	struct fixture *f = *state;
	struct pkt p = to(MAC_ALL);

	RING(f, 1, 3, 5, 7);
	port_next(f, 7, 3);
	enters(f, 1, &p, "in 1, copies 3 5, out 3 5 7, redirect");
}

static void a_start_that_left_at_the_top(void **state)
{
	struct fixture *f = *state;
	struct pkt p = to(MAC_ALL);

	RING(f, 1, 3, 5, 7);
	port_next(f, 5, 1);
	enters(f, 7, &p, "in 7, copies 1 3, out 1 3 5, redirect");
}

/*
 * A ring that is broken for good, as no daemon leaves it: the walk still ends, at the first turn.
 */
static void a_loop_beside_the_start(void **state)
{
	struct fixture *f = *state;
	struct pkt p = to(MAC_ALL);

	RING(f, 1, 3, 5);
	port_next(f, 5, 3);
	port_next(f, 3, 5);
	enters(f, 1, &p, "in 1, copies 3, out 3 5, redirect");
	port_next(f, 3, 3);
	enters(f, 1, &p, "in 1, out 3, redirect");
}

int flood_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(from_the_lowest),
		TEST(around_the_end),
		TEST(groups_and_the_unknown),
		TEST(alone),
		TEST(nobody_can_take_it),
		TEST(members_that_are_down),
		TEST(isolated_members),
		TEST(hairpin_member),
		TEST(hairpin_alone),
		TEST(link_local_groups),
		TEST(groups_like_link_local_ones),
		TEST(too_large_for_one),
		TEST(too_large_for_all),
		TEST(device_that_vanished),
		TEST(a_member_that_left),
		TEST(a_member_that_is_elsewhere_now),
		TEST(a_member_that_is_new),
		TEST(a_start_that_left_in_the_middle),
		TEST(a_start_that_left_at_the_bottom),
		TEST(a_start_that_left_at_the_top),
		TEST(a_loop_beside_the_start),
	};

	return cmocka_run_group_tests_name("flooding", tests, NULL, NULL);
}
