// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* log.c - write log lines to stderr, each by one write(2) so that lines of several processes do not
 * mix */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct {
	const char *word;
	enum hd_log_level level;
} levels[] = {
	{ "err", HD_LOG_ERR },
	{ "warn", HD_LOG_WARN },
	{ "info", HD_LOG_INFO },
	{ "debug", HD_LOG_DEBUG },
};

enum { LINE_MAX_BYTES = 2048 };

static enum hd_log_level max_level = HD_LOG_INFO;
static bool to_journal;

static bool stderr_is_journal(void);
static size_t put_prefix(char *line, size_t size, enum hd_log_level level);
static void clean(char *text);

void hd_log_init(enum hd_log_level max)
{
	max_level = max;
	to_journal = stderr_is_journal();
}

bool hd_log_parse_level(const char *word, enum hd_log_level *ret)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(word, levels[i].word))
			continue;
		*ret = levels[i].level;
		return true;
	}
	return false;
}

bool hd_log_wants(enum hd_log_level level)
{
	return level <= max_level;
}

int hd_log(enum hd_log_level level, int r, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES], text[LINE_MAX_BYTES - 128];
	ssize_t written;
	size_t len;
	va_list args;

	if (!hd_log_wants(level))
		return r;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args); /* a line that is too long is cut */
	va_end(args);
	clean(text);

	len = put_prefix(line, sizeof(line), level);
	len += (size_t)snprintf(line + len, sizeof(line) - len, "%s%s%s\n", text, r ? ": " : "",
				r ? strerror(-r) : "");
	written = write(STDERR_FILENO, line, len);
	(void)written; /* nobody is left to be told that stderr is gone */
	return r;
}

/* systemd.exec(5): JOURNAL_STREAM holds device and inode of the journal's socket, to be compared
 * with our stderr. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static const char *level_word(enum hd_log_level level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (levels[i].level == level)
			return levels[i].word;
	return "?";
}

static size_t put_prefix(char *line, size_t size, enum hd_log_level level)
{
	time_t now = time(NULL);
	struct tm tm;
	size_t len;

	if (to_journal)
		return (size_t)snprintf(line, size, "<%d>", level);
	len = strftime(line, size, "%Y-%m-%dT%H:%M:%SZ ", gmtime_r(&now, &tm));
	return len + (size_t)snprintf(line + len, size - len, "%s ", level_word(level));
}

static void clean(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++)
		if (*c < 0x20 || *c == 0x7f)
			*c = '?';
}
