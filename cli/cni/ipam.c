// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipam.c - which addresses a container is to have: asked for by the runtime, out of ranges or subnets, or found by another plugin */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cni/cni.h"
#include "loader/cleanup.h"
#include "loader/model/pool.h"

enum { ANSWER_MAX = 1 << 20 };

/* ---- subnets ---- */

static bool is_here(const struct hd_cni *cni, const json_t *subnet)
{
	const char *network = json_string_value(json_object_get(subnet, "network"));

	return network && !strcmp(network, cni->network);
}

static bool cidr_of(const json_t *subnet, struct hd_ip *ret)
{
	const char *text = json_string_value(json_object_get(subnet, "cidr"));

	return text && hd_ip_parse(text, ret) == 0;
}

const json_t *hd_cni_subnet_of(const struct hd_cni *cni, const json_t *subnets, const char *ip)
{
	struct hd_ip address, cidr;
	const json_t *subnet;
	size_t i;

	if (hd_ip_parse(ip, &address) < 0)
		return NULL;
	json_array_foreach(subnets, i, subnet)
		if (is_here(cni, subnet) && cidr_of(subnet, &cidr) && hd_ip_in(&address, &cidr))
			return subnet;
	return NULL;
}

/* ---- what is asked for by name ---- */

static bool is_reserved(const json_t *subnet, const struct hd_ip *ip)
{
	const char *text = json_string_value(json_object_get(subnet, "gateway"));
	struct hd_ip gateway, cidr;

	if (text && hd_ip_parse(text, &gateway) == 0 && hd_ip_same(ip, &gateway))
		return true;
	return cidr_of(subnet, &cidr) && !hd_ip_is_host(ip, &cidr);
}

static int take_asked(const struct hd_cni *cni, const json_t *subnets, const char *text,
		      json_t *list, struct hd_cni_error *err)
{
	const json_t *subnet;
	struct hd_ip ip;
	char plain[64];

	if (hd_ip_parse(text, &ip) < 0)
		return hd_cni_fail(err, HD_CNI_CONF, "%.80s is not an IP address", text);
	hd_ip_format(&ip, plain);
	subnet = hd_cni_subnet_of(cni, subnets, plain);
	if (subnet && is_reserved(subnet, &ip))
		return hd_cni_fail(err, HD_CNI_CONF,
				   "address %s: it is the gateway of its subnet, or no host's",
				   plain);
	if (!subnet && ip.prefix == HD_PREFIX_NONE) {
		hd_cni_fail(err, HD_CNI_CONF, "address %s: no subnet of network %s holds it", plain,
			    cni->network);
		return hd_cni_hint(err, "'heddle subnet list' shows the subnets");
	}
	/* The length is the subnet's, whatever the runtime says. */
	if (subnet)
		text = plain;
	(void)json_array_append_new(list, json_string(text));
	return 0;
}

static int take_all(const struct hd_cni *cni, const json_t *subnets, const json_t *asked,
		    json_t *list, struct hd_cni_error *err)
{
	const json_t *item;
	size_t i;

	json_array_foreach(asked, i, item)
		if (take_asked(cni, subnets, json_string_value(item), list, err) < 0)
			return -1;
	return 0;
}

/* Of three ways to ask the runtime's capability counts before CNI_ARGS, and that before what is in the conf. */
static int asked_for(const struct hd_cni *cni, const json_t *subnets, json_t *list,
		     struct hd_cni_error *err)
{
	const json_t *own = json_object_get(json_object_get(cni->conf, "args"), "cni");
	const char *ip = json_string_value(json_object_get(cni->args, "IP"));
	json_t *asked = NULL;

	if (hd_cni_list(cni->runtime, "ips", &asked, err) < 0)
		return -1;
	if (json_array_size(asked))
		return take_all(cni, subnets, asked, list, err);
	if (ip && *ip)
		return take_asked(cni, subnets, ip, list, err);
	if (hd_cni_list(own, "ips", &asked, err) < 0)
		return -1;
	return take_all(cni, subnets, asked, list, err);
}

/* ---- ranges ---- */

static bool is_inside(const struct hd_range *range, const struct hd_ip *ip)
{
	return ip->is_v4 == range->first.is_v4 &&
	       memcmp(ip->bytes, range->first.bytes, sizeof(ip->bytes)) >= 0 &&
	       memcmp(ip->bytes, range->last.bytes, sizeof(ip->bytes)) <= 0;
}

static bool is_asked(const json_t *list, const struct hd_range *range)
{
	const json_t *item;
	struct hd_ip ip;
	size_t i;

	json_array_foreach(list, i, item)
		if (hd_ip_parse(json_string_value(item), &ip) == 0 && is_inside(range, &ip))
			return true;
	return false;
}

static void put_range(FILE *file, const struct hd_range *range)
{
	char first[64], last[64];

	hd_ip_format(&range->first, first);
	hd_ip_format(&range->last, last);
	(void)fprintf(file, "%s%s-%s", ftell(file) > 0 ? "," : "", first, last);
}

