// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* seek.c - know the next hops outside before somebody needs them, and notice when they are gone */
#include "sync/seek.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "heddle/fdb.h"
#include "heddle/neigh.h"
#include "heddle/port.h"
#include "heddle/router.h"
#include "sync/arp_send.h"

/* Turns between two questions while all is well; so long, and some more, a next hop may be unheard. */
#define TURNS 15
#define TURN_S 2
#define UNHEARD_S (2 * TURNS * TURN_S + 5)

/* Questions without an answer after which a next hop is told of. */
#define QUESTIONS 3

/* A next hop: routers that share a network share it. */
struct hop {
	uint32_t network;
	uint8_t addr[16];
};

/* As whom it is asked for. */
struct asker {
	struct hd_arp_way way;
	uint8_t addr[16];
};

/* @unanswered: questions since it was heard last */
struct sought {
	struct asker asker;
	uint32_t unanswered;
};

/* @hops: struct hop to struct sought */
struct hd_seeker {
	struct hd_table hops;
	unsigned int turn;
	int sock;
};

struct hd_seeker *hd_seeker_new(void)
{
	struct hd_seeker *seeker = calloc(1, sizeof(*seeker));

	if (!seeker)
		return NULL;
	seeker->sock = -1;
	hd_table_init(&seeker->hops, sizeof(struct hop), sizeof(struct sought));
	return seeker;
}

void hd_seeker_free(struct hd_seeker *seeker)
{
	if (!seeker)
		return;
	hd_closep(&seeker->sock);
	hd_table_done(&seeker->hops);
	free(seeker);
}

/* ---- which there are ---- */

/* A router's default route of one family, if it leads into its external network. */
static bool default_route(const struct hd_tables *tables, uint32_t router, uint32_t network,
			  int family, struct hd_route_value *ret)
{
	struct hd_route_key key = { .prefix_len = HD_ROUTE_FIXED_BITS, .router = router };
	const void *row;

	if (family == HD_V4) {
		key.prefix_len += 96;
		key.addr[2] = htonl(0xffff);
	}
	row = hd_table_find(&tables->table[HD_TABLE_ROUTES], &key);
	if (!row)
		return false;
	memcpy(ret, row, sizeof(*ret));
	return ret->kind == HD_ROUTE_VIA && ret->network == network;
}

static bool router_end(const struct hd_tables *tables, uint32_t id, struct hd_end_value *ret)
{
	const void *port = hd_table_find(&tables->table[HD_TABLE_PORTS], &id);
	const void *end = hd_table_find(&tables->table[HD_TABLE_ENDS], &id);
	struct hd_port_value value;

	if (!port || !end)
		return false;
	memcpy(&value, port, sizeof(value));
	memcpy(ret, end, sizeof(*ret));
	return (value.flags & HD_PORT_ROUTER) && ret->ifindex;
}

static int note_router(const struct hd_tables *tables, const struct hd_table *ways, uint32_t id,
		       struct hd_table *ret)
{
	struct hd_end_value end;
	const void *way;
	int r = 0;

	if (!router_end(tables, id, &end))
		return 0;
	way = hd_table_find(ways, &end.ifindex);
	for (int family = 0; way && r == 0 && family < HD_FAMILIES; family++) {
		struct hop hop = { .network = end.ifindex };
		struct sought sought = { .unanswered = 0 };
		struct hd_route_value route;

		if (!default_route(tables, id, end.ifindex, family, &route))
			continue;
		memcpy(hop.addr, route.via, sizeof(hop.addr));
		memcpy(&sought.asker.way, way, sizeof(sought.asker.way));
		memcpy(sought.asker.way.mac, end.from, 6);
		memcpy(sought.asker.addr, route.gateway, sizeof(sought.asker.addr));
		r = hd_table_add(ret, &hop, &sought);
	}
	return r;
}

static int find_hops(const struct hd_tables *tables, struct hd_table *ret)
{
	const struct hd_table *ends = &tables->table[HD_TABLE_ENDS];
	struct hd_table ways;
	int r;

	hd_table_init(&ways, sizeof(uint32_t), sizeof(struct hd_arp_way));
	r = hd_arp_ways(tables, &ways);
	for (size_t i = 0; r == 0 && ways.n && i < ends->n; i++) {
		uint32_t id;

		memcpy(&id, hd_table_key(ends, i), sizeof(id));
		r = note_router(tables, &ways, id, ret);
	}
	hd_table_done(&ways);
	hd_table_sort(ret);
	return r;
}

/* ---- asking ---- */

