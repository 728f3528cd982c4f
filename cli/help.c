// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* help.c - what --help prints, made from the tables that the parser goes by */
#include "cli/help.h"

#include <string.h>

#include "cli/args.h"
#include "cli/groups.h"

enum { WORD_WIDTH = 14, OPTION_WIDTH = 28 };

static int run(struct hd_cli *cli, struct hd_error *err);

static const struct hd_command commands[] = {
	{ .help = "this text, or that of a noun or command",
	  .args = "[NOUN [VERB]]",
	  .max_args = 2,
	  .run = run },
};

const struct hd_group hd_group_help = {
	.word = "help",
	.help = "this text, or that of a noun or command",
	.commands = commands,
	.n_commands = HD_COUNT(commands),
};

static void print_top(FILE *file);
static void print_group(FILE *file, const struct hd_group *group);
static void print_command(FILE *file, const struct hd_group *group,
			  const struct hd_command *command);

/* Errors of writing are hd_out_end()'s business, here as everywhere. */
void hd_help_print(FILE *file, const struct hd_group *group, const struct hd_command *command)
{
	if (command)
		print_command(file, group, command);
	else if (group)
		print_group(file, group);
	else
		print_top(file);
}

/*
 * "heddle help port add" is "heddle port add --help"; the parser knows what to say to a wrong word.
 */
static int run(struct hd_cli *cli, struct hd_error *err)
{
	const char *words[3] = {};
	struct hd_cli about = {};
	size_t n = 0;
	int r;

	while (n < cli->n_args) {
		words[n] = cli->args[n];
		n++;
	}
	words[n++] = "--help";
	r = hd_args_parse(&about, n, words, err);
	if (!r)
		hd_help_print(cli->out.file, about.group, about.command);
	hd_cli_done(&about);
	return r;
}

/* ---- options ---- */

static void print_option(FILE *file, const struct hd_option *opt)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "--%s%s%s", opt->name, opt->meta ? " " : "",
		       opt->meta ? opt->meta : "");
	(void)fprintf(file, "  %-*s  %s", OPTION_WIDTH, left, opt->help);
	if (opt->dflt)
		(void)fprintf(file, " [%s]", opt->dflt);
	if (opt->flags & HD_OPT_REQUIRED)
		(void)fprintf(file, " (required)");
	if (opt->flags & HD_OPT_LIST)
		(void)fprintf(file, " (repeatable)");
	(void)fputc('\n', file);
}

static void print_options(FILE *file, const struct hd_option *table, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(table[i].flags & HD_OPT_LATER))
			print_option(file, &table[i]);
}

/* A default is what "add" starts from, and nothing is required by "set". */
static void print_noun_options(FILE *file, const struct hd_noun *noun,
			       const struct hd_command *command)
{
	for (size_t i = 0; i < noun->n_options; i++) {
		struct hd_option opt = noun->options[i];

		if ((opt.flags & HD_OPT_LATER) || !hd_command_takes(command, &opt))
			continue;
		if (command->spec == HD_SPEC_SET) {
			opt.flags &= ~(unsigned int)HD_OPT_REQUIRED;
			opt.dflt = NULL;
		}
		print_option(file, &opt);
	}
}

static void print_later_option(FILE *file, const struct hd_option *opt, const char **before)
{
	if (!(opt->flags & HD_OPT_LATER) || opt->flags & HD_OPT_UNTYPED)
		return;
	(void)fprintf(file, "%s--%s", *before, opt->name);
	*before = ", ";
}

static void print_later_options(FILE *file, const struct hd_noun *noun,
				const struct hd_command *command)
{
	const char *before = "\nNot available yet: ";

	for (size_t i = 0; i < command->n_options; i++)
		print_later_option(file, &command->options[i], &before);
	for (size_t i = 0; command->spec && i < noun->n_options; i++)
		print_later_option(file, &noun->options[i], &before);
	if (before[0] == ',')
		(void)fputc('\n', file);
}

/* ---- the three levels ---- */

static void print_usage(FILE *file, const struct hd_group *group, const struct hd_command *command)
{
	const char *args = hd_command_args(group, command);

	(void)fprintf(file, "heddle %s%s%s%s%s%s\n", group->word, command->verb ? " " : "",
		      command->verb ? command->verb : "", args ? " " : "", args ? args : "",
		      command->spec || command->n_options ? " [--option VALUE]..." : "");
}

static void print_command(FILE *file, const struct hd_group *group,
			  const struct hd_command *command)
{
	(void)fprintf(file, "Usage: ");
	print_usage(file, group, command);
	(void)fprintf(file, "\n%s: %s\n", hd_command_title(group, command), command->help);
	if (command->n_options || command->spec) {
		(void)fprintf(file, "\nOptions:\n");
		if (command->spec)
			print_noun_options(file, hd_command_noun(group, command), command);
		print_options(file, command->options, command->n_options);
	}
	print_later_options(file, hd_command_noun(group, command), command);
	(void)fprintf(file, "\n'heddle --help' shows the global options.\n");
}

static void print_group(FILE *file, const struct hd_group *group)
{
	const struct hd_noun *noun = group->noun;

	(void)fprintf(file, "Usage: heddle %s VERB%s [--option VALUE]...\n\n%s: %s", group->word,
		      noun ? " [NAME]" : "", group->word, noun ? noun->help : group->help);
	if (noun && noun->alias)
		(void)fprintf(file, " (also: %s)", noun->alias);
	(void)fprintf(file, "\n\nVerbs:\n");
	for (size_t i = 0; i < group->n_commands; i++)
		if (!hd_command_is_later(&group->commands[i]))
			(void)fprintf(file, "  %-*s  %s\n", WORD_WIDTH, group->commands[i].verb,
				      group->commands[i].help);
	(void)fprintf(file, "\n'heddle %s VERB --help' shows the options; without a verb: list.\n",
		      group->word);
}

static void print_groups(FILE *file, const char *title, bool nouns)
{
	(void)fprintf(file, "\n%s:\n", title);
	for (size_t i = 0; i < hd_n_groups; i++) {
		const struct hd_group *group = hd_groups[i];

		if (!group->hidden && nouns == !!group->noun)
			(void)fprintf(file, "  %-*s  %s\n", WORD_WIDTH, group->word,
				      nouns ? group->noun->help : group->help);
	}
}

static void print_later_words(FILE *file)
{
	const char *comma = "";

	(void)fprintf(file, "\nNot available yet:\n  ");
	for (const struct hd_later *later = hd_later_words; later->word; later++) {
		if (!strncmp(later->help, "alias ", strlen("alias ")))
			continue;
		(void)fprintf(file, "%s%s", comma, later->word);
		comma = later - hd_later_words == 6 ? ",\n  " : ", ";
	}
	(void)fputc('\n', file);
}

static void print_top(FILE *file)
{
	(void)fprintf(file, "Usage: heddle [-i INSTANCE] [-j] [--dry-run] [--timeout SECONDS] "
			    "NOUN VERB [NAME] [--option VALUE]...\n");
	print_groups(file, "Nouns, each with add, set, del, show and list", true);
	print_groups(file, "Commands", false);
	(void)fprintf(file, "\nGlobal options:\n");
	print_options(file, hd_global_options, hd_n_global_options);
	print_later_words(file);
	(void)fprintf(file, "\n'heddle NOUN --help' and 'heddle NOUN VERB --help' say more; "
			    "so does heddle(8).\n");
}
