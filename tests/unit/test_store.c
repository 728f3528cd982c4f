// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_store.c - what is committed is there, what is not is not; files that are not ours to use are
 * refused */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store.h"

struct fixture {
	char dir[64];
	char path[96];
	struct hd_store *store;
};

static struct hd_store *open_store(const char *path)
{
	struct hd_store *store = NULL;
	struct hd_error err;

	if (hd_store_open(path, &store, &err) < 0)
		print_error("%s\n", err.message);
	assert_non_null(store);
	return store;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/hd-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/state.db", f->dir);
	f->store = open_store(f->path);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	struct fixture *f = *state;
	char path[128];

	hd_store_close(f->store);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", f->path, suffixes[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static int append_row(void *arg, const char *noun, const char *name, uint32_t id, const char *spec)
{
	char *text = arg;

	(void)sprintf(text + strlen(text), "%s %s %u %s\n", noun, name, id, spec);
	return 0;
}

static void assert_rows(struct hd_store *store, const char *expected)
{
	char text[1024] = "";

	assert_int_equal(hd_store_load(store, append_row, text, NULL), 0);
	assert_string_equal(text, expected);
}

static void put(struct hd_store *store, const char *noun, const char *name, uint32_t id,
		const char *spec)
{
	struct hd_error err = { 0 };

	assert_int_equal(hd_store_put(store, noun, name, id, spec, &err), 0);
}

static void begin(struct hd_store *store)
{
	assert_int_equal(hd_store_begin(store, NULL), 0);
}

static void commit(struct hd_store *store)
{
	assert_int_equal(hd_store_commit(store, NULL), 0);
}

static void reopen(struct fixture *f)
{
	hd_store_close(f->store);
	f->store = open_store(f->path);
}

static void rows_come_back_sorted(void **state)
{
	struct fixture *f = *state;

	assert_rows(f->store, "");
	begin(f->store);
	put(f->store, "port", "web2", 4294967295u, "{\"a\":\"\xc3\xa4\"}");
	put(f->store, "port", "web1", 2, "{}");
	put(f->store, "network", "blue", 1, "{}");
	commit(f->store);
	reopen(f);
	assert_rows(
		f->store,
		"network blue 1 {}\nport web1 2 {}\nport web2 4294967295 {\"a\":\"\xc3\xa4\"}\n");
}

static void put_replaces_and_del_removes(void **state)
{
	struct fixture *f = *state;

	begin(f->store);
	put(f->store, "port", "web1", 1, "{}");
	put(f->store, "port", "web1", 7, "{\"mtu\":1400}");
	put(f->store, "network", "web1", 2, "{}");
	assert_int_equal(hd_store_del(f->store, "network", "web1", NULL), 0);
	assert_int_equal(hd_store_del(f->store, "network", "never-was", NULL), 0);
	commit(f->store);
	assert_rows(f->store, "port web1 7 {\"mtu\":1400}\n");
}

static void rollback_takes_all_back(void **state)
{
	struct fixture *f = *state;

	begin(f->store);
	put(f->store, "port", "web1", 1, "{}");
	commit(f->store);
	begin(f->store);
	put(f->store, "port", "web2", 2, "{}");
	assert_int_equal(hd_store_del(f->store, "port", "web1", NULL), 0);
	hd_store_rollback(f->store);
	assert_rows(f->store, "port web1 1 {}\n");
	hd_store_rollback(f->store); /* without a transaction: nothing */
	reopen(f);
	assert_rows(f->store, "port web1 1 {}\n");
}

static void changes_need_a_transaction(void **state)
{
	struct fixture *f = *state;
	struct hd_error err = { 0 };

	assert_int_equal(hd_store_put(f->store, "port", "web1", 1, "{}", &err), -EINVAL);
	assert_int_equal(err.code, HD_ERR_FAILED);
	assert_int_equal(hd_store_del(f->store, "port", "web1", &err), -EINVAL);
	assert_int_equal(hd_store_commit(f->store, &err), -EINVAL);
	begin(f->store);
	assert_int_equal(hd_store_begin(f->store, &err), -EINVAL);
	commit(f->store);
	assert_rows(f->store, "");
}

static int stop_at_second(void *arg, const char *noun, const char *name, uint32_t id,
			  const char *spec)
{
	(void)noun, (void)name, (void)id, (void)spec;
	return ++*(int *)arg == 2 ? -ECANCELED : 0;
}

static void load_stops_when_told(void **state)
{
	struct fixture *f = *state;
	int n = 0;

	begin(f->store);
	put(f->store, "port", "a", 1, "{}");
	put(f->store, "port", "b", 2, "{}");
	put(f->store, "port", "c", 3, "{}");
	commit(f->store);
	assert_int_equal(hd_store_load(f->store, stop_at_second, &n, NULL), -ECANCELED);
	assert_int_equal(n, 2);
	assert_rows(f->store,
		    "port a 1 {}\nport b 2 {}\nport c 3 {}\n"); /* from the beginning again */
	begin(f->store); /* and no reader stands in the way */
	commit(f->store);
}

static void second_daemon_is_refused(void **state)
{
	struct fixture *f = *state;
	struct hd_store *second = NULL;
	struct hd_error err = { 0 };

	assert_int_equal(hd_store_open(f->path, &second, &err), -EBUSY);
	assert_null(second);
	assert_int_equal(err.code, HD_ERR_CONFLICT);
	assert_non_null(strstr(err.message, f->path));
	assert_string_equal(err.hint, "another daemon runs on this file");
	begin(f->store); /* the first is not disturbed */
	put(f->store, "port", "web1", 1, "{}");
	commit(f->store);
}

static void file_is_private(void **state)
{
	struct fixture *f = *state;
	char path[128];
	struct stat st;

	begin(f->store);
	put(f->store, "port", "web1", 1, "{}");
	commit(f->store);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)snprintf(path, sizeof(path), "%s-wal", f->path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)snprintf(path, sizeof(path), "%s-shm", f->path);
	assert_int_equal(stat(path, &st), -1);
}

