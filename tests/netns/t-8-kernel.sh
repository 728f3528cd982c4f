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

# meets NET MTU [VXLAN-OPTION...]
meets() {
	kernel_tunnel two vxlan id 10 dstport 4789 local "${1}2" remote "${1}1" dev wire "${@:3}"
	kernel_meets vxlan "$1" "$2"
	kernel_leaves
}

meets 192.0.2. 1450
# Over IPv6 a tunnel may have no UDP checksum (RFC 6935), but the kernel wants to be asked. It sends one itself.
meets 2001:db8:ffff:: 1430 udp6zerocsumrx
