// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* publish.c - port forwards of masquerading routers, for the host's own connections: host.bpf.c */
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

/** struct row - one entry of hd_published */
struct row {
	struct hd_publish_key key;
	struct hd_publish_value value;
};

/**
 * struct hd_publisher - what is attached, and what the map holds
 * @pin:    of the link: it goes on without the daemon
 * @failed: it does not work here, and this was said
 */
struct hd_publisher {
	char pin[300];
	struct host_bpf *skel;
	struct bpf_link *link;
	struct row *rows;
	size_t n;
	bool failed;
};

struct hd_publisher *hd_publisher_new(const char *dir)
{
	struct hd_publisher *publisher = calloc(1, sizeof(*publisher));

	if (publisher)
		(void)snprintf(publisher->pin, sizeof(publisher->pin), "%s/host-connect", dir);
	return publisher;
}

void hd_publisher_free(struct hd_publisher *publisher)
{
	if (!publisher)
		return;
	bpf_link__destroy(publisher->link); /* pinned: it stays */
	host_bpf__destroy(publisher->skel);
	free(publisher->rows);
	free(publisher);
}

/* ---- what is to be there ---- */

static uint32_t ipv4_of(const struct hd_ip *ip)
{
	uint32_t addr;

	memcpy(&addr, ip->bytes + 12, sizeof(addr));
	return addr;
}

/* Whether the host has an address of its own beside this one. */
static bool has_leg(const struct hd_model *model, const struct hd_router *router,
		    const struct hd_ip *ip)
{
	const struct hd_object *subnet = NULL;

	for (size_t i = 0; i < router->n_subnets && !subnet; i++) {
		subnet = hd_model_get(model, HD_NOUN_SUBNET, router->subnets[i]);
		if (subnet && !hd_ip_in(ip, &subnet->view.subnet.cidr))
			subnet = NULL;
	}
	hd_model_each(model, HD_NOUN_PORT, object) {
		const struct hd_port *port = &object->view.port;

		if (!subnet || port->kind != HD_PORT_INTERNAL ||
		    strcmp(port->network, subnet->view.subnet.network))
			continue;
		for (size_t i = 0; i < port->n_ips; i++)
			if (hd_ip_in(&port->ips[i], &subnet->view.subnet.cidr))
				return true;
	}
	return false;
}

static void put(struct row *rows, size_t *n, uint32_t ip, const struct hd_port_forward *forward)
{
	rows[(*n)++] = (struct row){
		.key = { .ip = ip,
			 .port = htons(forward->listen.port),
			 .protocol = forward->protocol },
		.value = { .ip = ipv4_of(&forward->to.ip), .port = htons(forward->to.port) },
	};
}

static int collect(const struct hd_model *model, hd_publish_address_fn address, const void *arg,
		   struct row **ret, size_t *ret_n)
{
	size_t space = hd_model_count(model, HD_NOUN_PORT_FORWARD) * 2, n = 0;
	struct row *rows = calloc(space + 1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	hd_model_each(model, HD_NOUN_PORT_FORWARD, object) {
		const struct hd_port_forward *forward = &object->view.port_forward;
		const struct hd_router *router =
			&hd_model_get(model, HD_NOUN_ROUTER, forward->router)->view.router;
		const struct hd_object *uplink =
			router->gateway.uplink
				? hd_model_get(model, HD_NOUN_UPLINK, router->gateway.uplink)
				: NULL;
		uint32_t ip = uplink ? address(arg, uplink) : 0;

		if (!ip || !forward->to.ip.is_v4 || !has_leg(model, router, &forward->to.ip))
			continue;
		put(rows, &n, ip, forward);
		put(rows, &n, htonl(INADDR_LOOPBACK), forward);
	}
	*ret = rows;
	*ret_n = n;
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

static int load(struct hd_publisher *publisher)
{
	struct hd_host_config config = { 0 };
	int r = netns_cookie(&config.netns);

	if (r < 0)
		return r;
	publisher->skel = host_bpf__open();
	if (!publisher->skel)
		return -errno;
	memcpy((void *)&publisher->skel->rodata->cfg, &config, sizeof(config));
	return host_bpf__load(publisher->skel);
}

/* The old one, of a daemon before, goes when the new one is there. */
static int attach(struct hd_publisher *publisher)
{
	_close_ int cgroup = open_cgroup();

	if (cgroup < 0)
		return -errno;
	publisher->link = bpf_program__attach_cgroup(publisher->skel->progs.hd_connect4, cgroup);
	if (!publisher->link)
		return -errno;
	(void)unlink(publisher->pin);
	return bpf_link__pin(publisher->link, publisher->pin);
}

static void detach(struct hd_publisher *publisher)
{
	(void)unlink(publisher->pin);
	bpf_link__destroy(publisher->link);
	host_bpf__destroy(publisher->skel);
	publisher->link = NULL;
	publisher->skel = NULL;
	free(publisher->rows);
	publisher->rows = NULL;
	publisher->n = 0;
}

/* ---- following ---- */

static bool has_row(const struct row *rows, size_t n, const struct row *row)
{
	for (size_t i = 0; i < n; i++)
		if (!memcmp(&rows[i].key, &row->key, sizeof(row->key)))
			return true;
	return false;
}

static int write_rows(struct hd_publisher *publisher, const struct row *rows, size_t n)
{
	int map = bpf_map__fd(publisher->skel->maps.hd_published), r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (bpf_map_update_elem(map, &rows[i].key, &rows[i].value, BPF_ANY) < 0)
			r = -errno;
	for (size_t i = 0; i < publisher->n; i++)
		if (!has_row(rows, n, &publisher->rows[i]))
			(void)bpf_map_delete_elem(map, &publisher->rows[i].key);
	return r;
}

static int follow(struct hd_publisher *publisher, struct row **rows, size_t n)
{
	int r = 0;

	if (n == publisher->n && (!n || !memcmp(*rows, publisher->rows, n * sizeof(**rows))))
		return 0;
	if (!publisher->skel)
		r = load(publisher);
	if (r == 0)
		r = write_rows(publisher, *rows, n);
	if (r == 0 && !publisher->link)
		r = attach(publisher);
	if (r < 0)
		return r;
	free(publisher->rows);
	publisher->rows = TAKE_PTR(*rows);
	publisher->n = n;
	return 0;
}

void hd_publisher_follow(struct hd_publisher *publisher, const struct hd_model *model,
			 hd_publish_address_fn address, const void *arg)
{
	_free_ struct row *rows = NULL;
	size_t n = 0;
	int r = collect(model, address, arg, &rows, &n);

	if (r == 0 && !n) {
		detach(publisher);
		return;
	}
	if (r == 0)
		r = follow(publisher, &rows, n);
	if (r < 0 && !publisher->failed)
		(void)log_warn(r, "the host's own connections to published ports do not work, "
				  "ignoring");
	if (r < 0)
		detach(publisher);
	publisher->failed = r < 0;
}
