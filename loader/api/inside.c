// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * inside.c - what stands in a list inside an object, one by one: the rules of a security group, for example
 *
 *     POST   /v1/security-groups/web/rules       the body is the new item; it gets a number
 *     DELETE /v1/security-groups/web/rules/17
 *     POST   /v1/firewalls/edge/rules            the same; "position" says where it goes, if not to the end
 *     POST   /v1/routers/r1/subnets              {"name": "blue4"}
 *     DELETE /v1/routers/r1/subnets/blue4
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "cleanup.h"

/* A path behind the noun, taken apart; @last is what is behind the option, "" if nothing is. */
struct place {
	const struct hd_noun *noun;
	const struct hd_option *opt;
	char name[64];
	const char *last;
	json_int_t position; /* of a new item, 0 = at the end */
};

static bool parse(const struct hd_noun *noun, const char *rest, struct place *ret)
{
	const char *word = strchrnul(rest, '/');
	size_t len = (size_t)(word - rest);
	char option[32] = "";

	*ret = (struct place){ .noun = noun };
	if (!*word || len >= sizeof(ret->name))
		return false;
	memcpy(ret->name, rest, len);
	len = strcspn(++word, "/");
	if (len >= sizeof(option))
		return false;
	memcpy(option, word, len);
	ret->opt = hd_option_find(noun, option);
	ret->last = word[len] ? word + len + 1 : word + len;
	return ret->opt && ret->opt->flags & HD_OPT_UNTYPED && ret->opt->flags & HD_OPT_LIST;
}

