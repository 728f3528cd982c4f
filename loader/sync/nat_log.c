// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* nat_log.c - which inside address had which ports of which external address, and when */
#include "sync/nat_log.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "heddle/nat.h"
#include "sync/fdb.h"
#include "sync/nat.h"
#include "sync/nat_name.h"

/* A block that the log says is somebody's. @router: its name, which a router that has gone has no more; @inside, @outside: addresses, likewise. @seen: by the comparison under way */
struct said {
	struct said_key {
		struct hd_nat_user_key user;
		uint32_t block;
		__be32 addr;
	} key;
	char router[64];
	char inside[64];
	char outside[64];
	bool seen;
	UT_hash_handle hh;
};

/* @model: while events or rows are being looked at. @state: of the model that was compared last */
struct hd_nat_log {
	const struct hd_datapath *dp;
	struct ring_buffer *ring;
	hd_nat_log_fn fn;
	void *arg;
	const struct hd_model *model;
	struct said *said;
	uint32_t state;
};

static int take_event(void *arg, void *data, size_t size);

int hd_nat_log_open(const struct hd_datapath *dp, hd_nat_log_fn fn, void *arg,
		    struct hd_nat_log **ret)
{
	struct hd_nat_log *log = calloc(1, sizeof(*log));

	if (!log)
		return -ENOMEM;
	log->dp = dp;
	log->fn = fn;
	log->arg = arg;
	log->ring = ring_buffer__new(dp->maps[HD_MAP_NAT_LOG], take_event, log, NULL);
	if (!log->ring) {
		int r = -errno;

		free(log);
		return r;
	}
	*ret = log;
	return 0;
}

static void forget(struct hd_nat_log *log, struct said *said)
{
	HASH_DEL(log->said, said);
	free(said);
}

void hd_nat_log_close(struct hd_nat_log *log)
{
	if (!log)
		return;
	while (log->said)
		forget(log, log->said);
	ring_buffer__free(log->ring);
	free(log);
}

int hd_nat_log_fd(const struct hd_nat_log *log)
{
	return ring_buffer__epoll_fd(log->ring);
}

/* ---- lines ---- */

/* @ago: seconds; told when the line is not of this moment */
static void say(const struct hd_nat_log *log, const struct said *said, const char *what,
		uint32_t ago)
{
	char line[320], late[32] = "";
	uint32_t first = said->key.block * HD_NAT_BLOCK_PORTS;

	if (ago > 1)
		(void)snprintf(late, sizeof(late), " ago=%us", ago);
	(void)snprintf(line, sizeof(line),
		       "nat-log: %s router=%s inside=%s outside=%s ports=%u-%u%s", what,
		       said->router, said->inside, said->outside, first,
		       first + HD_NAT_BLOCK_PORTS - 1, late);
	log->fn(log->arg, line);
}

static bool is_logged(const struct hd_object *router)
{
	return router && router->view.router.gateway.nat_log;
}

/* As people call them; a name may be another's by the time that the block is returned. */
static void name_ends(const struct hd_nat_log *log, struct said *said,
		      const struct hd_object *router)
{
	struct hd_ip inside = hd_nat_inside_ip(log->dp, &said->key.user), outside;
	struct hd_nat_pool_key pool = { 0 };

	(void)hd_nat_pool_of(log->dp, router, hd_nat_family(said->key.addr), &pool);
	outside = hd_nat_outside_ip(log->dp, pool.zone, said->key.addr);
	hd_ip_format(&inside, said->inside);
	hd_ip_format(&outside, said->outside);
}

/* A block that is somebody's now, said if it has not been. */
static struct said *note(struct hd_nat_log *log, const struct said_key *key, const char *what,
			 uint32_t ago)
{
	const struct hd_object *router =
		hd_model_get_id(log->model, HD_NOUN_ROUTER, key->user.router);
	struct said *said;

	if (!is_logged(router))
		return NULL;
	HASH_FIND(hh, log->said, key, sizeof(*key), said);
	if (said)
		return said;
	said = calloc(1, sizeof(*said));
	if (!said)
		return NULL; /* the next comparison says it */
	said->key = *key;
	(void)snprintf(said->router, sizeof(said->router), "%s", router->name);
	name_ends(log, said, router);
	HASH_ADD(hh, log->said, key, sizeof(said->key), said);
	say(log, said, what, ago);
	return said;
}

