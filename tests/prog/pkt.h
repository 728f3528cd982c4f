/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pkt.h - compose a packet, header by header
 *
 *	struct pkt p = pkt_eth(MAC_B, MAC_A, ETH_P_IP);
 *	pkt_ipv4(&p, "192.0.2.1", "192.0.2.2", IPPROTO_UDP);
 *	pkt_udp(&p, 1234, 53);
 *	pkt_bytes(&p, 100);
 *	pkt_end(&p);
 *
 * Each call appends. pkt_end() goes over the headers from the innermost to the outermost and fills
 * in lengths and checksums, so a tunnel needs nothing of its own. Only the system's layouts and no
 * code of heddle's: what is compared must not come from what is tested.
 */
#pragma once

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/if_arp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Hosts in these tests have one letter: "a" has the MAC 02:00:00:00:00:0a. */
#define MAC(x) ((const uint8_t[6]){ 2, 0, 0, 0, 0, (x) })
#define MAC_A MAC(0x0a)
#define MAC_B MAC(0x0b)
#define MAC_C MAC(0x0c)
#define MAC_D MAC(0x0d)
#define MAC_ALL ((const uint8_t[6]){ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff })
#define MAC_ZERO ((const uint8_t[6]){ 0 })

#define PKT_LAYERS 8

/* A header that pkt_end() comes back to. */
struct pkt_layer {
	uint16_t proto; /* ETH_P_IP, ETH_P_IPV6, or IPPROTO_* of what is in one of these */
	uint16_t off;
};

struct pkt {
	uint8_t data[3072];
	uint32_t len;
	struct pkt_layer layers[PKT_LAYERS];
	uint32_t n_layers;
};

/**
 * pkt_put - append @len bytes, zeros if @data is NULL; aborts when there is no room, as that is a
 * mistake of the test
 */
static inline void pkt_put(struct pkt *p, const void *data, uint32_t len)
{
	if (p->len + len > sizeof(p->data))
		abort();
	if (data)
		memcpy(p->data + p->len, data, len);
	else
		memset(p->data + p->len, 0, len);
	p->len += len;
}

static inline void pkt_layer(struct pkt *p, uint16_t proto, const void *header, uint32_t len)
{
	if (p->n_layers == PKT_LAYERS)
		abort();
	p->layers[p->n_layers++] = (struct pkt_layer){ proto, (uint16_t)p->len };
	pkt_put(p, header, len);
}

/** pkt_bytes - @len bytes of payload, no two neighbours alike */
static inline void pkt_bytes(struct pkt *p, uint32_t len)
{
	uint32_t start = p->len;

	pkt_put(p, NULL, len);
	for (uint32_t i = 0; i < len; i++)
		p->data[start + i] = (uint8_t)(i * 7 + 1);
}

/** pkt_fill - payload up to a whole length of @len bytes */
static inline void pkt_fill(struct pkt *p, uint32_t len)
{
	pkt_bytes(p, len - p->len);
}

/** pkt_cut - what is left when only the first @len bytes arrive */
static inline struct pkt pkt_cut(const struct pkt *p, uint32_t len)
{
	struct pkt cut = *p;

	cut.len = len;
	return cut;
}

static inline void pkt_address(int family, const char *text, void *ret)
{
	if (inet_pton(family, text, ret) != 1)
		abort();
}

static inline struct pkt pkt_eth(const uint8_t dst[6], const uint8_t src[6], uint16_t type)
{
	struct ethhdr eth = { .h_proto = htons(type) };
	struct pkt p = { .len = 0 };

	memcpy(eth.h_dest, dst, 6);
	memcpy(eth.h_source, src, 6);
	pkt_put(&p, &eth, sizeof(eth));
	return p;
}

/**
 * pkt_vlan - the rest of a tag whose first half, 802.1Q or 802.1ad, is the type of the header
 * before
 */
static inline void pkt_vlan(struct pkt *p, uint16_t vid, uint16_t type)
{
	uint16_t tag[2] = { htons(vid), htons(type) };

	pkt_put(p, tag, sizeof(tag));
}

/* RFC 826, for Ethernet and IPv4. */
struct pkt_arp_body {
	struct arphdr head;
	uint8_t sha[6];
	uint8_t sip[4];
	uint8_t tha[6];
	uint8_t tip[4];
} __attribute__((packed));

