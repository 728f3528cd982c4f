// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * add.c - ADD: a port for a container, and what belongs to it
 *
 *     network, subnet     made if they are missing and the conf says how
 *     address             of another plugin, if the conf says so; else the daemon finds it as it makes the port
 *     group, port, port forwards
 *
 * What fails takes back what was made before it, in the opposite order.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cni/cni.h"
#include "heddlectl/schema.h"
#include "loader/cleanup.h"
#include "loader/hash.h"
#include "loader/model/model.h"

/* Bytes: the most that a port takes. */
#define BURST_MAX ((json_int_t)1 << 30)

/**
 * struct adding - one ADD
 * @made: what is known of it
 * @mine: what was made here and has to go if something fails
 */
struct adding {
	struct hd_cni *cni;
	struct hd_cni_made made;
	char group[80];
	struct {
		bool network, subnet, delegated, group, port;
	} mine;
};

static void adding_done(struct adding *adding)
{
	json_decref(adding->made.subnets);
	json_decref(adding->made.delegated);
	json_decref(adding->made.port);
}

/* ---- the namespace ---- */

static bool is_own(const struct stat *st)
{
	struct stat own;

	return stat("/proc/self/ns/net", &own) == 0 && own.st_ino == st->st_ino &&
	       own.st_dev == st->st_dev;
}

static int check_netns(const struct hd_cni *cni, struct hd_cni_error *err)
{
	const char *override = getenv("CNI_NETNS_OVERRIDE");
	struct stat st;

	if (stat(cni->netns, &st) < 0) {
		hd_cni_fail(err, HD_CNI_CONTAINER, "namespace %.200s can't be opened: %s",
			    cni->netns, strerror(errno));
		return hd_cni_hint(err, "the container may have ended already");
	}
	if (!is_own(&st) || (override && !strcmp(override, "true")))
		return 0;
	hd_cni_fail(err, HD_CNI_NETNS, "namespace %.200s is the host's own", cni->netns);
	return hd_cni_hint(err, "a container on heddle needs a network namespace");
}

/* ---- the network ---- */

/* What a conf can say about a network that is not there. */
static int make_network(struct adding *adding, struct hd_cni_error *err)
{
	struct hd_cni *cni = adding->cni;
	json_int_t vni = -1, mtu = 0;
	_json_ json_t *body = json_pack("{s:s}", "name", cni->network);

	if (hd_cni_number(cni->conf, "vni", 1, 0xffffff, &vni, err) < 0 ||
	    hd_cni_number(cni->conf, "mtu", 576, 65535, &mtu, err) < 0)
		return -1;
	(void)json_object_set_new(body, "type", json_string(vni < 0 ? "local" : "vxlan"));
	if (vni >= 0)
		(void)json_object_set_new(body, "id", json_integer(vni));
	if (mtu)
		(void)json_object_set_new(body, "mtu", json_integer(mtu));
	adding->mine.network = hd_cni_post(cni, "/v1/networks", body, NULL, err) == 0;
	return adding->mine.network ? 0 : -1;
}

static int make_subnet(struct adding *adding, const char *cidr, struct hd_cni_error *err)
{
	struct hd_cni *cni = adding->cni;
	_json_ json_t *body = json_pack("{s:s, s:s, s:s}", "name", cni->network, "network",
					cni->network, "cidr", cidr);
	const char *gateway = NULL;

	if (hd_cni_text(cni->conf, "gateway", &gateway, err) < 0)
		return -1;
	if (gateway)
		(void)json_object_set_new(body, "gateway", json_string(gateway));
	adding->mine.subnet = hd_cni_post(cni, "/v1/subnets", body, NULL, err) == 0;
	return adding->mine.subnet ? 0 : -1;
}

static int has_network(struct hd_cni *cni, bool *ret, struct hd_cni_error *err)
{
	_json_ json_t *networks = NULL;
	json_t *network;
	size_t i;

	*ret = false;
	if (hd_cni_get(cni, "/v1/networks", &networks, err) < 0)
		return -1;
	json_array_foreach(networks, i, network)
		*ret |= !strcmp(json_string_value(json_object_get(network, "name")), cni->network);
	return 0;
}

