// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* daemon.c - heddled: one event loop around the desired state, its store, the kernel and the API */
#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/handlers.h"
#include "cleanup.h"
#include "departed.h"
#include "log.h"
#include "sync/bpffs.h"
#include "sync/fdb.h"
#include "sync/nat_quota.h"
#include "sync/told.h"
#include "vanished.h"

#define SWEEP_USEC (5 * 1000000ULL)
#define NAT_SWEEP_USEC (30 * 1000000ULL) /* it looks at all flows that cross a router */
#define FLOW_STEP_USEC (20 * 1000ULL)
#define RETRY_USEC (2 * 1000000ULL)
#define WAYS_USEC (20 * 1000ULL)

void hd_daemon_event(struct hd_daemon *daemon, const char *event, const char *noun,
		     const char *name, const char *detail)
{
	_json_ json_t *line = NULL;
	struct timespec now;
	char text[40], stamp[64];
	struct tm tm;

	if (!daemon->http)
		return;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &tm));
	(void)snprintf(stamp, sizeof(stamp), "%s.%03ldZ", text, now.tv_nsec / 1000000);
	line = json_pack("{s:s, s:s, s:s, s:s, s:s}", "time", stamp, "event", event, "noun", noun,
			 "name", name, "detail", detail);
	hd_http_publish(daemon->http, line);
}

