/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * underlay.h - the ways to peers: which device, which next hop, what MAC, how large a packet
 *
 * The kernel's routes and neighbours decide; nothing is configured. What they say goes into the peer's entry of hd_ends, from where the datapath
 * takes it for each packet. News about them (netlink) has all ways looked at again; what differs is written.
 */
#pragma once

#include "model/model.h"
#include "sync/devices.h"
#include "sync/told.h"

/**
 * struct hd_way - the way to one peer
 * @peer:    its id
 * @ifindex: device, 0 if there is none
 * @device:  its name
 * @mtu:     largest outer IP packet: what route and device allow, and @told
 * @told:    what a router on the way has said that it takes, 0 = nothing; it holds until @told_until (CLOCK_MONOTONIC, seconds)
 * @next:    next hop, IPv6 or IPv4 mapped
 * @to:      its MAC
 * @known:   the last next hop that has answered: device (0 = none), address and MAC. It is taken for there until it has been asked in vain
 * @from:    MAC of the device
 * @local:   our address
 * @up:      all of that is known
 * @reason:  why it is not up, static; "" when it is
 */
struct hd_way {
	uint32_t peer;
	uint32_t ifindex;
	char device[IFNAMSIZ];
	uint32_t mtu;
	uint32_t told;
	int64_t told_until;
	struct hd_ip next;
	uint8_t to[6];
	struct {
		uint32_t ifindex;
		uint8_t next[16];
		uint8_t mac[6];
	} known;
	uint8_t from[6];
	uint8_t local[16];
	bool up;
	const char *reason;
	UT_hash_handle hh;
};

/** hd_ways_look - look at the ways to all peers of @model; true if one is not as it was in @ways */
bool hd_ways_look(struct hd_way **ways, const struct hd_devices *devices,
		  const struct hd_model *model);

/** hd_ways_keep - have the kernel ask next hops that have not answered, or not for long; so it notices when one moves */
void hd_ways_keep(struct hd_way *ways, const struct hd_devices *devices);

/** hd_ways_told - take account of what a router has said; true if that makes a way narrower */
bool hd_ways_told(struct hd_way *ways, const struct hd_model *model, const struct hd_told *told);

/** hd_way_of - way to a peer, NULL if it was not looked for */
const struct hd_way *hd_way_of(const struct hd_way *ways, uint32_t peer);

void hd_ways_done(struct hd_way **ways);
