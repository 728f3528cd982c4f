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

/*
 * The texts of the cells lie one behind the other, each ended by a NUL, row by row: a table may
 * have a million. The titles are not among them.
 */
struct hd_table {
	const struct hd_column *columns;
	size_t n_columns;
	char *text;
	size_t len, room;
	size_t n_cells;
	int error;
	unsigned int widths[]; /* of each column; 0: it is left out */
};

static void table_finish_widths(struct hd_table *table);
static void table_shrink(struct hd_table *table, unsigned int width);
static void print_rows(const struct hd_table *table, FILE *file);
static char *cell_text(const struct hd_column *column, const json_t *row);
static unsigned int text_width(const char *text);

int hd_out_table(struct hd_out *out, const struct hd_column *columns, size_t n_columns,
		 const json_t *rows)
{
	struct hd_table *table;
	const json_t *row;
	size_t i;

	if (out->json) {
		hd_out_json(out, rows);
		return 0;
	}
	table = hd_table_new(columns, n_columns);
	if (!table)
		return -ENOMEM;
	json_array_foreach(rows, i, row)
		for (size_t c = 0; c < n_columns; c++) {
			_free_ char *text = cell_text(&columns[c], row);

			hd_table_add(table, text);
		}
	return hd_table_print(out, table);
}

struct hd_table *hd_table_new(const struct hd_column *columns, size_t n_columns)
{
	struct hd_table *table = calloc(1, sizeof(*table) + n_columns * sizeof(table->widths[0]));

	if (!table)
		return NULL;
	table->columns = columns;
	table->n_columns = n_columns;
	return table;
}

static bool make_room(struct hd_table *table, size_t len)
{
	size_t room = table->room ? table->room : 4096;
	char *text;

	if (table->room - table->len >= len)
		return true;
	while (room - table->len < len)
		room *= 2;
	text = realloc(table->text, room);
	if (!text)
		return false;
	table->text = text;
	table->room = room;
	return true;
}

/* Widths are kept up to date, so that nothing goes through all the cells but the printing. */
void hd_table_add(struct hd_table *table, const char *text)
{
	unsigned int *most = &table->widths[table->n_cells % table->n_columns];
	size_t len = text ? strlen(text) + 1 : 0;
	unsigned int width;
	char *cell;

	if (table->error || !text || !make_room(table, len)) {
		table->error = -ENOMEM;
		return;
	}
	cell = memcpy(table->text + table->len, text, len);
	hd_text_clean(cell);
	width = text_width(cell);
	*most = width > *most ? width : *most;
	table->len += len;
	table->n_cells++;
}

int hd_table_print(struct hd_out *out, struct hd_table *table)
{
	int r = table->error;

	if (!r) {
		table_finish_widths(table);
		if (out->width)
			table_shrink(table, out->width);
		print_rows(table, out->file);
	}
	hd_table_free(table);
	return r;
}

void hd_table_free(struct hd_table *table)
{
	if (!table)
		return;
	free(table->text);
	free(table);
}

/* ---- cells ---- */

static const json_t *by_path(const json_t *object, const char *path)
{
	const char *slash;

	while ((slash = strchr(path, '/'))) {
		_free_ char *key = strndup(path, (size_t)(slash - path));

		object = key ? json_object_get(object, key) : NULL;
		path = slash + 1;
	}
	return json_object_get(object, path);
}

static bool is_empty(const json_t *value)
{
	return !value || json_is_null(value) ||
	       (json_is_string(value) && !json_string_length(value)) ||
	       (json_is_array(value) && !json_array_size(value));
}

static char *cell_text(const struct hd_column *column, const json_t *row)
{
	const json_t *value;

	if (column->text)
		return column->text(row);
	value = by_path(row, column->key);

	if (is_empty(value) && column->otherwise)
		value = by_path(row, column->otherwise);
	if (is_empty(value))
		return strdup(column->flags & HD_COLUMN_OPTIONAL ? "" : "-");
	return hd_text_format(value, column->format);
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

/* An optional column that has nothing but its title is left out. */
static void table_finish_widths(struct hd_table *table)
{
	for (size_t c = 0; c < table->n_columns; c++) {
		const struct hd_column *column = &table->columns[c];
		unsigned int width = text_width(column->title);
		bool left_out = !table->widths[c] && (column->flags & HD_COLUMN_OPTIONAL);

		if (!left_out && width > table->widths[c])
			table->widths[c] = width;
	}
}

static unsigned int table_width(const struct hd_table *table)
{
	unsigned int width = 0;

	for (size_t c = 0; c < table->n_columns; c++)
		if (table->widths[c])
			width += table->widths[c] + (width ? GAP : 0);
	return width;
}

/* The widest column that may be cut gives way first. */
static void table_shrink(struct hd_table *table, unsigned int width)
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
	while (n--)
		(void)putc_unlocked(' ', file);
}

static const char *skip_letters(const char *text, unsigned int letters)
{
	for (; letters; letters--)
		do
			text++;
		while (((unsigned char)*text & 0xc0) == 0x80);
	return text;
}

/* @width of the @used letters of the text; ".." stands for what is cut. */
static void print_cut(FILE *file, const struct hd_column *column, const char *text,
		      unsigned int used, unsigned int width)
{
	if (column->flags & HD_COLUMN_CUT_HEAD)
		(void)fprintf(file, "..%s", skip_letters(text, used - (width - 2)));
	else
		(void)fprintf(file, "%.*s..", (int)(skip_letters(text, width - 2) - text), text);
}

/* Blanks are owed until something follows them, so that no line ends with any. */
static void print_cell(FILE *file, const struct hd_column *column, const char *text,
		       unsigned int width, unsigned int *blanks)
{
	unsigned int used = text_width(text);
	bool right = column->format != HD_FORMAT_TEXT;

	if (used > width) {
		print_padding(file, *blanks);
		print_cut(file, column, text, used, width);
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

static void print_row(const struct hd_table *table, FILE *file, const char *const *cells)
{
	unsigned int blanks = 0;
	bool first = true;

	for (size_t c = 0; c < table->n_columns; c++) {
		if (!table->widths[c])
			continue;
		blanks += first ? 0 : GAP;
		first = false;
		print_cell(file, &table->columns[c], cells[c], table->widths[c], &blanks);
	}
	(void)putc_unlocked('\n', file); /* hd_out_end() reports failed writes */
}

static void print_rows(const struct hd_table *table, FILE *file)
{
	const char *cells[table->n_columns], *text = table->text;

	for (size_t c = 0; c < table->n_columns; c++)
		cells[c] = table->columns[c].title;
	print_row(table, file, cells);
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t c = i % table->n_columns;

		cells[c] = text;
		text += strlen(text) + 1;
		if (c + 1 == table->n_columns)
			print_row(table, file, cells);
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
