#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Address translation and the life of the daemon: killed, restarted and upgraded under load, translated and to a floating IP, no packet is lost, and no
# binding; another external address is used by new connections, and ends the old ones; when the gateway or the router goes nothing is left.
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

external
demo
inside a 2
inside b 3
inside c 4
hd floating-ip add $FLOATING --router r --port c
allow default --direction ingress
first a 172.16.0.1

# The bindings, by what they are; not when they were made.
bindings() {
	bpftool -j map dump pinned "$PINS/maps/hd_nat" | jq -c '.[] | [.key, .value[:10]]' | sort
}
users() {
	bpftool -j map dump pinned "$PINS/maps/hd_nat_users" | jq -c '.[] | [.key, .value]' | sort
}
left() {
	local table

	for table in hd_nat hd_nat_users hd_nat_pools hd_nat_heads; do
		[[ $(nat_rows $table) == 0 ]] || printf '%s ' $table
	done
}
programs() {
	bpf_objects | grep -c prog
}

first c 172.16.0.1
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$LIB/traffic.py" "$N-outside" "$N-c" $FLOATING "$T/flows-c" 1000 192.168.27.4 >"$T/traffic-c" 2>&1 &
to_c=$!
wait_for 15 test -e "$T/flows-c"
traffic_start a outside 172.16.0.1
before=$(bindings) had=$(users) count=$(programs)
old_programs_gone() { [[ $(programs) == "$count" ]]; }
same "bindings" "$(((3 + 1) * 2))" "$(wc -l <<<"$before")" # UDP, two of TCP, and the ping
daemon_kill
first b 172.16.0.1 # a new one needs no daemon
daemon_start
grep -q adopted "$T/heddled.log" || fail "the datapath was loaded anew"
daemon_stop
daemon_start
for size in 80000 90000; do
	printf 'table-sizes:\n  fdb: %s\n' $size >"$T/heddled.conf"
	daemon_kill
	daemon_start
	wait_for 5 old_programs_gone
done
traffic_stop
kill -TERM "$to_c"
wait "$to_c" || fail "to the floating IP: $(<"$T/traffic-c")"
sed 's/^note:/& floating IP:/' "$T/traffic-c"
hd floating-ip del $FLOATING
same "bindings" "$before" "$(bindings | grep -vxFf <(comm -13 <(printf '%s\n' "$before") <(bindings)))"
same "and one of b" "$((8 + 2))" "$(bindings | wc -l)"
same "ports of a" "$had" "$(users | grep -xF "$had")"

# Another address.
cat >"$T/moves.py" <<'PY'
from nat import *

near, far, peer = connected("a", "outside", OUTSIDE)
same("before", GATEWAY, peer[0])
client, server = make("a"), make("outside", socket.SOCK_DGRAM, OUTSIDE)
old = question(client, server)
print("ready", flush=True)
sys.stdin.readline()
try:
    near.sendall(b"still there?")
    check(not near.recv(1), "the old connection goes on")
except ConnectionResetError:
    pass
new = question(client, server)
same("after", "172.16.200.153", new[0])
answer(server, new, client)
server.sendto(b"late", old)
near, far, peer = connected("a", "outside", OUTSIDE)
same("after", "172.16.200.153", peer[0])
stream(near, far, 10000)
nothing_at(client)
PY
coproc MOVES { nat "$T/moves.py"; }
read -r ready <&"${MOVES[0]}"
same "connections" ready "$ready"
pid=$MOVES_PID
hd router gateway r --network ext --ip 172.16.200.153
first a 172.16.0.1
echo go >&"${MOVES[1]}"
wait "$pid" || fail "connections by another address"
of_old() {
	grep -o '"0xac","0x10","0xc8","0x97"' || true
}
same "bindings by the old address" "" "$(bindings | of_old)"
same "blocks of the old address" "" "$(users | of_old)"
same "pools" 1 "$(nat_rows hd_nat_pools)"

# Nothing is left.
hd router gateway r --none
same "without a gateway" "" "$(left)"
hd router gateway r --network ext --ip $GATEWAY
first a 172.16.0.1
first b 172.16.0.1
same "translated" "$GATEWAY" "$(seen a udp | cut -d' ' -f1)"
hd router gateway r --network ext --ip $GATEWAY --snat off
same "not translated" "" "$(left)"
hd router gateway r --network ext --ip $GATEWAY
first a 172.16.0.1
hd router gateway r --none
hd router detach r --subnet demo
hd router del r
same "without a router" "" "$(left)"
hd router add r
hd router attach r --subnet demo
hd router gateway r --network ext --ip $GATEWAY
first a 172.16.0.1
bpf_objects >"$T/objects"
hd purge
daemon_purged
wait_for 5 bpf_gone "$T/objects" # the kernel frees them when nobody can be in them any more
[[ ! -e $PINS ]] || fail "pins are left: $(ls "$PINS")"
