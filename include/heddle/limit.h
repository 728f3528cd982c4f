/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * limit.h - how many bytes a second a port may send and receive
 *
 * A token bucket for each direction, kept as one word: the time at which all that has passed would be through at the rate. What comes while
 * that time is not further ahead than the burst may pass, and moves it on by its own length.
 *
 *      now ──────────────── due ────────────────── now + burst ──▶ time
 *           what has passed      what may still pass              beyond: dropped
 *           and is "being sent"
 *
 * So no timer fills anything, the word is moved by one atomic addition, and CPUs that meet pass some packets more, which are paid for
 * afterwards. A packet passes whole or not at all: the last one may overdraw the burst. A super-packet counts with the headers of its segments.
 */
#pragma once

#include "heddle/policy.h"
#include "heddle/types.h"

/**
 * struct hd_limit - a rate and how far it may be exceeded for a moment
 * @bytes_s:  bytes a second, Ethernet header included; 0 = no limit
 * @burst_ns: the burst, as the time that it takes at this rate
 */
struct hd_limit {
	__u64 bytes_s;
	__u64 burst_ns;
};
HD_ASSERT_SIZE(struct hd_limit, 16);

/**
 * struct hd_limit_value - value of hd_limits, by port id
 * @dir: by enum hd_direction, as the workload sees it: HD_INGRESS is towards it
 */
struct hd_limit_value {
	struct hd_limit dir[2];
};
HD_ASSERT_SIZE(struct hd_limit_value, 32);

/**
 * struct hd_bucket - entry of hd_buckets, by port id
 * @due_ns: by enum hd_direction: on the clock of bpf_ktime_get_ns()
 */
struct hd_bucket {
	__u64 due_ns[2];
};
HD_ASSERT_SIZE(struct hd_bucket, 16);
