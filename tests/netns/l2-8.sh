#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario L2-8: isolated ports never reach each other; a hairpin port gets frames back.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
workload blue a --ip 10.0.20.1/24 --isolated --no-security
workload blue b --ip 10.0.20.2/24 --isolated --no-security
workload blue c --ip 10.0.20.3/24 --no-security
pings a 10.0.20.3
pings b 10.0.20.3
pings c 10.0.20.1 10.0.20.2
silent a 10.0.20.2

cat >"$T/both.py" <<'PY'
import sys
from frames import *

one_cpu()
a, b, c = wires = [Wire(name) for name in sys.argv[2:]]
m = Marker()
macs = {a: "02:00:00:00:00:0a", b: "02:00:00:00:00:0b", c: "02:00:00:00:00:0c"}
hairpin, isolated = "hairpin" in sys.argv[1], "isolated" in sys.argv[1]

def may(src, dst):
    # As in the kernel's bridge, isolation comes first: an isolated port does not reach itself either.
    if isolated and {src, dst} <= {a, b}:
        return False
    return src is not dst or (hairpin and src is a)

for w in wires:  # everybody is known
    w.send(m.frame(BROADCAST, macs[w]))
gather(wires, 0.2)
m = Marker()
sends, expected = [], {w: [] for w in wires}
for src in wires:
    for dst in (BROADCAST, "01:00:5e:01:02:03", "02:00:00:00:00:77"):
        frame = m.frame(dst, macs[src])
        sends.append((src, frame))
        for w in wires:
            if may(src, w):
                expected[w].append(frame)
    for dst in wires:
        frame = m.frame(macs[dst], macs[src])
        sends.append((src, frame))
        if may(src, dst):
            expected[dst].append(frame)
exchange(m, wires, sends, expected)
PY
py "$T/both.py" isolated "$N-a" "$N-b" "$N-c"
(($(drops_of isolated) >= 2)) || fail "drops: isolated is not counted"
(($(drops_of same-port) == 3)) || fail "drops: same-port is $(drops_of same-port)"

hd port set a --hairpin
py "$T/both.py" isolated,hairpin "$N-a" "$N-b" "$N-c"

# Only ports that are both isolated are kept apart, and setting it back is in force at once.
hd port set a --unset isolated
py "$T/both.py" hairpin "$N-a" "$N-b" "$N-c"
hd port set a --unset hairpin
py "$T/both.py" none "$N-a" "$N-b" "$N-c"
ip -n "$N-a" neigh flush all # its kernel may still be asking, in vain, since they were isolated
pings a 10.0.20.2
