// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_file.c - what YAML means, where it was written, what is refused, and that what we write
 * reads back the same */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "api/file.h"
#include "cleanup.h"

static struct hd_file *parse(const char *text)
{
	struct hd_file *file = NULL;
	struct hd_error err = { 0 };

	if (hd_file_parse(text, strlen(text), &file, &err) < 0)
		print_error("%u:%u: %s\n", err.line, err.column, err.message);
	assert_non_null(file);
	return file;
}

struct value_case {
	const char *yaml;
	const char *json;
};

static const struct value_case value_cases[] = {
	{ "", "null" },
	{ "# nothing\n", "null" },
	{ "---\n", "null" },
	{ "1", "1" },
	{ "-1", "-1" },
	{ "-0", "0" },
	{ "9223372036854775807", "9223372036854775807" },
	{ "-9223372036854775808", "-9223372036854775808" },
	{ "+1", "\"+1\"" },
	{ "007", "\"007\"" },
	{ "0x10", "\"0x10\"" },
	{ "1.5", "\"1.5\"" },
	{ "1e3", "\"1e3\"" },
	{ "1_000", "\"1_000\"" },
	{ "12:30:45", "\"12:30:45\"" },
	{ "true", "true" },
	{ "false", "false" },
	{ "True", "\"True\"" },
	{ "on", "\"on\"" },
	{ "no", "\"no\"" },
	{ "~", "null" },
	{ "null", "null" },
	{ "\"1\"", "\"1\"" },
	{ "'true'", "\"true\"" },
	{ "\"\"", "\"\"" },
	{ "\"~\"", "\"~\"" },
	{ "|\n  12\n", "\"12\\n\"" },
	{ ">-\n  a\n  b\n", "\"a b\"" },
	{ "\"\\u00e4\\t\"", "\"\xc3\xa4\\t\"" },
	{ "a:", "{\"a\":null}" },
	{ "1: 2", "{\"1\":2}" },
	{ "? a\n: b\n", "{\"a\":\"b\"}" },
	{ "\"<<\": 1", "{\"<<\":1}" },
	{ "mac: 02:00:5e:00:53:01", "{\"mac\":\"02:00:5e:00:53:01\"}" },
	{ "ip: 2001:db8::1/64", "{\"ip\":\"2001:db8::1/64\"}" },
	{ "blue/2001:db8::1: {mac: x}", "{\"blue/2001:db8::1\":{\"mac\":\"x\"}}" },
	{ "a: [1, b, \"c d\", []]", "{\"a\":[1,\"b\",\"c d\",[]]}" },
	{ "a:\n- 1\n- b: 2\n  c: 3\n", "{\"a\":[1,{\"b\":2,\"c\":3}]}" },
	{ "{\"a\":{\"b\":[1,true,null,\"x\\/\"]},\n\t\"c\": {}}",
	  "{\"a\":{\"b\":[1,true,null,\"x/\"]},\"c\":{}}" },
	{ "%YAML 1.1\n---\na: 1\n...\n", "{\"a\":1}" },
	{ "\xef\xbb\xbf"
	  "a: 1\n",
	  "{\"a\":1}" },
	{ "a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}" },
};

static void values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(value_cases) / sizeof(value_cases[0]); i++) {
		struct hd_file *file = parse(value_cases[i].yaml);
		_free_ char *json = json_dumps(hd_file_root(file), JSON_COMPACT | JSON_ENCODE_ANY);

		assert_string_equal(json, value_cases[i].json);
		hd_file_free(file);
	}
}

struct error_case {
	const char *yaml;
	unsigned int line, column;
	const char *message; /* a part of it */
	const char *hint;
};

