// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* tables.c - compiled tables against the kernel's maps */
#include "sync/tables.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "heddle/abi.h"
#include "heddle/epoch.h"
#include "heddle/fdb.h"
#include "heddle/policy.h"
#include "heddle/port.h"
#include "sync/fdb.h"
#include "sync/grace.h"

#define BATCH 4096

static const struct {
	enum hd_map_id map;
	bool is_array;
} homes[HD_TABLE_COUNT] = {
	[HD_TABLE_RULES] = { HD_MAP_RULES, false },
	[HD_TABLE_SHAPES] = { HD_MAP_SHAPES, false },
	[HD_TABLE_FW_RULES] = { HD_MAP_FW_RULES, false },
	[HD_TABLE_FW_SHAPES] = { HD_MAP_FW_SHAPES, false },
	[HD_TABLE_MEMBERS] = { HD_MAP_MEMBERS, false },
	[HD_TABLE_SOURCES] = { HD_MAP_SOURCES, false },
	[HD_TABLE_GATEWAYS] = { HD_MAP_GATEWAYS, false },
	[HD_TABLE_HOPS] = { HD_MAP_HOPS, false },
	[HD_TABLE_ROUTES] = { HD_MAP_ROUTES, false },
	[HD_TABLE_FIPS] = { HD_MAP_FIPS, false },
	[HD_TABLE_FIPS6] = { HD_MAP_FIPS6, false },
	[HD_TABLE_FORWARDS] = { HD_MAP_FORWARDS, false },
	[HD_TABLE_FORWARDS6] = { HD_MAP_FORWARDS6, false },
	[HD_TABLE_OUTSIDES6] = { HD_MAP_OUTSIDES6, false },
	[HD_TABLE_NETWORKS] = { HD_MAP_NETWORKS, true },
	[HD_TABLE_TRUNKS] = { HD_MAP_TRUNKS, false },
	[HD_TABLE_LIMITS] = { HD_MAP_LIMITS, false },
	[HD_TABLE_PORTS] = { HD_MAP_PORTS, true },
	[HD_TABLE_ENDS] = { HD_MAP_ENDS, true },
	[HD_TABLE_PEER_NETS] = { HD_MAP_PEER_NETS, false },
	[HD_TABLE_PEERS] = { HD_MAP_PEERS, false },
	[HD_TABLE_TUNNELS] = { HD_MAP_TUNNELS, false },
	[HD_TABLE_TUNNEL_PORTS] = { HD_MAP_TUNNEL_PORTS, true },
	[HD_TABLE_LEGS] = { HD_MAP_LEGS, false },
	[HD_TABLE_FDB] = { HD_MAP_FDB, false },
	[HD_TABLE_NEIGH] = { HD_MAP_NEIGH, false },
	[HD_TABLE_IFINDEX_FAR] = { HD_MAP_IFINDEX_FAR, false },
	[HD_TABLE_IFINDEX] = { HD_MAP_IFINDEX, true },
};

static bool is_zero(const uint8_t *bytes, size_t len)
{
	return !len || (!bytes[0] && !memcmp(bytes, bytes + 1, len - 1));
}

/* An array has all its entries all the time: zero means absent. Of the FDB only what is static is the configuration's. */
static bool is_ours(enum hd_table_id id, const void *value, size_t size)
{
	struct hd_fdb_value fdb;

	if (homes[id].is_array)
		return !is_zero(value, size);
	if (id != HD_TABLE_FDB)
		return true;
	memcpy(&fdb, value, sizeof(fdb));
	return fdb.flags & HD_FDB_STATIC;
}

struct reading {
	enum hd_table_id id;
	struct hd_table *table;
};

static int read_row(void *arg, const void *key, const void *value)
{
	const struct reading *reading = arg;

	if (!is_ours(reading->id, value, reading->table->value_size))
		return 0;
	return hd_table_add(reading->table, key, value);
}

int hd_map_walk(int fd, size_t key_size, size_t value_size, hd_map_row_fn fn, void *arg)
{
	_free_ uint8_t *keys = malloc(BATCH * key_size);
	_free_ uint8_t *values = malloc(BATCH * value_size);
	uint8_t token[64];
	void *from = NULL;

	if (!keys || !values)
		return -ENOMEM;
	for (;;) {
		uint32_t n = BATCH;
		int end = bpf_map_lookup_batch(fd, from, token, keys, values, &n, NULL) < 0 ? errno
											    : 0;

		if (end && end != ENOENT)
			return -end;
		for (uint32_t i = 0; i < n; i++) {
			int r = fn(arg, keys + i * key_size, values + i * value_size);

			if (r)
				return r;
		}
		if (end)
			return 0;
		from = token;
	}
}

