#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# IPv6 at the external gateway of a router: routed as it is, by a next hop that is known beforehand; the router answers for its own address; nothing begins from
# outside where --snat is on, and with off what the security groups allow.
#
#   a, b, c (2001:db8:27::2-4) ── r: 2001:db8:ff::151 ── outside (2001:db8:ff::1) ── MTU 1300 ── far (2001:db8:fa::2)
#
# shellcheck source-path=SCRIPTDIR source=../lib/nat6.sh
. "$(dirname "$0")/../lib/nat6.sh"

external6
tenant6 r net6 --ip $GATEWAY6
inside6 net6 a 2
inside6 net6 b 3 --no-security

# Nobody has sent anything yet: the router has asked for its next hop, and told the outside who it is.
wait_for 5 next_hop_is mac 6 "$(mac_of outside eth0)"
same "next hop" "$OUTSIDE6 ok" "$(next_hop ip 6) $(next_hop state 6)"
hd status >/dev/null
pings outside $GATEWAY6
same "TTL of the router" 64 "$(ttl_of outside $GATEWAY6)"
same "its neighbour" "$(ip -n "$N-outside" -j neigh show $GATEWAY6 | jq -r '.[0].lladdr' | cut -c1-8)" 02:68:65

# Outside routes the tenant's prefix to it.
ip -n "$N-outside" route add 2001:db8:27::/64 via $GATEWAY6
far6 1300
on a ping -n -c 2 $OUTSIDE6 >"$T/ping" || fail "the first packets are lost: $(<"$T/ping")"
pings a $OUTSIDE6 2001:db8:fa::2 $GATEWAY6 2001:db8:27::1
pings b $OUTSIDE6 2001:db8:fa::2
same "TTL" "63 64" "$(ttl_of a $OUTSIDE6) $(ttl_of a $GATEWAY6)"
for name in a b; do
	same "the way from $name" "2001:db8:27::1 $OUTSIDE6 2001:db8:fa::2" "$(hops $name 2001:db8:fa::2)"
	same "the way from $name, by ICMP" "2001:db8:27::1 $OUTSIDE6 2001:db8:fa::2" "$(hops $name 2001:db8:fa::2 -I)"
done
seen6() {
	py "$LIB/seen.py" "$N-$1" "$N-${3-outside}" "$2" "${4-$OUTSIDE6}"
}
for protocol in tcp udp; do
	same "$protocol seen from outside" 2001:db8:27::2 "$(seen6 a $protocol | cut -d' ' -f1)"
	same "$protocol seen from outside" 2001:db8:27::3 "$(seen6 b $protocol | cut -d' ' -f1)"
done

# Too big for what is beyond: told, and transfers adapt.
knows() {
	[[ $(ip -n "$N-$1" -6 route get "$2") == *" mtu $3"* ]]
}
! on a ping -n -q -M 'do' -s 1400 -c 1 -W 5 2001:db8:fa::2 >"$T/ping" || fail "1448 bytes through 1300"
wait_for 5 knows a 2001:db8:fa::2 1300
on a ping -n -q -M 'do' -s 1252 -c 1 -W 5 2001:db8:fa::2 >"$T/ping" || fail "1300 bytes do not get through: $(<"$T/ping")"
for name in a b; do
	ip -n "$N-$name" -6 route flush cache
	transfers $name far 2001:db8:fa::2 1000000
	on $name ping -n -q -c 2 -i 0.1 -s 4000 -W 5 $OUTSIDE6 >"$T/ping" || fail "$name: in pieces: $(<"$T/ping")"
done

# Nothing begins from outside, security or not; the router's own address is not the tenant's.
silent outside 2001:db8:27::3
silent far 2001:db8:27::2
(($(drops_of outside) >= 4)) || fail "not named: $(hd drops)"
! on far timeout 1 bash -c "exec 3<>/dev/tcp/2001:db8:27::3/22" 2>/dev/null || fail "TCP from outside"

