# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""published.py - sockets of the host, and of others, at ports that it publishes: published.py PREFIX CASE... One process has them all, in each namespace."""
from frames import *

PREFIX, CASES = sys.argv[1], sys.argv[2:]
WEB, WEB6, HOST6 = "10.77.0.3", "2001:db8:77::3", "2001:db8:77::2"
MAPPED = "::ffff:"
SOON = 0.3 * int(os.environ.get("PATIENCE", 1))  # what does not come: the kernel would have it in no time


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
    there = socket.AF_INET6 if ":" in address and not address.startswith(MAPPED) else socket.AF_INET
    with make("web", socket.SOCK_STREAM, WEB6 if there == socket.AF_INET6 else WEB, 80, there) as server, \
            make(name, socket.SOCK_STREAM, family=family) as client:
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


# ---- datagrams ----


def text(peer):
    return f"{peer[0]}:{peer[1]}"


def ask(client, server, address, port, by="send"):
    """A question, and its answer: by whom the client thinks that it was answered."""
    data = os.urandom(20)
    if by == "connect":
        client.connect((address, port))
        client.send(data)
    elif by == "sendmsg":
        client.sendmsg([data], [], 0, (address, port))
    else:
        client.sendto(data, (address, port))
    got, peer = server.recvfrom(100)
    same("what is asked", data, got)
    same("who asks", HOST6 if ":" in peer[0] else "10.77.0.2", peer[0])
    server.sendto(data, peer)
    got, peer = client.recvfrom(100)
    same("what is answered", data, got)
    return text(peer)


def datagrams():
    server = make("web", socket.SOCK_DGRAM, WEB, 53)
    second = make("web", socket.SOCK_DGRAM, WEB, 54)
    for address in ("127.0.0.1", "127.8.8.8", "192.0.2.1", "192.0.2.5", "198.51.100.1", "203.0.113.7", "10.77.0.2"):
        for by in ("send", "sendmsg", "connect"):
            with make("host", socket.SOCK_DGRAM) as client:
                same(f"{by} {address}", f"{address}:5301", ask(client, server, address, 5301, by))
                if by == "connect":
                    same("peer", (address, 5301), client.getpeername())
        with make("host", socket.SOCK_DGRAM, family=socket.AF_INET6) as client:
            same(f"mapped {address}", f"{MAPPED}{address}:5301", ask(client, server, MAPPED + address, 5301))
            same(f"mapped {address}", f"{MAPPED}{address}:5301", ask(client, server, MAPPED + address, 5301, "connect"))
            same("peer", (MAPPED + address, 5301), client.getpeername()[:2])
    client = make("host", socket.SOCK_DGRAM)
    same("no address", "127.0.0.1:5301", ask(client, server, "0.0.0.0", 5301))
    # Several at once; the same workload under another name is the one that was asked last, and so is its own.
    same("one", "127.0.0.1:5300", ask(client, server, "127.0.0.1", 5300))
    same("another", "192.0.2.1:5302", ask(client, second, "192.0.2.1", 5302))
    client.sendto(b"both", ("127.0.0.1", 5300))
    client.sendto(b"both", ("192.0.2.1", 5302))
    for there, name in ((second, "192.0.2.1:5302"), (server, "127.0.0.1:5300")):
        _, peer = there.recvfrom(100)
        there.sendto(b"answer", peer)
        same("of two", name, text(client.recvfrom(100)[1]))
    same("by its own name", f"{WEB}:53", ask(client, server, WEB, 53))
    same("by the name of before", "192.0.2.5:5301", ask(client, server, "192.0.2.5", 5301))
    # Another socket has not asked, whatever the first one has.
    other = make("host", socket.SOCK_DGRAM, "10.77.0.2", 4001)
    server.sendto(b"hello", ("10.77.0.2", 4001))
    same("who was not asked", f"{WEB}:53", text(other.recvfrom(100)[1]))
    # Nobody else is taken for it: not at the same port of another workload, nor at another port of this one.
    client.sendto(b"x", ("127.0.0.1", 5300))
    _, peer = server.recvfrom(100)
    for name, address, port in (("db", "10.77.0.4", 53), ("web", WEB, 55)):
        with make(name, socket.SOCK_DGRAM, address, port) as stranger:
            stranger.sendto(b"guess", peer)
            same("a stranger", f"{address}:{port}", text(client.recvfrom(100)[1]))
    # What is not published goes where it is sent: to the host's own service, from another namespace, at another port.
    with make("host", socket.SOCK_DGRAM, "127.0.0.1", 5399) as own, make("other", socket.SOCK_DGRAM) as far:
        client.sendto(b"own", ("127.0.0.1", 5399))
        same("the host's own", b"own", own.recv(100))
        far.connect(("192.0.2.1", 5301))
        far.send(b"x")
        try:
            far.recv(100)
            same("other namespace", "refused", "an answer")
        except ConnectionRefusedError:
            pass


