// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* policy.c - security groups to rows */
#include "compile/policy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "compile/rows.h"
#include "heddle/policy.h"

/**
 * struct set - what ports with the same groups have in common
 * @id:     hd_set_id()
 * @port:   the first that has it, for errors
 * @groups: borrowed from that port
 * @closed: by enum hd_direction: whether one of its groups isolates it
 * @gen:    hash of its rows, and of who is in the groups that they name
 * @shapes: in use
 */
struct set {
	uint32_t id;
	const struct hd_object *port;
	const char *const *groups;
	size_t n_groups;
	bool closed[2];
	uint32_t gen;
	struct hd_shapes shapes;
	UT_hash_handle hh;
};

/* A group that rules name as remote. @members: hash of the addresses and ports in it. */
struct remote {
	const char *name;
	uint32_t members;
	UT_hash_handle hh;
};

struct hd_policy {
	const struct hd_model *model;
	struct hd_tables *out;
	struct set *sets;
	struct remote *remotes;
	struct hd_error *err;
};

uint32_t hd_set_id(const char *const *groups, size_t n)
{
	uint32_t h = HD_HASH_START;

	for (size_t i = 0; i < n; i++)
		h = hd_hash(h, groups[i], strlen(groups[i]) + 1);
	return hd_hash_mix(h) ? hd_hash_mix(h) : 1;
}

static struct hd_table *table(struct hd_policy *p, enum hd_table_id id)
{
	return &p->out->table[id];
}

static bool same_groups(const struct set *set, const struct hd_port *port)
{
	if (set->n_groups != port->n_groups)
		return false;
	for (size_t i = 0; i < set->n_groups; i++)
		if (strcmp(set->groups[i], port->groups[i]))
			return false;
	return true;
}

static const struct hd_group *group_of(const struct hd_model *model, const char *name)
{
	const struct hd_object *object = hd_model_get(model, HD_NOUN_GROUP, name);

	/* The daemon's model always has the group default; without it nothing is allowed. */
	return object ? &object->view.group : NULL;
}

static void note_isolation(const struct hd_model *model, struct set *set)
{
	for (size_t i = 0; i < set->n_groups; i++) {
		const struct hd_group *group = group_of(model, set->groups[i]);

		set->closed[HD_INGRESS] |= group && group->isolates[HD_INGRESS];
		set->closed[HD_EGRESS] |= group && group->isolates[HD_EGRESS];
	}
}

