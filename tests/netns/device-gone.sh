#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A device that disappears makes its port DOWN; one of its name that comes back is the port again, and works.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
workload blue b --ip 10.0.20.2/24
ns a
veth dev0 a eth0
ip -n "$N-a" addr add 10.0.20.1/24 dev eth0
hd port add p0 --network blue --device dev0 --mac 02:00:00:00:00:0a
ip -n "$N-a" link set eth0 address 02:00:00:00:00:0a
pings b 10.0.20.1
id=$(hd -j port show p0 | jq .id)

reason() { hd -j port show p0 | jq -r .reason; }
missing() { [[ $(reason) == *missing* ]]; }
links_of_port() { find "$PINS/links" -name "$id-*" | wc -l; }

for round in 1 2 3; do
	ip -n "$N-host" link del dev0
	wait_for 10 missing
	same "round $round: state" down "$(hd -j port show p0 | jq -r .state)"
	same "round $round: attached" none "$(hd -j port show p0 | jq -r .attach)"
	same "round $round: pins" 0 "$(links_of_port)"
	silent b 10.0.20.1

	veth dev0 a eth0
	ip -n "$N-a" link set eth0 address 02:00:00:00:00:0a
	ip -n "$N-a" addr add 10.0.20.1/24 dev eth0
	wait_for 10 port_is p0 up
	same "round $round: id" "$id" "$(hd -j port show p0 | jq .id)"
	pings b 10.0.20.1
	pings a 10.0.20.2
done

# It goes away while there is no daemon, and another of its name is there when the daemon comes back.
daemon_kill
ip -n "$N-host" link del dev0
veth dev0 a eth0
ip -n "$N-a" link set eth0 address 02:00:00:00:00:0a
ip -n "$N-a" addr add 10.0.20.1/24 dev eth0
daemon_start
port_is p0 up || fail "p0 is not up after restart"
pings b 10.0.20.1

# The same without one coming back; then it comes.
daemon_kill
ip -n "$N-host" link del dev0
daemon_start
missing || fail "p0: $(reason)"
veth dev0 a eth0
ip -n "$N-a" link set eth0 address 02:00:00:00:00:0a
ip -n "$N-a" addr add 10.0.20.1/24 dev eth0
wait_for 10 port_is p0 up
pings b 10.0.20.1

# Renamed away and back.
ip -n "$N-host" link set dev0 down
ip -n "$N-host" link set dev0 name other
wait_for 10 missing
ip -n "$N-host" link set other name dev0
ip -n "$N-host" link set dev0 up
wait_for 60 port_is p0 up
pings b 10.0.20.1

# A namespace that goes takes heddle's pair with it. One of its name that comes back gets a new pair, address and all.
ns c
hd port add c --network blue --netns "$N-c" --ifname eth0 --ip 10.0.20.3/24
pings c 10.0.20.2
ip netns del "$N-c"
wait_for 60 port_is c down
ns c
wait_for 60 port_is c up
pings c 10.0.20.2
pings b 10.0.20.3

# A workload that removes its own device: made again.
on c ip link del eth0
device_again() { port_is c up && on c ip link show eth0; }
wait_for 60 device_again
pings b 10.0.20.3
hd status >/dev/null
