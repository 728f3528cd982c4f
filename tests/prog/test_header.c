// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_header.c - headers that lie: each length, each field that could lead past what is there; chains of extension headers
 */
#include "tests/prog/secure.h"

#define IP_BAD "in 1, drop ip-malformed at 1 in judge, shot"
#define L4_BAD "in 1, drop l4-malformed at 1 in judge, shot"
#define EXT_BAD "in 1, drop extension-headers at 1 in judge, shot"
#define L3 ETH_HLEN
#define L4 (ETH_HLEN + 20)
#define L4_6 (ETH_HLEN + 40)

static void ipv4_version_and_length(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp4(&a, &b, 4000, 53);

	secure_world(f);
	for (unsigned int first = 0; first < 256; first++) {
		p.data[L3] = (uint8_t)first;
		if (first == 0x45)
			continue;
		if (first >> 4 != 4 || (first & 15) < 5) {
			enters(f, 1, &p, IP_BAD);
			continue;
		}
		/* Longer: the ports are read from within what was the payload, which no rule allows or which is no UDP. */
		assert_int_equal(run_in(f, 1, &p), SHOT);
	}
}

static void ipv4_total_length(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp4(&a, &b, 4000, 53);
	uint32_t whole = p.len - ETH_HLEN;

	secure_world(f);
	for (uint32_t len = 0; len < whole + 20; len++) {
		pkt_set16(&p, L3 + 2, len);
		if (len < 20 || len > whole)
			enters(f, 1, &p, IP_BAD);
		else if (len < whole)
			enters(f, 1, &p, L4_BAD); /* UDP says more */
	}
	pkt_set16(&p, L3 + 2, 0xffff);
	enters(f, 1, &p, IP_BAD);
}

static void ipv6_payload_length(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp6(&a, &b, 4000, 53);
	uint32_t whole = p.len - ETH_HLEN - 40;

	secure_world(f);
	for (uint32_t len = 0; len < whole + 20; len++) {
		pkt_set16(&p, L3 + 4, len);
		if (len > whole)
			enters(f, 1, &p, IP_BAD);
		else if (len < whole)
			enters(f, 1, &p, L4_BAD);
	}
	pkt_set16(&p, L3 + 4, whole);
	enters(f, 1, &p, "in 1, udp6 begins, rules 2 7, out 2, redirect");
	p.data[L3] = 0x45;
	enters(f, 1, &p, IP_BAD);
}

/* What is behind the IP packet is padding. */
static void padding(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp4(&a, &b, 4000, 53),
		   syn = tcp4(&a, &b, 1, 80, (struct pkt_segment){ PKT_SYN, 1, 0, 9, 2 }, 0);
	struct flow flow;

	secure_world(f);
	pkt_bytes(&p, 30);
	enters(f, 1, &p, "in 1, udp begins, rules 1 4, out 2, redirect");
	syn.data[L4 + 12] =
		0x50; /* what was an option is padding now, or payload; no scale in it */
	pkt_set16(&syn, L3 + 2, 40);
	enters(f, 1, &syn, "in 1, tcp begins, rules 1 3, out 2, redirect");
	flow = flow_of(f, IPPROTO_TCP, a.v4, 1, b.v4, 80);
	assert_int_equal(flow.value.seen_flags & 3 * HD_FLOW_SCALE, 0);
}

/* Cut anywhere, and nothing else changed. */
static void cut_short(void **state)
{
	struct fixture *f = *state;
	struct pkt whole[] = {
		udp4(&a, &b, 4000, 53),
		udp6(&a, &b, 4000, 53),
		icmp4(&a, &b, 8, 0, 1),
		icmp6(&a, &b, 128, 0, 1),
		tcp4(&a, &b, 1, 80, (struct pkt_segment){ PKT_SYN, 1, 0, 9, 7 }, 8),
		tcp6(&a, &b, 1, 80, (struct pkt_segment){ PKT_SYN, 1, 0, 9, 7 }, 8),
	};

	secure_world(f);
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		for (uint32_t len = i % 2 && i < 4 ? L4_6
				    : i == 5	   ? L4_6
						   : L4;
		     len < whole[i].len; len++) {
			struct pkt p = pkt_cut(&whole[i], len);

			enters(f, 1, &p, IP_BAD);
		}
}

