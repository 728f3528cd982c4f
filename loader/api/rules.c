// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* rules.c - the rules of a security group, one by one */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "cleanup.h"

#define GROUP (&hd_nouns[HD_NOUN_GROUP])

bool hd_api_is_rules(const char *rest)
{
	const char *slash = strchr(rest, '/');

	return slash && (!strcmp(slash, "/rules") || !strncmp(slash, "/rules/", strlen("/rules/")));
}

json_t *hd_api_rules_plain(const json_t *rules)
{
	json_t *plain = json_deep_copy(rules), *rule;
	size_t i;

	json_array_foreach(plain, i, rule)
		(void)json_object_del(rule, "id");
	return plain;
}

bool hd_api_same_spec(const struct hd_object *object, const json_t *spec)
{
	const json_t *rules = json_object_get(object->spec, "rules");
	_json_ json_t *mine = NULL;

	if (object->noun->id != HD_NOUN_GROUP || !json_object_get(spec, "rules"))
		return json_equal(object->spec, (json_t *)spec) ||
		       object->noun->id == HD_NOUN_GROUP;
	mine = json_copy(object->spec);
	(void)json_object_set_new(mine, "rules", hd_api_rules_plain(rules));
	return json_equal(mine, (json_t *)spec);
}

json_t *hd_api_show_rules(struct hd_daemon *daemon, const struct hd_object *group)
{
	json_t *shown = json_deep_copy(json_object_get(group->spec, "rules")), *rule;
	size_t i;

	json_array_foreach(shown, i, rule) {
		uint32_t id = (uint32_t)json_integer_value(json_object_get(rule, "id"));
		struct hd_rule_counters c = hd_sync_rule(daemon->sync, id);

		(void)json_object_set_new(rule, "counters",
					  json_pack("{s:I, s:I}", "packets", (json_int_t)c.packets,
						    "bytes", (json_int_t)c.bytes));
	}
	return shown;
}

/* The group that "GROUP/rules..." is about. */
static int find_group(struct hd_daemon *daemon, const char *rest, const struct hd_object **ret,
		      struct hd_error *err)
{
	char name[64] = "";
	size_t len = strcspn(rest, "/");

	if (len < sizeof(name))
		memcpy(name, rest, len);
	*ret = hd_model_get(daemon->model, HD_NOUN_GROUP, name);
	return *ret ? 0 : hd_api_no_such(GROUP, name, err);
}

/* The number that the new rule got. */
static void note_id(json_t *change)
{
	const json_t *set = json_array_get(json_object_get(change, "changes"), 0);
	const json_t *rules = json_object_get(json_object_get(set, "options"), "rules");
	const json_t *rule = json_array_get(json_object_get(rules, "added"), 0);

	if (rule && !json_is_true(json_object_get(change, "dry-run")))
		(void)json_object_set(change, "id", json_object_get(rule, "id"));
}

/* A copy of the group's options with a list of its own; the rules themselves are shared: there may be many. */
static json_t *copy_spec(const struct hd_object *group)
{
	json_t *spec = json_copy(group->spec);

	(void)json_object_set_new(spec, "rules", json_copy(json_object_get(spec, "rules")));
	return spec;
}

/* The one new rule in canonical form: checked as a group that has no other. */
static int canonical_rule(const char *group, json_t *body, json_t **ret, struct hd_error *err)
{
	_json_ json_t *alone = json_pack("{s:[O]}", "rules", body);
	_json_ json_t *checked = NULL;
	int r = hd_spec_canonical(GROUP, group, alone, false, &checked, err);

	if (r == 0)
		*ret = json_incref(json_array_get(json_object_get(checked, "rules"), 0));
	return r;
}

static int already_there(const char *group, const json_t *rule, struct hd_error *err)
{
	hd_error_set(err, HD_ERR_CONFLICT, "security-group %s: rule %lld says the same", group,
		     (long long)json_integer_value(json_object_get(rule, "id")));
	return -EEXIST;
}

static int add_rule(struct hd_daemon *daemon, const struct hd_http_request *req,
		    const struct hd_object *group, json_t **ret, struct hd_error *err)
{
	_json_ json_t *spec = copy_spec(group);
	json_t *rules = json_object_get(spec, "rules");
	_free_ char *name = strdup(group->name); /* the group is another after the change */
	const json_t *other;
	_json_ json_t *rule = NULL;
	_json_ json_t *body = NULL;
	int r = name ? hd_api_body(req, &body, err) : -ENOMEM;

	if (r == 0 && json_object_get(body, "id"))
		r = hd_error_set(err, HD_ERR_INVALID,
				 "security-group %s: the id of a new rule is given by heddle",
				 name);
	if (r == 0)
		r = canonical_rule(name, body, &rule, err);
	if (r < 0)
		return r;
	other = hd_rule_find(group, rule);
	if (other)
		return already_there(name, other, err);
	(void)json_array_append(rules, rule);
	r = hd_api_commit(daemon, GROUP, req, name, spec, ret, err);
	if (r == 0)
		note_id(*ret);
	return r;
}

static int no_such_rule(const char *group, const char *id, struct hd_error *err)
{
	hd_error_set(err, HD_ERR_NOT_FOUND, "security-group %s: there is no rule %s", group, id);
	hd_error_hint(err, "'heddle security-group show %s' lists them", group);
	return -ENOENT;
}

static int del_rule(struct hd_daemon *daemon, const struct hd_http_request *req,
		    const struct hd_object *group, const char *id, json_t **ret,
		    struct hd_error *err)
{
	_json_ json_t *spec = copy_spec(group);
	json_t *rules = json_object_get(spec, "rules"), *rule;
	json_int_t number = strtoll(id, NULL, 10);
	size_t i;

	json_array_foreach(rules, i, rule)
		if (json_integer_value(json_object_get(rule, "id")) == number) {
			(void)json_array_remove(rules, i);
			return hd_api_commit(daemon, GROUP, req, group->name, spec, ret, err);
		}
	if (!hd_api_flag(req, "if-exists"))
		return no_such_rule(group->name, id, err);
	*ret = json_pack("{s:b, s:[]}", "dry-run", hd_api_flag(req, "dry-run"), "changes");
	return 0;
}

int hd_api_rules(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		 json_t **ret, struct hd_error *err)
{
	const char *id = strstr(rest, "/rules") + strlen("/rules");
	const struct hd_object *group;
	int r = find_group(daemon, rest, &group, err);

	if (r < 0)
		return r;
	if (!strcmp(req->method, "POST") && !*id)
		return add_rule(daemon, req, group, ret, err);
	if (!strcmp(req->method, "DELETE") && *id)
		return del_rule(daemon, req, group, id + 1, ret, err);
	if (!strcmp(req->method, "GET") && !*id) {
		*ret = hd_api_show_rules(daemon, group);
		return 0;
	}
	return hd_error_set(err, HD_ERR_USAGE, "%s %s: this method is not for this path",
			    req->method, req->path);
}
