// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_cli_args.c - command lines: what is understood, what is refused and with which hint */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/args.h"
#include "cli/filter.h"
#include "cli/near.h"
#include "cli/object.h"
#include "cli/url.h"
#include "loader/cleanup.h"

enum { WORDS_MAX = 32 };

/* One command line; the words are cut at blanks. */
struct line {
	char text[256];
	const char *words[WORDS_MAX];
	struct hd_cli cli;
	struct hd_error err;
	int r;
};

static void parse(struct line *line, const char *text)
{
	size_t n = 0;

	hd_cli_done(&line->cli);
	*line = (struct line){};
	assert_true(strlen(text) < sizeof(line->text));
	strcpy(line->text, text);
	for (char *word = strtok(line->text, " "); word; word = strtok(NULL, " "))
		line->words[n++] = word;
	line->r = hd_args_parse(&line->cli, n, line->words, &line->err);
}

static void line_done(struct line *line)
{
	hd_cli_done(&line->cli);
}

#define _line_ CLEANUP(line_done)

static void assert_command(struct line *line, const char *text, const char *title)
{
	parse(line, text);
	if (line->r)
		fail_msg("%s: %s", text, line->err.message);
	assert_string_equal(hd_cli_title(&line->cli), title);
}

static void assert_refused(const char *text, enum hd_error_code code, const char *message,
			   const char *hint)
{
	struct line line _line_ = {};

	parse(&line, text);
	assert_true(line.r < 0);
	assert_int_equal(line.err.code, code);
	assert_string_equal(line.err.message, message);
	if (hint)
		assert_string_equal(line.err.hint, hint);
}

static void assert_spec(struct line *line, const char *text)
{
	_json_ json_t *expected = json_loads(text, 0, NULL);

	assert_non_null(expected);
	assert_true(json_equal(expected, line->cli.spec));
}

static void bare_words(void **state)
{
	struct line line _line_ = {};

	(void)state;
	assert_command(&line, "", "status");
	assert_command(&line, "-j", "status");
	assert_command(&line, "port", "port list");
	assert_command(&line, "ports", "port list");
	assert_command(&line, "neigh", "neighbour list");
	assert_command(&line, "fdb --network blue", "fdb list");
	assert_string_equal(hd_cli_text(&line.cli, "network"), "blue");
	assert_command(&line, "sg", "security-group list");
	assert_command(&line, "flow", "flow list");
	assert_command(&line, "flow --port web1", "flow list");
	assert_command(&line, "explain", "explain");
	assert_command(&line, "explain mtu", "explain");
	assert_string_equal(line.cli.args[0], "mtu");
}

static void object_options(void **state)
{
	struct line line _line_ = {};

	(void)state;
	assert_command(&line,
		       "port add web1 --network blue --device=tap0 --ip 192.0.2.1/24 --ip "
		       "2001:DB8::1 --isolated --label a=b --may-exist",
		       "port add");
	assert_string_equal(line.cli.args[0], "web1");
	assert_true(hd_cli_flag(&line.cli, "may-exist"));
	assert_spec(&line, "{\"network\": \"blue\", \"device\": \"tap0\", \"isolated\": true,"
			   "\"ip\": [\"192.0.2.1/24\", \"2001:db8::1\"], \"label\": [\"a=b\"]}");
	assert_command(&line, "network set blue --flood off --mtu 1400", "network set");
	assert_spec(&line, "{\"flood\": false, \"mtu\": 1400}");
}

/* The options of a rule, not of the group; the same words may be options of both. */
static void rule_options(void **state)
{
	struct line line _line_ = {};

	(void)state;
	assert_command(&line,
		       "sg rule-add web --direction ingress --protocol 6 --port 80-81 --remote "
		       "192.0.2.0/24",
		       "security-group rule-add");
	assert_string_equal(line.cli.args[0], "web");
	assert_spec(&line, "{\"direction\": \"ingress\", \"protocol\": \"tcp\","
			   "\"port\": \"80-81\", \"remote\": \"192.0.2.0/24\"}");
	assert_command(&line, "security-group rule-del web 17 --if-exists",
		       "security-group rule-del");
	assert_string_equal(line.cli.args[1], "17");
	assert_refused("sg rule-add web --port 80", HD_ERR_USAGE,
		       "security-group rule-add: --direction is missing", NULL);
	assert_refused("sg rule-add web --direction ingress --id 3", HD_ERR_USAGE,
		       "security-group rule-add: unknown option '--id'", NULL);
	assert_refused("sg rule-add web --remote-gruop x", HD_ERR_USAGE,
		       "security-group rule-add: unknown option '--remote-gruop'",
		       "did you mean '--remote-group'?");
	assert_refused("sg set web --rules x", HD_ERR_USAGE,
		       "security-group set: unknown option '--rules'",
		       "'heddle security-group rule-add' adds a rule");
	assert_refused("sg rule-del web", HD_ERR_USAGE,
		       "security-group rule-del: GROUP ID is missing", NULL);
}

