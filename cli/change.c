// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* change.c - requests that change something, and the diff that shows what they change */
#include "cli/change.h"

#include <stdio.h>
#include <string.h>

#include "cli/item.h"
#include "cli/url.h"
#include "loader/cleanup.h"

/*
 * A change holds new values only. The old ones are asked for first; should another change come
 * between, only the text is off.
 */
int hd_change_get(struct hd_cli *cli, const struct hd_request *request, bool show, json_t **ret,
		  struct hd_error *err)
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
	*ret = TAKE_PTR(change);
	return 0;
}

int hd_change(struct hd_cli *cli, const struct hd_request *request, bool show, struct hd_error *err)
{
	_json_ json_t *change = NULL;

	return hd_change_get(cli, request, show, &change, err);
}

/* The options of an item, such as the gateway of a router: "network ext ip 203.0.113.9". */
static char *item_text(const struct hd_noun *item, const json_t *value)
{
	const char *blank = "";
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	for (size_t i = 0; file && i < item->n_options; i++) {
		const char *key = item->options[i].name;
		const json_t *one = json_object_get(value, key);
		_free_ char *said = one ? hd_text_value(one) : NULL;

		if (!said)
			continue;
		(void)fprintf(file, "%s%s %s", blank, key, said);
		blank = " ";
	}
	if (file)
		(void)fclose(file); /* writes to memory */
	return text;
}

static char *value_text(const struct hd_option *opt, const json_t *value)
{
	return opt && opt->item && json_is_object(value) ? item_text(opt->item, value)
							 : hd_text_value(value);
}

/* The value before, as text: what was exported, else the default. */
static char *old_text(const struct hd_noun *noun, const json_t *old, const char *option)
{
	const struct hd_option *opt = noun ? hd_option_find(noun, option) : NULL;
	const json_t *value = json_object_get(old, option);

	if (value)
		return value_text(opt, value);
	if (opt && opt->dflt)
		return strdup(opt->dflt);
	return strdup(opt && opt->type == HD_TYPE_FLAG ? "off" : "none");
}

/* null is the way back to the default, which old_text() finds when there is no old value. */
static char *new_text(const struct hd_noun *noun, const json_t *value, const char *option)
{
	const struct hd_option *opt = noun ? hd_option_find(noun, option) : NULL;

	return json_is_null(value) ? old_text(noun, NULL, option) : value_text(opt, value);
}

static void print_added(FILE *file, const struct hd_noun *noun, const json_t *options)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)options, key, value) {
		const struct hd_option *opt = noun ? hd_option_find(noun, key) : NULL;
		bool item = opt && opt->item && json_is_object(value);
		_free_ char *text = value_text(opt, value);

		if (text && text[0])
			(void)fprintf(file, item ? " %s=(%s)" : " %s=%s", key, text);
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

/* ---- items: a line for each that is new or gone ---- */

struct item_lines {
	struct hd_out *out;
	const char *head; /* "~ security-group web" */
	const char *key;
	size_t n;
};

static void print_item(void *arg, char sign, const char *text)
{
	struct item_lines *lines = arg;

	hd_out_line(lines->out, "%s %s: %c %s", lines->head, lines->key, sign, text);
	lines->n++;
}

/* What the elements of an option are; NULL if it is no list of items. */
static const struct hd_noun *item_of(const struct hd_noun *noun, const char *key)
{
	const struct hd_option *opt = noun ? hd_option_find(noun, key) : NULL;

	return opt && opt->flags & HD_OPT_LIST ? opt->item : NULL;
}

static void print_items(struct hd_out *out, const char *head, const struct hd_option *opt,
			const json_t *before, const json_t *after)
{
	struct item_lines lines = { .out = out, .head = head, .key = opt->name };

	if (hd_items_diff(opt->item, before, after, print_item, &lines))
		hd_out_line(out, "%s %s: ?", head, opt->name); /* no memory */
	else if (!lines.n && before && after)
		hd_out_line(out, "%s %s: the same in another order or with other ids", head,
			    opt->name);
}

/* A new object starts from nothing, not from the default. */
static void print_all_items(struct hd_out *out, const char *head, const struct hd_noun *noun,
			    const json_t *options, const json_t *old)
{
	_json_ json_t *none = json_array();
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)options, key, value) {
		const struct hd_option *opt = noun ? hd_option_find(noun, key) : NULL;

		if (!item_of(noun, key))
			continue;
		if (json_is_object(value))
			print_items(out, head, opt, json_object_get(value, "removed"),
				    json_object_get(value, "added"));
		else
			print_items(out, head, opt,
				    head[0] == '+' ? none : json_object_get(old, key), value);
	}
}

/* The options but for the items; a new reference. */
static json_t *plain_options(const struct hd_noun *noun, const json_t *options)
{
	json_t *plain = json_object();
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)options, key, value)
		if (!item_of(noun, key))
			(void)json_object_set(plain, key, value); /* worse off without memory */
	return plain;
}

/* ---- one object ---- */

static char sign_of(const char *op)
{
	if (!strcmp(op, "add"))
		return '+';
	return strcmp(op, "del") ? '~' : '-';
}

static char *options_text(char sign, const struct hd_noun *noun, const json_t *options,
			  const json_t *old)
{
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	if (!file)
		return NULL;
	if (sign == '+')
		print_added(file, noun, options);
	else if (sign == '~')
		print_set(file, noun, options, old);
	(void)fclose(file); /* writes to memory */
	return text;
}

static void print_change(struct hd_out *out, const json_t *change, const json_t *before)
{
	const struct hd_noun *noun = hd_noun_find(hd_text_at(change, "noun"));
	const char *name = hd_text_at(change, "name");
	const json_t *kind = noun ? json_object_get(before, noun->plural) : NULL;
	const json_t *options = json_object_get(change, "options");
	_json_ json_t *plain = plain_options(noun, options);
	char sign = sign_of(hd_text_at(change, "op"));
	const json_t *old = sign == '~' ? json_object_get(kind, name) : NULL;
	_free_ char *text = options_text(sign, noun, plain, old);
	_free_ char *head = NULL;

	if (asprintf(&head, "%c %s %s", sign, hd_text_at(change, "noun"), name) < 0) {
		head = NULL;
		return;
	}
	if (sign != '~' || json_object_size(plain) || !json_object_size(options))
		hd_out_line(out, "%s%s", head, text ? text : "");
	if (sign != '-')
		print_all_items(out, head, noun, options, old);
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
