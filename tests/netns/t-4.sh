#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-4: Geneve with options of 0 to 252 bytes comes in, none goes out; ids up to 24, 24 and 32 bits, each type's its own.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

hosts one
switch_on
plug one 1
sea 11
at one network add low --type geneve --id 1
at one network add high --type geneve --id 16777215
at one network add vhigh --type vxlan --id 16777215
at one network add ghigh --type gre --id 4294967295
at one network add g24 --type gre --id 16777215
at one uplink add wire --tunnel-ip 192.0.2.1
at one peer add p --tunnel-ip 192.0.2.11
wait_for 5 peer_is one p up
same "MTU" "1450 1450 1450 1458 1458" \
	"$(for net in low high vhigh ghigh g24; do at one -j network show $net | jq .mtu; done | paste -sd' ')"
number=1
for net in low high vhigh ghigh g24; do
	mute_at one $net "w$number" $number --no-security
	number=$((number + 1))
done

cat >"$T/options.py" <<'PY'
from sea import *

sea = Sea(sys.argv[1:])
(p,) = sea.peers
low, high, vhigh, ghigh, g24 = sea.ends
FAR = "02:00:00:00:00:77"
BIG = 16777215

# The same frame in every network: it goes to the one workload there, and comes out with the right type and id.
for end, frame, tunnel, ident in (
    (low, lambda f: p.geneve(1, f), "geneve", 1),
    (high, lambda f: p.geneve(BIG, f), "geneve", BIG),
    (vhigh, lambda f: p.vxlan(BIG, f), "vxlan", BIG),
    (ghigh, lambda f: p.gre(4294967295, f), "gre", 4294967295),
    (g24, lambda f: p.gre(BIG, f), "gre", BIG),
):
    inner = marked(BROADCAST, FAR)
    sea.comes(f"in by {tunnel} {ident}", frame(inner), to=[(end, inner)])
    answer = marked(FAR, end.mac)
    sea.goes(f"out by {tunnel} {ident}", end, answer, out=[(p, tunnel, ident, answer)])
    if tunnel == "geneve":
        same("Geneve header", struct.pack("!BBHI", 0, 0, 0x6558, ident << 8).hex(), sea.outer[0].body[8:16].hex())
        same("UDP ports, length, checksum", (6081, 80, 0), struct.unpack_from("!HHH", sea.outer[0].body, 2))

# Options: one of each size, as one, as many small ones, and mixed.
def one(size):
    """A single option has at most 124 bytes of data."""
    out = b""
    while size:
        part = min(size, 128)
        out += option(0x0102, 1, os.urandom(part - 4))
        size -= part
    return out

def small(size):
    return option(0xFFFF, 0x7F) * (size // 4)

for size in range(0, 256, 4):
    for options in {one(size), small(size)}:
        same("a test's own", size, len(options))
        for version in (4,):
            inner = marked(high.mac, FAR, 60 + size % 7)
            sea.comes(f"{size} bytes of options", p.geneve(BIG, inner, options), to=[(high, inner)])

# What an MTU-sized packet has inside is whole, with all options there can be.
inner = marked(high.mac, FAR, 1500 - 20 - 8 - 8 - 252)
sea.comes("all full", p.geneve(BIG, inner, one(252), csum=True), to=[(high, inner)])
sea.done()
PY
sail "$T/options.py" w1=1 w2=2 w3=3 w4=4 w5=5 p:11
refused 6 '16777215' at one network add big --type geneve --id 16777216
refused 4 'low' at one network add again --type geneve --id 1
