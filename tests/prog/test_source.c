// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_source.c - what a port with security may claim to be: MAC, IPv4, IPv6, ARP, neighbour discovery; and what only
 * infrastructure may send
 */
#include "tests/prog/secure.h"

static const uint8_t all_nodes[6] = { 0x33, 0x33, 0, 0, 0, 1 };

static struct pkt with_mac(struct pkt p, const uint8_t mac[6])
{
	memcpy(p.data + 6, mac, 6);
	return p;
}

/* "a" as somebody else, with its own MAC or another. */
static struct pkt as(const char *v4)
{
	struct host who = a;

	who.v4 = v4;
	return udp4(&who, &b, 4000, 53);
}

static struct pkt as6(const char *v6)
{
	struct host who = a;

	who.v6 = v6;
	return udp6(&who, &b, 4000, 53);
}

static void ipv4(void **state)
{
	struct fixture *f = *state;
	struct pkt own = as(a.v4), other = as("192.0.2.77"), none = as("0.0.0.0");
	struct pkt broadcast = as("255.255.255.255"), group = as("224.0.0.1");

	secure_world(f);
	enters(f, 1, &own, "in 1, udp begins, rules 1 4, out 2, redirect");
	enters(f, 1, &other, "in 1, drop spoof-ip at 1 in judge, shot");
	enters(f, 1, &none, "in 1, drop spoof-ip at 1 in judge, shot");
	enters(f, 1, &broadcast, "in 1, drop spoof-ip at 1 in judge, shot");
	enters(f, 1, &group, "in 1, drop spoof-ip at 1 in judge, shot");
}

static void ipv6(void **state)
{
	struct fixture *f = *state;
	struct pkt own = as6(a.v6), local = as6(a.local), other = as6("2001:db8::77"),
		   none = as6("::");
	struct pkt other_local = as6("fe80::77"), mapped = as6("::ffff:192.0.2.10");

	secure_world(f);
	enters(f, 1, &own, "in 1, udp6 begins, rules 2 7, out 2, redirect");
	enters(f, 1, &local, "in 1, udp6 begins, rules 2 7, out 2, redirect");
	enters(f, 1, &other, "in 1, drop spoof-ip at 1 in judge, shot");
	enters(f, 1, &other_local, "in 1, drop spoof-ip at 1 in judge, shot");
	enters(f, 1, &none, "in 1, drop spoof-ip at 1 in judge, shot");
	/* IPv4 addresses are kept so; on the wire it is nobody's. */
	enters(f, 1, &mapped, "in 1, drop ip-malformed at 1 in judge, shot");
}

static void macs(void **state)
{
	struct fixture *f = *state;
	struct pkt own = as(a.v4), other = with_mac(own, MAC(0x77)), of_b = with_mac(own, b.mac);
	struct pkt allowed = with_mac(as("198.51.100.9"), MAC(0x77));
	struct pkt mixed = as("198.51.100.9"), mixed2 = with_mac(own, MAC(0x77));

	secure_world(f);
	enters(f, 1, &other, "in 1, drop spoof-mac at 1 in judge, shot");
	enters(f, 1, &of_b, "in 1, drop spoof-mac at 1 in judge, shot");
	/* An allowed address comes with its MAC, and only with it; the MAC is learned after it was found right. */
	source_add(f, 1, MAC(0x77), "198.51.100.0", 24);
	enters(f, 1, &mixed, "in 1, drop spoof-ip at 1 in judge, shot");
	enters(f, 1, &mixed2, "in 1, drop spoof-mac at 1 in judge, shot");
	enters(f, 1, &allowed,
	       "in 1, new 1/02:00:00:00:00:77 at 1, macs 1 +1, udp begins, rules 1 4, out 2, redirect");
}

/* A wrong MAC does not end up in the forwarding database, whatever it says above. */
static void wrong_macs_are_not_learned(void **state)
{
	struct fixture *f = *state;
	struct pkt garbage = pkt_eth(b.mac, MAC(0x78), ETH_P_OTHER),
		   all = with_mac(as(a.v4), MAC(0x79));
	struct pkt arp = pkt_eth(MAC_ALL, MAC(0x7a), ETH_P_ARP);

	secure_world(f);
	pkt_fill(&garbage, 60);
	memcpy(all.data, MAC_ALL, 6);
	pkt_arp(&arp, ARPOP_REQUEST, MAC(0x7a), a.v4, MAC_ZERO, b.v4);
	enters(f, 1, &garbage, "in 1, drop ethertype at 1 in judge, shot");
	enters(f, 1, &all, "in 1, drop spoof-mac at 1 in judge, shot");
	enters(f, 1, &arp, "in 1, drop spoof-mac at 1 in neighbour, shot");
}

