// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * live.c - heddle trace --live: real packets that match a filter, with all that was decided about them
 *
 * One at a time: POST /v1/live begins and says its number, GET /v1/live?id=N reads what has come since, POST /v1/live/stop ends it. Who does
 * not ask for a while has gone: the timer ends it for him.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/describe.h"
#include "api/handlers.h"
#include "cleanup.h"
#include "log.h"

#define GONE_AFTER_USEC (5 * 1000000ULL)
#define READ_MAX 200

/* @id: told to whoever began it. */
struct hd_watching {
	struct hd_live *live;
	json_int_t id;
	sd_event_source *timer;
};

void hd_api_live_end(struct hd_daemon *daemon)
{
	struct hd_watching *w = daemon->watching;

	if (!w)
		return;
	daemon->watching = NULL;
	hd_sync_swap(daemon->sync, w->live);
	hd_live_close(w->live);
	hd_live_forget(hd_sync_datapath(daemon->sync));
	(void)sd_event_source_disable_unref(w->timer);
	free(w);
	log_info("trace --live: ended");
}

static int on_gone(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	hd_api_live_end(arg);
	return 0;
}

/* ---- the filter ---- */

static int bad(const char *key, const char *value, struct hd_error *err)
{
	return hd_error_set(err, HD_ERR_INVALID, "trace: %s '%s' is not one", key, value);
}

static int set_address(struct hd_live_filter *filter, const char *value, struct hd_error *err)
{
	struct hd_ip ip;

	if (hd_ip_parse(value, &ip) < 0 || ip.prefix != HD_PREFIX_NONE)
		return bad("address", value, err);
	memcpy(filter->addr, ip.bytes, sizeof(filter->addr));
	filter->has_addr = 1;
	return 0;
}

static int set_dport(struct hd_live_filter *filter, const char *value, struct hd_error *err)
{
	char *end;
	long port = strtol(value, &end, 10);

	if (!*value || *end || port < 0 || port > 65535)
		return bad("dport", value, err);
	filter->dport = htons((uint16_t)port);
	filter->has_dport = 1;
	return 0;
}

static int set_filter(struct hd_daemon *daemon, struct hd_live_filter *filter, const char *key,
		      const char *value, struct hd_error *err)
{
	if (!strcmp(key, "network"))
		return hd_api_named_id(daemon, HD_NOUN_NETWORK, value, &filter->network, err);
	if (!strcmp(key, "port"))
		return hd_api_named_id(daemon, HD_NOUN_PORT, value, &filter->port, err);
	if (!strcmp(key, "address"))
		return set_address(filter, value, err);
	if (!strcmp(key, "dport"))
		return set_dport(filter, value, err);
	if (!strcmp(key, "protocol")) {
		int proto = hd_protocol_parse(value);

		filter->proto = (uint8_t)proto;
		filter->has_proto = 1;
		return proto < 0 ? bad(key, value, err) : 0;
	}
	return hd_error_set(err, HD_ERR_INVALID, "trace: there is no filter %s", key);
}

static int read_filter(struct hd_daemon *daemon, const struct hd_http_request *req,
		       struct hd_live_filter *ret, struct hd_error *err)
{
	_json_ json_t *body = NULL;
	const char *key;
	json_t *value;
	int r = hd_api_body(req, &body, err);

	json_object_foreach(body, key, value) {
		if (r == 0)
			r = json_is_string(value)
				    ? set_filter(daemon, ret, key, json_string_value(value), err)
				    : hd_error_set(err, HD_ERR_INVALID, "trace: %s is no text",
						   key);
	}
	return r;
}

/* ---- begin and end ---- */

