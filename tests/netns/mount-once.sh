#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Daemons that start at the same time on a machine without bpffs mount it once: a second mount would hide what is pinned in the first.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

# mount(2) that takes its time, so that all daemons come to it before the first has done it.
cat >"$T/slow.c" <<'END'
#include <sys/syscall.h>
#include <unistd.h>

int mount(const char *what, const char *where, const char *type, unsigned long flags, const void *data)
{
	usleep(500000);
	return (int)syscall(SYS_mount, what, where, type, flags, data);
}
END
gcc -shared -fPIC -O2 -o "$T/slow.so" "$T/slow.c"

# A machine of its own, as far as mounts and process 1 are concerned.
cat >"$T/machine.sh" <<'END'
set -eu
mount --make-rprivate /
while mountpoint -q /sys/fs/bpf; do
	umount -l /sys/fs/bpf
done
pids=
for i in 1 2 3; do
	LD_PRELOAD=$T/slow.so ASAN_OPTIONS=verify_asan_link_order=0 "$B/heddled" --foreground --instance "$I-$i" \
		--state-dir "$T/state" --run-dir "$T/run" >>"$T/heddled.log" 2>&1 &
	pids="$pids $!"
done
for i in 1 2 3; do
	until "$B/heddle" -i "$I-$i" network list >/dev/null 2>&1; do
		kill -0 $pids # none has given up
		sleep 0.02
	done
done
grep -c ' /sys/fs/bpf ' /proc/self/mountinfo
kill -TERM $pids
wait $pids
END

ns host
export B I T
same "mounts" 1 "$(on host timeout $((60 * ${PATIENCE:-1})) unshare --pid --fork --mount --mount-proc bash "$T/machine.sh")"
