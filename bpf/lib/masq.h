/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * masq.h - routers whose outside is the host's own address at an uplink (masquerade)
 *
 * The host keeps all that is not known to be a workload's: an answer on a flow, what comes to a port forward, an error about either. What goes out
 * takes the host's own routes and neighbours: the kernel looks for them when the packet is sent (hd_port_send()).
 */
#pragma once

#include "lib/frag.h"
#include "lib/nat.h"

static __always_inline bool masq_has_flow(const struct hd_pkt *pkt)
{
	__u32 side = hd_flow_side(pkt->ip);
	const struct hd_rflow_value *rflow = hd_rflow_find(pkt, side, FLOW_ESTABLISHED);

	if (!rflow || !hd_flow_is_live(pkt->ip, &rflow->flow))
		rflow = hd_rflow_find(pkt, side, FLOW_UNCONFIRMED);
	return rflow && hd_flow_is_live(pkt->ip, &rflow->flow);
}

/**
 * hd_masq_find - whether the packet in hand, which has come to the host's address, is a workload's; its router is left in the scratch
 * @ctx: only looked at
 *
 * Of pieces the host has those that come before the first.
 */
__noinline int hd_masq_find(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = {};

	if (!flow_recall(&pkt, 1))
		return 0;
	pkt.ip->nat = pkt.ip->flags & HD_IP_ICMP_ERROR ? NAT_ERROR : 0;
	pkt.ip->listen_addr = pkt.ip->as_addr = 0;
	if ((pkt.ip->flags & HD_IP_LATER) && hd_frag_ports(HD_STAGE_UPLINK_IN) < 0)
		return 0;
	if (pkt.ip->nat & NAT_ERROR)
		return nat_error_in(ctx, pkt.ip, HD_NETWORK_HOST);
	if (!nat_arrive(pkt.ip, HD_NETWORK_HOST))
		return 0;
	return (pkt.ip->nat & NAT_FORWARD) || masq_has_flow(&pkt);
}
