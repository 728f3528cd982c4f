#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario K-1 with security: ten times kill -9 and restart; no packet of a flow is lost, none gets in that may not.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
hd security-group add out
workload blue a --ip 10.0.20.1/24
workload blue b --ip 10.0.20.2/24
workload blue c --ip 10.0.20.3/24 --security-group out
pings a 10.0.20.2
pings a 10.0.20.2

cat >"$T/forbidden.py" <<'PY'
import signal
import sys
from numbered import *

source, target, ready = sys.argv[1:]
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
wire = Wire(target)
stream = Numbers(source, target, "10.0.20.2", 9999, wait=False)
open(ready, "w", encoding="ascii").close()
signal.sigwait({signal.SIGTERM})
stream.none_arrived("forbidden")
seen = [f for f in wire.receive() if f[12:14] == b"\x08\x00" and f[36:38] == struct.pack("!H", 9999)]
check(not seen, "seen on the wire:", len(seen))
PY

traffic_start a b 10.0.20.2
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$LIB /usr/bin/python3 "$T/forbidden.py" "$N-c" "$N-b" "$T/ready" &
forbidden=$!
wait_for 10 test -e "$T/ready"
flows() { hd -j flow list | jq -c '[.[] | select(.protocol != "icmp") | [.protocol, .client, .server, .rules]] | sort'; }
rules() { hd -j security-group list | jq -c '[.[] | [.name, .members, [.rules[] | del(.counters)]]]'; }
before=$(flows)
same "flows: UDP and two connections" 3 "$(jq length <<<"$before")"
rules=$(rules)
objects=$(bpf_objects | sort)
for i in {1..10}; do
	daemon_kill
	daemon_start
	same "flows after restart $i" "$before" "$(flows)"
	same "groups after restart $i" "$rules" "$(rules)"
done
same "programs, maps and links" "$objects" "$(bpf_objects | sort)"
same "adopted" 10 "$(grep -c 'datapath: adopted' "$T/heddled.log")"
kill -TERM "$forbidden"
wait "$forbidden" || fail "the forbidden sender"
traffic_stop
same "dropped" "group-ingress b" "$(hd -j drops | jq -r '[.[] | select(.stage != "flood") | "\(.reason) \(.port)"] | unique | join("|")')"
