// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_policy.c - security groups to rows: what the rows allow is what the rules say
 *
 * The property test makes random groups, ports and packets. Each packet is decided twice: by the rules as they were drawn, one after the
 * other, and by looking rows up the way the datapath does. What is drawn is kept in structures of this file, so
 * that neither the parser nor the compiler is asked what a rule means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "compile/policy.h"
#include "heddle/policy.h"

static const struct hd_limits limits = { .ports = 256, .networks = 16 };

struct fixture {
	struct hd_model *model;
	struct hd_tables out;
	struct hd_policy *policy;
	struct hd_error err;
};

static void fixture_make(struct fixture *f)
{
	struct hd_object *group = hd_group_default();

	*f = (struct fixture){ .model = hd_model_new() };
	assert_non_null(f->model);
	assert_int_equal(hd_model_put(f->model, group), 0);
	hd_object_unref(group);
	hd_tables_init(&f->out);
}

static void fixture_free(struct fixture *f)
{
	hd_policy_free(f->policy);
	hd_tables_done(&f->out);
	hd_model_free(f->model);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	fixture_make(*state);
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	free(*state);
	return 0;
}

/* --- objects from text --- */

__attribute__((format(printf, 4, 5))) static const struct hd_object *
put(struct fixture *f, enum hd_noun_id noun, const char *name, const char *fmt, ...)
{
	_json_ json_t *canonical = NULL;
	_json_ json_t *spec = NULL;
	struct hd_object *object = NULL, *old = hd_model_get(f->model, noun, name);
	struct hd_error err = { 0 };
	_free_ char *options = NULL;
	va_list args;

	va_start(args, fmt);
	assert_true(vasprintf(&options, fmt, args) >= 0);
	va_end(args);
	spec = json_loads(options, 0, NULL);
	if (!spec)
		fail_msg("no JSON: %s", options);
	if (hd_spec_canonical(&hd_nouns[noun], name, spec, false, &canonical, &err) < 0 ||
	    hd_object_new(&hd_nouns[noun], name, old ? old->id : 0, canonical, &object, &err) < 0)
		fail_msg("%s: %s", options, err.message);
	assert_int_equal(hd_model_put(f->model, object), 0);
	hd_object_unref(object);
	assert_int_equal(hd_model_assign_ids(f->model, &limits, NULL), 0);
	return object;
}

static int try_compile(struct fixture *f)
{
	int r;

	hd_policy_free(f->policy);
	f->policy = NULL;
	hd_tables_done(&f->out);
	hd_tables_init(&f->out);
	assert_int_equal(hd_model_validate(f->model, &f->err), 0);
	r = hd_policy_compile(f->model, &f->out, &f->policy, &f->err);
	for (int id = 0; id < HD_TABLE_COUNT; id++)
		hd_table_sort(&f->out.table[id]);
	return r;
}

static void compile(struct fixture *f)
{
	if (try_compile(f) < 0)
		fail_msg("%s", f->err.message);
}

static size_t rows(const struct fixture *f, enum hd_table_id id)
{
	return f->out.table[id].n;
}

static uint32_t gen(const struct fixture *f, const char *port)
{
	return hd_policy_gen(f->policy, hd_model_get(f->model, HD_NOUN_PORT, port));
}

/* --- random rules, and what they mean --- */

#define N_GROUPS 6
#define N_RULES 6
#define N_PORTS 10

/* One rule as it was drawn. @family: 0, 4 or 6. @proto: -1 = any. @len: -1 = no remote. @type, @code: -1 = any. */
struct rule {
	uint32_t id;
	int dir;
	int family;
	int proto;
	int first, last;
	int type, code;
	bool v6_remote;
	uint8_t remote[16];
	int len;
	int n_except;
	uint8_t except[2][16]; /* parts of the remote */
	int except_len[2];
	int group;
};

struct port {
	uint32_t network;
	bool secure;
	uint32_t groups; /* a bit each */
	uint8_t v4[4];
	uint8_t v6[16];
};

struct world {
	struct rule rules[N_GROUPS][N_RULES];
	int n_rules[N_GROUPS];
	bool isolates[N_GROUPS][2];
	struct port ports[N_PORTS];
	uint32_t last_id;
	unsigned int seed;
};

struct packet {
	int at;	    /* port that is asked */
	int dir;    /* for it */
	int remote; /* port at the other end, -1 = somewhere else */
	bool v6;
	uint8_t addr[16]; /* of the other end */
	int proto;
	uint16_t port; /* destination; ICMP: type << 8 | code */
};

static int pick(struct world *w, int n)
{
	return rand_r(&w->seed) % n;
}

static int pick_of(struct world *w, const int *list, size_t n)
{
	return list[pick(w, (int)n)];
}

#define PICK(w, ...) pick_of(w, (const int[]){ __VA_ARGS__ }, sizeof((int[]){ __VA_ARGS__ }) / 4)

static bool has_ports(int proto)
{
	return proto == 6 || proto == 17 || proto == 132 || proto == 136;
}

/* Few addresses, so that rules and packets meet: 10.x.y.z and 2001:db8:x::y of small numbers. */
static void pick_address(struct world *w, bool v6, uint8_t addr[16])
{
	memset(addr, 0, 16);
	if (v6) {
		memcpy(addr, "\x20\x01\x0d\xb8", 4);
		addr[5] = (uint8_t)PICK(w, 0, 1, 128);
		addr[8] = (uint8_t)PICK(w, 0, 255);
		addr[15] = (uint8_t)pick(w, 8);
		return;
	}
	addr[0] = 10;
	addr[1] = (uint8_t)PICK(w, 0, 1, 128);
	addr[2] = (uint8_t)PICK(w, 0, 127, 128);
	addr[3] = (uint8_t)pick(w, 16);
}

