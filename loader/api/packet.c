// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* packet.c - a packet in words to the bytes of it */
#include "api/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define PROTO_ARP (-1)

static int not_understood(const char *word, const char *expected, struct hd_error *err)
{
	hd_error_set(err, HD_ERR_INVALID, "packet: '%s' is not %s", word, expected);
	hd_error_hint(
		err,
		"for example 'tcp 10.0.1.11:40000 > 10.0.2.12:80 syn' or 'icmp 10.0.1.11 > 10.0.1.12'");
	return -EINVAL;
}

static bool parse_number(const char *text, long max, long *ret)
{
	char *end;

	*ret = strtol(text, &end, 10);
	return end != text && !*end && *ret >= 0 && *ret <= max;
}

/* "10.0.0.1:80", "[2001:db8::1]:80", or an address alone. */
static int parse_end(char *text, struct hd_ip *ip, uint16_t *port, struct hd_error *err)
{
	char *colon = NULL, *address = text;
	long number = 0;

	if (text[0] == '[') {
		colon = strchr(text, ']');
		if (!colon)
			return not_understood(text, "an address with a port", err);
		address = text + 1;
		*colon++ = '\0';
		if (*colon && *colon != ':')
			return not_understood(text, "an address with a port", err);
	} else if (strchr(text, ':') == strrchr(text, ':')) {
		colon = strchr(text, ':');
	}
	if (colon && *colon) {
		*colon = '\0';
		if (!parse_number(colon + 1, 65535, &number))
			return not_understood(colon + 1, "a port", err);
		*port = (uint16_t)number;
	}
	return hd_ip_parse(address, ip) < 0 || ip->prefix != HD_PREFIX_NONE
		       ? not_understood(address, "an address", err)
		       : 0;
}

static bool tcp_flag(const char *word, uint8_t *flags)
{
	static const struct {
		const char *word;
		uint8_t flag;
	} flag_words[] = { { "fin", TH_FIN },  { "syn", TH_SYN }, { "rst", TH_RST },
			   { "psh", TH_PUSH }, { "ack", TH_ACK }, { "urg", TH_URG } };

	for (size_t i = 0; i < sizeof(flag_words) / sizeof(flag_words[0]); i++)
		if (!strcmp(word, flag_words[i].word)) {
			*flags |= flag_words[i].flag;
			return true;
		}
	return false;
}

static int parse_fragment(char *value, struct hd_packet *p, struct hd_error *err)
{
	size_t len = strlen(value);
	long off;

	p->is_fragment = true;
	if (len && value[len - 1] == '+') {
		p->frag_more = true;
		value[len - 1] = '\0';
	}
	if (!parse_number(value, 65528, &off) || off % 8)
		return not_understood(value, "an offset in bytes, a multiple of 8", err);
	p->frag_off = (uint16_t)off;
	return 0;
}

/* "ttl 5", "len 1400", "type 8" ...: a word and its value. */
static int parse_pair(const char *word, char *value, struct hd_packet *p, struct hd_error *err)
{
	long n = 0;

	if (!value)
		return not_understood(word, "something known, or its value is missing", err);
	if (!strcmp(word, "src-mac"))
		return (p->has_src_mac = hd_mac_parse(value, p->src_mac) == 0)
			       ? 0
			       : not_understood(value, "a MAC", err);
	if (!strcmp(word, "dst-mac"))
		return (p->has_dst_mac = hd_mac_parse(value, p->dst_mac) == 0)
			       ? 0
			       : not_understood(value, "a MAC", err);
	if (!strcmp(word, "frag"))
		return parse_fragment(value, p, err);
	if (!parse_number(value, 65535, &n))
		return not_understood(value, "a number", err);
	if (!strcmp(word, "ttl") && n <= 255)
		p->ttl = (uint8_t)n;
	else if (!strcmp(word, "vlan") && n <= 4094)
		p->vlan = (uint16_t)n;
	else if (!strcmp(word, "len"))
		p->len = (size_t)n;
	else if (!strcmp(word, "type") && n <= 255)
		p->icmp_type = (int)n;
	else if (!strcmp(word, "code") && n <= 255)
		p->icmp_code = (int)n;
	else if (!strcmp(word, "id"))
		p->icmp_ident = (int)n;
	else
		return not_understood(word, "something known", err);
	return 0;
}

static int parse_flags(char **save, struct hd_packet *p, struct hd_error *err)
{
	char *word;
	int r = 0;

	while (r == 0 && (word = strtok_r(NULL, " ,", save)))
		if (p->proto != IPPROTO_TCP || !tcp_flag(word, &p->tcp_flags))
			r = parse_pair(word, strtok_r(NULL, " ,", save), p, err);
	if (p->proto == IPPROTO_TCP && !p->tcp_flags)
		p->tcp_flags = TH_SYN;
	return r;
}

