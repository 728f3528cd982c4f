// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* objects.c - list, show, add, set, del: the same for every noun */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "change.h"
#include "cleanup.h"

static void object_unrefp(struct hd_object **object)
{
	hd_object_unref(*object);
}

static json_t *list(struct hd_daemon *daemon, const struct hd_noun *noun)
{
	json_t *array = json_array();

	hd_model_each(daemon->model, noun->id, object)
		(void)json_array_append_new(array, hd_api_show(daemon, object));
	return array;
}

int hd_api_get(struct hd_daemon *daemon, const struct hd_noun *noun,
	       const struct hd_http_request *req, const char *name, json_t **ret,
	       struct hd_error *err)
{
	const struct hd_object *object;

	if (noun->id == HD_NOUN_FDB)
		return hd_api_fdb(daemon, req, name, ret, err);
	if (noun->id == HD_NOUN_NEIGHBOUR)
		return hd_api_neighbours(daemon, req, name, ret, err);
	if (!*name) {
		*ret = list(daemon, noun);
		return 0;
	}
	object = hd_model_get(daemon->model, noun->id, name);
	if (!object)
		return hd_api_no_such(noun, name, err);
	*ret = hd_api_show(daemon, object);
	if (noun->id == HD_NOUN_ROUTER &&
	    (object->view.router.gateway.network || object->view.router.gateway.uplink))
		(void)json_object_set_new(*ret, "nat-pools", hd_api_nat_pools(daemon, object));
	return 0;
}

/* Puts an object with these options into a copy of the model and commits that. @spec NULL: removes it. */
int hd_api_commit(struct hd_daemon *daemon, const struct hd_noun *noun,
		  const struct hd_http_request *req, const char *name, json_t *spec, json_t **ret,
		  struct hd_error *err)
{
	const struct hd_object *old = hd_model_get(daemon->model, noun->id, name);
	CLEANUP(object_unrefp) struct hd_object *object = NULL;
	struct hd_model *candidate;
	int r = 0;

	if (spec)
		r = hd_spec_complete(daemon->model, NULL, noun, old, &daemon->config.limits, spec,
				     err);
	if (spec && r == 0)
		r = hd_object_renew(old, noun, name, spec, &object, err);
	if (r < 0)
		return r;
	candidate = hd_model_copy(daemon->model);
	if (!candidate)
		return hd_error_set(err, HD_ERR_FAILED, "no memory");
	if (!object)
		(void)hd_model_del(candidate, noun->id, name);
	else if (!old || !json_equal(old->spec, spec))
		r = hd_model_put(candidate, object);
	if (r < 0) {
		hd_model_free(candidate);
		return hd_error_set(err, HD_ERR_FAILED, "no memory");
	}
	return hd_change_commit(daemon, candidate, hd_api_flag(req, "dry-run"), ret, err);
}

static int take_name(json_t *body, const struct hd_noun *noun, char name[160], struct hd_error *err)
{
	const char *text = json_string_value(json_object_get(body, "name"));
	int r;

	if (!text)
		return hd_error_set(err, HD_ERR_INVALID, "%s: needs a name", noun->name);
	r = hd_name_check(noun, text, err);
	if (r < 0)
		return r;
	if (strlen(text) >= 160)
		return hd_error_set(err, HD_ERR_INVALID, "%s '%.80s...': not a name", noun->name,
				    text);
	memcpy(name, text, strlen(text) + 1);
	(void)json_object_del(body, "name");
	return 0;
}

json_t *hd_api_no_change(const struct hd_http_request *req)
{
	return json_pack("{s:b, s:[]}", "dry-run", hd_api_flag(req, "dry-run"), "changes");
}

