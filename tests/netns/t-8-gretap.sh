#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-8: the kernel's gretap and ip6gretap devices at the other end: pings of three sizes and TCP both ways, both families, inside and
# outside; without a key and with one, with a checksum, and with sequence numbers.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

needs_device gretap ip6gretap
hosts one
ns two
switch_on
plug one 1
plug two 2

# meets DEVICE-TYPE NET MTU LARGEST NETWORK-OPTIONS GRETAP-OPTION...
meets() {
	local type=$1 net=$2 mtu=$3 largest=$4

	# shellcheck disable=SC2086 # a list of options
	at one network add blue --type gre $5
	kernel_tunnel two "$type" local "${net}2" remote "${net}1" "${@:6}"
	kernel_meets gre "$net" "$mtu" "$largest"
	kernel_leaves
	at one network del blue
}

meets gretap 192.0.2. 1462 1500 ""
meets gretap 192.0.2. 1458 1500 "--id 4294967295" key 4294967295
# What only the kernel sends, a checksum and a number of four bytes each, has to fit as well: such a network is told so.
meets gretap 192.0.2. 1450 1492 "--id 7 --mtu 1450" key 7 ocsum oseq

# By itself ip6gretap puts an IPv6 extension header in front of GRE (RFC 2473, the encapsulation limit), which heddle leaves to its host.
meets ip6gretap 2001:db8:ffff:: 1442 1500 "" encaplimit none
meets ip6gretap 2001:db8:ffff:: 1438 1500 "--id 7" key 7 encaplimit none
