// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_nat.c - translation at the outside of a router: what goes on and in which form, which ports are handed out, and what gets in */
#include "tests/prog/natted.h"

#include <bpf/bpf.h>

#define OUT_BEGINS "in 1, routed udp begins, rules 1, out 4, redirect"
#define OUT_WAITS "in 1, routed udp waits, rules 1, out 4, redirect"
#define OUT_GOES_ON "in 1, routed udp goes on, rules 1, out 4, redirect"
#define IN_CONFIRMS "in 4, routed udp established for good, rules 1, out 1, redirect"
#define IN_GOES_ON "in 4, routed udp goes on, rules 1, out 1, redirect"

/* ann's question to dan's port 53 on its way, and the answer. @port: hers outside */
static struct pkt ask(uint16_t sport)
{
	return to_router(udp4(&ann, &dan, sport, 53));
}

static struct pkt asked(const struct host *as, uint16_t port)
{
	struct host from = *as;

	return udp4(&from, &dan, port, 53);
}

static struct pkt without_csum(struct pkt p)
{
	pkt_set16(&p, ETH_HLEN + 20 + 6, 0);
	return p;
}

/* There is none for its sender, who is told (RFC 5508 REQ-8). */
#define no_port(f, number, in, story)                                                              \
	do {                                                                                       \
		struct pkt in_ = (in), out_ = told(&in_, GATE1, 3, 13, 0);                         \
                                                                                                   \
		enters_as(f, number, &in_, &out_, story);                                          \
	} while (0)

/* --- exact bytes --- */

static void udp(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 4);
	becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_BEGINS);
	becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_WAITS);
	becomes(f, 4, udp4(&dan, &gate, 53, PORT(0)), udp4(&dan_in, &ann, 53, 4000), IN_CONFIRMS);
	for (int i = 0; i < 3; i++) {
		becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_GOES_ON);
		becomes(f, 4, udp4(&dan, &gate, 53, PORT(0)), udp4(&dan_in, &ann, 53, 4000),
			IN_GOES_ON);
	}
	assert_int_equal(endpoint_of(f, HD_FLOW_UDP, ann.v4, 4000), PORT(0));
	assert_int_equal(endpoints(f), 2);
}

/* "No checksum" stays what it is (RFC 768); the same with a checksum that would become zero is for the kernel's helper. */
static void udp_without_checksum(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 4);
	becomes(f, 1, without_csum(ask(4000)), without_csum(asked(&gate, PORT(0))), OUT_BEGINS);
	becomes(f, 4, without_csum(udp4(&dan, &gate, 53, PORT(0))),
		without_csum(udp4(&dan_in, &ann, 53, 4000)), IN_CONFIRMS);
	becomes(f, 1, without_csum(ask(4000)), without_csum(asked(&gate, PORT(0))), OUT_GOES_ON);
}

static void tcp(void **state)
{
	struct fixture *f = *state;
	struct pkt_segment syn = { PKT_SYN, 100, 0, 1000, -1 },
			   syn_ack = { PKT_SYN | PKT_ACK, 500, 101, 1000, -1 },
			   ack = { PKT_ACK, 101, 501, 1000, -1 },
			   back = { PKT_ACK, 501, 101, 1000, -1 },
			   rst = { PKT_RST, 501, 101, 1000, -1 };

	natted_world(f, 4);
	becomes(f, 1, to_router(tcp4(&ann, &dan, 4000, 80, syn, 0)),
		tcp4(&gate, &dan, PORT(0), 80, syn, 0),
		"in 1, routed tcp begins, rules 1, out 4, redirect");
	becomes(f, 4, tcp4(&dan, &gate, 80, PORT(0), syn_ack, 0),
		tcp4(&dan_in, &ann, 80, 4000, syn_ack, 0),
		"in 4, routed tcp half-open, rules 1, out 1, redirect");
	becomes(f, 1, to_router(tcp4(&ann, &dan, 4000, 80, ack, 9)),
		tcp4(&gate, &dan, PORT(0), 80, ack, 9),
		"in 1, routed tcp established for good, rules 1, out 4, redirect");
	becomes(f, 4, tcp4(&dan, &gate, 80, PORT(0), back, 9),
		tcp4(&dan_in, &ann, 80, 4000, back, 9),
		"in 4, routed tcp goes on, rules 1, out 1, redirect");
	becomes(f, 4, tcp4(&dan, &gate, 80, PORT(0), rst, 0), tcp4(&dan_in, &ann, 80, 4000, rst, 0),
		"in 4, routed tcp closed, rules 1, out 1, redirect");
}

