// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* text.c - values as people read them */
#include <inttypes.h>
#include <string.h>

#include "cli/out.h"
#include "loader/cleanup.h"

/*
 * Besides ASCII's control characters those from U+0080 to U+009F, which some terminals obey: C2 80
 * to C2 9F in UTF-8.
 */
void hd_text_clean(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		if (*c < 0x20 || *c == 0x7f)
			*c = '?';
		if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
			c[0] = c[1] = '?';
	}
}

static char *text_list(const json_t *list)
{
	char *text = NULL;
	size_t len, i;
	json_t *value;
	FILE *file = open_memstream(&text, &len);

	if (!file)
		return NULL;
	json_array_foreach(list, i, value) {
		_free_ char *item = hd_text_value(value);

		(void)fprintf(file, "%s%s", i ? "," : "", item ? item : "?");
	}
	(void)fclose(file);
	return text;
}

const char *hd_text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static char *text_number(json_int_t number)
{
	char *text;

	return asprintf(&text, "%" JSON_INTEGER_FORMAT, number) < 0 ? NULL : text;
}

char *hd_text_value(const json_t *value)
{
	char *text;

	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		text = strdup(json_string_value(value));
		if (text)
			hd_text_clean(text);
		return text;
	case JSON_INTEGER:
		return text_number(json_integer_value(value));
	case JSON_TRUE:
		return strdup("on");
	case JSON_FALSE:
		return strdup("off");
	case JSON_ARRAY:
		return text_list(value);
	case JSON_NULL:
		return strdup("");
	default:
		return json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
	}
}

/* Three significant digits; below 10000 the number itself is short enough. */
static char *text_scaled(json_int_t number, const char *unit)
{
	static const char prefix[] = "kMGTPE";
	double scaled = (double)number;
	int power = -1, decimals;
	char *text;

	if (number < 10000)
		return asprintf(&text, "%" PRId64 "%s", (int64_t)number, unit) < 0 ? NULL : text;
	do {
		scaled /= 1000;
		power++;
	} while (scaled >= 999.5);
	decimals = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
	return asprintf(&text, "%.*f%c%s", decimals, scaled, prefix[power], unit) < 0 ? NULL : text;
}

static char *text_seconds(json_int_t seconds)
{
	static const struct {
		json_int_t big, small;
		char big_unit, small_unit;
	} scales[] = { { 86400, 3600, 'd', 'h' }, { 3600, 60, 'h', 'm' }, { 60, 1, 'm', 's' } };
	char *text;

	for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++)
		if (seconds >= scales[i].big)
			return asprintf(&text, "%" PRId64 "%c%02" PRId64 "%c",
					(int64_t)(seconds / scales[i].big), scales[i].big_unit,
					(int64_t)(seconds % scales[i].big / scales[i].small),
					scales[i].small_unit) < 0
				       ? NULL
				       : text;
	return asprintf(&text, "%" JSON_INTEGER_FORMAT "s", seconds) < 0 ? NULL : text;
}

char *hd_text_number(json_int_t number, enum hd_format format)
{
	switch (format) {
	case HD_FORMAT_COUNT:
		return text_scaled(number, "");
	case HD_FORMAT_BYTES:
		return text_scaled(number, "B");
	case HD_FORMAT_SECONDS:
		return text_seconds(number);
	default:
		return text_number(number);
	}
}

char *hd_text_format(const json_t *value, enum hd_format format)
{
	if (!json_is_integer(value))
		return hd_text_value(value);
	return hd_text_number(json_integer_value(value), format);
}
