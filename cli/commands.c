// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * commands.c - the table of groups, the global options, and how a command reads what it was given
 */
#include "cli/command.h"

#include <stdio.h>

#include "cli/groups.h"

const struct hd_group *const hd_groups[] = {
	&hd_group_uplink,	&hd_group_peer,		  &hd_group_network,  &hd_group_subnet,
	&hd_group_router,	&hd_group_security_group, &hd_group_port,     &hd_group_floating_ip,
	&hd_group_port_forward, &hd_group_firewall,	  &hd_group_fdb,      &hd_group_neighbour,
	&hd_group_status,	&hd_group_stats,	  &hd_group_flow,     &hd_group_trace,
	&hd_group_drops,	&hd_group_explain,	  &hd_group_monitor,  &hd_group_apply,
	&hd_group_diff,		&hd_group_validate,	  &hd_group_export,   &hd_group_cni,
	&hd_group_purge,	&hd_group_help,		  &hd_group_complete,
};
const size_t hd_n_groups = HD_COUNT(hd_groups);

const struct hd_option hd_global_options[] = {
	{ .name = "instance",
	  .type = HD_TYPE_NAME,
	  .meta = "INSTANCE",
	  .dflt = "default",
	  .help = "which heddled to talk to; also -i" },
	{ .name = "json", .type = HD_TYPE_FLAG, .help = "results and errors as JSON; also -j" },
	{ .name = "dry-run",
	  .type = HD_TYPE_FLAG,
	  .help = "show what would change, change nothing" },
	{ .name = "timeout",
	  .type = HD_TYPE_UINT,
	  .min = 1,
	  .max = 86400,
	  .meta = "SECONDS",
	  .dflt = "10",
	  .help = "give up waiting for an answer after this time" },
	{ .name = "help", .type = HD_TYPE_FLAG, .help = "this text; also -h" },
	{ .name = "version", .type = HD_TYPE_FLAG, .help = "print the version" },
};
const size_t hd_n_global_options = HD_COUNT(hd_global_options);

bool hd_cli_flag(const struct hd_cli *cli, const char *option)
{
	return json_object_get(cli->options, option);
}

const char *hd_cli_text(const struct hd_cli *cli, const char *option)
{
	return json_string_value(json_object_get(cli->options, option));
}

json_int_t hd_cli_number(const struct hd_cli *cli, const char *option, json_int_t dflt)
{
	const json_t *value = json_object_get(cli->options, option);

	return value ? json_integer_value(value) : dflt;
}

void hd_cli_done(struct hd_cli *cli)
{
	json_decref(cli->options);
	json_decref(cli->spec);
	free(cli->args);
	*cli = (struct hd_cli){};
}

const char *hd_command_title(const struct hd_group *group, const struct hd_command *command)
{
	static char title[64];

	if (!group)
		return "heddle";
	if (!command || !command->verb)
		return group->word;
	(void)snprintf(title, sizeof(title), "%s %s", group->word, command->verb);
	return title;
}

const char *hd_cli_title(const struct hd_cli *cli)
{
	return hd_command_title(cli->group, cli->command);
}

const struct hd_noun *hd_command_noun(const struct hd_group *group,
				      const struct hd_command *command)
{
	return command->noun ? command->noun : group->noun;
}

bool hd_command_is_later(const struct hd_command *command)
{
	return !command->run;
}

const char *hd_command_args(const struct hd_group *group, const struct hd_command *command)
{
	if (command->args || !command->max_args)
		return command->args;
	return group->noun->key_meta;
}

int hd_no_memory(struct hd_error *err)
{
	return hd_error_set(err, HD_ERR_FAILED, "out of memory");
}
