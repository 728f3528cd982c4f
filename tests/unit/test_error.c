// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_error.c - codes, words and statuses; texts stay one line of UTF-8 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "heddlectl/error.h"

static void words_match_codes(void **state)
{
	(void)state;
	for (int code = HD_ERR_NONE; code <= HD_ERR_PERMISSION; code++)
		assert_int_equal(hd_error_from_word(hd_error_word(code)), code);
	assert_string_equal(hd_error_word(HD_ERR_PERMISSION), "not-permitted");
	assert_int_equal(hd_error_from_word("no such word"), HD_ERR_FAILED);
	assert_int_equal(hd_error_http(HD_ERR_NOT_FOUND), 404);
	assert_int_equal(hd_error_http(HD_ERR_INVALID), 422);
	assert_int_equal(hd_error_http((enum hd_error_code)77), 500);
	assert_string_equal(hd_error_word((enum hd_error_code)77), "failed");
}

static void set_returns_errno(void **state)
{
	struct hd_error err;

	(void)state;
	assert_int_equal(hd_error_set(NULL, HD_ERR_NOT_FOUND, "x"), -ENOENT);
	assert_int_equal(hd_error_set(&err, HD_ERR_INVALID, "x"), -EINVAL);
	assert_int_equal(hd_error_set(&err, HD_ERR_CONFLICT, "x"), -EEXIST);
	for (int code = HD_ERR_FAILED; code <= HD_ERR_PERMISSION; code++)
		assert_true(hd_error_set(NULL, code, "x") < 0);
}

static void set_replaces_all(void **state)
{
	struct hd_error err;

	(void)state;
	memset(&err, 'x', sizeof(err));
	hd_error_set(&err, HD_ERR_INVALID, "port %s: no", "web1");
	assert_int_equal(err.code, HD_ERR_INVALID);
	assert_string_equal(err.message, "port web1: no");
	assert_string_equal(err.object, "");
	assert_string_equal(err.hint, "");
	assert_string_equal(err.where, "");
	assert_int_equal(err.line, 0);
	assert_int_equal(err.column, 0);
}

static void arguments_may_be_the_error_itself(void **state)
{
	struct hd_error err;

	(void)state;
	hd_error_set(&err, HD_ERR_FAILED, "cause");
	hd_error_set(&err, HD_ERR_FAILED, "port web1: %s", err.message);
	assert_string_equal(err.message, "port web1: cause");
	hd_error_where(&err, "ports");
	hd_error_where(&err, "%s/web1", err.where);
	assert_string_equal(err.where, "ports/web1");
	hd_error_hint(&err, "a");
	hd_error_hint(&err, "%sb", err.hint);
	assert_string_equal(err.hint, "ab");
}

static void null_error_is_fine(void **state)
{
	(void)state;
	hd_error_hint(NULL, "x");
	hd_error_object(NULL, "port", "web1");
	hd_error_where(NULL, "x");
}

static void control_characters_are_replaced(void **state)
{
	struct hd_error err;

	(void)state;
	hd_error_set(&err, HD_ERR_FAILED, "a\nb\x1b[31mc\x7f");
	assert_string_equal(err.message, "a?b?[31mc?");
	hd_error_set(&err, HD_ERR_FAILED,
		     "C1 \xc2\x9b end"); /* U+009B introduces an escape sequence */
	assert_string_equal(err.message, "C1 ?? end");
	hd_error_object(&err, "port", "a\tb");
	assert_string_equal(err.object, "port a?b");
	hd_error_hint(&err, "\r");
	assert_string_equal(err.hint, "?");
	hd_error_where(&err, "\r");
	assert_string_equal(err.where, "?");
}

static void text_is_utf8(void **state)
{
	static const char *const bad[] = { "\xff",
					   "\x80",
					   "\xc3",
					   "\xc0\x80",
					   "\xe0\x80\x80",
					   "\xed\xa0\x80",
					   "\xe2\x82",
					   "\xf0\x80\x80\x80",
					   "\xf4\x90\x80\x80",
					   "\xf5\x80\x80\x80" };
	struct hd_error err;

	(void)state;
	hd_error_set(&err, HD_ERR_FAILED, "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
	assert_string_equal(err.message, "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *json;

		hd_error_set(&err, HD_ERR_FAILED, "x%sy", bad[i]);
		json = json_string(err.message); /* refuses what is not UTF-8 */
		assert_non_null(json);
		json_decref(json);
	}
}

static void truncation_splits_no_character(void **state)
{
	char text[sizeof(((struct hd_error *)0)->message)];
	struct hd_error err;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 2] = '\0';
	hd_error_set(&err, HD_ERR_FAILED, "%s\xc3\xa4 and more", text);
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
	assert_int_equal(err.message[sizeof(err.message) - 2], '?');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_match_codes),
		cmocka_unit_test(set_returns_errno),
		cmocka_unit_test(set_replaces_all),
		cmocka_unit_test(arguments_may_be_the_error_itself),
		cmocka_unit_test(null_error_is_fine),
		cmocka_unit_test(control_characters_are_replaced),
		cmocka_unit_test(text_is_utf8),
		cmocka_unit_test(truncation_splits_no_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
