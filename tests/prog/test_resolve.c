// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_resolve.c - how a router gets to know its neighbours: what it asks and when, what it hears and what not, and what it answers for itself
 *
 * Of eve in network 2 the configuration knows nothing.
 */
#include "tests/prog/routed.h"

#include <stdio.h>

static struct pkt udp(const struct host *from, const struct host *to)
{
	return to_router(udp4(from, to, 4000, 53));
}

static struct pkt udp_v6(const struct host *from, const struct host *to)
{
	return to_router(udp6(from, to, 4000, 53));
}

/* An ARP packet from @from, who says to have @sip. */
static struct pkt arp(uint16_t op, const uint8_t to[6], const struct host *from, const char *sip,
		      const char *tip)
{
	struct pkt p = pkt_eth(to, from->mac, ETH_P_ARP);

	pkt_arp(&p, op, from->mac, sip, MAC_ZERO, tip);
	return p;
}

/* What a router asks: RFC 826, as who has no address (RFC 5227). */
static struct pkt who_has(const char *ip)
{
	struct pkt p = pkt_eth(MAC_ALL, MAC_ASKS, ETH_P_ARP);

	pkt_arp(&p, 1, MAC_ASKS, "0.0.0.0", MAC_ZERO, ip);
	pkt_put(&p, NULL, 60 - p.len);
	return p;
}

/* RFC 4861 section 4.3. Who is asked ends with @last: one byte. */
static struct pkt who_has_v6(const char *ip, uint8_t last)
{
	struct pkt p =
		pkt_eth((const uint8_t[6]){ 0x33, 0x33, 0xff, 0, 0, last }, MAC_ASKS, ETH_P_IPV6);
	char group[] = "ff02::1:ff00:00";

	group[13] = "0123456789abcdef"[last >> 4];
	group[14] = "0123456789abcdef"[last & 15];
	pkt_ipv6(&p, "fe80::68:65ff:fe00:1e", group, IPPROTO_ICMPV6, 255);
	pkt_icmp6_ns(&p, ip, MAC_ASKS);
	pkt_end(&p);
	return p;
}

static struct pkt advert(const uint8_t to[6], const char *to_ip, const struct host *from,
			 const char *ip)
{
	struct pkt p = pkt_eth(to, from->mac, ETH_P_IPV6);

	pkt_ipv6(&p, ip, to_ip, IPPROTO_ICMPV6, 255);
	pkt_icmp6_na(&p, PKT_NA_SOLICITED | PKT_NA_OVERRIDE, ip, from->mac);
	pkt_end(&p);
	return p;
}

static struct pkt solicit(const uint8_t to[6], const char *to_ip, const struct host *from,
			  const char *from_ip, const char *target)
{
	struct pkt p = pkt_eth(to, from->mac, ETH_P_IPV6);

	pkt_ipv6(&p, from_ip, to_ip, IPPROTO_ICMPV6, 255);
	pkt_icmp6_ns(&p, target, from->mac);
	pkt_end(&p);
	return p;
}

#define ASKED                                                                                      \
	"in 3, asks 2/198.51.100.14, copies 2 4, out 2 4 5, drop unresolved at 3 in resolve, redirect"
#define ASKED6                                                                                     \
	"in 3, asks 2/2001:db8:2::e, copies 2 4, out 2 4 5, drop unresolved at 3 in resolve, redirect"
#define MOVED "router 30 moved +1, "
#define IN_VAIN "in 3, drop unresolved at 3 in resolve, shot"

/* Everybody in the network of the next hop is asked, in the place of the packet. */
static void asks(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp(&cat, &eve), question = who_has(eve.v4);

	routed_world(f);
	f->also[0] = &question;
	enters_as(f, 3, &p, &question, ASKED);
	enters(f, 3, &p, IN_VAIN); /* once a second */
	arp_ages(f, 2, eve.v4, HZ);
	enters_as(f, 3, &p, &question, ASKED);
}

static void asks_v6(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp_v6(&cat, &eve), question = who_has_v6(eve.v6, 0x0e);

	routed_world(f);
	f->also[0] = &question;
	enters_as(f, 3, &p, &question, ASKED6);
	enters(f, 3, &p, IN_VAIN);
	arp_ages(f, 2, eve.v6, HZ);
	enters_as(f, 3, &p, &question, ASKED6);
}

