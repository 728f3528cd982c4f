/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* shared.h - frames that come in by a leg, at a device that the host uses, too */
#pragma once

#include "lib/leg.h"

/** hd_leg_is_hosts - whether a frame for a leg is the host's and nobody else's */
static __always_inline bool hd_leg_is_hosts(const struct hd_pkt *pkt,
					    const struct hd_port_value *leg)
{
	return (leg->flags & HD_PORT_SHARED) && pkt->ctx->pkt_type == PACKET_HOST;
}

/** hd_leg_is_hosts_too - whether a frame that came in by a leg goes to the host as well, whatever becomes of it here */
static __always_inline bool hd_leg_is_hosts_too(const struct hd_pkt *pkt)
{
	return pkt->from && (pkt->from->flags & HD_PORT_SHARED) &&
	       (pkt->ctx->pkt_type == PACKET_BROADCAST || pkt->ctx->pkt_type == PACKET_MULTICAST);
}
