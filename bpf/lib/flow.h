/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* flow.h - the flow tables: finding a flow, keeping it, replaying it; see heddle/flow.h */
#pragma once

#include "heddle/abi.h"
#include "heddle/router.h"

#include "lib/fdb.h"
#include "lib/policy.h"

/*
 * Memory of an entry that is deleted, overwritten or pushed out is given to the next one at once, also while a program on another CPU holds a
 * pointer to it (both kinds of hash table, since 6.1). What such a program writes then goes to another flow: a packet counted for the wrong
 * one. Nothing that lasts may depend on it: see confirm() in judge.h.
 */

/*
 * hd_flow4, hd_flow6: established. Writers: the datapath (insert, refresh), the daemon (sweep, flush). Readers: every IP packet
 * to or from a port with security. An entry dies by its timeout, by close, when the rules no longer allow it, or with its port. Full: the
 * flow that would be next is refused (reason flow-table-full).
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_FLOWS_DEFAULT);
	__type(key, struct hd_flow4_key);
	__type(value, struct hd_flow_value);
} hd_flow4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_FLOWS_DEFAULT);
	__type(key, struct hd_flow6_key);
	__type(value, struct hd_flow_value);
} hd_flow6 SEC(".maps");

/* hd_new4, hd_new6: not answered yet. As above, but an entry may also be pushed out by a newer one. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HD_NEW_FLOWS_DEFAULT);
	__type(key, struct hd_flow4_key);
	__type(value, struct hd_flow_value);
} hd_new4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HD_NEW_FLOWS_DEFAULT);
	__type(key, struct hd_flow6_key);
	__type(value, struct hd_flow_value);
} hd_new6 SEC(".maps");

/*
 * The same for flows that cross a router, whose entries say more (heddle/router.h). Writers, readers, deaths as above; a flow of a router that
 * is gone dies by its timeout, or with a port.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_FLOWS_DEFAULT);
	__type(key, struct hd_flow4_key);
	__type(value, struct hd_rflow_value);
} hd_rflow4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_FLOWS_DEFAULT);
	__type(key, struct hd_flow6_key);
	__type(value, struct hd_rflow_value);
} hd_rflow6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HD_NEW_FLOWS_DEFAULT);
	__type(key, struct hd_flow4_key);
	__type(value, struct hd_rflow_value);
} hd_rnew4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HD_NEW_FLOWS_DEFAULT);
	__type(key, struct hd_flow6_key);
	__type(value, struct hd_rflow_value);
} hd_rnew6 SEC(".maps");

/* An entry of any of these tables on its way into it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hd_rflow_value);
} hd_rflow_scratch SEC(".maps");

/* hd_router_state: see heddle/router.h. Writer: the datapath. Readers: packets that cross a router. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HD_PORTS_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_router_state);
} hd_router_state SEC(".maps");

/* Class of each protocol for a key; see heddle/flow.h. A table, so that the verifier sees one way through. */
static const __u8 flow_classes[256] = {
#define X(proto, class) [proto] = (class),
	HD_FLOW_CLASSES(X)
#undef X
};

enum flow_table { FLOW_ESTABLISHED, FLOW_UNCONFIRMED };

static __always_inline __u32 flow_now(void)
{
	return (__u32)bpf_jiffies64();
}

/** hd_flow_side - which side of its flow the sender of the packet is */
static __always_inline __u32 hd_flow_side(const struct hd_ip *ip)
{
	for (int i = 0; i < 4; i++) {
		if (ip->saddr[i] != ip->daddr[i])
			return ip->saddr[i] > ip->daddr[i];
		if (ip_is_v4(ip))
			break;
	}
	return ip->sport > ip->dport;
}

static __always_inline __u32 flow_zone(const struct hd_pkt *pkt)
{
	__u32 zone = pkt->network << HD_ZONE_NETWORK_SHIFT | (__u32)pkt->vlan << HD_ZONE_VLAN_SHIFT;

	if (pkt->routed)
		zone = pkt->ip->router << HD_ZONE_NETWORK_SHIFT | HD_ZONE_ROUTED
									  << HD_ZONE_VLAN_SHIFT;
	return zone | flow_classes[pkt->ip->proto];
}

