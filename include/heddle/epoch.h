/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * epoch.h - numbers that change with tables, so that what was found in them can be remembered
 *
 * Who remembers something notes the number that he read before he looked. While it is the same, so is the answer. Who changes a table changes the
 * number afterwards: from then on nobody goes by what was there before.
 */
#pragma once

#include "heddle/types.h"

/**
 * struct hd_epoch - the only entry of hd_epoch; mapped into the daemon, so that both sides count with atomic operations
 * @underlay: changes with hd_peers and hd_tunnels
 * @fdb:      changes when a MAC gets to be known, or known elsewhere, in hd_fdb; not when it is forgotten
 */
struct hd_epoch {
	__u32 underlay;
	__u32 fdb;
};
HD_ASSERT_SIZE(struct hd_epoch, 8);