static int no_network(const struct hd_cni *cni, struct hd_cni_error *err)
{
	hd_cni_fail(err, HD_CNI_CONF, "network %s does not exist", cni->network);
	return hd_cni_hint(err,
			   "'heddle network add %s --type local' makes it; or say in the conf what "
			   "it is: \"subnet\": \"ADDRESS/LEN\", and \"vni\": N for a vxlan network",
			   cni->network);
}

/* Another call may make the same at the same moment: who comes second finds it there. */
static int need_network(struct adding *adding, struct hd_cni_error *err)
{
	struct hd_cni *cni = adding->cni;
	const char *cidr = NULL;
	bool there;

	if (has_network(cni, &there, err) < 0)
		return -1;
	if (there)
		return 0;
	if (hd_cni_text(cni->conf, "subnet", &cidr, err) < 0)
		return -1;
	if (!cidr && !json_object_get(cni->conf, "vni"))
		return no_network(cni, err);
	if (make_network(adding, err) < 0 &&
	    (err->code != HD_CNI_REFUSED || has_network(cni, &there, err) < 0 || !there))
		return -1;
	if (cidr && make_subnet(adding, cidr, err) < 0 && err->code != HD_CNI_REFUSED)
		return -1;
	return 0;
}

/* ---- addresses of another plugin ---- */

static int take_delegated(struct adding *adding, json_t **ret, struct hd_cni_error *err)
{
	_json_ json_t *list = json_array();
	const json_t *ip;
	size_t i;

	if (hd_cni_delegate(adding->cni, "ADD", &adding->made.delegated, err) < 0)
		return -1;
	adding->mine.delegated = true;
	json_array_foreach(json_object_get(adding->made.delegated, "ips"), i, ip) {
		json_t *address = json_object_get(ip, "address");

		if (!json_is_string(address))
			return hd_cni_fail(err, HD_CNI_DECODE,
					   "ipam: what %s has found has no address",
					   hd_cni_delegates(adding->cni));
		(void)json_array_append(list, address);
	}
	if (!json_array_size(list))
		return hd_cni_fail(err, HD_CNI_FAILED, "ipam: %s has found no address",
				   hd_cni_delegates(adding->cni));
	*ret = TAKE_PTR(list);
	return 0;
}

/* ---- the port ---- */

/* Of container, interface and network: a container that is started again has the same. */
static void make_mac(const struct hd_cni *cni, char ret[18])
{
	const char *parts[] = { cni->container, cni->ifname, cni->name };
	uint64_t hash = HD_HASH64_START;

	for (size_t i = 0; i < 3; i++)
		hash = hd_hash64(hash, parts[i], strlen(parts[i]) + 1);
	hash ^= hash >> 17;
	(void)snprintf(ret, 18, "%02x:%02x:%02x:%02x:%02x:%02x", (int)(hash & 0xfc) | 2,
		       (int)(hash >> 8 & 0xff), (int)(hash >> 16 & 0xff), (int)(hash >> 24 & 0xff),
		       (int)(hash >> 32 & 0xff), (int)(hash >> 40 & 0xff));
}

static int set_mac(const struct hd_cni *cni, json_t *body, struct hd_cni_error *err)
{
	const char *mac = json_string_value(json_object_get(cni->args, "MAC"));
	char own[18];

	make_mac(cni, own);
	if (!mac || !*mac)
		mac = own;
	if (hd_cni_text(cni->runtime, "mac", &mac, err) < 0)
		return -1;
	(void)json_object_set_new(body, "mac", json_string(mac));
	return 0;
}

/* A label has the syntax of Kubernetes; what does not fit into it is no reason to refuse a container. */
static bool is_label(const char *text)
{
	static const struct hd_option option = { .name = "label", .type = HD_TYPE_LABEL };
	_json_ json_t *value = NULL;

	return hd_option_from_text(&option, text, &value, NULL) == 0;
}

