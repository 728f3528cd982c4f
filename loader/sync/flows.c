// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* flows.c - the daemon's side of the flow tables */
#include "sync/flows.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "compile/table.h"
#include "heddle/port.h"
#include "sync/fdb.h"

#define STEP 8192

static const struct {
	enum hd_map_id map;
	bool is_v4;
	bool is_new;
	bool routed;
} tables[HD_FLOW_TABLES] = {
	{ HD_MAP_FLOW4, true, false, false }, { HD_MAP_FLOW6, false, false, false },
	{ HD_MAP_NEW4, true, true, false },   { HD_MAP_NEW6, false, true, false },
	{ HD_MAP_RFLOW4, true, false, true }, { HD_MAP_RFLOW6, false, false, true },
	{ HD_MAP_RNEW4, true, true, true },   { HD_MAP_RNEW6, false, true, true },
};

static size_t key_size(size_t table)
{
	return tables[table].is_v4 ? sizeof(struct hd_flow4_key) : sizeof(struct hd_flow6_key);
}

static size_t value_size(size_t table)
{
	return tables[table].routed ? sizeof(struct hd_rflow_value) : sizeof(struct hd_flow_value);
}

static void map_v4(uint32_t addr, uint8_t ret[16])
{
	memset(ret, 0, 10);
	ret[10] = ret[11] = 0xff;
	memcpy(ret + 12, &addr, 4);
}

/* The protocol of a class; @port: of one side, which is the number of a protocol that has no class of its own. */
static uint8_t proto_of(uint32_t zone, uint16_t port)
{
	static const uint8_t protos[HD_ZONE_CLASS_MASK + 1] = {
#define X(proto, class) [class] = (proto),
		HD_FLOW_CLASSES(X)
#undef X
	};
	uint32_t class = zone & HD_ZONE_CLASS_MASK;

	return class == HD_FLOW_OTHER ? (uint8_t)ntohs(port) : protos[class];
}

static void read_key(size_t table, const void *key, struct hd_flow *ret)
{
	bool is_v4 = tables[table].is_v4;
	struct hd_flow4_key four;
	struct hd_flow6_key six;
	uint32_t zone;

	ret->is_v4 = is_v4;
	memcpy(&zone, key, sizeof(zone));
	ret->network = zone >> HD_ZONE_NETWORK_SHIFT;
	ret->vlan = zone >> HD_ZONE_VLAN_SHIFT & HD_ZONE_VLAN_MASK;
	ret->router = 0;
	if (tables[table].routed) {
		ret->router = ret->network;
		ret->network = ret->vlan = 0;
	}
	if (is_v4) {
		memcpy(&four, key, sizeof(four));
		map_v4(four.addr[0], ret->addr[0]);
		map_v4(four.addr[1], ret->addr[1]);
		memcpy(ret->port, four.port, sizeof(ret->port));
	} else {
		memcpy(&six, key, sizeof(six));
		memcpy(ret->addr, six.addr, sizeof(ret->addr));
		memcpy(ret->port, six.port, sizeof(ret->port));
	}
	ret->proto = proto_of(zone, ret->port[0]);
	if ((zone & HD_ZONE_CLASS_MASK) == HD_FLOW_OTHER)
		memset(ret->port, 0, sizeof(ret->port)); /* it has none */
}

static void read_value(size_t table, const void *value, struct hd_flow *ret)
{
	struct hd_rflow_value routed;

	memcpy(&ret->value, value, sizeof(ret->value));
	if (!tables[table].routed)
		return;
	memcpy(&routed, value, sizeof(routed));
	memcpy(ret->hop, routed.hop, sizeof(ret->hop));
	ret->listen_addr = routed.listen_addr;
	ret->listen_port = routed.listen_port;
	ret->firewall = routed.rule;
	ret->network = routed.hop[ret->value.opener & 1].network;
}

static void read_flow(size_t table, const void *key, const void *value, struct hd_flow *ret)
{
	read_key(table, key, ret);
	read_value(table, value, ret);
}

static enum hd_timeout timeout_of(uint8_t proto, uint8_t state)
{
	if (proto == IPPROTO_TCP) {
		if (state == HD_FLOW_ESTABLISHED)
			return HD_TIMEOUT_TCP_ESTABLISHED;
		if (state == HD_FLOW_CLOSING)
			return HD_TIMEOUT_TCP_TRANSITORY;
		return state == HD_FLOW_CLOSED ? HD_TIMEOUT_TCP_CLOSED : HD_TIMEOUT_TCP_HALF_OPEN;
	}
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6)
		return HD_TIMEOUT_ICMP;
	if (state == HD_FLOW_NEW)
		return HD_TIMEOUT_UDP_NEW;
	return proto == IPPROTO_UDP ? HD_TIMEOUT_UDP : HD_TIMEOUT_OTHER;
}

uint32_t hd_flow_timeout_s(const struct hd_limits *limits, const struct hd_flow *flow)
{
	return limits->timeouts_s[timeout_of(flow->proto, flow->value.state)];
}

/* Packets go on while a table is walked: an entry may have been used after @now. What is further ahead than this is long ago. */
#define GRACE_S 60

static bool is_expired(const struct hd_datapath *dp, const struct hd_flow *flow, uint32_t now)
{
	uint32_t grace = GRACE_S * dp->hz;

	return now - flow->value.seen + grace >
	       hd_flow_timeout_s(&dp->limits, flow) * dp->hz + grace;
}

