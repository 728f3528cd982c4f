#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# init.sh - process 1 of a guest until its root is there; then machine.sh is. See run.sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
for module in /modules/*; do
	insmod "$module"
done
mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose host /host
mount -t tmpfs -o size=70% over /over
mkdir /over/upper /over/work
mount -t overlay -o lowerdir=/host,upperdir=/over/upper,workdir=/over/work root /root
exec switch_root /root /bin/bash "$(sed 's/.* start=\([^ ]*\).*/\1/' /proc/cmdline)"
