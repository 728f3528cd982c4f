// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_cli_rule.c - rules and routes as text, what changed among them; rates of drops */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/follow.h"
#include "cli/item.h"
#include "cli/route.h"
#include "cli/rule.h"
#include "loader/cleanup.h"

static void assert_text(char *(*make)(const json_t *rule), const char *rule, const char *expected)
{
	_json_ json_t *json = json_loads(rule, 0, NULL);
	_free_ char *text = NULL;

	assert_non_null(json);
	text = make(json);
	assert_string_equal(text, expected);
}

static void rule_text(void **state)
{
	(void)state;
	assert_text(hd_rule_text, "{\"direction\": \"egress\"}", "egress any");
	assert_text(hd_rule_text,
		    "{\"direction\": \"ingress\", \"protocol\": \"tcp\", \"port\": \"80\","
		    "\"remote\": \"0.0.0.0/0\", \"id\": 7}",
		    "ingress tcp 80 from 0.0.0.0/0");
	assert_text(hd_rule_text,
		    "{\"direction\": \"egress\", \"ethertype\": \"ipv6\", \"protocol\": \"udp\","
		    "\"port\": \"53-54\", \"remote-group\": \"dns\"}",
		    "egress ipv6 udp 53-54 to group dns");
	assert_text(hd_rule_text,
		    "{\"direction\": \"ingress\", \"protocol\": \"icmp\", \"icmp-type\": 8,"
		    "\"icmp-code\": 0}",
		    "ingress icmp type 8 code 0");
	assert_text(hd_rule_text, "{}", "? any");
	assert_text(hd_fw_rule_text, "{\"action\": \"deny\", \"id\": 7}", "deny any");
	assert_text(hd_fw_rule_text,
		    "{\"action\": \"reject\", \"protocol\": \"tcp\", \"port\": \"80-81\","
		    "\"from\": \"192.0.2.0/24\", \"to\": \"10.0.0.0/8\"}",
		    "reject tcp 80-81 from 192.0.2.0/24 to 10.0.0.0/8");
	assert_text(hd_fw_rule_text, "{\"action\": \"allow\", \"to\": \"10.0.0.0/8\"}",
		    "allow any to 10.0.0.0/8");
}

static void parts(void **state)
{
	(void)state;
	assert_text(hd_rule_port_text, "{}", "any");
	assert_text(hd_rule_port_text, "{\"port\": \"80-81\"}", "80-81");
	assert_text(hd_rule_port_text, "{\"icmp-type\": 0}", "type 0");
	assert_text(hd_rule_port_text, "{\"icmp-type\": 3, \"icmp-code\": 4}", "type 3 code 4");
	assert_text(hd_rule_remote_text, "{}", "any");
	assert_text(hd_rule_remote_text, "{\"remote\": \"2001:db8::/32\"}", "2001:db8::/32");
	assert_text(hd_rule_remote_text,
		    "{\"remote\": \"10.0.0.0/8\", \"except\": [\"10.1.0.0/16\", \"10.2.0.0/16\"]}",
		    "10.0.0.0/8 but 10.1.0.0/16,10.2.0.0/16");
	assert_text(hd_rule_remote_text, "{\"remote-group\": \"any\"}", "group any");
	assert_text(hd_rule_ref_text, "{\"group\": \"web\", \"id\": 17}", "web/17");
	assert_text(hd_rule_ref_text, "{\"firewall\": \"edge\", \"id\": 17}", "edge/17");
	assert_text(hd_fw_rule_from_text, "{\"to\": \"10.0.0.0/8\"}", "any");
	assert_text(hd_fw_rule_to_text, "{\"to\": \"10.0.0.0/8\"}", "10.0.0.0/8");
	assert_text(hd_rule_protocol_text, "{\"protocol\": \"ospf\"}", "ospf");
}

static void routes(void **state)
{
	(void)state;
	assert_text(hd_route_text,
		    "{\"prefix\": \"10.9.0.0/16\", \"via\": \"10.0.1.9\", \"id\": 3}",
		    "10.9.0.0/16 via 10.0.1.9");
	assert_text(hd_route_text,
		    "{\"prefix\": \"10.9.0.0/16\", \"via\": \"10.0.1.9\", \"weight\": 2}",
		    "10.9.0.0/16 via 10.0.1.9 weight 2");
	assert_text(hd_route_text, "{\"prefix\": \"::/0\", \"blackhole\": true}", "::/0 blackhole");
	assert_text(hd_route_via_text, "{\"blackhole\": true}", "blackhole");
	assert_text(hd_route_via_text, "{\"via\": \"2001:db8::9\"}", "2001:db8::9");
}

/* "+ingress tcp;-egress any;" */
static void collect(void *arg, char sign, const char *text)
{
	char *all = arg;
	size_t len = strlen(all);

	(void)snprintf(all + len, 256 - len, "%c%s;", sign, text);
}

