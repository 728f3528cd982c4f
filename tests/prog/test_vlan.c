// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_vlan.c - VLAN modes: into which VLAN a frame is put, who gets it, and in what form; and that nothing of one VLAN is mixed with another
 *
 * Network 1: ports 1 and 2 are access ports of VLAN 10, port 3 of VLAN 20. Port 4 is what a test makes of it; behind it is an access port
 * of VLAN 10 again, so that what port 4 gets is a clone, whose tag can be seen.
 */
#include "tests/prog/secure.h"

#define VLAN_A 10
#define VLAN_B 20
#define TAGGED(priority, vid) ((uint16_t)((priority) << 12 | (vid)))

static void access_port(struct fixture *f, uint32_t id, uint16_t vlan)
{
	port_add(f, id, 1, UP);
	port_vlan(f, id, 0, vlan);
}

static void world(struct fixture *f, uint32_t flags, uint16_t own)
{
	net_add(f, 1, HD_NETWORK_FLOOD, 300);
	access_port(f, 1, VLAN_A);
	access_port(f, 2, VLAN_A);
	access_port(f, 3, VLAN_B);
	port_add(f, 4, 1, UP);
	port_vlan(f, 4, flags, own);
	access_port(f, 5, VLAN_A);
}

static void learned(struct fixture *f, uint16_t vlan, const uint8_t mac[6], uint32_t port)
{
	fdb_static_vlan(f, 1, vlan, mac, port);
}

static struct pkt broadcast(const uint8_t from[6])
{
	struct pkt p = pkt_eth(MAC_ALL, from, ETH_P_OTHER);

	pkt_bytes(&p, 60);
	return p;
}

static void access_mode(void **state)
{
	struct fixture *f = *state;
	struct pkt p = broadcast(MAC_A), q = broadcast(MAC_B);

	world(f, HD_PORT_TRUNK, 0);
	enters(f, 1, &p, "in 1, new 1.10/a at 1, macs 1 +1, copies 2 4@10, out 2 4 5, redirect");
	enters(f, 3, &q, "in 3, new 1.20/b at 3, macs 3 +1, out 4, redirect");
}

static void tagged_at_an_access_port(void **state)
{
	struct fixture *f = *state;
	struct pkt p = broadcast(MAC_A), own = pkt_tagged(&p, ETH_P_8021Q, VLAN_A);

	world(f, HD_PORT_TRUNK, 0);
	enters(f, 1, &own, "in 1, drop vlan-tagged at 1 in port-in, shot");
	f->vid = VLAN_A;
	enters(f, 1, &p, "in 1, drop vlan-tagged at 1 in port-in, shot");
	f->vid = VLAN_B;
	enters(f, 1, &p, "in 1, drop vlan-tagged at 1 in port-in, shot");
}

/* VID 0 says nothing but a priority, which goes along where there is a tag to carry it. */
static void priority_tagged(void **state)
{
	struct fixture *f = *state;
	struct pkt p = broadcast(MAC_A), tagged = pkt_tagged(&p, ETH_P_8021Q, TAGGED(0xb, 0));

	world(f, HD_PORT_TRUNK, 0);
	learned(f, VLAN_A, MAC_A, 1);
	f->vid = TAGGED(0xa, 0);
	enters(f, 1, &p, "in 1, copies 2 4@10pa, out 2 4 5, redirect");
	f->also[0] = &p;
	enters_as(f, 1, &tagged, &p, "in 1, copies 2 4@10pb, out 2 4 5, redirect");
}

static void trunk_mode(void **state)
{
	struct fixture *f = *state;
	struct pkt p = broadcast(MAC_A);

	world(f, HD_PORT_TRUNK, 0);
	f->vid = TAGGED(0x6, VLAN_A);
	enters(f, 4, &p, "in 4, new 1.10/a at 4, macs 4 +1, copies 5 1, out 1 2 5, redirect");
	f->vid = VLAN_B;
	enters(f, 4, &p, "in 4, new 1.20/a at 4, macs 4 +1, out 3, redirect");
	f->vid = 30;
	enters(f, 4, &p, "in 4, new 1.30/a at 4, macs 4 +1, drop no-member at 4 in flood, shot");
	f->vid = 4095;
	enters(f, 4, &p, "in 4, drop vlan-not-allowed at 4 in port-in, shot");
	enters(f, 4, &p, "in 4, new 1/a at 4, macs 4 +1, drop no-member at 4 in flood, shot");
}