/* The prefix of a route is an argument, and subnets are attached by a verb. */
static void routers(void **state)
{
	struct line line _line_ = {};

	(void)state;
	assert_command(&line, "router add r1 --mac 02-00-5E-00-53-01", "router add");
	assert_spec(&line, "{\"mac\": \"02:00:5e:00:53:01\"}");
	assert_command(&line, "router attach r1 --subnet blue4 --may-exist", "router attach");
	assert_string_equal(hd_cli_text(&line.cli, "subnet"), "blue4");
	assert_command(&line, "router detach r1 --subnet blue4 --if-exists", "router detach");
	assert_command(&line, "router route-add r1 10.9.0.0/16 --via 10.0.1.9 --weight 2",
		       "router route-add");
	assert_string_equal(line.cli.args[1], "10.9.0.0/16");
	assert_spec(&line, "{\"via\": \"10.0.1.9\", \"weight\": 2}");
	assert_command(&line, "router route-add r1 10.9.0.0/16 --blackhole", "router route-add");
	assert_spec(&line, "{\"blackhole\": true}");
	assert_command(&line, "router route-del r1 3", "router route-del");
	assert_command(&line, "router gateway r1 --network ext --ip 203.0.113.9 --snat off",
		       "router gateway");
	assert_spec(&line, "{\"network\": \"ext\", \"ip\": [\"203.0.113.9\"], \"snat\": false}");
	assert_command(&line, "router gateway r1 --none", "router gateway");
	assert_true(hd_cli_flag(&line.cli, "none"));
	assert_refused("router attach r1", HD_ERR_USAGE, "router attach: --subnet is missing",
		       NULL);
	assert_refused("router route-add r1 --via 10.0.1.9", HD_ERR_USAGE,
		       "router route-add: ROUTER PREFIX is missing", NULL);
	assert_refused("router route-add r1 10.9.0.0/16 --prefix 10.0.0.0/8", HD_ERR_USAGE,
		       "router route-add: unknown option '--prefix'", NULL);
	assert_refused(
		"router route-add r1 10.9.0.0/16 --weight 0", HD_ERR_INVALID,
		"router route-add: option weight: expected a number from 1 to 255, not \"0\"", "");
	assert_refused("router add r1 --routes x", HD_ERR_USAGE,
		       "router add: unknown option '--routes'",
		       "'heddle router route-add' adds a route");
	assert_refused("router add r1 --subnets x", HD_ERR_USAGE,
		       "router add: unknown option '--subnets'",
		       "it has verbs of its own: see 'heddle router --help'");
}

static void floating_ips(void **state)
{
	struct line line _line_ = {};

	(void)state;
	assert_command(&line, "fip add 203.0.113.10 --router r1 --port web1", "floating-ip add");
	assert_string_equal(line.cli.args[0], "203.0.113.10");
	assert_spec(&line, "{\"router\": \"r1\", \"port\": \"web1\"}");
	assert_command(&line, "floating-ip set 203.0.113.10 --fixed-ip 10.0.1.12 --unset port",
		       "floating-ip set");
	assert_command(&line, "fip --router r1", "floating-ip list");
	assert_refused("fip add 203.0.113.10 --router r1", HD_ERR_USAGE,
		       "floating-ip add: --port is missing", NULL);
	assert_refused("fip add 203.0.113.10 --router r1 --port web1 --fixed-ip web1",
		       HD_ERR_INVALID,
		       "floating-ip add: option fixed-ip: expected an IPv4 or IPv6 address, not "
		       "\"web1\"",
		       "");
}

