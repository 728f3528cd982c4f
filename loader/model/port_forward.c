// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* port_forward.c - port forwards: an outside endpoint of a router that stands for one inside */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/views.h"

/* "IP:PORT" or "[IP]:PORT", as the schema has left it. */
static int parse_endpoint(const struct hd_object *object, const char *option,
			  struct hd_endpoint *ret, struct hd_error *err)
{
	const char *text = hd_spec_text(object, option), *colon = text ? strrchr(text, ':') : NULL;
	bool brackets = text && *text == '[';
	size_t len = colon ? (size_t)(colon - text) : 0;
	char ip[64];

	if (len < 2 || len >= sizeof(ip))
		return hd_refuse(object, err, option, "it is unreadable");
	(void)snprintf(ip, sizeof(ip), "%.*s", (int)(brackets ? len - 2 : len), text + brackets);
	ret->port = (uint16_t)strtoul(colon + 1, NULL, 10);
	return hd_ip_parse(ip, &ret->ip) < 0 ? hd_refuse(object, err, option, "it is unreadable")
					     : 0;
}

int hd_port_forward_view(struct hd_object *object, struct hd_error *err)
{
	struct hd_port_forward *forward = &object->view.port_forward;
	int r;

	forward->router = hd_spec_text(object, "router");
	forward->protocol = (uint8_t)hd_protocol_parse(hd_spec_text(object, "protocol"));
	r = parse_endpoint(object, "listen", &forward->listen, err);
	return r < 0 ? r : parse_endpoint(object, "to", &forward->to, err);
}

static bool is_any(const struct hd_ip *ip)
{
	static const uint8_t zero[16];

	return ip->is_v4 ? !memcmp(ip->bytes + 12, zero, 4) : !memcmp(ip->bytes, zero, 16);
}

static int family_of(const struct hd_ip *ip)
{
	return ip->is_v4 ? HD_V4 : HD_V6;
}

static const struct hd_router_gateway *gateway_of(const struct hd_model *model,
						  const struct hd_port_forward *forward)
{
	const struct hd_object *router = hd_model_get(model, HD_NOUN_ROUTER, forward->router);

	return router ? &router->view.router.gateway : NULL;
}

const struct hd_ip *hd_model_listen_ip(const struct hd_model *model,
				       const struct hd_port_forward *forward)
{
	const struct hd_router_gateway *gateway = gateway_of(model, forward);

	if (!is_any(&forward->listen.ip))
		return &forward->listen.ip;
	return gateway ? hd_gateway_ip(gateway, family_of(&forward->listen.ip)) : NULL;
}

const char *hd_model_listen_network(const struct hd_model *model,
				    const struct hd_port_forward *forward)
{
	const struct hd_router_gateway *gateway = gateway_of(model, forward);

	return gateway ? gateway->network : NULL;
}

bool hd_model_listens_at_host(const struct hd_model *model, const struct hd_port_forward *forward)
{
	const struct hd_router_gateway *gateway = gateway_of(model, forward);

	return gateway && gateway->uplink;
}

bool hd_listens_at_any(const struct hd_port_forward *forward)
{
	return is_any(&forward->listen.ip);
}

bool hd_ip_is_loopback(const struct hd_ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 };

	return ip->is_v4 ? ip->bytes[12] == 127 : !memcmp(ip->bytes, one, sizeof(one));
}

/* Which addresses the host has may change, and is not asked here: one that it does not have is there when the host gets it. */
static int validate_at_host(const struct hd_object *object, const struct hd_ip *ip,
			    struct hd_error *err)
{
	struct hd_ip at = *ip;
	int r;

	at.prefix = 128;
	if (is_any(ip) || hd_ip_is_loopback(ip) ||
	    (ip->is_v4 ? ip->bytes[12] && ip->bytes[12] < 224 : !hd_ip_unrouted(&at)))
		return 0;
	if (!ip->is_v4) {
		r = hd_refuse(object, err, "listen", "nobody outside reaches a %s address",
			      hd_ip_unrouted(&at));
		hd_error_hint(err, "[::] is all of the host's at the uplink");
		return r;
	}
	r = hd_refuse(object, err, "listen", "no host can have this address");
	hd_error_hint(err, "0.0.0.0 is all of the host's at the uplink, and itself; 127.0.0.1 is "
			   "for the host alone");
	return r;
}

static int validate_listen(const struct hd_model *model, const struct hd_object *object,
			   struct hd_error *err)
{
	const struct hd_port_forward *forward = &object->view.port_forward;
	const struct hd_router_gateway *gateway = gateway_of(model, forward);

	if (gateway->uplink)
		return validate_at_host(object, &forward->listen.ip, err);
	if (gateway->network && gateway->has_ip[family_of(&forward->listen.ip)] &&
	    (is_any(&forward->listen.ip) || hd_gateway_has(gateway, &forward->listen.ip)))
		return 0;
	return hd_outside_validate(model, object, forward->router, &forward->listen.ip, "listen",
				   err);
}

/* In a subnet of the router, or behind a next hop that a static route names. */
static bool is_inside(const struct hd_model *model, const struct hd_router *router,
		      const struct hd_ip *ip)
{
	for (size_t i = 0; i < router->n_subnets; i++) {
		const struct hd_subnet *subnet =
			&hd_model_get(model, HD_NOUN_SUBNET, router->subnets[i])->view.subnet;

		if (hd_ip_in(ip, &subnet->cidr))
			return hd_ip_is_host(ip, &subnet->cidr) &&
			       !hd_ip_same(ip, &subnet->gateway);
	}
	for (size_t i = 0; i < router->n_routes; i++)
		if (!router->routes[i].blackhole && hd_ip_in(ip, &router->routes[i].prefix))
			return true;
	return false;
}

int hd_port_forward_validate(const struct hd_model *model, const struct hd_object *object,
			     struct hd_error *err)
{
	const struct hd_port_forward *forward = &object->view.port_forward;
	const struct hd_object *router = hd_model_get(model, HD_NOUN_ROUTER, forward->router);
	char text[64];
	int r;

	if (forward->listen.ip.is_v4 != forward->to.ip.is_v4)
		return hd_refuse(object, err, "to", "it is %s, and listens by %s",
				 forward->to.ip.is_v4 ? "IPv4" : "IPv6",
				 forward->to.ip.is_v4 ? "IPv6" : "IPv4");
	r = validate_listen(model, object, err);
	if (r < 0 || is_inside(model, &router->view.router, &forward->to.ip))
		return r;
	hd_ip_format(&forward->to.ip, text);
	r = hd_refuse(object, err, "to", "%s is no host's address inside of router %s", text,
		      forward->router);
	hd_error_hint(err, "'heddle router show %s' shows its subnets and routes", forward->router);
	return r;
}
