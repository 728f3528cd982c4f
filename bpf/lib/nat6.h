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

/* hd_outsides6: the addresses that endpoints of IPv6 are of. Writer: the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_OUTSIDES6_DEFAULT);
	__type(key, struct hd_fip6_key);
	__type(value, struct hd_outside6_value);
} hd_outsides6 SEC(".maps");

/*
 * hd_nat_names, hd_nat_named: what inside addresses of IPv6 are called in the tables of ports, and who is called that. Writers: the datapath (with the first endpoint of an
 * address), the daemon (sweep). Full: a new connection is refused.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_NAT_USERS_DEFAULT);
	__type(key, struct hd_nat_name_key);
	__type(value, __be32);
} hd_nat_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_NAT_USERS_DEFAULT);
	__type(key, struct hd_nat_user_key);
	__type(value, struct hd_nat_named);
} hd_nat_named SEC(".maps");

/* hd_nat_asked6: as hd_nat_asked in nat.h. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HD_NAT_ASKED6_DEFAULT);
	__type(key, struct hd_nat_asked6_key);
	__type(value, __u32);
} hd_nat_asked6 SEC(".maps");

/* Where the sender's (or, with @dst, the receiver's) port or query id is in a packet, or in what an ICMP error quotes. @l4: of the transport header */
static __always_inline __u32 port_off_in(__u32 l4, __u8 proto, bool dst)
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

/* What is asked from outside has its type where an answer has the id: that is no endpoint's. */
static __always_inline bool is_query(const struct hd_ip *ip)
{
	__u8 request;

	return is_icmp(ip) && !(ip->flags & HD_IP_LATER) && !icmp_is_reply(ip, &request);
}

/*
 * The outside endpoint that the packet is for; or of an error that which has sent what it quotes: its address is the error's destination, which the caller has
 * seen (hd_fip6_is_quoted()). False if there is none; its port and protocol are left in the scratch.
 */
