// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * cni.c - heddle cni: a network for containers, ready to use, and the conf by which runtimes find it
 *
 *     containers ── network NAME ── router NAME ── uplink ── outside      masquerade, published ports
 *                        └────────── port NAME-host, device NAME           the host
 *
 * All of it are ordinary objects, which may be changed afterwards.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/change.h"
#include "cli/groups.h"
#include "loader/cleanup.h"

#define NETWORK "heddle"
#define SUBNET "10.77.0.0/16"
#define CONF_DIR "/etc/cni/net.d"

static int install(struct hd_cli *cli, struct hd_error *err);
static int remove_network(struct hd_cli *cli, struct hd_error *err);

#define OPTION_CONF_DIR                                                                            \
	{                                                                                          \
		.name = "conf-dir", .type = HD_TYPE_STRING, .meta = "DIR", .dflt = CONF_DIR,       \
		.help = "where runtimes look for networks"                                         \
	}

static const struct hd_option install_options[] = {
	{ .name = "subnet",
	  .type = HD_TYPE_CIDR,
	  .meta = "CIDR",
	  .dflt = SUBNET,
	  .help = "addresses of the containers; the first is the router's, the second the host's" },
	{ .name = "subnet6",
	  .type = HD_TYPE_CIDR,
	  .meta = "CIDR",
	  .help = "addresses of IPv6 beside them, such as fd00:77::/64" },
	{ .name = "uplink",
	  .type = HD_TYPE_DEVICE,
	  .meta = "DEV",
	  .help = "their way out, with the host's address; the device of the default route if not "
		  "given" },
	OPTION_CONF_DIR,
	{ .name = "plugin-dir",
	  .type = HD_TYPE_STRING,
	  .meta = "DIR",
	  .help = "link the plugin there, for runtimes that look nowhere else" },
};
static const struct hd_option remove_options[] = { OPTION_CONF_DIR };

static const struct hd_command commands[] = {
	{ .verb = "install",
	  .help = "make a network for containers and write its conf; fine if it is there",
	  .args = "[NETWORK]",
	  .max_args = 1,
	  .no_dry_run = true,
	  .options = install_options,
	  .n_options = HD_COUNT(install_options),
	  .run = install },
	{ .verb = "remove",
	  .help = "take all of that back",
	  .args = "[NETWORK]",
	  .max_args = 1,
	  .no_dry_run = true,
	  .options = remove_options,
	  .n_options = HD_COUNT(remove_options),
	  .run = remove_network },
};

const struct hd_group hd_group_cni = {
	.word = "cni",
	.help = "a network for containers",
	.commands = commands,
	.n_commands = HD_COUNT(commands),
};

/**
 * struct range - one subnet of the network
 * @cidr:    NULL for none
 * @gateway: first address
 * @leg:     second
 */
struct range {
	const char *cidr;
	char name[80];
	char gateway[64];
	char leg[64];
};

/**
 * struct plan - what is to be there
 * @range:   --subnet, --subnet6
 * @host:    name of the port that is the host's leg
 * @uplink:  "" for none
 */
struct plan {
	const char *name;
	struct range range[2];
	char host[80];
	char uplink[16];
	const char *conf_dir;
};

/* ---- the plan ---- */

static const char *text_or(const struct hd_cli *cli, const char *option, const char *dflt)
{
	const char *text = hd_cli_text(cli, option);

	return text ? text : dflt;
}

static int check_name(const char *name, struct hd_error *err)
{
	if (hd_name_ok(name) && strlen(name) < 16)
		return 0;
	hd_error_set(err, HD_ERR_INVALID, "cni: %.80s can't be the name of the network", name);
	hd_error_hint(err, "it is that of a device of the host, too: up to 15 letters, digits, "
			   "'.', '_', '-'");
	return -EINVAL;
}

static bool is_v6(const char *cidr)
{
	return strchr(cidr, ':');
}

