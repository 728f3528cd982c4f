#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Neighbours that a router is not told of: it asks for them, follows them to another MAC and to nowhere, and says in "neighbour list" what it has
# learned; it is probed and stays reachable; who claims its own address or MAC is refused by name. With neighbour suppression and without.
# shellcheck source-path=SCRIPTDIR source=../lib/routing.sh
. "$(dirname "$0")/../lib/routing.sh"

host
for n in 1 2; do
	hd network add "net$n" --type local
done
subnets hd 1 2
hd router add r
attach hd r 1 2
hd security-group rule-add default --direction ingress >/dev/null
side hd 1 a

# A port of which nothing is configured: its addresses are the namespace's own business.
stranger() {
	ns6 "$1"
	veth "dev-$1" "$1" eth0
	hd port add "$1" --network net2 --device "dev-$1" "${@:3}"
	ip -n "$N-$1" addr add "10.0.2.$2/24" dev eth0
	ip -n "$N-$1" addr add "2001:db8:2::$2/64" dev eth0 nodad
	ip -n "$N-$1" route add default via 10.0.2.1
	ip -n "$N-$1" -6 route add default via 2001:db8:2::1
}

stranger s 9 --no-security
stranger t 8

# Questions and answers over sockets that stay the same: one line for each round.
cat >"$T/talk.py" <<'PY'
import sys
from frames import *

pairs = []
for address in sys.argv[3:]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with netns(sys.argv[2]):
        rx = socket.socket(family, socket.SOCK_DGRAM)
    rx.bind((address, 0))
    with netns(sys.argv[1]):
        tx = socket.socket(family, socket.SOCK_DGRAM)
    tx.connect(rx.getsockname())
    rx.settimeout(2 * patience())
    tx.settimeout(2 * patience())
    pairs.append((tx, rx))

def exchange(tx, rx):
    nonce = os.urandom(16)
    try:
        tx.send(nonce)
        data, peer = rx.recvfrom(100)
        rx.sendto(data, peer)
        return tx.recv(100) == nonce
    except (TimeoutError, OSError):
        return False

for _ in sys.stdin:
    print(*("ok" if exchange(*pair) else "lost" for pair in pairs), flush=True)
PY

# speak WHAT: nothing of the established flows is lost
speak() {
	local line=

	echo >&"${TALK[1]}"
	read -r -t 60 line <&"${TALK[0]}" || true
	same "$1" "ok ok" "$line"
}

# announce NAME ADDRESS [VLAN]: by ARP or neighbour discovery, to all, that its MAC has that address
announce() {
	py - "$N-$1" "$2" "${3-}" <<'PY'
import sys
from scapy.all import ARP, Dot1Q, Ether, ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
from frames import *

wire, address = Wire(sys.argv[1]), sys.argv[2]
frame = Ether(src=wire.mac, dst="33:33:00:00:00:01" if ":" in address else BROADCAST)
if sys.argv[3]:
    frame /= Dot1Q(vlan=int(sys.argv[3]))
if ":" in address:
    frame /= IPv6(src=address, dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt=address, R=0, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=wire.mac)
else:
    frame /= ARP(op=1, hwsrc=wire.mac, psrc=address, hwdst="00:00:00:00:00:00", pdst=address)
wire.send(bytes(frame))
PY
}

# neighbours [FILTER...]: what was learned, in one line
neighbours() {
	hd -j neighbour list "$@" | jq -r '[.[] | select(.kind == "learned" or .kind == "incomplete") |
		"\(.ip) \(.mac) \(.kind) \(.port) \(.router)"] | join(", ")'
}

# probed NAME ADDRESS: the router answers who asks it alone, with the MAC that it has
probed() {
	ip -n "$N-$1" neigh replace "$2" dev eth0 lladdr "$mac" nud probe
	wait_for 10 neigh_is "$1" "$2" REACHABLE
	same "$1's entry for $2" "$mac" "$(ip -n "$N-$1" -j neigh show "$2" dev eth0 | jq -r '.[0].lladdr')"
}

neigh_is() {
	[[ $(ip -n "$N-$1" -j neigh show "$2" dev eth0 | jq -r '.[0].state[0]') == "$3" ]]
}

# claims NAME REASON PORT PYTHON: what it sends is dropped for that reason, and the router is answered for as before
claims() {
	local before

	before=$(drops_of "$2" "$1")
	py - "$N-$1" "$mac" "$3" <<'PY'
import sys
from scapy.all import ARP, Ether, ICMP, ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IP, IPv6, Raw
from frames import *

wire, router = Wire(sys.argv[1]), sys.argv[2]
wire.send(bytes(eval(sys.argv[3])))
PY
	wait_for 5 eval "(( \$(drops_of $2 $1) > $before ))"
}

mac=$(hd -j router show r | jq -r .mac)

