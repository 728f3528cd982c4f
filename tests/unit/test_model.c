// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_model.c - objects, the collection of them, their numbers, and each way in which they can
 * contradict each other
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "model/model.h"

static const struct hd_limits roomy = {
	.ports = 64, .networks = 64, .fdb = 64, .neighbours = 64, .drops = 64
};

/* From options as they come in, through the schema, to an object; what hd_object_new() said. */
static int try_object(enum hd_noun_id noun, const char *name, uint32_t id, const char *options,
		      struct hd_object **ret, struct hd_error *err)
{
	_json_ json_t *spec = json_loads(options, 0, NULL);
	_json_ json_t *canonical = NULL;

	assert_non_null(spec);
	assert_int_equal(hd_spec_canonical(&hd_nouns[noun], name, spec, false, &canonical, err), 0);
	return hd_object_new(&hd_nouns[noun], name, id, canonical, ret, err);
}

static struct hd_object *object(enum hd_noun_id noun, const char *name, uint32_t id,
				const char *options)
{
	struct hd_object *object = NULL;
	struct hd_error err = { 0 };

	if (try_object(noun, name, id, options, &object, &err) < 0)
		fail_msg("%s", err.message);
	return object;
}

static void put(struct hd_model *model, enum hd_noun_id noun, const char *name, const char *options)
{
	struct hd_object *new = object(noun, name, 0, options);

	assert_int_equal(hd_model_put(model, new), 0);
	hd_object_unref(new);
}

static int setup(void **state)
{
	*state = hd_model_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	hd_model_free(*state);
	return 0;
}

/* Networks blue and red, and ports web1 and web2 on blue. */
static void put_basics(struct hd_model *model)
{
	put(model, HD_NOUN_NETWORK, "blue", "{\"type\":\"local\"}");
	put(model, HD_NOUN_NETWORK, "red", "{\"type\":\"local\"}");
	put(model, HD_NOUN_PORT, "web1",
	    "{\"network\":\"blue\",\"device\":\"tap1\",\"mac\":\"02:00:00:00:00:01\",\"ip\":[\"192.0.2.1\"]}");
	put(model, HD_NOUN_PORT, "web2", "{\"network\":\"blue\",\"device\":\"tap2\"}");
}

/* --- addresses --- */

