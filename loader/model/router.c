// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* router.c - routers: the subnets that they join, and their static routes */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "hash.h"
#include "heddle/nat.h"
#include "heddle/router.h"
#include "model/views.h"

/* ---- the view ---- */

/*
 * A workload may move to another host and still knows its gateway's MAC: so it is the same everywhere, made of what all hosts call the
 * router. 24 bits of FNV-1a, folded as its authors advise for a size that is no power of two.
 */
static const uint8_t mac_prefix[3] = { HD_ROUTER_MAC_0, HD_ROUTER_MAC_1, HD_ROUTER_MAC_2 };

static void mac_of_name(const char *name, uint8_t mac[6])
{
	uint32_t h = hd_hash(HD_HASH_START, name, strlen(name));

	h = (h >> 24 ^ h) & 0xffffff;
	memcpy(mac, mac_prefix, sizeof(mac_prefix));
	mac[3] = (uint8_t)(h >> 16);
	mac[4] = (uint8_t)(h >> 8);
	mac[5] = (uint8_t)h;
}

static int parse_route(const json_t *json, struct hd_static_route *route)
{
	const char *via = json_string_value(json_object_get(json, "via"));
	const json_t *weight = json_object_get(json, "weight");

	route->id = (uint32_t)json_integer_value(json_object_get(json, "id"));
	route->weight = weight ? (uint8_t)json_integer_value(weight) : 1;
	route->blackhole = !via;
	if (via && hd_ip_parse(via, &route->via) < 0)
		return -EINVAL;
	return hd_ip_parse(json_string_value(json_object_get(json, "prefix")), &route->prefix);
}

static int routes_of(struct hd_object *object, struct hd_error *err)
{
	const json_t *list = json_object_get(object->spec, "routes"), *route;
	struct hd_router *router = &object->view.router;
	size_t i;

	router->routes = calloc(json_array_size(list) + 1, sizeof(*router->routes));
	if (!router->routes)
		return hd_error_set(err, HD_ERR_FAILED, "router %s: no memory", object->name);
	json_array_foreach(list, i, route)
		if (parse_route(route, &router->routes[router->n_routes++]) < 0)
			return hd_error_set(err, HD_ERR_INVALID,
					    "router %s: route %zu is unreadable", object->name, i);
	return 0;
}

#define ALL_PORTS (HD_NAT_USER_BLOCKS * HD_NAT_BLOCK_PORTS)

static uint32_t blocks_of(const json_t *gateway, const char *option, uint32_t ports_if_not_given)
{
	json_int_t ports = json_integer_value(json_object_get(gateway, option));

	return (ports ? (uint32_t)ports : ports_if_not_given) / HD_NAT_BLOCK_PORTS;
}

static enum hd_nat_filter filter_of(const json_t *gateway)
{
	const char *word = json_string_value(json_object_get(gateway, "nat-filter"));

	if (word && !strcmp(word, "endpoint"))
		return HD_NAT_FILTER_ENDPOINT;
	return word && !strcmp(word, "address-and-port") ? HD_NAT_FILTER_PORT
							 : HD_NAT_FILTER_ADDRESS;
}

static int gateway_ip_of(struct hd_object *object, const json_t *value, struct hd_error *err)
{
	struct hd_router_gateway *gateway = &object->view.router.gateway;
	const char *text = json_string_value(value);
	struct hd_ip ip;
	int family;

	if (!text || hd_ip_parse(text, &ip) < 0)
		return hd_error_set(err, HD_ERR_INVALID, "router %s: bad address %s", object->name,
				    text ?: "");
	family = ip.is_v4 ? HD_V4 : HD_V6;
	gateway->ip[family] = ip;
	gateway->has_ip[family] = true;
	return 0;
}

