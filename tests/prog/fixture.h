/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fixture.h - a datapath of its own for each test, and the story of each packet that is sent
 * through it
 *
 * A test fills the tables, sends packets, and says what each of them should have lived through:
 *
 *	enters(f, 1, &p, "in 1, new 1/a at 1, macs 1 +1, out 2, redirect");
 *
 * The story is made by comparing everything that the datapath may write before and after the
 * packet, so that what a test does not expect fails it as well. Its parts, in this order, each only
 * when it happened:
 *
 *	in P			counted as entered by port P
 *	(N.V/h is the same in VLAN V of network N)
 *	new N/h at P		the FDB of network N learned host h (MAC() in pkt.h) at P
 *	moved N/h from P to P	... found it at another port
 *	heard N/h		... was told that it is still there
 *	changed N/h, gone N/h	... anything else
 *	macs P +1		count of MACs learned at port P
 *	tcp begins		a flow is new in the table of those that are not answered
 *	tcp half-open		its state is now this, in the table where it was
 *	tcp established for good	it has moved to the other table, with this state
 *	tcp waits, tcp goes on	... else: counted in the first table, in the second
 *	tcp ends		its entry is gone
 *	routed tcp ...		the same of a flow that crosses a router
 *	asks N/IP		a router notes that it asks who has an address of network N
 *	knows N/IP at h		... who has it
 *	forgets N/IP		the entry is gone
 *	router R moved +1	the datapath has changed a part of the generation of router R
 *	pieces +1, piece	hd_frags has one entry more; one of them has changed
 *	held +1			pieces that wait for their first one
 *	rules N N		counted for these rules
 *	copies D D		clones that went out by these devices, in this order; D@V with tag V beside it, D@VpX if
 *				its priority bits are X, D@Vs if it is an 802.1ad one
 *	out P P			counted as left by these ports
 *	drop R at P in S	counted as dropped for reason R under port P in stage S; x2 if twice; R/N if rule N decided
 *	2 undone R at P		taken off that count again
 *	pass, redirect, shot	what the kernel was told
 *
 * What does not add up is told as well, with a '!': bytes that do not match packets, drops that the
 * port's own counter misses.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/pkt_cls.h>

#include "heddle/abi.h"
#include "heddle/config.h"
#include "heddle/epoch.h"
#include "heddle/fdb.h"
#include "heddle/flow.h"
#include "heddle/leg.h"
#include "heddle/limit.h"
#include "heddle/nat.h"
#include "heddle/neigh.h"
#include "heddle/opened.h"
#include "heddle/policy.h"
#include "heddle/port.h"
#include "heddle/reason.h"
#include "heddle/router.h"
#include "heddle/stage.h"
#include "heddle/trace.h"
#include "heddle/tunnel.h"
#include "heddle/vlan.h"
#include "heddlectl/schema.h"
#include "port.skel.h"
#include "tests/prog/pkt.h"
#include "uplink.skel.h"

/*
 * Devices 1 to N_DEVICES: veths with ifindex 100 + number, but for the last, which falls on the
 * ifindex slot of device 1.
 */
#define N_DEVICES 13
#define DEVICE_COLLIDING N_DEVICES
#define DEVICE_NONE 99 /* its ifindex exists nowhere */
#define DEVICE_MTU 1500

/* Tables are as large as a test needs to fill them. */
#define MAX_PORTS 64
#define MAX_NETWORKS 16
#define MAX_FDB 256
#define MAX_DROPS 256
#define MAX_FLOWS 256
#define MAX_RULES 64
#define MAX_FRAGS 64
#define MAX_ALSO 4
#define MAX_ARP 64
#define HZ 250 /* as the programs are told; what the kernel really counts does not matter here */

#define ETH_P_OTHER 0x88b5 /* IEEE 802: for local experiments */
#define UP HD_PORT_UP
#define STORY_SIZE 4096