static void allowed_addresses(void **state)
{
	struct fixture *f = *state;
	struct pkt in4 = as("198.51.100.255"), out4 = as("198.51.101.0"),
		   in6 = as6("2001:db8:1::9"), out6 = as6("2001:db8:2::9");

	secure_world(f);
	source_add(f, 1, a.mac, "198.51.100.0", 24);
	source_add(f, 1, a.mac, "2001:db8:1::", 48);
	enters(f, 1, &in4, "in 1, udp begins, rules 1 4, out 2, redirect");
	enters(f, 1, &out4, "in 1, drop spoof-ip at 1 in judge, shot");
	enters(f, 1, &in6, "in 1, udp6 begins, rules 2 7, out 2, redirect");
	enters(f, 1, &out6, "in 1, drop spoof-ip at 1 in judge, shot");
	source_add(f, 1, a.mac, "0.0.0.0", 0);
	enters(f, 1, &out4, "in 1, udp begins, rules 1 4, out 2, redirect");
	enters(f, 1, &out6, "in 1, drop spoof-ip at 1 in judge, shot"); /* all of IPv4 only */
}

/* A flow that is established does not open a side door: MAC and address are looked at as before. */
static void also_on_established_flows(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = as(a.v4), reply = udp4(&b, &a, 53, 4000), fake = with_mac(ask, MAC(0x77));

	secure_world(f);
	enters(f, 1, &ask, "in 1, udp begins, rules 1 4, out 2, redirect");
	enters(f, 2, &reply, "in 2, udp established for good, rules 1 4, out 1, redirect");
	enters(f, 1, &fake, "in 1, drop spoof-mac at 1 in judge, shot");
}

/* Whoever is held to no address may use any but the gateway's. */
static void gateway(void **state)
{
	struct fixture *f = *state;
	struct host bare = { 5, { 2, 0, 0, 0, 0, 0x0e }, "192.0.2.254", "2001:db8::1", "fe80::e" };
	struct pkt claim, claim6, arp, na;

	secure_world(f);
	gateway_add(f, 1, "192.0.2.254");
	gateway_add(f, 1, "2001:db8::1");
	port_add(f, 5, 1, UP);
	port_mac(f, 5, bare.mac);
	secure(f, 5, POLICY(5), GEN(5));
	open_rules(f, 5, FREE_RULE);
	claim = udp4(&bare, &b, 1, 53);
	claim6 = udp6(&bare, &b, 1, 53);
	arp = pkt_eth(MAC_ALL, bare.mac, ETH_P_ARP);
	pkt_arp(&arp, ARPOP_REPLY, bare.mac, "192.0.2.254", MAC_ZERO, "192.0.2.254");
	na = pkt_eth(all_nodes, bare.mac, ETH_P_IPV6);
	pkt_ipv6(&na, "fe80::e", "ff02::1", IPPROTO_ICMPV6, 255);
	pkt_icmp6_na(&na, PKT_NA_OVERRIDE, "2001:db8::1", bare.mac);
	pkt_end(&na);
	enters(f, 5, &claim, "in 5, drop gateway-claimed at 5 in judge, shot");
	enters(f, 5, &claim6, "in 5, drop gateway-claimed at 5 in judge, shot");
	enters(f, 5, &arp, "in 5, drop gateway-claimed at 5 in neighbour, shot");
	enters(f, 5, &na, "in 5, drop spoof-neighbour at 5 in judge, shot");
	bare.v4 = "192.0.2.99";
	claim = udp4(&bare, &b, 1, 53);
	enters(f, 5, &claim, "in 5, udp begins, rules 4 13, out 2, redirect");
	claim = as("192.0.2.254");
	enters(f, 1, &claim, "in 1, drop gateway-claimed at 1 in judge, shot");
}

