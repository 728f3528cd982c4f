// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_nat6.c - port forwards of IPv6: in, back, removed, errors, pieces, checksums, from inside; all bytes are compared */
#include "tests/prog/natted.h"

#include <bpf/bpf.h>

#define LISTEN6 "2001:db8:2::77"
#define IN_BEGINS "in 4, routed udp6 begins, rules 11, out 1, redirect"
#define IN_GOES_ON "in 4, routed udp6 goes on, rules 11, out 1, redirect"
#define ANSWERS "in 1, routed udp6 established for good, rules 11, out 4, redirect"
#define ANSWERS_ON "in 1, routed udp6 goes on, rules 11, out 4, redirect"
#define NO_LONGER "in 4, drop to-router at 4 in route, shot"

/* Where it listens, as it is seen from outside, and from inside. */
static const struct host gate6 = { 0, { 2, 0x68, 0x65, 0, 0, 0x1e }, GATE, LISTEN6, "fe80::1" };
static const struct host gate6_in = { 0, { 2, 0x68, 0x64, 0, 0, 0x1e }, GATE, LISTEN6, "fe80::1" };

/* natted.h with IPv6, closed: UDP and TCP 81 at LISTEN6 lead to ann's 53 and 80. */
static void world6(struct fixture *f)
{
	natted_world(f, 2);
	router_joins(f, ROUTER, OUTSIDE, "2001:db8:2::", 64, GATE2_6);
	forward6_set(f, HD_FLOW_UDP, LISTEN6, 81, ann.v6, 53);
	forward6_set(f, HD_FLOW_TCP, LISTEN6, 81, ann.v6, 80);
	allow(f, (struct allow){
			 .id = FREE_RULE, .policy = POLICY(1), .dir = HD_INGRESS, .v6 = true });
}

static void forwarded(void **state)
{
	struct fixture *f = *state;
	struct pkt_segment syn = { PKT_SYN, 100, 0, 1000, -1 },
			   syn_ack = { PKT_SYN | PKT_ACK, 500, 101, 1000, -1 };
	struct host ann_out = ann;

	world6(f);
	memcpy(ann_out.mac, MAC_ASKS, 6);
	becomes(f, 4, udp6(&dan, &gate6, 4000, 81), udp6(&dan_in, &ann, 4000, 53), IN_BEGINS);
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4000)), udp6(&gate6, &dan, 81, 4000), ANSWERS);
	becomes(f, 4, udp6(&dan, &gate6, 4000, 81), udp6(&dan_in, &ann, 4000, 53), IN_GOES_ON);
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4000)), udp6(&gate6, &dan, 81, 4000),
		ANSWERS_ON);
	becomes(f, 5, tcp6(&eve, &gate6, 4000, 81, syn, 0), tcp6(&eve_in, &ann, 4000, 80, syn, 0),
		"in 5, routed tcp6 begins, rules 11, out 1, redirect");
	becomes(f, 1, to_router(tcp6(&ann, &eve, 80, 4000, syn_ack, 0)),
		tcp6(&gate6, &eve, 81, 4000, syn_ack, 0),
		"in 1, routed tcp6 half-open, rules 11, out 5, redirect");
	/* Another port, another protocol, a ping; and past it nothing gets in, not even as a part of the flow. */
	dropped(f, 4, tcp6(&dan, &gate6, 4000, 82, syn, 0), NO_LONGER);
	dropped(f, 4, udp6(&dan, &ann_out, 4001, 53),
		"in 4, drop outside at 4 in routed-flow, shot");
	dropped(f, 4, udp6(&dan, &ann_out, 4000, 53),
		"in 4, drop nat-clash at 4 in routed-flow, shot");
	/* What ann begins by herself goes out as it is, from the same port, too. */
	becomes(f, 1, to_router(udp6(&ann, &eve, 53, 53)), udp6(&ann_out, &eve, 53, 53),
		"in 1, routed udp6 begins, rules 2, out 5, redirect");
}