int hd_tables_read(const struct hd_datapath *dp, struct hd_tables *ret, struct hd_error *err)
{
	for (int id = 0; id < HD_TABLE_COUNT; id++) {
		struct reading reading = { .id = id, .table = &ret->table[id] };
		int r = hd_map_walk(dp->maps[homes[id].map], reading.table->key_size,
				    reading.table->value_size, read_row, &reading);

		if (r < 0)
			return hd_error_set(err, HD_ERR_FAILED, "table %s: can't read it: %s",
					    hd_table_names[id], strerror(-r));
		hd_table_sort(reading.table);
	}
	return 0;
}

/* One table being written. */
struct writing {
	const struct hd_datapath *dp;
	enum hd_table_id id;
	struct hd_error *err;
	struct batch *batch;
};

/* Rows that wait to be written in one call: a third of the time of one call for each. */
struct batch {
	uint8_t *keys;
	uint8_t *values;
	size_t key_size;
	size_t value_size;
	uint32_t n;
};

static int write_failed(const struct writing *w, int r)
{
	const char *name = hd_table_names[w->id];
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	if (r != -E2BIG)
		return hd_error_set(w->err, HD_ERR_FAILED, "table %s: can't write: %s", name,
				    strerror(-r));
	(void)bpf_obj_get_info_by_fd(w->dp->maps[homes[w->id].map], &info,
				     &len); /* else it says 0 */
	hd_error_set(w->err, HD_ERR_FAILED, "table %s is full: %u entries", name, info.max_entries);
	hd_error_hint(w->err, "see 'heddle status'; table-sizes in heddled.conf changes it");
	return -ENOSPC;
}

/* A port's number was used before: its counters start again. */
static void clear_port(const struct hd_datapath *dp, uint32_t id)
{
	_free_ void *zero = calloc((size_t)libbpf_num_possible_cpus(), sizeof(struct hd_counters));

	if (zero)
		(void)bpf_map_update_elem(dp->maps[HD_MAP_PORT_COUNTERS], &id, zero, BPF_ANY);
	if (dp->states)
		dp->states[id] = (struct hd_port_state){ 0 };
}

/* What the datapath remembers of these tables is not so any more. */
static void new_epoch(const struct hd_datapath *dp, enum hd_table_id id)
{
	if (!dp->epoch)
		return;
	if (id == HD_TABLE_PEERS || id == HD_TABLE_TUNNELS)
		__atomic_fetch_add(&dp->epoch->underlay, 1, __ATOMIC_RELEASE);
	if (id == HD_TABLE_FDB)
		__atomic_fetch_add(&dp->epoch->fdb, 1, __ATOMIC_RELEASE);
}

static int put_row(int fd, const void *key, const void *value)
{
	return bpf_map_update_elem(fd, key, value, BPF_ANY) < 0 ? -errno : 0;
}

static int write_row(void *arg, enum hd_table_op op, const void *key, const void *value)
{
	const struct writing *w = arg;
	int fd = w->dp->maps[homes[w->id].map];
	uint8_t zero[64] = { 0 };
	uint32_t port;
	int r;

	if (w->id == HD_TABLE_PORTS && op == HD_TABLE_ADD) {
		memcpy(&port, key, sizeof(port));
		clear_port(w->dp, port);
	}
	if (w->id == HD_TABLE_FDB && op == HD_TABLE_ADD)
		hd_fdb_forget(w->dp, key);
	if (op == HD_TABLE_DEL && !homes[w->id].is_array)
		r = bpf_map_delete_elem(fd, key) < 0 && errno != ENOENT ? -errno : 0;
	else
		r = put_row(fd, key, value ? value : zero);
	if (r == -E2BIG && w->id == HD_TABLE_FDB && hd_fdb_make_room(w->dp))
		r = put_row(fd, key, value); /* what was configured comes before what was learned */
	new_epoch(w->dp, w->id);
	return r < 0 ? write_failed(w, r) : 0;
}

static int flush(const struct writing *w)
{
	struct batch *b = w->batch;
	uint32_t n = b->n;

	if (!n)
		return 0;
	b->n = 0;
	if (bpf_map_update_batch(w->dp->maps[homes[w->id].map], b->keys, b->values, &n, NULL) < 0)
		return write_failed(w, -errno);
	return 0;
}

static int collect_row(void *arg, enum hd_table_op op, const void *key, const void *value)
{
	const struct writing *w = arg;
	struct batch *b = w->batch;

	(void)op;
	memcpy(b->keys + b->n * b->key_size, key, b->key_size);
	memcpy(b->values + b->n * b->value_size, value, b->value_size);
	return ++b->n == BATCH ? flush(w) : 0;
}