def many():
    """More workloads' endpoints than a socket keeps: those that it asked last are kept."""
    first, last = int(CASES[1]), int(CASES[2])
    servers = {port: make("web", socket.SOCK_DGRAM, WEB, port) for port in range(first, last + 1)}
    client = make("host", socket.SOCK_DGRAM)
    for port in servers:
        client.sendto(b"x", ("127.0.0.1", port))
    names = []
    for port, server in servers.items():
        server.sendto(b"y", server.recvfrom(10)[1])
        names.append(text(client.recvfrom(10)[1]))
    lost = len(servers) - 16
    same("names", [f"{WEB}:{port}" for port in list(servers)[:lost]] + [f"127.0.0.1:{port}" for port in list(servers)[lost:]], names)
    for port, server in servers.items():
        same("one by one", f"127.0.0.1:{port}", ask(client, server, "127.0.0.1", port))


def patient():
    """Asked once; what happens to heddle meanwhile is told by lines of its standard input. Prints who answers."""
    server = make("web", socket.SOCK_DGRAM, WEB, 53)
    client = make("host", socket.SOCK_DGRAM)
    stream, listener = make("host", socket.SOCK_STREAM), make("web", socket.SOCK_STREAM, WEB, 80)
    listener.listen()
    stream.connect(("127.0.0.1", 8080))
    there, _ = listener.accept()
    listener.close()
    with there:
        client.sendto(b"x", ("127.0.0.1", 5300))
        _, peer = server.recvfrom(10)
        print("ready", flush=True)
        for line in sys.stdin:
            if line == "end\n":
                break
            server.sendto(b"y", peer)
            print(line.strip(), text(client.recvfrom(10)[1]), text(stream.getpeername()), flush=True)


def streams():
    """What connected sockets say of their peer; sockets of IPv6 with addresses of IPv4."""
    for address in ("127.0.0.1", "192.0.2.1"):
        with make("web", socket.SOCK_STREAM, WEB, 80) as server, make("host", socket.SOCK_STREAM) as client:
            server.listen()
            client.connect((address, 8081))
            same("peer", (address, 8081), client.getpeername())
        same("mapped", "web", tcp("host", MAPPED + address, 8081, socket.AF_INET6))
    same("mapped, no address", "web", tcp("host", MAPPED + "0.0.0.0", 8080, socket.AF_INET6))
    same("mapped, not published", "ConnectionRefusedError", tcp("host", MAPPED + "192.0.2.1", 8080, socket.AF_INET6))
    same("mapped, another namespace", "ConnectionRefusedError", tcp("other", MAPPED + "127.0.0.1", 8080, socket.AF_INET6))
    with make("host", socket.SOCK_STREAM, "127.0.0.1") as client:
        try:
            client.connect(("127.0.0.1", 8080))
        except OSError as error:
            same("bound to the loopback", 22, error.errno)


def six():
    """The host's own addresses of IPv6."""
    for name, address, port, what in (("host", "::1", 8080, "web"), ("host", "::", 8080, "web"), ("host", "2001:db8::1", 8080, "ConnectionRefusedError"),
                                      ("host", "::1", 8081, "web"), ("host", "2001:db8::1", 8081, "web"), ("host", HOST6, 8081, "web"),
                                      ("out", "2001:db8::1", 8081, "web"), ("out", "2001:db8::1", 8080, "ConnectionRefusedError"), ("db", HOST6, 8081, "ConnectionRefusedError"),
                                      ("other", "::1", 8081, "ConnectionRefusedError")):
        same(f"{name} at {address} {port}", what, tcp(name, address, port, socket.AF_INET6))
    server = make("web", socket.SOCK_DGRAM, WEB6, 53, socket.AF_INET6)
    own4 = make("web", socket.SOCK_DGRAM, WEB, 53)
    client = make("host", socket.SOCK_DGRAM, family=socket.AF_INET6)
    for address in ("::1", "2001:db8::1"):
        same(f"send {address}", f"{address}:5301", ask(client, server, address, 5301))
    same("the other family", f"{MAPPED}127.0.0.1:5301", ask(client, own4, MAPPED + "127.0.0.1", 5301))
    same("connect", "::1:5301", ask(client, server, "::1", 5301, "connect"))
    same("peer", ("::1", 5301), client.getpeername()[:2])


globals()[CASES[0]]()