/* What was stored by an older heddled has one address, and no list. */
static int gateway_of(struct hd_object *object, struct hd_error *err)
{
	const json_t *spec = json_object_get(object->spec, "gateway");
	const json_t *list = json_object_get(spec, "ip"), *ip;
	struct hd_router_gateway *gateway = &object->view.router.gateway;
	int r = 0;
	size_t i;

	gateway->network = json_string_value(json_object_get(spec, "network"));
	gateway->uplink = json_string_value(json_object_get(spec, "uplink"));
	gateway->snat = spec && !json_is_false(json_object_get(spec, "snat"));
	gateway->nat_log = json_is_true(json_object_get(spec, "nat-log"));
	gateway->filter = gateway->uplink ? HD_NAT_FILTER_PORT : filter_of(spec);
	gateway->address_blocks = blocks_of(spec, "nat-ports-per-address", ALL_PORTS);
	gateway->blocks = blocks_of(spec, "nat-ports", 0);
	if (json_is_string(list))
		return gateway_ip_of(object, list, err);
	json_array_foreach(list, i, ip)
		if (r == 0)
			r = gateway_ip_of(object, ip, err);
	return r;
}

/* The datapath knows by its first bytes that a MAC may be a router's, without a look-up. */
static int parse_mac(const struct hd_object *object, const char *text, uint8_t mac[6],
		     struct hd_error *err)
{
	if (hd_mac_parse(text, mac) == 0 && !memcmp(mac, mac_prefix, sizeof(mac_prefix)))
		return 0;
	hd_error_set(err, HD_ERR_INVALID, "router %s: MAC %s is none that a router can have",
		     object->name, text);
	hd_error_hint(err, "those of routers begin with %02x:%02x:%02x", mac_prefix[0],
		      mac_prefix[1], mac_prefix[2]);
	hd_error_where(err, "routers/%s/mac", object->name);
	return -EINVAL;
}

int hd_router_view(struct hd_object *object, struct hd_error *err)
{
	struct hd_router *router = &object->view.router;
	const char *mac = hd_spec_text(object, "mac");
	int r;

	mac_of_name(object->name, router->mac);
	if (mac && parse_mac(object, mac, router->mac, err) < 0)
		return -EINVAL;
	r = hd_spec_names(object, "subnets", &router->subnets, &router->n_subnets, err);
	if (r == 0)
		r = routes_of(object, err);
	return r < 0 ? r : gateway_of(object, err);
}

/* ---- where it is ---- */

struct hd_object *hd_model_router_of(const struct hd_model *model, const char *subnet)
{
	hd_model_each(model, HD_NOUN_ROUTER, object)
		for (size_t i = 0; i < object->view.router.n_subnets; i++)
			if (!strcmp(object->view.router.subnets[i], subnet))
				return object;
	return NULL;
}

const struct hd_ip *hd_gateway_ip(const struct hd_router_gateway *gateway, int family)
{
	return gateway->has_ip[family] ? &gateway->ip[family] : NULL;
}

bool hd_gateway_has(const struct hd_router_gateway *gateway, const struct hd_ip *ip)
{
	const struct hd_ip *own = hd_gateway_ip(gateway, ip->is_v4 ? HD_V4 : HD_V6);

	return own && hd_ip_same(own, ip);
}

const struct hd_object *hd_router_outside(const struct hd_model *model,
					  const struct hd_router *router, int family)
{
	const struct hd_router_gateway *gateway = &router->gateway;
	const struct hd_ip *ip = hd_gateway_ip(gateway, family);

	return gateway->network && ip ? hd_model_subnet_of(model, gateway->network, ip) : NULL;
}

bool hd_router_is_in(const struct hd_model *model, const struct hd_object *object,
		     const char *network)
{
	const struct hd_router *router = &object->view.router;

	for (size_t i = 0; i < router->n_subnets; i++) {
		const struct hd_object *subnet =
			hd_model_get(model, HD_NOUN_SUBNET, router->subnets[i]);

		if (!strcmp(subnet->view.subnet.network, network))
			return true;
	}
	return router->gateway.network && !strcmp(router->gateway.network, network);
}

/* ---- is it sound ---- */

/**
 * struct check - one router being validated
 * @subnets: its subnets, in order of their addresses
 */
struct check {
	const struct hd_model *model;
	const struct hd_object *object;
	const struct hd_router *router;
	const struct hd_object **subnets;
	struct hd_error *err;
};