/* The first two of its hosts: with three bits or more behind the prefix, they differ in the last byte alone. */
static int find_addresses(struct range *range, struct hd_error *err)
{
	const char *slash = strchr(range->cidr, '/');
	int family = is_v6(range->cidr) ? AF_INET6 : AF_INET;
	size_t last = family == AF_INET ? 3 : 15;
	unsigned char bytes[16];
	char net[64];

	(void)snprintf(net, sizeof(net), "%.*s", slash ? (int)(slash - range->cidr) : 63,
		       range->cidr);
	if (!slash || inet_pton(family, net, bytes) != 1 ||
	    strtol(slash + 1, NULL, 10) > (family == AF_INET ? 29 : 125))
		return hd_error_set(err, HD_ERR_INVALID,
				    "cni: subnet %s is too small for containers", range->cidr);
	bytes[last] |= 1;
	(void)inet_ntop(family, bytes, range->gateway, sizeof(range->gateway)); /* it fits */
	bytes[last] = (unsigned char)(bytes[last] + 1);
	(void)inet_ntop(family, bytes, range->leg, sizeof(range->leg));
	return 0;
}

static int plan_ranges(struct plan *plan, struct hd_error *err)
{
	struct range *four = &plan->range[0], *six = &plan->range[1];
	int r;

	(void)snprintf(four->name, sizeof(four->name), "%s", plan->name);
	(void)snprintf(six->name, sizeof(six->name), "%s-6", plan->name);
	if (six->cidr && (is_v6(four->cidr) || !is_v6(six->cidr)))
		return hd_error_set(err, HD_ERR_INVALID,
				    "cni: --subnet6 is for IPv6, beside a --subnet of IPv4");
	r = find_addresses(four, err);
	return r < 0 || !six->cidr ? r : find_addresses(six, err);
}

/* The device of the IPv4 default route with the lowest metric, of this namespace; "" if there is none. */
static void find_uplink(char ret[16])
{
	_fclose_ FILE *file = fopen("/proc/self/net/route", "re");
	unsigned int to, mask, metric, best = ~0u;
	char line[256], name[16];

	ret[0] = 0;
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%15s %x %*x %*x %*d %*d %u %x", name, &to, &metric, &mask) == 4 &&
		    !to && !mask && metric < best) {
			best = metric;
			memcpy(ret, name, sizeof(name));
		}
}

static int make_plan(struct hd_cli *cli, struct plan *plan, struct hd_error *err)
{
	const char *uplink = hd_cli_text(cli, "uplink");
	int r;

	*plan = (struct plan){
		.name = cli->n_args ? cli->args[0] : NETWORK,
		.range = { { .cidr = text_or(cli, "subnet", SUBNET) },
			   { .cidr = hd_cli_text(cli, "subnet6") } },
		.conf_dir = text_or(cli, "conf-dir", CONF_DIR),
	};
	r = check_name(plan->name, err);
	if (r < 0)
		return r;
	(void)snprintf(plan->host, sizeof(plan->host), "%s-host", plan->name);
	if (uplink)
		(void)snprintf(plan->uplink, sizeof(plan->uplink), "%s", uplink);
	else
		find_uplink(plan->uplink);
	return plan_ranges(plan, err);
}

/* ---- objects ---- */

static int request(struct hd_cli *cli, const char *method, const char *path, json_t *body,
		   struct hd_error *err)
{
	_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct hd_request request = {
		.method = method, .path = path, .body = text, .len = text ? strlen(text) : 0
	};
	_json_ json_t *answer = NULL;

	json_decref(body);
	return hd_client_call(&cli->client, &request, &answer, err);
}

/* What is there already stays as it is: somebody may have changed it since. Takes the body. */
static int add(struct hd_cli *cli, const char *nouns, json_t *body, struct hd_error *err)
{
	char path[64];
	int r;

	if (!body)
		return hd_no_memory(err);
	(void)snprintf(path, sizeof(path), "/v1/%s", nouns);
	r = request(cli, "POST", path, body, err);
	if (err->code != HD_ERR_CONFLICT || !strstr(err->message, "exists already"))
		return r;
	*err = (struct hd_error){};
	return 0;
}

