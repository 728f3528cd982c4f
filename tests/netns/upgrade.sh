#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Another datapath takes over from the one that runs: table sizes that change make heddled load its programs anew, move the entries
# of the tables, and replace the programs on the devices. Under traffic nothing is lost; what was learned and counted stays.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
workload blue a --ip 10.0.20.1/24
workload blue b --ip 10.0.20.2/24
workload blue c --ip 10.0.20.3/24
pings a 10.0.20.3

learned() { hd -j fdb | jq -c 'sort_by(.name)[] | del(.age)'; }
programs() { bpf_objects | grep -c prog; }
table_size() { hd -j status | jq ".tables[] | select(.name == \"$1\").size"; }
received() { hd -j port show c | jq '.counters."rx-packets"'; }

traffic_start a b 10.0.20.2
before_learned=$(learned)
before_programs=$(programs)
old_programs_gone() { [ "$(programs)" -eq "$before_programs" ]; }
before_received=$(received)
for size in 70000 80000 90000 100000 70000; do
	printf 'table-sizes:\n  fdb: %s\n  ports: %s\n' $size $((size / 10)) >"$T/heddled.conf"
	daemon_kill
	daemon_start
	same "size of the fdb" $size "$(table_size fdb)"
	same "learned MACs" "$before_learned" "$(learned)"
	wait_for 5 old_programs_gone
done
traffic_stop
[ "$(received)" -ge "$before_received" ] || fail "the counters began again"

# What does not fit is refused by name, and what runs goes on.
printf 'table-sizes:\n  fdb: 10\n' >"$T/heddled.conf"
daemon_kill
if "$B/heddled" --instance "$I" --state-dir "$T/state" --run-dir "$T/run" --config "$T/heddled.conf" 2>"$T/err"; then
	fail "a table of 10 entries was accepted"
fi
grep -q 'heddled.conf:2:.*fdb must be a number' "$T/err" || fail "unclear: $(cat "$T/err")"
pings a 10.0.20.3
