// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * complete.c - heddle complete -- WORD...: what may follow these words, one candidate a line
 *
 * The shell's completion asks this hidden command, so it can't fall behind the schema. It never
 * talks to the daemon.
 */
#include <string.h>

#include "cli/args.h"
#include "cli/groups.h"

enum { WORDS_MAX = 1000 };

static int run(struct hd_cli *cli, struct hd_error *err);

static const struct hd_command commands[] = {
	{ .help = "what may follow these words",
	  .args = "[-- WORD]...",
	  .max_args = WORDS_MAX,
	  .run = run },
};

const struct hd_group hd_group_complete = {
	.word = "complete",
	.help = "for the shell",
	.hidden = true,
	.commands = commands,
	.n_commands = HD_COUNT(commands),
};

static void print_value(struct hd_out *out, const struct hd_option *opt)
{
	for (size_t i = 0; opt->words && opt->words[i]; i++)
		hd_out_line(out, "%s", opt->words[i]);
	if (opt->type != HD_TYPE_ONOFF)
		return;
	hd_out_line(out, "on");
	hd_out_line(out, "off");
}

static void print_options(struct hd_out *out, const struct hd_option *table, size_t n,
			  const struct hd_command *command)
{
	for (size_t i = 0; i < n; i++)
		if (!(table[i].flags & HD_OPT_LATER) &&
		    (!command || hd_command_takes(command, &table[i])))
			hd_out_line(out, "--%s", table[i].name);
}

static void print_words(struct hd_out *out, const struct hd_group *group)
{
	for (size_t i = 0; !group && i < hd_n_groups; i++)
		if (!hd_groups[i]->hidden)
			hd_out_line(out, "%s", hd_groups[i]->word);
	for (size_t i = 0; group && i < group->n_commands; i++)
		if (!hd_command_is_later(&group->commands[i]))
			hd_out_line(out, "%s", group->commands[i].verb);
}

static void print_candidates(struct hd_out *out, const struct hd_cli *typed)
{
	const struct hd_command *command = typed->command;
	const struct hd_noun *noun;

	if (!command)
		print_words(out, typed->group);
	print_options(out, hd_global_options, hd_n_global_options, NULL);
	if (!command)
		return;
	noun = hd_command_noun(typed->group, command);
	print_options(out, command->options, command->n_options, NULL);
	if (command->spec)
		print_options(out, noun->options, noun->n_options, command);
}

/*
 * The words are a command line that is not finished: "--help" makes the parser content with what is
 * there.
 */
static int run(struct hd_cli *cli, struct hd_error *err)
{
	struct hd_cli typed = {};
	int r;

	(void)err; /* words that mean nothing have nothing after them, and that is no error */
	memmove(cli->args + 1, cli->args, cli->n_args * sizeof(*cli->args));
	cli->args[0] = "--help";
	r = hd_args_parse(&typed, cli->n_args + 1, cli->args, NULL);
	if (typed.wants)
		print_value(&cli->out, typed.wants);
	else if (!r)
		print_candidates(&cli->out, &typed);
	hd_cli_done(&typed);
	return 0;
}
