// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpffs.c - the file system that keeps the datapath alive without a daemon */
#include "sync/bpffs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"

#define BPFFS "/sys/fs/bpf"
#define LOCK_TRIES 500
#define LOCK_PAUSE_US 10000

/* The process above @pid, 0 if it can't be told. */
static pid_t parent_of(pid_t pid)
{
	_fclose_ FILE *f = NULL;
	char path[64];
	int ppid;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	return f && fscanf(f, "%*d (%*[^)]) %*c %d", &ppid) == 1 ? ppid : 0;
}

/*
 * The mount namespace that stays: pid 1's; or, where that may not be looked at, that of the highest process above us that may. An fd or
 * -1.
 */
static int open_home(void)
{
	int home = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (home >= 0)
		return home;
	for (pid_t pid = getppid(); pid > 1; pid = parent_of(pid)) {
		char path[64];
		int fd;

		(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			break; /* those above are no more ours than this one */
		hd_closep(&home);
		home = fd;
	}
	return home;
}

static void go_home(void)
{
	_close_ int home = open_home();
	struct stat here, there;

	if (home < 0 || stat("/proc/self/ns/mnt", &here) < 0 || fstat(home, &there) < 0) {
		(void)log_warn(
			0,
			"can't tell whether this mount namespace is the machine's; if it is not, "
			"the datapath ends with it, ignoring");
		return;
	}
	if (here.st_ino == there.st_ino && here.st_dev == there.st_dev)
		return;
	if (setns(home, CLONE_NEWNS) < 0)
		(void)log_warn(-errno,
			       "can't enter the machine's mount namespace, ignoring; the datapath "
			       "ends with this one");
}

static bool is_mounted(void)
{
	struct statfs fs;

	return statfs(BPFFS, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

/*
 * Of daemons that start at the same time one mounts, since a second mount would hide what is pinned in the first. The lock is on the folder that is
 * there before. Anybody may hold it, so it is not waited for longer than any mount takes. An fd or -1.
 */
static int lock_mount_point(void)
{
	int fd = open(BPFFS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; fd >= 0 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) < 0; i++)
		(void)usleep(LOCK_PAUSE_US);
	return fd;
}

int hd_bpffs_ensure(struct hd_error *err)
{
	_close_ int lock = -1;

	go_home();
	if (is_mounted())
		return 0;
	lock = lock_mount_point();
	if (is_mounted())
		return 0;
	if (mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") == 0) {
		log_info("bpffs mounted on " BPFFS);
		return 0;
	}
	hd_error_set(err, HD_ERR_FAILED, "bpffs: can't mount on " BPFFS ": %s", strerror(errno));
	hd_error_hint(err, "heddled needs root and a kernel with CONFIG_BPF_SYSCALL");
	return -EIO;
}

int hd_mkdir_p(const char *path, unsigned int mode)
{
	char part[300];

	(void)snprintf(part, sizeof(part), "%s", path);
	for (char *p = part + 1;; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return -errno;
		if (!c)
			return 0;
		*p = c;
	}
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path) < 0 ? -errno : 0;
}

int hd_rm_rf(const char *path)
{
	if (access(path, F_OK) < 0)
		return errno == ENOENT ? 0 : -errno;
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
