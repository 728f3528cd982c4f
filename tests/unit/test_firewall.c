// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_firewall.c - firewalls of routers: what is refused, order and numbers of rules, and rows that decide what the rules say
 *
 * The property test draws rules and packets. Each packet is decided twice: by the rules as they were drawn, one after the other, and by looking rows up
 * the way the datapath does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "compile/compile.h"
#include "compile/rows.h"
#include "heddle/firewall.h"

static const struct hd_limits limits = { .ports = 64, .networks = 64, .rule_ids = 200 };

static int try_put(struct hd_model *model, enum hd_noun_id noun, const char *name,
		   const char *options, struct hd_error *err)
{
	const struct hd_object *old = hd_model_get(model, noun, name);
	_json_ json_t *given = json_loads(options, 0, NULL);
	struct hd_object *object = NULL;
	_json_ json_t *spec = NULL;
	int r;

	assert_non_null(given);
	r = hd_spec_canonical(&hd_nouns[noun], name, given, false, &spec, err);
	if (r == 0)
		r = hd_spec_complete(model, NULL, &hd_nouns[noun], old, &limits, spec, err);
	if (r == 0)
		r = hd_object_renew(old, &hd_nouns[noun], name, spec, &object, err);
	if (r == 0)
		r = hd_model_put(model, object);
	hd_object_unref(object);
	return r;
}

static void put(struct hd_model *model, enum hd_noun_id noun, const char *name, const char *options)
{
	struct hd_error err = { 0 };

	if (try_put(model, noun, name, options, &err) < 0)
		fail_msg("%s", err.message);
}

/* The rules of firewall f of router r. */
static void put_rules(struct hd_model *model, const char *rules)
{
	_free_ char *options = NULL;

	assert_true(asprintf(&options, "{\"router\":\"r\",\"rules\":[%s]}", rules) >= 0);
	put(model, HD_NOUN_FIREWALL, "f", options);
}

static int setup(void **state)
{
	struct hd_model *model = *state = hd_model_new();

	assert_non_null(model);
	put(model, HD_NOUN_ROUTER, "r", "{}");
	put(model, HD_NOUN_ROUTER, "s", "{}");
	return 0;
}

static int teardown(void **state)
{
	hd_model_free(*state);
	return 0;
}

/* ---- what is refused ---- */

#define RULE(more) "{\"router\":\"r\",\"rules\":[{\"action\":\"deny\"," more "}]}"

