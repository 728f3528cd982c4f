// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_onward.c - established flows from uplink to uplink, sent on by XDP: the same bytes, the same counts as by TC
 *
 *	network 1: ann, behind leg 1 (VLAN 10), or behind peer 21 (VXLAN) ──┐
 *	                                                                    ├── router 30, which translates
 *	network 2, outside: dan, behind leg 4 (VLAN 20) ────────────────────┘
 *
 * Uplink 20 is device 2. Each test runs by TC alone, too, with the same stories.
 */
#include "tests/prog/natted.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#define UPLINK 20
#define WIRE 2
#define PEER 21
#define VID_IN 10
#define VID_OUT 20
#define US "192.0.2.201"
#define THEM "192.0.2.202"

#define OUT_BEGINS "in 1, routed udp begins, out 4, redirect"
#define IN_CONFIRMS "in 4, routed udp established for good, out 1, redirect"
#define OUT_GOES_ON "in 1, routed udp goes on, out 4, redirect"
#define IN_GOES_ON "in 4, routed udp goes on, out 1, redirect"

static uint8_t mac_of_wire[6];

/* Where a host is found: behind a leg, or a peer. */
static void lives(struct fixture *f, const struct host *host, uint32_t network, uint32_t port)
{
	fdb_static(f, network, host->mac, port);
	neigh_add(f, network, host->v4, host->mac, port);
	neigh_add(f, network, host->v6, host->mac, port);
}

/* What an end of tunnels, or an uplink, is. Where there are legs, what is for another MAC than the device's is not opened. */
static void end_set(struct fixture *f, uint32_t id, uint32_t flags)
{
	int ends = bpf_map__fd(f->skel->maps.hd_ends);
	struct hd_end_value end;

	assert_int_equal(bpf_map_lookup_elem(ends, &id, &end), 0);
	memcpy(end.from, mac_of_wire, 6);
	end.flags = flags;
	assert_int_equal(bpf_map_update_elem(ends, &id, &end, BPF_ANY), 0);
}

static void set_marks(struct fixture *f, uint32_t seen)
{
	for (uint32_t i = 0; i < HD_ONWARD_SLOTS; i++)
		assert_int_equal(bpf_map_update_elem(bpf_map__fd(f->skel->maps.hd_onward), &i,
						     &seen, BPF_ANY),
				 0);
}

static void world(struct fixture *f, uint32_t inside)
{
	device_mac(WIRE, mac_of_wire);
	set_marks(f, (uint32_t)now(f) - 60 * HZ);
	net_add(f, 1, HD_NETWORK_FLOOD, 300);
	net_add(f, OUTSIDE, HD_NETWORK_FLOOD, 300);
	uplink_add(f, UPLINK, WIRE, US);
	port_flags(f, UPLINK, HD_PORT_UPLINK | HD_PORT_LEGS | UP);
	end_set(f, UPLINK, HD_END_FORWARD);
	leg_add(f, 4, UPLINK, OUTSIDE, VID_OUT, 0);
	if (inside == PEER) {
		net_tunnel(f, 1, HD_TUNNEL_VXLAN, VID_IN, HD_VXLAN_PORT);
		peer_add(f, PEER, WIRE, US, THEM);
		end_set(f, PEER, 0);
	} else {
		leg_add(f, 1, UPLINK, 1, VID_IN, 0);
	}
	lives(f, &ann, 1, inside);
	lives(f, &dan, OUTSIDE, 4);
	router_add(f, ROUTER, MAC_ROUTER, MAC_ASKS);
	router_joins(f, ROUTER, 1, "192.0.2.0", 24, GATE1);
	router_joins(f, ROUTER, OUTSIDE, "198.51.100.0", 24, GATE);
	gateway_set(f, ROUTER, GATE, HD_END_SNAT);
	pool_set(f, GATE, BLOCK, 4, 0);
}

/* How a frame is on the wire: with a tag, or wrapped by one of the two. @vid: 0 = wrapped */
static struct pkt on_wire(const struct pkt *frame, uint16_t vid, bool to_us)
{
	struct pkt p;

	if (vid)
		return pkt_tagged(frame, ETH_P_8021Q, vid);
	p = pkt_eth(to_us ? mac_of_wire : MAC(PEER), to_us ? MAC(PEER) : mac_of_wire, ETH_P_IP);
	pkt_ipv4(&p, to_us ? THEM : US, to_us ? US : THEM, IPPROTO_UDP);
	p.data[ETH_HLEN + 6] = 0x40; /* DF */
	pkt_udp_no_csum(&p, 50000, HD_VXLAN_PORT);
	pkt_vxlan(&p, VID_IN);
	pkt_append(&p, frame);
	pkt_end(&p);
	return p;
}

/* A frame by @vid goes on as another by @to_vid. @action: what XDP says, where it is. What TC sends has its tag beside it. */
#define goes(f, in, vid, out, to_vid, action, story)                                               \
	do {                                                                                       \
		struct pkt in_ = (in), out_ = going(out);                                          \
                                                                                                   \
		goes_(f, &in_, vid, &out_, to_vid, action, story, __FILE__, __LINE__);             \
	} while (0)

