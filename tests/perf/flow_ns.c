// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * flow_ns.c - many flows: in the table, and through the program
 *
 *   flow_ns fill -M FLOWS -n COUNT [-x SERIES]
 *        copies an established UDP flow that is there to COUNT others that differ in their ports, in batches;
 *        prints what one costs by the map's own account
 *
 *   flow_ns clear -M FLOWS -n COUNT [-x SERIES]
 *        takes them out again
 *
 *   flow_ns run -P PIN -i DEV -s SRCMAC -d DSTMAC -n COUNT [-x SERIES] [-R] [-T FLAGS] [-k RUNS] [-r ROUNDS]
 *        BPF_PROG_TEST_RUN with RUNS packets, each of another of the COUNT flows, in random order. -R: from the
 *        other end; -T: TCP with these flags, else UDP. Prints ns per packet, net of the loop.
 *
 * The pairs of ports of a series are random, all different, and the same in each mode; no series shares one with
 * another. The kernel sends the same packet over and over, so a small program in front writes the ports into it and
 * tail-calls the one that is measured; what that costs is measured with an empty one and taken off.
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
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "heddle/flow.h"

#define NSEC_PER_SEC 1000000000ULL
#define SLOTS (1u << 20)
#define BATCH 8192
#define MAX_ROUNDS 31
#define MAX_SERIES 1000
#define FRAME_LEN 106

enum { CLIENT = 0xc0000201, SERVER = 0xc0000202 }; /* documentation addresses (RFC 5737) */

struct options {
	const char *pin;
	const char *map;
	const char *dev;
	const char *src;
	const char *dst;
	uint32_t count;
	uint32_t series;
	uint32_t runs;
	unsigned int rounds;
	int tcp_flags;
	bool reverse;
};

/* The two ports of a packet as they stand in it. */
struct ports {
	uint16_t src;
	uint16_t dst;
};

/* What the program in front reads; it goes round. */
struct picks {
	uint32_t next;
	uint32_t pad;
	struct ports ports[SLOTS];
};

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	union {
		struct {
			struct ports ports;
			uint16_t len;
			uint16_t check;
		} udp;
		struct {
			struct ports ports;
			uint32_t seq;
			uint32_t ack;
			uint8_t words; /* of the header, in the upper half */
			uint8_t flags;
			uint16_t window;
			uint16_t check;
			uint16_t urgent;
		} tcp;
	};
} __attribute__((packed));

static void die(const char *what)
{
	fprintf(stderr, "flow_ns: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static int open_pin(const char *path)
{
	int fd = bpf_obj_get(path);

	if (fd < 0)
		die(path);
	return fd;
}

/* --- pairs of ports --- */

/* One to one, so that different numbers stay different (the end of MurmurHash3). */
static uint32_t mix(uint32_t h)
{
	h ^= h >> 16;
	h *= 0x85ebca6b;
	h ^= h >> 13;
	h *= 0xc2b2ae35;
	return h ^ h >> 16;
}

/* Neither port below 1024: some of those mean something. */
static struct ports *make_ports(const struct options *options)
{
	uint32_t i = options->series * (UINT32_MAX / MAX_SERIES), n = 0;
	struct ports *list = calloc(options->count, sizeof(*list));

	if (!list)
		die("ports");
	while (n < options->count) {
		uint32_t h = mix(i++);

		if (h >> 16 >= 1024 && (h & 0xffff) >= 1024)
			list[n++] =
				(struct ports){ htons((uint16_t)(h >> 16)), htons((uint16_t)h) };
	}
	return list;
}

static void shuffle(struct ports *list, uint32_t n)
{
	srandom(1);
	for (uint32_t i = n - 1; n && i > 0; i--) {
		uint32_t k = (uint32_t)random() % (i + 1);
		struct ports t = list[i];

		list[i] = list[k];
		list[k] = t;
	}
}

/* --- fill, clear --- */

/* A flow that packets have made: whatever its value says of ports, rules and generation is right. */
static struct hd_flow_value find_template(int fd, uint32_t *ret_zone)
{
	struct hd_flow4_key key, *previous = NULL;
	struct hd_flow_value value;

	while (bpf_map_get_next_key(fd, previous, &key) == 0) {
		if ((key.zone & HD_ZONE_CLASS_MASK) == HD_FLOW_UDP &&
		    !bpf_map_lookup_elem(fd, &key, &value) && value.state == HD_FLOW_ESTABLISHED) {
			*ret_zone = key.zone;
			return value;
		}
		previous = &key;
	}
	errno = ENOENT;
	die("no established UDP flow to copy");
	return (struct hd_flow_value){ 0 };
}

static long memlock(int fd)
{
	char path[64], line[128];
	long bytes = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	if (!file)
		die(path);
	while (fgets(line, sizeof(line), file))
		(void)sscanf(line, "memlock: %ld", &bytes);
	(void)fclose(file);
	return bytes;
}

/* The client's address is the smaller one: it is side 0. */
static struct hd_flow4_key make_key(uint32_t zone, struct ports ports)
{
	return (struct hd_flow4_key){ .zone = zone,
				      .addr = { htonl(CLIENT), htonl(SERVER) },
				      .port = { ports.src, ports.dst } };
}

/* @add: else they are removed. */
static void write_flows(int fd, const struct options *options, bool add)
{
	static struct hd_flow_value values[BATCH];
	static struct hd_flow4_key keys[BATCH];
	struct ports *list = make_ports(options);
	struct hd_flow_value template;
	uint32_t zone;

	template = find_template(fd, &zone);
	for (uint32_t at = 0; at < options->count; at += BATCH) {
		uint32_t n = options->count - at < BATCH ? options->count - at : BATCH;

		for (uint32_t i = 0; i < n; i++) {
			keys[i] = make_key(zone, list[at + i]);
			values[i] = template;
		}
		if (add && bpf_map_update_batch(fd, keys, values, &n, NULL) < 0)
			die("bpf_map_update_batch");
		for (uint32_t i = 0; !add && i < n; i++)
			(void)bpf_map_delete_elem(fd,
						  &keys[i]); /* one that is gone stops a batch */
	}
	free(list);
}

static int fill_main(const struct options *options, bool add)
{
	int fd = open_pin(options->map);
	long before = memlock(fd);
	uint64_t start = now_ns();

	write_flows(fd, options, add);
	printf("{\"flows\":%u,\"seconds\":%.3f,\"bytes\":%.1f}\n", options->count,
	       (double)(now_ns() - start) / (double)NSEC_PER_SEC,
	       (double)labs(memlock(fd) - before) / options->count);
	return 0;
}

/* --- run --- */

static void parse_mac(const char *text, unsigned char mac[ETH_ALEN])
{
	if (text && sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2],
			   &mac[3], &mac[4], &mac[5]) == ETH_ALEN)
		return;
	errno = EINVAL;
	die("MAC");
}

