#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# ICMP through address translation: queries with the same id, traceroute, path MTU, and errors in both directions, whose quotes are translated as well.
#
#   a, b, c (192.168.27.2-4) ── r: 172.16.200.151, b has 172.16.200.152 ── outside (172.16.0.1) ── MTU 1300 ── far (198.51.100.2)
#
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

external
demo
inside a 2
inside b 3
inside c 4 --no-security
far 1300
hd floating-ip add $FLOATING --router r --port b
first a 198.51.100.2
first b 198.51.100.2

# Queries with the same id, at once.
pids=()
for name in a b c; do
	bg $name /usr/bin/python3 -S "$LIB/echo.py" -e 77 -c 5 -i 0.02 198.51.100.2 >"$T/ping-$name"
	pids+=($!)
done
for pid in "${pids[@]}"; do
	wait "$pid" || fail "with the same id: $(cat "$T"/ping-?)"
done

# The way, from inside and to a floating IP.
allow default --direction ingress --protocol udp
allow default --direction ingress --protocol icmp
for name in a b; do
	same "the way from $name" "192.168.27.1 172.16.0.1 198.51.100.2" "$(hops $name 198.51.100.2)"
	same "the way from $name, by ICMP" "192.168.27.1 172.16.0.1 198.51.100.2" "$(hops $name 198.51.100.2 -I)"
done
same "the way to a floating IP" "198.51.100.1 $GATEWAY $FLOATING" "$(hops far $FLOATING)"

# knows NAME ADDRESS MTU: what its kernel has learned about the way
knows() {
	[[ $(ip -n "$N-$1" route get "$2") == *" mtu $3"* ]]
}
for name in a b; do
	! on $name ping -n -q -M 'do' -s 1400 -c 1 -W 5 198.51.100.2 >"$T/ping" || fail "1428 bytes through 1300"
	wait_for 5 knows $name 198.51.100.2 1300
	on $name ping -n -q -M 'do' -s 1272 -c 1 -W 5 198.51.100.2 >"$T/ping" || fail "1300 bytes do not get through: $(<"$T/ping")"
	ip -n "$N-$name" route flush cache
	transfers $name far 198.51.100.2 1000000
done
# Answers that are too large, on a connection from outside; and what is too large inside.
allow default --direction ingress --protocol tcp
cat >"$T/both.py" <<'PY'
from nat import *

near, there, peer = connected("far", "b", FLOATING)
same("seen inside", "198.51.100.2", peer[0])
stream(near, there, 1000000)
stream(there, near, 1000000)
PY
ip -n "$N-b" route flush cache
nat "$T/both.py"
wait_for 5 knows b 198.51.100.2 1300
hd port set b --mtu 1280
! on far ping -n -q -M 'do' -s 1260 -c 1 -W 5 $FLOATING >"$T/ping" || fail "1288 bytes into 1280"
wait_for 5 knows far $FLOATING 1280
nat "$T/both.py"

# Errors about what has no receiver, seen by both.
cat >"$T/errors.py" <<'PY'
from scapy.all import ICMP, IP, UDP, Ether, IPerror, UDPerror

from nat import *

FAR = "198.51.100.2"
far_wire = Wire(f"{PREFIX}-far")

def error_at_far(size):
    """The next ICMP error on the wire to far, whole: addresses and checksums of both headers are what they should be."""
    seen = []
    gather([far_wire], 10, lambda: seen, lambda w, frame: seen.append(Ether(frame)) if frame[23] == 1 and frame[34] == 3 else None)
    check(seen, "no error")
    error = seen[0]
    for layer in (IP, ICMP, IPerror):
        again = error[layer].copy()
        was = again.chksum
        if layer == IPerror:
            again = IP(bytes(again)[:20])
        del again.chksum
        got = type(again)(bytes(again)).chksum
        check(was == got, f"{layer.__name__}: checksum {was:#x} instead of {got:#x}")
    return error

# From outside: nobody listens at far.
for name in ("a", "b", "c"):
    client = make(name)
    client.connect((FAR, 9))
    client.send(b"hello")
    refused(client, f"{name} to far")

# From inside: to a floating IP, and to an endpoint whose socket has gone.
client = make("far")
client.connect((FLOATING, 9))
client.send(bytes(100))
error = error_at_far(100)
same("outer addresses", (FLOATING, FAR), (error[IP].src, error[IP].dst))
same("quoted addresses", (FAR, FLOATING), (error[IPerror].src, error[IPerror].dst))
same("quoted ports", (client.getsockname()[1], 9), (error[UDPerror].sport, error[UDPerror].dport))
refused(client, "far to a floating IP")

for name, outside in (("a", GATEWAY), ("c", GATEWAY)):
    server = make("far", socket.SOCK_DGRAM, FAR)
    gone = make(name)
    peer = question(gone, server)
    gone.close()
    server.connect(peer)
    server.send(bytes(100))
    error = error_at_far(100)
    same("outer addresses", (outside, FAR), (error[IP].src, error[IP].dst))
    same("quoted addresses", (FAR, outside), (error[IPerror].src, error[IPerror].dst))
    same("quoted ports", (server.getsockname()[1], peer[1]), (error[UDPerror].sport, error[UDPerror].dport))
    refused(server, f"far to what was {name}'s")
PY
nat "$T/errors.py"
same "checksums" "" "$(csum_errors a b c outside far)"
