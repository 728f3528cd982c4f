// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_icmp.c - queries and their replies; errors about flows that are known, and about others */
#include "tests/prog/secure.h"

static void ping(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = icmp4(&a, &b, 8, 0, 77), reply = icmp4(&b, &a, 0, 0, 77);

	secure_world(f);
	enters(f, 2, &reply, "in 2, drop icmp-unrelated at 2 in flow, shot");
	enters(f, 1, &ask, "in 1, icmp begins, rules 1 5, out 2, redirect");
	enters(f, 2, &reply, "in 2, icmp established for good, rules 1 5, out 1, redirect");
	enters(f, 1, &ask, "in 1, icmp goes on, rules 1 5, out 2, redirect");
	enters(f, 2, &reply, "in 2, icmp goes on, rules 1 5, out 1, redirect");
}

static void ping6(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = icmp6(&a, &b, 128, 0, 77), reply = icmp6(&b, &a, 129, 0, 77);

	secure_world(f);
	enters(f, 2, &reply, "in 2, drop icmp-unrelated at 2 in flow, shot");
	enters(f, 1, &ask, "in 1, icmp6 begins, rules 2 8, out 2, redirect");
	enters(f, 2, &reply, "in 2, icmp6 established for good, rules 2 8, out 1, redirect");
	enters(f, 1, &ask, "in 1, icmp6 goes on, rules 2 8, out 2, redirect");
}

/* A request the other way round with the same id is another flow, and one that nothing allows. */
static void requests_the_other_way(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = icmp4(&a, &b, 8, 0, 77), reply = icmp4(&b, &a, 0, 0, 77);
	struct pkt back = icmp4(&b, &a, 8, 0, 77), unasked = icmp4(&a, &b, 0, 0, 77);

	secure_world(f);
	enters(f, 1, &ask, "in 1, icmp begins, rules 1 5, out 2, redirect");
	enters(f, 2, &reply, "in 2, icmp established for good, rules 1 5, out 1, redirect");
	enters(f, 2, &back, "in 2, drop group-egress at 2 in flow, shot");
	enters(f, 1, &unasked, "in 1, drop icmp-unrelated at 1 in flow, shot");
}

/* The id may be such that it looks like the type on the other side. */
static void id_that_looks_like_a_type(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = icmp4(&a, &b, 8, 0, 0x0800), back = icmp4(&b, &a, 8, 0, 0x0800);
	struct pkt reply = icmp4(&b, &a, 0, 0, 0x0800), fake = icmp4(&a, &b, 0, 0, 0x0800);

	secure_world(f);
	enters(f, 1, &ask, "in 1, icmp begins, rules 1 5, out 2, redirect");
	enters(f, 2, &back, "in 2, drop icmp-unrelated at 2 in flow, shot");
	enters(f, 2, &reply, "in 2, icmp established for good, rules 1 5, out 1, redirect");
	enters(f, 2, &back, "in 2, drop icmp-unrelated at 2 in flow, shot");
	enters(f, 1, &fake, "in 1, drop icmp-unrelated at 1 in flow, shot");
}

static void other_id_other_flow(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = icmp4(&a, &b, 8, 0, 77), reply = icmp4(&b, &a, 0, 0, 78);

	secure_world(f);
	enters(f, 1, &ask, "in 1, icmp begins, rules 1 5, out 2, redirect");
	enters(f, 2, &reply, "in 2, drop icmp-unrelated at 2 in flow, shot");
}

static void types_and_codes(void **state)
{
	struct fixture *f = *state;
	struct pkt timestamp = icmp4(&a, &b, 13, 0, 7), coded = icmp4(&a, &b, 8, 1, 7);
	struct pkt other = icmp4(&a, &b, 42, 0, 7), reply = icmp4(&b, &a, 14, 0, 7);

	secure_world(f);
	enters(f, 1, &timestamp, "in 1, drop group-ingress at 2 in flow, shot");
	enters(f, 1, &coded, "in 1, drop group-ingress at 2 in flow, shot");
	enters(f, 1, &other, "in 1, drop group-ingress at 2 in flow, shot");
	allow(f, (struct allow){ .id = 20,
				 .policy = POLICY(2),
				 .dir = HD_INGRESS,
				 .proto = IPPROTO_ICMP,
				 .port = 13 << 8,
				 .port_len = 8 });
	enters(f, 1, &timestamp, "in 1, icmp begins, rules 1 20, out 2, redirect");
	enters(f, 2, &reply, "in 2, icmp established for good, rules 1 20, out 1, redirect");
}

