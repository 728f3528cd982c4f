// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* departed.c - remove ports of which somebody has noted that they are not needed any more */
#include "departed.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "change.h"
#include "cleanup.h"
#include "heddlectl/departed.h"
#include "log.h"

static void closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static int remove_port(struct hd_daemon *daemon, const char *name)
{
	struct hd_model *candidate = hd_model_copy(daemon->model);
	_json_ json_t *changes = NULL;
	struct hd_error err = { 0 };
	int r;

	if (!candidate)
		return log_err(-ENOMEM, "port %s: can't remove it", name);
	hd_model_del_cascade(candidate, name);
	r = hd_change_commit(daemon, candidate, false, &changes, &err);
	return r < 0 ? log_err(r, "port %s: can't remove it: %s", name, err.message) : 0;
}

static void read_notes(struct hd_daemon *daemon, const char *run_dir)
{
	char folder[300], path[600];
	CLEANUP(closedirp) DIR *dir = NULL;
	const struct dirent *entry;

	(void)snprintf(folder, sizeof(folder), "%s/%s/" HD_DEPARTED_FOLDER, run_dir,
		       daemon->config.instance);
	dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		if (!hd_name_ok(entry->d_name) || remove_port(daemon, entry->d_name) < 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		(void)unlink(path); /* if it stays it says the same again */
	}
}

void hd_departed_remove(struct hd_daemon *daemon)
{
	read_notes(daemon, daemon->config.run_dir);
	if (strcmp(daemon->config.run_dir, HD_RUN_DIR) != 0)
		read_notes(daemon, HD_RUN_DIR);
}
