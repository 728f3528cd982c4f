// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* compile.c - from objects to table entries */
#include "compile/compile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "heddle/abi.h"
#include "heddle/fdb.h"
#include "heddle/firewall.h"
#include "heddle/leg.h"
#include "heddle/nat.h"
#include "heddle/neigh.h"
#include "compile/policy.h"
#include "compile/rows.h"
#include "heddle/limit.h"
#include "heddle/policy.h"
#include "heddle/port.h"
#include "heddle/router.h"
#include "heddle/vlan.h"

const char *const hd_table_names[HD_TABLE_COUNT] = {
	[HD_TABLE_RULES] = "hd_rules",
	[HD_TABLE_SHAPES] = "hd_shapes",
	[HD_TABLE_FW_RULES] = "hd_fw_rules",
	[HD_TABLE_FW_SHAPES] = "hd_fw_shapes",
	[HD_TABLE_MEMBERS] = "hd_members",
	[HD_TABLE_SOURCES] = "hd_sources",
	[HD_TABLE_GATEWAYS] = "hd_gateways",
	[HD_TABLE_HOPS] = "hd_hops",
	[HD_TABLE_ROUTES] = "hd_routes",
	[HD_TABLE_FIPS] = "hd_fips",
	[HD_TABLE_FIPS6] = "hd_fips6",
	[HD_TABLE_FORWARDS] = "hd_forwards",
	[HD_TABLE_FORWARDS6] = "hd_forwards6",
	[HD_TABLE_OUTSIDES6] = "hd_outsides6",
	[HD_TABLE_NETWORKS] = "hd_networks",
	[HD_TABLE_TRUNKS] = "hd_trunks",
	[HD_TABLE_LIMITS] = "hd_limits",
	[HD_TABLE_PORTS] = "hd_ports",
	[HD_TABLE_ENDS] = "hd_ends",
	[HD_TABLE_PEER_NETS] = "hd_peer_nets",
	[HD_TABLE_PEERS] = "hd_peers",
	[HD_TABLE_TUNNELS] = "hd_tunnels",
	[HD_TABLE_TUNNEL_PORTS] = "hd_tunnel_ports",
	[HD_TABLE_LEGS] = "hd_legs",
	[HD_TABLE_FDB] = "hd_fdb",
	[HD_TABLE_NEIGH] = "hd_neigh",
	[HD_TABLE_IFINDEX] = "hd_ifindex",
	[HD_TABLE_IFINDEX_FAR] = "hd_ifindex_far",
};

/*
 * One run of the compiler. @rings: first and last port of each network; @slots: slots of hd_ifindex in use, a bit each; @underlay: what the
 * uplinks say; @facts: in ascending order of ids; @routed: networks that a router is in, a bit each.
 */
struct compiler {
	struct hd_underlay underlay;
	const struct hd_model *model;
	uint32_t hz;
	struct hd_tables *out;
	struct ring *rings;
	struct hd_policy *policy;
	const struct hd_fact *facts;
	size_t n_facts;
	struct hd_error *err;
	uint8_t slots[HD_IFINDEX_SLOTS / 8];
	uint8_t routed[HD_FLOW_NETWORKS_MAX / 8];
};

struct ring {
	uint32_t network;
	uint32_t first;
	struct hd_port_value *last;
	UT_hash_handle hh;
};

