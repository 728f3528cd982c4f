// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_limit.c - ports with a rate: what passes, what is dropped and for whom it is counted, on each way that a packet can take to a port
 *
 * Rates are so low that no time passes between packets: a hundred bytes a second, so a packet is a second.
 */
#include "tests/prog/secure.h"

#include <time.h>

#define SLOW 100
#define BYTE_NS (1000000000ULL / SLOW)

/* Bursts that are there for one or two packets of 100 bytes; the last may overdraw it. */
#define ONE 50
#define TWO 120

static void plain_hosts(struct fixture *f)
{
	net_add(f, 1, HD_NETWORK_FLOOD, 300);
	for (uint32_t id = 1; id <= 3; id++)
		port_add(f, id, 1, UP);
	port_mac(f, 1, MAC_A);
	port_mac(f, 2, MAC_B);
	fdb_static(f, 1, MAC_A, 1);
	fdb_static(f, 1, MAC_B, 2);
}

static struct pkt frame(const uint8_t to[6], const uint8_t from[6], uint32_t len)
{
	struct pkt p = pkt_eth(to, from, ETH_P_OTHER);

	pkt_bytes(&p, len - ETH_HLEN);
	return p;
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Towards the workload, whoever sends. */
static void ingress(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A, 100), back = frame(MAC_A, MAC_B, 100);

	plain_hosts(f);
	port_limit(f, 2, HD_INGRESS, SLOW, TWO);
	enters(f, 1, &p, "in 1, out 2, redirect");
	enters(f, 1, &p, "in 1, out 2, redirect");
	enters(f, 1, &p, "in 1, drop rate-limit-ingress at 2 in port-in, shot");
	enters(f, 2, &back, "in 2, out 1, redirect");
}

static void egress(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A, 100), all = frame(MAC_ALL, MAC_A, 100);

	plain_hosts(f);
	port_limit(f, 1, HD_EGRESS, SLOW, TWO);
	enters(f, 1, &p, "in 1, out 2, redirect");
	enters(f, 1, &all, "in 1, copies 2, out 2 3, redirect");
	enters(f, 1, &p, "in 1, drop rate-limit-egress at 1 in port-in, shot");
	enters(f, 1, &all, "in 1, drop rate-limit-egress at 1 in port-in, shot");
}

/* Both at once, each with a bucket of its own. */
static void both(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A, 100), back = frame(MAC_A, MAC_B, 100);

	plain_hosts(f);
	port_limit(f, 2, HD_INGRESS, SLOW, ONE);
	port_limit(f, 2, HD_EGRESS, SLOW, TWO);
	enters(f, 1, &p, "in 1, out 2, redirect");
	enters(f, 1, &p, "in 1, drop rate-limit-ingress at 2 in port-in, shot");
	enters(f, 2, &back, "in 2, out 1, redirect");
	enters(f, 2, &back, "in 2, out 1, redirect");
	enters(f, 2, &back, "in 2, drop rate-limit-egress at 2 in port-in, shot");
}

/* Of what goes to many each port has its own. */
static void flooded(void **state)
{
	struct fixture *f = *state;
	struct pkt all = frame(MAC_ALL, MAC_A, 100);

	plain_hosts(f);
	port_limit(f, 2, HD_INGRESS, SLOW, ONE);
	enters(f, 1, &all, "in 1, copies 2, out 2 3, redirect");
	enters(f, 1, &all, "in 1, out 3, drop rate-limit-ingress at 2 in flood, redirect");
}

/* What the host itself sends by the port's device. */
static void from_the_host(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A, 100);

	plain_hosts(f);
	port_limit(f, 2, HD_INGRESS, SLOW, TWO);
	leaves(f, 2, 0, &p, "out 2, pass");
	leaves(f, 2, 0, &p, "out 2, pass");
	leaves(f, 2, 0, &p, "drop rate-limit-ingress at 2 in port-out, shot");
	/* What another port has sent was counted there. */
	leaves(f, 2, 1, &p, "pass");
}

/* A flow that is replayed obeys, and what the rules refuse takes nothing from the rate. */
static void replayed(void **state)
{
	struct pkt ask = udp4(&a, &b, 4000, 53), reply = udp4(&b, &a, 53, 4000),
		   no = udp4(&a, &b, 4000, 54);
	struct fixture *f = *state;

	secure_world(f);
	enters(f, 1, &ask, "in 1, udp begins, rules 1 4, out 2, redirect");
	enters(f, 2, &reply, "in 2, udp established for good, rules 1 4, out 1, redirect");
	port_limit(f, 2, HD_INGRESS, SLOW, ask.len + 10);
	for (int i = 0; i < 3; i++)
		enters(f, 1, &no, "in 1, drop group-ingress at 2 in flow, shot");
	enters(f, 1, &ask, "in 1, udp goes on, rules 1 4, out 2, redirect");
	enters(f, 1, &ask, "in 1, udp goes on, rules 1 4, out 2, redirect");
	enters(f, 1, &ask,
	       "in 1, udp goes on, rules 1 4, drop rate-limit-ingress at 2 in port-in, shot");
	enters(f, 2, &reply, "in 2, udp goes on, rules 1 4, out 1, redirect");
}

