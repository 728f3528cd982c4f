// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* item.c - numbered things inside an object: rules of a security group, for example */
#include "cli/item.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/change.h"
#include "cli/object.h"
#include "cli/route.h"
#include "cli/rule.h"
#include "cli/url.h"
#include "loader/cleanup.h"

/* Path of the object's items, or of the one with this id. */
static int items_url(const struct hd_cli *cli, const json_t *id, char **ret, struct hd_error *err)
{
	const char *plural = cli->command->noun->plural;
	_free_ char *name = NULL;
	_free_ char *path = NULL;
	int r = hd_object_name(cli, &name, err);

	if (r)
		return r;
	if (id)
		r = asprintf(&path, "%s/%s/%" JSON_INTEGER_FORMAT, name, plural,
			     json_integer_value(id));
	else
		r = asprintf(&path, "%s/%s", name, plural);
	if (r < 0) {
		path = NULL;
		return hd_no_memory(err);
	}
	*ret = hd_url(cli, cli->group->noun->plural, path);
	return *ret ? 0 : hd_no_memory(err);
}

int hd_item_add(struct hd_cli *cli, struct hd_error *err)
{
	bool dry_run = hd_cli_flag(cli, "dry-run");
	_free_ char *body = json_dumps(cli->spec, JSON_COMPACT);
	_json_ json_t *change = NULL;
	_free_ char *path = NULL;
	struct hd_request request = { .method = "POST", .body = body };
	int r = body ? items_url(cli, NULL, &path, err) : hd_no_memory(err);

	if (r)
		return r;
	request.path = path;
	request.len = strlen(body);
	r = hd_change_get(cli, &request, dry_run, &change, err);
	if (!r && !dry_run && !cli->out.json)
		hd_out_line(&cli->out, "%s %" JSON_INTEGER_FORMAT, cli->command->noun->name,
			    json_integer_value(json_object_get(change, "id")));
	return r;
}

static int item_id(const struct hd_cli *cli, json_t **ret, struct hd_error *err)
{
	const struct hd_option *id = hd_option_find(cli->command->noun, "id");
	const char *noun = cli->group->noun->name;
	int r;

	if (!hd_option_from_text(id, cli->args[1], ret, NULL))
		return 0;
	r = hd_error_set(err, HD_ERR_INVALID, "%s %s: '%s' is not the id of a %s", noun,
			 cli->args[0], cli->args[1], cli->command->noun->name);
	hd_error_hint(err, "'heddle %s show %s' lists them", noun, cli->args[0]);
	return r;
}

int hd_item_del(struct hd_cli *cli, struct hd_error *err)
{
	struct hd_request request = { .method = "DELETE" };
	_free_ char *path = NULL;
	_json_ json_t *id = NULL;
	int r = item_id(cli, &id, err);

	if (!r)
		r = items_url(cli, id, &path, err);
	if (r)
		return r;
	request.path = path;
	return hd_change(cli, &request, hd_cli_flag(cli, "dry-run"), err);
}

/* ---- what changed ---- */

/* A group for which no rules are given lets everything out. */
static json_t *or_default(const struct hd_noun *item, const json_t *items)
{
	if (json_is_array(items))
		return json_incref((json_t *)items);
	return item == &hd_rule_noun ? json_pack("[{s:s}]", "direction", "egress") : json_array();
}

static char *text_of(const struct hd_noun *item, const json_t *value)
{
	if (item == &hd_fw_rule_noun)
		return hd_fw_rule_text(value);
	return item == &hd_rule_noun ? hd_rule_text(value) : hd_route_text(value);
}

static json_int_t count_of(const json_t *counts, const char *text)
{
	return json_integer_value(json_object_get(counts, text));
}

static int count_add(json_t *counts, const char *text, json_int_t more)
{
	return json_object_set_new(counts, text, json_integer(count_of(counts, text) + more));
}

/* How often each text is in the list. */
static int count_items(const struct hd_noun *item, json_t *counts, const json_t *items)
{
	const json_t *value;
	size_t i;

	json_array_foreach(items, i, value) {
		_free_ char *text = text_of(item, value);

		if (!text || count_add(counts, text, 1))
			return -ENOMEM;
	}
	return 0;
}

/* Tells of those that are not in @counts; what is found there is taken out. */
static int tell_missing(const struct hd_noun *item, const json_t *items, json_t *counts, char sign,
			hd_items_diff_t tell, void *arg)
{
	const json_t *value;
	size_t i;

	json_array_foreach(items, i, value) {
		_free_ char *text = text_of(item, value);

		if (!text)
			return -ENOMEM;
		if (count_of(counts, text) <= 0)
			tell(arg, sign, text);
		else if (count_add(counts, text, -1))
			return -ENOMEM;
	}
	return 0;
}

int hd_items_diff(const struct hd_noun *item, const json_t *before, const json_t *after,
		  hd_items_diff_t tell, void *arg)
{
	_json_ json_t *was = or_default(item, before);
	_json_ json_t *is = or_default(item, after);
	_json_ json_t *old = json_object();
	_json_ json_t *new = json_object();

	if (!was || !is || count_items(item, old, was) || count_items(item, new, is))
		return -ENOMEM;
	if (tell_missing(item, is, old, '+', tell, arg))
		return -ENOMEM;
	return tell_missing(item, was, new, '-', tell, arg);
}