void hd_tables_init(struct hd_tables *tables)
{
	struct hd_table *t = tables->table;

	hd_table_init(&t[HD_TABLE_RULES], sizeof(struct hd_rule_key), sizeof(uint32_t));
	hd_table_init(&t[HD_TABLE_SHAPES], sizeof(uint32_t), sizeof(struct hd_shapes));
	hd_table_init(&t[HD_TABLE_FW_RULES], sizeof(struct hd_fw_key), sizeof(struct hd_fw_value));
	hd_table_init(&t[HD_TABLE_FW_SHAPES], sizeof(uint32_t), sizeof(struct hd_fw_shapes));
	hd_table_init(&t[HD_TABLE_MEMBERS], sizeof(struct hd_member_key), sizeof(uint32_t));
	hd_table_init(&t[HD_TABLE_SOURCES], sizeof(struct hd_source_key), sizeof(uint32_t));
	hd_table_init(&t[HD_TABLE_GATEWAYS], sizeof(struct hd_member_key), sizeof(uint32_t));
	hd_table_init(&t[HD_TABLE_HOPS], sizeof(struct hd_hop_key), sizeof(struct hd_route_value));
	hd_table_init(&t[HD_TABLE_ROUTES], sizeof(struct hd_route_key),
		      sizeof(struct hd_route_value));
	hd_table_init(&t[HD_TABLE_FIPS], sizeof(struct hd_fip_key), sizeof(struct hd_fip_value));
	hd_table_init(&t[HD_TABLE_FIPS6], sizeof(struct hd_fip6_key), sizeof(struct hd_fip6_value));
	hd_table_init(&t[HD_TABLE_FORWARDS], sizeof(struct hd_nat_key),
		      sizeof(struct hd_forward_value));
	hd_table_init(&t[HD_TABLE_FORWARDS6], sizeof(struct hd_nat6_key),
		      sizeof(struct hd_forward6_value));
	hd_table_init(&t[HD_TABLE_OUTSIDES6], sizeof(struct hd_fip6_key),
		      sizeof(struct hd_outside6_value));
	hd_table_init(&t[HD_TABLE_NETWORKS], sizeof(uint32_t), sizeof(struct hd_network_value));
	hd_table_init(&t[HD_TABLE_TRUNKS], sizeof(uint32_t), sizeof(struct hd_trunk_value));
	hd_table_init(&t[HD_TABLE_LIMITS], sizeof(uint32_t), sizeof(struct hd_limit_value));
	hd_table_init(&t[HD_TABLE_PORTS], sizeof(uint32_t), sizeof(struct hd_port_value));
	hd_table_init(&t[HD_TABLE_ENDS], sizeof(uint32_t), sizeof(struct hd_end_value));
	hd_table_init(&t[HD_TABLE_PEER_NETS], sizeof(struct hd_peer_net_key), sizeof(uint32_t));
	hd_table_init(&t[HD_TABLE_PEERS], sizeof(struct hd_peer_key), sizeof(uint32_t));
	hd_table_init(&t[HD_TABLE_TUNNELS], sizeof(struct hd_tunnel_key), sizeof(uint32_t));
	hd_table_init(&t[HD_TABLE_TUNNEL_PORTS], sizeof(uint32_t), sizeof(uint32_t));
	hd_table_init(&t[HD_TABLE_LEGS], sizeof(struct hd_leg_key), sizeof(uint32_t));
	hd_table_init(&t[HD_TABLE_FDB], sizeof(struct hd_fdb_key), sizeof(struct hd_fdb_value));
	hd_table_init(&t[HD_TABLE_NEIGH], sizeof(struct hd_neigh_key),
		      sizeof(struct hd_neigh_value));
	hd_table_init(&t[HD_TABLE_IFINDEX], sizeof(uint32_t), sizeof(struct hd_ifindex_value));
	hd_table_init(&t[HD_TABLE_IFINDEX_FAR], sizeof(uint32_t), sizeof(uint32_t));
}

void hd_tables_done(struct hd_tables *tables)
{
	for (int i = 0; i < HD_TABLE_COUNT; i++)
		hd_table_done(&tables->table[i]);
}

void hd_tables_swap(struct hd_tables *a, struct hd_tables *b)
{
	struct hd_tables t = *a;

	*a = *b;
	*b = t;
}

/* How packets of the network are known when they come in. Networks may share a UDP port: the same row twice is one. */
static int compile_tunnel(struct compiler *c, const struct hd_object *object)
{
	const struct hd_network *network = &object->view.network;
	struct hd_tunnel_key key = { .type = (uint8_t)network->tunnel,
				     .port = htons(network->tunnel_port),
				     .id = network->tunnel_id };
	uint32_t port = network->tunnel_port;
	uint32_t type = network->tunnel == HD_TUNNEL_GRE_KEY ? HD_TUNNEL_GRE : network->tunnel;
	int r = hd_table_add(&c->out->table[HD_TABLE_TUNNELS], &key, &object->id);

	return r < 0 ? r : hd_table_add(&c->out->table[HD_TABLE_TUNNEL_PORTS], &port, &type);
}

