// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * layout.c OBJECT... - the tables of BPF objects against the contract headers as this compiler reads
 * them
 *
 * An object's BTF says what clang made of the same headers. Every map must be known here, so that
 * a new one gets its line; the first object has them all.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "heddle/abi.h"
#include "heddle/config.h"
#include "heddle/epoch.h"
#include "heddle/fdb.h"
#include "heddle/firewall.h"
#include "heddle/flow.h"
#include "heddle/leg.h"
#include "heddle/limit.h"
#include "heddle/nat.h"
#include "heddle/neigh.h"
#include "heddle/policy.h"
#include "heddle/port.h"
#include "heddle/reason.h"
#include "heddle/router.h"
#include "heddle/trace.h"
#include "heddle/tunnel.h"
#include "heddle/vlan.h"

/* @key, @value: names of the types, NULL where the map is of plain integers. */
struct table {
	const char *name;
	const char *key;
	const char *value;
	size_t key_size;
	size_t value_size;
};

static const struct table tables[] = {
	{ "hd_ifindex", NULL, "hd_ifindex_value", 4, sizeof(struct hd_ifindex_value) },
	{ "hd_ifindex_far", NULL, NULL, 4, 4 },
	{ "hd_ports", NULL, "hd_port_value", 4, sizeof(struct hd_port_value) },
	{ "hd_networks", NULL, "hd_network_value", 4, sizeof(struct hd_network_value) },
	{ "hd_ends", NULL, "hd_end_value", 4, sizeof(struct hd_end_value) },
	{ "hd_peer_nets", "hd_peer_net_key", NULL, sizeof(struct hd_peer_net_key), 4 },
	{ "hd_peers", "hd_peer_key", NULL, sizeof(struct hd_peer_key), 4 },
	{ "hd_tunnels", "hd_tunnel_key", NULL, sizeof(struct hd_tunnel_key), 4 },
	{ "hd_tunnel_ports", NULL, NULL, 4, 4 },
	{ "hd_legs", "hd_leg_key", NULL, sizeof(struct hd_leg_key), 4 },
	{ "hd_port_counters", NULL, "hd_counters", 4, sizeof(struct hd_counters) },
	{ "hd_port_state", NULL, "hd_port_state", 4, sizeof(struct hd_port_state) },
	{ "hd_epoch", NULL, "hd_epoch", 4, sizeof(struct hd_epoch) },
	{ "hd_trunks", NULL, "hd_trunk_value", 4, sizeof(struct hd_trunk_value) },
	{ "hd_limits", NULL, "hd_limit_value", 4, sizeof(struct hd_limit_value) },
	{ "hd_buckets", NULL, "hd_bucket", 4, sizeof(struct hd_bucket) },
	{ "hd_fdb", "hd_fdb_key", "hd_fdb_value", sizeof(struct hd_fdb_key),
	  sizeof(struct hd_fdb_value) },
	{ "hd_neigh", "hd_neigh_key", "hd_neigh_value", sizeof(struct hd_neigh_key),
	  sizeof(struct hd_neigh_value) },
	{ "hd_drops", "hd_drop_key", "hd_drop_value", sizeof(struct hd_drop_key),
	  sizeof(struct hd_drop_value) },
	{ "hd_shapes", NULL, "hd_shapes", 4, sizeof(struct hd_shapes) },
	{ "hd_rules", "hd_rule_key", NULL, sizeof(struct hd_rule_key), 4 },
	{ "hd_fw_rules", "hd_fw_key", "hd_fw_value", sizeof(struct hd_fw_key),
	  sizeof(struct hd_fw_value) },
	{ "hd_fw_shapes", NULL, "hd_fw_shapes", 4, sizeof(struct hd_fw_shapes) },
	{ "hd_members", "hd_member_key", NULL, sizeof(struct hd_member_key), 4 },
	{ "hd_rule_counters", NULL, "hd_rule_counters", 4, sizeof(struct hd_rule_counters) },
	{ "hd_sources", "hd_source_key", NULL, sizeof(struct hd_source_key), 4 },
	{ "hd_gateways", "hd_member_key", NULL, sizeof(struct hd_member_key), 4 },
	{ "hd_flow4", "hd_flow4_key", "hd_flow_value", sizeof(struct hd_flow4_key),
	  sizeof(struct hd_flow_value) },
	{ "hd_flow6", "hd_flow6_key", "hd_flow_value", sizeof(struct hd_flow6_key),
	  sizeof(struct hd_flow_value) },
	{ "hd_new4", "hd_flow4_key", "hd_flow_value", sizeof(struct hd_flow4_key),
	  sizeof(struct hd_flow_value) },
	{ "hd_new6", "hd_flow6_key", "hd_flow_value", sizeof(struct hd_flow6_key),
	  sizeof(struct hd_flow_value) },
	{ "hd_rflow4", "hd_flow4_key", "hd_rflow_value", sizeof(struct hd_flow4_key),
	  sizeof(struct hd_rflow_value) },
	{ "hd_rflow6", "hd_flow6_key", "hd_rflow_value", sizeof(struct hd_flow6_key),
	  sizeof(struct hd_rflow_value) },
	{ "hd_rnew4", "hd_flow4_key", "hd_rflow_value", sizeof(struct hd_flow4_key),
	  sizeof(struct hd_rflow_value) },
	{ "hd_rnew6", "hd_flow6_key", "hd_rflow_value", sizeof(struct hd_flow6_key),
	  sizeof(struct hd_rflow_value) },
	{ "hd_routes", "hd_route_key", "hd_route_value", sizeof(struct hd_route_key),
	  sizeof(struct hd_route_value) },
	{ "hd_hops", "hd_hop_key", "hd_route_value", sizeof(struct hd_hop_key),
	  sizeof(struct hd_route_value) },
	{ "hd_arp", "hd_neigh_key", "hd_arp_value", sizeof(struct hd_neigh_key),
	  sizeof(struct hd_arp_value) },
	{ "hd_told", NULL, NULL, 4, 4 },
	{ "hd_router_state", NULL, "hd_router_state", 4, sizeof(struct hd_router_state) },
	{ "hd_nat", "hd_nat_key", "hd_nat_value", sizeof(struct hd_nat_key),
	  sizeof(struct hd_nat_value) },
	{ "hd_forwards", "hd_nat_key", "hd_forward_value", sizeof(struct hd_nat_key),
	  sizeof(struct hd_forward_value) },
	{ "hd_fips", "hd_fip_key", "hd_fip_value", sizeof(struct hd_fip_key),
	  sizeof(struct hd_fip_value) },
	{ "hd_fips6", "hd_fip6_key", "hd_fip6_value", sizeof(struct hd_fip6_key),
	  sizeof(struct hd_fip6_value) },
	{ "hd_forwards6", "hd_nat6_key", "hd_forward6_value", sizeof(struct hd_nat6_key),
	  sizeof(struct hd_forward6_value) },
	{ "hd_outsides6", "hd_fip6_key", "hd_outside6_value", sizeof(struct hd_fip6_key),
	  sizeof(struct hd_outside6_value) },
	{ "hd_nat_names", "hd_nat_name_key", NULL, sizeof(struct hd_nat_name_key), 4 },
	{ "hd_nat_named", "hd_nat_user_key", "hd_nat_named", sizeof(struct hd_nat_user_key),
	  sizeof(struct hd_nat_named) },
	{ "hd_nat_asked6", "hd_nat_asked6_key", NULL, sizeof(struct hd_nat_asked6_key), 4 },
	{ "hd_nat_pools", "hd_nat_pool_key", "hd_nat_pool", sizeof(struct hd_nat_pool_key),
	  sizeof(struct hd_nat_pool) },
	{ "hd_nat_heads", "hd_nat_pool_key", NULL, sizeof(struct hd_nat_pool_key), 4 },
	{ "hd_nat_users", "hd_nat_user_key", "hd_nat_user", sizeof(struct hd_nat_user_key),
	  sizeof(struct hd_nat_user) },
	{ "hd_nat_asked", "hd_nat_asked_key", NULL, sizeof(struct hd_nat_asked_key), 4 },
	{ "hd_nat_quotas", NULL, NULL, 4, 4 },
	{ "hd_nat_shares", NULL, NULL, 4, 4 },
	{ "hd_nat_log", NULL, NULL, 0, 0 },
	{ "hd_nat_lost", NULL, NULL, 4, 4 },
	{ "hd_onward", NULL, NULL, 4, 4 },
	{ "hd_nat_nobody", NULL, "hd_nat_user", 4, sizeof(struct hd_nat_user) },
	{ "hd_frags", "hd_frag_key", "hd_frag_value", sizeof(struct hd_frag_key),
	  sizeof(struct hd_frag_value) },
	{ "hd_held", "hd_held_key", "hd_held_value", sizeof(struct hd_held_key),
	  sizeof(struct hd_held_value) },
	{ "hd_live", NULL, NULL, 0, 0 },
	{ "hd_live_filter", NULL, "hd_live_filter", 4, sizeof(struct hd_live_filter) },
	{ "hd_live_lost", NULL, NULL, 4, 8 },
	{ "hd_trace_log", NULL, "hd_trace_record", 4, sizeof(struct hd_trace_record) },
	{ "hd_stages", NULL, NULL, 4, 4 },
	{ "hd_meta", NULL, "hd_meta", 4, sizeof(struct hd_meta) },
};