/* --- errors --- */

/* @from tells the sender of @about about it, as far as @len bytes of it go. */
static struct pkt error4(const struct host *from, const struct host *to, uint8_t type, uint8_t code,
			 const struct pkt *about, uint32_t len)
{
	struct pkt p = ip4(from, to, IPPROTO_ICMP);

	pkt_icmp(&p, IPPROTO_ICMP, type, code, 0);
	pkt_put(&p, about->data + ETH_HLEN, len);
	pkt_end(&p);
	return p;
}

static struct pkt error6(const struct host *from, const struct host *to, uint8_t type,
			 const struct pkt *about, uint32_t len)
{
	struct pkt p = ip6(from, to, IPPROTO_ICMPV6);

	pkt_icmp(&p, IPPROTO_ICMPV6, type, 0, 0);
	pkt_put(&p, about->data + ETH_HLEN, len);
	pkt_end(&p);
	return p;
}

static void errors_about_known_flows(void **state)
{
	static const uint8_t types[] = { 3, 4, 5, 11, 12 };
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), reply = udp4(&b, &a, 53, 4000), p;

	secure_world(f);
	enters(f, 1, &ask, "in 1, udp begins, rules 1 4, out 2, redirect");
	p = error4(&b, &a, 3, 3, &ask, 28);
	enters(f, 2, &p, "in 2, out 1, redirect"); /* nothing answered yet: port unreachable */
	enters(f, 2, &reply, "in 2, udp established for good, rules 1 4, out 1, redirect");
	for (size_t i = 0; i < sizeof(types); i++) {
		p = error4(&b, &a, types[i], 0, &ask, 28);
		enters(f, 2, &p, "in 2, out 1, redirect");
		p = error4(&a, &b, types[i], 0, &reply, 28);
		enters(f, 1, &p, "in 1, out 2, redirect");
	}
	/* From somewhere on the way, which is behind a port without security. */
	p = error4(&d, &a, 11, 0, &ask, 28);
	enters(f, 4, &p, "in 4, out 1, redirect");
}

static void errors_about_nothing(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), unknown = udp4(&a, &b, 4001, 53), p;
	struct pkt ping_ = icmp4(&a, &b, 8, 0, 5);

	secure_world(f);
	enters(f, 1, &ask, "in 1, udp begins, rules 1 4, out 2, redirect");
	p = error4(&b, &a, 3, 3, &unknown, 28);
	enters(f, 2, &p, "in 2, drop icmp-unrelated at 2 in flow, shot");
	p = error4(&a, &b, 3, 3, &ask, 28); /* "b" has not sent that */
	enters(f, 1, &p, "in 1, drop icmp-unrelated at 1 in flow, shot");
	p = error4(&c, &a, 3, 3, &ask, 28); /* "c" is not the other end */
	enters(f, 3, &p, "in 3, drop icmp-unrelated at 3 in flow, shot");
	p = error4(&b, &c, 3, 3, &ask, 28); /* "c" has not sent it */
	enters(f, 2, &p, "in 2, drop icmp-unrelated at 2 in flow, shot");
	p = error4(&b, &a, 3, 3, &ping_, 28);
	enters(f, 2, &p, "in 2, drop icmp-unrelated at 2 in flow, shot");
}

static void errors_that_are_cut_short(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), ask6 = udp6(&a, &b, 4000, 53);

	secure_world(f);
	enters(f, 1, &ask, "in 1, udp begins, rules 1 4, out 2, redirect");
	enters(f, 1, &ask6, "in 1, udp6 begins, rules 2 7, out 2, redirect");
	for (uint32_t len = 0; len < 28; len++) {
		struct pkt p = error4(&b, &a, 3, 3, &ask, len);

		enters(f, 2, &p, "in 2, drop icmp-unrelated at 2 in flow, shot");
	}
	for (uint32_t len = 0; len < 48; len++) {
		struct pkt p = error6(&b, &a, 1, &ask6, len);

		enters(f, 2, &p, "in 2, drop icmp-unrelated at 2 in flow, shot");
	}
}

