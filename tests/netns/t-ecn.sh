#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Congestion marks through tunnels as RFC 6040 has them, all 16 combinations, IPv4 and IPv6 inside and outside, each type of tunnel.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

hosts one
switch_on
plug one 1
sea 11
at one network add v --type vxlan --id 10
at one network add g --type geneve --id 10
at one network add k --type gre --id 10
mute_at one v v 1 --no-security
mute_at one g g 2 --no-security
mute_at one k k 3 --no-security

cat >"$T/ecn.py" <<'PY'
from sea import *

outside = int(sys.argv.pop())
sea = Sea(sys.argv[1:])
(p,) = sea.peers
v, g, k = sea.ends
FAR = "02:00:00:00:00:77"
NOT, ECT1, ECT0, CE = range(4)
# RFC 6040, section 4.2: (inside, outside) -> what the workload sees; the rest stays as it is inside.
BECOMES = {(NOT, CE): None, (ECT0, ECT1): ECT1, (ECT0, CE): CE, (ECT1, CE): CE}
TUNNELS = ((v, lambda f, tos: p.vxlan(10, f, version=outside, tos=tos)), (g, lambda f, tos: p.geneve(10, f, version=outside, tos=tos)),
           (k, lambda f, tos: p.gre(10, f, version=outside, tos=tos)))

def packet(end, version, tos, to_it):
    src, dst = (FAR, end.mac) if to_it else (end.mac, FAR)
    head = IP(src="10.0.20.8", dst="10.0.20.9", tos=tos) if version == 4 else IPv6(src="2001:db8::8", dst="2001:db8::9", tc=tos)
    return bytes(Ether(src=src, dst=dst) / head / UDP(sport=1, dport=2) / sea.payload())

frame = marked(BROADCAST, FAR)
for end, wrap in TUNNELS:
    sea.comes("FAR is behind p", wrap(frame, 0), [(end, frame)])
    for version in (4, 6):
        for dscp in (0, 46 << 2):
            for inside in range(4):
                # Section 4.1, normal mode: going in, the outer field is that of the inner.
                out = packet(end, version, dscp | inside, False)
                sea.goes(f"{end}, v{version}, out with {inside}", end, out, out=[(p, {v: "vxlan", g: "geneve", k: "gre"}[end], 10, out)])
                same(f"{end}, v{version}, {inside}: outer ECN", inside, sea.outer[0].tos & 3)
                for mark in range(4):
                    what = f"{end}, v{version} in v{outside}: {inside} inside, {mark} outside"
                    becomes = BECOMES.get((inside, mark), inside)
                    comes = packet(end, version, dscp | inside, True)
                    if becomes is None:
                        sea.comes(what, wrap(comes, mark), drops=["tunnel-congestion"])
                        continue
                    after = bytearray(comes)
                    word = struct.unpack_from("!H", after, 14)[0]
                    shift = 0 if version == 4 else 4
                    struct.pack_into("!H", after, 14, word & ~(3 << shift) | becomes << shift)
                    if version == 4:
                        after[24:26] = b"\0\0"
                        after[24:26] = struct.pack("!H", underlay.checksum(bytes(after[14:34])))
                    sea.comes(what, wrap(comes, 0x28 | mark), [(end, after)])
sea.done()
PY

# over NET VERSION
over() {
	at one uplink add wire --tunnel-ip "${1}1"
	at one peer add p --tunnel-ip "${1}11"
	wait_for 5 peer_is one p up
	sail "$T/ecn.py" v=1 g=2 k=3 p:11 "$2"
	at one peer del p
	at one uplink del wire
}

over 192.0.2. 4
over 2001:db8:ffff:: 6