/* Whether options say what an object has. What only a file or verbs of its own can say is not asked for if it isn't said. */
static bool is_same(struct hd_daemon *daemon, const struct hd_object *object, const json_t *given)
{
	_json_ json_t *spec = json_deep_copy(given);

	for (size_t i = 0; i < object->noun->n_options; i++) {
		const struct hd_option *opt = &object->noun->options[i];
		json_t *value = json_object_get(object->spec, opt->name);

		if (opt->flags & HD_OPT_UNTYPED && value && !json_object_get(spec, opt->name))
			(void)json_object_set(spec, opt->name, value);
	}
	return hd_spec_complete(daemon->model, NULL, object->noun, object, &daemon->config.limits,
				spec, NULL) == 0 &&
	       json_equal(object->spec, spec);
}

static int already_there(struct hd_daemon *daemon, const struct hd_object *object,
			 const json_t *spec, const struct hd_http_request *req, json_t **ret,
			 struct hd_error *err)
{
	const char *noun = object->noun->name;
	bool may_exist = hd_api_flag(req, "may-exist");

	if (may_exist && is_same(daemon, object, spec)) {
		*ret = hd_api_no_change(req);
		return 0;
	}
	hd_error_set(err, HD_ERR_CONFLICT, "%s %s: exists already%s", noun, object->name,
		     may_exist ? ", with other options" : "");
	hd_error_object(err, noun, object->name);
	hd_error_hint(err, "'heddle %s show %s' shows it, 'heddle %s set' changes it", noun,
		      object->name, noun);
	return -EEXIST;
}

int hd_api_add(struct hd_daemon *daemon, const struct hd_noun *noun,
	       const struct hd_http_request *req, json_t **ret, struct hd_error *err)
{
	const struct hd_object *old;
	_json_ json_t *body = NULL;
	_json_ json_t *spec = NULL;
	char name[160];
	int r = hd_api_body(req, &body, err);

	if (r == 0)
		r = take_name(body, noun, name, err);
	if (r == 0)
		r = hd_spec_canonical(noun, name, body, false, &spec, err);
	if (r < 0)
		return r;
	old = hd_model_get(daemon->model, noun->id, name);
	if (old)
		return already_there(daemon, old, spec, req, ret, err);
	return hd_api_commit(daemon, noun, req, name, spec, ret, err);
}

/* A physical network stays where networks go on in it. */
static int keeps_physical(const struct hd_model *model, const struct hd_object *uplink,
			  const json_t *spec, struct hd_error *err)
{
	const char *was = uplink->view.uplink.physical;
	const char *is = json_string_value(json_object_get(spec, "physical"));

	if (!was || (is && !strcmp(was, is)))
		return 0;
	hd_model_each(model, HD_NOUN_NETWORK, network) {
		const char *physical = network->view.network.physical;

		if (!physical || strcmp(physical, was))
			continue;
		hd_error_set(err, HD_ERR_CONFLICT,
			     "uplink %s: physical network %s is still used by network %s",
			     uplink->name, was, network->name);
		hd_error_object(err, uplink->noun->name, uplink->name);
		return -EBUSY;
	}
	return 0;
}

static int gateway_used(const struct hd_object *router, const struct hd_object *user,
			struct hd_error *err)
{
	hd_error_set(err, HD_ERR_CONFLICT, "router %s: its gateway is still used by %s %s",
		     router->name, user->noun->name, user->name);
	hd_error_object(err, router->noun->name, router->name);
	hd_error_hint(err, "'heddle %s del %s' frees it", user->noun->name, user->name);
	return -EBUSY;
}

/* So does a way out by which floating IPs and port forwards come in. */
static int keeps_gateway(const struct hd_model *model, const struct hd_object *router,
			 const json_t *spec, struct hd_error *err)
{
	if (json_object_get(spec, "gateway"))
		return 0;
	hd_model_each(model, HD_NOUN_FLOATING_IP, object)
		if (!strcmp(object->view.floating_ip.router, router->name))
			return gateway_used(router, object, err);
	hd_model_each(model, HD_NOUN_PORT_FORWARD, object)
		if (!strcmp(object->view.port_forward.router, router->name))
			return gateway_used(router, object, err);
	return 0;
}

