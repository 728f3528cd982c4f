/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* config.h - read-only configuration of each BPF object; the verifier folds what is off away */
#pragma once

#include "heddle/types.h"

/**
 * struct hd_port_config - configuration of port.bpf.c, constant for the life of a loaded object
 * @hz:        jiffies in a second, as the running kernel counts
 * @max_ports: entries of hd_ports; bounds the walk around a network
 */
struct hd_port_config {
	__u32 hz;
	__u32 max_ports;
};
HD_ASSERT_SIZE(struct hd_port_config, 8);
