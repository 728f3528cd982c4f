// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* near.c - "did you mean": the known word that is nearest to a mistyped one */
#include "cli/near.h"

#include <limits.h>
#include <string.h>

enum { WORD_MAX = 63 };

/*
 * One mistake in a short word, two in a longer one: beyond that a guess annoys more than it helps.
 */
static unsigned int tolerance(const char *word)
{
	size_t len = strlen(word);

	if (len < 2)
		return 0;
	return len < 5 ? 1 : 2;
}

void hd_near_offer(struct hd_near *near, const char *word)
{
	unsigned int distance = word ? hd_edit_distance(near->typed, word) : UINT_MAX;

	if (distance > tolerance(near->typed) || (near->best && distance >= near->distance))
		return;
	near->best = word;
	near->distance = distance;
}

void hd_near_hint(const struct hd_near *near, const char *prefix, struct hd_error *err)
{
	if (near->best)
		hd_error_hint(err, "did you mean '%s%s'?", prefix, near->best);
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int least = a < b ? a : b;

	return least < c ? least : c;
}

/*
 * Optimal string alignment; row[i % 3][j] is the distance between the first i letters of a and the
 * first j of b.
 */
unsigned int hd_edit_distance(const char *a, const char *b)
{
	unsigned int row[3][WORD_MAX + 1];
	size_t len_a = strlen(a), len_b = strlen(b);

	if (len_a > WORD_MAX || len_b > WORD_MAX)
		return UINT_MAX;
	for (size_t j = 0; j <= len_b; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= len_a; i++) {
		unsigned int *cur = row[i % 3], *prev = row[(i + 2) % 3], *older = row[(i + 1) % 3];

		cur[0] = i;
		for (size_t j = 1; j <= len_b; j++) {
			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1,
				      prev[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    older[j - 2] + 1 < cur[j])
				cur[j] = older[j - 2] + 1;
		}
	}
	return row[len_a % 3][len_b];
}