/* A key that is there already stays as it is. */
static void add_label(json_t *list, const char *key, const char *value)
{
	_free_ char *text = NULL;
	const json_t *other;
	size_t i;

	if (asprintf(&text, "%s=%s", key, value) < 0) {
		text = NULL;
		return;
	}
	json_array_foreach(list, i, other)
		if (!strncmp(json_string_value(other), text, strlen(key) + 1))
			return;
	if (is_label(text))
		(void)json_array_append_new(list, json_string(text));
}

static void label_pod(const struct hd_cni *cni, json_t *list)
{
	static const struct {
		const char *arg, *label;
	} all[] = { { "K8S_POD_NAMESPACE", "k8s-namespace" }, { "K8S_POD_NAME", "k8s-pod" } };

	for (size_t i = 0; i < 2; i++) {
		const char *text = json_string_value(json_object_get(cni->args, all[i].arg));

		if (text && *text)
			add_label(list, all[i].label, text);
	}
}

/* Other names that the container is to be found by. */
static void label_aliases(const struct hd_cni *cni, json_t *list)
{
	const json_t *names = json_object_get(json_object_get(cni->runtime, "aliases"), cni->name);
	const json_t *name;
	char key[80];
	size_t i;

	json_array_foreach(names, i, name) {
		if (!json_is_string(name))
			continue;
		(void)snprintf(key, sizeof(key), "cni-alias/%.63s", json_string_value(name));
		add_label(list, key, "");
	}
}

static int label_conf(const json_t *labels, json_t *list, struct hd_cni_error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)labels, key, value) {
		size_t before = json_array_size(list);

		if (json_is_string(value))
			add_label(list, key, json_string_value(value));
		if (json_array_size(list) == before) {
			hd_cni_fail(err, HD_CNI_CONF, "conf: labels: %.80s is not a label", key);
			return hd_cni_hint(err, "\"KEY\": \"VALUE\" with the syntax of Kubernetes");
		}
	}
	return 0;
}

static int set_labels(const struct hd_cni *cni, json_t *body, struct hd_cni_error *err)
{
	char owner[HD_CNI_OWNER_TEXT];
	json_t *list = json_array();

	hd_cni_owner_text(cni, owner);
	(void)json_object_set_new(body, "owner", json_string(owner));
	(void)json_object_set_new(body, "label", list);
	if (label_conf(json_object_get(cni->conf, "labels"), list, err) < 0)
		return -1;
	label_pod(cni, list);
	label_aliases(cni, list);
	return 0;
}

/*
 * One direction of the bandwidth, as the runtime or the conf has it: bits a second, and bits. What exceeds a rate here is dropped, not delayed: a burst that
 * is no more than a second's worth would be too small for TCP, so only a larger one is taken; else the port has its own (docs/adr/0028).
 */
static int set_rate(const json_t *from, const char *rate_key, const char *burst_key,
		    const char *rate_option, const char *burst_option, json_t *body,
		    struct hd_cni_error *err)
{
	json_int_t rate = 0, burst = 0;
	char text[32];

	if (hd_cni_number(from, rate_key, 0, 1000000000000, &rate, err) < 0 ||
	    hd_cni_number(from, burst_key, 0, INT64_MAX, &burst, err) < 0)
		return -1;
	if (!rate)
		return 0;
	if (rate < 8000)
		return hd_cni_fail(err, HD_CNI_CONF, "%s: less than 8000 bits a second", rate_key);
	(void)snprintf(text, sizeof(text), "%lldbit", (long long)rate);
	(void)json_object_set_new(body, rate_option, json_string(text));
	burst = burst / 8 < BURST_MAX ? burst / 8 : BURST_MAX;
	if (burst <= rate / 8)
		return 0;
	(void)snprintf(text, sizeof(text), "%lldb", (long long)burst);
	return json_object_set_new(body, burst_option, json_string(text));
}

