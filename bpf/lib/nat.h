/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nat.h - translating endpoints at the outside of a router; see heddle/nat.h
 *
 * What comes in is translated in the scratch as soon as it is parsed, so that all that follows sees the inside tuple; the packet's bytes are rewritten,
 * in both directions, when it is sent on. All functions that are not static take numbers, as those of hop.h.
 */
#pragma once

#include "heddle/abi.h"
#include "heddle/nat.h"

#include "lib/flow.h"
#include "lib/nat6.h"
#include "lib/peer.h"
#include "lib/sum.h"

/* hd_nat: endpoints. Writers: the datapath (a first packet that goes out), the daemon (sweep of what no flow uses). Full: a new connection is refused. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_NAT_DEFAULT);
	__type(key, struct hd_nat_key);
	__type(value, struct hd_nat_value);
} hd_nat SEC(".maps");

/* hd_fips: floating IPs, two entries for each. Writer: the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_FIPS_DEFAULT);
	__type(key, struct hd_fip_key);
	__type(value, struct hd_fip_value);
} hd_fips SEC(".maps");

/* hd_forwards: port forwards, by outside endpoint. Writer: the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_FORWARDS_DEFAULT);
	__type(key, struct hd_nat_key);
	__type(value, struct hd_forward_value);
} hd_forwards SEC(".maps");

/* hd_nat_pools, hd_nat_heads: the two ends of the ring of each external address. Writers: the daemon; the datapath. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_NAT_POOLS);
	__type(key, struct hd_nat_pool_key);
	__type(value, struct hd_nat_pool);
} hd_nat_pools SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_NAT_POOLS);
	__type(key, struct hd_nat_pool_key);
	__type(value, __u32);
} hd_nat_heads SEC(".maps");

/* hd_nat_users: the blocks of each inside address. Writers: the datapath, the daemon (gives back what is not used). Full: a new connection is refused. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_NAT_USERS_DEFAULT);
	__type(key, struct hd_nat_user_key);
	__type(value, struct hd_nat_user);
} hd_nat_users SEC(".maps");

/* hd_nat_quotas, hd_nat_shares: how many blocks routers with HD_END_NAT_QUOTA may have taken, and have. Writers: the daemon; the datapath. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_NAT_QUOTAS);
	__type(key, __u32);
	__type(value, __u32);
} hd_nat_quotas SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_NAT_QUOTAS);
	__type(key, __u32);
	__type(value, __u32);
} hd_nat_shares SEC(".maps");

/*
 * hd_nat_asked: which endpoint has asked which address, for routers with HD_END_NAT_ADDRESS. Writer: the datapath (packets from inside that begin a flow). Readers: packets
 * from outside for an endpoint, that belong to no flow. Full: the oldest is pushed out; from there only answers get in then.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HD_NAT_ASKED_DEFAULT);
	__type(key, struct hd_nat_asked_key);
	__type(value, __u32);
} hd_nat_asked SEC(".maps");

/* For a new entry of hd_nat_users: too large for the stack. Always zero. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hd_nat_user);
} hd_nat_nobody SEC(".maps");

/*
 * hd_nat_log: struct hd_nat_event, for routers with HD_END_NAT_LOG. Writer: the datapath. Reader: the daemon. Full: counted in hd_nat_lost, and the daemon
 * finds the block in hd_nat_users.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, HD_NAT_LOG_BYTES);
} hd_nat_log SEC(".maps");

/* hd_nat_lost: HD_NAT_LOST is written by the datapath, HD_NAT_LOST_TOLD by the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HD_NAT_LOST_ENTRIES);
	__type(key, __u32);
	__type(value, __u32);
} hd_nat_lost SEC(".maps");

static __always_inline const struct hd_fip_value *fip_find(__u32 zone, __be32 addr, __u32 dir)
{
	struct hd_fip_key key = { .zone = zone, .addr = addr, .dir = dir };

	return bpf_map_lookup_elem(&hd_fips, &key);
}

static __always_inline struct hd_nat_key nat_key(__u32 zone, __be32 addr, __be16 port, __u8 proto,
						 __u32 dir)
{
	return (struct hd_nat_key){
		.zone = zone, .addr = addr, .port = port, .class = flow_classes[proto], .dir = dir
	};
}

/* An outside endpoint is translated to its inside: 1, or 0 if it is none. */
static __always_inline int nat_inside(struct hd_ip *ip, __u32 outside, __be32 *addr, __be16 *port,
				      __u8 proto)
{
	const struct hd_fip_value *fip = fip_find(outside, *addr, HD_NAT_IN);
	struct hd_nat_key key = nat_key(outside, *addr, *port, proto, HD_NAT_IN);
	const struct hd_forward_value *forward;
	const struct hd_nat_value *nat;

	if (fip) {
		*addr = fip->addr;
		ip->router = fip->router;
		ip->nat |= NAT_DST;
		return 1;
	}
	forward = bpf_map_lookup_elem(&hd_forwards, &key);
	if (forward) {
		*addr = forward->addr;
		*port = forward->port;
		ip->router = forward->router;
		ip->nat |= NAT_DST | NAT_DST_PORT | NAT_FORWARD;
		return 1;
	}
	nat = bpf_map_lookup_elem(&hd_nat, &key);
	if (!nat)
		return 0;
	*addr = nat->addr;
	*port = nat->port;
	ip->router = nat->router;
	ip->nat |= NAT_DST | NAT_DST_PORT |
		   NAT_CLOSED; /* whatever the router is that the MAC was of */
	return 1;
}

/* Header of what an ICMP error quotes; of IPv4 alone. Return: offset of its transport header, 0 if it can't be read. */
static __always_inline __u32 quoted_ip(hd_ctx *ctx, const struct hd_ip *ip, struct iphdr *ret)
{
	if (ctx_load(ctx, ip->l4_off + 8, ret, sizeof(*ret)) || ret->version != 4 || ret->ihl < 5 ||
	    (ret->frag_off & bpf_htons(IP_OFFSET)))
		return 0;
	return ip->l4_off + 8 + ret->ihl * 4;
}

/* From inside to an endpoint of another router with the same address: who is inside here is somebody else there. It is as if there were none. */
static __always_inline bool is_anothers(struct hd_ip *ip, __u32 router)
{
	if (!(ip->nat & NAT_HAIRPIN) || ip->router == router)
		return false;
	ip->router = router;
	ip->nat &= NAT_ERROR;
	return true;
}

/* RFC 5508 REQ-3: an error that was damaged, or quotes what was, tells nothing. The checksum of the transport in there may be cut off, and is not looked at. */
static __always_inline bool is_damaged(hd_ctx *ctx, const struct hd_ip *ip, __u32 l4)
{
	return !hd_sum_is_right(ctx, ip->l4_off, ip->end) ||
	       !hd_sum_is_right(ctx, ip->l4_off + 8, l4);
}

