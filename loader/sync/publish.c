// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* publish.c - port forwards of masquerading routers, for the host's own sockets: host.bpf.c */
#include "sync/publish.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "heddle/publish.h"
#include "log.h"

#include "host.skel.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* include/uapi/asm-generic/socket.h, since 5.14 */
#endif

/* What is attached: program hd_NAME, by a link whose pin is host-NAME. Who has no port of UDP to lead to does not have each datagram looked at. */
static const struct hook {
	const char *name;
	bool udp;
} hooks[] = {
	{ "connect4", false },	   { "connect6", false }, { "getpeername4", false },
	{ "getpeername6", false }, { "recvmsg4", true },  { "recvmsg6", true },
	{ "sendmsg4", true },	   { "sendmsg6", true },
};
#define N_HOOKS (sizeof(hooks) / sizeof(hooks[0]))

/* Of the table of what sockets have asked for: its programs change, and what it says is still so. */
#define PIN_ASKED "host-asked"

/** struct row - one entry of hd_published */
struct row {
	struct hd_publish_key key;
	struct hd_publish_value value;
};

/** struct rows - in the order of their keys */
struct rows {
	struct row *row;
	size_t n;
	bool udp; /* one of them is of UDP */
};

/**
 * struct hd_publisher - what is attached, and what the map holds
 * @dir:    of pins: links go on without the daemon
 * @links:  -1 = it is not attached
 * @failed: it does not work here, and this was said
 */
struct hd_publisher {
	char dir[256];
	struct host_bpf *skel;
	int links[N_HOOKS];
	struct rows rows;
	bool failed;
};

struct hd_publisher *hd_publisher_new(const char *dir)
{
	struct hd_publisher *publisher = calloc(1, sizeof(*publisher));

	if (!publisher)
		return NULL;
	(void)snprintf(publisher->dir, sizeof(publisher->dir), "%s", dir);
	for (size_t i = 0; i < N_HOOKS; i++)
		publisher->links[i] = -1;
	return publisher;
}

static void forget(struct hd_publisher *publisher)
{
	for (size_t i = 0; i < N_HOOKS; i++) {
		hd_closep(&publisher->links[i]);
		publisher->links[i] = -1;
	}
	host_bpf__destroy(publisher->skel);
	publisher->skel = NULL;
	free(publisher->rows.row);
	publisher->rows = (struct rows){ 0 };
}

void hd_publisher_free(struct hd_publisher *publisher)
{
	if (!publisher)
		return;
	forget(publisher); /* the pins stay */
	free(publisher);
}

/* ---- what is to be there ---- */

/** struct leg - an address of the host in a network */
struct leg {
	const char *network;
	const struct hd_ip *ip;
};

static size_t find_legs(const struct hd_model *model, struct leg **ret)
{
	size_t n = 0;

	hd_model_each(model, HD_NOUN_PORT, object)
		if (object->view.port.kind == HD_PORT_INTERNAL)
			n += object->view.port.n_ips;
	*ret = calloc(n + 1, sizeof(**ret));
	n = 0;
	hd_model_each(model, HD_NOUN_PORT, object) {
		const struct hd_port *port = &object->view.port;

		for (size_t i = 0; *ret && port->kind == HD_PORT_INTERNAL && i < port->n_ips; i++)
			(*ret)[n++] = (struct leg){ port->network, &port->ips[i] };
	}
	return n;
}

/* Whether the host has an address of its own beside what a port forward leads to. */
static bool has_leg(const struct hd_model *model, const struct hd_port_forward *forward,
		    const struct leg *legs, size_t n)
{
	const struct hd_router *router =
		&hd_model_get(model, HD_NOUN_ROUTER, forward->router)->view.router;

	for (size_t i = 0; i < router->n_subnets; i++) {
		const struct hd_subnet *subnet =
			&hd_model_get(model, HD_NOUN_SUBNET, router->subnets[i])->view.subnet;

		if (!hd_ip_in(&forward->to.ip, &subnet->cidr))
			continue;
		for (size_t k = 0; k < n; k++)
			if (!strcmp(legs[k].network, subnet->network) &&
			    hd_ip_in(legs[k].ip, &subnet->cidr))
				return true;
	}
	return false;
}

