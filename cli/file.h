/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* file.h - the file that a command is given with -f */
#pragma once

#include "cli/command.h"

#define HD_OPTION_FILE(more, text)                                                                 \
	{                                                                                          \
		.name = "file", .type = HD_TYPE_STRING, .flags = (more), .meta = "FILE",           \
		.help = text "heddle.yaml, in YAML or JSON; '-' is standard input; also -f"        \
	}

/**
 * hd_cli_read_file - read the whole file, or standard input for "-"
 * @cli:     cli->file is its name; afterwards the name for messages
 * @ret:     malloc'ed bytes, not NUL-terminated; untouched on failure
 * @ret_len: how many
 *
 * Return: 0 or -errno.
 */
int hd_cli_read_file(struct hd_cli *cli, char **ret, size_t *ret_len, struct hd_error *err);
