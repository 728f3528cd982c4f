// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* settle.c - what objects leave to others: groups by label (select.c), the address of a router's gateway, the address that a floating IP stands for */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "model/views.h"

static int settle_gateways(struct hd_model *model, bool *ret_changed, struct hd_error *err);
static int settle_floating_ips(struct hd_model *model, bool *ret_changed, struct hd_error *err);

/* Addresses first: a floating IP is no address for a gateway, the other way round nothing is asked. */
int hd_model_settle(struct hd_model *model, struct hd_error *err)
{
	bool changed = false;
	int r = hd_settle_groups(model, &changed, err);

	if (r == 0)
		r = settle_gateways(model, &changed, err);
	if (r == 0)
		r = settle_floating_ips(model, &changed, err);
	if (changed)
		hd_model_sort(model);
	return r;
}

static int no_memory(const struct hd_object *object, struct hd_error *err)
{
	return hd_error_set(err, HD_ERR_FAILED, "%s %s: no memory", object->noun->name,
			    object->name);
}

/* ---- floating IPs ---- */

/* The only IPv4 address of the port; false if there is none, or several. */
static bool only_address(const struct hd_model *model, const char *port, struct hd_ip *ret)
{
	const struct hd_object *object = hd_model_get(model, HD_NOUN_PORT, port);
	size_t n = 0;

	for (size_t i = 0; object && i < object->view.port.n_ips; i++) {
		if (!object->view.port.ips[i].is_v4)
			continue;
		*ret = object->view.port.ips[i];
		n++;
	}
	ret->prefix = HD_PREFIX_NONE;
	return n == 1;
}

/* Another view of the same options. */
static int settle_floating_ip(struct hd_model *model, const struct hd_object *old,
			      struct hd_error *err)
{
	const struct hd_floating_ip *was = &old->view.floating_ip;
	struct hd_object *object = NULL;
	struct hd_ip fixed = { 0 };
	bool has_fixed = only_address(model, was->port, &fixed);
	int r;

	if (has_fixed == was->has_fixed && (!has_fixed || hd_ip_same(&fixed, &was->fixed)))
		return 0;
	r = hd_object_renew(old, old->noun, old->name, old->spec, &object, err);
	if (r < 0)
		return r;
	object->view.floating_ip.fixed = fixed;
	object->view.floating_ip.has_fixed = has_fixed;
	r = hd_model_put(model, object) < 0 ? no_memory(object, err) : 1;
	hd_object_unref(object);
	return r;
}

/* One that is replaced comes again at the end, where nothing is to be done for it. */
static int settle_floating_ips(struct hd_model *model, bool *ret_changed, struct hd_error *err)
{
	struct hd_object *next;
	int r = 0;

	for (struct hd_object *object = hd_model_first(model, HD_NOUN_FLOATING_IP);
	     object && r >= 0; object = next) {
		next = hd_model_next(model, object);
		if (hd_spec_text(object, "fixed-ip"))
			continue;
		r = settle_floating_ip(model, object, err);
		*ret_changed |= r > 0;
	}
	return r < 0 ? r : 0;
}

/* ---- gateways ---- */

/* Addresses of a network that somebody has; @failed: there was no memory. */
struct taken {
	struct hd_ip *list;
	size_t n, room;
	bool failed;
};

static void take(struct taken *taken, const struct hd_ip *ip)
{
	size_t room = taken->room ? taken->room * 2 : 64;
	struct hd_ip *list;

	if (taken->n == taken->room) {
		list = reallocarray(taken->list, room, sizeof(*list));
		if (!list) {
			taken->failed = true;
			return;
		}
		taken->list = list;
		taken->room = room;
	}
	taken->list[taken->n++] = *ip;
}

static bool is(const char *a, const char *b)
{
	return a && !strcmp(a, b);
}

static void take_port(struct taken *taken, const struct hd_port *port)
{
	for (size_t i = 0; i < port->n_ips; i++)
		take(taken, &port->ips[i]);
	for (size_t i = 0; i < port->n_allowed; i++)
		take(taken, &port->allowed[i].ip);
}