static inline void pkt_arp(struct pkt *p, uint16_t op, const uint8_t sha[6], const char *sip,
			   const uint8_t tha[6], const char *tip)
{
	struct pkt_arp_body arp = {
		.head = { .ar_hrd = htons(ARPHRD_ETHER),
			  .ar_pro = htons(ETH_P_IP),
			  .ar_hln = 6,
			  .ar_pln = 4,
			  .ar_op = htons(op) },
	};

	memcpy(arp.sha, sha, 6);
	memcpy(arp.tha, tha, 6);
	pkt_address(AF_INET, sip, arp.sip);
	pkt_address(AF_INET, tip, arp.tip);
	pkt_put(p, &arp, sizeof(arp));
}

static inline void pkt_ipv4(struct pkt *p, const char *src, const char *dst, uint8_t proto)
{
	struct iphdr ip = { .version = 4, .ihl = sizeof(ip) / 4, .ttl = 64, .protocol = proto };

	pkt_address(AF_INET, src, &ip.saddr);
	pkt_address(AF_INET, dst, &ip.daddr);
	pkt_layer(p, ETH_P_IP, &ip, sizeof(ip));
}

static inline void pkt_ipv6(struct pkt *p, const char *src, const char *dst, uint8_t proto,
			    uint8_t hop_limit)
{
	struct ipv6hdr ip = { .version = 6, .nexthdr = proto, .hop_limit = hop_limit };

	pkt_address(AF_INET6, src, &ip.saddr);
	pkt_address(AF_INET6, dst, &ip.daddr);
	pkt_layer(p, ETH_P_IPV6, &ip, sizeof(ip));
}

/** pkt_append - another packet, as payload; its layers are finished already */
static inline void pkt_append(struct pkt *p, const struct pkt *inner)
{
	pkt_put(p, inner->data, inner->len);
}

/* IPPROTO_UDP with a checksum of zero. */
#define PKT_UDP_NO_CSUM 0x1100

static inline void pkt_udp_no_csum(struct pkt *p, uint16_t from, uint16_t to)
{
	struct udphdr udp = { .source = htons(from), .dest = htons(to) };

	pkt_layer(p, PKT_UDP_NO_CSUM, &udp, sizeof(udp));
}

/** pkt_vxlan - RFC 7348 section 5 */
static inline void pkt_vxlan(struct pkt *p, uint32_t vni)
{
	uint32_t words[2] = { htonl(0x08000000), htonl(vni << 8) };

	pkt_put(p, words, sizeof(words));
}

/** pkt_geneve - RFC 8926 section 3.4, with @len bytes of options to follow */
static inline void pkt_geneve(struct pkt *p, uint32_t vni, uint32_t len)
{
	uint32_t words[2] = { htonl(len / 4 << 24 | 0x6558), htonl(vni << 8) };

	pkt_put(p, words, sizeof(words));
}

/** pkt_gre - RFC 2784, RFC 2890: flags, Ethernet inside */
static inline void pkt_gre(struct pkt *p, uint16_t flags)
{
	uint16_t words[2] = { htons(flags), htons(0x6558) };

	pkt_put(p, words, sizeof(words));
}

static inline void pkt_word(struct pkt *p, uint32_t word)
{
	word = htonl(word);
	pkt_put(p, &word, sizeof(word));
}

static inline void pkt_udp(struct pkt *p, uint16_t from, uint16_t to)
{
	struct udphdr udp = { .source = htons(from), .dest = htons(to) };

	pkt_layer(p, IPPROTO_UDP, &udp, sizeof(udp));
}

/**
 * pkt_tcp - a segment in the middle of a stream, with @options bytes (a multiple of 4) of padding
 */
static inline void pkt_tcp(struct pkt *p, uint16_t from, uint16_t to, uint32_t options)
{
	struct tcphdr tcp = { .source = htons(from),
			      .dest = htons(to),
			      .doff = (sizeof(tcp) + options) / 4,
			      .ack = 1,
			      .window = htons(1000) };

	pkt_layer(p, IPPROTO_TCP, &tcp, sizeof(tcp));
	pkt_put(p, NULL, options);
	memset(p->data + p->len - options, 1 /* no operation */, options);
}

#define PKT_FIN 0x01
#define PKT_SYN 0x02
#define PKT_RST 0x04
#define PKT_PSH 0x08
#define PKT_ACK 0x10

/* One segment. @scale: window scale option, -1 = none; in a SYN only. */
struct pkt_segment {
	uint8_t flags;
	uint32_t seq;
	uint32_t ack;
	uint16_t window;
	int scale;
};

