/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* publish.h - port forwards of masquerading routers, for the host's own sockets: host.bpf.c */
#pragma once

#include "model/model.h"
#include "netlink.h"

struct hd_publisher;

/** hd_publisher_new - @dir: of the instance's pins; copied. NULL without memory. */
struct hd_publisher *hd_publisher_new(const char *dir);

/** hd_publisher_free - what is attached stays, by its pins; NULL is fine */
void hd_publisher_free(struct hd_publisher *publisher);

/**
 * hd_publisher_follow - make what the host can use of its published ports that of @model
 * @host: its addresses
 *
 * Those that listen at an address of the host and lead to a network in which it has a leg. Without any nothing is attached. What does not work
 * is logged once: all but the host reaches them as ever.
 */
void hd_publisher_follow(struct hd_publisher *publisher, const struct hd_model *model,
			 const struct hd_address *host, size_t n_host);

/** hd_publisher_keep - look whether what was attached still is, and see to it that it is */
void hd_publisher_keep(struct hd_publisher *publisher);

/** hd_publisher_lacks - why the host does not reach a port forward that listens at it; static, "" if it does */
const char *hd_publisher_lacks(const struct hd_publisher *publisher, const struct hd_model *model,
			       const struct hd_port_forward *forward);
