// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* flows.c - the connections that the datapath knows */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "cleanup.h"

static const char *const states[HD_FLOW_STATE_COUNT] = HD_FLOW_STATE_NAMES;

/**
 * struct filter - which flows are meant
 * @vlan:  -1 = any
 * @proto: -1 = any
 * @dport: of the opener, -1 = any
 * @state: -1 = any
 * @limit: how many at most
 * @out:   where they are written, @n of them so far
 */
struct filter {
	struct hd_daemon *daemon;
	uint32_t network;
	uint32_t port;
	long vlan;
	int proto;
	long dport;
	int state;
	bool has_address;
	struct hd_ip address;
	json_int_t limit;
	uint32_t now;
	FILE *out;
	size_t n;
};

static int bad(const char *key, const char *value, struct hd_error *err)
{
	return hd_error_set(err, HD_ERR_INVALID, "flow: %s '%s' is not one", key, value);
}

static int find_state(const char *word)
{
	for (int i = 0; i < HD_FLOW_STATE_COUNT; i++)
		if (!strcmp(states[i], word))
			return i;
	return -1;
}

/* One value of a filter, from the query or from a body. */
static int set_filter(struct filter *f, const char *key, const char *value, struct hd_error *err)
{
	char *end;

	if (!strcmp(key, "network"))
		return hd_api_named_id(f->daemon, HD_NOUN_NETWORK, value, &f->network, err);
	if (!strcmp(key, "port"))
		return hd_api_named_id(f->daemon, HD_NOUN_PORT, value, &f->port, err);
	if (!strcmp(key, "vlan")) {
		f->vlan = strtol(value, &end, 10);
		return !*value || *end || f->vlan < 0 || f->vlan > 4094 ? bad(key, value, err) : 0;
	}
	if (!strcmp(key, "protocol"))
		return (f->proto = hd_protocol_parse(value)) < 0 ? bad(key, value, err) : 0;
	if (!strcmp(key, "state"))
		return (f->state = find_state(value)) < 0 ? bad(key, value, err) : 0;
	if (!strcmp(key, "address")) {
		f->has_address = true;
		return hd_ip_parse(value, &f->address) < 0 ? bad(key, value, err) : 0;
	}
	if (!strcmp(key, "dport")) {
		f->dport = strtol(value, &end, 10);
		return !*value || *end || f->dport < 0 || f->dport > 65535 ? bad(key, value, err)
									   : 0;
	}
	if (!strcmp(key, "limit")) {
		f->limit = strtoll(value, &end, 10);
		return !*value || *end || f->limit < 0 ? bad(key, value, err) : 0;
	}
	return hd_error_set(err, HD_ERR_INVALID, "flow: there is no filter %s", key);
}

static const char *const keys[] = { "network", "vlan",	"port",	 "protocol",
				    "address", "dport", "state", "limit" };

static void init_filter(struct filter *f, struct hd_daemon *daemon)
{
	*f = (struct filter){ .daemon = daemon,
			      .vlan = -1,
			      .proto = -1,
			      .dport = -1,
			      .state = -1,
			      .limit = INT64_MAX };
	f->now = hd_datapath_now(hd_sync_datapath(daemon->sync));
}

static bool has_address(const struct filter *f, const struct hd_flow *flow)
{
	struct hd_ip ip = { .is_v4 = flow->is_v4 }, cidr = f->address;

	if (cidr.prefix == HD_PREFIX_NONE)
		cidr.prefix = cidr.is_v4 ? 32 : 128;
	for (int side = 0; side < 2; side++) {
		memcpy(ip.bytes, flow->addr[side], 16);
		if (hd_ip_in(&ip, &cidr))
			return true;
	}
	return false;
}

static bool matches(void *arg, const struct hd_flow *flow)
{
	const struct filter *f = arg;
	int server = !flow->value.opener;

	return (!f->network || f->network == flow->network ||
		(flow->router &&
		 (f->network == flow->hop[0].network || f->network == flow->hop[1].network))) &&
	       (!f->port || f->port == flow->value.port[0] || f->port == flow->value.port[1]) &&
	       (f->vlan < 0 || f->vlan == flow->vlan) &&
	       (f->proto < 0 || f->proto == flow->proto) &&
	       (f->state < 0 || f->state == flow->value.state) &&
	       (f->dport < 0 || f->dport == ntohs(flow->port[server])) &&
	       (!f->has_address || has_address(f, flow));
}

