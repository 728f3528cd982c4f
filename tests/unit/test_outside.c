// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_outside.c - the outside of routers: gateways, pools and floating IPs; what is found for them and what is refused */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cleanup.h"
#include "model/model.h"

static const struct hd_limits roomy = { .ports = 64, .networks = 64 };

static int try_put(struct hd_model *model, enum hd_noun_id noun, const char *name,
		   const char *options, struct hd_error *err)
{
	const struct hd_object *old = hd_model_get(model, noun, name);
	_json_ json_t *given = json_loads(options, 0, NULL);
	struct hd_object *object = NULL;
	_json_ json_t *spec = NULL;
	int r;

	assert_non_null(given);
	r = hd_spec_canonical(&hd_nouns[noun], name, given, false, &spec, err);
	if (r == 0)
		r = hd_spec_complete(model, NULL, &hd_nouns[noun], old, &roomy, spec, err);
	if (r == 0)
		r = hd_object_renew(old, &hd_nouns[noun], name, spec, &object, err);
	if (r == 0)
		r = hd_model_put(model, object);
	hd_object_unref(object);
	return r;
}

static void put(struct hd_model *model, enum hd_noun_id noun, const char *name, const char *options)
{
	struct hd_error err = { 0 };

	if (try_put(model, noun, name, options, &err) < 0)
		fail_msg("%s", err.message);
}

static int check(struct hd_model *model, struct hd_error *err)
{
	int r;

	hd_model_sort(model);
	r = hd_model_settle(model, err);
	return r < 0 ? r : hd_model_validate(model, err);
}

static void assert_fine(struct hd_model *model)
{
	struct hd_error err = { 0 };

	if (check(model, &err) < 0)
		fail_msg("%s", err.message);
}

#define SUBNET(name, net, cidr, more)                                                              \
	put(model, HD_NOUN_SUBNET, name, "{\"network\":\"" net "\",\"cidr\":\"" cidr "\"" more "}")
#define GATEWAY(ip) ",\"gateway\":\"" ip "\""
#define POOL(range) ",\"pool\":\"" range "\""
#define PORT(name, net, more)                                                                      \
	put(model, HD_NOUN_PORT, name, "{\"network\":\"" net "\",\"device\":\"" name "\"" more "}")
#define OUT(ip) "\"gateway\":{\"network\":\"ext\",\"ip\":\"" ip "\"}"

/*
 * blue: b4 10.0.1.0/24, b6; red: r4 10.0.2.0/24; ext: out 203.0.113.0/24, more 198.51.100.0/24 (no gateway). Router r1 has b4, b6 and is at
 * ext with 203.0.113.9, for which .12 is a port of it. Router r2 has r4. Router six is at ext, in out6 2001:db8:e::/64, with 2001:db8:e::9.
 */
static void put_basics(struct hd_model *model)
{
	put(model, HD_NOUN_UPLINK, "eth1", "{\"physical\":\"public\"}");
	put(model, HD_NOUN_NETWORK, "blue", "{\"type\":\"local\"}");
	put(model, HD_NOUN_NETWORK, "red", "{\"type\":\"local\"}");
	put(model, HD_NOUN_NETWORK, "ext", "{\"type\":\"flat\",\"physical\":\"public\"}");
	SUBNET("b4", "blue", "10.0.1.0/24", GATEWAY("10.0.1.1"));
	SUBNET("b6", "blue", "2001:db8:1::/64", GATEWAY("2001:db8:1::1"));
	SUBNET("r4", "red", "10.0.2.0/24", GATEWAY("10.0.2.1"));
	SUBNET("out", "ext", "203.0.113.0/24", GATEWAY("203.0.113.1"));
	SUBNET("more", "ext", "198.51.100.0/24", "");
	PORT("web1", "blue", ",\"ip\":[\"10.0.1.11\",\"2001:db8:1::11\"]");
	PORT("web2", "blue", ",\"ip\":[\"10.0.1.12/24\",\"10.0.1.13\"]");
	PORT("six", "blue", ",\"ip\":[\"2001:db8:1::16\"]");
	PORT("db1", "red", ",\"ip\":[\"10.0.2.11\"]");
	PORT("tagged", "blue", ",\"ip\":[\"10.0.1.14\"],\"vlan-mode\":\"access\",\"tag\":7");
	PORT("public", "ext", ",\"ip\":[\"203.0.113.12\"]");
	put(model, HD_NOUN_NEIGHBOUR, "ext/203.0.113.13", "{\"mac\":\"02:00:00:00:00:0d\"}");
	put(model, HD_NOUN_ROUTER, "r1", "{\"subnets\":[\"b4\",\"b6\"]," OUT("203.0.113.9") "}");
	put(model, HD_NOUN_ROUTER, "r2", "{\"subnets\":[\"r4\"]}");
	SUBNET("out6", "ext", "2001:db8:e::/64", GATEWAY("2001:db8:e::1"));
	put(model, HD_NOUN_ROUTER, "six",
	    "{\"gateway\":{\"network\":\"ext\",\"ip\":\"2001:db8:e::9\"}}");
}

static int setup(void **state)
{
	*state = hd_model_new();
	put_basics(*state);
	assert_fine(*state);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	hd_model_free(*state);
	return 0;
}

static const struct hd_router_gateway *gateway(const struct hd_model *model, const char *router)
{
	return &hd_model_get(model, HD_NOUN_ROUTER, router)->view.router.gateway;
}

static const struct hd_floating_ip *floating_ip(const struct hd_model *model, const char *name)
{
	return &hd_model_get(model, HD_NOUN_FLOATING_IP, name)->view.floating_ip;
}

static void assert_ip(const struct hd_ip *ip, const char *expected)
{
	char text[64];

	hd_ip_format(ip, text);
	assert_string_equal(text, expected);
}

