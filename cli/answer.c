// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* answer.c - where the daemon is, and why there is no answer, or not the one that was wanted; without a library for HTTP */
#include "cli/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heddlectl/departed.h"

int hd_client_init(struct hd_client *client, const char *instance, unsigned int timeout_s,
		   struct hd_error *err)
{
	const char *run = getenv("HEDDLE_RUN_DIR");
	int n;

	client->instance = instance;
	client->timeout_s = timeout_s;
	n = snprintf(client->socket, sizeof(client->socket), "%s/%s/api.sock",
		     run && *run ? run : HD_RUN_DIR, instance);
	if (n < 0 || (size_t)n >= sizeof(client->socket))
		return hd_error_set(err, HD_ERR_USAGE,
				    "the path of the socket is over %zu bytes long",
				    sizeof(client->socket) - 1);
	return 0;
}

int hd_answer_refused(const struct hd_client *client, int why, struct hd_error *err)
{
	int r;

	if (why == EACCES || why == EPERM) {
		r = hd_error_set(err, HD_ERR_PERMISSION, "not permitted to use %s", client->socket);
		hd_error_hint(err, "become root or a member of the group 'heddle'");
		return r;
	}
	r = hd_error_set(err, HD_ERR_UNREACHABLE, "no heddled answers on %s", client->socket);
	if (strcmp(client->instance, "default"))
		hd_error_hint(err, "start it: heddled --instance %s", client->instance);
	else
		hd_error_hint(err, "start it: systemctl start heddled, or heddled");
	return r;
}

int hd_answer_timeout(const struct hd_client *client, struct hd_error *err)
{
	int r = hd_error_set(err, HD_ERR_TIMEOUT,
			     "no answer within %u s; the state may still change",
			     client->timeout_s);

	hd_error_hint(err, "look at 'heddle status', or wait longer with --timeout");
	return r;
}

int hd_answer_broken(struct hd_error *err)
{
	return hd_error_set(err, HD_ERR_UNREACHABLE,
			    "heddled went away before it had answered; the state may have changed");
}

static void copy_text(char *to, size_t size, const json_t *error, const char *key)
{
	const char *text = json_string_value(json_object_get(error, key));

	(void)snprintf(to, size, "%s", text ? text : ""); /* a longer text is cut */
}

static int error_from_json(const json_t *error, struct hd_error *err)
{
	const char *word = json_string_value(json_object_get(error, "code"));
	int r = hd_error_set(err, hd_error_from_word(word ? word : ""), "%s", "");

	copy_text(err->message, sizeof(err->message), error, "message");
	copy_text(err->object, sizeof(err->object), error, "object");
	copy_text(err->hint, sizeof(err->hint), error, "hint");
	err->line = (unsigned int)json_integer_value(json_object_get(error, "line"));
	err->column = (unsigned int)json_integer_value(json_object_get(error, "column"));
	return r;
}

int hd_answer_error(const json_t *answer, long status, struct hd_error *err)
{
	const json_t *error = json_object_get(answer, "error");

	if (error)
		return error_from_json(error, err);
	return hd_error_set(err, HD_ERR_FAILED, "heddled answered with HTTP status %ld", status);
}
