// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * fuzz_cni.c - any call of heddle-cni: no crash, and on stdout there is one JSON object of the specification's shape, or nothing
 *
 * An input is lines KEY=VALUE of the environment, an empty line, and the conf. The key DAEMON is for the daemon, which is played here: DAEMON=N:CODE lets
 * its Nth answer be that error. All of it runs in a network namespace of its own, no path leads to another one, and no plugin is found: what is fuzzed runs as root.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "cli/cni/cni.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int hd_cni_main(void); /* main() of the plugin */

/* Sanitizers slow down, and keep what was freed: far more than that is a leak, or an input that makes the plugin large. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "hard_rss_limit_mb=1024";
}

enum { ENV_MAX = 16 };

/** struct daemon - what it has been asked. @fails_at: number of the request that is refused with @code; @port: the one that was made last */
static struct {
	int n;
	int fails_at;
	enum hd_error_code code;
	json_t *port;
} daemon_;

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* ---- the daemon ---- */

static bool is(const struct hd_request *request, const char *method, const char *path)
{
	return !strcmp(request->method, method) &&
	       !strncmp(request->path, path, strcspn(request->path, "?")) &&
	       strlen(path) == strcspn(request->path, "?");
}

static bool is_below(const struct hd_request *request, const char *method, const char *path)
{
	return !strcmp(request->method, method) && !strncmp(request->path, path, strlen(path));
}

/* As it was asked for, but with addresses that were found. */
static void make_port(const json_t *body)
{
	json_t *ips = json_array(), *port = json_deep_copy(body);
	const json_t *ip;
	size_t i;

	json_array_foreach(json_object_get(body, "ip"), i, ip) {
		const char *text = json_string_value(ip);

		require(text);
		if (strcspn(text, "-,") == strlen(text) && strcmp(text, "auto") != 0)
			(void)json_array_append_new(ips, json_string(text));
		else
			(void)json_array_append_new(ips, json_string("10.1.0.2/24"));
	}
	(void)json_object_set_new(port, "ip", ips);
	(void)json_object_set_new(port, "ifindex", json_integer(1));
	(void)json_object_set_new(port, "state", json_string("up"));
	(void)json_object_set_new(port, "reason", json_string(""));
	(void)json_object_set_new(port, "host-device", json_string("hdp1"));
	json_decref(daemon_.port);
	daemon_.port = port;
}

/* One of a container that went without a word, if none was made. */
static json_t *a_port(void)
{
	if (daemon_.port)
		return json_incref(daemon_.port);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:[s]}", "name", "c1-eth0", "network",
			 "lab", "owner", "cni:lab/c1/eth0/4026532177/12345678.1.40000001", "state",
			 "down", "reason", "", "mac", "02:00:00:00:00:01", "ip", "10.1.0.2/24");
}

static json_t *answer(const struct hd_request *request)
{
	if (is(request, "GET", "/v1/subnets"))
		return json_pack("[{s:s, s:s, s:s, s:s, s:s}, {s:s, s:s, s:s, s:s}]", "name",
				 "lab4", "network", "lab", "cidr", "10.1.0.0/24", "gateway",
				 "10.1.0.1", "router", "r", "name", "lab6", "network", "lab",
				 "cidr", "2001:db8:1::/64", "gateway", "2001:db8:1::1");
	if (is(request, "GET", "/v1/networks"))
		return json_pack("[{s:s, s:s}]", "name", "lab", "type", "local");
	if (is_below(request, "GET", "/v1/ports/"))
		return a_port();
	if (is(request, "GET", "/v1/ports"))
		return json_pack("[o]", a_port());
	if (is(request, "GET", "/v1/port-forwards"))
		return json_pack("[{s:s, s:s, s:s}]", "name", "c1-eth0.tcp-80", "listen",
				 "0.0.0.0:80", "protocol", "tcp");
	if (is_below(request, "GET", "/v1/port-forwards/"))
		return json_pack("{s:s, s:[s]}", "name", "c1-eth0.tcp-80", "reach", "192.0.2.1:80");
	return json_object();
}

/* What would be written to the socket as it is. */
static void check_request(const struct hd_request *request, const json_t *body)
{
	require(!strncmp(request->path, "/v1/", strlen("/v1/")));
	for (const char *c = request->path; *c; c++)
		require(*c > ' ' && *c < 127);
	require(!request->body || json_is_object(body));
}

int hd_client_call(const struct hd_client *client, const struct hd_request *request, json_t **ret,
		   struct hd_error *err)
{
	_json_ json_t *body =
		request->body ? json_loadb(request->body, request->len, 0, NULL) : NULL;

