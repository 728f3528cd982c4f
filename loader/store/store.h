/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * store.h - where the desired state lives
 *
 * One row for each configured object, and one for each rule of a security group: noun, name, the number by which the datapath
 * knows it, and its options as JSON.
 * Behind this interface is an SQLite file in WAL mode with a schema version and migrations; a database that is newer than this
 * program is refused. A store shared by several hosts will implement the same calls.
 */
#pragma once

#include <stdint.h>

#include "heddlectl/error.h"

struct hd_store;

/* Noun of the rows that hold the number of a network's leg in its physical network, by the network's name. Comes before the networks. */
#define HD_STORE_LEG "leg"

/* Noun of the rows of rules: their groups may have 100,000. Comes before the groups. The name is GROUP/NUMBER. */
#define HD_STORE_RULE "rule"
#define HD_STORE_RULE_NAME (64 + 12)

/**
 * hd_store_open - open or create the database and bring it to the current schema
 * @path: file; its folder exists
 * @ret:  new store, untouched on failure
 * @err:  names the file and the cause (newer schema, corrupt, no space, locked by another daemon)
 *
 * The file is created with mode 0600 and held with an exclusive lock while the store is open.
 * Return: 0 or -errno.
 */
int hd_store_open(const char *path, struct hd_store **ret, struct hd_error *err);

/** hd_store_close - finish and free; NULL is fine */
void hd_store_close(struct hd_store *store);

/** hd_store_row_fn - called for each row by hd_store_load(); a non-zero return stops and is returned */
typedef int (*hd_store_row_fn)(void *arg, const char *noun, const char *name, uint32_t id,
			       const char *spec);

/** hd_store_load - hand out every row, ordered by noun and name */
int hd_store_load(struct hd_store *store, hd_store_row_fn fn, void *arg, struct hd_error *err);

/*
 * A transaction: begin, any number of put and del, then commit or rollback. Outside a transaction put and del are refused with
 * -EINVAL. After a failed commit nothing of it is stored and the transaction is over.
 */
int hd_store_begin(struct hd_store *store, struct hd_error *err);
int hd_store_commit(struct hd_store *store, struct hd_error *err);
void hd_store_rollback(struct hd_store *store);

/** hd_store_put - add or replace one row; @spec is JSON text */
int hd_store_put(struct hd_store *store, const char *noun, const char *name, uint32_t id,
		 const char *spec, struct hd_error *err);

/** hd_store_has - 1 if there is such a row, 0 if not, or -errno */
int hd_store_has(struct hd_store *store, const char *noun, const char *name, struct hd_error *err);

/** hd_store_del - remove one row; no error when it is not there */
int hd_store_del(struct hd_store *store, const char *noun, const char *name, struct hd_error *err);