/* An error from outside about something that we have sent: who has sent it? */
static __always_inline int nat_error_in(hd_ctx *ctx, struct hd_ip *ip, __u32 outside)
{
	struct iphdr quoted;
	__u32 l4 = quoted_ip(ctx, ip, &quoted), router = ip->router;
	__be32 addr;
	__be16 port = 0;

	if (!l4 || quoted.saddr != ip->daddr[0] || is_damaged(ctx, ip, l4))
		return 0;
	addr = quoted.saddr;
	if (ctx_load(ctx, port_off_in(l4, quoted.protocol, false), &port, 2))
		return 0;
	ip->nat_dst_addr[0] = addr;
	ip->nat_dst_port = port;
	if (!nat_inside(ip, outside, &addr, &port, quoted.protocol) || is_anothers(ip, router))
		return 0;
	ip->daddr[0] = ip->nat_to_addr[0] = addr;
	ip->nat_to_port = port;
	return 1;
}

/* Whether nothing of the packet's family may begin from outside. Without an address for it outside there is no way in for IPv6 either. */
static __always_inline bool is_closed(const struct hd_ip *ip, const struct hd_end_value *end)
{
	return ip_is_v4(ip) ? end->flags & HD_END_SNAT : !(end->flags & HD_END_OPEN6);
}

/* What of an address is compared with that of all outside addresses: of IPv6 both halves of the part that networks differ in. */
static __always_inline bool may_be_outside(const struct hd_ip *ip, const struct hd_end_value *end)
{
	if (ip_is_v4(ip))
		return (ip->daddr[0] & end->remote[0]) == end->remote[1];
	return ((ip->daddr[0] ^ ip->daddr[1]) & end->remote[2]) == end->remote[3];
}

/* Whether a packet is from outside, or for an outside endpoint. Sets what is known of it without one. */
static __always_inline bool is_for_endpoint(struct hd_ip *ip, const struct hd_end_value *end)
{
	bool from_outside = end->ifindex == ip->network;

	if (from_outside && is_closed(ip, end))
		ip->nat |= NAT_CLOSED;
	if (!end->ifindex ||
	    (!ip_is_v4(ip) && !(end->flags & (HD_END_FIPS6 | HD_END_FORWARDS6 | HD_END_NAT6))))
		return false;
	if (!from_outside && may_be_outside(ip, end))
		ip->nat |= NAT_HAIRPIN;
	return from_outside || (ip->nat & NAT_HAIRPIN);
}

/* What an endpoint is inside; who does not come by a floating IP or port forward belongs to a flow, or gets nowhere. */
static __always_inline int nat_arrive(struct hd_ip *ip, __u32 outside)
{
	__be16 port = is_query(ip) ? 0 : ip->dport;
	__be32 addr = ip->daddr[0];
	__u32 router = ip->router;
	bool found;

	ip->nat_dst_addr[0] = addr;
	ip->nat_dst_port = ip->dport;
	found = nat_inside(ip, outside, &addr, &port, ip->proto) && !is_anothers(ip, router);
	if (!found) {
		ip->nat &= ~NAT_HAIRPIN;
		return 0;
	}
	ip->daddr[0] = addr;
	if (ip->nat & NAT_FORWARD) {
		ip->listen_addr = ip->nat_dst_addr[0];
		ip->listen_port = ip->nat_dst_port;
	}
	if (ip->nat & NAT_DST_PORT)
		ip->dport = port;
	if ((ip->nat & NAT_FORWARD) || !(ip->nat & NAT_DST_PORT))
		ip->nat &= ~NAT_CLOSED;
	ip->nat_to_addr[0] = ip->daddr[0];
	ip->nat_to_port = ip->dport;
	return 1;
}

/* By an endpoint of hd_nat, in which addresses have names. */
static __always_inline __u32 nat_endpoint6(hd_ctx *ctx, struct hd_ip *ip, __u32 outside)
{
	const struct hd_nat_value *nat;
	struct hd_nat_key key;

	if (!hd_outside6_find(ctx, outside))
		return 0;
	key = nat_key(outside, ip->nat_outside, ip->nat_dst_port, ip->nat_proto, HD_NAT_IN);
	nat = bpf_map_lookup_elem(&hd_nat, &key);
	if (!nat || !hd_name6_is(nat->router, nat->addr))
		return 0;
	ip->nat_to_port = nat->port;
	return nat->router;
}

/*
 * Which router the outside endpoint is of, that an IPv6 packet is for; @nat says in which way. 0 = it is for none.
 * @flags: HD_END_FIPS6, _FORWARDS6, _NAT6: where to look
 */
static __always_inline __u32 nat_inside6(hd_ctx *ctx, struct hd_ip *ip, __u32 outside, __u32 flags,
					 __u32 *nat)
{
	__u32 whose = 0;

	if ((ip->nat & NAT_ERROR) && !hd_fip6_is_quoted(ctx))
		return 0;
	*nat = NAT_DST;
	if (flags & HD_END_FIPS6)
		whose = hd_fip6_find(outside, HD_NAT_IN, 0);
	if (whose)
		return whose;
	*nat = NAT_DST | NAT_DST_PORT | NAT_FORWARD;
	if (flags & HD_END_FORWARDS6)
		whose = hd_forward6_find(ctx, outside);
	if (whose || !(flags & HD_END_NAT6))
		return whose;
	*nat = NAT_DST | NAT_DST_PORT | NAT_CLOSED;
	return nat_endpoint6(ctx, ip, outside);
}

/* Who has a floating IP is known outside by that alone: to its own address comes nothing from there. */
static __always_inline int nat_arrive6(hd_ctx *ctx, struct hd_ip *ip, __u32 outside, __u32 flags)
{
	__u32 router = ip->router, hairpin = ip->nat & NAT_HAIRPIN, nat = 0;
	__u32 whose = nat_inside6(ctx, ip, outside, flags, &nat);

	if (!whose || (hairpin && whose != router)) { /* as is_anothers() */
		ip->nat &= ~NAT_HAIRPIN;
		ip->listen_addr = 0;
		if (!hairpin && (flags & HD_END_FIPS6) && hd_fip6_find(router, HD_NAT_OUT, 0))
			ip->nat |= NAT_SHUT;
		return 0;
	}
	ip->router = whose;
	hd_memcpy(ip->nat_dst_addr, ip->daddr, 16);
	hd_memcpy(ip->daddr, ip->nat_to_addr, 16);
	ip->nat = (ip->nat & ~NAT_CLOSED) | nat;
	if (nat & NAT_FORWARD)
		ip->listen_port = ip->nat_dst_port;
	if (!(nat & NAT_DST_PORT) || (ip->nat & NAT_ERROR))
		return 1;
	ip->dport = ip->nat_to_port;
	return 1;
}

/**
 * hd_nat_arrive - a packet for a router: if it is for an outside endpoint, translate what is known of it to the inside
 * @ctx: only looked at
 *
 * Also finds the router that it is for, if several share an external address.
 */
