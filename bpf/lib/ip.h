/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ip.h - parsing IPv4, IPv6 and the ports above them; nothing a sender claims is trusted
 *
 * Only ports with security look above Ethernet. What contradicts itself or is cut short never gets past here, so that no header that
 * the receiver reads differently can be used to get around a rule.
 */
#pragma once

#include "lib/eth.h"

#define EXT_HEADERS_MAX 8

/* Of what is answered on the spot. */
#define ANSWER_TTL 64

/* Next header, length, and of a routing header its type and the segments that are left. */
#define EXT_HEADER_START 4

/* The first eight bytes of every transport header that heddle knows, as far as it needs them. */
struct l4_start {
	__be16 sport;
	__be16 dport;
	__be32 word; /* TCP: sequence number. ICMP echo: id in the upper half. */
};

/* IPv6 fragment header (RFC 8200 section 4.5). */
struct frag6 {
	__u8 nexthdr;
	__u8 reserved;
	__be16 off; /* offset in its upper 13 bits, in units of 8 bytes; bit 0: more follow */
	__be32 id;
};

static __always_inline bool ip_is_v4(const struct hd_ip *ip)
{
	return ip->flags & HD_IP_V4;
}

static __always_inline bool is_icmp(const struct hd_ip *ip)
{
	return ip->proto == IPPROTO_ICMP || ip->proto == IPPROTO_ICMPV6;
}

static __always_inline bool icmp_is_error(const struct hd_ip *ip)
{
	if (!ip_is_v4(ip))
		return ip->icmp_type <= ICMPV6_ERROR_MAX;
	return ip->icmp_type == ICMP_DEST_UNREACH || ip->icmp_type == ICMP_SOURCE_QUENCH ||
	       ip->icmp_type == ICMP_REDIRECT || ip->icmp_type == ICMP_TIME_EXCEEDED ||
	       ip->icmp_type == ICMP_PARAMETERPROB;
}

/* A reply's type is that of its request, so that both find the same flow; see heddle/flow.h. */
static __always_inline bool icmp_is_reply(const struct hd_ip *ip, __u8 *ret_request)
{
	if (!ip_is_v4(ip)) {
		*ret_request = ICMPV6_ECHO_REQUEST;
		return ip->icmp_type == ICMPV6_ECHO_REPLY;
	}
	*ret_request = ip->icmp_type == ICMP_ECHOREPLY ? ICMP_ECHO : ICMP_TIMESTAMP;
	return ip->icmp_type == ICMP_ECHOREPLY || ip->icmp_type == ICMP_TIMESTAMPREPLY;
}

static __always_inline void icmp_ports(struct hd_ip *ip, const struct l4_start *l4)
{
	__be16 id = (__be16)l4->word; /* the upper half on the wire comes first in memory */
	__u8 request;

	ip->icmp_type = bpf_ntohs(l4->sport) >> 8;
	ip->icmp_code = bpf_ntohs(l4->sport) & 0xff;
	if (icmp_is_error(ip)) {
		ip->flags |= HD_IP_ICMP_ERROR;
		return;
	}
	if (icmp_is_reply(ip, &request)) {
		ip->sport = bpf_htons(request << 8);
		ip->dport = id;
	} else {
		ip->sport = id;
		ip->dport = bpf_htons(ip->icmp_type << 8 | ip->icmp_code);
	}
}

static __always_inline bool proto_has_ports(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP ||
	       proto == IPPROTO_UDPLITE;
}

/* The length of a TCP header is 20 to 60 and ends within the packet; a SYN is never together with FIN or RST. */
static __always_inline int parse_tcp(struct hd_pkt *pkt)
{
	const struct tcphdr *tcp = ctx_header(pkt->ctx, pkt->ip->l4_off, sizeof(*tcp));
	__u32 len;

	if (!tcp || pkt->ip->l4_off + sizeof(*tcp) > pkt->ip->end)
		return -HD_DROP_L4_MALFORMED;
	len = tcp->doff * 4;
	if (len < sizeof(*tcp) || pkt->ip->l4_off + len > pkt->ip->end)
		return -HD_DROP_L4_MALFORMED;
	pkt->ip->tcp_flags = ((const __u8 *)tcp)[13];
	if ((pkt->ip->tcp_flags & TCP_SYN) && (pkt->ip->tcp_flags & (TCP_FIN | TCP_RST)))
		return -HD_DROP_L4_MALFORMED;
	pkt->ip->sport = tcp->source;
	pkt->ip->dport = tcp->dest;
	return 0;
}