/**
 * struct sizes - of tables, where a test wants others than the default
 * @fdb:   entries
 * @drops: entries
 * @flows: entries of each table of established flows
 * @new_flows: of each of those that are not answered
 * @frags: entries
 * @endpoints: entries of hd_nat
 * @flows_per_port: established flows that one port may have begun
 * @hz: no size: jiffies in a second, as the programs are told
 */
struct sizes {
	uint32_t fdb;
	uint32_t drops;
	uint32_t flows;
	uint32_t new_flows;
	uint32_t frags;
	uint32_t endpoints;
	uint32_t flows_per_port;
	uint32_t nat_spread;
	uint32_t hz;
};

/**
 * struct fixture - one loaded datapath
 * @uplink:   the XDP program for uplinks, on the same tables
 * @xdp:      what uplinks get is given to it first
 * @opened:   its note about the last packet; zeros if it has left it to TC
 * @action:   what it has said about the last packet
 * @wire:     sees what the devices send
 * @tagger:   program that puts a tag beside the packet and goes on with hd_port_in
 * @starts:   its prog array
 * @clock:    program that tells the time
 * @is_own:   it was loaded for this test only, with other sizes
 * @twin:     the same programs, told to write nothing; NULL until twin_load()
 * @also:     other packets that may be seen on the wire
 * @vid:      TCI of an 802.1Q tag beside the next packet only; 0 = none
 * @inside:   what is counted for ports is the frame inside the tunnel: this one; NULL = there is no tunnel
 * @hash_at:  offset of a UDP source port that the next packet goes on with and that comes from its flow's hash; 0 = none
 */
struct fixture {
	struct port_bpf *skel;
	bool is_own;
	struct port_bpf *twin;
	struct uplink_bpf *uplink;
	bool xdp;
	struct hd_opened opened;
	int action;
	int wire;
	int tagger;
	int starts;
	int clock;
	const struct pkt *also[MAX_ALSO];
	uint16_t vid;
	const struct pkt *inside;
	uint32_t hash_at;
	struct snapshot *before;
	struct snapshot *after;
};

/*
 * Once, before the first test: a namespace with the devices. 0, or the exit status with which to
 * give up.
 */
int world_setup(void);

int fixture_setup(void **state);

/** fixture_setup_xdp - the same, with XDP at uplinks */
int fixture_setup_xdp(void **state);
int fixture_teardown(void **state);

/** fixture_resize - start over with tables of other sizes; 0 = default */
void fixture_resize(struct fixture *f, struct sizes sizes);

/** device - ifindex of a device */
uint32_t device(uint32_t number);

/** device_mac - its MAC: what the host itself is known by there */
void device_mac(uint32_t number, uint8_t ret[6]);

/* --- tables --- */

void net_add(struct fixture *f, uint32_t id, uint32_t flags, uint32_t ageing_s);

/**
 * port_add - port @id on the device of that number; joins the ring of its network. MTU 1500, 16
 * MACs.
 */
void port_add(struct fixture *f, uint32_t id, uint32_t network, uint32_t flags);
void port_add_on(struct fixture *f, uint32_t id, uint32_t number, uint32_t network, uint32_t flags);

struct hd_port_value port_get(struct fixture *f, uint32_t id);
void port_put(struct fixture *f, uint32_t id, struct hd_port_value value);

/** port_del - out of the ring and the table; its device still leads to it */
void port_del(struct fixture *f, uint32_t id);

/** port_next - bend the ring */
void port_next(struct fixture *f, uint32_t id, uint32_t next);
void port_mtu(struct fixture *f, uint32_t id, uint32_t mtu);
void port_flags(struct fixture *f, uint32_t id, uint32_t flags);
void port_mac_limit(struct fixture *f, uint32_t id, uint32_t limit);
void port_mac(struct fixture *f, uint32_t id, const uint8_t mac[6]);

/** port_vlan - its VLAN mode: flags of heddle/vlan.h besides HD_PORT_VLAN, and its own VLAN */
void port_vlan(struct fixture *f, uint32_t id, uint32_t flags, uint16_t own);

