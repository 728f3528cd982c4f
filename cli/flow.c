// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * flow.c - heddle flow: the connections that the datapath knows
 *
 * They are not configured, so they are no noun of the schema: they come and go with the packets.
 * There may be 100,000 of them: each is looked at as it comes, and no tree is made of them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/filter.h"
#include "cli/groups.h"
#include "cli/scan.h"
#include "loader/cleanup.h"

static int list(struct hd_cli *cli, struct hd_error *err);
static int show(struct hd_cli *cli, struct hd_error *err);
static int flush(struct hd_cli *cli, struct hd_error *err);

static const char *const states[] = {
	"new", "half-open", "established", "closing", "closed", NULL
};

static const struct hd_option filters[] = {
	{ .name = "network",
	  .type = HD_TYPE_NAME,
	  .meta = "NET",
	  .refers = "network",
	  .help = "the network they are in" },
	{ .name = "vlan",
	  .type = HD_TYPE_UINT,
	  .max = 4094,
	  .meta = "N",
	  .help = "the VLAN of the network they are in; 0 = none" },
	{ .name = "port",
	  .type = HD_TYPE_NAME,
	  .meta = "PORT",
	  .refers = "port",
	  .help = "the port at either end" },
	{ .name = "protocol",
	  .type = HD_TYPE_PROTOCOL,
	  .meta = "NAME|N",
	  .help = "tcp, udp, icmp, ... or a number" },
	{ .name = "address",
	  .type = HD_TYPE_IP,
	  .meta = "IP",
	  .help = "the address of either end" },
	{ .name = "dport",
	  .type = HD_TYPE_UINT,
	  .max = 65535,
	  .meta = "N",
	  .help = "the port number of the server" },
	{ .name = "state",
	  .type = HD_TYPE_WORD,
	  .words = states,
	  .meta = "STATE",
	  .help = "new, half-open, established, closing or closed" },
	{ .name = "limit",
	  .type = HD_TYPE_UINT,
	  .min = 1,
	  .max = UINT32_MAX,
	  .meta = "N",
	  .help = "not more than so many" },
};

static const struct hd_command commands[] = {
	{ .verb = "list",
	  .help = "a line for each",
	  .options = filters,
	  .n_options = HD_COUNT(filters),
	  .run = list },
	{ .verb = "show",
	  .help = "everything about each",
	  .options = filters,
	  .n_options = HD_COUNT(filters),
	  .run = show },
	{ .verb = "flush",
	  .help = "forget them; their next packets are judged anew",
	  .no_dry_run = true,
	  .options = filters,
	  .n_options = HD_COUNT(filters),
	  .run = flush },
};

const struct hd_group hd_group_flow = {
	.word = "flow",
	.help = "connections that heddle knows: list, show, flush",
	.commands = commands,
	.n_commands = HD_COUNT(commands),
};

/* ---- what an answer holds ---- */

struct counters {
	struct hd_scan packets, bytes;
};

struct end {
	struct hd_scan port, ip, number, id, outside_ip, outside_number, outside_id;
};

struct flow {
	struct hd_scan network, router, to_network, vlan, protocol, state, age, idle, timeout,
		client, server, to_server, to_client, rules, stale;
};

struct rule {
	struct hd_scan firewall, group, id, direction;
};

static const struct hd_scan_field flow_fields[] = {
	{ "network", offsetof(struct flow, network) },
	{ "router", offsetof(struct flow, router) },
	{ "to-network", offsetof(struct flow, to_network) },
	{ "vlan", offsetof(struct flow, vlan) },
	{ "protocol", offsetof(struct flow, protocol) },
	{ "state", offsetof(struct flow, state) },
	{ "age", offsetof(struct flow, age) },
	{ "idle", offsetof(struct flow, idle) },
	{ "timeout", offsetof(struct flow, timeout) },
	{ "client", offsetof(struct flow, client) },
	{ "server", offsetof(struct flow, server) },
	{ "to-server", offsetof(struct flow, to_server) },
	{ "to-client", offsetof(struct flow, to_client) },
	{ "rules", offsetof(struct flow, rules) },
	{ "stale", offsetof(struct flow, stale) },
};

