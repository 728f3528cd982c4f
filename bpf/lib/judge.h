/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * judge.h - deciding about an IP packet that no flow entry answers for: the first of a flow, the end of one, one whose
 * configuration has changed, pieces, errors, and what has no flow at all
 *
 *   who sends it? ─▶ what is it? ─▶ to whom? ─▶ known flow: track ─▶ stale? ask again ─▶ confirm ─▶ send
 *   (source.h)        later piece    one port       │
 *                     follows        many ─▶ ask    └▶ none: begin one: ask the sender's rules, ask the receiver's ─▶ send
 *                     its first      sender, flood
 */
#pragma once

#include "lib/firewall.h"
#include "lib/forward.h"
#include "lib/hold.h"
#include "lib/source.h"
#include "lib/tcp.h"

/* How long after its question a DHCP client may be answered. */
#define DHCP_WAIT_S 60

/**
 * struct judge - one packet being judged
 * @side:  of the sender
 * @to_id: port it goes to
 * @to:    its entry
 */
struct judge {
	__u32 side;
	__u32 to_id;
	const struct hd_port_value *to;
};

static __always_inline bool is_secure(const struct hd_port_value *port)
{
	return port->flags & HD_PORT_SECURE;
}

/*
 * Class of membership of an address of the packet: of its destination, or with @peer of its source, which has come from there.
 *
 * A destination has none if the frame goes to a MAC that the address does not have: it would not reach that member, but whoever has the MAC. What
 * crosses a router goes to the address, whatever its MAC is. A source has one only if the configuration says that it is behind that very peer. That it may use the address has been checked there, if there
 * is somebody who checks.
 */
__noinline __u32 hd_member_of(struct __sk_buff *ctx, __u32 slot, __u32 network, __u32 vlan,
			      __u32 peer)
{
	const struct hd_ip *ip = bpf_map_lookup_elem(&hd_scratch, &slot);
	const struct ethhdr *eth = ctx_header(ctx, 0, sizeof(*eth));
	struct hd_member_key key = { .network = network, .vlan = vlan };
	struct hd_neigh_key at = { .network = network, .vlan = vlan };
	const struct hd_neigh_value *owner;
	const __u32 *member;

	if (!ip || !eth)
		return 0;
	hd_ip_mapped(ip, peer == HD_PORT_NONE ? ip->daddr : ip->saddr, key.addr);
	hd_memcpy(at.addr, key.addr, 16);
	owner = bpf_map_lookup_elem(&hd_neigh, &at);
	if (peer == HD_PORT_NONE && owner && !ip->router && !mac_equal(eth->h_dest, owner->mac))
		return 0;
	if (peer != HD_PORT_NONE && (!owner || owner->port != peer))
		return 0;
	member = bpf_map_lookup_elem(&hd_members, &key);
	return member ? *member : 0;
}

static __always_inline __u32 member_of(const struct hd_pkt *pkt, __u32 peer)
{
	return hd_member_of(pkt->ctx, pkt->stage == HD_STAGE_PORT_OUT,
			    peer == HD_PORT_NONE ? hd_to_network(pkt) : hd_from_network(pkt),
			    pkt->vlan, peer);
}

/* Only a port with security is kept from using a member's address. */
static __always_inline __u32 sender_member(const struct hd_pkt *pkt,
					   const struct hd_port_value *from, __u32 from_id)
{
	if (!from || is_secure(from))
		return from ? from->policy : 0;
	if (!(from->flags & HD_PORT_TUNNEL))
		return 0;
	return member_of(pkt, from_id);
}

/** hd_judge_member - class of membership of the receiver: its port says; where that is many, unknown or a peer, its address */
static __always_inline __u32 hd_judge_member(const struct hd_pkt *pkt,
					     const struct hd_port_value *to)
{
	if (!to || (to->flags & HD_PORT_TUNNEL))
		return member_of(pkt, HD_PORT_NONE);
	return is_secure(to) ? to->policy : 0;
}

/**
 * hd_judge_egress - ask the rules of the sender's port
 * @to: receiver's port, NULL if it is many or unknown
 * @ret_rule: 0 if the port has no security
 */
static __always_inline int hd_judge_egress(struct hd_pkt *pkt, const struct hd_port_value *from,
					   __u32 from_id, const struct hd_port_value *to,
					   __u32 *ret_rule)
{
	*ret_rule = 0;
	if (!is_secure(from)) {
		hd_trace(pkt, HD_TRACE_NO_SECURITY, from_id, HD_EGRESS);
		return 0;
	}
	*ret_rule = hd_policy_ask(pkt, from->policy, HD_EGRESS, hd_judge_member(pkt, to));
	if (*ret_rule) {
		hd_trace(pkt, HD_TRACE_RULE, *ret_rule, HD_EGRESS);
		return 0;
	}
	hd_trace(pkt, HD_TRACE_NO_RULE, from_id, HD_EGRESS);
	pkt->blame = from_id;
	return -HD_DROP_EGRESS;
}