/** trunk_put - the VLANs that a port with HD_PORT_TRUNK_LIST carries: "10,20-29" */
void trunk_put(struct fixture *f, uint32_t id, const char *list);

/** port_macs - how many MACs the port is said to have learned */
uint32_t port_macs(struct fixture *f, uint32_t id);

/** port_flows - how many established flows the port is said to have begun */
uint32_t port_flows(struct fixture *f, uint32_t id);

/** port_limit - the port's rate in a direction, in bytes a second, and how many of them at once; its flag as well */
void port_limit(struct fixture *f, uint32_t id, enum hd_direction dir, uint64_t bytes_s,
		uint64_t burst);

/** bucket_due, bucket_set_due - when what has passed will be through: ns on the monotonic clock */
uint64_t bucket_due(struct fixture *f, uint32_t id, enum hd_direction dir);
void bucket_set_due(struct fixture *f, uint32_t id, enum hd_direction dir, uint64_t due_ns);

/** port_held, port_set_held - what is counted of the pieces that it has had put by, see struct hd_port_state */
uint32_t port_held(struct fixture *f, uint32_t id);
void port_set_held(struct fixture *f, uint32_t id, uint32_t held);

void port_set_macs(struct fixture *f, uint32_t id, uint32_t n);

void fdb_static(struct fixture *f, uint32_t network, const uint8_t mac[6], uint32_t port);

void fdb_static_vlan(struct fixture *f, uint32_t network, uint16_t vlan, const uint8_t mac[6],
		     uint32_t port);

/**
 * fdb_learned - an entry last heard @age jiffies ago (negative: in the future), counted at its port
 */
void fdb_learned(struct fixture *f, uint32_t network, const uint8_t mac[6], uint32_t port,
		 int64_t age);
void fdb_del(struct fixture *f, uint32_t network, const uint8_t mac[6]);
uint64_t fdb_seen(struct fixture *f, uint32_t network, const uint8_t mac[6]);
uint32_t fdb_count(struct fixture *f);

/** neigh_add - @ip of either family */
void neigh_add(struct fixture *f, uint32_t network, const char *ip, const uint8_t mac[6],
	       uint32_t port);

/** neigh_add_vlan - the same in a VLAN */
void neigh_add_vlan(struct fixture *f, uint32_t network, uint16_t vlan, const char *ip,
		    const uint8_t mac[6], uint32_t port);

void neigh_del(struct fixture *f, uint32_t network, const char *ip);

/* --- security --- */

/** secure - the port gets security: its policy, its generation. Without source_add() it may use any address. */
void secure(struct fixture *f, uint32_t id, uint32_t policy, uint32_t gen);

/** source_add - an address, or prefix of @len bits, that a port may send from; @mac NULL for a port without MAC */
void source_add(struct fixture *f, uint32_t port, const uint8_t *mac, const char *ip, uint32_t len);

/** member_add - an address outside belongs to the groups of a policy */
void member_add(struct fixture *f, uint32_t network, const char *ip, uint32_t policy);

/** gateway_add - an address that only the gateway may use */
void gateway_add(struct fixture *f, uint32_t network, const char *ip);

/**
 * struct allow - one row of a policy
 * @id:     rule
 * @proto:  0 = any
 * @port:   destination port, masked
 * @port_len: bits of it that matter
 * @remote: address, masked; with @len bits that matter
 * @group:  policy that the remote must have; then no @remote
 */
struct allow {
	uint32_t id;
	uint32_t policy;
	enum hd_direction dir;
	uint8_t proto;
	uint16_t port;
	uint8_t port_len;
	bool v6;
	const char *remote;
	uint8_t len;
	uint32_t group;
};

/** allow, disallow - add and remove a row; the generation is up to the test */
void allow(struct fixture *f, struct allow rule);
void disallow(struct fixture *f, struct allow rule);

