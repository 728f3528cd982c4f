#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-7: a narrow place in the underlay that only a router there knows. What does not fit is answered by that router; the way to the peer then
# takes no more, workloads are told, transfers end, and after a time the way is as wide as before. Each type of tunnel, both families outside.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

#    one ─ wire ─ 1500 ─ left  router  right ─ 1400 ▶ wire ─ two
#                                            ◀ 1500
hosts one two
ns router
number=1
for side in left right; do
	host=$([[ $side == left ]] && echo one || echo two)
	ip -n "$N-$host" link add wire type veth peer name $side netns "$N-router"
	on "$host" tee /proc/sys/net/ipv6/conf/wire/disable_ipv6 >/dev/null <<<0
	on router tee /proc/sys/net/ipv6/conf/$side/disable_ipv6 >/dev/null <<<0
	ip -n "$N-$host" addr add "198.51.100.$((number * 8 + 1))/29" dev wire
	ip -n "$N-$host" addr add "2001:db8:ff0$number::1/64" dev wire nodad
	ip -n "$N-router" addr add "198.51.100.$((number * 8 + 2))/29" dev $side
	ip -n "$N-router" addr add "2001:db8:ff0$number::2/64" dev $side nodad
	ip -n "$N-$host" link set wire up
	ip -n "$N-router" link set $side up
	link_turns "$host" wire UP
	link_turns router $side UP
	ip -n "$N-$host" route add default via "198.51.100.$((number * 8 + 2))"
	ip -n "$N-$host" route add default via "2001:db8:ff0$number::2"
	on router ethtool -K $side tx off tso off gso off >/dev/null
	number=$((number + 1))
done
plain_wire one two
ip -n "$N-router" link set right mtu 1400
on router tee /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding >/dev/null <<<1

for host in one two; do
	at "$host" network add plain --type gre
	at "$host" network add key --type gre --id 10
	at "$host" network add geneve --type geneve --id 10
	at "$host" network add vxlan --type vxlan --id 10
done

path_mtu_is() { [[ $(at one -j peer show two | jq '."path-mtu"') == "$1" ]]; }

# over LOCAL REMOTE NETWORK INNER [SECONDS]: INNER fits the narrow place inside; it is forgotten after SECONDS
over() {
	at one uplink add wire --tunnel-ip "$1"
	at two uplink add wire --tunnel-ip "$2"
	at one peer add two --tunnel-ip "$2"
	at two peer add one --tunnel-ip "$1"
	wait_for 5 peer_is one two up
	wait_for 5 peer_is two one up
	path_mtu_is 1500 || fail "path MTU at first: $(at one peer show two)"
	joined one "$3" a 1 --no-security
	joined two "$3" b 2 --no-security

	on one tee /proc/sys/net/ipv4/route/mtu_expires /proc/sys/net/ipv6/route/mtu_expires >/dev/null <<<"${5-600}"
	# The first one too large is lost, and teaches.
	on a ping -n -q -c 1 -W 3 10.0.20.2 >/dev/null
	on a ping -n -q -c 1 -W 0.2 -s $(($4 - 27)) 10.0.20.2 >/dev/null || true
	wait_for 2 path_mtu_is 1400
	if (($# == 5)); then
		wait_for $(($5 + 4)) path_mtu_is 1500
		over_end
		return
	fi
	same "$3 over $1: what a workload is told" "mtu=$4" \
		"$(on a ping -n -c 1 -W 1 -M "do" -s $(($4 - 27)) 10.0.20.2 2>&1 | grep -oE 'mtu ?= ?[0-9]+' | tr -d ' ' || true)"
	on a ping -n -q -c 1 -W 3 -M "do" -s $(($4 - 28)) 10.0.20.2 >/dev/null || fail "$3 over $1: what fits"
	py "$LIB/transfer.py" "$N-a" "$N-b" 10.0.20.2 300000
	py "$LIB/transfer.py" "$N-a" "$N-b" 2001:db8::2 300000
	over_end
}

over_end() {
	at one port del a
	at two port del b
	ip netns del "$N-a"
	ip netns del "$N-b"
	at one peer del two
	at two peer del one
	at one uplink del wire
	at two uplink del wire
	ip -n "$N-one" route flush cache
	ip -n "$N-one" -6 route flush cache
}

over 198.51.100.9 198.51.100.17 plain 1362
over 198.51.100.9 198.51.100.17 key 1358
over 198.51.100.9 198.51.100.17 geneve 1350
over 198.51.100.9 198.51.100.17 vxlan 1350
over 198.51.100.9 198.51.100.17 plain 1362 4
over 2001:db8:ff01::1 2001:db8:ff02::1 plain 1342
over 2001:db8:ff01::1 2001:db8:ff02::1 key 1338
over 2001:db8:ff01::1 2001:db8:ff02::1 geneve 1330
over 2001:db8:ff01::1 2001:db8:ff02::1 vxlan 1330
over 2001:db8:ff01::1 2001:db8:ff02::1 plain 1342 4
