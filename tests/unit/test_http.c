// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_http.c - the API server against clients that are plain sockets, well-behaved and not
 *
 * Server and clients share one process and one sd-event loop: whenever a client would have to wait,
 * the loop gets a turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "api/http.h"
#include "cleanup.h"

enum { PATIENCE_MS = 10000 };

struct fixture {
	char dir[64];
	char path[96];
	sd_event *event;
	struct hd_http *http;
	unsigned int n_requests;
};

struct client {
	struct fixture *f;
	int fd;
	char *buf;
	size_t len;
	bool eof;
};

static void publish(struct fixture *f, const char *text)
{
	_json_ json_t *json = json_pack("{s:s}", "e", text);

	assert_non_null(json);
	hd_http_publish(f->http, json);
}

/* Echoes what it was asked; /stream, /publish and /error do what they say, /none answers nothing.
 */
static void handler(void *arg, const struct hd_http_request *req, struct hd_http_reply *reply)
{
	struct fixture *f = arg;
	struct hd_error err;

	f->n_requests++;
	assert_ptr_equal(req->http, f->http);
	assert_int_equal(req->body[req->body_len], '\0');
	if (!strcmp(req->path, "/stream")) {
		reply->stream = true;
		return;
	}
	if (!strcmp(req->path, "/error")) {
		hd_error_set(&err, HD_ERR_CONFLICT, "port web1: exists");
		hd_error_object(&err, "port", "web1");
		hd_error_hint(&err, "another name");
		err.line = 3;
		err.column = 7;
		hd_http_error(reply, &err);
		return;
	}
	if (!strcmp(req->path, "/publish"))
		publish(f, "handler");
	if (!strcmp(req->path, "/none"))
		return;
	reply->status = !strcmp(req->method, "POST") ? 201 : 0;
	reply->json =
		json_pack("{s:s, s:s, s:I, s:s*, s:s*}", "method", req->method, "path", req->path,
			  "len", (json_int_t)req->body_len, "q", hd_http_query(req, "q"), "body",
			  req->body_len < 100 ? req->body : NULL);
}

static void open_server(struct fixture *f)
{
	struct hd_error err;

	if (hd_http_open(f->event, f->path, NULL, handler, f, &f->http, &err) < 0)
		print_error("%s\n", err.message);
	assert_non_null(f->http);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/hd-http-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/api.sock", f->dir);
	assert_true(sd_event_new(&f->event) >= 0);
	open_server(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hd_http_close(f->http);
	sd_event_unref(f->event);
	assert_int_equal(rmdir(f->dir), 0); /* the socket is gone */
	free(f);
	return 0;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void turn(struct fixture *f)
{
	assert_true(sd_event_run(f->event, 1000) >= 0);
}

/* Everything that can happen has happened. */
static void settle(struct fixture *f)
{
	while (sd_event_run(f->event, 0) > 0)
		;
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, path);
	assert_true(fd >= 0);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static struct client client_open(struct fixture *f)
{
	struct client c = { .f = f, .fd = connect_to(f->path), .buf = calloc(1, 1) };

	assert_true(c.fd >= 0);
	return c;
}

static void client_close(struct client *c)
{
	free(c->buf);
	hd_closep(&c->fd);
}

#define _client_ CLEANUP(client_close) struct client

static void client_read(struct client *c)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(c->fd, buf, sizeof(buf))) > 0) {
		c->buf = realloc(c->buf, c->len + (size_t)n + 1);
		memcpy(c->buf + c->len, buf, (size_t)n);
		c->len += (size_t)n;
		c->buf[c->len] = '\0';
	}
	if (n == 0 || (n < 0 && errno != EAGAIN))
		c->eof = true;
}

