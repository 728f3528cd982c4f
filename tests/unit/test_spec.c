// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_spec.c - what option values are taken, what they become, and what is said about the others
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "api/sense.h"
#include "heddlectl/schema.h"

static void assert_json(const json_t *json, const char *expected)
{
	_free_ char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

	assert_string_equal(text, expected);
}

static void names(void **state)
{
	char name[65];

	(void)state;
	assert_true(hd_name_ok("a"));
	assert_true(hd_name_ok("0"));
	assert_true(hd_name_ok("web-1.prod_x"));
	assert_false(hd_name_ok(""));
	assert_false(hd_name_ok(".x"));
	assert_false(hd_name_ok("-x"));
	assert_false(hd_name_ok("_x"));
	assert_false(hd_name_ok("a b"));
	assert_false(hd_name_ok("a/b"));
	assert_false(hd_name_ok("\xc3\xa4"));
	memset(name, 'a', sizeof(name));
	name[63] = '\0';
	assert_true(hd_name_ok(name));
	name[63] = 'a';
	name[64] = '\0';
	assert_false(hd_name_ok(name));
}

/* A NULL @json: refused. */
struct text_case {
	enum hd_type type;
	const char *text;
	const char *json;
};

static const struct text_case text_cases[] = {
	{ HD_TYPE_NAME, "blue", "\"blue\"" },
	{ HD_TYPE_NAME, "bl ue", NULL },
	{ HD_TYPE_NAME, "", NULL },
	{ HD_TYPE_STRING, "free text \xc3\xa4", "\"free text \xc3\xa4\"" },
	{ HD_TYPE_STRING, "", "\"\"" },
	{ HD_TYPE_STRING, "a\nb", NULL },
	{ HD_TYPE_STRING, "a\x7f", NULL },
	{ HD_TYPE_STRING, "\xff", NULL },
	{ HD_TYPE_DEVICE, "veth0", "\"veth0\"" },
	{ HD_TYPE_DEVICE, "123456789012345", "\"123456789012345\"" },
	{ HD_TYPE_DEVICE, "1234567890123456", NULL },
	{ HD_TYPE_DEVICE, "", NULL },
	{ HD_TYPE_DEVICE, ".", NULL },
	{ HD_TYPE_DEVICE, "..", NULL },
	{ HD_TYPE_DEVICE, "a/b", NULL },
	{ HD_TYPE_DEVICE, "a:b", NULL },
	{ HD_TYPE_DEVICE, "a b", NULL },
	{ HD_TYPE_DEVICE, "eth%d", NULL },
	{ HD_TYPE_NETNS, "red", "\"red\"" },
	{ HD_TYPE_NETNS, "/proc/1/ns/net", "\"/proc/1/ns/net\"" },
	{ HD_TYPE_NETNS, "", NULL },
	{ HD_TYPE_NETNS, "..", NULL },
	{ HD_TYPE_NETNS, "a/b", NULL },
	{ HD_TYPE_UINT, "10", "10" },
	{ HD_TYPE_UINT, "100", "100" },
	{ HD_TYPE_UINT, "010", "10" },
	{ HD_TYPE_UINT, "9", NULL },
	{ HD_TYPE_UINT, "101", NULL },
	{ HD_TYPE_UINT, "", NULL },
	{ HD_TYPE_UINT, "+50", NULL },
	{ HD_TYPE_UINT, "-50", NULL },
	{ HD_TYPE_UINT, " 50", NULL },
	{ HD_TYPE_UINT, "50 ", NULL },
	{ HD_TYPE_UINT, "0x32", NULL },
	{ HD_TYPE_UINT, "5e1", NULL },
	{ HD_TYPE_UINT, "18446744073709551666", NULL }, /* 2^64 + 50 */
	{ HD_TYPE_FLAG, NULL, "true" },
	{ HD_TYPE_ONOFF, "on", "true" },
	{ HD_TYPE_ONOFF, "yes", "true" },
	{ HD_TYPE_ONOFF, "true", "true" },
	{ HD_TYPE_ONOFF, "off", "false" },
	{ HD_TYPE_ONOFF, "no", "false" },
	{ HD_TYPE_ONOFF, "false", "false" },
	{ HD_TYPE_ONOFF, "On", NULL },
	{ HD_TYPE_ONOFF, "1", NULL },
	{ HD_TYPE_WORD, "one", "\"one\"" },
	{ HD_TYPE_WORD, "on", NULL },
	{ HD_TYPE_MAC, "02:00:5E:00:53:aB", "\"02:00:5e:00:53:ab\"" },
	{ HD_TYPE_MAC, "02-00-5e-00-53-01", "\"02:00:5e:00:53:01\"" },
	{ HD_TYPE_MAC, "02:00-5e:00:53:01", NULL },
	{ HD_TYPE_MAC, "2:0:5e:0:53:1", NULL },
	{ HD_TYPE_MAC, "02:00:5e:00:53:0g", NULL },
	{ HD_TYPE_MAC, "02:00:5e:00:53:01:02", NULL },
	{ HD_TYPE_MAC, "02005e005301", NULL },
	{ HD_TYPE_MAC, "01:00:5e:00:53:01", NULL },
	{ HD_TYPE_MAC, "ff:ff:ff:ff:ff:ff", NULL },
	{ HD_TYPE_MAC, "00:00:00:00:00:00", NULL },
	{ HD_TYPE_IP, "192.0.2.1", "\"192.0.2.1\"" },
	{ HD_TYPE_IP, "2001:DB8:0::1", "\"2001:db8::1\"" },
	{ HD_TYPE_IP, "192.0.2.1/24", NULL },
	{ HD_TYPE_IP, "192.0.2", NULL },
	{ HD_TYPE_IP, "192.0.2.01", NULL },
	{ HD_TYPE_IP, "192.0.2.256", NULL },
	{ HD_TYPE_IP, "::ffff:192.0.2.1", NULL },
	{ HD_TYPE_IP, "::FFFF:c000:201", NULL },
	{ HD_TYPE_IP, "fe80::1%eth0", NULL },
	{ HD_TYPE_IP, "", NULL },
	{ HD_TYPE_IPLEN, "192.0.2.1", "\"192.0.2.1\"" },
	{ HD_TYPE_IPLEN, "192.0.2.1/24", "\"192.0.2.1/24\"" },
	{ HD_TYPE_IPLEN, "192.0.2.1/0", "\"192.0.2.1/0\"" },
	{ HD_TYPE_IPLEN, "192.0.2.1/024", "\"192.0.2.1/24\"" },
	{ HD_TYPE_IPLEN, "2001:db8::1/128", "\"2001:db8::1/128\"" },
	{ HD_TYPE_IPLEN, "192.0.2.1/33", NULL },
	{ HD_TYPE_IPLEN, "2001:db8::1/129", NULL },
	{ HD_TYPE_IPLEN, "192.0.2.1/", NULL },
	{ HD_TYPE_IPLEN, "192.0.2.1/+4", NULL },
	{ HD_TYPE_IPLEN, "192.0.2.1/2/4", NULL },
	{ HD_TYPE_IPLEN, "/24", NULL },
	{ HD_TYPE_CIDR, "192.0.2.0/24", "\"192.0.2.0/24\"" },
	{ HD_TYPE_CIDR, "192.0.2.1/32", "\"192.0.2.1/32\"" },
	{ HD_TYPE_CIDR, "0.0.0.0/0", "\"0.0.0.0/0\"" },
	{ HD_TYPE_CIDR, "2001:DB8::/33", "\"2001:db8::/33\"" },
	{ HD_TYPE_CIDR, "2001:db8:8000::/33", "\"2001:db8:8000::/33\"" },
	{ HD_TYPE_CIDR, "2001:db8:4000::/33", NULL },
	{ HD_TYPE_CIDR, "192.0.2.128/24", NULL },
	{ HD_TYPE_CIDR, "192.0.2.0", NULL },
	{ HD_TYPE_ENDPOINT, "192.0.2.10:0080", "\"192.0.2.10:80\"" },
	{ HD_TYPE_ENDPOINT, "0.0.0.0:65535", "\"0.0.0.0:65535\"" },
	{ HD_TYPE_ENDPOINT, "192.0.2.10:0", NULL },
	{ HD_TYPE_ENDPOINT, "192.0.2.10:65536", NULL },
	{ HD_TYPE_ENDPOINT, "192.0.2.10:", NULL },
	{ HD_TYPE_ENDPOINT, "192.0.2.10", NULL },
	{ HD_TYPE_ENDPOINT, ":80", NULL },
	{ HD_TYPE_ENDPOINT, "192.0.2.010:80", NULL },
	{ HD_TYPE_ENDPOINT, "192.0.2.10:80-90", NULL },
	{ HD_TYPE_ENDPOINT, "[2001:DB8::0:1]:080", "\"[2001:db8::1]:80\"" },
	{ HD_TYPE_ENDPOINT, "[::]:80", "\"[::]:80\"" },
	{ HD_TYPE_ENDPOINT, "2001:db8::1:80", NULL },
	{ HD_TYPE_ENDPOINT, "[2001:db8::1]80", NULL },
	{ HD_TYPE_ENDPOINT, "[2001:db8::1]", NULL },
	{ HD_TYPE_ENDPOINT, "[2001:db8::1]:", NULL },
	{ HD_TYPE_ENDPOINT, "[2001:db8::1:80", NULL },
	{ HD_TYPE_ENDPOINT, "[192.0.2.1]:80", NULL },
	{ HD_TYPE_ENDPOINT, "[::ffff:192.0.2.1]:80", NULL },
	{ HD_TYPE_ENDPOINT, "[]:80", NULL },
	{ HD_TYPE_RANGE, "192.0.2.10-192.0.2.99", "\"192.0.2.10-192.0.2.99\"" },
	{ HD_TYPE_RANGE, "192.0.2.10-192.0.2.10", "\"192.0.2.10-192.0.2.10\"" },
	{ HD_TYPE_RANGE, "2001:DB8::1-2001:db8::0f", "\"2001:db8::1-2001:db8::f\"" },
	{ HD_TYPE_RANGE, "192.0.2.10", NULL },
	{ HD_TYPE_RANGE, "192.0.2.10-", NULL },
	{ HD_TYPE_RANGE, "-192.0.2.10", NULL },
	{ HD_TYPE_RANGE, "192.0.2.10-9", NULL },
	{ HD_TYPE_RANGE, "192.0.2.10-192.0.2.9", NULL },
	{ HD_TYPE_RANGE, "10.0.2.10-2001:db8::1", NULL },
	{ HD_TYPE_RANGE, "192.0.2.10/24-192.0.2.99", NULL },
	{ HD_TYPE_RANGE, "192.0.2.10-192.0.2.99/24", NULL },
	{ HD_TYPE_RANGE, "192.0.2.10-192.0.2.12-192.0.2.14", NULL },
	{ HD_TYPE_LABEL, "a=b", "\"a=b\"" },
	{ HD_TYPE_LABEL, "a=", "\"a=\"" },
	{ HD_TYPE_LABEL, "app.kubernetes.io/name=my-app_1.0",
	  "\"app.kubernetes.io/name=my-app_1.0\"" },
	{ HD_TYPE_LABEL, "A-b_c.D=1", "\"A-b_c.D=1\"" },
	{ HD_TYPE_LABEL, "a=b=c", NULL },
	{ HD_TYPE_LABEL, "=b", NULL },
	{ HD_TYPE_LABEL, "a", NULL },
	{ HD_TYPE_LABEL, "", NULL },
	{ HD_TYPE_LABEL, "a=\n", NULL },
	{ HD_TYPE_LABEL, "a=b c", NULL },
	{ HD_TYPE_LABEL, "a=-b", NULL },
	{ HD_TYPE_LABEL, "a=b.", NULL },
	{ HD_TYPE_LABEL, "_a=b", NULL },
	{ HD_TYPE_LABEL, "a-=b", NULL },
	{ HD_TYPE_LABEL, "a=\xc3\xa4", NULL },
	{ HD_TYPE_LABEL, "/a=b", NULL },
	{ HD_TYPE_LABEL, "x/=b", NULL },
	{ HD_TYPE_LABEL, "x/y/a=b", NULL },
	{ HD_TYPE_LABEL, "X/a=b", NULL },
	{ HD_TYPE_LABEL, "x..y/a=b", NULL },
	{ HD_TYPE_LABEL, "x_y/a=b", NULL },
	{ HD_TYPE_SELECTOR, "a=b", "\"a=b\"" },
	{ HD_TYPE_SELECTOR, "a=", "\"a=\"" },
	{ HD_TYPE_SELECTOR, "a", "\"a\"" },
	{ HD_TYPE_SELECTOR, "example.org/a", "\"example.org/a\"" },
	{ HD_TYPE_SELECTOR, "", NULL },
	{ HD_TYPE_SELECTOR, "a=b=c", NULL },
	{ HD_TYPE_SELECTOR, "!a", NULL },
	{ HD_TYPE_RATE, "10mbit", "\"10mbit\"" },
	{ HD_TYPE_RATE, "10000kbit", "\"10mbit\"" },
	{ HD_TYPE_RATE, "10000000", "\"10mbit\"" },
	{ HD_TYPE_RATE, "1500Kbit", "\"1500kbit\"" },
	{ HD_TYPE_RATE, "10M", "\"10mbit\"" },
	{ HD_TYPE_RATE, "1G", "\"1gbit\"" },
	{ HD_TYPE_RATE, "12345bit", "\"12345bit\"" },
	{ HD_TYPE_RATE, "1000gbit", "\"1000gbit\"" },
	{ HD_TYPE_RATE, "8k", "\"8kbit\"" },
	{ HD_TYPE_RATE, "7999", NULL },
	{ HD_TYPE_RATE, "1001gbit", NULL },
	{ HD_TYPE_RATE, "18446744073709551617gbit", NULL },
	{ HD_TYPE_RATE, "18446744074gbit", NULL },
	{ HD_TYPE_RATE, "mbit", NULL },
	{ HD_TYPE_RATE, "", NULL },
	{ HD_TYPE_RATE, "-1mbit", NULL },
	{ HD_TYPE_RATE, "1.5mbit", NULL },
	{ HD_TYPE_RATE, "10 mbit", NULL },
	{ HD_TYPE_RATE, "10mbps", NULL },
	{ HD_TYPE_SIZE, "64kb", "\"64kb\"" },
	{ HD_TYPE_SIZE, "65536", "\"64kb\"" },
	{ HD_TYPE_SIZE, "65537b", "\"65537b\"" },
	{ HD_TYPE_SIZE, "2m", "\"2mb\"" },
	{ HD_TYPE_SIZE, "2048kb", "\"2mb\"" },
	{ HD_TYPE_SIZE, "1024mb", "\"1024mb\"" },
	{ HD_TYPE_SIZE, "1023", NULL },
	{ HD_TYPE_SIZE, "1025mb", NULL },
	{ HD_TYPE_SIZE, "10mbit", NULL },
};