/* A number that nobody else was told. */
static json_int_t new_id(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* that clock is always there */
	return (json_int_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Not what sd-event takes for now: that is when this turn of the loop began, and loading programs may have taken longer than a session is waited for. */
static uint64_t gone_at(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* that clock is always there */
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 + GONE_AFTER_USEC;
}

static int begin(struct hd_daemon *daemon, const struct hd_live_filter *filter,
		 struct hd_error *err)
{
	struct hd_watching *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return hd_error_set(err, HD_ERR_FAILED, "trace: no memory");
	r = hd_live_open(hd_sync_datapath(daemon->sync), filter, &w->live, err);
	if (r == 0) {
		r = sd_event_add_time(daemon->event, &w->timer, CLOCK_MONOTONIC, gone_at(), 0,
				      on_gone, daemon);
		if (r < 0)
			hd_error_set(err, HD_ERR_FAILED, "trace: no timer: %s", strerror(-r));
	}
	if (r < 0) {
		hd_live_close(w->live);
		free(w);
		return r;
	}
	w->id = new_id();
	daemon->watching = w;
	hd_sync_swap(daemon->sync, w->live);
	(void)sd_event_source_set_time(w->timer, gone_at());
	log_info("trace --live: begins");
	return 0;
}

int hd_api_live_begin(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		      json_t **ret, struct hd_error *err)
{
	struct hd_live_filter filter = { 0 };
	int r;

	if (!strcmp(rest, "stop")) {
		hd_api_live_end(daemon);
		*ret = json_object();
		return 0;
	}
	r = read_filter(daemon, req, &filter, err);
	if (r == 0 && daemon->watching) {
		hd_error_set(err, HD_ERR_CONFLICT, "trace: somebody else is looking already");
		hd_error_hint(err, "one 'heddle trace --live' at a time");
		r = -EBUSY;
	}
	if (r == 0)
		r = begin(daemon, &filter, err);
	if (r == 0)
		*ret = json_pack("{s:I}", "id", daemon->watching->id);
	return r;
}

/* ---- reading ---- */

struct reading {
	struct hd_daemon *daemon;
	json_t *packets;
	double behind; /* realtime minus monotonic, seconds */
};

/* The port that it came in by; "" if the host sent it. */
static const char *came_by(const struct hd_daemon *daemon, const struct hd_live_packet *packet)
{
	const struct hd_object *port =
		packet->step[0].what == HD_TRACE_PORT
			? hd_model_get_id(daemon->model, HD_NOUN_PORT, packet->step[0].a)
			: NULL;

	return port ? port->name : "";
}

static int take(void *arg, const struct hd_live_packet *packet)
{
	size_t n = packet->n_steps < HD_LIVE_STEPS ? packet->n_steps : HD_LIVE_STEPS;
	struct reading *reading = arg;
	char text[HD_DESCRIBE_MAX];
	json_t *told;

	hd_packet_describe(packet->frame, packet->len, text);
	told = json_pack("{s:f, s:s, s:s, s:i}", "time",
			 reading->behind + (double)packet->time_ns / 1e9, "port",
			 came_by(reading->daemon, packet), "packet", text, "length", packet->len);
	(void)json_object_update_new(told, hd_api_tell(reading->daemon->model, packet->step, n));
	(void)json_array_append_new(reading->packets, told);
	return json_array_size(reading->packets) < READ_MAX ? 0 : -1;
}

static double clock_difference(void)
{
	struct timespec real, mono;

	(void)clock_gettime(CLOCK_REALTIME, &real); /* both are always there */
	(void)clock_gettime(CLOCK_MONOTONIC, &mono);
	return (double)(real.tv_sec - mono.tv_sec) + (double)(real.tv_nsec - mono.tv_nsec) / 1e9;
}

int hd_api_live_read(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		     json_t **ret, struct hd_error *err)
{
	struct reading reading = { .daemon = daemon, .behind = clock_difference() };
	const char *id = hd_http_query(req, "id");
	struct hd_watching *w = daemon->watching;

	(void)rest;
	if (!w || !id || strtoll(id, NULL, 10) != w->id)
		return hd_error_set(err, HD_ERR_NOT_FOUND, "trace: it has ended");
	(void)sd_event_source_set_time(w->timer, gone_at());
	reading.packets = json_array();
	hd_live_read(w->live, take, &reading);
	*ret = json_pack("{s:o, s:I}", "packets", reading.packets, "lost",
			 (json_int_t)hd_live_lost(w->live));
	return 0;
}
