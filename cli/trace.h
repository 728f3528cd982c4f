/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* trace.h - showing what was decided about packets */
#pragma once

#include "cli/command.h"

/** hd_trace_print - one packet: its steps, the rule that allowed it, the verdict */
void hd_trace_print(struct hd_out *out, const json_t *trace);

/** hd_trace_live - heddle trace --live: real packets, until interrupted or so many as are asked for; 0 or -errno */
int hd_trace_live(struct hd_cli *cli, struct hd_error *err);
