// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* drops.c - heddle drops: what was dropped, where and why */
#include <string.h>

#include "cli/follow.h"
#include "cli/groups.h"
#include "cli/rule.h"
#include "cli/url.h"
#include "loader/cleanup.h"

static int run(struct hd_cli *cli, struct hd_error *err);

static const struct hd_option options[] = {
	{ .name = "follow",
	  .type = HD_TYPE_FLAG,
	  .help = "go on and show every second what was dropped" },
	{ .name = "count",
	  .type = HD_TYPE_UINT,
	  .min = 1,
	  .max = UINT32_MAX,
	  .meta = "COUNT",
	  .help = "with --follow: stop after so many seconds; also -n" },
};

static const struct hd_command commands[] = {
	{ .help = "what was dropped and why, most packets first",
	  .options = options,
	  .n_options = HD_COUNT(options),
	  .run = run },
};

const struct hd_group hd_group_drops = {
	.word = "drops",
	.help = "what was dropped, where and why",
	.commands = commands,
	.n_commands = HD_COUNT(commands),
};

/* That of a firewall which decided; the column is there if any did. */
static char *rule_text(const json_t *drop)
{
	const json_t *rule = json_object_get(drop, "rule");

	return rule ? hd_rule_ref_text(rule) : strdup("");
}

static const struct hd_column columns[] = {
	{ .title = "REASON", .key = "reason" },
	{ .title = "PORT", .key = "port", .flags = HD_COLUMN_SHRINK },
	{ .title = "STAGE", .key = "stage" },
	{ .title = "RULE", .text = rule_text, .flags = HD_COLUMN_OPTIONAL },
	{ .title = "PACKETS", .key = "packets", .format = HD_FORMAT_COUNT },
	{ .title = "BYTES", .key = "bytes", .format = HD_FORMAT_BYTES },
	{ .title = "MEANING", .key = "sentence", .flags = HD_COLUMN_SHRINK },
};

static int run(struct hd_cli *cli, struct hd_error *err)
{
	_json_ json_t *drops = NULL;
	int r;

	if (hd_cli_flag(cli, "follow"))
		return hd_drops_follow(cli, err);
	if (hd_cli_flag(cli, "count"))
		return hd_error_set(err, HD_ERR_USAGE, "drops: --count needs --follow");
	r = hd_get(cli, "drops", NULL, &drops, err);
	if (r)
		return r;
	if (hd_out_table(&cli->out, columns, HD_COUNT(columns), drops))
		return hd_no_memory(err);
	return 0;
}
