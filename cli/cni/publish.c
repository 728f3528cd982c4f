// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* publish.c - portMappings: ports of the host that lead to a container */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cli/cni/cni.h"
#include "loader/cleanup.h"

/**
 * struct mapping - one of them
 * @ip: where it listens, as people write it first; "" = everywhere
 */
struct mapping {
	json_int_t host;
	json_int_t container;
	const char *protocol;
	char ip[INET6_ADDRSTRLEN];
};

static const json_t *mappings_of(const struct hd_cni *cni)
{
	return json_object_get(cni->runtime, "portMappings");
}

bool hd_cni_published(const struct hd_cni *cni)
{
	return json_array_size(mappings_of(cni)) > 0;
}

/* What is no address the daemon refuses. */
static void read_ip(const char *text, char ret[INET6_ADDRSTRLEN])
{
	uint8_t addr[16];

	(void)snprintf(ret, INET6_ADDRSTRLEN, "%s",
		       strlen(text) < INET6_ADDRSTRLEN ? text : "too long");
	if (inet_pton(AF_INET6, text, addr) == 1)
		(void)inet_ntop(AF_INET6, addr, ret, INET6_ADDRSTRLEN);
}

static int read_mapping(const json_t *json, struct mapping *ret, struct hd_cni_error *err)
{
	const char *ip = "";

	*ret = (struct mapping){ .protocol = "tcp" };
	if (!json_is_object(json))
		return hd_cni_fail(err, HD_CNI_CONF, "portMappings: one of them is not an object");
	if (hd_cni_number(json, "hostPort", 0, 65535, &ret->host, err) < 0 ||
	    hd_cni_number(json, "containerPort", 1, 65535, &ret->container, err) < 0 ||
	    hd_cni_text(json, "protocol", &ret->protocol, err) < 0 ||
	    hd_cni_text(json, "hostIP", &ip, err) < 0)
		return -1;
	read_ip(ip, ret->ip);
	if (!ret->container)
		return hd_cni_fail(err, HD_CNI_CONF, "portMappings: containerPort is missing");
	if (!strcasecmp(ret->protocol, "tcp"))
		ret->protocol = "tcp";
	else if (!strcasecmp(ret->protocol, "udp"))
		ret->protocol = "udp";
	else
		return hd_cni_fail(err, HD_CNI_UNSUPPORTED,
				   "portMappings: protocol %.40s: tcp and udp are published",
				   ret->protocol);
	return 0;
}

/* Of no other machine, whatever the network is. */
static bool is_for_host(const struct mapping *mapping)
{
	return !strncmp(mapping->ip, "127.", 4) || !strcmp(mapping->ip, "::1");
}

/* As with sockets: no address, and ::, are all of both families; 0.0.0.0 is all of IPv4. */
static bool is_everywhere(const struct mapping *mapping)
{
	return !*mapping->ip || !strcmp(mapping->ip, "::");
}

static bool is_of(const struct mapping *mapping, bool v6)
{
	return is_everywhere(mapping) || (strchr(mapping->ip, ':') != NULL) == v6;
}

static bool has_rule(const json_t *rules, const char *ethertype, const char *port,
		     const char *protocol, const char *remote)
{
	const json_t *rule;
	size_t i;

	json_array_foreach(rules, i, rule) {
		const char *from = json_string_value(json_object_get(rule, "remote"));

		if (!strcmp(json_string_value(json_object_get(rule, "ethertype")), ethertype) &&
		    !strcmp(json_string_value(json_object_get(rule, "port")), port) &&
		    !strcmp(json_string_value(json_object_get(rule, "protocol")), protocol) &&
		    (!from || (remote && !strcmp(from, remote))))
			return true;
	}
	return false;
}

/* @remote: NULL for everybody */
static void add_rule(json_t *rules, const char *ethertype, const struct mapping *mapping,
		     const char *remote)
{
	char port[16];
	json_t *rule;

	(void)snprintf(port, sizeof(port), "%d", (int)mapping->container);
	if (has_rule(rules, ethertype, port, mapping->protocol, remote))
		return;
	rule = json_pack("{s:s, s:s, s:s, s:s}", "direction", "ingress", "ethertype", ethertype,
			 "protocol", mapping->protocol, "port", port);
	if (remote)
		(void)json_object_set_new(rule, "remote", json_string(remote));
	(void)json_array_append_new(rules, rule);
}

/* Who asks at 127.0.0.1 or ::1 is the host, and comes by one of its legs in the network. */
static int add_host_rules(struct hd_cni *cni, json_t *rules, const struct mapping *mapping,
			  struct hd_cni_error *err)
{
	_json_ json_t *ports = NULL;
	const json_t *port, *ip;
	size_t i, k;

