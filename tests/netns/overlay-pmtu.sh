#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenarios T-3, T-7 through a router whose other link has a smaller MTU: the underlay says so to the host, and from then on the workloads are
# told; no black hole, and nothing is fragmented outside.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

hosts one two
ns router
ip -n "$N-one" link add wire type veth peer name left netns "$N-router"
ip -n "$N-two" link add wire mtu 1400 type veth peer name right mtu 1400 netns "$N-router"
on router sysctl -qw net.ipv4.ip_forward=1
ip -n "$N-router" addr add 192.0.2.254/24 dev left
ip -n "$N-router" addr add 192.0.3.254/24 dev right
ip -n "$N-router" link set left up
ip -n "$N-router" link set right up
ip -n "$N-one" addr add 192.0.2.1/24 dev wire
ip -n "$N-two" addr add 192.0.3.2/24 dev wire
for host in one two; do
	ip -n "$N-$host" link set wire up
	link_turns "$host" wire UP
	at "$host" network add blue --type vxlan --id 10
done
ip -n "$N-one" route add default via 192.0.2.254
ip -n "$N-two" route add default via 192.0.3.254
at one uplink add wire --tunnel-ip 192.0.2.1
at two uplink add wire --tunnel-ip 192.0.3.2
at one peer add two --tunnel-ip 192.0.3.2
at two peer add one --tunnel-ip 192.0.2.1
wait_for 5 peer_is one two up
wait_for 5 peer_is two one up
joined one blue a 1 --no-security
joined two blue b 2 --no-security
same "MTU" "1450 1350" "$(for w in a b; do ip -n "$N-$w" -j link show eth0 | jq .[0].mtu; done | paste -sd' ')"
pings a 10.0.20.2

# The first that is too large is lost; then the host knows.
on a ping -n -q -c 1 -W 1 -M "do" -s 1400 10.0.20.2 >/dev/null && fail "1400 bytes passed"
path_mtu_is() { [[ $(at one -j peer show two | jq '."path-mtu"') == "$1" ]]; }
wait_for 6 path_mtu_is 1400
on a ping -n -c 1 -W 1 -M "do" -s 1400 10.0.20.2 >"$T/ping" 2>&1 || true
same "told" "(mtu = 1350)" "$(grep -o '(mtu = .*)' "$T/ping")"
for to in 10.0.20. 2001:db8::; do
	py "$LIB/transfer.py" "$N-a" "$N-b" "${to}2" 3000000
	py "$LIB/transfer.py" "$N-b" "$N-a" "${to}1" 3000000
done
same "outer fragments" 0 "$(on router nstat -asz IpFragCreates | awk 'NR > 1 { print $2 }')"
