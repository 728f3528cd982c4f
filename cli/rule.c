// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* rule.c - a rule of a security group, or of a firewall, as people read it */
#include "cli/rule.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/out.h"
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

/* "10.0.0.0/8 but 10.1.0.0/16,10.2.0.0/16" */
static char *address_text(const char *remote, const json_t *except)
{
	_free_ char *list = except ? hd_text_value(except) : NULL;
	char *text;

	if (!list)
		return strdup(remote ? remote : "");
	return asprintf(&text, "%s but %s", remote, list) < 0 ? NULL : text;
}

static char *remote_text(const json_t *rule)
{
	const char *group = text_at(rule, "remote-group");
	const char *remote = text_at(rule, "remote");
	char *text;

	if (!group)
		return address_text(remote, json_object_get(rule, "except"));
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

static char *or_any(const json_t *rule, const char *key)
{
	const char *text = text_at(rule, key);

	return strdup(text ? text : "any");
}

char *hd_rule_ethertype_text(const json_t *rule)
{
	return or_any(rule, "ethertype");
}

char *hd_rule_count_text(const json_t *object)
{
	char *text;
	size_t n = json_array_size(json_object_get(object, "rules"));

	return asprintf(&text, "%zu", n) < 0 ? NULL : text;
}

char *hd_rule_protocol_text(const json_t *rule)
{
	return or_any(rule, "protocol");
}

char *hd_fw_rule_from_text(const json_t *rule)
{
	return or_any(rule, "from");
}

char *hd_fw_rule_to_text(const json_t *rule)
{
	return or_any(rule, "to");
}

char *hd_fw_rule_text(const json_t *rule)
{
	const char *action = text_at(rule, "action"), *protocol = text_at(rule, "protocol");
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	if (!file)
		return NULL;
	put(file, "", action ? action : "?");
	put(file, " ", protocol ? protocol : "any");
	put(file, " ", text_at(rule, "port"));
	put(file, " from ", text_at(rule, "from"));
	put(file, " to ", text_at(rule, "to"));
	if (!fclose(file))
		return text;
	free(text);
	return NULL;
}

char *hd_rule_ref_text(const json_t *ref)
{
	const char *group = text_at(ref, "group");
	char *text;

	if (!group)
		group = text_at(ref, "firewall");
	return asprintf(&text, "%s/%" JSON_INTEGER_FORMAT, group ? group : "?",
			json_integer_value(json_object_get(ref, "id"))) < 0
		       ? NULL
		       : text;
}
