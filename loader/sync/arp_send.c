// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* arp_send.c - ARP that the daemon sends into networks outside, by their legs */
#include "sync/arp_send.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
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

/* With a tag, where the network has one outside. */
static size_t compose(const struct hd_arp_way *way, uint32_t sender, uint32_t target,
		      uint8_t frame[ETH_ZLEN + 4])
{
	const struct {
		__be16 hardware, protocol;
		uint8_t hardware_len, protocol_len;
		__be16 op;
	} head = { htons(ARPHRD_ETHER), htons(ETH_P_IP), ETH_ALEN, 4, htons(ARPOP_REQUEST) };
	const __be16 tag[2] = { htons(ETH_P_8021Q), htons(way->vlan) }, type = htons(ETH_P_ARP);
	uint8_t *at = frame;

	memset(frame, 0, ETH_ZLEN + 4);
	memset(at, 0xff, ETH_ALEN);
	memcpy(at + ETH_ALEN, way->mac, ETH_ALEN);
	at += 2 * ETH_ALEN;
	if (way->vlan)
		at = (uint8_t *)memcpy(at, tag, sizeof(tag)) + sizeof(tag);
	at = (uint8_t *)memcpy(at, &type, sizeof(type)) + sizeof(type);
	at = (uint8_t *)memcpy(at, &head, sizeof(head)) + sizeof(head);
	memcpy(at, way->mac, ETH_ALEN);
	memcpy(at + ETH_ALEN, &sender, 4);
	memcpy(at + 2 * ETH_ALEN + 4, &target, 4); /* the MAC that is asked for stays zero */
	return ETH_ZLEN + (way->vlan ? sizeof(tag) : 0);
}

void hd_arp_send(int *sock, const struct hd_arp_way *way, uint32_t sender, uint32_t target)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)way->ifindex,
				  .sll_halen = ETH_ALEN };
	uint8_t frame[ETH_ZLEN + 4];
	size_t len = compose(way, sender, target, frame);

	if (*sock < 0) /* of no protocol: it receives nothing */
		*sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*sock < 0 || sendto(*sock, frame, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		log_debug("ARP by device %u: %s", way->ifindex, strerror(errno));
}
