#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# VLAN and flat networks over two hosts: all sizes, both families, TCP unchanged, on a wire that carries super-packets and on one that carries
# what a network card would; security groups at both ends; local ids that have nothing to do with tags; tunnels beside them on the same wire;
# and a workload that says it is the host's tunnel.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

hosts one two
wire one two
at two network add first --type local # so that ids differ
for host in one two; do
	at "$host" uplink add wire --physical phys --tunnel-ip "192.0.2.$([[ $host == one ]] && echo 1 || echo 2)"
	at "$host" network add red --type vlan --physical phys --id 123
	at "$host" network add green --type vlan --physical phys --id 4094
	at "$host" network add flat --type flat --physical phys
	at "$host" network add blue --type vxlan --id 123
done
at one peer add two --tunnel-ip 192.0.2.2
at two peer add one --tunnel-ip 192.0.2.1
wait_for 5 peer_is one two up
wait_for 5 peer_is two one up

# The same addresses in each network: they don't meet.
for net in red green flat blue; do
	joined one $net "$net-a" 1 --no-security
	joined two $net "$net-b" 2 --no-security
done

csum_errors() {
	local name

	for name in red-a red-b flat-a flat-b one two; do
		on "$name" nstat -asz TcpInCsumErrors UdpInCsumErrors IcmpInCsumErrors Udp6InCsumErrors |
			awk 'NR > 1 { sum += $2 } END { print sum + 0 }'
	done | paste -sd+ | bc
}

sent() { at one -j network show red | jq -r '.leg.counters | "\(."tx-packets") \(."tx-bytes")"'; }

for kind in veth card; do
	echo "wire: $kind"
	[[ $kind == veth ]] || plain_wire one two
	for net in red flat; do
		for to in 10.0.20. 2001:db8::; do
			pings_sized $net-a "${to}2"
			py "$LIB/transfer.py" "$N-$net-a" "$N-$net-b" "${to}2" 60000
			py "$LIB/transfer.py" "$N-$net-b" "$N-$net-a" "${to}1" 60000
		done
	done
	read -ra before <<<"$(sent)"
	py "$LIB/transfer.py" "$N-red-a" "$N-red-b" 10.0.20.2 20000000
	read -ra after <<<"$(sent)"
	mean=$(((after[1] - before[1]) / (after[0] - before[0])))
	((mean > 3000)) || fail "TCP is cut before it leaves: $mean bytes a packet"
	pings green-a 10.0.20.2
	pings blue-a 10.0.20.2
	pings one 192.0.2.2
done
same "checksum errors" 0 "$(csum_errors)"
same "MTUs" "1500 1500 1450" "$(for w in red-a flat-b blue-a; do ip -n "$N-$w" -j link show eth0 | jq '.[0].mtu'; done | paste -sd' ')"

echo "each host sees only its own network's MACs"
same "learned behind the uplink" "blue two
flat wire
green wire
red wire" "$(at one -j fdb | jq -r '.[] | select(.mac == "02:00:00:00:00:02") | "\(.network) \(.port)"' | sort)"
on red-a ping -n -q -c 1 -W 1 10.0.20.9 >/dev/null && fail "somebody answers for nobody"

echo "VLAN offload off"
for host in one two; do on $host ethtool -K wire rxvlan off txvlan off >/dev/null; done
pings red-a 10.0.20.2
py "$LIB/transfer.py" "$N-red-a" "$N-red-b" 10.0.20.2 60000

echo "an internal port: what comes in for it is judged once, as the answer to what it sent"
at two port add inner --network green --internal --ip 10.0.20.4/24
pings two 10.0.20.1
silent green-a 10.0.20.4
at two port del inner

echo "a port with security"
joined two red secure 3
pings secure 10.0.20.1
silent red-a 10.0.20.3
at two security-group rule-add default --direction ingress --protocol icmp >/dev/null
pings red-a 10.0.20.3
(($(drops_at two group-ingress secure) > 0)) || fail "nothing was denied: $(at two -j drops | jq -c .)"

echo "a workload that says it is the host's tunnel"
received() { on blue-b nstat -asz UdpNoPorts | awk 'NR > 1 { print $2 }'; }
seen=$(received)
py - "$N-flat-a" "$(mac_of two wire)" <<'PY'
import sys
from scapy.all import ARP, IP, UDP, Ether, Raw, raw
from frames import *

wire = Wire(sys.argv[1])
inner = raw(Ether(dst=BROADCAST, src="02:00:00:00:00:66") / IP(dst="10.0.20.2") / UDP(dport=9))
for src in ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.77"):
    wire.send(raw(Ether(dst=sys.argv[2], src="02:00:00:00:00:01") / IP(src=src, dst="192.0.2.2") /
                  UDP(sport=50000, dport=4789, chksum=0) / Raw(b"\x08\0\0\0\0\0\x7b\0" + inner)))
PY
forged() { (($(drops_at one tunnel-forged) == 3)); }
wait_for 5 forged
stranger() { (($(drops_at two tunnel-source) == 1)); }
wait_for 5 stranger # the one that says it is somebody else got there
same "packets that got in" "$seen" "$(received)"

echo "kill -9 of a daemon"
traffic_start red-a red-b 10.0.20.2
kill -KILL "${DAEMONS[one]}"
wait "${DAEMONS[one]}" 2>/dev/null || true
pings green-b 10.0.20.1
host_start one
wait_for 30 at one network list
pings flat-b 10.0.20.1
traffic_stop
