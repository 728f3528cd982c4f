// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * file.c - heddle.yaml: libyaml's events to JSON, and JSON to libyaml's events
 *
 * Next to the JSON value stands a tree of the same shape that knows where everything was written:
 *
 *     ports:                    root ── "ports" 1:1 ── "web1" 2:3 ── "ip" 3:5 ── [0] 3:10
 *       web1:                                                                └── [1] 3:20
 *         ip: [192.0.2.1, 192.0.2.2]
 */
#include "api/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "cleanup.h"

/* Deeper than anything in the format, and few enough values that a hostile file stays within some
 * 100 MB. */
enum { DEPTH_MAX = 16, VALUES_MAX = 1 << 20 };

/* Where one value was written: at its key in a mapping, else at itself. */
struct node {
	char *key; /* NULL in a list and at the root */
	unsigned int line, column;
	struct node *children;
	size_t n_children;
};

struct hd_file {
	json_t *root;
	struct node node;
};

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the last one; all zero if there is none */
	const char *text;
	size_t len;
	size_t n_values;
	struct hd_error *err;
};

/* What a plain scalar means. */
enum plain { PLAIN_STRING, PLAIN_INTEGER, PLAIN_TOO_LARGE, PLAIN_TRUE, PLAIN_FALSE, PLAIN_NULL };

static int read_document(struct reader *reader, struct hd_file *file);
static void node_done(struct node *node);
static const struct node *node_locate(const struct node *node, const char *path);
static int emit_document(yaml_emitter_t *emitter, const json_t *json);

static void reader_done(struct reader *reader)
{
	yaml_event_delete(&reader->event);
	yaml_parser_delete(&reader->parser);
}

static void file_freep(struct hd_file **file)
{
	hd_file_free(*file);
}

int hd_file_parse(const char *text, size_t len, struct hd_file **ret, struct hd_error *err)
{
	CLEANUP(reader_done) struct reader reader = { .text = text, .len = len, .err = err };
	CLEANUP(file_freep) struct hd_file *file = calloc(1, sizeof(*file));
	int r;

	if (!file || !yaml_parser_initialize(&reader.parser))
		return -ENOMEM;
	/* Not guessed from a byte order mark: UTF-16 is refused as invalid UTF-8. */
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, len);
	r = read_document(&reader, file);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(file);
	return 0;
}

void hd_file_free(struct hd_file *file)
{
	if (!file)
		return;
	json_decref(file->root);
	node_done(&file->node);
	free(file);
}

json_t *hd_file_root(const struct hd_file *file)
{
	return file->root;
}

void hd_file_locate(const struct hd_file *file, struct hd_error *err)
{
	const struct node *node = node_locate(&file->node, err->where);

	err->line = node->line;
	err->column = node->column;
}

char *hd_file_emit_yaml(const json_t *json)
{
	_free_ char *text = NULL;
	size_t size = 0;
	_fclose_ FILE *out = open_memstream(&text, &size);
	yaml_emitter_t emitter;
	int r;

	if (!out || !yaml_emitter_initialize(&emitter))
		return NULL;
	yaml_emitter_set_output_file(&emitter, out);
	yaml_emitter_set_unicode(&emitter, 1);
	yaml_emitter_set_width(&emitter, -1); /* no folding: a value is on one line */
	r = emit_document(&emitter, json);
	yaml_emitter_delete(&emitter);
	/* The text is complete only when its stream is closed. */
	if (fclose(TAKE_PTR(out)) != 0 || r < 0)
		return NULL;
	return TAKE_PTR(text);
}

/* Reading */

static int read_value(struct reader *reader, int depth, struct node *node, json_t **ret);

