// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_out.c - what leaves by a port's device: counted if the host sends it, let through if a port
 * sent it
 */
#include "tests/prog/fixture.h"

#define STRANGER 12 /* a device that is no port */

static struct pkt some_frame(void)
{
	struct pkt p = pkt_eth(MAC_B, MAC_A, ETH_P_IP);

	pkt_ipv4(&p, "192.0.2.1", "192.0.2.2", IPPROTO_UDP);
	pkt_udp(&p, 1000, 2000);
	pkt_bytes(&p, 30);
	pkt_end(&p);
	return p;
}

static void two_ports(struct fixture *f)
{
	net_add(f, 1, HD_NETWORK_FLOOD, 300);
	port_add(f, 1, 1, UP);
	port_add(f, 2, 1, UP);
}

static void from_the_host(void **state)
{
	struct fixture *f = *state;
	struct pkt p = some_frame();

	two_ports(f);
	leaves(f, 2, 0, &p, "out 2, pass");
}

/* The host routes between its own devices and ports: that is the host sending, too. */
static void through_the_host(void **state)
{
	struct fixture *f = *state;
	struct pkt p = some_frame();

	two_ports(f);
	leaves(f, 2, STRANGER, &p, "out 2, pass");
}

/* hd_port_in of the other port has counted it. */
static void from_a_port(void **state)
{
	struct fixture *f = *state;
	struct pkt p = some_frame();

	two_ports(f);
	leaves(f, 2, 1, &p, "pass");
	leaves(f, 2, 2, &p, "pass");
}

static void from_a_port_on_a_shared_slot(void **state)
{
	struct fixture *f = *state;
	struct pkt p = some_frame();

	two_ports(f);
	leaves(f, 2, DEVICE_COLLIDING, &p, "out 2, pass");
	port_add_on(f, 5, DEVICE_COLLIDING, 1, UP);
	leaves(f, 2, DEVICE_COLLIDING, &p, "pass");
	leaves(f, DEVICE_COLLIDING, 0, &p, "out 5, pass");
}

static void by_a_device_without_port(void **state)
{
	struct fixture *f = *state;
	struct pkt p = some_frame();

	two_ports(f);
	leaves(f, STRANGER, 0, &p, "drop no-port at 0 in port-out, shot");
}

/* Nothing of the frame is looked at: what the host sends is the host's business. */
static void whatever_it_is(void **state)
{
	struct fixture *f = *state;
	struct pkt p = pkt_eth(MAC_ZERO, MAC_ALL, ETH_P_8021Q);

	two_ports(f);
	for (p.len = shortest_frame(f); p.len <= 60; p.len++)
		leaves(f, 2, 0, &p, "out 2, pass");
}

int out_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(from_the_host),
		TEST(through_the_host),
		TEST(from_a_port),
		TEST(from_a_port_on_a_shared_slot),
		TEST(by_a_device_without_port),
		TEST(whatever_it_is),
	};

	return cmocka_run_group_tests_name("port out", tests, NULL, NULL);
}
