# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# netns.sh - what every test under tests/netns starts with
#
# A test is a bash program that sources this file and then simply runs commands: the first that fails ends it. It plays a whole
# machine: namespace $N-host is the host that heddled runs on, others are workloads. Names are random and everything hangs off
# them, so that tests run side by side; what is left at the end is removed here, also after a failure or a signal.
#
#   $N  prefix of the namespaces     $I  instance     $T  scratch directory     $B  folder of the programs under test

set -eEuo pipefail
export LC_ALL=C

LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$LIB/../.." && pwd)
B=${B:-build}
[[ $B == /* ]] || B=$TOP/$B

T=$(mktemp -d "${TMPDIR:-/tmp}/heddle-test-XXXXXX")
ID=$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')
N=hd$ID
# shellcheck disable=SC2034 # for the tests
I=t$ID
PINS=/sys/fs/bpf/heddle/$I
MINE=/sys/fs/bpf/$N # for pins of a test's own
DAEMON=
declare -A DAEMONS=()
SKIPPED=
export HEDDLE_RUN_DIR=$T/run

# ---- ending ----

# The line of the test, however deep in this file things go wrong.
place() {
	printf '%s:%s' "${0##*/}" "${BASH_LINENO[${#BASH_LINENO[@]} - 2]}"
}

fail() {
	printf 'failed: %s: %s\n' "$(place)" "$*" >&2
	exit 1
}

# Exit status 4 means this only when it comes from here: commands have it for other things.
skip() {
	SKIPPED=yes
	printf 'skipped: %s\n' "$*" >&2
	exit 4
}

on_error() {
	printf 'failed: %s: exit status %s: %s\n' "$(place)" "$1" "$2" >&2
}

# What a reader of a failed test wants to see next.
show_state() {
	local name

	printf -- '--- heddle status, drops\n'
	[[ -z $DAEMON ]] || timeout 5 "$B/heddle" -i "$I" status 2>&1 | tail -25
	[[ -z $DAEMON ]] || timeout 5 "$B/heddle" -i "$I" drops 2>&1 | head -15
	for name in "${!DAEMONS[@]}"; do
		printf -- '--- host %s\n' "$name"
		timeout 5 "$B/heddle" -i "$I-$name" peer list 2>&1 | head -5
		timeout 5 "$B/heddle" -i "$I-$name" port list 2>&1 | head -5
		timeout 5 "$B/heddle" -i "$I-$name" drops 2>&1 | head -15
	done
	printf -- '--- devices of the host\n'
	ip -n "$N-host" -o link 2>/dev/null | head -20 | cut -c1-110
	printf -- '--- heddled.log\n'
	tail -n 15 "$T/heddled.log" "$T/run/$I/heddled.log" 2>/dev/null
}

namespaces() {
	local file

	for file in "/run/netns/$N"-*; do
		[[ -e $file ]] && printf '%s\n' "${file##*/}"
	done
}

# The namespaces are this test's own, so whatever runs in them was started by it: a daemon in the background, too.
kill_leftovers() {
	local name pids=()

	mapfile -t pids < <(jobs -pr)
	for name in $(namespaces); do
		mapfile -t -O "${#pids[@]}" pids < <(ip netns pids "$name" 2>/dev/null)
	done
	((${#pids[@]})) && kill -KILL "${pids[@]}" 2>/dev/null
	wait 2>/dev/null
}

cleanup() {
	local status=$? name

	trap - EXIT ERR
	trap '' INT TERM HUP PIPE
	set +e
	[[ $status == 4 && -z $SKIPPED ]] && status=1
	((status == 0 || status == 4 || status > 128)) || show_state >&2
	kill_leftovers
	for name in $(namespaces); do
		ip netns del "$name"
	done
	rm -rf "$PINS" "$PINS"-* # the second: instances beside it that the test made
	rmdir "${PINS%/*}" 2>/dev/null # stays while other instances are there
	rm -rf "$T" "$MINE"
	exit "$status"
}

trap 'on_error $? "$BASH_COMMAND"' ERR
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

# ---- waiting and comparing ----

# wait_for SECONDS COMMAND...: until it succeeds. The only place where tests sleep. PATIENCE: so many times as long, in an emulator.
wait_for() {
	local seconds=$(($1 * ${PATIENCE:-1}))
	local end=$((${EPOCHREALTIME/./} + seconds * 1000000))

	shift
	until "$@" >/dev/null 2>&1; do
		((${EPOCHREALTIME/./} < end)) || fail "not within $seconds s: $*"
		sleep 0.02
	done
}

# same WHAT EXPECTED GOT
same() {
	[[ $2 == "$3" ]] && return
	fail "$1"$'\n'"$(diff -u --label expected <(printf '%s\n' "$2") --label got <(printf '%s\n' "$3") || true)"
}

# refused STATUS REGEX COMMAND...: it fails with exactly this status, says so on stderr only, and names the cause.
refused() {
	local status=$1 regex=$2 got=0

	shift 2
	"$@" >"$T/refused.out" 2>"$T/refused.err" || got=$?
	((got == status)) || fail "$*: exit status $got, not $status: $(<"$T/refused.err")"
	[[ ! -s $T/refused.out ]] || fail "$*: refused, but prints: $(<"$T/refused.out")"
	grep -qE -- "$regex" "$T/refused.err" || fail "$*: no '$regex' in: $(<"$T/refused.err")"
}

# ---- namespaces ----

# ns NAME...: fresh namespaces $N-NAME. Without IPv6, whose chatter would disturb counts; see ns6.
ns() {
	local name

	for name; do
		ns6 "$name"
		on "$name" tee /proc/sys/net/ipv6/conf/{all,default}/disable_ipv6 >/dev/null <<<1
	done
}

ns6() {
	local name

	for name; do
		ip netns add "$N-$name"
		on "$name" ip link set lo up
	done
}

# on NAME COMMAND...: run in a namespace. Not "ip netns exec", which hides /sys/fs/bpf.
on() {
	local name=$1

	shift
	nsenter --net="/run/netns/$N-$name" "$@"
}

# bg NAME COMMAND...: the same in the background; $! is the command's own pid.
bg() {
	local name=$1

	shift
	nsenter --net="/run/netns/$N-$name" "$@" &
}

# mac_of NAME DEVICE
mac_of() {
	ip -n "$N-$1" -j link show dev "$2" | jq -r '.[0].address'
}

# echo_from NAME OPTION... ADDRESS...: see echo.py
echo_from() {
	on "$1" /usr/bin/python3 -S "$LIB/echo.py" "${@:2}"
}

# pings FROM [-s SIZE] ADDRESS...: three packets each, all of them answered, and once
pings() {
	echo_from "$@" >"$T/ping" 2>&1 || fail "$1 pings: $(<"$T/ping")"
}

# pings_sized FROM ADDRESS...: with 56, 1600 and 3200 bytes of data
pings_sized() {
	local size

	for size in 56 1600 3200; do pings "$1" -s "$size" "${@:2}"; done
}

silent() {
	! on "$1" ping -n -q -c 2 -i 0.1 -W 1 "$2" >/dev/null 2>&1 || fail "$1 can ping $2"
}

py() {
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$LIB:$T /usr/bin/python3 "$@"
}

# ---- heddle ----

hd() {
	mode_of "$@"
	"$B/heddle" -i "$I" ${PATIENCE:+--timeout $((10 * PATIENCE))} "$@" "${MODE[@]}"
}

# UPLINK_MODE: with this, uplinks are added in that mode; so a test runs as well with XDP, see run.sh
mode_of() {
	MODE=()
	[[ -z ${UPLINK_MODE-} || "${1-} ${2-}" != "uplink add" || " $* " == *" --mode "* ]] || MODE=(--mode "$UPLINK_MODE")
}

daemon_answers() {
	kill -0 "$DAEMON" 2>/dev/null || fail "heddled ended: $(tail -3 "$T/heddled.log")"
	hd network list
}

# daemon_start: returns when it is ready; $DAEMON is its pid. With $T/heddled.conf, if the test has written one.
daemon_start() {
	local conf=()

	[[ ! -e $T/heddled.conf ]] || conf=(--config "$T/heddled.conf")
	nsenter --net="/run/netns/$N-host" "$B/heddled" --foreground --instance "$I" --state-dir "$T/state" \
		--run-dir "$T/run" "${conf[@]}" >>"$T/heddled.log" 2>&1 &
	DAEMON=$!
	wait_for 30 daemon_answers
}

daemon_kill() {
	kill -KILL "$DAEMON"
	wait "$DAEMON" 2>/dev/null || true
}

# daemon_stop: ends with SIGTERM, and must do so with status 0
daemon_stop() {
	kill -TERM "$DAEMON"
	wait "$DAEMON" || fail "heddled: exit status $? after SIGTERM"
}

# daemon_purged: after "hd purge" it ends by itself
daemon_purged() {
	wait "$DAEMON" || fail "heddled: exit status $? after purge"
}

# ---- several hosts: each a namespace with an instance of its own ----

# hosts NAME...: namespaces $N-NAME and a heddled in each, as instance $I-NAME
hosts() {
	local name

	for name; do
		ns "$name"
		host_start "$name"
	done
	for name; do
		wait_for 30 at "$name" network list
	done
}

host_start() {
	nsenter --net="/run/netns/$N-$1" "$B/heddled" --foreground --instance "$I-$1" --state-dir "$T/state" \
		--run-dir "$T/run" >>"$T/heddled.log" 2>&1 &
	DAEMONS[$1]=$!
}

# at HOST COMMAND...: heddle of that host
at() {
	local name=$1

	shift
	mode_of "$@"
	"$B/heddle" -i "$I-$name" "$@" "${MODE[@]}"
}

# wire A B: a veth pair between two hosts, "wire" at both ends: 192.0.2.1 and .2, 2001:db8:ffff::1 and ::2; MTU 1500
wire() {
	ip -n "$N-$1" link add wire type veth peer name wire netns "$N-$2"
	local name number=1

	for name; do
		on "$name" tee /proc/sys/net/ipv6/conf/wire/disable_ipv6 >/dev/null <<<0
		ip -n "$N-$name" addr add "192.0.2.$number/24" dev wire
		ip -n "$N-$name" addr add "2001:db8:ffff::$number/64" dev wire nodad
		ip -n "$N-$name" link set wire up
		number=$((number + 1))
	done
	link_turns "$1" wire UP
	link_turns "$2" wire UP
}

# lan NAME...: hosts on one switch: "wire" with 192.0.2.1, .2, ... in their order; MTU 1500
lan() {
	local name number=1

	ns lan
	ip -n "$N-lan" link add name switch type bridge
	ip -n "$N-lan" link set switch up
	for name; do
		ip -n "$N-$name" link add wire type veth peer name "to-$name" netns "$N-lan"
		ip -n "$N-lan" link set "to-$name" master switch up
		ip -n "$N-$name" addr add "192.0.2.$number/24" dev wire
		ip -n "$N-$name" link set wire up
		number=$((number + 1))
	done
	for name; do
		link_turns "$name" wire UP
	done
}

# mesh NAME...: hosts on one lan(), each with the others as peers
mesh() {
	local name other number=1 theirs

	lan "$@"
	for name; do
		at "$name" uplink add wire --tunnel-ip "192.0.2.$number"
		theirs=1
		for other; do
			[[ $other == "$name" ]] || at "$name" peer add "$other" --tunnel-ip "192.0.2.$theirs"
			theirs=$((theirs + 1))
		done
		number=$((number + 1))
	done
	for name; do
		for other; do
			[[ $other == "$name" ]] || wait_for 10 peer_is "$name" "$other" up
		done
	done
}

# plain_wire A B: as a network card would be: nothing but whole, checksummed frames
plain_wire() {
	local name

	for name; do
		on "$name" ethtool -K wire tso off gso off tx off gro off >/dev/null
	done
}

# joined HOST NET NAME NUMBER [PORT-OPTION...]: a workload on a host, with 10.0.20.NUMBER and 2001:db8::NUMBER
joined() {
	local host=$1 net=$2 name=$3 number=$4

	shift 4
	ns6 "$name"
	at "$host" port add "$name" --network "$net" --netns "$N-$name" --ifname eth0 --ip "10.0.20.$number/24" \
		--ip "2001:db8::$number/64" --mac "02:00:00:00:00:0$number" "$@"
}

peer_is() {
	[[ $(at "$1" -j peer show "$2" | jq -r .state) == "$3" ]]
}

# drops_at HOST REASON [PORT]: as drops_of
drops_at() {
	at "$1" -j drops | jq --arg r "$2" --arg p "${3-}" \
		'[.[] | select(.reason == $r and ($p == "" or .port == $p)) | .packets] | add // 0'
}

# host: the usual beginning
host() {
	ns host
	daemon_start
}

# workload NET NAME [PORT-OPTION...]: a namespace with eth0, which is port NAME
workload() {
	local net=$1 name=$2

	shift 2
	ns "$name"
	hd port add "$name" --network "$net" --netns "$N-$name" --ifname eth0 "$@"
}

# dual NET NAME NUMBER [PORT-OPTION...]: the same with 10.0.20.NUMBER and 2001:db8::NUMBER
dual() {
	local net=$1 name=$2 number=$3

	shift 3
	ns6 "$name"
	hd port add "$name" --network "$net" --netns "$N-$name" --ifname eth0 --ip "10.0.20.$number/24" \
		--ip "2001:db8::$number/64" --mac "02:00:00:00:00:0$number" "$@"
}

# mute NET NAME NUMBER [PORT-OPTION...]: a workload that says nothing by itself, to be played by lab.py. NUMBER is from 1 to 9. Heddle
# knows addresses of it as for dual; its device has none.
mute() {
	bare "$1" "$2" "$3" --mac "02:00:00:00:00:0$3" --ip "10.0.20.$3" --ip "2001:db8::$3" "${@:4}"
}

# bare NET NAME NUMBER [PORT-OPTION...]: the same, and heddle knows no address of it either
bare() {
	ns "$2"
	veth "dev-$2" "$2" eth0
	ip -n "$N-$2" link set eth0 address "02:00:00:00:00:0$3"
	hd port add "$2" --network "$1" --device "dev-$2" "${@:4}"
}

# lab PROGRAM NAME=NUMBER...: see lab.py
lab() {
	local program=$1

	shift
	py "$program" "$T/run/$I/api.sock" "$N" "$@"
}

# matrix EXPECTED: see matrix.py
matrix() {
	same "who reaches whom" "$1" "$(awk '{ NF--; print }' <<<"$1" | py "$LIB/matrix.py" "$N")"
}

# rule GROUP OPTION...: adds a rule and prints its id
rule() {
	hd -j security-group rule-add "$@" | jq .id
}

# allow GROUP OPTION...: the same without the id
allow() {
	hd security-group rule-add "$@" >/dev/null
}

# veth DEVICE NAME IFNAME: a pair, one end in the host, the other in a namespace (that may be the host), both up
veth() {
	ip -n "$N-host" link add "$1" type veth peer name "$3" netns "$N-$2"
	ip -n "$N-host" link set "$1" up
	ip -n "$N-$2" link set "$3" up
	link_turns "$2" "$3" UP
	link_turns host "$1" UP
}

# link_turns NAME DEVICE UP|DOWN: the kernel tells of a carrier at once, a second later, or when its work queues have time
link_turns() {
	wait_for 60 link_is "$@"
}

link_is() {
	[[ $(ip -n "$N-$1" -o link show dev "$2") == *" state $3 "* ]]
}

# has_tcx: whether the kernel has it (6.6); else ports are attached by clsact
has_tcx() {
	grep -q ' tcx_link_attach' /proc/kallsyms
}

port_is() {
	[[ $(hd -j port show "$1" | jq -r .state) == "$2" ]]
}

# drops_of REASON [PORT]: packets that were dropped for it
drops_of() {
	hd -j drops | jq --arg r "$1" --arg p "${2-}" \
		'[.[] | select(.reason == $r and ($p == "" or .port == $p)) | .packets] | add // 0'
}

# table_of NAME: "USED SIZE" of a table, as status has it
table_of() {
	hd -j status | jq -r --arg t "$1" '.tables[] | select(.name == $t) | "\(.used) \(.size)"'
}

# ---- what the instance has in the kernel: by way of its pins, since other instances run beside it ----

pinned_maps() {
	local pin

	for pin in "$PINS"/maps/*; do
		bpftool -j map show pinned "$pin" | jq .id
	done
}

# bpf_objects: a line for each map, program and link of the instance: those pinned, and all that belong to them
bpf_objects() {
	local maps progs

	maps=$(pinned_maps | jq -sc .)
	progs=$(bpftool -j prog show | jq -c --argjson m "$maps" \
		'[.[] | select([.map_ids[]?] - ([.map_ids[]?] - $m) != [])]')
	jq -r '.[] | "prog \(.id)"' <<<"$progs"
	jq -r --argjson m "$maps" '[.[].map_ids[]?] + $m | unique[] | "map \(.)"' <<<"$progs"
	bpftool -j link show | jq -r --argjson p "$(jq -c '[.[].id]' <<<"$progs")" \
		'.[] | select(.prog_id as $id | $p | index($id)) | "link \(.id)"'
}

# bpf_gone FILE: none of the objects that a file lists is there
bpf_gone() {
	local kind id

	while read -r kind id; do
		! bpftool "$kind" show id "$id" >/dev/null 2>&1 || return 1
	done <"$1"
}

open_fds() {
	local fds=("/proc/$DAEMON/fd/"*)

	printf '%s\n' "${#fds[@]}"
}

is_sanitized() {
	grep -q __asan_init "$B/heddled"
}

# ---- traffic that must not notice anything ----

# traffic_start FROM TO ADDRESS: see traffic.py; returns when it flows
traffic_start() {
	rm -f "$T/flows"
	PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$LIB/traffic.py" "$N-$1" "$N-$2" "$3" "$T/flows" 1000 \
		>"$T/traffic" 2>&1 &
	TRAFFIC=$!
	wait_for 15 traffic_flows
}

traffic_flows() {
	kill -0 "$TRAFFIC" 2>/dev/null || fail "traffic: $(<"$T/traffic")"
	[[ -e $T/flows ]]
}

traffic_stop() {
	kill -TERM "$TRAFFIC" 2>/dev/null || fail "traffic ended early: $(<"$T/traffic")"
	wait "$TRAFFIC" || fail "traffic: $(<"$T/traffic")"
	cat "$T/traffic"
}
