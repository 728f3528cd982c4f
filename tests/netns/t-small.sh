#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The smallest packets there are, as sockets send them, with offloads as they are and without: each size arrives, through each type of tunnel, both
# families inside and outside.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

pair
both network add vxlan --type vxlan --id 10
both network add geneve --type geneve --id 10
both network add plain --type gre
both network add key --type gre --id 10
for net in vxlan geneve plain key; do
	joined one "$net" "$net-a" 1 --no-security
	joined two "$net" "$net-b" 2 --no-security
done

cat >"$T/sizes.py" <<'PY'
from frames import *

prefix, what, *nets = sys.argv[1:]
one_cpu()
for net in nets:
    for family, address in ((socket.AF_INET, "10.0.20.2"), (socket.AF_INET6, "2001:db8::2")):
        with netns(f"{prefix}-{net}-a"):
            tx = socket.socket(family, socket.SOCK_DGRAM)
        with netns(f"{prefix}-{net}-b"):
            rx = socket.socket(family, socket.SOCK_DGRAM)
        rx.bind((address, 0))
        tx.connect(rx.getsockname()[:2])
        tx.send(b"first")  # finds the neighbour
        select.select([rx], [], [], 1)
        got = []
        for size in range(64):
            tx.send(bytes(size))
        while len(got) < 65 and select.select([rx], [], [], 1)[0]:
            got.append(len(rx.recv(100)))
        same(f"{net}, {address}, {what}: sizes that arrive", [5, *range(64)], got)
PY
same "start" "0 0" "$(at one -j peer list | jq length) $(at two -j peer list | jq length)"
for underlay in 4 6; do
	tunnels $underlay
	py "$T/sizes.py" "$N" "default offloads, over IPv$underlay" vxlan geneve plain key
	for net in vxlan geneve plain key; do
		on "$net-a" ethtool -K eth0 tx off >/dev/null
	done
	py "$T/sizes.py" "$N" "no offloads, over IPv$underlay" vxlan geneve plain key
	for net in vxlan geneve plain key; do
		on "$net-a" ethtool -K eth0 tx on >/dev/null
	done
	at one peer del two
	at two peer del one
	both uplink del wire
done
