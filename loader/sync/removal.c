// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* removal.c - devices that go, without waiting for what is behind it */
#include "sync/removal.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* More at once make nothing faster: what is done before they wait is done one after the other. */
#define THREADS_MAX 64
#define STACK_BYTES (256 << 10)

/**
 * struct hd_remover - who asks, and who hears
 * @socket:  one for all, and as long as all: a thread may still be in a call on it when the next ones come
 * @seq:     of the last request
 * @lock:    of @n
 * @one_less: @n has become smaller
 * @n:       threads that wait in the kernel
 */
struct hd_remover {
	struct mnl_socket *socket;
	uint32_t seq;
	pthread_mutex_t lock;
	pthread_cond_t one_less;
	unsigned int n;
	uint8_t buf[32768];
};

/** struct job - what a thread asks for */
struct job {
	struct hd_remover *remover;
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} request;
};

/** struct waiting - what is not known yet of one list; its requests have the numbers from @first on */
struct waiting {
	struct hd_removal *list;
	size_t n;
	size_t n_open;
	uint32_t first;
};

struct hd_remover *hd_remover_open(void)
{
	struct hd_remover *remover = calloc(1, sizeof(*remover));
	struct timeval patience = { .tv_sec = 1 };
	int size = 4 << 20;

	if (!remover)
		return NULL;
	(void)pthread_mutex_init(&remover->lock, NULL);
	(void)pthread_cond_init(&remover->one_less, NULL);
	remover->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!remover->socket || mnl_socket_bind(remover->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		hd_remover_close(remover);
		return NULL;
	}
	/* What does not fit, or takes longer, is missed: see run_some(). */
	(void)setsockopt(mnl_socket_get_fd(remover->socket), SOL_SOCKET, SO_RCVBUFFORCE, &size,
			 sizeof(size));
	(void)setsockopt(mnl_socket_get_fd(remover->socket), SOL_SOCKET, SO_RCVTIMEO, &patience,
			 sizeof(patience));
	return remover;
}

/* @n: no more than so many are left. */
static void wait_for_threads(struct hd_remover *remover, unsigned int n)
{
	(void)pthread_mutex_lock(&remover->lock);
	while (remover->n > n)
		(void)pthread_cond_wait(&remover->one_less, &remover->lock);
	(void)pthread_mutex_unlock(&remover->lock);
}

void hd_remover_close(struct hd_remover *remover)
{
	if (!remover)
		return;
	wait_for_threads(remover, 0);
	if (remover->socket)
		(void)mnl_socket_close(remover->socket);
	(void)pthread_cond_destroy(&remover->one_less);
	(void)pthread_mutex_destroy(&remover->lock);
	free(remover);
}

static void count(struct hd_remover *remover, int change)
{
	(void)pthread_mutex_lock(&remover->lock);
	remover->n += (unsigned int)change;
	if (change < 0)
		(void)pthread_cond_broadcast(&remover->one_less);
	(void)pthread_mutex_unlock(&remover->lock);
}

/* An error is answered to the socket; that it can't even be sent is seen when all threads are through. */
static void *ask(void *arg)
{
	struct job *job = arg;

	(void)mnl_socket_sendto(job->remover->socket, &job->request, sizeof(job->request));
	count(job->remover, -1);
	free(job);
	return NULL;
}

/* Signals are for the event loop. */
static bool start_thread(struct job *job)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	r = pthread_create(&thread, &attr, ask, job);
	(void)pthread_attr_destroy(&attr);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r == 0;
}

/* Without a thread to be had it takes longer. */
static void start(struct hd_remover *remover, uint32_t ifindex)
{
	struct job *job = calloc(1, sizeof(*job));

	remover->seq++;
	if (!job)
		return;
	job->remover = remover;
	job->request.head = (struct nlmsghdr){ .nlmsg_len = sizeof(job->request),
					       .nlmsg_type = RTM_DELLINK,
					       .nlmsg_flags = NLM_F_REQUEST,
					       .nlmsg_seq = remover->seq };
	job->request.info = (struct ifinfomsg){ .ifi_index = (int)ifindex };
	wait_for_threads(remover, THREADS_MAX - 1);
	count(remover, 1);
	if (!start_thread(job))
		(void)ask(job);
}

static void hear_of_links(struct hd_remover *remover, bool on)
{
	int group = RTNLGRP_LINK;

	(void)mnl_socket_setsockopt(remover->socket,
				    on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, &group,
				    sizeof(group));
}

static void settle(struct waiting *waiting, struct hd_removal *one, int r)
{
	if (one->r != -EAGAIN)
		return;
	one->r = r;
	waiting->n_open--;
}

static void take_message(struct waiting *waiting, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);
	uint32_t number = nlh->nlmsg_seq - waiting->first;

	if (nlh->nlmsg_type == NLMSG_ERROR && number < waiting->n)
		settle(waiting, &waiting->list[number], error->error);
	for (size_t i = 0; nlh->nlmsg_type == RTM_DELLINK && i < waiting->n; i++)
		if (info->ifi_family == AF_UNSPEC &&
		    waiting->list[i].ifindex == (uint32_t)info->ifi_index)
			settle(waiting, &waiting->list[i], 0);
}

/* Whether anything was read. */
static bool read_messages(struct hd_remover *remover, struct waiting *waiting, int flags)
{
	ssize_t n =
		recv(mnl_socket_get_fd(remover->socket), remover->buf, sizeof(remover->buf), flags);
	const struct nlmsghdr *nlh = (const void *)remover->buf;
	int left = (int)n;

	for (; n > 0 && mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		take_message(waiting, nlh);
	return n > 0;
}

/* What is missed, because there is too much news or a request was not even sent, is not known when all threads are through either. */
static void run_some(struct hd_remover *remover, struct hd_removal *list, size_t n)
{
	struct waiting waiting = { .list = list, .n = n, .n_open = n, .first = remover->seq + 1 };

	while (read_messages(remover, &(struct waiting){ 0 }, MSG_DONTWAIT))
		; /* of earlier ones */
	hear_of_links(remover, true);
	for (size_t i = 0; i < n; i++)
		start(remover, list[i].ifindex);
	while (waiting.n_open && read_messages(remover, &waiting, 0))
		;
	if (waiting.n_open)
		wait_for_threads(remover, 0);
	while (waiting.n_open && read_messages(remover, &waiting, MSG_DONTWAIT))
		;
	hear_of_links(remover, false);
}

void hd_remover_run(struct hd_remover *remover, struct hd_removal *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		list[i].r = -EAGAIN;
	for (size_t i = 0; i < n; i += THREADS_MAX)
		run_some(remover, list + i, n - i < THREADS_MAX ? n - i : THREADS_MAX);
}
