# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""sea.py - tunnel endpoints that a test plays itself, around a heddle host with mute workloads

Like lab.py: everything counts. Each frame that a workload gets, each tunnel packet that comes out of the host, and each drop that heddle
counts must be an expected one. Arguments of such a test: API socket, prefix of the namespaces, MAC of the host's wire, then NAME=NUMBER for a
mute workload, NAME:NUMBER for an endpoint.
"""
import underlay
from lab import *
from underlay import Bad, ether, geneve, gre, ip, judge, option, udp, vxlan

HOST = {4: "192.0.2.1", 6: "2001:db8:ffff::1"}


class Endpoint:
    def __init__(self, sea, name, number):
        self.sea, self.name = sea, name
        self.mac = f"02:00:00:00:01:{number}"
        self.address = {4: f"192.0.2.{number}", 6: f"2001:db8:ffff::{number}"}

    def __repr__(self):
        return self.name

    def ip(self, proto, body, version=4, **fields):
        """An outer frame to the host."""
        packet = ip(self.address[version], HOST[version], proto, body, **fields)
        return ether(self.sea.mac, self.mac, underlay.ETH_IP if version == 4 else underlay.ETH_IP6, packet)

    def udp(self, dport, body, version=4, csum=False, length=None, sport=50000, **fields):
        datagram = udp(self.address[version], HOST[version], sport, dport, body, csum, length)
        return self.ip(underlay.UDP, datagram, version, **fields)

    def vxlan(self, vni, inner, dport=4789, **fields):
        return self.udp(dport, vxlan(vni, inner), **fields)

    def geneve(self, vni, inner, options=b"", dport=6081, **fields):
        return self.udp(dport, geneve(vni, inner, options), **fields)

    def gre(self, key, inner, **fields):
        return self.ip(underlay.GRE, gre(inner, key), **fields)


class Sea(Lab):
    def __init__(self, argv):
        api, prefix, self.mac = argv[:3]
        super().__init__([api, prefix] + [word for word in argv[3:] if "=" in word])
        self.peers = [Endpoint(self, *word.split(":")) for word in argv[3:] if ":" in word]
        self.water = Wire(prefix + "-sea", "wire")
        self.by_address = {a: p for p in self.peers for a in p.address.values()}
        self.out_due, self.out_got, self.outer = collections.Counter(), collections.Counter(), []

    def wires(self):
        return [self.water] + [e.wire for e in self.ends]

    def take(self, wire, frame):
        if wire is not self.water:
            return super().take(wire, frame)
        if frame[6:12] != mac(self.mac):
            return None
        try:
            packet = judge(frame, 1500)
        except Bad as bad:
            check(False, "on the wire:", bad, frame.hex())
        if packet.tunnel:
            peer = self.by_address.get(packet.ip_dst, packet.ip_dst)
            check(not isinstance(peer, Endpoint) or packet.dst == peer.mac, packet.dst, "is not the MAC of", peer)
            self.out_got[peer, packet.tunnel, packet.id, packet.inner] += 1
            self.outer.append(packet)
        return None

    def lost(self):
        """By reason; which port is named is not looked at."""
        total = collections.Counter()
        for (reason, _), packets in super().lost().items():
            total[reason] += packets
        return dict(total)

    def settled(self):
        return self.out_got == self.out_due and super().settled()

    def judge(self, what):
        for sort, packets in (("missing", self.out_due - self.out_got), ("too much", self.out_got - self.out_due)):
            for (peer, tunnel, ident, inner), n in packets.items():
                print(f"{what}: to {peer}: {sort}: {n} x {tunnel} {ident}: {inner.hex()}", file=sys.stderr)
        lost = self.lost()
        for reason in sorted(lost.keys() | self.dropped.keys()):
            if lost.get(reason, 0) != self.dropped[reason]:
                print(f"{what}: drops {reason}: {self.dropped[reason]} expected, {lost.get(reason, 0)} counted", file=sys.stderr)
        for end in self.ends:
            for sort, frames in (("missing", self.due[end] - self.got[end]), ("too much", self.got[end] - self.due[end])):
                for frame, n in frames.items():
                    print(f"{what}: at {end}: {sort}: {n} x {frame.hex()}", file=sys.stderr)
        check(self.got == self.due and self.out_got == self.out_due and lost == dict(self.dropped), what)
        for end in self.ends:
            self.delivered += sum(self.due[end].values())
            self.due[end].clear()
            self.got[end].clear()
        self.delivered += sum(self.out_due.values())
        self.out_due.clear()
        self.out_got.clear()

    def move(self, what, wire, frames, to=(), out=(), drops=()):
        """@wire sends @frames. @to: (end, frame) that arrive. @out: (peer, tunnel, id, inner frame) that leave. @drops: reasons."""
        for end, frame in to:
            self.due[end][bytes(frame)] += 1
        for peer, tunnel, ident, inner in out:
            self.out_due[peer, tunnel, ident, bytes(inner)] += 1
        for reason in drops:
            self.dropped[reason] += 1
        self.outer.clear()
        for frame in frames:
            wire.send(bytes(frame))
        gather(self.wires(), 0.01, lambda: self.got == self.due and self.out_got == self.out_due, self.take)
        if not self.settled():
            gather(self.wires(), 3, self.settled, self.take)
        self.judge(what)

    def comes(self, what, frame, to=(), out=(), drops=()):
        self.move(what, self.water, [frame], to, out, drops)

    def goes(self, what, end, frame, to=(), out=(), drops=()):
        self.move(what, end.wire, [frame], to, out, drops)

    def done(self):
        gather(self.wires(), 0.2, take=self.take)
        self.judge("in the end")
        print(f"note: {self.delivered} delivered, {sum(self.dropped.values())} dropped, as expected")


def marked(dst, src, size=64):
    """An inner frame that no other is like."""
    head = mac(dst) + mac(src) + struct.pack("!H", ETH_TEST)
    return head + os.urandom(size - len(head))
