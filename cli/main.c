// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* main.c - heddle: parse, run, report */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "cli/args.h"
#include "cli/command.h"
#include "cli/help.h"

/*
 * A closed stdout must not become the socket to the daemon: take its number, in a way that writing
 * still fails.
 */
static void occupy_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

static int connect_and_run(struct hd_cli *cli, struct hd_error *err)
{
	const char *instance = hd_cli_text(cli, "instance");
	json_int_t timeout_s = hd_cli_number(cli, "timeout", 10);
	int r = hd_client_init(&cli->client, instance ? instance : "default",
			       (unsigned int)timeout_s, err);

	return r ? r : cli->command->run(cli, err);
}

static int run(struct hd_cli *cli, struct hd_error *err)
{
	if (hd_cli_flag(cli, "help")) {
		hd_help_print(stdout, cli->group, cli->command);
		return 0;
	}
	if (hd_cli_flag(cli, "version")) {
		hd_out_line(&cli->out, "heddle %s", HD_VERSION);
		return 0;
	}
	return connect_and_run(cli, err);
}

/*
 * An error that was found here knows less than the daemon's, but mostly what was to be worked on.
 */
static void name_object(const struct hd_cli *cli, struct hd_error *err)
{
	if (!err->object[0] && cli->group && cli->group->noun && cli->n_args)
		hd_error_object(err, cli->group->word, cli->args[0]);
}

/* What already has an error to tell keeps it; a failing write comes second. */
int main(int argc, char **argv)
{
	const char *const *words = (const char *const *)argv + 1;
	size_t n_words = argc > 0 ? (size_t)argc - 1 : 0;
	struct hd_error err = {};
	struct hd_cli cli = {};
	int r;

	occupy_standard_fds();
	(void)signal(SIGPIPE, SIG_IGN); /* a write then fails, and hd_out_end() tells */
	r = hd_args_parse(&cli, n_words, words, &err);
	hd_out_init(&cli.out, stdout,
		    r ? hd_args_want_json(n_words, words) : hd_cli_flag(&cli, "json"));
	if (!r)
		r = run(&cli, &err);
	if (!err.message[0])
		(void)hd_out_end(&cli.out, &err); /* the exit status is in err */
	name_object(&cli, &err);
	if (err.message[0])
		hd_out_error(stderr, cli.out.json, cli.file, &err);
	hd_cli_done(&cli);
	return (int)err.code;
}
