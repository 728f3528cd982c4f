/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* near.h - "did you mean": the known word that is nearest to a mistyped one */
#pragma once

#include "heddlectl/error.h"

/**
 * struct hd_near - a search for the nearest word
 * @typed:    what the user wrote
 * @best:     nearest word so far; NULL while none is near enough
 * @distance: its distance
 */
struct hd_near {
	const char *typed;
	const char *best;
	unsigned int distance;
};

/** hd_near_offer - consider @word; the search keeps the pointer. NULL is ignored. */
void hd_near_offer(struct hd_near *near, const char *word);

/**
 * hd_near_hint - give the error the hint "did you mean 'PREFIXbest'?" if a word was near enough;
 * else leave it alone
 */
void hd_near_hint(const struct hd_near *near, const char *prefix, struct hd_error *err);

/**
 * hd_edit_distance - letters to insert, remove, change, or swap with their neighbour to make @b of
 * @a
 *
 * Return: the distance; UINT_MAX for words of over 63 letters, which are no typing mistakes.
 */
unsigned int hd_edit_distance(const char *a, const char *b);
