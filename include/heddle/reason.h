/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reason.h - why a packet was dropped: the one list
 *
 * Number, symbol, name, sentence, remedy. The enum of the datapath, `heddle explain`, `heddle drops` and the man page are made from
 * it. Numbers are part of the ABI: append, never renumber.
 */
#pragma once

#include "heddle/types.h"

#define HD_REASONS(X)                                                                               \
	X(1, HD_DROP_NO_PORT, "no-port",                                                            \
	  "The packet came in on a device that belongs to no port.",                                \
	  "Usual for a moment while a port is being removed; else 'heddle status'.")                \
	X(2, HD_DROP_SHORT_FRAME, "short-frame",                                                    \
	  "The frame is shorter than the headers it announces.",                                    \
	  "Look at what sends it; a correct network stack does not.")                               \
	X(3, HD_DROP_SOURCE_MAC, "source-mac",                                                      \
	  "The frame's source MAC is a multicast address or zero.",                                 \
	  "Look at what sends it; such an address can't be a sender.")                              \
	X(4, HD_DROP_MAC_STATIC, "mac-static",                                                      \
	  "The frame's source MAC is configured at another port of the network.",                   \
	  "Someone uses another's MAC, or the MAC moved: see 'heddle fdb' and 'heddle port set'.")  \
	X(5, HD_DROP_MAC_LIMIT, "mac-limit",                                                        \
	  "The port has learned as many MACs as the network allows, and this source is a new one.", \
	  "Raise it with 'heddle network set NET --port-mac-limit N' if so many are meant.")        \
	X(6, HD_DROP_LINK_LOCAL, "link-local-multicast",                                            \
	  "The destination is one that bridges never forward (01:80:c2:00:00:01 to :0f).",          \
	  "None is needed: LLDP, LACP, pause and 802.1X frames end at the next device.")            \
	X(7, HD_DROP_NO_MEMBER, "no-member",                                                        \
	  "There is no other port in the network that could take this frame.",                      \
	  "Usual for broadcasts while a port is alone or the others are down.")                     \
	X(8, HD_DROP_UNKNOWN_UNICAST, "unknown-unicast",                                            \
	  "The destination MAC is not known, and the network does not flood.",                      \
	  "Add it with 'heddle fdb add', or 'heddle network set NET --flood on'.")                  \
	X(9, HD_DROP_SAME_PORT, "same-port",                                                        \
	  "The destination MAC is behind the port the frame came from.",                            \
	  "If it should be sent back: 'heddle port set PORT --hairpin'.")                           \
	X(10, HD_DROP_ISOLATED, "isolated",                                                         \
	  "Both ports are isolated: they may not talk to each other.",                              \
	  "'heddle port show PORT' shows it; clear it at one of the two.")                          \
	X(11, HD_DROP_PORT_DOWN, "port-down", "The port that the packet should leave by is down.",  \
	  "'heddle port show PORT' says why.")                                                      \
	X(12, HD_DROP_MTU, "mtu",                                                                   \
	  "The packet is larger than the MTU of the port it should leave by.",                      \
	  "Use the same MTU on all ports of a network.")                                            \
	X(13, HD_DROP_REDIRECT, "redirect-failed",                                                  \
	  "The kernel could not hand the packet to the port's device.",                             \
	  "The device vanished or is out of memory at this moment; see 'heddle monitor'.")          \
	X(14, HD_DROP_TAIL_CALL, "tail-call", "A stage of the pipeline is not loaded.",             \
	  "This is a fault of heddle: restart heddled, then report it.")                            \
	X(15, HD_DROP_NO_MEMORY, "no-memory",                                                       \
	  "The kernel had no memory for a change of the packet.", "The host is short of memory.")

enum hd_reason {
	HD_DROP_NONE = 0,
#define X(number, symbol, name, sentence, remedy) symbol = number,
	HD_REASONS(X)
#undef X
};

#define HD_REASON_MAX 64

/**
 * struct hd_drop_key - key of hd_drops: one counter for each cause
 * @port:   port that the packet came from (port-out: goes to); HD_PORT_NONE if it is unknown or the table is full
 * @reason: enum hd_reason
 * @stage:  enum hd_stage in which it was decided
 */
struct hd_drop_key {
	__u32 port;
	__u16 reason;
	__u16 stage;
};
HD_ASSERT_SIZE(struct hd_drop_key, 8);

/**
 * struct hd_drop_value - value of hd_drops, one for each CPU
 * @packets: as the kernel hands them over
 * @bytes:   Ethernet header included
 */
struct hd_drop_value {
	__u64 packets;
	__u64 bytes;
};
HD_ASSERT_SIZE(struct hd_drop_value, 16);
