#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-3 and the underlay's changes: tunnel addresses that are behind a next hop; a route that changes to another device, and a next
# hop that gets another MAC: traffic follows in less than a second. A peer that can't be reached is down, and says why.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

hosts one two
wire one two
ip -n "$N-one" link add spare type veth peer name spare netns "$N-two"
number=1
for host in one two; do
	ip -n "$N-$host" addr add "198.51.100.$number/32" dev lo
	ip -n "$N-$host" addr add "192.0.3.$number/24" dev spare
	ip -n "$N-$host" link set spare up
	at "$host" network add blue --type vxlan --id 10
	at "$host" uplink add wire --tunnel-ip "198.51.100.$number"
	at "$host" uplink add spare
	number=$((number + 1))
done
link_turns one spare UP
link_turns two spare UP
at one peer add two --tunnel-ip 198.51.100.2
at two peer add one --tunnel-ip 198.51.100.1
reason() { at "$1" -j peer show "$2" | jq -r .reason; }
same "reason" "no route from the tunnel-ip of the uplink" "$(reason one two)"
ip -n "$N-one" route add 198.51.100.2 via 192.0.2.2
ip -n "$N-two" route add 198.51.100.1 via 192.0.2.1
wait_for 1 peer_is one two up
wait_for 1 peer_is two one up
joined one blue a 1 --no-security
joined two blue b 2 --no-security
pings a 10.0.20.2 2001:db8::2

# steady COMMAND...: 3 seconds of pings, 50 in a second, during which something happens; lost for less than a second
steady() {
	local lost pid

	on a ping -n -q -c 150 -i 0.02 -W 1 10.0.20.2 >"$T/steady" 2>&1 &
	pid=$!
	wait_for 5 flows
	"$@"
	wait "$pid" || true
	lost=$(awk '/transmitted/ { print $1 - $4 }' "$T/steady")
	((lost < 50)) || fail "$*: $lost of 150 lost: $(<"$T/steady")"
	printf 'note: %s: %s of 150 lost\n' "$*" "$lost"
}

flows() { (($(at two -j port show b | jq '.counters["tx-packets"]') > 10)); }

# The way back is by the other wire, then the way there; then the first one is cut.
elsewhere() {
	ip -n "$N-two" route replace 198.51.100.1 via 192.0.3.1
	ip -n "$N-one" route replace 198.51.100.2 via 192.0.3.2
}
steady elsewhere
same "device" spare "$(at one -j peer show two | jq -r .uplink)"
steady ip -n "$N-one" link set wire down
ip -n "$N-one" link set wire up

# The next hop gets another MAC, and says so as hosts do.
another_mac() {
	ip -n "$N-two" link set spare address 02:00:00:00:99:99
	on two arping -q -U -c 1 -I spare 192.0.3.2 >/dev/null 2>&1 || on two ping -n -q -c 1 -W 1 192.0.3.1 >/dev/null
}
steady another_mac
same "MAC of the next hop" 02:00:00:00:99:99 "$(at one -j peer show two | jq -r '."next-hop-mac"')"

# A device that goes down and up loses its neighbours. They are taken for there while they are asked, here in vain; then no longer.
ip -n "$N-two" neigh replace 192.0.3.1 lladdr "$(mac_of one spare)" dev spare nud permanent
on two tee /proc/sys/net/ipv4/conf/spare/arp_ignore >/dev/null <<<8
ip -n "$N-one" link set spare down
wait_for 5 peer_is one two down
ip -n "$N-one" link set spare up
ip -n "$N-one" route replace 198.51.100.2 via 192.0.3.2
wait_for 1 peer_is one two up
on a ping -n -q -c 1 -W 0.5 10.0.20.2 >/dev/null || fail "nothing passes while the next hop is asked"
wait_for 10 peer_is one two down
same "reason" "its next hop has not answered" "$(reason one two)"
on two tee /proc/sys/net/ipv4/conf/spare/arp_ignore >/dev/null <<<0
wait_for 10 peer_is one two up

# No way any more: said, and counted.
at one status | grep -qE '^two +up +spare +192.0.3.2 +1500' || fail "status: $(at one status)"
ip -n "$N-one" route del 198.51.100.2
wait_for 1 peer_is one two down
same "problem" "peer two is down: no route from the tunnel-ip of the uplink" \
	"$(at one -j status | jq -r '.problems[0]' || true)"
on a ping -n -q -c 1 -W 1 10.0.20.2 >/dev/null && fail "without a route"
(($(drops_at one peer-unreachable a) > 0)) || fail "nothing was counted"
