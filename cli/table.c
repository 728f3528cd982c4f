// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* table.c - aligned columns; one object, or an array of them */
#include <errno.h>
#include <string.h>

#include "cli/out.h"
#include "loader/cleanup.h"

enum {
	GAP = 2,	/* blanks between columns */
	SHRINK_MIN = 8, /* a column is not cut below this */
};

/* Row 0 is the header; cells[row * n_columns + column]. */
struct table {
	const struct hd_column *columns;
	size_t n_columns;
	size_t n_rows;
	char **cells;
	unsigned int *widths; /* 0: the column is left out */
};

static int table_new(struct table *table, const json_t *rows);
static void table_done(struct table *table);
static void table_measure(struct table *table);
static void table_shrink(struct table *table, unsigned int width);
static void table_print(const struct table *table, FILE *file);

int hd_out_table(struct hd_out *out, const struct hd_column *columns, size_t n_columns,
		 const json_t *rows)
{
	struct table table = { .columns = columns, .n_columns = n_columns };
	int r;

	if (out->json) {
		hd_out_json(out, rows);
		return 0;
	}
	r = table_new(&table, rows);
	if (!r) {
		table_measure(&table);
		if (out->width)
			table_shrink(&table, out->width);
		table_print(&table, out->file);
	}
	table_done(&table);
	return r;
}

/* ---- cells ---- */

static const json_t *by_path(const json_t *object, const char *path)
{
	while (path && object) {
		const char *slash = strchr(path, '/');
		_free_ char *key = slash ? strndup(path, (size_t)(slash - path)) : strdup(path);

		object = key ? json_object_get(object, key) : NULL;
		path = slash ? slash + 1 : NULL;
	}
	return object;
}

static bool is_empty(const json_t *value)
{
	return !value || json_is_null(value) ||
	       (json_is_string(value) && !json_string_length(value)) ||
	       (json_is_array(value) && !json_array_size(value));
}

static char *cell_text(const struct hd_column *column, const json_t *row)
{
	const json_t *value = by_path(row, column->key);

	if (is_empty(value) && column->otherwise)
		value = by_path(row, column->otherwise);
	if (is_empty(value))
		return strdup(column->flags & HD_COLUMN_OPTIONAL ? "" : "-");
	return hd_text_format(value, column->format);
}

static int table_new(struct table *table, const json_t *rows)
{
	size_t n = table->n_columns;

	table->n_rows = json_array_size(rows) + 1;
	table->cells = calloc(table->n_rows * n, sizeof(*table->cells));
	table->widths = calloc(n, sizeof(*table->widths));
	if (!table->cells || !table->widths)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_rows * n; i++) {
		const struct hd_column *column = &table->columns[i % n];

		table->cells[i] = i < n ? strdup(column->title)
					: cell_text(column, json_array_get(rows, i / n - 1));
		if (!table->cells[i])
			return -ENOMEM;
	}
	return 0;
}

static void table_done(struct table *table)
{
	for (size_t i = 0; table->cells && i < table->n_rows * table->n_columns; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table->widths);
}

/* ---- widths ---- */

