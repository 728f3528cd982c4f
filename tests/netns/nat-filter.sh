#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Who outside may begin something with an outside endpoint of an inside one (RFC 4787 section 5, RFC 5382 REQ-2 to 4): those whose address it has asked, unless the
# gateway says everybody, or nobody. The group of the workload decides as about anything else from outside. Kernel's sockets at both ends.
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

external
demo
inside a 2
inside b 3
inside c 4 --no-security
for name in a b c; do
	first $name 172.16.0.1 172.16.0.9
done

way() { hd router gateway r --network ext --ip $GATEWAY "$@"; }
shown() { hd -j router show r | jq -r '.gateway."nat-filter"'; }

refused 6 'nat-filter' way --nat-filter port
refused 6 'nat-filter needs snat' way --snat off --nat-filter endpoint
refused 6 'nat-filter needs network' hd router gateway r --uplink eth1 --nat-filter endpoint
same "the default" address "$(shown)"

# gets NAME FILTER: who gets in by an endpoint that has asked 172.16.0.1:7000, of those who have not been asked: the same address, another one
cat >"$T/gets.py" <<'PY'
from nat import *

name = sys.argv[4]
asked, other = make("outside", socket.SOCK_DGRAM, OUTSIDE, 7000), make("outside", socket.SOCK_DGRAM, OUTSIDE, 7001)
there = make("outside", socket.SOCK_DGRAM, "172.16.0.9", 7000)
client = make(name)
peer = question(client, asked)
other.sendto(b"address", peer)
there.sendto(b"anybody", peer)
asked.sendto(b"end", peer)
got = {}
while (seen := client.recvfrom(100))[0] != b"end":
    got[seen[0].decode()] = seen[1]
# Who got in is answered, as who was asked.
for kind, source in got.items():
    stranger = {"address": other, "anybody": there}[kind]
    same("source", stranger.getsockname(), source)
    same("seen by", peer, question(client, stranger))
    answer(stranger, peer, client)
print(" ".join(sorted(got)) or "nobody")
PY
gets() { nat "$T/gets.py" "$1"; }

same "by address" address "$(gets c)"
before=$(drops_of group-ingress)
same "the group lets nobody in" nobody "$(gets a)"
same "counted at its port" 1 "$(($(drops_of group-ingress) - before))"
rule default --direction ingress --protocol udp --remote 172.16.0.0/16 >/dev/null
same "the group lets UDP in" address "$(gets a)"
way --nat-filter address-and-port
same "shown" address-and-port "$(shown)"
same "by address and port" "nobody nobody" "$(gets a) $(gets c)"
way --nat-filter endpoint
hd export >"$T/heddle.yaml"
grep -q 'nat-filter: endpoint' "$T/heddle.yaml" || fail "not exported: $(cat "$T/heddle.yaml")"
same "by endpoint" "address anybody" "$(gets a)"
trace=$(hd trace --port c "udp 192.168.27.4:5000 > 172.16.0.1:7000")
[[ $trace == *"its source is $GATEWAY outside"* ]] || fail "trace: $trace"

# TCP. An endpoint that is in use, its peer, and who else gets in by it; a listener has the same port inside.
cat >"$T/tcp.py" <<'PY'
from nat import *

name, who = sys.argv[4], sys.argv[5]

def shared(place, address="", port=0):
    with netns(f"{PREFIX}-{place}"):
        end = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    end.bind((address, port))
    end.settimeout(10)
    return end

server = shared("outside", OUTSIDE)
server.listen()
near = shared(name)
port = near.getsockname()[1]
near.connect(server.getsockname())
far, peer = server.accept()
listener = shared(name, "", port)
listener.listen()
listener.settimeout(0.2)

# One SYN that is not let in gets no answer for longer than its first repetition takes (RFC 5382 REQ-4).
for kind, address in (("address", OUTSIDE), ("anybody", "172.16.0.9")):
    stranger = shared("outside", address)
    if kind in who.split(","):
        stranger.connect(peer)
        inner, seen = listener.accept()
        same("its source", stranger.getsockname(), seen)
        stream(stranger, inner, 100000)
        stream(inner, stranger, 100000)
        continue
    stranger.settimeout(1.5)
    try:
        stranger.connect(peer)
        check(False, f"{kind}: {address} gets in")
    except TimeoutError:
        pass
stream(near, far, 10000)

# Simultaneous open (RFC 5382 REQ-2): the one outside begins first, in vain if it is not let in; then the one inside, with the same two endpoints.
listener.close()
other = shared("outside", "172.16.0.9")
other.setblocking(False)
if who == "nobody":
    try:
        other.connect(peer)
    except BlockingIOError:
        pass
    again = shared(name, "", port)
    again.connect(other.getsockname())
    other.settimeout(10)
    stream(again, other, 10000)
    stream(other, again, 10000)
PY
way --nat-filter address-and-port
nat "$T/tcp.py" c nobody
way
nat "$T/tcp.py" c address
way --nat-filter endpoint
nat "$T/tcp.py" c address,anybody

# What came in by the filter is over with the next packet when the filter says so, in whichever direction that goes; what began inside goes on.
cat >"$T/stricter.py" <<'PY'
import subprocess

from nat import *

asked, there = make("outside", socket.SOCK_DGRAM, OUTSIDE, 7000), make("outside", socket.SOCK_DGRAM, "172.16.0.9", 7000)
later = make("outside", socket.SOCK_DGRAM, "172.16.0.9", 7001)
client = make("c")
peer = question(client, asked)
for stranger in (there, later):
    stranger.sendto(b"in", peer)
    same("let in", b"in", client.recvfrom(100)[0])
    same("answered as", peer, question(client, stranger))
subprocess.run(sys.argv[4:], check=True)
there.sendto(b"still?", peer)
client.sendto(b"still?", later.getsockname())
answer(asked, peer, client)
same("goes on", peer, question(client, asked))
nothing_at(client, later)
# Asked by the one inside, it is a connection of its own.
same("asked", peer, question(client, later))
answer(later, peer, client)
PY
before=$(drops_of outside)
nat "$T/stricter.py" "$B/heddle" -i "$I" router gateway r --network ext --ip $GATEWAY --nat-filter address-and-port
same "named" 2 "$(($(drops_of outside) - before))"
