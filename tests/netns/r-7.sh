#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario R-7: static routes through workloads that forward with the kernel's stack, equal-cost routes with weights, blackholes, and next hops that
# do not answer. A flow stays with its next hop until that goes; then it goes on by another, a TCP connection too.
# shellcheck source-path=SCRIPTDIR source=../lib/routing.sh
. "$(dirname "$0")/../lib/routing.sh"

host
for n in 1 2 3; do
	hd network add "net$n" --type local
done
subnets hd 1 2
hd subnet add four3 --network net3 --cidr 10.0.3.0/24
hd subnet add six3 --network net3 --cidr 2001:db8:3::/64
hd router add r
attach hd r 1 2
hd security-group rule-add default --direction ingress >/dev/null
side hd 1 a
side hd 3 b --no-security # a port with security holds TCP to the port by which it began

# forwards NAME LAST LAST3: a router of the tenant's own between net2 and net3
forwards() {
	LAST=$2 side hd 2 "$1" --no-security
	hd port add "$1-3" --network net3 --netns "$N-$1" --ifname eth1 --ip "10.0.3.$3" --ip "2001:db8:3::$3" --no-security
	on "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# by LAST3: the way back from b
by() {
	ip -n "$N-b" route replace default via "10.0.3.$1"
	ip -n "$N-b" -6 route replace default via "2001:db8:3::$1"
}

# route OPTION...: adds one to r and prints its id
route() {
	hd -j router route-add r "$@" | jq .id
}

forwards v1 21 1
forwards v2 22 2
by 1

# ---- through a workload ----

v1_four=$(route 10.0.3.0/24 --via 10.0.2.21)
v1_six=$(route 2001:db8:3::/64 --via 2001:db8:2::21)
first a 10.0.3.11 2001:db8:3::11
pings a 10.0.3.11 2001:db8:3::11
pings b 10.0.1.11 2001:db8:1::11
same "TTL" "62 62" "$(ttl_of a 10.0.3.11) $(ttl_of b 2001:db8:1::11)"
same "traceroute" "10.0.1.1 10.0.2.21 10.0.3.11" "$(hops a 10.0.3.11)"
same "traceroute back" "2001:db8:3::1 2001:db8:2::1 2001:db8:1::11" "$(hops b 2001:db8:1::11)"
for to in "b 10.0.3.11" "b 2001:db8:3::11"; do
	# shellcheck disable=SC2086 # two words
	transfers a $to 300000
done
transfers b a 10.0.1.11 300000

# ---- another next hop: connections go on by it ----

cat >"$T/talk.py" <<'PY'
import sys
from frames import *

pairs = []
for address in ("10.0.3.11", "2001:db8:3::11"):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with netns(sys.argv[2]):
        listener = socket.create_server((address, 0), family=family)
    with netns(sys.argv[1]):
        near = socket.socket(family)
    near.settimeout(20 * patience())
    near.connect(listener.getsockname())
    far, _ = listener.accept()
    far.settimeout(20 * patience())
    pairs.append((near, far))

for _ in sys.stdin:
    for near, far in pairs:
        for source, target in ((near, far), (far, near)):
            nonce = os.urandom(16)
            source.sendall(nonce)
            check(target.recv(16, socket.MSG_WAITALL) == nonce, "something else arrives")
    print("ok", flush=True)
PY

# speak WHAT: on both connections, both ways
speak() {
	local line=

	echo >&"${TALK[1]}"
	read -r -t 300 line <&"${TALK[0]}" || true
	same "$1" ok "$line"
}

coproc TALK { py "$T/talk.py" "$N-a" "$N-b"; }
speak "by v1"
v2_four=$(route 10.0.3.0/24 --via 10.0.2.22)
v2_six=$(route 2001:db8:3::/64 --via 2001:db8:2::22)
hd router route-del r "$v1_four"
hd router route-del r "$v1_six"
by 2
first a 10.0.3.11 2001:db8:3::11
speak "by v2"
same "traceroute by v2" "10.0.1.1 10.0.2.22 10.0.3.11" "$(hops a 10.0.3.11)"
same "flows end at v2" "v2" "$(hd -j flow list --protocol tcp --state established | jq -r '[.[].server.port] | unique | join(" ")')"
hd router route-del r "$v2_four"
hd router route-del r "$v2_six"
silent a 10.0.3.11
route 10.0.3.0/24 --via 10.0.2.22 >/dev/null
route 2001:db8:3::/64 --via 2001:db8:2::22 >/dev/null
speak "once more"
talk=$TALK_PID # which bash forgets as soon as it has ended
kill "$talk"
wait "$talk" 2>/dev/null || true

# ---- nowhere ----

before=$(drops_of blackhole a)
route 10.0.3.128/25 --blackhole >/dev/null
route 2001:db8:3:0:8000::/65 --blackhole >/dev/null
for to in 10.0.3.200 2001:db8:3:0:8000::1; do
	{ on a ping -n -c 3 -i 0.2 -W 1 "$to" || true; } >"$T/ping" 2>&1
	! grep -q ^From "$T/ping" || fail "somebody speaks about a blackhole: $(<"$T/ping")"
done
same "in the blackhole" 6 $(($(drops_of blackhole a) - before))
pings a 10.0.3.11 2001:db8:3::11

route 10.7.0.0/16 --via 10.0.2.77 >/dev/null
route 2001:db8:7::/48 --via 2001:db8:2::77 >/dev/null
# unreachable ADDRESS REGEX: told after three seconds, not before
unreachable() {
	{ on a ping -n -i 0.5 -w 6 "$1" || true; } >"$T/ping" 2>&1
	grep -qE "^From $2" "$T/ping" || fail "not told about $1: $(<"$T/ping")"
	! grep -qE "icmp_seq=[1-4] " "$T/ping" || fail "told too early: $(<"$T/ping")"
}
unreachable 10.7.0.1 "10\.0\.1\.1 icmp_seq=[0-9]+ Destination Host Unreachable"
unreachable 2001:db8:7::1 "2001:db8:1::1 icmp_seq=[0-9]+ Destination unreachable: Address unreachable"
(($(drops_of unresolved a) > 10)) || fail "not counted: $(hd drops)"

# ---- equal cost: three servers with one address ----

anycast=(10.9.0.1 2001:db8:9::1)
for i in 1 2 3; do
	LAST=3$i side hd 2 "h$i" --allowed-address 10.9.0.1 --allowed-address 2001:db8:9::1
	for address in "${anycast[@]}"; do
		ip -n "$N-h$i" addr add "$address" dev lo
	done
	weight=$((i == 2 ? 2 : 1))
	route 10.9.0.1/32 --via "10.0.2.3$i" --weight $weight >/dev/null
	route 2001:db8:9::/64 --via "2001:db8:2::3$i" --weight $weight >/dev/null
	first a "10.0.2.3$i" "2001:db8:2::3$i"
done

cat >"$T/shares.py" <<'PY'
"""shares.py PREFIX ADDRESS ROUTE HEDDLE...: flows from a to whichever of h1, h2, h3 has them; routes come and go meanwhile"""
import json
import subprocess
import sys
import threading
from frames import *

prefix, address, route, *heddle = sys.argv[1:]
FLOWS, RATE = 240, 400
SERVERS = {"h1": 1, "h2": 2, "h3": 1}
family = socket.AF_INET6 if ":" in address else socket.AF_INET


class Flow:
    def __init__(self, sport):
        with netns(f"{prefix}-a"):
            self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.bind(("", sport))
        self.sock.connect((address, 7000))
        self.sock.setblocking(False)
        self.sent, self.got = 0, {}  # number of the datagram: who has answered it

    def send(self):
        self.sock.send(struct.pack("!I", self.sent))
        self.sent += 1

    def receive(self):
        try:
            data = self.sock.recv(100)
        except OSError:
            return
        number, = struct.unpack_from("!I", data)
        check(number not in self.got, "two answers")
        self.got[number] = data[4:].decode()

    def lost(self, since):
        return [n for n in range(since, self.sent) if n not in self.got]


def serve(name):
    with netns(f"{prefix}-{name}"):
        sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((address, 7000))

    def run():
        while True:
            data, peer = sock.recvfrom(100)
            sock.sendto(data + name.encode(), peer)

    threading.Thread(target=run, daemon=True).start()


def listen():
    while True:
        for sock in select.select(socks, [], [], 1)[0]:
            socks[sock].receive()


def talk(enough):
    """All flows send, in turn, until there is enough."""
    end = time.monotonic() + 60 * patience()
    while not enough():
        check(time.monotonic() < end, "not all flows are answered:", [f.sent for f in flows if not f.got][:5])
        for flow in flows:
            flow.send()
            time.sleep(1 / RATE)


def settle():
    """What is under way has arrived, or never will."""
    end = time.monotonic() + 2 * patience()
    while any(f.lost(0) for f in flows) and time.monotonic() < end:
        time.sleep(0.02)


def shares(change, may_move):
    """Who answers which flow after a change. Of those that it may not move nothing is lost, and nobody else answers."""
    marks = [f.sent for f in flows]
    changed = threading.Thread(target=change)
    changed.start()
    talk(lambda: not changed.is_alive())
    after = [f.sent for f in flows]
    talk(lambda: all(any(n >= m for n in f.got) for f, m in zip(flows, after)))
    talk(lambda: all(sum(n >= m for n in f.got) >= 2 for f, m in zip(flows, after)))
    settle()
    result = []
    for i, (flow, mark, now) in enumerate(zip(flows, marks, after)):
        who = {name for n, name in flow.got.items() if n >= now}
        same("servers of one flow", 1, len(who))
        result += who
        if not may_move(i):
            check(not flow.lost(mark), "flow", i, "has lost", flow.lost(mark), "of", flow.sent)
            same("who has answered all the while", who, {name for n, name in flow.got.items() if n >= mark})
    return result


def command(*words):
    out = subprocess.run([*heddle, "-j", *words], check=True, capture_output=True).stdout
    return json.loads(out)


def ids():
    return {r["via"]: r["id"] for r in command("router", "show", "r")["routes"] if r["prefix"] == route}


def remove(via):
    return lambda: command("router", "route-del", "r", str(ids()[via]))


def add(via, weight):
    return lambda: command("router", "route-add", "r", route, "--via", via, "--weight", str(weight))


one_cpu()
for server in SERVERS:
    serve(server)
flows = [Flow(20000 + i) for i in range(FLOWS)]
socks = {f.sock: f for f in flows}
threading.Thread(target=listen, daemon=True).start()
via = {name: ("2001:db8:2::3" if family == socket.AF_INET6 else "10.0.2.3") + name[1] for name in SERVERS}
at_first = shares(lambda: None, lambda i: True)
counts = {name: at_first.count(name) for name in SERVERS}
print("note:", address, counts)
for name, weight in SERVERS.items():
    part = FLOWS * weight / sum(SERVERS.values())
    check(0.6 * part < counts[name] < 1.4 * part, "shares by weight:", counts)
same("they stay", at_first, shares(lambda: None, lambda i: False))
for gone in ("h2", "h1"):
    now = shares(remove(via[gone]), lambda i: at_first[i] == gone)
    check(gone not in now, gone, "still answers")
    check(all(x == y for x, y in zip(at_first, now) if x != gone), "others have moved as well")
    check(all(name in now for name in SERVERS if name != gone), "one has got all")
    back = shares(add(via[gone], SERVERS[gone]), lambda i: at_first[i] == gone)
    same("all as before", at_first, back)
PY
py "$T/shares.py" "$N" 10.9.0.1 10.9.0.1/32 "$B/heddle" -i "$I"
py "$T/shares.py" "$N" 2001:db8:9::1 2001:db8:9::/64 "$B/heddle" -i "$I"
