// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* validate.c - the objects against each other: references, things that may be claimed only once */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/views.h"

/* Something that one object may claim, as text, and who did; @shared: others of its kind may, too. */
struct claim {
	char what[176];
	bool shared;
	const struct hd_object *owner;
	UT_hash_handle hh;
};

static void claims_free(struct claim **claims)
{
	struct claim *claim, *next;

	HASH_ITER(hh, *claims, claim, next) {
		HASH_DEL(*claims, claim);
		free(claim);
	}
}

static void ip_text(const char *network, uint16_t vlan, const struct hd_ip *ip, char what[176])
{
	char text[64];

	hd_ip_format(ip, text);
	(void)snprintf(what, 176, "ip %s %u=address %s", network, vlan, text);
}

/* Whether what was claimed is the address of the router's gateway. */
static bool is_gateway(const struct hd_object *router, const char *what)
{
	const struct hd_router_gateway *gateway = &router->view.router.gateway;
	char own[176];

	for (int family = 0; gateway->network && family < HD_FAMILIES; family++) {
		const struct hd_ip *ip = hd_gateway_ip(gateway, family);

		if (!ip)
			continue;
		ip_text(gateway->network, 0, ip, own);
		if (!strcmp(own, what))
			return true;
	}
	return false;
}

/* A router has what the configuration of others gave it. */
static void hint_router(const struct claim *claim, const struct hd_object *owner,
			struct hd_error *err)
{
	const struct hd_object *router = owner->noun->id == HD_NOUN_ROUTER ? owner : claim->owner;

	if (router->noun->id != HD_NOUN_ROUTER)
		return;
	if (!strncmp(claim->what, "ip ", 3) && is_gateway(router, claim->what))
		hd_error_hint(err,
			      "'heddle router gateway %s --network %s --ip IP' gives the "
			      "router another",
			      router->name, router->view.router.gateway.network);
	else if (!strncmp(claim->what, "ip ", 3))
		hd_error_hint(err, "the router has the gateway's address of its subnets: 'heddle "
				   "subnet set SUBNET --gateway IP' gives it another");
	if (!strncmp(claim->what, "mac ", 4))
		hd_error_hint(err, "'heddle router set %s --mac MAC' gives it another",
			      router->name);
	if (!strncmp(claim->what, "subnet ", 7))
		hd_error_hint(err, "'heddle router detach %s --%s' takes it from there",
			      claim->owner->name, strchr(claim->what, '=') + 1);
}

static int claim_refused(const struct claim *claim, const struct hd_object *owner,
			 const char *option, struct hd_error *err)
{
	hd_error_set(err, HD_ERR_CONFLICT, "%s %s: %s is already used by %s %s", owner->noun->name,
		     owner->name, strchr(claim->what, '=') + 1, claim->owner->noun->name,
		     claim->owner->name);
	hint_router(claim, owner, err);
	hd_error_where(err, "%s/%s/%s", owner->noun->plural, owner->name, option);
	hd_error_object(err, owner->noun->name, owner->name);
	return -EEXIST;
}

/* @option is for the error's place in a file; the text after '=' in @what is what people know the thing by. */
static int claim_add(struct claim **claims, const struct hd_object *owner, const char *option,
		     const char *what, struct hd_error *err)
{
	struct claim *claim;

	HASH_FIND_STR(*claims, what, claim);
	if (claim)
		return claim_refused(claim, owner, option, err);
	claim = calloc(1, sizeof(*claim));
	if (!claim)
		return hd_error_set(err, HD_ERR_FAILED, "no memory");
	(void)snprintf(claim->what, sizeof(claim->what), "%s", what);
	claim->owner = owner;
	HASH_ADD_STR(*claims, what, claim);
	return 0;
}

static void mac_text(const char *network, uint16_t vlan, const uint8_t mac[6], char what[176])
{
	char text[18];

	hd_mac_format(mac, text);
	(void)snprintf(what, 176, "mac %s %u=MAC %s", network, vlan, text);
}

static int claim_mac(struct claim **claims, const struct hd_object *object, const char *network,
		     uint16_t vlan, const uint8_t mac[6], const char *option, struct hd_error *err)
{
	char what[176];

	mac_text(network, vlan, mac, what);
	return claim_add(claims, object, option, what, err);
}

static int claim_ip(struct claim **claims, const struct hd_object *object, const char *network,
		    uint16_t vlan, const struct hd_ip *ip, const char *option, struct hd_error *err)
{
	char what[176];

	ip_text(network, vlan, ip, what);
	return claim_add(claims, object, option, what, err);
}

