// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* scan.c - JSON text looked at in place */
#include "cli/scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/cleanup.h"

/* ---- one value ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && (is_blank(*at) || *at == ','))
		at++;
	return at;
}

/* @at is behind the opening quote. */
static const char *skip_string(const char *at, const char *end)
{
	for (; at < end && *at != '"'; at++)
		if (*at == '\\' && at + 1 < end)
			at++;
	return at < end ? at + 1 : end;
}

/* @at is behind the first bracket. */
static const char *skip_nested(const char *at, const char *end)
{
	unsigned int depth = 1;

	while (at < end && depth) {
		char c = *at++;

		if (c == '"')
			at = skip_string(at, end);
		else if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
	}
	return at;
}

static const char *skip_value(const char *at, const char *end)
{
	if (*at == '"')
		return skip_string(at + 1, end);
	if (*at == '{' || *at == '[')
		return skip_nested(at + 1, end);
	do
		at++;
	while (at < end && !is_blank(*at) && *at != ',' && *at != ':');
	return at;
}

static struct hd_scan without_ends(struct hd_scan value)
{
	if (value.end - value.at < 2)
		return (struct hd_scan){};
	return (struct hd_scan){ value.at + 1, value.end - 1 };
}

struct hd_scan hd_scan_inside(struct hd_scan value)
{
	if (value.at == value.end || (*value.at != '{' && *value.at != '['))
		return (struct hd_scan){};
	return without_ends(value);
}

bool hd_scan_next(struct hd_scan *inside, struct hd_scan *key, struct hd_scan *value)
{
	const char *at = skip_blanks(inside->at, inside->end), *end = inside->end;
	struct hd_scan first, name = {};
	const char *next;

	if (at == end)
		return false;
	first = (struct hd_scan){ at, skip_value(at, end) };
	next = skip_blanks(first.end, end);
	if (next < end && *next == ':') {
		name = without_ends(first);
		at = skip_blanks(next + 1, end);
		first = (struct hd_scan){ at, at < end ? skip_value(at, end) : end };
	}
	inside->at = first.end;
	*key = name;
	*value = first;
	return true;
}

bool hd_scan_is(struct hd_scan value, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(value.end - value.at) == len && !memcmp(value.at, text, len);
}

/* Keys mostly come in the order of the table: each search begins where the last one ended. */
void hd_scan_fields(struct hd_scan object, const struct hd_scan_field *fields, size_t n, void *into)
{
	struct hd_scan inside = hd_scan_inside(object), key, value;
	size_t next = 0;

	while (hd_scan_next(&inside, &key, &value)) {
		size_t tries = 0;

		while (tries < n && !hd_scan_is(key, fields[next].key))
			next = (next + 1) % n, tries++;
		if (tries < n)
			memcpy((char *)into + fields[next].offset, &value, sizeof(value));
	}
}

static void copy_cut(char *buf, size_t size, const char *text, size_t len)
{
	if (len >= size)
		len = size - 1;
	if (len)
		memcpy(buf, text, len);
	buf[len] = '\0';
}

/* Rare: no name or address holds an escape. */
static void copy_escaped(struct hd_scan value, char *buf, size_t size)
{
	_json_ json_t *json =
		json_loadb(value.at, (size_t)(value.end - value.at), JSON_DECODE_ANY, NULL);
	const char *text = json_string_value(json);

	copy_cut(buf, size, text ? text : "?", text ? strlen(text) : 1);
}

char *hd_scan_text(struct hd_scan value, char *buf, size_t size)
{
	bool quoted = value.at < value.end && *value.at == '"';
	struct hd_scan text = quoted ? without_ends(value) : value;
	size_t len = (size_t)(text.end - text.at);

	if (len && memchr(text.at, '\\', len))
		copy_escaped(value, buf, size);
	else
		copy_cut(buf, size, text.at, len);
	return buf;
}

json_int_t hd_scan_number(struct hd_scan value)
{
	char text[24];

	return strtoll(hd_scan_text(value, text, sizeof(text)), NULL, 10);
}

/* ---- an array that comes in pieces ---- */

static void keep(struct hd_split *split, const char *data, size_t len)
{
	char *text = realloc(split->text, split->len + len);

	if (!text) {
		split->error = -ENOMEM;
		return;
	}
	memcpy(text + split->len, data, len);
	split->text = text;
	split->len += len;
}

/* @data ends the element, which may have begun in an earlier piece. */
static void take_element(struct hd_split *split, const char *data, size_t len)
{
	struct hd_scan element = { data, data + len };

	if (split->len) {
		keep(split, data, len);
		element = (struct hd_scan){ split->text, split->text + split->len };
	}
	if (!split->error)
		split->element(split->arg, element);
	split->len = 0;
}

/* Inside of a string only its end counts. */
static void in_string(struct hd_split *split, char c)
{
	if (split->escape)
		split->escape = false;
	else if (c == '\\')
		split->escape = true;
	else if (c == '"')
		split->string = false;
}

static void open_bracket(struct hd_split *split, char c)
{
	if (!split->depth && (c != '[' || split->ended))
		split->error = -EBADMSG;
	split->depth++;
}

static void close_bracket(struct hd_split *split)
{
	if (!split->depth)
		split->error = -EBADMSG;
	else if (!--split->depth)
		split->ended = true;
}

void hd_split_feed(struct hd_split *split, const char *data, size_t len)
{
	const char *start = data; /* of the element, as far as it is in this piece */

	for (const char *at = data; at < data + len && !split->error; at++) {
		if (split->string) {
			in_string(split, *at);
		} else if (*at == '"') {
			split->string = true;
		} else if (*at == '{' || *at == '[') {
			if (split->depth == 1)
				start = at;
			open_bracket(split, *at);
		} else if (*at == '}' || *at == ']') {
			close_bracket(split);
			if (split->depth == 1)
				take_element(split, start, (size_t)(at + 1 - start));
		}
	}
	if (split->depth > 1 && !split->error)
		keep(split, start, (size_t)(data + len - start));
}

int hd_split_done(struct hd_split *split)
{
	free(split->text);
	split->text = NULL;
	if (!split->error && (!split->ended || split->depth))
		return -EBADMSG;
	return split->error;
}
