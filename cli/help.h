/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* help.h - what --help prints, made from the tables that the parser goes by */
#pragma once

#include "cli/command.h"

/** hd_help_print - help for what the call has got to: all of heddle, a group, or one command */
void hd_help_print(FILE *file, const struct hd_group *group, const struct hd_command *command);
