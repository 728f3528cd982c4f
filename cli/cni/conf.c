// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* conf.c - what the runtime says: environment and stdin */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cni/cni.h"
#include "heddlectl/schema.h"
#include "loader/cleanup.h"
#include "loader/hash.h"

enum {
	CONF_MAX = 4 << 20, /* bytes of a conf */
	TIMEOUT_S = 30,	    /* a runtime has patience with a start */
	SHORT_ID = 12,	    /* digits of an id that people see in lists */
	NAME_ROOM = 46,	    /* of a port, so that PORT.tcp-65535 is a name, too */
};

const char *const hd_cni_versions[HD_CNI_N_VERSIONS] = { "0.3.1", "0.4.0", "1.0.0", "1.1.0" };

/* What each command needs, and the first version that has it. */
static const struct need {
	const char *command;
	bool container, netns, interface, conf;
	enum hd_cni_version since;
} needs[] = {
	{ "ADD", true, true, true, true, HD_CNI_0_3_1 },
	{ "DEL", true, false, true, true, HD_CNI_0_3_1 },
	{ "CHECK", true, true, true, true, HD_CNI_0_4_0 },
	{ "GC", false, false, false, true, HD_CNI_1_1_0 },
	{ "STATUS", false, false, false, true, HD_CNI_1_1_0 },
	{ "VERSION", false, false, false, false, HD_CNI_0_3_1 },
};

static int read_environment(struct hd_cni *cni, const struct need **ret, struct hd_cni_error *err);
static int read_stdin(struct hd_cni *cni, struct hd_cni_error *err);
static int read_conf(struct hd_cni *cni, const struct need *need, struct hd_cni_error *err);
static void name_port(struct hd_cni *cni);

int hd_cni_read(struct hd_cni *ret, struct hd_cni_error *err)
{
	const struct need *need = NULL;
	struct hd_error why = {};
	int r = read_environment(ret, &need, err);

	ret->version = HD_CNI_1_0_0; /* of an error before it is known */
	if (r == 0)
		r = read_stdin(ret, err);
	if (r == 0)
		r = read_conf(ret, need, err);
	if (r < 0)
		return r;
	if (need->container)
		name_port(ret);
	if (hd_client_init(&ret->client, ret->instance, TIMEOUT_S, &why))
		return hd_cni_fail(err, HD_CNI_CONF, "instance: %s", why.message);
	return 0;
}

void hd_cni_done(struct hd_cni *cni)
{
	json_decref(cni->args);
	json_decref(cni->conf);
	free(cni->text);
}

/* ---- environment ---- */

static const char *env(const char *name)
{
	const char *text = getenv(name);

	return text ? text : "";
}

static bool is_container(const char *text)
{
	if (!isalnum((unsigned char)*text) || strlen(text) > HD_CNI_ID_MAX)
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("_.-", *text))
			return false;
	return true;
}

/* What the kernel takes for a device's name. */
static bool is_interface(const char *text)
{
	if (!*text || strlen(text) > 15 || !strcmp(text, ".") || !strcmp(text, ".."))
		return false;
	for (; *text; text++)
		if (!isgraph((unsigned char)*text) || strchr("/:", *text))
			return false;
	return true;
}

static int missing(const char *name, const char *command, struct hd_cni_error *err)
{
	return hd_cni_fail(err, HD_CNI_ENVIRONMENT, "%s is missing, %s needs it", name, command);
}