__noinline int hd_nat_arrive(hd_ctx *ctx)
{
	struct hd_ip *ip = hd_ip_entering();
	const struct hd_end_value *end;
	__u32 router;

	if (!ip)
		return 0;
	ip->nat = ip->flags & HD_IP_ICMP_ERROR ? NAT_ERROR : 0;
	ip->listen_addr = ip->as_addr = 0;
	router = ip->router;
	end = bpf_map_lookup_elem(&hd_ends, &router);
	if (!end || !ip->rewrite || !is_for_endpoint(ip, end))
		return 0;
	if (!ip_is_v4(ip))
		return nat_arrive6(ctx, ip, end->ifindex, end->flags);
	return ip->nat & NAT_ERROR ? nat_error_in(ctx, ip, end->ifindex)
				   : nat_arrive(ip, end->ifindex);
}

/**
 * hd_nat_is_of - whether a packet came by the same port forward as its flow, or as it by none; if so, as what its sender answers is noted
 * @side: of the sender
 *
 * The flow's tuple is that of the inside: a client that uses two port forwards to the same endpoint at once, from the same port, would be two connections in one.
 */
__noinline int hd_nat_is_of(const struct hd_rflow_value *rflow, __u32 side)
{
	struct hd_ip *ip = hd_ip_entering();

	if (!ip || !rflow)
		return 0;
	if (side != rflow->flow.opener) {
		ip->as_addr = rflow->listen_addr;
		ip->as_port = rflow->listen_port;
		return !ip->listen_addr;
	}
	if (!(ip->nat & NAT_DST) && !rflow->listen_addr)
		return true;
	return ip->listen_addr == rflow->listen_addr &&
	       (!ip->listen_addr || ip->listen_port == rflow->listen_port);
}

/**
 * hd_nat_is_shut - a packet from outside for what only answers reach, and that is no answer: not even the flow that it looks like may have it
 *
 * Answers of IPv4 are for an outside endpoint. Those of IPv6 are for the inside address itself, if that has no floating IP: the flow tells (may_begin()
 * in judge.h).
 */
static __always_inline bool hd_nat_is_shut(const struct hd_ip *ip)
{
	return (ip->nat & NAT_SHUT) ||
	       ((ip->nat & (NAT_CLOSED | NAT_DST)) == NAT_CLOSED && ip_is_v4(ip));
}

/* ---- who may begin something from outside ---- */

static __always_inline struct hd_nat_asked_key asked_key(const struct hd_ip *ip, __be32 addr,
							 __be16 port, __be32 remote)
{
	return (struct hd_nat_asked_key){ .router = ip->router,
					  .addr = addr,
					  .remote = remote,
					  .port = port,
					  .class = flow_classes[ip->proto] };
}

static __always_inline void asked_note(const struct hd_ip *ip, const struct hd_nat_value *nat)
{
	struct hd_nat_asked_key key = asked_key(ip, ip->saddr[0], ip->sport, ip->daddr[0]);

	if (hd_may_write())
		(void)bpf_map_update_elem(&hd_nat_asked, &key, &nat->born, BPF_ANY);
}

static __always_inline bool was_asked(const struct hd_ip *ip, const struct hd_nat_value *nat)
{
	struct hd_nat_asked_key key = asked_key(ip, ip->daddr[0], ip->dport, ip->saddr[0]);
	const __u32 *born = bpf_map_lookup_elem(&hd_nat_asked, &key);

	return born && *born == nat->born;
}

/* What the endpoint of hd_nat is inside, that the packet in hand has come to, knows of it; NULL if it would answer as somebody else by now. */
static __always_inline const struct hd_nat_value *endpoint_to(const struct hd_ip *ip,
							      const struct hd_end_value *end)
{
	struct hd_nat_key key = nat_key(ip->router, ip->daddr[0], ip->dport, ip->proto, HD_NAT_OUT);
	const struct hd_nat_value *nat = bpf_map_lookup_elem(&hd_nat, &key);

	if (!nat || nat->addr != ip->nat_dst_addr[0] || nat->port != ip->nat_dst_port ||
	    nat->addr != end->local[3] || fip_find(ip->router, ip->daddr[0], HD_NAT_OUT))
		return NULL;
	return nat;
}

/* Both ends are inside, and both begin: the first one asks in vain, but then the other is let in. */
static __always_inline void asked_in_vain(const struct hd_ip *ip)
{
	struct hd_nat_key key = nat_key(ip->router, ip->saddr[0], ip->sport, ip->proto, HD_NAT_OUT);
	const struct hd_nat_value *nat = bpf_map_lookup_elem(&hd_nat, &key);

	if (nat && (ip->nat & NAT_HAIRPIN))
		asked_note(ip, nat);
}

/* The same for IPv6: the endpoint in hand is @nat_name's, called @nat_outside. */
static __always_inline int lets_in6(struct hd_ip *ip, const struct hd_end_value *end)
{
	struct hd_nat_key key = nat_key(ip->router, ip->nat_name, ip->dport, ip->proto, HD_NAT_OUT);
	const struct hd_nat_value *nat = bpf_map_lookup_elem(&hd_nat, &key);
	__u32 born;

	if (!nat || nat->addr != ip->nat_outside || nat->port != ip->nat_dst_port ||
	    nat->addr != hd_outside6_of(ip->router, 0))
		return 0;
	born = nat->born;
	if ((end->flags & HD_END_FIPS6) && hd_fip6_find(ip->router, HD_NAT_OUT, 0))
		return 0;
	if ((end->flags & HD_END_NAT_OPEN) || hd_asked6(born, ip->dport, 0))
		return 1;
	if (!(ip->nat & NAT_HAIRPIN))
		return 0;
	ip->nat_name = hd_name6_of(ip->router, 0); /* asked_in_vain() */
	key = nat_key(ip->router, ip->nat_name, ip->sport, ip->proto, HD_NAT_OUT);
	nat = bpf_map_lookup_elem(&hd_nat, &key);
	if (nat)
		(void)hd_asked6(nat->born, ip->sport, 1);
	return 0;
}

/** hd_nat_lets_in - whether what has come to an endpoint of hd_nat may begin a flow there, as far as the filter of its router is concerned */
__noinline int hd_nat_lets_in(void)
{
	struct hd_ip *ip = hd_ip_entering();
	const struct hd_end_value *end;
	const struct hd_nat_value *nat;
	__u32 router;

	if (!ip || !(ip->nat & NAT_DST_PORT))
		return 0;
	router = ip->router;
	end = bpf_map_lookup_elem(&hd_ends, &router);
	if (!end || !(end->flags & (HD_END_NAT_OPEN | HD_END_NAT_ADDRESS)))
		return 0;
	if (!ip_is_v4(ip))
		return lets_in6(ip, end);
	nat = endpoint_to(ip, end);
	if (!nat)
		return 0;
	if ((end->flags & HD_END_NAT_OPEN) || was_asked(ip, nat))
		return 1;
	asked_in_vain(ip);
	return 0;
}

