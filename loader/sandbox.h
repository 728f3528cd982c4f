/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sandbox.h - is the network namespace that a port was made for still there?
 *
 * A device that has gone does not say: somebody may have removed it by hand. Nor does the path, which may lead elsewhere by now while the
 * namespace lives on; nor its inode, which is given to others. So a namespace gets a mark when it gets a port:
 *
 *     BOOT.HOST.NUMBER, in hexadecimal
 *
 *     BOOT    part of the machine's boot id. No namespace outlives it.
 *     HOST    cookie of the namespace that plays the host: in no boot do two have the same
 *     NUMBER  by which the host's namespace knows the other one (RTM_NEWNSID). The kernel takes it back when the last who holds that namespace lets go,
 *             and not before. The kernel hands out small numbers by itself, to be used again; this one is random and large. 0: it had one already.
 *
 * docs/adr/0035-sandboxes-have-numbers.md
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** enum hd_sandbox_state - what can be said of a namespace with certainty */
enum hd_sandbox_state { HD_SANDBOX_UNKNOWN, HD_SANDBOX_THERE, HD_SANDBOX_GONE };

/** HD_SANDBOX_MARK - bytes of a mark as text */
#define HD_SANDBOX_MARK 40

/** struct hd_sandbox_host - who asks; all zero before hd_sandbox_open() and after a failure, which is fine: then nothing is certain */
struct hd_sandbox_host {
	struct hd_netlink *nl;
	uint32_t boot;
	uint64_t cookie;
};

void hd_sandbox_open(struct hd_sandbox_host *host);
void hd_sandbox_close(struct hd_sandbox_host *host);

/** hd_sandbox_mark - mark the namespace at a path; without a number if it can't get one */
void hd_sandbox_mark(const struct hd_sandbox_host *host, const char *path,
		     char ret[HD_SANDBOX_MARK]);

/** hd_sandbox_look - that of which @mark is; any text will do */
enum hd_sandbox_state hd_sandbox_look(const struct hd_sandbox_host *host, const char *mark);
