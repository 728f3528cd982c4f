#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Packets in pieces through address translation, out and in, translated and by a floating IP: in order and the other way round, with a UDP checksum and
# without; and ICMP.
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

external
demo
inside a 2
inside b 3
inside c 4 --no-security
hd floating-ip add $FLOATING --router r --port b
allow default --direction ingress --protocol udp
allow default --direction ingress --protocol icmp
first a 172.16.0.1
first b 172.16.0.1
pings outside $GATEWAY

cat >"$T/fragments.py" <<'PY'
from scapy.all import IP, UDP, Ether, Raw, fragment

from nat import *

ROUTER = {"inside": sys.argv[4], "outside": sys.argv[5]}
wires = {name: Wire(f"{PREFIX}-{name}") for name in ("a", "b", "c", "outside")}
PORT = {"a": 5001, "b": 5002, "c": 5003}
ADDRESS = {"a": "192.168.27.2", "b": "192.168.27.3", "c": "192.168.27.4"}

def pieces(source, destination, sport, dport, data, checksum):
    udp = UDP(sport=sport, dport=dport)
    if not checksum:
        udp.chksum = 0
    packet = IP(src=source, dst=destination, id=struct.unpack("!H", os.urandom(2))[0] or 1) / udp / Raw(data)
    return fragment(packet, 1200)

def send(name, packets, reverse):
    to = ROUTER["outside" if name == "outside" else "inside"]
    for packet in reversed(packets) if reverse else packets:
        wires[name].send(bytes(Ether(src=wires[name].mac, dst=to) / packet))

server = make("outside", socket.SOCK_DGRAM, OUTSIDE, 7000)
for name, port in PORT.items():
    client = make(name, socket.SOCK_DGRAM, "", port)
    outside = FLOATING if name == "b" else GATEWAY
    # By the kernels themselves, whole and in pieces.
    for size in (40, 4000, 20000):
        peer = question(client, server, size)
        same(f"{name}: seen by", outside, peer[0])
        answer(server, peer, client, size)
    for reverse in (False, True):
        for checksum in (True, False):
            what = f"{name}, {'reversed' if reverse else 'in order'}, {'' if checksum else 'no '}checksum"
            data = os.urandom(4000)
            send(name, pieces(ADDRESS[name], OUTSIDE, port, 7000, data, checksum), reverse)
            got, again = server.recvfrom(65535)
            check(got == data, what, "out: changed")
            same(f"{what}: seen by", peer, again)
            data = os.urandom(4000)
            send("outside", pieces(OUTSIDE, outside, 7000, peer[1], data, checksum), reverse)
            check(client.recv(65535) == data, what, "in: changed")

# From outside to a floating IP first.
inner = make("b", socket.SOCK_DGRAM, "", 6000)
for reverse in (False, True):
    data = os.urandom(4000)
    send("outside", pieces(OUTSIDE, FLOATING, 7000, 6000, data, True), reverse)
    got, peer = inner.recvfrom(65535)
    check(got == data, "floating IP, from outside: changed")
    same("by", (OUTSIDE, 7000), peer)
    inner.sendto(data, peer)
    same("answered by", (data, (FLOATING, 6000)), server.recvfrom(65535))

# To an endpoint that is another's: neither the first piece nor the others get in.
client = make("a", socket.SOCK_DGRAM, "", 5004)
peer = question(client, server)
for reverse in (False, True):
    send("outside", pieces("172.16.0.9", GATEWAY, 7000, peer[1], os.urandom(4000), True), reverse)
answer(server, peer, client)
nothing_at(client)
PY
nat "$T/fragments.py" "$(hd -j router show r | jq -r .mac)" "$(ip -n "$N-outside" -j neigh show $GATEWAY | jq -r '.[0].lladdr')"
for name in a b c; do
	on $name ping -n -q -c 3 -i 0.02 -s 4000 -W 5 172.16.0.1 >"$T/ping" || fail "$name: ping in pieces: $(<"$T/ping")"
done
on outside ping -n -q -c 3 -i 0.02 -s 4000 -W 5 $FLOATING >"$T/ping" || fail "floating IP: ping in pieces: $(<"$T/ping")"
same "checksums" "" "$(csum_errors a b c outside)"
