#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-8: the kernel's geneve device at the other end: pings of three sizes and TCP both ways, both families, inside and outside; with
# and without a UDP checksum from the kernel.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

needs_device geneve
hosts one
ns two
switch_on
plug one 1
plug two 2

# meets NET MTU NETWORK-OPTIONS GENEVE-OPTION...
meets() {
	local net=$1 mtu=$2

	# shellcheck disable=SC2086 # a list of options
	at one network add blue --type geneve $3
	kernel_tunnel two geneve remote "${net}1" "${@:4}"
	kernel_meets geneve "$net" "$mtu"
	kernel_leaves
	at one network del blue
}

meets 192.0.2. 1450 "--id 16777215" id 16777215
meets 192.0.2. 1450 "--id 0" id 0 udpcsum
# Over IPv6 a tunnel may have no UDP checksum (RFC 6935), but the kernel wants to be asked. It sends one itself, unless told not to.
meets 2001:db8:ffff:: 1430 "--id 10" id 10 udp6zerocsumrx
meets 2001:db8:ffff:: 1430 "--id 10" id 10 udp6zerocsumrx udp6zerocsumtx