/* Two hosts ask with the same id. */
static void ping(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 4);
	becomes(f, 1, to_router(icmp4(&ann, &dan, 8, 0, 77)), icmp4(&gate, &dan, 8, 0, PORT(0)),
		"in 1, routed icmp begins, rules 1, out 4, redirect");
	becomes(f, 3, to_router(icmp4(&cat, &dan, 8, 0, 77)), icmp4(&gate, &dan, 8, 0, PORT(64)),
		"in 3, routed icmp begins, out 4, redirect");
	becomes(f, 4, icmp4(&dan, &gate, 0, 0, PORT(64)), icmp4(&dan_in, &cat, 0, 0, 77),
		"in 4, routed icmp established for good, out 3, redirect");
	becomes(f, 4, icmp4(&dan, &gate, 0, 0, PORT(0)), icmp4(&dan_in, &ann, 0, 0, 77),
		"in 4, routed icmp established for good, rules 1, out 1, redirect");
	dropped(f, 4, icmp4(&dan, &gate, 0, 0, PORT(1)),
		"in 4, drop to-router at 4 in route, shot");
}

/* A part of a datagram in pieces; @csum: of the whole. */
static struct pkt piece(const struct host *from, const struct host *to, uint16_t sport,
			uint16_t dport, uint16_t csum, uint32_t off, uint32_t len, bool more)
{
	struct pkt p = ip4(from, to, IPPROTO_UDP);

	pkt_frag4(&p, 99, off, more);
	if (!off) {
		pkt_udp(&p, sport, dport);
		len -= 8;
	}
	pkt_bytes(&p, len);
	pkt_end(&p);
	if (!off)
		pkt_set16(&p, ETH_HLEN + 20 + 6, csum);
	return p;
}

/* The checksum of the whole changes by what is translated, whatever it was (RFC 1624). */
static uint16_t csum_after(uint16_t csum, const struct host *from, const struct host *to,
			   uint16_t was, uint16_t is)
{
	uint32_t old, new, sum = (uint16_t)~csum;

	pkt_address(AF_INET, from->v4, &old);
	pkt_address(AF_INET, to->v4, &new);
	old = ~ntohl(old);
	new = ntohl(new);
	sum += (old >> 16) + (old & 0xffff) + (new >> 16) + (new & 0xffff) + (uint16_t)~was + is;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void pieces(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 4);
	becomes(f, 1, to_router(piece(&ann, &dan, 4000, 53, 0x1234, 0, 64, true)),
		piece(&gate, &dan, PORT(0), 53, csum_after(0x1234, &ann, &gate, 4000, PORT(0)), 0,
		      64, true),
		"in 1, routed udp begins, pieces +1, rules 1, out 4, redirect");
	becomes(f, 1, to_router(piece(&ann, &dan, 0, 0, 0, 64, 32, false)),
		piece(&gate, &dan, 0, 0, 0, 64, 32, false),
		"in 1, routed udp waits, piece, rules 1, out 4, redirect");
	becomes(f, 4, piece(&dan, &gate, 53, PORT(0), 0x4321, 0, 64, true),
		piece(&dan_in, &ann, 53, 4000, csum_after(0x4321, &gate, &ann, PORT(0), 4000), 0,
		      64, true),
		"in 4, routed udp established for good, pieces +1, rules 1, out 1, redirect");
	becomes(f, 4, piece(&dan, &gate, 0, 0, 0, 64, 32, false),
		piece(&dan_in, &ann, 0, 0, 0, 64, 32, false),
		"in 4, routed udp goes on, piece, rules 1, out 1, redirect");
}

static void errors_in(void **state)
{
	struct fixture *f = *state;
	struct pkt sent, quote;

	natted_world(f, 4);
	becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_BEGINS);
	sent = going(asked(&gate, PORT(0)));
	quote = with_port(with_source(sent, ann.v4), 0, 4000);
	becomes(f, 4, error_about(&dan, &gate, 3, 3, 0, &sent),
		error_about(&dan_in, &ann, 3, 3, 0, &quote), "in 4, out 1, redirect");
	/* From a router outside: too big, and time exceeded. */
	becomes(f, 5, error_about(&eve, &gate, 3, 4, 1300, &sent),
		error_about(&eve_in, &ann, 3, 4, 1300, &quote), "in 5, out 1, redirect");
	becomes(f, 5, error_about(&eve, &gate, 11, 0, 0, &sent),
		error_about(&eve_in, &ann, 11, 0, 0, &quote), "in 5, out 1, redirect");
	/* About what nobody has sent. */
	sent = going(asked(&gate, PORT(1)));
	dropped(f, 4, error_about(&dan, &gate, 3, 3, 0, &sent),
		"in 4, drop to-router at 4 in route, shot");
	sent = going(udp4(&gate, &dan, PORT(0), 54));
	dropped(f, 4, error_about(&dan, &gate, 3, 3, 0, &sent),
		"in 4, drop icmp-unrelated at 4 in routed-flow, shot");
	sent = going(udp4(&eve, &dan, PORT(0), 53));
	dropped(f, 4, error_about(&dan, &gate, 3, 3, 0, &sent),
		"in 4, drop to-router at 4 in route, shot");
}

