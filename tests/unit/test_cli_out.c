// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_cli_out.c - what results look like: tables, one object, diffs, errors */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/change.h"
#include "cli/out.h"
#include "loader/cleanup.h"

static const struct hd_column columns[] = {
	{ .title = "NAME", .key = "name", .flags = HD_COLUMN_SHRINK },
	{ .title = "DEVICE", .key = "host-device", .otherwise = "device" },
	{ .title = "RX", .key = "counters/rx", .format = HD_FORMAT_COUNT },
	{ .title = "REASON", .key = "reason", .flags = HD_COLUMN_OPTIONAL | HD_COLUMN_SHRINK },
};

/* Where output goes: text, after the file is closed. */
struct page {
	char *text;
	size_t len;
	struct hd_out out;
};

static void page_open(struct page *page, bool json)
{
	*page = (struct page){};
	page->out.file = open_memstream(&page->text, &page->len);
	page->out.json = json;
	assert_non_null(page->out.file);
}

static void assert_page(struct page *page, const char *expected)
{
	assert_int_equal(fclose(page->out.file), 0);
	assert_string_equal(page->text, expected);
	free(page->text);
}

static void assert_table(const char *rows, unsigned int width, const char *expected)
{
	_json_ json_t *json = json_loads(rows, 0, NULL);
	struct page page;

	assert_non_null(json);
	page_open(&page, false);
	page.out.width = width;
	assert_int_equal(hd_out_table(&page.out, columns, 4, json), 0);
	assert_page(&page, expected);
}

static void table_aligns(void **state)
{
	(void)state;
	assert_table("[]", 0, "NAME  DEVICE  RX\n");
	assert_table("[{\"name\": \"web1\", \"host-device\": \"hd1\", \"counters\": {\"rx\": 12}},"
		     " {\"name\": \"a\", \"host-device\": \"\", \"device\": \"tap0\"}]",
		     0,
		     "NAME  DEVICE  RX\n"
		     "web1  hd1     12\n"
		     "a     tap0     -\n");
}

static void table_keeps_optional_column(void **state)
{
	(void)state;
	assert_table(
		"[{\"name\": \"a\", \"reason\": \"\"}, {\"name\": \"b\", \"reason\": \"gone\"}]", 0,
		"NAME  DEVICE  RX  REASON\n"
		"a     -        -\n"
		"b     -        -  gone\n");
}

/* U+00E9 and U+0085 are two bytes each; the first is a letter, the second a control character. */
static void table_is_safe_for_terminals(void **state)
{
	(void)state;
	assert_table("[{\"name\": \"\\u001b[31m\"}, {\"name\": \"\\u00e9\\u0085\"}]", 0,
		     "NAME   DEVICE  RX\n"
		     "?[31m  -        -\n"
		     "\u00e9??    -        -\n");
}

static void table_cuts_on_terminals_only(void **state)
{
	static const char rows[] = "[{\"name\": \"abcdefghijklmnopqrstuvwxyz\"}]";

	(void)state;
	assert_table(rows, 0,
		     "NAME                        DEVICE  RX\n"
		     "abcdefghijklmnopqrstuvwxyz  -        -\n");
	assert_table(rows, 22,
		     "NAME        DEVICE  RX\n"
		     "abcdefgh..  -        -\n");
	assert_table(rows, 5,
		     "NAME      DEVICE  RX\n"
		     "abcdef..  -        -\n");
}

static char *first_letters(const json_t *row)
{
	return strndup(json_string_value(json_object_get(row, "name")), 3);
}

/* What ends the text stays; a made text is no safer than another. */
static void table_makes_and_cuts_heads(void **state)
{
	static const struct hd_column made[] = {
		{ .title = "END", .key = "name", .flags = HD_COLUMN_SHRINK | HD_COLUMN_CUT_HEAD },
		{ .title = "MADE", .text = first_letters, .format = HD_FORMAT_NUMBER },
	};
	_json_ json_t *json = json_loads("[{\"name\": \"\\u001b\\u00e9x10.0.0.5:40000\"},"
					 " {\"name\": \"web1\"}]",
					 0, NULL);
	struct page page;

	(void)state;
	page_open(&page, false);
	page.out.width = 18;
	assert_int_equal(hd_out_table(&page.out, made, 2, json), 0);
	assert_page(&page, "END           MADE\n"
			   "...0.5:40000    ?\u00e9\n"
			   "web1           web\n");
}

