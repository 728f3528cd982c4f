// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_fip6.c - floating IPs of IPv6: both directions, errors, pieces, checksums, from inside; all bytes are compared */
#include "tests/prog/natted.h"

#include <bpf/bpf.h>

#define FLOATING6 "2001:db8:2::99"
#define FLOATING6_CAT "2001:db8:2::98"
#define NEW "in 1, routed udp6 begins, rules 2, out 4, redirect"
#define AGAIN "in 1, routed udp6 goes on, rules 2, out 4, redirect"
#define BACK "in 4, routed udp6 established for good, rules 2, out 1, redirect"
#define SHUT "in 4, drop outside at 4 in route, shot"

/* The floating IPs of ann and cat, as they are seen from outside, and from inside; who is inside, for a router's MAC. */
static const struct host fip = { 0, { 2, 0x68, 0x65, 0, 0, 0x1e }, FLOATING, FLOATING6, "fe80::1" };
static const struct host fip_cat = {
	0, { 2, 0x68, 0x65, 0, 0, 0x1e }, FLOATING, FLOATING6_CAT, "fe80::1"
};
static const struct host fip_in = {
	0, { 2, 0x68, 0x64, 0, 0, 0x1e }, FLOATING, FLOATING6, "fe80::1"
};
static const struct host fip_cat_in = {
	0, { 2, 0x68, 0x64, 0, 0, 0x1e }, FLOATING, FLOATING6_CAT, "fe80::1"
};

static void put(const struct bpf_map *map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), 0);
}

static void floating6_add(struct fixture *f, const char *ip, const char *fixed)
{
	struct hd_fip6_key in = { .zone = OUTSIDE, .dir = HD_NAT_IN },
			   out = { .zone = ROUTER, .dir = HD_NAT_OUT };
	struct hd_fip6_value to = { .router = ROUTER }, from = { .router = ROUTER };

	pkt_address(AF_INET6, ip, in.addr);
	pkt_address(AF_INET6, ip, from.addr);
	pkt_address(AF_INET6, fixed, out.addr);
	pkt_address(AF_INET6, fixed, to.addr);
	put(f->skel->maps.hd_fips6, &in, &to);
	put(f->skel->maps.hd_fips6, &out, &from);
	route_add(f, (struct route){ .router = ROUTER,
				     .prefix = ip,
				     .len = 128,
				     .kind = HD_ROUTE_LOCAL,
				     .network = OUTSIDE });
}

/* natted.h with IPv6: ann has FLOATING6. */
static void world6(struct fixture *f)
{
	struct hd_end_value end;
	uint32_t router = ROUTER, words[4];

	natted_world(f, 2);
	router_joins(f, ROUTER, OUTSIDE, "2001:db8:2::", 64, GATE2_6);
	floating6_add(f, FLOATING6, ann.v6);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_ends), &router, &end), 0);
	pkt_address(AF_INET6, FLOATING6, words);
	end.flags |= HD_END_FIPS6;
	end.remote[2] = UINT32_MAX;
	end.remote[3] = words[0] ^ words[1];
	put(f->skel->maps.hd_ends, &router, &end);
	allow(f, (struct allow){
			 .id = FREE_RULE, .policy = POLICY(1), .dir = HD_INGRESS, .v6 = true });
}

/* Who is inside may be reached from outside without being asked. */
static void open6(struct fixture *f)
{
	struct hd_end_value end;
	uint32_t router = ROUTER;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_ends), &router, &end), 0);
	end.flags |= HD_END_OPEN6;
	put(f->skel->maps.hd_ends, &router, &end);
}

/* A part of a datagram from port 4000 to 53. */
static struct pkt piece6(const struct host *from, const struct host *to, uint32_t id, uint32_t off,
			 uint32_t len, bool more)
{
	struct pkt p = ip6(from, to, IPPROTO_FRAGMENT);

	pkt_frag6(&p, IPPROTO_UDP, id, off, more);
	if (!off)
		pkt_udp(&p, 4000, 53);
	pkt_bytes(&p, off ? len : len - 8);
	pkt_end(&p);
	return p;
}

