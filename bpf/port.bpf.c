// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * port.bpf.c - what happens to a frame at a port
 *
 *   workload ──▶ hd_port_in ──▶ known unicast ───────────────────▶ the one port behind which the MAC is
 *                    │
 *                    ├─ tail call ─▶ hd_stage_neigh ──▶ ARP/ND for a known address: answered
 *                    │                    │
 *                    └─ tail call ─▶ hd_stage_flood ──▶ a copy for each member of the network
 *
 *   host stack ──▶ hd_port_out ──▶ workload
 *
 * "in" is into the host, "out" is out of it. A known unicast frame stays in hd_port_in from end to end.
 */
#include "lib/ctx.h"

#include "lib/decap.h"
#include "lib/encap.h"
#include "lib/eth.h"
#include "lib/fdb.h"
#include "lib/finish.h"
#include "lib/flood.h"
#include "lib/flow.h"
#include "lib/forward.h"
#include "lib/judge.h"
#include "lib/masq.h"
#include "lib/neigh.h"
#include "lib/opened.h"
#include "lib/resolve.h"
#include "lib/route.h"
#include "lib/send.h"
#include "lib/shared.h"
#include "lib/tell.h"
#include "lib/toobig.h"
#include "lib/vlan_in.h"

char _license[] SEC("license") = "Dual BSD/GPL";

int hd_stage_flood(struct __sk_buff *ctx);
int hd_stage_neigh(struct __sk_buff *ctx);
int hd_stage_judge(struct __sk_buff *ctx);
int hd_stage_flow(struct __sk_buff *ctx);
int hd_stage_encap(struct __sk_buff *ctx);
int hd_stage_spread(struct __sk_buff *ctx);
int hd_stage_too_big(struct __sk_buff *ctx);
int hd_stage_route(struct __sk_buff *ctx);
int hd_stage_rflow(struct __sk_buff *ctx);
int hd_stage_resolve(struct __sk_buff *ctx);
int hd_stage_tell(struct __sk_buff *ctx);
int hd_stage_opened(struct __sk_buff *ctx);
int hd_uplink_in(struct __sk_buff *ctx);

/* hd_stages: static tail calls; filled when the object is loaded, and never again. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, HD_STAGE_COUNT);
	__type(key, __u32);
	__array(values, int(struct __sk_buff *));
} hd_stages SEC(".maps") = {
	.values = {
		[HD_STAGE_FLOOD] = (void *)&hd_stage_flood,
		[HD_STAGE_NEIGH] = (void *)&hd_stage_neigh,
		[HD_STAGE_JUDGE] = (void *)&hd_stage_judge,
		[HD_STAGE_FLOW] = (void *)&hd_stage_flow,
		[HD_STAGE_ENCAP] = (void *)&hd_stage_encap,
		[HD_STAGE_SPREAD] = (void *)&hd_stage_spread,
		[HD_STAGE_TOO_BIG] = (void *)&hd_stage_too_big,
		[HD_STAGE_ROUTE] = (void *)&hd_stage_route,
		[HD_STAGE_RFLOW] = (void *)&hd_stage_rflow,
		[HD_STAGE_RESOLVE] = (void *)&hd_stage_resolve,
		[HD_STAGE_TELL] = (void *)&hd_stage_tell,
		[HD_STAGE_UPLINK_IN] = (void *)&hd_uplink_in,
		[HD_STAGE_OPENED] = (void *)&hd_stage_opened,
	},
};

/*
 * hd_meta: who loaded this; see heddle/abi.h. Only the daemon reads and writes it. It stands in this object so that it is pinned and
 * replaced together with the maps that it describes.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hd_meta);
} hd_meta SEC(".maps");

static __always_inline int stage_call(struct hd_pkt *pkt, enum hd_stage stage)
{
	hd_vlan_keep(pkt);
	bpf_tail_call(pkt->ctx, &hd_stages, stage);
	return -HD_DROP_TAIL_CALL;
}

/* The exit of programs that may find out that the packet goes into a tunnel, or does not fit a leg. */
static __always_inline int leave(struct hd_pkt *pkt, int r)
{
	if (r == HD_VERDICT_SENT)
		r = pkt->ip->verdict;
	if (hd_port_is_told(pkt, r))
		r = stage_call(pkt, HD_STAGE_TOO_BIG);
	if (r == HD_VERDICT_ENCAP)
		r = stage_call(pkt, HD_STAGE_ENCAP);
	if (r == HD_VERDICT_SPREAD)
		r = stage_call(pkt, HD_STAGE_SPREAD);
	return hd_finish(pkt, r);
}

