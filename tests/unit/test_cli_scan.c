// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_cli_scan.c - JSON text looked at in place: members, escapes, pieces cut anywhere, nonsense */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/scan.h"
#include "loader/cleanup.h"

static struct hd_scan scan_of(const char *text)
{
	return (struct hd_scan){ text, text + strlen(text) };
}

struct pair {
	struct hd_scan a, b;
};

static const struct hd_scan_field fields[] = {
	{ "a", offsetof(struct pair, a) },
	{ "b", offsetof(struct pair, b) },
};

static void assert_pair(const char *text, const char *a, const char *b)
{
	struct pair pair = {};
	char buf[32];

	hd_scan_fields(scan_of(text), fields, 2, &pair);
	assert_string_equal(hd_scan_text(pair.a, buf, sizeof(buf)), a);
	assert_string_equal(hd_scan_text(pair.b, buf, sizeof(buf)), b);
}

static void members(void **state)
{
	(void)state;
	assert_pair("{}", "", "");
	assert_pair("{\"a\":\"x\",\"b\":12}", "x", "12");
	assert_pair("{ \"b\" : true ,\n\t\"other\": [1, {\"a\": 2}], \"a\" : \"\" }", "", "true");
	assert_pair("{\"a\": {\"b\": 1}, \"b\": [\"}\", \"\\\"]\"]}", "{\"b\": 1}", "?");
	assert_pair("{\"a\": \"q\\\"\\u00e9\\\\\", \"b\": -5}", "q\"\u00e9\\", "-5");
	assert_pair("[\"a\", 1]", "", "");
}

static void values(void **state)
{
	char buf[4];

	(void)state;
	assert_string_equal(hd_scan_text(scan_of("\"abcdef\""), buf, sizeof(buf)), "abc");
	assert_string_equal(hd_scan_text((struct hd_scan){}, buf, sizeof(buf)), "");
	assert_int_equal(hd_scan_number(scan_of("9007199254740993")), 9007199254740993);
	assert_int_equal(hd_scan_number(scan_of("-3")), -3);
	assert_int_equal(hd_scan_number((struct hd_scan){}), 0);
	assert_true(hd_scan_is(scan_of("true"), "true"));
	assert_false(hd_scan_is(scan_of("tru"), "true"));
	assert_false(hd_scan_is((struct hd_scan){}, "true"));
}

/* Texts that are no JSON are read to their end, not beyond: the sanitizers watch. */
static void nonsense(void **state)
{
	static const char *const texts[] = {
		"",	    "{", "[",	"{\"", "{\"a",	      "{:", "{\"a\"",  "{\"a\":",
		"{\"a\"::", "}", "{,}", "{{",  "{\"a\":\"\\", "\"", "{\"a\":}"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_free_ char *copy = strndup(texts[i], strlen(texts[i]));
		struct hd_scan text = { copy, copy + strlen(texts[i]) };
		struct pair pair = {};
		char buf[8];

		hd_scan_fields(text, fields, 2, &pair);
		(void)hd_scan_text(pair.a, buf, sizeof(buf));
		(void)hd_scan_number(text);
	}
}

/* "{...};{...};" */
static void collect(void *arg, struct hd_scan element)
{
	char *all = arg;
	size_t len = strlen(all);

	(void)snprintf(all + len, 256 - len, "%.*s;", (int)(element.end - element.at), element.at);
}

static int split_at(const char *text, size_t first, size_t second, char *all)
{
	struct hd_split split = { .element = collect, .arg = all };

	all[0] = '\0';
	hd_split_feed(&split, text, first);
	hd_split_feed(&split, text + first, second - first);
	hd_split_feed(&split, text + second, strlen(text) - second);
	return hd_split_done(&split);
}

static void pieces(void **state)
{
	static const char text[] = " [{\"a\": \"}]\\\"{\"}, {\"b\": [{}, \"\\\\\"]} ,{}]\n";
	char all[256];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		for (size_t j = i; j < sizeof(text); j++) {
			assert_int_equal(split_at(text, i, j, all), 0);
			assert_string_equal(all,
					    "{\"a\": \"}]\\\"{\"};{\"b\": [{}, \"\\\\\"]};{};");
		}
}

static void no_array(void **state)
{
	char all[256];

	(void)state;
	assert_int_equal(split_at("[]", 1, 1, all), 0);
	assert_string_equal(all, "");
	assert_int_equal(split_at("", 0, 0, all), -EBADMSG);
	assert_int_equal(split_at("{}", 1, 1, all), -EBADMSG);
	assert_int_equal(split_at("[{}", 1, 1, all), -EBADMSG);
	assert_int_equal(split_at("[{}]]", 1, 1, all), -EBADMSG);
	assert_int_equal(split_at("[{}][", 1, 1, all), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members), cmocka_unit_test(values),   cmocka_unit_test(nonsense),
		cmocka_unit_test(pieces),  cmocka_unit_test(no_array),
	};

	return cmocka_run_group_tests_name("cli scan", tests, NULL, NULL);
}
