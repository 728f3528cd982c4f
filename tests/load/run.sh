#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# run.sh [--update] - every BPF object, by each compiler that is there, with several configurations,
# through the verifier
#
# Prints what the verifier had to do and how large the programs are. Compared with verified.txt a
# change of more than a tenth is a review question, not an error: another kernel counts in another
# way. Only a program that does not load fails, or that would not on Linux 6.1 because it takes too much
# stack (stack.py).
# --update writes verified.txt anew.
set -u
cd "$(dirname "$0")/../.." || exit 1
record=tests/load/verified.txt
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

gcc -std=gnu11 -Wall -Wextra -D_GNU_SOURCE -Iinclude tests/load/load.c -lbpf -o "$tmp/load" ||
	exit 1

# measure CLANG SOURCE - compile it, load it, append its lines to $tmp/table
measure() {
	local clang=$1 source=$2 object=$tmp/object.bpf.o
	if ! "$clang" -std=gnu11 -g -O2 -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter \
		-Werror -Iinclude -Ivmlinux -Ibpf -c "$source" -o "$object"; then
		echo "FAIL $source: $clang does not compile it"
		failed=1
		return
	fi
	/usr/bin/python3 tests/load/stack.py "$object" || failed=1
	"$tmp/load" "$clang" "$object" >"$tmp/lines" || failed=1
	grep "^$clang .*ports=" "$tmp/lines" >>"$tmp/table"
	[ $failed = 0 ] || cat "$tmp/lines"
}

# note - what differs from the record by more than a tenth; the first four words of a line name it
note() {
	awk '
	BEGIN { what[5] = "verified insns"; what[6] = "xlated bytes"; what[7] = "jited bytes" }
	/^#/ { next }
	{ key = $1 " " $2 " " $3 " " $4 }
	NR == FNR { for (i = 5; i <= 7; i++) was[key, i] = $i; next }
	!((key, 5) in was) { print "note: " key " is not in the record"; next }
	{
		for (i = 5; i <= 7; i++) {
			change = $i - was[key, i]
			if (change * change * 100 > was[key, i] * was[key, i])
				printf "note: %s: %s %d, was %d (review question)\n", key, \
					what[i], $i, was[key, i]
		}
	}' "$record" "$tmp/table"
}

# update - write the record; what a compiler that is not here once did stays
update() {
	{
		echo "# Made by run.sh --update. Compiler, configuration, program; verified"
		echo "# instructions, bytes of translated and of machine code."
		echo "# $(uname -r | sed 's/^\([0-9]*\.[0-9]*\).*/Linux \1/') $(uname -m)"
		cat "$tmp/table"
		for clang in "${absent[@]}"; do
			[ ! -f "$record" ] || grep "^$clang " "$record"
		done
	} >"$tmp/record"
	mv "$tmp/record" "$record"
}

absent=()
: >"$tmp/table"
for clang in clang-14 clang-19; do
	command -v "$clang" >"$tmp/path" || { absent+=("$clang") && continue; }
	for source in bpf/*.bpf.c; do
		measure "$clang" "$source"
	done
done
[ -s "$tmp/table" ] || { echo "FAIL nothing was loaded" && failed=1; }

[ ${#absent[@]} = 0 ] || echo "not installed, left out: ${absent[*]}"
printf '%-9s %-11s %-7s %-15s %6s %6s %6s\n' compiler config '' program insns xlated jited
cat "$tmp/table"
if [ "${1:-}" = --update ] && [ $failed = 0 ]; then
	update
elif [ -f "$record" ]; then
	note
else
	echo "note: no $record to compare with; run.sh --update makes it"
fi
exit $failed
