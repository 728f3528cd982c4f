// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_router.c - routers: what they are made of, and each way in which they can contradict themselves or others */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "model/model.h"

static const struct hd_limits roomy = { .ports = 64, .networks = 64 };

/* Through the schema, but for what users are still refused. */
static int try_put(struct hd_model *model, enum hd_noun_id noun, const char *name,
		   const char *options, struct hd_error *err)
{
	_json_ json_t *given = json_loads(options, 0, NULL);
	_json_ json_t *way_out = json_incref(json_object_get(given, "gateway"));
	const struct hd_object *old = hd_model_get(model, noun, name);
	struct hd_object *object = NULL;
	_json_ json_t *spec = NULL;
	int r;

	assert_non_null(given);
	if (json_object_get(way_out, "uplink"))
		(void)json_object_del(given, "gateway");
	r = hd_spec_canonical(&hd_nouns[noun], name, given, false, &spec, err);
	if (r == 0 && json_object_get(way_out, "uplink"))
		(void)json_object_set(spec, "gateway", way_out);
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

static const struct hd_router *router(const struct hd_model *model, const char *name)
{
	return &hd_model_get(model, HD_NOUN_ROUTER, name)->view.router;
}

/*
 * blue: b4 10.0.1.0/24, b6 2001:db8:1::/64, b5 10.0.5.0/24; red: r4 10.0.2.0/24, again 10.0.1.0/24; bare has no gateway;
 * ext is outside, with 203.0.113.0/24.
 */
static void put_basics(struct hd_model *model)
{
	put(model, HD_NOUN_UPLINK, "eth1", "{\"physical\":\"public\"}");
	put(model, HD_NOUN_NETWORK, "blue", "{\"type\":\"local\"}");
	put(model, HD_NOUN_NETWORK, "red", "{\"type\":\"local\"}");
	put(model, HD_NOUN_NETWORK, "ext", "{\"type\":\"flat\",\"physical\":\"public\"}");
#define SUBNET(name, net, cidr, gateway)                                                           \
	put(model, HD_NOUN_SUBNET, name,                                                           \
	    "{\"network\":\"" net "\",\"cidr\":\"" cidr "\",\"gateway\":\"" gateway "\"}")
	SUBNET("b4", "blue", "10.0.1.0/24", "10.0.1.1");
	SUBNET("b5", "blue", "10.0.5.0/24", "10.0.5.1");
	SUBNET("b6", "blue", "2001:db8:1::/64", "2001:db8:1::1");
	SUBNET("r4", "red", "10.0.2.0/24", "10.0.2.1");
	SUBNET("again", "red", "10.0.1.0/24", "10.0.1.1");
	SUBNET("wide", "red", "10.0.0.0/24", "10.0.0.255");
	SUBNET("local", "red", "169.254.3.0/24", "169.254.3.1");
	SUBNET("one", "red", "10.0.8.1/32", "10.0.8.1");
	SUBNET("out", "ext", "203.0.113.0/24", "203.0.113.1");
	put(model, HD_NOUN_SUBNET, "bare", "{\"network\":\"red\",\"cidr\":\"10.0.3.0/24\"}");
	put(model, HD_NOUN_SUBNET, "blind", "{\"network\":\"ext\",\"cidr\":\"198.51.100.0/24\"}");
	put(model, HD_NOUN_PORT, "web1",
	    "{\"network\":\"red\",\"device\":\"tap1\",\"mac\":\"02:68:64:00:00:01\","
	    "\"ip\":[\"10.0.2.11\"],\"allowed-address\":[\"10.0.2.0/24\"]}");
}

static int setup(void **state)
{
	*state = hd_model_new();
	put_basics(*state);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	hd_model_free(*state);
	return 0;
}

/* Written down: hosts of different versions must agree on it. */
static void mac_is_made_of_the_name(void **state)
{
	struct hd_model *model = *state;
	char text[18];

	put(model, HD_NOUN_ROUTER, "r1", "{}");
	put(model, HD_NOUN_ROUTER, "r2", "{}");
	put(model, HD_NOUN_ROUTER, "own", "{\"mac\":\"02:68:64:00:53:01\"}");
	hd_mac_format(router(model, "r1")->mac, text);
	assert_string_equal(text, "02:68:64:53:fd:a0");
	hd_mac_format(router(model, "r2")->mac, text);
	assert_string_equal(text, "02:68:64:54:02:6a");
	hd_mac_format(router(model, "own")->mac, text);
	assert_string_equal(text, "02:68:64:00:53:01");
}

static void view_of_a_router(void **state)
{
	struct hd_model *model = *state;
	const struct hd_router *r1;
	char text[64];

	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"subnets\":[\"r4\",\"b4\"],\"routes\":["
	    "{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.1.9\",\"weight\":7},"
	    "{\"prefix\":\"2001:db8:9::/48\",\"blackhole\":true}]}");
	r1 = router(model, "r1");
	assert_int_equal(r1->n_subnets, 2);
	assert_string_equal(r1->subnets[0], "b4");
	assert_string_equal(r1->subnets[1], "r4");
	assert_int_equal(r1->n_routes, 2);
	assert_int_equal(r1->routes[0].id, 1);
	assert_int_equal(r1->routes[0].weight, 7);
	assert_false(r1->routes[0].blackhole);
	hd_ip_format(&r1->routes[0].via, text);
	assert_string_equal(text, "10.0.1.9");
	assert_int_equal(r1->routes[0].prefix.prefix, 16);
	assert_int_equal(r1->routes[1].id, 2);
	assert_true(r1->routes[1].blackhole);
	assert_false(r1->routes[1].prefix.is_v4);
	assert_null(r1->gateway.network);
	assert_null(r1->gateway.uplink);
}

