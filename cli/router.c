// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* router.c - heddle router: routers, the subnets that they join, their routes and their way out */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/change.h"
#include "cli/groups.h"
#include "cli/item.h"
#include "cli/object.h"
#include "cli/route.h"
#include "cli/url.h"
#include "loader/cleanup.h"

static int show(struct hd_cli *cli, struct hd_error *err);
static int attach(struct hd_cli *cli, struct hd_error *err);
static int detach(struct hd_cli *cli, struct hd_error *err);
static int gateway(struct hd_cli *cli, struct hd_error *err);
static int route_add(struct hd_cli *cli, struct hd_error *err);
static char *gateway_text(const json_t *router);
static char *outside_text(const json_t *router);
static char *snat_text(const json_t *router);
static char *route_count_text(const json_t *router);

#define OPTION_SUBNET                                                                              \
	{                                                                                          \
		.name = "subnet", .type = HD_TYPE_NAME, .flags = HD_OPT_REQUIRED,                  \
		.refers = "subnet", .meta = "SUBNET", .help = "the subnet"                         \
	}
#define OPTION_FINE(word, text)                                                                    \
	{                                                                                          \
		.name = (word), .type = HD_TYPE_FLAG, .help = (text)                               \
	}

static const struct hd_option attach_options[] = {
	OPTION_SUBNET,
	OPTION_FINE("may-exist", "fine if it is attached to this router already"),
};
static const struct hd_option detach_options[] = {
	OPTION_SUBNET,
	OPTION_FINE("if-exists", "fine if it is not attached"),
};
static const struct hd_option gateway_options[] = {
	OPTION_FINE("none", "take the way out back"),
};
static const struct hd_option route_add_options[] = {
	OPTION_FINE("may-exist", "fine if the very same route exists"),
};

static const struct hd_command commands[] = {
	HD_OBJECT_ADD,
	HD_OBJECT_SET,
	HD_OBJECT_DEL,
	HD_OBJECT_SHOW(show),
	HD_OBJECT_LIST,
	{ .verb = "attach",
	  .help = "join a subnet; the router has its gateway's address there",
	  .min_args = 1,
	  .max_args = 1,
	  .options = attach_options,
	  .n_options = HD_COUNT(attach_options),
	  .run = attach },
	{ .verb = "detach",
	  .help = "leave a subnet",
	  .min_args = 1,
	  .max_args = 1,
	  .options = detach_options,
	  .n_options = HD_COUNT(detach_options),
	  .run = detach },
	{ .verb = "gateway",
	  .help = "set the way out, or take it back",
	  .min_args = 1,
	  .max_args = 1,
	  .spec = HD_SPEC_ADD,
	  .noun = &hd_gateway_noun,
	  .options = gateway_options,
	  .n_options = HD_COUNT(gateway_options),
	  .run = gateway },
	{ .verb = "route-add",
	  .help = "add a static route; prints its id",
	  .args = "ROUTER PREFIX",
	  .min_args = 2,
	  .max_args = 2,
	  .spec = HD_SPEC_ADD,
	  .noun = &hd_route_noun,
	  .options = route_add_options,
	  .n_options = HD_COUNT(route_add_options),
	  .run = route_add },
	{ .verb = "route-del",
	  .help = "remove the route with this id",
	  .args = "ROUTER ID",
	  .min_args = 2,
	  .max_args = 2,
	  .noun = &hd_route_noun,
	  .options = hd_object_del_options,
	  .n_options = 1,
	  .run = hd_item_del },
};

static const struct hd_column columns[] = {
	{ .title = "NAME", .key = "name", .flags = HD_COLUMN_SHRINK },
	{ .title = "MAC", .key = "mac" },
	{ .title = "SUBNETS", .key = "subnets", .flags = HD_COLUMN_SHRINK },
	{ .title = "GATEWAY", .text = gateway_text, .flags = HD_COLUMN_OPTIONAL },
	{ .title = "OUTSIDE",
	  .text = outside_text,
	  .flags = HD_COLUMN_SHRINK | HD_COLUMN_OPTIONAL },
	{ .title = "SNAT", .text = snat_text, .flags = HD_COLUMN_OPTIONAL },
	{ .title = "ROUTES", .text = route_count_text, .format = HD_FORMAT_NUMBER },
};