static __always_inline void flow_key4(const struct hd_pkt *pkt, __u32 side,
				      struct hd_flow4_key *key)
{
	const struct hd_ip *ip = pkt->ip;

	key->zone = flow_zone(pkt);
	key->addr[0] = side ? ip->daddr[0] : ip->saddr[0];
	key->addr[1] = side ? ip->saddr[0] : ip->daddr[0];
	key->port[0] = side ? ip->dport : ip->sport;
	key->port[1] = side ? ip->sport : ip->dport;
}

static __always_inline void flow_key6(const struct hd_pkt *pkt, __u32 side,
				      struct hd_flow6_key *key)
{
	const struct hd_ip *ip = pkt->ip;

	key->zone = flow_zone(pkt);
	hd_memcpy(key->addr[0], side ? ip->daddr : ip->saddr, 16);
	hd_memcpy(key->addr[1], side ? ip->saddr : ip->daddr, 16);
	key->port[0] = side ? ip->dport : ip->sport;
	key->port[1] = side ? ip->sport : ip->dport;
}

/** hd_rflow_find - entry of the packet's flow among those that cross a router, in one of the two tables of its family; NULL if there is none */
static __always_inline struct hd_rflow_value *hd_rflow_find(const struct hd_pkt *pkt, __u32 side,
							    enum flow_table table)
{
	if (ip_is_v4(pkt->ip)) {
		struct hd_flow4_key key;

		flow_key4(pkt, side, &key);
		return table == FLOW_ESTABLISHED ? bpf_map_lookup_elem(&hd_rflow4, &key)
						 : bpf_map_lookup_elem(&hd_rnew4, &key);
	} else {
		struct hd_flow6_key key;

		flow_key6(pkt, side, &key);
		return table == FLOW_ESTABLISHED ? bpf_map_lookup_elem(&hd_rflow6, &key)
						 : bpf_map_lookup_elem(&hd_rnew6, &key);
	}
}

static __always_inline struct hd_flow_value *flow_find(const struct hd_pkt *pkt, __u32 side,
						       enum flow_table table)
{
	if (ip_is_v4(pkt->ip)) {
		struct hd_flow4_key key;

		flow_key4(pkt, side, &key);
		return table == FLOW_ESTABLISHED ? bpf_map_lookup_elem(&hd_flow4, &key)
						 : bpf_map_lookup_elem(&hd_new4, &key);
	} else {
		struct hd_flow6_key key;

		flow_key6(pkt, side, &key);
		return table == FLOW_ESTABLISHED ? bpf_map_lookup_elem(&hd_flow6, &key)
						 : bpf_map_lookup_elem(&hd_new6, &key);
	}
}

/** hd_flow_find - entry of the packet's flow in one of the two tables, of its family; NULL if there is none */
static __always_inline struct hd_flow_value *hd_flow_find(const struct hd_pkt *pkt, __u32 side,
							  enum flow_table table)
{
	if (pkt->routed)
		return (struct hd_flow_value *)hd_rflow_find(pkt, side, table);
	return flow_find(pkt, side, table);
}

/*
 * The functions that change the tables take numbers, are global, and find the header in the scratch: so the verifier looks at each once. Flows are of
 * what enters the host, so it is in entry 0.
 */
static __always_inline bool flow_recall(struct hd_pkt *pkt, __u32 routed)
{
	pkt->ip = hd_ip_entering();
	if (!pkt->ip)
		return false;
	pkt->routed = routed;
	pkt->network = pkt->ip->network;
	hd_vlan_restore(pkt);
	return true;
}

/*
 * What an entry says of the packet's next hop, and of its sender. The way back to the sender is found by its answer, from the routes: the MAC that a packet
 * comes from may be another's, who only wants to have the answers.
 */
