// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* router.c - from routers to table entries; see heddle/router.h */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "hash.h"
#include "compile/rows.h"
#include "flow_class.h"
#include "heddle/nat.h"
#include "heddle/port.h"
#include "heddle/router.h"

/* A router being compiled. @asks: MAC that it has on this host alone. @gen: hash of all that decides where it sends packets */
struct routing {
	const struct hd_model *model;
	const struct hd_object *object;
	const struct hd_router *router;
	struct hd_tables *out;
	const uint8_t *asks;
	const struct hd_fact *uplink;
	uint32_t gen;
	struct hd_end_value end;
};

static const struct hd_subnet *subnet_at(const struct routing *r, size_t i)
{
	return &hd_model_get(r->model, HD_NOUN_SUBNET, r->router->subnets[i])->view.subnet;
}

static uint32_t network_of(const struct routing *r, const struct hd_subnet *subnet)
{
	return hd_model_get(r->model, HD_NOUN_NETWORK, subnet->network)->id;
}

/* Bits of a prefix, of an IPv4 one as it is mapped. */
static uint32_t mapped_length(const struct hd_ip *ip, uint8_t prefix)
{
	return ip->is_v4 ? 96u + prefix : prefix;
}

static void mask(uint8_t bytes[16], uint32_t length)
{
	for (uint32_t bit = length; bit < 128; bit++)
		bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

static struct hd_route_key route_key(const struct routing *r, const struct hd_ip *ip,
				     uint8_t prefix)
{
	uint32_t length = mapped_length(ip, prefix);
	struct hd_route_key key = { .prefix_len = HD_ROUTE_FIXED_BITS + length,
				    .router = r->object->id };

	memcpy(key.addr, ip->bytes, 16);
	mask((uint8_t *)key.addr, length);
	return key;
}

static int add_route(struct routing *r, const struct hd_ip *ip, uint8_t prefix,
		     const struct hd_route_value *value)
{
	struct hd_route_key key = route_key(r, ip, prefix);

	r->gen += hd_hash_mix(
		hd_hash(hd_hash(HD_HASH_START, &key, sizeof(key)), value, sizeof(*value)));
	return hd_table_add(&r->out->table[HD_TABLE_ROUTES], &key, value);
}

static int add_address(struct routing *r, const struct hd_ip *ip, uint32_t kind, uint32_t network)
{
	struct hd_route_value value = { .kind = kind, .network = network };

	return add_route(r, ip, ip->is_v4 ? 32 : 128, &value);
}

/* IPv4 addresses are kept as a part of IPv6: a route for all of that is none for them. */
static int add_no_default(struct routing *r)
{
	const struct hd_router_gateway *gateway = &r->router->gateway;
	struct hd_route_value none = { .kind = HD_ROUTE_NONE };
	struct hd_ip all = { .is_v4 = true, .bytes = { [10] = 0xff, 0xff } };
	bool has_way = gateway->network ? gateway->has_ip[HD_V4] : r->uplink && r->uplink->address;

	for (size_t i = 0; i < r->router->n_routes; i++)
		has_way |= r->router->routes[i].prefix.is_v4 && !r->router->routes[i].prefix.prefix;
	return has_way ? 0 : add_route(r, &all, 0, &none);
}

/* The first and the last address of an IPv4 subnet, if it is large enough to have such (RFC 3021). */
static int add_broadcasts(struct routing *r, const struct hd_subnet *subnet, uint32_t network)
{
	struct hd_ip ip = subnet->cidr;
	int ret;

	if (!ip.is_v4 || ip.prefix > 30)
		return 0;
	mask(ip.bytes, mapped_length(&ip, ip.prefix));
	ret = add_address(r, &ip, HD_ROUTE_BROADCAST, network);
	for (uint32_t bit = 96u + ip.prefix; bit < 128; bit++)
		ip.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return ret < 0 ? ret : add_address(r, &ip, HD_ROUTE_BROADCAST, network);
}

/* The router's own address in a subnet, and with which MAC it answers for it there. */
static int add_leg(struct routing *r, const struct hd_subnet *subnet, const struct hd_ip *own,
		   const uint8_t mac[6])
{
	uint32_t network = network_of(r, subnet), id = r->object->id;
	struct hd_route_value connected = { .kind = HD_ROUTE_CONNECTED, .network = network };
	int ret;

	memcpy(connected.gateway, own->bytes, 16);
	ret = add_broadcasts(r, subnet, network);
	if (ret == 0)
		ret = add_route(r, &subnet->cidr, subnet->cidr.prefix, &connected);
	if (ret == 0)
		ret = add_address(r, own, HD_ROUTE_LOCAL, network);
	if (ret == 0)
		ret = hd_row_neigh(r->out, network, 0, own, mac, id);
	if (ret == 0)
		ret = hd_row_fdb(r->out, network, 0, mac, id);
	return ret < 0 ? ret : hd_row_fdb(r->out, network, 0, r->asks, id);
}

static uint32_t ipv4_of(const struct hd_ip *ip)
{
	uint32_t addr;

	memcpy(&addr, ip->bytes + 12, sizeof(addr));
	return addr;
}

/* What of an address is compared with all outside addresses at once (may_be_outside() in bpf/lib/nat.h). */
static uint32_t word_of(const struct hd_ip *ip)
{
	uint32_t words[4];

	memcpy(words, ip->bytes, sizeof(words));
	return ip->is_v4 ? words[3] : words[0] ^ words[1];
}

/* Another outside address: the mask of all of its family (struct hd_end_value) may have to be shorter. */
static void widen_outside(struct hd_end_value *end, const struct hd_ip *ip)
{
	uint32_t *mask = &end->remote[ip->is_v4 ? 0 : 2], *value = mask + 1, word = word_of(ip);
	uint32_t differ = ntohl((*value ^ word) & *mask);

	if (*value & ~*mask) { /* the first */
		*mask = UINT32_MAX;
		*value = word;
		return;
	}
	if (differ)
		*mask &= htonl(~(UINT32_MAX >> __builtin_clz(differ)));
	*value &= *mask;
}

/* Where the router is outside, and as whom: @v4, @v6: its addresses there, NULL = none. No flow is judged by what comes after the hash. */
static void set_outside(struct routing *r, uint32_t network, const struct hd_ip *v4,
			const struct hd_ip *v6, bool snat)
{
	static const uint32_t filters[] = { [HD_NAT_FILTER_ADDRESS] = HD_END_NAT_ADDRESS,
					    [HD_NAT_FILTER_ENDPOINT] = HD_END_NAT_OPEN,
					    [HD_NAT_FILTER_PORT] = 0 };
	struct hd_end_value *end = &r->end;

	end->ifindex = network;
	end->flags = (v4 && snat ? HD_END_SNAT : 0) | (v6 && !snat ? HD_END_OPEN6 : 0) |
		     (snat ? filters[r->router->gateway.filter] : 0);
	if (v4)
		memcpy(end->local, v4->bytes, 16);
	r->gen += hd_hash_mix(hd_hash(HD_HASH_START, end, sizeof(*end)));
	end->remote[1] = end->remote[3] = UINT32_MAX; /* under no mask: no address is that */
	if (v4)
		widen_outside(end, v4);
	end->mtu = r->router->gateway.address_blocks;
	if (r->router->gateway.nat_log)
		end->flags |= HD_END_NAT_LOG;
	if (r->router->gateway.blocks)
		end->flags |= HD_END_NAT_QUOTA;
}

/* One address of the external gateway: a leg in the network outside, and the default route to the next hop there. */
static int add_way_out(struct routing *r, const struct hd_ip *own, const struct hd_subnet *subnet)
{
	struct hd_route_value way = { .kind = HD_ROUTE_VIA, .network = network_of(r, subnet) };
	int ret;

	memcpy(way.via, subnet->gateway.bytes, 16);
	memcpy(way.gateway, own->bytes, 16);
	ret = add_leg(r, subnet, own, r->asks);
	return ret < 0 ? ret : add_route(r, own, 0, &way);
}

static int add_gateway(struct routing *r)
{
	const struct hd_router_gateway *gateway = &r->router->gateway;
	int ret = 0;

	if (!gateway->network)
		return 0;
	set_outside(r, hd_model_get(r->model, HD_NOUN_NETWORK, gateway->network)->id,
		    hd_gateway_ip(gateway, HD_V4), hd_gateway_ip(gateway, HD_V6), gateway->snat);
	for (int family = 0; ret == 0 && family < HD_FAMILIES; family++) {
		const struct hd_object *object = hd_router_outside(r->model, r->router, family);

		if (object)
			ret = add_way_out(r, &gateway->ip[family], &object->view.subnet);
	}
	return ret;
}

/* A name for an outside address: the same whoever asks. Two that have the same share their ports. */
static uint32_t name_of(const struct hd_ip *ip)
{
	return htonl((hd_hash_mix(hd_hash(HD_HASH_START, ip->bytes, 16)) & HD_NAT_NAME_MAX) | 1);
}

/* Endpoints of IPv6 are of this address; @flags: HD_END_SNAT6 if what goes out has them. */
static int add_endpoints_of(struct routing *r, const struct hd_ip *ip, uint32_t flags)
{
	struct hd_fip6_key in = { .zone = r->end.ifindex, .dir = HD_NAT_IN },
			   out = { .zone = r->object->id, .dir = HD_NAT_OUT };
	struct hd_outside6_value value = { .name = name_of(ip) };
	int ret;

	memcpy(in.addr, ip->bytes, 16);
	memcpy(value.addr, ip->bytes, 16);
	r->end.flags |= HD_END_NAT6 | flags;
	r->gen += hd_hash_mix(hd_hash(HD_HASH_START, &value, sizeof(value)) + flags);
	widen_outside(&r->end, ip);
	ret = hd_table_add(&r->out->table[HD_TABLE_OUTSIDES6], &in, &value);
	return ret < 0 ? ret : hd_table_add(&r->out->table[HD_TABLE_OUTSIDES6], &out, &value);
}

/* An address of the host at the uplink: to the datapath a neighbour there. */
static int add_hosts(struct routing *r, const struct hd_ip *ip)
{
	int ret = add_address(r, ip, HD_ROUTE_LOCAL, HD_NETWORK_HOST);

	widen_outside(&r->end, ip);
	return ret < 0 ? ret
		       : hd_row_neigh(r->out, HD_NETWORK_HOST, 0, ip, r->uplink->from,
				      r->uplink->port);
}

/* The way out of one family. The uplink is the next hop: a neighbour with that address. */
static int add_way_by_host(struct routing *r, const struct hd_ip *ip)
{
	struct hd_route_value way = { .kind = HD_ROUTE_VIA, .network = HD_NETWORK_HOST };
	int ret;

	memcpy(way.via, ip->bytes, 16);
	memcpy(way.gateway, ip->bytes, 16);
	ret = add_hosts(r, ip);
	return ret < 0 ? ret : add_route(r, ip, 0, &way);
}

static struct hd_ip host_ipv4(uint32_t addr)
{
	struct hd_ip ip = { .is_v4 = true, .bytes = { [10] = 0xff, 0xff } };

	memcpy(ip.bytes + 12, &addr, sizeof(addr));
	return ip;
}

/* Outside is where the host's own routes lead, and the router's addresses there are the host's. */
static int add_masquerade(struct routing *r)
{
	const struct hd_fact *uplink = r->uplink;
	struct hd_ip v4, v6;
	int ret = 0;

	if (!uplink || (!uplink->address && !uplink->n_at6))
		return 0;
	v4 = host_ipv4(uplink->address);
	v6 = hd_ip_of_bytes(uplink->address6);
	set_outside(r, HD_NETWORK_HOST, uplink->address ? &v4 : NULL, NULL, true);
	if (uplink->address)
		ret = add_way_by_host(r, &v4);
	if (ret == 0 && uplink->n_at6)
		ret = add_endpoints_of(r, &v6, HD_END_SNAT6);
	return ret < 0 || !uplink->n_at6 ? ret : add_way_by_host(r, &v6);
}

/* An address of the router outside, besides that of its gateway. */
static int add_outside(struct routing *r, const struct hd_ip *ip)
{
	int ret = add_address(r, ip, HD_ROUTE_LOCAL, r->end.ifindex);

	widen_outside(&r->end, ip);
	return ret < 0 ? ret : hd_row_neigh(r->out, r->end.ifindex, 0, ip, r->asks, r->object->id);
}

static int add_floating6(struct routing *r, const struct hd_floating_ip *floating)
{
	struct hd_fip6_key in = { .zone = r->end.ifindex, .dir = HD_NAT_IN },
			   out = { .zone = r->object->id, .dir = HD_NAT_OUT };
	struct hd_fip6_value value = { .router = r->object->id };
	int ret;

	r->end.flags |= HD_END_FIPS6;
	memcpy(in.addr, floating->ip.bytes, 16);
	memcpy(out.addr, floating->fixed.bytes, 16);
	memcpy(value.addr, out.addr, 16);
	r->gen += hd_hash_mix(
		hd_hash(hd_hash(HD_HASH_START, &in, sizeof(in)), &value, sizeof(value)));
	ret = hd_table_add(&r->out->table[HD_TABLE_FIPS6], &in, &value);
	memcpy(value.addr, in.addr, 16);
	if (ret == 0)
		ret = hd_table_add(&r->out->table[HD_TABLE_FIPS6], &out, &value);
	return ret < 0 ? ret : add_outside(r, &floating->ip);
}

static int add_floating4(struct routing *r, const struct hd_floating_ip *floating)
{
	uint32_t network = r->end.ifindex;
	struct hd_fip_key in = { .zone = network, .dir = HD_NAT_IN },
			  out = { .zone = r->object->id, .dir = HD_NAT_OUT };
	struct hd_fip_value value = { .router = r->object->id };
	int ret;

	in.addr = ipv4_of(&floating->ip);
	out.addr = ipv4_of(&floating->fixed);
	value.addr = out.addr;
	r->gen += hd_hash_mix(
		hd_hash(hd_hash(HD_HASH_START, &in, sizeof(in)), &value, sizeof(value)));
	ret = hd_table_add(&r->out->table[HD_TABLE_FIPS], &in, &value);
	value.addr = in.addr;
	if (ret == 0)
		ret = hd_table_add(&r->out->table[HD_TABLE_FIPS], &out, &value);
	return ret < 0 ? ret : add_outside(r, &floating->ip);
}

static int add_floating(struct routing *r, const struct hd_floating_ip *floating)
{
	return floating->ip.is_v4 ? add_floating4(r, floating) : add_floating6(r, floating);
}

/* Never 0; two listeners that have the same and lead to one endpoint would answer as one. */
static uint32_t number_of(const struct hd_nat6_key *listener)
{
	return hd_hash_mix(hd_hash(HD_HASH_START, listener, sizeof(*listener))) ?: 1;
}

/* Where one of IPv6 listens: there and back. */
static int add_listener6(struct routing *r, const struct hd_port_forward *forward,
			 const struct hd_ip *ip)
{
	struct hd_nat6_key in = { .zone = r->end.ifindex,
				  .port = htons(forward->listen.port),
				  .class = hd_flow_class(forward->protocol),
				  .dir = HD_NAT_IN };
	struct hd_forward6_value value = { .router = r->object->id,
					   .port = htons(forward->to.port) };
	struct hd_nat6_key out = { .port = value.port, .class = in.class, .dir = HD_NAT_OUT };
	int ret;

	memcpy(in.addr, ip->bytes, 16);
	memcpy(out.addr, forward->to.ip.bytes, 16);
	memcpy(value.addr, out.addr, 16);
	value.number = out.zone = number_of(&in);
	ret = hd_table_add(&r->out->table[HD_TABLE_FORWARDS6], &in, &value);
	memcpy(value.addr, in.addr, 16);
	value.port = in.port;
	return ret < 0 ? ret : hd_table_add(&r->out->table[HD_TABLE_FORWARDS6], &out, &value);
}

/* Who is inside can use it too, if it may have a name outside for that: an answer would come past the router otherwise. */
static int add_hairpin6(struct routing *r)
{
	const struct hd_router_gateway *gateway = &r->router->gateway;
	const struct hd_ip *own = hd_gateway_ip(gateway, HD_V6);

	if (!gateway->snat || !own || (r->end.flags & HD_END_NAT6))
		return 0;
	return add_endpoints_of(r, own, 0);
}

static int add_forward6(struct routing *r, const struct hd_port_forward *forward)
{
	const struct hd_ip *ip = hd_model_listen_ip(r->model, forward);
	int ret = add_listener6(r, forward, ip);

	r->end.flags |= HD_END_FORWARDS6;
	widen_outside(&r->end, ip);
	if (ret == 0)
		ret = add_hairpin6(r);
	return ret < 0 || hd_gateway_has(&r->router->gateway, ip) ? ret : add_outside(r, ip);
}

/* Not in the generation: who answers for it is asked with each packet (bpf/lib/nat.h). */
static int add_forward_at(struct routing *r, const struct hd_port_forward *forward, uint32_t addr)
{
	struct hd_nat_key key = { .zone = r->end.ifindex,
				  .addr = addr,
				  .port = htons(forward->listen.port),
				  .class = hd_flow_class(forward->protocol),
				  .dir = HD_NAT_IN };
	struct hd_forward_value value = { .addr = ipv4_of(&forward->to.ip),
					  .router = r->object->id,
					  .port = htons(forward->to.port) };

	r->end.flags |= HD_END_FORWARDS;
	return hd_table_add(&r->out->table[HD_TABLE_FORWARDS], &key, &value);
}

/* One that the router goes out with, and has already: port forwards there change nothing for others. */
static bool is_own(const struct routing *r, const struct hd_ip *ip)
{
	return ip->is_v4 ? ipv4_of(ip) == r->uplink->address
			 : !memcmp(ip->bytes, r->uplink->address6, 16);
}

/* At one address of the host. */
static int add_forward_here(struct routing *r, const struct hd_port_forward *forward,
			    const struct hd_ip *ip)
{
	int ret;

	if (!hd_listens_at_any(forward) && !hd_ip_same(ip, &forward->listen.ip))
		return 0;
	if (ip->is_v4) {
		ret = add_forward_at(r, forward, ipv4_of(ip));
	} else {
		r->end.flags |= HD_END_FORWARDS6;
		ret = add_listener6(r, forward, ip);
	}
	return ret < 0 || is_own(r, ip) ? ret : add_hosts(r, ip);
}

/* What listens at addresses of the host that are not reached at the uplink is there for the host alone (sync/publish.c). */
static int add_forward_at_host(struct routing *r, const struct hd_port_forward *forward)
{
	const struct hd_fact *uplink = r->uplink;
	bool is_v4 = forward->listen.ip.is_v4;
	size_t n = is_v4 ? uplink->n_at : uplink->n_at6;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < n; i++) {
		struct hd_ip ip = is_v4 ? host_ipv4(uplink->at[i]) : hd_ip_of_bytes(uplink->at6[i]);

		ret = add_forward_here(r, forward, &ip);
	}
	return ret;
}

