# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""published.py - sockets of the host, and of others, at ports that it publishes: published.py PREFIX CASE... One process has them all, in each namespace."""
from frames import *

PREFIX, CASES = sys.argv[1], sys.argv[2:]
WEB = "10.77.0.3"
SOON = 0.3  # what does not come: the kernel would have it in no time


def make(name, kind, address="", port=0, family=socket.AF_INET):
    with netns(f"{PREFIX}-{name}"):
        end = socket.socket(family, kind)
    if kind == socket.SOCK_STREAM:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if address or port:
        end.bind((address, port))
    end.settimeout(5)
    return end


def tcp(name, address, port, family=socket.AF_INET):
    """A connection: "web", if it gets to the server in there, or why not."""
    with make("web", socket.SOCK_STREAM, WEB, 80) as server, make(name, socket.SOCK_STREAM, family=family) as client:
        server.listen()
        server.settimeout(SOON)
        client.settimeout(SOON)
        try:
            client.connect((address, port))
            there, _ = server.accept()
        except OSError as error:
            return type(error).__name__
        there.sendall(b"web")
        there.close()
        return client.recv(10).decode()


def same(what, expected, got):
    assert expected == got, f"{what}: expected {expected}, got {got}"


def udp_frame(wire, to, address, port):
    """A datagram to an address that no socket would let us send to."""
    def total(data):
        words = sum(struct.unpack(f"!{len(data) // 2}H", data))
        words = (words & 0xffff) + (words >> 16)
        return ~(words + (words >> 16)) & 0xffff
    source = {"out": "192.0.2.2", "db": "10.77.0.4"}[wire.label]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + 4, 0, 0x4000, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(address))
    head = head[:10] + struct.pack("!H", total(head)) + head[12:]
    return mac(to) + mac(wire.mac) + b"\x08\x00" + head + struct.pack("!HHHH", 4000, port, 12, 0) + b"ping"


def at(expected):
    """FROM ADDRESS PORT WHAT: what each of them finds there."""
    for line in expected.splitlines():
        if line.strip():
            name, address, port, what = line.split()
            same(f"{name} at {address}:{port}", what, tcp(name, address, int(port)))


def only():
    at(" ".join(CASES[1:]))


def addresses():
    at("""
        host   127.0.0.1     8080  web
        host   192.0.2.1     8080  ConnectionRefusedError
        host   127.0.0.2     8080  ConnectionRefusedError
        host   0.0.0.0       8080  web
        out    192.0.2.1     8080  ConnectionRefusedError
        db     192.0.2.1     8080  TimeoutError
        db     127.0.0.1     8080  ConnectionRefusedError

        host   127.0.0.1     8081  web
        host   127.9.9.9     8081  web
        host   192.0.2.1     8081  web
        host   192.0.2.5     8081  web
        host   198.51.100.1  8081  web
        host   203.0.113.7   8081  web
        host   10.77.0.2     8081  web
        host   192.0.2.99    8081  TimeoutError
        out    192.0.2.1     8081  web
        out    192.0.2.5     8081  web
        out    203.0.113.7   8081  web
        beyond 198.51.100.1  8081  ConnectionRefusedError
        db     192.0.2.1     8081  web
        db     192.0.2.5     8081  web

        host   192.0.2.5     8082  web
        host   192.0.2.1     8082  ConnectionRefusedError
        host   127.0.0.1     8082  ConnectionRefusedError
        out    192.0.2.5     8082  web
        out    192.0.2.1     8082  ConnectionRefusedError
        db     192.0.2.5     8082  web

        host   198.51.100.1  8083  web
        beyond 198.51.100.1  8083  ConnectionRefusedError
        out    198.51.100.1  8083  ConnectionRefusedError
        host   203.0.113.7   8084  web
        out    203.0.113.7   8084  web
        other  127.0.0.1     8080  ConnectionRefusedError
        other  192.0.2.1     8081  ConnectionRefusedError
    """)


def forged():
    """Nobody gets to what is for the host alone by saying that he is it."""
    uplink, leg = CASES[1:3]
    with make("web", socket.SOCK_DGRAM, WEB, 53) as server, make("out", socket.SOCK_DGRAM) as client:
        for name, to in (("out", uplink), ("db", leg)):
            wire = Wire(f"{PREFIX}-{name}")
            for address, port in (("127.0.0.1", 5300), ("192.0.2.1", 5300)):
                wire.send(udp_frame(wire, to, address, port))
        client.sendto(b"last", ("192.0.2.1", 5301))
        same("the first that comes", b"last", server.recv(100))


globals()[CASES[0]]()
