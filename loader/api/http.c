// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * http.c - libmicrohttpd without a thread of its own, inside the daemon's sd-event loop
 *
 *     listening socket ── on_listen() ── MHD_add_connection()
 *     MHD's epoll fd ──── on_activity() ─┐
 *     MHD's timeout ───── on_timeout() ──┴─ MHD_run() ── on_uri(), on_request()..., on_completed()
 * ── handler peer of a stream ── on_hangup()                    on_stream_read()
 *
 * We accept ourselves: at its limit MHD would leave clients waiting in the backlog, where they
 * can't tell a busy server from a dead one. What a hostile client can make us hold is bounded by
 * the number of connections (MHD keeps 32 KiB for each), by BODIES_MAX for all request bodies
 * together and by STREAM_MAX for each stream. Whoever may connect may also purge everything; a fair
 * share of connections for everyone is not attempted.
 */
#include "api/http.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "cleanup.h"
#include "log.h"

enum {
	IDLE_SECONDS = 30,
	ACCEPT_BURST = 16, /* connections taken before others get a turn */
	DRAIN_ROUNDS = 16, /* of MHD_run() for replies under way at the end */
	BACKLOG = 128,
	BODIES_MAX = 4 * HD_HTTP_BODY_MAX,
	DISCARD_MAX = 4 * HD_HTTP_BODY_MAX, /* of a body that will be answered 413 anyway */
	STREAM_MAX = 1 << 20,
	STREAM_BLOCK = 16 << 10,
};

struct hd_http {
	sd_event *event;
	sd_event_source *listen_source;
	sd_event_source *activity;
	sd_event_source *timeout;
	struct MHD_Daemon *daemon;
	char *path; /* set when the socket is ours to unlink */
	int listen_fd;
	int spare_fd; /* given up for a moment when there are no others */
	hd_http_handler handler;
	void *arg;
	unsigned int n_connections;
	size_t bodies; /* bytes of all request bodies */
	struct stream *streams;
	bool resumed; /* a connection, since MHD was run last */
	bool closing;
};

/* An answer that the server gives by itself. */
struct refusal {
	unsigned int status;
	enum hd_error_code code;
	const char *message;
};

static const struct refusal bad_path = { MHD_HTTP_BAD_REQUEST, HD_ERR_USAGE,
					 "malformed request path" };
static const struct refusal bad_method = { MHD_HTTP_METHOD_NOT_ALLOWED, HD_ERR_USAGE,
					   "the method is none of GET, POST, PATCH, DELETE" };
static const struct refusal too_large = { MHD_HTTP_CONTENT_TOO_LARGE, HD_ERR_USAGE,
					  "a request body is at most 16 MiB" };
static const struct refusal too_busy = { MHD_HTTP_SERVICE_UNAVAILABLE, HD_ERR_DEGRADED,
					 "too many large requests at the same time" };

/* One request, from its first line to the end of its answer. */
struct call {
	struct hd_http *http;
	const struct refusal *refusal; /* NULL: to be handed to the handler */
	bool begun;
	char *body; /* NUL-terminated */
	size_t len, room;
	size_t discarded;
};

/* A reply without end. */
struct stream {
	struct hd_http *http;
	struct MHD_Connection *connection;
	sd_event_source *hangup;
	int fd; /* the connection's */
	char *buf;
	size_t start, end, room; /* what waits to be sent is buf[start..end) */
	bool suspended;		 /* nothing to send: MHD does not look at the connection */
	bool over;
	struct stream *next;
};

static int open_socket(struct hd_http *http, const char *path, const char *group,
		       struct hd_error *err);
static int start_daemon(struct hd_http *http, struct hd_error *err);
static int add_sources(struct hd_http *http, struct hd_error *err);
static void run(struct hd_http *http);
static void arm(struct hd_http *http, uint64_t ms);
static char *json_line(const json_t *json);
static void stream_push(struct stream *stream, const char *line, size_t len);
static void stream_finish(struct stream *stream);

static void http_closep(struct hd_http **http)
{
	hd_http_close(*http);
}

