// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* firewall.c - heddle firewall: firewalls of routers, and their rules one by one (item.h), at their places */
#include "cli/groups.h"
#include "cli/item.h"
#include "cli/object.h"
#include "cli/rule.h"
#include "loader/cleanup.h"

static int show(struct hd_cli *cli, struct hd_error *err);
static int rule_add(struct hd_cli *cli, struct hd_error *err);

static const struct hd_option filters[] = {
	{ .name = "router",
	  .type = HD_TYPE_NAME,
	  .refers = "router",
	  .meta = "ROUTER",
	  .help = "the router whose traffic it filters" },
};

static const struct hd_option rule_add_options[] = {
	{ .name = "position",
	  .type = HD_TYPE_UINT,
	  .min = 1,
	  .max = UINT32_MAX,
	  .meta = "N",
	  .help = "where it stands, 1 = first; those from there on move down; at the end if not "
		  "given" },
	{ .name = "may-exist",
	  .type = HD_TYPE_FLAG,
	  .help = "fine if the very same rule exists, wherever it stands" },
};

static const struct hd_command commands[] = {
	HD_OBJECT_ADD,
	HD_OBJECT_SET,
	HD_OBJECT_DEL,
	HD_OBJECT_SHOW(show),
	{ .verb = "list",
	  .help = "a line for each",
	  .options = filters,
	  .n_options = HD_COUNT(filters),
	  .run = hd_object_list },
	{ .verb = "rule-add",
	  .help = "insert a rule; prints its id",
	  .min_args = 1,
	  .max_args = 1,
	  .spec = HD_SPEC_ADD,
	  .noun = &hd_fw_rule_noun,
	  .options = rule_add_options,
	  .n_options = HD_COUNT(rule_add_options),
	  .run = rule_add },
	{ .verb = "rule-del",
	  .help = "remove the rule with this id",
	  .args = "FIREWALL ID",
	  .min_args = 2,
	  .max_args = 2,
	  .noun = &hd_fw_rule_noun,
	  .options = hd_object_del_options,
	  .n_options = 1,
	  .run = hd_item_del },
};

static const struct hd_column columns[] = {
	{ .title = "NAME", .key = "name", .flags = HD_COLUMN_SHRINK },
	{ .title = "ROUTER", .key = "router", .flags = HD_COLUMN_SHRINK },
	{ .title = "RULES", .text = hd_rule_count_text, .format = HD_FORMAT_NUMBER },
};

const struct hd_group hd_group_firewall = {
	.word = "firewall",
	.noun = &hd_nouns[HD_NOUN_FIREWALL],
	.commands = commands,
	.n_commands = HD_COUNT(commands),
	.columns = columns,
	.n_columns = HD_COUNT(columns),
};

/* ---- show ---- */

static const struct hd_column rule_columns[] = {
	{ .title = "POSITION", .key = "position", .format = HD_FORMAT_NUMBER },
	{ .title = "ID", .key = "id", .format = HD_FORMAT_NUMBER },
	{ .title = "ACTION", .key = "action" },
	{ .title = "PROTOCOL", .text = hd_rule_protocol_text },
	{ .title = "FROM", .text = hd_fw_rule_from_text, .flags = HD_COLUMN_SHRINK },
	{ .title = "TO", .text = hd_fw_rule_to_text, .flags = HD_COLUMN_SHRINK },
	{ .title = "PORT", .text = hd_rule_port_text },
	{ .title = "PACKETS", .key = "counters/packets", .format = HD_FORMAT_COUNT },
	{ .title = "BYTES", .key = "counters/bytes", .format = HD_FORMAT_BYTES },
};

static int print_firewall(struct hd_out *out, json_t *firewall)
{
	_json_ json_t *rules = json_incref(json_object_get(firewall, "rules"));
	int r;

	(void)json_object_del(firewall, "rules"); /* they come as a table */
	r = hd_out_record(out, firewall);
	if (r || !json_array_size(rules))
		return r;
	hd_out_line(out, "%s", "");
	return hd_out_table(out, rule_columns, HD_COUNT(rule_columns), rules);
}

static int show(struct hd_cli *cli, struct hd_error *err)
{
	_json_ json_t *firewall = NULL;
	int r = hd_object_get(cli, &firewall, err);

	if (r)
		return r;
	if (cli->out.json)
		hd_out_json(&cli->out, firewall);
	else if (print_firewall(&cli->out, firewall))
		return hd_no_memory(err);
	return 0;
}

/* ---- rules ---- */

static int rule_add(struct hd_cli *cli, struct hd_error *err)
{
	json_t *position = json_object_get(cli->options, "position");

	if (position && json_object_set(cli->spec, "position", position))
		return hd_no_memory(err);
	return hd_item_add(cli, err);
}
