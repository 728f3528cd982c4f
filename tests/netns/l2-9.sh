#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario L2-9: a NIC that is given to a network loses its role for the host's own IP; a shared uplink keeps it. `uplink show` says which.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
ns out
veth eth1 out eth0
ip -n "$N-out" addr add 192.0.2.2/24 dev eth0
ip -n "$N-out" addr add 10.0.20.9/24 dev eth0
ip -n "$N-host" addr add 192.0.2.1/24 dev eth1
use() { hd -j uplink show eth1 | jq -r .use; }
use_is() { [[ $(use) == "$1" ]]; }
forget() { on out ip neigh flush dev eth0; on host ip neigh flush dev eth1; }

echo "shared: the host keeps its address, and its connections"
bg out ping -n -q -i 0.02 -w 60 192.0.2.1 >"$T/through" 2>&1
ping=$!
hd uplink add eth1 --physical physnet1
hd network add flat --type flat --physical physnet1
same "use" shared "$(use)"
hd uplink list | grep -q 'eth1 .* shared' || fail "the list does not say it: $(hd uplink list)"
dual flat a 1 --no-security
dual flat b 2 --no-security
forget # ARP for the host's own address is broadcast: it must get it, and so must the workloads
pings out 192.0.2.1 10.0.20.1 10.0.20.2
forget
pings host 192.0.2.2
pings a 10.0.20.9 10.0.20.2
py "$LIB/transfer.py" "$N-out" "$N-host" 192.0.2.1 60000
kill -QUIT "$ping" # it tells how it stands
stands() { grep -q '% loss' "$T/through"; }
wait_for 5 stands
kill -KILL "$ping"
wait "$ping" 2>/dev/null || true
grep -q ' 0% loss' "$T/through" || fail "the host's ping while all of that was set up: $(<"$T/through")"

# frames.py of what the workloads get of the host's traffic
cat >"$T/for_host.py" <<'PY'
import sys
from frames import *

one_cpu()
kind, host_mac = sys.argv[1], sys.argv[2]
out, a, b = wires = [Wire(name) for name in sys.argv[3:6]]
host = Wire(sys.argv[6], "eth1")  # sees all that comes in by the NIC: not asked
m = Marker()
mine, many, one = (m.frame(dst, out.mac) for dst in (host_mac, BROADCAST, "02:00:00:00:00:01"))
expected = {a: [many, one], b: [many]}
if kind == "given":
    expected = {a: [mine, many, one], b: [mine, many]}
exchange(m, wires, [(out, mine), (out, many), (out, one)], expected)
PY
mac=$(mac_of host eth1)
py "$T/for_host.py" shared "$mac" "$N-out" "$N-a" "$N-b" "$N-host"

echo "the host's broadcasts are counted in, whatever the network does with them"
hd port del a
hd port del b
ip netns del "$N-a"
ip netns del "$N-b"
forget
pings out 192.0.2.1 # no member: the network drops what the host gets
(($(drops_of no-member eth1) > 0)) || fail "nothing for no member"

echo "kill -9 of the daemon"
dual flat a 1 --no-security
dual flat b 2 --no-security
traffic_start out a 10.0.20.1
daemon_kill
forget
pings out 192.0.2.1 10.0.20.2
daemon_start
same "use" shared "$(use)"
pings out 192.0.2.1 10.0.20.2
traffic_stop

echo "given: without an address the host has no part in the network"
ip -n "$N-host" addr del 192.0.2.1/24 dev eth1
wait_for 5 use_is given
given() { py "$T/for_host.py" given "$mac" "$N-out" "$N-a" "$N-b" "$N-host"; }
wait_for 20 given # a try takes five seconds if it fails
on out ip neigh replace 10.0.20.254 lladdr "$mac" dev eth0
received() { on host cat /proc/net/snmp | awk '/^Ip: [0-9]/ { print $3 }'; }
before=$(received)
on out ping -n -q -c 3 -i 0.01 -W 0.2 10.0.20.254 >/dev/null && fail "the host answers"
same "IP packets to the host" "$before" "$(received)"
pings out 10.0.20.1 10.0.20.2

echo "and back: an address makes it shared"
ip -n "$N-host" addr add 192.0.2.1/24 dev eth1
again() { py "$T/for_host.py" shared "$mac" "$N-out" "$N-a" "$N-b" "$N-host"; }
wait_for 20 again
same "use" shared "$(use)"
forget
pings out 192.0.2.1 10.0.20.1

echo "one that was promiscuous before stays so"
flags() { ip -n "$N-host" -j link show eth1 | jq -c '.[0].flags | index("PROMISC") != null'; }
hd port del a
hd port del b
hd network del flat
same "promiscuous" false "$(flags)"
ip -n "$N-host" link set eth1 promisc on
hd network add flat --type flat --physical physnet1
hd network del flat
hd uplink del eth1
same "promiscuous" true "$(flags)"
pings out 192.0.2.1
