// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* show.c - an object as people see it: what was asked for, defaults, and what is known at run time */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "heddle/policy.h"
#include "sync/nat_quota.h"

json_t *hd_api_counters(const struct hd_counters *c)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "rx-packets", (json_int_t)c->rx_packets,
			 "rx-bytes", (json_int_t)c->rx_bytes, "tx-packets",
			 (json_int_t)c->tx_packets, "tx-bytes", (json_int_t)c->tx_bytes, "drops",
			 (json_int_t)c->drops);
}

static json_t *default_value(const struct hd_option *opt)
{
	if (opt->type == HD_TYPE_FLAG)
		return json_false();
	if (opt->flags & HD_OPT_LIST)
		return json_array();
	if (!opt->dflt)
		return NULL;
	if (opt->type == HD_TYPE_UINT)
		return json_integer((json_int_t)strtoull(opt->dflt, NULL, 10));
	if (opt->type == HD_TYPE_ONOFF)
		return json_boolean(!strcmp(opt->dflt, "on"));
	return json_string(opt->dflt);
}

static void add_defaults(json_t *shown, const struct hd_noun *noun)
{
	for (size_t i = 0; i < noun->n_options; i++) {
		const struct hd_option *opt = &noun->options[i];

		if (opt->flags & HD_OPT_LATER || json_object_get(shown, opt->name))
			continue;
		(void)json_object_set_new(shown, opt->name,
					  default_value(opt)); /* NULL: there is none */
	}
}

static uint32_t mtu_of_network(struct hd_daemon *daemon, const struct hd_object *network)
{
	struct hd_underlay underlay =
		hd_sync_underlay(daemon->sync, daemon->model, &network->view.network);

	return hd_network_mtu(&network->view.network, &underlay);
}

static void show_uplink(struct hd_daemon *daemon, const struct hd_object *object, json_t *shown)
{
	struct hd_port_run run = hd_sync_port(daemon->sync, object);
	struct hd_counters counters = hd_sync_counters(daemon->sync, object->id);

	(void)json_object_update_new(
		shown,
		json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:I}", "id",
			  (int)object->id, "state", run.up ? "up" : "down", "use",
			  run.shared ? "shared" : "given", "reason", run.reason, "mode-in-use",
			  run.xdp ? "xdp" : "tc", "mode-reason", run.no_xdp, "forward-in-use",
			  run.no_forward[0] ? "tc" : "xdp", "forward-reason", run.no_forward,
			  "attach", hd_attach_word(run.attach), "ifindex", (int)run.ifindex,
			  "drops", (json_int_t)counters.drops));
}

static void show_peer(struct hd_daemon *daemon, const struct hd_object *object, json_t *shown)
{
	const struct hd_datapath *dp = hd_sync_datapath(daemon->sync);
	struct hd_peer_run run = hd_sync_peer(daemon->sync, object);
	struct hd_counters counters = hd_sync_counters(daemon->sync, object->id);
	char mac[18] = "";

	if (run.up)
		hd_mac_format(run.mac, mac);
	(void)json_object_update_new(
		shown, json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:o}", "id",
				 (int)object->id, "state", run.up ? "up" : "down", "reason",
				 run.reason, "uplink", run.device, "next-hop", run.next,
				 "next-hop-mac", mac, "path-mtu", (int)run.mtu, "learned",
				 (json_int_t)__atomic_load_n(&dp->states[object->id].learned,
							     __ATOMIC_RELAXED),
				 "counters", hd_api_counters(&counters)));
}

/* Those that it names, and those that select it. */
static json_t *show_groups(const struct hd_port *port)
{
	json_t *list = json_array();

	for (size_t i = 0; i < port->n_groups; i++)
		(void)json_array_append_new(list, json_string(port->groups[i]));
	return list;
}

/* The one that counts, also if it was not given. */
static void show_burst(const struct hd_port *port, int direction, const char *key, json_t *shown)
{
	char text[HD_AMOUNT_MAX];

	if (!port->rate[direction])
		return;
	hd_size_format(hd_port_burst(port, direction), text);
	(void)json_object_set_new(shown, key, json_string(text));
}

