// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_forward.c - unicast for a host that is known: to its port, or dropped and why */
#include "tests/prog/fixture.h"

/* Network 1: "a" behind port 1, "b" behind port 2, both by configuration. */
static void two_hosts(struct fixture *f, uint32_t flags1, uint32_t flags2)
{
	net_add(f, 1, HD_NETWORK_FLOOD, 300);
	port_add(f, 1, 1, flags1);
	port_add(f, 2, 1, flags2);
	port_mac(f, 1, MAC_A);
	port_mac(f, 2, MAC_B);
	fdb_static(f, 1, MAC_A, 1);
	fdb_static(f, 1, MAC_B, 2);
}

/* An IPv4 packet of @len bytes, behind an Ethernet header. */
static struct pkt sized(const uint8_t to[6], const uint8_t from[6], uint32_t len)
{
	struct pkt p = pkt_eth(to, from, ETH_P_IP);

	pkt_ipv4(&p, "192.0.2.1", "192.0.2.2", IPPROTO_UDP);
	pkt_udp(&p, 1000, 2000);
	pkt_fill(&p, ETH_HLEN + len);
	pkt_end(&p);
	return p;
}

static struct pkt a_to_b(void)
{
	return sized(MAC_B, MAC_A, 60);
}

static void to_its_port_only(void **state)
{
	struct fixture *f = *state;
	struct pkt p = a_to_b(), back = sized(MAC_A, MAC_B, 100);

	two_hosts(f, UP, UP);
	port_add(f, 3, 1, UP | HD_PORT_HAIRPIN);
	enters(f, 1, &p, "in 1, out 2, redirect");
	enters(f, 2, &back, "in 2, out 1, redirect");
}

static void into_another_namespace(void **state)
{
	struct fixture *f = *state;
	struct pkt p = a_to_b();

	two_hosts(f, UP, UP | HD_PORT_PEER);
	enters(f, 1, &p, "in 1, out 2, redirect");
}

static void what_is_above_does_not_matter(void **state)
{
	static const uint16_t types[] = { ETH_P_IPV6, ETH_P_ARP, ETH_P_MPLS_UC,
					  0x0000,     0x05dc,	 0xffff };
	struct fixture *f = *state;

	two_hosts(f, UP, UP);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct pkt p = pkt_eth(MAC_B, MAC_A, types[i]);

		pkt_bytes(&p, 46);
		enters(f, 1, &p, "in 1, out 2, redirect");
	}
}

static void unknown_goes_to_all(void **state)
{
	struct fixture *f = *state;
	struct pkt p = sized(MAC_C, MAC_A, 60);

	two_hosts(f, UP, UP);
	port_add(f, 3, 1, UP);
	enters(f, 1, &p, "in 1, copies 2, out 2 3, redirect");
}

/* Without flooding an unknown unicast is dropped; a broadcast is still for all. */
static void unknown_without_flooding(void **state)
{
	struct fixture *f = *state;
	struct pkt p = sized(MAC_C, MAC_A, 60), all = sized(MAC_ALL, MAC_A, 60);

	two_hosts(f, UP, UP);
	net_add(f, 1, 0, 300);
	enters(f, 1, &p, "in 1, drop unknown-unicast at 1 in flood, shot");
	enters(f, 1, &all, "in 1, out 2, redirect");
}

static void back_to_the_same_port(void **state)
{
	struct fixture *f = *state;
	struct pkt p = sized(MAC_C, MAC_A, 60);

	two_hosts(f, UP, UP);
	fdb_static(f, 1, MAC_C, 1);
	enters(f, 1, &p, "in 1, drop same-port at 1 in port-in, shot");
	port_add(f, 1, 1, UP | HD_PORT_HAIRPIN);
	port_mac(f, 1, MAC_A);
	enters(f, 1, &p, "in 1, out 1, redirect");
}

/* Two isolated ports do not hear each other; all others do. */
static void isolation(void **state)
{
	static const struct {
		uint32_t from, to;
		const char *known, *flooded;
	} cases[] = {
		{ 0, 0, "in 1, out 2, redirect", "in 1, out 2, redirect" },
		{ HD_PORT_ISOLATED, 0, "in 1, out 2, redirect", "in 1, out 2, redirect" },
		{ 0, HD_PORT_ISOLATED, "in 1, out 2, redirect", "in 1, out 2, redirect" },
		{ HD_PORT_ISOLATED, HD_PORT_ISOLATED, "in 1, drop isolated at 1 in port-in, shot",
		  "in 1, drop isolated at 2 in flood, shot" },
	};
	struct fixture *f = *state;
	struct pkt p = a_to_b(), all = sized(MAC_ALL, MAC_A, 60), unknown = sized(MAC_C, MAC_A, 60);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		two_hosts(f, UP | cases[i].from, UP | cases[i].to);
		enters(f, 1, &p, cases[i].known);
		enters(f, 1, &all, cases[i].flooded);
		enters(f, 1, &unknown, cases[i].flooded);
	}
}

static void port_that_is_down(void **state)
{
	struct fixture *f = *state;
	struct pkt p = a_to_b();

	two_hosts(f, UP, 0);
	enters(f, 1, &p, "in 1, drop port-down at 1 in port-in, shot");
}

/* It is the port a packet goes to that must be up: what the other says is true all the same. */
static void from_a_port_that_is_down(void **state)
{
	struct fixture *f = *state;
	struct pkt p = a_to_b();

	two_hosts(f, 0, UP);
	enters(f, 1, &p, "in 1, out 2, redirect");
}

