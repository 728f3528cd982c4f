/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * publish.h - ports of the host that lead to workloads, for the host's own connections
 *
 * What the host sends to its own address never leaves it, so no router sees it. So connect() is asked: a socket that is to be connected to
 * such a port, at the host's address or at 127.0.0.1, is connected to the workload itself, which the host reaches by its leg in the network.
 */
#pragma once

#include "heddle/types.h"

/** HD_PUBLISHED_MAX - port forwards that the host can use itself */
#define HD_PUBLISHED_MAX 16384

/** struct hd_publish_key - what is asked for; network order */
struct hd_publish_key {
	__be32 ip;
	__be16 port;
	__u8 protocol;
	__u8 pad;
};
HD_ASSERT_SIZE(struct hd_publish_key, 8);

/** struct hd_publish_value - what is meant; network order */
struct hd_publish_value {
	__be32 ip;
	__be16 port;
	__u16 pad;
};
HD_ASSERT_SIZE(struct hd_publish_value, 8);

/**
 * struct hd_host_config - configuration of host.bpf.c, constant for the life of a loaded object
 * @netns: cookie of the namespace that is the host
 */
struct hd_host_config {
	__u64 netns;
};
HD_ASSERT_SIZE(struct hd_host_config, 8);
