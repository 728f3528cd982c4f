// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_firewall.c - the firewall of a router, in the world of routed.h: which row decides, what it sees, what it tells, and what of it a flow remembers
 *
 * cat (port 3) and dan (port 4) have no security; ann (1) and bob (2) have.
 */
#include "heddle/firewall.h"
#include "tests/prog/natted.h"

#include <bpf/bpf.h>

#define SET 77
#define RULE 20 /* the stories know it as well */
_Static_assert(RULE > FREE_RULE, "the rules of secure.h");

#define BEGINS "in 3, routed udp begins, out 4, redirect"
#define BEGINS_BY(rule) "in 3, routed udp begins, rules " #rule ", out 4, redirect"
#define DENIED(rule) "in 3, rules " #rule ", drop firewall/" #rule " at 3 in routed-flow, shot"
#define REJECTED(rule)                                                                             \
	"in 3, rules " #rule ", out 3, drop firewall/" #rule " at 3 in tell, redirect"

/**
 * struct row - one of a rule set
 * @at:    position
 * @from:  NULL = any; with @from_len bits
 * @proto: 0 = any
 */
struct row {
	uint32_t at;
	uint32_t rule;
	enum hd_fw_action action;
	bool v6;
	const char *from;
	uint8_t from_len;
	const char *to;
	uint8_t to_len;
	uint8_t proto;
	uint16_t port;
	uint8_t port_len;
};

static void put(const struct bpf_map *map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), 0);
}

static bool is_same(const struct hd_fw_shape *a, const struct hd_fw_shape *b)
{
	return a->from_len == b->from_len && a->to_len == b->to_len && a->flags == b->flags &&
	       a->port_len == b->port_len;
}

/* Rows come in order of their positions. */
static void note_shape(struct hd_fw_shapes *shapes, bool v6, struct hd_fw_shape shape)
{
	for (uint32_t i = 0; i < shapes->n[v6]; i++)
		if (is_same(&shapes->shape[v6][i], &shape))
			return;
	shapes->shape[v6][shapes->n[v6]++] = shape;
}

static void rows_put(struct fixture *f, uint32_t policy, const struct row *rows, size_t n)
{
	struct hd_fw_shapes shapes = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		struct hd_fw_key key = { .policy = policy,
					 .from_len = r->from_len,
					 .to_len = r->to_len,
					 .flags = (r->v6 ? HD_FW_IPV6 : 0) |
						  (r->proto ? HD_FW_PROTO : 0),
					 .port_len = r->port_len,
					 .port = r->port,
					 .proto = r->proto };
		struct hd_fw_value value = { .position = htonl(r->at),
					     .rule = r->rule,
					     .action = r->action };

		if (r->from)
			pkt_address(r->v6 ? AF_INET6 : AF_INET, r->from, key.from);
		if (r->to)
			pkt_address(r->v6 ? AF_INET6 : AF_INET, r->to, key.to);
		put(f->skel->maps.hd_fw_rules, &key, &value);
		note_shape(&shapes, r->v6,
			   (struct hd_fw_shape){ r->from_len, r->to_len, key.flags, r->port_len,
						 r->at });
	}
	put(f->skel->maps.hd_fw_shapes, &policy, &shapes);
}

/* The router gets a rule set, and with it another generation. */
static void set_policy(struct fixture *f, uint32_t policy)
{
	struct hd_port_value router = port_get(f, ROUTER);

	router.policy = policy;
	router.gen += 1000;
	port_put(f, ROUTER, router);
}

#define firewall(f, ...)                                                                           \
	do {                                                                                       \
		const struct row rows_[] = { __VA_ARGS__ };                                        \
                                                                                                   \
		rows_put(f, SET, rows_, sizeof(rows_) / sizeof(rows_[0]));                         \
		set_policy(f, SET);                                                                \
	} while (0)

static struct pkt ask(uint16_t port)
{
	return to_router(udp4(&cat, &dan, 4000, port));
}

static struct pkt answer(uint16_t port)
{
	return to_router(udp4(&dan, &cat, port, 4000));
}

static void goes_on(struct fixture *f, uint32_t number, struct pkt in, const uint8_t mac[6],
		    const char *story)
{
	struct pkt out = routed(in, mac);

	enters_as(f, number, &in, &out, story);
}

static void stays(struct fixture *f, uint32_t number, struct pkt in, const char *story)
{
	enters(f, number, &in, story);
}

/* Without rules nothing is asked, but there is a flow: a rule that comes later shall not cut what is there. */
static void empty(void **state)
{
	struct fixture *f = *state;

	routed_world(f);
	goes_on(f, 3, ask(53), dan.mac, "in 3, out 4, redirect");
	rows_put(f, SET, NULL, 0);
	set_policy(f, SET);
	goes_on(f, 3, ask(53), dan.mac, BEGINS);
	goes_on(f, 4, answer(53), cat.mac,
		"in 4, routed udp established for good, out 3, redirect");
}

