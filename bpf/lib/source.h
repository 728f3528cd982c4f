/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * source.h - what a port with security may claim to be: its MACs and addresses, in Ethernet, IP, ARP and ND alike
 *
 * A port whose MAC or addresses are not configured is not held to any, but for the gateways of its network, which nobody may claim.
 */
#pragma once

#include "heddle/abi.h"
#include "heddle/policy.h"

#include "lib/ip.h"
#include "lib/neigh.h"

/* hd_sources: (port, MAC, address or prefix) that may be used. Writer: the daemon. Readers: packets that are judged, ARP, ND. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_SOURCES_DEFAULT);
	__type(key, struct hd_source_key);
	__type(value, __u32);
} hd_sources SEC(".maps");

/* hd_gateways: addresses of a network that only its gateway may use. Writer: the daemon. Readers: as above. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_NETWORKS_DEFAULT);
	__type(key, struct hd_member_key);
	__type(value, __u32);
} hd_gateways SEC(".maps");

#define ND_OPTIONS_MAX 8
#define ND_LEN_MAX 88 /* header, target, and as many options as anybody needs */
#define ARP_LEN_MAX 64

/* Bits of a key in front of the address. */
#define SOURCE_FIXED_BITS 96

static __always_inline bool is_gateway(const struct hd_pkt *pkt, const __be32 addr[4])
{
	struct hd_member_key key = { .network = pkt->network };

	hd_memcpy(key.addr, addr, 16);
	return bpf_map_lookup_elem(&hd_gateways, &key);
}

static __always_inline bool source_is_allowed(const struct hd_pkt *pkt, const __u8 mac[6],
					      const __be32 addr[4])
{
	struct hd_source_key key = { .prefix_len = SOURCE_FIXED_BITS + 128, .port = pkt->port };

	if (pkt->from->flags & HD_PORT_HAS_MAC)
		mac_copy(key.mac, mac);
	hd_memcpy(key.addr, addr, 16);
	return bpf_map_lookup_elem(&hd_sources, &key);
}

/**
 * hd_source_addr - whether the sender may use an address together with a MAC
 * @addr: IPv6, or IPv4 mapped
 *
 * Return: 0, -HD_DROP_SPOOF_MAC, -HD_DROP_SPOOF_IP or -HD_DROP_GATEWAY.
 */
static __noinline int hd_source_addr(struct hd_pkt *pkt, const __u8 mac[6], const __be32 addr[4])
{
	bool own_mac;

	if (!pkt || !pkt->from || !mac || !addr)
		return -HD_DROP_SPOOF_IP;
	own_mac = !(pkt->from->flags & HD_PORT_HAS_MAC) || mac_equal(mac, pkt->from->mac);
	if (!(pkt->from->flags & HD_PORT_HAS_IPS)) {
		if (is_gateway(pkt, addr))
			return -HD_DROP_GATEWAY;
		return own_mac || source_is_allowed(pkt, mac, addr) ? 0 : -HD_DROP_SPOOF_MAC;
	}
	if (source_is_allowed(pkt, mac, addr))
		return 0;
	if (is_gateway(pkt, addr))
		return -HD_DROP_GATEWAY;
	return own_mac ? -HD_DROP_SPOOF_IP : -HD_DROP_SPOOF_MAC;
}

/* DHCP: RFC 2131 (67, 68), RFC 8415 (547, 546). */
static __always_inline bool is_dhcp(const struct hd_ip *ip, __u16 from_v4, __u16 to_v4,
				    __u16 from_v6, __u16 to_v6)
{
	bool v4 = ip_is_v4(ip);

	if (ip->proto != IPPROTO_UDP || (ip->flags & HD_IP_LATER))
		return false;
	return ip->sport == bpf_htons(v4 ? from_v4 : from_v6) &&
	       ip->dport == bpf_htons(v4 ? to_v4 : to_v6);
}

/** hd_is_dhcp_request, hd_is_dhcp_reply - what a DHCP client and a DHCP server send */
static __always_inline bool hd_is_dhcp_request(const struct hd_ip *ip)
{
	return is_dhcp(ip, 68, 67, 546, 547);
}

