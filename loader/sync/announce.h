/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * announce.h - tell those outside that an address of a router is here now, and behind which MAC (gratuitous ARP, unsolicited neighbour advertisements)
 *
 * Announced are the addresses of external gateways and floating IPs, by the leg of their network: when they are new on this host, have got another MAC,
 * or their leg has come up. All of it is seen in the tables that are in force; what they held before the daemon started is not new.
 */
#pragma once

#include "compile/compile.h"

struct hd_announcer;

/** hd_announcer_new - what is in @tables has been announced before; NULL without memory */
struct hd_announcer *hd_announcer_new(const struct hd_tables *tables);
void hd_announcer_free(struct hd_announcer *announcer); /* NULL is fine */

/** hd_announcer_follow - @tables are in force: announce what is new there. 0 or -ENOMEM: some of it may not have been announced. */
int hd_announcer_follow(struct hd_announcer *announcer, const struct hd_tables *tables);

/** hd_announcer_repeat - once more, what was announced a moment ago; to be called every two seconds */
void hd_announcer_repeat(struct hd_announcer *announcer);
