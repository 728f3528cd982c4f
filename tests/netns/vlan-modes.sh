#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Every VLAN mode with every kind of frame, with VLAN offload on and off: who gets it, and in what form. vlan-modes.txt says what is expected,
# and what Open vSwitch does.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

TABLE=$(dirname "$0")/vlan-modes.txt
host
hd network add net --type local --port-mac-limit 16

# moded NAME OPTION...: a port with a VLAN mode, and the far end of its wire
moded() {
	local name=$1

	shift
	ns "$name"
	veth "dev-$name" "$name" eth0
	hd port add "$name" --network net --device "dev-$name" --no-security --vlan-mode "$@"
}

moded a10 access --tag 10
moded a20 access --tag 20
moded t trunk
moded tl trunk --trunk 10,20
moded tl0 trunk --trunk 0,10
moded nt native-tagged --tag 10
moded ntl native-tagged --tag 10 --trunk 20
moded nu native-untagged --tag 10
moded nul native-untagged --tag 10 --trunk 20
moded q10 dot1q-tunnel --tag 10
moded q20 dot1q-tunnel --tag 20

cat >"$T/modes.py" <<'PY'
"""modes.py PREFIX TABLE: send each form from each port as a broadcast, then all together what came out where"""
import sys
from frames import *

prefix, table = sys.argv[1:]
one_cpu()
rows = [line.split() for line in open(table) if line.strip() and line[0] != "#"]
names = list(dict.fromkeys(row[0] for row in rows))
wires = {name: Wire(f"{prefix}-{name}") for name in names}
m = Marker()


def tags_of(form):
    """"10s+20p5" to [(TPID, TCI)]: VID, p and priority, d for drop eligible, s for 802.1ad"""
    tags = []
    for tag in form.split("+") if form != "untagged" else []:
        vid, _, rest = tag.rstrip("ds").partition("p")
        tags.append((0x88A8 if "s" in tag else 0x8100, int(vid) | int(rest or 0) << 13 | ("d" in tag) << 12))
    return tags


def form_of(frame):
    at, form = 12, []
    while struct.unpack_from("!H", frame, at)[0] in (0x8100, 0x88A8):
        tpid, tci = struct.unpack_from("!HH", frame, at)
        form.append(f"{tci & 0xfff}" + (f"p{tci >> 13}" if tci >> 13 else "") + "d" * (tci >> 12 & 1) +
                    "s" * (tpid == 0x88A8))
        at += 4
    return "+".join(form) or "untagged"


got = [collections.defaultdict(list) for _ in rows]


def take(wire, frame):
    number = m.number(frame)
    if number is not None:
        got[number][wire.label].append(form_of(frame))


for src, form, *_ in rows:
    wires[src].send(m.frame(BROADCAST, f"02:00:00:00:00:{names.index(src) + 1:02x}", tags=tags_of(form)))
    gather(wires.values(), 0.002, take=take)
gather(wires.values(), 0.5, take=take)
wrong = 0
for row, result in zip(rows, got):
    # "a10=-(20)" says that Open vSwitch sends what we don't
    want = {cell.partition("=")[0]: cell.partition("=")[2].partition("(")[0] for cell in row[2:] if "=" in cell}
    want = {name: form for name, form in want.items() if form != "-"}
    is_form = {name: ",".join(forms) for name, forms in result.items()}
    if want != is_form:
        wrong += 1
        print("expected", " ".join(row), "\n     got", *row[:2],
              " ".join(f"{n}={is_form[n]}" for n in names if n in is_form), file=sys.stderr)
check(not wrong, wrong, "of", len(rows), "rows differ")
PY

for state in on off; do
	echo "VLAN offload $state"
	for name in a10 a20 t tl tl0 nt ntl nu nul q10 q20; do
		on host ethtool -K "dev-$name" rxvlan "$state" txvlan "$state" tx-vlan-stag-hw-insert "$state" >/dev/null
		on "$name" ethtool -K eth0 rxvlan "$state" txvlan "$state" tx-vlan-stag-hw-insert "$state" >/dev/null
	done
	py "$T/modes.py" "$N" "$TABLE"
done
