#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario K-1: kill -9 of the daemon and its restart: no packet lost, no reset, tables as before.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
workload blue a --ip 10.0.20.1/24 --no-security
workload blue b --ip 10.0.20.2/24 --no-security
workload blue c --ip 10.0.20.3/24 --mac 02:00:00:00:00:0c --no-security
pings c 10.0.20.1 10.0.20.2

# All that does not count time or packets.
tables() {
	hd -j fdb | jq -Sc 'sort_by(.name)[] | del(.age)'
	hd -j neighbour | jq -Sc .
	hd -j port list | jq -Sc '.[] | del(.counters)'
	hd -j network list | jq -Sc .
}

before=$(tables)
exported=$(hd export)
traffic_start a b 10.0.20.2
daemon_kill

# With no daemon: a workload that was silent so far is learned, and finds the others.
on c ip neigh flush dev eth0
pings c 10.0.20.1 10.0.20.2
refused 5 'heddled|daemon' hd status

daemon_start
same "tables" "$before" "$(tables)"
grep -q 'adopted' "$T/heddled.log" || fail "the datapath was loaded anew"
after=$(hd export)
hd port set c --isolated # and it takes orders
daemon_stop
daemon_start
traffic_stop
same "learned" 2 "$(hd -j network show blue | jq .learned)"
same "export, to the letter" "$exported" "$after"
(($(hd -j port show a | jq '.counters["rx-packets"]') > 100)) || fail "counters began anew"
