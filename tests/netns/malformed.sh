#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Headers that contradict themselves or the frame: none gets to a port that lets nothing in, nor to one that lets everything in.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
hd security-group add all
hd security-group add none
allow all --direction ingress
mute blue a 1
mute blue all 2 --security-group all
mute blue none 3 --security-group none

cat >"$T/malformed.py" <<'PY'
from scapy.all import IPOption_NOP
from lab import *

lab = Lab(sys.argv[1:])
a, everything, nothing = lab.ends
IP_BAD, L4_BAD = "ip-malformed", "l4-malformed"
HEAD = {4: 34, 6: 54}

def good(to, version, kind):
    """A good packet, as bytes to be spoiled: TCP SYN, UDP, ICMP echo or SCTP with 24 bytes of data."""
    if kind == "tcp":
        return bytearray(bytes(lab.tcp(a, to, 1000, 80, "S", 1, version=version, size=24)))
    if kind == "udp":
        return bytearray(bytes(lab.udp(a, to, 1000, 53, version)))
    if kind == "icmp":
        return bytearray(bytes(lab.echo(a, to, 5, version)))
    return bytearray(bytes(a.to(to, version, **{"proto" if version == 4 else "nh": 132}) / Raw(struct.pack("!HHI", 1000, 80, 0) + bytes(24))))

