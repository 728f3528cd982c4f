// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* settle.c - what objects leave to others: groups by label (select.c), addresses of ports and of routers' gateways, the address that a floating IP stands for */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "model/pool.h"
#include "model/views.h"

static int settle_gateways(struct hd_model *model, bool *ret_changed, struct hd_error *err);
static int settle_ports(struct hd_model *model, bool *ret_changed, struct hd_error *err);
static int settle_floating_ips(struct hd_model *model, bool *ret_changed, struct hd_error *err);

/* Addresses first: a floating IP is no address for others, and stands for that of a port; and a port with a new address is a new object. */
int hd_model_settle(struct hd_model *model, struct hd_error *err)
{
	bool changed = false;
	int r = settle_gateways(model, &changed, err);

	if (r == 0)
		r = settle_ports(model, &changed, err);
	if (r == 0)
		r = hd_settle_groups(model, &changed, err);
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

/* The only address of the port that is of the floating IP's family; false if there is none, or several. */
static bool only_address(const struct hd_model *model, const struct hd_floating_ip *fip,
			 struct hd_ip *ret)
{
	const struct hd_object *object = hd_model_get(model, HD_NOUN_PORT, fip->port);
	size_t n = 0;

	for (size_t i = 0; object && i < object->view.port.n_ips; i++) {
		if (object->view.port.ips[i].is_v4 != fip->ip.is_v4)
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
	bool has_fixed = only_address(model, was, &fixed);
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

/* 1 with an address, 0 if no pool of the family has one. */
static int find_address(const struct hd_model *model, const char *network, int family,
			struct hd_ip *ret)
{
	CLEANUP(hd_pool_done) struct hd_pool pool = { 0 };
	int r = hd_pool_open(model, network, &pool);

	if (r < 0)
		return r;
	hd_model_each(model, HD_NOUN_SUBNET, object) {
		const struct hd_subnet *subnet = &object->view.subnet;
		struct hd_range range = hd_pool_of_subnet(subnet);
		uint64_t from_first = 0;

		if (!strcmp(subnet->network, network) && subnet->has_pool &&
		    subnet->cidr.is_v4 == (family == HD_V4) &&
		    hd_pool_next(&pool, &range, &from_first, ret))
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

/* ---- ports ---- */

/* One port whose addresses are being found. @list: those that it has or gets. */
struct asking {
	struct hd_model *model;
	const char *network;
	struct hd_pool pool;
	json_t *list;
};

static void asking_done(struct asking *asking)
{
	hd_pool_done(&asking->pool);
	json_decref(asking->list);
}

/* 1 with an address, 0 if none of the range is free. */
static int take_from(struct asking *asking, const struct hd_range *range)
{
	struct hd_ip ip;
	char text[64];

	if (!hd_pool_next(&asking->pool, range,
			  hd_model_next_address(asking->model, range->first.is_v4), &ip))
		return 0;
	hd_ip_format(&ip, text);
	if (json_array_append_new(asking->list, json_string(text)) < 0)
		return -ENOMEM;
	return hd_pool_take(&asking->pool, &ip) < 0 ? -ENOMEM : 1;
}

/* A family of which there is no subnet is not asked for. */
static int take_family(struct asking *asking, bool is_v4, bool *ret_any)
{
	int r = 1;

	hd_model_each(asking->model, HD_NOUN_SUBNET, object) {
		const struct hd_subnet *subnet = &object->view.subnet;
		struct hd_range range = hd_pool_of_subnet(subnet);

		if (strcmp(subnet->network, asking->network) || subnet->cidr.is_v4 != is_v4)
			continue;
		*ret_any = true;
		r = take_from(asking, &range);
		if (r)
			return r;
	}
	return r;
}

static int take_auto(struct asking *asking)
{
	bool any = false;
	int r = take_family(asking, true, &any);

	if (r > 0)
		r = take_family(asking, false, &any);
	return r > 0 && !any ? 0 : r;
}

/* Of the first range that has one. */
static int take_range(struct asking *asking, const char *text)
{
	_free_ char *copy = strdup(text);
	char *rest = copy, *one;
	int r = copy ? 0 : -ENOMEM;

	while (r == 0 && (one = strsep(&rest, ","))) {
		char *dash = strchr(one, '-');
		const struct hd_object *subnet;
		struct hd_range range;

		if (!dash)
			continue;
		*dash = 0;
		if (hd_ip_parse(one, &range.first) < 0 || hd_ip_parse(dash + 1, &range.last) < 0)
			continue;
		subnet = hd_model_subnet_of(asking->model, asking->network, &range.first);
		if (!subnet || !hd_ip_in(&range.last, &subnet->view.subnet.cidr))
			continue;
		range.cidr = &subnet->view.subnet.cidr;
		r = take_from(asking, &range);
	}
	return r;
}

static int take_one(struct asking *asking, json_t *item)
{
	const char *text = json_string_value(item);
	struct hd_ip ip;

	if (hd_ip_parse(text, &ip) == 0)
		return json_array_append(asking->list, item) < 0 ? -ENOMEM : 1;
	return strcmp(text, HD_IP_AUTO) ? take_range(asking, text) : take_auto(asking);
}

/* 1 with an address for each wish, 0 if there is none for one of them. */
static int ask(struct asking *asking, const struct hd_object *port)
{
	int r = hd_pool_open(asking->model, asking->network, &asking->pool);
	json_t *item;
	size_t i;

	asking->list = json_array();
	if (r < 0 || !asking->list)
		return -ENOMEM;
	r = 1;
	json_array_foreach(json_object_get(port->spec, "ip"), i, item)
		if (r > 0)
			r = take_one(asking, item);
	return r;
}

static int settle_port(struct hd_model *model, const struct hd_object *old, struct hd_error *err)
{
	CLEANUP(asking_done)
	struct asking asking = { .model = model, .network = old->view.port.network };
	_json_ json_t *spec = json_copy(old->spec);
	struct hd_object *object = NULL;
	int r = ask(&asking, old);

	if (r == 0)
		return 0;
	if (r < 0 || !spec || json_object_set(spec, "ip", asking.list) < 0)
		return no_memory(old, err);
	r = hd_object_renew(old, old->noun, old->name, spec, &object, err);
	if (r == 0)
		r = hd_model_put(model, object) < 0 ? no_memory(object, err) : 1;
	hd_object_unref(object);
	return r;
}

/* What a wish names must be there: whether it is, is for hd_model_validate() to say. */
static bool wants_address(const struct hd_model *model, const struct hd_object *port)
{
	return port->view.port.wish && hd_model_network_of(model, &port->view.port);
}

static int settle_ports(struct hd_model *model, bool *ret_changed, struct hd_error *err)
{
	struct hd_object *next;
	int r = 0;

	for (struct hd_object *object = hd_model_first(model, HD_NOUN_PORT); object && r >= 0;
	     object = next) {
		next = hd_model_next(model, object);
		if (!wants_address(model, object))
			continue;
		r = settle_port(model, object, err);
		*ret_changed |= r > 0;
	}
	return r < 0 ? r : 0;
}