static int validate_subnets(const struct check *c);
static int validate_gateway(const struct check *c);
static int validate_routes(const struct check *c);

static int compare_subnets(const void *a, const void *b)
{
	const struct hd_object *x = *(const struct hd_object *const *)a,
			       *y = *(const struct hd_object *const *)b;
	const struct hd_ip *one = &x->view.subnet.cidr, *other = &y->view.subnet.cidr;
	int r = memcmp(one->bytes, other->bytes, sizeof(one->bytes));

	if (!r)
		r = (int)one->prefix - (int)other->prefix;
	return r ? r : strcmp(x->name, y->name);
}

int hd_router_validate(const struct hd_model *model, const struct hd_object *object,
		       struct hd_error *err)
{
	const struct hd_router *router = &object->view.router;
	_free_ const struct hd_object **subnets = calloc(router->n_subnets + 1, sizeof(*subnets));
	const struct check check = { model, object, router, subnets, err };
	int r;

	if (!subnets)
		return hd_error_set(err, HD_ERR_FAILED, "router %s: no memory", object->name);
	for (size_t i = 0; i < router->n_subnets; i++)
		subnets[i] = hd_model_get(model, HD_NOUN_SUBNET, router->subnets[i]);
	qsort(subnets, router->n_subnets, sizeof(*subnets), compare_subnets);
	r = validate_subnets(&check);
	if (r == 0)
		r = validate_gateway(&check);
	return r < 0 ? r : validate_routes(&check);
}

/* ---- its subnets ---- */

static int validate_subnet(const struct check *c, const struct hd_object *object)
{
	const struct hd_subnet *subnet = &object->view.subnet;
	const char *unrouted = hd_ip_unrouted(&subnet->cidr);
	char gateway[64];
	int r = 0;

	hd_ip_format(&subnet->gateway, gateway);
	if (unrouted)
		return hd_refuse_as(c->object, c->err, HD_ERR_INVALID, "subnets",
				    "subnet %s has %s addresses: those are not routed",
				    object->name, unrouted);
	if (subnet->cidr.prefix == (subnet->cidr.is_v4 ? 32 : 128))
		return hd_refuse_as(c->object, c->err, HD_ERR_INVALID, "subnets",
				    "subnet %s has one address: there is nobody to route for",
				    object->name);
	if (!subnet->has_gateway)
		r = hd_refuse_as(c->object, c->err, HD_ERR_INVALID, "subnets",
				 "subnet %s has no gateway", object->name);
	else if (!hd_ip_is_host(&subnet->gateway, &subnet->cidr))
		r = hd_refuse_as(c->object, c->err, HD_ERR_INVALID, "subnets",
				 "subnet %s: its gateway %s is no host's address", object->name,
				 gateway);
	if (r < 0)
		hd_error_hint(c->err,
			      "the router's address there: 'heddle subnet set %s --gateway IP'",
			      object->name);
	return r;
}

/* In order of their addresses, one that overlaps with any overlaps with the next. */
static int validate_subnets(const struct check *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->router->n_subnets; i++)
		r = validate_subnet(c, c->subnets[i]);
	for (size_t i = 1; r == 0 && i < c->router->n_subnets; i++) {
		const struct hd_object *one = c->subnets[i - 1], *other = c->subnets[i];

		if (!hd_ip_overlaps(&one->view.subnet.cidr, &other->view.subnet.cidr))
			continue;
		r = hd_refuse_as(c->object, c->err, HD_ERR_CONFLICT, "subnets",
				 "subnets %s and %s overlap", one->name, other->name);
		hd_error_hint(c->err, "what overlaps needs a router of its own");
	}
	return r;
}

/* ---- its way out ---- */

/** struct way_out - one address of its gateway; @ip: NULL = there is none; @subnet: that holds it */
struct way_out {
	const struct check *c;
	const struct hd_ip *ip;
	const struct hd_object *subnet;
};

static int no_such(const struct check *c, const char *noun, const char *name)
{
	int r = hd_refuse_as(c->object, c->err, HD_ERR_NOT_FOUND, "gateway", "%s %s does not exist",
			     noun, name);

	hd_error_hint(c->err, "'heddle %s list' shows what there is", noun);
	return r;
}

