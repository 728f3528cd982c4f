#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-8 with heddle at both ends: each type over IPv4 and IPv6, pings of three sizes and TCP both ways; super-packets are cut right by the
# switch, and by the hosts themselves if their devices can't.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

pair
both network add vxlan --type vxlan --id 10
both network add geneve --type geneve --id 10
both network add plain --type gre
both network add key --type gre --id 10

# big A B ADDRESS: 3 MB over TCP in super-packets, cut into packets that fill the wire
big() {
	transfers "$1" "$2" "$3" 3000000
}

# over OVERHEAD OF VXLAN, GENEVE, GRE, GRE WITH A KEY
over() {
	local net mtu

	for net in vxlan geneve plain key; do
		joined one "$net" a 1 --no-security
		joined two "$net" b 2 --no-security
		drops_mark one two
		mtu=$1
		same "MTU of $net" "$mtu $mtu" "$(for w in a b; do ip -n "$N-$w" -j link show eth0 | jq '.[0].mtu'; done | paste -sd' ')"
		watch_start one
		watch_start two
		all_ways a b
		big a b 10.0.20.2
		big b a 2001:db8::1
		watch_stop one
		watch_stop two
		same "largest, $net" "1500 1500" "$(watched one .largest) $(watched two .largest)"
		same "checksum errors" "" "$(csum_errors a b one two)"
		same "drops, $net" "" "$(drops_since one)$(drops_since two)"
		at one port del a
		at two port del b
		ip netns del "$N-a"
		ip netns del "$N-b"
		shift
	done
}

tunnels 4
over 1450 1450 1462 1458
at one peer del two
at two peer del one
both uplink del wire

tunnels 6
on one ethtool -K wire tx off tso off gso off >/dev/null
on two ethtool -K wire tx off tso off gso off >/dev/null
over 1430 1430 1442 1438