/* ---- what the datapath tells ---- */

static int take_event(void *arg, void *data, size_t size)
{
	struct hd_nat_log *log = arg;
	struct hd_nat_event event;
	struct said_key key;

	if (size < sizeof(event))
		return 0;
	memcpy(&event, data, sizeof(event));
	key = (struct said_key){ .user = event.user, .block = event.block, .addr = event.addr };
	(void)note(log, &key, "allocated", (hd_datapath_now(log->dp) - event.at) / log->dp->hz);
	return 0;
}

static void read_ring(struct hd_nat_log *log, const struct hd_model *model)
{
	log->model = model;
	(void)ring_buffer__consume(log->ring);
	log->model = NULL;
}

/* How many events have been lost since it was told last. */
static uint32_t lost(const struct hd_nat_log *log)
{
	int fd = log->dp->maps[HD_MAP_NAT_LOST];
	uint32_t all = 0, told = 0, key = HD_NAT_LOST, other = HD_NAT_LOST_TOLD;

	(void)bpf_map_lookup_elem(fd, &key, &all);
	(void)bpf_map_lookup_elem(fd, &other, &told);
	if (all != told)
		(void)bpf_map_update_elem(fd, &other, &all, BPF_ANY);
	return all - told;
}

void hd_nat_log_read(struct hd_nat_log *log, const struct hd_model *model)
{
	uint32_t n;

	read_ring(log, model);
	n = lost(log);
	if (n) {
		char line[128];

		(void)snprintf(line, sizeof(line),
			       "nat-log: lost events=%u: what is still in use of them follows", n);
		log->fn(log->arg, line);
		hd_nat_log_compare(log, model);
	}
}

/* ---- what the tables hold ---- */

static int look_at_user(void *arg, const void *key, const void *value)
{
	struct hd_nat_log *log = arg;
	struct hd_nat_user user;
	struct said_key of = { .block = 0 };

	memcpy(&of.user, key, sizeof(of.user));
	memcpy(&user, value, sizeof(user));
	for (int i = 0; i < HD_NAT_USER_BLOCKS; i++) {
		struct said *said;

		of.block = user.block[i].block;
		of.addr = user.block[i].addr;
		said = of.block ? note(log, &of, "held", 0) : NULL;
		if (said)
			said->seen = true;
	}
	return 0;
}

/* Whether a router goes on without a log. */
static bool is_silent(const struct hd_nat_log *log, uint32_t id)
{
	const struct hd_object *router = hd_model_get_id(log->model, HD_NOUN_ROUTER, id);

	return router && !is_logged(router) && hd_nat_translates(log->dp, router);
}

/* What was not seen has been returned. */
static void sweep(struct hd_nat_log *log)
{
	struct said *said, *next;

	HASH_ITER(hh, log->said, said, next) {
		if (said->seen) {
			said->seen = false;
			continue;
		}
		if (!is_silent(log, said->key.user.router))
			say(log, said, "returned", 0);
		forget(log, said);
	}
}

static bool any_logged(const struct hd_model *model)
{
	hd_model_each(model, HD_NOUN_ROUTER, router)
		if (is_logged(router))
			return true;
	return false;
}

void hd_nat_log_compare(struct hd_nat_log *log, const struct hd_model *model)
{
	if (!log->said && !any_logged(model))
		return;
	read_ring(log, model);
	log->model = model;
	/* What can't be read completely could look returned. */
	if (hd_map_walk(log->dp->maps[HD_MAP_NAT_USERS], sizeof(struct hd_nat_user_key),
			sizeof(struct hd_nat_user), look_at_user, log) == 0)
		sweep(log);
	log->model = NULL;
}

void hd_nat_log_follow(struct hd_nat_log *log, const struct hd_model *model)
{
	uint32_t state = hd_nat_state(log->dp, model);

	hd_model_each(model, HD_NOUN_ROUTER, router)
		if (is_logged(router))
			state += (router->id + 1) * 0xc2b2ae35u;
	if (state == log->state)
		return;
	log->state = state;
	hd_nat_log_compare(log, model);
}