static void goes_(struct fixture *f, const struct pkt *in, uint16_t vid, const struct pkt *out,
		  uint16_t to_vid, int action, const char *story, const char *file, int line)
{
	bool by_xdp = f->xdp && action != XDP_PASS;
	struct pkt from = on_wire(in, vid, true),
		   to = by_xdp || !to_vid ? on_wire(out, to_vid, false) : *out;

	f->inside = in;
	f->hash_at = to_vid ? 0 : ETH_HLEN + 20;
	uplink_gets_(f, WIRE, &from, &to, story, file, line);
	if (f->xdp)
		_assert_int_equal(f->action, action, file, line);
}

static struct pkt ask(uint16_t sport)
{
	return to_router(udp4(&ann, &dan, sport, 53));
}

static struct pkt asked(uint16_t port)
{
	return udp4(&gate, &dan, port, 53);
}

static struct pkt answer(uint16_t port)
{
	return udp4(&dan, &gate, 53, port);
}

static struct pkt answered(uint16_t dport)
{
	return udp4(&dan_in, &ann, 53, dport);
}

/* The first three are for TC, which leaves a mark with the first that it replays: one in each direction. */
static void begin(struct fixture *f, uint16_t vid)
{
	goes(f, ask(4000), vid, asked(PORT(0)), VID_OUT, XDP_PASS,
	     vid ? OUT_BEGINS : "in 21, routed udp begins, out 4, redirect");
	goes(f, answer(PORT(0)), VID_OUT, answered(4000), vid, XDP_PASS,
	     vid ? IN_CONFIRMS : "in 4, routed udp established for good, out 21, redirect");
	goes(f, ask(4000), vid, asked(PORT(0)), VID_OUT, XDP_PASS,
	     vid ? OUT_GOES_ON : "in 21, routed udp goes on, out 4, redirect");
	goes(f, answer(PORT(0)), VID_OUT, answered(4000), vid, XDP_PASS,
	     vid ? IN_GOES_ON : "in 4, routed udp goes on, out 21, redirect");
}

static void between_legs(void **state)
{
	struct fixture *f = *state;

	world(f, 1);
	begin(f, VID_IN);
	for (int i = 0; i < 2; i++) {
		goes(f, ask(4000), VID_IN, asked(PORT(0)), VID_OUT, XDP_TX, OUT_GOES_ON);
		goes(f, answer(PORT(0)), VID_OUT, answered(4000), VID_IN, XDP_TX, IN_GOES_ON);
	}
}

static void tunnel_and_leg(void **state)
{
	struct fixture *f = *state;

	world(f, PEER);
	begin(f, 0);
	for (int i = 0; i < 2; i++) {
		goes(f, ask(4000), 0, asked(PORT(0)), VID_OUT, XDP_TX,
		     "in 21, routed udp goes on, out 4, redirect");
		goes(f, answer(PORT(0)), VID_OUT, answered(4000), 0, XDP_TX,
		     "in 4, routed udp goes on, out 21, redirect");
	}
}

/* A port forward of IPv6: addresses and ports of both directions, in the same bytes as at TC. */
static void forwarded6(void **state)
{
	struct host listener = gate;
	struct fixture *f = *state;

	world(f, 1);
	router_joins(f, ROUTER, 1, "2001:db8:1::", 64, GATE1_6);
	router_joins(f, ROUTER, OUTSIDE, "2001:db8:2::", 64, GATE2_6);
	forward6_set(f, HD_FLOW_UDP, GATE2_6, 81, ann.v6, 53);
	for (int i = 0; i < 4; i++) {
		goes(f, udp6(&dan, &listener, 4000, 81), VID_OUT, udp6(&dan_in, &ann, 4000, 53),
		     VID_IN, i < 2 ? XDP_PASS : XDP_TX,
		     i ? "in 4, routed udp6 goes on, out 1, redirect"
		       : "in 4, routed udp6 begins, out 1, redirect");
		goes(f, to_router(udp6(&ann, &dan, 53, 4000)), VID_IN,
		     udp6(&listener, &dan, 81, 4000), VID_OUT, i < 2 ? XDP_PASS : XDP_TX,
		     i ? "in 1, routed udp6 goes on, out 4, redirect"
		       : "in 1, routed udp6 established for good, out 4, redirect");
	}
}

/* "No checksum" stays what it is, and is none that has been left to the device. */
static void without_checksum(void **state)
{
	struct fixture *f = *state;
	struct pkt in = ask(4000), out = asked(PORT(0));

	world(f, 1);
	begin(f, VID_IN);
	end_set(f, UPLINK, HD_END_FORWARD | HD_END_PARTIAL);
	pkt_set16(&in, ETH_HLEN + 20 + 6, 0);
	pkt_set16(&out, ETH_HLEN + 20 + 6, 0);
	goes(f, in, VID_IN, out, VID_OUT, XDP_REDIRECT, OUT_GOES_ON);
}