static void record(void **state)
{
	_json_ json_t *json =
		json_loads("{\"name\": \"web1\", \"ip\": [\"192.0.2.1\", \"2001:db8::1\"],"
			   "\"isolated\": true, \"reason\": \"\","
			   "\"counters\": {\"drops\": 1234567}}",
			   0, NULL);
	struct page page;

	(void)state;
	page_open(&page, false);
	assert_int_equal(hd_out_record(&page.out, json), 0);
	assert_page(&page, "name      web1\n"
			   "ip        192.0.2.1,2001:db8::1\n"
			   "isolated  on\n"
			   "reason    -\n"
			   "counters\n"
			   "  drops   1234567\n");
}

static void assert_format(json_int_t number, enum hd_format format, const char *expected)
{
	_json_ json_t *json = json_integer(number);
	_free_ char *text = hd_text_format(json, format);

	assert_string_equal(text, expected);
}

static void numbers(void **state)
{
	(void)state;
	assert_format(9999, HD_FORMAT_COUNT, "9999");
	assert_format(10000, HD_FORMAT_COUNT, "10.0k");
	assert_format(99949, HD_FORMAT_COUNT, "99.9k");
	assert_format(99960, HD_FORMAT_COUNT, "100k");
	assert_format(999600, HD_FORMAT_COUNT, "1.00M");
	assert_format(INT64_MAX, HD_FORMAT_COUNT, "9.22E");
	assert_format(4500, HD_FORMAT_BYTES, "4500B");
	assert_format(1234567890, HD_FORMAT_BYTES, "1.23GB");
	assert_format(1234567890, HD_FORMAT_NUMBER, "1234567890");
	assert_format(59, HD_FORMAT_SECONDS, "59s");
	assert_format(312, HD_FORMAT_SECONDS, "5m12s");
	assert_format(11111, HD_FORMAT_SECONDS, "3h05m");
	assert_format(90000, HD_FORMAT_SECONDS, "1d01h");
}

static void assert_diff(const char *change, const char *expected)
{
	_json_ json_t *before = json_loads("{\"version\": 1, \"ports\": {\"web1\": {\"mtu\": 1400,"
					   "\"isolated\": true}}, \"networks\": {\"blue\": {}},"
					   "\"security-groups\": {\"web\": {\"rules\": ["
					   "{\"direction\": \"egress\", \"id\": 1},"
					   "{\"direction\": \"ingress\", \"id\": 2}]}}}",
					   0, NULL);
	_json_ json_t *json = json_loads(change, 0, NULL);
	struct page page;

	assert_non_null(json);
	page_open(&page, false);
	hd_change_print(&page.out, json, before);
	assert_page(&page, expected);
}

static void diff(void **state)
{
	(void)state;
	assert_diff("{\"changes\": []}", "no changes\n");
	assert_diff("{\"changes\": [{\"op\": \"add\", \"noun\": \"port\", \"name\": \"web2\","
		    "\"options\": {\"network\": \"blue\", \"ip\": [], \"hairpin\": true}}]}",
		    "+ port web2 network=blue hairpin=on\n");
	assert_diff("{\"changes\": [{\"op\": \"del\", \"noun\": \"port\", \"name\": \"web1\"}]}",
		    "- port web1\n");
	assert_diff("{\"changes\": [{\"op\": \"set\", \"noun\": \"port\", \"name\": \"web1\","
		    "\"options\": {\"mtu\": 1500, \"isolated\": null,"
		    "\"mac\": \"02:00:5e:00:53:01\"}}]}",
		    "~ port web1 mtu: 1400 -> 1500, isolated: on -> off, "
		    "mac: none -> 02:00:5e:00:53:01\n");
	assert_diff("{\"changes\": [{\"op\": \"set\", \"noun\": \"network\", \"name\": \"blue\","
		    "\"options\": {\"mtu\": 1400}}]}",
		    "~ network blue mtu: none -> 1400\n");
}