	if (hd_cni_get(cni, "/v1/ports", &ports, err) < 0)
		return -1;
	json_array_foreach(ports, i, port) {
		if (!json_is_true(json_object_get(port, "internal")) ||
		    strcmp(json_string_value(json_object_get(port, "network")), cni->network))
			continue;
		json_array_foreach(json_object_get(port, "ip"), k, ip) {
			const char *text = json_string_value(ip);
			char remote[64];

			bool v6 = strchr(text, ':') != NULL;

			(void)snprintf(remote, sizeof(remote), "%.*s/%d", (int)strcspn(text, "/"),
				       text, v6 ? 128 : 32);
			if (is_of(mapping, v6))
				add_rule(rules, v6 ? "ipv6" : "ipv4", mapping, remote);
		}
	}
	return 0;
}

/* A port that is published is open to everybody who gets there. */
static int add_rules(struct hd_cni *cni, json_t *rules, const struct mapping *mapping,
		     struct hd_cni_error *err)
{
	if (is_for_host(mapping))
		return add_host_rules(cni, rules, mapping, err);
	if (is_of(mapping, false))
		add_rule(rules, "ipv4", mapping, NULL);
	if (is_of(mapping, true))
		add_rule(rules, "ipv6", mapping, NULL);
	return 0;
}

int hd_cni_publish_group(struct hd_cni *cni, char ret_name[80], struct hd_cni_error *err)
{
	_json_ json_t *rules = json_array();
	_json_ json_t *body = NULL;
	struct mapping mapping;
	const json_t *one;
	size_t i;

	(void)snprintf(ret_name, 80, "%s.published", cni->port);
	json_array_foreach(mappings_of(cni), i, one) {
		if (read_mapping(one, &mapping, err) < 0)
			return -1;
		if (mapping.host && add_rules(cni, rules, &mapping, err) < 0)
			return -1;
	}
	body = json_pack("{s:s, s:O}", "name", ret_name, "rules", rules);
	return hd_cni_post(cni, "/v1/security-groups", body, NULL, err);
}

/*
 * Runtimes ask for the same host ports with each network of a container; they lead to its first one. Whether another interface of this container
 * has the port forward.
 */
static bool is_ours(struct hd_cni *cni, const char *listen, const char *protocol)
{
	_json_ json_t *forwards = NULL;
	_json_ json_t *ports = NULL;
	struct hd_cni_error ignored;
	const json_t *port, *forward;
	size_t i, k;

	if (hd_cni_get(cni, "/v1/ports", &ports, &ignored) < 0 ||
	    hd_cni_get(cni, "/v1/port-forwards", &forwards, &ignored) < 0)
		return false;
	json_array_foreach(ports, i, port) {
		const char *name = json_string_value(json_object_get(port, "name"));
		struct hd_cni_owner owner;
		char prefix[80];

		if (!hd_cni_owner(port, &owner) || strcmp(owner.container, cni->container))
			continue;
		(void)snprintf(prefix, sizeof(prefix), "%.63s.", name);
		json_array_foreach(forwards, k, forward)
			if (!strncmp(json_string_value(json_object_get(forward, "name")), prefix,
				     strlen(prefix)) &&
			    !strcmp(json_string_value(json_object_get(forward, "listen")),
				    listen) &&
			    !strcmp(json_string_value(json_object_get(forward, "protocol")),
				    protocol))
				return true;
	}
	return false;
}

/* An address that the host does not have would be listened at in silence until it has it. */
static int check_reach(struct hd_cni *cni, const char *name, const struct mapping *mapping,
		       struct hd_cni_error *err)
{
	_json_ json_t *forward = NULL;
	char path[128];

	(void)snprintf(path, sizeof(path), "/v1/port-forwards/%s", name);
	if (hd_cni_get(cni, path, &forward, err) < 0)
		return -1;
	if (json_array_size(json_object_get(forward, "reach")))
		return 0;
	hd_cni_fail(err, HD_CNI_CONF, "portMappings: nobody would reach %.60s:%d: %s", mapping->ip,
		    (int)mapping->host, json_string_value(json_object_get(forward, "reason")));
	if (is_for_host(mapping))
		return hd_cni_hint(err,
				   "'heddle port add NAME --network %s --internal --ip IP' "
				   "gives the host an address there",
				   cni->network);
	return hd_cni_hint(err, "'ip address' shows the host's; without hostIP it is all of them");
}

/* With an address of its own one may be there several times, so it is called by its place in the list. */
static void name_forward(const struct hd_cni *cni, const struct mapping *mapping, size_t place,
			 bool v6, char ret[96])
{
	int n = snprintf(ret, 96, "%s.%s-%d", cni->port, mapping->protocol, (int)mapping->host);

	if (!is_everywhere(mapping) && strcmp(mapping->ip, "0.0.0.0"))
		(void)snprintf(ret + n, 96 - (size_t)n, "-%zu", place);
	else if (v6)
		(void)snprintf(ret + n, 96 - (size_t)n, "-v6");
}

