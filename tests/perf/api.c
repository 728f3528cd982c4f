// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * api.c - how long the daemon takes to answer
 *
 *   api get SOCKET PATH [-n TIMES] [-w WAIT_US]
 *        the same question TIMES times
 *
 *   api rules SOCKET GROUP RULE [-n TIMES]
 *        adds a rule and takes it out again, TIMES times. The answer comes when the change is in force.
 *
 * Prints median, 99th percentile and maximum in ms. A connection for each request, as a command makes it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_TIMES 10000
#define MAX_ANSWER (64 << 20)

struct options {
	const char *socket;
	unsigned int times;
	unsigned int wait_us;
};

struct result {
	double ms[2 * MAX_TIMES];
	size_t n;
};

static void die(const char *what)
{
	fprintf(stderr, "api: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int connect_to(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(un.sun_path))
		die("socket");
	memcpy(un.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
		die(path);
	return fd;
}

static void read_answer(int fd, char answer[MAX_ANSWER])
{
	size_t len = 0;
	ssize_t n;

	while (len < MAX_ANSWER - 1 && (n = read(fd, answer + len, MAX_ANSWER - 1 - len)) > 0)
		len += (size_t)n;
	answer[len] = 0;
}

/* One request; its answer, and its time into @result. */
static const char *ask(const struct options *options, const char *method, const char *path,
		       const char *body, struct result *result)
{
	static char answer[MAX_ANSWER];
	double start = now_ms();
	char request[1024];
	int fd = connect_to(options->socket);
	int len = snprintf(request, sizeof(request),
			   "%s /v1/%s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
			   "Content-Length: %zu\r\n\r\n%s",
			   method, path, strlen(body), body);

	if (len >= (int)sizeof(request) || write(fd, request, (size_t)len) != len)
		die("request");
	read_answer(fd, answer);
	(void)close(fd);
	result->ms[result->n++] = now_ms() - start;
	if (strncmp(answer, "HTTP/1.1 2", 10)) {
		fprintf(stderr, "api: %s %s: %.400s\n", method, path, answer);
		exit(1);
	}
	return answer;
}

static void get(const struct options *options, char *argv[], struct result *result)
{
	for (unsigned int i = 0; i < options->times; i++) {
		(void)ask(options, "GET", argv[0], "", result);
		(void)usleep(options->wait_us);
	}
}

static void rules(const struct options *options, char *argv[], struct result *result)
{
	char path[256], rule[320];

	(void)snprintf(path, sizeof(path), "security-groups/%s/rules", argv[0]);
	for (unsigned int i = 0; i < options->times; i++) {
		const char *id = ask(options, "POST", path, argv[1], result), *next = id;

		/* All rules of the group have one; that of the new rule comes last. */
		while ((next = strstr(next + 1, "\"id\":")))
			id = next;
		if (strncmp(id, "\"id\":", 5))
			die("no number in the answer");
		(void)snprintf(rule, sizeof(rule), "%s/%ld", path, strtol(id + 5, NULL, 10));
		(void)ask(options, "DELETE", rule, "", result);
	}
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void usage(void)
{
	fputs("usage: api get SOCKET PATH [-n TIMES] [-w WAIT_US]\n"
	      "       api rules SOCKET GROUP RULE [-n TIMES]\n",
	      stderr);
	exit(2);
}

int main(int argc, char *argv[])
{
	struct options options = { .times = 1 };
	static struct result result;
	int c;

	while ((c = getopt(argc, argv, "n:w:")) != -1) {
		if (c == 'n')
			options.times = (unsigned int)atoi(optarg);
		else if (c == 'w')
			options.wait_us = (unsigned int)atoi(optarg);
		else
			usage();
	}
	argc -= optind;
	argv += optind;
	if (argc < 3 || !options.times || options.times > MAX_TIMES)
		usage();
	options.socket = argv[1];
	if (!strcmp(argv[0], "get"))
		get(&options, argv + 2, &result);
	else if (!strcmp(argv[0], "rules") && argc == 4)
		rules(&options, argv + 2, &result);
	else
		usage();
	qsort(result.ms, result.n, sizeof(result.ms[0]), by_value);
	printf("{\"count\":%zu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n", result.n,
	       result.ms[result.n / 2], result.ms[result.n * 99 / 100], result.ms[result.n - 1]);
	return 0;
}
