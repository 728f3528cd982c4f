// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* main.c - heddled */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "cleanup.h"
#include "daemon.h"
#include "log.h"
#include "sync/bpffs.h"

/* libbpf speaks in lines that end with a newline; what it warns of, our own error says with more sense. */
static int on_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[2048];

	if (level == LIBBPF_DEBUG || !hd_log_wants(HD_LOG_DEBUG))
		return 0;
	(void)vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	log_debug("libbpf: %s", line);
	return 0;
}

static void show_error(const struct hd_error *err)
{
	(void)hd_log(HD_LOG_ERR, 0, "%s", err->message);
	if (err->hint[0])
		(void)hd_log(HD_LOG_ERR, 0, "hint: %s", err->hint);
}

/*
 * Into the background: the parent stays until the child says that it is ready, so that "heddled && heddle status" works; its exit status
 * is the child's. Returns the child's end of the pipe in @ret_ready, or exits.
 */
static int go_background(int *ret_ready)
{
	int ends[2], status = 1;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void)close(ends[0]);
		(void)setsid();
		*ret_ready = ends[1];
		return 0;
	}
	(void)close(ends[1]);
	if (read(ends[0], &status, sizeof(status)) != sizeof(status))
		status = 1;
	_exit(status);
}

/* From now on nobody reads the terminal: lines go to a file beside the socket. */
static int leave_terminal(const struct hd_config *config)
{
	_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	_close_ int file = -1;
	char path[320];

	(void)snprintf(path, sizeof(path), "%s/%s/heddled.log", config->run_dir, config->instance);
	file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (null < 0 || file < 0)
		return -errno;
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(file, STDERR_FILENO) < 0)
		return -errno;
	return chdir("/") < 0 ? -errno : 0;
}

/* Once; later calls do nothing. */
static void tell_parent(int *ready, int status)
{
	if (*ready < 0)
		return;
	if (write(*ready, &status, sizeof(status)) < 0)
		(void)log_warn(-errno, "can't tell the parent, ignoring");
	hd_closep(ready);
	*ready = -1;
}

static int serve(const struct hd_config *config, int *ready)
{
	struct hd_daemon *daemon = NULL;
	struct hd_error err = { 0 };
	int r = hd_bpffs_ensure(&err);

	if (r == 0)
		r = hd_daemon_open(config, &daemon, &err);
	if (r < 0) {
		show_error(&err);
		return (int)err.code;
	}
	(void)sd_notify(0, "READY=1");
	log_info("heddled: instance %s is ready", config->instance);
	if (*ready >= 0) {
		r = leave_terminal(config);
		if (r < 0)
			(void)log_warn(r, "heddled: can't leave the terminal, ignoring");
	}
	tell_parent(ready, 0);
	r = sd_event_loop(daemon->event);
	(void)sd_notify(0, "STOPPING=1");
	hd_daemon_close(daemon);
	return r < 0 ? HD_ERR_FAILED : 0;
}

int main(int argc, char *argv[])
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	_close_ int ready = -1;
	struct hd_config config;
	struct hd_error err = { 0 };
	int r = hd_config_parse(argc, argv, &config, &err);

	if (r > 0)
		return 0;
	hd_log_init(r < 0 ? HD_LOG_INFO : config.log_level);
	if (r == 0 && !config.foreground) {
		r = go_background(&ready);
		if (r < 0)
			hd_error_set(&err, HD_ERR_FAILED,
				     "heddled: can't go into the background: %s", strerror(-r));
	}
	if (r < 0) {
		show_error(&err);
		return (int)err.code;
	}
	(void)umask(022);
	(void)setrlimit(RLIMIT_MEMLOCK,
			&unlimited); /* needed before 5.11, refused in some containers */
	(void)libbpf_set_print(on_libbpf);
	r = serve(&config, &ready);
	tell_parent(&ready, r);
	return r;
}
