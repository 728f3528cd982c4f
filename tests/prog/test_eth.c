// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_eth.c - frames of every length, addresses that can't be, tags, and devices that are no port
 */
#include "tests/prog/fixture.h"

#include <bpf/bpf.h>

/*
 * Network 1 with ports 1 and 2; "a" is already known at 1, so that learning is not part of the
 * story.
 */
static void two_ports(struct fixture *f, uint32_t flags)
{
	net_add(f, 1, flags, 0);
	port_add(f, 1, 1, UP);
	port_add(f, 2, 1, UP);
	port_mac(f, 1, MAC_A);
}

static void short_frames_pass_when_whole(void **state)
{
	struct fixture *f = *state;
	struct pkt p = pkt_eth(MAC_ALL, MAC_A, ETH_P_OTHER);

	two_ports(f, HD_NETWORK_FLOOD | HD_NETWORK_SUPPRESS);
	pkt_fill(&p, 60);
	for (uint32_t len = shortest_frame(f); len <= 60; len++) {
		struct pkt cut = pkt_cut(&p, len);

		enters(f, 1, &cut, "in 1, out 2, redirect");
	}
}

static void short_tags_are_dropped(void **state)
{
	static const uint16_t types[] = { ETH_P_8021Q, ETH_P_8021AD };
	struct fixture *f = *state;

	two_ports(f, HD_NETWORK_FLOOD);
	for (uint32_t i = 0; i < 2 * 61; i++) {
		struct pkt p = pkt_eth(MAC_ALL, MAC_A, types[i / 61]);

		pkt_vlan(&p, 5, ETH_P_OTHER);
		pkt_fill(&p, 60);
		p.len = i % 61;
		if (p.len < shortest_frame(f))
			continue;
		enters(f, 1, &p,
		       p.len < 18 ? "in 1, drop short-frame at 1 in port-in, shot"
				  : "in 1, out 2, redirect");
	}
}

/* A question that is not all there is not answered, but it is a frame like others. */
static void short_questions_go_on(void **state)
{
	struct fixture *f = *state;
	struct pkt arp = pkt_eth(MAC_ALL, MAC_A, ETH_P_ARP);
	struct pkt ns = pkt_eth(MAC_ALL, MAC_A, ETH_P_IPV6);

	two_ports(f, HD_NETWORK_FLOOD | HD_NETWORK_SUPPRESS);
	neigh_add(f, 1, "192.0.2.2", MAC_B, 2);
	neigh_add(f, 1, "2001:db8::2", MAC_B, 2);
	pkt_arp(&arp, ARPOP_REQUEST, MAC_A, "192.0.2.1", MAC_ZERO, "192.0.2.2");
	pkt_ipv6(&ns, "2001:db8::1", "ff02::1:ff00:2", IPPROTO_ICMPV6, 255);
	pkt_icmp6_ns(&ns, "2001:db8::2", NULL);
	pkt_end(&ns);
	assert_int_equal(arp.len, 42);
	assert_int_equal(ns.len, 78);
	for (uint32_t len = shortest_frame(f); len < arp.len; len++) {
		struct pkt cut = pkt_cut(&arp, len);

		enters(f, 1, &cut, "in 1, out 2, redirect");
	}
	for (uint32_t len = ETH_HLEN + 40; len < ns.len; len++) {
		struct pkt cut = pkt_cut(&ns, len);

		enters(f, 1, &cut, "in 1, out 2, redirect");
	}
}

static void impossible_sources_are_dropped(void **state)
{
	static const uint8_t sources[][6] = {
		{ 0 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x01, 0x00, 0x5e, 0, 0, 1 },
		{ 0x33, 0x33, 0, 0, 0, 1 },
		{ 0x03, 0, 0, 0, 0, 0x0a },
		{ 0x01, 0, 0, 0, 0, 0 },
	};
	struct fixture *f = *state;

	two_ports(f, HD_NETWORK_FLOOD);
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		struct pkt p = pkt_eth(MAC_B, sources[i], ETH_P_IP);

		pkt_fill(&p, 60);
		enters(f, 1, &p, "in 1, drop source-mac at 1 in port-in, shot");
	}
}