static void view_of_a_gateway(void **state)
{
	const struct hd_model *model = *state;

	assert_string_equal(gateway(model, "r1")->network, "ext");
	assert_true(gateway(model, "r1")->has_ip[HD_V4]);
	assert_ip(&gateway(model, "r1")->ip[HD_V4], "203.0.113.9");
	assert_true(gateway(model, "r1")->snat);
	assert_false(gateway(model, "r1")->nat_log);
	assert_int_equal(gateway(model, "r1")->address_blocks, 32);
	assert_int_equal(gateway(model, "r1")->blocks, 0);
	assert_int_equal(gateway(model, "r1")->filter, HD_NAT_FILTER_ADDRESS);
	assert_null(gateway(model, "r1")->uplink);
	assert_null(gateway(model, "r2")->network);
	assert_false(gateway(model, "r2")->snat);
	assert_ptr_equal(hd_router_outside(model,
					   &hd_model_get(model, HD_NOUN_ROUTER, "r1")->view.router,
					   HD_V4),
			 hd_model_get(model, HD_NOUN_SUBNET, "out"));
	put(*state, HD_NOUN_ROUTER, "r1",
	    "{\"gateway\":{\"network\":\"ext\",\"ip\":\"203.0.113.9\",\"snat\":false}}");
	assert_false(gateway(model, "r1")->snat);
}

/* Source NAT without a log, and as many ports as can be, that are asked for are what there is without asking: the same options. */
static void snat_is_the_default(void **state)
{
	struct hd_model *model = *state;
	const struct hd_object *r1;
	_json_ json_t *before = NULL;

	put(model, HD_NOUN_ROUTER, "r1", "{" OUT("203.0.113.9") "}");
	r1 = hd_model_get(model, HD_NOUN_ROUTER, "r1");
	before = json_incref(r1->spec);
	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"gateway\":{\"snat\":true,\"nat-log\":false,\"nat-ports-per-address\":2048,\"nat-filter\":\"address\",\"network\":\"ext\",\"ip\":\"203.0.113.9\"}}");
	r1 = hd_model_get(model, HD_NOUN_ROUTER, "r1");
	assert_true(json_equal(before, r1->spec));
	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"gateway\":{\"nat-log\":true,\"network\":\"ext\",\"ip\":\"203.0.113.9\"}}");
	assert_true(gateway(model, "r1")->nat_log);
	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"gateway\":{\"network\":\"ext\",\"nat-ports-per-address\":128,\"nat-ports\":6400}}");
	assert_int_equal(gateway(model, "r1")->address_blocks, 2);
	assert_int_equal(gateway(model, "r1")->blocks, 100);
	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"gateway\":{\"network\":\"ext\",\"nat-filter\":\"endpoint\"}}");
	assert_int_equal(gateway(model, "r1")->filter, HD_NAT_FILTER_ENDPOINT);
	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"gateway\":{\"network\":\"ext\",\"nat-filter\":\"address-and-port\"}}");
	assert_int_equal(gateway(model, "r1")->filter, HD_NAT_FILTER_PORT);
}

static void a_pool_gives_the_first_free_address(void **state)
{
	struct hd_model *model = *state;
	_json_ json_t *options = NULL;

	SUBNET("out", "ext", "203.0.113.0/24",
	       GATEWAY("203.0.113.8") POOL("203.0.113.8-203.0.113.15"));
	PORT("allowed", "ext", ",\"allowed-address\":[\"203.0.113.10\"]");
	put(model, HD_NOUN_FLOATING_IP, "203.0.113.11", "{\"router\":\"r1\",\"port\":\"web1\"}");
	put(model, HD_NOUN_ROUTER, "r2", "{\"gateway\":{\"network\":\"ext\"}}");
	assert_false(gateway(model, "r2")->has_ip[HD_V4]);
	assert_fine(
		model); /* .8 next router, .9 r1, .10 allowed, .11 floating, .12 port, .13 neighbour */
	assert_ip(&gateway(model, "r2")->ip[HD_V4], "203.0.113.14");
	options = json_incref(hd_model_get(model, HD_NOUN_ROUTER, "r2")->spec);
	assert_string_equal(json_string_value(json_array_get(
				    json_object_get(json_object_get(options, "gateway"), "ip"), 0)),
			    "203.0.113.14");
	/* It stays if the same is asked for again, or another thing changes. */
	assert_true(hd_model_del(model, HD_NOUN_PORT, "public"));
	put(model, HD_NOUN_ROUTER, "r2", "{\"gateway\":{\"network\":\"ext\",\"snat\":false}}");
	assert_fine(model);
	assert_ip(&gateway(model, "r2")->ip[HD_V4], "203.0.113.14");
	assert_false(gateway(model, "r2")->snat);
	put(model, HD_NOUN_ROUTER, "r3", "{\"gateway\":{\"network\":\"ext\"}}");
	assert_fine(model);
	assert_ip(&gateway(model, "r3")->ip[HD_V4], "203.0.113.12");
}

/* The whole of a subnet as a pool: its own address and that of all hosts are none to give. */
static void a_pool_gives_addresses_of_hosts(void **state)
{
	struct hd_model *model = *state;

	put(model, HD_NOUN_NETWORK, "small", "{\"type\":\"local\"}");
	SUBNET("s", "small", "192.0.2.252/30",
	       GATEWAY("192.0.2.253") POOL("192.0.2.252-192.0.2.255"));
	put(model, HD_NOUN_ROUTER, "r2", "{\"gateway\":{\"network\":\"small\"}}");
	put(model, HD_NOUN_ROUTER, "r3", "{\"gateway\":{\"network\":\"small\"}}");
	assert_int_equal(hd_model_settle(model, NULL), 0);
	assert_ip(&gateway(model, "r2")->ip[HD_V4], "192.0.2.254");
	assert_false(gateway(model, "r3")->has_ip[HD_V4]);
}

