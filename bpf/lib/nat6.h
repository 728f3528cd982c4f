/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nat6.h - endpoints of IPv6 on the other side of a router; when they are looked for says nat.h
 *
 * As in fip6.h, which has whole addresses: all functions that are not static take numbers, and find the packet's header, and leave what they find, in the scratch.
 */
#pragma once

#include "lib/fip6.h"
#include "lib/flow.h"

/* hd_forwards6: port forwards of IPv6, two entries for each. Writer: the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_FORWARDS6_DEFAULT);
	__type(key, struct hd_nat6_key);
	__type(value, struct hd_forward6_value);
} hd_forwards6 SEC(".maps");

/* Where the sender's (or, with @dst, the receiver's) port or query id is in what an ICMP error quotes. */
static __always_inline __u32 quoted_port_off(__u32 l4, __u8 proto, bool dst)
{
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6)
		return l4 + 4;
	return l4 + (dst ? 2 : 0);
}

/* Offset of the transport header that an ICMP error quotes; 0 if there is none, or too little of it. Of what is in pieces the first has one. */
static __always_inline __u32 quoted6_l4(hd_ctx *ctx, const struct hd_ip *ip, __u8 *ret_proto)
{
	__u32 off = ip->l4_off + 8, l4 = off + sizeof(struct ipv6hdr);
	struct frag6 frag;

	if (ctx_load(ctx, off + 6, ret_proto, 1))
		return 0;
	if (*ret_proto != IPPROTO_FRAGMENT)
		return l4;
	if (ctx_load(ctx, l4, &frag, sizeof(frag)) || (frag.off & bpf_htons(0xfff8)))
		return 0;
	*ret_proto = frag.nexthdr;
	return l4 + sizeof(frag);
}

/*
 * The outside endpoint that the packet is for; or of an error that which has sent what it quotes: its address is the error's destination, which the caller has
 * seen (hd_fip6_is_quoted()). False if there is none.
 */
static __always_inline bool outside6(hd_ctx *ctx, const struct hd_ip *ip, struct hd_nat6_key *key)
{
	__u8 proto = ip->proto;
	__u32 l4;

	key->port = ip->dport;
	if (ip->nat & NAT_ERROR) {
		l4 = quoted6_l4(ctx, ip, &proto);
		if (!l4 || ctx_load(ctx, quoted_port_off(l4, proto, false), &key->port, 2))
			return false;
	}
	key->class = flow_classes[proto];
	key->dir = HD_NAT_IN;
	hd_memcpy(key->addr, ip->daddr, 16);
	return true;
}

/**
 * hd_forward6_find - where a port forward leads to, at which the packet has come, or by which what an error quotes went out
 * @zone: network outside
 *
 * That is left in @nat_to_addr and @nat_to_port, its number in @listen_addr. Return: port id of its router, 0 if there is none.
 */
__noinline __u32 hd_forward6_find(hd_ctx *ctx, __u32 zone)
{
	struct hd_nat6_key key = { .zone = zone };
	const struct hd_forward6_value *forward;
	struct hd_ip *ip = hd_ip_entering();

	if (!ip || !outside6(ctx, ip, &key))
		return 0;
	forward = bpf_map_lookup_elem(&hd_forwards6, &key);
	if (!forward)
		return 0;
	hd_memcpy(ip->nat_to_addr, forward->addr, 16);
	ip->nat_to_port = forward->port;
	ip->nat_dst_port = key.port;
	ip->listen_addr = forward->number;
	return forward->router;
}

/**
 * hd_forward6_as - what is called by the name of a port forward, while there is one: the packet's sender, or whom an error is about
 *
 * Return: 0; -1: it is gone.
 */
__noinline int hd_forward6_as(void)
{
	struct hd_nat6_key key = { .dir = HD_NAT_OUT };
	const struct hd_forward6_value *forward;
	struct hd_ip *ip = hd_ip_entering();
	__u32 error;

	if (!ip)
		return -1;
	error = ip->nat & NAT_ERROR; /* then the header in the scratch is that of what is quoted */
	key.zone = ip->as_addr;
	key.class = flow_classes[ip->proto];
	key.port = error ? ip->dport : ip->sport;
	hd_memcpy(key.addr, error ? ip->daddr : ip->saddr, 16);
	forward = bpf_map_lookup_elem(&hd_forwards6, &key);
	if (!forward || forward->router != ip->router)
		return -1;
	hd_memcpy(ip->nat_src_addr, forward->addr, 16);
	ip->nat_src_port = forward->port;
	ip->nat |= NAT_SRC | NAT_SRC_PORT;
	return 0;
}
