/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* filter.h - which entries of a table are meant: the command's own options, handed on to the daemon */
#pragma once

#include "cli/command.h"

/**
 * hd_filter_url - path with those of the command's own options that were given as its query
 * @path: "/v1/flows"
 *
 * Return: malloc'ed text, or NULL without memory.
 */
char *hd_filter_url(const struct hd_cli *cli, const char *path);

/** hd_filter_flush - POST them as the body, and tell how many entries were flushed; 0 or -errno */
int hd_filter_flush(struct hd_cli *cli, const char *path, struct hd_error *err);