static int add_forward4(struct routing *r, const struct hd_port_forward *forward)
{
	const struct hd_ip *ip = hd_model_listen_ip(r->model, forward);
	int ret = add_forward_at(r, forward, ipv4_of(ip));

	return ret < 0 || hd_gateway_has(&r->router->gateway, ip) ? ret : add_outside(r, ip);
}

/* Not in the generation: who answers for it is asked with each packet (bpf/lib/nat.h). */
static int add_forward(struct routing *r, const struct hd_port_forward *forward)
{
	if (r->router->gateway.uplink)
		return add_forward_at_host(r, forward);
	return forward->to.ip.is_v4 ? add_forward4(r, forward) : add_forward6(r, forward);
}

/* What else is reached from outside. */
static int add_endpoints(struct routing *r)
{
	const char *name = r->object->name;
	int ret = 0;

	if (!r->end.ifindex)
		return 0;
	hd_model_each(r->model, HD_NOUN_FLOATING_IP, object)
		if (ret == 0 && !strcmp(object->view.floating_ip.router, name))
			ret = add_floating(r, &object->view.floating_ip);
	hd_model_each(r->model, HD_NOUN_PORT_FORWARD, object)
		if (ret == 0 && !strcmp(object->view.port_forward.router, name))
			ret = add_forward(r, &object->view.port_forward);
	return ret;
}

