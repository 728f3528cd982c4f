// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_tunnel.c - networks that go on at other hosts: what is wrapped and how, what is taken out of a tunnel, and what is refused
 *
 * Networks 1 VXLAN 10, 2 Geneve 11, 3 GRE without a key, 4 GRE with key 12. Host "a" is behind port 1, device 1. Uplink 20 is
 * device 2, at 192.0.2.1. Host "b" is behind peer 21, 192.0.2.2; peer 22 is 192.0.2.3.
 */
#include "tests/prog/fixture.h"

#define US "192.0.2.1"
#define PEER "192.0.2.2"
#define UPLINK 2
#define SOURCE_PORT 50000

static void tables(struct fixture *f, uint32_t network)
{
	static const struct {
		enum hd_tunnel_type type;
		uint32_t id;
		uint16_t port;
	} tunnels[] = { { HD_TUNNEL_VXLAN, 10, HD_VXLAN_PORT },
			{ HD_TUNNEL_GENEVE, 11, HD_GENEVE_PORT },
			{ HD_TUNNEL_GRE, 0, 0 },
			{ HD_TUNNEL_GRE_KEY, 12, 0 } };

	for (uint32_t i = 0; i < 4; i++) {
		net_add(f, i + 1, HD_NETWORK_FLOOD, 300);
		net_tunnel(f, i + 1, tunnels[i].type, tunnels[i].id, tunnels[i].port);
	}
	port_add(f, 1, network, UP);
	port_mac(f, 1, MAC_A);
	fdb_static(f, network, MAC_A, 1);
	net_first(f, network, 1);
	uplink_add(f, 20, UPLINK, US);
	peer_add(f, 21, UPLINK, US, PEER);
	peer_add(f, 22, UPLINK, US, "192.0.2.3");
	peer_link(f, 0, 0, 21);
	peer_link(f, 0, 21, 22);
	peer_link(f, 0, 22, 0);
}

/* IPv4 from @from to @to, with @len bytes of data. */
static struct pkt inner(const uint8_t to[6], const uint8_t from[6], uint32_t len)
{
	struct pkt p = pkt_eth(to, from, ETH_P_IP);

	pkt_ipv4(&p, "10.0.20.1", "10.0.20.2", IPPROTO_UDP);
	pkt_udp(&p, 1000, 2000);
	pkt_bytes(&p, len);
	pkt_end(&p);
	return p;
}

static struct pkt inner_v6(const uint8_t to[6], const uint8_t from[6])
{
	struct pkt p = pkt_eth(to, from, ETH_P_IPV6);

	pkt_ipv6(&p, "2001:db8::1", "2001:db8::2", IPPROTO_UDP, 64);
	pkt_udp(&p, 1000, 2000);
	pkt_bytes(&p, 20);
	pkt_end(&p);
	return p;
}

static struct pkt arp(const uint8_t to[6], const uint8_t from[6])
{
	struct pkt p = pkt_eth(to, from, ETH_P_ARP);

	pkt_arp(&p, 1, from, "10.0.20.1", MAC_ZERO, "10.0.20.2");
	return p;
}

/* The outer headers up to that of the tunnel, from @from to @to; UDP unless @port is 0. */
static struct pkt outer_start(const char *to, const char *from, const uint8_t to_mac[6],
			      const uint8_t from_mac[6], uint16_t port)
{
	struct pkt p = pkt_eth(to_mac, from_mac, strchr(to, ':') ? ETH_P_IPV6 : ETH_P_IP);
	uint8_t proto = port ? IPPROTO_UDP : IPPROTO_GRE;

	if (strchr(to, ':'))
		pkt_ipv6(&p, from, to, proto, 64);
	else
		pkt_ipv4(&p, from, to, proto);
	if (!strchr(to, ':'))
		p.data[ETH_HLEN + 6] = 0x40; /* DF */
	if (port)
		pkt_udp_no_csum(&p, SOURCE_PORT, port);
	return p;
}

static void tunnel_header(struct pkt *p, uint32_t network)
{
	switch (network) {
	case 1:
		pkt_vxlan(p, 10);
		break;
	case 2:
		pkt_geneve(p, 11, 0);
		break;
	case 3:
		pkt_gre(p, 0);
		break;
	default:
		pkt_gre(p, 0x2000);
		pkt_word(p, 12);
	}
}

static uint16_t port_of(uint32_t network)
{
	return network == 1 ? HD_VXLAN_PORT : network == 2 ? HD_GENEVE_PORT : 0;
}

static struct pkt wrapped(const struct pkt *frame, uint32_t network, const char *to, uint8_t to_mac)
{
	struct pkt p = outer_start(to, strchr(to, ':') ? "2001:db8:ffff::1" : US, MAC(to_mac),
				   MAC_UPLINK, port_of(network));

	tunnel_header(&p, network);
	pkt_append(&p, frame);
	pkt_end(&p);
	return p;
}

/* From the peer to us. */
static struct pkt from_peer(const struct pkt *frame, uint32_t network, const char *from)
{
	struct pkt p = outer_start(strchr(from, ':') ? "2001:db8:ffff::1" : US, from, MAC_UPLINK,
				   MAC(21), port_of(network));

	tunnel_header(&p, network);
	pkt_append(&p, frame);
	pkt_end(&p);
	return p;
}

/* The frame that "a" sends goes on as @out; what is counted is the frame. */
#define goes_out(f, frame, out, story)                                                             \
	do {                                                                                       \
		(f)->inside = (frame);                                                             \
		(f)->hash_at = (out)->data[ETH_HLEN + 9] == IPPROTO_UDP ? ETH_HLEN + 20 : 0;       \
		enters_as(f, 1, frame, out, story);                                                \
	} while (0)

/* The underlay brings @in; it goes on as @out. */
#define comes_in(f, in, out, story)                                                                \
	do {                                                                                       \
		(f)->inside = (out);                                                               \
		uplink_gets(f, UPLINK, in, out, story);                                            \
	} while (0)

/* --- out --- */

static void each_type_out(void **state)
{
	struct fixture *f = *state;

	for (uint32_t network = 1; network <= 4; network++) {
		struct pkt p = inner(MAC_B, MAC_A, 100), out = wrapped(&p, network, PEER, 21);

		fixture_resize(f, (struct sizes){ 0 });
		tables(f, network);
		fdb_learned(f, network, MAC_B, 21, 0);
		goes_out(f, &p, &out, "in 1, out 21, redirect");
	}
}

