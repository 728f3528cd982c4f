// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* object.c - the verbs that all nouns share, driven by the schema */
#include "cli/object.h"

#include <stdio.h>
#include <string.h>

#include "cli/change.h"
#include "cli/url.h"
#include "loader/cleanup.h"

const struct hd_option hd_object_add_options[1] = { HD_OPTION_MAY_EXIST };
const struct hd_option hd_object_set_options[1] = { HD_OPTION_UNSET };
const struct hd_option hd_object_del_options[1] = { HD_OPTION_IF_EXISTS };

const struct hd_command hd_object_commands[HD_N_OBJECT_COMMANDS] = {
	HD_OBJECT_ADD, HD_OBJECT_SET, HD_OBJECT_DEL, HD_OBJECT_SHOW(hd_object_show), HD_OBJECT_LIST,
};

static int send_change(struct hd_cli *cli, const char *method, const char *name, const json_t *body,
		       struct hd_error *err);
static int unset_options(struct hd_cli *cli, struct hd_error *err);
static json_t *matching(const struct hd_cli *cli, const json_t *all);

int hd_object_add(struct hd_cli *cli, struct hd_error *err)
{
	_json_ json_t *body = json_copy(cli->spec);
	_free_ char *name = NULL;
	int r = hd_object_name(cli, &name, err);

	if (r)
		return r;
	if (json_object_set_new(body, "name", json_string(name)))
		return hd_no_memory(err);
	return send_change(cli, "POST", NULL, body, err);
}

int hd_object_set(struct hd_cli *cli, struct hd_error *err)
{
	_free_ char *name = NULL;
	int r = hd_object_name(cli, &name, err);

	if (!r)
		r = unset_options(cli, err);
	if (r)
		return r;
	if (!json_object_size(cli->spec))
		return hd_error_set(err, HD_ERR_USAGE, "%s %s: no option to change is given",
				    cli->group->word, name);
	return send_change(cli, "PATCH", name, cli->spec, err);
}

int hd_object_del(struct hd_cli *cli, struct hd_error *err)
{
	_free_ char *name = NULL;
	int r = hd_object_name(cli, &name, err);

	return r ? r : send_change(cli, "DELETE", name, NULL, err);
}

int hd_object_get(const struct hd_cli *cli, json_t **ret, struct hd_error *err)
{
	_free_ char *name = NULL;
	int r = hd_object_name(cli, &name, err);

	return r ? r : hd_get(cli, cli->group->noun->plural, name, ret, err);
}

int hd_object_show(struct hd_cli *cli, struct hd_error *err)
{
	_json_ json_t *object = NULL;
	int r = hd_object_get(cli, &object, err);

	if (r)
		return r;
	if (hd_out_record(&cli->out, object))
		return hd_no_memory(err);
	return 0;
}

int hd_object_list(struct hd_cli *cli, struct hd_error *err)
{
	_json_ json_t *all = NULL;
	_json_ json_t *some = NULL;
	int r = hd_get(cli, cli->group->noun->plural, NULL, &all, err);

	if (r)
		return r;
	some = matching(cli, all);
	if (!some || hd_out_table(&cli->out, cli->group->columns, cli->group->n_columns, some))
		return hd_no_memory(err);
	return 0;
}

/* ---- names ---- */

static int plain_name(const struct hd_cli *cli, char **ret, struct hd_error *err)
{
	int r = hd_name_check(cli->group->noun, cli->args[0], err);

	if (r)
		return r;
	*ret = strdup(cli->args[0]);
	return *ret ? 0 : hd_no_memory(err);
}

/* The daemon knows an entry by the canonical form of its MAC or address. */
static int entry_name(const struct hd_cli *cli, char **ret, struct hd_error *err)
{
	struct hd_option key = { .name = cli->group->noun->key_meta,
				 .type = cli->group->key_type,
				 .meta = cli->group->noun->key_meta };
	_json_ json_t *value = NULL;
	char *name;

	if (hd_option_from_text(&key, cli->args[0], &value, NULL))
		return hd_error_set(err, HD_ERR_INVALID, "%s '%s': not a valid %s",
				    cli->group->word, cli->args[0], cli->group->noun->key_meta);
	if (asprintf(&name, "%s/%s", hd_cli_text(cli, "network"), json_string_value(value)) < 0)
		return hd_no_memory(err);
	*ret = name;
	return 0;
}

int hd_object_name(const struct hd_cli *cli, char **ret, struct hd_error *err)
{
	if (cli->group->key_type == HD_TYPE_NAME)
		return plain_name(cli, ret, err);
	return entry_name(cli, ret, err);
}

/* ---- changes ---- */

/* Silent when it worked: only a dry run has something to tell. */
static int send_change(struct hd_cli *cli, const char *method, const char *name, const json_t *body,
		       struct hd_error *err)
{
	_free_ char *path = hd_url(cli, cli->group->noun->plural, name);
	_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct hd_request request = { .method = method, .path = path, .body = text };

	if (!path || (body && !text))
		return hd_no_memory(err);
	request.len = text ? strlen(text) : 0;
	return hd_change(cli, &request, hd_cli_flag(cli, "dry-run"), err);
}

static int unset_option(struct hd_cli *cli, const char *name, struct hd_error *err)
{
	const struct hd_option *opt = hd_option_find(cli->group->noun, name);

	if (!opt || (opt->flags & (HD_OPT_LATER | HD_OPT_REQUIRED | HD_OPT_FIXED)))
		return hd_error_set(err, HD_ERR_USAGE, "%s: no option '%s' to put back",
				    hd_cli_title(cli), name);
	if (json_object_get(cli->spec, name))
		return hd_error_set(err, HD_ERR_USAGE, "%s: --%s is given and put back at once",
				    hd_cli_title(cli), name);
	if (json_object_set_new(cli->spec, name, json_null()))
		return hd_no_memory(err);
	return 0;
}

static int unset_options(struct hd_cli *cli, struct hd_error *err)
{
	const json_t *names = json_object_get(cli->options, "unset");
	json_t *name;
	size_t i;

	json_array_foreach(names, i, name) {
		int r = unset_option(cli, json_string_value(name), err);

		if (r)
			return r;
	}
	return 0;
}

/* ---- lists ---- */

static bool matches(const struct hd_cli *cli, const json_t *object)
{
	for (size_t i = 0; i < cli->command->n_options; i++) {
		const char *key = cli->command->options[i].name;
		const json_t *wanted = json_object_get(cli->options, key);

		if (wanted && !json_equal(wanted, json_object_get(object, key)))
			return false;
	}
	return true;
}

static json_t *matching(const struct hd_cli *cli, const json_t *all)
{
	json_t *some = json_array();
	json_t *object;
	size_t i;

	json_array_foreach(all, i, object)
		if (some && matches(cli, object))
			(void)json_array_append(some, object); /* fails on NULL only */
	return some;
}

char *hd_vlan_text(const json_t *row)
{
	json_int_t vlan = json_integer_value(json_object_get(row, "vlan"));

	return vlan ? hd_text_number(vlan, HD_FORMAT_NUMBER) : strdup("");
}
