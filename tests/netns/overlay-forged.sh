#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A workload that sends VXLAN to a peer's address by way of the host does not get into a network there, also with the host's address
# as its source; the host and other traffic of the workload are not concerned.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

hosts one two
wire one two
for host in one two; do
	at "$host" network add blue --type vxlan --id 10
done
at one uplink add wire --tunnel-ip 192.0.2.1
at two uplink add wire --tunnel-ip 192.0.2.2
at one peer add two --tunnel-ip 192.0.2.2
at two peer add one --tunnel-ip 192.0.2.1
joined two blue b 2 --no-security
at one network add local --type local
joined one local w 5 --no-security
at one port add leg --network local --internal --ip 10.0.20.254/24 --no-security
ip -n "$N-w" route add default via 10.0.20.254
on one sysctl -qw net.ipv4.ip_forward=1
on one nft -f - <<'NFT'
table ip nat {
	chain post {
		type nat hook postrouting priority srcnat
		oifname "wire" masquerade
	}
}
NFT
wait_for 5 peer_is two one up
pings w 192.0.2.2

received() { at two -j peer show one | jq '.counters["rx-packets"]'; }
before=$(received)
py - "$N-w" <<'PY'
import socket
import sys
from scapy.all import IP, UDP, Ether, raw
from frames import netns

inner = Ether(dst="ff:ff:ff:ff:ff:ff", src="02:00:00:00:00:66") / IP(dst="10.0.20.2") / UDP(dport=9)
with netns(sys.argv[1]):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(5):
    sock.sendto(b"\x08\0\0\0\0\0\x0a\0" + raw(inner), ("192.0.2.2", 4789))
PY
forged() { (($(drops_at one tunnel-forged wire) == 5)); }
wait_for 5 forged
same "packets from one" "$before" "$(received)"
pings w 192.0.2.2
on one ping -n -q -c 1 -W 2 192.0.2.2 >/dev/null
