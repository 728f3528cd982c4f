// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_compile.c - from objects to table entries: rings, flags, MTU, addresses, ifindices; the same
 * in, the same out
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "compile/compile.h"
#include "heddle/abi.h"
#include "heddle/fdb.h"
#include "heddle/firewall.h"
#include "heddle/leg.h"
#include "heddle/nat.h"
#include "heddle/neigh.h"
#include "heddle/limit.h"
#include "heddle/policy.h"
#include "heddle/port.h"
#include "heddle/router.h"
#include "heddle/vlan.h"

#define HZ 250
#define MAX_FACTS 512

struct fixture {
	struct hd_model *model;
	struct hd_fact facts[MAX_FACTS];
	size_t n_facts;
	struct hd_tables out;
};

static const struct hd_limits limits = {
	.ports = 4096, .networks = 256, .fdb = 64, .neighbours = 64, .drops = 64
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct hd_object *group;

	f->model = hd_model_new();
	group = hd_group_default();
	assert_int_equal(hd_model_put(f->model, group), 0);
	hd_object_unref(group);
	hd_tables_init(&f->out);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hd_tables_done(&f->out);
	hd_model_free(f->model);
	free(f);
	return 0;
}

static const struct hd_object *put(struct fixture *f, enum hd_noun_id noun, const char *name,
				   const char *options)
{
	_json_ json_t *spec = json_loads(options, 0, NULL);
	_json_ json_t *canonical = NULL;
	struct hd_object *object = NULL;
	struct hd_error err = { 0 };

	assert_non_null(spec);
	if (hd_spec_canonical(&hd_nouns[noun], name, spec, false, &canonical, &err) < 0 ||
	    hd_object_new(&hd_nouns[noun], name, 0, canonical, &object, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(hd_model_put(f->model, object), 0);
	hd_object_unref(object);
	assert_int_equal(hd_model_assign_ids(f->model, &limits, NULL), 0);
	return object;
}

static void network(struct fixture *f, const char *name, const char *more)
{
	char options[256];

	(void)snprintf(options, sizeof(options), "{\"type\":\"local\"%s}", more);
	put(f, HD_NOUN_NETWORK, name, options);
}

/*
 * A port with @more options; its device is @fact, whose port id is filled in. Ids are given in this
 * order, so facts are too.
 */
static uint32_t port(struct fixture *f, const char *name, const char *net, const char *more,
		     struct hd_fact fact)
{
	char options[512];

	(void)snprintf(options, sizeof(options), "{\"network\":\"%s\"%s}", net, more);
	fact.port = put(f, HD_NOUN_PORT, name, options)->id;
	assert_true(f->n_facts < MAX_FACTS);
	f->facts[f->n_facts++] = fact;
	return fact.port;
}

static uint32_t tap(struct fixture *f, const char *name, const char *net, uint32_t ifindex)
{
	char more[64];

	(void)snprintf(more, sizeof(more), ",\"device\":\"%.15s\"", name);
	return port(f, name, net, more,
		    (struct hd_fact){ .ifindex = ifindex, .mtu = 1500, .up = true });
}

static void compile(struct fixture *f)
{
	hd_tables_done(&f->out);
	hd_tables_init(&f->out);
	assert_int_equal(hd_model_validate(f->model, NULL), 0);
	assert_int_equal(hd_compile(f->model, f->facts, f->n_facts, HZ, &f->out, NULL), 0);
}

static const void *row(struct fixture *f, enum hd_table_id id, const void *key)
{
	return hd_table_find(&f->out.table[id], key);
}

static struct hd_port_value port_value(struct fixture *f, uint32_t id)
{
	const void *found = row(f, HD_TABLE_PORTS, &id);
	struct hd_port_value value;

	assert_non_null(found);
	memcpy(&value, found, sizeof(value));
	return value;
}

static size_t rows(const struct fixture *f, enum hd_table_id id)
{
	return f->out.table[id].n;
}

/* --- tables one by one --- */

static void nothing_in_nothing_out(void **state)
{
	struct fixture *f = *state;

	compile(f);
	for (int id = 0; id < HD_TABLE_COUNT; id++)
		assert_int_equal(rows(f, id), 0);
}

static void table_names_and_sizes(void **state)
{
	static const struct {
		const char *name;
		size_t key, value;
	} tables[HD_TABLE_COUNT] = {
		[HD_TABLE_RULES] = { "hd_rules", sizeof(struct hd_rule_key), 4 },
		[HD_TABLE_SHAPES] = { "hd_shapes", 4, sizeof(struct hd_shapes) },
		[HD_TABLE_FW_RULES] = { "hd_fw_rules", sizeof(struct hd_fw_key),
					sizeof(struct hd_fw_value) },
		[HD_TABLE_FW_SHAPES] = { "hd_fw_shapes", 4, sizeof(struct hd_fw_shapes) },
		[HD_TABLE_MEMBERS] = { "hd_members", sizeof(struct hd_member_key), 4 },
		[HD_TABLE_SOURCES] = { "hd_sources", sizeof(struct hd_source_key), 4 },
		[HD_TABLE_GATEWAYS] = { "hd_gateways", sizeof(struct hd_member_key), 4 },
		[HD_TABLE_HOPS] = { "hd_hops", sizeof(struct hd_hop_key),
				    sizeof(struct hd_route_value) },
		[HD_TABLE_ROUTES] = { "hd_routes", sizeof(struct hd_route_key),
				      sizeof(struct hd_route_value) },
		[HD_TABLE_FIPS] = { "hd_fips", sizeof(struct hd_fip_key),
				    sizeof(struct hd_fip_value) },
		[HD_TABLE_FIPS6] = { "hd_fips6", sizeof(struct hd_fip6_key),
				     sizeof(struct hd_fip6_value) },
		[HD_TABLE_OUTSIDES6] = { "hd_outsides6", sizeof(struct hd_fip6_key),
					 sizeof(struct hd_outside6_value) },
		[HD_TABLE_FORWARDS6] = { "hd_forwards6", sizeof(struct hd_nat6_key),
					 sizeof(struct hd_forward6_value) },
		[HD_TABLE_FORWARDS] = { "hd_forwards", sizeof(struct hd_nat_key),
					sizeof(struct hd_forward_value) },
		[HD_TABLE_NETWORKS] = { "hd_networks", 4, sizeof(struct hd_network_value) },
		[HD_TABLE_TRUNKS] = { "hd_trunks", 4, sizeof(struct hd_trunk_value) },
		[HD_TABLE_LIMITS] = { "hd_limits", 4, sizeof(struct hd_limit_value) },
		[HD_TABLE_PORTS] = { "hd_ports", 4, sizeof(struct hd_port_value) },
		[HD_TABLE_ENDS] = { "hd_ends", 4, sizeof(struct hd_end_value) },
		[HD_TABLE_PEER_NETS] = { "hd_peer_nets", sizeof(struct hd_peer_net_key), 4 },
		[HD_TABLE_PEERS] = { "hd_peers", sizeof(struct hd_peer_key), 4 },
		[HD_TABLE_TUNNELS] = { "hd_tunnels", sizeof(struct hd_tunnel_key), 4 },
		[HD_TABLE_TUNNEL_PORTS] = { "hd_tunnel_ports", 4, 4 },
		[HD_TABLE_LEGS] = { "hd_legs", sizeof(struct hd_leg_key), 4 },
		[HD_TABLE_FDB] = { "hd_fdb", sizeof(struct hd_fdb_key),
				   sizeof(struct hd_fdb_value) },
		[HD_TABLE_NEIGH] = { "hd_neigh", sizeof(struct hd_neigh_key),
				     sizeof(struct hd_neigh_value) },
		[HD_TABLE_IFINDEX] = { "hd_ifindex", 4, sizeof(struct hd_ifindex_value) },
		[HD_TABLE_IFINDEX_FAR] = { "hd_ifindex_far", 4, 4 },
	};
	struct fixture *f = *state;

	for (int id = 0; id < HD_TABLE_COUNT; id++) {
		assert_string_equal(hd_table_names[id], tables[id].name);
		assert_int_equal(f->out.table[id].key_size, tables[id].key);
		assert_int_equal(f->out.table[id].value_size, tables[id].value);
	}
}

static void networks(void **state)
{
	static const struct {
		const char *more;
		uint32_t flags, ageing;
	} cases[] = {
		{ "", HD_NETWORK_FLOOD, 301 * HZ },
		{ ",\"flood\":false", 0, 301 * HZ },
		{ ",\"neighbour-suppression\":true", HD_NETWORK_FLOOD | HD_NETWORK_SUPPRESS,
		  301 * HZ },
		{ ",\"flood\":false,\"neighbour-suppression\":true,\"ageing\":0",
		  HD_NETWORK_SUPPRESS, 0 },
		{ ",\"ageing\":1000000", HD_NETWORK_FLOOD, 1000001u * HZ },
		{ ",\"ageing\":1", HD_NETWORK_FLOOD, 2 * HZ },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_network_value value;
		uint32_t id;

		network(f, "blue", cases[i].more);
		compile(f);
		assert_int_equal(rows(f, HD_TABLE_NETWORKS), 1);
		id = hd_model_get(f->model, HD_NOUN_NETWORK, "blue")->id;
		assert_non_null(row(f, HD_TABLE_NETWORKS, &id));
		memcpy(&value, row(f, HD_TABLE_NETWORKS, &id), sizeof(value));
		assert_int_equal(value.flags, cases[i].flags);
		assert_int_equal(value.ageing_jiffies, cases[i].ageing);
	}
}

/* The largest age that can be asked for fits, with the fastest clock that a kernel has. */
static void ageing_does_not_overflow(void **state)
{
	struct fixture *f = *state;
	struct hd_network_value value;
	uint32_t id = 1;

	network(f, "blue", ",\"ageing\":1000000");
	assert_int_equal(hd_compile(f->model, NULL, 0, 1000, &f->out, NULL), 0);
	memcpy(&value, row(f, HD_TABLE_NETWORKS, &id), sizeof(value));
	assert_int_equal(value.ageing_jiffies, 1000001000u);
}

static void port_flags(void **state)
{
	static const struct {
		const char *more;
		struct hd_fact fact;
		uint32_t flags;
	} cases[] = {
		{ "", { .ifindex = 9, .mtu = 1500, .up = true }, HD_PORT_UP | HD_PORT_SECURE },
		{ "", { .ifindex = 9, .mtu = 1500 }, HD_PORT_SECURE },
		{ "", { .ifindex = 0, .up = true }, HD_PORT_SECURE },
		{ ",\"no-security\":true", { .ifindex = 9, .mtu = 1500, .up = true }, HD_PORT_UP },
		{ ",\"no-security\":true",
		  { .ifindex = 9, .mtu = 1500, .up = true, .peer = true },
		  HD_PORT_UP | HD_PORT_PEER },
		{ ",\"no-security\":true,\"isolated\":true",
		  { .ifindex = 9, .up = true },
		  HD_PORT_UP | HD_PORT_ISOLATED },
		{ ",\"no-security\":true,\"hairpin\":true",
		  { .ifindex = 9, .up = true },
		  HD_PORT_UP | HD_PORT_HAIRPIN },
		{ ",\"no-security\":true,\"mac\":\"02:00:00:00:00:01\"",
		  { .ifindex = 9, .up = true },
		  HD_PORT_UP | HD_PORT_HAS_MAC },
		{ ",\"ip\":[\"192.0.2.1\"]",
		  { .ifindex = 9, .up = true },
		  HD_PORT_UP | HD_PORT_SECURE | HD_PORT_HAS_IPS },
		{ ",\"allowed-address\":[\"192.0.2.0/24\"]",
		  { .ifindex = 9, .up = true },
		  HD_PORT_UP | HD_PORT_SECURE | HD_PORT_HAS_IPS },
		{ ",\"no-security\":true,\"ingress-rate\":\"1mbit\"",
		  { .ifindex = 9, .up = true },
		  HD_PORT_UP | HD_PORT_LIMIT_INGRESS },
		{ ",\"no-security\":true,\"egress-rate\":\"1mbit\"",
		  { .ifindex = 9, .up = true },
		  HD_PORT_UP | HD_PORT_LIMIT_EGRESS },
		{ ",\"isolated\":true,\"hairpin\":true,\"mac\":\"02:00:00:00:00:01\"",
		  { .ifindex = 9, .up = true, .peer = true },
		  HD_PORT_UP | HD_PORT_PEER | HD_PORT_ISOLATED | HD_PORT_HAIRPIN | HD_PORT_HAS_MAC |
			  HD_PORT_SECURE },
	};
	struct fixture *f = *state;

	network(f, "blue", ",\"port-mac-limit\":77");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_port_value value;
		char more[256];
		uint32_t id;

		(void)snprintf(more, sizeof(more), ",\"device\":\"tap0\"%s", cases[i].more);
		f->n_facts = 0;
		id = port(f, "web1", "blue", more, cases[i].fact);
		compile(f);
		value = port_value(f, id);
		assert_int_equal(value.flags, cases[i].flags);
		assert_int_equal(value.ifindex, cases[i].fact.ifindex);
		assert_int_equal(value.network, 1);
		assert_int_equal(value.mac_limit, 77);
		assert_int_equal(value.next, id);
		assert_int_equal(!!value.policy, !!(cases[i].flags & HD_PORT_SECURE));
		assert_memory_equal(
			value.mac,
			cases[i].flags & HD_PORT_HAS_MAC ? "\2\0\0\0\0\1" : "\0\0\0\0\0\0", 6);
		assert_int_equal(value.vlan, 0);
		assert_true(hd_model_del(f->model, HD_NOUN_PORT, "web1"));
	}
}

/*
 * A device that was there keeps the MTU it has, unless the port says a smaller one. A device that
 * heddle makes should have the port's or the network's; while it still has less, no more than that
 * may be sent. A missing device: as it is going to be.
 */
static void port_mtus(void **state)
{
	static const struct {
		const char *more;
		uint32_t device, mtu;
	} cases[] = {
		{ ",\"device\":\"tap0\"", 1500, 1500 },
		{ ",\"device\":\"tap0\"", 9000, 9000 },
		{ ",\"device\":\"tap0\"", 1280, 1280 },
		{ ",\"device\":\"tap0\"", 0, 1400 },
		{ ",\"device\":\"tap0\",\"mtu\":1300", 1500, 1300 },
		{ ",\"device\":\"tap0\",\"mtu\":1300", 1280, 1280 },
		{ ",\"device\":\"tap0\",\"mtu\":9000", 1500, 1500 },
		{ ",\"netns\":\"x\",\"ifname\":\"eth0\"", 1400, 1400 },
		{ ",\"netns\":\"x\",\"ifname\":\"eth0\"", 1500, 1400 },
		{ ",\"netns\":\"x\",\"ifname\":\"eth0\"", 1280, 1280 },
		{ ",\"netns\":\"x\",\"ifname\":\"eth0\"", 0, 1400 },
		{ ",\"netns\":\"x\",\"ifname\":\"eth0\",\"mtu\":1300", 1500, 1300 },
		{ ",\"internal\":true,\"mtu\":9000", 9000, 9000 },
		{ ",\"internal\":true,\"mtu\":9000", 0, 9000 },
		{ ",\"internal\":true", 1500, 1400 },
	};
	struct fixture *f = *state;

	network(f, "blue", ",\"mtu\":1400");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_fact fact = { .ifindex = cases[i].device ? 9 : 0,
					.mtu = cases[i].device,
					.up = true };
		uint32_t id;

		f->n_facts = 0;
		id = port(f, "web1", "blue", cases[i].more, fact);
		compile(f);
		assert_int_equal(port_value(f, id).mtu, cases[i].mtu);
		assert_true(hd_model_del(f->model, HD_NOUN_PORT, "web1"));
	}
}

