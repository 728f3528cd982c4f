/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * error.h - how an error travels: from the function that finds it, through the API, to the exit status
 *
 * Each code is at once the CLI's exit status (cli.md) and, through hd_error_http(), the API's HTTP status.
 * The text names object, action and cause; @hint carries the remedy where one is known.
 */
#pragma once

#include <stddef.h>

/*      code           exit  word             HTTP */
#define HD_ERRORS(X)                                                                               \
	X(HD_ERR_NONE, 0, "ok", 200)                                                               \
	X(HD_ERR_FAILED, 1, "failed", 500)                                                         \
	X(HD_ERR_USAGE, 2, "usage", 400)                                                           \
	X(HD_ERR_NOT_FOUND, 3, "not-found", 404)                                                   \
	X(HD_ERR_CONFLICT, 4, "conflict", 409)                                                     \
	X(HD_ERR_UNREACHABLE, 5, "unreachable", 502)                                               \
	X(HD_ERR_INVALID, 6, "invalid", 422)                                                       \
	X(HD_ERR_TIMEOUT, 7, "timeout", 504)                                                       \
	X(HD_ERR_DEGRADED, 8, "degraded", 503)                                                     \
	X(HD_ERR_PERMISSION, 9, "not-permitted", 403)

enum hd_error_code {
#define X(sym, exit, word, http) sym = exit,
	HD_ERRORS(X)
#undef X
};

/**
 * struct hd_error - one error, ready to be shown
 * @code:    what kind; the exit status
 * @message: one line: object, action, cause
 * @object:  "port web1", or empty
 * @hint:    the remedy, or empty
 * @where:   path of the offending value in a file ("ports/web1/mac"), or empty
 * @line:    1-based position in a file, 0 if there is none
 * @column:  1-based position in a file
 */
struct hd_error {
	enum hd_error_code code;
	char message[400];
	char object[112];
	char hint[240];
	char where[240];
	unsigned int line;
	unsigned int column;
};

/**
 * hd_error_set - fill an error, replacing what it held
 * @err:  may be NULL, then only the return value counts
 * @code: what kind
 * @fmt:  the message, without a trailing newline or period
 *
 * Return: a negative errno that fits @code, so that "return hd_error_set(...)" reads well.
 */
int hd_error_set(struct hd_error *err, enum hd_error_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** hd_error_hint - add the remedy to an error that is set; @err may be NULL */
void hd_error_hint(struct hd_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** hd_error_object - name the object an error is about, as "NOUN NAME"; @err may be NULL */
void hd_error_object(struct hd_error *err, const char *noun, const char *name);

/** hd_error_where - name the value an error is about by its path in a file; @err may be NULL */
void hd_error_where(struct hd_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** hd_error_word - the code as a word ("not-found"), static */
const char *hd_error_word(enum hd_error_code code);

/** hd_error_http - the HTTP status of a code */
int hd_error_http(enum hd_error_code code);

/** hd_error_from_word - the code of a word; HD_ERR_FAILED for an unknown one */
enum hd_error_code hd_error_from_word(const char *word);