static const char *const words[] = { "one", "two", NULL };

static void text_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(text_cases) / sizeof(text_cases[0]); i++) {
		const struct text_case *c = &text_cases[i];
		const struct hd_option opt = {
			.name = "x", .type = c->type, .words = words, .min = 10, .max = 100
		};
		_json_ json_t *json = NULL;
		struct hd_error err = { 0 };
		int r = hd_option_from_text(&opt, c->text, &json, &err);

		if ((r == 0) != !!c->json)
			print_error("case %zu: %s\n", i, c->text);
		assert_int_equal(r == 0, !!c->json);
		if (r == 0) {
			assert_json(json, c->json);
			continue;
		}
		assert_null(json);
		assert_int_equal(err.code, HD_ERR_INVALID);
		assert_int_equal(strncmp(err.message, "option x: ", 10), 0);
	}
}

static void text_of_later_option(void **state)
{
	const struct hd_option opt = { .name = "ttl",
				       .type = HD_TYPE_STRING,
				       .flags = HD_OPT_LATER };
	json_t *json = NULL;
	struct hd_error err;

	(void)state;
	assert_true(hd_option_from_text(&opt, "5", &json, &err) < 0);
	assert_string_equal(err.message, "option ttl is not available yet");
	assert_null(json);
	assert_true(hd_option_from_text(&opt, "5", &json, NULL) < 0);
}