/* --- addresses --- */

static const struct hd_fdb_value *fdb_row(struct fixture *f, uint32_t net, uint8_t last)
{
	struct hd_fdb_key key = { .network = net, .mac = { 2, 0, 0, 0, 0, last } };

	return row(f, HD_TABLE_FDB, &key);
}

static const struct hd_neigh_value *neigh_row(struct fixture *f, uint32_t net, const char *text)
{
	struct hd_neigh_key key = { .network = net };
	struct hd_ip ip;

	assert_int_equal(hd_ip_parse(text, &ip), 0);
	memcpy(key.addr, ip.bytes, sizeof(key.addr));
	return row(f, HD_TABLE_NEIGH, &key);
}

static void assert_fdb(struct fixture *f, uint32_t net, uint8_t last, uint32_t port)
{
	struct hd_fdb_value value, expected = { .port = port, .flags = HD_FDB_STATIC };

	assert_non_null(fdb_row(f, net, last));
	memcpy(&value, fdb_row(f, net, last), sizeof(value));
	assert_memory_equal(&value, &expected, sizeof(value));
}

static void assert_neigh(struct fixture *f, uint32_t net, const char *text, uint8_t last,
			 uint32_t port)
{
	struct hd_neigh_value value, expected = { .port = port, .mac = { 2, 0, 0, 0, 0, last } };

	assert_non_null(neigh_row(f, net, text));
	memcpy(&value, neigh_row(f, net, text), sizeof(value));
	assert_memory_equal(&value, &expected, sizeof(value));
}

static void configured_addresses(void **state)
{
	const struct hd_fact fact = { .ifindex = 5, .mtu = 1500, .up = true };
	struct fixture *f = *state;
	uint32_t with, without, elsewhere;

	network(f, "blue", "");
	network(f, "red", "");
	with = port(
		f, "with", "blue",
		",\"device\":\"a\",\"mac\":\"02:00:00:00:00:01\",\"ip\":[\"192.0.2.1\",\"2001:db8::1/64\"]",
		fact);
	without = port(f, "without", "blue", ",\"device\":\"b\",\"ip\":[\"192.0.2.2\"]",
		       (struct hd_fact){ .ifindex = 6, .mtu = 1500 });
	elsewhere = port(f, "elsewhere", "red",
			 ",\"device\":\"c\",\"mac\":\"02:00:00:00:00:01\",\"ip\":[\"192.0.2.1\"]",
			 (struct hd_fact){ .ifindex = 0 });
	put(f, HD_NOUN_FDB, "blue/02:00:00:00:00:09", "{\"port\":\"without\"}");
	put(f, HD_NOUN_NEIGHBOUR, "blue/192.0.2.9", "{\"mac\":\"02:00:00:00:00:09\"}");
	put(f, HD_NOUN_NEIGHBOUR, "red/2001:db8::9", "{\"mac\":\"02:00:00:00:00:08\"}");
	compile(f);
	assert_int_equal(rows(f, HD_TABLE_FDB), 3);
	assert_fdb(f, 1, 1, with);
	assert_fdb(f, 2, 1, elsewhere); /* known though its device is missing */
	assert_fdb(f, 1, 9, without);
	assert_int_equal(rows(f, HD_TABLE_NEIGH), 5);
	assert_neigh(f, 1, "192.0.2.1", 1, with);
	assert_neigh(f, 1, "2001:db8::1", 1, with);
	assert_neigh(f, 2, "192.0.2.1", 1, elsewhere);
	assert_neigh(f, 1, "192.0.2.9", 9, HD_PORT_NONE);
	assert_neigh(f, 2, "2001:db8::9", 8, HD_PORT_NONE);
	assert_null(neigh_row(f, 1, "192.0.2.2")); /* nobody knows its MAC */
}

/* --- VLANs --- */

struct vlan_case {
	const char *options;
	uint32_t flags;
	uint16_t own;
	const char *carries; /* NULL: no row in hd_trunks */
};

static const struct vlan_case vlan_cases[] = {
	{ "", 0, 0, NULL },
	{ ",\"vlan-mode\":\"access\",\"tag\":10", HD_PORT_VLAN, 10, NULL },
	{ ",\"vlan-mode\":\"trunk\"", HD_PORT_VLAN | HD_PORT_TRUNK, 0, NULL },
	{ ",\"vlan-mode\":\"trunk\",\"trunk\":\"0,10,4094\"",
	  HD_PORT_VLAN | HD_PORT_TRUNK | HD_PORT_TRUNK_LIST, 0, "0,10,4094" },
	{ ",\"vlan-mode\":\"native-tagged\",\"tag\":10,\"trunk\":\"20-30\"",
	  HD_PORT_VLAN | HD_PORT_TRUNK | HD_PORT_TRUNK_LIST | HD_PORT_NATIVE_TAGGED, 10,
	  "10,20-30" },
	{ ",\"vlan-mode\":\"native-untagged\",\"tag\":25,\"trunk\":\"20-30\"",
	  HD_PORT_VLAN | HD_PORT_TRUNK | HD_PORT_TRUNK_LIST, 25, "20-30" },
	{ ",\"vlan-mode\":\"native-untagged\",\"tag\":25", HD_PORT_VLAN | HD_PORT_TRUNK, 25, NULL },
	{ ",\"vlan-mode\":\"dot1q-tunnel\",\"tag\":10", HD_PORT_VLAN | HD_PORT_QINQ, 10, NULL },
};

static void assert_trunk(struct fixture *f, uint32_t id, const char *carries)
{
	uint32_t expected[HD_VLAN_WORDS];

	if (!carries) {
		assert_null(row(f, HD_TABLE_TRUNKS, &id));
		return;
	}
	assert_null(hd_vlans_parse(carries, expected));
	assert_non_null(row(f, HD_TABLE_TRUNKS, &id));
	assert_memory_equal(row(f, HD_TABLE_TRUNKS, &id), expected, sizeof(expected));
}