/* The subnet that holds a next hop, and the router's address there; a valid router has one. */
static const struct hd_subnet *subnet_of(const struct routing *r, const struct hd_ip *via,
					 const struct hd_ip **ret_own)
{
	int family = via->is_v4 ? HD_V4 : HD_V6;
	const struct hd_object *outside = hd_router_outside(r->model, r->router, family);

	for (size_t i = 0; i < r->router->n_subnets; i++) {
		const struct hd_subnet *subnet = subnet_at(r, i);

		*ret_own = &subnet->gateway;
		if (hd_ip_in(via, &subnet->cidr))
			return subnet;
	}
	*ret_own = &r->router->gateway.ip[family];
	return outside ? &outside->view.subnet : NULL;
}

static struct hd_route_value hop_of(const struct routing *r, const struct hd_static_route *route)
{
	struct hd_route_value value = { .kind = HD_ROUTE_BLACKHOLE, .id = route->id };
	const struct hd_ip *own;
	const struct hd_subnet *subnet = route->blackhole ? NULL : subnet_of(r, &route->via, &own);

	if (!subnet)
		return value;
	value.kind = HD_ROUTE_VIA;
	value.network = network_of(r, subnet);
	memcpy(value.via, route->via.bytes, 16);
	memcpy(value.gateway, own->bytes, 16);
	return value;
}