static int claim_device(struct claim **claims, const struct hd_object *object, struct hd_error *err)
{
	const struct hd_port *port = &object->view.port;
	const char *name = port->kind == HD_PORT_DEVICE ? port->device : port->ifname;
	char what[176];

	(void)snprintf(what, sizeof(what), "device %.100s=device %s",
		       port->kind == HD_PORT_NETNS ? port->netns : "", name);
	return claim_add(claims, object, port->kind == HD_PORT_DEVICE ? "device" : "ifname", what,
			 err);
}

static int claim_port(struct claim **claims, const struct hd_object *object, struct hd_error *err)
{
	const struct hd_port *port = &object->view.port;
	int r = port->kind == HD_PORT_REMOTE ? 0 : claim_device(claims, object, err);

	if (r == 0 && port->has_mac)
		r = claim_mac(claims, object, port->network, port->vlan, port->mac, "mac", err);
	for (size_t i = 0; r == 0 && i < port->n_ips; i++)
		r = claim_ip(claims, object, port->network, port->vlan, &port->ips[i], "ip", err);
	return r;
}

/* Of a physical network: what is untagged belongs to one flat network, each VLAN to one vlan network. */
static int claim_vlan(struct claim **claims, const struct hd_object *object, struct hd_error *err)
{
	const struct hd_network *network = &object->view.network;
	char what[176];

	if (network->vlan)
		(void)snprintf(what, sizeof(what), "vlan %s %u=VLAN %u of physical network %s",
			       network->physical, network->vlan, network->vlan, network->physical);
	else
		(void)snprintf(what, sizeof(what),
			       "flat %s=what is untagged on physical network %s", network->physical,
			       network->physical);
	return claim_add(claims, object, network->vlan ? "id" : "physical", what, err);
}

/* An id belongs to one network of its type; what has the same id at another UDP port is another network. */
static int claim_tunnel(struct claim **claims, const struct hd_object *object, struct hd_error *err)
{
	const struct hd_network *network = &object->view.network;
	char what[176];

	if (network->physical)
		return claim_vlan(claims, object, err);
	if (network->tunnel == HD_TUNNEL_NONE)
		return 0;
	(void)snprintf(what, sizeof(what), "tunnel %d %u %u=%s id %u", (int)network->tunnel,
		       network->tunnel_port, network->tunnel_id, network->type, network->tunnel_id);
	if (network->tunnel == HD_TUNNEL_GRE)
		(void)snprintf(what, sizeof(what), "tunnel gre=gre without a key");
	return claim_add(claims, object, "id", what, err);
}

static int claim_tunnel_ip(struct claim **claims, const struct hd_object *object,
			   const struct hd_ip *ip, struct hd_error *err)
{
	char what[176], text[64];

	hd_ip_format(ip, text);
	(void)snprintf(what, sizeof(what), "tunnel-ip=tunnel-ip %s", text);
	return claim_add(claims, object, "tunnel-ip", what, err);
}

static int claim_uplink(struct claim **claims, const struct hd_object *object, struct hd_error *err)
{
	const struct hd_uplink *uplink = &object->view.uplink;
	char what[176];
	int r;

	(void)snprintf(what, sizeof(what), "device =device %s", object->name);
	r = claim_add(claims, object, "", what, err);
	if (r == 0 && uplink->physical) {
		(void)snprintf(what, sizeof(what), "physical %s=physical network %s",
			       uplink->physical, uplink->physical);
		r = claim_add(claims, object, "physical", what, err);
	}
	return r < 0 || !uplink->has_ip ? r : claim_tunnel_ip(claims, object, &uplink->ip, err);
}

/* What is there already, or what is new: so that the latter is told what it wants that the former has. */
static int claim_some(struct claim **claims, const struct hd_model *model, bool is_new,
		      struct hd_error *err)
{
	int r = 0;

	hd_model_each(model, HD_NOUN_NETWORK, network)
		if (r == 0 && is_new == !network->id)
			r = claim_tunnel(claims, network, err);
	hd_model_each(model, HD_NOUN_UPLINK, uplink)
		if (r == 0 && is_new == !uplink->id)
			r = claim_uplink(claims, uplink, err);
	return r;
}

/* Of the nouns that have to do with the underlay. */
static int claim_underlay(struct claim **claims, const struct hd_model *model, struct hd_error *err)
{
	int r = claim_some(claims, model, false, err);

	if (r == 0)
		r = claim_some(claims, model, true, err);
	hd_model_each(model, HD_NOUN_PEER, peer)
		if (r == 0)
			r = claim_tunnel_ip(claims, peer, &peer->view.peer.ip, err);
	return r;
}

