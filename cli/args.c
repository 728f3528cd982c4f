// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* args.c - from the words of a command line to a call */
#include "cli/args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/near.h"
#include "loader/cleanup.h"

struct parser {
	struct hd_cli *cli;
	const char *const *words;
	size_t n_words;
	size_t at;  /* next word */
	bool plain; /* "--" was seen: no more options */
};

static int take_word(struct parser *p, const char *word, struct hd_error *err);
static int take_option(struct parser *p, const char *word, struct hd_error *err);
static int finish(struct hd_cli *cli, struct hd_error *err);

int hd_args_parse(struct hd_cli *cli, size_t argc, const char *const *argv, struct hd_error *err)
{
	struct parser p = { .cli = cli, .words = argv, .n_words = argc };
	int r;

	cli->options = json_object();
	cli->spec = json_object();
	cli->args = calloc(argc + 1, sizeof(*cli->args));
	if (!cli->options || !cli->spec || !cli->args)
		return hd_no_memory(err);

	while (p.at < p.n_words) {
		const char *word = p.words[p.at++];

		if (p.plain || word[0] != '-' || !word[1])
			r = take_word(&p, word, err);
		else if (strcmp(word, "--"))
			r = take_option(&p, word, err);
		else
			r = 0, p.plain = true;
		if (r)
			return r;
	}
	return finish(cli, err);
}

bool hd_args_want_json(size_t argc, const char *const *argv)
{
	for (size_t i = 0; i < argc; i++)
		if (!strcmp(argv[i], "-j") || !strcmp(argv[i], "--json"))
			return true;
	return false;
}

const struct hd_group *hd_group_find(const char *word)
{
	const struct hd_noun *noun = hd_noun_find(word);

	for (size_t i = 0; i < hd_n_groups; i++)
		if (noun ? hd_groups[i]->noun == noun : !strcmp(hd_groups[i]->word, word))
			return hd_groups[i];
	return NULL;
}

const struct hd_command *hd_command_find(const struct hd_group *group, const char *verb)
{
	for (size_t i = 0; i < group->n_commands; i++)
		if (group->commands[i].verb && !strcmp(group->commands[i].verb, verb))
			return &group->commands[i];
	return NULL;
}

bool hd_command_takes(const struct hd_command *command, const struct hd_option *option)
{
	if (option->flags & HD_OPT_UNTYPED)
		return false;
	return command->spec == HD_SPEC_ADD ||
	       (command->spec == HD_SPEC_SET && !(option->flags & HD_OPT_FIXED));
}

/* Says in front which command it is about, once that is known. */
__attribute__((format(printf, 3, 4))) static int usage(const struct hd_cli *cli,
						       struct hd_error *err, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a longer text is cut */
	va_end(ap);
	if (!cli->group)
		return hd_error_set(err, HD_ERR_USAGE, "%s", text);
	return hd_error_set(err, HD_ERR_USAGE, "%s: %s", hd_cli_title(cli), text);
}

/* ---- words ---- */

static int refuse_later(struct hd_error *err, const char *what)
{
	return hd_error_set(err, HD_ERR_USAGE, "%s is not available yet", what);
}

static int unknown_group(const char *word, struct hd_error *err)
{
	struct hd_near near = { .typed = word };
	int r;

	for (const struct hd_later *later = hd_later_words; later->word; later++) {
		if (!strcmp(later->word, word))
			return refuse_later(err, word);
		hd_near_offer(&near, later->word);
	}
	for (size_t i = 0; i < hd_n_groups; i++) {
		hd_near_offer(&near, hd_groups[i]->hidden ? NULL : hd_groups[i]->word);
		hd_near_offer(&near, hd_groups[i]->noun ? hd_groups[i]->noun->alias : NULL);
	}
	r = hd_error_set(err, HD_ERR_USAGE, "unknown word '%s'", word);
	hd_error_hint(err, "'heddle --help' lists nouns and commands");
	hd_near_hint(&near, "", err);
	return r;
}

static int unknown_verb(const struct hd_group *group, const char *word, struct hd_error *err)
{
	struct hd_near near = { .typed = word };
	int r = hd_error_set(err, HD_ERR_USAGE, "%s has no verb '%s'", group->word, word);

	for (size_t i = 0; i < group->n_commands; i++)
		hd_near_offer(&near, group->commands[i].verb);
	hd_error_hint(err, "'heddle %s --help' lists the verbs", group->word);
	hd_near_hint(&near, "", err);
	return r;
}

/* A single command is complete with its first word. */
static int take_group(struct hd_cli *cli, const char *word, struct hd_error *err)
{
	const struct hd_group *group = hd_group_find(word);

	if (!group)
		return unknown_group(word, err);
	cli->group = group;
	if (!group->commands[0].verb)
		cli->command = &group->commands[0];
	return 0;
}

static int take_verb(struct hd_cli *cli, const char *word, struct hd_error *err)
{
	cli->command = hd_command_find(cli->group, word);
	if (!cli->command)
		return unknown_verb(cli->group, word, err);
	if (hd_command_is_later(cli->command))
		return refuse_later(err, hd_cli_title(cli));
	return 0;
}

