/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * log.h - one line for each thing an operator should know
 *
 * On a terminal or a file: "2026-01-02T03:04:05Z info port web1: up (device veth3)". Under systemd (JOURNAL_STREAM names our
 * stderr): "<6>port web1: up (device veth3)", so that the journal gets the priority. A function logs or returns an error, not both.
 */
#pragma once

#include <stdbool.h>

enum hd_log_level { HD_LOG_ERR = 3, HD_LOG_WARN = 4, HD_LOG_INFO = 6, HD_LOG_DEBUG = 7 };

/** hd_log_init - choose the most detailed level that is shown (default info) and find out where stderr goes */
void hd_log_init(enum hd_log_level max);

/** hd_log_parse_level - "err", "warn", "info" or "debug"; false leaves @ret untouched */
bool hd_log_parse_level(const char *word, enum hd_log_level *ret);

/** hd_log_wants - whether a line of this level would be shown */
bool hd_log_wants(enum hd_log_level level);

/** hd_log - write a line; control characters in it come out as '?'; @r (a negative errno, or 0) is appended as text. Returns @r. */
int hd_log(enum hd_log_level level, int r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_err(r, ...) hd_log(HD_LOG_ERR, (r), __VA_ARGS__)
#define log_warn(r, ...) hd_log(HD_LOG_WARN, (r), __VA_ARGS__)
#define log_info(...) (void)hd_log(HD_LOG_INFO, 0, __VA_ARGS__)
#define log_debug(...) (void)hd_log(HD_LOG_DEBUG, 0, __VA_ARGS__)
