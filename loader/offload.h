/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* offload.h - what a device does itself */
#pragma once

/**
 * hd_offload_no_tunnels - have a device take no tunnel packets that are still to be cut
 * @netns: where it is; -1 = here
 * @name:  of the device
 *
 * The kernel can wrap a packet for cutting later only once (bpf_skb_adjust_room(): -EALREADY). So tunnels inside of a workload must come
 * cut already; the workload's kernel sees to that when its device can't do it.
 *
 * Return: 0 or -errno.
 */
int hd_offload_no_tunnels(int netns, const char *name);
