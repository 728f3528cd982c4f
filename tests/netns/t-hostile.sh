#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Promise R6 for tunnels: outer headers that lie, are cut short or forbidden: 0 delivered, each counted by its reason, the next good one passes.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

hosts one
switch_on
plug one 1
sea 11 12 13
at one network add v --type vxlan --id 10
at one network add g --type geneve --id 10
at one network add k --type gre --id 10
at one uplink add wire --tunnel-ip 192.0.2.1
at one peer add p --tunnel-ip 192.0.2.11
at one peer add q --tunnel-ip 192.0.2.12 --network g
wait_for 5 peer_is one p up
mute_at one v v 1 --no-security
mute_at one g g 2 --no-security
mute_at one k k 3 --no-security

cat >"$T/hostile.py" <<'PY'
from sea import *

sea = Sea(sys.argv[1:])
p, q, stranger = sea.peers
v, g, k = sea.ends
FAR = "02:00:00:00:00:77"
HEADER, SHORT, OPTION, SUM, IP_BAD, PIECE = ("tunnel-header", "tunnel-short", "tunnel-option", "tunnel-checksum", "tunnel-ip",
                                             "tunnel-fragment")
GOOD = {v: lambda f: p.vxlan(10, f), g: lambda f: p.geneve(10, f), k: lambda f: p.gre(10, f)}

def bad(what, end, frame, reason):
    """@frame: a function of the inner frame, which is for @end."""
    inner = marked(end.mac, FAR)
    sea.comes(what, frame(inner), drops=[reason] if reason else [])
    inner = marked(end.mac, FAR)
    sea.comes("the next good one after: " + what, GOOD[end](inner), to=[(end, inner)])

def good(what, end, frame):
    inner = marked(end.mac, FAR)
    sea.comes(what, frame(inner), to=[(end, inner)])

def changed(frame, at, fmt, value):
    frame = bytearray(frame)
    struct.pack_into(fmt, frame, at, value)
    return bytes(frame)

def resummed(frame):
    """The IPv4 header's checksum is right again."""
    frame = bytearray(frame)
    size = (frame[14] & 15) * 4
    frame[24:26] = b"\0\0"
    frame[24:26] = struct.pack("!H", underlay.checksum(bytes(frame[14 : 14 + size])))
    return bytes(frame)

# ---- VXLAN ----
bad("no flags", v, lambda f: p.udp(4789, vxlan(10, f, 0)), HEADER)
bad("all flags but I", v, lambda f: p.udp(4789, vxlan(10, f, 0xF7FFFFFF)), HEADER)
for size in range(8):
    bad(f"{size} bytes of VXLAN", v, lambda f: p.udp(4789, vxlan(10, f)[:size]), HEADER)
for size in range(14):
    bad(f"VXLAN with a frame of {size} bytes", v, lambda f: p.vxlan(10, f[:size]), SHORT)
bad("VXLAN: unknown id", v, lambda f: p.vxlan(11, f), "tunnel-id")
bad("VXLAN: id of no network, in the wrong byte order", v, lambda f: p.vxlan(0x0A0000, f), "tunnel-id")
bad("VXLAN: unknown source", v, lambda f: stranger.vxlan(10, f), "tunnel-source")
bad("VXLAN: peer that is not in the network", v, lambda f: q.vxlan(10, f), "tunnel-member")
bad("VXLAN from our own address", v,
    lambda f: ether(sea.mac, p.mac, 0x0800, ip("192.0.2.1", "192.0.2.1", 17, udp("192.0.2.1", "192.0.2.1", 50000, 4789, vxlan(10, f)))),
    "tunnel-source")
good("VXLAN: a Geneve peer's other network", g, lambda f: q.geneve(10, f))

# ---- Geneve ----
critical, plain = option(0x0102, 0x81, bytes(4)), option(0x0102, 1, bytes(4))
for version in (1, 2, 3):
    bad(f"Geneve version {version}", g, lambda f: p.udp(6081, geneve(10, f, ver=version)), HEADER)
bad("Geneve: control packet", g, lambda f: p.udp(6081, geneve(10, f, flags=0x80)), OPTION)
bad("Geneve: critical option", g, lambda f: p.udp(6081, geneve(10, f, critical, flags=0x40)), OPTION)
bad("Geneve: critical option behind others", g, lambda f: p.udp(6081, geneve(10, f, plain * 3 + critical, flags=0x40)), OPTION)
bad("Geneve: IPv4 inside", g, lambda f: p.udp(6081, geneve(10, f, kind=0x0800)), HEADER)
for size in range(8):
    bad(f"{size} bytes of Geneve", g, lambda f: p.udp(6081, geneve(10, f)[:size]), HEADER)
for size in range(14):
    bad(f"Geneve with a frame of {size} bytes", g, lambda f: p.geneve(10, f[:size], plain), SHORT)
bad("Geneve: options beyond the packet", g, lambda f: p.udp(6081, geneve(10, f, opt_len=63)), HEADER)
bad("Geneve: options up to the packet's end", g, lambda f: p.udp(6081, geneve(10, f[:60], opt_len=16)), HEADER)
bad("Geneve: cut in the options", g, lambda f: p.udp(6081, geneve(10, b"", plain * 4)[:-4]), HEADER)
for length in (2, 5, 31):
    bad(f"Geneve: option of {length} words in two", g, lambda f: p.udp(6081, geneve(10, f, option(0x0102, 1, bytes(4), length))), HEADER)
