// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* config.c - heddled's command line and heddled.conf */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "api/file.h"
#include "cleanup.h"
#include "heddle/abi.h"
#include "heddle/flow.h"
#include "heddlectl/departed.h"
#include "heddlectl/schema.h"

#ifndef HD_VERSION
#define HD_VERSION "unknown"
#endif

#define DEFAULT_FILE "/etc/heddle/heddled.conf"

static const char usage[] =
	"heddled - the daemon of heddle, an eBPF virtual network\n"
	"\n"
	"usage: heddled [--instance NAME] [--config FILE] [--state-dir DIR] [--run-dir DIR] [--foreground]\n"
	"\n"
	"  --instance NAME   which heddle, if there are several on this machine (default: default)\n"
	"  --config FILE     settings (default: " DEFAULT_FILE ", if it is there)\n"
	"  --state-dir DIR   where the database is (default: /var/lib/heddle)\n"
	"  --run-dir DIR     where the socket is (default: " HD_RUN_DIR ")\n"
	"  --foreground      don't go into the background\n"
	"  --version, --help\n"
	"\n"
	"See heddled(8).\n";

static int set_text(char *to, size_t size, const char *what, const char *value,
		    struct hd_error *err)
{
	if (strlen(value) >= size)
		return hd_error_set(err, HD_ERR_USAGE, "heddled: %s is too long", what);
	memcpy(to, value, strlen(value) + 1);
	return 0;
}

/* One table size: large enough to be of use, small enough for the kernel to allocate. */
static int set_size(const char *name, const json_t *value, struct hd_limits *limits,
		    struct hd_error *err)
{
	const struct {
		const char *name;
		uint32_t *size;
	} sizes[] = {
		{ "ports", &limits->ports },
		{ "networks", &limits->networks },
		{ "fdb", &limits->fdb },
		{ "neighbours", &limits->neighbours },
		{ "drops", &limits->drops },
		{ "flows", &limits->flows },
		{ "flows-per-port", &limits->flows_per_port },
		{ "new-flows", &limits->new_flows },
		{ "rules", &limits->rules },
		{ "rule-ids", &limits->rule_ids },
		{ "policies", &limits->policies },
		{ "members", &limits->members },
		{ "sources", &limits->sources },
		{ "fragments", &limits->fragments },
		{ "routes", &limits->routes },
		{ "router-neighbours", &limits->arp },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		json_int_t n = json_integer_value(value);
		json_int_t max = sizes[i].size == &limits->ports      ? HD_FLOW_PORTS_MAX
				 : sizes[i].size == &limits->networks ? HD_FLOW_NETWORKS_MAX
								      : 16777215;

		if (strcmp(sizes[i].name, name))
			continue;
		if (!json_is_integer(value) || n < 64 || n > max)
			return hd_error_set(err, HD_ERR_INVALID,
					    "table-sizes: %s must be a number from 64 to %lld",
					    name, (long long)max);
		*sizes[i].size = (uint32_t)n;
		return 0;
	}
	return hd_error_set(err, HD_ERR_INVALID, "table-sizes: there is no table %s", name);
}

static int set_sizes(json_t *sizes, struct hd_limits *limits, struct hd_error *err)
{
	const char *name;
	json_t *value;

	json_object_foreach(sizes, name, value) {
		int r = set_size(name, value, limits, err);

		if (r < 0) {
			hd_error_where(err, "table-sizes/%s", name);
			return r;
		}
	}
	return 0;
}

static int set_timeout(const char *name, const json_t *value, struct hd_limits *limits,
		       struct hd_error *err)
{
	static const char *const names[HD_TIMEOUT_COUNT] = {
#define X(symbol, word, seconds) [symbol] = (word),
		HD_TIMEOUTS(X)
#undef X
	};
	json_int_t n = json_integer_value(value);