/* The client begins at 0, the server at 0 as well, so both acknowledge 1. No checksums: nobody here looks. */
static void make_l4(const struct options *options, struct frame *frame)
{
	if (options->tcp_flags < 0) {
		frame->udp.len = htons(FRAME_LEN - sizeof(frame->eth) - sizeof(frame->ip));
		return;
	}
	frame->tcp.flags = (uint8_t)options->tcp_flags;
	frame->tcp.words = 5 << 4;
	frame->tcp.window = htons(65535);
	frame->tcp.seq = htonl(!(options->tcp_flags & 2));
	frame->tcp.ack = htonl(1);
}

static void make_frame(const struct options *options, unsigned char data[FRAME_LEN])
{
	struct frame *frame = (struct frame *)data;

	memset(data, 0, FRAME_LEN);
	parse_mac(options->dst, frame->eth.h_dest);
	parse_mac(options->src, frame->eth.h_source);
	frame->eth.h_proto = htons(ETH_P_IP);
	frame->ip.version = 4;
	frame->ip.ihl = 5;
	frame->ip.ttl = 64;
	frame->ip.protocol = options->tcp_flags < 0 ? IPPROTO_UDP : IPPROTO_TCP;
	frame->ip.tot_len = htons(FRAME_LEN - sizeof(frame->eth));
	frame->ip.saddr = htonl(options->reverse ? SERVER : CLIENT);
	frame->ip.daddr = htonl(options->reverse ? CLIENT : SERVER);
	make_l4(options, frame);
}

#define INSN(c, d, s, o, i)                                                                        \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ADD(d, i) INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define LOAD(d, s, o) INSN(BPF_LDX | BPF_MEM | BPF_W, d, s, o, 0)
#define STORE(d, o, s) INSN(BPF_STX | BPF_MEM | BPF_W, d, s, o, 0)
#define MAP(d, kind, fd) INSN(BPF_LD | BPF_DW | BPF_IMM, d, kind, 0, fd), INSN(0, 0, 0, 0, 0)
#define RETURN INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int load(const char *name, const struct bpf_insn *insns, size_t n)
{
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, name, "GPL", insns, n, NULL);

	if (fd < 0)
		die(name);
	return fd;
}

/* ports = picks->ports[picks->next++ % SLOTS]; the packet's become these; on to the program. */
static int load_picker(int picks_fd, int progs_fd)
{
	const int16_t at = sizeof(struct ethhdr) + sizeof(struct iphdr);
	const struct bpf_insn insns[] = {
		MOV(6, 1),
		MAP(7, BPF_PSEUDO_MAP_VALUE, picks_fd),
		LOAD(8, 7, offsetof(struct picks, next)),
		MOV(1, 8),
		ADD(1, 1),
		STORE(7, offsetof(struct picks, next), 1),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, 8, 0, 0, SLOTS - 1),
		INSN(BPF_ALU64 | BPF_LSH | BPF_K, 8, 0, 0, 2),
		INSN(BPF_ALU64 | BPF_ADD | BPF_X, 7, 8, 0, 0),
		LOAD(3, 7, offsetof(struct picks, ports)),
		LOAD(1, 6, offsetof(struct __sk_buff, data)),
		LOAD(2, 6, offsetof(struct __sk_buff, data_end)),
		MOV(4, 1),
		ADD(4, at + (int)sizeof(struct ports)),
		INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 2, 6, 0),
		STORE(1, at, 3),
		MOV(1, 6),
		MAP(2, BPF_PSEUDO_MAP_FD, progs_fd),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_tail_call),
		RETURN,
	};

	return load("perf_pick", insns, sizeof(insns) / sizeof(insns[0]));
}

