/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * secure.h - the little world in which the tests of flows and rules play
 *
 * Network 1: "a", "b" and "c" behind ports 1, 2 and 3 with security, each with MAC, addresses and a policy of its own; "d"
 * behind port 4 without. Everything may leave "a"; "b" takes what the rules below say; nothing may leave "b"; "c" has no rules at all.
 */
#pragma once

#include "tests/prog/fixture.h"

/* A host: its port has the same number. */
struct host {
	uint32_t port;
	uint8_t mac[6];
	const char *v4;
	const char *v6;
	const char *local; /* link-local */
};

extern const struct host a, b, c, d;

#define POLICY(port) (1000 + (port))
#define GEN(port) (10 * (port))

/* Rules: what they allow. */
enum {
	A_OUT4 = 1, /* a: everything out */
	A_OUT6,
	B_TCP,	/* b: in: tcp 80 */
	B_UDP,	/* udp 53 */
	B_PING, /* icmp echo */
	B_TCP6,
	B_UDP6,
	B_PING6,
	B_GRE,	   /* protocol 47 from 192.0.2.0/24 */
	B_SCTP,	   /* sctp 9 */
	FREE_RULE, /* from here on for tests */
};

#define RULES_AB "rules 1 4" /* of a UDP flow from a to b */

void secure_world(struct fixture *f);

/** rules_ab - what the rules above say: rows of the policies of ports 1 and 2 */
void rules_ab(struct fixture *f);

/** open_rules - policy of a port lets everything through, with rules @id (in, IPv4), and up: in IPv6, out IPv4, out IPv6 */
void open_rules(struct fixture *f, uint32_t port, uint32_t id);

/** set_gen - the configuration of a port has changed */
void set_gen(struct fixture *f, uint32_t port, uint32_t gen);

/* Headers up to IP, of either family. */
struct pkt ip4(const struct host *from, const struct host *to, uint8_t proto);
struct pkt ip6(const struct host *from, const struct host *to, uint8_t proto);

struct pkt udp4(const struct host *from, const struct host *to, uint16_t sport, uint16_t dport);
struct pkt udp6(const struct host *from, const struct host *to, uint16_t sport, uint16_t dport);
struct pkt tcp4(const struct host *from, const struct host *to, uint16_t sport, uint16_t dport,
		struct pkt_segment segment, uint32_t payload);
struct pkt tcp6(const struct host *from, const struct host *to, uint16_t sport, uint16_t dport,
		struct pkt_segment segment, uint32_t payload);
struct pkt icmp4(const struct host *from, const struct host *to, uint8_t type, uint8_t code,
		 uint16_t id);
struct pkt icmp6(const struct host *from, const struct host *to, uint8_t type, uint8_t code,
		 uint16_t id);
