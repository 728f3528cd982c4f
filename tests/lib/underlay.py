# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""underlay.py NETNS DEVICE|DEVICE:out MTU READY-FILE - look at every frame that comes in, or goes out, until SIGTERM

None may be larger than the MTU, in pieces (but in a VLAN), or have a wrong checksum: of the outer IPv4 header, of outer UDP if there is one, of GRE, of
what is inside, behind an 802.1Q tag as well. Prints counts as JSON: by kind of tunnel, or by tag, as "10p5" of VID 10 and priority 5. As a module: makes and reads tunnel packets, byte by byte, by nobody's library.
"""
import ipaddress
import json
import signal

from frames import *

ETH_IP, ETH_ARP, ETH_IP6, ETH_TEB, ETH_VLAN = 0x0800, 0x0806, 0x86DD, 0x6558, 0x8100
TCP, UDP, GRE, ICMP, ICMP6 = 6, 17, 47, 1, 58
VXLAN_PORTS, GENEVE_PORT = (4789, 8472), 6081


def total(data, start=0):
    """RFC 1071: the sum of 16-bit words, folded."""
    if len(data) & 1:
        data += b"\0"
    value = start + sum(struct.unpack(f"!{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return value


def checksum(data, start=0):
    return ~total(data, start) & 0xFFFF


def packed(address):
    return ipaddress.ip_address(address).packed


# ---- making ----


def ether(dst, src, kind, body):
    return mac(dst) + mac(src) + struct.pack("!H", kind) + body


def ip(src, dst, proto, body, ttl=64, tos=0, flags=0x4000, ident=0, length=None):
    """An IPv4 or IPv6 packet; @flags: those of fragments, with the offset."""
    if ":" in src:
        length = len(body) if length is None else length
        return struct.pack("!IHBB", 6 << 28 | tos << 20, length, proto, ttl) + packed(src) + packed(dst) + body
    length = 20 + len(body) if length is None else length
    head = struct.pack("!BBHHHBBH", 0x45, tos, length, ident, flags, ttl, proto, 0) + packed(src) + packed(dst)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def pseudo(src, dst, proto, length):
    return packed(src) + packed(dst) + struct.pack("!II", length, proto)


def udp(src, dst, sport, dport, body, csum=False, length=None):
    """A UDP datagram; @csum: False = zero, True = right, or a number."""
    head = struct.pack("!HHH", sport, dport, 8 + len(body) if length is None else length)
    value = 0
    if csum is True:
        value = checksum(pseudo(src, dst, UDP, 8 + len(body)) + head + body) or 0xFFFF
    elif csum:
        value = csum
    return head + struct.pack("!H", value) + body


def vxlan(vni, inner, flags=0x08000000, reserved=0):
    return struct.pack("!II", flags, vni << 8 | reserved) + inner


def geneve(vni, inner, options=b"", ver=0, opt_len=None, flags=0, kind=ETH_TEB):
    """@opt_len: in words of four bytes, if it is not the truth; @flags: 0x80 control, 0x40 critical."""
    words = len(options) // 4 if opt_len is None else opt_len
    return struct.pack("!BBHI", ver << 6 | words, flags, kind, vni << 8) + options + inner


def option(cls, kind, data=b"", length=None):
    """A Geneve option. @kind with 0x80 is critical."""
    return struct.pack("!HBB", cls, kind, len(data) // 4 if length is None else length) + data


def gre(inner, key=None, flags=0, seq=None, csum=None, kind=ETH_TEB):
    """@csum: True = right, or a number; @flags: more of them, and the version."""
    flags |= (0x2000 if key is not None else 0) | (0x1000 if seq is not None else 0) | (0x8000 if csum is not None else 0)
    tail = (struct.pack("!I", key) if key is not None else b"") + (struct.pack("!I", seq) if seq is not None else b"")
    head = struct.pack("!HH", flags, kind)
    if csum is None:
        return head + tail + inner
    value = checksum(head + bytes(4) + tail + inner) if csum is True else csum
    return head + struct.pack("!HH", value, 0) + tail + inner


# ---- reading ----


class Bad(Exception):
    """A frame that should not be on a wire."""


class Packet:
    """What is in a frame, as far as it is understood: tag, ethertype, IP, UDP, tunnel, inner frame. @size: without the tag."""

    def __init__(self, frame):
        self.tag = None
        if struct.unpack_from("!H", frame, 12) == (ETH_VLAN,):
            (self.tag,), frame = struct.unpack_from("!H", frame, 14), frame[:12] + frame[16:]
        self.frame, self.size = frame, len(frame)
        self.dst, self.src = frame[:6].hex(":"), frame[6:12].hex(":")
        (self.kind,) = struct.unpack_from("!H", frame, 12)
        self.proto = self.tunnel = self.id = self.inner = None
        self.fragment = False
        self.body = frame[14:]
        if self.kind == ETH_IP:
            self.read_ip()
        elif self.kind == ETH_IP6:
            self.read_ip6()
        if self.proto in (TCP, UDP):
            self.sport, self.dport = struct.unpack_from("!HH", self.body)
        if self.proto == UDP and self.dport in VXLAN_PORTS:
            self.read_vxlan()
        elif self.proto == UDP and self.dport == GENEVE_PORT:
            self.read_geneve()
        elif self.proto == GRE:
            self.read_gre()
        if self.inner is not None:
            self.inside = Packet(self.inner)

    def read_ip(self):
        first, self.tos, length, self.ident, flags, self.ttl, self.proto, _ = struct.unpack_from("!BBHHHBBH", self.frame, 14)
        end = (first & 15) * 4
        self.head, self.ip_size, self.df = self.body[:end], length, bool(flags & 0x4000)
        self.ip_src, self.ip_dst = (str(ipaddress.ip_address(self.head[at : at + 4])) for at in (12, 16))
        self.fragment = bool(flags & 0x3FFF)
        if len(self.body) < length:
            raise Bad(f"IPv4 of {length} bytes in {len(self.body)}")
        self.body = self.body[end:length]
        self.proto = None if self.fragment else self.proto

    def read_ip6(self):
        word, length, self.proto, self.ttl = struct.unpack_from("!IHBB", self.frame, 14)
        self.tos, self.df, self.ip_size = word >> 20 & 0xFF, True, 40 + length
        self.ip_src, self.ip_dst = (str(ipaddress.ip_address(self.body[at : at + 16])) for at in (8, 24))
        if len(self.body) < 40 + length:
            raise Bad(f"IPv6 of {length} bytes in {len(self.body)}")
        self.body = self.body[40 : 40 + length]
        if self.proto == 44:
            self.fragment, self.proto = True, None

    def read_vxlan(self):
        self.tunnel, self.flags, last = "vxlan", *struct.unpack_from("!II", self.body, 8)
        self.id, self.reserved, self.inner = last >> 8, last & 0xFF, self.body[16:]

    def read_geneve(self):
        first, self.flags, self.inner_kind, last = struct.unpack_from("!BBHI", self.body, 8)
        self.tunnel, self.version, size = "geneve", first >> 6, (first & 63) * 4
        self.id, self.reserved = last >> 8, last & 0xFF
        self.options, self.inner = self.body[16 : 16 + size], self.body[16 + size :]

    def read_gre(self):
        self.tunnel = "gre"
        self.flags, self.inner_kind = struct.unpack_from("!HH", self.body)
        at = 8 if self.flags & 0x8000 else 4
        if self.flags & 0x2000:
            (self.id,) = struct.unpack_from("!I", self.body, at)
            at += 4
        self.inner = self.body[at + 4 if self.flags & 0x1000 else at :]

    def check_sums(self):
        """Raises Bad. A checksum that a receiver would accept is right."""
        if self.kind == ETH_IP and total(self.head) != 0xFFFF:
            raise Bad("IPv4 header checksum")
        if self.proto in (TCP, UDP, ICMP6):
            (udp_sum,) = struct.unpack_from("!H", self.body, 6)
            if not (self.proto == UDP and udp_sum == 0 and (self.tunnel or self.kind == ETH_IP)):
                if total(pseudo(self.ip_src, self.ip_dst, self.proto, len(self.body)) + self.body) != 0xFFFF:
                    raise Bad(f"checksum of protocol {self.proto}, {self.ip_src} to {self.ip_dst}")
        if self.proto == ICMP and total(self.body) != 0xFFFF:
            raise Bad("ICMP checksum")
        if self.tunnel == "gre" and self.flags & 0x8000 and total(self.body) != 0xFFFF:
            raise Bad("GRE checksum")
        if self.inner is not None:
            self.inside.check_sums()


def tag_name(tag):
    """As "10p5": VID and priority; None without a tag."""
    return tag if tag is None else f"{tag & 0xFFF}p{tag >> 13}"


class Leaving(Wire):
    """What leaves by a device, as it is put on the wire."""

    OUTGOING = 4

    def __init__(self, name, ifname):
        super().__init__(name, ifname)
        self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 0)

    def receive(self):
        while True:
            try:
                data, address = self.sock.recvfrom(70000)
            except BlockingIOError:
                return
            if address[2] == self.OUTGOING:
                yield data


def judge(frame, mtu):
    packet = Packet(frame)
    if packet.size > mtu + 14:
        raise Bad(f"{packet.size - 14} bytes, MTU {mtu}")
    if packet.fragment and packet.tag is None:
        raise Bad("a fragment")  # in a VLAN it may be a workload's own
    packet.check_sums()
    return packet


def main(name, device, mtu, ready):
    ended, counts, errors = [], collections.Counter(), collections.Counter()
    counts["largest"] = 0
    wire = Leaving(name, device[:-4]) if device.endswith(":out") else Wire(name, device)

    def take(_, frame):
        try:
            packet = judge(frame, mtu)
        except Bad as bad:
            errors[str(bad)] += 1
            if sum(errors.values()) <= 3:
                print(bad, frame[:120].hex(), file=sys.stderr)
            return
        counts[packet.tunnel or tag_name(packet.tag) or "other"] += 1
        if packet.tunnel or packet.tag is not None:
            counts["largest"] = max(counts["largest"], packet.size - 14)

    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    open(ready, "w", encoding="ascii").close()
    gather([wire], 170, lambda: ended, take)
    gather([wire], 0, take=take)
    for frame in wire.receive():
        take(wire, frame)
    check(not errors, dict(errors))
    print(json.dumps(counts))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