/* {"subnet", "rangeStart", "rangeEnd"}: the subnet, or a part of it. */
static int parse_range(const json_t *range, struct hd_ip *cidr, struct hd_range *ret,
		       struct hd_cni_error *err)
{
	const char *subnet = NULL, *first = NULL, *last = NULL;
	struct hd_subnet whole = {};

	if (!json_is_object(range))
		return hd_cni_fail(err, HD_CNI_CONF, "conf: a range must be an object");
	if (hd_cni_text(range, "subnet", &subnet, err) < 0 ||
	    hd_cni_text(range, "rangeStart", &first, err) < 0 ||
	    hd_cni_text(range, "rangeEnd", &last, err) < 0)
		return -1;
	if (!subnet || hd_ip_parse(subnet, cidr) < 0 || cidr->prefix == HD_PREFIX_NONE)
		return hd_cni_fail(err, HD_CNI_CONF, "conf: a range needs subnet, as ADDRESS/LEN");
	whole.cidr = *cidr;
	*ret = hd_pool_of_subnet(&whole);
	ret->cidr = cidr;
	if ((first && hd_ip_parse(first, &ret->first) < 0) ||
	    (last && hd_ip_parse(last, &ret->last) < 0) || !hd_ip_in(&ret->first, cidr) ||
	    !hd_ip_in(&ret->last, cidr))
		return hd_cni_fail(err, HD_CNI_CONF,
				   "conf: rangeStart and rangeEnd must be addresses in %s", subnet);
	return 0;
}

/* One address out of a set of ranges, unless the runtime asks for one of them. */
static int take_set(const json_t *set, json_t *list, struct hd_cni_error *err)
{
	_free_ char *text = NULL;
	_fclose_ FILE *file = NULL;
	struct hd_range range;
	struct hd_ip cidr;
	const json_t *one;
	size_t len, i;

	if (!json_array_size(set))
		return hd_cni_fail(err, HD_CNI_CONF, "conf: ranges must be a list of lists");
	file = open_memstream(&text, &len);
	if (!file)
		return hd_cni_fail(err, HD_CNI_FAILED, "out of memory");
	json_array_foreach(set, i, one) {
		if (parse_range(one, &cidr, &range, err) < 0)
			return -1;
		if (is_asked(list, &range))
			return 0;
		put_range(file, &range);
	}
	if (fflush(file) || json_array_append_new(list, json_string(text)) < 0)
		return hd_cni_fail(err, HD_CNI_FAILED, "out of memory");
	return 0;
}

static int take_sets(const json_t *sets, json_t *list, struct hd_cni_error *err)
{
	const json_t *set;
	size_t i;

	if (!json_is_array(sets))
		return hd_cni_fail(err, HD_CNI_CONF, "conf: ranges must be a list of lists");
	json_array_foreach(sets, i, set)
		if (take_set(set, list, err) < 0)
			return -1;
	return 0;
}

/* ---- subnets as they are ---- */

static bool has_family(const json_t *list, bool is_v4)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (!strchr(json_string_value(item), ':') == is_v4)
			return true;
	return false;
}

/* A subnet's pool, or all of it, as the daemon would hand it out. */
static bool range_of(const json_t *subnet, struct hd_range *ret)
{
	const char *pool = json_string_value(json_object_get(subnet, "pool"));
	struct hd_subnet view = {};
	char first[64];

	if (!cidr_of(subnet, &view.cidr))
		return false;
	if (pool && strchr(pool, '-')) {
		(void)snprintf(first, sizeof(first), "%.*s", (int)strcspn(pool, "-"), pool);
		view.has_pool = hd_ip_parse(first, &view.pool_first) == 0 &&
				hd_ip_parse(strchr(pool, '-') + 1, &view.pool_last) == 0;
	}
	*ret = hd_pool_of_subnet(&view);
	return true;
}

static int take_family(const struct hd_cni *cni, const json_t *subnets, bool is_v4, json_t *list)
{
	_free_ char *text = NULL;
	_fclose_ FILE *file = NULL;
	struct hd_range range;
	const json_t *subnet;
	size_t len, i;

	file = open_memstream(&text, &len);
	if (!file)
		return -1;
	json_array_foreach(subnets, i, subnet)
		if (is_here(cni, subnet) && range_of(subnet, &range) && range.first.is_v4 == is_v4)
			put_range(file, &range);
	if (fflush(file))
		return -1;
	return len ? json_array_append_new(list, json_string(text)) : 0;
}

/* What was asked for is one of its family; the other family is there as ever. */
static int take_rest(const struct hd_cni *cni, const json_t *subnets, json_t *list,
		     struct hd_cni_error *err)
{
	int r = 0;

	if (!json_array_size(list))
		r = json_array_append_new(list, json_string(HD_IP_AUTO));
	else
		for (int is_v4 = 1; r == 0 && is_v4 >= 0; is_v4--)
			if (!has_family(list, is_v4))
				r = take_family(cni, subnets, is_v4, list);
	return r < 0 ? hd_cni_fail(err, HD_CNI_FAILED, "out of memory") : 0;
}

