#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Packets in pieces: what the rules let through arrives, in whatever order; what they don't, does not in any.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
hd security-group add server
allow server --direction ingress --protocol udp --port 53
allow server --direction ingress --protocol tcp --port 80
mute blue a 1
mute blue b 2 --security-group server
mute blue many 3 --security-group server
bare blue free 4

cat >"$T/common.py" <<'PY'
import itertools, random
from lab import *

lab = Lab(sys.argv[1:])
a, b, many, free = lab.ends
ORPHAN, OVERLAP, DENIED = "fragment-orphan", "fragment-overlap", "group-ingress"
ids = itertools.count(random.randrange(1, 30000))

lab.passes("where free is", free, Ether(src=free.mac, dst=BROADCAST) / ARP(hwsrc=free.mac, psrc=free.address[4], pdst=free.address[4]), a, b, many)

def cut(source, to, version, payload, cuts, proto=17, ident=None, mac=None):
    """@payload, with its transport header, in pieces that begin at 0 and at each of @cuts."""
    ident = next(ids) if ident is None else ident
    edges = [0, *cuts, len(payload)]
    pieces = []
    for start, end in zip(edges, edges[1:]):
        more = end < len(payload)
        if version == 4:
            head = source.to(to, proto=proto, id=ident, flags="MF" if more else 0, frag=start // 8)
        else:
            head = source.to(to, 6) / IPv6ExtHdrFragment(nh=proto, id=ident, m=int(more), offset=start // 8)
        pieces.append(head / Raw(payload[start:end]))
    return pieces

def datagram(source, to, version, dport, size, sport=1000):
    packet = source.to(to, version) / UDP(sport=sport, dport=dport) / lab.payload(size - 8)
    return bytes(packet)[34 if version == 4 else 54:]

def even(size, n):
    step = (size // n + 7) // 8 * 8
    return [i * step for i in range(1, n)]

def send_all(what, source, pieces, order, *to):
    """All of them arrive: those that come before the first one when that has come, behind it and in order of their coming."""
    waiting = []
    for i in order:
        frame = bytes(pieces[i])
        if i and 0 not in order[:order.index(i)]:
            # It waits; until it goes on it is counted as what it would be if the first never came.
            waiting.append(frame)
            lab.drops(f"{what}: piece {i} waits", source, frame, ORPHAN)
            continue
        if i == 0:
            for early in waiting:
                for end in to:
                    lab.due[end][early] += 1
                lab.dropped[ORPHAN, source.name] -= 1
            lab.dropped += collections.Counter()  # forgets zeros
        lab.passes(f"{what}: piece {i}", source, frame, *to)
PY

cat >"$T/allowed.py" <<'PY'
from common import *

for v in (4, 6):
    for n in range(2, 10):
        data = datagram(a, b, v, 53, 64 * n + 5)
        send_all(f"v{v}, {n} pieces in order", a, cut(a, b, v, data, even(len(data), n)), list(range(n)), b)
    for order in itertools.permutations(range(4)):
        data = datagram(a, b, v, 53, 300)
        send_all(f"v{v}, order {order}", a, cut(a, b, v, data, even(len(data), 4)), list(order), b)
    data = datagram(a, b, v, 53, 1400 * 3)
    send_all(f"v{v}, large and backwards", a, cut(a, b, v, data, [1400, 2800]), [2, 1, 0], b)
    # Two at a time, and the answer in pieces as well.
    one, two = (cut(a, b, v, datagram(a, b, v, 53, 200), [80, 160]) for _ in range(2))
    for i in range(3):
        lab.passes(f"v{v}, one of two, {i}", a, one[i], b)
        lab.passes(f"v{v}, other of two, {i}", a, two[i], b)
    send_all(f"v{v}, answer", b, cut(b, a, v, datagram(b, a, v, 1000, 200, sport=53), [80, 160]), [0, 1, 2], a)
    # ICMP echo, and a protocol without ports (its pieces have no first that says more).
    packet = bytes(lab.echo(a, free, 5, v) / Raw(bytes(200)))[34 if v == 4 else 54:]
    send_all(f"v{v}, echo", a, cut(a, free, v, packet, [64, 128], proto=1 if v == 4 else 58), [1, 0, 2], free)
    send_all(f"v{v}, protocol 253", a, cut(a, free, v, os.urandom(100), [40, 80], proto=253), [0, 1, 2], free)
    # An IPv6 packet that is whole behind a fragment header (RFC 6946).
    if v == 6:
        whole = a.to(b, 6) / IPv6ExtHdrFragment(nh=17, id=9) / Raw(datagram(a, b, 6, 53, 100))
        lab.passes("atomic", a, whole, b)
        lab.passes("atomic, the same id", a, whole, b)
    # An identification comes round again; what was complete is done with.
    for _ in range(3):
        send_all(f"v{v}, the same id again", a, cut(a, b, v, datagram(a, b, v, 53, 100), [48], ident=77), [0, 1], b)

# To many: each copy is judged by its receiver, and later pieces as the first.
def to_all():
    pieces = cut(a, b, 4, datagram(a, b, 4, 53, 200), [80, 160])
    for piece in pieces:
        piece.dst, piece[IP].dst = BROADCAST, "255.255.255.255"
    return pieces

send_all("broadcast", a, to_all(), [0, 1, 2], b, many, free)
early = to_all()
lab.drops("broadcast: an early piece does not wait", a, early[1], ORPHAN)  # docs/design/flows.md, limits
send_all("broadcast: but the others pass", a, early, [0, 2], b, many, free)
lab.done()
PY

cat >"$T/denied.py" <<'PY'
from common import *

def closed(v):
    """A datagram to a closed port does not pass, in whichever order its pieces come."""
    for order in itertools.permutations(range(3)):
        pieces = cut(a, b, v, datagram(a, b, v, 54, 200), [80, 160])
        for i in order:
            lab.step(f"v{v}, closed port, order {order}, piece {i}", a, pieces[i],
                     drops=[(ORPHAN, "a") if i else (DENIED, "b")])

def mixed(v):
    """Nor do the pieces of one that is denied go along with one that is allowed."""
    good, bad = (cut(a, b, v, datagram(a, b, v, port, 200), [80, 160]) for port in (53, 54))
    lab.passes("good first", a, good[0], b)
    lab.step("bad first", a, bad[0], drops=[(DENIED, "b")])
    lab.drops("bad second", a, bad[1], ORPHAN)
    lab.passes("good second", a, good[1], b)
    lab.drops("bad third", a, bad[2], ORPHAN)
    lab.passes("good third", a, good[2], b)
    # The same id, but another protocol (IPv4), destination or source: not the same packet.
    pieces = cut(a, b, v, datagram(a, b, v, 53, 200), [80, 160], ident=4242)
    lab.passes("first", a, pieces[0], b)
    other = cut(a, b, v, bytes(200), [80, 160], ident=4242, proto=6)
    if v == 4:
        lab.drops("TCP", a, other[1], ORPHAN)
    lab.drops("to another", a, cut(a, many, v, bytes(200), [80, 160], ident=4242)[1], ORPHAN)
    lab.drops("from another", many, cut(many, b, v, bytes(200), [80, 160], ident=4242)[1], ORPHAN)
    # One that says it is a's: it does not pass, and leaves a's packet alone.
    forged = cut(a, b, v, bytes(200), [80, 160], ident=4242)[1]
    forged.src = free.mac
    lab.drops("by who says it is a", free, forged, ORPHAN)
    lab.passes("second", a, pieces[1], b)
    lab.passes("third", a, pieces[2], b)

def overlapping(v):
    """What has passed can't be written over (RFC 5722)."""
    cuts = [80, 160]
    for again, start, size in ((0, 0, 80), (1, 80, 80), (1, 72, 16), (1, 88, 8), (1, 152, 8), (1, 80, 160), (1, 64, 24)):
        data = datagram(a, b, v, 53, 240)
        pieces = cut(a, b, v, data, cuts, ident=next(ids))
        ident = pieces[0][IP].id if v == 4 else pieces[0][IPv6ExtHdrFragment].id
        lab.passes("first", a, pieces[0], b)
        lab.passes("second", a, pieces[1], b)
        if v == 4:
            head = a.to(b, proto=17, id=ident, flags="MF", frag=start // 8)
        else:
            head = a.to(b, 6) / IPv6ExtHdrFragment(nh=17, id=ident, m=1, offset=start // 8)
        body = datagram(a, b, v, 53, 240)[:size] if start == 0 else os.urandom(size)
        lab.drops(f"v{v}: {size} bytes at {start} over them", a, head / Raw(body), OVERLAP)
        lab.passes("third", a, pieces[2], b)

def tiny(v):
    """A first piece that is too short to be judged (RFC 1858, RFC 7112), and a second that would write over the TCP header."""
    syn = bytes(lab.tcp(a, b, 1000, 80, "S", 1, version=v, size=100))[34 if v == 4 else 54:]
    for first in (8, 16):
        pieces = cut(a, b, v, syn, [first, 64], proto=6)
        lab.drops(f"v{v}: TCP, first of {first} bytes", a, pieces[0], "l4-malformed")
        lab.drops(f"v{v}: TCP, second at {first}", a, pieces[1], OVERLAP)
        lab.drops(f"v{v}: TCP, third", a, pieces[2], ORPHAN)
    lab.passes(f"v{v}: TCP, first of 24 bytes", a, cut(a, b, v, syn, [24, 64], proto=6)[0], b)
    whole = cut(a, b, v, datagram(a, b, v, 53, 100), [8, 64])
    send_all(f"v{v}: UDP, first of 8 bytes is all of its header", a, whole, [0, 1, 2], b)
    if v == 6:
        chain = bytes([17, 0, 1, 4, 0, 0, 0, 0]) + datagram(a, b, 6, 53, 100)
        pieces = cut(a, b, 6, chain, [8, 64], proto=60)
        lab.drops("first piece ends before UDP", a, pieces[0], "l4-malformed")
        lab.drops("its second", a, pieces[1], ORPHAN)

def wrong(v):
    """Beyond the end of all packets, empty, a piece of a piece."""
    if v == 4:
        lab.drops("beyond 65535", a, a.to(b, proto=17, id=1, frag=8191) / Raw(bytes(40)), "ip-malformed")
    else:
        lab.drops("beyond 65535", a, a.to(b, 6) / IPv6ExtHdrFragment(nh=17, id=1, offset=8191) / Raw(bytes(40)), "ip-malformed")
        head = a.to(b, 6) / IPv6ExtHdrFragment(nh=44, id=1, m=1) / IPv6ExtHdrFragment(nh=17, id=2, m=1)
        lab.drops("a piece of a piece", a, head / Raw(datagram(a, b, 6, 53, 80)), "ip-malformed")

for v in (4, 6):
    for part in (closed, mixed, overlapping, tiny, wrong):
        part(v)
lab.done()
PY
for part in allowed denied; do
	lab "$T/$part.py" a=1 b=2 many=3 free=4
done

# Real stacks: datagrams of 3 to 9 pieces, both ways.
workload blue x --ip 10.0.20.11/24
workload blue y --ip 10.0.20.12/24
py - "$N-x" "$N-y" 10.0.20.12 <<'PY'
import sys
from frames import *

with netns(sys.argv[2]):
    rx = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
rx.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
rx.bind((sys.argv[3], 0))
rx.settimeout(5)
with netns(sys.argv[1]):
    tx = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tx.settimeout(5)
tx.connect(rx.getsockname())
for i in range(300):
    data = os.urandom(1480 * (3 + i % 7) - 100)
    tx.send(data)
    got, peer = rx.recvfrom(70000)
    check(got == data, "datagram", i, "changed")
    rx.sendto(data, peer)
    check(tx.recv(70000) == data, "answer", i, "changed")
PY
