// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * uplink.bpf.c - what can be done about packets of the underlay before the kernel makes skbs of them
 *
 *   device ─▶ hd_uplink_xdp ─┬─ not ours, or nothing for XDP ─▶ as it came: hd_uplink_opened, hd_uplink_in, host
 *                            ├─ ours and not sound, or from strangers: dropped
 *                            ├─ outer headers off, a note in front ─▶ GRO ─▶ hd_uplink_opened
 *                            └─ of a flow that leads out of an uplink again ─▶ rewritten, wrapped or tagged, sent
 *
 * All maps that matter are those of port.bpf.c: the loader gives them to both.
 */
#include "lib/ctx_xdp.h"

#include "lib/decap_xdp.h"
#include "lib/finish_xdp.h"
#include "lib/forward_xdp.h"
#include "lib/onward.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* A frame for a router, of a port or peer that is noted in the scratch: sent on, if it is one of those that may be. */
static __always_inline int forward(struct hd_pkt *pkt, const struct hd_end_value *us)
{
	__u32 partial = us->flags & HD_END_PARTIAL, off;
	__u32 *seen;
	int r;

	if (hd_eth_parse(pkt) < 0)
		return HD_VERDICT_PASS;
	seen = hd_onward_find(pkt->ctx, pkt->l3_off, pkt->eth_type);
	if (!seen)
		return HD_VERDICT_PASS;
	off = hd_for_router(pkt->ctx);
	if (!off || !hd_read_xdp(pkt->ctx, off, partial))
		return HD_VERDICT_PASS;
	r = hd_forward_xdp(pkt->ctx, off, partial);
	if (r == HD_VERDICT_BACK || r == HD_VERDICT_REDIRECT)
		hd_onward_renew(seen);
	return r;
}

/* Out of a tunnel. What is inside goes on to TC, unless it is for a router, and can be sent on at once. */
static __always_inline int opened(struct hd_pkt *pkt, const struct hd_end_value *us)
{
	const struct ethhdr *eth = ctx_header(pkt->ctx, 0, sizeof(*eth));

	if (!(us->flags & HD_END_FORWARD) || !eth || !mac_is_router(eth->h_dest))
		return HD_VERDICT_PASS;
	pkt->ip->port = pkt->port;
	pkt->ip->network = pkt->network;
	pkt->ip->tag = 0;
	return forward(pkt, us);
}

/* By a leg, for a router. All else that comes by legs is for TC. */
static __always_inline int leg_in(struct hd_pkt *pkt, const struct hd_end_value *us)
{
	__u32 id = hd_leg_find(pkt);
	const struct hd_port_value *leg = id == HD_PORT_NONE ? NULL : hd_port_lookup(id);

	if (!leg || !(leg->flags & HD_PORT_LEG))
		return HD_VERDICT_PASS;
	pkt->port = pkt->ip->port = id;
	pkt->from = leg;
	pkt->ip->network = *(const volatile __u32 *)&leg->network;
	hd_vlan_keep(pkt);
	return forward(pkt, us);
}

/* Whose device this is. What is for another MAC is not for us, as far as tunnels go: the device may let in all that is on the wire. */
static __always_inline int uplink_xdp(struct hd_pkt *pkt)
{
	__u32 id = port_of_ifindex(ctx_ifindex(pkt->ctx));
	const struct hd_end_value *us = bpf_map_lookup_elem(&hd_ends, &id);
	const struct ethhdr *eth = ctx_header(pkt->ctx, 0, sizeof(*eth));
	int r;

	pkt->ip = hd_ip_entering();
	pkt->from = hd_port_lookup(id);
	pkt->port = id;
	if (!us || !eth || !pkt->ip || !pkt->from || !(pkt->from->flags & HD_PORT_UPLINK))
		return HD_VERDICT_PASS;
	if (mac_equal(eth->h_dest, us->from)) {
		r = hd_decap_xdp(pkt, us);
		return r ? (r < 0 ? r : HD_VERDICT_PASS) : opened(pkt, us);
	}
	if ((us->flags & HD_END_FORWARD) && (pkt->from->flags & HD_PORT_LEGS) &&
	    mac_is_router(eth->h_dest))
		return leg_in(pkt, us);
	return HD_VERDICT_PASS;
}

SEC("xdp.frags")
int hd_uplink_xdp(struct xdp_md *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_UPLINK_XDP };

	hd_live_begin(&pkt);
	return hd_finish(&pkt, uplink_xdp(&pkt));
}