/* Those of routers, too: only who asks for it shares an address. */
static void take_all(struct taken *taken, const struct hd_model *model, const char *network)
{
	hd_model_each(model, HD_NOUN_SUBNET, object)
		if (is(object->view.subnet.network, network) && object->view.subnet.has_gateway)
			take(taken, &object->view.subnet.gateway);
	hd_model_each(model, HD_NOUN_ROUTER, object)
		for (int family = 0; family < HD_FAMILIES; family++)
			if (is(object->view.router.gateway.network, network) &&
			    object->view.router.gateway.has_ip[family])
				take(taken, &object->view.router.gateway.ip[family]);
	hd_model_each(model, HD_NOUN_PORT, object)
		if (is(object->view.port.network, network))
			take_port(taken, &object->view.port);
	hd_model_each(model, HD_NOUN_PORT_FORWARD, object)
		if (is(hd_model_listen_network(model, &object->view.port_forward), network))
			take(taken, &object->view.port_forward.listen.ip);
	hd_model_each(model, HD_NOUN_FLOATING_IP, object)
		if (is(hd_model_floating_network(model, &object->view.floating_ip), network))
			take(taken, &object->view.floating_ip.ip);
	hd_model_each(model, HD_NOUN_NEIGHBOUR, object)
		if (is(object->view.neighbour.network, network))
			take(taken, &object->view.neighbour.ip);
}

/* IPv4 addresses are kept as they are mapped: the order of their bytes is that of their numbers. */
static int compare_addresses(const void *a, const void *b)
{
	const struct hd_ip *x = a, *y = b;

	return memcmp(x->bytes, y->bytes, sizeof(x->bytes));
}

static void next_address(struct hd_ip *ip)
{
	for (int i = 15; i >= 0 && !++ip->bytes[i]; i--)
		;
}

/* The first address of the pool that is a host's and is not taken; false if there is none. */
static bool first_free(const struct hd_subnet *subnet, const struct taken *taken, struct hd_ip *ret)
{
	struct hd_ip ip = subnet->pool_first;
	bool last = false;

	for (size_t i = 0; !last; next_address(&ip)) {
		last = hd_ip_same(&ip, &subnet->pool_last);
		while (i < taken->n && compare_addresses(&taken->list[i], &ip) < 0)
			i++;
		if ((i < taken->n && hd_ip_same(&taken->list[i], &ip)) ||
		    !hd_ip_is_host(&ip, &subnet->cidr))
			continue;
		*ret = ip;
		return true;
	}
	return false;
}

/* 1 with an address, 0 if no pool of the family has one. */
static int find_address(const struct hd_model *model, const char *network, int family,
			struct hd_ip *ret)
{
	_free_ struct hd_ip *list = NULL;
	struct taken taken = { 0 };

	take_all(&taken, model, network);
	list = taken.list;
	if (taken.failed)
		return -ENOMEM;
	qsort(taken.list, taken.n, sizeof(*taken.list), compare_addresses);
	hd_model_each(model, HD_NOUN_SUBNET, object) {
		const struct hd_subnet *subnet = &object->view.subnet;

		if (is(subnet->network, network) && subnet->has_pool &&
		    subnet->cidr.is_v4 == (family == HD_V4) && first_free(subnet, &taken, ret))
			return 1;
	}
	return 0;
}

/* The same options with the addresses (JSON) among them, so that they stay. */
static int put_addresses(struct hd_model *model, const struct hd_object *old, json_t *list,
			 struct hd_error *err)
{
	_json_ json_t *gateway = json_copy(json_object_get(old->spec, "gateway"));
	_json_ json_t *spec = json_copy(old->spec);
	struct hd_object *object = NULL;
	int r;

	if (json_object_set(gateway, "ip", list) < 0 ||
	    json_object_set(spec, "gateway", gateway) < 0)
		return no_memory(old, err);
	r = hd_object_renew(old, old->noun, old->name, spec, &object, err);
	if (r == 0 && hd_model_put(model, object) < 0)
		r = no_memory(object, err);
	hd_object_unref(object);
	return r;
}

static int settle_gateway(struct hd_model *model, const struct hd_object *router,
			  struct hd_error *err)
{
	_json_ json_t *list = json_array();
	int r = 0;

	for (int family = 0; r >= 0 && family < HD_FAMILIES; family++) {
		struct hd_ip ip;
		char text[64];

		r = find_address(model, router->view.router.gateway.network, family, &ip);
		if (r <= 0)
			continue;
		hd_ip_format(&ip, text);
		(void)json_array_append_new(list, json_string(text));
	}
	if (r < 0)
		return no_memory(router, err);
	if (!json_array_size(list))
		return 0;
	r = put_addresses(model, router, list, err);
	return r < 0 ? r : 1;
}

static int settle_gateways(struct hd_model *model, bool *ret_changed, struct hd_error *err)
{
	struct hd_object *next;
	int r = 0;

	for (struct hd_object *object = hd_model_first(model, HD_NOUN_ROUTER); object && r >= 0;
	     object = next) {
		const struct hd_router_gateway *gateway = &object->view.router.gateway;

		next = hd_model_next(model, object);
		if (!gateway->network || gateway->has_ip[HD_V4] || gateway->has_ip[HD_V6])
			continue;
		r = settle_gateway(model, object, err);
		*ret_changed |= r > 0;
	}
	return r < 0 ? r : 0;
}
