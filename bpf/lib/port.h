/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* port.h - which port a packet belongs to, and handing a packet to a port */
#pragma once

#include "heddle/abi.h"

#include "lib/leg.h"
#include "lib/peer.h"
#include "lib/vlan.h"

/*
 * hd_ifindex, hd_ifindex_far: device -> port. Writer: the daemon. Reader: every packet.
 * The first is direct-mapped: two loads and no hash. The second holds devices whose slot another device has; it is nearly always
 * empty. Entries die with the port's device.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HD_IFINDEX_SLOTS);
	__type(key, __u32);
	__type(value, struct hd_ifindex_value);
} hd_ifindex SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_PORTS_DEFAULT);
	__type(key, __u32);
	__type(value, __u32);
} hd_ifindex_far SEC(".maps");

/* hd_ports, hd_networks: see heddle/port.h. Writer: the daemon. Reader: every packet. Sized by the configuration. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HD_PORTS_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_port_value);
} hd_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HD_NETWORKS_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_network_value);
} hd_networks SEC(".maps");

/* hd_port_counters: by port id. Writer: the datapath. Reader: the daemon. Zeroed when the id is given to a new port. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HD_PORTS_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_counters);
} hd_port_counters SEC(".maps");

static __always_inline __u32 port_of_ifindex(__u32 ifindex)
{
	__u32 slot = ifindex % HD_IFINDEX_SLOTS;
	const struct hd_ifindex_value *near = bpf_map_lookup_elem(&hd_ifindex, &slot);
	const __u32 *far;

	if (near && near->ifindex == ifindex)
		return near->port;
	far = bpf_map_lookup_elem(&hd_ifindex_far, &ifindex);
	return far ? *far : HD_PORT_NONE;
}

/** hd_port_is_held - whether the port may use only MACs that are configured */
static __always_inline bool hd_port_is_held(const struct hd_pkt *pkt)
{
	return (pkt->from->flags & (HD_PORT_SECURE | HD_PORT_HAS_MAC)) ==
	       (HD_PORT_SECURE | HD_PORT_HAS_MAC);
}

/** hd_port_lookup - a port's entry; NULL if the id is not in use */
static __always_inline const struct hd_port_value *hd_port_lookup(__u32 id)
{
	const struct hd_port_value *port = bpf_map_lookup_elem(&hd_ports, &id);

	return port && port->network != HD_NETWORK_NONE ? port : NULL;
}

/** hd_port_is_member - whether a port, or a peer, is in a network */
__noinline int hd_port_is_member(__u32 network, __u32 id)
{
	const struct hd_port_value *port = hd_port_lookup(id);
	struct hd_peer_net_key key = { .network = network, .peer = id };

	if (!port || port->network == network || !(port->flags & HD_PORT_TUNNEL))
		return port && port->network == network;
	return (port->flags & HD_PORT_EVERYWHERE) || bpf_map_lookup_elem(&hd_peer_nets, &key);
}

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

/** hd_port_is_in - the same where it must be fast */
static __always_inline bool hd_port_is_in(const struct hd_pkt *pkt, __u32 id,
					  const struct hd_port_value *port)
{
	return port->network == pkt->network || hd_port_is_member(pkt->network, id);
}

/**
 * hd_port_identify - find the port of the device that the packet is on, and its network
 *
 * Also notes them for the stages, see hd_port_resume().
 *
 * Return: 0, or -HD_DROP_NO_PORT: the device is attached but belongs to no port (yet, or any more), so nothing may pass.
 */