/* Where a local sender may have left the checksum to its device. */
static void unfinished_checksum(void **state)
{
	struct fixture *f = *state;
	struct pkt in = ask(4000), out = asked(PORT(0));
	uint32_t sum = 0;
	struct pkt tagged;

	world(f, 1);
	begin(f, VID_IN);
	for (uint32_t i = ETH_HLEN + 12; i < ETH_HLEN + 20; i += 2)
		sum += (uint32_t)in.data[i] << 8 | in.data[i + 1];
	sum += IPPROTO_UDP + in.len - ETH_HLEN - 20;
	pkt_set16(&in, ETH_HLEN + 20 + 6, (uint16_t)((sum & 0xffff) + (sum >> 16)));
	tagged = pkt_tagged(&in, ETH_P_8021Q, VID_IN);
	end_set(f, UPLINK, HD_END_FORWARD | HD_END_PARTIAL);
	(void)run_uplink(f, WIRE, &tagged, &out);
	if (f->xdp)
		assert_int_equal(f->action, XDP_PASS);
	end_set(f, UPLINK, HD_END_FORWARD);
	(void)run_uplink(f, WIRE, &tagged, &out);
	if (f->xdp)
		assert_int_equal(f->action, XDP_TX); /* at hardware it is only wrong */
}

/* By another uplink: if that is meant to. */
static void to_another_uplink(void **state)
{
	struct fixture *f = *state;
	struct hd_port_value leg;

	world(f, 1);
	begin(f, VID_IN);
	uplink_add(f, 22, 3, "192.0.2.203");
	leg = port_get(f, 4);
	leg.ifindex = device(3);
	port_put(f, 4, leg);
	goes(f, ask(4000), VID_IN, asked(PORT(0)), VID_OUT, XDP_PASS, OUT_GOES_ON);
	end_set(f, 22, HD_END_FORWARD);
	goes(f, ask(4000), VID_IN, asked(PORT(0)), VID_OUT, XDP_REDIRECT, OUT_GOES_ON);
	end_set(f, UPLINK, 0);
	goes(f, ask(4000), VID_IN, asked(PORT(0)), VID_OUT, XDP_PASS, OUT_GOES_ON);
}

/* What TC has to look at, and what XDP can't know. */
static void left_to_tc(void **state)
{
	struct fixture *f = *state;
	struct pkt p = with_ttl(ask(4000), 1), tagged = pkt_tagged(&p, ETH_P_8021Q, VID_IN), out;
	uint8_t moved[6];

	world(f, 1);
	begin(f, VID_IN);
	(void)run_uplink(f, WIRE, &tagged, &out);
	if (f->xdp)
		assert_int_equal(f->action, XDP_PASS);
	set_gen(f, 4, 77); /* judged anew */
	goes(f, ask(4000), VID_IN, asked(PORT(0)), VID_OUT, XDP_PASS, OUT_GOES_ON);
	goes(f, ask(4000), VID_IN, asked(PORT(0)), VID_OUT, XDP_TX, OUT_GOES_ON);
	p = ask(4000);
	memcpy(moved, MAC_C, 6);
	memcpy(p.data + 6, moved, 6); /* from a MAC that is not known */
	goes(f, p, VID_IN, asked(PORT(0)), VID_OUT, XDP_PASS,
	     "in 1, new 1/c at 1, macs 1 +1, routed udp goes on, out 4, redirect");
	fdb_del(f, OUTSIDE, dan.mac); /* and one that is not known any more */
	p = ask(4000);
	tagged = pkt_tagged(&p, ETH_P_8021Q, VID_IN);
	(void)run_uplink(f, WIRE, &tagged, &out);
	if (f->xdp)
		assert_int_equal(f->action, XDP_PASS);
}

/* A mark that is old is none; what goes on renews it. */
static void mark_ends(void **state)
{
	struct fixture *f = *state;

	world(f, 1);
	begin(f, VID_IN);
	set_marks(f, (uint32_t)now(f) - 11 * HZ);
	goes(f, ask(4000), VID_IN, asked(PORT(0)), VID_OUT, XDP_PASS, OUT_GOES_ON);
	goes(f, ask(4000), VID_IN, asked(PORT(0)), VID_OUT, XDP_TX, OUT_GOES_ON);
}

static int onward_xdp_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST_XDP(between_legs),	     TEST_XDP(tunnel_and_leg),
		TEST_XDP(without_checksum),  TEST_XDP(unfinished_checksum),
		TEST_XDP(to_another_uplink), TEST_XDP(left_to_tc),
		TEST_XDP(mark_ends),	     TEST_XDP(forwarded6),
	};

	return cmocka_run_group_tests_name("onward by XDP", tests, NULL, NULL);
}

int onward_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(between_legs),	 TEST(tunnel_and_leg), TEST(without_checksum),
		TEST(to_another_uplink), TEST(left_to_tc),     TEST(forwarded6),
	};

	return cmocka_run_group_tests_name("onward", tests, NULL, NULL) + onward_xdp_tests();
}