#define GROUP(op, options)                                                                         \
	"{\"changes\": [{\"op\": \"" op "\", \"noun\": \"security-group\", "                       \
	"\"name\": \"web\", \"options\": " options "}]}"

/* A line for each rule that is new or gone, none for those that stay. */
static void rules_diff(void **state)
{
	(void)state;
	assert_diff(GROUP("set", "{\"rules\": [{\"direction\": \"ingress\", \"protocol\": \"tcp\","
				 "\"port\": \"80\", \"remote\": \"0.0.0.0/0\", \"id\": 3},"
				 "{\"direction\": \"egress\", \"id\": 1}]}"),
		    "~ security-group web rules: + ingress tcp 80 from 0.0.0.0/0\n"
		    "~ security-group web rules: - ingress any\n");
	assert_diff(GROUP("set", "{\"rules\": null}"),
		    "~ security-group web rules: - ingress any\n");
	assert_diff(GROUP("set", "{\"rules\": [{\"direction\": \"ingress\", \"id\": 2},"
				 "{\"direction\": \"egress\", \"id\": 1}]}"),
		    "~ security-group web rules: the same in another order or with other ids\n");
	assert_diff(GROUP("add", "{\"rules\": [{\"direction\": \"egress\", \"id\": 4}]}"),
		    "+ security-group web\n"
		    "+ security-group web rules: + egress any\n");
	assert_diff(GROUP("add", "{}"), "+ security-group web\n");
	assert_diff(GROUP("del", "{}"), "- security-group web\n");
}

static void assert_error(bool json, const char *file, const struct hd_error *err,
			 const char *expected)
{
	struct page page;

	page_open(&page, json);
	hd_out_error(page.out.file, json, file, err);
	assert_page(&page, expected);
}

static void errors(void **state)
{
	struct hd_error err = { .code = HD_ERR_NOT_FOUND,
				.message = "port web1: not\033 there",
				.object = "port web1",
				.hint = "add it" };

	(void)state;
	assert_error(false, NULL, &err, "heddle: port web1: not? there\nhint: add it\n");
	assert_error(true, NULL, &err,
		     "{\"error\": {\"code\": \"not-found\","
		     " \"message\": \"port web1: not\\u001B there\","
		     " \"object\": \"port web1\", \"hint\": \"add it\"}}\n");
	err = (struct hd_error){
		.code = HD_ERR_INVALID, .message = "bad\xff", .line = 7, .column = 3
	};
	assert_error(false, "net.yaml", &err, "net.yaml:7:3: bad\xff\n");
	assert_error(true, "net.yaml", &err,
		     "{\"error\": {\"code\": \"invalid\", \"message\": \"bad?\", \"object\": \"\","
		     " \"hint\": \"\", \"file\": \"net.yaml\", \"line\": 7, \"column\": 3}}\n");
}

static void failed_write_is_an_error(void **state)
{
	struct hd_out out = { .file = fopen("/dev/full", "w") };
	struct hd_error err = {};

	(void)state;
	assert_non_null(out.file);
	hd_out_line(&out, "text");
	assert_true(hd_out_end(&out, &err) < 0);
	assert_int_equal(err.code, HD_ERR_FAILED);
	assert_string_equal(err.message, "can't write the output: No space left on device");
	(void)fclose(out.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_aligns),
		cmocka_unit_test(table_keeps_optional_column),
		cmocka_unit_test(table_is_safe_for_terminals),
		cmocka_unit_test(table_cuts_on_terminals_only),
		cmocka_unit_test(table_makes_and_cuts_heads),
		cmocka_unit_test(record),
		cmocka_unit_test(numbers),
		cmocka_unit_test(diff),
		cmocka_unit_test(rules_diff),
		cmocka_unit_test(errors),
		cmocka_unit_test(failed_write_is_an_error),
	};

	return cmocka_run_group_tests_name("cli out", tests, NULL, NULL);
}