/**
 * struct flow - an entry of a flow table
 * @there:  there is one
 * @is_new: in the table of those that are not answered
 * @side:   of the opener
 * @router: that it crosses, 0 = none; then @network and @vlan are 0
 * @vlan:   inside of the network
 * @hop:    of a flow that crosses a router, of side 0 and 1
 */
struct flow {
	bool there;
	bool is_new;
	int side;
	uint32_t router;
	uint32_t network;
	uint16_t vlan;
	struct hd_flow_value value;
	struct hd_hop hop[2];
	uint8_t key[sizeof(struct hd_flow6_key)];
};

/** flow_of - the entry between two ends, in whichever table it is; fails the test if it is in both */
struct flow flow_of(struct fixture *f, uint8_t proto, const char *opener, uint16_t from,
		    const char *other, uint16_t to);

/** flow_put - write it back, changed */
void flow_put(struct fixture *f, const struct flow *flow, bool v6);

/** twin_load - the programs a second time, over the same tables, as `heddle trace` runs them */
void twin_load(struct fixture *f);

/** run_twin - verdict of the twin */
int run_twin(struct fixture *f, uint32_t number, const struct pkt *in);

/** packets_out - sum of what has left by all ports */
uint64_t packets_out(struct fixture *f);

/** is_shared - whether twin and datapath share this map */
bool is_shared(const struct bpf_map *map);

/** stage_del - as if a stage had not been loaded */
void stage_del(struct fixture *f, uint32_t stage);

/** drop_seed - the entry under port 0 that the daemon makes for when the table is full */
void drop_seed(struct fixture *f, uint16_t reason, uint16_t stage);

/** now - jiffies, all 64 bits */
uint64_t now(struct fixture *f);

/* --- tunnels --- */

/** net_tunnel - network @id leaves the host; @wire_id: VNI or key, @port: UDP port */
void net_tunnel(struct fixture *f, uint32_t id, enum hd_tunnel_type type, uint32_t wire_id,
		uint16_t port);

/** net_outer - outer packets of network @id have this DSCP, whatever is inside, and this TTL; else that of inside, and 64 */
void net_outer(struct fixture *f, uint32_t id, uint8_t dscp, uint8_t ttl);

/** net_first - first member of a network */
void net_first(struct fixture *f, uint32_t id, uint32_t port);

/** uplink_add - pseudo port @id on the device of that number; tunnels end at @ip */
void uplink_add(struct fixture *f, uint32_t id, uint32_t number, const char *ip);

/** peer_add - pseudo port @id, reached by the device of that number, MTU 1500; in every network. Its MAC is MAC(@id), ours MAC_UPLINK. */
void peer_add(struct fixture *f, uint32_t id, uint32_t number, const char *local,
	      const char *remote);

/** peer_del - whoever comes from there is a stranger now */
void peer_del(struct fixture *f, const char *remote);

/** epoch_underlay, epoch_fdb - a table has changed that things are remembered of, see heddle/epoch.h; for changes by net_tunnel() and fdb_...() */
void epoch_underlay(struct fixture *f);
void epoch_fdb(struct fixture *f);

/** peer_link - after @peer (0 = first) comes @next in the list of a network (0 = of all) */
void peer_link(struct fixture *f, uint32_t network, uint32_t peer, uint32_t next);

/** end_flags - more of HD_END_* */
void end_flags(struct fixture *f, uint32_t id, uint32_t flags);

void end_mtu(struct fixture *f, uint32_t id, uint32_t mtu);

#define MAC_UPLINK MAC(0xee)

/* --- physical networks --- */

/** leg_add - leg @id of a network, at an uplink, with tag @vid outside (0 = none); @flags besides HD_PORT_LEG and UP */
void leg_add(struct fixture *f, uint32_t id, uint32_t uplink, uint32_t network, uint16_t vid,
	     uint32_t flags);

/** leg_del - frames of a VLAN that come in by an uplink belong to nobody */
void leg_del(struct fixture *f, uint32_t uplink, uint16_t vid);