static bool same_prefix(const struct hd_static_route *a, const struct hd_static_route *b)
{
	return a->prefix.is_v4 == b->prefix.is_v4 && a->prefix.prefix == b->prefix.prefix &&
	       !memcmp(a->prefix.bytes, b->prefix.bytes, 16);
}

/*
 * How much a hop wants a slot (weighted rendezvous): -w / ln(u) for a random u of hop and slot, in integers. Each slot goes to the hop that wants it most, so
 * a hop that leaves takes with it what it had, and nothing else moves. u lies in (0, 1]; -ln(u) is taken from its logarithm to the base of two.
 */
static uint64_t wish(const struct hd_static_route *route, uint32_t slot)
{
	uint32_t u = hd_hash_mix(hd_hash(hd_hash(HD_HASH_START, route->via.bytes, 16), &slot,
					 sizeof(slot))) |
		     1;
	uint32_t whole = (uint32_t)__builtin_clz(u);
	uint64_t fraction = (uint64_t)(u << whole) & 0x7fffffffu; /* of the mantissa, 31 bits */
	/* -log2(u) = whole + 1 - log2(1.m), and log2(1.m) is near enough to m. In 1/2^31. */
	uint64_t length = ((uint64_t)(whole + 1) << 31) - fraction;

	return ((uint64_t)route->weight << 48) / (length ? length : 1);
}

