/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* config.h - heddled's command line and heddled.conf */
#pragma once

#include <stdbool.h>

#include "heddlectl/error.h"
#include "log.h"
#include "model/model.h"

/**
 * struct hd_config - how the daemon was started
 * @instance:   name; everything hangs off it
 * @state_dir:  folder of the database, made if it is missing
 * @run_dir:    folder of the socket, made if it is missing
 * @group:      group that may use the socket
 * @foreground: stay attached to the terminal
 * @log_level:  most detailed level that is shown
 * @vanished_s: seconds after which a port goes whose container is gone, 0 = never
 * @limits:     sizes of the tables
 */
struct hd_config {
	char instance[64];
	char state_dir[200];
	char run_dir[200];
	char group[33];
	bool foreground;
	enum hd_log_level log_level;
	uint32_t vanished_s;
	struct hd_limits limits;
};

/**
 * hd_config_parse - read the command line, and the file that it names or the default one
 * @ret: complete
 * @err: code HD_ERR_NONE after --help or --version have been answered
 *
 * Return: 0; 1 when there is nothing more to do; -errno.
 */
int hd_config_parse(int argc, char *argv[], struct hd_config *ret, struct hd_error *err);
