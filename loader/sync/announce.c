// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* announce.c - tell those outside that an address of a router is here now, and behind which MAC */
#include "sync/announce.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "heddle/neigh.h"
#include "heddle/port.h"
#include "heddle/router.h"
#include "log.h"

/* How often an announcement is sent; RFC 5227 section 1.1 has ANNOUNCE_NUM 2, two seconds apart. One of them may be lost. */
#define TIMES 3

/* An address outside. */
struct where {
	uint32_t network;
	__be32 addr;
};

/* How it is reached. @vlan: tag outside, 0 = none */
struct what {
	uint32_t ifindex;
	uint16_t vlan;
	uint8_t mac[6];
};

/* @left: times that it is to be sent yet */
struct due {
	struct what what;
	uint32_t left;
};

/* @now: struct where to struct what, that neighbours have been told; @due: struct where to struct due. @sock: -1 until it is needed */
struct hd_announcer {
	struct hd_table now;
	struct hd_table due;
	int sock;
};

static int find_addresses(const struct hd_tables *tables, struct hd_table *ret);

struct hd_announcer *hd_announcer_new(const struct hd_tables *tables)
{
	struct hd_announcer *announcer = calloc(1, sizeof(*announcer));

	if (!announcer)
		return NULL;
	announcer->sock = -1;
	hd_table_init(&announcer->now, sizeof(struct where), sizeof(struct what));
	hd_table_init(&announcer->due, sizeof(struct where), sizeof(struct due));
	if (find_addresses(tables, &announcer->now) == 0)
		return announcer;
	hd_announcer_free(announcer);
	return NULL;
}

void hd_announcer_free(struct hd_announcer *announcer)
{
	if (!announcer)
		return;
	hd_closep(&announcer->sock);
	hd_table_done(&announcer->now);
	hd_table_done(&announcer->due);
	free(announcer);
}

/* ---- which addresses there are ---- */

/* Legs that can send, by network: to struct what without a MAC. */
static int find_legs(const struct hd_tables *tables, struct hd_table *ret)
{
	const struct hd_table *legs = &tables->table[HD_TABLE_LEGS];
	int r = 0;

	for (size_t i = 0; r == 0 && i < legs->n; i++) {
		const void *row =
			hd_table_find(&tables->table[HD_TABLE_PORTS], hd_table_value(legs, i));
		struct hd_port_value leg = { 0 };
		struct what what = { 0 };

		if (row)
			memcpy(&leg, row, sizeof(leg));
		what.ifindex = leg.ifindex;
		what.vlan = leg.vlan;
		if (leg.flags & HD_PORT_UP)
			r = hd_table_add(ret, &leg.network, &what);
	}
	hd_table_sort(ret);
	return r;
}

/* Whether a neighbour is a router at its outside: there it has the MAC that it has on this host alone. */
static bool is_outside(const struct hd_tables *tables, const struct hd_neigh_key *key,
		       const struct hd_neigh_value *value)
{
	struct hd_port_value port;
	struct hd_end_value end;
	const void *row;

	if (value->mac[0] != HD_ROUTER_MAC_0 || value->mac[1] != HD_ROUTER_MAC_1)
		return false; /* no router's, and they are most */
	row = hd_table_find(&tables->table[HD_TABLE_PORTS], &value->port);
	if (!row)
		return false;
	memcpy(&port, row, sizeof(port));
	row = hd_table_find(&tables->table[HD_TABLE_ENDS], &value->port);
	if (!row || !(port.flags & HD_PORT_ROUTER))
		return false;
	memcpy(&end, row, sizeof(end));
	return end.ifindex == key->network;
}

static int note_address(const struct hd_tables *tables, const struct hd_table *legs,
			const struct hd_neigh_key *key, const struct hd_neigh_value *value,
			struct hd_table *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const void *leg = hd_table_find(legs, &key->network);
	struct where where = { .network = key->network };
	struct what what;

	if (!leg || memcmp(key->addr, mapped, sizeof(mapped)) != 0 ||
	    !is_outside(tables, key, value))
		return 0;
	memcpy(&where.addr, key->addr + 12, sizeof(where.addr));
	memcpy(&what, leg, sizeof(what));
	memcpy(what.mac, value->mac, sizeof(what.mac));
	return hd_table_add(ret, &where, &what);
}

