// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_learn.c - where a host is: learned, refreshed, moved, refused, forgotten */
#include "tests/prog/fixture.h"

#include <pthread.h>

static void two_ports(struct fixture *f, uint32_t ageing_s)
{
	net_add(f, 1, HD_NETWORK_FLOOD, ageing_s);
	port_add(f, 1, 1, UP);
	port_add(f, 2, 1, UP);
}

static struct pkt frame(const uint8_t to[6], const uint8_t from[6])
{
	struct pkt p = pkt_eth(to, from, ETH_P_IP);

	pkt_ipv4(&p, "192.0.2.1", "192.0.2.2", IPPROTO_UDP);
	pkt_udp(&p, 1000, 2000);
	pkt_bytes(&p, 30);
	pkt_end(&p);
	return p;
}

static void a_conversation(void **state)
{
	struct fixture *f = *state;
	struct pkt there = frame(MAC_B, MAC_A), back = frame(MAC_A, MAC_B);

	two_ports(f, 300);
	port_add(f, 3, 1, UP);
	enters(f, 1, &there, "in 1, new 1/a at 1, macs 1 +1, copies 2, out 2 3, redirect");
	enters(f, 2, &back, "in 2, new 1/b at 2, macs 2 +1, out 1, redirect");
	enters(f, 1, &there, "in 1, out 2, redirect");
	enters(f, 2, &back, "in 2, out 1, redirect");
}

/*
 * Not at each packet, so that busy hosts do not fight for a cache line; but long before it is too
 * old.
 */
static void refreshed_once_a_second(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A);
	uint64_t start;

	two_ports(f, 300);
	fdb_static(f, 1, MAC_B, 2);
	fdb_learned(f, 1, MAC_A, 1, HZ / 2);
	enters(f, 1, &p, "in 1, out 2, redirect");
	start = now(f);
	fdb_learned(f, 1, MAC_A, 1, HZ + 1);
	enters(f, 1, &p, "in 1, heard 1/a, out 2, redirect");
	assert_in_range(fdb_seen(f, 1, MAC_A), start, now(f));
	enters(f, 1, &p, "in 1, out 2, redirect");
}

/* The entry of a port's own MAC is the daemon's; the datapath needs not even look at it. */
static void configured_mac_is_not_learned(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A), other = frame(MAC_B, MAC_C);

	two_ports(f, 300);
	fdb_static(f, 1, MAC_B, 2);
	port_mac(f, 1, MAC_A);
	enters(f, 1, &p, "in 1, out 2, redirect");
	enters(f, 1, &other, "in 1, new 1/c at 1, macs 1 +1, out 2, redirect");
	port_add(f, 1, 1, UP); /* without the flag it has no MAC, whatever stands in its place */
	port_mac(f, 1, MAC_A);
	port_flags(f, 1, UP);
	enters(f, 1, &p, "in 1, new 1/a at 1, macs 1 +1, out 2, redirect");
}

static void static_here_stays(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A);

	two_ports(f, 300);
	fdb_static(f, 1, MAC_A, 1);
	fdb_static(f, 1, MAC_B, 2);
	enters(f, 1, &p, "in 1, out 2, redirect");
}

static void static_elsewhere_is_refused(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A), all = frame(MAC_ALL, MAC_A);

	two_ports(f, 300);
	fdb_static(f, 1, MAC_A, 2);
	enters(f, 1, &p, "in 1, drop mac-static at 1 in port-in, shot");
	enters(f, 1, &all, "in 1, drop mac-static at 1 in port-in, shot");
}

static void a_host_moves(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A), back = frame(MAC_A, MAC_B);

	two_ports(f, 300);
	port_add(f, 3, 1, UP);
	fdb_static(f, 1, MAC_B, 3);
	enters(f, 1, &p, "in 1, new 1/a at 1, macs 1 +1, out 3, redirect");
	enters(f, 2, &p, "in 2, moved 1/a from 1 to 2, macs 1 -1, macs 2 +1, out 3, redirect");
	enters(f, 3, &back, "in 3, out 2, redirect");
	enters(f, 1, &p, "in 1, moved 1/a from 2 to 1, macs 1 +1, macs 2 -1, out 3, redirect");
}

/* It is heard at its new place, so it is young there. */
static void a_move_refreshes(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A), back = frame(MAC_A, MAC_B);

	two_ports(f, 10);
	fdb_static(f, 1, MAC_B, 2);
	port_add(f, 3, 1, UP);
	fdb_learned(f, 1, MAC_A, 3, 11 * HZ);
	enters(f, 1, &p, "in 1, moved 1/a from 3 to 1, macs 1 +1, macs 3 -1, out 2, redirect");
	enters(f, 2, &back, "in 2, out 1, redirect");
}

