// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* model.c - the collection of objects */
#include "model/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An object's place in one model; the object itself may be in several. */
struct entry {
	struct hd_object *object;
	bool has_id; /* it is in by_id; the object may have got its number in another model since */
	bool has_leg; /* likewise in by_leg */
	UT_hash_handle by_name;
	UT_hash_handle by_id;
	UT_hash_handle by_leg;
};

struct hd_model {
	struct entry *by_name[HD_NOUN_COUNT];
	struct entry *by_id[HD_NOUN_COUNT];
	struct entry *by_leg;
	uint32_t last_id[HD_NOUN_COUNT]; /* highest number given, also to objects that are gone */
	uint64_t next_address[2];	 /* by is_v4 */
	uint8_t *rule_ids;		 /* numbers of rules that are taken, a bit each */
	size_t rule_bytes;
	const struct hd_object **rule_groups; /* by number of rule; NULL until it is asked for */
};

struct hd_model *hd_model_new(void)
{
	return calloc(1, sizeof(struct hd_model));
}

static struct entry *entry_find(const struct hd_model *model, enum hd_noun_id noun,
				const char *name)
{
	struct entry *entry;

	HASH_FIND(by_name, model->by_name[noun], name, strlen(name), entry);
	return entry;
}

bool hd_model_rule_taken(const struct hd_model *model, uint32_t id)
{
	return id / 8 < model->rule_bytes && model->rule_ids[id / 8] & 1 << id % 8;
}

static int take_rule(struct hd_model *model, uint32_t id)
{
	size_t bytes = model->rule_bytes ? model->rule_bytes : 1024;
	uint8_t *ids;

	if (id / 8 >= model->rule_bytes) {
		while (bytes <= id / 8)
			bytes *= 2;
		ids = realloc(model->rule_ids, bytes);
		if (!ids)
			return -ENOMEM;
		memset(ids + model->rule_bytes, 0, bytes - model->rule_bytes);
		model->rule_ids = ids;
		model->rule_bytes = bytes;
	}
	model->rule_ids[id / 8] |= (uint8_t)(1 << id % 8);
	return 0;
}

size_t hd_object_rules(const struct hd_object *object)
{
	if (object->noun->id == HD_NOUN_GROUP)
		return object->view.group.n_rules;
	return object->noun->id == HD_NOUN_FIREWALL ? object->view.firewall.n_rules : 0;
}

uint32_t hd_object_rule(const struct hd_object *object, size_t i)
{
	return object->noun->id == HD_NOUN_GROUP ? object->view.group.rules[i].id
						 : object->view.firewall.rules[i].id;
}

static int take_rules(struct hd_model *model, const struct hd_object *object)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < hd_object_rules(object); i++)
		r = take_rule(model, hd_object_rule(object, i));
	return r;
}

static void drop_rules(struct hd_model *model, const struct hd_object *object)
{
	for (size_t i = 0; i < hd_object_rules(object); i++) {
		uint32_t id = hd_object_rule(object, i);

		model->rule_ids[id / 8] &= (uint8_t) ~(1 << id % 8);
	}
}

static void forget_index(struct hd_model *model)
{
	free(model->rule_groups);
	model->rule_groups = NULL;
}

static void add_to_index(struct hd_model *model, enum hd_noun_id noun)
{
	hd_model_each(model, noun, object)
		for (size_t i = 0; i < hd_object_rules(object); i++)
			model->rule_groups[hd_object_rule(object, i)] = object;
}

static void make_index(struct hd_model *model)
{
	model->rule_groups = calloc(model->rule_bytes * 8 + 1, sizeof(*model->rule_groups));
	if (!model->rule_groups)
		return;
	add_to_index(model, HD_NOUN_GROUP);
	add_to_index(model, HD_NOUN_FIREWALL);
}

const struct hd_object *hd_model_rule_group(struct hd_model *model, uint32_t id)
{
	if (!hd_model_rule_taken(model, id))
		return NULL;
	if (!model->rule_groups)
		make_index(model);
	return model->rule_groups ? model->rule_groups[id] : NULL;
}

static void entry_free(struct hd_model *model, struct entry *entry)
{
	enum hd_noun_id noun = entry->object->noun->id;

	HASH_DELETE(by_name, model->by_name[noun], entry);
	if (entry->has_id)
		HASH_DELETE(by_id, model->by_id[noun], entry);
	if (entry->has_leg)
		HASH_DELETE(by_leg, model->by_leg, entry);
	drop_rules(model, entry->object);
	forget_index(model);
	hd_object_unref(entry->object);
	free(entry);
}

