/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * devices.h - the network devices of this namespace: what is there, and those that heddle makes
 *
 * A device that heddle makes carries the alias "heddle:INSTANCE:PORT"; by that it is found again after a restart and removed when its
 * port is gone. A device that was there before is used as it is: nothing on it is changed but the programs attached to it.
 */
#pragma once

#include <uthash.h>

#include "heddlectl/error.h"
#include "model/model.h"
#include "netlink.h"
#include "sync/removal.h"

/** struct hd_device - a link that is there now */
struct hd_device {
	struct hd_link link;
	UT_hash_handle by_index;
	UT_hash_handle by_name;
};

/**
 * struct hd_devices - all of them
 * @nl:       for requests
 * @remover:  lets them go
 * @instance: borrowed
 */
struct hd_devices {
	struct hd_netlink *nl;
	struct hd_remover *remover;
	const char *instance;
	struct hd_device *by_index;
	struct hd_device *by_name;
};

/** hd_devices_load - list them anew */
int hd_devices_load(struct hd_devices *devices);
void hd_devices_done(struct hd_devices *devices);

/** hd_devices_update - a link came, changed or went; true if anything that heddle looks at is different */
bool hd_devices_update(struct hd_devices *devices, const struct hd_link *link);

/** hd_device_of - the device of an uplink, or on this side of a port; NULL if it is missing; borrowed */
const struct hd_link *hd_device_of(const struct hd_devices *devices, const struct hd_object *port);

/** hd_device_name - name of the host's end of a pair that heddle makes for port @id */
void hd_device_name(const char *instance, uint32_t id, char name[IFNAMSIZ]);

/**
 * hd_device_check - whether a device that was there can become a port
 * @err: it is missing, of the wrong kind, or in use, and by whom
 */
int hd_device_check(const struct hd_devices *devices, const struct hd_object *port,
		    struct hd_error *err);

/** hd_uplink_check - whether a device can become an uplink; as hd_device_check() */
int hd_uplink_check(const struct hd_devices *devices, const struct hd_object *uplink,
		    struct hd_error *err);

/** hd_devices_underlay - what the devices of the uplinks say about a network; NULL: about those that are tunnels */
struct hd_underlay hd_devices_underlay(const struct hd_devices *devices,
				       const struct hd_model *model,
				       const struct hd_network *network);

/** hd_netns_error - what kind of error a failing hd_netns_open() is */
enum hd_error_code hd_netns_error(int r);

/** hd_netns_reason - the same in words */
const char *hd_netns_reason(int r);

/**
 * hd_device_make - make the pair of a port and configure its far end; this end stays down
 *
 * After a failure nothing of it is left.
 */
int hd_device_make(struct hd_devices *devices, const struct hd_model *model,
		   const struct hd_object *port, struct hd_error *err);

/**
 * hd_device_configure - bring MAC, MTU, addresses and default routes of a pair to what @port asks for in @model
 * @old: the model that asked before, NULL for a new pair
 */
int hd_device_configure(struct hd_devices *devices, const struct hd_model *model,
			const struct hd_object *port, const struct hd_model *old,
			struct hd_error *err);

/** hd_device_gateways_changed - whether a port in a namespace has other default routes than @before, the same port in @old */
bool hd_device_gateways_changed(const struct hd_model *model, const struct hd_model *old,
				const struct hd_object *port, const struct hd_object *before);

/**
 * hd_device_follow_mtu - give a pair the MTU of its network, if that follows the underlay's and is another now
 *
 * Return: 0 or -errno; 0 also when nothing had to be done.
 */
int hd_device_follow_mtu(struct hd_devices *devices, const struct hd_model *model,
			 const struct hd_object *port, struct hd_error *err);

/** hd_device_of_socket - the idle tunnel device of a UDP port (gro.h), NULL if there is none; borrowed */
const struct hd_link *hd_device_of_socket(const struct hd_devices *devices, uint16_t port);

/** hd_device_make_socket - make that of a network's UDP port; it stays down. 0 or -errno. */
int hd_device_make_socket(struct hd_devices *devices, const struct hd_network *network);

/** hd_device_up - this end up; programs are attached by now */
int hd_device_up(struct hd_devices *devices, const struct hd_link *link);

/** hd_devices_remove_nameless - at start: pairs whose maker, a daemon of this instance, was killed before it could say whose they are */
void hd_devices_remove_nameless(struct hd_devices *devices);

/** hd_devices_remove_orphans - remove pairs that we made for ports that are not in @model (NULL: all) */
void hd_devices_remove_orphans(struct hd_devices *devices, const struct hd_model *model);