static __always_inline bool hd_is_dhcp_reply(const struct hd_ip *ip)
{
	return is_dhcp(ip, 67, 68, 547, 546);
}

/* Clients look at the port that an offer is for only, not at where it comes from. */
static __always_inline bool is_to_dhcp_client(const struct hd_ip *ip)
{
	return ip->proto == IPPROTO_UDP && !(ip->flags & HD_IP_LATER) &&
	       ip->dport == bpf_htons(ip_is_v4(ip) ? 68 : 546);
}

static __always_inline bool ip_is_unspecified(const struct hd_ip *ip)
{
	return ip_is_v4(ip) ? !ip->saddr[0]
			    : !(ip->saddr[0] | ip->saddr[1] | ip->saddr[2] | ip->saddr[3]);
}

/* ND and multicast listener messages: how hosts of a link find each other, never subject to rules (RFC 4890 section 4.4). */
static __always_inline bool hd_is_nd(const struct hd_ip *ip)
{
	return ip->proto == IPPROTO_ICMPV6 && !ip_is_v4(ip) &&
	       ip->icmp_type >= NDISC_ROUTER_SOLICITATION && ip->icmp_type <= NDISC_REDIRECT;
}

static __always_inline bool hd_is_mld(const struct hd_ip *ip)
{
	return ip->proto == IPPROTO_ICMPV6 && !ip_is_v4(ip) &&
	       ((ip->icmp_type >= ICMPV6_MGM_QUERY && ip->icmp_type <= ICMPV6_MGM_REDUCTION) ||
		ip->icmp_type == ICMPV6_MLD2_REPORT);
}

/* Who has no address yet may ask for one, and whether one is taken. */
static __always_inline bool may_be_unspecified(const struct hd_ip *ip)
{
	return hd_is_dhcp_request(ip) || hd_is_mld(ip) ||
	       (hd_is_nd(ip) && (ip->icmp_type == NDISC_NEIGHBOUR_SOLICITATION ||
				 ip->icmp_type == NDISC_ROUTER_SOLICITATION));
}

/* A walk along the options of an ND message. @r: 1 while it goes on, then what ended it. */
struct nd_walk {
	struct hd_pkt *pkt;
	__u32 off;
	int r;
};

static int check_nd_option(struct nd_walk *walk)
{
	const __u8 *opt;

	if (walk->off >= walk->pkt->ip->end)
		return 0;
	opt = ctx_header(walk->pkt->ctx, walk->off, 8);
	if (!opt || !opt[1])
		return -HD_DROP_L4_MALFORMED;
	if ((opt[0] == ND_OPT_SOURCE_LL_ADDR || opt[0] == ND_OPT_TARGET_LL_ADDR) &&
	    !mac_equal(opt + 2, walk->pkt->src))
		return -HD_DROP_SPOOF_NEIGH;
	walk->off += opt[1] * 8;
	return 1;
}

static long nd_step(__u32 i, void *arg)
{
	struct nd_walk *walk = arg;

	walk->r = check_nd_option(walk);
	return walk->r <= 0;
}

/* Each link-layer address among the options of an ND message is the sender's own. */
static __always_inline int check_nd_options(struct hd_pkt *pkt, __u32 off)
{
	struct nd_walk walk = { .pkt = pkt, .off = off + hd_unknown_zero };

	bpf_loop(ND_OPTIONS_MAX, nd_step, &walk, 0);
	return walk.r > 0 ? -HD_DROP_L4_MALFORMED : walk.r;
}

