// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* purge.c - heddle purge: leave nothing behind */
#include <string.h>

#include "cli/groups.h"
#include "loader/cleanup.h"

static int run(struct hd_cli *cli, struct hd_error *err);

static const struct hd_option options[] = {
	{ .name = "yes", .type = HD_TYPE_FLAG, .help = "do not ask, also on a terminal" },
};

static const struct hd_command commands[] = {
	{ .help = "remove every object, program, map and device; heddled then ends",
	  .no_dry_run = true,
	  .options = options,
	  .n_options = HD_COUNT(options),
	  .run = run },
};

const struct hd_group hd_group_purge = {
	.word = "purge",
	.help = "remove everything that heddle made on this host",
	.commands = commands,
	.n_commands = HD_COUNT(commands),
};

/* Whoever sits at a terminal is asked; a script means what it says. */
static int confirm(const struct hd_cli *cli, struct hd_error *err)
{
	char answer[8] = "";
	int r;

	if (hd_cli_flag(cli, "yes") || !isatty(STDIN_FILENO))
		return 0;
	(void)fprintf(stderr, "Remove every object, program, map and device of instance %s? [y/N] ",
		      cli->client.instance);
	if (fgets(answer, sizeof(answer), stdin) && !strcmp(answer, "y\n"))
		return 0;
	r = hd_error_set(err, HD_ERR_FAILED, "purge: not confirmed, nothing was changed");
	hd_error_hint(err, "answer 'y', or use --yes");
	return r;
}

static int run(struct hd_cli *cli, struct hd_error *err)
{
	struct hd_request request = { .method = "POST", .path = "/v1/purge" };
	_json_ json_t *answer = NULL;
	int r = confirm(cli, err);

	if (!r)
		r = hd_client_call(&cli->client, &request, &answer, err);
	if (!r && cli->out.json)
		hd_out_json(&cli->out, answer);
	return r;
}
