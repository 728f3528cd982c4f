#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-7: MTU. What may not be cut and is too large for a tunnel is answered with the right size, from the right source, with right
# checksums; TCP finishes in each setup; nothing is fragmented outside.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

# Workloads believe in 1500 here, as those do whose devices heddle has not made: a tap, a veth of someone else's.
hosts one
switch_on
plug one 1
sea 11
at one network add v --type vxlan --id 10
at one network add k --type gre --id 10
mute_at one v v 1 --no-security
mute_at one k k 2 --no-security
mute_at one v s 3 --mac 02:00:00:00:00:03 --ip 10.0.20.3/24 --ip 2001:db8::3/64

cat >"$T/mtu.py" <<'PY'
from sea import *

outside = int(sys.argv.pop())
sea = Sea(sys.argv[1:])
v, k, s = sea.ends
(p,) = sea.peers
FAR, ADDRESS = "02:00:00:00:00:77", {4: "10.0.20.7", 6: "2001:db8::7"}
MTU = {v: 1500 - {4: 20, 6: 40}[outside] - 8 - 8 - 14, s: 1500 - {4: 20, 6: 40}[outside] - 8 - 8 - 14, k: 1500 - {4: 20, 6: 40}[outside] - 8 - 14}
TUNNEL = {v: "vxlan", s: "vxlan", k: "gre"}

def packet(end, version, size, df=True):
    """UDP of @size bytes of IP."""
    if version == 4:
        head = IP(src=end.address[4], dst=ADDRESS[4], flags="DF" if df else 0, id=7)
        return bytes(Ether(src=end.mac, dst=FAR) / head / UDP(sport=1000, dport=53) / Raw(os.urandom(size - 28)))
    return bytes(Ether(src=end.mac, dst=FAR) / IPv6(src=end.address[6], dst=ADDRESS[6]) / UDP(sport=1000, dport=53) / Raw(os.urandom(size - 48)))

def too_large(end, version, size):
    """The answer, field by field; one, and nothing outside."""
    frame = packet(end, version, size)
    end.wire.send(frame)
    answers = []
    def take(wire, got):
        if wire is end.wire:
            answers.append(got)
        else:
            sea.take(wire, got)
    gather(sea.wires(), 3, lambda: answers, take)
    gather(sea.wires(), 0.05, take=take)
    what = f"{end}, v{version} in v{outside}, {size} bytes"
    sea.dropped["mtu"] += 1
    same(f"{what}: answers", 1, len(answers))
    same(f"{what}: drops", dict(sea.dropped), sea.lost())
    same(f"{what}: outside", {}, dict(sea.out_got))
    got = underlay.Packet(answers[0])
    got.check_sums()
    same(f"{what}: Ethernet", (end.mac, FAR), (got.dst, got.src))
    same(f"{what}: IP", (ADDRESS[version], end.address[version]), (got.ip_src, got.ip_dst))
    if version == 4:
        kind, code, _, mtu = struct.unpack_from("!BBIH", got.body)
        same(f"{what}: ICMP", (3, 4, MTU[end]), (kind, code, mtu))
        quoted = got.body[8:]
        check(len(quoted) >= 28 and frame[14:].startswith(quoted), f"{what}: quotes something else: {quoted.hex()}")
    else:
        kind, code, _, mtu = struct.unpack_from("!BBHI", got.body)
        same(f"{what}: ICMPv6", (2, 0, MTU[end]), (kind, code, mtu))
        quoted = got.body[8:]
        check(len(quoted) >= 48 and frame[14:].startswith(quoted) and len(got.body) + 40 <= 1280, f"{what}: quotes {len(quoted)} bytes: {quoted.hex()}")

inner = marked(BROADCAST, FAR)
sea.comes("FAR is behind p", p.vxlan(10, inner, version=outside), [(v, inner)], drops=["ethertype"])
inner = marked(BROADCAST, FAR)
sea.comes("FAR is behind p", p.gre(10, inner, version=outside), [(k, inner)])
for end in (v, k, s):
    for version in (4, 6):
        for size in (MTU[end], 100):
            frame = packet(end, version, size)
            sea.goes(f"{end}, v{version} in v{outside}: {size} bytes", end, frame, out=[(p, TUNNEL[end], 10, frame)])
            same("largest", True, sea.outer[0].size - 14 <= 1500)
        for size in (MTU[end] + 1, 1500):
            too_large(end, version, size)
# What may be cut is cut inside, or refused by name; no piece is outside.
sea.before, sea.dropped = sea.api.drops(), collections.Counter()
frame = packet(v, 4, 1500, df=False)
v.wire.send(frame)
gather(sea.wires(), 0.3, take=sea.take)
pieces = sorted((underlay.Packet(inner) for _, _, _, inner in sea.out_got), key=lambda piece: struct.unpack_from("!H", piece.frame, 20)[0] & 0x1FFF)
if pieces:
    same("the pieces inside, put together", frame[34:], b"".join(piece.body for piece in pieces))
else:
    same("refused by name", 1, sea.lost().get("mtu"))
print(f"note: IPv{outside} outside: without DF and too large:", f"{len(pieces)} pieces inside" if pieces else "dropped as 'mtu'")
PY

# over NET VERSION
over() {
	at one uplink add wire --tunnel-ip "${1}1"
	at one peer add p --tunnel-ip "${1}11"
	wait_for 5 peer_is one p up
	sail "$T/mtu.py" v=1 k=2 s=3 p:11 "$2"
	at one peer del p
	at one uplink del wire
}

over 192.0.2. 4
over 2001:db8:ffff:: 6
