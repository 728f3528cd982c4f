// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_table.c - rows come out sorted, once; a difference turns one table into the other and says
 * nothing else
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile/table.h"

/* Keys of 3 bytes, so that a wrong row size or a comparison as integers shows. */
struct key {
	uint8_t byte[3];
};

static struct key key_of(unsigned int a, unsigned int b, unsigned int c)
{
	return (struct key){ { (uint8_t)a, (uint8_t)b, (uint8_t)c } };
}

static void table_init(struct hd_table *table)
{
	hd_table_init(table, sizeof(struct key), sizeof(uint32_t));
}

static void add(struct hd_table *table, struct key key, uint32_t value)
{
	assert_int_equal(hd_table_add(table, &key, &value), 0);
}

static uint32_t value_at(const struct hd_table *table, size_t row)
{
	uint32_t value;

	memcpy(&value, hd_table_value(table, row), sizeof(value));
	return value;
}

static void empty(void **state)
{
	struct key key = key_of(0, 0, 0);
	struct hd_table table;

	(void)state;
	table_init(&table);
	hd_table_sort(&table);
	assert_int_equal(table.n, 0);
	assert_null(hd_table_find(&table, &key));
	hd_table_done(&table);
	hd_table_done(&table); /* twice is fine: it is empty again */
}

