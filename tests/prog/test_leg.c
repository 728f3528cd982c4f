// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_leg.c - networks of physical networks: what comes in by an uplink is whose, and in what form; what leaves by it, and what may not
 *
 * Uplink 20 is device 2; its tunnel address is 192.0.2.1. Network 1 is flat, with leg 2 and the ports 1 and 3; network 2 is VLAN 123, with leg 5
 * and the ports 4 and 6. What leg 2 gets from port 1 is a clone, whose tag can be seen. Who lives outside is "d".
 */
#include <bpf/bpf.h>

#include "heddle/router.h"
#include "tests/prog/fixture.h"

#define UPLINK 20
#define WIRE 2 /* its device */
#define FLAT 2
#define TAGGED 5
#define VID 123
#define US "192.0.2.1"

static void world(struct fixture *f, uint32_t flat_flags)
{
	net_add(f, 1, HD_NETWORK_FLOOD, 300);
	net_add(f, 2, HD_NETWORK_FLOOD, 300);
	uplink_add(f, UPLINK, WIRE, US);
	port_flags(f, UPLINK, HD_PORT_UPLINK | HD_PORT_LEGS | UP);
	port_add(f, 1, 1, UP);
	port_add(f, 3, 1, UP);
	port_add(f, 4, 2, UP);
	port_add(f, 6, 2, UP);
	leg_add(f, FLAT, UPLINK, 1, 0, flat_flags);
	leg_add(f, TAGGED, UPLINK, 2, VID, 0);
	fdb_static(f, 1, MAC_A, 1);
	fdb_static(f, 2, MAC_A, 4);
	fdb_static(f, 1, MAC_D, FLAT);
	fdb_static(f, 2, MAC_D, TAGGED);
}

static struct pkt frame(const uint8_t to[6], const uint8_t from[6])
{
	struct pkt p = pkt_eth(to, from, ETH_P_OTHER);

	pkt_bytes(&p, 60);
	return p;
}

static struct pkt udp_to(const uint8_t to[6], const uint8_t from[6], const char *source,
			 const char *dest, uint16_t port)
{
	bool v6 = strchr(source, ':');
	struct pkt p = pkt_eth(to, from, v6 ? ETH_P_IPV6 : ETH_P_IP);

	if (v6)
		pkt_ipv6(&p, source, dest, IPPROTO_UDP, 64);
	else
		pkt_ipv4(&p, source, dest, IPPROTO_UDP);
	pkt_udp(&p, 50000, port);
	pkt_bytes(&p, 60);
	pkt_end(&p);
	return p;
}

static struct pkt udp(const uint8_t to[6], const uint8_t from[6], const char *source, uint16_t port)
{
	return udp_to(to, from, source, strchr(source, ':') ? "2001:db8::2" : "192.0.2.2", port);
}

static struct pkt gre(const char *source)
{
	struct pkt p = pkt_eth(MAC_D, MAC_A, ETH_P_IP);

	pkt_ipv4(&p, source, "192.0.2.2", IPPROTO_GRE);
	pkt_gre(&p, 0);
	pkt_bytes(&p, 60);
	pkt_end(&p);
	return p;
}

/* --- in --- */

static void untagged_in(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_A, MAC_D), q = frame(MAC_ALL, MAC_D), other = frame(MAC_B, MAC_D);

	world(f, 0);
	uplink_gets(f, WIRE, &p, &p, "in 2, out 1, redirect");
	uplink_gets(f, WIRE, &q, &q, "in 2, copies 3, out 1 3, redirect");
	uplink_gets(f, WIRE, &other, &other, "in 2, copies 3, out 1 3, redirect");
}

static void learned_at_the_leg(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_A, MAC_C), back = frame(MAC_C, MAC_A);

	world(f, 0);
	uplink_gets(f, WIRE, &p, &p, "in 2, new 1/c at 2, macs 2 +1, out 1, redirect");
	enters(f, 1, &back, "in 1, out 2, redirect");
}

