// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * error.c - fill errors; every text in one is a single line of valid UTF-8, whatever its arguments
 * held
 *
 * Messages quote what users and files said. They end on terminals and in JSON, so control
 * characters and broken UTF-8 (also what truncation leaves of a character) come out as '?'.
 */
#include "heddlectl/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *word;
	int http;
} codes[] = {
#define X(sym, exit, word, http) [exit] = { word, http },
	HD_ERRORS(X)
#undef X
};

static int code_errno(enum hd_error_code code);
static void format(char *buf, size_t size, const char *fmt, va_list args);
static void clean(char *text);

int hd_error_set(struct hd_error *err, enum hd_error_code code, const char *fmt, ...)
{
	struct hd_error new = { .code = code };
	va_list args;

	if (!err)
		return code_errno(code);
	/* The arguments may be strings of *err itself: it is overwritten only when they have been
	 * used. */
	va_start(args, fmt);
	format(new.message, sizeof(new.message), fmt, args);
	va_end(args);
	*err = new;
	return code_errno(code);
}

void hd_error_hint(struct hd_error *err, const char *fmt, ...)
{
	char hint[sizeof(err->hint)];
	va_list args;

	if (!err)
		return;
	va_start(args, fmt);
	format(hint, sizeof(hint), fmt, args);
	va_end(args);
	memcpy(err->hint, hint, sizeof(hint));
}

void hd_error_object(struct hd_error *err, const char *noun, const char *name)
{
	if (!err)
		return;
	(void)snprintf(err->object, sizeof(err->object), "%s %s", noun, name);
	clean(err->object);
}

void hd_error_where(struct hd_error *err, const char *fmt, ...)
{
	char where[sizeof(err->where)];
	va_list args;

	if (!err)
		return;
	va_start(args, fmt);
	format(where, sizeof(where), fmt, args);
	va_end(args);
	memcpy(err->where, where, sizeof(where));
}

const char *hd_error_word(enum hd_error_code code)
{
	return code < sizeof(codes) / sizeof(codes[0]) ? codes[code].word
						       : codes[HD_ERR_FAILED].word;
}

int hd_error_http(enum hd_error_code code)
{
	return code < sizeof(codes) / sizeof(codes[0]) ? codes[code].http
						       : codes[HD_ERR_FAILED].http;
}

enum hd_error_code hd_error_from_word(const char *word)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (!strcmp(word, codes[i].word))
			return (enum hd_error_code)i;
	return HD_ERR_FAILED;
}

static int code_errno(enum hd_error_code code)
{
	switch (code) {
	case HD_ERR_USAGE:
	case HD_ERR_INVALID:
		return -EINVAL;
	case HD_ERR_NOT_FOUND:
		return -ENOENT;
	case HD_ERR_CONFLICT:
		return -EEXIST;
	case HD_ERR_UNREACHABLE:
		return -ECONNREFUSED;
	case HD_ERR_TIMEOUT:
		return -ETIMEDOUT;
	case HD_ERR_PERMISSION:
		return -EPERM;
	case HD_ERR_DEGRADED:
		return -EAGAIN;
	case HD_ERR_NONE:
	case HD_ERR_FAILED:
		break;
	}
	return -EIO;
}

/* Bytes of the well-formed, printable UTF-8 character at @s (RFC 3629 section 4), 0 if there is
 * none. */
static size_t printable_len(const unsigned char *s)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (len == 1)
		return s[0] >= 0x20 && s[0] != 0x7f;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xc2 && s[1] < 0xa0) || /* C1 controls: some terminals obey them */
	    (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return len;
}

/* Truncation is fine: the fields are sized for people. */
static void format(char *buf, size_t size, const char *fmt, va_list args)
{
	memset(buf, 0, size);
	(void)vsnprintf(buf, size, fmt, args);
	clean(buf);
}

static void clean(char *text)
{
	for (size_t i = 0, len; text[i]; i += len ? len : 1) {
		len = printable_len((const unsigned char *)text + i);
		if (!len)
			text[i] = '?';
	}
}
