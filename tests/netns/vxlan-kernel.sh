#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-8, the kernel's vxlan device and bridge at the other end: ping, TCP unchanged both ways, over IPv4 and IPv6 underlays, on a
# wire that carries super-packets and on one that carries what a network card would. Default offloads on heddle's side.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

hosts one
ns far w
wire one far
at one network add blue --type vxlan --id 16777215
joined one blue a 1 --no-security

# kernel_end LOCAL REMOTE: the far host, as somebody without heddle would have it
kernel_end() {
	ip -n "$N-far" link add vx type vxlan id 16777215 dstport 4789 local "$1" remote "$2" udp6zerocsumrx
	ip -n "$N-far" link add name bridge type bridge
	ip -n "$N-far" link set vx master bridge up
	ip -n "$N-far" link set bridge up
	ip -n "$N-far" link add vw type veth peer name eth0 address 02:00:00:00:00:02 netns "$N-w"
	ip -n "$N-far" link set vw master bridge up
	on w tee /proc/sys/net/ipv6/conf/{all,default,eth0}/disable_ipv6 >/dev/null <<<0
	ip -n "$N-w" link set eth0 mtu "$(ip -n "$N-a" -j link show eth0 | jq .[0].mtu)" up
	ip -n "$N-w" addr add 10.0.20.2/24 dev eth0
	ip -n "$N-w" addr add 2001:db8::2/64 dev eth0 nodad
}

csum_errors() {
	local name

	for name in a w one far; do
		on "$name" nstat -asz TcpInCsumErrors UdpInCsumErrors IcmpInCsumErrors Udp6InCsumErrors |
			awk 'NR > 1 { sum += $2 } END { print sum + 0 }'
	done | paste -sd+ | bc
}

# exchange: everything that must get through
exchange() {
	local to

	pings_sized a 10.0.20.2 2001:db8::2
	for to in 10.0.20. 2001:db8::; do
		for size in 60000 20000000; do
			py "$LIB/transfer.py" "$N-a" "$N-w" "${to}2" $size
			py "$LIB/transfer.py" "$N-w" "$N-a" "${to}1" $size
		done
	done
	same "checksum errors" 0 "$(csum_errors)"
}

for underlay in "192.0.2.1 192.0.2.2" "2001:db8:ffff::1 2001:db8:ffff::2"; do
	read -r us them <<<"$underlay"
	at one uplink add wire --tunnel-ip "$us"
	at one peer add far --tunnel-ip "$them"
	kernel_end "$them" "$us"
	wait_for 5 peer_is one far up
	exchange
	at one peer del far
	at one uplink del wire
	ip -n "$N-far" link del vw
	ip -n "$N-far" link del bridge
	ip -n "$N-far" link del vx
done

# As a network card would be: each frame whole, none longer than the MTU.
plain_wire one far
at one uplink add wire --tunnel-ip 192.0.2.1
at one peer add far --tunnel-ip 192.0.2.2
kernel_end 192.0.2.2 192.0.2.1
wait_for 5 peer_is one far up
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$LIB/longest.py" "$N-far" wire "$T/longest" &
watcher=$!
wait_for 5 test -e "$T/longest.ready"
exchange
kill -TERM "$watcher"
wait "$watcher"
read -r longest tunnels <"$T/longest"
((longest <= 1514 && tunnels > 1000)) || fail "longest frame $longest, $tunnels tunnel packets"
