// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* arp_send.c - ARP and neighbour discovery that the daemon sends into networks outside, by their legs */
#include "sync/arp_send.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/socket.h>

#include "heddle/port.h"
#include "log.h"

int hd_arp_ways(const struct hd_tables *tables, struct hd_table *ret)
{
	const struct hd_table *legs = &tables->table[HD_TABLE_LEGS];
	int r = 0;

	for (size_t i = 0; r == 0 && i < legs->n; i++) {
		const void *row =
			hd_table_find(&tables->table[HD_TABLE_PORTS], hd_table_value(legs, i));
		struct hd_port_value leg = { 0 };
		struct hd_arp_way way = { 0 };

		if (row)
			memcpy(&leg, row, sizeof(leg));
		way.ifindex = leg.ifindex;
		way.vlan = leg.vlan;
		if (leg.flags & HD_PORT_UP)
			r = hd_table_add(ret, &leg.network, &way);
	}
	hd_table_sort(ret);
	return r;
}

/* The longest there is: Ethernet with a tag, and a message of neighbour discovery. */
#define FRAME_MAX (ETH_HLEN + 4 + 40 + 32)

static bool is_v4(const uint8_t addr[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(addr, mapped, sizeof(mapped));
}

static uint8_t *put(uint8_t *at, const void *what, size_t len)
{
	return (uint8_t *)memcpy(at, what, len) + len;
}

/* With a tag, where the network has one outside. Return: behind the header */
static uint8_t *put_ethernet(uint8_t *at, const struct hd_arp_way *way, const uint8_t to[6],
			     uint16_t protocol)
{
	const __be16 tag[2] = { htons(ETH_P_8021Q), htons(way->vlan) }, type = htons(protocol);

	at = put(at, to, ETH_ALEN);
	at = put(at, way->mac, ETH_ALEN);
	if (way->vlan)
		at = put(at, tag, sizeof(tag));
	return put(at, &type, sizeof(type));
}

static size_t compose_arp(uint8_t *frame, const struct hd_arp_way *way, const uint8_t sender[16],
			  const uint8_t target[16])
{
	const struct {
		__be16 hardware, protocol;
		uint8_t hardware_len, protocol_len;
		__be16 op;
	} head = { htons(ARPHRD_ETHER), htons(ETH_P_IP), ETH_ALEN, 4, htons(ARPOP_REQUEST) };
	static const uint8_t all[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint8_t *at = put_ethernet(frame, way, all, ETH_P_ARP);

	at = put(at, &head, sizeof(head));
	at = put(at, way->mac, ETH_ALEN);
	at = put(at, sender + 12, 4);
	put(at + ETH_ALEN, target + 12, 4); /* the MAC that is asked for stays zero */
	return ETH_ZLEN + (way->vlan ? 4 : 0);
}

/* RFC 1071, over whole words */
static uint32_t sum(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)byte[i] << 8 | byte[i + 1];
	return sum;
}

/* A message of neighbour discovery with one option, from an address of the sender. RFC 4861 sections 4.3, 4.4 */
struct nd {
	struct ip6_hdr ip;
	struct nd_neighbor_solicit message; /* an advertisement has the same shape */
	uint8_t option[2], mac[ETH_ALEN];
};

static void fill_checksum(struct nd *nd)
{
	uint32_t n = sizeof(*nd) - sizeof(nd->ip);

	n += IPPROTO_ICMPV6;
	n = sum(&nd->ip.ip6_src, 32, n);
	n = sum(&nd->message, sizeof(*nd) - sizeof(nd->ip), n);
	n = (n & 0xffff) + (n >> 16);
	nd->message.nd_ns_cksum = htons((uint16_t) ~(n + (n >> 16)));
}

/* To all nodes that it is told; the question to those whose address ends like the target's (RFC 4291 section 2.7.1). */
static size_t compose_nd(uint8_t *frame, const struct hd_arp_way *way, const uint8_t sender[16],
			 const uint8_t target[16])
{
	bool tells = !memcmp(sender, target, 16);
	const uint8_t group[16] = { 0xff, 2, [11] = 1, 0xff, target[13], target[14], target[15] };
	const uint8_t everybody[16] = { 0xff, 2, [15] = 1 };
	const uint8_t *to = tells ? everybody : group;
	const uint8_t mac[ETH_ALEN] = { 0x33, 0x33, to[12], to[13], to[14], to[15] };
	struct nd nd = { 0 };
	uint8_t *at = put_ethernet(frame, way, mac, ETH_P_IPV6);

	nd.ip.ip6_flow = htonl(6U << 28);
	nd.ip.ip6_hlim = 255;
	nd.ip.ip6_nxt = IPPROTO_ICMPV6;
	nd.ip.ip6_plen = htons(sizeof(nd) - sizeof(nd.ip));
	memcpy(&nd.ip.ip6_src, sender, 16);
	memcpy(&nd.ip.ip6_dst, to, 16);
	nd.message.nd_ns_type = tells ? ND_NEIGHBOR_ADVERT : ND_NEIGHBOR_SOLICIT;
	nd.message.nd_ns_reserved = tells ? ND_NA_FLAG_OVERRIDE : 0;
	memcpy(&nd.message.nd_ns_target, target, 16);
	nd.option[0] = tells ? ND_OPT_TARGET_LINKADDR : ND_OPT_SOURCE_LINKADDR;
	nd.option[1] = 1; /* in units of 8 bytes */
	memcpy(nd.mac, way->mac, ETH_ALEN);
	fill_checksum(&nd);
	return (size_t)(put(at, &nd, sizeof(nd)) - frame);
}

static void send_frame(int *sock, const struct hd_arp_way *way, const uint8_t *frame, size_t len)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)way->ifindex,
				  .sll_halen = ETH_ALEN };

	if (*sock < 0) /* of no protocol: it receives nothing */
		*sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*sock < 0 || sendto(*sock, frame, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		log_debug("ARP by device %u: %s", way->ifindex, strerror(errno));
}

void hd_arp_ask(int *sock, const struct hd_arp_way *way, const uint8_t sender[16],
		const uint8_t target[16])
{
	uint8_t frame[FRAME_MAX] = { 0 };
	size_t len = is_v4(target) ? compose_arp(frame, way, sender, target)
				   : compose_nd(frame, way, sender, target);

	send_frame(sock, way, frame, len);
}

/* Both families announce by what would ask, had it another sender. */
void hd_arp_announce(int *sock, const struct hd_arp_way *way, const uint8_t addr[16])
{
	hd_arp_ask(sock, way, addr, addr);
}