static const struct hd_scan_field end_fields[] = {
	{ "port", offsetof(struct end, port) },
	{ "ip", offsetof(struct end, ip) },
	{ "port-number", offsetof(struct end, number) },
	{ "id", offsetof(struct end, id) },
	{ "outside-ip", offsetof(struct end, outside_ip) },
	{ "outside-port-number", offsetof(struct end, outside_number) },
	{ "outside-id", offsetof(struct end, outside_id) },
};

static const struct hd_scan_field counter_fields[] = {
	{ "packets", offsetof(struct counters, packets) },
	{ "bytes", offsetof(struct counters, bytes) },
};

static const struct hd_scan_field rule_fields[] = {
	{ "firewall", offsetof(struct rule, firewall) },
	{ "group", offsetof(struct rule, group) },
	{ "id", offsetof(struct rule, id) },
	{ "direction", offsetof(struct rule, direction) },
};

/* ---- parts of a flow as text ---- */

enum { WORD_SIZE = 64, OUTSIDE_SIZE = 160, END_SIZE = 512, RULES_SIZE = 1024 };

static struct end end_of(struct hd_scan text)
{
	struct end end = {};

	hd_scan_fields(text, end_fields, HD_COUNT(end_fields), &end);
	return end;
}

/* "192.0.2.9:1089", or nothing: what it is called outside of its router */
static const char *outside_text(const struct end *end, char *buf)
{
	char ip[WORD_SIZE], number[WORD_SIZE];

	buf[0] = 0;
	if (!end->outside_ip.at)
		return buf;
	hd_scan_text(end->outside_ip, ip, sizeof(ip));
	hd_scan_text(end->outside_number.at ? end->outside_number : end->outside_id, number,
		     sizeof(number));
	(void)snprintf(buf, OUTSIDE_SIZE, "%s%s%s", ip,
		       end->outside_number.at ? ":"
		       : end->outside_id.at   ? " id "
					      : "",
		       number);
	return buf;
}

static const char *end_text(struct hd_scan text, char *buf)
{
	char port[WORD_SIZE], ip[WORD_SIZE], number[WORD_SIZE];
	struct end end = end_of(text);
	bool brackets;

	hd_scan_text(end.port, port, sizeof(port));
	hd_scan_text(end.ip, ip, sizeof(ip));
	hd_scan_text(end.number.at ? end.number : end.id, number, sizeof(number));
	brackets = end.number.at && strchr(ip, ':');
	(void)snprintf(buf, END_SIZE, "%s%s%s%s%s%s%s", port, port[0] ? " " : "",
		       brackets ? "[" : "", ip, brackets ? "]" : "",
		       end.number.at ? ":"
		       : end.id.at   ? " id "
				     : "",
		       number);
	return buf;
}

/* Of both ends; two only if both are inside and know each other by that. */
static const char *outsides_text(const struct flow *flow, char *buf)
{
	char client[OUTSIDE_SIZE], server[OUTSIDE_SIZE];
	struct end ends[2] = { end_of(flow->client), end_of(flow->server) };

	outside_text(&ends[0], client);
	outside_text(&ends[1], server);
	(void)snprintf(buf, END_SIZE, "%s%s%s", client, client[0] && server[0] ? " > " : "",
		       server);
	return buf;
}

/* "web/17,default/1", with directions "web/17 ingress, default/1 egress"; what is too long is cut */
static const char *rules_text(struct hd_scan rules, bool directions, char *buf)
{
	struct hd_scan inside = hd_scan_inside(rules), key, value;
	size_t len = (size_t)snprintf(buf, RULES_SIZE, "-");
	const char *comma = "";

	while (hd_scan_next(&inside, &key, &value) && len < RULES_SIZE) {
		char group[WORD_SIZE], id[WORD_SIZE], direction[WORD_SIZE] = "";
		struct rule rule = {};

		hd_scan_fields(value, rule_fields, HD_COUNT(rule_fields), &rule);
		hd_scan_text(rule.group.at ? rule.group : rule.firewall, group, sizeof(group));
		hd_scan_text(rule.id, id, sizeof(id));
		if (directions && rule.direction.at)
			hd_scan_text(rule.direction, direction, sizeof(direction));
		else if (directions)
			(void)snprintf(direction, sizeof(direction), "firewall");
		len = comma[0] ? len : 0;
		len += (size_t)snprintf(buf + len, RULES_SIZE - len, "%s%s/%s%s%s", comma, group,
					id, directions ? " " : "", direction);
		comma = directions ? ", " : ",";
	}
	return buf;
}

