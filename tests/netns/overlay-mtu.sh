#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-7: devices that heddle makes have the overlay's MTU, and follow the underlay's; who has a larger one is told what fits, and large
# transfers end; nothing is fragmented outside.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

hosts one two
wire one two
plain_wire one two
for host in one two; do
	at "$host" network add blue --type vxlan --id 10
done
at one uplink add wire --tunnel-ip 192.0.2.1
at two uplink add wire --tunnel-ip 192.0.2.2
at one peer add two --tunnel-ip 192.0.2.2
at two peer add one --tunnel-ip 192.0.2.1
joined two blue b 2 --no-security

# a: a device that was there before, with an MTU of its own.
ns6 a
ip -n "$N-one" link add dev-a type veth peer name eth0 netns "$N-a"
ip -n "$N-one" link set dev-a up
ip -n "$N-a" link set eth0 up
ip -n "$N-a" addr add 10.0.20.1/24 dev eth0
ip -n "$N-a" addr add 2001:db8::1/64 dev eth0 nodad
at one port add a --network blue --device dev-a --no-security
wait_for 5 peer_is one two up
wait_for 5 peer_is two one up
on a ping -n -q -c 1 -W 3 10.0.20.2 >/dev/null

told() {
	on a ping -n -c 1 -W 1 -M "do" -s "$2" "$1" 2>&1 | grep -oE 'mtu ?= ?[0-9]+' | tr -d ' '
}

same "IPv4" mtu=1450 "$(told 10.0.20.2 1423)"
on a ping -n -q -c 1 -W 3 -M "do" -s 1422 10.0.20.2 >/dev/null
same "IPv6" mtu=1450 "$(told 2001:db8::2 1403)"
on a ping -n -q -c 1 -W 3 -M "do" -s 1402 2001:db8::2 >/dev/null
ip -n "$N-a" route flush cache
ip -n "$N-a" -6 route flush cache

# A sender that lets its packets be cut is told, too: it cuts them itself from then on, inside.
on a ping -n -q -c 1 -W 0.2 -M "dont" -s 1472 10.0.20.2 >/dev/null && fail "too large, and passed"
on a ping -n -q -c 1 -W 3 -M "dont" -s 1472 10.0.20.2 >/dev/null || fail "who may be cut is not told"
ip -n "$N-a" route flush cache

# TCP learns it from the first super-packet; both ways, both families.
for to in 10.0.20. 2001:db8::; do
	py "$LIB/transfer.py" "$N-a" "$N-b" "${to}2" 3000000
	py "$LIB/transfer.py" "$N-b" "$N-a" "${to}1" 3000000
done
(($(drops_at one mtu a) > 0)) || fail "no drop was counted"

# The underlay gets smaller: so do the devices that heddle has made.
ip -n "$N-two" link set wire mtu 1400
ip -n "$N-one" link set wire mtu 1400
mtu_is() { [[ $(ip -n "$N-$1" -j link show eth0 | jq .[0].mtu) == "$2" ]]; }
wait_for 5 mtu_is b 1350
path_mtu_is() { [[ $(at one -j peer show two | jq '."path-mtu"') == "$1" ]]; }
wait_for 5 path_mtu_is 1400
ip -n "$N-a" route flush cache
same "IPv4" mtu=1350 "$(told 10.0.20.2 1400)"
py "$LIB/transfer.py" "$N-a" "$N-b" 10.0.20.2 3000000
same "outer fragments" 0 "$(on two nstat -asz IpReasmReqds | awk 'NR > 1 { print $2 }')"