/* Without @json the spec is refused with this message, hint and place. */
struct spec_case {
	const char *noun;
	bool partial;
	const char *spec;
	const char *json;
	const char *message;
	const char *hint;
	const char *where;
};

#define LABEL_HINT                                                                                 \
	"KEY is [DOMAIN/]NAME; NAME and VALUE are letters, digits, '-', '_' and '.', 63 at most, " \
	"with a letter or digit at both ends"
#define SET true
#define ADD false

static const struct spec_case spec_cases[] = {
	/* canonical form, in the table's order */
	{ "network", ADD, "{\"mtu\":9000,\"type\":\"local\",\"flood\":\"no\"}",
	  "{\"type\":\"local\",\"mtu\":9000,\"flood\":false}", 0, 0, 0 },
	{ "network", ADD, "{\"type\":\"local\",\"mtu\":1500,\"flood\":true}",
	  "{\"type\":\"local\",\"mtu\":1500,\"flood\":true}", 0, 0, 0 }, /* a default is kept */
	{ "port", ADD, "{\"network\":\"blue\",\"internal\":true,\"isolated\":false}",
	  "{\"network\":\"blue\",\"internal\":true}", 0, 0, 0 },
	{ "port", ADD, "{\"network\":\"blue\",\"ip\":\"192.0.2.1\",\"label\":[]}",
	  "{\"network\":\"blue\",\"ip\":[\"192.0.2.1\"]}", 0, 0, 0 },
	{ "port", ADD, "{\"network\":\"blue\",\"ip\":[\"2001:DB8::1/64\",\"192.0.2.1\"]}",
	  "{\"network\":\"blue\",\"ip\":[\"2001:db8::1/64\",\"192.0.2.1\"]}", 0, 0, 0 },
	{ "fdb", SET, "{\"port\":\"web2\"}", "{\"port\":\"web2\"}", 0, 0, 0 },
	/* set */
	{ "port", SET, "{}", "{}", 0, 0, 0 },
	{ "port", SET, "{\"mac\":null,\"mtu\":1400}", "{\"mac\":null,\"mtu\":1400}", 0, 0, 0 },
	{ "port", SET, "{\"hairpin\":false,\"ip\":[]}", "{\"ip\":null,\"hairpin\":null}", 0, 0, 0 },
	{ "network", SET, "{\"flood\":false}", "{\"flood\":false}", 0, 0, 0 },
	{ "port", SET, "{\"network\":\"red\"}", NULL, "port web1: option network can't be changed",
	  "delete port web1 and add it again", "ports/web1/network" },
	{ "port", SET, "{\"network\":null}", NULL, "port web1: option network can't be changed",
	  "delete port web1 and add it again", "ports/web1/network" },
	{ "fdb", SET, "{\"port\":null,\"peer\":\"two\"}", "{\"port\":null,\"peer\":\"two\"}", 0, 0,
	  0 },
	{ "neighbour", SET, "{\"mac\":null}", NULL,
	  "neighbour web1: option mac is required, it has no default", "", "neighbours/web1/mac" },
	{ "port", ADD, "{\"network\":\"blue\",\"mac\":null}", NULL,
	  "port web1: option mac: expected text, not null", "", "ports/web1/mac" },
	/* which options */
	{ "subnet", ADD,
	  "{\"network\":\"blue\",\"cidr\":\"192.0.2.0/24\",\"pool\":\"192.0.2.9-192.0.2.2\"}", NULL,
	  "subnet web1: option pool: expected a range such as 192.0.2.10-192.0.2.99, not "
	  "\"192.0.2.9-192.0.2.2\"",
	  "", "subnets/web1/pool" },
	{ "subnet", SET, "{\"pool\":null}", "{\"pool\":null}", 0, 0, 0 },
	{ "security-group", ADD, "{\"select\":\"a=b\"}", "{\"select\":[\"a=b\"]}", 0, 0, 0 },
	{ "security-group", ADD, "{\"select\":[\"a\",\"b=c\"]}", "{\"select\":[\"a\",\"b=c\"]}", 0,
	  0, 0 },
	{ "security-group", ADD, "{\"isolate\":\"ingress\"}", "{\"isolate\":[\"ingress\"]}", 0, 0,
	  0 },
	{ "security-group", ADD, "{\"isolate\":\"both\"}", NULL,
	  "security-group web1: option isolate: expected one of ingress, egress, none, not \"both\"",
	  "", "security-groups/web1/isolate" },
	{ "security-group", ADD,
	  "{\"rules\":[{\"direction\":\"ingress\",\"remote\":\"10.0.0.0/8\",\"except\":\"10.1.0.0/16\"}]}",
	  "{\"rules\":[{\"direction\":\"ingress\",\"remote\":\"10.0.0.0/8\",\"except\":[\"10.1.0.0/16\"]}]}",
	  0, 0, 0 },
	{ "security-group", ADD,
	  "{\"rules\":[{\"direction\":\"ingress\",\"except\":[\"10.0.0.0/8\"]}]}", NULL,
	  "security-group web1: option rules: except needs remote", "",
	  "security-groups/web1/rules/0" },
	{ "security-group", ADD,
	  "{\"rules\":[{\"direction\":\"ingress\",\"remote\":\"10.0.0.0/8\",\"except\":[\"10.0.0.0/8\"]}]}",
	  NULL, "security-group web1: option rules: except must be smaller parts of remote", "",
	  "security-groups/web1/rules/0" },
	{ "security-group", ADD,
	  "{\"rules\":[{\"direction\":\"ingress\",\"remote\":\"10.0.0.0/8\",\"except\":[\"0.0.0.0/0\"]}]}",
	  NULL, "security-group web1: option rules: except must be smaller parts of remote", "",
	  "security-groups/web1/rules/0" },
	{ "security-group", ADD,
	  "{\"rules\":[{\"direction\":\"ingress\",\"remote\":\"10.0.0.0/8\",\"except\":[\"11.0.0.0/16\"]}]}",
	  NULL, "security-group web1: option rules: except must be smaller parts of remote", "",
	  "security-groups/web1/rules/0" },
	{ "security-group", ADD,
	  "{\"rules\":[{\"direction\":\"ingress\",\"remote\":\"10.0.0.0/8\",\"except\":[\"2001:db8::/48\"]}]}",
	  NULL, "security-group web1: option rules: except must be smaller parts of remote", "",
	  "security-groups/web1/rules/0" },
	{ "security-group", SET, "{\"select\":[]}", "{\"select\":null}", 0, 0, 0 },
	{ "security-group", ADD, "{\"select\":[\"a=b\",\"a\"]}", NULL,
	  "security-group web1: option select: a is there twice", "",
	  "security-groups/web1/select/1" },
	{ "security-group", ADD, "{\"select\":[\"a=b c\"]}", NULL,
	  "security-group web1: option select: expected KEY=VALUE or KEY, not \"a=b c\"",
	  LABEL_HINT, "security-groups/web1/select/0" },
	{ "port", ADD, "{\"network\":\"blue\",\"ingress-rate\":10000000,\"ingress-burst\":65536}",
	  "{\"network\":\"blue\",\"ingress-rate\":\"10mbit\",\"ingress-burst\":\"64kb\"}", 0, 0,
	  0 },
	{ "port", SET, "{\"egress-rate\":null}", "{\"egress-rate\":null}", 0, 0, 0 },
	{ "port", SET, "{\"egress-rate\":-5}", NULL,
	  "port web1: option egress-rate: expected a rate from 8kbit to 1000gbit, such as 10mbit (bits a second), "
	  "not \"-5\"",
	  "", "ports/web1/egress-rate" },
	{ "port", ADD, "{\"network\":\"blue\",\"label\":[\"a\"]}", NULL,
	  "port web1: option label: expected KEY=VALUE, not \"a\"", LABEL_HINT,
	  "ports/web1/label/0" },
	{ "port", SET, "{\"vlan-mode\":\"trunk\",\"trunk\":\"20,10-12,0,13\"}",
	  "{\"vlan-mode\":\"trunk\",\"trunk\":\"0,10-13,20\"}", 0, 0, 0 },
	{ "port", SET, "{\"trunk\":10,\"tag\":4094}", "{\"tag\":4094,\"trunk\":\"10\"}", 0, 0, 0 },
	{ "port", SET, "{\"trunk\":\"0-4094\"}", "{\"trunk\":\"0-4094\"}", 0, 0, 0 },
	{ "port", SET, "{\"trunk\":\"10,12,11\"}", "{\"trunk\":\"10-12\"}", 0, 0, 0 },
	{ "port", SET, "{\"tag\":null,\"trunk\":null}", "{\"tag\":null,\"trunk\":null}", 0, 0, 0 },
	{ "port", SET, "{\"vlan-mode\":\"Access\"}", NULL,
	  "port web1: option vlan-mode: expected one of access, trunk, native-tagged, "
	  "native-untagged, dot1q-tunnel, not \"Access\"",
	  "", "ports/web1/vlan-mode" },
	{ "port", SET, "{\"tag\":0}", NULL,
	  "port web1: option tag: expected a number from 1 to 4094", "", "ports/web1/tag" },
	{ "port", SET, "{\"tag\":4095}", NULL,
	  "port web1: option tag: expected a number from 1 to 4094", "", "ports/web1/tag" },
	{ "port", SET, "{\"trunk\":\"10-20,15\"}", NULL,
	  "port web1: option trunk: expected no VLAN twice, not \"10-20,15\"", "",
	  "ports/web1/trunk" },
	{ "port", SET, "{\"trunk\":\"10,10\"}", NULL,
	  "port web1: option trunk: expected no VLAN twice, not \"10,10\"", "",
	  "ports/web1/trunk" },
	{ "port", SET, "{\"trunk\":\"20-10\"}", NULL,
	  "port web1: option trunk: expected ranges that go upwards, not \"20-10\"", "",
	  "ports/web1/trunk" },
	{ "port", SET, "{\"trunk\":\"4095\"}", NULL,
	  "port web1: option trunk: expected VLANs from 0 to 4094, not \"4095\"", "",
	  "ports/web1/trunk" },
	{ "port", SET, "{\"trunk\":\"99999\"}", NULL,
	  "port web1: option trunk: expected VLANs as N,N-M, not \"99999\"", "",
	  "ports/web1/trunk" },
	{ "port", SET, "{\"trunk\":\"\"}", NULL,
	  "port web1: option trunk: expected VLANs as N,N-M, not \"\"", "", "ports/web1/trunk" },
	{ "port", SET, "{\"trunk\":\"10,\"}", NULL,
	  "port web1: option trunk: expected VLANs as N,N-M, not \"10,\"", "", "ports/web1/trunk" },
	{ "port", SET, "{\"trunk\":\"1 0\"}", NULL,
	  "port web1: option trunk: expected VLANs as N,N-M, not \"1 0\"", "", "ports/web1/trunk" },
	{ "port", SET, "{\"trunk\":[10,20]}", NULL,
	  "port web1: option trunk: expected text, not a list", "", "ports/web1/trunk" },
	{ "port", ADD, "{\"netwrok\":\"blue\"}", NULL, "port web1: unknown option netwrok",
	  "did you mean network?", "ports/web1/netwrok" },
	{ "port", ADD, "{\"macs\":\"x\"}", NULL, "port web1: unknown option macs",
	  "did you mean mac?", "ports/web1/macs" },
	{ "port", ADD, "{\"quux\":1}", NULL, "port web1: unknown option quux", "",
	  "ports/web1/quux" },
	{ "port", SET, "{\"quux\":null}", NULL, "port web1: unknown option quux", "",
	  "ports/web1/quux" },
	{ "subnet", ADD, "{}", NULL, "subnet web1: missing options: network, cidr", "",
	  "subnets/web1" },
	{ "subnet", ADD, "{\"network\":\"blue\"}", NULL, "subnet web1: missing option: cidr", "",
	  "subnets/web1" },
	{ "port", ADD, "null", NULL, "port web1: expected options, not null", "", "ports/web1" },
	{ "port", ADD, "[]", NULL, "port web1: expected options, not a list", "", "ports/web1" },
	/* types */
	{ "network", ADD, "{\"type\":\"local\",\"mtu\":\"1500\"}", NULL,
	  "network web1: option mtu: expected a whole number from 576 to 65535, not text",
	  "write it without quotes", "networks/web1/mtu" },
	{ "network", ADD, "{\"type\":\"local\",\"mtu\":-1}", NULL,
	  "network web1: option mtu: expected a number from 576 to 65535", "",
	  "networks/web1/mtu" },
	{ "network", ADD, "{\"type\":\"local\",\"mtu\":1500.0}", NULL,
	  "network web1: option mtu: expected a whole number from 576 to 65535, not a number", "",
	  "networks/web1/mtu" },
	{ "network", SET, "{\"tunnel-dscp\":\"inherit\",\"tunnel-ttl\":255}",
	  "{\"tunnel-dscp\":\"inherit\",\"tunnel-ttl\":255}", 0, 0, 0 },
	{ "network", SET, "{\"tunnel-dscp\":0}", "{\"tunnel-dscp\":0}", 0, 0, 0 },
	{ "network", SET, "{\"tunnel-dscp\":\"63\"}", "{\"tunnel-dscp\":63}", 0, 0, 0 },
	{ "network", SET, "{\"tunnel-dscp\":64}", NULL,
	  "network web1: option tunnel-dscp: expected inherit or a number from 0 to 63", "",
	  "networks/web1/tunnel-dscp" },
	{ "network", SET, "{\"tunnel-dscp\":-1}", NULL,
	  "network web1: option tunnel-dscp: expected inherit or a number from 0 to 63", "",
	  "networks/web1/tunnel-dscp" },
	{ "network", SET, "{\"tunnel-dscp\":\"ef\"}", NULL,
	  "network web1: option tunnel-dscp: expected inherit or a number from 0 to 63, not \"ef\"",
	  "", "networks/web1/tunnel-dscp" },
	{ "network", SET, "{\"tunnel-dscp\":true}", NULL,
	  "network web1: option tunnel-dscp: expected inherit or a whole number from 0 to 63, not true",
	  "", "networks/web1/tunnel-dscp" },
	{ "network", SET, "{\"tunnel-ttl\":0}", NULL,
	  "network web1: option tunnel-ttl: expected a number from 1 to 255", "",
	  "networks/web1/tunnel-ttl" },
	{ "network", SET, "{\"tunnel-ttl\":256}", NULL,
	  "network web1: option tunnel-ttl: expected a number from 1 to 255", "",
	  "networks/web1/tunnel-ttl" },
	{ "network", ADD, "{\"type\":\"local\",\"mtu\":575}", NULL,
	  "network web1: option mtu: expected a number from 576 to 65535", "",
	  "networks/web1/mtu" },
	{ "network", ADD, "{\"type\":\"vxlam\"}", NULL,
	  "network web1: option type: expected one of local, flat, vlan, vxlan, geneve, gre, not "
	  "\"vxlam\"",
	  "", "networks/web1/type" },
	{ "network", ADD, "{\"type\":\"local\",\"flood\":1}", NULL,
	  "network web1: option flood: expected on or off, not a number", "",
	  "networks/web1/flood" },
	{ "port", ADD, "{\"network\":12}", NULL,
	  "port web1: option network: expected text, not a number", "put it in quotes: \"12\"",
	  "ports/web1/network" },
	{ "port", ADD, "{\"network\":\"blue\",\"hairpin\":\"yes\"}", NULL,
	  "port web1: option hairpin: expected true or false, not text", "", "ports/web1/hairpin" },
	{ "port", ADD, "{\"network\":[\"blue\"]}", NULL,
	  "port web1: option network: expected text, not a list", "", "ports/web1/network" },
	{ "subnet", ADD, "{\"network\":\"blue\",\"cidr\":\"192.0.2.77/26\"}", NULL,
	  "subnet web1: option cidr: 192.0.2.77/26 has bits set behind its prefix length",
	  "the network that holds it is 192.0.2.64/26", "subnets/web1/cidr" },
	/* lists */
	{ "port", ADD, "{\"network\":\"blue\",\"ip\":[\"192.0.2.1\",\"192.0.2.300\"]}", NULL,
	  "port web1: option ip: expected an IPv4 or IPv6 address, with or without /LEN; auto; or FIRST-LAST[,FIRST-LAST]..., not "
	  "\"192.0.2.300\"",
	  "", "ports/web1/ip/1" },
	{ "port", ADD, "{\"network\":\"blue\",\"ip\":\"x\"}", NULL,
	  "port web1: option ip: expected an IPv4 or IPv6 address, with or without /LEN; auto; or FIRST-LAST[,FIRST-LAST]..., not \"x\"",
	  "", "ports/web1/ip" },
	{ "port", ADD,
	  "{\"network\":\"blue\",\"ip\":[\"192.0.2.1\",\"2001:db8::1\",\"192.0.2.1/24\"]}", NULL,
	  "port web1: option ip: 192.0.2.1 is there twice", "", "ports/web1/ip/2" },
	{ "port", ADD, "{\"network\":\"blue\",\"label\":[\"a=b\",\"a=c\"]}", NULL,
	  "port web1: option label: a is there twice", "", "ports/web1/label/1" },
	{ "port", ADD, "{\"network\":\"blue\",\"ip\":[[\"192.0.2.1\"]]}", NULL,
	  "port web1: option ip: expected text, not a list", "", "ports/web1/ip/0" },
	/* routers */
	{ "router", ADD, "{\"mac\":\"02-00-5E-00-53-01\"}", "{\"mac\":\"02:00:5e:00:53:01\"}", 0, 0,
	  0 },
	{ "router", ADD, "{\"subnets\":[],\"routes\":[]}", "{}", 0, 0, 0 },
	{ "router", ADD,
	  "{\"routes\":[{\"via\":\"10.0.1.9\",\"prefix\":\"10.9.0.0/16\",\"blackhole\":false}]}",
	  "{\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.1.9\"}]}", 0, 0, 0 },
	{ "router", ADD, "{\"subnets\":[\"a\",\"a\"]}", NULL,
	  "router web1: option subnets: a is there twice", "", "routers/web1/subnets/1" },
	{ "router", ADD, "{\"routes\":[{\"via\":\"10.0.1.9\"}]}", NULL,
	  "router web1: route: missing option: prefix", "", "routers/web1/routes/0" },
	{ "router", ADD, "{\"routes\":[{\"prefix\":\"10.9.0.0/16\"}]}", NULL,
	  "router web1: option routes: a route needs via, or blackhole", "",
	  "routers/web1/routes/0" },
	{ "router", ADD,
	  "{\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.1.9\",\"blackhole\":true}]}",
	  NULL, "router web1: option routes: via and blackhole exclude each other", "",
	  "routers/web1/routes/0" },
	{ "router", ADD,
	  "{\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"blackhole\":true,\"weight\":2}]}", NULL,
	  "router web1: option routes: weight needs via", "", "routers/web1/routes/0" },
	{ "router", ADD, "{\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"via\":\"2001:db8::9\"}]}",
	  NULL, "router web1: option routes: via is not of the family of the prefix", "",
	  "routers/web1/routes/0" },
	{ "router", ADD, "{\"routes\":[\"10.9.0.0/16\"]}", NULL,
	  "router web1: option routes: expected a mapping, not text", "", "routers/web1/routes/0" },
	{ "router", ADD, "{\"gateway\":{\"uplink\":\"eth0\"}}",
	  "{\"gateway\":{\"uplink\":\"eth0\"}}", 0, 0, 0 },
	{ "router", ADD, "{\"gateway\":{\"uplink\":\"eth0\",\"network\":\"ext\"}}", NULL,
	  "router web1: option gateway: network and uplink exclude each other", "",
	  "routers/web1/gateway" },
	{ "router", ADD, "{\"gateway\":{\"uplink\":\"eth0\",\"snat\":false}}", NULL,
	  "router web1: option gateway: ip and snat need network: at an uplink the host's address is the source",
	  "", "routers/web1/gateway" },
	{ "router", ADD,
	  "{\"gateway\":{\"network\":\"ext\",\"ip\":\"203.0.113.9\",\"snat\":\"off\"}}",
	  "{\"gateway\":{\"network\":\"ext\",\"ip\":[\"203.0.113.9\"],\"snat\":false}}", 0, 0, 0 },
	{ "router", ADD,
	  "{\"gateway\":{\"network\":\"ext\",\"ip\":[\"2001:DB8:0:0::9\",\"203.0.113.9\"]}}",
	  "{\"gateway\":{\"network\":\"ext\",\"ip\":[\"2001:db8::9\",\"203.0.113.9\"]}}", 0, 0, 0 },
	{ "router", SET, "{\"gateway\":null}", "{\"gateway\":null}", 0, 0, 0 },
	{ "router", ADD, "{\"gateway\":{\"ip\":\"203.0.113.9\"}}", NULL,
	  "router web1: option gateway: a gateway needs network or uplink", "",
	  "routers/web1/gateway" },
	{ "router", ADD,
	  "{\"gateway\":{\"network\":\"ext\",\"ip\":[\"2001:db8::9\",\"2001:db8::8\"]}}", NULL,
	  "router web1: option gateway: ip: it has one address of each family", "",
	  "routers/web1/gateway" },
	{ "router", ADD, "{\"gateway\":\"203.0.113.9\"}", NULL,
	  "router web1: option gateway: expected a mapping, not text", "", "routers/web1/gateway" },

	/* floating IPs and pools */
	{ "floating-ip", ADD, "{\"port\":\"p\",\"router\":\"r\",\"fixed-ip\":\"10.0.1.11\"}",
	  "{\"router\":\"r\",\"port\":\"p\",\"fixed-ip\":\"10.0.1.11\"}", 0, 0, 0 },
	{ "floating-ip", ADD, "{\"router\":\"r\"}", NULL, "floating-ip web1: missing option: port",
	  "", "floating-ips/web1" },
	{ "floating-ip", SET, "{\"fixed-ip\":null}", "{\"fixed-ip\":null}", 0, 0, 0 },
	{ "subnet", SET, "{\"pool\":\"2001:DB8::1-2001:db8::f\"}",
	  "{\"pool\":\"2001:db8::1-2001:db8::f\"}", 0, 0, 0 },
	{ "port", ADD, "{\"network\":\"blue\",\"label\":[\"a=\\u0000\"]}", NULL,
	  "port web1: option label: NUL in text", "", "ports/web1/label/0" },
};