/* Several lead to one endpoint; each is answered by its own name. Who uses two at once, from one port, would be two connections in one. */
static void two_names(void **state)
{
	struct fixture *f = *state;

	world6(f);
	forward6_set(f, HD_FLOW_UDP, LISTEN6, 83, ann.v6, 53);
	becomes(f, 4, udp6(&dan, &gate6, 4000, 81), udp6(&dan_in, &ann, 4000, 53), IN_BEGINS);
	becomes(f, 4, udp6(&dan, &gate6, 4001, 83), udp6(&dan_in, &ann, 4001, 53), IN_BEGINS);
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4001)), udp6(&gate6, &dan, 83, 4001), ANSWERS);
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4000)), udp6(&gate6, &dan, 81, 4000), ANSWERS);
	dropped(f, 4, udp6(&dan, &gate6, 4000, 83),
		"in 4, drop nat-clash at 4 in routed-flow, shot");
}

/* With it its flows end, whoever speaks next. */
static void removed(void **state)
{
	struct fixture *f = *state;

	world6(f);
	becomes(f, 4, udp6(&dan, &gate6, 4000, 81), udp6(&dan_in, &ann, 4000, 53), IN_BEGINS);
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4000)), udp6(&gate6, &dan, 81, 4000), ANSWERS);
	forward6_unset(f, HD_FLOW_UDP, LISTEN6, 81, ann.v6, 53);
	dropped(f, 1, to_router(udp6(&ann, &dan, 53, 4000)),
		"in 1, routed udp6 goes on, rules 11, drop outside at 1 in route, shot");
}

/* Outer and quoted addresses, the quoted port, and the checksum over all of it. @frag: bytes of a fragment header in front of it */
static struct pkt quoted(struct pkt p, const char *ip, bool source, uint16_t port, uint32_t frag)
{
	p = source ? with_source(p, ip) : with_target(p, ip);
	pkt_set16(&p, ETH_HLEN + 40 + frag + (source ? 0 : 2), port);
	return p;
}

static void errors(void **state)
{
	struct fixture *f = *state;
	struct pkt got, quote;

	world6(f);
	becomes(f, 4, udp6(&dan, &gate6, 4000, 81), udp6(&dan_in, &ann, 4000, 53), IN_BEGINS);
	/* From inside about what came from outside. */
	got = going(udp6(&dan_in, &ann, 4000, 53));
	quote = quoted(got, LISTEN6, false, 81, 0);
	becomes(f, 1, to_router(error_about(&ann, &dan, 1, 4, 0, &got)),
		error_about(&gate6, &dan, 1, 4, 0, &quote), "in 1, out 4, redirect");
	/* From a router outside about an answer: too big, time exceeded. */
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4000)), udp6(&gate6, &dan, 81, 4000), ANSWERS);
	got = going(udp6(&gate6, &dan, 81, 4000));
	quote = quoted(got, ann.v6, true, 53, 0);
	becomes(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &got),
		error_about(&eve_in, &ann, 2, 0, 1300, &quote), "in 5, out 1, redirect");
	becomes(f, 4, error_about(&dan, &gate6, 3, 0, 0, &got),
		error_about(&dan_in, &ann, 3, 0, 0, &quote), "in 4, out 1, redirect");
	/* About what nobody has sent: another port, another remote, another's address. */
	got = going(udp6(&gate6, &dan, 82, 4000));
	dropped(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &got),
		"in 5, drop to-router at 5 in route, shot");
	got = going(udp6(&gate6, &dan, 81, 4001));
	dropped(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &got),
		"in 5, drop icmp-unrelated at 5 in routed-flow, shot");
	got = going(udp6(&eve, &dan, 81, 4000));
	dropped(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &got),
		"in 5, drop to-router at 5 in route, shot");
	forward6_unset(f, HD_FLOW_UDP, LISTEN6, 81, ann.v6, 53);
	got = going(udp6(&gate6, &dan, 81, 4000));
	dropped(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &got),
		"in 5, drop to-router at 5 in route, shot");
}

