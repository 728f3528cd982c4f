// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_group.c - rules: which row answers, who is a member, what goes to many, what comes from the host
 */
#include "tests/prog/secure.h"

#define STRANGER 12 /* a device that is no port */

static const uint8_t group_mac[6] = { 0x01, 0x00, 0x5e, 0, 0, 0xfb };

/* Nothing says anything: nothing passes, whichever way. */
static void default_deny(void **state)
{
	struct fixture *f = *state;
	struct pkt out = udp4(&c, &a, 1, 2), in = udp4(&a, &c, 1, 2), in6 = udp6(&a, &c, 1, 2);

	secure_world(f);
	enters(f, 3, &out, "in 3, drop group-egress at 3 in flow, shot");
	enters(f, 1, &in, "in 1, drop group-ingress at 3 in flow, shot");
	enters(f, 1, &in6, "in 1, drop group-ingress at 3 in flow, shot");
}

/* Blamed is the port whose rules refuse, not the one that sends. */
static void who_is_to_blame(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp4(&d, &b, 1, 54);

	secure_world(f);
	enters(f, 4, &p, "in 4, drop group-ingress at 2 in flow, shot");
	port_flags(f, 3, port_get(f, 3).flags & ~(uint32_t)HD_PORT_SECURE);
	p = udp4(&b, &c, 1, 54);
	enters(f, 2, &p, "in 2, drop group-egress at 2 in flow, shot");
}

/* Each bit that a row looks at, and none that it does not. */
static void masks(void **state)
{
	static const struct {
		const char *prefix;
		uint8_t len;
		bool fits;
	} v4[] = { { "0.0.0.0", 0, true },     { "128.0.0.0", 1, true },
		   { "0.0.0.0", 1, false },    { "192.0.2.8", 29, true },
		   { "192.0.2.0", 29, false }, { "192.0.2.10", 31, true },
		   { "192.0.2.10", 32, true }, { "192.0.2.11", 32, false } },
	  v6[] = {
		  { "::", 0, true },
		  { "2000::", 3, true },
		  { "2001:db8::", 31, true },
		  { "2001:db8::", 32, true },
		  { "2001:db9::", 32, false },
		  { "2001:db8::", 33, true },
		  { "2001:db8:8000::", 33, false },
		  { "2001:db8::", 64, true },
		  { "2001:db8::", 65, true },
		  { "2001:db8:0:0:8000::", 65, false },
		  { "2001:db8::", 96, true },
		  { "2001:db8::1:0:0", 96, false },
		  { "2001:db8::a", 127, true },
		  { "2001:db8::a", 128, true },
		  { "2001:db8::b", 128, false },
	  };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(v4) / sizeof(v4[0]) + sizeof(v6) / sizeof(v6[0]); i++) {
		bool is_v6 = i >= sizeof(v4) / sizeof(v4[0]);
		size_t k = is_v6 ? i - sizeof(v4) / sizeof(v4[0]) : i;
		struct pkt p = is_v6 ? udp6(&a, &c, 1, 2) : udp4(&a, &c, 1, 2);
		const char *passes = is_v6 ? "in 1, udp6 begins, rules 2 20, out 3, redirect"
					   : "in 1, udp begins, rules 1 20, out 3, redirect";

		fixture_resize(f, (struct sizes){ 0 });
		secure_world(f);
		allow(f, (struct allow){ .id = 20,
					 .policy = POLICY(3),
					 .dir = HD_INGRESS,
					 .v6 = is_v6,
					 .remote = is_v6 ? v6[k].prefix : v4[k].prefix,
					 .len = is_v6 ? v6[k].len : v4[k].len });
		enters(f, 1, &p,
		       (is_v6 ? v6[k].fits : v4[k].fits)
			       ? passes
			       : "in 1, drop group-ingress at 3 in flow, shot");
	}
}

/* Blocks of ports, as ranges are made of. */
static void port_blocks(void **state)
{
	struct fixture *f = *state;

	secure_world(f);
	allow(f, (struct allow){ .id = 20,
				 .policy = POLICY(3),
				 .dir = HD_INGRESS,
				 .proto = IPPROTO_UDP,
				 .port = 0x1230,
				 .port_len = 12 });
	for (uint16_t port = 0x122f; port <= 0x1240; port++) {
		struct pkt p = udp4(&a, &c, 1, port);

		enters(f, 1, &p,
		       port >= 0x1230 && port < 0x1240
			       ? "in 1, udp begins, rules 1 20, out 3, redirect"
			       : "in 1, drop group-ingress at 3 in flow, shot");
	}
}

