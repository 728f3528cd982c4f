// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* publish.c - portMappings: ports of the host that lead to a container */
#include <stdio.h>
#include <string.h>

#include "cli/cni/cni.h"
#include "loader/cleanup.h"

/** struct mapping - one of them */
struct mapping {
	json_int_t host;
	json_int_t container;
	const char *protocol;
	const char *ip;
};

static const json_t *mappings_of(const struct hd_cni *cni)
{
	return json_object_get(cni->runtime, "portMappings");
}

bool hd_cni_published(const struct hd_cni *cni)
{
	return json_array_size(mappings_of(cni)) > 0;
}

static int read_mapping(const json_t *json, struct mapping *ret, struct hd_cni_error *err)
{
	*ret = (struct mapping){ .protocol = "tcp", .ip = "" };
	if (!json_is_object(json))
		return hd_cni_fail(err, HD_CNI_CONF, "portMappings: one of them is not an object");
	if (hd_cni_number(json, "hostPort", 0, 65535, &ret->host, err) < 0 ||
	    hd_cni_number(json, "containerPort", 1, 65535, &ret->container, err) < 0 ||
	    hd_cni_text(json, "protocol", &ret->protocol, err) < 0 ||
	    hd_cni_text(json, "hostIP", &ret->ip, err) < 0)
		return -1;
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
	return !strncmp(mapping->ip, "127.", 4);
}

static bool has_rule(const json_t *rules, const char *port, const char *protocol,
		     const char *remote)
{
	const json_t *rule;
	size_t i;

	json_array_foreach(rules, i, rule) {
		const char *from = json_string_value(json_object_get(rule, "remote"));

		if (!strcmp(json_string_value(json_object_get(rule, "port")), port) &&
		    !strcmp(json_string_value(json_object_get(rule, "protocol")), protocol) &&
		    (!from || (remote && !strcmp(from, remote))))
			return true;
	}
	return false;
}

/* @remote: NULL for everybody */
static void add_rule(json_t *rules, const struct mapping *mapping, const char *remote)
{
	char port[16];
	json_t *rule;

	(void)snprintf(port, sizeof(port), "%d", (int)mapping->container);
	if (has_rule(rules, port, mapping->protocol, remote))
		return;
	rule = json_pack("{s:s, s:s, s:s, s:s}", "direction", "ingress", "ethertype", "ipv4",
			 "protocol", mapping->protocol, "port", port);
	if (remote)
		(void)json_object_set_new(rule, "remote", json_string(remote));
	(void)json_array_append_new(rules, rule);
}

/* Who asks at 127.0.0.1 is the host, and comes by one of its legs in the network. */
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

			(void)snprintf(remote, sizeof(remote), "%.*s/32", (int)strcspn(text, "/"),
				       text);
			if (!strchr(text, ':'))
				add_rule(rules, mapping, remote);
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
	add_rule(rules, mapping, NULL);
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
			 char ret[96])
{
	int n = snprintf(ret, 96, "%s.%s-%d", cni->port, mapping->protocol, (int)mapping->host);

	if (*mapping->ip && strcmp(mapping->ip, "0.0.0.0"))
		(void)snprintf(ret + n, 96 - (size_t)n, "-%zu", place);
}

static int publish_one(struct hd_cni *cni, const char *router, const char *ip, size_t place,
		       const struct mapping *mapping, struct hd_cni_error *err)
{
	char name[96], listen[96], to[96];
	_json_ json_t *body = NULL;

	name_forward(cni, mapping, place, name);
	(void)snprintf(listen, sizeof(listen), "%.60s:%d", *mapping->ip ? mapping->ip : "0.0.0.0",
		       (int)mapping->host);
	(void)snprintf(to, sizeof(to), "%.*s:%d", (int)strcspn(ip, "/"), ip,
		       (int)mapping->container);
	body = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", name, "router", router, "protocol",
			 mapping->protocol, "listen", listen, "to", to);
	if (!body)
		return hd_cni_fail(err, HD_CNI_CONF, "portMappings: hostIP is not an address");
	if (hd_cni_post(cni, "/v1/port-forwards", body, NULL, err) == 0)
		return *mapping->ip ? check_reach(cni, name, mapping, err) : 0;
	return err->code == HD_CNI_REFUSED && is_ours(cni, listen, mapping->protocol) ? 0 : -1;
}

int hd_cni_publish(struct hd_cni *cni, const char *router, const char *ip, struct hd_cni_error *err)
{
	const char *own = NULL;
	struct mapping mapping;
	const json_t *one;
	size_t i;

	if (hd_cni_text(cni->conf, "router", &own, err) < 0)
		return -1;
	if (!own && !*router) {
		hd_cni_fail(err, HD_CNI_CONF, "portMappings: the subnet of %s has no router", ip);
		return hd_cni_hint(err, "'heddle router attach R --subnet S' and 'heddle router "
					"gateway R --uplink DEV' make a way in");
	}
	json_array_foreach(mappings_of(cni), i, one) {
		if (read_mapping(one, &mapping, err) < 0)
			return -1;
		if (mapping.host &&
		    publish_one(cni, own ? own : router, ip, i + 1, &mapping, err) < 0)
			return -1;
	}
	return 0;
}