/* Takes one more, if there are not @most yet; what is read of those may be older than of those taken: then there is none. @ret: how many there were */
static __always_inline bool take_one(__u32 *taken, const __u32 *most, __u32 *ret)
{
	for (int i = 0; i < 8; i++) {
		__u32 n = *(volatile __u32 *)taken;

		if ((__s32)(*(const volatile __u32 *)most - n) <= 0)
			return false;
		if (__sync_val_compare_and_swap(taken, n, n + 1) == n) {
			*ret = n;
			return true;
		}
	}
	return false;
}

/* Takes a block out of a pool; 0 if there is none. */
static __always_inline __u32 pool_take(const struct hd_nat_pool_key *key)
{
	const struct hd_nat_pool *pool = bpf_map_lookup_elem(&hd_nat_pools, key);
	__u32 *taken = bpf_map_lookup_elem(&hd_nat_heads, key), head;

	if (!pool || !taken || !take_one(taken, &pool->tail, &head))
		return 0;
	return pool->ring[head % HD_NAT_BLOCKS];
}

/*
 * Whether a router may take one more. If its pool has none then, the daemon finds that it has fewer than it has taken. One whose quota is about to be told is
 * not kept waiting: what it takes meanwhile is counted.
 */
static __always_inline bool quota_take(__u32 router)
{
	const __u32 *most = bpf_map_lookup_elem(&hd_nat_quotas, &router);
	__u32 *taken = bpf_map_lookup_elem(&hd_nat_shares, &router), n;

	return !most || !taken || take_one(taken, most, &n);
}

/* The number of the only bit that is set. */
static __always_inline __u32 bit_number(__u64 bit)
{
	__u32 n = 0;

	n += (bit & 0xffffffff00000000ULL) ? 32 : 0;
	n += (bit & 0xffff0000ffff0000ULL) ? 16 : 0;
	n += (bit & 0xff00ff00ff00ff00ULL) ? 8 : 0;
	n += (bit & 0xf0f0f0f0f0f0f0f0ULL) ? 4 : 0;
	n += (bit & 0xccccccccccccccccULL) ? 2 : 0;
	n += (bit & 0xaaaaaaaaaaaaaaaaULL) ? 1 : 0;
	return n;
}

/* Whose a block is: its number and address, which change together. 0 = nobody's */
static __always_inline __u64 *block_owner(struct hd_nat_block *block)
{
	return (__u64 *)(void *)&block->block;
}

static __always_inline __u64 block_as_owner(__u32 number, __be32 addr)
{
	struct {
		__u32 number;
		__be32 addr;
	} of = { .number = number, .addr = addr };
	__u64 ret;

	hd_memcpy(&ret, &of, sizeof(ret));
	return ret;
}

/* One of those that are set, which nobody outside can guess (RFC 6056): the first from a random place on, round the end. */
static __always_inline __u64 random_bit(__u64 set)
{
	__u32 skip = hd_cfg.nat_spread ? bpf_get_prandom_u32() & hd_cfg.nat_spread & 63 : 0;
	__u64 turned = set >> skip | set << (-skip & 63), bit = turned & -turned;

	return bit << skip | bit >> (-skip & 63);
}

/*
 * Takes a port of a block; 0 if there is none. A block whose port is taken is not given back; but it may have been since we have looked whose it is, and
 * then the port is another's.
 */
static __always_inline __u32 block_take(struct hd_nat_block *block, __u32 number, __u64 owner)
{
	for (int i = 0; i < 4; i++) {
		__u64 free = ~*(volatile __u64 *)&block->used, bit = random_bit(free);

		if (!free)
			return 0;
		if (__sync_fetch_and_or(&block->used, bit) & bit)
			continue;
		if (*(volatile __u64 *)block_owner(block) == owner)
			return number * HD_NAT_BLOCK_PORTS + bit_number(bit);
		__sync_fetch_and_and(&block->used, ~bit);
		return 0;
	}
	return 0;
}

/*
 * A walk along the blocks of an inside address.
 * @ip:    for whom it is; the block in hand is kept there, since the verifier would count what is on the stack
 * @port:  that was found, 0 = none
 * @hole:  a place for another block, HD_NAT_USER_BLOCKS = there is none
 * @held:  blocks of the pool that it has, as far as the walk has come; those beyond @limit were handed out under another one, and it gets no port of theirs
 * @limit: how many it may have
 * @flags: of the router's struct hd_end_value: whether to tell of a block that it gets, and whether to ask for the router's quota
 */
struct nat_walk {
	struct hd_nat_user *user;
	struct hd_ip *ip;
	struct hd_nat_pool_key pool;
	__u32 flags;
	__u32 limit;
	__u16 port;
	__u8 hole;
	__u8 held;
};

/* A port that a port forward has for itself. It stays taken until the sweep, so that the next look goes on behind it. */
static __always_inline bool is_forwarded(const struct nat_walk *walk, __u32 port)
{
	struct hd_nat_key key = nat_key(walk->pool.zone, walk->pool.addr, bpf_htons(port),
					walk->ip->proto, HD_NAT_IN);

	if (!ip_is_v4(walk->ip))
		return hd_forward6_has(walk->pool.zone, bpf_htons(port));
	return bpf_map_lookup_elem(&hd_forwards, &key);
}

static __always_inline void nat_tell(const struct nat_walk *walk, __u32 block)
{
	struct hd_nat_event event = {
		.user = { .router = walk->ip->router, .addr = walk->ip->nat_name },
		.block = block,
		.addr = walk->pool.addr,
		.at = flow_now(),
	};
	__u32 key = HD_NAT_LOST, *lost;

	if (!bpf_ringbuf_output(&hd_nat_log, &event, sizeof(event), 0))
		return;
	lost = bpf_map_lookup_elem(&hd_nat_lost, &key);
	if (lost)
		__sync_fetch_and_add(lost, 1);
}

/*
 * Another block, where there is a place for one; false if there is none to be had. Another CPU may be first: then what was taken is nobody's, and the daemon
 * puts it back.
 */
static __always_inline bool block_fill(struct nat_walk *walk)
{
	__u32 taken, at = walk->hole;
	struct hd_nat_block *block;

	if (at >= HD_NAT_USER_BLOCKS || walk->held >= walk->limit)
		return false;
	if ((walk->flags & HD_END_NAT_QUOTA) && !quota_take(walk->ip->router))
		return false;
	taken = pool_take(&walk->pool);
	if (!taken)
		return false;
	block = &walk->user->block[at];
	if (!__sync_val_compare_and_swap(block_owner(block), 0ULL,
					 block_as_owner(taken, walk->pool.addr)) &&
	    (walk->flags & HD_END_NAT_LOG))
		nat_tell(walk, taken);
	return true;
}