static void errors_in_about_ping(void **state)
{
	struct fixture *f = *state;
	struct pkt sent, quote;

	natted_world(f, 4);
	becomes(f, 1, to_router(icmp4(&ann, &dan, 8, 0, 77)), icmp4(&gate, &dan, 8, 0, PORT(0)),
		"in 1, routed icmp begins, rules 1, out 4, redirect");
	sent = going(icmp4(&gate, &dan, 8, 0, PORT(0)));
	quote = with_port(with_source(sent, ann.v4), 4, 77);
	becomes(f, 5, error_about(&eve, &gate, 11, 0, 0, &sent),
		error_about(&eve_in, &ann, 11, 0, 0, &quote), "in 5, out 1, redirect");
}

static void errors_out(void **state)
{
	struct fixture *f = *state;
	struct pkt got, quote;

	natted_world(f, 4);
	becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_BEGINS);
	got = going(udp4(&dan_in, &ann, 53, 4000));
	becomes(f, 4, udp4(&dan, &gate, 53, PORT(0)), udp4(&dan_in, &ann, 53, 4000), IN_CONFIRMS);
	quote = with_port(with_target(got, GATE), 2, PORT(0));
	becomes(f, 1, to_router(error_about(&ann, &dan, 3, 3, 0, &got)),
		error_about(&gate, &dan, 3, 3, 0, &quote), "in 1, out 4, redirect");
	got = going(udp4(&dan_in, &ann, 53, 4001));
	dropped(f, 1, to_router(error_about(&ann, &dan, 3, 3, 0, &got)),
		"in 1, drop icmp-unrelated at 1 in routed-flow, shot");
}

/* An error whose sum is wrong, or that quotes such a header, tells nothing (RFC 5508 REQ-3); one of any length whose sums are right does. */
static void damaged_errors(void **state)
{
	struct fixture *f = *state;
	struct pkt sent, quote, bad;

	natted_world(f, 4);
	becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_BEGINS);
	sent = going(asked(&gate, PORT(0)));
	for (uint32_t more = 0; more < 600; more += 37) {
		struct pkt in = sent;

		pkt_bytes(&in, more);
		quote = with_port(with_source(in, ann.v4), 0, 4000);
		becomes(f, 5, error_about(&eve, &gate, 11, 0, 0, &in),
			error_about(&eve_in, &ann, 11, 0, 0, &quote), "in 5, out 1, redirect");
	}
	bad = error_about(&eve, &gate, 11, 0, 0, &sent);
	bad.data[bad.len - 1] ^= 1;
	dropped(f, 5, bad, "in 5, drop to-router at 5 in route, shot");
	bad = sent;
	bad.data[ETH_HLEN + 8] ^= 1; /* its TTL */
	bad = error_about(&eve, &gate, 11, 0, 0, &bad);
	dropped(f, 5, bad, "in 5, drop to-router at 5 in route, shot");
}

/* What is neither query nor error, or an unknown query, is translated by its id; nothing that answers it is known, so nothing gets in (RFC 5508 REQ-11). */
static void other_icmp(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 4);
	becomes(f, 1, to_router(icmp4(&ann, &dan, 37, 0, 77)), icmp4(&gate, &dan, 37, 0, PORT(0)),
		"in 1, routed icmp begins, rules 1, out 4, redirect");
	dropped(f, 4, icmp4(&dan, &gate, 38, 0, PORT(0)),
		"in 4, drop to-router at 4 in route, shot");
	dropped(f, 4, icmp4(&dan, &gate, 9, 0, PORT(0)),
		"in 4, drop to-router at 4 in route, shot");
}

/* --- how long --- */

/* The only flow across a router has been silent for so long. */
static void silent_for(struct fixture *f, uint32_t seconds)
{
	const struct bpf_map *maps[] = { f->skel->maps.hd_rnew4, f->skel->maps.hd_rflow4 };
	struct hd_rflow_value value;
	struct hd_flow4_key key;

	for (size_t i = 0; i < 2; i++) {
		int fd = bpf_map__fd(maps[i]);

		if (bpf_map_get_next_key(fd, NULL, &key))
			continue;
		assert_int_equal(bpf_map_lookup_elem(fd, &key, &value), 0);
		value.flow.seen = (uint32_t)now(f) - seconds * HZ;
		assert_int_equal(bpf_map_update_elem(fd, &key, &value, BPF_EXIST), 0);
		return;
	}
	fail_msg("no flow");
}

