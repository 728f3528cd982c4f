// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* underlay.c - heddle uplink, heddle peer: what their lists show */
#include "cli/groups.h"
#include "cli/object.h"

static const struct hd_column uplink_columns[] = {
	{ .title = "DEVICE", .key = "name" },
	{ .title = "STATE", .key = "state" },
	{ .title = "USE", .key = "use" },
	{ .title = "TUNNEL-IP", .key = "tunnel-ip" },
	{ .title = "PHYSICAL", .key = "physical", .flags = HD_COLUMN_SHRINK },
	{ .title = "MODE", .key = "mode" },
	{ .title = "IN-USE", .key = "mode-in-use" },
	{ .title = "FORWARD", .key = "forward-in-use" },
	{ .title = "ATTACH", .key = "attach" },
	{ .title = "DROPS", .key = "drops", .format = HD_FORMAT_COUNT },
	{ .title = "REASON", .key = "reason", .flags = HD_COLUMN_SHRINK | HD_COLUMN_OPTIONAL },
	{ .title = "NO-XDP", .key = "mode-reason", .flags = HD_COLUMN_SHRINK | HD_COLUMN_OPTIONAL },
};

static const struct hd_column peer_columns[] = {
	{ .title = "NAME", .key = "name", .flags = HD_COLUMN_SHRINK },
	{ .title = "STATE", .key = "state" },
	{ .title = "TUNNEL-IP", .key = "tunnel-ip" },
	{ .title = "UPLINK", .key = "uplink" },
	{ .title = "NEXT-HOP", .key = "next-hop" },
	{ .title = "MTU", .key = "path-mtu", .format = HD_FORMAT_NUMBER },
	{ .title = "LEARNED", .key = "learned", .format = HD_FORMAT_NUMBER },
	{ .title = "RX", .key = "counters/rx-packets", .format = HD_FORMAT_COUNT },
	{ .title = "TX", .key = "counters/tx-packets", .format = HD_FORMAT_COUNT },
	{ .title = "DROPS", .key = "counters/drops", .format = HD_FORMAT_COUNT },
	{ .title = "REASON", .key = "reason", .flags = HD_COLUMN_SHRINK | HD_COLUMN_OPTIONAL },
};

const struct hd_group hd_group_uplink = {
	.word = "uplink",
	.noun = &hd_nouns[HD_NOUN_UPLINK],
	.commands = hd_object_commands,
	.n_commands = HD_N_OBJECT_COMMANDS,
	.columns = uplink_columns,
	.n_columns = HD_COUNT(uplink_columns),
};

const struct hd_group hd_group_peer = {
	.word = "peer",
	.noun = &hd_nouns[HD_NOUN_PEER],
	.commands = hd_object_commands,
	.n_commands = HD_N_OBJECT_COMMANDS,
	.columns = peer_columns,
	.n_columns = HD_COUNT(peer_columns),
};
