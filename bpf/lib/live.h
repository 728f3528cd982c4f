/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * live.h - real packets that match a filter, reported with all their steps
 *
 * A packet is looked at once when it comes, and its beginning is put by; the steps are added as they are taken; where it ends
 * all of it goes into a ring buffer. Only the live object runs any of this.
 */
#pragma once

#include "lib/pkt.h"

/* hd_live: struct hd_live_packet. Writer: the live object. Reader: the daemon. Full: the packet is not reported, but counted. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, HD_LIVE_RING_MIN);
} hd_live SEC(".maps");

/* hd_live_filter: written by the daemon before the live object is attached. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hd_live_filter);
} hd_live_filter SEC(".maps");

/* hd_live_lost: packets that found the ring full. Writer: the live object. Reader: the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} hd_live_lost SEC(".maps");

/* The packet in hand, for each CPU: entry 0 for what enters the host, 1 for what leaves it, as hd_scratch. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct hd_live_packet);
} hd_live_scratch SEC(".maps");

static __always_inline struct hd_live_packet *live_packet(__u32 stage)
{
	__u32 slot = stage == HD_STAGE_PORT_OUT || stage == HD_STAGE_UPLINK_OUT;

	return bpf_map_lookup_elem(&hd_live_scratch, &slot);
}

static __always_inline const struct hd_live_filter *live_filter(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&hd_live_filter, &zero);
}

/* Where things are in the bytes that were put by. */
struct live_ip {
	__u32 proto;
	__u32 l4_off;
	__be32 saddr[4];
	__be32 daddr[4];
};

static __always_inline bool live_parse4(const struct hd_live_packet *p, struct live_ip *ret)
{
	const struct iphdr *ip = (const void *)(p->frame + ETH_HLEN);

	ret->proto = ip->protocol;
	ret->l4_off = ETH_HLEN + ip->ihl * 4;
	ret->saddr[0] = ret->saddr[1] = ret->daddr[0] = ret->daddr[1] = 0;
	ret->saddr[2] = ret->daddr[2] = bpf_htonl(0xffff);
	ret->saddr[3] = ip->saddr;
	ret->daddr[3] = ip->daddr;
	return true;
}

static __always_inline bool live_parse6(const struct hd_live_packet *p, struct live_ip *ret)
{
	const struct ipv6hdr *ip = (const void *)(p->frame + ETH_HLEN);

	ret->proto = ip->nexthdr;
	ret->l4_off = ETH_HLEN + sizeof(*ip);
	hd_memcpy(ret->saddr, &ip->saddr, 16);
	hd_memcpy(ret->daddr, &ip->daddr, 16);
	return true;
}

/* ARP has the sender's and the target's address where they are compared as IPv4's. */
static __always_inline bool live_parse_arp(const struct hd_live_packet *p, struct live_ip *ret)
{
	ret->proto = 0;
	ret->l4_off = 0;
	ret->saddr[0] = ret->saddr[1] = ret->daddr[0] = ret->daddr[1] = 0;
	ret->saddr[2] = ret->daddr[2] = bpf_htonl(0xffff);
	hd_memcpy(&ret->saddr[3], p->frame + ETH_HLEN + 14, 4);
	hd_memcpy(&ret->daddr[3], p->frame + ETH_HLEN + 24, 4);
	return true;
}

static __always_inline bool live_parse(const struct hd_live_packet *p, struct live_ip *ret)
{
	__be16 type = ((const struct ethhdr *)p->frame)->h_proto;

	if (type == bpf_htons(ETH_P_IP))
		return live_parse4(p, ret);
	if (type == bpf_htons(ETH_P_IPV6))
		return live_parse6(p, ret);
	return type == bpf_htons(ETH_P_ARP) && live_parse_arp(p, ret);
}

