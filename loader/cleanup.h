/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cleanup.h - owning locals: a variable that owns something says so where it is declared */
#pragma once

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

static inline void hd_freep(void *p)
{
	free(*(void **)p);
}

static inline void hd_closep(int *fd)
{
	if (*fd >= 0)
		(void)close(
			*fd); /* nothing to be done about a failing close of something we only read */
}

static inline void hd_json_decrefp(json_t **json)
{
	json_decref(*json);
}

static inline void hd_fclosep(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

#define _free_ CLEANUP(hd_freep)
#define _close_ CLEANUP(hd_closep)
#define _json_ CLEANUP(hd_json_decrefp)
#define _fclose_ CLEANUP(hd_fclosep)

/* The value leaves its owner: the cleanup of the variable finds nothing. */
#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) take_ = (p);                                                         \
		(p) = NULL;                                                                        \
		take_;                                                                             \
	})
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int take_ = (fd);                                                                  \
		(fd) = -1;                                                                         \
		take_;                                                                             \
	})