/* Only the first bit of the first byte makes a group; only all six zero are nobody. */
static void odd_sources_are_fine(void **state)
{
	struct fixture *f = *state;
	struct pkt p = pkt_eth(MAC_ALL, (const uint8_t[6]){ 0, 0, 0, 0, 0, 1 }, ETH_P_OTHER);
	struct pkt q = pkt_eth(MAC_ALL, (const uint8_t[6]){ 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff },
			       ETH_P_OTHER);

	two_ports(f, HD_NETWORK_FLOOD);
	enters(f, 1, &p, "in 1, new 1/00:00:00:00:00:01 at 1, macs 1 +1, out 2, redirect");
	enters(f, 1, &q, "in 1, new 1/fe:ff:ff:ff:ff:ff at 1, macs 1 +1, out 2, redirect");
}

/* In the packet, beside it, both; a tag of each kind: it arrives as it was. */
static void tags_pass_unchanged(void **state)
{
	static const uint16_t types[] = { ETH_P_8021Q, ETH_P_8021AD };
	struct fixture *f = *state;

	two_ports(f, HD_NETWORK_FLOOD);
	fdb_static(f, 1, MAC_B, 2);
	for (size_t i = 0; i < 2; i++) {
		struct pkt p = pkt_eth(MAC_B, MAC_A, types[i]);

		pkt_vlan(&p, 100, ETH_P_8021Q);
		pkt_vlan(&p, 200, ETH_P_IP);
		pkt_fill(&p, 100);
		enters(f, 1, &p, "in 1, out 2, redirect");
		f->vid = 300;
		enters(f, 1, &p, "in 1, out 2, redirect");
	}
}

/* A tag does not make another network of it yet: addresses are learned as those without. */
static void tags_do_not_matter_to_the_fdb(void **state)
{
	struct fixture *f = *state;
	struct pkt tagged = pkt_eth(MAC_B, MAC_A, ETH_P_8021Q),
		   plain = pkt_eth(MAC_A, MAC_B, ETH_P_IP);

	net_add(f, 1, HD_NETWORK_FLOOD, 0);
	port_add(f, 1, 1, UP);
	port_add(f, 2, 1, UP);
	pkt_vlan(&tagged, 5, ETH_P_IP);
	pkt_fill(&tagged, 60);
	pkt_fill(&plain, 60);
	enters(f, 1, &tagged, "in 1, new 1/a at 1, macs 1 +1, out 2, redirect");
	enters(f, 2, &plain, "in 2, new 1/b at 2, macs 2 +1, out 1, redirect");
	enters(f, 1, &tagged, "in 1, out 2, redirect");
}

static void device_without_port(void **state)
{
	struct fixture *f = *state;
	struct pkt p = pkt_eth(MAC_B, MAC_A, ETH_P_IP);

	two_ports(f, HD_NETWORK_FLOOD);
	pkt_fill(&p, 60);
	enters(f, 3, &p, "drop no-port at 0 in port-in, shot");
	enters(f, 0, &p, "drop no-port at 0 in port-in, shot");
}

/* While a port is being removed, the device still leads to an entry that is free. */
static void port_without_entry(void **state)
{
	struct fixture *f = *state;
	struct pkt p = pkt_eth(MAC_B, MAC_A, ETH_P_IP);

	two_ports(f, HD_NETWORK_FLOOD);
	pkt_fill(&p, 60);
	port_put(f, 1, (struct hd_port_value){ 0 });
	enters(f, 1, &p, "drop no-port at 0 in port-in, shot");
}