/* A UDP length of 0 is legal only for jumbograms, and those only for IPv6; nobody here sends them. */
static __always_inline int check_udp(const struct hd_pkt *pkt, __be32 word)
{
	__u16 len = bpf_ntohs((__be16)word);

	if (len < sizeof(struct udphdr))
		return -HD_DROP_L4_MALFORMED;
	if (pkt->ip->flags & HD_IP_FRAGMENT || ctx_is_super(pkt->ctx))
		return 0; /* the length of the whole */
	return pkt->ip->l4_off + len > pkt->ip->end ? -HD_DROP_L4_MALFORMED : 0;
}

static __always_inline int parse_l4(struct hd_pkt *pkt)
{
	struct hd_ip *ip = pkt->ip;
	struct l4_start *l4;

	if (ip->flags & HD_IP_LATER)
		return 0;
	if (ip->proto == IPPROTO_TCP)
		return parse_tcp(pkt);
	if (!proto_has_ports(ip->proto) && !is_icmp(ip)) {
		ip->sport = ip->dport = bpf_htons(ip->proto); /* see heddle/flow.h */
		return 0;
	}
	l4 = ctx_header(pkt->ctx, ip->l4_off, sizeof(*l4));
	if (!l4 || ip->l4_off + sizeof(*l4) > ip->end)
		return -HD_DROP_L4_MALFORMED;
	if (is_icmp(ip)) {
		/* ICMP of one family in the other is nonsense that some stacks might still read. */
		if (ip_is_v4(ip) != (ip->proto == IPPROTO_ICMP))
			return -HD_DROP_L4_MALFORMED;
		icmp_ports(ip, l4);
		return 0;
	}
	ip->sport = l4->sport;
	ip->dport = l4->dport;
	return ip->proto == IPPROTO_UDP ? check_udp(pkt, l4->word) : 0;
}

/* The end of a super-packet is the frame's: some senders leave the length field of one over 64 KiB zero. */
static __always_inline int set_end(struct hd_pkt *pkt, __u32 len)
{
	pkt->ip->end = pkt->l3_off + len;
	if (ctx_is_super(pkt->ctx))
		pkt->ip->end = ctx_len(pkt->ctx);
	return pkt->ip->end > ctx_len(pkt->ctx) ? -HD_DROP_IP_MALFORMED : 0;
}

static __always_inline int parse_ipv4(struct hd_pkt *pkt)
{
	struct hd_ip *ip = pkt->ip;
	const struct iphdr *iph = ctx_header(pkt->ctx, pkt->l3_off, sizeof(*iph));
	__u16 frag;
	__u32 len;

	if (!iph || iph->version != 4 || iph->ihl < 5)
		return -HD_DROP_IP_MALFORMED;
	len = bpf_ntohs(iph->tot_len);
	frag = bpf_ntohs(iph->frag_off);
	ip->flags = HD_IP_V4;
	ip->frag_off = 0;
	ip->proto = iph->protocol;
	ip->ttl = iph->ttl;
	ip->saddr[0] = iph->saddr;
	ip->daddr[0] = iph->daddr;
	ip->l4_off = pkt->l3_off + iph->ihl * 4;
	if (frag & (IP_MF | IP_OFFSET)) {
		ip->flags |= HD_IP_FRAGMENT | (frag & IP_OFFSET ? HD_IP_LATER : 0) |
			     (frag & IP_MF ? 0 : HD_IP_LAST);
		ip->frag_id = iph->id;
		ip->frag_proto = iph->protocol;
		ip->frag_off = (frag & IP_OFFSET) * 8;
	}
	if (!ctx_is_super(pkt->ctx) && len < iph->ihl * 4)
		return -HD_DROP_IP_MALFORMED;
	ip->frag_len = len - iph->ihl * 4;
	return set_end(pkt, len);
}

/*
 * Headers that others step over to find what is behind them (RFC 8200 section 4). AH (RFC 4302) is one of them: not everybody who steps over
 * it knows its key, or asks.
 */