/* To another router of this host: as if it had come in from the network between them. */
static __always_inline int again(struct hd_pkt *pkt)
{
	struct hd_ip *ip = pkt->ip;

	ip->port = ip->router;
	ip->router = ip->to;
	ip->rewrite = 1;
	pkt->tpid = pkt->vlan = pkt->prio = 0;
	return stage_call(pkt, HD_STAGE_ROUTE);
}

/* The exit of programs whose packets cross a router. Its TTL bounds how many, and the kernel how many tail calls there are. */
static __always_inline int leave_routed(struct hd_pkt *pkt, int r)
{
	if (r == HD_VERDICT_SENT)
		r = pkt->ip->verdict;
	return leave(pkt, r == HD_VERDICT_AGAIN ? again(pkt) : r);
}

/* Every program starts here; a stage that was tail-called finds out again what it must know. */
static __always_inline int begin(struct hd_pkt *pkt)
{
	int r = hd_port_resume(pkt);

	if (r < 0)
		return r;
	hd_vlan_restore(pkt);
	return hd_eth_parse(pkt);
}

/* Neither end has security, or it is ARP, of which only the sender is checked. */
static __always_inline bool is_plain(struct hd_pkt *pkt, __u32 to_id)
{
	const struct hd_port_value *to = hd_port_lookup(to_id);

	return !to || !(to->flags & HD_PORT_SECURE) || eth_is_arp(pkt);
}

/*
 * Whether questions for known addresses are answered here. Those of other hosts are let in: their own heddle has not known the answer, and on
 * a physical network others may have it, too.
 */
static __always_inline bool suppresses(const struct hd_pkt *pkt)
{
	return (hd_network_flags(pkt) & HD_NETWORK_SUPPRESS) &&
	       !(pkt->from->flags & (HD_PORT_TUNNEL | HD_PORT_LEG));
}

/* Whether there may be a router in the packet's network. Peers are in many networks. */
static __always_inline bool is_routed(const struct hd_pkt *pkt)
{
	return pkt->from->flags & (HD_PORT_ROUTED | HD_PORT_TUNNEL);
}

/* IP is judged whoever sends it: it may be a piece of a packet, which receivers with security put together. */
static __always_inline int to_many(struct hd_pkt *pkt)
{
	if ((pkt->from->flags & HD_PORT_SECURE) || eth_is_ip(pkt))
		return stage_call(pkt, HD_STAGE_JUDGE);
	if (is_routed(pkt) && eth_is_arp(pkt))
		return stage_call(pkt, HD_STAGE_NEIGH);
	return stage_call(pkt, suppresses(pkt) ? HD_STAGE_NEIGH : HD_STAGE_FLOOD);
}

/* From where there is no security: if there is none at the receiver either, nobody needs to know what it is. */
static __always_inline int to_plain(struct hd_pkt *pkt)
{
	__u32 to = hd_fdb_lookup(pkt);

	if (to == HD_PORT_NONE)
		return stage_call(pkt, HD_STAGE_JUDGE);
	return is_plain(pkt, to) ? hd_fdb_forward(pkt, to) : HD_VERDICT_PASS;
}

