#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# bench.sh - compare heddle with its peers; see docs/performance.md
#
#   tests/perf/bench.sh [-r ROUNDS] [-t SECONDS] [-c CPU[,CPU]] [-s SETUP,SETUP...] [ROW...]
#
# Without ROW: all rows. -c: CPU of the client and of the server (default: both on the last one).
# Environment: BENCH_ROUNDS, BENCH_SECONDS, BENCH_CPUS, BENCH_SETUPS; B=build. Other sizes than the
# rows say: BENCH_MANY_PORTS, BENCH_REAL_PORTS, BENCH_MISSING_PORTS.
#
# Prints a table, adds the run to $B/bench/results.json and draws $B/bench/ROW.svg. A figure that
# misses its goal is reported; only a set-up that does not work makes the suite fail.
#
# A new row is a line in ROWS, and a function if no mode of rr yields it; see lib.sh for set-ups.
set -u

HERE=$(cd "$(dirname "$0")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
BUILD=${B:-build}
[ "${BUILD#/}" != "$BUILD" ] || BUILD=$TOP/$BUILD
OUT=$BUILD/bench
HEDDLE_BIN=${HEDDLE_BIN:-$BUILD}
PERF_BIN=$OUT
ROUNDS=${BENCH_ROUNDS:-9}
RUN_SECONDS=${BENCH_SECONDS:-0.5}
PERF_CPUS=${BENCH_CPUS:-$(($(nproc) - 1))}

# shellcheck source=tests/perf/lib.sh
. "$HERE/lib.sh"

# id | where it comes from | better | goal | compared with | unit | what it is
#
# From "run:MODE:KEY": one figure of rr's output, for each set-up in turn. From "fn:NAME": the
# function row_NAME makes the samples. Better: ge = more, le = less. The goal is for the ratio, or
# for the figure itself where nothing is compared (-).
ROWS='
P1          | run:tcp_stream:gbits   | ge | 1.00 | bare | Gbit/s  | same-host TCP throughput
P2          | run:udp_rr:per_second  | ge | 0.96 | bare | 1/s     | same-host UDP request-response
tcp-rr      | run:tcp_rr:per_second  | ge | 0.96 | bare | 1/s     | same-host TCP request-response
P4          | fn:overlay | ge | 0.85 | bare    | 1/s    | overlay UDP request-response
P5          | fn:overlay | ge | 1.45 | kvxlan0 | 1/s    | overlay TCP request-response
P5-udp      | fn:overlay | ge | 1.60 | kvxlan0 | 1/s    | overlay UDP request-response
P6          | fn:overlay | ge | 0.95 | bare    | Gbit/s | overlay TCP throughput, wire of super-packets
P6-kernel   | fn:overlay | ge | 1.35 | kvxlan0 | Gbit/s | the same
P7          | fn:overlay | ge | 1.15 | kvxlan1 | Gbit/s | overlay TCP throughput, wire of MTU-sized frames
P7-xdp      | fn:overlay | ge | 1.15 | kvxlan1 | Gbit/s | the same, uplinks by XDP
P7-modes    | fn:overlay | ge | 1.00 | overlay1 | Gbit/s | the same, XDP against TC
P8          | fn:overlay | le | 0.18 | -       | ratio  | what the overlay adds to a request, against the kernel
P9-out      | fn:peers   | le | 250  | -      | ns     | established packet to a peer: hd_port_in on the wire (bpf_stats)
P9-in       | fn:peers   | le | 200  | -      | ns     | established packet from a peer: hd_uplink_in on the wire
peers       | fn:peers   | ge | 0.97 | peers1 | 1/s    | overlay UDP request-response by peers, by remote MACs
peers-tcp   | fn:peers   | ge | 0.97 | peers1 | Gbit/s | overlay TCP throughput, the same
peers-out   | fn:peers   | le | 1.05 | peers1 | ns     | hd_port_in to a peer, the same
peers-in    | fn:peers   | le | 1.05 | peers1 | ns     | hd_uplink_in from a peer, the same
P16-macs    | fn:macs    | le | 0.1  | -      | s      | apply of 64,000 remote MACs
macs-learn  | fn:macs    | le | -    | -      | s      | 64,000 remote MACs learned, a packet from each, with what sending takes
macs-first  | fn:macs    | le | -    | -      | ns     | hd_uplink_in for each of these packets (bpf_stats)
macs-in     | fn:macs    | le | 1.5  | known1 | ns     | hd_uplink_in, packets from random ones of 64,000 learned MACs against 1
macs-out    | fn:macs    | le | 1.5  | known1 | ns     | hd_port_in, packets to random ones of 64,000, the same
macs-map    | fn:macs    | le | -    | -      | B      | of one of 64,000 learned MACs (memlock)
macs-list   | fn:macs    | le | 1.0  | -      | s      | heddle fdb list of 64,000
macs-memory | fn:macs    | le | 64   | -      | MB     | of the daemon with 64,000 configured remote MACs
P13         | run:tcp_crr:per_second | ge | 0.85 | bare | 1/s     | connect-request-close
P18         | run:udp_rr:tail        | le | 1.10 | bare | p99/p50 | tail of UDP request-response
ports       | fn:ports   | ge | 0.97 | few | 1/s | UDP request-response, 1,000 ports against 3
ports-ns    | fn:ports   | le | 1.05 | few | ns  | hd_port_in on the wire (bpf_stats)
prog        | fn:ports   | le | 1.05 | few | ns  | hd_port_in, known unicast (test run)
prog-learn  | fn:ports   | le | 1.05 | few | ns  | the same from a learned source MAC
prog-gso    | fn:ports   | le | 1.05 | few | ns  | the same for a super-packet
P9          | fn:flows   | le | 250  | -   | ns  | established UDP packet, all features (test run)
P9-tcp      | fn:flows   | le | 250  | -   | ns  | established TCP packet, the same
P9-wire     | fn:flows   | le | 250  | -   | ns  | established UDP packet on the wire (bpf_stats)
P12         | fn:flows   | le | 1.5  | flows1000 | ns | established packet, 1M random flows against 1,000
P14         | fn:flows   | ge | 2.0  | -   | M/s | new UDP connections on one core, both packets
P14-first   | fn:flows   | ge | 2.0  | -   | M/s | the first packet alone
P14-tcp     | fn:flows   | ge | 2.0  | -   | M/s | TCP connections: SYN, SYN ACK, ACK
P14-full    | fn:flows   | ge | 2.0  | -   | M/s | as P14 while 1M others are established
P14-refused | fn:flows   | ge | 2.0  | -   | M/s | as P14 while there is no room: each is refused
P17         | fn:flows   | le | 145  | -   | B   | of an IPv4 connection, both directions (memlock)
flow-list   | fn:flows   | le | 1.0  | -   | s   | heddle flow list of 100,000
latency     | fn:flows   | le | 50   | -   | ms  | slowest of 200 status requests during the sweep of 1M flows
P10         | fn:rules   | le | 1.05 | rules10 | ns  | established packet, 100,000 rules against 10 (test run)
P11         | fn:rules   | le | 1.2  | rules10 | ns  | first packet, the same
rr-rules    | fn:rules   | ge | 0.96 | bare    | 1/s | UDP request-response by rules
first-rules | fn:rules   | ge | 0.85 | bare    | 1/s | UDP request-response from a new port each time
P15         | fn:rules   | le | 1    | -       | ms  | rule change in force, 99th percentile
P15-p50     | fn:rules   | le | 1    | -       | ms  | rule change in force, median
routed      | fn:routed  | ge | 1.00 | kroute  | 1/s | UDP request-response across a router, against routing by the kernel
routed-nft  | fn:routed  | ge | 1.00 | nft10   | 1/s | the same, against that with nftables tracking connections
routed-tcp  | fn:routed  | ge | 1.00 | kroute  | Gbit/s | TCP throughput across a router, against routing by the kernel
routed-tnft | fn:routed  | ge | 1.00 | nft10   | Gbit/s | the same, against that with nftables
routed-ns   | fn:routed  | le | 400  | -       | ns  | established routed packet on the wire (bpf_stats)
P10-routed  | fn:routed  | le | 1.05 | routed10 | ns | the same, 10,000 static routes against 10
nat-rr      | fn:nat     | ge | 1.00 | nftmasq | 1/s | UDP request-response, translated on its way out, against masquerading by nftables
nat-crr     | fn:nat     | ge | 1.00 | nftmasq | 1/s | connect-request-reset, the same
nat-tcp     | fn:nat     | ge | 1.00 | nftmasq | Gbit/s | TCP throughput, the same
nat-ns      | fn:nat     | le | -    | -       | ns  | established packet translated on its way out: hd_port_in on the wire (bpf_stats)
nat-ns-in   | fn:nat     | le | -    | -       | ns  | its answer: hd_uplink_in
P20         | fn:nat     | ge | 0.98 | direct  | 1/s | UDP request-response by a floating IP, against the address that it stands for
fip-dnat    | fn:nat     | ge | 1.00 | nftdnat | 1/s | UDP request-response by a floating IP, against nftables
P16         | fn:load    | le | 0.1  | -   | s   | apply of 100,000 rules
P16-members | fn:load    | le | 0.1  | -   | s   | apply of 64,000 members of a group
P22         | fn:missing | le | 1.0  | -   | s   | first start, 10,000 ports, devices missing
P22-adopt   | fn:missing | le | 1.0  | -   | s   | restart, the same
P22-real    | fn:real    | le | 1.0  | -   | s   | first start, 1,000 ports with devices
P22-readopt | fn:real    | le | 1.0  | -   | s   | restart, the same
P21         | fn:cni     | le | 10   | -     | ms | CNI ADD, all of it but the making of the namespace
P21-add     | fn:cni     | le | 1.00 | chain | ms | CNI ADD, against bridge, host-local and portmap
P21-p99     | fn:cni     | le | 1.00 | chain | ms | the same, 99th percentile
P21-del     | fn:cni     | le | 1.00 | chain | ms | CNI DEL
P21-del-p99 | fn:cni     | le | 1.00 | chain | ms | the same, 99th percentile
P21-64      | fn:cni     | le | 1.00 | chain | ms | CNI ADD, 64 at once
P21-64-p99  | fn:cni     | le | 1.00 | chain | ms | the same, 99th percentile
P21-del-64  | fn:cni     | le | 1.00 | chain | ms | CNI DEL, 64 at once
P21-del-64-p99 | fn:cni  | le | 1.00 | chain | ms | the same, 99th percentile
P21-growth  | fn:cni     | le | 1.10 | -     | ratio | CNI ADD, the last 100 of 1,000 containers, one after the other, against the first
P21-del-growth | fn:cni  | le | 1.10 | -     | ratio | CNI DEL, the same
P21-memory  | fn:cni     | le | 1    | -     | MB | what the daemon has grown by after these
apply       | fn:real    | le | 2.0  | -   | s   | apply of 1,000 ports on 100 networks
memory      | fn:real    | le | 64   | -   | MB  | of the daemon with these
'

usage()
{
	sed -n 's/^#   \(tests.*\)/usage: \1/p' "$0" >&2
	exit 2
}

rows_field() # ROW NUMBER
{
	awk -F ' *[|] *' -v id="$1" -v n="$2" '{ sub(/ *$/, "") } $1 == id { print $n }' <<<"$ROWS"
}

chosen_rows() # [ROW...]
{
	if [ $# = 0 ]; then
		rows_all
	else
		printf '%s\n' "$@"
	fi
}

rows_all()
{
	awk -F ' *[|] *' 'NF > 1 { print $1 }' <<<"$ROWS"
}

sample() # ROW SETUP ROUND VALUE
{
	[ -n "$4" ] || die "$1: $2: no figure"
	printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$PERF_TMP/samples"
}

# --- rows from rr ---

run_rr() # SETUP MODE [PREFIX COMMAND...]
{
	local setup=$1 mode=$2

	shift 2
	in_ns "$(ns_name "$setup" client)" "$@" "$PERF_BIN/rr" client "$mode" "$SERVER_IP" \
		-c "$(client_cpu)" -t "$RUN_SECONDS" || die "$setup: $mode does not work"
}

# Every second round backwards, so that a drift of the machine does not favour the first.
in_turn() # ROUND SETUP...
{
	local round=$1

	shift
	if [ $((round % 2)) = 0 ]; then
		printf '%s\n' "$@" | tac
	else
		printf '%s\n' "$@"
	fi
}

modes_of() # ROW...
{
	local row

	for row in "$@"; do
		rows_field "$row" 2 | sed -n 's/^run:\([a-z_]*\):.*/\1/p'
	done | sort -u
}

# All rows that want this mode take their key from the one run.
take_samples() # MODE SETUP ROUND JSON ROW...
{
	local mode=$1 setup=$2 round=$3 json=$4 row from

	shift 4
	for row in "$@"; do
		from=$(rows_field "$row" 2)
		[ "${from%:*}" = "run:$mode" ] || continue
		sample "$row" "$setup" "$round" "$(json_value "${from##*:}" <<<"$json")"
	done
}

usable_setups() # SETUP...
{
	local setup why

	for setup in "$@"; do
		if why=$("$(setup_kind "$setup")_can"); then
			echo "$setup"
		else
			note "$setup left out: $why"
		fi
	done
}

compare() # ROW...
{
	local setups modes round setup mode json

	mapfile -t modes < <(modes_of "$@")
	[ ${#modes[@]} != 0 ] || return 0
	# shellcheck disable=SC2086 # a list of words
	mapfile -t setups < <(usable_setups $SETUPS)
	for setup in "${setups[@]}"; do
		setup_up "$setup"
	done
	for round in $(seq "$ROUNDS"); do
		note "round $round of $ROUNDS: ${setups[*]} - ${modes[*]}"
		for mode in "${modes[@]}"; do
			for setup in $(in_turn "$round" "${setups[@]}"); do
				json=$(run_rr "$setup" "$mode") || exit 1
				take_samples "$mode" "$setup" "$round" "$json" "$@"
			done
		done
	done
	for setup in "${setups[@]}"; do
		setup_down "$setup"
	done
}

# --- ports: does a packet cost the same however many ports there are? ---

test_run() # SETUP DEVICE OPTIONS...
{
	local setup=$1 dev=$2

	shift 2
	in_ns "$(ns_name "$setup" host)" taskset -c "$(server_cpu)" "$PERF_BIN/prog_ns" run \
		-P "$(heddle_pin "$setup" hd_port_in)" -i "$dev" -d 02:00:00:00:00:02 "$@" |
		json_value ns
}

ports_round() # SETUP ROUND
{
	local setup=$1 round=$2 dev stats=$PERF_TMP/stats

	dev=$(hd "$setup" -j port show client | json_text host-device)
	sample ports "$setup" "$round" "$(run_rr "$setup" udp_rr | json_value per_second)"
	run_rr "$setup" udp_rr "$PERF_BIN/prog_ns" stats -P "$(heddle_pin "$setup" hd_port_in)" \
		-o "$stats" -- >/dev/null
	sample ports-ns "$setup" "$round" "$(json_value ns_per_run <"$stats")"
	sample prog "$setup" "$round" "$(test_run "$setup" "$dev" -s 02:00:00:00:00:01)"
	sample prog-learn "$setup" "$round" "$(test_run "$setup" "$dev" -s 02:00:00:00:00:99)"
	sample prog-gso "$setup" "$round" \
		"$(test_run "$setup" "$dev" -s 02:00:00:00:00:01 -l 1514 -g 1400)"
}

row_ports()
{
	local round setup

	setup_up few
	setup_up many
	for round in $(seq "$ROUNDS"); do
		note "round $round of $ROUNDS: few many - ports"
		for setup in $(in_turn "$round" few many); do
			ports_round "$setup" "$round"
		done
	done
	setup_down many
	setup_down few
}

# --- flows: what a packet costs with security, and how that depends on the number of flows ---

flow_ns() # SETUP ROLE OPTION...: that end's packets through hd_port_in
{
	local setup=$1 dev src=1 dst=2 reverse=

	[ "$2" = client ] || src=2 dst=1 reverse=-R
	dev=$(hd "$setup" -j port show "$2" | json_text host-device)
	shift 2
	# shellcheck disable=SC2086 # an option or nothing
	in_ns "$(ns_name "$setup" host)" taskset -c "$(server_cpu)" "$PERF_BIN/flow_ns" run \
		-P "$(heddle_pin "$setup" hd_port_in)" -i "$dev" -s 02:00:00:00:00:0$src \
		-d 02:00:00:00:00:0$dst $reverse "$@"
}

flow_table() # SETUP fill|clear COUNT SERIES
{
	"$PERF_BIN/flow_ns" "$2" -M "$(heddle_map "$1" hd_flow4)" -n "$3" -x "$4"
}

# The redirect that a packet must end in; anything else means that what was measured was something else.
REDIRECTED=7
DROPPED=2

ns_of() # VERDICT JSON
{
	[ "$(json_value verdict <<<"$2")" = "$1" ] || die "unexpected verdict: $2"
	json_value ns <<<"$2"
}

millions() # NS...: so many in a second, if one takes all of them
{
	awk '{ for (i = 1; i <= NF; i++) ns += $i; printf "%.3f\n", 1000 / ns }' <<<"$*"
}

# Series of ports that nobody has used: a connection is new once.
SERIES=10
NEW=16000

new_udp() # SETUP ROW ROUND VERDICT_OF_THE_REPLY
{
	local first reply

	SERIES=$((SERIES + 1))
	first=$(ns_of $REDIRECTED "$(flow_ns "$1" client -n $NEW -x $SERIES)") || exit 1
	reply=$(ns_of "$4" "$(flow_ns "$1" server -n $NEW -x $SERIES)") || exit 1
	sample "$2" heddle "$3" "$(millions "$first" "$reply")"
	[ "$2" != P14 ] || sample P14-first heddle "$3" "$(millions "$first")"
	flow_table "$1" clear $NEW $SERIES >/dev/null
}

new_tcp() # SETUP ROW ROUND
{
	local syn synack ack

	SERIES=$((SERIES + 1))
	syn=$(ns_of $REDIRECTED "$(flow_ns "$1" client -n $NEW -x $SERIES -T 0x02)") || exit 1
	synack=$(ns_of $REDIRECTED "$(flow_ns "$1" server -n $NEW -x $SERIES -T 0x12)") || exit 1
	ack=$(ns_of $REDIRECTED "$(flow_ns "$1" client -n $NEW -x $SERIES -T 0x10)") || exit 1
	sample "$2" heddle "$3" "$(millions "$syn" "$synack" "$ack")"
	hd "$1" flow flush --protocol tcp >/dev/null
}

# A TCP flow that is established, for one packet of it over and over.
one_tcp() # SETUP SERIES
{
	flow_ns "$1" client -n 1 -x "$2" -T 0x02 >/dev/null
	flow_ns "$1" server -n 1 -x "$2" -T 0x12 >/dev/null
	flow_ns "$1" client -n 1 -x "$2" -T 0x10 >/dev/null
}

flows_few() # ROUND
{
	local stats=$PERF_TMP/stats

	run_rr heddle udp_rr "$PERF_BIN/prog_ns" stats -P "$(heddle_pin heddle hd_port_in)" \
		-o "$stats" -- >/dev/null
	sample P9-wire heddle "$1" "$(json_value ns_per_run <"$stats")"
	sample P9 heddle "$1" "$(ns_of $REDIRECTED "$(flow_ns heddle client -n 1 -x 1 -k 200000)")"
	one_tcp heddle 2
	sample P9-tcp heddle "$1" \
		"$(ns_of $REDIRECTED "$(flow_ns heddle client -n 1 -x 2 -k 200000 -T 0x10)")"
	sample P12 flows1000 "$1" \
		"$(ns_of $REDIRECTED "$(flow_ns heddle client -n 1000 -x 1 -k 1000000)")"
	new_udp heddle P14 "$1" $REDIRECTED
	new_tcp heddle P14-tcp "$1"
}

flows_many() # ROUND
{
	sample P12 flows1000000 "$1" \
		"$(ns_of $REDIRECTED "$(flow_ns heddle client -n 1000000 -x 1)")"
	new_udp heddle P14-full "$1" $REDIRECTED
	# Now without room: the table has 1.2M.
	flow_table heddle fill 198000 2 >/dev/null
	flow_table heddle fill 4000 3 >/dev/null 2>&1
	new_udp heddle P14-refused "$1" $DROPPED
	flow_table heddle clear 4000 3 >/dev/null
	flow_table heddle clear 198000 2 >/dev/null
}

flow_list() # ROUND
{
	flow_table heddle fill 100000 1 >/dev/null
	sample flow-list heddle "$1" "$(timed hd heddle flow list)"
	flow_table heddle clear 100000 1 >/dev/null
}

row_flows()
{
	local round

	setup_up heddle
	# What is copied, and whose state must not be touched: a flow of the wire.
	run_rr heddle udp_rr >/dev/null
	for round in $(seq "$((ROUNDS < 5 ? ROUNDS : 5))"); do
		note "round $round: heddle - flows"
		flow_table heddle fill 1000 1 >/dev/null
		flows_few "$round"
		flow_table heddle clear 1000 1 >/dev/null
		sample P17 heddle "$round" "$(flow_table heddle fill 1000000 1 | json_value bytes)"
		flows_many "$round"
		sample latency heddle "$round" "$("$PERF_BIN/api" get -n 200 -w 30000 \
			"$(heddle_socket heddle)" status | json_value max_ms)"
		flow_table heddle clear 1000000 1 >/dev/null
		flow_list "$round"
	done
	setup_down heddle
}

# --- rules: does it depend on the number of rules? heddle, and nftables with as many ---

RULE='{"direction":"ingress","protocol":"tcp","port":"7","remote":"10.255.0.1/32"}'

# A rule is added and removed; nft has no daemon, so its command's own time is in it.
change_nft() # SETUP TIMES
{
	local handle ns

	ns=$(ns_name "$1" host)
	for _ in $(seq "$2"); do
		timed in_ns "$ns" nft insert rule inet perf forward ip saddr 10.255.0.1 accept
		handle=$(in_ns "$ns" nft -a list chain inet perf forward |
			sed -n 's/.*10.255.0.1 .*handle \([0-9]*\)/\1/p')
		timed in_ns "$ns" nft delete rule inet perf forward handle "$handle"
	done | sort -n | awk '{ ms[NR] = $1 * 1000 }
		END { printf "{\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n", ms[int(NR / 2) + 1], ms[int(NR * 0.99) + 1] }'
}

change() # SETUP
{
	local n times=100

	n=$(setup_number "$1")
	[ "$n" -lt 10000 ] || times=20
	[ "$n" -lt 100000 ] || times=5
	case $1 in
	rules*) "$PERF_BIN/api" rules -n $times "$(heddle_socket "$1")" bench "$RULE" ;;
	nft*) change_nft "$1" $((times < 20 ? times : 20)) ;;
	esac
}

rules_change() # ROUND SETUP
{
	local json

	[ "$2" != bare ] || return 0
	json=$(change "$2") || exit 1
	sample P15 "$2" "$1" "$(json_value p99_ms <<<"$json")"
	sample P15-p50 "$2" "$1" "$(json_value p50_ms <<<"$json")"
}

rules_ns() # ROUND SETUP
{
	[[ $2 == rules* ]] || return 0
	flow_table "$2" fill 1000 1 >/dev/null
	sample P10 "$2" "$1" "$(ns_of $REDIRECTED "$(flow_ns "$2" client -n 1 -x 1 -k 200000)")"
	flow_table "$2" clear 1000 1 >/dev/null
	SERIES=$((SERIES + 1))
	sample P11 "$2" "$1" "$(ns_of $REDIRECTED "$(flow_ns "$2" client -n $NEW -x $SERIES)")"
}

rules_rr() # ROUND SETUP
{
	sample rr-rules "$2" "$1" "$(run_rr "$2" udp_rr | json_value per_second)"
	sample first-rules "$2" "$1" "$(run_rr "$2" udp_first | json_value per_second)"
}

row_rules()
{
	local round setup setups

	mapfile -t setups < <(usable_setups bare rules10 rules1000 rules10000 rules100000 \
		nft10 nft1000 nft10000)
	for setup in "${setups[@]}"; do
		setup_up "$setup"
	done
	for round in $(seq "$ROUNDS"); do
		note "round $round of $ROUNDS: ${setups[*]} - rules"
		for setup in $(in_turn "$round" "${setups[@]}"); do
			rules_rr "$round" "$setup"
			rules_ns "$round" "$setup"
		done
	done
	for round in 1 2 3; do
		for setup in "${setups[@]}"; do
			note "round $round: $setup - change"
			rules_change "$round" "$setup"
		done
	done
	for setup in "${setups[@]}"; do
		setup_down "$setup"
	done
}

# --- overlay: between two hosts ---

overlay_value() # SETUP MODE KEY
{
	local json

	json=$(run_rr "$1" "$2") || exit 1
	json_value "$3" <<<"$json"
}

overlay_round() # ROUND SETUP: leaves requests per second in UDP_RR[SETUP]
{
	local round=$1 setup=$2 gbits tcp

	gbits=$(overlay_value "$setup" tcp_stream gbits)
	case $setup in
	*1)
		[ "$setup" = xdp1 ] || sample P7 "$setup" "$round" "$gbits"
		[ "$setup" = overlay1 ] || sample P7-xdp "$setup" "$round" "$gbits"
		[ "$setup" = kvxlan1 ] || sample P7-modes "$setup" "$round" "$gbits"
		return
		;;
	esac
	UDP_RR[$setup]=$(overlay_value "$setup" udp_rr per_second)
	tcp=$(overlay_value "$setup" tcp_rr per_second)
	sample P4 "$setup" "$round" "${UDP_RR[$setup]}"
	sample P6 "$setup" "$round" "$gbits"
	[ "$setup" != bare ] || return 0
	sample P5 "$setup" "$round" "$tcp"
	sample P5-udp "$setup" "$round" "${UDP_RR[$setup]}"
	sample P6-kernel "$setup" "$round" "$gbits"
}

row_overlay()
{
	local round setup setups
	declare -A UDP_RR

	mapfile -t setups < <(usable_setups bare overlay0 kvxlan0 overlay1 kvxlan1 xdp1)
	for setup in "${setups[@]}"; do
		setup_up "$setup"
	done
	for round in $(seq "$ROUNDS"); do
		note "round $round of $ROUNDS: ${setups[*]} - overlay"
		for setup in $(in_turn "$round" "${setups[@]}"); do
			overlay_round "$round" "$setup"
		done
		sample P8 overlay0 "$round" "$(awk -v b="${UDP_RR[bare]}" -v o="${UDP_RR[overlay0]}" -v k="${UDP_RR[kvxlan0]}" \
			'BEGIN { printf "%.3f", (1 / o - 1 / b) / (1 / k - 1 / b) }')"
	done
	for setup in "${setups[@]}"; do
		setup_down "$setup"
	done
}

# --- routed: what a router costs, against the kernel's routing; and whether that depends on the number of routes ---

routed_ns() # ROUND SETUP
{
	local stats=$PERF_TMP/stats ns

	run_rr "$2" udp_rr "$PERF_BIN/prog_ns" stats -P "$(heddle_pin "$2" hd_port_in)" -o "$stats" -- >/dev/null
	ns=$(json_value ns_per_run <"$stats")
	sample P10-routed "$2" "$1" "$ns"
	[ "$2" != routed10 ] || sample routed-ns "$2" "$1" "$ns"
}

routed_round() # ROUND SETUP
{
	local round=$1 setup=$2 rr gbits

	[ "$setup" != routed10000 ] || { routed_ns "$round" "$setup" && return; }
	rr=$(run_rr "$setup" udp_rr | json_value per_second)
	gbits=$(run_rr "$setup" tcp_stream | json_value gbits)
	[ "$setup" = nft10 ] || { sample routed "$setup" "$round" "$rr" && sample routed-tcp "$setup" "$round" "$gbits"; }
	[ "$setup" = kroute ] || { sample routed-nft "$setup" "$round" "$rr" && sample routed-tnft "$setup" "$round" "$gbits"; }
	[ "$setup" != routed10 ] || routed_ns "$round" "$setup"
}

row_routed()
{
	local round setup setups

	mapfile -t setups < <(usable_setups routed10 routed10000 kroute nft10)
	for setup in "${setups[@]}"; do
		setup_up "$setup"
	done
	for round in $(seq "$ROUNDS"); do
		note "round $round of $ROUNDS: ${setups[*]} - routed"
		for setup in $(in_turn "$round" "${setups[@]}"); do
			routed_round "$round" "$setup"
		done
	done
	for setup in "${setups[@]}"; do
		setup_down "$setup"
	done
}

# --- nat: what translation costs, out of a router and by a floating IP ---

nat_ns() # ROUND
{
	local stats=$PERF_TMP/stats

	run_rr snat udp_rr "$PERF_BIN/prog_ns" stats -P "$(heddle_pin snat hd_port_in)" -P "$(heddle_pin snat hd_uplink_in)" \
		-o "$stats" -- >/dev/null
	sample nat-ns snat "$1" "$(stats_of "$stats" hd_port_in)"
	sample nat-ns-in snat "$1" "$(stats_of "$stats" hd_uplink_in)"
}

nat_round() # ROUND SETUP
{
	local round=$1 setup=$2 rr

	rr=$(run_rr "$setup" udp_rr | json_value per_second)
	case $setup in
	snat | nftmasq)
		sample nat-rr "$setup" "$round" "$rr"
		sample nat-crr "$setup" "$round" "$(run_rr "$setup" tcp_reset | json_value per_second)"
		sample nat-tcp "$setup" "$round" "$(run_rr "$setup" tcp_stream | json_value gbits)"
		;;
	esac
	case $setup in
	snat) nat_ns "$round" ;;
	fip | direct) sample P20 "$setup" "$round" "$rr" ;;
	esac
	case $setup in
	fip | nftdnat) sample fip-dnat "$setup" "$round" "$rr" ;;
	esac
}