static __always_inline int hd_port_identify(struct hd_pkt *pkt)
{
	__u32 id = port_of_ifindex(pkt->ctx->ifindex), slot = pkt->stage == HD_STAGE_PORT_OUT;
	const struct hd_port_value *port;

	pkt->ip = bpf_map_lookup_elem(&hd_scratch, &slot);
	if (id == HD_PORT_NONE || !pkt->ip)
		return -HD_DROP_NO_PORT;
	port = hd_port_lookup(id);
	if (!port || (port->flags & (HD_PORT_UPLINK | HD_PORT_TUNNEL)))
		return -HD_DROP_NO_PORT;
	pkt->port = id;
	pkt->from = port;
	pkt->network =
		*(const volatile __u32 *)&port->network; /* once: the slot may be freed now */
	pkt->vlan = port->vlan;				 /* that of untagged frames */
	if (pkt->network == HD_NETWORK_NONE)
		return -HD_DROP_NO_PORT;
	pkt->ip->port = pkt->port;
	pkt->ip->network = pkt->network;
	pkt->ip->router = HD_PORT_NONE;
	if (pkt->stage == HD_STAGE_PORT_IN)
		hd_trace(pkt, HD_TRACE_PORT, pkt->port, pkt->network);
	if (pkt->stage == HD_STAGE_PORT_OUT)
		hd_trace(pkt, HD_TRACE_HOST, pkt->port, pkt->network);
	return 0;
}

/**
 * hd_port_resume - the same for a stage: which port, or peer, the packet came from
 *
 * The device does not say it for what came out of a tunnel. The entry program of this very run has noted it.
 */
static __always_inline int hd_port_resume(struct hd_pkt *pkt)
{
	__u32 slot = 0;

	pkt->ip = bpf_map_lookup_elem(&hd_scratch, &slot);
	if (!pkt->ip)
		return -HD_DROP_NO_PORT;
	pkt->port = pkt->ip->port;
	pkt->network = pkt->ip->network;
	pkt->from = hd_port_lookup(pkt->port);
	return pkt->from ? 0 : -HD_DROP_NO_PORT;
}

/** hd_network_flags, hd_network_ageing - what the packet's network says; not asked for where it is not needed: it may be a cold line */
static __always_inline __u32 hd_network_flags(const struct hd_pkt *pkt)
{
	const struct hd_network_value *net = bpf_map_lookup_elem(&hd_networks, &pkt->network);

	return net ? net->flags : 0;
}

static __always_inline __u32 hd_network_ageing(const struct hd_pkt *pkt)
{
	const struct hd_network_value *net = bpf_map_lookup_elem(&hd_networks, &pkt->network);

	return net ? net->ageing_jiffies : 0;
}

/** hd_port_count_in - count a packet that entered the host by a port */
static __always_inline void hd_port_count_in(const struct hd_pkt *pkt)
{
	struct hd_counters *count = bpf_map_lookup_elem(&hd_port_counters, &pkt->port);

	if (!count || !hd_may_write())
		return;
	count->rx_packets++;
	count->rx_bytes += pkt->ctx->len;
}

/** hd_port_count_out - count a packet that leaves the host by port @id */
static __always_inline void hd_port_count_out(const struct hd_pkt *pkt, __u32 id)
{
	struct hd_counters *count = bpf_map_lookup_elem(&hd_port_counters, &id);

	if (!count || !hd_may_write())
		return;
	count->tx_packets++;
	count->tx_bytes += pkt->ctx->len;
}

/** hd_drop - count a drop for the port that it is to be told of, by reason and in its sum */
static __always_inline void hd_drop(const struct hd_pkt *pkt, __u32 id, __u32 reason)
{
	struct hd_counters *count = bpf_map_lookup_elem(&hd_port_counters, &id);

	hd_trace(pkt, HD_TRACE_DROP, reason, id);
	(void)hd_drop_count(id, reason, pkt->stage, pkt->ctx->len);
	if (count && hd_may_write())
		count->drops++;
}

