/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * outer.h - what comes in from the underlay: is it a tunnel packet for us, is it sound, from whom, of which network? Whatever the hook; taking
 * the wrapping off is the business of decap.h and decap_xdp.h
 *
 *   ┌──────────┬─────────┬─────┬──────────────┬──────────────┬─────────
 *   │ Ethernet │ IPv4/v6 │ UDP │ VXLAN        │ Ethernet     │ IP, ARP ...
 *   │          │         │     │ Geneve + opt │ (inner)      │
 *   │          │         ├─────┴──────────────┤              │
 *   │          │         │ GRE [csum][key][seq]              │
 *   └──────────┴─────────┴────────────────────┴──────────────┴─────────
 *   0          14        @off while the walk goes on          @off + 14 at its end
 *
 * The kernel's own checks (ip_rcv(), udp_rcv()) come after TC, so what they would refuse is refused here. Not checked: the outer UDP checksum. It
 * may be zero, or not be computed yet (a local sender's), and the inner packet has its own.
 */
#pragma once

#include "lib/csum.h"
#include "lib/eth.h"
#include "lib/port.h"
#include "lib/sum.h"

/* hd_tunnels: what the outer header says -> network. Writer: the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_NETWORKS_DEFAULT);
	__type(key, struct hd_tunnel_key);
	__type(value, __u32);
} hd_tunnels SEC(".maps");

/* What is known about a packet of the underlay: not ours, or to be opened. Negative: -HD_DROP_x. */
enum { OUTER_OTHER, OUTER_OURS };

/**
 * struct outer - a tunnel packet being opened
 * @off:  offset of the header to look at next; in the end that of the inner frame
 * @end:  offset behind the last byte of the outer IP packet
 * @proto: what follows the IP header
 * @tos:  type of service, traffic class
 * @v6:   the underlay is IPv6
 * @key:  which network it says
 * @peer: address that it came from
 */
struct outer {
	__u32 off;
	__u32 end;
	__u8 proto;
	__u8 tos;
	bool v6;
	struct hd_tunnel_key key;
	struct hd_peer_key peer;
};

/* Of an IPv4 header without options: all its words together are ~0 (RFC 1071). */
static __always_inline bool ipv4_checksum_is_right(const struct iphdr *ip)
{
	const hd_u32 *word = (const hd_u32 *)ip;
	__u64 sum = (__u64)word[0] + word[1] + word[2] + word[3] + word[4];

	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* The end of a super-packet is the frame's; its length field may be zero. */
static __always_inline int outer_end(const struct hd_pkt *pkt, struct outer *o, __u32 len)
{
	o->end = ctx_is_super(pkt->ctx) ? ctx_len(pkt->ctx) : ETH_HLEN + len;
	return o->end > ctx_len(pkt->ctx) ? -HD_DROP_TUNNEL_IP : OUTER_OURS;
}

/* Whether what is at @off comes to a place where tunnels end. */
static __always_inline bool outer_type(struct hd_pkt *pkt, struct outer *o)
{
	const struct udphdr *udp;
	const __u32 *type;
	__u32 port = 0;

	if (o->proto == IPPROTO_UDP) {
		udp = ctx_header(pkt->ctx, o->off, sizeof(*udp));
		if (!udp || !udp->dest)
			return false;
		o->key.port = udp->dest;
		port = bpf_ntohs(udp->dest);
	}
	type = bpf_map_lookup_elem(&hd_tunnel_ports, &port);
	if (!type || !*type)
		return false;
	o->key.type = *type;
	return true;
}

static __always_inline int outer_ipv4(struct hd_pkt *pkt, const struct hd_end_value *us,
				      struct outer *o)
{
	const struct iphdr *ip = ctx_header(pkt->ctx, ETH_HLEN, sizeof(*ip));
	__u16 frag;

	if (!ip || ip->version != 4 || ip->ihl < 5 ||
	    (ip->protocol != IPPROTO_UDP && ip->protocol != IPPROTO_GRE))
		return OUTER_OTHER;
	o->peer.addr[2] = bpf_htonl(0xffff);
	o->peer.addr[3] = ip->saddr;
	if (ip->daddr != us->local[3] || us->local[2] != o->peer.addr[2])
		return OUTER_OTHER;
	frag = bpf_ntohs(ip->frag_off);
	if (frag &
	    IP_OFFSET) /* without ports nobody knows; without its first piece it comes to nothing */
		return OUTER_OTHER;
	o->off = ETH_HLEN + ip->ihl * 4;
	o->proto = ip->protocol;
	o->tos = ip->tos;
	if (!outer_type(pkt, o))
		return OUTER_OTHER;
	if (frag & IP_MF)
		return -HD_DROP_TUNNEL_FRAGMENT;
	ip = ctx_header(pkt->ctx, ETH_HLEN, sizeof(*ip));
	if (!ip || ip->ihl != 5 || !ipv4_checksum_is_right(ip))
		return -HD_DROP_TUNNEL_IP;
	return outer_end(pkt, o, bpf_ntohs(ip->tot_len));
}

/* Extension headers in front of a tunnel are left to the host. Linux' ip6gretap sends one (RFC 2473) unless it is told not to; nobody else does. */
static __always_inline int outer_ipv6(struct hd_pkt *pkt, const struct hd_end_value *us,
				      struct outer *o)
{
	const struct ipv6hdr *ip6 = ctx_header(pkt->ctx, ETH_HLEN, sizeof(*ip6));
	__be32 addr[4];
	__u32 len;

	if (!ip6 || ip6->version != 6 ||
	    (ip6->nexthdr != IPPROTO_UDP && ip6->nexthdr != IPPROTO_GRE))
		return OUTER_OTHER;
	hd_memcpy(addr, &ip6->daddr, 16);
	if (!addr_equal(addr, us->local))
		return OUTER_OTHER;
	hd_memcpy(o->peer.addr, &ip6->saddr, 16);
	len = sizeof(*ip6) + bpf_ntohs(ip6->payload_len);
	o->off = ETH_HLEN + sizeof(*ip6);
	o->proto = ip6->nexthdr;
	o->tos = ip6->priority << 4 | ip6->flow_lbl[0] >> 4;
	o->v6 = true;
	return outer_type(pkt, o) ? outer_end(pkt, o, len) : OUTER_OTHER;
}

/* The UDP length is that of the IP packet's content, or there is something behind it that nobody knows. */
static __always_inline int outer_udp(struct hd_pkt *pkt, struct outer *o)
{
	const struct udphdr *udp = ctx_header(pkt->ctx, o->off, sizeof(*udp));

	if (!udp || (!ctx_is_super(pkt->ctx) && o->off + bpf_ntohs(udp->len) != o->end))
		return -HD_DROP_TUNNEL_HEADER;
	o->off += sizeof(*udp);
	return 0;
}

/* RFC 7348 section 5: the I flag says that there is a VNI; all else is reserved, and ignored. */
#define VXLAN_HAS_VNI bpf_htonl(0x08000000)

static __always_inline int outer_vxlan(struct hd_pkt *pkt, struct outer *o)
{
	const __be32 *vxlan = ctx_header(pkt->ctx, o->off, 8);

	if (!vxlan || !(vxlan[0] & VXLAN_HAS_VNI))
		return -HD_DROP_TUNNEL_HEADER;
	o->key.id = bpf_ntohl(vxlan[1]) >> 8;
	o->off += 8;
	return 0;
}

/* RFC 8926 section 3.4: version and length of options, flags, type of what is inside; VNI. */
#define GENEVE_VERSION 0xc0
#define GENEVE_LEN 0x3f
#define GENEVE_CONTROL 0x80
#define GENEVE_CRITICAL 0x40
#define GENEVE_OPTION_CRITICAL 0x80
#define GENEVE_OPTION_LEN 0x1f

/* A walk along the options. @r: what ended it, 0 = their end. */
struct geneve_walk {
	struct hd_pkt *pkt;
	__u32 off;
	__u32 end;
	int r;
};

static int geneve_option(struct geneve_walk *walk)
{
	const __u8 *option;

	if (walk->off == walk->end)
		return 0;
	option = ctx_header(walk->pkt->ctx, walk->off, 4);
	if (!option || walk->off + 4 > walk->end)
		return -HD_DROP_TUNNEL_HEADER;
	if (option[2] & GENEVE_OPTION_CRITICAL)
		return -HD_DROP_TUNNEL_OPTION;
	walk->off += 4 + (option[3] & GENEVE_OPTION_LEN) * 4;
	return walk->off > walk->end ? -HD_DROP_TUNNEL_HEADER : 1;
}

static long geneve_step(__u32 i, void *arg)
{
	struct geneve_walk *walk = arg;

	walk->r = geneve_option(walk);
	return walk->r <= 0;
}

/* No option is known here, so any that must be understood is one too many; the others are passed over. */
static __always_inline int geneve_options(struct hd_pkt *pkt, struct outer *o, __u32 len)
{
	struct geneve_walk walk = { .pkt = pkt, .off = o->off, .end = o->off + len };

	if (!len)
		return 0;
	walk.off += hd_unknown_zero;
	walk.r = hd_unknown_zero;
	bpf_loop(GENEVE_LEN + 1, geneve_step, &walk, 0);
	o->off += len;
	return walk.r;
}

static __always_inline int outer_geneve(struct hd_pkt *pkt, struct outer *o)
{
	const __u8 *geneve = ctx_header(pkt->ctx, o->off, 8);
	__u32 len;

	if (!geneve || geneve[0] & GENEVE_VERSION ||
	    *(const hd_u16 *)(geneve + 2) != bpf_htons(ETH_P_TEB))
		return -HD_DROP_TUNNEL_HEADER;
	if (geneve[1] & (GENEVE_CONTROL | GENEVE_CRITICAL))
		return -HD_DROP_TUNNEL_OPTION;
	len = (geneve[0] & GENEVE_LEN) * 4;
	o->key.id = bpf_ntohl(*(const hd_u32 *)(geneve + 4)) >> 8;
	o->off += 8;
	if (o->off + len > o->end)
		return -HD_DROP_TUNNEL_HEADER;
	return geneve_options(pkt, o, len);
}

/* RFC 2784, RFC 2890. */
#define GRE_CSUM 0x8000
#define GRE_KEY 0x2000
#define GRE_SEQ 0x1000
/* Routing, strict route, the first bit of recursion; version. Bits 6 to 12 are reserved, and ignored (RFC 2784 section 2.1). */
#define GRE_MUST_BE_ZERO 0x4c07

static __always_inline int outer_gre(struct hd_pkt *pkt, struct outer *o)
{
	const hd_u16 *gre = ctx_header(pkt->ctx, o->off, 4);
	__u32 start = o->off;
	const __be32 *key;
	__u16 flags;

	if (!gre)
		return OUTER_OTHER;
	flags = bpf_ntohs(gre[0]);
	if (gre[1] != bpf_htons(ETH_P_TEB))
		return OUTER_OTHER; /* the host may have other GRE tunnels */
	if (flags & GRE_MUST_BE_ZERO)
		return -HD_DROP_TUNNEL_HEADER;
	o->off += flags & GRE_CSUM ? 8 : 4;
	if (flags & GRE_KEY) {
		key = ctx_header(pkt->ctx, o->off, 4);
		if (!key)
			return -HD_DROP_TUNNEL_HEADER;
		o->key.id = bpf_ntohl(*key);
		o->key.type = HD_TUNNEL_GRE_KEY;
		o->off += 4;
	}
	if (flags & GRE_SEQ)
		o->off += 4;
	/* Over the GRE header and all that follows it. What is made of segments has been checked by who put them together, or was never on a wire. */
	if ((flags & GRE_CSUM) && !ctx_is_super(pkt->ctx) &&
	    !hd_sum_is_right(pkt->ctx, start, o->end))
		return -HD_DROP_TUNNEL_CSUM;
	return OUTER_OURS;
}

static __always_inline int outer_tunnel(struct hd_pkt *pkt, struct outer *o)
{
	int r;

	if (o->proto == IPPROTO_GRE)
		return outer_gre(pkt, o);
	r = outer_udp(pkt, o);
	if (r == 0)
		r = o->key.type == HD_TUNNEL_GENEVE ? outer_geneve(pkt, o) : outer_vxlan(pkt, o);
	return r < 0 ? r : OUTER_OURS;
}

/** hd_outer_parse - what a packet of the underlay is: OUTER_OTHER, OUTER_OURS and @o filled, or -HD_DROP_x; nothing is changed */
static __always_inline int hd_outer_parse(struct hd_pkt *pkt, const struct hd_end_value *us,
					  struct outer *o)
{
	__u32 type;
	int r;

	if (ctx_has_tag(pkt->ctx))
		return OUTER_OTHER;
	type = ctx_protocol(pkt->ctx);
	if (type == bpf_htons(ETH_P_IP))
		r = outer_ipv4(pkt, us, o);
	else if (type == bpf_htons(ETH_P_IPV6))
		r = outer_ipv6(pkt, us, o);
	else
		return OUTER_OTHER;
	return r == OUTER_OURS ? outer_tunnel(pkt, o) : r;
}

/**
 * struct origin - whose a tunnel packet is, and of which network: what hd_peers and hd_tunnels have said
 * @peer, @key: what was asked
 * @epoch:      hd_epoch.underlay at that time
 * @port:       port id of the peer
 * @network:    id
 */
struct origin {
	struct hd_peer_key peer;
	struct hd_tunnel_key key;
	__u32 epoch;
	__u32 port;
	__u32 network;
} __attribute__((aligned(64)));

#define ORIGIN_BITS 6

/* hd_origins: the last answers, by a hash of the question: a line of the cache instead of two look-ups in hash tables, a third of what opening costs. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1 << ORIGIN_BITS);
	__type(key, __u32);
	__type(value, struct origin);
} hd_origins SEC(".maps");

static __always_inline __u32 underlay_epoch(void)
{
	const struct hd_epoch *epoch = hd_epoch_now();

	return epoch ? *(const volatile __u32 *)&epoch->underlay : 0;
}

static __always_inline struct origin *origin_slot(const struct outer *o)
{
	__u32 slot = (o->peer.addr[3] ^ o->peer.addr[1]) * 0x9e3779b1 + o->key.id * 0x85ebca6b;

	slot >>= 32 - ORIGIN_BITS;
	return bpf_map_lookup_elem(&hd_origins, &slot);
}

static __always_inline bool origin_answers(const struct origin *known, const struct outer *o)
{
	return addr_equal(known->peer.addr, o->peer.addr) && known->key.id == o->key.id &&
	       known->key.port == o->key.port && known->key.type == o->key.type &&
	       known->epoch == underlay_epoch();
}

/* Its own function: rare, and then not in the way of the others. */
static __noinline int origin_ask(const struct outer *o, struct origin *known)
{
	__u32 epoch = underlay_epoch();
	const __u32 *port, *network;

	if (!o || !known)
		return -HD_DROP_TUNNEL_SOURCE;
	port = bpf_map_lookup_elem(&hd_peers, &o->peer);
	if (!port)
		return -HD_DROP_TUNNEL_SOURCE;
	network = bpf_map_lookup_elem(&hd_tunnels, &o->key);
	known->peer = o->peer;
	known->key = o->key;
	known->port = *port;
	known->network = network ? *network : HD_NETWORK_NONE;
	known->epoch = epoch;
	return 0;
}

/* From whom, and may they. From here on it is the peer's packet. */
static __always_inline int outer_network(struct hd_pkt *pkt, const struct outer *o)
{
	struct origin *known = origin_slot(o);
	const struct hd_port_value *peer;

	if (!known || (!origin_answers(known, o) && origin_ask(o, known)))
		return -HD_DROP_TUNNEL_SOURCE;
	peer = hd_port_lookup(known->port);
	if (!peer || !(peer->flags & HD_PORT_TUNNEL))
		return -HD_DROP_TUNNEL_SOURCE;
	pkt->port = known->port;
	pkt->from = peer;
	pkt->network = known->network;
	if (pkt->network == HD_NETWORK_NONE)
		return -HD_DROP_TUNNEL_ID;
	return hd_port_is_in(pkt, pkt->port, peer) ? 0 : -HD_DROP_TUNNEL_MEMBER;
}

/* RFC 3168 section 5 */
enum { ECN_NOT, ECN_ECT1, ECN_ECT0, ECN_CE };

/*
 * RFC 6040 section 4.2: what the underlay has marked, by congestion or by ECT(1), is told to a receiver that understands it; a packet of one that
 * does not understand congestion is dropped, as a router would have. What changes becomes what is outside.
 *
 * Not bpf_skb_ecn_set_ce(): it can't say ECT(1), and goes by skb->protocol, which may be that of what was outside.
 */
static __always_inline int carry_congestion(struct hd_pkt *pkt, __u32 outer)
{
	struct ethhdr *eth = ctx_header(pkt->ctx, 0, ETH_HLEN + sizeof(struct iphdr));
	struct iphdr *ip = (void *)(eth + 1);
	__u32 shift, word, inner;
	__be16 value;

	if (!eth || (eth->h_proto != bpf_htons(ETH_P_IP) && eth->h_proto != bpf_htons(ETH_P_IPV6)))
		return 0;
	shift = eth->h_proto == bpf_htons(ETH_P_IP) ? 0 : 4;
	word = bpf_ntohs(*(hd_u16 *)ip);
	inner = word >> shift & 3;
	if (inner == ECN_NOT)
		return outer == ECN_CE ? -HD_DROP_TUNNEL_ECN : 0;
	if (outer != ECN_CE && inner != ECN_ECT0)
		return 0;
	value = bpf_htons(word ^ (inner ^ outer) << shift);
	if (shift) {
		(void)ctx_store(pkt->ctx, ETH_HLEN, &value, sizeof(value));
		return 0;
	}
	ip->check = csum_replace(ip->check, *(hd_u16 *)ip, value);
	*(hd_u16 *)ip = value;
	return 0;
}