row_nat()
{
	local round setup setups

	mapfile -t setups < <(usable_setups snat nftmasq fip direct nftdnat)
	for setup in "${setups[@]}"; do
		setup_up "$setup"
	done
	for round in $(seq "$ROUNDS"); do
		note "round $round of $ROUNDS: ${setups[*]} - nat"
		for setup in $(in_turn "$round" "${setups[@]}"); do
			nat_round "$round" "$setup"
		done
	done
	for setup in "${setups[@]}"; do
		setup_down "$setup"
	done
}

# --- peers: does the overlay depend on how many peers there are, or MACs behind them? ---

stats_of() # FILE PROGRAM: ns for each run
{
	sed -n "/\"program\":\"$2\"/p" "$1" | json_value ns_per_run
}

peers_round() # ROUND SETUP
{
	local round=$1 setup=$2 stats=$PERF_TMP/stats out in

	sample peers "$setup" "$round" "$(overlay_value "$setup" udp_rr per_second)"
	sample peers-tcp "$setup" "$round" "$(overlay_value "$setup" tcp_stream gbits)"
	run_rr "$setup" udp_rr "$PERF_BIN/prog_ns" stats -P "$(heddle_pin "$setup" hd_port_in)" \
		-P "$(heddle_pin "$setup" hd_uplink_in)" -o "$stats" -- >/dev/null
	out=$(stats_of "$stats" hd_port_in)
	in=$(stats_of "$stats" hd_uplink_in)
	sample peers-out "$setup" "$round" "$out"
	sample peers-in "$setup" "$round" "$in"
	[ "$setup" = peers1 ] || return 0
	sample P9-out heddle "$round" "$out"
	sample P9-in heddle "$round" "$in"
}