static void show_port(struct hd_daemon *daemon, const struct hd_object *object, json_t *shown)
{
	struct hd_port_run run = hd_sync_port(daemon->sync, object);
	struct hd_counters counters = hd_sync_counters(daemon->sync, object->id);
	bool remote = object->view.port.kind == HD_PORT_REMOTE;
	const struct hd_object *network = hd_model_network_of(daemon->model, &object->view.port);

	(void)json_object_set_new(shown, "groups", show_groups(&object->view.port));
	show_burst(&object->view.port, HD_INGRESS, "ingress-burst", shown);
	show_burst(&object->view.port, HD_EGRESS, "egress-burst", shown);
	if (!object->view.port.mtu)
		(void)json_object_set_new(shown, "mtu",
					  json_integer(mtu_of_network(daemon, network)));
	(void)json_object_update_new(shown, json_pack("{s:i, s:s, s:s, s:s, s:i, s:s, s:o}", "id",
						      (int)object->id, "state",
						      remote   ? "remote"
						      : run.up ? "up"
							       : "down",
						      "reason", run.reason, "attach",
						      hd_attach_word(run.attach), "ifindex",
						      (int)run.ifindex, "host-device", run.device,
						      "counters", hd_api_counters(&counters)));
}

/* What tunnels have beside what was asked for; other networks have none of it. */
static void show_tunnel(const struct hd_network *network, json_t *shown)
{
	if (network->tunnel == HD_TUNNEL_NONE)
		return;
	if (network->tunnel_port)
		(void)json_object_set_new(shown, "tunnel-port", json_integer(network->tunnel_port));
	(void)json_object_set_new(shown, "tunnel-ttl", json_integer(network->tunnel_ttl));
	if (!network->has_dscp)
		(void)json_object_set_new(shown, "tunnel-dscp", json_string("inherit"));
}

/* One walk over the ports for each network that is shown; a network is not what people have thousands of ports and lists of. */
static void show_network(struct hd_daemon *daemon, const struct hd_object *object, json_t *shown)
{
	const struct hd_datapath *dp = hd_sync_datapath(daemon->sync);
	json_int_t ports = 0, learned = 0;

	hd_model_each(daemon->model, HD_NOUN_PORT, port) {
		if (strcmp(port->view.port.network, object->name))
			continue;
		ports++;
		learned += __atomic_load_n(&dp->states[port->id].learned, __ATOMIC_RELAXED);
	}
	if (object->leg) {
		struct hd_counters counters = hd_sync_counters(daemon->sync, object->leg);

		learned += __atomic_load_n(&dp->states[object->leg].learned, __ATOMIC_RELAXED);
		(void)json_object_set_new(
			shown, "leg",
			json_pack("{s:i, s:s, s:o}", "id", (int)object->leg, "uplink",
				  hd_model_physical(daemon->model, object->view.network.physical)
					  ->name,
				  "counters", hd_api_counters(&counters)));
	}
	(void)json_object_set_new(shown, "mtu", json_integer(mtu_of_network(daemon, object)));
	show_tunnel(&object->view.network, shown);
	(void)json_object_set_new(shown, "ports", json_integer(ports));
	(void)json_object_set_new(shown, "learned", json_integer(learned));
}

/* With the default of what is not said. */
static json_t *show_routes(const json_t *routes)
{
	json_t *shown = json_deep_copy(routes), *route;
	size_t i;

	json_array_foreach(shown, i, route)
		if (json_object_get(route, "via") && !json_object_get(route, "weight"))
			(void)json_object_set_new(route, "weight", json_integer(1));
	return shown;
}

static json_t *text_of_ip(const struct hd_ip *ip)
{
	char text[64];

	hd_ip_format(ip, text);
	return json_string(text);
}

/* Where what goes out is sent to, of each family; nothing where nobody can be asked. */
static json_t *show_next_hops(struct hd_daemon *daemon, const struct hd_object *router)
{
	static const uint8_t none[6];
	json_t *list = json_array();

	for (int family = 0; family < HD_FAMILIES; family++) {
		struct hd_next_hop hop = hd_sync_next_hop(daemon->sync, router, family);
		const struct hd_ip ip = hd_ip_of_bytes(hop.addr);
		char mac[18];

		if (!hop.there)
			continue;
		hd_mac_format(hop.mac, mac);
		(void)json_array_append_new(
			list, json_pack("{s:o, s:s, s:s}", "ip", text_of_ip(&ip), "mac",
					memcmp(hop.mac, none, 6) ? mac : "", "state",
					hop.heard    ? "ok"
					: hop.silent ? "silent"
						     : "asked"));
	}
	return list;
}