/* An answer gets in as long as its flow is there: RFC 4787 REQ-5. */
static void udp_patience(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 4);
	becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_BEGINS);
	silent_for(f, 29);
	becomes(f, 4, udp4(&dan, &gate, 53, PORT(0)), udp4(&dan_in, &ann, 53, 4000), IN_CONFIRMS);
	silent_for(f, 299);
	becomes(f, 4, udp4(&dan, &gate, 53, PORT(0)), udp4(&dan_in, &ann, 53, 4000), IN_GOES_ON);
	silent_for(f, 301);
	dropped(f, 4, udp4(&dan, &gate, 53, PORT(0)),
		"in 4, routed udp ends, drop outside at 4 in routed-flow, shot");
	/* Its endpoint outlives it, by the sweep's two minutes. */
	becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_BEGINS);
	silent_for(f, 31);
	dropped(f, 4, udp4(&dan, &gate, 53, PORT(0)),
		"in 4, drop outside at 4 in routed-flow, shot");
}

/* RFC 5382 REQ-5. */
static void tcp_patience(void **state)
{
	struct fixture *f = *state;
	struct pkt_segment syn = { PKT_SYN, 100, 0, 1000, -1 },
			   syn_ack = { PKT_SYN | PKT_ACK, 500, 101, 1000, -1 },
			   ack = { PKT_ACK, 101, 501, 1000, -1 },
			   back = { PKT_ACK, 501, 101, 1000, -1 },
			   fin = { PKT_FIN | PKT_ACK, 501, 101, 1000, -1 },
			   late = { PKT_ACK, 502, 101, 1000, -1 };

	natted_world(f, 4);
	becomes(f, 1, to_router(tcp4(&ann, &dan, 4000, 80, syn, 0)),
		tcp4(&gate, &dan, PORT(0), 80, syn, 0),
		"in 1, routed tcp begins, rules 1, out 4, redirect");
	silent_for(f, 29);
	becomes(f, 4, tcp4(&dan, &gate, 80, PORT(0), syn_ack, 0),
		tcp4(&dan_in, &ann, 80, 4000, syn_ack, 0),
		"in 4, routed tcp half-open, rules 1, out 1, redirect");
	becomes(f, 1, to_router(tcp4(&ann, &dan, 4000, 80, ack, 0)),
		tcp4(&gate, &dan, PORT(0), 80, ack, 0),
		"in 1, routed tcp established for good, rules 1, out 4, redirect");
	silent_for(f, 7439);
	becomes(f, 4, tcp4(&dan, &gate, 80, PORT(0), back, 0),
		tcp4(&dan_in, &ann, 80, 4000, back, 0),
		"in 4, routed tcp goes on, rules 1, out 1, redirect");
	becomes(f, 4, tcp4(&dan, &gate, 80, PORT(0), fin, 0), tcp4(&dan_in, &ann, 80, 4000, fin, 0),
		"in 4, routed tcp closing, rules 1, out 1, redirect");
	silent_for(f, 239);
	becomes(f, 4, tcp4(&dan, &gate, 80, PORT(0), late, 0),
		tcp4(&dan_in, &ann, 80, 4000, late, 0),
		"in 4, routed tcp goes on, rules 1, out 1, redirect");
	silent_for(f, 241);
	dropped(f, 4, tcp4(&dan, &gate, 80, PORT(0), late, 0),
		"in 4, routed tcp ends, drop outside at 4 in routed-flow, shot");
}

/* RFC 5508 REQ-2. */
static void ping_patience(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 4);
	becomes(f, 1, to_router(icmp4(&ann, &dan, 8, 0, 77)), icmp4(&gate, &dan, 8, 0, PORT(0)),
		"in 1, routed icmp begins, rules 1, out 4, redirect");
	silent_for(f, 59);
	becomes(f, 4, icmp4(&dan, &gate, 0, 0, PORT(0)), icmp4(&dan_in, &ann, 0, 0, 77),
		"in 4, routed icmp established for good, rules 1, out 1, redirect");
	silent_for(f, 61);
	dropped(f, 4, icmp4(&dan, &gate, 0, 0, PORT(0)),
		"in 4, routed icmp ends, drop outside at 4 in routed-flow, shot");
}

