#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario R-6, the part with masquerade, and L2-4's: a router goes out by an uplink that the host keeps, with the host's address, whichever that is; the host's
# own connections are not touched.
#
#   a (192.168.27.2) ── demo-net ── router r ══ host, eth1: 172.16.100.7 ══ eth0 outside: 172.16.0.1 ══ far: 198.51.100.2
#
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

HOST=172.16.100.7
host
ns outside
veth eth1 outside eth0
ip -n "$N-outside" addr add 172.16.0.1/16 dev eth0
ip -n "$N-host" addr add $HOST/16 dev eth1
ip -n "$N-host" route add default via 172.16.0.1
far 1500
hd uplink add eth1
hd network add demo-net --type local
hd subnet add demo --network demo-net --cidr 192.168.27.0/24 --gateway 192.168.27.1
hd router add r
hd router attach r --subnet demo
hd router gateway r --uplink eth1
inside a 2
inside b 3 --no-security
first a 172.16.0.1

# ---- out, and the answers ----

pings a 172.16.0.1 198.51.100.2
pings b 198.51.100.2
same "TTL" "63 62" "$(ttl_of a 172.16.0.1) $(ttl_of a 198.51.100.2)"
same "traceroute" "192.168.27.1 172.16.0.1 198.51.100.2" "$(hops a 198.51.100.2)"
for protocol in tcp udp; do
	same "$protocol seen from outside" $HOST "$(seen a $protocol 198.51.100.2 far | cut -d' ' -f1)"
done
transfers a far 198.51.100.2 10000000
on a ping -n -q -c 3 -i 0.05 -W 3 -s 4000 198.51.100.2 >/dev/null # in pieces, both ways
same "ports that the host does not use" "" "$(for _ in {1..20}; do seen a udp; done | awk '$2 >= 32768 && $2 < 61000')"
contains_all() { [[ $1 == *"$2"* ]] || fail "$3: no '$2' in: $1"; }
same "router show" "$HOST" "$(hd -j router show r | jq -r '.gateway.ip[]')"
contains_all "$(hd trace --port a 'tcp 192.168.27.2:40000 > 198.51.100.2:80 syn')" "its source is $HOST outside" trace
contains_all "$(hd trace --port a 'tcp 192.168.27.2:40000 > 198.51.100.2:80 syn')" "delivered to eth1" trace

# ---- the host ----

cat >"$T/host.py" <<'PY'
from nat import *

HOST, FAR = "172.16.100.7", "198.51.100.2"
far = make("far", socket.SOCK_DGRAM, FAR, 7000)
service = make("host", socket.SOCK_DGRAM, HOST, 1500)
# Its own connections, and its services, while workloads hold most ports below its own.
mine = make("host")
same("the host asks", HOST, question(mine, far)[0])
answer(far, mine.getsockname() if mine.getsockname()[0] != "0.0.0.0" else (HOST, mine.getsockname()[1]), mine)
held = [(make("a"), None) for _ in range(1500)]
held = [(end, question(end, far)) for end, _ in held]
ports = {peer[1] for _, peer in held}
same("endpoints", 1500, len(ports))
ports.discard(1500)  # which the host's service has; ports are handed out at random
for port in sorted(ports)[:3]:
    # Also what the host is told about what it has sent from there.
    there = make("host", socket.SOCK_DGRAM, HOST, port)
    there.connect((FAR, 9))
    there.send(b"?")
    refused(there, "the host's own")
    there.close()
for port in sorted(ports)[:200]:
    # What is asked from outside at a port that a workload has is the host's, unless it comes from who was asked.
    other = make("outside", socket.SOCK_DGRAM, OUTSIDE)
    there = make("host", socket.SOCK_DGRAM, HOST, port)
    same("a stranger", other.getsockname(), (other.sendto(b"x", (HOST, port)), there.recvfrom(10))[1][1])
    there.close()
    other.close()
for end, peer in held:
    answer(far, peer, end)
    nothing_at(service)
