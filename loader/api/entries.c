// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* entries.c - the FDB and the neighbours: what is configured and what was learned */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "cleanup.h"
#include "sync/arp.h"
#include "sync/fdb.h"

/* A list being made. @network, @port: filters, 0 = all. @name: filter, NULL = all. */
struct listing {
	struct hd_daemon *daemon;
	uint32_t network;
	uint32_t port;
	const char *name;
	uint32_t now;
	json_t *list;
};

static json_t *fdb_entry(const struct listing *l, const struct hd_fdb_key *key,
			 const struct hd_fdb_value *value, const struct hd_object *network,
			 const struct hd_object *port)
{
	char mac[18], name[96];
	json_t *entry;

	hd_mac_format(key->mac, mac);
	(void)snprintf(name, sizeof(name), "%s/%s", network->name, mac);
	if (l->name && strcmp(l->name, name))
		return NULL;
	entry = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "name", name, "network", network->name,
			  "vlan", key->vlan, "mac", mac, "port", port->name, "kind",
			  value->flags & HD_FDB_STATIC ? "static" : "learned");
	if (!(value->flags & HD_FDB_STATIC))
		(void)json_object_set_new(
			entry, "age",
			json_integer(hd_fdb_age(hd_sync_datapath(l->daemon->sync), value, l->now)));
	return entry;
}

static int list_fdb(void *arg, const void *row_key, const void *row_value)
{
	struct listing *l = arg;
	const struct hd_object *network, *port;
	struct hd_fdb_value value;
	struct hd_fdb_key key;
	json_t *entry;

	memcpy(&key, row_key, sizeof(key));
	memcpy(&value, row_value, sizeof(value));
	network = hd_model_get_id(l->daemon->model, HD_NOUN_NETWORK, key.network);
	port = hd_model_get_port(l->daemon->model, value.port);
	if (!network || !port || (l->network && l->network != key.network) ||
	    (l->port && l->port != value.port))
		return 0;
	if (hd_fdb_is_old(hd_sync_datapath(l->daemon->sync), &network->view.network, &value,
			  l->now))
		return 0; /* absent to the datapath; the next sweep takes it */
	entry = fdb_entry(l, &key, &value, network, port);
	if (entry)
		(void)json_array_append_new(l->list, entry);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;

	return strcmp(json_string_value(json_object_get(x, "name")),
		      json_string_value(json_object_get(y, "name")));
}

static json_t *sorted(json_t *list)
{
	size_t n = json_array_size(list);
	_free_ json_t **items = calloc(n + 1, sizeof(*items));
	json_t *ret = json_array();

	for (size_t i = 0; items && i < n; i++)
		items[i] = json_array_get(list, i);
	if (items)
		qsort(items, n, sizeof(*items), compare_names);
	for (size_t i = 0; items && i < n; i++)
		(void)json_array_append(ret, items[i]);
	return ret;
}

/* A list, or with a name the one entry in it. */
static int answer(const struct listing *l, const struct hd_noun *noun, json_t **ret,
		  struct hd_error *err)
{
	if (!l->name) {
		*ret = sorted(l->list);
		return 0;
	}
	if (!json_array_size(l->list))
		return hd_api_no_such(noun, l->name, err);
	*ret = json_incref(json_array_get(l->list, 0));
	return 0;
}

static int start(struct listing *l, struct hd_daemon *daemon, const struct hd_http_request *req,
		 const char *name, struct hd_error *err)
{
	int r;

	l->daemon = daemon;
	l->name = *name ? name : NULL;
	l->now = hd_datapath_now(hd_sync_datapath(daemon->sync));
	r = hd_api_named_id(daemon, HD_NOUN_NETWORK, hd_http_query(req, "network"), &l->network,
			    err);
	if (r == 0)
		r = hd_api_named_id(daemon, HD_NOUN_PORT, hd_http_query(req, "port"), &l->port,
				    err);
	return r;
}