static void tagged_in(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_A, MAC_D), in = pkt_tagged(&p, ETH_P_8021Q, 5 << 13 | VID);
	struct pkt two = pkt_tagged(&p, ETH_P_8021Q, 7), both = pkt_tagged(&two, ETH_P_8021Q, VID);

	world(f, 0);
	f->inside = &p; /* what is counted is the frame without its tag */
	uplink_gets(f, WIRE, &in, &p, "in 5, out 4, redirect");
	f->inside = &p;
	uplink_gets(f, WIRE, &both, &p,
		    "in 5, out 4, redirect"); /* the second lies beside it now */
	in = pkt_tagged(&p, ETH_P_8021Q, 3 << 13);
	f->inside = &p;
	uplink_gets(f, WIRE, &in, &p, "in 2, out 1, redirect"); /* VID 0: only a priority */
}

/* What belongs to no network of ours goes to the host as it is. */
static void of_nobody(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_ALL, MAC_D), in = pkt_tagged(&p, ETH_P_8021Q, VID + 1);

	world(f, 0);
	uplink_gets(f, WIRE, &in, &in, "pass");
	in = pkt_tagged(&p, ETH_P_8021AD, VID);
	uplink_gets(f, WIRE, &in, &in, "pass");
	leg_del(f, UPLINK, 0);
	uplink_gets(f, WIRE, &p, &p, "pass");
	port_flags(f, UPLINK, HD_PORT_UPLINK | UP);
	in = pkt_tagged(&p, ETH_P_8021Q, VID);
	uplink_gets(f, WIRE, &in, &in, "pass");
}

/* A device that the host uses as well: what is for its MAC is the host's, what is for many is for both. */
static void shared(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_ALL, MAC_D), q = frame(MAC_A, MAC_D), tagged;
	uint8_t host[6];

	device_mac(WIRE, host);
	world(f, HD_PORT_SHARED);
	uplink_gets(f, WIRE, &p, &p, "in 2, copies 3 1, out 1 3, pass");
	uplink_gets(f, WIRE, &q, &q, "in 2, out 1, redirect");
	q = frame(host, MAC_D);
	uplink_gets(f, WIRE, &q, &q, "pass");
	tagged = pkt_tagged(&q, ETH_P_8021Q, VID);
	f->inside = &q;
	f->also[0] = &q;
	uplink_gets(f, WIRE, &tagged, &q,
		    "in 5, copies 6, out 4 6, redirect"); /* the tag is the network's */
	port_flags(f, FLAT, HD_PORT_LEG | UP);		  /* given: it has no MAC of its own */
	uplink_gets(f, WIRE, &q, &q, "in 2, copies 3, out 1 3, redirect");
}

/* The host gets its copy whatever becomes of the frame in the network. */
static void shared_and_dropped(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_ALL, MAC_C), q = frame(MAC_B, MAC_C);
	struct pkt fragment = udp(MAC_ALL, MAC_D, "192.0.2.9", 9);

	world(f, HD_PORT_SHARED);
	fdb_static(f, 1, MAC_C, 1);
	uplink_gets(f, WIRE, &p, &p, "in 2, drop mac-static at 2 in uplink-in, pass");
	uplink_gets(f, WIRE, &q, &q, "in 2, drop mac-static at 2 in uplink-in, shot");
	fragment.data[ETH_HLEN] = 0x41; /* no such header */
	uplink_gets(f, WIRE, &fragment, &fragment, "in 2, copies 3 1, out 1 3, pass");
}

static void questions_from_outside(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = pkt_eth(MAC_ALL, MAC_D, ETH_P_ARP);

	world(f, 0);
	net_add(f, 1, HD_NETWORK_FLOOD | HD_NETWORK_SUPPRESS, 300);
	neigh_add(f, 1, "192.0.2.5", MAC_A, 1);
	pkt_arp(&ask, 1, MAC_D, "192.0.2.4", MAC_ZERO, "192.0.2.5");
	uplink_gets(f, WIRE, &ask, &ask, "in 2, copies 3, out 1 3, redirect");
}