/* The end of all addresses is the end of a pool. */
static void a_pool_may_end_with_the_last_address(void **state)
{
	struct hd_model *model = *state;

	put(model, HD_NOUN_NETWORK, "high", "{\"type\":\"local\"}");
	SUBNET("h", "high", "255.255.255.254/31",
	       GATEWAY("255.255.255.254") POOL("255.255.255.254-255.255.255.255"));
	put(model, HD_NOUN_ROUTER, "r2", "{\"gateway\":{\"network\":\"high\"}}");
	put(model, HD_NOUN_ROUTER, "r3", "{\"gateway\":{\"network\":\"high\"}}");
	assert_int_equal(hd_model_settle(model, NULL), 0);
	assert_ip(&gateway(model, "r2")->ip[HD_V4], "255.255.255.255");
	assert_false(gateway(model, "r3")->has_ip[HD_V4]);
}

#define SIX                                                                                        \
	SUBNET("pool6", "ext", "2001:db8:f::/64",                                                  \
	       GATEWAY("2001:db8:f::1") POOL("2001:db8:f::fffe-2001:db8:f:0:1::2"))

/* One address of each family that has a pool; a family that is not asked for is not there. */
static void a_pool_of_each_family(void **state)
{
	struct hd_model *model = *state;

	SIX;
	SUBNET("out", "ext", "203.0.113.0/24",
	       GATEWAY("203.0.113.8") POOL("203.0.113.8-203.0.113.15"));
	PORT("taken", "ext", ",\"ip\":[\"2001:db8:f::fffe\",\"2001:db8:f::1:0\"]");
	put(model, HD_NOUN_ROUTER, "r2", "{\"gateway\":{\"network\":\"ext\"}}");
	put(model, HD_NOUN_ROUTER, "r3", "{\"gateway\":{\"network\":\"ext\"}}");
	assert_fine(model);
	assert_ip(&gateway(model, "r2")->ip[HD_V4], "203.0.113.10");
	assert_ip(&gateway(model, "r2")->ip[HD_V6], "2001:db8:f::ffff");
	assert_ip(&gateway(model, "r3")->ip[HD_V4], "203.0.113.11");
	assert_ip(&gateway(model, "r3")->ip[HD_V6], "2001:db8:f::1:1");
	assert_true(gateway(model, "r1")->has_ip[HD_V4]);
	assert_false(gateway(model, "r1")->has_ip[HD_V6]);
	assert_null(hd_router_outside(
		model, &hd_model_get(model, HD_NOUN_ROUTER, "r1")->view.router, HD_V6));
}

/* Whatever the order, it says the same; what an older heddled has stored has no list. */
static void addresses_of_both_families(void **state)
{
	struct hd_model *model = *state;
	_json_ json_t *one = NULL;
	_json_ json_t *old =
		json_pack("{s:{s:s, s:s}}", "gateway", "network", "ext", "ip", "203.0.113.9");
	struct hd_object *object = NULL;

	SIX;
	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"gateway\":{\"network\":\"ext\",\"ip\":[\"2001:db8:f::9\",\"203.0.113.9\"]}}");
	assert_fine(model);
	assert_ip(&gateway(model, "r1")->ip[HD_V4], "203.0.113.9");
	assert_ip(&gateway(model, "r1")->ip[HD_V6], "2001:db8:f::9");
	one = json_incref(hd_model_get(model, HD_NOUN_ROUTER, "r1")->spec);
	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"gateway\":{\"network\":\"ext\",\"ip\":[\"203.0.113.9\",\"2001:db8:f::9\"]}}");
	assert_true(json_equal(one, hd_model_get(model, HD_NOUN_ROUTER, "r1")->spec));
	assert_int_equal(hd_object_new(&hd_nouns[HD_NOUN_ROUTER], "r9", 0, old, &object, NULL), 0);
	assert_ip(&object->view.router.gateway.ip[HD_V4], "203.0.113.9");
	hd_object_unref(object);
}

static void routers_share_an_address(void **state)
{
	struct hd_model *model = *state;

	put(model, HD_NOUN_ROUTER, "r2", "{\"subnets\":[\"r4\"]," OUT("203.0.113.9") "}");
	assert_fine(model);
}

static void a_floating_ip_stands_for_an_address(void **state)
{
	struct hd_model *model = *state;
	const struct hd_floating_ip *fip;

	put(model, HD_NOUN_FLOATING_IP, "203.0.113.50", "{\"router\":\"r1\",\"port\":\"web1\"}");
	put(model, HD_NOUN_FLOATING_IP, "198.51.100.7",
	    "{\"router\":\"r1\",\"port\":\"web2\",\"fixed-ip\":\"10.0.1.13\"}");
	assert_false(floating_ip(model, "203.0.113.50")->has_fixed);
	assert_fine(model);
	fip = floating_ip(model, "203.0.113.50");
	assert_true(fip->has_fixed);
	assert_ip(&fip->ip, "203.0.113.50");
	assert_ip(&fip->fixed, "10.0.1.11");
	assert_string_equal(fip->router, "r1");
	assert_string_equal(fip->port, "web1");
	assert_string_equal(hd_model_floating_network(model, fip), "ext");
	assert_ip(&floating_ip(model, "198.51.100.7")->fixed, "10.0.1.13");
}