/* Those that it has are used up: another one, and from the beginning once more. 1 ends the walk. */
static __always_inline long nat_step_more(struct nat_walk *walk)
{
	if (!block_fill(walk))
		return 1;
	walk->ip->nat_block = 0;
	walk->held = 0;
	walk->hole = HD_NAT_USER_BLOCKS;
	return 0;
}

/* One step: 1 ends the walk. */
static long nat_step(__u32 unused, void *arg)
{
	struct nat_walk *walk = arg;
	struct hd_nat_block *block;
	__u32 number, port, at = walk->ip->nat_block;
	__u64 owner;

	if (at >= HD_NAT_USER_BLOCKS)
		return nat_step_more(walk);
	block = &walk->user->block[at];
	walk->ip->nat_block = at + 1;
	number = *(volatile __u32 *)&block->block;
	if (!number && walk->hole >= HD_NAT_USER_BLOCKS)
		walk->hole = at;
	owner = block_as_owner(number, walk->pool.addr);
	if (!number || walk->held >= walk->limit || *(volatile __u64 *)block_owner(block) != owner)
		return 0; /* none, or of an address that the router had before */
	port = block_take(block, number, owner);
	if (port && is_forwarded(walk, port)) {
		walk->ip->nat_block = at; /* once more */
		return 0;
	}
	walk->held++;
	walk->port = port;
	return port != 0;
}

/* A port for an inside address: 0 if there is none. */
static __always_inline __u32 nat_port(struct hd_ip *ip, const struct hd_end_value *end)
{
	struct hd_nat_user_key key = { .router = ip->router, .addr = ip->nat_name };
	struct nat_walk walk = { .pool = { .zone = end->ifindex, .addr = ip->nat_outside },
				 .ip = ip,
				 .flags = end->flags,
				 .limit = end->mtu ? end->mtu : HD_NAT_USER_BLOCKS };
	__u32 zero = 0;

	walk.port = walk.held = hd_unknown_zero;
	walk.hole = hd_unknown_zero + HD_NAT_USER_BLOCKS;
	ip->nat_block = 0;
	walk.user = bpf_map_lookup_elem(&hd_nat_users, &key);
	if (!walk.user) {
		const void *nobody = bpf_map_lookup_elem(&hd_nat_nobody, &zero);

		if (!nobody)
			return 0;
		(void)bpf_map_update_elem(&hd_nat_users, &key, nobody, BPF_NOEXIST);
		walk.user = bpf_map_lookup_elem(&hd_nat_users, &key);
	}
	if (!walk.user)
		return 0;
	bpf_loop(2 * (HD_NAT_USER_BLOCKS + 1) + HD_NAT_BLOCK_PORTS, nat_step, &walk, 0);
	return walk.port;
}

/* The packet's sender, known as @nat_name, asks whom it is for. */
static __always_inline void note_asked(const struct hd_ip *ip, __u32 born)
{
	struct hd_nat_value nat = { .born = born };

	if (ip_is_v4(ip))
		asked_note(ip, &nat);
	else
		(void)hd_asked6(born, ip->sport, 1);
}

/* Another CPU has just made the endpoint, or there is no room for it. */
static __always_inline int nat_made(struct hd_ip *ip, const struct hd_nat_key *out)
{
	const struct hd_nat_value *nat = bpf_map_lookup_elem(&hd_nat, out);

	if (!nat || nat->addr != ip->nat_outside)
		return -HD_DROP_NAT_PORTS;
	ip->nat_src_port = nat->port;
	return 0;
}

/* A new outside endpoint for the packet's sender. Another CPU may be first: then its one counts, and ours is given back by the sweep. */
static __always_inline int nat_make(struct hd_ip *ip, const struct hd_end_value *end)
{
	struct hd_nat_value value = { .addr = ip->nat_outside, .router = ip->router };
	__u8 class = flow_classes[ip->proto];
	struct hd_nat_key in, out;
	__u32 port;

	if (class == HD_FLOW_OTHER || class == HD_FLOW_SCTP)
		return -HD_DROP_NAT_PROTOCOL;
	if (!hd_may_write())
		return 0;
	if (!ip->nat_name)
		ip->nat_name = hd_name6_make(ip->router);
	if (!ip->nat_name)
		return -HD_DROP_NAT_PORTS;
	out = nat_key(ip->router, ip->nat_name, ip->sport, ip->proto, HD_NAT_OUT);
	port = nat_port(ip, end);
	if (!port)
		return -HD_DROP_NAT_PORTS;
	value.born = flow_now();
	value.port = bpf_htons(port);
	in = nat_key(end->ifindex, value.addr, value.port, ip->proto, HD_NAT_IN);
	ip->nat_src_port = value.port;
	if (bpf_map_update_elem(&hd_nat, &out, &value, BPF_NOEXIST))
		return nat_made(ip, &out);
	value.addr = ip->nat_name;
	value.port = ip->sport;
	if (!bpf_map_update_elem(&hd_nat, &in, &value, BPF_ANY)) {
		if (end->flags & HD_END_NAT_ADDRESS)
			note_asked(ip, value.born);
		return 0;
	}
	(void)bpf_map_delete_elem(&hd_nat, &out); /* no answer would ever come back */
	return -HD_DROP_NAT_PORTS;
}

/* What answers for a port forward is called by its name, while there is one. */
static __always_inline int nat_as_forward(struct hd_ip *ip, const struct hd_end_value *end)
{
	struct hd_nat_key key =
		nat_key(end->ifindex, ip->as_addr, ip->as_port, ip->proto, HD_NAT_IN);
	const struct hd_forward_value *forward = bpf_map_lookup_elem(&hd_forwards, &key);

	if (!forward || forward->addr != ip->saddr[0] || forward->port != ip->sport ||
	    forward->router != ip->router)
		return -HD_DROP_OUTSIDE;
	ip->nat_src_addr[0] = ip->as_addr;
	ip->nat_src_port = ip->as_port;
	ip->nat |= NAT_SRC | NAT_SRC_PORT;
	return 0;
}

/* An error about something that came from outside: the header is that of what it quotes, whose receiver has an outside endpoint. */
static __always_inline int nat_error_out(struct hd_ip *ip, const struct hd_end_value *end)
{
	const struct hd_fip_value *fip = fip_find(ip->router, ip->daddr[0], HD_NAT_OUT);
	struct hd_nat_key key = nat_key(ip->router, ip->daddr[0], ip->dport, ip->proto, HD_NAT_OUT);
	const struct hd_nat_value *nat;

	if (ip->as_addr) {
		ip->nat_src_addr[0] = ip->as_addr;
		ip->nat_src_port = ip->as_port;
		ip->nat |= NAT_SRC | NAT_SRC_PORT;
		return 0;
	}
	if (fip) {
		ip->nat_src_addr[0] = fip->addr;
		ip->nat |= NAT_SRC;
		return 0;
	}
	nat = bpf_map_lookup_elem(&hd_nat, &key);
	if (!nat)
		return end->flags & HD_END_SNAT ? -HD_DROP_ICMP_UNRELATED : 0;
	ip->nat_src_addr[0] = nat->addr;
	ip->nat_src_port = nat->port;
	ip->nat |= NAT_SRC | NAT_SRC_PORT;
	return 0;
}