/* Letters, not bytes: continuation bytes of UTF-8 take no room. */
static unsigned int text_width(const char *text)
{
	unsigned int width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void table_measure(struct table *table)
{
	for (size_t c = 0; c < table->n_columns; c++) {
		bool used = !(table->columns[c].flags & HD_COLUMN_OPTIONAL);

		for (size_t r = 0; r < table->n_rows; r++) {
			unsigned int width = text_width(table->cells[r * table->n_columns + c]);

			used |= r && width;
			if (width > table->widths[c])
				table->widths[c] = width;
		}
		if (!used)
			table->widths[c] = 0;
	}
}

static unsigned int table_width(const struct table *table)
{
	unsigned int width = 0;

	for (size_t c = 0; c < table->n_columns; c++)
		if (table->widths[c])
			width += table->widths[c] + (width ? GAP : 0);
	return width;
}

/* The widest column that may be cut gives way first. */
static void table_shrink(struct table *table, unsigned int width)
{
	while (table_width(table) > width) {
		unsigned int *widest = NULL;

		for (size_t c = 0; c < table->n_columns; c++)
			if ((table->columns[c].flags & HD_COLUMN_SHRINK) &&
			    (!widest || table->widths[c] > *widest))
				widest = &table->widths[c];
		if (!widest || *widest <= SHRINK_MIN)
			return;
		--*widest;
	}
}

/* ---- printing ---- */

static void print_padding(FILE *file, unsigned int n)
{
	(void)fprintf(file, "%*s", (int)n, "");
}

/* @width letters of the text; ".." stands for what is cut. */
static void print_cut(FILE *file, const char *text, unsigned int width)
{
	const char *end = text;

	for (unsigned int letters = 0; letters < width - 2; letters++)
		do
			end++;
		while (((unsigned char)*end & 0xc0) == 0x80);
	(void)fprintf(file, "%.*s..", (int)(end - text), text);
}

/* Blanks are owed until something follows them, so that no line ends with any. */
static void print_cell(FILE *file, const struct hd_column *column, const char *text,
		       unsigned int width, unsigned int *blanks)
{
	unsigned int used = text_width(text);
	bool right = column->format != HD_FORMAT_TEXT;

	if (used > width) {
		print_padding(file, *blanks);
		print_cut(file, text, width);
		*blanks = 0;
		return;
	}
	if (right || !used)
		*blanks += width - used;
	if (!used)
		return;
	print_padding(file, *blanks);
	(void)fputs(text, file);
	*blanks = right ? 0 : width - used;
}

static void table_print(const struct table *table, FILE *file)
{
	for (size_t r = 0; r < table->n_rows; r++) {
		unsigned int blanks = 0;
		bool first = true;

		for (size_t c = 0; c < table->n_columns; c++) {
			if (!table->widths[c])
				continue;
			blanks += first ? 0 : GAP;
			first = false;
			print_cell(file, &table->columns[c], table->cells[r * table->n_columns + c],
				   table->widths[c], &blanks);
		}
		(void)fputc('\n', file); /* hd_out_end() reports failed writes */
	}
}

/* ---- one object ---- */

/* A nested object becomes lines of its own, after a line with its key. */
static int record_rows(json_t *rows, const json_t *record, const char *indent)
{
	const char *key;
	json_t *value;
	int r;

	json_object_foreach((json_t *)record, key, value) {
		bool nested = json_is_object(value);
		_free_ char *text = nested ? NULL : hd_text_value(value);

		if (!text && !nested)
			return -ENOMEM;
		r = json_array_append_new(
			rows, json_pack("{s:s+, s:s?}", "key", indent, key, "value", text));
		if (r)
			return -ENOMEM;
		r = nested ? record_rows(rows, value, "  ") : 0;
		if (r)
			return r;
	}
	return 0;
}

static void record_print(struct hd_out *out, const json_t *rows)
{
	unsigned int width = 0;
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		size_t len = json_string_length(json_object_get(row, "key"));

		width = len > width ? (unsigned int)len : width;
	}
	json_array_foreach(rows, i, row) {
		const char *key = json_string_value(json_object_get(row, "key"));
		const char *text = json_string_value(json_object_get(row, "value"));

		if (text)
			hd_out_line(out, "%-*s  %s", (int)width, key, text[0] ? text : "-");
		else
			hd_out_line(out, "%s", key);
	}
}

int hd_out_record(struct hd_out *out, const json_t *record)
{
	_json_ json_t *rows = json_array();
	int r;

	if (out->json) {
		hd_out_json(out, record);
		return 0;
	}
	r = rows ? record_rows(rows, record, "") : -ENOMEM;
	if (!r)
		record_print(out, rows);
	return r;
}