static void trunk_with_a_list(void **state)
{
	struct fixture *f = *state;
	struct pkt p = broadcast(MAC_A);

	world(f, HD_PORT_TRUNK | HD_PORT_TRUNK_LIST, 0);
	learned(f, VLAN_A, MAC_A, 4);
	f->vid = VLAN_A; /* no list is an empty one */
	enters(f, 4, &p, "in 4, drop vlan-not-allowed at 4 in port-in, shot");
	trunk_put(f, 4, "10,31-32,4094");
	f->vid = VLAN_A;
	enters(f, 4, &p, "in 4, copies 5 1, out 1 2 5, redirect");
	f->vid = VLAN_B;
	enters(f, 4, &p, "in 4, drop vlan-not-allowed at 4 in port-in, shot");
	enters(f, 4, &p, "in 4, drop vlan-not-allowed at 4 in port-in, shot");
	f->vid = 33;
	enters(f, 4, &p, "in 4, drop vlan-not-allowed at 4 in port-in, shot");
	for (uint16_t vid = 31; vid <= 32; vid++) {
		learned(f, vid, MAC_A, 4);
		f->vid = vid;
		enters(f, 4, &p, "in 4, drop no-member at 4 in flood, shot");
	}
	learned(f, 4094, MAC_A, 4);
	f->vid = 4094;
	enters(f, 4, &p, "in 4, drop no-member at 4 in flood, shot");
	trunk_put(f, 4, "0,10");
	learned(f, 0, MAC_A, 4);
	enters(f, 4, &p, "in 4, drop no-member at 4 in flood, shot");
	learned(f, VLAN_B, MAC_B, 3);
	p = broadcast(MAC_B);
	enters(f, 3, &p, "in 3, drop no-member at 3 in flood, shot");
}

static void native_untagged(void **state)
{
	struct fixture *f = *state;
	struct pkt p = broadcast(MAC_A), q = broadcast(MAC_B);

	world(f, HD_PORT_TRUNK, VLAN_A);
	learned(f, VLAN_A, MAC_A, 4);
	learned(f, VLAN_B, MAC_A, 4);
	learned(f, VLAN_A, MAC_B, 1);
	enters(f, 4, &p, "in 4, copies 5 1, out 1 2 5, redirect");
	f->vid = VLAN_A;
	enters(f, 4, &p, "in 4, copies 5 1, out 1 2 5, redirect");
	f->vid = VLAN_B;
	enters(f, 4, &p, "in 4, out 3, redirect");
	enters(f, 1, &q, "in 1, copies 2 4, out 2 4 5, redirect");
}

static void native_tagged(void **state)
{
	struct fixture *f = *state;
	struct pkt p = broadcast(MAC_A), q = broadcast(MAC_B);

	world(f, HD_PORT_TRUNK | HD_PORT_NATIVE_TAGGED, VLAN_A);
	learned(f, VLAN_A, MAC_A, 4);
	learned(f, VLAN_A, MAC_B, 1);
	enters(f, 4, &p, "in 4, copies 5 1, out 1 2 5, redirect");
	enters(f, 1, &q, "in 1, copies 2 4@10, out 2 4 5, redirect");
}

/* A port with an own VLAN has no part in VLAN 0. */
static void native_is_not_vlan_0(void **state)
{
	struct fixture *f = *state;
	struct pkt p = broadcast(MAC_A);

	world(f, HD_PORT_TRUNK, VLAN_A);
	port_add(f, 6, 1, UP);
	port_vlan(f, 6, HD_PORT_TRUNK, 0);
	learned(f, 0, MAC_A, 6);
	enters(f, 6, &p, "in 6, drop no-member at 6 in flood, shot");
}

/* The customer's tag goes along inside, also when it is the number of another VLAN here. */
static void tunnel_mode(void **state)
{
	struct fixture *f = *state;
	struct pkt p = broadcast(MAC_A), tagged = pkt_tagged(&p, ETH_P_8021Q, TAGGED(0x7, VLAN_B));

	world(f, HD_PORT_TRUNK, 0);
	port_add(f, 6, 1, UP);
	port_vlan(f, 6, HD_PORT_QINQ, VLAN_A);
	port_add(f, 7, 1, UP);
	port_vlan(f, 7, HD_PORT_QINQ, VLAN_A);
	port_add(f, 8, 1, UP);
	port_vlan(f, 8, HD_PORT_QINQ, VLAN_B);
	learned(f, VLAN_A, MAC_A, 6);
	f->also[0] = &tagged;
	f->vid = TAGGED(0x7, VLAN_B);
	/* "!": the customer's tag has moved into the bytes of what goes to port 4; they are counted without */
	enters_as(f, 6, &p, &tagged, "in 6, copies 7@20p7, out 4 !74 bytes 7 !74 bytes, redirect");
	learned(f, VLAN_A, MAC_B, 4);
	f->vid = VLAN_A;
	p = broadcast(MAC_B);
	enters(f, 4, &p, "in 4, copies 5 6 7 1, out 1 2 5 6 7, redirect");
}