static bool same_bits(const uint8_t *a, const uint8_t *b, int len)
{
	for (int bit = 0; bit < len; bit++)
		if ((a[bit / 8] ^ b[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static void pick_remote(struct world *w, struct rule *r)
{
	bool v6 = r->family ? r->family == 6 : r->proto == 58 || (r->proto != 1 && pick(w, 2));

	r->v6_remote = v6;
	pick_address(w, v6, r->remote);
	r->len = v6 ? PICK(w, 0, 1, 31, 32, 33, 47, 48, 64, 65, 127, 128)
		    : PICK(w, 0, 1, 8, 9, 16, 17, 24, 28, 31, 32);
	for (int bit = r->len; bit < 128; bit++)
		r->remote[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

/* Some bits longer than the remote: each of them is a shape more. */
static void pick_except(struct world *w, struct rule *r)
{
	int bits = r->v6_remote ? 128 : 32;

	for (r->n_except = 0; r->n_except < pick(w, 3) && r->len < bits; r->n_except++) {
		uint8_t *addr = r->except[r->n_except];
		int len = r->len + PICK(w, 1, 2, 5);

		r->except_len[r->n_except] = len = len < bits ? len : bits;
		pick_address(w, r->v6_remote, addr);
		for (int bit = 0; bit < 128; bit++) {
			uint8_t mask = (uint8_t)(0x80 >> bit % 8);

			if (bit < r->len)
				addr[bit / 8] =
					(addr[bit / 8] & ~mask) | (r->remote[bit / 8] & mask);
			else if (bit >= len)
				addr[bit / 8] &= (uint8_t)~mask;
		}
	}
	if (r->n_except == 2 && r->except_len[0] == r->except_len[1] &&
	    !memcmp(r->except[0], r->except[1], 16))
		r->n_except = 1; /* none twice */
}

static void pick_ports(struct world *w, struct rule *r)
{
	int a = PICK(w, 0, 1, 22, 80, 1000, 1024, 4095, 4096, 32767, 65535), b = pick(w, 65536);

	if (pick(w, 3) == 0)
		b = a;
	r->first = a < b ? a : b;
	r->last = a < b ? b : a;
}

static struct rule pick_rule(struct world *w)
{
	struct rule r = { .id = ++w->last_id,
			  .dir = pick(w, 2),
			  .family = PICK(w, 0, 0, 4, 6),
			  .proto = PICK(w, -1, -1, 6, 6, 17, 1, 58, 132, 136, 47, 0, 255),
			  .last = 65535,
			  .type = -1,
			  .code = -1,
			  .len = -1,
			  .group = -1 };

	if (r.proto == 1)
		r.family = PICK(w, 0, 4);
	if (r.proto == 58)
		r.family = PICK(w, 0, 6);
	if (has_ports(r.proto) && pick(w, 3))
		pick_ports(w, &r);
	if ((r.proto == 1 || r.proto == 58) && pick(w, 3)) {
		r.type = PICK(w, 0, 8, 128, 3, 255);
		r.code = PICK(w, -1, 0, 1, 255);
	}
	switch (pick(w, 3)) {
	case 0:
		pick_remote(w, &r);
		pick_except(w, &r);
		break;
	case 1:
		r.group = pick(w, N_GROUPS);
		break;
	}
	return r;
}

/* All conditions of one rule, each by itself. @remote: groups of the other end. */
static bool rule_matches(const struct rule *r, const struct packet *p, uint32_t remote)
{
	if (r->dir != p->dir)
		return false;
	if (r->family && (r->family == 6) != p->v6)
		return false;
	if (r->proto >= 0 && r->proto != p->proto)
		return false;
	if ((r->proto == 1 && p->v6) || (r->proto == 58 && !p->v6))
		return false;
	if (has_ports(r->proto) && (p->port < r->first || p->port > r->last))
		return false;
	if (r->type >= 0 && p->port >> 8 != r->type)
		return false;
	if (r->code >= 0 && (p->port & 0xff) != r->code)
		return false;
	if (r->len >= 0 && (r->v6_remote != p->v6 || !same_bits(r->remote, p->addr, r->len)))
		return false;
	for (int i = 0; i < r->n_except; i++)
		if (same_bits(r->except[i], p->addr, r->except_len[i]))
			return false;
	return r->group < 0 || remote & 1u << r->group;
}

/* Groups of the other end: those of its port, or of the port in the same network that has the address. */
static uint32_t remote_groups(const struct world *w, const struct packet *p)
{
	const struct port *at = &w->ports[p->at];

	if (p->remote >= 0 && w->ports[p->remote].secure)
		return w->ports[p->remote].groups;
	for (int i = 0; i < N_PORTS; i++) {
		const struct port *port = &w->ports[i];

		if (port->secure && port->network == at->network &&
		    !memcmp(p->v6 ? port->v6 : port->v4, p->addr, p->v6 ? 16 : 4))
			return port->groups;
	}
	return 0;
}

/* Rules of a group for a direction that it leaves open count where nobody else closes it. */
static bool counts(const struct world *w, const struct packet *p, int group)
{
	if (w->isolates[group][p->dir])
		return true;
	for (int g = 0; g < N_GROUPS; g++)
		if (w->ports[p->at].groups & 1u << g && w->isolates[g][p->dir])
			return false;
	return true;
}

static bool naive(const struct world *w, const struct packet *p, uint32_t only_id)
{
	uint32_t remote = remote_groups(w, p);

	for (int g = 0; g < N_GROUPS; g++)
		for (int i = 0; i < w->n_rules[g]; i++)
			if (w->ports[p->at].groups & 1u << g && counts(w, p, g) &&
			    rule_matches(&w->rules[g][i], p, remote) &&
			    (!only_id || w->rules[g][i].id == only_id))
				return true;
	return false;
}

/* --- the same by the tables, as bpf/lib/policy.h does it --- */

static uint32_t set_of(const struct fixture *f, int port)
{
	const struct hd_port *view;
	char name[16];

	(void)snprintf(name, sizeof(name), "p%d", port);
	view = &hd_model_get(f->model, HD_NOUN_PORT, name)->view.port;
	return hd_set_id(view->groups, view->n_groups);
}

static uint32_t member_class(const struct fixture *f, const struct world *w, const struct packet *p)
{
	struct hd_member_key key = { .network = w->ports[p->at].network };
	const void *found;
	uint32_t class;

	if (p->remote >= 0 && w->ports[p->remote].secure)
		return set_of(f, p->remote);
	if (p->v6) {
		memcpy(key.addr, p->addr, 16);
	} else {
		key.addr[2] = htonl(0xffff);
		memcpy(&key.addr[3], p->addr, 4);
	}
	found = hd_table_find(&f->out.table[HD_TABLE_MEMBERS], &key);
	if (!found)
		return 0;
	memcpy(&class, found, sizeof(class));
	return class;
}

static void mask_address(const uint8_t *addr, int len, void *ret)
{
	uint8_t out[16] = { 0 };

	for (int bit = 0; bit < len; bit++)
		out[bit / 8] |= addr[bit / 8] & 0x80 >> bit % 8;
	memcpy(ret, out, 16);
}

/* Rule id, or 0. */
static uint32_t ask_shape(const struct fixture *f, const struct packet *p, uint32_t set,
			  const struct hd_shape *shape, uint32_t class)
{
	bool shape_v4 = shape->kind == HD_SHAPE_IPV4 || shape->kind == HD_SHAPE_GROUP4;
	struct hd_rule_key key = { .policy = set, .shape = *shape, .dir = (uint8_t)p->dir };
	const void *found;
	uint32_t id;

	if (shape_v4 == p->v6)
		return 0;
	if (shape->kind >= HD_SHAPE_GROUP4) {
		if (!class)
			return 0;
		key.remote[0] = class;
	} else {
		mask_address(p->addr, shape->addr_len, key.remote);
	}
	key.proto = shape->has_proto ? (uint8_t)p->proto : 0;
	key.port = (uint16_t)(p->port & (0xffff0000u >> shape->port_len));
	found = hd_table_find(&f->out.table[HD_TABLE_RULES], &key);
	if (!found)
		return 0;
	memcpy(&id, found, sizeof(id));
	return id;
}

static uint32_t ask(const struct fixture *f, const struct world *w, const struct packet *p)
{
	uint32_t set = set_of(f, p->at), class = member_class(f, w, p), id = 0;
	const void *found = hd_table_find(&f->out.table[HD_TABLE_SHAPES], &set);
	struct hd_shapes shapes;

	if (!found)
		return 0;
	memcpy(&shapes, found, sizeof(shapes));
	assert_true(shapes.n[p->dir] <= HD_SHAPES_MAX);
	for (uint32_t i = 0; !id && i < shapes.n[p->dir]; i++)
		id = ask_shape(f, p, set, &shapes.shape[p->dir][i], class);
	return id;
}

/* --- drawing --- */

static int tell_prefix(bool v6, const uint8_t addr[16], int len, char *to, size_t size)
{
	char text[64];

	return snprintf(to, size, "\"%s/%d\"",
			inet_ntop(v6 ? AF_INET6 : AF_INET, addr, text, sizeof(text)), len);
}

static int tell_rule(const struct rule *r, char *to, size_t size)
{
	char more[512] = "", remote[64];
	size_t n = 0;

#define MORE(...) (n += (size_t)snprintf(more + n, sizeof(more) - n, __VA_ARGS__))
	if (r->family)
		MORE(",\"ethertype\":\"ipv%d\"", r->family);
	if (r->proto >= 0)
		MORE(",\"protocol\":\"%d\"", r->proto);
	if (has_ports(r->proto) && (r->first || r->last != 65535))
		MORE(",\"port\":\"%d-%d\"", r->first, r->last);
	if (r->type >= 0)
		MORE(",\"icmp-type\":%d", r->type);
	if (r->code >= 0)
		MORE(",\"icmp-code\":%d", r->code);
	if (r->len >= 0) {
		(void)tell_prefix(r->v6_remote, r->remote, r->len, remote, sizeof(remote));
		MORE(",\"remote\":%s", remote);
	}
	for (int i = 0; i < r->n_except; i++) {
		(void)tell_prefix(r->v6_remote, r->except[i], r->except_len[i], remote,
				  sizeof(remote));
		MORE("%s%s%s", i ? "," : ",\"except\":[", remote, i + 1 < r->n_except ? "" : "]");
	}
	if (r->group >= 0)
		MORE(",\"remote-group\":\"g%d\"", r->group);
#undef MORE
	return snprintf(to, size, "{\"id\":%u,\"direction\":\"%s\"%s}", r->id,
			r->dir == HD_EGRESS ? "egress" : "ingress", more);
}

static bool same_meaning(const struct rule *a, const struct rule *b)
{
	struct rule x = *a, y = *b;

	x.id = y.id = 0;
	return !memcmp(&x, &y, sizeof(x));
}

static void put_group(struct fixture *f, struct world *w, int g)
{
	char text[4096] = "", name[16];
	size_t n = 0;

	(void)snprintf(name, sizeof(name), "g%d", g);
	for (int i = 0; i < w->n_rules[g]; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, i ? "," : "") +
		     (size_t)tell_rule(&w->rules[g][i], text + n + !!i, sizeof(text) - n - 1);
	put(f, HD_NOUN_GROUP, name, "{%s\"rules\":[%s]}",
	    w->isolates[g][0] && w->isolates[g][1] ? ""
	    : w->isolates[g][HD_INGRESS]	   ? "\"isolate\":[\"ingress\"],"
						   : "\"isolate\":[\"egress\"],",
	    text);
}

/* No rule twice in one group: that is refused. */
static void pick_group(struct world *w, int g)
{
	int open = PICK(w, -1, -1, HD_INGRESS, HD_EGRESS);

	w->isolates[g][HD_INGRESS] = open != HD_INGRESS;
	w->isolates[g][HD_EGRESS] = open != HD_EGRESS;
	w->n_rules[g] = 0;
	for (int want = pick(w, N_RULES + 1); want > 0; want--) {
		struct rule r;
		bool there = false;

		memset(&r, 0, sizeof(r));
		r = pick_rule(w);
		for (int i = 0; i < w->n_rules[g]; i++)
			there |= same_meaning(&w->rules[g][i], &r);
		if (!there)
			w->rules[g][w->n_rules[g]++] = r;
	}
}

static void put_port(struct fixture *f, struct world *w, int i)
{
	struct port *port = &w->ports[i];
	char groups[128] = "", name[16], v4[32], v6[64];
	size_t n = 0;

	(void)snprintf(name, sizeof(name), "p%d", i);
	for (int k = 0; k < N_GROUPS; k++) {
		int g = i % 2 ? k
			      : N_GROUPS - 1 -
					k; /* in which order they are named does not matter */

		if (port->groups & 1u << g)
			n += (size_t)snprintf(groups + n, sizeof(groups) - n, "%s\"g%d\"",
					      n ? "," : "", g);
	}
	put(f, HD_NOUN_PORT, name,
	    "{\"network\":\"net%u\",\"device\":\"d%d\",\"ip\":[\"%s\",\"%s\"],%s%s%s}",
	    port->network, i, inet_ntop(AF_INET, port->v4, v4, sizeof(v4)),
	    inet_ntop(AF_INET6, port->v6, v6, sizeof(v6)),
	    port->secure ? "\"security-group\":[" : "\"no-security\":true", groups,
	    port->secure ? "]" : "");
}

static void draw(struct fixture *f, struct world *w)
{
	put(f, HD_NOUN_NETWORK, "net1", "{\"type\":\"local\"}");
	put(f, HD_NOUN_NETWORK, "net2", "{\"type\":\"local\"}");
	for (int g = 0; g < N_GROUPS; g++) {
		pick_group(w, g);
		put_group(f, w, g);
	}
	for (int i = 0; i < N_PORTS; i++) {
		struct port *port = &w->ports[i];
		uint8_t addr[16];

		port->network = 1 + (uint32_t)pick(w, 2);
		port->secure = pick(w, 5);
		port->groups = port->secure ? 1u << pick(w, N_GROUPS) | 1u << pick(w, N_GROUPS) : 0;
		pick_address(w, false, addr);
		addr[3] = (uint8_t)i; /* nobody else's */
		memcpy(port->v4, addr, 4);
		pick_address(w, true, port->v6);
		port->v6[15] = (uint8_t)i;
		put_port(f, w, i);
	}
	compile(f);
}

static struct packet pick_packet(struct world *w)
{
	struct packet p = { .remote = -1, .dir = pick(w, 2), .v6 = pick(w, 2) };

	do
		p.at = pick(w, N_PORTS);
	while (!w->ports[p.at].secure && pick(w, 100));
	p.proto = PICK(w, 6, 6, 17, 132, 136, 47, 0, 255, p.v6 ? 58 : 1, p.v6 ? 1 : 58);
	if (has_ports(p.proto))
		p.port = (uint16_t)(pick(w, 2) ? PICK(w, 0, 22, 80, 1000, 1024, 4095, 4096, 65535)
					       : pick(w, 65536));
	else if (p.proto == 1 || p.proto == 58)
		p.port = (uint16_t)(PICK(w, 0, 8, 128, 3, 255) << 8 | PICK(w, 0, 1, 255));
	pick_address(w, p.v6, p.addr);
	if (pick(w, 2)) {
		int other = pick(w, N_PORTS);

		if (w->ports[other].network == w->ports[p.at].network && pick(w, 3))
			p.remote =
				other; /* else only its address says who it is, if it is of this network */
		if (pick(w, 4))
			memcpy(p.addr, p.v6 ? w->ports[other].v6 : w->ports[other].v4,
			       p.v6 ? 16 : 4);
	}
	return p;
}

static void disagree(struct world *w, const struct packet *p, uint32_t id, unsigned int seed)
{
	char text[512], addr[64];

	print_error("seed %u: port p%d %s v%d proto %d port %u remote %d %s: tables say rule %u\n",
		    seed, p->at, p->dir ? "ingress" : "egress", p->v6 ? 6 : 4, p->proto, p->port,
		    p->remote, inet_ntop(p->v6 ? AF_INET6 : AF_INET, p->addr, addr, sizeof(addr)),
		    id);
	for (int g = 0; g < N_GROUPS; g++)
		for (int i = 0; i < w->n_rules[g]; i++)
			if (w->ports[p->at].groups & 1u << g) {
				(void)tell_rule(&w->rules[g][i], text, sizeof(text));
				print_error("  g%d %s\n", g, text);
			}
	fail();
}

/* Models and packets for each: MODELS * PACKETS cases. Both answers must be frequent, else nothing is tested. */
#define MODELS 1500
#define PACKETS 60

static void rows_say_what_rules_say(void **state)
{
	unsigned int cases = 0, allowed = 0;

	(void)state;
	for (unsigned int seed = 1; seed <= MODELS; seed++) {
		struct world w;
		struct fixture f;

		memset(&w, 0, sizeof(w));
		w.seed = seed;
		w.last_id = 2;
		fixture_make(&f);
		draw(&f, &w);
		for (int i = 0; i < PACKETS; i++) {
			struct packet p = pick_packet(&w);
			uint32_t id;

			if (!w.ports[p.at].secure)
				continue;
			id = ask(&f, &w, &p);
			if (naive(&w, &p, 0) != !!id || (id && !naive(&w, &p, id)))
				disagree(&w, &p, id, seed);
			cases++;
			allowed += !!id;
		}
		fixture_free(&f);
	}
	assert_true(cases >= 10000);
	assert_true(allowed > cases / 10 && allowed < cases / 10 * 9);
}

/* Whatever the order of objects, the tables are the same to the byte, and so are the generations. */
static void deterministic(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 20; seed++) {
		struct fixture f, g;
		struct world w;

		memset(&w, 0, sizeof(w));
		w.seed = seed;
		fixture_make(&f);
		draw(&f, &w);
		g = (struct fixture){ .model = hd_model_copy(f.model) };
		hd_model_sort(g.model);
		hd_tables_init(&g.out);
		compile(&g);
		for (int id = 0; id < HD_TABLE_COUNT; id++) {
			const struct hd_table *a = &f.out.table[id], *b = &g.out.table[id];

			assert_int_equal(a->n, b->n);
			if (a->n)
				assert_memory_equal(a->rows, b->rows,
						    a->n * (a->key_size + a->value_size));
		}
		hd_model_each(f.model, HD_NOUN_PORT, port)
			assert_int_equal(gen(&f, port->name), gen(&g, port->name));
		fixture_free(&g);
		fixture_free(&f);
	}
}

/* --- ids of sets --- */

static void set_ids(void **state)
{
	const char *const ab[] = { "a", "b" }, *const joined[] = { "ab" },
			  *const ba[] = { "b", "a" };
	const char *const a[] = { "a" }, *const abc[] = { "a", "bc" },
			  *const abc2[] = { "ab", "c" };

	(void)state;
	assert_int_equal(hd_set_id(ab, 2), hd_set_id(ab, 2));
	assert_int_not_equal(hd_set_id(ab, 2), hd_set_id(joined, 1));
	assert_int_not_equal(hd_set_id(ab, 2), hd_set_id(a, 1));
	assert_int_not_equal(hd_set_id(ab, 2), hd_set_id(ba, 2)); /* callers sort */
	assert_int_not_equal(hd_set_id(abc, 2), hd_set_id(abc2, 2));
	for (unsigned int i = 0; i < 1000; i++) {
		char name[16];
		const char *const one[] = { name };

		(void)snprintf(name, sizeof(name), "g%u", i);
		assert_int_not_equal(hd_set_id(one, 1), 0);
	}
}

struct named {
	uint32_t id;
	unsigned int number;
};

static int compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

#define NAMES 400000

/* Names that differ in all letters: those that differ in one only never collide. */
static void random_name(unsigned int number, char name[16])
{
	unsigned int seed = number + 1;

	for (int i = 0; i < 15; i++)
		name[i] = (char)('a' + rand_r(&seed) % 26);
	name[15] = '\0';
}

/* Two names with the same number: it must be said, not mixed up. They are found by looking for them. */
static void set_ids_that_collide(void **state)
{
	_free_ struct named *all = calloc(NAMES, sizeof(*all));
	struct fixture *f = *state;
	char name[2][16] = { "", "" };

	for (unsigned int i = 0; i < NAMES; i++) {
		const char *const one[] = { name[0] };

		random_name(i, name[0]);
		all[i] = (struct named){ hd_set_id(one, 1), i };
	}
	qsort(all, NAMES, sizeof(*all), compare_named);
	for (unsigned int i = 1; i < NAMES; i++)
		if (all[i].id == all[i - 1].id) {
			random_name(all[i - 1].number, name[0]);
			random_name(all[i].number, name[1]);
		}
	assert_true(name[1][0]);
	put(f, HD_NOUN_NETWORK, "blue", "{\"type\":\"local\"}");
	for (int i = 0; i < 2; i++) {
		put(f, HD_NOUN_GROUP, name[i], "{\"rules\":[{\"id\":%d,\"direction\":\"egress\"}]}",
		    i + 3);
		put(f, HD_NOUN_PORT, name[i],
		    "{\"network\":\"blue\",\"device\":\"d%d\",\"security-group\":[\"%s\"]}", i,
		    name[i]);
	}
	assert_int_equal(try_compile(f), -EEXIST);
	assert_non_null(strstr(f->err.message, "same number"));
	assert_true(f->err.hint[0]);
	assert_null(f->policy);
}

/* --- shapes and rows --- */

static void put_one_port(struct fixture *f, const char *groups)
{
	put(f, HD_NOUN_NETWORK, "blue", "{\"type\":\"local\"}");
	put(f, HD_NOUN_PORT, "web1",
	    "{\"network\":\"blue\",\"device\":\"d\",\"mac\":\"02:00:00:00:00:01\",\"security-group\":[%s]}",
	    groups);
}

/* Rules for prefixes of lengths 0 to @n - 1. */
static void put_lengths(struct fixture *f, int n)
{
	_free_ char *text = calloc(1, 65536);
	size_t at = 0;

	for (int i = 0; i < n; i++)
		at += (size_t)snprintf(
			text + at, 65536 - at,
			"%s{\"id\":%d,\"direction\":\"ingress\",\"remote\":\"::/%d\"}",
			i ? "," : "", i + 3, i);
	put(f, HD_NOUN_GROUP, "wide", "{\"rules\":[%s]}", text);
}

static void too_many_shapes(void **state)
{
	struct fixture *f = *state;

	put_lengths(f, HD_SHAPES_MAX);
	put_one_port(f, "\"wide\"");
	compile(f);
	put_lengths(f, HD_SHAPES_MAX + 1);
	assert_int_equal(try_compile(f), -EOVERFLOW);
	assert_non_null(strstr(f->err.message, "port web1: the ingress rules of its 1 security "
					       "groups (wide) have more than 64"));
	assert_true(f->err.hint[0]);
	assert_int_equal(f->err.code, HD_ERR_INVALID);
	assert_null(f->policy);
}

/* The limit is for each direction, and does not count a shape twice. */
static void shapes_are_shared(void **state)
{
	const void *found;
	struct fixture *f = *state;
	struct hd_shapes shapes;
	uint32_t set;

	put(f, HD_NOUN_GROUP, "web",
	    "{\"rules\":["
	    "{\"id\":3,\"direction\":\"ingress\",\"protocol\":\"tcp\",\"port\":\"80\",\"remote\":\"10.0.0.0/8\"},"
	    "{\"id\":4,\"direction\":\"ingress\",\"protocol\":\"udp\",\"port\":\"53\",\"remote\":\"11.0.0.0/8\"},"
	    "{\"id\":5,\"direction\":\"ingress\",\"remote\":\"0.0.0.0/0\"},"
	    "{\"id\":6,\"direction\":\"egress\",\"ethertype\":\"ipv4\"}]}");
	put_one_port(f, "\"web\"");
	compile(f);
	set = hd_set_id((const char *const[]){ "web" }, 1);
	found = hd_table_find(&f->out.table[HD_TABLE_SHAPES], &set);
	assert_non_null(found);
	memcpy(&shapes, found, sizeof(shapes));
	assert_int_equal(shapes.n[HD_INGRESS], 2);
	assert_int_equal(shapes.n[HD_EGRESS], 1);
	assert_int_equal(shapes.shape[HD_INGRESS][0].addr_len, 8); /* most exact first */
	assert_int_equal(shapes.shape[HD_INGRESS][1].addr_len, 0);
	assert_int_equal(rows(f, HD_TABLE_RULES), 4);
}

/* Ports of the same groups share one policy; one without security has none. */
static void policies_are_shared(void **state)
{
	struct fixture *f = *state;
	size_t n;

	put(f, HD_NOUN_GROUP, "a", "{\"rules\":[{\"id\":3,\"direction\":\"egress\"}]}");
	put(f, HD_NOUN_GROUP, "b", "{\"rules\":[{\"id\":4,\"direction\":\"egress\"}]}");
	put_one_port(f, "\"a\",\"b\"");
	compile(f);
	n = rows(f, HD_TABLE_RULES);
	assert_int_equal(rows(f, HD_TABLE_SHAPES), 1);
	for (int i = 0; i < 50; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "more%d", i);
		put(f, HD_NOUN_PORT, name, "{\"network\":\"blue\",\"device\":\"m%d\",%s}", i,
		    i % 5 ? "\"security-group\":[\"b\",\"a\"]" : "\"no-security\":true");
	}
	compile(f);
	assert_int_equal(rows(f, HD_TABLE_SHAPES), 1);
	assert_int_equal(rows(f, HD_TABLE_RULES), n);
	assert_int_equal(n, 2); /* both groups say the same: one row for each family */
}

#define MOST_ROWS 120

/* Which ports the rows of one rule cover; each once. */
static void assert_covers(struct fixture *f, unsigned int first, unsigned int last)
{
	const struct hd_table *t = &f->out.table[HD_TABLE_RULES];
	static uint8_t covered[65536];

	memset(covered, 0, sizeof(covered));
	for (size_t i = 0; i < t->n; i++) {
		struct hd_rule_key key;

		memcpy(&key, hd_table_key(t, i), sizeof(key));
		assert_int_equal(key.port & (0xffffu >> key.shape.port_len), 0);
		for (uint32_t p = 0; p < 1u << (16 - key.shape.port_len); p++)
			assert_int_equal(covered[key.port + p]++, 0);
	}
	for (unsigned int p = 0; p < 65536; p++)
		assert_int_equal(covered[p], p >= first && p <= last);
	assert_true(t->n <= MOST_ROWS);
}

static void port_ranges(void **state)
{
	static const unsigned int corners[][2] = {
		{ 0, 65535 }, { 0, 0 },		{ 65535, 65535 }, { 1, 65534 },
		{ 1, 65535 }, { 0, 65534 },	{ 80, 80 },	  { 1024, 65535 },
		{ 0, 1023 },  { 32767, 32768 }, { 15, 16 },	  { 17, 4094 }
	};
	struct fixture *f = *state;
	unsigned int seed = 5;

	put(f, HD_NOUN_GROUP, "web", "{\"rules\":[]}");
	put_one_port(f, "\"web\"");
	for (size_t i = 0; i < 300; i++) {
		unsigned int a = (unsigned int)rand_r(&seed) % 65536,
			     b = (unsigned int)rand_r(&seed) % 65536;
		unsigned int first = a < b ? a : b, last = a < b ? b : a;

		if (i < sizeof(corners) / sizeof(corners[0])) {
			first = corners[i][0];
			last = corners[i][1];
		}
		put(f, HD_NOUN_GROUP, "web",
		    "{\"rules\":[{\"id\":3,\"direction\":\"egress\",\"ethertype\":\"ipv4\","
		    "\"protocol\":\"tcp\",\"port\":\"%u-%u\"}]}",
		    first, last);
		compile(f);
		assert_covers(f, first, last);
	}
}

/* --- generations --- */

#define RULE(id, more) "{\"id\":" #id ",\"direction\":\"ingress\"" more "}"

static void put_gen_world(struct fixture *f)
{
	put(f, HD_NOUN_NETWORK, "blue", "{\"type\":\"local\"}");
	put(f, HD_NOUN_GROUP, "web",
	    "{\"rules\":[" RULE(3, ",\"protocol\":\"tcp\"") "," RULE(
		    4, ",\"remote-group\":\"db\"") "," RULE(5, ",\"remote\":\"10.0.0.0/8\"") "]}");
	put(f, HD_NOUN_GROUP, "db", "{\"rules\":[" RULE(6, "") "]}");
	put(f, HD_NOUN_GROUP, "other", "{\"rules\":[" RULE(7, ",\"remote-group\":\"web\"") "]}");
	put(f, HD_NOUN_PORT, "web1",
	    "{\"network\":\"blue\",\"device\":\"a\",\"mac\":\"02:00:00:00:00:01\",\"ip\":[\"10.0.0.1\"],"
	    "\"security-group\":[\"web\"]}");
	put(f, HD_NOUN_PORT, "db1",
	    "{\"network\":\"blue\",\"device\":\"b\",\"ip\":[\"10.0.0.2\"],\"security-group\":[\"db\"]}");
	put(f, HD_NOUN_PORT, "free", "{\"network\":\"blue\",\"device\":\"c\"}");
}

/* A change of one object, and whether it matters to flows of port web1. */
static const struct {
	const char *what;
	enum hd_noun_id noun;
	const char *name;
	const char *spec;
	bool matters;
} changes[] = {
#define WEB1(more) "{\"network\":\"blue\",\"device\":\"a\"" more "}"
#define MAC1 ",\"mac\":\"02:00:00:00:00:01\""
#define IP1 ",\"ip\":[\"10.0.0.1\"]"
#define IN_WEB ",\"security-group\":[\"web\"]"
	{ "nothing", HD_NOUN_PORT, "web1", WEB1(MAC1 IP1 IN_WEB), false },
	{ "label", HD_NOUN_PORT, "web1", WEB1(MAC1 IP1 IN_WEB ",\"label\":[\"a=b\"]"), false },
	{ "rate", HD_NOUN_PORT, "web1", WEB1(MAC1 IP1 IN_WEB ",\"ingress-rate\":\"1mbit\""),
	  false },
	{ "mtu", HD_NOUN_PORT, "web1", WEB1(MAC1 IP1 IN_WEB ",\"mtu\":1400"), false },
	{ "no mac", HD_NOUN_PORT, "web1", WEB1(IP1 IN_WEB), true },
	{ "mac", HD_NOUN_PORT, "web1", WEB1(",\"mac\":\"02:00:00:00:00:02\"" IP1 IN_WEB), true },
	{ "no ip", HD_NOUN_PORT, "web1", WEB1(MAC1 IN_WEB), true },
	{ "ip", HD_NOUN_PORT, "web1", WEB1(MAC1 ",\"ip\":[\"10.0.0.9\"]" IN_WEB), true },
	{ "allowed", HD_NOUN_PORT, "web1",
	  WEB1(MAC1 IP1 IN_WEB ",\"allowed-address\":[\"10.0.0.8\"]"), true },
	{ "isolated", HD_NOUN_PORT, "web1", WEB1(MAC1 IP1 IN_WEB ",\"isolated\":true"), true },
	{ "hairpin", HD_NOUN_PORT, "web1", WEB1(MAC1 IP1 IN_WEB ",\"hairpin\":true"), true },
	{ "no security", HD_NOUN_PORT, "web1", WEB1(MAC1 IP1 ",\"no-security\":true"), true },
	{ "other group", HD_NOUN_PORT, "web1", WEB1(MAC1 IP1 ",\"security-group\":[\"db\"]"),
	  true },
	{ "one group more", HD_NOUN_PORT, "web1",
	  WEB1(MAC1 IP1 ",\"security-group\":[\"db\",\"web\"]"), true },
	{ "order of rules", HD_NOUN_GROUP, "web",
	  "{\"rules\":[" RULE(5, ",\"remote\":\"10.0.0.0/8\"") "," RULE(
		  4, ",\"remote-group\":\"db\"") "," RULE(3, ",\"protocol\":\"tcp\"") "]}",
	  false },
	{ "rule gone", HD_NOUN_GROUP, "web",
	  "{\"rules\":[" RULE(5, ",\"remote\":\"10.0.0.0/8\"") "," RULE(
		  4, ",\"remote-group\":\"db\"") "]}",
	  true },
	{ "rule changed", HD_NOUN_GROUP, "web",
	  "{\"rules\":[" RULE(3, ",\"protocol\":\"udp\"") "," RULE(
		  4, ",\"remote-group\":\"db\"") "," RULE(5, ",\"remote\":\"10.0.0.0/8\"") "]}",
	  true },
	{ "rule has another number", HD_NOUN_GROUP, "web",
	  "{\"rules\":[" RULE(9, ",\"protocol\":\"tcp\"") "," RULE(
		  4, ",\"remote-group\":\"db\"") "," RULE(5, ",\"remote\":\"10.0.0.0/8\"") "]}",
	  true },
	{ "two rules swap numbers", HD_NOUN_GROUP, "web",
	  "{\"rules\":[" RULE(5, ",\"protocol\":\"tcp\"") "," RULE(
		  4, ",\"remote-group\":\"db\"") "," RULE(3, ",\"remote\":\"10.0.0.0/8\"") "]}",
	  true },
	{ "rule of a group it is not in", HD_NOUN_GROUP, "other", "{\"rules\":[]}", false },
	{ "rule of a remote group", HD_NOUN_GROUP, "db", "{\"rules\":[]}", false },
	{ "new member of a remote group", HD_NOUN_PORT, "db2",
	  "{\"network\":\"blue\",\"device\":\"e\",\"ip\":[\"10.0.0.3\"],\"security-group\":[\"db\"]}",
	  true },
	{ "member of a remote group leaves", HD_NOUN_PORT, "db1",
	  "{\"network\":\"blue\",\"device\":\"b\",\"ip\":[\"10.0.0.2\"]}", true },
	{ "member of a remote group has another address", HD_NOUN_PORT, "db1",
	  "{\"network\":\"blue\",\"device\":\"b\",\"ip\":[\"10.0.0.7\"],\"security-group\":[\"db\"]}",
	  true },
	{ "member of a remote group may send from another address too", HD_NOUN_PORT, "db1",
	  "{\"network\":\"blue\",\"device\":\"b\",\"ip\":[\"10.0.0.2\"],\"security-group\":[\"db\"],"
	  "\"allowed-address\":[\"10.0.0.7\"]}",
	  true },
	{ "member of a remote group is in another group too", HD_NOUN_PORT, "db1",
	  "{\"network\":\"blue\",\"device\":\"b\",\"ip\":[\"10.0.0.2\"],\"security-group\":[\"db\",\"other\"]}",
	  true },
	{ "new member of its own group, that nobody names", HD_NOUN_PORT, "web2",
	  "{\"network\":\"blue\",\"device\":\"e\",\"security-group\":[\"web\"]}", false },
	{ "new port of another group", HD_NOUN_PORT, "new",
	  "{\"network\":\"blue\",\"device\":\"e\",\"security-group\":[\"other\"]}", false },
	{ "another port's address", HD_NOUN_PORT, "free",
	  "{\"network\":\"blue\",\"device\":\"c\",\"ip\":[\"10.0.0.99\"]}", false },
};

static void generations(void **state)
{
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct fixture f;
		uint32_t was;

		fixture_make(&f);
		put_gen_world(&f);
		compile(&f);
		was = gen(&f, "web1");
		put(&f, changes[i].noun, changes[i].name, "%s", changes[i].spec);
		compile(&f);
		if ((gen(&f, "web1") != was) != changes[i].matters) {
			print_error("%s: generation %s\n", changes[i].what,
				    changes[i].matters ? "stays" : "changes");
			wrong++;
		}
		fixture_free(&f);
	}
	assert_int_equal(wrong, 0);
}

/* Whoever may use any address but the gateway's is judged by what the gateway's is. */
static void generation_and_gateway(void **state)
{
	struct fixture *f = *state;
	uint32_t was;

	put_gen_world(f);
	put(f, HD_NOUN_SUBNET, "s", "{\"network\":\"blue\",\"cidr\":\"10.0.0.0/24\"}");
	compile(f);
	was = gen(f, "free");
	put(f, HD_NOUN_SUBNET, "s",
	    "{\"network\":\"blue\",\"cidr\":\"10.0.0.0/24\",\"gateway\":\"10.0.0.254\"}");
	compile(f);
	assert_int_not_equal(gen(f, "free"), was);
}

/* Generations are added for the two ends, so equal ports must differ. */
static void generations_differ(void **state)
{
	struct fixture *f = *state;

	put_gen_world(f);
	put(f, HD_NOUN_PORT, "twin", "{\"network\":\"blue\",\"device\":\"x\"}");
	compile(f);
	assert_int_not_equal(gen(f, "free"), gen(f, "twin"));
	assert_int_not_equal(gen(f, "web1"), gen(f, "db1"));
}

/* --- members, sources, gateways --- */

static struct hd_member_key member_key(uint32_t network, const char *text)
{
	struct hd_member_key key = { .network = network };
	struct hd_ip ip;

	assert_int_equal(hd_ip_parse(text, &ip), 0);
	memcpy(key.addr, ip.bytes, 16);
	return key;
}

static uint32_t address_row(struct fixture *f, enum hd_table_id id, uint32_t network,
			    const char *text)
{
	struct hd_member_key key = member_key(network, text);
	const void *found = hd_table_find(&f->out.table[id], &key);
	uint32_t value = 0;

	if (found)
		memcpy(&value, found, sizeof(value));
	return value;
}

static bool source_row(struct fixture *f, const char *port, const uint8_t mac[6], const char *text,
		       uint32_t len)
{
	struct hd_source_key key = { .prefix_len = 96 + len,
				     .port = hd_model_get(f->model, HD_NOUN_PORT, port)->id };
	struct hd_ip ip;

	assert_int_equal(hd_ip_parse(text, &ip), 0);
	memcpy(key.addr, ip.bytes, 16);
	if (mac)
		memcpy(key.mac, mac, 6);
	return hd_table_find(&f->out.table[HD_TABLE_SOURCES], &key);
}

static const uint8_t mac_1[6] = { 2, 0, 0, 0, 0, 1 }, mac_9[6] = { 2, 0, 0, 0, 0, 9 };

static void members(void **state)
{
	struct fixture *f = *state;
	uint32_t def = hd_set_id((const char *const[]){ "default" }, 1);

	put(f, HD_NOUN_NETWORK, "blue", "{\"type\":\"local\"}");
	put(f, HD_NOUN_NETWORK, "red", "{\"type\":\"local\"}");
	put(f, HD_NOUN_PORT, "web1",
	    "{\"network\":\"blue\",\"device\":\"a\",\"ip\":[\"192.0.2.1\",\"2001:db8::1/64\"],"
	    "\"allowed-address\":[\"192.0.2.7\",\"192.0.2.64/26\"]}");
	put(f, HD_NOUN_PORT, "open",
	    "{\"network\":\"blue\",\"device\":\"b\",\"ip\":[\"192.0.2.2\"],\"no-security\":true}");
	compile(f);
	assert_int_equal(address_row(f, HD_TABLE_MEMBERS, 1, "192.0.2.1"), def);
	assert_int_equal(address_row(f, HD_TABLE_MEMBERS, 1, "2001:db8::1"), def);
	assert_int_equal(address_row(f, HD_TABLE_MEMBERS, 1, "192.0.2.7"), def);
	assert_int_equal(address_row(f, HD_TABLE_MEMBERS, 1, "192.0.2.2"), 0);
	assert_int_equal(address_row(f, HD_TABLE_MEMBERS, 2, "192.0.2.1"), 0);
	assert_int_equal(rows(f, HD_TABLE_MEMBERS), 3);
}

static void sources(void **state)
{
	struct fixture *f = *state;

	put(f, HD_NOUN_NETWORK, "blue", "{\"type\":\"local\"}");
	put(f, HD_NOUN_PORT, "web1",
	    "{\"network\":\"blue\",\"device\":\"a\",\"mac\":\"02:00:00:00:00:01\",\"ip\":[\"192.0.2.1/24\"],"
	    "\"allowed-address\":[\"192.0.2.7\",\"198.51.100.0/24,02:00:00:00:00:09\",\"2001:db8::/64\",\"0.0.0.0/0\"]}");
	put(f, HD_NOUN_PORT, "bare",
	    "{\"network\":\"blue\",\"device\":\"b\",\"ip\":[\"2001:db8::2\"],"
	    "\"allowed-address\":[\"198.51.100.0/24,02:00:00:00:00:09\"]}");
	put(f, HD_NOUN_PORT, "open",
	    "{\"network\":\"blue\",\"device\":\"c\",\"no-security\":true}");
	compile(f);
	/* RFC 4291 appendix A: the universal bit is turned, ff:fe in the middle. */
	assert_true(source_row(f, "web1", mac_1, "fe80::ff:fe00:1", 128));
	assert_true(source_row(f, "web1", mac_1, "192.0.2.1", 128));
	assert_true(source_row(f, "web1", mac_1, "192.0.2.7", 128));
	assert_true(source_row(f, "web1", mac_9, "198.51.100.0", 96 + 24));
	assert_true(source_row(f, "web1", mac_1, "2001:db8::", 64));
	assert_true(source_row(f, "web1", mac_1, "0.0.0.0", 96));
	assert_true(source_row(f, "bare", NULL, "fe80::", 10));
	assert_true(source_row(f, "bare", NULL, "2001:db8::2", 128));
	assert_true(source_row(f, "bare", NULL, "198.51.100.0", 96 + 24));
	assert_int_equal(rows(f, HD_TABLE_SOURCES), 9);
}

/* A prefix is one entry of the trie however it is written; two keys for it would delete each other. */
static void sources_are_masked(void **state)
{
	struct fixture *f = *state;

	put(f, HD_NOUN_NETWORK, "blue", "{\"type\":\"local\"}");
	put(f, HD_NOUN_PORT, "web1",
	    "{\"network\":\"blue\",\"device\":\"a\",\"mac\":\"02:00:00:00:00:01\","
	    "\"allowed-address\":[\"198.51.100.0/24\",\"2001:db8::/64\"]}");
	compile(f);
	assert_true(source_row(f, "web1", mac_1, "198.51.100.0", 96 + 24));
	assert_true(source_row(f, "web1", mac_1, "2001:db8::", 64));
	assert_int_equal(rows(f, HD_TABLE_SOURCES), 3);
}

static void gateways(void **state)
{
	struct fixture *f = *state;

	put(f, HD_NOUN_NETWORK, "blue", "{\"type\":\"local\"}");
	put(f, HD_NOUN_NETWORK, "red", "{\"type\":\"local\"}");
	put(f, HD_NOUN_SUBNET, "a",
	    "{\"network\":\"blue\",\"cidr\":\"192.0.2.0/24\",\"gateway\":\"192.0.2.254\"}");
	put(f, HD_NOUN_SUBNET, "b",
	    "{\"network\":\"red\",\"cidr\":\"2001:db8::/64\",\"gateway\":\"2001:db8::1\"}");
	put(f, HD_NOUN_SUBNET, "c", "{\"network\":\"red\",\"cidr\":\"198.51.100.0/24\"}");
	compile(f);
	assert_int_equal(address_row(f, HD_TABLE_GATEWAYS, 1, "192.0.2.254"), 1);
	assert_int_equal(address_row(f, HD_TABLE_GATEWAYS, 2, "2001:db8::1"), 1);
	assert_int_equal(rows(f, HD_TABLE_GATEWAYS), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_say_what_rules_say),
		cmocka_unit_test(deterministic),
		cmocka_unit_test(set_ids),
		TEST(set_ids_that_collide),
		TEST(too_many_shapes),
		TEST(shapes_are_shared),
		TEST(policies_are_shared),
		TEST(port_ranges),
		cmocka_unit_test(generations),
		TEST(generation_and_gateway),
		TEST(generations_differ),
		TEST(members),
		TEST(sources),
		TEST(sources_are_masked),
		TEST(gateways),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
