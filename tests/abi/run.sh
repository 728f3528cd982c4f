#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# run.sh [OBJECT...] - each contract header stands alone, on both sides of the kernel's border, and
# means the same on both
#
# 1. gcc with -Wpadded: no hole between members that nobody has named, so that keys compare by their
#    bytes.
# 2. clang -target bpf, each version that is there: the size asserts hold there as well.
# 3. The tables of OBJECT (build/port.bpf.o, which has them all, and build/uplink.bpf.o) against the headers as gcc sees them: sizes, names,
#    offset of each member.
set -u
cd "$(dirname "$0")/../.." || exit 1
(($#)) || set -- build/port.bpf.o build/uplink.bpf.o
object=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# alone COMPILER-COMMAND... - compile each header by itself, and twice in one file
alone() {
	local header
	for header in include/heddle/*.h; do
		header=${header#include/}
		if ! printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
			"$@" -x c - -c -o "$tmp/alone.o"; then
			echo "FAIL $header: $*"
			failed=1
		fi
	done
	echo "headers alone: $1"
}

alone gcc -std=gnu11 -Wall -Wextra -Wpadded -Werror -Iinclude
clangs=0
for clang in clang-14 clang-19 clang; do
	command -v "$clang" >"$tmp/path" || continue
	[ "$clang" = clang ] && [ $clangs -gt 0 ] && continue # it is one of those two
	clangs=$((clangs + 1))
	alone "$clang" -std=gnu11 -target bpf -mcpu=v3 -Wall -Wextra -Werror -Iinclude -Ivmlinux
done
[ $clangs -gt 0 ] || { echo "FAIL no clang" && failed=1; }

if [ ! -f "$object" ]; then
	echo "FAIL $object: not there, run make bpf"
	failed=1
elif ! gcc -std=gnu11 -Wall -Wextra -Iinclude tests/abi/layout.c -lbpf -o "$tmp/layout"; then
	echo "FAIL tests/abi/layout.c does not compile"
	failed=1
else
	"$tmp/layout" "$@" || failed=1
fi
exit $failed
