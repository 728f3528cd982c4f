/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* object.h - the verbs that all nouns share, driven by the schema */
#pragma once

#include "cli/command.h"

/** hd_object_commands - add, set, del, show, list of a noun whose names are plain */
extern const struct hd_command hd_object_commands[];
enum { HD_N_OBJECT_COMMANDS = 5 };

/* Options that the tables of several nouns hold. */
#define HD_OPTION_MAY_EXIST                                                                        \
	{                                                                                          \
		.name = "may-exist", .type = HD_TYPE_FLAG,                                         \
		.help = "fine if the very same object exists"                                      \
	}
#define HD_OPTION_IF_EXISTS                                                                        \
	{                                                                                          \
		.name = "if-exists", .type = HD_TYPE_FLAG, .help = "fine if it does not exist"     \
	}
#define HD_OPTION_UNSET                                                                            \
	{                                                                                          \
		.name = "unset", .type = HD_TYPE_NAME, .flags = HD_OPT_LIST, .meta = "OPTION",     \
		.help = "put this option back to its default"                                      \
	}
#define HD_OPTION_NETWORK(more)                                                                    \
	{                                                                                          \
		.name = "network", .type = HD_TYPE_NAME, .flags = (more), .meta = "NET",           \
		.refers = "network", .help = "the network it belongs to"                           \
	}

/*
 * Entries of a noun's table of commands, for nouns that have verbs of their own besides. NAME is
 * the only argument.
 */
#define HD_OBJECT_COMMAND(word, text, table, n, how, function)                                     \
	{                                                                                          \
		.verb = (word), .help = (text), .min_args = 1, .max_args = 1, .spec = (how),       \
		.options = (table), .n_options = (n), .run = (function)                            \
	}
#define HD_OBJECT_ADD                                                                              \
	HD_OBJECT_COMMAND("add", "make one", hd_object_add_options, 1, HD_SPEC_ADD, hd_object_add)
#define HD_OBJECT_SET                                                                              \
	HD_OBJECT_COMMAND("set", "change options in place; a list is replaced as a whole",         \
			  hd_object_set_options, 1, HD_SPEC_SET, hd_object_set)
#define HD_OBJECT_DEL                                                                              \
	HD_OBJECT_COMMAND("del", "remove one", hd_object_del_options, 1, HD_SPEC_NONE,             \
			  hd_object_del)
#define HD_OBJECT_SHOW(function)                                                                   \
	HD_OBJECT_COMMAND("show", "everything about one", NULL, 0, HD_SPEC_NONE, function)
#define HD_OBJECT_LIST                                                                             \
	{                                                                                          \
		.verb = "list", .help = "a line for each", .run = hd_object_list                   \
	}

/** hd_object_add_options - --may-exist, --unset and --if-exists: one for each of these verbs */
extern const struct hd_option hd_object_add_options[1];
extern const struct hd_option hd_object_set_options[1];
extern const struct hd_option hd_object_del_options[1];

int hd_object_add(struct hd_cli *cli, struct hd_error *err);
int hd_object_set(struct hd_cli *cli, struct hd_error *err);
int hd_object_del(struct hd_cli *cli, struct hd_error *err);
int hd_object_show(struct hd_cli *cli, struct hd_error *err);

/** hd_object_get - the object that the command line names; @ret is a new reference */
int hd_object_get(const struct hd_cli *cli, json_t **ret, struct hd_error *err);

/**
 * hd_object_list - those objects that have the value of each own option of the command that was
 * given
 */
int hd_object_list(struct hd_cli *cli, struct hd_error *err);

/**
 * hd_object_name - the API's name of the object that a command line means
 * @cli: args[0] is what the user calls it; a MAC or address is put behind its --network
 * @ret: malloc'ed, untouched on failure
 *
 * Return: 0 or -errno.
 */
int hd_object_name(const struct hd_cli *cli, char **ret, struct hd_error *err);

/** hd_vlan_text - for a column: the VLAN of a row, nothing for VLAN 0; malloc'ed */
char *hd_vlan_text(const json_t *row);
