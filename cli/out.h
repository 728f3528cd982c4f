/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * out.h - the one writer: tables for people, JSON for programs
 *
 * Everything that is shown comes as JSON from the daemon. A table is an array of objects and a list
 * of columns; in JSON mode the very same array is printed as it came. Text never holds a control
 * character: what a workload chose for its name can't drive the terminal.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "heddlectl/error.h"
#include "heddlectl/schema.h"

/** enum hd_format - how a value looks in a table */
enum hd_format {
	HD_FORMAT_TEXT,
	HD_FORMAT_NUMBER,  /* as it is, to the right */
	HD_FORMAT_COUNT,   /* 1.23M */
	HD_FORMAT_BYTES,   /* 1.23MB */
	HD_FORMAT_SECONDS, /* 2h03m */
};

enum {
	HD_COLUMN_SHRINK = 1 << 0,   /* may be cut when the terminal is too narrow */
	HD_COLUMN_OPTIONAL = 1 << 1, /* left out when it is empty in all rows */
	HD_COLUMN_CUT_HEAD = 1 << 2, /* with SHRINK: what ends the text matters more */
};

/**
 * struct hd_column - one column of a table
 * @title:     header
 * @key:       path in the row's object ("counters/drops")
 * @otherwise: path to use when the value at @key is missing or empty, or NULL
 * @text:      makes the cell's text of the whole row instead, malloc'ed, NULL without memory; or
 *             NULL
 * @format:    how values look
 * @flags:     HD_COLUMN_*
 */
struct hd_column {
	const char *title;
	const char *key;
	const char *otherwise;
	char *(*text)(const json_t *row);
	enum hd_format format;
	unsigned int flags;
};

/**
 * struct hd_out - where results go
 * @file:  stdout
 * @json:  JSON mode
 * @width: columns of the terminal; 0 when it is none: then nothing is cut
 */
struct hd_out {
	FILE *file;
	bool json;
	unsigned int width;
};

/** hd_out_init - write to @file; finds out whether it is a terminal */
void hd_out_init(struct hd_out *out, FILE *file, bool json);

/** hd_out_json - print one JSON value and a newline */
void hd_out_json(struct hd_out *out, const json_t *value);

/**
 * hd_out_table - print an array of objects: as a table, or as it is in JSON mode. Returns 0 or
 * -ENOMEM.
 */
int hd_out_table(struct hd_out *out, const struct hd_column *columns, size_t n_columns,
		 const json_t *rows);

/*
 * A table that is made cell by cell, row by row, of text: for the columns' titles, formats (which
 * side the text is on) and flags.
 */
struct hd_table;

/** hd_table_new - NULL without memory; @columns are borrowed */
struct hd_table *hd_table_new(const struct hd_column *columns, size_t n_columns);

/** hd_table_add - the next cell; control characters become '?' */
void hd_table_add(struct hd_table *table, const char *text);

/** hd_table_free - of a table that is not printed; NULL is fine */
void hd_table_free(struct hd_table *table);

/** hd_table_print - print it and free it. Returns 0, or -ENOMEM if there was no room for a cell. */
int hd_table_print(struct hd_out *out, struct hd_table *table);

/**
 * hd_out_record - print one object, a line for each key, or as it is in JSON mode. Returns 0 or
 * -ENOMEM.
 */
int hd_out_record(struct hd_out *out, const json_t *record);

/** hd_out_line - print one line of text; control characters become '?' */
void hd_out_line(struct hd_out *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * hd_out_error - print an error to @stream as the mode wants it; @file is the name it has a
 * position in, or NULL
 */
void hd_out_error(FILE *stream, bool json, const char *file, const struct hd_error *err);

/**
 * hd_out_end - flush; an error that happened on any write shows up here. A reader that has gone
 * away leaves @err's text empty.
 */
int hd_out_end(struct hd_out *out, struct hd_error *err);

/** hd_text_clean - replace control characters (also those of UTF-8's second page) in place */
void hd_text_clean(char *text);

/** hd_text_at - the text at a key of an object, borrowed; "" when there is none */
const char *hd_text_at(const json_t *object, const char *key);

/**
 * hd_text_value - a JSON value as people read it: on, off, 1400, a,b; malloc'ed, clean, NULL
 * without memory
 */
char *hd_text_value(const json_t *value);

/** hd_text_number - a number in the format of a table's column */
char *hd_text_number(json_int_t number, enum hd_format format);

/** hd_text_format - the same in the format of a table's column */
char *hd_text_format(const json_t *value, enum hd_format format);
