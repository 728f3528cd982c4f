# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# foreign.sh - programs of somebody else on the devices of a test; after netns.sh

triple=$(gcc -dumpmachine)
clang -O2 -g -target bpf -mcpu=v3 -I"/usr/include/$triple" -c "$LIB/count.bpf.c" -o "$T/count.o"
gcc -O2 -o "$T/tcx" "$LIB/tcx.c" -lbpf

# load NAME: a counting program of its own, pinned, with its map. Some daemon has mounted bpffs before.
load() {
	mkdir -p "$MINE"
	bpftool prog load "$T/count.o" "$MINE/$1" type classifier pinmaps "$MINE/$1-maps"
}

tcx() { # NAME DEVICE DIRECTION; on $HOST, if that is not "host"
	load "$1"
	on "${HOST:-host}" "$T/tcx" "$MINE/$1" "$2" "$3" "$MINE/$1-link" || skip "this kernel has no tcx"
}

clsact() { # NAME DEVICE DIRECTION PREF
	load "$1"
	on host tc qdisc add dev "$2" clsact 2>/dev/null || true # there already
	on host tc filter add dev "$2" "$3" pref "$4" bpf da pinned "$MINE/$1"
}

seen() {
	bpftool -j map lookup pinned "$MINE/$1-maps/seen" key 0 0 0 0 | jq '.formatted.value'
}