const struct hd_group hd_group_router = {
	.word = "router",
	.noun = &hd_nouns[HD_NOUN_ROUTER],
	.commands = commands,
	.n_commands = HD_COUNT(commands),
	.columns = columns,
	.n_columns = HD_COUNT(columns),
};

/* ---- list and show ---- */

/* Optional columns: they are there if any router has a way out. */
static char *of_gateway(const json_t *router, const char *key)
{
	return hd_text_value(json_object_get(json_object_get(router, "gateway"), key));
}

static char *gateway_text(const json_t *router)
{
	return of_gateway(router, "ip");
}

static char *outside_text(const json_t *router)
{
	const json_t *gateway = json_object_get(router, "gateway");

	return of_gateway(router, json_object_get(gateway, "uplink") ? "uplink" : "network");
}

static char *snat_text(const json_t *router)
{
	return of_gateway(router, "snat");
}

static char *route_count_text(const json_t *router)
{
	json_int_t n = (json_int_t)json_array_size(json_object_get(router, "routes"));

	return hd_text_number(n, HD_FORMAT_NUMBER);
}

static const struct hd_column interface_columns[] = {
	{ .title = "SUBNET", .key = "subnet", .flags = HD_COLUMN_SHRINK },
	{ .title = "NETWORK", .key = "network", .flags = HD_COLUMN_SHRINK },
	{ .title = "CIDR", .key = "cidr" },
	{ .title = "GATEWAY", .key = "gateway" },
};

static const struct hd_column route_columns[] = {
	{ .title = "ID", .key = "id", .format = HD_FORMAT_NUMBER },
	{ .title = "PREFIX", .key = "prefix" },
	{ .title = "VIA", .text = hd_route_via_text },
	{ .title = "WEIGHT", .key = "weight", .format = HD_FORMAT_NUMBER },
};

static const struct hd_column floating_ip_columns[] = {
	{ .title = "FLOATING-IP", .key = "ip" },
	{ .title = "FIXED-IP", .key = "fixed-ip" },
	{ .title = "PORT", .key = "port", .flags = HD_COLUMN_SHRINK },
};

static const struct hd_column port_forward_columns[] = {
	{ .title = "PORT-FORWARD", .key = "name", .flags = HD_COLUMN_SHRINK },
	{ .title = "PROTOCOL", .key = "protocol" },
	{ .title = "LISTEN", .key = "listen" },
	{ .title = "TO", .key = "to" },
};

static const struct hd_column next_hop_columns[] = {
	{ .title = "NEXT-HOP", .key = "ip" },
	{ .title = "MAC", .key = "mac" },
	{ .title = "STATE", .key = "state" },
};

static const struct hd_column pool_columns[] = {
	{ .title = "NAT-POOL", .key = "ip" },
	{ .title = "PORTS", .key = "ports", .format = HD_FORMAT_NUMBER },
	{ .title = "INSIDE", .key = "inside-addresses", .format = HD_FORMAT_NUMBER },
	{ .title = "BLOCKS", .key = "blocks", .format = HD_FORMAT_NUMBER },
	{ .title = "USED", .key = "used", .format = HD_FORMAT_NUMBER },
	{ .title = "RESTING", .key = "resting", .format = HD_FORMAT_NUMBER },
	{ .title = "FREE", .key = "free", .format = HD_FORMAT_NUMBER },
};

static int print_part(struct hd_out *out, const json_t *rows, const struct hd_column *parts,
		      size_t n)
{
	if (!json_array_size(rows))
		return 0;
	hd_out_line(out, "%s", "");
	return hd_out_table(out, parts, n, rows);
}

