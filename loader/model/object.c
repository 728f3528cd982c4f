// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* object.c - one object: its options and the view of them in C */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "model/views.h"

typedef int (*view_fn)(struct hd_object *object, struct hd_error *err);

static const view_fn views[HD_NOUN_COUNT] = {
	[HD_NOUN_NETWORK] = hd_network_view,
	[HD_NOUN_SUBNET] = hd_subnet_view,
	[HD_NOUN_UPLINK] = hd_uplink_view,
	[HD_NOUN_PEER] = hd_peer_view,
	[HD_NOUN_ROUTER] = hd_router_view,
	[HD_NOUN_GROUP] = hd_group_view,
	[HD_NOUN_PORT] = hd_port_view,
	[HD_NOUN_FLOATING_IP] = hd_floating_ip_view,
	[HD_NOUN_FDB] = hd_fdb_view,
	[HD_NOUN_NEIGHBOUR] = hd_neighbour_view,
	[HD_NOUN_PORT_FORWARD] = hd_port_forward_view,
	[HD_NOUN_FIREWALL] = hd_firewall_view,
};

static void object_free(struct hd_object *object)
{
	if (object->noun->id == HD_NOUN_PORT) {
		free(object->view.port.ips);
		free(object->view.port.groups);
		free(object->view.port.allowed);
		free(object->view.port.trunk);
	}
	if (object->noun->id == HD_NOUN_PEER)
		free(object->view.peer.networks);
	if (object->noun->id == HD_NOUN_GROUP) {
		free(object->view.group.rules);
		free(object->view.group.select);
	}
	if (object->noun->id == HD_NOUN_FIREWALL)
		free(object->view.firewall.rules);
	if (object->noun->id == HD_NOUN_ROUTER) {
		free(object->view.router.subnets);
		free(object->view.router.routes);
	}
	json_decref(object->spec);
	free(object->name);
	free(object);
}

/* Options in the schema's order, whatever the order in which they were given or set; of an item inside as well. */
static json_t *in_order(const struct hd_noun *noun, json_t *spec)
{
	json_t *ordered = json_object();

	for (size_t i = 0; i < noun->n_options; i++) {
		const struct hd_option *opt = &noun->options[i];
		json_t *value = json_object_get(spec, opt->name);

		if (opt->item && json_is_object(value))
			(void)json_object_set_new(ordered, opt->name, in_order(opt->item, value));
		else if (value)
			(void)json_object_set(ordered, opt->name, value);
	}
	return ordered;
}

static int make(const struct hd_object *old, const struct hd_noun *noun, const char *name,
		uint32_t id, json_t *spec, struct hd_object **ret, struct hd_error *err)
{
	struct hd_object *object = calloc(1, sizeof(*object));
	int r;

	if (!object)
		return hd_error_set(err, HD_ERR_FAILED, "%s %s: no memory", noun->name, name);
	object->noun = noun;
	object->id = id;
	object->spec = in_order(noun, spec);
	object->refs = 1;
	object->replaces = old;
	object->name = strdup(name);
	if (!object->name || !object->spec)
		r = hd_error_set(err, HD_ERR_FAILED, "%s %s: no memory", noun->name, name);
	else
		r = views[noun->id](object, err);
	if (r < 0) {
		hd_error_object(err, noun->name, name);
		object_free(object);
		return r;
	}
	object->replaces = NULL;
	*ret = object;
	return 0;
}

int hd_object_new(const struct hd_noun *noun, const char *name, uint32_t id, json_t *spec,
		  struct hd_object **ret, struct hd_error *err)
{
	return make(NULL, noun, name, id, spec, ret, err);
}

int hd_object_renew(const struct hd_object *old, const struct hd_noun *noun, const char *name,
		    json_t *spec, struct hd_object **ret, struct hd_error *err)
{
	int r = make(old, noun, name, old ? old->id : 0, spec, ret, err);

	if (r == 0 && old && noun->id == HD_NOUN_NETWORK && (*ret)->view.network.physical)
		(*ret)->leg = old->leg;
	return r;
}

struct hd_object *hd_object_ref(struct hd_object *object)
{
	object->refs++;
	return object;
}

void hd_object_unref(struct hd_object *object)
{
	if (object && --object->refs == 0)
		object_free(object);
}

static int refuse(const struct hd_object *object, struct hd_error *err, enum hd_error_code code,
		  const char *option, const char *fmt, va_list ap)
{
	char text[256];
	int r;

	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a longer text is cut */
	r = hd_error_set(err, code, "%s %s: %s", object->noun->name, object->name, text);
	hd_error_where(err, "%s/%s/%s", object->noun->plural, object->name, option);
	return r;
}

int hd_refuse(const struct hd_object *object, struct hd_error *err, const char *option,
	      const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = refuse(object, err, HD_ERR_INVALID, option, fmt, ap);
	va_end(ap);
	return r;
}

int hd_refuse_as(const struct hd_object *object, struct hd_error *err, enum hd_error_code code,
		 const char *option, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = refuse(object, err, code, option, fmt, ap);
	va_end(ap);
	return r;
}

const char *hd_spec_text(const struct hd_object *object, const char *key)
{
	return json_string_value(json_object_get(object->spec, key));
}

uint32_t hd_spec_uint(const struct hd_object *object, const char *key)
{
	const json_t *value = json_object_get(object->spec, key);
	const struct hd_option *opt = hd_option_find(object->noun, key);

	if (json_is_integer(value))
		return (uint32_t)json_integer_value(value);
	return opt && opt->dflt ? (uint32_t)strtoul(opt->dflt, NULL, 10) : 0;
}

bool hd_spec_bool(const struct hd_object *object, const char *key)
{
	const json_t *value = json_object_get(object->spec, key);
	const struct hd_option *opt = hd_option_find(object->noun, key);

	if (json_is_boolean(value))
		return json_is_true(value);
	return opt && opt->dflt && !strcmp(opt->dflt, "on");
}

int hd_spec_names(const struct hd_object *object, const char *key, const char ***ret, size_t *ret_n,
		  struct hd_error *err)
{
	const json_t *list = json_object_get(object->spec, key), *item;
	size_t i;

	*ret = calloc(json_array_size(list) + 1, sizeof(**ret));
	if (!*ret)
		return hd_error_set(err, HD_ERR_FAILED, "%s %s: no memory", object->noun->name,
				    object->name);
	json_array_foreach(list, i, item)
		(*ret)[(*ret_n)++] = json_string_value(item);
	return 0;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void hd_names_sort(const char **names, size_t n)
{
	if (n) /* else there may be no array */
		qsort(names, n, sizeof(*names), compare_texts);
}

int hd_name_split(const struct hd_object *object, char network[64], const char **ret_rest,
		  struct hd_error *err)
{
	const char *slash = strchr(object->name, '/');
	size_t len = slash ? (size_t)(slash - object->name) : 0;

	if (!len || len >= 64 || !slash[1])
		return hd_error_set(err, HD_ERR_INVALID, "%s %s: the name must be NETWORK/%s",
				    object->noun->name, object->name, object->noun->key_meta);
	memcpy(network, object->name, len);
	network[len] = '\0';
	*ret_rest = slash + 1;
	return 0;
}
