#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A flood of 100,000 random source MACs from one port: two others lose nothing, the table stays bounded, the reason is counted.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local --port-mac-limit 500
hd network add green --type local
workload blue evil --no-security
workload blue a --ip 10.0.20.1/24 --no-security
workload blue b --ip 10.0.20.2/24 --no-security
workload blue c --ip 10.0.20.3/24 --no-security
pings a 10.0.20.2 10.0.20.3

fdb_used() { hd -j status | jq '.tables[] | select(.name == "fdb") | .used'; }

used=$(fdb_used)
traffic_start a b 10.0.20.2
py - "$N-evil" "$N-c" <<'PY'
import random, sys
from frames import *

one_cpu()
evil, c = (Wire(name) for name in sys.argv[1:])
m = Marker()
seen = set()
random.seed(m.nonce)
got = collections.Counter()

def take(wire, frame):
    if m.number(frame) is not None:
        got[m.number(frame)] += 1

while len(seen) < 100000:
    src = bytes([2]) + random.randbytes(5)
    if src in seen:
        continue
    seen.add(src)
    # Every other one has a destination that must be flooded, too.
    evil.send(m.frame(BROADCAST if len(seen) % 2 else "02:ff:ff:ff:ff:ff", src.hex(":")))
gather([c], 5, lambda: len(got) >= 500, take)
gather([c], 0.2, take=take)
same("frames that got through", dict.fromkeys(range(500), 1), dict(got))
PY
same "dropped for mac-limit" 99500 "$(drops_of mac-limit evil)"
same "drops counter of the port" 99500 "$(hd -j port show evil | jq .counters.drops)"
same "fdb table" $((used + 500)) "$(fdb_used)"
traffic_stop
pings c 10.0.20.1

# The limit can be changed in place, and learned places become free again.
hd network set blue --port-mac-limit 501
py - "$N-evil" "$N-c" <<'PY'
import sys
from frames import *

evil, c = wires = [Wire(name) for name in sys.argv[1:]]
m = Marker()
one, two = m.frame(BROADCAST, "02:ee:00:00:00:01"), m.frame(BROADCAST, "02:ee:00:00:00:02")
exchange(m, wires, [(evil, one), (evil, two)], {c: [one]})
PY
same "flushed" 501 "$(hd -j fdb flush --port evil | jq .flushed)"
py - "$N-evil" "$N-c" <<'PY'
import sys
from frames import *

evil, c = wires = [Wire(name) for name in sys.argv[1:]]
m = Marker()
frames = [m.frame(BROADCAST, f"02:ee:00:00:01:{i:02x}") for i in range(250)]
frames += [m.frame(BROADCAST, f"02:ee:00:00:02:{i:02x}") for i in range(251)]
more = m.frame(BROADCAST, "02:ee:00:00:03:00")
exchange(m, wires, [(evil, f) for f in frames + [more]], {c: frames})
PY
