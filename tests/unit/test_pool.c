// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_pool.c - ports that ask for an address that is free */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cleanup.h"
#include "model/model.h"

static const struct hd_limits roomy = { .ports = 64, .networks = 64 };

static void put(struct hd_model *model, enum hd_noun_id noun, const char *name, const char *options)
{
	const struct hd_object *old = hd_model_get(model, noun, name);
	_json_ json_t *given = json_loads(options, 0, NULL);
	struct hd_object *object = NULL;
	struct hd_error err = { 0 };
	_json_ json_t *spec = NULL;
	int r;

	assert_non_null(given);
	r = hd_spec_canonical(&hd_nouns[noun], name, given, false, &spec, &err);
	if (r == 0)
		r = hd_spec_complete(model, NULL, &hd_nouns[noun], old, &roomy, spec, &err);
	if (r == 0)
		r = hd_object_renew(old, &hd_nouns[noun], name, spec, &object, &err);
	if (r == 0)
		r = hd_model_put(model, object);
	hd_object_unref(object);
	if (r < 0)
		fail_msg("%s", err.message);
}

#define PORT(model, name, ip)                                                                      \
	put(model, HD_NOUN_PORT, name,                                                             \
	    "{\"network\":\"blue\",\"netns\":\"" name "\",\"ifname\":\"eth0\",\"ip\":" ip "}")

static int check(struct hd_model *model, struct hd_error *err)
{
	int r;

	hd_model_sort(model);
	r = hd_model_settle(model, err);
	return r < 0 ? r : hd_model_validate(model, err);
}

static void assert_ips(struct hd_model *model, const char *port, const char *expected)
{
	struct hd_error err = { 0 };
	_free_ char *text = NULL;

	if (check(model, &err) < 0)
		fail_msg("%s", err.message);
	text = json_dumps(json_object_get(hd_model_get(model, HD_NOUN_PORT, port)->spec, "ip"),
			  JSON_COMPACT);
	assert_string_equal(text, expected);
}

static void assert_refused(struct hd_model *model, enum hd_error_code code, const char *message)
{
	struct hd_error err = { 0 };

	assert_true(check(model, &err) < 0);
	assert_int_equal(err.code, code);
	assert_string_equal(err.message, message);
	assert_true(err.hint[0]);
}

static int setup(void **state)
{
	struct hd_model *model = hd_model_new();

	put(model, HD_NOUN_NETWORK, "blue", "{\"type\":\"local\"}");
	put(model, HD_NOUN_SUBNET, "four",
	    "{\"network\":\"blue\",\"cidr\":\"10.0.1.0/29\",\"gateway\":\"10.0.1.1\"}");
	*state = model;
	return 0;
}

static int teardown(void **state)
{
	hd_model_free(*state);
	return 0;
}

static void one_of_each_family(void **state)
{
	struct hd_model *model = *state;

	put(model, HD_NOUN_SUBNET, "six", "{\"network\":\"blue\",\"cidr\":\"2001:db8::/64\"}");
	PORT(model, "a", "[\"auto\"]");
	assert_ips(model, "a", "[\"10.0.1.2\",\"2001:db8::1\"]");
	PORT(model, "b", "[\"auto\"]");
	assert_ips(model, "b", "[\"10.0.1.3\",\"2001:db8::2\"]");
}

/* Who asks for one by name comes first, whoever is first in a file. */
static void those_named_are_left_alone(void **state)
{
	struct hd_model *model = *state;

	PORT(model, "a", "[\"auto\"]");
	PORT(model, "b", "[\"10.0.1.2\"]");
	put(model, HD_NOUN_NEIGHBOUR, "blue/10.0.1.3", "{\"mac\":\"02:00:00:00:00:09\"}");
	put(model, HD_NOUN_PORT, "c",
	    "{\"network\":\"blue\",\"device\":\"c\",\"allowed-address\":[\"10.0.1.4\"]}");
	assert_ips(model, "a", "[\"10.0.1.5\"]");
}

