// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* port_forward.c - heddle port-forward: ports outside for ports inside */
#include "cli/groups.h"
#include "cli/object.h"

static const struct hd_option filters[] = {
	{ .name = "router",
	  .type = HD_TYPE_NAME,
	  .refers = "router",
	  .meta = "ROUTER",
	  .help = "the router that translates it" },
};

static const struct hd_command commands[] = {
	HD_OBJECT_ADD,
	HD_OBJECT_SET,
	HD_OBJECT_DEL,
	HD_OBJECT_SHOW(hd_object_show),
	{ .verb = "list",
	  .help = "a line for each",
	  .options = filters,
	  .n_options = HD_COUNT(filters),
	  .run = hd_object_list },
};

static const struct hd_column columns[] = {
	{ .title = "NAME", .key = "name", .flags = HD_COLUMN_SHRINK },
	{ .title = "ROUTER", .key = "router", .flags = HD_COLUMN_SHRINK },
	{ .title = "PROTOCOL", .key = "protocol" },
	{ .title = "LISTEN", .key = "listen" },
	{ .title = "TO", .key = "to" },
};

const struct hd_group hd_group_port_forward = {
	.word = "port-forward",
	.noun = &hd_nouns[HD_NOUN_PORT_FORWARD],
	.commands = commands,
	.n_commands = HD_COUNT(commands),
	.columns = columns,
	.n_columns = HD_COUNT(columns),
};
