// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * explain.c - heddle explain: what a drop reason means and what to do; knows it all without the
 * daemon
 */
#include "cli/explain.h"

#include <string.h>

#include "cli/groups.h"
#include "cli/near.h"
#include "heddle/reason.h"
#include "loader/cleanup.h"

static int run(struct hd_cli *cli, struct hd_error *err);

static const struct hd_command commands[] = {
	{ .help = "what a drop reason means and what to do; without REASON: all of them",
	  .args = "[REASON]",
	  .max_args = 1,
	  .run = run },
};

const struct hd_group hd_group_explain = {
	.word = "explain",
	.help = "what a drop reason means and what to do",
	.commands = commands,
	.n_commands = HD_COUNT(commands),
};

static const struct hd_reason_text reasons[] = {
#define REASON(number, symbol, name, sentence, remedy) { number, name, sentence, remedy },
	HD_REASONS(REASON)
#undef REASON
};

static const struct hd_column columns[] = {
	{ .title = "REASON", .key = "name" },
	{ .title = "MEANING", .key = "sentence", .flags = HD_COLUMN_SHRINK },
};

const struct hd_reason_text *hd_reason_find(const char *name)
{
	for (size_t i = 0; i < HD_COUNT(reasons); i++)
		if (!strcmp(reasons[i].name, name))
			return &reasons[i];
	return NULL;
}

static json_t *reason_json(const struct hd_reason_text *reason)
{
	return json_pack("{s:i, s:s, s:s, s:s}", "number", (int)reason->number, "name",
			 reason->name, "sentence", reason->sentence, "remedy", reason->remedy);
}

static int print_all(struct hd_cli *cli)
{
	_json_ json_t *all = json_array();

	for (size_t i = 0; i < HD_COUNT(reasons); i++)
		if (json_array_append_new(all, reason_json(&reasons[i])))
			return -1;
	return hd_out_table(&cli->out, columns, HD_COUNT(columns), all);
}

static int print_one(struct hd_cli *cli, const struct hd_reason_text *reason)
{
	_json_ json_t *one = reason_json(reason);

	return one ? hd_out_record(&cli->out, one) : -1;
}

static int unknown(const char *name, struct hd_error *err)
{
	struct hd_near near = { .typed = name };
	int r = hd_error_set(err, HD_ERR_NOT_FOUND, "explain: there is no reason '%s'", name);

	for (size_t i = 0; i < HD_COUNT(reasons); i++)
		hd_near_offer(&near, reasons[i].name);
	hd_error_hint(err, "'heddle explain' lists them");
	hd_near_hint(&near, "", err);
	return r;
}

static int run(struct hd_cli *cli, struct hd_error *err)
{
	const struct hd_reason_text *reason;

	if (!cli->n_args)
		return print_all(cli) ? hd_no_memory(err) : 0;
	reason = hd_reason_find(cli->args[0]);
	if (!reason)
		return unknown(cli->args[0], err);
	return print_one(cli, reason) ? hd_no_memory(err) : 0;
}