void hd_model_free(struct hd_model *model)
{
	if (!model)
		return;
	for (int noun = 0; noun < HD_NOUN_COUNT; noun++)
		while (model->by_name[noun])
			entry_free(model, model->by_name[noun]);
	free(model->rule_ids);
	free(model->rule_groups);
	free(model);
}

uint64_t *hd_model_next_address(struct hd_model *model, bool is_v4)
{
	return &model->next_address[is_v4];
}

struct hd_model *hd_model_copy(const struct hd_model *model)
{
	struct hd_model *copy = hd_model_new();

	if (!copy)
		return NULL;
	for (int noun = 0; noun < HD_NOUN_COUNT; noun++) {
		hd_model_each(model, noun, object)
			if (hd_model_put(copy, object) < 0) {
				hd_model_free(copy);
				return NULL;
			}
		copy->last_id[noun] = model->last_id[noun];
	}
	memcpy(copy->next_address, model->next_address, sizeof(copy->next_address));
	return copy;
}

static void add_id(struct hd_model *model, struct entry *entry)
{
	enum hd_noun_id noun = entry->object->noun->id;

	HASH_ADD_KEYPTR(by_id, model->by_id[noun], &entry->object->id, sizeof(entry->object->id),
			entry);
	entry->has_id = true;
}

static void add_leg(struct hd_model *model, struct entry *entry)
{
	HASH_ADD_KEYPTR(by_leg, model->by_leg, &entry->object->leg, sizeof(entry->object->leg),
			entry);
	entry->has_leg = true;
}

/* Nouns whose numbers are out of one space. */
static enum hd_noun_id space_of(enum hd_noun_id noun)
{
	if (noun == HD_NOUN_UPLINK || noun == HD_NOUN_PEER || noun == HD_NOUN_ROUTER)
		return HD_NOUN_PORT;
	return noun;
}

int hd_model_put(struct hd_model *model, struct hd_object *object)
{
	enum hd_noun_id noun = object->noun->id;
	struct entry *old = entry_find(model, noun, object->name);
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	entry->object = hd_object_ref(object);
	if (old)
		entry_free(model, old);
	HASH_ADD_KEYPTR(by_name, model->by_name[noun], object->name, strlen(object->name), entry);
	if (object->id)
		add_id(model, entry);
	if (object->leg)
		add_leg(model, entry);
	if (object->leg > model->last_id[HD_NOUN_PORT])
		model->last_id[HD_NOUN_PORT] = object->leg;
	if (object->id > model->last_id[space_of(noun)])
		model->last_id[space_of(noun)] = object->id;
	forget_index(model);
	return take_rules(model, object);
}

bool hd_model_del(struct hd_model *model, enum hd_noun_id noun, const char *name)
{
	struct entry *entry = entry_find(model, noun, name);

	if (entry)
		entry_free(model, entry);
	return entry;
}

struct hd_object *hd_model_get(const struct hd_model *model, enum hd_noun_id noun, const char *name)
{
	struct entry *entry = entry_find(model, noun, name);

	return entry ? entry->object : NULL;
}

struct hd_object *hd_model_get_id(const struct hd_model *model, enum hd_noun_id noun, uint32_t id)
{
	struct entry *entry;

	HASH_FIND(by_id, model->by_id[noun], &id, sizeof(id), entry);
	return entry ? entry->object : NULL;
}

size_t hd_model_count(const struct hd_model *model, enum hd_noun_id noun)
{
	return HASH_CNT(by_name, model->by_name[noun]);
}

struct hd_object *hd_model_first(const struct hd_model *model, enum hd_noun_id noun)
{
	return model->by_name[noun] ? model->by_name[noun]->object : NULL;
}

struct hd_object *hd_model_next(const struct hd_model *model, const struct hd_object *object)
{
	struct entry *entry = entry_find(model, object->noun->id, object->name);
	struct entry *next = entry ? entry->by_name.next : NULL;

	return next ? next->object : NULL;
}

static int compare_names(const struct entry *a, const struct entry *b)
{
	return strverscmp(a->object->name, b->object->name);
}

void hd_model_sort(struct hd_model *model)
{
	for (int noun = 0; noun < HD_NOUN_COUNT; noun++)
		HASH_SRT(by_name, model->by_name[noun], compare_names);
}

struct hd_object *hd_model_leg(const struct hd_model *model, uint32_t id)
{
	struct entry *entry;

	HASH_FIND(by_leg, model->by_leg, &id, sizeof(id), entry);
	return entry ? entry->object : NULL;
}

struct hd_object *hd_model_get_port(const struct hd_model *model, uint32_t id)
{
	struct hd_object *object = hd_model_get_id(model, HD_NOUN_PORT, id);
	const struct hd_object *network;