__attribute__((format(printf, 3, 4))) static int
bad_gateway(const struct way_out *way, enum hd_error_code code, const char *fmt, ...)
{
	const struct hd_router_gateway *gateway = &way->c->router->gateway;
	char text[200], ip[64] = "";
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a longer text is cut */
	va_end(ap);
	if (way->ip)
		hd_ip_format(way->ip, ip);
	return hd_refuse_as(way->c->object, way->c->err, code, "gateway",
			    "gateway %s%sat network %s: %s", ip, way->ip ? " " : "",
			    gateway->network, text);
}

/* hd_model_settle() has found none. */
static int no_address(const struct check *c)
{
	const char *network = c->router->gateway.network;
	const struct way_out none = { .c = c };
	int r;

	hd_model_each(c->model, HD_NOUN_SUBNET, object) {
		if (strcmp(object->view.subnet.network, network) || !object->view.subnet.has_pool)
			continue;
		r = bad_gateway(&none, HD_ERR_CONFLICT, "no address of its subnets' pools is free");
		hd_error_hint(c->err,
			      "give one with --ip, or make the pool larger: 'heddle subnet "
			      "set %s --pool FIRST-LAST'",
			      object->name);
		return r;
	}
	r = bad_gateway(&none, HD_ERR_INVALID, "ip is missing, and no subnet there has a pool");
	hd_error_hint(c->err, "give the router's address there with --ip");
	return r;
}

/* One network is not outside and inside at once. */
static int validate_apart(const struct way_out *way)
{
	const struct hd_object *outside = way->subnet;
	const struct check *c = way->c;
	const char *network = c->router->gateway.network;
	int r;

	for (size_t i = 0; i < c->router->n_subnets; i++) {
		const struct hd_object *inside = c->subnets[i];

		if (!strcmp(inside->view.subnet.network, network))
			r = bad_gateway(way, HD_ERR_CONFLICT,
					"subnet %s of that network is attached to the router",
					inside->name);
		else if (hd_ip_overlaps(&inside->view.subnet.cidr, &outside->view.subnet.cidr))
			r = bad_gateway(way, HD_ERR_CONFLICT,
					"its subnet %s overlaps with subnet %s", outside->name,
					inside->name);
		else
			continue;
		hd_error_hint(c->err,
			      "what is outside is not inside: 'heddle router detach %s "
			      "--subnet %s'",
			      c->object->name, inside->name);
		return r;
	}
	return 0;
}

/* The gateway is the default route. */
static int validate_beside_routes(const struct way_out *way)
{
	const struct hd_object *outside = way->subnet;
	const struct check *c = way->c;

	for (size_t i = 0; i < c->router->n_routes; i++) {
		const struct hd_static_route *route = &c->router->routes[i];
		int r;

		if (!hd_ip_overlaps(&route->prefix, &outside->view.subnet.cidr))
			continue;
		if (route->prefix.prefix)
			r = bad_gateway(way, HD_ERR_CONFLICT,
					"its subnet %s overlaps with route %u", outside->name,
					route->id);
		else
			r = bad_gateway(way, HD_ERR_CONFLICT, "route %u is a default route too",
					route->id);
		hd_error_hint(c->err,
			      "a router has one of them: 'heddle router route-del %s %u', "
			      "or 'heddle router gateway %s --none'",
			      c->object->name, route->id, c->object->name);
		return r;
	}
	return 0;
}

/* The outside subnet: where the next router is, and this one has an address besides. */
static int validate_subnet_outside(const struct way_out *way)
{
	const struct hd_object *object = way->subnet;
	const struct hd_subnet *subnet = &object->view.subnet;
	const struct check *c = way->c;
	const char *unrouted = hd_ip_unrouted(&subnet->cidr);
	int r;

	if (unrouted)
		return bad_gateway(way, HD_ERR_INVALID,
				   "subnet %s has %s addresses: those are not routed", object->name,
				   unrouted);
	if (!subnet->has_gateway) {
		r = bad_gateway(way, HD_ERR_INVALID, "subnet %s has no gateway", object->name);
		hd_error_hint(c->err, "the next router: 'heddle subnet set %s --gateway IP'",
			      object->name);
		return r;
	}
	if (!hd_ip_same(&subnet->gateway, way->ip) && hd_ip_is_host(way->ip, &subnet->cidr))
		return 0;
	r = bad_gateway(way, HD_ERR_INVALID, "it can't have that address");
	hd_error_hint(c->err, "it is that of the next router, or of no host");
	return r;
}