static __always_inline bool is_ext_header(__u32 proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_DSTOPTS ||
	       proto == IPPROTO_FRAGMENT || proto == IPPROTO_AH;
}

static __always_inline int parse_frag6(struct hd_pkt *pkt)
{
	const struct frag6 *frag = ctx_header(pkt->ctx, pkt->ip->l4_off, sizeof(*frag));
	__u16 off;

	if (!frag)
		return -HD_DROP_IP_MALFORMED;
	off = bpf_ntohs(frag->off);
	pkt->ip->proto = frag->nexthdr;
	pkt->ip->l4_off += sizeof(*frag);
	if (pkt->ip->l4_off > pkt->ip->end)
		return -HD_DROP_IP_MALFORMED;
	if (!(off & 0xfff9))
		return 0; /* "atomic": the whole in one piece (RFC 6946) */
	if (pkt->ip->flags & HD_IP_FRAGMENT)
		return -HD_DROP_IP_MALFORMED; /* a piece of a piece */
	pkt->ip->flags |=
		HD_IP_FRAGMENT | (off & 0xfff8 ? HD_IP_LATER : 0) | (off & 1 ? 0 : HD_IP_LAST);
	pkt->ip->frag_id = frag->id;
	pkt->ip->frag_proto = 0; /* later pieces may say what they like: RFC 8200 section 4.5 */
	pkt->ip->frag_off = off & 0xfff8;
	pkt->ip->frag_len = pkt->ip->end - pkt->ip->l4_off;
	return 0;
}

/* One extension header (RFC 8200 section 4). */
static __always_inline int skip_ext_header(struct hd_pkt *pkt)
{
	struct hd_ip *ip = pkt->ip;
	const struct ipv6_opt_hdr *opt;

	if (ip->proto == IPPROTO_FRAGMENT)
		return parse_frag6(pkt);
	opt = ctx_header(pkt->ctx, ip->l4_off, EXT_HEADER_START);
	if (!opt)
		return -HD_DROP_IP_MALFORMED;
	ip->l4_off += ip->proto == IPPROTO_AH ? (opt->hdrlen + 2) * 4 : (opt->hdrlen + 1) * 8;
	if (ip->l4_off > ip->end)
		return -HD_DROP_IP_MALFORMED;
	/* Who is to have it is not who it is addressed to now (RFC 5095). */
	if (ip->proto == IPPROTO_ROUTING && ((const __u8 *)opt)[3])
		return -HD_DROP_EXT_HEADERS;
	ip->proto = opt->nexthdr;
	return 0;
}

/* A walk along the chain. @r: what ended it, 0 = the transport header is reached, or a later piece. */
struct ext_walk {
	struct hd_pkt *pkt;
	int r;
};

static long ext_step(__u32 i, void *arg)
{
	struct ext_walk *walk = arg;

	if (!is_ext_header(walk->pkt->ip->proto) || (walk->pkt->ip->flags & HD_IP_LATER))
		return 1;
	walk->r = skip_ext_header(walk->pkt);
	return walk->r < 0;
}

static __always_inline int skip_ext_headers(struct hd_pkt *pkt)
{
	struct ext_walk walk = { .pkt = pkt };

	if (!is_ext_header(pkt->ip->proto))
		return 0;
	bpf_loop(EXT_HEADERS_MAX, ext_step, &walk, 0);
	if (walk.r < 0)
		return walk.r;
	if (pkt->ip->flags & HD_IP_LATER)
		return 0;
	return is_ext_header(pkt->ip->proto) ? -HD_DROP_EXT_HEADERS : 0;
}

/* ::ffff:a.b.c.d never is on the wire (RFC 4942 section 2.2), and is what IPv4 addresses are kept as here. */
static __always_inline bool is_mapped(const __be32 addr[4])
{
	return !addr[0] && !addr[1] && addr[2] == bpf_htonl(0xffff);
}