/* Each family has its own address of a port, and needs one of the router outside. */
static void a_floating_ip_of_ipv6(void **state)
{
	struct hd_model *model = *state;
	struct hd_error err = { 0 };

	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"subnets\":[\"b4\",\"b6\"],"
	    "\"gateway\":{\"network\":\"ext\",\"ip\":[\"203.0.113.9\",\"2001:db8:e::8\"]}}");
	put(model, HD_NOUN_FLOATING_IP, "203.0.113.50", "{\"router\":\"r1\",\"port\":\"web1\"}");
	put(model, HD_NOUN_FLOATING_IP, "2001:db8:e::50", "{\"router\":\"r1\",\"port\":\"web1\"}");
	assert_fine(model);
	assert_ip(&floating_ip(model, "203.0.113.50")->fixed, "10.0.1.11");
	assert_ip(&floating_ip(model, "2001:db8:e::50")->fixed, "2001:db8:1::11");
	put(model, HD_NOUN_FLOATING_IP, "2001:db8:e::51", "{\"router\":\"r1\",\"port\":\"web2\"}");
	assert_true(check(model, &err) < 0);
	assert_string_equal(err.message,
			    "floating-ip 2001:db8:e::51: port web2 has no IPv6 address");
	assert_true(hd_model_del(model, HD_NOUN_FLOATING_IP, "2001:db8:e::51"));
	put(model, HD_NOUN_ROUTER, "r1", "{\"subnets\":[\"b4\",\"b6\"]," OUT("203.0.113.9") "}");
	assert_true(check(model, &err) < 0);
	assert_string_equal(err.message,
			    "floating-ip 2001:db8:e::50: router r1 has no IPv6 address outside");
}

/* What is not said follows the port, in another object: the model before keeps its own. */
static void a_floating_ip_follows_its_port(void **state)
{
	struct hd_model *model = *state, *before;
	const struct hd_object *fip;

	put(model, HD_NOUN_FLOATING_IP, "203.0.113.50", "{\"router\":\"r1\",\"port\":\"web1\"}");
	assert_fine(model);
	fip = hd_model_get(model, HD_NOUN_FLOATING_IP, "203.0.113.50");
	assert_fine(model);
	assert_ptr_equal(hd_model_get(model, HD_NOUN_FLOATING_IP, "203.0.113.50"), fip);
	before = hd_model_copy(model);
	PORT("web1", "blue", ",\"ip\":[\"10.0.1.21\"]");
	assert_fine(model);
	assert_ip(&floating_ip(model, "203.0.113.50")->fixed, "10.0.1.21");
	assert_ip(&floating_ip(before, "203.0.113.50")->fixed, "10.0.1.11");
	assert_true(json_equal(hd_model_get(model, HD_NOUN_FLOATING_IP, "203.0.113.50")->spec,
			       fip->spec));
	PORT("web1", "blue", "");
	assert_true(check(model, NULL) < 0);
	assert_false(floating_ip(model, "203.0.113.50")->has_fixed);
	hd_model_free(before);
}

/* ---- what is refused ---- */

struct refusal {
	enum hd_noun_id noun;
	const char *name, *options;
	enum hd_error_code code;
	const char *message, *where;
	const char *hint; /* a part of it */
};

#define R1 HD_NOUN_ROUTER, "r1"
#define R2 HD_NOUN_ROUTER, "r2"
#define FIP HD_NOUN_FLOATING_IP
#define FWD HD_NOUN_PORT_FORWARD, "web"
#define FORWARD(router, listen, to)                                                                \
	"{\"router\":\"" router "\",\"protocol\":\"tcp\",\"listen\":\"" listen "\",\"to\":\"" to   \
	"\"}"
#define AT_EXT "router r1: gateway 203.0.113.9 at network ext: "