static int read_ids(struct hd_cni *cni, const struct need *need, struct hd_cni_error *err)
{
	const char *container = env("CNI_CONTAINERID"), *ifname = env("CNI_IFNAME");

	cni->netns = env("CNI_NETNS");
	if (need->container && !*container)
		return missing("CNI_CONTAINERID", need->command, err);
	if (need->container && !is_container(container))
		return hd_cni_fail(err, HD_CNI_ENVIRONMENT,
				   "CNI_CONTAINERID: %.80s is not the id of a container: letters, "
				   "digits, '_', '.', '-', at most %d",
				   container, HD_CNI_ID_MAX);
	if (need->netns && !*cni->netns)
		return missing("CNI_NETNS", need->command, err);
	if (need->netns && cni->netns[0] != '/')
		return hd_cni_fail(err, HD_CNI_ENVIRONMENT, "CNI_NETNS: %.200s is not a path",
				   cni->netns);
	if (need->interface && !*ifname)
		return missing("CNI_IFNAME", need->command, err);
	if (need->interface && !is_interface(ifname))
		return hd_cni_fail(err, HD_CNI_ENVIRONMENT,
				   "CNI_IFNAME: %.80s can't be the name of a device: up to 15 "
				   "letters, none of them blank, '/' or ':'",
				   ifname);
	cni->container = container;
	cni->ifname = ifname;
	return 0;
}

/* One KEY=VALUE of CNI_ARGS. */
static int take_arg(json_t *args, const char *text, struct hd_cni_error *err)
{
	const char *is = strchr(text, '=');
	json_t *value = is && is > text ? json_string(is + 1) : NULL;

	if (!value)
		return hd_cni_fail(err, HD_CNI_ENVIRONMENT,
				   "CNI_ARGS: %.80s is not KEY=VALUE in UTF-8", text);
	if (json_object_setn_new(args, text, (size_t)(is - text), value) < 0)
		return hd_cni_fail(err, HD_CNI_ENVIRONMENT, "CNI_ARGS: %.80s is not readable",
				   text);
	return 0;
}

static bool is_true(const char *text)
{
	return text && (!strcasecmp(text, "true") || !strcmp(text, "1") || !strcasecmp(text, "t"));
}

/* Who does not know a key must say so, unless he is told not to. */
static int check_args(const json_t *args, struct hd_cni_error *err)
{
	static const char *const known[] = { "IgnoreUnknown", "IP", "MAC" };
	const char *key;
	json_t *value;

	if (is_true(json_string_value(json_object_get(args, "IgnoreUnknown"))))
		return 0;
	json_object_foreach((json_t *)args, key, value) {
		bool is_known = !strncmp(key, "K8S_POD_", strlen("K8S_POD_"));

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			is_known |= !strcmp(key, known[i]);
		if (is_known)
			continue;
		hd_cni_fail(err, HD_CNI_ENVIRONMENT, "CNI_ARGS: %.80s is not known", key);
		return hd_cni_hint(err, "known are IP, MAC and K8S_POD_...; IgnoreUnknown=1 lets "
					"others pass");
	}
	return 0;
}

static int read_args(struct hd_cni *cni, struct hd_cni_error *err)
{
	_free_ char *copy = strdup(env("CNI_ARGS"));
	char *rest = copy, *one;

	cni->args = json_object();
	if (!copy || !cni->args)
		return hd_cni_fail(err, HD_CNI_FAILED, "out of memory");
	while ((one = strsep(&rest, ";")))
		if (*one && take_arg(cni->args, one, err) < 0)
			return -1;
	return check_args(cni->args, err);
}

static int read_environment(struct hd_cni *cni, const struct need **ret, struct hd_cni_error *err)
{
	const struct need *need = NULL;

	cni->command = env("CNI_COMMAND");
	cni->path = env("CNI_PATH");
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (!strcmp(cni->command, needs[i].command))
			need = &needs[i];
	if (!*cni->command) {
		hd_cni_fail(err, HD_CNI_ENVIRONMENT, "CNI_COMMAND is missing");
		return hd_cni_hint(err, "a container runtime calls heddle-cni: see heddle-cni(8)");
	}
	if (!need) {
		hd_cni_fail(err, HD_CNI_ENVIRONMENT, "CNI_COMMAND: %.80s is not known",
			    cni->command);
		return hd_cni_hint(err, "ADD, DEL, CHECK, GC, STATUS, VERSION are");
	}
	*ret = need;
	if (!need->conf) /* VERSION: runtimes leave anything in the others */
		return 0;
	if (read_ids(cni, need, err) < 0)
		return -1;
	return need->container ? read_args(cni, err) : 0;
}

/* ---- stdin ---- */