same("the host's service", b"hello", (far.sendto(b"hello", (HOST, 1500)), service.recv(10))[1])
near, there, peer = connected("host", "far", FAR)
stream(near, there, 1_000_000)
stream(there, near, 1_000_000)
PY
nat "$T/host.py"
silent outside 192.168.27.2
pings outside $HOST
pings a $HOST # the router has that address, too

# A tunnel packet with the host's address would be taken for the host's own, where it has tunnels.
hd uplink set eth1 --tunnel-ip $HOST
echo forged | on a socat -u - "UDP:172.16.0.1:4789"
dropped() { (($(drops_of tunnel-forged) >= 1)); }
wait_for 5 dropped
hd uplink set eth1 --unset tunnel-ip

# ---- from outside: a port forward ----

hd port-forward add web --router r --protocol tcp --listen 0.0.0.0:8080 --to 192.168.27.3:80
# shellcheck disable=SC2016
on b socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'echo b for $SOCAT_PEERADDR' &
on host socat TCP-LISTEN:8081,fork,reuseaddr SYSTEM:'echo host' &
listens() { [[ -n $(on "$1" ss -Hlt "sport = $2") ]]; }
wait_for 5 listens b 80
wait_for 5 listens host 8081
says() { on "$1" timeout $((3 * ${PATIENCE:-1})) bash -c "exec 3<>/dev/tcp/$2/$3 && cat <&3" 2>/dev/null || echo nothing; }
same "port forward" "b for 198.51.100.2" "$(says far $HOST 8080)"
same "hairpin" "b for $HOST" "$(says a $HOST 8080)"
same "the host's" "host" "$(says far $HOST 8081)"
# Named, it does not follow when the address changes (below).
hd port-forward add other --router r --protocol tcp --listen $HOST:8082 --to 192.168.27.3:80
same "port forward at the address" "b for 198.51.100.2" "$(says far $HOST 8082)"

# ---- the daemon goes, comes, and the address changes ----

traffic_start a far 198.51.100.2
daemon_kill
first b 198.51.100.2
daemon_start
traffic_stop
NEW=172.16.200.9
ip -n "$N-host" addr add $NEW/16 dev eth1
ip -n "$N-host" addr del $HOST/16 dev eth1
ip -n "$N-host" addr replace $NEW/16 dev eth1
ip -n "$N-host" route replace default via 172.16.0.1
follows() { [[ $(hd -j router show r | jq -r '.gateway.ip[]') == "$NEW" ]]; }
wait_for 5 follows
first a 198.51.100.2
same "seen from outside" $NEW "$(seen a tcp 198.51.100.2 far | cut -d' ' -f1)"
same "port forward" "b for 198.51.100.2" "$(says far $NEW 8080)"
same "port forward at an address that is gone" "[]" "$(hd -j port-forward show other | jq -c .reach)"
ip -n "$N-host" addr flush dev eth1
gone() { [[ -z $(hd -j router show r | jq -r '.gateway.ip[]') ]]; }
wait_for 5 gone
ip -n "$N-host" addr add $HOST/16 dev eth1
ip -n "$N-host" route replace default via 172.16.0.1
back() { [[ $(hd -j router show r | jq -r '.gateway.ip[]') == "$HOST" ]]; }
wait_for 5 back
pings a 198.51.100.2
same "checksums" "" "$(csum_errors a b outside far host)"

# ---- the end ----

refused_del() { hd uplink del eth1 2>"$T/err" && fail "a router's uplink is deleted"; contains_all "$(<"$T/err")" "router r" "refused"; }
refused_del
hd export >"$T/exported.yaml"
same "export and apply" "no changes" "$(hd apply -f "$T/exported.yaml")"
same "port forward at the address again" "b for 198.51.100.2" "$(says far $HOST 8082)"
hd port-forward del web
hd port-forward del other
hd router gateway r --none
silent a 172.16.0.1
same "nothing is left" "0 0" "$(nat_rows hd_nat) $(nat_rows hd_nat_pools)"