static void udp_length(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp4(&a, &b, 4000, 53);

	secure_world(f);
	for (uint32_t len = 0; len < 60; len++) {
		pkt_set16(&p, L4 + 4, len);
		if (len < 8 || len > 40)
			enters(f, 1, &p, L4_BAD);
	}
	pkt_set16(&p, L4 + 4, 20);
	enters(f, 1, &p, "in 1, udp begins, rules 1 4, out 2, redirect");
}

static void tcp_offset(void **state)
{
	struct fixture *f = *state;
	struct pkt p = tcp4(&a, &b, 1, 80, (struct pkt_segment){ PKT_SYN, 1, 0, 9, -1 }, 8);

	secure_world(f);
	for (unsigned int off = 0; off < 16; off++) {
		p.data[L4 + 12] = (uint8_t)(off << 4);
		if (off < 5 || off > 7)
			enters(f, 1, &p, L4_BAD);
	}
}

/* A chain of options that never ends, runs over the end, or has no length. */
static void tcp_options(void **state)
{
	static const uint8_t options[][8] = {
		{ 1, 1, 1, 1, 1, 1, 1, 1 },   { 2, 0, 2, 0, 2, 0, 2, 0 },
		{ 2, 255, 0, 0, 0, 0, 0, 0 }, { 3, 0, 0, 0, 0, 0, 0, 0 },
		{ 1, 1, 1, 1, 1, 1, 1, 3 },   { 0, 3, 3, 7, 3, 3, 7, 0 },
		{ 1, 1, 1, 1, 1, 1, 3, 3 },   { 2, 8, 3, 3, 7, 0, 0, 0 },
		{ 2, 1, 3, 3, 7, 0, 0, 0 },
	};
	struct fixture *f = *state;

	secure_world(f);
	for (uint16_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct pkt p = tcp4(&a, &b, i, 80, (struct pkt_segment){ PKT_SYN, 1, 0, 9, -1 }, 8);
		struct flow flow;

		p.data[L4 + 12] = 0x70;
		memcpy(p.data + L4 + 20, options[i], 8);
		enters(f, 1, &p, "in 1, tcp begins, rules 1 3, out 2, redirect");
		flow = flow_of(f, IPPROTO_TCP, a.v4, i, b.v4, 80);
		if (i != 3)
			assert_int_equal(flow.value.seen_flags & 3 * HD_FLOW_SCALE, 0);
	}
}

/* 15 is more than RFC 7323 section 2.3 allows: it is taken for 14. */
static void tcp_scale(void **state)
{
	struct fixture *f = *state;
	struct pkt p = tcp4(&a, &b, 1, 80, (struct pkt_segment){ PKT_SYN, 1, 0, 9, 200 }, 0);
	struct flow flow;

	secure_world(f);
	enters(f, 1, &p, "in 1, tcp begins, rules 1 3, out 2, redirect");
	flow = flow_of(f, IPPROTO_TCP, a.v4, 1, b.v4, 80);
	assert_int_equal(flow.value.scale >> 4 * flow.side & 15, 14);
}

/* Options of IPv4 are stepped over. */
static void ipv4_options(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp4(&a, &b, 4000, 53), longer = pkt_eth(b.mac, a.mac, ETH_P_IP);

	secure_world(f);
	for (uint32_t words = 1; words <= 10; words++) {
		longer.len = ETH_HLEN;
		pkt_put(&longer, p.data + L3, 20);
		pkt_put(&longer, NULL, words * 4);
		pkt_put(&longer, p.data + L4, p.len - L4);
		longer.data[L3] = (uint8_t)(0x45 + words);
		pkt_set16(&longer, L3 + 2, longer.len - L3);
		enters(f, 1, &longer,
		       words == 1 ? "in 1, udp begins, rules 1 4, out 2, redirect"
				  : "in 1, udp waits, rules 1 4, out 2, redirect");
	}
}

/* --- IPv6 extension headers --- */

