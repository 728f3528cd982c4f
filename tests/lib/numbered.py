# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""numbered.py - numbered packets at a steady rate, so that each one is accounted for"""
import threading

from frames import *


class Numbers:
    """1,000 numbered UDP datagrams a second from one socket to another; received in the background."""

    def __init__(self, source, target, address, port, rate=1000, sport=0, wait=True):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with netns(target):
            self.rx = socket.socket(family, socket.SOCK_DGRAM)
        self.rx.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.rx.bind((address, port))
        with netns(source):
            self.tx = socket.socket(family, socket.SOCK_DGRAM)
        self.tx.bind(("", sport))
        self.tx.connect((address, port))
        self.rx.settimeout(0.1)
        self.rate, self.sent, self.got, self.ended = rate, 0, [], threading.Event()
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self.send, self.receive)]
        for thread in self.threads:
            thread.start()
        end = time.monotonic() + 10
        while wait and not self.got:
            check(time.monotonic() < end, f"UDP port {port}: nothing arrives")
            time.sleep(0.01)

    def send(self):
        one_cpu()  # of this thread alone: a sender that moves may overtake itself, since each CPU has a queue of its own
        start = time.monotonic()
        while not self.ended.is_set():
            due = int((time.monotonic() - start) * self.rate)
            while self.sent <= due:
                self.tx.send(struct.pack("!I", self.sent))
                self.sent += 1
            time.sleep(0.5 / self.rate)

    def receive(self):
        while True:
            try:
                self.got.append(struct.unpack("!I", self.rx.recv(100))[0])
            except TimeoutError:
                if self.ended.is_set():
                    return

    def stop(self):
        """Numbers that were sent, and those that arrived."""
        self.ended.set()
        for thread in self.threads:
            thread.join()
        return self.sent, self.got

    def all_arrived(self, what):
        sent, got = self.stop()
        lost = sorted(set(range(sent)) - set(got))
        check(not lost, f"{what}: {len(lost)} of {sent} lost, first {lost[:5]}")
        check(got == list(range(sent)), f"{what}: doubled or out of order")
        print(f"note: {what}: {sent} sent, 0 lost")

    def none_arrived(self, what):
        sent, got = self.stop()
        check(not got, f"{what}: {len(got)} of {sent} arrived, first {got[:5]}")
        print(f"note: {what}: {sent} sent, 0 arrived")