/* The one family's rules say nothing about the other, and rules for sending nothing about receiving. */
static void families_and_directions(void **state)
{
	struct fixture *f = *state;
	struct pkt p4 = udp4(&a, &c, 1, 2), p6 = udp6(&a, &c, 1, 2);

	secure_world(f);
	allow(f, (struct allow){ .id = 20, .policy = POLICY(3), .dir = HD_EGRESS });
	allow(f, (struct allow){ .id = 21, .policy = POLICY(3), .dir = HD_INGRESS, .v6 = true });
	enters(f, 1, &p4, "in 1, drop group-ingress at 3 in flow, shot");
	enters(f, 1, &p6, "in 1, udp6 begins, rules 2 21, out 3, redirect");
}

/* --- members --- */

static void members_by_port(void **state)
{
	struct fixture *f = *state;
	struct pkt from_a = udp4(&a, &c, 1, 2), from_d = udp4(&d, &c, 1, 2);
	struct pkt from_b = udp4(&b, &c, 1, 2);

	secure_world(f);
	open_rules(f, 2, FREE_RULE);
	allow(f, (struct allow){
			 .id = 20, .policy = POLICY(3), .dir = HD_INGRESS, .group = POLICY(1) });
	enters(f, 1, &from_a, "in 1, udp begins, rules 1 20, out 3, redirect");
	enters(f, 2, &from_b, "in 2, drop group-ingress at 3 in flow, shot");
	enters(f, 4, &from_d, "in 4, drop group-ingress at 3 in flow, shot");
}

/* Whoever has no security may claim any address, so that address makes him no member. */
static void members_can_not_be_claimed(void **state)
{
	struct fixture *f = *state;
	struct pkt fake = udp4(&a, &c, 1, 2);

	secure_world(f);
	member_add(f, 1, a.v4, POLICY(1));
	allow(f, (struct allow){
			 .id = 20, .policy = POLICY(3), .dir = HD_INGRESS, .group = POLICY(1) });
	memcpy(fake.data + 6, d.mac, 6);
	enters(f, 4, &fake, "in 4, drop group-ingress at 3 in flow, shot");
}

/* "Only to members": the port to which it goes says who that is. */
static void egress_to_members(void **state)
{
	struct fixture *f = *state;
	struct pkt to_b = udp4(&a, &b, 1, 53), to_d = udp4(&a, &d, 1, 53);

	secure_world(f);
	disallow(f, (struct allow){ .policy = POLICY(1), .dir = HD_EGRESS });
	allow(f, (struct allow){
			 .id = 20, .policy = POLICY(1), .dir = HD_EGRESS, .group = POLICY(2) });
	member_add(f, 1, d.v4, POLICY(2));
	enters(f, 1, &to_b, "in 1, udp begins, rules 4 20, out 2, redirect");
	enters(f, 1, &to_d, "in 1, drop group-egress at 1 in flow, shot");
}

/* --- to many --- */

/* "a" sends to all: "b" takes it, "c" does not, "d" is not asked. */
static void to_all(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp4(&a, &b, 1, 53), closed = udp4(&a, &b, 1, 54), out = udp4(&b, &a, 1, 53);

	secure_world(f);
	memcpy(p.data, group_mac, 6);
	memcpy(closed.data, group_mac, 6);
	memcpy(out.data, group_mac, 6);
	enters(f, 1, &p,
	       "in 1, rules 1 4, copies 2, out 2 4, drop group-ingress at 3 in flood, redirect");
	enters(f, 1, &closed,
	       "in 1, rules 1, out 4, drop group-ingress at 2 in flood, "
	       "drop group-ingress at 3 in flood, redirect");
	enters(f, 2, &out, "in 2, drop group-egress at 2 in judge, shot");
	port_del(f, 4);
	enters(f, 1, &closed,
	       "in 1, rules 1, drop group-ingress at 2 in flood, "
	       "drop group-ingress at 3 in flood, shot");
}

static void to_all_from_a_port_without_security(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp4(&d, &b, 1, 53);

	secure_world(f);
	memcpy(p.data, group_mac, 6);
	enters(f, 4, &p,
	       "in 4, rules 4, out 2, drop group-ingress at 1 in flood, "
	       "drop group-ingress at 3 in flood, redirect");
}

/* What is no IP can be no member's wish. */
static void other_types(void **state)
{
	struct fixture *f = *state;
	struct pkt all = pkt_eth(MAC_ALL, d.mac, ETH_P_OTHER),
		   own = pkt_eth(b.mac, a.mac, ETH_P_OTHER);
	struct pkt one = pkt_eth(a.mac, d.mac, ETH_P_OTHER),
		   plain = pkt_eth(d.mac, a.mac, ETH_P_OTHER);
	struct pkt tagged = pkt_eth(b.mac, a.mac, ETH_P_8021Q);

	secure_world(f);
	pkt_fill(&all, 60);
	pkt_fill(&own, 60);
	pkt_fill(&one, 60);
	pkt_fill(&plain, 60);
	pkt_vlan(&tagged, 5, ETH_P_IP);
	pkt_fill(&tagged, 60);
	enters(f, 4, &all,
	       "in 4, drop ethertype at 1 in flood, drop ethertype at 2 in flood, "
	       "drop ethertype at 3 in flood, shot");
	enters(f, 1, &own, "in 1, drop ethertype at 1 in judge, shot");
	enters(f, 1, &plain, "in 1, drop ethertype at 1 in judge, shot");
	enters(f, 4, &one, "in 4, drop ethertype at 4 in judge, shot");
	enters(f, 1, &tagged, "in 1, drop tagged at 1 in judge, shot");
}