/* As its router calls an end outside, where that is not what it is inside. */
static void print_outside(const struct filter *f, const struct hd_flow *flow, int side)
{
	bool icmp = flow->proto == 1 || flow->proto == 58;
	struct hd_ip addr;
	uint16_t port;
	char text[64];

	if (!flow->router ||
	    !hd_nat_outside(hd_sync_datapath(f->daemon->sync), flow, side, &addr, &port))
		return;
	hd_ip_format(&addr, text);
	(void)fprintf(f->out, ", \"outside-ip\": \"%s\"", text);
	if (!icmp || side == flow->value.opener)
		(void)fprintf(f->out, ", \"%s\": %u", icmp ? "outside-id" : "outside-port-number",
			      ntohs(port));
}

/*
 * A list may have 100,000 flows: it is written as text, flow by flow, and not built as a tree first. Names of objects and protocols hold no
 * letter that JSON would have to be told about.
 */
static void print_end(const struct filter *f, const struct hd_flow *flow, int side)
{
	const struct hd_object *port = hd_model_get_port(f->daemon->model, flow->value.port[side]);
	bool icmp = flow->proto == 1 || flow->proto == 58;
	struct hd_ip ip = { .is_v4 = flow->is_v4 };
	char text[64];

	memcpy(ip.bytes, flow->addr[side], 16);
	hd_ip_format(&ip, text);
	(void)fprintf(f->out, "{\"port\": \"%s\", \"ip\": \"%s\"", port ? port->name : "", text);
	/* For ICMP the opener's port is the id of the query; the other side's is its type. */
	if (!icmp || side == flow->value.opener)
		(void)fprintf(f->out, ", \"%s\": %u", icmp ? "id" : "port-number",
			      ntohs(flow->port[side]));
	print_outside(f, flow, side);
	(void)fputc('}', f->out);
}

static void print_rules(const struct filter *f, const struct hd_flow *flow)
{
	const struct hd_object *firewall = hd_model_rule_group(f->daemon->model, flow->firewall);
	const char *comma = "";

	if (firewall) {
		(void)fprintf(f->out, "{\"firewall\": \"%s\", \"id\": %u}", firewall->name,
			      flow->firewall);
		comma = ", ";
	}
	for (int dir = 0; dir < 2; dir++) {
		const struct hd_object *group =
			hd_model_rule_group(f->daemon->model, flow->value.rule[dir]);

		if (!group)
			continue;
		(void)fprintf(f->out, "%s{\"group\": \"%s\", \"id\": %u, \"direction\": \"%s\"}",
			      comma, group->name, flow->value.rule[dir],
			      dir ? "ingress" : "egress");
		comma = ", ";
	}
}

static void print_protocol(const struct filter *f, uint8_t number)
{
	const char *name = hd_protocol_name(number);

	if (name)
		(void)fputs(name, f->out);
	else
		(void)fprintf(f->out, "%u", number);
}

static void print_times(const struct filter *f, const struct hd_flow *flow)
{
	const struct hd_datapath *dp = hd_sync_datapath(f->daemon->sync);
	uint32_t born = (uint32_t)flow->value.tcp[0].born << 16 | flow->value.tcp[1].born;
	int32_t idle = (int32_t)(f->now - flow->value.seen), age = (int32_t)(f->now - born);
	uint32_t idle_s = idle > 0 ? (uint32_t)idle / dp->hz : 0,
		 timeout = hd_flow_timeout_s(&dp->limits, flow);

	(void)fprintf(f->out, "\"age\": %u, \"idle\": %u, \"timeout\": %u",
		      age > 0 ? (uint32_t)age / dp->hz : 0, idle_s,
		      timeout > idle_s ? timeout - idle_s : 0);
}

static void print_count(const struct filter *f, const char *key, const struct hd_flow *flow,
			int side)
{
	(void)fprintf(f->out, ", \"%s\": {\"packets\": %u, \"bytes\": %llu}", key,
		      flow->value.packets[side], (unsigned long long)flow->value.bytes[side]);
}