static int add_set(struct hd_policy *p, const struct hd_object *object)
{
	const struct hd_port *port = &object->view.port;
	uint32_t id = hd_set_id(port->groups, port->n_groups);
	struct set *set;

	HASH_FIND(hh, p->sets, &id, sizeof(id), set);
	if (set && same_groups(set, port))
		return 0;
	if (set) {
		hd_error_set(
			p->err, HD_ERR_FAILED,
			"port %s: its security groups have the same number as another combination",
			object->name);
		hd_error_hint(p->err, "give one of the groups another name");
		return -EEXIST;
	}
	set = calloc(1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	set->id = id;
	set->port = object;
	set->groups = port->groups;
	set->n_groups = port->n_groups;
	note_isolation(p->model, set);
	HASH_ADD(hh, p->sets, id, sizeof(set->id), set);
	return 0;
}

static bool set_has(const struct set *set, const char *group)
{
	for (size_t i = 0; i < set->n_groups; i++)
		if (!strcmp(set->groups[i], group))
			return true;
	return false;
}

/* What distinguishes the members of a group to those who allow it: their addresses, and the ports themselves. */
static uint32_t hash_member(const struct hd_object *object)
{
	const struct hd_port *port = &object->view.port;
	uint32_t h = hd_hash(HD_HASH_START, &object->id, sizeof(object->id));

	h = hd_hash(h, &port->vlan, sizeof(port->vlan));
	for (size_t i = 0; i < port->n_ips; i++)
		h = hd_hash(h, port->ips[i].bytes, 16);
	for (size_t i = 0; i < port->n_allowed; i++)
		h = hd_hash(h, port->allowed[i].ip.bytes, 16);
	return hd_hash_mix(h);
}

static int add_remote(struct hd_policy *p, const char *group, uint32_t member)
{
	struct remote *remote;

	HASH_FIND_STR(p->remotes, group, remote);
	if (!remote) {
		remote = calloc(1, sizeof(*remote));
		if (!remote)
			return -ENOMEM;
		remote->name = group;
		HASH_ADD_KEYPTR(hh, p->remotes, remote->name, strlen(remote->name), remote);
	}
	remote->members += member;
	return 0;
}

/* Addresses of members for who is not behind a port with security here; prefixes of allowed addresses are no members. */
static int add_member(struct hd_policy *p, uint32_t network, uint16_t vlan, const struct hd_ip *ip,
		      uint32_t set)
{
	struct hd_member_key key = { .network = network, .vlan = vlan };

	memcpy(key.addr, ip->bytes, 16);
	return hd_table_add(table(p, HD_TABLE_MEMBERS), &key, &set);
}

/* Bits behind the length would make two rows of what is one node of the kernel's trie. */
static void mask(uint8_t bytes[16], unsigned int len)
{
	for (unsigned int i = 0; i < 16; i++) {
		if (len >= 8 * (i + 1))
			continue;
		bytes[i] &= len <= 8 * i ? 0 : (uint8_t)(0xff00 >> (len - 8 * i));
	}
}

static int add_source(struct hd_policy *p, const struct hd_object *object, const struct hd_ip *ip,
		      unsigned int len, const uint8_t mac[6])
{
	struct hd_source_key key = { .prefix_len = 96 + len, .port = object->id };
	uint32_t yes = 1;

	if (mac)
		memcpy(key.mac, mac, 6);
	memcpy(key.addr, ip->bytes, 16);
	mask((uint8_t *)key.addr, len);
	return hd_table_add(table(p, HD_TABLE_SOURCES), &key, &yes);
}

/*
 * The link-local address that the kernel makes of the MAC (RFC 4291 appendix A). A port whose MAC is not known may use any.
 */
static int add_link_local(struct hd_policy *p, const struct hd_object *object)
{
	const struct hd_port *port = &object->view.port;
	struct hd_ip ip = { .bytes = { 0xfe, 0x80 } };

	if (!port->has_mac)
		return add_source(p, object, &ip, 10, NULL);
	memcpy(&ip.bytes[8],
	       (uint8_t[8]){ port->mac[0] ^ 2, port->mac[1], port->mac[2], 0xff, 0xfe, port->mac[3],
			     port->mac[4], port->mac[5] },
	       8);
	return add_source(p, object, &ip, 128, port->mac);
}

static int add_sources(struct hd_policy *p, const struct hd_object *object)
{
	const struct hd_port *port = &object->view.port;
	int r = add_link_local(p, object);

	for (size_t i = 0; r == 0 && i < port->n_ips; i++)
		r = add_source(p, object, &port->ips[i], 128, port->has_mac ? port->mac : NULL);
	for (size_t i = 0; r == 0 && i < port->n_allowed; i++) {
		const struct hd_allowed *allowed = &port->allowed[i];
		unsigned int bits = allowed->ip.prefix == HD_PREFIX_NONE
					    ? 128
					    : allowed->ip.prefix + (allowed->ip.is_v4 ? 96u : 0);

		r = add_source(p, object, &allowed->ip, bits,
			       !port->has_mac	  ? NULL
			       : allowed->has_mac ? allowed->mac
						  : port->mac);
	}
	return r;
}

static int add_port(struct hd_policy *p, const struct hd_object *object)
{
	const struct hd_port *port = &object->view.port;
	uint32_t network = hd_model_network_of(p->model, port)->id, member = hash_member(object);
	uint32_t set = hd_set_id(port->groups, port->n_groups);
	int r = add_set(p, object);

	for (size_t i = 0; r == 0 && i < port->n_groups; i++)
		r = add_remote(p, port->groups[i], member);
	for (size_t i = 0; r == 0 && i < port->n_ips; i++)
		r = add_member(p, network, port->vlan, &port->ips[i], set);
	for (size_t i = 0; r == 0 && i < port->n_allowed; i++)
		if (port->allowed[i].ip.prefix == HD_PREFIX_NONE)
			r = add_member(p, network, port->vlan, &port->allowed[i].ip, set);
	if (r < 0 || port->kind == HD_PORT_REMOTE) /* what it sends is checked where it is */
		return r;
	return add_sources(p, object);
}

static int add_gateways(struct hd_policy *p)
{
	uint32_t yes = 1;
	int r = 0;

	hd_model_each(p->model, HD_NOUN_SUBNET, object) {
		const struct hd_subnet *subnet = &object->view.subnet;
		const struct hd_object *network =
			hd_model_get(p->model, HD_NOUN_NETWORK, subnet->network);
		struct hd_member_key key = { .network = network->id };

		memcpy(key.addr, subnet->gateway.bytes, 16);
		if (r == 0 && subnet->has_gateway)
			r = hd_table_add(table(p, HD_TABLE_GATEWAYS), &key, &yes);
	}
	return r;
}

/**
 * struct expansion - one rule of one set becoming rows
 * @key: what the rows have in common
 */
struct expansion {
	struct hd_policy *p;
	struct set *set;
	const struct hd_rule *rule;
	struct hd_rule_key key;
};

static bool same_shape(const struct hd_shape *a, const struct hd_shape *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* A port may be in more groups than it names. */
static int too_many_shapes(const struct expansion *e)
{
	const struct hd_object *port = e->set->port;

	hd_error_set(e->p->err, HD_ERR_INVALID,
		     "port %s: the %s rules of its %zu security groups (%s%s) have more than %d "
		     "combinations of prefix lengths and port ranges",
		     port->name, e->rule->direction == HD_EGRESS ? "egress" : "ingress",
		     e->set->n_groups, e->set->groups[0], e->set->n_groups > 1 ? ", ..." : "",
		     HD_SHAPES_MAX);
	hd_error_hint(e->p->err,
		      "use fewer different prefix lengths, or put the port into fewer groups: "
		      "'heddle port show %s' lists those that it names or that select it",
		      port->name);
	hd_error_object(e->p->err, "port", port->name);
	return -EOVERFLOW;
}

static int note_shape(struct expansion *e)
{
	struct hd_shapes *shapes = &e->set->shapes;
	uint32_t *n = &shapes->n[e->rule->direction];

	for (uint32_t i = 0; i < *n; i++)
		if (same_shape(&shapes->shape[e->rule->direction][i], &e->key.shape))
			return 0;
	if (*n == HD_SHAPES_MAX)
		return too_many_shapes(e);
	shapes->shape[e->rule->direction][(*n)++] = e->key.shape;
	return 0;
}

static int add_row(struct expansion *e)
{
	int r = note_shape(e);

	if (r < 0)
		return r;
	e->set->gen += hd_hash_mix(
		hd_hash(hd_hash(HD_HASH_START, &e->key, sizeof(e->key)), &e->rule->id, 4));
	return hd_table_add(table(e->p, HD_TABLE_RULES), &e->key, &e->rule->id);
}

static int add_port_blocks(struct expansion *e)
{
	uint32_t first = e->rule->first, last = e->rule->last;

	while (first <= last) {
		uint8_t len = hd_port_block(first, last);
		int r;

		e->key.shape.port_len = len;
		e->key.port = (uint16_t)first;
		r = add_row(e);
		if (r < 0)
			return r;
		first += 1u << (16 - len);
	}
	return 0;
}

static int add_group_rows(struct expansion *e, bool v4)
{
	const struct set *set, *next;

	e->key.shape.kind = v4 ? HD_SHAPE_GROUP4 : HD_SHAPE_GROUP6;
	HASH_ITER(hh, e->p->sets, set, next) {
		int r;

		if (!set_has(set, e->rule->group))
			continue;
		e->key.remote[0] = set->id;
		r = add_port_blocks(e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The parts of a rule's remote that are not meant. */
struct except {
	struct hd_ip list[HD_EXCEPT_MAX];
	size_t n;
};

static bool is_part(const struct hd_ip *part, const struct hd_ip *whole)
{
	return part->prefix >= whole->prefix && hd_ip_in(part, whole);
}

/* The one or the other half of a prefix. */
static struct hd_ip half(const struct hd_ip *prefix, bool second)
{
	unsigned int bit = prefix->prefix + (prefix->is_v4 ? 96u : 0);
	struct hd_ip ip = *prefix;

	ip.prefix++;
	if (second)
		ip.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return ip;
}

/* What is left of a prefix: it is halved until its parts hold no exception, or are one. */
static int add_prefix(struct expansion *e, const struct hd_ip *prefix, const struct except *except)
{
	struct hd_ip first, second;
	bool whole = true;
	int r;

	for (size_t i = 0; i < except->n; i++) {
		if (is_part(prefix, &except->list[i]))
			return 0;
		whole &= !is_part(&except->list[i], prefix);
	}
	if (whole) {
		e->key.shape.addr_len = prefix->prefix;
		memcpy(e->key.remote, prefix->bytes + (prefix->is_v4 ? 12 : 0),
		       prefix->is_v4 ? 4 : 16);
		return add_port_blocks(e);
	}
	first = half(prefix, false);
	second = half(prefix, true);
	r = add_prefix(e, &first, except);
	return r < 0 ? r : add_prefix(e, &second, except);
}

static int add_remote_rows(struct expansion *e)
{
	struct except except = { 0 };
	const json_t *item;
	size_t i;

	json_array_foreach(e->rule->except, i, item)
		(void)hd_ip_parse(json_string_value(item),
				  &except.list[except.n++]); /* canonical already */
	return add_prefix(e, &e->rule->remote, &except);
}

static int add_family(struct expansion *e, bool v4)
{
	const struct hd_rule *rule = e->rule;

	e->key = (struct hd_rule_key){
		.policy = e->set->id,
		.dir = (uint8_t)rule->direction,
		.proto = rule->protocol < 0 ? 0 : (uint8_t)rule->protocol,
		.shape.has_proto = rule->protocol >= 0,
	};
	if (rule->group)
		return add_group_rows(e, v4);
	e->key.shape.kind = v4 ? HD_SHAPE_IPV4 : HD_SHAPE_IPV6;
	return rule->has_remote ? add_remote_rows(e) : add_port_blocks(e);
}

static int add_rule(struct hd_policy *p, struct set *set, const struct hd_rule *rule)
{
	struct expansion e = { .p = p, .set = set, .rule = rule };
	struct remote *remote = NULL;
	int r = rule->ipv4 ? add_family(&e, true) : 0;

	if (r == 0 && rule->ipv6)
		r = add_family(&e, false);
	if (rule->group)
		HASH_FIND_STR(p->remotes, rule->group, remote);
	if (remote)
		set->gen += hd_hash_mix(remote->members ^ rule->id);
	return r;
}

static int compare_shapes(const void *a, const void *b)
{
	const struct hd_shape *x = a, *y = b;
	int exact_x = x->addr_len + x->has_proto * 8 + x->port_len,
	    exact_y = y->addr_len + y->has_proto * 8 + y->port_len;

	return exact_x != exact_y ? exact_y - exact_x : memcmp(x, y, sizeof(*x));
}

/* What a group says of a direction that it leaves open yields to groups that isolate the port there. */
static int add_group(struct hd_policy *p, struct set *set, const struct hd_group *group)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < group->n_rules; i++) {
		const struct hd_rule *rule = &group->rules[i];

		if (group->isolates[rule->direction] || !set->closed[rule->direction])
			r = add_rule(p, set, rule);
	}
	return r;
}

static int add_rules(struct hd_policy *p, struct set *set)
{
	for (size_t i = 0; i < set->n_groups; i++) {
		const struct hd_group *group = group_of(p->model, set->groups[i]);
		int r = group ? add_group(p, set, group) : 0;

		if (r < 0)
			return r;
	}
	for (int dir = 0; dir < 2; dir++)
		qsort(set->shapes.shape[dir], set->shapes.n[dir], sizeof(struct hd_shape),
		      compare_shapes);
	return hd_table_add(table(p, HD_TABLE_SHAPES), &set->id, &set->shapes);
}

static int compile_all(struct hd_policy *p)
{
	struct set *set, *next;
	int r = add_gateways(p);

	hd_model_each(p->model, HD_NOUN_PORT, port)
		if (r == 0 && port->view.port.secure)
			r = add_port(p, port);
	HASH_ITER(hh, p->sets, set, next)
		if (r == 0)
			r = add_rules(p, set);
	return r;
}

int hd_policy_compile(const struct hd_model *model, struct hd_tables *ret,
		      struct hd_policy **policy, struct hd_error *err)
{
	struct hd_policy *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->model = model;
	p->out = ret;
	p->err = err;
	r = compile_all(p);
	if (r < 0)
		hd_policy_free(p);
	else
		*policy = p;
	return r;
}

void hd_policy_free(struct hd_policy *policy)
{
	struct remote *remote, *next_remote;
	struct set *set, *next_set;

	if (!policy)
		return;
	HASH_ITER(hh, policy->sets, set, next_set) {
		HASH_DEL(policy->sets, set);
		free(set);
	}
	HASH_ITER(hh, policy->remotes, remote, next_remote) {
		HASH_DEL(policy->remotes, remote);
		free(remote);
	}
	free(policy);
}

static uint32_t hash_addresses(uint32_t h, const struct hd_port *port)
{
	for (size_t i = 0; i < port->n_ips; i++)
		h = hd_hash(h, port->ips[i].bytes, 16);
	for (size_t i = 0; i < port->n_allowed; i++) {
		h = hd_hash(h, port->allowed[i].ip.bytes, 17);
		h = hd_hash(h, port->allowed[i].mac, 6);
	}
	return h;
}

/* A port that is not held to its own addresses is kept from those of the gateways. */
static uint32_t hash_gateways(uint32_t h, const struct hd_policy *policy,
			      const struct hd_port *port)
{
	if (port->n_ips || port->n_allowed)
		return h;
	hd_model_each(policy->model, HD_NOUN_SUBNET, object) {
		const struct hd_subnet *subnet = &object->view.subnet;

		if (subnet->has_gateway && !strcmp(subnet->network, port->network))
			h += hd_hash_mix(hd_hash(HD_HASH_START, subnet->gateway.bytes, 16));
	}
	return h;
}

uint32_t hd_policy_gen(const struct hd_policy *policy, const struct hd_object *object)
{
	const struct hd_port *port = &object->view.port;
	uint32_t id = hd_set_id(port->groups, port->n_groups);
	uint8_t flags[] = { port->secure, port->isolated, port->hairpin, port->has_mac,
			    (uint8_t)port->vlan_mode };
	uint32_t h = hd_hash(HD_HASH_START, &object->id, sizeof(object->id));
	struct set *set = NULL;

	h = hd_hash(h, flags, sizeof(flags));
	h = hd_hash(h, &port->vlan, sizeof(port->vlan));
	h = hd_hash(h, port->mac, 6);
	h = hash_addresses(h, port);
	h = hash_gateways(h, policy, port);
	if (port->secure)
		HASH_FIND(hh, policy->sets, &id, sizeof(id), set);
	if (set)
		h = hd_hash(hd_hash(h, &set->id, sizeof(set->id)), &set->gen, sizeof(set->gen));
	return hd_hash_mix(h);
}