/* Out of a tunnel most is for ports with security, and the flow knows the port, and the sender's MAC: the FDB is asked only when none answers. */
static __always_inline int to_one(struct hd_pkt *pkt)
{
	bool peer = pkt->from->flags & HD_PORT_TUNNEL, routed = hd_router_find(pkt);
	int r = HD_VERDICT_PASS;

	if (!routed && !(pkt->from->flags & (HD_PORT_SECURE | HD_PORT_TUNNEL)))
		r = to_plain(pkt);
	if (r != HD_VERDICT_PASS)
		return r;
	if (!routed && hd_ip_parse(pkt) == 0 && hd_flow_replay(pkt, &r))
		return r;
	if (peer)
		r = hd_fdb_learn(pkt);
	if (r < 0)
		return r;
	if (routed)
		return stage_call(pkt, HD_STAGE_ROUTE);
	r = peer ? to_plain(pkt) : HD_VERDICT_PASS;
	return r == HD_VERDICT_PASS ? stage_call(pkt, HD_STAGE_JUDGE) : r;
}

/* A port that is held to its MAC teaches another one only after the source check, and a peer that sends to one maybe nothing new: see to_one(). */
static __always_inline bool teaches_now(const struct hd_pkt *pkt)
{
	if (pkt->from->flags & HD_PORT_TUNNEL)
		return mac_is_multicast(pkt->dst);
	return !hd_port_is_held(pkt) || mac_equal(pkt->src, pkt->from->mac);
}

/* A frame of a network, from a port or out of a tunnel. */
static __always_inline int frame_in(struct hd_pkt *pkt)
{
	int r = 0;

	hd_port_count_in(pkt);
	if (pkt->from->flags & HD_PORT_VLAN)
		r = hd_vlan_in(pkt);
	if (r == 0)
		r = hd_eth_parse(pkt);
	if (r < 0)
		return r;
	if ((pkt->from->flags & HD_PORT_LIMIT_EGRESS) && !hd_limit_pass(pkt, pkt->port, HD_EGRESS))
		return -HD_DROP_LIMIT_EGRESS;
	if (teaches_now(pkt)) {
		r = hd_fdb_learn(pkt);
		if (r < 0)
			return r;
	}
	if ((pkt->from->flags & HD_PORT_SECURE) && eth_is_arp(pkt))
		return stage_call(pkt, HD_STAGE_NEIGH);
	return mac_is_multicast(pkt->dst) ? to_many(pkt) : to_one(pkt);
}

static __always_inline int port_in(struct hd_pkt *pkt)
{
	int r = hd_port_identify(pkt);

	return r < 0 ? r : frame_in(pkt);
}

SEC("tc")
int hd_port_in(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_PORT_IN };

	hd_live_begin(&pkt);
	return leave(&pkt, port_in(&pkt));
}

/*
 * A frame of a physical network: that of a network of ours goes on as if it had come in by a port, its leg, without the tag that says so.
 *
 * Return: 0: it goes on; 1: it is the host's, and untouched; -HD_DROP_x.
 */
static __always_inline int leg_in(struct hd_pkt *pkt)
{
	__u32 id = hd_leg_find(pkt);
	const struct hd_port_value *leg = id == HD_PORT_NONE ? NULL : hd_port_lookup(id);

	if (!leg || !(leg->flags & HD_PORT_LEG) || hd_leg_is_hosts(pkt, leg))
		return 1;
	pkt->port = id;
	pkt->from = leg;
	pkt->network = *(const volatile __u32 *)&leg->network;
	if (pkt->tpid && bpf_skb_vlan_pop(pkt->ctx))
		return -HD_DROP_NO_MEMORY;
	pkt->ctx->tc_index = HD_TC_INDEX_OURS;
	hd_ip_enter(pkt->ip, id, pkt->network);
	hd_trace(pkt, HD_TRACE_PORT, id, pkt->network);
	return 0;
}

