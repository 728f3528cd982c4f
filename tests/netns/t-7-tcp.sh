#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-7: TCP finishes in each setup: workloads whose devices are too large, a narrow place in the underlay that only its router knows, both
# families inside and outside. Nothing is fragmented outside.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

#     one ─ wire ─ 1500 ─ left ─ 1400 ─ right ─ 1500 ─ wire ─ two
hosts one two
ns left right

# link A IF-A B IF-B MTU
link() {
	ip -n "$N-$1" link add "$2" mtu "$5" type veth peer name "$4" mtu "$5" netns "$N-$3"
	local name device

	for name in "$1 $2" "$3 $4"; do
		read -r name device <<<"$name"
		on "$name" tee "/proc/sys/net/ipv6/conf/$device/disable_ipv6" >/dev/null <<<0
		ip -n "$N-$name" link set "$device" up
	done
	link_turns "$1" "$2" UP
	link_turns "$3" "$4" UP
}

# has NAME DEVICE NET NUMBER: an address in one of the nets 198.51.100.8/29, .16/29, .24/29
has() {
	ip -n "$N-$1" addr add "198.51.100.$(($3 * 8 + $4))/29" dev "$2"
	ip -n "$N-$1" addr add "2001:db8:ff0$3::$4/64" dev "$2" nodad
}

link one wire left one 1500
link left right right left 1400
link two wire right two 1500
for router in left right; do
	host=$([[ $router == left ]] && echo one || echo two)
	on $router ethtool -K "$host" tx off tso off gso off >/dev/null
	on $router ethtool -K "$([[ $router == left ]] && echo right || echo left)" tx off tso off gso off >/dev/null
	on $router tee /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding >/dev/null <<<1
done
has one wire 1 1
has left one 1 2
has left right 2 1
has right left 2 2
has right two 3 2
has two wire 3 1
ip -n "$N-one" route add default via 198.51.100.10
ip -n "$N-one" route add default via 2001:db8:ff01::2
ip -n "$N-left" route add default via 198.51.100.18
ip -n "$N-left" route add default via 2001:db8:ff02::2
ip -n "$N-right" route add default via 198.51.100.17
ip -n "$N-right" route add default via 2001:db8:ff02::1
ip -n "$N-two" route add default via 198.51.100.26
ip -n "$N-two" route add default via 2001:db8:ff03::2

path_mtu() {
	[[ $(at "$1" -j peer show "$2" | jq '."path-mtu"') == "$3" ]]
}

# over LOCAL REMOTE OVERHEAD TYPE [NETWORK-OPTION...]
over() {
	for host in one two; do # what was learned before is forgotten
		ip -n "$N-$host" route flush cache
		ip -n "$N-$host" -6 route flush cache
	done
	both network add blue --type "${@:4}"
	at one uplink add wire --tunnel-ip "$1"
	at two uplink add wire --tunnel-ip "$2"
	at one peer add two --tunnel-ip "$2"
	at two peer add one --tunnel-ip "$1"
	wait_for 10 peer_is one two up
	wait_for 10 peer_is two one up
	joined one blue a 1 --no-security
	joined two blue b 2 --no-security
	same "MTU that workloads get" "$((1500 - $3))" "$(ip -n "$N-a" -j link show eth0 | jq '.[0].mtu')"

	# Neither of the hosts knows of the narrow place at first. What does not fit is answered by the router in front of it.
	watch_start one 1400
	watch_start two 1400
	transfers a b 10.0.20.2 300000
	wait_for 5 path_mtu one two 1400
	on b ping -n -q -c 1 -W 1 -M "do" -s $((1500 - $3 - 28)) 10.0.20.1 >/dev/null || true # TCP knows from a's SYN what fits
	wait_for 5 path_mtu two one 1400
	transfers b a 10.0.20.1 300000
	transfers a b 2001:db8::2 300000
	transfers b a 2001:db8::1 300000

	# Workloads that believe in 1500.
	for w in a b; do
		host=$([[ $w == a ]] && echo one || echo two)
		index=$(at "$host" -j port show "$w" | jq .ifindex)
		ip -n "$N-$host" link set "$(ip -n "$N-$host" -j link | jq -r ".[] | select(.ifindex == $index).ifname")" mtu 1500
		ip -n "$N-$w" link set eth0 mtu 1500
		ip -n "$N-$w" route flush cache
		ip -n "$N-$w" -6 route flush cache
	done
	transfers a b 10.0.20.2 300000
	transfers b a 10.0.20.1 300000
	transfers a b 2001:db8::2 300000
	transfers b a 2001:db8::1 300000
	on a ping -n -q -c 1 -W 2 -M "do" -s $((1400 - $3 - 28)) 10.0.20.2 >/dev/null
	! on a ping -n -q -c 1 -W 1 -M "do" -s $((1400 - $3 - 27)) 10.0.20.2 >"$T/ping" 2>&1 || fail "a byte too many passes"
	watch_stop one
	watch_stop two
	same "largest" "1400 1400" "$(watched one .largest) $(watched two .largest)"
	for router in left right; do
		same "$router has cut nothing" "0 0" "$(on $router nstat -asz IpFragCreates Ip6FragCreates | awk '/Frag/ { print $2 }' | paste -sd' ')"
	done

	at one port del a
	at two port del b
	ip netns del "$N-a"
	ip netns del "$N-b"
	at one peer del two
	at two peer del one
	both uplink del wire
	both network del blue
}

over 198.51.100.9 198.51.100.25 50 vxlan --id 10
over 2001:db8:ff01::1 2001:db8:ff03::1 70 vxlan --id 10
over 198.51.100.9 198.51.100.25 50 geneve --id 10
over 198.51.100.9 198.51.100.25 42 gre --id 10
