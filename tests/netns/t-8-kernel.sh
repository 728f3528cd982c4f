#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-8: the kernel's vxlan device at the other end: pings of three sizes and TCP both ways, both families, inside and outside.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

hosts one
ns two
switch_on
plug one 1
plug two 2
at one network add blue --type vxlan --id 10

# meets NET MTU [VXLAN-OPTION...]: everything, over the underlay NET, with workloads of this MTU
meets() {
	local net=$1 mtu=$2

	kernel_vxlan two 10 4789 "${net}2" "${net}1" "${@:3}"
	at one uplink add wire --tunnel-ip "${net}1"
	at one peer add two --tunnel-ip "${net}2"
	wait_for 10 peer_is one two up
	behind two b 2 "$mtu"
	ip -n "$N-two" link set dev-b master br0
	joined one blue a 1 --no-security
	same "MTU over $net" "$mtu" "$(ip -n "$N-a" -j link show eth0 | jq '.[0].mtu')"

	watch_start one
	watch_start two
	all_ways a b
	watch_stop one
	watch_stop two
	same "largest to the kernel, over $net" 1500 "$(watched two .largest)"
	same "largest from the kernel, over $net" 1500 "$(watched one .largest)"
	same "checksum errors" "" "$(csum_errors a b one two)"
	same "drops" "" "$(all_drops one | tr ' ' '\n' | grep -v '^no-member=' || true)" # b's first words, before a was there
}

meets 192.0.2. 1450

at one port del a
at one peer del two
at one uplink del wire
ip -n "$N-two" link del br0
ip -n "$N-two" link del vx
ip -n "$N-two" link del dev-b
ip netns del "$N-a"
ip netns del "$N-b"

# Over IPv6 a tunnel may have no UDP checksum (RFC 6935), but the kernel wants to be asked. It sends one itself.
meets 2001:db8:ffff:: 1430 udp6zerocsumrx