/* Of several that match it is the lowest position, whichever shape is asked first. */
static void first_match(void **state)
{
	struct fixture *f = *state;

	routed_world(f);
	firewall(
		f,
		{ .at = 1,
		  .rule = RULE,
		  .action = HD_FW_ALLOW,
		  .proto = IPPROTO_UDP,
		  .port = 53,
		  .port_len = 16 },
		{ .at = 2, .rule = RULE + 1, .action = HD_FW_DENY, .from = cat.v4, .from_len = 32 },
		{ .at = 3, .rule = RULE + 2, .action = HD_FW_ALLOW });
	goes_on(f, 3, ask(53), dan.mac, BEGINS_BY(20));
	stays(f, 3, ask(54), DENIED(21));
	goes_on(f, 4, answer(54), cat.mac, "in 4, routed udp begins, rules 22, out 3, redirect");
	firewall(
		f,
		{ .at = 2, .rule = RULE + 1, .action = HD_FW_DENY, .from = cat.v4, .from_len = 32 },
		{ .at = 3, .rule = RULE + 2, .action = HD_FW_ALLOW },
		{ .at = 4,
		  .rule = RULE,
		  .action = HD_FW_ALLOW,
		  .proto = IPPROTO_UDP,
		  .port = 53,
		  .port_len = 16 });
	stays(f, 3, to_router(udp4(&cat, &dan, 4001, 53)), DENIED(21));
}

/* Shapes are asked in the order of their first rows, and what matches in a later one may stand behind what was found. */
static void crossed(void **state)
{
	struct fixture *f = *state;

	routed_world(f);
	firewall(
		f, { .at = 1, .rule = RULE, .action = HD_FW_ALLOW, .from = eve.v4, .from_len = 32 },
		{ .at = 2, .rule = RULE + 1, .action = HD_FW_ALLOW, .to = eve.v4, .to_len = 32 },
		{ .at = 3, .rule = RULE + 2, .action = HD_FW_DENY, .from = cat.v4, .from_len = 32 },
		{ .at = 4, .rule = RULE + 3, .action = HD_FW_ALLOW, .to = dan.v4, .to_len = 32 });
	stays(f, 3, ask(53), DENIED(22));
	firewall(f,
		 { .at = 1, .rule = RULE, .action = HD_FW_ALLOW, .from = eve.v4, .from_len = 32 },
		 { .at = 2, .rule = RULE + 1, .action = HD_FW_DENY, .to = dan.v4, .to_len = 32 },
		 { .at = 3,
		   .rule = RULE + 2,
		   .action = HD_FW_ALLOW,
		   .from = cat.v4,
		   .from_len = 32 });
	stays(f, 3, ask(53), DENIED(21));
}

/* Each field that a shape looks at. */
static void fields(void **state)
{
	struct fixture *f = *state;

	routed_world(f);
	firewall(f, { .at = 1,
		      .rule = RULE,
		      .action = HD_FW_DENY,
		      .from = "192.0.2.0",
		      .from_len = 28,
		      .to = "198.51.100.12",
		      .to_len = 30,
		      .proto = IPPROTO_UDP,
		      .port = 48,
		      .port_len = 12 });
	stays(f, 3, ask(48), DENIED(20));
	stays(f, 3, ask(63), DENIED(20));
	goes_on(f, 3, ask(64), dan.mac, BEGINS);
	goes_on(f, 3, with_source(ask(50), "192.0.2.16"), dan.mac, BEGINS);
	goes_on(f, 3,
		to_router(tcp4(&cat, &dan, 4000, 50, (struct pkt_segment){ PKT_SYN, 1, 0, 100, -1 },
			       0)),
		dan.mac, "in 3, routed tcp begins, out 4, redirect");
	stays(f, 1, to_router(udp4(&ann, &dan, 4000, 53)),
	      "in 1, rules 20, drop firewall/20 at 1 in routed-flow, shot");
}

static void ipv6(void **state)
{
	struct fixture *f = *state;
	struct pkt in, error;

	routed_world(f);
	firewall(f, { .at = 1,
		      .rule = RULE,
		      .action = HD_FW_REJECT,
		      .v6 = true,
		      .to = "2001:db8:2::",
		      .to_len = 64,
		      .proto = IPPROTO_UDP });
	goes_on(f, 3, ask(53), dan.mac, BEGINS);
	in = to_router(udp6(&cat, &dan, 4000, 53));
	error = told(&in, GATE1_6, 1, 1, 0);
	enters_as(f, 3, &in, &error, REJECTED(20));
}

