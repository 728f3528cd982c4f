/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vlan.h - VLANs inside of a network: which of them a port carries, and in what form
 *
 * A port with a VLAN mode puts each frame that comes in into one VLAN of its network, takes the tag that said so off, and remembers its
 * priority. In between a frame is untagged, and its VLAN is part of every key. A port that it leaves by puts a tag on, or not:
 *
 *   mode              untagged, VID 0 in     tagged N in               VLAN N out                    flags (HD_PORT_VLAN, and)
 *   access            own VLAN               dropped                   own only, untagged            -
 *   trunk             VLAN 0, if carried     VLAN N, if carried        tagged; VLAN 0 untagged       TRUNK
 *   native-tagged     own VLAN               VLAN N, if carried        tagged                        TRUNK, NATIVE_TAGGED
 *   native-untagged   own VLAN               VLAN N, if carried        tagged; own VLAN untagged     TRUNK
 *   dot1q-tunnel      own VLAN               own VLAN, tag goes along  own only, as it is            TUNNEL
 *
 * Tags are 802.1Q or 802.1ad: the number counts, the kind is kept. Beneath the tag that was taken off there may be another one. It is content:
 * no rule can be asked about it, and it never leaves as the outer one except from a tunnel port, whose customer had put it on.
 *
 * A port without a VLAN mode belongs to VLAN 0 and does not look at tags: those of its frames are content.
 */
#pragma once

#include "heddle/types.h"

/* VLAN ids: 12 bits; the last one means nothing on a wire. */
#define HD_VLAN_NONE 0
#define HD_VLAN_MAX 4094
#define HD_VLAN_MASK 0xfff

#define HD_TRUNK_WORDS 128

/**
 * struct hd_trunk_value - value of hd_trunks, by port id: the VLANs that it carries, with HD_PORT_TRUNK_LIST
 * @bits: bit N & 31 of word N >> 5 is VLAN N
 */
struct hd_trunk_value {
	__u32 bits[HD_TRUNK_WORDS];
};
HD_ASSERT_SIZE(struct hd_trunk_value, 512);
