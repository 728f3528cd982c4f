/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * seek.h - know the next hops outside before somebody needs them, and notice when they are gone
 *
 * The datapath asks for a next hop when a packet needs it, in the place of that packet. The daemon asks for the gateway of each external network when a
 * router gets its way out there or its leg comes up, every two seconds while there is no answer, and every half minute otherwise, so that it stays known. The
 * answers go to the router: the datapath learns from them as from all others. A dead daemon costs nothing but the first packet.
 */
#pragma once

#include "compile/compile.h"
#include "sync/datapath.h"

struct hd_seeker;

struct hd_seeker *hd_seeker_new(void); /* NULL without memory */
void hd_seeker_free(struct hd_seeker *seeker);

/** hd_seeker_follow - @tables are in force: ask for next hops that are new there; 0 or -ENOMEM */
int hd_seeker_follow(struct hd_seeker *seeker, const struct hd_tables *tables);

/** hd_seeker_repeat - to be called every two seconds */
void hd_seeker_repeat(struct hd_seeker *seeker, const struct hd_datapath *dp);

/**
 * struct hd_next_hop - of a router's gateway
 * @there:  it has one outside, and somebody can be asked there
 * @addr:   IPv6, or IPv4 mapped
 * @mac:    all zero: it has never said which
 * @heard:  it was, not too long ago
 * @silent: it was asked some times, and nothing was heard of it since
 */
struct hd_next_hop {
	bool there;
	uint8_t addr[16];
	uint8_t mac[6];
	bool heard;
	bool silent;
};

/** hd_seeker_next_hop - of the router with this number, for one family: HD_V4, HD_V6 */
struct hd_next_hop hd_seeker_next_hop(const struct hd_seeker *seeker, const struct hd_datapath *dp,
				      const struct hd_tables *tables, uint32_t router, int family);
