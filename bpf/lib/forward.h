/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* forward.h - sending a packet where the FDB, or its flow, says, without leaving the program that it has come to */
#pragma once

#include "lib/flow.h"
#include "lib/heard.h"
#include "lib/send.h"

/**
 * hd_fdb_forward - send a unicast packet to the one port behind which its destination is
 * @to_id: what hd_fdb_lookup() found
 *
 * Return: HD_VERDICT_REDIRECT, HD_VERDICT_ENCAP or -HD_DROP_x.
 */
static __always_inline int hd_fdb_forward(struct hd_pkt *pkt, __u32 to_id)
{
	const struct hd_port_value *to = hd_port_lookup(to_id);
	int r;

	/* An entry may outlive its port until the daemon's sweep; the id may even be used in another network by then. */
	if (!to || !hd_port_is_in(pkt, to_id, to))
		return -HD_DROP_PORT_DOWN;
	if (to_id == pkt->port && !(to->flags & HD_PORT_HAIRPIN))
		return -HD_DROP_SAME_PORT;
	r = hd_port_may_send(pkt, to_id, to);
	if (r < 0)
		return r;
	return hd_port_send(pkt, to_id, to);
}

/* Whether the destination MAC is behind the port that the flow leads to. A configured MAC does not move, and one heard from there has not; others are asked for. */
static __always_inline bool flow_leads_to(const struct hd_pkt *pkt,
					  const struct hd_flow_value *flow, __u32 side,
					  const struct hd_port_value *to)
{
	__u32 to_id = flow->port[!side], found;

	if ((to->flags & HD_PORT_HAS_MAC) && mac_equal(pkt->dst, to->mac))
		return true;
	if ((to->flags & HD_PORT_TUNNEL) && hd_heard_from(flow, !side, pkt->dst))
		return true;
	found = hd_fdb_lookup(pkt);
	return found == to_id ||
	       found == HD_PORT_NONE; /* not heard for a while: the flow knows best */
}

/** hd_flow_send - count the packet for its flow and send it where the flow leads */
static __always_inline int hd_flow_send(struct hd_pkt *pkt, struct hd_flow_value *flow, __u32 side,
					__u32 to_id, const struct hd_port_value *to)
{
	int r = hd_port_may_send(pkt, to_id, to);

	if (r < 0)
		return r;
	hd_flow_count(pkt, flow, side);
	return hd_port_send(pkt, to_id, to);
}

/**
 * hd_flow_replay - what nearly every packet of a busy network takes: one lookup, and the decision that was made once
 * @ret: verdict, when true is returned
 *
 * Return: false if the packet must be judged: no live, established flow that was judged by the present configuration answers for it.
 */
static __always_inline bool hd_flow_replay(struct hd_pkt *pkt, int *ret)
{
	__u32 side = hd_flow_side(pkt->ip), to_id;
	const struct hd_port_value *to;
	struct hd_flow_value *flow;

	if (!flow_is_plain(pkt->ip))
		return false;
	flow = flow_find(pkt, side, FLOW_ESTABLISHED);
	if (!hd_flow_answers(pkt, flow, side))
		return false;
	to_id = flow->port[!side];
	to = hd_port_lookup(to_id);
	if (!to || !hd_port_is_in(pkt, to_id, to) || !flow_leads_to(pkt, flow, side, to))
		return false;
	if (flow->gen != pkt->from->gen + to->gen)
		return false;
	if (pkt->from->flags & HD_PORT_TUNNEL) {
		*ret = hd_hear(pkt, flow, side);
		if (*ret < 0)
			return true;
	}
	hd_trace(pkt, HD_TRACE_FLOW_HIT, flow->rule[0], flow->rule[1]);
	if (pkt->ip->proto == IPPROTO_TCP)
		hd_flow_track_tcp(pkt, flow, side);
	*ret = hd_flow_send(pkt, flow, side, to_id, to);
	return true;
}