static void ipv6_inside(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner_v6(MAC_B, MAC_A), out = wrapped(&p, 1, PEER, 21);

	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	goes_out(f, &p, &out, "in 1, out 21, redirect");
}

/* What is not IP takes another way to get its headers; it must come to the same. */
static void arp_inside(void **state)
{
	struct fixture *f = *state;
	struct pkt p = arp(MAC_B, MAC_A), out = wrapped(&p, 1, PEER, 21);

	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	goes_out(f, &p, &out, "in 1, out 21, redirect");
}

/* A tag that lies beside the frame goes into it. */
static void tag_inside(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_B, MAC_A, 100), tagged = pkt_eth(MAC_B, MAC_A, ETH_P_8021Q), out;

	pkt_vlan(&tagged, 7, ETH_P_IP);
	pkt_put(&tagged, p.data + ETH_HLEN, p.len - ETH_HLEN);
	out = wrapped(&tagged, 1, PEER, 21);
	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	f->vid = 7;
	goes_out(f, &p, &out, "in 1, out 21, redirect");
}

/* Whatever is short gets through every tunnel; where outer headers are short too, it is filled up to Ethernet's smallest frame. */
static void smallest_inside(void **state)
{
	struct fixture *f = *state;

	for (uint32_t network = 1; network <= 4; network++)
		for (uint32_t len = 0; len < 24; len++) {
			struct pkt p = inner(MAC_B, MAC_A, len), filled = p, out;
			uint32_t overhead = network < 3 ? 50 : network == 3 ? 38 : 42;

			if (filled.len + overhead < 92)
				pkt_put(&filled, NULL, 60 - filled.len);
			out = wrapped(&filled, network, PEER, 21);
			fixture_resize(f, (struct sizes){ 0 });
			tables(f, network);
			fdb_learned(f, network, MAC_B, 21, 0);
			goes_out(f, &p, &out, "in 1, out 21, redirect");
		}
}

static void tos_goes_along(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_B, MAC_A, 100), out;

	p.data[ETH_HLEN + 1] = 0xb9; /* expedited forwarding, ECT(1) */
	pkt_set16(&p, ETH_HLEN + 10, 0);
	pkt_set16(&p, ETH_HLEN + 10, pkt_fold(pkt_sum(p.data + ETH_HLEN, 20, 0)));
	out = outer_start(PEER, US, MAC(21), MAC_UPLINK, HD_VXLAN_PORT);
	out.data[ETH_HLEN + 1] = 0xb9;
	pkt_vxlan(&out, 10);
	pkt_append(&out, &p);
	pkt_end(&out);
	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	goes_out(f, &p, &out, "in 1, out 21, redirect");
}

static void too_large(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_B, MAC_A, 1450 - 28), out = wrapped(&p, 1, PEER, 21);
	struct pkt more = inner(MAC_B, MAC_A, 1451 - 28), answer = pkt_too_big(&more, 1450);

	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	goes_out(f, &p, &out, "in 1, out 21, redirect");
	f->inside = &answer;
	enters_as(f, 1, &more, &answer, "in 1, out 1, drop mtu at 1 in too-big, redirect");
	more = pkt_eth(MAC_B, MAC_A, ETH_P_IPV6);
	pkt_ipv6(&more, "2001:db8::1", "2001:db8::2", IPPROTO_UDP, 64);
	pkt_udp(&more, 1000, 2000);
	pkt_bytes(&more, 1451 - 48);
	pkt_end(&more);
	answer = pkt_too_big(&more, 1450);
	f->inside = &answer;
	enters_as(f, 1, &more, &answer, "in 1, out 1, drop mtu at 1 in too-big, redirect");
	/* Nobody is told of what is not IP, and of what is itself an error. */
	more = pkt_eth(MAC_B, MAC_A, ETH_P_OTHER);
	pkt_fill(&more, 1500);
	enters(f, 1, &more, "in 1, drop mtu at 1 in too-big, shot");
	more = pkt_eth(MAC_B, MAC_A, ETH_P_IP);
	pkt_ipv4(&more, "10.0.20.1", "10.0.20.2", IPPROTO_ICMP);
	pkt_icmp(&more, IPPROTO_ICMP, 3, 1, 0);
	pkt_fill(&more, 1500);
	pkt_end(&more);
	enters(f, 1, &more, "in 1, drop mtu at 1 in too-big, shot");
}

static void unreachable(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_B, MAC_A, 100);

	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	port_flags(f, 21, HD_PORT_TUNNEL | HD_PORT_EVERYWHERE);
	enters(f, 1, &p, "in 1, drop peer-unreachable at 1 in port-in, shot");
}

/* A peer that is not in the network gets nothing of it, whatever the FDB still says. */
static void not_a_member_out(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_B, MAC_A, 100), out = wrapped(&p, 1, PEER, 21);

	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	port_flags(f, 21, HD_PORT_TUNNEL | UP);
	enters(f, 1, &p, "in 1, drop port-down at 1 in port-in, shot");
	peer_link(f, 1, 21, 0);
	goes_out(f, &p, &out, "in 1, out 21, redirect");
}

/* --- in --- */

static void each_type_in(void **state)
{
	struct fixture *f = *state;

	for (uint32_t network = 1; network <= 4; network++) {
		struct pkt p = inner(MAC_A, MAC_B, 100), in = from_peer(&p, network, PEER);
		char story[80];

		fixture_resize(f, (struct sizes){ 0 });
		tables(f, network);
		(void)snprintf(story, sizeof(story),
			       "in 21, new %u/b at 21, macs 21 +1, out 1, redirect", network);
		comes_in(f, &in, &p, story);
		comes_in(f, &in, &p, "in 21, out 1, redirect");
	}
}

static void families_in(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner_v6(MAC_A, MAC_B), in = from_peer(&p, 1, PEER);
	struct pkt q = arp(MAC_A, MAC_B), arp_in = from_peer(&q, 1, PEER);

	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	comes_in(f, &in, &p, "in 21, out 1, redirect");
	comes_in(f, &arp_in, &q, "in 21, out 1, redirect");
}