/* Whether routers that masquerade by this uplink are asked about what comes to an address of the host. */
static __always_inline bool is_masqs(const struct hd_pkt *pkt, const struct hd_end_value *us)
{
	__u32 is_v4 = ip_is_v4(pkt->ip);
	struct hd_neigh_key key = { .network = HD_NETWORK_HOST };
	const struct hd_neigh_value *entry;
	__be32 addr[4];

	if (is_v4 && pkt->ip->daddr[0] == us->remote[3])
		return true;
	if (!(us->flags & (is_v4 ? HD_END_MASQ_MORE : HD_END_MASQ6)))
		return false;
	hd_ip_mapped(pkt->ip, pkt->ip->daddr, addr);
	hd_memcpy(key.addr, addr, 16);
	entry = bpf_map_lookup_elem(&hd_neigh, &key);
	return entry && entry->port == pkt->port;
}

/*
 * What comes to the host's addresses, if routers masquerade with them: a workload's crosses its router.
 *
 * Return: as leg_in().
 */
static __always_inline int masq_in(struct hd_pkt *pkt, const struct hd_end_value *us)
{
	if (pkt->ctx->pkt_type != PACKET_HOST || hd_eth_parse(pkt) < 0 || pkt->tagged ||
	    !eth_is_ip(pkt) || hd_ip_parse(pkt) < 0 || !is_masqs(pkt, us))
		return 1;
	pkt->ip->port = pkt->port;
	pkt->ip->network = pkt->network = HD_NETWORK_HOST;
	hd_vlan_keep(pkt);
	if (!hd_masq_find(pkt->ctx))
		return 1;
	pkt->ip->rewrite = 1;
	pkt->ctx->tc_index = HD_TC_INDEX_OURS;
	hd_trace(pkt, HD_TRACE_PORT, pkt->port, HD_NETWORK_HOST);
	hd_port_count_in(pkt);
	return stage_call(pkt, HD_STAGE_ROUTE);
}

/*
 * What is not ours goes to the host, whatever is wrong with us: its own connections never depend on heddle. Where there are legs the device
 * lets frames in that are for others; a tunnel packet among them is not ours.
 */
static __always_inline int uplink_in(struct hd_pkt *pkt)
{
	__u32 id = port_of_ifindex(pkt->ctx->ifindex), slot = 0;
	const struct hd_end_value *us = bpf_map_lookup_elem(&hd_ends, &id);
	__u32 legs;
	int r = 1;

	pkt->ip = bpf_map_lookup_elem(&hd_scratch, &slot);
	pkt->from = hd_port_lookup(id);
	pkt->port = id;
	if (!us || !pkt->ip || !pkt->from || !(pkt->from->flags & HD_PORT_UPLINK))
		return HD_VERDICT_PASS;
	legs = pkt->from->flags & HD_PORT_LEGS;
	if (!legs || pkt->ctx->pkt_type != PACKET_OTHERHOST)
		r = hd_decap(pkt, us);
	if (r == 1 && legs)
		r = leg_in(pkt);
	if (r == 1 && (pkt->from->flags & HD_PORT_MASQ))
		r = masq_in(pkt, us);
	if (r < 0)
		return r;
	if (r == 0)
		return frame_in(pkt);
	if (pkt->ctx->tc_index == HD_TC_INDEX_OURS)
		pkt->ctx->tc_index = 0; /* nobody comes in with our mark */
	return HD_VERDICT_PASS;
}

SEC("tc")
int hd_uplink_in(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_UPLINK_IN };

	hd_live_begin(&pkt);
	return leave(&pkt, uplink_in(&pkt));
}

/*
 * What comes in by an uplink where XDP opens tunnel packets. This program stands in front of hd_uplink_in and writes nothing into the packet: in front
 * of a program that does, the kernel makes packets that somebody else looks at (tcpdump) its own, and the note is lost with that. What is opened never
 * gets to the host.
 */
SEC("tc")
int hd_uplink_opened(struct __sk_buff *ctx)
{
	if (!hd_opened_read(ctx)) {
		bpf_tail_call(ctx, &hd_stages, HD_STAGE_UPLINK_IN);
		return TC_ACT_UNSPEC;
	}
	bpf_tail_call(ctx, &hd_stages, HD_STAGE_OPENED);
	return TC_ACT_SHOT;
}

