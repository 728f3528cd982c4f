// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* outside.c - addresses that a router has in the network of its gateway, besides its own */
#include "model/views.h"

/** struct check - one such address being validated, with whose it is */
struct check {
	const struct hd_model *model;
	const struct hd_object *object;
	const struct hd_object *router;
	const struct hd_ip *ip;
	const char *option;
	struct hd_error *err;
};

/* What the router's workloads take for a neighbour of theirs never comes to the router. */
static int validate_not_attached(const struct check *c)
{
	const struct hd_router *router = &c->router->view.router;
	int r;

	for (size_t i = 0; i < router->n_subnets; i++) {
		const struct hd_object *subnet =
			hd_model_get(c->model, HD_NOUN_SUBNET, router->subnets[i]);

		if (!hd_ip_in(c->ip, &subnet->view.subnet.cidr))
			continue;
		r = hd_refuse(c->object, c->err, c->option,
			      "it is in subnet %s, which is attached to router %s", subnet->name,
			      c->router->name);
		hd_error_hint(c->err, "%s is an address outside",
			      c->object->noun->id == HD_NOUN_FLOATING_IP
				      ? "a floating IP"
				      : "where a port forward listens");
		return r;
	}
	return 0;
}

static int validate_address(const struct check *c, const struct hd_object *object)
{
	const struct hd_subnet *subnet = &object->view.subnet;

	if (!hd_ip_is_host(c->ip, &subnet->cidr))
		return hd_refuse(c->object, c->err, c->option,
				 "it is no host's address in subnet %s", object->name);
	if (subnet->has_gateway && hd_ip_same(c->ip, &subnet->gateway))
		return hd_refuse(c->object, c->err, c->option, "it is the gateway of subnet %s",
				 object->name);
	return validate_not_attached(c);
}

static int no_gateway(const struct check *c)
{
	int r = hd_refuse(c->object, c->err, "router", "router %s has no gateway at a network",
			  c->router->name);

	hd_error_hint(c->err, "'heddle router gateway %s --network EXT --ip IP' gives it one",
		      c->router->name);
	return r;
}

/* Without a way out of its family it could be asked, and would not answer. */
static int no_family(const struct check *c)
{
	const char *network = c->router->view.router.gateway.network;
	int r = hd_refuse(c->object, c->err, "router", "router %s has no %s address outside",
			  c->router->name, c->ip->is_v4 ? "IPv4" : "IPv6");

	hd_error_hint(c->err,
		      "one of each family: 'heddle router gateway %s --network %s --ip IP --ip IP'",
		      c->router->name, network);
	return r;
}

int hd_outside_validate(const struct hd_model *model, const struct hd_object *object,
			const char *router, const struct hd_ip *ip, const char *option,
			struct hd_error *err)
{
	const struct check c = {
		.model = model,
		.object = object,
		.router = hd_model_get(model, HD_NOUN_ROUTER, router),
		.ip = ip,
		.option = option,
		.err = err,
	};
	const char *network = c.router->view.router.gateway.network;
	const struct hd_object *subnet;
	int r;

	if (!network)
		return no_gateway(&c);
	if (!hd_gateway_ip(&c.router->view.router.gateway, ip->is_v4 ? HD_V4 : HD_V6))
		return no_family(&c);
	subnet = hd_model_subnet_of(model, network, ip);
	if (subnet)
		return validate_address(&c, subnet);
	r = hd_refuse(object, err, option,
		      "no subnet of network %s, where router %s has its gateway, holds it", network,
		      router);
	hd_error_hint(err, "'heddle subnet list' shows the addresses of network %s", network);
	return r;
}