/* A rule set that is not there: closed. */
static void missing(void **state)
{
	struct fixture *f = *state;

	routed_world(f);
	set_policy(f, SET + 1);
	stays(f, 3, ask(53), "in 3, drop firewall at 3 in routed-flow, shot");
}

/* Before the rules of ports: who is refused by both is refused by the firewall. */
static void before_groups(void **state)
{
	struct fixture *f = *state;

	routed_world(f);
	firewall(f, { .at = 1, .rule = RULE, .action = HD_FW_DENY, .to = bob.v4, .to_len = 32 });
	stays(f, 1, to_router(udp4(&ann, &bob, 4000, 99)),
	      "in 1, rules 20, drop firewall/20 at 1 in routed-flow, shot");
	set_policy(f, 0);
	stays(f, 1, to_router(udp4(&ann, &bob, 4000, 99)),
	      "in 1, drop group-ingress at 2 in routed-flow, shot");
}

/* What a RST is made of (RFC 9293 section 3.10.7.1). */
static struct pkt reset(const struct host *from, const struct host *to, bool v6, uint8_t flags,
			uint32_t seq, uint32_t ack)
{
	struct pkt_segment rst = { flags, seq, ack, 0, -1 };
	struct pkt p = v6 ? tcp6(from, to, 80, 4000, rst, 0) : tcp4(from, to, 80, 4000, rst, 0);

	memcpy(p.data, to->mac, 6);
	memcpy(p.data + 6, MAC_ROUTER, 6);
	return p;
}

static void rejects_tcp(void **state)
{
	static const struct {
		struct pkt_segment in;
		uint32_t payload;
		uint8_t flags;
		uint32_t seq, ack;
	} cases[] = {
		{ { PKT_SYN, 100, 0, 1000, -1 }, 0, PKT_RST | PKT_ACK, 0, 101 },
		{ { PKT_SYN, 100, 0, 1000, 7 }, 10, PKT_RST | PKT_ACK, 0, 111 },
		{ { PKT_SYN, UINT32_MAX, 0, 1000, -1 }, 0, PKT_RST | PKT_ACK, 0, 0 },
	};
	struct fixture *f = *state;

	for (int v6 = 0; v6 < 2; v6++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct pkt in, out = reset(&dan, &cat, v6, cases[i].flags, cases[i].seq,
						   cases[i].ack);

			fixture_resize(f, (struct sizes){ 0 });
			routed_world(f);
			firewall(f, { .at = 1, .rule = RULE, .action = HD_FW_REJECT, .v6 = v6 });
			in = to_router(
				v6 ? tcp6(&cat, &dan, 4000, 80, cases[i].in, cases[i].payload)
				   : tcp4(&cat, &dan, 4000, 80, cases[i].in, cases[i].payload));
			enters_as(f, 3, &in, &out, REJECTED(20));
		}
}

/* An established connection that is rejected from now on: the next segment is answered, but no RST. */
static void rejects_established(void **state)
{
	struct pkt syn = to_router(tcp4(&cat, &dan, 4000, 80,
					(struct pkt_segment){ PKT_SYN, 100, 0, 1000, -1 }, 0)),
		   syn_ack = to_router(
			   tcp4(&dan, &cat, 80, 4000,
				(struct pkt_segment){ PKT_SYN | PKT_ACK, 500, 101, 1000, -1 }, 0)),
		   ack = to_router(tcp4(&cat, &dan, 4000, 80,
					(struct pkt_segment){ PKT_ACK, 101, 501, 1000, -1 }, 0)),
		   rst = to_router(tcp4(&cat, &dan, 4000, 80,
					(struct pkt_segment){ PKT_RST, 101, 0, 1000, -1 }, 0)),
		   out;
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		fixture_resize(f, (struct sizes){ 0 });
		routed_world(f);
		rows_put(f, SET, NULL, 0);
		set_policy(f, SET);
		assert_int_equal(run_in(f, 3, &syn), REDIRECTED);
		assert_int_equal(run_in(f, 4, &syn_ack), REDIRECTED);
		assert_int_equal(run_in(f, 3, &ack), REDIRECTED);
		firewall(f, { .at = 1, .rule = RULE, .action = HD_FW_REJECT });
		out = reset(&dan, &cat, false, PKT_RST, 501, 0);
		if (i)
			stays(f, 3, rst,
			      "in 3, routed tcp ends, rules 20, drop firewall/20 at 3 in tell, shot");
		else
			enters_as(
				f, 3, &ack, &out,
				"in 3, routed tcp ends, rules 20, out 3, drop firewall/20 at 3 in tell, redirect");
	}
}

