// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* route.c - a static route of a router as people read it */
#include "cli/route.h"

#include <stdio.h>
#include <string.h>

#include "cli/out.h"
#include "loader/cleanup.h"

char *hd_route_text(const json_t *route)
{
	json_int_t weight = json_integer_value(json_object_get(route, "weight"));
	const char *via = json_string_value(json_object_get(route, "via"));
	char *text;
	int r;

	if (!via)
		r = asprintf(&text, "%s blackhole", hd_text_at(route, "prefix"));
	else if (weight > 1)
		r = asprintf(&text, "%s via %s weight %" JSON_INTEGER_FORMAT,
			     hd_text_at(route, "prefix"), via, weight);
	else
		r = asprintf(&text, "%s via %s", hd_text_at(route, "prefix"), via);
	return r < 0 ? NULL : text;
}

char *hd_route_via_text(const json_t *route)
{
	const char *via = json_string_value(json_object_get(route, "via"));

	return strdup(via ? via : "blackhole");
}
