#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A flow does not depend on its MACs being known at the moment: it begins, and goes on, when the destination is flooded.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
bare blue a 1
bare blue b 2
bare blue c 3

cat >"$T/aged.py" <<'PY'
from lab import *

lab = Lab(sys.argv[1:])
a, b, c = lab.ends

def forget():
    lab.api.must("POST", "fdb/flush", {})

def group(end, name):
    lab.api.must("PATCH", f"ports/{end}", {"security-group": [name]})

# a and c let nothing in that they have not asked for; b lets in all.
for name, rules in (("out", [{"direction": "egress"}]), ("all", [{"direction": "egress"}, {"direction": "ingress"}])):
    lab.api.must("POST", "security-groups", {"name": name, "rules": rules})
group(a, "out")
group(b, "all")
group(c, "out")

for v in (4, 6):
    # It begins while b's MAC is not known: only b may have it, c denies it. The answer is one to a question.
    for what, ask, answer in (
            ("UDP", lab.udp(a, b, 1000, 53, v), lab.udp(b, a, 53, 1000, v)), ("echo", lab.echo(a, b, 7, v), lab.echo(b, a, 7, v, True)),
            ("TCP", lab.tcp(a, b, 1000, 80, "S", 1, version=v), lab.tcp(b, a, 80, 1000, "SA", 9, 2, version=v))):
        forget()
        lab.step(f"v{v}, {what} to who is not known", a, ask, [b], [("group-ingress", "c")])
        lab.passes(f"v{v}, {what}, the answer", b, answer, a)
    lab.passes("ACK", a, lab.tcp(a, b, 1000, 80, "A", 2, 10, version=v), b)
    # Established, then nobody has been heard for long: the server speaks first. The flow says where the client is.
    for what, packet in (("UDP", lab.udp(b, a, 53, 1000, v)), ("TCP", lab.tcp(b, a, 80, 1000, "PA", 10, 2, version=v, size=50))):
        forget()
        lab.passes(f"v{v}, {what} of the server when a's MAC has aged out", b, packet, a)
    forget()
    lab.passes(f"v{v}, of the client when b's has", a, lab.tcp(a, b, 1000, 80, "A", 2, 60, version=v), b)
lab.done()
PY
lab "$T/aged.py" a=1 b=2 c=3