static const struct refusal refusals[] = {
	{ R1, "{\"gateway\":{\"network\":\"none\",\"ip\":\"203.0.113.9\"}}", HD_ERR_NOT_FOUND,
	  "router r1: network none does not exist", "routers/r1/gateway", "network list" },
	{ R1, "{" OUT("192.0.2.9") "}", HD_ERR_INVALID,
	  "router r1: gateway 192.0.2.9 at network ext: no subnet there holds that address",
	  "routers/r1/gateway", "subnet add SUBNET --network ext" },
	{ R1, "{" OUT("198.51.100.9") "}", HD_ERR_INVALID,
	  "router r1: gateway 198.51.100.9 at network ext: subnet more has no gateway",
	  "routers/r1/gateway", "subnet set more --gateway IP" },
	{ R1, "{" OUT("203.0.113.1") "}", HD_ERR_INVALID,
	  "router r1: gateway 203.0.113.1 at network ext: it can't have that address",
	  "routers/r1/gateway", "next router" },
	{ R1, "{" OUT("203.0.113.255") "}", HD_ERR_INVALID,
	  "router r1: gateway 203.0.113.255 at network ext: it can't have that address",
	  "routers/r1/gateway", "no host" },
	{ R1, "{\"gateway\":{\"network\":\"red\"}}", HD_ERR_INVALID,
	  "router r1: gateway at network red: ip is missing, and no subnet there has a pool",
	  "routers/r1/gateway", "--ip" },
	{ R1, "{" OUT("203.0.113.12") "}", HD_ERR_CONFLICT,
	  "router r1: address 203.0.113.12 is already used by port public", "routers/r1/gateway",
	  "router gateway r1 --network ext --ip IP" },
	{ R1, "{" OUT("203.0.113.13") "}", HD_ERR_CONFLICT,
	  "neighbour ext/203.0.113.13: address 203.0.113.13 is already used by router r1",
	  "neighbours/ext/203.0.113.13/ip", "router gateway r1 --network ext --ip IP" },
	{ R1, "{\"subnets\":[\"out\"]," OUT("203.0.113.9") "}", HD_ERR_CONFLICT,
	  AT_EXT "subnet out of that network is attached to the router", "routers/r1/gateway",
	  "router detach r1 --subnet out" },
	{ R2, "{\"subnets\":[\"r4\"],\"gateway\":{\"network\":\"red\",\"ip\":\"10.0.2.9\"}}",
	  HD_ERR_CONFLICT,
	  "router r2: gateway 10.0.2.9 at network red: subnet r4 of that network is attached to the router",
	  "routers/r2/gateway", "router detach r2 --subnet r4" },
	{ R1,
	  "{\"subnets\":[\"b4\"],\"routes\":[{\"prefix\":\"0.0.0.0/0\",\"via\":\"10.0.1.9\"}]," OUT(
		  "203.0.113.9") "}",
	  HD_ERR_CONFLICT, AT_EXT "route 1 is a default route too", "routers/r1/gateway",
	  "router route-del r1 1" },
	{ R1,
	  "{\"subnets\":[\"b4\"],\"routes\":[{\"prefix\":\"203.0.112.0/20\",\"via\":\"10.0.1.9\"}]," OUT(
		  "203.0.113.9") "}",
	  HD_ERR_CONFLICT, AT_EXT "its subnet out overlaps with route 1", "routers/r1/gateway",
	  "router gateway r1 --none" },
	{ R1,
	  "{\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"via\":\"198.51.100.9\"}]," OUT(
		  "203.0.113.9") "}",
	  HD_ERR_INVALID,
	  "router r1: route 10.9.0.0/16 via 198.51.100.9: next hop unreachable: no subnet of the router holds it",
	  "routers/r1/routes", "attach its subnet" },
	{ R1,
	  "{\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"via\":\"203.0.113.9\"}]," OUT(
		  "203.0.113.9") "}",
	  HD_ERR_INVALID,
	  "router r1: route 10.9.0.0/16 via 203.0.113.9: route loop: the next hop is the router itself",
	  "routers/r1/routes", "another router" },
	{ HD_NOUN_SUBNET, "out", "{\"network\":\"ext\",\"cidr\":\"203.0.113.0/24\"}",
	  HD_ERR_INVALID, AT_EXT "subnet out has no gateway", "routers/r1/gateway",
	  "subnet set out" },
	{ HD_NOUN_PORT, "p", "{\"network\":\"ext\",\"device\":\"p\",\"ip\":[\"203.0.113.9\"]}",
	  HD_ERR_CONFLICT, "port p: address 203.0.113.9 is already used by router r1", "ports/p/ip",
	  "router gateway r1 --network ext --ip IP" },

	{ R2, "{\"subnets\":[\"r4\"],\"gateway\":{\"network\":\"ext\",\"ip\":\"2001:db8:f::9\"}}",
	  HD_ERR_INVALID,
	  "router r2: gateway 2001:db8:f::9 at network ext: no subnet there holds that address",
	  "routers/r2/gateway", "subnet add SUBNET --network ext" },
	{ HD_NOUN_SUBNET, "out6",
	  "{\"network\":\"ext\",\"cidr\":\"2001:db8:e::/64\",\"gateway\":\"2001:db8:e::9\"}",
	  HD_ERR_INVALID,
	  "router six: gateway 2001:db8:e::9 at network ext: it can't have that address",
	  "routers/six/gateway", "next router" },
	{ R1,
	  "{\"subnets\":[\"b6\"],\"routes\":[{\"prefix\":\"::/0\",\"via\":\"2001:db8:1::9\"}],"
	  "\"gateway\":{\"network\":\"ext\",\"ip\":[\"203.0.113.9\",\"2001:db8:e::8\"]}}",
	  HD_ERR_CONFLICT,
	  "router r1: gateway 2001:db8:e::8 at network ext: route 1 is a default route too",
	  "routers/r1/gateway", "router route-del r1 1" },
	{ R1, "{\"gateway\":{\"network\":\"ext\",\"ip\":\"2001:db8:e::9\"}}", HD_ERR_CONFLICT,
	  "router six: address 2001:db8:e::9 is already used by router r1", "routers/six/gateway",
	  "router gateway six --network ext --ip IP" },
	{ FWD, FORWARD("six", "0.0.0.0:81", "10.0.1.11:80"), HD_ERR_INVALID,
	  "port-forward web: router six has no IPv4 address outside", "port-forwards/web/router",
	  "router gateway six" },
	{ FIP, "203.0.113.50", "{\"router\":\"none\",\"port\":\"web1\"}", HD_ERR_NOT_FOUND,
	  "floating-ip 203.0.113.50: router none does not exist",
	  "floating-ips/203.0.113.50/router", "router list" },
	{ FIP, "203.0.113.50", "{\"router\":\"r1\",\"port\":\"none\"}", HD_ERR_NOT_FOUND,
	  "floating-ip 203.0.113.50: port none does not exist", "floating-ips/203.0.113.50/port",
	  "port list" },
	{ FIP, "203.0.113.50", "{\"router\":\"r2\",\"port\":\"db1\"}", HD_ERR_INVALID,
	  "floating-ip 203.0.113.50: router r2 has no gateway at a network",
	  "floating-ips/203.0.113.50/router", "router gateway r2 --network EXT" },
	{ FIP, "192.0.2.50", "{\"router\":\"r1\",\"port\":\"web1\"}", HD_ERR_INVALID,
	  "floating-ip 192.0.2.50: no subnet of network ext, where router r1 has its gateway, holds it",
	  "floating-ips/192.0.2.50/router", "subnet list" },
	{ FIP, "203.0.113.255", "{\"router\":\"r1\",\"port\":\"web1\"}", HD_ERR_INVALID,
	  "floating-ip 203.0.113.255: it is no host's address in subnet out",
	  "floating-ips/203.0.113.255/router", "" },
	{ FIP, "203.0.113.1", "{\"router\":\"r1\",\"port\":\"web1\"}", HD_ERR_INVALID,
	  "floating-ip 203.0.113.1: it is the gateway of subnet out",
	  "floating-ips/203.0.113.1/router", "" },
	{ FIP, "203.0.113.9", "{\"router\":\"r1\",\"port\":\"web1\"}", HD_ERR_CONFLICT,
	  "floating-ip 203.0.113.9: address 203.0.113.9 is already used by router r1",
	  "floating-ips/203.0.113.9/router", "router gateway r1" },
	{ FIP, "203.0.113.12", "{\"router\":\"r1\",\"port\":\"web1\"}", HD_ERR_CONFLICT,
	  "floating-ip 203.0.113.12: address 203.0.113.12 is already used by port public",
	  "floating-ips/203.0.113.12/router", "" },
	{ FIP, "203.0.113.50", "{\"router\":\"r1\",\"port\":\"web2\"}", HD_ERR_INVALID,
	  "floating-ip 203.0.113.50: port web2 has several IPv4 addresses",
	  "floating-ips/203.0.113.50/port", "--fixed-ip" },
	{ FIP, "203.0.113.50", "{\"router\":\"r1\",\"port\":\"six\"}", HD_ERR_INVALID,
	  "floating-ip 203.0.113.50: port six has no IPv4 address",
	  "floating-ips/203.0.113.50/port", "port set six --ip IP" },
	{ FIP, "203.0.113.50", "{\"router\":\"r1\",\"port\":\"web1\",\"fixed-ip\":\"10.0.1.12\"}",
	  HD_ERR_INVALID, "floating-ip 203.0.113.50: port web1 does not have address 10.0.1.12",
	  "floating-ips/203.0.113.50/fixed-ip", "port show web1" },
	{ FIP, "203.0.113.50", "{\"router\":\"r1\",\"port\":\"db1\"}", HD_ERR_INVALID,
	  "floating-ip 203.0.113.50: no subnet of router r1 holds 10.0.2.11 of port db1 on network red",
	  "floating-ips/203.0.113.50/port", "router attach r1 --subnet" },
	{ FIP, "203.0.113.50", "{\"router\":\"r1\",\"port\":\"tagged\"}", HD_ERR_INVALID,
	  "floating-ip 203.0.113.50: port tagged is in VLAN 7 of its network",
	  "floating-ips/203.0.113.50/port", "untagged" },
	{ FWD, FORWARD("none", "203.0.113.9:81", "10.0.1.11:80"), HD_ERR_NOT_FOUND,
	  "port-forward web: router none does not exist", "port-forwards/web/router",
	  "router list" },
	{ FWD, FORWARD("r2", "0.0.0.0:81", "10.0.2.11:80"), HD_ERR_INVALID,
	  "port-forward web: router r2 has no gateway at a network", "port-forwards/web/router",
	  "router gateway r2 --network EXT" },
	{ FWD, FORWARD("r1", "192.0.2.50:81", "10.0.1.11:80"), HD_ERR_INVALID,
	  "port-forward web: no subnet of network ext, where router r1 has its gateway, holds it",
	  "port-forwards/web/listen", "subnet list" },
	{ FWD, FORWARD("r1", "203.0.113.1:81", "10.0.1.11:80"), HD_ERR_INVALID,
	  "port-forward web: it is the gateway of subnet out", "port-forwards/web/listen", "" },
	{ FWD, FORWARD("r1", "203.0.113.12:81", "10.0.1.11:80"), HD_ERR_CONFLICT,
	  "port-forward web: address 203.0.113.12 is already used by port public",
	  "port-forwards/web/listen", "" },
	{ FWD, FORWARD("r1", "203.0.113.9:81", "10.0.2.11:80"), HD_ERR_INVALID,
	  "port-forward web: 10.0.2.11 is no host's address inside of router r1",
	  "port-forwards/web/to", "router show r1" },
	{ FWD, FORWARD("r1", "203.0.113.9:81", "10.0.1.1:80"), HD_ERR_INVALID,
	  "port-forward web: 10.0.1.1 is no host's address inside of router r1",
	  "port-forwards/web/to", "router show r1" },
};