static void assert_rules(const char *before, const char *after, const char *expected)
{
	_json_ json_t *was = json_loads(before, JSON_DECODE_ANY, NULL);
	_json_ json_t *is = json_loads(after, JSON_DECODE_ANY, NULL);
	char all[256] = "";

	assert_int_equal(hd_items_diff(&hd_rule_noun, was, is, collect, all), 0);
	assert_string_equal(all, expected);
}

#define IN "{\"direction\": \"ingress\"}"
#define IN_5 "{\"direction\": \"ingress\", \"id\": 5}"
#define OUT "{\"direction\": \"egress\"}"

static void differences(void **state)
{
	(void)state;
	assert_rules("[" IN ", " OUT "]", "[" OUT ", " IN_5 "]", "");
	assert_rules("[" IN "]", "[" OUT "]", "+egress any;-ingress any;");
	assert_rules("[" IN ", " IN "]", "[" IN "]", "-ingress any;");
	assert_rules("[" IN "]", "[" IN ", " IN ", " IN "]", "+ingress any;+ingress any;");
	assert_rules("[]", "[" IN "]", "+ingress any;");
}

/* No routes are no routes, however they are not given. */
static void differences_of_routes(void **state)
{
	_json_ json_t *some = json_loads("[{\"prefix\": \"::/0\", \"blackhole\": true}]", 0, NULL);
	char all[256] = "";

	(void)state;
	assert_int_equal(hd_items_diff(&hd_route_noun, NULL, some, collect, all), 0);
	assert_int_equal(hd_items_diff(&hd_route_noun, some, NULL, collect, all), 0);
	assert_int_equal(hd_items_diff(&hd_route_noun, NULL, NULL, collect, all), 0);
	assert_string_equal(all, "+::/0 blackhole;-::/0 blackhole;");
}

/* No rules given is something else than an empty list: everything out is allowed. */
static void differences_from_default(void **state)
{
	(void)state;
	assert_rules("null", "[" OUT ", " IN "]", "+ingress any;");
	assert_rules("[" IN "]", "null", "+egress any;-ingress any;");
	assert_rules("null", "null", "");
	assert_rules("null", "[]", "-egress any;");
}

static void assert_rates(const char *before, const char *after, double seconds,
			 const char *expected)
{
	_json_ json_t *was = json_loads(before, 0, NULL);
	_json_ json_t *is = json_loads(after, 0, NULL);
	_json_ json_t *rates = hd_drops_rates(was, is, seconds);
	_free_ char *text = json_dumps(rates, JSON_COMPACT);

	assert_string_equal(text, expected);
}

#define DROP(reason, port, packets, bytes)                                                         \
	"{\"reason\":\"" reason "\",\"port\":\"" port "\",\"stage\":\"flow\",\"packets\":" packets \
	",\"bytes\":" bytes
#define RATE(packets, bytes) ",\"packets-per-second\":" packets ",\"bytes-per-second\":" bytes "}"

/* What did not grow is not told; what began anew after a restart is all new. */
static void rates(void **state)
{
	(void)state;
	assert_rates("[" DROP("a", "p", "10", "100") "}]",
		     "[" DROP("a", "p", "16", "700") "}, " DROP("a", "q", "1", "60") "}]", 2,
		     "[" DROP("a", "p", "6", "600") RATE("3", "300") "," DROP("a", "q", "1", "60")
			     RATE("1", "30") "]");
	assert_rates("[" DROP("a", "p", "10", "100") "}]", "[" DROP("a", "p", "10", "100") "}]", 1,
		     "[]");
	assert_rates(
		"[" DROP("a", "p", "1", "1") ",\"rule\":{\"id\":1}}," DROP(
			"a", "p", "2", "2") ",\"rule\":{\"id\":2}}]",
		"[" DROP("a", "p", "1", "1") ",\"rule\":{\"id\":1}}," DROP(
			"a", "p", "3", "3") ",\"rule\":{\"id\":2}}]",
		1,
		"[" DROP(
			"a", "p", "1",
			"1") ",\"packets-per-second\":1,\"bytes-per-second\":1,\"rule\":{\"id\":2}}]");
	assert_rates("[" DROP("a", "p", "10", "100") "}]", "[" DROP("a", "p", "4", "40") "}]", 1,
		     "[" DROP("a", "p", "4", "40") RATE("4", "40") "]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_text),   cmocka_unit_test(parts),
		cmocka_unit_test(differences), cmocka_unit_test(differences_from_default),
		cmocka_unit_test(routes),      cmocka_unit_test(differences_of_routes),
		cmocka_unit_test(rates),
	};

	return cmocka_run_group_tests_name("cli rule", tests, NULL, NULL);
}
