// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_neigh.c - questions for addresses that are known are answered on the spot, to the letter;
 * all others go on
 */
#include "tests/prog/fixture.h"

#include <stdio.h>

#define FLOODED "in 1, copies 2, out 2 3, redirect"
#define ANSWERED "in 1, out 1, redirect"

#define V4_A "192.0.2.10"
#define V4_B "192.0.2.11"
#define V6_A "2001:db8::a"
#define V6_B "2001:db8::b"

/* "a" behind port 1 asks, "b" behind port 2 is known with both its addresses, port 3 listens. */
static void asker_and_owner(struct fixture *f)
{
	net_add(f, 1, HD_NETWORK_FLOOD | HD_NETWORK_SUPPRESS, 300);
	port_add(f, 1, 1, UP);
	port_add(f, 2, 1, UP);
	port_add(f, 3, 1, UP);
	port_mac(f, 1, MAC_A);
	port_mac(f, 2, MAC_B);
	fdb_static(f, 1, MAC_A, 1);
	fdb_static(f, 1, MAC_B, 2);
	neigh_add(f, 1, V4_A, MAC_A, 1);
	neigh_add(f, 1, V4_B, MAC_B, 2);
	neigh_add(f, 1, V6_A, MAC_A, 1);
	neigh_add(f, 1, V6_B, MAC_B, 2);
}

/* --- ARP --- */

static struct pkt arp(const uint8_t to[6], const uint8_t from[6], uint16_t op, const uint8_t sha[6],
		      const char *sip, const uint8_t tha[6], const char *tip)
{
	struct pkt p = pkt_eth(to, from, ETH_P_ARP);

	pkt_arp(&p, op, sha, sip, tha, tip);
	return p;
}

static struct pkt who_has(const char *tip, const char *sip)
{
	return arp(MAC_ALL, MAC_A, ARPOP_REQUEST, MAC_A, sip, MAC_ZERO, tip);
}

static void arp_answer(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = who_has(V4_B, V4_A);
	struct pkt is_at = arp(MAC_A, MAC_B, ARPOP_REPLY, MAC_B, V4_B, MAC_A, V4_A);

	asker_and_owner(f);
	enters_as(f, 1, &ask, &is_at, ANSWERED);
	/* Padding, as from a real NIC, stays. */
	pkt_bytes(&ask, 18);
	pkt_bytes(&is_at, 18);
	enters_as(f, 1, &ask, &is_at, ANSWERED);
}

/* RFC 5227: "is anybody using this?" asked without an address of one's own; the owner is. */
static void arp_probe(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = who_has(V4_B, "0.0.0.0");
	struct pkt is_at = arp(MAC_A, MAC_B, ARPOP_REPLY, MAC_B, V4_B, MAC_A, "0.0.0.0");

	asker_and_owner(f);
	enters_as(f, 1, &ask, &is_at, ANSWERED);
}

/* A static neighbour belongs to no port: everybody gets the answer. */
static void arp_for_a_static_neighbour(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = who_has("192.0.2.99", V4_A);
	struct pkt is_at = arp(MAC_A, MAC_C, ARPOP_REPLY, MAC_C, "192.0.2.99", MAC_A, V4_A);

	asker_and_owner(f);
	neigh_add(f, 1, "192.0.2.99", MAC_C, HD_PORT_NONE);
	enters_as(f, 1, &ask, &is_at, ANSWERED);
}

/* The answer goes to where the frame came from, and says what the question said. */
static void arp_for_someone_else(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = arp(MAC_ALL, MAC_A, ARPOP_REQUEST, MAC_D, "192.0.2.77", MAC_ZERO, V4_B);
	struct pkt is_at = arp(MAC_A, MAC_B, ARPOP_REPLY, MAC_B, V4_B, MAC_D, "192.0.2.77");

	asker_and_owner(f);
	enters_as(f, 1, &ask, &is_at, ANSWERED);
}

static void arp_of_the_owner(void **state)
{
	struct fixture *f = *state;
	struct pkt probe = who_has(V4_A, "0.0.0.0"), announce = who_has(V4_A, V4_A);

	asker_and_owner(f);
	enters(f, 1, &probe, FLOODED);
	enters(f, 1, &announce, FLOODED);
}

/* Someone announces another's address as his: the others must hear it, and may object. */
static void arp_announcement_of_a_thief(void **state)
{
	struct fixture *f = *state;
	struct pkt announce = who_has(V4_B, V4_B);

	asker_and_owner(f);
	enters(f, 1, &announce, FLOODED);
}

static void arp_that_is_no_question_for_us(void **state)
{
	struct fixture *f = *state;
	struct pkt unknown = who_has("192.0.2.200", V4_A);
	struct pkt reply = arp(MAC_ALL, MAC_A, ARPOP_REPLY, MAC_A, V4_A, MAC_ZERO, V4_B);
	struct pkt reverse = arp(MAC_ALL, MAC_A, 3, MAC_A, V4_A, MAC_ZERO, V4_B);
	struct pkt direct = arp(MAC_B, MAC_A, ARPOP_REQUEST, MAC_A, V4_A, MAC_B, V4_B);

	asker_and_owner(f);
	enters(f, 1, &unknown, FLOODED);
	enters(f, 1, &reply, FLOODED);
	enters(f, 1, &reverse, FLOODED);
	enters(f, 1, &direct, "in 1, out 2, redirect");
}