/* Containers reach each other and are reached by the host; they reach the host only where somebody adds a rule to its group. */
static int add_groups(struct hd_cli *cli, const struct plan *plan, struct hd_error *err)
{
	int r = add(cli, "security-groups",
		    json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}]}", "name", plan->host, "rules",
			      "direction", "egress", "ethertype", "ipv4", "direction", "egress",
			      "ethertype", "ipv6"),
		    err);

	if (r < 0)
		return r;
	return add(cli, "security-groups",
		   json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:s, s:s}, {s:s, s:s, s:s},"
			     "{s:s, s:s, s:s}, {s:s, s:s, s:s}]}",
			     "name", plan->name, "rules", "direction", "egress", "ethertype",
			     "ipv4", "direction", "egress", "ethertype", "ipv6", "direction",
			     "ingress", "ethertype", "ipv4", "remote-group", plan->name,
			     "direction", "ingress", "ethertype", "ipv6", "remote-group",
			     plan->name, "direction", "ingress", "ethertype", "ipv4",
			     "remote-group", plan->host, "direction", "ingress", "ethertype",
			     "ipv6", "remote-group", plan->host),
		   err);
}

static int add_subnets(struct hd_cli *cli, const struct plan *plan, struct hd_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < HD_COUNT(plan->range); i++)
		if (plan->range[i].cidr)
			r = add(cli, "subnets",
				json_pack("{s:s, s:s, s:s, s:s}", "name", plan->range[i].name,
					  "network", plan->name, "cidr", plan->range[i].cidr,
					  "gateway", plan->range[i].gateway),
				err);
	return r;
}

static int add_leg(struct hd_cli *cli, const struct plan *plan, struct hd_error *err)
{
	json_t *addresses = json_array();

	for (size_t i = 0; i < HD_COUNT(plan->range); i++)
		if (plan->range[i].cidr)
			(void)json_array_append_new(addresses, json_string(plan->range[i].leg));
	return add(cli, "ports",
		   json_pack("{s:s, s:s, s:b, s:s, s:o, s:[s]}", "name", plan->host, "network",
			     plan->name, "internal", 1, "ifname", plan->name, "ip", addresses,
			     "security-group", plan->host),
		   err);
}

static int add_network(struct hd_cli *cli, const struct plan *plan, struct hd_error *err)
{
	int r = add(cli, "networks", json_pack("{s:s, s:s}", "name", plan->name, "type", "local"),
		    err);

	if (r == 0)
		r = add_subnets(cli, plan, err);
	if (r == 0)
		r = add_groups(cli, plan, err);
	return r < 0 ? r : add_leg(cli, plan, err);
}

static int attach(struct hd_cli *cli, const struct plan *plan, struct hd_error *err)
{
	char path[128];
	int r = 0;

	(void)snprintf(path, sizeof(path), "/v1/routers/%s/subnets?may-exist=1", plan->name);
	for (size_t i = 0; r == 0 && i < HD_COUNT(plan->range); i++)
		if (plan->range[i].cidr)
			r = request(cli, "POST", path,
				    json_pack("{s:s}", "name", plan->range[i].name), err);
	return r;
}

static int add_router(struct hd_cli *cli, const struct plan *plan, struct hd_error *err)
{
	char path[128];
	int r = add(cli, "routers", json_pack("{s:s}", "name", plan->name), err);

	if (r == 0)
		r = attach(cli, plan, err);
	if (r < 0 || !plan->uplink[0])
		return r;
	r = add(cli, "uplinks", json_pack("{s:s}", "name", plan->uplink), err);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/v1/routers/%s", plan->name);
	return request(cli, "PATCH", path,
		       json_pack("{s:{s:s}}", "gateway", "uplink", plan->uplink), err);
}

/* ---- files ---- */

static json_t *make_conf(const struct hd_cli *cli, const struct plan *plan)
{
	static const char *const all[] = { "portMappings", "ips",     "mac",	  "ipRanges",
					   "dns",	   "aliases", "bandwidth" };
	const char *run = getenv("HEDDLE_RUN_DIR");
	json_t *capabilities = json_object(), *plugin;

	for (size_t i = 0; i < HD_COUNT(all); i++)
		(void)json_object_set_new(capabilities, all[i], json_true());
	plugin = json_pack("{s:s, s:s, s:s, s:[s], s:o}", "type", "heddle-cni", "network",
			   plan->name, "instance", cli->client.instance, "securityGroups",
			   plan->name, "capabilities", capabilities);
	if (run && *run)
		(void)json_object_set_new(plugin, "runDir", json_string(run));
	return json_pack("{s:s, s:s, s:[o]}", "cniVersion", "1.0.0", "name", plan->name, "plugins",
			 plugin);
}