static void entry_of_a_port_that_is_gone(void **state)
{
	struct fixture *f = *state;
	struct pkt p = sized(MAC_C, MAC_A, 60), q = sized(MAC_D, MAC_A, 60);

	two_hosts(f, UP, UP);
	fdb_static(f, 1, MAC_C, 9);
	fdb_static(f, 1, MAC_D, MAX_PORTS + 9);
	enters(f, 1, &p, "in 1, drop port-down at 1 in port-in, shot");
	enters(f, 1, &q, "in 1, drop port-down at 1 in port-in, shot");
}

/* Its id has been given to a port of another network: nothing may leak there. */
static void entry_of_a_port_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct pkt p = sized(MAC_C, MAC_A, 60);

	two_hosts(f, UP, UP);
	net_add(f, 2, HD_NETWORK_FLOOD, 300);
	port_add(f, 3, 2, UP | HD_PORT_HAIRPIN);
	fdb_learned(f, 1, MAC_C, 3, 0);
	enters(f, 1, &p, "in 1, drop port-down at 1 in port-in, shot");
}

static void mtu_of_the_port(void **state)
{
	struct fixture *f = *state;
	struct pkt fits = sized(MAC_B, MAC_A, 1500), large = sized(MAC_B, MAC_A, 1501);

	two_hosts(f, UP, UP);
	enters(f, 1, &fits, "in 1, out 2, redirect");
	enters(f, 1, &large, "in 1, drop mtu at 1 in port-in, shot");
	port_mtu(f, 2, 1501);
	enters(f, 1, &large, "in 1, out 2, redirect");
	port_mtu(f, 2, 1280);
	enters(f, 1, &fits, "in 1, drop mtu at 1 in port-in, shot");
}

/* A tag is no part of the L3 packet, whether it is in the packet or beside it. */
static void mtu_with_a_tag(void **state)
{
	struct fixture *f = *state;
	struct pkt p = pkt_eth(MAC_B, MAC_A, ETH_P_8021Q), longer;
	struct pkt plain = sized(MAC_B, MAC_A, 1500), large = sized(MAC_B, MAC_A, 1501);

	two_hosts(f, UP, UP);
	pkt_vlan(&p, 5, ETH_P_IP);
	pkt_bytes(&p, 1500);
	longer = p;
	pkt_bytes(&longer, 1);
	enters(f, 1, &p, "in 1, out 2, redirect");
	enters(f, 1, &longer, "in 1, drop mtu at 1 in port-in, shot");
	f->vid = 5;
	enters(f, 1, &plain, "in 1, out 2, redirect");
	f->vid = 5;
	enters(f, 1, &large, "in 1, drop mtu at 1 in port-in, shot");
}

/* A TCP packet of @len bytes, to be cut later. */
static struct pkt super_packet(bool v6, uint32_t options, uint32_t len)
{
	struct pkt p = pkt_eth(MAC_B, MAC_A, v6 ? ETH_P_IPV6 : ETH_P_IP);

	if (v6)
		pkt_ipv6(&p, "2001:db8::1", "2001:db8::2", IPPROTO_TCP, 64);
	else
		pkt_ipv4(&p, "192.0.2.1", "192.0.2.2", IPPROTO_TCP);
	pkt_tcp(&p, 1000, 2000, options);
	pkt_fill(&p, ETH_HLEN + len);
	pkt_end(&p);
	return p;
}

/*
 * A super-packet is as large as the segments that it will be cut into: headers, which each of them
 * gets, and gso_size of data.
 */
static void mtu_of_super_packets(void **state)
{
	struct fixture *f = *state;
	struct pkt p = super_packet(false, 0, 2900);

	two_hosts(f, UP, UP);
	arrives(f, 1, &p, 1400, "in 1, copies 2, out 2");
	arrives(f, 1, &p, 1460, "in 1, copies 2, out 2");
	arrives(f, 1, &p, 1461, "in 1, drop mtu at 1 in port-in");
}

/*
 * The port may be configured for less than its device could: whole packets and those to be cut
 * obey alike.
 */
static void mtu_of_super_packets_below_the_device(void **state)
{
	static const struct {
		bool v6;
		uint32_t options, headers;
	} cases[] = { { false, 0, 40 }, { false, 12, 52 }, { true, 0, 60 }, { true, 40, 100 } };
	struct pkt whole = sized(MAC_B, MAC_A, 1281);
	struct fixture *f = *state;

	two_hosts(f, UP, UP);
	port_mtu(f, 2, 1280);
	enters(f, 1, &whole, "in 1, drop mtu at 1 in port-in, shot");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pkt p = super_packet(cases[i].v6, cases[i].options, 2900);
		uint16_t fits = (uint16_t)(1280 - cases[i].headers);

		arrives(f, 1, &p, fits, "in 1, copies 2, out 2");
		arrives(f, 1, &p, fits + 1, "in 1, drop mtu at 1 in port-in");
	}
}

int forward_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(to_its_port_only),
		TEST(into_another_namespace),
		TEST(what_is_above_does_not_matter),
		TEST(unknown_goes_to_all),
		TEST(unknown_without_flooding),
		TEST(back_to_the_same_port),
		TEST(isolation),
		TEST(port_that_is_down),
		TEST(from_a_port_that_is_down),
		TEST(entry_of_a_port_that_is_gone),
		TEST(entry_of_a_port_elsewhere),
		TEST(mtu_of_the_port),
		TEST(mtu_with_a_tag),
		TEST(mtu_of_super_packets),
		TEST(mtu_of_super_packets_below_the_device),
	};

	return cmocka_run_group_tests_name("known unicast", tests, NULL, NULL);
}
