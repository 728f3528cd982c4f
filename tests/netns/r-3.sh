#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario R-3, and R-4 on the same network: a tenant network behind a router with an external address, translated on its way out; nothing gets in
# before there is a floating IP, and then what the security group allows. With --snat off it is routed as it is.
#
#   in (192.168.27.2) ── demo-net ── router r ── 172.16.200.151 ── ext (flat) ── eth1 ══ eth0 outside: 172.16.0.1
#
# shellcheck source-path=SCRIPTDIR source=../lib/routing.sh
. "$(dirname "$0")/../lib/routing.sh"

host
ns outside
veth eth1 outside eth0
ip -n "$N-outside" addr add 172.16.0.1/16 dev eth0
hd uplink add eth1 --physical physnet1
hd network add ext --type flat --physical physnet1
hd subnet add ext --network ext --cidr 172.16.0.0/16 --gateway 172.16.0.1
hd network add demo-net --type local
hd subnet add demo --network demo-net --cidr 192.168.27.0/24 --gateway 192.168.27.1
workload demo-net in --ip 192.168.27.2
workload demo-net other --ip 192.168.27.3 --no-security
hd router add r
hd router attach r --subnet demo
hd router gateway r --network ext --ip 172.16.200.151

# seen FROM PROTOCOL ADDRESS: the address and port by which the namespace outside sees a connection from inside
seen() {
	py "$LIB/seen.py" "$N-$1" "$N-outside" "$2" "${3-172.16.0.1}"
}

first in 172.16.0.1
pings in 192.168.27.1 172.16.200.151 172.16.0.1
pings other 172.16.0.1
same "TTL" "63 64" "$(ttl_of in 172.16.0.1) $(ttl_of in 172.16.200.151)"
same "traceroute" "192.168.27.1 172.16.0.1" "$(hops in 172.16.0.1)"
for protocol in tcp udp; do
	same "$protocol seen from outside" 172.16.200.151 "$(seen in $protocol | cut -d' ' -f1)"
done
pings outside 172.16.200.151
transfers in outside 172.16.0.1 60000
on outside ip route add 192.168.27.0/24 via 172.16.200.151
silent outside 192.168.27.2
silent outside 192.168.27.3
same "named" yes "$( (($(drops_of outside) > 3)) && echo yes)"
same "what is in use" "1" "$(on outside ip neigh show 172.16.200.151 | grep -c lladdr)"

# R-4: a floating IP.
hd floating-ip add 172.16.200.152 --router r --port in
silent outside 172.16.200.152
icmp=$(rule default --direction ingress --protocol icmp)
pings outside 172.16.200.152
on in socat -u TCP-LISTEN:22,fork,reuseaddr SYSTEM:'echo yes' 2>/dev/null &
rule default --direction ingress --protocol tcp --port 22 >/dev/null
reaches() {
	on outside timeout 2 bash -c "exec 3<>/dev/tcp/172.16.200.152/$1" 2>/dev/null
}
wait_for 5 reaches 22
! reaches 23 || fail "TCP 23 is open"
same "from inside" "172.16.200.152" "$(seen in tcp | cut -d' ' -f1)"
same "others from inside" "172.16.200.151" "$(seen other tcp | cut -d' ' -f1)"
hd security-group rule-del default "$icmp"
silent outside 172.16.200.152
rule default --direction ingress --protocol icmp >/dev/null
pings outside 172.16.200.152

# Its removal is in force on the next packet.
on outside ping -n -q -i 0.05 -c 1000 -w 30 172.16.200.152 >/dev/null &
hd floating-ip del 172.16.200.152
silent outside 172.16.200.152
same "from inside" "172.16.200.151" "$(seen in tcp | cut -d' ' -f1)"

# Without translation.
hd router gateway r --network ext --ip 172.16.200.151 --snat off
rule default --direction ingress >/dev/null
pings in 172.16.0.1
same "not translated" 192.168.27.2 "$(seen in tcp | cut -d' ' -f1)"
pings outside 192.168.27.2 192.168.27.3
same "checksums" "" "$(csum_errors in other outside)"
