// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* network.c - heddle network, heddle subnet: what their lists show */
#include "cli/groups.h"
#include "cli/object.h"

static const struct hd_column network_columns[] = {
	{ .title = "NAME", .key = "name", .flags = HD_COLUMN_SHRINK },
	{ .title = "TYPE", .key = "type" },
	{ .title = "ID", .key = "id", .format = HD_FORMAT_NUMBER },
	{ .title = "PHYSICAL", .key = "physical", .flags = HD_COLUMN_SHRINK | HD_COLUMN_OPTIONAL },
	{ .title = "MTU", .key = "mtu", .format = HD_FORMAT_NUMBER },
	{ .title = "AGEING", .key = "ageing", .format = HD_FORMAT_NUMBER },
	{ .title = "MAC-LIMIT", .key = "port-mac-limit", .format = HD_FORMAT_NUMBER },
	{ .title = "FLOOD", .key = "flood" },
	{ .title = "SUPPRESS", .key = "neighbour-suppression" },
	{ .title = "PORTS", .key = "ports", .format = HD_FORMAT_NUMBER },
	{ .title = "LEARNED", .key = "learned", .format = HD_FORMAT_NUMBER },
};

static const struct hd_column subnet_columns[] = {
	{ .title = "NAME", .key = "name", .flags = HD_COLUMN_SHRINK },
	{ .title = "NETWORK", .key = "network", .flags = HD_COLUMN_SHRINK },
	{ .title = "CIDR", .key = "cidr" },
	{ .title = "GATEWAY", .key = "gateway" },
	{ .title = "POOL", .key = "pool", .flags = HD_COLUMN_SHRINK | HD_COLUMN_OPTIONAL },
	{ .title = "ROUTER", .key = "router", .flags = HD_COLUMN_SHRINK | HD_COLUMN_OPTIONAL },
};

const struct hd_group hd_group_network = {
	.word = "network",
	.noun = &hd_nouns[HD_NOUN_NETWORK],
	.commands = hd_object_commands,
	.n_commands = HD_N_OBJECT_COMMANDS,
	.columns = network_columns,
	.n_columns = HD_COUNT(network_columns),
};

const struct hd_group hd_group_subnet = {
	.word = "subnet",
	.noun = &hd_nouns[HD_NOUN_SUBNET],
	.commands = hd_object_commands,
	.n_commands = HD_N_OBJECT_COMMANDS,
	.columns = subnet_columns,
	.n_columns = HD_COUNT(subnet_columns),
};