static __always_inline bool outside6(hd_ctx *ctx, struct hd_ip *ip)
{
	__u8 proto = ip->proto;
	__be16 port = ip->dport;
	__u32 l4;

	if (ip->nat & NAT_ERROR) {
		l4 = quoted6_l4(ctx, ip, &proto);
		if (!l4 || ctx_load(ctx, port_off_in(l4, proto, false), &port, 2))
			return false;
	} else if (is_query(ip)) {
		port = 0;
	}
	ip->nat_proto = proto;
	ip->nat_dst_port = port;
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
	struct hd_nat6_key key = { .zone = zone, .dir = HD_NAT_IN };
	const struct hd_forward6_value *forward;
	struct hd_ip *ip = hd_ip_entering();

	if (!ip || !outside6(ctx, ip))
		return 0;
	key.port = ip->nat_dst_port;
	key.class = flow_classes[ip->nat_proto];
	hd_memcpy(key.addr, ip->daddr, 16);
	forward = bpf_map_lookup_elem(&hd_forwards6, &key);
	if (!forward)
		return 0;
	hd_memcpy(ip->nat_to_addr, forward->addr, 16);
	ip->nat_to_port = forward->port;
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

/** hd_forward6_has - whether a port of the address that the packet's sender gets belongs to a port forward. @port: network order */
__noinline int hd_forward6_has(__u32 zone, __u32 port)
{
	struct hd_nat6_key key = { .zone = zone, .port = port, .dir = HD_NAT_IN };
	const struct hd_ip *ip = hd_ip_entering();

	if (!ip)
		return 0;
	key.class = flow_classes[ip->proto];
	hd_memcpy(key.addr, ip->nat_src_addr, 16);
	return bpf_map_lookup_elem(&hd_forwards6, &key) ? 1 : 0;
}

/* ---- names ---- */

/**
 * hd_outside6_find - the outside address that the packet is for, or what an error quotes is from: its name is left in @nat_outside, the port in @nat_dst_port
 *
 * Return: 0 if no endpoint is of it.
 */
__noinline int hd_outside6_find(hd_ctx *ctx, __u32 zone)
{
	struct hd_fip6_key key = { .zone = zone, .dir = HD_NAT_IN };
	const struct hd_outside6_value *outside;
	struct hd_ip *ip = hd_ip_entering();

	if (!ip || !outside6(ctx, ip))
		return 0;
	hd_memcpy(key.addr, ip->daddr, 16);
	outside = bpf_map_lookup_elem(&hd_outsides6, &key);
	if (!outside)
		return 0;
	ip->nat_outside = outside->name;
	return 1;
}

/** hd_outside6_of - the name of a router's own address; the address is left in @nat_src_addr if it @is_source. 0 = it has none */
__noinline __u32 hd_outside6_of(__u32 router, __u32 is_source)
{
	struct hd_fip6_key key = { .zone = router, .dir = HD_NAT_OUT };
	const struct hd_outside6_value *outside = bpf_map_lookup_elem(&hd_outsides6, &key);
	struct hd_ip *ip = hd_ip_entering();

	if (!ip || !outside)
		return 0;
	if (is_source)
		hd_memcpy(ip->nat_src_addr, outside->addr, 16);
	return outside->name;
}

/** hd_name6_is - who is called by a name inside: the address is left in @nat_to_addr, the name in @nat_name; 0 if it is nobody's */
__noinline int hd_name6_is(__u32 router, __u32 name)
{
	struct hd_nat_user_key key = { .router = router, .addr = name };
	const struct hd_nat_named *named = bpf_map_lookup_elem(&hd_nat_named, &key);
	struct hd_ip *ip = hd_ip_entering();

	if (!ip || !named)
		return 0;
	hd_memcpy(ip->nat_to_addr, named->addr, 16);
	ip->nat_name = name;
	return 1;
}

/** hd_name6_of - the name of the packet's sender, or with @receiver of its receiver; 0 = it has none */
__noinline __u32 hd_name6_of(__u32 router, __u32 receiver)
{
	struct hd_nat_name_key key = { .router = router };
	const struct hd_ip *ip = hd_ip_entering();
	const __be32 *name;

	if (!ip)
		return 0;
	hd_memcpy(key.addr, receiver ? ip->daddr : ip->saddr, 16);
	name = bpf_map_lookup_elem(&hd_nat_names, &key);
	return name ? *name : 0;
}

/*
 * A name for the packet's sender; 0 if there is none to be had. First it is somebody's, then he is called that: so nobody else gets it. Another CPU may be first, and then
 * its one counts.
 */
__noinline __u32 hd_name6_make(__u32 router)
{
	struct hd_nat_user_key user = { .router = router };
	struct hd_nat_name_key key = { .router = router };
	const struct hd_ip *ip = hd_ip_entering();
	struct hd_nat_named named;

	if (!ip)
		return 0;
	hd_memcpy(named.addr, ip->saddr, 16);
	hd_memcpy(key.addr, ip->saddr, 16);
	for (int i = 0; i < 4; i++) {
		user.addr = bpf_htonl((bpf_get_prandom_u32() & HD_NAT_NAME_MAX) | 1);
		if (bpf_map_update_elem(&hd_nat_named, &user, &named, BPF_NOEXIST))
			continue;
		if (!bpf_map_update_elem(&hd_nat_names, &key, &user.addr, BPF_NOEXIST))
			return user.addr;
		(void)bpf_map_delete_elem(&hd_nat_named, &user);
		return hd_name6_of(router, 0);
	}
	return 0;
}

/* Key and value of hd_nat_asked6 on their way: the stack has no room left where they are needed. */
struct asked6 {
	struct hd_nat_asked6_key key;
	__u32 born;
};

/** hd_asked6 - whether the endpoint in hand (@nat_name, @port) has asked the @remote end of the packet: @born, or with @note it has now */
__noinline int hd_asked6(__u32 born, __u32 port, __u32 note)
{
	const struct hd_ip *ip = hd_ip_entering();
	const __u32 *was;
	struct asked6 *asked;
	__u32 zero = 0;

	asked = bpf_map_lookup_elem(&hd_bytes, &zero);
	if (!ip || !asked)
		return 0;
	asked->born = born;
	asked->key.router = ip->router;
	asked->key.name = ip->nat_name;
	asked->key.port = port;
	asked->key.class = flow_classes[ip->proto];
	asked->key.pad = 0;
	hd_memcpy(asked->key.remote, note ? ip->daddr : ip->saddr, 16);
	if (!note) {
		was = bpf_map_lookup_elem(&hd_nat_asked6, &asked->key);
		return was && *was == born;
	}
	if (hd_may_write())
		(void)bpf_map_update_elem(&hd_nat_asked6, &asked->key, &asked->born, BPF_ANY);
	return 0;
}
