// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* look.c - how it is going: status, stats, drops, reasons */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "api/handlers.h"
#include "cleanup.h"
#include "heddle/reason.h"
#include "heddle/stage.h"

#ifndef HD_VERSION
#define HD_VERSION "unknown"
#endif

static const struct {
	uint32_t number;
	const char *name, *sentence, *remedy;
} reasons[] = {
#define X(number, symbol, name, sentence, remedy) { number, name, sentence, remedy },
	HD_REASONS(X)
#undef X
};

static const char *const stages[HD_STAGE_COUNT] = HD_STAGE_NAMES;

#define N_REASONS (sizeof(reasons) / sizeof(reasons[0]))

static json_t *show_reason(size_t i)
{
	return json_pack("{s:i, s:s, s:s, s:s}", "number", (int)reasons[i].number, "name",
			 reasons[i].name, "sentence", reasons[i].sentence, "remedy",
			 reasons[i].remedy);
}

int hd_api_reasons(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		   json_t **ret, struct hd_error *err)
{
	json_t *list;

	(void)daemon, (void)req;
	for (size_t i = 0; *rest && i < N_REASONS; i++)
		if (!strcmp(reasons[i].name, rest)) {
			*ret = show_reason(i);
			return 0;
		}
	if (*rest)
		return hd_error_set(err, HD_ERR_NOT_FOUND, "reason %s: does not exist", rest);
	list = json_array();
	for (size_t i = 0; i < N_REASONS; i++)
		(void)json_array_append_new(list, show_reason(i));
	*ret = list;
	return 0;
}

static size_t find_reason(uint32_t number)
{
	for (size_t i = 0; i < N_REASONS; i++)
		if (reasons[i].number == number)
			return i;
	return N_REASONS;
}

/* A list of drops being made; @port: only of this one, 0 = all. */
struct drops {
	struct hd_daemon *daemon;
	uint32_t port;
	json_t *list;
};

static int list_drop(void *arg, const struct hd_drop_key *key, const struct hd_drop_value *value)
{
	struct drops *drops = arg;
	const struct hd_object *port = hd_model_get_port(drops->daemon->model, key->port);
	const struct hd_object *owner = hd_model_rule_group(drops->daemon->model, key->rule);
	size_t i = find_reason(key->reason);
	json_t *drop;

	if ((drops->port && drops->port != key->port) || i == N_REASONS)
		return 0;
	drop = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "reason", reasons[i].name, "port",
			 port ? port->name : "", "stage",
			 key->stage < HD_STAGE_COUNT ? stages[key->stage] : "", "packets",
			 (json_int_t)value->packets, "bytes", (json_int_t)value->bytes, "sentence",
			 reasons[i].sentence);
	if (owner)
		(void)json_object_set_new(drop, "rule", hd_api_rule_ref(owner, key->rule));
	return json_array_append_new(drops->list, drop);
}

static json_int_t packets_of(const json_t *drop)
{
	return json_integer_value(json_object_get(drop, "packets"));
}

static int most_first(const void *a, const void *b)
{
	json_int_t x = packets_of(*(json_t *const *)a), y = packets_of(*(json_t *const *)b);

	return x > y ? -1 : x < y;
}

static json_t *list_drops(struct hd_daemon *daemon, uint32_t port)
{
	_json_ json_t *found = json_array();
	struct drops drops = { .daemon = daemon, .port = port, .list = found };
	json_t *ret = json_array();
	_free_ json_t **items = NULL;
	size_t n;

	(void)hd_sync_drops(daemon->sync, list_drop, &drops); /* a short list when memory is */
	n = json_array_size(found);
	items = calloc(n + 1, sizeof(*items));
	for (size_t i = 0; items && i < n; i++)
		items[i] = json_array_get(found, i);
	if (items)
		qsort(items, n, sizeof(*items), most_first);
	for (size_t i = 0; items && i < n; i++)
		(void)json_array_append(ret, items[i]);
	return ret;
}

int hd_api_drops(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		 json_t **ret, struct hd_error *err)
{
	uint32_t port = 0;
	int r = hd_api_named_id(daemon, HD_NOUN_PORT, hd_http_query(req, "port"), &port, err);

	(void)rest;
	if (r == 0)
		*ret = list_drops(daemon, port);
	return r;
}