/* The configuration may have changed since XDP has looked. A tag is one that was outside, and XDP could not see: such packets are not ours. */
static __always_inline int opened_in(struct hd_pkt *pkt)
{
	int r = hd_port_resume(pkt);

	hd_opened_forget(pkt->ctx);
	if (r < 0)
		return r;
	if (!(pkt->from->flags & HD_PORT_TUNNEL))
		return -HD_DROP_TUNNEL_SOURCE;
	if (!hd_port_is_in(pkt, pkt->port, pkt->from))
		return -HD_DROP_TUNNEL_MEMBER;
	if (ctx_has_tag(pkt->ctx))
		return -HD_DROP_VLAN_TAGGED;
	pkt->ctx->tc_index = HD_TC_INDEX_OURS;
	return frame_in(pkt);
}

SEC("tc")
int hd_stage_opened(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_UPLINK_IN };

	hd_live_begin(&pkt);
	return leave(&pkt, opened_in(&pkt));
}

static __always_inline int stage_encap(struct hd_pkt *pkt)
{
	int r = begin(pkt);

	if (r == 0)
		r = hd_encap(pkt, pkt->ip->to);
	return r == HD_VERDICT_TOO_BIG ? stage_call(pkt, HD_STAGE_TOO_BIG) : r;
}

SEC("tc")
int hd_stage_encap(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_ENCAP };

	return hd_finish(&pkt, stage_encap(&pkt));
}

static __always_inline int stage_too_big(struct hd_pkt *pkt)
{
	int r = begin(pkt);

	return r < 0 ? r : hd_too_big(pkt);
}

SEC("tc")
int hd_stage_too_big(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_TOO_BIG };

	return hd_finish(&pkt, stage_too_big(&pkt));
}

static __always_inline int stage_spread(struct hd_pkt *pkt)
{
	int r = begin(pkt);

	return r < 0 ? r : hd_spread(pkt);
}

SEC("tc")
int hd_stage_spread(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_SPREAD };

	return hd_finish(&pkt, stage_spread(&pkt));
}

/* ARP, and for networks that suppress it ND; both already allowed as far as the sender is concerned when they go on from here. */
static __always_inline int stage_neigh(struct hd_pkt *pkt)
{
	int r = begin(pkt);
	__u32 to;

	if (r < 0)
		return r;
	if ((pkt->from->flags & HD_PORT_SECURE) && eth_is_arp(pkt)) {
		r = hd_source_check_arp(pkt);
		if (r == 0)
			r = hd_fdb_learn(pkt);
		if (r < 0)
			return r;
	}
	if (is_routed(pkt) && !pkt->tagged)
		r = eth_is_arp(pkt) ? hd_listen_arp(pkt) : hd_listen_nd(pkt);
	if (mac_is_multicast(pkt->dst) || mac_is_router(pkt->dst)) {
		r = HD_VERDICT_PASS;
		if (!pkt->tagged)
			r = eth_is_arp(pkt) ? hd_neigh_arp(pkt, suppresses(pkt))
					    : hd_neigh_nd(pkt, suppresses(pkt));
		if (r != HD_VERDICT_PASS)
			return r;
		if (mac_is_multicast(pkt->dst))
			return stage_call(pkt, HD_STAGE_FLOOD);
		if (router_of(pkt, pkt->dst) != HD_PORT_NONE)
			return HD_VERDICT_DONE; /* it was for the router, which has heard it */
	}
	to = hd_fdb_lookup(pkt);
	return to == HD_PORT_NONE ? stage_call(pkt, HD_STAGE_FLOOD) : hd_fdb_forward(pkt, to);
}

SEC("tc")
int hd_stage_neigh(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_NEIGH };

	return leave(&pkt, stage_neigh(&pkt));
}

static __always_inline int stage_judge(struct hd_pkt *pkt)
{
	int r = begin(pkt);

	if (r == 0)
		r = hd_judge(pkt);
	if (r == HD_VERDICT_FLOW)
		return stage_call(pkt, HD_STAGE_FLOW);
	if (r != HD_VERDICT_PASS)
		return r;
	if (hd_is_nd(pkt->ip) && (suppresses(pkt) || is_routed(pkt)))
		return stage_call(pkt, HD_STAGE_NEIGH);
	return stage_call(pkt, HD_STAGE_FLOOD);
}

