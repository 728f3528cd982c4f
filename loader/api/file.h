/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * file.h - heddle.yaml: YAML (of which JSON is a part) to JSON and back, with line and column of every value
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "heddlectl/error.h"

struct hd_file;

/**
 * hd_file_parse - read one YAML document
 * @text: not NUL-terminated
 * @len:  bytes
 * @ret:  new file, untouched on failure
 * @err:  with line and column
 *
 * Plain scalars become numbers (decimal integers), true/false (also on/off, yes/no are kept as strings), null (~, null, empty) or
 * strings; quoted ones are strings. Refused: more than one document, anchors/aliases/tags/merge keys, duplicate keys, keys that are not
 * scalars, nesting over 16 levels, more than 2^20 values, invalid UTF-8, NUL, an integer beyond int64. Floats stay strings.
 * Return: 0 or -errno.
 */
int hd_file_parse(const char *text, size_t len, struct hd_file **ret, struct hd_error *err);

/** hd_file_free - NULL is fine */
void hd_file_free(struct hd_file *file);

/** hd_file_root - the document as JSON, borrowed; an empty document is JSON null */
json_t *hd_file_root(const struct hd_file *file);

/**
 * hd_file_locate - turn err->where ("ports/web1/mac", list elements by index: "ports/web1/ip/0") into line and column
 *
 * Falls back to the nearest enclosing value that is in the file. Keys that hold a '/' are matched too (fdb entries' names do).
 * The position of a mapping entry is that of its key.
 */
void hd_file_locate(const struct hd_file *file, struct hd_error *err);

/**
 * hd_file_emit_yaml - write JSON as block-style YAML that hd_file_parse() reads back to the very same JSON
 * @json: borrowed
 *
 * Strings that would read back as something else, here or in a YAML 1.1 reader, are quoted. Short lists of scalars are written in
 * flow style. Reals are no part of the format: they would come back as strings.
 * Return: malloc'ed text, or NULL without memory.
 */
char *hd_file_emit_yaml(const json_t *json);
