#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Promise R4: floods from random sources and ports fill the table of new flows; 100 established connections don't notice.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

printf 'table-sizes:\n  flows: 1024\n  new-flows: 1024\n' >"$T/heddled.conf"
host
hd network add blue --type local
workload blue a --ip 10.0.20.1/24
workload blue b --ip 10.0.20.2/24
bare blue evil 6
bare blue victim 7

cat >"$T/flood.py" <<'PY'
import random, threading
from lab import *

CONNECTIONS, FRAMES = 100, 60000
sock, prefix = sys.argv[1:3]
api = Api(sock)
evil, victim = (End(prefix, name, number) for name, number in (("evil", 6), ("victim", 7)))
ended = threading.Event()
errors = []

class Talk:
    """A connection, and the longest time that a question took to be answered."""

    def __init__(self, listener):
        with netns(prefix + "-a"):
            self.near = socket.create_connection(listener.getsockname(), 5)
        self.far, _ = listener.accept()
        self.count, self.gap, self.asked = 0, 0, time.monotonic()
        for end in (self.near, self.far):
            end.settimeout(10)

    def turn(self):
        for one, other in ((self.near, self.far), (self.far, self.near)):
            one.sendall(b"x")
            check(other.recv(1) == b"x", "something else arrives")
        now = time.monotonic()
        self.gap, self.asked, self.count = max(self.gap, now - self.asked), now, self.count + 1

def talk(talks):
    try:
        while not ended.is_set():
            for one in talks:
                one.turn()
            time.sleep(0.01)
    except OSError as error:
        errors.append(error)

def received():
    with netns(prefix + "-victim"):
        for line in open("/proc/thread-self/net/dev", encoding="ascii"):
            if line.strip().startswith("eth0:"):
                return int(line.split()[2])

def random_frames(version, kind):
    """Each from another address and port, to another port."""
    packet = evil.to(victim, version) / (TCP(flags="S") if kind == "SYN" else UDP(chksum=0) / Raw(b"12345678"))
    frame = bytearray(bytes(packet))
    at, source = (34, 26) if version == 4 else (54, 22)
    for _ in range(FRAMES):
        frame[source + (1 if version == 4 else 8):source + (4 if version == 4 else 16)] = random.randbytes(3 if version == 4 else 8)
        struct.pack_into("!HH", frame, at, random.randrange(1024, 65536), random.randrange(1024, 65536))
        yield bytes(frame)

def dropped(port):
    return {reason: n for (reason, name), n in api.drops().items() if name == port}

def hello():
    victim.wire.send(bytes(Ether(src=victim.mac, dst=BROADCAST) / ARP(hwsrc=victim.mac, psrc=victim.address[4], pdst=victim.address[4])))

with netns(prefix + "-b"):
    listener = socket.create_server(("10.0.20.2", 0), backlog=CONNECTIONS)
talks = [Talk(listener) for _ in range(CONNECTIONS)]
established = api.get("flows?state=established&protocol=tcp")
same("established", CONNECTIONS, len(established))
threads = [threading.Thread(target=talk, args=(talks[i::4],), daemon=True) for i in range(4)]
for thread in threads:
    thread.start()
hello()

for version in (4, 6):
    for kind in ("SYN", "UDP"):
        before, drops_before = received(), dropped("evil")
        start = time.monotonic()
        for frame in random_frames(version, kind):
            evil.wire.send(frame)
        seconds = time.monotonic() - start
        arrived = lambda: received() - before
        lost = lambda: sum(dropped("evil").values()) - sum(drops_before.values())
        end = time.monotonic() + 5
        while arrived() + lost() < FRAMES and time.monotonic() < end:
            time.sleep(0.05)
        # Each has either begun a flow, which another one may push out, or was refused and counted.
        same(f"v{version} {kind}: let through and refused", FRAMES, arrived() + lost())
        check(set(dropped("evil")) <= {"flow-table-full"}, "dropped for", dropped("evil"))
        new = len(api.get("flows?state=new&port=evil"))
        check(0 < new <= 2 * 1024, f"{new} new flows in tables of 1024")
        print(f"note: v{version} {kind} flood: {FRAMES / seconds / 1000:.0f}k/s, {lost()} refused, {new} flows at the end")

# Somebody else can still begin.
late = Talk(listener)
late.turn()
ended.set()
for thread in threads:
    thread.join()
check(not errors, "connections broke:", errors[:3])
gap = max(one.gap for one in talks)
check(gap < 1, f"a connection stood still for {gap:.2f} s")
check(min(one.count for one in talks) > 10, "the connections have hardly talked")
same("established", CONNECTIONS + 1, len(api.get("flows?state=established&protocol=tcp")))
print(f"note: {CONNECTIONS} connections: {sum(one.count for one in talks)} exchanges, longest gap {gap * 1000:.0f} ms")
PY
lab "$T/flood.py"
