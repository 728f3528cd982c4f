#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Promise R12 for the flow table: when it is full old flows are unharmed, new ones are refused and counted, and status shows it.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

printf 'table-sizes:\n  flows: 1024\n  new-flows: 4096\n  flows-per-port: 2048\n' >"$T/heddled.conf"
host
hd network add blue --type local
mute blue a 1
mute blue b 2
mute blue c 3

cat >"$T/common.py" <<'PY'
from lab import *

lab = Lab(sys.argv[1:])
a, b, c = lab.ends

def udp(source, to, sport, dport, version):
    return bytes(source.to(to, version) / UDP(sport=sport, dport=dport) / lab.payload(8))

def many(sends):
    """(end, frame, to): all arrive."""
    for end, frame, to in sends:
        lab.due[to][frame] += 1
        end.wire.send(frame)
    gather([a.wire, b.wire, c.wire], 10, lambda: lab.got == lab.due, lab.take)
    lab.judge("old flows")

def both_ways(flows, version, client=a):
    many([(client, udp(client, b, 1000 + i, 53, version), b) for i in flows])
    many([(b, udp(b, client, 53, 1000 + i, version), client) for i in flows])
PY

cat >"$T/full.py" <<'PY'
from common import *

SIZE, MORE = 1024, 200

def used(name):
    return next((t["used"], t["size"]) for t in lab.api.get("status")["tables"] if t["name"] == name)

for version, table in ((4, "flows-ipv4"), (6, "flows-ipv6")):
    both_ways(range(SIZE), version)
    same(f"table {table}", (SIZE, SIZE), used(table))
    # The next ones begin, for they may; but with the answer they would need a place.
    for i in range(SIZE, SIZE + MORE):
        lab.passes("question", a, udp(a, b, 1000 + i, 53, version), b)
        lab.drops("answer", b, udp(b, a, 53, 1000 + i, version), "flow-table-full")
    lab.passes("SYN", a, lab.tcp(a, b, 9, 80, "S", 1, version=version), b)
    lab.passes("SYN,ACK", b, lab.tcp(b, a, 80, 9, "SA", 7, 2, version=version), a)
    lab.drops("ACK", a, lab.tcp(a, b, 9, 80, "A", 2, 8, version=version), "flow-table-full")
    both_ways(range(SIZE), version)
    same(f"table {table}", (SIZE, SIZE), used(table))
    # Room is used again: those that were refused come in now.
    flushed = lab.api.must("POST", "flows/flush", {"address": a.address[version], "state": "established"})["flushed"]
    same("flushed", SIZE, flushed)
    lab.passes("ACK again", a, lab.tcp(a, b, 9, 80, "A", 2, 8, version=version), b)
    both_ways(range(SIZE, SIZE + MORE), version)
lab.done()
PY
lab "$T/full.py" a=1 b=2 c=3
hd explain flow-table-full | grep -q 'table-sizes' || fail "explain does not say what to do"

# Unless told otherwise one port can have only a quarter of it, so that it does not fill it at the expense of the others.
hd purge --yes
daemon_purged
sed -i /flows-per-port/d "$T/heddled.conf"
daemon_start
hd network add blue --type local
for i in 1 2 3; do
	name=$(printf '%s' " abc" | cut -c$((i + 1)))
	hd port add "$name" --network blue --device "dev-$name" --mac "02:00:00:00:00:0$i" --ip "10.0.20.$i" --ip "2001:db8::$i"
done
cat >"$T/limit.py" <<'PY'
from common import *

both_ways(range(256), 4)
for i in range(256, 300):
    lab.passes("question", a, udp(a, b, 1000 + i, 53, 4), b)
    lab.drops("answer", b, udp(b, a, 53, 1000 + i, 4), "flow-limit", a)
both_ways(range(256), 4)
both_ways(range(256), 4, client=c)
lab.api.must("POST", "flows/flush", {"port": "a", "state": "established"})
both_ways(range(256, 500), 4)
lab.done()
PY
lab "$T/limit.py" a=1 b=2 c=3
