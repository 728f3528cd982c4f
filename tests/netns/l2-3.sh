#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario L2-3: the host's own leg in a network reaches the workloads and is reached.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
for i in 1 2 3; do
	workload blue "ns$i" --ip "10.0.20.$i/24"
done
hd port add leg --network blue --internal --ifname blue0 --ip 10.0.20.254/24
for i in 1 2 3; do
	pings host "10.0.20.$i"
	pings "ns$i" 10.0.20.254
done
pings ns1 10.0.20.3
same "the leg's address" 10.0.20.254 "$(ip -n "$N-host" -j addr show blue0 | jq -r '.[0].addr_info[0].local')"
same "no default route on the host" "" "$(ip -n "$N-host" route show default)"

# A leg on a second network with the port's own name as device name; the subnet gives the length.
hd network add green --type local
hd subnet add green4 --network green --cidr 192.168.0.0/24 --gateway 192.168.0.1
hd port add green0 --network green --internal --ip 192.168.0.1
workload green ns4 --ip 192.168.0.2
pings ns4 192.168.0.1
pings host 192.168.0.2
same "default route of the workload" "default via 192.168.0.1 dev eth0 proto static" \
	"$(ip -n "$N-ns4" route show default | sed 's/ *$//')"

# TCP between host and workload, both ways: the host leg is a veth pair within one namespace.
py "$LIB/transfer.py" "$N-host" "$N-ns1" 10.0.20.1 10000000
py "$LIB/transfer.py" "$N-ns1" "$N-host" 10.0.20.254 10000000

hd port del leg
! ip -n "$N-host" link show blue0 >/dev/null 2>&1 || fail "blue0 is still there"
pings ns1 10.0.20.3