/* A part of a datagram; its first has the ports. */
static struct pkt piece6(const struct host *from, const struct host *to, uint16_t sport,
			 uint16_t dport, uint32_t id, uint32_t off, uint32_t len, bool more)
{
	struct pkt p = ip6(from, to, IPPROTO_FRAGMENT);

	pkt_frag6(&p, IPPROTO_UDP, id, off, more);
	if (!off)
		pkt_udp(&p, sport, dport);
	pkt_bytes(&p, off ? len : len - 8);
	pkt_end(&p);
	return p;
}

static void pieces(void **state)
{
	struct fixture *f = *state;
	struct pkt got, quote;

	world6(f);
	becomes(f, 4, piece6(&dan, &gate6, 4000, 81, 98, 0, 64, true),
		piece6(&dan_in, &ann, 4000, 53, 98, 0, 64, true),
		"in 4, routed udp6 begins, pieces +1, rules 11, out 1, redirect");
	becomes(f, 4, piece6(&dan, &gate6, 0, 0, 98, 64, 32, false),
		piece6(&dan_in, &ann, 0, 0, 98, 64, 32, false),
		"in 4, routed udp6 waits, piece, rules 11, out 1, redirect");
	becomes(f, 1, to_router(piece6(&ann, &dan, 53, 4000, 99, 0, 64, true)),
		piece6(&gate6, &dan, 81, 4000, 99, 0, 64, true),
		"in 1, routed udp6 established for good, pieces +1, rules 11, out 4, redirect");
	becomes(f, 1, to_router(piece6(&ann, &dan, 0, 0, 99, 64, 32, false)),
		piece6(&gate6, &dan, 0, 0, 99, 64, 32, false),
		"in 1, routed udp6 goes on, piece, rules 11, out 4, redirect");
	/* "Too big" about the first of them; about a later one nobody can say whose it was. */
	got = going(piece6(&gate6, &dan, 81, 4000, 99, 0, 64, true));
	quote = quoted(got, ann.v6, true, 53, 8);
	becomes(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &got),
		error_about(&eve_in, &ann, 2, 0, 1300, &quote), "in 5, out 1, redirect");
	got = going(piece6(&gate6, &dan, 0, 0, 99, 64, 32, false));
	dropped(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &got),
		"in 5, drop to-router at 5 in route, shot");
}

/* A checksum of UDP that would be zero is all ones (RFC 8200 section 8.1); where there is none there will be none (RFC 6935). */
static void checksums(void **state)
{
	struct fixture *f = *state;
	struct pkt in, out;
	uint16_t port = 0;

	world6(f);
	do
		out = udp6(&dan_in, &ann, ++port, 53);
	while (port && (out.data[ETH_HLEN + 46] || out.data[ETH_HLEN + 47]));
	assert_int_not_equal(port, 0);
	memset(out.data + ETH_HLEN + 40 + 6, 0xff, 2);
	becomes(f, 4, udp6(&dan, &gate6, port, 81), out, IN_BEGINS);
	in = udp6(&dan, &gate6, 60000, 81);
	out = udp6(&dan_in, &ann, 60000, 53);
	memset(in.data + ETH_HLEN + 40 + 6, 0, 2);
	memset(out.data + ETH_HLEN + 40 + 6, 0, 2);
	becomes(f, 4, in, out, IN_BEGINS);
}

/* When the configuration has changed a flow is judged again, whoever speaks next; the router lets nothing else begin. */
static void stale(void **state)
{
	struct fixture *f = *state;

	world6(f);
	becomes(f, 4, udp6(&dan, &gate6, 4000, 81), udp6(&dan_in, &ann, 4000, 53), IN_BEGINS);
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4000)), udp6(&gate6, &dan, 81, 4000), ANSWERS);
	router_gen(f, ROUTER, 77);
	becomes(f, 1, to_router(udp6(&ann, &dan, 53, 4000)), udp6(&gate6, &dan, 81, 4000),
		ANSWERS_ON);
	router_gen(f, ROUTER, 78);
	becomes(f, 4, udp6(&dan, &gate6, 4000, 81), udp6(&dan_in, &ann, 4000, 53), IN_GOES_ON);
}