/* With legs the device lets in what is for others: a tunnel packet among it is not for us. */
static void tunnel_packet_for_another_mac(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp_to(MAC_A, MAC_D, "192.0.2.2", US, HD_VXLAN_PORT);
	uint8_t host[6];

	device_mac(WIRE, host);
	world(f, HD_PORT_SHARED);
	net_add(f, 3, HD_NETWORK_FLOOD, 300);
	net_tunnel(f, 3, HD_TUNNEL_VXLAN, 10, HD_VXLAN_PORT);
	uplink_gets(f, WIRE, &p, &p, "in 2, out 1, redirect");
	memcpy(p.data, host, 6);
	uplink_gets(f, WIRE, &p, &p, "drop tunnel-header at 20 in uplink-in, shot");
}

/* --- out --- */

static void untagged_out(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_D, MAC_A), q = frame(MAC_ALL, MAC_A), tagged;

	world(f, 0);
	enters(f, 1, &p, "in 1, out 2, redirect");
	enters(f, 1, &q, "in 1, copies 2, out 2 3, redirect");
	/* A tag of its own would bring it into a VLAN of others. */
	tagged = pkt_tagged(&p, ETH_P_8021Q, VID);
	enters(f, 1, &tagged, "in 1, drop vlan-not-allowed at 1 in port-in, shot");
	f->vid = VID;
	enters(f, 1, &p, "in 1, drop vlan-not-allowed at 1 in port-in, shot");
	f->vid = VID;
	enters(f, 1, &q, "in 1, out 3, redirect");
}

static void tagged_out(void **state)
{
	struct fixture *f = *state;
	struct pkt p = frame(MAC_D, MAC_A), q = frame(MAC_ALL, MAC_A);

	world(f, 0);
	enters(f, 4, &p, "in 4, out 5, redirect");
	enters(f, 4, &q, "in 4, copies 2@123, out 5 6, redirect");
	port_vlan(f, 4, HD_PORT_TRUNK, 0); /* it knows of tags: that of priority 5 is kept */
	f->vid = 5 << 13;
	enters(f, 4, &q, "in 4, copies 2@123pa, out 5 6, redirect");
}

/* The other VLANs inside of a network end there. */
static void inner_vlans_stay(void **state)
{
	struct fixture *f = *state;
	struct pkt q = frame(MAC_ALL, MAC_A);

	world(f, 0);
	port_vlan(f, 1, 0, 10);
	port_vlan(f, 3, 0, 10);
	enters(f, 1, &q, "in 1, new 1.10/a at 1, macs 1 +1, out 3, redirect");
}

/* A workload is not this host: what would be a tunnel packet from it does not leave. */
static void forged(void **state)
{
	struct fixture *f = *state;
	struct pkt p;

	world(f, 0);
	leg_ends_at(f, FLAT, US);
	leg_ends_at(f, TAGGED, US);
	p = udp(MAC_D, MAC_A, US, HD_VXLAN_PORT);
	enters(f, 1, &p, "in 1, drop tunnel-forged at 1 in port-in, shot");
	enters(f, 4, &p, "in 4, drop tunnel-forged at 4 in port-in, shot");
	p = udp(MAC_D, MAC_A, US, HD_GENEVE_PORT);
	enters(f, 1, &p, "in 1, drop tunnel-forged at 1 in port-in, shot");
	p = gre(US);
	enters(f, 1, &p, "in 1, drop tunnel-forged at 1 in port-in, shot");
	p = udp(MAC_D, MAC_A, US, 8472);
	enters(f, 1, &p, "in 1, out 2, redirect");
	net_add(f, 3, 0, 300);
	net_tunnel(f, 3, HD_TUNNEL_VXLAN, 10, 8472);
	enters(f, 1, &p, "in 1, drop tunnel-forged at 1 in port-in, shot");
	p = udp(MAC_ALL, MAC_A, US, HD_VXLAN_PORT);
	enters(f, 1, &p, "in 1, out 3, drop tunnel-forged at 2 in flood, redirect");
	p = udp(MAC_D, MAC_A, "192.0.2.9",
		HD_VXLAN_PORT); /* tunnels of its own are its own business */
	enters(f, 1, &p, "in 1, out 2, redirect");
	p = udp(MAC_D, MAC_A, US, 53);
	enters(f, 1, &p, "in 1, out 2, redirect");
}

