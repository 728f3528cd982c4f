#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario L2-2: three on one bridge; flooding, the port list, learning and ageing.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local --ageing 60
for i in 1 2 3; do
	workload blue "ns$i" --ip "10.0.20.$i/24" --no-security
done

# The first ARP: to all members but its sender, once each; the answer to nobody but the asker.
py - "$N-ns1" "$N-ns2" "$N-ns3" <<'PY'
import subprocess, sys
from frames import *

one_cpu()
wires = [Wire(name) for name in sys.argv[1:]]
arps = {w: collections.Counter() for w in wires}

def take(wire, frame):
    if frame[12:14] == b"\x08\x06":
        who = frame[6:12].hex(":"), int.from_bytes(frame[20:22], "big")
        arps[wire][who] += 1

subprocess.run(["nsenter", "--net=/run/netns/" + sys.argv[1], "ping", "-nqc1", "-W5", "10.0.20.2"],
               check=True, stdout=subprocess.DEVNULL)
gather(wires, 0.3, take=take)
first, second, third = wires
request, reply = (first.mac, 1), (second.mac, 2)
same("ARP at the asked", {request: 1}, dict(arps[second]))
same("ARP at the third", {request: 1}, dict(arps[third]))
same("ARP at the asker", {reply: 1}, dict(arps[first]))
PY

for i in 1 2 3; do
	pings "ns$i" 10.0.20.1 10.0.20.2 10.0.20.3
done

way=$(has_tcx && echo tcx || echo clsact)
same "port list" "ns1 up $way|ns2 up $way|ns3 up $way" \
	"$(hd -j port list | jq -r '[.[] | "\(.name) \(.state) \(.attach)"] | join("|")')"
same "lines of the table" 4 "$(hd port list | wc -l)"

learned() {
	hd -j fdb | jq -r '.[] | select(.kind == "learned") | "\(.port) \(.mac) \(.network)"' | sort
}

# Each MAC is at its port ...
pings ns1 10.0.20.2 10.0.20.3
want=$(for i in 1 2 3; do echo "ns$i $(mac_of "ns$i" eth0) blue"; done)
same "fdb" "$want" "$(learned)"

# ... and gone when it was not heard for a second. The daemon sweeps every few seconds.
hd network set blue --ageing 1
aged() { [[ -z $(learned) && $(hd -j network show blue | jq .learned) == 0 ]]; }
wait_for 15 aged

# An entry that is too old does not count even before the sweep: unicast is flooded again.
py - "$N-ns1" "$N-ns2" "$N-ns3" <<'PY'
import sys, time
from frames import *

one_cpu()
one, two, three = wires = [Wire(name) for name in sys.argv[1:]]
m = Marker()
a, b = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
hello = m.frame(BROADCAST, b)
exchange(m, wires, [(two, hello)], {one: [hello], three: [hello]})
known = m.frame(b, a)
exchange(m, wires, [(one, known)], {two: [known]})
time.sleep(2.1)  # what was heard a second ago is young: ageing is about time passing, there is no event to wait for
old = m.frame(b, a)
exchange(m, wires, [(one, old)], {two: [old], three: [old]})
PY

# What is heard all the time never is old, however short that is.
pings ns1 10.0.20.2
hd network set blue --flood off
before=$(drops_of unknown-unicast)
echo_from ns1 -c 250 -i 0.01 10.0.20.2 >"$T/ping" || fail "$(<"$T/ping")"
same "unknown" "$before" "$(drops_of unknown-unicast)"