row_peers()
{
	local round setup setups=(peers1 peers64 peers512 macs10000)

	for setup in "${setups[@]}"; do
		setup_up "$setup"
	done
	for round in $(seq "$ROUNDS"); do
		note "round $round of $ROUNDS: ${setups[*]} - peers"
		for setup in $(in_turn "$round" "${setups[@]}"); do
			peers_round "$round" "$setup"
		done
	done
	for setup in "${setups[@]}"; do
		setup_down "$setup"
	done
}

# --- known: 64,000 remote MACs at one host; what the other end sends is made by macs.c ---

MACS=64000

# One workload without security, so that what is measured is the way by the FDB; the other end has no heddle.
known_base()
{
	setup_account known
	two_hosts known 0 || die "known: can't make the hosts"
	mkdir -p "$PERF_TMP/known"
	heddle_conf >"$PERF_TMP/known/conf"
	daemon_start known || die "known: heddled does not start"
	{
		# Something must listen there, or it answers each packet with ICMP.
		ip -n "$(ns_name known far)" link add sink up type vxlan id 99 dstport 4789 local 198.51.100.2 &&
			hd known network add n1 --type vxlan --id 10 --ageing 0 &&
			hd known uplink add wire --tunnel-ip 198.51.100.1 &&
			hd known peer add other --tunnel-ip 198.51.100.2 &&
			hd known port add client --network n1 --netns "$(ns_name known client)" --ifname eth0 \
				--mac 02:00:00:00:00:01 --no-security
	} >/dev/null || die "known: set-up"
	wait_until 30 peers_are_up known 1 || die "known: the peer is not up"
}

