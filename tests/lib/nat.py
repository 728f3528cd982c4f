# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""nat.py - sockets inside and outside, and by which endpoint each sees the other"""
import errno
import itertools
import resource
import threading

from frames import *

PREFIX, GATEWAY, FLOATING = sys.argv[1:4]
OUTSIDE = "172.16.0.1"
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (8192 if most == resource.RLIM_INFINITY else min(8192, most), most))


def make(name, kind=socket.SOCK_DGRAM, address="", port=0):
    """A socket in a namespace."""
    with netns(f"{PREFIX}-{name}"):
        end = socket.socket(socket.AF_INET, kind)
    end.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    end.bind((address, port))
    end.settimeout(10)
    return end


def question(client, server, size=40):
    """A datagram; the endpoint by which the server sees its sender."""
    data = os.urandom(size)
    client.sendto(data, server.getsockname())
    while True:
        got, peer = server.recvfrom(65535)
        if got == data:
            return peer


def answer(server, peer, client, size=40):
    """A datagram back, which must be the next that the client gets."""
    data = os.urandom(size)
    server.sendto(data, peer)
    got, _ = client.recvfrom(65535)
    check(got == data, f"{client} got something else, or cut")


def nothing_at(*ends):
    """Asked after something later has come, or has been counted: what is not there by now will not come."""
    for end in ends:
        end.setblocking(False)
        try:
            check(False, f"{end} got {end.recvfrom(65535)}")
        except BlockingIOError:
            end.settimeout(10)


def refused(client, what):
    """The kernel has been told that nobody is there."""
    try:
        client.recv(100)
    except ConnectionRefusedError:
        return
    check(False, f"{what}: not refused")


def connected(client, server, address):
    """A TCP connection between two namespaces, as (client, server, endpoint by which the server sees the client)."""
    listener = make(server, socket.SOCK_STREAM)
    listener.listen()
    near = make(client, socket.SOCK_STREAM)
    near.connect((address, listener.getsockname()[1]))
    far, peer = listener.accept()
    far.settimeout(20)
    return near, far, peer


def stream(source, target, size):
    """Bytes by a connection; they must arrive unchanged."""
    data, got = os.urandom(size), bytearray()
    sender = threading.Thread(target=source.sendall, args=(data,), daemon=True)
    sender.start()
    while len(got) < size:
        piece = target.recv(1 << 16)
        check(piece, "ended early")
        got += piece
    sender.join()
    check(got == data, "changed on the way")
