// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* stats.c - heddle stats: packets and bytes of each object */
#include <string.h>

#include "cli/groups.h"
#include "cli/near.h"
#include "cli/url.h"
#include "loader/cleanup.h"

static int run(struct hd_cli *cli, struct hd_error *err);

static const struct hd_command commands[] = {
	{ .help = "packets and bytes; of one object also its drops by reason",
	  .args = "[NOUN NAME]",
	  .max_args = 2,
	  .run = run },
};

const struct hd_group hd_group_stats = {
	.word = "stats",
	.help = "packets and bytes of each object",
	.commands = commands,
	.n_commands = HD_COUNT(commands),
};

static const struct hd_column columns[] = {
	{ .title = "NOUN", .key = "noun" },
	{ .title = "NAME", .key = "name", .flags = HD_COLUMN_SHRINK },
	{ .title = "RX-PACKETS", .key = "counters/rx-packets", .format = HD_FORMAT_COUNT },
	{ .title = "RX-BYTES", .key = "counters/rx-bytes", .format = HD_FORMAT_BYTES },
	{ .title = "TX-PACKETS", .key = "counters/tx-packets", .format = HD_FORMAT_COUNT },
	{ .title = "TX-BYTES", .key = "counters/tx-bytes", .format = HD_FORMAT_BYTES },
	{ .title = "DROPS", .key = "counters/drops", .format = HD_FORMAT_COUNT },
};

static const struct hd_column drop_columns[] = {
	{ .title = "DROPPED", .key = "reason" },
	{ .title = "PACKETS", .key = "packets", .format = HD_FORMAT_COUNT },
	{ .title = "BYTES", .key = "bytes", .format = HD_FORMAT_BYTES },
};

static int unknown_noun(const char *word, struct hd_error *err)
{
	struct hd_near near = { .typed = word };
	int r = hd_error_set(err, HD_ERR_USAGE, "stats: '%s' is no noun", word);

	for (size_t i = 0; i < HD_NOUN_COUNT; i++)
		hd_near_offer(&near, hd_nouns[i].name);
	hd_near_hint(&near, "", err);
	return r;
}

/* "stats" or "stats/port"; the noun may be written as any command line may write it. */
static int path_of(const struct hd_cli *cli, char **ret, struct hd_error *err)
{
	const struct hd_noun *noun;

	if (!cli->n_args) {
		*ret = strdup("stats");
		return *ret ? 0 : hd_no_memory(err);
	}
	noun = hd_noun_find(cli->args[0]);
	if (!noun)
		return unknown_noun(cli->args[0], err);
	if (cli->n_args < 2)
		return hd_error_set(err, HD_ERR_USAGE, "stats: the name of the %s is missing",
				    noun->name);
	if (asprintf(ret, "stats/%s", noun->name) < 0)
		return hd_no_memory(err);
	return 0;
}

static int print_drops(struct hd_cli *cli, const json_t *stats)
{
	const json_t *drops = json_object_get(json_array_get(stats, 0), "drops");

	if (cli->out.json || !cli->n_args || !json_array_size(drops))
		return 0;
	hd_out_line(&cli->out, "%s", "");
	return hd_out_table(&cli->out, drop_columns, HD_COUNT(drop_columns), drops);
}

static int run(struct hd_cli *cli, struct hd_error *err)
{
	_json_ json_t *stats = NULL;
	_free_ char *path = NULL;
	int r = path_of(cli, &path, err);

	if (!r)
		r = hd_get(cli, path, cli->n_args ? cli->args[1] : NULL, &stats, err);
	if (r)
		return r;
	r = hd_out_table(&cli->out, columns, HD_COUNT(columns), stats);
	if (!r)
		r = print_drops(cli, stats);
	return r ? hd_no_memory(err) : 0;
}
