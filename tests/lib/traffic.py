# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""traffic.py FROM-NETNS TO-NETNS ADDRESS READY-FILE RATE [LISTEN] - conversations that must not notice anything, until SIGTERM

 - numbered UDP, RATE packets/s, counted one by one
 - a TCP connection that says nothing until the end, then must still work both ways
 - a TCP transfer all the while, compared at the end
LISTEN: the address there, if it is another than the one that is talked to. The ready file appears when all three run. Exit 0 if nothing was lost, doubled, reset or changed.
"""
import hashlib
import os
import signal
import socket
import struct
import sys
import threading
import time

from frames import SO_RCVBUFFORCE, check, netns, one_cpu

stop = threading.Event()


class Udp:
    def __init__(self, source, target, address, listen, rate):
        with netns(target):
            self.rx = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rx.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.rx.bind((listen, 0))
        self.rx.settimeout(2)
        with netns(source):
            self.tx = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tx.connect((address, self.rx.getsockname()[1]))
        self.rate = rate
        self.sent = 0
        self.got = []
        self.first = threading.Event()

    def send(self):
        one_cpu()  # of this thread alone: a sender that moves may overtake itself, since each CPU has a queue of its own
        start = time.monotonic()
        while not stop.is_set():
            due = int((time.monotonic() - start) * self.rate)
            while self.sent <= due:
                self.tx.send(struct.pack("!I", self.sent) + bytes(60))
                self.sent += 1
            time.sleep(0.5 / self.rate)
        self.tx.send(b"end")

    def receive(self):
        while True:
            try:
                data = self.rx.recv(2048)
            except TimeoutError:
                return  # the end was lost, too
            if data == b"end":
                return
            self.got.append(struct.unpack_from("!I", data)[0])
            self.first.set()

    def judge(self):
        lost = set(range(self.sent)) - set(self.got)
        check(not lost, f"UDP: {len(lost)} of {self.sent} lost, first {sorted(lost)[:5]}")
        check(len(self.got) == self.sent, f"UDP: {len(self.got) - self.sent} doubled")
        check(self.got == sorted(self.got), "UDP: out of order")
        print(f"note: UDP: {self.sent} sent, 0 lost")


class Tcp:
    def __init__(self, source, target, address, listen):
        with netns(target):
            listener = socket.create_server((listen, 0))
        with netns(source):
            self.near = socket.socket()
        self.near.settimeout(20)
        self.near.connect((address, listener.getsockname()[1]))
        self.far, _ = listener.accept()
        self.far.settimeout(20)
        self.sent, self.got = hashlib.sha256(), hashlib.sha256()
        self.bytes = 0
        self.first = threading.Event()

    def send(self):
        block = os.urandom(1 << 16)
        while not stop.is_set():
            self.near.sendall(block)
            self.sent.update(block)
            stop.wait(0.01)  # about 50 Mbit/s: busy, but the machine is not
        self.near.shutdown(socket.SHUT_WR)

    def receive(self):
        while data := self.far.recv(1 << 16):
            self.got.update(data)
            self.bytes += len(data)
            self.first.set()

    def judge(self):
        check(self.bytes and self.sent.digest() == self.got.digest(), "TCP transfer: changed")
        print(f"note: TCP: {self.bytes / 1e6:.1f} MB unchanged")

    def still_works(self):
        for a, b in ((self.near, self.far), (self.far, self.near)):
            a.sendall(b"still here")
            check(b.recv(100) == b"still here", "idle TCP connection: not what was sent")
        print("note: idle TCP connection works")


def main(source, target, address, ready, rate, listen=None):
    errors = []

    def guarded(work):
        try:
            work()
        except OSError as error:
            errors.append(f"{work.__self__.__class__.__name__} {work.__name__}: {error}")

    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    way = source, target, address, listen or address
    udp, bulk, idle = Udp(*way, int(rate)), Tcp(*way), Tcp(*way)
    threads = [threading.Thread(target=guarded, args=(work,))
               for work in (udp.receive, udp.send, bulk.receive, bulk.send)]
    for thread in threads:
        thread.start()
    check(udp.first.wait(10) and bulk.first.wait(10), "no packet arrives at all")
    open(ready, "w", encoding="ascii").close()
    for thread in threads:
        thread.join()
    check(not errors, "; ".join(errors))
    udp.judge()
    bulk.judge()
    idle.still_works()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    finally:
        stop.set()
