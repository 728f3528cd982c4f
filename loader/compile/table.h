/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* table.h - the desired content of one map: rows of key and value, sorted by key; and the difference of two such */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * struct hd_table - rows of fixed size
 * @key_size:   bytes
 * @value_size: bytes
 * @rows:       key, value, key, value ...
 * @n:          number of rows
 * @space:      rows there is room for
 */
struct hd_table {
	size_t key_size;
	size_t value_size;
	uint8_t *rows;
	size_t n;
	size_t space;
};

void hd_table_init(struct hd_table *table, size_t key_size, size_t value_size);
void hd_table_done(struct hd_table *table);

/** hd_table_add - append a row; 0 or -ENOMEM */
int hd_table_add(struct hd_table *table, const void *key, const void *value);

/** hd_table_sort - by key bytes; needed before find and diff. Of rows with the same key one is kept. */
void hd_table_sort(struct hd_table *table);

const void *hd_table_key(const struct hd_table *table, size_t row);
void *hd_table_value(const struct hd_table *table, size_t row);

/** hd_table_find - value of a key, NULL if there is none */
void *hd_table_find(const struct hd_table *table, const void *key);

enum hd_table_op { HD_TABLE_ADD, HD_TABLE_SET, HD_TABLE_DEL };

/** hd_table_diff_fn - one difference; @value is NULL for HD_TABLE_DEL. Non-zero stops. */
typedef int (*hd_table_diff_fn)(void *arg, enum hd_table_op op, const void *key, const void *value);

/**
 * hd_table_diff - report what turns @from into @to, one kind of difference at a time
 * @op: which kind
 *
 * Return: 0, or what @fn returned when it stopped.
 */
int hd_table_diff(const struct hd_table *from, const struct hd_table *to, enum hd_table_op op,
		  hd_table_diff_fn fn, void *arg);
