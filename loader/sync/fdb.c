// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* fdb.c - the daemon's side of learning */
#include "sync/fdb.h"

#include <bpf/bpf.h>
#include <string.h>

#include "compile/table.h"
#include "heddle/port.h"

/*
 * A walk that removes what a judge condemns. The map is not changed while its batches are read: deleting moves the position of a batch.
 */
struct purge {
	const struct hd_datapath *dp;
	bool (*condemns)(const struct purge *purge, const struct hd_fdb_key *key,
			 const struct hd_fdb_value *value);
	const struct hd_model *model;
	uint32_t now;
	uint32_t network;
	uint32_t port;
	struct hd_table doomed;
};

/* Takes one off a port's count, never below zero; the datapath counts at the same time. */
static void release(const struct hd_datapath *dp, uint32_t port)
{
	uint32_t *count, learned;

	if (port >= dp->limits.ports)
		return;
	count = &dp->states[port].learned;
	learned = __atomic_load_n(count, __ATOMIC_RELAXED);
	while (learned && !__atomic_compare_exchange_n(count, &learned, learned - 1, false,
						       __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

bool hd_fdb_forget(const struct hd_datapath *dp, const struct hd_fdb_key *key)
{
	int fd = dp->maps[HD_MAP_FDB];
	struct hd_fdb_value value;

	if (bpf_map_lookup_elem(fd, key, &value) < 0 || (value.flags & HD_FDB_STATIC))
		return false;
	/* The owner as it is at the moment of removal: the datapath may have moved the entry since. */
	if (bpf_map_lookup_and_delete_elem(fd, key, &value) < 0)
		return false;
	release(dp, value.port);
	return true;
}

uint32_t hd_fdb_age(const struct hd_datapath *dp, const struct hd_fdb_value *value, uint32_t now)
{
	int32_t jiffies = (int32_t)(now - (uint32_t)value->seen);

	return jiffies < 0 ? 0 : (uint32_t)jiffies / dp->hz; /* heard after we asked for the time */
}

bool hd_fdb_is_old(const struct hd_datapath *dp, const struct hd_network *network,
		   const struct hd_fdb_value *value, uint32_t now)
{
	int32_t jiffies = (int32_t)(now - (uint32_t)value->seen);

	if (!network->ageing_s || (value->flags & HD_FDB_STATIC) || jiffies < 0)
		return false;
	return (uint32_t)jiffies > hd_network_ageing(network, dp->hz);
}

static bool condemns_stale(const struct purge *p, const struct hd_fdb_key *key,
			   const struct hd_fdb_value *value)
{
	const struct hd_object *network = hd_model_get_id(p->model, HD_NOUN_NETWORK, key->network);

	if (!network || !hd_model_has_member(p->model, network, value->port))
		return true;
	return hd_fdb_is_old(p->dp, &network->view.network, value, p->now);
}

static bool condemns_matching(const struct purge *p, const struct hd_fdb_key *key,
			      const struct hd_fdb_value *value)
{
	return (!p->network || p->network == key->network) && (!p->port || p->port == value->port);
}

#define ROOM 1024

static bool condemns_some(const struct purge *p, const struct hd_fdb_key *key,
			  const struct hd_fdb_value *value)
{
	(void)key, (void)value;
	return p->doomed.n < ROOM;
}

static int judge(void *arg, const void *key, const void *value)
{
	struct purge *purge = arg;
	struct hd_fdb_value entry;
	struct hd_fdb_key where;

	memcpy(&where, key, sizeof(where));
	memcpy(&entry, value, sizeof(entry));
	if ((entry.flags & HD_FDB_STATIC) || !purge->condemns(purge, &where, &entry))
		return 0;
	return hd_table_add(&purge->doomed, &where, "");
}

static unsigned int purge_run(struct purge *purge)
{
	unsigned int n = 0;

	hd_table_init(&purge->doomed, sizeof(struct hd_fdb_key), 0);
	(void)hd_map_walk(purge->dp->maps[HD_MAP_FDB], sizeof(struct hd_fdb_key),
			  sizeof(struct hd_fdb_value), judge,
			  purge); /* what could not be read now is read by the next sweep */
	for (size_t i = 0; i < purge->doomed.n; i++)
		n += hd_fdb_forget(purge->dp, hd_table_key(&purge->doomed, i));
	hd_table_done(&purge->doomed);
	return n;
}

unsigned int hd_fdb_sweep(const struct hd_datapath *dp, const struct hd_model *model)
{
	struct purge purge = {
		.dp = dp, .condemns = condemns_stale, .model = model, .now = hd_datapath_now(dp)
	};

	return purge_run(&purge);
}

unsigned int hd_fdb_flush(const struct hd_datapath *dp, uint32_t network, uint32_t port)
{
	struct purge purge = {
		.dp = dp, .condemns = condemns_matching, .network = network, .port = port
	};

	return purge_run(&purge);
}

unsigned int hd_fdb_make_room(const struct hd_datapath *dp)
{
	struct purge purge = { .dp = dp, .condemns = condemns_some };

	return purge_run(&purge);
}
