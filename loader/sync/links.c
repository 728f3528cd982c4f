// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* links.c - the programs on the devices */
#include "sync/links.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"
#include "sync/xdp.h"

/* linux/bpf.h of 6.6: libbpf 1.1 and the 6.1 headers don't know them. */
#define HD_BPF_TCX_INGRESS 46
#define HD_BPF_TCX_EGRESS 47

#define HD_TC_HANDLE 1

/* One direction of an attachment. */
struct side {
	const char *word;
	int tcx;
	enum bpf_tc_attach_point clsact;
	enum hd_prog_id prog;
};

static const struct side sides[] = {
	{ "in", HD_BPF_TCX_INGRESS, BPF_TC_INGRESS, HD_PROG_IN },
	{ "out", HD_BPF_TCX_EGRESS, BPF_TC_EGRESS, HD_PROG_OUT },
	{ "uplink", HD_BPF_TCX_INGRESS, BPF_TC_INGRESS, HD_PROG_UPLINK },
	{ "uplink-out", HD_BPF_TCX_EGRESS, BPF_TC_EGRESS, HD_PROG_UPLINK_OUT },
};

#define FIRST_OF_UPLINK 2
#define N_SIDES (sizeof(sides) / sizeof(sides[0]))

static bool has_side(const struct hd_attachment *a, size_t side)
{
	return a->uplink == (side >= FIRST_OF_UPLINK);
}

/* Where XDP opens packets first, another one takes what comes in. */
static enum hd_prog_id prog_of(const struct hd_attachment *a, const struct side *side)
{
	return a->xdp && side->prog == HD_PROG_UPLINK ? HD_PROG_UPLINK_OPENED : side->prog;
}

static const char *clsact_word(const struct hd_attachment *a)
{
	return a->uplink ? "uplink-clsact" : "clsact";
}

const char *hd_attach_word(enum hd_attach how)
{
	static const char *const words[] = { "none", "tcx", "clsact" };

	return words[how];
}

/* links/PORT-in: a pinned tcx link. links/PORT-clsact: an empty folder that says we attached by clsact; PORT-qdisc: and made the qdisc. */
void hd_link_path(const struct hd_datapath *dp, uint32_t port, const char *what, char path[300])
{
	(void)snprintf(path, 300, "%s/links/%u-%s", dp->dir, port, what);
}

int hd_link_info(int fd, struct bpf_link_info *ret)
{
	uint32_t len = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return bpf_obj_get_info_by_fd(fd, ret, &len) < 0 ? -errno : 0;
}

/* struct bpf_link_info of 6.6 has tcx.ifindex first in its union, where older headers have other members. */
uint32_t hd_link_ifindex(const struct bpf_link_info *info)
{
	uint32_t ifindex;

	memcpy(&ifindex, &info->raw_tracepoint, sizeof(ifindex));
	return ifindex;
}

/* The pinned link of one side, updated to the current program. 0: it is there and right. -ENODEV: its device is gone. */
static int tcx_refresh(const struct hd_datapath *dp, const struct hd_attachment *a,
		       const struct side *side)
{
	struct bpf_link_info info;
	char path[300];
	_close_ int fd = -1;
	int r;

	hd_link_path(dp, a->port, side->word, path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	r = hd_link_info(fd, &info);
	if (r < 0)
		return r;
	if (hd_link_ifindex(&info) != a->ifindex) {
		(void)unlink(path);
		return -ENODEV;
	}
	if (info.prog_id == dp->prog_ids[prog_of(a, side)])
		return 0;
	return bpf_link_update(fd, dp->progs[prog_of(a, side)], NULL) < 0 ? -errno : 0;
}

static int tcx_side(const struct hd_datapath *dp, const struct hd_attachment *a,
		    const struct side *side)
{
	char path[300];
	_close_ int fd = -1;

	if (tcx_refresh(dp, a, side) == 0)
		return 0;
	fd = bpf_link_create(dp->progs[prog_of(a, side)], (int)a->ifindex, side->tcx, NULL);
	if (fd < 0)
		return -errno;
	hd_link_path(dp, a->port, side->word, path);
	(void)unlink(path); /* a link whose device is gone */
	return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

/*
 * Detached first, then unpinned: a link that goes with its last pin is torn down by a worker of the kernel, which waits out a whole grace
 * period for each under the lock of all network configuration, when we no longer shorten it.
 */
static void tcx_detach(const struct hd_datapath *dp, const struct hd_attachment *a)
{
	for (size_t i = 0; i < N_SIDES; i++) {
		_close_ int fd = -1;
		char path[300];

		if (!has_side(a, i))
			continue;
		hd_link_path(dp, a->port, sides[i].word, path);
		fd = bpf_obj_get(path);
		if (fd >= 0)
			(void)bpf_link_detach(fd); /* its device may be gone: then it is detached */
		(void)unlink(path);
	}
}

static int tcx_attach(const struct hd_datapath *dp, const struct hd_attachment *a)
{
	for (size_t i = 0; i < N_SIDES; i++) {
		int r = has_side(a, i) ? tcx_side(dp, a, &sides[i]) : 0;

		if (r < 0) {
			tcx_detach(dp, a);
			return r;
		}
	}
	return 0;
}

static int clsact_side(const struct hd_datapath *dp, uint32_t ifindex, const struct side *side,
		       enum hd_prog_id prog)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = side->clsact);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = dp->progs[prog], .handle = HD_TC_HANDLE,
		    .priority = HD_TC_PRIORITY, .flags = BPF_TC_F_REPLACE);

	return bpf_tc_attach(&hook, &opts);
}

