/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * scan.h - JSON text looked at in place, for answers that are too large to make a tree of
 *
 * A tree of 100,000 flows takes most of a second to build and half a gigabyte. Here the text of an
 * array comes in pieces, is cut into its elements (hd_split), and the members of an element are
 * found in its text (hd_scan): nothing is kept.
 *
 *     [ {"client": {"port": "web1", "ip": ...}, "age": 7, ...} , {...} ]
 *       '----------------- an element ----------------------'
 *          key        value
 *
 * The text is the daemon's, so what is wrong in it is not explained: it reads as empty.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- one value ---- */

/** struct hd_scan - the text of a value, borrowed; all zero for one that is missing */
struct hd_scan {
	const char *at;
	const char *end;
};

/**
 * hd_scan_next - the next element of an array, or value of an object
 * @inside: what hd_scan_inside() returned; moves on
 * @key:    of an object's value, without quotes; empty in an array
 * @value:  of it
 *
 * Return: false at the end; @key and @value are untouched then.
 */
bool hd_scan_next(struct hd_scan *inside, struct hd_scan *key, struct hd_scan *value);

/** hd_scan_inside - an array or object without its brackets; empty for any other value */
struct hd_scan hd_scan_inside(struct hd_scan value);

/** struct hd_scan_field - where the value of a key goes: a struct hd_scan at @offset */
struct hd_scan_field {
	const char *key;
	size_t offset;
};

/**
 * hd_scan_fields - find the values of some keys of an object
 * @object: its text
 * @fields: the keys
 * @n:      how many
 * @into:   the struct that the offsets are in, zeroed
 */
void hd_scan_fields(struct hd_scan object, const struct hd_scan_field *fields, size_t n,
		    void *into);

/**
 * hd_scan_text - a string's text, or any other value as it stands; longer ones are cut. Returns
 * @buf.
 */
char *hd_scan_text(struct hd_scan value, char *buf, size_t size);

/** hd_scan_number - a whole number; 0 for anything else */
json_int_t hd_scan_number(struct hd_scan value);

/** hd_scan_is - whether the value is this text, such as "true" */
bool hd_scan_is(struct hd_scan value, const char *text);

/* ---- an array that comes in pieces ---- */

/**
 * struct hd_split - cuts an array of objects into its elements
 * @element: called for each
 * @arg:     handed to it
 *
 * Set these two, and all else to zero. hd_split_done() frees.
 */
struct hd_split {
	void (*element)(void *arg, struct hd_scan element);
	void *arg;
	char *text; /* begin of an element that is not complete yet */
	size_t len;
	unsigned int depth; /* open brackets */
	bool string;
	bool escape;
	bool ended;
	int error;
};

/** hd_split_feed - the next bytes of the text */
void hd_split_feed(struct hd_split *split, const char *data, size_t len);

/** hd_split_done - free what it holds. Returns 0, -ENOMEM, or -EBADMSG if it was no whole array. */
int hd_split_done(struct hd_split *split);
