// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* filter.c - which entries of a table are meant */
#include "cli/filter.h"

#include <stdio.h>
#include <string.h>

#include "cli/url.h"
#include "loader/cleanup.h"

static json_t *given(const struct hd_cli *cli, size_t i, const char **ret_name)
{
	*ret_name = cli->command->options[i].name;
	return json_object_get(cli->options, *ret_name);
}

char *hd_filter_url(const struct hd_cli *cli, const char *path)
{
	char *url = NULL, mark = '?';
	size_t len;
	FILE *file = open_memstream(&url, &len);

	if (!file)
		return NULL;
	(void)fputs(path, file); /* writes to memory: fclose() tells */
	for (size_t i = 0; i < cli->command->n_options; i++) {
		const char *name;
		_free_ char *value = hd_text_value(given(cli, i, &name));

		if (!value || !value[0])
			continue;
		(void)fprintf(file, "%c%s=", mark, name);
		hd_url_put(file, value);
		mark = '&';
	}
	if (!fclose(file))
		return url;
	free(url);
	return NULL;
}

static char *body_text(const struct hd_cli *cli)
{
	_json_ json_t *body = json_object();

	for (size_t i = 0; body && i < cli->command->n_options; i++) {
		const char *name;
		json_t *value = given(cli, i, &name);

		if (value && json_object_set(body, name, value))
			return NULL;
	}
	return body ? json_dumps(body, JSON_COMPACT) : NULL;
}

int hd_filter_flush(struct hd_cli *cli, const char *path, struct hd_error *err)
{
	_free_ char *body = body_text(cli);
	_json_ json_t *answer = NULL;
	struct hd_request request = { .method = "POST", .path = path, .body = body };
	int r;

	if (!body)
		return hd_no_memory(err);
	request.len = strlen(body);
	r = hd_client_call(&cli->client, &request, &answer, err);
	if (r)
		return r;
	if (cli->out.json)
		hd_out_json(&cli->out, answer);
	else
		hd_out_line(&cli->out, "flushed %" JSON_INTEGER_FORMAT,
			    json_integer_value(json_object_get(answer, "flushed")));
	return 0;
}