/* An underlay of IPv6: all four types, both ways. */
static void ipv6_outside(void **state)
{
	struct fixture *f = *state;

	for (uint32_t network = 1; network <= 4; network++) {
		struct pkt p = inner(MAC_B, MAC_A, 100), back = inner(MAC_A, MAC_B, 100);
		struct pkt q = arp(MAC_A, MAC_B);
		struct pkt out = wrapped(&p, network, "2001:db8:ffff::2", 21);
		struct pkt in = from_peer(&back, network, "2001:db8:ffff::2"), arp_in;

		pkt_put(&q, NULL, 60 - q.len); /* else 6.1 has it filled up */
		arp_in = from_peer(&q, network, "2001:db8:ffff::2");
		fixture_resize(f, (struct sizes){ 0 });
		tables(f, network);
		uplink_add(f, 20, UPLINK, "2001:db8:ffff::1");
		peer_add(f, 21, UPLINK, "2001:db8:ffff::1", "2001:db8:ffff::2");
		fdb_learned(f, network, MAC_B, 21, 0);
		f->inside = &p;
		f->hash_at = port_of(network) ? ETH_HLEN + 40 : 0;
		enters_as(f, 1, &p, &out, "in 1, out 21, redirect");
		comes_in(f, &in, &back, "in 21, out 1, redirect");
		comes_in(f, &arp_in, &q, "in 21, out 1, redirect");
	}
}

static void moves_to_another_peer(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_A, MAC_B, 100), in = from_peer(&p, 1, "192.0.2.3");

	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	comes_in(f, &in, &p,
		 "in 22, moved 1/b from 21 to 22, macs 21 -1, macs 22 +1, out 1, redirect");
}

/* The host keeps what is the host's. */
static void not_ours(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_A, MAC_B, 100), in;

	tables(f, 1);
	comes_in(f, &p, &p, "pass"); /* no tunnel */
	in = outer_start("192.0.2.9", PEER, MAC_UPLINK, MAC(21), HD_VXLAN_PORT);
	tunnel_header(&in, 1);
	pkt_append(&in, &p);
	pkt_end(&in);
	comes_in(f, &in, &in, "pass"); /* another address of the host */
	in = outer_start(US, PEER, MAC_UPLINK, MAC(21), 4790);
	tunnel_header(&in, 1);
	pkt_append(&in, &p);
	pkt_end(&in);
	comes_in(f, &in, &in, "pass"); /* another port */
	in = arp(MAC_UPLINK, MAC(21));
	comes_in(f, &in, &in, "pass");
	in = from_peer(&p, 3, PEER);
	in.data[ETH_HLEN + 20 + 2] = 0x08; /* GRE with IPv4 inside */
	in.data[ETH_HLEN + 20 + 3] = 0x00;
	comes_in(f, &in, &in, "pass");
	in = from_peer(&p, 1, PEER);
	uplink_gets(f, 3, &in, &in, "pass"); /* a device that is no uplink */
}

static void strangers(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_A, MAC_B, 100), in = from_peer(&p, 1, "192.0.2.77");

	tables(f, 1);
	comes_in(f, &in, &in, "drop tunnel-source at 20 in uplink-in, shot");
	in = outer_start(US, PEER, MAC_UPLINK, MAC(21), HD_VXLAN_PORT);
	pkt_vxlan(&in, 99);
	pkt_append(&in, &p);
	pkt_end(&in);
	comes_in(f, &in, &in, "drop tunnel-id at 21 in uplink-in, shot");
	port_flags(f, 21, HD_PORT_TUNNEL | UP);
	in = from_peer(&p, 1, PEER);
	comes_in(f, &in, &in, "drop tunnel-member at 21 in uplink-in, shot");
}

static struct pkt answer(const uint8_t to[6], const uint8_t from[6])
{
	struct pkt p = pkt_eth(to, from, ETH_P_IP);

	pkt_ipv4(&p, "10.0.20.2", "10.0.20.1", IPPROTO_UDP);
	pkt_udp(&p, 2000, 1000);
	pkt_bytes(&p, 20);
	pkt_end(&p);
	return p;
}

static void expect_flow_goes_on(struct fixture *f, const struct pkt *spoof, const struct pkt *back)
{
	struct pkt out;

	assert_int_equal(run_uplink(f, UPLINK, spoof, &out), SHOT);
	assert_true(flow_of(f, IPPROTO_UDP, "10.0.20.1", 1000, "10.0.20.2", 2000).there);
	assert_int_equal(run_in(f, 1, back), REDIRECTED);
}

/*
 * A packet with the addresses and ports of a flow comes by another peer than the flow, and the rules refuse it: the flow is not touched. Once to the flow's own
 * port, where the sender's membership is missing; once to another port that lets nothing in.
 */
static void refused_from_another_peer(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_A, MAC_B, 100), in = from_peer(&p, 1, PEER), out;
	struct pkt q = inner(MAC_A, MAC_C, 100), spoof = from_peer(&q, 1, "192.0.2.3");
	struct pkt elsewhere = inner(MAC_D, MAC_C, 100), back = answer(MAC_B, MAC_A);
	struct hd_port_value peer;

	tables(f, 1);
	port_add(f, 3, 1, UP);
	port_mac(f, 3, MAC_D);
	fdb_static(f, 1, MAC_D, 3);
	secure(f, 3, 501, 4); /* no rules */
	secure(f, 1, 500, 3);
	peer = port_get(f, 21);
	peer.gen = 77;
	port_put(f, 21, peer);
	allow(f, (struct allow){ .id = 7, .policy = 500, .dir = HD_INGRESS, .group = 9 });
	neigh_add(f, 1, "10.0.20.1", MAC_B, 21);
	member_add(f, 1, "10.0.20.1", 9);
	assert_int_equal(run_uplink(f, UPLINK, &in, &out), REDIRECTED);
	assert_int_equal(run_in(f, 1, &back), REDIRECTED);
	expect_flow_goes_on(f, &spoof, &back);
	spoof = from_peer(&elsewhere, 1, "192.0.2.3");
	expect_flow_goes_on(f, &spoof, &back);
}

/* Who a packet is from, and of which network, is remembered until one of the tables changes. */
static void remembered_origin(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_A, MAC_B, 100), in = from_peer(&p, 1, PEER);

	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	comes_in(f, &in, &p, "in 21, out 1, redirect");
	comes_in(f, &in, &p, "in 21, out 1, redirect");
	net_tunnel(f, 2, HD_TUNNEL_VXLAN, 10, HD_VXLAN_PORT); /* its VNI is another network's now */
	epoch_underlay(f);
	comes_in(f, &in, &p,
		 "in 21, new 2/b at 21, macs 21 +1, drop no-member at 21 in flood, shot");
	peer_del(f, PEER);
	comes_in(f, &in, &in, "drop tunnel-source at 20 in uplink-in, shot");
}

