// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* floating_ip.c - floating IPs: an outside address of a router that stands for one address of a port */
#include <errno.h>
#include <string.h>

#include "model/views.h"

int hd_floating_ip_view(struct hd_object *object, struct hd_error *err)
{
	struct hd_floating_ip *fip = &object->view.floating_ip;
	const char *fixed = hd_spec_text(object, "fixed-ip");
	int r = hd_name_check(object->noun, object->name, err);

	if (r < 0)
		return r;
	if (hd_ip_parse(object->name, &fip->ip) < 0 || (fixed && hd_ip_parse(fixed, &fip->fixed)))
		return hd_error_set(err, HD_ERR_INVALID, "floating-ip %s: bad address",
				    object->name);
	fip->router = hd_spec_text(object, "router");
	fip->port = hd_spec_text(object, "port");
	fip->has_fixed = fixed;
	if (!fixed || fip->fixed.is_v4 == fip->ip.is_v4)
		return 0;
	return hd_refuse(object, err, "fixed-ip", "fixed-ip %s is not of its family", fixed);
}

const char *hd_model_floating_network(const struct hd_model *model,
				      const struct hd_floating_ip *floating_ip)
{
	const struct hd_object *router = hd_model_get(model, HD_NOUN_ROUTER, floating_ip->router);

	return router ? router->view.router.gateway.network : NULL;
}

/* ---- is it sound ---- */

/** struct check - one floating IP being validated, with what it names */
struct check {
	const struct hd_model *model;
	const struct hd_object *object;
	const struct hd_floating_ip *fip;
	const struct hd_object *router;
	const struct hd_object *port;
	struct hd_error *err;
};

static int validate_inside(const struct check *c);

int hd_floating_ip_validate(const struct hd_model *model, const struct hd_object *object,
			    struct hd_error *err)
{
	const struct hd_floating_ip *fip = &object->view.floating_ip;
	const struct check check = {
		.model = model,
		.object = object,
		.fip = fip,
		.router = hd_model_get(model, HD_NOUN_ROUTER, fip->router),
		.port = hd_model_get(model, HD_NOUN_PORT, fip->port),
		.err = err,
	};
	int r = hd_outside_validate(model, object, fip->router, &fip->ip, "router", err);

	return r < 0 ? r : validate_inside(&check);
}

/* ---- what it stands for ---- */

static int no_fixed(const struct check *c)
{
	const char *family = c->fip->ip.is_v4 ? "IPv4" : "IPv6";
	size_t n = 0;
	int r;

	for (size_t i = 0; i < c->port->view.port.n_ips; i++)
		n += c->port->view.port.ips[i].is_v4 == c->fip->ip.is_v4;
	if (n) {
		r = hd_refuse(c->object, c->err, "port", "port %s has several %s addresses",
			      c->port->name, family);
		hd_error_hint(c->err,
			      "name one of them with --fixed-ip; 'heddle port show %s' "
			      "shows them",
			      c->port->name);
		return r;
	}
	r = hd_refuse(c->object, c->err, "port", "port %s has no %s address", c->port->name,
		      family);
	hd_error_hint(c->err, "'heddle port set %s --ip IP' gives it one", c->port->name);
	return r;
}

static bool has_ip(const struct hd_port *port, const struct hd_ip *ip)
{
	for (size_t i = 0; i < port->n_ips; i++)
		if (hd_ip_same(&port->ips[i], ip))
			return true;
	return false;
}

/* Whether a subnet of the router holds the fixed address, on the network of the port. */
static bool is_attached(const struct check *c)
{
	const struct hd_object *subnet =
		hd_model_subnet_of(c->model, c->port->view.port.network, &c->fip->fixed);

	return subnet && hd_model_router_of(c->model, subnet->name) == c->router;
}

static int validate_inside(const struct check *c)
{
	const struct hd_port *port = &c->port->view.port;
	char fixed[64];
	int r;

	if (!c->fip->has_fixed)
		return no_fixed(c);
	hd_ip_format(&c->fip->fixed, fixed);
	if (!has_ip(port, &c->fip->fixed)) {
		r = hd_refuse(c->object, c->err, "fixed-ip", "port %s does not have address %s",
			      c->port->name, fixed);
		hd_error_hint(
			c->err,
			"'heddle port show %s' shows those that it has; if it is one, --unset "
			"fixed-ip finds it",
			c->port->name);
		return r;
	}
	if (!is_attached(c)) {
		r = hd_refuse(c->object, c->err, "port",
			      "no subnet of router %s holds %s of port %s on network %s",
			      c->router->name, fixed, c->port->name, port->network);
		hd_error_hint(c->err,
			      "attach its subnet ('heddle router attach %s --subnet SUBNET'), or "
			      "delete the floating IP first",
			      c->router->name);
		return r;
	}
	if (!port->vlan)
		return 0;
	r = hd_refuse(c->object, c->err, "port", "port %s is in VLAN %u of its network",
		      c->port->name, port->vlan);
	hd_error_hint(c->err, "routers are in what is untagged");
	return r;
}
