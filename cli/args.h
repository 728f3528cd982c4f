/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* args.h - from the words of a command line to a call */
#pragma once

#include "cli/command.h"

/**
 * hd_args_parse - understand a command line
 * @cli:  zeroed; filled as far as it was understood, also on failure; the caller calls
 *        hd_cli_done()
 * @argc: words
 * @argv: without the program's name; must outlive @cli
 * @err:  what was wrong, with a hint
 *
 * Global options stand anywhere. A word that is an option's value is never looked at as an option,
 * and after "--" no word is. With --help or --version nothing needs to be complete.
 * Return: 0 or -errno.
 */
int hd_args_parse(struct hd_cli *cli, size_t argc, const char *const *argv, struct hd_error *err);

/**
 * hd_args_want_json - whether -j or --json is among the words; for errors in a line that could not
 * be parsed
 */
bool hd_args_want_json(size_t argc, const char *const *argv);

/** hd_group_find - by word, or by plural or alias of a noun; NULL if there is none */
const struct hd_group *hd_group_find(const char *word);

/** hd_command_find - verb of a group; NULL if there is none */
const struct hd_command *hd_command_find(const struct hd_group *group, const char *verb);

/**
 * hd_command_takes - whether a command accepts this option of its noun. Lists of rules are changed
 * rule by rule, and the number of a rule is given by the daemon: no command takes either.
 */
bool hd_command_takes(const struct hd_command *command, const struct hd_option *option);
