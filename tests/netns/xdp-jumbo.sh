#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# An underlay of 9000 bytes: packets that lie in several buffers where XDP gets them. All types of tunnels, over both families.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

MTU=9000 UPLINK_MODE=xdp
pair
for family in 4 6; do
	tunnels $family
	for type in vxlan geneve gre; do
		both network add blue --type $type --id 7
		joined one blue a 1 --no-security
		joined two blue b 2 --no-security
		drops_mark one two
		watch_start one
		watch_start two
		all_ways a b
		on a ping -n -q -c 3 -i 0.01 -W 3 -M "do" -s 8800 10.0.20.2 >/dev/null
		watch_stop one
		watch_stop two
		(($(watched two .largest) > 8800)) || fail "nothing large was on the wire: $(watched two .largest)"
		same "drops" "" "$(drops_since one)$(drops_since two)"
		both port del a --if-exists
		both port del b --if-exists
		both network del blue
		ip netns del "$N-a"
		ip netns del "$N-b"
	done
	same "mode" "xdp xdp" "$(at one -j uplink list | jq -r '.[0]."mode-in-use"') $(at two -j uplink list | jq -r '.[0]."mode-in-use"')"
	both uplink del wire
	at one peer del two
	at two peer del one
done