static void check_refusal(const struct spec_case *c, const struct hd_error *err)
{
	char object[64];

	assert_string_equal(err->message, c->message);
	assert_string_equal(err->hint, c->hint);
	assert_string_equal(err->where, c->where);
	assert_int_equal(err->code, HD_ERR_INVALID);
	(void)snprintf(object, sizeof(object), "%s web1", c->noun);
	assert_string_equal(err->object, object);
}

static void specs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(spec_cases) / sizeof(spec_cases[0]); i++) {
		const struct spec_case *c = &spec_cases[i];
		const struct hd_noun *noun = hd_noun_find(c->noun);
		_json_ json_t *spec = json_loads(c->spec, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		_json_ json_t *json = NULL, *again = NULL;
		struct hd_error err = { 0 };
		int r;

		assert_non_null(spec);
		r = hd_spec_canonical(noun, "web1", spec, c->partial, &json, &err);
		if (!c->json) {
			assert_true(r < 0);
			assert_null(json);
			check_refusal(c, &err);
			assert_true(hd_spec_canonical(noun, "web1", spec, c->partial, &json, NULL) <
				    0);
			continue;
		}
		if (r < 0)
			print_error("%s: %s\n", c->spec, err.message);
		assert_int_equal(r, 0);
		assert_json(json, c->json);
		assert_int_equal(hd_spec_canonical(noun, "web1", json, c->partial, &again, &err),
				 0);
		assert_json(again, c->json);
	}
}