/* Whether a packet goes from inside to outside; one between two insides does, too, if it was sent to an outside endpoint. */
static __always_inline bool goes_outside(const struct hd_ip *ip, const struct hd_end_value *end)
{
	if (!ip->rewrite)
		return false;
	return (ip->nat & NAT_HAIRPIN) ||
	       (end->ifindex == ip->to_network && ip->network != ip->to_network);
}

/* What an endpoint is called outside: 0; 1 if it has no name there (any more). The header in the scratch may be that of what an error quotes: then it is the receiver. */
static __always_inline int nat_called6(struct hd_ip *ip, __u32 receiver)
{
	const struct hd_nat_value *nat;
	struct hd_nat_key key;

	ip->nat_name = hd_name6_of(ip->router, receiver);
	key = nat_key(ip->router, ip->nat_name, receiver ? ip->dport : ip->sport, ip->proto,
		      HD_NAT_OUT);
	nat = ip->nat_name ? bpf_map_lookup_elem(&hd_nat, &key) : NULL;
	if (nat && nat->addr == ip->nat_outside) {
		ip->nat_src_port = nat->port;
		ip->nat |= NAT_SRC | NAT_SRC_PORT;
		ip->nat_born = nat->born;
		if (!receiver && (ip->nat & NAT_BEGINS))
			ip->nat |= NAT_NOTE;
		return 0;
	}
	if (nat && !receiver && hd_may_write())
		(void)bpf_map_delete_elem(&hd_nat,
					  &key); /* of an address that the router had before */
	return 1;
}

/* By the router's own address, where it translates what goes out, or both ends are inside; else as it is. As hd_nat_look(). */
static __always_inline int nat_masked6(struct hd_ip *ip, const struct hd_end_value *end)
{
	bool error = ip->nat & NAT_ERROR, hairpin = ip->nat & NAT_HAIRPIN;
	__u32 wanted = hairpin ? HD_END_NAT6 : HD_END_SNAT6;

	if (!(end->flags & wanted)) /* an answer would come past us */
		return hairpin && !error ? -HD_DROP_OUTSIDE : 0;
	ip->nat_outside = hd_outside6_of(ip->router, 1);
	if (error)
		return nat_called6(ip, 1) ? -HD_DROP_ICMP_UNRELATED : 0;
	ip->nat |= NAT_SRC;
	if (ip->flags & HD_IP_LATER)
		return 0; /* as IPv4 */
	ip->nat |= NAT_SRC_PORT;
	return nat_called6(ip, 0);
}

/* As the port forward that it answers for, or its floating IP, if it has one; an error as who has received what it quotes. */
static __always_inline int nat_leave6(struct hd_ip *ip, const struct hd_end_value *end)
{
	__u32 error = ip->nat & NAT_ERROR;

	if (ip->as_addr && hd_forward6_as())
		return error ? -HD_DROP_ICMP_UNRELATED : -HD_DROP_OUTSIDE;
	if (ip->as_addr)
		return 0;
	if ((end->flags & HD_END_FIPS6) && hd_fip6_find(ip->router, HD_NAT_OUT, !error)) {
		ip->nat |= NAT_SRC;
		return 0;
	}
	return nat_masked6(ip, end);
}

/**
 * hd_nat_look - what the packet's sender is called outside, if it goes there and has a name there
 *
 * Return: 0; 1: it gets an endpoint first; -HD_DROP_OUTSIDE, -HD_DROP_ICMP_UNRELATED.
 */
__noinline int hd_nat_look(void)
{
	const struct hd_fip_value *fip;
	const struct hd_nat_value *nat;
	const struct hd_end_value *end;
	struct hd_ip *ip = hd_ip_entering();
	struct hd_nat_key key;
	__u32 router;

	if (!ip)
		return 0;
	router = ip->router;
	end = bpf_map_lookup_elem(&hd_ends, &router);
	if (!end || !goes_outside(ip, end))
		return 0;
	if (!ip_is_v4(ip))
		return nat_leave6(ip, end);
	if (ip->nat & NAT_ERROR)
		return nat_error_out(ip, end);
	if (ip->as_addr)
		return nat_as_forward(ip, end);
	ip->nat_src_addr[0] = end->local[3];
	fip = fip_find(router, ip->saddr[0], HD_NAT_OUT);
	if (fip) {
		ip->nat_src_addr[0] = fip->addr;
		ip->nat |= NAT_SRC;
		return 0;
	}
	if (!(end->flags &
	      HD_END_SNAT)) /* an answer to who is called nothing outside would come past us */
		return ip->nat & NAT_HAIRPIN ? -HD_DROP_OUTSIDE : 0;
	ip->nat |= NAT_SRC;
	if (ip->flags & HD_IP_LATER)
		return 0; /* it has no port, and its first piece has what it needs */
	ip->nat |= NAT_SRC_PORT;
	key = nat_key(router, ip->saddr[0], ip->sport, ip->proto, HD_NAT_OUT);
	nat = bpf_map_lookup_elem(&hd_nat, &key);
	if (nat && nat->addr == end->local[3]) {
		if ((ip->nat & NAT_BEGINS) && (end->flags & HD_END_NAT_ADDRESS))
			asked_note(ip, nat);
		ip->nat_src_port = nat->port;
		return 0;
	}
	if (nat && hd_may_write())
		(void)bpf_map_delete_elem(&hd_nat,
					  &key); /* of an address that the router had before */
	return 1;
}

/**
 * hd_nat_leave - the same; who has no endpoint is given one
 *
 * Return: 0, -HD_DROP_NAT_PORTS, -HD_DROP_NAT_PROTOCOL, or as hd_nat_look().
 */
__noinline int hd_nat_leave(void)
{
	const struct hd_end_value *end;
	struct hd_ip *ip = hd_ip_entering();
	int r = hd_nat_look();
	__u32 router;

	if (r < 0 || !ip)
		return r;
	if (r == 0 && !(ip->nat & NAT_NOTE))
		return 0;
	router = ip->router;
	end = bpf_map_lookup_elem(&hd_ends, &router);
	if (!end)
		return 0;
	if (r == 0) {
		if (end->flags & HD_END_NAT_ADDRESS)
			note_asked(ip, ip->nat_born);
		return 0;
	}
	if (ip_is_v4(ip)) {
		ip->nat_name = ip->saddr[0];
		ip->nat_outside = end->local[3];
	}
	return nat_make(ip, end);
}