/* SYNs that cross each other (RFC 5382 REQ-2, RFC 9293 section 3.5). */
static void simultaneous_open(void **state)
{
	struct fixture *f = *state;
	struct pkt_segment syn = { PKT_SYN, 100, 0, 1000, -1 },
			   hello = { PKT_SYN, 500, 0, 1000, -1 },
			   syn_ack = { PKT_SYN | PKT_ACK, 100, 501, 1000, -1 },
			   answer = { PKT_SYN | PKT_ACK, 500, 101, 1000, -1 },
			   data = { PKT_ACK, 101, 501, 1000, -1 };

	natted_world(f, 4);
	becomes(f, 1, to_router(tcp4(&ann, &dan, 4000, 80, syn, 0)),
		tcp4(&gate, &dan, PORT(0), 80, syn, 0),
		"in 1, routed tcp begins, rules 1, out 4, redirect");
	becomes(f, 4, tcp4(&dan, &gate, 80, PORT(0), hello, 0),
		tcp4(&dan_in, &ann, 80, 4000, hello, 0),
		"in 4, routed tcp half-open, rules 1, out 1, redirect");
	becomes(f, 1, to_router(tcp4(&ann, &dan, 4000, 80, syn_ack, 0)),
		tcp4(&gate, &dan, PORT(0), 80, syn_ack, 0),
		"in 1, routed tcp waits, rules 1, out 4, redirect");
	becomes(f, 4, tcp4(&dan, &gate, 80, PORT(0), answer, 0),
		tcp4(&dan_in, &ann, 80, 4000, answer, 0),
		"in 4, routed tcp established for good, rules 1, out 1, redirect");
	becomes(f, 1, to_router(tcp4(&ann, &dan, 4000, 80, data, 9)),
		tcp4(&gate, &dan, PORT(0), 80, data, 9),
		"in 1, routed tcp goes on, rules 1, out 4, redirect");
}

/* --- which ports are handed out --- */

/* All of a block, each once, and not in the order of their numbers (RFC 6888 REQ-15): so it would be once in 64!. */
static void not_to_be_guessed(void **state)
{
	struct fixture *f = *state;
	uint64_t used = 0;
	uint32_t next = 0;
	uint16_t last = 0;

	fixture_resize(f, (struct sizes){ .nat_spread = HD_NAT_BLOCK_PORTS - 1 });
	natted_world(f, 1);
	for (uint16_t i = 0; i < HD_NAT_BLOCK_PORTS; i++) {
		struct pkt p = ask((uint16_t)(4000 + i));
		uint16_t port;

		assert_int_equal(run_in(f, 1, &p), REDIRECTED);
		port = endpoint_of(f, HD_FLOW_UDP, ann.v4, (uint16_t)(4000 + i));
		assert_in_range(port, PORT(0), PORT(63));
		assert_false(used >> (port - PORT(0)) & 1);
		used |= 1ULL << (port - PORT(0));
		next += port == last + 1;
		last = port;
	}
	assert_in_range(next, 0, 40);
}

static void one_after_the_other(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 2);
	for (uint16_t i = 0; i < 128; i++) {
		becomes(f, 1, ask((uint16_t)(4000 + i)), asked(&gate, PORT(i)), OUT_BEGINS);
		assert_int_equal(pool_head(f, GATE), i / 64 + 1);
	}
	assert_int_equal(user_get(f, ann.v4).block[0].used, ~0ULL);
	assert_int_equal(user_get(f, ann.v4).block[1].used, ~0ULL);
	/* No more: those that are there go on, and another host's are as few. */
	no_port(f, 1, ask(5000),
		"in 1, routed udp begins, rules 1, out 1, drop nat-ports at 1 in tell, redirect");
	becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_WAITS);
	no_port(f, 3, to_router(udp4(&cat, &dan, 4000, 53)),
		"in 3, routed udp begins, out 3, drop nat-ports at 3 in tell, redirect");
	assert_int_equal(endpoint_of(f, HD_FLOW_UDP, ann.v4, 5000), 0);
	assert_int_equal(endpoints(f), 2 * 128);
	assert_int_equal(pool_head(f, GATE), 2);
}

/* So many blocks one inside address may have, and no more, whatever the pool has. */
static void not_all_to_one(void **state)
{
	struct fixture *f = *state;
	struct hd_nat_user user = { 0 };

	natted_world(f, 3);
	becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_BEGINS);
	user = user_get(f, ann.v4);
	for (uint32_t i = 0; i < HD_NAT_USER_BLOCKS; i++)
		user.block[i] = (struct hd_nat_block){ .used = ~0ULL,
						       .block = 100 + i,
						       .addr = user.block[0].addr };
	user_put(f, ann.v4, &user);
	no_port(f, 1, ask(5000),
		"in 1, routed udp begins, rules 1, out 1, drop nat-ports at 1 in tell, redirect");
	becomes(f, 3, to_router(udp4(&cat, &dan, 4000, 53)), asked(&gate, PORT(64)),
		"in 3, routed udp begins, out 4, redirect");
}