static bool is_stale(const struct filter *f, const struct hd_flow *flow)
{
	return !hd_sync_flow_is_current(f->daemon->sync, flow);
}

static const char *name_of(const struct filter *f, enum hd_noun_id noun, uint32_t id)
{
	const struct hd_object *object = id ? hd_model_get_id(f->daemon->model, noun, id) : NULL;

	return object ? object->name : "";
}

static void print_flow(const struct filter *f, const struct hd_flow *flow)
{
	int client = flow->value.opener & 1;

	(void)fprintf(f->out, "{\"network\": \"%s\", ", name_of(f, HD_NOUN_NETWORK, flow->network));
	if (flow->router)
		(void)fprintf(f->out, "\"router\": \"%s\", \"to-network\": \"%s\", ",
			      name_of(f, HD_NOUN_ROUTER, flow->router),
			      name_of(f, HD_NOUN_NETWORK, flow->hop[!client].network));
	(void)fprintf(f->out, "\"vlan\": %u, \"protocol\": \"", flow->vlan);
	print_protocol(f, flow->proto);
	(void)fprintf(f->out, "\", \"state\": \"%s\", ",
		      states[flow->value.state % HD_FLOW_STATE_COUNT]);
	print_times(f, flow);
	(void)fputs(", \"client\": ", f->out);
	print_end(f, flow, client);
	(void)fputs(", \"server\": ", f->out);
	print_end(f, flow, !client);
	print_count(f, "to-server", flow, client);
	print_count(f, "to-client", flow, !client);
	(void)fputs(", \"rules\": [", f->out);
	print_rules(f, flow);
	(void)fprintf(f->out, "], \"stale\": %s}", is_stale(f, flow) ? "true" : "false");
}

static int list_flow(void *arg, const struct hd_flow *flow)
{
	struct filter *f = arg;

	if (!matches(f, flow))
		return 0;
	if (f->limit-- <= 0)
		return 1;
	(void)fputs(f->n++ ? ",\n" : "", f->out);
	print_flow(f, flow);
	return 0;
}

int hd_api_flows(struct hd_daemon *daemon, const struct hd_http_request *req, char **ret_text,
		 struct hd_error *err)
{
	char *text = NULL;
	struct filter f;
	size_t size;
	int r = 0;

	init_filter(&f, daemon);
	for (size_t i = 0; r == 0 && i < sizeof(keys) / sizeof(keys[0]); i++)
		if (hd_http_query(req, keys[i]))
			r = set_filter(&f, keys[i], hd_http_query(req, keys[i]), err);
	if (r < 0)
		return r;
	f.out = open_memstream(&text, &size);
	if (!f.out)
		return hd_error_set(err, HD_ERR_FAILED, "no memory");
	(void)fputs("[", f.out);
	r = hd_flows_walk(hd_sync_datapath(daemon->sync), list_flow, &f);
	(void)fputs("]\n", f.out);
	if (fclose(f.out) != 0)
		r = -ENOMEM;
	if (r < 0) {
		free(text);
		return hd_error_set(err, HD_ERR_FAILED, "flow: can't read the tables: %s",
				    strerror(-r));
	}
	*ret_text = text;
	return 0;
}

int hd_api_flows_flush(struct hd_daemon *daemon, const struct hd_http_request *req,
		       const char *rest, json_t **ret, struct hd_error *err)
{
	_json_ json_t *body = NULL;
	struct filter f;
	const char *key;
	json_t *value;
	int r = 0;

	if (strcmp(rest, "flush"))
		return hd_error_set(err, HD_ERR_NOT_FOUND, "%s: there is no such path", req->path);
	init_filter(&f, daemon);
	if (req->body_len)
		r = hd_api_body(req, &body, err);
	json_object_foreach(body, key, value) {
		_free_ char *text = json_is_string(value) ? strdup(json_string_value(value))
							  : json_dumps(value, JSON_ENCODE_ANY);

		if (r == 0)
			r = text ? set_filter(&f, key, text, err) : -ENOMEM;
	}
	if (r < 0)
		return r;
	*ret = json_pack("{s:I}", "flushed",
			 (json_int_t)hd_flows_flush(hd_sync_datapath(daemon->sync), matches, &f));
	hd_daemon_event(daemon, "flush", "flow", "", "");
	return 0;
}
