#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# MACs that are configured don't move; MACs that were learned do; flush forgets them.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
workload blue a --mac 02:00:00:00:00:0a --no-security
workload blue b --no-security
workload blue c --no-security
hd fdb add 02:00:00:00:00:77 --network blue --port b

py - "$N-a" "$N-b" "$N-c" <<'PY'
import sys
from frames import *

one_cpu()
a, b, c = wires = [Wire(name) for name in sys.argv[1:]]
m = Marker()
OWN, STATIC, MOVING = "02:00:00:00:00:0a", "02:00:00:00:00:77", "02:00:00:00:00:55"

def say(wire, src, to):
    frame = m.frame(BROADCAST, src)
    exchange(m, wires, [(wire, frame)], {w: [frame] for w in to})

def reaches(wire, dst, to):
    frame = m.frame(dst, wire.mac)
    exchange(m, wires, [(wire, frame)], {w: [frame] for w in to})

say(b, b.mac, [a, c])
say(c, c.mac, [a, b])

# The port's own MAC, from another port: dropped, and the entry stays.
say(b, OWN, [])
say(c, OWN, [])
reaches(b, OWN, [a])
say(a, OWN, [b, c])

# A static entry: only from its port.
say(c, STATIC, [])
say(a, STATIC, [])
say(b, STATIC, [a, c])
reaches(a, STATIC, [b])
reaches(c, STATIC, [b])

# A learned MAC moves with the first frame from elsewhere.
say(b, MOVING, [a, c])
reaches(a, MOVING, [b])
say(c, MOVING, [a, b])
reaches(a, MOVING, [c])
reaches(b, MOVING, [c])
say(a, MOVING, [b, c])
reaches(b, MOVING, [a])
PY
same "named: b and c with a's MAC, c and a with b's" "1 2 1" \
	"$(drops_of mac-static b) $(drops_of mac-static c) $(drops_of mac-static a)"

entry() { hd -j fdb show "$1" --network blue | jq -r '"\(.port) \(.kind)"'; }
same "own" "a static" "$(entry 02:00:00:00:00:0a)"
same "static" "b static" "$(entry 02:00:00:00:00:77)"
same "moved" "a learned" "$(entry 02:00:00:00:00:55)"

# "learned" of the network is what "fdb list" shows, also after moves.
same "learned count" "$(hd -j fdb | jq '[.[] | select(.kind == "learned")] | length')" \
	"$(hd -j network show blue | jq .learned)"
same "flush one port" 1 "$(hd -j fdb flush --port a | jq .flushed)"
refused 3 '55' hd fdb show 02:00:00:00:00:55 --network blue
same "flush the rest" 2 "$(hd -j fdb flush --network blue | jq .flushed)"
same "static ones stay" "a static|b static" "$(hd -j fdb | jq -r 'sort_by(.name) | [.[] | "\(.port) \(.kind)"] | join("|")')"

# A MAC that is learned somewhere and then configured elsewhere is there at once; and free again after del.
py - "$N-a" "$N-b" "$N-c" "$B/heddle" -i "$I" <<'PY'
import subprocess, sys
from frames import *

a, b, c = wires = [Wire(name) for name in sys.argv[1:4]]
m = Marker()
MAC = "02:00:00:00:00:66"

def hd(*words):
    subprocess.run([*sys.argv[4:], *words], check=True)

def say(wire, to):
    frame = m.frame(BROADCAST, MAC)
    exchange(m, wires, [(wire, frame)], {w: [frame] for w in to})

def reaches(wire, to):
    frame = m.frame(MAC, wire.mac)
    exchange(m, wires, [(wire, frame)], {w: [frame] for w in to})

say(c, [a, b])
reaches(a, [c])
hd("fdb", "add", MAC, "--network", "blue", "--port", "b")
reaches(a, [b])
say(c, [])
hd("fdb", "set", MAC, "--network", "blue", "--port", "c")
reaches(a, [c])
hd("fdb", "del", MAC, "--network", "blue")
reaches(a, [b, c])
say(b, [a, c])
reaches(a, [b])

# The learned entries of a port go with it.
hd("fdb", "del", "02:00:00:00:00:77", "--network", "blue")
hd("port", "del", "b")
m = Marker()
frame = m.frame(MAC, "02:00:00:00:00:0a")
exchange(m, [a, c], [(a, frame)], {c: [frame]})
PY
same "learned count" "$(hd -j fdb | jq '[.[] | select(.kind == "learned")] | length')" \
	"$(hd -j network show blue | jq .learned)"
