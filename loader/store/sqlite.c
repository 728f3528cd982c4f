// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sqlite.c - the store as an SQLite file
 *
 * WAL with synchronous=FULL: a commit appends to the log and syncs it once. NORMAL would not sync
 * at all and lose the last changes when the power goes, although their callers were told that they
 * are done. The sync was measured at 0.1 to 2 ms on disks of today, which the 10 ms of a CNI call
 * can bear; a wrong answer would be there for good.
 *
 * The exclusive lock does double duty: a second daemon on the same file is refused, and SQLite
 * keeps the index of its log in memory instead of a third file.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#include "cleanup.h"

/* migrations[N] takes the schema from version N to N + 1. They are history: only ever append. */
static const char *const migrations[] = {
	"CREATE TABLE object ("
	"	noun TEXT NOT NULL,"
	"	name TEXT NOT NULL,"
	"	id INTEGER NOT NULL,"
	"	spec TEXT NOT NULL,"
	"	PRIMARY KEY (noun, name)"
	") STRICT, WITHOUT ROWID",
};

enum { SCHEMA_VERSION = sizeof(migrations) / sizeof(migrations[0]) };

enum statement { LOAD, BEGIN, COMMIT, ROLLBACK, PUT, HAS, DEL, N_STATEMENTS };

static const char *const sql[N_STATEMENTS] = {
	[LOAD] = "SELECT noun, name, id, spec FROM object ORDER BY noun, name",
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[PUT] = "INSERT OR REPLACE INTO object (noun, name, id, spec) VALUES (?, ?, ?, ?)",
	[HAS] = "SELECT 1 FROM object WHERE noun = ? AND name = ?",
	[DEL] = "DELETE FROM object WHERE noun = ? AND name = ?",
};

struct hd_store {
	sqlite3 *db;
	sqlite3_stmt *statements[N_STATEMENTS];
	char *path; /* for messages */
};

static int create_file(const char *path, struct hd_error *err);
static int configure(struct hd_store *store, struct hd_error *err);
static int migrate(struct hd_store *store, struct hd_error *err);
static int prepare(struct hd_store *store, struct hd_error *err);
static int run(struct hd_store *store, sqlite3_stmt *stmt, struct hd_error *err);
static int fail(const struct hd_store *store, struct hd_error *err);
static int require_transaction(const struct hd_store *store, bool wanted, struct hd_error *err);

static void store_closep(struct hd_store **store)
{
	hd_store_close(*store);
}

