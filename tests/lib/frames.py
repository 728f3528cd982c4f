# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""frames.py - send frames in one namespace, see exactly where they come out in others

One process holds packet sockets in all namespaces, opened before anything is sent. A frame carries a nonce and a number, so that
each copy is accounted for and what others send is not.
"""
import collections
import contextlib
import ctypes
import fcntl
import os
import select
import socket
import struct
import sys
import time

SO_RCVBUFFORCE = 33
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_IGNORE_OUTGOING = 23
ETH_P_ALL = 3
TP_STATUS_VLAN_VALID = 1 << 4
CLONE_NEWNET = 0x40000000
ETH_TEST = 0x88B5  # IEEE 802, "local experimental"
BROADCAST = "ff:ff:ff:ff:ff:ff"

_libc = ctypes.CDLL(None, use_errno=True)


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def netns(name):
    """Sockets and files that are opened inside belong to the namespace."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open("/run/netns/" + name, os.O_RDONLY)
    try:
        _setns(there)
        yield
    finally:
        _setns(home)
        os.close(home)
        os.close(there)


def one_cpu():
    """Frames that one CPU sends pass the kernel's queues in their order."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


class Wire:
    """One end of a wire: what a workload has in its hands."""

    def __init__(self, name, ifname="eth0", label=None):
        self.label = label or name.rsplit("-", 1)[-1]
        with netns(name):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.sock.bind((ifname, ETH_P_ALL))
        self.sock.setblocking(False)
        self.mac = self.sock.getsockname()[4].hex(":")

    def __repr__(self):
        return self.label

    def fileno(self):
        return self.sock.fileno()

    def send(self, frame):
        self.sock.send(frame)

    def receive(self):
        """All frames that are there now, with tags put back where they were on the wire."""
        while True:
            try:
                data, aux, _, _ = self.sock.recvmsg(70000, 256)
            except BlockingIOError:
                return
            yield _with_tag(data, aux)


def _with_tag(data, aux):
    for level, kind, value in aux:
        if (level, kind) != (SOL_PACKET, PACKET_AUXDATA):
            continue
        status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", value[:20])
        if status & TP_STATUS_VLAN_VALID:
            return data[:12] + struct.pack("!HH", tpid or 0x8100, tci) + data[12:]
    return data


class Marker:
    """Makes frames that can be told from all others, and reads them."""

    def __init__(self):
        self.nonce = os.urandom(8)
        self.count = 0

    def frame(self, dst, src, kind=ETH_TEST, tags=(), size=0):
        """Numbered from 0. @tags: (TPID, TCI) from the outside in. @size: least number of bytes."""
        body = self.nonce + struct.pack("!I", self.count)
        head = b"".join(struct.pack("!HH", tpid, tci) for tpid, tci in tags)
        self.count += 1
        frame = mac(dst) + mac(src) + head + struct.pack("!H", kind) + body
        return frame + bytes(max(0, size - len(frame)))

    def number(self, frame):
        at = frame.find(self.nonce)
        return struct.unpack_from("!I", frame, at + 8)[0] if at >= 0 else None


def patience():
    """How many times slower than usual the machine is; see wait_for in netns.sh."""
    return float(os.environ.get("PATIENCE", 1))


def gather(wires, seconds, enough=lambda: False, take=lambda wire, frame: None):
    """Hand all that arrives to @take until @enough, which is asked again and again, or the time is up."""
    end = time.monotonic() + seconds * patience()
    while not enough() and time.monotonic() < end:
        for wire in select.select(wires, [], [], min(0.05, max(0, end - time.monotonic())))[0]:
            for frame in wire.receive():
                take(wire, frame)


def exchange(marker, wires, sends, expected):
    """Send, and compare what arrives with what should, frame by frame.

    @sends: (wire, frame) in order. @expected: {wire: [frame, ...]}; wires that are not in it get nothing. What is missing is waited
    for; then comes a quiet time in which nothing too much may arrive.
    """
    got = {wire: collections.Counter() for wire in wires}
    want = {wire: collections.Counter(expected.get(wire, [])) for wire in wires}

    def take(wire, frame):
        if marker.number(frame) is not None:
            got[wire][frame] += 1

    for wire, frame in sends:
        wire.send(frame)
    gather(wires, 5, lambda: all(not want[w] - got[w] for w in wires), take)
    gather(wires, 0.2, take=take)
    for wire in wires:
        for what, frames in (("missing", want[wire] - got[wire]), ("too much", got[wire] - want[wire])):
            for frame, n in list(frames.items())[:5]:
                print(f"{wire}: {what}: {n} x number {marker.number(frame)}: {frame.hex()}", file=sys.stderr)
            if frames:
                sys.exit(f"failed: {wire}: {sum(frames.values())} frames {what}")


def check(truth, *message):
    if not truth:
        sys.exit("failed: " + " ".join(str(m) for m in message))


def same(what, expected, got):
    check(expected == got, what + ": expected", expected, "got", got)


class Tap(Wire):
    """A tap device held open, as a virtual machine does: what is written to it enters the host."""

    TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000

    def __init__(self, name, ifname):
        self.label = ifname
        with netns(name):
            self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.fd, self.TUNSETIFF, struct.pack("16sH", ifname.encode(), self.IFF_TAP | self.IFF_NO_PI))

    def fileno(self):
        return self.fd

    def close(self):
        os.close(self.fd)

    def send(self, frame):
        os.write(self.fd, frame)

    def receive(self):
        while True:
            try:
                yield os.read(self.fd, 70000)
            except BlockingIOError:
                return
