// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* whole.c - the whole desired state at once: apply, validate, export, purge */
#include <errno.h>
#include <string.h>

#include "api/file.h"
#include "api/handlers.h"
#include "change.h"
#include "cleanup.h"
#include "log.h"

static void file_freep(struct hd_file **file)
{
	hd_file_free(*file);
}

/* One object of a file into the candidate. One that is the same as before stays the very object, so that nothing is done for it. */
static int put_object(struct hd_model *candidate, const struct hd_model *current,
		      const struct hd_limits *limits, const struct hd_noun *noun, const char *name,
		      const json_t *value, struct hd_error *err)
{
	const struct hd_object *old = hd_model_get(current, noun->id, name);
	_json_ json_t *empty = json_object();
	_json_ json_t *spec = NULL;
	struct hd_object *object = NULL;
	int r;

	if (!json_is_object(value) && !json_is_null(value))
		r = hd_error_set(err, HD_ERR_INVALID, "%s %s: must be a mapping of options",
				 noun->name, name);
	else
		r = hd_name_check(noun, name, err);
	if (r == 0)
		r = hd_spec_canonical(noun, name, json_is_null(value) ? empty : value, false, &spec,
				      err);
	if (r == 0)
		r = hd_spec_complete(candidate, current, noun, old, limits, spec, err);
	if (r == 0 && old && json_equal(old->spec, spec))
		return hd_model_put(candidate, (struct hd_object *)old);
	if (r == 0)
		r = hd_object_renew(old, noun, name, spec, &object, err);
	if (r == 0)
		r = hd_model_put(candidate, object);
	hd_object_unref(object);
	if (r < 0 && err && !err->where[0])
		hd_error_where(err, "%s/%s", noun->plural, name);
	return r;
}