static void add_counters(struct hd_counters *sum, const struct hd_counters *c)
{
	sum->rx_packets += c->rx_packets;
	sum->rx_bytes += c->rx_bytes;
	sum->tx_packets += c->tx_packets;
	sum->tx_bytes += c->tx_bytes;
	sum->drops += c->drops;
}

/* All ports, or with a name those of one network. */
static struct hd_counters sum_counters(struct hd_daemon *daemon, const char *network)
{
	struct hd_counters sum = { 0 };

	hd_model_each(daemon->model, HD_NOUN_PORT, port) {
		struct hd_counters c;

		if (network && strcmp(port->view.port.network, network))
			continue;
		c = hd_sync_counters(daemon->sync, port->id);
		add_counters(&sum, &c);
	}
	return sum;
}

static json_t *port_stats(struct hd_daemon *daemon, const struct hd_object *port)
{
	struct hd_counters counters = hd_sync_counters(daemon->sync, port->id);

	return json_pack("{s:s, s:s, s:o, s:o}", "noun", port->noun->name, "name", port->name,
			 "counters", hd_api_counters(&counters), "drops",
			 list_drops(daemon, port->id));
}

static json_t *network_stats(struct hd_daemon *daemon, const struct hd_object *network)
{
	struct hd_counters counters = sum_counters(daemon, network->name);

	return json_pack("{s:s, s:s, s:o, s:[]}", "noun", "network", "name", network->name,
			 "counters", hd_api_counters(&counters), "drops");
}

/* "port/web1": that one object. */
static int one_stats(struct hd_daemon *daemon, const char *rest, json_t **ret, struct hd_error *err)
{
	const char *slash = strchr(rest, '/');
	const struct hd_object *object;
	const struct hd_noun *noun;
	char word[32] = "";

	if (slash && (size_t)(slash - rest) < sizeof(word))
		memcpy(word, rest, (size_t)(slash - rest));
	noun = hd_noun_find(word);
	if (!noun ||
	    (noun->id != HD_NOUN_PORT && noun->id != HD_NOUN_NETWORK && noun->id != HD_NOUN_PEER))
		return hd_error_set(err, HD_ERR_USAGE,
				    "stats: needs 'port NAME', 'peer NAME' or 'network NAME'");
	object = hd_model_get(daemon->model, noun->id, slash + 1);
	if (!object)
		return hd_api_no_such(noun, slash + 1, err);
	*ret = json_pack("[o]", noun->id == HD_NOUN_NETWORK ? network_stats(daemon, object)
							    : port_stats(daemon, object));
	return 0;
}

int hd_api_stats(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		 json_t **ret, struct hd_error *err)
{
	(void)req;
	if (*rest)
		return one_stats(daemon, rest, ret, err);
	*ret = json_array();
	hd_model_each(daemon->model, HD_NOUN_NETWORK, network)
		(void)json_array_append_new(*ret, network_stats(daemon, network));
	hd_model_each(daemon->model, HD_NOUN_PEER, peer)
		(void)json_array_append_new(*ret, port_stats(daemon, peer));
	hd_model_each(daemon->model, HD_NOUN_PORT, port)
		(void)json_array_append_new(*ret, port_stats(daemon, port));
	return 0;
}

static json_t *table_status(const char *name, uint32_t used, uint32_t size)
{
	return json_pack("{s:s, s:i, s:i}", "name", name, "used", (int)used, "size", (int)size);
}

/* A large table is counted by the sweep, which is some seconds behind; a small one now. */
static uint32_t count_flows(struct hd_daemon *daemon, int table, enum hd_map_id map, uint32_t size)
{
	return size <= 16384 ? hd_sync_used(daemon->sync, map) : daemon->sweep.count[table];
}