int hd_store_open(const char *path, struct hd_store **ret, struct hd_error *err)
{
	CLEANUP(store_closep) struct hd_store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	store->path = strdup(path);
	if (!store->path)
		return -ENOMEM;
	r = create_file(path, err);
	if (r < 0)
		return r;
	if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		return fail(store, err);
	r = configure(store, err);
	if (r == 0)
		r = migrate(store, err);
	if (r == 0)
		r = prepare(store, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(store);
	return 0;
}

void hd_store_close(struct hd_store *store)
{
	if (!store)
		return;
	for (int i = 0; i < N_STATEMENTS; i++)
		(void)sqlite3_finalize(
			store->statements[i]); /* repeats the error of its last use */
	(void)sqlite3_close(store->db);	       /* can't be busy: nothing is prepared now */
	free(store->path);
	free(store);
}

int hd_store_load(struct hd_store *store, hd_store_row_fn fn, void *arg, struct hd_error *err)
{
	sqlite3_stmt *stmt = store->statements[LOAD];
	int step, r = 0;

	while (r == 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW)
		r = fn(arg, (const char *)sqlite3_column_text(stmt, 0),
		       (const char *)sqlite3_column_text(stmt, 1),
		       (uint32_t)sqlite3_column_int64(stmt, 2),
		       (const char *)sqlite3_column_text(stmt, 3));
	if (r == 0 && step != SQLITE_DONE)
		r = fail(store, err);
	(void)sqlite3_reset(stmt); /* repeats the error of the step */
	return r;
}

int hd_store_begin(struct hd_store *store, struct hd_error *err)
{
	int r = require_transaction(store, false, err);

	return r < 0 ? r : run(store, store->statements[BEGIN], err);
}

int hd_store_commit(struct hd_store *store, struct hd_error *err)
{
	int r = require_transaction(store, true, err);

	if (r < 0)
		return r;
	r = run(store, store->statements[COMMIT], err);
	if (r < 0)
		hd_store_rollback(store);
	return r;
}

void hd_store_rollback(struct hd_store *store)
{
	/* SQLite has done it by itself after errors such as a full disk. */
	if (!sqlite3_get_autocommit(store->db))
		(void)run(store, store->statements[ROLLBACK], NULL); /* only memory is touched */
}

int hd_store_put(struct hd_store *store, const char *noun, const char *name, uint32_t id,
		 const char *spec, struct hd_error *err)
{
	sqlite3_stmt *stmt = store->statements[PUT];
	int r = require_transaction(store, true, err);

	if (r < 0)
		return r;
	if (sqlite3_bind_text(stmt, 1, noun, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 3, id) != SQLITE_OK ||
	    sqlite3_bind_text(stmt, 4, spec, -1, SQLITE_STATIC) != SQLITE_OK)
		return fail(store, err);
	return run(store, stmt, err);
}

int hd_store_has(struct hd_store *store, const char *noun, const char *name, struct hd_error *err)
{
	sqlite3_stmt *stmt = store->statements[HAS];
	int step, r;

	if (sqlite3_bind_text(stmt, 1, noun, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC) != SQLITE_OK)
		return fail(store, err);
	step = sqlite3_step(stmt);
	r = step == SQLITE_ROW ? 1 : step == SQLITE_DONE ? 0 : fail(store, err);
	(void)sqlite3_reset(stmt); /* repeats the error of the step */
	return r;
}

int hd_store_del(struct hd_store *store, const char *noun, const char *name, struct hd_error *err)
{
	sqlite3_stmt *stmt = store->statements[DEL];
	int r = require_transaction(store, true, err);

	if (r < 0)
		return r;
	if (sqlite3_bind_text(stmt, 1, noun, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC) != SQLITE_OK)
		return fail(store, err);
	return run(store, stmt, err);
}

/* SQLite would create the file by the umask; its log takes the mode of the file. */
static int create_file(const char *path, struct hd_error *err)
{
	_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int r = -errno;

	if (fd >= 0)
		return 0;
	hd_error_set(err, r == -EACCES || r == -EPERM ? HD_ERR_PERMISSION : HD_ERR_FAILED,
		     "store %s: %s", path, strerror(-r));
	return r;
}

/* The error that SQLite reported last, with what can be done about it. */
static int fail(const struct hd_store *store, struct hd_error *err)
{
	int code = sqlite3_errcode(store->db);
	enum hd_error_code kind = code == SQLITE_BUSY ? HD_ERR_CONFLICT : HD_ERR_FAILED;
	const char *hint = NULL;
	int r;

	switch (code) {
	case SQLITE_BUSY:
		hint = "another daemon runs on this file";
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		hint = "restore it from a backup, or move it away to begin with nothing";
		break;
	case SQLITE_FULL:
		hint = "make room on its file system";
		break;
	}
	r = hd_error_set(err, kind, "store %s: %s", store->path, sqlite3_errmsg(store->db));
	if (hint)
		hd_error_hint(err, "%s", hint);
	return code == SQLITE_NOMEM ? -ENOMEM : code == SQLITE_BUSY ? -EBUSY : r;
}

static int exec(struct hd_store *store, const char *text, struct hd_error *err)
{
	if (sqlite3_exec(store->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return fail(store, err);
	return 0;
}

static int run(struct hd_store *store, sqlite3_stmt *stmt, struct hd_error *err)
{
	int r = sqlite3_step(stmt) == SQLITE_DONE ? 0 : fail(store, err);

	(void)sqlite3_reset(stmt); /* repeats the error of the step */
	return r;
}

static int require_transaction(const struct hd_store *store, bool wanted, struct hd_error *err)
{
	bool active = !sqlite3_get_autocommit(store->db);

	if (active == wanted)
		return 0;
	hd_error_set(err, HD_ERR_FAILED, "store %s: %s", store->path,
		     wanted ? "no transaction has begun, or an error ended it"
			    : "a transaction is already under way");
	return -EINVAL;
}

/* locking_mode comes first: the lock is then taken when the log is opened, and there is no shared
 * memory file. */
static int configure(struct hd_store *store, struct hd_error *err)
{
	/* A daemon that was told to leave just now may still be closing; another that stays is an error. */
	(void)sqlite3_busy_timeout(store->db, 2000);
	return exec(store,
		    "PRAGMA locking_mode = EXCLUSIVE;"
		    "PRAGMA journal_mode = WAL;"
		    "PRAGMA synchronous = FULL;"
		    "PRAGMA trusted_schema = OFF;",
		    err);
}

/* First column of the first row as text, to be freed. */
static int query(struct hd_store *store, const char *text, char **ret, struct hd_error *err)
{
	sqlite3_stmt *stmt = NULL;
	char *value = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(store->db, text, -1, &stmt, NULL) != SQLITE_OK)
		return fail(store, err);
	if (sqlite3_step(stmt) != SQLITE_ROW)
		r = fail(store, err);
	else
		value = strdup((const char *)sqlite3_column_text(stmt, 0) ?: "");
	(void)sqlite3_finalize(stmt); /* repeats the error of the step */
	if (r < 0)
		return r;
	*ret = value;
	return value ? 0 : -ENOMEM;
}

/* Better no daemon than one that takes half of its objects for all of them and removes the rest. */
static int check_integrity(struct hd_store *store, struct hd_error *err)
{
	_free_ char *verdict = NULL;
	int r = query(store, "PRAGMA quick_check(1)", &verdict, err);

	if (r < 0 || !strcmp(verdict, "ok"))
		return r;
	r = hd_error_set(err, HD_ERR_FAILED, "store %s: corrupt: %s", store->path, verdict);
	hd_error_hint(err, "restore it from a backup, or move it away to begin with nothing");
	return r;
}

static int upgrade(struct hd_store *store, int version, struct hd_error *err)
{
	char set_version[48];
	int r = 0;

	for (; r == 0 && version < SCHEMA_VERSION; version++)
		r = exec(store, migrations[version], err);
	if (r < 0)
		return r;
	(void)snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %d",
		       SCHEMA_VERSION);
	return exec(store, set_version, err);
}

static int get_version(struct hd_store *store, int *ret, struct hd_error *err)
{
	_free_ char *text = NULL;
	int version, r = query(store, "PRAGMA user_version", &text, err);

	if (r < 0)
		return r;
	version = atoi(text);
	if (version >= 0 && version <= SCHEMA_VERSION) {
		*ret = version;
		return 0;
	}
	r = hd_error_set(err, HD_ERR_FAILED,
			 "store %s: schema %d is newer than what this program knows (%d)",
			 store->path, version, SCHEMA_VERSION);
	hd_error_hint(err, "install the heddle that wrote it, or a newer one");
	return r;
}

/* One transaction: a crash half-way leaves the old schema. Its lock is the one that is then kept.
 */
static int migrate(struct hd_store *store, struct hd_error *err)
{
	int version = 0, r;

	r = exec(store, "BEGIN EXCLUSIVE", err);
	if (r == 0)
		r = get_version(store, &version, err);
	if (r == 0)
		r = check_integrity(store, err);
	if (r == 0 && version < SCHEMA_VERSION)
		r = upgrade(store, version, err);
	return r < 0 ? r : exec(store, "COMMIT", err);
}

static int prepare(struct hd_store *store, struct hd_error *err)
{
	for (int i = 0; i < N_STATEMENTS; i++)
		if (sqlite3_prepare_v3(store->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &store->statements[i], NULL) != SQLITE_OK)
			return fail(store, err);
	return 0;
}
