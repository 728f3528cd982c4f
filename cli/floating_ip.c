// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* floating_ip.c - heddle floating-ip: outside addresses of ports, which are named by their address */
#include "cli/groups.h"
#include "cli/object.h"

static const struct hd_option filters[] = {
	{ .name = "router",
	  .type = HD_TYPE_NAME,
	  .refers = "router",
	  .meta = "ROUTER",
	  .help = "the router that translates it" },
	{ .name = "port",
	  .type = HD_TYPE_NAME,
	  .refers = "port",
	  .meta = "PORT",
	  .help = "the port that it stands for" },
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
	{ .title = "IP", .key = "name" },
	{ .title = "NETWORK", .key = "network", .flags = HD_COLUMN_SHRINK },
	{ .title = "ROUTER", .key = "router", .flags = HD_COLUMN_SHRINK },
	{ .title = "FIXED-IP", .key = "fixed-ip" },
	{ .title = "PORT", .key = "port", .flags = HD_COLUMN_SHRINK },
};

const struct hd_group hd_group_floating_ip = {
	.word = "floating-ip",
	.noun = &hd_nouns[HD_NOUN_FLOATING_IP],
	.commands = commands,
	.n_commands = HD_COUNT(commands),
	.columns = columns,
	.n_columns = HD_COUNT(columns),
};
