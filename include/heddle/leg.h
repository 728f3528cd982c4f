/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * leg.h - networks that go on in a physical network: flat and VLAN networks at an uplink
 *
 * Such a network has a *leg* at the uplink that carries its physical network: a pseudo port, a member of the ring like any other, whose
 * device is the uplink. Learning, flooding, flows, counters and drops need not know. What is special is what a frame looks like there:
 *
 *      inside of the network                     on the wire, at a leg of
 *                                                VLAN N                  flat
 *      VLAN 0, no tag                 <------->  tag N                   no tag, or VID 0
 *      VLAN 0, a tag as content       <------->  tag N, then that one    - (it would be in a VLAN of others)
 *      other VLANs                               -                       -
 *
 * Priority bits of a tag that is taken off are kept, and of one that is put on they are those that the frame came with. So a network's id here
 * has nothing to do with the tag there; there may be more networks than there are tags.
 *
 *      uplink ─▶ uplink.in: a tunnel packet for us? ─▶ hd_legs (uplink, VID) ─▶ leg ─▶ as a frame that came in by a port
 *                                                        └─ none, or it is the host's ─▶ host stack
 *
 * What is the host's: with HD_PORT_SHARED untagged frames to the device's own MAC, and a copy of those to many. Frames with the tag of a
 * network are never the host's.
 */
#pragma once

#include "heddle/types.h"

/**
 * struct hd_leg_key - key of hd_legs; its value is the port id of a leg
 * @uplink: port id
 * @vid:    of the outer 802.1Q tag; 0 = there is none
 */
struct hd_leg_key {
	__u32 uplink;
	__u32 vid;
};
HD_ASSERT_SIZE(struct hd_leg_key, 8);

/* MACs that may be learned at a leg at a time: there may be a large network behind it. */
#define HD_LEG_MACS 65536
