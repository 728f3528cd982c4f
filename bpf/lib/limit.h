/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* limit.h - holding a port to its rates; see heddle/limit.h */
#pragma once

#include "heddle/limit.h"

#include "lib/pkt.h"
#include "lib/trace.h"

/* hd_limits: port -> its rates, of ports that have some. Writer: the daemon. Reader: packets of such ports, which are marked in hd_ports. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_PORTS_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_limit_value);
} hd_limits SEC(".maps");

/* hd_buckets: what they have used. Writer and reader: packets of such ports. An id that is used again begins with what is long over. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HD_PORTS_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_bucket);
} hd_buckets SEC(".maps");

enum { NSEC_PER_SEC = 1000000000 };

/* More than one packet of the largest size ahead of the burst, on several CPUs at once: it was paid for at another rate. */
#define LIMIT_AHEAD_BYTES (16 * 65536ULL)

static __always_inline __u64 limit_ns(const struct hd_limit *limit, __u64 bytes)
{
	return bytes * NSEC_PER_SEC / limit->bytes_s;
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

/* On the wire each segment has the headers that a super-packet has once. */
static __always_inline __u64 wire_len(struct __sk_buff *ctx, __u32 l3_off, bool v4)
{
	__u32 segs = ctx->gso_size ? ctx->gso_segs : 0;

	if (segs < 2)
		return ctx->len;
	return ctx->len + (__u64)(segs - 1) * (l3_off + gso_header_len(ctx, l3_off, v4));
}

/*
 * The clock may stand behind what another CPU has read a moment ago: then nothing is as good as due. What is due too far ahead was paid for at a rate
 * that has changed since.
 */
static __always_inline __u64 limit_due(const struct hd_limit *limit, __u64 *word, __u64 now)
{
	__u64 due = *(volatile __u64 *)word,
	      most = limit->burst_ns + limit_ns(limit, LIMIT_AHEAD_BYTES);

	if ((__s64)(due - now) >= 0 && due - now <= most)
		return due;
	now += (__s64)(due - now) < 0 ? 0 : limit->burst_ns;
	__sync_val_compare_and_swap(word, due, now);
	return now;
}

/* Global, so that the verifier looks at it once. 1 if the packet may pass. */
__noinline int limit_take(struct __sk_buff *ctx, __u32 port, __u32 dir, __u32 l3_off, __u32 is_v4)
{
	struct hd_limit_value *value = bpf_map_lookup_elem(&hd_limits, &port);
	struct hd_bucket *bucket = bpf_map_lookup_elem(&hd_buckets, &port);
	__u64 now = bpf_ktime_get_ns();
	struct hd_limit *limit;
	__u64 *word;

	if (!value || !bucket || !hd_may_write())
		return 1;
	limit = &value->dir[dir & 1];
	word = &bucket->due_ns[dir & 1];
	if (!limit->bytes_s)
		return 1;
	if ((__s64)(limit_due(limit, word, now) - now) >= (__s64)limit->burst_ns)
		return 0;
	__sync_fetch_and_add(word, limit_ns(limit, wire_len(ctx, l3_off, is_v4)));
	return 1;
}

/**
 * hd_limit_pass - whether a packet is within the rate of a port, and count it against that
 * @id:  the port, which has a limit in that direction
 * @dir: enum hd_direction; HD_INGRESS: it leaves the host by the port, towards the workload
 *
 * Without effect in a trace, which lets everything pass.
 */
static __always_inline bool hd_limit_pass(const struct hd_pkt *pkt, __u32 id, __u32 dir)
{
	return limit_take(pkt->ctx, id, dir, pkt->l3_off, pkt->eth_type == bpf_htons(ETH_P_IP));
}
