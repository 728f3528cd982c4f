// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* change.c - requests that change something, and the diff that shows what they change */
#include "cli/change.h"

#include <stdio.h>
#include <string.h>

#include "cli/url.h"
#include "loader/cleanup.h"

/*
 * A change holds new values only. The old ones are asked for first; should another change come
 * between, only the text is off.
 */
int hd_change(struct hd_cli *cli, const struct hd_request *request, bool show, struct hd_error *err)
{
	_json_ json_t *before = NULL;
	_json_ json_t *change = NULL;
	int r = 0;

	if (show && !cli->out.json)
		r = hd_get(cli, "export", NULL, &before, err);
	if (!r)
		r = hd_client_call(&cli->client, request, &change, err);
	if (r)
		return r;
	if (cli->out.json)
		hd_out_json(&cli->out, change);
	else if (show)
		hd_change_print(&cli->out, change, before);
	return 0;
}

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* The value before, as text: what was exported, else the default. */
static char *old_text(const struct hd_noun *noun, const json_t *old, const char *option)
{
	const struct hd_option *opt = noun ? hd_option_find(noun, option) : NULL;
	const json_t *value = json_object_get(old, option);

	if (value)
		return hd_text_value(value);
	if (opt && opt->dflt)
		return strdup(opt->dflt);
	return strdup(opt && opt->type == HD_TYPE_FLAG ? "off" : "none");
}

/* null is the way back to the default, which old_text() finds when there is no old value. */
static char *new_text(const struct hd_noun *noun, const json_t *value, const char *option)
{
	return json_is_null(value) ? old_text(noun, NULL, option) : hd_text_value(value);
}

static void print_added(FILE *file, const json_t *options)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)options, key, value) {
		_free_ char *text = hd_text_value(value);

		if (text && text[0])
			(void)fprintf(file, " %s=%s", key, text);
	}
}

static void print_set(FILE *file, const struct hd_noun *noun, const json_t *options,
		      const json_t *old)
{
	const char *key, *comma = "";
	json_t *value;

	json_object_foreach((json_t *)options, key, value) {
		_free_ char *from = old_text(noun, old, key);
		_free_ char *to = new_text(noun, value, key);

		(void)fprintf(file, "%s %s: %s -> %s", comma, key, from ? from : "?",
			      to ? to : "?");
		comma = ",";
	}
}

static void print_change(struct hd_out *out, const json_t *change, const json_t *before)
{
	const struct hd_noun *noun = hd_noun_find(text_at(change, "noun"));
	const char *name = text_at(change, "name"), *op = text_at(change, "op");
	const json_t *options = json_object_get(change, "options");
	const json_t *kind = noun ? json_object_get(before, noun->plural) : NULL;
	_free_ char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	if (!file)
		return;
	if (!strcmp(op, "add"))
		print_added(file, options);
	else if (!strcmp(op, "set"))
		print_set(file, noun, options, json_object_get(kind, name));
	(void)fclose(file); /* writes to memory */
	hd_out_line(out, "%c %s %s%s",
		    !strcmp(op, "add")	 ? '+'
		    : !strcmp(op, "del") ? '-'
					 : '~',
		    text_at(change, "noun"), name, text ? text : "");
}

void hd_change_print(struct hd_out *out, const json_t *change, const json_t *before)
{
	const json_t *changes = json_object_get(change, "changes");
	const json_t *one;
	size_t i;

	if (!json_array_size(changes))
		hd_out_line(out, "no changes");
	json_array_foreach(changes, i, one)
		print_change(out, one, before);
}
