#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A workload's own 802.1Q and 802.1ad tags pass a local network unchanged, with VLAN offload on and off.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
workload blue a --no-security
workload blue b --no-security
workload blue c --no-security
ns d
veth dev0 d eth0
hd port add d --network blue --device dev0 --no-security

device_of() { hd -j port show "$1" | jq -r '."host-device"'; }

# offload on|off PORT: at both ends, receive and transmit
offload() {
	on host ethtool -K "$(device_of "$2")" rxvlan "$1" txvlan "$1" tx-vlan-stag-hw-insert "$1" rx-vlan-stag-hw-parse "$1" >/dev/null
	on "$2" ethtool -K eth0 rxvlan "$1" txvlan "$1" tx-vlan-stag-hw-insert "$1" rx-vlan-stag-hw-parse "$1" >/dev/null
}

cat >"$T/tags.py" <<'PY'
import sys
from scapy.all import Dot1AD, Dot1Q, Ether, IP, Raw, UDP
from frames import *

one_cpu()
a, b, c, d = wires = [Wire(name) for name in sys.argv[1:]]
m = Marker()

def inside():
    """A payload that can be told: a marked frame without its Ethernet header."""
    return Raw(m.frame(BROADCAST, BROADCAST)[14:])

def tagged(dst, src, *tags):
    frame = Ether(dst=dst, src=src)
    for tag in tags:
        frame = frame / tag
    return bytes(frame / IP(src="192.0.2.1", dst="192.0.2.2") / UDP(dport=7) / inside())

stacks = [(Dot1Q(vlan=v, prio=p, id=dei),) for v in (0, 1, 10, 4094) for p in (0, 5, 7) for dei in (0, 1)]
stacks += [(Dot1AD(vlan=100, prio=3), Dot1Q(vlan=7, prio=6)), (Dot1Q(vlan=5, prio=1), Dot1Q(vlan=6, prio=2)),
           (Dot1AD(vlan=4094, prio=7, id=1),), (Dot1Q(vlan=1), Dot1Q(vlan=2), Dot1Q(vlan=3))]
macs = {w: f"02:00:00:00:00:{i:02x}" for i, w in enumerate(wires, 10)}
sends, expected = [], {w: [] for w in wires}
for w in wires:
    hello = m.frame(BROADCAST, macs[w])
    sends.append((w, hello))
    for other in wires:
        if other is not w:
            expected[other].append(hello)
exchange(m, wires, sends, expected)

sends, expected = [], {w: [] for w in wires}
for tags in stacks:
    for src, dst in ((a, b), (b, a), (a, d), (d, b)):  # known
        frame = tagged(macs[dst], macs[src], *tags)
        sends.append((src, frame))
        expected[dst].append(frame)
    for to in (BROADCAST, "01:00:5e:01:01:01", "02:00:00:00:00:77"):  # flooded
        frame = tagged(to, macs[a], *tags)
        sends.append((a, frame))
        for w in (b, c, d):
            expected[w].append(frame)
exchange(m, wires, sends, expected)
PY

for state in on off; do
	for name in a b c d; do
		offload "$state" "$name"
	done
	echo "vlan offload $state everywhere"
	py "$T/tags.py" "$N-a" "$N-b" "$N-c" "$N-d"
done
echo "vlan offload on at a and c only"
offload on a
offload on c
py "$T/tags.py" "$N-a" "$N-b" "$N-c" "$N-d"

# MACs in tagged frames are learned like others, and the largest tagged frame passes: the tag does not count against the MTU.
py - "$N-a" "$N-b" "$N-c" <<'PY'
import sys
from frames import *

one_cpu()
a, b, c = wires = [Wire(name) for name in sys.argv[1:]]
m = Marker()
x, y = "02:00:00:00:01:01", "02:00:00:00:01:02"
hello = m.frame(BROADCAST, y, tags=((0x8100, 10),))
exchange(m, wires, [(b, hello)], {a: [hello], c: [hello]})
full = m.frame(y, x, tags=((0x8100, 10),), size=1518)
exchange(m, wires, [(a, full)], {b: [full]})
PY