static int validate_way_out(const struct way_out *way)
{
	const struct check *c = way->c;
	int r;

	if (!way->subnet) {
		r = bad_gateway(way, HD_ERR_INVALID, "no subnet there holds that address");
		hd_error_hint(c->err,
			      "add one: 'heddle subnet add SUBNET --network %s --cidr CIDR "
			      "--gateway IP'",
			      c->router->gateway.network);
		return r;
	}
	r = validate_subnet_outside(way);
	if (r == 0)
		r = validate_apart(way);
	return r < 0 ? r : validate_beside_routes(way);
}

static int validate_outside(const struct check *c)
{
	bool any = false;
	int r = 0;

	for (int family = 0; r == 0 && family < HD_FAMILIES; family++) {
		const struct way_out way = {
			.c = c,
			.ip = hd_gateway_ip(&c->router->gateway, family),
			.subnet = hd_router_outside(c->model, c->router, family),
		};

		if (way.ip)
			r = validate_way_out(&way);
		any |= way.ip != NULL;
	}
	return any ? r : no_address(c);
}

static int validate_gateway(const struct check *c)
{
	const struct hd_router_gateway *gateway = &c->router->gateway;

	if (gateway->uplink && !hd_model_get(c->model, HD_NOUN_UPLINK, gateway->uplink))
		return no_such(c, "uplink", gateway->uplink);
	if (gateway->network && !hd_model_get(c->model, HD_NOUN_NETWORK, gateway->network))
		return no_such(c, "network", gateway->network);
	return gateway->network ? validate_outside(c) : 0;
}

/* ---- its routes ---- */

static int bad_route(const struct check *c, const struct hd_static_route *route,
		     enum hd_error_code code, const char *what)
{
	char prefix[64], via[64];

	hd_ip_format(&route->prefix, prefix);
	hd_ip_format(&route->via, via);
	if (route->blackhole)
		return hd_refuse_as(c->object, c->err, code, "routes", "blackhole %s/%u: %s",
				    prefix, route->prefix.prefix, what);
	return hd_refuse_as(c->object, c->err, code, "routes", "route %s/%u via %s: %s", prefix,
			    route->prefix.prefix, via, what);
}

/* The subnet on which a next hop is, attached or outside. */
static const struct hd_object *subnet_of_hop(const struct check *c, const struct hd_ip *via)
{
	const struct hd_object *outside;

	for (size_t i = 0; i < c->router->n_subnets; i++)
		if (hd_ip_in(via, &c->subnets[i]->view.subnet.cidr))
			return c->subnets[i];
	outside = hd_router_outside(c->model, c->router, via->is_v4 ? HD_V4 : HD_V6);
	return outside && hd_ip_in(via, &outside->view.subnet.cidr) ? outside : NULL;
}

static bool is_own_address(const struct check *c, const struct hd_ip *ip)
{
	for (size_t i = 0; i < c->router->n_subnets; i++)
		if (hd_ip_same(&c->subnets[i]->view.subnet.gateway, ip))
			return true;
	hd_model_each(c->model, HD_NOUN_FLOATING_IP, object)
		if (hd_ip_same(&object->view.floating_ip.ip, ip) &&
		    !strcmp(object->view.floating_ip.router, c->object->name))
			return true;
	hd_model_each(c->model, HD_NOUN_PORT_FORWARD, object)
		if (hd_ip_same(&object->view.port_forward.listen.ip, ip) &&
		    !strcmp(object->view.port_forward.router, c->object->name))
			return true;
	return hd_gateway_has(&c->router->gateway, ip);
}

