/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * masq.h - routers whose outside is the host's own address at an uplink (masquerade)
 *
 * The host keeps all that is not known to be a workload's: an answer on a flow, what comes to a port forward, an error about either. What goes out
 * takes the host's own routes and neighbours: the kernel looks for them when the packet is sent (hd_port_send()).
 */
#pragma once

#include "lib/frag.h"
#include "lib/judge.h"
#include "lib/nat.h"

static __always_inline bool masq_has_flow(const struct hd_pkt *pkt)
{
	__u32 side = hd_flow_side(pkt->ip);
	const struct hd_rflow_value *rflow = hd_rflow_find(pkt, side, FLOW_ESTABLISHED);

	if (!rflow || !hd_flow_is_live(pkt->ip, &rflow->flow))
		rflow = hd_rflow_find(pkt, side, FLOW_UNCONFIRMED);
	return rflow && hd_flow_is_live(pkt->ip, &rflow->flow);
}

/*
 * An error is a workload's if it is about a flow of one: at a port that one has the host may have a service as well, which must hear what does not fit. The
 * header in the scratch becomes that of what is quoted; stage route parses the packet anew.
 */
static __always_inline bool masq_is_related(struct hd_pkt *pkt)
{
	struct hd_ip *ip = pkt->ip;

	if (parse_quoted(pkt, ip->l4_off + 8) < 0)
		return false;
	hd_memcpy(ip->saddr, ip->nat_to_addr, 16);
	if (ip->nat & NAT_DST_PORT)
		ip->sport = ip->nat_to_port;
	return masq_has_flow(pkt);
}

/**
 * hd_masq_find - whether the packet in hand, which has come to the host's address, is a workload's; its router is left in the scratch
 * @ctx: only looked at
 *
 * Of pieces the host has those that come before the first.
 */
__noinline int hd_masq_find(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx };
	struct hd_ip *ip;
	int r;

	if (!flow_recall(&pkt, 1))
		return 0;
	ip = pkt.ip;
	ip->nat = ip->flags & HD_IP_ICMP_ERROR ? NAT_ERROR : 0;
	ip->listen_addr = ip->as_addr = 0;
	if ((ip->flags & HD_IP_LATER) && hd_frag_ports(HD_STAGE_UPLINK_IN) < 0)
		return 0;
	if (!ip_is_v4(ip))
		r = nat_arrive6(ctx, ip, HD_NETWORK_HOST, HD_END_FORWARDS6 | HD_END_NAT6);
	else if (ip->nat & NAT_ERROR)
		r = nat_error_in(ctx, ip, HD_NETWORK_HOST);
	else
		r = nat_arrive(ip, HD_NETWORK_HOST);
	if (!r)
		return 0;
	if (ip->nat & NAT_ERROR)
		return masq_is_related(&pkt);
	return (ip->nat & NAT_FORWARD) || masq_has_flow(&pkt);
}
