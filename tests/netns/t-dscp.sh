#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# DSCP and TTL of tunnel packets: as inside and 64, or what the network says; to one peer and to each, IPv4 and IPv6 inside and outside, each type
# of tunnel; congestion marks go along in any case. Changed under traffic, the next packet has it.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

hosts one
switch_on
plug one 1
sea 11 12
at one network add v --type vxlan --id 10
at one network add g --type geneve --id 10
at one network add k --type gre --id 10 --tunnel-dscp 10 --tunnel-ttl 7
mute_at one v v 1 --no-security
mute_at one g g 2 --no-security
mute_at one k k 3 --no-security

outer() { at one -j network show "$1" | jq -r '"\(."tunnel-dscp") \(."tunnel-ttl")"'; }
same "what it is if nothing is said" "inherit 64" "$(outer v)"
same "what was said" "10 7" "$(outer k)"
at one network add local --type local
same "a local network has none" "null null" "$(outer local)"
refused 6 'tunnel-ttl is for type vxlan, geneve and gre' at one network set local --tunnel-ttl 5
refused 6 'tunnel-dscp is for type vxlan, geneve and gre' at one network add x --type local --tunnel-dscp inherit
refused 6 'expected inherit or a number from 0 to 63' at one network set v --tunnel-dscp 64
refused 6 'expected a number from 1 to 255' at one network set v --tunnel-ttl 0

cat >"$T/dscp.py" <<'PY'
from sea import *

outside = int(sys.argv.pop())
sea = Sea(sys.argv[1:])
p, q = sea.peers
v, g, k = sea.ends
FAR = "02:00:00:00:00:77"
KINDS = {v: "vxlan", g: "geneve", k: "gre"}

def packet(end, version, tos, dst):
    head = IP(src="10.0.20.9", dst="10.0.20.8", tos=tos) if version == 4 else IPv6(src="2001:db8::9", dst="2001:db8::8", tc=tos)
    return bytes(Ether(src=end.mac, dst=dst) / head / UDP(sport=1, dport=2) / sea.payload())

def sends(what, end, frame, peers, tos, ttl):
    sea.goes(what, end, frame, out=[(peer, KINDS[end], 10, frame) for peer in peers])
    same(f"{what}: outside", [(tos, ttl)] * len(peers), [(o.tos, o.ttl) for o in sea.outer])

def look(end, dscp, ttl):
    """@dscp: None = that of inside"""
    for version in (4, 6):
        for tos in (0, 46 << 2, 0xFE, 0x29, 3):
            due = tos if dscp is None else dscp << 2 | tos & 3
            sends(f"{end}: {tos} in v{version} to one", end, packet(end, version, tos, FAR), [p], due, ttl)
            sends(f"{end}: {tos} in v{version} to all", end, packet(end, version, tos, BROADCAST), [p, q], due, ttl)
    frame = marked(FAR, end.mac)
    sends(f"{end}: no IP", end, frame, [p], 0 if dscp is None else dscp << 2, ttl)

for end in (v, g, k):
    frame = marked(end.mac, FAR)
    sea.comes("FAR is behind p", getattr(p, KINDS[end])(10, frame, version=outside), [(end, frame)])
look(v, None, 64)
look(g, None, 64)
look(k, 10, 7)
for end, options, dscp, ttl in (
    (v, {"tunnel-dscp": 46}, 46, 64),
    (v, {"tunnel-ttl": 255}, 46, 255),
    (v, {"tunnel-dscp": "inherit", "tunnel-ttl": 1}, None, 1),
    (v, {"tunnel-dscp": 0}, 0, 1),
    (v, {"tunnel-dscp": None, "tunnel-ttl": None}, None, 64),
    (g, {"tunnel-dscp": 63, "tunnel-ttl": 128}, 63, 128),
    (g, {"tunnel-dscp": None, "tunnel-ttl": None}, None, 64),
    (k, {"tunnel-dscp": "inherit"}, None, 7),
    (k, {"tunnel-dscp": 10}, 10, 7),
):
    sea.api.must("PATCH", f"networks/{end}", options)
    look(end, dscp, ttl)
sea.done()
PY

# over NET VERSION
over() {
	at one uplink add wire --tunnel-ip "${1}1"
	at one peer add p --tunnel-ip "${1}11"
	at one peer add q --tunnel-ip "${1}12"
	wait_for 5 peer_is one p up
	wait_for 5 peer_is one q up
	sail "$T/dscp.py" v=1 g=2 k=3 p:11 q:12 "$2"
	at one peer del p
	at one peer del q
	at one uplink del wire
}

over 192.0.2. 4
over 2001:db8:ffff:: 6