/* An established flow between "a", which has security, and "b" behind peer 21: what comes in, and what goes out. */
struct heard {
	struct pkt in;
	struct pkt back;
	struct pkt to_21;
	struct pkt to_22;
};

static struct heard flow_to_a_peer(struct fixture *f)
{
	struct pkt p = inner(MAC_A, MAC_B, 100), out;
	struct heard h = { .in = from_peer(&p, 1, PEER), .back = answer(MAC_B, MAC_A) };

	h.to_21 = wrapped(&h.back, 1, PEER, 21);
	h.to_22 = wrapped(&h.back, 1, "192.0.2.3", 22);
	tables(f, 1);
	secure(f, 1, 500, 3);
	allow(f, (struct allow){ .id = 7, .policy = 500, .dir = HD_INGRESS });
	assert_int_equal(run_uplink(f, UPLINK, &h.in, &out), REDIRECTED);
	assert_int_equal(run_in(f, 1, &h.back), REDIRECTED);
	assert_int_equal(run_uplink(f, UPLINK, &h.in, &out), REDIRECTED);
	return h;
}

/* Somebody else shows the MAC at another peer; then its owner speaks again, by the flow. */
static void heard_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct heard h = flow_to_a_peer(f);
	struct pkt q = inner_v6(MAC_C, MAC_B), other = from_peer(&q, 1, "192.0.2.3"), out;

	(void)run_uplink(f, UPLINK, &other, &out);
	goes_out(f, &h.back, &h.to_22, "in 1, udp goes on, rules 7, out 22, redirect");
	f->inside = NULL;
	assert_int_equal(run_uplink(f, UPLINK, &h.in, &out), REDIRECTED);
	goes_out(f, &h.back, &h.to_21, "in 1, udp goes on, rules 7, out 21, redirect");
}

/* The same if its entry has gone meanwhile, and comes back as a new one; and if the configuration says that it is elsewhere. */
static void heard_and_forgotten(void **state)
{
	struct fixture *f = *state;
	struct heard h = flow_to_a_peer(f);
	struct pkt q = inner_v6(MAC_C, MAC_B), other = from_peer(&q, 1, "192.0.2.3"), out;

	fdb_del(f, 1, MAC_B);
	(void)run_uplink(f, UPLINK, &other, &out);
	goes_out(f, &h.back, &h.to_22, "in 1, udp goes on, rules 7, out 22, redirect");
	fdb_static(f, 1, MAC_B, 22);
	epoch_fdb(f);
	assert_int_equal(run_uplink(f, UPLINK, &h.in, &out), SHOT);
}

/* What is heard all the time never is old: the note in the flow is renewed, and the entry with it. */
static void heard_for_long(void **state)
{
	struct fixture *f = *state;
	struct heard h = flow_to_a_peer(f);
	uint64_t start = now(f);
	struct pkt out;

	fdb_del(f, 1, MAC_B);
	fdb_learned(f, 1, MAC_B, 21, 3 * HZ);
	while (now(f) - start < HZ)
		assert_int_equal(run_uplink(f, UPLINK, &h.in, &out), REDIRECTED);
	assert_true(fdb_seen(f, 1, MAC_B) > start);
}

/* Behind a peer are many tenants: one that shows too many MACs does not silence the others. */
static void more_macs_than_are_learned(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_A, MAC_B, 100), in = from_peer(&p, 1, PEER);

	tables(f, 1);
	port_mac_limit(f, 21, 0);
	comes_in(f, &in, &p, "in 21, out 1, redirect");
}

static void from_tunnel_to_tunnel(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_C, MAC_B, 100), in = from_peer(&p, 1, PEER);
	struct pkt all = arp(MAC_ALL, MAC_B), all_in = from_peer(&all, 1, PEER);

	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	fdb_learned(f, 1, MAC_C, 22, 0);
	comes_in(f, &in, &p, "in 21, drop tunnel-to-tunnel at 21 in uplink-in, shot");
	comes_in(f, &all_in, &all, "in 21, out 1, redirect"); /* to the port here only */
}

/* Byte @at becomes @value; the outer checksum is made right again. */
static struct pkt spoilt(struct pkt p, uint32_t at, uint8_t value)
{
	p.data[at] = value;
	pkt_set16(&p, ETH_HLEN + 10, 0);
	pkt_set16(&p, ETH_HLEN + 10, pkt_fold(pkt_sum(p.data + ETH_HLEN, 20, 0)));
	return p;
}

#define UDP (ETH_HLEN + 20)
#define TUNNEL (UDP + 8)

static void malformed_outer(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_A, MAC_B, 100), good = from_peer(&p, 1, PEER), bad;

	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	bad = good;
	bad.data[ETH_HLEN + 11] ^= 1; /* header checksum */
	comes_in(f, &bad, &bad, "drop tunnel-ip at 20 in uplink-in, shot");
	bad = spoilt(good, ETH_HLEN + 2, 0x7f); /* longer than what came */
	comes_in(f, &bad, &bad, "drop tunnel-ip at 20 in uplink-in, shot");
	bad = spoilt(good, ETH_HLEN + 6, 0x20); /* more fragments */
	comes_in(f, &bad, &bad, "drop tunnel-fragment at 20 in uplink-in, shot");
	bad = spoilt(good, UDP + 5, 0x10); /* UDP length */
	comes_in(f, &bad, &bad, "drop tunnel-header at 20 in uplink-in, shot");
	bad = spoilt(good, TUNNEL, 0); /* no I flag */
	comes_in(f, &bad, &bad, "drop tunnel-header at 20 in uplink-in, shot");
	bad = outer_start(US, PEER, MAC_UPLINK, MAC(21), HD_VXLAN_PORT);
	pkt_vxlan(&bad, 10);
	pkt_bytes(&bad, 13); /* not an Ethernet header */
	pkt_end(&bad);
	comes_in(f, &bad, &bad, "drop tunnel-short at 21 in uplink-in, shot");
	comes_in(f, &good, &p, "in 21, out 1, redirect");
}

static struct pkt geneve(const struct pkt *frame, const uint8_t *options, uint32_t len)
{
	struct pkt p = outer_start(US, PEER, MAC_UPLINK, MAC(21), HD_GENEVE_PORT);

	pkt_geneve(&p, 11, len);
	pkt_put(&p, options, len);
	pkt_append(&p, frame);
	pkt_end(&p);
	return p;
}

