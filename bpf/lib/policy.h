/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* policy.h - asking the compiled rules; see heddle/policy.h */
#pragma once

#include "heddle/abi.h"
#include "heddle/policy.h"

#include "lib/ip.h"
#include "lib/port.h"

/* hd_shapes: by policy id. Writer: the daemon, after the rows. Reader: packets that are judged. An entry dies with the last port of its policy. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_POLICIES_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_shapes);
} hd_shapes SEC(".maps");

/* hd_rules: row -> rule id. Writer: the daemon. Reader: packets that are judged. Full: the daemon refuses the rules. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_RULES_DEFAULT);
	__type(key, struct hd_rule_key);
	__type(value, __u32);
} hd_rules SEC(".maps");

/* hd_members: address -> class of membership. Writer: the daemon. Reader: packets that are judged. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_MEMBERS_DEFAULT);
	__type(key, struct hd_member_key);
	__type(value, __u32);
} hd_members SEC(".maps");

/* hd_rule_counters: by rule id. Writer: packets of flows. Reader: the daemon. Zeroed when the id is given to a new rule. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HD_RULE_COUNTERS_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_rule_counters);
} hd_rule_counters SEC(".maps");

/**
 * struct ask - a question to a policy
 * @key:    scratch, completed for each shape; @policy is set
 * @shapes: to try
 * @dir:    enum hd_direction
 * @member: class of the remote, 0 = in no group
 * @rule:   the answer, 0 = no rule allows it
 */
struct ask {
	const struct hd_ip *ip;
	const struct hd_shapes *shapes;
	struct hd_rule_key key;
	__u32 dir;
	__u32 member;
	__u32 rule;
	__u16 port;
};

/* The first @len bits of word @i of an address. */
static __always_inline __be32 masked_word(__be32 word, __u32 len, __u32 i)
{
	if (len >= 32 * (i + 1))
		return word;
	if (len <= 32 * i)
		return 0;
	return word & bpf_htonl(~0u << (32 * (i + 1) - len));
}

/* The first @len bits of an address. */
static __always_inline void mask_address(const __be32 addr[4], __u32 len, bool v4, __be32 ret[4])
{
	ret[0] = masked_word(addr[0], len, 0);
	ret[1] = v4 ? 0 : masked_word(addr[1], len, 1);
	ret[2] = v4 ? 0 : masked_word(addr[2], len, 2);
	ret[3] = v4 ? 0 : masked_word(addr[3], len, 3);
}

static __always_inline bool ask_remote(struct ask *ask, const struct hd_shape *shape)
{
	const __be32 *remote = ask->dir == HD_EGRESS ? ask->ip->daddr : ask->ip->saddr;
	bool v4 = ip_is_v4(ask->ip);

	if (v4 != (shape->kind == HD_SHAPE_IPV4 || shape->kind == HD_SHAPE_GROUP4))
		return false;
	if (shape->kind >= HD_SHAPE_GROUP4) {
		ask->key.remote[0] = ask->member;
		ask->key.remote[1] = ask->key.remote[2] = ask->key.remote[3] = 0;
		return ask->member;
	}
	mask_address(remote, shape->addr_len, v4, ask->key.remote);
	return true;
}

/* One shape; 1 ends the loop. */
static long ask_shape(__u32 i, void *arg)
{
	struct ask *ask = arg;
	const struct hd_shape *shape;
	const __u32 *rule;

	if (i >= HD_SHAPES_MAX)
		return 1;
	shape = &ask->shapes->shape[ask->dir & 1][i];
	if (!ask_remote(ask, shape))
		return 0;
	ask->key.shape = *shape;
	ask->key.proto = shape->has_proto ? ask->ip->proto : 0;
	ask->key.port = ask->port & (__u16)(0xffff0000u >> (shape->port_len & 31));
	rule = bpf_map_lookup_elem(&hd_rules, &ask->key);
	if (!rule)
		return 0;
	ask->rule = *rule;
	return 1;
}

/*
 * As hd_policy_ask(), about the packet whose header is in entry @slot of hd_scratch. Not static, and given nothing but numbers, so that the
 * verifier looks at it once, and not once for each way that leads to a question: that was four fifths of its work.
 */
__noinline __u32 hd_policy_rule(__u32 slot, __u32 policy, __u32 dir, __u32 member)
{
	struct ask ask = { .dir = dir, .member = member };

	ask.ip = bpf_map_lookup_elem(&hd_scratch, &slot);
	ask.shapes = bpf_map_lookup_elem(&hd_shapes, &policy);
	if (!ask.ip || !ask.shapes)
		return 0;
	ask.key.policy = policy;
	ask.key.dir = dir;
	/* For ICMP the type and code stand where others have the port; a reply never asks. */
	ask.port = bpf_ntohs(ask.ip->dport);
	ask.rule = hd_unknown_zero;
	bpf_loop(ask.shapes->n[dir & 1], ask_shape, &ask, 0);
	return ask.rule;
}

/**
 * hd_policy_ask - the rule that lets a packet pass
 * @pkt:    its first packet; hd_ip_parse() has been called
 * @policy: of the port
 * @dir:    the port's workload sends (HD_EGRESS) or receives it
 * @member: class of the other side's membership
 *
 * Return: rule id, or 0: default deny.
 */
static __always_inline __u32 hd_policy_ask(const struct hd_pkt *pkt, __u32 policy, __u32 dir,
					   __u32 member)
{
	return hd_policy_rule(pkt->stage == HD_STAGE_PORT_OUT, policy, dir, member);
}

/** hd_rule_count - count a packet for the rule that allowed its flow; rule 0 is none */
static __always_inline void hd_rule_count(__u32 rule, __u32 packets, __u32 bytes)
{
	struct hd_rule_counters *count;

	if (!rule || !hd_may_write())
		return;
	count = bpf_map_lookup_elem(&hd_rule_counters, &rule);
	if (!count)
		return;
	count->packets += packets;
	count->bytes += bytes;
}
