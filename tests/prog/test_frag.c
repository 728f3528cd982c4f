// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_frag.c - packets in pieces: the others follow the first one, in any order, and nothing gets through that a whole packet would not
 */
#include "tests/prog/secure.h"

#include <string.h>

#define BEGINS "in 1, udp begins, pieces +1, rules 1 4, out 2, redirect"
#define FOLLOWS "in 1, udp waits, piece, rules 1 4, out 2, redirect"
#define OVERLAPS "in 1, drop fragment-overlap at 1 in judge, shot"
#define WAITS "in 1, pieces +1, held +1, drop fragment-orphan at 1 in judge, shot"

/* A piece of a UDP datagram from "a" to port 53 of "b": @len bytes of the whole, from @off on. */
static struct pkt piece4(uint16_t id, uint32_t off, uint32_t len, bool more)
{
	struct pkt p = ip4(&a, &b, IPPROTO_UDP);

	pkt_frag4(&p, id, off, more);
	if (!off) {
		pkt_udp(&p, 4000, 53);
		len -= 8;
	}
	pkt_bytes(&p, len);
	pkt_end(&p);
	return p;
}

/* The same in IPv6; @ext: bytes of a destination-options header behind the fragment header, part of what is in pieces. */
static struct pkt piece6(uint32_t id, uint32_t off, uint32_t len, bool more, uint8_t ext,
			 uint8_t next)
{
	struct pkt p = ip6(&a, &b, 44);

	pkt_frag6(&p, next, id, off, more);
	if (!off && ext)
		pkt_ext6(&p, 60, IPPROTO_UDP, ext / 8);
	if (!off) {
		pkt_udp(&p, 4000, 53);
		len -= 8u + ext;
	}
	pkt_bytes(&p, len);
	pkt_end(&p);
	return p;
}

static void in_order(void **state)
{
	struct fixture *f = *state;
	struct pkt one = piece4(7, 0, 48, true), two = piece4(7, 48, 48, true),
		   three = piece4(7, 96, 20, false);

	secure_world(f);
	enters(f, 1, &one, BEGINS);
	enters(f, 1, &two, FOLLOWS);
	enters(f, 1, &three, FOLLOWS);
	enters(f, 1, &one, FOLLOWS); /* all there: the identification may be used again */
}

static void in_order_v6(void **state)
{
	struct fixture *f = *state;
	struct pkt one = piece6(7, 0, 48, true, 0, 17), two = piece6(7, 48, 48, true, 0, 17),
		   three = piece6(7, 96, 20, false, 0, 17);

	secure_world(f);
	enters(f, 1, &one, "in 1, udp6 begins, pieces +1, rules 2 7, out 2, redirect");
	enters(f, 1, &two, "in 1, udp6 waits, piece, rules 2 7, out 2, redirect");
	enters(f, 1, &three, "in 1, udp6 waits, piece, rules 2 7, out 2, redirect");
}

static void later_ones_in_any_order(void **state)
{
	struct fixture *f = *state;
	struct pkt one = piece4(7, 0, 48, true), two = piece4(7, 48, 48, true),
		   three = piece4(7, 96, 48, true), four = piece4(7, 144, 20, false);

	secure_world(f);
	enters(f, 1, &one, BEGINS);
	enters(f, 1, &four, FOLLOWS);
	enters(f, 1, &two, FOLLOWS);
	enters(f, 1, &three, FOLLOWS);
}

/* Put by until the first one is there; then all go on, and are no longer counted as dropped. */
static void before_the_first(void **state)
{
	struct fixture *f = *state;
	struct pkt one = piece4(7, 0, 48, true), two = piece4(7, 48, 48, true),
		   three = piece4(7, 96, 48, false);

	secure_world(f);
	f->also[0] = &two;
	f->also[1] = &three;
	enters(f, 1, &three, WAITS);
	enters(f, 1, &two, "in 1, piece, held +1, drop fragment-orphan at 1 in judge, shot");
	enters_as(f, 1, &one, &two,
		  "in 1, udp begins, piece, held -2, rules 1 4, copies 2 2 2, out 2 2 2, "
		  "2 undone fragment-orphan at 1, shot");
	enters(f, 1, &two, "in 1, piece, held +1, drop fragment-orphan at 1 in judge, shot");
}

/* The first one is refused: the others are too, whenever they come. */
static void of_a_closed_port(void **state)
{
	struct fixture *f = *state;
	struct pkt one = ip4(&a, &b, IPPROTO_UDP), two = piece4(7, 48, 48, true), late;

	secure_world(f);
	pkt_frag4(&one, 7, 0, true);
	pkt_udp(&one, 4000, 54);
	pkt_bytes(&one, 40);
	pkt_end(&one);
	enters(f, 1, &two, WAITS);
	enters(f, 1, &one, "in 1, drop group-ingress at 2 in flow, shot");
	late = piece4(7, 96, 48, false);
	enters(f, 1, &late, "in 1, piece, held +1, drop fragment-orphan at 1 in judge, shot");
}