static void add_flow_tables(struct hd_daemon *daemon, json_t *list)
{
	const struct hd_limits *limits = &hd_sync_datapath(daemon->sync)->limits;
	const struct {
		const char *name;
		enum hd_map_id map;
		uint32_t size;
	} flows[] = {
		{ "flows-ipv4", HD_MAP_FLOW4, limits->flows },
		{ "flows-ipv6", HD_MAP_FLOW6, limits->flows },
		{ "new-flows-ipv4", HD_MAP_NEW4, limits->new_flows },
		{ "new-flows-ipv6", HD_MAP_NEW6, limits->new_flows },
		{ "routed-flows-ipv4", HD_MAP_RFLOW4, limits->flows },
		{ "routed-flows-ipv6", HD_MAP_RFLOW6, limits->flows },
		{ "new-routed-flows-ipv4", HD_MAP_RNEW4, limits->new_flows },
		{ "new-routed-flows-ipv6", HD_MAP_RNEW6, limits->new_flows },
	};
	const struct {
		const char *name;
		enum hd_table_id table;
		uint32_t size;
	} rows[] = {
		{ "rules", HD_TABLE_RULES, limits->rules },
		{ "policies", HD_TABLE_SHAPES, limits->policies },
		{ "firewall-rules", HD_TABLE_FW_RULES, limits->rules },
		{ "members", HD_TABLE_MEMBERS, limits->members },
		{ "sources", HD_TABLE_SOURCES, limits->sources },
		{ "routes", HD_TABLE_ROUTES, limits->routes },
	};

	for (int i = 0; i < HD_FLOW_TABLES; i++)
		(void)json_array_append_new(
			list, table_status(flows[i].name,
					   count_flows(daemon, i, flows[i].map, flows[i].size),
					   flows[i].size));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		(void)json_array_append_new(
			list, table_status(rows[i].name,
					   (uint32_t)hd_sync_rows(daemon->sync, rows[i].table),
					   rows[i].size));
}

static json_t *tables_status(struct hd_daemon *daemon)
{
	const struct hd_limits *limits = &hd_sync_datapath(daemon->sync)->limits;
	json_t *list = json_array();

	(void)json_array_append_new(
		list, table_status("ports", (uint32_t)hd_model_count(daemon->model, HD_NOUN_PORT),
				   limits->ports));
	(void)json_array_append_new(
		list,
		table_status("networks", (uint32_t)hd_model_count(daemon->model, HD_NOUN_NETWORK),
			     limits->networks));
	(void)json_array_append_new(
		list, table_status("fdb", hd_sync_used(daemon->sync, HD_MAP_FDB), limits->fdb));
	(void)json_array_append_new(list, table_status("neighbours",
						       hd_sync_used(daemon->sync, HD_MAP_NEIGH),
						       limits->neighbours));
	(void)json_array_append_new(list, table_status("router-neighbours",
						       hd_sync_used(daemon->sync, HD_MAP_ARP),
						       limits->arp));
	add_flow_tables(daemon, list);
	return list;
}

/* Counts ports by state and way of attachment; one that is down is a problem, in words. */
static void ports_status(struct hd_daemon *daemon, json_t *status, json_t *problems)
{
	int up = 0, down = 0, attached[3] = { 0 };

	hd_model_each(daemon->model, HD_NOUN_PORT, port) {
		struct hd_port_run run = hd_sync_port(daemon->sync, port);

		if (port->view.port.kind == HD_PORT_REMOTE)
			continue;
		attached[run.attach]++;
		if (run.up) {
			up++;
			continue;
		}
		down++;
		(void)json_array_append_new(
			problems, json_sprintf("port %s is down: %s", port->name, run.reason));
	}
	(void)json_object_set_new(status, "ports", json_pack("{s:i, s:i}", "up", up, "down", down));
	(void)json_object_set_new(
		status, "attach",
		json_string(hd_attach_word(attached[HD_ATTACH_CLSACT] > attached[HD_ATTACH_TCX]
						   ? HD_ATTACH_CLSACT
					   : attached[HD_ATTACH_TCX] ? HD_ATTACH_TCX
								     : HD_ATTACH_NONE)));
}

