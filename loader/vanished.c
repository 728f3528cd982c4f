// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* vanished.c - ports of containers that went without a word */
#include "vanished.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "change.h"
#include "cleanup.h"
#include "log.h"
#include "sandbox.h"

/* What heddle-cni writes into "owner" begins with this; behind the last '/' is the mark. */
#define OWNER_PREFIX "cni:"
#define OWNER_SLASHES 4

/** struct dead - a port whose namespace is gone; @since: when this was seen first, seconds; @seen: in this look, too */
struct dead {
	char name[64];
	int64_t since_s;
	bool seen;
	UT_hash_handle hh;
};

struct hd_vanished {
	struct dead *dead;
};

/** struct look - one of them; @next_s: see hd_vanished_look() */
struct look {
	struct hd_vanished *vanished;
	const struct hd_daemon *daemon;
	struct hd_sandbox_host host;
	int64_t now_s;
	uint32_t next_s;
};

struct hd_vanished *hd_vanished_new(void)
{
	return calloc(1, sizeof(struct hd_vanished));
}

static void forget(struct hd_vanished *vanished, struct dead *dead)
{
	HASH_DEL(vanished->dead, dead);
	free(dead);
}

void hd_vanished_free(struct hd_vanished *vanished)
{
	while (vanished && vanished->dead)
		forget(vanished, vanished->dead);
	free(vanished);
}

/* The mark of a port whose device has gone; NULL if that is no container's, or is there. */
static const char *mark_of(const struct hd_daemon *daemon, const struct hd_object *port)
{
	const char *owner = json_string_value(json_object_get(port->spec, "owner"));
	int slashes = 0;

	if (!port->view.port.once || !owner ||
	    strncmp(owner, OWNER_PREFIX, strlen(OWNER_PREFIX)) != 0 ||
	    hd_sync_port(daemon->sync, port).ifindex)
		return NULL;
	for (; *owner && slashes < OWNER_SLASHES; owner++)
		slashes += *owner == '/';
	return owner;
}

static void look_again_in(struct look *look, uint32_t seconds)
{
	if (!look->next_s || seconds < look->next_s)
		look->next_s = seconds;
}

/* Without memory for it nothing is removed this time. */
static struct dead *remember(struct look *look, const struct hd_object *port)
{
	struct dead *dead;

	HASH_FIND_STR(look->vanished->dead, port->name, dead);
	if (dead)
		return dead;
	dead = calloc(1, sizeof(*dead));
	if (!dead)
		return NULL;
	(void)snprintf(dead->name, sizeof(dead->name), "%s", port->name);
	dead->since_s = look->now_s;
	HASH_ADD_STR(look->vanished->dead, name, dead);
	return dead;
}

/* Whether it is to go now. */
static bool is_due(struct look *look, const struct hd_object *port)
{
	uint32_t patience = look->daemon->config.vanished_s;
	const char *mark = mark_of(look->daemon, port);
	struct dead *dead;
	int64_t age;

	if (!mark)
		return false;
	switch (hd_sandbox_look(&look->host, mark)) {
	case HD_SANDBOX_UNKNOWN:
		return false;
	case HD_SANDBOX_THERE:
		look_again_in(look, patience);
		return false;
	case HD_SANDBOX_GONE:
		break;
	}
	dead = remember(look, port);
	if (!dead)
		return false;
	dead->seen = true;
	age = look->now_s - dead->since_s;
	if (age >= patience)
		return true;
	look_again_in(look, patience - (uint32_t)age);
	return false;
}

static void forget_unseen(struct hd_vanished *vanished)
{
	struct dead *dead, *next;

	HASH_ITER(hh, vanished->dead, dead, next) {
		if (!dead->seen)
			forget(vanished, dead);
		else
			dead->seen = false;
	}
}

/* All in one change: after the start of a machine there may be many. NULL if there is nothing to do. */
static struct hd_model *without_due(struct look *look)
{
	struct hd_model *candidate = NULL;

	hd_model_each(look->daemon->model, HD_NOUN_PORT, port) {
		if (!is_due(look, port))
			continue;
		if (!candidate)
			candidate = hd_model_copy(look->daemon->model);
		if (!candidate)
			break;
		log_info("port %s: the namespace of its container is gone", port->name);
		hd_model_del_cascade(candidate, port->name);
	}
	return candidate;
}

uint32_t hd_vanished_look(struct hd_vanished *vanished, struct hd_daemon *daemon)
{
	struct look look = { .vanished = vanished, .daemon = daemon };
	struct hd_model *candidate;
	_json_ json_t *changes = NULL;
	struct hd_error err = { 0 };
	struct timespec now;

	if (!daemon->config.vanished_s)
		return 0;
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	look.now_s = now.tv_sec;
	hd_sandbox_open(&look.host);
	candidate = without_due(&look);
	hd_sandbox_close(&look.host);
	forget_unseen(vanished);
	if (candidate && hd_change_commit(daemon, candidate, false, &changes, &err) < 0) {
		(void)log_err(0, "ports of containers that are gone can't be removed: %s",
			      err.message);
		look_again_in(&look, daemon->config.vanished_s);
	}
	return look.next_s;
}
