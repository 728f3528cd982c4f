// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_select.c - members of security groups by label: who is in which groups once a model is settled, and stays there */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "compile/policy.h"
#include "model/model.h"

static const struct hd_limits limits = { .ports = 256, .networks = 16, .rule_ids = 100 };

static void put(struct hd_model *model, enum hd_noun_id noun, const char *name, const char *options)
{
	struct hd_object *object = NULL, *old = hd_model_get(model, noun, name);
	_json_ json_t *spec = json_loads(options, 0, NULL);
	_json_ json_t *canonical = NULL;
	struct hd_error err = { 0 };

	assert_non_null(spec);
	if (hd_spec_canonical(&hd_nouns[noun], name, spec, false, &canonical, &err) < 0 ||
	    hd_spec_complete(model, NULL, &hd_nouns[noun], old, &limits, canonical, &err) < 0 ||
	    hd_object_renew(old, &hd_nouns[noun], name, canonical, &object, &err) < 0)
		fail_msg("%s: %s", options, err.message);
	assert_int_equal(hd_model_put(model, object), 0);
	hd_object_unref(object);
}

static void settle(struct hd_model *model)
{
	struct hd_error err = { 0 };

	hd_model_sort(model);
	if (hd_model_settle(model, &err) < 0 || hd_model_validate(model, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(hd_model_assign_ids(model, &limits, NULL), 0);
}

static void port(struct hd_model *model, const char *name, const char *more)
{
	char options[512];

	(void)snprintf(options, sizeof(options), "{\"network\":\"blue\",\"device\":\"dev-%s\"%s%s}",
		       name, more[0] ? "," : "", more);
	put(model, HD_NOUN_PORT, name, options);
}

static struct hd_model *world(void)
{
	struct hd_model *model = hd_model_new();
	struct hd_object *group = hd_group_default();

	assert_int_equal(hd_model_put(model, group), 0);
	hd_object_unref(group);
	put(model, HD_NOUN_NETWORK, "blue", "{\"type\":\"local\"}");
	put(model, HD_NOUN_GROUP, "named", "{}");
	put(model, HD_NOUN_GROUP, "web", "{\"select\":[\"app=web\"]}");
	put(model, HD_NOUN_GROUP, "front", "{\"select\":[\"app=web\",\"tier=front\"]}");
	put(model, HD_NOUN_GROUP, "tiered", "{\"select\":[\"tier\"]}");
	put(model, HD_NOUN_GROUP, "set", "{\"select\":[\"in=set\"],\"isolate\":[\"none\"]}");
	put(model, HD_NOUN_GROUP, "nobody", "{\"select\":[\"app=none\"]}");
	return model;
}

/* "a,b": the groups of a port. */
static void assert_groups(const struct hd_model *model, const char *name, const char *expected)
{
	const struct hd_object *object = hd_model_get(model, HD_NOUN_PORT, name);
	char text[256] = "";

	for (size_t i = 0; i < object->view.port.n_groups; i++) {
		strcat(text, i ? "," : "");
		strcat(text, object->view.port.groups[i]);
	}
	assert_string_equal(text, expected);
}

static const struct {
	const char *options;
	const char *groups;
} members[] = {
	{ "", "default" },
	{ "\"label\":[\"app=db\"]", "default" },
	{ "\"label\":[\"app=web\"]", "web" },
	{ "\"label\":[\"app=web2\"]", "default" },
	{ "\"label\":[\"app=we\"]", "default" },
	{ "\"label\":[\"app=\"]", "default" },
	{ "\"label\":[\"x/app=web\"]", "default" },
	{ "\"label\":[\"tier=front\"]", "tiered" },
	{ "\"label\":[\"tier=\"]", "tiered" },
	{ "\"label\":[\"tiers=front\"]", "default" },
	{ "\"label\":[\"tier=front\",\"app=web\"]", "front,tiered,web" },
	{ "\"label\":[\"tier=back\",\"app=web\"]", "tiered,web" },
	{ "\"label\":[\"app=web\"],\"security-group\":[\"named\"]", "named,web" },
	{ "\"label\":[\"app=web\"],\"security-group\":[\"web\"]", "web" },
	{ "\"label\":[\"app=web\"],\"security-group\":[\"default\"]", "default,web" },
	{ "\"label\":[\"app=web\"],\"no-security\":true", "" },
	{ "\"label\":[\"in=set\"]", "default,set" },
	{ "\"label\":[\"in=set\",\"app=web\"]", "set,web" },
	{ "\"security-group\":[\"set\"]", "default,set" },
	{ "\"security-group\":[\"set\",\"named\"]", "named,set" },
	{ "\"security-group\":[\"set\"],\"label\":[\"app=web\"]", "set,web" },
};

static void test_members(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		struct hd_model *model = world();

		port(model, "p", members[i].options);
		settle(model);
		assert_groups(model, "p", members[i].groups);
		hd_model_free(model);
	}
}

/* Membership follows: labels, selectors and groups come and go. What is settled already stays the same object. */
static void test_follows(void **state)
{
	struct hd_model *model = world();
	const struct hd_object *before;
	uint32_t id;

	(void)state;
	port(model, "p", "\"label\":[\"app=web\"]");
	port(model, "q", "");
	settle(model);
	before = hd_model_get(model, HD_NOUN_PORT, "p");
	id = before->id;
	settle(model);
	assert_ptr_equal(hd_model_get(model, HD_NOUN_PORT, "p"), before);
	port(model, "p", "\"label\":[\"app=none\",\"tier=x\"]");
	settle(model);
	assert_groups(model, "p", "nobody,tiered");
	assert_int_equal(hd_model_get(model, HD_NOUN_PORT, "p")->id, id);
	assert_true(hd_model_del(model, HD_NOUN_GROUP, "nobody"));
	put(model, HD_NOUN_GROUP, "tiered", "{\"select\":[\"tier=y\"]}");
	settle(model);
	assert_groups(model, "p", "default");
	put(model, HD_NOUN_GROUP, "default", "{\"select\":[\"app=web\"]}");
	port(model, "q", "\"label\":[\"app=web\"]");
	settle(model);
	assert_groups(model, "q", "default,web");
	put(model, HD_NOUN_GROUP, "web", "{}");
	settle(model);
	assert_groups(model, "q", "default");
	port(model, "q", "\"security-group\":[\"set\"]");
	settle(model);
	assert_groups(model, "q", "default,set");
	put(model, HD_NOUN_GROUP, "set", "{\"isolate\":[\"egress\"]}");
	settle(model);
	assert_groups(model, "q", "set");
	assert_groups(model, "p", "default");
	hd_model_free(model);
}

/* A model that is thrown away leaves the other as it was, whichever goes first: names of groups are the ports' own. */
static void test_copies(void **state)
{
	struct hd_model *model = world(), *candidate;

	(void)state;
	port(model, "p", "\"label\":[\"app=web\"]");
	settle(model);
	candidate = hd_model_copy(model);
	put(candidate, HD_NOUN_GROUP, "web", "{\"select\":[\"app=web\"],\"rules\":[]}");
	settle(candidate);
	hd_model_free(model);
	assert_groups(candidate, "p", "web");
	model = hd_model_copy(candidate);
	put(model, HD_NOUN_GROUP, "web", "{\"select\":[\"app=other\"]}");
	settle(model);
	assert_groups(model, "p", "default");
	assert_groups(candidate, "p", "web");
	hd_model_free(candidate);
	assert_groups(model, "p", "default");
	hd_model_free(model);
}

/* What a new group has that says what it isolates: all the rest is open. */
static void test_first_rules(void **state)
{
	static const struct {
		const char *options, *rules;
	} cases[] = {
		{ "{}", "[{\"direction\":\"egress\",\"id\":3}]" },
		{ "{\"isolate\":[\"ingress\"]}", "[{\"direction\":\"egress\",\"id\":3}]" },
		{ "{\"isolate\":[\"egress\"]}", "[{\"direction\":\"ingress\",\"id\":3}]" },
		{ "{\"isolate\":[\"ingress\",\"egress\"]}", "[]" },
		{ "{\"isolate\":[\"none\"]}", "[]" },
		{ "{\"isolate\":[\"ingress\"],\"rules\":[]}", "[]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_model *model = hd_model_new();
		_free_ char *text = NULL;

		put(model, HD_NOUN_GROUP, "g", cases[i].options);
		text = json_dumps(
			json_object_get(hd_model_get(model, HD_NOUN_GROUP, "g")->spec, "rules"),
			JSON_COMPACT);
		assert_string_equal(text, cases[i].rules);
		hd_model_free(model);
	}
}

static uint32_t compiled(struct hd_model *model, const char *name, uint32_t *ret_members)
{
	struct hd_policy *policy = NULL;
	struct hd_error err = { 0 };
	struct hd_tables out;
	uint32_t gen;

	settle(model);
	hd_tables_init(&out);
	assert_int_equal(hd_policy_compile(model, &out, &policy, &err), 0);
	gen = hd_policy_gen(policy, hd_model_get(model, HD_NOUN_PORT, name));
	*ret_members = (uint32_t)out.table[HD_TABLE_RULES].n;
	hd_policy_free(policy);
	hd_tables_done(&out);
	return gen;
}

/* Who is selected is what named members are: its flows are judged again, and those of ports whose rules name the group. */
static void test_compiled(void **state)
{
	struct hd_model *model = world();
	uint32_t alone, with, again, rows_alone, rows_with, rows;

	(void)state;
	put(model, HD_NOUN_GROUP, "db",
	    "{\"rules\":[{\"direction\":\"ingress\",\"remote-group\":\"web\"}]}");
	port(model, "d", "\"security-group\":[\"db\"]");
	port(model, "p", "\"ip\":[\"10.0.0.2\"]");
	alone = compiled(model, "d", &rows_alone);
	port(model, "p", "\"ip\":[\"10.0.0.2\"],\"label\":[\"app=web\"]");
	with = compiled(model, "d", &rows_with);
	assert_int_not_equal(alone, with);
	port(model, "p", "\"ip\":[\"10.0.0.2\"],\"security-group\":[\"web\"]");
	again = compiled(model, "d", &rows);
	assert_int_equal(with, again);
	assert_int_equal(rows_with, rows);
	port(model, "p", "\"ip\":[\"10.0.0.2\"]");
	assert_int_equal(compiled(model, "d", &rows), alone);
	assert_int_equal(rows, rows_alone);
	hd_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),	 cmocka_unit_test(test_follows),
		cmocka_unit_test(test_copies),	 cmocka_unit_test(test_first_rules),
		cmocka_unit_test(test_compiled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
