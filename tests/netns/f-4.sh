#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario F-4: removing a rule cuts what it allowed on the next packet; adding one needs no reconnect; other flows don't notice.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
hd security-group add server
tcp80=$(rule server --direction ingress --protocol tcp --port 80)
udp80=$(rule server --direction ingress --protocol udp --port 80)
allow server --direction ingress --protocol tcp --port 81
allow server --direction ingress --protocol udp --port 81
workload blue a --ip 10.0.20.1/24
workload blue s --ip 10.0.20.2/24 --security-group server
workload blue c --ip 10.0.20.3/24
workload blue d --ip 10.0.20.4/24
pings a 10.0.20.3

cat >"$T/cut.py" <<'PY'
from lab import Api
from numbered import *

sock, prefix, tcp80, udp80 = sys.argv[1:]
api = Api(sock)
a, s = prefix + "-a", prefix + "-s"
TCP80 = {"direction": "ingress", "protocol": "tcp", "port": "80"}
UDP80 = TCP80 | {"protocol": "udp"}

def remove(number):
    api.must("DELETE", f"security-groups/server/rules/{number}")

def add(rule):
    return api.must("POST", "security-groups/server/rules", rule)["id"]

class Bulk:
    """A TCP connection with data both ways all the while."""

    def __init__(self, port):
        with netns(s):
            listener = socket.create_server(("10.0.20.2", port))
        with netns(a):
            self.near = socket.create_connection(("10.0.20.2", port), 5)
        self.far, _ = listener.accept()
        self.bytes = [0, 0]
        for i, (tx, rx) in enumerate(((self.near, self.far), (self.far, self.near))):
            tx.settimeout(0.2)
            rx.settimeout(0.2)
            threading.Thread(target=self.send, args=(tx,), daemon=True).start()
            threading.Thread(target=self.receive, args=(rx, i), daemon=True).start()

    def send(self, tx):
        while True:
            with contextlib.suppress(TimeoutError):
                tx.send(bytes(1000))
            time.sleep(0.002)

    def receive(self, rx, i):
        while True:
            with contextlib.suppress(TimeoutError):
                self.bytes[i] += len(rx.recv(1 << 16))

    def flows(self, seconds=2):
        """Whether data arrives, both ways."""
        before, end = list(self.bytes), time.monotonic() + seconds
        while time.monotonic() < end:
            if all(now > then for now, then in zip(self.bytes, before)):
                return True
            time.sleep(0.01)
        return False

def frames_of(wire, port):
    """Frames to or from the port that are there now."""
    return [f for f in wire.receive() if port in struct.unpack_from("!HH", f, 34)]

# ---- removing ----
cut, kept = Bulk(80), Bulk(81)
cut_udp, kept_udp = Numbers(a, s, "10.0.20.2", 80), Numbers(a, s, "10.0.20.2", 81)
wires = [Wire(a), Wire(s)]
check(cut.flows() and kept.flows(), "no data")

before = cut_udp.sent
remove(udp80)
after = cut_udp.sent
remove(tcp80)
time.sleep(0.02)  # what was on its way
for wire in wires:
    list(wire.receive())
time.sleep(0.3)
for wire in wires:
    left = frames_of(wire, 80)
    check(not left, f"{len(left)} frames still arrive at {wire}, first {left[:1]}")
check(not cut.flows(0.2) and kept.flows(), "data after the cut")
got = set(cut_udp.got)
check(set(range(before)) <= got, "lost before the cut:", sorted(set(range(before)) - got)[:5])
check(max(got) <= after, f"sent {before} before and {after} after removing, but {max(got)} has arrived")

# ---- adding: the same socket goes on, and so does an attempt to connect ----
with netns(s):
    listener = socket.create_server(("10.0.20.2", 80))
with netns(a):
    trying = socket.socket()
trying.setblocking(False)
trying.connect_ex(("10.0.20.2", 80))
check(not select.select([], [trying], [], 0.1)[1], "connected without a rule")
before = cut_udp.sent
udp80 = add(UDP80)
after = cut_udp.sent
tcp80 = add(TCP80)
check(select.select([], [trying], [], 5)[1] and not trying.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "not connected")
now = cut_udp.sent - 1
time.sleep(0.05)
new = set(cut_udp.got) - got
check(min(new) >= before - 1, f"{min(new)} has arrived, but {before} were sent when the rule was added")
check(set(range(after, now)) <= new, f"lost after adding: {sorted(set(range(after, now)) - new)[:5]}")

# ---- a rule is removed that is not needed, or comes back before the next packet: nothing is lost, nobody reconnects ----
accepted, _ = listener.accept()
trying.setblocking(True)
trying.settimeout(5)
accepted.settimeout(5)

def still_connected():
    for x, y in ((trying, accepted), (accepted, trying)):
        x.sendall(b"still here")
        same("over the connection", b"still here", y.recv(100))

still_connected()
remove(tcp80)
tcp80 = add(TCP80)
still_connected()
start = cut_udp.sent
more = add(UDP80 | {"remote": "10.0.20.1/32"})
for _ in range(10):
    remove(udp80)
    udp80 = add(UDP80)
    remove(more)
    more = add(UDP80 | {"remote": "10.0.20.1/32"})
sent, everything = cut_udp.stop()
lost = set(range(start, sent)) - set(everything)
check(not lost, f"one of two rules was removed, {len(lost)} packets were lost")
kept_udp.all_arrived("UDP by another rule")
check(kept.flows(), "the connection by another rule has stopped")
PY
traffic_start c d 10.0.20.4
py "$T/cut.py" "$T/run/$I/api.sock" "$N" "$tcp80" "$udp80"
traffic_stop
same "dropped" "group-ingress s|tcp-no-connection a|tcp-no-connection s" \
	"$(hd -j drops | jq -r '[.[] | "\(.reason) \(.port)"] | unique | join("|")')"
