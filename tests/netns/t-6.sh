#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-6: a broadcast goes once to each peer of its network; remote MACs are learned, and move; nothing goes from tunnel to tunnel.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

hosts one
switch_on
plug one 1
sea 11 12 13 14
at one network add blue --type vxlan --id 10
at one network add green --type vxlan --id 20
at one network add red --type geneve --id 10
at one network add grey --type local
at one uplink add wire --tunnel-ip 192.0.2.1
at one peer add p1 --tunnel-ip 192.0.2.11 --network blue
at one peer add p2 --tunnel-ip 192.0.2.12 --network blue --network green
at one peer add p3 --tunnel-ip 192.0.2.13 --network green
at one peer add p4 --tunnel-ip 192.0.2.14
wait_for 5 peer_is one p4 up
mute_at one blue a 1 --no-security --mac 02:00:00:00:00:01
mute_at one blue b 2 --no-security
mute_at one green c 3 --no-security
mute_at one red d 4 --no-security
mute_at one grey e 5 --no-security

cat >"$T/flood.py" <<'PY'
from sea import *

sea = Sea(sys.argv[1:])
a, b, c, d, e = sea.ends
p1, p2, p3, p4 = sea.peers
BLUE, GREEN, RED = ("vxlan", 10), ("vxlan", 20), ("geneve", 10)
X, Y, NOBODY = "02:00:00:00:00:70", "02:00:00:00:00:71", "02:00:00:00:00:7f"

def learned():
    """{(network, MAC): port} of what has been learned from tunnels."""
    return {(row["network"], row["mac"]): row["port"] for row in sea.api.get("fdb") if row["kind"] == "learned" and row["port"] in ("p1", "p2", "p3", "p4")}

# Out: once to each peer of that network only.
for what, dst, size in (("broadcast", BROADCAST, 64), ("multicast", "01:00:5e:00:00:05", 64), ("unknown unicast", NOBODY, 64),
                        ("broadcast of full size", BROADCAST, 1464)):
    frame = marked(dst, a.mac, size)
    sea.goes(f"{what} in blue", a, frame, [(b, frame)], [(p, *BLUE, frame) for p in (p1, p2, p4)])
    frame = marked(dst, c.mac, size)
    sea.goes(f"{what} in green", c, frame, out=[(p, *GREEN, frame) for p in (p2, p3, p4)])
    frame = marked(dst, d.mac, size)
    sea.goes(f"{what} in red", d, frame, out=[(p4, *RED, frame)])
    frame = marked(dst, e.mac, size)
    sea.goes(f"{what} in a network that stays here", e, frame, drops=["no-member"])
arp = bytes(Ether(src=a.mac, dst=BROADCAST) / ARP(hwsrc=a.mac, psrc="10.0.20.1", pdst="10.0.20.9"))
sea.goes("ARP", a, arp, [(b, arp)], [(p, *BLUE, arp) for p in (p1, p2, p4)])
frame = marked(BROADCAST, b.mac)
sea.goes("b says where it is", b, frame, [(a, frame)], [(p, *BLUE, frame) for p in (p1, p2, p4)])
same("nothing learned from outside yet", {}, learned())

# In: to all workloads of that network, back into no tunnel.
for what, dst in (("broadcast", BROADCAST), ("multicast", "01:00:5e:00:00:05"), ("unknown unicast", NOBODY)):
    frame = marked(dst, X)
    sea.comes(f"{what} comes in to blue", p1.vxlan(10, frame), [(a, frame), (b, frame)])
same("learned from what came in", {("blue", X): "p1"}, learned())

# Known now: to that peer only. In another network it is unknown still.
frame = marked(X, a.mac)
sea.goes("to a learned MAC", a, frame, out=[(p1, *BLUE, frame)])
frame = marked(X, c.mac)
sea.goes("to the same MAC elsewhere", c, frame, out=[(p, *GREEN, frame) for p in (p2, p3, p4)])

# It moves to another peer, to a workload here, and away again.
frame = marked(b.mac, X)
sea.comes("X has moved to p2", p2.vxlan(10, frame), [(b, frame)])
frame = marked(X, a.mac)
sea.goes("to X at p2", a, frame, out=[(p2, *BLUE, frame)])
frame = marked(a.mac, X)
sea.goes("X has moved here", b, frame, [(a, frame)])
frame = marked(X, a.mac)
sea.goes("to X here", a, frame, [(b, frame)])
frame = marked(a.mac, X)
sea.comes("X has moved to p4", p4.vxlan(10, frame), [(a, frame)])
frame = marked(X, a.mac)
sea.goes("to X at p4", a, frame, out=[(p4, *BLUE, frame)])

# Tunnel to tunnel: never, neither to another peer nor back. Unknown destinations end at the workloads here.
frame = marked(X, Y)
sea.comes("from p1 to X at p4", p1.vxlan(10, frame), drops=["tunnel-to-tunnel"])
frame = marked(X, Y)
sea.comes("from p4 to X at p4", p4.vxlan(10, frame), drops=["same-port"])
same("learned", {("blue", X): "p4", ("blue", Y): "p4"}, learned())
frame = marked(BROADCAST, X)
sea.comes("broadcast in red", p4.geneve(10, frame), [(d, frame)])
same("each network has its own", {("blue", X): "p4", ("blue", Y): "p4", ("red", X): "p4"}, learned())

# A configured MAC is not to be had from outside.
frame = marked(b.mac, a.mac)
sea.comes("a peer speaks as a", p1.vxlan(10, frame), drops=["mac-static"])
frame = marked(a.mac, b.mac)
sea.goes("a is where it was", b, frame, [(a, frame)])

# Changes are in force on the next packet: no flooding; a peer in one network more; a peer that is gone.
sea.api.must("PATCH", "networks/blue", {"flood": "off"})
frame = marked(NOBODY, a.mac)
sea.goes("unknown unicast without flooding", a, frame, drops=["unknown-unicast"])
frame = marked(BROADCAST, a.mac)
sea.goes("broadcast without flooding", a, frame, [(b, frame)], [(p, *BLUE, frame) for p in (p1, p2, p4)])
sea.api.must("PATCH", "networks/blue", {"flood": "on"})
sea.api.must("PATCH", "peers/p3", {"network": ["green", "blue"]})
frame = marked(BROADCAST, a.mac)
sea.goes("p3 in blue, too", a, frame, [(b, frame)], [(p, *BLUE, frame) for p in (p1, p2, p3, p4)])
sea.api.must("DELETE", "peers/p1")
sea.before, sea.dropped = sea.api.drops(), collections.Counter()  # what was counted for it has gone with it
frame = marked(BROADCAST, a.mac)
sea.goes("p1 is gone", a, frame, [(b, frame)], [(p, *BLUE, frame) for p in (p2, p3, p4)])
frame = marked(BROADCAST, X)
sea.comes("what p1 says now", p1.vxlan(10, frame), drops=["tunnel-source"])
sea.done()
PY
sail "$T/flood.py" a=1 b=2 c=3 d=4 e=5 p1:11 p2:12 p3:13 p4:14