/* At an uplink the address is the host's; which one it has is not the model's. */
static void port_forwards_masquerade(void **state)
{
	struct hd_model *model = *state;
	struct hd_error err = { 0 };
	const struct hd_object *web;

	put(model, R2, "{\"subnets\":[\"r4\"],\"gateway\":{\"uplink\":\"eth1\"}}");
	put(model, FWD, FORWARD("r2", "0.0.0.0:81", "10.0.2.11:80"));
	assert_fine(model);
	web = hd_model_get(model, FWD);
	assert_null(hd_model_listen_ip(model, &web->view.port_forward));
	assert_null(hd_model_listen_network(model, &web->view.port_forward));
	assert_true(hd_model_listens_at_host(model, &web->view.port_forward));
	put(model, HD_NOUN_PORT_FORWARD, "x", FORWARD("r2", "0.0.0.0:81", "10.0.2.12:80"));
	assert_true(check(model, &err) < 0);
	assert_string_equal(err.message,
			    "port-forward x: tcp 0.0.0.0:81 is already used by port-forward web");
	for (size_t i = 0; i < 3; i++) {
		static const char *const all[] = { FORWARD("r2", "224.0.0.1:82", "10.0.2.12:80"),
						   FORWARD("r2", "255.255.255.255:82",
							   "10.0.2.12:80"),
						   FORWARD("r2", "0.0.0.1:82", "10.0.2.12:80") };

		put(model, HD_NOUN_PORT_FORWARD, "x", all[i]);
		assert_true(check(model, &err) < 0);
		assert_string_equal(err.message, "port-forward x: no host can have this address");
	}
}