/** hd_judge_ingress - ask the rules of the receiver's port; as hd_judge_egress() */
static __always_inline int hd_judge_ingress(struct hd_pkt *pkt, const struct hd_port_value *from,
					    __u32 from_id, const struct hd_port_value *to,
					    __u32 to_id, __u32 *ret_rule)
{
	*ret_rule = 0;
	if (!is_secure(to)) {
		hd_trace(pkt, HD_TRACE_NO_SECURITY, to_id, HD_INGRESS);
		return 0;
	}
	*ret_rule = hd_policy_ask(pkt, to->policy, HD_INGRESS, sender_member(pkt, from, from_id));
	if (*ret_rule) {
		hd_trace(pkt, HD_TRACE_RULE, *ret_rule, HD_INGRESS);
		return 0;
	}
	hd_trace(pkt, HD_TRACE_NO_RULE, to_id, HD_INGRESS);
	pkt->blame = to_id;
	return -HD_DROP_INGRESS;
}

/* Turns the packet's tuple around, to ask about a flow in the direction in which it began. */
static __always_inline void swap_ends(struct hd_ip *ip)
{
	__u32 network = ip->from_network;
	__be16 port = ip->sport;

	for (int i = 0; i < 4; i++) {
		__be32 word = ip->saddr[i];

		ip->saddr[i] = ip->daddr[i];
		ip->daddr[i] = word;
	}
	ip->sport = ip->dport;
	ip->dport = port;
	ip->from_network = ip->to_network;
	ip->to_network = network;
}

/*
 * The firewall of a router that it crosses, and both ends' rules about a flow, in the direction in which it began.
 * @forward: the packet goes that way; else its ends have been swapped, and the opener is the port that it goes to
 */
static __noinline int ask_both(struct hd_pkt *pkt, struct judge *j, struct hd_flow_value *flow,
			       bool forward)
{
	const struct hd_port_value *from, *to;
	struct hd_ip *ip =
		pkt ? pkt->ip : NULL; /* what is found out is kept there, for the stack */
	__u32 from_id, to_id;
	int r;

	if (!ip || !j || !flow || !pkt->from || !j->to)
		return -HD_DROP_NO_PORT;
	from = forward ? pkt->from : j->to;
	to = forward ? j->to : pkt->from;
	from_id = forward ? pkt->port : j->to_id;
	to_id = forward ? j->to_id : pkt->port;
	/* Before the rules are asked: if they change meanwhile, the flow is stale. */
	ip->asked_gen = *(const volatile __u32 *)&from->gen + *(const volatile __u32 *)&to->gen;
	if (pkt->routed)
		ip->asked_gen += hd_router_gen(ip->router);
	barrier();
	r = pkt->routed ? hd_firewall_judge(pkt->ctx, forward) : 0;
	if (r == 0)
		r = hd_judge_egress(pkt, from, from_id, to, &ip->asked_rule[0]);
	if (r == 0)
		r = hd_judge_ingress(pkt, from, from_id, to, to_id, &ip->asked_rule[1]);
	if (r || !hd_may_write())
		return r;
	flow->rule[0] = ip->asked_rule[0];
	flow->rule[1] = ip->asked_rule[1];
	flow->gen = ip->asked_gen;
	return 0;
}

/* The configuration has changed since: as it began, would it be allowed now? */
static __always_inline int judge_again(struct hd_pkt *pkt, struct judge *j,
				       struct hd_flow_value *flow)
{
	bool forward = flow->opener == j->side;
	int r;

	hd_trace(pkt, HD_TRACE_FLOW_STALE, 0, 0);
	if (pkt->routed && !hd_nat_keeps(forward, flow->state >= HD_FLOW_ESTABLISHED))
		return -HD_DROP_OUTSIDE;
	if (!forward)
		swap_ends(pkt->ip);
	r = ask_both(pkt, j, flow, forward);
	if (!forward)
		swap_ends(pkt->ip);
	return r;
}

static __always_inline bool icmp_is_query_reply(const struct hd_ip *ip)
{
	__u8 request;

	return is_icmp(ip) && icmp_is_reply(ip, &request);
}

/* A first piece is noted once everything else has said yes. @flow: NULL for one that begins: this is asked and counted already. */
static __noinline int send_flow(struct hd_pkt *pkt, struct judge *j, struct hd_flow_value *flow)
{
	__u32 held = 0;
	int r;

	if (!pkt || !j || !pkt->ip || !pkt->ctx || !pkt->from || !j->to)
		return -HD_DROP_NO_PORT;
	r = flow ? hd_port_may_send_to(pkt, j->to_id) : 0;
	if (r == 0 && hd_ip_is_first_piece(pkt->ip))
		held = r = hd_frag_begin(pkt->stage);
	if (r < 0)
		return r;
	if (flow)
		hd_flow_count(pkt, flow, j->side);
	if (held && pkt->routed)
		r = hd_nat_leave();
	if (r < 0)
		return r;
	/* For what goes into a tunnel nothing is put by: the sender is here, and what it sends is in order. */
	if (!held || (j->to->flags & HD_PORT_TUNNEL))
		return hd_hop_send(pkt, j->to_id);
	pkt->blame = j->to_id;
	return hd_release(pkt->ctx, pkt->stage, held, j->to_id);
}