static struct hd_tunnel tunnel_value(const struct hd_network *network)
{
	struct hd_tunnel tunnel = { .type = (uint8_t)network->tunnel,
				    .id = network->tunnel_id,
				    .port = htons(network->tunnel_port),
				    .overhead = hd_tunnel_overhead(network->tunnel) };

	if (network->tunnel == HD_TUNNEL_NONE)
		return tunnel;
	tunnel.ttl = network->tunnel_ttl;
	tunnel.tos_keep = network->has_dscp ? HD_TUNNEL_TOS_ECN : HD_TUNNEL_TOS_INHERIT;
	tunnel.tos = (uint8_t)(network->dscp << 2);
	return tunnel;
}

static int compile_network(struct compiler *c, const struct hd_object *object)
{
	const struct hd_network *network = &object->view.network;
	struct hd_network_value value = {
		.flags = (network->flood ? HD_NETWORK_FLOOD : 0) |
			 (network->suppress ? HD_NETWORK_SUPPRESS : 0) |
			 (c->underlay.is_v6 ? HD_NETWORK_IPV6_UNDERLAY : 0),
		.ageing_jiffies = hd_network_ageing(network, c->hz),
		.tunnel = tunnel_value(network),
	};
	int r = network->tunnel == HD_TUNNEL_NONE ? 0 : compile_tunnel(c, object);

	return r < 0 ? r : hd_table_add(&c->out->table[HD_TABLE_NETWORKS], &object->id, &value);
}

int hd_row_fdb(struct hd_tables *out, uint32_t network, uint16_t vlan, const uint8_t mac[6],
	       uint32_t port)
{
	struct hd_fdb_key key = { .network = network, .vlan = vlan };
	struct hd_fdb_value value = { .port = port, .flags = HD_FDB_STATIC };

	memcpy(key.mac, mac, 6);
	return hd_table_add(&out->table[HD_TABLE_FDB], &key, &value);
}

int hd_row_neigh(struct hd_tables *out, uint32_t network, uint16_t vlan, const struct hd_ip *ip,
		 const uint8_t mac[6], uint32_t port)
{
	struct hd_neigh_key key = { .network = network, .vlan = vlan };
	struct hd_neigh_value value = { .port = port };

	memcpy(key.addr, ip->bytes, 16);
	memcpy(value.mac, mac, 6);
	return hd_table_add(&out->table[HD_TABLE_NEIGH], &key, &value);
}

/* Two devices on one slot: the one with the smaller port id keeps it, the other goes to the far table. */
static int compile_ifindex(struct compiler *c, uint32_t port, uint32_t ifindex)
{
	uint32_t slot = ifindex % HD_IFINDEX_SLOTS;
	struct hd_ifindex_value value = { .ifindex = ifindex, .port = port };
	uint8_t bit = (uint8_t)(1 << slot % 8);

	if (c->slots[slot / 8] & bit)
		return hd_table_add(&c->out->table[HD_TABLE_IFINDEX_FAR], &ifindex, &port);
	c->slots[slot / 8] |= bit;
	return hd_table_add(&c->out->table[HD_TABLE_IFINDEX], &slot, &value);
}

static uint32_t vlan_flags(const struct hd_port *port)
{
	static const uint32_t flags[] = {
		[HD_VLAN_MODE_NONE] = 0,
		[HD_VLAN_MODE_ACCESS] = HD_PORT_VLAN,
		[HD_VLAN_MODE_TRUNK] = HD_PORT_VLAN | HD_PORT_TRUNK,
		[HD_VLAN_MODE_NATIVE_TAGGED] = HD_PORT_VLAN | HD_PORT_TRUNK | HD_PORT_NATIVE_TAGGED,
		[HD_VLAN_MODE_NATIVE_UNTAGGED] = HD_PORT_VLAN | HD_PORT_TRUNK,
		[HD_VLAN_MODE_TUNNEL] = HD_PORT_VLAN | HD_PORT_QINQ,
	};

	return flags[port->vlan_mode] | (port->trunk ? HD_PORT_TRUNK_LIST : 0);
}

