#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# ICMP and flows: errors pass if they belong to a flow, replies if somebody has asked; all else is dropped and named.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
hd security-group add other
mute blue a 1
mute blue b 2
mute blue c 3 --security-group other
mute blue router 4 --no-security

cat >"$T/icmp.py" <<'PY'
from lab import *

lab = Lab(sys.argv[1:])
a, b, c, router = lab.ends
UNRELATED = "icmp-unrelated"

def quoted(packet, size=None):
    """What an error quotes: from the IP header on, cut off."""
    return Raw(bytes(packet)[14:][:size])

def errors(version):
    """One of each kind."""
    if version == 4:
        yield from (("port unreachable", ICMP(type=3, code=3)), ("too big", ICMP(type=3, code=4, nexthopmtu=1400)),
                    ("time exceeded", ICMP(type=11)), ("parameter problem", ICMP(type=12, ptr=1)))
    else:
        yield from (("port unreachable", ICMPv6DestUnreach(code=4)), ("too big", ICMPv6PacketTooBig(mtu=1400)),
                    ("time exceeded", ICMPv6TimeExceeded()))

def error(source, to, packet, version, kind=None, size=None):
    kind = kind or (ICMP(type=3, code=1) if version == 4 else ICMPv6DestUnreach(code=1))
    return source.to(to, version) / kind.copy() / quoted(packet, size)

def related(version):
    """A UDP flow of a and b: errors about what a has sent go to a, from b or from a router."""
    least = 28 if version == 4 else 48
    asked, answer = lab.udp(a, b, 1000, 53, version), lab.udp(b, a, 53, 1000, version)
    lab.passes("question", a, asked, b)
    for stage in ("unanswered", "established"):
        for what, kind in errors(version):
            lab.passes(f"{stage}: {what} from b", b, error(b, a, asked, version, kind), a)
            lab.passes(f"{stage}: {what} from a router", router, error(router, a, asked, version, kind), a)
            lab.drops(f"{stage}: {what} from c, who is not part of it", c, error(c, a, asked, version, kind), UNRELATED)
        lab.passes(f"{stage}: with the least that is quoted", b, error(b, a, asked, version, size=least), a)
        lab.drops(f"{stage}: with less", b, error(b, a, asked, version, size=least - 8), UNRELATED)
        lab.drops(f"{stage}: not to a", b, error(b, router, asked, version), UNRELATED)
        lab.drops(f"{stage}: about what a has received", router, error(router, a, answer, version), UNRELATED)
        lab.drops(f"{stage}: another port is quoted", b, error(b, a, lab.udp(a, b, 1001, 53, version), version), UNRELATED)
        lab.drops(f"{stage}: the other way round", b, error(b, a, lab.udp(a, b, 53, 1000, version), version), UNRELATED)
        lab.drops(f"{stage}: another address is quoted", b, error(b, a, lab.udp(a, c, 1000, 53, version), version), UNRELATED)
        lab.drops(f"{stage}: another protocol is quoted", b, error(b, a, lab.tcp(a, b, 1000, 53, "S", 1, version=version), version), UNRELATED)
        lab.drops(f"{stage}: an error about an error", b, error(b, a, error(a, b, answer, version), version), UNRELATED)
        lab.passes(f"{stage}: b's answer", b, answer, a)
    lab.passes("about the answer, to b", a, error(a, b, answer, version), b)
    lab.drops("about the answer, from c", c, error(c, b, answer, version), UNRELATED)

def unrelated(version):
    for sender, to in ((a, b), (b, a), (router, a), (router, c), (a, router)):
        lab.drops(f"{sender} to {to}: nothing like it", sender, error(sender, to, lab.udp(to, sender, 7, 9, version), version), UNRELATED)
    lab.drops("nothing quoted", b, b.to(a, version) / (ICMP(type=3) if version == 4 else ICMPv6DestUnreach()), UNRELATED)