/* Who gets in; how many ports an inside address may have; and how many are in blocks that the router has, where that is limited. */
static void show_nat(struct hd_daemon *daemon, const struct hd_object *router, json_t *shown)
{
	static const char *const filters[] = { "address", "endpoint", "address-and-port" };
	const struct hd_router_gateway *gateway = &router->view.router.gateway;
	struct hd_table held;

	if (!gateway->snat)
		return;
	(void)json_object_set_new(shown, "nat-filter", json_string(filters[gateway->filter]));
	(void)json_object_set_new(shown, "nat-ports-per-address",
				  json_integer(gateway->address_blocks * HD_NAT_BLOCK_PORTS));
	if (!gateway->blocks)
		return;
	(void)hd_nat_held(hd_sync_datapath(daemon->sync), &held); /* fewer, without memory */
	(void)json_object_set_new(
		shown, "nat-ports-held",
		json_integer(hd_nat_held_by(&held, router->id) * HD_NAT_BLOCK_PORTS));
	hd_table_done(&held);
}

/* At an uplink with the address that the host has there now. */
static json_t *show_gateway(struct hd_daemon *daemon, const struct hd_object *router)
{
	json_t *shown = json_copy(json_object_get(router->spec, "gateway"));
	struct hd_ip ip;
	json_t *list;

	if (!json_object_get(shown, "snat"))
		(void)json_object_set_new(shown, "snat", json_true());
	if (!json_object_get(shown, "nat-log"))
		(void)json_object_set_new(shown, "nat-log", json_false());
	show_nat(daemon, router, shown);
	if (!router->view.router.gateway.uplink)
		return shown;
	ip = hd_sync_router_ip(daemon->sync, router);
	list = json_array();
	if (ip.is_v4)
		(void)json_array_append_new(list, text_of_ip(&ip));
	if (hd_sync_router_ip6(daemon->sync, router, &ip))
		(void)json_array_append_new(list, text_of_ip(&ip));
	(void)json_object_set_new(shown, "ip", list);
	return shown;
}

/* Those that a router translates. */
static json_t *show_floating_ips(const struct hd_model *model, const char *router)
{
	json_t *list = json_array();

	hd_model_each(model, HD_NOUN_FLOATING_IP, object) {
		const struct hd_floating_ip *fip = &object->view.floating_ip;

		if (!strcmp(fip->router, router))
			(void)json_array_append_new(
				list, json_pack("{s:s, s:o, s:s}", "ip", object->name, "fixed-ip",
						text_of_ip(&fip->fixed), "port", fip->port));
	}
	return list;
}

static json_t *show_port_forwards(const struct hd_model *model, const char *router)
{
	json_t *list = json_array();

	hd_model_each(model, HD_NOUN_PORT_FORWARD, object) {
		json_t *spec = object->spec;

		if (!strcmp(object->view.port_forward.router, router))
			(void)json_array_append_new(
				list, json_pack("{s:s, s:O, s:O, s:O}", "name", object->name,
						"protocol", json_object_get(spec, "protocol"),
						"listen", json_object_get(spec, "listen"), "to",
						json_object_get(spec, "to")));
	}
	return list;
}

/* The MAC that it really has, and what its subnets make of it. */
static void show_router(struct hd_daemon *daemon, const struct hd_object *object, json_t *shown)
{
	const struct hd_router *router = &object->view.router;
	json_t *interfaces = json_array();
	char mac[18];

	hd_mac_format(router->mac, mac);
	(void)json_object_set_new(shown, "mac", json_string(mac));
	(void)json_object_set_new(shown, "id", json_integer(object->id));
	for (size_t i = 0; i < router->n_subnets; i++) {
		const struct hd_object *subnet =
			hd_model_get(daemon->model, HD_NOUN_SUBNET, router->subnets[i]);
		json_t *spec = subnet->spec;

		(void)json_array_append_new(
			interfaces, json_pack("{s:s, s:O, s:O, s:O}", "subnet", subnet->name,
					      "network", json_object_get(spec, "network"), "cidr",
					      json_object_get(spec, "cidr"), "gateway",
					      json_object_get(spec, "gateway")));
	}
	(void)json_object_set_new(shown, "interfaces", interfaces);
	if (router->n_routes)
		(void)json_object_set_new(shown, "routes",
					  show_routes(json_object_get(object->spec, "routes")));
	if (router->gateway.network || router->gateway.uplink)
		(void)json_object_set_new(shown, "gateway", show_gateway(daemon, object));
	if (router->gateway.network)
		(void)json_object_set_new(shown, "next-hops", show_next_hops(daemon, object));
	(void)json_object_set_new(shown, "floating-ips",
				  show_floating_ips(daemon->model, object->name));
	(void)json_object_set_new(shown, "port-forwards",
				  show_port_forwards(daemon->model, object->name));
}