/** pkt_tcp_segment - a TCP header with all that a connection looks at */
static inline void pkt_tcp_segment(struct pkt *p, uint16_t from, uint16_t to, struct pkt_segment s)
{
	static const uint8_t option[] = { 1, 3, 3 };
	struct tcphdr tcp = { .source = htons(from),
			      .dest = htons(to),
			      .seq = htonl(s.seq),
			      .ack_seq = htonl(s.ack),
			      .doff = (sizeof(tcp) + (s.scale < 0 ? 0 : 4)) / 4,
			      .window = htons(s.window) };
	uint8_t scale = (uint8_t)s.scale;

	((uint8_t *)&tcp)[13] = s.flags;
	pkt_layer(p, IPPROTO_TCP, &tcp, sizeof(tcp));
	if (s.scale < 0)
		return;
	pkt_put(p, option, sizeof(option));
	pkt_put(p, &scale, 1);
}

/* The first eight bytes of ICMP and ICMPv6, as queries have them. */
struct pkt_icmp_body {
	uint8_t type;
	uint8_t code;
	uint16_t csum;
	uint16_t id;
	uint16_t seq;
};

/** pkt_icmp - ICMP, or with @proto IPPROTO_ICMPV6 that */
static inline void pkt_icmp(struct pkt *p, uint8_t proto, uint8_t type, uint8_t code, uint16_t id)
{
	struct pkt_icmp_body icmp = { .type = type, .code = code, .id = htons(id) };

	pkt_layer(p, proto, &icmp, sizeof(icmp));
}

/** pkt_frag4 - makes a piece of the IPv4 packet that was begun last: @off in bytes */
static inline void pkt_frag4(struct pkt *p, uint16_t id, uint32_t off, bool more)
{
	struct iphdr *ip = (void *)(p->data + p->layers[p->n_layers - 1].off);

	ip->id = htons(id);
	ip->frag_off = htons((uint16_t)(off / 8 | (more ? 0x2000 : 0)));
}

/** pkt_frag6 - an IPv6 fragment header: @off in bytes */
static inline void pkt_frag6(struct pkt *p, uint8_t next, uint32_t id, uint32_t off, bool more)
{
	struct {
		uint8_t next;
		uint8_t reserved;
		uint16_t off;
		uint32_t id;
	} frag = { .next = next, .off = htons((uint16_t)(off | more)), .id = htonl(id) };

	pkt_put(p, &frag, sizeof(frag));
}

/** pkt_ext6 - an IPv6 extension header of @units * 8 bytes, full of padding; for AH @units * 8 bytes as well */
static inline void pkt_ext6(struct pkt *p, uint8_t self, uint8_t next, uint8_t units)
{
	uint32_t start = p->len;

	pkt_put(p, NULL, units * 8u);
	p->data[start] = next;
	p->data[start + 1] = (uint8_t)(self == IPPROTO_AH ? units * 2 - 2 : units - 1);
	if (self == IPPROTO_AH)
		return;
	p->data[start + 2] = 1; /* PadN */
	p->data[start + 3] = (uint8_t)(units * 8 - 4);
}

/* RFC 4861 sections 4.3 and 4.4: solicitation and advertisement have one layout. */
struct pkt_nd_body {
	uint8_t type;
	uint8_t code;
	uint16_t csum;
	uint32_t flags;
	uint8_t target[16];
};

struct pkt_nd_option {
	uint8_t type; /* 1 source, 2 target link-layer address */
	uint8_t len;  /* in units of 8 bytes */
	uint8_t mac[6];
};

/* No option without @mac. */
static inline void pkt_nd(struct pkt *p, struct pkt_nd_body nd, const char *target, uint8_t option,
			  const uint8_t *mac)
{
	struct pkt_nd_option opt = { .type = option, .len = 1 };

	pkt_address(AF_INET6, target, nd.target);
	pkt_layer(p, IPPROTO_ICMPV6, &nd, sizeof(nd));
	if (!mac)
		return;
	memcpy(opt.mac, mac, 6);
	pkt_put(p, &opt, sizeof(opt));
}

/** pkt_icmp6_ns - neighbour solicitation; @mac NULL as in duplicate address detection */
static inline void pkt_icmp6_ns(struct pkt *p, const char *target, const uint8_t *mac)
{
	pkt_nd(p, (struct pkt_nd_body){ .type = 135 }, target, 1, mac);
}

/** pkt_icmp6_na - neighbour advertisement */
static inline void pkt_icmp6_na(struct pkt *p, uint32_t flags, const char *target,
				const uint8_t *mac)
{
	pkt_nd(p, (struct pkt_nd_body){ .type = 136, .flags = htonl(flags) }, target, 2, mac);
}

#define PKT_NA_SOLICITED 0x40000000
#define PKT_NA_OVERRIDE 0x20000000

/* --- lengths and checksums, RFC 1071: plain sums of 16-bit words, nothing clever --- */

static inline uint32_t pkt_sum(const uint8_t *data, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++)
		sum += i & 1 ? data[i] : (uint32_t)data[i] << 8;
	return sum;
}