static int read_stdin(struct hd_cni *cni, struct hd_cni_error *err)
{
	size_t room = 64 << 10;

	for (;;) {
		ssize_t n;

		if (!cni->text || cni->len == room) {
			char *more = realloc(cni->text, cni->text ? room *= 2 : room);

			if (!more)
				return hd_cni_fail(err, HD_CNI_FAILED, "out of memory");
			cni->text = more;
		}
		n = read(STDIN_FILENO, cni->text + cni->len, room - cni->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hd_cni_fail(err, HD_CNI_IO, "stdin: %s", strerror(errno));
		if (n == 0)
			return 0;
		cni->len += (size_t)n;
		if (cni->len > CONF_MAX)
			return hd_cni_fail(err, HD_CNI_DECODE,
					   "stdin: a conf of more than %d MiB is none",
					   CONF_MAX >> 20);
	}
}

/* ---- keys ---- */

static int wrong_type(const char *key, const char *expected, struct hd_cni_error *err)
{
	return hd_cni_fail(err, HD_CNI_CONF, "conf: %s must be %s", key, expected);
}

int hd_cni_text(const json_t *conf, const char *key, const char **ret, struct hd_cni_error *err)
{
	const json_t *value = json_object_get(conf, key);

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return wrong_type(key, "text", err);
	if (*json_string_value(value))
		*ret = json_string_value(value);
	return 0;
}

int hd_cni_list(const json_t *conf, const char *key, json_t **ret, struct hd_cni_error *err)
{
	json_t *value = json_object_get(conf, key), *item;
	size_t i;

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_array(value))
		return wrong_type(key, "a list of texts", err);
	json_array_foreach(value, i, item)
		if (!json_is_string(item))
			return wrong_type(key, "a list of texts", err);
	*ret = value;
	return 0;
}

int hd_cni_flag(const json_t *conf, const char *key, bool *ret, struct hd_cni_error *err)
{
	const json_t *value = json_object_get(conf, key);

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_boolean(value))
		return wrong_type(key, "true or false", err);
	*ret = json_is_true(value);
	return 0;
}

int hd_cni_number(const json_t *conf, const char *key, json_int_t min, json_int_t max,
		  json_int_t *ret, struct hd_cni_error *err)
{
	const json_t *value = json_object_get(conf, key);
	json_int_t number = json_integer_value(value);

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_integer(value) || number < min || number > max)
		return hd_cni_fail(err, HD_CNI_CONF, "conf: %s must be a number from %lld to %lld",
				   key, (long long)min, (long long)max);
	*ret = number;
	return 0;
}

/* ---- conf ---- */

static int read_version(struct hd_cni *cni, const struct need *need, struct hd_cni_error *err)
{
	const char *text = NULL;

	if (hd_cni_text(cni->conf, "cniVersion", &text, err) < 0)
		return -1;
	if (!text) {
		hd_cni_fail(err, HD_CNI_VERSION, "conf: cniVersion is missing");
		return hd_cni_hint(err, "heddle-cni speaks 0.3.1, 0.4.0, 1.0.0 and 1.1.0");
	}
	for (int i = 0; i < HD_CNI_N_VERSIONS; i++) {
		if (strcmp(text, hd_cni_versions[i]))
			continue;
		cni->version = (enum hd_cni_version)i;
		if (cni->version >= need->since)
			return 0;
		hd_cni_fail(err, HD_CNI_VERSION, "CNI %s has no %s", text, need->command);
		return hd_cni_hint(err, "it came with %s", hd_cni_versions[need->since]);
	}
	hd_cni_fail(err, HD_CNI_VERSION, "CNI version %.40s is not spoken here", text);
	return hd_cni_hint(err, "heddle-cni speaks 0.3.1, 0.4.0, 1.0.0 and 1.1.0");
}

