// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* xdp.c - XDP in front of TC, at uplinks */
#include "sync/xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"
#include "offload.h"
#include "sync/grace.h"

static int open_link(const struct hd_datapath *dp, uint32_t port)
{
	char path[300];
	int fd;

	hd_link_path(dp, port, "xdp", path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

bool hd_xdp_is_pinned(const struct hd_datapath *dp, uint32_t port)
{
	_close_ int fd = open_link(dp, port);

	return fd >= 0;
}

struct hd_xdp_other hd_xdp_other(const struct hd_attachment *a)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct hd_xdp_other other = { .id = 0 };
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	_close_ int fd = -1;

	if (a->xdp || bpf_xdp_query((int)a->ifindex, 0, &query) < 0)
		return other;
	other.id = query.prog_id       ? query.prog_id
		   : query.drv_prog_id ? query.drv_prog_id
		   : query.skb_prog_id ? query.skb_prog_id
				       : query.hw_prog_id;
	fd = other.id ? bpf_prog_get_fd_by_id(other.id) : -1;
	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &len) == 0)
		(void)snprintf(other.name, sizeof(other.name), "%s", info.name);
	return other;
}

/*
 * What a device does itself, and does otherwise while XDP is on it. links/PORT-NOTE: an empty folder that says we did; made before it is done, so that it is
 * taken back even if we are killed in between.
 */
struct offload {
	const char *note;
	int (*get)(uint32_t ifindex, bool *ret);
	int (*set)(uint32_t ifindex, bool on);
	bool want;
};

/* What XDP opens is put together by GRO, which a veth has only when it is told to. */
static const struct offload gro = { "gro", hd_offload_gro, hd_offload_set_gro, true };

/* XDP can't see a tag that the device has taken off. */
static const struct offload rxvlan = { "rxvlan", hd_offload_rxvlan, hd_offload_set_rxvlan, false };

static int offload_change(const struct hd_datapath *dp, const struct hd_attachment *a,
			  const struct offload *offload)
{
	char path[300];
	bool is = offload->want;
	int r = offload->get(a->ifindex, &is);

	if (r < 0 || is == offload->want)
		return r;
	hd_link_path(dp, a->port, offload->note, path);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	r = offload->set(a->ifindex, offload->want);
	if (r < 0)
		(void)rmdir(path);
	return r;
}

static void offload_restore(const struct hd_datapath *dp, const struct hd_attachment *a,
			    const struct offload *offload)
{
	char path[300];

	hd_link_path(dp, a->port, offload->note, path);
	if (rmdir(path) == 0) /* gone with its device is fine */
		(void)offload->set(a->ifindex, !offload->want);
}

int hd_xdp_see_tags(const struct hd_datapath *dp, const struct hd_attachment *a, bool want)
{
	if (want && a->xdp)
		return offload_change(dp, a, &rxvlan);
	offload_restore(dp, a, &rxvlan);
	return 0;
}

static int create(const struct hd_datapath *dp, const struct hd_attachment *a)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	_close_ int fd =
		bpf_link_create(dp->progs[HD_PROG_UPLINK_XDP], (int)a->ifindex, BPF_XDP, &opts);
	char path[300];

	if (fd < 0)
		return errno == EEXIST ? -EBUSY : -errno; /* a generic one is there */
	hd_link_path(dp, a->port, "xdp", path);
	(void)unlink(path); /* a link whose device is gone */
	return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

int hd_xdp_on(const struct hd_datapath *dp, struct hd_netlink *nl, struct hd_attachment *a,
	      bool is_soft)
{
	int r;

	if (hd_xdp_other(a).id)
		return -EBUSY;
	a->xdp = true;
	(void)hd_xdp_update(dp, a); /* a link that is left over from a device that is gone */
	r = hd_links_attach_tc(dp, nl, a);
	if (r == 0)
		r = create(dp, a);
	if (r == 0 && is_soft)
		(void)offload_change(dp, a, &gro); /* without it slower, not wrong */
	if (r == 0)
		return 0;
	a->xdp = false;
	(void)hd_links_attach_tc(dp, nl, a); /* what was possible before is now */
	return r;
}

int hd_xdp_update(const struct hd_datapath *dp, const struct hd_attachment *a)
{
	_close_ int fd = open_link(dp, a->port);
	struct bpf_link_info info;
	char path[300];
	int r;

	if (fd < 0)
		return fd;
	r = hd_link_info(fd, &info);
	if (r < 0)
		return r;
	if (hd_link_ifindex(&info) != a->ifindex) {
		hd_link_path(dp, a->port, "xdp", path);
		(void)unlink(path);
		hd_link_path(dp, a->port, "gro", path);
		(void)rmdir(path); /* it was about that device */
		hd_link_path(dp, a->port, "rxvlan", path);
		(void)rmdir(path);
		return -ENODEV;
	}
	if (info.prog_id == dp->prog_ids[HD_PROG_UPLINK_XDP])
		return 0;
	return bpf_link_update(fd, dp->progs[HD_PROG_UPLINK_XDP], NULL) < 0 ? -errno : 0;
}

/* What is on its way from XDP to TC when this returns, has been looked at by the program that knows what to do with it. */
void hd_xdp_detach(const struct hd_datapath *dp, const struct hd_attachment *a)
{
	_close_ int fd = open_link(dp, a->port);
	char path[300];

	offload_restore(dp, a, &gro);
	offload_restore(dp, a, &rxvlan);
	if (fd < 0)
		return;
	(void)bpf_link_detach(fd); /* its device may be gone: then it is detached */
	hd_link_path(dp, a->port, "xdp", path);
	(void)unlink(path);
	hd_grace_wait();
}

void hd_xdp_off(const struct hd_datapath *dp, struct hd_netlink *nl, struct hd_attachment *a)
{
	if (!a->xdp)
		return;
	hd_xdp_detach(dp, a);
	a->xdp = false;
	if (hd_links_attach_tc(dp, nl, a) < 0)
		log_debug("uplink %u: its program for TC goes on looking for what XDP has opened",
			  a->port);
}