def checksum(frame):
    """The header checksum of IPv4 is right, so that it is not what a receiver would stumble over."""
    size = max(20, (frame[14] & 15) * 4)
    frame[24:26] = b"\0\0"
    words = bytes(frame[14:14 + size])
    total = sum(struct.unpack(f"!{len(words) // 2}H", words[:len(words) & ~1]))
    total = (total & 0xFFFF) + (total >> 16)
    frame[24:26] = struct.pack("!H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF)
    return frame

def put(at, fmt, value):
    def spoil(frame):
        struct.pack_into(fmt, frame, at, value)
    return spoil

def shorter(size):
    def spoil(frame):
        del frame[size:]
    return spoil

def bad(version, kind, what, reason, *spoils):
    for to in (everything, nothing):
        frame = good(to, version, kind)
        for spoil in spoils:
            spoil(frame)
        if version == 4 and len(frame) >= 34:
            checksum(frame)
        lab.drops(f"v{version} {kind}: {what} to {to}", a, bytes(frame), reason)
    lab.passes(f"v{version} {kind}: after {what}", a, bytes(good(everything, version, "icmp")), everything)

def ipv4():
    for kind in ("tcp", "udp", "icmp"):
        for version in (0, 3, 5, 6, 15):
            bad(4, kind, f"version {version}", IP_BAD, put(14, "B", version << 4 | 5))
        for ihl in range(5):
            bad(4, kind, f"ihl {ihl}", IP_BAD, put(14, "B", 0x40 | ihl))
        bad(4, kind, "total length 0", IP_BAD, put(16, "!H", 0))
        bad(4, kind, "total length 19", IP_BAD, put(16, "!H", 19))
        bad(4, kind, "total length of only the header", L4_BAD, put(16, "!H", 20))
        bad(4, kind, "total length 7 bytes behind it", L4_BAD, put(16, "!H", 27))
        bad(4, kind, "total length beyond the frame", IP_BAD, put(16, "!H", 200))
        bad(4, kind, "total length 65535", IP_BAD, put(16, "!H", 65535))
        bad(4, kind, "frame ends in the IP header", IP_BAD, shorter(30))
        bad(4, kind, "frame ends behind Ethernet", IP_BAD, shorter(14))
        bad(4, kind, "frame ends in the header above", IP_BAD, shorter(38))
    # 60 bytes of header in a packet of 52: it ends in the options.
    bad(4, "udp", "ihl 15", IP_BAD, put(14, "B", 0x4F))

def ipv6():
    for kind in ("tcp", "udp", "icmp"):
        for version in (0, 4, 5, 7, 15):
            bad(6, kind, f"version {version}", IP_BAD, put(14, "B", version << 4))
        bad(6, kind, "payload length 0", L4_BAD, put(18, "!H", 0))
        bad(6, kind, "payload length 7", L4_BAD, put(18, "!H", 7))
        bad(6, kind, "payload length beyond the frame", IP_BAD, put(18, "!H", 200))
        bad(6, kind, "payload length 65535", IP_BAD, put(18, "!H", 65535))
        bad(6, kind, "frame ends in the IP header", IP_BAD, shorter(40))
        bad(6, kind, "frame ends behind Ethernet", IP_BAD, shorter(14))
        bad(6, kind, "frame ends in the header above", IP_BAD, shorter(58))
    # The first eight bytes taken for an extension header that is longer than the packet.
    for number, what in ((0, "hop-by-hop"), (43, "routing"), (60, "destination options"), (51, "AH")):
        bad(6, "udp", f"{what} beyond the end", IP_BAD, put(20, "B", number), header(17, 255))
        bad(6, "udp", f"{what} up to the end", L4_BAD, put(20, "B", number), header(17, 3 if number != 51 else 6))

def header(following, length):
    def spoil(frame):
        frame[54:58] = bytes((following, length, 0, 0))
    return spoil

def above(v):
    at = HEAD[v]
    for offset in range(5):
        bad(v, "tcp", f"offset {offset}", L4_BAD, put(at + 12, "B", offset << 4))
    bad(v, "tcp", "offset beyond the end", L4_BAD, put(at + 12, "B", 15 << 4))
    for flags in (0x03, 0x06, 0x07, 0x3F, 0xFF):
        bad(v, "tcp", f"flags {flags:#x}", L4_BAD, put(at + 13, "B", flags))
    for length in (0, 1, 7, 33, 200, 65535):
        bad(v, "udp", f"length {length}", L4_BAD, put(at + 4, "!H", length))
    for kind, size in (("tcp", 19), ("udp", 7), ("icmp", 7), ("sctp", 7)):
        length = put(16, "!H", 20 + size) if v == 4 else put(18, "!H", size)
        bad(v, kind, f"only {size} bytes", L4_BAD, shorter(at + size), length)

def ethernet():
    for mac, what in (("01:00:5e:00:00:01", "multicast"), (BROADCAST, "broadcast"), ("00:00:00:00:00:00", "zero")):
        for to in (everything, nothing):
            frame = a.to(to) / UDP(sport=1, dport=2) / lab.payload()
            frame.src = mac
            lab.drops(f"from {what}", a, frame, "source-mac")

def borders():
    """What is unusual but right: it passes where all may."""
    for v in (4, 6):
        for kind in ("tcp", "udp", "icmp", "sctp"):
            for padding in (1, 6, 50):
                lab.passes(f"v{v} {kind}: {padding} bytes behind the packet", a, bytes(good(everything, v, kind)) + bytes(padding), everything)
        short = lab.udp(a, everything, 5, 6, v)
        short[UDP].len = 20
        lab.passes(f"v{v}: UDP shorter than its packet", a, short, everything)
        lab.passes(f"v{v}: UDP without data", a, a.to(everything, v) / UDP(sport=7, dport=8), everything)
    lab.passes("IPv4 options", a, a.to(everything, options=[IPOption_NOP()] * 40)
               / UDP(sport=1, dport=9) / lab.payload(), everything)

ethernet()
ipv4()
ipv6()
above(4)
above(6)
borders()
lab.done()
PY
lab "$T/malformed.py" a=1 all=2 none=3

# Bytes of the headers set at random: nothing gets to a port that lets nothing in, and each that was sent is counted once.
cat >"$T/chance.py" <<'PY'
import random
from lab import *

lab = Lab(sys.argv[1:])
a, everything, nothing = lab.ends
seed = int.from_bytes(os.urandom(4), "big")
random.seed(seed)
ALWAYS = {67, 68, 546, 547}  # DHCP and, below, ICMPv6, of which neighbour discovery passes
FRAMES = 3000

def make():
    version = random.choice((4, 6))
    at = 34 if version == 4 else 54
    base = random.choice((lab.tcp(a, nothing, 1000, 80, "S", 1, version=version, size=40), lab.udp(a, nothing, 1000, 53, version),
                          lab.echo(a, nothing, 5, version)))
    frame = bytearray(bytes(base))
    for _ in range(random.randrange(1, 4)):
        frame[random.randrange(14, min(at + 20, len(frame)))] = random.choice((0, 1, 255, random.randrange(256)))
    if random.random() < 0.2:
        del frame[random.randrange(14, len(frame)):]
    return version, bytes(frame)

def may_pass(version, frame):
    ports = struct.unpack_from("!HH", frame, 34 if version == 4 else 54) if len(frame) >= 58 else ()
    return 58 in frame[14:62] or ALWAYS & set(ports)

frames = []
while len(frames) < FRAMES:
    version, frame = make()
    if not may_pass(version, frame):
        frames.append(frame)
for frame in frames:
    a.wire.send(frame)
gather([e.wire for e in lab.ends], 0.5, lambda: sum(lab.lost().values()) >= FRAMES, lab.take)
gather([e.wire for e in lab.ends], 0.2, take=lab.take)
same(f"seed {seed}: delivered", 0, sum(sum(got.values()) for got in lab.got.values()))
same(f"seed {seed}: counted", FRAMES, sum(lab.lost().values()))
print(f"note: seed {seed}: {FRAMES} frames,", len(lab.lost()), "reasons, 0 delivered")
PY
lab "$T/chance.py" a=1 all=2 none=3