int hd_api_set(struct hd_daemon *daemon, const struct hd_noun *noun,
	       const struct hd_http_request *req, const char *name, json_t **ret,
	       struct hd_error *err)
{
	const struct hd_object *old = hd_model_get(daemon->model, noun->id, name);
	_json_ json_t *changes = NULL;
	_json_ json_t *body = NULL;
	_json_ json_t *spec = NULL;
	const char *key;
	json_t *value;
	int r;

	if (!old)
		return hd_api_no_such(noun, name, err);
	r = hd_api_body(req, &body, err);
	if (r == 0)
		r = hd_spec_canonical(noun, name, body, true, &changes, err);
	if (r < 0)
		return r;
	spec = json_copy(old->spec);
	json_object_foreach(body, key, value) {
		json_t *canonical = json_object_get(changes, key);

		/* Canonical form leaves out what is empty: a list without elements, a flag that is off. */
		if (!canonical || json_is_null(canonical))
			(void)json_object_del(spec, key);
		else
			(void)json_object_set(spec, key, canonical);
	}
	if (noun->id == HD_NOUN_UPLINK)
		r = keeps_physical(daemon->model, old, spec, err);
	if (noun->id == HD_NOUN_ROUTER)
		r = keeps_gateway(daemon->model, old, spec, err);
	return r < 0 ? r : hd_api_commit(daemon, noun, req, name, spec, ret, err);
}

/* Whether an option of an object, one name or a list of them, names this one. */
static bool option_names(const struct hd_object *object, const struct hd_option *opt,
			 const char *name)
{
	const json_t *value = json_object_get(object->spec, opt->name);

	if (json_is_string(value))
		return !strcmp(json_string_value(value), name);
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!strcmp(json_string_value(json_array_get(value, i)), name))
			return true;
	return false;
}

static bool rules_name(const struct hd_object *object, const char *group)
{
	for (size_t i = 0; i < object->view.group.n_rules; i++)
		if (object->view.group.rules[i].group &&
		    !strcmp(object->view.group.rules[i].group, group))
			return true;
	return false;
}

/* Whether a network goes on in the physical network of an uplink. */
static bool goes_on_at(const struct hd_object *network, const struct hd_object *uplink)
{
	const char *one = network->view.network.physical, *other = uplink->view.uplink.physical;

	return one && other && !strcmp(one, other);
}

/* Whether the way out of a router is at this network or uplink, with an address of this subnet. */
static bool gateway_names(const struct hd_model *model, const struct hd_object *router,
			  const struct hd_object *used)
{
	const struct hd_router_gateway *gateway = &router->view.router.gateway;
	const char *name = used->noun->id == HD_NOUN_NETWORK  ? gateway->network
			   : used->noun->id == HD_NOUN_UPLINK ? gateway->uplink
							      : NULL;

	if (used->noun->id == HD_NOUN_SUBNET)
		return hd_router_outside(model, &router->view.router, HD_V4) == used ||
		       hd_router_outside(model, &router->view.router, HD_V6) == used;
	return name && !strcmp(name, used->name);
}

/* Whether a floating IP, or what a port forward listens at, is of this subnet. */
static bool is_on(const struct hd_model *model, const struct hd_object *object,
		  const struct hd_object *subnet)
{
	bool floats = object->noun->id == HD_NOUN_FLOATING_IP;
	const struct hd_ip *ip = floats ? &object->view.floating_ip.ip
					: hd_model_listen_ip(model, &object->view.port_forward);
	const char *network = floats ? hd_model_floating_network(model, &object->view.floating_ip)
				     : hd_model_listen_network(model, &object->view.port_forward);

	return network && ip && hd_model_subnet_of(model, network, ip) == subnet;
}