static int set_rates(const struct hd_cni *cni, json_t *body, struct hd_cni_error *err)
{
	const json_t *wish = json_object_get(cni->runtime, "bandwidth"),
		     *from = json_is_object(wish) ? wish : cni->conf;

	if (wish && !json_is_null(wish) && !json_is_object(wish))
		return hd_cni_fail(err, HD_CNI_CONF, "conf: bandwidth must be an object");
	if (set_rate(from, "ingressRate", "ingressBurst", "ingress-rate", "ingress-burst", body,
		     err) < 0)
		return -1;
	return set_rate(from, "egressRate", "egressBurst", "egress-rate", "egress-burst", body,
			err);
}

static int set_groups(struct adding *adding, json_t *body, struct hd_cni_error *err)
{
	struct hd_cni *cni = adding->cni;
	bool security = true;
	json_t *groups = NULL;
	_json_ json_t *list = NULL;

	if (hd_cni_flag(cni->conf, "security", &security, err) < 0 ||
	    hd_cni_list(cni->conf, "securityGroups", &groups, err) < 0)
		return -1;
	if (!security && json_array_size(groups))
		return hd_cni_fail(err, HD_CNI_CONF,
				   "conf: securityGroups do not go with \"security\": false");
	if (!security)
		return json_object_set_new(body, "no-security", json_true());
	list = groups ? json_copy(groups) : json_array();
	if (hd_cni_published(cni)) {
		if (hd_cni_publish_group(cni, adding->group, err) < 0)
			return -1;
		adding->mine.group = true;
		if (!json_array_size(list))
			(void)json_array_append_new(list, json_string(HD_GROUP_DEFAULT));
		(void)json_array_append_new(list, json_string(adding->group));
	}
	return json_object_set(body, "security-group", list);
}

static int compose_port(struct adding *adding, json_t *ips, json_t **ret, struct hd_cni_error *err)
{
	struct hd_cni *cni = adding->cni;
	_json_ json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:b, s:O}", "name", cni->port,
					"network", cni->network, "netns", cni->netns, "ifname",
					cni->ifname, "once", 1, "ip", ips);
	json_int_t mtu = 0;

	if (!body)
		return hd_cni_fail(err, HD_CNI_ENVIRONMENT, "CNI_NETNS is not UTF-8");
	if (hd_cni_number(cni->conf, "mtu", 576, 65535, &mtu, err) < 0)
		return -1;
	if (mtu)
		(void)json_object_set_new(body, "mtu", json_integer(mtu));
	if (set_mac(cni, body, err) < 0 || set_labels(cni, body, err) < 0 ||
	    set_rates(cni, body, err) < 0 || set_groups(adding, body, err) < 0)
		return -1;
	*ret = TAKE_PTR(body);
	return 0;
}

static int post_port(struct adding *adding, const json_t *body, struct hd_cni_error *err)
{
	int r = hd_cni_post(adding->cni, "/v1/ports", body, NULL, err);

	/* Of one that does not answer in time nobody knows what it will have done. */
	adding->mine.port = r == 0 || err->code == HD_CNI_AGAIN;
	return r;
}

static int make_port(struct adding *adding, struct hd_cni_error *err)
{
	struct hd_cni *cni = adding->cni;
	_json_ json_t *body = NULL;
	_json_ json_t *ips = NULL;
	char path[96];
	int r;

	r = hd_cni_delegates(cni) ? take_delegated(adding, &ips, err)
				  : hd_cni_addresses(cni, adding->made.subnets, &ips, err);
	if (r == 0)
		r = compose_port(adding, ips, &body, err);
	if (r == 0)
		r = post_port(adding, body, err);
	(void)snprintf(path, sizeof(path), "/v1/ports/%s", cni->port);
	return r < 0 ? r : hd_cni_get(cni, path, &adding->made.port, err);
}

/* ---- all of it ---- */

