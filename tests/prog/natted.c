// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* natted.c - the little world in which the tests of address translation play */
#include "tests/prog/natted.h"

#include <bpf/bpf.h>

#include "cleanup.h"

const struct host gate = { 0, { 2, 0x68, 0x65, 0, 0, 0x1e }, GATE, GATE2_6, "fe80::1" };
const struct host floating = { 0, { 2, 0x68, 0x65, 0, 0, 0x1e }, FLOATING, GATE2_6, "fe80::1" };
const struct host inner = { 0, { 2, 0x68, 0x64, 0, 0, 0x1e }, GATE1, GATE1_6, "fe80::1" };
const struct host dan_in = {
	4, { 2, 0x68, 0x64, 0, 0, 0x1e }, "198.51.100.13", "2001:db8:2::d", "fe80::d"
};
const struct host eve_in = {
	5, { 2, 0x68, 0x64, 0, 0, 0x1e }, "198.51.100.14", "2001:db8:2::e", "fe80::e"
};

static uint32_t ipv4(const char *text)
{
	uint32_t addr;

	pkt_address(AF_INET, text, &addr);
	return addr;
}

static void put(const struct bpf_map *map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), 0);
}

struct hd_datapath datapath_of(struct fixture *f)
{
	struct hd_datapath dp = { .hz = HZ };

	for (int i = 0; i < HD_MAP_COUNT; i++) {
		const struct bpf_map *map =
			bpf_object__find_map_by_name(f->skel->obj, hd_map_name(i));

		dp.maps[i] = map ? bpf_map__fd(map) : -1;
	}
	dp.progs[HD_PROG_CLOCK] = bpf_program__fd(f->skel->progs.hd_clock);
	dp.progs[HD_PROG_NAT_GIVE] = bpf_program__fd(f->skel->progs.hd_nat_give);
	return dp;
}

void model_put(struct hd_model *model, enum hd_noun_id noun, const char *name, uint32_t id,
	       const char *text)
{
	_json_ json_t *spec = json_loads(text, 0, NULL);
	struct hd_object *object = NULL;
	struct hd_error err = { 0 };

	assert_int_equal(hd_object_new(&hd_nouns[noun], name, id, spec, &object, &err), 0);
	assert_int_equal(hd_model_put(model, object), 0);
	hd_object_unref(object);
}

void gateway_set(struct fixture *f, uint32_t router, const char *ip, uint32_t flags)
{
	struct hd_end_value end;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_ends), &router, &end), 0);
	end.ifindex = OUTSIDE;
	end.flags = flags;
	end.mtu = HD_NAT_USER_BLOCKS;
	end.local[0] = end.local[1] = 0;
	end.local[2] = htonl(0xffff);
	end.local[3] = ipv4(ip);
	end.remote[0] = htonl(0xffffff00); /* all of the outside, as if there were many addresses */
	end.remote[1] = end.local[3] & end.remote[0];
	put(f->skel->maps.hd_ends, &router, &end);
}

void pool_set(struct fixture *f, const char *ip, uint32_t first, uint32_t n, uint32_t head)
{
	struct hd_nat_pool_key key = { .zone = OUTSIDE, .addr = ipv4(ip) };
	struct hd_nat_pool pool = { .tail = n };

	for (uint32_t i = 0; i < n; i++)
		pool.ring[i] = (uint16_t)(first + i);
	put(f->skel->maps.hd_nat_pools, &key, &pool);
	put(f->skel->maps.hd_nat_heads, &key, &head);
}

uint32_t pool_head(struct fixture *f, const char *ip)
{
	struct hd_nat_pool_key key = { .zone = OUTSIDE, .addr = ipv4(ip) };
	uint32_t head;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_nat_heads), &key, &head),
			 0);
	return head;
}

void natted_world(struct fixture *f, uint32_t blocks)
{
	net_add(f, 1, HD_NETWORK_FLOOD, 300);
	net_add(f, OUTSIDE, HD_NETWORK_FLOOD, 300);
	routed_host(f, &ann, 1, true);
	routed_host(f, &cat, 1, false);
	routed_host(f, &dan, OUTSIDE, false);
	routed_host(f, &eve, OUTSIDE, false);
	net_first(f, 1, 1);
	net_first(f, OUTSIDE, 4);
	rules_ab(f);
	router_add(f, ROUTER, MAC_ROUTER, MAC_ASKS);
	router_joins(f, ROUTER, 1, "192.0.2.0", 24, GATE1);
	router_joins(f, ROUTER, 1, "2001:db8:1::", 64, GATE1_6);
	router_joins(f, ROUTER, OUTSIDE, "198.51.100.0", 24, GATE);
	route_add(f, (struct route){ .router = ROUTER,
				     .prefix = "0.0.0.0",
				     .kind = HD_ROUTE_VIA,
				     .network = OUTSIDE,
				     .via = dan.v4,
				     .gateway = GATE });
	gateway_set(f, ROUTER, GATE, HD_END_SNAT);
	pool_set(f, GATE, BLOCK, blocks, 0);
}

