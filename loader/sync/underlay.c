// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* underlay.c - the ways to peers */
#include "sync/underlay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"

/*
 * How long a run waits, in all, for next hops that were never asked before: a neighbour on the same wire has answered by then, and many that
 * don't answer must not hold up the others.
 */
#define PATIENCE 20
#define PAUSE_NS 1000000

static const void *wire_bytes(const struct hd_ip *ip)
{
	return ip->is_v4 ? ip->bytes + 12 : ip->bytes;
}

static struct hd_ip from_wire(const uint8_t *bytes, bool is_v4)
{
	struct hd_ip ip = { .is_v4 = is_v4, .prefix = HD_PREFIX_NONE };

	memcpy(is_v4 ? ip.bytes + 12 : ip.bytes, bytes, is_v4 ? 4 : 16);
	if (is_v4)
		ip.bytes[10] = ip.bytes[11] = 0xff;
	return ip;
}

static const struct hd_device *device_of(const struct hd_devices *devices, uint32_t ifindex)
{
	struct hd_device *device;

	HASH_FIND(by_index, devices->by_index, &ifindex, sizeof(ifindex), device);
	return device;
}

/* A neighbour that nobody has talked to is asked now, and given a moment as long as there is @patience. */
static int ask(const struct hd_devices *devices, struct hd_way *way, int *patience)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	const void *next = wire_bytes(&way->next);
	int r = hd_netlink_neigh(devices->nl, way->ifindex, way->next.is_v4, next, way->to);
	bool in_vain = r == -EHOSTUNREACH;

	if (r == 0)
		return 0;
	(void)hd_netlink_neigh_use(devices->nl, way->ifindex, way->next.is_v4, next);
	for (;;) {
		r = hd_netlink_neigh(devices->nl, way->ifindex, way->next.is_v4, next, way->to);
		if (r == 0 || !*patience)
			return r < 0 && in_vain ? -EHOSTUNREACH : r;
		(*patience)--;
		(void)nanosleep(&pause, NULL);
	}
}

/*
 * A device that goes down and up loses its neighbours, and the first question may be lost while the other end still comes up; the kernel asks again a
 * second later. Until it gives up the next hop has the MAC that it had.
 */
static bool has_next_hop(const struct hd_devices *devices, struct hd_way *way, int *patience)
{
	int r = ask(devices, way, patience);

	if (r == 0) {
		way->known.ifindex = way->ifindex;
		memcpy(way->known.next, way->next.bytes, 16);
		memcpy(way->known.mac, way->to, 6);
	} else if (r == -EHOSTUNREACH) {
		way->known.ifindex = 0;
	} else if (way->known.ifindex == way->ifindex &&
		   !memcmp(way->known.next, way->next.bytes, 16)) {
		memcpy(way->to, way->known.mac, 6);
		r = 0;
	}
	return r == 0;
}

static const char *find_way(const struct hd_devices *devices, const struct hd_model *model,
			    const struct hd_ip *peer, struct hd_way *way, int *patience)
{
	const struct hd_ip *us = hd_model_tunnel_ip(model);
	const struct hd_device *device;
	struct hd_route route;

	if (!us)
		return "no uplink has a tunnel-ip";
	memcpy(way->local, us->bytes, 16);
	if (hd_netlink_route(devices->nl, peer->is_v4, wire_bytes(peer), wire_bytes(us), &route) <
	    0)
		return "no route from the tunnel-ip of the uplink";
	if (route.is_local)
		return "its address is this host's own";
	device = device_of(devices, route.ifindex);
	if (!device || !device->link.is_ethernet)
		return "the route to it is by a device that is not Ethernet";
	way->ifindex = route.ifindex;
	way->mtu = route.mtu && route.mtu < device->link.mtu ? route.mtu : device->link.mtu;
	way->next = from_wire(route.next, peer->is_v4);
	memcpy(way->from, device->link.mac, 6);
	memcpy(way->device, device->link.name, sizeof(way->device));
	if (!(device->link.flags & IFF_UP) || !(device->link.flags & IFF_LOWER_UP))
		return "the device to it is down";
	return has_next_hop(devices, way, patience) ? "" : "its next hop has not answered";
}