/* To the first address of each family. */
static int publish(struct adding *adding, struct hd_cni_error *err)
{
	struct hd_cni_end v4 = { 0 }, v6 = { 0 };
	const json_t *ip;
	size_t i;

	if (!hd_cni_published(adding->cni))
		return 0;
	json_array_foreach(json_object_get(adding->made.port, "ip"), i, ip) {
		const char *text = json_string_value(ip);
		const json_t *subnet = hd_cni_subnet_of(adding->cni, adding->made.subnets, text);
		const char *router = json_string_value(json_object_get(subnet, "router"));
		struct hd_cni_end *end = strchr(text, ':') ? &v6 : &v4;

		if (!end->ip)
			*end = (struct hd_cni_end){ .ip = text, .router = router ? router : "" };
	}
	return hd_cni_publish(adding->cni, &v4, &v6, err);
}

/* What is gone already, or is somebody's by now, stays as it is: errors are of no interest. */
static void take_back(struct adding *adding)
{
	struct hd_cni *cni = adding->cni;
	struct hd_cni_error ignored;
	char path[160];

	if (adding->mine.port)
		(void)hd_cni_remove_port(cni, cni->port, &ignored);
	else if (adding->mine.group) {
		(void)snprintf(path, sizeof(path), "/v1/security-groups/%s?if-exists=1",
			       adding->group);
		(void)hd_cni_delete(cni, path, &ignored);
	}
	if (adding->mine.delegated)
		(void)hd_cni_delegate(cni, "DEL", NULL, &ignored);
	(void)snprintf(path, sizeof(path), "/v1/subnets/%s?if-exists=1", cni->network);
	if (adding->mine.subnet)
		(void)hd_cni_delete(cni, path, &ignored);
	(void)snprintf(path, sizeof(path), "/v1/networks/%s?if-exists=1", cni->network);
	if (adding->mine.network)
		(void)hd_cni_delete(cni, path, &ignored);
}

static bool has_subnet(const struct adding *adding)
{
	const json_t *subnet;
	size_t i;

	json_array_foreach(adding->made.subnets, i, subnet)
		if (!strcmp(json_string_value(json_object_get(subnet, "network")),
			    adding->cni->network))
			return true;
	return false;
}

/* A network with a subnet is there: one request less for what is so as a rule. */
static int look_around(struct adding *adding, struct hd_cni_error *err)
{
	struct hd_cni *cni = adding->cni;

	if (hd_cni_get(cni, "/v1/subnets", &adding->made.subnets, err) < 0)
		return -1;
	if (has_subnet(adding))
		return 0;
	json_decref(adding->made.subnets);
	adding->made.subnets = NULL;
	if (need_network(adding, err) < 0)
		return -1;
	return hd_cni_get(cni, "/v1/subnets", &adding->made.subnets, err);
}

static int add(struct adding *adding, struct hd_cni_error *err)
{
	_json_ json_t *result = NULL;

	if (look_around(adding, err) < 0 || make_port(adding, err) < 0 ||
	    hd_cni_add_routes(adding->cni, &adding->made, err) < 0 || publish(adding, err) < 0)
		return -1;
	result = hd_cni_result(adding->cni, &adding->made);
	return hd_cni_print(result, err);
}

static int try_add(struct hd_cni *cni, struct hd_cni_error *err)
{
	CLEANUP(adding_done) struct adding adding = { .cni = cni };

	if (add(&adding, err) == 0)
		return 0;
	take_back(&adding);
	return -1;
}

/* What is in the way, an address, a group, a published port, may have been left by a container that is gone. */
int hd_cni_add(struct hd_cni *cni, struct hd_cni_error *err)
{
	struct hd_cni_error why;

	if (check_netns(cni, err) < 0)
		return -1;
	if (try_add(cni, err) == 0)
		return 0;
	if (err->code != HD_CNI_REFUSED || hd_cni_reclaim(cni, &why) <= 0)
		return -1;
	return try_add(cni, err);
}