static uint32_t port_flags(const struct hd_port *port, const struct hd_fact *fact)
{
	return (fact->ifindex && fact->up ? HD_PORT_UP : 0) | (fact->peer ? HD_PORT_PEER : 0) |
	       (port->isolated ? HD_PORT_ISOLATED : 0) | (port->hairpin ? HD_PORT_HAIRPIN : 0) |
	       (port->has_mac ? HD_PORT_HAS_MAC : 0) | (port->secure ? HD_PORT_SECURE : 0) |
	       (port->n_ips || port->n_allowed ? HD_PORT_HAS_IPS : 0) | vlan_flags(port) |
	       (port->rate[HD_EGRESS] ? HD_PORT_LIMIT_EGRESS : 0) |
	       (port->rate[HD_INGRESS] ? HD_PORT_LIMIT_INGRESS : 0);
}

/* @rate in bits a second, @burst in bytes. */
static struct hd_limit limit_of(uint64_t rate, uint64_t burst)
{
	uint64_t bytes_s = rate / 8;

	return (struct hd_limit){ .bytes_s = bytes_s,
				  .burst_ns = bytes_s ? burst * 1000000000 / bytes_s : 0 };
}

static int compile_limits(struct compiler *c, const struct hd_object *object)
{
	const struct hd_port *port = &object->view.port;
	struct hd_limit_value value;

	if (!port->rate[HD_EGRESS] && !port->rate[HD_INGRESS])
		return 0;
	for (int dir = 0; dir < 2; dir++)
		value.dir[dir] = limit_of(port->rate[dir], hd_port_burst(port, dir));
	return hd_table_add(&c->out->table[HD_TABLE_LIMITS], &object->id, &value);
}

static int compare_fact(const void *key, const void *member)
{
	uint32_t port = *(const uint32_t *)key, other = ((const struct hd_fact *)member)->port;

	return port < other ? -1 : port > other;
}

/* What is known about the uplink of a flat or vlan network; NULL for others. */
/* NULL for none. */
static const struct hd_fact *fact_of(const struct compiler *c, const struct hd_object *uplink)
{
	return uplink ? bsearch(&uplink->id, c->facts, c->n_facts, sizeof(*c->facts), compare_fact)
		      : NULL;
}

static const struct hd_fact *uplink_fact(const struct compiler *c, const struct hd_network *network)
{
	return fact_of(c, hd_model_physical(c->model, network->physical));
}

static uint32_t network_mtu(const struct compiler *c, const struct hd_network *network)
{
	const struct hd_fact *uplink = uplink_fact(c, network);
	struct hd_underlay underlay = c->underlay;

	if (uplink)
		underlay.mtu = uplink->mtu ? uplink->mtu : 1500;
	return hd_network_mtu(network, &underlay);
}

/* A device that heddle makes has the MTU it should have. One that was there may have more, unless the port says how much. */
static uint32_t port_mtu(const struct compiler *c, const struct hd_port *port,
			 const struct hd_network *network, const struct hd_fact *fact)
{
	uint32_t limit = port->mtu ? port->mtu : network_mtu(c, network);

	if (!fact->mtu)
		return limit;
	if (port->kind == HD_PORT_DEVICE && !port->mtu)
		return fact->mtu;
	return fact->mtu < limit ? fact->mtu : limit;
}

/* By which number the datapath knows what a port is behind: its own, or that of its peer. */
static uint32_t datapath_port(const struct compiler *c, const struct hd_object *object)
{
	const struct hd_port *port = &object->view.port;

	return port->kind == HD_PORT_REMOTE ? hd_model_get(c->model, HD_NOUN_PEER, port->peer)->id
					    : object->id;
}

static int compile_port_addresses(struct compiler *c, const struct hd_object *object,
				  uint32_t network)
{
	const struct hd_port *port = &object->view.port;
	uint32_t id = datapath_port(c, object);
	int r;

	if (!port->has_mac)
		return 0;
	r = hd_row_fdb(c->out, network, port->vlan, port->mac, id);
	for (size_t i = 0; r == 0 && i < port->n_ips; i++)
		r = hd_row_neigh(c->out, network, port->vlan, &port->ips[i], port->mac, id);
	return r;
}

