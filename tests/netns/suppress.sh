#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Neighbour suppression: questions for known addresses are answered on the spot, exactly once, and nothing reaches the others.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local --neighbour-suppression on
ns a b c
hd port add pa --network blue --netns "$N-a" --ifname eth0 --mac 02:00:00:00:00:0a --no-security
hd port add pb --network blue --netns "$N-b" --ifname eth0 --mac 02:00:00:00:00:0b --no-security
hd port add pc --network blue --netns "$N-c" --ifname eth0 --mac 02:00:00:00:00:0c --no-security

# The namespaces have no IPv6, so that they stay quiet: heddle is to know the addresses, not to set them.
for name in a b; do
	hd port del "p$name"
	veth "dev-$name" "$name" eth1
	ip -n "$N-$name" link set eth1 address "02:00:00:00:00:0$name"
	hd port add "p$name" --network blue --device "dev-$name" --mac "02:00:00:00:00:0$name" \
		--ip "10.0.20.$((0x$name))" --ip "2001:db8::$name" --no-security
done
hd neighbour add 10.0.20.77 --network blue --mac 02:00:00:00:00:77
hd neighbour add 2001:db8::77 --network blue --mac 02:00:00:00:00:77

cat >"$T/ask.py" <<'PY'
"""ask.py answered|flooded A B C"""
import sys
from scapy.all import (ARP, Dot1Q, Ether, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
                       IPv6, in6_getnsma, in6_getnsmac, inet_ntop, inet_pton)
from frames import *

one_cpu()
answered = sys.argv[1] == "answered"
a, b, c = wires = [Wire(sys.argv[2], "eth1"), Wire(sys.argv[3], "eth1"), Wire(sys.argv[4])]
MAC = {w: f"02:00:00:00:00:{ord(str(w)) - 87:02x}" for w in wires}
MAC77, NOBODY = "02:00:00:00:00:77", "00:00:00:00:00:00"
V4, V6 = {a: "10.0.20.10", b: "10.0.20.11"}, {a: "2001:db8::a", b: "2001:db8::b"}

def arp(wire, source, target, op=1, dst=BROADCAST, tha=NOBODY):
    return Ether(dst=dst, src=MAC[wire]) / ARP(op=op, hwsrc=MAC[wire], psrc=source, hwdst=tha, pdst=target)

def ns(wire, source, target):
    group = in6_getnsma(inet_pton(socket.AF_INET6, target))
    packet = Ether(dst=in6_getnsmac(group), src=MAC[wire]) / IPv6(src=source, dst=inet_ntop(socket.AF_INET6, group), hlim=255)
    packet /= ICMPv6ND_NS(tgt=target)
    return packet if source == "::" else packet / ICMPv6NDOptSrcLLAddr(lladdr=MAC[wire])

def ask(what, wire, question, *answers, others=None):
    """The asker gets exactly @answers, the others the question if it is to be flooded."""
    question = bytes(question)
    flooded = not answers or not answered
    others = [w for w in wires if w is not wire] if others is None else others
    got = {w: [] for w in wires}
    wire.send(question)
    want = {w: [question] if flooded and w in others else [] for w in wires}
    if not flooded:
        want[wire] = [bytes(x) for x in answers]
    gather(wires, 5, lambda: all(len(got[w]) >= len(want[w]) for w in wires), lambda w, f: got[w].append(f))
    gather(wires, 0.15, take=lambda w, f: got[w].append(f))
    for w in wires:
        check(got[w] == want[w], f"{what}: at {w}:\n expected", [f.hex() for f in want[w]], "\n got     ", [f.hex() for f in got[w]])

def arp_reply(wire, source, target, owner):
    return Ether(dst=MAC[wire], src=owner) / ARP(op=2, hwsrc=owner, psrc=target, hwdst=MAC[wire], pdst=source)