/* New rows of tables that have nothing to do with each row but write it. */
static int add_in_batches(struct writing *w, const struct hd_table *from, const struct hd_table *to)
{
	_free_ uint8_t *keys = malloc(BATCH * to->key_size);
	_free_ uint8_t *values = malloc(BATCH * to->value_size);
	struct batch batch = { .keys = keys,
			       .values = values,
			       .key_size = to->key_size,
			       .value_size = to->value_size };
	int r;

	if (!keys || !values)
		return hd_error_set(w->err, HD_ERR_FAILED, "no memory");
	w->batch = &batch;
	r = hd_table_diff(from, to, HD_TABLE_ADD, collect_row, w);
	if (r >= 0)
		r = flush(w);
	w->batch = NULL;
	return r;
}

static bool is_simple(enum hd_table_id id)
{
	return id == HD_TABLE_RULES || id == HD_TABLE_SHAPES || id == HD_TABLE_FW_RULES ||
	       id == HD_TABLE_FW_SHAPES || id == HD_TABLE_MEMBERS || id == HD_TABLE_NEIGH;
}

int hd_tables_write(const struct hd_datapath *dp, const struct hd_tables *from,
		    const struct hd_tables *to, enum hd_table_op op, struct hd_error *err)
{
	for (int i = 0; i < HD_TABLE_COUNT; i++) {
		enum hd_table_id id = op == HD_TABLE_DEL ? HD_TABLE_COUNT - 1 - i : i;
		struct writing w = { .dp = dp, .id = id, .err = err };
		int r = op == HD_TABLE_ADD && is_simple(id)
				? add_in_batches(&w, &from->table[id], &to->table[id])
				: hd_table_diff(&from->table[id], &to->table[id], op, write_row,
						&w);

		if (r < 0)
			return r;
	}
	return 0;
}

int hd_tables_put(const struct hd_datapath *dp, const struct hd_tables *rows,
		  struct hd_tables *current, enum hd_table_id id, struct hd_error *err)
{
	const struct hd_table *table = &rows->table[id];
	struct writing w = { .dp = dp, .id = id, .err = err };

	for (size_t i = 0; i < table->n; i++) {
		const void *key = hd_table_key(table, i), *value = hd_table_value(table, i);
		int r = put_row(dp->maps[homes[id].map], key, value);

		if (r < 0)
			return write_failed(&w, r);
		memcpy(hd_table_find(&current->table[id], key), value, table->value_size);
	}
	return 0;
}

/* @to: what will be there, to see which policies stay */
struct pruning {
	struct writing w;
	const struct hd_tables *to;
};

static int prune_row(void *arg, enum hd_table_op op, const void *key, const void *value)
{
	struct pruning *pruning = arg;
	struct hd_rule_key rule;

	memcpy(&rule, key, sizeof(rule));
	if (!hd_table_find(&pruning->to->table[HD_TABLE_SHAPES], &rule.policy))
		return 0;
	return write_row(&pruning->w, op, key, value);
}

static int stop_at_first(void *arg, enum hd_table_op op, const void *key, const void *value)
{
	(void)arg;
	(void)op;
	(void)key;
	(void)value;
	return 1;
}

static bool any_row(const struct hd_tables *from, const struct hd_tables *to, enum hd_table_id id,
		    enum hd_table_op op)
{
	return hd_table_diff(&from->table[id], &to->table[id], op, stop_at_first, NULL) > 0;
}

void hd_tables_wait(const struct hd_tables *from, const struct hd_tables *to)
{
	if (any_row(from, to, HD_TABLE_FW_RULES, HD_TABLE_DEL))
		hd_grace_wait();
}

/*
 * A packet in the middle of asking may still go by the old shapes. Where other rows take the place of those that it would find, they are
 * left until it is through: both configurations may allow it. A rule that only comes, or only goes, needs no such wait.
 */
static bool must_wait(const struct hd_tables *from, const struct hd_tables *to)
{
	return any_row(from, to, HD_TABLE_SHAPES, HD_TABLE_SET) &&
	       any_row(from, to, HD_TABLE_RULES, HD_TABLE_ADD) &&
	       any_row(from, to, HD_TABLE_RULES, HD_TABLE_DEL);
}

int hd_tables_prune_rules(const struct hd_datapath *dp, const struct hd_tables *from,
			  const struct hd_tables *to, struct hd_error *err)
{
	struct pruning pruning = { .w = { .dp = dp, .id = HD_TABLE_RULES, .err = err }, .to = to };
	struct writing shapes = { .dp = dp, .id = HD_TABLE_SHAPES, .err = err };
	int r;

	/* The new rows are all there: from now on they are looked for, before any old one goes. */
	r = hd_table_diff(&from->table[HD_TABLE_SHAPES], &to->table[HD_TABLE_SHAPES], HD_TABLE_SET,
			  write_row, &shapes);
	if (r < 0)
		return r;
	if (must_wait(from, to))
		hd_grace_wait();
	return hd_table_diff(&from->table[HD_TABLE_RULES], &to->table[HD_TABLE_RULES], HD_TABLE_DEL,
			     prune_row, &pruning);
}