int hd_http_open(sd_event *event, const char *path, const char *group, hd_http_handler handler,
		 void *arg, struct hd_http **ret, struct hd_error *err)
{
	CLEANUP(http_closep) struct hd_http *http = calloc(1, sizeof(*http));
	int r;

	if (!http)
		return -ENOMEM;
	http->event = sd_event_ref(event);
	http->handler = handler;
	http->arg = arg;
	http->listen_fd = -1;
	http->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	r = open_socket(http, path, group, err);
	if (r == 0)
		r = start_daemon(http, err);
	if (r == 0)
		r = add_sources(http, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(http);
	return 0;
}

/* MHD_stop_daemon() must not meet a suspended connection: all streams are finished before, and none
 * can begin. */
void hd_http_close(struct hd_http *http)
{
	if (!http)
		return;
	http->closing = true;
	sd_event_source_unref(http->listen_source);
	if (http->path)
		(void)unlink(http->path); /* may be gone with its folder */
	for (struct stream *stream = http->streams; stream; stream = stream->next)
		stream_finish(stream);
	for (int i = 0; http->daemon && i < DRAIN_ROUNDS; i++)
		(void)MHD_run(http->daemon); /* what can't be finished is cut off next */
	sd_event_source_unref(http->activity);
	sd_event_source_unref(http->timeout);
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	hd_closep(&http->listen_fd);
	hd_closep(&http->spare_fd);
	sd_event_unref(http->event);
	free(http->path);
	free(http);
}

const char *hd_http_query(const struct hd_http_request *req, const char *key)
{
	const char *value = NULL;

	if (MHD_lookup_connection_value_n(req->impl, MHD_GET_ARGUMENT_KIND, key, strlen(key),
					  &value, NULL) != MHD_YES)
		return NULL;
	return value ?: ""; /* "?dry-run" without '=' */
}

void hd_http_publish(struct hd_http *http, const json_t *json)
{
	_free_ char *line = http->streams ? json_line(json) : NULL;

	if (!line)
		return;
	for (struct stream *stream = http->streams; stream; stream = stream->next)
		stream_push(stream, line, strlen(line));
}

void hd_http_error(struct hd_http_reply *reply, const struct hd_error *err)
{
	json_t *error =
		json_pack("{s:s, s:s, s:s, s:s}", "code", hd_error_word(err->code), "message",
			  err->message, "object", err->object, "hint", err->hint);

	if (err->line > 0) {
		(void)json_object_set_new(error, "line", json_integer(err->line));
		(void)json_object_set_new(error, "column", json_integer(err->column));
	}
	json_decref(reply->json);
	reply->status = hd_error_http(err->code);
	reply->json =
		json_pack("{s:o}", "error", error); /* NULL is answered 500 by respond_json() */
	reply->stream = false;
}

/* The socket */

static int fail(struct hd_error *err, enum hd_error_code code, int r, const char *path,
		const char *what)
{
	hd_error_set(err, code, "API socket %s: %s: %s", path, what, strerror(-r));
	return r;
}

/* Somebody answers or the listener's backlog is full: alive. Only a refusal shows that its process
 * is gone. */
static bool is_stale(const struct sockaddr_un *addr)
{
	_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 &&
	       errno == ECONNREFUSED;
}

static int remove_stale(const struct sockaddr_un *addr, struct hd_error *err)
{
	struct stat st;
	int r;

	if (lstat(addr->sun_path, &st) < 0)
		return 0; /* bind() will say what is wrong, if anything is */
	if (!S_ISSOCK(st.st_mode))
		return fail(err, HD_ERR_CONFLICT, -EEXIST, addr->sun_path, "is not a socket");
	if (!is_stale(addr)) {
		r = fail(err, HD_ERR_CONFLICT, -EADDRINUSE, addr->sun_path, "listen");
		hd_error_hint(err, "another daemon runs for this instance");
		return r;
	}
	if (unlink(addr->sun_path) < 0)
		return fail(err, HD_ERR_FAILED, -errno, addr->sun_path, "remove stale socket");
	return 0;
}

/* The mode comes from the umask of bind(2): chmod() after it would leave a moment for others. */
static int bind_private(int fd, const struct sockaddr_un *addr)
{
	mode_t old = umask(0117);
	int r = bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ? -errno : 0;

	(void)umask(old);
	return r;
}

static int give_to_group(const char *path, const char *group, struct hd_error *err)
{
	const struct group *entry = group ? getgrnam(group) : NULL;

	if (entry && lchown(path, (uid_t)-1, entry->gr_gid) < 0)
		return fail(err, HD_ERR_PERMISSION, -errno, path, "change group");
	return 0;
}

static int open_socket(struct hd_http *http, const char *path, const char *group,
		       struct hd_error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int r;

	if (strlen(path) >= sizeof(addr.sun_path))
		return fail(err, HD_ERR_INVALID, -ENAMETOOLONG, path, "bind");
	strcpy(addr.sun_path, path);
	r = remove_stale(&addr, err);
	if (r < 0)
		return r;
	http->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (http->listen_fd < 0)
		return fail(err, HD_ERR_FAILED, -errno, path, "make socket");
	r = bind_private(http->listen_fd, &addr);
	if (r < 0)
		return fail(err, HD_ERR_FAILED, r, path, "bind");
	http->path = strdup(path);
	if (!http->path)
		return -ENOMEM;
	r = give_to_group(path, group, err);
	if (r < 0)
		return r;
	/* Last: nobody can connect before group and mode are right. */
	if (listen(http->listen_fd, BACKLOG) < 0)
		return fail(err, HD_ERR_FAILED, -errno, path, "listen");
	return 0;
}

/* Connections */

static void admit(struct hd_http *http, int fd)
{
	static const struct sockaddr_un nobody = { .sun_family = AF_UNIX };
	static const char busy[] =
		"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
		"Content-Type: application/json\r\nContent-Length: 85\r\n\r\n"
		"{\"error\":{\"code\":\"degraded\",\"message\":\"too many connections\","
		"\"object\":\"\",\"hint\":\"\"}}\n";

	if (http->n_connections < HD_HTTP_CONNECTIONS_MAX) {
		/* MHD owns the socket now, and has closed it if it fails. */
		(void)MHD_add_connection(http->daemon, fd, (const struct sockaddr *)&nobody,
					 sizeof(nobody));
		return;
	}
	(void)send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL); /* a courtesy */
	(void)close(fd);
}

