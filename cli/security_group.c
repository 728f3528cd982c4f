// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* security_group.c - heddle security-group: groups, and their rules one by one (item.h) */
#include <stdio.h>
#include <string.h>

#include "cli/groups.h"
#include "cli/item.h"
#include "cli/object.h"
#include "cli/rule.h"
#include "loader/cleanup.h"

static int show(struct hd_cli *cli, struct hd_error *err);
static char *members_text(const json_t *group);

static const struct hd_command commands[] = {
	HD_OBJECT_ADD,
	HD_OBJECT_SET,
	HD_OBJECT_DEL,
	HD_OBJECT_SHOW(show),
	HD_OBJECT_LIST,
	{ .verb = "rule-add",
	  .help = "allow something more; prints the rule's id",
	  .min_args = 1,
	  .max_args = 1,
	  .spec = HD_SPEC_ADD,
	  .noun = &hd_rule_noun,
	  .run = hd_item_add },
	{ .verb = "rule-del",
	  .help = "remove the rule with this id",
	  .args = "GROUP ID",
	  .min_args = 2,
	  .max_args = 2,
	  .noun = &hd_rule_noun,
	  .options = hd_object_del_options,
	  .n_options = 1,
	  .run = hd_item_del },
};

static const struct hd_column columns[] = {
	{ .title = "NAME", .key = "name", .flags = HD_COLUMN_SHRINK },
	{ .title = "SELECT", .key = "select", .flags = HD_COLUMN_SHRINK | HD_COLUMN_OPTIONAL },
	{ .title = "RULES", .text = hd_rule_count_text, .format = HD_FORMAT_NUMBER },
	{ .title = "MEMBERS", .text = members_text, .flags = HD_COLUMN_SHRINK },
};

const struct hd_group hd_group_security_group = {
	.word = "security-group",
	.noun = &hd_nouns[HD_NOUN_GROUP],
	.commands = commands,
	.n_commands = HD_COUNT(commands),
	.columns = columns,
	.n_columns = HD_COUNT(columns),
};

/* ---- list ---- */

/* "2 web1,web2": the number is still there when the names are cut. */
static char *members_text(const json_t *group)
{
	const json_t *members = json_object_get(group, "members");
	_free_ char *names = hd_text_value(members);
	size_t n = json_array_size(members);
	char *text;

	if (!names)
		return NULL;
	return asprintf(&text, "%zu%s%s", n, n ? " " : "", names) < 0 ? NULL : text;
}

/* ---- show ---- */

static const struct hd_column rule_columns[] = {
	{ .title = "ID", .key = "id", .format = HD_FORMAT_NUMBER },
	{ .title = "DIRECTION", .key = "direction" },
	{ .title = "ETHERTYPE", .text = hd_rule_ethertype_text },
	{ .title = "PROTOCOL", .text = hd_rule_protocol_text },
	{ .title = "PORT", .text = hd_rule_port_text },
	{ .title = "REMOTE", .text = hd_rule_remote_text, .flags = HD_COLUMN_SHRINK },
	{ .title = "PACKETS", .key = "counters/packets", .format = HD_FORMAT_COUNT },
	{ .title = "BYTES", .key = "counters/bytes", .format = HD_FORMAT_BYTES },
};

static int print_group(struct hd_out *out, json_t *group)
{
	_json_ json_t *rules = json_incref(json_object_get(group, "rules"));
	int r;

	(void)json_object_del(group, "rules"); /* they come as a table; fails if there are none */
	r = hd_out_record(out, group);
	if (r || !json_array_size(rules))
		return r;
	hd_out_line(out, "%s", "");
	return hd_out_table(out, rule_columns, HD_COUNT(rule_columns), rules);
}

static int show(struct hd_cli *cli, struct hd_error *err)
{
	_json_ json_t *group = NULL;
	int r = hd_object_get(cli, &group, err);

	if (r)
		return r;
	if (cli->out.json)
		hd_out_json(&cli->out, group);
	else if (print_group(&cli->out, group))
		return hd_no_memory(err);
	return 0;
}
