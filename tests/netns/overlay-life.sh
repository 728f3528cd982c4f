#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Promises R1, R2 over a tunnel: kill -9 and restart of the daemons under traffic lose nothing. The idle tunnel device lets nothing into the
# host. Purge leaves nothing, and the host's own traffic never notices any of it.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

devices() { ip -n "$N-one" -o link | sed 's/^[0-9]*: //; s/[:@].*//' | sort | paste -sd' '; }

hosts one two
wire one two
before=$(devices)
for host in one two; do
	at "$host" network add blue --type vxlan --id 10
done
at one uplink add wire --tunnel-ip 192.0.2.1
at two uplink add wire --tunnel-ip 192.0.2.2
at one peer add two --tunnel-ip 192.0.2.2
at two peer add one --tunnel-ip 192.0.2.1
wait_for 5 peer_is one two up
wait_for 5 peer_is two one up
joined one blue a 1 --no-security
joined two blue b 2
at two security-group rule-add default --direction ingress >/dev/null

echo_from one -i 0.02 -c 400 192.0.2.2 >"$T/own" 2>&1 &
own=$!
traffic_start a b 10.0.20.2
for _ in 1 2; do
	for host in one two; do
		kill -KILL "${DAEMONS[$host]}"
		wait "${DAEMONS[$host]}" 2>/dev/null || true
	done
	for host in one two; do
		host_start "$host"
	done
	for host in one two; do
		wait_for 30 at "$host" network list
		same "peer" up "$(at "$host" -j peer list | jq -r .[0].state)"
	done
done
traffic_stop

# The tunnel device that is there for its socket: what comes out of it, sent to another address of the host, ends there.
socket=$(ip -n "$N-one" -o link show type vxlan | sed 's/^[0-9]*: //; s/[:@].*//')
ip -n "$N-one" addr add 192.0.2.77/24 dev wire
ip -n "$N-one" addr add 203.0.113.1/24 dev "$socket"
py - "$N-two" <<'PY'
import socket
import sys
from scapy.all import ICMP, IP, Ether, raw
from frames import netns

inner = Ether(dst="ff:ff:ff:ff:ff:ff", src="02:00:00:00:00:66") / IP(src="203.0.113.9", dst="203.0.113.1") / ICMP()
with netns(sys.argv[1]):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(5):
    sock.sendto(b"\x08\0\0\0\0\0\x0a\0" + raw(inner), ("192.0.2.77", 4789))
PY
ended() { (($(drops_at one no-port) >= 5)); }
wait_for 5 ended
same "echo requests" 0 "$(on one nstat -asz IcmpInEchos | awk 'NR > 1 { print $2 }')"

for host in one two; do
	at "$host" purge
	wait "${DAEMONS[$host]}" || fail "heddled: exit status $?"
done
same "devices" "$before" "$(devices)"
[[ ! -e $PINS-one ]] || fail "pins are left: $(ls "$PINS-one")"
same "programs on the wire" "" "$(on one bpftool net show dev wire | grep -E 'tcx|clsact|xdp/' || true)"
wait "$own" || fail "the host's own pings: $(<"$T/own")"
