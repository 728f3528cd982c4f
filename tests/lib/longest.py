# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""longest.py NETNS DEVICE FILE - until it is ended: the longest frame that a device has received, and how many were UDP or GRE"""
import signal
import socket
import sys

from frames import netns


def main(name, device, path):
    with netns(name):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind((device, 0))
    longest = tunnels = 0

    def end(*_):
        with open(path, "w") as file:
            print(longest, tunnels, file=file)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    open(path + ".ready", "w").close()
    while True:
        frame, where = sock.recvfrom(70000)
        if where[2] == socket.PACKET_OUTGOING:
            continue
        longest = max(longest, len(frame))
        tunnels += frame[12:14] == b"\x08\x00" and frame[23] in (17, 47)


main(*sys.argv[1:])
