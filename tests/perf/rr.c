// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * rr.c - request-response and stream generator; both ends are this program
 *
 *   rr server                       UDP echo, TCP echo and TCP sink, one process each, until killed
 *   rr client MODE ADDR             prints one line of JSON
 *
 *   udp_rr      one datagram there and back at a time
 *   udp_first   the same from another port each time: two first packets of a flow
 *   tcp_rr      the same on one TCP connection
 *   tcp_crr     connect, request, response, close
 *   tcp_reset   the same, closed by a reset: its port is free again at once
 *   tcp_stream  as many bytes as go through
 *
 * Each end blocks in one system call at a time and does nothing else: with both pinned to one CPU a
 * transaction is exactly two sends, two receives, two task switches and what lies between, which is
 * what the suite compares. Event loops, threads and batching would only add noise.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NSEC_PER_SEC 1000000000ULL
#define STREAM_CHUNK (128 * 1024)
#define MAX_SIZE 65000

/* How long a client tries to reach its server, and waits for a response before it is lost. */
#define CONNECT_TRIES 300
#define CONNECT_WAIT_US 10000
#define REPLY_WAIT_US 200000

enum { PORT_ECHO, PORT_SINK };

struct options {
	const char *addr;
	uint16_t port;
	int cpu;
	size_t size;
	double seconds;
	double warmup;
	unsigned int lifetime_s;
};

/*
 * Latencies in buckets: 128 for each power of two, so that a percentile is exact to 0.8 %. Below
 * 128 ns a bucket is 1 ns wide.
 *
 *    value  1 m6 m5 m4 m3 m2 m1 m0 x x x      bucket = (power - 6) * 128 + m
 */
#define MANTISSA_BITS 7
#define MANTISSA (1u << MANTISSA_BITS)
#define BUCKETS ((64 - MANTISSA_BITS + 1) * MANTISSA)

struct result {
	uint64_t count;
	uint64_t lost;
	uint64_t bytes;
	uint64_t sum_ns;
	uint64_t max_ns;
	uint64_t span_ns;
	uint64_t buckets[BUCKETS];
};

struct client {
	const struct options *options;
	int fd;
	char *buf;
	uint32_t seq;
};

/*
 * One transaction, or one chunk of a stream. Returns the bytes sent, 0 if the response was lost;
 * ends the program on a fault.
 */
typedef size_t (*step_fn)(struct client *client);

struct mode {
	const char *name;
	int type;
	int port;
	bool keep;  /* one connection for the whole run */
	bool timed; /* latencies make sense */
	step_fn step;
};

