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
#include "lib/pkt.h"

#include "lib/eth.h"
#include "lib/fdb.h"
#include "lib/finish.h"
#include "lib/flood.h"
#include "lib/neigh.h"
#include "lib/port.h"

char _license[] SEC("license") = "Dual BSD/GPL";

int hd_stage_flood(struct __sk_buff *ctx);
int hd_stage_neigh(struct __sk_buff *ctx);

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
	bpf_tail_call(pkt->ctx, &hd_stages, stage);
	return -HD_DROP_TAIL_CALL;
}

/* Every program starts here; a stage that was tail-called finds out again what it must know. */
static __always_inline int begin(struct hd_pkt *pkt)
{
	int r = hd_port_identify(pkt);

	return r < 0 ? r : hd_eth_parse(pkt);
}

static __always_inline int port_in(struct hd_pkt *pkt)
{
	__u32 to;
	int r;

	r = hd_port_identify(pkt);
	if (r < 0)
		return r;
	hd_port_count_in(pkt);
	r = hd_eth_parse(pkt);
	if (r < 0)
		return r;
	r = hd_fdb_learn(pkt);
	if (r < 0)
		return r;
	if (mac_is_multicast(pkt->dst))
		return stage_call(pkt, pkt->net->flags & HD_NETWORK_SUPPRESS ? HD_STAGE_NEIGH
									     : HD_STAGE_FLOOD);
	to = hd_fdb_lookup(pkt);
	if (to == HD_PORT_NONE)
		return stage_call(pkt, HD_STAGE_FLOOD);
	return hd_fdb_forward(pkt, to);
}

SEC("tc")
int hd_port_in(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_PORT_IN };

	return hd_finish(&pkt, port_in(&pkt));
}

static __always_inline int stage_neigh(struct hd_pkt *pkt)
{
	int r = begin(pkt);

	if (r < 0)
		return r;
	if (pkt->tagged)
		return stage_call(pkt, HD_STAGE_FLOOD);
	if (pkt->eth_type == bpf_htons(ETH_P_ARP))
		r = hd_neigh_arp(pkt);
	else if (pkt->eth_type == bpf_htons(ETH_P_IPV6))
		r = hd_neigh_nd(pkt);
	return r == HD_VERDICT_PASS ? stage_call(pkt, HD_STAGE_FLOOD) : r;
}

SEC("tc")
int hd_stage_neigh(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_NEIGH };

	return hd_finish(&pkt, stage_neigh(&pkt));
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

	return hd_finish(&pkt, stage_flood(&pkt));
}

/*
 * What leaves by a port's device has either been sent there by hd_port_in of another port, which has judged and counted it, or by
 * the host itself. The two are told apart by where the packet entered the host: nothing that enters by a port gets past
 * hd_port_in, so a packet with such an origin can only come from there.
 */
static __always_inline bool came_from_a_port(const struct __sk_buff *ctx)
{
	return ctx->ingress_ifindex && port_of_ifindex(ctx->ingress_ifindex) != HD_PORT_NONE;
}

static __always_inline int port_out(struct hd_pkt *pkt)
{
	int r;

	if (came_from_a_port(pkt->ctx))
		return HD_VERDICT_PASS;
	r = hd_port_identify(pkt);
	if (r < 0)
		return r;
	hd_port_count_out(pkt, pkt->port);
	return HD_VERDICT_PASS;
}

SEC("tc")
int hd_port_out(struct __sk_buff *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_PORT_OUT };

	return hd_finish(&pkt, port_out(&pkt));
}

/* The daemon asks for the time that the tables are written in: the low half of jiffies, by a test run. Attached nowhere. */
SEC("tc")
int hd_clock(struct __sk_buff *ctx)
{
	return (int)bpf_jiffies64();
}
