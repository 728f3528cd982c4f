/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vanished.h - ports of containers that went without a word
 *
 * A runtime that is killed, or a machine that starts again, calls no DEL. The port is down then, for all to see, and after a while it is removed, if its namespace is
 * certainly gone (sandbox.h). If that is there, or nobody knows, the port stays: somebody has removed the device of a container that lives.
 */
#pragma once

#include "daemon.h"

struct hd_vanished;

/** hd_vanished_new - nothing seen yet; NULL if there is no memory */
struct hd_vanished *hd_vanished_new(void);
void hd_vanished_free(struct hd_vanished *vanished);

/** hd_vanished_look - remove what has been gone for long enough; seconds until it is worth another look, 0 = not until a port goes down */
uint32_t hd_vanished_look(struct hd_vanished *vanished, struct hd_daemon *daemon);
