// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * fdb.c - heddle fdb: entries are named by network and MAC, and what was learned can be forgotten
 */
#include "cli/filter.h"
#include "cli/groups.h"
#include "cli/object.h"

#define OPTION_PORT                                                                                \
	{                                                                                          \
		.name = "port", .type = HD_TYPE_NAME, .meta = "PORT", .refers = "port",            \
		.help = "the port behind which the MAC is"                                         \
	}

static int flush(struct hd_cli *cli, struct hd_error *err);

static const struct hd_option add_options[] = { HD_OPTION_NETWORK(HD_OPT_REQUIRED),
						HD_OPTION_MAY_EXIST };
static const struct hd_option set_options[] = { HD_OPTION_NETWORK(HD_OPT_REQUIRED) };
static const struct hd_option del_options[] = { HD_OPTION_NETWORK(HD_OPT_REQUIRED),
						HD_OPTION_IF_EXISTS };
static const struct hd_option filters[] = { HD_OPTION_NETWORK(0), OPTION_PORT };

static const struct hd_command commands[] = {
	{ .verb = "add",
	  .help = "make a static entry",
	  .min_args = 1,
	  .max_args = 1,
	  .spec = HD_SPEC_ADD,
	  .options = add_options,
	  .n_options = HD_COUNT(add_options),
	  .run = hd_object_add },
	{ .verb = "set",
	  .help = "move a static entry to another port",
	  .min_args = 1,
	  .max_args = 1,
	  .spec = HD_SPEC_SET,
	  .options = set_options,
	  .n_options = HD_COUNT(set_options),
	  .run = hd_object_set },
	{ .verb = "del",
	  .help = "remove an entry",
	  .min_args = 1,
	  .max_args = 1,
	  .options = del_options,
	  .n_options = HD_COUNT(del_options),
	  .run = hd_object_del },
	{ .verb = "show",
	  .help = "everything about one",
	  .min_args = 1,
	  .max_args = 1,
	  .options = set_options,
	  .n_options = HD_COUNT(set_options),
	  .run = hd_object_show },
	{ .verb = "list",
	  .help = "static and learned entries",
	  .options = filters,
	  .n_options = HD_COUNT(filters),
	  .run = hd_object_list },
	{ .verb = "flush",
	  .help = "forget learned entries",
	  .no_dry_run = true,
	  .options = filters,
	  .n_options = HD_COUNT(filters),
	  .run = flush },
};

static const struct hd_column columns[] = {
	{ .title = "NETWORK", .key = "network", .flags = HD_COLUMN_SHRINK },
	{ .title = "VLAN", .text = hd_vlan_text, .flags = HD_COLUMN_OPTIONAL },
	{ .title = "MAC", .key = "mac" },
	{ .title = "PORT", .key = "port", .flags = HD_COLUMN_SHRINK },
	{ .title = "KIND", .key = "kind" },
	{ .title = "AGE", .key = "age", .format = HD_FORMAT_SECONDS },
};

const struct hd_group hd_group_fdb = {
	.word = "fdb",
	.noun = &hd_nouns[HD_NOUN_FDB],
	.key_type = HD_TYPE_MAC,
	.commands = commands,
	.n_commands = HD_COUNT(commands),
	.columns = columns,
	.n_columns = HD_COUNT(columns),
};

static int flush(struct hd_cli *cli, struct hd_error *err)
{
	return hd_filter_flush(cli, "/v1/fdb/flush", err);
}
