// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * prog_ns.c - what a pinned program costs for each packet
 *
 *   prog_ns run -P PIN -i DEV -d DSTMAC -s SRCMAC [-l LEN] [-g GSO_SIZE] [-n REPEAT]
 *        BPF_PROG_TEST_RUN with one UDP frame that seems to have come in on DEV of this network
 *        namespace: no wire, no stack. From the program's time that of an empty program is taken
 *        off, which is the cost of the kernel's test loop.
 *
 *   prog_ns stats -P PIN [-P PIN]... -o FILE -- COMMAND...
 *        runs COMMAND while the kernel counts run time (BPF_ENABLE_STATS: ends with this process,
 *        whatever happens to it) and writes runs and ns per run to FILE. The two clock readings of
 *        each run are partly in the figure: 15-30 ns.
 *
 * The daemon fills the tables and this program only sends a frame through them, so it needs to know
 * nothing about either.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <getopt.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 9
#define MAX_PINS 8
#define MAX_FRAME 2048

struct options {
	const char *pins[MAX_PINS];
	int pin_count;
	const char *dev;
	const char *dst;
	const char *src;
	const char *out;
	unsigned int len;
	unsigned int gso_size;
	int repeat;
};

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

static void die(const char *what)
{
	fprintf(stderr, "prog_ns: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void parse_mac(const char *text, unsigned char mac[ETH_ALEN])
{
	if (text && sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2],
			   &mac[3], &mac[4], &mac[5]) == ETH_ALEN)
		return;
	errno = EINVAL;
	die("MAC");
}

/* Documentation addresses (RFC 5737). No checksums: nothing that is measured here looks at them. */
static void make_frame(const struct options *options, unsigned char data[MAX_FRAME])
{
	struct frame *frame = (struct frame *)data;

	memset(data, 0, MAX_FRAME);
	parse_mac(options->dst, frame->eth.h_dest);
	parse_mac(options->src, frame->eth.h_source);
	frame->eth.h_proto = htons(ETH_P_IP);
	frame->ip.version = 4;
	frame->ip.ihl = 5;
	frame->ip.ttl = 64;
	frame->ip.protocol = IPPROTO_UDP;
	frame->ip.tot_len = htons((uint16_t)(options->len - ETH_HLEN));
	frame->ip.saddr = htonl(0xc0000201);
	frame->ip.daddr = htonl(0xc0000202);
	frame->udp.source = htons(40000);
	frame->udp.dest = htons(7700);
	frame->udp.len = htons((uint16_t)(options->len - ETH_HLEN - sizeof(frame->ip)));
}

/* What the loop itself costs: "r0 = 0; exit". */
static int load_empty(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "hd_empty", "GPL", insns, 2, NULL);

	if (fd < 0)
		die("empty program");
	return fd;
}

static int open_pin(const char *path)
{
	int fd = bpf_obj_get(path);

	if (fd < 0)
		die(path);
	return fd;
}

/* The kernel has one test packet: a run sees its type as the run before has left it. */
static uint32_t run_once(int fd, const struct options *options, const unsigned char *data,
			 uint32_t *ret_verdict)
{
	struct __sk_buff ctx = { .gso_size = options->gso_size };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = data, .data_size_in = options->len,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = options->repeat);

	ctx.ifindex = if_nametoindex(options->dev);
	if (!ctx.ifindex)
		die(options->dev);
	if (bpf_prog_test_run_opts(fd, &run) < 0)
		die("BPF_PROG_TEST_RUN");
	*ret_verdict = run.retval;
	return run.duration;
}

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Program and loop take turns, so that both see the same machine. */
static int run_main(const struct options *options)
{
	int fd = open_pin(options->pins[0]), empty = load_empty();
	uint32_t ns[ROUNDS], loop[ROUNDS], verdict = 0, ignored;
	unsigned char data[MAX_FRAME];

	make_frame(options, data);
	for (int i = 0; i < ROUNDS; i++) {
		loop[i] = run_once(empty, options, data, &ignored);
		ns[i] = run_once(fd, options, data, &verdict);
	}
	qsort(ns, ROUNDS, sizeof(ns[0]), by_value);
	qsort(loop, ROUNDS, sizeof(loop[0]), by_value);
	printf("{\"verdict\":%d,\"ns\":%d,\"min_ns\":%d,\"max_ns\":%d,\"loop_ns\":%u}\n",
	       (int)verdict, (int)(ns[ROUNDS / 2] - loop[ROUNDS / 2]),
	       (int)(ns[0] - loop[ROUNDS / 2]), (int)(ns[ROUNDS - 1] - loop[ROUNDS / 2]),
	       loop[ROUNDS / 2]);
	return 0;
}

