#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Gratuitous ARP (RFC 5227 section 3): who is outside learns at once behind which MAC an address of a router is now, when it is new, has moved to another
# router, or its leg has come up; three times each, with the tag of its network, and nowhere else. A daemon that starts again has nothing to tell.
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

TAGGED=192.0.2.9
LATER=172.16.200.155

external
hd network add vlan --type vlan --id 123 --physical physnet1
hd subnet add vlan --network vlan --cidr 192.0.2.0/24 --gateway 192.0.2.1
for n in 27 28; do
	hd network add "net$n" --type local
	hd subnet add "demo$n" --network "net$n" --cidr "192.168.$n.0/24" --gateway "192.168.$n.1"
	hd router add "r$n"
	hd router attach "r$n" --subnet "demo$n"
done
workload net27 a --ip 192.168.27.2
workload net28 b --ip 192.168.28.2
hd router add tagged

# Who heard what: "outside 192.0.2.9 02:68:65:xx:xx:xx 123", a line for each announcement. All there is to one is looked at.
cat >"$T/listen.py" <<'PY'
from frames import *

wires = [Wire(f"{sys.argv[1]}-{name}") for name in ("outside", "a", "b")]

def take(wire, frame):
    tag = 0
    if frame[12:14] == b"\x81\x00":
        tag = struct.unpack("!H", frame[14:16])[0]
        frame = frame[:12] + frame[16:]
    if frame[12:14] != b"\x08\x06" or frame[28:32] != frame[38:42]:
        return
    mac, address = frame[6:12], frame[28:32]
    right = b"\xff" * 6 + mac + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + address + bytes(6) + address
    sort = "" if frame == right.ljust(60, b"\0") else " not as it should be: " + frame.hex()
    print(f"{wire} {socket.inet_ntoa(address)} {mac.hex(':')} {tag}{sort}", flush=True)

print("listening", flush=True)
gather(wires, 600, lambda: select.select([0], [], [], 0)[0], take) # until the test has ended
PY
coproc LISTEN { py "$T/listen.py" "$N" >"$T/heard"; }
listener=$LISTEN_PID end=${LISTEN[1]}
listening() { grep -q listening "$T/heard"; }
wait_for 10 listening

heard() { grep -c "^outside $1 .* ${2-0}$" "$T/heard" || true; } # heard ADDRESS [TAG]
heard_is() { [[ $(heard "$1" "${3-0}") == "$2" ]]; }             # heard_is ADDRESS TIMES [TAG]
heard_from() { [[ $(grep -c "^outside $1 $2 0$" "$T/heard") == "$3" ]]; }
stale() { ip -n "$N-outside" neigh replace "$1" lladdr 02:00:00:00:00:99 dev eth0 nud reachable; }
lladdr() { ip -n "$N-outside" -j neigh show "$1" | jq -r '.[0].lladdr'; }
mac_is() { [[ $(lladdr "$1") == "$2" ]]; }
asks_with() { sed -n "s/^outside $1 \([^ ]*\) .*/\1/p" "$T/heard" | head -1; }

# New addresses: of a gateway, and a floating IP.
stale $GATEWAY
stale $FLOATING
hd router gateway r27 --network ext --ip $GATEWAY
wait_for 1 heard_is $GATEWAY 1
first=$(asks_with $GATEWAY)
wait_for 1 mac_is $GATEWAY "$first"
[[ $first == 02:68:65:* ]] || fail "announced with $first"
hd floating-ip add $FLOATING --router r27 --port a
wait_for 1 mac_is $FLOATING "$first"

# One that moves to a router with another MAC.
hd router gateway r28 --network ext --ip 172.16.200.153
hd floating-ip del $FLOATING
hd floating-ip add $FLOATING --router r28 --port b
wait_for 1 heard_is 172.16.200.153 1
second=$(asks_with 172.16.200.153)
[[ $second != "$first" ]] || fail "both routers have $second"
wait_for 1 mac_is $FLOATING "$second"

# In a VLAN outside.
hd router gateway tagged --network vlan --ip $TAGGED
for address in $GATEWAY 172.16.200.153; do
	wait_for 10 heard_is "$address" 3
done
wait_for 10 heard_is $TAGGED 3 123
wait_for 10 heard_from $FLOATING "$second" 3

# What was there before is not new to a daemon that starts, however it ended; what comes then is.
counted() { grep -vc " $LATER " "$T/heard"; }
before=$(counted)
daemon_kill
daemon_start
hd floating-ip del $FLOATING
hd floating-ip add $LATER --router r28 --port b
wait_for 10 heard_is $LATER 3
same "after a restart" "$before" "$(counted)"

# The leg comes up.
ip -n "$N-host" link set eth1 down
down() { [[ $(hd -j uplink show eth1 | jq -r .state) == down ]]; }
wait_for 5 down
same "nothing while it is down" "$before" "$(counted)"
ip -n "$N-host" link set eth1 up
wait_for 10 heard_is $GATEWAY 6
wait_for 10 heard_is $TAGGED 6 123
wait_for 10 heard_is $LATER 6

same "inside, or not as it should be" "" "$(grep -v '^outside [0-9.]* [0-9a-f:]* [0-9]*$' "$T/heard" | grep -v listening || true)"
exec {end}>&-
wait "$listener"