/* Without this a full table of fds would leave the next client in the backlog, and the loop would
 * spin on it. */
static void shed(struct hd_http *http)
{
	_close_ int fd = -1;

	hd_closep(&http->spare_fd);
	fd = accept4(http->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	hd_closep(&fd);
	fd = -1;
	http->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int on_listen(sd_event_source *source, int listen_fd, uint32_t revents, void *arg)
{
	struct hd_http *http = arg;

	(void)source, (void)revents;
	for (int i = 0; i < ACCEPT_BURST; i++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE))
			shed(http);
		if (fd < 0)
			break;
		admit(http, fd);
	}
	run(http);
	return 0;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct hd_http *http = arg;

	(void)connection, (void)context;
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		http->n_connections++;
	else
		http->n_connections--;
}

/* Have on_timeout() called, at the earliest after others in the loop had their turn. */
static void arm(struct hd_http *http, uint64_t ms)
{
	/* The source and its clock are valid: these can't fail. */
	(void)sd_event_source_set_time_relative(http->timeout, ms * 1000);
	(void)sd_event_source_set_enabled(http->timeout, SD_EVENT_ONESHOT);
}

static void run(struct hd_http *http)
{
	MHD_UNSIGNED_LONG_LONG ms;

	http->resumed = false;
	(void)MHD_run(http->daemon); /* fails only when the daemon is shut down */
	if (http->resumed)	     /* by a handler; MHD_get_timeout() does not count it */
		arm(http, 0);
	else if (MHD_get_timeout(http->daemon, &ms) == MHD_YES)
		arm(http, ms);
	else
		(void)sd_event_source_set_enabled(http->timeout, SD_EVENT_OFF);
}

static int on_activity(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	(void)source, (void)fd, (void)revents;
	run(arg);
	return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source, (void)usec;
	run(arg);
	return 0;
}