/* However long the packet is that makes room for the question. */
static void asks_of_any_length(void **state)
{
	struct fixture *f = *state;

	for (uint32_t len = 70; len < 1500; len += len < 90 ? 1 : 101) {
		struct pkt p = len & 1 ? ip6(&cat, &eve, 17) : ip4(&cat, &eve, 17);
		struct pkt question = len & 1 ? who_has_v6(eve.v6, 0x0e) : who_has(eve.v4);

		fixture_resize(f, (struct sizes){ 0 });
		routed_world(f);
		pkt_udp(&p, 1, 2);
		pkt_fill(&p, len);
		pkt_end(&p);
		p = to_router(p);
		f->also[0] = &question;
		enters_as(f, 3, &p, &question, len & 1 ? ASKED6 : ASKED);
	}
}

/* The next hop of a route is asked for, and not where the packet goes. */
static void asks_for_the_next_hop(void **state)
{
	struct fixture *f = *state;
	struct pkt p = with_target(udp(&cat, &dan), "203.0.113.9"), question = who_has(eve.v4);

	routed_world(f);
	route_add(f,
		  (struct route){ ROUTER, "203.0.113.0", 24, HD_ROUTE_VIA, 2, eve.v4, GATE2, 1 });
	f->also[0] = &question;
	enters_as(f, 3, &p, &question, ASKED);
}

/* RFC 1812 section 5.2.7.1, RFC 4443 section 3.1: who waits in vain is told after three seconds. */
static void tells_after_a_while(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp(&cat, &eve), six = udp_v6(&cat, &eve);
	struct pkt question = who_has(eve.v4), question6 = who_has_v6(eve.v6, 0x0e);
	struct pkt error = told(&p, GATE1, 3, 1, 0), error6 = told(&six, GATE1_6, 1, 3, 0);

	routed_world(f);
	f->also[0] = &question;
	f->also[1] = &question6;
	for (int i = 0; i < 3; i++) {
		enters_as(f, 3, &p, &question, ASKED);
		enters(f, 3, &p, IN_VAIN);
		enters_as(f, 3, &six, &question6, ASKED6);
		enters(f, 3, &six, IN_VAIN);
		arp_ages(f, 2, eve.v4, HZ);
		arp_ages(f, 2, eve.v6, HZ);
	}
	enters_as(f, 3, &p, &error, "in 3, out 3, drop unresolved at 3 in tell, redirect");
	enters_as(f, 3, &six, &error6, "in 3, out 3, drop unresolved at 3 in tell, redirect");
	/* From now on it is asked every three seconds. */
	arp_ages(f, 2, eve.v4, HZ);
	enters_as(f, 3, &p, &error, "in 3, out 3, drop unresolved at 3 in tell, redirect");
	arp_ages(f, 2, eve.v4, HZ);
	enters_as(f, 3, &p, &question, ASKED);
	enters_as(f, 3, &p, &error, "in 3, out 3, drop unresolved at 3 in tell, redirect");
	/* Nobody has asked for a while: then it is as at first. */
	arp_ages(f, 2, eve.v4, 20 * HZ);
	enters_as(f, 3, &p, &question, ASKED);
	enters(f, 3, &p, IN_VAIN);
}

/* --- what it hears --- */

static void knows(struct fixture *f, const struct pkt *from_eve, const char *story)
{
	enters(f, 5, from_eve, story);
}

static void goes_to_eve(struct fixture *f, struct pkt p)
{
	struct pkt out = routed(p, eve.mac);

	enters_as(f, 3, &p, &out, "in 3, out 5, redirect");
}

/* The answer, for the MAC that has asked: it ends here. */
static void answer(void **state)
{
	struct fixture *f = *state;
	struct pkt reply = arp(2, MAC_ASKS, &eve, eve.v4, "0.0.0.0"),
		   advert_ = advert(MAC_ASKS, "fe80::68:65ff:fe00:1e", &eve, eve.v6);

	routed_world(f);
	arp_learned(f, 2, eve.v4, MAC_ZERO);
	arp_learned(f, 2, eve.v6, MAC_ZERO);
	knows(f, &reply,
	      "in 5, new 2/e at 5, macs 5 +1, knows 2/198.51.100.14 at e, " MOVED "shot");
	goes_to_eve(f, udp(&cat, &eve));
	knows(f, &advert_, "in 5, knows 2/2001:db8:2::e at e, " MOVED "shot");
	goes_to_eve(f, udp_v6(&cat, &eve));
	knows(f, &reply, "in 5, shot");
}

