// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* rule.c - a rule of a security group as people read it */
#include "cli/rule.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "loader/cleanup.h"

static const char *text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void put(FILE *file, const char *before, const char *text)
{
	if (text)
		(void)fprintf(file, "%s%s", before, text); /* writes to memory */
}

static char *port_text(const json_t *rule)
{
	const json_t *type = json_object_get(rule, "icmp-type");
	const json_t *code = json_object_get(rule, "icmp-code");
	const char *port = text_at(rule, "port");
	char text[64] = "";
	int len = 0;

	if (port)
		return strdup(port);
	if (type)
		len = snprintf(text, sizeof(text), "type %" JSON_INTEGER_FORMAT,
			       json_integer_value(type));
	if (type && code)
		(void)snprintf(text + len, sizeof(text) - (size_t)len,
			       " code %" JSON_INTEGER_FORMAT, json_integer_value(code));
	return strdup(text);
}

static char *any_if_empty(char *text)
{
	if (!text || text[0])
		return text;
	free(text);
	return strdup("any");
}

char *hd_rule_port_text(const json_t *rule)
{
	return any_if_empty(port_text(rule));
}

static char *remote_text(const json_t *rule)
{
	const char *group = text_at(rule, "remote-group");
	const char *remote = text_at(rule, "remote");
	char *text;

	if (!group)
		return strdup(remote ? remote : "");
	return asprintf(&text, "group %s", group) < 0 ? NULL : text;
}

char *hd_rule_remote_text(const json_t *rule)
{
	return any_if_empty(remote_text(rule));
}

char *hd_rule_text(const json_t *rule)
{
	const char *direction = text_at(rule, "direction"), *protocol = text_at(rule, "protocol");
	bool in = direction && !strcmp(direction, "ingress");
	_free_ char *remote = remote_text(rule);
	_free_ char *port = port_text(rule);
	char *text = NULL;
	size_t len;
	FILE *file = remote && port ? open_memstream(&text, &len) : NULL;

	if (!file)
		return NULL;
	put(file, "", direction ? direction : "?");
	put(file, " ", text_at(rule, "ethertype"));
	put(file, " ", protocol ? protocol : "any");
	put(file, " ", port[0] ? port : NULL);
	put(file, in ? " from " : " to ", remote[0] ? remote : NULL);
	if (!fclose(file))
		return text;
	free(text);
	return NULL;
}

char *hd_rule_ref_text(const json_t *ref)
{
	const char *group = text_at(ref, "group");
	char *text;

	return asprintf(&text, "%s/%" JSON_INTEGER_FORMAT, group ? group : "?",
			json_integer_value(json_object_get(ref, "id"))) < 0
		       ? NULL
		       : text;
}

/* ---- what changed ---- */

/* A group for which no rules are given lets everything out. */
static json_t *or_default(const json_t *rules)
{
	if (json_is_array(rules))
		return json_incref((json_t *)rules);
	return json_pack("[{s:s}]", "direction", "egress");
}

static json_int_t count_of(const json_t *counts, const char *text)
{
	return json_integer_value(json_object_get(counts, text));
}

static int count_add(json_t *counts, const char *text, json_int_t more)
{
	return json_object_set_new(counts, text, json_integer(count_of(counts, text) + more));
}

/* How often each text is in the list. */
static int count_rules(json_t *counts, const json_t *rules)
{
	const json_t *rule;
	size_t i;

	json_array_foreach(rules, i, rule) {
		_free_ char *text = hd_rule_text(rule);

		if (!text || count_add(counts, text, 1))
			return -ENOMEM;
	}
	return 0;
}

/* Tells of those rules that are not in @counts; what is found there is taken out. */
static int tell_missing(const json_t *rules, json_t *counts, char sign, hd_rules_diff_t tell,
			void *arg)
{
	const json_t *rule;
	size_t i;

	json_array_foreach(rules, i, rule) {
		_free_ char *text = hd_rule_text(rule);

		if (!text)
			return -ENOMEM;
		if (count_of(counts, text) <= 0)
			tell(arg, sign, text);
		else if (count_add(counts, text, -1))
			return -ENOMEM;
	}
	return 0;
}

int hd_rules_diff(const json_t *before, const json_t *after, hd_rules_diff_t tell, void *arg)
{
	_json_ json_t *was = or_default(before);
	_json_ json_t *is = or_default(after);
	_json_ json_t *old = json_object();
	_json_ json_t *new = json_object();

	if (!was || !is || count_rules(old, was) || count_rules(new, is))
		return -ENOMEM;
	if (tell_missing(is, old, '+', tell, arg))
		return -ENOMEM;
	return tell_missing(was, new, '-', tell, arg);
}