static __always_inline void rflow_hops(const struct hd_ip *ip, __u32 side, struct hd_hop hop[2])
{
	struct hd_hop *to = side ? &hop[0] : &hop[1], *from = side ? &hop[1] : &hop[0];

	mac_copy(to->mac, ip->hop_mac);
	to->network = ip->to_network;
	from->network = ip->rewrite ? ip->network : ip->from_network;
}

static __always_inline struct hd_rflow_value *rflow_recall(struct hd_pkt *pkt, __u32 side,
							   __u32 table)
{
	if (!hd_may_write() || !flow_recall(pkt, 1))
		return NULL;
	return table == FLOW_ESTABLISHED ? hd_rflow_find(pkt, side, FLOW_ESTABLISHED)
					 : hd_rflow_find(pkt, side, FLOW_UNCONFIRMED);
}

/** hd_rflow_note - keep in its entry where a routed packet goes, so that the next ones are replayed */
__noinline int hd_rflow_note(__u32 side, __u32 table)
{
	struct hd_rflow_value *rflow;
	struct hd_pkt pkt = {};

	rflow = rflow_recall(&pkt, side, table);
	if (rflow)
		rflow_hops(pkt.ip, side, rflow->hop);
	return 0;
}

/** hd_rflow_forget - the flow has been judged by another configuration than before: the way back must be found again, and another rule of the firewall may allow it */
__noinline int hd_rflow_forget(__u32 side, __u32 table)
{
	struct hd_rflow_value *rflow;
	struct hd_pkt pkt = {};

	rflow = rflow_recall(&pkt, side, table);
	if (!rflow)
		return 0;
	hd_memset(side ? rflow->hop[1].mac : rflow->hop[0].mac, 0, 6);
	rflow->rule = pkt.ip->firewall;
	return 0;
}

/* What the entry that is confirmed knows of both sides; as in confirm(), a copy that was taken while it was this flow's. */
static __always_inline void rflow_keep_hops(const struct hd_pkt *pkt, __u32 side,
					    struct hd_rflow_value *value)
{
	const struct hd_rflow_value *was = hd_rflow_find(pkt, side, FLOW_UNCONFIRMED);

	if (!was)
		return;
	hd_memcpy(value->hop, was->hop, sizeof(value->hop));
	value->rule = was->rule;
	barrier();
	if (hd_rflow_find(pkt, side, FLOW_UNCONFIRMED) != was) {
		hd_memset(value->hop, 0, sizeof(value->hop));
		value->rule = 0;
	}
}

static __always_inline int rflow_insert(const struct hd_pkt *pkt, __u32 side, __u32 table,
					const struct hd_flow_value *flow)
{
	struct hd_rflow_value *value;
	__u32 zero = 0;

	value = bpf_map_lookup_elem(&hd_rflow_scratch, &zero);
	if (!value)
		return -EINVAL;
	value->flow = *flow;
	hd_memset(value->hop, 0, sizeof(value->hop));
	value->listen_addr = pkt->ip->listen_addr ?: pkt->ip->as_addr;
	value->listen_port = pkt->ip->listen_addr ? pkt->ip->listen_port : pkt->ip->as_port;
	value->rule = table == FLOW_ESTABLISHED ? 0 : pkt->ip->firewall;
	if (table == FLOW_ESTABLISHED)
		rflow_keep_hops(pkt, side, value);
	rflow_hops(pkt->ip, side, value->hop);
	if (ip_is_v4(pkt->ip)) {
		struct hd_flow4_key key;

		flow_key4(pkt, side, &key);
		return table == FLOW_ESTABLISHED
			       ? bpf_map_update_elem(&hd_rflow4, &key, value, BPF_NOEXIST)
			       : bpf_map_update_elem(&hd_rnew4, &key, value, BPF_ANY);
	} else {
		struct hd_flow6_key key;

		flow_key6(pkt, side, &key);
		return table == FLOW_ESTABLISHED
			       ? bpf_map_update_elem(&hd_rflow6, &key, value, BPF_NOEXIST)
			       : bpf_map_update_elem(&hd_rnew6, &key, value, BPF_ANY);
	}
}