/* Who asks for the router is known from then on, as in RFC 826. And is answered, whatever the network suppresses. */
static void question(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = arp(1, MAC_ALL, &eve, eve.v4, GATE2),
		   reply = pkt_eth(eve.mac, MAC_ROUTER, ETH_P_ARP);
	struct pkt ask6 = solicit((const uint8_t[6]){ 0x33, 0x33, 0xff, 0, 0, 1 }, "ff02::1:ff00:1",
				  &eve, eve.v6, GATE2_6),
		   reply6 = pkt_eth(eve.mac, MAC_ROUTER, ETH_P_IPV6);

	pkt_arp(&reply, 2, MAC_ROUTER, GATE2, eve.mac, eve.v4);
	pkt_ipv6(&reply6, GATE2_6, eve.v6, IPPROTO_ICMPV6, 255);
	pkt_icmp6_na(&reply6, PKT_NA_SOLICITED | PKT_NA_OVERRIDE, GATE2_6, MAC_ROUTER);
	pkt_end(&reply6);
	routed_world(f);
	enters_as(f, 5, &ask, &reply,
		  "in 5, new 2/e at 5, macs 5 +1, knows 2/198.51.100.14 at e, " MOVED
		  "out 5, redirect");
	goes_to_eve(f, udp(&cat, &eve));
	enters_as(f, 5, &ask6, &reply6,
		  "in 5, knows 2/2001:db8:2::e at e, " MOVED "out 5, redirect");
	goes_to_eve(f, udp_v6(&cat, &eve));
	/* Asked for its MAC by who knows it: whether it is still there (RFC 4861 section 7.3). */
	memcpy(ask.data, MAC_ROUTER, 6);
	enters_as(f, 5, &ask, &reply, "in 5, out 5, redirect");
	memcpy(ask6.data, MAC_ROUTER, 6);
	enters_as(f, 5, &ask6, &reply6, "in 5, out 5, redirect");
}

/* Ports with security are answered as well, after they have been checked. */
static void question_with_security(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = arp(1, MAC_ALL, &ann, ann.v4, GATE1),
		   reply = pkt_eth(ann.mac, MAC_ROUTER, ETH_P_ARP),
		   lie = arp(1, MAC_ALL, &ann, cat.v4, GATE1);

	pkt_arp(&reply, 2, MAC_ROUTER, GATE1, ann.mac, ann.v4);
	routed_world(f);
	enters_as(f, 1, &ask, &reply, "in 1, out 1, redirect");
	enters(f, 1, &lie, "in 1, drop spoof-neighbour at 1 in neighbour, shot");
}

/* Others' questions go to all, unless the network suppresses them. */
static void question_for_others(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = arp(1, MAC_ALL, &eve, eve.v4, dan.v4);

	routed_world(f);
	enters(f, 5, &ask, "in 5, new 2/e at 5, macs 5 +1, copies 2, out 2 4, redirect");
}