static void clsact_detach(const struct hd_datapath *dp, struct hd_netlink *nl,
			  const struct hd_attachment *a)
{
	char path[300];

	for (size_t i = 0; i < N_SIDES; i++) {
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)a->ifindex,
			    .attach_point = sides[i].clsact);
		LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HD_TC_HANDLE, .priority = HD_TC_PRIORITY);

		if (has_side(a, i))
			(void)bpf_tc_detach(&hook, &opts); /* gone with its device is fine */
	}
	hd_link_path(dp, a->port, "qdisc", path);
	if (rmdir(path) == 0 && !hd_netlink_foreign_filters(nl, a->ifindex, true) &&
	    !hd_netlink_foreign_filters(nl, a->ifindex, false)) {
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)a->ifindex,
			    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

		(void)bpf_tc_hook_destroy(&hook);
	}
	hd_link_path(dp, a->port, clsact_word(a), path);
	(void)rmdir(path);
}

/* A qdisc that we make is noted before it is made, so that it goes again even if we are killed in between. */
static int clsact_qdisc(const struct hd_datapath *dp, struct hd_netlink *nl,
			const struct hd_attachment *a)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)a->ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	char path[300];
	int r;

	hd_link_path(dp, a->port, clsact_word(a), path);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (hd_netlink_has_clsact(nl, a->ifindex))
		return 0;
	hd_link_path(dp, a->port, "qdisc", path);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	r = bpf_tc_hook_create(&hook);
	return r == -EEXIST ? 0 : r;
}

static int clsact_attach(const struct hd_datapath *dp, struct hd_netlink *nl,
			 const struct hd_attachment *a)
{
	int r = clsact_qdisc(dp, nl, a);

	for (size_t i = 0; r == 0 && i < N_SIDES; i++)
		if (has_side(a, i))
			r = clsact_side(dp, a->ifindex, &sides[i], prog_of(a, &sides[i]));
	if (r < 0)
		clsact_detach(dp, nl, a);
	return r;
}

static bool wants_clsact(struct hd_netlink *nl, const struct hd_attachment *a)
{
	if (a->how != HD_ATTACH_NONE)
		return a->how == HD_ATTACH_CLSACT;
	return hd_netlink_foreign_filters(nl, a->ifindex, true) > 0;
}

int hd_links_attach_tc(const struct hd_datapath *dp, struct hd_netlink *nl, struct hd_attachment *a)
{
	int r = -EINVAL;

	if (!wants_clsact(nl, a)) {
		r = tcx_attach(dp, a);
		if (r == 0)
			a->how = HD_ATTACH_TCX;
	}
	if (r == -EINVAL || r == -EOPNOTSUPP) { /* a kernel before 6.6 has no tcx */
		r = clsact_attach(dp, nl, a);
		if (r == 0)
			a->how = HD_ATTACH_CLSACT;
	}
	if (r < 0)
		a->how = HD_ATTACH_NONE;
	return r;
}

int hd_links_attach(const struct hd_datapath *dp, struct hd_netlink *nl, struct hd_attachment *a)
{
	int r = hd_links_attach_tc(dp, nl, a);

	if (r == 0 && a->xdp && hd_xdp_update(dp, a) < 0) {
		hd_xdp_detach(dp, a);
		a->xdp = false; /* hd_xdp_on() will try again */
	}
	return r;
}

