#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The uplink goes down and comes up under load, with the daemon and without: packets pass again in less than a second, none is lost outside of that
# time, TCP does not break.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

pair
both network add blue --type vxlan --id 10
both network add grey --type gre --id 10
tunnels 4
joined one blue a 1 --no-security
joined two blue b 2 --no-security
joined one grey g 1 --no-security
joined two grey h 2 --no-security
pings a 10.0.20.2
pings g 10.0.20.2

cat >"$T/flap.py" <<'PY'
import subprocess
from numbered import *

prefix, host, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
flows = [Numbers(f"{prefix}-{a}", f"{prefix}-{b}", f"10.0.20.{n}", 7000) for a, b, n in (("a", "b", 2), ("b", "a", 1), ("g", "h", 2))]
with netns(prefix + "-b"):
    listener = socket.create_server(("10.0.20.2", 0))
with netns(prefix + "-a"):
    near = socket.create_connection(listener.getsockname(), timeout=10)
far, _ = listener.accept()
far.settimeout(10)

def ip(*words):
    subprocess.run(["ip", "-n", f"{prefix}-{host}", "link", "set", "wire", *words], check=True)

def state():
    return [(flow.sent, len(flow.got)) for flow in flows]

gaps = []  # for each flow: from which number to which may be lost
worst = 0
for turn in range(times):
    time.sleep(0.1)
    before = [flow.sent - 5 for flow in flows]
    ip("down")
    down = [len(flow.got) for flow in flows]
    near.sendall(b"said while it is down")
    time.sleep(0.2)
    ip("up")
    up = time.monotonic()
    sent = [flow.sent for flow in flows]
    for flow, number in zip(flows, sent):
        while not flow.got or flow.got[-1] < number:
            check(time.monotonic() - up < 5 * patience(), f"turn {turn}: nothing passes for 5 s")
            time.sleep(0.005)
    seconds = time.monotonic() - up
    worst = max(worst, seconds)
    check(seconds < 1, f"turn {turn}: packets pass after {seconds:.2f} s")
    gaps.append((before, [flow.got[-1] for flow in flows]))
    check(far.recv(100) == b"said while it is down", "TCP")
time.sleep(0.3)
for index, flow in enumerate(flows):
    sent, got = flow.stop()
    allowed = set()
    for start, end in gaps:
        allowed |= set(range(start[index], end[index] + 1))
    lost = sorted(set(range(sent)) - set(got) - allowed)
    check(not lost, f"flow {index}: {len(lost)} lost while the uplink was up, first {lost[:5]}")
    check(len(set(got)) == len(got), f"flow {index}: doubled")
far.sendall(b"still here")
check(near.recv(100) == b"still here", "TCP, the other way")
print(f"note: {times} times: packets pass again after {worst * 1000:.0f} ms at most")
PY
py "$T/flap.py" "$N" one 3
host_kill one
host_kill two
py "$T/flap.py" "$N" one 2
py "$T/flap.py" "$N" two 2
host_up one
host_up two
wait_for 5 peer_is one two up
wait_for 5 peer_is two one up
pings a 10.0.20.2