static void die(const char *what)
{
	fprintf(stderr, "rr: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/*
 * Real-time priority keeps the machine's other work out of the figures: niceness counts only within a
 * scheduling group. The kernel keeps 5 % of a CPU for the others, so nothing can hang. Without the
 * right to it the figures are only noisier.
 */
static void pin(int cpu)
{
	struct sched_param param = { .sched_priority = 1 };
	cpu_set_t set;

	if (sched_setscheduler(0, SCHED_FIFO, &param) < 0)
		(void)setpriority(PRIO_PROCESS, 0, -20);
	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("sched_setaffinity");
}

static void set_flag(int fd, int level, int name)
{
	int on = 1;

	if (setsockopt(fd, level, name, &on, sizeof(on)) < 0)
		die("setsockopt");
}

static struct sockaddr_in address(const char *addr, unsigned int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	if (addr && inet_pton(AF_INET, addr, &sin.sin_addr) != 1) {
		errno = EINVAL;
		die(addr);
	}
	return sin;
}

/* --- histogram --- */

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int power;

	if (ns < MANTISSA)
		return (unsigned int)ns;
	power = 63 - (unsigned int)__builtin_clzll(ns);
	return (power - MANTISSA_BITS + 1) * MANTISSA +
	       (unsigned int)((ns >> (power - MANTISSA_BITS)) & (MANTISSA - 1));
}

/* The middle of a bucket. */
static double bucket_ns(unsigned int bucket)
{
	unsigned int shift = bucket / MANTISSA ? bucket / MANTISSA - 1 : 0;
	uint64_t low =
		bucket < MANTISSA ? bucket : (uint64_t)(MANTISSA + bucket % MANTISSA) << shift;

	return (double)low + (double)(1ULL << shift) / 2;
}

static double percentile_us(const struct result *result, double fraction)
{
	uint64_t rank = (uint64_t)((double)result->count * fraction), seen = 0;

	for (unsigned int i = 0; i < BUCKETS; i++) {
		seen += result->buckets[i];
		if (seen > rank)
			return bucket_ns(i) / 1000;
	}
	return (double)result->max_ns / 1000;
}

static void result_add(struct result *result, uint64_t ns, size_t bytes)
{
	result->count++;
	result->bytes += bytes;
	result->sum_ns += ns;
	result->buckets[bucket_of(ns)]++;
	if (ns > result->max_ns)
		result->max_ns = ns;
}

/* --- client --- */

static const struct mode *find_mode(const char *name);

static int open_once(const struct mode *mode, const struct options *options)
{
	struct sockaddr_in to = address(options->addr, (unsigned int)(options->port + mode->port));
	int fd = socket(AF_INET, mode->type | SOCK_CLOEXEC, 0), saved;

	if (fd < 0)
		die("socket");
	if (mode->type == SOCK_STREAM)
		set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

static int open_patiently(const struct mode *mode, const struct options *options)
{
	for (int i = 0; i < CONNECT_TRIES; i++) {
		int fd = open_once(mode, options);

		if (fd >= 0)
			return fd;
		if (errno != ECONNREFUSED && errno != EHOSTUNREACH && errno != ETIMEDOUT)
			break;
		(void)usleep(CONNECT_WAIT_US);
	}
	die("connect");
	return -1;
}

static void set_reply_wait(int fd)
{
	struct timeval wait = { .tv_usec = REPLY_WAIT_US };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0)
		die("SO_RCVTIMEO");
}

/* A late response to a lost request must not pass for the next one's: each carries its number. */
static size_t step_udp(struct client *client)
{
	size_t size = client->options->size;
	uint32_t seq = ++client->seq, got;

	memcpy(client->buf, &seq, sizeof(seq));
	if (send(client->fd, client->buf, size, 0) < 0 && errno != ECONNREFUSED)
		die("send");
	do {
		ssize_t n = recv(client->fd, client->buf, size, 0);

		if (n < 0 && (errno == EAGAIN || errno == ECONNREFUSED))
			return 0;
		if (n != (ssize_t)size)
			die("recv");
		memcpy(&got, client->buf, sizeof(got));
	} while (got != seq);
	return size;
}

static void exchange(int fd, char *buf, size_t size)
{
	if (send(fd, buf, size, MSG_NOSIGNAL) != (ssize_t)size)
		die("send");
	if (recv(fd, buf, size, MSG_WAITALL) != (ssize_t)size)
		die("recv");
}

static size_t step_tcp(struct client *client)
{
	exchange(client->fd, client->buf, client->options->size);
	return client->options->size;
}

static size_t step_first(struct client *client)
{
	size_t n;

	client->fd = open_once(find_mode("udp_first"), client->options);
	if (client->fd < 0)
		die("connect");
	set_reply_wait(client->fd);
	n = step_udp(client);
	(void)close(client->fd);
	return n;
}

static size_t step_crr(struct client *client)
{
	int fd = open_once(find_mode("tcp_crr"), client->options);

	if (fd < 0)
		die("connect");
	exchange(fd, client->buf, client->options->size);
	(void)close(fd);
	return client->options->size;
}

static size_t step_reset(struct client *client)
{
	struct linger at_once = { .l_onoff = 1 };
	int fd = open_once(find_mode("tcp_reset"), client->options);

	if (fd < 0)
		die("connect");
	exchange(fd, client->buf, client->options->size);
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) < 0)
		die("setsockopt");
	(void)close(fd);
	return client->options->size;
}

static size_t step_stream(struct client *client)
{
	ssize_t n = send(client->fd, client->buf, STREAM_CHUNK, MSG_NOSIGNAL);

	if (n <= 0)
		die("send");
	return (size_t)n;
}

static const struct mode modes[] = {
	{ "udp_rr", SOCK_DGRAM, PORT_ECHO, true, true, step_udp },
	{ "udp_first", SOCK_DGRAM, PORT_ECHO, false, true, step_first },
	{ "tcp_rr", SOCK_STREAM, PORT_ECHO, true, true, step_tcp },
	{ "tcp_crr", SOCK_STREAM, PORT_ECHO, false, true, step_crr },
	{ "tcp_reset", SOCK_STREAM, PORT_ECHO, false, true, step_reset },
	{ "tcp_stream", SOCK_STREAM, PORT_SINK, true, false, step_stream },
};

static const struct mode *find_mode(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(modes[i].name, name))
			return &modes[i];
	errno = EINVAL;
	die(name);
	return NULL;
}

/* The end of one transaction is the start of the next: one look at the clock for each. */
static void run_for(const struct mode *mode, struct client *client, double seconds,
		    struct result *result)
{
	uint64_t start = now_ns(), last = start;
	uint64_t end = start + (uint64_t)(seconds * (double)NSEC_PER_SEC);

	while (last < end) {
		size_t bytes = mode->step(client);
		uint64_t now = now_ns();

		if (bytes)
			result_add(result, now - last, bytes);
		else
			result->lost++;
		last = now;
	}
	result->span_ns = last - start;
}

static void print_result(const struct mode *mode, const struct result *result)
{
	double seconds = (double)result->span_ns / (double)NSEC_PER_SEC;

	printf("{\"mode\":\"%s\",\"seconds\":%.3f,\"bytes\":%llu", mode->name, seconds,
	       (unsigned long long)result->bytes);
	if (!mode->timed)
		printf(",\"gbits\":%.4f", (double)result->bytes * 8 / seconds / 1e9);
	else
		printf(",\"count\":%llu,\"lost\":%llu,\"per_second\":%.1f,\"mean_us\":%.3f,\"p50_us\":%.3f,"
		       "\"p99_us\":%.3f,\"max_us\":%.3f,\"tail\":%.4f",
		       (unsigned long long)result->count, (unsigned long long)result->lost,
		       (double)result->count / seconds,
		       (double)result->sum_ns / (double)result->count / 1000,
		       percentile_us(result, 0.5), percentile_us(result, 0.99),
		       (double)result->max_ns / 1000,
		       percentile_us(result, 0.99) / percentile_us(result, 0.5));
	puts("}");
}