static void refusals(void **state)
{
	static const struct {
		const char *options, *message;
	} cases[] = {
		{ "{}", "missing option: router" },
		{ "{\"router\":\"r\",\"rules\":[{\"protocol\":\"tcp\"}]}",
		  "missing option: action" },
		{ "{\"router\":\"r\",\"rules\":[{\"action\":\"drop\"}]}",
		  "option action: expected" },
		{ RULE("\"port\":80"), "port needs protocol tcp" },
		{ RULE("\"port\":80,\"protocol\":\"icmp\""), "port needs protocol tcp" },
		{ RULE("\"port\":\"90-80\",\"protocol\":\"tcp\""), "option port: expected" },
		{ RULE("\"port\":65536,\"protocol\":\"tcp\""), "option port: expected" },
		{ RULE("\"from\":\"10.0.0.1/8\""), "option from: " },
		{ RULE("\"from\":\"10.0.0.0/8\",\"to\":\"2001:db8::/32\""), "not of one family" },
		{ RULE("\"to\":\"10.0.0.0/8\",\"protocol\":\"icmpv6\""), "protocol's family" },
		{ RULE("\"from\":\"2001:db8::/32\",\"protocol\":\"icmp\""), "protocol's family" },
		{ RULE("\"position\":1"), "unknown option position" },
		{ RULE("\"remote\":\"10.0.0.0/8\""), "unknown option remote" },
		{ "{\"router\":\"r\",\"rules\":[{\"action\":\"deny\"},{\"action\":\"deny\",\"id\":9}]}",
		  "is there twice" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_error err = { 0 };

		assert_true(try_put(*state, HD_NOUN_FIREWALL, "f", cases[i].options, &err) < 0);
		if (!strstr(err.message, cases[i].message) || err.code != HD_ERR_INVALID)
			fail_msg("%s: %s", cases[i].options, err.message);
	}
}

static void one_for_a_router(void **state)
{
	struct hd_error err = { 0 };

	put(*state, HD_NOUN_FIREWALL, "f", "{\"router\":\"r\"}");
	put(*state, HD_NOUN_FIREWALL, "g", "{\"router\":\"s\"}");
	assert_int_equal(hd_model_validate(*state, &err), 0);
	put(*state, HD_NOUN_FIREWALL, "g", "{\"router\":\"r\"}");
	assert_true(hd_model_validate(*state, &err) < 0);
	assert_int_equal(err.code, HD_ERR_CONFLICT);
	assert_string_equal(err.message, "firewall g: router r is already used by firewall f");
	put(*state, HD_NOUN_FIREWALL, "g", "{\"router\":\"t\"}");
	assert_true(hd_model_validate(*state, &err) < 0);
	assert_int_equal(err.code, HD_ERR_NOT_FOUND);
}

/* ---- order and numbers ---- */

/* "ID:PORT ..." in order */
static void assert_rules(const struct hd_model *model, const char *expected)
{
	const struct hd_firewall *f = &hd_model_get(model, HD_NOUN_FIREWALL, "f")->view.firewall;
	char text[512] = "", *at = text;

	for (size_t i = 0; i < f->n_rules; i++)
		at += sprintf(at, "%s%u:%u", i ? " " : "", f->rules[i].id, f->rules[i].first);
	assert_string_equal(text, expected);
}

#define PORT(n) "{\"action\":\"deny\",\"protocol\":\"tcp\",\"port\":" #n "}"

static void numbers_stay(void **state)
{
	put_rules(*state, PORT(30) "," PORT(10) "," PORT(20));
	assert_rules(*state, "3:30 4:10 5:20");
	put_rules(*state, PORT(5) "," PORT(30) "," PORT(10) "," PORT(20));
	assert_rules(*state, "6:5 3:30 4:10 5:20");
	put_rules(*state, PORT(20) "," PORT(30));
	assert_rules(*state, "5:20 3:30");
	put(*state, HD_NOUN_GROUP, "g", "{\"rules\":[{\"direction\":\"egress\"}]}");
	put_rules(*state, PORT(20) "," PORT(30) "," PORT(40));
	assert_rules(*state, "5:20 3:30 6:40"); /* 4 is that of the group */
	assert_ptr_equal(hd_model_rule_group(*state, 4), hd_model_get(*state, HD_NOUN_GROUP, "g"));
	assert_ptr_equal(hd_model_rule_group(*state, 6),
			 hd_model_get(*state, HD_NOUN_FIREWALL, "f"));
}

static void differences(void **state)
{
	static const struct {
		const char *from, *to, *removed, *added;
	} cases[] = {
		{ "[1,2,3]", "[1,2,3]", "[]", "[]" }, { "[1,2,3]", "[1,9,2,3]", "[]", "[9]" },
		{ "[1,2,3]", "[1,3]", "[2]", "[]" },  { "[1,2,3]", "[1,3,2]", "[2,3]", "[3,2]" },
		{ "[1,1]", "[1,1,1]", "[]", "[1]" },  { "[]", "[1]", "[]", "[1]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_json_ json_t *from = json_loads(cases[i].from, 0, NULL);
		_json_ json_t *to = json_loads(cases[i].to, 0, NULL);
		_json_ json_t *removed = json_array();
		_json_ json_t *added = json_array();
		_free_ char *gone = NULL;
		_free_ char *new = NULL;

		hd_items_compare(&hd_fw_rule_noun, from, to, removed, added);
		gone = json_dumps(removed, JSON_COMPACT);
		new = json_dumps(added, JSON_COMPACT);
		assert_string_equal(gone, cases[i].removed);
		assert_string_equal(new, cases[i].added);
	}
}

/* ---- rows ---- */

static int compile(const struct hd_model *model, struct hd_tables *out, uint32_t *policy,
		   struct hd_error *err)
{
	int r;

	hd_tables_init(out);
	r = hd_compile_firewall(model, "r", out, policy, err);
	hd_table_sort(&out->table[HD_TABLE_FW_RULES]);
	hd_table_sort(&out->table[HD_TABLE_FW_SHAPES]);
	return r;
}

static uint32_t policy_of(const struct hd_model *model)
{
	struct hd_tables out;
	uint32_t policy;

	assert_int_equal(compile(model, &out, &policy, NULL), 0);
	hd_tables_done(&out);
	return policy;
}

static void policies(void **state)
{
	uint32_t empty, one, two;

	assert_int_equal(policy_of(*state), 0);
	put(*state, HD_NOUN_FIREWALL, "f", "{\"router\":\"r\"}");
	empty = policy_of(*state);
	put_rules(*state, PORT(10) "," PORT(20));
	one = policy_of(*state);
	assert_int_equal(one, policy_of(*state));
	put_rules(*state, PORT(20) "," PORT(10));
	two = policy_of(*state);
	assert_true(empty && one && two && empty != one && one != two);
	put_rules(*state, PORT(10) "," PORT(20));
	assert_int_equal(policy_of(*state), one);
}

/* Each pair of lengths is a shape. */
static void shapes(void **state)
{
	struct hd_error err = { 0 };
	char rules[32768] = "", *at = rules;
	struct hd_tables out;
	uint32_t policy;
	int r;

	for (int n = 0; n <= HD_FW_SHAPES_MAX; n++) {
		at += sprintf(
			at,
			"%s{\"action\":\"allow\",\"from\":\"0.0.0.0/%d\",\"to\":\"0.0.0.0/%d\"}",
			n ? "," : "", n % 16, n / 16);
		put_rules(*state, rules);
		r = compile(*state, &out, &policy, &err);
		if (r == 0)
			assert_int_equal(out.table[HD_TABLE_FW_RULES].n, n + 1);
		assert_int_equal(r, n < HD_FW_SHAPES_MAX ? 0 : -EOVERFLOW);
		hd_tables_done(&out);
	}
	assert_int_equal(err.code, HD_ERR_INVALID);
	assert_non_null(
		strstr(err.message, "firewall f: its rules have more than 128 combinations"));
}

/* ---- what rows decide is what the rules say ---- */

#define N_RULES 12

/* @len: of a prefix, -1 = none. @proto: -1 = any */
struct rule {
	int action, proto, first, last;
	bool v6;
	uint8_t addr[2][16];
	int len[2];
};

struct packet {
	bool v6;
	uint8_t addr[2][16];
	uint8_t proto;
	uint16_t port;
};

static unsigned int seed;

static int pick(int n)
{
	return (int)((unsigned int)rand_r(&seed) % (unsigned int)n);
}

/* Few addresses, so that they meet. */
static void draw_address(bool v6, uint8_t ret[16])
{
	memset(ret, 0, 16);
	ret[0] = v6 ? 0x20 : 10;
	ret[v6 ? 15 : 3] = (uint8_t)pick(4);
	ret[v6 ? 7 : 2] = (uint8_t)(pick(2) << 7);
}

static bool bit(const uint8_t addr[16], int i)
{
	return addr[i / 8] >> (7 - i % 8) & 1;
}

static void draw_rule(struct rule *rule)
{
	static const int lens4[] = { 0, 8, 17, 30, 31, 32 }, lens6[] = { 0, 3, 57, 64, 127, 128 };
	static const int protos[] = { -1, 6, 6, 17, 47 };

	rule->action = pick(3);
	rule->proto = protos[pick(5)];
	rule->v6 = pick(2);
	rule->first = 0;
	rule->last = 65535;
	if ((rule->proto == 6 || rule->proto == 17) && pick(3)) {
		rule->first = 1020 + pick(10);
		rule->last = rule->first + (pick(2) ? 0 : pick(40));
	}
	for (int k = 0; k < 2; k++) {
		rule->len[k] = pick(3) ? (rule->v6 ? lens6 : lens4)[pick(6)] : -1;
		draw_address(rule->v6, rule->addr[k]);
		for (int i = rule->len[k] < 0 ? 0 : rule->len[k]; i < 128; i++)
			rule->addr[k][i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	}
}

static void write_rule(const struct rule *rule, char **at)
{
	static const char *const actions[] = { "allow", "deny", "reject" }, *const keys[] = {
		"from", "to"
	};
	char ip[64];

	*at += sprintf(*at, "{\"action\":\"%s\"", actions[rule->action]);
	if (rule->proto >= 0)
		*at += sprintf(*at, ",\"protocol\":\"%d\"", rule->proto);
	if (rule->first || rule->last < 65535)
		*at += sprintf(*at, ",\"port\":\"%d-%d\"", rule->first, rule->last);
	for (int k = 0; k < 2; k++) {
		if (rule->len[k] < 0)
			continue;
		(void)inet_ntop(rule->v6 ? AF_INET6 : AF_INET, rule->addr[k], ip, sizeof(ip));
		*at += sprintf(*at, ",\"%s\":\"%s/%d\"", keys[k], ip, rule->len[k]);
	}
	*at += sprintf(*at, "}");
}

static bool matches(const struct rule *rule, const struct packet *p)
{
	bool any_family = rule->len[0] < 0 && rule->len[1] < 0;

	if ((!any_family && rule->v6 != p->v6) || (rule->proto >= 0 && rule->proto != p->proto))
		return false;
	for (int k = 0; k < 2; k++)
		for (int i = 0; i < rule->len[k]; i++)
			if (bit(rule->addr[k], i) != bit(p->addr[k], i))
				return false;
	return rule->first == 0 || (p->port >= rule->first && p->port <= rule->last);
}

static bool same(const struct rule *a, const struct rule *b)
{
	char x[512], y[512], *one = x, *two = y;

	write_rule(a, &one);
	write_rule(b, &two);
	return !strcmp(x, y);
}

static size_t draw_rules(struct rule rules[N_RULES], char *text)
{
	size_t n = 0;

	for (size_t tries = 0; tries < N_RULES; tries++) {
		bool twice = false;

		draw_rule(&rules[n]);
		for (size_t i = 0; i < n; i++)
			twice |= same(&rules[i], &rules[n]);
		if (twice)
			continue;
		if (n)
			text += sprintf(text, ",");
		write_rule(&rules[n++], &text);
	}
	return n;
}

static void mask(const uint8_t addr[16], uint8_t len, __be32 ret[4])
{
	uint8_t *bytes = (uint8_t *)ret;

	memcpy(bytes, addr, 16);
	for (int i = len; i < 128; i++)
		bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

/* As fw_step() in bpf/lib/firewall.h. Return: position, 0 = no row matches */
static uint32_t look_up(const struct hd_tables *out, uint32_t policy, const struct packet *p,
			uint32_t *ret_action)
{
	const struct hd_fw_shapes *shapes = hd_table_find(&out->table[HD_TABLE_FW_SHAPES], &policy);
	uint32_t best = UINT32_MAX;

	for (uint32_t i = 0; i < shapes->n[p->v6]; i++) {
		const struct hd_fw_shape *shape = &shapes->shape[p->v6][i];
		struct hd_fw_key key = { .policy = policy,
					 .from_len = shape->from_len,
					 .to_len = shape->to_len,
					 .flags = shape->flags,
					 .port_len = shape->port_len };
		const struct hd_fw_value *value;

		if (shape->first > best)
			break;
		key.proto = shape->flags & HD_FW_PROTO ? p->proto : 0;
		key.port = (uint16_t)(p->port & (0xffff0000u >> shape->port_len));
		mask(p->addr[0], shape->from_len, key.from);
		mask(p->addr[1], shape->to_len, key.to);
		value = hd_table_find(&out->table[HD_TABLE_FW_RULES], &key);
		if (!value || ntohl(value->position) >= best)
			continue;
		best = ntohl(value->position);
		*ret_action = value->action;
	}
	return best == UINT32_MAX ? 0 : best;
}

static void check_packets(const struct rule *rules, size_t n, const struct hd_tables *out,
			  uint32_t policy, const char *text)
{
	static const uint8_t protos[] = { 6, 17, 47 };

	for (int i = 0; i < 300; i++) {
		struct packet p = { .v6 = pick(2),
				    .proto = protos[pick(3)],
				    .port = (uint16_t)(1015 + pick(60)) };
		uint32_t action = 0, got;
		size_t expected = 0;

		if (p.proto == 47)
			p.port = 47; /* as the datapath has it */
		draw_address(p.v6, p.addr[0]);
		draw_address(p.v6, p.addr[1]);
		while (expected < n && !matches(&rules[expected], &p))
			expected++;
		got = look_up(out, policy, &p, &action);
		if (got != (expected < n ? expected + 1 : 0))
			fail_msg("seed %u, packet %d: position %u, not %zu of [%s]", seed, i, got,
				 expected + 1, text);
		if (got)
			assert_int_equal(action, rules[expected].action);
	}
}

static void rows_say_what_rules_say(void **state)
{
	char text[N_RULES * 512];
	struct rule rules[N_RULES];
	struct hd_tables out;
	uint32_t policy;

	for (unsigned int round = 0; round < 200; round++) {
		size_t n;

		seed = round;
		n = draw_rules(rules, text);
		put_rules(*state, text);
		assert_int_equal(compile(*state, &out, &policy, NULL), 0);
		check_packets(rules, n, &out, policy, text);
		hd_tables_done(&out);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(refusals),
		TEST(one_for_a_router),
		TEST(numbers_stay),
		TEST(differences),
		TEST(policies),
		TEST(shapes),
		TEST(rows_say_what_rules_say),
	};

	return cmocka_run_group_tests_name("firewall", tests, NULL, NULL);
}