/* Who has no name outside could not be answered. */
static void from_inside(void **state)
{
	struct fixture *f = *state;

	world6(f);
	dropped(f, 3, to_router(udp6(&cat, &gate6_in, 4000, 81)),
		"in 3, routed udp6 begins, rules 11, drop outside at 3 in routed-flow, shot");
}

/* ---- masquerade: ann and cat go out as LISTEN6 ---- */

#define OUT_BEGINS "in 1, routed udp6 begins, rules 2, out 4, redirect"
#define OUT_GOES_ON "in 1, routed udp6 goes on, rules 2, out 4, redirect"
#define IN_CONFIRMS "in 4, routed udp6 established for good, rules 2, out 1, redirect"
#define IN_FOLLOWS "in 4, routed udp6 goes on, rules 2, out 1, redirect"

static void masked_world(struct fixture *f, uint32_t flags, uint32_t blocks)
{
	natted_world(f, 2);
	router_joins(f, ROUTER, OUTSIDE, "2001:db8:2::", 64, GATE2_6);
	masked6(f, LISTEN6, HD_END_SNAT6 | flags, blocks);
	allow(f, (struct allow){
			 .id = FREE_RULE, .policy = POLICY(1), .dir = HD_INGRESS, .v6 = true });
}

static void masked(void **state)
{
	struct fixture *f = *state;
	struct pkt_segment syn = { PKT_SYN, 100, 0, 1000, -1 },
			   syn_ack = { PKT_SYN | PKT_ACK, 500, 101, 1000, -1 };
	struct host ann_out = ann;

	masked_world(f, 0, 2);
	memcpy(ann_out.mac, MAC_ASKS, 6);
	becomes(f, 1, to_router(udp6(&ann, &dan, 4000, 53)), udp6(&gate6, &dan, PORT(0), 53),
		OUT_BEGINS);
	becomes(f, 4, udp6(&dan, &gate6, 53, PORT(0)), udp6(&dan_in, &ann, 53, 4000), IN_CONFIRMS);
	becomes(f, 1, to_router(udp6(&ann, &dan, 4000, 53)), udp6(&gate6, &dan, PORT(0), 53),
		OUT_GOES_ON);
	becomes(f, 4, udp6(&dan, &gate6, 53, PORT(0)), udp6(&dan_in, &ann, 53, 4000), IN_FOLLOWS);
	/* The same endpoint, whoever is asked; another one's is another. */
	becomes(f, 1, to_router(udp6(&ann, &eve, 4000, 53)), udp6(&gate6, &eve, PORT(0), 53),
		"in 1, routed udp6 begins, rules 2, out 5, redirect");
	becomes(f, 3, to_router(udp6(&cat, &dan, 4000, 53)), udp6(&gate6, &dan, PORT(64), 53),
		"in 3, routed udp6 begins, out 4, redirect");
	becomes(f, 1, to_router(tcp6(&ann, &dan, 4000, 80, syn, 0)),
		tcp6(&gate6, &dan, PORT(1), 80, syn, 0),
		"in 1, routed tcp6 begins, rules 2, out 4, redirect");
	becomes(f, 4, tcp6(&dan, &gate6, 80, PORT(1), syn_ack, 0),
		tcp6(&dan_in, &ann, 80, 4000, syn_ack, 0),
		"in 4, routed tcp6 half-open, rules 2, out 1, redirect");
	becomes(f, 1, to_router(icmp6(&ann, &dan, 128, 0, 7)), icmp6(&gate6, &dan, 128, 0, PORT(2)),
		"in 1, routed icmp6 begins, rules 2, out 4, redirect");
	becomes(f, 4, icmp6(&dan, &gate6, 129, 0, PORT(2)), icmp6(&dan_in, &ann, 129, 0, 7),
		"in 4, routed icmp6 established for good, rules 2, out 1, redirect");
	/* Who was not asked, at another port, and past the translation. */
	dropped(f, 5, udp6(&eve, &gate6, 54, PORT(0)),
		"in 5, drop outside at 5 in routed-flow, shot");
	dropped(f, 5, tcp6(&eve, &gate6, 54, PORT(3), syn, 0),
		"in 5, drop to-router at 5 in route, shot");
	dropped(f, 4, udp6(&dan, &ann_out, 54, 4000),
		"in 4, drop outside at 4 in routed-flow, shot");
	assert_int_equal(endpoints(f), 8);
}

