#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario L2-1: two namespaces on one local network reach each other, both ways, v4 and v6.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
workload blue ns0 --ip 10.0.10.1/24
workload blue ns1 --ip 10.0.10.3/24
pings ns0 10.0.10.3
pings ns1 10.0.10.1

# The same for IPv6, where neighbour discovery goes by multicast.
ns6 v0 v1
hd network add green --type local
hd port add v0 --network green --netns "$N-v0" --ifname eth0 --ip 2001:db8::1/64
hd port add v1 --network green --netns "$N-v1" --ifname eth0 --ip 2001:db8::2/64
pings v0 2001:db8::2
pings v1 2001:db8::1

same "what heddle set up" "10.0.10.1/24 up" \
	"$(on ns0 ip -j addr show dev eth0 | jq -r '.[0] | "\(.addr_info[0].local)/\(.addr_info[0].prefixlen) \(.operstate | ascii_downcase)"')"
same "drops" 0 "$(drops_of unknown-unicast)"
