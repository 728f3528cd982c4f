#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# run.sh LAYER... - build and run layers of tests; ends with "N passed, N failed"
#
# Unit tests, fuzzers and the netns tests run with address and undefined-behaviour sanitizers as well as, for netns, without: what
# users run is what must pass. Layers: lint unit abi prog load fuzz netns.
#
# NETNS: only these netns tests (names or patterns). BUILT=yes: all has been built already, as for a guest that tests/kernels boots.
set -u
cd "$(dirname "$0")/.." || exit 1

passed=0 failed=0 skipped=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# verdict NAME STATUS SECONDS - count one test, show the output of a failed one
verdict() {
	case $2 in
	0) passed=$((passed + 1)) && printf 'ok   %-42s %5.1f s\n' "$1" "$3" ;;
	4) skipped=$((skipped + 1)) && printf 'skip %s\n' "$1" ;;
	*)
		failed=$((failed + 1))
		printf 'FAIL %s (status %s)\n' "$1" "$2"
		sed 's/^/     | /' "$out" | tail -60
		;;
	esac
}

# run NAME COMMAND... - one test
run() {
	local name=$1 start=$EPOCHREALTIME status
	shift
	"$@" >"$out" 2>&1 </dev/null
	status=$?
	verdict "$name" $status "$(echo "$EPOCHREALTIME $start" | awk '{ print $1 - $2 }')"
}

build() {
	[ -z "${BUILT-}" ] || return 0
	make --no-print-directory -s -j"$(nproc)" "$@" || {
		echo "run.sh: the build failed: make $*" >&2
		echo "0 passed, 1 failed"
		exit 1
	}
}

layer_lint() { run lint scripts/lint.sh; }

layer_unit() {
	build SAN=1 tests
	for t in build/san/tests/unit/test_*; do
		[[ $t == *.* ]] || run "unit/${t##*/test_}" "$t"
	done
}

layer_abi() { run abi tests/abi/run.sh; }

layer_prog() {
	build tests
	# A command and its arguments, or nothing.
	# shellcheck disable=SC2086
	run prog ${PROG_ON-} "${B:-build}/tests/prog_tests"
}

layer_load() { run load tests/load/run.sh; }

layer_fuzz() {
	build SAN=1 tests
	for t in build/san/tests/fuzz/fuzz_*; do
		[[ $t == *.* ]] || run "fuzz/${t##*/fuzz_}" "$t" -t "${FUZZ_SECONDS:-5}" \
			"tests/fuzz/corpus/${t##*/}"
	done
}

# The runner of that layer prints a line for each of its tests, and ends with the counts that are added here.
layer_netns() {
	build all
	# shellcheck disable=SC2086 # a list of words
	tests/netns/run.sh ${NETNS-} | tee "$out"
	read -r p f s < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed\(, \([0-9]*\) skipped\)\?$/\1 \2 \4/p' "$out" |
		tail -1)
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1})) skipped=$((skipped + ${s:-0}))
}

build all
for layer; do
	"layer_$layer"
done
echo
if [ $skipped -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ $failed -eq 0 ]