static void who_is_where(void **state)
{
	struct hd_model *model = *state;
	const struct hd_object *r1, *blue = hd_model_get(model, HD_NOUN_NETWORK, "blue");

	put(model, HD_NOUN_ROUTER, "r1", "{\"subnets\":[\"b4\",\"b6\"]}");
	put(model, HD_NOUN_ROUTER, "r2", "{\"subnets\":[\"b5\",\"r4\"]}");
	assert_int_equal(hd_model_validate(model, NULL), 0); /* a network on two routers */
	assert_int_equal(hd_model_assign_ids(model, &roomy, NULL), 0);
	r1 = hd_model_get(model, HD_NOUN_ROUTER, "r1");
	assert_ptr_equal(hd_model_router_of(model, "b6"), r1);
	assert_null(hd_model_router_of(model, "again"));
	assert_true(hd_router_is_in(model, r1, "blue"));
	assert_false(hd_router_is_in(model, r1, "red"));
	assert_true(hd_model_has_member(model, blue, r1->id));
	assert_false(
		hd_model_has_member(model, hd_model_get(model, HD_NOUN_NETWORK, "red"), r1->id));
}

/* Tenants may use the same addresses, each behind a router of its own. */
static void tenants_overlap(void **state)
{
	struct hd_model *model = *state;

	put(model, HD_NOUN_ROUTER, "r1", "{\"subnets\":[\"b4\"]}");
	put(model, HD_NOUN_ROUTER, "r2", "{\"subnets\":[\"again\"]}");
	assert_int_equal(hd_model_validate(model, NULL), 0);
}

