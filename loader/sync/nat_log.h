/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nat_log.h - which inside address had which ports of which external address, and when (RFC 6888 REQ-14, RFC 7422)
 *
 * A line for each block of ports of routers with nat-log: when it is handed out, which the datapath tells by a ring buffer, and when it is returned. What
 * was said is compared with what the tables hold: so a block is in the log although the ring was full, a daemon that starts says what is held, and a
 * return is seen whoever took the block back.
 */
#pragma once

#include "model/model.h"
#include "sync/datapath.h"

struct hd_nat_log;

/** hd_nat_log_fn - a line, without its end */
typedef void (*hd_nat_log_fn)(void *arg, const char *line);

/**
 * hd_nat_log_open - begin to read what the datapath tells
 * @dp: borrowed for the life of it
 */
int hd_nat_log_open(const struct hd_datapath *dp, hd_nat_log_fn fn, void *arg,
		    struct hd_nat_log **ret);

/** hd_nat_log_close - NULL is fine */
void hd_nat_log_close(struct hd_nat_log *log);

/** hd_nat_log_fd - readable when there is something for hd_nat_log_read(); borrowed */
int hd_nat_log_fd(const struct hd_nat_log *log);

/** hd_nat_log_read - say what has been handed out */
void hd_nat_log_read(struct hd_nat_log *log, const struct hd_model *model);

/** hd_nat_log_compare - the same, and all else in which the tables differ from what was said; looks at all inside addresses if any router has a log */
void hd_nat_log_compare(struct hd_nat_log *log, const struct hd_model *model);

/** hd_nat_log_follow - the model has changed: compare if that can have handed out, taken back, or begun or ended a log */
void hd_nat_log_follow(struct hd_nat_log *log, const struct hd_model *model);