/* A block that has been given back leaves a hole; what is behind it counts, also when the pool is empty. */
static void own_ports_behind_a_hole(void **state)
{
	struct fixture *f = *state;
	struct hd_nat_user user;

	natted_world(f, 2);
	for (uint16_t i = 0; i < 65; i++)
		becomes(f, 1, ask((uint16_t)(4000 + i)), asked(&gate, PORT(i)), OUT_BEGINS);
	user = user_get(f, ann.v4);
	user.block[0] = (struct hd_nat_block){ 0 };
	user_put(f, ann.v4, &user);
	becomes(f, 1, ask(5000), asked(&gate, PORT(65)), OUT_BEGINS);
}

/* Another CPU may have seen a newer tail than this one: what lies beyond is not to be had. */
static void head_beyond_tail(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 2);
	pool_set(f, GATE, BLOCK, 2, 3);
	no_port(f, 1, ask(4000),
		"in 1, routed udp begins, rules 1, out 1, drop nat-ports at 1 in tell, redirect");
	assert_int_equal(pool_head(f, GATE), 3);
	pool_set(f, GATE, BLOCK, 0, 0xffffffff); /* and where the count begins anew */
	no_port(f, 1, ask(4001),
		"in 1, routed udp begins, rules 1, out 1, drop nat-ports at 1 in tell, redirect");
	becomes(f, 1, (pool_set(f, GATE, BLOCK, 1, 0), ask(4002)), asked(&gate, PORT(0)),
		OUT_BEGINS);
}

/* The address has changed: what it was called before is forgotten, blocks of the old one are not used. */
static void another_address(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 2);
	becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_BEGINS);
	gateway_set(f, ROUTER, FLOATING, HD_END_SNAT);
	pool_set(f, FLOATING, BLOCK + 7, 2, 0);
	becomes(f, 1, ask(4000), asked(&floating, PORT(7 * 64)), OUT_WAITS);
	becomes(f, 1, ask(4001), asked(&floating, PORT(7 * 64 + 1)), OUT_BEGINS);
	assert_int_equal(endpoint_of(f, HD_FLOW_UDP, ann.v4, 4000), PORT(7 * 64));
	assert_int_equal(user_get(f, ann.v4).block[0].block, BLOCK);
	assert_int_equal(user_get(f, ann.v4).block[1].block, BLOCK + 7);
}

/* The table of endpoints is full: nothing is left that could go out and not come back. */
static void no_room(void **state)
{
	struct fixture *f = *state;

	fixture_resize(f, (struct sizes){ .endpoints = 4 });
	natted_world(f, 2);
	for (uint16_t port = 4000; endpoints(f) < 4; port++)
		becomes(f, 1, ask(port), asked(&gate, PORT(port - 4000)), OUT_BEGINS);
	no_port(f, 1, ask(5000),
		"in 1, routed udp begins, rules 1, out 1, drop nat-ports at 1 in tell, redirect");
	assert_int_equal(endpoint_of(f, HD_FLOW_UDP, ann.v4, 5000), 0);
	becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_WAITS);
}

static void half_an_endpoint(void **state)
{
	struct fixture *f = *state;

	fixture_resize(f, (struct sizes){ .endpoints = 3 });
	natted_world(f, 2);
	becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_BEGINS);
	no_port(f, 1, ask(4001),
		"in 1, routed udp begins, rules 1, out 1, drop nat-ports at 1 in tell, redirect");
	assert_int_equal(endpoints(f), 2);
}

/* One endpoint for all that it talks to; what did not ask gets no answer. */
static void independent_of_the_remote(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 2);
	becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_BEGINS);
	dropped(f, 5, udp4(&eve, &gate, 53, PORT(0)),
		"in 5, drop outside at 5 in routed-flow, shot");
	dropped(f, 4, udp4(&dan, &gate, 54, PORT(0)),
		"in 4, drop outside at 4 in routed-flow, shot");
	becomes(f, 1, to_router(udp4(&ann, &eve, 4000, 53)), udp4(&gate, &eve, PORT(0), 53),
		"in 1, routed udp begins, rules 1, out 5, redirect");
	becomes(f, 5, udp4(&eve, &gate, 53, PORT(0)), udp4(&eve_in, &ann, 53, 4000),
		"in 5, routed udp established for good, rules 1, out 1, redirect");
	assert_int_equal(endpoints(f), 2);
}

/* --- what gets in --- */

#define CLOSED6 "in 4, drop outside at 4 in routed-flow, shot"

