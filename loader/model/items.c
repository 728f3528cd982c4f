// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * items.c - lists of numbered things inside an object, as JSON: the rules of a security group, the routes of a router
 *
 * Such a list is kept in the order of its numbers, but for the rules of a firewall, whose order is their own. An item that says the same as one before keeps that one's number, whatever its place in
 * what came in: so two lists that say the same are the same JSON.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "model/views.h"

static uint32_t number_of(const json_t *item)
{
	return (uint32_t)json_integer_value(json_object_get(item, "id"));
}

bool hd_item_same(const json_t *a, const json_t *b)
{
	const char *key;
	json_t *value;

	if (json_object_size(a) - !!json_object_get(a, "id") !=
	    json_object_size(b) - !!json_object_get(b, "id"))
		return false;
	json_object_foreach((json_t *)a, key, value)
		if (strcmp(key, "id") && !json_equal(value, json_object_get(b, key)))
			return false;
	return true;
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = number_of(*(json_t *const *)a), y = number_of(*(json_t *const *)b);

	return x < y ? -1 : x > y;
}

int hd_items_sort(json_t *items)
{
	size_t n = json_array_size(items);
	_free_ json_t **list = NULL;

	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		list[i] = json_incref(json_array_get(items, i));
	qsort(list, n, sizeof(*list), compare_numbers);
	for (size_t i = 0; i < n; i++)
		(void)json_array_set_new(items, i, list[i]); /* the place is there */
	return 0;
}

static bool are_equal(const json_t *a, const json_t *b)
{
	return a == b || json_equal(a, b);
}

/* All but what is the same at the beginning and at the end. */
static void compare_ordered(const json_t *from, const json_t *to, json_t *removed, json_t *added)
{
	size_t n = json_array_size(from), m = json_array_size(to), first = 0;

	while (first < n && first < m &&
	       are_equal(json_array_get(from, first), json_array_get(to, first)))
		first++;
	while (n > first && m > first &&
	       are_equal(json_array_get(from, n - 1), json_array_get(to, m - 1)))
		n--, m--;
	for (size_t i = first; i < n; i++)
		(void)json_array_append(removed, json_array_get(from, i));
	for (size_t i = first; i < m; i++)
		(void)json_array_append(added, json_array_get(to, i));
}

void hd_items_compare(const struct hd_noun *item, const json_t *from, const json_t *to,
		      json_t *removed, json_t *added)
{
	size_t i = 0, k = 0, n = json_array_size(from), m = json_array_size(to);

	if (item == &hd_fw_rule_noun) {
		compare_ordered(from, to, removed, added);
		return;
	}
	while (i < n || k < m) {
		json_t *was = json_array_get(from, i), *is = json_array_get(to, k);
		uint32_t old, new;

		if (was && is && are_equal(was, is)) {
			i++;
			k++;
			continue;
		}
		old = was ? number_of(was) : UINT32_MAX;
		new = is ? number_of(is) : UINT32_MAX;
		if (was && old <= new) {
			(void)json_array_append(removed, was);
			i++;
		}
		if (is && new <= old) {
			(void)json_array_append(added, is);
			k++;
		}
	}
}

json_t *hd_items_plain(const json_t *items)
{
	json_t *plain = json_deep_copy(items), *item;
	size_t i;

	json_array_foreach(plain, i, item)
		(void)json_object_del(item, "id");
	return plain;
}

int hd_spec_complete(const struct hd_model *model, const struct hd_model *also,
		     const struct hd_noun *noun, const struct hd_object *old,
		     const struct hd_limits *limits, json_t *spec, struct hd_error *err)
{
	if (noun->id == HD_NOUN_GROUP)
		return hd_group_number(model, also, old, limits, spec, err);
	if (noun->id == HD_NOUN_FIREWALL)
		return hd_firewall_number(model, also, old, limits, spec, err);
	if (noun->id == HD_NOUN_PORT)
		return hd_port_keep_ips(old, spec, err);
	return noun->id == HD_NOUN_ROUTER ? hd_router_number(old, spec, err) : 0;
}
