#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What moves outside of a router: its next hop dies, another host takes over, it comes back, and gets another MAC; an external address goes from one router
# to another, a floating IP from one port to another. New traffic follows at once, old connections end, and nobody gets what was for another.
#
#   a, b, d (192.168.27.2-4) ── r: 172.16.200.151, b has 172.16.200.152 ┐             ┌ outside ┐
#   c (192.168.28.2) ────────── r2: 172.16.200.153 ─────────────────────┴── switch ───┴ spare ──┴ 198.51.100.2
#
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

FAR=198.51.100.2

# beyond NAME: a host on the network outside; all of them lead to FAR
beyond() {
	ns "$1"
	ip -n "$N-lan" link add "to-$1" type veth peer name eth0 netns "$N-$1"
	ip -n "$N-lan" link set "to-$1" master br0 up
	ip -n "$N-$1" addr add $FAR/32 dev lo
	on "$1" sysctl -qw net.ipv4.conf.eth0.arp_notify=1 # it says so when its MAC changes
	ip -n "$N-$1" link set eth0 up
	link_turns "$1" eth0 UP
}

host
ns lan
bridge lan
veth eth1 lan eth1
ip -n "$N-lan" link set eth1 master br0
beyond outside
beyond spare
ip -n "$N-outside" addr add 172.16.0.1/16 dev eth0
hd uplink add eth1 --physical physnet1
hd network add ext --type flat --physical physnet1 --ageing 2
hd subnet add ext --network ext --cidr 172.16.0.0/16 --gateway 172.16.0.1
demo
inside a 2
inside b 3
inside d 4
hd network add net28 --type local
hd subnet add four28 --network net28 --cidr 192.168.28.0/24 --gateway 192.168.28.1
hd router add r2
hd router attach r2 --subnet four28
hd router gateway r2 --network ext --ip 172.16.200.153
workload net28 c --ip 192.168.28.2
hd floating-ip add $FLOATING --router r --port b
allow default --direction ingress
first a 172.16.0.1
first c 172.16.0.1
pings d 172.16.0.1

# ---- the next hop ----

# Questions and answers by sockets that stay the same: a line in names the servers there are, a line out says who has answered a and b, if anyone.
cat >"$T/talk.py" <<'PY'
from nat import *

FAR = "198.51.100.2"
servers = {make(name, socket.SOCK_DGRAM, FAR, 7000): name for name in ("outside", "spare")}
clients = {make("a", socket.SOCK_DGRAM, "", 7001): GATEWAY, make("b", socket.SOCK_DGRAM, "", 7001): FLOATING}

def exchange(client, expected, first={}):
    data = os.urandom(40)
    client.sendto(data, (FAR, 7000))
    for server in select.select(list(servers), [], [], float(wait))[0]:
        got, peer = server.recvfrom(100)
        check(got == data, "something else has come")
        check(peer == first.setdefault(client, peer) and peer[0] == expected, f"seen as {peer}")
        server.sendto(got, peer)
        check(client.recv(100) == data, "the answer")
        return servers[server]
    return "lost"

for wait in sys.stdin:
    print(*(exchange(*pair) for pair in clients.items()), flush=True)
PY

# answers WHO WHAT [SECONDS]: who answers a and b; waits so long for it
answers() {
	local line=

	echo "${3-5}" >&"${TALK[1]}"
	read -r -t 60 line <&"${TALK[0]}" || true
	same "$2" "$1 $1" "$line"
}

# hop: what heddle knows of its next hop
hop() {
	hd -j neighbour show 172.16.0.1 --network ext | jq -r '"\(.kind) \(.mac) \(.port)"'
}

# told NAME: that there is no way
told() {
	{ on "$1" ping -n -c 1 -W 1 $FAR || true; } | grep -q '^From 192.168.27.1 .*Destination Host Unreachable'
}

coproc TALK { nat "$T/talk.py"; }
answers outside "before"
same "next hop" "learned $(mac_of outside eth0) eth1" "$(hop)"

# It dies. When it has not been heard for so long as the network remembers, it is asked for, and who wants to go there is told.
ip -n "$N-outside" link set eth0 down
wait_for 15 told a
wait_for 5 told b
answers lost "a dead next hop" 0.2
same "next hop" "incomplete  " "$(hop)"
(($(drops_of unresolved a) >= 2 && $(drops_of unresolved b) >= 2)) || fail "not named: $(hd drops)"

# follows NAME MAC: who has the address gets this MAC and says so; the next packet goes there, of what is under way as well
follows() {
	ip -n "$N-$1" link set eth0 address "$2"
	wait_for 5 hop_is "$2"
	answers "$1" "by $2"
}

hop_is() {
	[[ $(hop) == "learned $1 eth1" ]]
}

# Another host takes its address; it comes back; it gets another MAC.
ip -n "$N-spare" addr add 172.16.0.1/16 dev eth0
follows spare 02:00:00:00:02:01
ip -n "$N-spare" addr del 172.16.0.1/16 dev eth0
ip -n "$N-outside" link set eth0 up
link_turns outside eth0 UP
link_turns lan to-outside UP
follows outside 02:00:00:00:01:01
follows outside 02:00:00:00:01:02

