/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* send.h - handing a packet to a port */
#pragma once

#include "lib/leg.h"
#include "lib/limit.h"
#include "lib/port.h"
#include "lib/vlan.h"

/** hd_peer_follow - port of the end of a flow that was known to be at @was and is now at @now: @now if only peers are concerned */
__noinline __u32 hd_peer_follow(__u32 was, __u32 now)
{
	const struct hd_port_value *old = hd_port_lookup(was), *new = hd_port_lookup(now);

	if (!new || !(new->flags &HD_PORT_TUNNEL))
		return was;
	return !old || (old->flags & HD_PORT_TUNNEL) ? now : was;
}

/** hd_peer_may_take - as hd_port_may_send(), for a peer; by the flags of both sides */
__noinline int hd_peer_may_take(__u32 from, __u32 to)
{
	if (from & HD_PORT_TUNNEL)
		return -HD_DROP_TUNNEL_LOOP;
	return to & HD_PORT_UP ? 0 : -HD_DROP_PEER_DOWN;
}

/*
 * A super-packet is judged by the segments it will be cut into: by the kernel, which knows best, for the device's MTU. Global, so that the
 * verifier looks at it once.
 */
__noinline int gso_fits_mtu(struct __sk_buff *ctx, __u32 ifindex, __u32 limit, __u32 l3_off,
			    __u32 is_v4)
{
	__u32 mtu = 0, headers;

	if (bpf_check_mtu(ctx, ifindex, &mtu, 0, BPF_MTU_CHK_SEGS))
		return 0;
	if (limit >= mtu)
		return 1;
	headers = gso_header_len(ctx, l3_off, is_v4); /* the port may have less than its device */
	return headers && ctx->gso_size + headers <= limit;
}

static __always_inline bool fits_mtu(const struct hd_pkt *pkt, const struct hd_port_value *to)
{
	if (pkt->ctx->gso_size)
		return gso_fits_mtu(pkt->ctx, to->ifindex, to->mtu, pkt->l3_off,
				    pkt->eth_type == bpf_htons(ETH_P_IP));
	return pkt->ctx->len - pkt->l3_off <= to->mtu;
}

/**
 * hd_port_may_take - whether the packet may leave by a port
 * @id: of that port
 * @to: its entry
 *
 * Return: 0, or -HD_DROP_ISOLATED, -HD_DROP_PORT_DOWN, -HD_DROP_MTU, -HD_DROP_TUNNEL_FORGED.
 */
static __always_inline int hd_port_may_take(const struct hd_pkt *pkt, __u32 id,
					    const struct hd_port_value *to)
{
	if (to->flags & pkt->from->flags & HD_PORT_ISOLATED)
		return -HD_DROP_ISOLATED;
	if (!(to->flags & HD_PORT_UP))
		return -HD_DROP_PORT_DOWN;
	if (pkt->routed && (to->flags & HD_PORT_ROUTER))
		return 0;
	if (!fits_mtu(pkt, to))
		return -HD_DROP_MTU;
	if (pkt->routed && (to->flags & HD_PORT_MASQ))
		return hd_leg_may_take(pkt, id);
	return to->flags & HD_PORT_LEG ? hd_leg_may_take(pkt, id) : 0;
}

/* Whether it is this host that a packet is routed at: its TTL bounds how often that happens, so it may go back into a tunnel. */
static __always_inline bool is_routed_here(const struct hd_pkt *pkt)
{
	return pkt->routed && pkt->ip->router && pkt->ip->rewrite;
}

/**
 * hd_port_may_send - whether the packet may leave by a port, or to a peer
 * @id: of that port
 * @to: its entry
 *
 * Whether it fits into a tunnel is found out when it is wrapped. If it does not fit a leg, that is noted in pkt->ip->to.
 *
 * Return: 0, -HD_DROP_VLAN, -HD_DROP_TUNNEL_LOOP, -HD_DROP_PEER_DOWN, or as hd_port_may_take().
 */
static __always_inline int hd_port_may_send(const struct hd_pkt *pkt, __u32 id,
					    const struct hd_port_value *to)
{
	int r;

	if (to->flags & HD_PORT_TUNNEL)
		return pkt->vlan ? -HD_DROP_VLAN
				 : hd_peer_may_take(is_routed_here(pkt) ? 0 : pkt->from->flags,
						    to->flags);
	if (!hd_vlan_may_leave(pkt, id, to))
		return -HD_DROP_VLAN;
	r = hd_port_may_take(pkt, id, to);
	if (r == -HD_DROP_MTU)
		pkt->ip->to = to->flags & HD_PORT_LEG ? id : HD_PORT_NONE;
	return r;
}

/**
 * hd_port_is_told - whether a packet was refused by a leg that it does not fit: its sender is told what does (toobig.h)
 *
 * Who makes @r -HD_DROP_MTU says in pkt->ip->to which leg it was, or that it was none; else that of another packet is found there.
 */
static __always_inline bool hd_port_is_told(const struct hd_pkt *pkt, int r)
{
	return r == -HD_DROP_MTU && pkt->ip && pkt->ip->to != HD_PORT_NONE;
}

static __always_inline bool has_outer_protocol(const struct hd_pkt *pkt)
{
	return (pkt->from->flags & HD_PORT_TUNNEL) &&
	       (pkt->tagged || pkt->ctx->protocol != pkt->eth_type);
}

