#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Subnets: several of one network, both families. Ports in namespaces get the length of their addresses and a default route of each family
# from them, and follow when a gateway changes, comes or goes; what a workload has put there itself stays.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
hd subnet add four --network blue --cidr 10.0.1.0/24 --gateway 10.0.1.1
hd subnet add other --network blue --cidr 10.0.2.0/25 --gateway 10.0.2.1
hd subnet add six --network blue --cidr 2001:db8:1::/64 --gateway 2001:db8:1::1
hd subnet add plain --network blue --cidr 10.0.3.0/24
refused 6 'subnet more: gateway 10.0.5.1 is not in 10.0.4.0/24' hd subnet add more --network blue --cidr 10.0.4.0/24 --gateway 10.0.5.1
refused 4 'overlaps with subnet other' hd subnet add more --network blue --cidr 10.0.2.64/26
refused 6 'subnet more: pool 10.0.4.5-10.0.5.9 is not in 10.0.4.0/24' hd subnet add more --network blue --cidr 10.0.4.0/24 --pool 10.0.4.5-10.0.5.9

# member NAME ADDRESS...: a port in a namespace of its own
member() {
	local name=$1 ip ips=()

	shift
	for ip; do
		ips+=(--ip "$ip")
	done
	ns6 "$name"
	hd port add "$name" --network blue --netns "$N-$name" --ifname eth0 "${ips[@]}"
}

# defaults NAME: its default routes; addresses NAME: with lengths
defaults() {
	{
		on "$1" ip -4 route show default
		on "$1" ip -6 route show default
	} | awk '{ printf "%s%s", sep, $3; sep = " " }'
}

addresses() {
	ip -n "$N-$1" -j addr show dev eth0 | jq -r '[.[].addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"] | join(" ")'
}

member a 10.0.1.11 2001:db8:1::11
member b 10.0.2.11 10.0.1.12
member c 10.0.3.11/24
member d 10.0.1.1 2001:db8:1::d
member e 10.0.9.9/16
hd port add leg --network blue --internal --ip 10.0.1.2

same "addresses of a" "10.0.1.11/24 2001:db8:1::11/64" "$(addresses a)"
same "addresses of b" "10.0.2.11/25 10.0.1.12/24" "$(addresses b)"
same "both families" "10.0.1.1 2001:db8:1::1" "$(defaults a)"
same "of the first address" "10.0.2.1" "$(defaults b)"
same "no gateway" "" "$(defaults c)"
same "the gateway itself" "2001:db8:1::1" "$(defaults d)"
same "in no subnet" "" "$(defaults e)"
same "not on the host" "" "$(defaults host)"

# A gateway moves, comes and goes.
hd subnet set four --gateway 10.0.1.3
same "moved" "10.0.1.3 2001:db8:1::1" "$(defaults a)"
same "not the first subnet's" "10.0.2.1" "$(defaults b)"
same "no longer the gateway itself" "10.0.1.3 2001:db8:1::1" "$(defaults d)"
hd subnet set plain --gateway 10.0.3.1
same "come" "10.0.3.1" "$(defaults c)"
hd subnet set other --unset gateway
same "that of the next subnet" "10.0.1.3" "$(defaults b)"
hd subnet set six --unset gateway
same "gone" "10.0.1.3" "$(defaults a)"
hd subnet set six --gateway 2001:db8:1::2
same "back" "10.0.1.3 2001:db8:1::2" "$(defaults a)"
refused 6 "port b: address 10.0.2.11 has no length" hd subnet del other
hd subnet del plain
same "gone with its subnet" "" "$(defaults c)"
same "the address stays" "10.0.3.11/24" "$(addresses c)"

# The port moves to another subnet.
hd subnet set other --gateway 10.0.2.1
hd port set a --ip 10.0.2.12
same "addresses of a" "10.0.2.12/25" "$(addresses a)"
same "the route of the new subnet, none of the family that is gone" "10.0.2.1" "$(defaults a)"

# What a workload has set itself stays when something else changes.
on b ip route replace default via 10.0.1.99
hd subnet set six --gateway 2001:db8:1::3
same "its own" "10.0.1.99" "$(defaults b)"
daemon_kill
daemon_start
same "its own after a restart" "10.0.1.99" "$(defaults b)"
