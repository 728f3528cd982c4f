// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* fuzz_file.c - any bytes as heddle.yaml: no crash, and what was understood survives being written
 * and read again */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/file.h"
#include "cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_locate(const struct hd_file *file, const char *where)
{
	struct hd_error err;

	hd_error_set(&err, HD_ERR_INVALID, "x");
	hd_error_where(&err, "%s", where);
	hd_file_locate(file, &err);
	require(err.line > 0 && err.column > 0);
}

/* Down the first members, and past the end of what is there. */
static void check_paths(const struct hd_file *file, const char *text, size_t len)
{
	char path[200] = "";
	void *iter = json_object_iter(hd_file_root(file));

	if (iter)
		(void)snprintf(path, sizeof(path), "%s/0/%.*s", json_object_iter_key(iter),
			       (int)(len % 100), text);
	check_locate(file, path);
	(void)snprintf(path, sizeof(path), "%.*s", (int)(len % sizeof(path)), text);
	check_locate(file, path);
}

static void check_round_trip(const struct hd_file *file)
{
	_free_ char *yaml = hd_file_emit_yaml(hd_file_root(file));
	struct hd_file *again = NULL;

	require(yaml);
	require(hd_file_parse(yaml, strlen(yaml), &again, NULL) == 0);
	require(json_equal(hd_file_root(file), hd_file_root(again)));
	hd_file_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct hd_file *file = NULL;
	struct hd_error err = { 0 };

	if (hd_file_parse(text, size, &file, &err) < 0) {
		require(err.message[0] != '\0' && !file);
		return 0;
	}
	check_round_trip(file);
	check_paths(file, text, size);
	hd_file_free(file);
	return 0;
}
