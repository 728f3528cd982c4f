#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario L2-5: two local networks with the same MACs and IPs: no frame crosses, each sees exactly its own.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
for net in red blue; do
	hd network add "$net" --type local
	workload "$net" "$net-1" --ip 10.0.20.1/24 --mac 02:00:00:00:00:01 --no-security
	workload "$net" "$net-2" --ip 10.0.20.2/24 --no-security
	on "$net-2" ip link set eth0 address 02:00:00:00:00:02
done
for net in red blue; do
	pings "$net-1" 10.0.20.2
	pings "$net-2" 10.0.20.1
done
silent red-1 10.0.20.3

py - "$N-red-1" "$N-red-2" "$N-blue-1" "$N-blue-2" <<'PY'
import sys
from frames import *

one_cpu()
red1, red2, blue1, blue2 = wires = [Wire(name, label=name.split("-", 1)[1]) for name in sys.argv[1:]]
one, two, unknown, group = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:77", "01:00:5e:00:00:fb"
m = Marker()
sends, expected = [], {w: [] for w in wires}
for i in range(500):
    for a, b in ((red1, red2), (blue1, blue2)):
        for dst in (two, unknown, BROADCAST, group):
            frame = m.frame(dst, one)
            sends.append((a, frame))
            expected[b].append(frame)
        for dst in (one, BROADCAST):
            frame = m.frame(dst, two)
            sends.append((b, frame))
            expected[a].append(frame)
exchange(m, wires, sends, expected)
PY

# A workload without company in its network reaches nobody, whatever it tags its frames with.
hd network add lone --type local
workload lone lone-1 --ip 10.0.20.9/24 --no-security
py - "$N-lone-1" "$N-red-1" "$N-red-2" "$N-blue-1" "$N-blue-2" <<'PY'
import sys
from frames import *

one_cpu()
wires = [Wire(name, label=name.split("-", 1)[1]) for name in sys.argv[1:]]
m = Marker()
sends = [(wires[0], m.frame(dst, "02:00:00:00:00:09", tags=tags))
         for tags in ((), ((0x8100, 1),), ((0x8100, 10),), ((0x88A8, 2), (0x8100, 1)))
         for dst in ("02:00:00:00:00:01", BROADCAST)]
exchange(m, wires, sends, {})
PY
same "they are dropped by name" 8 "$(drops_of no-member lone-1)"