/* A run: the picker in front of a target. */
struct bench {
	const struct options *options;
	unsigned char data[FRAME_LEN];
	struct picks *picks;
	int progs;
	int picker;
	uint32_t verdict;
};

static uint32_t run_once(struct bench *bench, int target)
{
	struct __sk_buff ctx = { .ifindex = if_nametoindex(bench->options->dev) };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = bench->data, .data_size_in = FRAME_LEN,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx),
		    .repeat = (int)bench->options->runs);
	uint32_t slot = 0;

	if (bpf_map_update_elem(bench->progs, &slot, &target, BPF_ANY) < 0)
		die("tail call");
	bench->picks->next = 0;
	if (bpf_prog_test_run_opts(bench->picker, &run) < 0)
		die("BPF_PROG_TEST_RUN");
	bench->verdict = run.retval;
	return run.duration;
}

static void pick_ports(struct bench *bench)
{
	struct ports *list = make_ports(bench->options);

	shuffle(list, bench->options->count);
	for (uint32_t i = 0; i < SLOTS; i++) {
		struct ports p = list[i % bench->options->count];

		bench->picks->ports[i] =
			bench->options->reverse ? (struct ports){ p.dst, p.src } : p;
	}
	free(list);
}

static void bench_open(struct bench *bench)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int picks =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "perf_picks", 4, sizeof(struct picks), 1, &opts);

	bench->progs = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "perf_target", 4, 4, 1, NULL);
	if (picks < 0 || bench->progs < 0)
		die("maps");
	bench->picks =
		mmap(NULL, sizeof(struct picks), PROT_READ | PROT_WRITE, MAP_SHARED, picks, 0);
	if (bench->picks == MAP_FAILED)
		die("mmap");
	bench->picker = load_picker(picks, bench->progs);
	make_frame(bench->options, bench->data);
	pick_ports(bench);
}

static int by_value(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int run_main(const struct options *options)
{
	const struct bpf_insn nothing[] = { RETURN };
	struct bench bench = { .options = options };
	int target = open_pin(options->pin), empty = load("perf_empty", nothing, 2);
	int ns[MAX_ROUNDS], n = (int)options->rounds;

	bench_open(&bench);
	for (int i = 0; i < n; i++) {
		int loop = (int)run_once(&bench, empty);

		ns[i] = (int)run_once(&bench, target) - loop;
	}
	qsort(ns, (size_t)n, sizeof(ns[0]), by_value);
	printf("{\"verdict\":%d,\"ns\":%d,\"min_ns\":%d,\"max_ns\":%d}\n", (int)bench.verdict,
	       ns[n / 2], ns[0], ns[n - 1]);
	return 0;
}

static void usage(void)
{
	fputs("usage: flow_ns fill|clear -M FLOWS -n COUNT [-x SERIES]\n"
	      "       flow_ns run -P PIN -i DEV -s SRCMAC -d DSTMAC -n COUNT [-x SERIES] [-R] [-T FLAGS]\n"
	      "                   [-k RUNS] [-r ROUNDS]\n",
	      stderr);
	exit(2);
}

static void set_option(struct options *options, int c)
{
	switch (c) {
	case 'P':
		options->pin = optarg;
		break;
	case 'M':
		options->map = optarg;
		break;
	case 'i':
		options->dev = optarg;
		break;
	case 's':
		options->src = optarg;
		break;
	case 'd':
		options->dst = optarg;
		break;
	case 'n':
		options->count = (uint32_t)atoi(optarg);
		break;
	case 'x':
		options->series = (uint32_t)atoi(optarg);
		break;
	case 'k':
		options->runs = (uint32_t)atoi(optarg);
		break;
	case 'r':
		options->rounds = (unsigned int)atoi(optarg);
		break;
	case 'T':
		options->tcp_flags = (int)strtol(optarg, NULL, 0);
		break;
	case 'R':
		options->reverse = true;
		break;
	default:
		usage();
	}
}

int main(int argc, char *argv[])
{
	struct options options = { .rounds = 1, .tcp_flags = -1 };
	int c;

	while (argc > 1 && (c = getopt(argc - 1, argv + 1, "P:M:i:s:d:n:x:k:r:T:R")) != -1)
		set_option(&options, c);
	if (argc < 2 || !options.count || options.count > SLOTS || options.series >= MAX_SERIES ||
	    !options.rounds || options.rounds > MAX_ROUNDS)
		usage();
	if (!options.runs)
		options.runs = options.count;
	if (!strcmp(argv[1], "run") && options.pin && options.dev)
		return run_main(&options);
	if ((!strcmp(argv[1], "fill") || !strcmp(argv[1], "clear")) && options.map)
		return fill_main(&options, !strcmp(argv[1], "fill"));
	usage();
	return 2;
}