bad("Geneve: the last option is too long", g, lambda f: p.udp(6081, geneve(10, f, plain * 5 + option(1, 1, b"", 1))), HEADER)
bad("Geneve: unknown id", g, lambda f: p.geneve(11, f), "tunnel-id")
bad("Geneve: unknown source", g, lambda f: stranger.geneve(10, f), "tunnel-source")
bad("Geneve at the VXLAN port", g, lambda f: p.udp(4789, geneve(10, f)), HEADER)

# ---- GRE ----
for version in range(1, 8):
    bad(f"GRE version {version}", k, lambda f: p.ip(47, gre(f, 10, version)), HEADER)
bad("GRE: routing bit", k, lambda f: p.ip(47, gre(f, 10, 0x4000)), HEADER)
bad("GRE: strict source route bit", k, lambda f: p.ip(47, gre(f, 10, 0x0800)), HEADER)
bad("GRE: bit 5", k, lambda f: p.ip(47, gre(f, 10, 0x0400)), HEADER)
bad("GRE: wrong checksum", k, lambda f: p.ip(47, gre(f, 10, csum=0x1234)), SUM)
bad("GRE: no checksum, though it is said to be there", k, lambda f: p.ip(47, gre(f, 10, csum=0)), SUM)
bad("GRE: wrong by one bit", k, lambda f: changed(p.ip(47, gre(f, 10, csum=True)), 14 + 20 + 12 + 63, "B", 0xAA ^ f[-1]), SUM)
bad("GRE: no key", k, lambda f: p.gre(None, f), "tunnel-id")
bad("GRE: unknown key", k, lambda f: p.gre(11, f), "tunnel-id")
bad("GRE: unknown source", k, lambda f: stranger.gre(10, f), "tunnel-source")
bad("GRE: peer that is not in the network", k, lambda f: q.gre(10, f), "tunnel-member")
for size in range(4, 8):
    bad(f"GRE: {size} bytes, with a key", k, lambda f: p.ip(47, gre(f, 10)[:size]), HEADER)
for size in range(14):
    bad(f"GRE with a frame of {size} bytes", k, lambda f: p.gre(10, f[:size]), SHORT)
good("GRE: right checksum", k, lambda f: p.ip(47, gre(f, 10, csum=True)))
good("GRE: right checksum, odd length", k, lambda f: p.ip(47, gre(f, 10, csum=True)))
good("GRE: sequence number", k, lambda f: p.ip(47, gre(f, 10, seq=7)))
good("GRE: checksum and sequence number", k, lambda f: p.ip(47, gre(f, 10, seq=7, csum=True)))
# RFC 2784, 2.1: bits 6 to 12 must be ignored.
good("GRE: reserved bits 6 to 12", k, lambda f: p.ip(47, gre(f, 10, 0x03F8)))

# ---- IP and UDP ----
for end, frame in GOOD.items():
    what = {v: "VXLAN", g: "Geneve", k: "GRE"}[end]
    bad(f"{what}: wrong checksum of IP", end, lambda f: changed(frame(f), 24, "!H", 0x1234), IP_BAD)
    bad(f"{what}: IP longer than the frame", end, lambda f: resummed(changed(frame(f), 16, "!H", 1400)), IP_BAD)
    bad(f"{what}: first of two pieces", end, lambda f: resummed(changed(frame(f), 20, "!H", 0x2000)), PIECE)
for end, port, body in ((v, 4789, lambda f: vxlan(10, f)), (g, 6081, lambda f: geneve(10, f))):
    for length in (0, 7, 8, 79, 81, 65535):
        bad(f"port {port}: UDP length {length}", end, lambda f: p.udp(port, body(f), length=length), HEADER)
    for size in (0, 1, 7):  # without a UDP header it is no tunnel packet yet: the host refuses it
        bad(f"port {port}: {size} bytes of UDP", end, lambda f: p.ip(17, udp("192.0.2.11", "192.0.2.1", 50000, port, body(f))[:size]), None)

# ---- what is inside, too ----
bad("inner source MAC is multicast", v, lambda f: p.vxlan(10, changed(f, 6, "B", 1)), "source-mac")
bad("inner source MAC is zero", v, lambda f: p.vxlan(10, f[:6] + bytes(6) + f[12:]), "source-mac")
bad("inner destination is one that bridges never forward", v, lambda f: p.vxlan(10, mac("01:80:c2:00:00:03") + f[6:]), "link-local-multicast")

# ---- not for us, and so the host's own affair: nothing is delivered. What its stack takes for itself, to all hosts, it opens at the idle
# device that is there for GRO, and that lets nothing out ----
for what, to, why in (("another address", "192.0.2.99", None), ("a multicast address", "224.0.0.1", "no-port")):
    bad("VXLAN to " + what, v, lambda f: ether(sea.mac, p.mac, 0x0800, ip(p.address[4], to, 17, udp(p.address[4], to, 50000, 4789, vxlan(10, f)))), why)
bad("VXLAN at a port without a network", v, lambda f: p.vxlan(10, f, 8472), None)
sea.done()
PY
sail "$T/hostile.py" v=1 g=2 k=3 p:11 q:12 s:13
for reason in $(at one -j drops | jq -r '[.[].reason] | unique[]'); do
	at one explain "$reason" >/dev/null
done
