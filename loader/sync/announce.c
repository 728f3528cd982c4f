// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* announce.c - tell those outside that an address of a router is here now, and behind which MAC */
#include "sync/announce.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "heddle/neigh.h"
#include "heddle/port.h"
#include "heddle/router.h"
#include "sync/arp_send.h"

/* How often an announcement is sent; RFC 5227 section 1.1 has ANNOUNCE_NUM 2, two seconds apart. One of them may be lost. */
#define TIMES 3

/* An address outside. */
struct where {
	uint32_t network;
	uint8_t addr[16];
};

/* @left: times that it is to be sent yet */
struct due {
	struct hd_arp_way what;
	uint32_t left;
};

/* @now: struct where to struct hd_arp_way, that neighbours have been told; @due: struct where to struct due. @sock: -1 until it is needed */
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
	hd_table_init(&announcer->now, sizeof(struct where), sizeof(struct hd_arp_way));
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
	const void *leg = hd_table_find(legs, &key->network);
	struct where where = { .network = key->network };
	struct hd_arp_way what;

	if (!leg || !is_outside(tables, key, value))
		return 0;
	memcpy(where.addr, key->addr, sizeof(where.addr));
	memcpy(&what, leg, sizeof(what));
	memcpy(what.mac, value->mac, sizeof(what.mac));
	return hd_table_add(ret, &where, &what);
}

static int find_addresses(const struct hd_tables *tables, struct hd_table *ret)
{
	const struct hd_table *neigh = &tables->table[HD_TABLE_NEIGH];
	struct hd_table legs;
	int r;

	hd_table_init(&legs, sizeof(uint32_t), sizeof(struct hd_arp_way));
	r = hd_arp_ways(tables, &legs);
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

static int announce_new(void *arg, enum hd_table_op op, const void *key, const void *value)
{
	struct hd_announcer *announcer = arg;
	struct due due = { .left = TIMES - 1 };
	struct where where;

	(void)op;
	memcpy(&where, key, sizeof(where));
	memcpy(&due.what, value, sizeof(due.what));
	hd_arp_announce(&announcer->sock, &due.what, where.addr);
	return hd_table_add(&announcer->due, &where, &due);
}

int hd_announcer_follow(struct hd_announcer *announcer, const struct hd_tables *tables)
{
	struct hd_table next, before = announcer->now;
	int r;

	hd_table_init(&next, sizeof(struct where), sizeof(struct hd_arp_way));
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
		hd_arp_announce(&announcer->sock, &due.what, where.addr);
		if (!--due.left)
			continue;
		memcpy((void *)hd_table_key(&announcer->due, kept), &where, sizeof(where));
		memcpy(hd_table_value(&announcer->due, kept++), &due, sizeof(due));
	}
	announcer->due.n = kept;
}