static struct counters counters_of(struct hd_scan text)
{
	struct counters counters = {};

	hd_scan_fields(text, counter_fields, HD_COUNT(counter_fields), &counters);
	return counters;
}

/* ---- list ---- */

static const struct hd_column columns[] = {
	{ .title = "PROTO" },
	{ .title = "STATE" },
	{ .title = "CLIENT", .flags = HD_COLUMN_SHRINK | HD_COLUMN_CUT_HEAD },
	{ .title = "SERVER", .flags = HD_COLUMN_SHRINK | HD_COLUMN_CUT_HEAD },
	{ .title = "OUTSIDE", .flags = HD_COLUMN_OPTIONAL | HD_COLUMN_SHRINK | HD_COLUMN_CUT_HEAD },
	{ .title = "AGE", .format = HD_FORMAT_SECONDS },
	{ .title = "IDLE", .format = HD_FORMAT_SECONDS },
	{ .title = "PACKETS", .format = HD_FORMAT_COUNT },
	{ .title = "BYTES", .format = HD_FORMAT_BYTES },
	{ .title = "RULES", .flags = HD_COLUMN_SHRINK },
};

static void add_number(struct hd_table *table, json_int_t number, enum hd_format format)
{
	_free_ char *text = hd_text_number(number, format);

	hd_table_add(table, text);
}

/* Packets and bytes of both directions together. */
static void add_counters(struct hd_table *table, const struct flow *flow)
{
	struct counters to = counters_of(flow->to_server), from = counters_of(flow->to_client);

	add_number(table, hd_scan_number(to.packets) + hd_scan_number(from.packets),
		   HD_FORMAT_COUNT);
	add_number(table, hd_scan_number(to.bytes) + hd_scan_number(from.bytes), HD_FORMAT_BYTES);
}

static void add_flow(void *arg, struct hd_scan element)
{
	char word[WORD_SIZE], end[END_SIZE], rules[RULES_SIZE];
	struct hd_table *table = arg;
	struct flow flow = {};

	hd_scan_fields(element, flow_fields, HD_COUNT(flow_fields), &flow);
	hd_table_add(table, hd_scan_text(flow.protocol, word, sizeof(word)));
	hd_table_add(table, hd_scan_text(flow.state, word, sizeof(word)));
	hd_table_add(table, end_text(flow.client, end));
	hd_table_add(table, end_text(flow.server, end));
	hd_table_add(table, outsides_text(&flow, end));
	add_number(table, hd_scan_number(flow.age), HD_FORMAT_SECONDS);
	add_number(table, hd_scan_number(flow.idle), HD_FORMAT_SECONDS);
	add_counters(table, &flow);
	hd_table_add(table, rules_text(flow.rules, false, rules));
}

static void feed(void *arg, const char *data, size_t len)
{
	hd_split_feed(arg, data, len);
}

/* @element is called for each flow as it comes. */
static int for_flows(struct hd_cli *cli, void (*element)(void *arg, struct hd_scan element),
		     void *arg, struct hd_error *err)
{
	_free_ char *path = hd_filter_url(cli, "/v1/flows");
	struct hd_split split = { .element = element, .arg = arg };
	int broken, r;

	if (!path)
		return hd_no_memory(err);
	r = hd_client_read(&cli->client, path, feed, &split, err);
	broken = hd_split_done(&split);
	if (r || !broken)
		return r;
	if (broken == -ENOMEM)
		return hd_no_memory(err);
	return hd_error_set(err, HD_ERR_FAILED, "heddled's answer is not a list");
}

static void copy(void *arg, const char *data, size_t len)
{
	(void)fwrite(data, 1, len, arg); /* hd_out_end() reports what went wrong */
}

/* The array as the daemon sends it. */
static int copy_json(struct hd_cli *cli, struct hd_error *err)
{
	_free_ char *path = hd_filter_url(cli, "/v1/flows");
	int r;

	if (!path)
		return hd_no_memory(err);
	r = hd_client_read(&cli->client, path, copy, cli->out.file, err);
	if (!r)
		copy(cli->out.file, "\n", 1);
	return r;
}