scenario() {
	# Who is there is found; who is not is named, and told of after three seconds.
	hd neighbour flush >/dev/null
	first a 10.0.2.9 2001:db8:2::9 10.0.2.8 2001:db8:2::8
	pings a 10.0.2.9 2001:db8:2::9 10.0.2.8 2001:db8:2::8
	same "learned, of s" "10.0.2.9 $(mac_of s eth0) learned s r, 2001:db8:2::9 $(mac_of s eth0) learned s r" "$(neighbours --port s)"
	{ on a ping -n -i 1 -w 7 10.0.2.99 || true; } >"$T/ping" 2>&1
	grep -q '^From 10.0.1.1 icmp_seq=[4-6] Destination Host Unreachable' "$T/ping" || fail "not told: $(<"$T/ping")"
	same "asked in vain" "10.0.2.99  incomplete  r" "$(hd -j neighbour list --network net2 | jq -r '.[] | select(.ip == "10.0.2.99") |
		"\(.ip) \(.mac) \(.kind) \(.port) \(.router)"')"
	same "when" true "$(hd -j neighbour show 10.0.2.99 --network net2 | jq '.asked < 60')"
	same "table in status" true "$(hd -j status | jq '.tables[] | select(.name == "router-neighbours") | .used >= 5 and .size >= .used')"
	same "flushed: a's in net1" 2 "$(hd -j neighbour flush --network net1 | jq .flushed)"
	(($(hd -j neighbour flush --network net2 | jq .flushed) >= 5)) || fail "flush left something: $(hd neighbour list)"
	same "after flush" "" "$(neighbours --network net2)"

	# It gets another MAC. What is under way follows as soon as it says so: to all, or by asking for anything.
	coproc TALK { py "$T/talk.py" "$N-a" "$N-s" 10.0.2.9 2001:db8:2::9; }
	first a 10.0.2.9 2001:db8:2::9
	speak "first"
	ip -n "$N-s" link set eth0 address "02:00:00:00:01:$1"
	announce s 10.0.2.9
	announce s 2001:db8:2::9
	same "learned, announced" "10.0.2.9 $(mac_of s eth0) learned s r, 2001:db8:2::9 $(mac_of s eth0) learned s r" "$(neighbours --port s)"
	speak "another MAC, announced"
	pings a 10.0.2.9 2001:db8:2::9
	ip -n "$N-s" link set eth0 address "02:00:00:00:02:$1"
	ip -n "$N-s" neigh flush dev eth0
	pings s 10.0.2.1 2001:db8:2::1
	speak "another MAC, asking for the router"
	same "learned, asking" "10.0.2.9 $(mac_of s eth0) learned s r, 2001:db8:2::9 $(mac_of s eth0) learned s r" "$(neighbours --port s)"

	# In a VLAN of the network there may be the same addresses: they are nobody's business here.
	announce v 10.0.2.9
	announce v 2001:db8:2::9
	{ on v ping -n -c 1 -W 1 10.0.2.1 || true; } >/dev/null
	speak "with the same address in a VLAN"

	# It goes away, and comes back; and its MAC is forgotten meanwhile.
	ip -n "$N-s" link set eth0 down
	wait_for 10 port_is s down
	silent a 10.0.2.9
	hd fdb flush >/dev/null
	ip -n "$N-s" link set eth0 up
	ip -n "$N-s" route replace default via 10.0.2.1
	ip -n "$N-s" addr replace 2001:db8:2::9/64 dev eth0 nodad
	ip -n "$N-s" -6 route replace default via 2001:db8:2::1
	wait_for 10 port_is s up
	first a 10.0.2.9 2001:db8:2::9
	speak "come back"
	talk=$TALK_PID # which bash forgets as soon as it has ended
	kill "$talk"
	wait "$talk" 2>/dev/null || true

	for name in a s t; do
		[[ $name == a ]] && n=1 || n=2
		probed "$name" "10.0.$n.1"
		probed "$name" "2001:db8:$n::1"
	done

	# With security it may not be said at all; without, who looks first finds that the address is taken.
	claims t gateway-claimed 'Ether(src=wire.mac, dst=BROADCAST) / ARP(op=1, hwsrc=wire.mac, psrc="10.0.2.1", pdst="10.0.2.1")'
	claims t gateway-claimed 'Ether(src=wire.mac, dst=router) / IP(src="10.0.2.1", dst="10.0.1.11") / ICMP()'
	claims t gateway-claimed 'Ether(src=wire.mac, dst=router) / IPv6(src="2001:db8:2::1", dst="2001:db8:1::11") / Raw(bytes(20))'
	claims t spoof-neighbour 'Ether(src=wire.mac, dst="33:33:00:00:00:01") / IPv6(src="fe80::1", dst="ff02::1", hlim=255) \
/ ICMPv6ND_NA(tgt="2001:db8:2::1", O=1) / ICMPv6NDOptDstLLAddr(lladdr=wire.mac)'
	for name in s t; do
		claims "$name" mac-static 'Ether(src=router, dst=BROADCAST) / ARP(op=1, hwsrc=router, psrc="10.0.2.9", pdst="10.0.2.9")'
	done
	ip -n "$N-s" addr add 2001:db8:2::1/64 dev eth0
	wait_for 10 duplicate_found
	ip -n "$N-s" addr del 2001:db8:2::1/64 dev eth0
	pings a 10.0.2.9 10.0.2.1 2001:db8:2::1
}

duplicate_found() {
	ip -n "$N-s" -j -6 addr show dev eth0 | jq -e '.[].addr_info[] | select(.local == "2001:db8:2::1" and .dadfailed)'
}

stranger v 9 --no-security --vlan-mode access --tag 10
scenario 01
hd network set net2 --neighbour-suppression on
scenario 02