static int unreachable(const struct check *c, const struct hd_static_route *route)
{
	int r = bad_route(c, route, HD_ERR_INVALID,
			  "next hop unreachable: no subnet of the router holds it");

	hd_error_hint(
		c->err,
		"attach its subnet ('heddle router attach %s --subnet SUBNET'), or delete the "
		"route first",
		c->object->name);
	return r;
}

static int loop(const struct check *c, const struct hd_static_route *route)
{
	int r = bad_route(c, route, HD_ERR_INVALID,
			  "route loop: the next hop is the router itself");

	hd_error_hint(c->err, "via is the address of another router; subnets that are attached "
			      "need no route");
	return r;
}

static int validate_hop(const struct check *c, const struct hd_static_route *route)
{
	const struct hd_object *subnet = subnet_of_hop(c, &route->via);

	if (!subnet)
		return unreachable(c, route);
	if (is_own_address(c, &route->via))
		return loop(c, route);
	if (!hd_ip_is_host(&route->via, &subnet->view.subnet.cidr))
		return bad_route(c, route, HD_ERR_INVALID, "the next hop is no host's address");
	return 0;
}

/* What a subnet has for itself: all of it at once, the router's address there, and those of no host. */
static const char *kept_by_subnet(const struct hd_subnet *subnet, const struct hd_ip *prefix)
{
	if (hd_ip_same(&subnet->cidr, prefix) && subnet->cidr.prefix == prefix->prefix)
		return "a subnet with that prefix is attached";
	if (prefix->prefix != (prefix->is_v4 ? 32 : 128) || !hd_ip_in(prefix, &subnet->cidr))
		return NULL;
	if (hd_ip_same(&subnet->gateway, prefix))
		return "that is the router's own address";
	return hd_ip_is_host(prefix, &subnet->cidr) ? NULL : "that is no host's address";
}

static int validate_route(const struct check *c, const struct hd_static_route *route)
{
	if (hd_ip_unrouted(&route->prefix))
		return bad_route(c, route, HD_ERR_INVALID,
				 "loopback, link-local and multicast addresses are not routed");
	for (size_t i = 0; i < c->router->n_subnets; i++) {
		const char *what = kept_by_subnet(&c->subnets[i]->view.subnet, &route->prefix);

		if (what)
			return bad_route(c, route, HD_ERR_CONFLICT, what);
	}
	return route->blackhole ? 0 : validate_hop(c, route);
}

static int compare_prefixes(const struct hd_static_route *a, const struct hd_static_route *b)
{
	int r = memcmp(a->prefix.bytes, b->prefix.bytes, sizeof(a->prefix.bytes));

	return r ? r : (int)a->prefix.prefix - (int)b->prefix.prefix;
}

/* By prefix, then next hop; that of a blackhole is all zeros, and comes first. */
static int compare_routes(const void *a, const void *b)
{
	const struct hd_static_route *x = *(const struct hd_static_route *const *)a,
				     *y = *(const struct hd_static_route *const *)b;
	int r = compare_prefixes(x, y);

	return r ? r : memcmp(x->via.bytes, y->via.bytes, sizeof(x->via.bytes));
}

/* Routes for one prefix share its flows, by different next hops; a blackhole shares with nobody. The younger one is to blame. */
static int validate_pair(const struct check *c, const struct hd_static_route *a,
			 const struct hd_static_route *b)
{
	const struct hd_static_route *old = a->id < b->id ? a : b, *new = old == a ? b : a;
	char text[80];

	if (compare_prefixes(a, b) ||
	    (!a->blackhole && !b->blackhole && !hd_ip_same(&a->via, &b->via)))
		return 0;
	if (old->blackhole == new->blackhole)
		(void)snprintf(text, sizeof(text), "route %u leads there already", old->id);
	else
		(void)snprintf(text, sizeof(text), "route %u is %s", old->id,
			       old->blackhole ? "a blackhole for that prefix"
					      : "for that prefix too");
	return bad_route(c, new, HD_ERR_CONFLICT, text);
}