static void ask(struct hd_seeker *seeker, const struct hop *hop, struct sought *sought)
{
	hd_arp_ask(&seeker->sock, &sought->asker.way, sought->asker.addr, hop->addr);
	if (sought->unanswered < QUESTIONS)
		sought->unanswered++;
}

int hd_seeker_follow(struct hd_seeker *seeker, const struct hd_tables *tables)
{
	struct hd_table next;
	int r;

	hd_table_init(&next, sizeof(struct hop), sizeof(struct sought));
	r = find_hops(tables, &next);
	for (size_t i = 0; r == 0 && i < next.n; i++) {
		const void *was = hd_table_find(&seeker->hops, hd_table_key(&next, i));
		struct sought now, before;
		struct hop hop;

		memcpy(&hop, hd_table_key(&next, i), sizeof(hop));
		memcpy(&now, hd_table_value(&next, i), sizeof(now));
		if (was)
			memcpy(&before, was, sizeof(before));
		if (was && !memcmp(&now.asker, &before.asker, sizeof(now.asker)))
			now = before;
		else
			ask(seeker, &hop, &now);
		memcpy(hd_table_value(&next, i), &now, sizeof(now));
	}
	if (r < 0) {
		hd_table_done(&next);
		return r;
	}
	hd_table_done(&seeker->hops);
	seeker->hops = next;
	return 0;
}

/* What the datapath has learned of it; false if it has not. @ret_heard_s: seconds since it said anything */
static bool is_known(const struct hd_datapath *dp, const struct hop *hop, uint8_t ret_mac[6],
		     uint32_t *ret_heard_s)
{
	struct hd_neigh_key key = { .network = hop->network };
	struct hd_fdb_key where = { .network = hop->network };
	struct hd_neigh_value configured;
	struct hd_fdb_value entry;
	struct hd_arp_value arp;
	int32_t jiffies;

	memcpy(key.addr, hop->addr, sizeof(key.addr));
	*ret_heard_s = 0;
	if (bpf_map_lookup_elem(dp->maps[HD_MAP_NEIGH], &key, &configured) == 0) {
		memcpy(ret_mac, configured.mac, 6);
		return true;
	}
	if (bpf_map_lookup_elem(dp->maps[HD_MAP_ARP], &key, &arp) < 0)
		return false;
	memcpy(ret_mac, arp.mac, 6);
	memcpy(where.mac, arp.mac, 6);
	if (bpf_map_lookup_elem(dp->maps[HD_MAP_FDB], &where, &entry) < 0)
		return false;
	jiffies = (int32_t)(hd_datapath_now(dp) - (uint32_t)entry.seen);
	if (jiffies > 0 && !(entry.flags & HD_FDB_STATIC))
		*ret_heard_s = (uint32_t)jiffies / dp->hz;
	return true;
}

void hd_seeker_repeat(struct hd_seeker *seeker, const struct hd_datapath *dp)
{
	bool all = ++seeker->turn % TURNS == 0;

	for (size_t i = 0; i < seeker->hops.n; i++) {
		struct sought sought;
		struct hop hop;
		uint8_t mac[6];
		uint32_t heard_s;

		memcpy(&hop, hd_table_key(&seeker->hops, i), sizeof(hop));
		memcpy(&sought, hd_table_value(&seeker->hops, i), sizeof(sought));
		if (is_known(dp, &hop, mac, &heard_s) && heard_s < UNHEARD_S) {
			sought.unanswered = 0;
			if (all)
				ask(seeker, &hop, &sought);
		} else {
			ask(seeker, &hop, &sought);
		}
		memcpy(hd_table_value(&seeker->hops, i), &sought, sizeof(sought));
	}
}

struct hd_next_hop hd_seeker_next_hop(const struct hd_seeker *seeker, const struct hd_datapath *dp,
				      const struct hd_tables *tables, uint32_t router, int family)
{
	struct hd_next_hop ret = { .there = false };
	struct hd_route_value route;
	struct hd_end_value end;
	struct sought sought;
	struct hop hop = { 0 };
	uint32_t heard_s;
	const void *row;

	if (!router_end(tables, router, &end) ||
	    !default_route(tables, router, end.ifindex, family, &route))
		return ret;
	hop.network = end.ifindex;
	memcpy(hop.addr, route.via, sizeof(hop.addr));
	row = hd_table_find(&seeker->hops, &hop);
	if (!row)
		return ret;
	memcpy(&sought, row, sizeof(sought));
	ret.there = true;
	memcpy(ret.addr, hop.addr, sizeof(ret.addr));
	ret.heard = is_known(dp, &hop, ret.mac, &heard_s) && heard_s < UNHEARD_S;
	ret.silent = !ret.heard && sought.unanswered >= QUESTIONS;
	return ret;
}
