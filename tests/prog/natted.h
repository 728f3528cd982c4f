/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * natted.h - the little world in which the tests of address translation play: that of routed.h, whose second network is outside
 *
 *	network 1, 192.0.2.0/24                          network 2, 198.51.100.0/24, outside
 *	   ann .10 ── port 1, security ──┐                   ┌── port 4 ── dan .13, next hop of the default route
 *	   cat .12 ── port 3 ────────────┴── .1  router  .1 ─┴── port 5 ── eve .14
 *
 * The pool of the router's address has blocks 17, 18, ... in this order. ann may send anything, and lets in what rules say.
 */
#pragma once

#include "heddle/nat.h"
#include "model/model.h"
#include "sync/datapath.h"
#include "tests/prog/routed.h"

#define OUTSIDE 2
#define GATE GATE2
#define FLOATING "198.51.100.99"
#define BLOCK 17
#define PORT(n) ((uint16_t)(BLOCK * HD_NAT_BLOCK_PORTS + (n))) /* the n-th that is handed out */

/* The router, as it is seen from outside and from inside; and who is outside, as it is seen from inside. */
extern const struct host gate, floating, inner, dan_in, eve_in;

/** natted_world - with translation, and @blocks free blocks */
void natted_world(struct fixture *f, uint32_t blocks);

/** datapath_of - what the daemon's side of translation needs of it; nothing to be freed */
struct hd_datapath datapath_of(struct fixture *f);

/** model_put - an object as the daemon would have it */
void model_put(struct hd_model *model, enum hd_noun_id noun, const char *name, uint32_t id,
	       const char *text);

/** gateway_set - what a router is called outside: @flags of HD_END_SNAT, HD_END_NAT_LOG, HD_END_NAT_QUOTA */
void gateway_set(struct fixture *f, uint32_t router, const char *ip, uint32_t flags);

/** pool_set - the ring of an external address: @n blocks from @first on, and how many of them have been taken */
void pool_set(struct fixture *f, const char *ip, uint32_t first, uint32_t n, uint32_t head);

uint32_t pool_head(struct fixture *f, const char *ip);

/** floating_add - between an address outside and a host inside */
void floating_add(struct fixture *f, uint32_t router, const char *ip, const char *fixed);

/** forward_set - a port forward for UDP; @to: NULL takes it away */
void forward_set(struct fixture *f, uint32_t router, const char *ip, uint16_t port, const char *to,
		 uint16_t to_port);

/** forward6_set, forward6_unset - a port forward of IPv6, and the address where it listens; it goes */
void forward6_set(struct fixture *f, uint8_t class, const char *ip, uint16_t port, const char *to,
		  uint16_t to_port);
void forward6_unset(struct fixture *f, uint8_t class, const char *ip, uint16_t port, const char *to,
		    uint16_t to_port);

/** masked6 - the router has an address outside for endpoints of IPv6; @flags: of HD_END_SNAT6, HD_END_NAT_*; its pool as that of IPv4, @blocks of it */
void masked6(struct fixture *f, const char *ip, uint32_t flags, uint32_t blocks);

/** endpoint_add - as if it had been translated before; both directions */
void endpoint_add(struct fixture *f, uint32_t router, uint8_t class, const char *inside,
		  uint16_t port, const char *outside, uint16_t outside_port);

/** endpoint_of - port outside of an endpoint inside, 0 if it has none; fails the test if the way back leads elsewhere */
uint16_t endpoint_of(struct fixture *f, uint8_t class, const char *inside, uint16_t port);

/** endpoints - entries of hd_nat */
uint32_t endpoints(struct fixture *f);

/** user_get - blocks of an inside address of the router; all zero if it has none */
struct hd_nat_user user_get(struct fixture *f, const char *ip);
void user_put(struct fixture *f, const char *ip, const struct hd_nat_user *user);

/** going - a packet as it goes on, its TTL less by one */
struct pkt going(struct pkt p);

/** error_about - an ICMP error of its family that quotes all of @about from its IP header on */
struct pkt error_about(const struct host *from, const struct host *to, uint8_t type, uint8_t code,
		       uint32_t word, const struct pkt *about);

/**
 * with_port - the same packet with another port, at this place of its transport header, and the rest as it is: nobody needs the checksum of what is
 * quoted
 */
struct pkt with_port(struct pkt p, uint32_t at, uint16_t port);

/* Enters by a device, and goes on as another packet, whose TTL is one less than it says. */
#define becomes(f, number, in, out, story)                                                         \
	do {                                                                                       \
		struct pkt in_ = (in), out_ = going(out);                                          \
                                                                                                   \
		enters_as(f, number, &in_, &out_, story);                                          \
	} while (0)

#define dropped(f, number, in, story)                                                              \
	do {                                                                                       \
		struct pkt in_ = (in);                                                             \
                                                                                                   \
		enters(f, number, &in_, story);                                                    \
	} while (0)
