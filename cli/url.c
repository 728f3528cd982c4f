// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* url.c - paths of the API */
#include "cli/url.h"

#include <stdio.h>
#include <string.h>

#include "loader/cleanup.h"

/*
 * RFC 3986: unreserved letters, and of those a path segment or query may hold as they are the ':' of
 * MACs and IPv6 addresses.
 */
static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/";

void hd_url_put(FILE *file, const char *text)
{
	for (; *text; text++)
		(void)fprintf(file, strchr(plain, *text) ? "%c" : "%%%02X", (unsigned char)*text);
}

char *hd_url(const struct hd_cli *cli, const char *what, const char *name)
{
	static const char *const queries[] = { "dry-run", "may-exist", "if-exists" };
	char *text = NULL, mark = '?';
	size_t len;
	FILE *file = open_memstream(&text, &len);

	if (!file)
		return NULL;
	(void)fprintf(file, "/v1/%s", what); /* writes to memory: fclose() tells */
	if (name)
		(void)fputc('/', file), hd_url_put(file, name);
	for (size_t i = 0; i < HD_COUNT(queries); i++) {
		if (!cli || !hd_cli_flag(cli, queries[i]))
			continue;
		(void)fprintf(file, "%c%s=1", mark, queries[i]);
		mark = '&';
	}
	if (!fclose(file))
		return text;
	free(text);
	return NULL;
}

int hd_get(const struct hd_cli *cli, const char *what, const char *name, json_t **ret,
	   struct hd_error *err)
{
	_free_ char *path = hd_url(NULL, what, name);
	struct hd_request request = { .method = "GET", .path = path };

	if (!path)
		return hd_no_memory(err);
	return hd_client_call(&cli->client, &request, ret, err);
}
