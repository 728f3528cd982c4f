// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* client.c - one request to the daemon over its Unix socket */
#include "cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/answer.h"
#include "loader/cleanup.h"

enum { PIECE_BYTES = 256 << 10 }; /* of a large answer, at a time */

static void curl_cleanupp(CURL **curl)
{
	curl_easy_cleanup(*curl);
}

/* What came in; for a stream only the line that is not complete yet. */
struct answer {
	char *text;
	size_t len;
	FILE *file;
};

static void answer_done(struct answer *answer)
{
	if (answer->file)
		(void)fclose(answer->file); /* writes to memory */
	free(answer->text);
}

struct stream {
	CURL *curl;
	hd_client_line line;
	void *arg;
	bool ended; /* by us */
	struct answer *answer;
};

struct reader {
	CURL *curl;
	hd_client_bytes bytes;
	void *arg;
	struct answer *answer; /* of an error */
};

static CURL *request_new(const struct hd_client *client, const struct hd_request *request);
static int request_send(const struct hd_client *client, CURL *curl, struct hd_error *err);
static int answer_error(CURL *curl, struct answer *answer, struct hd_error *err);
static int answer_json(struct answer *answer, json_t **ret, struct hd_error *err);
static size_t stream_write(char *data, size_t size, size_t n, void *arg);
static size_t reader_write(char *data, size_t size, size_t n, void *arg);

int hd_client_call(const struct hd_client *client, const struct hd_request *request, json_t **ret,
		   struct hd_error *err)
{
	CURL *curl CLEANUP(curl_cleanupp) = request_new(client, request);
	struct answer answer CLEANUP(answer_done) = {};
	int r;

	answer.file = open_memstream(&answer.text, &answer.len);
	if (!curl || !answer.file)
		return hd_error_set(err, HD_ERR_FAILED, "out of memory");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, fwrite);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer.file);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)client->timeout_s);
	r = request_send(client, curl, err);
	if (!r)
		r = answer_error(curl, &answer, err);
	return r ? r : answer_json(&answer, ret, err);
}

int hd_client_read(const struct hd_client *client, const char *path, hd_client_bytes bytes,
		   void *arg, struct hd_error *err)
{
	struct hd_request request = { .method = "GET", .path = path };
	CURL *curl CLEANUP(curl_cleanupp) = request_new(client, &request);
	struct answer answer CLEANUP(answer_done) = {};
	struct reader reader = { .curl = curl, .bytes = bytes, .arg = arg, .answer = &answer };
	int r;

	answer.file = open_memstream(&answer.text, &answer.len);
	if (!curl || !answer.file)
		return hd_error_set(err, HD_ERR_FAILED, "out of memory");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, reader_write);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reader);
	curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)PIECE_BYTES);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)client->timeout_s);
	r = request_send(client, curl, err);
	return r ? r : answer_error(curl, &answer, err);
}

/* When we end the stream curl takes that for a failure: its error is told only when it is one. */
int hd_client_stream(const struct hd_client *client, const char *path, hd_client_line line,
		     void *arg, struct hd_error *err)
{
	struct hd_request request = { .method = "GET", .path = path };
	CURL *curl CLEANUP(curl_cleanupp) = request_new(client, &request);
	struct answer answer CLEANUP(answer_done) = {};
	struct stream stream = { .curl = curl, .line = line, .arg = arg, .answer = &answer };
	struct hd_error why = {};
	int r;

	answer.file = open_memstream(&answer.text, &answer.len);
	if (!curl || !answer.file)
		return hd_error_set(err, HD_ERR_FAILED, "out of memory");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, stream_write);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &stream);
	r = request_send(client, curl, &why);
	if (stream.ended)
		return 0;
	if (!r)
		r = answer_error(curl, &answer, &why);
	if (!r)
		r = hd_error_set(&why, HD_ERR_UNREACHABLE, "heddled has ended the stream");
	*err = why;
	return r;
}

/* ---- the request ---- */

/*
 * Strings are copied by curl, but for the body. No redirect, no proxy, and ".." in a path stays
 * what it is: a wrong name.
 */
