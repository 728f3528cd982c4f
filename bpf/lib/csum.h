/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* csum.h - Internet checksums (RFC 1071, RFC 1624) */
#pragma once

#include "lib/base.h"

/** csum_fold - a sum of 16-bit words, made one of them; its complement is a checksum */
static __always_inline __u32 csum_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/** csum_replace - a checksum after a word of what it is of has become another (RFC 1624, equation 3) */
static __always_inline __u16 csum_replace(__u16 csum, __u16 old, __u16 new)
{
	__u32 sum = (__u16)~csum + (__u32)(__u16)~old + new;

	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}
