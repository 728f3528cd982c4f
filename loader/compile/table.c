// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* table.c - sorted rows and their difference */
#include "compile/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void hd_table_init(struct hd_table *table, size_t key_size, size_t value_size)
{
	*table = (struct hd_table){ .key_size = key_size, .value_size = value_size };
}

void hd_table_done(struct hd_table *table)
{
	free(table->rows);
	table->rows = NULL;
	table->n = table->space = 0;
}

static size_t row_size(const struct hd_table *table)
{
	return table->key_size + table->value_size;
}

const void *hd_table_key(const struct hd_table *table, size_t row)
{
	return table->rows + row * row_size(table);
}

void *hd_table_value(const struct hd_table *table, size_t row)
{
	return table->rows + row * row_size(table) + table->key_size;
}

int hd_table_add(struct hd_table *table, const void *key, const void *value)
{
	uint8_t *row;

	if (table->n == table->space) {
		size_t space = table->space ? table->space * 2 : 64;
		uint8_t *rows = reallocarray(table->rows, space, row_size(table));

		if (!rows)
			return -ENOMEM;
		table->rows = rows;
		table->space = space;
	}
	row = table->rows + table->n++ * row_size(table);
	memcpy(row, key, table->key_size);
	memcpy(row + table->key_size, value, table->value_size);
	return 0;
}

static int compare_rows(const void *a, const void *b, void *arg)
{
	return memcmp(a, b,
		      row_size(arg)); /* the value too: of equal keys always the same one is kept */
}

void hd_table_sort(struct hd_table *table)
{
	size_t kept = 0, size = row_size(table);

	if (!table->n)
		return;
	qsort_r(table->rows, table->n, size, compare_rows, table);
	for (size_t i = 1; i < table->n; i++)
		if (memcmp(table->rows + i * size, table->rows + kept * size, table->key_size) &&
		    ++kept != i)
			memcpy(table->rows + kept * size, table->rows + i * size, size);
	table->n = kept + 1;
}

void *hd_table_find(const struct hd_table *table, const void *key)
{
	size_t low = 0, high = table->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(key, hd_table_key(table, middle), table->key_size);

		if (order == 0)
			return hd_table_value(table, middle);
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* The order of row @i of @from and row @j of @to; a table that has ended comes last. */
static int order_of(const struct hd_table *from, size_t i, const struct hd_table *to, size_t j)
{
	if (i == from->n)
		return 1;
	if (j == to->n)
		return -1;
	return memcmp(hd_table_key(from, i), hd_table_key(to, j), from->key_size);
}

int hd_table_diff(const struct hd_table *from, const struct hd_table *to, enum hd_table_op op,
		  hd_table_diff_fn fn, void *arg)
{
	size_t i = 0, j = 0;
	int r = 0;

	while (r == 0 && (i < from->n || j < to->n)) {
		int order = order_of(from, i, to, j);

		if (order < 0 && op == HD_TABLE_DEL)
			r = fn(arg, op, hd_table_key(from, i), NULL);
		if (order > 0 && op == HD_TABLE_ADD)
			r = fn(arg, op, hd_table_key(to, j), hd_table_value(to, j));
		if (order == 0 && op == HD_TABLE_SET &&
		    memcmp(hd_table_value(from, i), hd_table_value(to, j), from->value_size))
			r = fn(arg, op, hd_table_key(to, j), hd_table_value(to, j));
		i += order <= 0;
		j += order >= 0;
	}
	return r;
}
