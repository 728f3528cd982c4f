// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* change.c - from one desired state to the next */
#include "change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"

static void model_freep(struct hd_model **model)
{
	hd_model_free(*model);
}

/* There may be 100,000 rules: of such lists only what is new and what is gone. */
static json_t *value_diff(const struct hd_noun *noun, const char *key, const json_t *from,
			  json_t *to)
{
	const struct hd_option *opt = hd_option_find(noun, key);
	json_t *removed, *added;

	if (!opt || opt->type != HD_TYPE_ITEM || !(opt->flags & HD_OPT_LIST))
		return json_incref(to);
	removed = json_array();
	added = json_array();
	hd_items_compare(opt->item, from, to, removed, added);
	return json_pack("{s:o, s:o}", "removed", removed, "added", added);
}

/* Options of @to that differ from @from; null where @to has none. */
static json_t *options_diff(const struct hd_noun *noun, const json_t *from, const json_t *to)
{
	json_t *diff = json_object();
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)to, key, value)
		if (!json_equal(value, json_object_get(from, key)))
			(void)json_object_set_new(
				diff, key,
				value_diff(noun, key, json_object_get(from, key), value));
	json_object_foreach((json_t *)from, key, value)
		if (!json_object_get(to, key))
			(void)json_object_set_new(diff, key, json_null());
	return diff;
}

static void list_change(json_t *list, const char *op, const struct hd_object *object,
			json_t *options)
{
	(void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "op", op, "noun",
						    object->noun->name, "name", object->name,
						    "options", options));
}

static void list_noun(json_t *list, const struct hd_model *from, const struct hd_model *to,
		      enum hd_noun_id noun)
{
	hd_model_each(to, noun, object) {
		const struct hd_object *old = hd_model_get(from, noun, object->name);

		if (!old)
			list_change(list, "add", object, json_incref(object->spec));
		else if (!json_equal(old->spec, object->spec))
			list_change(list, "set", object,
				    options_diff(object->noun, old->spec, object->spec));
	}
}

static void list_gone(json_t *list, const struct hd_model *from, const struct hd_model *to,
		      enum hd_noun_id noun)
{
	hd_model_each(from, noun, object)
		if (!hd_model_get(to, noun, object->name))
			list_change(list, "del", object, json_object());
}

/* What is removed in the opposite order of creation, then what is new or different. */
static json_t *list_changes(const struct hd_model *from, const struct hd_model *to)
{
	json_t *list = json_array();

	for (int noun = HD_NOUN_COUNT - 1; noun >= 0; noun--)
		list_gone(list, from, to, noun);
	for (int noun = 0; noun < HD_NOUN_COUNT; noun++)
		list_noun(list, from, to, noun);
	return list;
}

static int store_object(struct hd_store *store, const struct hd_object *object, const json_t *spec,
			struct hd_error *err)
{
	_free_ char *text = json_dumps(spec, JSON_COMPACT);

	if (!text)
		return hd_error_set(err, HD_ERR_FAILED, "no memory");
	return hd_store_put(store, object->noun->name, object->name, object->id, text, err);
}

/* One rule: a row of its own, so that a change of one does not write all of them. NULL text: gone. */
static int store_rule(struct hd_store *store, const char *group, const json_t *rule, bool gone,
		      struct hd_error *err)
{
	uint32_t id = (uint32_t)json_integer_value(json_object_get(rule, "id"));
	_free_ char *text = gone ? NULL : json_dumps(rule, JSON_COMPACT);
	char name[HD_STORE_RULE_NAME];

	(void)snprintf(name, sizeof(name), "%s/%u", group, id);
	if (gone)
		return hd_store_del(store, HD_STORE_RULE, name, err);
	if (!text)
		return hd_error_set(err, HD_ERR_FAILED, "no memory");
	return hd_store_put(store, HD_STORE_RULE, name, id, text, err);
}

/* What is gone first: a number may have been given to another rule. */
static int store_rules(struct hd_store *store, const char *group, const json_t *from,
		       const json_t *to, struct hd_error *err)
{
	_json_ json_t *removed = json_array();
	_json_ json_t *added = json_array();
	json_t *rule;
	size_t i;
	int r = 0;

	hd_items_compare(&hd_rule_noun, from, to, removed, added);
	json_array_foreach(removed, i, rule)
		if (r == 0)
			r = store_rule(store, group, rule, true, err);
	json_array_foreach(added, i, rule)
		if (r == 0)
			r = store_rule(store, group, rule, false, err);
	return r;
}

/*
 * The group default as it is at first is in no row until it is changed: then all of its rules are new to the store.
 */
static const json_t *stored_rules(const struct hd_model *model, const char *name, bool is_stored)
{
	const struct hd_object *group = hd_model_get(model, HD_NOUN_GROUP, name);

	return group && is_stored ? json_object_get(group->spec, "rules") : NULL;
}