static const struct error_case error_cases[] = {
	{ "a:\n\tb: 1\n", 2, 1, "not YAML: while scanning",
	  "indent with spaces, YAML takes no tabs" },
	{ "a:\n  b: 1\n \tc: 1\n", 3, 2, "not YAML", "indent with spaces, YAML takes no tabs" },
	{ "a: [1, 2", 2, 1, "not YAML", "" },
	{ "a: b: c", 1, 5, "mapping values are not allowed", "" },
	{ "a: 1\n  b: 2\n", 2, 4, "not YAML", "" },
	{ "a: 1\nb: \xff\n", 2, 4, "invalid leading UTF-8 octet", "" },
	{ "\xc3\xa4: \xed\xa0\x80", 1, 4, "invalid Unicode character", "" },
	{ "a: \x01", 1, 4, "control characters are not allowed", "" },
	{ "\xff\xfe"
	  "a\0",
	  1, 1, "UTF-8", "" },
	{ "a: 1\n---\nb: 2\n", 2, 1, "more than one document", "" },
	{ "a: &x 1\n", 1, 4, "anchors and tags are not supported", "" },
	{ "a: &x [1]\n", 1, 4, "anchors and tags are not supported", "" },
	{ "a: &x {b: 1}\n", 1, 4, "anchors and tags are not supported", "" },
	{ "&x a: 1\n", 1, 1, "anchors and tags are not supported", "" },
	{ "a: *x\n", 1, 4, "aliases are not supported", "" },
	{ "*x : 1\n", 1, 1, "aliases are not supported", "" },
	{ "a: !!str 1\n", 1, 4, "anchors and tags are not supported", "" },
	{ "a: ! 1\n", 1, 4, "anchors and tags are not supported", "" },
	{ "!!map {a: 1}\n", 1, 1, "anchors and tags are not supported", "" },
	{ "a:\n  <<: {b: 1}\n", 2, 3, "merge keys are not supported", "" },
	{ "a: 1\nb: 2\na: 3\n", 3, 1, "key a is there twice", "" },
	{ "a: 1\n\"a\": 3\n", 2, 1, "key a is there twice", "" },
	{ "{\"a\":1,\"a\":2}", 1, 8, "key a is there twice", "" },
	{ "? [a]\n: 1\n", 1, 3, "a key must be a word", "" },
	{ "{a: 1}: 1\n", 1, 1, "a key must be a word", "" },
	{ "a: 9223372036854775808\n", 1, 4, "integer 9223372036854775808 is too large", "" },
	{ "a: -9223372036854775809\n", 1, 4, "integer -9223372036854775809 is too large", "" },
	{ "a: \"x\\0y\"\n", 1, 4, "NUL in a string", "" },
	{ "\"x\\0y\": 1\n", 1, 1, "NUL in a string", "" },
	{ "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", 1, 17, "nested more than 16 levels", "" },
};

static void errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(error_cases) / sizeof(error_cases[0]); i++) {
		const struct error_case *c = &error_cases[i];
		struct hd_file *file = NULL;
		struct hd_error err = { 0 };

		assert_true(hd_file_parse(c->yaml, strlen(c->yaml), &file, &err) < 0);
		assert_null(file);
		if (err.line != c->line || err.column != c->column ||
		    !strstr(err.message, c->message))
			print_error("%s\n%u:%u: %s\n", c->yaml, err.line, err.column, err.message);
		assert_int_equal(err.code, HD_ERR_INVALID);
		assert_int_equal(err.line, c->line);
		assert_int_equal(err.column, c->column);
		assert_non_null(strstr(err.message, c->message));
		assert_string_equal(err.hint, c->hint);
		assert_true(hd_file_parse(c->yaml, strlen(c->yaml), &file, NULL) < 0);
	}
}

static void nesting_is_allowed_up_to_16(void **state)
{
	(void)state;
	hd_file_free(parse("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"));
	hd_file_free(NULL);
}

static void nul_ends_no_text(void **state)
{
	struct hd_file *file = NULL;
	struct hd_error err = { 0 };

	(void)state;
	assert_true(hd_file_parse("a: 1\0", 5, &file, &err) < 0);
	assert_non_null(strstr(err.message, "control characters"));
}

/* A file that is all brackets or all entries must not cost more than a bounded sum of memory and
 * time. */
static void number_of_values_is_bounded(void **state)
{
	enum { SIZE = 4 << 20 };
	_free_ char *text = malloc(SIZE);
	struct hd_file *file = NULL;
	struct hd_error err = { 0 };

	(void)state;
	text[0] = '[';
	for (size_t i = 1; i + 1 < SIZE; i += 2)
		memcpy(text + i, "1,", 2);
	assert_true(hd_file_parse(text, SIZE - 1, &file, &err) < 0);
	assert_string_equal(err.message, "more than 1048576 values");
	memset(text, '[', SIZE);
	assert_true(hd_file_parse(text, SIZE, &file, &err) < 0);
	assert_non_null(strstr(err.message, "nested"));
}