known_down()
{
	daemon_end known
}

macs_run() # ROLE PROGRAM ARGUMENT...: leaves the output of macs in $PERF_TMP/macs, the program's figures in $PERF_TMP/stats
{
	local ns program=$2

	ns=$(ns_name known "$1")
	shift 2
	in_ns "$ns" "$PERF_BIN/prog_ns" stats -P "$(heddle_pin known "$program")" -o "$PERF_TMP/stats" -- \
		taskset -c "$(client_cpu)" "$PERF_BIN/macs" "$@" >"$PERF_TMP/macs" || die "macs $* does not work"
}

learned()
{
	hd known -j peer show other | json_value learned
}

macs_learned() # ROUND
{
	local round=$1 count before

	hd known fdb flush --network n1 >/dev/null
	before=$(fdb_bytes)
	macs_run far hd_uplink_in from 198.51.100.1 -n $MACS
	[ "$(learned)" = $MACS ] || die "known: $(learned) of $MACS are learned"
	sample macs-learn heddle "$round" "$(json_value seconds <"$PERF_TMP/macs")"
	sample macs-first heddle "$round" "$(stats_of "$PERF_TMP/stats" hd_uplink_in)"
	sample macs-map heddle "$round" "$((($(fdb_bytes) - before) / MACS))"
	sample macs-list heddle "$round" "$(timed hd known fdb list)"
	for count in $(in_turn "$round" 1 $MACS); do
		macs_run far hd_uplink_in from 198.51.100.1 -n "$count" -k 200000
		sample macs-in "known$count" "$round" "$(stats_of "$PERF_TMP/stats" hd_uplink_in)"
		macs_run client hd_port_in to eth0 -n "$count" -k 200000
		sample macs-out "known$count" "$round" "$(stats_of "$PERF_TMP/stats" hd_port_in)"
	done
}

