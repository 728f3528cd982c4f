/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * publish.h - ports of the host that lead to workloads, for the host's own sockets
 *
 * What the host sends to its own address never leaves it, so no router sees it. So the sockets are asked: what is to be sent to such a port, at an
 * address of the host, is sent to the workload itself, which the host reaches by its leg in the network.
 *
 *      ::ffff:127.0.0.1:8080/tcp ──▶ ::ffff:10.77.0.3:80     a port forward that listens there
 *      ::ffff:0.0.0.0:8081/tcp   ──▶ ::ffff:10.77.0.4:80     at each address of the host,
 *      ::ffff:192.0.2.1          ──▶ (nothing)               of which this is one: port and protocol are 0
 *
 * Addresses are IPv6, or IPv4 mapped (RFC 4291 section 2.5.5.2): one table, one code.
 */
#pragma once

#include "heddle/types.h"

/** HD_PUBLISHED_MAX - port forwards that the host can use itself, and its addresses */
#define HD_PUBLISHED_MAX 16384

/** struct hd_publish_key - what is asked for; network order */
struct hd_publish_key {
	__be32 addr[4];
	__be16 port;
	__u8 protocol;
	__u8 pad;
};
HD_ASSERT_SIZE(struct hd_publish_key, 20);

/** struct hd_publish_value - what is meant; network order */
struct hd_publish_value {
	__be32 addr[4];
	__be16 port;
	__u16 pad;
};
HD_ASSERT_SIZE(struct hd_publish_value, 20);

/**
 * struct hd_host_config - configuration of host.bpf.c, constant for the life of a loaded object
 * @netns: cookie of the namespace that is the host
 */
struct hd_host_config {
	__u64 netns;
};
HD_ASSERT_SIZE(struct hd_host_config, 8);
