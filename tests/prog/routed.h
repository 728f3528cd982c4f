/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * routed.h - the little world in which the tests of routers play
 *
 *	network 1, 192.0.2.0/24                          network 2, 198.51.100.0/24
 *	2001:db8:1::/64                                  2001:db8:2::/64
 *	   ann .10 ── port 1 ──┐                     ┌── port 2 ── bob .11    with security
 *	   cat .12 ── port 3 ──┴── .1  router 30  .1 ┼── port 4 ── dan .13    without
 *	                                             └── port 5 ── eve .14    without; the configuration knows nothing of her
 *
 * The rules are those of secure.h: ann may send anything, bob accepts UDP 53, TCP 80 and ping, and may begin nothing.
 */
#pragma once

#include "tests/prog/secure.h"

extern const struct host ann, bob, cat, dan, eve;

#define ROUTER 30
#define MAC_ROUTER ((const uint8_t[6]){ 2, 0x68, 0x64, 0, 0, 0x1e })
#define MAC_ASKS ((const uint8_t[6]){ 2, 0x68, 0x65, 0, 0, 0x1e })

/* The router's addresses. */
#define GATE1 "192.0.2.1"
#define GATE2 "198.51.100.1"
#define GATE1_6 "2001:db8:1::1"
#define GATE2_6 "2001:db8:2::1"

void routed_world(struct fixture *f);

/** routed_host - a host behind the port of its number, with its addresses in the configuration */
void routed_host(struct fixture *f, const struct host *host, uint32_t network, bool is_secure);

/** to_router - a packet as it is on its way to a router: for the MAC of this one */
struct pkt to_router(struct pkt p);

/** routed - the same packet as it goes on: from the router to @mac, its TTL less by one */
struct pkt routed(struct pkt p, const uint8_t mac[6]);

/** with_ttl - with another TTL, or hop limit */
struct pkt with_ttl(struct pkt p, uint8_t ttl);

/** with_source, with_target - with another address; checksums of UDP, TCP and ICMPv6 are not kept right: nobody here looks at them */
struct pkt with_source(struct pkt p, const char *ip);
struct pkt with_target(struct pkt p, const char *ip);

/** told - what the sender of @about is told by the router, from its address @gate: an ICMP error with @word in its header */
struct pkt told(const struct pkt *about, const char *gate, uint8_t type, uint8_t code,
		uint32_t word);

/** a piece of a UDP datagram to port 53, of either family: @len bytes of the whole, from @off on */
struct pkt piece_of(const struct host *from, const struct host *to, bool v6, uint16_t id,
		    uint32_t off, uint32_t len, bool more);
