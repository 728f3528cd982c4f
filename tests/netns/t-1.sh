#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-1: Ethernet in GRE, without a key and with one: lengths and headers on the wire, to the byte.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

hosts one two
switch_on
plug one 1
plug two 2
for host in one two; do
	ip -n "$N-$host" addr flush dev wire
done
ip -n "$N-one" addr add 10.0.10.1/24 dev wire
ip -n "$N-two" addr add 10.0.10.2/24 dev wire
at one uplink add wire --tunnel-ip 10.0.10.1
at two uplink add wire --tunnel-ip 10.0.10.2
at one peer add two --tunnel-ip 10.0.10.2
at two peer add one --tunnel-ip 10.0.10.1
wait_for 10 peer_is one two up
wait_for 10 peer_is two one up

# Each workload knows the other's MAC, so that the pings are the only packets.
end() {
	ns "$2"
	at "$1" port add "$2" --network blue --netns "$N-$2" --ifname eth0 --ip "192.168.22.$3/24" --mac "02:00:00:00:00:0$3" --no-security
	ip -n "$N-$2" neigh replace "192.168.22.$((3 - $3))" lladdr "02:00:00:00:00:0$((3 - $3))" nud permanent dev eth0
}

# gre KEY-AS-TCPDUMP-HAS-IT LENGTH MTU [NETWORK-OPTION...]
gre() {
	local key=$1 length=$2 mtu=$3

	both network add blue --type gre "${@:4}"
	end one a 1
	end two b 2
	same "MTU" "$mtu $mtu $mtu" "$(at one -j network show blue | jq .mtu) $(for w in a b; do
		ip -n "$N-$w" -j link show eth0 | jq '.[0].mtu'
	done | paste -sd' ')"

	rm -f "$T/dump" "$T/dump.err"
	on two tcpdump -i wire -n -l -t --immediate-mode -c 2 'proto gre' >"$T/dump" 2>"$T/dump.err" &
	wait_for 10 grep -q listening "$T/dump.err"
	on a ping -n -q -c 1 -W 5 192.168.22.2 >/dev/null
	wait_for 10 grep -q 'echo reply' "$T/dump"
	same "on the wire" "IP 10.0.10.1 > 10.0.10.2: GREv0, ${key}length $length: IP 192.168.22.1 > 192.168.22.2: ICMP echo request, id *, seq 1, length 64
IP 10.0.10.2 > 10.0.10.1: GREv0, ${key}length $length: IP 192.168.22.2 > 192.168.22.1: ICMP echo reply, id *, seq 1, length 64" \
		"$(sed 's/ id [0-9]*,/ id *,/' "$T/dump")"

	both port del a --if-exists
	both port del b --if-exists
	both network del blue
	ip netns del "$N-a"
	ip netns del "$N-b"
}

gre "" 102 1462
gre "key=0x7, " 106 1458 --id 7
gre "key=0x0, " 106 1458 --id 0
gre "key=0xffffffff, " 106 1458 --id 4294967295
same "drops" " " "$(all_drops one) $(all_drops two)"

# Too much for a key; and one network without a key is enough.
refused 6 'id' at one network add blue --type gre --id 4294967296
at one network add blue --type gre
refused 4 'blue' at one network add green --type gre