static void assert_numbers(const struct hd_model *model, const uint32_t *ids, size_t n)
{
	const struct hd_router *r1 = router(model, "r1");

	assert_int_equal(r1->n_routes, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(r1->routes[i].id, ids[i]);
}

#define ROUTE(n) "{\"prefix\":\"10." n ".0.0/16\",\"via\":\"10.0.1.9\"}"

/* What says the same keeps its number, wherever it stands; others get one above all. */
static void routes_keep_their_numbers(void **state)
{
	struct hd_model *model = *state;
	struct hd_object *before, *after;

	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"subnets\":[\"b4\"],\"routes\":[" ROUTE("1") "," ROUTE("2") "," ROUTE("3") "]}");
	assert_numbers(model, (const uint32_t[]){ 1, 2, 3 }, 3);
	before = hd_object_ref(hd_model_get(model, HD_NOUN_ROUTER, "r1"));
	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"subnets\":[\"b4\"],\"routes\":[" ROUTE("3") "," ROUTE("1") "," ROUTE("2") "]}");
	after = hd_model_get(model, HD_NOUN_ROUTER, "r1");
	assert_true(json_equal(before->spec, after->spec));
	hd_object_unref(before);
	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"subnets\":[\"b4\"],\"routes\":[" ROUTE("4") "," ROUTE("3") "," ROUTE("1") "]}");
	assert_numbers(model, (const uint32_t[]){ 1, 3, 4 }, 3);
	/* One that was given back rests, until none above is free. */
	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"subnets\":[\"b4\"],\"routes\":[" ROUTE("3") "," ROUTE("4") "," ROUTE("2") "]}");
	assert_numbers(model, (const uint32_t[]){ 3, 4, 5 }, 3);
	/* A number in a file means nothing, and a weight of 1 is none. */
	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"subnets\":[\"b4\"],\"routes\":[{\"id\":9,\"prefix\":\"10.3.0.0/16\",\"via\":"
	    "\"10.0.1.9\",\"weight\":1}]}");
	assert_numbers(model, (const uint32_t[]){ 3 }, 1);
}

/* Numbers end at HD_ROUTE_ID_MAX, and begin again with those that are free. */
static void numbers_of_routes_begin_again(void **state)
{
	_json_ json_t *spec = json_pack("{s:[{s:s, s:s, s:i}]}", "routes", "prefix", "10.1.0.0/16",
					"via", "10.0.1.9", "id", HD_ROUTE_ID_MAX);
	struct hd_model *model = *state;
	struct hd_object *high = NULL;

	assert_int_equal(hd_object_new(&hd_nouns[HD_NOUN_ROUTER], "r1", 0, spec, &high, NULL), 0);
	assert_int_equal(hd_model_put(model, high), 0);
	hd_object_unref(high);
	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"routes\":[" ROUTE("1") "," ROUTE("2") "," ROUTE("3") "]}");
	assert_numbers(model, (const uint32_t[]){ 1, 2, HD_ROUTE_ID_MAX }, 3);
}

/* As many as there are numbers, and one more; in no time. */
static void as_many_routes_as_numbers(void **state)
{
	_json_ json_t *spec = json_object();
	json_t *routes = json_array();
	struct hd_error err = { 0 };

	(void)state;
	(void)json_object_set_new(spec, "routes", routes);
	for (unsigned int i = 0; i < HD_ROUTE_ID_MAX; i++)
		(void)json_array_append_new(
			routes,
			json_pack("{s:o, s:b}", "prefix",
				  json_sprintf("10.%u.%u.0/24", i >> 8, i & 255), "blackhole", 1));
	assert_int_equal(hd_router_number(NULL, spec, &err), 0);
	(void)json_array_append_new(json_object_get(spec, "routes"),
				    json_pack("{s:s, s:b}", "prefix", "0.0.0.0/0", "blackhole", 1));
	assert_true(hd_router_number(NULL, spec, &err) < 0);
	assert_string_equal(err.message, "router: there is no room for more than 65535 routes");
}

struct contradiction {
	const char *options; /* of router r1, when r2 has b5 */
	enum hd_error_code code;
	const char *message;
	const char *where;
};

#define ATTACHED "{\"subnets\":[\"b4\",\"r4\",\"b6\"],\"routes\":["

