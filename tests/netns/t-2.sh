#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-2: VXLAN, id 10, at UDP ports 4789 and 8472: the MTU inside, and what is on the wire, to the byte.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

hosts one
switch_on
plug one 1
sea 12
at one network add new --type vxlan --id 10
at one network add old --type vxlan --id 10 --tunnel-port 8472
same "MTU" "1450 1450" "$(at one -j network list | jq -r '[.[].mtu] | join(" ")')"
same "ports" "4789 8472" "$(for net in new old; do at one -j network show $net | jq '."tunnel-port"'; done | paste -sd' ')"
at one uplink add wire --tunnel-ip 192.0.2.1
at one peer add p --tunnel-ip 192.0.2.12
wait_for 5 peer_is one p up
ns w
at one port add w --network new --netns "$N-w" --ifname eth0 --ip 10.0.20.9/24 --no-security
same "MTU of the device" 1450 "$(ip -n "$N-w" -j link show eth0 | jq '.[0].mtu')"
at one port del w
mute_at one new n 1 --no-security
mute_at one old o 2 --no-security

cat >"$T/bytes.py" <<'PY'
from sea import *

sea = Sea(sys.argv[1:])
new, old = sea.ends
(peer,) = sea.peers
FAR = "02:00:00:00:00:77"

def arp(end):
    return bytes(Ether(src=end.mac, dst=BROADCAST) / ARP(hwsrc=end.mac, psrc=end.address[4], pdst="10.0.20.7"))

sports = set()
for end, port in ((new, 4789), (old, 8472)):
    frame = arp(end)
    sea.goes(f"ARP by port {port}", end, frame, out=[(peer, "vxlan", 10, frame)])
    (outer,) = sea.outer
    same("bytes of the frame", 92, outer.size)
    same("flags, id, reserved", "08000000" "00000a00", outer.body[8:16].hex())
    same("UDP port, length, checksum", (port, 58, 0), struct.unpack_from("!HHH", outer.body, 2))
    check(49152 <= outer.sport <= 65535, "source port", outer.sport)
    same("addresses", ("192.0.2.1", "192.0.2.12"), (outer.ip_src, outer.ip_dst))
    same("TTL, DF, type of service", (64, True, 0), (outer.ttl, outer.df, outer.tos))

    # What comes in by the one port is not of the other's network.
    inner = marked(end.mac, FAR)
    sea.comes(f"in by port {port}", peer.vxlan(10, inner, port), to=[(end, inner)])

# A flow keeps its source port, whatever its packets are like; flows differ.
def by(sport, version, size=32):
    packet = bytes(Ether(src=new.mac, dst=FAR) / (IP(src="10.0.20.1", dst="10.0.20.7") if version == 4 else IPv6(src="2001:db8::1", dst="2001:db8::7"))
                   / UDP(sport=sport, dport=53) / sea.payload(size))
    sea.goes(f"v{version}, flow {sport}", new, packet, out=[(peer, "vxlan", 10, packet)])
    return sea.outer[0].sport

for version in (4, 6):
    flows = [by(sport, version) for sport in range(1000, 1032)]
    same("again", flows, [by(sport, version, 700) for sport in range(1000, 1032)])
    check(len(set(flows)) > 24, "32 flows have", len(set(flows)), "source ports")
    check(min(flows) >= 49152, "source port", min(flows))

# Outer checksums are zero or right when they come in; over IPv4 the underlay is not looked at as a whole, but nothing wrong passes inside.
inner = marked(new.mac, FAR)
sea.comes("with a UDP checksum", peer.vxlan(10, inner, csum=True), to=[(new, inner)])
inner = marked(new.mac, FAR)
sea.comes("reserved bits", peer.udp(4789, underlay.vxlan(10, inner, 0xFFFFFFFF, 0xFF)), to=[(new, inner)])
sea.done()
PY
sail "$T/bytes.py" n=1 o=2 p:12
refused 6 '16777215' at one network add big --type vxlan --id 16777216
