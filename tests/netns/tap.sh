#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A tap device as port: frames both ways through its file, UP and DOWN with it, and coming back.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
ip -n "$N-host" tuntap add tap0 mode tap
ip -n "$N-host" tuntap add tap1 mode tap
ip -n "$N-host" link set tap0 up
ip -n "$N-host" link set tap1 up
hd network add blue --type local
hd port add vm0 --network blue --device tap0 --no-security
hd port add vm1 --network blue --device tap1 --no-security
workload blue ns1 --ip 10.0.20.1/24 --no-security

# Nobody holds the devices open: no carrier, and the port says so.
port_is vm0 down || fail "vm0 is up"
hd -j port show vm0 | jq -r .reason | grep -q 'carrier' || fail "vm0: no reason"

cat >"$T/vm.py" <<'PY'
"""Holds tap0 and tap1, answers for each as a machine would, and compares every frame."""
import json, subprocess, sys
from frames import *

host, workload, *hd = sys.argv[1:]

def until(seconds, truth, *message):
    end = time.monotonic() + seconds
    while not truth():
        check(time.monotonic() < end, *message)
        time.sleep(0.02)

def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode()

def state(port, want):
    """First the kernel has to tell of the carrier, which may take a second, or more when its work queues are busy."""
    link = f" state {want.upper()} "
    until(60, lambda: link in output("ip", "-n", host, "-o", "link", "show", port.replace("vm", "tap")), "no carrier change")
    until(5, lambda: json.loads(output(*hd, "-j", "port", "show", port))["state"] == want, port, "is not", want)

one_cpu()
vm0, vm1, ns1 = Tap(host, "tap0"), Tap(host, "tap1"), Wire(workload)
wires = [vm0, vm1, ns1]
state("vm0", "up")
state("vm1", "up")
a, b = "02:00:00:00:00:0a", "02:00:00:00:00:0b"

def round_trip():
    m = Marker()
    one, two, three = (m.frame(BROADCAST, src) for src in (a, b, ns1.mac))
    exchange(m, wires, [(vm0, one), (vm1, two), (ns1, three)], {vm0: [two, three], vm1: [one, three], ns1: [one, two]})
    sends, expected = [], {w: [] for w in wires}
    for size in (26, 27, 59, 60, 61, 64, 1000, 1513, 1514):
        for src, dst, frame in ((vm0, vm1, m.frame(b, a, size=size)), (vm1, vm0, m.frame(a, b, size=size)),
                                (vm0, ns1, m.frame(ns1.mac, a, size=size)), (ns1, vm1, m.frame(b, ns1.mac, size=size))):
            sends.append((src, frame))
            expected[dst].append(frame)
    for tags in (((0x8100, 0xE00A),), ((0x88A8, 5), (0x8100, 6))):
        frame = m.frame(b, a, tags=tags)
        sends.append((vm0, frame))
        expected[vm1].append(frame)
    exchange(m, wires, sends, expected)

def ping_answered():
    """The workload pings 10.0.20.10, which lives in vm0: a machine made of two answers."""
    ping = subprocess.Popen(["nsenter", "--net=/run/netns/" + workload, "ping", "-nqc1", "-W5", "10.0.20.10"],
                            stdout=subprocess.DEVNULL)
    def take(wire, frame):
        if wire is not vm0:
            return
        if frame[12:14] == b"\x08\x06" and frame[21] == 1 and frame[38:42] == bytes([10, 0, 20, 10]):
            vm0.send(frame[6:12] + mac(a) + frame[12:21] + b"\x02" + mac(a) + frame[38:42] + frame[22:32])
        if frame[12:14] == b"\x08\x00" and frame[23] == 1 and frame[34] == 8:
            csum = int.from_bytes(frame[36:38], "big") + 0x0800
            csum = (csum & 0xFFFF) + (csum >> 16)
            vm0.send(frame[6:12] + mac(a) + frame[12:26] + frame[30:34] + frame[26:30] + b"\0" + frame[35:36]
                     + csum.to_bytes(2, "big") + frame[38:])
    gather(wires, 6, lambda: ping.poll() is not None, take)
    same("ping's exit status", 0, ping.wait())

round_trip()
ping_answered()

vm0.close()
state("vm0", "down")
m = Marker()
lost = m.frame(a, b)
exchange(m, [vm1, ns1], [(vm1, lost)], {})

vm0 = Tap(host, "tap0")
wires[0] = vm0
state("vm0", "up")
round_trip()
ping_answered()
PY
py "$T/vm.py" "$N-host" "$N-ns1" "$B/heddle" -i "$I"

(($(drops_of port-down) >= 1)) || fail "drops: port-down is not counted"
ip -n "$N-host" tuntap del tap0 mode tap
port_gone() { hd -j port show vm0 | jq -r .reason | grep -q missing; }
wait_for 5 port_gone