/* What it stands for, and where it is. */
static void show_floating_ip(struct hd_daemon *daemon, const struct hd_object *object,
			     json_t *shown)
{
	const struct hd_floating_ip *fip = &object->view.floating_ip;

	(void)json_object_set_new(shown, "fixed-ip", text_of_ip(&fip->fixed));
	(void)json_object_set_new(shown, "network",
				  json_string(hd_model_floating_network(daemon->model, fip)));
}

static void show_reach(struct hd_daemon *daemon, const struct hd_port_forward *forward,
		       json_t *shown)
{
	struct hd_reach reach = hd_sync_reach(daemon->sync, daemon->model, forward);
	json_t *list = json_array();

	if (reach.outside)
		(void)json_array_append_new(list, json_string("outside"));
	if (reach.host)
		(void)json_array_append_new(list, json_string("host"));
	(void)json_object_set_new(shown, "reach", list);
	(void)json_object_set_new(shown, "reason", json_string(reach.reason));
}

/* The address at which it really listens, and where that is. */
static void show_port_forward(struct hd_daemon *daemon, const struct hd_object *object,
			      json_t *shown)
{
	const struct hd_port_forward *forward = &object->view.port_forward;

	const struct hd_object *router =
		hd_model_get(daemon->model, HD_NOUN_ROUTER, forward->router);
	const struct hd_ip *ip = hd_model_listen_ip(daemon->model, forward);
	struct hd_ip host = hd_sync_router_ip(daemon->sync, router);
	const char *network = hd_model_listen_network(daemon->model, forward);

	if (!ip && (forward->listen.ip.is_v4 ? host.is_v4
					     : hd_sync_router_ip6(daemon->sync, router, &host)))
		ip = &host;
	(void)json_object_set_new(shown, "address", ip ? text_of_ip(ip) : json_string(""));
	(void)json_object_set_new(shown, "network", json_string(network ? network : ""));
	show_reach(daemon, forward, shown);
}

static void show_subnet(struct hd_daemon *daemon, const struct hd_object *object, json_t *shown)
{
	const struct hd_object *router = hd_model_router_of(daemon->model, object->name);

	(void)json_object_set_new(shown, "router", json_string(router ? router->name : ""));
}

static void show_group(struct hd_daemon *daemon, const struct hd_object *object, json_t *shown)
{
	json_t *members = json_array();

	hd_model_each(daemon->model, HD_NOUN_PORT, port)
		for (size_t i = 0; i < port->view.port.n_groups; i++)
			if (!strcmp(port->view.port.groups[i], object->name))
				(void)json_array_append_new(members, json_string(port->name));
	if (!json_object_get(object->spec, "isolate"))
		(void)json_object_set_new(shown, "isolate",
					  json_pack("[s, s]", "ingress", "egress"));
	(void)json_object_set_new(shown, "members", members);
	(void)json_object_set_new(shown, "rules", hd_api_show_rules(daemon, object));
}

/* Each rule with its place. */
static void show_firewall(struct hd_daemon *daemon, const struct hd_object *object, json_t *shown)
{
	json_t *rules = hd_api_show_rules(daemon, object), *rule;
	size_t i;

	json_array_foreach(rules, i, rule)
		(void)json_object_set_new(rule, "position", json_integer((json_int_t)i + 1));
	(void)json_object_set_new(shown, "rules", rules ? rules : json_array());
}

json_t *hd_api_show(struct hd_daemon *daemon, const struct hd_object *object)
{
	json_t *shown = json_pack("{s:s}", "name", object->name);

	(void)json_object_update(shown, object->spec);
	add_defaults(shown, object->noun);
	if (object->noun->id == HD_NOUN_PORT)
		show_port(daemon, object, shown);
	if (object->noun->id == HD_NOUN_UPLINK)
		show_uplink(daemon, object, shown);
	if (object->noun->id == HD_NOUN_PEER)
		show_peer(daemon, object, shown);
	if (object->noun->id == HD_NOUN_SUBNET)
		show_subnet(daemon, object, shown);
	if (object->noun->id == HD_NOUN_ROUTER)
		show_router(daemon, object, shown);
	if (object->noun->id == HD_NOUN_FLOATING_IP)
		show_floating_ip(daemon, object, shown);
	if (object->noun->id == HD_NOUN_PORT_FORWARD)
		show_port_forward(daemon, object, shown);
	if (object->noun->id == HD_NOUN_GROUP)
		show_group(daemon, object, shown);
	if (object->noun->id == HD_NOUN_FIREWALL)
		show_firewall(daemon, object, shown);
	if (object->noun->id == HD_NOUN_NETWORK)
		show_network(daemon, object, shown);
	return shown;
}
