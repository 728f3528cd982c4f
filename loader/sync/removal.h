/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * removal.h - devices that go
 *
 * The kernel takes a device that is to go out of all its lists and tells everybody so. Then it lets the one who has asked wait until nothing in
 * memory is left of the device: a whole RCU grace period, ten times as long as all the rest of a port's removal, and not to be shortened
 * (docs/adr/0030-devices-go-by-threads.md). So a thread asks for each device, and who wants them to be gone waits for the kernel's news that they are.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hd_remover;

/** struct hd_removal - a device that is to go; @r: how it went, 0 or -errno; -EAGAIN: nothing was heard */
struct hd_removal {
	uint32_t ifindex;
	int r;
};

/** hd_remover_open - NULL if there is no memory, or no socket */
struct hd_remover *hd_remover_open(void);

/** hd_remover_close - waits until the kernel has done all that it was asked for; NULL is fine */
void hd_remover_close(struct hd_remover *remover);

/** hd_remover_run - let devices go; on return they are in no list any more, nor are their peers, and their names are free */
void hd_remover_run(struct hd_remover *remover, struct hd_removal *list, size_t n);
