// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* arp.c - the daemon's side of the neighbours that routers have learned */
#include "sync/arp.h"

#include <bpf/bpf.h>
#include <string.h>

#include "compile/table.h"
#include "heddle/port.h"
#include "sync/fdb.h"

void hd_arp_address(const struct hd_neigh_key *key, struct hd_ip *ret)
{
	*ret = hd_ip_of_bytes(key->addr);
	ret->prefix = ret->is_v4 ? 32 : 128;
}

const struct hd_object *hd_arp_router(const struct hd_model *model, const struct hd_object *network,
				      const struct hd_ip *ip)
{
	const struct hd_object *subnet = hd_model_subnet_of(model, network->name, ip);
	const struct hd_object *router = subnet ? hd_model_router_of(model, subnet->name) : NULL;

	if (router || !subnet)
		return router;
	hd_model_each(model, HD_NOUN_ROUTER, object) {
		const struct hd_router_gateway *gateway = &object->view.router.gateway;

		if (gateway->network && !strcmp(gateway->network, network->name) &&
		    hd_router_outside(model, &object->view.router, ip->is_v4 ? HD_V4 : HD_V6) ==
			    subnet)
			return object;
	}
	return NULL;
}

bool hd_arp_is_configured(const struct hd_datapath *dp, const struct hd_neigh_key *key)
{
	struct hd_neigh_value value;

	return bpf_map_lookup_elem(dp->maps[HD_MAP_NEIGH], key, &value) == 0;
}

bool hd_arp_is_learned(const struct hd_arp_value *value)
{
	static const uint8_t none[6];

	return memcmp(value->mac, none, sizeof(none)) != 0;
}

uint32_t hd_arp_port(const struct hd_datapath *dp, const struct hd_network *network,
		     const struct hd_neigh_key *key, const struct hd_arp_value *value)
{
	struct hd_fdb_key where = { .network = key->network, .vlan = key->vlan };
	struct hd_fdb_value entry;

	memcpy(where.mac, value->mac, sizeof(where.mac));
	if (bpf_map_lookup_elem(dp->maps[HD_MAP_FDB], &where, &entry) < 0 ||
	    hd_fdb_is_old(dp, network, &entry, hd_datapath_now(dp)))
		return HD_PORT_NONE;
	return entry.port;
}

uint32_t hd_arp_asked_s(const struct hd_datapath *dp, const struct hd_arp_value *value,
			uint32_t now)
{
	int32_t jiffies = (int32_t)(now - value->asked);

	return jiffies < 0 ? 0
			   : (uint32_t)jiffies / dp->hz; /* asked after we looked at the clock */
}

/* Entries that are to go; removed after the walk, which would lose its place otherwise. */
struct doomed {
	uint32_t network;
	struct hd_table keys;
};

static int doom_row(void *arg, const void *row_key, const void *value)
{
	struct doomed *doomed = arg;
	struct hd_neigh_key key;

	(void)value;
	memcpy(&key, row_key, sizeof(key));
	if (doomed->network && doomed->network != key.network)
		return 0;
	return hd_table_add(&doomed->keys, &key, "");
}

unsigned int hd_arp_flush(const struct hd_datapath *dp, uint32_t network)
{
	struct doomed doomed = { .network = network };
	int fd = dp->maps[HD_MAP_ARP];
	unsigned int n = 0;

	hd_table_init(&doomed.keys, sizeof(struct hd_neigh_key), 0);
	(void)hd_map_walk(fd, sizeof(struct hd_neigh_key), sizeof(struct hd_arp_value), doom_row,
			  &doomed);
	for (size_t i = 0; i < doomed.keys.n; i++)
		n += bpf_map_delete_elem(fd, hd_table_key(&doomed.keys, i)) == 0;
	hd_table_done(&doomed.keys);
	return n;
}
