/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* url.h - paths of the API */
#pragma once

#include <stdio.h>

#include "cli/command.h"

/**
 * hd_url - path and query of a request
 * @cli:  its --dry-run, --may-exist and --if-exists become the query; NULL for none
 * @what: "ports", "fdb/flush"
 * @name: of the object, NULL for none; encoded, but for the '/' that the names of fdb entries hold
 *
 * Return: malloc'ed text, or NULL without memory.
 */
char *hd_url(const struct hd_cli *cli, const char *what, const char *name);

/** hd_url_put - the text as it stands in a path or behind a '=' of a query */
void hd_url_put(FILE *file, const char *text);

/** hd_get - GET the path of hd_url(); @ret is a new reference. Returns 0 or -errno. */
int hd_get(const struct hd_cli *cli, const char *what, const char *name, json_t **ret,
	   struct hd_error *err);