static void closed(void **state)
{
	struct fixture *f = *state;
	struct pkt_segment syn = { PKT_SYN, 100, 0, 1000, -1 };
	struct host cat_out = cat, v6 = cat;

	memcpy(cat_out.mac, MAC_ASKS, 6);
	memcpy(v6.mac, MAC_ASKS, 6);
	natted_world(f, 2);
	dropped(f, 4, udp4(&dan, &cat_out, 53, 4000), "in 4, drop outside at 4 in route, shot");
	dropped(f, 4, tcp4(&dan, &cat_out, 53, 80, syn, 0),
		"in 4, drop outside at 4 in route, shot");
	dropped(f, 4, icmp4(&dan, &cat_out, 8, 0, 1), "in 4, drop outside at 4 in route, shot");
	/* The router has no way out for IPv6, so there is none in, whatever IPv4 may do. */
	dropped(f, 4, udp6(&dan, &v6, 53, 4000), CLOSED6);
	gateway_set(f, ROUTER, GATE, 0);
	dropped(f, 4, udp6(&dan, &v6, 53, 4000), CLOSED6);
	gateway_set(f, ROUTER, GATE, HD_END_SNAT | HD_END_OPEN6);
	becomes(f, 4, udp6(&dan, &v6, 53, 4000), udp6(&dan_in, &cat, 53, 4000),
		"in 4, out 3, redirect");
}

/* An answer that was never translated is no answer, though it looks like one inside. */
static void closed_to_flows_too(void **state)
{
	struct fixture *f = *state;
	struct host ann_out = ann;

	memcpy(ann_out.mac, MAC_ASKS, 6);
	natted_world(f, 2);
	becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_BEGINS);
	dropped(f, 4, udp4(&dan, &ann_out, 53, 4000), "in 4, drop outside at 4 in route, shot");
	becomes(f, 4, udp4(&dan, &gate, 53, PORT(0)), udp4(&dan_in, &ann, 53, 4000), IN_CONFIRMS);
	dropped(f, 4, udp4(&dan, &ann_out, 53, 4000), "in 4, drop outside at 4 in route, shot");
}

/* A ping to the router itself, though its type read as an id would be somebody's endpoint. */
static void queries_are_no_answers(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 2);
	endpoint_add(f, ROUTER, HD_FLOW_ICMP, ann.v4, 77, GATE, 8 << 8);
	struct pkt in = icmp4(&dan, &gate, 8, 0, 5), out = icmp4(&gate, &dan, 0, 0, 5);

	enters_as(f, 4, &in, &out, "in 4, out 4, redirect");
}

/* Two routers outside, of which one does not translate: the MAC is that of either. */
static void whose_mac_it_is(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 2);
	becomes(f, 1, ask(4000), asked(&gate, PORT(0)), OUT_BEGINS);
	router_add(f, ROUTER + 1, MAC_ROUTER, MAC_ASKS);
	gateway_set(f, ROUTER + 1, FLOATING, 0);
	fdb_static(f, OUTSIDE, MAC_ASKS, ROUTER + 1);
	allow(f, (struct allow){ .id = FREE_RULE, .policy = POLICY(1), .dir = HD_INGRESS });
	dropped(f, 5, udp4(&eve, &gate, 53, PORT(0)),
		"in 5, drop outside at 5 in routed-flow, shot");
	becomes(f, 4, udp4(&dan, &gate, 53, PORT(0)), udp4(&dan_in, &ann, 53, 4000), IN_CONFIRMS);
}

static void without_translation(void **state)
{
	struct fixture *f = *state;
	struct host ann_out = ann;
	struct pkt out;

	memcpy(ann_out.mac, MAC_ASKS, 6);
	natted_world(f, 2);
	gateway_set(f, ROUTER, GATE, 0);
	out = udp4(&ann_out, &dan, 4000, 53);
	becomes(f, 1, ask(4000), out, OUT_BEGINS);
	becomes(f, 4, udp4(&dan, &ann_out, 53, 4000), udp4(&dan_in, &ann, 53, 4000), IN_CONFIRMS);
	assert_int_equal(endpoints(f), 0);
}

/* --- floating IPs --- */

static void floating_world(struct fixture *f)
{
	natted_world(f, 2);
	floating_add(f, ROUTER, FLOATING, ann.v4);
	allow(f, (struct allow){ .id = FREE_RULE, .policy = POLICY(1), .dir = HD_INGRESS });
}

static void floating_out(void **state)
{
	struct fixture *f = *state;

	floating_world(f);
	becomes(f, 1, ask(4000), asked(&floating, 4000), OUT_BEGINS);
	becomes(f, 4, udp4(&dan, &floating, 53, 4000), udp4(&dan_in, &ann, 53, 4000), IN_CONFIRMS);
	becomes(f, 1, ask(4000), asked(&floating, 4000), OUT_GOES_ON);
	assert_int_equal(endpoints(f), 0);
}