static __always_inline bool live_is_address(const __be32 a[4], const __be32 b[4])
{
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

/* Later pieces have no ports of their own: whose filter asks for one does not see them. */
static __always_inline bool live_has_port(const struct hd_live_packet *p, const struct live_ip *ip,
					  __be16 port)
{
	__u32 off = ip->l4_off;
	const __be16 *ports;

	if (!off ||
	    (ip->proto != IPPROTO_TCP && ip->proto != IPPROTO_UDP && ip->proto != IPPROTO_SCTP))
		return false;
	if (off > HD_LIVE_BYTES - 4)
		return false;
	ports = (const void *)(p->frame + off);
	return ports[0] == port || ports[1] == port;
}

static __always_inline bool live_matches(const struct hd_live_packet *p,
					 const struct hd_live_filter *filter)
{
	struct live_ip ip;

	if (!filter->has_addr && !filter->has_proto && !filter->has_dport)
		return true;
	if (!live_parse(p, &ip))
		return false;
	if (filter->has_proto && (!ip.l4_off || ip.proto != filter->proto))
		return false;
	if (filter->has_addr && !live_is_address(filter->addr, ip.saddr) &&
	    !live_is_address(filter->addr, ip.daddr))
		return false;
	return !filter->has_dport || live_has_port(p, &ip, filter->dport);
}

static __always_inline void live_load(hd_ctx *ctx, struct hd_live_packet *p)
{
	__u32 len = ctx_len(ctx);

	hd_memset(p->frame, 0, sizeof(p->frame));
	if (len > HD_LIVE_BYTES)
		len = HD_LIVE_BYTES;
	asm volatile("" : "+r"(len)); /* one bound after the other, as in hold_fits() */
	if (len >= ETH_HLEN)
		(void)ctx_load(ctx, 0, p->frame, len);
}

static __noinline int live_start(hd_ctx *ctx, __u32 stage)
{
	struct hd_live_packet *p = live_packet(stage);
	const struct hd_live_filter *filter = live_filter();

	if (!p || !filter)
		return 0;
	p->time_ns = bpf_ktime_get_ns();
	p->len = ctx_len(ctx);
	p->n_steps = 0;
	p->hit = !filter->port;
	live_load(ctx, p);
	p->wanted = live_matches(p, filter);
	return 0;
}

/** hd_live_begin - a packet has come; what a filter can see of it is looked at */
static __always_inline void hd_live_begin(const struct hd_pkt *pkt)
{
	if (hd_cfg.trace == HD_TRACE_LIVE)
		(void)live_start(pkt->ctx, pkt->stage);
}

/* Whether a step is about the port that is asked for. */
static __always_inline bool live_is_about(__u32 what, __u32 a, __u32 b, __u32 port)
{
	return what == HD_TRACE_DROP
		       ? b == port
		       : a == port && (what == HD_TRACE_PORT || what == HD_TRACE_HOST ||
				       what == HD_TRACE_SEND || what == HD_TRACE_FLOOD ||
				       what == HD_TRACE_ANSWERED);
}

/** hd_live_step - one step of the packet in hand */
static __noinline int hd_live_step(__u32 stage, __u32 what, __u32 a, __u32 b)
{
	const struct hd_live_filter *filter = live_filter();
	struct hd_live_packet *p = live_packet(stage);
	__u32 n;

	if (!p || !filter || !p->wanted)
		return 0;
	if ((what == HD_TRACE_PORT || what == HD_TRACE_HOST) && filter->network &&
	    b != filter->network) {
		p->wanted = 0;
		return 0;
	}
	if (filter->port && live_is_about(what, a, b, filter->port))
		p->hit = 1;
	n = p->n_steps++;
	if (n >= HD_LIVE_STEPS)
		return 0;
	p->step[n].stage = stage;
	p->step[n].what = what;
	p->step[n].a = a;
	p->step[n].b = b;
	return 0;
}

static __noinline int live_report(__u32 stage)
{
	struct hd_live_packet *p = live_packet(stage);
	__u32 zero = 0;
	__u64 *lost;

	if (!p || !p->wanted || !p->hit || !p->n_steps)
		return 0;
	if (bpf_ringbuf_output(&hd_live, p, sizeof(*p), 0) == 0)
		return 0;
	lost = bpf_map_lookup_elem(&hd_live_lost, &zero);
	if (lost)
		(*lost)++;
	return 0;
}

/** hd_live_end - the packet's way ends here */
static __always_inline void hd_live_end(const struct hd_pkt *pkt)
{
	if (hd_cfg.trace == HD_TRACE_LIVE)
		(void)live_report(pkt->stage);
}