static int add_sources(struct hd_http *http, struct hd_error *err)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int r = info ? 0 : -EINVAL;

	if (r >= 0)
		r = sd_event_add_io(http->event, &http->listen_source, http->listen_fd, EPOLLIN,
				    on_listen, http);
	if (r >= 0)
		r = sd_event_add_io(http->event, &http->activity, info->epoll_fd, EPOLLIN,
				    on_activity, http);
	if (r >= 0)
		r = sd_event_add_time(http->event, &http->timeout, CLOCK_MONOTONIC, 0, 1000,
				      on_timeout, http);
	if (r >= 0)
		r = sd_event_source_set_enabled(http->timeout, SD_EVENT_OFF);
	return r < 0 ? fail(err, HD_ERR_FAILED, r, http->path, "watch") : 0;
}

/* Requests */

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 'a' - 'A' : c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* MHD decodes %00 to the end of the path, so what is hidden behind escapes must be judged before.
 */
static bool uri_ok(const char *uri)
{
	if (uri[0] != '/')
		return false;
	for (; *uri; uri++) {
		unsigned char c = (unsigned char)*uri;

		if (c == '%') {
			int high = hex_digit(uri[1]), low = high < 0 ? -1 : hex_digit(uri[2]);

			if (low < 0)
				return false;
			c = (unsigned char)(high << 4 | low);
			uri += 2;
		}
		if (c < 0x20 || c == 0x7f)
			return false;
	}
	return true;
}

/* The first that we hear of a request: the only place where the URI is still as it came. Becomes
 * the request's context. */
static void *on_uri(void *arg, const char *uri, struct MHD_Connection *connection)
{
	struct call *call = calloc(1, sizeof(*call));

	(void)connection;
	if (!call)
		return NULL;
	call->http = arg;
	call->refusal = uri_ok(uri) ? NULL : &bad_path;
	return call;
}

static void drop_body(struct call *call)
{
	call->http->bodies -= call->room;
	free(call->body);
	call->body = NULL;
	call->len = call->room = 0;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct call *call = *context;

	(void)arg, (void)connection, (void)code;
	if (!call)
		return;
	drop_body(call);
	free(call);
	*context = NULL;
}

/* Takes the text. */
static enum MHD_Result respond(struct MHD_Connection *connection, unsigned int status, char *text)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result = MHD_NO;

	if (!response) {
		free(text);
		return MHD_NO;
	}
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json") &&
	    (status != MHD_HTTP_METHOD_NOT_ALLOWED ||
	     MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, POST, PATCH, DELETE")))
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response); /* the connection has its own reference */
	return result;
}

/* Takes the reference; without @json, or without memory for its text, the answer is 500. */
static enum MHD_Result respond_json(struct MHD_Connection *connection, unsigned int status,
				    json_t *json)
{
	char *text = json_line(json);

	json_decref(json);
	if (text)
		return respond(connection, status, text);
	text = strdup(
		"{\"error\":{\"code\":\"failed\",\"message\":\"the answer could not be made\","
		"\"object\":\"\",\"hint\":\"\"}}\n");
	return text ? respond(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, text) : MHD_NO;
}

static enum MHD_Result respond_refusal(struct MHD_Connection *connection,
				       const struct refusal *refusal)
{
	struct hd_http_reply reply = { 0 };
	struct hd_error err;

	hd_error_set(&err, refusal->code, "%s", refusal->message);
	hd_http_error(&reply, &err);
	return respond_json(connection, refusal->status, reply.json);
}

static bool method_ok(const char *method)
{
	return !strcmp(method, "GET") || !strcmp(method, "POST") || !strcmp(method, "PATCH") ||
	       !strcmp(method, "DELETE");
}

/* The header is complete. A refusal is sent at once: MHD then closes the connection instead of
 * reading the body. */
static enum MHD_Result begin(struct call *call, struct MHD_Connection *connection,
			     const char *method)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_CONTENT_LENGTH);

	call->begun = true;
	if (!call->refusal && !method_ok(method))
		call->refusal = &bad_method;
	if (!call->refusal && length && strtoull(length, NULL, 10) > HD_HTTP_BODY_MAX)
		call->refusal = &too_large;
	return call->refusal ? respond_refusal(connection, call->refusal) : MHD_YES;
}