static void forged_v6(void **state)
{
	struct fixture *f = *state;
	struct pkt p = udp(MAC_D, MAC_A, "2001:db8::1", HD_VXLAN_PORT), q = p;

	world(f, 0);
	leg_ends_at(f, FLAT, "2001:db8::1");
	enters(f, 1, &p, "in 1, drop tunnel-forged at 1 in port-in, shot");
	q.data[ETH_HLEN + 6] = IPPROTO_DSTOPTS;
	enters(f, 1, &q, "in 1, drop tunnel-forged at 1 in port-in, shot");
	q.data[ETH_HLEN + 6] = IPPROTO_AH; /* Open vSwitch steps over it without a look */
	enters(f, 1, &q, "in 1, drop tunnel-forged at 1 in port-in, shot");
	p = udp(MAC_D, MAC_A, "2001:db8::9", HD_VXLAN_PORT);
	enters(f, 1, &p, "in 1, out 2, redirect");
	leg_ends_at(f, FLAT, "::");
	p = udp(MAC_D, MAC_A, "::", HD_VXLAN_PORT);
	enters(f, 1, &p, "in 1, out 2, redirect");
}

/* With @len bytes of IP from "a" to "d". */
static struct pkt large(const char *source, const char *dest, uint32_t len)
{
	bool v6 = strchr(source, ':');
	struct pkt p = pkt_eth(MAC_D, MAC_A, v6 ? ETH_P_IPV6 : ETH_P_IP);

	if (v6)
		pkt_ipv6(&p, source, dest, IPPROTO_UDP, 64);
	else
		pkt_ipv4(&p, source, dest, IPPROTO_UDP);
	pkt_udp(&p, 50000, 53);
	pkt_bytes(&p, len - (v6 ? 48 : 28));
	pkt_end(&p);
	return p;
}

static struct pkt large4(uint32_t len)
{
	return large("192.0.2.9", "198.51.100.1", len);
}

static struct pkt large6(uint32_t len)
{
	return large("2001:db8::9", "2001:db8:1::1", len);
}

#define is_told(f, port, p, mtu, story)                                                            \
	do {                                                                                       \
		struct pkt answer = pkt_too_big(p, mtu);                                           \
		(f)->inside = &answer;                                                             \
		enters_as(f, port, p, &answer, story);                                             \
	} while (0)

static void too_large(void **state)
{
	struct fixture *f = *state;
	struct pkt p, q;

	world(f, 0);
	p = large4(1500);
	enters(f, 1, &p, "in 1, out 2, redirect");
	enters(f, 4, &p, "in 4, out 5, redirect"); /* the tag does not count */
	p = large4(1501);
	is_told(f, 1, &p, 1500, "in 1, out 1, drop mtu at 1 in too-big, redirect");
	is_told(f, 4, &p, 1500, "in 4, out 4, drop mtu at 4 in too-big, redirect");
	q = large6(1501);
	is_told(f, 1, &q, 1500, "in 1, out 1, drop mtu at 1 in too-big, redirect");
	is_told(f, 4, &q, 1500, "in 4, out 4, drop mtu at 4 in too-big, redirect");
	/* It is the leg's MTU that counts. */
	port_mtu(f, FLAT, 1280);
	p = large4(1280);
	enters(f, 1, &p, "in 1, out 2, redirect");
	p = large4(1281);
	is_told(f, 1, &p, 1280, "in 1, out 1, drop mtu at 1 in too-big, redirect");
	q = large6(1281);
	is_told(f, 1, &q, 1280, "in 1, out 1, drop mtu at 1 in too-big, redirect");
}