static void assert_filter(const char *text, const char *expected)
{
	struct line line _line_ = {};
	_free_ char *url = NULL;

	parse(&line, text);
	assert_int_equal(line.r, 0);
	url = hd_filter_url(&line.cli, "/v1/flows");
	assert_string_equal(url, expected);
}

/* Global options are no filters. */
static void filters(void **state)
{
	(void)state;
	assert_filter("flow -j -i lab", "/v1/flows");
	assert_filter("flow show --dport 80 --limit 5 --state half-open --protocol 17",
		      "/v1/flows?protocol=udp&dport=80&state=half-open&limit=5");
	assert_filter("flow --address 2001:DB8::1 --port web1 --network blue",
		      "/v1/flows?network=blue&port=web1&address=2001:db8::1");
}

static void globals_anywhere(void **state)
{
	static const char *const lines[] = {
		"-i lab -j --timeout 3 --dry-run network del blue",
		"network -i lab --json --timeout=3 del --dry-run blue",
		"network del blue -j --instance lab --timeout 3 --dry-run -j",
	};

	(void)state;
	for (size_t i = 0; i < HD_COUNT(lines); i++) {
		struct line line _line_ = {};

		assert_command(&line, lines[i], "network del");
		assert_string_equal(hd_cli_text(&line.cli, "instance"), "lab");
		assert_int_equal(hd_cli_number(&line.cli, "timeout", 10), 3);
		assert_true(hd_cli_flag(&line.cli, "json"));
		assert_true(hd_cli_flag(&line.cli, "dry-run"));
		assert_string_equal(line.cli.args[0], "blue");
	}
}

/* A value is a value, whatever it looks like; after "--" nothing is an option. */
static void values_are_not_options(void **state)
{
	struct line line _line_ = {};

	(void)state;
	assert_command(&line, "apply -f -j", "apply");
	assert_string_equal(line.cli.file, "-j");
	assert_false(hd_cli_flag(&line.cli, "json"));
	assert_command(&line, "apply -f -", "apply");
	assert_string_equal(line.cli.file, "-");
	assert_command(&line, "port del -- -j", "port del");
	assert_string_equal(line.cli.args[0], "-j");
	assert_false(hd_cli_flag(&line.cli, "json"));
}

static void help_needs_nothing_else(void **state)
{
	struct line line _line_ = {};

	(void)state;
	parse(&line, "--help");
	assert_int_equal(line.r, 0);
	assert_null(line.cli.group);
	parse(&line, "port --help");
	assert_int_equal(line.r, 0);
	assert_null(line.cli.command);
	assert_command(&line, "port add --help", "port add");
	assert_command(&line, "--help port add", "port add");
	assert_true(hd_cli_flag(&line.cli, "help"));
}

static void refused_words(void **state)
{
	(void)state;
	assert_refused("prot", HD_ERR_USAGE, "unknown word 'prot'", "did you mean 'port'?");
	assert_refused("net", HD_ERR_USAGE, "unknown word 'net'",
		       "'heddle --help' lists nouns and commands");
	assert_refused("port ad x", HD_ERR_USAGE, "port has no verb 'ad'", "did you mean 'add'?");
	assert_refused("port add x --netwrok b", HD_ERR_USAGE,
		       "port add: unknown option '--netwrok'", "did you mean '--network'?");
	assert_refused("--jsno", HD_ERR_USAGE, "unknown option '--jsno'", "did you mean '--json'?");
	assert_refused("port add x y --network b", HD_ERR_USAGE, "port add: unexpected 'y'", "");
	assert_refused("status now", HD_ERR_USAGE, "status: unexpected 'now'", "");
	assert_refused("port del", HD_ERR_USAGE, "port del: PORT is missing",
		       "see 'heddle port del --help'");
	assert_refused("port add x", HD_ERR_USAGE, "port add: --network is missing", NULL);
	assert_refused("fdb del 02:00:5e:00:53:01", HD_ERR_USAGE, "fdb del: --network is missing",
		       NULL);
	assert_refused("apply", HD_ERR_USAGE, "apply: --file is missing", NULL);
}