static void masked_errors(void **state)
{
	struct fixture *f = *state;
	struct pkt sent, quote;

	masked_world(f, 0, 2);
	becomes(f, 1, to_router(udp6(&ann, &dan, 4000, 53)), udp6(&gate6, &dan, PORT(0), 53),
		OUT_BEGINS);
	sent = going(udp6(&gate6, &dan, PORT(0), 53));
	quote = quoted(sent, ann.v6, true, 4000, 0);
	becomes(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &sent),
		error_about(&eve_in, &ann, 2, 0, 1300, &quote), "in 5, out 1, redirect");
	becomes(f, 4, udp6(&dan, &gate6, 53, PORT(0)), udp6(&dan_in, &ann, 53, 4000), IN_CONFIRMS);
	sent = going(udp6(&dan_in, &ann, 53, 4000));
	quote = quoted(sent, LISTEN6, false, PORT(0), 0);
	becomes(f, 1, to_router(error_about(&ann, &dan, 1, 4, 0, &sent)),
		error_about(&gate6, &dan, 1, 4, 0, &quote), "in 1, out 4, redirect");
	becomes(f, 1, to_router(icmp6(&ann, &dan, 128, 0, 7)), icmp6(&gate6, &dan, 128, 0, PORT(1)),
		"in 1, routed icmp6 begins, rules 2, out 4, redirect");
	sent = going(icmp6(&gate6, &dan, 128, 0, PORT(1)));
	quote = with_source(sent, ann.v6);
	pkt_set16(&quote, ETH_HLEN + 40 + 4, 7);
	becomes(f, 5, error_about(&eve, &gate6, 3, 0, 0, &sent),
		error_about(&eve_in, &ann, 3, 0, 0, &quote), "in 5, out 1, redirect");
	/* About what nobody has sent. */
	sent = going(udp6(&gate6, &dan, PORT(2), 53));
	dropped(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &sent),
		"in 5, drop to-router at 5 in route, shot");
	sent = going(udp6(&gate6, &dan, PORT(0), 54));
	dropped(f, 5, error_about(&eve, &gate6, 2, 0, 1300, &sent),
		"in 5, drop icmp-unrelated at 5 in routed-flow, shot");
}

static void masked_pieces(void **state)
{
	struct fixture *f = *state;

	masked_world(f, 0, 2);
	becomes(f, 1, to_router(piece6(&ann, &dan, 4000, 53, 99, 0, 64, true)),
		piece6(&gate6, &dan, PORT(0), 53, 99, 0, 64, true),
		"in 1, routed udp6 begins, pieces +1, rules 2, out 4, redirect");
	becomes(f, 1, to_router(piece6(&ann, &dan, 0, 0, 99, 64, 32, false)),
		piece6(&gate6, &dan, 0, 0, 99, 64, 32, false),
		"in 1, routed udp6 waits, piece, rules 2, out 4, redirect");
	becomes(f, 4, piece6(&dan, &gate6, 53, PORT(0), 98, 0, 64, true),
		piece6(&dan_in, &ann, 53, 4000, 98, 0, 64, true),
		"in 4, routed udp6 established for good, pieces +1, rules 2, out 1, redirect");
	becomes(f, 4, piece6(&dan, &gate6, 0, 0, 98, 64, 32, false),
		piece6(&dan_in, &ann, 0, 0, 98, 64, 32, false),
		"in 4, routed udp6 goes on, piece, rules 2, out 1, redirect");
}