static __always_inline int parse_ipv6(struct hd_pkt *pkt)
{
	struct hd_ip *ip = pkt->ip;
	const struct ipv6hdr *ip6 = ctx_header(pkt->ctx, pkt->l3_off, sizeof(*ip6));
	int r;

	if (!ip6 || ip6->version != 6)
		return -HD_DROP_IP_MALFORMED;
	ip->proto = ip6->nexthdr;
	ip->ttl = ip6->hop_limit;
	hd_memcpy(ip->saddr, &ip6->saddr, 16);
	hd_memcpy(ip->daddr, &ip6->daddr, 16);
	if (is_mapped(ip->saddr) || is_mapped(ip->daddr))
		return -HD_DROP_IP_MALFORMED;
	ip->l4_off = pkt->l3_off + sizeof(*ip6);
	r = set_end(pkt, sizeof(*ip6) + bpf_ntohs(ip6->payload_len));
	if (r < 0)
		return r;
	return skip_ext_headers(pkt);
}

/*
 * A first fragment that does not hold the whole chain of headers (RFC 7112), or so little of TCP that its flags are in the second (RFC 1858), is
 * caught by the checks against @end; a second fragment that would overwrite them starts too early.
 */
static __always_inline int check_fragment(const struct hd_pkt *pkt)
{
	const struct hd_ip *ip = pkt->ip;

	if (!(ip->flags & HD_IP_LATER))
		return 0;
	if (ip->proto == IPPROTO_TCP && ip->frag_off < sizeof(struct tcphdr))
		return -HD_DROP_FRAG_OVERLAP;
	if (ip->frag_off + ip->frag_len > 65535)
		return -HD_DROP_IP_MALFORMED;
	return 0;
}

/**
 * hd_ip_parse - fill pkt->ip
 *
 * Return: 0, -HD_DROP_ETHERTYPE, -HD_DROP_TAGGED, -HD_DROP_IP_MALFORMED, -HD_DROP_L4_MALFORMED, -HD_DROP_EXT_HEADERS or
 * -HD_DROP_FRAG_OVERLAP.
 */
static __always_inline int hd_ip_parse(struct hd_pkt *pkt)
{
	struct hd_ip *ip = pkt->ip;
	int r;

	/* The scratch still holds another packet. */
	ip->flags = ip->tcp_flags = ip->icmp_type = ip->icmp_code = 0;
	ip->sport = ip->dport = 0;
	ip->proto = 0;
	if (pkt->tagged)
		return -HD_DROP_TAGGED;
	if (pkt->eth_type == bpf_htons(ETH_P_IP))
		r = parse_ipv4(pkt);
	else if (pkt->eth_type == bpf_htons(ETH_P_IPV6))
		r = parse_ipv6(pkt);
	else
		return -HD_DROP_ETHERTYPE;
	if (r == 0)
		r = check_fragment(pkt);
	return r < 0 ? r : parse_l4(pkt);
}

/** hd_ip_mapped - an address as IPv6, IPv4 as ::ffff:a.b.c.d */
static __always_inline void hd_ip_mapped(const struct hd_ip *ip, const __be32 addr[4],
					 __be32 ret[4])
{
	if (!ip_is_v4(ip)) {
		hd_memcpy(ret, addr, 16);
		return;
	}
	ret[0] = 0;
	ret[1] = 0;
	ret[2] = bpf_htonl(0xffff);
	ret[3] = addr[0];
}

/** hd_ip_hash - the same for all packets of a flow, in both directions */
static __always_inline __u32 hd_ip_hash(const struct hd_ip *ip)
{
	__u32 hash = ip->proto;

	for (int i = 0; i < 4; i++) {
		hash += ip->saddr[i] ^ ip->daddr[i];
		if (ip_is_v4(ip))
			break;
	}
	hash += (__u32)(ip->sport ^ ip->dport) << 8;
	hash = (hash ^ hash >> 16) * 0x7feb352d;
	hash = (hash ^ hash >> 15) * 0x846ca68b;
	return hash ^ hash >> 16;
}

/** hd_ip_is_first_piece - whether it is the first of a packet in pieces */
static __always_inline bool hd_ip_is_first_piece(const struct hd_ip *ip)
{
	return (ip->flags & (HD_IP_FRAGMENT | HD_IP_LATER)) == HD_IP_FRAGMENT;
}

/** hd_ip_is_multicast - whether the destination is a group or the limited broadcast */
static __always_inline bool hd_ip_is_multicast(const struct hd_ip *ip)
{
	__u8 first = *(const __u8 *)ip->daddr;

	return ip_is_v4(ip) ? first >= 224 : first == 0xff;
}