fdb_bytes()
{
	bpftool -j map show pinned "$(heddle_map known hd_fdb)" | json_value bytes_memlock
}

macs_configured() # ROUND
{
	macs_yaml 0 >"$PERF_TMP/known/none.yaml"
	macs_yaml $MACS >"$PERF_TMP/known/macs.yaml"
	hd known fdb flush --network n1 >/dev/null
	sample P16-macs heddle "$1" "$(timed hd known apply -f "$PERF_TMP/known/macs.yaml")"
	sample macs-memory heddle "$1" "$(awk '/^VmRSS/ { print $2 / 1024 }' "/proc/$(daemon_pid known)/status")"
	hd known apply -f "$PERF_TMP/known/none.yaml" >/dev/null || die "known: apply"
}

row_macs()
{
	local round

	known_base
	for round in $(seq "$((ROUNDS < 5 ? ROUNDS : 5))"); do
		note "round $round: heddle - $MACS remote MACs"
		macs_learned "$round"
		macs_configured "$round"
	done
	setup_down known
}

# --- load: many rules, many members at once ---

# Two ports of which one has all the addresses, and a group whose members are allowed by name.
members_yaml() # COUNT
{
	awk -v count="$1" 'BEGIN {
		print "version: 1\nports:"
		print "  client: { network: n1, device: d1, mac: \"02:00:00:00:00:01\", security-group: [bench] }"
		printf "  server: { network: n1, device: d2, mac: \"02:00:00:00:00:02\", security-group: [bench], ip: ["
		for (i = 0; i < count; i++)
			printf "%s10.%d.%d.%d", i ? ", " : "", i / 65536, i / 256 % 256, i % 256
		print "] }"
	}'
}