/* Mode, own VLAN and list of a port; its MAC and address are known in its own VLAN, and those that name it. */
static void vlan_modes(void **state)
{
	struct fixture *f = *state;

	network(f, "blue", "");
	for (size_t i = 0; i < sizeof(vlan_cases) / sizeof(vlan_cases[0]); i++) {
		const struct vlan_case *c = &vlan_cases[i];
		struct hd_fdb_key mac = { 1, c->own, { 2, 0, 0, 0, 0, 1 } };
		struct hd_neigh_key ip = { .network = 1, .vlan = c->own };
		struct hd_member_key member = { .network = 1, .vlan = c->own };
		char more[256];
		struct hd_ip address;
		uint32_t id;

		(void)snprintf(
			more, sizeof(more),
			",\"device\":\"tap0\",\"mac\":\"02:00:00:00:00:01\",\"ip\":[\"192.0.2.1\"]%s",
			c->options);
		f->n_facts = 0;
		id = port(f, "web1", "blue", more, (struct hd_fact){ .ifindex = 5, .mtu = 1500 });
		put(f, HD_NOUN_FDB, "blue/02:00:00:00:00:09", "{\"port\":\"web1\"}");
		compile(f);
		assert_int_equal(port_value(f, id).flags &
					 (HD_PORT_VLAN | HD_PORT_TRUNK | HD_PORT_TRUNK_LIST |
					  HD_PORT_NATIVE_TAGGED | HD_PORT_QINQ),
				 c->flags);
		assert_int_equal(port_value(f, id).vlan, c->own);
		assert_trunk(f, id, c->carries);
		assert_non_null(row(f, HD_TABLE_FDB, &mac));
		mac.mac[5] = 9;
		assert_non_null(row(f, HD_TABLE_FDB, &mac));
		assert_int_equal(hd_ip_parse("192.0.2.1", &address), 0);
		memcpy(ip.addr, address.bytes, 16);
		memcpy(member.addr, address.bytes, 16);
		assert_non_null(row(f, HD_TABLE_NEIGH, &ip));
		assert_non_null(row(f, HD_TABLE_MEMBERS, &member));
		assert_true(hd_model_del(f->model, HD_NOUN_FDB, "blue/02:00:00:00:00:09"));
		assert_true(hd_model_del(f->model, HD_NOUN_PORT, "web1"));
	}
}

/* --- devices --- */

static void assert_ifindex(struct fixture *f, uint32_t ifindex, uint32_t port)
{
	uint32_t slot = ifindex % HD_IFINDEX_SLOTS;
	struct hd_ifindex_value value;

	assert_non_null(row(f, HD_TABLE_IFINDEX, &slot));
	memcpy(&value, row(f, HD_TABLE_IFINDEX, &slot), sizeof(value));
	assert_int_equal(value.ifindex, ifindex);
	assert_int_equal(value.port, port);
}

static void assert_far(struct fixture *f, uint32_t ifindex, uint32_t port)
{
	const void *found = row(f, HD_TABLE_IFINDEX_FAR, &ifindex);

	assert_non_null(found);
	assert_memory_equal(found, &port, sizeof(port));
}

static void ifindices(void **state)
{
	struct fixture *f = *state;
	uint32_t ids[6];

	network(f, "blue", "");
	ids[0] = tap(f, "a", "blue", 7);
	ids[1] = tap(f, "b", "blue", HD_IFINDEX_SLOTS + 7);
	ids[2] = tap(f, "c", "blue", 8);
	ids[3] = tap(f, "d", "blue", 0); /* missing */
	ids[4] = tap(f, "e", "blue", 3 * HD_IFINDEX_SLOTS + 7);
	ids[5] = tap(f, "f", "blue", HD_IFINDEX_SLOTS); /* slot 0 */
	compile(f);
	assert_int_equal(rows(f, HD_TABLE_IFINDEX), 3);
	assert_int_equal(rows(f, HD_TABLE_IFINDEX_FAR), 2);
	assert_ifindex(f, 7, ids[0]);
	assert_ifindex(f, 8, ids[2]);
	assert_ifindex(f, HD_IFINDEX_SLOTS, ids[5]);
	assert_far(f, HD_IFINDEX_SLOTS + 7, ids[1]);
	assert_far(f, 3 * HD_IFINDEX_SLOTS + 7, ids[4]);
	assert_int_equal(rows(f, HD_TABLE_PORTS), 6);
}

/* --- rings --- */

static void small_rings(void **state)
{
	struct fixture *f = *state;
	uint32_t alone, a, b, c;

	network(f, "blue", "");
	network(f, "red", "");
	network(f, "empty", "");
	a = tap(f, "a", "blue", 1);
	alone = tap(f, "alone", "red", 2);
	b = tap(f, "b", "blue", 0); /* a missing device is a member all the same */
	c = tap(f, "c", "blue", 3);
	compile(f);
	assert_int_equal(port_value(f, alone).next, alone);
	assert_int_equal(port_value(f, a).next, b);
	assert_int_equal(port_value(f, b).next, c);
	assert_int_equal(port_value(f, c).next, a);
}

#define NETWORKS 8

/* Ports joining and leaving at random, so that ids have gaps and are in no order with names. */
static void random_model(struct fixture *f, unsigned int *seed)
{
	char name[16], net[16];

	for (unsigned int n = 0; n < NETWORKS; n++) {
		(void)snprintf(net, sizeof(net), "net%u", n);
		network(f, net, "");
	}
	for (unsigned int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "p%u", (unsigned int)rand_r(seed) % 400);
		(void)snprintf(net, sizeof(net), "net%u", (unsigned int)rand_r(seed) % NETWORKS);
		(void)hd_model_del(f->model, HD_NOUN_PORT, name);
		if (rand_r(seed) % 4)
			(void)tap(f, name, net, 0);
	}
}

/* --- limits --- */

static const struct hd_limit_value *limits_of(struct fixture *f, const char *more)
{
	static struct hd_limit_value value;
	char options[256];
	const void *found;
	uint32_t id;

	(void)snprintf(options, sizeof(options), ",\"device\":\"tap0\"%s", more);
	f->n_facts = 0;
	id = port(f, "web1", "blue", options, (struct hd_fact){ .ifindex = 9, .up = true });
	compile(f);
	found = row(f, HD_TABLE_LIMITS, &id);
	if (found)
		memcpy(&value, found, sizeof(value));
	return found ? &value : NULL;
}

/* A burst that is not given is what passes in 600 ms, or 128 KiB. */
static void rates(void **state)
{
	struct fixture *f = *state;
	const struct hd_limit_value *value;

	network(f, "blue", "");
	assert_null(limits_of(f, ""));
	value = limits_of(f, ",\"ingress-rate\":\"80mbit\",\"ingress-burst\":\"100kb\"");
	assert_int_equal(value->dir[HD_INGRESS].bytes_s, 10000000);
	assert_int_equal(value->dir[HD_INGRESS].burst_ns, 10240000);
	assert_int_equal(value->dir[HD_EGRESS].bytes_s, 0);
	value = limits_of(f, ",\"ingress-rate\":\"500mbit\",\"egress-rate\":\"8kbit\"");
	assert_int_equal(value->dir[HD_INGRESS].burst_ns, 600000000);
	assert_int_equal(value->dir[HD_EGRESS].bytes_s, 1000);
	assert_int_equal(value->dir[HD_EGRESS].burst_ns, 131072 * 1000000ULL);
	value = limits_of(f, ",\"egress-rate\":\"1000gbit\",\"egress-burst\":\"1024mb\"");
	assert_int_equal(value->dir[HD_EGRESS].burst_ns, 8589934);
	assert_null(limits_of(f, ""));
}

/* --- tunnels --- */

static uint32_t end(struct fixture *f, enum hd_noun_id noun, const char *name, const char *options,
		    struct hd_fact fact)
{
	fact.port = put(f, noun, name, options)->id;
	f->facts[f->n_facts++] = fact;
	return fact.port;
}

static struct hd_end_value end_value(struct fixture *f, uint32_t id)
{
	struct hd_end_value value;
	const void *found = row(f, HD_TABLE_ENDS, &id);

	assert_non_null(found);
	memcpy(&value, found, sizeof(value));
	return value;
}

static uint32_t number(struct fixture *f, enum hd_table_id table, const void *key)
{
	const void *found = row(f, table, key);
	uint32_t value = ~0U;

	if (found)
		memcpy(&value, found, sizeof(value));
	return value;
}

static uint32_t next_peer(struct fixture *f, uint32_t network, uint32_t peer)
{
	struct hd_peer_net_key key = { .network = network, .peer = peer };

	return number(f, HD_TABLE_PEER_NETS, &key);
}

/* A network, an uplink and peers: what the datapath must know to send and to receive. */
static void tunnels(void **state)
{
	struct fixture *f = *state;
	struct hd_fact way = { .ifindex = 7,
			       .mtu = 1400,
			       .up = true,
			       .to = { 2, 0, 0, 0, 0, 9 },
			       .from = { 2, 0, 0, 0, 0, 8 },
			       .local = { [10] = 0xff, 0xff, 192, 0, 2, 1 } };
	uint32_t net = put(f, HD_NOUN_NETWORK, "blue", "{\"type\":\"vxlan\",\"id\":10}")->id;
	uint32_t other = put(f, HD_NOUN_NETWORK, "red", "{\"type\":\"gre\",\"id\":10}")->id;
	uint32_t uplink = end(f, HD_NOUN_UPLINK, "wire", "{\"tunnel-ip\":\"192.0.2.1\"}",
			      (struct hd_fact){ .ifindex = 7,
						.mtu = 1400,
						.up = true,
						.partial = true,
						.from = { 2, 0, 0, 0, 0, 7 } });
	uint32_t all = end(f, HD_NOUN_PEER, "all", "{\"tunnel-ip\":\"192.0.2.2\"}", way);
	uint32_t some = end(f, HD_NOUN_PEER, "some",
			    "{\"tunnel-ip\":\"192.0.2.3\",\"network\":[\"red\"],\"mac-limit\":5}",
			    (struct hd_fact){ 0 });
	struct hd_tunnel_key vxlan = { .id = 10, .type = HD_TUNNEL_VXLAN, .port = htons(4789) };
	struct hd_tunnel_key gre = { .id = 10, .type = HD_TUNNEL_GRE_KEY };
	struct hd_peer_key from = { .addr = { 0, 0, htonl(0xffff), htonl(0xc0000203) } };
	uint32_t vxlan_port = 4789, no_port = 0, key = net;
	struct hd_network_value value;
	struct hd_end_value at;

	compile(f);
	assert_int_equal(number(f, HD_TABLE_TUNNELS, &vxlan), net);
	assert_int_equal(number(f, HD_TABLE_TUNNELS, &gre), other);
	assert_int_equal(number(f, HD_TABLE_TUNNEL_PORTS, &vxlan_port), HD_TUNNEL_VXLAN);
	assert_int_equal(number(f, HD_TABLE_TUNNEL_PORTS, &no_port), HD_TUNNEL_GRE);
	assert_int_equal(number(f, HD_TABLE_PEERS, &from), some);
	memcpy(&value, row(f, HD_TABLE_NETWORKS, &key), sizeof(value));
	assert_int_equal(value.tunnel.type, HD_TUNNEL_VXLAN);
	assert_int_equal(value.tunnel.overhead, 30);
	assert_int_equal(value.first, HD_PORT_NONE);

	assert_int_equal(port_value(f, uplink).network, HD_NETWORK_UNDERLAY);
	assert_int_equal(port_value(f, uplink).flags, HD_PORT_UPLINK | HD_PORT_UP);
	assert_int_equal(port_value(f, all).flags,
			 HD_PORT_TUNNEL | HD_PORT_UP | HD_PORT_EVERYWHERE);
	assert_int_equal(port_value(f, all).ifindex, 0); /* nobody sends there without a wrapping */
	assert_int_equal(port_value(f, some).flags, HD_PORT_TUNNEL);
	assert_int_equal(port_value(f, some).mac_limit, 5);
	at = end_value(f, uplink);
	assert_int_equal(at.flags, HD_END_PARTIAL);
	assert_memory_equal(at.from, f->facts[0].from, 6);
	at = end_value(f, all);
	assert_int_equal(at.flags, 0);
	assert_int_equal(at.ifindex, 7);
	assert_int_equal(at.mtu, 1400);
	assert_memory_equal(at.to, way.to, 6);
	assert_memory_equal(at.from, way.from, 6);
	assert_int_equal(at.remote[3], htonl(0xc0000202));

	/* The lists: everywhere, and that of the one network that has its own. */
	assert_int_equal(next_peer(f, 0, 0), all);
	assert_int_equal(next_peer(f, 0, all), 0);
	assert_int_equal(next_peer(f, other, 0), some);
	assert_int_equal(next_peer(f, other, some), 0);
	assert_int_equal(next_peer(f, net, 0), ~0U);
}