/* In a network the router has its MAC; the network may be there by several subnets. */
static int claim_router_mac(struct claim **claims, const struct hd_object *router,
			    const char *network, struct hd_error *err)
{
	const struct claim *claim;
	char what[176];

	mac_text(network, 0, router->view.router.mac, what);
	HASH_FIND_STR(*claims, what, claim);
	return claim && claim->owner == router ? 0 : claim_add(claims, router, "mac", what, err);
}

/* Routers may have one IPv4 address outside between them, and share out its ports. Of IPv6 it is the next hop to what is behind one of them. */
static int claim_gateway_ip(struct claim **claims, const struct hd_object *router,
			    const struct hd_ip *ip, struct hd_error *err)
{
	struct claim *claim;
	char what[176];
	int r;

	ip_text(router->view.router.gateway.network, 0, ip, what);
	HASH_FIND_STR(*claims, what, claim);
	if (claim && claim->shared)
		return 0;
	r = claim_add(claims, router, "gateway", what, err);
	if (r < 0)
		return r;
	HASH_FIND_STR(*claims, what, claim);
	claim->shared = ip->is_v4;
	return 0;
}

static int claim_gateway(struct claim **claims, const struct hd_object *router,
			 struct hd_error *err)
{
	const struct hd_router_gateway *gateway = &router->view.router.gateway;
	int r = claim_router_mac(claims, router, gateway->network, err);

	for (int family = 0; r == 0 && family < HD_FAMILIES; family++)
		if (gateway->has_ip[family])
			r = claim_gateway_ip(claims, router, &gateway->ip[family], err);
	return r;
}

static int claim_router(struct claim **claims, const struct hd_model *model,
			const struct hd_object *object, struct hd_error *err)
{
	const struct hd_router *router = &object->view.router;
	char what[176];
	int r = 0;

	for (size_t i = 0; r == 0 && i < router->n_subnets; i++) {
		const char *name = router->subnets[i];
		const struct hd_subnet *subnet =
			&hd_model_get(model, HD_NOUN_SUBNET, name)->view.subnet;

		(void)snprintf(what, sizeof(what), "subnet %s=subnet %s", name, name);
		r = claim_add(claims, object, "subnets", what, err);
		if (r == 0)
			r = claim_router_mac(claims, object, subnet->network, err);
		if (r == 0)
			r = claim_ip(claims, object, subnet->network, 0, &subnet->gateway,
				     "subnets", err);
	}
	return r < 0 || !router->gateway.network ? r : claim_gateway(claims, object, err);
}

/* Its address outside, and what it stands for: of a router each address has one outside. */
static int claim_floating_ip(struct claim **claims, const struct hd_model *model,
			     const struct hd_object *object, struct hd_error *err)
{
	const struct hd_floating_ip *fip = &object->view.floating_ip;
	char what[176], fixed[64];
	int r = claim_ip(claims, object, hd_model_floating_network(model, fip), 0, &fip->ip,
			 "router", err);

	hd_ip_format(&fip->fixed, fixed);
	(void)snprintf(what, sizeof(what), "fixed %s %s=fixed-ip %s", fip->router, fixed, fixed);
	return r < 0 ? r : claim_add(claims, object, "fixed-ip", what, err);
}

/* Port forwards share their addresses; the router's gateway address is one that it has already. */
static int claim_listen_ip(struct claim **claims, const struct hd_object *object,
			   const char *network, const struct hd_ip *ip, bool is_gateways,
			   struct hd_error *err)
{
	const struct claim *claim;
	char what[176];

	ip_text(network, 0, ip, what);
	HASH_FIND_STR(*claims, what, claim);
	if (claim && (is_gateways || claim->owner->noun->id == HD_NOUN_PORT_FORWARD))
		return 0;
	return claim_add(claims, object, "listen", what, err);
}

static void listen_text(char what[176], const struct hd_port_forward *forward, const char *ip)
{
	(void)snprintf(what, 176,
		       strchr(ip, ':') ? "listen at host=%s [%s]:%u" : "listen at host=%s %s:%u",
		       hd_protocol_name(forward->protocol), ip, forward->listen.port);
}

static int listen_refused(const struct claim *claim, const struct hd_object *object, const char *ip,
			  struct hd_error *err)
{
	const struct hd_port_forward *forward = &object->view.port_forward;
	struct claim mine = { .owner = claim->owner };

	listen_text(mine.what, forward, ip);
	(void)claim_refused(&mine, object, "listen", err);
	hd_error_hint(err,
		      "0.0.0.0 is all IPv4 addresses of the host, and [::] all of IPv6; two that "
		      "are named do not get in each other's way");
	return -EEXIST;
}