static int validate_hops(const struct check *c, const struct hd_static_route *const *sorted)
{
	char text[64];

	for (size_t i = HD_ROUTE_HOPS_MAX; i < c->router->n_routes; i++) {
		if (compare_prefixes(sorted[i - HD_ROUTE_HOPS_MAX], sorted[i]))
			continue;
		(void)snprintf(text, sizeof(text), "more than %d routes for that prefix",
			       HD_ROUTE_HOPS_MAX);
		return bad_route(c, sorted[i], HD_ERR_INVALID, text);
	}
	return 0;
}

static int validate_routes(const struct check *c)
{
	size_t n = c->router->n_routes;
	_free_ const struct hd_static_route **sorted = calloc(n + 1, sizeof(*sorted));
	int r = sorted ? 0 : hd_refuse_as(c->object, c->err, HD_ERR_FAILED, "routes", "no memory");

	for (size_t i = 0; r == 0 && i < n; i++) {
		sorted[i] = &c->router->routes[i];
		r = validate_route(c, sorted[i]);
	}
	if (r < 0)
		return r;
	qsort(sorted, n, sizeof(*sorted), compare_routes);
	for (size_t i = 1; r == 0 && i < n; i++)
		r = validate_pair(c, sorted[i - 1], sorted[i]);
	return r < 0 ? r : validate_hops(c, sorted);
}

/* ---- numbers ---- */

/* All that a route says, as text; to be freed. */
static char *text_of_route(const json_t *route)
{
	return json_dumps(route, JSON_COMPACT | JSON_SORT_KEYS);
}

/**
 * struct numbers - the numbers of the routes that were there before
 * @by_text: by what a route says
 * @used:    a bit for each
 * @last:    highest of them; then the last one that was given
 */
struct numbers {
	json_t *by_text;
	uint8_t used[HD_ROUTE_ID_MAX / 8 + 1];
	uint32_t last;
};

static void note_number(struct numbers *numbers, const char *text, json_t *id)
{
	uint32_t number = (uint32_t)json_integer_value(id);

	(void)json_object_set(numbers->by_text, text, id);
	if (number <= HD_ROUTE_ID_MAX)
		numbers->used[number / 8] |= (uint8_t)(1 << number % 8);
	if (number > numbers->last)
		numbers->last = number;
}

static void find_old(const struct hd_object *old, struct numbers *numbers)
{
	const json_t *list = old ? json_object_get(old->spec, "routes") : NULL;
	_json_ json_t *plain = hd_items_plain(list);
	const json_t *route;
	size_t i;

	json_array_foreach(plain, i, route) {
		_free_ char *text = text_of_route(route);

		if (text)
			note_number(numbers, text, json_object_get(json_array_get(list, i), "id"));
	}
}

/* The next one behind the last, so that one that was just freed rests; 0 if none is left. */
static uint32_t new_number(struct numbers *numbers)
{
	for (uint32_t tries = 0; tries < HD_ROUTE_ID_MAX; tries++) {
		uint32_t id = numbers->last % HD_ROUTE_ID_MAX + 1;

		numbers->last = id;
		if (numbers->used[id / 8] & 1 << id % 8)
			continue;
		numbers->used[id / 8] |= (uint8_t)(1 << id % 8);
		return id;
	}
	return 0;
}

/* What is there twice is refused later: here it gets two. */
static uint32_t number_of(struct numbers *numbers, const json_t *route)
{
	_free_ char *text = text_of_route(route);
	uint32_t id =
		text ? (uint32_t)json_integer_value(json_object_get(numbers->by_text, text)) : 0;

	if (!id)
		return new_number(numbers);
	(void)json_object_del(numbers->by_text, text);
	return id;
}

static int give_numbers(struct numbers *numbers, json_t *list, struct hd_error *err)
{
	json_t *route;
	size_t i;

	json_array_foreach(list, i, route) {
		uint32_t id;

		if (json_integer_value(json_object_get(route, "weight")) == 1)
			(void)json_object_del(route, "weight"); /* the default */
		id = number_of(numbers, route);
		if (!id)
			return hd_error_set(err, HD_ERR_FAILED,
					    "router: there is no room for more than %d routes",
					    HD_ROUTE_ID_MAX);
		(void)json_object_set_new(route, "id", json_integer(id));
	}
	return 0;
}