static void rejects_others(void **state)
{
	struct fixture *f = *state;
	struct pkt in, error;

	routed_world(f);
	firewall(f, { .at = 1, .rule = RULE, .action = HD_FW_REJECT });
	in = ask(53);
	error = told(&in, GATE1, 3, 13, 0);
	enters_as(f, 3, &in, &error, REJECTED(20));
	in = to_router(icmp4(&cat, &dan, 8, 0, 7));
	error = told(&in, GATE1, 3, 13, 0);
	enters_as(f, 3, &in, &error, REJECTED(20));
}

/* A change: what is still allowed goes on, whichever rule allows it now; what is not ends, whichever side sends next. */
static void changes(void **state)
{
	struct fixture *f = *state;

	routed_world(f);
	firewall(f,
		 { .at = 1, .rule = RULE, .action = HD_FW_ALLOW, .from = cat.v4, .from_len = 32 });
	goes_on(f, 3, ask(53), dan.mac, BEGINS_BY(20));
	goes_on(f, 4, answer(53), cat.mac,
		"in 4, routed udp established for good, rules 20, out 3, redirect");
	goes_on(f, 3, ask(53), dan.mac, "in 3, routed udp goes on, rules 20, out 4, redirect");
	goes_on(f, 4, answer(53), cat.mac, "in 4, routed udp goes on, rules 20, out 3, redirect");
	firewall(f, { .at = 1, .rule = RULE + 1, .action = HD_FW_ALLOW, .proto = IPPROTO_UDP },
		 { .at = 2, .rule = RULE + 2, .action = HD_FW_DENY });
	goes_on(f, 4, answer(53), cat.mac, "in 4, routed udp goes on, rules 21, out 3, redirect");
	goes_on(f, 3, ask(53), dan.mac, "in 3, routed udp goes on, rules 21, out 4, redirect");
	firewall(f,
		 { .at = 1, .rule = RULE, .action = HD_FW_DENY, .from = cat.v4, .from_len = 32 });
	stays(f, 4, answer(53),
	      "in 4, routed udp ends, rules 20, drop firewall/20 at 4 in routed-flow, shot");
	goes_on(f, 4, answer(53), cat.mac, "in 4, routed udp begins, out 3, redirect");
}

/* Sent on by the same router at another host: it has been asked there. It has a flow, since its answers leave from here. */
static void arrives_only(void **state)
{
	struct fixture *f = *state;
	struct pkt in;

	routed_world(f);
	port_flags(f, 5, UP | HD_PORT_ROUTED | HD_PORT_LEG);
	firewall(f, { .at = 1, .rule = RULE, .action = HD_FW_DENY });
	in = routed(ask(53), dan.mac);
	enters(f, 5, &in, "in 5, routed udp begins, out 4, redirect");
}

/* Tuples are those inside: of what comes by a floating IP, and of what is translated when it leaves. */
static void inside(void **state)
{
	struct fixture *f = *state;
	struct pkt in, error, out;

	natted_world(f, 4);
	floating_add(f, ROUTER, FLOATING, cat.v4);
	firewall(f,
		 { .at = 1,
		   .rule = RULE,
		   .action = HD_FW_REJECT,
		   .from = dan.v4,
		   .from_len = 32,
		   .to = cat.v4,
		   .to_len = 32 },
		 { .at = 2,
		   .rule = RULE + 1,
		   .action = HD_FW_DENY,
		   .from = cat.v4,
		   .from_len = 32,
		   .proto = IPPROTO_UDP });
	in = udp4(&dan, &floating, 4000, 53);
	error = told(&in, GATE, 3, 13, 0);
	enters_as(f, 4, &in, &error,
		  "in 4, rules 20, out 4, drop firewall/20 at 4 in tell, redirect");
	in = tcp4(&dan, &floating, 4000, 80, (struct pkt_segment){ PKT_SYN, 100, 0, 1000, -1 }, 0);
	out = tcp4(&floating, &dan, 80, 4000,
		   (struct pkt_segment){ PKT_RST | PKT_ACK, 0, 101, 0, -1 }, 0);
	enters_as(f, 4, &in, &out,
		  "in 4, rules 20, out 4, drop firewall/20 at 4 in tell, redirect");
	stays(f, 3, ask(53), DENIED(21));
	assert_int_equal(endpoints(f), 0);
}

int firewall_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty),	      TEST(first_match), TEST(crossed),
		TEST(fields),	      TEST(ipv6),	 TEST(missing),
		TEST(before_groups),  TEST(rejects_tcp), TEST(rejects_established),
		TEST(rejects_others), TEST(changes),	 TEST(arrives_only),
		TEST(inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
