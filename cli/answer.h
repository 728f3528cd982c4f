/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* answer.h - errors of requests, for those who make them: client.c by libcurl, cni/http.c by itself */
#pragma once

#include "cli/client.h"

/** hd_answer_refused - nobody could be asked; @why: errno of connect(). Each of these returns -errno with @err set. */
int hd_answer_refused(const struct hd_client *client, int why, struct hd_error *err);

/** hd_answer_timeout - nobody has answered in time */
int hd_answer_timeout(const struct hd_client *client, struct hd_error *err);

/** hd_answer_broken - the answer has not come to its end */
int hd_answer_broken(struct hd_error *err);

/** hd_answer_error - the daemon's own error; @answer: what came with it, NULL if that is no JSON */
int hd_answer_error(const json_t *answer, long status, struct hd_error *err);