/* From a port with security: what would begin a flow, what belongs to one that waits, and one that goes on. What is not allowed is not answered. */
static void too_large_in_flows(void **state)
{
	struct fixture *f = *state;
	struct pkt small = large4(100), big = large4(1501), back;

	world(f, 0);
	secure(f, 1, 1001, 10);
	enters(f, 1, &big, "in 1, drop group-egress at 1 in flow, shot");
	allow(f, (struct allow){ .id = 1, .policy = 1001, .dir = HD_EGRESS });
	is_told(f, 1, &big, 1500, "in 1, out 1, drop mtu at 1 in too-big, redirect");
	enters(f, 1, &small, "in 1, udp begins, rules 1, out 2, redirect");
	is_told(f, 1, &big, 1500, "in 1, out 1, drop mtu at 1 in too-big, redirect");
	back = pkt_eth(MAC_A, MAC_D, ETH_P_IP);
	pkt_ipv4(&back, "198.51.100.1", "192.0.2.9", IPPROTO_UDP);
	pkt_udp(&back, 53, 50000);
	pkt_bytes(&back, 60);
	pkt_end(&back);
	uplink_gets(f, WIRE, &back, &back,
		    "in 2, udp established for good, rules 1, out 1, redirect");
	stage_del(f, HD_STAGE_FLOW); /* not needed any more */
	is_told(f, 1, &big, 1500, "in 1, out 1, drop mtu at 1 in too-big, redirect");
}

/* Of a TCP super-packet the segments count; one that does not fit is answered once. */
static void too_large_segments(void **state)
{
	struct fixture *f = *state;
	struct pkt p = pkt_eth(MAC_D, MAC_A, ETH_P_IP), answer;

	world(f, 0);
	pkt_ipv4(&p, "192.0.2.9", "198.51.100.1", IPPROTO_TCP);
	pkt_tcp(&p, 1000, 2000, 0);
	pkt_bytes(&p, 2800);
	pkt_end(&p);
	arrives(f, 1, &p, 1460, "in 1, copies 2, out 2");
	answer = pkt_too_big(&p, 1500);
	f->inside = &answer;
	f->also[0] = &answer;
	arrives(f, 1, &p, 1461, "in 1, copies 1, out 1, drop mtu at 1 in too-big");
}

static struct pkt quoting_error(uint8_t type)
{
	struct pkt p = pkt_eth(MAC_D, MAC_A, type == 3 ? ETH_P_IP : ETH_P_IPV6);

	if (type == 3)
		pkt_ipv4(&p, "192.0.2.9", "198.51.100.1", IPPROTO_ICMP);
	else
		pkt_ipv6(&p, "2001:db8::9", "2001:db8:1::1", IPPROTO_ICMPV6, 64);
	pkt_icmp(&p, type == 3 ? IPPROTO_ICMP : IPPROTO_ICMPV6, type, 1, 0);
	pkt_bytes(&p, 1500);
	pkt_end(&p);
	return p;
}

/* RFC 1122 section 3.2.2, RFC 4443 section 2.4: not of errors, of what is for many or from nobody, of pieces; nor of what is not IP. */
static void too_large_and_not_told(void **state)
{
	static const char *const ends[][2] = {
		{ "192.0.2.9", "224.0.0.5" },	{ "192.0.2.9", "255.255.255.255" },
		{ "0.0.0.0", "198.51.100.1" },	{ "239.1.1.1", "198.51.100.1" },
		{ "2001:db8::9", "ff02::5" },	{ "::", "2001:db8:1::1" },
		{ "ff02::1", "2001:db8:1::1" },
	};
	struct fixture *f = *state;
	struct pkt p = pkt_eth(MAC_D, MAC_A, ETH_P_OTHER);

	world(f, 0);
	pkt_bytes(&p, 1501);
	enters(f, 4, &p, "in 4, drop mtu at 4 in too-big, shot");
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		p = large(ends[i][0], ends[i][1], 1501);
		enters(f, 1, &p, "in 1, drop mtu at 1 in too-big, shot");
	}
	p = quoting_error(3);
	enters(f, 1, &p, "in 1, drop mtu at 1 in too-big, shot");
	p = quoting_error(1);
	enters(f, 1, &p, "in 1, drop mtu at 1 in too-big, shot");
	p = pkt_eth(MAC_D, MAC_A, ETH_P_IP);
	pkt_ipv4(&p, "192.0.2.9", "198.51.100.1", IPPROTO_UDP);
	pkt_frag4(&p, 7, 1480, false);
	pkt_bytes(&p, 1600);
	pkt_end(&p);
	enters(f, 1, &p, "in 1, drop mtu at 1 in too-big, shot");
	p = large4(1501);
	memcpy(p.data, MAC_ALL, 6);
	enters(f, 1, &p, "in 1, drop mtu at 2 in flood, drop mtu at 3 in flood, shot");
}