/*
 * Of the host all routers that masquerade have the same ports, as its processes have: one at 0.0.0.0 is at each address (as bind() has it), one at :: at each of
 * IPv6. The first one at an address of its own claims "some", which stands in the way of that.
 */
static int claim_at_host(struct claim **claims, const struct hd_object *object,
			 struct hd_error *err)
{
	const struct hd_port_forward *forward = &object->view.port_forward;
	const bool any = hd_listens_at_any(forward), is_v4 = forward->listen.ip.is_v4;
	const char *some = is_v4 ? "some" : "some:";
	char what[176], other[176], ip[64];
	const struct claim *claim;
	int r;

	hd_ip_format(&forward->listen.ip, ip);
	listen_text(other, forward, any ? some : is_v4 ? "0.0.0.0" : "::");
	HASH_FIND_STR(*claims, other, claim);
	if (claim)
		return listen_refused(claim, object, ip, err);
	listen_text(what, forward, ip);
	r = claim_add(claims, object, "listen", what, err);
	listen_text(other, forward, some);
	HASH_FIND_STR(*claims, other, claim);
	return r < 0 || any || claim ? r : claim_add(claims, object, "listen", other, err);
}

/* Where it listens is its own. */
static int claim_port_forward(struct claim **claims, const struct hd_model *model,
			      const struct hd_object *object, struct hd_error *err)
{
	const struct hd_port_forward *forward = &object->view.port_forward;
	const struct hd_object *router = hd_model_get(model, HD_NOUN_ROUTER, forward->router);
	const struct hd_router_gateway *gateway = &router->view.router.gateway;
	const struct hd_ip *ip = hd_model_listen_ip(model, forward);
	char what[176], text[64];
	int r;

	if (gateway->uplink)
		return claim_at_host(claims, object, err);
	r = claim_listen_ip(claims, object, gateway->network, ip, hd_gateway_has(gateway, ip), err);
	hd_ip_format(ip, text);
	(void)snprintf(what, sizeof(what),
		       ip->is_v4 ? "listen %s=%s %s:%u" : "listen %s=%s [%s]:%u", gateway->network,
		       hd_protocol_name(forward->protocol), text, forward->listen.port);
	return r < 0 ? r : claim_add(claims, object, "listen", what, err);
}

static int claim_firewall(struct claim **claims, const struct hd_object *object,
			  struct hd_error *err)
{
	const char *router = object->view.firewall.router;
	char what[176];
	int r;

	(void)snprintf(what, sizeof(what), "firewall of %s=router %s", router, router);
	r = claim_add(claims, object, "router", what, err);
	if (r < 0)
		hd_error_hint(err, "a router has one firewall: 'heddle firewall rule-add' adds to "
				   "the one that it has");
	return r;
}

static int claim_ports(struct claim **claims, const struct hd_model *model, bool is_new,
		       struct hd_error *err)
{
	int r = 0;

	hd_model_each(model, HD_NOUN_PORT, port)
		if (r == 0 && is_new == !port->id)
			r = claim_port(claims, port, err);
	return r;
}

/* What is new comes last, so that it is told what it wants that others have. */
static int claim_members(struct claim **claims, const struct hd_model *model, struct hd_error *err)
{
	int r = claim_ports(claims, model, false, err);

	hd_model_each(model, HD_NOUN_ROUTER, router)
		if (r == 0)
			r = claim_router(claims, model, router, err);
	hd_model_each(model, HD_NOUN_FLOATING_IP, object)
		if (r == 0)
			r = claim_floating_ip(claims, model, object, err);
	hd_model_each(model, HD_NOUN_PORT_FORWARD, object)
		if (r == 0)
			r = claim_port_forward(claims, model, object, err);
	hd_model_each(model, HD_NOUN_FIREWALL, object)
		if (r == 0)
			r = claim_firewall(claims, object, err);
	return r < 0 ? r : claim_ports(claims, model, true, err);
}

/* Several ports may be allowed an address, and one of them may have it; but a router shares none of its own, nor its floating IPs. */
static int keep_from_router(struct claim **claims, const struct hd_object *port, const char *what,
			    struct hd_error *err)
{
	const struct claim *claim;

	HASH_FIND_STR(*claims, what, claim);
	if (!claim || claim->owner->noun->id == HD_NOUN_PORT)
		return 0;
	return claim_refused(claim, port, "allowed-address", err);
}

static int check_allowed(struct claim **claims, const struct hd_object *object,
			 struct hd_error *err)
{
	const struct hd_port *port = &object->view.port;
	char what[176];
	int r = 0;

