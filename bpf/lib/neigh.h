/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * neigh.h - answering ARP requests (RFC 826) and neighbour solicitations (RFC 4861) for addresses that the configuration knows
 *
 * Only questions that would have been flooded are answered: a unicast probe goes to the owner, who alone knows that he is alive. The
 * owner's own questions (duplicate address detection, announcements) go on, so that others still hear them.
 */
#pragma once

#include "heddle/neigh.h"

#include "lib/csum.h"
#include "lib/eth.h"
#include "lib/send.h"

/* hd_neigh: see heddle/neigh.h. Writer: the daemon. Reader: stage neighbour. Full: the daemon refuses the configuration. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_NEIGH_DEFAULT);
	__type(key, struct hd_neigh_key);
	__type(value, struct hd_neigh_value);
} hd_neigh SEC(".maps");

/* The body of an ARP packet for Ethernet and IPv4; struct arphdr of the kernel ends before the addresses. */
struct arp_ipv4 {
	__be16 htype;
	__be16 ptype;
	__u8 hlen;
	__u8 plen;
	__be16 op;
	__u8 sha[6];
	__u8 sip[4];
	__u8 tha[6];
	__u8 tip[4];
} __attribute__((packed));

/* What the other protocols of ARP say is not for us. */
static __always_inline bool arp_is_ipv4(const struct arp_ipv4 *arp)
{
	return arp->htype == bpf_htons(ARPHRD_ETHER) && arp->ptype == bpf_htons(ETH_P_IP) &&
	       arp->hlen == 6 && arp->plen == 4;
}

/* A solicitation up to its target; and an advertisement with the one option that it needs. */
struct nd_solicit {
	struct ipv6hdr ip;
	__u8 type;
	__u8 code;
	__sum16 csum;
	__be32 reserved;
	__u8 target[16];
} __attribute__((packed));

struct nd_advert {
	struct ipv6hdr ip;
	__u8 type;
	__u8 code;
	__sum16 csum;
	__be32 flags;
	__u8 target[16];
	__u8 opt_type;
	__u8 opt_len; /* in units of 8 bytes */
	__u8 opt_mac[6];
} __attribute__((packed));

#define ND_FLAG_SOLICITED (1u << 30)
#define ND_FLAG_OVERRIDE (1u << 29)
#define ND_ADVERT_LEN (sizeof(struct nd_advert) - sizeof(struct ipv6hdr))

/*
 * The owner's own questions go on, and those of a port that is to hear nothing from him. A router has nobody else to answer for it; @suppress: for
 * others it is done as well.
 */
static __always_inline const struct hd_neigh_value *
neigh_lookup(const struct hd_pkt *pkt, const struct hd_neigh_key *key, bool suppress)
{
	const struct hd_neigh_value *entry = bpf_map_lookup_elem(&hd_neigh, key);
	const struct hd_port_value *owner;

	if (!entry || entry->port == pkt->port)
		return NULL;
	owner = hd_port_lookup(entry->port);
	if (!suppress && (!owner || !(owner->flags & HD_PORT_ROUTER)))
		return NULL;
	return owner && owner->flags & pkt->from->flags & HD_PORT_ISOLATED ? NULL : entry;
}

/* Back to where the question came from. Not bpf_redirect_peer: the far end must find the packet type by itself. */
static __always_inline int neigh_reply(struct hd_pkt *pkt)
{
	if (pkt->from->flags & HD_PORT_TUNNEL) {
		hd_trace(pkt, HD_TRACE_ANSWERED, pkt->port, 0);
		pkt->ip->to = pkt->port;
		return HD_VERDICT_ENCAP;
	}
	if (hd_vlan_out(pkt, pkt->from) < 0)
		return -HD_DROP_NO_MEMORY;
	hd_port_count_out(pkt, pkt->port);
	hd_trace(pkt, HD_TRACE_ANSWERED, pkt->port, 0);
	return bpf_redirect(pkt->ctx->ifindex, 0) == TC_ACT_REDIRECT ? HD_VERDICT_REDIRECT
								     : -HD_DROP_REDIRECT;
}

static __always_inline bool arp_is_request(const struct arp_ipv4 *arp)
{
	return arp_is_ipv4(arp) && arp->op == bpf_htons(ARPOP_REQUEST) &&
	       *(const hd_u32 *)arp->sip != *(const hd_u32 *)arp->tip;
}

/* Turns the request into the reply where it stands. */
static __always_inline void arp_turn(struct ethhdr *eth, struct arp_ipv4 *arp, const __u8 mac[6])
{
	__u8 asked[4];

	hd_memcpy(asked, arp->tip, 4);
	hd_memcpy(eth->h_dest, eth->h_source, 6);
	hd_memcpy(eth->h_source, mac, 6);
	arp->op = bpf_htons(ARPOP_REPLY);
	hd_memcpy(arp->tha, arp->sha, 6);
	hd_memcpy(arp->tip, arp->sip, 4);
	hd_memcpy(arp->sha, mac, 6);
	hd_memcpy(arp->sip, asked, 4);
}

/**
 * hd_neigh_arp - answer an ARP request for a known address
 * @suppress: for any; else only for a router's
 *
 * Return: HD_VERDICT_REDIRECT when it is answered, HD_VERDICT_PASS when it should go on.
 */