static void fip_put(struct fixture *f, uint32_t zone, uint32_t addr, uint32_t dir, uint32_t other,
		    uint32_t router)
{
	struct hd_fip_key key = { .zone = zone, .addr = addr, .dir = dir };
	struct hd_fip_value value = { .addr = other, .router = router };

	put(f->skel->maps.hd_fips, &key, &value);
}

void floating_add(struct fixture *f, uint32_t router, const char *ip, const char *fixed)
{
	fip_put(f, OUTSIDE, ipv4(ip), HD_NAT_IN, ipv4(fixed), router);
	fip_put(f, router, ipv4(fixed), HD_NAT_OUT, ipv4(ip), router);
	route_add(f, (struct route){ .router = router,
				     .prefix = ip,
				     .len = 32,
				     .kind = HD_ROUTE_LOCAL,
				     .network = OUTSIDE });
}

void forward_set(struct fixture *f, uint32_t router, const char *ip, uint16_t port, const char *to,
		 uint16_t to_port)
{
	struct hd_nat_key key = { .zone = OUTSIDE,
				  .addr = ipv4(ip),
				  .port = htons(port),
				  .class = HD_FLOW_UDP,
				  .dir = HD_NAT_IN };
	struct hd_forward_value value = { .router = router };

	if (!to) {
		assert_int_equal(bpf_map_delete_elem(bpf_map__fd(f->skel->maps.hd_forwards), &key),
				 0);
		return;
	}
	value.addr = ipv4(to);
	value.port = htons(to_port);
	put(f->skel->maps.hd_forwards, &key, &value);
}

/* Where it listens, and what it is; and what it leads to. */
static struct hd_nat6_key listener6(uint8_t class, const char *ip, uint16_t port)
{
	struct hd_nat6_key key = {
		.zone = OUTSIDE, .port = htons(port), .class = class, .dir = HD_NAT_IN
	};

	pkt_address(AF_INET6, ip, key.addr);
	return key;
}

static struct hd_nat6_key listened6(uint8_t class, uint16_t port, const char *to, uint16_t to_port)
{
	struct hd_nat6_key key = { .zone = (uint32_t) class << 16 | port,
				   .port = htons(to_port),
				   .class = class,
				   .dir = HD_NAT_OUT };

	pkt_address(AF_INET6, to, key.addr);
	return key;
}

void forward6_set(struct fixture *f, uint8_t class, const char *ip, uint16_t port, const char *to,
		  uint16_t to_port)
{
	struct hd_nat6_key in = listener6(class, ip, port),
			   out = listened6(class, port, to, to_port);
	struct hd_forward6_value value = { .router = ROUTER, .number = out.zone, .port = out.port };
	uint32_t router = ROUTER;
	struct hd_end_value end;

	memcpy(value.addr, out.addr, 16);
	put(f->skel->maps.hd_forwards6, &in, &value);
	memcpy(value.addr, in.addr, 16);
	value.port = in.port;
	put(f->skel->maps.hd_forwards6, &out, &value);
	route_add(f, (struct route){ .router = ROUTER,
				     .prefix = ip,
				     .len = 128,
				     .kind = HD_ROUTE_LOCAL,
				     .network = OUTSIDE });
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_ends), &router, &end), 0);
	end.flags |= HD_END_FORWARDS6;
	end.remote[2] = UINT32_MAX;
	end.remote[3] = in.addr[0] ^ in.addr[1];
	put(f->skel->maps.hd_ends, &router, &end);
}

void forward6_unset(struct fixture *f, uint8_t class, const char *ip, uint16_t port, const char *to,
		    uint16_t to_port)
{
	struct hd_nat6_key in = listener6(class, ip, port),
			   out = listened6(class, port, to, to_port);
	int fd = bpf_map__fd(f->skel->maps.hd_forwards6);

	assert_int_equal(bpf_map_delete_elem(fd, &in), 0);
	assert_int_equal(bpf_map_delete_elem(fd, &out), 0);
}