static void addresses(void **state)
{
	static const struct {
		const char *text;
		const char *back; /* NULL: refused */
		int prefix;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", HD_PREFIX_NONE },
		{ "192.0.2.1/24", "192.0.2.1", 24 },
		{ "0.0.0.0/0", "0.0.0.0", 0 },
		{ "192.0.2.1/32", "192.0.2.1", 32 },
		{ "192.0.2.1/33", NULL, 0 },
		{ "2001:DB8::1", "2001:db8::1", HD_PREFIX_NONE },
		{ "2001:db8::1/128", "2001:db8::1", 128 },
		{ "2001:db8::1/129", NULL, 0 },
		{ "192.0.2.1/", NULL, 0 },
		{ "192.0.2.1/x", NULL, 0 },
		{ "192.0.2.1/-1", NULL, 0 },
		{ "192.0.2.1/24x", NULL, 0 },
		{ "192.0.2", NULL, 0 },
		{ "192.0.2.256", NULL, 0 },
		{ "", NULL, 0 },
		{ "/24", NULL, 0 },
		{ "blue", NULL, 0 },
		{ "2001:db8::1%eth0", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_ip ip = { .prefix = 99 };
		char text[64];
		int r = hd_ip_parse(cases[i].text, &ip);

		assert_int_equal(r, cases[i].back ? 0 : -EINVAL);
		if (r < 0) {
			assert_int_equal(ip.prefix, 99);
			continue;
		}
		hd_ip_format(&ip, text);
		assert_string_equal(text, cases[i].back);
		assert_int_equal(ip.prefix, cases[i].prefix);
	}
}

static void addresses_in_prefixes(void **state)
{
	static const struct {
		const char *ip, *cidr;
		bool in;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.0/24", true },
		{ "192.0.3.1", "192.0.2.0/24", false },
		{ "192.0.2.127", "192.0.2.0/25", true },
		{ "192.0.2.128", "192.0.2.0/25", false },
		{ "192.0.2.1", "192.0.2.1/32", true },
		{ "192.0.2.0", "192.0.2.1/32", false },
		{ "203.0.113.9", "0.0.0.0/0", true },
		{ "2001:db8::1", "0.0.0.0/0", false },
		{ "192.0.2.1", "::/0", false },
		{ "2001:db8::1", "::/0", true },
		{ "2001:db8::1", "2001:db8::/32", true },
		{ "2001:db9::1", "2001:db8::/32", false },
		{ "2001:db8::1", "2001:db8::1/128", true },
		{ "2001:db8::2", "2001:db8::1/128", false },
		{ "2001:db8:7fff::", "2001:db8::/33", true },
		{ "2001:db8:8000::", "2001:db8::/33", false },
		{ "192.0.2.1", "192.0.2.1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_ip ip, cidr;

		assert_int_equal(hd_ip_parse(cases[i].ip, &ip), 0);
		assert_int_equal(hd_ip_parse(cases[i].cidr, &cidr), 0);
		assert_int_equal(hd_ip_in(&ip, &cidr), cases[i].in);
	}
}

static void macs(void **state)
{
	static const char *const refused[] = { "",
					       "02:00:00:00:00",
					       "02:00:00:00:00:01:02",
					       "02:00:00:00:00:0g",
					       "02-00-00-00-00-01",
					       "blue" };
	uint8_t mac[6];
	char text[18];

	(void)state;
	assert_int_equal(hd_mac_parse("02:AB:cd:00:0f:F0", mac), 0);
	hd_mac_format(mac, text);
	assert_string_equal(text, "02:ab:cd:00:0f:f0");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_equal(hd_mac_parse(refused[i], mac), -EINVAL);
}

/* --- objects --- */

static void a_network_has_defaults(void **state)
{
	struct hd_object *blue = object(HD_NOUN_NETWORK, "blue", 7, "{\"type\":\"local\"}");
	const struct hd_network *network = &blue->view.network;

	(void)state;
	assert_string_equal(blue->name, "blue");
	assert_int_equal(blue->id, 7);
	assert_ptr_equal(blue->noun, &hd_nouns[HD_NOUN_NETWORK]);
	assert_int_equal(network->mtu, 0); /* see hd_network_mtu() */
	assert_int_equal(network->tunnel, HD_TUNNEL_NONE);
	assert_int_equal(network->ageing_s, 300);
	assert_int_equal(network->port_mac_limit, 1024);
	assert_true(network->flood);
	assert_false(network->suppress);
	hd_object_unref(blue);
}

static void a_network_as_configured(void **state)
{
	struct hd_object *blue =
		object(HD_NOUN_NETWORK, "blue", 0,
		       "{\"type\":\"local\",\"mtu\":9000,\"ageing\":0,\"port-mac-limit\":1,"
		       "\"flood\":false,\"neighbour-suppression\":true}");
	const struct hd_network *network = &blue->view.network;

	(void)state;
	assert_int_equal(network->mtu, 9000);
	assert_int_equal(network->ageing_s, 0);
	assert_int_equal(network->port_mac_limit, 1);
	assert_false(network->flood);
	assert_true(network->suppress);
	hd_object_unref(blue);
}

static void each_kind_of_port(void **state)
{
	struct hd_object *device =
		object(HD_NOUN_PORT, "d", 1,
		       "{\"network\":\"blue\",\"device\":\"tap0\",\"isolated\":true,\"mtu\":1400,"
		       "\"mac\":\"02:00:00:00:00:0A\",\"ip\":[\"192.0.2.1/24\",\"2001:db8::1\"]}");
	struct hd_object *netns = object(
		HD_NOUN_PORT, "n", 2,
		"{\"network\":\"blue\",\"netns\":\"red\",\"ifname\":\"eth0\",\"hairpin\":true}");
	struct hd_object *internal =
		object(HD_NOUN_PORT, "host0", 3, "{\"network\":\"blue\",\"internal\":true}");
	struct hd_object *named =
		object(HD_NOUN_PORT, "a-very-long-name-of-a-port", 4,
		       "{\"network\":\"blue\",\"internal\":true,\"ifname\":\"leg0\"}");
	const struct hd_port *port = &device->view.port;

	(void)state;
	assert_int_equal(port->kind, HD_PORT_DEVICE);
	assert_string_equal(port->device, "tap0");
	assert_string_equal(port->network, "blue");
	assert_true(port->isolated && !port->hairpin && port->has_mac);
	assert_memory_equal(port->mac, "\2\0\0\0\0\12", 6);
	assert_int_equal(port->mtu, 1400);
	assert_int_equal(port->n_ips, 2);
	assert_int_equal(port->ips[0].prefix, 24);
	assert_true(port->ips[0].is_v4 && !port->ips[1].is_v4);
	assert_int_equal(netns->view.port.kind, HD_PORT_NETNS);
	assert_string_equal(netns->view.port.netns, "red");
	assert_string_equal(netns->view.port.ifname, "eth0");
	assert_true(netns->view.port.hairpin && !netns->view.port.has_mac);
	assert_int_equal(internal->view.port.kind, HD_PORT_INTERNAL);
	assert_string_equal(internal->view.port.ifname, "host0");
	assert_string_equal(named->view.port.ifname, "leg0");
	hd_object_unref(device);
	hd_object_unref(netns);
	hd_object_unref(internal);
	hd_object_unref(named);
}

static void entries_are_named_by_network(void **state)
{
	struct hd_object *fdb =
		object(HD_NOUN_FDB, "blue/02:00:00:00:00:09", 0, "{\"port\":\"web1\"}");
	struct hd_object *neigh =
		object(HD_NOUN_NEIGHBOUR, "blue/2001:db8::9", 0, "{\"mac\":\"02:00:00:00:00:09\"}");

	(void)state;
	assert_string_equal(fdb->view.fdb.network, "blue");
	assert_string_equal(fdb->view.fdb.port, "web1");
	assert_int_equal(fdb->view.fdb.mac[5], 9);
	assert_string_equal(neigh->view.neighbour.network, "blue");
	assert_false(neigh->view.neighbour.ip.is_v4);
	assert_int_equal(neigh->view.neighbour.mac[5], 9);
	hd_object_unref(fdb);
	hd_object_unref(neigh);
}

/* What an object alone can have wrong, though each of its options is fine. */
static void objects_that_contradict_themselves(void **state)
{
	static const struct {
		enum hd_noun_id noun;
		const char *name, *options, *message, *where;
	} cases[] = {
		{ HD_NOUN_NETWORK, "blue", "{\"type\":\"local\",\"mtu\":1500}", NULL, NULL },
		{ HD_NOUN_SUBNET, "s",
		  "{\"network\":\"blue\",\"cidr\":\"192.0.2.0/24\",\"gateway\":\"198.51.100.1\"}",
		  "subnet s: gateway 198.51.100.1 is not in 192.0.2.0/24", "subnets/s/gateway" },
		{ HD_NOUN_SUBNET, "s",
		  "{\"network\":\"blue\",\"cidr\":\"192.0.2.0/24\",\"gateway\":\"2001:db8::1\"}",
		  "subnet s: gateway 2001:db8::1 is not in 192.0.2.0/24", "subnets/s/gateway" },
		{ HD_NOUN_PORT, "p", "{\"network\":\"blue\"}",
		  "port p: needs exactly one of device, netns, internal and peer", "" },
		{ HD_NOUN_PORT, "p", "{\"network\":\"blue\",\"device\":\"tap0\",\"internal\":true}",
		  "port p: needs exactly one of device, netns, internal and peer", "" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"tap0\",\"netns\":\"red\",\"ifname\":\"eth0\"}",
		  "port p: needs exactly one of device, netns, internal and peer", "" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"tap0\",\"ifname\":\"eth0\"}",
		  "port p: ifname does not go with device", "" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"tap0\",\"egress-burst\":\"64kb\"}",
		  "port p: egress-burst needs egress-rate", "ports/p/egress-burst" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"tap0\",\"ingress-burst\":\"64kb\",\"egress-rate\":\"1mbit\"}",
		  "port p: ingress-burst needs ingress-rate", "ports/p/ingress-burst" },
		{ HD_NOUN_PORT, "p", "{\"network\":\"blue\",\"netns\":\"red\"}",
		  "port p: netns needs ifname", "" },
		{ HD_NOUN_PORT, "a-port-of-16-let", "{\"network\":\"blue\",\"internal\":true}",
		  "port a-port-of-16-let: its name is too long for a device", "" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"t\",\"vlan-mode\":\"access\",\"tag\":10}",
		  NULL, "" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"t\",\"vlan-mode\":\"trunk\"}", NULL, "" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"t\",\"vlan-mode\":\"trunk\",\"trunk\":\"0,10\"}",
		  NULL, "" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"t\",\"vlan-mode\":\"native-tagged\",\"tag\":10}",
		  NULL, "" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"t\",\"vlan-mode\":\"native-untagged\",\"tag\":10,\"trunk\":\"20-30\"}",
		  NULL, "" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"t\",\"vlan-mode\":\"native-untagged\",\"tag\":20,\"trunk\":\"20-30\"}",
		  NULL, "" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"t\",\"vlan-mode\":\"dot1q-tunnel\",\"tag\":4094}",
		  NULL, "" },
		{ HD_NOUN_PORT, "p", "{\"network\":\"blue\",\"device\":\"t\",\"tag\":10}",
		  "port p: tag needs a vlan-mode", "ports/p/tag" },
		{ HD_NOUN_PORT, "p", "{\"network\":\"blue\",\"device\":\"t\",\"trunk\":\"10\"}",
		  "port p: trunk needs a vlan-mode", "ports/p/trunk" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"t\",\"vlan-mode\":\"trunk\",\"tag\":10}",
		  "port p: tag does not go with vlan-mode trunk", "ports/p/tag" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"t\",\"vlan-mode\":\"access\"}",
		  "port p: vlan-mode access needs tag", "ports/p/vlan-mode" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"t\",\"vlan-mode\":\"native-tagged\"}",
		  "port p: vlan-mode native-tagged needs tag", "ports/p/vlan-mode" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"t\",\"vlan-mode\":\"native-untagged\",\"trunk\":\"10\"}",
		  "port p: vlan-mode native-untagged needs tag", "ports/p/vlan-mode" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"t\",\"vlan-mode\":\"dot1q-tunnel\"}",
		  "port p: vlan-mode dot1q-tunnel needs tag", "ports/p/vlan-mode" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"t\",\"vlan-mode\":\"access\",\"tag\":10,\"trunk\":\"10\"}",
		  "port p: trunk does not go with vlan-mode access", "ports/p/trunk" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"t\",\"vlan-mode\":\"dot1q-tunnel\",\"tag\":10,\"trunk\":\"10\"}",
		  "port p: trunk does not go with vlan-mode dot1q-tunnel", "ports/p/trunk" },
		{ HD_NOUN_PORT, "p",
		  "{\"network\":\"blue\",\"device\":\"t\",\"vlan-mode\":\"native-tagged\",\"tag\":10,\"trunk\":\"0-20\"}",
		  "port p: VLAN 0 does not go with vlan-mode native-tagged", "ports/p/trunk" },
		{ HD_NOUN_FDB, "02:00:00:00:00:09", "{\"port\":\"web1\"}",
		  "fdb 02:00:00:00:00:09: the name must be NETWORK/MAC", "" },
		{ HD_NOUN_FDB, "/02:00:00:00:00:09", "{\"port\":\"web1\"}",
		  "fdb /02:00:00:00:00:09: the name must be NETWORK/MAC", "" },
		{ HD_NOUN_FDB, "blue/", "{\"port\":\"web1\"}",
		  "fdb blue/: the name must be NETWORK/MAC", "" },
		{ HD_NOUN_FDB, "blue/nonsense", "{\"port\":\"web1\"}",
		  "fdb blue/nonsense: nonsense is not the MAC of a station", "" },
		{ HD_NOUN_FDB, "blue/33:33:00:00:00:01", "{\"port\":\"web1\"}",
		  "fdb blue/33:33:00:00:00:01: 33:33:00:00:00:01 is not the MAC of a station", "" },
		{ HD_NOUN_FDB, "blue/02:00:00:00:00:09", "{}",
		  "fdb blue/02:00:00:00:00:09: needs exactly one of port and peer", "" },
		{ HD_NOUN_FDB, "blue/02:00:00:00:00:09", "{\"port\":\"web1\",\"peer\":\"two\"}",
		  "fdb blue/02:00:00:00:00:09: needs exactly one of port and peer", "" },
		{ HD_NOUN_NEIGHBOUR, "blue/nonsense", "{\"mac\":\"02:00:00:00:00:09\"}",
		  "neighbour blue/nonsense: nonsense is not an address", "" },
		{ HD_NOUN_NEIGHBOUR, "blue/192.0.2.1/24", "{\"mac\":\"02:00:00:00:00:09\"}",
		  "neighbour blue/192.0.2.1/24: 192.0.2.1/24 is not an address", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_object *made = NULL;
		struct hd_error err = { 0 };
		char about[128];
		int r = try_object(cases[i].noun, cases[i].name, 0, cases[i].options, &made, &err);

		assert_int_equal(r, cases[i].message ? -EINVAL : 0);
		if (r == 0) {
			hd_object_unref(made);
			continue;
		}
		assert_null(made);
		(void)snprintf(about, sizeof(about), "%s %s", hd_nouns[cases[i].noun].name,
			       cases[i].name);
		assert_string_equal(err.message, cases[i].message);
		assert_string_equal(err.where, cases[i].where);
		assert_string_equal(err.object, about);
		assert_int_equal(err.code, HD_ERR_INVALID);
	}
}

/* Networks of physical networks: what each type needs, and must not have. */
static void provider_networks(void **state)
{
	static const struct {
		const char *options;
		const char *message, *where; /* NULL: it is fine */
	} cases[] = {
		{ "{\"type\":\"flat\",\"physical\":\"p\"}", NULL, NULL },
		{ "{\"type\":\"vlan\",\"physical\":\"p\",\"id\":1}", NULL, NULL },
		{ "{\"type\":\"vlan\",\"physical\":\"p\",\"id\":4094}", NULL, NULL },
		{ "{\"type\":\"flat\"}", "type flat needs physical, the name of a physical network",
		  "physical" },
		{ "{\"type\":\"vlan\",\"id\":1}",
		  "type vlan needs physical, the name of a physical network", "physical" },
		{ "{\"type\":\"vlan\",\"physical\":\"p\"}", "type vlan needs id, the VLAN", "id" },
		{ "{\"type\":\"vlan\",\"physical\":\"p\",\"id\":0}",
		  "id: a VLAN is a number from 1 to 4094", "id" },
		{ "{\"type\":\"vlan\",\"physical\":\"p\",\"id\":4095}",
		  "id: a VLAN is a number from 1 to 4094", "id" },
		{ "{\"type\":\"vlan\",\"physical\":\"p\",\"id\":65537}",
		  "id: a VLAN is a number from 1 to 4094", "id" },
		{ "{\"type\":\"flat\",\"physical\":\"p\",\"id\":1}",
		  "a flat network has no id: its frames have no tag", "id" },
		{ "{\"type\":\"flat\",\"physical\":\"p\",\"tunnel-port\":4789}",
		  "tunnel-port is for type vxlan and geneve", "tunnel-port" },
		{ "{\"type\":\"flat\",\"physical\":\"p\",\"tunnel-dscp\":0}",
		  "tunnel-dscp is for type vxlan, geneve and gre", "tunnel-dscp" },
		{ "{\"type\":\"vlan\",\"physical\":\"p\",\"id\":1,\"tunnel-ttl\":64}",
		  "tunnel-ttl is for type vxlan, geneve and gre", "tunnel-ttl" },
		{ "{\"type\":\"local\",\"tunnel-dscp\":\"inherit\"}",
		  "tunnel-dscp is for type vxlan, geneve and gre", "tunnel-dscp" },
		{ "{\"type\":\"local\",\"tunnel-ttl\":1}",
		  "tunnel-ttl is for type vxlan, geneve and gre", "tunnel-ttl" },
		{ "{\"type\":\"gre\",\"tunnel-ttl\":1,\"tunnel-dscp\":63}", NULL, NULL },
		{ "{\"type\":\"local\",\"physical\":\"p\"}",
		  "a local network has no physical network", "physical" },
		{ "{\"type\":\"vxlan\",\"physical\":\"p\",\"id\":1}",
		  "a tunnel has no physical network: it follows routes", "physical" },
		{ "{\"type\":\"geneve\",\"physical\":\"p\",\"id\":1}",
		  "a tunnel has no physical network: it follows routes", "physical" },
		{ "{\"type\":\"gre\",\"physical\":\"p\"}",
		  "a tunnel has no physical network: it follows routes", "physical" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_object *made = NULL;
		struct hd_error err = { 0 };
		int r = try_object(HD_NOUN_NETWORK, "n", 0, cases[i].options, &made, &err);
		char text[128];

		assert_int_equal(r, cases[i].message ? -EINVAL : 0);
		hd_object_unref(made);
		if (!cases[i].message)
			continue;
		(void)snprintf(text, sizeof(text), "network n: %s", cases[i].message);
		assert_string_equal(err.message, text);
		(void)snprintf(text, sizeof(text), "networks/n/%s", cases[i].where);
		assert_string_equal(err.where, text);
		assert_int_equal(err.code, HD_ERR_INVALID);
	}
}

/* --- the collection --- */

static void put_get_del(void **state)
{
	struct hd_model *model = *state;
	struct hd_object *blue = object(HD_NOUN_NETWORK, "blue", 5, "{\"type\":\"local\"}");

	assert_null(hd_model_get(model, HD_NOUN_NETWORK, "blue"));
	assert_null(hd_model_first(model, HD_NOUN_NETWORK));
	assert_false(hd_model_del(model, HD_NOUN_NETWORK, "blue"));
	assert_int_equal(hd_model_put(model, blue), 0);
	assert_int_equal(blue->refs, 2);
	assert_ptr_equal(hd_model_get(model, HD_NOUN_NETWORK, "blue"), blue);
	assert_ptr_equal(hd_model_get_id(model, HD_NOUN_NETWORK, 5), blue);
	assert_null(hd_model_get_id(model, HD_NOUN_PORT, 5));
	assert_null(hd_model_get(model, HD_NOUN_PORT, "blue"));
	assert_int_equal(hd_model_put(model, blue), 0); /* in its own place */
	assert_int_equal(blue->refs, 2);
	assert_int_equal(hd_model_count(model, HD_NOUN_NETWORK), 1);
	assert_true(hd_model_del(model, HD_NOUN_NETWORK, "blue"));
	assert_int_equal(blue->refs, 1);
	assert_null(hd_model_get_id(model, HD_NOUN_NETWORK, 5));
	assert_int_equal(hd_model_count(model, HD_NOUN_NETWORK), 0);
	hd_object_unref(blue);
	hd_object_unref(NULL);
	hd_model_free(NULL);
}

static void put_replaces(void **state)
{
	struct hd_model *model = *state;
	struct hd_object *old = object(HD_NOUN_NETWORK, "blue", 5, "{\"type\":\"local\"}");
	struct hd_object *new =
		object(HD_NOUN_NETWORK, "blue", 5, "{\"type\":\"local\",\"mtu\":9000}");

	assert_int_equal(hd_model_put(model, old), 0);
	assert_int_equal(hd_model_put(model, new), 0);
	assert_int_equal(old->refs, 1);
	assert_ptr_equal(hd_model_get(model, HD_NOUN_NETWORK, "blue"), new);
	assert_ptr_equal(hd_model_get_id(model, HD_NOUN_NETWORK, 5), new);
	assert_int_equal(hd_model_count(model, HD_NOUN_NETWORK), 1);
	hd_object_unref(old);
	hd_object_unref(new);
}

static void walk_is_sorted_as_people_count(void **state)
{
	static const char *const names[] = { "web10", "web2", "db", "web1", "web9" };
	static const char *const sorted[] = { "db", "web1", "web2", "web9", "web10" };
	struct hd_model *model = *state;
	size_t i;

	for (i = 0; i < 5; i++)
		put(model, HD_NOUN_NETWORK, names[i], "{\"type\":\"local\"}");
	hd_model_sort(model);
	i = 0;
	hd_model_each(model, HD_NOUN_NETWORK, network)
		assert_string_equal(network->name, sorted[i++]);
	assert_int_equal(i, 5);
}

static void a_copy_shares_objects_and_nothing_else(void **state)
{
	struct hd_model *model = *state, *copy;
	struct hd_object *web1;

	put_basics(model);
	assert_int_equal(hd_model_assign_ids(model, &roomy, NULL), 0);
	copy = hd_model_copy(model);
	assert_non_null(copy);
	web1 = hd_model_get(model, HD_NOUN_PORT, "web1");
	assert_ptr_equal(hd_model_get(copy, HD_NOUN_PORT, "web1"), web1);
	assert_ptr_equal(hd_model_get_id(copy, HD_NOUN_PORT, web1->id), web1);
	assert_int_equal(web1->refs, 2);
	assert_true(hd_model_del(copy, HD_NOUN_PORT, "web1"));
	put(copy, HD_NOUN_NETWORK, "green", "{\"type\":\"local\"}");
	assert_ptr_equal(hd_model_get(model, HD_NOUN_PORT, "web1"), web1);
	assert_null(hd_model_get(model, HD_NOUN_NETWORK, "green"));
	assert_int_equal(web1->refs, 1);
	hd_model_free(copy);
	assert_int_equal(hd_model_count(model, HD_NOUN_PORT), 2);
}

/*
 * A number that one of two models gives becomes known in the other as well: the object is the same.
 * In a child, as it may crash.
 */
static void ids_given_in_a_copy(void **state)
{
	struct hd_model *model = *state, *copy;
	int status;
	pid_t child;

	put_basics(model);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)signal(SIGSEGV, SIG_DFL); /* else the child would go on with the next test */
		copy = hd_model_copy(model);
		(void)hd_model_assign_ids(copy, &roomy, NULL);
		hd_model_free(copy);
		_exit(hd_model_del(model, HD_NOUN_PORT, "web1") ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* --- numbers --- */

static uint32_t id_of(struct hd_model *model, enum hd_noun_id noun, const char *name)
{
	const struct hd_object *found = hd_model_get(model, noun, name);

	assert_non_null(found);
	assert_ptr_equal(hd_model_get_id(model, noun, found->id), found);
	return found->id;
}

static void put_network(struct hd_model *model, const char *name)
{
	put(model, HD_NOUN_NETWORK, name, "{\"type\":\"local\"}");
}

static void ids_go_on_and_rest(void **state)
{
	struct hd_limits limits = roomy;
	struct hd_model *model = *state;

	limits.networks = 5; /* 1 to 4 */
	put_network(model, "a");
	put_network(model, "b");
	assert_int_equal(hd_model_assign_ids(model, &limits, NULL), 0);
	assert_int_equal(id_of(model, HD_NOUN_NETWORK, "a"), 1);
	assert_int_equal(id_of(model, HD_NOUN_NETWORK, "b"), 2);
	assert_true(hd_model_del(model, HD_NOUN_NETWORK, "b"));
	put_network(model, "c"); /* 2 is free, but rests */
	assert_int_equal(hd_model_assign_ids(model, &limits, NULL), 0);
	assert_int_equal(id_of(model, HD_NOUN_NETWORK, "c"), 3);
	put_network(model, "d");
	put_network(model, "e"); /* round the end, over 1 to 2 */
	assert_int_equal(hd_model_assign_ids(model, &limits, NULL), 0);
	assert_int_equal(id_of(model, HD_NOUN_NETWORK, "d"), 4);
	assert_int_equal(id_of(model, HD_NOUN_NETWORK, "e"), 2);
	assert_int_equal(id_of(model, HD_NOUN_NETWORK, "a"), 1);
}

/*
 * A copy goes on where the original would have; an object with a number, as from the store, counts
 * as given.
 */
static void ids_go_on_in_copies_and_after_a_restart(void **state)
{
	struct hd_model *model = *state, *copy;
	struct hd_object *stored = object(HD_NOUN_NETWORK, "a", 9, "{\"type\":\"local\"}");

	assert_int_equal(hd_model_put(model, stored), 0);
	hd_object_unref(stored);
	assert_true(hd_model_del(model, HD_NOUN_NETWORK, "a"));
	copy = hd_model_copy(model);
	put_network(copy, "b");
	assert_int_equal(hd_model_assign_ids(copy, &roomy, NULL), 0);
	assert_int_equal(id_of(copy, HD_NOUN_NETWORK, "b"), 10);
	assert_int_equal(id_of(copy, HD_NOUN_NETWORK, "b"), 10); /* kept */
	assert_int_equal(hd_model_assign_ids(copy, &roomy, NULL), 0);
	assert_int_equal(id_of(copy, HD_NOUN_NETWORK, "b"), 10);
	hd_model_free(copy);
}

static void networks_and_ports_have_their_own_numbers(void **state)
{
	struct hd_model *model = *state;

	put_basics(model);
	put(model, HD_NOUN_SUBNET, "s", "{\"network\":\"blue\",\"cidr\":\"192.0.2.0/24\"}");
	assert_int_equal(hd_model_assign_ids(model, &roomy, NULL), 0);
	assert_int_equal(id_of(model, HD_NOUN_NETWORK, "blue"), 1);
	assert_int_equal(id_of(model, HD_NOUN_NETWORK, "red"), 2);
	assert_int_equal(id_of(model, HD_NOUN_PORT, "web1"), 1);
	assert_int_equal(id_of(model, HD_NOUN_PORT, "web2"), 2);
	assert_int_equal(hd_model_get(model, HD_NOUN_SUBNET, "s")->id, 0);
}

static void full_tables_are_named(void **state)
{
	struct hd_limits limits = roomy;
	struct hd_model *model = *state;
	struct hd_error err = { 0 };

	limits.ports = 2;
	put_basics(model);
	assert_int_equal(hd_model_assign_ids(model, &limits, &err), -ENOSPC);
	assert_string_equal(err.message, "port web2: the table is full: 1 ports");
	assert_string_equal(err.hint, "raise table-sizes/ports in heddled.conf");
	limits.ports = 3;
	assert_int_equal(hd_model_assign_ids(model, &limits, &err), 0);
	limits.networks = 1; /* no room at all, but nobody asks for some */
	assert_int_equal(hd_model_assign_ids(model, &limits, &err), 0);
}

/* --- validation: objects against each other --- */

static void a_model_that_is_fine(void **state)
{
	struct hd_model *model = *state;
	struct hd_error err = { 0 };

	assert_int_equal(hd_model_validate(model, &err), 0); /* empty */
	put_basics(model);
	put(model, HD_NOUN_SUBNET, "s",
	    "{\"network\":\"blue\",\"cidr\":\"192.0.2.0/24\",\"gateway\":\"192.0.2.254\"}");
	put(model, HD_NOUN_SUBNET, "s6", "{\"network\":\"blue\",\"cidr\":\"2001:db8::/64\"}");
	put(model, HD_NOUN_SUBNET, "same-elsewhere",
	    "{\"network\":\"red\",\"cidr\":\"192.0.2.0/24\"}");
	put(model, HD_NOUN_PORT, "in-ns",
	    "{\"network\":\"blue\",\"netns\":\"x\",\"ifname\":\"eth0\",\"ip\":[\"192.0.2.9\",\"2001:db8::9\"]}");
	put(model, HD_NOUN_PORT, "in-other-ns",
	    "{\"network\":\"blue\",\"netns\":\"y\",\"ifname\":\"eth0\"}");
	put(model, HD_NOUN_PORT, "same-mac-and-ip-elsewhere",
	    "{\"network\":\"red\",\"device\":\"tap3\",\"mac\":\"02:00:00:00:00:01\",\"ip\":[\"192.0.2.1\"]}");
	put(model, HD_NOUN_FDB, "blue/02:00:00:00:00:09", "{\"port\":\"web2\"}");
	put(model, HD_NOUN_FDB, "red/02:00:00:00:00:09",
	    "{\"port\":\"same-mac-and-ip-elsewhere\"}");
	put(model, HD_NOUN_NEIGHBOUR, "blue/192.0.2.77", "{\"mac\":\"02:00:00:00:00:09\"}");
	put(model, HD_NOUN_NEIGHBOUR, "red/192.0.2.77", "{\"mac\":\"02:00:00:00:00:09\"}");
	/* MAC and address of web1, each in a VLAN of its own */
	put(model, HD_NOUN_PORT, "web10",
	    "{\"network\":\"blue\",\"device\":\"tap10\",\"mac\":\"02:00:00:00:00:01\",\"ip\":[\"192.0.2.1\"],"
	    "\"vlan-mode\":\"access\",\"tag\":10}");
	put(model, HD_NOUN_PORT, "web20",
	    "{\"network\":\"blue\",\"device\":\"tap20\",\"mac\":\"02:00:00:00:00:01\",\"ip\":[\"192.0.2.1\"],"
	    "\"vlan-mode\":\"native-tagged\",\"tag\":20}");
	if (hd_model_validate(model, &err) < 0)
		fail_msg("%s", err.message);
}

/* One object too much for put_basics(). */
struct contradiction {
	enum hd_noun_id noun;
	const char *name, *options;
	int r;
	enum hd_error_code code;
	const char *message, *where;
};

static const struct contradiction contradictions[] = {
	/* names that lead nowhere */
	{ HD_NOUN_SUBNET, "s", "{\"network\":\"none\",\"cidr\":\"192.0.2.0/24\"}", -ENOENT,
	  HD_ERR_NOT_FOUND, "subnet s: network none does not exist", "subnets/s/network" },
	{ HD_NOUN_PORT, "p", "{\"network\":\"none\",\"device\":\"tap9\"}", -ENOENT,
	  HD_ERR_NOT_FOUND, "port p: network none does not exist", "ports/p/network" },
	{ HD_NOUN_FDB, "blue/02:00:00:00:00:09", "{\"port\":\"none\"}", -ENOENT, HD_ERR_NOT_FOUND,
	  "fdb blue/02:00:00:00:00:09: port none does not exist",
	  "fdb/blue/02:00:00:00:00:09/port" },
	{ HD_NOUN_FDB, "none/02:00:00:00:00:09", "{\"port\":\"web1\"}", -ENOENT, HD_ERR_NOT_FOUND,
	  "fdb none/02:00:00:00:00:09: network none does not exist", "fdb/none/02:00:00:00:00:09" },
	{ HD_NOUN_NEIGHBOUR, "none/192.0.2.9", "{\"mac\":\"02:00:00:00:00:09\"}", -ENOENT,
	  HD_ERR_NOT_FOUND, "neighbour none/192.0.2.9: network none does not exist",
	  "neighbours/none/192.0.2.9" },
	/* things on the wrong network */
	{ HD_NOUN_FDB, "red/02:00:00:00:00:09", "{\"port\":\"web1\"}", -EINVAL, HD_ERR_INVALID,
	  "fdb red/02:00:00:00:00:09: port web1 is on network blue",
	  "fdb/red/02:00:00:00:00:09/port" },
	{ HD_NOUN_PORT, "p",
	  "{\"network\":\"blue\",\"netns\":\"x\",\"ifname\":\"eth0\",\"ip\":[\"203.0.113.1/24\",\"198.51.100.1\"]}",
	  -EINVAL, HD_ERR_INVALID,
	  "port p: address 198.51.100.1 has no length, and no subnet of network blue holds it",
	  "ports/p/ip/1" },
	/* things claimed twice */
	{ HD_NOUN_PORT, "p", "{\"network\":\"red\",\"device\":\"tap1\"}", -EEXIST, HD_ERR_CONFLICT,
	  "port p: device tap1 is already used by port web1", "ports/p/device" },
	{ HD_NOUN_PORT, "p", "{\"network\":\"red\",\"internal\":true,\"ifname\":\"tap1\"}", -EEXIST,
	  HD_ERR_CONFLICT, "port p: device tap1 is already used by port web1", "ports/p/ifname" },
	{ HD_NOUN_PORT, "p",
	  "{\"network\":\"blue\",\"device\":\"tap9\",\"mac\":\"02:00:00:00:00:01\"}", -EEXIST,
	  HD_ERR_CONFLICT, "port p: MAC 02:00:00:00:00:01 is already used by port web1",
	  "ports/p/mac" },
	{ HD_NOUN_PORT, "p", "{\"network\":\"blue\",\"device\":\"tap9\",\"ip\":[\"192.0.2.1/24\"]}",
	  -EEXIST, HD_ERR_CONFLICT, "port p: address 192.0.2.1 is already used by port web1",
	  "ports/p/ip" },
	{ HD_NOUN_FDB, "blue/02:00:00:00:00:01", "{\"port\":\"web2\"}", -EEXIST, HD_ERR_CONFLICT,
	  "fdb blue/02:00:00:00:00:01: MAC 02:00:00:00:00:01 is already used by port web1",
	  "fdb/blue/02:00:00:00:00:01/" },
	{ HD_NOUN_NEIGHBOUR, "blue/192.0.2.1", "{\"mac\":\"02:00:00:00:00:09\"}", -EEXIST,
	  HD_ERR_CONFLICT,
	  "neighbour blue/192.0.2.1: address 192.0.2.1 is already used by port web1",
	  "neighbours/blue/192.0.2.1/ip" },
};

static void contradictions_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(contradictions) / sizeof(contradictions[0]); i++) {
		const struct contradiction *c = &contradictions[i];
		struct hd_model *model = hd_model_new();
		struct hd_error err = { 0 };
		char about[128];

		put_basics(model);
		put(model, c->noun, c->name, c->options);
		assert_int_equal(hd_model_validate(model, &err), c->r);
		(void)snprintf(about, sizeof(about), "%s %s", hd_nouns[c->noun].name, c->name);
		assert_string_equal(err.message, c->message);
		assert_string_equal(err.where, c->where);
		assert_string_equal(err.object, about);
		assert_int_equal(err.code, c->code);
		hd_model_free(model);
	}
}

/* What networks, uplinks and peers can contradict each other in: one object too much for put_underlay(). */
static const struct contradiction underlay_contradictions[] = {
	{ HD_NOUN_FDB, "vx/02:00:00:00:00:09", "{\"peer\":\"none\"}", -ENOENT, HD_ERR_NOT_FOUND,
	  "fdb vx/02:00:00:00:00:09: peer none does not exist", "fdb/vx/02:00:00:00:00:09/peer" },
	{ HD_NOUN_FDB, "plain/02:00:00:00:00:09", "{\"peer\":\"two\"}", -EINVAL, HD_ERR_INVALID,
	  "fdb plain/02:00:00:00:00:09: peer two is not in network plain",
	  "fdb/plain/02:00:00:00:00:09/peer" },
	{ HD_NOUN_NETWORK, "n", "{\"type\":\"vxlan\",\"id\":10}", -EEXIST, HD_ERR_CONFLICT,
	  "network vx: vxlan id 10 is already used by network n", "networks/vx/id" },
	{ HD_NOUN_NETWORK, "n", "{\"type\":\"gre\"}", -EEXIST, HD_ERR_CONFLICT,
	  "network plain: gre without a key is already used by network n", "networks/plain/id" },
	{ HD_NOUN_NETWORK, "n", "{\"type\":\"geneve\",\"id\":5,\"tunnel-port\":4789}", -EEXIST,
	  HD_ERR_CONFLICT, "network n: UDP port 4789 is that of network vx, of type vxlan",
	  "networks/n/tunnel-port" },
	{ HD_NOUN_UPLINK, "tap1", "{}", -EEXIST, HD_ERR_CONFLICT,
	  "port web1: device tap1 is already used by uplink tap1", "ports/web1/device" },
	{ HD_NOUN_UPLINK, "eth1", "{\"tunnel-ip\":\"2001:db8::9\"}", -EEXIST, HD_ERR_CONFLICT,
	  "uplink eth1: tunnel-ip 2001:db8::9 is not of the family of the others",
	  "uplinks/eth1/tunnel-ip" },
	{ HD_NOUN_PEER, "p", "{\"tunnel-ip\":\"2001:db8::9\"}", -EEXIST, HD_ERR_CONFLICT,
	  "peer p: tunnel-ip 2001:db8::9 is not of the family of the others", "peers/p/tunnel-ip" },
	{ HD_NOUN_PEER, "p", "{\"tunnel-ip\":\"203.0.113.1\"}", -EEXIST, HD_ERR_CONFLICT,
	  "peer p: tunnel-ip 203.0.113.1 is already used by uplink eth0", "peers/p/tunnel-ip" },
	{ HD_NOUN_PEER, "p", "{\"tunnel-ip\":\"203.0.113.9\",\"network\":[\"blue\"]}", -EINVAL,
	  HD_ERR_INVALID, "peer p: network blue does not leave the host", "peers/p/network/0" },
	{ HD_NOUN_PEER, "p", "{\"tunnel-ip\":\"203.0.113.9\",\"network\":[\"none\"]}", -ENOENT,
	  HD_ERR_NOT_FOUND, "peer p: network none does not exist", "peers/p/network" },
};

/* The same for networks of physical networks: one too much for put_physical(). */
static const struct contradiction physical_contradictions[] = {
	{ HD_NOUN_NETWORK, "x", "{\"type\":\"flat\",\"physical\":\"physnet1\"}", -EEXIST,
	  HD_ERR_CONFLICT,
	  "network x: what is untagged on physical network physnet1 is already used by network flat",
	  "networks/x/physical" },
	{ HD_NOUN_NETWORK, "a", "{\"type\":\"vlan\",\"id\":123,\"physical\":\"public\"}", -EEXIST,
	  HD_ERR_CONFLICT,
	  "network a: VLAN 123 of physical network public is already used by network vlan",
	  "networks/a/id" }, /* also where its name comes first */
	{ HD_NOUN_NETWORK, "x", "{\"type\":\"flat\",\"physical\":\"nowhere\"}", -ENOENT,
	  HD_ERR_NOT_FOUND, "network x: physical network nowhere does not exist",
	  "networks/x/physical" },
	{ HD_NOUN_UPLINK, "eth0", "{\"physical\":\"public\"}", -EEXIST, HD_ERR_CONFLICT,
	  "uplink eth0: physical network public is already used by uplink eth2",
	  "uplinks/eth0/physical" },
	{ HD_NOUN_UPLINK, "eth2", "{}", -ENOENT, HD_ERR_NOT_FOUND,
	  "network other-flat: physical network public does not exist",
	  "networks/other-flat/physical" },
};

static void put_physical(struct hd_model *model)
{
	put_basics(model);
	put(model, HD_NOUN_UPLINK, "eth1", "{\"physical\":\"physnet1\"}");
	put(model, HD_NOUN_UPLINK, "eth2", "{\"physical\":\"public\"}");
	put(model, HD_NOUN_NETWORK, "flat", "{\"type\":\"flat\",\"physical\":\"physnet1\"}");
	put(model, HD_NOUN_NETWORK, "vlan",
	    "{\"type\":\"vlan\",\"physical\":\"public\",\"id\":123}");
	put(model, HD_NOUN_NETWORK, "same-vlan",
	    "{\"type\":\"vlan\",\"physical\":\"physnet1\",\"id\":123}");
	put(model, HD_NOUN_NETWORK, "other-flat", "{\"type\":\"flat\",\"physical\":\"public\"}");
	hd_model_sort(model);
}

static void physical_contradictions_are_named(void **state)
{
	struct hd_model *sound = *state;
	struct hd_error none = { 0 };

	put_physical(sound);
	if (hd_model_validate(sound, &none) < 0)
		fail_msg("%s", none.message);
	for (size_t i = 0; i < sizeof(physical_contradictions) / sizeof(physical_contradictions[0]);
	     i++) {
		const struct contradiction *c = &physical_contradictions[i];
		struct hd_model *model = hd_model_new();
		struct hd_error err = { 0 };

		put_physical(model);
		assert_int_equal(hd_model_assign_ids(model, &roomy, NULL), 0);
		put(model, c->noun, c->name, c->options);
		hd_model_sort(model);
		assert_int_equal(hd_model_validate(model, &err), c->r);
		assert_string_equal(err.message, c->message);
		assert_string_equal(err.where, c->where);
		assert_int_equal(err.code, c->code);
		hd_model_free(model);
	}
}

/* A leg has a number of the ports' that stays when its network is changed, and is known by it as its uplink. */
static void legs_have_numbers(void **state)
{
	struct hd_model *model = *state, *copy;
	const struct hd_object *flat, *eth1;
	struct hd_object *renewed = NULL;
	struct hd_error err = { 0 };

	put_physical(model);
	assert_int_equal(hd_model_assign_ids(model, &roomy, NULL), 0);
	flat = hd_model_get(model, HD_NOUN_NETWORK, "flat");
	eth1 = hd_model_get(model, HD_NOUN_UPLINK, "eth1");
	assert_int_not_equal(flat->leg, 0);
	assert_ptr_equal(hd_model_leg(model, flat->leg), flat);
	assert_ptr_equal(hd_model_get_port(model, flat->leg), eth1);
	assert_null(hd_model_get_id(model, HD_NOUN_PORT, flat->leg));
	assert_null(hd_model_get_id(model, HD_NOUN_UPLINK, flat->leg));
	assert_true(hd_model_has_member(model, flat, flat->leg));
	assert_false(hd_model_has_member(model, hd_model_get(model, HD_NOUN_NETWORK, "vlan"),
					 flat->leg));
	assert_int_equal(hd_model_get(model, HD_NOUN_NETWORK, "blue")->leg, 0);
	assert_null(hd_model_leg(model, 0));

	assert_int_equal(hd_object_renew(flat, flat->noun, "flat", flat->spec, &renewed, &err), 0);
	assert_int_equal(renewed->leg, flat->leg);
	copy = hd_model_copy(model);
	assert_int_equal(hd_model_put(copy, renewed), 0);
	assert_ptr_equal(hd_model_leg(copy, flat->leg), renewed);
	assert_true(hd_model_del(copy, HD_NOUN_NETWORK, "flat"));
	assert_null(hd_model_leg(copy, flat->leg));
	hd_object_unref(renewed);
	hd_model_free(copy);
}

static void put_underlay(struct hd_model *model)
{
	put_basics(model);
	put(model, HD_NOUN_NETWORK, "vx", "{\"type\":\"vxlan\",\"id\":10}");
	put(model, HD_NOUN_NETWORK, "same-id", "{\"type\":\"geneve\",\"id\":10}");
	put(model, HD_NOUN_NETWORK, "same-id-other-port",
	    "{\"type\":\"vxlan\",\"id\":10,\"tunnel-port\":8472}");
	put(model, HD_NOUN_NETWORK, "plain", "{\"type\":\"gre\"}");
	put(model, HD_NOUN_NETWORK, "keyed", "{\"type\":\"gre\",\"id\":4294967295}");
	put(model, HD_NOUN_UPLINK, "eth0", "{\"tunnel-ip\":\"203.0.113.1\"}");
	put(model, HD_NOUN_PEER, "two", "{\"tunnel-ip\":\"203.0.113.2\",\"network\":[\"vx\"]}");
	hd_model_sort(model);
}

static void underlay_contradictions_are_named(void **state)
{
	struct hd_model *sound = *state;
	struct hd_error none = { 0 };

	put_underlay(sound);
	if (hd_model_validate(sound, &none) < 0)
		fail_msg("%s", none.message);
	for (size_t i = 0; i < sizeof(underlay_contradictions) / sizeof(underlay_contradictions[0]);
	     i++) {
		const struct contradiction *c = &underlay_contradictions[i];
		struct hd_model *model = hd_model_new();
		struct hd_error err = { 0 };

		put_underlay(model);
		put(model, c->noun, c->name, c->options);
		hd_model_sort(model);
		assert_int_equal(hd_model_validate(model, &err), c->r);
		assert_string_equal(err.message, c->message);
		assert_string_equal(err.where, c->where);
		assert_int_equal(err.code, c->code);
		hd_model_free(model);
	}
}

/* Uplinks, peers and routers are ports to the datapath: no number is given to two of them. */
static void one_space_of_numbers(void **state)
{
	struct hd_model *model = *state;
	static const enum hd_noun_id nouns[] = { HD_NOUN_PORT, HD_NOUN_UPLINK, HD_NOUN_PEER,
						 HD_NOUN_ROUTER };
	bool taken[64] = { false };

	put_underlay(model);
	put(model, HD_NOUN_ROUTER, "r1", "{}");
	put(model, HD_NOUN_ROUTER, "r2", "{}");
	assert_int_equal(hd_model_assign_ids(model, &roomy, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		hd_model_each(model, nouns[i], object) {
			assert_in_range(object->id, 1, 63);
			assert_false(taken[object->id]);
			taken[object->id] = true;
			assert_ptr_equal(hd_model_get_port(model, object->id), object);
		}
}

static void subnets_of_a_network_do_not_overlap(void **state)
{
	static const char *const cidrs[] = { "192.0.2.0/24", "192.0.2.128/25", "192.0.0.0/16",
					     "0.0.0.0/0" };
	struct hd_model *model = *state;

	put_basics(model);
	put(model, HD_NOUN_SUBNET, "first", "{\"network\":\"blue\",\"cidr\":\"192.0.2.0/24\"}");
	for (size_t i = 0; i < sizeof(cidrs) / sizeof(cidrs[0]); i++) {
		struct hd_error err = { 0 };
		char options[96];

		(void)snprintf(options, sizeof(options), "{\"network\":\"blue\",\"cidr\":\"%s\"}",
			       cidrs[i]);
		put(model, HD_NOUN_SUBNET, "second", options);
		assert_int_equal(hd_model_validate(model, &err), -EEXIST);
		assert_int_equal(err.code, HD_ERR_CONFLICT);
		assert_non_null(strstr(err.message, " overlaps with subnet "));
		assert_true(hd_model_del(model, HD_NOUN_SUBNET, "second"));
	}
	put(model, HD_NOUN_SUBNET, "beside", "{\"network\":\"blue\",\"cidr\":\"192.0.3.0/24\"}");
	assert_int_equal(hd_model_validate(model, NULL), 0);
}

/* ::ffff:192.0.2.1 and 192.0.2.1 are one key in hd_neigh, so they are one address here. */
static void one_address_in_two_spellings(void **state)
{
	struct hd_object *mapped = NULL;
	struct hd_model *model = *state;
	struct hd_error err = { 0 };
	int r;

	put_basics(model);
	r = try_object(HD_NOUN_NEIGHBOUR, "blue/::ffff:192.0.2.1", 0,
		       "{\"mac\":\"02:00:00:00:00:09\"}", &mapped, &err);
	if (r == 0) {
		assert_int_equal(hd_model_put(model, mapped), 0);
		hd_object_unref(mapped);
		r = hd_model_validate(model, &err);
	}
	assert_true(r < 0);
}

static void subnet_of_an_address(void **state)
{
	struct hd_model *model = *state;
	struct hd_ip ip;

	put_basics(model);
	put(model, HD_NOUN_SUBNET, "s", "{\"network\":\"blue\",\"cidr\":\"192.0.2.0/24\"}");
	assert_int_equal(hd_ip_parse("192.0.2.9", &ip), 0);
	assert_ptr_equal(hd_model_subnet_of(model, "blue", &ip),
			 hd_model_get(model, HD_NOUN_SUBNET, "s"));
	assert_null(hd_model_subnet_of(model, "red", &ip));
	assert_int_equal(hd_ip_parse("192.0.3.9", &ip), 0);
	assert_null(hd_model_subnet_of(model, "blue", &ip));
	assert_ptr_equal(
		hd_model_network_of(model, &hd_model_get(model, HD_NOUN_PORT, "web1")->view.port),
		hd_model_get(model, HD_NOUN_NETWORK, "blue"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(addresses_in_prefixes),
		cmocka_unit_test(macs),
		cmocka_unit_test(a_network_has_defaults),
		cmocka_unit_test(a_network_as_configured),
		cmocka_unit_test(each_kind_of_port),
		cmocka_unit_test(entries_are_named_by_network),
		cmocka_unit_test(objects_that_contradict_themselves),
		cmocka_unit_test(provider_networks),
		TEST(put_get_del),
		TEST(put_replaces),
		TEST(walk_is_sorted_as_people_count),
		TEST(a_copy_shares_objects_and_nothing_else),
		TEST(ids_given_in_a_copy),
		TEST(ids_go_on_and_rest),
		TEST(ids_go_on_in_copies_and_after_a_restart),
		TEST(networks_and_ports_have_their_own_numbers),
		TEST(full_tables_are_named),
		TEST(a_model_that_is_fine),
		cmocka_unit_test(contradictions_are_named),
		cmocka_unit_test_setup_teardown(underlay_contradictions_are_named, setup, teardown),
		cmocka_unit_test_setup_teardown(physical_contradictions_are_named, setup, teardown),
		cmocka_unit_test_setup_teardown(legs_have_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(one_space_of_numbers, setup, teardown),
		TEST(subnets_of_a_network_do_not_overlap),
		TEST(one_address_in_two_spellings),
		TEST(subnet_of_an_address),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