static int file_error(const char *path, const char *what, struct hd_error *err)
{
	return hd_error_set(err, HD_ERR_FAILED, "%s: %s: %s", path, what, strerror(errno));
}

static int make_folders(const char *path, struct hd_error *err)
{
	_free_ char *copy = strdup(path);

	if (!copy)
		return hd_no_memory(err);
	for (char *slash = strchr(copy + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = 0;
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return file_error(copy, "can't be made", err);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

static void conf_path(const struct plan *plan, const char *suffix, char path[512])
{
	(void)snprintf(path, 512, "%s/%s.conflist%s", plan->conf_dir, plan->name, suffix);
}

/* A runtime that looks meanwhile finds the old file or the new one. */
static int write_conf(struct hd_cli *cli, const struct plan *plan, struct hd_error *err)
{
	_json_ json_t *conf = make_conf(cli, plan);
	char path[512], fresh[512];
	int r = make_folders(plan->conf_dir, err);

	conf_path(plan, "", path);
	conf_path(plan, ".new", fresh);
	if (r < 0)
		return r;
	if (!conf || json_dump_file(conf, fresh, JSON_INDENT(2)) < 0)
		return file_error(fresh, "can't be written", err);
	return rename(fresh, path) < 0 ? file_error(path, "can't be written", err) : 0;
}

/* Where make has put it, or make install. */
static bool find_plugin(char path[512])
{
	static const char *const places[] = { "heddle-cni", "../libexec/cni/heddle-cni" };
	char self[256];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = 0;
	slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < HD_COUNT(places); i++) {
		char *real;

		(void)snprintf(path, 512, "%.*s/%s", (int)(slash - self), self, places[i]);
		real = realpath(path, NULL);
		if (!real)
			continue;
		(void)snprintf(path, 512, "%s", real);
		free(real);
		return true;
	}
	return false;
}

static int link_plugin(const char *folder, struct hd_error *err)
{
	char plugin[512], path[512];
	int r;

	if (!folder)
		return 0;
	if (!find_plugin(plugin))
		return hd_error_set(err, HD_ERR_NOT_FOUND,
				    "cni: heddle-cni is not where heddle is, nor in "
				    "../libexec/cni");
	r = make_folders(folder, err);
	(void)snprintf(path, sizeof(path), "%s/heddle-cni", folder);
	if (r < 0 || strcmp(path, plugin) == 0)
		return r;
	if (unlink(path) < 0 && errno != ENOENT)
		return file_error(path, "can't be replaced", err);
	return symlink(plugin, path) < 0 ? file_error(path, "can't be made", err) : 0;
}

/* ---- the commands ---- */

static void tell(struct hd_cli *cli, const struct plan *plan)
{
	char path[512];

	conf_path(plan, "", path);
	if (cli->out.json) {
		_json_ json_t *json =
			json_pack("{s:s, s:s, s:s, s:s}", "network", plan->name, "subnet",
				  plan->range[0].cidr, "uplink", plan->uplink, "conf", path);

		if (plan->range[1].cidr)
			(void)json_object_set_new(json, "subnet6",
						  json_string(plan->range[1].cidr));
		hd_out_json(&cli->out, json);
		return;
	}
	(void)printf("network %s (%s%s%s), written to %s\n", plan->name, plan->range[0].cidr,
		     plan->range[1].cidr ? ", " : "", plan->range[1].cidr ?: "", path);
	if (plan->uplink[0])
		(void)printf("out by %s; ", plan->uplink);
	else
		(void)printf("no way out: the host has no default route, and no --uplink was "
			     "given; ");
	(void)printf(
		"try: podman run --network %s ... (podman info: networkBackend has to be cni)\n",
		plan->name);
}

static int install(struct hd_cli *cli, struct hd_error *err)
{
	struct plan plan;
	int r = make_plan(cli, &plan, err);

	if (r == 0)
		r = add_network(cli, &plan, err);
	if (r == 0)
		r = add_router(cli, &plan, err);
	if (r == 0)
		r = link_plugin(hd_cli_text(cli, "plugin-dir"), err);
	if (r == 0)
		r = write_conf(cli, &plan, err);
	if (r == 0)
		tell(cli, &plan);
	return r;
}

static int del(struct hd_cli *cli, const char *nouns, const char *name, struct hd_error *err)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "/v1/%s/%s?if-exists=1", nouns, name);
	return request(cli, "DELETE", path, NULL, err);
}