SEC("tc")
int hd_stage_judge(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_JUDGE };

	return leave(&pkt, stage_judge(&pkt));
}

static __always_inline int stage_flow(struct hd_pkt *pkt)
{
	int r = begin(pkt);

	return r < 0 ? r : hd_judge_flow(pkt);
}

SEC("tc")
int hd_stage_flow(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_FLOW };

	return leave(&pkt, stage_flow(&pkt));
}

/* From a router into one of its networks: where to, or why not. */
static __always_inline int stage_route(struct hd_pkt *pkt)
{
	int r = begin(pkt);

	if (r == 0 && hd_ip_parse(pkt) == 0) {
		(void)hd_nat_arrive(pkt->ctx);
		if (hd_route_replay(pkt, &r))
			return r;
	}
	if (r == 0)
		r = hd_route(pkt);
	if (r == HD_VERDICT_FLOW)
		return stage_call(pkt, HD_STAGE_RFLOW);
	if (r == HD_VERDICT_NEIGH)
		return stage_call(pkt, HD_STAGE_NEIGH);
	if (r == HD_VERDICT_RESOLVE)
		return stage_call(pkt, HD_STAGE_RESOLVE);
	if (r == HD_VERDICT_TELL)
		return stage_call(pkt, HD_STAGE_TELL);
	return r == HD_VERDICT_PASS ? stage_call(pkt, HD_STAGE_FLOOD) : r;
}

SEC("tc")
int hd_stage_route(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_ROUTE, .routed = 1 };

	return leave_routed(&pkt, stage_route(&pkt));
}

static __always_inline int stage_resolve(struct hd_pkt *pkt)
{
	int r = begin(pkt);

	if (r == 0)
		r = hd_resolve(pkt);
	if (r == HD_VERDICT_TELL)
		return stage_call(pkt, HD_STAGE_TELL);
	return r == HD_VERDICT_PASS ? stage_call(pkt, HD_STAGE_FLOOD) : r;
}

SEC("tc")
int hd_stage_resolve(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_RESOLVE };

	return hd_finish(&pkt, stage_resolve(&pkt));
}

static __always_inline int stage_tell(struct hd_pkt *pkt)
{
	int r = begin(pkt);

	return r < 0 ? r : hd_tell(pkt);
}

SEC("tc")
int hd_stage_tell(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_TELL };

	return leave_routed(&pkt, stage_tell(&pkt));
}

/* Whether the sender of a packet that is refused is told: a firewall rule says so, or it gets no port outside (RFC 5508 REQ-8). */
static __always_inline bool is_told(const struct hd_pkt *pkt, int r)
{
	if (r == -HD_DROP_NAT_PORTS) {
		pkt->ip->tell =
			(ip_is_v4(pkt->ip)
				 ? ICMP_DEST_UNREACH << 24 | ICMP_PKT_FILTERED << 16
				 : ICMPV6_DEST_UNREACH << 24 | ICMPV6_ADM_PROHIBITED << 16) |
			HD_DROP_NAT_PORTS;
		pkt->ip->tell_word = 0;
	}
	return r == -HD_DROP_NAT_PORTS || (r == -HD_DROP_FIREWALL && pkt->ip->tell);
}

SEC("tc")
int hd_stage_rflow(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_RFLOW, .routed = 1 };
	int r = stage_flow(&pkt);

	if (is_told(&pkt, r))
		r = stage_call(&pkt, HD_STAGE_TELL);
	return leave_routed(&pkt, r);
}

static __always_inline int stage_flood(struct hd_pkt *pkt)
{
	int r = begin(pkt);

	return r < 0 ? r : hd_flood(pkt);
}

SEC("tc")
int hd_stage_flood(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_FLOOD };

	return leave(&pkt, stage_flood(&pkt));
}