static __always_inline void new_value(const struct hd_pkt *pkt, const struct judge *j,
				      struct hd_flow_value *flow)
{
	flow->port[0] = j->side ? j->to_id : pkt->port;
	flow->port[1] = j->side ? pkt->port : j->to_id;
	flow->opener = j->side;
	flow->seen = flow_now();
	flow->tcp[0].born = flow->seen >> 16;
	flow->tcp[1].born = flow->seen;
}

/* What may begin a flow: for TCP a SYN, for ICMP a query; anything of other protocols. */
static __always_inline int may_begin(const struct hd_pkt *pkt)
{
	const struct hd_ip *ip = pkt->ip;

	if (pkt->routed && (ip->nat & NAT_CLOSED) && !hd_nat_lets_in())
		return -HD_DROP_OUTSIDE;
	if (ip->proto == IPPROTO_TCP && (ip->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return -HD_DROP_NO_CONNECTION;
	if (icmp_is_query_reply(ip))
		return -HD_DROP_ICMP_UNRELATED;
	return 0;
}

/* Into the value before it is kept: the entry need not be looked for again. Global: only so may its sides be told apart on the stack. */
__noinline int first_packet(struct __sk_buff *ctx, struct hd_flow_value *flow, __u32 side)
{
	struct hd_pkt pkt = { .ctx = ctx };

	pkt.ip = hd_ip_entering();
	if (!pkt.ip || !flow)
		return 0;
	if (pkt.ip->proto == IPPROTO_TCP)
		hd_tcp_syn(&pkt, flow, side & 1);
	hd_flow_count(&pkt, flow, side);
	return 0;
}

/* Asks the rules, and makes the entry if they allow it. Its own function: the value need not be on the stack when the packet is sent. */
static __noinline int begin_flow(struct hd_pkt *pkt, struct judge *j)
{
	struct hd_flow_value flow = {};
	int r;

	if (!pkt || !j || !pkt->from || !j->to || !pkt->ctx)
		return -HD_DROP_NO_PORT;
	r = may_begin(pkt);
	if (r == 0)
		r = ask_both(pkt, j, &flow, true);
	if (r < 0)
		return r;
	hd_trace(pkt, HD_TRACE_FLOW_NEW, pkt->port, j->to_id);
	r = hd_port_may_send_to(pkt, j->to_id);
	if (r < 0 || !hd_may_write())
		return r;
	new_value(pkt, j, &flow);
	(void)first_packet(pkt->ctx, &flow, j->side);
	if (pkt->routed) {
		pkt->ip->nat |= NAT_BEGINS;
		hd_firewall_count(pkt->ip, pkt->ctx);
	}
	return hd_flow_insert(pkt, j->side, FLOW_UNCONFIRMED, &flow) ? -HD_DROP_FLOW_FULL : 0;
}

static __noinline int judge_new(struct hd_pkt *pkt, struct judge *j)
{
	int r;

	if (!pkt || !j || !pkt->from || !j->to || !pkt->ctx)
		return -HD_DROP_NO_PORT;
	r = begin_flow(pkt, j);
	return r < 0 ? r : send_flow(pkt, j, NULL);
}

/* As if the answer had not come: the next one tries again. */
static __always_inline void not_confirmed(const struct hd_pkt *pkt, struct hd_flow_value *flow)
{
	flow->state = pkt->ip->proto == IPPROTO_TCP ? HD_FLOW_HALF_OPEN : HD_FLOW_NEW;
}

/*
 * Both sides have spoken: from now on it can't be pushed out. Another CPU that was first is fine. What is kept is a copy that was
 * taken while the entry was this flow's: under a flood of new flows its memory may be another one's by now.
 */
static __noinline int confirm(struct hd_pkt *pkt, struct judge *j, struct hd_flow_value *flow)
{
	struct hd_flow_value mine;
	__u32 owner;
	int r;

	if (!pkt || !j || !flow || !hd_may_write())
		return 0;
	hd_memcpy(&mine, flow, sizeof(mine));
	barrier();
	if (hd_flow_find(pkt, j->side, FLOW_UNCONFIRMED) != flow)
		return -HD_DROP_FLOW_FULL; /* pushed out */
	mine.state = HD_FLOW_ESTABLISHED;
	owner = hd_flow_owner(&mine);
	if (!hd_flow_reserve(owner)) {
		not_confirmed(pkt, flow);
		pkt->blame = owner;
		return -HD_DROP_FLOW_LIMIT;
	}
	r = hd_flow_insert(pkt, j->side, FLOW_ESTABLISHED, &mine);
	if (r)
		hd_flow_release(owner);
	if (r && r != -EEXIST) {
		not_confirmed(pkt, flow);
		return -HD_DROP_FLOW_FULL;
	}
	return 0;
}

/* Where it is now. Its own function, so that the key is off the stack when the packet is sent. */
static __noinline struct hd_flow_value *confirmed(const struct hd_pkt *pkt, const struct judge *j)
{
	return pkt && j ? hd_flow_find(pkt, j->side, FLOW_ESTABLISHED) : NULL;
}

/*
 * Moves the flow's state on by the packet in hand. TCP_BEGIN: the packet begins another flow. Global, so that the verifier looks at the life of
 * a connection once, and not once for each way that leads there.
 */
__noinline int track(struct __sk_buff *ctx, struct hd_flow_value *flow, __u32 side)
{
	struct hd_pkt pkt = { .ctx = ctx };

	pkt.ip = hd_ip_entering();
	if (!pkt.ip || !flow)
		return -HD_DROP_NO_PORT;
	if (pkt.ip->flags & HD_IP_LATER)
		return TCP_KEEP;
	if (pkt.ip->proto == IPPROTO_TCP)
		return hd_tcp_track(&pkt, flow, side);
	/* A request must come from the opener's side, a reply from the other. */
	if (is_icmp(pkt.ip) && icmp_is_query_reply(pkt.ip) == (side == flow->opener))
		return -HD_DROP_ICMP_UNRELATED;
	if (hd_may_write() && flow->state == HD_FLOW_NEW && side != flow->opener)
		flow->state = HD_FLOW_ESTABLISHED;
	return TCP_KEEP;
}

/*
 * The router that its opener's packet crosses sends it elsewhere than before: routes have changed, or the next hop has moved. It is the same connection, and
 * goes on there if the rules allow it. Answers that still come from where it was are not of it any more.
 */
static __always_inline bool rerouted(const struct hd_pkt *pkt, const struct judge *j,
				     const struct hd_flow_value *flow)
{
	return pkt->routed && j->side == flow->opener && flow->port[j->side & 1] == pkt->port;
}

/* Whether the flow is between the very ports that the packet is between. */
static __always_inline bool same_ports(const struct hd_pkt *pkt, const struct judge *j,
				       const struct hd_flow_value *flow)
{
	__u32 mine = flow->port[j->side & 1], other = flow->port[!j->side];

	if (!hd_may_write() && /* the twin does not adopt; then one end may be unknown */
	    (!mine || !other || rerouted(pkt, j, flow)))
		return mine == pkt->port || other == j->to_id;
	return mine == pkt->port && other == j->to_id;
}

/* @was: the owner, before the ports of the flow have changed */
static __always_inline void owner_follows(const struct hd_flow_value *flow, __u32 table, __u32 was)
{
	if (table == FLOW_ESTABLISHED && hd_flow_owner(flow) != was)
		(void)hd_flow_hand_over(was, hd_flow_owner(flow));
}

/* The end that was not known when the flow began is known now, or elsewhere. Not inline, for the stack: it is left before others are called. */
static __noinline int adopt(const struct hd_pkt *pkt, const struct judge *j,
			    struct hd_flow_value *flow, __u32 table)
{
	__u32 owner;

	if (!pkt || !j || !flow || !pkt->ip || !hd_may_write())
		return 0;
	owner = hd_flow_owner(flow);
	if (flow->port[j->side & 1] == HD_PORT_NONE && flow->port[!j->side] == j->to_id)
		flow->port[j->side & 1] = pkt->port;
	else if (flow->port[!j->side] == HD_PORT_NONE && flow->port[j->side & 1] == pkt->port)
		flow->port[!j->side] = j->to_id;
	if (rerouted(pkt, j, flow))
		flow->port[!j->side] = j->to_id;
	/* Behind a peer, and now behind another: who is there is beyond our knowledge either way. */
	flow->port[j->side & 1] = hd_peer_follow(flow->port[j->side & 1], pkt->port);
	flow->port[!j->side] = hd_peer_follow(flow->port[!j->side], j->to_id);
	owner_follows(flow, table, owner);
	return 0;
}

/* Network of the sender's side of a flow; of one that crosses a router it is not that of whoever sends a packet that looks like one of it. */
static __always_inline __u32 owner_network(const struct hd_pkt *pkt,
					   const struct hd_flow_value *flow, __u32 side)
{
	const struct hd_rflow_value *rflow = (const void *)flow;

	if (!pkt->routed)
		return pkt->network;
	return side ? rflow->hop[1].network : rflow->hop[0].network;
}

__noinline int port_is_there(__u32 network, __u32 id, __u32 vlan)
{
	const struct hd_port_value *port = hd_port_lookup(id);

	return port && hd_hop_is_there(network, id, port) && (port->flags & HD_PORT_UP) &&
	       hd_vlan_carries(id, port, vlan);
}

/* Whether the port that the sender's side of a flow was of is still there to object. */
static __always_inline bool owner_is_there(const struct hd_pkt *pkt,
					   const struct hd_flow_value *flow, __u32 side)
{
	return port_is_there(owner_network(pkt, flow, side), flow->port[side & 1], pkt->vlan);
}

/* Whether the rules allow the flow that a packet would begin. Its own function, for the stack of others. */
static __noinline int may_replace(struct hd_pkt *pkt, struct judge *j)
{
	struct hd_flow_value unused = {};

	if (!pkt || !j)
		return -HD_DROP_NO_PORT;
	return ask_both(pkt, j, &unused, true);
}

/* The packet came by another way than the flow, and is refused: then it was not of that flow, which stays what it was. */
static __noinline int stays(struct hd_flow_value *flow, __u32 table, const __u16 was[2], int r)
{
	__u32 owner;

	if (flow && was && hd_may_write()) {
		owner = hd_flow_owner(flow);
		flow->port[0] = was[0];
		flow->port[1] = was[1];
		owner_follows(flow, table, owner);
	}
	return r;
}

static __always_inline bool has_moved(const struct hd_flow_value *flow, const __u16 was[2])
{
	return flow->port[0] != was[0] || flow->port[1] != was[1];
}

/*
 * Return: verdict; TCP_BEGIN as HD_VERDICT_PASS: the entry is gone, judge as new.
 */
static __noinline int judge_known(struct hd_pkt *pkt, struct judge *j, struct hd_flow_value *flow,
				  __u32 table)
{
	struct hd_flow_value *there;
	bool was_established;
	__u16 was[2];
	int r;

	if (!pkt || !j || !flow || !pkt->from || !j->to || !pkt->ctx)
		return -HD_DROP_NO_PORT;
	was[0] = flow->port[0];
	was[1] = flow->port[1];
	if (pkt->routed && !hd_nat_is_of((const void *)flow, j->side))
		return -HD_DROP_NAT_CLASH;
	(void)adopt(pkt, j, flow, table);
	if (!same_ports(pkt, j, flow)) {
		if (owner_is_there(pkt, flow, j->side) && flow->port[j->side & 1] != pkt->port)
			return -HD_DROP_FLOW_PORT;
		r = may_begin(pkt);
		if (r == 0)
			r = may_replace(pkt, j);
		if (r < 0)
			return stays(flow, table, was, r);
		(void)hd_flow_delete(pkt, j->side, table, flow);
		return HD_VERDICT_PASS;
	}
	hd_trace(pkt, table == FLOW_ESTABLISHED ? HD_TRACE_FLOW_HIT : HD_TRACE_FLOW_UNCONFIRMED,
		 flow->rule[0], flow->rule[1]);
	if (pkt->routed)
		hd_firewall_trace(pkt, flow);
	if (flow->gen != hd_flow_gen(pkt, pkt->from, j->to)) {
		r = judge_again(pkt, j, flow);
		if (r < 0 && has_moved(flow, was))
			return stays(flow, table, was, r);
		if (r < 0) {
			(void)hd_flow_delete(pkt, j->side, table, flow);
			return r;
		}
		if (pkt->routed)
			(void)hd_rflow_forget(j->side, table);
	}
	if (pkt->routed)
		(void)hd_rflow_note(j->side, table);
	was_established = flow->state >= HD_FLOW_ESTABLISHED;
	r = track(pkt->ctx, flow, j->side);
	if (r == TCP_BEGIN) {
		r = may_replace(pkt, j); /* what it would replace stays if it is refused */
		if (r < 0)
			return stays(flow, table, was, r);
		(void)hd_flow_delete(pkt, j->side, table, flow);
		return HD_VERDICT_PASS;
	}
	if (r < 0)
		return stays(flow, table, was, r);
	if (table == FLOW_UNCONFIRMED && !was_established && flow->state == HD_FLOW_ESTABLISHED) {
		r = confirm(pkt, j, flow);
		if (r < 0)
			return r;
		there = confirmed(pkt, j);
		r = send_flow(pkt, j, there ? there : flow);
		(void)hd_flow_delete(pkt, j->side, FLOW_UNCONFIRMED, flow);
		return r;
	}
	return send_flow(pkt, j, flow);
}

/* The flow of a packet, in whichever table it is. */
static __always_inline int judge_flow(struct hd_pkt *pkt, struct judge *j)
{
	struct hd_flow_value *flow;
	int r;

	pkt->ip->side = hd_flow_side(pkt->ip);
	barrier(); /* read back, so that the verifier need not go both ways from here on */
	j->side = pkt->ip->side & 1;
	flow = hd_flow_find(pkt, j->side, FLOW_ESTABLISHED);
	if (flow && hd_flow_is_live(pkt->ip, flow)) {
		r = judge_known(pkt, j, flow, FLOW_ESTABLISHED);
		if (r != HD_VERDICT_PASS)
			return r;
	} else if (flow) {
		(void)hd_flow_delete(pkt, j->side, FLOW_ESTABLISHED, flow);
	}
	flow = hd_flow_find(pkt, j->side, FLOW_UNCONFIRMED);
	if (flow && hd_flow_is_live(pkt->ip, flow)) {
		r = judge_known(pkt, j, flow, FLOW_UNCONFIRMED);
		if (r != HD_VERDICT_PASS)
			return r;
	}
	return judge_new(pkt, j);
}

/* The header that an ICMP error quotes, cut short as it may be: only what the key of a flow is made of. */
static __noinline int parse_quoted(struct hd_pkt *pkt, __u32 off)
{
	struct hd_ip *ip = pkt->ip;
	const struct l4_start *l4;
	__u32 l4_off;

	if (ip_is_v4(ip)) {
		const struct iphdr *iph = ctx_header(pkt->ctx, off, sizeof(*iph));

		if (!iph || iph->version != 4 || iph->ihl < 5 ||
		    (bpf_ntohs(iph->frag_off) & IP_OFFSET))
			return -HD_DROP_ICMP_UNRELATED;
		ip->saddr[0] = iph->saddr;
		ip->daddr[0] = iph->daddr;
		ip->proto = iph->protocol;
		l4_off = off + iph->ihl * 4;
	} else {
		const struct ipv6hdr *ip6 = ctx_header(pkt->ctx, off, sizeof(*ip6));

		if (!ip6 || ip6->version != 6)
			return -HD_DROP_ICMP_UNRELATED;
		hd_memcpy(ip->saddr, &ip6->saddr, 16);
		hd_memcpy(ip->daddr, &ip6->daddr, 16);
		ip->proto = ip6->nexthdr;
		l4_off = off + sizeof(*ip6);
		if (ip->proto == IPPROTO_FRAGMENT) {
			const struct frag6 *frag = ctx_header(pkt->ctx, l4_off, sizeof(*frag));

			if (!frag || (frag->off & bpf_htons(0xfff8)))
				return -HD_DROP_ICMP_UNRELATED; /* as IPv4: only the first has ports */
			ip->proto = frag->nexthdr;
			l4_off += sizeof(*frag);
		}
	}
	ip->sport = ip->dport = bpf_htons(ip->proto); /* as parse_l4() */
	if (!proto_has_ports(ip->proto) && !is_icmp(ip))
		return 0;
	l4 = ctx_header(pkt->ctx, l4_off, sizeof(*l4));
	if (!l4)
		return -HD_DROP_ICMP_UNRELATED;
	ip->sport = l4->sport;
	ip->dport = l4->dport;
	ip->flags &= ~HD_IP_ICMP_ERROR;
	if (is_icmp(ip))
		icmp_ports(ip, l4);
	return ip->flags & HD_IP_ICMP_ERROR ? -HD_DROP_ICMP_UNRELATED
					    : 0; /* an error about an error */
}

static __always_inline int send_related(struct hd_pkt *pkt, const struct judge *j)
{
	int r = hd_port_may_send_to(pkt, j->to_id);

	hd_trace(pkt, HD_TRACE_RELATED, 0, 0);
	return r < 0 ? r : hd_hop_send(pkt, j->to_id);
}

/*
 * An error passes if it goes to who has sent the packet that it quotes, on a flow that is known; and, from a port with
 * security, only if it comes from the other end of that flow.
 */
static __noinline int judge_error(struct hd_pkt *pkt, struct judge *j)
{
	struct hd_flow_value *flow;
	__be32 daddr[4];
	__u32 side;
	int r;

	if (!pkt || !j || !pkt->from || !j->to || !pkt->ctx)
		return -HD_DROP_NO_PORT;
	hd_memcpy(daddr, pkt->ip->daddr, 16);
	r = parse_quoted(pkt, pkt->ip->l4_off + 8);
	if (r < 0)
		return r;
	if (pkt->routed && (pkt->ip->nat & NAT_DST))
		hd_memcpy(pkt->ip->saddr, pkt->ip->nat_to_addr,
			  16); /* IPv4: of what is behind the first word nothing is looked at */
	if (pkt->routed && (pkt->ip->nat & NAT_DST_PORT))
		pkt->ip->sport = pkt->ip->nat_to_port;
	if (daddr[0] != pkt->ip->saddr[0] ||
	    (!ip_is_v4(pkt->ip) &&
	     (daddr[1] != pkt->ip->saddr[1] || daddr[2] != pkt->ip->saddr[2] ||
	      daddr[3] != pkt->ip->saddr[3])))
		return -HD_DROP_ICMP_UNRELATED; /* it goes to who has sent what it quotes, or nowhere */
	side = hd_flow_side(pkt->ip);
	flow = hd_flow_find(pkt, side, FLOW_ESTABLISHED);
	if (!flow)
		flow = hd_flow_find(pkt, side, FLOW_UNCONFIRMED);
	if (!flow || !hd_flow_is_live(pkt->ip, flow) || flow->port[side & 1] != j->to_id)
		return -HD_DROP_ICMP_UNRELATED;
	if (flow->port[!side] != pkt->port)
		return is_secure(pkt->from) ? -HD_DROP_ICMP_UNRELATED : send_related(pkt, j);
	if (flow->gen != hd_flow_gen(pkt, pkt->from, j->to))
		return -HD_DROP_ICMP_UNRELATED; /* its next packet will tell whether it still is a flow */
	if (pkt->routed) /* its sender is the other side: as what does that answer? */
		(void)hd_nat_is_of((const void *)flow, !side);
	return send_related(pkt, j);
}

/* Neighbour discovery: never routed (RFC 4861: hop limit 255), so never from afar. Listener reports: to the link only (RFC 3810: hop limit 1). */
static __always_inline bool is_link_talk(const struct hd_ip *ip)
{
	if (ip->flags & HD_IP_FRAGMENT)
		return false;
	if (hd_is_nd(ip))
		return ip->ttl == 255 && !ip->icmp_code;
	return hd_is_mld(ip) && ip->ttl == 1 && hd_ip_is_multicast(ip);
}

/*
 * Allowed without a rule, as far as the sender is concerned: what a host needs to become one. A DHCP client asks all; what it sends to one
 * server later is a flow like others. A server's answers come from ports without security only (source.h).
 */
static __always_inline bool is_exempt(const struct hd_pkt *pkt)
{
	if (is_link_talk(pkt->ip))
		return true;
	if (pkt->ip->flags & HD_IP_FRAGMENT)
		return false;
	if (hd_is_dhcp_request(pkt->ip))
		return mac_is_multicast(pkt->dst) && hd_ip_is_multicast(pkt->ip);
	return !is_secure(pkt->from) && hd_is_dhcp_reply(pkt->ip);
}

/* Allowed without a rule at a receiver with security: link talk, and the answer to a DHCP client who has asked a moment ago. */
static __always_inline bool is_exempt_in(const struct hd_pkt *pkt, __u32 to_id,
					 const struct hd_port_value *from)
{
	const struct hd_port_state *state = bpf_map_lookup_elem(&hd_port_state, &to_id);

	if (is_link_talk(pkt->ip))
		return true;
	if (!from || is_secure(from) || (pkt->ip->flags & HD_IP_FRAGMENT) ||
	    !hd_is_dhcp_reply(pkt->ip))
		return false;
	return state && state->dhcp &&
	       (__s32)(flow_now() - state->dhcp) < (__s32)(DHCP_WAIT_S * hd_cfg.hz);
}

/* The port waits for an answer now. */
static __always_inline void note_dhcp(const struct hd_pkt *pkt)
{
	struct hd_port_state *state = bpf_map_lookup_elem(&hd_port_state, &pkt->port);

	if (state && hd_may_write())
		state->dhcp = flow_now() | 1;
}

/* To one port that is known: send it, if neither end has a reason to look at flows. */
static __always_inline int judge_unicast(struct hd_pkt *pkt, __u32 to_id)
{
	const struct hd_port_value *to = hd_port_lookup(to_id);

	if (!to || !hd_port_is_member(pkt->network, to_id))
		return -HD_DROP_PORT_DOWN;
	if (!is_secure(pkt->from) && !is_secure(to))
		return hd_fdb_forward(pkt, to_id);
	if (is_exempt(pkt) && (!is_secure(to) || is_exempt_in(pkt, to_id, pkt->from)))
		return hd_fdb_forward(pkt, to_id);
	pkt->ip->to = to_id;
	return HD_VERDICT_FLOW;
}

/**
 * hd_judge_flow - stage flow: the flow of a packet that goes to one port
 * @pkt: pkt->ip as hd_judge() has left it
 *
 * Return: a verdict, or -HD_DROP_x.
 */
static __always_inline int hd_judge_flow(struct hd_pkt *pkt)
{
	struct judge j = { .to_id = pkt->ip->to };

	j.to = hd_port_lookup(j.to_id);
	if (!j.to || !(pkt->routed ? hd_hop_is_there(pkt->ip->to_network, j.to_id, j.to)
				   : hd_port_is_member(pkt->network, j.to_id)))
		return -HD_DROP_PORT_DOWN;
	/* A router may have one leg for several subnets. */
	if (j.to_id == pkt->port && !(j.to->flags & HD_PORT_HAIRPIN) && !pkt->routed)
		return -HD_DROP_SAME_PORT;
	if (pkt->ip->flags & HD_IP_ICMP_ERROR)
		return judge_error(pkt, &j);
	return judge_flow(pkt, &j);
}

/* Who sends it, and what it is. */
static __always_inline int judge_sender(struct hd_pkt *pkt)
{
	int r = hd_ip_parse(pkt);

	if (r == 0 && is_secure(pkt->from))
		r = hd_source_check(pkt);
	if (r == 0 && is_secure(pkt->from))
		r = hd_fdb_learn(pkt);
	if (r == 0 && (pkt->ip->flags & HD_IP_LATER))
		r = hd_frag_follow(pkt->stage);
	return r;
}

/* Nobody has heard the destination's MAC for a while; a flow may still know where it is. */
static __noinline __u32 known_port(struct hd_pkt *pkt)
{
	struct hd_flow_value *flow;
	__u32 side;

	if (!pkt || !pkt->ip)
		return HD_PORT_NONE;
	side = hd_flow_side(pkt->ip);
	flow = hd_flow_find(pkt, side, FLOW_ESTABLISHED);
	if (!flow || !hd_flow_is_live(pkt->ip, flow))
		flow = hd_flow_find(pkt, side, FLOW_UNCONFIRMED);
	if (!flow || !hd_flow_is_live(pkt->ip, flow) || flow->port[side & 1] != pkt->port)
		return HD_PORT_NONE;
	return flow->port[!side];
}

/*
 * A flow whose other end is not known yet, so that the answer finds it. It is of no generation: with the answer both ends are known, and
 * the rules of both are asked.
 */
static __noinline int begin_unknown(struct hd_pkt *pkt)
{
	struct judge j = { .to_id = HD_PORT_NONE };
	struct hd_flow_value flow = {}, *there;

	if (!pkt || !pkt->ip || !pkt->from || !pkt->ctx || !hd_may_write())
		return 0;
	if (may_begin(pkt) < 0 || (pkt->ip->flags & (HD_IP_FRAGMENT | HD_IP_ICMP_ERROR)))
		return 0;
	j.side = hd_flow_side(pkt->ip) & 1;
	new_value(pkt, &j, &flow);
	if (hd_flow_insert(pkt, j.side, FLOW_UNCONFIRMED, &flow))
		return 0; /* then the answer is not let in */
	there = hd_flow_find(pkt, j.side, FLOW_UNCONFIRMED);
	if (!there)
		return 0;
	if (pkt->ip->proto == IPPROTO_TCP)
		hd_tcp_syn(pkt, there, j.side);
	hd_flow_count(pkt, there, j.side);
	return 0;
}

/* Without a flow there is nothing that an ICMP error or reply could belong to. */
static __always_inline int no_state(const struct hd_ip *ip)
{
	return (ip->flags & HD_IP_ICMP_ERROR) || icmp_is_query_reply(ip) ? -HD_DROP_ICMP_UNRELATED
									 : 0;
}

/* To many, or to one that nobody knows: the sender's rules are asked here, each receiver's when it is its turn. */
static __always_inline int judge_many(struct hd_pkt *pkt, bool to_one)
{
	__u32 rule;
	int r = is_secure(pkt->from) ? no_state(pkt->ip) : 0;

	if (r == 0)
		r = hd_judge_egress(pkt, pkt->from, pkt->port, NULL, &rule);
	if (r < 0)
		return r;
	hd_rule_count(rule, 1, pkt->ctx->len);
	if (to_one && is_secure(pkt->from) && (hd_network_flags(pkt) & HD_NETWORK_FLOOD))
		(void)begin_unknown(pkt);
	/* Nobody keeps a flow for what goes to many; its later pieces follow their first all the same. */
	if (hd_ip_is_first_piece(pkt->ip))
		r = hd_frag_begin(pkt->stage);
	return r < 0 ? r : HD_VERDICT_PASS;
}

/**
 * hd_judge - decide about an IP packet from a port
 * @pkt: hd_eth_parse() has been called
 *
 * Return: a verdict; HD_VERDICT_FLOW means: to one port, see hd_judge_flow(). HD_VERDICT_PASS means: allowed as far as the sender is concerned, now flood it; each receiver's rules are asked there.
 */
static __always_inline int hd_judge(struct hd_pkt *pkt)
{
	bool to_one = !mac_is_multicast(pkt->dst), secure = is_secure(pkt->from);
	__u32 to = to_one ? hd_fdb_lookup(pkt) : HD_PORT_NONE;
	int r = judge_sender(pkt);

	if (r == -HD_DROP_FRAG_ORPHAN && to_one)
		return hd_hold(pkt->ctx, pkt->stage);
	if (r == -HD_DROP_FRAG_OVERLAP || r == -HD_DROP_FRAG_FULL)
		return r;
	if (r < 0) /* from a port without security to many, each receiver decides for itself */
		return secure || to != HD_PORT_NONE ? r : HD_VERDICT_PASS;
	if (is_secure(pkt->from) && hd_is_dhcp_request(pkt->ip))
		note_dhcp(pkt);
	if (to_one && to == HD_PORT_NONE && !is_exempt(pkt))
		to = known_port(pkt);
	if (to != HD_PORT_NONE)
		return judge_unicast(pkt, to);
	return is_exempt(pkt) ? HD_VERDICT_PASS : judge_many(pkt, to_one);
}

/**
 * hd_judge_receiver - whether one receiver of a flooded packet may have it
 * @parsed: what hd_ip_parse() said about the packet
 * @to_id:  the receiver
 * @from:   the sender's port, NULL if it is the host itself
 * @to:     the receiver's port
 *
 * Return: 0 or -HD_DROP_x.
 */
static __always_inline int hd_judge_receiver(struct hd_pkt *pkt, int parsed, __u32 to_id,
					     const struct hd_port_value *from,
					     const struct hd_port_value *to)
{
	__u32 rule;
	int r;

	if (!is_secure(to) || (!pkt->tagged && pkt->eth_type == bpf_htons(ETH_P_ARP)))
		return 0;
	if (parsed < 0)
		return parsed;
	if (is_exempt_in(pkt, to_id, from))
		return 0;
	r = no_state(pkt->ip);
	if (r == 0 && from && is_secure(from) &&
	    !is_exempt(pkt)) /* "only to members of that group": is this one? */
		r = hd_judge_egress(pkt, from, pkt->port, to, &rule);
	if (r == 0)
		r = hd_judge_ingress(pkt, from, pkt->port, to, to_id, &rule);
	if (r == 0)
		hd_rule_count(rule, 1, pkt->ctx->len);
	return r;
}
