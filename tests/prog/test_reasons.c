// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_reasons.c - no reason to drop without a packet that provoked it in one of the tests before
 */
#include "tests/prog/fixture.h"

#include <stdio.h>

/* Reasons that no packet can provoke, and why. */
static const char *excuse(uint32_t reason)
{
	switch (reason) {
	case HD_DROP_NO_MEMORY:
		return "the kernel would have to run out of memory at the right moment";
	case HD_DROP_ENCAP:
		return "a test run can't make a super-packet that is in a tunnel already";
	default:
		return NULL;
	}
}

static void every_reason_was_provoked(void **state)
{
	static const struct {
		uint32_t number;
		const char *name;
	} reasons[] = {
#define X(number, symbol, name, sentence, remedy) { number, name },
		HD_REASONS(X)
#undef X
	};
	unsigned int missing = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		const char *why = excuse(reasons[i].number);

		if (!was_provoked(reasons[i].number) != !!why) {
			print_error("%s: %s\n", reasons[i].name,
				    why ? "was provoked, so it needs no excuse"
					: "no test provokes it");
			missing++;
		}
	}
	assert_int_equal(missing, 0);
}

int reason_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_was_provoked),
	};

	return cmocka_run_group_tests_name("reasons", tests, NULL, NULL);
}