static __always_inline int hd_neigh_arp(struct hd_pkt *pkt, bool suppress)
{
	struct hd_neigh_key key = { .network = pkt->network,
				    .vlan = pkt->vlan,
				    .addr = { [10] = 0xff, [11] = 0xff } };
	const struct hd_neigh_value *entry;
	struct arp_ipv4 *arp;
	struct ethhdr *eth;

	eth = ctx_header(pkt->ctx, 0, sizeof(*eth) + sizeof(*arp));
	if (!eth)
		return HD_VERDICT_PASS;
	arp = (void *)(eth + 1);
	if (!arp_is_request(arp))
		return HD_VERDICT_PASS;
	hd_memcpy(&key.addr[12], arp->tip, 4);
	entry = neigh_lookup(pkt, &key, suppress);
	if (!entry)
		return HD_VERDICT_PASS;
	/* The packet may be shared with a capture socket: writing needs a private copy. */
	if (bpf_skb_pull_data(pkt->ctx, sizeof(*eth) + sizeof(*arp)))
		return -HD_DROP_NO_MEMORY;
	eth = ctx_header(pkt->ctx, 0, sizeof(*eth) + sizeof(*arp));
	if (!eth)
		return -HD_DROP_NO_MEMORY;
	arp_turn(eth, (void *)(eth + 1), entry->mac);
	return neigh_reply(pkt);
}

static __always_inline bool nd_is_solicit(const struct nd_solicit *ns)
{
	return ns->ip.version == 6 && ns->ip.nexthdr == IPPROTO_ICMPV6 && ns->ip.hop_limit == 255 &&
	       ns->type == NDISC_NEIGHBOUR_SOLICITATION && ns->code == 0;
}

static __always_inline bool addr_is_zero(const void *addr)
{
	const hd_u32 *word = addr;

	return !(word[0] | word[1] | word[2] | word[3]);
}

/* RFC 4443 section 2.3: sum over the pseudo-header (addresses, length, next header) and the message. */
static __always_inline __sum16 nd_checksum(struct nd_advert *na)
{
	__be32 tail[2] = { bpf_htonl(ND_ADVERT_LEN), bpf_htonl(IPPROTO_ICMPV6) };
	__s64 sum;

	na->csum = 0;
	sum = bpf_csum_diff(NULL, 0, tail, sizeof(tail), 0);
	sum = bpf_csum_diff(NULL, 0, (void *)&na->ip.saddr, 32, sum);
	sum = bpf_csum_diff(NULL, 0, (void *)&na->type, ND_ADVERT_LEN, sum);
	return ~csum_fold(sum);
}

/* RFC 4861 section 7.2.4: to the asker, solicited; or to all nodes when he has no address yet. */
static __always_inline void nd_compose(struct nd_advert *na, const struct nd_solicit *ns,
				       const __u8 mac[6])
{
	bool anonymous = addr_is_zero(&ns->ip.saddr);
	__u8 all_nodes[16] = { 0xff, 2, [15] = 1 };

	hd_memset(na, 0, sizeof(*na));
	na->ip.version = 6;
	na->ip.payload_len = bpf_htons(ND_ADVERT_LEN);
	na->ip.nexthdr = IPPROTO_ICMPV6;
	na->ip.hop_limit = 255;
	hd_memcpy(&na->ip.saddr, ns->target, 16);
	hd_memcpy(&na->ip.daddr, anonymous ? (void *)all_nodes : (void *)&ns->ip.saddr, 16);
	na->type = NDISC_NEIGHBOUR_ADVERTISEMENT;
	na->flags = bpf_htonl(ND_FLAG_OVERRIDE | (anonymous ? 0 : ND_FLAG_SOLICITED));
	hd_memcpy(na->target, ns->target, 16);
	na->opt_type = ND_OPT_TARGET_LL_ADDR;
	na->opt_len = 1;
	hd_memcpy(na->opt_mac, mac, 6);
	na->csum = nd_checksum(na);
}

static __always_inline int nd_send(struct hd_pkt *pkt, const struct nd_advert *na,
				   const __u8 mac[6])
{
	struct ethhdr eth = { .h_proto = bpf_htons(ETH_P_IPV6) };
	__u8 all_nodes[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	bool solicited = na->flags & bpf_htonl(ND_FLAG_SOLICITED);

	hd_memcpy(eth.h_dest, solicited ? pkt->src : all_nodes, 6);
	hd_memcpy(eth.h_source, mac, 6);
	/* The kernel refuses to change the length of what was in a tunnel; who has an address asks with as many bytes as the answer has. */
	if ((pkt->ctx->len != ETH_HLEN + sizeof(*na) &&
	     bpf_skb_change_tail(pkt->ctx, ETH_HLEN + sizeof(*na), 0)) ||
	    bpf_skb_store_bytes(pkt->ctx, 0, &eth, sizeof(eth), BPF_F_RECOMPUTE_CSUM) ||
	    bpf_skb_store_bytes(pkt->ctx, ETH_HLEN, na, sizeof(*na), BPF_F_RECOMPUTE_CSUM))
		return -HD_DROP_NO_MEMORY;
	return neigh_reply(pkt);
}

/**
 * hd_neigh_nd - answer a neighbour solicitation for a known address
 *
 * Return: as hd_neigh_arp().
 */
static __always_inline int hd_neigh_nd(struct hd_pkt *pkt, bool suppress)
{
	struct hd_neigh_key key = { .network = pkt->network, .vlan = pkt->vlan };
	const struct hd_neigh_value *entry;
	const struct nd_solicit *ns;
	struct nd_advert na;
	__u8 mac[6];

	ns = ctx_header(pkt->ctx, ETH_HLEN, sizeof(*ns));
	if (!ns || pkt->eth_type != bpf_htons(ETH_P_IPV6) || !nd_is_solicit(ns))
		return HD_VERDICT_PASS;
	hd_memcpy(key.addr, ns->target, 16);
	entry = neigh_lookup(pkt, &key, suppress);
	if (!entry)
		return HD_VERDICT_PASS;
	hd_memcpy(mac, entry->mac, 6);
	nd_compose(&na, ns, mac);
	return nd_send(pkt, &na, mac);
}