static void arp_of_other_kinds(void **state)
{
	static const struct {
		size_t off;
		uint8_t byte;
	} changes[] = {
		{ ETH_HLEN + 1, ARPHRD_IEEE802 },
		{ ETH_HLEN, 1 },
		{ ETH_HLEN + 2, 0x86 },
		{ ETH_HLEN + 3, 1 },
		{ ETH_HLEN + 4, 8 },
		{ ETH_HLEN + 5, 16 },
		{ ETH_HLEN + 6, 1 },
	};
	struct fixture *f = *state;

	asker_and_owner(f);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct pkt p = who_has(V4_B, V4_A);

		p.data[changes[i].off] = changes[i].byte;
		enters(f, 1, &p, FLOODED);
	}
}

/* A tagged question is about another segment, of which nothing is known. */
static void arp_with_a_tag(void **state)
{
	struct fixture *f = *state;
	struct pkt inside = pkt_eth(MAC_ALL, MAC_A, ETH_P_8021Q), beside = who_has(V4_B, V4_A);

	asker_and_owner(f);
	pkt_vlan(&inside, 5, ETH_P_ARP);
	pkt_arp(&inside, ARPOP_REQUEST, MAC_A, V4_A, MAC_ZERO, V4_B);
	enters(f, 1, &inside, FLOODED);
	port_del(f, 3); /* no clone: on the wire the tag would be in the packet again */
	f->vid = 5;
	enters(f, 1, &beside, "in 1, out 2, redirect");
}

static void arp_without_suppression(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = who_has(V4_B, V4_A);

	asker_and_owner(f);
	net_add(f, 1, HD_NETWORK_FLOOD, 300);
	enters(f, 1, &ask, FLOODED);
}

/* --- neighbour discovery --- */

static struct pkt solicit(const char *target, const char *src, const uint8_t *mac,
			  uint8_t hop_limit)
{
	struct pkt p =
		pkt_eth((const uint8_t[6]){ 0x33, 0x33, 0xff, 0, 0, 0x0b }, MAC_A, ETH_P_IPV6);

	pkt_ipv6(&p, src, "ff02::1:ff00:b", IPPROTO_ICMPV6, hop_limit);
	pkt_icmp6_ns(&p, target, mac);
	pkt_end(&p);
	return p;
}

static struct pkt advert(const uint8_t to[6], const char *dst, uint32_t flags, const char *target,
			 const uint8_t mac[6])
{
	struct pkt p = pkt_eth(to, mac, ETH_P_IPV6);

	pkt_ipv6(&p, target, dst, IPPROTO_ICMPV6, 255);
	pkt_icmp6_na(&p, flags, target, mac);
	pkt_end(&p);
	return p;
}

static void nd_answer(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = solicit(V6_B, V6_A, MAC_A, 255);
	struct pkt is_at = advert(MAC_A, V6_A, PKT_NA_SOLICITED | PKT_NA_OVERRIDE, V6_B, MAC_B);

	asker_and_owner(f);
	assert_int_equal(ask.len, 86);
	enters_as(f, 1, &ask, &is_at, ANSWERED);
}

/* Shorter than the answer, for want of an option; and longer, by options or padding. */
static void nd_of_other_lengths(void **state)
{
	struct fixture *f = *state;
	struct pkt bare = solicit(V6_B, V6_A, NULL, 255);
	struct pkt padded = solicit(V6_B, V6_A, MAC_A, 255);
	struct pkt is_at = advert(MAC_A, V6_A, PKT_NA_SOLICITED | PKT_NA_OVERRIDE, V6_B, MAC_B);

	asker_and_owner(f);
	pkt_bytes(&padded, 200);
	enters_as(f, 1, &bare, &is_at, ANSWERED);
	enters_as(f, 1, &padded, &is_at, ANSWERED);
}

/* Sums that carry, and one that is 0xffff: the arithmetic of checksums has corners. */
static void nd_checksums(void **state)
{
	struct fixture *f = *state;

	asker_and_owner(f);
	for (unsigned int i = 0; i < 512; i++) {
		struct pkt ask, is_at;
		char target[64];

		(void)snprintf(target, sizeof(target), "2001:db8:ffff:%x:%x::%x", i * 127,
			       0xffff - i, i * 7);
		neigh_add(f, 1, target, MAC(i & 0xff), HD_PORT_NONE);
		ask = solicit(target, V6_A, MAC_A, 255);
		is_at = advert(MAC_A, V6_A, PKT_NA_SOLICITED | PKT_NA_OVERRIDE, target,
			       MAC(i & 0xff));
		enters_as(f, 1, &ask, &is_at, ANSWERED);
		neigh_del(f, 1, target);
	}
}

