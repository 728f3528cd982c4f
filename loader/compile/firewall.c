// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* firewall.c - from the firewall of a router to rows; see heddle/firewall.h */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "compile/rows.h"
#include "heddle/firewall.h"

/**
 * struct fw - a firewall being compiled
 * @policy: number of its rule set
 * @shapes: in use so far
 */
struct fw {
	const struct hd_object *object;
	struct hd_tables *out;
	struct hd_error *err;
	uint32_t policy;
	struct hd_fw_shapes shapes;
};

/** struct expansion - one rule becoming rows; @key, @value: what they have in common */
struct expansion {
	struct fw *fw;
	const struct hd_fw_rule *rule;
	struct hd_fw_key key;
	struct hd_fw_value value;
};

static uint32_t hash_ip(uint32_t h, bool has, const struct hd_ip *ip)
{
	return has ? hd_hash(hd_hash(h, ip->bytes, 16), &ip->prefix, 1) : hd_hash(h, "", 1);
}

/* All that a rule says, in its place. */
static uint32_t hash_rule(uint32_t h, const struct hd_fw_rule *rule)
{
	uint32_t words[] = { rule->id, rule->action, (uint32_t)rule->protocol, rule->first,
			     rule->last };

	h = hd_hash(h, words, sizeof(words));
	h = hash_ip(h, rule->has_from, &rule->from);
	return hash_ip(h, rule->has_to, &rule->to);
}

/* The same rules for two routers are two rule sets: one may be changed. */
static uint32_t policy_of(const struct hd_firewall *firewall)
{
	uint32_t h = hd_hash(HD_HASH_START, firewall->router, strlen(firewall->router) + 1);

	for (size_t i = 0; i < firewall->n_rules; i++)
		h = hash_rule(h, &firewall->rules[i]);
	return hd_hash_mix(h) ? hd_hash_mix(h) : 1;
}

static bool same_shape(const struct hd_fw_shape *shape, const struct hd_fw_key *key)
{
	return shape->from_len == key->from_len && shape->to_len == key->to_len &&
	       shape->flags == key->flags && shape->port_len == key->port_len;
}

static int too_many(const struct expansion *e)
{
	hd_error_set(e->fw->err, HD_ERR_INVALID,
		     "firewall %s: its rules have more than %d combinations of prefix lengths, "
		     "protocol and port ranges, of one family",
		     e->fw->object->name, HD_FW_SHAPES_MAX);
	hd_error_hint(e->fw->err, "use fewer different prefix lengths");
	hd_error_object(e->fw->err, e->fw->object->noun->name, e->fw->object->name);
	return -EOVERFLOW;
}

/* Rules come in their order: the one that brings a shape is the first of it, and the shapes are in order of that. */
static int note_shape(struct expansion *e)
{
	bool v6 = e->key.flags & HD_FW_IPV6;
	struct hd_fw_shape *shapes = e->fw->shapes.shape[v6];
	uint32_t *n = &e->fw->shapes.n[v6];

	for (uint32_t i = 0; i < *n; i++)
		if (same_shape(&shapes[i], &e->key))
			return 0;
	if (*n == HD_FW_SHAPES_MAX)
		return too_many(e);
	shapes[(*n)++] = (struct hd_fw_shape){ .from_len = e->key.from_len,
					       .to_len = e->key.to_len,
					       .flags = e->key.flags,
					       .port_len = e->key.port_len,
					       .first = ntohl(e->value.position) };
	return 0;
}

/* A row that an earlier rule has as well goes when the table is sorted; see struct hd_fw_value. */
static int add_port_blocks(struct expansion *e)
{
	uint32_t first = e->rule->first, last = e->rule->last;

	while (first <= last) {
		uint8_t len = hd_port_block(first, last);
		int r;

		e->key.port_len = len;
		e->key.port = (uint16_t)first;
		r = note_shape(e);
		if (r == 0)
			r = hd_table_add(&e->fw->out->table[HD_TABLE_FW_RULES], &e->key, &e->value);
		if (r < 0)
			return r;
		first += 1u << (16 - len);
	}
	return 0;
}

static int add_family(struct fw *fw, const struct hd_fw_rule *rule, uint32_t position, bool v4)
{
	struct expansion e = {
		.fw = fw,
		.rule = rule,
		.key = { .policy = fw->policy,
			 .flags = (uint8_t)((v4 ? 0 : HD_FW_IPV6) |
					    (rule->protocol < 0 ? 0 : HD_FW_PROTO)),
			 .proto = rule->protocol < 0 ? 0 : (uint8_t)rule->protocol },
		.value = { .position = htonl(position), .rule = rule->id, .action = rule->action },
	};

	if (rule->has_from) {
		e.key.from_len = rule->from.prefix;
		memcpy(e.key.from, rule->from.bytes + (v4 ? 12 : 0), v4 ? 4 : 16);
	}
	if (rule->has_to) {
		e.key.to_len = rule->to.prefix;
		memcpy(e.key.to, rule->to.bytes + (v4 ? 12 : 0), v4 ? 4 : 16);
	}
	return add_port_blocks(&e);
}

/* One in four billion: but then a router would have the rules of another. */
static int check_number(const struct fw *fw)
{
	const struct hd_table *table = &fw->out->table[HD_TABLE_FW_SHAPES];

	for (size_t i = 0; i < table->n; i++) {
		if (memcmp(hd_table_key(table, i), &fw->policy, sizeof(fw->policy)))
			continue;
		hd_error_set(fw->err, HD_ERR_FAILED,
			     "firewall %s: its rules have the same number as another's",
			     fw->object->name);
		hd_error_hint(fw->err, "change the order of some, or add one");
		return -EEXIST;
	}
	return 0;
}

int hd_compile_firewall(const struct hd_model *model, const char *router, struct hd_tables *out,
			uint32_t *ret_policy, struct hd_error *err)
{
	const struct hd_object *object = hd_model_firewall_of(model, router);
	struct fw fw = { .object = object, .out = out, .err = err };
	const struct hd_firewall *firewall;
	int r;

	*ret_policy = 0;
	if (!object)
		return 0;
	firewall = &object->view.firewall;
	fw.policy = policy_of(firewall);
	r = check_number(&fw);
	for (size_t i = 0; r == 0 && i < firewall->n_rules; i++) {
		const struct hd_fw_rule *rule = &firewall->rules[i];

		if (rule->ipv4)
			r = add_family(&fw, rule, (uint32_t)i + 1, true);
		if (r == 0 && rule->ipv6)
			r = add_family(&fw, rule, (uint32_t)i + 1, false);
	}
	if (r == 0)
		r = hd_table_add(&out->table[HD_TABLE_FW_SHAPES], &fw.policy, &fw.shapes);
	*ret_policy = fw.policy;
	return r;
}
