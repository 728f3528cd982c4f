#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenarios K-1 and K-2 across a router: kill -9, restart and an upgrade under numbered UDP and TCP lose nothing; a router that is removed under load
# stops it on the next packet; traces and flows name router, route and next hop; purge leaves nothing.
# shellcheck source-path=SCRIPTDIR source=../lib/routing.sh
. "$(dirname "$0")/../lib/routing.sh"

host
devices() { ip -n "$N-host" -o link | cut -d: -f2; }
before_devices=$(devices)
for n in 1 2 3; do
	hd network add "net$n" --type local
done
subnets hd 1 2 3
hd router add r
attach hd r 1 2 3
side hd 1 a
side hd 2 b
LAST=254 side hd 3 gate --no-security --mac 02:00:00:00:03:fe
hd security-group rule-add default --direction ingress >/dev/null
first a 10.0.2.11 2001:db8:2::11
via=$(hd -j router route-add r 10.9.0.0/16 --via 10.0.3.254 | jq .id)

# ---- traces, flows ----

hd trace --port a 'tcp 10.0.1.11:40000 > 10.0.2.11:80' >"$T/trace"
grep -q 'router r' "$T/trace" || fail "no router in: $(<"$T/trace")"
grep -q 'net2' "$T/trace" || fail "no network in: $(<"$T/trace")"
grep -qE 'next.hop.*port b' "$T/trace" || fail "no next hop in: $(<"$T/trace")"
trace() { hd -j trace --port a "$1" | jq -r '"\(.verdict) \(.to | join(",")) \(.reason)"'; }
same "trace" "delivered b " "$(trace 'udp 10.0.1.11:40000 > 10.0.2.11:80')"
same "trace, IPv6" "delivered b " "$(trace 'udp [2001:db8:1::11]:40000 > [2001:db8:2::11]:80')"
same "trace, no route" "dropped a no-route" "$(trace 'udp 10.0.1.11:40000 > 10.1.0.1:80')"
hd trace --port a 'udp 10.0.1.11:40000 > 10.9.0.1:80' >"$T/trace"
grep -qE "route $via .*router r|router r.*route $via" "$T/trace" || fail "no static route in: $(<"$T/trace")"
grep -qE 'next.hop.*port gate' "$T/trace" || fail "no next hop in: $(<"$T/trace")"

talks() {
	traffic_start a b 10.0.2.11
	hd flow list >"$T/flows-text"
	hd flow show >"$T/flows-text"
}

talks
flows() {
	hd -j flow list --protocol tcp --state established |
		jq -c '[.[] | [.router, .network, ."to-network", .client, .server, .rules]] | sort'
}
before=$(flows)
same "routed connections" '[2,"r","net1","net2"]' "$(jq -c '[length, .[0][0], .[0][1], .[0][2]]' <<<"$before")"
same "by network" "2 2 0" "$(for n in 1 2 3; do hd -j flow list --protocol tcp --state established --network "net$n" | jq length; done | paste -sd' ')"
learned() { hd -j neighbour list | jq -c '[.[] | select(.kind == "learned") | [.ip, .mac, .port]] | sort'; }
neighbours=$(learned)

# ---- kill -9, other sizes ----

for i in 1 2 3; do
	daemon_kill
	daemon_start
	same "flows after restart $i" "$before" "$(flows)"
	same "neighbours after restart $i" "$neighbours" "$(learned)"
done
for size in 70000 80000; do
	printf 'table-sizes:\n  %s: %s\n' routes $((size / 10)) router-neighbours $((size / 5)) flows $size new-flows $((size / 4)) \
		ports $((size / 10)) | awk 'NR == 1 || !/^table-sizes/' >"$T/heddled.conf"
	daemon_kill
	daemon_start
	same "size of routes" $((size / 10)) "$(hd -j status | jq '.tables[] | select(.name == "routes").size')"
	same "flows after an upgrade" "$before" "$(flows)"
	same "neighbours after an upgrade" "$neighbours" "$(learned)"
done
traffic_stop
pings a 10.0.2.11 2001:db8:2::11

# ---- flush ----

pings a 10.0.2.11
same "flushed in net3" 0 "$(hd -j flow flush --network net3 | jq .flushed)"
(($(hd -j flow flush --network net2 | jq .flushed) >= 1)) || fail "nothing was flushed in net2: $(hd flow list)"
same "left" 0 "$(hd -j flow list --network net1 | jq length)"
pings a 10.0.2.11

# ---- the router goes, under load ----

on a ping -n -q -i 0.002 -c 100000 10.0.2.11 >"$T/load" 2>&1 &
load=$!
received() { hd -j port show b | jq '.counters."tx-packets"'; }
more_than() { (($(received) > $1)); }
wait_for 10 more_than "$(($(received) + 200))"
hd router del r
at_end=$(received)
silent a 10.0.2.11
(($(received) <= at_end + 1)) || fail "b got $(($(received) - at_end)) packets after the router was gone"
hd router add r
attach hd r 1 2 3
first a 10.0.2.11
wait_for 10 more_than "$(($(received) + 200))"
kill -TERM "$load"
wait "$load" || true

# ---- nothing is left ----

bpf_objects >"$T/objects"
hd purge --yes
daemon_purged
wait_for 5 bpf_gone "$T/objects"
[[ ! -e $PINS ]] || fail "pins are left: $(find "$PINS")"
same "devices" "$before_devices" "$(devices)"