	(void)client;
	check_request(request, body);
	if (++daemon_.n == daemon_.fails_at)
		return hd_error_set(err, daemon_.code, "as asked for");
	if (is(request, "POST", "/v1/ports"))
		make_port(body);
	*ret = answer(request);
	require(*ret);
	return 0;
}

/* An answer that never comes makes DEL write a file, at a place that the conf may name. */
static void tell_daemon(const char *text)
{
	int n = 0, code = 0;

	if (sscanf(text, "%d:%d", &n, &code) != 2 || code <= 0 || code == HD_ERR_UNREACHABLE ||
	    code == HD_ERR_TIMEOUT || code == HD_ERR_DEGRADED || code > HD_ERR_PERMISSION)
		return;
	daemon_.fails_at = n;
	daemon_.code = (enum hd_error_code)code;
}

/* ---- the call ---- */

/* Only to the namespace that we are in, or to none. */
static bool is_harmless(const char *netns)
{
	struct stat st;

	return netns[0] != '/' || stat(netns, &st) < 0;
}

static void set_variable(char *line, char *env[ENV_MAX], size_t *n)
{
	static char own[] = "CNI_NETNS=/proc/thread-self/ns/net", path[] = "CNI_PATH=/nonexistent";
	char *is = strchr(line, '=');

	if (!strncmp(line, "DAEMON=", strlen("DAEMON=")))
		tell_daemon(line + strlen("DAEMON="));
	else if (is && !strncmp(line, "CNI_NETNS=", strlen("CNI_NETNS=")) && !is_harmless(is + 1))
		env[(*n)++] = own;
	else if (!strncmp(line, "CNI_PATH=", strlen("CNI_PATH=")))
		env[(*n)++] = path;
	else if (is && !strncmp(line, "CNI_", strlen("CNI_")))
		env[(*n)++] = line;
}

/* Returns what comes after the empty line. A NUL ends a line for the plugin, as it would in an environment. */
static char *read_environment(char *text, char *env[ENV_MAX])
{
	size_t n = 0;
	char *line;

	while ((line = strsep(&text, "\n")) && *line && n < ENV_MAX - 1)
		set_variable(line, env, &n);
	env[n] = NULL;
	return text;
}

static int put_in_place(int fd, int place)
{
	int before = dup(place);

	require(before >= 0 && dup2(fd, place) == place);
	return before;
}

static void put_back(int before, int place)
{
	require(dup2(before, place) == place);
	(void)close(before);
}

/* Exit status; what it has printed is in @out. */
static int call(const char *conf, size_t len, char *env[ENV_MAX], int out)
{
	_close_ int in = memfd_create("in", MFD_CLOEXEC);
	char **before = environ;
	int stdin_before, stdout_before, status;

	require(write(in, conf, len) == (ssize_t)len && lseek(in, 0, SEEK_SET) == 0);
	stdin_before = put_in_place(in, STDIN_FILENO);
	stdout_before = put_in_place(out, STDOUT_FILENO);
	environ = env;
	status = hd_cni_main();
	environ = before;
	put_back(stdin_before, STDIN_FILENO);
	put_back(stdout_before, STDOUT_FILENO);
	return status;
}

static void check_answer(int status, int out)
{
	off_t len = lseek(out, 0, SEEK_END);
	_free_ char *text = calloc(1, (size_t)len + 1);
	_json_ json_t *json = NULL;

	require(text && pread(out, text, (size_t)len, 0) == len);
	if (len)
		json = json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, NULL);
	require(!len || json_is_object(json));
	require(!len || json_is_string(json_object_get(json, "cniVersion")));
	if (!status)
		return;
	require(json_is_integer(json_object_get(json, "code")));
	require(json_string_length(json_object_get(json, "msg")) > 0);
}

/* Without the right to have one there is nothing that it could harm. */
static void leave_the_machine(void)
{
	static bool done;

	require(done || unshare(CLONE_NEWNET) == 0 || errno == EPERM);
	done = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ char *copy = calloc(1, size + 1);
	_close_ int out = memfd_create("out", MFD_CLOEXEC);
	char *env[ENV_MAX], *conf;

	leave_the_machine();
	require(copy && out >= 0);
	memcpy(copy, data, size);
	conf = read_environment(copy, env);
	check_answer(call(conf ? conf : "", conf ? size - (size_t)(conf - copy) : 0, env, out),
		     out);
	json_decref(daemon_.port);
	memset(&daemon_, 0, sizeof(daemon_));
	return 0;
}
