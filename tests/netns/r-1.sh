#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario R-1, on one host: two subnets and a router between them. Ping across with a TTL less by one, traceroute shows the gateway; IPv4 and
# IPv6; ports with and without security, with a MAC that heddle knows and without.
# shellcheck source-path=SCRIPTDIR source=../lib/routing.sh
. "$(dirname "$0")/../lib/routing.sh"

host
for n in 1 2 3; do
	hd network add "net$n" --type local
done
subnets hd 1 2 3
side hd 1 a
side hd 2 b --mac 02:00:00:00:02:11
side hd 3 c --no-security
silent a 10.0.2.11
hd router add r
attach hd r 1 2 3
hd security-group rule-add default --direction ingress >/dev/null

# The gateway answers for all its addresses, at each of its subnets.
pings a 10.0.1.1 10.0.2.1 2001:db8:1::1 2001:db8:2::1
first a 10.0.3.11 2001:db8:3::11
pings a 10.0.2.11 2001:db8:2::11 10.0.3.11 2001:db8:3::11
pings b 10.0.1.11 2001:db8:1::11 10.0.3.11 2001:db8:3::11
pings c 10.0.1.11 2001:db8:1::11 10.0.2.11 2001:db8:2::11
same "TTL" "63 63 63 64" "$(ttl_of a 10.0.2.11) $(ttl_of b 2001:db8:1::11) $(ttl_of c 10.0.1.11) $(ttl_of a 10.0.2.1)"
for how in -I -U -T; do
	same "traceroute $how" "10.0.1.1 10.0.2.11" "$(hops a 10.0.2.11 $how)"
	same "traceroute $how, IPv6" "2001:db8:1::1 2001:db8:2::11" "$(hops a 2001:db8:2::11 $how)"
done
same "traceroute from c" "10.0.3.1 10.0.1.11" "$(hops c 10.0.1.11)"
same "TTL that ran out" yes "$( (($(drops_of ttl-expired a) > 5)) && echo yes)"

# What is large, in pieces or over TCP, from and to each kind of port.
pings_sized a 10.0.2.11 2001:db8:3::11
for from in a b c; do
	transfers "$from" a 10.0.1.11 60000
	transfers "$from" b 2001:db8:2::11 60000
	transfers "$from" c 10.0.3.11 60000
done
same "checksums" "" "$(csum_errors a b c)"

# A flow is one entry, and says by which router it goes.
hd flow flush >/dev/null
pings a 10.0.2.11
same "flows" "net1 r net2 established" "$(hd -j flow list | jq -r '.[] | "\(.network) \(.router) \(."to-network") \(.state)"')"

# Without the router, on the next packet, there is no way; with it there is one again.
hd router detach r --subnet four2
silent a 10.0.2.11
same "no route" yes "$( (($(drops_of no-route a) > 1)) && echo yes)"
same "who says so" "From 10.0.1.1 icmp_seq=1 Destination Net Unreachable" \
	"$({ on a ping -n -c 1 -W 1 10.0.2.11 || true; } | grep ^From)"
hd router attach r --subnet four2
pings a 10.0.2.11
hd router del r
silent a 10.0.1.1