/* --- ARP --- */

static struct pkt arp(uint16_t op, const uint8_t sha[6], const char *sip, const char *tip)
{
	struct pkt p = pkt_eth(MAC_ALL, a.mac, ETH_P_ARP);

	pkt_arp(&p, op, sha, sip, MAC_ZERO, tip);
	return p;
}

#define FLOODED "in 1, copies 2 3, out 2 3 4, redirect"

static void arp_of_its_own(void **state)
{
	struct fixture *f = *state;
	struct pkt ask = arp(ARPOP_REQUEST, a.mac, a.v4, b.v4), probe;
	struct pkt announce = arp(ARPOP_REQUEST, a.mac, a.v4, a.v4), reply, direct = ask;

	secure_world(f);
	enters(f, 1, &ask, FLOODED);
	probe = arp(ARPOP_REQUEST, a.mac, "0.0.0.0", a.v4); /* is it taken? */
	enters(f, 1, &probe, FLOODED);
	enters(f, 1, &announce, FLOODED);
	reply = arp(ARPOP_REPLY, a.mac, a.v4, b.v4);
	memcpy(reply.data, b.mac, 6);
	enters(f, 1, &reply, "in 1, out 2, redirect");
	memcpy(direct.data, b.mac, 6);
	enters(f, 1, &direct, "in 1, out 2, redirect");
}

static void arp_of_others(void **state)
{
	struct fixture *f = *state;
	struct pkt cases[] = {
		arp(ARPOP_REQUEST, a.mac, b.v4, c.v4),
		arp(ARPOP_REPLY, a.mac, b.v4, c.v4),
		arp(ARPOP_REQUEST, b.mac, a.v4, c.v4),
		arp(ARPOP_REPLY, b.mac, b.v4, c.v4),
		arp(ARPOP_REPLY, a.mac, "0.0.0.0", c.v4),
		arp(ARPOP_REQUEST, b.mac, "0.0.0.0", c.v4),
		arp(ARPOP_REQUEST, a.mac, "0.0.0.0", b.v4),
		arp(3, a.mac, a.v4, c.v4),
		arp(8, a.mac, a.v4, c.v4),
	};

	secure_world(f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enters(f, 1, &cases[i], "in 1, drop spoof-neighbour at 1 in neighbour, shot");
		memcpy(cases[i].data, b.mac, 6);
		enters(f, 1, &cases[i], "in 1, drop spoof-neighbour at 1 in neighbour, shot");
	}
}

static void arp_of_other_kinds(void **state)
{
	static const struct {
		size_t off;
		uint8_t byte;
	} changes[] = { { 1, 6 }, { 0, 1 }, { 2, 0x86 }, { 3, 1 }, { 4, 8 }, { 5, 16 } };
	struct fixture *f = *state;
	struct pkt p, longer = arp(ARPOP_REQUEST, a.mac, a.v4, b.v4);

	secure_world(f);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		p = arp(ARPOP_REQUEST, a.mac, a.v4, b.v4);
		p.data[ETH_HLEN + changes[i].off] = changes[i].byte;
		enters(f, 1, &p, "in 1, drop spoof-neighbour at 1 in neighbour, shot");
	}
	for (uint32_t len = ETH_HLEN + 1; len < ETH_HLEN + 28; len++) {
		p = pkt_cut(&longer, len);
		enters(f, 1, &p, "in 1, drop spoof-neighbour at 1 in neighbour, shot");
	}
	pkt_bytes(&longer, 60 - longer.len); /* padding of a real NIC */
	enters(f, 1, &longer, FLOODED);
	pkt_bytes(&longer, 1000); /* a channel around the rules */
	enters(f, 1, &longer, "in 1, drop spoof-neighbour at 1 in neighbour, shot");
}

/* --- neighbour discovery --- */

static struct pkt ndp(const char *src, uint8_t type, const char *target, const uint8_t *mac)
{
	struct pkt p = pkt_eth(all_nodes, a.mac, ETH_P_IPV6);

	pkt_ipv6(&p, src, "ff02::1", IPPROTO_ICMPV6, 255);
	if (type == 135)
		pkt_icmp6_ns(&p, target, mac);
	else
		pkt_icmp6_na(&p, PKT_NA_OVERRIDE, target, mac);
	pkt_end(&p);
	return p;
}