/* A noun that the file contains is replaced as a whole. */
static int put_noun(struct hd_model *candidate, const struct hd_model *current,
		    const struct hd_limits *limits, const struct hd_noun *noun,
		    const json_t *objects, struct hd_error *err)
{
	const char *name;
	json_t *value;

	if (!json_is_object(objects) && !json_is_null(objects)) {
		hd_error_set(err, HD_ERR_INVALID, "%s: must be a mapping, keyed by name",
			     noun->plural);
		hd_error_where(err, "%s", noun->plural);
		return -EINVAL;
	}
	hd_model_each(current, noun->id, object)
		if (noun->id != HD_NOUN_GROUP || strcmp(object->name, HD_GROUP_DEFAULT))
			(void)hd_model_del(candidate, noun->id, object->name);
	json_object_foreach((json_t *)objects, name, value) {
		int r = put_object(candidate, current, limits, noun, name, value, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int unknown_key(const char *key, struct hd_error *err)
{
	const char *what = "is not known here";

	for (const struct hd_later *later = hd_later_words; later->word; later++)
		if (!strncmp(key, later->word, strlen(later->word)))
			what = "is not available yet";
	hd_error_set(err, HD_ERR_INVALID, "%s: %s", key, what);
	hd_error_where(err, "%s", key);
	return -EINVAL;
}

static const struct hd_noun *noun_of_key(const char *key)
{
	for (size_t i = 0; i < HD_NOUN_COUNT; i++)
		if (!strcmp(hd_nouns[i].plural, key))
			return &hd_nouns[i];
	return NULL;
}

static int check_version(const json_t *root, struct hd_error *err)
{
	const json_t *version = json_object_get(root, "version");

	if (!json_is_object(root)) {
		hd_error_set(err, HD_ERR_INVALID,
			     "the file must be a mapping that begins with 'version: 1'");
		err->line = err->column = 1;
		return -EINVAL;
	}
	if (json_is_integer(version) && json_integer_value(version) == 1)
		return 0;
	hd_error_set(err, HD_ERR_INVALID,
		     version ? "version: this heddle reads version 1" : "version is missing");
	hd_error_where(err, "version");
	hd_error_hint(err, "the file begins with 'version: 1'");
	return -EINVAL;
}

static int build(struct hd_daemon *daemon, const json_t *root, struct hd_model *candidate,
		 struct hd_error *err)
{
	const char *key;
	json_t *value;
	int r = check_version(root, err);

	if (r < 0)
		return r;
	json_object_foreach((json_t *)root, key, value) {
		const struct hd_noun *noun = noun_of_key(key);

		if (!strcmp(key, "version"))
			continue;
		r = noun ? put_noun(candidate, daemon->model, &daemon->config.limits, noun, value,
				    err)
			 : unknown_key(key, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The candidate as the file says, not looked at as a whole yet. */
static int read_candidate(struct hd_daemon *daemon, const struct hd_file *file,
			  struct hd_model **ret, struct hd_error *err)
{
	struct hd_model *candidate = hd_model_copy(daemon->model);
	int r;

	if (!candidate)
		return hd_error_set(err, HD_ERR_FAILED, "no memory");
	r = build(daemon, hd_file_root(file), candidate, err);
	if (r < 0)
		hd_model_free(candidate);
	else
		*ret = candidate;
	return r;
}

int hd_api_candidate(struct hd_daemon *daemon, const char *text, size_t len, struct hd_model **ret,
		     struct hd_error *err)
{
	CLEANUP(file_freep) struct hd_file *file = NULL;
	struct hd_model *candidate = NULL;
	int r = hd_file_parse(text, len, &file, err);

	if (r == 0)
		r = read_candidate(daemon, file, &candidate, err);
	if (r == 0)
		r = hd_change_check(daemon, candidate, err);
	if (r < 0 && err->where[0] && file)
		hd_file_locate(file, err);
	if (r < 0)
		hd_model_free(candidate);
	else
		*ret = candidate;
	return r;
}

static int apply(struct hd_daemon *daemon, const struct hd_http_request *req, bool dry_run,
		 json_t **ret, struct hd_error *err)
{
	CLEANUP(file_freep) struct hd_file *file = NULL;
	struct hd_model *candidate = NULL;
	int r = hd_file_parse(req->body, req->body_len, &file, err);

	if (r == 0)
		r = read_candidate(daemon, file, &candidate, err);
	if (r == 0)
		r = hd_change_commit(daemon, candidate, dry_run, ret, err);
	if (r < 0 && err->where[0] && file)
		hd_file_locate(file, err);
	return r;
}

int hd_api_apply(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		 json_t **ret, struct hd_error *err)
{
	(void)rest;
	return apply(daemon, req, hd_api_flag(req, "dry-run"), ret, err);
}

int hd_api_validate(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		    json_t **ret, struct hd_error *err)
{
	(void)rest;
	return apply(daemon, req, true, ret, err);
}

/* The group default is there anyway, unless somebody has changed it. */
static bool is_first_group(const struct hd_object *object)
{
	struct hd_object *first = object->noun->id == HD_NOUN_GROUP ? hd_group_default() : NULL;
	bool is = first && !strcmp(object->name, first->name) &&
		  json_equal(object->spec, first->spec);

	hd_object_unref(first);
	return is;
}

/* Numbers of rules and routes are heddle's own. */
static void export_object(json_t *objects, const struct hd_object *object)
{
	json_t *spec = json_copy(object->spec);

	for (size_t i = 0; i < object->noun->n_options; i++) {
		const struct hd_option *opt = &object->noun->options[i];
		const json_t *items = opt->item ? json_object_get(spec, opt->name) : NULL;

		if (json_is_array(items))
			(void)json_object_set_new(spec, opt->name, hd_items_plain(items));
	}
	if (!is_first_group(object))
		(void)json_object_set(objects, object->name, spec);
	json_decref(spec);
}

int hd_api_export(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		  json_t **ret, struct hd_error *err)
{
	json_t *root = json_pack("{s:i}", "version", 1);

	(void)req, (void)rest, (void)err;
	for (size_t i = 0; i < HD_NOUN_COUNT; i++) {
		json_t *objects = json_object();

		hd_model_each(daemon->model, hd_nouns[i].id, object)
			export_object(objects, object);
		if (json_object_size(objects))
			(void)json_object_set(root, hd_nouns[i].plural, objects);
		json_decref(objects);
	}
	*ret = root;
	return 0;
}

int hd_api_purge(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		 json_t **ret, struct hd_error *err)
{
	struct hd_model *nothing = hd_model_new();
	_json_ json_t *changes = NULL;
	int r;

	(void)req, (void)rest;
	if (!nothing)
		return hd_error_set(err, HD_ERR_FAILED, "no memory");
	r = hd_change_commit(daemon, nothing, false, &changes, err);
	if (r == 0)
		r = hd_sync_purge(daemon->sync, err);
	if (r < 0)
		return r;
	log_info("purged: nothing of instance %s is left", daemon->config.instance);
	daemon->is_purged = true;
	hd_store_close(TAKE_PTR(
		daemon->store)); /* before the answer: who has it may start another daemon */
	*ret = json_pack("{s:b}", "purged", true);
	/* The loop ends when the answer has gone out: closing the server finishes what can be finished. */
	return sd_event_exit(daemon->event, 0) < 0 ? -EIO : 0;
}
