#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-8: Open vSwitch at the other end, VXLAN, Geneve, GRE with and without a key: pings of three sizes and TCP both ways.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

command -v ovs-vswitchd >/dev/null || skip "there is no Open vSwitch here"
hosts one
ns two
switch_on
plug one 1
plug two 2
ovs_start two
at one uplink add wire --tunnel-ip 192.0.2.1
at one peer add two --tunnel-ip 192.0.2.2
wait_for 10 peer_is one two up

# meets TYPE MTU NETWORK-OPTIONS TUNNEL-OPTION...: a network of this type, OVS in it
meets() {
	local type=$1 mtu=$2 network=$3

	shift 3
	# shellcheck disable=SC2086 # a list of options
	at one network add blue --type "$type" $network
	ovs_tunnel "$type" remote_ip=192.0.2.1 "$@"
	ovs_workload two b 2 "$mtu"
	joined one blue a 1 --no-security
	drops_mark one
	same "MTU of $type" "$mtu" "$(ip -n "$N-a" -j link show eth0 | jq '.[0].mtu')"

	watch_start one
	watch_start two
	all_ways a b
	watch_stop one
	watch_stop two
	same "largest to OVS by $type" "${LARGEST:-1500}" "$(watched two .largest)"
	same "tunnel packets to OVS" true "$(watched two ".$type > 100")"
	same "largest from OVS by $type" 1500 "$(watched one .largest)"
	same "checksum errors" "" "$(csum_errors a b one two)"
	same "drops" "" "$(drops_since one)"

	at one port del a
	at one network del blue
	vsctl del-port "dev-b"
	ip -n "$N-two" link del dev-b
	ip netns del "$N-a"
	ip netns del "$N-b"
}

meets vxlan 1450 "--id 10" key=10
meets geneve 1450 "--id 16777215" key=16777215 csum=true
meets gre 1462 ""
meets gre 1458 "--id 4294967295" key=4294967295
# The checksum of GRE, which only OVS sends, takes four bytes more: such a network is told so.
LARGEST=1496 meets gre 1454 "--id 7 --mtu 1454" key=7 csum=true