static const struct contradiction contradictions[] = {
	{ "{\"subnets\":[\"none\"]}", HD_ERR_NOT_FOUND, "router r1: subnet none does not exist",
	  "routers/r1/subnets" },
	{ "{\"subnets\":[\"bare\"]}", HD_ERR_INVALID, "router r1: subnet bare has no gateway",
	  "routers/r1/subnets" },
	{ "{\"subnets\":[\"wide\"]}", HD_ERR_INVALID,
	  "router r1: subnet wide: its gateway 10.0.0.255 is no host's address",
	  "routers/r1/subnets" },
	{ "{\"subnets\":[\"local\"]}", HD_ERR_INVALID,
	  "router r1: subnet local has link-local addresses: those are not routed",
	  "routers/r1/subnets" },
	{ "{\"subnets\":[\"b4\",\"again\"]}", HD_ERR_CONFLICT,
	  "router r1: subnets again and b4 overlap", "routers/r1/subnets" },
	{ "{\"subnets\":[\"b5\"]}", HD_ERR_CONFLICT,
	  "router r2: subnet b5 is already used by router r1", "routers/r2/subnets" },
	{ "{\"subnets\":[\"b4\"],\"mac\":\"02:68:64:54:02:6a\"}", HD_ERR_CONFLICT,
	  "router r2: MAC 02:68:64:54:02:6a is already used by router r1", "routers/r2/mac" },
	{ "{\"subnets\":[\"r4\"],\"mac\":\"02:68:64:00:00:01\"}", HD_ERR_CONFLICT,
	  "port web1: MAC 02:68:64:00:00:01 is already used by router r1", "ports/web1/mac" },
	{ ATTACHED "{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.3.9\"}]}", HD_ERR_INVALID,
	  "router r1: route 10.9.0.0/16 via 10.0.3.9: next hop unreachable: no subnet of the router holds it",
	  "routers/r1/routes" },
	{ ATTACHED "{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.2.1\"}]}", HD_ERR_INVALID,
	  "router r1: route 10.9.0.0/16 via 10.0.2.1: route loop: the next hop is the router itself",
	  "routers/r1/routes" },
	{ ATTACHED "{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.2.255\"}]}", HD_ERR_INVALID,
	  "router r1: route 10.9.0.0/16 via 10.0.2.255: the next hop is no host's address",
	  "routers/r1/routes" },
	{ ATTACHED "{\"prefix\":\"10.0.2.0/24\",\"via\":\"10.0.1.9\"}]}", HD_ERR_CONFLICT,
	  "router r1: route 10.0.2.0/24 via 10.0.1.9: a subnet with that prefix is attached",
	  "routers/r1/routes" },
	{ ATTACHED "{\"prefix\":\"10.0.2.0/24\",\"blackhole\":true}]}", HD_ERR_CONFLICT,
	  "router r1: blackhole 10.0.2.0/24: a subnet with that prefix is attached",
	  "routers/r1/routes" },
	{ ATTACHED "{\"prefix\":\"10.0.2.1/32\",\"via\":\"10.0.1.9\"}]}", HD_ERR_CONFLICT,
	  "router r1: route 10.0.2.1/32 via 10.0.1.9: that is the router's own address",
	  "routers/r1/routes" },
	{ ATTACHED "{\"prefix\":\"10.0.2.255/32\",\"blackhole\":true}]}", HD_ERR_CONFLICT,
	  "router r1: blackhole 10.0.2.255/32: that is no host's address", "routers/r1/routes" },
	{ "{\"subnets\":[\"one\"]}", HD_ERR_INVALID,
	  "router r1: subnet one has one address: there is nobody to route for",
	  "routers/r1/subnets" },
	{ ATTACHED "{\"prefix\":\"ff02::/16\",\"blackhole\":true}]}", HD_ERR_INVALID,
	  "router r1: blackhole ff02::/16: loopback, link-local and multicast addresses are not routed",
	  "routers/r1/routes" },
	{ ATTACHED
	  "{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.1.9\"},{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.1.9\",\"weight\":2}]}",
	  HD_ERR_CONFLICT, "router r1: route 10.9.0.0/16 via 10.0.1.9: route 1 leads there already",
	  "routers/r1/routes" },
	{ ATTACHED
	  "{\"prefix\":\"10.9.0.0/16\",\"blackhole\":true},{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.1.9\"}]}",
	  HD_ERR_CONFLICT,
	  "router r1: route 10.9.0.0/16 via 10.0.1.9: route 1 is a blackhole for that prefix",
	  "routers/r1/routes" },
	{ ATTACHED
	  "{\"prefix\":\"10.9.0.0/16\",\"via\":\"10.0.1.9\"},{\"prefix\":\"10.9.0.0/16\",\"blackhole\":true}]}",
	  HD_ERR_CONFLICT, "router r1: blackhole 10.9.0.0/16: route 1 is for that prefix too",
	  "routers/r1/routes" },
	{ "{\"gateway\":{\"uplink\":\"eth9\"}}", HD_ERR_NOT_FOUND,
	  "router r1: uplink eth9 does not exist", "routers/r1/gateway" },
	{ "{\"gateway\":{\"network\":\"none\",\"ip\":\"203.0.113.9\"}}", HD_ERR_NOT_FOUND,
	  "router r1: network none does not exist", "routers/r1/gateway" },
	{ "{\"gateway\":{\"network\":\"ext\",\"ip\":\"192.0.2.9\"}}", HD_ERR_INVALID,
	  "router r1: gateway 192.0.2.9 at network ext: no subnet there holds that address",
	  "routers/r1/gateway" },
	{ "{\"gateway\":{\"network\":\"ext\",\"ip\":\"198.51.100.9\"}}", HD_ERR_INVALID,
	  "router r1: gateway 198.51.100.9 at network ext: subnet blind has no gateway",
	  "routers/r1/gateway" },
	{ "{\"gateway\":{\"network\":\"ext\",\"ip\":\"203.0.113.1\"}}", HD_ERR_INVALID,
	  "router r1: gateway 203.0.113.1 at network ext: it can't have that address",
	  "routers/r1/gateway" },
	{ "{\"subnets\":[\"out\"],\"gateway\":{\"network\":\"ext\",\"ip\":\"203.0.113.9\"}}",
	  HD_ERR_CONFLICT,
	  "router r1: gateway 203.0.113.9 at network ext: subnet out of that network is attached to the router",
	  "routers/r1/gateway" },
};