/* An answer from inside on a flow that did not come by a floating IP or port forward: it came by an endpoint of hd_nat. */
static __always_inline bool answers_by_endpoint(const struct hd_ip *ip,
						const struct hd_end_value *end)
{
	return goes_outside(ip, end) && !ip->as_addr && (end->flags & HD_END_SNAT) &&
	       !fip_find(ip->router, ip->saddr[0], HD_NAT_OUT);
}

/* The same for IPv6: from an address that nothing begins to from outside any more. */
static __always_inline bool answers_from_closed(const struct hd_ip *ip,
						const struct hd_end_value *end)
{
	if (!goes_outside(ip, end) || !is_closed(ip, end) || ip->as_addr ||
	    ((end->flags & HD_END_FIPS6) && hd_fip6_find(ip->router, HD_NAT_OUT, 1)))
		return false;
	return !(end->flags & HD_END_SNAT6) ||
	       !(end->flags & (HD_END_NAT_OPEN | HD_END_NAT_ADDRESS));
}

/**
 * hd_nat_keeps - whether a flow that is judged again may go on, as far as the filter of its router is concerned
 * @forward:     the packet in hand is its opener's
 * @established: it has been answered: then its opener has been asked
 */
__noinline int hd_nat_keeps(__u32 forward, __u32 established)
{
	struct hd_ip *ip = hd_ip_entering();
	const struct hd_end_value *end;
	__u32 router;

	if (!ip || (forward && !(ip->nat & NAT_CLOSED)))
		return 1;
	if (forward && (!established || !(ip->nat & NAT_DST_PORT)))
		return hd_nat_lets_in();
	router = ip->router;
	end = bpf_map_lookup_elem(&hd_ends, &router);
	if (!end)
		return 1;
	if (!ip_is_v4(ip) && !forward)
		return !answers_from_closed(ip, end);
	if (!forward && !answers_by_endpoint(ip, end))
		return 1;
	return !!(end->flags & (HD_END_NAT_OPEN | HD_END_NAT_ADDRESS));
}

/* Where the checksum of a transport header is, that covers addresses too; 0 = there is none. */
static __always_inline __u32 pseudo_csum(const struct hd_ip *ip)
{
	if (ip->flags & HD_IP_LATER)
		return 0;
	if (ip->proto == IPPROTO_TCP)
		return ip->l4_off + 16;
	if (ip->proto == IPPROTO_UDP || ip->proto == IPPROTO_UDPLITE || ip->proto == IPPROTO_DCCP)
		return ip->l4_off + 6;
	return ip->proto == IPPROTO_ICMPV6 ? ip->l4_off + 2 : 0;
}

static __always_inline __u64 csum_flags(const struct hd_ip *ip)
{
	return ip->proto == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
}

/* An address of an IPv4 packet, in the checksum of its transport header. An error has none: its header in the scratch is that of what it quotes. */
__noinline int nat_sum(hd_ctx *ctx, __be32 old, __be32 new)
{
	struct hd_ip *ip = hd_ip_entering();
	__u32 csum = ip && !(ip->nat & NAT_ERROR) ? pseudo_csum(ip) : 0;

	return csum && ctx_replace_l4(ctx, csum, old, new, BPF_F_PSEUDO_HDR | csum_flags(ip) | 4)
		       ? -1
		       : 0;
}

/* An address of an IPv4 packet at @off, with the checksum of its header. */
static __always_inline int nat_address(hd_ctx *ctx, __u32 off, __be32 old, __be32 new)
{
	return ctx_replace_l3(ctx, ETH_HLEN + 10, old, new, 4) || ctx_put(ctx, off, &new, 4);
}

/* One port, or id of a query. */
__noinline int nat_port_at(hd_ctx *ctx, __u32 off, __be16 old, __be16 new)
{
	struct hd_ip *ip = hd_ip_entering();
	__u32 csum;

	if (!ip)
		return -1;
	csum = ip->nat & NAT_ERROR || ip->proto == IPPROTO_ICMP ? ip->l4_off + 2 : pseudo_csum(ip);
	if (csum &&
	    ctx_replace_l4(ctx, csum, old, new, (ip->nat & NAT_ERROR ? 0 : csum_flags(ip)) | 2))
		return -1;
	return ctx_put(ctx, off, &new, 2) ? -1 : 0;
}

/*
 * What an error quotes: an address with the checksum of the header there, which keeps the sum over both as it was; and a port, which does not.
 * @dst: of the receiver of what is quoted.
 */
__noinline int nat_quoted(hd_ctx *ctx, __u32 dst, __be32 to, __be16 port)
{
	struct hd_ip *ip = hd_ip_entering();
	struct iphdr quoted;
	__u32 l4, off;
	__be32 old;
	__be16 was;

	if (!ip)
		return -1;
	l4 = quoted_ip(ctx, ip, &quoted);
	if (!l4)
		return -1;
	old = dst ? quoted.daddr : quoted.saddr;
	off = ip->l4_off + 8;
	if (ctx_replace_l3(ctx, off + 10, old, to, 4) ||
	    ctx_put(ctx, off + (dst ? 16 : 12), &to, 4))
		return -1;
	off = port_off_in(l4, quoted.protocol, dst);
	if (!port || ctx_load(ctx, off, &was, 2))
		return 0;
	return nat_port_at(ctx, off, was, port);
}

static __always_inline __u32 port_off(const struct hd_ip *ip, bool dst)
{
	return port_off_in(ip->l4_off, ip->proto, dst);
}

/* Both addresses of an IPv6 packet, as far as they change; of an error also what it quotes, where they stand the other way round. */
static __always_inline int rewrite_addresses6(hd_ctx *ctx, const struct hd_ip *ip)
{
	bool error =
		ip->nat & NAT_ERROR; /* then the header in the scratch is that of what is quoted */
	__u32 csum = error ? ip->l4_off + 2 : pseudo_csum(ip), quoted = ip->l4_off + 8;
	__u32 udp = !error && ip->proto == IPPROTO_UDP ? FIP6_UDP : 0;
	int r = 0;

	if (ip->nat & NAT_DST)
		r = hd_fip6_write(ctx, ETH_HLEN + 24, csum, udp) ||
		    (error && hd_fip6_write(ctx, quoted + 8, csum, FIP6_QUOTED));
	if (ip->nat & NAT_SRC)
		r |= hd_fip6_write(ctx, ETH_HLEN + 8, csum, udp | FIP6_SRC) ||
		     (error && hd_fip6_write(ctx, quoted + 24, csum, FIP6_QUOTED | FIP6_SRC));
	return r ? -HD_DROP_NO_MEMORY : 0;
}