/* What is being published: in one family. @place: of the mapping in the list */
struct publishing {
	struct hd_cni *cni;
	const struct mapping *mapping;
	size_t place;
	bool v6;
};

static int publish_one(const struct publishing *p, const char *router, const char *ip,
		       struct hd_cni_error *err)
{
	const char *form = p->v6 ? "[%.*s]:%d" : "%.*s:%d", *any = p->v6 ? "::" : "0.0.0.0";
	const char *at = is_everywhere(p->mapping) ? any : p->mapping->ip;
	char name[96], listen[96], to[96];
	_json_ json_t *body = NULL;

	name_forward(p->cni, p->mapping, p->place, p->v6, name);
	(void)snprintf(listen, sizeof(listen), form, 60, at, (int)p->mapping->host);
	(void)snprintf(to, sizeof(to), form, (int)strcspn(ip, "/"), ip, (int)p->mapping->container);
	body = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", name, "router", router, "protocol",
			 p->mapping->protocol, "listen", listen, "to", to);
	if (!body)
		return hd_cni_fail(err, HD_CNI_CONF, "portMappings: hostIP is not an address");
	if (hd_cni_post(p->cni, "/v1/port-forwards", body, NULL, err) == 0)
		return is_everywhere(p->mapping) ? 0 : check_reach(p->cni, name, p->mapping, err);
	return err->code == HD_CNI_REFUSED && is_ours(p->cni, listen, p->mapping->protocol) ? 0
											    : -1;
}

/* Whether a router has, or may come to have, an IPv6 address outside: without one what is asked for everywhere is there by IPv4 alone. */
static bool has_outside6(struct hd_cni *cni, const char *router)
{
	_json_ json_t *shown = NULL;
	struct hd_cni_error ignored;
	const json_t *gateway, *ip;
	char path[96];
	size_t i;

	(void)snprintf(path, sizeof(path), "/v1/routers/%.63s", router);
	if (hd_cni_get(cni, path, &shown, &ignored) < 0)
		return true; /* it will be said */
	gateway = json_object_get(shown, "gateway");
	json_array_foreach(json_object_get(gateway, "ip"), i, ip)
		if (strchr(json_string_value(ip), ':'))
			return true;
	return json_object_get(gateway, "uplink");
}

static int no_router(const char *ip, struct hd_cni_error *err)
{
	hd_cni_fail(err, HD_CNI_CONF, "portMappings: the subnet of %s has no router", ip);
	return hd_cni_hint(err, "'heddle router attach R --subnet S' and 'heddle router "
				"gateway R --uplink DEV' make a way in");
}

/* In one family; 1: it is not meant, or nothing is there for it. @own: router that the conf names, or NULL */
static int publish_in(const struct publishing *p, const char *own, const struct hd_cni_end *end,
		      bool alone, struct hd_cni_error *err)
{
	const char *router = own ? own : end->router;

	if (!is_of(p->mapping, p->v6) || !end->ip)
		return 1;
	if (!alone && (!router || !*router || !has_outside6(p->cni, router)))
		return 1;
	return router && *router ? publish_one(p, router, end->ip, err) : no_router(end->ip, err);
}

static int publish_mapping(struct publishing p, const char *own, const struct hd_cni_end *v4,
			   const struct hd_cni_end *v6, struct hd_cni_error *err)
{
	int first = publish_in(&p, own, v4, true, err), second;

	if (first < 0)
		return -1;
	p.v6 = true;
	second = publish_in(&p, own, v6, first == 1, err);
	if (second < 0)
		return -1;
	if (first == 0 || second == 0)
		return 0;
	return hd_cni_fail(err, HD_CNI_CONF,
			   "portMappings: hostIP %.60s: the container has no IPv%d address",
			   p.mapping->ip, strchr(p.mapping->ip, ':') ? 6 : 4);
}

int hd_cni_publish(struct hd_cni *cni, const struct hd_cni_end *v4, const struct hd_cni_end *v6,
		   struct hd_cni_error *err)
{
	const char *own = NULL;
	struct mapping mapping;
	const json_t *one;
	size_t i;

	if (hd_cni_text(cni->conf, "router", &own, err) < 0)
		return -1;
	json_array_foreach(mappings_of(cni), i, one) {
		struct publishing p = { .cni = cni, .mapping = &mapping, .place = i + 1 };

		if (read_mapping(one, &mapping, err) < 0)
			return -1;
		if (mapping.host && publish_mapping(p, own, v4, v6, err) < 0)
			return -1;
	}
	return 0;
}