static void overlaps(void **state)
{
	static const uint32_t bad[][2] = { { 40, 48 }, { 48, 48 }, { 56, 8 }, { 48, 8 },
					   { 88, 16 }, { 8, 8 },   { 8, 200 } };
	struct fixture *f = *state;
	struct pkt one = piece4(7, 0, 48, true), two = piece4(7, 48, 48, true), again;

	secure_world(f);
	enters(f, 1, &one, BEGINS);
	enters(f, 1, &two, FOLLOWS);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pkt p = piece4(7, bad[i][0], bad[i][1], true);

		enters(f, 1, &p, OVERLAPS);
	}
	/* Another first piece, with other ports: RFC 1858. */
	again = ip4(&a, &b, IPPROTO_UDP);
	pkt_frag4(&again, 7, 0, true);
	pkt_udp(&again, 4001, 53);
	pkt_bytes(&again, 40);
	pkt_end(&again);
	enters(f, 1, &again,
	       "in 1, udp begins, rules 1 4, drop fragment-overlap at 1 in flow, shot");
}

/* A range that grows to both sides; and more gaps than can be told apart. */
static void ranges(void **state)
{
	struct fixture *f = *state;
	struct pkt one = piece4(7, 0, 8, true), p;
	uint32_t i;

	secure_world(f);
	enters(f, 1, &one, BEGINS);
	for (i = 2; i < 16; i += 2) { /* with the first: 8 */
		p = piece4(7, i * 8, 8, true);
		enters(f, 1, &p, FOLLOWS);
	}
	p = piece4(7, 16 * 8, 8, true);
	enters(f, 1, &p, "in 1, drop fragment-limit at 1 in judge, shot");
	p = piece4(7, 3 * 8, 8, true); /* closes a gap: two become one */
	enters(f, 1, &p, FOLLOWS);
	p = piece4(7, 16 * 8, 8, true);
	enters(f, 1, &p, FOLLOWS);
	for (i = 1; i < 16; i += 2)
		if (i != 3) {
			p = piece4(7, i * 8, 8, true);
			enters(f, 1, &p, FOLLOWS);
		}
	for (i = 1; i <= 16; i++) {
		p = piece4(7, i * 8, 8, true);
		enters(f, 1, &p, OVERLAPS);
	}
	p = piece4(7, 17 * 8, 8, false);
	enters(f, 1, &p, FOLLOWS);
}

/* Everything of the key counts. */
static void of_other_packets(void **state)
{
	struct fixture *f = *state;
	struct pkt one = piece4(7, 0, 48, true), id = piece4(8, 48, 48, false), proto, addr;

	secure_world(f);
	enters(f, 1, &one, BEGINS);
	enters(f, 1, &id, WAITS);
	proto = ip4(&a, &b, 47);
	pkt_frag4(&proto, 7, 48, false);
	pkt_bytes(&proto, 48);
	pkt_end(&proto);
	enters(f, 1, &proto, WAITS);
	addr = ip4(&a, &c, IPPROTO_UDP);
	pkt_frag4(&addr, 7, 48, false);
	pkt_bytes(&addr, 48);
	pkt_end(&addr);
	enters(f, 1, &addr, WAITS);
}

static void of_another_port(void **state)
{
	struct fixture *f = *state;
	struct pkt one = piece4(7, 0, 48, true), fake = piece4(7, 48, 48, false), own = fake;

	secure_world(f);
	port_flags(f, 3, UP | HD_PORT_SECURE);
	enters(f, 1, &one, BEGINS);
	memcpy(fake.data + 6, c.mac, 6);
	enters(f, 3, &fake, "in 3, pieces +1, held +1, drop fragment-orphan at 3 in judge, shot");
	enters(f, 1, &own, FOLLOWS);
}

static void tiny(void **state)
{
	struct fixture *f = *state;
	struct pkt first = ip4(&a, &b, IPPROTO_TCP), second = first, last;

	secure_world(f);
	pkt_frag4(&first, 7, 0, true); /* RFC 1858: the flags are in the second piece */
	pkt_bytes(&first, 8);
	pkt_end(&first);
	enters(f, 1, &first, "in 1, drop l4-malformed at 1 in judge, shot");
	pkt_frag4(&second, 7, 8, true); /* the flags once more */
	pkt_bytes(&second, 16);
	pkt_end(&second);
	enters(f, 1, &second, OVERLAPS);
	last = piece4(7, 65528, 16, false); /* the "ping of death" */
	enters(f, 1, &last, "in 1, drop ip-malformed at 1 in judge, shot");
}

