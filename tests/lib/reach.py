# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""reach.py - what becomes of an attempt to reach a server: "open", "reset", "silent", or (type, code, from) of the ICMP error that comes back"""
import errno
import threading

from frames import *

IP_RECVERR, IPV6_RECVERR, IPPROTO_IPV6 = 11, 25, 41
ANSWER_S = 5  # for what is expected to come; a first SYN may be lost while the next hop is asked for
SILENT_S = 0.4


def wait(condition, what, seconds=5):
    end = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < end, what)
        time.sleep(0.01)


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Connection:
    """An established one: near is the client's end, far the server's."""

    def __init__(self, near, far):
        self.near, self.far = near, far
        near.settimeout(ANSWER_S)
        far.settimeout(ANSWER_S)

    def talks(self):
        for a, b in ((self.near, self.far), (self.far, self.near)):
            a.sendall(b"hello")
            same("over the connection", b"hello", b.recv(100))

    def is_reset(self):
        try:
            return self.near.recv(100) == b"never"
        except ConnectionResetError:
            return True

    @staticmethod
    def _is_silent(end):
        end.settimeout(SILENT_S)
        try:
            end.recv(100)
        except TimeoutError:
            return True
        return False

    def far_is_silent(self):
        return self._is_silent(self.far)

    def near_is_silent(self):
        return self._is_silent(self.near)


class Ends:
    def __init__(self, prefix):
        self.prefix = prefix
        self.accepted = {}

    def make(self, name, fam, kind):
        with netns(f"{self.prefix}-{name}"):
            return socket.socket(fam, kind)

    def serve(self, name, *ports):
        """TCP and UDP, both families: what comes is sent back; a connection is kept for connect()."""
        for port in ports:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                server = self.make(name, socket.AF_INET if self.is_v4_only(name) else socket.AF_INET6, kind)
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                server.bind(("" if self.is_v4_only(name) else "::", port))
                if kind == socket.SOCK_STREAM:
                    server.listen(16)
                target = self.accept if kind == socket.SOCK_STREAM else self.echo
                threading.Thread(target=target, args=(server,), daemon=True).start()

    def is_v4_only(self, name):
        with netns(f"{self.prefix}-{name}"), open("/proc/self/net/if_inet6", encoding="ascii") as file:
            return not file.read()

    def accept(self, server):
        while True:
            end, peer = server.accept()
            self.accepted[peer[1]] = end

    @staticmethod
    def echo(server):
        while True:
            data, peer = server.recvfrom(100)
            server.sendto(data, peer)

    def connect(self, name, address, port):
        near = self.make(name, family(address), socket.SOCK_STREAM)
        near.settimeout(ANSWER_S)
        near.connect((address, port))
        wait(lambda: near.getsockname()[1] in self.accepted, "not accepted")
        return Connection(near, self.accepted.pop(near.getsockname()[1]))

    def expect(self, what, expected):
        """expected: {(protocol, from, address, port): what becomes of it}"""
        for (protocol, *where), result in expected.items():
            seconds = SILENT_S if result == "silent" else ANSWER_S
            same(f"{what}: {protocol} {where}", result, getattr(self, protocol)(*where, seconds))

    def tcp(self, name, address, port, seconds):
        with self.make(name, family(address), socket.SOCK_STREAM) as near:
            near.setblocking(False)
            near.connect_ex((address, port))
            if not select.select([], [near], [], seconds)[1]:
                return "silent"
            error = near.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            return {0: "open", errno.ECONNREFUSED: "reset"}.get(error, os.strerror(error))

    @staticmethod
    def _error(sock):
        """The ICMP error in the queue of a socket: struct sock_extended_err, then who has sent it."""
        _, data, _, _ = sock.recvmsg(2000, 2000, socket.MSG_ERRQUEUE)
        for level, kind, value in data:
            if (level, kind) in ((socket.SOL_IP, IP_RECVERR), (IPPROTO_IPV6, IPV6_RECVERR)):
                fam = struct.unpack_from("=H", value, 16)[0]
                who = socket.inet_ntop(fam, value[20:24] if fam == socket.AF_INET else value[24:40])
                return value[5], value[6], who
        return "?"

    def _datagram(self, near, address, port, data, seconds):
        """Sends it, and what comes of it."""
        if family(address) == socket.AF_INET:
            near.setsockopt(socket.SOL_IP, IP_RECVERR, 1)
        else:
            near.setsockopt(IPPROTO_IPV6, IPV6_RECVERR, 1)
        near.connect((address, port))
        near.send(data)
        poll = select.poll()
        poll.register(near, select.POLLIN | select.POLLERR)
        events = poll.poll(seconds * 1000)
        if not events:
            return "silent"
        return self._error(near) if events[0][1] & select.POLLERR else "open"

    def udp(self, name, address, port, seconds):
        with self.make(name, family(address), socket.SOCK_DGRAM) as near:
            return self._datagram(near, address, port, b"hello", seconds)

    def ping(self, name, address, _, seconds):
        with netns(f"{self.prefix}-{name}"):
            with open("/proc/sys/net/ipv4/ping_group_range", "w", encoding="ascii") as file:
                file.write("0 0")
            v4 = family(address) == socket.AF_INET
            near = socket.socket(family(address), socket.SOCK_DGRAM, socket.IPPROTO_ICMP if v4 else socket.IPPROTO_ICMPV6)
        with near:
            return self._datagram(near, address, 0, struct.pack("!BBHHH", 8 if v4 else 128, 0, 0, 1, 1) + b"hello", seconds)
