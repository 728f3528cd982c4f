# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""transfer.py FROM-NETNS TO-NETNS ADDRESS BYTES - random bytes over TCP; they must arrive unchanged"""
import hashlib
import os
import socket
import sys
import threading
import time

from frames import check, netns


def receive(listener, result):
    sha = hashlib.sha256()
    conn, _ = listener.accept()
    conn.settimeout(60)
    while True:
        data = conn.recv(1 << 20)
        if not data:
            break
        sha.update(data)
    result.append(sha.hexdigest())


def send(sock, size):
    """The bytes come from a pool of random blocks, so that making them costs no more than sending them."""
    pool = os.urandom(4 << 20)
    sha = hashlib.sha256()
    at = 0
    while size:
        block = pool[at : at + min(size, 1 << 16)]
        sock.sendall(block)
        sha.update(block)
        size -= len(block)
        at = (at + 65521) % (len(pool) - (1 << 16))
    sock.shutdown(socket.SHUT_WR)
    return sha.hexdigest()


def main(source, target, address, size):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with netns(target):
        listener = socket.create_server((address, 0), family=family)
    listener.settimeout(30)
    result = []
    thread = threading.Thread(target=receive, args=(listener, result))
    thread.start()
    with netns(source):
        sock = socket.socket(family)
    sock.settimeout(60)
    start = time.monotonic()
    sock.connect(listener.getsockname()[:2])
    sent = send(sock, size)
    thread.join()
    check(result == [sent], f"{size} bytes to {address}: they arrived changed or not at all")
    print(f"note: {size / 1e6:.0f} MB to {address}: {size * 8e-9 / (time.monotonic() - start):.1f} Gbit/s")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