/* Where another port has less, this is a bridge: it drops, and names the reason. So it does with what comes from the physical network. */
static void too_large_for_a_port(void **state)
{
	struct fixture *f = *state;
	struct pkt p = large4(1501), q = large4(1501);

	world(f, 0);
	fdb_static(f, 1, MAC_B, 3);
	memcpy(p.data, MAC_B, 6);
	enters(f, 1, &p, "in 1, drop mtu at 1 in port-in, shot");
	memcpy(q.data, MAC_A, 6);
	memcpy(q.data + 6, MAC_D, 6);
	uplink_gets(f, WIRE, &q, &q, "in 2, drop mtu at 2 in uplink-in, shot");
}

static uint32_t second(struct fixture *f)
{
	return (uint32_t)now(f) / HZ << 16;
}

static void set_told(struct fixture *f, uint32_t port, uint32_t told)
{
	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(f->skel->maps.hd_told), &port, &told, BPF_ANY), 0);
}

#define ROUTER 30
#define MAC_ROUTER                                                                                 \
	((const uint8_t[6]){ HD_ROUTER_MAC_0, HD_ROUTER_MAC_1, HD_ROUTER_MAC_2, 0, 0, 1 })

/* What a router has found too large is told by the router, or by nobody: not by way of a leg that refused another packet. */
static void too_large_for_a_router(void **state)
{
	struct fixture *f = *state;
	struct pkt big = large4(1501), routed = large("192.0.2.9", "203.0.113.5", 1450);

	world(f, 0);
	router_add(f, ROUTER, MAC_ROUTER, MAC_ROUTER);
	fdb_static(f, 1, MAC_ROUTER, ROUTER);
	/* There is no way back. */
	route_add(f, (struct route){ .router = ROUTER,
				     .prefix = "203.0.113.0",
				     .len = 24,
				     .kind = HD_ROUTE_CONNECTED,
				     .network = 2 });
	neigh_add(f, 2, "203.0.113.5", MAC_A, 4);
	port_mtu(f, 4, 1400);
	memcpy(routed.data, MAC_ROUTER, 6);
	is_told(f, 1, &big, 1500, "in 1, out 1, drop mtu at 1 in too-big, redirect");
	enters(f, 1, &routed, "in 1, drop mtu at 1 in tell, shot");
}

/* So many in a second for each port, not more; and again in the next. */
static void told_too_often(void **state)
{
	struct fixture *f = *state;
	struct pkt p = large4(1501);
	int last, one_more;
	uint32_t at;

	world(f, 0);
	do { /* again if the second is over meanwhile */
		at = second(f);
		set_told(f, 1, at | 999);
		last = run_in(f, 1, &p);
		one_more = run_in(f, 1, &p);
	} while (second(f) != at);
	assert_int_equal(last, REDIRECTED);
	assert_int_equal(one_more, SHOT);
	is_told(f, 4, &p, 1500, "in 4, out 4, drop mtu at 4 in too-big, redirect");
	set_told(f, 1, (second(f) - 0x10000) | 1000);
	is_told(f, 1, &p, 1500, "in 1, out 1, drop mtu at 1 in too-big, redirect");
}

int leg_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(untagged_in),
		TEST(learned_at_the_leg),
		TEST(tagged_in),
		TEST(of_nobody),
		TEST(shared),
		TEST(shared_and_dropped),
		TEST(questions_from_outside),
		TEST(tunnel_packet_for_another_mac),
		TEST(untagged_out),
		TEST(tagged_out),
		TEST(inner_vlans_stay),
		TEST(forged),
		TEST(forged_v6),
		TEST(too_large),
		TEST(too_large_in_flows),
		TEST(too_large_segments),
		TEST(too_large_and_not_told),
		TEST(too_large_for_a_port),
		TEST(too_large_for_a_router),
		TEST(told_too_often),
	};

	return cmocka_run_group_tests_name("leg", tests, NULL, NULL);
}