/* Bytes of IP and TCP or UDP header in front of each segment of a super-packet; 0 if they can't be read. */
static __always_inline __u32 gso_header_len(struct __sk_buff *ctx, __u32 l3_off, bool v4)
{
	const struct iphdr *ip = ctx_header(ctx, l3_off, sizeof(*ip));
	const struct tcphdr *tcp;
	__u32 len, proto;

	if (!ip)
		return 0;
	len = v4 ? ip->ihl * 4 : sizeof(struct ipv6hdr);
	proto = v4 ? ip->protocol : ((const struct ipv6hdr *)ip)->nexthdr;
	if (proto == IPPROTO_UDP)
		return len + sizeof(struct udphdr);
	if (proto != IPPROTO_TCP)
		return 0;
	tcp = ctx_header(ctx, l3_off + len, sizeof(*tcp));
	return tcp ? len + tcp->doff * 4 : 0;
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
	if (!fits_mtu(pkt, to))
		return -HD_DROP_MTU;
	return to->flags & HD_PORT_LEG ? hd_leg_may_take(pkt, id) : 0;
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
		return pkt->vlan ? -HD_DROP_VLAN : hd_peer_may_take(pkt->from->flags, to->flags);
	if (!hd_vlan_may_leave(pkt, id, to))
		return -HD_DROP_VLAN;
	r = hd_port_may_take(pkt, id, to);
	if (r == -HD_DROP_MTU)
		pkt->ip->to = to->flags & HD_PORT_LEG ? id : HD_PORT_NONE;
	return r;
}

/** hd_port_is_told - whether a packet was refused by a leg that it does not fit: its sender is told what does (toobig.h) */
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
 * What came out of a tunnel may still have the outer packet's protocol as far as the kernel knows; the far end of a veth
 * looks again only at what takes the long way.
 *
 * Return: HD_VERDICT_REDIRECT, HD_VERDICT_ENCAP, -HD_DROP_REDIRECT or -HD_DROP_NO_MEMORY.
 */
static __always_inline int hd_port_send(struct hd_pkt *pkt, __u32 id,
					const struct hd_port_value *to)
{
	int r = hd_vlan_out(pkt, to);

	if (r < 0)
		return r;
	if (to->flags & HD_PORT_TUNNEL) {
		pkt->ip->to = id;
		return HD_VERDICT_ENCAP;
	}
	if ((to->flags & HD_PORT_PEER) && !has_outer_protocol(pkt)) {
		if (pkt->ctx->pkt_type != PACKET_HOST)
			(void)bpf_skb_change_type(pkt->ctx, PACKET_HOST);
		r = bpf_redirect_peer(to->ifindex, 0);
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
 * The two above for the stages, as functions that the verifier looks at once: it forgets how the packet came there, and by which way it came
 * out. Inline they are in the programs that must be fast, where few ways lead to them.
 */
__noinline int hd_port_ask(struct __sk_buff *ctx, __u32 from, __u32 to, __u32 l3_off,
			   __u32 eth_type)
{
	struct hd_pkt pkt = {
		.ctx = ctx, .l3_off = l3_off, .eth_type = eth_type, .from = hd_port_lookup(from)
	};
	const struct hd_port_value *port = hd_port_lookup(to);
	__u32 slot = 0;

	pkt.ip = bpf_map_lookup_elem(&hd_scratch, &slot);
	if (!pkt.from || !pkt.ip || !port)
		return -HD_DROP_PORT_DOWN;
	hd_vlan_restore(&pkt);
	return hd_port_may_send(&pkt, to, port);
}

__noinline int hd_port_give(struct __sk_buff *ctx, __u32 from, __u32 to, __u32 eth_type,
			    __u32 stage)
{
	struct hd_pkt pkt = {
		.ctx = ctx, .eth_type = eth_type, .stage = stage, .from = hd_port_lookup(from)
	};
	const struct hd_port_value *port = hd_port_lookup(to);
	__u32 slot = 0;

	pkt.ip = bpf_map_lookup_elem(&hd_scratch, &slot);
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

static __always_inline int hd_port_send_to(const struct hd_pkt *pkt, __u32 id)
{
	pkt->ip->verdict =
		hd_port_give(pkt->ctx, pkt->port, id, pkt->tagged ? 0 : pkt->eth_type, pkt->stage);
	return HD_VERDICT_SENT; /* one way for the verifier to go on, not one for each outcome */
}