static int fill(const struct hd_cni *cni, const json_t *subnets, json_t *list,
		struct hd_cni_error *err)
{
	const json_t *ipam = json_object_get(cni->conf, "ipam");
	const json_t *sets = json_object_get(cni->runtime, "ipRanges");
	_json_ json_t *one = NULL;

	if (json_is_object(ipam) && !json_object_size(ipam))
		return 0; /* nothing is to have an address */
	if (asked_for(cni, subnets, list, err) < 0)
		return -1;
	if (json_array_size(sets))
		return take_sets(sets, list, err);
	if (json_object_get(ipam, "ranges"))
		return take_sets(json_object_get(ipam, "ranges"), list, err);
	if (!json_object_get(ipam, "subnet"))
		return take_rest(cni, subnets, list, err);
	one = json_pack("[O]", ipam);
	return take_set(one, list, err);
}

int hd_cni_addresses(const struct hd_cni *cni, const json_t *subnets, json_t **ret,
		     struct hd_cni_error *err)
{
	_json_ json_t *list = json_array();

	if (!list)
		return hd_cni_fail(err, HD_CNI_FAILED, "out of memory");
	if (fill(cni, subnets, list, err) < 0)
		return -1;
	*ret = TAKE_PTR(list);
	return 0;
}

/* ---- another plugin ---- */

const char *hd_cni_delegates(const struct hd_cni *cni)
{
	const json_t *ipam = json_object_get(cni->conf, "ipam");
	const char *type = json_string_value(json_object_get(ipam, "type"));

	return type && *type && strcmp(type, "heddle") && strcmp(type, "heddle-cni") ? type : NULL;
}

/* The first folder of CNI_PATH that has it. */
static int find_plugin(const struct hd_cni *cni, const char *type, char path[4096],
		       struct hd_cni_error *err)
{
	_free_ char *copy = strdup(cni->path);
	char *rest = copy, *folder;

	while (copy && !strchr(type, '/') && (folder = strsep(&rest, ":"))) {
		(void)snprintf(path, 4096, "%s/%s", folder, type);
		if (*folder && access(path, X_OK) == 0)
			return 0;
	}
	hd_cni_fail(err, HD_CNI_CONF, "ipam: there is no plugin %.80s in CNI_PATH", type);
	return hd_cni_hint(err,
			   "CNI_PATH is '%.300s'; without ipam/type heddle hands out addresses",
			   cni->path);
}

static int make_file(const char *text, size_t len)
{
	int fd = memfd_create("cni", MFD_CLOEXEC);

	if (fd >= 0 && (write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) < 0))
		hd_closep(&fd);
	return fd;
}

static void become(const char *path, const char *command, int in, int out)
{
	char *const argv[] = { (char *)path, NULL };

	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    setenv("CNI_COMMAND", command, 1) < 0)
		_exit(127);
	(void)execv(path, argv);
	_exit(127);
}

/* Its exit status, or -1. Files, not pipes: nobody waits for the other to read. */
static int call_plugin(const char *path, const char *command, int in, int out)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		become(path, command, in, out);
	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static json_t *read_answer(int fd)
{
	_free_ char *text = malloc(ANSWER_MAX);
	ssize_t n = text ? pread(fd, text, ANSWER_MAX, 0) : -1;

	return n > 0 ? json_loadb(text, (size_t)n, 0, NULL) : NULL;
}

/* Its own words, if it has some. */
static int plugin_failed(const char *type, const char *command, const json_t *answer,
			 struct hd_cni_error *err)
{
	const char *msg = json_string_value(json_object_get(answer, "msg"));
	const char *details = json_string_value(json_object_get(answer, "details"));
	json_int_t code = json_integer_value(json_object_get(answer, "code"));

	hd_cni_fail(err, code > 0 ? (enum hd_cni_code)code : HD_CNI_FAILED,
		    "ipam: %.80s %s: %.400s", type, command,
		    msg ? msg : "it has failed, and does not say why");
	return details ? hd_cni_hint(err, "%s", details) : -1;
}

int hd_cni_delegate(const struct hd_cni *cni, const char *command, json_t **ret,
		    struct hd_cni_error *err)
{
	const char *type = hd_cni_delegates(cni);
	_json_ json_t *answer = NULL;
	_close_ int out = -1;
	_close_ int in = -1;
	char path[4096];
	int status;

	if (find_plugin(cni, type, path, err) < 0)
		return -1;
	in = make_file(cni->text, cni->len);
	out = make_file("", 0);
	if (in < 0 || out < 0)
		return hd_cni_fail(err, HD_CNI_IO, "ipam: %s", strerror(errno));
	status = call_plugin(path, command, in, out);
	answer = read_answer(out);
	if (status)
		return plugin_failed(type, command, answer, err);
	if (ret && !json_is_object(answer))
		return hd_cni_fail(err, HD_CNI_DECODE, "ipam: %.80s %s: its answer is not JSON",
				   type, command);
	if (ret)
		*ret = TAKE_PTR(answer);
	return 0;
}