int hd_api_fdb(struct hd_daemon *daemon, const struct hd_http_request *req, const char *name,
	       json_t **ret, struct hd_error *err)
{
	_json_ json_t *list = json_array();
	struct listing l = { .list = list };
	int r = start(&l, daemon, req, name, err);

	if (r < 0)
		return r;
	r = hd_map_walk(hd_sync_datapath(daemon->sync)->maps[HD_MAP_FDB], sizeof(struct hd_fdb_key),
			sizeof(struct hd_fdb_value), list_fdb, &l);
	if (r < 0)
		return hd_error_set(err, HD_ERR_FAILED, "fdb: can't read it: %s", strerror(-r));
	return answer(&l, &hd_nouns[HD_NOUN_FDB], ret, err);
}

/* An entry, if the list wants it; borrowed. @port: that has the address, NULL if none is known. */
static json_t *list_neighbour(struct listing *l, const struct hd_object *network,
			      const struct hd_ip *ip, const uint8_t mac[6], const char *kind,
			      const struct hd_object *port)
{
	char name[160], text[64], mac_text[18] = "";
	json_t *entry;

	hd_ip_format(ip, text);
	if (mac)
		hd_mac_format(mac, mac_text);
	(void)snprintf(name, sizeof(name), "%s/%s", network->name, text);
	if ((l->network && l->network != network->id) ||
	    (l->port && (!port || l->port != port->id)) || (l->name && strcmp(l->name, name)))
		return NULL;
	entry = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "name", name, "network",
			  network->name, "vlan",
			  port && port->noun->id == HD_NOUN_PORT ? port->view.port.vlan : 0, "ip",
			  text, "mac", mac_text, "kind", kind, "port", port ? port->name : "");
	return json_array_append_new(l->list, entry) < 0 ? NULL : entry;
}

/* At the gateways of its subnets. */
static void list_router_neighbours(struct listing *l, const struct hd_object *object)
{
	const struct hd_model *model = l->daemon->model;
	const struct hd_router *router = &object->view.router;

	for (size_t i = 0; i < router->n_subnets; i++) {
		const struct hd_subnet *subnet =
			&hd_model_get(model, HD_NOUN_SUBNET, router->subnets[i])->view.subnet;

		(void)list_neighbour(l, hd_model_get(model, HD_NOUN_NETWORK, subnet->network),
				     &subnet->gateway, router->mac, "router", object);
	}
}

static void list_port_neighbours(struct listing *l, const struct hd_object *object)
{
	const struct hd_port *port = &object->view.port;
	const struct hd_object *network = hd_model_network_of(l->daemon->model, port);

	for (size_t i = 0; port->has_mac && i < port->n_ips; i++)
		(void)list_neighbour(l, network, &port->ips[i], port->mac, "port", object);
}

/* What routers have learned, or ask for. What the configuration says meanwhile, or has no router any more, counts for nothing. */
static int list_learned(void *arg, const void *row_key, const void *row_value)
{
	struct listing *l = arg;
	const struct hd_datapath *dp = hd_sync_datapath(l->daemon->sync);
	const struct hd_object *network, *router;
	struct hd_arp_value value;
	struct hd_neigh_key key;
	struct hd_ip ip;
	json_t *entry;

	memcpy(&key, row_key, sizeof(key));
	memcpy(&value, row_value, sizeof(value));
	network = hd_model_get_id(l->daemon->model, HD_NOUN_NETWORK, key.network);
	hd_arp_address(&key, &ip);
	router = network ? hd_arp_router(l->daemon->model, network, &ip) : NULL;
	if (!router || hd_arp_is_configured(dp, &key))
		return 0;
	if (hd_arp_is_learned(&value)) {
		const struct hd_object *port = hd_model_get_port(
			l->daemon->model, hd_arp_port(dp, &network->view.network, &key, &value));

		entry = list_neighbour(l, network, &ip, value.mac, "learned", port);
	} else {
		entry = list_neighbour(l, network, &ip, NULL, "incomplete", NULL);
		(void)json_object_set_new(entry, "asked",
					  json_integer(hd_arp_asked_s(dp, &value, l->now)));
	}
	(void)json_object_set_new(entry, "router", json_string(router->name));
	return 0;
}