static CURL *request_new(const struct hd_client *client, const struct hd_request *request)
{
	_free_ char *url = NULL;
	CURL *curl;

	if (asprintf(&url, "http://heddle%s", request->path) < 0) {
		url = NULL;
		return NULL;
	}
	curl = curl_easy_init();
	if (!curl)
		return NULL;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->socket);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)client->timeout_s);
	if (request->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->len);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
	}
	return curl;
}

static int explain_failure(const struct hd_client *client, CURL *curl, CURLcode code,
			   struct hd_error *err)
{
	long why = 0;

	switch (code) {
	case CURLE_COULDNT_CONNECT:
		/* If it fails, 0 stays there, which makes a general message. */
		(void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &why);
		return hd_answer_refused(client, (int)why, err);
	case CURLE_OPERATION_TIMEDOUT:
		return hd_answer_timeout(client, err);
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		return hd_answer_broken(err);
	default:
		return hd_error_set(err, HD_ERR_FAILED, "talking to heddled: %s",
				    curl_easy_strerror(code));
	}
}

/*
 * Without two headers that curl would add: "Expect: 100-continue" costs large bodies a round trip
 * and is no use on a local socket, and no body is a web form.
 */
static int request_send(const struct hd_client *client, CURL *curl, struct hd_error *err)
{
	static struct curl_slist no_type = { .data = (char *)"Content-Type:" };
	static struct curl_slist headers = { .data = (char *)"Expect:", .next = &no_type };
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, &headers);
	code = curl_easy_perform(curl);
	return code == CURLE_OK ? 0 : explain_failure(client, curl, code, err);
}

/* ---- the answer ---- */

static int answer_error(CURL *curl, struct answer *answer, struct hd_error *err)
{
	_json_ json_t *json = NULL;
	long status = 0;

	/* If it fails, 0 stays there, which is taken for an error. */
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300)
		return 0;
	(void)fflush(answer->file); /* writes to memory */
	json = json_loadb(answer->text ? answer->text : "", answer->len, 0, NULL);
	return hd_answer_error(json, status, err);
}

static int answer_json(struct answer *answer, json_t **ret, struct hd_error *err)
{
	json_error_t why;
	json_t *json;

	if (fflush(answer->file))
		return hd_error_set(err, HD_ERR_FAILED, "out of memory");
	json = json_loadb(answer->text, answer->len, JSON_DECODE_ANY, &why);
	if (!json)
		return hd_error_set(err, HD_ERR_FAILED, "heddled's answer is not JSON: %s",
				    why.text);
	*ret = json;
	return 0;
}

/* ---- answers as they come ---- */

static bool stream_take_line(struct stream *stream)
{
	bool more;

	/* Explicitly: the rest of a longer line may stand behind the text. */
	if (fputc('\0', stream->answer->file) == EOF || fflush(stream->answer->file))
		return false;
	more = stream->line(stream->arg, stream->answer->text);
	stream->ended = !more;
	rewind(stream->answer->file);
	return more;
}

/*
 * An error's body is kept whole for answer_error(). Taking fewer bytes than offered makes curl
 * stop.
 */
static size_t stream_write(char *data, size_t size, size_t n, void *arg)
{
	struct stream *stream = arg;
	long status = 0;

	/* If it fails, 0 stays there, which is taken for an error. */
	(void)curl_easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &status);
	for (size_t i = 0; i < size * n; i++) {
		if (data[i] != '\n' || status != 200)
			(void)fputc(data[i], stream->answer->file); /* fflush() tells */
		else if (!stream_take_line(stream))
			return 0;
	}
	return size * n;
}

static size_t reader_write(char *data, size_t size, size_t n, void *arg)
{
	struct reader *reader = arg;
	long status = 0;

	/* If it fails, 0 stays there, which is taken for an error. */
	(void)curl_easy_getinfo(reader->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		reader->bytes(reader->arg, data, size * n);
	else
		(void)fwrite(data, size, n, reader->answer->file); /* fflush() tells */
	return size * n;
}