load_reset()
{
	rules_yaml 2 >"$PERF_TMP/load/none.yaml"
	members_yaml 2 | sed 1d >>"$PERF_TMP/load/none.yaml"
	hd load apply -f "$PERF_TMP/load/none.yaml" >/dev/null || die "load: apply"
}

row_load()
{
	local round

	setup_account load
	new_ns load host
	mkdir -p "$PERF_TMP/load"
	heddle_conf >"$PERF_TMP/load/conf"
	make_devices load 2 || die "load: can't make the devices"
	daemon_start load || die "load: heddled does not start"
	hd load network add n1 --type local >/dev/null
	rules_yaml 100000 >"$PERF_TMP/load/rules.yaml"
	members_yaml 64000 >"$PERF_TMP/load/members.yaml"
	for round in $(seq "$((ROUNDS < 5 ? ROUNDS : 5))"); do
		note "round $round: heddle - load"
		load_reset
		sample P16 heddle "$round" "$(timed hd load apply -f "$PERF_TMP/load/rules.yaml")"
		load_reset
		sample P16-members heddle "$round" \
			"$(timed hd load apply -f "$PERF_TMP/load/members.yaml")"
	done
	setup_down load
}

load_down()
{
	daemon_end load
}

# --- start: how long until the daemon is ready ---

