/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rate.h - so many in a second, and no more */
#pragma once

#include "lib/pkt.h"

/**
 * hd_rate_take - whether this is one of the first @limit of its second, and count it
 * @word:  second in the upper, count in the lower 16 bits; shared by all CPUs
 * @limit: below 65000
 *
 * What is over the limit is not counted, so that however many there are the count never gets into the second's bits. CPUs that meet at
 * the turn of a second may let some more pass.
 */
static __always_inline bool hd_rate_take(__u32 *word, __u32 limit)
{
	__u32 second = (__u32)bpf_jiffies64() / hd_cfg.hz << 16;

	if ((*word & 0xffff0000) != second)
		*word = second;
	if ((*word & 0xffff) >= limit)
		return false;
	return (__sync_fetch_and_add(word, 1) & 0xffff) < limit;
}
