// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* describe.c - the beginning of a real packet in the words that packet.c understands */
#include "api/describe.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/model.h"

/* Text that is added to. */
struct text {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->at, text->left, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= text->left)
		n = (int)text->left - 1; /* cut off */
	text->at += n;
	text->left -= (size_t)n;
}

/* What of IP is told. @frag: offset in bytes, -1 if it is whole. */
struct view {
	int family;
	const void *src;
	const void *dst;
	unsigned int proto;
	size_t l4;
	int frag;
	bool more;
};

static void add_mac(struct text *text, const uint8_t mac[6])
{
	add(text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static void add_end(struct text *text, const struct view *view, const void *address, int port)
{
	char ip[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(view->family, address, ip, sizeof(ip)); /* there is room */
	if (port < 0)
		add(text, "%s", ip);
	else
		add(text, view->family == AF_INET6 ? "[%s]:%d" : "%s:%d", ip, port);
}

static void add_tcp_flags(struct text *text, uint8_t flags)
{
	static const struct {
		uint8_t flag;
		const char *word;
	} words[] = { { TH_SYN, "syn" },  { TH_FIN, "fin" }, { TH_RST, "rst" },
		      { TH_PUSH, "psh" }, { TH_ACK, "ack" }, { TH_URG, "urg" } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (flags & words[i].flag)
			add(text, " %s", words[i].word);
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void add_icmp(struct text *text, const uint8_t *l4, bool is_query)
{
	add(text, " type %u code %u", l4[0], l4[1]);
	if (is_query)
		add(text, " id %u", get16(l4 + 4));
}

static bool is_query(const struct view *view, const uint8_t *l4)
{
	if (view->proto == IPPROTO_ICMPV6)
		return l4[0] == ICMP6_ECHO_REQUEST || l4[0] == ICMP6_ECHO_REPLY;
	return l4[0] == ICMP_ECHO || l4[0] == ICMP_ECHOREPLY;
}

static void add_ip(struct text *text, const struct view *view, const uint8_t *frame)
{
	bool has_l4 = view->frag <= 0 && view->l4 + 14 <= HD_LIVE_BYTES;
	bool has_ports = has_l4 && (view->proto == IPPROTO_TCP || view->proto == IPPROTO_UDP ||
				    view->proto == IPPROTO_SCTP);
	const uint8_t *l4 = frame + (has_l4 ? view->l4 : 0);
	const char *name = hd_protocol_name((uint8_t)view->proto);

	if (name)
		add(text, "%s ", name);
	else
		add(text, "%u ", view->proto);
	add_end(text, view, view->src, has_ports ? get16(l4) : -1);
	add(text, " > ");
	add_end(text, view, view->dst, has_ports ? get16(l4 + 2) : -1);
	if (has_l4 && view->proto == IPPROTO_TCP)
		add_tcp_flags(text, l4[13]);
	if (has_l4 && (view->proto == IPPROTO_ICMP || view->proto == IPPROTO_ICMPV6))
		add_icmp(text, l4, is_query(view, l4));
	if (view->frag >= 0)
		add(text, " frag %d%s", view->frag, view->more ? "+" : "");
}

static void add_ipv4(struct text *text, const uint8_t *frame)
{
	const uint8_t *ip = frame + ETH_HLEN;
	uint16_t off = get16(ip + 6);
	struct view view = { .family = AF_INET,
			     .src = ip + 12,
			     .dst = ip + 16,
			     .proto = ip[9],
			     .l4 = ETH_HLEN + (size_t)(ip[0] & 15) * 4,
			     .frag = -1,
			     .more = off & IP_MF };

	if (off & (IP_MF | IP_OFFMASK))
		view.frag = (off & IP_OFFMASK) * 8;
	add_ip(text, &view, frame);
}

/* Of the headers in between only the fragment header is told. */
static void add_ipv6(struct text *text, const uint8_t *frame)
{
	const uint8_t *ip = frame + ETH_HLEN;
	struct view view = { .family = AF_INET6,
			     .src = ip + 8,
			     .dst = ip + 24,
			     .proto = ip[6],
			     .l4 = ETH_HLEN + 40,
			     .frag = -1 };

	while ((view.proto == IPPROTO_HOPOPTS || view.proto == IPPROTO_DSTOPTS ||
		view.proto == IPPROTO_ROUTING || view.proto == IPPROTO_FRAGMENT) &&
	       view.l4 + 8 <= HD_LIVE_BYTES) {
		const uint8_t *ext = frame + view.l4;

		if (view.proto == IPPROTO_FRAGMENT) {
			view.frag = get16(ext + 2) & 0xfff8;
			view.more = ext[3] & 1;
		}
		view.l4 += view.proto == IPPROTO_FRAGMENT ? 8 : ((size_t)ext[1] + 1) * 8;
		view.proto = ext[0];
		if (view.frag > 0)
			break;
	}
	add_ip(text, &view, frame);
}

static void add_arp(struct text *text, const uint8_t *frame)
{
	const uint8_t *arp = frame + ETH_HLEN;
	char sender[INET_ADDRSTRLEN] = "?", target[INET_ADDRSTRLEN] = "?";

	(void)inet_ntop(AF_INET, arp + 14, sender, sizeof(sender)); /* there is room */
	(void)inet_ntop(AF_INET, arp + 24, target, sizeof(target));
	if (get16(arp + 6) == 1) {
		add(text, "arp who-has %s tell %s", target, sender);
		return;
	}
	add(text, "arp %s is-at ", sender);
	add_mac(text, arp + 8);
}

void hd_packet_describe(const uint8_t frame[HD_LIVE_BYTES], size_t len, char ret[HD_DESCRIBE_MAX])
{
	struct text text = { .at = ret, .left = HD_DESCRIBE_MAX };
	uint16_t type = get16(frame + 12);

	if (type == ETH_P_IP && len >= ETH_HLEN + 20) {
		add_ipv4(&text, frame);
	} else if (type == ETH_P_IPV6 && len >= ETH_HLEN + 40) {
		add_ipv6(&text, frame);
	} else if (type == ETH_P_ARP && len >= ETH_HLEN + 28) {
		add_arp(&text, frame);
	} else {
		add(&text, "type 0x%04x ", type);
		add_mac(&text, frame + 6);
		add(&text, " > ");
		add_mac(&text, frame);
	}
}