static void contradictions_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(contradictions) / sizeof(contradictions[0]); i++) {
		const struct contradiction *c = &contradictions[i];
		struct hd_model *model = hd_model_new();
		struct hd_error err = { 0 };

		put_basics(model);
		put(model, HD_NOUN_ROUTER, "r2",
		    "{\"subnets\":[\"b5\"],\"gateway\":{\"network\":\"ext\",\"ip\":"
		    "\"203.0.113.2\"}}");
		assert_int_equal(hd_model_validate(model, NULL), 0);
		put(model, HD_NOUN_ROUTER, "r1", c->options);
		hd_model_sort(model);
		assert_true(hd_model_validate(model, &err) < 0);
		assert_string_equal(err.message, c->message);
		assert_string_equal(err.where, c->where);
		assert_int_equal(err.code, c->code);
		hd_model_free(model);
	}
}

/* What others must not have beside a router at r4. */
static const struct {
	enum hd_noun_id noun;
	const char *name;
	const char *options;
	const char *message;
} intruders[] = {
	{ HD_NOUN_PORT, "p", "{\"network\":\"red\",\"device\":\"tap2\",\"ip\":[\"10.0.2.1\"]}",
	  "port p: address 10.0.2.1 is already used by router r1" },
	{ HD_NOUN_PORT, "p",
	  "{\"network\":\"red\",\"device\":\"tap2\",\"mac\":\"02:68:64:53:fd:a0\"}",
	  "port p: MAC 02:68:64:53:fd:a0 is already used by router r1" },
	{ HD_NOUN_PORT, "p",
	  "{\"network\":\"red\",\"device\":\"tap2\",\"allowed-address\":[\"10.0.2.1\"]}",
	  "port p: address 10.0.2.1 is already used by router r1" },
	{ HD_NOUN_PORT, "p",
	  "{\"network\":\"red\",\"device\":\"tap2\",\"allowed-address\":[\"10.0.2.1/32\"]}",
	  "port p: address 10.0.2.1 is already used by router r1" },
	{ HD_NOUN_PORT, "p",
	  "{\"network\":\"red\",\"device\":\"tap2\",\"allowed-address\":[\"10.0.2.7,02:68:64:53:fd:a0\"]}",
	  "port p: MAC 02:68:64:53:fd:a0 is already used by router r1" },
	{ HD_NOUN_NEIGHBOUR, "red/10.0.2.1", "{\"mac\":\"02:00:00:00:00:09\"}",
	  "neighbour red/10.0.2.1: address 10.0.2.1 is already used by router r1" },
	{ HD_NOUN_FDB, "red/02:68:64:53:fd:a0", "{\"port\":\"web1\"}",
	  "fdb red/02:68:64:53:fd:a0: MAC 02:68:64:53:fd:a0 is already used by router r1" },
	{ HD_NOUN_SUBNET, "r4", "{\"network\":\"red\",\"cidr\":\"10.0.2.0/24\"}",
	  "router r1: subnet r4 has no gateway" },
	{ HD_NOUN_SUBNET, "r4",
	  "{\"network\":\"red\",\"cidr\":\"10.0.2.0/24\",\"gateway\":\"10.0.2.9\"}",
	  "router r1: route 10.9.0.0/16 via 10.0.2.9: route loop: the next hop is the router itself" },
};