static struct hd_publish_key host_key(const struct hd_address *address)
{
	struct hd_publish_key key = { .addr = { [2] = htonl(0xffff) } };

	if (address->is_v4)
		memcpy(&key.addr[3], address->bytes, 4);
	else
		memcpy(key.addr, address->bytes, 16);
	return key;
}

static struct row row_of(const struct hd_port_forward *forward)
{
	struct row row = { .key = { .port = htons(forward->listen.port),
				    .protocol = forward->protocol },
			   .value = { .port = htons(forward->to.port) } };

	memcpy(row.key.addr, forward->listen.ip.bytes, 16);
	memcpy(row.value.addr, forward->to.ip.bytes, 16);
	return row;
}

static bool is_hosts(const struct hd_port_forward *forward, const struct hd_address *host,
		     size_t n_host)
{
	struct row row = row_of(forward);

	if (hd_listens_at_any(forward) || hd_ip_is_loopback(&forward->listen.ip))
		return true;
	for (size_t i = 0; i < n_host; i++) {
		struct hd_publish_key key = host_key(&host[i]);

		if (!memcmp(key.addr, row.key.addr, sizeof(key.addr)))
			return true;
	}
	return false;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return memcmp(&x->key, &y->key, sizeof(x->key));
}

static int collect(const struct hd_model *model, const struct hd_address *host, size_t n_host,
		   struct rows *ret)
{
	size_t n = 0;
	_free_ struct leg *legs = NULL;
	size_t n_legs = find_legs(model, &legs);
	_free_ struct row *rows =
		calloc(hd_model_count(model, HD_NOUN_PORT_FORWARD) + n_host + 1, sizeof(*rows));

	if (!rows || !legs)
		return -ENOMEM;
	hd_model_each(model, HD_NOUN_PORT_FORWARD, object) {
		const struct hd_port_forward *forward = &object->view.port_forward;

		if (hd_model_listens_at_host(model, forward) && is_hosts(forward, host, n_host) &&
		    has_leg(model, forward, legs, n_legs))
			rows[n++] = row_of(forward);
	}
	for (size_t i = 0, forwards = n; forwards && i < n_host; i++)
		rows[n++].key = host_key(&host[i]);
	qsort(rows, n, sizeof(*rows), compare_rows);
	*ret = (struct rows){ .row = rows, .n = n };
	for (size_t i = 0; i < n; i++)
		ret->udp |= rows[i].key.protocol == IPPROTO_UDP;
	rows = NULL;
	return 0;
}

/* ---- attaching ---- */

static void endmntentp(FILE **file)
{
	if (*file)
		(void)endmntent(*file);
}

/* The root of the second version's hierarchy, wherever it is. */
static int open_cgroup(void)
{
	CLEANUP(endmntentp) FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *entry;

	while (mounts && (entry = getmntent(mounts)))
		if (!strcmp(entry->mnt_type, "cgroup2"))
			return open(entry->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	errno = ENOENT;
	return -1;
}

static int netns_cookie(__u64 *ret)
{
	_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*ret);

	return fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret, &len) < 0 ? -errno : 0;
}

static void asked_pin(const struct hd_publisher *publisher, char ret[300])
{
	(void)snprintf(ret, 300, "%s/" PIN_ASKED, publisher->dir);
}

static int load_with(struct hd_publisher *publisher, const struct hd_host_config *config)
{
	char asked[300];
	int r;

	publisher->skel = host_bpf__open();
	if (!publisher->skel)
		return -errno;
	memcpy((void *)&publisher->skel->rodata->cfg, config, sizeof(*config));
	asked_pin(publisher, asked);
	r = bpf_map__set_pin_path(publisher->skel->maps.hd_asked, asked);
	if (r == 0)
		r = host_bpf__load(publisher->skel);
	if (r == 0)
		return 0;
	host_bpf__destroy(publisher->skel);
	publisher->skel = NULL;
	return r;
}