static void one_mac_in_two_vlans(void **state)
{
	struct fixture *f = *state;
	struct pkt p = broadcast(MAC_A), back = pkt_eth(MAC_A, MAC_B, ETH_P_OTHER);

	world(f, HD_PORT_TRUNK, 0);
	pkt_bytes(&back, 60);
	enters(f, 1, &p, "in 1, new 1.10/a at 1, macs 1 +1, copies 2 4@10, out 2 4 5, redirect");
	enters(f, 3, &p, "in 3, new 1.20/a at 3, macs 3 +1, out 4, redirect");
	learned(f, VLAN_A, MAC_B, 4);
	learned(f, VLAN_B, MAC_B, 4);
	f->vid = VLAN_A;
	enters(f, 4, &back, "in 4, out 1, redirect");
	f->vid = VLAN_B;
	enters(f, 4, &back, "in 4, out 3, redirect");
}

/* An entry of the FDB may be older than the mode of its port. */
static void to_a_port_that_has_left_the_vlan(void **state)
{
	struct fixture *f = *state;
	struct pkt p = pkt_eth(MAC_B, MAC_A, ETH_P_OTHER);

	world(f, HD_PORT_TRUNK, 0);
	pkt_bytes(&p, 60);
	learned(f, VLAN_A, MAC_A, 1);
	learned(f, VLAN_A, MAC_B, 2);
	enters(f, 1, &p, "in 1, out 2, redirect");
	port_vlan(f, 2, 0, VLAN_B);
	enters(f, 1, &p, "in 1, drop vlan-not-allowed at 1 in port-in, shot");
	port_vlan(f, 2, HD_PORT_TRUNK, 0);
	enters(f, 1, &p, "in 1, out 2, redirect");
}

/* The second tag would be the outer one behind an access port, or a native one: that is how one hops into another VLAN. */
static void double_tagged(void **state)
{
	struct fixture *f = *state;
	struct pkt p = broadcast(MAC_A), inner = pkt_tagged(&p, ETH_P_8021Q, VLAN_B);

	world(f, HD_PORT_TRUNK, VLAN_A);
	port_add(f, 6, 1, UP);
	port_vlan(f, 6, HD_PORT_TRUNK, 0);
	port_add(f, 7, 1, UP);
	port_vlan(f, 7, HD_PORT_TRUNK, 0);
	learned(f, VLAN_A, MAC_A, 6);
	f->vid = VLAN_A;
	enters(f, 6, &inner, "in 6, out 7 !74 bytes, redirect");
	port_vlan(f, 7, HD_PORT_TRUNK, VLAN_A);
	learned(f, VLAN_A, MAC_B, 7);
	memcpy(inner.data, MAC_B, 6);
	memcpy(p.data, MAC_B, 6);
	f->vid = VLAN_A;
	/* "!": the second tag lies beside the packet by then */
	enters_as(f, 6, &inner, &p,
		  "in 6, drop vlan-not-allowed at 6 in port-in, !1 packets 74 bytes, shot");
}

/* A port without a mode is in VLAN 0, and its tags are content. */
static void port_without_a_mode(void **state)
{
	struct fixture *f = *state;
	struct pkt p = broadcast(MAC_A);

	world(f, HD_PORT_TRUNK, 0);
	port_add(f, 6, 1, UP);
	port_add(f, 7, 1, UP);
	fdb_static(f, 1, MAC_A, 6);
	enters(f, 6, &p, "in 6, copies 7, out 4 7, redirect");
	f->vid = VLAN_A;
	enters(f, 6, &p, "in 6, out 7, redirect");
	f->vid = VLAN_A;
	enters(f, 4, &p, "in 4, new 1.10/a at 4, macs 4 +1, copies 5 1, out 1 2 5, redirect");
}

