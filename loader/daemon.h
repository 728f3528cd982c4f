/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* daemon.h - heddled: one event loop around the desired state, its store, the kernel and the API */
#pragma once

#include <systemd/sd-event.h>

#include "api/http.h"
#include "config.h"
#include "model/model.h"
#include "store/store.h"
#include "sync/flows.h"
#include "sync/nat.h"
#include "sync/nat_log.h"
#include "sync/sync.h"

/**
 * struct hd_daemon - everything
 * @config:     how it was started
 * @event:      the loop
 * @store:      the desired state on disk
 * @model:      the desired state; what the kernel was last brought to
 * @sync:       the kernel
 * @http:       the API
 * @watch:      news about devices
 * @started_s:  CLOCK_MONOTONIC, seconds
 * @resync:     runs once the loop is free, after news about devices
 * @ways:       runs a moment after news about routes and neighbours
 * @lookout:    runs when a port has gone down, and a while later
 * @vanished:   ports that it has found
 * @sweep:      where the sweep of the flow tables is
 * @nat:        what is known about translated endpoints that no flow uses
 * @nat_log:    of blocks of ports
 * @twin:       for traces, loaded when the first is asked for
 * @watching:   a live trace under way, NULL if there is none
 * @is_purged:  nothing is left; exit when the answer is out
 */
struct hd_vanished;
struct hd_watching;
struct hd_daemon {
	struct hd_config config;
	sd_event *event;
	struct hd_store *store;
	struct hd_model *model;
	struct hd_sync *sync;
	struct hd_http *http;
	struct hd_netlink *watch;
	int64_t started_s;
	sd_event_source *resync;
	sd_event_source *ways;
	sd_event_source *lookout;
	struct hd_vanished *vanished;
	struct hd_flow_sweep sweep;
	struct hd_nat_keeper *nat;
	struct hd_nat_log *nat_log;
	struct hd_twin *twin;
	struct hd_watching *watching;
	bool is_purged;
};

/**
 * hd_daemon_open - bring everything up: store, datapath, devices, API
 * @config: copied
 * @ret:    running after sd_event_loop(ret->event)
 */
int hd_daemon_open(const struct hd_config *config, struct hd_daemon **ret, struct hd_error *err);

/** hd_daemon_close - let go of everything; the datapath runs on. NULL is fine. */
void hd_daemon_close(struct hd_daemon *daemon);

/** hd_daemon_event - tell those who watch; @noun, @name, @detail may be empty */
void hd_daemon_event(struct hd_daemon *daemon, const char *event, const char *noun,
		     const char *name, const char *detail);

/** hd_daemon_handle - answer an API request (api/route.c) */
void hd_daemon_handle(void *daemon, const struct hd_http_request *req, struct hd_http_reply *reply);
