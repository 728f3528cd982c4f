/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * heard.h - packets of a flow from behind a peer teach the same thing over and over: what they have taught is noted in the flow
 *
 * The note says: a packet with this MAC has come from that side of the flow a moment ago, and hd_fdb has it there since. It is made of the MAC, of the
 * number that changes with hd_fdb (heddle/epoch.h), and of the time, so that it does not outlive any of them; the entry in hd_fdb is kept young by the
 * packets that renew the note. 31 bits tell notes apart: who hits one by chance sends to where his flow leads, without its MAC being learned.
 */
#pragma once

#include "lib/fdb.h"
#include "lib/flow.h"

/* A quarter to a half of a second, in powers of two of jiffies. hd_cfg is known when the program is loaded, so this is one shift. */
static __always_inline __u32 heard_when(void)
{
	__u32 shift = hd_cfg.hz >= 1000 ? 8 : hd_cfg.hz >= 250 ? 6 : 5;

	return flow_now() >> shift;
}

static __always_inline __u32 fdb_epoch(void)
{
	const struct hd_epoch *epoch = hd_epoch_now();

	return epoch ? *(const volatile __u32 *)&epoch->fdb : 0;
}

static __always_inline __u32 heard_note(const __u8 mac[6], __u32 epoch)
{
	__u32 low = mac[2] << 24 | mac[3] << 16 | mac[4] << 8 | mac[5];

	return (low ^ epoch * 0x9e3779b1 ^ heard_when() * 0x85ebca6b) | 1;
}

/** hd_heard_from - whether a MAC was heard from a side of the flow a moment ago, and is known there */
static __always_inline bool hd_heard_from(const struct hd_flow_value *flow, __u32 side,
					  const __u8 mac[6])
{
	return flow->heard[side & 1] == heard_note(mac, fdb_epoch());
}

/**
 * hd_hear - learn the packet's source MAC, if its flow does not say that it is known; for packets from peers
 *
 * Return: as hd_fdb_learn().
 */
static __always_inline int hd_hear(struct hd_pkt *pkt, struct hd_flow_value *flow, __u32 side)
{
	__u32 epoch = fdb_epoch(); /* before the table is asked */
	int r;

	if (flow->heard[side & 1] == heard_note(pkt->src, epoch))
		return 0;
	r = hd_fdb_learn(pkt);
	if (r == 0 && hd_may_write())
		flow->heard[side & 1] = heard_note(pkt->src, epoch);
	return r;
}
