// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* nat.c - the ports of external addresses, as people see them */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "cleanup.h"
#include "sync/nat.h"
#include "sync/nat_name.h"
#include "sync/nat_quota.h"
#include "sync/nat_use.h"

static bool is_of(const struct hd_daemon *daemon, const struct hd_object *router,
		  const struct hd_nat_pool_key *key)
{
	struct hd_nat_pool_key pool = { 0 };

	return hd_nat_pool_of(hd_sync_datapath(daemon->sync), router, hd_nat_family(key->addr),
			      &pool) &&
	       pool.zone == key->zone && pool.addr == key->addr;
}

static json_t *routers_of(const struct hd_daemon *daemon, const struct hd_nat_pool_key *key)
{
	json_t *list = json_array();

	hd_model_each(daemon->model, HD_NOUN_ROUTER, router)
		if (is_of(daemon, router, key))
			(void)json_array_append_new(list, json_string(router->name));
	return list;
}

/* Where an address is: in a network, or at the uplink by which routers masquerade with it. */
static const char *place_of(const struct hd_daemon *daemon, const struct hd_nat_pool_key *key)
{
	const struct hd_object *network =
		hd_model_get_id(daemon->model, HD_NOUN_NETWORK, key->zone);

	if (network)
		return network->name;
	hd_model_each(daemon->model, HD_NOUN_ROUTER, router)
		if (router->view.router.gateway.uplink && is_of(daemon, router, key))
			return router->view.router.gateway.uplink;
	return "";
}

static json_t *show_use(const struct hd_daemon *daemon, const struct hd_nat_use *use)
{
	struct hd_ip ip =
		hd_nat_outside_ip(hd_sync_datapath(daemon->sync), use->pool.zone, use->pool.addr);
	char text[64];

	hd_ip_format(&ip, text);
	return json_pack("{s:s, s:s, s:o, s:i, s:i, s:i, s:i, s:i, s:i}", "ip", text, "network",
			 place_of(daemon, &use->pool), "routers", routers_of(daemon, &use->pool),
			 "ports", (int)use->ports, "inside-addresses", (int)use->users, "blocks",
			 (int)use->blocks, "used", (int)use->used, "resting", (int)use->resting,
			 "free", (int)use->free);
}

json_t *hd_api_nat_pools(struct hd_daemon *daemon, const struct hd_object *router)
{
	_free_ struct hd_nat_use *uses = NULL;
	json_t *list = json_array();
	size_t n = 0;

	/* Without memory the list is short, as that of others. */
	(void)hd_nat_uses(hd_sync_datapath(daemon->sync), daemon->model, &uses, &n);
	for (size_t i = 0; i < n; i++)
		if (!router || is_of(daemon, router, &uses[i].pool))
			(void)json_array_append_new(list, show_use(daemon, &uses[i]));
	return list;
}

/* More than nine tenths are taken. */
static bool is_nearly_out(json_int_t taken, json_int_t of)
{
	return taken * 10 > of * 9;
}

void hd_api_quota_problems(struct hd_daemon *daemon, json_t *problems)
{
	struct hd_table held;

	(void)hd_nat_held(hd_sync_datapath(daemon->sync), &held);
	hd_model_each(daemon->model, HD_NOUN_ROUTER, router) {
		uint32_t most = router->view.router.gateway.blocks;
		uint32_t taken = most ? hd_nat_held_by(&held, router->id) : 0;

		if (most && is_nearly_out(taken, most))
			(void)json_array_append_new(
				problems,
				json_sprintf("router %s is nearly out of ports: %u of %u blocks",
					     router->name, taken, most));
	}
	hd_table_done(&held);
}

void hd_api_nat_problems(const json_t *pools, json_t *problems)
{
	const json_t *pool;
	size_t i;

	json_array_foreach(pools, i, pool) {
		json_int_t blocks = json_integer_value(json_object_get(pool, "blocks"));
		json_int_t taken = blocks - json_integer_value(json_object_get(pool, "free"));

		if (!is_nearly_out(taken, blocks))
			continue;
		(void)json_array_append_new(
			problems,
			json_sprintf("address %s of network %s is nearly out of ports: %lld of "
				     "%lld blocks",
				     json_string_value(json_object_get(pool, "ip")),
				     json_string_value(json_object_get(pool, "network")),
				     (long long)taken, (long long)blocks));
	}
}