/* Of a port at another host: where it is. */
static int compile_remote_ports(struct compiler *c)
{
	int r = 0;

	hd_model_each(c->model, HD_NOUN_PORT, port)
		if (r == 0 && port->view.port.kind == HD_PORT_REMOTE)
			r = compile_port_addresses(
				c, port, hd_model_network_of(c->model, &port->view.port)->id);
	return r;
}

/* What flows into a tunnel are judged by: who is in which groups behind the peer. */
static uint32_t peer_gen(const struct compiler *c, const struct hd_object *peer)
{
	uint32_t gen = 0;

	hd_model_each(c->model, HD_NOUN_PORT, port)
		if (port->view.port.kind == HD_PORT_REMOTE &&
		    !strcmp(port->view.port.peer, peer->name))
			gen += hd_policy_gen(c->policy, port);
	return gen;
}

static void find_routed(struct compiler *c)
{
	hd_model_each(c->model, HD_NOUN_ROUTER, object) {
		const struct hd_router *router = &object->view.router;

		for (size_t i = 0; i < router->n_subnets; i++) {
			const struct hd_object *subnet =
				hd_model_get(c->model, HD_NOUN_SUBNET, router->subnets[i]);
			uint32_t id =
				hd_model_get(c->model, HD_NOUN_NETWORK, subnet->view.subnet.network)
					->id;

			c->routed[id / 8] |= (uint8_t)(1 << id % 8);
		}
		if (router->gateway.network) {
			uint32_t id =
				hd_model_get(c->model, HD_NOUN_NETWORK, router->gateway.network)
					->id;

			c->routed[id / 8] |= (uint8_t)(1 << id % 8);
		}
	}
}

static uint32_t routed_flag(const struct compiler *c, uint32_t network)
{
	return c->routed[network / 8] & 1 << network % 8 ? HD_PORT_ROUTED : 0;
}

static int compile_port(struct compiler *c, const struct hd_object *object,
			const struct hd_fact *fact)
{
	const struct hd_port *port = &object->view.port;
	const struct hd_object *network = hd_model_network_of(c->model, port);
	struct hd_port_value value = {
		.network = network->id,
		.ifindex = fact->ifindex,
		.flags = port_flags(port, fact) | routed_flag(c, network->id),
		.next = object->id,
		.mtu = port_mtu(c, port, &network->view.network, fact),
		.mac_limit = network->view.network.port_mac_limit,
		.vlan = port->vlan,
		.policy = port->secure ? hd_set_id(port->groups, port->n_groups) : 0,
		.gen = hd_policy_gen(c->policy, object),
	};
	int r = 0;

	memcpy(value.mac, port->mac, 6);
	if (port->trunk)
		r = hd_table_add(&c->out->table[HD_TABLE_TRUNKS], &object->id, port->trunk);
	if (r == 0)
		r = compile_limits(c, object);
	if (r == 0)
		r = hd_table_add(&c->out->table[HD_TABLE_PORTS], &object->id, &value);
	if (r == 0 && fact->ifindex)
		r = compile_ifindex(c, object->id, fact->ifindex);
	if (r == 0)
		r = compile_port_addresses(c, object, network->id);
	return r;
}