	for (int i = 0; i < HD_TIMEOUT_COUNT; i++) {
		if (strcmp(names[i], name))
			continue;
		if (!json_is_integer(value) || n < 1 || n > 1000000)
			return hd_error_set(err, HD_ERR_INVALID,
					    "timeouts: %s must be seconds, from 1 to 1000000",
					    name);
		limits->timeouts_s[i] = (uint32_t)n;
		return 0;
	}
	return hd_error_set(err, HD_ERR_INVALID, "timeouts: there is no timeout %s", name);
}

static int set_timeouts(json_t *timeouts, struct hd_limits *limits, struct hd_error *err)
{
	const char *name;
	json_t *value;

	json_object_foreach(timeouts, name, value) {
		int r = set_timeout(name, value, limits, err);

		if (r < 0) {
			hd_error_where(err, "timeouts/%s", name);
			return r;
		}
	}
	return 0;
}

static int set_vanished(struct hd_config *config, const json_t *value, struct hd_error *err)
{
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < 0 || n > 1000000)
		return hd_error_set(err, HD_ERR_INVALID,
				    "remove-vanished-after must be seconds, from 0 to 1000000");
	config->vanished_s = (uint32_t)n;
	return 0;
}

static int set_setting(struct hd_config *config, const char *name, json_t *value,
		       struct hd_error *err)
{
	const char *text = json_string_value(value);

	if (!strcmp(name, "table-sizes") && json_is_object(value))
		return set_sizes(value, &config->limits, err);
	if (!strcmp(name, "timeouts") && json_is_object(value))
		return set_timeouts(value, &config->limits, err);
	if (!strcmp(name, "remove-vanished-after"))
		return set_vanished(config, value, err);
	if (!strcmp(name, "log-level") && text && hd_log_parse_level(text, &config->log_level))
		return 0;
	if (!strcmp(name, "log-level"))
		return hd_error_set(err, HD_ERR_INVALID,
				    "log-level must be err, warn, info or debug");
	if (!strcmp(name, "socket-group") && text)
		return set_text(config->group, sizeof(config->group), "socket-group", text, err);
	return hd_error_set(err, HD_ERR_INVALID, "there is no setting %s, or it is of another type",
			    name);
}

static int parse_settings(struct hd_config *config, const struct hd_file *file,
			  struct hd_error *err)
{
	json_t *root = hd_file_root(file);
	const char *name;
	json_t *value;

	if (json_is_null(root))
		return 0;
	if (!json_is_object(root))
		return hd_error_set(err, HD_ERR_INVALID, "settings must be a mapping");
	json_object_foreach(root, name, value) {
		int r = set_setting(config, name, value, err);

		if (r < 0) {
			if (!err->where[0])
				hd_error_where(err, "%s", name);
			hd_file_locate(file, err);
			return r;
		}
	}
	return 0;
}

static int read_text(const char *path, char *buf, size_t size, size_t *ret_len)
{
	_fclose_ FILE *f = fopen(path, "re");

	if (!f)
		return -errno;
	*ret_len = fread(buf, 1, size, f);
	if (ferror(f))
		return -EIO;
	return *ret_len == size ? -EFBIG : 0;
}

static int read_file(struct hd_config *config, const char *path, struct hd_error *err)
{
	bool is_default = !path;
	struct hd_file *file = NULL;
	char text[65536];
	size_t len = 0;
	int r;

	if (is_default)
		path = DEFAULT_FILE;
	r = read_text(path, text, sizeof(text), &len);
	if (r == -ENOENT && is_default)
		return 0;
	if (r < 0)
		return hd_error_set(err, HD_ERR_FAILED, "%s: %s", path, strerror(-r));
	r = hd_file_parse(text, len, &file, err);
	if (r == 0)
		r = parse_settings(config, file, err);
	hd_file_free(file);
	if (r < 0) {
		struct hd_error inner = *err;

		hd_error_set(err, inner.code, "%s:%u:%u: %s", path, inner.line, inner.column,
			     inner.message);
		hd_error_hint(err, "%s", inner.hint);
	}
	return r;
}