static void floating_in(void **state)
{
	struct fixture *f = *state;
	struct pkt_segment syn = { PKT_SYN, 100, 0, 1000, -1 };
	struct pkt got, quote;

	floating_world(f);
	becomes(f, 4, udp4(&dan, &floating, 4000, 53), udp4(&dan_in, &ann, 4000, 53),
		"in 4, routed udp begins, rules 11, out 1, redirect");
	becomes(f, 1, to_router(udp4(&ann, &dan, 53, 4000)), udp4(&floating, &dan, 53, 4000),
		"in 1, routed udp established for good, rules 11, out 4, redirect");
	becomes(f, 5, tcp4(&eve, &floating, 4000, 80, syn, 0),
		tcp4(&eve_in, &ann, 4000, 80, syn, 0),
		"in 5, routed tcp begins, rules 11, out 1, redirect");
	becomes(f, 4, icmp4(&dan, &floating, 8, 0, 5), icmp4(&dan_in, &ann, 8, 0, 5),
		"in 4, routed icmp begins, rules 11, out 1, redirect");
	becomes(f, 1, to_router(icmp4(&ann, &dan, 0, 0, 5)), icmp4(&floating, &dan, 0, 0, 5),
		"in 1, routed icmp established for good, rules 11, out 4, redirect");
	/* An error about it, out and in. */
	got = going(udp4(&dan_in, &ann, 4000, 53));
	quote = with_target(got, FLOATING);
	becomes(f, 1, to_router(error_about(&ann, &dan, 3, 3, 0, &got)),
		error_about(&floating, &dan, 3, 3, 0, &quote), "in 1, out 4, redirect");
	got = going(udp4(&floating, &dan, 53, 4000));
	quote = with_source(got, ann.v4);
	becomes(f, 5, error_about(&eve, &floating, 3, 4, 1280, &got),
		error_about(&eve_in, &ann, 3, 4, 1280, &quote), "in 5, out 1, redirect");
}

/* The rules of who is inside decide. */
static void floating_and_rules(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 2);
	floating_add(f, ROUTER, FLOATING, ann.v4);
	dropped(f, 4, udp4(&dan, &floating, 4000, 53),
		"in 4, drop group-ingress at 1 in routed-flow, shot");
}

static struct pkt protocol(const struct host *from, const struct host *to, uint8_t proto)
{
	struct pkt p = ip4(from, to, proto);

	pkt_bytes(&p, 40);
	pkt_end(&p);
	return p;
}

static void without_ports(void **state)
{
	struct fixture *f = *state;

	natted_world(f, 2);
	dropped(f, 1, to_router(protocol(&ann, &dan, IPPROTO_GRE)),
		"in 1, routed proto47 begins, rules 1, drop nat-protocol at 1 in routed-flow, shot");
	floating_add(f, ROUTER, FLOATING, ann.v4);
	becomes(f, 1, to_router(protocol(&ann, &dan, IPPROTO_GRE)),
		protocol(&floating, &dan, IPPROTO_GRE),
		"in 1, routed proto47 waits, rules 1, out 4, redirect");
	becomes(f, 4, protocol(&dan, &floating, IPPROTO_GRE), protocol(&dan_in, &ann, IPPROTO_GRE),
		"in 4, routed proto47 established for good, rules 1, out 1, redirect");
}

/* It has no ports as far as heddle knows, but a checksum that covers the addresses (RFC 4340 section 9). */
static void dccp(void **state)
{
	struct fixture *f = *state;
	struct pkt in, out;

	natted_world(f, 2);
	floating_add(f, ROUTER, FLOATING, ann.v4);
	in = to_router(protocol(&ann, &dan, IPPROTO_DCCP));
	out = protocol(&floating, &dan, IPPROTO_DCCP);
	pkt_set16(&in, ETH_HLEN + 20 + 6, 0x1234);
	pkt_set16(&out, ETH_HLEN + 20 + 6, csum_after(0x1234, &ann, &floating, 0, 0));
	becomes(f, 1, in, out, "in 1, routed proto33 begins, rules 1, out 4, redirect");
}

int nat_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(udp),
		TEST(udp_without_checksum),
		TEST(tcp),
		TEST(ping),
		TEST(pieces),
		TEST(errors_in),
		TEST(errors_in_about_ping),
		TEST(errors_out),
		TEST(damaged_errors),
		TEST(other_icmp),
		TEST(udp_patience),
		TEST(tcp_patience),
		TEST(ping_patience),
		TEST(simultaneous_open),
		TEST(not_to_be_guessed),
		TEST(one_after_the_other),
		TEST(not_all_to_one),
		TEST(own_ports_behind_a_hole),
		TEST(head_beyond_tail),
		TEST(another_address),
		TEST(no_room),
		TEST(half_an_endpoint),
		TEST(independent_of_the_remote),
		TEST(closed),
		TEST(closed_to_flows_too),
		TEST(queries_are_no_answers),
		TEST(whose_mac_it_is),
		TEST(without_translation),
		TEST(floating_out),
		TEST(floating_in),
		TEST(floating_and_rules),
		TEST(without_ports),
		TEST(dccp),
	};

	return cmocka_run_group_tests_name("nat", tests, NULL, NULL);
}