static void tags_beside(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp4(&a, &b, 1, 53), all = udp4(&d, &b, 1, 53);

	secure_world(f);
	f->vid = 5;
	enters(f, 1, &p, "in 1, drop tagged at 1 in judge, shot");
	memcpy(all.data, group_mac, 6);
	f->vid = 5;
	enters(f, 4, &all,
	       "in 4, drop tagged at 1 in flood, drop tagged at 2 in flood, "
	       "drop tagged at 3 in flood, shot");
}

/* "Only to members": a member's address does not open the way to whoever has the MAC that the frame goes to. */
static void to_a_member_by_another_mac(void **state)
{
	static const uint8_t other[6] = { 2, 0, 0, 0, 0, 0x77 };
	struct fixture *f = *state;
	struct pkt p = udp4(&a, &d, 1, 2);

	secure_world(f);
	disallow(f, (struct allow){ .id = A_OUT4, .policy = POLICY(1), .dir = HD_EGRESS });
	allow(f, (struct allow){
			 .id = 20, .policy = POLICY(1), .dir = HD_EGRESS, .group = POLICY(2) });
	member_add(f, 1, d.v4, POLICY(2));
	neigh_add(f, 1, d.v4, d.mac, 4);
	memcpy(p.data, other, 6);
	enters(f, 1, &p, "in 1, drop group-egress at 1 in judge, shot");
}

/* The answer of somebody whose MAC nobody knew finds its way. */
static void unknown_destination(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &d, 1, 2), reply = udp4(&d, &a, 2, 1);
	struct flow flow;

	secure_world(f);
	port_flags(f, 4, UP);
	fdb_del(f, 1, d.mac);
	allow(f, (struct allow){ .id = 20, .policy = POLICY(2), .dir = HD_INGRESS });
	enters(f, 1, &ask,
	       "in 1, udp begins, rules 1 20, copies 2, out 2 4, "
	       "drop group-ingress at 3 in flood, redirect");
	flow = flow_of(f, IPPROTO_UDP, a.v4, 1, d.v4, 2);
	assert_int_equal(flow.value.packets[flow.side], 1);
	assert_int_equal(flow.value.bytes[flow.side], ask.len);
	enters(f, 4, &reply,
	       "in 4, new 1/d at 4, macs 4 +1, udp established for good, rules 1, out 1, redirect");
	enters(f, 1, &ask, "in 1, udp goes on, rules 1, out 4, redirect");
}

/* --- from the host --- */

static void from_the_host(void **state)
{
	struct fixture *f = *state;
	struct pkt open = udp4(&d, &b, 1, 53), closed = udp4(&d, &b, 1, 54);
	struct pkt other = pkt_eth(b.mac, d.mac, ETH_P_OTHER),
		   arp = pkt_eth(b.mac, d.mac, ETH_P_ARP);
	struct pkt plain = udp4(&b, &d, 1, 54), tagged = pkt_eth(b.mac, d.mac, ETH_P_8021Q);

	secure_world(f);
	pkt_fill(&other, 60);
	pkt_arp(&arp, ARPOP_REQUEST, d.mac, d.v4, MAC_ZERO, b.v4);
	pkt_vlan(&tagged, 5, ETH_P_IP);
	pkt_fill(&tagged, 60);
	leaves(f, 2, 0, &open, "rules 4, out 2, pass");
	leaves(f, 2, STRANGER, &open, "rules 4, out 2, pass");
	leaves(f, 2, 0, &closed, "drop group-ingress at 2 in port-out, shot");
	leaves(f, 2, 0, &other, "drop ethertype at 2 in port-out, shot");
	leaves(f, 2, 0, &tagged, "drop tagged at 2 in port-out, shot");
	leaves(f, 2, 0, &arp, "out 2, pass");
	leaves(f, 4, 0, &plain, "out 4, pass");
	leaves(f, 2, 1, &closed, "pass"); /* judged when it came in */
}

int group_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(default_deny),
		TEST(who_is_to_blame),
		TEST(masks),
		TEST(port_blocks),
		TEST(families_and_directions),
		TEST(members_by_port),
		TEST(members_can_not_be_claimed),
		TEST(egress_to_members),
		TEST(to_all),
		TEST(to_all_from_a_port_without_security),
		TEST(other_types),
		TEST(tags_beside),
		TEST(to_a_member_by_another_mac),
		TEST(unknown_destination),
		TEST(from_the_host),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