/* False when the server has closed the connection before all was sent. */
static bool client_send(struct client *c, const void *data, size_t len)
{
	uint64_t end = now_ms() + PATIENCE_MS;

	for (size_t sent = 0; sent < len;) {
		ssize_t n = send(c->fd, (const char *)data + sent, len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return false;
		sent += n > 0 ? (size_t)n : 0;
		settle(c->f);
		assert_true(now_ms() < end);
	}
	return true;
}

static bool say(struct client *c, const char *text)
{
	return client_send(c, text, strlen(text));
}

static void wait_for_text(struct client *c, const char *text)
{
	uint64_t end = now_ms() + PATIENCE_MS;

	for (client_read(c); !strstr(c->buf, text); client_read(c)) {
		if (c->eof || now_ms() > end)
			print_error("no \"%s\" in \"%.500s\"\n", text, c->buf);
		assert_false(c->eof);
		assert_true(now_ms() < end);
		turn(c->f);
	}
}

static void wait_for_eof(struct client *c)
{
	uint64_t end = now_ms() + PATIENCE_MS;

	for (client_read(c); !c->eof; client_read(c)) {
		assert_true(now_ms() < end);
		turn(c->f);
	}
}

static void forget(struct client *c)
{
	c->len = 0;
	c->buf[0] = '\0';
}

/* Reads one whole answer with a Content-Length; returns its status. */
static int answer(struct client *c)
{
	const char *length, *body;

	wait_for_text(c, "\r\n\r\n");
	length = strcasestr(c->buf, "content-length:");
	assert_non_null(length);
	body = strstr(c->buf, "\r\n\r\n") + 4;
	while (c->len < (size_t)(body - c->buf) + strtoul(length + 15, NULL, 10)) {
		assert_false(c->eof);
		turn(c->f);
		client_read(c);
		length = strcasestr(c->buf, "content-length:");
		body = strstr(c->buf, "\r\n\r\n") + 4;
	}
	assert_int_equal(strncmp(c->buf, "HTTP/1.1 ", 9), 0);
	return atoi(c->buf + 9);
}

static void assert_body(struct client *c, const char *expected)
{
	assert_string_equal(strstr(c->buf, "\r\n\r\n") + 4, expected);
}

static void assert_error(struct client *c, int status, const char *code)
{
	const char *found, *message, *object, *hint;
	_json_ json_t *json = NULL;

	assert_int_equal(answer(c), status);
	assert_non_null(strcasestr(c->buf, "content-type: application/json"));
	json = json_loads(strstr(c->buf, "\r\n\r\n") + 4, 0, NULL);
	assert_int_equal(json_unpack(json, "{s:{s:s, s:s, s:s, s:s}}", "error", "code", &found,
				     "message", &message, "object", &object, "hint", &hint),
			 0);
	assert_string_equal(found, code);
	assert_true(message[0] != '\0');
}

/* Whatever has been done to the server: it answers the next client. */
static void assert_alive(struct fixture *f)
{
	_client_ c = client_open(f);

	assert_true(say(&c, "GET /alive HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_int_equal(answer(&c), 200);
	assert_body(&c, "{\"method\":\"GET\",\"path\":\"/alive\",\"len\":0,\"body\":\"\"}\n");
}

static void request_and_answer(void **state)
{
	struct fixture *f = *state;
	_client_ c = client_open(f);

	assert_true(say(&c, "GET /v1/ports/a%20b%2Fc?q=x%3Dy&z HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_int_equal(answer(&c), 200);
	assert_body(&c, "{\"method\":\"GET\",\"path\":\"/v1/ports/a b/c\",\"len\":0,\"q\":\"x=y\","
			"\"body\":\"\"}\n");
	assert_non_null(strcasestr(c.buf, "content-type: application/json"));
	forget(&c); /* the same connection goes on */
	assert_true(
		say(&c, "POST /v1/ports?q HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{\"a\""));
	settle(f);
	assert_int_equal(f->n_requests, 1);
	assert_true(say(&c, "}"));
	assert_int_equal(answer(&c), 201);
	assert_body(&c, "{\"method\":\"POST\",\"path\":\"/v1/ports\",\"len\":5,\"q\":\"\","
			"\"body\":\"{\\\"a\\\"}\"}\n");
	assert_int_equal(f->n_requests, 2);
}

static void every_method_of_the_api(void **state)
{
	static const char *const methods[] = { "GET", "POST", "PATCH", "DELETE" };
	struct fixture *f = *state;
	char text[128];

	for (size_t i = 0; i < 4; i++) {
		_client_ c = client_open(f);

		(void)snprintf(text, sizeof(text),
			       "%s / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi",
			       methods[i]);
		assert_true(say(&c, text));
		assert_int_equal(answer(&c), i == 1 ? 201 : 200);
		assert_non_null(strstr(c.buf, methods[i]));
		assert_non_null(strstr(c.buf, "\"body\":\"hi\""));
	}
}

static void errors_of_the_handler(void **state)
{
	_client_ c = client_open(*state);

	assert_true(say(&c, "GET /error HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_int_equal(answer(&c), 409);
	assert_body(
		&c,
		"{\"error\":{\"code\":\"conflict\",\"message\":\"port web1: exists\","
		"\"object\":\"port web1\",\"hint\":\"another name\",\"line\":3,\"column\":7}}\n");
	forget(&c);
	assert_true(say(&c, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_error(&c, 500, "failed");
}

static void refused_before_the_handler(void **state)
{
	static const struct {
		const char *line;
		int status;
	} cases[] = {
		{ "PUT /x", 405 },    { "OPTIONS /x", 405 },   { "BREW /x", 405 },
		{ "GET x", 400 },     { "GET /a%00b", 400 },   { "GET /a%0ab", 400 },
		{ "GET /a%7f", 400 }, { "GET /a%", 400 },      { "GET /a%4", 400 },
		{ "GET /a%zz", 400 }, { "GET /a?q=%00", 400 }, { "GET http://x/y", 400 },
	};
	struct fixture *f = *state;
	char text[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_client_ c = client_open(f);

		(void)snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: x\r\n\r\n", cases[i].line);
		assert_true(say(&c, text));
		assert_error(&c, cases[i].status, "usage");
		assert_int_equal(!!strcasestr(c.buf, "allow: GET"), cases[i].status == 405);
	}
	assert_int_equal(f->n_requests, 0);
	assert_alive(f);
}

static void body_of_just_the_limit(void **state)
{
	struct fixture *f = *state;
	_client_ c = client_open(f);
	_free_ char *body = malloc(HD_HTTP_BODY_MAX);
	char head[128];

	memset(body, 'x', HD_HTTP_BODY_MAX);
	(void)snprintf(head, sizeof(head),
		       "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
		       HD_HTTP_BODY_MAX);
	assert_true(say(&c, head));
	assert_true(client_send(&c, body, HD_HTTP_BODY_MAX));
	assert_int_equal(answer(&c), 201);
	assert_body(&c, "{\"method\":\"POST\",\"path\":\"/b\",\"len\":16777216}\n");
}

static void announced_body_is_refused_at_once(void **state)
{
	struct fixture *f = *state;
	_client_ c = client_open(f);

	assert_true(say(&c, "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 16777217\r\n\r\n"));
	assert_error(&c, 413, "usage");
	wait_for_eof(&c);
	assert_int_equal(f->n_requests, 0);
}

static void send_chunks(struct client *c, const char *chunk, size_t n)
{
	char size[32];

	(void)snprintf(size, sizeof(size), "%zx\r\n", strlen(chunk));
	for (size_t i = 0; i < n; i++)
		if (!say(c, size) || !say(c, chunk) || !say(c, "\r\n"))
			return;
}

static void chunked_body_is_refused_at_its_end(void **state)
{
	struct fixture *f = *state;
	_client_ c = client_open(f);
	_free_ char *chunk = malloc((1 << 20) + 1);
	size_t before = mallinfo2().uordblks;

	memset(chunk, 'x', 1 << 20);
	chunk[1 << 20] = '\0';
	assert_true(say(&c, "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
	send_chunks(&c, chunk, 17);
	settle(f);
	assert_true(mallinfo2().uordblks < before + (4 << 20)); /* forgotten already */
	assert_true(say(&c, "0\r\n\r\n"));
	assert_error(&c, 413, "usage");
	assert_int_equal(f->n_requests, 0);
	forget(&c); /* it was read to its end: the connection is in step */
	assert_true(say(&c, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_int_equal(answer(&c), 200);
}

static void endless_body_is_cut(void **state)
{
	struct fixture *f = *state;
	_client_ c = client_open(f);
	_free_ char *chunk = malloc((1 << 20) + 1);

	memset(chunk, 'x', 1 << 20);
	chunk[1 << 20] = '\0';
	assert_true(say(&c, "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
	send_chunks(&c, chunk, 100);
	wait_for_eof(&c);
	assert_alive(f);
}

/* Six clients with 15 MiB each that never come to an end: not all of it is kept. */
static void bodies_together_are_bounded(void **state)
{
	enum { N = 6, SIZE = 15 << 20 };
	struct fixture *f = *state;
	struct client clients[N];
	_free_ char *body = malloc(SIZE);
	size_t before = mallinfo2().uordblks;
	int n_busy = 0;

	memset(body, 'x', SIZE);
	for (int i = 0; i < N; i++) {
		clients[i] = client_open(f);
		assert_true(say(&clients[i],
				"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 15728641\r\n\r\n"));
		assert_true(client_send(&clients[i], body, SIZE));
	}
	settle(f);
	assert_true(mallinfo2().uordblks < before + 5 * (size_t)HD_HTTP_BODY_MAX + (1 << 20));
	assert_alive(f);
	for (int i = 0; i < N; i++) {
		assert_true(say(&clients[i], "x"));
		n_busy += answer(&clients[i]) == 503;
		client_close(&clients[i]);
	}
	assert_true(n_busy >= 1 && n_busy < N);
	settle(f);
	assert_true(mallinfo2().uordblks < before + (1 << 20));
}

static void garbage(void **state)
{
	struct fixture *f = *state;
	uint32_t x = 12345;

	for (int round = 0; round < 8; round++) {
		_client_ c = client_open(f);
		_free_ char *text = malloc(1 << 20);

		for (size_t i = 0; i < 1 << 20; i++) {
			x = x * 1664525 + 1013904223;
			text[i] = round == 0   ? 'A'
				  : round == 1 ? '\n'
				  : round == 2 ? '\0'
					       : (char)(x >> 24);
		}
		if (round > 4)
			(void)say(&c, "GET / HTTP/1.1\r\n"); /* garbage in the header */
		if (client_send(&c, text, 1 << 20))
			(void)shutdown(c.fd, SHUT_WR);
		wait_for_eof(&c);
		assert_int_equal(f->n_requests, (unsigned int)round);
		assert_alive(f);
	}
}

static void half_requests(void **state)
{
	static const char *const halves[] = {
		"",
		"G",
		"GET",
		"GET /x",
		"GET /x HTTP/1.1",
		"GET /x HTTP/1.1\r\n",
		"GET /x HTTP/1.1\r\nHost",
		"GET /x HTTP/1.1\r\nHost: x\r\n",
		"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf",
		"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
		_client_ c = client_open(f);

		assert_true(say(&c, halves[i]));
	}
	settle(f);
	assert_int_equal(f->n_requests, 0);
	assert_alive(f);
}

static void one_byte_at_a_time(void **state)
{
	static const char text[] = "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
	_client_ c = client_open(*state);

	for (size_t i = 0; text[i]; i++)
		assert_true(client_send(&c, text + i, 1));
	assert_int_equal(answer(&c), 201);
	assert_non_null(strstr(c.buf, "\"body\":\"abc\""));
}

static void too_many_connections(void **state)
{
	struct fixture *f = *state;
	struct client clients[HD_HTTP_CONNECTIONS_MAX];

	for (int i = 0; i < HD_HTTP_CONNECTIONS_MAX; i++) {
		clients[i] = client_open(f);
		assert_true(say(&clients[i], "GET /half"));
	}
	for (int i = 0; i < 2000; i++) {
		_client_ c = client_open(f);

		assert_error(&c, 503, "degraded");
		wait_for_eof(&c);
	}
	assert_true(say(&clients[5], " HTTP/1.1\r\nHost: x\r\n\r\n")); /* who is in is served */
	assert_int_equal(answer(&clients[5]), 200);
	for (int i = 0; i < HD_HTTP_CONNECTIONS_MAX; i++)
		client_close(&clients[i]);
	settle(f);
	assert_alive(f);
}

static void thousands_come_and_go(void **state)
{
	struct fixture *f = *state;
	size_t before;

	assert_alive(f);
	settle(f);
	before = mallinfo2().uordblks;
	for (int i = 0; i < 3000; i++) {
		_client_ c = client_open(f);

		assert_true(say(&c, "GET /half HTTP/1.1\r\nHo"));
	}
	settle(f);
	assert_true(mallinfo2().uordblks < before + (1 << 20));
	assert_alive(f);
}

/* No fd left: the next client is sent away, the loop does not spin on it, and all is well when
 * there are fds again. */
static void no_file_descriptors_left(void **state)
{
	struct fixture *f = *state;
	struct client c = client_open(f);
	struct rlimit old, small;
	int turns = 0, lowest = dup(0);

	(void)close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	small = (struct rlimit){ .rlim_cur = (rlim_t)lowest, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
	while (sd_event_run(f->event, 50000) > 0 && turns < 100)
		turns++;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(turns < 100);
	wait_for_eof(&c);
	client_close(&c);
	assert_alive(f);
}

static struct client open_stream(struct fixture *f)
{
	struct client c = client_open(f);

	assert_true(say(&c, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"));
	wait_for_text(&c, "\r\n\r\n"); /* the header comes before the first line does */
	assert_non_null(strcasestr(c.buf, "content-type: application/x-ndjson"));
	forget(&c);
	return c;
}

static void streams_get_every_line(void **state)
{
	struct fixture *f = *state;
	_client_ a = open_stream(f);
	_client_ b = open_stream(f);

	publish(f, "one");
	wait_for_text(&a, "{\"e\":\"one\"}\n");
	wait_for_text(&b, "{\"e\":\"one\"}\n");
	publish(f, "two"); /* two at once */
	publish(f, "three");
	wait_for_text(&a, "{\"e\":\"three\"}\n");
	assert_non_null(strstr(a.buf, "{\"e\":\"two\"}\n"));
	client_close(&b);
	b.buf = NULL;
	publish(f, "four"); /* one reader has gone */
	settle(f);
	publish(f, "five");
	wait_for_text(&a, "{\"e\":\"five\"}\n");
	assert_alive(f);
}

/* As every change does: the line leaves at once, not when MHD happens to be run again. */
static void handlers_may_publish(void **state)
{
	struct fixture *f = *state;
	_client_ reader = open_stream(f);
	_client_ c = client_open(f);

	assert_true(say(&c, "GET /publish HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
	assert_int_equal(answer(&c), 200);
	wait_for_text(&reader, "{\"e\":\"handler\"}\n");
}

/* Readers that leave while nothing happens give their connections back. */
static void streams_notice_hangup(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3 * HD_HTTP_CONNECTIONS_MAX; i++) {
		_client_ c = open_stream(f);

		(void)c;
	}
	assert_alive(f);
}

static void slow_reader_is_cut_off(void **state)
{
	struct fixture *f = *state;
	_client_ slow = open_stream(f);
	_client_ quick = open_stream(f);
	char line[1000];
	size_t before = mallinfo2().uordblks;

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (int i = 0; i < 8000; i++) {
		publish(f, line);
		settle(f);
		client_read(&quick);
		forget(&quick);
		assert_false(quick.eof);
	}
	assert_true(mallinfo2().uordblks < before + (3 << 20));
	wait_for_eof(&slow);
	publish(f, "end");
	wait_for_text(&quick, "{\"e\":\"end\"}\n");
}

/* With a waiting stream, an idle connection, half a request and a reader that does not read,
 * nothing is to be done. */
static void idle_server_sleeps(void **state)
{
	struct fixture *f = *state;
	_client_ waiting = open_stream(f);
	_client_ stuck = open_stream(f);
	_client_ idle = client_open(f);
	_client_ half = client_open(f);
	char line[10000];
	uint64_t end;
	int turns = 0;

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_true(say(&idle, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_int_equal(answer(&idle), 200);
	assert_true(say(&half, "GET /x HT"));
	for (int i = 0; i < 50; i++) {
		publish(f, line);
		settle(f);
		client_read(&waiting);
	}
	assert_false(stuck.eof);
	for (end = now_ms() + 300; now_ms() < end; turns++)
		assert_true(sd_event_run(f->event, 100000) >= 0);
	assert_true(turns <= 10);
}

static void close_finishes_streams(void **state)
{
	struct fixture *f = *state;
	_client_ a = open_stream(f);
	_client_ waiting = client_open(f);

	assert_true(say(&waiting, "GET /half"));
	publish(f, "last"); /* not sent yet */
	hd_http_close(f->http);
	f->http = NULL;
	client_read(&a);
	assert_true(a.eof);
	assert_non_null(strstr(a.buf, "{\"e\":\"last\"}\n\r\n0\r\n"));
	client_read(&waiting);
	assert_true(waiting.eof);
	assert_int_equal(access(f->path, F_OK), -1);
	hd_http_close(NULL);
}

/* A request that is complete only now is not handed over: whom it would reach may be gone. */
static void close_starts_nothing(void **state)
{
	struct fixture *f = *state;
	_client_ c = client_open(f);

	assert_true(say(&c, "GET /stream HTTP/1.1\r\nHost: x\r\n\r"));
	assert_int_equal(send(c.fd, "\n", 1, MSG_NOSIGNAL), 1);
	hd_http_close(f->http);
	f->http = NULL;
	assert_int_equal(f->n_requests, 0);
	client_read(&c);
	assert_true(c.eof);
}

static void socket_mode(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(lstat(f->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
}

static void socket_group(void **state)
{
	struct fixture *f = *state;
	const struct group *group = getgrgid(1);
	struct stat st;

	if (geteuid() != 0 || !group)
		skip();
	hd_http_close(f->http);
	assert_int_equal(
		hd_http_open(f->event, f->path, group->gr_name, handler, f, &f->http, NULL), 0);
	assert_int_equal(lstat(f->path, &st), 0);
	assert_int_equal(st.st_gid, 1);
	hd_http_close(f->http);
	assert_int_equal(
		hd_http_open(f->event, f->path, "no-such-group", handler, f, &f->http, NULL), 0);
	assert_int_equal(lstat(f->path, &st), 0);
	assert_int_equal(st.st_gid, getegid());
}

static void socket_in_use_is_refused(void **state)
{
	struct fixture *f = *state;
	struct hd_http *second = NULL;
	struct hd_error err = { 0 };

	assert_int_equal(hd_http_open(f->event, f->path, NULL, handler, f, &second, &err),
			 -EADDRINUSE);
	assert_null(second);
	assert_int_equal(err.code, HD_ERR_CONFLICT);
	assert_string_equal(err.hint, "another daemon runs for this instance");
	assert_alive(f); /* and its socket is still there */
}

static void stale_socket_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	hd_http_close(f->http);
	f->http = NULL;
	strcpy(addr.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(close(fd), 0);
	open_server(f);
	assert_alive(f);
}

static void what_is_no_socket_is_kept(void **state)
{
	struct fixture *f = *state;
	struct hd_error err = { 0 };
	struct stat st;
	char path[256];

	hd_http_close(f->http);
	f->http = NULL;
	assert_int_equal(close(open(f->path, O_CREAT | O_WRONLY, 0600)), 0);
	assert_int_equal(hd_http_open(f->event, f->path, NULL, handler, f, &f->http, &err),
			 -EEXIST);
	assert_null(f->http);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(unlink(f->path), 0);
	(void)snprintf(path, sizeof(path), "%s/%0150d", f->dir, 0);
	assert_int_equal(hd_http_open(f->event, path, NULL, handler, f, &f->http, &err),
			 -ENAMETOOLONG);
	assert_int_equal(
		hd_http_open(f->event, "/tmp/no/such/api.sock", NULL, handler, f, &f->http, &err),
		-ENOENT);
	assert_non_null(strstr(err.message, "/tmp/no/such/api.sock"));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(request_and_answer),
		TEST(every_method_of_the_api),
		TEST(errors_of_the_handler),
		TEST(refused_before_the_handler),
		TEST(body_of_just_the_limit),
		TEST(announced_body_is_refused_at_once),
		TEST(chunked_body_is_refused_at_its_end),
		TEST(endless_body_is_cut),
		TEST(bodies_together_are_bounded),
		TEST(garbage),
		TEST(half_requests),
		TEST(one_byte_at_a_time),
		TEST(too_many_connections),
		TEST(thousands_come_and_go),
		TEST(no_file_descriptors_left),
		TEST(streams_get_every_line),
		TEST(handlers_may_publish),
		TEST(streams_notice_hangup),
		TEST(slow_reader_is_cut_off),
		TEST(idle_server_sleeps),
		TEST(close_finishes_streams),
		TEST(close_starts_nothing),
		TEST(socket_mode),
		TEST(socket_group),
		TEST(socket_in_use_is_refused),
		TEST(stale_socket_is_replaced),
		TEST(what_is_no_socket_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