/* The ports or query ids in what an IPv6 error quotes; the checksum is the error's. */
static __always_inline int rewrite_quoted6(hd_ctx *ctx, const struct hd_ip *ip)
{
	__u32 l4, off;
	__be16 was;
	__u8 proto;
	int r = 0;

	if (!(ip->nat & (NAT_DST_PORT | NAT_SRC_PORT)))
		return 0;
	l4 = quoted6_l4(ctx, ip, &proto);
	if (!l4)
		return -HD_DROP_NO_MEMORY;
	off = port_off_in(l4, proto, false);
	if (ip->nat & NAT_DST_PORT)
		r = ctx_load(ctx, off, &was, 2) || nat_port_at(ctx, off, was, ip->nat_to_port);
	off = port_off_in(l4, proto, true);
	if (ip->nat & NAT_SRC_PORT)
		r |= ctx_load(ctx, off, &was, 2) || nat_port_at(ctx, off, was, ip->nat_src_port);
	return r ? -HD_DROP_NO_MEMORY : 0;
}

/* The ports of a packet, or its query id, as far as they change. Later pieces have none. */
static __always_inline int rewrite_ports(hd_ctx *ctx, const struct hd_ip *ip)
{
	int r = 0;

	if (ip->flags & HD_IP_LATER)
		return 0;
	if (ip->nat & NAT_DST_PORT)
		r = nat_port_at(ctx, port_off(ip, true), ip->nat_dst_port, ip->nat_to_port);
	if (ip->nat & NAT_SRC_PORT)
		r |= nat_port_at(ctx, port_off(ip, false), ip->sport, ip->nat_src_port);
	return r;
}

/**
 * hd_nat_rewrite - write into the packet what it is called where it goes; 0 or -HD_DROP_NO_MEMORY
 *
 * Of IPv4 the addresses themselves, and the checksum of the header, are written together with its TTL: by hd_hop_write(), which comes next.
 */
__noinline int hd_nat_rewrite(hd_ctx *ctx)
{
	struct hd_ip *ip = hd_ip_entering();
	int r = 0;

	if (!ip)
		return -HD_DROP_NO_MEMORY;
	if (!ip_is_v4(ip)) {
		r = rewrite_addresses6(ctx, ip);
	} else {
		if (ip->nat & NAT_DST)
			r = nat_sum(ctx, ip->nat_dst_addr[0], ip->nat_to_addr[0]);
		if (ip->nat & NAT_SRC)
			r |= nat_sum(ctx, ip->saddr[0], ip->nat_src_addr[0]);
	}
	r |= rewrite_ports(ctx, ip);
	return r ? -HD_DROP_NO_MEMORY : 0;
}

/** hd_nat_rewrite_error - the same for an ICMP error, and what it quotes. Its own source becomes that of whom it is about, whoever of the inside made it. */
__noinline int hd_nat_rewrite_error(hd_ctx *ctx)
{
	struct hd_ip *ip = hd_ip_entering();
	__be32 old;
	int r = 0;

	if (!ip)
		return -HD_DROP_NO_MEMORY;
	if (!ip_is_v4(ip))
		return rewrite_addresses6(ctx, ip) ?: rewrite_quoted6(ctx, ip);
	if (ip->nat & NAT_DST)
		r = nat_address(ctx, ETH_HLEN + 16, ip->nat_dst_addr[0], ip->nat_to_addr[0]) ||
		    nat_quoted(ctx, 0, ip->nat_to_addr[0],
			       ip->nat & NAT_DST_PORT ? ip->nat_to_port : 0);
	if (ip->nat & NAT_SRC)
		r |= ctx_load(ctx, ETH_HLEN + 12, &old, 4) ||
		     nat_address(ctx, ETH_HLEN + 12, old, ip->nat_src_addr[0]) ||
		     nat_quoted(ctx, 1, ip->nat_src_addr[0],
				ip->nat & NAT_SRC_PORT ? ip->nat_src_port : 0);
	ip->nat |= NAT_WRITTEN;
	return r ? -HD_DROP_NO_MEMORY : 0;
}

/** hd_nat_trace - what one end is translated to. @what: HD_TRACE_DNAT or _SNAT; @port: 0 = only its address */
static __always_inline void hd_nat_trace(const struct hd_pkt *pkt, __u32 what, const __be32 addr[4],
					 __be16 port)
{
	if (ip_is_v4(pkt->ip)) {
		hd_trace(pkt, what, addr[0], bpf_ntohs(port));
		return;
	}
	if (port)
		hd_trace(pkt, HD_TRACE_PORT6, bpf_ntohs(port), 0);
	hd_trace(pkt, HD_TRACE_ADDRESS6, addr[0], addr[1]);
	hd_trace(pkt, what == HD_TRACE_DNAT ? HD_TRACE_DNAT6 : HD_TRACE_SNAT6, addr[2], addr[3]);
}

/** hd_nat_trace_forward - the port forward that it came by */
static __always_inline void hd_nat_trace_forward(const struct hd_pkt *pkt)
{
	const struct hd_ip *ip = pkt->ip;
	__u32 port = (__u32)ip->proto << 16 | bpf_ntohs(ip->listen_port);

	if (ip_is_v4(ip)) {
		hd_trace(pkt, HD_TRACE_FORWARD, ip->listen_addr, port);
		return;
	}
	hd_trace(pkt, HD_TRACE_ADDRESS6, ip->nat_dst_addr[0], ip->nat_dst_addr[1]);
	hd_trace(pkt, HD_TRACE_REST6, ip->nat_dst_addr[2], ip->nat_dst_addr[3]);
	hd_trace(pkt, HD_TRACE_FORWARD6, ip->router, port);
}

/* A walk along the blocks of an inside address, for the one that something is given back of. */
struct give_walk {
	struct hd_nat_user *user;
	struct hd_nat_give give;
	int done;
};

static long give_step(__u32 i, void *arg)
{
	struct give_walk *walk = arg;
	struct hd_nat_block *block;

	if (i >= HD_NAT_USER_BLOCKS)
		return 1;
	block = &walk->user->block[i];
	if (block->block != walk->give.block || block->addr != walk->give.addr)
		return 0;
	if (walk->give.bits) {
		__sync_fetch_and_and(&block->used, ~walk->give.bits);
		walk->done = 1;
	} else if (!__sync_val_compare_and_swap(&block->used, 0ULL, ~0ULL)) {
		/* Nobody takes a port of it any more. */
		(void)__sync_lock_test_and_set(block_owner(block), 0ULL);
		(void)__sync_lock_test_and_set(&block->used, 0ULL);
		walk->done = 1;
	}
	return 1;
}

/** hd_nat_return - do what the daemon asks for in a test run, see struct hd_nat_give; 1 if it was done */
static __always_inline int hd_nat_return(hd_ctx *ctx)
{
	struct give_walk walk = {};

	if (ctx_load(ctx, ETH_HLEN, &walk.give, sizeof(walk.give)))
		return 0;
	walk.user = bpf_map_lookup_elem(&hd_nat_users, &walk.give.user);
	if (!walk.user)
		return 0;
	walk.done = hd_unknown_zero;
	bpf_loop(HD_NAT_USER_BLOCKS, give_step, &walk, 0);
	return walk.done;
}