struct member {
	const char *type;
	const char *name;
	size_t off;
	size_t size;
};

#define M(type, member)                                                                            \
	{                                                                                          \
#type, #member, offsetof(struct type, member), sizeof(((struct type *)0)->member)  \
	}

/* In the order of declaration, and all of them: what BTF has and this list has not is an error. */
static const struct member members[] = {
	M(hd_fdb_key, network),
	M(hd_fdb_key, vlan),
	M(hd_fdb_key, mac),
	M(hd_fdb_value, port),
	M(hd_fdb_value, flags),
	M(hd_fdb_value, seen),
	M(hd_neigh_key, network),
	M(hd_neigh_key, vlan),
	M(hd_neigh_key, pad),
	M(hd_neigh_key, addr),
	M(hd_neigh_value, port),
	M(hd_neigh_value, mac),
	M(hd_neigh_value, pad),
	M(hd_trunk_value, bits),
	M(hd_port_value, network),
	M(hd_port_value, ifindex),
	M(hd_port_value, flags),
	M(hd_port_value, next),
	M(hd_port_value, mtu),
	M(hd_port_value, mac_limit),
	M(hd_port_value, mac),
	M(hd_port_value, vlan),
	M(hd_port_value, policy),
	M(hd_port_value, gen),
	M(hd_ifindex_value, ifindex),
	M(hd_ifindex_value, port),
	M(hd_epoch, underlay),
	M(hd_epoch, fdb),
	M(hd_port_state, learned),
	M(hd_port_state, flows),
	M(hd_port_state, dhcp),
	M(hd_port_state, held),
	M(hd_network_value, flags),
	M(hd_network_value, ageing_jiffies),
	M(hd_network_value, first),
	M(hd_network_value, tunnel),
	M(hd_tunnel, ttl),
	M(hd_tunnel, tos_keep),
	M(hd_tunnel, tos),
	M(hd_tunnel, pad),
	M(hd_tunnel, id),
	M(hd_tunnel, port),
	M(hd_tunnel, type),
	M(hd_tunnel, overhead),
	M(hd_end_value, flags),
	M(hd_end_value, ifindex),
	M(hd_end_value, mtu),
	M(hd_end_value, csum),
	M(hd_end_value, pad),
	M(hd_end_value, to),
	M(hd_end_value, from),
	M(hd_end_value, local),
	M(hd_end_value, remote),
	M(hd_leg_key, uplink),
	M(hd_leg_key, vid),
	M(hd_peer_net_key, network),
	M(hd_peer_net_key, peer),
	M(hd_peer_key, addr),
	M(hd_tunnel_key, id),
	M(hd_tunnel_key, port),
	M(hd_tunnel_key, type),
	M(hd_tunnel_key, pad),
	M(hd_counters, rx_packets),
	M(hd_counters, rx_bytes),
	M(hd_counters, tx_packets),
	M(hd_counters, tx_bytes),
	M(hd_counters, drops),
	M(hd_drop_key, port),
	M(hd_drop_key, reason),
	M(hd_drop_key, stage),
	M(hd_drop_key, rule),
	M(hd_drop_value, packets),
	M(hd_drop_value, bytes),
	M(hd_shape, kind),
	M(hd_shape, addr_len),
	M(hd_shape, has_proto),
	M(hd_shape, port_len),
	M(hd_rule_key, policy),
	M(hd_rule_key, shape),
	M(hd_rule_key, proto),
	M(hd_rule_key, dir),
	M(hd_rule_key, port),
	M(hd_rule_key, remote),
	M(hd_shapes, n),
	M(hd_shapes, shape),
	M(hd_member_key, network),
	M(hd_member_key, vlan),
	M(hd_member_key, pad),
	M(hd_member_key, addr),
	M(hd_rule_counters, packets),
	M(hd_rule_counters, bytes),
	M(hd_source_key, prefix_len),
	M(hd_source_key, port),
	M(hd_source_key, mac),
	M(hd_source_key, pad),
	M(hd_source_key, addr),
	M(hd_flow4_key, zone),
	M(hd_flow4_key, addr),
	M(hd_flow4_key, port),
	M(hd_flow6_key, zone),
	M(hd_flow6_key, addr),
	M(hd_flow6_key, port),
	M(hd_flow_tcp, ack),
	M(hd_flow_tcp, window),
	M(hd_flow_tcp, born),
	M(hd_flow_value, gen),
	M(hd_flow_value, seen),
	M(hd_flow_value, rule),
	M(hd_flow_value, bytes),
	M(hd_flow_value, packets),
	M(hd_flow_value, port),
	M(hd_flow_value, state),
	M(hd_flow_value, opener),
	M(hd_flow_value, seen_flags),
	M(hd_flow_value, scale),
	M(hd_flow_value, heard),
	M(hd_flow_value, tcp),
	M(hd_route_key, prefix_len),
	M(hd_route_key, router),
	M(hd_route_key, addr),
	M(hd_route_value, kind),
	M(hd_route_value, network),
	M(hd_route_value, id),
	M(hd_route_value, pad),
	M(hd_route_value, via),
	M(hd_route_value, gateway),
	M(hd_hop_key, router),
	M(hd_hop_key, group),
	M(hd_hop_key, slot),
	M(hd_arp_value, mac),
	M(hd_arp_value, router),
	M(hd_arp_value, since),
	M(hd_arp_value, asked),
	M(hd_router_state, moved),
	M(hd_router_state, told),
	M(hd_router_state, asked),
	M(hd_rflow_value, flow),
	M(hd_rflow_value, hop),
	M(hd_rflow_value, listen_addr),
	M(hd_rflow_value, listen_port),
	M(hd_rflow_value, pad),
	M(hd_rflow_value, rule),
	M(hd_fw_key, policy),
	M(hd_fw_key, from_len),
	M(hd_fw_key, to_len),
	M(hd_fw_key, flags),
	M(hd_fw_key, port_len),
	M(hd_fw_key, port),
	M(hd_fw_key, proto),
	M(hd_fw_key, pad),
	M(hd_fw_key, from),
	M(hd_fw_key, to),
	M(hd_fw_value, position),
	M(hd_fw_value, rule),
	M(hd_fw_value, action),
	M(hd_fw_shape, from_len),
	M(hd_fw_shape, to_len),
	M(hd_fw_shape, flags),
	M(hd_fw_shape, port_len),
	M(hd_fw_shape, first),
	M(hd_fw_shapes, n),
	M(hd_fw_shapes, shape),
	M(hd_rflow_value, reserved),
	M(hd_nat_key, zone),
	M(hd_nat_key, addr),
	M(hd_nat_key, port),
	M(hd_nat_key, class),
	M(hd_nat_key, dir),
	M(hd_nat_value, addr),
	M(hd_nat_value, router),
	M(hd_nat_value, port),
	M(hd_nat_value, pad),
	M(hd_nat_value, born),
	M(hd_forward_value, addr),
	M(hd_forward_value, router),
	M(hd_forward_value, port),
	M(hd_forward_value, pad),
	M(hd_limit, bytes_s),
	M(hd_limit, burst_ns),
	M(hd_limit_value, dir),
	M(hd_bucket, due_ns),
	M(hd_nat_asked_key, router),
	M(hd_nat_asked_key, addr),
	M(hd_nat_asked_key, remote),
	M(hd_nat_asked_key, port),
	M(hd_nat_asked_key, class),
	M(hd_nat_asked_key, pad),
	M(hd_fip_key, zone),
	M(hd_fip_key, addr),
	M(hd_fip_key, dir),
	M(hd_fip_value, addr),
	M(hd_fip_value, router),
	M(hd_fip6_key, zone),
	M(hd_fip6_key, addr),
	M(hd_fip6_key, dir),
	M(hd_fip6_value, addr),
	M(hd_fip6_value, router),
	M(hd_nat6_key, zone),
	M(hd_nat6_key, addr),
	M(hd_nat6_key, port),
	M(hd_nat6_key, class),
	M(hd_nat6_key, dir),
	M(hd_forward6_value, addr),
	M(hd_forward6_value, router),
	M(hd_forward6_value, number),
	M(hd_forward6_value, port),
	M(hd_forward6_value, pad),
	M(hd_outside6_value, addr),
	M(hd_outside6_value, name),
	M(hd_nat_name_key, router),
	M(hd_nat_name_key, addr),
	M(hd_nat_named, addr),
	M(hd_nat_asked6_key, router),
	M(hd_nat_asked6_key, name),
	M(hd_nat_asked6_key, remote),
	M(hd_nat_asked6_key, port),
	M(hd_nat_asked6_key, class),
	M(hd_nat_asked6_key, pad),
	M(hd_nat_pool_key, zone),
	M(hd_nat_pool_key, addr),
	M(hd_nat_pool, tail),
	M(hd_nat_pool, ring),
	M(hd_nat_user_key, router),
	M(hd_nat_user_key, addr),
	M(hd_nat_block, used),
	M(hd_nat_block, block),
	M(hd_nat_block, addr),
	M(hd_nat_user, block),
	M(hd_frag_key, network),
	M(hd_frag_key, vlan),
	M(hd_frag_key, proto),
	M(hd_frag_key, port),
	M(hd_frag_key, id),
	M(hd_frag_key, saddr),
	M(hd_frag_key, daddr),
	M(hd_frag_range, start),
	M(hd_frag_range, end),
	M(hd_frag_value, lock),
	M(hd_frag_value, seen),
	M(hd_frag_value, sport),
	M(hd_frag_value, dport),
	M(hd_frag_value, proto),
	M(hd_frag_value, state),
	M(hd_frag_value, total),
	M(hd_frag_value, held),
	M(hd_frag_value, range),
	M(hd_held_key, frag),
	M(hd_held_key, index),
	M(hd_held_value, port),
	M(hd_held_value, len),
	M(hd_held_value, seen),
	M(hd_held_value, start),
	M(hd_held_value, end),
	M(hd_held_value, last),
	M(hd_held_value, prio),
	M(hd_held_value, frame),
	M(hd_trace_record, stage),
	M(hd_trace_record, what),
	M(hd_trace_record, a),
	M(hd_trace_record, b),
	M(hd_live_filter, port),
	M(hd_live_filter, network),
	M(hd_live_filter, addr),
	M(hd_live_filter, dport),
	M(hd_live_filter, proto),
	M(hd_live_filter, has_addr),
	M(hd_live_filter, has_dport),
	M(hd_live_filter, has_proto),
	M(hd_live_filter, pad),
	M(hd_meta, abi),
	M(hd_meta, pad),
	M(hd_meta, object_hash),
	M(hd_port_config, hz),
	M(hd_port_config, max_ports),
	M(hd_port_config, flows_per_port),
	M(hd_port_config, trace),
	M(hd_port_config, nat_spread),
	M(hd_port_config, timeouts),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static unsigned int failed;
static bool was_seen[COUNT(tables)];

static void expect(bool right, const char *what, const char *of, size_t is, size_t want)
{
	if (right)
		return;
	printf("FAIL %s %s: object has %zu, headers have %zu\n", of, what, is, want);
	failed++;
}

static const char *type_name(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	return type ? btf__name_by_offset(btf, type->name_off) : "";
}

static const struct member *find_member(const char *type, const char *name)
{
	for (size_t i = 0; i < COUNT(members); i++)
		if (!strcmp(members[i].type, type) && !strcmp(members[i].name, name))
			return &members[i];
	return NULL;
}

/* Member by member: an offset that moved is an error even where the size is the same. */
static void check_struct(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	if (!type) {
		printf("FAIL struct %s: not in the object\n", name);
		failed++;
		return;
	}
	for (uint16_t i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *is = btf_members(type) + i;
		const char *member = btf__name_by_offset(btf, is->name_off);
		const struct member *want = find_member(name, member);

		if (!want) {
			printf("FAIL struct %s: member %s is not listed in layout.c\n", name,
			       member);
			failed++;
			continue;
		}
		expect(btf_member_bit_offset(type, i) == want->off * 8, member, name,
		       btf_member_bit_offset(type, i) / 8, want->off);
		expect((size_t)btf__resolve_size(btf, is->type) == want->size, member, name,
		       (size_t)btf__resolve_size(btf, is->type), want->size);
	}
}

static void check_name(const struct btf *btf, uint32_t id, const char *want, const char *map)
{
	if (!want || !strcmp(type_name(btf, id), want))
		return;
	printf("FAIL %s: its type is struct %s, not struct %s\n", map, type_name(btf, id), want);
	failed++;
}

static void check_map(const struct btf *btf, const struct bpf_map *map, const struct table *want)
{
	expect(bpf_map__key_size(map) == want->key_size, "key size", want->name,
	       bpf_map__key_size(map), want->key_size);
	expect(bpf_map__value_size(map) == want->value_size, "value size", want->name,
	       bpf_map__value_size(map), want->value_size);
	check_name(btf, bpf_map__btf_key_type_id(map), want->key, want->name);
	check_name(btf, bpf_map__btf_value_type_id(map), want->value, want->name);
	if (want->key)
		check_struct(btf, want->key);
	if (want->value)
		check_struct(btf, want->value);
}

static void check_maps(const struct bpf_object *object, const struct btf *btf)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		const char *name = bpf_map__name(map);
		size_t i;

		if (bpf_map__is_internal(map) || !strcmp(name, "hd_scratch") ||
		    !strcmp(name, "hd_origins") || !strcmp(name, "hd_hold_scratch") ||
		    !strcmp(name, "hd_bytes") || !strcmp(name, "hd_frag_copy") ||
		    !strcmp(name, "hd_live_scratch") || !strcmp(name, "hd_rflow_scratch"))
			continue; /* nobody but the programs themselves looks at it */
		for (i = 0; i < COUNT(tables) && strcmp(tables[i].name, name);)
			i++;
		if (i == COUNT(tables)) {
			printf("FAIL %s: not listed in layout.c\n", name);
			failed++;
			continue;
		}
		check_map(btf, map, &tables[i]);
		was_seen[i] = true;
	}
}

static void check_object(const char *path, bool has_all)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	const struct btf *btf = object ? bpf_object__btf(object) : NULL;

	if (!btf) {
		printf("FAIL %s: can't read the object and its BTF\n", path);
		failed++;
		return;
	}
	check_maps(object, btf);
	check_struct(btf, "hd_port_config");
	if (has_all) {
		check_struct(btf, "hd_shape");
		check_struct(btf, "hd_flow_tcp");
		check_struct(btf, "hd_frag_range");
	}
	check_struct(btf, "hd_tunnel");
	bpf_object__close(object);
}

int main(int argc, char **argv)
{
	size_t seen = 0;

	if (argc < 2)
		return 2;
	check_object(argv[1], true);
	for (size_t i = 0; i < COUNT(tables); i++)
		seen += was_seen[i];
	expect(seen == COUNT(tables), "maps", "object", seen, COUNT(tables));
	for (int i = 2; i < argc; i++)
		check_object(argv[i], false);
	printf("layout: %d objects, %zu maps, %zu members, %u wrong\n", argc - 1, COUNT(tables),
	       COUNT(members), failed);
	return failed != 0;
}
