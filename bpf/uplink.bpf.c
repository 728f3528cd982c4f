// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * uplink.bpf.c - what can be done about packets of the underlay before the kernel makes skbs of them
 *
 *   device ─▶ hd_uplink_xdp ─┬─ not ours, or nothing for XDP ─▶ as it came: hd_uplink_opened, hd_uplink_in, host
 *                            ├─ ours and not sound, or from strangers: dropped
 *                            └─ outer headers off, a note in front ─▶ GRO ─▶ hd_uplink_opened
 *
 * All maps that matter are those of port.bpf.c: the loader gives them to both.
 */
#include "lib/ctx_xdp.h"

#include "lib/decap_xdp.h"
#include "lib/finish_xdp.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* Whose device this is. What is for another MAC is not for us, as far as tunnels go: the device may let in all that is on the wire. */
static __always_inline int uplink_xdp(struct hd_pkt *pkt)
{
	__u32 id = port_of_ifindex(ctx_ifindex(pkt->ctx));
	const struct hd_end_value *us = bpf_map_lookup_elem(&hd_ends, &id);
	const struct ethhdr *eth = ctx_header(pkt->ctx, 0, sizeof(*eth));
	int r;

	pkt->from = hd_port_lookup(id);
	pkt->port = id;
	if (!us || !eth || !pkt->from || !(pkt->from->flags & HD_PORT_UPLINK) ||
	    !mac_equal(eth->h_dest, us->from))
		return HD_VERDICT_PASS;
	r = hd_decap_xdp(pkt, us);
	return r < 0 ? r : HD_VERDICT_PASS;
}

SEC("xdp.frags")
int hd_uplink_xdp(struct xdp_md *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx, .stage = HD_STAGE_UPLINK_XDP };

	hd_live_begin(&pkt);
	return hd_finish(&pkt, uplink_xdp(&pkt));
}
