# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""stream.py FROM TO ADDRESS udp|tcp MBIT GO [SOCKET] - bits a second that arrive, as fast as a limit of MBIT Mbit/s lets them

What is counted are frames, as heddle counts them: of TCP what the stream carries and the headers of its segments, of UDP what the receiving
kernel has counted, whether it had room for it or not. It begins when file GO is there; counting begins when the burst that a port has at first is used up. With the API's SOCKET the limit of
port b is MBIT, then five times that, then MBIT again, while datagrams run; what is told is what arrives in between.
"""
import threading

import lab
from frames import *

SOL_UDP, UDP_SEGMENT = 17, 103
DATAGRAM, CHUNK = 1400, 60000
UDP_HEADERS, TCP_HEADERS, MSS = 14 + 20 + 8, 14 + 20 + 32, 1448


class Datagrams:
    """At twice the limit, so that it is the limit that decides; in super-packets, if there are many."""

    def __init__(self, source, target, address, bits_s):
        with netns(target):
            self.inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.counters = open("/proc/thread-self/net/snmp", encoding="ascii")
        with netns(source):
            self.out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.inside.bind((address, 0))
        self.out.connect(self.inside.getsockname())
        self.out.setsockopt(SOL_UDP, UDP_SEGMENT, DATAGRAM)
        self.bits_s, self.n = bits_s, max(1, min(40, int(bits_s / 20e6)))
        self.sent = 0

    def send(self, stop):
        data, begin = bytes(self.n * DATAGRAM), time.monotonic()
        while not stop.is_set():
            self.out.send(data)
            self.sent += self.n * (DATAGRAM + UDP_HEADERS)
            time.sleep(max(0, self.sent * 8 / self.bits_s - (time.monotonic() - begin)))

    def is_limited(self):
        """There is loss, so there is no burst left."""
        return self.sent - self.bytes() > 100 * DATAGRAM

    def receive(self, stop):
        """Nobody reads: what there is no room for is counted as well."""

    def bytes(self):
        self.counters.seek(0)
        names, values = (line.split() for line in self.counters if line.startswith("Udp:"))
        now = dict(zip(names, values))
        return (int(now["InDatagrams"]) + int(now["RcvbufErrors"])) * (DATAGRAM + UDP_HEADERS)


class Connection:
    def __init__(self, source, target, address, bits_s):
        self.bits_s = bits_s
        with netns(target):
            server = socket.socket()
        with netns(source):
            self.out = socket.socket()
        server.bind((address, 0))
        server.listen(1)
        self.out.connect(server.getsockname())
        self.inside = server.accept()[0]
        self.got = 0

    def send(self, stop):
        self.out.settimeout(0.5)
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                self.out.send(bytes(CHUNK))

    def receive(self, stop):
        self.inside.settimeout(0.5)
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                self.got += len(self.inside.recv(1 << 20))

    def is_limited(self):
        """More has passed than the rate and a second of burst."""
        return self.got * 8 > 2 * self.bits_s

    def bytes(self):
        return self.got + self.got // MSS * TCP_HEADERS


def measure(stream, seconds):
    before, begin = stream.bytes(), time.monotonic()
    time.sleep(seconds)
    return int((stream.bytes() - before) * 8 / (time.monotonic() - begin))


def change(stream, mbit, path):
    """Each limit counts from the moment on at which the daemon has answered."""
    api, got = lab.Api(path), []
    for limit in (mbit, 5 * mbit, mbit):
        api.must("PATCH", "ports/b", {"ingress-rate": f"{limit}mbit", "ingress-burst": "64kb"})
        got.append(measure(stream, 0.5))
    api.must("PATCH", "ports/b", {"ingress-rate": None, "ingress-burst": None})
    check(max(got[0], got[2]) < mbit * 1.15e6 and mbit * 3e6 < got[1] < 5.75e6 * mbit, "before, with more, and after:", got)
    return got[1]


def main():
    *ends, protocol, mbit, go = sys.argv[1:7]
    mbit, path = int(mbit), sys.argv[7] if len(sys.argv) > 7 else None
    stream = Connection(*ends, mbit * 1e6) if protocol == "tcp" else Datagrams(*ends, mbit * 1e6 * (10 if path else 2))
    while not os.path.exists(go):
        time.sleep(0.01)
    stop = threading.Event()
    threads = [threading.Thread(target=stream.receive, args=(stop,)), threading.Thread(target=stream.send, args=(stop,))]
    for thread in threads:
        thread.start()
    try:
        while not path and not stream.is_limited():
            time.sleep(0.01)
        print(change(stream, mbit, path) if path else measure(stream, 6 if protocol == "tcp" else 3))
    finally:
        stop.set()
        for thread in threads:
            thread.join()


main()
