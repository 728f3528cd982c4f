// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* sandbox.c - is the network namespace that a port was made for still there? */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "netlink.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* asm-generic/socket.h of 5.14 */
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/* What the kernel would have to count up to. */
#define OURS 0x40000000

/* 0 if it can't be read. */
static uint32_t boot_id(void)
{
	_fclose_ FILE *file = fopen(BOOT_ID, "re");
	uint32_t id = 0;

	return file && fscanf(file, "%8" SCNx32, &id) == 1 ? id : 0;
}

static uint64_t own_cookie(void)
{
	_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie = 0;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) < 0)
		return 0;
	return cookie;
}

void hd_sandbox_open(struct hd_sandbox_host *host)
{
	*host = (struct hd_sandbox_host){ .boot = boot_id(), .cookie = own_cookie() };
	if (hd_netlink_open(&host->nl) < 0)
		host->nl = NULL;
}

void hd_sandbox_close(struct hd_sandbox_host *host)
{
	hd_netlink_close(host->nl);
	host->nl = NULL;
}

/* One that another interface of it has got is as good. */
static int number_of(struct hd_netlink *nl, int netns)
{
	int number = 0, r;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return 0;
	number = (number & (OURS - 1)) | OURS;
	r = hd_netlink_nsid_add(nl, netns, number);
	if (r == -EEXIST)
		number = r = hd_netlink_nsid_of(nl, netns);
	return r < 0 || number < OURS ? 0 : number;
}

void hd_sandbox_mark(const struct hd_sandbox_host *host, const char *path,
		     char ret[HD_SANDBOX_MARK])
{
	_close_ int netns = hd_netns_open(path);
	int number = netns >= 0 && host->nl ? number_of(host->nl, netns) : 0;

	(void)snprintf(ret, HD_SANDBOX_MARK, "%08" PRIx32 ".%" PRIx64 ".%x", host->boot,
		       host->cookie, (unsigned int)number);
}

enum hd_sandbox_state hd_sandbox_look(const struct hd_sandbox_host *host, const char *mark)
{
	unsigned int number;
	uint64_t cookie;
	uint32_t boot;
	int r;

	if (sscanf(mark, "%8" SCNx32 ".%16" SCNx64 ".%8x", &boot, &cookie, &number) != 3 || !boot ||
	    !host->boot)
		return HD_SANDBOX_UNKNOWN;
	if (boot != host->boot)
		return HD_SANDBOX_GONE;
	if (!cookie || cookie != host->cookie || number < OURS || !host->nl)
		return HD_SANDBOX_UNKNOWN;
	r = hd_netlink_nsid_check(host->nl, (int)number);
	if (r == -ENOENT)
		return HD_SANDBOX_GONE;
	return r == 0 ? HD_SANDBOX_THERE : HD_SANDBOX_UNKNOWN;
}
