// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* nat_name.c - addresses of IPv6 in the tables of ports */
#include "sync/nat_name.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <string.h>

#include "sync/fdb.h"

int hd_nat_family(__be32 addr)
{
	return ntohl(addr) <= HD_NAT_NAME_MAX ? HD_V6 : HD_V4;
}

static int copy_row(void *arg, const void *key, const void *value)
{
	return hd_table_add(arg, key, value);
}

int hd_nat_names(const struct hd_datapath *dp, struct hd_table *ret)
{
	int r;

	hd_table_init(ret, sizeof(struct hd_nat_name_key), sizeof(__be32));
	r = hd_map_walk(dp->maps[HD_MAP_NAT_NAMES], ret->key_size, ret->value_size, copy_row, ret);
	hd_table_sort(ret);
	return r;
}

__be32 hd_nat_name_of(const struct hd_table *names, uint32_t router, const void *addr)
{
	struct hd_nat_name_key key = { .router = router };
	const void *row;
	__be32 name = 0;

	memcpy(key.addr, addr, sizeof(key.addr));
	row = hd_table_find(names, &key);
	if (row)
		memcpy(&name, row, sizeof(name));
	return name;
}

static struct hd_ip ipv4(__be32 addr)
{
	uint8_t bytes[16] = { [10] = 0xff, 0xff };

	memcpy(bytes + 12, &addr, sizeof(addr));
	return hd_ip_of_bytes(bytes);
}

struct hd_ip hd_nat_inside_ip(const struct hd_datapath *dp, const struct hd_nat_user_key *user)
{
	struct hd_nat_named named;

	if (hd_nat_family(user->addr) == HD_V4 ||
	    bpf_map_lookup_elem(dp->maps[HD_MAP_NAT_NAMED], user, &named) < 0)
		return ipv4(user->addr);
	return hd_ip_of_bytes(named.addr);
}

/* A walk for who has a name outside: they are few. */
struct search {
	uint32_t zone;
	__be32 name;
	struct hd_ip *ret;
};

static int look_at_outside(void *arg, const void *key, const void *value)
{
	struct search *search = arg;
	struct hd_outside6_value outside;
	struct hd_fip6_key of;

	memcpy(&of, key, sizeof(of));
	memcpy(&outside, value, sizeof(outside));
	if (of.dir == HD_NAT_IN && of.zone == search->zone && outside.name == search->name)
		*search->ret = hd_ip_of_bytes(outside.addr);
	return 0;
}

struct hd_ip hd_nat_outside_ip(const struct hd_datapath *dp, uint32_t zone, __be32 addr)
{
	struct hd_ip ip = ipv4(addr);
	struct search search = { .zone = zone, .name = addr, .ret = &ip };

	if (hd_nat_family(addr) == HD_V6)
		(void)hd_map_walk(dp->maps[HD_MAP_OUTSIDES6], sizeof(struct hd_fip6_key),
				  sizeof(struct hd_outside6_value), look_at_outside, &search);
	return ip;
}

void hd_nat_unname(const struct hd_datapath *dp, const struct hd_nat_user_key *user, bool both)
{
	struct hd_nat_name_key key = { .router = user->router };
	struct hd_nat_named named;
	__be32 name;

	if (bpf_map_lookup_elem(dp->maps[HD_MAP_NAT_NAMED], user, &named) < 0)
		return;
	memcpy(key.addr, named.addr, sizeof(key.addr));
	if (bpf_map_lookup_elem(dp->maps[HD_MAP_NAT_NAMES], &key, &name) == 0 && name == user->addr)
		(void)bpf_map_delete_elem(dp->maps[HD_MAP_NAT_NAMES], &key);
	if (both)
		(void)bpf_map_delete_elem(dp->maps[HD_MAP_NAT_NAMED], user);
}