	if (!object)
		object = hd_model_get_id(model, HD_NOUN_PEER, id);
	if (!object)
		object = hd_model_get_id(model, HD_NOUN_UPLINK, id);
	if (!object)
		object = hd_model_get_id(model, HD_NOUN_ROUTER, id);
	if (object)
		return object;
	network = hd_model_leg(model, id);
	return network ? hd_model_physical(model, network->view.network.physical) : NULL;
}

bool hd_model_has_member(const struct hd_model *model, const struct hd_object *network, uint32_t id)
{
	const struct hd_object *object = hd_model_get_port(model, id);

	if (network->leg == id && id)
		return true;
	if (!object || object->noun->id == HD_NOUN_UPLINK)
		return false;
	if (object->noun->id == HD_NOUN_PEER)
		return hd_peer_is_in(&object->view.peer, network);
	if (object->noun->id == HD_NOUN_ROUTER)
		return hd_router_is_in(model, object, network->name);
	return hd_model_network_of(model, &object->view.port) == network;
}

static bool id_is_taken(const struct hd_model *model, enum hd_noun_id space, uint32_t id)
{
	if (space == HD_NOUN_PORT)
		return hd_model_leg(model, id) || hd_model_get_port(model, id);
	return hd_model_get_id(model, space, id);
}

static int next_id(struct hd_model *model, enum hd_noun_id noun, uint32_t limit, uint32_t *ret)
{
	noun = space_of(noun);
	for (uint32_t tries = 1; tries < limit; tries++) {
		uint32_t id = model->last_id[noun] % (limit - 1) + 1;

		model->last_id[noun] = id;
		if (!id_is_taken(model, noun, id)) {
			*ret = id;
			return 0;
		}
	}
	return -ENOSPC;
}

static int full(const struct hd_object *object, const struct hd_noun *noun, uint32_t limit,
		struct hd_error *err)
{
	hd_error_set(err, HD_ERR_FAILED, "%s %s: the table is full: %u %s", object->noun->name,
		     object->name, limit - 1, noun->plural);
	hd_error_hint(err, "raise table-sizes/%s in heddled.conf", noun->plural);
	return -ENOSPC;
}

static int assign_ids(struct hd_model *model, enum hd_noun_id noun, uint32_t limit,
		      struct hd_error *err)
{
	for (struct entry *e = model->by_name[noun]; e; e = e->by_name.next) {
		if (e->has_id)
			continue;
		if (!e->object->id && next_id(model, noun, limit, &e->object->id) < 0)
			return full(e->object, &hd_nouns[space_of(noun)], limit, err);
		add_id(model, e);
	}
	return 0;
}

static int assign_legs(struct hd_model *model, uint32_t limit, struct hd_error *err)
{
	for (struct entry *e = model->by_name[HD_NOUN_NETWORK]; e; e = e->by_name.next) {
		if (e->has_leg || !e->object->view.network.physical)
			continue;
		if (!e->object->leg && next_id(model, HD_NOUN_PORT, limit, &e->object->leg) < 0)
			return full(e->object, &hd_nouns[HD_NOUN_PORT], limit, err);
		add_leg(model, e);
	}
	return 0;
}

int hd_model_assign_ids(struct hd_model *model, const struct hd_limits *limits,
			struct hd_error *err)
{
	int r = assign_ids(model, HD_NOUN_NETWORK, limits->networks, err);

	if (r == 0)
		r = assign_ids(model, HD_NOUN_UPLINK, limits->ports, err);
	if (r == 0)
		r = assign_ids(model, HD_NOUN_PEER, limits->ports, err);
	if (r == 0)
		r = assign_ids(model, HD_NOUN_ROUTER, limits->ports, err);
	if (r == 0)
		r = assign_legs(model, limits->ports, err);
	return r < 0 ? r : assign_ids(model, HD_NOUN_PORT, limits->ports, err);
}

const struct hd_object *hd_model_subnet_of(const struct hd_model *model, const char *network,
					   const struct hd_ip *ip)
{
	hd_model_each(model, HD_NOUN_SUBNET, object)
		if (!strcmp(object->view.subnet.network, network) &&
		    hd_ip_in(ip, &object->view.subnet.cidr))
			return object;
	return NULL;
}

uint16_t hd_model_vlan_of(const struct hd_model *model, const char *port)
{
	const struct hd_object *object = hd_model_get(model, HD_NOUN_PORT, port);

	return object ? object->view.port.vlan : 0;
}

const struct hd_object *hd_model_network_of(const struct hd_model *model,
					    const struct hd_port *port)
{
	return hd_model_get(model, HD_NOUN_NETWORK, port->network);
}
