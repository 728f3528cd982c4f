#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario R-1, over two hosts: both have the router, with the same MAC; a packet is routed where it enters, and goes straight to the host of its
# destination. Security groups hold at both ends, across the router too. Remote ports that the configuration names, and others.
# shellcheck source-path=SCRIPTDIR source=../lib/routing.sh
. "$(dirname "$0")/../lib/routing.sh"

family=${FAMILY:-4}

pair
for n in 1 2; do
	both network add "net$n" --type vxlan --id "$n"
done
tunnels "$family"
subnets both 1 2
both router add r
attach both r 1 2
side "at one" 1 a
side "at two" 2 b
LAST=12 side "at two" 1 a2
both security-group rule-add default --direction ingress >/dev/null

same "MAC of the router" "$(at one -j router show r | jq -r .mac)" "$(at two -j router show r | jq -r .mac)"
first a 10.0.2.11 2001:db8:2::11
first b 10.0.1.11 2001:db8:1::11
first a2 10.0.2.11 2001:db8:2::11
pings a 10.0.2.11 2001:db8:2::11 10.0.1.12
pings b 10.0.1.11 2001:db8:1::11 10.0.1.12
same "TTL" "63 63 64" "$(ttl_of a 10.0.2.11) $(ttl_of b 2001:db8:1::11) $(ttl_of a 10.0.1.12)"
same "traceroute" "10.0.1.1 10.0.2.11" "$(hops a 10.0.2.11)"
same "traceroute back" "2001:db8:2::1 2001:db8:1::11" "$(hops b 2001:db8:1::11)"

# Straight: what goes from a to b is in net2 on the wire, what comes back in net1.
watch_start one
watch_start two
pings a 10.0.2.11
pings_sized a 10.0.2.11 2001:db8:2::11
for from in a b; do
	transfers "$from" a 10.0.1.11 60000
	transfers "$from" b 2001:db8:2::11 60000
done
transfers a b 10.0.2.11 3000000
watch_stop one
watch_stop two
same "checksums" "" "$(csum_errors a b)"

# The rules of the receiver's group are asked at its host, those of the sender's at its own.
at two security-group add web
at two security-group rule-add web --direction ingress --protocol icmp --remote 10.0.1.0/24 >/dev/null
at two port set b --security-group web
pings a 10.0.2.11
silent a 2001:db8:2::11
at two security-group rule-del web 1 2>/dev/null || at two security-group rule-del web "$(at two -j security-group show web | jq '[.rules[] | select(.direction == "ingress")][0].id')"
silent a 10.0.2.11

# A remote group: a is its member because the configuration says that it is behind peer "one".
mac=$(mac_of a eth0)
at two security-group add friends
at two port add a --network net1 --peer one --mac "$mac" --ip 10.0.1.11/24 --ip 2001:db8:1::11/64 --security-group friends
at two security-group rule-add web --direction ingress --remote-group friends >/dev/null
pings a 10.0.2.11 2001:db8:2::11
silent a2 10.0.2.11

# kill -9 and a new daemon: nothing is lost.
echo_from a -i 0.01 -c 600 10.0.2.11 >"$T/load" 2>&1 &
load=$!
host_kill one
host_kill two
host_up one
host_up two
wait "$load" || fail "over kill -9: $(<"$T/load")"
