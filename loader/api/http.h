/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http.h - the API server: libmicrohttpd on a Unix socket, driven by the daemon's one event loop
 *
 * No thread is made. A request is handed over whole, when its body is complete; the handler answers at once, or turns the request
 * into a stream that later lines are appended to.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "heddlectl/error.h"

struct hd_http;

enum { HD_HTTP_BODY_MAX = 16 << 20, HD_HTTP_CONNECTIONS_MAX = 128 };

/**
 * struct hd_http_request - one complete request; everything borrowed for the time of the call
 * @http:     the server
 * @method:   "GET", "POST", "PATCH" or "DELETE" (others are answered 405 before the handler sees them)
 * @path:     URL-decoded, without query; starts with '/'; no NUL or control characters (else 400 before the handler)
 * @body:     NUL-terminated beyond @body_len; "" if there is none
 * @body_len: bytes
 * @impl:     for hd_http_query()
 */
struct hd_http_request {
	struct hd_http *http;
	const char *method;
	const char *path;
	const char *body;
	size_t body_len;
	void *impl;
};

/**
 * struct hd_http_reply - what the handler fills
 * @status: HTTP status; 0 means 200
 * @json:   body, a reference that the server takes; NULL with @stream and @text
 * @text:   body that is JSON text already, malloc'ed, taken by the server: for answers too large to be built as a tree
 * @stream: true: keep the connection open and send what hd_http_publish() is given, one compact JSON object a line
 */
struct hd_http_reply {
	int status;
	json_t *json;
	char *text;
	bool stream;
};

/** hd_http_handler - answers one request */
typedef void (*hd_http_handler)(void *arg, const struct hd_http_request *req,
				struct hd_http_reply *reply);

/**
 * hd_http_open - listen on a Unix socket and serve from @event
 * @path:  socket; its folder exists; a stale socket is replaced, one that answers is -EADDRINUSE
 * @group: group that owns the socket if it exists on this machine, NULL for root's; mode is 0660 from the first moment
 *
 * A body over HD_HTTP_BODY_MAX is answered 413 while it comes in, without being kept; garbage is answered 400 and closed; idle
 * connections end after 30 s, streams do not. Connections beyond HD_HTTP_CONNECTIONS_MAX are answered 503 and closed; so are large
 * requests while others hold 4 * HD_HTTP_BODY_MAX together.
 * Return: 0 or -errno with @err set.
 */
int hd_http_open(sd_event *event, const char *path, const char *group, hd_http_handler handler,
		 void *arg, struct hd_http **ret, struct hd_error *err);

/** hd_http_close - finish replies under way that can be finished at once, close all, unlink the socket; NULL is fine */
void hd_http_close(struct hd_http *http);

/** hd_http_query - value of a query parameter, borrowed; NULL if it is not there */
const char *hd_http_query(const struct hd_http_request *req, const char *key);

/** hd_http_publish - append one line to every stream; a reader that is 1 MiB behind is cut off. @json is borrowed. */
void hd_http_publish(struct hd_http *http, const json_t *json);

/** hd_http_error - fill a reply with an error, as docs/api.md shows it */
void hd_http_error(struct hd_http_reply *reply, const struct hd_error *err);
