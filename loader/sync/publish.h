/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* publish.h - port forwards of masquerading routers, for the host's own connections: host.bpf.c */
#pragma once

#include "model/model.h"

struct hd_publisher;

/** hd_publish_address_fn - the host's address at an uplink, network order; 0 if it has none */
typedef uint32_t (*hd_publish_address_fn)(const void *arg, const struct hd_object *uplink);

/** hd_publisher_new - @dir: of the instance's pins; copied. NULL without memory. */
struct hd_publisher *hd_publisher_new(const char *dir);

/** hd_publisher_free - what is attached stays, by its pin; NULL is fine */
void hd_publisher_free(struct hd_publisher *publisher);

/**
 * hd_publisher_follow - make what the host can use of its published ports that of @model
 *
 * Those that lead to a network in which the host has a leg. Without any nothing is attached. What does not work is logged once: all but the
 * host reaches them as ever.
 */
void hd_publisher_follow(struct hd_publisher *publisher, const struct hd_model *model,
			 hd_publish_address_fn address, const void *arg);