	for (size_t i = 0; r == 0 && i < port->n_allowed; i++) {
		const struct hd_allowed *allowed = &port->allowed[i];
		uint8_t prefix = allowed->ip.prefix;

		ip_text(port->network, port->vlan, &allowed->ip, what);
		if (prefix == HD_PREFIX_NONE || prefix == (allowed->ip.is_v4 ? 32 : 128))
			r = keep_from_router(claims, object, what, err);
		mac_text(port->network, port->vlan, allowed->mac, what);
		if (r == 0 && allowed->has_mac)
			r = keep_from_router(claims, object, what, err);
	}
	return r;
}

static int validate_claims(const struct hd_model *model, struct hd_error *err)
{
	__attribute__((cleanup(claims_free))) struct claim *claims = NULL;
	int r = claim_underlay(&claims, model, err);

	if (r == 0)
		r = claim_members(&claims, model, err);
	hd_model_each(model, HD_NOUN_PORT, port)
		if (r == 0)
			r = check_allowed(&claims, port, err);
	if (r < 0)
		return r;
	hd_model_each(model, HD_NOUN_FDB, fdb) {
		r = claim_mac(&claims, fdb, fdb->view.fdb.network,
			      fdb->view.fdb.port ? hd_model_vlan_of(model, fdb->view.fdb.port) : 0,
			      fdb->view.fdb.mac, "", err);
		if (r < 0)
			return r;
	}
	hd_model_each(model, HD_NOUN_NEIGHBOUR, neigh) {
		r = claim_ip(&claims, neigh, neigh->view.neighbour.network, 0,
			     &neigh->view.neighbour.ip, "ip", err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int validate_reference(const struct hd_model *model, const struct hd_object *object,
			      const struct hd_option *opt, const char *value, struct hd_error *err)
{
	const struct hd_noun *noun = object->noun;

	if (!value || hd_model_get(model, hd_noun_find(opt->refers)->id, value))
		return 0;
	hd_error_set(err, HD_ERR_NOT_FOUND, "%s %s: %s %s does not exist", noun->name, object->name,
		     opt->refers, value);
	hd_error_hint(err, "'heddle %s list' shows what there is", opt->refers);
	hd_error_where(err, "%s/%s/%s", noun->plural, object->name, opt->name);
	return -ENOENT;
}

/* Every option that names another object must name one that is there. */
static int validate_references(const struct hd_model *model, const struct hd_object *object,
			       struct hd_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < object->noun->n_options; i++) {
		const struct hd_option *opt = &object->noun->options[i];
		const json_t *value = opt->refers ? json_object_get(object->spec, opt->name) : NULL;

		if (json_is_string(value))
			r = validate_reference(model, object, opt, json_string_value(value), err);
		for (size_t k = 0; r == 0 && k < json_array_size(value); k++)
			r = validate_reference(model, object, opt,
					       json_string_value(json_array_get(value, k)), err);
	}
	return r;
}

typedef int (*validate_fn)(const struct hd_model *model, const struct hd_object *object,
			   struct hd_error *err);

static const validate_fn validators[HD_NOUN_COUNT] = {
	[HD_NOUN_NETWORK] = hd_network_validate,
	[HD_NOUN_UPLINK] = hd_uplink_validate,
	[HD_NOUN_PEER] = hd_peer_validate,
	[HD_NOUN_SUBNET] = hd_subnet_validate,
	[HD_NOUN_ROUTER] = hd_router_validate,
	[HD_NOUN_GROUP] = hd_group_validate,
	[HD_NOUN_PORT] = hd_port_validate,
	[HD_NOUN_FDB] = hd_fdb_validate,
	[HD_NOUN_NEIGHBOUR] = hd_neighbour_validate,
	[HD_NOUN_FLOATING_IP] = hd_floating_ip_validate,
	[HD_NOUN_PORT_FORWARD] = hd_port_forward_validate,
};

static int validate_object(const struct hd_model *model, const struct hd_object *object,
			   struct hd_error *err)
{
	validate_fn validate = validators[object->noun->id];
	int r = validate_references(model, object, err);

	if (r == 0 && validate)
		r = validate(model, object, err);
	if (r < 0)
		hd_error_object(err, object->noun->name, object->name);
	return r;
}

int hd_model_validate(const struct hd_model *model, struct hd_error *err)
{
	for (int noun = 0; noun < HD_NOUN_COUNT; noun++)
		hd_model_each(model, noun, object) {
			int r = validate_object(model, object, err);

			if (r < 0)
				return r;
		}
	return validate_claims(model, err);
}