/* Devices 1 and 13 fall on the same slot; the second to come is found in the far table. */
static void colliding_ifindices(void **state)
{
	struct fixture *f = *state;
	struct pkt p = pkt_eth(MAC_B, MAC_A, ETH_P_IP), q = pkt_eth(MAC_A, MAC_B, ETH_P_IP);

	assert_int_equal(device(DEVICE_COLLIDING) % HD_IFINDEX_SLOTS, device(1) % HD_IFINDEX_SLOTS);
	net_add(f, 1, HD_NETWORK_FLOOD, 0);
	port_add(f, 1, 1, UP);
	pkt_fill(&p, 60);
	pkt_fill(&q, 60);
	enters(f, DEVICE_COLLIDING, &p, "drop no-port at 0 in port-in, shot");
	port_add_on(f, 5, DEVICE_COLLIDING, 1, UP);
	enters(f, DEVICE_COLLIDING, &p, "in 5, new 1/a at 5, macs 5 +1, out 1, redirect");
	enters(f, 1, &q, "in 1, new 1/b at 1, macs 1 +1, out 5, redirect");
}

static void missing_stage(void **state)
{
	struct fixture *f = *state;
	struct pkt p = pkt_eth(MAC_ALL, MAC_A, ETH_P_OTHER);

	two_ports(f, HD_NETWORK_FLOOD | HD_NETWORK_SUPPRESS);
	pkt_fill(&p, 60);
	stage_del(f, HD_STAGE_FLOOD);
	enters(f, 1, &p, "in 1, drop tail-call at 1 in neighbour, shot");
	stage_del(f, HD_STAGE_NEIGH);
	enters(f, 1, &p, "in 1, drop tail-call at 1 in port-in, shot");
}

/*
 * With room for two kinds of drops, a third is counted under port 0, where the daemon has made an
 * entry in time.
 */
static void full_drop_table(void **state)
{
	struct fixture *f = *state;
	struct pkt p = pkt_eth(MAC_B, MAC_ZERO, ETH_P_IP), q = pkt_eth(MAC_B, MAC_A, ETH_P_8021Q);

	fixture_resize(f, (struct sizes){ .drops = 2 });
	two_ports(f, 0);
	drop_seed(f, HD_DROP_SHORT_FRAME, HD_STAGE_PORT_IN);
	pkt_fill(&p, 60);
	enters(f, 1, &p, "in 1, drop source-mac at 1 in port-in, shot");
	enters(f, 1, &q,
	       "in 1, drop short-frame at 0 in port-in, !port 0 counts 0 drops, !port 1 counts 1 drops, "
	       "shot");
	enters(f, 1, &p, "in 1, drop source-mac at 1 in port-in, shot");
}

/* A first drop of its kind is counted under its own port however short of memory the kernel is: the entry has been there from the start. */
static void drops_need_no_memory(void **state)
{
	struct fixture *f = *state;
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(bpf_map__fd(f->skel->maps.hd_drops), &info, &len),
			 0);
	assert_int_equal(info.map_flags & BPF_F_NO_PREALLOC, 0);
}

/* The daemon reads the clock in halves. */
static void clock_is_jiffies(void **state)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = 1);
	struct fixture *f = *state;
	uint8_t frame[64] = { 0 };
	uint32_t first, last;

	opts.data_in = frame;
	opts.data_size_in = sizeof(frame);
	first = (uint32_t)now(f);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(f->skel->progs.hd_clock), &opts),
			 0);
	last = (uint32_t)now(f);
	assert_in_range(opts.retval - first, 0, last - first);
}

int eth_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(short_frames_pass_when_whole),
		TEST(short_tags_are_dropped),
		TEST(short_questions_go_on),
		TEST(impossible_sources_are_dropped),
		TEST(odd_sources_are_fine),
		TEST(tags_pass_unchanged),
		TEST(tags_do_not_matter_to_the_fdb),
		TEST(device_without_port),
		TEST(port_without_entry),
		TEST(colliding_ifindices),
		TEST(missing_stage),
		TEST(full_drop_table),
		TEST(drops_need_no_memory),
		TEST(clock_is_jiffies),
	};

	return cmocka_run_group_tests_name("frames and devices", tests, NULL, NULL);
}
