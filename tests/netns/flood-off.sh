#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A network that does not flood: unknown unicast is dropped by name, the rest works; and setting it is in force at once.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local --flood off
for name in a b c; do
	workload blue "$name" --no-security
done

# flood on|off: what a sends to a MAC that nobody has
flood() {
	py - "$1" "$N-a" "$N-b" "$N-c" <<'PY'
import sys
from frames import *

one_cpu()
a, b, c = wires = [Wire(name) for name in sys.argv[2:]]
m = Marker()
hello = m.frame(BROADCAST, "02:00:00:00:00:0b")
group = m.frame("33:33:00:00:00:01", "02:00:00:00:00:0b")
exchange(m, wires, [(b, hello), (b, group)], {a: [hello, group], c: [hello, group]})
known = m.frame("02:00:00:00:00:0b", "02:00:00:00:00:0a")
unknown = [m.frame("02:00:00:00:00:77", "02:00:00:00:00:0a") for i in range(5)]
expected = {b: [known], c: []}
if sys.argv[1] == "on":
    expected = {b: [known, *unknown], c: unknown}
exchange(m, wires, [(a, f) for f in (known, *unknown)], expected)
PY
}

flood off
same "named" 5 "$(drops_of unknown-unicast a)"
hd explain unknown-unicast | grep -qi 'flood' || fail "explain does not say what to do"
hd network set blue --flood on
flood on
same "still five" 5 "$(drops_of unknown-unicast a)"
hd network set blue --flood off
flood off
same "ten" 10 "$(drops_of unknown-unicast a)"

# A static entry is known.
hd fdb add 02:00:00:00:00:77 --network blue --port c
py - "$N-a" "$N-b" "$N-c" <<'PY'
import sys
from frames import *

a, b, c = wires = [Wire(name) for name in sys.argv[1:]]
m = Marker()
frame = m.frame("02:00:00:00:00:77", "02:00:00:00:00:0a")
exchange(m, wires, [(a, frame)], {c: [frame]})
PY