bool hd_api_is_inside(const struct hd_noun *noun, const char *rest)
{
	struct place place;

	return parse(noun, rest, &place);
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

/* The number that the new item got. */
static void note_id(const struct place *at, json_t *change)
{
	const json_t *set = json_array_get(json_object_get(change, "changes"), 0);
	const json_t *items = json_object_get(json_object_get(set, "options"), at->opt->name);
	const json_t *item = json_array_get(json_object_get(items, "added"), 0);

	if (item && !json_is_true(json_object_get(change, "dry-run")))
		(void)json_object_set(change, "id", json_object_get(item, "id"));
}

/* A copy of the object's options with a list of its own; the items themselves are shared: there may be many. */
static json_t *copy_spec(const struct place *at, const struct hd_object *object)
{
	json_t *list = json_copy(json_object_get(object->spec, at->opt->name));
	json_t *spec = json_copy(object->spec);

	(void)json_object_set_new(spec, at->opt->name, list ? list : json_array());
	return spec;
}

/* The one new element in canonical form: checked as a change of an object, of which all else stays. */
static int canonical(const struct place *at, json_t *element, json_t **ret, struct hd_error *err)
{
	_json_ json_t *alone = json_pack("{s:[O]}", at->opt->name, element);
	_json_ json_t *checked = NULL;
	int r = hd_spec_canonical(at->noun, at->name, alone, true, &checked, err);

	if (r == 0)
		*ret = json_incref(json_array_get(json_object_get(checked, at->opt->name), 0));
	return r;
}

/* The element of the object that says the same; borrowed, NULL if there is none. */
static const json_t *find_same(const struct place *at, const struct hd_object *object,
			       const json_t *element)
{
	const json_t *other;
	size_t i;

	if (at->noun->id == HD_NOUN_GROUP)
		return hd_rule_find(object, element);
	json_array_foreach(json_object_get(object->spec, at->opt->name), i, other)
		if (at->opt->item ? hd_item_same(element, other) : json_equal(element, other))
			return other;
	return NULL;
}

/* Of an item that is there already its number is told. */
static int already_there(const struct place *at, const struct hd_http_request *req,
			 const json_t *element, json_t **ret, struct hd_error *err)
{
	const json_t *id = json_object_get(element, "id");

	if (hd_api_flag(req, "may-exist")) {
		*ret = hd_api_no_change(req);
		return id ? json_object_set(*ret, "id", (json_t *)id) : 0;
	}
	if (id)
		hd_error_set(err, HD_ERR_CONFLICT, "%s %s: %s %lld says the same", at->noun->name,
			     at->name, at->opt->item->name, (long long)json_integer_value(id));
	else
		hd_error_set(err, HD_ERR_CONFLICT, "%s %s: has %s %s already", at->noun->name,
			     at->name, at->opt->refers, json_string_value(element));
	hd_error_object(err, at->noun->name, at->name);
	return -EEXIST;
}

/* Where a rule of a firewall is to stand; it is no part of what it says. */
static int take_position(struct place *at, const struct hd_object *object, json_t *body,
			 struct hd_error *err)
{
	const json_t *position = json_object_get(body, "position");
	json_int_t last =
		(json_int_t)json_array_size(json_object_get(object->spec, at->opt->name)) + 1;

	if (!position || at->opt->item != &hd_fw_rule_noun)
		return 0;
	at->position = json_integer_value(position);
	(void)json_object_del(body, "position");
	if (at->position >= 1 && at->position <= last)
		return 0;
	hd_error_set(err, HD_ERR_INVALID, "%s %s: position: expected a number from 1 to %lld",
		     at->noun->name, at->name, (long long)last);
	hd_error_object(err, at->noun->name, at->name);
	hd_error_hint(err, "without a position the rule goes to the end");
	return -EINVAL;
}

/* What the body of a request stands for: itself, or the name in it. */
static int read_element(struct place *at, const struct hd_object *object,
			const struct hd_http_request *req, json_t **ret, struct hd_error *err)
{
	_json_ json_t *body = NULL;
	int r = hd_api_body(req, &body, err);

	if (r == 0)
		r = take_position(at, object, body, err);
	if (r == 0 && at->opt->item && json_object_get(body, "id"))
		r = hd_error_set(err, HD_ERR_INVALID,
				 "%s %s: the id of a new %s is given by heddle", at->noun->name,
				 at->name, at->opt->item->name);
	if (r == 0 && !at->opt->item && !json_object_get(body, "name"))
		r = hd_error_set(err, HD_ERR_INVALID, "%s %s: %s: needs a name", at->noun->name,
				 at->name, at->opt->name);
	if (r < 0)
		return r;
	return canonical(at, at->opt->item ? body : json_object_get(body, "name"), ret, err);
}

/* A subnet has one router; told here, it names the one that was asked about. */
static int check_free(struct hd_daemon *daemon, const struct place *at, const json_t *element,
		      struct hd_error *err)
{
	const char *subnet = json_string_value(element);
	const struct hd_object *other = subnet ? hd_model_router_of(daemon->model, subnet) : NULL;

	if (!other)
		return 0;
	hd_error_set(err, HD_ERR_CONFLICT, "router %s: subnet %s is attached to router %s",
		     at->name, subnet, other->name);
	hd_error_object(err, at->noun->name, at->name);
	hd_error_hint(err, "'heddle router detach %s --subnet %s' takes it from there", other->name,
		      subnet);
	return -EEXIST;
}

static int add_element(struct hd_daemon *daemon, const struct hd_http_request *req,
		       struct place *at, const struct hd_object *object, json_t **ret,
		       struct hd_error *err)
{
	_json_ json_t *spec = copy_spec(at, object);
	_json_ json_t *element = NULL;
	const json_t *other;
	int r = read_element(at, object, req, &element, err);

	if (r < 0)
		return r;
	other = find_same(at, object, element);
	if (other)
		return already_there(at, req, other, ret, err);
	r = check_free(daemon, at, element, err);
	if (r < 0)
		return r;
	if (at->position)
		(void)json_array_insert(json_object_get(spec, at->opt->name),
					(size_t)at->position - 1, element);
	else
		(void)json_array_append(json_object_get(spec, at->opt->name), element);
	r = hd_api_commit(daemon, at->noun, req, at->name, spec, ret, err);
	if (r == 0)
		note_id(at, *ret);
	return r;
}

/* As in the canonical form: an empty list is none, but of rules. */
static void drop_if_empty(const struct place *at, json_t *spec)
{
	if (at->opt->item != &hd_rule_noun &&
	    !json_array_size(json_object_get(spec, at->opt->name)))
		(void)json_object_del(spec, at->opt->name);
}

static int no_such_element(const struct place *at, struct hd_error *err)
{
	hd_error_set(err, HD_ERR_NOT_FOUND, "%s %s: there is no %s %s", at->noun->name, at->name,
		     at->opt->item ? at->opt->item->name : at->opt->refers, at->last);
	hd_error_object(err, at->noun->name, at->name);
	hd_error_hint(err, "'heddle %s show %s' lists them", at->noun->name, at->name);
	return -ENOENT;
}

/* Where in the list it is, by number or name; its length if it is not there. */
static size_t find_element(const json_t *list, const char *last)
{
	json_int_t number = strtoll(last, NULL, 10);
	const json_t *element;
	size_t i;

	json_array_foreach(list, i, element)
		if (json_is_string(element)
			    ? !strcmp(json_string_value(element), last)
			    : json_integer_value(json_object_get(element, "id")) == number)
			break;
	return i;
}

static int del_element(struct hd_daemon *daemon, const struct hd_http_request *req,
		       const struct place *at, const struct hd_object *object, json_t **ret,
		       struct hd_error *err)
{
	_json_ json_t *spec = copy_spec(at, object);
	json_t *list = json_object_get(spec, at->opt->name);

	if (json_array_remove(list, find_element(list, at->last)) == 0) {
		drop_if_empty(at, spec);
		return hd_api_commit(daemon, at->noun, req, at->name, spec, ret, err);
	}
	if (!hd_api_flag(req, "if-exists"))
		return no_such_element(at, err);
	*ret = hd_api_no_change(req);
	return 0;
}

int hd_api_inside(struct hd_daemon *daemon, const struct hd_noun *noun,
		  const struct hd_http_request *req, const char *rest, json_t **ret,
		  struct hd_error *err)
{
	const struct hd_object *object;
	struct place at;

	(void)parse(noun, rest, &at);
	object = hd_model_get(daemon->model, noun->id, at.name);
	if (!object)
		return hd_api_no_such(noun, at.name, err);
	if (!strcmp(req->method, "POST") && !*at.last)
		return add_element(daemon, req, &at, object, ret, err);
	if (!strcmp(req->method, "DELETE") && *at.last)
		return del_element(daemon, req, &at, object, ret, err);
	if (!strcmp(req->method, "GET") && !*at.last) {
		_json_ json_t *shown = hd_api_show(daemon, object);

		*ret = json_incref(json_object_get(shown, at.opt->name));
		return 0;
	}
	return hd_error_set(err, HD_ERR_USAGE, "%s %s: this method is not for this path",
			    req->method, req->path);
}
