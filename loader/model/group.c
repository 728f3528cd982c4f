// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* group.c - security groups and their rules */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "heddle/policy.h"
#include "model/views.h"

static const char *text_of(const json_t *rule, const char *key)
{
	return json_string_value(json_object_get(rule, key));
}

/* For ICMP the type and code stand where others have the port; no code is all codes of the type. */
static void parse_ports(const json_t *json, struct hd_rule *rule)
{
	const json_t *type = json_object_get(json, "icmp-type"),
		     *code = json_object_get(json, "icmp-code");
	const char *ports = text_of(json, "port");

	rule->last = 65535;
	if (ports)
		(void)hd_ports_parse(ports, &rule->first, &rule->last); /* canonical already */
	if (!type)
		return;
	rule->first = (uint16_t)(json_integer_value(type) << 8 | json_integer_value(code));
	rule->last = code ? rule->first : rule->first | 0xff;
}

/* Which families it is about: what is said of one leaves the other out. */
static void parse_families(const json_t *json, struct hd_rule *rule)
{
	const char *type = text_of(json, "ethertype");

	rule->ipv4 = rule->ipv6 = true;
	if (type)
		rule->ipv6 = !(rule->ipv4 = !strcmp(type, "ipv4"));
	if (rule->has_remote)
		rule->ipv6 = !(rule->ipv4 = rule->remote.is_v4);
	if (rule->protocol == 1)
		rule->ipv6 = false;
	if (rule->protocol == 58)
		rule->ipv4 = false;
}

static int parse_rule(const json_t *json, struct hd_rule *rule)
{
	const char *protocol = text_of(json, "protocol"), *remote = text_of(json, "remote");

	rule->id = (uint32_t)json_integer_value(json_object_get(json, "id"));
	rule->direction = strcmp(text_of(json, "direction"), "egress") ? HD_INGRESS : HD_EGRESS;
	rule->protocol = protocol ? hd_protocol_parse(protocol) : -1;
	rule->group = text_of(json, "remote-group");
	rule->has_remote = remote;
	rule->except = json_object_get(json, "except");
	if (remote && hd_ip_parse(remote, &rule->remote) < 0)
		return -EINVAL;
	parse_ports(json, rule);
	parse_families(json, rule);
	return 0;
}

/*
 * Place of the very same rule in the object as it was: in its order, with at most one left out; -1 if it is not there. Such a rule has its
 * number, and is not to be written to.
 */
static ssize_t seen_before(const struct hd_object *old, const json_t *rule, size_t *at)
{
	const json_t *rules = old ? json_object_get(old->spec, "rules") : NULL;

	for (size_t k = *at; k < *at + 2 && k < json_array_size(rules); k++)
		if (rule == json_array_get(rules, k)) {
			*at = k + 1;
			return (ssize_t)k;
		}
	return -1;
}

/* Both, if nothing is said. */
static bool isolates(const json_t *spec, const char *direction)
{
	const json_t *list = json_object_get(spec, "isolate"), *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (!strcmp(json_string_value(item), direction))
			return true;
	return !list;
}

static int isolation_of(struct hd_object *object, struct hd_error *err)
{
	struct hd_group *group = &object->view.group;

	group->isolates[HD_INGRESS] = isolates(object->spec, "ingress");
	group->isolates[HD_EGRESS] = isolates(object->spec, "egress");
	if (json_array_size(json_object_get(object->spec, "isolate")) > 1 &&
	    isolates(object->spec, "none"))
		return hd_refuse(object, err, "isolate", "none goes with no other direction");
	return 0;
}

int hd_group_view(struct hd_object *object, struct hd_error *err)
{
	struct hd_group *group = &object->view.group;
	const json_t *rules = json_object_get(object->spec, "rules"), *rule;
	size_t i, at = 0;
	int r = hd_spec_names(object, "select", &group->select, &group->n_select, err);

	if (r == 0)
		r = isolation_of(object, err);
	if (r < 0)
		return r;
	group->rules = calloc(json_array_size(rules) + 1, sizeof(*group->rules));
	if (!group->rules)
		return hd_error_set(err, HD_ERR_FAILED, "security-group %s: no memory",
				    object->name);
	json_array_foreach(rules, i, rule) {
		struct hd_rule *view = &group->rules[group->n_rules++];
		ssize_t before = seen_before(object->replaces, rule, &at);

		if (before >= 0)
			*view = object->replaces->view.group.rules[before];
		else if (parse_rule(rule, view) < 0)
			return hd_error_set(err, HD_ERR_INVALID,
					    "security-group %s: rule %zu is unreadable",
					    object->name, i);
	}
	return 0;
}