static void limit_of_new_hosts(void **state)
{
	struct fixture *f = *state;
	struct pkt a = frame(MAC_D, MAC_A), b = frame(MAC_D, MAC_B), c = frame(MAC_D, MAC_C);

	two_ports(f, 300);
	fdb_static(f, 1, MAC_D, 2);
	port_mac_limit(f, 1, 2);
	enters(f, 1, &a, "in 1, new 1/a at 1, macs 1 +1, out 2, redirect");
	enters(f, 1, &b, "in 1, new 1/b at 1, macs 1 +1, out 2, redirect");
	enters(f, 1, &c, "in 1, drop mac-limit at 1 in port-in, shot");
	enters(f, 1, &a, "in 1, out 2, redirect");
	assert_int_equal(port_macs(f, 1), 2);
	/* The daemon forgets one: its place is free. */
	fdb_del(f, 1, MAC_A);
	port_set_macs(f, 1, 1);
	enters(f, 1, &c, "in 1, new 1/c at 1, macs 1 +1, out 2, redirect");
	enters(f, 1, &a, "in 1, drop mac-limit at 1 in port-in, shot");
}

/* A host that may not move in stays where it was, and so does its count. */
static void limit_of_moving_hosts(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_D, MAC_A);

	two_ports(f, 300);
	fdb_static(f, 1, MAC_D, 2);
	port_mac_limit(f, 1, 0);
	fdb_learned(f, 1, MAC_A, 2, 0);
	enters(f, 1, &p, "in 1, drop mac-limit at 1 in port-in, shot");
	assert_int_equal(port_macs(f, 1), 0);
	assert_int_equal(port_macs(f, 2), 1);
}

static void full_table_drops_nothing(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_D, MAC_A), back = frame(MAC_A, MAC_D);

	fixture_resize(f, (struct sizes){ .fdb = 2 });
	two_ports(f, 300);
	fdb_static(f, 1, MAC_D, 2);
	fdb_static(f, 1, MAC_C, 2);
	enters(f, 1, &p, "in 1, out 2, redirect");
	assert_int_equal(port_macs(f, 1), 0);
	enters(f, 2, &back, "in 2, out 1, redirect");
}

static void same_mac_in_two_networks(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A), back = frame(MAC_A, MAC_B);

	two_ports(f, 300);
	net_add(f, 2, HD_NETWORK_FLOOD, 300);
	port_add(f, 3, 2, UP);
	port_add(f, 4, 2, UP);
	enters(f, 1, &p, "in 1, new 1/a at 1, macs 1 +1, out 2, redirect");
	enters(f, 3, &p, "in 3, new 2/a at 3, macs 3 +1, out 4, redirect");
	enters(f, 2, &back, "in 2, new 1/b at 2, macs 2 +1, out 1, redirect");
	enters(f, 4, &back, "in 4, new 2/b at 4, macs 4 +1, out 3, redirect");
	/* ... also when it is configured in one of them. */
	fdb_static(f, 2, MAC_C, 4);
	p = frame(MAC_B, MAC_C);
	enters(f, 1, &p, "in 1, new 1/c at 1, macs 1 +1, out 2, redirect");
	enters(f, 3, &p, "in 3, drop mac-static at 3 in port-in, shot");
}

static void old_entries_count_as_absent(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A);

	two_ports(f, 10);
	port_add(f, 3, 1, UP);
	port_mac(f, 1, MAC_A);
	fdb_learned(f, 1, MAC_B, 3, 9 * HZ);
	enters(f, 1, &p, "in 1, out 3, redirect");
	fdb_learned(f, 1, MAC_B, 3, 10 * HZ + HZ / 2);
	enters(f, 1, &p, "in 1, copies 2, out 2 3, redirect");
	net_add(f, 1, 0, 10);
	enters(f, 1, &p, "in 1, drop unknown-unicast at 1 in flood, shot");
	net_add(f, 1, 0, 0); /* for ever */
	enters(f, 1, &p, "in 1, out 3, redirect");
}

static void old_entry_is_heard_again(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A), back = frame(MAC_A, MAC_B);

	two_ports(f, 10);
	port_mac(f, 2, MAC_B);
	fdb_static(f, 1, MAC_B, 2);
	fdb_learned(f, 1, MAC_A, 1, 1000 * HZ);
	enters(f, 1, &p, "in 1, heard 1/a, out 2, redirect");
	enters(f, 2, &back, "in 2, out 1, redirect");
}

static void static_entries_do_not_age(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A);

	two_ports(f, 1);
	port_mac(f, 1, MAC_A);
	fdb_static(f, 1, MAC_B, 2); /* seen: 0 */
	net_add(f, 1, 0, 1);
	enters(f, 1, &p, "in 1, out 2, redirect");
}

