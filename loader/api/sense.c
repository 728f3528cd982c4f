// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* sense.c - which options of an item inside an object go together */
#include "api/sense.h"

#include <string.h>

#include "heddle/nat.h"
#include "model/model.h"

static const char *rule_nonsense(const json_t *rule);
static const char *route_nonsense(const json_t *route);
static const char *gateway_nonsense(const json_t *gateway);
static const char *fw_rule_nonsense(const json_t *rule);

const char *hd_item_nonsense(const struct hd_noun *item, const json_t *value)
{
	if (item == &hd_rule_noun)
		return rule_nonsense(value);
	if (item == &hd_route_noun)
		return route_nonsense(value);
	if (item == &hd_fw_rule_noun)
		return fw_rule_nonsense(value);
	return item == &hd_gateway_noun ? gateway_nonsense(value) : NULL;
}

static const char *text_of(const json_t *item, const char *key)
{
	return json_string_value(json_object_get(item, key));
}

static bool has(const json_t *item, const char *key)
{
	return json_object_get(item, key);
}

static bool has_ports(int protocol)
{
	return protocol == 6 || protocol == 17 || protocol == 132 || protocol == 136;
}

/* Prefixes that are in another, and are not all of it. */
static bool are_parts(const json_t *list, const char *of)
{
	struct hd_ip whole, part;
	const json_t *item;
	size_t i;

	if (hd_ip_parse(of, &whole) < 0)
		return false;
	json_array_foreach(list, i, item)
		if (hd_ip_parse(json_string_value(item), &part) < 0 || part.is_v4 != whole.is_v4 ||
		    part.prefix <= whole.prefix || !hd_ip_in(&part, &whole))
			return false;
	return true;
}

/* What protocol and family allow to be said besides; NULL if nothing is wrong. */
static const char *rule_nonsense(const json_t *rule)
{
	const char *protocol = text_of(rule, "protocol"), *type = text_of(rule, "ethertype");
	const char *remote = text_of(rule, "remote");
	int number = protocol ? hd_protocol_parse(protocol) : -1;

	if (has(rule, "port") && !has_ports(number))
		return "port needs protocol tcp, udp, udplite or sctp";
	if (has(rule, "icmp-type") && number != 1 && number != 58)
		return "icmp-type needs protocol icmp or icmpv6";
	if (has(rule, "icmp-code") && !has(rule, "icmp-type"))
		return "icmp-code needs icmp-type";
	if (remote && has(rule, "remote-group"))
		return "remote and remote-group exclude each other";
	if (has(rule, "except") && !remote)
		return "except needs remote";
	if (json_array_size(json_object_get(rule, "except")) > HD_EXCEPT_MAX)
		return "more than 64 exceptions";
	if (has(rule, "except") && !are_parts(json_object_get(rule, "except"), remote))
		return "except must be smaller parts of remote";
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

/* Whether a prefix is of the family that ICMP of one protocol number is not of. */
static bool is_other_family(int protocol, const char *prefix)
{
	return prefix &&
	       ((protocol == 1 && strchr(prefix, ':')) || (protocol == 58 && !strchr(prefix, ':')));
}

static const char *fw_rule_nonsense(const json_t *rule)
{
	const char *from = text_of(rule, "from"), *to = text_of(rule, "to");
	const char *protocol = text_of(rule, "protocol");
	int number = protocol ? hd_protocol_parse(protocol) : -1;

	if (has(rule, "port") && !has_ports(number))
		return "port needs protocol tcp, udp, udplite or sctp";
	if (from && to && !strchr(from, ':') != !strchr(to, ':'))
		return "from and to are not of one family";
	if (is_other_family(number, from) || is_other_family(number, to))
		return "the addresses are not of that protocol's family";
	return NULL;
}

static const char *route_nonsense(const json_t *route)
{
	const char *prefix = text_of(route, "prefix"), *via = text_of(route, "via");
	bool blackhole = has(route, "blackhole");

	if (blackhole && via)
		return "via and blackhole exclude each other";
	if (!blackhole && !via)
		return "a route needs via, or blackhole";
	if (blackhole && has(route, "weight"))
		return "weight needs via";
	if (via && !strchr(via, ':') != !strchr(prefix, ':'))
		return "via is not of the family of the prefix";
	return NULL;
}

/* What is handed out are whole blocks; and only where there is translation. */
static const char *nat_nonsense(const json_t *gateway)
{
	json_int_t each = json_integer_value(json_object_get(gateway, "nat-ports-per-address"));
	json_int_t all = json_integer_value(json_object_get(gateway, "nat-ports"));

	if (each % HD_NAT_BLOCK_PORTS || all % HD_NAT_BLOCK_PORTS)
		return "ports are handed out in blocks of 64: not a multiple of that";
	if (!json_is_false(json_object_get(gateway, "snat")))
		return NULL;
	if (json_is_true(json_object_get(gateway, "nat-log")))
		return "nat-log needs snat: without it no ports are handed out";
	if (has(gateway, "nat-filter"))
		return "nat-filter needs snat: without it nothing is filtered";
	return each || all ? "a number of ports needs snat: without it none are handed out" : NULL;
}

/* How many of a list of addresses are of a family. */
static size_t count_addresses(const json_t *list, bool v6)
{
	const json_t *ip;
	size_t i, n = 0;

	json_array_foreach(list, i, ip)
		n += !strchr(json_string_value(ip), ':') == !v6;
	return n;
}

static const char *gateway_nonsense(const json_t *gateway)
{
	bool network = has(gateway, "network"), uplink = has(gateway, "uplink");
	const json_t *ip = json_object_get(gateway, "ip");

	if (!network && !uplink)
		return "a gateway needs network or uplink";
	if (network && uplink)
		return "network and uplink exclude each other";
	if (uplink && (has(gateway, "ip") || has(gateway, "snat")))
		return "ip and snat need network: at an uplink the host's address is the source";
	if (uplink && has(gateway, "nat-filter"))
		return "nat-filter needs network: at an uplink what is no answer is the host's own";
	if (count_addresses(ip, false) > 1 || count_addresses(ip, true) > 1)
		return "ip: it has one address of each family";
	return nat_nonsense(gateway);
}
