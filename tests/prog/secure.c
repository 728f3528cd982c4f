// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* secure.c - the little world in which the tests of flows and rules play */
#include "tests/prog/secure.h"

const struct host a = { 1, { 2, 0, 0, 0, 0, 0x0a }, "192.0.2.10", "2001:db8::a", "fe80::a" };
const struct host b = { 2, { 2, 0, 0, 0, 0, 0x0b }, "192.0.2.11", "2001:db8::b", "fe80::b" };
const struct host c = { 3, { 2, 0, 0, 0, 0, 0x0c }, "192.0.2.12", "2001:db8::c", "fe80::c" };
const struct host d = { 4, { 2, 0, 0, 0, 0, 0x0d }, "192.0.2.13", "2001:db8::d", "fe80::d" };

static void host_add(struct fixture *f, const struct host *host, bool is_secure)
{
	port_add(f, host->port, 1, UP);
	port_mac(f, host->port, host->mac);
	fdb_static(f, 1, host->mac, host->port);
	if (!is_secure)
		return;
	source_add(f, host->port, host->mac, host->v4, 32);
	source_add(f, host->port, host->mac, host->v6, 128);
	source_add(f, host->port, host->mac, host->local, 128);
	secure(f, host->port, POLICY(host->port), GEN(host->port));
}

/* Rows of rules for "b": what may come in. */
static void allow_b(struct fixture *f, uint32_t id, bool v6, uint8_t proto, uint16_t port)
{
	allow(f, (struct allow){ .id = id,
				 .policy = POLICY(2),
				 .dir = HD_INGRESS,
				 .v6 = v6,
				 .proto = proto,
				 .port = port,
				 .port_len = 16 });
}

void rules_ab(struct fixture *f)
{
	allow(f, (struct allow){ .id = A_OUT4, .policy = POLICY(1), .dir = HD_EGRESS });
	allow(f, (struct allow){ .id = A_OUT6, .policy = POLICY(1), .dir = HD_EGRESS, .v6 = true });
	allow_b(f, B_TCP, false, IPPROTO_TCP, 80);
	allow_b(f, B_UDP, false, IPPROTO_UDP, 53);
	allow_b(f, B_PING, false, IPPROTO_ICMP, 8 << 8);
	allow_b(f, B_TCP6, true, IPPROTO_TCP, 80);
	allow_b(f, B_UDP6, true, IPPROTO_UDP, 53);
	allow_b(f, B_PING6, true, IPPROTO_ICMPV6, 128 << 8);
	allow_b(f, B_SCTP, false, IPPROTO_SCTP, 9);
	allow(f, (struct allow){ .id = B_GRE,
				 .policy = POLICY(2),
				 .dir = HD_INGRESS,
				 .proto = 47,
				 .remote = "192.0.2.0",
				 .len = 24 });
}

void secure_world(struct fixture *f)
{
	net_add(f, 1, HD_NETWORK_FLOOD, 300);
	host_add(f, &a, true);
	host_add(f, &b, true);
	host_add(f, &c, true);
	host_add(f, &d, false);
	rules_ab(f);
}

void open_rules(struct fixture *f, uint32_t port, uint32_t id)
{
	for (uint32_t i = 0; i < 4; i++)
		allow(f, (struct allow){ .id = id + i,
					 .policy = POLICY(port),
					 .dir = i < 2 ? HD_INGRESS : HD_EGRESS,
					 .v6 = i & 1 });
}

void set_gen(struct fixture *f, uint32_t port, uint32_t gen)
{
	struct hd_port_value value = port_get(f, port);

	value.gen = gen;
	port_put(f, port, value);
}

struct pkt ip4(const struct host *from, const struct host *to, uint8_t proto)
{
	struct pkt p = pkt_eth(to->mac, from->mac, ETH_P_IP);

	pkt_ipv4(&p, from->v4, to->v4, proto);
	return p;
}

struct pkt ip6(const struct host *from, const struct host *to, uint8_t proto)
{
	struct pkt p = pkt_eth(to->mac, from->mac, ETH_P_IPV6);

	pkt_ipv6(&p, from->v6, to->v6, proto, 64);
	return p;
}

static struct pkt udp_on(struct pkt p, uint16_t sport, uint16_t dport)
{
	pkt_udp(&p, sport, dport);
	pkt_bytes(&p, 32);
	pkt_end(&p);
	return p;
}

struct pkt udp4(const struct host *from, const struct host *to, uint16_t sport, uint16_t dport)
{
	return udp_on(ip4(from, to, IPPROTO_UDP), sport, dport);
}

struct pkt udp6(const struct host *from, const struct host *to, uint16_t sport, uint16_t dport)
{
	return udp_on(ip6(from, to, IPPROTO_UDP), sport, dport);
}

static struct pkt tcp_on(struct pkt p, uint16_t sport, uint16_t dport, struct pkt_segment segment,
			 uint32_t payload)
{
	pkt_tcp_segment(&p, sport, dport, segment);
	pkt_bytes(&p, payload);
	pkt_end(&p);
	return p;
}

struct pkt tcp4(const struct host *from, const struct host *to, uint16_t sport, uint16_t dport,
		struct pkt_segment segment, uint32_t payload)
{
	return tcp_on(ip4(from, to, IPPROTO_TCP), sport, dport, segment, payload);
}

struct pkt tcp6(const struct host *from, const struct host *to, uint16_t sport, uint16_t dport,
		struct pkt_segment segment, uint32_t payload)
{
	return tcp_on(ip6(from, to, IPPROTO_TCP), sport, dport, segment, payload);
}

static struct pkt icmp_on(struct pkt p, uint8_t proto, uint8_t type, uint8_t code, uint16_t id)
{
	pkt_icmp(&p, proto, type, code, id);
	pkt_bytes(&p, 32);
	pkt_end(&p);
	return p;
}

struct pkt icmp4(const struct host *from, const struct host *to, uint8_t type, uint8_t code,
		 uint16_t id)
{
	return icmp_on(ip4(from, to, IPPROTO_ICMP), IPPROTO_ICMP, type, code, id);
}

struct pkt icmp6(const struct host *from, const struct host *to, uint8_t type, uint8_t code,
		 uint16_t id)
{
	return icmp_on(ip6(from, to, IPPROTO_ICMPV6), IPPROTO_ICMPV6, type, code, id);
}