/*
 * RFC 4862 section 5.4.3: asked without an address of one's own; the answer is to all nodes, but
 * given to him only.
 */
static void nd_duplicate_address_detection(void **state)
{
	static const uint8_t all_nodes[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	struct fixture *f = *state;
	struct pkt ask = solicit(V6_B, "::", NULL, 255);
	struct pkt is_at = advert(all_nodes, "ff02::1", PKT_NA_OVERRIDE, V6_B, MAC_B);

	asker_and_owner(f);
	enters_as(f, 1, &ask, &is_at, ANSWERED);
}

static void nd_of_the_owner(void **state)
{
	struct fixture *f = *state;
	struct pkt own = solicit(V6_A, "::", NULL, 255);

	asker_and_owner(f);
	enters(f, 1, &own, FLOODED);
}

static void nd_that_came_from_afar(void **state)
{
	struct fixture *f = *state;
	struct pkt routed = solicit(V6_B, V6_A, MAC_A, 254);

	asker_and_owner(f);
	enters(f, 1, &routed, FLOODED);
}

static void nd_that_is_no_question_for_us(void **state)
{
	struct fixture *f = *state;
	struct pkt unknown = solicit("2001:db8::99", V6_A, MAC_A, 255);
	struct pkt na = advert((const uint8_t[6]){ 0x33, 0x33, 0, 0, 0, 1 }, "ff02::1",
			       PKT_NA_OVERRIDE, V6_B, MAC_A);
	struct pkt code = solicit(V6_B, V6_A, MAC_A, 255), other = code, version = code,
		   direct = code;

	asker_and_owner(f);
	enters(f, 1, &unknown, FLOODED);
	enters(f, 1, &na, FLOODED);
	code.data[ETH_HLEN + 40 + 1] = 1;
	enters(f, 1, &code, FLOODED);
	other.data[ETH_HLEN + 6] = IPPROTO_HOPOPTS;
	enters(f, 1, &other, FLOODED);
	version.data[ETH_HLEN] = 0x45;
	enters(f, 1, &version, FLOODED);
	memcpy(direct.data, MAC_B, 6);
	enters(f, 1, &direct, "in 1, out 2, redirect");
}

/*
 * 14 bytes from the start of a frame with a tag inside is no header: a sender can make it look like
 * one.
 */
static void nd_that_a_tag_makes_up(void **state)
{
	struct pkt p = pkt_eth(MAC_ALL, MAC_A, ETH_P_8021Q), ask = solicit(V6_B, V6_A, MAC_A, 255);
	struct fixture *f = *state;

	asker_and_owner(f);
	pkt_vlan(&p, 0x6000, ETH_P_IPV6);
	pkt_put(&p, ask.data + p.len, ask.len - p.len);
	enters(f, 1, &p, FLOODED);
}

static void questions_in_another_network(void **state)
{
	struct fixture *f = *state;
	struct pkt arp_ask = who_has(V4_B, V4_A), nd_ask = solicit(V6_B, V6_A, MAC_A, 255);

	asker_and_owner(f);
	net_add(f, 2, HD_NETWORK_FLOOD | HD_NETWORK_SUPPRESS, 300);
	port_add(f, 4, 2, UP);
	port_add(f, 5, 2, UP);
	port_mac(f, 4, MAC_A);
	enters(f, 4, &arp_ask, "in 4, out 5, redirect");
	enters(f, 4, &nd_ask, "in 4, out 5, redirect");
}

static void nd_with_a_tag(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = solicit(V6_B, V6_A, MAC_A, 255), inside;

	asker_and_owner(f);
	inside = pkt_eth(ask.data, MAC_A, ETH_P_8021Q);
	pkt_vlan(&inside, 5, ETH_P_IPV6);
	pkt_put(&inside, ask.data + ETH_HLEN, ask.len - ETH_HLEN);
	enters(f, 1, &inside, FLOODED);
	port_del(f, 3);
	f->vid = 5;
	enters(f, 1, &ask, "in 1, out 2, redirect");
}

int neigh_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(arp_answer),
		TEST(arp_probe),
		TEST(arp_for_a_static_neighbour),
		TEST(arp_for_someone_else),
		TEST(arp_of_the_owner),
		TEST(arp_announcement_of_a_thief),
		TEST(arp_that_is_no_question_for_us),
		TEST(arp_of_other_kinds),
		TEST(arp_with_a_tag),
		TEST(arp_without_suppression),
		TEST(nd_answer),
		TEST(nd_of_other_lengths),
		TEST(nd_checksums),
		TEST(nd_duplicate_address_detection),
		TEST(nd_of_the_owner),
		TEST(nd_that_came_from_afar),
		TEST(nd_that_is_no_question_for_us),
		TEST(nd_with_a_tag),
		TEST(nd_that_a_tag_makes_up),
		TEST(questions_in_another_network),
	};

	return cmocka_run_group_tests_name("ARP and ND", tests, NULL, NULL);
}
