#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-6: a broadcast goes once to each peer of its network only, nothing goes from tunnel to tunnel, MACs are learned from what comes
# in and may move between hosts; T-5: nothing is flooded for known addresses; strangers are refused by name.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

hosts one two three
for host in one two three; do
	at "$host" network add blue --type vxlan --id 10
	at "$host" network add red --type vxlan --id 11
done
mesh one two three
at one peer set three --network blue
at three peer set one --network blue
for color in blue red; do
	number=1
	for host in one two three; do
		ns "$color-$host"
		at "$host" port add "$color" --network "$color" --netns "$N-$color-$host" --ifname eth0 \
			--ip "10.0.20.$number/24" --no-security
		number=$((number + 1))
	done
done

sent() { at "$1" -j peer show "$2" | jq '.counters["tx-packets"]'; }
received() { at "$1" -j port show "$2" | jq '.counters["tx-packets"]'; }
counts() {
	echo "$(sent one two) $(sent one three) $(sent two three) $(sent three two)" \
		"$(received two "$1") $(received three "$1")"
}

# broadcast COLOR HOST: one frame
broadcast() {
	py - "$N-$1-$2" <<'PY'
import sys
from frames import *

wire = Wire(sys.argv[1])
wire.send(Marker().frame(BROADCAST, wire.mac))
PY
}

# difference COLOR WANT: what one broadcast from host one adds to counts
difference() {
	local before after want=$2

	read -ra before <<<"$(counts "$1")"
	broadcast "$1" one
	added() {
		local i got=()

		read -ra after <<<"$(counts "$1")"
		for i in "${!after[@]}"; do
			got+=($((after[i] - before[i])))
		done
		[[ ${got[*]} == "$want" ]]
	}
	wait_for 5 added "$1"
}

difference blue "1 1 0 0 1 1"
difference red "1 0 0 0 1 0"

# What three says in red, one does not take.
broadcast red three
same "red from three" 0 "$(sent three one)"
at three peer set one --unset network
broadcast red three
refused_once() { (($(drops_at one tunnel-member three) == 1)); }
wait_for 5 refused_once

# A workload that moves from two to three is found there.
pings blue-one 10.0.20.2
mac=$(mac_of blue-two eth0)
behind() { [[ $(at one -j fdb | jq -r --arg m "$mac" '.[] | select(.mac == $m and .network == "blue") | .port') == "$1" ]]; }
wait_for 5 behind two
at two port del blue
ip netns del "$N-blue-three"
at three port del blue
ns blue-moved
at three port add blue --network blue --netns "$N-blue-moved" --ifname eth0 --ip 10.0.20.2/24 --no-security
ip -n "$N-blue-moved" link set eth0 address "$mac"
pings blue-moved 10.0.20.1
wait_for 5 behind three
pings blue-one 10.0.20.2

# Known addresses and MACs: two that have never talked, and not a broadcast on the underlay.
for host in one three; do
	at "$host" network set blue --neighbour-suppression on
done
at one neighbour add 10.0.20.2 --network blue --mac "$mac"
ip -n "$N-blue-one" neigh flush dev eth0
quiet=$(sent one two)
pings blue-one 10.0.20.2
same "broadcasts to two" "$quiet" "$(sent one two)"

# A MAC that nobody has heard, but which is said to be behind three.
at one fdb flush >/dev/null
refused 3 "peer none does not exist" at one fdb add "$mac" --network blue --peer none
at one fdb add "$mac" --network blue --peer three
same "entry" "three static" "$(at one -j fdb show "$mac" --network blue | jq -r '"\(.port) \(.kind)"')"
pings blue-one 10.0.20.2
same "unknown unicast to two" "$quiet" "$(sent one two)"
at one fdb set "$mac" --network blue --peer two
refused 6 "exactly one of port and peer" at one fdb set "$mac" --network blue --port blue
refused 4 "still used by fdb" at one peer del two
at one fdb del "$mac" --network blue

# A stranger.
ip -n "$N-lan" addr add 192.0.2.66/24 dev switch
py - "$N-lan" <<'PY'
import socket
import sys
from frames import netns

with netns(sys.argv[1]):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.sendto(b"\x08\0\0\0\0\0\x0a\0" + bytes(60), ("192.0.2.1", 4789))
PY
stranger() { (($(drops_at one tunnel-source wire) == 1)); }
wait_for 5 stranger
