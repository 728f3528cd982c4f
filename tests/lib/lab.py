# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""lab.py - packets between mute workloads, and exactly what becomes of each of them

A mute workload (see mute in netns.sh) has a device without addresses, so nothing is on the wire that the test has not sent. Hence
everything counts: each frame that arrives anywhere and each drop that heddle counts must be an expected one.
"""
import http.client
import json

from scapy.all import (ARP, ICMP, IP, TCP, UDP, Dot1Q, Ether, ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest,
                       ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_Redirect, ICMPv6ND_RS, ICMPv6NDOptDstLLAddr,
                       ICMPv6NDOptPrefixInfo, ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig, ICMPv6TimeExceeded,
                       IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, Raw)

from frames import *


class Api:
    """The daemon, asked without a process for each question."""

    def __init__(self, path):
        self.http = http.client.HTTPConnection("heddle")
        self.path = path

    def ask(self, method, path, body=None):
        """(status, JSON)"""
        if self.http.sock is None:
            self.http.sock = socket.socket(socket.AF_UNIX)
            self.http.sock.connect(self.path)
        self.http.request(method, "/v1/" + path, None if body is None else json.dumps(body))
        answer = self.http.getresponse()
        return answer.status, json.loads(answer.read())

    def must(self, method, path, body=None):
        status, answer = self.ask(method, path, body)
        check(status < 300, method, path, "is answered with", status, answer)
        return answer

    def get(self, path):
        return self.must("GET", path)

    def drops(self):
        """{(reason, port): packets}"""
        total = collections.Counter()
        for row in self.get("drops"):
            total[row["reason"], row["port"]] += row["packets"]
        return total


class End:
    """Mute workload @number, as @name: its wire and the addresses that heddle knows of it."""

    def __init__(self, prefix, name, number):
        self.name, self.wire = name, Wire(f"{prefix}-{name}")
        self.mac = f"02:00:00:00:00:{number:02x}"
        self.address = {4: f"10.0.20.{number}", 6: f"2001:db8::{number:x}"}

    def __repr__(self):
        return self.name

    def to(self, other, version=4, **fields):
        """Ethernet and IP headers of a packet to another."""
        kind = IP if version == 4 else IPv6
        return Ether(src=self.mac, dst=other.mac) / kind(src=self.address[version], dst=other.address[version], **fields)


class Lab:
    """Made from the arguments of the test: API socket, prefix of the namespaces, then NAME=NUMBER for each workload."""

    def __init__(self, argv):
        one_cpu()
        self.api = Api(argv[0])
        self.ends = [End(argv[1], *(f(x) for f, x in zip((str, int), word.split("=")))) for word in argv[2:]]
        self.by_wire = {end.wire: end for end in self.ends}
        self.due = {end: collections.Counter() for end in self.ends}
        self.got = {end: collections.Counter() for end in self.ends}
        self.before = self.api.drops()
        self.dropped = collections.Counter()
        self.count = self.delivered = 0

    def payload(self, size=24):
        """Bytes that no other packet has."""
        self.count += 1
        return Raw(struct.pack("!I", self.count) + os.urandom(size - 4))

    def take(self, wire, frame):
        self.got[self.by_wire[wire]][frame] += 1

    def lost(self):
        now = self.api.drops()
        return {cause: now[cause] - self.before[cause] for cause in now if now[cause] != self.before[cause]}

    def settled(self):
        return self.got == self.due and self.lost() == dict(self.dropped)

    def judge(self, what):
        for end in self.ends:
            for sort, frames in (("missing", self.due[end] - self.got[end]), ("too much", self.got[end] - self.due[end])):
                for frame, n in frames.items():
                    print(f"{what}: at {end}: {sort}: {n} x {Ether(frame).summary()}: {frame.hex()}", file=sys.stderr)
        lost = self.lost()
        if lost != dict(self.dropped):
            for cause in sorted(lost.keys() | self.dropped.keys()):
                if lost.get(cause, 0) != self.dropped[cause]:
                    print(f"{what}: drops {cause}: {self.dropped[cause]} expected, {lost.get(cause, 0)} counted",
                          file=sys.stderr)
        check(self.got == self.due and lost == dict(self.dropped), what)
        for end in self.ends:  # what is settled is forgotten; another copy of it would be one too many
            self.delivered += sum(self.due[end].values())
            self.due[end].clear()
            self.got[end].clear()

    def step(self, what, end, packet, to=(), drops=()):
        """@end sends @packet: each of @to gets it, unchanged; each of @drops, (reason, port), is counted once more; nothing else."""
        frame = bytes(packet)
        for other in to:
            self.due[other][frame] += 1
        for cause in drops:
            self.dropped[cause] += 1
        end.wire.send(frame)
        gather([e.wire for e in self.ends], 0.01, lambda: self.got == self.due, self.take)
        if not self.settled():
            gather([e.wire for e in self.ends], 3, self.settled, self.take)
        self.judge(what)

    def passes(self, what, end, packet, *to):
        self.step(what, end, packet, to)

    def drops(self, what, end, packet, reason, at=None):
        """@at: the port that is named, if it is not the sender's."""
        self.step(what, end, packet, drops=[(reason, (at or end).name)])

    def done(self):
        """Nothing more comes."""
        gather([e.wire for e in self.ends], 0.2, take=self.take)
        self.judge("in the end")
        print(f"note: {self.delivered} delivered, {sum(self.dropped.values())} dropped, as expected")

    # ---- packets ----

    def udp(self, a, b, sport, dport, version=4, **fields):
        return a.to(b, version, **fields) / UDP(sport=sport, dport=dport) / self.payload()

    def echo(self, a, b, ident, version=4, reply=False, seq=1):
        if version == 4:
            return a.to(b) / ICMP(type=0 if reply else 8, id=ident, seq=seq) / self.payload()
        kind = ICMPv6EchoReply if reply else ICMPv6EchoRequest
        return a.to(b, 6) / kind(id=ident, seq=seq, data=bytes(self.payload()))

    def tcp(self, a, b, sport, dport, flags, seq, ack=0, version=4, size=0, **fields):
        packet = a.to(b, version) / TCP(sport=sport, dport=dport, flags=flags, seq=seq & 0xFFFFFFFF, ack=ack & 0xFFFFFFFF, **fields)
        return packet / self.payload(size) if size else packet

    def flows(self, query=""):
        return self.api.get("flows" + query)
