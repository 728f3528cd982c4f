// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* out.c - the one writer: where text and JSON leave the program; tables are in table.c */
#include "cli/out.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "loader/cleanup.h"

enum { WIDTH_FALLBACK = 100 };

static unsigned int terminal_width(FILE *file)
{
	struct winsize size = {};

	if (!isatty(fileno(file)))
		return 0;
	if (ioctl(fileno(file), TIOCGWINSZ, &size) || !size.ws_col)
		return WIDTH_FALLBACK;
	return size.ws_col;
}

void hd_out_init(struct hd_out *out, FILE *file, bool json)
{
	*out = (struct hd_out){ .file = file, .json = json, .width = terminal_width(file) };
}

/*
 * ASCII only: a terminal may take bytes of UTF-8 for commands, and every JSON reader understands \u
 * escapes.
 */
void hd_out_json(struct hd_out *out, const json_t *value)
{
	(void)json_dumpf(value, out->file, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
	(void)fputc('\n', out->file); /* hd_out_end() reports what went wrong with either */
}

static void print_clean(FILE *file, const char *fmt, va_list ap)
{
	_free_ char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0) {
		text = NULL;
		return;
	}
	hd_text_clean(text);
	(void)fprintf(file, "%s\n", text);
}

void hd_out_line(struct hd_out *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_clean(out->file, fmt, ap);
	va_end(ap);
}

/* A message may quote what the user typed, and that may be anything. */
static json_t *json_text(const char *text)
{
	_free_ char *ascii = NULL;
	json_t *json = json_string(text);

	if (json)
		return json;
	ascii = strdup(text);
	for (char *c = ascii; c && *c; c++)
		if (*c & 0x80)
			*c = '?';
	return json_string(ascii ? ascii : "");
}

static json_t *error_json(const char *file, const struct hd_error *err)
{
	json_t *json = json_pack("{s:s, s:o, s:o, s:o}", "code", hd_error_word(err->code),
				 "message", json_text(err->message), "object",
				 json_text(err->object), "hint", json_text(err->hint));

	if (err->line && file) {
		(void)json_object_set_new(json, "file", json_text(file)); /* worse off, but still */
		(void)json_object_set_new(json, "line", json_integer(err->line)); /* an error */
		(void)json_object_set_new(json, "column", json_integer(err->column));
	}
	return json;
}

static void error_line(FILE *stream, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_clean(stream, fmt, ap);
	va_end(ap);
}

static void error_text(FILE *stream, const char *file, const struct hd_error *err)
{
	if (err->line && file)
		error_line(stream, "%s:%u:%u: %s", file, err->line, err->column, err->message);
	else
		error_line(stream, "heddle: %s", err->message);
	if (err->hint[0])
		error_line(stream, "hint: %s", err->hint);
}

void hd_out_error(FILE *stream, bool json, const char *file, const struct hd_error *err)
{
	_json_ json_t *wrapped = NULL;

	if (!json) {
		error_text(stream, file, err);
		return;
	}
	wrapped = json_pack("{s:o}", "error", error_json(file, err));
	(void)json_dumpf(wrapped, stream, JSON_ENSURE_ASCII); /* there is nobody left to tell */
	(void)fputc('\n', stream);
}

/* Which write failed is not known, nor why, if it was not the last one. */
static bool reader_is_gone(FILE *file)
{
	struct pollfd fd = { .fd = fileno(file), .events = POLLOUT };

	return poll(&fd, 1, 0) == 1 && (fd.revents & POLLERR);
}

int hd_out_end(struct hd_out *out, struct hd_error *err)
{
	bool failed;

	errno = 0;
	failed = fflush(out->file);
	if (!failed && !ferror(out->file))
		return 0;
	hd_error_set(err, HD_ERR_FAILED, "can't write the output%s%s", errno ? ": " : "",
		     errno ? strerror(errno) : "");
	if (reader_is_gone(out->file))
		err->message[0] = '\0';
	return -EIO;
}