/* As bind() has it, also between routers: what is at all addresses is at each of them. */
static void ports_of_the_host(void **state)
{
	static const struct {
		const char *router, *listen, *protocol, *refused;
	} steps[] = {
		{ "r2", "127.0.0.1:81", "tcp", NULL },
		{ "r2", "192.0.2.1:81", "tcp", NULL },
		{ "r2", "127.0.0.1:82", "tcp", NULL },
		{ "r2", "0.0.0.0:81", "udp", NULL },
		{ "r2", "0.0.0.0:83", "tcp", NULL },
		{ "r3", "127.0.0.1:81", "tcp",
		  "port-forward x: tcp 127.0.0.1:81 is already used by port-forward a0" },
		{ "r3", "0.0.0.0:81", "tcp",
		  "port-forward x: tcp 0.0.0.0:81 is already used by port-forward a0" },
		{ "r3", "127.0.0.1:83", "tcp",
		  "port-forward x: tcp 127.0.0.1:83 is already used by port-forward a4" },
		{ "r3", "0.0.0.0:83", "tcp",
		  "port-forward x: tcp 0.0.0.0:83 is already used by port-forward a4" },
		{ "r3", "192.0.2.2:81", "tcp", NULL },
	};
	struct hd_model *model = *state;

	put(model, HD_NOUN_UPLINK, "eth2", "{}");
	SUBNET("r5", "red", "10.0.5.0/24", GATEWAY("10.0.5.1"));
	put(model, R2, "{\"subnets\":[\"r4\"],\"gateway\":{\"uplink\":\"eth1\"}}");
	put(model, HD_NOUN_ROUTER, "r3",
	    "{\"subnets\":[\"r5\"],\"gateway\":{\"uplink\":\"eth2\"}}");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct hd_error err = { 0 };
		char name[8] = "x", options[256];

		if (!steps[i].refused)
			(void)snprintf(name, sizeof(name), "a%zu", i);
		(void)snprintf(options, sizeof(options),
			       "{\"router\":\"%s\",\"protocol\":\"%s\",\"listen\":\"%s\","
			       "\"to\":\"10.0.%c.11:80\"}",
			       steps[i].router, steps[i].protocol, steps[i].listen,
			       steps[i].router[1] == '2' ? '2' : '5');
		put(model, HD_NOUN_PORT_FORWARD, name, options);
		if (!steps[i].refused) {
			assert_fine(model);
			continue;
		}
		assert_true(check(model, &err) < 0);
		assert_string_equal(err.message, steps[i].refused);
		assert_int_equal(err.code, HD_ERR_CONFLICT);
		hd_model_del(model, HD_NOUN_PORT_FORWARD, "x");
	}
}

/* Addresses are shared, endpoints are not; 0.0.0.0 is the router's own. */
static void port_forwards_listen(void **state)
{
	struct hd_model *model = *state;
	const struct hd_object *any;
	struct hd_error err = { 0 };

	put(model, FWD, FORWARD("r1", "203.0.113.9:81", "10.0.1.11:80"));
	put(model, HD_NOUN_PORT_FORWARD, "any", FORWARD("r1", "0.0.0.0:82", "10.0.1.11:80"));
	put(model, HD_NOUN_PORT_FORWARD, "own", FORWARD("r1", "198.51.100.7:81", "10.0.1.99:80"));
	put(model, HD_NOUN_PORT_FORWARD, "own2", FORWARD("r1", "198.51.100.7:82", "10.0.1.99:81"));
	assert_fine(model);
	any = hd_model_get(model, HD_NOUN_PORT_FORWARD, "any");
	assert_ip(hd_model_listen_ip(model, &any->view.port_forward), "203.0.113.9");
	assert_string_equal(hd_model_listen_network(model, &any->view.port_forward), "ext");
	assert_int_equal(any->view.port_forward.listen.port, 82);
	put(model, HD_NOUN_PORT_FORWARD, "x", FORWARD("r1", "0.0.0.0:81", "10.0.1.11:80"));
	assert_true(check(model, &err) < 0);
	assert_string_equal(err.message, "port-forward x: tcp 203.0.113.9:81 is already used by "
					 "port-forward web");
	assert_int_equal(err.code, HD_ERR_CONFLICT);
}

static void refusals_say_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *c = &refusals[i];
		struct hd_model *model = hd_model_new();
		struct hd_error err = { 0 };

		put_basics(model);
		assert_fine(model);
		assert_int_equal(hd_model_assign_ids(model, &roomy, NULL), 0);
		put(model, c->noun, c->name, c->options);
		assert_true(check(model, &err) < 0);
		assert_string_equal(err.message, c->message);
		assert_string_equal(err.where, c->where);
		assert_int_equal(err.code, c->code);
		if (!strstr(err.hint, c->hint) || (c->hint[0] == '\0' && err.hint[0]))
			fail_msg("hint of \"%s\": \"%s\"", err.message, err.hint);
		hd_model_free(model);
	}
}

/* What else there must not be beside floating IP 203.0.113.50 of web1, 10.0.1.11. */
static const struct {
	enum hd_noun_id noun;
	const char *name, *options, *message;
} intruders[] = {
	{ FIP, "203.0.113.51", "{\"router\":\"r1\",\"port\":\"web1\"}",
	  "floating-ip 203.0.113.51: fixed-ip 10.0.1.11 is already used by floating-ip 203.0.113.50" },
	{ HD_NOUN_PORT, "p", "{\"network\":\"ext\",\"device\":\"p\",\"ip\":[\"203.0.113.50\"]}",
	  "port p: address 203.0.113.50 is already used by floating-ip 203.0.113.50" },
	{ HD_NOUN_PORT, "p",
	  "{\"network\":\"ext\",\"device\":\"p\",\"allowed-address\":[\"203.0.113.50\"]}",
	  "port p: address 203.0.113.50 is already used by floating-ip 203.0.113.50" },
	{ HD_NOUN_NEIGHBOUR, "ext/203.0.113.50", "{\"mac\":\"02:00:00:00:00:09\"}",
	  "neighbour ext/203.0.113.50: address 203.0.113.50 is already used by floating-ip 203.0.113.50" },
	{ R2, "{\"subnets\":[\"r4\"]," OUT("203.0.113.50") "}",
	  "floating-ip 203.0.113.50: address 203.0.113.50 is already used by router r2" },
	{ R1, "{\"subnets\":[\"b4\"]}",
	  "floating-ip 203.0.113.50: router r1 has no gateway at a network" },
	{ R1, "{" OUT("203.0.113.9") "}",
	  "floating-ip 203.0.113.50: no subnet of router r1 holds 10.0.1.11 of port web1 on network blue" },
	{ R1,
	  "{\"subnets\":[\"b4\"],\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"via\":\"203.0.113.50\"}]," OUT(
		  "203.0.113.9") "}",
	  "router r1: route 10.9.0.0/16 via 203.0.113.50: route loop: the next hop is the router itself" },
	{ HD_NOUN_PORT, "web1", "{\"network\":\"blue\",\"device\":\"web1\"}",
	  "floating-ip 203.0.113.50: port web1 has no IPv4 address" },
};

