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

/* A port that is published is open to everybody who gets there. */
static int add_rule(json_t *rules, const struct mapping *mapping)
{
	char port[16];

	(void)snprintf(port, sizeof(port), "%d", (int)mapping->container);
	return json_array_append_new(rules, json_pack("{s:s, s:s, s:s, s:s}", "direction",
						      "ingress", "ethertype", "ipv4", "protocol",
						      mapping->protocol, "port", port));
}

static bool has_rule(const json_t *rules, const struct mapping *mapping)
{
	const json_t *rule;
	size_t i;

	json_array_foreach(rules, i, rule) {
		const char *port = json_string_value(json_object_get(rule, "port"));
		const char *protocol = json_string_value(json_object_get(rule, "protocol"));
		char text[16];

		(void)snprintf(text, sizeof(text), "%d", (int)mapping->container);
		if (!strcmp(port, text) && !strcmp(protocol, mapping->protocol))
			return true;
	}
	return false;
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
		if (mapping.host && !has_rule(rules, &mapping))
			(void)add_rule(rules, &mapping);
	}
	body = json_pack("{s:s, s:O}", "name", ret_name, "rules", rules);
	return hd_cni_post(cni, "/v1/security-groups", body, NULL, err);
}

/*
 * Runtimes ask for the same host ports with each network of a container; they lead to its first one. Whether another interface of this container
 * has the port forward.
 */
static bool is_ours(struct hd_cni *cni, const struct mapping *mapping)
{
	_json_ json_t *forwards = NULL;
	_json_ json_t *ports = NULL;
	struct hd_cni_error ignored;
	const json_t *port, *forward;
	char name[96];
	size_t i, k;

	if (hd_cni_get(cni, "/v1/ports", &ports, &ignored) < 0 ||
	    hd_cni_get(cni, "/v1/port-forwards", &forwards, &ignored) < 0)
		return false;
	json_array_foreach(ports, i, port) {
		struct hd_cni_owner owner;

		if (!hd_cni_owner(port, &owner) || strcmp(owner.container, cni->container))
			continue;
		(void)snprintf(name, sizeof(name), "%.63s.%s-%d",
			       json_string_value(json_object_get(port, "name")), mapping->protocol,
			       (int)mapping->host);
		json_array_foreach(forwards, k, forward)
			if (!strcmp(json_string_value(json_object_get(forward, "name")), name))
				return true;
	}
	return false;
}

/* A router that masquerades listens at the host's address there, which it calls 0.0.0.0. */
static const char *listen_at(struct hd_cni *cni, const char *router, const char *ip)
{
	_json_ json_t *shown = NULL;
	struct hd_cni_error ignored;
	const json_t *own;
	const char *uplink;
	char path[96];
	size_t i;

	if (!*ip)
		return "0.0.0.0";
	(void)snprintf(path, sizeof(path), "/v1/routers/%.63s", router);
	if (hd_cni_get(cni, path, &shown, &ignored) < 0)
		return ip;
	uplink = json_string_value(json_object_get(json_object_get(shown, "gateway"), "uplink"));
	json_array_foreach(json_object_get(json_object_get(shown, "gateway"), "ip"), i, own)
		if (uplink && !strcmp(json_string_value(own), ip))
			return "0.0.0.0";
	return ip;
}

static int publish_one(struct hd_cni *cni, const char *router, const char *ip,
		       const struct mapping *mapping, struct hd_cni_error *err)
{
	const char *at = listen_at(cni, router, mapping->ip);
	char name[96], listen[96], to[96];
	_json_ json_t *body = NULL;

	(void)snprintf(name, sizeof(name), "%s.%s-%d", cni->port, mapping->protocol,
		       (int)mapping->host);
	(void)snprintf(listen, sizeof(listen), "%.60s:%d", at, (int)mapping->host);
	(void)snprintf(to, sizeof(to), "%.*s:%d", (int)strcspn(ip, "/"), ip,
		       (int)mapping->container);
	body = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", name, "router", router, "protocol",
			 mapping->protocol, "listen", listen, "to", to);
	if (!body)
		return hd_cni_fail(err, HD_CNI_CONF, "portMappings: hostIP is not an address");
	if (hd_cni_post(cni, "/v1/port-forwards", body, NULL, err) == 0)
		return 0;
	return err->code == HD_CNI_REFUSED && is_ours(cni, mapping) ? 0 : -1;
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
		if (mapping.host && publish_one(cni, own ? own : router, ip, &mapping, err) < 0)
			return -1;
	}
	return 0;
}