/**
 * hd_port_send - hand a unicast packet to a port
 * @id: the port, for its counters
 * @to: its entry; hd_port_may_send() has been asked
 *
 * Into another namespace the packet goes straight to the far end of the veth, without a second trip through a backlog queue. There
 * nobody looks at the MAC again, so the packet type is set as the far end would have found it: the FDB says the MAC is there.
 *
 * Out of an uplink it takes the host's routes; only what crosses a router gets there.
 *
 * What came out of a tunnel may still have the outer packet's protocol as far as the kernel knows; the far end of a veth
 * looks again only at what takes the long way.
 *
 * Return: HD_VERDICT_REDIRECT, HD_VERDICT_ENCAP, HD_VERDICT_AGAIN, -HD_DROP_LIMIT_INGRESS, -HD_DROP_REDIRECT or -HD_DROP_NO_MEMORY.
 */
static __always_inline int hd_port_send(struct hd_pkt *pkt, __u32 id,
					const struct hd_port_value *to)
{
	int r;

	if ((to->flags & HD_PORT_LIMIT_INGRESS) && !hd_limit_pass(pkt, id, HD_INGRESS)) {
		pkt->blame = id;
		return -HD_DROP_LIMIT_INGRESS;
	}
	r = hd_vlan_out(pkt, to);
	if (r < 0)
		return r;
	if (to->flags & HD_PORT_TUNNEL) {
		pkt->ip->to = id;
		return HD_VERDICT_ENCAP;
	}
	if (pkt->routed && (to->flags & HD_PORT_ROUTER)) {
		pkt->ip->to = id;
		return HD_VERDICT_AGAIN;
	}
	if ((to->flags & HD_PORT_PEER) && !has_outer_protocol(pkt)) {
		if (pkt->ctx->pkt_type != PACKET_HOST)
			(void)bpf_skb_change_type(pkt->ctx, PACKET_HOST);
		r = bpf_redirect_peer(to->ifindex, 0);
	} else if (pkt->routed && (to->flags & HD_PORT_MASQ)) {
		r = bpf_redirect_neigh(to->ifindex, NULL, 0, 0);
	} else {
		r = bpf_redirect(to->ifindex, 0);
	}
	if (r != TC_ACT_REDIRECT)
		return -HD_DROP_REDIRECT;
	hd_port_count_out(pkt, id);
	hd_trace(pkt, HD_TRACE_SEND, id, 0);
	return HD_VERDICT_REDIRECT;
}

/*
 * The two above for the stages, whether the packet crosses a router or not, as functions that the verifier looks at once: it forgets how the packet came there, and by which way it came
 * out. Inline they are in the programs that must be fast, where few ways lead to them.
 */
__noinline int hd_port_ask(struct __sk_buff *ctx, __u32 from, __u32 to, __u32 l3_off,
			   __u32 eth_type)
{
	struct hd_pkt pkt = { .ctx = ctx,
			      .l3_off = l3_off,
			      .eth_type = eth_type,
			      .from = hd_port_lookup(from),
			      .routed = 1 };
	const struct hd_port_value *port = hd_port_lookup(to);

	pkt.ip = hd_ip_entering();
	if (!pkt.from || !pkt.ip || !port)
		return -HD_DROP_PORT_DOWN;
	hd_vlan_restore(&pkt);
	return hd_port_may_send(&pkt, to, port);
}

__noinline int hd_port_give(struct __sk_buff *ctx, __u32 from, __u32 to, __u32 eth_type,
			    __u32 stage)
{
	struct hd_pkt pkt = { .ctx = ctx,
			      .eth_type = (__be16)eth_type,
			      .l3_off = (__u16)(eth_type >> 16),
			      .stage = stage,
			      .from = hd_port_lookup(from),
			      .routed = 1 };
	const struct hd_port_value *port = hd_port_lookup(to);

	pkt.ip = hd_ip_entering();
	if (!pkt.from || !pkt.ip || !port)
		return -HD_DROP_PORT_DOWN;
	hd_vlan_restore(&pkt);
	return hd_port_send(&pkt, to, port);
}

/** hd_port_may_send_to, hd_port_send_to - hd_port_may_send() and hd_port_send() for the stages */
static __always_inline int hd_port_may_send_to(const struct hd_pkt *pkt, __u32 id)
{
	return hd_port_ask(pkt->ctx, pkt->port, id, pkt->l3_off, pkt->eth_type);
}

static __always_inline int hd_port_send_to(struct hd_pkt *pkt, __u32 id)
{
	__u32 type = pkt->tagged ? 0 : pkt->eth_type;

	pkt->ip->verdict =
		hd_port_give(pkt->ctx, pkt->port, id, type | (__u32)pkt->l3_off << 16, pkt->stage);
	pkt->blame = id;	/* if it does not get there, it is because of that port */
	return HD_VERDICT_SENT; /* one way for the verifier to go on, not one for each outcome */
}

/* A copy, dressed. */
__noinline int vlan_clone(struct __sk_buff *ctx, __u32 ifindex, __u32 flags, __u32 own, __u32 tag)
{
	int dressed = vlan_dress(ctx, flags, own, tag), r;

	if (dressed < 0)
		return -1;
	r = bpf_clone_redirect(ctx, ifindex, 0);
	if (dressed)
		(void)ctx_vlan_pop(ctx); /* what was put on a moment ago */
	return r;
}

/**
 * hd_vlan_clone - send a copy by a port, in the form that this port wants; the packet itself stays as it is
 *
 * Return: 0, or -HD_DROP_REDIRECT: nothing was sent.
 */
static __always_inline int hd_vlan_clone(struct hd_pkt *pkt, const struct hd_port_value *to)
{
	return vlan_clone(pkt->ctx, to->ifindex, to->flags, to->vlan, hd_vlan_tag(pkt))
		       ? -HD_DROP_REDIRECT
		       : 0;
}
