#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario L2-7: provider networks: flat on physnet1, VLAN 123 on "public"; what needs a physical network and what must not have one; and
# nothing is left behind.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
ns out tagged
veth eth1 out eth0
veth eth2 tagged eth0
ip -n "$N-out" addr add 10.0.20.9/24 dev eth0
ip -n "$N-host" link set eth2 mtu 1400
before=$(on host sh -c 'ip -d link; tc qdisc; tc filter show dev eth1 ingress')

hd uplink add eth1 --physical physnet1
hd uplink add eth2 --physical public

echo "refusals"
refused 6 'type flat needs physical' hd network add x --type flat
refused 6 'type vlan needs physical' hd network add x --type vlan --id 123
refused 6 'type vlan needs id' hd network add x --type vlan --physical public
refused 6 'a VLAN is a number from 1 to 4094' hd network add x --type vlan --physical public --id 4095
refused 6 'a VLAN is a number from 1 to 4094' hd network add x --type vlan --physical public --id 0
refused 6 'a flat network has no id' hd network add x --type flat --physical physnet1 --id 5
refused 6 'tunnel-port is for' hd network add x --type vlan --physical public --id 5 --tunnel-port 4789
refused 3 'physical network nowhere does not exist' hd network add x --type flat --physical nowhere
for type in vxlan geneve gre; do
	refused 6 'a tunnel has no physical network' hd network add x --type $type --id 5 --physical physnet1
done
refused 6 'a local network has no physical network' hd network add x --type local --physical physnet1
refused 4 'physical network physnet1 is already used by uplink eth1' hd uplink set eth2 --physical physnet1
same "networks" "[]" "$(hd -j network list | jq -c .)"

hd network add flat --type flat --physical physnet1
hd network add vlan123 --type vlan --physical public --id 123
refused 4 'what is untagged on physical network physnet1 is already used by network flat' \
	hd network add flat2 --type flat --physical physnet1
refused 4 'VLAN 123 of physical network public is already used by network vlan123' \
	hd network add vlan2 --type vlan --physical public --id 123
refused 4 'physical network public is still used by network vlan123' hd uplink set eth2 --unset physical
refused 4 'physical network public is still used by network vlan123' hd uplink set eth2 --physical other
refused 4 'uplink eth1: still used by network flat' hd uplink del eth1
hd network add vlan123-there --type vlan --physical physnet1 --id 123 # another physical network, another VLAN 123
hd network add flat-there --type flat --physical public
hd network del vlan123-there
hd network del flat-there
same "what there is" "flat vlan123" "$(hd -j network list | jq -r '[.[].name] | sort | join(" ")')"

echo "flat"
same "MTU" "1500 1400" "$(for n in flat vlan123; do hd -j network show $n | jq .mtu; done | paste -sd' ')"
workload flat a --ip 10.0.20.1/24 --mac 02:00:00:00:00:01 --no-security
workload flat b --ip 10.0.20.2/24 --mac 02:00:00:00:00:02 --no-security
pings a 10.0.20.9 10.0.20.2
pings out 10.0.20.1 10.0.20.2
same "who is behind the uplink" "eth1" \
	"$(hd -j fdb | jq -r --arg m "$(mac_of out eth0)" '.[] | select(.mac == $m) | .port')"
(($(hd -j network show flat | jq '.leg.counters["tx-packets"]') > 0)) || fail "nothing counted at the leg"

echo "VLAN 123"
workload vlan123 c --ip 10.0.20.3/24 --mac 02:00:00:00:00:03 --no-security
same "MTU of a port" 1400 "$(ip -n "$N-c" -j link show eth0 | jq '.[0].mtu')"
cat >"$T/vlan123.py" <<'PY'
import sys
from scapy.all import ARP, Dot1Q, Ether, ICMP, IP
from frames import *

one_cpu()
wire, c = Wire(sys.argv[1]), Wire(sys.argv[2])
m = Marker()
mac, theirs = "02:00:00:00:00:03", "02:00:00:00:00:99"

# Broadcast and unicast with tag 123 come in without it; with another tag, or none, they don't.
sends, expected = [], {wire: [], c: []}
for dst in (BROADCAST, mac):
    for prio in (0, 5):
        frame = m.frame(dst, theirs, tags=((0x8100, 123 | prio << 13),))
        sends.append((wire, frame))
        expected[c].append(frame[:12] + frame[16:])
    for tags in ((), ((0x8100, 124),), ((0x8100, 0),), ((0x88a8, 123),)):
        sends.append((wire, m.frame(dst, theirs, tags=tags)))
# A second tag beneath is content.
frame = m.frame(mac, theirs, tags=((0x8100, 123), (0x8100, 7)))
sends.append((wire, frame))
expected[c].append(frame[:12] + frame[16:])
exchange(m, (wire, c), sends, expected)

# Out with tag 123; a workload's own tags beneath it.
sends, expected = [], {wire: [], c: []}
for dst in (BROADCAST, theirs, "02:00:00:00:00:77"):
    for tags in ((), ((0x8100, 7),), ((0x88a8, 7), (0x8100, 8))):
        frame = m.frame(dst, mac, tags=tags)
        sends.append((c, frame))
        expected[wire].append(frame[:12] + b"\x81\0\0\x7b" + frame[12:])
exchange(m, (wire, c), sends, expected)
PY
for state in on off; do
	echo "VLAN offload $state"
	on host ethtool -K eth2 rxvlan $state txvlan $state >/dev/null
	on tagged ethtool -K eth0 rxvlan $state txvlan $state >/dev/null
	py "$T/vlan123.py" "$N-tagged" "$N-c"
done
on host ethtool -K eth2 rxvlan on txvlan on >/dev/null

echo "a workload's own tag does not get it into a VLAN of others"
hd network add red --type vlan --physical physnet1 --id 10
workload red r --ip 10.0.20.4/24 --no-security
py - "$N-out" "$N-a" "$N-b" "$N-r" <<'PY'
import sys
from frames import *

one_cpu()
out, a, b, r = wires = [Wire(name) for name in sys.argv[1:]]
m = Marker()
many = m.frame(BROADCAST, "02:00:00:00:00:01", tags=((0x8100, 10),))
one = m.frame(out.mac, "02:00:00:00:00:01", tags=((0x8100, 10),))
exchange(m, wires, [(a, many), (a, one)], {b: [many]})  # b is on the same network, where tags are content
PY
same "its drops" 1 "$(drops_of vlan-not-allowed a)"

echo "nothing is left"
is_promiscuous() { [[ $(ip -n "$N-host" -j link show "$1" | jq '.[0].flags | index("PROMISC") != null') == "$2" ]]; }
is_promiscuous eth1 true || fail "eth1 does not let frames for others in"
hd port del r
hd network del red
for port in a b c; do hd port del $port; done
hd network del flat
is_promiscuous eth1 false || fail "eth1 still lets frames for others in"
is_promiscuous eth2 true || fail "eth2 does not"
same "learned MACs" "[]" "$(hd -j fdb | jq -c '[.[] | select(.network == "flat")]')"
hd purge
daemon_purged
on host ethtool -K eth2 rxvlan on txvlan on >/dev/null
same "the machine" "$before" "$(on host sh -c 'ip -d link; tc qdisc; tc filter show dev eth1 ingress')"
