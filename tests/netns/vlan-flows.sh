#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Flows, groups and source checks inside of VLANs: two tenants with the same MACs and addresses in VLANs 10 and 20 of one network, over
# two hosts; modes that change under running connections; what commands show of it.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/far.sh
. "$(dirname "$0")/../lib/far.sh"

host
far_start
for side in hd far; do
	$side network add net --type local --neighbour-suppression on
	$side port add eth1 --network net --device eth1 --no-security --vlan-mode trunk --trunk 10,20
	$side security-group add web
	$side security-group rule-add web --direction ingress --protocol icmp >/dev/null
	$side security-group rule-add web --direction ingress --protocol tcp >/dev/null
done

# tenant COMMAND NAME TAG NUMBER: the same MAC and address for the same number
tenant() {
	ns "$2"
	"$1" port add "$2" --network net --netns "$N-$2" --ifname eth0 --vlan-mode access --tag "$3" \
		--ip "10.0.20.$4/24" --mac "02:00:00:00:00:0$4" --security-group web
}
tenant hd a10 10 1
tenant far b10 10 2
tenant hd a20 20 1
tenant far b20 20 2
hd port add c10 --network net --internal --vlan-mode access --tag 10 --security-group web

echo "both tenants at the same time: bytes unchanged, each in its own VLAN"
for state in on off; do
	offload "$state"
	py "$LIB/transfer.py" "$N-a10" "$N-b10" 10.0.20.2 30000000 &
	first=$!
	py "$LIB/transfer.py" "$N-a20" "$N-b20" 10.0.20.2 30000000
	wait "$first"
	py "$LIB/transfer.py" "$N-b10" "$N-a10" 10.0.20.1 30000000
	pings b20 10.0.20.1
done
offload on
for vlan in 10 20; do
	same "ports of the flows in VLAN $vlan" "a$vlan" \
		"$(hd -j flow list --vlan $vlan | jq -r '[.[] | .client.port, .server.port | select(. != "eth1")] | unique[]')"
done
same "flows of VLAN 30" "[]" "$(hd -j flow list --vlan 30 | jq -c .)"
hd flow show --vlan 20 | grep -q 'in network net, VLAN 20' || fail "flow show: $(hd flow show --vlan 20)"
same "the MAC of a10 and a20" "10 a10
20 a20" "$(hd -j fdb list --network net | jq -r '.[] | select(.mac == "02:00:00:00:00:01") | "\(.vlan) \(.port)"' | sort)"
hd fdb list | grep -q '^NETWORK *VLAN' || fail "fdb list: $(hd fdb list | head -3)"
same "neighbours" "10 a10
20 a20" "$(hd -j neighbour list | jq -r '.[] | select(.ip == "10.0.20.1") | "\(.vlan) \(.port)"' | sort)"

echo "trace sees VLANs"
steps() { hd -j trace "$@" | jq -r '[.verdict, .reason, .to[]] | join(" ")'; }
same "from an access port" "delivered  eth1" "$(steps --port a10 'tcp 10.0.20.1:5 > 10.0.20.2:80 dst-mac 02:00:00:00:00:02')"
same "by the trunk in VLAN 20" "delivered  a20" \
	"$(steps --port eth1 'tcp 10.0.20.2:5 > 10.0.20.1:80 vlan 20 src-mac 02:00:00:00:00:02')"
same "by the trunk in VLAN 30" "dropped vlan-not-allowed eth1" "$(steps --port eth1 'tcp 10.0.20.2:5 > 10.0.20.1:80 vlan 30')"
same "tagged at an access port" "dropped vlan-tagged a10" "$(steps --port a10 'tcp 10.0.20.1:5 > 10.0.20.2:80 vlan 20')"

echo "a mode that changes is in force on the next packet, also of flows"
pings a10 10.0.20.2
hd port set a10 --tag 30
silent a10 10.0.20.2
hd port set a10 --tag 10
on a10 ip neigh flush dev eth0
pings a10 10.0.20.2
hd port set eth1 --trunk 20
silent a10 10.0.20.2
pings a20 10.0.20.2
hd port set eth1 --trunk 10,20
on a10 ip neigh flush dev eth0
pings a10 10.0.20.2

echo "a daemon that dies changes nothing, and the next one finds all as it was"
daemon_kill
pings a10 10.0.20.2
pings a20 10.0.20.2
before=$(bpftool -j map dump pinned "$PINS/maps/hd_trunks" | jq -c '.[].value')
daemon_start
pings a10 10.0.20.2
same "hd_trunks" "$before" "$(bpftool -j map dump pinned "$PINS/maps/hd_trunks" | jq -c '.[].value')"
hd export >"$T/export"
same "apply of an export" "no changes" "$(hd apply -f "$T/export")"
grep -q 'trunk: "\?10,20' "$T/export" || fail "export: $(<"$T/export")"

echo "what does not go together is refused, and changes nothing"
before=$(hd export)
ns x
veth devx x eth0
add() { refused 6 "$1" hd port add x --network net --device devx "${@:2}"; }
add 'vlan-mode: expected one of access, trunk' --vlan-mode acces --tag 1
add 'tag needs a vlan-mode' --tag 10
add 'trunk needs a vlan-mode' --trunk 10
add 'vlan-mode access needs tag' --vlan-mode access
add 'tag: expected a number from 1 to 4094' --vlan-mode access --tag 0
add 'tag: expected a number from 1 to 4094' --vlan-mode access --tag 4095
add 'trunk does not go with vlan-mode access' --vlan-mode access --tag 10 --trunk 10,20
add 'tag does not go with vlan-mode trunk' --vlan-mode trunk --tag 10
add 'hint: .*--unset tag' --vlan-mode trunk --tag 10
add 'vlan-mode native-tagged needs tag' --vlan-mode native-tagged --trunk 10
add 'VLAN 0 does not go with vlan-mode native-untagged' --vlan-mode native-untagged --tag 10 --trunk 0,20
add 'trunk: expected no VLAN twice' --vlan-mode trunk --trunk 10-20,15
add 'trunk: expected ranges that go upwards' --vlan-mode trunk --trunk 20-10
add 'trunk: expected VLANs from 0 to 4094' --vlan-mode trunk --trunk 10,4095
add 'trunk: expected VLANs as N,N-M' --vlan-mode trunk --trunk ten
add 'trunk does not go with vlan-mode dot1q-tunnel' --vlan-mode dot1q-tunnel --tag 10 --trunk 20
refused 6 'tag does not go with vlan-mode trunk' hd port set a10 --vlan-mode trunk
refused 6 'vlan-mode access needs tag' hd port set a10 --unset tag
refused 4 'MAC 02:00:00:00:00:01 is already used by port' hd port set a10 --tag 20
same "configuration" "$before" "$(hd export)"
hd port set a10 --vlan-mode trunk --unset tag
hd port set a10 --vlan-mode access --tag 10
pings a10 10.0.20.2
hd port set c10 --unset vlan-mode --unset tag
same "c10 without a mode" "null" "$(hd -j port show c10 | jq -c '."vlan-mode"')"