static int take_word(struct parser *p, const char *word, struct hd_error *err)
{
	struct hd_cli *cli = p->cli;

	if (!cli->group)
		return take_group(cli, word, err);
	if (!cli->command)
		return take_verb(cli, word, err);
	if (cli->n_args >= cli->command->max_args)
		return usage(cli, err, "unexpected '%s'", word);
	cli->args[cli->n_args++] = word;
	return 0;
}

/* ---- options ---- */

static const struct {
	const char *letter;
	const char *name;
} letters[] = {
	{ "-i", "instance" }, { "-j", "json" },	 { "-h", "help" },
	{ "-f", "file" },     { "-n", "count" },
};

/* "--mtu=1400" is the name "mtu" and the value "1400"; "-f" is another spelling of "--file". */
static char *option_name(const char *word, const char **ret_value)
{
	if (strncmp(word, "--", 2)) {
		for (size_t i = 0; i < HD_COUNT(letters); i++)
			if (!strcmp(letters[i].letter, word))
				return strdup(letters[i].name);
		return strdup(word);
	}
	word += 2;
	if (!strchr(word, '='))
		return strdup(word);
	*ret_value = strchr(word, '=') + 1;
	return strndup(word, (size_t)(*ret_value - 1 - word));
}

static const struct hd_option *in_table(const struct hd_option *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

static const struct hd_option *own_option(const struct hd_cli *cli, const char *name)
{
	const struct hd_option *opt = NULL;

	if (cli->command)
		opt = in_table(cli->command->options, cli->command->n_options, name);
	return opt ? opt : in_table(hd_global_options, hd_n_global_options, name);
}

static const struct hd_noun *options_of(const struct hd_cli *cli)
{
	if (!cli->command || cli->command->spec == HD_SPEC_NONE)
		return NULL;
	return hd_command_noun(cli->group, cli->command);
}

static const struct hd_option *noun_option(const struct hd_cli *cli, const char *name)
{
	const struct hd_noun *noun = options_of(cli);
	const struct hd_option *opt = noun ? hd_option_find(noun, name) : NULL;

	return opt && !(opt->flags & HD_OPT_UNTYPED) ? opt : NULL;
}

static void offer_options(struct hd_near *near, const struct hd_cli *cli)
{
	const struct hd_command *command = cli->command;
	const struct hd_noun *noun = options_of(cli);

	for (size_t i = 0; i < hd_n_global_options; i++)
		hd_near_offer(near, hd_global_options[i].name);
	for (size_t i = 0; command && i < command->n_options; i++)
		hd_near_offer(near, command->options[i].name);
	for (size_t i = 0; noun && i < noun->n_options; i++)
		if (hd_command_takes(command, &noun->options[i]))
			hd_near_offer(near, noun->options[i].name);
}

/* An option of a file may be looked for here. */
static void hint_untyped(const struct hd_cli *cli, const char *name, struct hd_error *err)
{
	const struct hd_noun *noun = options_of(cli);
	const struct hd_option *opt = noun ? hd_option_find(noun, name) : NULL;

	if (opt && opt->item && opt->flags & HD_OPT_LIST)
		hd_error_hint(err, "'heddle %s %s-add' adds a %s", cli->group->word,
			      opt->item->name, opt->item->name);
	else if (opt)
		hd_error_hint(err, "it has verbs of its own: see 'heddle %s --help'",
			      cli->group->word);
}

static void hint_help(const struct hd_cli *cli, struct hd_error *err)
{
	if (cli->group)
		hd_error_hint(err, "see 'heddle %s --help'", hd_cli_title(cli));
	else
		hd_error_hint(err, "see 'heddle --help'");
}

static int unknown_option(const struct hd_cli *cli, const char *word, const char *name,
			  struct hd_error *err)
{
	struct hd_near near = { .typed = name };
	int r = usage(cli, err, "unknown option '%s'", word);

	offer_options(&near, cli);
	hint_help(cli, err);
	hd_near_hint(&near, "--", err);
	hint_untyped(cli, name, err);
	return r;
}

/*
 * "heddle fdb --network blue": an option that is not global belongs to the verb that is left out.
 */
static void imply_list(struct hd_cli *cli, const char *name)
{
	if (cli->group && !cli->command && !own_option(cli, name))
		cli->command = hd_command_find(cli->group, "list");
}

static int check_allowed(const struct hd_cli *cli, const struct hd_option *opt, bool own,
			 struct hd_error *err)
{
	int r;

	if (opt->flags & HD_OPT_LATER)
		return usage(cli, err, "--%s is not available yet", opt->name);
	if (own || hd_command_takes(cli->command, opt))
		return 0;
	r = usage(cli, err, "--%s can't be changed", opt->name);
	hd_error_hint(err, "delete the %s and add it again", cli->group->noun->name);
	return r;
}

/* Takes the reference to @value. */
static int append(json_t *into, const char *key, json_t *value, struct hd_error *err)
{
	json_t *list = json_object_get(into, key);

	if (!list) {
		list = json_array();
		if (json_object_set_new(into, key, list)) {
			json_decref(value);
			return hd_no_memory(err);
		}
	}
	return json_array_append_new(list, value) ? hd_no_memory(err) : 0;
}

/* The same; a flag that is given twice says nothing new. */
static int store(const struct hd_cli *cli, const struct hd_option *opt, json_t *into, json_t *value,
		 struct hd_error *err)
{
	if (opt->flags & HD_OPT_LIST)
		return append(into, opt->name, value, err);
	if (opt->type != HD_TYPE_FLAG && json_object_get(into, opt->name)) {
		json_decref(value);
		return usage(cli, err, "--%s is given twice", opt->name);
	}
	return json_object_set_new(into, opt->name, value) ? hd_no_memory(err) : 0;
}

static bool is_global(const struct hd_option *opt)
{
	return opt >= hd_global_options && opt < hd_global_options + hd_n_global_options;
}

/*
 * What is wrong with a value of an object's option is an invalid object, as it would be in a file.
 */
static int wrong_value(const struct hd_cli *cli, const struct hd_option *opt, struct hd_error *err)
{
	struct hd_error why = err ? *err : (struct hd_error){};
	int r = usage(cli, err, "%s", why.message);

	if (err && !is_global(opt))
		err->code = why.code;
	if (why.hint[0])
		hd_error_hint(err, "%s", why.hint);
	return r;
}

static int store_text(struct hd_cli *cli, const struct hd_option *opt, bool own, const char *text,
		      struct hd_error *err)
{
	json_t *value;

	if (own && !strcmp(opt->name, "file")) {
		cli->file = text;
		value = json_true();
	} else if (hd_option_from_text(opt, text, &value, err)) {
		return wrong_value(cli, opt, err);
	}
	return store(cli, opt, own ? cli->options : cli->spec, value, err);
}

static int take_value(struct parser *p, const struct hd_option *opt, const char **value,
		      struct hd_error *err)
{
	if (opt->type == HD_TYPE_FLAG) {
		if (*value)
			return usage(p->cli, err, "--%s takes no value", opt->name);
		return 0;
	}
	if (!*value && p->at < p->n_words)
		*value = p->words[p->at++];
	if (*value)
		return 0;
	p->cli->wants = opt;
	return usage(p->cli, err, "--%s needs a value: %s", opt->name, opt->meta);
}

static int take_option(struct parser *p, const char *word, struct hd_error *err)
{
	const struct hd_option *opt;
	const char *value = NULL;
	_free_ char *name = option_name(word, &value);
	bool own;
	int r;

	if (!name)
		return hd_no_memory(err);
	imply_list(p->cli, name);
	opt = own_option(p->cli, name);
	own = opt;
	if (!opt)
		opt = noun_option(p->cli, name);
	if (!opt)
		return unknown_option(p->cli, word, name, err);
	r = check_allowed(p->cli, opt, own, err);
	if (r)
		return r;
	r = take_value(p, opt, &value, err);
	if (r)
		return r;
	return store_text(p->cli, opt, own, value, err);
}

/* ---- is it complete ---- */

static int missing(const struct hd_cli *cli, const char *dashes, const char *what,
		   struct hd_error *err)
{
	int r = usage(cli, err, "%s%s is missing", dashes, what);

	hint_help(cli, err);
	return r;
}

static int check_required(const struct hd_cli *cli, const struct hd_option *table, size_t n,
			  const json_t *given, struct hd_error *err)
{
	for (size_t i = 0; i < n; i++)
		if ((table[i].flags & HD_OPT_REQUIRED) && !(table[i].flags & HD_OPT_UNTYPED) &&
		    !json_object_get(given, table[i].name))
			return missing(cli, "--", table[i].name, err);
	return 0;
}

static int check_complete(const struct hd_cli *cli, struct hd_error *err)
{
	const struct hd_command *command = cli->command;
	const struct hd_noun *noun = options_of(cli);
	int r;

	if (cli->n_args < command->min_args)
		return missing(cli, "", hd_command_args(cli->group, command), err);
	r = check_required(cli, command->options, command->n_options, cli->options, err);
	if (!r && command->spec == HD_SPEC_ADD)
		r = check_required(cli, noun->options, noun->n_options, cli->spec, err);
	if (!r && command->no_dry_run && hd_cli_flag(cli, "dry-run"))
		r = usage(cli, err, "--dry-run is not available yet");
	return r;
}

/* "heddle" is "heddle status", "heddle NOUN" is "heddle NOUN list", and so is "heddle flow". */
static int finish(struct hd_cli *cli, struct hd_error *err)
{
	if (hd_cli_flag(cli, "help") || hd_cli_flag(cli, "version"))
		return 0;
	if (!cli->group)
		cli->group = hd_group_find("status");
	if (!cli->command)
		cli->command = hd_command_find(cli->group, "list");
	if (!cli->command)
		cli->command = &cli->group->commands[0];
	return check_complete(cli, err);
}