/* Each tunnel with its way and state; one that is down is a problem. */
static void tunnels_status(struct hd_daemon *daemon, json_t *status, json_t *problems)
{
	json_t *peers = json_array(), *uplinks = json_array();

	hd_model_each(daemon->model, HD_NOUN_UPLINK, uplink) {
		struct hd_port_run run = hd_sync_port(daemon->sync, uplink);

		(void)json_array_append_new(
			uplinks, json_pack("{s:s, s:s, s:s, s:s}", "name", uplink->name, "state",
					   run.up ? "up" : "down", "mode-in-use",
					   run.xdp ? "xdp" : "tc", "mode-reason", run.no_xdp));
		if (!run.up)
			(void)json_array_append_new(
				problems,
				json_sprintf("uplink %s is down: %s", uplink->name, run.reason));
	}
	hd_model_each(daemon->model, HD_NOUN_PEER, peer) {
		struct hd_peer_run run = hd_sync_peer(daemon->sync, peer);

		(void)json_array_append_new(
			peers,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "name", peer->name, "state",
				  run.up ? "up" : "down", "reason", run.reason, "uplink",
				  run.device, "next-hop", run.next, "path-mtu", (int)run.mtu));
		if (!run.up)
			(void)json_array_append_new(problems, json_sprintf("peer %s is down: %s",
									   peer->name, run.reason));
	}
	(void)json_object_set_new(status, "uplinks", uplinks);
	(void)json_object_set_new(status, "peers", peers);
}

static void next_hop_problem(struct hd_daemon *daemon, const struct hd_object *router, int family,
			     json_t *problems)
{
	struct hd_next_hop hop = hd_sync_next_hop(daemon->sync, router, family);
	const struct hd_ip ip = hd_ip_of_bytes(hop.addr);
	char text[64];

	if (!hop.silent)
		return;
	hd_ip_format(&ip, text);
	(void)json_array_append_new(
		problems, json_sprintf("router %s: its next hop %s in network %s does not answer",
				       router->name, text, router->view.router.gateway.network));
}

static void next_hop_problems(struct hd_daemon *daemon, json_t *problems)
{
	hd_model_each(daemon->model, HD_NOUN_ROUTER, router) {
		for (int family = 0; family < HD_FAMILIES; family++)
			next_hop_problem(daemon, router, family, problems);
	}
}

static void tables_problems(json_t *tables, json_t *problems)
{
	const json_t *table;
	size_t i;

	json_array_foreach(tables, i, table) {
		json_int_t used = json_integer_value(json_object_get(table, "used"));
		json_int_t size = json_integer_value(json_object_get(table, "size"));

		if (used * 10 >= size * 9)
			(void)json_array_append_new(
				problems,
				json_sprintf("table %s is nearly full: %lld of %lld",
					     json_string_value(json_object_get(table, "name")),
					     (long long)used, (long long)size));
	}
}

int hd_api_status(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		  json_t **ret, struct hd_error *err)
{
	struct hd_counters counters = sum_counters(daemon, NULL);
	json_t *objects = json_object(), *problems = json_array(), *tables = tables_status(daemon);
	json_t *pools = hd_api_nat_pools(daemon, NULL);
	struct utsname uts = { 0 };
	struct timespec now;
	json_t *status;

	(void)req, (void)rest, (void)err;
	(void)uname(&uts);
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	for (size_t i = 0; i < HD_NOUN_COUNT; i++)
		(void)json_object_set_new(
			objects, hd_nouns[i].plural,
			json_integer((json_int_t)hd_model_count(daemon->model, i)));
	status = json_pack("{s:s, s:s, s:i, s:I, s:s, s:o, s:o, s:o}", "instance",
			   daemon->config.instance, "version", HD_VERSION, "pid", (int)getpid(),
			   "uptime", (json_int_t)(now.tv_sec - daemon->started_s), "kernel",
			   uts.release, "objects", objects, "tables", tables, "counters",
			   hd_api_counters(&counters));
	ports_status(daemon, status, problems);
	tunnels_status(daemon, status, problems);
	tables_problems(tables, problems);
	hd_api_nat_problems(pools, problems);
	hd_api_quota_problems(daemon, problems);
	next_hop_problems(daemon, problems);
	(void)json_object_set_new(status, "nat-pools", pools);
	(void)json_object_set_new(status, "state",
				  json_string(json_array_size(problems) ? "degraded" : "ok"));
	(void)json_object_set_new(status, "problems", problems);
	*ret = status;
	return 0;
}