/* An announcement (RFC 5227 section 3, RFC 4861 section 7.2.6): known neighbours have moved; strangers are no neighbours yet. */
static void announcement(void **state)
{
	static const uint8_t all_nodes[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	struct fixture *f = *state;
	struct host moved = eve;
	struct pkt hello, hello6;

	moved.mac[5] = 0x0f;
	hello = arp(1, MAC_ALL, &moved, eve.v4, eve.v4);
	hello6 = advert(all_nodes, "ff02::1", &moved, eve.v6);
	routed_world(f);
	enters(f, 5, &hello, "in 5, new 2/f at 5, macs 5 +1, copies 2, out 2 4, redirect");
	enters(f, 5, &hello6, "in 5, copies 2, out 2 4, redirect");
	router_learned(f, ROUTER, 2, eve.v4, eve.mac);
	router_learned(f, ROUTER, 2, eve.v6, eve.mac);
	enters(f, 5, &hello,
	       "in 5, knows 2/198.51.100.14 at f, router 30 moved +1, copies 2, out 2 4, redirect");
	enters(f, 5, &hello6,
	       "in 5, knows 2/2001:db8:2::e at f, router 30 moved +1, copies 2, out 2 4, redirect");
	enters(f, 5, &hello, "in 5, copies 2, out 2 4, redirect");
	enters(f, 5, &hello6, "in 5, copies 2, out 2 4, redirect");
}

/* In an external network it may be the neighbour of other routers, too: flows of all find out. */
static void announcement_outside(void **state)
{
	struct fixture *f = *state;
	struct host moved = eve;
	struct pkt hello;

	moved.mac[5] = 0x0f;
	hello = arp(1, MAC_ALL, &moved, eve.v4, eve.v4);
	routed_world(f);
	router_outside(f, ROUTER, 2, GATE2);
	router_learned(f, ROUTER, 2, eve.v4, eve.mac);
	enters(f, 5, &hello,
	       "in 5, new 2/f at 5, macs 5 +1, knows 2/198.51.100.14 at f, router 0 moved +1, router 30 moved +1, copies 2, out 2 4, redirect");
	enters(f, 5, &hello, "in 5, copies 2, out 2 4, redirect");
}

/* Flows to who has moved are judged again, and go where it is now; the first packet of either direction finds out. */
static void flow_of_a_mover(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp(&ann, &eve), reply = to_router(udp4(&eve, &ann, 53, 4000)), out, back;
	struct host moved = eve;
	struct pkt hello;

	moved.mac[5] = 0x0f;
	hello = arp(1, MAC_ALL, &moved, eve.v4, eve.v4);
	routed_world(f);
	fdb_learned(f, 2, eve.mac, 5, 0);
	fdb_learned(f, 2, moved.mac, 5, 0);
	router_learned(f, ROUTER, 2, eve.v4, eve.mac);
	for (int i = 0; i < 2; i++) {
		out = routed(ask, eve.mac);
		back = routed(reply, ann.mac);
		enters_as(f, 1, &ask, &out,
			  i ? "in 1, routed udp goes on, rules 1, out 5, redirect"
			    : "in 1, routed udp begins, rules 1, out 5, redirect");
		enters_as(f, 5, &reply, &back,
			  i ? "in 5, routed udp goes on, rules 1, out 1, redirect"
			    : "in 5, routed udp established for good, rules 1, out 1, redirect");
	}
	enters(f, 5, &hello,
	       "in 5, knows 2/198.51.100.14 at f, router 30 moved +1, copies 2, out 2 4, redirect");
	enters_as(f, 5, &reply, &back, "in 5, routed udp goes on, rules 1, out 1, redirect");
	out = routed(ask, moved.mac);
	for (int i = 0; i < 2; i++) {
		enters_as(f, 1, &ask, &out, "in 1, routed udp goes on, rules 1, out 5, redirect");
		enters_as(f, 5, &reply, &back,
			  "in 5, routed udp goes on, rules 1, out 1, redirect");
	}
}

/* So many in a second for each port: who asks for, or says to be, the whole of a subnet is not heard for long. */
static void so_many_in_a_second(void **state)
{
	struct fixture *f = *state;
	uint32_t second, asked, heard, n;
	struct pkt p;
	char ip[32];

	do { /* all of it in one second of the datapath's clock */
		fixture_resize(f, (struct sizes){ 0 });
		routed_world(f);
		second = (uint32_t)now(f) / HZ;
		for (n = asked = 0; n < 300; n++) {
			(void)snprintf(ip, sizeof(ip), "2001:db8:2::1:%x", n + 1);
			p = with_target(udp_v6(&cat, &eve), ip);
			asked += run_in(f, 3, &p) == REDIRECTED;
		}
		heard = router_state(f, ROUTER).moved;
		for (n = 0; n < 300; n++) {
			(void)snprintf(ip, sizeof(ip), "2001:db8:2::2:%x", n + 1);
			p = advert(MAC_ROUTER, GATE2_6, &eve, ip);
			assert_int_equal(run_in(f, 5, &p), SHOT);
		}
	} while ((uint32_t)now(f) / HZ != second);
	assert_int_equal(asked, 256);
	assert_int_equal(heard, 0);
	assert_int_equal(router_state(f, ROUTER).moved, 256);
}

/* The configuration is not overruled, nor is what is of another network or nobody's address. */
static void not_heard(void **state)
{
	static const char *const bad[] = { "198.51.100.13",  "192.0.2.77", "203.0.113.9",
					   "198.51.100.255", GATE2,	   "0.0.0.0" };
	struct fixture *f = *state;
	struct pkt p;

	routed_world(f);
	fdb_learned(f, 2, eve.mac, 5, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p = arp(2, MAC_ROUTER, &eve, bad[i], GATE2);
		enters(f, 5, &p, "in 5, shot");
	}
	p = advert(MAC_ROUTER, GATE2_6, &eve, dan.v6);
	enters(f, 5, &p, "in 5, shot");
	p = advert(MAC_ROUTER, GATE2_6, &eve, "2001:db8:1::77");
	enters(f, 5, &p, "in 5, shot");
	p = advert(MAC_ROUTER, GATE2_6, &eve, "fe80::e");
	enters(f, 5, &p, "in 5, shot");
}

/* In the body: no router's MAC, and none of many. */
static void not_believed(void **state)
{
	struct fixture *f = *state;
	struct pkt p = pkt_eth(MAC_ROUTER, eve.mac, ETH_P_ARP);

	routed_world(f);
	fdb_learned(f, 2, eve.mac, 5, 0);
	pkt_arp(&p, 2, MAC_ROUTER, eve.v4, MAC_ZERO, GATE2);
	enters(f, 5, &p, "in 5, shot");
	p = pkt_eth(MAC_ROUTER, eve.mac, ETH_P_ARP);
	pkt_arp(&p, 2, MAC_ALL, eve.v4, MAC_ZERO, GATE2);
	enters(f, 5, &p, "in 5, shot");
	p = pkt_eth(MAC_ROUTER, eve.mac, ETH_P_ARP);
	pkt_arp(&p, 2, MAC_ZERO, eve.v4, MAC_ZERO, GATE2);
	enters(f, 5, &p, "in 5, shot");
	/* From afar: RFC 4861 section 7.1. */
	p = advert(MAC_ROUTER, GATE2_6, &eve, eve.v6);
	p.data[ETH_HLEN + 7] = 254;
	enters(f, 5, &p, "in 5, shot");
}

/* Those of another VLAN are no neighbours, whatever they say. */
static void another_vlan(void **state)
{
	struct fixture *f = *state;
	struct pkt p = arp(1, MAC_ALL, &eve, eve.v4, GATE2);

	routed_world(f);
	port_vlan(f, 5, 0, 7);
	enters(f, 5, &p, "in 5, new 2.7/e at 5, macs 5 +1, drop no-member at 5 in flood, shot");
	p = solicit((const uint8_t[6]){ 0x33, 0x33, 0xff, 0, 0, 1 }, "ff02::1:ff00:1", &eve, eve.v6,
		    GATE2_6);
	enters(f, 5, &p, "in 5, drop no-member at 5 in flood, shot");
}

/* What is known counts only while somebody has heard the MAC. */
static void not_heard_of_any_more(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp(&cat, &eve), question = who_has(eve.v4);

	routed_world(f);
	arp_learned(f, 2, eve.v4, eve.mac);
	f->also[0] = &question;
	enters_as(f, 3, &p, &question, ASKED);
	arp_learned(f, 2, eve.v4, eve.mac);
	fdb_learned(f, 2, eve.mac, 5, 0);
	goes_to_eve(f, p);
}

/* Of a neighbour that is configured, too, without a port: where he is has to be heard. */
static void configured_and_not_heard(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp(&cat, &eve), question = who_has(eve.v4),
		   reply = arp(2, MAC_ASKS, &eve, eve.v4, "0.0.0.0");

	routed_world(f);
	neigh_add(f, 2, eve.v4, eve.mac, HD_PORT_NONE);
	f->also[0] = &question;
	enters_as(f, 3, &p, &question, ASKED);
	knows(f, &reply, "in 5, new 2/e at 5, macs 5 +1, shot");
	goes_to_eve(f, p);
}

int resolve_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(asks),
		TEST(asks_v6),
		TEST(asks_of_any_length),
		TEST(asks_for_the_next_hop),
		TEST(tells_after_a_while),
		TEST(answer),
		TEST(question),
		TEST(question_with_security),
		TEST(question_for_others),
		TEST(announcement),
		TEST(announcement_outside),
		TEST(flow_of_a_mover),
		TEST(so_many_in_a_second),
		TEST(not_heard),
		TEST(not_believed),
		TEST(another_vlan),
		TEST(not_heard_of_any_more),
		TEST(configured_and_not_heard),
	};

	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
