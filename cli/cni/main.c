// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* main.c - heddle-cni: read the call, do it, answer */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cni/cni.h"
#include "loader/cleanup.h"

static const struct {
	const char *word;
	int (*run)(struct hd_cni *cni, struct hd_cni_error *err);
} commands[] = {
	{ "ADD", hd_cni_add }, { "DEL", hd_cni_del },	    { "CHECK", hd_cni_check },
	{ "GC", hd_cni_gc },   { "STATUS", hd_cni_status }, { "VERSION", hd_cni_version },
};

int hd_cni_fail(struct hd_cni_error *err, enum hd_cni_code code, const char *fmt, ...)
{
	va_list args;

	*err = (struct hd_cni_error){ .code = code };
	va_start(args, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, args); /* a longer text is cut */
	va_end(args);
	return -1;
}

int hd_cni_hint(struct hd_cni_error *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(err->details, sizeof(err->details), fmt, args);
	va_end(args);
	return -1;
}

/* A descriptor that we open must not become one of the three that have a meaning. */
static void occupy_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

static int run(struct hd_cni *cni, struct hd_cni_error *err)
{
	int r = hd_cni_read(cni, err);

	for (size_t i = 0; r == 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(cni->command, commands[i].word))
			return commands[i].run(cni, err);
	return r;
}

int main(void)
{
	CLEANUP(hd_cni_done) struct hd_cni cni = {};
	struct hd_cni_error err = {};

	(void)signal(SIGPIPE, SIG_IGN);
	occupy_standard_fds();
	if (run(&cni, &err) == 0)
		return 0;
	hd_cni_print_error(&cni, &err);
	return 1;
}
