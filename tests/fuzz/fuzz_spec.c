// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* fuzz_spec.c - any JSON as the options of every noun: no crash, and the canonical form is its own
 * canonical form */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "heddlectl/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_noun(const struct hd_noun *noun, const json_t *spec, bool partial)
{
	_json_ json_t *once = NULL, *twice = NULL;
	_free_ char *once_text = NULL, *twice_text = NULL;
	struct hd_error err = { 0 };

	if (hd_spec_canonical(noun, "x", spec, partial, &once, &err) < 0) {
		require(err.message[0] != '\0' && err.where[0] != '\0' && !once);
		return;
	}
	require(hd_spec_canonical(noun, "x", once, partial, &twice, &err) == 0);
	once_text = json_dumps(once, JSON_COMPACT);
	twice_text = json_dumps(twice, JSON_COMPACT);
	require(once_text && twice_text && !strcmp(once_text, twice_text));
}

/* The input as what somebody typed behind each option. */
static void check_texts(const struct hd_noun *noun, const char *text)
{
	for (size_t i = 0; i < noun->n_options; i++) {
		_json_ json_t *json = NULL;

		if (hd_option_from_text(&noun->options[i], text, &json, NULL) == 0)
			require(json != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_json_ json_t *spec =
		json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	_free_ char *text = strndup((const char *)data, size);

	(void)hd_name_ok(text);
	for (size_t i = 0; i < HD_NOUN_COUNT; i++) {
		(void)hd_name_check(&hd_nouns[i], text, NULL);
		check_texts(&hd_nouns[i], text);
		if (!spec)
			continue;
		check_noun(&hd_nouns[i], spec, false);
		check_noun(&hd_nouns[i], spec, true);
	}
	return 0;
}
