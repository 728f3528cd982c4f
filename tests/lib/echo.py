# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""echo.py [-c COUNT] [-e ID] [-i GAP] [-s SIZE] ADDRESS... - echo requests to each address, every one answered, once, with its own data, within 3 s

The next request follows the answer to the last one, or goes GAP seconds after it; SIGINT ends it before COUNT. ping(8) is no judge of this: as soon as one answer
came it waits for the others no longer than the time between two requests, and calls a late one lost. Without scapy, which takes longer to load than this to run.
"""
import getopt
import os
import signal
import socket
import struct
import sys
import time

WAIT = 3 * float(os.environ.get("PATIENCE", 1))
DOUBLES = 0.005  # the same answer a second time comes at once, or never


class Echo:
    def __init__(self, address, size, ident):
        self.six = ":" in address
        family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if self.six else (socket.AF_INET, socket.IPPROTO_ICMP)
        self.socket = socket.socket(family, socket.SOCK_RAW, protocol)
        self.socket.connect((address, 0))
        self.ident = ident & 0xFFFF
        self.data = bytes(i * 7 & 0xFF for i in range(size))
        self.sent, self.answers, self.errors = 0, {}, []

    def send(self):
        kind, checksum = (128 if self.six else 8), 0
        header = struct.pack("!BBHHH", kind, 0, checksum, self.ident, self.sent & 0xFFFF)
        if not self.six:
            header = header[:2] + struct.pack("!H", internet_checksum(header + self.data)) + header[4:]
        try:
            self.socket.send(header + self.data)
        except OSError as error:
            self.errors.append(str(error))
        self.sent += 1

    def receive(self, until, enough):
        """Note what comes until then, or until enough() says so."""
        while not enough() and (left := until - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                self.note(self.socket.recv(65536))
            except TimeoutError:
                return
            except OSError as error:
                self.errors.append(str(error))

    def note(self, packet):
        message = packet if self.six else packet[(packet[0] & 15) * 4 :]
        kind, _, _, ident, sequence = struct.unpack("!BBHHH", message[:8])
        if kind != (129 if self.six else 0) or ident != self.ident:
            return
        if message[8:] != self.data:
            self.errors.append(f"the answer to {sequence} has other data")
        self.answers[sequence] = self.answers.get(sequence, 0) + 1

    def all_answered(self):
        return len(self.answers) == min(self.sent, 0x10000)

    def run(self, count, gap, ended):
        start = time.monotonic()
        while self.sent < count and not ended:
            self.send()
            if gap is None:
                self.receive(time.monotonic() + WAIT, self.all_answered)
            else:
                self.receive(start + self.sent * gap, lambda: bool(ended))
        self.receive(time.monotonic() + WAIT, self.all_answered)
        self.receive(time.monotonic() + DOUBLES, lambda: False)

    def verdict(self):
        """What is wrong with it: empty, or a line."""
        twice = [n for n, times in self.answers.items() if times > 1]
        lost = [n for n in range(min(self.sent, 0x10000)) if n not in self.answers]
        wrong = self.errors[:3]
        if lost:
            wrong.append(f"{len(lost)} not answered, first {lost[:5]}")
        if twice:
            wrong.append(f"{len(twice)} answered more than once, first {twice[:5]}")
        return "; ".join(wrong)


def internet_checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) & ~1])) + (data[-1] << 8 if len(data) & 1 else 0)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def main():
    options, addresses = getopt.getopt(sys.argv[1:], "c:e:i:s:")
    options = dict(options)
    ended = []
    signal.signal(signal.SIGINT, lambda *_: ended.append(True))
    bad = False
    for address in addresses:
        echo = Echo(address, int(options.get("-s", 56)), int(options.get("-e", os.getpid())))
        echo.run(int(options.get("-c", 3)), float(options["-i"]) if "-i" in options else None, ended)
        wrong = echo.verdict()
        bad = bad or bool(wrong)
        print(f"{address}: {echo.sent} requests of {len(echo.data)} bytes, " + (wrong or "all answered"))
    sys.exit(bad)


main()
