#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A workload with a device of MTU 9000 on flat and vlan networks behind an uplink of 1500: it is told what fits, by ICMP of both families, and large
# transfers end; nothing is told where another port has less. The uplink's MTU is followed.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
ns6 out
veth eth1 out eth0
on host ethtool -K eth1 tso off gso off tx off gro off >/dev/null # as a network card would have it on the wire
on out ethtool -K eth0 tso off gso off tx off gro off >/dev/null
hd uplink add eth1 --physical phys
hd network add flat --type flat --physical phys
hd network add red --type vlan --physical phys --id 123

# big NET NAME NUMBER [PORT-OPTION...]: a workload whose device was there before, with its own MTU
big() {
	ns6 "$2"
	ip -n "$N-host" link add "dev-$2" mtu 9000 type veth peer name eth0 mtu 9000 netns "$N-$2"
	ip -n "$N-$2" link set eth0 address "02:00:00:00:00:0$3" up
	ip -n "$N-host" link set "dev-$2" up
	ip -n "$N-$2" addr add "10.0.20.$3/24" dev eth0
	ip -n "$N-$2" addr add "2001:db8::$3/64" dev eth0 nodad
	link_turns "$2" eth0 UP
	hd port add "$2" --network "$1" --device "dev-$2" "${@:4}"
}

big flat a 1 --no-security
big flat s 2 --mac 02:00:00:00:00:02 --ip 10.0.20.2/24 --ip 2001:db8::2/64
big red v 3 --no-security
dual flat b 4 --no-security # made by heddle, so it has the network's MTU

# outside NUMBER DEVICE
outside() {
	ip -n "$N-out" addr add "10.0.20.$1/24" dev "$2"
	ip -n "$N-out" addr add "2001:db8::$1/64" dev "$2" nodad
}

told() {
	{ on "$1" ping -n -c 1 -W 1 -M "do" -s "$3" "$2" 2>&1 || true; } | sed -nE 's/.*mtu ?= ?([0-9]+).*/\1/p'
}

forget() {
	ip -n "$N-$1" route flush cache
	ip -n "$N-$1" -6 route flush cache
}

# all_told WORKLOAD MTU
all_told() {
	local who=$1 mtu=$2

	forget "$who"
	pings "$who" 10.0.20.9 2001:db8::9
	same "$who, IPv4" "$mtu" "$(told "$who" 10.0.20.9 $((mtu - 28 + 1)))"
	same "$who, IPv6" "$mtu" "$(told "$who" 2001:db8::9 $((mtu - 48 + 1)))"
	forget "$who"
	on "$who" ping -n -q -c 1 -W 3 -M "do" -s $((mtu - 28)) 10.0.20.9 >/dev/null
	on "$who" ping -n -q -c 1 -W 3 -M "do" -s $((mtu - 48)) 2001:db8::9 >/dev/null
	# Who lets its packets be cut is told as well, and cuts them.
	on "$who" ping -n -q -c 1 -W 0.2 -M "dont" -s 8000 10.0.20.9 >/dev/null && fail "too large, and passed"
	on "$who" ping -n -q -c 1 -W 3 -M "dont" -s 8000 10.0.20.9 >/dev/null || fail "who may be cut is not told"
}

# tcp_told WORKLOAD: TCP between two that both have an MTU of 9000, so that none of them says by its MSS what fits
tcp_told() {
	local to drops

	for to in 10.0.20.9 2001:db8::9; do
		forget "$1"
		drops=$(drops_of mtu "$1")
		py "$LIB/transfer.py" "$N-$1" "$N-out" "$to" 3000000
		(($(drops_of mtu "$1") > drops)) || fail "nothing was too large"
	done
}

echo "flat"
outside 9 eth0
for who in a s; do all_told $who 1500; done
py "$LIB/transfer.py" "$N-out" "$N-a" 10.0.20.1 3000000
ip -n "$N-out" link set eth0 mtu 9000
for who in a s; do tcp_told $who; done

echo "the uplink gets smaller"
ip -n "$N-out" link set eth0 mtu 1400
ip -n "$N-host" link set eth1 mtu 1400
mtu_is() { [[ $(hd -j network show flat | jq .mtu) == "$1" ]]; }
wait_for 5 mtu_is 1400
all_told a 1400
ip -n "$N-host" link set eth1 mtu 1500
ip -n "$N-out" link set eth0 mtu 1500
wait_for 5 mtu_is 1500

echo "a port that has less: dropped and named, nothing is said, as at any bridge"
same "MTU of b" 1500 "$(ip -n "$N-b" -j link show eth0 | jq '.[0].mtu')"
pings a 10.0.20.4
before=$(drops_of mtu a)
forget a
same "told" "" "$(told a 10.0.20.4 1473)"
same "drops" $((before + 1)) "$(drops_of mtu a)"

# What the kernel has no 802.1Q device for goes through heddle's own at the other end.
echo "VLAN"
host_two() {
	nsenter --net="/run/netns/$N-out" "$B/heddled" --foreground --instance "$I-out" --state-dir "$T/state" \
		--run-dir "$T/run" >>"$T/heddled.log" 2>&1 &
	DAEMONS[out]=$!
	wait_for 30 at out network list
}
ip -n "$N-out" addr flush dev eth0
host_two
at out uplink add eth0 --physical phys
at out network add red --type vlan --physical phys --id 123
at out port add inner --network red --internal --ifname inner --ip 10.0.20.9/24 --ip 2001:db8::9/64 --no-security
all_told v 1500
ip -n "$N-out" link set eth0 mtu 9000
inner_is() { [[ $(ip -n "$N-out" -j link show inner | jq '.[0].mtu') == "$1" ]]; }
wait_for 5 inner_is 9000
tcp_told v