/* The extension header behind the fragment header is part of what is in pieces: it counts for lengths and overlaps. */
static void headers_inside_v6(void **state)
{
	struct fixture *f = *state;
	struct pkt one = piece6(7, 0, 80, true, 32, 60), two = piece6(7, 80, 48, false, 0, 60);
	struct pkt other = piece6(8, 0, 80, true, 32, 60), ports = piece6(8, 32, 48, false, 0, 17);
	struct pkt tail = piece6(8, 56, 24, false, 0, 60);

	secure_world(f);
	enters(f, 1, &one, "in 1, udp6 begins, pieces +1, rules 2 7, out 2, redirect");
	enters(f, 1, &two, "in 1, udp6 waits, piece, rules 2 7, out 2, redirect");
	enters(f, 1, &other, "in 1, udp6 waits, pieces +1, rules 2 7, out 2, redirect");
	enters(f, 1, &ports, OVERLAPS); /* ports and all */
	enters(f, 1, &tail, OVERLAPS);
}

/* Only the first piece's next header counts (RFC 8200 section 4.5): those of the others don't make another packet. */
static void next_header_of_later_ones(void **state)
{
	struct fixture *f = *state;
	struct pkt one = piece6(7, 0, 48, true, 0, 17), two = piece6(7, 40, 48, false, 0, 47);

	secure_world(f);
	enters(f, 1, &one, "in 1, udp6 begins, pieces +1, rules 2 7, out 2, redirect");
	enters(f, 1, &two, OVERLAPS);
}

/* A header that says it is longer than the packet has no length below zero. */
static void shorter_than_nothing(void **state)
{
	struct fixture *f = *state;
	struct pkt one = piece6(7, 0, 48, true, 0, 17), p = piece6(7, 48, 48, false, 0, 17);

	secure_world(f);
	enters(f, 1, &one, "in 1, udp6 begins, pieces +1, rules 2 7, out 2, redirect");
	for (uint32_t len = 0; len < 8; len++) {
		pkt_set16(&p, ETH_HLEN + 4, len);
		enters(f, 1, &p, "in 1, drop ip-malformed at 1 in judge, shot");
	}
	pkt_set16(&p, ETH_HLEN + 4, 8);
	enters(f, 1, &p, "in 1, drop ip-malformed at 1 in judge, shot");
}

static void atomic(void **state)
{
	struct fixture *f = *state;
	struct pkt p = ip6(&a, &b, 44), back;

	secure_world(f);
	pkt_frag6(&p, IPPROTO_UDP, 7, 0, false); /* RFC 6946: no pieces at all */
	pkt_udp(&p, 4000, 53);
	pkt_bytes(&p, 20);
	pkt_end(&p);
	enters(f, 1, &p, "in 1, udp6 begins, rules 2 7, out 2, redirect");
	enters(f, 1, &p, "in 1, udp6 waits, rules 2 7, out 2, redirect");
	back = udp6(&b, &a, 53, 4000);
	enters(f, 2, &back, "in 2, udp6 established for good, rules 2 7, out 1, redirect");
	enters(f, 1, &p, "in 1, udp6 goes on, rules 2 7, out 2, redirect");
}

static void nested(void **state)
{
	struct fixture *f = *state;
	struct pkt p = ip6(&a, &b, 44);

	secure_world(f);
	pkt_frag6(&p, 44, 7, 0, true);
	pkt_frag6(&p, IPPROTO_UDP, 8, 0, true);
	pkt_udp(&p, 4000, 53);
	pkt_bytes(&p, 24);
	pkt_end(&p);
	enters(f, 1, &p, "in 1, drop ip-malformed at 1 in judge, shot");
}

static void icmp_in_pieces(void **state)
{
	struct fixture *f = *state;
	struct pkt one = ip4(&a, &b, IPPROTO_ICMP), two = ip4(&a, &b, IPPROTO_ICMP);

	secure_world(f);
	pkt_frag4(&one, 7, 0, true);
	pkt_icmp(&one, IPPROTO_ICMP, 8, 0, 77);
	pkt_bytes(&one, 40);
	pkt_end(&one);
	pkt_frag4(&two, 7, 48, false);
	pkt_bytes(&two, 40);
	pkt_end(&two);
	enters(f, 1, &one, "in 1, icmp begins, pieces +1, rules 1 5, out 2, redirect");
	enters(f, 1, &two, "in 1, icmp waits, piece, rules 1 5, out 2, redirect");
}

