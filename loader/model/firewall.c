// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* firewall.c - firewalls: rules of a router, whose order counts */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "heddle/firewall.h"
#include "model/views.h"

static const char *text_of(const json_t *rule, const char *key)
{
	return json_string_value(json_object_get(rule, key));
}

static enum hd_fw_action action_of(const json_t *rule)
{
	const char *word = text_of(rule, "action");

	if (!strcmp(word, "allow"))
		return HD_FW_ALLOW;
	return strcmp(word, "reject") ? HD_FW_DENY : HD_FW_REJECT;
}

/* Its prefixes are of one family, and it is about that; without any it is about both. */
static void parse_families(struct hd_fw_rule *rule)
{
	const struct hd_ip *ip = rule->has_from ? &rule->from : &rule->to;

	rule->ipv4 = rule->ipv6 = true;
	if (rule->has_from || rule->has_to)
		rule->ipv6 = !(rule->ipv4 = ip->is_v4);
	if (rule->protocol == 1)
		rule->ipv6 = false;
	if (rule->protocol == 58)
		rule->ipv4 = false;
}

static int parse_rule(const json_t *json, struct hd_fw_rule *rule)
{
	const char *from = text_of(json, "from"), *to = text_of(json, "to");
	const char *protocol = text_of(json, "protocol"), *ports = text_of(json, "port");

	rule->id = (uint32_t)json_integer_value(json_object_get(json, "id"));
	rule->action = action_of(json);
	rule->protocol = protocol ? hd_protocol_parse(protocol) : -1;
	rule->last = 65535;
	if (ports)
		(void)hd_ports_parse(ports, &rule->first, &rule->last); /* canonical already */
	rule->has_from = from;
	rule->has_to = to;
	if ((from && hd_ip_parse(from, &rule->from) < 0) || (to && hd_ip_parse(to, &rule->to) < 0))
		return -EINVAL;
	parse_families(rule);
	return 0;
}

int hd_firewall_view(struct hd_object *object, struct hd_error *err)
{
	const json_t *rules = json_object_get(object->spec, "rules"), *rule;
	struct hd_firewall *firewall = &object->view.firewall;
	size_t i;

	firewall->router = hd_spec_text(object, "router");
	firewall->rules = calloc(json_array_size(rules) + 1, sizeof(*firewall->rules));
	if (!firewall->rules)
		return hd_error_set(err, HD_ERR_FAILED, "firewall %s: no memory", object->name);
	json_array_foreach(rules, i, rule)
		if (parse_rule(rule, &firewall->rules[firewall->n_rules++]) < 0)
			return hd_error_set(err, HD_ERR_INVALID,
					    "firewall %s: rule %zu is unreadable", object->name,
					    i + 1);
	return 0;
}

const struct hd_object *hd_model_firewall_of(const struct hd_model *model, const char *router)
{
	hd_model_each(model, HD_NOUN_FIREWALL, object)
		if (!strcmp(object->view.firewall.router, router))
			return object;
	return NULL;
}

int hd_firewall_number(const struct hd_model *model, const struct hd_model *also,
		       const struct hd_object *old, const struct hd_limits *limits, json_t *spec,
		       struct hd_error *err)
{
	json_t *rules = json_object_get(spec, "rules");

	return rules ? hd_rules_number(model, also, old, limits, rules, NULL, err) : 0;
}