def na(wire, source, target, owner):
    asked = source != "::"
    dst, dst_mac = (source, MAC[wire]) if asked else ("ff02::1", "33:33:00:00:00:01")
    return (Ether(dst=dst_mac, src=owner) / IPv6(src=target, dst=dst, hlim=255)
            / ICMPv6ND_NA(R=0, S=int(asked), O=1, tgt=target) / ICMPv6NDOptDstLLAddr(lladdr=owner))

# Known: a port's address and a static neighbour, by v4 and v6; and for one who looks for a duplicate of them (sender 0.0.0.0 or ::).
for target, owner in ((V4[b], MAC[b]), ("10.0.20.77", MAC77)):
    for source in (V4[a], "0.0.0.0"):
        ask(f"ARP for {target} from {source}", a, arp(a, source, target), arp_reply(a, source, target, owner))
for target, owner in ((V6[b], MAC[b]), ("2001:db8::77", MAC77)):
    for source in (V6[a], "::"):
        ask(f"ND for {target} from {source}", a, ns(a, source, target), na(a, source, target, owner))
ask("ARP by one without address", c, arp(c, "10.0.20.12", V4[a]), arp_reply(c, "10.0.20.12", V4[a], MAC[a]))

# Unknown addresses; a gratuitous ARP; the owner's own questions and duplicate address detection.
ask("unknown v4", a, arp(a, V4[a], "10.0.20.99"))
ask("unknown v6", a, ns(a, V6[a], "2001:db8::99"))
ask("gratuitous ARP request", a, arp(a, V4[a], V4[a]))
ask("gratuitous ARP reply", a, arp(a, V4[a], V4[a], op=2))
ask("gratuitous for another's address", c, arp(c, V4[a], V4[a]))
ask("owner's ARP probe", b, arp(b, "0.0.0.0", V4[b]))
ask("owner's DAD", b, ns(b, "::", V6[b]))
ask("ARP reply by broadcast", b, arp(b, V4[b], V4[a], op=2, tha=MAC[a]))

# What looks like a question but is not one for us: tagged, not by the rules of RFC 4861, cut off.
ask("tagged ARP", a, Ether(dst=BROADCAST, src=MAC[a]) / Dot1Q(vlan=5) / arp(a, V4[a], V4[b])[ARP])
bad = ns(a, V6[a], V6[b])
bad[IPv6].hlim = 64
ask("ND with hop limit 64", a, bad)
ask("ARP cut off", a, bytes(arp(a, V4[a], V4[b]))[:40])

# A unicast question goes to the owner, who alone knows that he is alive.
ask("unicast ARP probe", a, arp(a, V4[a], V4[b], dst=MAC[b]), others=[b])
PY
py "$T/ask.py" answered "$N-a" "$N-b" "$N-c"
hd network set blue --neighbour-suppression off
py "$T/ask.py" flooded "$N-a" "$N-b" "$N-c"
hd network set blue --neighbour-suppression on
py "$T/ask.py" answered "$N-a" "$N-b" "$N-c"

# Real stacks believe the answers, with and without checksum offload; and the other namespaces hear nothing of it.
ns6 x y
hd port add x --network blue --netns "$N-x" --ifname eth0 --ip 10.0.20.21/24 --ip 2001:db8::21/64 --mac 02:00:00:00:00:21
hd port add y --network blue --netns "$N-y" --ifname eth0 --ip 10.0.20.22/24 --ip 2001:db8::22/64 --mac 02:00:00:00:00:22
bg c tcpdump -i eth0 -n -w "$T/heard" -U "arp or (icmp6 and ip6[40] == 135 and src 2001:db8::21)" 2>"$T/tcpdump"
listener=$!
wait_for 5 grep -q listening "$T/tcpdump"
pings x 10.0.20.22 2001:db8::22
on x ip neigh flush all
on x ethtool -K eth0 tx off >/dev/null
pings x 10.0.20.22 2001:db8::22
kill -TERM "$listener"
wait "$listener" || true
same "questions that c heard" "" "$(tcpdump -nr "$T/heard" 2>/dev/null)"
same "bad ICMPv6 checksums" "" "$(on x nstat -asz | awk '$1 == "Icmp6InCsumErrors" && $2 > 0')"
