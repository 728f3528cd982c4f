# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""matrix.py PREFIX - who reaches whom

Each line of the input is one try, "FROM TO VERSION PROTOCOL [PORT]", with FROM and TO written NAME=NUMBER: namespace PREFIX-NAME, addresses
10.0.20.NUMBER and 2001:db8::NUMBER. PROTOCOL is tcp, udp (both: an exchange both ways with a server on PORT), icmp (an echo
request), or stamp (an ICMP timestamp request). The output is each line with yes or no behind it. All tries are made at once and each sends only one packet
before it is answered, so what is denied is counted exactly once. Where machines are slow (PATIENCE, see netns.sh) they are made a few at a
time: a SYN is repeated after a second.
"""
import selectors
import sys

from frames import *

FAMILY = {"4": socket.AF_INET, "6": socket.AF_INET6}
ANY = {"4": "0.0.0.0", "6": "::"}
WAIT = 0.7
AT_ONCE = 1000 if patience() == 1 else 24
selector = selectors.DefaultSelector()
servers = {}


def address(version, number):
    return ("10.0.20." if version == "4" else "2001:db8::") + number


class Server:
    """Echoes."""

    def __init__(self, name, version, protocol, port):
        with netns(name):
            self.sock = socket.socket(FAMILY[version], socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if version == "6":
            self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self.sock.bind((ANY[version], port))
        if protocol == "tcp":
            self.sock.listen(50)
        self.ready = self.accept if protocol == "tcp" else self.answer
        selector.register(self.sock, selectors.EVENT_READ, self)

    def accept(self):
        self.conn, _ = self.sock.accept()
        servers[self.conn] = conn = Conn(self.conn)
        selector.register(self.conn, selectors.EVENT_READ, conn)

    def answer(self):
        data, peer = self.sock.recvfrom(100)
        self.sock.sendto(data, peer)


class Conn:
    def __init__(self, sock):
        self.sock = sock

    def ready(self):
        try:
            data = self.sock.recv(100)
        except OSError:
            data = b""
        if data:
            self.sock.send(data)
        else:
            selector.unregister(self.sock)


class Try:
    def __init__(self, prefix, line):
        self.line, self.works = line, False
        self.source, self.target, self.version, self.protocol, *port = line.split()
        self.port = int(port[0]) if port else 0
        self.nonce = os.urandom(16)
        self.prefix = prefix

    def namespace(self, word):
        return f"{self.prefix}-{word.split('=')[0]}"

    def serve(self):
        key = self.target, self.version, self.protocol, self.port
        if self.port and key not in servers:
            servers[key] = Server(self.namespace(self.target), *key[1:])

    def open(self):
        family = FAMILY[self.version]
        if self.port:
            return socket.socket(family, socket.SOCK_STREAM if self.protocol == "tcp" else socket.SOCK_DGRAM)
        return socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMP if self.version == "4" else socket.IPPROTO_ICMPV6)

    def start(self):
        with netns(self.namespace(self.source)):
            self.sock = self.open()
        self.sock.setblocking(False)
        self.sock.connect_ex((address(self.version, self.target.split("=")[1]), self.port))
        if self.protocol != "tcp":
            self.sock.send(self.question())
        selector.register(self.sock, selectors.EVENT_WRITE if self.protocol == "tcp" else selectors.EVENT_READ, self)

    def question(self):
        if self.port:
            return self.nonce
        kind = {"4": {"icmp": 8, "stamp": 13}, "6": {"icmp": 128}}[self.version][self.protocol]
        body = self.nonce if self.protocol == "icmp" else bytes(12)
        data = struct.pack("!BBH", kind, 0, 0) + self.nonce[:4] + body
        if self.version == "6":
            return data  # the kernel fills in the checksum
        total = sum(struct.unpack(f"!{len(data) // 2}H", data))
        total = (total & 0xFFFF) + (total >> 16)
        return data[:2] + struct.pack("!H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF) + data[4:]

    def ready(self):
        try:
            if self.protocol == "tcp" and not self.works and selector.get_key(self.sock).events & selectors.EVENT_WRITE:
                self.sock.send(self.nonce)
                selector.modify(self.sock, selectors.EVENT_READ, self)
                return
            data = self.sock.recv(200)
        except OSError:
            selector.unregister(self.sock)
            return
        reply = {"icmp": (0, 129), "stamp": (14,)}.get(self.protocol)
        if reply and self.version == "4":
            data = data[20:]
        if reply and data[0] not in reply:
            return
        if not data:
            selector.unregister(self.sock)
        self.works |= (self.nonce[:4] if reply else self.nonce) in data


def attempt(tries):
    for one in tries:
        one.start()
    end = time.monotonic() + WAIT
    while not all(one.works for one in tries) and time.monotonic() < end:
        for key, _ in selector.select(max(0, end - time.monotonic())):
            key.data.ready()
    for one in tries:
        if one.sock in selector.get_map():
            selector.unregister(one.sock)
        if not one.works:
            one.sock.close()


def main(prefix):
    tries = [Try(prefix, line) for line in sys.stdin.read().splitlines() if line.strip()]
    for one in tries:
        one.serve()
    for i in range(0, len(tries), AT_ONCE):
        attempt(tries[i:i + AT_ONCE])
    for one in tries:
        print(" ".join(one.line.split()), "yes" if one.works else "no")


main(sys.argv[1])
