// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_trace.c - the twin that `heddle trace` runs decides as the datapath does, and writes nothing at all
 *
 * Random packets, one after the other: the twin first, with every table compared before and after, then the datapath. Both verdicts
 * must be the same; what the datapath has changed is what the next packet finds.
 *
 * Time stands still for both: what ages by the second, as the pieces of a packet do, could be young for the twin and old for the datapath.
 */
#include "tests/prog/secure.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>

#include "cleanup.h"

#define PACKETS 1500

/* Jiffies in a second: then it takes a quarter of an hour, and the longest timeout still fits. */
#define STILL_HZ (1 << 18)

static unsigned int seed;

static unsigned int pick(unsigned int n)
{
	return (unsigned int)rand_r(&seed) % n;
}

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ byte[i]) * 0x100000001b3ULL;
	return h;
}

static size_t value_bytes(const struct bpf_map *map)
{
	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
		return ((bpf_map__value_size(map) + 7u) & ~7u) * (size_t)libbpf_num_possible_cpus();
	default:
		return bpf_map__value_size(map);
	}
}

/* Of all entries of a map, in whatever order they come. */
static uint64_t sum_map(const struct bpf_map *map)
{
	_free_ uint8_t *value = calloc(1, value_bytes(map));
	_free_ uint8_t *key = calloc(1, bpf_map__key_size(map));
	int fd = bpf_map__fd(map);
	void *prev = NULL;
	uint64_t sum = 0;

	for (; bpf_map_get_next_key(fd, prev, key) == 0; prev = key) {
		assert_int_equal(bpf_map_lookup_elem(fd, key, value), 0);
		sum += hash(hash(1, key, bpf_map__key_size(map)), value, value_bytes(map));
	}
	return sum;
}

#define MAX_MAPS 64

static void sum_maps(struct fixture *f, uint64_t sums[MAX_MAPS])
{
	struct bpf_map *map;
	size_t n = 0;

	bpf_object__for_each_map(map, f->skel->obj)
	{
		assert_true(n < MAX_MAPS);
		if (is_shared(map) && bpf_map__max_entries(map) != HD_IFINDEX_SLOTS)
			sums[n++] = sum_map(map);
	}
}

/* --- random packets --- */

static const struct host *const hosts[] = { &a, &b, &c, &d };

static struct pkt random_l4(bool v6, const struct host *from, const struct host *to)
{
	static const uint8_t flags[] = { PKT_SYN,	    PKT_SYN | PKT_ACK, PKT_ACK,
					 PKT_ACK | PKT_PSH, PKT_FIN | PKT_ACK, PKT_RST,
					 PKT_RST | PKT_ACK };
	uint16_t high = (uint16_t)(4000 + pick(3)), low = pick(4) ? 80 : 53;
	bool back = pick(2);

	switch (pick(4)) {
	case 0:
		return v6 ? udp6(from, to, back ? 53 : high, back ? high : 53)
			  : udp4(from, to, back ? 53 : high, back ? high : 53);
	case 1: {
		struct pkt_segment segment = { flags[pick(7)], 1000 + pick(3), 1000 + pick(3),
					       (uint16_t)pick(3000), pick(2) ? -1 : (int)pick(16) };

		return v6 ? tcp6(from, to, back ? low : high, back ? high : low, segment, pick(20))
			  : tcp4(from, to, back ? low : high, back ? high : low, segment, pick(20));
	}
	case 2:
		return v6 ? icmp6(from, to, (uint8_t)(128 + pick(2)), 0, (uint16_t)pick(3))
			  : icmp4(from, to, back ? 0 : 8, 0, (uint16_t)pick(3));
	default: {
		struct pkt p = v6 ? ip6(from, to, 44) : ip4(from, to, IPPROTO_UDP);
		uint32_t off = 40 * pick(3), id = pick(4);

		if (v6)
			pkt_frag6(&p, IPPROTO_UDP, id, off, off < 80);
		else
			pkt_frag4(&p, (uint16_t)id, off, off < 80);
		if (!off)
			pkt_udp(&p, high, 53);
		pkt_bytes(&p, off ? 40 : 32);
		pkt_end(&p);
		return p;
	}
	}
}

static struct pkt random_neigh(const struct host *from)
{
	const struct host *claims = pick(4) ? from : hosts[pick(4)];
	struct pkt p;

	if (pick(2)) {
		p = pkt_eth(MAC_ALL, from->mac, ETH_P_ARP);
		pkt_arp(&p, pick(2) ? ARPOP_REQUEST : ARPOP_REPLY, from->mac, claims->v4, MAC_ZERO,
			hosts[pick(4)]->v4);
		return p;
	}
	p = pkt_eth((const uint8_t[6]){ 0x33, 0x33, 0, 0, 0, 1 }, from->mac, ETH_P_IPV6);
	pkt_ipv6(&p, from->v6, "ff02::1", IPPROTO_ICMPV6, 255);
	if (pick(2))
		pkt_icmp6_ns(&p, hosts[pick(4)]->v6, from->mac);
	else
		pkt_icmp6_na(&p, PKT_NA_OVERRIDE, claims->v6, claims->mac);
	pkt_end(&p);
	return p;
}