static void too_short_for_its_tag(void **state)
{
	struct fixture *f = *state;
	struct pkt p = broadcast(MAC_A), tagged = pkt_tagged(&p, ETH_P_8021Q, VLAN_A);

	world(f, HD_PORT_TRUNK, 0);
	for (uint32_t len = shortest_frame(f); len < 18; len++) {
		struct pkt cut = pkt_cut(&tagged, len);

		enters(f, 4, &cut, "in 4, drop short-frame at 4 in port-in, shot");
	}
}

/* --- with security: the same two hosts, "a" and "b", in VLAN 10 behind ports 1 and 2 and in VLAN 20 behind ports 3 and 4 --- */

static void secure_host(struct fixture *f, uint32_t port, const struct host *host, uint16_t vlan)
{
	access_port(f, port, vlan);
	port_mac(f, port, host->mac);
	fdb_static_vlan(f, 1, vlan, host->mac, port);
	source_add(f, port, host->mac, host->v4, 32);
	source_add(f, port, host->mac, host->v6, 128);
	secure(f, port, POLICY(port), GEN(port));
}

static void secure_vlans(struct fixture *f)
{
	secure_world(f); /* for the rules of a and b */
	for (uint32_t port = 1; port <= 4; port++)
		port_del(f, port);
	fdb_del(f, 1, a.mac);
	fdb_del(f, 1, b.mac);
	secure_host(f, 1, &a, VLAN_A);
	secure_host(f, 2, &b, VLAN_A);
	secure_host(f, 3, &a, VLAN_B);
	secure_host(f, 4, &b, VLAN_B);
	open_rules(f, 3, FREE_RULE);
}

static void flows_of_two_vlans(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), reply = udp4(&b, &a, 53, 4000);
	struct pkt ask6 = udp6(&a, &b, 4000, 53), reply6 = udp6(&b, &a, 53, 4000);

	secure_vlans(f);
	enters(f, 1, &ask, "in 1, udp begins, rules 1 4, out 2, redirect");
	enters(f, 4, &reply, "in 4, drop group-egress at 4 in flow, shot");
	enters(f, 2, &reply, "in 2, udp established for good, rules 1 4, out 1, redirect");
	assert_int_equal(flow_of(f, IPPROTO_UDP, a.v4, 4000, b.v4, 53).vlan, VLAN_A);
	enters(f, 4, &reply, "in 4, drop group-egress at 4 in flow, shot");
	enters(f, 1, &ask, "in 1, udp goes on, rules 1 4, out 2, redirect");
	enters(f, 3, &ask, "in 3, drop group-ingress at 4 in flow, shot");
	enters(f, 1, &ask6, "in 1, udp6 begins, rules 2 7, out 2, redirect");
	enters(f, 4, &reply6, "in 4, drop group-egress at 4 in flow, shot");
	enters(f, 2, &reply6, "in 2, udp6 established for good, rules 2 7, out 1, redirect");
	enters(f, 4, &reply6, "in 4, drop group-egress at 4 in flow, shot");
}

/* A trunk with security: rules see the packet beneath the tag. */
static void flows_over_a_trunk(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), reply = udp4(&b, &a, 53, 4000);

	secure_vlans(f);
	port_vlan(f, 2, HD_PORT_TRUNK, 0);
	enters(f, 1, &ask, "in 1, udp begins, rules 1 4, out 2, redirect");
	enters(f, 2, &reply, "in 2, drop group-egress at 2 in judge, shot");
	f->vid = VLAN_A;
	enters(f, 2, &reply, "in 2, udp established for good, rules 1 4, out 1, redirect");
	f->vid = TAGGED(0x7, VLAN_A);
	enters(f, 2, &reply, "in 2, udp goes on, rules 1 4, out 1, redirect");
}

/* "d" sends to "b", by a trunk without security. */
static void piece_of_d(struct pkt *first, struct pkt *later)
{
	*first = ip4(&d, &b, IPPROTO_UDP);
	pkt_frag4(first, 7, 0, true);
	pkt_udp(first, 4000, 53);
	pkt_bytes(first, 16);
	pkt_end(first);
	*later = ip4(&d, &b, IPPROTO_UDP);
	pkt_frag4(later, 7, 24, false);
	pkt_bytes(later, 24);
	pkt_end(later);
}

