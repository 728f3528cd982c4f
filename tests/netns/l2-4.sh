#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario L2-4: three namespaces on one network, and a way out for them: heddle's own router is their default gateway, and translates what goes to the
# network that the host's card is in.
#
#   nsX, nsY, nsZ (10.0.20.1-3) ── net ── .254 router r 172.16.100.7 ── ext (flat) ── eth1 ══ eth0 outside: 172.16.0.1
#
# shellcheck source-path=SCRIPTDIR source=../lib/routing.sh
. "$(dirname "$0")/../lib/routing.sh"

host
ns outside
veth eth1 outside eth0
ip -n "$N-outside" addr add 172.16.0.1/16 dev eth0
hd uplink add eth1 --physical physnet1
hd network add ext --type flat --physical physnet1
hd subnet add ext --network ext --cidr 172.16.0.0/16 --gateway 172.16.0.1
hd network add net --type local
hd subnet add inside --network net --cidr 10.0.20.0/24 --gateway 10.0.20.254
for end in X=1 Y=2 Z=3; do
	workload net "ns${end%=*}" --ip "10.0.20.${end#*=}"
done
hd router add r
hd router attach r --subnet inside
hd router gateway r --network ext --ip 172.16.100.7


# Nobody has sent anything yet: the router has asked for its next hop when it got its gateway.
hop() { hd -j router show r | jq -r ".[\"next-hops\"][0].$1"; }
hop_is() { [[ $(hop "$1") == "$2" ]]; }
wait_for 5 hop_is mac "$(ip -n "$N-outside" -j link show eth0 | jq -r '.[0].address')"
same "next hop" "172.16.0.1 ok" "$(hop ip) $(hop state)"
on nsX ping -n -c 2 172.16.0.1 >"$T/ping" || fail "$(<"$T/ping")"
same "received" "2 packets transmitted, 2 received, 0% packet loss" "$(grep -o '2 packets.*packet loss' "$T/ping")"
same "TTL" "63 63" "$(sed -n 's/.*ttl=\([0-9]*\) .*/\1/p' "$T/ping" | paste -sd' ')"
pings nsZ 172.16.0.1 10.0.20.1 10.0.20.2 10.0.20.254 172.16.100.7
same "within the network" 64 "$(ttl_of nsX 10.0.20.2)"
same "seen outside" "172.16.100.7" "$(py "$LIB/seen.py" "$N-nsX" "$N-outside" tcp 172.16.0.1 | cut -d' ' -f1)"
silent outside 10.0.20.1

# A next hop that does not answer is told of; once it does, all is well.
hd subnet set ext --gateway 172.16.0.99
wait_for 15 hop_is state silent
hd status >"$T/status" && fail "status is ok"
grep -q 'router r: its next hop 172.16.0.99 in network ext does not answer' "$T/status" || fail "$(<"$T/status")"
ip -n "$N-outside" addr add 172.16.0.99/16 dev eth0
wait_for 5 hop_is state ok
hd status >/dev/null
pings nsX 172.16.0.1
