// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* routed.c - the little world in which the tests of routers play */
#include "tests/prog/routed.h"

const struct host ann = { 1, { 2, 0, 0, 0, 0, 0x0a }, "192.0.2.10", "2001:db8:1::a", "fe80::a" };
const struct host bob = { 2, { 2, 0, 0, 0, 0, 0x0b }, "198.51.100.11", "2001:db8:2::b", "fe80::b" };
const struct host cat = { 3, { 2, 0, 0, 0, 0, 0x0c }, "192.0.2.12", "2001:db8:1::c", "fe80::c" };
const struct host dan = { 4, { 2, 0, 0, 0, 0, 0x0d }, "198.51.100.13", "2001:db8:2::d", "fe80::d" };
const struct host eve = { 5, { 2, 0, 0, 0, 0, 0x0e }, "198.51.100.14", "2001:db8:2::e", "fe80::e" };

void routed_host(struct fixture *f, const struct host *host, uint32_t network, bool is_secure)
{
	port_add(f, host->port, network, UP | HD_PORT_ROUTED);
	port_mac(f, host->port, host->mac);
	fdb_static(f, network, host->mac, host->port);
	neigh_add(f, network, host->v4, host->mac, host->port);
	neigh_add(f, network, host->v6, host->mac, host->port);
	if (!is_secure)
		return;
	source_add(f, host->port, host->mac, host->v4, 32);
	source_add(f, host->port, host->mac, host->v6, 128);
	source_add(f, host->port, host->mac, host->local, 128);
	secure(f, host->port, POLICY(host->port), GEN(host->port));
}

void routed_world(struct fixture *f)
{
	net_add(f, 1, HD_NETWORK_FLOOD, 300);
	net_add(f, 2, HD_NETWORK_FLOOD, 300);
	routed_host(f, &ann, 1, true);
	routed_host(f, &bob, 2, true);
	routed_host(f, &cat, 1, false);
	routed_host(f, &dan, 2, false);
	port_add(f, eve.port, 2, UP | HD_PORT_ROUTED);
	net_first(f, 1, 1);
	net_first(f, 2, 2);
	rules_ab(f);
	router_add(f, ROUTER, MAC_ROUTER, MAC_ASKS);
	router_joins(f, ROUTER, 1, "192.0.2.0", 24, GATE1);
	router_joins(f, ROUTER, 1, "2001:db8:1::", 64, GATE1_6);
	router_joins(f, ROUTER, 2, "198.51.100.0", 24, GATE2);
	router_joins(f, ROUTER, 2, "2001:db8:2::", 64, GATE2_6);
}

static bool is_v6(const struct pkt *p)
{
	return p->data[12] == 0x86;
}

static struct pkt with_csum(struct pkt p)
{
	if (is_v6(&p))
		return p;
	pkt_set16(&p, ETH_HLEN + 10, 0);
	pkt_set16(&p, ETH_HLEN + 10,
		  pkt_fold(pkt_sum(p.data + ETH_HLEN, (p.data[ETH_HLEN] & 15) * 4u, 0)));
	return p;
}

struct pkt to_router(struct pkt p)
{
	memcpy(p.data, MAC_ROUTER, 6);
	return p;
}

static uint8_t *ttl_of(struct pkt *p)
{
	return p->data + ETH_HLEN + (is_v6(p) ? 7 : 8);
}

struct pkt with_ttl(struct pkt p, uint8_t ttl)
{
	*ttl_of(&p) = ttl;
	return with_csum(p);
}

struct pkt routed(struct pkt p, const uint8_t mac[6])
{
	memcpy(p.data, mac, 6);
	memcpy(p.data + 6, MAC_ROUTER, 6);
	return with_ttl(p, (uint8_t)(*ttl_of(&p) - 1));
}

struct pkt with_source(struct pkt p, const char *ip)
{
	if (is_v6(&p))
		pkt_address(AF_INET6, ip, p.data + ETH_HLEN + 8);
	else
		pkt_address(AF_INET, ip, p.data + ETH_HLEN + 12);
	return with_csum(p);
}

struct pkt with_target(struct pkt p, const char *ip)
{
	if (is_v6(&p))
		pkt_address(AF_INET6, ip, p.data + ETH_HLEN + 24);
	else
		pkt_address(AF_INET, ip, p.data + ETH_HLEN + 16);
	return with_csum(p);
}

/* So much of what it is about is quoted at most. */
#define QUOTED 128

struct pkt told(const struct pkt *about, const char *gate, uint8_t type, uint8_t code,
		uint32_t word)
{
	struct pkt p = pkt_eth(about->data + 6, about->data, is_v6(about) ? ETH_P_IPV6 : ETH_P_IP);
	uint32_t len = about->len - ETH_HLEN;
	char sender[INET6_ADDRSTRLEN];

	if (is_v6(about)) {
		(void)inet_ntop(AF_INET6, about->data + ETH_HLEN + 8, sender, sizeof(sender));
		pkt_ipv6(&p, gate, sender, IPPROTO_ICMPV6, 64);
		pkt_icmp(&p, IPPROTO_ICMPV6, type, code, 0);
	} else {
		(void)inet_ntop(AF_INET, about->data + ETH_HLEN + 12, sender, sizeof(sender));
		pkt_ipv4(&p, gate, sender, IPPROTO_ICMP);
		p.data[ETH_HLEN + 1] = 0xc0; /* RFC 1812 section 4.3.2.5 */
		pkt_icmp(&p, IPPROTO_ICMP, type, code, 0);
	}
	word = htonl(word);
	memcpy(p.data + p.len - 4, &word, sizeof(word));
	pkt_put(&p, about->data + ETH_HLEN, len < QUOTED ? len : QUOTED);
	pkt_end(&p);
	return p;
}

struct pkt piece_of(const struct host *from, const struct host *to, bool v6, uint16_t id,
		    uint32_t off, uint32_t len, bool more)
{
	struct pkt p = v6 ? ip6(from, to, IPPROTO_FRAGMENT) : ip4(from, to, IPPROTO_UDP);

	if (v6)
		pkt_frag6(&p, IPPROTO_UDP, id, off, more);
	else
		pkt_frag4(&p, id, off, more);
	if (!off) {
		pkt_udp(&p, 4000, 53);
		len -= 8;
	}
	pkt_bytes(&p, len);
	pkt_end(&p);
	return to_router(p);
}