# It does not say so, but asks who the router is.
on outside sysctl -qw net.ipv4.conf.eth0.arp_notify=0
ip -n "$N-outside" link set eth0 address 02:00:00:00:01:03
ip -n "$N-outside" neigh flush dev eth0
pings outside $GATEWAY
same "next hop" "learned 02:00:00:00:01:03 eth1" "$(hop)"
answers outside "another MAC, asking"
talk=$TALK_PID # which bash forgets as soon as it has ended
kill "$talk"
wait "$talk" 2>/dev/null || true

# ---- an address that moves ----

# It is said on standard input when.
cat >"$T/moved.py" <<'PY'
from numbered import Numbers

from nat import *

NEXT, FIP = "172.16.200.160", f"{PREFIX}-outside"

def wait_for_move(what):
    print(what, flush=True)
    sys.stdin.readline()

def ended(near):
    """A connection from inside is of no use any more: the other end does not know who that is now."""
    try:
        near.sendall(b"still there?")
        check(not near.recv(1), "the old connection goes on")
    except ConnectionResetError:
        pass

def asks(name, expected):
    client = make(name)
    peer = question(client, server)
    same(f"{name} seen outside", expected, peer[0])
    answer(server, peer, client)
    return client, peer

server = make("outside", socket.SOCK_DGRAM, OUTSIDE)

# The address of one router becomes another's.
old = {name: connected(name, "outside", OUTSIDE)[0] for name in "ac"}
silent, late = asks("a", GATEWAY)
other, gone = asks("c", "172.16.200.153")
wait_for_move("router")
for near in old.values():
    ended(near)
new = asks("a", NEXT)[0], asks("c", GATEWAY)[0]
for peer in (late, gone):
    server.sendto(b"late", peer)
for name, expected in (("a", NEXT), ("c", GATEWAY)):
    near, far, peer = connected(name, "outside", OUTSIDE)
    same(f"{name} seen outside", expected, peer[0])
    stream(near, far, 10000)
    stream(far, near, 10000)
nothing_at(silent, other, *new)

# A floating IP becomes another port's, under load.
class Receiver(Numbers):
    """Where the numbers go after the move."""
    def __init__(self, name):
        self.rx, self.got, self.ended = make(name, socket.SOCK_DGRAM, "", 5000), [], threading.Event()
        self.rx.settimeout(0.1)
        self.threads = [threading.Thread(target=self.receive, daemon=True)]
        self.threads[0].start()

to_d = Receiver("d")
with_b = connected("b", "outside", OUTSIDE)[0]
listener = make("b", socket.SOCK_STREAM, "", 5001)
listener.listen()
from_outside = make("outside", socket.SOCK_STREAM)
from_outside.connect((FLOATING, 5001))
held = listener.accept()[0]
silent, late = asks("b", FLOATING)
to_b = Receiver("b")
numbers = Numbers.__new__(Numbers)
numbers.rate, numbers.sent, numbers.ended = 1000, 0, threading.Event()
numbers.tx = make("outside")
numbers.tx.connect((FLOATING, 5000))
sender = threading.Thread(target=numbers.send, daemon=True)
sender.start()
while len(to_b.got) < 200:
    time.sleep(0.01)
check(not to_d.got, "d has got what was for b")
wait_for_move("floating IP")
mark = numbers.sent
while not to_d.got or to_d.got[-1] < mark + 200:
    time.sleep(0.01)
numbers.ended.set()
sender.join()
for end in (to_b, to_d):
    end.ended.set()
    end.threads[0].join()
at_b, at_d = to_b.got, to_d.got
check(at_b == list(range(len(at_b))), "b: lost, doubled or out of order")
check(at_d == list(range(at_d[0], numbers.sent)), "d: lost, doubled or out of order")
check(at_b[-1] <= mark and at_b[-1] < at_d[0], f"b up to {at_b[-1]}, d from {at_d[0]}, moved before {mark}")
print(f"note: floating IP moved: {numbers.sent} sent, {at_d[0] - at_b[-1] - 1} lost", file=sys.stderr)
ended(with_b)
from_outside.sendall(b"still there?")
asks("b", NEXT)
asks("d", FLOATING)
server.sendto(b"late", late)
near, far, peer = connected("d", "outside", OUTSIDE)
same("d seen outside", FLOATING, peer[0])
stream(near, far, 10000)
nothing_at(silent, held)
PY

coproc MOVED { nat "$T/moved.py"; }
moved=$MOVED_PID
# now WHAT: the program is ready for it
now() {
	local line=

	read -r -t 60 line <&"${MOVED[0]}" || true
	same "ready" "$1" "$line"
}

now router
hd router gateway r --network ext --ip 172.16.200.160
hd router gateway r2 --network ext --ip $GATEWAY
first a 172.16.0.1
first c 172.16.0.1
pings outside 172.16.200.160
echo >&"${MOVED[1]}"
now "floating IP"
hd floating-ip set $FLOATING --port d
echo >&"${MOVED[1]}"
wait "$moved" || fail "what was for somebody else"
same "where it leads" "192.168.27.4 d" "$(hd -j fip show $FLOATING | jq -r '"\(."fixed-ip") \(.port)"')"
(($(drops_of tcp-no-connection eth1) >= 1)) || fail "the old connection from outside is not named: $(hd drops)"

# ---- a router goes that has asked for the next hop of another ----

hd floating-ip del $FLOATING
hd neighbour flush --network ext >/dev/null
first a 172.16.0.1
first c 172.16.0.1
hd router gateway r --none
on outside sysctl -qw net.ipv4.conf.eth0.arp_notify=1
ip -n "$N-outside" link set eth0 address 02:00:00:00:01:04
pings c 172.16.0.1