/* A walk over one table. */
struct walk {
	const struct hd_datapath *dp;
	size_t table;
	uint32_t now;
	hd_flow_fn fn;
	void *arg;
};

static int walk_row(void *arg, const void *key, const void *value)
{
	const struct walk *walk = arg;
	struct hd_flow flow;

	read_flow(walk->table, key, value, &flow);
	return is_expired(walk->dp, &flow, walk->now) ? 0 : walk->fn(walk->arg, &flow);
}

int hd_flows_walk(const struct hd_datapath *dp, hd_flow_fn fn, void *arg)
{
	struct walk walk = { .dp = dp, .now = hd_datapath_now(dp), .fn = fn, .arg = arg };
	int r = 0;

	for (walk.table = 0; r == 0 && walk.table < HD_FLOW_TABLES; walk.table++)
		r = hd_map_walk(dp->maps[tables[walk.table].map], key_size(walk.table),
				value_size(walk.table), walk_row, &walk);
	return r;
}

/* Flows that are to go; removed after the walk, which would lose its place otherwise. */
struct doomed {
	hd_flow_match match;
	void *arg;
	size_t table;
	struct hd_table keys;
};

static int doom_row(void *arg, const void *key, const void *value)
{
	struct doomed *doomed = arg;
	struct hd_flow flow;

	read_flow(doomed->table, key, value, &flow);
	return doomed->match(doomed->arg, &flow) ? hd_table_add(&doomed->keys, key, "") : 0;
}

/* What an established flow took of its opener's share; the datapath counts at the same time. */
static void release(const struct hd_datapath *dp, const struct hd_flow_value *value)
{
	uint32_t port = value->port[value->opener & 1];

	if (port < dp->limits.ports)
		__atomic_fetch_sub(&dp->states[port].flows, 1, __ATOMIC_RELAXED);
}

static bool remove_flow(const struct hd_datapath *dp, size_t table, const void *key)
{
	struct hd_rflow_value value; /* or the flow at its beginning alone */

	if (bpf_map_lookup_and_delete_elem(dp->maps[tables[table].map], key, &value) < 0)
		return false;
	if (!tables[table].is_new)
		release(dp, &value.flow);
	return true;
}

static unsigned int remove_keys(const struct hd_datapath *dp, size_t table,
				const struct hd_table *keys)
{
	unsigned int n = 0;

	for (size_t i = 0; i < keys->n; i++)
		n += remove_flow(dp, table, hd_table_key(keys, i));
	return n;
}

unsigned int hd_flows_flush(const struct hd_datapath *dp, hd_flow_match match, void *arg)
{
	struct doomed doomed = { .match = match, .arg = arg };
	unsigned int n = 0;

	for (size_t i = 0; i < HD_FLOW_TABLES; i++) {
		int fd = dp->maps[tables[i].map];

		doomed.table = i;
		hd_table_init(&doomed.keys, key_size(i), 0);
		(void)hd_map_walk(fd, key_size(i), value_size(i), doom_row, &doomed);
		n += remove_keys(dp, i, &doomed.keys);
		hd_table_done(&doomed.keys);
	}
	return n;
}

/* It has expired, or one of its ports is gone. */
static bool is_over(const struct hd_datapath *dp, const struct hd_model *model,
		    const struct hd_flow *flow, uint32_t now)
{
	if (is_expired(dp, flow, now))
		return true;
	for (int side = 0; side < 2; side++)
		if (flow->value.port[side] && !hd_model_get_port(model, flow->value.port[side]))
			return true;
	return false;
}

/* Looked at once more before it goes: it may have been revived since it was read. */
static void expire(const struct hd_datapath *dp, const struct hd_model *model, int table,
		   const void *key)
{
	struct hd_rflow_value value;
	struct hd_flow flow;

	if (bpf_map_lookup_elem(dp->maps[tables[table].map], key, &value) < 0)
		return;
	read_flow((size_t)table, key, &value, &flow);
	if (is_over(dp, model, &flow, hd_datapath_now(dp)))
		(void)remove_flow(dp, (size_t)table, key);
}

static void expire_batch(const struct hd_datapath *dp, const struct hd_model *model, int table,
			 const uint8_t *keys, const uint8_t *values, uint32_t n)
{
	uint32_t now = hd_datapath_now(dp);
	struct hd_flow flow;

	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *key = keys + i * key_size((size_t)table);

		read_flow((size_t)table, key, values + i * value_size((size_t)table), &flow);
		if (is_over(dp, model, &flow, now))
			expire(dp, model, table, key);
	}
}

bool hd_flows_sweep(const struct hd_datapath *dp, const struct hd_model *model,
		    struct hd_flow_sweep *sweep)
{
	_free_ uint8_t *keys = malloc(STEP * sizeof(struct hd_flow6_key));
	_free_ uint8_t *values = malloc(STEP * sizeof(struct hd_rflow_value));
	int fd = dp->maps[tables[sweep->table].map];
	uint32_t n = STEP, next = 0;
	int end;

	if (!keys || !values)
		return true;
	end = bpf_map_lookup_batch(fd, sweep->begun ? &sweep->token : NULL, &next, keys, values, &n,
				   NULL) < 0;
	if (end && errno != ENOENT)
		n = 0;
	expire_batch(dp, model, sweep->table, keys, values, n);
	sweep->counting += n;
	sweep->token = next;
	sweep->begun = !end;
	if (!end)
		return false;
	sweep->count[sweep->table] = sweep->counting;
	sweep->counting = 0;
	sweep->table = (sweep->table + 1) % HD_FLOW_TABLES;
	return sweep->table == 0;
}