/* With the table of a daemon before, unless that has made it in another way. */
static int load(struct hd_publisher *publisher)
{
	struct hd_host_config config = { 0 };
	int r = netns_cookie(&config.netns);
	char asked[300];

	if (r == 0)
		r = load_with(publisher, &config);
	asked_pin(publisher, asked);
	if (r == -EINVAL && unlink(asked) == 0)
		r = load_with(publisher, &config);
	return r;
}

static void pin_of(const struct hd_publisher *publisher, size_t hook, char ret[300])
{
	(void)snprintf(ret, 300, "%s/host-%s", publisher->dir, hooks[hook].name);
}

static const struct bpf_program *program_of(const struct hd_publisher *publisher, size_t hook)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "hd_%s", hooks[hook].name);
	return bpf_object__find_program_by_name(publisher->skel->obj, name);
}

/* A link that somebody has detached is still there, and is at no cgroup. */
static bool is_attached(int link)
{
	struct bpf_link_info info = { 0 };
	__u32 len = sizeof(info);

	return link >= 0 && bpf_obj_get_info_by_fd(link, &info, &len) == 0 &&
	       info.type == BPF_LINK_TYPE_CGROUP && info.cgroup.cgroup_id;
}

static int pin(const struct hd_publisher *publisher, size_t hook, int link)
{
	char path[300];

	pin_of(publisher, hook, path);
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	return bpf_obj_pin(link, path) < 0 ? -errno : 0;
}

/* The link of a daemon before goes on with our program, so there is no moment with both, or with none. */
static int attach_one(struct hd_publisher *publisher, size_t hook, int cgroup)
{
	const struct bpf_program *program = program_of(publisher, hook);
	int fd = bpf_program__fd(program), r;
	_close_ int link = -1;
	char path[300];

	pin_of(publisher, hook, path);
	link = bpf_obj_get(path);
	if (is_attached(link) && bpf_link_update(link, fd, NULL) == 0) {
		publisher->links[hook] = TAKE_FD(link);
		return 0;
	}
	hd_closep(&link);
	link = bpf_link_create(fd, cgroup, bpf_program__expected_attach_type(program), NULL);
	r = link < 0 ? -errno : pin(publisher, hook, link);
	if (r == 0)
		publisher->links[hook] = TAKE_FD(link);
	return r;
}

static void detach_one(struct hd_publisher *publisher, size_t hook)
{
	char path[300];

	pin_of(publisher, hook, path);
	(void)unlink(path);
	hd_closep(&publisher->links[hook]);
	publisher->links[hook] = -1;
}

static bool is_wanted(const struct rows *rows, size_t hook)
{
	return rows->n && (rows->udp || !hooks[hook].udp);
}

/* Where somebody else's program is in the way of one, the others are attached all the same. */
static int attach(struct hd_publisher *publisher)
{
	_close_ int cgroup = open_cgroup();
	int first = cgroup < 0 ? -errno : 0;

	for (size_t i = 0; cgroup >= 0 && i < N_HOOKS; i++) {
		int r = 0;

		if (!is_wanted(&publisher->rows, i))
			detach_one(publisher, i);
		else if (publisher->links[i] < 0)
			r = attach_one(publisher, i, cgroup);
		if (first == 0)
			first = r;
	}
	return first;
}

static void detach(struct hd_publisher *publisher)
{
	char path[300];

	for (size_t i = 0; i < N_HOOKS; i++)
		detach_one(publisher, i);
	asked_pin(publisher, path);
	(void)unlink(path);
	forget(publisher);
}

/* ---- following ---- */

static bool has_row(const struct rows *rows, const struct row *row)
{
	return rows->n && bsearch(row, rows->row, rows->n, sizeof(*row), compare_rows);
}

