/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* change.h - from one desired state to the next: all of it or nothing */
#pragma once

#include "daemon.h"

/**
 * hd_change_commit - validate a candidate, store it, bring the kernel to it, and make it the model
 * @daemon:    the daemon
 * @candidate: taken, whatever happens
 * @dry_run:   only say what would change
 * @ret:       new reference: what changed, as docs/api.md describes it
 * @err:       what is wrong; then nothing has changed
 *
 * A store that is committed last: a daemon that is killed half-way finds the old state when it starts, and sweeps the rest away.
 */
int hd_change_commit(struct hd_daemon *daemon, struct hd_model *candidate, bool dry_run,
		     json_t **ret, struct hd_error *err);

/** hd_change_check - whether a candidate could be committed, as far as that can be known before; gives numbers to what is new */
int hd_change_check(struct hd_daemon *daemon, struct hd_model *candidate, struct hd_error *err);