static __always_inline int flow_insert(const struct hd_pkt *pkt, __u32 side, __u32 table,
				       const struct hd_flow_value *value)
{
	if (ip_is_v4(pkt->ip)) {
		struct hd_flow4_key key;

		flow_key4(pkt, side, &key);
		return table == FLOW_ESTABLISHED
			       ? bpf_map_update_elem(&hd_flow4, &key, value, BPF_NOEXIST)
			       : bpf_map_update_elem(&hd_new4, &key, value, BPF_ANY);
	} else {
		struct hd_flow6_key key;

		flow_key6(pkt, side, &key);
		return table == FLOW_ESTABLISHED
			       ? bpf_map_update_elem(&hd_flow6, &key, value, BPF_NOEXIST)
			       : bpf_map_update_elem(&hd_new6, &key, value, BPF_ANY);
	}
}

/* By way of the scratch: before 6.4 a table takes no value from memory that the verifier knows nothing but the size of. */
__noinline int flow_put(__u32 side, __u32 table, struct hd_flow_value *value)
{
	struct hd_rflow_value *scratch;
	struct hd_pkt pkt = {};
	__u32 zero = 0;

	scratch = bpf_map_lookup_elem(&hd_rflow_scratch, &zero);
	if (!value || !scratch || !flow_recall(&pkt, 0))
		return -EINVAL;
	scratch->flow = *value;
	return flow_insert(&pkt, side, table, &scratch->flow);
}

__noinline int rflow_put(__u32 side, __u32 table, struct hd_flow_value *value)
{
	struct hd_pkt pkt = {};

	return value && flow_recall(&pkt, 1) ? rflow_insert(&pkt, side, table, value) : -EINVAL;
}

/** hd_flow_insert - add an entry, if its key is free (established) or whatever was there (unconfirmed); 0 or -errno */
static __always_inline int hd_flow_insert(const struct hd_pkt *pkt, __u32 side, __u32 table,
					  struct hd_flow_value *value)
{
	return pkt->routed ? rflow_put(side, table, value) : flow_put(side, table, value);
}

/** hd_flow_owner - port that a flow counts for: its opener's */
static __always_inline __u32 hd_flow_owner(const struct hd_flow_value *flow)
{
	return flow->opener & 1 ? flow->port[1] : flow->port[0]; /* of a copy on the stack, too */
}

/** hd_flow_reserve - take a place among the flows that a port may have; false if there is none */
static __always_inline bool hd_flow_reserve(__u32 owner)
{
	struct hd_port_state *state = bpf_map_lookup_elem(&hd_port_state, &owner);

	if (!state)
		return false;
	if ((__s32)__sync_fetch_and_add(&state->flows, 1) < (__s32)hd_cfg.flows_per_port)
		return true;
	__sync_fetch_and_add(&state->flows, -1);
	return false;
}

/** hd_flow_release - give it back */
static __always_inline void hd_flow_release(__u32 owner)
{
	struct hd_port_state *state = bpf_map_lookup_elem(&hd_port_state, &owner);

	if (state)
		__sync_fetch_and_add(&state->flows, -1);
}

/** hd_flow_hand_over - an established flow is another port's now, and counts for it, even beyond its share: it is not a new one. A function, for the stack. */
__noinline int hd_flow_hand_over(__u32 from, __u32 to)
{
	struct hd_port_state *state = bpf_map_lookup_elem(&hd_port_state, &to);

	hd_flow_release(from);
	if (state)
		__sync_fetch_and_add(&state->flows, 1);
	return 0;
}