/* The API takes 16 MiB: a list may be long, comparing each with each would take hours. */
static void long_lists_are_checked_quickly(void **state)
{
	_json_ json_t *list = json_array();
	_json_ json_t *spec = json_pack("{s:s, s:O}", "network", "blue", "ip", list);
	_json_ json_t *json = NULL;
	struct hd_error err;

	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		char ip[32];

		(void)snprintf(ip, sizeof(ip), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		json_array_append_new(list, json_string(ip));
	}
	assert_int_equal(hd_spec_canonical(hd_noun_find("port"), "p", spec, false, &json, &err), 0);
	assert_int_equal(json_array_size(json_object_get(json, "ip")), 200000);
}

/* What is not available yet makes sense already: see routers/gateway. */
static void ways_out(void **state)
{
	static const struct {
		const char *spec, *nonsense;
	} cases[] = {
		{ "{\"network\":\"ext\",\"ip\":[\"203.0.113.9\"],\"snat\":false}", NULL },
		{ "{\"network\":\"ext\",\"ip\":[\"203.0.113.9\",\"2001:db8::9\"]}", NULL },
		{ "{\"network\":\"ext\",\"ip\":[\"203.0.113.9\",\"203.0.113.8\"]}",
		  "ip: it has one address of each family" },
		{ "{\"uplink\":\"eth0\"}", NULL },
		{ "{\"network\":\"ext\",\"nat-log\":true}", NULL },
		{ "{\"network\":\"ext\",\"snat\":false,\"nat-log\":false}", NULL },
		{ "{\"network\":\"ext\",\"snat\":false,\"nat-log\":true}",
		  "nat-log needs snat: without it no ports are handed out" },
		{ "{\"uplink\":\"eth0\",\"nat-ports-per-address\":64,\"nat-ports\":128}", NULL },
		{ "{\"network\":\"ext\",\"nat-ports-per-address\":65}",
		  "ports are handed out in blocks of 64: not a multiple of that" },
		{ "{\"network\":\"ext\",\"nat-ports\":1000}",
		  "ports are handed out in blocks of 64: not a multiple of that" },
		{ "{\"network\":\"ext\",\"nat-filter\":\"endpoint\"}", NULL },
		{ "{\"network\":\"ext\",\"snat\":false,\"nat-filter\":\"endpoint\"}",
		  "nat-filter needs snat: without it nothing is filtered" },
		{ "{\"uplink\":\"eth0\",\"nat-filter\":\"endpoint\"}",
		  "nat-filter needs network: at an uplink what is no answer is the host's own" },
		{ "{\"network\":\"ext\",\"snat\":false,\"nat-ports\":1024}",
		  "a number of ports needs snat: without it none are handed out" },
		{ "{}", "a gateway needs network or uplink" },
		{ "{\"network\":\"ext\",\"uplink\":\"eth0\"}",
		  "network and uplink exclude each other" },
		{ "{\"network\":\"ext\"}", NULL },
		{ "{\"network\":\"ext\",\"ip\":[\"2001:db8::9\"]}", NULL },
		{ "{\"uplink\":\"eth0\",\"snat\":true}",
		  "ip and snat need network: at an uplink the host's address is the source" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_json_ json_t *spec = json_loads(cases[i].spec, 0, NULL);
		const char *nonsense = hd_item_nonsense(&hd_gateway_noun, spec);

		if (cases[i].nonsense)
			assert_string_equal(nonsense, cases[i].nonsense);
		else
			assert_null(nonsense);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(text_values),
		cmocka_unit_test(text_of_later_option),
		cmocka_unit_test(specs),
		cmocka_unit_test(ways_out),
		cmocka_unit_test(long_lists_are_checked_quickly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