/* If there is no room for all of them the host does not reach the rest. */
static int write_rows(struct hd_publisher *publisher, const struct rows *rows)
{
	int map = bpf_map__fd(publisher->skel->maps.hd_published), r = 0;

	for (size_t i = 0; i < publisher->rows.n; i++)
		if (!has_row(rows, &publisher->rows.row[i]))
			(void)bpf_map_delete_elem(map, &publisher->rows.row[i].key);
	for (size_t i = 0; i < rows->n; i++)
		if (bpf_map_update_elem(map, &rows->row[i].key, &rows->row[i].value, BPF_ANY) < 0)
			r = -errno;
	return r;
}

/* Logged once. */
static void report(struct hd_publisher *publisher, int r)
{
	if (r < 0 && !publisher->failed)
		(void)log_warn(r, "the host's own sockets are not led to all published ports, "
				  "ignoring");
	publisher->failed = r < 0;
}

static bool is_as_before(const struct hd_publisher *publisher, const struct rows *rows)
{
	return publisher->skel && rows->n == publisher->rows.n &&
	       !memcmp(rows->row, publisher->rows.row, rows->n * sizeof(*rows->row));
}

/* Takes the rows. */
static int follow(struct hd_publisher *publisher, struct rows *rows)
{
	int r = publisher->skel ? 0 : load(publisher), attached;

	if (r < 0) {
		detach(publisher);
		return r;
	}
	r = write_rows(publisher, rows);
	free(publisher->rows.row);
	publisher->rows = *rows;
	*rows = (struct rows){ 0 };
	attached = attach(publisher);
	return r < 0 ? r : attached;
}

void hd_publisher_follow(struct hd_publisher *publisher, const struct hd_model *model,
			 const struct hd_address *host, size_t n_host)
{
	struct rows rows = { 0 };
	int r = collect(model, host, n_host, &rows);

	if (r == 0 && !rows.n)
		detach(publisher);
	else if (r < 0 || !is_as_before(publisher, &rows))
		report(publisher, r < 0 ? r : follow(publisher, &rows));
	free(rows.row);
}

/* The daemon holds the links, so a pin that is removed is missed only when the daemon ends. */
static int keep_one(struct hd_publisher *publisher, size_t hook)
{
	int *link = &publisher->links[hook];
	char path[300];

	pin_of(publisher, hook, path);
	if (*link >= 0 && is_attached(*link) && access(path, F_OK) == 0)
		return 0;
	if (*link >= 0 && is_attached(*link)) {
		log_info("%s was removed by somebody: it is there again", path);
		return pin(publisher, hook, *link);
	}
	if (*link >= 0)
		log_info("%s was detached by somebody: attaching it again", path);
	hd_closep(link);
	*link = -1;
	return 0;
}

void hd_publisher_keep(struct hd_publisher *publisher)
{
	bool missing = false;
	int r = 0;

	if (!publisher->rows.n)
		return;
	for (size_t i = 0; i < N_HOOKS; i++) {
		if (!is_wanted(&publisher->rows, i))
			continue;
		if (r == 0)
			r = keep_one(publisher, i);
		missing |= publisher->links[i] < 0;
	}
	if (missing)
		r = attach(publisher);
	if (missing || r < 0)
		report(publisher, r);
}

/* Whether all that a protocol needs is attached. */
static bool is_led(const struct hd_publisher *publisher, uint8_t protocol)
{
	for (size_t i = 0; i < N_HOOKS; i++)
		if (publisher->links[i] < 0 && (!hooks[i].udp || protocol == IPPROTO_UDP))
			return false;
	return true;
}

const char *hd_publisher_lacks(const struct hd_publisher *publisher, const struct hd_model *model,
			       const struct hd_port_forward *forward)
{
	struct row row = row_of(forward);
	_free_ struct leg *legs = NULL;
	size_t n;

	if (has_row(&publisher->rows, &row) && is_led(publisher, forward->protocol))
		return "";
	n = find_legs(model, &legs);
	if (legs && !has_leg(model, forward, legs, n))
		return "the host has no address in the network that it leads to";
	if (publisher->failed)
		return "the host's own sockets can't be led to it: the log says why";
	return "the host does not have this address";
}