bool hd_links_foreign_egress(const struct hd_datapath *dp, struct hd_netlink *nl, uint32_t ifindex)
{
	uint32_t ids[64], n = 64;

	if (hd_netlink_foreign_filters(nl, ifindex, false) > 0)
		return true;
	/* The target is an ifindex for tcx; a kernel without tcx has none of its programs. */
	if (bpf_prog_query((int)ifindex, HD_BPF_TCX_EGRESS, 0, NULL, ids, &n) < 0)
		return false;
	for (uint32_t i = 0; i < n && i < 64; i++)
		if (ids[i] != dp->prog_ids[HD_PROG_OUT])
			return true;
	return false;
}

/* links/PORT-promisc: an empty folder that says we did it; made before it is done, so that it is taken back even if we are killed in between. */
int hd_links_promisc(const struct hd_datapath *dp, struct hd_netlink *nl,
		     const struct hd_attachment *a, bool is, bool want)
{
	char path[300];
	int r;

	if (is && want)
		return 0;
	hd_link_path(dp, a->port, "promisc", path);
	if (!want)
		return rmdir(path) == 0 ? hd_netlink_link_promisc(nl, a->ifindex, false) : 0;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	r = hd_netlink_link_promisc(nl, a->ifindex, true);
	if (r < 0)
		(void)rmdir(path);
	return r;
}

void hd_links_detach(const struct hd_datapath *dp, struct hd_netlink *nl, struct hd_attachment *a)
{
	if (a->uplink)
		(void)hd_links_promisc(dp, nl, a, false, false); /* gone with its device is fine */
	if (a->xdp)
		hd_xdp_detach(dp, a);
	a->xdp = false;
	if (a->how == HD_ATTACH_TCX)
		tcx_detach(dp, a);
	if (a->how == HD_ATTACH_CLSACT)
		clsact_detach(dp, nl, a);
	a->how = HD_ATTACH_NONE;
}

/* The program for what comes in by a port's device drops what comes in by one that is no port's. */
int hd_links_guard(const struct hd_datapath *dp, uint32_t ifindex, const char *pin)
{
	const struct side *in = &sides[0];
	struct bpf_link_info info;
	char path[300];
	_close_ int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/links/%s", dp->dir, pin);
	fd = bpf_obj_get(path);
	if (fd >= 0 && hd_link_info(fd, &info) == 0 && hd_link_ifindex(&info) == ifindex) {
		if (info.prog_id == dp->prog_ids[in->prog])
			return 0;
		return bpf_link_update(fd, dp->progs[in->prog], NULL) < 0 ? -errno : 0;
	}
	hd_closep(&fd);
	fd = bpf_link_create(dp->progs[in->prog], (int)ifindex, in->tcx, NULL);
	if (fd < 0 && errno != EINVAL && errno != EOPNOTSUPP)
		return -errno;
	if (fd < 0) { /* no tcx: the qdisc goes with the device, which is ours */
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
			    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

		(void)bpf_tc_hook_create(&hook); /* there already is fine; else the next fails */
		return clsact_side(dp, ifindex, in, in->prog);
	}
	(void)unlink(path);
	return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

/* A pin by its name: "12-in" is half of a tcx attachment, "12-clsact" a whole one; "12-uplink", "12-uplink-clsact" are those of an uplink. */
static int found_pin(const struct hd_datapath *dp, const char *name, hd_links_found_fn fn,
		     void *arg)
{
	struct hd_attachment a = { 0 };
	struct bpf_link_info info;
	char path[300], what[16];
	_close_ int fd = -1;

	if (sscanf(name, "%u-%15s", &a.port, what) != 2)
		return 0;
	a.uplink = !strncmp(what, "uplink", strlen("uplink"));
	a.xdp = a.uplink && hd_xdp_is_pinned(dp, a.port);
	if (!strcmp(what, clsact_word(&a))) {
		a.how = HD_ATTACH_CLSACT;
		return fn(arg, &a);
	}
	if (strcmp(what, a.uplink ? "uplink" : "in"))
		return 0;
	hd_link_path(dp, a.port, what, path);
	fd = bpf_obj_get(path);
	if (fd < 0 || hd_link_info(fd, &info) < 0)
		return 0;
	a.ifindex = hd_link_ifindex(&info);
	a.how = HD_ATTACH_TCX;
	if (a.ifindex)
		return fn(arg, &a);
	tcx_detach(dp, &a);
	return 0;
}

static void closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

int hd_links_find(const struct hd_datapath *dp, hd_links_found_fn fn, void *arg)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	char path[300];
	int r = 0;

	(void)snprintf(path, sizeof(path), "%s/links", dp->dir);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir)))
		r = found_pin(dp, entry->d_name, fn, arg);
	return r;
}
