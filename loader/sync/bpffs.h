/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* bpffs.h - the file system that keeps the datapath alive without a daemon */
#pragma once

#include "heddlectl/error.h"

/**
 * hd_bpffs_ensure - make sure that /sys/fs/bpf is a bpffs that outlives this process
 *
 * `ip netns exec` starts a program in a mount namespace of its own with a fresh /sys; what is pinned under a bpffs mounted there is
 * gone when the program ends. So first go back to the machine's mount namespace, if we are in another one; then mount if need be.
 */
int hd_bpffs_ensure(struct hd_error *err);

/** hd_mkdir_p - make a folder and those above it */
int hd_mkdir_p(const char *path, unsigned int mode);

/** hd_rm_rf - remove a folder with all in it; no error when it is not there */
int hd_rm_rf(const char *path);
