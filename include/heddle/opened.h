/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * opened.h - what XDP says to TC about a packet that it has taken out of a tunnel
 *
 *   device ─▶ hd_uplink_xdp: outer headers off ─▶ GRO: inner packets become one ─▶ hd_uplink_opened: whose is it? ─▶ as any frame from a peer
 *
 *               ┌──────────────────┬──────────┬──────────
 *               │ struct hd_opened │ Ethernet │ IP, ARP ...       XDP metadata: in front of the frame, and part of the packet's state
 *               │                  │ (inner)  │                   until it leaves by a device
 *               └──────────────────┴──────────┴──────────
 *
 * It is the same for all packets of a tunnel, since GRO puts only packets together whose metadata is the same. Whoever changes its layout changes
 * the magic number, too: packets that the old program has opened may still be on their way to the new one.
 */
#pragma once

#include "heddle/types.h"

#define HD_OPENED_MAGIC 0x48644f31

/**
 * struct hd_opened - XDP metadata of an opened packet
 * @magic:   HD_OPENED_MAGIC until somebody has read it, then 0
 * @port:    peer that it came from
 * @network: network that it belongs to
 */
struct hd_opened {
	__u32 magic;
	__u32 port;
	__u32 network;
};
HD_ASSERT_SIZE(struct hd_opened, 12); /* a multiple of 4, at most 32: what XDP metadata may be */
HD_ASSERT_OFFSET(struct hd_opened, port, 4);
HD_ASSERT_OFFSET(struct hd_opened, network, 8);