timed() # COMMAND...: prints seconds
{
	local from=$EPOCHREALTIME to

	"$@" >/dev/null || return 1
	to=$EPOCHREALTIME
	awk -v us=$((${to/./} - ${from/./})) 'BEGIN { printf "%.4f\n", us / 1e6 }'
}

# As on a machine that has just booted: the configuration is there, in the kernel is nothing. Pins
# are left to purge: when rm takes them, the kernel detaches in its own time and holds up the start.
forget_kernel() # SETUP
{
	local state=$PERF_TMP/$1/state

	daemon_end "$1"
	rm -rf "$state"
	cp -r "$state.kept" "$state" || die "$1: can't restore the state"
}

start_rounds() # SETUP NAMESPACE FIRST_ROW ADOPT_ROW
{
	local setup=$1 ns=$2 round ports

	ports=$(grep -c device: "$PERF_TMP/$setup/heddle.yaml")
	daemon_kill "$setup"
	cp -r "$PERF_TMP/$setup/state" "$PERF_TMP/$setup/state.kept"
	daemon_start "$setup"
	for round in $(seq "$((ROUNDS < 5 ? ROUNDS : 5))"); do
		note "round $round: $setup - start"
		forget_kernel "$setup"
		sample "$3" heddle "$round" "$(timed daemon_start "$setup" "$ns")"
		daemon_kill "$setup"
		sample "$4" heddle "$round" "$(timed daemon_start "$setup" "$ns")"
	done
	[ "$(hd "$setup" -j status | json_value ports)" = "$ports" ] || die "$setup: not $ports ports"
}

# A daemon with COUNT ports on devices that are there.
start_base() # SETUP COUNT
{
	setup_account "$1"
	new_ns "$1" host
	mkdir -p "$PERF_TMP/$1"
	heddle_conf >"$PERF_TMP/$1/conf"
	make_devices "$1" "$2" || die "$1: can't make the devices"
	many_yaml "$2" 100 >"$PERF_TMP/$1/heddle.yaml"
	daemon_start "$1" || die "$1: heddled does not start"
}

# A port can't be made on a device that never was; so they are made where the devices are, and the
# daemon is then started in a namespace without them.
row_missing()
{
	start_base missing "${BENCH_MISSING_PORTS:-10000}"
	hd missing apply -f "$PERF_TMP/missing/heddle.yaml" >/dev/null || die "missing: apply"
	new_ns missing empty
	start_rounds missing "$(ns_name missing empty)" P22 P22-adopt
	setup_down missing
}

row_real()
{
	start_base real "${BENCH_REAL_PORTS:-1000}"
	sample apply heddle 1 "$(timed hd real apply -f "$PERF_TMP/real/heddle.yaml")"
	start_rounds real "$(ns_name real host)" P22-real P22-readopt
	sample memory heddle 1 "$(awk '/^VmRSS/ { print $2 / 1024 }' \
		"/proc/$(daemon_pid real)/status")"
	setup_down real
}

missing_down()
{
	daemon_end missing
}

real_down()
{
	daemon_end real
}

# --- containers: what a runtime waits for ---

cni_time() # SETUP WHAT HOW COUNT: figures into $PERF_TMP/cni.figures
{
	HEDDLE_RUN_DIR=$PERF_TMP/cni/run in_ns "$(ns_name "$1" host)" /usr/bin/python3 "$HERE/cni_time.py" "$2" \
		"$HEDDLE_BIN" "$PERF_TMP/$1" "$(instance_of cni)" "$3" "$4" >"$PERF_TMP/cni.figures" || die "$2: cni"
}

