// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * select.c - security groups that select their members by label
 *
 * Who is in which groups is part of the port's view, and so is settled before anything looks at it: to validation and compilation a
 * group that was named and one that selects are the same. Selectors are looked up by the first of each group, so that a port costs as
 * many look-ups as it has labels, however many groups there are.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "model/views.h"

/* A group that selects, under the first of its selectors. */
struct selector {
	const char *first;
	const struct hd_object *group;
};

/* All of them, sorted by @first. @has_sets: there are groups that isolate nothing */
struct selectors {
	struct selector *list;
	size_t n;
	bool has_sets;
};

/* Names of groups while they are collected; borrowed. */
struct names {
	const char **list;
	size_t n, room;
};

static int read_selectors(const struct hd_model *model, struct selectors *ret);
static int settle_port(struct hd_model *model, const struct selectors *selectors,
		       const struct hd_object *port);

/* A port that is replaced comes again at the end, where nothing is to be done for it. */
int hd_settle_groups(struct hd_model *model, bool *ret_changed, struct hd_error *err)
{
	struct selectors selectors = { 0 };
	struct hd_object *next;
	int r = read_selectors(model, &selectors);

	for (struct hd_object *port = hd_model_first(model, HD_NOUN_PORT); port && r >= 0;
	     port = next) {
		next = hd_model_next(model, port);
		if (!port->view.port.selected && !selectors.has_sets &&
		    !(port->view.port.labels && selectors.n))
			continue;
		r = settle_port(model, &selectors, port);
		*ret_changed |= r > 0;
	}
	free(selectors.list);
	return r < 0 ? hd_error_set(err, HD_ERR_FAILED, "no memory") : 0;
}

static int compare_selectors(const void *a, const void *b)
{
	const struct selector *x = a, *y = b;

	return strcmp(x->first, y->first);
}

static int read_selectors(const struct hd_model *model, struct selectors *ret)
{
	ret->list = calloc(hd_model_count(model, HD_NOUN_GROUP) + 1, sizeof(*ret->list));
	if (!ret->list)
		return -ENOMEM;
	hd_model_each(model, HD_NOUN_GROUP, group) {
		ret->has_sets |= hd_group_is_set(&group->view.group);
		if (group->view.group.n_select)
			ret->list[ret->n++] =
				(struct selector){ group->view.group.select[0], group };
	}
	qsort(ret->list, ret->n, sizeof(*ret->list), compare_selectors);
	return 0;
}

