// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* del.c - DEL and GC: what a container had goes */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cni/cni.h"
#include "heddlectl/departed.h"
#include "loader/cleanup.h"

/* ---- without a daemon ---- */

/* Beside the socket. */
static void departed_path(const struct hd_cni *cni, const char *name, char *path, size_t size)
{
	const char *socket = cni->client.socket;
	int folder = (int)(strrchr(socket, '/') - socket);

	(void)snprintf(path, size, "%.*s/" HD_DEPARTED_FOLDER "%s%s", folder, socket,
		       *name ? "/" : "", name);
}

static int make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int r;

		*slash = 0;
		r = mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
		*slash = '/';
		if (r < 0)
			return r;
	}
	return 0;
}

static int leave_note(const struct hd_cni *cni, struct hd_cni_error *err)
{
	char path[400];
	_close_ int fd = -1;
	int r;

	departed_path(cni, cni->port, path, sizeof(path));
	r = make_folders(path);
	fd = r < 0 ? -1 : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		return 0;
	return hd_cni_fail(err, HD_CNI_AGAIN, "no heddled answers, and %s can't be written: %s",
			   path, strerror(r < 0 ? -r : errno));
}

static void take_note_back(const struct hd_cni *cni)
{
	char path[400];

	departed_path(cni, cni->port, path, sizeof(path));
	(void)unlink(path); /* the daemon may have been faster */
}

/* ---- DEL ---- */

/* An id that is shortened in the name of its port: it may be another container's. */
static int is_ours(struct hd_cni *cni, bool *ret, struct hd_cni_error *err)
{
	_json_ json_t *port = NULL;
	struct hd_cni_owner owner;
	char path[96];

	(void)snprintf(path, sizeof(path), "/v1/ports/%s", cni->port);
	*ret = true; /* without a port there may still be a group of it */
	if (hd_cni_get(cni, path, &port, err) < 0)
		return err->code == HD_CNI_CONF ? 0 : -1; /* not found */
	*ret = hd_cni_owner(port, &owner) && !strcmp(owner.container, cni->container);
	return 0;
}

static int remove_own(struct hd_cni *cni, struct hd_cni_error *err)
{
	bool ours;

	if (is_ours(cni, &ours, err) < 0)
		return -1;
	return ours ? hd_cni_remove_port(cni, cni->port, err) : 0;
}

/* The order matters: see heddlectl/departed.h. */
static int remove_later(struct hd_cni *cni, struct hd_cni_error *err)
{
	struct hd_cni_error ignored;

	if (leave_note(cni, err) < 0)
		return -1;
	if (remove_own(cni, &ignored) == 0)
		take_note_back(cni);
	return 0;
}

int hd_cni_del(struct hd_cni *cni, struct hd_cni_error *err)
{
	int r = remove_own(cni, err);

	if (r < 0 && err->code == HD_CNI_AGAIN)
		r = remove_later(cni, err);
	if (r == 0 && hd_cni_delegates(cni))
		r = hd_cni_delegate(cni, "DEL", NULL, err);
	return r;
}

/* ---- GC ---- */

static bool is(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static bool is_valid(const json_t *valid, const struct hd_cni_owner *owner)
{
	const json_t *one;
	size_t i;

	json_array_foreach(valid, i, one)
		if (is(owner->container, json_string_value(json_object_get(one, "containerID"))) &&
		    is(owner->ifname, json_string_value(json_object_get(one, "ifname"))))
			return true;
	return false;
}

/* By the name that the runtime has for the network: others may use the same heddle network. */
int hd_cni_gc(struct hd_cni *cni, struct hd_cni_error *err)
{
	const json_t *valid = json_object_get(cni->conf, "cni.dev/valid-attachments");
	_json_ json_t *ports = NULL;
	const json_t *port;
	size_t i;

	if (valid && !json_is_null(valid) && !json_is_array(valid))
		return hd_cni_fail(err, HD_CNI_CONF,
				   "conf: cni.dev/valid-attachments must be a list");
	if (hd_cni_get(cni, "/v1/ports", &ports, err) < 0)
		return -1;
	json_array_foreach(ports, i, port) {
		const char *name = json_string_value(json_object_get(port, "name"));
		struct hd_cni_owner owner;

		if (!hd_cni_owner(port, &owner) || strcmp(owner.network, cni->name) ||
		    is_valid(valid, &owner))
			continue;
		if (hd_cni_remove_port(cni, name, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- sandboxes that have gone ---- */

/* Its device is gone, and its namespace is gone, too; or, if that can't be known, another one is there now. */
static bool has_vanished(const struct hd_sandbox_host *host, const json_t *port)
{
	enum hd_sandbox_state state;
	struct hd_cni_owner owner;
	char now[24];

	if (!hd_cni_owner(port, &owner) ||
	    !is(json_string_value(json_object_get(port, "state")), "down") ||
	    json_integer_value(json_object_get(port, "ifindex")))
		return false;
	state = hd_sandbox_look(host, owner.mark);
	if (state != HD_SANDBOX_UNKNOWN)
		return state == HD_SANDBOX_GONE;
	hd_cni_inode(json_string_value(json_object_get(port, "netns")), now);
	return strcmp(owner.inode, now);
}

int hd_cni_reclaim(struct hd_cni *cni, struct hd_cni_error *err)
{
	CLEANUP(hd_sandbox_close) struct hd_sandbox_host host;
	_json_ json_t *ports = NULL;
	const json_t *port;
	size_t i;
	int n = 0;

	hd_sandbox_open(&host);
	if (hd_cni_get(cni, "/v1/ports", &ports, err) < 0)
		return -1;
	json_array_foreach(ports, i, port) {
		if (!is(json_string_value(json_object_get(port, "network")), cni->network) ||
		    !has_vanished(&host, port))
			continue;
		if (hd_cni_remove_port(cni, json_string_value(json_object_get(port, "name")), err) <
		    0)
			return -1;
		n++;
	}
	return n;
}
