/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * command.h - what a command is, and what one call of it carries
 *
 *   heddle [GLOBAL]... GROUP [VERB] [ARG]... [--option VALUE]...
 *
 * A group is a noun of the schema ("port") with its verbs, verbs without a noun ("flow"), or a
 * single command ("status"), whose verb is NULL. The table of groups in commands.c drives the parser, the help and the completion.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/client.h"
#include "cli/out.h"
#include "heddlectl/error.h"
#include "heddlectl/schema.h"

#ifndef HD_VERSION
#define HD_VERSION "0.1.0"
#endif

#define HD_COUNT(table) (sizeof(table) / sizeof((table)[0]))

struct hd_cli;

/** enum hd_spec_use - which of the noun's options a command takes */
enum hd_spec_use {
	HD_SPEC_NONE,
	HD_SPEC_ADD, /* all, the required ones must be there */
	HD_SPEC_SET, /* those that may change later */
};

/**
 * struct hd_command - one verb of a group
 * @verb:       NULL if the group is the command
 * @help:       one line
 * @args:       placeholders of its arguments in help; NULL if it has none or the object's name is
 *              meant
 * @min_args:   arguments it needs
 * @max_args:   arguments it takes
 * @spec:       which of the noun's options it takes as well
 * @noun:       whose options @spec means; NULL: those of the group's noun
 * @no_dry_run: it changes something and can't tell in advance what
 * @options:    its own options
 * @n_options:  how many
 * @run:        0, or -errno with the error set; NULL: not available yet
 */
struct hd_command {
	const char *verb;
	const char *help;
	const char *args;
	unsigned int min_args;
	unsigned int max_args;
	enum hd_spec_use spec;
	const struct hd_noun *noun;
	bool no_dry_run;
	const struct hd_option *options;
	size_t n_options;
	int (*run)(struct hd_cli *cli, struct hd_error *err);
};

/**
 * struct hd_group - the first word of a command line
 * @word:       as typed
 * @help:       one line
 * @noun:       the kind of configured object; NULL for a single command, and for verbs on what is
 *              not configured
 * @key_type:   what NAME is: HD_TYPE_NAME, or the HD_TYPE_MAC or HD_TYPE_IP that follows "NETWORK/"
 *              in the API
 * @commands:   its verbs
 * @n_commands: how many
 * @columns:    what "list" shows
 * @n_columns:  how many
 * @hidden:     not for people
 */
struct hd_group {
	const char *word;
	const char *help;
	const struct hd_noun *noun;
	enum hd_type key_type;
	const struct hd_command *commands;
	size_t n_commands;
	const struct hd_column *columns;
	size_t n_columns;
	bool hidden;
};

/**
 * struct hd_cli - one call
 * @group:   NULL for "heddle --help"
 * @command: NULL for "heddle port --help"
 * @args:    the command's arguments; the strings are borrowed from argv
 * @n_args:  how many
 * @options: values of the global and the command's own options
 * @spec:    values of the noun's options
 * @file:    argument of --file as typed; it is bytes, not text
 * @wants:   option that the command line ended after, without its value; for completion
 * @client:  the way to the daemon
 * @out:     where results go
 */
struct hd_cli {
	const struct hd_group *group;
	const struct hd_command *command;
	const char **args;
	size_t n_args;
	json_t *options;
	json_t *spec;
	const char *file;
	const struct hd_option *wants;
	struct hd_client client;
	struct hd_out out;
};

/** hd_groups - all of them, in the order of the help */
extern const struct hd_group *const hd_groups[];
extern const size_t hd_n_groups;

/** hd_global_options - accepted with every command */
extern const struct hd_option hd_global_options[];
extern const size_t hd_n_global_options;

/** hd_cli_flag - whether a global or own option of the command was given */
bool hd_cli_flag(const struct hd_cli *cli, const char *option);

/** hd_cli_text - value of such an option, borrowed; NULL if it was not given */
const char *hd_cli_text(const struct hd_cli *cli, const char *option);

/** hd_cli_number - value of such an option, or @dflt */
json_int_t hd_cli_number(const struct hd_cli *cli, const char *option, json_int_t dflt);

/** hd_cli_done - free what the call owns */
void hd_cli_done(struct hd_cli *cli);

/**
 * hd_command_title - "port add" or "status"; valid until the next call; @group and @command may be
 * NULL
 */
const char *hd_command_title(const struct hd_group *group, const struct hd_command *command);

/** hd_cli_title - the same for what a call has got to, for messages */
const char *hd_cli_title(const struct hd_cli *cli);

/** hd_command_noun - the noun whose options a command takes with its @spec; NULL for none */
const struct hd_noun *hd_command_noun(const struct hd_group *group,
				      const struct hd_command *command);

/** hd_command_is_later - whether it is promised, and not available yet */
bool hd_command_is_later(const struct hd_command *command);

/** hd_command_args - placeholders of a command's arguments, NULL if it takes none */
const char *hd_command_args(const struct hd_group *group, const struct hd_command *command);

/** hd_no_memory - the error of a failed allocation; returns -errno */
int hd_no_memory(struct hd_error *err);