static inline uint16_t pkt_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static inline void pkt_set16(struct pkt *p, uint32_t off, uint32_t value)
{
	p->data[off] = (uint8_t)(value >> 8);
	p->data[off + 1] = (uint8_t)value;
}

/** pkt_tagged - the same frame with a tag in its bytes, the outer one if there are others */
static inline struct pkt pkt_tagged(const struct pkt *p, uint16_t tpid, uint16_t tci)
{
	struct pkt tagged = *p;

	memmove(tagged.data + 16, p->data + 12, p->len - 12);
	pkt_set16(&tagged, 12, tpid);
	pkt_set16(&tagged, 14, tci);
	tagged.len += 4;
	return tagged;
}

/* Sum of everything from layer @at on, with the pseudo-header of the layer that carries it. */
static inline uint16_t pkt_l4_csum(const struct pkt *p, uint32_t at)
{
	const struct pkt_layer *l4 = &p->layers[at], *l3 = &p->layers[at - 1];
	uint32_t len = p->len - l4->off, sum = l4->proto + len;
	const uint8_t *head = p->data + l3->off;

	if (l3->proto == ETH_P_IP)
		sum = pkt_sum(head + 12, 8, sum);
	else
		sum = pkt_sum(head + 8, 32, sum);
	return pkt_fold(pkt_sum(p->data + l4->off, len, sum));
}

static inline void pkt_end_layer(struct pkt *p, uint32_t at)
{
	uint32_t off = p->layers[at].off, len = p->len - off;

	switch (p->layers[at].proto) {
	case ETH_P_IP:
		pkt_set16(p, off + offsetof(struct iphdr, tot_len), len);
		pkt_set16(p, off + offsetof(struct iphdr, check),
			  pkt_fold(pkt_sum(p->data + off, sizeof(struct iphdr), 0)));
		break;
	case ETH_P_IPV6:
		pkt_set16(p, off + offsetof(struct ipv6hdr, payload_len),
			  len - (uint32_t)sizeof(struct ipv6hdr));
		break;
	case IPPROTO_UDP:
		pkt_set16(p, off + offsetof(struct udphdr, len), len);
		pkt_set16(p, off + offsetof(struct udphdr, check), pkt_l4_csum(p, at));
		break;
	case PKT_UDP_NO_CSUM:
		pkt_set16(p, off + offsetof(struct udphdr, len), len);
		break;
	case IPPROTO_TCP:
		pkt_set16(p, off + offsetof(struct tcphdr, check), pkt_l4_csum(p, at));
		break;
	case IPPROTO_ICMP:
		pkt_set16(p, off + offsetof(struct pkt_icmp_body, csum),
			  pkt_fold(pkt_sum(p->data + off, len, 0)));
		break;
	case IPPROTO_ICMPV6:
		pkt_set16(p, off + offsetof(struct pkt_nd_body, csum), pkt_l4_csum(p, at));
		break;
	}
}

/** pkt_end - lengths and checksums; call it when all is there, and once */
static inline void pkt_end(struct pkt *p)
{
	for (uint32_t at = p->n_layers; at-- > 0;)
		pkt_end_layer(p, at);
}

/* The address at @off of an IP header, as text. */
static inline const char *pkt_address_at(const struct pkt *p, bool v6, uint32_t off,
					 char text[INET6_ADDRSTRLEN])
{
	return inet_ntop(v6 ? AF_INET6 : AF_INET, p->data + ETH_HLEN + off, text, INET6_ADDRSTRLEN);
}

/** pkt_too_big - what the sender of @p is told by the address that it was for: so much fits */
static inline struct pkt pkt_too_big(const struct pkt *p, uint16_t mtu)
{
	bool v6 = p->data[12] == 0x86;
	struct pkt t = pkt_eth(p->data + 6, p->data, v6 ? ETH_P_IPV6 : ETH_P_IP);
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	(void)pkt_address_at(p, v6, v6 ? 8 : 12, src);
	(void)pkt_address_at(p, v6, v6 ? 24 : 16, dst);
	if (v6) {
		pkt_ipv6(&t, dst, src, IPPROTO_ICMPV6, 64);
		pkt_icmp(&t, IPPROTO_ICMPV6, 2, 0, 0);
	} else {
		pkt_ipv4(&t, dst, src, IPPROTO_ICMP);
		t.data[ETH_HLEN + 1] = 0xc0;
		t.data[ETH_HLEN + 6] = 0x40;
		pkt_icmp(&t, IPPROTO_ICMP, 3, 4, 0);
	}
	pkt_set16(&t, t.len - 2, mtu);
	pkt_put(&t, p->data + ETH_HLEN, 128);
	pkt_end(&t);
	return t;
}