/*
 * What leaves by a port's device has either been sent there by hd_port_in of another port, which has judged and counted it, or by
 * the host itself. The two are told apart by where the packet entered the host: nothing that enters by a port gets past
 * hd_port_in, so a packet with such an origin can only come from there. What has entered by an uplink came out of a tunnel, or was
 * routed here by the host: the first carries a mark, which hd_uplink_in takes off everything else.
 */
static __always_inline bool came_from_a_port(const struct __sk_buff *ctx)
{
	__u32 id = ctx->ingress_ifindex ? port_of_ifindex(ctx->ingress_ifindex) : HD_PORT_NONE;
	const struct hd_port_value *port = id == HD_PORT_NONE ? NULL : hd_port_lookup(id);

	if (!port || !(port->flags & HD_PORT_UPLINK))
		return id != HD_PORT_NONE;
	return ctx->tc_index == HD_TC_INDEX_OURS;
}

/* The host has no port of its own here, so it can belong to no flow: its packets are asked for one by one. */
static __always_inline int port_out_judge(struct hd_pkt *pkt)
{
	int r;

	if (!(pkt->from->flags & HD_PORT_SECURE))
		return 0;
	hd_vlan_keep(pkt);
	r = hd_eth_parse(pkt);
	if (r < 0)
		return r;
	r = hd_ip_parse(pkt);
	if (r == 0 && (pkt->ip->flags & HD_IP_LATER))
		r = hd_frag_follow(pkt->stage);
	r = hd_judge_receiver(pkt, r, pkt->port, NULL, pkt->from);
	if (r == 0 && pkt->ip && hd_ip_is_first_piece(pkt->ip))
		r = hd_frag_begin(pkt->stage); /* the host's own come in order: none waits */
	return r < 0 ? r : 0;
}

static __always_inline int port_out(struct hd_pkt *pkt)
{
	int r;

	if (came_from_a_port(pkt->ctx))
		return HD_VERDICT_PASS;
	r = hd_port_identify(pkt);
	if (r < 0)
		return r;
	r = port_out_judge(pkt);
	if (r < 0)
		return r;
	if ((pkt->from->flags & HD_PORT_LIMIT_INGRESS) &&
	    !hd_limit_pass(pkt, pkt->port, HD_INGRESS))
		return -HD_DROP_LIMIT_INGRESS;
	hd_port_count_out(pkt, pkt->port);
	hd_trace(pkt, HD_TRACE_SEND, pkt->port, 0);
	return HD_VERDICT_PASS;
}

SEC("tc")
int hd_port_out(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_PORT_OUT };

	hd_live_begin(&pkt);
	return hd_finish(&pkt, port_out(&pkt));
}

/*
 * What leaves by an uplink is ours, wrapped, and came in by a port; or the host's own; or forwarded by the host for somebody, maybe for a
 * workload, by way of a host leg. That must not look like ours: the peer would take it for what it says to be.
 */
static __always_inline int uplink_out(struct hd_pkt *pkt)
{
	if (!pkt->ctx->ingress_ifindex || came_from_a_port(pkt->ctx) || !outer_is_for_peer(pkt))
		return HD_VERDICT_PASS;
	pkt->port = port_of_ifindex(pkt->ctx->ifindex);
	return -HD_DROP_TUNNEL_FORGED;
}

SEC("tc")
int hd_uplink_out(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_UPLINK_OUT };

	hd_live_begin(&pkt);
	return hd_finish(&pkt, uplink_out(&pkt));
}

/* The daemon asks for the time that the tables are written in: the low half of jiffies, by a test run. Attached nowhere. */
SEC("tc")
int hd_clock(struct __sk_buff *ctx)
{
	return (int)bpf_jiffies64();
}

/* The daemon gives back ports that no flow uses, by a test run: see heddle/nat.h. Attached nowhere. */
SEC("tc")
int hd_nat_give(struct __sk_buff *ctx)
{
	return hd_nat_return(ctx);
}