void masked6(struct fixture *f, const char *ip, uint32_t flags, uint32_t blocks)
{
	struct hd_fip6_key in = { .zone = OUTSIDE, .dir = HD_NAT_IN },
			   out = { .zone = ROUTER, .dir = HD_NAT_OUT };
	struct hd_nat_pool_key key = { .zone = OUTSIDE };
	struct hd_outside6_value value;
	struct hd_nat_pool pool = { .tail = blocks };
	uint32_t router = ROUTER, head = 0;
	struct hd_end_value end;

	pkt_address(AF_INET6, ip, in.addr);
	memcpy(value.addr, in.addr, 16);
	key.addr = value.name = in.addr[3] & htonl(HD_NAT_NAME_MAX);
	put(f->skel->maps.hd_outsides6, &in, &value);
	put(f->skel->maps.hd_outsides6, &out, &value);
	for (uint32_t i = 0; i < blocks; i++)
		pool.ring[i] = (uint16_t)(BLOCK + i);
	put(f->skel->maps.hd_nat_pools, &key, &pool);
	put(f->skel->maps.hd_nat_heads, &key, &head);
	route_add(f, (struct route){ .router = ROUTER,
				     .prefix = ip,
				     .len = 128,
				     .kind = HD_ROUTE_LOCAL,
				     .network = OUTSIDE });
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_ends), &router, &end), 0);
	end.flags |= HD_END_NAT6 | flags;
	end.remote[2] = UINT32_MAX;
	end.remote[3] = in.addr[0] ^ in.addr[1];
	put(f->skel->maps.hd_ends, &router, &end);
}

static struct hd_nat_key nat_key(uint32_t zone, uint32_t addr, uint16_t port, uint8_t class,
				 uint8_t dir)
{
	return (struct hd_nat_key){
		.zone = zone, .addr = addr, .port = htons(port), .class = class, .dir = dir
	};
}

void endpoint_add(struct fixture *f, uint32_t router, uint8_t class, const char *inside,
		  uint16_t port, const char *outside, uint16_t outside_port)
{
	struct hd_nat_key out = nat_key(router, ipv4(inside), port, class, HD_NAT_OUT);
	struct hd_nat_key in = nat_key(OUTSIDE, ipv4(outside), outside_port, class, HD_NAT_IN);
	struct hd_nat_value value = { .addr = in.addr, .router = router, .port = in.port };

	put(f->skel->maps.hd_nat, &out, &value);
	value.addr = out.addr;
	value.port = out.port;
	put(f->skel->maps.hd_nat, &in, &value);
}

uint16_t endpoint_of(struct fixture *f, uint8_t class, const char *inside, uint16_t port)
{
	struct hd_nat_key out = nat_key(ROUTER, ipv4(inside), port, class, HD_NAT_OUT), in;
	int fd = bpf_map__fd(f->skel->maps.hd_nat);
	struct hd_nat_value value, back;

	if (bpf_map_lookup_elem(fd, &out, &value))
		return 0;
	in = nat_key(OUTSIDE, value.addr, ntohs(value.port), class, HD_NAT_IN);
	assert_int_equal(bpf_map_lookup_elem(fd, &in, &back), 0);
	assert_int_equal(back.addr, out.addr);
	assert_int_equal(back.port, out.port);
	assert_int_equal(back.router, ROUTER);
	return ntohs(value.port);
}

uint32_t endpoints(struct fixture *f)
{
	int fd = bpf_map__fd(f->skel->maps.hd_nat);
	struct hd_nat_key key, *last = NULL;
	uint32_t n = 0;

	for (; bpf_map_get_next_key(fd, last, &key) == 0; last = &key)
		n++;
	return n;
}

struct hd_nat_user user_get(struct fixture *f, const char *ip)
{
	struct hd_nat_user_key key = { .router = ROUTER, .addr = ipv4(ip) };
	struct hd_nat_user user = { 0 };

	(void)bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_nat_users), &key, &user);
	return user;
}

void user_put(struct fixture *f, const char *ip, const struct hd_nat_user *user)
{
	struct hd_nat_user_key key = { .router = ROUTER, .addr = ipv4(ip) };

	put(f->skel->maps.hd_nat_users, &key, user);
}

struct pkt going(struct pkt p)
{
	return with_ttl(p, 63);
}

struct pkt error_about(const struct host *from, const struct host *to, uint8_t type, uint8_t code,
		       uint32_t word, const struct pkt *about)
{
	bool v6 = (about->data[12] << 8 | about->data[13]) == ETH_P_IPV6;
	struct pkt p = v6 ? ip6(from, to, IPPROTO_ICMPV6) : ip4(from, to, IPPROTO_ICMP);

	pkt_icmp(&p, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, type, code, 0);
	word = htonl(word);
	memcpy(p.data + p.len - 4, &word, sizeof(word));
	pkt_put(&p, about->data + ETH_HLEN, about->len - ETH_HLEN);
	pkt_end(&p);
	return p;
}

struct pkt with_port(struct pkt p, uint32_t at, uint16_t port)
{
	pkt_set16(&p, ETH_HLEN + 20 + at, port);
	return p;
}