static struct pkt chain(const uint8_t *headers, size_t n, uint8_t units)
{
	struct pkt p = ip6(&a, &b, n ? headers[0] : IPPROTO_UDP);

	for (size_t i = 0; i < n; i++) {
		uint32_t at = p.len;

		pkt_ext6(&p, headers[i], i + 1 < n ? headers[i + 1] : IPPROTO_UDP, units);
		if (headers[i] == 43)
			p.data[at + 3] = 0; /* no segments left */
	}
	pkt_udp(&p, 4000, 53);
	pkt_bytes(&p, 16);
	pkt_end(&p);
	return p;
}

static void extension_headers(void **state)
{
	static const uint8_t each[] = { 0, 43, 60, 51 };
	static const uint8_t mixed[] = { 0, 60, 43, 60, 51, 60, 60, 60 };
	struct fixture *f = *state;
	struct pkt p = chain(mixed, 0, 1);

	secure_world(f);
	enters(f, 1, &p, "in 1, udp6 begins, rules 2 7, out 2, redirect");
	for (size_t i = 0; i < sizeof(each); i++)
		for (uint8_t units = 1; units <= 16; units++) {
			p = chain(&each[i], 1, units);
			enters(f, 1, &p, "in 1, udp6 waits, rules 2 7, out 2, redirect");
		}
	p = chain(mixed, sizeof(mixed), 2);
	enters(f, 1, &p, "in 1, udp6 waits, rules 2 7, out 2, redirect");
}

static void too_many_extension_headers(void **state)
{
	uint8_t many[20];
	struct fixture *f = *state;

	memset(many, 60, sizeof(many));
	secure_world(f);
	for (size_t n = 9; n <= sizeof(many); n++) {
		struct pkt p = chain(many, n, 1);

		enters(f, 1, &p, EXT_BAD);
	}
}

/* What is behind the last one is asked for, not what it looks like in front. */
static void hidden_behind(void **state)
{
	static const uint8_t headers[] = { 0, 60 };
	struct fixture *f = *state;
	struct pkt p = chain(headers, 2, 1);

	secure_world(f);
	pkt_set16(&p, L4_6 + 16 + 2, 54);
	enters(f, 1, &p, "in 1, drop group-ingress at 2 in flow, shot");
}

static void over_the_end(void **state)
{
	static const uint8_t header[] = { 60 };
	struct fixture *f = *state;
	struct pkt p = chain(header, 1, 1);

	secure_world(f);
	for (unsigned int len = 4; len < 256; len++) {
		p.data[L4_6 + 1] = (uint8_t)len;
		if (8 * (len + 1) > p.len - L4_6)
			enters(f, 1, &p, IP_BAD);
		else
			assert_int_equal(run_in(f, 1, &p), SHOT);
	}
}

/* RFC 5095: it says it goes to "b" and would go on from there. */
static void source_routes(void **state)
{
	static const uint8_t header[] = { 43 };
	struct fixture *f = *state;
	struct pkt p = chain(header, 1, 3);

	secure_world(f);
	p.data[L4_6 + 3] = 1;
	enters(f, 1, &p, EXT_BAD);
}

/* A header that is not known is a protocol that no rule names. */
static void unknown_extension_headers(void **state)
{
	static const uint8_t unknown[] = { 59, 135, 139, 140, 253, 254, 255, 143, 50 };
	struct fixture *f = *state;

	secure_world(f);
	for (size_t i = 0; i < sizeof(unknown); i++) {
		struct pkt p = chain(&unknown[i], 1, 1);

		enters(f, 1, &p, "in 1, drop group-ingress at 2 in flow, shot");
	}
}

int header_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ipv4_version_and_length),
		TEST(ipv4_total_length),
		TEST(ipv6_payload_length),
		TEST(padding),
		TEST(cut_short),
		TEST(udp_length),
		TEST(tcp_offset),
		TEST(tcp_options),
		TEST(tcp_scale),
		TEST(ipv4_options),
		TEST(extension_headers),
		TEST(too_many_extension_headers),
		TEST(hidden_behind),
		TEST(over_the_end),
		TEST(source_routes),
		TEST(unknown_extension_headers),
	};

	return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}