static int client_main(const char *name, const struct options *options)
{
	static struct result warm, result;
	const struct mode *mode = find_mode(name);
	struct client client = { .options = options, .fd = -1 };

	pin(options->cpu);
	client.buf = calloc(1, STREAM_CHUNK);
	if (!client.buf)
		die("calloc");
	/* Also in the mode that opens one for each transaction: it finds out that the server is there. */
	client.fd = open_patiently(mode, options);
	if (mode->type == SOCK_DGRAM)
		set_reply_wait(client.fd);
	if (!mode->keep)
		(void)close(client.fd);
	(void)alarm((unsigned int)(options->warmup + options->seconds) + 10);
	run_for(mode, &client, options->warmup, &warm);
	run_for(mode, &client, options->seconds, &result);
	if (!result.count) {
		fprintf(stderr, "rr: %s: no answer from %s\n", name, options->addr);
		return 1;
	}
	print_result(mode, &result);
	free(client.buf);
	return 0;
}

/* --- server --- */

static int listener(int type, unsigned int port)
{
	struct sockaddr_in at = address(NULL, port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("bind");
	if (type == SOCK_STREAM && listen(fd, 128) < 0)
		die("listen");
	return fd;
}

static void serve_udp(int fd, char *buf)
{
	struct sockaddr_in from;

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, STREAM_CHUNK, 0, (struct sockaddr *)&from, &len);

		if (n > 0)
			(void)sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
}

static void echo(int fd, char *buf)
{
	ssize_t n;

	set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
	while ((n = recv(fd, buf, STREAM_CHUNK, 0)) > 0)
		if (send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
			return;
}

static void sink(int fd, char *buf)
{
	while (recv(fd, buf, STREAM_CHUNK, 0) > 0)
		;
}

/* One connection after the other: the suite never opens two to one server at a time. */
static void serve_tcp(int listen_fd, char *buf, void (*serve)(int fd, char *buf))
{
	for (;;) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		serve(fd, buf);
		(void)close(fd);
	}
}

static char *child_buffer(pid_t parent)
{
	char *buf = malloc(STREAM_CHUNK);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!buf || getppid() != parent)
		exit(1);
	return buf;
}

/* The lifetime is a safety net: a suite that is killed must not leave servers behind for ever. */
static int server_main(const struct options *options)
{
	int udp = listener(SOCK_DGRAM, options->port + PORT_ECHO);
	int tcp = listener(SOCK_STREAM, options->port + PORT_ECHO);
	int bulk = listener(SOCK_STREAM, options->port + PORT_SINK);
	pid_t parent = getpid();

	pin(options->cpu);
	(void)alarm(options->lifetime_s);
	if (fork() == 0)
		serve_udp(udp, child_buffer(parent));
	if (fork() == 0)
		serve_tcp(tcp, child_buffer(parent), echo);
	if (fork() == 0)
		serve_tcp(bulk, child_buffer(parent), sink);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	return 1; /* only when all children are gone, and they never return */
}

static void usage(void)
{
	fputs("usage: rr server [-p PORT] [-c CPU] [-L LIFETIME_S]\n"
	      "       rr client MODE ADDR [-p PORT] [-c CPU] [-t SECONDS] [-w WARMUP_S] [-s SIZE]\n"
	      "MODE: udp_rr udp_first tcp_rr tcp_crr tcp_reset tcp_stream\n",
	      stderr);
	exit(2);
}

static void parse(int argc, char *argv[], struct options *options)
{
	int c;

	while ((c = getopt(argc, argv, "p:c:t:w:s:L:")) != -1) {
		switch (c) {
		case 'p':
			options->port = (uint16_t)atoi(optarg);
			break;
		case 'c':
			options->cpu = atoi(optarg);
			break;
		case 't':
			options->seconds = atof(optarg);
			break;
		case 'w':
			options->warmup = atof(optarg);
			break;
		case 's':
			options->size = (size_t)atoi(optarg);
			break;
		case 'L':
			options->lifetime_s = (unsigned int)atoi(optarg);
			break;
		default:
			usage();
		}
	}
	if (options->size < sizeof(uint32_t) || options->size > MAX_SIZE)
		usage();
}

int main(int argc, char *argv[])
{
	struct options options = {
		.port = 7700, .cpu = -1, .size = 64, .seconds = 1, .warmup = 0.1, .lifetime_s = 3600
	};

	parse(argc, argv, &options);
	argc -= optind;
	argv += optind;
	if (argc == 1 && !strcmp(argv[0], "server"))
		return server_main(&options);
	if (argc != 3 || strcmp(argv[0], "client"))
		usage();
	options.addr = argv[2];
	return client_main(argv[1], &options);
}