/* "arp who-has IP [tell IP]" */
static int parse_arp(char **save, struct hd_packet *p, struct hd_error *err)
{
	char *word = strtok_r(NULL, " ", save), *ip = strtok_r(NULL, " ", save), *tell, *from;

	if (!word || strcmp(word, "who-has") || !ip || hd_ip_parse(ip, &p->dst) < 0 ||
	    !p->dst.is_v4)
		return not_understood(ip ? ip : "arp", "a question: arp who-has IP tell IP", err);
	tell = strtok_r(NULL, " ", save);
	from = tell ? strtok_r(NULL, " ", save) : NULL;
	p->src.is_v4 = true;
	if (tell &&
	    (strcmp(tell, "tell") || !from || hd_ip_parse(from, &p->src) < 0 || !p->src.is_v4))
		return not_understood(tell, "'tell IP'", err);
	return parse_flags(save, p, err);
}

int hd_packet_parse(const char *text, struct hd_packet *ret, struct hd_error *err)
{
	struct hd_packet p = { .icmp_type = -1, .icmp_code = 0, .icmp_ident = 1, .ttl = 64 };
	_free_ char *copy = strdup(text);
	char *save = NULL, *proto, *src, *arrow, *dst;
	int r;

	proto = copy ? strtok_r(copy, " ", &save) : NULL;
	if (!proto)
		return not_understood(text, "a packet", err);
	p.proto = strcmp(proto, "arp") ? hd_protocol_parse(proto) : PROTO_ARP;
	if (p.proto < 0 && strcmp(proto, "arp"))
		return not_understood(proto, "a protocol", err);
	if (p.proto == PROTO_ARP) {
		r = parse_arp(&save, &p, err);
	} else {
		src = strtok_r(NULL, " ", &save);
		arrow = src ? strtok_r(NULL, " ", &save) : NULL;
		dst = arrow ? strtok_r(NULL, " ", &save) : NULL;
		if (!dst || strcmp(arrow, ">"))
			return not_understood(text, "PROTOCOL SRC[:PORT] > DST[:PORT]", err);
		r = parse_end(src, &p.src, &p.sport, err);
		if (r == 0)
			r = parse_end(dst, &p.dst, &p.dport, err);
		if (r == 0 && p.src.is_v4 != p.dst.is_v4)
			r = not_understood(dst, "of the same family as the source", err);
		if (r == 0)
			r = parse_flags(&save, &p, err);
	}
	if (r == 0)
		*ret = p;
	return r;
}

