// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* port.c - heddle port: what its list and its show tell */
#include <string.h>

#include "cli/groups.h"
#include "cli/object.h"
#include "loader/cleanup.h"

static int show(struct hd_cli *cli, struct hd_error *err);
static char *groups_text(const json_t *port);

static const struct hd_command commands[] = {
	HD_OBJECT_ADD, HD_OBJECT_SET, HD_OBJECT_DEL, HD_OBJECT_SHOW(show), HD_OBJECT_LIST,
};

/* The reason stands there only while a port is down. */
static const struct hd_column columns[] = {
	{ .title = "NAME", .key = "name", .flags = HD_COLUMN_SHRINK },
	{ .title = "NETWORK", .key = "network", .flags = HD_COLUMN_SHRINK },
	{ .title = "STATE", .key = "state" },
	{ .title = "DEVICE", .key = "host-device", .otherwise = "device" },
	{ .title = "MAC", .key = "mac" },
	{ .title = "IP", .key = "ip", .flags = HD_COLUMN_SHRINK },
	{ .title = "GROUPS", .text = groups_text, .flags = HD_COLUMN_SHRINK },
	{ .title = "LABELS", .key = "label", .flags = HD_COLUMN_SHRINK | HD_COLUMN_OPTIONAL },
	{ .title = "RX", .key = "counters/rx-packets", .format = HD_FORMAT_COUNT },
	{ .title = "TX", .key = "counters/tx-packets", .format = HD_FORMAT_COUNT },
	{ .title = "DROPS", .key = "counters/drops", .format = HD_FORMAT_COUNT },
	{ .title = "REASON", .key = "reason", .flags = HD_COLUMN_SHRINK | HD_COLUMN_OPTIONAL },
};

const struct hd_group hd_group_port = {
	.word = "port",
	.noun = &hd_nouns[HD_NOUN_PORT],
	.commands = commands,
	.n_commands = HD_COUNT(commands),
	.columns = columns,
	.n_columns = HD_COUNT(columns),
};

static char *groups_text(const json_t *port)
{
	if (json_is_true(json_object_get(port, "no-security")))
		return strdup("off");
	return hd_text_value(json_object_get(port, "groups"));
}

/* "security on" reads better than "no-security off". */
static json_t *readable(const json_t *port)
{
	json_t *shown = json_object();
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)port, key, value) {
		int r = !strcmp(key, "no-security")
				? json_object_set_new(shown, "security",
						      json_boolean(!json_is_true(value)))
				: json_object_set(shown, key, value);

		if (!r)
			continue;
		json_decref(shown);
		return NULL;
	}
	return shown;
}

static int show(struct hd_cli *cli, struct hd_error *err)
{
	_json_ json_t *port = NULL;
	_json_ json_t *shown = NULL;
	int r = hd_object_get(cli, &port, err);

	if (r)
		return r;
	shown = cli->out.json ? json_incref(port) : readable(port);
	if (!shown || hd_out_record(&cli->out, shown))
		return hd_no_memory(err);
	return 0;
}