int hd_api_neighbours(struct hd_daemon *daemon, const struct hd_http_request *req, const char *name,
		      json_t **ret, struct hd_error *err)
{
	const struct hd_model *model = daemon->model;
	_json_ json_t *list = json_array();
	struct listing l = { .list = list };
	int r = start(&l, daemon, req, name, err);

	if (r < 0)
		return r;
	hd_model_each(model, HD_NOUN_PORT, port)
		list_port_neighbours(&l, port);
	hd_model_each(model, HD_NOUN_ROUTER, router)
		list_router_neighbours(&l, router);
	hd_model_each(model, HD_NOUN_NEIGHBOUR, object) {
		const struct hd_neighbour *neigh = &object->view.neighbour;

		(void)list_neighbour(&l, hd_model_get(model, HD_NOUN_NETWORK, neigh->network),
				     &neigh->ip, neigh->mac, "static", NULL);
	}
	r = hd_map_walk(hd_sync_datapath(daemon->sync)->maps[HD_MAP_ARP],
			sizeof(struct hd_neigh_key), sizeof(struct hd_arp_value), list_learned, &l);
	if (r < 0)
		return hd_error_set(err, HD_ERR_FAILED, "neighbour: can't read them: %s",
				    strerror(-r));
	return answer(&l, &hd_nouns[HD_NOUN_NEIGHBOUR], ret, err);
}

/* Filters of a flush: a body without one is that of all. @ret_body: keeps the texts; @ret_port: NULL if there is no such filter */
static int flush_filters(const struct hd_http_request *req, const char *noun, json_t **ret_body,
			 const char **ret_network, const char **ret_port, struct hd_error *err)
{
	json_error_t where;
	int r = req->body_len ? hd_api_body(req, ret_body, err) : 0;

	if (r < 0 || !*ret_body)
		return r;
	if (ret_port)
		r = json_unpack_ex(*ret_body, &where, JSON_STRICT, "{s?s, s?s}", "network",
				   ret_network, "port", ret_port);
	else
		r = json_unpack_ex(*ret_body, &where, JSON_STRICT, "{s?s}", "network", ret_network);
	return r < 0 ? hd_error_set(err, HD_ERR_INVALID, "%s flush: %s", noun, where.text) : 0;
}

int hd_api_fdb_flush(struct hd_daemon *daemon, const struct hd_http_request *req, json_t **ret,
		     struct hd_error *err)
{
	_json_ json_t *body = NULL;
	const char *network = NULL, *port = NULL;
	uint32_t network_id = 0, port_id = 0;
	unsigned int n;
	int r = flush_filters(req, "fdb", &body, &network, &port, err);

	if (r == 0)
		r = hd_api_named_id(daemon, HD_NOUN_NETWORK, network, &network_id, err);
	if (r == 0)
		r = hd_api_named_id(daemon, HD_NOUN_PORT, port, &port_id, err);
	if (r < 0)
		return r;
	n = hd_fdb_flush(hd_sync_datapath(daemon->sync), network_id, port_id);
	hd_daemon_event(daemon, "flush", "fdb", network ? network : "", port ? port : "");
	*ret = json_pack("{s:i}", "flushed", (int)n);
	return 0;
}

int hd_api_neighbours_flush(struct hd_daemon *daemon, const struct hd_http_request *req,
			    json_t **ret, struct hd_error *err)
{
	_json_ json_t *body = NULL;
	const char *network = NULL;
	uint32_t id = 0;
	unsigned int n;
	int r = flush_filters(req, "neighbour", &body, &network, NULL, err);

	if (r == 0)
		r = hd_api_named_id(daemon, HD_NOUN_NETWORK, network, &id, err);
	if (r < 0)
		return r;
	n = hd_arp_flush(hd_sync_datapath(daemon->sync), id);
	hd_daemon_event(daemon, "flush", "neighbour", network ? network : "", "");
	*ret = json_pack("{s:i}", "flushed", (int)n);
	return 0;
}