/* Rules of each may name the other. */
static int unlink_groups(struct hd_cli *cli, const struct plan *plan, struct hd_error *err)
{
	const char *const groups[] = { plan->name, plan->host };
	char path[160];
	int r = 0;

	for (size_t i = 0; r == 0 && i < HD_COUNT(groups); i++) {
		(void)snprintf(path, sizeof(path), "/v1/security-groups/%s", groups[i]);
		r = request(cli, "PATCH", path, json_pack("{s:[]}", "rules"), err);
		if (r < 0 && err->code == HD_ERR_NOT_FOUND) {
			*err = (struct hd_error){};
			r = 0;
		}
	}
	return r;
}

/* Ports of containers, or anything else but the host's leg, have to go first: nothing is taken back by half. */
static int check_unused(struct hd_cli *cli, const struct plan *plan, struct hd_error *err)
{
	struct hd_request request = { .method = "GET", .path = "/v1/ports" };
	const char *first = NULL;
	_json_ json_t *ports = NULL;
	json_t *port;
	size_t i, n = 0;
	int r = hd_client_call(&cli->client, &request, &ports, err);

	if (r < 0)
		return r;
	json_array_foreach(ports, i, port) {
		const char *name = json_string_value(json_object_get(port, "name"));
		const char *network = json_string_value(json_object_get(port, "network"));

		if (!name || !network || strcmp(network, plan->name) != 0 ||
		    !strcmp(name, plan->host))
			continue;
		first = first ? first : name;
		n++;
	}
	if (!n)
		return 0;
	r = hd_error_set(err, HD_ERR_CONFLICT,
			 "cni: network %s: still used by %zu port%s, such as %s", plan->name, n,
			 n == 1 ? "" : "s", first);
	hd_error_hint(err, "remove the containers first; 'heddle port list' shows all");
	return r;
}

/* All that the network has by now. */
static int del_subnets(struct hd_cli *cli, const struct plan *plan, struct hd_error *err)
{
	struct hd_request request = { .method = "GET", .path = "/v1/subnets" };
	_json_ json_t *subnets = NULL;
	json_t *subnet;
	size_t i;
	int r = hd_client_call(&cli->client, &request, &subnets, err);

	json_array_foreach(subnets, i, subnet) {
		const char *name = json_string_value(json_object_get(subnet, "name"));
		const char *network = json_string_value(json_object_get(subnet, "network"));

		if (r == 0 && name && network && !strcmp(network, plan->name))
			r = del(cli, "subnets", name, err);
	}
	return r;
}

/* The conf first: no container more. The uplink stays: others may be using it. */
static int remove_network(struct hd_cli *cli, struct hd_error *err)
{
	static const struct {
		const char *nouns;
		bool host;
	} all[] = { { "routers", false },
		    { "ports", true },
		    { "security-groups", false },
		    { "security-groups", true } };
	struct plan plan;
	char path[512];
	int r = make_plan(cli, &plan, err);

	if (r == 0)
		r = check_unused(cli, &plan, err);
	if (r < 0)
		return r;
	conf_path(&plan, "", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return file_error(path, "can't be removed", err);
	r = unlink_groups(cli, &plan, err);
	for (size_t i = 0; r == 0 && i < HD_COUNT(all); i++)
		r = del(cli, all[i].nouns, all[i].host ? plan.host : plan.name, err);
	if (r == 0)
		r = del_subnets(cli, &plan, err);
	return r < 0 ? r : del(cli, "networks", plan.name, err);
}