static int store_group(struct hd_store *store, const struct hd_model *from,
		       const struct hd_object *group, struct hd_error *err)
{
	_json_ json_t *spec = json_copy(group->spec);
	int is_stored = hd_store_has(store, group->noun->name, group->name, err);
	int r;

	if (!spec || is_stored < 0)
		return spec ? is_stored : hd_error_set(err, HD_ERR_FAILED, "no memory");
	(void)json_object_del(spec, "rules");
	r = store_rules(store, group->name, stored_rules(from, group->name, is_stored),
			json_object_get(group->spec, "rules"), err);
	return r < 0 ? r : store_object(store, group, spec, err);
}

static int store_change(struct hd_store *store, const struct hd_model *from,
			const struct hd_model *to, const json_t *change, struct hd_error *err)
{
	const struct hd_noun *noun =
		hd_noun_find(json_string_value(json_object_get(change, "noun")));
	const char *name = json_string_value(json_object_get(change, "name"));
	const struct hd_object *object = hd_model_get(to, noun->id, name);
	int r = 0;

	if (object && noun->id == HD_NOUN_GROUP)
		return store_group(store, from, object, err);
	if (object && object->leg)
		r = hd_store_put(store, HD_STORE_LEG, name, object->leg, "{}", err);
	else if (object && noun->id == HD_NOUN_NETWORK)
		r = hd_store_del(store, HD_STORE_LEG, name, err);
	if (object)
		return r < 0 ? r : store_object(store, object, object->spec, err);
	if (noun->id == HD_NOUN_GROUP)
		r = store_rules(store, name, stored_rules(from, name, true), NULL, err);
	if (noun->id == HD_NOUN_NETWORK)
		r = hd_store_del(store, HD_STORE_LEG, name, err);
	return r < 0 ? r : hd_store_del(store, noun->name, name, err);
}

static int store_changes(struct hd_store *store, const struct hd_model *from,
			 const struct hd_model *to, const json_t *changes, struct hd_error *err)
{
	const json_t *change;
	size_t i;
	int r = hd_store_begin(store, err);

	if (r < 0)
		return r;
	json_array_foreach(changes, i, change) {
		r = store_change(store, from, to, change, err);
		if (r < 0) {
			hd_store_rollback(store);
			return r;
		}
	}
	return 0;
}

/* The kernel back to what the model says; it was there before, so it fits. */
static void roll_back(struct hd_daemon *daemon)
{
	struct hd_error err = { 0 };

	hd_store_rollback(daemon->store);
	if (hd_sync_run(daemon->sync, daemon->model, NULL, &err) < 0)
		(void)log_err(0, "roll-back of a failed change: %s", err.message);
}

static int realise(struct hd_daemon *daemon, const struct hd_model *candidate,
		   const json_t *changes, struct hd_error *err)
{
	int r = store_changes(daemon->store, daemon->model, candidate, changes, err);

	if (r < 0)
		return r;
	r = hd_sync_run(daemon->sync, candidate, daemon->model, err);
	if (r < 0) {
		roll_back(daemon);
		return r;
	}
	r = hd_store_commit(daemon->store, err);
	if (r < 0)
		roll_back(daemon);
	return r;
}

static void announce(struct hd_daemon *daemon, const json_t *changes)
{
	const json_t *change;
	size_t i;

	json_array_foreach(changes, i, change) {
		const char *op = json_string_value(json_object_get(change, "op"));
		const char *noun = json_string_value(json_object_get(change, "noun"));
		const char *name = json_string_value(json_object_get(change, "name"));

		log_info("%s %s: %s", noun, name, op);
		hd_daemon_event(daemon, op, noun, name, "");
	}
}

int hd_change_check(struct hd_daemon *daemon, struct hd_model *candidate, struct hd_error *err)
{
	int r = hd_model_settle(candidate, err);

	if (r == 0)
		r = hd_model_validate(candidate, err);
	if (r == 0)
		r = hd_sync_check(daemon->sync, candidate, daemon->model, err);
	return r < 0 ? r : hd_model_assign_ids(candidate, &daemon->config.limits, err);
}

int hd_change_commit(struct hd_daemon *daemon, struct hd_model *candidate, bool dry_run,
		     json_t **ret, struct hd_error *err)
{
	CLEANUP(model_freep) struct hd_model *next = candidate;
	_json_ json_t *changes = NULL;
	int r;

	hd_model_sort(next);
	r = hd_change_check(daemon, next, err);
	if (r < 0)
		return r;
	changes = list_changes(daemon->model, next);
	if (!dry_run && json_array_size(changes)) {
		r = realise(daemon, next, changes, err);
		if (r < 0)
			return r;
		hd_nat_log_read(daemon->nat_log, daemon->model); /* of routers that go, too */
		hd_model_free(daemon->model);
		daemon->model = TAKE_PTR(next);
		announce(daemon, changes);
		hd_nat_log_follow(daemon->nat_log, daemon->model);
	}
	*ret = json_pack("{s:b, s:O}", "dry-run", dry_run, "changes", changes);
	return 0;
}