static void a_router_keeps_what_it_has(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(intruders) / sizeof(intruders[0]); i++) {
		struct hd_model *model = hd_model_new();
		struct hd_error err = { 0 };

		put_basics(model);
		put(model, HD_NOUN_ROUTER, "r1",
		    "{\"subnets\":[\"r4\"],\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"via\":"
		    "\"10.0.2.9\"}]}");
		assert_int_equal(hd_model_validate(model, NULL), 0);
		assert_int_equal(hd_model_assign_ids(model, &roomy, NULL), 0);
		put(model, intruders[i].noun, intruders[i].name, intruders[i].options);
		hd_model_sort(model);
		assert_true(hd_model_validate(model, &err) < 0);
		assert_string_equal(err.message, intruders[i].message);
		hd_model_free(model);
	}
}

/* A port that was there before is not to blame for what a router wants now. */
static void who_comes_later_is_to_blame(void **state)
{
	struct hd_model *model = *state;
	struct hd_error err = { 0 };

	put(model, HD_NOUN_PORT, "old",
	    "{\"network\":\"red\",\"device\":\"tap2\",\"ip\":[\"10.0.2.1\"]}");
	assert_int_equal(hd_model_validate(model, NULL), 0);
	assert_int_equal(hd_model_assign_ids(model, &roomy, NULL), 0);
	put(model, HD_NOUN_ROUTER, "r1", "{\"subnets\":[\"r4\"]}");
	assert_int_equal(hd_model_validate(model, &err), -EEXIST);
	assert_string_equal(err.message, "router r1: address 10.0.2.1 is already used by port old");
	assert_non_null(strstr(err.hint, "--gateway"));
}