/** leg_ends_at - the host's tunnel address, as the leg knows it */
void leg_ends_at(struct fixture *f, uint32_t id, const char *ip);

/* --- routers --- */

/** router_add - pseudo port @id with its two MACs: the one of all hosts, and the one with which this host asks for neighbours */
void router_add(struct fixture *f, uint32_t id, const uint8_t mac[6], const uint8_t asks[6]);

/** router_gen - the configuration of a router has changed */
void router_gen(struct fixture *f, uint32_t id, uint32_t gen);

/**
 * struct route - a row of hd_routes or hd_hops
 * @prefix:  with @len bits; not for a hop
 * @gateway: the router's address on that side
 * @id:      of the static route, or group
 */
struct route {
	uint32_t router;
	const char *prefix;
	uint8_t len;
	enum hd_route_kind kind;
	uint32_t network;
	const char *via;
	const char *gateway;
	uint32_t id;
};

/** route_add - what a router does with packets for a prefix; @via and @gateway may be NULL */
void route_add(struct fixture *f, struct route route);

void route_del(struct fixture *f, struct route route);

/** hop_add - who takes the packets that fall on a slot of a group */
void hop_add(struct fixture *f, uint16_t group, uint16_t slot, struct route hop);

/** router_joins - a router gets a subnet: connected, its own address there, and the broadcast addresses of an IPv4 one */
void router_joins(struct fixture *f, uint32_t id, uint32_t network, const char *prefix, uint8_t len,
		  const char *gateway);

/** router_outside - a network is a router's outside, with its address @ip there; what goes there is called that */
void router_outside(struct fixture *f, uint32_t id, uint32_t network, const char *ip);

/** nat_pool - an external address has @n blocks of ports, from block @first on */
void nat_pool(struct fixture *f, uint32_t network, const char *ip, uint16_t first, uint32_t n);

/** arp_learned - a neighbour has said which MAC it has; MAC_ZERO: it was asked and has not */
void arp_learned(struct fixture *f, uint32_t network, const char *ip, const uint8_t mac[6]);

/** router_learned - the same, and it was that router which has asked it or heard it */
void router_learned(struct fixture *f, uint32_t router, uint32_t network, const char *ip,
		    const uint8_t mac[6]);

/** arp_ages - as if so many jiffies had gone by since a neighbour was asked */
void arp_ages(struct fixture *f, uint32_t network, const char *ip, uint32_t jiffies);

/** router_state - what the datapath has noted of a router, or of what any port was told */
struct hd_router_state router_state(struct fixture *f, uint32_t id);

/** forget_told - as if a port had not been told or asked for anything in this second */
void forget_told(struct fixture *f, uint32_t id);

/* --- packets --- */

/**
 * shortest_frame - 14; some kernels do not take a frame without payload in a test run, and none an
 * IP header that is cut off
 */
uint32_t shortest_frame(struct fixture *f);

/** enters - send @in into the host by a device; it goes on unchanged */
#define enters(f, number, in, story) enters_as(f, number, in, in, story)

/** enters_as - the same; it goes on as @out */
#define enters_as(f, number, in, out, story) enters_(f, number, in, out, story, __FILE__, __LINE__)

/**
 * leaves - send @in out by a device; @from is the device by which it had entered the host, 0 if it
 * was made there
 */
#define leaves(f, number, from, in, story) leaves_(f, number, from, in, story, __FILE__, __LINE__)

/**
 * uplink_gets - the underlay sends @in to the uplink on a device; it goes on as @out
 *
 * With @xdp: what the outer headers are dropped for, happens in uplink-xdp, and not in uplink-in, as the story has it.
 */
#define uplink_gets(f, number, in, out, story)                                                     \
	uplink_gets_(f, number, in, out, story, __FILE__, __LINE__)
void uplink_gets_(struct fixture *f, uint32_t number, const struct pkt *in, const struct pkt *out,
		  const char *story, const char *file, int line);

