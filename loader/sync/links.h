/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * links.h - the programs on the devices
 *
 * tcx where the kernel has it: a link, pinned as links/PORT-in and links/PORT-out, replaced in place. Else, and where the device
 * already carries somebody's clsact filters (which a tcx program in front would starve), a clsact filter behind all others.
 * What others have attached is never touched; what we add to a device we take away again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netlink.h"
#include "sync/datapath.h"

enum hd_attach { HD_ATTACH_NONE, HD_ATTACH_TCX, HD_ATTACH_CLSACT };

/**
 * struct hd_attachment - how one port's, or uplink's, device carries the programs
 * @port:    port id
 * @ifindex: the device
 * @how:     the same in both directions, or HD_ATTACH_NONE
 * @uplink:  it is an uplink's
 * @xdp:     XDP opens packets before TC gets them, see xdp.h
 */
struct hd_attachment {
	uint32_t port;
	uint32_t ifindex;
	enum hd_attach how;
	bool uplink;
	bool xdp;
};

/** hd_attach_word - "tcx", "clsact", "none" */
const char *hd_attach_word(enum hd_attach how);

/**
 * hd_links_attach - see to it that a device runs the current programs for a port
 * @dp:  datapath
 * @nl:  for a look at the device's filters
 * @a:   in: @port, @ifindex, and @how it is attached so far; out: @how
 *
 * Attached already with other programs: replaced without a gap. With the right ones: nothing is done.
 * Return: 0 or -errno; then nothing of ours is on the device.
 */
int hd_links_attach(const struct hd_datapath *dp, struct hd_netlink *nl, struct hd_attachment *a);

/** hd_links_attach_tc - the same without a look at XDP */
int hd_links_attach_tc(const struct hd_datapath *dp, struct hd_netlink *nl,
		       struct hd_attachment *a);

/**
 * hd_links_foreign_egress - whether somebody else's program looks at what leaves by a device
 *
 * bpf_redirect_peer() passes by the device itself, so that such a program would see nothing.
 */
bool hd_links_foreign_egress(const struct hd_datapath *dp, struct hd_netlink *nl, uint32_t ifindex);

/** hd_links_detach - take the programs off; fine when the device is gone */
void hd_links_detach(const struct hd_datapath *dp, struct hd_netlink *nl, struct hd_attachment *a);

/**
 * hd_links_guard - have a device that belongs to no port drop all that comes in
 * @pin: name of the link's pin
 *
 * Return: 0 or -errno.
 */
int hd_links_guard(const struct hd_datapath *dp, uint32_t ifindex, const char *pin);

/**
 * hd_links_promisc - let frames for others in at an uplink's device, or no longer
 * @is:   it lets them in now
 * @want: it should
 *
 * Takes back only what it has done itself; of that it leaves a note among the pins. hd_links_detach() takes it back, too.
 */
int hd_links_promisc(const struct hd_datapath *dp, struct hd_netlink *nl,
		     const struct hd_attachment *a, bool is, bool want);

/** hd_links_found_fn - one pinned attachment; @a is a copy to keep */
typedef int (*hd_links_found_fn)(void *arg, const struct hd_attachment *a);

/** hd_links_find - report what is pinned; pins whose device is gone are removed on the way */
int hd_links_find(const struct hd_datapath *dp, hd_links_found_fn fn, void *arg);

struct bpf_link_info;

/** hd_link_path - path of a pin or note: links/PORT-WHAT */
void hd_link_path(const struct hd_datapath *dp, uint32_t port, const char *what, char path[300]);

/** hd_link_info - what the kernel says about a link. 0 or -errno. */
int hd_link_info(int fd, struct bpf_link_info *ret);

/** hd_link_ifindex - the device of a tcx or XDP link; 0 when it is gone */
uint32_t hd_link_ifindex(const struct bpf_link_info *info);