static const char located[] = "version: 1\n"
			      "ports:\n"
			      "  web1:\n"
			      "    mac: x\n"
			      "    ip: [192.0.2.1,\n"
			      "         192.0.2.2]\n"
			      "  web2: {network: blue, \xc3\xa4: 1, mtu: 5}\n"
			      "fdb:\n"
			      "  net: {port: web1}\n"
			      "  net/02:00:00:00:00:01: {port: web1}\n"
			      "  red/1: {port: web1}\n"
			      "  red: {port: web1}\n";

struct locate_case {
	const char *where;
	unsigned int line, column;
};

static const struct locate_case locate_cases[] = {
	{ "", 1, 1 },
	{ "version", 1, 1 },
	{ "ports", 2, 1 },
	{ "ports/web1", 3, 3 },
	{ "ports/web1/mac", 4, 5 },
	{ "ports/web1/mac/deeper", 4, 5 },
	{ "ports/web1/missing", 3, 3 },
	{ "ports/web1/ip", 5, 5 },
	{ "ports/web1/ip/0", 5, 10 },
	{ "ports/web1/ip/1", 6, 10 },
	{ "ports/web1/ip/2", 5, 5 },
	{ "ports/web1/ip/00", 5, 5 },
	{ "ports/web2/network", 7, 10 },
	{ "ports/web2/mtu", 7, 31 }, /* columns count characters, not bytes */
	{ "ports/web11", 2, 1 },
	{ "port", 1, 1 },
	{ "fdb/net", 9, 3 },
	{ "fdb/net/port", 9, 9 },
	{ "fdb/net/02:00:00:00:00:01", 10, 3 },
	{ "fdb/net/02:00:00:00:00:01/port", 10, 27 },
	{ "fdb/net/02:00:00:00:00:02", 9, 3 },
	{ "fdb/red/1", 11, 3 }, /* the longest key, wherever it stands */
	{ "fdb/red/port", 12, 9 },
	{ "ports/", 2, 1 },
	{ "/", 1, 1 },
	{ "//", 1, 1 },
};

static void locate(void **state)
{
	struct hd_file *file = parse(located);

	(void)state;
	for (size_t i = 0; i < sizeof(locate_cases) / sizeof(locate_cases[0]); i++) {
		const struct locate_case *c = &locate_cases[i];
		struct hd_error err;

		hd_error_set(&err, HD_ERR_INVALID, "x");
		hd_error_where(&err, "%s", c->where);
		hd_file_locate(file, &err);
		if (err.line != c->line || err.column != c->column)
			print_error("%s is at %u:%u\n", c->where, err.line, err.column);
		assert_int_equal(err.line, c->line);
		assert_int_equal(err.column, c->column);
	}
	hd_file_free(file);
}

static void emit_style(void **state)
{
	static const char json[] =
		"{\"version\":1,\"networks\":{\"blue\":{\"type\":\"local\",\"flood\":true}},"
		"\"ports\":{\"web1\":{\"network\":\"blue\",\"ip\":[\"192.0.2.1\",\"2001:db8::1/64\"],"
		"\"mac\":\"02:00:00:00:00:01\",\"label\":[\"a=on\",\"b=x y\"],\"x\":null,\"w\":[],\"z\":{}},"
		"\"12\":{\"a\":\"12\",\"b\":\"on\",\"c\":\"\",\"d\":\"12:30:00\",\"e\":\"1.5\",\"f\":\"-0\",\"g\":\"+1\",\"h\":\"a:\",\"i\":\"a long line 'of text' that has more than eighty characters, so that it would be folded\"}}}";
	static const char yaml[] = "version: 1\n"
				   "networks:\n"
				   "  blue:\n"
				   "    type: local\n"
				   "    flood: true\n"
				   "ports:\n"
				   "  web1:\n"
				   "    network: blue\n"
				   "    ip: [192.0.2.1, '2001:db8::1/64']\n"
				   "    mac: 02:00:00:00:00:01\n"
				   "    label: [a=on, \"b=x y\"]\n"
				   "    x: null\n"
				   "    w: []\n"
				   "    z: {}\n"
				   "  \"12\":\n"
				   "    a: \"12\"\n"
				   "    b: \"on\"\n"
				   "    c: \"\"\n"
				   "    d: \"12:30:00\"\n"
				   "    e: \"1.5\"\n"
				   "    f: \"-0\"\n"
				   "    g: \"+1\"\n"
				   "    h: \"a:\"\n"
				   "    i: \"a long line 'of text' that has more than eighty "
				   "characters, so that it would be folded\"\n";
	_json_ json_t *root = json_loads(json, 0, NULL);
	_free_ char *text = hd_file_emit_yaml(root);

	(void)state;
	assert_string_equal(text, yaml);
}