static int add_slots(struct routing *r, const struct hd_static_route *first, uint16_t group)
{
	const struct hd_router *router = r->router;
	int ret = 0;

	for (uint16_t slot = 0; ret == 0 && slot < HD_HOP_SLOTS; slot++) {
		struct hd_hop_key key = { .router = r->object->id, .group = group, .slot = slot };
		const struct hd_static_route *best = first;
		struct hd_route_value value;

		for (size_t i = 0; i < router->n_routes; i++)
			if (same_prefix(&router->routes[i], first) &&
			    wish(&router->routes[i], slot) > wish(best, slot))
				best = &router->routes[i];
		value = hop_of(r, best);
		r->gen += hd_hash_mix(
			hd_hash(hd_hash(HD_HASH_START, &key, sizeof(key)), &value, sizeof(value)));
		ret = hd_table_add(&r->out->table[HD_TABLE_HOPS], &key, &value);
	}
	return ret;
}

/* One row for all routes of a prefix, made when the first of them is met. */
static int add_static(struct routing *r, size_t i)
{
	const struct hd_static_route *route = &r->router->routes[i];
	struct hd_route_value value = hop_of(r, route);
	bool several = false;
	int ret;

	for (size_t k = 0; k < r->router->n_routes; k++) {
		if (k == i || !same_prefix(&r->router->routes[k], route))
			continue;
		if (k < i)
			return 0;
		several = true;
	}
	if (several) {
		value = (struct hd_route_value){ .kind = HD_ROUTE_ECMP, .id = route->id };
		ret = add_slots(r, route, (uint16_t)route->id);
		if (ret < 0)
			return ret;
	}
	return add_route(r, &route->prefix, route->prefix.prefix, &value);
}

