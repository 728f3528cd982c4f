// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* sense.c - which options of an item inside an object go together */
#include "api/sense.h"

#include <string.h>

static const char *rule_nonsense(const json_t *rule);

const char *hd_item_nonsense(const struct hd_noun *item, const json_t *value)
{
	return item == &hd_rule_noun ? rule_nonsense(value) : NULL;
}

static const char *text_of(const json_t *rule, const char *key)
{
	return json_string_value(json_object_get(rule, key));
}

static bool has(const json_t *rule, const char *key)
{
	return json_object_get(rule, key);
}

/* What protocol and family allow to be said besides; NULL if nothing is wrong. */
static const char *rule_nonsense(const json_t *rule)
{
	const char *protocol = text_of(rule, "protocol"), *type = text_of(rule, "ethertype");
	const char *remote = text_of(rule, "remote");
	int number = protocol ? hd_protocol_parse(protocol) : -1;
	bool has_ports = number == 6 || number == 17 || number == 132 || number == 136;

	if (has(rule, "port") && !has_ports)
		return "port needs protocol tcp, udp, udplite or sctp";
	if (has(rule, "icmp-type") && number != 1 && number != 58)
		return "icmp-type needs protocol icmp or icmpv6";
	if (has(rule, "icmp-code") && !has(rule, "icmp-type"))
		return "icmp-code needs icmp-type";
	if (remote && has(rule, "remote-group"))
		return "remote and remote-group exclude each other";
	if (remote && type && !strchr(remote, ':') != !strcmp(type, "ipv4"))
		return "remote is not of that ethertype";
	if (remote &&
	    ((number == 1 && strchr(remote, ':')) || (number == 58 && !strchr(remote, ':'))))
		return "remote is not of that protocol's family";
	if (type &&
	    ((number == 1 && strcmp(type, "ipv4")) || (number == 58 && strcmp(type, "ipv6"))))
		return "protocol is not of that ethertype";
	return NULL;
}