static int fail(struct reader *reader, yaml_mark_t mark, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct reader *reader, yaml_mark_t mark, const char *fmt, ...)
{
	char message[256];
	va_list args;
	int r;

	va_start(args, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	r = hd_error_set(reader->err, HD_ERR_INVALID, "%s", message);
	if (reader->err) {
		reader->err->line = (unsigned int)mark.line + 1;
		reader->err->column = (unsigned int)mark.column + 1;
	}
	return r;
}

/* libyaml's decoder knows only the byte at which it gave up. */
static yaml_mark_t mark_of_offset(const struct reader *reader, size_t offset)
{
	yaml_mark_t mark = { 0 };

	for (size_t i = 0; i < offset && i < reader->len; i++) {
		if (reader->text[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if ((reader->text[i] & 0xc0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}

/* Whether the blanks before the first letter of a line, counted from 0, hold a tab. */
static bool has_tab_indent(const struct reader *reader, size_t line)
{
	const char *pos = reader->text, *end = reader->text + reader->len;

	for (; line > 0 && pos < end; line--) {
		const char *newline = memchr(pos, '\n', (size_t)(end - pos));

		pos = newline ? newline + 1 : end;
	}
	while (pos < end && *pos == ' ')
		pos++;
	return pos < end && *pos == '\t';
}

static int fail_syntax(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	int r;

	if (parser->error == YAML_MEMORY_ERROR)
		return hd_error_set(reader->err, HD_ERR_FAILED, "out of memory");
	if (parser->error == YAML_READER_ERROR)
		return fail(reader, mark_of_offset(reader, parser->problem_offset), "not YAML: %s",
			    parser->problem);
	r = fail(reader, parser->problem_mark, "not YAML: %s%s%s", parser->context ?: "",
		 parser->context ? ", " : "", parser->problem);
	if (has_tab_indent(reader, parser->problem_mark.line))
		hd_error_hint(reader->err, "indent with spaces, YAML takes no tabs");
	return r;
}

static int next(struct reader *reader)
{
	yaml_event_delete(&reader->event);
	if (!yaml_parser_parse(&reader->parser, &reader->event))
		return fail_syntax(reader);
	return 0;
}

static int read_document(struct reader *reader, struct hd_file *file)
{
	int r = next(reader); /* the start of the stream */

	if (r == 0)
		r = next(reader);
	if (r < 0)
		return r;
	if (reader->event.type == YAML_STREAM_END_EVENT) {
		file->node = (struct node){ .line = 1, .column = 1 };
		file->root = json_null();
		return 0;
	}
	r = next(reader);
	if (r == 0)
		r = read_value(reader, 1, &file->node, &file->root);
	if (r == 0)
		r = next(reader); /* the end of the document */
	if (r == 0)
		r = next(reader);
	if (r == 0 && reader->event.type != YAML_STREAM_END_EVENT)
		r = fail(reader, reader->event.start_mark, "more than one document");
	return r;
}

static void node_done(struct node *node)
{
	for (size_t i = 0; i < node->n_children; i++)
		node_done(&node->children[i]);
	free(node->children);
	free(node->key);
}

/* Moves @child to the end of @parent's children; room for them is doubled at each power of two. */
static int node_append(struct node *parent, struct node *child)
{
	size_t n = parent->n_children;

	if ((n & (n - 1)) == 0) {
		struct node *grown = reallocarray(parent->children, n ? 2 * n : 1, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		parent->children = grown;
	}
	parent->children[parent->n_children++] = *child;
	*child = (struct node){ 0 };
	return 0;
}

static bool digits_only(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

static enum plain plain_integer(const char *text, json_int_t *ret)
{
	const char *digits = text + (text[0] == '-');
	long long value;

	if (!digits_only(digits) || (digits[0] == '0' && digits[1]))
		return PLAIN_STRING;
	errno = 0;
	value = strtoll(text, NULL, 10);
	if (errno == ERANGE)
		return PLAIN_TOO_LARGE;
	*ret = value;
	return PLAIN_INTEGER;
}

/* What @text means if it is not quoted; @ret is set for an integer. */
static enum plain plain_resolve(const char *text, json_int_t *ret)
{
	if (!*text || !strcmp(text, "~") || !strcmp(text, "null"))
		return PLAIN_NULL;
	if (!strcmp(text, "true"))
		return PLAIN_TRUE;
	if (!strcmp(text, "false"))
		return PLAIN_FALSE;
	return plain_integer(text, ret);
}

/* The text of the scalar that is the current event; NULL with an error set if it is nothing that
 * JSON can hold. */
static const char *scalar_text(struct reader *reader, int *r)
{
	const char *text = (const char *)reader->event.data.scalar.value;

	*r = 0;
	if (strlen(text) == reader->event.data.scalar.length)
		return text;
	*r = fail(reader, reader->event.start_mark, "NUL in a string");
	return NULL;
}

static int read_scalar(struct reader *reader, json_t **ret)
{
	bool plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	json_int_t integer = 0;
	json_t *json = NULL;
	const char *text;
	int r;

	text = scalar_text(reader, &r);
	if (!text)
		return r;
	switch (plain ? plain_resolve(text, &integer) : PLAIN_STRING) {
	case PLAIN_STRING:
		json = json_string(text);
		break;
	case PLAIN_INTEGER:
		json = json_integer(integer);
		break;
	case PLAIN_TOO_LARGE:
		return fail(reader, reader->event.start_mark, "integer %s is too large", text);
	case PLAIN_TRUE:
		json = json_true();
		break;
	case PLAIN_FALSE:
		json = json_false();
		break;
	case PLAIN_NULL:
		json = json_null();
		break;
	}
	if (!json)
		return -ENOMEM;
	*ret = json;
	return 0;
}

static int read_list(struct reader *reader, int depth, struct node *node, json_t **ret)
{
	_json_ json_t *list = json_array();
	int r = list ? next(reader) : -ENOMEM;

	while (r == 0 && reader->event.type != YAML_SEQUENCE_END_EVENT) {
		CLEANUP(node_done) struct node child = { 0 };
		json_t *value;

		r = read_value(reader, depth + 1, &child, &value);
		if (r == 0)
			r = json_array_append_new(list, value) < 0 ? -ENOMEM : 0;
		if (r == 0)
			r = node_append(node, &child);
		if (r == 0)
			r = next(reader);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(list);
	return 0;
}

/* The current event as a new key of @mapping: its text and place to @child. */
static int read_key(struct reader *reader, const json_t *mapping, struct node *child)
{
	yaml_mark_t mark = reader->event.start_mark;
	const char *key;
	int r;

	if (reader->event.type == YAML_ALIAS_EVENT)
		return fail(reader, mark, "aliases are not supported");
	if (reader->event.type != YAML_SCALAR_EVENT)
		return fail(reader, mark, "a key must be a word, not a list or a mapping");
	if (reader->event.data.scalar.anchor || reader->event.data.scalar.tag)
		return fail(reader, mark, "anchors and tags are not supported");
	key = scalar_text(reader, &r);
	if (!key)
		return r;
	if (reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !strcmp(key, "<<"))
		return fail(reader, mark, "merge keys are not supported");
	if (json_object_get(mapping, key))
		return fail(reader, mark, "key %.64s is there twice", key);
	child->line = (unsigned int)mark.line + 1;
	child->column = (unsigned int)mark.column + 1;
	child->key = strdup(key);
	return child->key ? 0 : -ENOMEM;
}

static int read_entry(struct reader *reader, int depth, struct node *node, json_t *mapping)
{
	CLEANUP(node_done) struct node child = { 0 };
	json_t *value;
	int r = read_key(reader, mapping, &child);

	if (r == 0)
		r = next(reader);
	if (r == 0)
		r = read_value(reader, depth + 1, &child, &value);
	if (r < 0)
		return r;
	if (json_object_set_new(mapping, child.key, value) < 0)
		return -ENOMEM;
	return node_append(node, &child);
}

static int read_mapping(struct reader *reader, int depth, struct node *node, json_t **ret)
{
	_json_ json_t *mapping = json_object();
	int r = mapping ? next(reader) : -ENOMEM;

	while (r == 0 && reader->event.type != YAML_MAPPING_END_EVENT) {
		r = read_entry(reader, depth, node, mapping);
		if (r == 0)
			r = next(reader);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(mapping);
	return 0;
}

static int check_container(struct reader *reader, int depth, const void *anchor, const void *tag)
{
	if (anchor || tag)
		return fail(reader, reader->event.start_mark, "anchors and tags are not supported");
	if (depth > DEPTH_MAX)
		return fail(reader, reader->event.start_mark, "nested more than %d levels deep",
			    DEPTH_MAX);
	return 0;
}

/* The value that begins with the current event; afterwards the current event is its last one. */
static int read_value(struct reader *reader, int depth, struct node *node, json_t **ret)
{
	const yaml_event_t *event = &reader->event;
	yaml_mark_t mark = event->start_mark;
	int r;

	if (++reader->n_values > VALUES_MAX)
		return fail(reader, mark, "more than %d values", VALUES_MAX);
	if (!node->key) { /* an entry's place is that of its key */
		node->line = (unsigned int)mark.line + 1;
		node->column = (unsigned int)mark.column + 1;
	}
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		if (event->data.scalar.anchor || event->data.scalar.tag)
			return fail(reader, mark, "anchors and tags are not supported");
		return read_scalar(reader, ret);
	case YAML_SEQUENCE_START_EVENT:
		r = check_container(reader, depth, event->data.sequence_start.anchor,
				    event->data.sequence_start.tag);
		return r < 0 ? r : read_list(reader, depth, node, ret);
	case YAML_MAPPING_START_EVENT:
		r = check_container(reader, depth, event->data.mapping_start.anchor,
				    event->data.mapping_start.tag);
		return r < 0 ? r : read_mapping(reader, depth, node, ret);
	default: /* nothing else begins a value but an alias */
		return fail(reader, mark, "aliases are not supported");
	}
}

/* Finding */

/* The bytes of @path that name @child, the @index-th of its parent; 0 if it is another's. */
static size_t match(const struct node *child, size_t index, const char *path)
{
	char number[24];
	const char *key = child->key;
	size_t len;

	if (!key) {
		(void)snprintf(number, sizeof(number), "%zu", index);
		key = number;
	}
	len = strlen(key);
	if (strncmp(path, key, len) != 0 || (path[len] && path[len] != '/'))
		return 0;
	return len;
}

/* Down the path as far as it goes. Of keys that hold a '/' the longest that fits is meant. */
static const struct node *node_locate(const struct node *node, const char *path)
{
	const struct node *found;

	do {
		size_t longest = 0;

		found = NULL;
		for (size_t i = 0; i < node->n_children; i++) {
			size_t len = match(&node->children[i], i, path);

			if (len > longest) {
				longest = len;
				found = &node->children[i];
			}
		}
		node = found ?: node;
		path += longest + (path[longest] == '/');
	} while (found && *path);
	return node;
}

/* Writing */

static int emit_value(yaml_emitter_t *emitter, const json_t *json);

/* libyaml takes the event over, whether it succeeds or not. */
static int emit(yaml_emitter_t *emitter, int made, yaml_event_t *event)
{
	return made && yaml_emitter_emit(emitter, event) ? 0 : -ENOMEM;
}

static int emit_document(yaml_emitter_t *emitter, const json_t *json)
{
	yaml_event_t event;
	int r = emit(emitter, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING),
		     &event);

	if (r == 0)
		r = emit(emitter, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1),
			 &event);
	if (r == 0)
		r = emit_value(emitter, json);
	if (r == 0)
		r = emit(emitter, yaml_document_end_event_initialize(&event, 1), &event);
	if (r == 0)
		r = emit(emitter, yaml_stream_end_event_initialize(&event), &event);
	return r;
}

static int emit_scalar(yaml_emitter_t *emitter, const char *text, size_t len, bool plain)
{
	yaml_event_t event;

	return emit(emitter,
		    yaml_scalar_event_initialize(
			    &event, NULL, NULL, (const yaml_char_t *)text, (int)len, 1, 1,
			    plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE),
		    &event);
}

/* Words and numbers of YAML 1.1 that we read as text: quoted for the sake of other readers. */
static bool others_misread(const char *text)
{
	static const char *const words[] = { "on", "off",  "yes",   "no",   "y",
					     "n",  "true", "false", "null", NULL };
	const char *first_dot = strchr(text, '.');

	for (size_t i = 0; words[i]; i++)
		if (!strcasecmp(text, words[i]))
			return true;
	if (text[0] < '0' || text[0] > '9' || strspn(text, "0123456789_:.+-eExXoO") != strlen(text))
		return false;
	if (first_dot && strchr(first_dot + 1, '.')) /* an address, not a number */
		return false;
	return text[0] != '0' ||
	       !strchr(text, ':'); /* 02:00:... is no base 60 number, 12:00:... is */
}

/* Letters that mean nothing to YAML, in an order that means nothing either. */
static bool plain_ok(const char *text)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "/._-:=+@";
	json_int_t unused;
	size_t len = strlen(text);

	return len > 0 && strspn(text, safe) == len && !strchr("._-:=+@", text[0]) &&
	       text[len - 1] != ':' && plain_resolve(text, &unused) == PLAIN_STRING &&
	       !others_misread(text);
}

static int emit_string(yaml_emitter_t *emitter, const char *text, size_t len)
{
	return emit_scalar(emitter, text, len, strlen(text) == len && plain_ok(text));
}

/* Short enough to be read at a glance: scalars that fit in one line. */
static bool is_short(const json_t *list)
{
	size_t width = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *value = json_array_get(list, i);

		if (json_is_object(value) || json_is_array(value))
			return false;
		width += json_is_string(value) ? json_string_length(value) + 4 : 8;
		if (width > 72)
			return false;
	}
	return true;
}

static int emit_list(yaml_emitter_t *emitter, const json_t *list)
{
	yaml_sequence_style_t style =
		is_short(list) ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
	yaml_event_t event;
	int r = emit(emitter, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style),
		     &event);

	for (size_t i = 0; r == 0 && i < json_array_size(list); i++)
		r = emit_value(emitter, json_array_get(list, i));
	if (r == 0)
		r = emit(emitter, yaml_sequence_end_event_initialize(&event), &event);
	return r;
}

static int emit_mapping(yaml_emitter_t *emitter, const json_t *mapping)
{
	void *iter = json_object_iter((json_t *)mapping); /* the cast: iterators are not const */
	yaml_event_t event;
	int r = emit(emitter,
		     yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
							 YAML_BLOCK_MAPPING_STYLE),
		     &event);

	for (; r == 0 && iter; iter = json_object_iter_next((json_t *)mapping, iter)) {
		r = emit_string(emitter, json_object_iter_key(iter),
				json_object_iter_key_len(iter));
		if (r == 0)
			r = emit_value(emitter, json_object_iter_value(iter));
	}
	if (r == 0)
		r = emit(emitter, yaml_mapping_end_event_initialize(&event), &event);
	return r;
}

/* Numbers, true, false and null look the same in JSON. */
static int emit_literal(yaml_emitter_t *emitter, const json_t *json)
{
	_free_ char *text = json_dumps(json, JSON_ENCODE_ANY);

	return text ? emit_scalar(emitter, text, strlen(text), true) : -ENOMEM;
}

static int emit_value(yaml_emitter_t *emitter, const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return emit_mapping(emitter, json);
	case JSON_ARRAY:
		return emit_list(emitter, json);
	case JSON_STRING:
		return emit_string(emitter, json_string_value(json), json_string_length(json));
	default:
		return emit_literal(emitter, json);
	}
}