def tcp(version):
    """The same for TCP, whose quoted packet may end behind the ports and the sequence number."""
    syn = lab.tcp(a, b, 1000, 80, "S", 100, version=version)
    lab.passes("SYN", a, syn, b)
    lab.passes("SYN refused by a router", router, error(router, a, syn, version, size=28 if version == 4 else 48), a)
    lab.passes("SYN,ACK", b, lab.tcp(b, a, 80, 1000, "SA", 500, 101, version=version), a)
    data = lab.tcp(a, b, 1000, 80, "A", 101, 501, version=version, size=100)
    lab.passes("data", a, data, b)
    kind = ICMP(type=3, code=4, nexthopmtu=1300) if version == 4 else ICMPv6PacketTooBig(mtu=1300)
    lab.passes("too big", router, error(router, a, data, version, kind), a)
    same("state", "established", lab.flows("?port=a&protocol=tcp&dport=80")[0]["state"])

def queries(version):
    """Echo between a, who lets in nobody but its group, and the router, who is not in it."""
    echo = lambda x, y, ident, reply=False: lab.echo(x, y, ident, version, reply)
    lab.drops("request to a", router, echo(router, a, 7), "group-ingress", a)
    lab.drops("reply that a has not asked for", router, echo(router, a, 7, True), UNRELATED)
    lab.drops("from its own group", b, echo(b, a, 7, True), UNRELATED)
    lab.drops("from a, whom nobody has asked", a, echo(a, router, 7, True), UNRELATED)
    asked = echo(a, router, 7)
    lab.passes("request", a, asked, router)
    for stage in ("unanswered", "established"):
        lab.drops(f"{stage}: request with its id to a", router, echo(router, a, 7), "group-ingress", a)
        lab.drops(f"{stage}: reply with another id", router, echo(router, a, 8, True), UNRELATED)
        lab.drops(f"{stage}: reply by another", b, echo(b, a, 7, True), UNRELATED)
        lab.drops(f"{stage}: reply by a itself", a, echo(a, router, 7, True), UNRELATED)
        lab.passes(f"{stage}: error about it", router, error(router, a, asked, version), a)
        lab.passes(f"{stage}: reply", router, echo(router, a, 7, True), a)
        lab.passes(f"{stage}: next request", a, echo(a, router, 7), router)
    # The ICMP checksum covers no address, and a request of the other direction is a flow of its own where it is allowed.
    lab.passes("b asks a", b, echo(b, a, 9), a)
    lab.passes("a asks b with the same id", a, echo(a, b, 9), b)
    lab.passes("a replies", a, echo(a, b, 9, True), b)
    lab.passes("b replies", b, echo(b, a, 9, True), a)

for v in (4, 6):
    unrelated(v)
    related(v)
    tcp(v)
    queries(v)

# Timestamps are a query of their own; ICMP of one family in the other is nonsense.
stamp = lambda x, y, kind: x.to(y) / ICMP(type=kind, id=7) / lab.payload()
lab.drops("timestamp to a, with the id of its echo", router, stamp(router, a, 13), "group-ingress", a)
lab.drops("timestamp reply that nobody asked for", router, stamp(router, a, 14), UNRELATED)
lab.passes("timestamp", a, stamp(a, router, 13), router)
lab.passes("timestamp reply", router, stamp(router, a, 14), a)
lab.drops("echo reply instead", router, lab.echo(router, a, 77, reply=True), UNRELATED)
lab.drops("ICMPv6 in IPv4", a, a.to(b, proto=58) / Raw(bytes(lab.echo(a, b, 1, 6))[54:]), "l4-malformed")
lab.drops("ICMP in IPv6", a, a.to(b, 6, nh=1) / Raw(bytes(lab.echo(a, b, 1))[34:]), "l4-malformed")
lab.done()
PY
lab "$T/icmp.py" a=1 b=2 c=3 router=4