static int list(struct hd_cli *cli, struct hd_error *err)
{
	struct hd_table *table;
	int r;

	if (cli->out.json)
		return copy_json(cli, err);
	table = hd_table_new(columns, HD_COUNT(columns));
	if (!table)
		return hd_no_memory(err);
	r = for_flows(cli, add_flow, table, err);
	if (r) {
		hd_table_free(table);
		return r;
	}
	return hd_table_print(&cli->out, table) ? hd_no_memory(err) : 0;
}

/* ---- show ---- */

static void print_times(struct hd_out *out, const struct flow *flow)
{
	_free_ char *age = hd_text_number(hd_scan_number(flow->age), HD_FORMAT_SECONDS);
	_free_ char *idle = hd_text_number(hd_scan_number(flow->idle), HD_FORMAT_SECONDS);
	_free_ char *rest = hd_text_number(hd_scan_number(flow->timeout), HD_FORMAT_SECONDS);

	hd_out_line(out, "  age        %s, idle for %s, ends in %s", age ? age : "?",
		    idle ? idle : "?", rest ? rest : "?");
}

static void print_counters(struct hd_out *out, const char *direction, struct hd_scan text)
{
	struct counters counters = counters_of(text);

	hd_out_line(out, "  %s  %" JSON_INTEGER_FORMAT " packets, %" JSON_INTEGER_FORMAT " bytes",
		    direction, hd_scan_number(counters.packets), hd_scan_number(counters.bytes));
}

/* ", by router edge to network red", or nothing */
static const char *router_text(const struct flow *flow, char buf[END_SIZE])
{
	char router[WORD_SIZE], network[WORD_SIZE];

	buf[0] = 0;
	if (flow->router.at)
		(void)snprintf(buf, END_SIZE, ", by router %s to network %s",
			       hd_scan_text(flow->router, router, sizeof(router)),
			       hd_scan_text(flow->to_network, network, sizeof(network)));
	return buf;
}

static void print_head(struct hd_out *out, const struct flow *flow)
{
	char router[END_SIZE];
	char protocol[WORD_SIZE], state[WORD_SIZE], network[WORD_SIZE], vlan[WORD_SIZE] = "";
	json_int_t tag = hd_scan_number(flow->vlan);

	hd_scan_text(flow->protocol, protocol, sizeof(protocol));
	hd_scan_text(flow->state, state, sizeof(state));
	hd_scan_text(flow->network, network, sizeof(network));
	if (tag)
		(void)snprintf(vlan, sizeof(vlan), ", VLAN %d", (int)tag);
	hd_out_line(out, "%s %s in network %s%s%s%s", protocol, state,
		    network[0] ? network : "(of another host)", vlan, router_text(flow, router),
		    hd_scan_is(flow->stale, "true") ? ", to be judged anew" : "");
}

/* "web 10.0.0.5:40000, outside 192.0.2.9:1089" */
static void print_end(struct hd_out *out, const char *which, struct hd_scan text)
{
	char inside[END_SIZE], outside[OUTSIDE_SIZE];
	struct end end = end_of(text);

	outside_text(&end, outside);
	hd_out_line(out, "  %s     %s%s%s", which, end_text(text, inside),
		    outside[0] ? ", outside " : "", outside);
}

/* The blocks are kept apart by empty lines. */
struct blocks {
	struct hd_out *out;
	bool some;
};

static void print_flow(void *arg, struct hd_scan element)
{
	char rules[RULES_SIZE];
	struct blocks *blocks = arg;
	struct hd_out *out = blocks->out;
	struct flow flow = {};

	if (blocks->some)
		hd_out_line(out, "%s", "");
	blocks->some = true;
	hd_scan_fields(element, flow_fields, HD_COUNT(flow_fields), &flow);
	print_head(out, &flow);
	print_end(out, "client", flow.client);
	print_end(out, "server", flow.server);
	print_times(out, &flow);
	print_counters(out, "to-server", flow.to_server);
	print_counters(out, "to-client", flow.to_client);
	hd_out_line(out, "  rules      %s", rules_text(flow.rules, true, rules));
}

static int show(struct hd_cli *cli, struct hd_error *err)
{
	struct blocks blocks = { .out = &cli->out };

	if (cli->out.json)
		return copy_json(cli, err);
	return for_flows(cli, print_flow, &blocks, err);
}

static int flush(struct hd_cli *cli, struct hd_error *err)
{
	return hd_filter_flush(cli, "/v1/flows/flush", err);
}