/* Mostly what hosts send; now and then a lie, a stranger, or a bit that fell over. */
static struct pkt random_packet(uint32_t *ret_port)
{
	const struct host *from = hosts[pick(4)], *to = hosts[pick(4)];
	struct pkt p = pick(6) ? random_l4(pick(2), from, to) : random_neigh(from);

	*ret_port = pick(20) ? from->port : 1 + pick(4);
	switch (pick(12)) {
	case 0:
		memcpy(p.data, MAC_ALL, 6);
		break;
	case 1:
		p.data[5] = (uint8_t)(0x40 + pick(4)); /* somebody unknown */
		break;
	case 2:
		p.data[ETH_HLEN + 1 + pick(p.len - ETH_HLEN - 1)] ^= (uint8_t)(1 << pick(8));
		break;
	case 3:
		p.data[11] = (uint8_t)(0x40 + pick(4));
		break;
	}
	return p;
}

static void change_configuration(struct fixture *f)
{
	static uint32_t gen = 1000;
	struct allow udp = { .id = B_UDP,
			     .policy = POLICY(2),
			     .dir = HD_INGRESS,
			     .proto = IPPROTO_UDP,
			     .port = 53,
			     .port_len = 16 };

	if (pick(2))
		udp.policy = POLICY(2); /* the rule comes and goes */
	if (gen % 2)
		disallow(f, udp);
	else
		allow(f, udp);
	set_gen(f, 2, ++gen);
}

static void tell_difference(const struct pkt *p, uint32_t port, int twin, int real, int n)
{
	print_error("packet %d into port %u: twin %d, datapath %d\n", n, port, twin, real);
	for (uint32_t i = 0; i < p->len; i++)
		print_error("%02x%s", p->data[i], i % 16 == 15 || i + 1 == p->len ? "\n" : " ");
}

static void twin_and_datapath_agree(void **state)
{
	unsigned int redirected = 0, shot = 0, wrong = 0;
	struct fixture *f = *state;
	static uint64_t before[MAX_MAPS], after[MAX_MAPS];

	seed = 1;
	fixture_resize(f, (struct sizes){ .hz = STILL_HZ });
	secure_world(f);
	open_rules(f, 3, FREE_RULE);
	net_add(f, 1, HD_NETWORK_FLOOD | HD_NETWORK_SUPPRESS, 300);
	neigh_add(f, 1, b.v4, b.mac, 2);
	neigh_add(f, 1, b.v6, b.mac, 2);
	twin_load(f);
	for (int i = 0; i < PACKETS; i++) {
		uint32_t port;
		struct pkt p = random_packet(&port);
		int twin, real;
		uint64_t sent;

		if (i % 100 == 99)
			change_configuration(f);
		sum_maps(f, before);
		twin = run_twin(f, port, &p);
		sum_maps(f, after);
		if (memcmp(before, after, sizeof(before)))
			print_error("packet %d into port %u: the twin wrote\n", i, port);
		assert_memory_equal(before, after, sizeof(before));
		sent = packets_out(f);
		real = run_in(f, port, &p);
		if (real == SHOT && packets_out(f) != sent)
			real = REDIRECTED; /* as a copy, with pieces that had waited for it */
		if (twin != real && wrong++ < 5)
			tell_difference(&p, port, twin, real, i);
		redirected += real == REDIRECTED;
		shot += real == SHOT;
	}
	assert_int_equal(wrong, 0);
	assert_true(redirected > PACKETS / 5 && shot > PACKETS / 5);
}

/* Its log: a head with the count, then the steps in order. */
static void log_of_a_packet(void **state)
{
	static const enum hd_trace_what steps[] = { HD_TRACE_PORT,	HD_TRACE_FDB,
						    HD_TRACE_SOURCE_OK, HD_TRACE_RULE,
						    HD_TRACE_RULE,	HD_TRACE_FLOW_NEW,
						    HD_TRACE_SEND };
	struct hd_trace_record record = { 0 };
	struct fixture *f = *state;
	struct pkt p = udp4(&a, &b, 4000, 53);
	uint32_t key = 0, n, seen = 0;
	int fd;

	secure_world(f);
	twin_load(f);
	fd = bpf_map__fd(f->twin->maps.hd_trace_log);
	assert_int_equal(run_twin(f, 1, &p), REDIRECTED);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &record), 0);
	n = record.stage;
	assert_true(n >= 7 && n < HD_TRACE_MAX);
	for (key = 1; key <= n; key++) {
		assert_int_equal(bpf_map_lookup_elem(fd, &key, &record), 0);
		assert_true(record.stage < HD_STAGE_COUNT);
		if (seen < sizeof(steps) / sizeof(steps[0]) && record.what == steps[seen])
			seen++;
		if (record.what == HD_TRACE_RULE)
			assert_int_equal(record.a, record.b == HD_EGRESS ? A_OUT4 : B_UDP);
	}
	assert_int_equal(seen, sizeof(steps) / sizeof(steps[0]));
}

int trace_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(twin_and_datapath_agree),
		TEST(log_of_a_packet),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
