/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* groups.h - the groups, each in the file of its name */
#pragma once

#include "cli/command.h"

extern const struct hd_group hd_group_uplink;
extern const struct hd_group hd_group_peer;
extern const struct hd_group hd_group_network;
extern const struct hd_group hd_group_subnet;
extern const struct hd_group hd_group_router;
extern const struct hd_group hd_group_security_group;
extern const struct hd_group hd_group_port;
extern const struct hd_group hd_group_floating_ip;
extern const struct hd_group hd_group_port_forward;
extern const struct hd_group hd_group_firewall;
extern const struct hd_group hd_group_fdb;
extern const struct hd_group hd_group_neighbour;
extern const struct hd_group hd_group_status;
extern const struct hd_group hd_group_stats;
extern const struct hd_group hd_group_flow;
extern const struct hd_group hd_group_trace;
extern const struct hd_group hd_group_drops;
extern const struct hd_group hd_group_explain;
extern const struct hd_group hd_group_monitor;
extern const struct hd_group hd_group_apply;
extern const struct hd_group hd_group_diff;
extern const struct hd_group hd_group_validate;
extern const struct hd_group hd_group_export;
extern const struct hd_group hd_group_cni;
extern const struct hd_group hd_group_purge;
extern const struct hd_group hd_group_help;
extern const struct hd_group hd_group_complete;