/* Room for @len bytes and a NUL; false without memory. */
static bool body_reserve(struct call *call, size_t len)
{
	size_t room = call->room ?: 4096;
	char *body;

	while (room < len + 1)
		room *= 2;
	if (room > HD_HTTP_BODY_MAX)
		room = HD_HTTP_BODY_MAX + 1; /* judge_body() lets no more in */
	if (room == call->room)
		return true;
	body = realloc(call->body, room);
	if (!body)
		return false;
	call->http->bodies += room - call->room;
	call->body = body;
	call->room = room;
	return true;
}

static const struct refusal *judge_body(const struct call *call, size_t len)
{
	if (call->len + len > HD_HTTP_BODY_MAX)
		return &too_large;
	/* A small one is let through even then: "heddle status" works while others import. */
	if (call->http->bodies > BODIES_MAX && call->len + len > 64 << 10)
		return &too_busy;
	return NULL;
}

/*
 * A part of the body. MHD takes no answer before its end, so that what is too large is read and
 * forgotten, up to a point.
 */
static enum MHD_Result collect(struct call *call, const char *data, size_t len)
{
	if (!call->refusal) {
		call->refusal = judge_body(call, len);
		if (call->refusal)
			drop_body(call);
	}
	if (call->refusal) {
		call->discarded += len;
		return call->discarded > DISCARD_MAX ? MHD_NO : MHD_YES;
	}
	if (!body_reserve(call, call->len + len))
		return MHD_NO;
	memcpy(call->body + call->len, data, len);
	call->len += len;
	call->body[call->len] = '\0';
	return MHD_YES;
}

static enum MHD_Result start_stream(struct hd_http *http, struct MHD_Connection *connection);

static enum MHD_Result dispatch(struct call *call, struct MHD_Connection *connection,
				const char *path, const char *method)
{
	struct hd_http *http = call->http;
	struct hd_http_reply reply = { 0 };
	const struct hd_http_request req = {
		.http = http,
		.method = method,
		.path = path,
		.body = call->body ?: "",
		.body_len = call->len,
		.impl = connection,
	};

	http->handler(http->arg, &req, &reply);
	drop_body(call);
	if (reply.text)
		return respond(connection, MHD_HTTP_OK, reply.text);
	if (!reply.stream)
		return respond_json(connection,
				    reply.status ? (unsigned int)reply.status : MHD_HTTP_OK,
				    reply.json);
	json_decref(reply.json);
	return start_stream(http, connection);
}

/* MHD calls this when the header is there, for each part of the body, and at the end of the
 * request. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *data,
				  size_t *len, void **context)
{
	struct hd_http *http = arg;
	struct call *call = *context;
	size_t n = *len;

	(void)version;
	if (!call || http->closing)
		return MHD_NO;
	if (!call->begun)
		return begin(call, connection, method);
	*len = 0;
	if (n > 0)
		return collect(call, data, n);
	if (call->refusal)
		return respond_refusal(connection, call->refusal);
	return dispatch(call, connection, path, method);
}

static int start_daemon(struct hd_http *http, struct hd_error *err)
{
	/* No MHD_USE_ERROR_LOG: it speaks of clients' mistakes and of TCP options that a Unix
	 * socket does not have. */
	http->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		on_request, http, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)HD_HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)IDLE_SECONDS, MHD_OPTION_URI_LOG_CALLBACK, on_uri, http,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, http, MHD_OPTION_END);
	return http->daemon ? 0 : fail(err, HD_ERR_FAILED, -ENOMEM, http->path, "start server");
}

/* Compact text with a newline, to be freed; NULL without @json or memory. */
static char *json_line(const json_t *json)
{
	_free_ char *text = NULL;
	size_t size = 0;
	_fclose_ FILE *out = open_memstream(&text, &size);

	if (!out || json_dumpf(json, out, JSON_COMPACT | JSON_ENCODE_ANY) < 0 ||
	    fputc('\n', out) == EOF)
		return NULL;
	/* The text is complete only when its stream is closed. */
	return fclose(TAKE_PTR(out)) == 0 ? TAKE_PTR(text) : NULL;
}