/* An error about an error, and one about something that quotes nonsense. */
static void errors_of_nonsense(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), inner, p;

	secure_world(f);
	enters(f, 1, &ask, "in 1, udp begins, rules 1 4, out 2, redirect");
	inner = error4(&a, &b, 3, 3, &ask, 28);
	p = error4(&b, &a, 3, 3, &inner, 40);
	enters(f, 2, &p, "in 2, drop icmp-unrelated at 2 in flow, shot");
	inner = ask;
	inner.data[ETH_HLEN] = 0x44;
	p = error4(&b, &a, 3, 3, &inner, 28);
	enters(f, 2, &p, "in 2, drop icmp-unrelated at 2 in flow, shot");
	inner = ask;
	inner.data[ETH_HLEN] = 0x65;
	p = error4(&b, &a, 3, 3, &inner, 28);
	enters(f, 2, &p, "in 2, drop icmp-unrelated at 2 in flow, shot");
	inner = ask;
	inner.data[ETH_HLEN + 7] = 1; /* a later piece */
	p = error4(&b, &a, 3, 3, &inner, 28);
	enters(f, 2, &p, "in 2, drop icmp-unrelated at 2 in flow, shot");
}

/* What is quoted may be a query. */
static void errors_about_a_ping(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = icmp4(&a, &b, 8, 0, 77), ask6 = icmp6(&a, &b, 128, 0, 77), p;

	secure_world(f);
	enters(f, 1, &ask, "in 1, icmp begins, rules 1 5, out 2, redirect");
	p = error4(&b, &a, 11, 0, &ask, 28);
	enters(f, 2, &p, "in 2, out 1, redirect");
	enters(f, 1, &ask6, "in 1, icmp6 begins, rules 2 8, out 2, redirect");
	p = error6(&b, &a, 3, &ask6, 48);
	enters(f, 2, &p, "in 2, out 1, redirect");
}

static void errors_v6(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp6(&a, &b, 4000, 53), unknown = udp6(&a, &b, 4001, 53), p;

	secure_world(f);
	enters(f, 1, &ask, "in 1, udp6 begins, rules 2 7, out 2, redirect");
	for (uint8_t type = 1; type <= 4; type++) {
		p = error6(&b, &a, type, &ask, 48);
		enters(f, 2, &p, "in 2, out 1, redirect");
		p = error6(&d, &a, type, &ask, 48);
		enters(f, 4, &p, "in 4, out 1, redirect");
		p = error6(&b, &a, type, &unknown, 48);
		enters(f, 2, &p, "in 2, drop icmp-unrelated at 2 in flow, shot");
	}
}

/* The rule is gone: the flow may not be used by errors either. */
static void errors_about_a_stale_flow(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = udp4(&a, &b, 4000, 53), p = error4(&b, &a, 3, 3, &ask, 28);

	secure_world(f);
	enters(f, 1, &ask, "in 1, udp begins, rules 1 4, out 2, redirect");
	disallow(f, (struct allow){ .policy = POLICY(1), .dir = HD_EGRESS });
	set_gen(f, 1, 99);
	enters(f, 2, &p, "in 2, drop icmp-unrelated at 2 in flow, shot");
}

static void families_are_not_mixed(void **state)
{
	struct fixture *f = *state;
	struct pkt wrong4 = ip4(&a, &b, IPPROTO_ICMPV6), wrong6 = ip6(&a, &b, IPPROTO_ICMP);

	secure_world(f);
	pkt_icmp(&wrong4, IPPROTO_ICMPV6, 128, 0, 1);
	pkt_end(&wrong4);
	pkt_icmp(&wrong6, IPPROTO_ICMP, 8, 0, 1);
	pkt_end(&wrong6);
	enters(f, 1, &wrong4, "in 1, drop l4-malformed at 1 in judge, shot");
	enters(f, 1, &wrong6, "in 1, drop l4-malformed at 1 in judge, shot");
}

int icmp_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ping),
		TEST(ping6),
		TEST(requests_the_other_way),
		TEST(id_that_looks_like_a_type),
		TEST(other_id_other_flow),
		TEST(types_and_codes),
		TEST(errors_about_known_flows),
		TEST(errors_about_nothing),
		TEST(errors_that_are_cut_short),
		TEST(errors_of_nonsense),
		TEST(errors_about_a_ping),
		TEST(errors_v6),
		TEST(errors_about_a_stale_flow),
		TEST(families_are_not_mixed),
	};

	return cmocka_run_group_tests_name("ICMP", tests, NULL, NULL);
}