static void a_floating_ip_keeps_what_it_has(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(intruders) / sizeof(intruders[0]); i++) {
		struct hd_model *model = hd_model_new();
		struct hd_error err = { 0 };

		put_basics(model);
		put(model, FIP, "203.0.113.50", "{\"router\":\"r1\",\"port\":\"web1\"}");
		assert_fine(model);
		assert_int_equal(hd_model_assign_ids(model, &roomy, NULL), 0);
		put(model, intruders[i].noun, intruders[i].name, intruders[i].options);
		assert_true(check(model, &err) < 0);
		assert_string_equal(err.message, intruders[i].message);
		hd_model_free(model);
	}
}

/* Outside addresses of another subnet of the network must not be inside either. */
static void a_floating_ip_is_outside(void **state)
{
	struct hd_model *model = *state;
	struct hd_error err = { 0 };

	SUBNET("shadow", "ext", "10.0.1.0/24", "");
	put(model, FIP, "10.0.1.50", "{\"router\":\"r1\",\"port\":\"web1\"}");
	assert_true(check(model, &err) < 0);
	assert_string_equal(err.message, "floating-ip 10.0.1.50: it is in subnet b4, which is "
					 "attached to router r1");
}

/* Addresses outside are none inside, of whatever network. */
static void outside_overlaps_inside(void **state)
{
	struct hd_model *model = *state;
	struct hd_error err = { 0 };

	put(model, HD_NOUN_NETWORK, "lab", "{\"type\":\"local\"}");
	SUBNET("l4", "lab", "10.0.0.0/16", GATEWAY("10.0.0.1"));
	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"subnets\":[\"b4\"],\"gateway\":{\"network\":\"lab\",\"ip\":\"10.0.0.9\"}}");
	assert_true(check(model, &err) < 0);
	assert_string_equal(err.message, "router r1: gateway 10.0.0.9 at network lab: its subnet "
					 "l4 overlaps with subnet b4");
	assert_int_equal(err.code, HD_ERR_CONFLICT);
	put(model, HD_NOUN_ROUTER, "r1", "{\"gateway\":{\"network\":\"lab\",\"ip\":\"10.0.0.9\"}}");
	assert_fine(model);
}

static void no_address_is_free(void **state)
{
	struct hd_model *model = *state;
	struct hd_error err = { 0 };

	SUBNET("out", "ext", "203.0.113.0/24",
	       GATEWAY("203.0.113.1") POOL("203.0.113.12-203.0.113.13"));
	put(model, HD_NOUN_ROUTER, "r2", "{\"gateway\":{\"network\":\"ext\"}}");
	assert_true(check(model, &err) < 0);
	assert_string_equal(
		err.message,
		"router r2: gateway at network ext: no address of its subnets' pools is free");
	assert_non_null(strstr(err.hint, "subnet set out --pool FIRST-LAST"));
	assert_int_equal(err.code, HD_ERR_CONFLICT);
}

static void views_that_are_refused(void **state)
{
	struct hd_model *model = *state;
	struct hd_error err = { 0 };

	assert_true(try_put(model, FIP, "2001:db8:0::1", "{\"router\":\"r1\",\"port\":\"web1\"}",
			    &err) < 0);
	assert_string_equal(err.message, "floating-ip '2001:db8:0::1': not an address");
	assert_string_equal(err.hint, "it is written 2001:db8::1");
	assert_true(try_put(model, FIP, "::ffff:192.0.2.1", "{\"router\":\"r1\",\"port\":\"web1\"}",
			    &err) < 0);
	assert_string_equal(err.message, "floating-ip '::ffff:192.0.2.1': not an address");
	assert_true(try_put(model, FIP, "web", "{\"router\":\"r1\",\"port\":\"web1\"}", &err) < 0);
	assert_string_equal(err.message, "floating-ip 'web': not an address");
	assert_true(try_put(model, FIP, "203.0.113.50",
			    "{\"router\":\"r1\",\"port\":\"web1\",\"fixed-ip\":\"2001:db8:1::11\"}",
			    &err) < 0);
	assert_string_equal(
		err.message,
		"floating-ip 203.0.113.50: fixed-ip 2001:db8:1::11 is not of its family");
	assert_true(try_put(model, HD_NOUN_SUBNET, "x",
			    "{\"network\":\"red\",\"cidr\":\"10.0.9.0/24\",\"pool\":\"10.0.9.9-"
			    "10.0.10.9\"}",
			    &err) < 0);
	assert_string_equal(err.message, "subnet x: pool 10.0.9.9-10.0.10.9 is not in 10.0.9.0/24");
	assert_string_equal(err.where, "subnets/x/pool");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(view_of_a_gateway),
		TEST(snat_is_the_default),
		TEST(a_pool_gives_the_first_free_address),
		TEST(a_pool_gives_addresses_of_hosts),
		TEST(a_pool_may_end_with_the_last_address),
		TEST(a_pool_of_each_family),
		TEST(addresses_of_both_families),
		TEST(routers_share_an_address),
		TEST(a_floating_ip_stands_for_an_address),
		TEST(a_floating_ip_of_ipv6),
		TEST(a_floating_ip_follows_its_port),
		cmocka_unit_test(refusals_say_why),
		cmocka_unit_test(a_floating_ip_keeps_what_it_has),
		TEST(a_floating_ip_is_outside),
		TEST(port_forwards_listen),
		TEST(port_forwards_masquerade),
		TEST(ports_of_the_host),
		TEST(outside_overlaps_inside),
		TEST(no_address_is_free),
		TEST(views_that_are_refused),
	};

	return cmocka_run_group_tests_name("outside", tests, NULL, NULL);
}