/*
 * Streams
 *
 *                    on_stream_read() finds nothing
 *     read by MHD ────────────────────────────────────▶ suspended
 *                 ◀────────────────────────────────────
 *                    stream_wake(): a line, or over
 */

static void stream_wake(struct stream *stream)
{
	if (!stream->suspended)
		return;
	stream->suspended = false;
	MHD_resume_connection(stream->connection);
	/* Without a thread MHD has nothing to wake itself with: it must be run, but not from within
	 * its own callbacks. */
	stream->http->resumed = true;
	arm(stream->http, 0);
}

/* What is in the buffer is still sent. */
static void stream_finish(struct stream *stream)
{
	stream->over = true;
	stream_wake(stream);
}

/* Shutting down the socket ends also a connection that waits for a reader who does not read. */
static void stream_cut(struct stream *stream)
{
	stream->start = stream->end = 0;
	(void)shutdown(stream->fd, SHUT_RDWR); /* fails only when it is closed already */
	stream_finish(stream);
}

static bool stream_reserve(struct stream *stream, size_t len)
{
	size_t used = stream->end - stream->start, room = stream->room ?: 4096;
	char *buf;

	if (used > 0)
		memmove(stream->buf, stream->buf + stream->start, used);
	stream->start = 0;
	stream->end = used;
	while (room < used + len)
		room *= 2;
	if (room == stream->room)
		return true;
	buf = realloc(stream->buf, room);
	if (!buf)
		return false;
	stream->buf = buf;
	stream->room = room;
	return true;
}

static void stream_push(struct stream *stream, const char *line, size_t len)
{
	if (stream->over)
		return;
	if (stream->end - stream->start + len > STREAM_MAX || !stream_reserve(stream, len)) {
		log_debug("API: a reader of events is too slow, cut off");
		stream_cut(stream);
		return;
	}
	memcpy(stream->buf + stream->end, line, len);
	stream->end += len;
	stream_wake(stream);
}

static ssize_t on_stream_read(void *arg, uint64_t pos, char *buf, size_t max)
{
	struct stream *stream = arg;
	size_t len = stream->end - stream->start;

	(void)pos;
	if (len == 0 && stream->over)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (len == 0) {
		stream->suspended = true;
		MHD_suspend_connection(stream->connection);
		return 0;
	}
	if (len > max)
		len = max;
	memcpy(buf, stream->buf + stream->start, len);
	stream->start += len;
	return (ssize_t)len;
}

/* MHD does not look at a suspended connection, not even whether its peer is still there. */
static int on_hangup(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	(void)source, (void)fd, (void)revents;
	stream_cut(arg);
	return 0;
}

static void stream_free(void *arg)
{
	struct stream *stream = arg;
	struct stream **link = &stream->http->streams;

	while (*link && *link != stream)
		link = &(*link)->next;
	if (*link)
		*link = stream->next;
	sd_event_source_unref(stream->hangup);
	free(stream->buf);
	free(stream);
}

static struct stream *stream_new(struct hd_http *http, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct stream *stream = info ? calloc(1, sizeof(*stream)) : NULL;

	if (!stream)
		return NULL;
	stream->http = http;
	stream->connection = connection;
	stream->fd = info->connect_fd;
	stream->next = http->streams;
	http->streams = stream;
	/* No event but those that are always reported: EPOLLHUP, EPOLLERR. */
	if (sd_event_add_io(http->event, &stream->hangup, stream->fd, 0, on_hangup, stream) >= 0)
		return stream;
	stream_free(stream);
	return NULL;
}

static enum MHD_Result start_stream(struct hd_http *http, struct MHD_Connection *connection)
{
	struct stream *stream = stream_new(http, connection);
	struct MHD_Response *response;
	enum MHD_Result result = MHD_NO;

	if (!stream)
		return MHD_NO;
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_stream_read,
						     stream, stream_free);
	if (!response) {
		stream_free(stream);
		return MHD_NO;
	}
	/* 0: its peer may be silent and may read nothing for as long as it likes. */
	if (MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U) &&
	    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/x-ndjson"))
		result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response); /* without a queue's reference this frees the stream */
	return result;
}