/* What outer packets look like: by default as they always did. */
static void outer_headers(void **state)
{
	static const struct {
		const char *more;
		struct hd_tunnel tunnel;
	} cases[] = {
		{ "", { .ttl = 64, .tos_keep = 0xff } },
		{ ",\"tunnel-dscp\":\"inherit\",\"tunnel-ttl\":255",
		  { .ttl = 255, .tos_keep = 0xff } },
		{ ",\"tunnel-dscp\":0", { .ttl = 64, .tos_keep = 3 } },
		{ ",\"tunnel-dscp\":46,\"tunnel-ttl\":1",
		  { .ttl = 1, .tos_keep = 3, .tos = 46 << 2 } },
		{ ",\"tunnel-dscp\":63", { .ttl = 64, .tos_keep = 3, .tos = 0xfc } },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_network_value value;
		char options[128];
		uint32_t id;

		(void)snprintf(options, sizeof(options), "{\"type\":\"gre\"%s}", cases[i].more);
		id = put(f, HD_NOUN_NETWORK, "blue", options)->id;
		compile(f);
		memcpy(&value, row(f, HD_TABLE_NETWORKS, &id), sizeof(value));
		assert_int_equal(value.tunnel.ttl, cases[i].tunnel.ttl);
		assert_int_equal(value.tunnel.tos_keep, cases[i].tunnel.tos_keep);
		assert_int_equal(value.tunnel.tos, cases[i].tunnel.tos);
		assert_int_equal(value.tunnel.pad, 0);
	}
}

/* A port behind a peer: no port of ours, but where its MAC and addresses are, and a reason to judge flows anew when its groups change. */
static void remote_ports(void **state)
{
	struct fixture *f = *state;
	uint32_t net = put(f, HD_NOUN_NETWORK, "blue", "{\"type\":\"gre\"}")->id;
	uint32_t peer = end(f, HD_NOUN_PEER, "two", "{\"tunnel-ip\":\"192.0.2.2\"}",
			    (struct hd_fact){ .up = true });
	struct hd_fdb_key mac = { .network = net, .mac = { 2, 0, 0, 0, 0, 9 } };
	struct hd_neigh_key ip = { .network = net, .addr = { [10] = 0xff, 0xff, 192, 0, 2, 9 } };
	struct hd_member_key member = { .network = net };
	struct hd_neigh_value who;
	struct hd_fdb_value where;
	uint32_t gen, id;

	compile(f);
	gen = port_value(f, peer).gen;
	id = put(f, HD_NOUN_PORT, "far",
		 "{\"network\":\"blue\",\"peer\":\"two\",\"mac\":\"02:00:00:00:00:09\","
		 "\"ip\":[\"192.0.2.9\"]}")
		     ->id;
	compile(f);
	assert_null(row(f, HD_TABLE_PORTS, &id));
	memcpy(&where, row(f, HD_TABLE_FDB, &mac), sizeof(where));
	memcpy(&who, row(f, HD_TABLE_NEIGH, &ip), sizeof(who));
	assert_int_equal(where.port, peer);
	assert_int_equal(who.port, peer);
	memcpy(member.addr, ip.addr, 16);
	assert_non_null(row(f, HD_TABLE_MEMBERS, &member));
	assert_int_equal(f->out.table[HD_TABLE_SOURCES].n, 0);
	assert_int_not_equal(port_value(f, peer).gen, gen);
}

/* A static entry for a MAC behind a peer. */
static void entry_of_a_peer(void **state)
{
	struct fixture *f = *state;
	uint32_t net = put(f, HD_NOUN_NETWORK, "blue", "{\"type\":\"gre\"}")->id;
	uint32_t peer = end(f, HD_NOUN_PEER, "two", "{\"tunnel-ip\":\"192.0.2.2\"}",
			    (struct hd_fact){ .up = true });

	put(f, HD_NOUN_FDB, "blue/02:00:00:00:00:09", "{\"peer\":\"two\"}");
	compile(f);
	assert_fdb(f, net, 9, peer);
}