static void commit_survives_a_crash(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid;

	hd_store_close(f->store);
	f->store = NULL;
	pid = fork();
	if (pid == 0) {
		f->store = open_store(f->path);
		begin(f->store);
		put(f->store, "port", "kept", 1, "{}");
		commit(f->store);
		begin(f->store);
		put(f->store, "port", "lost", 2, "{}");
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	f->store = open_store(f->path);
	assert_rows(f->store, "port kept 1 {}\n");
}

/* A limit on the size of files stands in for a full disk. */
static void full_disk_loses_only_the_transaction(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, small;
	struct hd_error err = { 0 };
	static char spec[1 << 20];
	int r;

	begin(f->store);
	put(f->store, "port", "web1", 1, "{}");
	commit(f->store);
	memset(spec, ' ', sizeof(spec) - 1);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ .rlim_cur = 256 << 10, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	begin(f->store);
	r = hd_store_put(f->store, "port", "web2", 2, spec, &err);
	if (r == 0)
		r = hd_store_commit(f->store, &err);
	else
		hd_store_rollback(f->store);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);

	assert_true(r < 0);
	assert_int_equal(err.code, HD_ERR_FAILED);
	assert_rows(f->store, "port web1 1 {}\n");
	begin(f->store);
	put(f->store, "port", "web2", 2, "{}");
	commit(f->store);
	reopen(f);
	assert_rows(f->store, "port web1 1 {}\nport web2 2 {}\n");
}

static void exec_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

static void assert_refused(struct fixture *f, const char *message, const char *hint)
{
	struct hd_error err = { 0 };

	assert_true(hd_store_open(f->path, &f->store, &err) < 0);
	assert_null(f->store);
	assert_int_equal(err.code, HD_ERR_FAILED);
	assert_non_null(strstr(err.message, f->path));
	if (!strstr(err.message, message))
		print_error("%s\n", err.message);
	assert_non_null(strstr(err.message, message));
	assert_non_null(strstr(err.hint, hint));
}

static void newer_schema_is_refused(void **state)
{
	struct fixture *f = *state;

	hd_store_close(f->store);
	f->store = NULL;
	exec_sql(f->path, "PRAGMA user_version = 99");
	assert_refused(f, "schema 99 is newer", "install the heddle that wrote it");
	exec_sql(f->path, "PRAGMA user_version = -1");
	assert_refused(f, "schema -1", "");
}

static void overwrite(const char *path, off_t from, size_t len)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(pwrite(fd, "\xa5", 1, from + (off_t)i), 1);
	assert_int_equal(close(fd), 0);
}

static void what_is_no_database_is_refused(void **state)
{
	struct fixture *f = *state;

	hd_store_close(f->store);
	f->store = NULL;
	overwrite(f->path, 0, 4096);
	assert_refused(f, "not a database", "restore it from a backup");
}

static void corruption_is_found(void **state)
{
	struct fixture *f = *state;
	char name[16];

	begin(f->store);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		put(f->store, "port", name, (uint32_t)i, "{\"network\":\"blue\"}");
	}
	commit(f->store);
	hd_store_close(f->store);
	f->store = NULL;
	overwrite(f->path, 3 * 4096, 2048); /* a page of rows */
	assert_refused(f, "corrupt", "restore it from a backup");
}

static void missing_folder_is_named(void **state)
{
	struct hd_store *store = NULL;
	struct hd_error err;

	(void)state;
	assert_int_equal(hd_store_open("/tmp/no/such/folder/state.db", &store, &err), -ENOENT);
	assert_string_equal(err.message,
			    "store /tmp/no/such/folder/state.db: No such file or directory");
	assert_null(store);
	hd_store_close(NULL);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(rows_come_back_sorted),
		TEST(put_replaces_and_del_removes),
		TEST(rollback_takes_all_back),
		TEST(changes_need_a_transaction),
		TEST(load_stops_when_told),
		TEST(second_daemon_is_refused),
		TEST(file_is_private),
		TEST(commit_survives_a_crash),
		TEST(full_disk_loses_only_the_transaction),
		TEST(newer_schema_is_refused),
		TEST(what_is_no_database_is_refused),
		TEST(corruption_is_found),
		TEST(missing_folder_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