/* The first packet of a flow as well; its entry is made, and the next try is on it. */
static void judged(void **state)
{
	struct pkt one = udp4(&a, &b, 4000, 53), two = udp4(&a, &b, 4001, 53);
	struct fixture *f = *state;

	secure_world(f);
	port_limit(f, 2, HD_INGRESS, SLOW, 50);
	enters(f, 1, &one, "in 1, udp begins, rules 1 4, out 2, redirect");
	enters(f, 1, &two,
	       "in 1, udp begins, rules 1 4, drop rate-limit-ingress at 2 in flow, shot");
}

/* What has passed is paid for by its length, and the last may overdraw the burst. */
static void paid_for(void **state)
{
	struct pkt small = frame(MAC_B, MAC_A, 100), large = frame(MAC_B, MAC_A, 1000);
	struct fixture *f = *state;
	uint64_t before = clock_ns(), due;

	plain_hosts(f);
	port_limit(f, 2, HD_INGRESS, SLOW, TWO);
	enters(f, 1, &small, "in 1, out 2, redirect");
	due = bucket_due(f, 2, HD_INGRESS);
	assert_in_range(due - before, 100 * BYTE_NS, 100 * BYTE_NS + 5000000000);
	enters(f, 1, &large, "in 1, out 2, redirect");
	assert_int_equal(bucket_due(f, 2, HD_INGRESS) - due, 1000 * BYTE_NS);
	enters(f, 1, &small, "in 1, drop rate-limit-ingress at 2 in port-in, shot");
	assert_int_equal(bucket_due(f, 2, HD_INGRESS) - due, 1000 * BYTE_NS);
	assert_int_equal(bucket_due(f, 2, HD_EGRESS), 0);
}

/* A super-packet of three segments: two more headers than it has. */
static void super_packets(void **state)
{
	struct pkt p = pkt_eth(MAC_B, MAC_A, ETH_P_IP);
	struct fixture *f = *state;
	uint64_t due = clock_ns() + 10000 * BYTE_NS;

	plain_hosts(f);
	pkt_ipv4(&p, "192.0.2.1", "192.0.2.2", IPPROTO_TCP);
	pkt_tcp(&p, 1000, 2000, 12);
	pkt_bytes(&p, 2 * 1000 + 500);
	pkt_end(&p);
	port_limit(f, 2, HD_INGRESS, SLOW, 100000);
	bucket_set_due(f, 2, HD_INGRESS, due);
	arrives(f, 1, &p, 1000, "in 1, copies 2, out 2");
	assert_int_equal(bucket_due(f, 2, HD_INGRESS) - due,
			 (p.len + 2 * (14 + 20 + 32)) * BYTE_NS);
}

/* A limit that is changed counts at once: what was paid for at a lower rate is forgotten. */
static void changed(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A, 1000);

	plain_hosts(f);
	port_limit(f, 2, HD_INGRESS, SLOW, ONE);
	enters(f, 1, &p, "in 1, out 2, redirect");
	enters(f, 1, &p, "in 1, drop rate-limit-ingress at 2 in port-in, shot");
	bucket_set_due(f, 2, HD_INGRESS,
		       clock_ns() + 3600 * 1000000000ULL); /* many of them have passed */
	port_limit(f, 2, HD_INGRESS, 1000000000, ONE);
	enters(f, 1, &p, "in 1, drop rate-limit-ingress at 2 in port-in, shot");
	enters(f, 1, &p, "in 1, out 2, redirect"); /* a microsecond later */
	port_limit(f, 2, HD_INGRESS, 0, 0);
	for (int i = 0; i < 3; i++)
		enters(f, 1, &p, "in 1, out 2, redirect");
}

/* A clock that stands behind what another CPU has read is as good as due; an idle port has its burst and no more. */
static void idle(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A, 100);

	plain_hosts(f);
	port_limit(f, 2, HD_INGRESS, SLOW, TWO);
	bucket_set_due(f, 2, HD_INGRESS, 1);
	enters(f, 1, &p, "in 1, out 2, redirect");
	enters(f, 1, &p, "in 1, out 2, redirect");
	enters(f, 1, &p, "in 1, drop rate-limit-ingress at 2 in port-in, shot");
}

/* A trace asks nothing of the rate, and takes nothing from it. */
static void traced(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A, 100);

	plain_hosts(f);
	port_limit(f, 2, HD_INGRESS, SLOW, ONE);
	twin_load(f);
	for (int i = 0; i < 3; i++)
		assert_int_equal(run_twin(f, 1, &p), REDIRECTED);
	enters(f, 1, &p, "in 1, out 2, redirect");
	enters(f, 1, &p, "in 1, drop rate-limit-ingress at 2 in port-in, shot");
	assert_int_equal(run_twin(f, 1, &p), REDIRECTED);
}

int limit_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ingress),	     TEST(egress),   TEST(both),   TEST(flooded),
		TEST(from_the_host), TEST(replayed), TEST(judged), TEST(paid_for),
		TEST(super_packets), TEST(changed),  TEST(idle),   TEST(traced),
	};

	return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
