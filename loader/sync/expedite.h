/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * expedite.h - shorter RCU grace periods while programs are attached and detached
 *
 * Since tcx the kernel waits out a grace period for each link, under the lock of all network configuration: 8 to 20 ms a link, 27 s for a
 * thousand ports, and nobody else can configure a device meanwhile. With expedited grace periods the same takes 75 ms. The
 * switch is machine-wide, so it is on only from the first link of a run to the end of the run; that it was us who turned it on is
 * noted under the pins, so that a daemon that is killed in between is cleaned up after by the next one.
 */
#pragma once

#include <stdbool.h>

/** hd_expedite_begin - turn it on if nobody has; true if it was us. @dir: where to note it. */
bool hd_expedite_begin(const char *dir);

/** hd_expedite_end - turn it off again, if the note in @dir says that it was us; fine to call when nothing was begun */
void hd_expedite_end(const char *dir);
