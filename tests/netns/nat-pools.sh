#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# How much of an external address is in use: status and router show count ports, blocks and inside addresses, and a pool of which more than nine tenths
# are taken makes the state degraded; all of it the same after the daemon was killed.
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

external
demo
inside a 2
inside c 4 --no-security
first a 172.16.0.1

pool() { hd -j router show r | jq -c '."nat-pools"[] | [.ip, .network, .routers[], .ports, ."inside-addresses", .blocks, .used, .resting, .free]'; }
status() { hd -j status | jq -c "$1" || true; } # it may be degraded
in_use() { jq -c '.[3:]' <<<"$(pool)"; }

# The ping of first.
same "pool" "[\"$GATEWAY\",\"ext\",\"r\",1,1,1008,1,0,1007]" "$(pool)"
same "in status" "$(pool)" "$(status '."nat-pools"[] | [.ip, .network, .routers[], .ports, ."inside-addresses", .blocks, .used, .resting, .free]')"
hd router show r | grep -qE "^$GATEWAY +1 +1 +1008 +1 +0 +1007$" || fail "router show: $(hd router show r)"
hd status | grep -qE "^$GATEWAY +ext +1 +1 +1008 +1 +0 +1007$" || fail "status: $(hd status)"

# 150 endpoints of one inside address are three blocks.
cat >"$T/many.py" <<'PY'
from nat import *

server = make("outside", socket.SOCK_DGRAM, OUTSIDE, 7000)
for port in range(10000, 10149):
    question(make("a", socket.SOCK_DGRAM, "", port), server)
PY
nat "$T/many.py"
same "more ports" "[150,1,1008,3,0,1005]" "$(in_use)"

# A block for each of so many sources that one block more would be a tenth of all.
cat >"$T/sources.py" <<'PY'
from scapy.all import IP, UDP, Ether, Raw

from nat import *

router, first, n = sys.argv[4], int(sys.argv[5]), int(sys.argv[6])
wire, outer = Wire(f"{PREFIX}-c"), Wire(f"{PREFIX}-outside")
for i in range(first, first + n):
    data = b"source %u." % i
    seen = []
    wire.send(bytes(Ether(src=wire.mac, dst=router) / IP(src=f"10.7.{i // 250}.{i % 250 + 1}", dst=OUTSIDE) / UDP(sport=5, dport=9) / Raw(data)))
    gather([outer], 5, lambda: seen, lambda w, f: seen.append(f) if data in f else None)
    check(seen, i, "does not come out")
PY
mac=$(hd -j router show r | jq -r .mac)
nat "$T/sources.py" "$mac" 0 904
same "nine tenths" "[1054,905,1008,907,0,101]" "$(in_use)"
same "is fine" '["ok",[]]' "$(status '[.state, .problems]')"
nat "$T/sources.py" "$mac" 904 1
same "state" degraded "$(status .state | jq -r .)"
same "problem" "address $GATEWAY of network ext is nearly out of ports: 908 of 1008 blocks" "$(status '.problems[]' | jq -r .)"
got=0
hd status >/dev/null || got=$?
same "exit status" 8 $got

# Nothing of it is the daemon's own.
before=$(pool)
daemon_kill
daemon_start
same "after a restart" "$before" "$(pool)"
same "state after a restart" degraded "$(status .state | jq -r .)"

# A router without translation has no pool, and none is nobody's problem.
hd router gateway r --network ext --ip $GATEWAY --snat off
same "without translation" '[]' "$(hd -j router show r | jq -c '."nat-pools"')"
same "well again" '["ok",[]]' "$(status '[.state, .problems]')"