static const struct option options[] = {
	{ "instance", required_argument, NULL, 'i' },
	{ "config", required_argument, NULL, 'c' },
	{ "state-dir", required_argument, NULL, 's' },
	{ "run-dir", required_argument, NULL, 'r' },
	{ "foreground", no_argument, NULL, 'f' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int set_instance(struct hd_config *config, const char *name, struct hd_error *err)
{
	/* The alias of a device holds it, and a socket's path is short. */
	if (!hd_name_ok(name) || strlen(name) > 40)
		return hd_error_set(err, HD_ERR_USAGE,
				    "heddled: '%s' is not a name for an instance", name);
	return set_text(config->instance, sizeof(config->instance), "--instance", name, err);
}

static int parse_options(int argc, char *argv[], struct hd_config *config, const char **ret_file,
			 struct hd_error *err)
{
	int c, r = 0;

	while (r == 0 && (c = getopt_long(argc, argv, "i:", options, NULL)) != -1) {
		switch (c) {
		case 'i':
			r = set_instance(config, optarg, err);
			break;
		case 'c':
			*ret_file = optarg;
			break;
		case 's':
			r = set_text(config->state_dir, sizeof(config->state_dir), "--state-dir",
				     optarg, err);
			break;
		case 'r':
			r = set_text(config->run_dir, sizeof(config->run_dir), "--run-dir", optarg,
				     err);
			break;
		case 'f':
			config->foreground = true;
			break;
		case 'V':
			(void)puts("heddled " HD_VERSION);
			return 1;
		case 'h':
			(void)fputs(usage, stdout);
			return 1;
		default:
			return hd_error_set(err, HD_ERR_USAGE,
					    "heddled: bad usage, see heddled --help");
		}
	}
	if (r == 0 && optind < argc)
		return hd_error_set(err, HD_ERR_USAGE, "heddled: unexpected argument '%s'",
				    argv[optind]);
	return r;
}

int hd_config_parse(int argc, char *argv[], struct hd_config *ret, struct hd_error *err)
{
	struct hd_config config = {
		.instance = "default",
		.state_dir = "/var/lib/heddle",
		.run_dir = HD_RUN_DIR,
		.group = "heddle",
		.log_level = HD_LOG_INFO,
		.vanished_s = 60,
		.limits = { .ports = HD_PORTS_DEFAULT,
			    .networks = HD_NETWORKS_DEFAULT,
			    .fdb = HD_FDB_DEFAULT,
			    .neighbours = HD_NEIGH_DEFAULT,
			    .drops = HD_DROPS_DEFAULT,
			    .flows = HD_FLOWS_DEFAULT,
			    .new_flows = HD_NEW_FLOWS_DEFAULT,
			    .rules = HD_RULES_DEFAULT,
			    .rule_ids = HD_RULE_COUNTERS_DEFAULT,
			    .policies = HD_POLICIES_DEFAULT,
			    .members = HD_MEMBERS_DEFAULT,
			    .sources = HD_SOURCES_DEFAULT,
			    .fragments = HD_FRAGS_DEFAULT,
			    .routes = HD_ROUTES_DEFAULT,
			    .arp = HD_ARP_DEFAULT,
			    .timeouts_s = {
#define X(symbol, word, seconds) [symbol] = (seconds),
				    HD_TIMEOUTS(X)
#undef X
			    } },
	};
	const char *file = NULL;
	int r = parse_options(argc, argv, &config, &file, err);

	if (r == 0)
		r = read_file(&config, file, err);
	if (r == 0 &&
	    !config.limits
		     .flows_per_port) /* a quarter, so that no single port can fill the table */
		config.limits.flows_per_port = config.limits.flows / 4;
	if (r == 0)
		*ret = config;
	return r;
}
