/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * forward_xdp.h - packets of established flows that cross a router and leave the host by an uplink, sent on before the kernel makes skbs of them
 *
 *   leg, or tunnel (opened) ─▶ for a router's MAC ─▶ its flow ─┬─ leads to a leg, or into a tunnel, at such an uplink ─▶ rewritten, wrapped, sent
 *                                                              └─ all else, and whatever may be wrong ─▶ as it came, to TC
 *
 * The entry, and what it takes to be valid, are those of TC (rewrite.h). What can't be done here without a doubt is not begun: TC can do all of it, and knows
 * the names of what goes wrong. So nothing has been changed, counted or noted of a packet that is left to TC.
 */
#pragma once

#include "lib/leg.h"
#include "lib/rewrite.h"
#include "lib/wrap.h"

/*
 * The way of a packet that is being sent on. @len: what comes in front of it, 0 = it leaves by a leg. @back: out of the device that it came in by, in the driver's
 * own way (XDP_TX). A veth takes that only if its other end has XDP, and else lets it lie: there it is redirected.
 */
struct way {
	__u32 ifindex;
	__u32 len;
	bool back;
};

/* Of TCP and UDP: the sum of the pseudo header, which is where a checksum has been left to the device (CHECKSUM_PARTIAL). */
static __always_inline __u16 pseudo_sum(const struct hd_ip *ip)
{
	__u64 sum = bpf_htons(ip->end - ip->l4_off) + (__u32)bpf_htons(ip->proto);

	for (int i = 0; i < 4; i++) {
		sum += (__u64)ip->saddr[i] + ip->daddr[i];
		if (ip_is_v4(ip))
			break;
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	return csum_fold((__u32)((sum & 0xffff) + (sum >> 16)));
}

/*
 * Whether a checksum may still have to be computed, which can't be told from here: where the sender is on this machine. One in 65536 of the others looks the
 * same, and takes the long way.
 */
static __always_inline bool may_be_unfinished(struct hd_pkt *pkt)
{
	__u32 off = pkt->ip->l4_off + (pkt->ip->proto == IPPROTO_TCP ? 16 : 6);
	const hd_u16 *csum = ctx_header(pkt->ctx, off, sizeof(*csum));

	return !csum || *csum == pseudo_sum(pkt->ip);
}

/* The sender's MAC is known to be there; what is not is learned at TC. */
static __always_inline bool is_known_source(const struct hd_pkt *pkt)
{
	struct hd_fdb_key key = fdb_key(pkt, pkt->src);
	struct hd_fdb_value *entry = bpf_map_lookup_elem(&hd_fdb, &key);

	if (!entry || entry->port != pkt->port)
		return false;
	hd_fdb_touch(entry);
	return true;
}

/* Whether frames can be sent by a device from here: an uplink that XDP is on, and that is meant to. */
static __always_inline bool may_leave_by(__u32 ifindex)
{
	__u32 id = port_of_ifindex(ifindex);
	const struct hd_end_value *end = bpf_map_lookup_elem(&hd_ends, &id);
	const struct hd_port_value *port = hd_port_lookup(id);

	return end && port && (port->flags & HD_PORT_UPLINK) && (end->flags & HD_END_FORWARD);
}

/* Into a tunnel. Short packets that would have to be filled up are rare. */
static __always_inline bool find_tunnel(const struct hd_pkt *pkt, const struct hd_replay *replay,
					__u32 len, struct way *way)
{
	const struct hd_network_value *net =
		bpf_map_lookup_elem(&hd_networks, &pkt->ip->to_network);
	const struct hd_end_value *end = bpf_map_lookup_elem(&hd_ends, &replay->to_id);

	if (!net || !net->tunnel.type || !end || !(replay->to->flags & HD_PORT_UP))
		return false;
	way->ifindex = end->ifindex;
	way->len = outer_len(net, end);
	return len + way->len <= end->mtu && ETH_HLEN + len + way->len >= OUTER_MAX;
}

/* Out by a leg. @len: of the IP packet, and what may be behind it */
static __always_inline bool find_leg(const struct hd_pkt *pkt, const struct hd_replay *replay,
				     __u32 len, struct way *way)
{
	const struct hd_port_value *to = replay->to;

	way->ifindex = to->ifindex;
	way->len = 0;
	return (to->flags & (HD_PORT_LEG | HD_PORT_UP)) == (HD_PORT_LEG | HD_PORT_UP) &&
	       len <= to->mtu && hd_leg_may_take(pkt, replay->to_id) == 0;
}

static __always_inline bool find_way(const struct hd_pkt *pkt, const struct hd_replay *replay,
				     struct way *way)
{
	__u32 len = ctx_len(pkt->ctx) - pkt->l3_off;
	bool found = replay->to->flags & HD_PORT_TUNNEL ? find_tunnel(pkt, replay, len, way)
							: find_leg(pkt, replay, len, way);

	return found && may_leave_by(way->ifindex);
}

/* Takes off the tag, or the note, with which the packet came here. */
static __always_inline int strip(struct hd_pkt *pkt)
{
	if (pkt->l3_off == ETH_HLEN) {
		if (pkt->from->flags & HD_PORT_TUNNEL)
			(void)bpf_xdp_adjust_meta(pkt->ctx, (int)sizeof(struct hd_opened));
		return 0;
	}
	if (ctx_vlan_pop(pkt->ctx))
		return -HD_DROP_NO_MEMORY;
	pkt->l3_off -= VLAN_HLEN;
	pkt->ip->l4_off -= VLAN_HLEN;
	pkt->ip->end -= VLAN_HLEN;
	return 0;
}

/* Its own function, and with what it notes in a map, for the stack. */
__noinline int wrap_xdp(struct xdp_md *ctx, __u32 network, __u32 peer)
{
	const struct hd_network_value *net = bpf_map_lookup_elem(&hd_networks, &network);
	const struct hd_end_value *end = bpf_map_lookup_elem(&hd_ends, &peer);
	const struct hd_ip *ip = hd_ip_entering();
	struct hd_pkt pkt = { .ctx = ctx, .l3_off = ETH_HLEN };
	const hd_u16 *eth = ctx_header(ctx, 0, ETH_HLEN);
	__u32 zero = 0;
	struct wrap *w = bpf_map_lookup_elem(&hd_bytes, &zero);

	if (!net || !end || !ip || !eth || !w)
		return -HD_DROP_ENCAP;
	w->tunnel = net->tunnel;
	w->v6 = end->flags & HD_END_IPV6;
	w->n_tags = 0;
	for (int i = 0; i < ETH_HLEN / 2; i++)
		w->eth[i] = eth[i];
	pkt.eth_type = w->eth[6];
	w->tos = outer_tos(&pkt, &w->tunnel);
	w->hash = hd_ip_hash(ip);
	if (bpf_xdp_adjust_head(ctx, -(int)outer_len(net, end)))
		return -HD_DROP_NO_MEMORY;
	w->len = ctx_len(ctx) - ETH_HLEN;
	return hd_wrap_write(&pkt, w, end);
}

/* From here on nobody else will have the packet: what goes wrong is a drop. */
static __always_inline int send_on(struct hd_pkt *pkt, struct hd_replay *replay,
				   const struct way *way)
{
	struct hd_flow_value *flow = &replay->rflow->flow;
	int r = strip(pkt);

	if (r < 0)
		return r;
	hd_live_begin(pkt); /* what a filter asks for was behind a tag, or in a tunnel, before */
	hd_port_count_in(pkt);
	hd_trace(pkt, HD_TRACE_PORT, pkt->port, pkt->network);
	hd_trace(pkt, HD_TRACE_FLOW_HIT, flow->rule[0], flow->rule[1]);
	if (pkt->ip->proto == IPPROTO_TCP)
		hd_flow_track_tcp(pkt, flow, replay->side);
	hd_flow_count(pkt, flow, replay->side);
	r = hd_hop_dress(pkt, false);
	if (r < 0)
		return r;
	hd_port_count_out(pkt, replay->to_id);
	if (way->len)
		r = wrap_xdp(pkt->ctx, pkt->network, replay->to_id);
	else
		r = hd_vlan_out(pkt, replay->to);
	if (r < 0)
		return r;
	hd_trace(pkt, way->len ? HD_TRACE_ENCAP : HD_TRACE_SEND, replay->to_id,
		 ctx_len(pkt->ctx) - ETH_HLEN);
	if (way->back)
		return HD_VERDICT_BACK;
	return bpf_redirect(way->ifindex, 0) == XDP_REDIRECT ? HD_VERDICT_REDIRECT
							     : -HD_DROP_REDIRECT;
}

/* Addresses and type; the tag of a leg, which is in the packet here, is stepped over. */
static __always_inline bool read_eth(struct hd_pkt *pkt)
{
	if (hd_eth_parse(pkt) < 0)
		return false;
	if (!(pkt->from->flags & HD_PORT_LEG))
		return !pkt->tagged;
	return pkt->tagged ? !eth_is_tag(pkt->eth_type) : !pkt->from->vlan;
}

/**
 * hd_for_router - offset of the IP header of a frame for a router, from a sender that is known to be where it comes from; 0 if it is none
 *
 * The port or peer that it came from is in the scratch; the router is, afterwards. Not static, for the stack of its caller.
 */
__noinline __u32 hd_for_router(struct xdp_md *ctx)
{
	struct hd_pkt pkt = { .ctx = ctx };

	if (hd_port_resume(&pkt) < 0 || !read_eth(&pkt) || !hd_router_find(&pkt) ||
	    !is_known_source(&pkt))
		return 0;
	return pkt.l3_off;
}

/* TCP and UDP, all of it in one buffer. */
static __always_inline bool is_simple(const struct hd_pkt *pkt)
{
	return (pkt->ip->proto == IPPROTO_TCP || pkt->ip->proto == IPPROTO_UDP) &&
	       ctx_data(pkt->ctx) + ctx_len(pkt->ctx) == ctx_data_end(pkt->ctx);
}

/* The packet in hand, for the next of these functions. */
static __always_inline bool recall(struct hd_pkt *pkt)
{
	const __be16 *type = ctx_header(pkt->ctx, pkt->l3_off - sizeof(*type), sizeof(*type));

	if (!type || !pkt->l3_off || hd_port_resume(pkt) < 0)
		return false;
	pkt->eth_type = *type;
	hd_vlan_restore(pkt);
	return true;
}

/**
 * hd_read_xdp - read what is above Ethernet, if it is of the kind that is sent on here, and translate it as hd_nat_arrive()
 * @off:     what hd_for_router() has said
 * @partial: it came by a device whose packets may have checksums that are not computed yet
 */
__noinline int hd_read_xdp(struct xdp_md *ctx, __u32 off, __u32 partial)
{
	struct hd_pkt pkt = { .ctx = ctx, .l3_off = off };

	if (!recall(&pkt) || hd_ip_parse(&pkt) < 0 || !is_simple(&pkt) ||
	    (partial && may_be_unfinished(&pkt)))
		return 0;
	(void)hd_nat_arrive(ctx);
	return 1;
}

/**
 * hd_forward_xdp - send on a packet for a router, if its flow leads out of an uplink
 * @ctx:     the frame, without what was around it, or with the tag of its leg
 * @off:     what hd_for_router() has said; hd_read_xdp() has read the packet
 * @partial: as there
 *
 * Not static, so that the verifier looks at it apart from what opens tunnels.
 *
 * Return: HD_VERDICT_BACK, HD_VERDICT_REDIRECT; HD_VERDICT_PASS: it is for TC, and as it was; or -HD_DROP_x.
 */
__noinline int hd_forward_xdp(struct xdp_md *ctx, __u32 off, __u32 partial)
{
	struct hd_pkt pkt = {
		.ctx = ctx, .l3_off = off, .stage = HD_STAGE_UPLINK_XDP, .routed = 1
	};
	struct hd_replay replay;
	struct way way;

	if (!recall(&pkt) || !hd_replay_find(&pkt, &replay) || !find_way(&pkt, &replay, &way) ||
	    hd_nat_look() != 0)
		return HD_VERDICT_PASS;
	way.back = !partial && way.ifindex == ctx_ifindex(ctx);
	return send_on(&pkt, &replay, &way);
}