/* The lists come as tables of their own. */
static int print_router(struct hd_out *out, json_t *router)
{
	_json_ json_t *interfaces = json_incref(json_object_get(router, "interfaces"));
	_json_ json_t *routes = json_incref(json_object_get(router, "routes"));
	_json_ json_t *floating = json_incref(json_object_get(router, "floating-ips"));
	_json_ json_t *forwards = json_incref(json_object_get(router, "port-forwards"));
	_json_ json_t *hops = json_incref(json_object_get(router, "next-hops"));
	_json_ json_t *pools = json_incref(json_object_get(router, "nat-pools"));
	int r;

	(void)json_object_del(router, "interfaces"); /* fails if there are none */
	(void)json_object_del(router, "subnets");
	(void)json_object_del(router, "routes");
	(void)json_object_del(router, "floating-ips");
	(void)json_object_del(router, "port-forwards");
	(void)json_object_del(router, "next-hops");
	(void)json_object_del(router, "nat-pools");
	r = hd_out_record(out, router);
	if (!r)
		r = print_part(out, interfaces, interface_columns, HD_COUNT(interface_columns));
	if (!r)
		r = print_part(out, routes, route_columns, HD_COUNT(route_columns));
	if (!r)
		r = print_part(out, hops, next_hop_columns, HD_COUNT(next_hop_columns));
	if (!r)
		r = print_part(out, floating, floating_ip_columns, HD_COUNT(floating_ip_columns));
	if (!r)
		r = print_part(out, forwards, port_forward_columns, HD_COUNT(port_forward_columns));
	return r ? r : print_part(out, pools, pool_columns, HD_COUNT(pool_columns));
}

static int show(struct hd_cli *cli, struct hd_error *err)
{
	_json_ json_t *router = NULL;
	int r = hd_object_get(cli, &router, err);

	if (r)
		return r;
	if (cli->out.json)
		hd_out_json(&cli->out, router);
	else if (print_router(&cli->out, router))
		return hd_no_memory(err);
	return 0;
}

/* ---- subnets ---- */

static int send(struct hd_cli *cli, const char *method, const char *inside, const json_t *body,
		struct hd_error *err)
{
	_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct hd_request request = { .method = method, .body = text };
	_free_ char *name = NULL;
	_free_ char *path = NULL;
	_free_ char *url = NULL;
	int r = hd_object_name(cli, &name, err);

	if (r)
		return r;
	if (asprintf(&path, "%s%s", name, inside) < 0)
		path = NULL;
	url = path ? hd_url(cli, cli->group->noun->plural, path) : NULL;
	if (!url || (body && !text))
		return hd_no_memory(err);
	request.path = url;
	request.len = text ? strlen(text) : 0;
	return hd_change(cli, &request, hd_cli_flag(cli, "dry-run"), err);
}

static int attach(struct hd_cli *cli, struct hd_error *err)
{
	_json_ json_t *body = json_pack("{s:s}", "name", hd_cli_text(cli, "subnet"));

	return body ? send(cli, "POST", "/subnets", body, err) : hd_no_memory(err);
}

static int detach(struct hd_cli *cli, struct hd_error *err)
{
	char inside[96];

	(void)snprintf(inside, sizeof(inside), "/subnets/%s", hd_cli_text(cli, "subnet"));
	return send(cli, "DELETE", inside, NULL, err);
}

/* ---- way out ---- */

static int gateway(struct hd_cli *cli, struct hd_error *err)
{
	bool none = hd_cli_flag(cli, "none");
	_json_ json_t *body = NULL;
	bool one = json_object_get(cli->spec, "network") || json_object_get(cli->spec, "uplink");
	int r;

	if (none ? json_object_size(cli->spec) : !one) {
		r = hd_error_set(err, HD_ERR_USAGE,
				 "router gateway: --network, --uplink or --none is needed");
		hd_error_hint(err, "see 'heddle router gateway --help'");
		return r;
	}
	body = none ? json_pack("{s:n}", "gateway") : json_pack("{s:O}", "gateway", cli->spec);
	return body ? send(cli, "PATCH", "", body, err) : hd_no_memory(err);
}

/* ---- routes ---- */

/* Its prefix is an argument, as people write routes everywhere. */
static int route_add(struct hd_cli *cli, struct hd_error *err)
{
	const struct hd_option *prefix = hd_option_find(&hd_route_noun, "prefix");
	struct hd_error why = { 0 };
	json_t *value = NULL;

	if (hd_option_from_text(prefix, cli->args[1], &value, &why)) {
		hd_error_set(err, why.code, "%s: %s", hd_cli_title(cli), why.message);
		hd_error_hint(err, "%s", why.hint);
		return -EINVAL;
	}
	if (json_object_set_new(cli->spec, "prefix", value))
		return hd_no_memory(err);
	return hd_item_add(cli, err);
}
