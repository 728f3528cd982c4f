#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The same subnet, the same MACs, the same ids in several networks over the same two hosts: they never mix, neither bare frames nor connections.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

pair
both network add v10 --type vxlan --id 10
both network add v11 --type vxlan --id 11
both network add old --type vxlan --id 10 --tunnel-port 8472
both network add gen --type geneve --id 10
both network add key --type gre --id 10
both network add gre --type gre
both network add loc --type local
both security-group add open
for host in one two; do
	at $host security-group rule-add open --direction ingress >/dev/null
done
tunnels 4
nets=(v10 v11 old gen key gre loc)
for net in "${nets[@]}"; do
	mute_at one "$net" "$net-a" 1 --mac 02:00:00:00:00:01 --ip 10.0.20.1/24 --ip 2001:db8::1/64 --security-group open
	mute_at two "$net" "$net-b" 2 --mac 02:00:00:00:00:02 --ip 10.0.20.2/24 --ip 2001:db8::2/64 --security-group open
done

cat >"$T/mix.py" <<'PY'
from lab import *

prefix, *nets = sys.argv[1:]
one_cpu()
A, B = "02:00:00:00:00:01", "02:00:00:00:00:02"
ends = {(net, side): Wire(f"{prefix}-{net}-{side}", label=f"{net}-{side}") for net in nets for side in "ab"}
marker, wires = Marker(), list(ends.values())
NUMBER = {"a": (A, "10.0.20.1", "2001:db8::1"), "b": (B, "10.0.20.2", "2001:db8::2")}

def packet(net, side, make):
    """From one side of a network to the other, marked."""
    (src, src4, src6), (dst, dst4, dst6) = NUMBER[side], NUMBER["ab".replace(side, "")]
    marker.count += 1
    return bytes(make(src, dst, (src4, dst4), (src6, dst6)) / Raw(marker.nonce + struct.pack("!I", marker.count) + bytes(8)))

def arp(src, dst, four, six):
    return Ether(src=src, dst=BROADCAST) / ARP(hwsrc=src, psrc=four[0], pdst=four[1])

def udp(src, dst, four, six):
    return Ether(src=src, dst=dst) / IP(src=four[0], dst=four[1]) / UDP(sport=1000, dport=1000)

def udp6(src, dst, four, six):
    return Ether(src=src, dst=dst) / IPv6(src=six[0], dst=six[1]) / UDP(sport=1000, dport=1000)

def syn(src, dst, four, six):
    return Ether(src=src, dst=dst) / IP(src=four[0], dst=four[1]) / TCP(sport=1000, dport=80, flags="S", seq=1)

def round_of(make, sides, nets_now, arrive=True):
    sends, expected = [], collections.defaultdict(list)
    for net in nets_now:
        for side in sides:
            frame = packet(net, side, make)
            sends.append((ends[net, side], frame))
            if arrive and net != "loc":  # that one ends at its host
                expected[ends[net, "ab".replace(side, "")]].append(frame)
    exchange(marker, wires, sends, expected)

# Broadcasts first, all at a time, then one network after the other; then what is known, both ways.
round_of(arp, "ab", nets)
for net in nets:
    round_of(arp, "a", [net])
round_of(udp, "ab", nets)
round_of(udp6, "ab", nets)
round_of(udp, "ba", nets)
for net in nets:
    round_of(udp, "ab", [net])

# A connection in one network is none in another: a SYN passes in v10; the same connection's next packet in all others is refused.
round_of(syn, "a", ["v10"])

def answer(src, dst, four, six):
    return Ether(src=src, dst=dst) / IP(src=four[0], dst=four[1]) / TCP(sport=80, dport=1000, flags="SA", seq=1, ack=2)

round_of(answer, "b", [net for net in nets if net != "v10"], arrive=False)
round_of(answer, "b", ["v10"])
PY
py "$T/mix.py" "$N" "${nets[@]}"

# Each network has what it has learned, and no other's.
for net in v10 v11 old gen key gre; do
	same "$net: behind two" "" "$(at one -j fdb | jq -r --arg n $net '.[] | select(.network == $n and .mac == "02:00:00:00:00:02" and .port != "two") | .port')"
done
same "a connection without its beginning, by network" "tcp-no-connection=5" "$(all_drops two | grep -o 'tcp-no-connection=[0-9]*')"
