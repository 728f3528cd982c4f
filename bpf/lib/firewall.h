/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* firewall.h - asking the rules of a router; see heddle/firewall.h */
#pragma once

#include "heddle/abi.h"
#include "heddle/firewall.h"

#include "lib/flow.h"
#include "lib/policy.h"

/* hd_fw_shapes: by policy. Writer: the daemon, after the rows. Reader: routed packets that are judged. An entry dies with the last router of its rule set. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_POLICIES_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_fw_shapes);
} hd_fw_shapes SEC(".maps");

/* hd_fw_rules: row -> position, rule and what it does. Writer: the daemon. Reader: routed packets that are judged. Full: the daemon refuses the rules. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_RULES_DEFAULT);
	__type(key, struct hd_fw_key);
	__type(value, struct hd_fw_value);
} hd_fw_rules SEC(".maps");

/**
 * struct fw_ask - a question to a rule set
 * @key:      scratch, completed for each shape; @policy is set
 * @shapes:   to try
 * @position: of the rule that decides as far as is known, the highest number = none does
 * @rule:     its id
 * @action:   what it does
 */
struct fw_ask {
	const struct hd_ip *ip;
	const struct hd_fw_shapes *shapes;
	struct hd_fw_key key;
	__u32 position;
	__u32 rule;
	__u32 action;
	__u16 port;
};

/* One shape; 1 ends the loop. */
static long fw_step(__u32 i, void *arg)
{
	struct fw_ask *ask = arg;
	bool v4 = ip_is_v4(ask->ip);
	const struct hd_fw_shape *shape;
	const struct hd_fw_value *row;

	if (i >= HD_FW_SHAPES_MAX)
		return 1;
	shape = &ask->shapes->shape[!v4][i];
	if (shape->first > ask->position)
		return 1;
	hd_memcpy(&ask->key.from_len, shape, 4); /* both lengths, flags, length of the port */
	ask->key.proto = shape->flags & HD_FW_PROTO ? ask->ip->proto : 0;
	ask->key.port = ask->port & (__u16)(0xffff0000u >> (shape->port_len & 31));
	mask_address(ask->ip->saddr, shape->from_len, v4, ask->key.from);
	mask_address(ask->ip->daddr, shape->to_len, v4, ask->key.to);
	row = bpf_map_lookup_elem(&hd_fw_rules, &ask->key);
	if (!row || bpf_ntohl(row->position) >= ask->position)
		return 0;
	ask->position = bpf_ntohl(row->position);
	ask->rule = row->rule;
	ask->action = row->action;
	return 0;
}

/*
 * What a rule set says about the packet in hand: enum hd_fw_action; the id of the rule, 0 = none matches, is left in the scratch. A rule set that is not
 * there denies: the daemon has been stopped half-way, or is about to tell the router of another.
 */
static __always_inline int firewall_ask(struct hd_ip *ip, __u32 policy)
{
	struct fw_ask ask = { .ip = ip, .key.policy = policy };

	ask.shapes = bpf_map_lookup_elem(&hd_fw_shapes, &policy);
	if (!ask.shapes)
		return HD_FW_DENY;
	ask.port = bpf_ntohs(ip->dport);
	ask.rule = ask.action = hd_unknown_zero;
	ask.position = ~hd_unknown_zero;
	bpf_loop(ask.shapes->n[!ip_is_v4(ip)], fw_step, &ask, 0);
	ip->firewall = ask.rule;
	return ask.action;
}

/* The rule set of the router that the packet crosses; 0 = it has no firewall. */
static __always_inline __u32 firewall_of(const struct hd_ip *ip)
{
	const struct hd_port_value *router = hd_port_lookup(ip->router);

	return router ? *(const volatile __u32 *)&router->policy : 0;
}

/** hd_firewall_trace - which rule allowed the flow of a routed packet */
static __always_inline void hd_firewall_trace(const struct hd_pkt *pkt,
					      const struct hd_flow_value *flow)
{
	const struct hd_rflow_value *rflow = (const void *)flow;

	if (rflow->rule)
		hd_trace(pkt, HD_TRACE_FIREWALL, rflow->rule, pkt->ip->router << 8 | HD_FW_ALLOW);
}

/* What the sender is told of a packet that is rejected; 0: it is dropped in silence, as one that was routed at another host. */
static __always_inline __u32 firewall_tell(const struct hd_ip *ip, int action)
{
	if (action != HD_FW_REJECT || !ip->rewrite)
		return 0;
	if (ip->proto == IPPROTO_TCP)
		return HD_TELL_RESET << 16 | HD_DROP_FIREWALL;
	return (ip_is_v4(ip) ? ICMP_DEST_UNREACH << 24 | ICMP_PKT_FILTERED << 16
			     : ICMPV6_DEST_UNREACH << 24 | ICMPV6_ADM_PROHIBITED << 16) |
	       HD_DROP_FIREWALL;
}

/** hd_firewall_count - count a packet for the rule that has decided about it */
static __always_inline void hd_firewall_count(const struct hd_ip *ip, hd_ctx *ctx)
{
	hd_rule_count(ip->firewall, ctx_segs(ctx), ctx_len(ctx));
}

/**
 * hd_firewall_judge - ask the firewall of the router about the flow of the packet in hand, in the direction in which it began
 * @ctx:     only for its length
 * @forward: the packet goes that way; else its ends have been swapped
 *
 * A packet that begins something is asked about where it is routed, not where it arrives. A flow whose configuration has changed is asked about
 * wherever its answers are seen: they may come to the host where the opener's packets are routed from another one. Not static, and given no pointer but
 * the packet, as hd_policy_rule().
 *
 * Return: 0, with the rule that allows it in the scratch; or -HD_DROP_FIREWALL, with the rule, and what the sender is told, 0 = nothing.
 */
__noinline int hd_firewall_judge(hd_ctx *ctx, __u32 forward)
{
	struct hd_ip *ip = hd_ip_entering();
	__u32 policy;
	int action;

	if (!ip)
		return -HD_DROP_FIREWALL;
	ip->firewall = ip->tell = ip->tell_word = 0;
	policy = firewall_of(ip);
	if (!policy || (forward && !ip->rewrite))
		return 0;
	action = firewall_ask(ip, policy);
	hd_trace_at(HD_STAGE_RFLOW, HD_TRACE_FIREWALL, ip->firewall, ip->router << 8 | action);
	if (action == HD_FW_ALLOW)
		return 0;
	ip->tell = firewall_tell(ip, action);
	hd_firewall_count(ip, ctx);
	return -HD_DROP_FIREWALL;
}