static void trunk_of_d(struct fixture *f)
{
	port_add(f, 5, 1, UP);
	port_vlan(f, 5, HD_PORT_TRUNK, 0);
	learned(f, VLAN_A, d.mac, 5);
	learned(f, VLAN_B, d.mac, 5);
}

/* A later piece follows the first one of its own VLAN only. */
static void pieces_of_two_vlans(void **state)
{
	struct fixture *f = *state;
	struct pkt first, later;

	secure_vlans(f);
	trunk_of_d(f);
	piece_of_d(&first, &later);
	f->vid = VLAN_A;
	enters(f, 5, &first, "in 5, udp begins, pieces +1, rules 4, out 2, redirect");
	f->vid = VLAN_B;
	enters(f, 5, &later, "in 5, pieces +1, held +1, drop fragment-orphan at 5 in judge, shot");
	f->vid = VLAN_A;
	enters(f, 5, &later, "in 5, udp waits, piece, rules 4, out 2, redirect");
}

/* What has waited leaves with the priority with which it came. */
static void pieces_that_wait(void **state)
{
	struct fixture *f = *state;
	struct pkt first, later;

	secure_vlans(f);
	trunk_of_d(f);
	port_vlan(f, 2, HD_PORT_TRUNK, 0);
	piece_of_d(&first, &later);
	f->vid = TAGGED(0x6, VLAN_A);
	enters(f, 5, &later, "in 5, pieces +1, held +1, drop fragment-orphan at 5 in judge, shot");
	f->vid = TAGGED(0xa, VLAN_A);
	f->also[0] = &later;
	enters_as(f, 5, &first, &later,
		  "in 5, udp begins, piece, held -1, rules 4, copies 2@10pa 2@10p6, out 2 2, "
		  "1 undone fragment-orphan at 5, shot");
}

static void neighbours_of_two_vlans(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = pkt_eth(MAC_ALL, MAC_A, ETH_P_ARP), answer;

	world(f, HD_PORT_TRUNK, 0);
	net_add(f, 1, HD_NETWORK_FLOOD | HD_NETWORK_SUPPRESS, 300);
	learned(f, VLAN_A, MAC_A, 1);
	learned(f, VLAN_B, MAC_A, 3);
	neigh_add_vlan(f, 1, VLAN_A, "192.0.2.2", MAC_B, 2);
	pkt_arp(&ask, ARPOP_REQUEST, MAC_A, "192.0.2.1", MAC_ZERO, "192.0.2.2");
	answer = pkt_eth(MAC_A, MAC_B, ETH_P_ARP);
	pkt_arp(&answer, ARPOP_REPLY, MAC_B, "192.0.2.2", MAC_A, "192.0.2.1");
	enters_as(f, 1, &ask, &answer, "in 1, out 1, redirect");
	enters(f, 3, &ask, "in 3, out 4, redirect");
	ask = pkt_eth(MAC_ALL, MAC_C, ETH_P_ARP);
	pkt_arp(&ask, ARPOP_REQUEST, MAC_C, "192.0.2.3", MAC_ZERO, "192.0.2.2");
	answer = pkt_eth(MAC_C, MAC_B, ETH_P_ARP);
	pkt_arp(&answer, ARPOP_REPLY, MAC_B, "192.0.2.2", MAC_C, "192.0.2.3");
	learned(f, VLAN_A, MAC_C, 4);
	learned(f, VLAN_B, MAC_C, 4);
	f->vid = VLAN_B;
	enters(f, 4, &ask, "in 4, out 3, redirect");
	f->vid = VLAN_A;
	enters_as(f, 4, &ask, &answer, "in 4, out 4, redirect");
}

int vlan_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(access_mode),
		TEST(tagged_at_an_access_port),
		TEST(priority_tagged),
		TEST(trunk_mode),
		TEST(trunk_with_a_list),
		TEST(native_untagged),
		TEST(native_tagged),
		TEST(native_is_not_vlan_0),
		TEST(tunnel_mode),
		TEST(one_mac_in_two_vlans),
		TEST(to_a_port_that_has_left_the_vlan),
		TEST(double_tagged),
		TEST(port_without_a_mode),
		TEST(too_short_for_its_tag),
		TEST(flows_of_two_vlans),
		TEST(flows_over_a_trunk),
		TEST(pieces_of_two_vlans),
		TEST(pieces_that_wait),
		TEST(neighbours_of_two_vlans),
	};

	return cmocka_run_group_tests_name("vlan", tests, NULL, NULL);
}