static void geneve_options(void **state)
{
	static const uint8_t known_to_nobody[] = { 1, 2, 3, 1, 9, 9, 9, 9, 1, 2, 4, 0 };
	static const uint8_t critical[] = { 1, 2, 0x83, 1, 9, 9, 9, 9 };
	static const uint8_t too_long[] = { 1, 2, 3, 2, 9, 9, 9, 9 };
	static const uint8_t longest[252] = { [3] = 30, [124] = 0, [127] = 31 };
	struct fixture *f = *state;
	struct pkt p = inner(MAC_A, MAC_B, 100), in;

	tables(f, 2);
	fdb_learned(f, 2, MAC_B, 21, 0);
	in = geneve(&p, known_to_nobody, sizeof(known_to_nobody));
	comes_in(f, &in, &p, "in 21, out 1, redirect");
	in = geneve(&p, longest, sizeof(longest));
	comes_in(f, &in, &p, "in 21, out 1, redirect");
	in = geneve(&p, critical, sizeof(critical));
	comes_in(f, &in, &in, "drop tunnel-option at 20 in uplink-in, shot");
	in = geneve(&p, too_long, sizeof(too_long));
	comes_in(f, &in, &in, "drop tunnel-header at 20 in uplink-in, shot");
	in = geneve(&p, NULL, 0);
	in.data[TUNNEL] = 0x40; /* version 1 */
	comes_in(f, &in, &in, "drop tunnel-header at 20 in uplink-in, shot");
	in.data[TUNNEL] = 0x3f; /* options that are not there: what follows is taken for them */
	in.data[TUNNEL + 1] = 0;
	in.data[TUNNEL + 8 + 2] = 0;
	in.data[TUNNEL + 8 + 3] = 31;
	comes_in(f, &in, &in, "drop tunnel-header at 20 in uplink-in, shot");
	in.data[TUNNEL] = 0;
	in.data[TUNNEL + 1] = 0x80; /* a control message */
	comes_in(f, &in, &in, "drop tunnel-option at 20 in uplink-in, shot");
	in.data[TUNNEL + 1] = 0x40; /* has critical options, it says */
	comes_in(f, &in, &in, "drop tunnel-option at 20 in uplink-in, shot");
	in.data[TUNNEL + 1] = 0;
	in.data[TUNNEL + 2] = 0x08; /* IPv4 inside */
	comes_in(f, &in, &in, "drop tunnel-header at 20 in uplink-in, shot");
}

/* @flags with the fields they announce; @csum: what is added to the right checksum. */
static struct pkt gre(const struct pkt *frame, uint16_t flags, uint32_t key, uint32_t csum)
{
	struct pkt p = outer_start(US, PEER, MAC_UPLINK, MAC(21), 0);
	uint32_t start = p.len;

	pkt_gre(&p, flags);
	if (flags & 0x8000)
		pkt_word(&p, 0);
	if (flags & 0x2000)
		pkt_word(&p, key);
	if (flags & 0x1000)
		pkt_word(&p, 1);
	pkt_append(&p, frame);
	if (flags & 0x8000)
		pkt_set16(&p, start + 4,
			  pkt_fold(pkt_sum(p.data + start, p.len - start, 0)) + csum);
	pkt_end(&p);
	return p;
}

static void gre_variants(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_A, MAC_B, 777), in;

	tables(f, 4);
	fdb_learned(f, 4, MAC_B, 21, 0);
	in = gre(&p, 0x2000, 12, 0);
	comes_in(f, &in, &p, "in 21, out 1, redirect");
	in = gre(&p, 0xb000, 12, 0); /* checksum, key, sequence number */
	comes_in(f, &in, &p, "in 21, out 1, redirect");
	in = gre(&p, 0xa000, 12, 1);
	comes_in(f, &in, &in, "drop tunnel-checksum at 20 in uplink-in, shot");
	in = gre(&p, 0x2000, 13, 0);
	comes_in(f, &in, &in, "drop tunnel-id at 21 in uplink-in, shot");
	in = gre(&p, 0x2001, 12, 0); /* version 1 */
	comes_in(f, &in, &in, "drop tunnel-header at 20 in uplink-in, shot");
	in = gre(&p, 0x23f8, 12, 0); /* reserved, but to be ignored: RFC 2784 section 2.1 */
	comes_in(f, &in, &p, "in 21, out 1, redirect");
	in = gre(&p, 0x2400, 12, 0); /* to be refused */
	comes_in(f, &in, &in, "drop tunnel-header at 20 in uplink-in, shot");
	in = gre(&p, 0x2800, 12, 0);
	comes_in(f, &in, &in, "drop tunnel-header at 20 in uplink-in, shot");
	in = gre(&p, 0x6000, 12, 0); /* source routes */
	comes_in(f, &in, &in, "drop tunnel-header at 20 in uplink-in, shot");
}

static struct pkt with_tos(struct pkt p, uint32_t at, uint8_t tos)
{
	p.data[at + 1] = tos;
	pkt_set16(&p, at + 10, 0);
	pkt_set16(&p, at + 10, pkt_fold(pkt_sum(p.data + at, 20, 0)));
	return p;
}

static struct pkt with_class(struct pkt p, uint32_t at, uint8_t class)
{
	p.data[at] = (uint8_t)(0x60 | class >> 4);
	p.data[at + 1] = (uint8_t)(class << 4);
	return p;
}

/* RFC 6040 figure 4: what the inner packet has, by what it has and the outer one; 9 = it is dropped. */
static const uint8_t ecn_after[4][4] = {
	[0] = { 0, 0, 0, 9 },
	[1] = { 1, 1, 1, 3 },
	[2] = { 2, 1, 2, 3 },
	[3] = { 3, 3, 3, 3 },
};

/* With a class of service, which stays. */
static void both_families(struct fixture *f, uint8_t inside, uint8_t outside)
{
	struct pkt plain = inner(MAC_A, MAC_B, 100), plain6 = inner_v6(MAC_A, MAC_B);
	uint8_t after = ecn_after[inside][outside];
	const char *story = after == 9 ? "drop tunnel-congestion at 21 in uplink-in, shot"
				       : "in 21, out 1, redirect";
	struct pkt p = with_tos(plain, ETH_HLEN, 0xb8 | inside), in, out;

	in = with_tos(from_peer(&p, 1, PEER), ETH_HLEN, outside);
	out = after == 9 ? p : with_tos(plain, ETH_HLEN, 0xb8 | after);
	comes_in(f, &in, &out, story);
	p = with_class(plain6, ETH_HLEN, 0xb8 | inside);
	in = with_tos(from_peer(&p, 1, PEER), ETH_HLEN, outside);
	out = after == 9 ? p : with_class(plain6, ETH_HLEN, 0xb8 | after);
	comes_in(f, &in, &out, story);
}

