#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Promises R1 and R2 over a tunnel: both daemons killed, and killed again and again: nothing lost, nothing let through, MACs still learned.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

pair
both network add blue --type vxlan --id 10
at two security-group add server
at two security-group rule-add server --direction ingress --remote 10.0.20.1/32 >/dev/null
tunnels 4
joined one blue a 1
joined one blue c 3 --no-security
joined two blue b 2 --security-group server
joined two blue d 4 --no-security
pings a 10.0.20.2 10.0.20.4

# All that does not count time or packets.
tables() {
	local host

	for host in one two; do
		at $host -j fdb | jq -Sc 'sort_by(.network, .mac)[] | del(.age)'
		at $host -j peer list | jq -Sc '.[] | del(.counters, .learned)'
		at $host -j uplink list | jq -Sc '.[] | del(.counters, .drops)'
		at $host -j port list | jq -Sc '.[] | del(.counters)'
		at $host export
	done
}

cat >"$T/forbidden.py" <<'PY'
import signal
from numbered import *

prefix, ready = sys.argv[1:]
flow = Numbers(prefix + "-c", prefix + "-b", "10.0.20.2", 7000, wait=False)
ended = []
signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
open(ready, "w").close()
while not ended:
    time.sleep(0.05)
flow.none_arrived("what no rule allows")
PY
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$LIB /usr/bin/python3 "$T/forbidden.py" "$N" "$T/forbidden.ready" >"$T/forbidden" 2>&1 &
forbidden=$!
wait_for 10 test -e "$T/forbidden.ready"

pings c 10.0.20.4
before=$(tables)
traffic_start a b 10.0.20.2
host_kill one
host_kill two
# No daemon anywhere. New flows; a workload that was silent so far is learned from the tunnel, and by it.
pings a 10.0.20.2 10.0.20.4
ip -n "$N-d" neigh flush dev eth0
ip -n "$N-c" neigh flush dev eth0
pings d 10.0.20.3
host_up one
host_up two
same "tables" "$before" "$(tables)"
for _ in 1 2 3; do
	for host in one two; do
		host_kill $host
		host_up $host
	done
done
host_stop one
host_up one
traffic_stop
same "tables, after all" "$before" "$(tables)"
same "loaded, adopted" "2 9" "$(grep -c 'datapath: loaded' "$T/heddled.log") $(grep -c 'datapath: adopted' "$T/heddled.log")"
kill -TERM $forbidden
wait $forbidden || fail "$(<"$T/forbidden")"
cat "$T/forbidden"

# And they take orders.
at one peer del two
silent c 10.0.20.4
