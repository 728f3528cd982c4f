# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
seen.py FROM TO tcp|udp ADDRESS - connect from one namespace to another, and print by which address and port that one sees it
"""
import ctypes
import os
import socket
import sys

CLONE_NEWNET = 0x40000000


def enter(name):
    fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET):
        sys.exit(f"can't enter {name}")
    os.close(fd)


def within(name, kind):
    """a socket belongs to the namespace in which it is made"""
    enter(name)
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)


here, there, protocol, address = sys.argv[1:]
kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
server, client = within(there, kind), within(here, kind)
server.settimeout(5)
client.settimeout(5)
server.bind((address, 0))
if protocol == "tcp":
    server.listen()
    client.connect(server.getsockname())
    end, peer = server.accept()
    end.sendall(b"answer")
else:
    client.sendto(b"question", server.getsockname())
    _, peer = server.recvfrom(100)
    server.sendto(b"answer", peer)
if client.recv(6) != b"answer":
    sys.exit("no answer")
print(*peer[:2])
