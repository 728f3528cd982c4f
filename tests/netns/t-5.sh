#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario T-5: neighbours and FDB are known beforehand, so two workloads that talk for the first time put no ARP, no ND and no unknown
# unicast on the underlay; what they say goes to the one host that it is for.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

pair
ns three
plug three 3
both network add blue --type vxlan --id 10 --neighbour-suppression on
tunnels 4
for host in one two; do
	at "$host" peer add three --tunnel-ip 192.0.2.3
	wait_for 10 peer_is "$host" three up
done
joined one blue a 1 --no-security
joined two blue b 2 --no-security

# knows HOST NAME PEER NUMBER: a host is told of a workload behind a peer, as a controller would do it
knows() {
	at "$1" port add "$2" --network blue --peer "$3" --mac "02:00:00:00:00:0$4" --ip "10.0.20.$4" --ip "2001:db8::$4" --no-security
}

# What a workload says of itself as its device comes up, reports of multicast groups, the search for routers and whether
# its link-local address is free, is not of interest.
cat >"$T/first.py" <<'PY'
import subprocess
from underlay import *

prefix, known = sys.argv[1], sys.argv[2] == "known"
wires = [Wire(f"{prefix}-{host}", "wire") for host in ("one", "two", "three")]
seen = {wire: collections.Counter() for wire in wires}
MAC = {1: "02:00:00:00:00:01", 2: "02:00:00:00:00:02"}

def name(packet):
    if packet.kind == ETH_ARP:
        return "ARP"
    if packet.kind == ETH_IP6 and packet.ip_dst in ("ff02::2", "ff02::16"):
        return None
    if packet.proto == ICMP6 and packet.body[0] in (135, 136):
        target = str(ipaddress.ip_address(packet.body[8:24]))
        return None if packet.ip_src == "::" and target.startswith("fe80:") else "ND for " + target
    return f"{packet.ip_src} > {packet.ip_dst} to {packet.dst}"

def take(wire, frame):
    packet = Packet(frame)
    if packet.tunnel and name(packet.inside):
        seen[wire][name(packet.inside)] += 1

for address in ("10.0.20.2", "2001:db8::2"):
    subprocess.run(["nsenter", f"--net=/run/netns/{prefix}-a", "ping", "-nqc3", "-i0.01", "-W5", address], check=True, stdout=subprocess.DEVNULL)
gather(wires, 0.3, take=take)
one, two, three = (dict(seen[wire]) for wire in wires)
if known:
    same("to two", {f"10.0.20.1 > 10.0.20.2 to {MAC[2]}": 3, f"2001:db8::1 > 2001:db8::2 to {MAC[2]}": 3}, two)
    same("to one", {f"10.0.20.2 > 10.0.20.1 to {MAC[1]}": 3, f"2001:db8::2 > 2001:db8::1 to {MAC[1]}": 3}, one)
    same("to three", {}, three)
else:
    same("what three hears when nothing is known", {"ARP": 1, "ND for 2001:db8::2": 1}, three)
PY
knows one b two 2
knows two a one 1
py "$T/first.py" "$N" known

# The other way round: without that knowledge the same look at the wire does find them.
at one port del b
at two port del a
for name in a b; do
	ip -n "$N-$name" neigh flush all dev eth0
done
py "$T/first.py" "$N" unknown
