/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* client.h - one request to the daemon over its Unix socket */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

#include "heddlectl/error.h"

/**
 * struct hd_client - the way to one daemon
 * @instance:  its name
 * @socket:    path of its socket
 * @timeout_s: how long to wait for an answer
 */
struct hd_client {
	const char *instance;
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	unsigned int timeout_s;
};

/**
 * struct hd_request - one request; everything borrowed
 * @method: "GET", "POST", "PATCH" or "DELETE"
 * @path:   with query, percent-encoded, from "/v1" on
 * @body:   NULL for none
 * @len:    bytes of @body
 */
struct hd_request {
	const char *method;
	const char *path;
	const char *body;
	size_t len;
};

/**
 * hd_client_line - called for each line of a stream
 *
 * Return: false to end the stream.
 */
typedef bool (*hd_client_line)(void *arg, const char *line);

/**
 * hd_client_init - fill @client; does not connect
 * @instance: borrowed for the client's life
 *
 * The socket is /run/heddle/INSTANCE/api.sock; HEDDLE_RUN_DIR in the environment stands for
 * /run/heddle.
 * Return: 0, or -errno if the path is too long for a socket.
 */
int hd_client_init(struct hd_client *client, const char *instance, unsigned int timeout_s,
		   struct hd_error *err);

/**
 * hd_client_call - send a request and wait for the answer
 * @ret: new reference, untouched on failure
 * @err: the daemon's own error, or why there is no answer
 *
 * Return: 0 or -errno.
 */
int hd_client_call(const struct hd_client *client, const struct hd_request *request, json_t **ret,
		   struct hd_error *err);

/** hd_client_bytes - called for each piece of an answer */
typedef void (*hd_client_bytes)(void *arg, const char *data, size_t len);

/**
 * hd_client_read - GET a path and hand on the answer as it comes, for answers too large to be held
 *
 * Return: 0, or -errno with @err set, also when the connection breaks in the middle. Errors of the
 * daemon are not handed on.
 */
int hd_client_read(const struct hd_client *client, const char *path, hd_client_bytes bytes,
		   void *arg, struct hd_error *err);

/**
 * hd_client_stream - GET a path that never ends and hand on its lines
 *
 * Return: 0 once @line has returned false, or -errno with @err set when the stream breaks.
 */
int hd_client_stream(const struct hd_client *client, const char *path, hd_client_line line,
		     void *arg, struct hd_error *err);