static uint32_t sum_bytes(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? byte[i] : (uint32_t)byte[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static const void *wire(const struct hd_ip *ip)
{
	return ip->is_v4 ? ip->bytes + 12 : ip->bytes;
}

/* Over the pseudo-header and the transport header with its payload. */
static uint16_t l4_checksum(const struct hd_packet *p, const uint8_t *l4, size_t len)
{
	size_t size = p->src.is_v4 ? 4 : 16;
	uint32_t sum = sum_bytes(0, wire(&p->src), size);

	sum = sum_bytes(sum, wire(&p->dst), size) + (uint32_t)p->proto + (uint32_t)len;
	return fold(sum_bytes(sum, l4, len));
}

static size_t l4_header_len(const struct hd_packet *p)
{
	switch (p->proto) {
	case IPPROTO_TCP:
		return sizeof(struct tcphdr);
	case IPPROTO_SCTP:
		return 12;
	default:
		return 8;
	}
}

static void build_tcp(const struct hd_packet *p, uint8_t *l4, size_t len)
{
	struct tcphdr tcp = { .th_sport = htons(p->sport),
			      .th_dport = htons(p->dport),
			      .th_seq = htonl(1),
			      .th_off = 5,
			      .th_flags = p->tcp_flags,
			      .th_win = htons(65535) };

	memcpy(l4, &tcp, sizeof(tcp));
	tcp.th_sum = l4_checksum(p, l4, len);
	memcpy(l4, &tcp, sizeof(tcp));
}

static void build_udp(const struct hd_packet *p, uint8_t *l4, size_t len)
{
	struct udphdr udp = { .uh_sport = htons(p->sport),
			      .uh_dport = htons(p->dport),
			      .uh_ulen = htons((uint16_t)len) };

	memcpy(l4, &udp, sizeof(udp));
	udp.uh_sum = l4_checksum(p, l4, len);
	memcpy(l4, &udp, sizeof(udp));
}

static void build_icmp(const struct hd_packet *p, uint8_t *l4, size_t len)
{
	uint8_t echo = p->proto == IPPROTO_ICMP ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	uint16_t sum;

	l4[0] = p->icmp_type < 0 ? echo : (uint8_t)p->icmp_type;
	l4[1] = (uint8_t)p->icmp_code;
	l4[4] = (uint8_t)(p->icmp_ident >> 8);
	l4[5] = (uint8_t)p->icmp_ident;
	sum = p->proto == IPPROTO_ICMP ? fold(sum_bytes(0, l4, len)) : l4_checksum(p, l4, len);
	memcpy(l4 + 2, &sum, sizeof(sum));
}

static void build_l4(const struct hd_packet *p, uint8_t *l4, size_t len)
{
	uint16_t ports[2] = { htons(p->sport), htons(p->dport) };

	if (p->is_fragment && p->frag_off)
		return; /* the middle of something */
	if (p->proto == IPPROTO_TCP)
		build_tcp(p, l4, len);
	else if (p->proto == IPPROTO_UDP || p->proto == IPPROTO_UDPLITE)
		build_udp(p, l4, len);
	else if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6)
		build_icmp(p, l4, len);
	else if (p->proto == IPPROTO_SCTP)
		memcpy(l4, ports, sizeof(ports));
}

static size_t build_ipv4(const struct hd_packet *p, uint8_t *l3, size_t payload)
{
	uint16_t frag =
		p->is_fragment ? (uint16_t)(p->frag_off / 8 | (p->frag_more ? IP_MF : 0)) : IP_DF;
	struct ip ip = { .ip_v = 4,
			 .ip_hl = 5,
			 .ip_len = htons((uint16_t)(sizeof(ip) + payload)),
			 .ip_id = htons(1),
			 .ip_off = htons(frag),
			 .ip_ttl = p->ttl,
			 .ip_p = (uint8_t)p->proto };

	memcpy(&ip.ip_src, wire(&p->src), 4);
	memcpy(&ip.ip_dst, wire(&p->dst), 4);
	ip.ip_sum = fold(sum_bytes(0, &ip, sizeof(ip)));
	memcpy(l3, &ip, sizeof(ip));
	return sizeof(ip);
}

static size_t build_ipv6(const struct hd_packet *p, uint8_t *l3, size_t payload)
{
	struct ip6_frag frag = { .ip6f_nxt = (uint8_t)p->proto,
				 .ip6f_ident = htonl(1),
				 .ip6f_offlg = htons((uint16_t)(p->frag_off | p->frag_more)) };
	size_t extra = p->is_fragment ? sizeof(frag) : 0;
	struct ip6_hdr ip = { .ip6_flow = htonl(6u << 28),
			      .ip6_plen = htons((uint16_t)(payload + extra)),
			      .ip6_nxt = p->is_fragment ? IPPROTO_FRAGMENT : (uint8_t)p->proto,
			      .ip6_hlim = p->ttl };

	memcpy(&ip.ip6_src, wire(&p->src), 16);
	memcpy(&ip.ip6_dst, wire(&p->dst), 16);
	memcpy(l3, &ip, sizeof(ip));
	memcpy(l3 + sizeof(ip), &frag, extra);
	return sizeof(ip) + extra;
}

static int build_arp(const struct hd_packet *p, uint8_t *frame)
{
	static const uint8_t head[] = { 0, 1, 8, 0, 6, 4, 0, 1 };
	uint8_t *arp = frame + ETH_HLEN;

	memcpy(arp, head, sizeof(head));
	memcpy(arp + 8, p->src_mac, 6);
	memcpy(arp + 14, p->src.bytes + 12, 4);
	memcpy(arp + 24, p->dst.bytes + 12, 4);
	return ETH_HLEN + 28;
}

static int build_untagged(const struct hd_packet *p, uint8_t *frame, size_t size)
{
	bool v4 = p->src.is_v4;
	size_t l3 =
		(v4 ? sizeof(struct ip) : sizeof(struct ip6_hdr)) + (p->is_fragment && !v4 ? 8 : 0);
	size_t l4 = l4_header_len(p), len = ETH_HLEN + l3 + l4;
	uint16_t type = htons(p->proto == PROTO_ARP ? ETH_P_ARP : v4 ? ETH_P_IP : ETH_P_IPV6);

	if (p->len > len)
		len = p->len;
	if (len > size)
		return -EINVAL;
	memset(frame, 0, len);
	memcpy(frame, p->dst_mac, 6);
	memcpy(frame + 6, p->src_mac, 6);
	memcpy(frame + 12, &type, sizeof(type));
	if (p->proto == PROTO_ARP)
		return build_arp(p, frame);
	l4 = len - ETH_HLEN - l3;
	if (v4)
		(void)build_ipv4(p, frame + ETH_HLEN, l4);
	else
		(void)build_ipv6(p, frame + ETH_HLEN, l4);
	build_l4(p, frame + ETH_HLEN + l3, l4);
	return (int)len;
}

/* IEEE 802.1Q: four bytes in front of the type. */
int hd_packet_build(const struct hd_packet *p, uint8_t *frame, size_t size)
{
	uint16_t tag[2] = { htons(ETH_P_8021Q), htons(p->vlan) };
	int len;

	if (!p->vlan)
		return build_untagged(p, frame, size);
	if (size < ETH_HLEN + sizeof(tag))
		return -EINVAL;
	len = build_untagged(p, frame, size - sizeof(tag));
	if (len < 0)
		return len;
	memmove(frame + 12 + sizeof(tag), frame + 12, (size_t)len - 12);
	memcpy(frame + 12, tag, sizeof(tag));
	return len + (int)sizeof(tag);
}
