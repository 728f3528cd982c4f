#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-3: the endpoints are in different subnets: the outer next hop is the kernel's. When routes or MACs of the underlay change, the
# traffic follows in less than a second, and a static neighbour stays what it is.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

# Two routers, left and right, join the same two subnets:
#
#     one ─ wire ─ 192.0.2.0/24 ─ router .254 (or other .253) ─ 198.51.100.0/24 ─ wire ─ two
hosts one two
ns net far router other
bridge net
bridge far

# attach BRIDGE-NS NAME IFNAME ADDRESS MAC: a device of NAME in the subnet of that bridge
attach() {
	local address

	ip -n "$N-$1" link add "p-$2" type veth peer name "$3" address "$5" netns "$N-$2"
	on "$1" ethtool -K "p-$2" tx off tso off gso off >/dev/null
	ip -n "$N-$1" link set "p-$2" master br0 up
	on "$2" tee "/proc/sys/net/ipv6/conf/$3/disable_ipv6" >/dev/null <<<0
	for address in $4; do
		ip -n "$N-$2" addr add "$address" dev "$3"
	done
	ip -n "$N-$2" link set "$3" up
	link_turns "$2" "$3" UP
	link_turns "$1" "p-$2" UP
}

attach net one wire 192.0.2.1/24 02:00:00:00:02:01
attach far two wire 198.51.100.2/24 02:00:00:00:02:02
for r in router other; do
	last=$([[ $r == router ]] && echo 4 || echo 3)
	attach net $r net "192.0.2.25$last/24" "02:00:00:00:03:0$last"
	attach far $r far "198.51.100.25$last/24" "02:00:00:00:04:0$last"
	on $r tee /proc/sys/net/ipv4/ip_forward >/dev/null <<<1
done
ip -n "$N-one" route add 198.51.100.0/24 via 192.0.2.254
ip -n "$N-two" route add 192.0.2.0/24 via 198.51.100.254

both network add blue --type vxlan --id 10
at one uplink add wire --tunnel-ip 192.0.2.1
at two uplink add wire --tunnel-ip 198.51.100.2
at one peer add two --tunnel-ip 198.51.100.2
at two peer add one --tunnel-ip 192.0.2.1
wait_for 10 peer_is one two up
wait_for 10 peer_is two one up
joined one blue a 1 --no-security
joined two blue b 2 --no-security

# next_hop HOST PEER: as peer show has it
next_hop() {
	at "$1" -j peer show "$2" | jq -r '"\(."next-hop") \(."next-hop-mac")"'
}

same "next hop of one" "192.0.2.254 02:00:00:00:03:04" "$(next_hop one two)"
same "next hop of two" "198.51.100.254 02:00:00:00:04:04" "$(next_hop two one)"
watch_start one
watch_start two
all_ways a b
watch_stop one
watch_stop two
same "largest through the router" "1500 1500" "$(watched one .largest) $(watched two .largest)"

cat >"$T/follow.py" <<'PY'
"""What heddle counts on is changed by a command; from then on, it takes less than a second until numbered packets go the new way."""
import subprocess
from underlay import *
from numbered import Numbers

prefix, what, place, device, to_mac, change = sys.argv[1:]
wire = Wire(f"{prefix}-{place}", device)
flow = Numbers(prefix + "-a", prefix + "-b", "10.0.20.2", 7000, rate=500)
found = []

def take(_, frame):
    if frame[:6] == mac(to_mac) and Packet(frame).tunnel:
        found.append(time.monotonic())

gather([wire], 0.2, take=take)
check(not found, what, "before the change, packets go that way already")
subprocess.run(change, shell=True, check=True)
start, count = time.monotonic(), len(flow.got)
gather([wire], 5, lambda: found and len(flow.got) > count + 20, take)
seconds = time.monotonic() - start
check(found, what, "traffic does not follow in 5 s")
check(found[0] - start < patience(), what, f"traffic follows after {found[0] - start:.2f} s")
check(seconds < 1.5 * patience(), what, f"packets arrive after {seconds:.2f} s")
flow.stop()
print(f"note: {what}: traffic follows after {(found[0] - start) * 1000:.0f} ms")
PY

# follows WHAT WHERE DEVICE MAC COMMAND: see there
follows() {
	py "$T/follow.py" "$N" "$@"
}

follows "route by another router" other net 02:00:00:00:03:03 \
	"ip -n $N-one route replace 198.51.100.0/24 via 192.0.2.253"
wait_for 2 test "$(next_hop one two)" == "192.0.2.253 02:00:00:00:03:03"
follows "a more specific route" router net 02:00:00:00:03:04 \
	"ip -n $N-one route add 198.51.100.2/32 via 192.0.2.254"
follows "that route is gone" other net 02:00:00:00:03:03 \
	"ip -n $N-one route del 198.51.100.2/32"

# Another machine takes over the router's address, and says so, as VRRP does.
cat >"$T/announce.py" <<'PY'
from underlay import *

wire = Wire(sys.argv[1], "net")
wire.send(ether(BROADCAST, sys.argv[2], ETH_ARP, struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + (mac(sys.argv[2]) + packed(sys.argv[3])) * 2))
PY
follows "another MAC for the router's address" router net 02:00:00:00:03:44 "
	ip -n $N-other addr del 192.0.2.253/24 dev net
	ip -n $N-router link set net address 02:00:00:00:03:44
	ip -n $N-router addr add 192.0.2.253/24 dev net
	PYTHONPATH=$LIB /usr/bin/python3 $T/announce.py $N-router 02:00:00:00:03:44 192.0.2.253"

# No route: down, with the reason; then up again.
ip -n "$N-one" route del 198.51.100.0/24
wait_for 2 peer_is one two down
same "says why" true "$(at one -j peer show two | jq '.reason | test("route")')"
ip -n "$N-one" route add 198.51.100.0/24 via 192.0.2.253
wait_for 2 peer_is one two up
pings a 10.0.20.2

# What an operator has fixed stays fixed, and is used.
ip -n "$N-one" neigh replace 192.0.2.252 lladdr 02:00:00:00:03:44 nud permanent dev wire
ip -n "$N-one" route replace 198.51.100.0/24 via 192.0.2.252
permanent_is_used() {
	[[ $(next_hop one two) == "192.0.2.252 02:00:00:00:03:44" ]]
}
wait_for 2 permanent_is_used
end=$((SECONDS + 6))
while ((SECONDS < end)); do # heddle keeps its next hops fresh every few seconds: that is what could do harm
	pings a 10.0.20.2
	[[ $(ip -n "$N-one" neigh show 192.0.2.252) == *PERMANENT* ]] || fail "the neighbour is $(ip -n "$N-one" neigh show 192.0.2.252)"
done