static int read_names(struct hd_cni *cni, struct hd_cni_error *err)
{
	const json_t *conf = cni->conf;

	cni->instance = "default";
	if (hd_cni_text(conf, "name", &cni->name, err) < 0)
		return -1;
	if (!cni->name || !is_container(cni->name))
		return hd_cni_fail(err, HD_CNI_CONF, "conf: name is %s",
				   cni->name ? "not the name of a network" : "missing");
	cni->network = cni->name;
	if (hd_cni_text(conf, "network", &cni->network, err) < 0 ||
	    hd_cni_text(conf, "instance", &cni->instance, err) < 0)
		return -1;
	if (!hd_name_ok(cni->network))
		return hd_cni_fail(err, HD_CNI_CONF,
				   "conf: network: %.80s can't be the name of a "
				   "heddle network",
				   cni->network);
	if (!hd_name_ok(cni->instance))
		return hd_cni_fail(err, HD_CNI_CONF,
				   "conf: instance: %.80s can't be the name of an instance",
				   cni->instance);
	return 0;
}

/* For those who call without the environment that the network was made in. */
static int read_run_dir(const struct hd_cni *cni, struct hd_cni_error *err)
{
	const char *folder = NULL;

	if (hd_cni_text(cni->conf, "runDir", &folder, err) < 0)
		return -1;
	if (folder && setenv("HEDDLE_RUN_DIR", folder, 1) < 0)
		return hd_cni_fail(err, HD_CNI_FAILED, "out of memory");
	return 0;
}

static int read_objects(struct hd_cni *cni, struct hd_cni_error *err)
{
	static const char *const all[] = { "runtimeConfig", "prevResult", "ipam",
					   "dns",	    "args",	  "labels" };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const json_t *value = json_object_get(cni->conf, all[i]);

		if (value && !json_is_null(value) && !json_is_object(value))
			return wrong_type(all[i], "an object", err);
	}
	cni->runtime = json_object_get(cni->conf, "runtimeConfig");
	cni->prev = json_object_get(cni->conf, "prevResult");
	if (!json_is_object(cni->prev))
		cni->prev = NULL;
	return 0;
}

static int read_conf(struct hd_cni *cni, const struct need *need, struct hd_cni_error *err)
{
	const char *text = NULL;
	json_error_t where;

	cni->instance = "default";
	if (!need->conf) {
		cni->conf = json_loadb(cni->text, cni->len, 0, NULL);
		return 0;
	}
	cni->conf = json_loadb(cni->text, cni->len, JSON_REJECT_DUPLICATES, &where);
	if (!cni->conf)
		return hd_cni_fail(err, HD_CNI_DECODE, "stdin: line %d: %s", where.line,
				   where.text);
	if (!json_is_object(cni->conf))
		return hd_cni_fail(err, HD_CNI_DECODE, "stdin: not a JSON object");
	if (read_version(cni, need, err) < 0 || read_names(cni, err) < 0 ||
	    read_objects(cni, err) < 0 || read_run_dir(cni, err) < 0)
		return -1;
	/* Behind a plugin that has made the container's interface ours needs a name of its own. */
	if (hd_cni_text(cni->conf, "ifName", &text, err) < 0)
		return -1;
	if (text && !is_interface(text))
		return hd_cni_fail(err, HD_CNI_CONF,
				   "conf: ifName: %.80s can't be the name of a device", text);
	if (text)
		cni->ifname = text;
	return 0;
}

/* ---- the port's name ---- */

static bool is_random(const char *id)
{
	return strlen(id) >= 32 && strspn(id, "0123456789abcdef") == strlen(id);
}

/* CONTAINER-INTERFACE: of an id of random digits the first twelve, as runtimes show it; of other long ones the beginning and a hash. */
static void name_port(struct hd_cni *cni)
{
	const char *id = cni->container;
	size_t size = sizeof(cni->port);

	if (is_random(id))
		(void)snprintf(cni->port, size, "%.*s-%.15s", SHORT_ID, id, cni->ifname);
	else if (strlen(id) + 1 + strlen(cni->ifname) <= NAME_ROOM)
		(void)snprintf(cni->port, size, "%.*s-%.15s", NAME_ROOM, id, cni->ifname);
	else
		(void)snprintf(cni->port, size, "%.20s-%08x-%.15s", id,
			       hd_hash(HD_HASH_START, id, strlen(id)), cni->ifname);
	for (char *c = cni->port; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
			*c = '_';
}