static void it_is_kept(void **state)
{
	struct hd_model *model = *state;

	PORT(model, "a", "[\"auto\"]");
	assert_ips(model, "a", "[\"10.0.1.2\"]");
	PORT(model, "a", "[\"auto\"]");
	assert_ips(model, "a", "[\"10.0.1.2\"]");
	PORT(model, "a", "[\"10.0.1.2-10.0.1.4\"]");
	assert_ips(model, "a", "[\"10.0.1.2\"]");
	PORT(model, "a", "[\"10.0.1.4-10.0.1.5\"]");
	assert_ips(model, "a", "[\"10.0.1.5\"]");
}

/* What was returned is not handed out next. */
static void what_is_returned_rests(void **state)
{
	struct hd_model *model = *state;

	PORT(model, "a", "[\"auto\"]");
	assert_ips(model, "a", "[\"10.0.1.2\"]");
	assert_true(hd_model_del(model, HD_NOUN_PORT, "a"));
	PORT(model, "b", "[\"auto\"]");
	assert_ips(model, "b", "[\"10.0.1.3\"]");
	for (int i = 0; i < 20; i++) {
		PORT(model, "c", "[\"auto\"]");
		assert_int_equal(check(model, NULL), 0);
		assert_true(hd_model_del(model, HD_NOUN_PORT, "c"));
	}
}

static void ranges(void **state)
{
	struct hd_model *model = *state;

	PORT(model, "a", "[\"10.0.1.0-10.0.1.2,10.0.1.6-10.0.1.7\", \"10.0.1.4-10.0.1.4\"]");
	assert_ips(model, "a", "[\"10.0.1.2\",\"10.0.1.4\"]");
	PORT(model, "b", "[\"10.0.1.0-10.0.1.2,10.0.1.6-10.0.1.7\"]");
	assert_ips(model, "b", "[\"10.0.1.6\"]");
	PORT(model, "c", "[\"10.0.1.0-10.0.1.2,10.0.1.6-10.0.1.7\"]");
	assert_refused(model, HD_ERR_CONFLICT,
		       "port c: no address of 10.0.1.0-10.0.1.2,10.0.1.6-10.0.1.7 in network blue "
		       "is free");
}

static void the_pool_alone(void **state)
{
	struct hd_model *model = *state;

	put(model, HD_NOUN_SUBNET, "four",
	    "{\"network\":\"blue\",\"cidr\":\"10.0.1.0/29\",\"pool\":\"10.0.1.5-10.0.1.6\"}");
	PORT(model, "a", "[\"auto\"]");
	PORT(model, "b", "[\"auto\"]");
	assert_int_equal(check(model, NULL), 0);
	PORT(model, "c", "[\"auto\"]");
	assert_refused(model, HD_ERR_CONFLICT,
		       "port c: no address of the subnets of network blue is free");
	put(model, HD_NOUN_SUBNET, "more", "{\"network\":\"blue\",\"cidr\":\"10.0.2.0/30\"}");
	assert_int_equal(check(model, NULL), 0);
}

static void no_subnet(void **state)
{
	struct hd_model *model = *state;

	assert_true(hd_model_del(model, HD_NOUN_SUBNET, "four"));
	PORT(model, "a", "[\"auto\"]");
	assert_refused(model, HD_ERR_INVALID,
		       "port a: network blue has no subnet to take an address from");
}

static void what_is_no_wish(void **state)
{
	static const char *const bad[] = { "autos",
					   "10.0.1.2-",
					   "10.0.1.9-10.0.1.2",
					   "10.0.1.2,10.0.1.3",
					   "10.0.1.2-2001:db8::1",
					   "" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct hd_option *opt = hd_option_find(&hd_nouns[HD_NOUN_PORT], "ip");
		struct hd_error err = { 0 };
		json_t *value = NULL;

		assert_true(hd_option_from_text(opt, bad[i], &value, &err) < 0);
		assert_null(value);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_of_each_family),
		TEST(those_named_are_left_alone),
		TEST(it_is_kept),
		TEST(what_is_returned_rests),
		TEST(ranges),
		TEST(the_pool_alone),
		TEST(no_subnet),
		TEST(what_is_no_wish),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