/* Who was asked gets in from each of his ports, and still does when it is judged again; then the filter gets stricter. */
static void masked_filter(void **state)
{
	struct fixture *f = *state;
	struct hd_end_value end;
	uint32_t router = ROUTER;

	masked_world(f, HD_END_NAT_ADDRESS, 2);
	becomes(f, 1, to_router(udp6(&ann, &dan, 4000, 53)), udp6(&gate6, &dan, PORT(0), 53),
		OUT_BEGINS);
	becomes(f, 4, udp6(&dan, &gate6, 99, PORT(0)), udp6(&dan_in, &ann, 99, 4000), IN_BEGINS);
	dropped(f, 5, udp6(&eve, &gate6, 99, PORT(0)),
		"in 5, drop outside at 5 in routed-flow, shot");
	becomes(f, 1, to_router(udp6(&ann, &eve, 4000, 53)), udp6(&gate6, &eve, PORT(0), 53),
		"in 1, routed udp6 begins, rules 2, out 5, redirect");
	becomes(f, 5, udp6(&eve, &gate6, 99, PORT(0)), udp6(&eve_in, &ann, 99, 4000),
		"in 5, routed udp6 begins, rules 11, out 1, redirect");
	becomes(f, 1, to_router(udp6(&ann, &dan, 4000, 99)), udp6(&gate6, &dan, PORT(0), 99),
		ANSWERS);
	router_gen(f, ROUTER, 77);
	becomes(f, 4, udp6(&dan, &gate6, 99, PORT(0)), udp6(&dan_in, &ann, 99, 4000), IN_GOES_ON);
	router_gen(f, ROUTER, 78);
	becomes(f, 1, to_router(udp6(&ann, &dan, 4000, 99)), udp6(&gate6, &dan, PORT(0), 99),
		ANSWERS_ON);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_ends), &router, &end), 0);
	end.flags &= ~(uint32_t)HD_END_NAT_ADDRESS;
	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(f->skel->maps.hd_ends), &router, &end, BPF_ANY), 0);
	router_gen(f, ROUTER, 79);
	dropped(f, 1, to_router(udp6(&ann, &dan, 4000, 99)),
		"in 1, routed udp6 ends, drop outside at 1 in routed-flow, shot");
}

/* The router has another address outside: who was known by the old one is known by the new one from the next packet on, and nobody gets in by the old one. */
static void masked_moves(void **state)
{
	struct fixture *f = *state;
	struct host old = gate6, new = gate6;

	masked_world(f, HD_END_NAT_OPEN, 2);
	new.v6 = "2001:db8:2::78";
	becomes(f, 1, to_router(udp6(&ann, &dan, 4000, 53)), udp6(&old, &dan, PORT(0), 53),
		OUT_BEGINS);
	becomes(f, 5, udp6(&eve, &old, 99, PORT(0)), udp6(&eve_in, &ann, 99, 4000),
		"in 5, routed udp6 begins, rules 11, out 1, redirect");
	masked6(f, new.v6, 0, 2);
	dropped(f, 5, udp6(&eve, &old, 98, PORT(0)),
		"in 5, drop outside at 5 in routed-flow, shot");
	becomes(f, 1, to_router(udp6(&ann, &dan, 4000, 53)), udp6(&new, &dan, PORT(0), 53),
		"in 1, routed udp6 waits, rules 2, out 4, redirect");
	becomes(f, 5, udp6(&eve, &new, 98, PORT(0)), udp6(&eve_in, &ann, 98, 4000),
		"in 5, routed udp6 begins, rules 11, out 1, redirect");
}

