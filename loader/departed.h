/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* departed.h - remove ports of which somebody has noted that they are not needed any more */
#pragma once

#include "daemon.h"

/** hd_departed_remove - read the notes, see heddlectl/departed.h; what can't be removed is logged, and its note stays */
void hd_departed_remove(struct hd_daemon *daemon);