/*
 * Another CPU may refresh an entry between this CPU's look at the clock and at the entry, which
 * then was heard in the future: it is very young, not very old.
 */
static void heard_in_the_future(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_B, MAC_A);

	two_ports(f, 10);
	net_add(f, 1, 0, 10);
	port_mac(f, 1, MAC_A);
	fdb_learned(f, 1, MAC_B, 2, -5 * HZ);
	enters(f, 1, &p, "in 1, out 2, redirect");
}

/*
 * The count of a port can be behind its entries: the daemon zeroes it when it gives out an id, and
 * takes an entry off that the datapath moves at the same moment. It must not wrap then, or the port
 * could never learn again.
 */
static void a_count_does_not_wrap(void **state)
{
	struct fixture *f = *state;
	struct pkt a = frame(MAC_D, MAC_A), c = frame(MAC_D, MAC_C);

	two_ports(f, 300);
	fdb_static(f, 1, MAC_D, 1);
	port_add(f, 3, 1, UP);
	fdb_learned(f, 1, MAC_A, 2, 0);
	port_set_macs(f, 2, 0);
	enters(f, 3, &a, "in 3, moved 1/a from 2 to 3, macs 3 +1, out 1, redirect");
	enters(f, 2, &c, "in 2, new 1/c at 2, macs 2 +1, out 1, redirect");
}

/* --- two CPUs --- */

#define THREAD_FRAMES 3000
#define THREAD_LIMIT 100

struct thread {
	pthread_t id;
	struct fixture *f;
	uint8_t number;
	uint32_t port;
};

/*
 * All threads use the same addresses, in another order, so that they meet at entries as well as at
 * the limit.
 */
static void *send_many(void *arg)
{
	struct thread *t = arg;

	for (uint32_t i = 0; i < THREAD_FRAMES; i++) {
		uint8_t n = (uint8_t)((i * (t->number ? 31 : 1)) % 200);
		struct pkt p = pkt_eth(MAC_D, (const uint8_t[6]){ 2, 1, 0, 0, 0, n }, ETH_P_OTHER);

		pkt_fill(&p, 60);
		(void)run_in(t->f, t->port, &p);
	}
	return NULL;
}

static void run_threads(struct fixture *f, uint32_t first_port, uint32_t second_port)
{
	struct thread threads[2] = { { .f = f, .number = 0, .port = first_port },
				     { .f = f, .number = 1, .port = second_port } };

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i].id, NULL, send_many, &threads[i]), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i].id, NULL), 0);
}

static void limit_holds_between_cpus(void **state)
{
	struct fixture *f = *state;

	two_ports(f, 300);
	fdb_static(f, 1, MAC_D, 2);
	port_mac_limit(f, 1, THREAD_LIMIT);
	run_threads(f, 1, 1);
	assert_int_equal(port_macs(f, 1), THREAD_LIMIT);
	assert_int_equal(fdb_count(f), THREAD_LIMIT + 1);
}

/* However often the hosts are pulled to and fro: each is counted once. */
static void counts_hold_between_cpus(void **state)
{
	struct fixture *f = *state;

	two_ports(f, 300);
	port_add(f, 3, 1, UP);
	fdb_static(f, 1, MAC_D, 3);
	port_mac_limit(f, 1, 1000);
	port_mac_limit(f, 2, 1000);
	run_threads(f, 1, 2);
	assert_int_equal(fdb_count(f), 200 + 1);
	assert_int_equal(port_macs(f, 1) + port_macs(f, 2), 200);
}

/* A table with less room than there are hosts: who did not get in is not counted. */
static void counts_hold_when_full(void **state)
{
	struct fixture *f = *state;

	fixture_resize(f, (struct sizes){ .fdb = 50 });
	two_ports(f, 300);
	fdb_static(f, 1, MAC_D, 2);
	port_mac_limit(f, 1, 1000);
	run_threads(f, 1, 1);
	assert_int_equal(port_macs(f, 1) + 1, fdb_count(f));
}

int learn_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_conversation),
		TEST(refreshed_once_a_second),
		TEST(configured_mac_is_not_learned),
		TEST(static_here_stays),
		TEST(static_elsewhere_is_refused),
		TEST(a_host_moves),
		TEST(a_move_refreshes),
		TEST(limit_of_new_hosts),
		TEST(limit_of_moving_hosts),
		TEST(full_table_drops_nothing),
		TEST(same_mac_in_two_networks),
		TEST(old_entries_count_as_absent),
		TEST(old_entry_is_heard_again),
		TEST(static_entries_do_not_age),
		TEST(heard_in_the_future),
		TEST(a_count_does_not_wrap),
		TEST(limit_holds_between_cpus),
		TEST(counts_hold_between_cpus),
		TEST(counts_hold_when_full),
	};

	return cmocka_run_group_tests_name("learning", tests, NULL, NULL);
}
