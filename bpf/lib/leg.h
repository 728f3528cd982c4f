/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* leg.h - what goes to and comes from physical networks; see heddle/leg.h */
#pragma once

#include "heddle/leg.h"

#include "lib/ip.h"
#include "lib/peer.h"
#include "lib/vlan.h"

/* hd_legs: (uplink, VID) -> leg. Writer: the daemon. Reader: what comes in by an uplink that has legs. An entry dies with its network. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_NETWORKS_DEFAULT);
	__type(key, struct hd_leg_key);
	__type(value, __u32);
} hd_legs SEC(".maps");

/* Whether what is at @off would be taken for a tunnel packet: by its protocol, or a UDP port of the usual ones or ours. */
static __always_inline int is_tunnel(hd_ctx *ctx, __u32 proto, __u32 off)
{
	const struct udphdr *udp;
	const __u32 *type;
	__u32 port;

	if (proto != IPPROTO_UDP)
		return proto == IPPROTO_GRE;
	udp = ctx_header(ctx, off, sizeof(*udp));
	if (!udp)
		return 1; /* nobody sends such a thing in earnest */
	port = bpf_ntohs(udp->dest);
	type = bpf_map_lookup_elem(&hd_tunnel_ports, &port);
	return port == HD_VXLAN_PORT || port == HD_GENEVE_PORT || (type && *type);
}

/*
 * Whether a packet of a workload, on its way to a physical network by leg @id, says that it is a tunnel packet of this host or of a peer: another peer
 * would take it for one. Where it will have the host's address in any case, the one that it has now does not matter. Behind IPv6 extension headers anything may be, and the host sends none from its tunnel address.
 */
__noinline int leg_is_forged(hd_ctx *ctx, __u32 id, __u32 l3_off, __u32 eth_type)
{
	const struct hd_end_value *end = bpf_map_lookup_elem(&hd_ends, &id);
	const struct ipv6hdr *ip6;
	const struct frag6 *frag;
	const struct iphdr *ip;
	struct hd_peer_key from = {};
	__u32 proto;

	if (!end || !(end->local[0] | end->local[3]))
		return 0; /* no tunnel ends here */
	if (eth_type == bpf_htons(ETH_P_IP)) {
		ip = ctx_header(ctx, l3_off, sizeof(*ip));
		if (!ip || end->flags & HD_END_IPV6 || ip->frag_off & bpf_htons(IP_OFFSET))
			return 0; /* without its first piece it comes to nothing */
		from.addr[2] = bpf_htonl(0xffff);
		from.addr[3] = ip->saddr;
		if (!(end->flags & HD_END_MASQ) && ip->saddr != end->local[3] &&
		    !bpf_map_lookup_elem(&hd_peers, &from))
			return 0;
		ip = ctx_header(ctx, l3_off, sizeof(*ip));
		return ip && is_tunnel(ctx, ip->protocol, l3_off + ip->ihl * 4);
	}
	ip6 = ctx_header(ctx, l3_off, sizeof(*ip6));
	if (eth_type != bpf_htons(ETH_P_IPV6) || !ip6 || !(end->flags & HD_END_IPV6))
		return 0;
	hd_memcpy(from.addr, &ip6->saddr, 16);
	proto = ip6->nexthdr;
	if (!(end->flags & HD_END_MASQ6) && !addr_equal(from.addr, end->local) &&
	    !bpf_map_lookup_elem(&hd_peers, &from))
		return 0;
	l3_off += sizeof(*ip6);
	if (proto == IPPROTO_FRAGMENT) {
		frag = ctx_header(ctx, l3_off, sizeof(*frag));
		if (!frag)
			return 1;
		if (frag->off & bpf_htons(0xfff8))
			return 0; /* as above */
		proto = frag->nexthdr;
		l3_off += sizeof(*frag);
	}
	return is_ext_header(proto) || is_tunnel(ctx, proto, l3_off);
}

/** hd_leg_may_take - whether a packet may leave by leg @id: 0 or -HD_DROP_TUNNEL_FORGED */
static __always_inline int hd_leg_may_take(const struct hd_pkt *pkt, __u32 id)
{
	return leg_is_forged(pkt->ctx, id, pkt->l3_off, pkt->eth_type) ? -HD_DROP_TUNNEL_FORGED : 0;
}

/**
 * hd_leg_find - the leg that a frame comes in by
 * @pkt: @port is the uplink's; gets @prio and @tpid of the outer tag, also if it has no leg
 *
 * A tag of another kind than 802.1Q is none of ours.
 *
 * Return: port id, HD_PORT_NONE: the host's.
 */
static __always_inline __u32 hd_leg_find(struct hd_pkt *pkt)
{
	struct hd_leg_key key = { .uplink = pkt->port };
	__u32 tci, tpid;
	const __u32 *id;

	if (vlan_read(pkt, &tci, &tpid) < 0 || (tpid && tpid != bpf_htons(ETH_P_8021Q)))
		return HD_PORT_NONE;
	if (tpid) {
		key.vid = tci & HD_VLAN_MASK;
		pkt->prio = tci & ~HD_VLAN_MASK;
		pkt->tpid = tpid;
	}
	id = bpf_map_lookup_elem(&hd_legs, &key);
	return id ? *id : HD_PORT_NONE;
}