/* The list is copied: what came in may be shared with the object that is replaced. */
static int number_routes(const struct hd_object *old, json_t *spec, struct hd_error *err)
{
	json_t *list = hd_items_plain(json_object_get(spec, "routes"));
	_free_ struct numbers *numbers = calloc(1, sizeof(*numbers));
	_json_ json_t *by_text = json_object();
	int r;

	if (json_object_set_new(spec, "routes", list) < 0 || !numbers || !by_text)
		return hd_error_set(err, HD_ERR_FAILED, "router: no memory");
	numbers->by_text = by_text;
	find_old(old, numbers);
	r = give_numbers(numbers, list, err);
	if (r == 0 && hd_items_sort(list) < 0)
		r = hd_error_set(err, HD_ERR_FAILED, "router: no memory");
	return r;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(json_string_value(*(json_t *const *)a),
		      json_string_value(*(json_t *const *)b));
}

static int sort_subnets(json_t *spec)
{
	const json_t *list = json_object_get(spec, "subnets");
	size_t n = json_array_size(list);
	_free_ json_t **names = calloc(n + 1, sizeof(*names));
	json_t *sorted = json_array();

	for (size_t i = 0; names && i < n; i++)
		names[i] = json_array_get(list, i);
	if (names)
		qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; names && i < n; i++)
		(void)json_array_append(sorted, names[i]);
	if (!names || json_array_size(sorted) != n) {
		json_decref(sorted);
		return -ENOMEM;
	}
	return json_object_set_new(spec, "subnets", sorted) < 0 ? -ENOMEM : 0;
}

/* IPv4 first, so that there is one spelling. */
static json_t *sorted_addresses(const json_t *ip)
{
	json_t *sorted = json_array(), *one;
	size_t i;

	if (json_is_string(ip))
		(void)json_array_append(sorted, (json_t *)ip); /* from an older heddled */
	json_array_foreach(ip, i, one)
		if (strchr(json_string_value(one), ':'))
			(void)json_array_append(sorted, one);
		else
			(void)json_array_insert(sorted, 0, one);
	return sorted;
}

/* The addresses that it has at that network stay if none is asked for; source NAT with all defaults is what there is without asking. */
static int complete_gateway(const struct hd_object *old, json_t *spec)
{
	const json_t *was = old ? json_object_get(old->spec, "gateway") : NULL;
	json_t *gateway = json_copy(json_object_get(spec, "gateway"));
	const char *filter = json_string_value(json_object_get(gateway, "nat-filter"));
	json_t *ip = json_object_get(was, "ip");

	if (json_integer_value(json_object_get(gateway, "nat-ports-per-address")) == ALL_PORTS)
		(void)json_object_del(gateway, "nat-ports-per-address");
	if (filter && !strcmp(filter, "address"))
		(void)json_object_del(gateway, "nat-filter");
	if (json_is_true(json_object_get(gateway, "snat")))
		(void)json_object_del(gateway, "snat");
	if (json_is_false(json_object_get(gateway, "nat-log")))
		(void)json_object_del(gateway, "nat-log");
	if (ip && !json_object_get(gateway, "ip") &&
	    json_equal(json_object_get(gateway, "network"), json_object_get(was, "network")))
		(void)json_object_set(gateway, "ip", ip);
	if (json_object_get(gateway, "ip"))
		(void)json_object_set_new(gateway, "ip",
					  sorted_addresses(json_object_get(gateway, "ip")));
	return json_object_set_new(spec, "gateway", gateway) < 0 ? -ENOMEM : 0;
}

int hd_router_number(const struct hd_object *old, json_t *spec, struct hd_error *err)
{
	if (json_object_get(spec, "subnets") && sort_subnets(spec) < 0)
		return hd_error_set(err, HD_ERR_FAILED, "router: no memory");
	if (json_object_get(spec, "gateway") && complete_gateway(old, spec) < 0)
		return hd_error_set(err, HD_ERR_FAILED, "router: no memory");
	return json_object_get(spec, "routes") ? number_routes(old, spec, err) : 0;
}