/** opened_gets - XDP has opened a packet on a device and noted @port and @network; the frame is @in, and goes on as @out. @vid of the fixture counts. */
#define opened_gets(f, number, note, in, out, story)                                               \
	opened_gets_(f, number, note, in, out, story, __FILE__, __LINE__)
void opened_gets_(struct fixture *f, uint32_t number, struct hd_opened note, const struct pkt *in,
		  const struct pkt *out, const char *story, const char *file, int line);

/** uplink_sends - the host sends @in out by an uplink; @from is the device by which it had entered the host, 0 if it was made there */
#define uplink_sends(f, number, from, in, story)                                                   \
	uplink_sends_(f, number, from, in, story, __FILE__, __LINE__)
void uplink_sends_(struct fixture *f, uint32_t number, uint32_t from, const struct pkt *in,
		   const char *story, const char *file, int line);

/**
 * arrives - the far end of a device sends @in, which comes in through the attached program
 *
 * For what a test run can't make: a TCP super-packet of segments with @gso_size bytes of data.
 * Nobody sees the verdict then, and the packet itself is seen on the wire as its clones are.
 */
#define arrives(f, number, in, gso_size, story)                                                    \
	arrives_(f, number, in, gso_size, story, __FILE__, __LINE__)

void enters_(struct fixture *f, uint32_t number, const struct pkt *in, const struct pkt *out,
	     const char *story, const char *file, int line);
void leaves_(struct fixture *f, uint32_t number, uint32_t from, const struct pkt *in,
	     const char *story, const char *file, int line);
void arrives_(struct fixture *f, uint32_t number, const struct pkt *in, uint16_t gso_size,
	      const char *story, const char *file, int line);

/**
 * run_in - send without telling the story; for threads, in which nothing can be asserted. Returns
 * the verdict.
 */
int run_in(struct fixture *f, uint32_t number, const struct pkt *in);

/** run_through - the same; gives what it went on as */
int run_through(struct fixture *f, uint32_t number, const struct pkt *in, struct pkt *ret_out);

/** run_uplink - send to an uplink without telling the story; gives what it went on as, and the verdict */
int run_uplink(struct fixture *f, uint32_t number, const struct pkt *in, struct pkt *ret_out);

/** drops_total - sum of all counters of drops */
uint64_t drops_total(struct fixture *f);

/** run_out - the same for what the host sends out of a port */
int run_out(struct fixture *f, uint32_t number, const struct pkt *in);

/* Verdicts, as the kernel names them (linux/pkt_cls.h). */
#define PASSED TC_ACT_UNSPEC
#define SHOT TC_ACT_SHOT
#define REDIRECTED TC_ACT_REDIRECT

/** was_provoked - whether any test so far saw a drop for this reason */
bool was_provoked(uint32_t reason);

/* Each returns the number of failed tests. */
int eth_tests(void);
int learn_tests(void);
int forward_tests(void);
int flood_tests(void);
int neigh_tests(void);
int out_tests(void);
int flow_tests(void);
int tcp_tests(void);
int icmp_tests(void);
int group_tests(void);
int source_tests(void);
int frag_tests(void);
int header_tests(void);
int trace_tests(void);
int vlan_tests(void);
int tunnel_tests(void);
int leg_tests(void);
int onward_tests(void);
int route_tests(void);
int resolve_tests(void);
int tell_tests(void);
int firewall_tests(void);
int nat_tests(void);
int fip6_tests(void);
int nat6_tests(void);
int listen_tests(void);
int nat_sweep_tests(void);
int nat_log_tests(void);
int nat_quota_tests(void);
int nat_filter_tests(void);
int limit_tests(void);
int reason_tests(void);

/** run_xdp - bytes and verdict of the XDP program alone; any length. @len: of @data, and of what comes back, with its note in front */
int run_xdp(struct fixture *f, uint32_t number, void *data, uint32_t *len, uint32_t space);

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
#define TEST_XDP(name)                                                                             \
	{                                                                                          \
		"xdp: " #name, name, fixture_setup_xdp, fixture_teardown, NULL                     \
	}
