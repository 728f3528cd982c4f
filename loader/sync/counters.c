// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* counters.c - what the datapath has counted, summed over the CPUs */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "sync/fdb.h"
#include "sync/state.h"

struct hd_counters hd_sync_counters(const struct hd_sync *sync, uint32_t port)
{
	int cpus = libbpf_num_possible_cpus();
	_free_ struct hd_counters *each = calloc((size_t)cpus, sizeof(*each));
	struct hd_counters sum = { 0 };

	if (!each || bpf_map_lookup_elem(sync->dp.maps[HD_MAP_PORT_COUNTERS], &port, each) < 0)
		return sum;
	for (int cpu = 0; cpu < cpus; cpu++) {
		sum.rx_packets += each[cpu].rx_packets;
		sum.rx_bytes += each[cpu].rx_bytes;
		sum.tx_packets += each[cpu].tx_packets;
		sum.tx_bytes += each[cpu].tx_bytes;
		sum.drops += each[cpu].drops;
	}
	return sum;
}

struct hd_rule_counters hd_sync_rule(const struct hd_sync *sync, uint32_t rule)
{
	int cpus = libbpf_num_possible_cpus();
	_free_ struct hd_rule_counters *each = calloc((size_t)cpus, sizeof(*each));
	struct hd_rule_counters sum = { 0 };

	if (!each || bpf_map_lookup_elem(sync->dp.maps[HD_MAP_RULE_COUNTERS], &rule, each) < 0)
		return sum;
	for (int cpu = 0; cpu < cpus; cpu++) {
		sum.packets += each[cpu].packets;
		sum.bytes += each[cpu].bytes;
	}
	return sum;
}

void hd_rule_clear(const struct hd_datapath *dp, uint32_t rule)
{
	_free_ void *zero =
		calloc((size_t)libbpf_num_possible_cpus(), sizeof(struct hd_rule_counters));

	if (zero) /* else it goes on from where the old one was */
		(void)bpf_map_update_elem(dp->maps[HD_MAP_RULE_COUNTERS], &rule, zero, BPF_ANY);
}

static bool read_drop(int fd, const struct hd_drop_key *key, struct hd_drop_value *ret)
{
	int cpus = libbpf_num_possible_cpus();
	_free_ struct hd_drop_value *each = calloc((size_t)cpus, sizeof(*each));

	*ret = (struct hd_drop_value){ 0 };
	if (!each || bpf_map_lookup_elem(fd, key, each) < 0)
		return false;
	for (int cpu = 0; cpu < cpus; cpu++) {
		ret->packets += each[cpu].packets;
		ret->bytes += each[cpu].bytes;
	}
	return ret->packets;
}

int hd_sync_drops(const struct hd_sync *sync, hd_sync_drops_fn fn, void *arg)
{
	int fd = sync->dp.maps[HD_MAP_DROPS];
	struct hd_drop_key key, *prev = NULL;
	struct hd_drop_value value;

	while (bpf_map_get_next_key(fd, prev, &key) == 0) {
		int r = read_drop(fd, &key, &value) ? fn(arg, &key, &value) : 0;

		if (r)
			return r;
		prev = &key;
	}
	return 0;
}

/* Keys of the drops that do not belong to @model any more. The map is not changed while its batches are read. */
struct stale {
	const struct hd_model *model;
	bool (*is_stale)(const struct hd_model *model, const struct hd_drop_key *key);
	struct hd_table keys;
};

static int note_stale(void *arg, const void *key, const void *value)
{
	struct stale *stale = arg;
	struct hd_drop_key drop;

	(void)value;
	memcpy(&drop, key, sizeof(drop));
	return stale->is_stale(stale->model, &drop) ? hd_table_add(&stale->keys, key, "") : 0;
}

static void for_stale(const struct hd_datapath *dp, struct stale *stale,
		      void (*fn)(int fd, const struct hd_drop_key *key))
{
	size_t value_size = (size_t)libbpf_num_possible_cpus() * sizeof(struct hd_drop_value);
	int fd = dp->maps[HD_MAP_DROPS];
	struct hd_drop_key key;

	hd_table_init(&stale->keys, sizeof(key), 0);
	(void)hd_map_walk(fd, sizeof(key), value_size, note_stale, stale); /* the next sweep */
	for (size_t i = 0; i < stale->keys.n; i++) {
		memcpy(&key, hd_table_key(&stale->keys, i), sizeof(key));
		fn(fd, &key);
	}
	hd_table_done(&stale->keys);
}

static bool is_of_no_port(const struct hd_model *model, const struct hd_drop_key *key)
{
	return key->port && !hd_model_get_port(model, key->port);
}

static void forget_drop(int fd, const struct hd_drop_key *key)
{
	(void)bpf_map_delete_elem(fd, key); /* gone already is fine */
}

void hd_drops_sweep(const struct hd_datapath *dp, const struct hd_model *model)
{
	struct stale stale = { .model = model, .is_stale = is_of_no_port };

	for_stale(dp, &stale, forget_drop);
}

/* Nothing is dropped by that rule any more; what is dropped by none, by a rule set that is not there, is next to nothing. */
static void forget_rule(int fd, const struct hd_drop_key *key)
{
	size_t cpus = (size_t)libbpf_num_possible_cpus();
	_free_ struct hd_drop_value *was = calloc(cpus, sizeof(*was));
	_free_ struct hd_drop_value *sum = calloc(cpus, sizeof(*sum));
	struct hd_drop_key plain = *key;

	plain.rule = 0;
	if (!was || !sum || bpf_map_lookup_elem(fd, key, was) < 0)
		return;
	(void)bpf_map_lookup_elem(fd, &plain, sum); /* not there: zeros */
	for (size_t cpu = 0; cpu < cpus; cpu++) {
		sum[cpu].packets += was[cpu].packets;
		sum[cpu].bytes += was[cpu].bytes;
	}
	(void)bpf_map_delete_elem(fd, key); /* first: so there is room */
	(void)bpf_map_update_elem(fd, &plain, sum, BPF_ANY);
}

static bool is_of_no_rule(const struct hd_model *model, const struct hd_drop_key *key)
{
	return key->rule && !hd_model_rule_taken(model, key->rule);
}

void hd_drops_forget_rules(const struct hd_datapath *dp, const struct hd_model *model)
{
	struct stale stale = { .model = model, .is_stale = is_of_no_rule };

	for_stale(dp, &stale, forget_rule);
}

static int count_row(void *arg, const void *key, const void *value)
{
	(void)key, (void)value;
	(*(uint32_t *)arg)++;
	return 0;
}

uint32_t hd_sync_used(const struct hd_sync *sync, enum hd_map_id map)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info), n = 0;

	if (bpf_obj_get_info_by_fd(sync->dp.maps[map], &info, &len) < 0)
		return 0;
	(void)hd_map_walk(sync->dp.maps[map], info.key_size, info.value_size, count_row, &n);
	return n;
}
