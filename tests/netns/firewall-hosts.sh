#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The firewall of a router that is on two hosts: asked where a connection is routed from its opener, whichever host has it; not where it arrives. A
# change cuts what is established, also if the next packet is one that comes back from the other host.
#
#   a (10.0.1.11) ── one: router r, firewall f ══ vxlan ══ two: router r ── b (10.0.2.11)
#
# shellcheck source-path=SCRIPTDIR source=../lib/routing.sh
. "$(dirname "$0")/../lib/routing.sh"

pair
for n in 1 2; do
	both network add "net$n" --type vxlan --id "$n"
done
tunnels 4
subnets both 1 2
both router add r
attach both r 1 2
side "at one" 1 a --no-security
side "at two" 2 b --no-security
first a 10.0.2.11 2001:db8:2::11
first b 10.0.1.11 2001:db8:1::11
at one firewall add f --router r

cat >"$T/hosts.py" <<'PY'
from lab import Api
from reach import *

one, two = (Api(path) for path in sys.argv[1:3])
ends = Ends(sys.argv[3])

def add(api, **rule):
    return api.must("POST", "firewalls/f/rules", {key.rstrip("_"): value for key, value in rule.items()})["id"]

def remove(api, number):
    api.must("DELETE", f"firewalls/f/rules/{number}")

def dropped(api):
    return sum(drop["packets"] for drop in api.must("GET", "drops") if drop["reason"] == "firewall")

for name in "ab":
    ends.serve(name, 8000, 8001)
A, B, B6 = "10.0.1.11", "10.0.2.11", "2001:db8:2::11"

# What the opener's host says holds; what only arrives there is not asked about.
rule = add(one, action="reject", protocol="tcp", port="8001")
ends.expect("one has a firewall", {("tcp", "a", B, 8001): "reset", ("tcp", "a", B6, 8001): "reset", ("tcp", "a", B, 8000): "open",
                                   ("tcp", "b", A, 8001): "open", ("udp", "a", B, 8001): "open", ("udp", "b", A, 8001): "open"})
same("dropped", (2, 0), (dropped(one), dropped(two)))
remove(one, rule)

# What is established: with the next packet of the opener, or of the other side.
for who in ("near", "far"):
    cut, kept = (ends.connect("a", B, port) for port in (8000, 8001))
    cut.talks()
    kept.talks()
    before = dropped(one)
    rule = add(one, action="deny", from_=f"{A}/32", protocol="tcp", port="8000")
    getattr(cut, who).sendall(b"x")
    wait(lambda: dropped(one) > before, "nothing dropped")
    check(cut.near_is_silent() and cut.far_is_silent(), "it goes on")
    before = dropped(one)
    cut.near.sendall(b"y")
    check(cut.far_is_silent(), "it goes on")
    kept.talks()
    remove(one, rule)
same("at the other host", 0, dropped(two))

# Both have it: as if it were one.
two.must("POST", "firewalls", {"name": "f", "router": "r"})
rules = [add(api, action="reject", from_="10.0.1.0/24", protocol="udp") for api in (one, two)]
ends.expect("both", {("udp", "a", B, 8000): (3, 13, "10.0.1.1"), ("udp", "b", A, 8000): "open", ("tcp", "a", B, 8000): "open"})
kept = ends.connect("b", A, 8000)
kept.talks()
add(two, action="deny", from_="10.0.1.0/24", protocol="tcp")
kept.talks()
PY
py "$T/hosts.py" "$T/run/$I-one/api.sock" "$T/run/$I-two/api.sock" "$N"