static void again(sd_event_source *source, uint64_t usec)
{
	(void)sd_event_source_set_time_relative(source, usec);
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void on_port(void *arg, const struct hd_object *port, bool up, const char *reason)
{
	const char *noun = port->noun->name;
	struct hd_daemon *daemon = arg;
	char event[32];

	if (!up && daemon->lookout) /* at the start there is a look anyway */
		again(daemon->lookout, 0);
	if (up)
		log_info("%s %s: up", noun, port->name);
	else
		log_info("%s %s: down: %s", noun, port->name, reason);
	(void)snprintf(event, sizeof(event), "%s-%s", noun, up ? "up" : "down");
	hd_daemon_event(arg, event, noun, port->name, reason);
}

/* What is being read from the store. @rules: by group, until the group itself comes; @legs: likewise by network. */
struct loading {
	struct hd_daemon *daemon;
	json_t *rules;
	json_t *legs;
};

static int load_rule(struct loading *loading, const char *name, json_t *rule)
{
	_free_ char *group = strndup(name, strcspn(name, "/"));
	json_t *list = group ? json_object_get(loading->rules, group) : NULL;

	if (group && !list) {
		list = json_array();
		(void)json_object_set_new(loading->rules, group, list);
	}
	return json_array_append(list, rule) < 0 ? -ENOMEM : 0;
}

/* A group gets its rules, in order. */
static int take_rules(struct loading *loading, const char *name, json_t *spec)
{
	json_t *list = json_object_get(loading->rules, name);

	if (!list)
		list = json_array();
	else
		(void)json_incref(list);
	(void)json_object_del(loading->rules, name);
	return json_object_set_new(spec, "rules", list) < 0 ? -ENOMEM : hd_items_sort(list);
}

static int load_row(void *arg, const char *noun_name, const char *name, uint32_t id,
		    const char *spec_text)
{
	struct loading *loading = arg;
	const struct hd_noun *noun = hd_noun_find(noun_name);
	_json_ json_t *spec = json_loads(spec_text, 0, NULL);
	struct hd_daemon *daemon = loading->daemon;
	struct hd_object *object = NULL;
	struct hd_error err = { 0 };
	int r;

	if (spec && !strcmp(noun_name, HD_STORE_RULE))
		return load_rule(loading, name, spec);
	if (!strcmp(noun_name, HD_STORE_LEG))
		return json_object_set_new(loading->legs, name, json_integer(id)) < 0 ? -ENOMEM : 0;
	if (!noun || !spec)
		return log_err(-EBADMSG, "store: %s %s: unreadable", noun_name, name);
	r = noun->id == HD_NOUN_GROUP ? take_rules(loading, name, spec) : 0;
	if (r < 0)
		return r;
	r = hd_object_new(noun, name, id, spec, &object, &err);
	if (r < 0)
		return log_err(r, "store: %s", err.message);
	if (noun->id == HD_NOUN_NETWORK && object->view.network.physical)
		object->leg = (uint32_t)json_integer_value(json_object_get(loading->legs, name));
	r = hd_model_put(daemon->model, object);
	hd_object_unref(object);
	return r;
}

/* The group of ports that name none; in the store only once it has been changed. */
static int add_default_group(struct hd_daemon *daemon)
{
	struct hd_object *group;
	int r;

	if (hd_model_get(daemon->model, HD_NOUN_GROUP, HD_GROUP_DEFAULT))
		return 0;
	group = hd_group_default();
	r = group ? hd_model_put(daemon->model, group) : -ENOMEM;
	hd_object_unref(group);
	return r;
}

static int open_store(struct hd_daemon *daemon, struct hd_error *err)
{
	_json_ json_t *rules = json_object();
	_json_ json_t *legs = json_object();
	struct loading loading = { .daemon = daemon, .rules = rules, .legs = legs };
	char folder[300], path[320];
	int r;

	(void)snprintf(folder, sizeof(folder), "%s/%s", daemon->config.state_dir,
		       daemon->config.instance);
	(void)snprintf(path, sizeof(path), "%s/heddle.db", folder);
	r = hd_mkdir_p(folder, 0755);
	if (r < 0)
		return hd_error_set(err, HD_ERR_FAILED, "%s: can't make it: %s", folder,
				    strerror(-r));
	r = hd_store_open(path, &daemon->store, err);
	if (r == 0)
		r = hd_store_load(daemon->store, load_row, &loading, err);
	if (r < 0 && err->code == HD_ERR_NONE)
		return hd_error_set(err, HD_ERR_FAILED, "%s: holds what this version can't read",
				    path);
	if (r == 0)
		r = add_default_group(daemon);
	if (r == 0) {
		hd_model_sort(daemon->model);
		r = hd_model_settle(daemon->model, err);
	}
	if (r == 0)
		r = hd_model_validate(daemon->model, err);
	return r;
}

/* What the machine did meanwhile: ports whose device came or went. Nothing here is refused, only reported. */
static int on_resync(sd_event_source *source, void *arg)
{
	struct hd_daemon *daemon = arg;
	struct hd_error err = { 0 };

	(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
	if (hd_sync_run(daemon->sync, daemon->model, NULL, &err) < 0)
		(void)log_err(0, "%s", err.message);
	return 0;
}

static void on_link(void *arg, const struct hd_link *link)
{
	struct hd_daemon *daemon = arg;

	if (!hd_sync_link(daemon->sync, link))
		return;
	(void)sd_event_source_set_enabled(daemon->resync, SD_EVENT_ONESHOT);
	if (link->gone) /* its port may have gone down before, when it was set down */
		again(daemon->lookout, 0);
}

/* A route, neighbour or address has changed: a burst of them is one look. */
static void on_way(void *arg)
{
	struct hd_daemon *daemon = arg;

	if (hd_model_count(daemon->model, HD_NOUN_PEER) ||
	    hd_model_count(daemon->model, HD_NOUN_UPLINK))
		again(daemon->ways, WAYS_USEC);
}

static int on_ways(sd_event_source *source, uint64_t usec, void *arg)
{
	struct hd_daemon *daemon = arg;

	(void)source, (void)usec;
	if (hd_sync_ways(daemon->sync, daemon->model))
		(void)sd_event_source_set_enabled(daemon->resync, SD_EVENT_ONESHOT);
	return 0;
}

static int on_watch(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct hd_daemon *daemon = arg;
	int r = hd_netlink_read(daemon->watch, on_link, on_way, daemon);

	(void)source, (void)fd, (void)events;
	if (r == -ENOBUFS) {
		(void)log_warn(0, "too much news about devices at once: listing them again");
		r = hd_sync_reload_links(daemon->sync);
		on_way(daemon);
		(void)sd_event_source_set_enabled(daemon->resync, SD_EVENT_ONESHOT);
	}
	if (r < 0)
		(void)log_err(r, "news about devices");
	return 0;
}

static void told(struct hd_daemon *daemon, int fd, bool is_v4)
{
	if (hd_sync_told(daemon->sync, daemon->model, fd, is_v4))
		(void)sd_event_source_set_enabled(daemon->resync, SD_EVENT_ONESHOT);
}

static int on_told_ipv4(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	(void)source, (void)events;
	told(arg, fd, true);
	return 0;
}

static int on_told_ipv6(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	(void)source, (void)events;
	told(arg, fd, false);
	return 0;
}

static int on_sweep(sd_event_source *source, uint64_t usec, void *arg)
{
	struct hd_daemon *daemon = arg;

	(void)usec;
	(void)hd_fdb_sweep(hd_sync_datapath(daemon->sync), daemon->model);
	again(source, SWEEP_USEC);
	return 0;
}

static int on_nat_sweep(sd_event_source *source, uint64_t usec, void *arg)
{
	struct hd_daemon *daemon = arg;

	(void)usec;
	if (hd_model_count(daemon->model, HD_NOUN_ROUTER))
		hd_nat_sweep(daemon->nat, hd_sync_datapath(daemon->sync));
	/* If it can't, routers with a quota get no more blocks until it can. */
	(void)hd_nat_grant(hd_sync_datapath(daemon->sync), daemon->model);
	hd_nat_log_compare(daemon->nat_log, daemon->model);
	again(source, NAT_SWEEP_USEC);
	return 0;
}

static void on_nat_line(void *arg, const char *line)
{
	(void)arg;
	log_info("%s", line);
}

static int on_nat_log(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct hd_daemon *daemon = arg;

	(void)source, (void)fd, (void)events;
	hd_nat_log_read(daemon->nat_log, daemon->model);
	return 0;
}

/* The flow tables may be large: a step at a time, with room for other work in between. */
static int on_flow_sweep(sd_event_source *source, uint64_t usec, void *arg)
{
	struct hd_daemon *daemon = arg;
	bool done = hd_flows_sweep(hd_sync_datapath(daemon->sync), daemon->model, &daemon->sweep);

	(void)usec;
	again(source, done ? SWEEP_USEC : FLOW_STEP_USEC);
	return 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *arg)
{
	struct hd_daemon *daemon = arg;

	(void)usec;
	hd_sync_keep_ways(daemon->sync);
	hd_sync_keep_published(daemon->sync);
	hd_sync_announce(daemon->sync);
	/* A path MTU that the kernel has learned from an ICMP error is no news on netlink; nor that one has expired. */
	if (hd_sync_wants_retry(daemon->sync) || hd_sync_ways(daemon->sync, daemon->model))
		(void)sd_event_source_set_enabled(daemon->resync, SD_EVENT_ONESHOT);
	again(source, RETRY_USEC);
	return 0;
}

static int on_lookout(sd_event_source *source, uint64_t usec, void *arg)
{
	struct hd_daemon *daemon = arg;
	uint32_t next_s = hd_vanished_look(daemon->vanished, daemon);

	(void)usec;
	if (next_s)
		again(source, next_s * 1000000ULL);
	return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *arg)
{
	(void)arg;
	log_info("signal %u: leaving, the datapath goes on", info->ssi_signo);
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int add_signals(struct hd_daemon *daemon)
{
	sigset_t set;
	int r;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	(void)signal(SIGPIPE, SIG_IGN);
	r = sd_event_add_signal(daemon->event, NULL, SIGTERM, on_signal, daemon);
	return r < 0 ? r : sd_event_add_signal(daemon->event, NULL, SIGINT, on_signal, daemon);
}

/* Without it all works where the underlay is as wide everywhere as its devices say: no reason not to start. */
static void add_told(struct hd_daemon *daemon, bool is_v4)
{
	sd_event_source *source = NULL;
	int fd = hd_told_open(is_v4), r = fd;

	if (r >= 0)
		r = sd_event_add_io(daemon->event, &source, fd, EPOLLIN,
				    is_v4 ? on_told_ipv4 : on_told_ipv6, daemon);
	if (r >= 0) {
		(void)sd_event_source_set_io_fd_own(source, true);
		(void)sd_event_source_set_floating(source, true);
	} else {
		hd_closep(&fd);
		(void)log_warn(r, "can't hear what the underlay says about its MTU (%s), ignoring",
			       is_v4 ? "IPv4" : "IPv6");
	}
	sd_event_source_unref(source);
}

static int add_sources(struct hd_daemon *daemon)
{
	int r = add_signals(daemon);

	if (r >= 0)
		r = sd_event_add_defer(daemon->event, &daemon->resync, on_resync, daemon);
	if (r >= 0)
		r = sd_event_source_set_enabled(daemon->resync, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_io(daemon->event, NULL, hd_netlink_fd(daemon->watch), EPOLLIN,
				    on_watch, daemon);
	if (r >= 0)
		r = sd_event_add_time_relative(daemon->event, NULL, CLOCK_MONOTONIC, SWEEP_USEC, 0,
					       on_sweep, daemon);
	if (r >= 0)
		r = sd_event_add_time_relative(daemon->event, NULL, CLOCK_MONOTONIC, SWEEP_USEC, 0,
					       on_flow_sweep, daemon);
	if (r >= 0)
		r = sd_event_add_time_relative(daemon->event, NULL, CLOCK_MONOTONIC, NAT_SWEEP_USEC,
					       0, on_nat_sweep, daemon);
	if (r >= 0)
		r = sd_event_add_io(daemon->event, NULL, hd_nat_log_fd(daemon->nat_log), EPOLLIN,
				    on_nat_log, daemon);
	if (r >= 0)
		r = sd_event_add_time_relative(daemon->event, NULL, CLOCK_MONOTONIC, RETRY_USEC, 0,
					       on_retry, daemon);
	if (r >= 0)
		r = sd_event_add_time_relative(daemon->event, &daemon->lookout, CLOCK_BOOTTIME, 0,
					       0, on_lookout, daemon);
	if (r >= 0)
		r = sd_event_add_time_relative(daemon->event, &daemon->ways, CLOCK_MONOTONIC,
					       WAYS_USEC, 0, on_ways, daemon);
	if (r >= 0) {
		add_told(daemon, true);
		add_told(daemon, false);
	}
	return r < 0 ? r : sd_event_set_watchdog(daemon->event, true);
}

/* What was handed out while nobody read comes first, then all that is in use. */
static int open_nat_log(struct hd_daemon *daemon, struct hd_error *err)
{
	int r = hd_nat_log_open(hd_sync_datapath(daemon->sync), on_nat_line, NULL,
				&daemon->nat_log);

	if (r < 0)
		return hd_error_set(err, HD_ERR_FAILED, "nat-log: %s", strerror(-r));
	hd_nat_log_read(daemon->nat_log, daemon->model);
	hd_nat_log_follow(daemon->nat_log, daemon->model);
	return 0;
}

/* The watch is open before the devices are listed, so that no change falls between the two. */
static int open_kernel(struct hd_daemon *daemon, struct hd_error *err)
{
	int r = hd_netlink_open(&daemon->watch);

	if (r == 0)
		r = hd_netlink_watch(daemon->watch);
	if (r < 0)
		return hd_error_set(err, HD_ERR_FAILED, "netlink: %s", strerror(-r));
	r = hd_sync_open(daemon->config.instance, &daemon->config.limits, on_port, daemon,
			 &daemon->sync, err);
	if (r == 0)
		r = hd_sync_run(daemon->sync, daemon->model, NULL, err);
	if (r == 0)
		r = open_nat_log(daemon, err);
	if (r == 0)
		hd_live_forget(hd_sync_datapath(daemon->sync));
	if (r == 0)
		log_info("%zu networks, %zu ports", hd_model_count(daemon->model, HD_NOUN_NETWORK),
			 hd_model_count(daemon->model, HD_NOUN_PORT));
	return r;
}

static int open_api(struct hd_daemon *daemon, struct hd_error *err)
{
	char folder[300], path[320];
	int r;

	(void)snprintf(folder, sizeof(folder), "%s/%s", daemon->config.run_dir,
		       daemon->config.instance);
	(void)snprintf(path, sizeof(path), "%s/api.sock", folder);
	r = hd_mkdir_p(folder, 0755);
	if (r < 0)
		return hd_error_set(err, HD_ERR_FAILED, "%s: can't make it: %s", folder,
				    strerror(-r));
	return hd_http_open(daemon->event, path, daemon->config.group, hd_daemon_handle, daemon,
			    &daemon->http, err);
}

static int open_all(struct hd_daemon *daemon, struct hd_error *err)
{
	struct timespec now;
	int r = sd_event_default(&daemon->event);

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	daemon->started_s = now.tv_sec;
	daemon->model = hd_model_new();
	daemon->nat = hd_nat_keeper_new();
	daemon->vanished = hd_vanished_new();
	if (r < 0 || !daemon->model || !daemon->nat || !daemon->vanished)
		return hd_error_set(err, HD_ERR_FAILED, "no memory");
	r = open_store(daemon, err);
	if (r == 0)
		r = open_kernel(daemon, err);
	if (r < 0)
		return r;
	r = add_sources(daemon);
	if (r < 0)
		return hd_error_set(err, HD_ERR_FAILED, "event loop: %s", strerror(-r));
	r = open_api(daemon, err);
	if (r == 0)
		hd_departed_remove(daemon);
	return r;
}

int hd_daemon_open(const struct hd_config *config, struct hd_daemon **ret, struct hd_error *err)
{
	struct hd_daemon *daemon = calloc(1, sizeof(*daemon));
	int r;

	if (!daemon)
		return hd_error_set(err, HD_ERR_FAILED, "no memory");
	daemon->config = *config;
	r = open_all(daemon, err);
	if (r < 0)
		hd_daemon_close(daemon);
	else
		*ret = daemon;
	return r;
}

void hd_daemon_close(struct hd_daemon *daemon)
{
	if (!daemon)
		return;
	hd_store_close(daemon->store); /* first: who sees the socket go may start another daemon */
	hd_http_close(daemon->http);
	(void)sd_event_source_unref(daemon->resync);
	hd_api_live_end(daemon);
	(void)sd_event_source_unref(daemon->ways);
	(void)sd_event_source_unref(daemon->lookout);
	hd_twin_close(daemon->twin);
	hd_nat_log_close(daemon->nat_log);
	hd_sync_close(daemon->sync);
	hd_nat_keeper_free(daemon->nat);
	hd_vanished_free(daemon->vanished);
	hd_netlink_close(daemon->watch);
	hd_model_free(daemon->model);
	(void)sd_event_unref(daemon->event);
	free(daemon);
}
