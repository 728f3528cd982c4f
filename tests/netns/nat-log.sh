#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The log of ports that inside addresses get and give back: a line for each block, of routers that have it switched on and of no others; also of what is
# handed out while no daemon runs, and of what goes with its router.
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

external
demo
inside a 2
inside b 3
inside c 4
first a 172.16.0.1

lines() { grep -oE 'nat-log: .*' "$T/heddled.log" | sed -E 's/ ports=[0-9]+-[0-9]+//; s/ ago=[0-9]+s//' || true; }
line() { echo "nat-log: $1 router=r inside=192.168.27.$2 outside=${3-$GATEWAY}"; }
# said LINE...: these lines are there, and no more, in any order
said() { [[ $(lines | sort) == "$(printf '%s\n' "$@" | sort)" ]]; }
asks() { seen "$1" udp >/dev/null; }
shown() { hd -j router show r | jq -c '.gateway["nat-log"]'; }

# Not unless it is asked for; then also what is in use already.
same "off" false "$(shown)"
asks a
same "without a log" "" "$(lines)"
refused 6 'nat-log needs snat' hd router gateway r --network ext --ip $GATEWAY --snat off --nat-log on
same "still off" false "$(shown)"
hd router gateway r --network ext --ip $GATEWAY --nat-log on
same "on" true "$(shown)"
all=("$(line held 2)")
said "${all[@]}" || fail "$(lines)"
hd export >"$T/heddle.yaml"
grep -q 'nat-log: \(on\|true\)' "$T/heddle.yaml" || fail "not exported: $(cat "$T/heddle.yaml")"
same "applied" "no changes" "$(hd apply -f "$T/heddle.yaml")"

# A line for a block, not for a port.
first b 172.16.0.1
asks b
all+=("$(line allocated 3)")
wait_for 5 said "${all[@]}"
cat >"$T/many.py" <<'PY'
from nat import *

server = make("outside", socket.SOCK_DGRAM, OUTSIDE, 7000)
for port in range(10000, 10070):
    question(make("b", socket.SOCK_DGRAM, "", port), server)
PY
nat "$T/many.py"
all+=("$(line allocated 3)")
wait_for 5 said "${all[@]}"
# Its ports are those by which it is seen.
read -r _ port < <(seen b udp)
block() { grep -oE "nat-log: allocated .*inside=192.168.27.3 .*ports=[0-9-]+" "$T/heddled.log" | sed 's/.*ports=//'; }
in_block() {
	local range

	for range in $(block); do
		((port < ${range%-*} || port > ${range#*-})) || return 0
	done
	return 1
}
in_block || fail "port $port is none of $(block)"

# While no daemon runs the datapath goes on, and the next one says it.
daemon_kill
: >"$T/heddled.log"
first c 172.16.0.1
daemon_start
all=("$(line allocated 4)" "$(line held 2)" "$(line held 3)" "$(line held 3)")
wait_for 5 said "${all[@]}"

# Another address: b's blocks are given back at once, as all of them are.
hd router gateway r --network ext --ip 172.16.200.153 --nat-log on
all+=("$(line returned 2)" "$(line returned 3)" "$(line returned 3)" "$(line returned 4)")
said "${all[@]}" || fail "$(lines)"
asks a
all+=("$(line allocated 2 172.16.200.153)")
wait_for 5 said "${all[@]}"

# Switched off nothing is said; switched on again, what is in use.
hd router gateway r --network ext --ip 172.16.200.153
asks b
hd router gateway r --network ext --ip 172.16.200.153 --nat-log on
all+=("$(line held 2 172.16.200.153)" "$(line held 3 172.16.200.153)")
said "${all[@]}" || fail "$(lines)"
hd router gateway r --none
all+=("$(line returned 2 172.16.200.153)" "$(line returned 3 172.16.200.153)")
said "${all[@]}" || fail "$(lines)"