/* The first that is not before @text. */
static size_t find_selector(const struct selectors *selectors, const char *text)
{
	size_t low = 0, high = selectors->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(selectors->list[mid].first, text) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* "KEY=VALUE" is that label, "KEY" any with that key. */
static bool has_label(const struct hd_port *port, const char *selector)
{
	size_t len = strlen(selector), i;
	bool any = !strchr(selector, '=');
	const json_t *item;

	json_array_foreach(port->labels, i, item) {
		const char *label = json_string_value(item);

		if (!strncmp(label, selector, len) && (!label[len] || (any && label[len] == '=')))
			return true;
	}
	return false;
}

static bool is_selected(const struct hd_port *port, const struct hd_group *group)
{
	for (size_t i = 0; i < group->n_select; i++)
		if (!has_label(port, group->select[i]))
			return false;
	return true;
}

static int add_name(struct names *names, const char *name)
{
	size_t room = names->room ? names->room * 2 : 8;
	const char **list;

	if (names->n == names->room) {
		list = reallocarray(names->list, room, sizeof(*list));
		if (!list)
			return -ENOMEM;
		names->list = list;
		names->room = room;
	}
	names->list[names->n++] = name;
	return 0;
}

/* The groups whose first selector is @text, and that select the port by the others, too. */
static int add_selecting(const struct selectors *selectors, const struct hd_port *port,
			 const char *text, struct names *names)
{
	int r = 0;

	for (size_t i = find_selector(selectors, text);
	     r == 0 && i < selectors->n && !strcmp(selectors->list[i].first, text); i++)
		if (is_selected(port, &selectors->list[i].group->view.group))
			r = add_name(names, selectors->list[i].group->name);
	return r;
}

static int add_selected(const struct selectors *selectors, const struct hd_port *port,
			struct names *names)
{
	const json_t *item;
	int r = 0;
	size_t i;

	json_array_foreach(port->labels, i, item) {
		const char *label = json_string_value(item);
		_free_ char *key = strndup(label, strcspn(label, "="));

		if (r == 0)
			r = key ? add_selecting(selectors, port, key, names) : -ENOMEM;
		if (r == 0)
			r = add_selecting(selectors, port, label, names);
	}
	return r;
}

/* Sorted, each of them once: a group may be named, and select besides. */
static void tidy(struct names *names)
{
	size_t n = 0;

	hd_names_sort(names->list, names->n);
	for (size_t i = 0; i < names->n; i++)
		if (!n || strcmp(names->list[n - 1], names->list[i]) != 0)
			names->list[n++] = names->list[i];
	names->n = n;
}

/* What does not isolate leaves a port open to what default allows. Whether a group is there that is named is checked later. */
static bool is_isolated(const struct hd_model *model, const struct names *names)
{
	for (size_t i = 0; i < names->n; i++) {
		const struct hd_object *group = hd_model_get(model, HD_NOUN_GROUP, names->list[i]);

		if (!group || !hd_group_is_set(&group->view.group))
			return true;
	}
	return false;
}

static int collect(const struct hd_model *model, const struct selectors *selectors,
		   const struct hd_object *port, struct names *ret)
{
	const json_t *named = json_object_get(port->spec, "security-group"), *item;
	int r = 0;
	size_t i;

	json_array_foreach(named, i, item)
		if (r == 0)
			r = add_name(ret, json_string_value(item));
	if (r == 0 && port->view.port.secure)
		r = add_selected(selectors, &port->view.port, ret);
	if (r == 0 && port->view.port.secure && !is_isolated(model, ret))
		r = add_name(ret, HD_GROUP_DEFAULT);
	tidy(ret);
	return r;
}

static bool is_in(const struct hd_port *port, const struct names *names)
{
	if (port->n_groups != names->n)
		return false;
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(port->groups[i], names->list[i]) != 0)
			return false;
	return true;
}

/* The array and, behind it, the names: a group may be replaced and the port stay. */
static const char **own_names(const struct names *names)
{
	size_t bytes = names->n * sizeof(*names->list);
	const char **own;
	char *text;

	for (size_t i = 0; i < names->n; i++)
		bytes += strlen(names->list[i]) + 1;
	own = malloc(bytes);
	if (!own)
		return NULL;
	text = (char *)(own + names->n);
	for (size_t i = 0; i < names->n; i++) {
		own[i] = text;
		text = stpcpy(text, names->list[i]) + 1;
	}
	return own;
}

/* Another view of the same options. */
static int put_port(struct hd_model *model, const struct hd_object *old, const struct names *names)
{
	const char **own = own_names(names);
	struct hd_object *object = NULL;
	int r = own ? hd_object_renew(old, old->noun, old->name, old->spec, &object, NULL)
		    : -ENOMEM;

	if (r < 0) {
		free(own);
		return r;
	}
	free(object->view.port.groups);
	object->view.port.groups = own;
	object->view.port.n_groups = names->n;
	object->view.port.selected = true;
	r = hd_model_put(model, object);
	hd_object_unref(object);
	return r < 0 ? r : 1;
}

/* 1 if there is another object for it now. */
static int settle_port(struct hd_model *model, const struct selectors *selectors,
		       const struct hd_object *port)
{
	struct names names = { 0 };
	int r = collect(model, selectors, port, &names);

	if (r == 0 && !is_in(&port->view.port, &names))
		r = put_port(model, port, &names);
	free(names.list);
	return r;
}