static void out_and_back(void **state)
{
	struct fixture *f = *state;
	struct pkt_segment syn = { PKT_SYN, 100, 0, 1000, -1 };
	struct host cat_out = cat;

	world6(f);
	memcpy(cat_out.mac, MAC_ASKS, 6);
	becomes(f, 1, to_router(udp6(&ann, &dan, 4000, 53)), udp6(&fip, &dan, 4000, 53), NEW);
	becomes(f, 4, udp6(&dan, &fip, 53, 4000), udp6(&dan_in, &ann, 53, 4000), BACK);
	becomes(f, 1, to_router(udp6(&ann, &dan, 4000, 53)), udp6(&fip, &dan, 4000, 53), AGAIN);
	becomes(f, 1, to_router(tcp6(&ann, &dan, 4000, 80, syn, 0)),
		tcp6(&fip, &dan, 4000, 80, syn, 0),
		"in 1, routed tcp6 begins, rules 2, out 4, redirect");
	becomes(f, 1, to_router(icmp6(&ann, &dan, 128, 0, 7)), icmp6(&fip, &dan, 128, 0, 7),
		"in 1, routed icmp6 begins, rules 2, out 4, redirect");
	becomes(f, 4, icmp6(&dan, &fip, 129, 0, 7), icmp6(&dan_in, &ann, 129, 0, 7),
		"in 4, routed icmp6 established for good, rules 2, out 1, redirect");
	/* Who has none goes out as it is. */
	becomes(f, 3, to_router(udp6(&cat, &dan, 4000, 53)), udp6(&cat_out, &dan, 4000, 53),
		"in 3, routed udp6 begins, out 4, redirect");
}

static void in_and_back(void **state)
{
	struct fixture *f = *state;
	struct pkt_segment syn = { PKT_SYN, 100, 0, 1000, -1 };
	struct host ann_out = ann;

	world6(f);
	memcpy(ann_out.mac, MAC_ASKS, 6);
	becomes(f, 4, udp6(&dan, &fip, 4000, 53), udp6(&dan_in, &ann, 4000, 53),
		"in 4, routed udp6 begins, rules 11, out 1, redirect");
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4000)), udp6(&fip, &dan, 53, 4000),
		"in 1, routed udp6 established for good, rules 11, out 4, redirect");
	becomes(f, 5, tcp6(&eve, &fip, 4000, 80, syn, 0), tcp6(&eve_in, &ann, 4000, 80, syn, 0),
		"in 5, routed tcp6 begins, rules 11, out 1, redirect");
	becomes(f, 4, icmp6(&dan, &fip, 128, 0, 5), icmp6(&dan_in, &ann, 128, 0, 5),
		"in 4, routed icmp6 begins, rules 11, out 1, redirect");
	/* Past the translation nothing gets in, not even as a part of that flow. */
	dropped(f, 4, udp6(&dan, &ann_out, 4000, 53), SHUT);
	dropped(f, 4, udp6(&dan, &ann_out, 4001, 53), SHUT);
	open6(f);
	dropped(f, 4, udp6(&dan, &ann_out, 4001, 53), SHUT);
}

/* Outer and quoted addresses, and the checksum over all of it. */
static void errors(void **state)
{
	struct fixture *f = *state;
	struct pkt sent, quote;

	world6(f);
	becomes(f, 1, to_router(udp6(&ann, &dan, 4000, 53)), udp6(&fip, &dan, 4000, 53), NEW);
	sent = going(udp6(&fip, &dan, 4000, 53));
	quote = with_source(sent, ann.v6);
	becomes(f, 4, error_about(&dan, &fip, 1, 4, 0, &sent),
		error_about(&dan_in, &ann, 1, 4, 0, &quote), "in 4, out 1, redirect");
	becomes(f, 5, error_about(&eve, &fip, 2, 0, 1300, &sent),
		error_about(&eve_in, &ann, 2, 0, 1300, &quote), "in 5, out 1, redirect");
	becomes(f, 5, error_about(&eve, &fip, 3, 0, 0, &sent),
		error_about(&eve_in, &ann, 3, 0, 0, &quote), "in 5, out 1, redirect");
	/* About what nobody has sent; or what another has. */
	sent = going(udp6(&fip, &dan, 4001, 53));
	dropped(f, 4, error_about(&dan, &fip, 1, 4, 0, &sent),
		"in 4, drop icmp-unrelated at 4 in routed-flow, shot");
	sent = going(udp6(&fip_cat, &dan, 4000, 53));
	dropped(f, 4, error_about(&dan, &fip, 1, 4, 0, &sent),
		"in 4, drop to-router at 4 in route, shot");
	/* From inside about what came from outside. */
	becomes(f, 4, udp6(&dan, &fip, 53, 4000), udp6(&dan_in, &ann, 53, 4000), BACK);
	sent = going(udp6(&dan_in, &ann, 53, 4000));
	quote = with_target(sent, FLOATING6);
	becomes(f, 1, to_router(error_about(&ann, &dan, 1, 4, 0, &sent)),
		error_about(&fip, &dan, 1, 4, 0, &quote), "in 1, out 4, redirect");
}