/* The entry of the packet's key, out of the table of its kind. */
__noinline int flow_erase(__u32 side, __u32 table, __u32 routed)
{
	bool established = table == FLOW_ESTABLISHED;
	struct hd_pkt pkt = {};

	if (!flow_recall(&pkt, routed))
		return -EINVAL;
	if (ip_is_v4(pkt.ip)) {
		struct hd_flow4_key key;

		flow_key4(&pkt, side, &key);
		if (routed)
			return established ? bpf_map_delete_elem(&hd_rflow4, &key)
					   : bpf_map_delete_elem(&hd_rnew4, &key);
		return established ? bpf_map_delete_elem(&hd_flow4, &key)
				   : bpf_map_delete_elem(&hd_new4, &key);
	} else {
		struct hd_flow6_key key;

		flow_key6(&pkt, side, &key);
		if (routed)
			return established ? bpf_map_delete_elem(&hd_rflow6, &key)
					   : bpf_map_delete_elem(&hd_rnew6, &key);
		return established ? bpf_map_delete_elem(&hd_flow6, &key)
				   : bpf_map_delete_elem(&hd_new6, &key);
	}
}

/**
 * hd_flow_delete - remove an entry; gone already is fine
 * @flow: the entry; not to be looked at afterwards, it may be another flow's at once (see above)
 */
static __always_inline int hd_flow_delete(const struct hd_pkt *pkt, __u32 side, __u32 table,
					  const struct hd_flow_value *flow)
{
	__u32 owner;

	if (!hd_may_write())
		return 0;
	owner = hd_flow_owner(flow);
	if (!flow_erase(side, table, pkt->routed) && table == FLOW_ESTABLISHED)
		hd_flow_release(owner);
	return 0;
}

/** hd_flow_timeout - idle time after which a flow ends, in jiffies */
static __always_inline __u32 hd_flow_timeout(__u8 proto, __u8 state)
{
	if (proto == IPPROTO_TCP) {
		if (state == HD_FLOW_ESTABLISHED)
			return hd_cfg.timeouts[HD_TIMEOUT_TCP_ESTABLISHED];
		if (state == HD_FLOW_CLOSING)
			return hd_cfg.timeouts[HD_TIMEOUT_TCP_TRANSITORY];
		if (state == HD_FLOW_CLOSED)
			return hd_cfg.timeouts[HD_TIMEOUT_TCP_CLOSED];
		return hd_cfg.timeouts[HD_TIMEOUT_TCP_HALF_OPEN];
	}
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6)
		return hd_cfg.timeouts[HD_TIMEOUT_ICMP];
	if (state == HD_FLOW_NEW)
		return hd_cfg.timeouts[HD_TIMEOUT_UDP_NEW];
	return proto == IPPROTO_UDP ? hd_cfg.timeouts[HD_TIMEOUT_UDP]
				    : hd_cfg.timeouts[HD_TIMEOUT_OTHER];
}

/** hd_flow_is_live - whether an entry still counts */
static __always_inline bool hd_flow_is_live(const struct hd_ip *ip,
					    const struct hd_flow_value *flow)
{
	/* A second of grace: another CPU may have touched it a tick after we looked at the clock. All else is long ago. */
	return flow_now() - flow->seen + hd_cfg.hz <=
	       hd_flow_timeout(ip->proto, flow->state) + hd_cfg.hz;
}

static __always_inline __u32 neighbours_moved(__u32 router)
{
	const struct hd_router_state *state = bpf_map_lookup_elem(&hd_router_state, &router);

	return state ? *(const volatile __u32 *)&state->moved : 0;
}

/** hd_router_gen - generation of a router: its configuration, and which MACs its neighbours have; 0 for none */
static __always_inline __u32 hd_router_gen(__u32 id)
{
	const struct hd_port_value *router = id ? hd_port_lookup(id) : NULL;

	return router ? router->gen + neighbours_moved(id) + neighbours_moved(HD_PORT_NONE) : 0;
}

/** hd_flow_gen - generation that a flow between two ports is judged by now */
static __always_inline __u32 hd_flow_gen(const struct hd_pkt *pkt, const struct hd_port_value *a,
					 const struct hd_port_value *b)
{
	return a->gen + b->gen + (pkt->routed ? hd_router_gen(pkt->ip->router) : 0);
}

