#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Promise R8: every drop is named: what was sent is what arrived and what was counted, reason by reason, to the packet.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local --flood off
hd subnet add blue4 --network blue --cidr 10.0.20.0/24 --gateway 10.0.20.254
hd security-group add server
allow server --direction ingress --protocol udp --port 53
hd security-group add silent
hd security-group rule-del silent "$(hd -j security-group show silent | jq '.rules[0].id')"
mute blue a 1
mute blue b 2 --security-group server
mute blue silent 3 --security-group silent
bare blue free 4

cat >"$T/mix.py" <<'PY'
import random
from lab import *

FRAMES = 20000
lab = Lab(sys.argv[1:])
a, b, silent, free = lab.ends
random.seed(lab.payload().load)

def changed(packet, **fields):
    for name, value in fields.items():
        setattr(packet, name, value)
    return packet

def kinds():
    """(sender, frame, receiver or None, (reason, port))"""
    for v in (4, 6):
        foreign = {4: "10.0.20.99", 6: "2001:db8::99"}[v]
        yield a, lab.udp(a, b, 1000, 53, v), b, None
        yield a, lab.udp(a, b, 1000, 54, v), None, ("group-ingress", "b")
        yield silent, lab.udp(silent, b, 1000, 53, v), None, ("group-egress", "silent")
        yield a, lab.tcp(a, b, 1000, 53, "A", 1, 1, version=v), None, ("tcp-no-connection", "a")
        yield a, lab.echo(a, b, 5, v, True), None, ("icmp-unrelated", "a")
        yield a, changed(lab.udp(a, b, 1, 53, v), src="02:00:00:00:00:66"), None, ("spoof-mac", "a")
        yield free, changed(lab.udp(free, b, 1, 53, v), src=a.mac), None, ("mac-static", "free")
        yield a, changed(lab.udp(a, b, 1, 53, v), src=BROADCAST), None, ("source-mac", "a")
        yield a, changed(lab.udp(a, b, 1, 53, v), dst="02:00:00:00:00:77"), None, ("unknown-unicast", "a")
        yield a, changed(lab.udp(a, b, 1, 53, v), dst="01:80:c2:00:00:03"), None, ("link-local-multicast", "a")
        spoofed = lab.udp(a, b, 1, 53, v)
        spoofed[1].src = foreign
        yield a, spoofed, None, ("spoof-ip", "a")
        stolen = lab.udp(free, b, 1000, 53, v)
        stolen[1].src = a.address[v]
        yield free, stolen, None, ("flow-port", "free")
        yield a, a.to(b, v) / TCP(dataofs=1), None, ("l4-malformed", "a")
        yield a, bytes(lab.udp(a, b, 1, 53, v))[:30], None, ("ip-malformed", "a")
        yield a, lab.udp(a, b, 67 if v == 4 else 547, 68 if v == 4 else 546, v), None, ("dhcp-server", "a")
    yield a, Ether(src=a.mac, dst=b.mac, type=0x88B5) / lab.payload(), None, ("ethertype", "a")
    yield a, Ether(src=a.mac, dst=b.mac) / Dot1Q(vlan=3) / IP() / UDP(), None, ("tagged", "a")
    yield a, Ether(src=a.mac, dst=BROADCAST) / ARP(hwsrc=a.mac, psrc=b.address[4]), None, ("spoof-neighbour", "a")
    yield a, Ether(src=a.mac, dst=BROADCAST) / ARP(hwsrc=a.mac, psrc="10.0.20.254"), None, ("gateway-claimed", "a")
    yield a, Ether(src=a.mac, dst="33:33:00:00:00:01") / IPv6(src="fe80::ff:fe00:1", dst="ff02::1", hlim=255) / ICMPv6ND_RA(), None, ("router-advertisement", "a")
    deep = a.to(b, 6)
    for _ in range(9):
        deep = deep / IPv6ExtHdrDestOpt()
    yield a, deep / UDP(), None, ("extension-headers", "a")
    yield a, a.to(b, proto=17, frag=10) / Raw(bytes(1400)), None, ("fragment-orphan", "a")

def counters():
    return sum(port["counters"]["drops"] for port in lab.api.get("ports"))

mix = [(end, bytes(frame), to, cause) for end, frame, to, cause in kinds()]
total, sent = counters(), 0
for turn in range(FRAMES // len(mix)):
    if turn:  # the first time the flow must begin before it is stolen
        random.shuffle(mix)
    for end, frame, to, cause in mix:
        end.wire.send(frame)
        sent += 1
        if to:
            lab.due[to][frame] += 1
        else:
            lab.dropped[cause] += 1
gather([e.wire for e in lab.ends], 10, lab.settled, lab.take)
lab.judge("the mix")
lab.done()
arrived, lost = lab.delivered, sum(lab.lost().values())
same("sent", sent, arrived + lost)
same("the ports' counters", lost, counters() - total)
stats = sum(row["packets"] for port in lab.api.get("stats") if port["noun"] == "port" for row in port["drops"])
same("stats", sum(lab.api.drops().values()), stats)
print(f"note: {sent} sent = {arrived} arrived + {lost} dropped for", len({reason for reason, _ in lab.dropped}), "reasons")
PY
lab "$T/mix.py" a=1 b=2 silent=3 free=4
for reason in $(hd -j drops | jq -r '[.[].reason] | unique[]'); do
	hd explain "$reason" >/dev/null
done