static void rows_are_sorted_by_bytes(void **state)
{
	static const uint32_t order[] = { 3, 1, 0, 2 };
	struct hd_table table;

	(void)state;
	table_init(&table);
	add(&table, key_of(1, 0, 0), 0);
	add(&table, key_of(0, 200, 1), 1);
	add(&table, key_of(255, 0, 0), 2);
	add(&table, key_of(0, 100, 255), 3);
	hd_table_sort(&table);
	assert_int_equal(table.n, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(value_at(&table, i), order[i]);
	hd_table_done(&table);
}

static void same_keys_become_one_row(void **state)
{
	struct key twice = key_of(5, 5, 5);
	struct hd_table table;
	void *found;

	(void)state;
	table_init(&table);
	add(&table, twice, 1);
	add(&table, key_of(9, 0, 0), 3);
	add(&table, twice, 2);
	add(&table, key_of(1, 0, 0), 4);
	add(&table, twice, 1);
	hd_table_sort(&table);
	assert_int_equal(table.n, 3);
	assert_int_equal(value_at(&table, 0), 4);
	assert_int_equal(value_at(&table, 2), 3);
	found = hd_table_find(&table, &twice);
	assert_non_null(found);
	assert_in_range(value_at(&table, 1), 1, 2);
	hd_table_done(&table);
}

static void found_and_not_found(void **state)
{
	struct hd_table table;

	(void)state;
	table_init(&table);
	for (unsigned int i = 0; i < 200; i++)
		add(&table, key_of(7, i, 0), i);
	hd_table_sort(&table);
	for (unsigned int i = 0; i < 200; i++) {
		struct key key = key_of(7, i, 0), above = key_of(7, i, 1),
			   below = key_of(6, i, 255);
		const uint8_t *value = hd_table_find(&table, &key);

		assert_ptr_equal(value, hd_table_value(&table, i));
		assert_int_equal(value[0], i);
		assert_null(hd_table_find(&table, &above));
		assert_null(hd_table_find(&table, &below));
	}
	hd_table_done(&table);
}

/* A value can be changed where it lies: that is how rings are closed. */
static void values_are_writable(void **state)
{
	struct key key = key_of(1, 2, 3);
	struct hd_table table;
	uint32_t value = 77;

	(void)state;
	table_init(&table);
	add(&table, key, 1);
	memcpy(hd_table_value(&table, 0), &value, sizeof(value));
	assert_memory_equal(hd_table_key(&table, 0), &key, sizeof(key));
	assert_int_equal(value_at(&table, 0), 77);
	hd_table_done(&table);
}

/* Rows without a value: sets. */
static void keys_only(void **state)
{
	struct hd_table table;
	uint16_t key = 0x1234;

	(void)state;
	hd_table_init(&table, sizeof(key), 0);
	assert_int_equal(hd_table_add(&table, &key, ""), 0);
	assert_int_equal(hd_table_add(&table, &key, ""), 0);
	hd_table_sort(&table);
	assert_int_equal(table.n, 1);
	assert_non_null(hd_table_find(&table, &key));
	hd_table_done(&table);
}

/* --- differences --- */

/* What hd_table_diff() said, as text: "+1.0.0=5 ~2.0.0=6 -3.0.0 ". */
struct said {
	char text[256];
	int stop_after;
	int calls;
};

static int note(void *arg, enum hd_table_op op, const void *key, const void *value)
{
	struct said *said = arg;
	const uint8_t *k = key;
	size_t len = strlen(said->text);
	uint32_t number = 0;

	if (value)
		memcpy(&number, value, sizeof(number));
	assert_true(!value == (op == HD_TABLE_DEL));
	(void)snprintf(said->text + len, sizeof(said->text) - len,
		       value ? "%c%u.%u.%u=%u " : "%c%u.%u.%u ", "+~-"[op], k[0], k[1], k[2],
		       number);
	return ++said->calls == said->stop_after ? -ECANCELED : 0;
}

static void assert_diff(const struct hd_table *from, const struct hd_table *to, enum hd_table_op op,
			const char *expected)
{
	struct said said = { .text = "" };

	assert_int_equal(hd_table_diff(from, to, op, note, &said), 0);
	assert_string_equal(said.text, expected);
}

static void two_tables(struct hd_table *from, struct hd_table *to)
{
	table_init(from);
	table_init(to);
	add(from, key_of(1, 0, 0), 10);
	add(from, key_of(2, 0, 0), 20);
	add(from, key_of(4, 0, 0), 40);
	add(from, key_of(8, 0, 0), 80);
	add(to, key_of(9, 0, 0), 90);
	add(to, key_of(2, 0, 0), 20);
	add(to, key_of(3, 0, 0), 30);
	add(to, key_of(4, 0, 0), 41);
	hd_table_sort(from);
	hd_table_sort(to);
}

static void each_kind_of_difference(void **state)
{
	struct hd_table from, to;

	(void)state;
	two_tables(&from, &to);
	assert_diff(&from, &to, HD_TABLE_ADD, "+3.0.0=30 +9.0.0=90 ");
	assert_diff(&from, &to, HD_TABLE_SET, "~4.0.0=41 ");
	assert_diff(&from, &to, HD_TABLE_DEL, "-1.0.0 -8.0.0 ");
	assert_diff(&to, &from, HD_TABLE_ADD, "+1.0.0=10 +8.0.0=80 ");
	assert_diff(&from, &from, HD_TABLE_ADD, "");
	assert_diff(&from, &from, HD_TABLE_SET, "");
	assert_diff(&from, &from, HD_TABLE_DEL, "");
	hd_table_done(&from);
	hd_table_done(&to);
}

static void from_nothing_and_to_nothing(void **state)
{
	struct hd_table from, to, none;

	(void)state;
	two_tables(&from, &to);
	table_init(&none);
	assert_diff(&none, &to, HD_TABLE_ADD, "+2.0.0=20 +3.0.0=30 +4.0.0=41 +9.0.0=90 ");
	assert_diff(&none, &to, HD_TABLE_SET, "");
	assert_diff(&none, &to, HD_TABLE_DEL, "");
	assert_diff(&from, &none, HD_TABLE_DEL, "-1.0.0 -2.0.0 -4.0.0 -8.0.0 ");
	assert_diff(&from, &none, HD_TABLE_ADD, "");
	assert_diff(&none, &none, HD_TABLE_ADD, "");
	hd_table_done(&from);
	hd_table_done(&to);
}

static void an_answer_stops_it(void **state)
{
	struct said said = { .stop_after = 1 };
	struct hd_table from, to;

	(void)state;
	two_tables(&from, &to);
	assert_int_equal(hd_table_diff(&from, &to, HD_TABLE_DEL, note, &said), -ECANCELED);
	assert_string_equal(said.text, "-1.0.0 ");
	hd_table_done(&from);
	hd_table_done(&to);
}

/* --- random tables against the naive way: an array with a place for every key --- */

#define KEYS 512

struct naive {
	uint32_t value[KEYS]; /* 0 = absent */
};

static struct key naive_key(unsigned int i)
{
	return key_of(i & 1, i >> 1, 3);
}

static unsigned int naive_index(const void *key)
{
	const uint8_t *byte = key;

	return byte[0] | (unsigned int)byte[1] << 1;
}

/* Rows in random order, some of them twice with the same value, as two sources may say the same. */
static void random_table(unsigned int *seed, struct hd_table *table, struct naive *naive)
{
	unsigned int rows = (unsigned int)rand_r(seed) % KEYS;

	table_init(table);
	memset(naive, 0, sizeof(*naive));
	for (unsigned int n = 0; n < rows; n++) {
		unsigned int i = (unsigned int)rand_r(seed) % KEYS;

		if (!naive->value[i])
			naive->value[i] = 1 + (unsigned int)rand_r(seed) % 3;
		add(table, naive_key(i), naive->value[i]);
	}
	hd_table_sort(table);
}

static int apply(void *arg, enum hd_table_op op, const void *key, const void *value)
{
	struct naive *naive = arg;
	uint32_t *at = &naive->value[naive_index(key)];
	uint32_t number = 0;

	if (value)
		memcpy(&number, value, sizeof(number));
	assert_true(op == HD_TABLE_ADD ? !*at : *at);
	assert_int_not_equal(*at, number); /* nothing is written that is there already */
	*at = number;
	return 0;
}

static void assert_same(const struct hd_table *table, const struct naive *naive)
{
	size_t n = 0;

	for (unsigned int i = 0; i < KEYS; i++) {
		struct key key = naive_key(i);
		const void *found = hd_table_find(table, &key);

		assert_int_equal(!found, !naive->value[i]);
		if (found)
			assert_memory_equal(found, &naive->value[i], sizeof(naive->value[i]));
		n += found != NULL;
	}
	assert_int_equal(table->n, n);
	for (size_t row = 1; row < table->n; row++)
		assert_true(memcmp(hd_table_key(table, row - 1), hd_table_key(table, row),
				   sizeof(struct key)) < 0);
}

static void random_differences(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 500; seed++) {
		static const enum hd_table_op ops[] = { HD_TABLE_ADD, HD_TABLE_SET, HD_TABLE_DEL };
		unsigned int random = seed;
		struct naive was, want, now;
		struct hd_table from, to;

		random_table(&random, &from, &was);
		random_table(&random, &to, &want);
		assert_same(&from, &was);
		assert_same(&to, &want);
		now = was;
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(hd_table_diff(&from, &to, ops[i], apply, &now), 0);
		assert_memory_equal(&now, &want, sizeof(want));
		hd_table_done(&from);
		hd_table_done(&to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(rows_are_sorted_by_bytes),
		cmocka_unit_test(same_keys_become_one_row),
		cmocka_unit_test(found_and_not_found),
		cmocka_unit_test(values_are_writable),
		cmocka_unit_test(keys_only),
		cmocka_unit_test(each_kind_of_difference),
		cmocka_unit_test(from_nothing_and_to_nothing),
		cmocka_unit_test(an_answer_stops_it),
		cmocka_unit_test(random_differences),
	};

	return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