cni_figure() # NAME
{
	awk -v name="$1" '$1 == name { print $2 }' "$PERF_TMP/cni.figures"
}

cni_round() # SETUP WHAT ROUND
{
	note "round $3: $2 - cni"
	cni_time "$1" "$2" alone 50
	[ "$2" = chain ] || sample P21 "$2" "$3" "$(cni_figure add)"
	sample P21-add "$2" "$3" "$(cni_figure add)"
	sample P21-p99 "$2" "$3" "$(cni_figure add-p99)"
	sample P21-del "$2" "$3" "$(cni_figure del)"
	sample P21-del-p99 "$2" "$3" "$(cni_figure del-p99)"
	cni_time "$1" "$2" parallel 64
	sample P21-64 "$2" "$3" "$(cni_figure add)"
	sample P21-64-p99 "$2" "$3" "$(cni_figure add-p99)"
	sample P21-del-64 "$2" "$3" "$(cni_figure del)"
	sample P21-del-64-p99 "$2" "$3" "$(cni_figure del-p99)"
}

cni_setups()
{
	local setup

	for setup in cni cnichain; do
		setup_account "$setup"
		new_ns "$setup" host
		mkdir -p "$PERF_TMP/$setup"
	done
	heddle_conf >"$PERF_TMP/cni/conf"
	daemon_start cni || die "cni: heddled does not start"
	hd cni network add bench --type local >/dev/null
	hd cni subnet add bench --network bench --cidr 10.60.0.0/16 --gateway 10.60.0.1 >/dev/null
}

cni_rss() # in KB
{
	awk '/VmRSS/ { print $2 }' "/proc/$(daemon_pid cni)/status"
}

row_cni()
{
	local round before

	cni_setups
	for round in $(seq "$((ROUNDS < 5 ? ROUNDS : 5))"); do
		cni_round cni heddle "$round"
		cni_round cnichain chain "$round"
	done
	note "heddle - cni, 1,000 containers"
	before=$(cni_rss)
	cni_time cni heddle cycles 1000
	sample P21-growth heddle 1 "$(cni_figure growth)"
	sample P21-del-growth heddle 1 "$(cni_figure del-growth)"
	sample P21-memory heddle 1 "$(awk "BEGIN { print ($(cni_rss) - $before) / 1024 }")"
	[ "$(hd cni -j port list | wc -c)" -le 4 ] || die "cni: ports are left"
	setup_down cni
	setup_down cnichain
}

cni_down()
{
	daemon_end cni
}

cnichain_down()
{
	:
}

# --- all of it ---

functions_of() # ROW...
{
	local row

	for row in "$@"; do
		rows_field "$row" 2 | sed -n 's/^fn://p'
	done | awk '!seen[$0]++'
}

build_tools()
{
	local tool

	mkdir -p "$OUT"
	for tool in rr prog_ns flow_ns api macs; do
		# Headers say what tables look like: one built before they changed would measure something else.
		[ -e "$OUT/$tool" ] && [ -z "$(find "$HERE/$tool.c" "$TOP/include" -newer "$OUT/$tool" -type f)" ] && continue
		"${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -I"$TOP/include" \
			"$HERE/$tool.c" -lbpf -o "$OUT/$tool" || die "$tool does not compile"
	done
}

report()
{
	local run

	awk -v mode=summary -f "$HERE/report.awk" <(echo "$ROWS") "$PERF_TMP/samples" \
		>"$PERF_TMP/summary"
	awk -v mode=table -f "$HERE/report.awk" "$PERF_TMP/summary"
	run=$(awk -v mode=json -v date="$(date -u +%FT%TZ)" -v kernel="$(uname -r)" \
		-v commit="$(git -C "$TOP" rev-parse --short=12 HEAD 2>/dev/null)" \
		-v cpus="$PERF_CPUS" -v rounds="$ROUNDS" -v seconds="$RUN_SECONDS" \
		-f "$HERE/report.awk" "$PERF_TMP/summary")
	history_add "$run"
	awk -v mode=svg -v out="$OUT" -f "$HERE/report.awk" "$PERF_TMP/summary"
	echo
	echo "history: $OUT/results.json   plots: $OUT/*.svg"
}

# One array, one run on each line: the last line is the closing bracket.
history_add() # JSON
{
	local file=$OUT/results.json

	[ -n "$1" ] || die "the report failed"
	if [ -s "$file" ]; then
		sed -e '$d' "$file" | sed -e '$s/$/,/'
	else
		echo '['
	fi >"$file.new"
	printf '%s\n]\n' "$1" >>"$file.new"
	mv "$file.new" "$file"
}

finish()
{
	all_down
	rm -rf "$PERF_TMP"
}

options()
{
	local c

	while getopts r:t:c:s: c; do
		case $c in
		r) ROUNDS=$OPTARG ;;
		t) RUN_SECONDS=$OPTARG ;;
		c) PERF_CPUS=$OPTARG ;;
		s) SETUPS=${OPTARG//,/ } ;;
		*) usage ;;
		esac
	done
}

main()
{
	local rows row fn

	options "$@"
	shift $((OPTIND - 1))
	SETUPS=${BENCH_SETUPS:-$SETUPS}
	mapfile -t rows < <(chosen_rows "$@")
	for row in "${rows[@]}"; do
		[ -n "$(rows_field "$row" 1)" ] || die "there is no row $row; rows: $(rows_all | xargs)"
	done
	[ "$(id -u)" = 0 ] || die "needs root"
	PERF_TMP=$(mktemp -d) || exit 1
	trap finish EXIT
	trap 'exit 130' INT TERM
	build_tools
	compare "${rows[@]}"
	for fn in $(functions_of "${rows[@]}"); do
		heddle_can >/dev/null || die "heddle is not built"
		"row_$fn"
	done
	report
}

main "$@"
