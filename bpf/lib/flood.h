/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flood.h - one copy of a packet for each other member of the network
 *
 * The members form a ring by ascending id (heddle/port.h); the walk starts behind the ingress port and ends when it comes round to it
 * or past it. Copies are cloned; the last one is the packet itself.
 */
#pragma once

#include "lib/fdb.h"
#include "lib/judge.h"

/**
 * struct flood - a walk around the ring
 * @pkt:      the packet
 * @at:       member to look at next
 * @wrapped:  the walk has passed the highest id
 * @refused:  members that did not get a copy, counted by their reasons
 * @parsed:   what hd_ip_parse() said
 * @start:    where the walk began; behind all members if the packet came out of a tunnel, or from a router
 * @last:     member that is due to get a copy but has not got one yet, HD_PORT_NONE at first
 */
struct flood {
	struct hd_pkt *pkt;
	__u32 at;
	__u32 wrapped;
	__u32 last;
	__u32 refused;
	__u32 start;
	int parsed;
};

/* Whether a member gets a copy; a refusal is counted under that member. */
static __always_inline bool flood_wants(struct flood *flood, __u32 id,
					const struct hd_port_value *to)
{
	struct hd_pkt *pkt = flood->pkt;
	int r;

	if (id == pkt->port && !(to->flags & HD_PORT_HAIRPIN))
		return false;
	/* Not hd_vlan_may_leave(): its short way is another half of work for the verifier. */
	if (!vlan_may_leave(id, to->flags, to->vlan, pkt->vlan, pkt->tagged))
		return false; /* not meant for it */
	r = hd_port_may_take(pkt, id, to);
	if (r == 0)
		r = hd_judge_receiver(pkt, flood->parsed, id, pkt->from, to);
	if (r == 0 && (to->flags & HD_PORT_LIMIT_INGRESS) && !hd_limit_pass(pkt, id, HD_INGRESS))
		r = -HD_DROP_LIMIT_INGRESS;
	if (r < 0) {
		hd_drop(pkt, r == -HD_DROP_EGRESS ? pkt->port : id, -r);
		flood->refused++;
	}
	return r == 0;
}

static __always_inline void flood_copy(struct flood *flood)
{
	const struct hd_port_value *to = hd_port_lookup(flood->last);
	struct hd_pkt *pkt = flood->pkt;

	hd_trace(pkt, HD_TRACE_FLOOD, flood->last, 0);
	if (!hd_may_write())
		return;
	if (!to || hd_vlan_clone(pkt, to) < 0)
		hd_drop(pkt, flood->last, HD_DROP_REDIRECT);
	else
		hd_port_count_out(pkt, flood->last);
}

/* One step: 1 ends the walk. A copy is sent when the next taker is found, so that the last taker can have the original. */
static long flood_step(__u32 index, void *arg)
{
	struct flood *flood = arg;
	__u32 id = flood->at;
	const struct hd_port_value *to = hd_port_lookup(id);

	if (!to || to->network != flood->pkt->network)
		return 1; /* the ring changed under us */
	if (flood->wrapped && id > flood->start)
		return 1;
	if (flood_wants(flood, id, to)) {
		if (flood->last != HD_PORT_NONE)
			flood_copy(flood);
		flood->last = id;
	}
	if (id == flood->start)
		return 1;
	if (to->next <= id) {
		if (flood->wrapped)
			return 1; /* all round: the start is no member any more */
		flood->wrapped = 1;
	}
	flood->at = to->next;
	return 0;
}

/**
 * hd_flood - send a packet to every other member of its network
 *
 * Unicast for an unknown MAC only if the network floods. Nothing goes from one tunnel to another.
 *
 * Return: HD_VERDICT_REDIRECT, HD_VERDICT_SPREAD or -HD_DROP_x.
 */
static __always_inline int hd_flood(struct hd_pkt *pkt)
{
	const struct hd_network_value *net = bpf_map_lookup_elem(&hd_networks, &pkt->network);
	__u32 outside = (pkt->from->flags / HD_PORT_TUNNEL | pkt->from->flags / HD_PORT_ROUTER) & 1;
	struct flood flood = { .pkt = pkt,
			       .at = pkt->from->next,
			       .start = pkt->port | -(__u32)outside,
			       .last = hd_unknown_zero,
			       .refused = hd_unknown_zero };
	const struct hd_port_value *to;

	if (!net || (!mac_is_multicast(pkt->dst) && !(net->flags & HD_NETWORK_FLOOD)))
		return -HD_DROP_UNKNOWN_UNICAST;
	if (mac_is_link_local(pkt->dst))
		return -HD_DROP_LINK_LOCAL;
	flood.parsed = hd_ip_parse(pkt);
	if (flood.parsed == 0 && (pkt->ip->flags & HD_IP_LATER))
		flood.parsed = hd_frag_ports(pkt->stage);
	if (outside)
		flood.at = net->first;
	flood.wrapped = (flood.at <= pkt->port ? 1 : outside) | hd_unknown_zero;
	bpf_loop(hd_cfg.max_ports, flood_step, &flood, 0);
	to = hd_port_lookup(flood.last);
	pkt->blame = HD_PORT_NONE; /* it may still name the last member that refused */
	/* VLANs end here: a tag in a tunnel could be one that a workload has put on. */
	if (net->tunnel.type && !pkt->vlan && !(pkt->from->flags & HD_PORT_TUNNEL)) {
		if (to)
			flood_copy(&flood);
		pkt->ip->to = to || flood.refused;
		return HD_VERDICT_SPREAD;
	}
	if (!to)
		return flood.refused ? HD_VERDICT_DONE : -HD_DROP_NO_MEMBER;
	if (hd_leg_is_hosts_too(pkt)) { /* which gets the original */
		flood_copy(&flood);
		return HD_VERDICT_DONE;
	}
	hd_trace(pkt, HD_TRACE_FLOOD, flood.last, 0);
	hd_port_count_out(pkt, flood.last);
	if (hd_vlan_out(pkt, to) < 0)
		return -HD_DROP_NO_MEMORY;
	return bpf_redirect(to->ifindex, 0) == TC_ACT_REDIRECT ? HD_VERDICT_REDIRECT
							       : -HD_DROP_REDIRECT;
}
