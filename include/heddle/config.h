/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* config.h - read-only configuration of each BPF object; the verifier folds what is off away */
#pragma once

#include "heddle/types.h"

/* Idle times after which a flow ends, by what it is; indices into struct hd_port_config.timeouts. */
enum hd_timeout {
	HD_TIMEOUT_TCP_ESTABLISHED,
	HD_TIMEOUT_TCP_TRANSITORY, /* one side has closed */
	HD_TIMEOUT_TCP_HALF_OPEN,
	HD_TIMEOUT_TCP_CLOSED, /* both sides have closed, or a reset came */
	HD_TIMEOUT_UDP,	       /* both sides have spoken */
	HD_TIMEOUT_UDP_NEW,
	HD_TIMEOUT_ICMP,
	HD_TIMEOUT_OTHER,
	HD_TIMEOUT_FRAGMENT,
	HD_TIMEOUT_COUNT,
};

/* Their names in heddled.conf, and defaults in seconds. */
#define HD_TIMEOUTS(X)                                                                             \
	X(HD_TIMEOUT_TCP_ESTABLISHED, "tcp-established", 7440)                                     \
	X(HD_TIMEOUT_TCP_TRANSITORY, "tcp-transitory", 240)                                        \
	X(HD_TIMEOUT_TCP_HALF_OPEN, "tcp-half-open", 30)                                           \
	X(HD_TIMEOUT_TCP_CLOSED, "tcp-closed", 10)                                                 \
	X(HD_TIMEOUT_UDP, "udp", 300)                                                              \
	X(HD_TIMEOUT_UDP_NEW, "udp-new", 30)                                                       \
	X(HD_TIMEOUT_ICMP, "icmp", 60)                                                             \
	X(HD_TIMEOUT_OTHER, "other", 300)                                                          \
	X(HD_TIMEOUT_FRAGMENT, "fragment", 30)

/**
 * struct hd_port_config - configuration of port.bpf.c, constant for the life of a loaded object
 * @hz:        jiffies in a second, as the running kernel counts
 * @max_ports: entries of hd_ports; bounds the walk around a network
 * @flows_per_port: established flows that one port may have begun
 * @trace:     enum hd_trace_mode: whether this is the datapath, its twin, or the one that reports what it does
 * @nat_spread: a port of a block is looked for from a random one of the first so many and one, a power of two; 0 = the lowest is next
 * @timeouts:  in jiffies, by enum hd_timeout
 */
struct hd_port_config {
	__u32 hz;
	__u32 max_ports;
	__u32 flows_per_port;
	__u32 trace;
	__u32 nat_spread;
	__u32 timeouts[HD_TIMEOUT_COUNT];
};
HD_ASSERT_SIZE(struct hd_port_config, 56);
