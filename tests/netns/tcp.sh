#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# 100 MB over TCP arrive unchanged with the devices' default offloads, and no checksum is wrong anywhere.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

BAD='TcpInCsumErrors|UdpInCsumErrors|Icmp.*InCsumErrors|IpInHdrErrors|TcpInErrs|UdpInErrors'

checksums_fine() {
	local name errors

	for name; do
		errors=$(on "$name" nstat -asz | awk -v bad="^($BAD)\$" '$1 ~ bad && $2 > 0 { print $1, $2 }')
		[[ -z $errors ]] || fail "$name: $errors"
	done
}

both_ways() {
	py "$LIB/transfer.py" "$N-$1" "$N-$3" "$4" 100000000
	py "$LIB/transfer.py" "$N-$3" "$N-$1" "$2" 100000000
	checksums_fine "$1" "$3" host
}

host
hd network add blue --type local

# Ports that heddle made.
workload blue a --ip 10.0.20.1/24
workload blue b --ip 10.0.20.2/24
both_ways a 10.0.20.1 b 10.0.20.2

# Devices that were there, with the far end in a namespace, or in the host's own.
ns c
veth dev0 c eth0
veth dev1 host far1
hd port add c --network blue --device dev0
hd port add d --network blue --device dev1
ip -n "$N-c" addr add 10.0.20.3/24 dev eth0
ip -n "$N-host" addr add 10.0.20.4/24 dev far1
offloads=$(on c ethtool -k eth0; on host ethtool -k dev0; on host ethtool -k far1)
both_ways a 10.0.20.1 c 10.0.20.3
both_ways c 10.0.20.3 host 10.0.20.4
same "offloads" "$offloads" "$(on c ethtool -k eth0; on host ethtool -k dev0; on host ethtool -k far1)"

# UDP: datagrams with checksums that the sender leaves to the device; lengths odd and even, up to the MTU and in fragments.
py - "$N-a" "$N-c" 10.0.20.3 <<'PY'
import sys
from frames import *

with netns(sys.argv[2]):
    rx = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
rx.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
rx.bind((sys.argv[3], 0))
rx.settimeout(5)
with netns(sys.argv[1]):
    tx = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tx.connect(rx.getsockname())
for size in [*range(0, 200), *range(1400, 1500), 4000, 20000, 65000]:
    data = os.urandom(size)
    tx.send(data)
    check(rx.recv(70000) == data, "UDP datagram of", size, "bytes changed")
PY
checksums_fine a b c host
same "drops" 0 "$(hd -j drops | jq '[.[].packets] | add // 0')"
