#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A VXLAN network over two hosts that each run heddle: all sizes, both families, TCP unchanged; the wire keeps its own traffic.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

hosts one two
wire one two
for host in one two; do
	at "$host" network add blue --type vxlan --id 10
done
at one uplink add wire --tunnel-ip 192.0.2.1
at two uplink add wire --tunnel-ip 192.0.2.2
at one peer add two --tunnel-ip 192.0.2.2
at two peer add one --tunnel-ip 192.0.2.1
wait_for 5 peer_is one two up
wait_for 5 peer_is two one up

joined one blue a 1 --no-security
joined two blue b 2 --no-security
same "MTU" "1450 1450" "$(for w in a b; do ip -n "$N-$w" -j link show eth0 | jq .[0].mtu; done | paste -sd' ')"

pings_sized a 10.0.20.2 2001:db8::2
pings b -s 3200 10.0.20.1

# The host's own traffic on the uplink is as before.
pings one 192.0.2.2

# Remote MACs are known by their peer.
same "fdb of one" "02:00:00:00:00:02 two" \
	"$(at one -j fdb | jq -r '.[] | select(.kind == "learned") | "\(.mac) \(.port)"')"

# What the datapath remembers of a peer, and of a VNI, it forgets in the moment in which they are gone.
at two peer del one
silent a 10.0.20.2
(($(drops_at two tunnel-source) >= 2)) || fail "not named: $(at two drops)"
at two peer add one --tunnel-ip 192.0.2.1
pings a 10.0.20.2
at two network add green --type vxlan --id 11
at two port del b
at two network del blue
silent a 10.0.20.2
(($(drops_at two tunnel-id) >= 1)) || fail "not named: $(at two drops)"
