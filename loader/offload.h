/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* offload.h - what a device does itself */
#pragma once

#include <stdbool.h>
#include <stdint.h>

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

/** hd_offload_rxvlan - whether a device takes the tag off what comes in, to a place where XDP can't see it. 0 or -errno. */
int hd_offload_rxvlan(uint32_t ifindex, bool *ret);

/** hd_offload_set_rxvlan - have it do so, or not; -EOPNOTSUPP: it can't be changed */
int hd_offload_set_rxvlan(uint32_t ifindex, bool on);

/** hd_offload_gro - whether a device here puts segments together that come in. 0 or -errno. */
int hd_offload_gro(uint32_t ifindex, bool *ret);

/** hd_offload_set_gro - have it do so, or not */
int hd_offload_set_gro(uint32_t ifindex, bool on);