/* Where it is the only group, there is default besides, which isolates. */
static int has_idle_rules(const struct hd_object *object, struct hd_error *err)
{
	int r = hd_refuse(object, err, "rules",
			  "it isolates nothing, so its rules would never count");

	hd_error_hint(err, "a group with --isolate none is for rules of others to name; put rules "
			   "into a group that isolates, or take these away with --unset rules");
	return r;
}

int hd_group_validate(const struct hd_model *model, const struct hd_object *object,
		      struct hd_error *err)
{
	const struct hd_group *group = &object->view.group;

	if (hd_group_is_set(group) && group->n_rules)
		return has_idle_rules(object, err);
	for (size_t i = 0; i < group->n_rules; i++) {
		const char *remote = group->rules[i].group;

		if (!remote || hd_model_get(model, HD_NOUN_GROUP, remote))
			continue;
		hd_error_set(err, HD_ERR_NOT_FOUND,
			     "security-group %s: remote-group %s does not exist", object->name,
			     remote);
		hd_error_hint(err, "'heddle security-group list' shows what there is");
		hd_error_where(err, "security-groups/%s/rules/%zu/remote-group", object->name, i);
		return -ENOENT;
	}
	return 0;
}

/*
 * The number that a rule had before. Rules mostly stay where they were, so the search goes on from behind the last one that was found.
 */
static json_int_t old_number(const json_t *old, const json_t *rule, size_t *at)
{
	size_t n = json_array_size(old);

	for (size_t i = 0; i < n && i < 1024; i++) {
		const json_t *candidate = json_array_get(old, (*at + i) % n);

		if (!hd_item_same(candidate, rule))
			continue;
		*at = (*at + i + 1) % n;
		return json_integer_value(json_object_get(candidate, "id"));
	}
	return 0;
}

static bool number_in(const uint8_t *used, uint32_t id)
{
	return used[id / 8] & 1 << id % 8;
}

static void use_number(uint8_t *used, json_t *rule, uint32_t id)
{
	used[id / 8] |= (uint8_t)(1 << id % 8);
	(void)json_object_set_new(rule, "id", json_integer(id));
}

static int full(const struct hd_limits *limits, struct hd_error *err)
{
	hd_error_set(err, HD_ERR_FAILED, "there is no room for more than %u rules",
		     limits->rule_ids);
	hd_error_hint(err, "raise table-sizes/rule-ids in heddled.conf");
	return -ENOSPC;
}

/* What a group has that names no rules: everything out, nothing in; if it says what it isolates, all but that. */
static json_t *first_rules(const json_t *spec)
{
	bool in = isolates(spec, "ingress"), out = isolates(spec, "egress");

	if (in && (!out || !json_object_get(spec, "isolate")))
		return json_pack("[{s:s}]", "direction", "egress");
	return out && !in ? json_pack("[{s:s}]", "direction", "ingress") : json_array();
}

bool hd_group_is_set(const struct hd_group *group)
{
	return !group->isolates[HD_INGRESS] && !group->isolates[HD_EGRESS];
}

/* Those that were there before keep their numbers. @ids: gets them, 0 = none. Return: how many have none now, or -ENOSPC. */
static int keep_numbers(const struct hd_object *old, const struct hd_limits *limits, uint8_t *used,
			const json_t *rules, uint32_t *ids, struct hd_error *err)
{
	const json_t *old_rules = old ? json_object_get(old->spec, "rules") : NULL;
	json_t *rule;
	size_t i, at = 0;
	int without = 0;

	json_array_foreach((json_t *)rules, i, rule) {
		bool shared = seen_before(old, rule, &at) >= 0;
		json_int_t id = shared ? json_integer_value(json_object_get(rule, "id"))
				       : old_number(old_rules, rule, &at);

		if (shared && id >= limits->rule_ids)
			return full(limits, err);
		ids[i] = (uint32_t)id;
		if (shared) {
			used[id / 8] |= (uint8_t)(1 << id % 8);
			continue;
		}
		(void)json_object_del(rule, "id");
		if (id > 0 && id < limits->rule_ids && !number_in(used, (uint32_t)id)) {
			use_number(used, rule, (uint32_t)id);
			continue;
		}
		ids[i] = 0;
		without++;
	}
	return without;
}