static void congestion(void **state)
{
	struct fixture *f = *state;
	struct pkt plain = inner(MAC_A, MAC_B, 100), able = with_tos(plain, ETH_HLEN, 2);
	struct pkt marked = with_tos(plain, ETH_HLEN, 3), in;

	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	in = with_tos(from_peer(&able, 1, PEER), ETH_HLEN, 3);
	comes_in(f, &in, &marked, "in 21, out 1, redirect");
	in = with_tos(from_peer(&plain, 1, PEER), ETH_HLEN, 3);
	comes_in(f, &in, &plain, "drop tunnel-congestion at 21 in uplink-in, shot");
	for (uint8_t inside = 0; inside < 4; inside++)
		for (uint8_t outside = 0; outside < 4; outside++)
			both_families(f, inside, outside);
}

/* What leaves for a peer, with another type of service and TTL outside. */
static struct pkt with_outer(struct pkt out, uint8_t tos, uint8_t ttl)
{
	bool v6 = out.data[12] == 0x86;

	out.data[ETH_HLEN + (v6 ? 7 : 8)] = ttl;
	return v6 ? with_class(out, ETH_HLEN, tos) : with_tos(out, ETH_HLEN, tos);
}

/* Of what is inside only ECN is outside, too; RFC 6040 section 4.1. */
static void own_outer(struct fixture *f, uint32_t network, const char *peer)
{
	for (uint8_t ecn = 0; ecn < 4; ecn++) {
		struct pkt p = with_tos(inner(MAC_B, MAC_A, 100), ETH_HLEN, 0xb8 | ecn);
		struct pkt p6 = with_class(inner_v6(MAC_B, MAC_A), ETH_HLEN, 0xb8 | ecn);
		struct pkt out = wrapped(&p, network, peer, 21);
		struct pkt out6 = wrapped(&p6, network, peer, 21);

		f->inside = &p;
		f->hash_at = port_of(network) ? ETH_HLEN + (strchr(peer, ':') ? 40 : 20) : 0;
		out = with_outer(out, 0x28 | ecn, 5);
		enters_as(f, 1, &p, &out, "in 1, out 21, redirect");
		f->inside = &p6;
		f->hash_at = port_of(network) ? ETH_HLEN + (strchr(peer, ':') ? 40 : 20) : 0;
		out6 = with_outer(out6, 0x28 | ecn, 5);
		enters_as(f, 1, &p6, &out6, "in 1, out 21, redirect");
	}
}

static void dscp_of_the_network(void **state)
{
	struct fixture *f = *state;

	for (uint32_t network = 1; network <= 4; network++) {
		fixture_resize(f, (struct sizes){ 0 });
		tables(f, network);
		net_outer(f, network, 10, 5);
		fdb_learned(f, network, MAC_B, 21, 0);
		own_outer(f, network, PEER);
		uplink_add(f, 20, UPLINK, "2001:db8:ffff::1");
		peer_add(f, 21, UPLINK, "2001:db8:ffff::1", "2001:db8:ffff::2");
		own_outer(f, network, "2001:db8:ffff::2");
	}
}

/* Each has its checksum. What has no type of service inside has the network's outside. */
static void each_dscp_and_ttl(void **state)
{
	struct fixture *f = *state;
	struct pkt p = arp(MAC_B, MAC_A), plain = wrapped(&p, 1, PEER, 21), out;

	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	for (uint32_t ttl = 1; ttl < 256; ttl++) {
		net_outer(f, 1, ttl & 63, (uint8_t)ttl);
		out = with_outer(plain, (uint8_t)(ttl << 2), (uint8_t)ttl);
		goes_out(f, &p, &out, "in 1, out 21, redirect");
	}
}

#define MUTANTS 4000

static struct pkt mutant(const struct pkt *good, uint32_t outer_len)
{
	struct pkt p = *good;

	for (int i = rand() % 3; i >= 0; i--)
		p.data[12 + (uint32_t)rand() % (outer_len - 12)] = (uint8_t)rand();
	if (rand() % 4)
		p = spoilt(p, ETH_HLEN + 8,
			   p.data[ETH_HLEN + 8]); /* its checksum is right all the same */
	if (rand() % 8 == 0)
		p.len = 34 + (uint32_t)rand() % (p.len - 34);
	return p;
}

/* Whether the bytes of @part stand somewhere in @whole, in one piece. */
static bool is_part(const struct pkt *part, const struct pkt *whole)
{
	uint32_t len = part->len;

	while (part->len == 60 && len && !part->data[len - 1])
		len--; /* a frame that was too short is filled up with zeros */
	for (uint32_t at = 0; at + len <= whole->len; at++)
		if (!memcmp(whole->data + at, part->data, len))
			return true;
	return false;
}