static void refused_options(void **state)
{
	(void)state;
	assert_refused("port add x --network", HD_ERR_USAGE,
		       "port add: --network needs a value: NET", "");
	assert_refused("port add x --isolated=on", HD_ERR_USAGE,
		       "port add: --isolated takes no value", "");
	assert_refused("port add x --network a --network b", HD_ERR_USAGE,
		       "port add: --network is given twice", "");
	assert_refused("port set x --network b", HD_ERR_USAGE,
		       "port set: --network can't be changed", "delete the port and add it again");
	assert_refused("fdb flush --dry-run", HD_ERR_USAGE,
		       "fdb flush: --dry-run is not available yet", "");
	assert_refused("purge --dry-run", HD_ERR_USAGE, "purge: --dry-run is not available yet",
		       "");
}

/* What the contract promises for later is refused, never ignored. */
static void refused_later(void **state)
{
	(void)state;
	assert_refused("capture", HD_ERR_USAGE, "capture is not available yet", "");
	assert_refused("apply --ttl 45m -f x", HD_ERR_USAGE, "apply: --ttl is not available yet",
		       "");
}

static void refused_values(void **state)
{
	struct line line _line_ = {};

	(void)state;
	parse(&line, "network add x --type local --mtu 12");
	assert_int_equal(line.err.code, HD_ERR_INVALID);
	parse(&line, "--timeout 0");
	assert_int_equal(line.err.code, HD_ERR_USAGE);
	parse(&line, "-i ../x status");
	assert_int_equal(line.err.code, HD_ERR_USAGE);
}

static void assert_name(const char *text, const char *expected)
{
	struct line line _line_ = {};
	_free_ char *name = NULL;

	parse(&line, text);
	assert_int_equal(line.r, 0);
	assert_int_equal(hd_object_name(&line.cli, &name, &line.err), 0);
	assert_string_equal(name, expected);
}

static void assert_no_name(const char *text)
{
	struct line line _line_ = {};
	char *name = NULL;

	parse(&line, text);
	assert_int_equal(line.r, 0);
	assert_true(hd_object_name(&line.cli, &name, &line.err) < 0);
	assert_int_equal(line.err.code, HD_ERR_INVALID);
	assert_null(name);
}

static void names(void **state)
{
	(void)state;
	assert_name("port del web1", "web1");
	assert_name("fdb del 02:00:5E:00:53:01 --network blue", "blue/02:00:5e:00:53:01");
	assert_name("neighbour del 2001:DB8::0:1 --network blue", "blue/2001:db8::1");
	assert_no_name("port del ../x");
	assert_no_name("port show a/b");
	assert_no_name("fdb del 02 --network blue");
	assert_no_name("neighbour del x --network blue");
}

static void urls(void **state)
{
	struct line line _line_ = {};
	_free_ char *change = NULL;
	_free_ char *plain = NULL;

	(void)state;
	parse(&line, "port add x --network b --dry-run --may-exist");
	change = hd_url(&line.cli, "ports", NULL);
	assert_string_equal(change, "/v1/ports?dry-run=1&may-exist=1");
	plain = hd_url(NULL, "fdb", "blue/02:00:5e:00:53:01 ?#%");
	assert_string_equal(plain, "/v1/fdb/blue/02:00:5e:00:53:01%20%3F%23%25");
}

static void edit_distance(void **state)
{
	char longer[80];

	(void)state;
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(hd_edit_distance("", ""), 0);
	assert_int_equal(hd_edit_distance("port", "port"), 0);
	assert_int_equal(hd_edit_distance("", "abc"), 3);
	assert_int_equal(hd_edit_distance("abc", ""), 3);
	assert_int_equal(hd_edit_distance("prot", "port"), 1); /* swapped */
	assert_int_equal(hd_edit_distance("kitten", "sitting"), 3);
	assert_int_equal(hd_edit_distance(longer, "x"), UINT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bare_words),
		cmocka_unit_test(object_options),
		cmocka_unit_test(rule_options),
		cmocka_unit_test(routers),
		cmocka_unit_test(floating_ips),
		cmocka_unit_test(filters),
		cmocka_unit_test(globals_anywhere),
		cmocka_unit_test(values_are_not_options),
		cmocka_unit_test(help_needs_nothing_else),
		cmocka_unit_test(refused_words),
		cmocka_unit_test(refused_options),
		cmocka_unit_test(refused_later),
		cmocka_unit_test(refused_values),
		cmocka_unit_test(names),
		cmocka_unit_test(urls),
		cmocka_unit_test(edit_distance),
	};

	return cmocka_run_group_tests_name("cli args", tests, NULL, NULL);
}