/* Sum of what is the same in each outer IPv4 header to a peer: version, DF, the usual TTL, addresses. */
static uint16_t header_sum(const struct hd_end_value *end)
{
	uint32_t sum = htons(0x4500) + htons(0x4000) + htons(HD_TUNNEL_TTL << 8);
	uint16_t words[4];

	memcpy(words, &end->local[3], 4);
	memcpy(words + 2, &end->remote[3], 4);
	for (size_t i = 0; i < 4; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* What leaves by the uplink has its MAC as the next hop's: the kernel finds the true one. */
static void masquerade_by(const struct hd_fact *fact, struct hd_port_value *value,
			  struct hd_end_value *end)
{
	value->network = HD_NETWORK_HOST;
	value->flags |= HD_PORT_MASQ | HD_PORT_HAS_MAC;
	memcpy(value->mac, fact->from, 6);
	end->flags |= (fact->address ? HD_END_MASQ : 0) | (fact->n_at > 1 ? HD_END_MASQ_MORE : 0) |
		      (fact->n_at6 ? HD_END_MASQ6 : 0);
	end->remote[3] = fact->address;
}

static int compile_uplink(struct compiler *c, const struct hd_object *object,
			  const struct hd_fact *fact)
{
	const struct hd_uplink *uplink = &object->view.uplink;
	struct hd_port_value value = { .network = HD_NETWORK_UNDERLAY,
				       .ifindex = fact->ifindex,
				       .flags = HD_PORT_UPLINK | (fact->up ? HD_PORT_UP : 0) |
						(hd_model_has_legs(c->model, object) ? HD_PORT_LEGS
										     : 0),
				       .next = object->id,
				       .mtu = fact->mtu };
	const struct hd_ip *ip = uplink->has_ip ? &uplink->ip : hd_model_tunnel_ip(c->model);
	struct hd_end_value end = { .flags = (ip && !ip->is_v4 ? HD_END_IPV6 : 0) |
					     (fact->partial ? HD_END_PARTIAL : 0) |
					     (fact->forward ? HD_END_FORWARD : 0),
				    .ifindex = fact->ifindex,
				    .mtu = fact->mtu };
	int r;

	memcpy(end.from, fact->from, 6);
	if (ip)
		memcpy(end.local, ip->bytes, 16);
	if (fact->address || fact->n_at6)
		masquerade_by(fact, &value, &end);
	r = hd_table_add(&c->out->table[HD_TABLE_ENDS], &object->id, &end);
	if (r == 0)
		r = hd_table_add(&c->out->table[HD_TABLE_PORTS], &object->id, &value);
	return r < 0 || !fact->ifindex ? r : compile_ifindex(c, object->id, fact->ifindex);
}

static int compile_peer(struct compiler *c, const struct hd_object *object,
			const struct hd_fact *fact)
{
	const struct hd_peer *peer = &object->view.peer;
	struct hd_port_value value = {
		.network = HD_NETWORK_UNDERLAY,
		.flags = HD_PORT_TUNNEL | (fact->up ? HD_PORT_UP : 0) |
			 (peer->n_networks ? 0 : HD_PORT_EVERYWHERE),
		.next = object->id,
		.mac_limit = peer->mac_limit,
		.gen = peer_gen(c, object),
	};
	struct hd_end_value end = { .flags = peer->ip.is_v4 ? 0 : HD_END_IPV6,
				    .ifindex = fact->ifindex,
				    .mtu = fact->mtu };
	struct hd_peer_key key;
	int r;

	memcpy(end.to, fact->to, 6);
	memcpy(end.from, fact->from, 6);
	memcpy(end.local, fact->local, 16);
	memcpy(end.remote, peer->ip.bytes, 16);
	end.csum = header_sum(&end);
	memcpy(key.addr, peer->ip.bytes, 16);
	r = hd_table_add(&c->out->table[HD_TABLE_ENDS], &object->id, &end);
	if (r == 0)
		r = hd_table_add(&c->out->table[HD_TABLE_PORTS], &object->id, &value);
	return r < 0 ? r : hd_table_add(&c->out->table[HD_TABLE_PEERS], &key, &object->id);
}

/* A network's leg in its physical network: a member like a port without security, whose device is the uplink; see heddle/leg.h. */
static int compile_leg(struct compiler *c, const struct hd_object *object)
{
	const struct hd_network *network = &object->view.network;
	const struct hd_fact *uplink = uplink_fact(c, network);
	const struct hd_ip *ip = hd_model_tunnel_ip(c->model);
	struct hd_end_value end = { .flags = ip && !ip->is_v4 ? HD_END_IPV6 : 0 };
	struct hd_leg_key key = { .vid = network->vlan };
	struct hd_port_value value = { .network = object->id,
				       .next = object->leg,
				       .mac_limit = HD_LEG_MACS,
				       .vlan = network->vlan,
				       .flags = HD_PORT_LEG | routed_flag(c, object->id) };
	int r;

	if (!uplink || !object->leg)
		return 0;
	key.uplink = uplink->port;
	end.ifindex = value.ifindex = uplink->ifindex;
	end.mtu = value.mtu = uplink->mtu;
	value.flags |= (uplink->up ? HD_PORT_UP : 0) |
		       (uplink->shared && !network->vlan ? HD_PORT_SHARED : 0);
	if (ip)
		memcpy(end.local, ip->bytes, 16);
	r = hd_table_add(&c->out->table[HD_TABLE_ENDS], &object->leg, &end);
	if (r == 0)
		r = hd_table_add(&c->out->table[HD_TABLE_PORTS], &object->leg, &value);
	return r < 0 ? r : hd_table_add(&c->out->table[HD_TABLE_LEGS], &key, &object->leg);
}

static int compile_legs(struct compiler *c)
{
	int r = 0;

	hd_model_each(c->model, HD_NOUN_NETWORK, network)
		if (r == 0 && network->view.network.physical)
			r = compile_leg(c, network);
	hd_table_sort(&c->out->table[HD_TABLE_PORTS]); /* for the rings */
	return r;
}

/* Of the uplink by which a router masquerades. */
static const struct hd_fact *gateway_fact(const struct compiler *c, const struct hd_object *router)
{
	const char *uplink = router->view.router.gateway.uplink;

	return fact_of(c, uplink ? hd_model_get(c->model, HD_NOUN_UPLINK, uplink) : NULL);
}

static int compile_fact(struct compiler *c, const struct hd_fact *fact)
{
	const struct hd_object *object = hd_model_get_port(c->model, fact->port);

	if (object->noun->id == HD_NOUN_UPLINK)
		return compile_uplink(c, object, fact);
	if (object->noun->id == HD_NOUN_PEER)
		return compile_peer(c, object, fact);
	if (object->noun->id == HD_NOUN_ROUTER)
		return hd_compile_router(c->model, object, fact, gateway_fact(c, object), c->out,
					 c->err);
	return compile_port(c, object, fact);
}

/* The list of the peers of one network, or of those that are in all of them; see heddle/tunnel.h. */
static int link_peers(struct compiler *c, const struct hd_object *network)
{
	struct hd_peer_net_key key = { .network = network ? network->id : 0 };
	struct hd_table *links = &c->out->table[HD_TABLE_PEER_NETS];
	const uint32_t none = HD_PORT_NONE;
	int r = 0;

	hd_model_each(c->model, HD_NOUN_PEER, peer) {
		const struct hd_peer *view = &peer->view.peer;

		if (network ? !view->n_networks || !hd_peer_is_in(view, network) : view->n_networks)
			continue;
		r = hd_table_add(links, &key, &peer->id);
		if (r < 0)
			return r;
		key.peer = peer->id;
	}
	return key.peer ? hd_table_add(links, &key, &none) : 0;
}

static int link_all_peers(struct compiler *c)
{
	int r = link_peers(c, NULL);

	hd_model_each(c->model, HD_NOUN_NETWORK, network)
		if (r == 0 && network->view.network.tunnel != HD_TUNNEL_NONE)
			r = link_peers(c, network);
	return r;
}

/* The smallest MTU of the uplinks that tunnels use; what Ethernet has while none is known. */
static void look_at_uplinks(struct compiler *c, const struct hd_fact *facts, size_t n_facts)
{
	c->underlay = (struct hd_underlay){ .is_v6 = hd_model_underlay_is_v6(c->model) };
	for (size_t i = 0; i < n_facts; i++) {
		const struct hd_object *uplink =
			hd_model_get_id(c->model, HD_NOUN_UPLINK, facts[i].port);

		if (uplink && facts[i].mtu && (!c->underlay.mtu || facts[i].mtu < c->underlay.mtu))
			c->underlay.mtu = facts[i].mtu;
	}
	if (!c->underlay.mtu)
		c->underlay.mtu = 1500;
}

/* A network's first member, for what comes from outside its ring. */
static void set_first(struct compiler *c, uint32_t network, uint32_t port)
{
	struct hd_network_value *value = hd_table_find(&c->out->table[HD_TABLE_NETWORKS], &network);

	if (value)
		value->first = port;
}

/* Ports come in ascending order: each becomes its network's last, and points to the first; the one before points to it. */
static int ring_add(struct compiler *c, uint32_t id, struct hd_port_value *value)
{
	struct ring *ring;

	HASH_FIND(hh, c->rings, &value->network, sizeof(value->network), ring);
	if (!ring) {
		ring = calloc(1, sizeof(*ring));
		if (!ring)
			return -ENOMEM;
		ring->network = value->network;
		ring->first = id;
		set_first(c, value->network, id);
		HASH_ADD(hh, c->rings, network, sizeof(ring->network), ring);
	} else {
		ring->last->next = id;
	}
	value->next = ring->first;
	ring->last = value;
	return 0;
}

static bool is_pseudo(const struct hd_port_value *value)
{
	return value->network == HD_NETWORK_UNDERLAY || value->network == HD_NETWORK_HOST;
}

static int close_rings(struct compiler *c)
{
	struct hd_table *ports = &c->out->table[HD_TABLE_PORTS];
	int r = 0;

	for (size_t i = 0; r == 0 && i < ports->n; i++) {
		uint32_t id;

		memcpy(&id, hd_table_key(ports, i), sizeof(id));
		if (is_pseudo(hd_table_value(ports, i)))
			continue;
		r = ring_add(c, id, hd_table_value(ports, i));
	}
	return r;
}

static void rings_free(struct compiler *c)
{
	struct ring *ring, *next;

	HASH_ITER(hh, c->rings, ring, next) {
		HASH_DEL(c->rings, ring);
		free(ring);
	}
}

static int compile_entries(struct compiler *c)
{
	int r = 0;

	hd_model_each(c->model, HD_NOUN_FDB, object) {
		const struct hd_fdb *fdb = &object->view.fdb;
		uint32_t network = hd_model_get(c->model, HD_NOUN_NETWORK, fdb->network)->id;
		const struct hd_object *end =
			hd_model_get(c->model, fdb->peer ? HD_NOUN_PEER : HD_NOUN_PORT,
				     fdb->peer ? fdb->peer : fdb->port);

		if (fdb->peer)
			r = hd_row_fdb(c->out, network, 0, fdb->mac, end->id);
		else
			r = hd_row_fdb(c->out, network, end->view.port.vlan, fdb->mac,
				       datapath_port(c, end));
		if (r < 0)
			return r;
	}
	hd_model_each(c->model, HD_NOUN_NEIGHBOUR, object) {
		const struct hd_neighbour *neigh = &object->view.neighbour;

		r = hd_row_neigh(c->out,
				 hd_model_get(c->model, HD_NOUN_NETWORK, neigh->network)->id, 0,
				 &neigh->ip, neigh->mac, HD_PORT_NONE);
		if (r < 0)
			return r;
	}
	return r;
}

static int compile_all(struct compiler *c, const struct hd_fact *facts, size_t n_facts)
{
	int r = 0;

	c->facts = facts;
	c->n_facts = n_facts;
	look_at_uplinks(c, facts, n_facts);
	find_routed(c);
	hd_model_each(c->model, HD_NOUN_NETWORK, network) {
		r = compile_network(c, network);
		if (r < 0)
			return r;
	}
	hd_table_sort(&c->out->table[HD_TABLE_NETWORKS]);
	for (size_t i = 0; r == 0 && i < n_facts; i++)
		r = compile_fact(c, &facts[i]);
	if (r == 0)
		r = compile_legs(c);
	if (r == 0)
		r = close_rings(c);
	if (r == 0)
		r = link_all_peers(c);
	if (r == 0)
		r = compile_remote_ports(c);
	return r < 0 ? r : compile_entries(c);
}

int hd_compile(const struct hd_model *model, const struct hd_fact *facts, size_t n_facts,
	       uint32_t hz, struct hd_tables *ret, struct hd_error *err)
{
	struct compiler c = { .model = model, .hz = hz, .out = ret, .err = err };
	int r = hd_policy_compile(model, ret, &c.policy, err);

	if (r == 0)
		r = compile_all(&c, facts, n_facts);
	rings_free(&c);
	hd_policy_free(c.policy);
	for (int i = 0; i < HD_TABLE_COUNT; i++)
		hd_table_sort(&ret->table[i]);
	return r;
}