static bool same_bytes(const struct pkt *a, const struct pkt *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/*
 * Outer headers with a few bytes of anything: what comes of each is the host's, untouched, or dropped and counted once, or the frame that
 * was inside. Where that begins is said by Geneve and GRE headers themselves, so with another length of options, or a field more or less, it
 * is another part of the packet; of VXLAN it is the very frame. And the next good packet passes.
 */
static void mutated_outer(void **state)
{
	struct fixture *f = *state;
	unsigned int told[3] = { 0 };

	srand(1);
	for (uint32_t network = 1; network <= 4; network++) {
		struct pkt frame = inner(MAC_A, MAC_B, 100),
			   good = from_peer(&frame, network, PEER);
		uint32_t outer_len = good.len - frame.len;

		fixture_resize(f, (struct sizes){ 0 });
		tables(f, network);
		fdb_learned(f, network, MAC_B, 21, 0);
		for (int i = 0; i < MUTANTS; i++) {
			struct pkt p = mutant(&good, outer_len), out = { .len = 0 };
			uint64_t drops = drops_total(f);
			int action = run_uplink(f, UPLINK, &p, &out);

			drops = drops_total(f) - drops;
			assert_int_equal(drops, action == SHOT);
			if (action == PASSED)
				assert_true(same_bytes(&p, &out));
			else if (action == REDIRECTED)
				assert_true(network == 1 ? same_bytes(&frame, &out)
							 : is_part(&out, &p));
			else
				assert_int_equal(action, SHOT);
			told[action == PASSED ? 0 : action == SHOT ? 1 : 2]++;
		}
		comes_in(f, &good, &frame, "in 21, out 1, redirect");
	}
	for (int i = 0; i < 3; i++)
		assert_true(told[i] > MUTANTS / 10);
}

/* What the host forwards must not look like ours; device 5 is no port, but that of a host's leg. */
static void forged(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_B, MAC_A, 100), tunnel = wrapped(&p, 1, PEER, 21);
	struct pkt gre = wrapped(&p, 3, PEER, 21), elsewhere = wrapped(&p, 1, "192.0.2.99", 21);

	tables(f, 1);
	uplink_sends(f, UPLINK, 0, &tunnel, "pass"); /* the host's own */
	uplink_sends(f, UPLINK, 1, &tunnel, "pass"); /* from a port: wrapped by us */
	uplink_sends(f, UPLINK, 5, &p, "pass");
	uplink_sends(f, UPLINK, 5, &elsewhere, "pass"); /* nobody there would take it out */
	uplink_sends(f, UPLINK, 5, &tunnel, "drop tunnel-forged at 20 in uplink-out, shot");
	uplink_sends(f, UPLINK, 5, &gre, "drop tunnel-forged at 20 in uplink-out, shot");
	uplink_sends(f, UPLINK, UPLINK, &tunnel, "drop tunnel-forged at 20 in uplink-out, shot");
	peer_add(f, 21, UPLINK, "2001:db8:ffff::1", "2001:db8:ffff::2");
	tunnel = wrapped(&p, 2, "2001:db8:ffff::2", 21);
	uplink_sends(f, UPLINK, 5, &tunnel, "drop tunnel-forged at 20 in uplink-out, shot");
	/* Behind destination options a peer's kernel would find it, too. */
	memmove(tunnel.data + ETH_HLEN + 48, tunnel.data + ETH_HLEN + 40,
		tunnel.len - ETH_HLEN - 40);
	memcpy(tunnel.data + ETH_HLEN + 40, (uint8_t[8]){ IPPROTO_UDP, 0, 1, 4 }, 8);
	tunnel.len += 8;
	tunnel.data[ETH_HLEN + 6] = 60;
	pkt_set16(&tunnel, ETH_HLEN + 4, (uint16_t)(tunnel.len - ETH_HLEN - 40));
	uplink_sends(f, UPLINK, 5, &tunnel, "drop tunnel-forged at 20 in uplink-out, shot");
	tunnel.data[ETH_HLEN + 6] = 51; /* behind AH, Open vSwitch */
	uplink_sends(f, UPLINK, 5, &tunnel, "drop tunnel-forged at 20 in uplink-out, shot");
}

/* --- to many --- */

static void to_each_peer_of_the_network(void **state)
{
	struct fixture *f = *state;
	struct pkt p = arp(MAC_ALL, MAC_A), one = wrapped(&p, 1, PEER, 21);
	struct pkt two = wrapped(&p, 1, "192.0.2.3", 22);

	tables(f, 1);
	f->also[0] = &one;
	f->also[1] = &two;
	goes_out(f, &p, &two, "in 1, copies 2 2, out 21 22, shot");
	/* One is in network 2 only. */
	port_flags(f, 21, HD_PORT_TUNNEL | UP);
	peer_link(f, 0, 0, 22);
	peer_link(f, 2, 0, 21);
	peer_link(f, 2, 21, 0);
	goes_out(f, &p, &two, "in 1, copies 2, out 22, shot");
	net_outer(f, 1, 46, 255);
	two = with_outer(two, 46 << 2, 255);
	goes_out(f, &p, &two, "in 1, copies 2, out 22, shot");
}

static void nobody_there(void **state)
{
	struct fixture *f = *state;
	struct pkt p = arp(MAC_ALL, MAC_A);

	tables(f, 1);
	port_flags(f, 21, HD_PORT_TUNNEL | HD_PORT_EVERYWHERE);
	port_flags(f, 22, HD_PORT_TUNNEL | HD_PORT_EVERYWHERE);
	assert_int_equal(run_in(f, 1, &p), SHOT);
	assert_int_equal(packets_out(f), 0);
}

/* --- in, by XDP: all that is above under "in" is tried with it, too; here is what is special about it --- */

static void note_of_a_tunnel(void **state)
{
	struct fixture *f = *state;

	for (uint32_t network = 1; network <= 4; network++) {
		struct pkt p = inner(MAC_A, MAC_B, 100), in = from_peer(&p, network, PEER);

		fixture_resize(f, (struct sizes){ 0 });
		tables(f, network);
		fdb_learned(f, network, MAC_B, 21, 0);
		comes_in(f, &in, &p, "in 21, out 1, redirect");
		assert_int_equal(f->opened.port, 21);
		assert_int_equal(f->opened.network, network);
	}
}

/* TC opens these, or nobody. */
static void left_to_tc(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_A, MAC_B, 100), in = from_peer(&p, 1, PEER);
	struct pkt tagged = pkt_eth(MAC_A, MAC_B, ETH_P_8021Q), sum = in;

	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	memcpy(in.data, MAC(0x77), 6); /* another machine's; without legs TC does not ask */
	comes_in(f, &in, &p, "in 21, out 1, redirect");
	assert_int_equal(f->opened.magic, 0);
	pkt_vlan(&tagged, 7, ETH_P_IP);
	pkt_put(&tagged, p.data + ETH_HLEN, p.len - ETH_HLEN);
	in = from_peer(&tagged, 1, PEER);
	comes_in(f, &in, &tagged, "in 21, out 1, redirect");
	assert_int_equal(f->opened.magic, 0);
	pkt_set16(&sum, UDP + 6, 0x1234);
	comes_in(f, &sum, &p, "in 21, out 1, redirect");
	assert_int_equal(f->opened.magic, HD_OPENED_MAGIC);
	end_flags(f, 20, HD_END_PARTIAL); /* it may not be computed yet */
	comes_in(f, &sum, &p, "in 21, out 1, redirect");
	assert_int_equal(f->opened.magic, 0);
	in = from_peer(&p, 1, PEER);
	comes_in(f, &in, &p, "in 21, out 1, redirect");
	assert_int_equal(f->opened.magic, HD_OPENED_MAGIC);
}