static struct bpf_prog_info info_of(int fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		die("program info");
	return info;
}

static int run_command(char *argv[])
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		(void)execvp(argv[0], argv);
		die(argv[0]);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int stats_main(const struct options *options, char *argv[])
{
	struct bpf_prog_info before[MAX_PINS], after;
	FILE *out = fopen(options->out, "w");
	int fds[MAX_PINS], r;

	if (!out)
		die(options->out);
	if (bpf_enable_stats(BPF_STATS_RUN_TIME) < 0)
		die("BPF_ENABLE_STATS");
	for (int i = 0; i < options->pin_count; i++) {
		fds[i] = open_pin(options->pins[i]);
		before[i] = info_of(fds[i]);
	}
	r = run_command(argv);
	for (int i = 0; i < options->pin_count; i++) {
		uint64_t runs, ns;

		after = info_of(fds[i]);
		runs = after.run_cnt - before[i].run_cnt;
		ns = after.run_time_ns - before[i].run_time_ns;
		fprintf(out,
			"{\"program\":\"%s\",\"runs\":%llu,\"ns_per_run\":%.1f,\"jited\":%u,\"insns\":%u}\n",
			after.name, (unsigned long long)runs,
			runs ? (double)ns / (double)runs : 0.0, after.jited_prog_len,
			after.xlated_prog_len / 8);
	}
	return fclose(out) ? 1 : r;
}

static void usage(void)
{
	fputs("usage: prog_ns run -P PIN -i DEV -d DSTMAC -s SRCMAC [-l LEN] [-g GSO_SIZE] [-n REPEAT]\n"
	      "       prog_ns stats -P PIN [-P PIN]... -o FILE -- COMMAND...\n",
	      stderr);
	exit(2);
}

static void set_option(struct options *options, int c)
{
	switch (c) {
	case 'P':
		if (options->pin_count == MAX_PINS)
			usage();
		options->pins[options->pin_count++] = optarg;
		break;
	case 'i':
		options->dev = optarg;
		break;
	case 'd':
		options->dst = optarg;
		break;
	case 's':
		options->src = optarg;
		break;
	case 'o':
		options->out = optarg;
		break;
	case 'l':
		options->len = (unsigned int)atoi(optarg);
		break;
	case 'g':
		options->gso_size = (unsigned int)atoi(optarg);
		break;
	case 'n':
		options->repeat = atoi(optarg);
		break;
	default:
		usage();
	}
}

int main(int argc, char *argv[])
{
	struct options options = { .len = 106, .repeat = 200000, .out = "/dev/null" };
	int c;

	/* "+": the command's options are its own. */
	while (argc > 1 && (c = getopt(argc - 1, argv + 1, "+P:i:d:s:o:l:g:n:")) != -1)
		set_option(&options, c);
	if (argc < 2 || !options.pin_count || options.len < sizeof(struct frame) ||
	    options.len > MAX_FRAME)
		usage();
	if (!strcmp(argv[1], "run") && options.dev)
		return run_main(&options);
	if (!strcmp(argv[1], "stats") && argv[1 + optind])
		return stats_main(&options, argv + 1 + optind);
	usage();
	return 2;
}
