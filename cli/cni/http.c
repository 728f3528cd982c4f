// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * http.c - hd_client_call() for the plugin: one request over the Unix socket
 *
 * libcurl does this and a hundred other things, and takes 9 ms to be loaded, as long as all the rest of an ADD. HTTP/1.0: the answer ends
 * where the connection does.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli/answer.h"
#include "loader/cleanup.h"

enum { PIECE_BYTES = 16 << 10 };

/** struct talk - one request: until when, and the answer so far */
struct talk {
	const struct hd_client *client;
	int fd;
	struct timespec end;
	char *text;
	size_t len, room;
};

static void talk_done(struct talk *talk)
{
	hd_closep(&talk->fd);
	free(talk->text);
}

static int left_ms(const struct talk *talk)
{
	struct timespec now;
	long long ms;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (talk->end.tv_sec - now.tv_sec) * 1000LL + (talk->end.tv_nsec - now.tv_nsec) / 1000000;
	return ms > 0 ? (int)ms : 0;
}

static int call_up(struct talk *talk, struct hd_error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	memcpy(addr.sun_path, talk->client->socket, sizeof(addr.sun_path));
	talk->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (talk->fd < 0)
		return hd_error_set(err, HD_ERR_FAILED, "socket: %s", strerror(errno));
	if (connect(talk->fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return hd_answer_refused(talk->client, errno, err);
	return 0;
}

/* 1 when there is something, 0 if not in time. */
static int wait_for(struct talk *talk, short events)
{
	struct pollfd fd = { .fd = talk->fd, .events = events };
	int r;

	do
		r = poll(&fd, 1, left_ms(talk));
	while (r < 0 && errno == EINTR);
	return r;
}

static int say(struct talk *talk, const char *text, size_t len, struct hd_error *err)
{
	while (len) {
		ssize_t n;

		if (wait_for(talk, POLLOUT) <= 0)
			return hd_answer_timeout(talk->client, err);
		n = send(talk->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return hd_answer_broken(err);
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* With a NUL behind it. */
static int hear(struct talk *talk, struct hd_error *err)
{
	for (;;) {
		ssize_t n;

		if (talk->room - talk->len < PIECE_BYTES) {
			size_t room = talk->room * 2 + 2 * PIECE_BYTES;
			char *more = realloc(talk->text, room);

			if (!more)
				return hd_error_set(err, HD_ERR_FAILED, "out of memory");
			talk->text = more;
			talk->room = room;
		}
		if (wait_for(talk, POLLIN) <= 0)
			return hd_answer_timeout(talk->client, err);
		n = recv(talk->fd, talk->text + talk->len, talk->room - talk->len - 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hd_answer_broken(err);
		talk->len += (size_t)n;
		talk->text[talk->len] = 0;
		if (n == 0)
			return 0;
	}
}

/* An answer that is cut off is not JSON any more. */
static int understand(const struct talk *talk, json_t **ret, struct hd_error *err)
{
	const char *body = talk->len ? strstr(talk->text, "\r\n\r\n") : NULL;
	_json_ json_t *json = NULL;
	unsigned int status = 0;

	if (!body || sscanf(talk->text, "HTTP/1.%*u %u", &status) != 1)
		return hd_answer_broken(err);
	json = json_loads(body + 4, JSON_DECODE_ANY, NULL);
	if (status < 200 || status >= 300)
		return hd_answer_error(json, status, err);
	if (!json)
		return hd_answer_broken(err);
	*ret = TAKE_PTR(json);
	return 0;
}

int hd_client_call(const struct hd_client *client, const struct hd_request *request, json_t **ret,
		   struct hd_error *err)
{
	CLEANUP(talk_done) struct talk talk = { .client = client, .fd = -1 };
	_free_ char *head = NULL;
	int n, r;

	(void)clock_gettime(CLOCK_MONOTONIC, &talk.end);
	talk.end.tv_sec += client->timeout_s;
	n = asprintf(&head, "%s %s HTTP/1.0\r\nHost: heddle\r\nContent-Length: %zu\r\n\r\n",
		     request->method, request->path, request->len);
	if (n < 0) {
		head = NULL;
		return hd_error_set(err, HD_ERR_FAILED, "out of memory");
	}
	r = call_up(&talk, err);
	if (r == 0)
		r = say(&talk, head, (size_t)n, err);
	if (r == 0 && request->body)
		r = say(&talk, request->body, request->len, err);
	if (r == 0)
		r = hear(&talk, err);
	return r < 0 ? r : understand(&talk, ret, err);
}