/* RFC 4861 sections 6.1, 7.1: hop limit 255 and never in pieces (RFC 6980). An advertisement speaks for the sender's own address only. */
static __always_inline int check_nd(struct hd_pkt *pkt)
{
	const struct nd_solicit *nd = ctx_header(pkt->ctx, ETH_HLEN, sizeof(*nd));
	__be32 target[4];

	if (pkt->ip->icmp_type == NDISC_ROUTER_ADVERTISEMENT ||
	    pkt->ip->icmp_type == NDISC_REDIRECT)
		return -HD_DROP_ROUTER_ADVERT;
	if (pkt->ip->flags & HD_IP_FRAGMENT ||
	    pkt->ip->l4_off != ETH_HLEN + sizeof(struct ipv6hdr) || pkt->ip->ttl != 255 ||
	    pkt->ip->icmp_code || pkt->ip->end - pkt->ip->l4_off > ND_LEN_MAX)
		return -HD_DROP_L4_MALFORMED;
	if (pkt->ip->icmp_type == NDISC_ROUTER_SOLICITATION)
		return check_nd_options(pkt, pkt->ip->l4_off + 8);
	if (!nd || pkt->ip->end < pkt->ip->l4_off + 24)
		return -HD_DROP_L4_MALFORMED;
	hd_memcpy(target, nd->target, 16);
	/* It speaks for its own address; and asks whether one is taken only for its own. */
	if ((pkt->ip->icmp_type == NDISC_NEIGHBOUR_ADVERTISEMENT || ip_is_unspecified(pkt->ip)) &&
	    hd_source_addr(pkt, pkt->src, target) < 0)
		return -HD_DROP_SPOOF_NEIGH;
	return check_nd_options(pkt, pkt->ip->l4_off + 24);
}

/**
 * hd_source_check - what a port with security sends: who it says it is, and what only infrastructure may send
 * @pkt: hd_ip_parse() has been called
 *
 * Return: 0, or -HD_DROP_x.
 */
static __always_inline int hd_source_check(struct hd_pkt *pkt)
{
	__be32 addr[4];
	int r = 0;

	hd_ip_mapped(pkt->ip, pkt->ip->saddr, addr);
	if (!ip_is_unspecified(pkt->ip))
		r = hd_source_addr(pkt, pkt->src, addr);
	else if (!may_be_unspecified(pkt->ip))
		r = -HD_DROP_SPOOF_IP;
	else if ((pkt->from->flags & HD_PORT_HAS_MAC) && !mac_equal(pkt->src, pkt->from->mac))
		r = -HD_DROP_SPOOF_MAC;
	if (r < 0)
		return r;
	if (is_to_dhcp_client(pkt->ip))
		return -HD_DROP_DHCP_SERVER;
	if (hd_is_nd(pkt->ip) && !(pkt->ip->flags & HD_IP_LATER))
		r = check_nd(pkt);
	if (r == 0)
		hd_trace(pkt, HD_TRACE_SOURCE_OK, pkt->port, 0);
	return r;
}

/**
 * hd_source_check_arp - the same for ARP: the sender is the port itself, in Ethernet and in the packet; a probe names no address (RFC 5227)
 */
static __always_inline int hd_source_check_arp(struct hd_pkt *pkt)
{
	const struct arp_ipv4 *arp = ctx_header(pkt->ctx, ETH_HLEN, sizeof(*arp));
	__be32 addr[4] = { 0, 0, bpf_htonl(0xffff), 0 };
	__u8 mac[6];
	int r;

	if (!arp || pkt->ctx->len > ARP_LEN_MAX || !arp_is_ipv4(arp))
		return -HD_DROP_SPOOF_NEIGH;
	hd_memcpy(mac, arp->sha, 6);
	hd_memcpy(&addr[3], arp->sip, 4);
	if (arp->op != bpf_htons(ARPOP_REQUEST) && arp->op != bpf_htons(ARPOP_REPLY))
		return -HD_DROP_SPOOF_NEIGH;
	if (!mac_equal(mac, pkt->src))
		return -HD_DROP_SPOOF_NEIGH;
	if (!addr[3]) /* a probe: whether the address that it will have is taken */
		hd_memcpy(&addr[3], arp->tip, 4);
	r = hd_source_addr(pkt, mac, addr);
	return r == -HD_DROP_SPOOF_IP ? -HD_DROP_SPOOF_NEIGH : r;
}