# With --snat off it is routed in; groups decide. An established flow goes on either way.
bg a /usr/bin/python3 -S "$LIB/echo.py" -i 0.02 -c 2000 2001:db8:fa::2 >"$T/long"
long=$!
hd router gateway r --network ext --ip $GATEWAY6 --snat off
pings far 2001:db8:27::3
same "TTL" 62 "$(ttl_of far 2001:db8:27::3)"
same "the way in" "2001:db8:fa::1 $GATEWAY6 2001:db8:27::3" "$(hops far 2001:db8:27::3)"
silent far 2001:db8:27::2
allow default --direction ingress --ethertype ipv6 --protocol icmpv6
pings far 2001:db8:27::2
hd firewall add edge --router r
hd firewall rule-add edge --position 1 --action deny --from 2001:db8:fa::/64 --to 2001:db8:27::3/128 >/dev/null
hd firewall rule-add edge --position 2 --action allow >/dev/null
silent far 2001:db8:27::3
pings far 2001:db8:27::2
hd firewall del edge

# What began from outside ends with --snat on, whoever speaks next.
allow default --direction ingress --ethertype ipv6 --protocol udp --port 7001
cat >"$T/ends.py" <<'PY'
import subprocess
from frames import *

def udp(name, *address):
    with netns(name):
        end = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    end.bind(address)
    end.settimeout(5)
    return end

far, near, order = sys.argv[1], sys.argv[2], sys.argv[3:]
outer, inner = udp(far, "2001:db8:fa::2", 7002), udp(near, "2001:db8:27::2", 7001)
outer.sendto(b"hello", ("2001:db8:27::2", 7001))
data, peer = inner.recvfrom(100)
for _ in range(3):
    inner.sendto(b"answer", peer)
    same("answer", b"answer", outer.recv(100))
    outer.sendto(b"more", ("2001:db8:27::2", 7001))
    same("more", b"more", inner.recv(100))
subprocess.run(order, check=True)
inner.sendto(b"still there?", peer)
outer.settimeout(0.5)
try:
    check(False, f"{outer.recv(100)} after the gate was shut")
except TimeoutError:
    pass
PY
before=$(drops_of outside)
py "$T/ends.py" "$N-far" "$N-a" "$B/heddle" -i "$I" router gateway r --network ext --ip $GATEWAY6
(($(drops_of outside) > before)) || fail "not named: $(hd drops)"
silent far 2001:db8:27::3
kill -INT "$long"
wait "$long" || fail "an established flow suffers: $(<"$T/long")"

# The daemon may die; a next hop that is gone is told of.
daemon_kill
pings a 2001:db8:fa::2
pings outside $GATEWAY6
daemon_start
hd subnet set ext6 --gateway 2001:db8:ff::99
wait_for 15 next_hop_is state 6 silent
hd status >"$T/status" && fail "status is ok"
grep -q 'router r: its next hop 2001:db8:ff::99 in network ext does not answer' "$T/status" || fail "$(<"$T/status")"
hd subnet set ext6 --gateway $OUTSIDE6
wait_for 5 next_hop_is state 6 ok

# Beside IPv4, which is translated; each family by its own address.
ip -n "$N-outside" addr add 172.16.0.1/16 dev eth0
hd subnet add ext4 --network ext --cidr 172.16.0.0/16 --gateway 172.16.0.1 --pool 172.16.200.151-172.16.200.180
hd subnet add four --network net6 --cidr 192.168.27.0/24 --gateway 192.168.27.1
hd router attach r --subnet four
hd port set b --ip 2001:db8:27::3/64 --ip 192.168.27.3/24
hd router gateway r --network ext --ip 172.16.200.151 --ip $GATEWAY6
wait_for 5 next_hop_is state 4 ok
wait_for 5 next_hop_is state 6 ok
same "both" '["172.16.200.151","'$GATEWAY6'"]' "$(hd -j router show r | jq -c .gateway.ip)"
pings b 172.16.0.1 $OUTSIDE6
same "IPv4 is translated" 172.16.200.151 "$(seen6 b tcp outside 172.16.0.1 | cut -d' ' -f1)"
same "IPv6 is not" 2001:db8:27::3 "$(seen6 b tcp | cut -d' ' -f1)"
hd router gateway r --network ext --ip 172.16.200.151
silent b $OUTSIDE6
pings b 172.16.0.1
same "checksums" "" "$(csum_errors a b outside far)"
