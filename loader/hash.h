/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hash.h - hashes: not against forgery, only to see whether it is the same */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** HD_HASH_START - what the first hd_hash() goes on from */
#define HD_HASH_START 2166136261u

/** hd_hash - FNV-1a, of @len bytes more */
static inline uint32_t hd_hash(uint32_t h, const void *data, size_t len)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ byte[i]) * 16777619u;
	return h;
}

/** HD_HASH64_START, hd_hash64 - the same of 64 bits */
#define HD_HASH64_START 0xcbf29ce484222325ULL

static inline uint64_t hd_hash64(uint64_t h, const void *data, size_t len)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ byte[i]) * 0x100000001b3ULL;
	return h;
}

/** hd_hash_mix - the last step of murmur3: spreads what FNV leaves in the low bits, so that sums of such hashes don't cancel out */
static inline uint32_t hd_hash_mix(uint32_t h)
{
	h = (h ^ h >> 16) * 0x85ebca6bu;
	h = (h ^ h >> 13) * 0xc2b2ae35u;
	return h ^ h >> 16;
}