/* To many: the first is asked for, the others follow it, at each receiver. */
static void to_all(void **state)
{
	static const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0, 0, 0xfb };
	struct fixture *f = *state;
	struct pkt one = piece4(7, 0, 48, true), two = piece4(7, 48, 48, false);
	struct pkt three = piece4(8, 48, 48, false);

	secure_world(f);
	memcpy(one.data, group, 6);
	memcpy(two.data, group, 6);
	memcpy(three.data, group, 6);
	enters(f, 1, &one,
	       "in 1, pieces +1, rules 1 4, copies 2, out 2 4, "
	       "drop group-ingress at 3 in flood, redirect");
	enters(f, 1, &two,
	       "in 1, piece, rules 1 4, copies 2, out 2 4, "
	       "drop group-ingress at 3 in flood, redirect");
	enters(f, 1, &three, "in 1, drop fragment-orphan at 1 in judge, shot");
}

static void to_all_from_a_port_without_security(void **state)
{
	static const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0, 0, 0xfb };
	struct fixture *f = *state;
	struct pkt one = piece4(7, 0, 48, true), two = piece4(7, 48, 48, false);

	secure_world(f);
	port_del(f, 1);
	memcpy(one.data, group, 6);
	memcpy(one.data + 6, d.mac, 6);
	memcpy(two.data, group, 6);
	memcpy(two.data + 6, d.mac, 6);
	/* How it is remembered does not matter here: both reach "b". */
	assert_int_equal(run_in(f, 4, &one), REDIRECTED);
	assert_int_equal(run_in(f, 4, &two), REDIRECTED);
}

/* What the host sends in pieces to a port with security. */
static void from_the_host(void **state)
{
	struct fixture *f = *state;
	struct pkt one = piece4(7, 0, 48, true), two = piece4(7, 48, 48, false);
	struct pkt closed = ip4(&a, &b, IPPROTO_UDP), orphan = piece4(9, 48, 48, false);

	secure_world(f);
	assert_int_equal(run_out(f, 2, &one), PASSED);
	assert_int_equal(run_out(f, 2, &two), PASSED);
	pkt_frag4(&closed, 8, 0, true);
	pkt_udp(&closed, 4000, 54);
	pkt_bytes(&closed, 40);
	pkt_end(&closed);
	leaves(f, 2, 0, &closed, "drop group-ingress at 2 in port-out, shot");
	leaves(f, 2, 0, &orphan, "drop fragment-orphan at 2 in port-out, shot");
}

/* hd_frags and hd_held are bounded: many that wait push out each other. */
static void floods(void **state)
{
	struct fixture *f = *state;
	struct pkt one = piece4(7, 0, 48, true), two = piece4(7, 48, 48, false);

	secure_world(f);
	for (uint32_t i = 0; i < 1000; i++) {
		struct pkt p = piece4((uint16_t)(1000 + i), 48, 48, false);

		assert_int_equal(run_in(f, 1, &p), SHOT);
	}
	assert_int_equal(run_in(f, 1, &one), REDIRECTED);
	assert_int_equal(run_in(f, 1, &two), REDIRECTED);
}

/* However many come in a second, it does not become another one by counting them. */
static void more_than_can_be_counted(void **state)
{
	struct fixture *f = *state;
	struct pkt p = piece4(7, 48, 48, false);
	uint32_t was, is;

	secure_world(f);
	do { /* again if the second is over meanwhile */
		was = (uint32_t)(now(f) & 0xffffffff) / HZ << 16 | 0xffff;
		port_set_held(f, 1, was);
		assert_int_equal(run_in(f, 1, &p), SHOT);
		assert_int_equal(run_in(f, 1, &p), SHOT);
		is = port_held(f, 1);
	} while (is >> 16 != was >> 16);
	assert_int_equal(is, was);
}

/* One packet's pieces that wait are few. */
static void too_many_that_wait(void **state)
{
	struct fixture *f = *state;

	secure_world(f);
	for (uint32_t i = 1; i <= HD_HELD_MAX + 4; i++) {
		struct pkt p = piece4(7, i * 48, 48, true);

		enters(f, 1, &p,
		       i == 1 ? WAITS
		       : i <= HD_HELD_MAX
			       ? "in 1, piece, held +1, drop fragment-orphan at 1 in judge, shot"
			       : "in 1, drop fragment-orphan at 1 in judge, shot");
	}
}

int frag_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(in_order),
		TEST(in_order_v6),
		TEST(later_ones_in_any_order),
		TEST(before_the_first),
		TEST(of_a_closed_port),
		TEST(overlaps),
		TEST(ranges),
		TEST(of_other_packets),
		TEST(of_another_port),
		TEST(tiny),
		TEST(headers_inside_v6),
		TEST(next_header_of_later_ones),
		TEST(shorter_than_nothing),
		TEST(atomic),
		TEST(nested),
		TEST(icmp_in_pieces),
		TEST(to_all),
		TEST(to_all_from_a_port_without_security),
		TEST(from_the_host),
		TEST(floods),
		TEST(more_than_can_be_counted),
		TEST(too_many_that_wait),
	};

	return cmocka_run_group_tests_name("pieces", tests, NULL, NULL);
}
