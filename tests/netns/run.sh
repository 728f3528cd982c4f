#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh - run the tests of this folder: run.sh [-j N] [PATTERN...]
#
# NAME+xdp is test NAME with uplinks in that mode: those of the list XDP below. PATTERN is a shell pattern for names: l2-1, 'k-*', '*+xdp'. B names the folder of the programs, as for each test alone. A test that takes
# longer than $LIMIT seconds has failed.

set -u
export LC_ALL=C
HERE=$(cd "$(dirname "$0")" && pwd)
OUT=$(mktemp -d "${TMPDIR:-/tmp}/heddle-run-XXXXXX")
LIMIT=${LIMIT:-180}
JOBS=3 # on two CPUs: tests wait more than they compute
declare -A NAMES=() STARTED=()
# Not those that look into tunnel packets on the host's own device: packet sockets see what XDP has left.
XDP="ipv6-masquerade ipv6-tunnel l2-7 l2-9 masquerade overlay-clsact overlay-flood overlay-life overlay-secure overlay-segments overlay-way provider r-5 t-2 t-4 t-6 t-7 t-8 t-8-kernel t-8-ovs
	t-ecn t-flap t-groups t-hostile t-inside t-isolation t-life t-small vxlan vxlan-kernel"
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
	local mode=

	[[ $1 != *+xdp ]] || mode=xdp
	UPLINK_MODE=$mode timeout --kill-after=20 "$LIMIT" "$HERE/${1%+xdp}.sh" >"$OUT/$1" 2>&1 </dev/null &
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

# all_names: of the tests, and of those that run once more with XDP
all_names() {
	local name

	for name in "$HERE"/*.sh; do
		name=${name##*/}
		[[ $name == run.sh ]] || printf '%s\n' "${name%.sh}"
	done
	# shellcheck disable=SC2086 # a list of words
	printf '%s+xdp\n' $XDP
}

for name in $(all_names); do
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