static void pieces(void **state)
{
	struct fixture *f = *state;

	world6(f);
	becomes(f, 1, to_router(piece6(&ann, &dan, 99, 0, 64, true)),
		piece6(&fip, &dan, 99, 0, 64, true),
		"in 1, routed udp6 begins, pieces +1, rules 2, out 4, redirect");
	becomes(f, 1, to_router(piece6(&ann, &dan, 99, 64, 32, false)),
		piece6(&fip, &dan, 99, 64, 32, false),
		"in 1, routed udp6 waits, piece, rules 2, out 4, redirect");
	becomes(f, 4, piece6(&dan, &fip, 98, 0, 64, true), piece6(&dan_in, &ann, 98, 0, 64, true),
		"in 4, routed udp6 begins, pieces +1, rules 11, out 1, redirect");
	becomes(f, 4, piece6(&dan, &fip, 98, 64, 32, false),
		piece6(&dan_in, &ann, 98, 64, 32, false),
		"in 4, routed udp6 waits, piece, rules 11, out 1, redirect");
}

/* A checksum of UDP that would be zero is all ones (RFC 8200 section 8.1); where there is none there will be none (RFC 6935). */
static void checksums(void **state)
{
	struct fixture *f = *state;
	struct pkt in, out;
	uint16_t port = 0;

	world6(f);
	do
		out = udp6(&fip, &dan, ++port, 53);
	while (port && (out.data[ETH_HLEN + 46] || out.data[ETH_HLEN + 47]));
	assert_int_not_equal(port, 0);
	memset(out.data + ETH_HLEN + 40 + 6, 0xff, 2);
	becomes(f, 1, to_router(udp6(&ann, &dan, port, 53)), out, NEW);
	in = udp6(&ann, &dan, 4000, 54);
	out = udp6(&fip, &dan, 4000, 54);
	memset(in.data + ETH_HLEN + 40 + 6, 0, 2);
	memset(out.data + ETH_HLEN + 40 + 6, 0, 2);
	becomes(f, 1, to_router(in), out, NEW);
}

/* Both ends are seen by their floating IPs; who has none has no answer to expect. */
static void from_inside(void **state)
{
	struct fixture *f = *state;

	world6(f);
	dropped(f, 3, to_router(udp6(&cat, &fip_in, 4000, 53)),
		"in 3, routed udp6 begins, rules 11, drop outside at 3 in routed-flow, shot");
	floating6_add(f, FLOATING6_CAT, cat.v6);
	becomes(f, 3, to_router(udp6(&cat, &fip_in, 4001, 53)), udp6(&fip_cat_in, &ann, 4001, 53),
		"in 3, routed udp6 begins, rules 11, out 1, redirect");
	becomes(f, 1, to_router(udp6(&ann, &fip_cat_in, 53, 4001)), udp6(&fip_in, &cat, 53, 4001),
		"in 1, routed udp6 established for good, rules 11, out 3, redirect");
	becomes(f, 1, to_router(udp6(&ann, &fip_in, 4002, 53)), udp6(&fip_in, &ann, 4002, 53),
		"in 1, routed udp6 begins, rules 2 11, out 1, redirect");
}

int fip6_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(out_and_back), TEST(in_and_back), TEST(errors),
		TEST(pieces),	    TEST(checksums),   TEST(from_inside),
	};

	return cmocka_run_group_tests_name("fip6", tests, NULL, NULL);
}
