/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* finish.h - the single exit of every program: verdict in, hook's return code out, drops counted */
#pragma once

#include "lib/send.h"
#include "lib/shared.h"

/**
 * hd_finish - end a program
 * @pkt: packet
 * @r:   enum hd_verdict, or -HD_DROP_x
 *
 * TC_ACT_UNSPEC lets the programs behind ours see what we pass; both tcx and clsact then go on. What is the host's as well goes on in any case.
 *
 * Return: a TC action.
 */
static __always_inline int hd_finish(struct hd_pkt *pkt, int r)
{
	if (r < 0)
		hd_drop(pkt, pkt->blame ? pkt->blame : pkt->port, -r);
	hd_live_end(pkt);
	if (r == HD_VERDICT_PASS)
		return TC_ACT_UNSPEC;
	if (r == HD_VERDICT_REDIRECT)
		return TC_ACT_REDIRECT;
	if (hd_leg_is_hosts_too(pkt)) {
		pkt->ctx->tc_index = 0;
		return TC_ACT_UNSPEC;
	}
	return TC_ACT_SHOT; /* for HD_VERDICT_DONE tcx has no other word */
}
