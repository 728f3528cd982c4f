/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* finish_xdp.h - the single exit of XDP programs, as finish.h is that of the others */
#pragma once

#include "lib/port.h"

/**
 * hd_finish - end a program
 * @pkt: packet
 * @r:   HD_VERDICT_PASS, HD_VERDICT_REDIRECT, HD_VERDICT_BACK, or -HD_DROP_x
 *
 * Return: an XDP action.
 */
static __always_inline int hd_finish(struct hd_pkt *pkt, int r)
{
	if (r < 0)
		hd_drop(pkt, pkt->port, -r);
	if (r != HD_VERDICT_PASS) /* TC reports what it gets, from the beginning */
		hd_live_end(pkt);
	if (r < 0)
		return XDP_DROP;
	return r == HD_VERDICT_REDIRECT ? XDP_REDIRECT : r == HD_VERDICT_BACK ? XDP_TX : XDP_PASS;
}