/* A new rule mostly stands at the end, but must not. */
static int give_numbers(const struct hd_model *model, const struct hd_model *also,
			const struct hd_limits *limits, uint8_t *used, const json_t *rules,
			uint32_t *ids, struct hd_error *err)
{
	uint32_t next = 3; /* 1 and 2 are those of the group default */

	for (size_t i = 0; i < json_array_size(rules); i++) {
		if (ids[i])
			continue;
		while (next < limits->rule_ids &&
		       (hd_model_rule_taken(model, next) || number_in(used, next) ||
			(also && hd_model_rule_taken(also, next))))
			next++;
		if (next >= limits->rule_ids)
			return full(limits, err);
		use_number(used, json_array_get(rules, i), next);
		ids[i] = next;
	}
	return 0;
}

static bool is_sorted(const uint32_t *ids, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (ids[i] < ids[i - 1])
			return false;
	return true;
}

int hd_rules_number(const struct hd_model *model, const struct hd_model *also,
		    const struct hd_object *old, const struct hd_limits *limits, json_t *rules,
		    bool *ret_sorted, struct hd_error *err)
{
	_free_ uint32_t *ids = calloc(json_array_size(rules) + 1, sizeof(*ids));
	_free_ uint8_t *used = calloc(limits->rule_ids / 8 + 1, 1);
	int r;

	if (!used || !ids)
		return hd_error_set(err, HD_ERR_FAILED, "no memory");
	r = keep_numbers(old, limits, used, rules, ids, err);
	if (r > 0)
		r = give_numbers(model, also, limits, used, rules, ids, err);
	if (r >= 0 && ret_sorted)
		*ret_sorted = is_sorted(ids, json_array_size(rules));
	return r < 0 ? r : 0;
}

int hd_group_number(const struct hd_model *model, const struct hd_model *also,
		    const struct hd_object *old, const struct hd_limits *limits, json_t *spec,
		    struct hd_error *err)
{
	bool sorted = true;
	json_t *rules;
	int r;

	if (!json_object_get(spec, "rules"))
		(void)json_object_set_new(spec, "rules", first_rules(spec));
	rules = json_object_get(spec, "rules");
	r = hd_rules_number(model, also, old, limits, rules, &sorted, err);
	if (r < 0 || sorted)
		return r;
	return hd_items_sort(rules) < 0 ? hd_error_set(err, HD_ERR_FAILED, "no memory") : 0;
}

static bool says_the_same(const struct hd_rule *a, const struct hd_rule *b)
{
	return a->direction == b->direction && a->first == b->first && a->last == b->last &&
	       a->protocol == b->protocol && a->has_remote == b->has_remote &&
	       !a->group == !b->group &&
	       (!a->has_remote || (a->remote.prefix == b->remote.prefix &&
				   !memcmp(a->remote.bytes, b->remote.bytes, 16)));
}

const json_t *hd_rule_find(const struct hd_object *group, const json_t *rule)
{
	const json_t *rules = json_object_get(group->spec, "rules");
	const struct hd_group *view = &group->view.group;
	struct hd_rule wanted = { 0 };

	if (parse_rule(rule, &wanted) < 0)
		return NULL;
	for (size_t i = 0; i < view->n_rules; i++) {
		const json_t *other = json_array_get(rules, i);

		if (says_the_same(&view->rules[i], &wanted) && hd_item_same(other, rule))
			return other;
	}
	return NULL;
}

struct hd_object *hd_group_default(void)
{
	_json_ json_t *spec = json_pack("{s:[{s:i, s:s}, {s:i, s:s, s:s}]}", "rules", "id", 1,
					"direction", "egress", "id", 2, "direction", "ingress",
					"remote-group", HD_GROUP_DEFAULT);
	struct hd_object *object = NULL;

	if (hd_object_new(&hd_nouns[HD_NOUN_GROUP], HD_GROUP_DEFAULT, 0, spec, &object, NULL) < 0)
		return NULL;
	return object;
}