/** hd_flow_count - count the packet for its flow and the rules that allowed it, and keep the flow alive */
static __always_inline void hd_flow_count(const struct hd_pkt *pkt, struct hd_flow_value *flow,
					  __u32 side)
{
	const struct hd_rflow_value *rflow = (const void *)flow;
	__u32 packets = ctx_segs(pkt->ctx), now = flow_now();

	if (!hd_may_write())
		return;
	if (flow->seen != now)
		flow->seen = now;
	flow->packets[side & 1] += packets;
	flow->bytes[side & 1] += ctx_len(pkt->ctx);
	hd_rule_count(flow->rule[0], packets, ctx_len(pkt->ctx));
	hd_rule_count(flow->rule[1], packets, ctx_len(pkt->ctx));
	if (pkt->routed) /* then it is an entry of such a table */
		hd_rule_count(rflow->rule, packets, ctx_len(pkt->ctx));
}

/* What needs a second look: the beginning and end of a connection, pieces, and ICMP, whose request and reply must not be swapped. */
static __always_inline bool flow_is_plain(const struct hd_ip *ip)
{
	if (ip->flags & (HD_IP_FRAGMENT | HD_IP_ICMP_ERROR))
		return false;
	if (ip->proto == IPPROTO_TCP)
		return !(ip->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) &&
		       (ip->tcp_flags & TCP_ACK);
	return ip->proto != IPPROTO_ICMP && ip->proto != IPPROTO_ICMPV6;
}

/** hd_flow_edge - one beyond the last that a side accepts. The scale counts only if both have sent one (RFC 7323 section 2.2). */
static __always_inline __u32 hd_flow_edge(const struct hd_flow_value *flow, __u32 side)
{
	const struct hd_flow_tcp *tcp = &flow->tcp[side & 1];
	__u32 window = tcp->window;

	if ((flow->seen_flags & (HD_FLOW_SCALE * 3)) == HD_FLOW_SCALE * 3)
		window <<= (side ? flow->scale >> 4 : flow->scale) & 15;
	return tcp->ack + window;
}

/** hd_flow_track_tcp - remember what the sender acknowledges and has room for */
static __always_inline void hd_flow_track_tcp(const struct hd_pkt *pkt, struct hd_flow_value *flow,
					      __u32 side)
{
	const struct tcphdr *tcp = ctx_header(pkt->ctx, pkt->ip->l4_off, sizeof(*tcp));
	struct hd_flow_tcp *mine = &flow->tcp[side & 1];
	__u32 ack;

	if (!tcp || !hd_may_write())
		return;
	ack = bpf_ntohl(tcp->ack_seq);
	if (flow->seen_flags & HD_FLOW_ACK << (side & 1)) {
		/* Neither back, nor beyond what its sender has allowed the other side to send. */
		if ((__s32)(ack - mine->ack) < 0 || (__s32)(ack - hd_flow_edge(flow, side)) > 1)
			return;
	}
	if (mine->ack != ack)
		mine->ack = ack;
	if (mine->window != bpf_ntohs(tcp->window))
		mine->window = bpf_ntohs(tcp->window);
}

/** hd_flow_answers - whether an entry is that of the sender: live, established, and it comes by the port and from the MAC that it should */
static __always_inline bool hd_flow_answers(const struct hd_pkt *pkt,
					    const struct hd_flow_value *flow, __u32 side)
{
	if (!flow || flow->state != HD_FLOW_ESTABLISHED || !hd_flow_is_live(pkt->ip, flow))
		return false;
	if (flow->port[side & 1] != pkt->port)
		return false;
	return !(pkt->from->flags & HD_PORT_HAS_MAC) || mac_equal(pkt->src, pkt->from->mac) ||
	       !(pkt->from->flags & HD_PORT_SECURE);
}
