// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* neighbour.c - heddle neighbour: entries are named by network and address */
#include "cli/filter.h"
#include "cli/groups.h"
#include "cli/object.h"

static int flush(struct hd_cli *cli, struct hd_error *err);

static const struct hd_option add_options[] = { HD_OPTION_NETWORK(HD_OPT_REQUIRED),
						HD_OPTION_MAY_EXIST };
static const struct hd_option set_options[] = { HD_OPTION_NETWORK(HD_OPT_REQUIRED) };
static const struct hd_option del_options[] = { HD_OPTION_NETWORK(HD_OPT_REQUIRED),
						HD_OPTION_IF_EXISTS };
static const struct hd_option filters[] = {
	HD_OPTION_NETWORK(0),
	{ .name = "port",
	  .type = HD_TYPE_NAME,
	  .meta = "PORT",
	  .refers = "port",
	  .help = "the port that has the address" },
};
static const struct hd_option flush_filters[] = { HD_OPTION_NETWORK(0) };

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
	  .help = "change the MAC of a static entry",
	  .min_args = 1,
	  .max_args = 1,
	  .spec = HD_SPEC_SET,
	  .options = set_options,
	  .n_options = HD_COUNT(set_options),
	  .run = hd_object_set },
	{ .verb = "del",
	  .help = "remove a static entry",
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
	  .help = "static entries, the addresses of ports, and what routers have learned",
	  .options = filters,
	  .n_options = HD_COUNT(filters),
	  .run = hd_object_list },
	{ .verb = "flush",
	  .help = "forget what routers have learned",
	  .no_dry_run = true,
	  .options = flush_filters,
	  .n_options = HD_COUNT(flush_filters),
	  .run = flush },
};

static const struct hd_column columns[] = {
	{ .title = "NETWORK", .key = "network", .flags = HD_COLUMN_SHRINK },
	{ .title = "VLAN", .text = hd_vlan_text, .flags = HD_COLUMN_OPTIONAL },
	{ .title = "IP", .key = "ip" },
	{ .title = "MAC", .key = "mac" },
	{ .title = "KIND", .key = "kind" },
	{ .title = "PORT", .key = "port", .flags = HD_COLUMN_SHRINK },
	{ .title = "ROUTER", .key = "router", .flags = HD_COLUMN_SHRINK | HD_COLUMN_OPTIONAL },
	{ .title = "ASKED",
	  .key = "asked",
	  .format = HD_FORMAT_SECONDS,
	  .flags = HD_COLUMN_OPTIONAL },
};

const struct hd_group hd_group_neighbour = {
	.word = "neighbour",
	.noun = &hd_nouns[HD_NOUN_NEIGHBOUR],
	.key_type = HD_TYPE_IP,
	.commands = commands,
	.n_commands = HD_COUNT(commands),
	.columns = columns,
	.n_columns = HD_COUNT(columns),
};

static int flush(struct hd_cli *cli, struct hd_error *err)
{
	return hd_filter_flush(cli, "/v1/neighbours/flush", err);
}
