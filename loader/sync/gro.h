/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * gro.h - idle tunnel devices, for their sockets
 *
 * The kernel puts segments of tunnel packets together (GRO) only where a tunnel socket is open on their UDP port, though our program takes them
 * before they get there. So for each UDP port of a network there is a device in metadata mode, which has no other use: what comes
 * out of it is dropped by a program of ours. Where the kernel has no such device, or somebody else has one on that port, it goes without.
 */
#pragma once

#include "sync/datapath.h"
#include "sync/devices.h"

/** hd_gro_sync - make what is missing; removing is hd_devices_remove_orphans()'s and hd_gro_sweep()'s business */
void hd_gro_sync(const struct hd_datapath *dp, struct hd_devices *devices,
		 const struct hd_model *model);

/** hd_gro_sweep - remove the pins of programs on devices that are not wanted any more */
void hd_gro_sweep(const struct hd_datapath *dp, const struct hd_model *model);