/* A port's MTU follows the underlay's, less what is put around it. */
static void overlay_mtus(void **state)
{
	static const struct {
		const char *network;
		const char *uplink;
		uint32_t underlay, mtu;
	} cases[] = {
		{ "{\"type\":\"vxlan\",\"id\":1}", "192.0.2.1", 1500, 1450 },
		{ "{\"type\":\"vxlan\",\"id\":1}", "2001:db8::1", 1500, 1430 },
		{ "{\"type\":\"geneve\",\"id\":1}", "192.0.2.1", 9000, 8950 },
		{ "{\"type\":\"gre\"}", "192.0.2.1", 1500, 1462 },
		{ "{\"type\":\"gre\",\"id\":1}", "192.0.2.1", 1500, 1458 },
		{ "{\"type\":\"gre\",\"id\":1}", "2001:db8::1", 1500, 1438 },
		{ "{\"type\":\"vxlan\",\"id\":1,\"mtu\":1300}", "192.0.2.1", 1500, 1300 },
		{ "{\"type\":\"local\"}", "192.0.2.1", 9000, 1500 },
		{ "{\"type\":\"vxlan\",\"id\":1}", "192.0.2.1", 600, 576 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char options[64];
		uint32_t id;

		f->n_facts = 0;
		(void)hd_model_del(f->model, HD_NOUN_PORT, "web1");
		put(f, HD_NOUN_NETWORK, "blue", cases[i].network);
		(void)snprintf(options, sizeof(options), "{\"tunnel-ip\":\"%s\"}", cases[i].uplink);
		(void)end(f, HD_NOUN_UPLINK, "wire", options,
			  (struct hd_fact){ .ifindex = 7, .mtu = cases[i].underlay, .up = true });
		id = port(f, "web1", "blue", ",\"netns\":\"x\",\"ifname\":\"e\"",
			  (struct hd_fact){ 0 });
		compile(f);
		assert_int_equal(port_value(f, id).mtu, cases[i].mtu);
	}
}

static uint32_t leg_at(struct fixture *f, uint32_t uplink, uint32_t vid)
{
	struct hd_leg_key key = { .uplink = uplink, .vid = vid };

	return number(f, HD_TABLE_LEGS, &key);
}

/* Networks of physical networks: each has a leg at its uplink, and its MTU. */
static void legs(void **state)
{
	struct fixture *f = *state;
	uint32_t eth1 =
		end(f, HD_NOUN_UPLINK, "eth1", "{\"physical\":\"one\",\"tunnel-ip\":\"192.0.2.1\"}",
		    (struct hd_fact){ .ifindex = 7, .mtu = 1400, .up = true, .shared = true });
	uint32_t eth2 = end(f, HD_NOUN_UPLINK, "eth2", "{\"physical\":\"two\"}",
			    (struct hd_fact){ .ifindex = 8, .mtu = 9000, .up = true });
	uint32_t eth3 = end(f, HD_NOUN_UPLINK, "eth3", "{}",
			    (struct hd_fact){ .ifindex = 9, .mtu = 1500, .up = true });
	const struct hd_object *flat =
		put(f, HD_NOUN_NETWORK, "flat", "{\"type\":\"flat\",\"physical\":\"one\"}");
	const struct hd_object *same = put(f, HD_NOUN_NETWORK, "same",
					   "{\"type\":\"vlan\",\"physical\":\"one\",\"id\":123}");
	const struct hd_object *vlan = put(f, HD_NOUN_NETWORK, "vlan",
					   "{\"type\":\"vlan\",\"physical\":\"two\",\"id\":123}");
	uint32_t a =
		port(f, "a", "vlan", ",\"netns\":\"x\",\"ifname\":\"e\"", (struct hd_fact){ 0 });
	struct hd_port_value value;

	compile(f);
	assert_int_equal(rows(f, HD_TABLE_LEGS), 3);
	assert_int_equal(leg_at(f, eth1, 0), flat->leg);
	assert_int_equal(leg_at(f, eth1, 123), same->leg);
	assert_int_equal(leg_at(f, eth2, 123), vlan->leg);
	assert_int_equal(port_value(f, eth1).flags, HD_PORT_UPLINK | HD_PORT_UP | HD_PORT_LEGS);
	assert_int_equal(port_value(f, eth3).flags, HD_PORT_UPLINK | HD_PORT_UP);

	value = port_value(f, flat->leg);
	assert_int_equal(value.network, flat->id);
	assert_int_equal(value.ifindex, 7);
	assert_int_equal(value.flags, HD_PORT_LEG | HD_PORT_UP | HD_PORT_SHARED);
	assert_int_equal(value.mtu, 1400);
	assert_int_equal(value.next, flat->leg);
	assert_int_equal(end_value(f, flat->leg).local[3], htonl(0xc0000201));
	value = port_value(f, same->leg); /* frames with its tag are never the host's */
	assert_int_equal(value.flags, HD_PORT_LEG | HD_PORT_UP);
	assert_int_equal(value.vlan, 123);
	value = port_value(f, vlan->leg);
	assert_int_equal(value.ifindex, 8);
	assert_int_equal(value.next, a); /* the leg and the port are each other's next */
	assert_int_equal(port_value(f, a).next, vlan->leg);
	assert_int_equal(port_value(f, a).mtu, 9000);
	for (uint32_t uplink = 7; uplink <= 9;
	     uplink++) { /* devices lead to uplinks, not to legs */
		struct hd_ifindex_value at;

		memcpy(&at, row(f, HD_TABLE_IFINDEX, &uplink), sizeof(at));
		assert_int_equal(at.port, uplink == 7 ? eth1 : uplink == 8 ? eth2 : eth3);
	}
}

static int compare_facts(const void *a, const void *b)
{
	const struct hd_fact *x = a, *y = b;

	return x->port < y->port ? -1 : x->port > y->port;
}

/* --- routers --- */

#define ASKS                                                                                       \
	{                                                                                          \
		2, 0x68, 0x65, 0, 0, 7                                                             \
	}

/* What is there once more, with other options: it keeps its id, and so do its routes. */
static void change(struct fixture *f, enum hd_noun_id noun, const char *name, const char *options)
{
	const struct hd_object *old = hd_model_get(f->model, noun, name);
	_json_ json_t *given = json_loads(options, 0, NULL);
	struct hd_object *object = NULL;
	struct hd_error err = { 0 };
	_json_ json_t *spec = NULL;

	assert_non_null(given);
	if (hd_spec_canonical(&hd_nouns[noun], name, given, false, &spec, &err) < 0 ||
	    hd_spec_complete(f->model, NULL, &hd_nouns[noun], old, &limits, spec, &err) < 0 ||
	    hd_object_renew(old, &hd_nouns[noun], name, spec, &object, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(hd_model_put(f->model, object), 0);
	hd_object_unref(object);
	assert_int_equal(hd_model_assign_ids(f->model, &limits, NULL), 0);
}

static void subnet(struct fixture *f, const char *name, const char *net, const char *cidr,
		   const char *gateway)
{
	char options[256];

	(void)snprintf(options, sizeof(options),
		       "{\"network\":\"%s\",\"cidr\":\"%s\",\"gateway\":\"%s\"}", net, cidr,
		       gateway);
	put(f, HD_NOUN_SUBNET, name, options);
}

static uint32_t router(struct fixture *f, const char *name, const char *options)
{
	struct hd_fact fact = { .from = ASKS };

	change(f, HD_NOUN_ROUTER, name, options);
	fact.port = hd_model_get(f->model, HD_NOUN_ROUTER, name)->id;
	f->facts[f->n_facts++] = fact;
	return fact.port;
}

/* Networks blue and red; on r: blue's b4 10.0.1.0/24 and b6 2001:db8:1::/64, and red's r4 10.0.2.0/30. */
static uint32_t router_on_two(struct fixture *f, const char *routes)
{
	char options[2048];

	network(f, "blue", "");
	network(f, "red", "");
	subnet(f, "b4", "blue", "10.0.1.0/24", "10.0.1.1");
	subnet(f, "b6", "blue", "2001:db8:1::/64", "2001:db8:1::1");
	subnet(f, "r4", "red", "10.0.2.0/30", "10.0.2.1");
	subnet(f, "far", "red", "10.0.3.0/24", "10.0.3.1");
	(void)snprintf(options, sizeof(options), "{\"subnets\":[\"b4\",\"b6\",\"r4\"]%s}", routes);
	return router(f, "r", options);
}

static uint32_t id_of(struct fixture *f, const char *net)
{
	return hd_model_get(f->model, HD_NOUN_NETWORK, net)->id;
}

static void address(const char *text, void *ret)
{
	struct hd_ip ip;

	assert_int_equal(hd_ip_parse(text, &ip), 0);
	memcpy(ret, ip.bytes, 16);
}

/* The row of a prefix of that router; @len as of its own family. */
static struct hd_route_value route(struct fixture *f, uint32_t id, const char *prefix, uint32_t len)
{
	struct hd_route_key key = { .prefix_len = HD_ROUTE_FIXED_BITS + len +
						  (strchr(prefix, ':') ? 0 : 96),
				    .router = id };
	struct hd_route_value value;
	const void *found;

	address(prefix, key.addr);
	found = row(f, HD_TABLE_ROUTES, &key);
	if (!found)
		fail_msg("no row for %s/%u", prefix, len);
	memcpy(&value, found, sizeof(value));
	return value;
}

static void assert_route(struct fixture *f, uint32_t id, const char *prefix, uint32_t len,
			 struct hd_route_value expected, const char *via, const char *gateway)
{
	struct hd_route_value value = route(f, id, prefix, len);

	if (via)
		address(via, expected.via);
	if (gateway)
		address(gateway, expected.gateway);
	assert_memory_equal(&value, &expected, sizeof(value));
}

static const uint8_t *neigh_mac(struct fixture *f, uint32_t net, const char *text, uint32_t port)
{
	const struct hd_neigh_value *value = neigh_row(f, net, text);

	assert_non_null(value);
	assert_int_equal(value->port, port);
	return value->mac;
}

/* Its pseudo port, its MACs and addresses in each of its networks, and what it does with packets for its subnets. */
static void router_rows(void **state)
{
	static const uint8_t asks[6] = ASKS;
	struct fixture *f = *state;
	uint32_t id = router_on_two(f, ",\"mac\":\"02:68:64:00:00:09\""), blue, red;
	struct hd_port_value value;
	struct hd_end_value at;

	compile(f);
	blue = id_of(f, "blue");
	red = id_of(f, "red");
	value = port_value(f, id);
	assert_int_equal(value.network, HD_NETWORK_UNDERLAY);
	assert_int_equal(value.flags, HD_PORT_ROUTER | HD_PORT_HAS_MAC | HD_PORT_UP);
	assert_int_equal(value.mac[5], 9);
	assert_int_equal(value.ifindex, 0);
	at = end_value(f, id);
	assert_memory_equal(at.from, asks, 6);

	assert_int_equal(rows(f, HD_TABLE_FDB), 4); /* two MACs in two networks, once each */
	assert_int_equal(rows(f, HD_TABLE_NEIGH), 3);
	assert_int_equal(rows(f, HD_TABLE_HOPS), 0);
	assert_int_equal(rows(f, HD_TABLE_ROUTES), 3 + 3 + 4 + 1);
	assert_route(f, id, "10.0.1.0", 24,
		     (struct hd_route_value){ .kind = HD_ROUTE_CONNECTED, .network = blue }, NULL,
		     "10.0.1.1");
	assert_route(f, id, "2001:db8:1::", 64,
		     (struct hd_route_value){ .kind = HD_ROUTE_CONNECTED, .network = blue }, NULL,
		     "2001:db8:1::1");
	assert_route(f, id, "10.0.2.0", 30,
		     (struct hd_route_value){ .kind = HD_ROUTE_CONNECTED, .network = red }, NULL,
		     "10.0.2.1");
	assert_int_equal(route(f, id, "10.0.1.1", 32).kind, HD_ROUTE_LOCAL);
	assert_int_equal(route(f, id, "10.0.2.1", 32).kind, HD_ROUTE_LOCAL);
	assert_int_equal(route(f, id, "2001:db8:1::1", 128).kind, HD_ROUTE_LOCAL);
	assert_int_equal(route(f, id, "10.0.1.0", 32).kind, HD_ROUTE_BROADCAST);
	assert_int_equal(route(f, id, "10.0.1.255", 32).kind, HD_ROUTE_BROADCAST);
	assert_int_equal(route(f, id, "10.0.2.0", 32).kind, HD_ROUTE_BROADCAST);
	assert_int_equal(route(f, id, "10.0.2.3", 32).kind, HD_ROUTE_BROADCAST);
	assert_int_equal(route(f, id, "0.0.0.0", 0).kind, HD_ROUTE_NONE);
	assert_memory_equal(neigh_mac(f, blue, "10.0.1.1", id), value.mac, 6);
	assert_memory_equal(neigh_mac(f, red, "10.0.2.1", id), value.mac, 6);
}

/* RFC 3021: where there are two addresses or one, none of them is for all. */
static void small_subnets(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	network(f, "blue", "");
	subnet(f, "two", "blue", "10.0.1.0/31", "10.0.1.0");
	id = router(f, "r", "{\"subnets\":[\"two\"]}");
	compile(f);
	assert_int_equal(route(f, id, "10.0.1.0", 31).kind, HD_ROUTE_CONNECTED);
	assert_int_equal(route(f, id, "10.0.1.0", 32).kind, HD_ROUTE_LOCAL);
	for (size_t i = 0; i < rows(f, HD_TABLE_ROUTES); i++) {
		struct hd_route_value value;

		memcpy(&value, hd_table_value(&f->out.table[HD_TABLE_ROUTES], i), sizeof(value));
		assert_int_not_equal(value.kind, HD_ROUTE_BROADCAST);
	}
}

static void static_routes(void **state)
{
	struct fixture *f = *state;
	uint32_t id =
		router_on_two(f, ",\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.2.2\"},"
				 "{\"prefix\":\"2001:db8:9::/48\",\"blackhole\":true},"
				 "{\"prefix\":\"::/0\",\"via\":\"2001:db8:1::9\"}]");

	compile(f);
	assert_route(f, id, "10.9.0.0", 16,
		     (struct hd_route_value){
			     .kind = HD_ROUTE_VIA, .network = id_of(f, "red"), .id = 1 },
		     "10.0.2.2", "10.0.2.1");
	assert_route(f, id, "2001:db8:9::", 48,
		     (struct hd_route_value){ .kind = HD_ROUTE_BLACKHOLE, .id = 2 }, NULL, NULL);
	assert_route(f, id, "::", 0,
		     (struct hd_route_value){
			     .kind = HD_ROUTE_VIA, .network = id_of(f, "blue"), .id = 3 },
		     "2001:db8:1::9", "2001:db8:1::1");
	assert_int_equal(route(f, id, "0.0.0.0", 0).kind, HD_ROUTE_NONE); /* not by way of IPv6 */

	change(f, HD_NOUN_ROUTER, "r",
	       "{\"subnets\":[\"b4\",\"b6\",\"r4\"],\"routes\":["
	       "{\"prefix\":\"0.0.0.0/0\",\"via\":\"10.0.2.2\"}]}");
	compile(f);
	assert_int_equal(route(f, id, "0.0.0.0", 0).kind, HD_ROUTE_VIA);
}

/* --- equal routes: each slot is of one of them --- */

#define HOPS 3

/* Routes by way of 10.0.1.@first and the following, with these weights; 0 = there is none. */
static void equal_routes(struct fixture *f, uint32_t first, const uint32_t weights[HOPS])
{
	char options[1024], hop[128];

	(void)snprintf(options, sizeof(options),
		       "{\"subnets\":[\"b4\",\"b6\",\"r4\"],\"routes\":[");
	for (uint32_t i = 0, n = 0; i < HOPS; i++) {
		if (!weights[i])
			continue;
		(void)snprintf(hop, sizeof(hop),
			       "%s{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.1.%u\",\"weight\":%u}",
			       n++ ? "," : "", first + i, weights[i]);
		(void)strncat(options, hop, sizeof(options) - strlen(options) - 1);
	}
	(void)strncat(options, "]}", sizeof(options) - strlen(options) - 1);
	change(f, HD_NOUN_ROUTER, "r", options);
	compile(f);
}

/* Last byte of the next hop of each slot. */
static void read_slots(struct fixture *f, uint32_t id, uint8_t slots[HD_HOP_SLOTS])
{
	struct hd_route_value group = route(f, id, "10.9.0.0", 16), value;

	assert_int_equal(group.kind, HD_ROUTE_ECMP);
	assert_int_equal(rows(f, HD_TABLE_HOPS), HD_HOP_SLOTS);
	for (uint16_t slot = 0; slot < HD_HOP_SLOTS; slot++) {
		struct hd_hop_key key = { .router = id, .group = (uint16_t)group.id, .slot = slot };
		const void *found = row(f, HD_TABLE_HOPS, &key);

		assert_non_null(found);
		memcpy(&value, found, sizeof(value));
		assert_int_equal(value.kind, HD_ROUTE_VIA);
		assert_int_equal(value.network, id_of(f, "blue"));
		assert_int_equal(value.gateway[3], htonl(0x0a000101));
		slots[slot] = (uint8_t)(ntohl(value.via[3]) & 0xff);
	}
}

/* Over many groups each has its share of the slots, but for a few percent of them; in a single one it is a matter of chance. */
static void shares(void **state)
{
	static const uint32_t weights[][HOPS] = {
		{ 1, 1, 1 }, { 1, 2, 5 }, { 10, 1, 100 }, { 3, 3, 0 }
	};
	struct fixture *f = *state;
	uint32_t id = router_on_two(f, "");
	uint8_t slots[HD_HOP_SLOTS];

	for (size_t w = 0; w < sizeof(weights) / sizeof(weights[0]); w++) {
		uint32_t all = weights[w][0] + weights[w][1] + weights[w][2], at[HOPS] = { 0 };
		const uint32_t rounds = 60;

		for (uint32_t first = 10; first < 10 + rounds * HOPS; first += HOPS) {
			equal_routes(f, first, weights[w]);
			read_slots(f, id, slots);
			for (int i = 0; i < HD_HOP_SLOTS; i++)
				at[slots[i] - first]++;
		}
		for (int i = 0; i < HOPS; i++) {
			uint32_t total = rounds * HD_HOP_SLOTS;
			uint32_t share = total * weights[w][i] / all, few = total * 3 / 100;

			assert_in_range(at[i] + few, share, share + 2 * few);
		}
	}
}

/* Who goes takes its own slots with it, who comes takes no more than its share, and who stays keeps what it has. */
static void slots_that_stay(void **state)
{
	static const uint32_t all[HOPS] = { 1, 2, 5 };
	struct fixture *f = *state;
	uint32_t id = router_on_two(f, "");
	uint8_t before[HD_HOP_SLOTS], after[HD_HOP_SLOTS];

	for (uint32_t gone = 0; gone < HOPS; gone++) {
		uint32_t rest[HOPS] = { 1, 2, 5 };

		rest[gone] = 0;
		equal_routes(f, 20, all);
		read_slots(f, id, before);
		equal_routes(f, 20, rest);
		read_slots(f, id, after);
		for (int i = 0; i < HD_HOP_SLOTS; i++) {
			if (before[i] != 20 + gone)
				assert_int_equal(after[i], before[i]);
			assert_int_not_equal(after[i], 20 + gone);
		}
		equal_routes(f, 20, all);
		read_slots(f, id, after);
		assert_memory_equal(before, after, sizeof(before));
	}
}

/* One is not several. */
static void one_hop_is_no_group(void **state)
{
	static const uint32_t one[HOPS] = { 0, 4, 0 };
	struct fixture *f = *state;
	uint32_t id = router_on_two(f, "");

	equal_routes(f, 20, one);
	assert_int_equal(rows(f, HD_TABLE_HOPS), 0);
	assert_int_equal(route(f, id, "10.9.0.0", 16).kind, HD_ROUTE_VIA);
}

/* --- generations --- */

#define AS_IT_IS "{\"subnets\":[\"b4\",\"b6\",\"r4\"],\"mac\":\"02:68:64:00:00:09\"}"

static uint32_t gen(struct fixture *f, uint32_t id)
{
	compile(f);
	return port_value(f, id).gen;
}

/* Whatever decides where packets go changes the generation of a router's flows, and to take it back changes it back. */
static void router_generations(void **state)
{
	static const char *const others[] = {
		"{\"subnets\":[\"b4\",\"b6\",\"r4\"],\"mac\":\"02:68:64:00:00:0a\"}",
		"{\"subnets\":[\"b4\",\"b6\"],\"mac\":\"02:68:64:00:00:09\"}",
		"{\"subnets\":[\"b4\",\"b6\",\"r4\",\"far\"],\"mac\":\"02:68:64:00:00:09\"}",
		"{\"subnets\":[\"b4\",\"b6\",\"r4\"],\"mac\":\"02:68:64:00:00:09\","
		"\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.2.2\"}]}",
		"{\"subnets\":[\"b4\",\"b6\",\"r4\"],\"mac\":\"02:68:64:00:00:09\","
		"\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.1.2\"}]}",
		"{\"subnets\":[\"b4\",\"b6\",\"r4\"],\"mac\":\"02:68:64:00:00:09\","
		"\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"blackhole\":true}]}",
		"{\"subnets\":[\"b4\",\"b6\",\"r4\"],\"mac\":\"02:68:64:00:00:09\","
		"\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.1.2\"},"
		"{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.1.3\"}]}",
		"{\"subnets\":[\"b4\",\"b6\",\"r4\"],\"mac\":\"02:68:64:00:00:09\","
		"\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.1.2\",\"weight\":9},"
		"{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.1.3\"}]}",
	};
	enum { N = sizeof(others) / sizeof(others[0]) };
	struct fixture *f = *state;
	uint32_t id = router_on_two(f, ""), was[N + 1];

	change(f, HD_NOUN_ROUTER, "r", AS_IT_IS);
	was[N] = gen(f, id);
	for (size_t i = 0; i < N; i++) {
		change(f, HD_NOUN_ROUTER, "r", others[i]);
		was[i] = gen(f, id);
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(was[i], was[k]);
		assert_int_not_equal(was[i], was[N]);
	}
	change(f, HD_NOUN_ROUTER, "r", AS_IT_IS);
	assert_int_equal(gen(f, id), was[N]);
}

/* Neighbours whose MAC the configuration says, in one of its networks. */
static void generations_of_neighbours(void **state)
{
	struct fixture *f = *state;
	uint32_t id = router_on_two(f, ""), was, with;

	network(f, "green", "");
	was = gen(f, id);
	put(f, HD_NOUN_NEIGHBOUR, "green/10.0.1.8", "{\"mac\":\"02:00:00:00:00:01\"}");
	assert_int_equal(gen(f, id), was);
	put(f, HD_NOUN_NEIGHBOUR, "blue/10.0.1.8", "{\"mac\":\"02:00:00:00:00:01\"}");
	with = gen(f, id);
	assert_int_not_equal(with, was);
	change(f, HD_NOUN_NEIGHBOUR, "blue/10.0.1.8", "{\"mac\":\"02:00:00:00:00:02\"}");
	assert_int_not_equal(gen(f, id), was);
	assert_int_not_equal(gen(f, id), with);
}

/* What does not concern it leaves its flows alone. */
static void generations_stay(void **state)
{
	struct fixture *f = *state;
	uint32_t id = router_on_two(f, ""), was = gen(f, id), other;

	tap(f, "tap1", "blue", 7);
	assert_int_equal(gen(f, id), was);
	network(f, "green", "");
	subnet(f, "g4", "green", "10.0.1.0/24", "10.0.1.1");
	other = router(f, "q", "{\"subnets\":[\"g4\"]}");
	assert_int_equal(gen(f, id), was);
	assert_int_not_equal(gen(f, other), was);
	change(f, HD_NOUN_NETWORK, "blue", "{\"type\":\"local\",\"ageing\":77}");
	assert_int_equal(gen(f, id), was);
	change(f, HD_NOUN_ROUTER, "q",
	       "{\"subnets\":[\"g4\"],\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"blackhole\":true}]}");
	assert_int_equal(gen(f, id), was);
}

/* Ports and legs know whether a router is in their network. */
static void routed_networks(void **state)
{
	struct fixture *f = *state;
	uint32_t id = router_on_two(f, ""), in, out;
	const struct hd_object *flat, *vlan;

	(void)id;
	end(f, HD_NOUN_UPLINK, "eth1", "{\"physical\":\"one\"}",
	    (struct hd_fact){ .ifindex = 9, .mtu = 1500, .up = true });
	flat = put(f, HD_NOUN_NETWORK, "flat", "{\"type\":\"flat\",\"physical\":\"one\"}");
	vlan = put(f, HD_NOUN_NETWORK, "vlan", "{\"type\":\"vlan\",\"physical\":\"one\",\"id\":7}");
	network(f, "green", "");
	in = tap(f, "tap1", "red", 7);
	out = tap(f, "tap2", "green", 8);
	subnet(f, "v4", "vlan", "10.0.7.0/24", "10.0.7.1");
	qsort(f->facts, f->n_facts, sizeof(f->facts[0]), compare_facts);
	compile(f);
	assert_true(port_value(f, in).flags & HD_PORT_ROUTED);
	assert_false(port_value(f, out).flags & HD_PORT_ROUTED);
	assert_false(port_value(f, flat->leg).flags & HD_PORT_ROUTED);
	assert_false(port_value(f, vlan->leg).flags & HD_PORT_ROUTED);
	change(f, HD_NOUN_ROUTER, "r", "{\"subnets\":[\"b4\",\"v4\"]}");
	compile(f);
	assert_false(port_value(f, in).flags & HD_PORT_ROUTED);
	assert_true(port_value(f, vlan->leg).flags & HD_PORT_ROUTED);
}

/* The address that a floating IP of IPv6 is on the other side. */
static void assert_floating6(struct fixture *f, uint32_t zone, uint32_t dir, const char *ip,
			     const char *expected, uint32_t id)
{
	struct hd_fip6_key key = { .zone = zone, .dir = dir };
	struct hd_fip6_value value, want = { .router = id };
	const void *found;

	address(ip, key.addr);
	address(expected, want.addr);
	found = row(f, HD_TABLE_FIPS6, &key);
	assert_non_null(found);
	memcpy(&value, found, sizeof(value));
	assert_memory_equal(&value, &want, sizeof(want));
}

/* Whether the datapath would look for an address of IPv6 among the outside ones; see may_be_outside() in bpf/lib/nat.h. */
static bool may_be_outside(const struct hd_end_value *end, const char *ip)
{
	uint32_t words[4];

	address(ip, words);
	return ((words[0] ^ words[1]) & end->remote[2]) == end->remote[3];
}

/* A listener of IPv6 leads inside, and from there and its number back. */
static void assert_listener6(struct fixture *f, uint32_t zone, const char *ip, const char *to,
			     uint32_t id)
{
	struct hd_nat6_key key = {
		.zone = zone, .port = htons(80), .class = HD_FLOW_TCP, .dir = HD_NAT_IN
	};
	struct hd_forward6_value value, want = { .router = id, .port = htons(8080) };
	const void *found;

	address(ip, key.addr);
	address(to, want.addr);
	found = row(f, HD_TABLE_FORWARDS6, &key);
	assert_non_null(found);
	memcpy(&value, found, sizeof(value));
	assert_int_not_equal(value.number, 0);
	want.number = value.number;
	assert_memory_equal(&value, &want, sizeof(want));
	key = (struct hd_nat6_key){
		.zone = value.number, .port = htons(8080), .class = HD_FLOW_TCP, .dir = HD_NAT_OUT
	};
	address(to, key.addr);
	address(ip, want.addr);
	want.port = htons(80);
	found = row(f, HD_TABLE_FORWARDS6, &key);
	assert_non_null(found);
	memcpy(&value, found, sizeof(value));
	assert_memory_equal(&value, &want, sizeof(want));
}

/* A leg and a default route of each family; floating IPs two rows each; one comparison that knows all of them. */
static void outside_of_both_families(void **state)
{
	struct fixture *f = *state;
	uint32_t id, out;
	enum { FLAGS = HD_END_SNAT | HD_END_OPEN6 | HD_END_FIPS6 };
	struct hd_end_value end;

	id = router_on_two(f, "");
	network(f, "ext", "");
	out = id_of(f, "ext");
	subnet(f, "x4", "ext", "203.0.113.0/24", "203.0.113.1");
	subnet(f, "x6", "ext", "2001:db8:f::/48", "2001:db8:f::1");
	change(f, HD_NOUN_ROUTER, "r",
	       "{\"subnets\":[\"b4\",\"b6\"],\"gateway\":{\"network\":\"ext\","
	       "\"ip\":[\"203.0.113.9\",\"2001:db8:f::9\"]}}");
	compile(f);
	assert_route(f, id, "::", 0,
		     (struct hd_route_value){ .kind = HD_ROUTE_VIA, .network = out },
		     "2001:db8:f::1", "2001:db8:f::9");
	assert_route(f, id, "0.0.0.0", 0,
		     (struct hd_route_value){ .kind = HD_ROUTE_VIA, .network = out }, "203.0.113.1",
		     "203.0.113.9");
	end = end_value(f, id);
	assert_int_equal(end.ifindex, out);
	assert_int_equal(end.flags & FLAGS, HD_END_SNAT);
	assert_int_equal(end.remote[0], UINT32_MAX);
	assert_int_equal(end.remote[1], htonl(0xcb007109));
	assert_false(may_be_outside(&end, "2001:db8:f::50"));

	put(f, HD_NOUN_PORT, "web",
	    "{\"network\":\"blue\",\"device\":\"web\",\"ip\":[\"2001:db8:1::2\",\"2001:db8:1::3\"]}");
	put(f, HD_NOUN_FLOATING_IP, "2001:db8:f::50",
	    "{\"router\":\"r\",\"port\":\"web\",\"fixed-ip\":\"2001:db8:1::2\"}");
	compile(f);
	end = end_value(f, id);
	assert_int_equal(end.flags & FLAGS, HD_END_SNAT | HD_END_FIPS6);
	assert_int_equal(rows(f, HD_TABLE_FIPS6), 2);
	assert_floating6(f, out, HD_NAT_IN, "2001:db8:f::50", "2001:db8:1::2", id);
	assert_floating6(f, id, HD_NAT_OUT, "2001:db8:1::2", "2001:db8:f::50", id);
	assert_true(may_be_outside(&end, "2001:db8:f::50"));
	assert_false(may_be_outside(&end, "2001:db8:f:7::50"));
	assert_false(may_be_outside(&end, "2001:db8:1::50"));
	assert_int_equal(route(f, id, "2001:db8:f::50", 128).kind, HD_ROUTE_LOCAL);

	put(f, HD_NOUN_PORT_FORWARD, "pf",
	    "{\"router\":\"r\",\"protocol\":\"tcp\",\"listen\":\"[::]:80\",\"to\":\"[2001:db8:1::2]:8080\"}");
	put(f, HD_NOUN_PORT_FORWARD, "pf2",
	    "{\"router\":\"r\",\"protocol\":\"tcp\",\"listen\":\"[2001:db8:f::51]:80\",\"to\":\"[2001:db8:1::2]:8080\"}");
	compile(f);
	end = end_value(f, id);
	assert_int_equal(end.flags & (FLAGS | HD_END_FORWARDS | HD_END_FORWARDS6),
			 HD_END_SNAT | HD_END_FIPS6 | HD_END_FORWARDS6);
	assert_int_equal(rows(f, HD_TABLE_FORWARDS6), 4);
	assert_listener6(f, out, "2001:db8:f::9", "2001:db8:1::2", id);
	assert_listener6(f, out, "2001:db8:f::51", "2001:db8:1::2", id);
	assert_true(may_be_outside(&end, "2001:db8:f::9"));
	assert_int_equal(route(f, id, "2001:db8:f::51", 128).kind, HD_ROUTE_LOCAL);

	put(f, HD_NOUN_FLOATING_IP, "2001:db8:f:7::51",
	    "{\"router\":\"r\",\"port\":\"web\",\"fixed-ip\":\"2001:db8:1::3\"}");
	change(f, HD_NOUN_ROUTER, "r",
	       "{\"subnets\":[\"b4\",\"b6\"],\"gateway\":{\"network\":\"ext\",\"snat\":false,"
	       "\"ip\":\"2001:db8:f::9\"}}");
	compile(f);
	end = end_value(f, id);
	assert_int_equal(end.flags & FLAGS, HD_END_OPEN6 | HD_END_FIPS6);
	assert_true(may_be_outside(&end, "2001:db8:f::50"));
	assert_true(may_be_outside(&end, "2001:db8:f:7::51"));
	assert_false(may_be_outside(&end, "2001:db8:1::50"));
	assert_int_equal(end.local[3], 0);
	assert_int_equal(end.remote[0], 0); /* nothing is that under no mask */
	assert_int_not_equal(end.remote[1], 0);
	assert_int_equal(route(f, id, "0.0.0.0", 0).kind, HD_ROUTE_NONE);
}

/*
 * Facts as the daemon makes them: one for each port, in ascending order; ifindices that collide now
 * and then.
 */
static void make_facts(struct fixture *f, unsigned int *seed)
{
	f->n_facts = 0;
	hd_model_each(f->model, HD_NOUN_PORT, port) {
		uint32_t ifindex = (uint32_t)(port->id + HD_IFINDEX_SLOTS * (rand_r(seed) % 2) -
					      rand_r(seed) % 2 * 5);

		f->facts[f->n_facts++] = (struct hd_fact){
			.port = port->id, .ifindex = ifindex, .mtu = 1500, .up = true
		};
	}
	qsort(f->facts, f->n_facts, sizeof(f->facts[0]), compare_facts);
}

/*
 * From each port once around: ascending but for one step, all of the same network, as many as the
 * network has.
 */
static void assert_ring(struct fixture *f, const struct hd_object *start)
{
	uint32_t network = hd_model_network_of(f->model, &start->view.port)->id, id = start->id;
	size_t members = 0, steps = 0, down = 0;

	hd_model_each(f->model, HD_NOUN_PORT, port)
		members += hd_model_network_of(f->model, &port->view.port)->id == network;
	do {
		struct hd_port_value value = port_value(f, id);

		assert_int_equal(value.network, network);
		down += value.next <= id;
		id = value.next;
		steps++;
		assert_true(steps <= members);
	} while (id != start->id);
	assert_int_equal(steps, members);
	assert_int_equal(down, 1);
}

static void random_rings(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 20; seed++) {
		unsigned int random = seed;
		struct fixture *f;

		assert_int_equal(setup((void **)&f), 0);
		random_model(f, &random);
		make_facts(f, &random);
		compile(f);
		assert_int_equal(rows(f, HD_TABLE_PORTS), hd_model_count(f->model, HD_NOUN_PORT));
		hd_model_each(f->model, HD_NOUN_PORT, port)
			assert_ring(f, port);
		(void)teardown((void **)&f);
	}
}

/* Every device leads to its port, by the slot or by the far table, never by both. */
static void assert_found(struct fixture *f, const struct hd_fact *fact)
{
	uint32_t slot = fact->ifindex % HD_IFINDEX_SLOTS;
	const void *near = row(f, HD_TABLE_IFINDEX, &slot);
	const void *far = row(f, HD_TABLE_IFINDEX_FAR, &fact->ifindex);
	struct hd_ifindex_value value;

	assert_non_null(near);
	memcpy(&value, near, sizeof(value));
	assert_int_equal(value.ifindex == fact->ifindex, !far);
	if (far)
		assert_memory_equal(far, &fact->port, sizeof(fact->port));
	else
		assert_int_equal(value.port, fact->port);
}

/* Ifindices are the kernel's and differ, whatever slot they fall on. */
static void random_ifindices(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 7;

	network(f, "blue", "");
	for (uint32_t i = 0; i < 200; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "p%u", i);
		(void)tap(f, name, "blue", 100 + i / 4 + HD_IFINDEX_SLOTS * (i % 4));
	}
	for (size_t i = 0; i < f->n_facts; i++) { /* which device is whose does not matter */
		size_t j = (size_t)rand_r(&seed) % f->n_facts;
		uint32_t ifindex = f->facts[i].ifindex;

		f->facts[i].ifindex = f->facts[j].ifindex;
		f->facts[j].ifindex = ifindex;
	}
	compile(f);
	assert_int_equal(rows(f, HD_TABLE_IFINDEX), 50);
	assert_int_equal(rows(f, HD_TABLE_IFINDEX_FAR), 150);
	for (size_t i = 0; i < f->n_facts; i++)
		assert_found(f, &f->facts[i]);
}

/* --- the same in, the same out --- */

static void assert_same_tables(const struct hd_tables *a, const struct hd_tables *b)
{
	for (int id = 0; id < HD_TABLE_COUNT; id++) {
		const struct hd_table *x = &a->table[id], *y = &b->table[id];

		assert_int_equal(x->n, y->n);
		if (x->n)
			assert_memory_equal(x->rows, y->rows, x->n * (x->key_size + x->value_size));
	}
}

/* Twice from one model, and from a copy whose objects lie in another order. */
static void deterministic(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 42;
	struct hd_tables again;
	struct hd_model *copy;

	random_model(f, &seed);
	make_facts(f, &seed);
	compile(f);
	hd_tables_init(&again);
	assert_int_equal(hd_compile(f->model, f->facts, f->n_facts, HZ, &again, NULL), 0);
	assert_same_tables(&f->out, &again);
	hd_tables_done(&again);
	copy = hd_model_copy(f->model);
	hd_model_sort(copy);
	hd_tables_init(&again);
	assert_int_equal(hd_compile(copy, f->facts, f->n_facts, HZ, &again, NULL), 0);
	assert_same_tables(&f->out, &again);
	hd_tables_done(&again);
	hd_model_free(copy);
}

static void swap(void **state)
{
	struct fixture *f = *state;
	struct hd_tables other;

	network(f, "blue", "");
	compile(f);
	hd_tables_init(&other);
	hd_tables_swap(&f->out, &other);
	assert_int_equal(rows(f, HD_TABLE_NETWORKS), 0);
	assert_int_equal(other.table[HD_TABLE_NETWORKS].n, 1);
	hd_tables_done(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct hd_forward_value *forward_at(struct fixture *f, const char *ip, uint16_t port)
{
	struct hd_nat_key key = { .zone = HD_NETWORK_HOST,
				  .addr = inet_addr(ip),
				  .port = htons(port),
				  .class = HD_FLOW_TCP,
				  .dir = HD_NAT_IN };

	return row(f, HD_TABLE_FORWARDS, &key);
}

/* Whose an address of the host is to the datapath: that of the uplink at which it is reached, HD_PORT_NONE if it is only the host's. */
static uint32_t hosts_at(struct fixture *f, const char *ip)
{
	struct hd_neigh_key key = { .network = HD_NETWORK_HOST, .addr = { [10] = 0xff, 0xff } };
	uint32_t addr = inet_addr(ip);
	struct hd_neigh_value value = { .port = HD_PORT_NONE };
	const void *found;

	memcpy(key.addr + 12, &addr, 4);
	found = row(f, HD_TABLE_NEIGH, &key);
	if (found)
		memcpy(&value, found, sizeof(value));
	return value.port;
}

/* Port forwards of a router that masquerades, where the host has two addresses at the uplink: what is there from outside. */
static void forwards_at_the_host(void **state)
{
	struct fixture *f = *state;
	const uint32_t at[] = { inet_addr("192.0.2.1"), inet_addr("192.0.2.5") };
	static const char *const listen[] = { "0.0.0.0:81", "127.0.0.1:82", "192.0.2.5:83",
					      "198.51.100.1:84" };
	uint32_t uplink = end(f, HD_NOUN_UPLINK, "eth1", "{}",
			      (struct hd_fact){ .ifindex = 7,
						.mtu = 1500,
						.up = true,
						.address = at[0],
						.at = at,
						.n_at = 2 });

	network(f, "blue", "");
	subnet(f, "b4", "blue", "10.0.1.0/24", "10.0.1.1");
	router(f, "r", "{\"subnets\":[\"b4\"],\"gateway\":{\"uplink\":\"eth1\"}}");
	compile(f);
	assert_int_equal(end_value(f, uplink).flags & HD_END_MASQ_MORE, HD_END_MASQ_MORE);
	assert_int_equal(hosts_at(f, "192.0.2.1"), uplink);
	assert_int_equal(hosts_at(f, "192.0.2.5"), HD_PORT_NONE);
	for (size_t i = 0; i < 4; i++) {
		char name[8], options[160];

		(void)snprintf(name, sizeof(name), "f%zu", i);
		(void)snprintf(options, sizeof(options),
			       "{\"router\":\"r\",\"protocol\":\"tcp\",\"listen\":\"%s\",\"to\":"
			       "\"10.0.1.9:80\"}",
			       listen[i]);
		put(f, HD_NOUN_PORT_FORWARD, name, options);
	}
	compile(f);
	assert_int_equal(rows(f, HD_TABLE_FORWARDS), 3);
	assert_non_null(forward_at(f, "192.0.2.1", 81));
	assert_non_null(forward_at(f, "192.0.2.5", 81));
	assert_non_null(forward_at(f, "192.0.2.5", 83));
	assert_int_equal(hosts_at(f, "192.0.2.5"), uplink);
	f->facts[0].n_at = 1; /* the second one goes */
	compile(f);
	assert_int_equal(rows(f, HD_TABLE_FORWARDS), 1);
	assert_int_equal(hosts_at(f, "192.0.2.5"), HD_PORT_NONE);
	assert_int_equal(end_value(f, uplink).flags & HD_END_MASQ_MORE, 0);
}

static uint32_t hosts6_at(struct fixture *f, const char *ip)
{
	struct hd_neigh_key key = { .network = HD_NETWORK_HOST };
	struct hd_neigh_value value = { .port = HD_PORT_NONE };
	const void *found;

	address(ip, (void *)key.addr);
	found = row(f, HD_TABLE_NEIGH, &key);
	if (found)
		memcpy(&value, found, sizeof(value));
	return value.port;
}

/* Of which address the endpoints of a router are, if it has the name that it has outside. */
static void assert_endpoints_of(struct fixture *f, uint32_t id, const char *ip)
{
	struct hd_fip6_key out = { .zone = id, .dir = HD_NAT_OUT },
			   in = { .zone = HD_NETWORK_HOST, .dir = HD_NAT_IN };
	struct hd_outside6_value there, back;
	const void *found = row(f, HD_TABLE_OUTSIDES6, &out);

	assert_non_null(found);
	memcpy(&there, found, sizeof(there));
	address(ip, in.addr);
	assert_memory_equal(there.addr, in.addr, 16);
	assert_in_range(ntohl(there.name), 1, HD_NAT_NAME_MAX);
	found = row(f, HD_TABLE_OUTSIDES6, &in);
	assert_non_null(found);
	memcpy(&back, found, sizeof(back));
	assert_memory_equal(&back, &there, sizeof(there));
}

/* A router that masquerades by IPv6 alone: goes out by one address of the host, listens at all. */
static void ipv6_at_the_host(void **state)
{
	enum { FLAGS = HD_END_NAT6 | HD_END_SNAT6 | HD_END_FORWARDS6 | HD_END_SNAT | HD_END_OPEN6 };
	struct fixture *f = *state;
	uint8_t at[2][16];
	struct hd_fact fact = { .ifindex = 7, .mtu = 1500, .up = true, .n_at6 = 2 };
	uint32_t uplink, id, gen;

	address("2001:db8:f::1", (void *)at[0]);
	address("2001:db8:f::5", (void *)at[1]);
	memcpy(fact.address6, at[1], 16);
	fact.at6 = (const uint8_t(*)[16])at;
	uplink = end(f, HD_NOUN_UPLINK, "eth1", "{}", fact);
	network(f, "blue", "");
	subnet(f, "b6", "blue", "fd00:1::/64", "fd00:1::1");
	id = router(f, "r", "{\"subnets\":[\"b6\"],\"gateway\":{\"uplink\":\"eth1\"}}");
	compile(f);
	assert_int_equal(end_value(f, uplink).flags & (HD_END_MASQ | HD_END_MASQ6), HD_END_MASQ6);
	assert_int_equal(end_value(f, id).flags & FLAGS, HD_END_NAT6 | HD_END_SNAT6);
	assert_endpoints_of(f, id, "2001:db8:f::5");
	assert_route(f, id, "::", 0,
		     (struct hd_route_value){ .kind = HD_ROUTE_VIA, .network = HD_NETWORK_HOST },
		     "2001:db8:f::5", "2001:db8:f::5");
	assert_int_equal(route(f, id, "0.0.0.0", 0).kind, HD_ROUTE_NONE); /* no way for IPv4 */
	assert_int_equal(hosts6_at(f, "2001:db8:f::5"), uplink);
	assert_int_equal(hosts6_at(f, "2001:db8:f::1"), HD_PORT_NONE);
	gen = port_value(f, id).gen;
	put(f, HD_NOUN_PORT_FORWARD, "own",
	    "{\"router\":\"r\",\"protocol\":\"tcp\",\"listen\":\"[2001:db8:f::5]:80\",\"to\":\"[fd00:1::9]:80\"}");
	compile(f);
	assert_int_equal(port_value(f, id).gen, gen); /* nobody's flows are judged again */
	put(f, HD_NOUN_PORT_FORWARD, "all",
	    "{\"router\":\"r\",\"protocol\":\"tcp\",\"listen\":\"[::]:81\",\"to\":\"[fd00:1::9]:80\"}");
	put(f, HD_NOUN_PORT_FORWARD, "one",
	    "{\"router\":\"r\",\"protocol\":\"tcp\",\"listen\":\"[2001:db8:f::1]:82\",\"to\":\"[fd00:1::9]:80\"}");
	put(f, HD_NOUN_PORT_FORWARD, "none",
	    "{\"router\":\"r\",\"protocol\":\"tcp\",\"listen\":\"[2001:db8:f::9]:82\",\"to\":\"[fd00:1::9]:80\"}");
	compile(f);
	assert_int_equal(end_value(f, id).flags & FLAGS,
			 HD_END_NAT6 | HD_END_SNAT6 | HD_END_FORWARDS6);
	assert_int_equal(rows(f, HD_TABLE_FORWARDS6), 8);
	assert_int_equal(hosts6_at(f, "2001:db8:f::1"), uplink);
	f->facts[0].n_at6 = 0;
	compile(f);
	assert_int_equal(rows(f, HD_TABLE_FORWARDS6), 0);
	assert_int_equal(rows(f, HD_TABLE_OUTSIDES6), 0);
	assert_int_equal(end_value(f, id).ifindex, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_in_nothing_out),
		TEST(table_names_and_sizes),
		TEST(networks),
		TEST(ageing_does_not_overflow),
		TEST(port_flags),
		TEST(port_mtus),
		TEST(configured_addresses),
		TEST(vlan_modes),
		TEST(ifindices),
		TEST(small_rings),
		cmocka_unit_test(random_rings),
		TEST(random_ifindices),
		TEST(deterministic),
		TEST(swap),
		TEST(tunnels),
		TEST(outer_headers),
		TEST(overlay_mtus),
		TEST(remote_ports),
		TEST(entry_of_a_peer),
		TEST(legs),
		TEST(router_rows),
		TEST(small_subnets),
		TEST(static_routes),
		TEST(shares),
		TEST(slots_that_stay),
		TEST(one_hop_is_no_group),
		TEST(router_generations),
		TEST(generations_of_neighbours),
		TEST(generations_stay),
		TEST(routed_networks),
		TEST(outside_of_both_families),
		TEST(rates),
		TEST(forwards_at_the_host),
		TEST(ipv6_at_the_host),
	};

	return cmocka_run_group_tests_name("compile", tests, NULL, NULL);
}
