// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * macs.c - packets from many remote MACs, or to them
 *
 *   macs from ADDRESS -n COUNT [-k PACKETS]
 *        VXLAN packets with id 10 to this address: inside a frame from one of COUNT MACs, for 02:00:00:00:00:01
 *
 *   macs to DEV -n COUNT [-k PACKETS]
 *        plain frames by this device, from 02:00:00:00:00:01 for one of COUNT MACs
 *
 * Without -k one packet for each MAC, in their order; with it so many, in an order that is random and always the same. The MACs are
 * 02:01:00:00:00:00 and following. Prints the seconds that all of it took. The kernel hands on each packet before the call ends, as long as
 * all is on one CPU, so none is lost for want of room.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ETH_P_TEST 0x88b5 /* IEEE 802, "local experimental" */
#define VXLAN_PORT 4789
#define NSEC_PER_SEC 1e9

struct vxlan {
	uint32_t flags;
	uint32_t vni;
} __attribute__((packed));

struct packet {
	struct vxlan vxlan;
	struct ethhdr eth;
	unsigned char data[50];
} __attribute__((packed));

static const unsigned char client[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };

static void die(const char *what)
{
	fprintf(stderr, "macs: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void set_mac(unsigned char mac[ETH_ALEN], uint32_t number)
{
	mac[0] = 2;
	mac[1] = 1;
	mac[2] = 0;
	mac[3] = (unsigned char)(number >> 16);
	mac[4] = (unsigned char)(number >> 8);
	mac[5] = (unsigned char)number;
}

static int open_from(const char *address)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(VXLAN_PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1) {
		errno = EINVAL;
		die(address);
	}
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die(address);
	return fd;
}

static int open_to(const char *dev)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)if_nametoindex(dev) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die(dev);
	return fd;
}

/* xorshift32 */
static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void send_all(int fd, int from, uint32_t count, uint32_t packets)
{
	struct packet packet = { .vxlan = { htonl(1u << 27), htonl(10 << 8) },
				 .eth.h_proto = htons(ETH_P_TEST) };
	const char *start = from ? (char *)&packet : (char *)&packet.eth;
	size_t len = sizeof(packet) - (size_t)(start - (char *)&packet);
	uint32_t state = 1;

	memcpy(from ? packet.eth.h_dest : packet.eth.h_source, client, ETH_ALEN);
	for (uint32_t i = 0; i < (packets ? packets : count); i++) {
		set_mac(from ? packet.eth.h_source : packet.eth.h_dest,
			packets ? next(&state) % count : i);
		if (send(fd, start, len, 0) < 0)
			die("send");
	}
}

static void usage(void)
{
	fputs("usage: macs from ADDRESS|to DEV -n COUNT [-k PACKETS]\n", stderr);
	exit(2);
}

int main(int argc, char *argv[])
{
	uint32_t count = 0, packets = 0;
	struct timespec start, end;
	int c, fd, from;

	while ((c = getopt(argc, argv, "n:k:")) != -1) {
		if (c == 'n')
			count = (uint32_t)atoi(optarg);
		else if (c == 'k')
			packets = (uint32_t)atoi(optarg);
		else
			usage();
	}
	if (argc - optind != 2 || !count)
		usage();
	from = !strcmp(argv[optind], "from");
	if (!from && strcmp(argv[optind], "to"))
		usage();
	fd = from ? open_from(argv[optind + 1]) : open_to(argv[optind + 1]);
	clock_gettime(CLOCK_MONOTONIC, &start);
	send_all(fd, from, count, packets);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("{\"seconds\":%.6f}\n",
	       (double)(end.tv_sec - start.tv_sec) +
		       (double)(end.tv_nsec - start.tv_nsec) / NSEC_PER_SEC);
	return close(fd) ? 1 : 0;
}