static void a_way_out_that_is_fine(void **state)
{
	struct hd_model *model = *state;
	const struct hd_router *r1, *r2;

	put(model, HD_NOUN_ROUTER, "r1",
	    "{\"subnets\":[\"b4\"],\"routes\":[{\"prefix\":\"10.9.0.0/16\",\"via\":\"203.0.113.8\"}],"
	    "\"gateway\":{\"network\":\"ext\",\"ip\":\"203.0.113.9\"}}");
	put(model, HD_NOUN_ROUTER, "r2",
	    "{\"subnets\":[\"r4\"],\"gateway\":{\"uplink\":\"eth1\"}}");
	assert_int_equal(hd_model_validate(model, NULL), 0);
	r1 = router(model, "r1");
	r2 = router(model, "r2");
	assert_string_equal(r1->gateway.network, "ext");
	assert_true(r1->gateway.snat);
	assert_null(r1->gateway.uplink);
	assert_string_equal(r2->gateway.uplink, "eth1");
	assert_true(hd_router_is_in(model, hd_model_get(model, HD_NOUN_ROUTER, "r1"), "ext"));
}

/* One next hop too many for one prefix. */
static void too_many_hops(void **state)
{
	_json_ json_t *spec = json_pack("{s:[s], s:[]}", "subnets", "r4", "routes");
	json_t *routes = json_object_get(spec, "routes");
	struct hd_model *model = *state;
	struct hd_error err = { 0 };

	for (int i = 0; i <= HD_ROUTE_HOPS_MAX; i++) {
		_free_ char *text = NULL;

		assert_int_equal(hd_model_validate(model, &err), 0);
		(void)json_array_append_new(routes,
					    json_pack("{s:s, s:o}", "prefix", "0.0.0.0/0", "via",
						      json_sprintf("10.0.2.%d", 100 + i)));
		text = json_dumps(spec, 0);
		put(model, HD_NOUN_ROUTER, "r1", text);
	}
	assert_int_equal(hd_model_validate(model, &err), -EINVAL);
	assert_string_equal(
		err.message,
		"router r1: route 0.0.0.0/0 via 10.0.2.228: more than 128 routes for that prefix");
}

static void hosts_and_what_is_not_routed(void **state)
{
	static const struct {
		const char *ip, *cidr;
		bool host;
	} hosts[] = {
		{ "10.0.1.1", "10.0.1.0/24", true },
		{ "10.0.1.0", "10.0.1.0/24", false },
		{ "10.0.1.255", "10.0.1.0/24", false },
		{ "10.0.1.0", "10.0.1.0/31", true },
		{ "10.0.1.1", "10.0.1.0/31", true },
		{ "10.0.1.3", "10.0.1.0/30", false },
		{ "10.0.1.7", "10.0.1.7/32", true },
		{ "2001:db8::", "2001:db8::/64", false },
		{ "2001:db8::1", "2001:db8::/64", true },
		{ "2001:db8::", "2001:db8::/127", true },
		{ "2001:db8::ffff:ffff:ffff:ffff", "2001:db8::/64", true },
	};
	struct hd_ip ip, cidr;

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		assert_int_equal(hd_ip_parse(hosts[i].ip, &ip), 0);
		assert_int_equal(hd_ip_parse(hosts[i].cidr, &cidr), 0);
		assert_int_equal(hd_ip_is_host(&ip, &cidr), hosts[i].host);
	}
	assert_int_equal(hd_ip_parse("0.0.0.0/0", &cidr), 0);
	assert_null(hd_ip_unrouted(&cidr));
	assert_int_equal(hd_ip_parse("fe80::/64", &cidr), 0);
	assert_string_equal(hd_ip_unrouted(&cidr), "link-local");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mac_is_made_of_the_name),
		TEST(view_of_a_router),
		TEST(who_is_where),
		TEST(tenants_overlap),
		TEST(routes_keep_their_numbers),
		TEST(numbers_of_routes_begin_again),
		cmocka_unit_test(as_many_routes_as_numbers),
		cmocka_unit_test(contradictions_are_named),
		cmocka_unit_test(a_router_keeps_what_it_has),
		TEST(who_comes_later_is_to_blame),
		TEST(a_way_out_that_is_fine),
		TEST(too_many_hops),
		cmocka_unit_test(hosts_and_what_is_not_routed),
	};

	return cmocka_run_group_tests_name("router", tests, NULL, NULL);
}
