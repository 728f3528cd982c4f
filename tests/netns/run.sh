#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh - run the tests of this folder: run.sh [-j N] [PATTERN...]
#
# PATTERN is a shell pattern for names: l2-1, 'k-*'. B names the folder of the programs, as for each test alone. A test that takes
# longer than $LIMIT seconds has failed.

set -u
export LC_ALL=C
HERE=$(cd "$(dirname "$0")" && pwd)
OUT=$(mktemp -d "${TMPDIR:-/tmp}/heddle-run-XXXXXX")
LIMIT=${LIMIT:-180}
JOBS=2
declare -A NAMES=() STARTED=()
passed=0 failed=0 skipped=0

usage() {
	echo "usage: run.sh [-j N] [PATTERN...]" >&2
	exit 2
}

matches() {
	local name=$1 pattern

	shift
	(($#)) || return 0
	for pattern; do
		# shellcheck disable=SC2053 # it is a pattern
		[[ $name == $pattern ]] && return 0
	done
	return 1
}

# Each test gets a process group of its own from timeout(1), which passes signals on to all of it.
start() {
	timeout --kill-after=20 "$LIMIT" "$HERE/$1.sh" >"$OUT/$1" 2>&1 </dev/null &
	NAMES[$!]=$1
	STARTED[$!]=${EPOCHREALTIME/./}
}

report() {
	local name=$1 status=$2 ms=$3 time

	time=$(printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100)))
	case $status in
	0)
		passed=$((passed + 1))
		echo "ok $name ($time)"
		;;
	4)
		skipped=$((skipped + 1))
		echo "skip $name: $(sed -n 's/^skipped: //p' "$OUT/$name")"
		return
		;;
	*)
		failed=$((failed + 1))
		echo "FAIL $name ($time, exit status $status)"
		sed 's/^/    /' "$OUT/$name"
		return
		;;
	esac
	sed -n 's/^note: /    /p' "$OUT/$name"
}

finish_one() {
	local pid status=0

	wait -n -p pid || status=$?
	report "${NAMES[$pid]}" "$status" $(((${EPOCHREALTIME/./} - STARTED[$pid]) / 1000))
	unset "NAMES[$pid]"
}

# The tests clean up after themselves; wait for that.
interrupted() {
	trap '' INT TERM HUP
	((${#NAMES[@]})) && kill -TERM "${!NAMES[@]}" 2>/dev/null
	wait
	exit "$1"
}

while getopts j: option; do
	case $option in
	j) JOBS=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[[ $JOBS =~ ^[1-9][0-9]*$ ]] || usage

trap 'rm -rf "$OUT"' EXIT
trap 'interrupted 129' HUP
trap 'interrupted 130' INT
trap 'interrupted 143' TERM

for file in "$HERE"/*.sh; do
	name=$(basename "$file" .sh)
	[[ $name == run ]] && continue
	matches "$name" "$@" || continue
	((${#NAMES[@]} < JOBS)) || finish_one
	start "$name"
done
while ((${#NAMES[@]})); do
	finish_one
done
echo "$passed passed, $failed failed, $skipped skipped"
((passed + failed + skipped)) || { echo "run.sh: no test matches" >&2; exit 2; }
((failed == 0))