/* No more ports: refused, and its sender is told; what is there goes on. */
static void masked_full(void **state)
{
	struct fixture *f = *state;
	struct pkt in, out;

	masked_world(f, 0, 1);
	becomes(f, 1, to_router(udp6(&ann, &dan, 4000, 53)), udp6(&gate6, &dan, PORT(0), 53),
		OUT_BEGINS);
	in = to_router(udp6(&cat, &dan, 4000, 53));
	out = told(&in, GATE1_6, 1, 1, 0);
	enters_as(f, 3, &in, &out,
		  "in 3, routed udp6 begins, out 3, drop nat-ports at 3 in tell, redirect");
	becomes(f, 4, udp6(&dan, &gate6, 53, PORT(0)), udp6(&dan_in, &ann, 53, 4000), IN_CONFIRMS);
}

/* Both ends are inside, and each knows the other by its outside endpoint. */
static void masked_hairpin(void **state)
{
	struct fixture *f = *state;

	masked_world(f, 0, 2);
	forward6_set(f, HD_FLOW_UDP, LISTEN6, 81, ann.v6, 53);
	becomes(f, 3, to_router(udp6(&cat, &gate6_in, 4000, 81)),
		udp6(&gate6_in, &ann, PORT(0), 53),
		"in 3, routed udp6 begins, rules 11, out 1, redirect");
	becomes(f, 1, to_router(udp6(&ann, &gate6_in, 53, PORT(0))),
		udp6(&gate6_in, &cat, 81, 4000),
		"in 1, routed udp6 established for good, rules 11, out 3, redirect");
	becomes(f, 3, to_router(udp6(&cat, &gate6_in, 4000, 81)),
		udp6(&gate6_in, &ann, PORT(0), 53),
		"in 3, routed udp6 goes on, rules 11, out 1, redirect");
	dropped(f, 1, to_router(udp6(&ann, &gate6_in, 81, PORT(0))),
		"in 1, drop outside at 1 in routed-flow, shot");
	becomes(f, 3, to_router(udp6(&cat, &dan, 4001, 53)), udp6(&gate6, &dan, PORT(1), 53),
		"in 3, routed udp6 begins, out 4, redirect");
}

/* Where IPv6 goes out as it is, hairpins alone are translated. */
static void hairpin_only(void **state)
{
	struct fixture *f = *state;
	struct host cat_out = cat;

	world6(f);
	masked6(f, LISTEN6, 0, 2);
	memcpy(cat_out.mac, MAC_ASKS, 6);
	becomes(f, 3, to_router(udp6(&cat, &gate6_in, 4000, 81)),
		udp6(&gate6_in, &ann, PORT(0), 53),
		"in 3, routed udp6 begins, rules 11, out 1, redirect");
	becomes(f, 1, to_router(udp6(&ann, &gate6_in, 53, PORT(0))),
		udp6(&gate6_in, &cat, 81, 4000),
		"in 1, routed udp6 established for good, rules 11, out 3, redirect");
	becomes(f, 3, to_router(udp6(&cat, &dan, 4000, 53)), udp6(&cat_out, &dan, 4000, 53),
		"in 3, routed udp6 begins, out 4, redirect");
	dropped(f, 5, udp6(&eve, &gate6, 53, PORT(0)),
		"in 5, drop outside at 5 in routed-flow, shot");
}

int nat6_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(forwarded),   TEST(two_names),	 TEST(removed),	      TEST(errors),
		TEST(pieces),	   TEST(checksums),	 TEST(stale),	      TEST(from_inside),
		TEST(masked),	   TEST(masked_errors),	 TEST(masked_pieces), TEST(masked_filter),
		TEST(masked_full), TEST(masked_hairpin), TEST(hairpin_only),  TEST(masked_moves),
	};

	return cmocka_run_group_tests_name("nat6", tests, NULL, NULL);
}