static void nd_of_its_own(void **state)
{
	struct fixture *f = *state;
	struct pkt cases[] = {
		ndp(a.v6, 135, b.v6, a.mac), ndp(a.local, 135, b.v6, a.mac),
		ndp(a.v6, 135, b.v6, NULL),  ndp("::", 135, a.v6, NULL),
		ndp(a.v6, 136, a.v6, a.mac), ndp(a.local, 136, a.v6, a.mac),
		ndp(a.v6, 136, a.v6, NULL),
	};

	secure_world(f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		enters(f, 1, &cases[i], FLOODED);
}

static void nd_of_others(void **state)
{
	struct fixture *f = *state;
	struct pkt spoofed[] = {
		ndp(a.v6, 135, b.v6, b.mac), ndp(a.v6, 136, b.v6, a.mac),
		ndp(a.v6, 136, a.v6, b.mac),
		ndp("::", 135, b.v6, NULL), /* "is it taken" is asked for one's own only */
	};
	struct pkt source = ndp(b.v6, 135, c.v6, a.mac), none = ndp("::", 136, a.v6, a.mac);

	secure_world(f);
	for (size_t i = 0; i < sizeof(spoofed) / sizeof(spoofed[0]); i++)
		enters(f, 1, &spoofed[i], "in 1, drop spoof-neighbour at 1 in judge, shot");
	enters(f, 1, &source, "in 1, drop spoof-ip at 1 in judge, shot");
	enters(f, 1, &none, "in 1, drop spoof-ip at 1 in judge, shot");
}

/* The second option lies, one has no length, one is cut short. */
static void nd_options(void **state)
{
	struct fixture *f = *state;
	struct pkt second = ndp(a.v6, 135, b.v6, a.mac), zero = second, cut = second, many = second;
	struct pkt skipped = second;

	secure_world(f);
	second.n_layers = zero.n_layers = cut.n_layers = many.n_layers = skipped.n_layers = 0;
#define LENGTH(p, n) pkt_set16(&(p), ETH_HLEN + 4, (n))
	pkt_put(&second, "\x01\x01\x02\x00\x00\x00\x00\x0b", 8);
	LENGTH(second, 40);
	enters(f, 1, &second, "in 1, drop spoof-neighbour at 1 in judge, shot");
	pkt_put(&zero, "\x01\x00\x02\x00\x00\x00\x00\x0a", 8);
	LENGTH(zero, 40);
	enters(f, 1, &zero, "in 1, drop l4-malformed at 1 in judge, shot");
	pkt_put(&cut, "\x01\x01\x02", 3);
	LENGTH(cut, 35);
	enters(f, 1, &cut, "in 1, drop l4-malformed at 1 in judge, shot");
	/* An option that is not known hides the liar behind it, or does it? */
	pkt_put(&skipped, "\x0e\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 16);
	pkt_put(&skipped, "\x02\x01\x02\x00\x00\x00\x00\x0b", 8);
	LENGTH(skipped, 56);
	enters(f, 1, &skipped, "in 1, drop spoof-neighbour at 1 in judge, shot");
	for (int i = 0; i < 9; i++)
		pkt_put(&many, "\x0e\x01\x00\x00\x00\x00\x00\x00", 8);
	LENGTH(many, 32 + 72);
	enters(f, 1, &many, "in 1, drop l4-malformed at 1 in judge, shot");
#undef LENGTH
}

static void nd_that_is_wrong(void **state)
{
	struct fixture *f = *state;
	struct pkt afar = ndp(a.v6, 135, b.v6, a.mac), code = afar, behind, cut = afar;

	secure_world(f);
	afar.data[ETH_HLEN + 7] = 254;
	enters(f, 1, &afar, "in 1, drop l4-malformed at 1 in judge, shot");
	code.data[ETH_HLEN + 41] = 1;
	enters(f, 1, &code, "in 1, drop l4-malformed at 1 in judge, shot");
	pkt_set16(&cut, ETH_HLEN + 4, 20);
	enters(f, 1, &cut, "in 1, drop l4-malformed at 1 in judge, shot");
	behind = pkt_eth(all_nodes, a.mac, ETH_P_IPV6); /* behind an extension header */
	pkt_ipv6(&behind, a.v6, "ff02::1", 60, 255);
	pkt_ext6(&behind, 60, IPPROTO_ICMPV6, 1);
	pkt_icmp6_na(&behind, 0, b.v6, b.mac);
	pkt_end(&behind);
	enters(f, 1, &behind, "in 1, drop l4-malformed at 1 in judge, shot");
}

/* RFC 6105: who announces himself as a router, also behind extension headers and in pieces. */
static void router_advertisements(void **state)
{
	static const uint8_t types[] = { 134, 137 };
	struct fixture *f = *state;

	secure_world(f);
	for (size_t i = 0; i < sizeof(types); i++) {
		struct pkt plain = pkt_eth(all_nodes, a.mac, ETH_P_IPV6), behind = plain,
			   piece = plain;

		pkt_ipv6(&plain, a.local, "ff02::1", IPPROTO_ICMPV6, 255);
		pkt_icmp(&plain, IPPROTO_ICMPV6, types[i], 0, 0);
		pkt_bytes(&plain, 40);
		pkt_end(&plain);
		enters(f, 1, &plain, "in 1, drop router-advertisement at 1 in judge, shot");
		pkt_ipv6(&behind, a.local, "ff02::1", 0, 255);
		pkt_ext6(&behind, 0, 60, 1);
		pkt_ext6(&behind, 60, IPPROTO_ICMPV6, 2);
		pkt_icmp(&behind, IPPROTO_ICMPV6, types[i], 0, 0);
		pkt_bytes(&behind, 40);
		pkt_end(&behind);
		enters(f, 1, &behind, "in 1, drop router-advertisement at 1 in judge, shot");
		pkt_ipv6(&piece, a.local, "ff02::1", 44, 255);
		pkt_frag6(&piece, IPPROTO_ICMPV6, 1, 0, true);
		pkt_icmp(&piece, IPPROTO_ICMPV6, types[i], 0, 0);
		pkt_end(&piece);
		enters(f, 1, &piece, "in 1, drop router-advertisement at 1 in judge, shot");
	}
}

/* RFC 6980: neighbour discovery is never in pieces. */
static void nd_in_pieces(void **state)
{
	struct fixture *f = *state;
	struct pkt first = pkt_eth(all_nodes, a.mac, ETH_P_IPV6), short_first = first,
		   later = first;

	secure_world(f);
	pkt_ipv6(&first, a.v6, "ff02::1", 44, 255);
	pkt_frag6(&first, IPPROTO_ICMPV6, 1, 0, true);
	pkt_icmp6_ns(&first, b.v6, NULL);
	pkt_end(&first);
	enters(f, 1, &first, "in 1, drop l4-malformed at 1 in judge, shot");
	pkt_ipv6(&short_first, a.v6, "ff02::1", 44, 255); /* nothing but the type is in the first */
	pkt_frag6(&short_first, IPPROTO_ICMPV6, 2, 0, true);
	pkt_put(&short_first, "\x86\x00\x00\x00\x00\x00\x00\x00", 8);
	pkt_end(&short_first);
	enters(f, 1, &short_first, "in 1, drop router-advertisement at 1 in judge, shot");
	pkt_ipv6(&later, a.v6, "ff02::1", 44, 255);
	pkt_frag6(&later, IPPROTO_ICMPV6, 3, 8, false);
	pkt_bytes(&later, 24);
	pkt_end(&later);
	enters(f, 1, &later, "in 1, drop fragment-orphan at 1 in judge, shot");
}

/* --- DHCP --- */

static struct pkt dhcp(const uint8_t dst[6], const struct host *from, const char *src,
		       const char *dst_ip, uint16_t sport, uint16_t dport)
{
	struct pkt p = pkt_eth(dst, from->mac, ETH_P_IP);

	pkt_ipv4(&p, src, dst_ip, IPPROTO_UDP);
	pkt_udp(&p, sport, dport);
	pkt_bytes(&p, 240);
	pkt_end(&p);
	return p;
}

static struct pkt dhcp6(const uint8_t dst[6], const struct host *from, const char *src,
			const char *dst_ip, uint16_t sport, uint16_t dport)
{
	struct pkt p = pkt_eth(dst, from->mac, ETH_P_IPV6);

	pkt_ipv6(&p, src, dst_ip, IPPROTO_UDP, 1);
	pkt_udp(&p, sport, dport);
	pkt_bytes(&p, 60);
	pkt_end(&p);
	return p;
}

/* "c" has no rules at all, and gets an address; "d" is the server. */
static void dhcp_client(void **state)
{
	static const uint8_t servers[6] = { 0x33, 0x33, 0, 1, 0, 2 };
	struct fixture *f = *state;
	struct pkt discover = dhcp(MAC_ALL, &c, "0.0.0.0", "255.255.255.255", 68, 67);
	struct pkt offer = dhcp(c.mac, &d, d.v4, c.v4, 67, 68);
	struct pkt all = dhcp(MAC_ALL, &d, d.v4, "255.255.255.255", 67, 68);
	struct pkt solicit = dhcp6(servers, &c, c.local, "ff02::1:2", 546, 547);
	struct pkt advertise = dhcp6(c.mac, &d, d.local, c.local, 547, 546);

	secure_world(f);
	enters(f, 4, &offer, "in 4, drop group-ingress at 3 in flow, shot"); /* nobody has asked */
	enters(f, 3, &discover,
	       "in 3, out 4, drop group-ingress at 1 in flood, drop group-ingress at 2 in flood, redirect");
	enters(f, 4, &offer, "in 4, out 3, redirect");
	enters(f, 4, &all,
	       "in 4, out 3, drop group-ingress at 1 in flood, drop group-ingress at 2 in flood, "
	       "redirect");
	enters(f, 3, &solicit,
	       "in 3, out 4, drop group-ingress at 1 in flood, drop group-ingress at 2 in flood, redirect");
	enters(f, 4, &advertise, "in 4, out 3, redirect");
}

static void dhcp_server(void **state)
{
	struct fixture *f = *state;
	struct pkt offer = dhcp(b.mac, &a, a.v4, b.v4, 67, 68), all = offer;
	struct pkt hidden = dhcp(b.mac, &a, a.v4, b.v4, 1067, 68); /* clients do not look at that */
	struct pkt advertise = dhcp6(b.mac, &a, a.local, b.local, 547, 546);

	secure_world(f);
	memcpy(all.data, MAC_ALL, 6);
	enters(f, 1, &offer, "in 1, drop dhcp-server at 1 in judge, shot");
	enters(f, 1, &all, "in 1, drop dhcp-server at 1 in judge, shot");
	enters(f, 1, &hidden, "in 1, drop dhcp-server at 1 in judge, shot");
	enters(f, 1, &advertise, "in 1, drop dhcp-server at 1 in judge, shot");
}

static void dhcp_as_a_pretext(void **state)
{
	struct fixture *f = *state;
	struct pkt direct = dhcp(b.mac, &c, c.v4, b.v4, 68, 67),
		   spoofed = dhcp(MAC_ALL, &c, "192.0.2.99", "255.255.255.255", 68, 67);
	struct pkt mac = dhcp(MAC_ALL, &c, "0.0.0.0", "255.255.255.255", 68, 67);

	secure_world(f);
	enters(f, 3, &direct, "in 3, drop group-egress at 3 in flow, shot");
	enters(f, 3, &spoofed, "in 3, drop spoof-ip at 3 in judge, shot");
	memcpy(mac.data + 6, MAC(0x77), 6);
	enters(f, 3, &mac, "in 3, drop spoof-mac at 3 in judge, shot");
}

int source_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ipv4),
		TEST(ipv6),
		TEST(macs),
		TEST(wrong_macs_are_not_learned),
		TEST(allowed_addresses),
		TEST(also_on_established_flows),
		TEST(gateway),
		TEST(arp_of_its_own),
		TEST(arp_of_others),
		TEST(arp_of_other_kinds),
		TEST(nd_of_its_own),
		TEST(nd_of_others),
		TEST(nd_options),
		TEST(nd_that_is_wrong),
		TEST(router_advertisements),
		TEST(nd_in_pieces),
		TEST(dhcp_client),
		TEST(dhcp_server),
		TEST(dhcp_as_a_pretext),
	};

	return cmocka_run_group_tests_name("sources", tests, NULL, NULL);
}
