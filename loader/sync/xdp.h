/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * xdp.h - XDP in front of TC, at uplinks
 *
 * A link, pinned as links/PORT-xdp, by the driver itself (native) or not at all: generic XDP is slower than TC. Another program on the device is
 * left alone. The program for TC that knows what XDP has opened is there first, and goes last.
 */
#pragma once

#include "sync/links.h"

/**
 * struct hd_xdp_other - somebody else's XDP program on a device
 * @id:   the kernel's id of it, 0 = there is none
 * @name: its name
 */
struct hd_xdp_other {
	uint32_t id;
	char name[64];
};

/** hd_xdp_other - look for one; @a: the device, and whether ours is there */
struct hd_xdp_other hd_xdp_other(const struct hd_attachment *a);

/**
 * hd_xdp_on - put XDP in front of the programs that are attached
 * @a: attached to TC; @xdp is set on return 0
 * @is_soft: the device is no hardware: it is told to put segments together, which it does not by itself
 *
 * Return: 0, -EBUSY: another program is there, -EOPNOTSUPP: the driver has no native XDP, or another -errno; then all is as before.
 */
int hd_xdp_on(const struct hd_datapath *dp, struct hd_netlink *nl, struct hd_attachment *a,
	      bool is_soft);

/** hd_xdp_off - take it off, with no packet lost on its way to TC; @a: stays attached to TC. Nothing to do is fine. */
void hd_xdp_off(const struct hd_datapath *dp, struct hd_netlink *nl, struct hd_attachment *a);

/**
 * hd_xdp_see_tags - have an uplink's device leave tags where XDP sees them, or have it do again what it did before
 *
 * Return: 0 or -errno; -EOPNOTSUPP: the device can't.
 */
int hd_xdp_see_tags(const struct hd_datapath *dp, const struct hd_attachment *a, bool want);

/** hd_xdp_update - have the link run the current program: 0; -ENODEV: its device is gone, and the link removed; or another -errno */
int hd_xdp_update(const struct hd_datapath *dp, const struct hd_attachment *a);

/** hd_xdp_detach - part of hd_links_detach(): only XDP, first; fine when there is none */
void hd_xdp_detach(const struct hd_datapath *dp, const struct hd_attachment *a);

/** hd_xdp_is_pinned - whether a link of this port is there, from a daemon before us */
bool hd_xdp_is_pinned(const struct hd_datapath *dp, uint32_t port);