/* Random JSON, the same in every run: xorshift, Marsaglia 2003. */
static uint32_t seed;

static uint32_t rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % below;
}

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static uint32_t random_char(void)
{
	static const uint32_t odd[] = { 0x7f,	0x80,	0x85,	0xa0,	 0x2028,  0xfeff,
					0xfffe, 0xffff, 0xe000, 0x1f600, 0x10ffff };

	switch (rnd(8)) {
	case 0:
		return 1 + rnd(0x1f);
	case 1:
		return odd[rnd(sizeof(odd) / sizeof(odd[0]))];
	case 2:
		return 0x100 + rnd(0xd000);
	case 3:
		return (uint32_t) " \t\n:#-?,[]{}&*!|>'\"%@`"[rnd(23)];
	default:
		return 0x20 + rnd(0x5f);
	}
}

static char *random_text(void)
{
	static const char *const nasty[] = { "",
					     "~",
					     "null",
					     "true",
					     "1",
					     "-1",
					     "-",
					     "--",
					     "---",
					     "...",
					     "? a",
					     "- a",
					     "a: b",
					     "a #",
					     "#a",
					     "&a",
					     "*a",
					     "!a",
					     "| a",
					     "> a",
					     "%a",
					     "@a",
					     "`a",
					     "<<",
					     " a",
					     "a ",
					     "\n",
					     "\na",
					     "a\n",
					     "a\n\n",
					     "\t",
					     "a\tb",
					     "'",
					     "\"",
					     "\\",
					     "007",
					     "9223372036854775808",
					     "-9223372036854775809",
					     "::1",
					     "a:",
					     ":",
					     "[",
					     "{a: b}",
					     "=" };
	uint32_t len = rnd(4) ? rnd(12) : rnd(300);
	char text[4 * 300 + 1];
	size_t used = 0;

	if (rnd(3) == 0)
		return strdup(nasty[rnd(sizeof(nasty) / sizeof(nasty[0]))]);
	for (uint32_t i = 0; i < len; i++)
		used += put_utf8(text + used, random_char());
	text[used] = '\0';
	return strdup(text);
}

static json_t *random_json(int depth);

static json_t *random_container(int depth)
{
	json_t *json = rnd(2) ? json_object() : json_array();

	for (uint32_t i = rnd(5); i > 0; i--) {
		_free_ char *key = random_text();

		if (json_is_object(json))
			json_object_set_new(json, key, random_json(depth + 1));
		else
			json_array_append_new(json, random_json(depth + 1));
	}
	return json;
}

static json_t *random_json(int depth)
{
	_free_ char *text = random_text();

	switch (rnd(depth > 5 ? 5 : 10)) {
	case 0:
		return json_integer(
			(json_int_t)((uint64_t)rnd(UINT32_MAX) << 32 | rnd(UINT32_MAX)) >> rnd(63));
	case 1:
		return json_boolean(rnd(2));
	case 2:
		return json_null();
	case 3:
	case 4:
		return json_string(text);
	default:
		return random_container(depth);
	}
}

static void what_is_written_reads_back(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 3000; i++) {
		struct hd_file *file;
		_json_ json_t *json = (seed = i * 2654435761u, random_json(0));
		_free_ char *yaml = hd_file_emit_yaml(json);

		assert_non_null(yaml);
		file = parse(yaml);
		if (!json_equal(json, hd_file_root(file)))
			print_error("seed %u:\n%s\n", i, yaml);
		assert_true(json_equal(json, hd_file_root(file)));
		hd_file_free(file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(errors),
		cmocka_unit_test(nesting_is_allowed_up_to_16),
		cmocka_unit_test(nul_ends_no_text),
		cmocka_unit_test(number_of_values_is_bounded),
		cmocka_unit_test(locate),
		cmocka_unit_test(emit_style),
		cmocka_unit_test(what_is_written_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