static bool names(const struct hd_model *model, const struct hd_object *object,
		  const struct hd_object *used)
{
	size_t len = strlen(used->name);

	for (size_t i = 0; i < object->noun->n_options; i++) {
		const struct hd_option *opt = &object->noun->options[i];

		if (opt->refers && !strcmp(opt->refers, used->noun->name) &&
		    option_names(object, opt, used->name))
			return true;
	}
	if (used->noun->id == HD_NOUN_UPLINK && object->noun->id == HD_NOUN_NETWORK)
		return goes_on_at(object, used);
	if (object->noun->id == HD_NOUN_ROUTER && gateway_names(model, object, used))
		return true;
	if ((object->noun->id == HD_NOUN_FLOATING_IP || object->noun->id == HD_NOUN_PORT_FORWARD) &&
	    is_on(model, object, used))
		return true;
	if (used->noun->id == HD_NOUN_GROUP && object->noun->id == HD_NOUN_GROUP && object != used)
		return rules_name(object, used->name);
	return used->noun->id == HD_NOUN_NETWORK && !strncmp(object->name, used->name, len) &&
	       object->name[len] == '/';
}

/* The first object that names this one. */
static const struct hd_object *find_user(const struct hd_model *model, const struct hd_object *used)
{
	for (int noun = 0; noun < HD_NOUN_COUNT; noun++)
		hd_model_each(model, noun, object)
			if (names(model, object, used))
				return object;
	return NULL;
}

/* What lets it go. */
static void hint_user(const struct hd_model *model, const struct hd_object *user,
		      const struct hd_object *used, struct hd_error *err)
{
	bool subnet = used->noun->id == HD_NOUN_SUBNET;

	if (user->noun->id == HD_NOUN_FLOATING_IP || user->noun->id == HD_NOUN_PORT_FORWARD)
		hd_error_hint(err, "'heddle %s del %s' frees it", user->noun->name, user->name);
	if (user->noun->id == HD_NOUN_ROUTER && subnet && gateway_names(model, user, used))
		hd_error_hint(err, "'heddle router gateway %s --none' frees it", user->name);
	else if (user->noun->id == HD_NOUN_ROUTER && subnet)
		hd_error_hint(err, "'heddle router detach %s --subnet %s' frees it", user->name,
			      used->name);
}

/* A port with all that is there because of it; at once, and also if only the latter is left. */
static int del_cascade(struct hd_daemon *daemon, const struct hd_http_request *req,
		       const char *name, json_t **ret, struct hd_error *err)
{
	struct hd_model *candidate = hd_model_copy(daemon->model);

	if (!candidate)
		return hd_error_set(err, HD_ERR_FAILED, "no memory");
	hd_model_del_cascade(candidate, name);
	return hd_change_commit(daemon, candidate, hd_api_flag(req, "dry-run"), ret, err);
}

int hd_api_del(struct hd_daemon *daemon, const struct hd_noun *noun,
	       const struct hd_http_request *req, const char *name, json_t **ret,
	       struct hd_error *err)
{
	const struct hd_object *old = hd_model_get(daemon->model, noun->id, name);
	const struct hd_object *user;

	if (noun->id == HD_NOUN_PORT && hd_api_flag(req, "cascade") &&
	    (old || hd_api_flag(req, "if-exists")))
		return del_cascade(daemon, req, name, ret, err);
	if (!old && hd_api_flag(req, "if-exists")) {
		*ret = hd_api_no_change(req);
		return 0;
	}
	if (!old)
		return hd_api_no_such(noun, name, err);
	if (noun->id == HD_NOUN_GROUP && !strcmp(name, HD_GROUP_DEFAULT)) {
		hd_error_set(err, HD_ERR_CONFLICT,
			     "security-group default: can't be deleted: ports that name no "
			     "group have it");
		hd_error_object(err, noun->name, name);
		return -EBUSY;
	}
	user = find_user(daemon->model, old);
	if (user) {
		hd_error_set(err, HD_ERR_CONFLICT, "%s %s: still used by %s %s", noun->name, name,
			     user->noun->name, user->name);
		hd_error_object(err, noun->name, name);
		hint_user(daemon->model, user, old, err);
		return -EBUSY;
	}
	return hd_api_commit(daemon, noun, req, name, NULL, ret, err);
}