/* Neighbours that the configuration names may change their MAC, without any port being asked. */
static void hash_neighbours(struct routing *r)
{
	hd_model_each(r->model, HD_NOUN_NEIGHBOUR, object) {
		const struct hd_neighbour *neigh = &object->view.neighbour;
		uint32_t h = hd_hash(HD_HASH_START, neigh->ip.bytes, 16);

		if (hd_router_is_in(r->model, r->object, neigh->network))
			r->gen += hd_hash_mix(hd_hash(h, neigh->mac, 6));
	}
}

int hd_compile_router(const struct hd_model *model, const struct hd_object *object,
		      const struct hd_fact *fact, const struct hd_fact *uplink,
		      struct hd_tables *out, struct hd_error *err)
{
	struct routing r = {
		.model = model,
		.object = object,
		.router = &object->view.router,
		.out = out,
		.asks = fact->from,
		.uplink = uplink,
	};
	struct hd_port_value value = { .network = HD_NETWORK_UNDERLAY,
				       .flags = HD_PORT_ROUTER | HD_PORT_HAS_MAC | HD_PORT_UP,
				       .next = object->id };
	int ret = add_no_default(&r);

	for (size_t i = 0; ret == 0 && i < r.router->n_subnets; i++)
		ret = add_leg(&r, subnet_at(&r, i), &subnet_at(&r, i)->gateway, r.router->mac);
	if (ret == 0)
		ret = r.router->gateway.uplink ? add_masquerade(&r) : add_gateway(&r);
	if (ret == 0)
		ret = add_endpoints(&r);
	for (size_t i = 0; ret == 0 && i < r.router->n_routes; i++)
		ret = add_static(&r, i);
	if (ret == 0)
		ret = hd_compile_firewall(model, object->name, out, &value.policy, err);
	if (ret < 0)
		return ret;
	r.gen += hd_hash_mix(value.policy);
	hash_neighbours(&r);
	memcpy(value.mac, r.router->mac, 6);
	memcpy(r.end.from, fact->from, 6);
	value.gen = hd_hash_mix(r.gen + hd_hash(object->id, r.router->mac, 6));
	ret = hd_table_add(&out->table[HD_TABLE_ENDS], &object->id, &r.end);
	return ret < 0 ? ret : hd_table_add(&out->table[HD_TABLE_PORTS], &object->id, &value);
}