static int find_addresses(const struct hd_tables *tables, struct hd_table *ret)
{
	const struct hd_table *neigh = &tables->table[HD_TABLE_NEIGH];
	struct hd_table legs;
	int r;

	hd_table_init(&legs, sizeof(uint32_t), sizeof(struct what));
	r = find_legs(tables, &legs);
	for (size_t i = 0; r == 0 && legs.n && i < neigh->n; i++) {
		struct hd_neigh_value value;
		struct hd_neigh_key key;

		memcpy(&key, hd_table_key(neigh, i), sizeof(key));
		memcpy(&value, hd_table_value(neigh, i), sizeof(value));
		r = note_address(tables, &legs, &key, &value, ret);
	}
	hd_table_done(&legs);
	hd_table_sort(ret);
	return r;
}

/* ---- telling ---- */

/* RFC 5227 section 3: a request that asks for what it says. With a tag, where the network has one outside. */
static size_t compose(const struct where *where, const struct what *what,
		      uint8_t frame[ETH_ZLEN + 4])
{
	const struct {
		__be16 hardware, protocol;
		uint8_t hardware_len, protocol_len;
		__be16 op;
	} head = { htons(ARPHRD_ETHER), htons(ETH_P_IP), ETH_ALEN, 4, htons(ARPOP_REQUEST) };
	const __be16 tag[2] = { htons(ETH_P_8021Q), htons(what->vlan) }, type = htons(ETH_P_ARP);
	uint8_t *at = frame;

	memset(frame, 0, ETH_ZLEN + 4);
	memset(at, 0xff, ETH_ALEN);
	memcpy(at + ETH_ALEN, what->mac, ETH_ALEN);
	at += 2 * ETH_ALEN;
	if (what->vlan)
		at = (uint8_t *)memcpy(at, tag, sizeof(tag)) + sizeof(tag);
	at = (uint8_t *)memcpy(at, &type, sizeof(type)) + sizeof(type);
	at = (uint8_t *)memcpy(at, &head, sizeof(head)) + sizeof(head);
	memcpy(at, what->mac, ETH_ALEN);
	memcpy(at + ETH_ALEN, &where->addr, 4);
	memcpy(at + 2 * ETH_ALEN + 4, &where->addr, 4); /* the MAC that is asked for stays zero */
	return ETH_ZLEN + (what->vlan ? sizeof(tag) : 0);
}

/* The programs at the uplink let pass what the host sends itself. What can't be sent is sent again soon, or the device has gone. */
static void announce(struct hd_announcer *announcer, const struct where *where,
		     const struct what *what)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)what->ifindex,
				  .sll_halen = ETH_ALEN };
	uint8_t frame[ETH_ZLEN + 4];
	size_t len = compose(where, what, frame);

	if (announcer->sock < 0) /* of no protocol: it receives nothing */
		announcer->sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (announcer->sock < 0 ||
	    sendto(announcer->sock, frame, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		log_debug("ARP announcement by device %u: %s", what->ifindex, strerror(errno));
}

static int announce_new(void *arg, enum hd_table_op op, const void *key, const void *value)
{
	struct hd_announcer *announcer = arg;
	struct due due = { .left = TIMES - 1 };
	struct where where;

	(void)op;
	memcpy(&where, key, sizeof(where));
	memcpy(&due.what, value, sizeof(due.what));
	announce(announcer, &where, &due.what);
	return hd_table_add(&announcer->due, &where, &due);
}

int hd_announcer_follow(struct hd_announcer *announcer, const struct hd_tables *tables)
{
	struct hd_table next, before = announcer->now;
	int r;

	hd_table_init(&next, sizeof(struct where), sizeof(struct what));
	r = find_addresses(tables, &next);
	if (r < 0) {
		hd_table_done(&next);
		return r;
	}
	announcer->now = next;
	r = hd_table_diff(&before, &next, HD_TABLE_ADD, announce_new, announcer);
	if (r == 0)
		r = hd_table_diff(&before, &next, HD_TABLE_SET, announce_new, announcer);
	hd_table_done(&before);
	return r;
}

void hd_announcer_repeat(struct hd_announcer *announcer)
{
	size_t kept = 0;

	for (size_t i = 0; i < announcer->due.n; i++) {
		struct where where;
		const void *now;
		struct due due;

		memcpy(&where, hd_table_key(&announcer->due, i), sizeof(where));
		memcpy(&due, hd_table_value(&announcer->due, i), sizeof(due));
		now = hd_table_find(&announcer->now, &where);
		if (!now || memcmp(now, &due.what, sizeof(due.what)) != 0)
			continue; /* not true any more */
		announce(announcer, &where, &due.what);
		if (!--due.left)
			continue;
		memcpy((void *)hd_table_key(&announcer->due, kept), &where, sizeof(where));
		memcpy(hd_table_value(&announcer->due, kept++), &due, sizeof(due));
	}
	announcer->due.n = kept;
}
