#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# heddle trace --live: real packets with the rule or the reason, by filter; no packet is lost when it begins and ends; who is killed does not
# leave it running; nor does a daemon that is killed.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
hd security-group add web
ping=$(rule web --direction ingress --protocol icmp)
allow web --direction ingress --protocol udp
allow web --direction ingress --protocol tcp --port 1024-65535
workload blue a --ip 10.0.20.1/24
workload blue b --ip 10.0.20.2/24 --security-group web
hd port add leg --network blue --internal --ifname leg --ip 10.0.20.3/24 --no-security

live() { exec "$B/heddle" -i "$I" -j trace --live "$@"; } # always in the background: exec, so that it is what a signal reaches
begun() { (($(grep -c 'trace --live: begins' "$T/heddled.log") > $1)); }
ended() { (($(grep -c 'trace --live: ended' "$T/heddled.log") > $1)); }
programs() { bpf_objects | grep -c prog; }

# watch N OPTION... -- COMMAND...: what is seen while the command runs, N packets, into $T/seen
watch() {
	local n=$1 options=() before pid

	shift
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	shift
	before=$(grep -c 'trace --live: begins' "$T/heddled.log") || true
	live -n "$n" "${options[@]}" >"$T/seen" &
	pid=$!
	wait_for 20 begun "$before"
	"$@" >/dev/null 2>&1 || true
	wait "$pid"
}
seen() { jq -r "$1" "$T/seen"; }

pings a 10.0.20.2
normal=$(programs)
traffic_start a b 10.0.20.2

# A ping: request by its rule, reply by the flow.
watch 2 --protocol icmp --address 10.0.20.2 -- on a ping -c 1 -W 2 10.0.20.2
same "who to whom" "a b
b a" "$(seen '"\(.port) \(.to[])"')"
same "verdicts" "delivered
delivered" "$(seen .verdict)"
same "rule of the request" "web $ping" "$(jq -r -s '.[0].rule | "\(.group) \(.id)"' "$T/seen")"
grep -q 'icmp 10.0.20.1 > 10.0.20.2 type 8' "$T/seen" || fail "the packet is told wrongly: $(<"$T/seen")"

# What is dropped, and by whom; the other port's traffic is not shown.
watch 1 --port b --dport 23 -- on a socat -u /dev/null tcp:10.0.20.2:23,connect-timeout=1
same "drop" "dropped group-ingress b" "$(seen '"\(.verdict) \(.reason) \(.to[])"')"
grep -q 'tcp 10.0.20.1:[0-9]* > 10.0.20.2:23 syn' "$T/seen" || fail "the packet is told wrongly: $(<"$T/seen")"

# From the host, through the device of its leg, and from a port that has no security.
watch 2 --network blue --address 10.0.20.3 --protocol icmp -- nsenter --net="/run/netns/$N-host" ping -c 1 -W 2 10.0.20.2
same "from the host" "leg b" "$(jq -r -s '.[0] | "\(.port) \(.to[])"' "$T/seen")"

# Nobody else at the same time; bad filters.
live -n 100000 --protocol sctp >/dev/null &
looking=$!
before=$(grep -c 'trace --live: begins' "$T/heddled.log")
wait_for 20 begun $((before - 1))
refused 4 'somebody else' hd trace --live
refused 3 'does not exist' hd trace --live --port nobody
refused 6 'address' hd trace --live --address 10.0.0.300
refused 2 'needs --live' hd trace --port a --dport 80 'icmp 10.0.20.1 > 10.0.20.2'
refused 2 'PACKET is missing' hd trace --port a
refused 2 'no PACKET' hd trace --live 'icmp 10.0.20.1 > 10.0.20.2'

# Interrupted: at once. Killed: found out.
before=$(grep -c 'trace --live: ended' "$T/heddled.log")
kill -INT "$looking"
wait "$looking"
wait_for 2 ended "$before"
live -n 100000 --protocol sctp >/dev/null &
looking=$!
wait_for 20 begun "$(grep -c 'trace --live: ended' "$T/heddled.log")"
kill -KILL "$looking"
wait_for 10 ended $((before + 1))
same "programs as before" "$normal" "$(programs)"

# The daemon dies meanwhile: the next one puts its own programs back.
live -n 100000 --protocol sctp >/dev/null 2>&1 &
looking=$!
wait_for 20 begun $((before + 2))
daemon_kill
wait "$looking" || true
daemon_start
old_gone() { (($(programs) == normal)); }
wait_for 10 old_gone
traffic_stop
