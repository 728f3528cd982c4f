#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Packets in pieces cross a router, in order and backwards, IPv4 and IPv6, with security groups at both ends; and ICMP errors, also about pieces, find
# their way back through it to the socket that has sent what they are about.
# shellcheck source-path=SCRIPTDIR source=../lib/routing.sh
. "$(dirname "$0")/../lib/routing.sh"

host
for n in 1 2; do
	hd network add "net$n" --type local
done
subnets hd 1 2
hd router add r
attach hd r 1 2
hd security-group add server
hd security-group rule-add server --direction ingress --protocol udp --port 5000-5001 >/dev/null
side hd 1 a
side hd 2 b --security-group server
on a ping -c 1 -W 1 10.0.2.11 >/dev/null || true # b's MAC is asked for
wait_for 10 eval 'hd -j neighbour list --network net2 | jq -e ".[] | select(.ip == \"10.0.2.11\" and .mac != \"\")"'
on a ping -c 1 -W 1 2001:db8:2::11 >/dev/null || true
wait_for 10 eval 'hd -j neighbour list --network net2 | jq -e ".[] | select(.ip == \"2001:db8:2::11\" and .mac != \"\")"'

cat >"$T/pieces.py" <<'PY'
import errno
import sys
from scapy.all import Ether, IP, IPv6, IPv6ExtHdrFragment, Raw, UDP
from frames import *

a, b, router = sys.argv[1:]
IP_MTU_DISCOVER, IP_RECVERR, IPV6_RECVERR, IPV6_MTU_DISCOVER = 10, 11, 25, 23
ADDRESS = {4: ("10.0.1.11", "10.0.2.11", "10.0.1.1"), 6: ("2001:db8:1::11", "2001:db8:2::11", "2001:db8:1::1")}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}

def bound(name, v, address, port):
    with netns(name):
        sock = socket.socket(FAMILY[v], socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    sock.bind((address, port))
    sock.settimeout(5 * patience())
    return sock

def stacks(v):
    """The kernel cuts and puts together: 3 to 9 pieces, both ways."""
    rx, tx = bound(b, v, ADDRESS[v][1], 5000), bound(a, v, ADDRESS[v][0], 4000)
    tx.connect(rx.getsockname())
    for i in range(60):
        data = os.urandom(1400 * (3 + i % 7) - 100)
        tx.send(data)
        got, peer = rx.recvfrom(70000)
        check(got == data, f"v{v}: datagram {i} changed")
        rx.sendto(data, peer)
        check(tx.recv(70000) == data, f"v{v}: answer {i} changed")

def cut(v, wire, dport, body, ident):
    source, target = ADDRESS[v][:2]
    head = Ether(src=wire.mac, dst=router)
    whole = head / (IP(src=source, dst=target) if v == 4 else IPv6(src=source, dst=target)) / UDP(sport=4001, dport=dport) / Raw(body)
    data = bytes(whole)[34 if v == 4 else 54:]
    pieces = []
    for at in range(0, len(data), 1024):
        more = int(at + 1024 < len(data))
        if v == 4:
            ip = IP(src=source, dst=target, proto=17, id=ident, flags="MF" if more else 0, frag=at // 8)
        else:
            ip = IPv6(src=source, dst=target) / IPv6ExtHdrFragment(nh=17, id=ident, m=more, offset=at // 8)
        pieces.append(bytes(head / ip / Raw(data[at:at + 1024])))
    return pieces

def backwards(v):
    """The last piece first: it waits for the ports, and goes on rewritten as the others."""
    wire, rx, other = Wire(a), bound(b, v, ADDRESS[v][1], 5001), bound(b, v, ADDRESS[v][1], 6000)
    for n in range(1, 6):
        for order in (range(n), reversed(range(n)), sorted(range(n), key=lambda i: (i + 1) % n)):
            body, ident = os.urandom(1024 * n - 100), struct.unpack("!H", os.urandom(2))[0] or 1
            pieces = cut(v, wire, 5001, body, ident)
            same("pieces", n, len(pieces))
            for i in order:
                wire.send(pieces[i])
            check(rx.recv(70000) == body, f"v{v}: {n} pieces changed")
    # Nothing of one that is not allowed arrives, whichever comes first.
    see = Wire(b)
    for order in ((0, 1, 2), (2, 1, 0)):
        pieces = cut(v, wire, 6000, os.urandom(2500), 77)
        for i in order:
            wire.send(pieces[i])
    for piece in cut(v, wire, 5001, b"last" * 300, 78):
        wire.send(piece)
    check(rx.recv(70000) == b"last" * 300, "the last")
    other.setblocking(False)
    try:
        check(False, "a datagram that is not allowed:", len(other.recv(70000)))
    except BlockingIOError:
        pass
    seen = [f for f in see.receive() if f[12:14] in (b"\x08\x00", b"\x86\xdd")]
    same(f"v{v}: pieces on b's wire", 2, len(seen))

def refused(what, v, size, ttl=None, dport=5000):
    """The error that comes back to a connected socket."""
    tx = bound(a, v, ADDRESS[v][0], 0)
    if ttl:
        tx.setsockopt(socket.IPPROTO_IP if v == 4 else socket.IPPROTO_IPV6, socket.IP_TTL if v == 4 else socket.IPV6_UNICAST_HOPS, ttl)
    tx.setsockopt(socket.IPPROTO_IP if v == 4 else socket.IPPROTO_IPV6, IP_RECVERR if v == 4 else IPV6_RECVERR, 1)
    tx.connect((ADDRESS[v][1], dport))
    tx.send(bytes(size))
    try:
        tx.recv(100)
        check(False, what, "answered")
    except TimeoutError:
        check(False, f"v{v}: {what}: the socket hears nothing")
    except OSError as error:
        pass
    _, ancillary, _, _ = tx.recvmsg(70000, 512, socket.MSG_ERRQUEUE)
    data = ancillary[0][2]
    number, _, _, _ = struct.unpack_from("IBBB", data)
    offender = data[16 + 4:16 + 8] if v == 4 else data[16 + 8:16 + 24]
    return errno.errorcode[number], socket.inet_ntop(FAMILY[v], offender)

for v in (4, 6):
    stacks(v)
    backwards(v)
    for size in (10, 4000):
        same(f"v{v}: closed port, {size} bytes", ("ECONNREFUSED", ADDRESS[v][1]), refused("closed port", v, size))
        same(f"v{v}: TTL 1, {size} bytes", ("EHOSTUNREACH", ADDRESS[v][2]), refused("TTL 1", v, size, ttl=1))
PY
py "$T/pieces.py" "$N-a" "$N-b" "$(hd -j router show r | jq -r .mac)"
same "what was dropped" "fragment-orphan group-ingress ttl-expired unresolved" \
	"$(hd -j drops | jq -r '[.[] | select(.stage != "flood").reason] | unique | join(" ")')"
same "checksums" "" "$(csum_errors a b)"
