// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* port.c - heddle port: what its list shows */
#include "cli/groups.h"
#include "cli/object.h"

/* The reason stands there only while a port is down. */
static const struct hd_column columns[] = {
	{ .title = "NAME", .key = "name", .flags = HD_COLUMN_SHRINK },
	{ .title = "NETWORK", .key = "network", .flags = HD_COLUMN_SHRINK },
	{ .title = "STATE", .key = "state" },
	{ .title = "DEVICE", .key = "host-device", .otherwise = "device" },
	{ .title = "MAC", .key = "mac" },
	{ .title = "IP", .key = "ip", .flags = HD_COLUMN_SHRINK },
	{ .title = "RX", .key = "counters/rx-packets", .format = HD_FORMAT_COUNT },
	{ .title = "TX", .key = "counters/tx-packets", .format = HD_FORMAT_COUNT },
	{ .title = "DROPS", .key = "counters/drops", .format = HD_FORMAT_COUNT },
	{ .title = "REASON", .key = "reason", .flags = HD_COLUMN_SHRINK | HD_COLUMN_OPTIONAL },
};

const struct hd_group hd_group_port = {
	.word = "port",
	.noun = &hd_nouns[HD_NOUN_PORT],
	.commands = hd_object_commands,
	.n_commands = HD_N_OBJECT_COMMANDS,
	.columns = columns,
	.n_columns = HD_COUNT(columns),
};