/* What is behind the outer packet's end is no part of it. */
static void trailer(void **state)
{
	struct fixture *f = *state;
	struct pkt p = inner(MAC_A, MAC_B, 10), in = from_peer(&p, 1, PEER);

	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	pkt_bytes(&in, 33);
	comes_in(f, &in, &p, "in 21, out 1, redirect");
	assert_int_equal(f->opened.magic, HD_OPENED_MAGIC);
}

/* Down to a frame that is nothing but its header. */
static void shortest_inside(void **state)
{
	struct fixture *f = *state;

	tables(f, 1);
	for (uint32_t len = ETH_HLEN; len < 60; len++) {
		struct pkt p = pkt_eth(MAC_A, MAC_B, ETH_P_OTHER), in, rest;
		uint32_t left;

		pkt_fill(&p, len);
		in = from_peer(&p, 1, PEER);
		rest = in;
		left = rest.len;
		assert_int_equal(run_xdp(f, UPLINK, rest.data, &left, sizeof(rest.data)), XDP_PASS);
		assert_int_equal(left, sizeof(f->opened) + p.len);
		assert_memory_equal(rest.data + sizeof(f->opened), p.data, p.len);
	}
}

#define JUMBO 8900

static void set16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* A large GRE packet with a checksum, to which @wrong is added. Returns where the frame inside begins. */
static uint32_t make_jumbo(uint8_t data[JUMBO], uint32_t wrong)
{
	const struct pkt frame = pkt_eth(MAC_A, MAC_B, ETH_P_OTHER);
	const struct pkt head = gre(&frame, 0xa000, 12, 0);
	uint8_t *ip = data + ETH_HLEN, *tunnel = ip + 20;

	for (uint32_t i = 0; i < JUMBO; i++)
		data[i] = i < head.len ? head.data[i] : (uint8_t)(i * 7);
	set16(ip + 2, JUMBO - ETH_HLEN);
	set16(ip + 10, 0);
	set16(ip + 10, pkt_fold(pkt_sum(ip, 20, 0)));
	set16(tunnel + 4, 0);
	set16(tunnel + 4, pkt_fold(pkt_sum(tunnel, JUMBO - ETH_HLEN - 20, 0)) + wrong);
	return head.len - ETH_HLEN;
}

/* In several buffers; the checksum is over all of them. */
static void in_several_buffers(void **state)
{
	static uint8_t in[JUMBO], out[JUMBO + sizeof(struct hd_opened)];
	struct fixture *f = *state;
	uint32_t len = JUMBO, at;

	tables(f, 4);
	at = make_jumbo(in, 0);
	memcpy(out, in, JUMBO);
	assert_int_equal(run_xdp(f, UPLINK, out, &len, sizeof(out)), XDP_PASS);
	assert_int_equal(f->opened.magic, HD_OPENED_MAGIC);
	assert_int_equal(len, sizeof(f->opened) + JUMBO - at);
	assert_memory_equal(out + sizeof(f->opened), in + at, JUMBO - at);
	(void)make_jumbo(out, 1);
	len = JUMBO;
	assert_int_equal(run_xdp(f, UPLINK, out, &len, sizeof(out)), XDP_DROP);
}

/* Between XDP and TC the configuration may change; and there may have been a tag beside the packet, which XDP can't see. */
static void opened_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct hd_opened note = { .port = 21, .network = 1 },
			 stranger = { .port = 1, .network = 1 };
	struct pkt p = inner(MAC_A, MAC_B, 100);

	tables(f, 1);
	fdb_learned(f, 1, MAC_B, 21, 0);
	opened_gets(f, UPLINK, note, &p, &p, "in 21, out 1, redirect");
	opened_gets(f, UPLINK, stranger, &p, &p, "drop tunnel-source at 1 in uplink-in, shot");
	f->vid = 7;
	opened_gets(f, UPLINK, note, &p, &p, "drop vlan-tagged at 21 in uplink-in, shot");
	port_flags(f, 21, HD_PORT_TUNNEL | UP);
	opened_gets(f, UPLINK, note, &p, &p, "drop tunnel-member at 21 in uplink-in, shot");
	port_put(f, 21, (struct hd_port_value){ 0 });
	opened_gets(f, UPLINK, note, &p, &p, "drop no-port at 21 in uplink-in, shot");
}

static int tunnel_xdp_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST_XDP(each_type_in),
		TEST_XDP(families_in),
		TEST_XDP(ipv6_outside),
		TEST_XDP(moves_to_another_peer),
		TEST_XDP(not_ours),
		TEST_XDP(strangers),
		TEST_XDP(refused_from_another_peer),
		TEST_XDP(more_macs_than_are_learned),
		TEST_XDP(from_tunnel_to_tunnel),
		TEST_XDP(malformed_outer),
		TEST_XDP(geneve_options),
		TEST_XDP(gre_variants),
		TEST_XDP(congestion),
		TEST_XDP(mutated_outer),
		TEST_XDP(note_of_a_tunnel),
		TEST_XDP(left_to_tc),
		TEST_XDP(trailer),
		TEST_XDP(shortest_inside),
		TEST_XDP(in_several_buffers),
		TEST_XDP(opened_meanwhile),
		TEST_XDP(remembered_origin),
	};

	return cmocka_run_group_tests_name("tunnel by XDP", tests, NULL, NULL);
}

int tunnel_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_type_out),
		TEST(smallest_inside),
		TEST(ipv6_inside),
		TEST(arp_inside),
		TEST(tag_inside),
		TEST(tos_goes_along),
		TEST(too_large),
		TEST(unreachable),
		TEST(not_a_member_out),
		TEST(each_type_in),
		TEST(families_in),
		TEST(ipv6_outside),
		TEST(moves_to_another_peer),
		TEST(not_ours),
		TEST(strangers),
		TEST(refused_from_another_peer),
		TEST(remembered_origin),
		TEST(heard_elsewhere),
		TEST(heard_and_forgotten),
		TEST(heard_for_long),
		TEST(more_macs_than_are_learned),
		TEST(from_tunnel_to_tunnel),
		TEST(malformed_outer),
		TEST(geneve_options),
		TEST(gre_variants),
		TEST(congestion),
		TEST(dscp_of_the_network),
		TEST(each_dscp_and_ttl),
		TEST(forged),
		TEST(mutated_outer),
		TEST(to_each_peer_of_the_network),
		TEST(nobody_there),
	};

	return cmocka_run_group_tests_name("tunnel", tests, NULL, NULL) + tunnel_xdp_tests();
}