static bool is_same(const struct hd_way *a, const struct hd_way *b)
{
	return a->ifindex == b->ifindex && a->mtu == b->mtu && a->up == b->up &&
	       !strcmp(a->reason, b->reason) && !memcmp(a->to, b->to, 6) &&
	       !memcmp(a->from, b->from, 6) && !memcmp(a->local, b->local, 16) &&
	       !memcmp(a->next.bytes, b->next.bytes, 16);
}

static struct hd_way *get(struct hd_way **ways, uint32_t peer)
{
	struct hd_way *way;

	HASH_FIND(hh, *ways, &peer, sizeof(peer), way);
	if (way)
		return way;
	way = calloc(1, sizeof(*way));
	if (!way)
		return NULL;
	way->peer = peer;
	way->reason = "it was not looked for";
	HASH_ADD(hh, *ways, peer, sizeof(way->peer), way);
	return way;
}

static int64_t now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* that clock is always there */
	return now.tv_sec;
}

/* What was said about the way as it was holds for the way as it is now: until the time is over, or it is another way. */
static void keep_told(struct hd_way *now, const struct hd_way *was)
{
	if (!was->told || now_s() >= was->told_until || was->ifindex != now->ifindex ||
	    memcmp(was->next.bytes, now->next.bytes, 16) != 0 ||
	    memcmp(was->local, now->local, 16) != 0)
		return;
	now->told = was->told;
	now->told_until = was->told_until;
	if (now->mtu > now->told)
		now->mtu = now->told;
}

static bool look(struct hd_way **ways, const struct hd_devices *devices,
		 const struct hd_model *model, const struct hd_object *peer, int *patience)
{
	bool first = !hd_way_of(*ways, peer->id), changed;
	struct hd_way *way = get(ways, peer->id), now = { .peer = peer->id };
	int none = 0;

	if (!way)
		return false;
	now.known = way->known;
	now.reason = find_way(devices, model, &peer->view.peer.ip, &now, first ? patience : &none);
	now.up = !now.reason[0];
	keep_told(&now, way);
	changed = first || !is_same(way, &now);
	now.hh = way->hh;
	*way = now;
	return changed;
}

bool hd_ways_look(struct hd_way **ways, const struct hd_devices *devices,
		  const struct hd_model *model)
{
	struct hd_way *way, *next;
	int patience = PATIENCE;
	bool changed = false;

	HASH_ITER(hh, *ways, way, next) {
		if (hd_model_get_id(model, HD_NOUN_PEER, way->peer))
			continue;
		HASH_DEL(*ways, way);
		free(way);
		changed = true;
	}
	hd_model_each(model, HD_NOUN_PEER, peer)
		changed = look(ways, devices, model, peer, &patience) || changed;
	return changed;
}

void hd_ways_keep(struct hd_way *ways, const struct hd_devices *devices)
{
	struct hd_way *way, *next;

	HASH_ITER(hh, ways, way, next)
		if (way->ifindex)
			(void)hd_netlink_neigh_use(devices->nl, way->ifindex, way->next.is_v4,
						   wire_bytes(&way->next)); /* next time then */
}

bool hd_ways_told(struct hd_way *ways, const struct hd_model *model, const struct hd_told *told)
{
	hd_model_each(model, HD_NOUN_PEER, peer) {
		struct hd_way *way;

		HASH_FIND(hh, ways, &peer->id, sizeof(peer->id), way);
		if (!way || memcmp(peer->view.peer.ip.bytes, told->remote, 16) != 0 ||
		    memcmp(way->local, told->local, 16) != 0)
			continue;
		if (told->ifindex != way->ifindex || told->mtu >= way->mtu ||
		    !hd_told_is_ours(told, model))
			return false;
		log_info("peer %s: %u bytes are the most that gets there, says the underlay",
			 peer->name, told->mtu);
		way->mtu = way->told = told->mtu;
		way->told_until = now_s() + hd_told_lifetime_s(told->is_v4);
		return true;
	}
	return false;
}

const struct hd_way *hd_way_of(const struct hd_way *ways, uint32_t peer)
{
	struct hd_way *way;

	HASH_FIND(hh, ways, &peer, sizeof(peer), way);
	return way;
}

void hd_ways_done(struct hd_way **ways)
{
	struct hd_way *way, *next;

	HASH_ITER(hh, *ways, way, next) {
		HASH_DEL(*ways, way);
		free(way);
	}
}
