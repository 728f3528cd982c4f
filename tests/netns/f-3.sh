#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario F-3: the firewall of a router: in order, the first match decides; between subnets and to the outside, never within a subnet; before security
# groups. What it rejects is told: TCP by a RST, all else by ICMP. A change is in force on the next packet, and stays when the daemon is gone.
#
#   in, near (192.168.27.2, .3) ── demo-net ──┐
#                                             ├── router r ── 172.16.200.151 ── ext ══ outside: 172.16.0.1, 172.16.0.9
#   other, sec (192.168.28.2, .3) ── blue ────┘      firewall f
#
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

external
demo
hd network add blue --type local
hd subnet add blue --network blue --cidr 192.168.28.0/24 --gateway 192.168.28.1
hd subnet add demo6 --network demo-net --cidr 2001:db8:27::/64 --gateway 2001:db8:27::1
hd subnet add blue6 --network blue --cidr 2001:db8:28::/64 --gateway 2001:db8:28::1
for subnet in blue demo6 blue6; do
	hd router attach r --subnet $subnet
done

# end NET NAME SUBNET NUMBER [PORT-OPTION...]: both families
end() {
	ns6 "$2"
	hd port add "$2" --network "$1" --netns "$N-$2" --ifname eth0 --mac "02:00:00:00:$3:0$4" --ip "192.168.$3.$4" --ip "2001:db8:$3::$4" "${@:5}"
}
end demo-net in 27 2 --no-security
end demo-net near 27 3 --no-security
end blue other 28 2 --no-security
end blue sec 28 3
hd floating-ip add $FLOATING --router r --port in --fixed-ip 192.168.27.2
hd floating-ip add 172.16.200.153 --router r --port sec --fixed-ip 192.168.28.3
first in 172.16.0.1 192.168.28.2 2001:db8:28::2
first outside $FLOATING
hd firewall add f --router r

cat >"$T/f3.py" <<'PY'
from lab import Api
from reach import *

api = Api(sys.argv[1])
ends = Ends(sys.argv[2])

def rules():
    return api.must("GET", "firewalls/f")["rules"]

def add(position, action, **rule):
    """Inserts a rule, whose options are those of the command line with from_ for from; its id."""
    rule = {key.rstrip("_"): value for key, value in rule.items()}
    return api.must("POST", "firewalls/f/rules", {"position": position, "action": action} | rule)["id"]

def remove(number):
    api.must("DELETE", f"firewalls/f/rules/{number}")

def clear():
    for rule in rules():
        remove(rule["id"])

def counted(number):
    return next(rule["counters"]["packets"] for rule in rules() if rule["id"] == number)

def dropped(number):
    return sum(drop["packets"] for drop in api.must("GET", "drops") if drop.get("rule") == {"firewall": "f", "id": number})

IN, NEAR, OTHER, SEC = "192.168.27.2", "192.168.27.3", "192.168.28.2", "192.168.28.3"
IN6, OTHER6 = "2001:db8:27::2", "2001:db8:28::2"
OUTSIDE, FLOATING, FLOATING_SEC, GATEWAY = "172.16.0.1", "172.16.200.152", "172.16.200.153", "172.16.200.151"
for name in ("in", "near", "other", "sec", "outside"):
    ends.serve(name, 8000, 8001)

reach = ends.expect

# ---- nothing in it: all is allowed ----
reach("empty", {("tcp", "in", OTHER, 8000): "open", ("udp", "other", IN, 8000): "open", ("tcp", "in", OUTSIDE, 8000): "open",
                ("tcp", "outside", FLOATING, 8000): "open", ("udp", "in", OTHER6, 8000): "open"})

# ---- between subnets: order, first match, direction, within a subnet ----
allow = add(1, "allow", protocol="tcp", to="192.168.28.0/24", port="8000")
reject = add(2, "reject", from_="192.168.27.0/24", to="192.168.28.0/24")
reach("first match", {("tcp", "in", OTHER, 8000): "open", ("tcp", "in", OTHER, 8001): "reset", ("udp", "in", OTHER, 8000): (3, 13, "192.168.27.1"),
                      ("udp", "in", SEC, 8000): (3, 13, "192.168.27.1"), ("ping", "in", OTHER, 0): (3, 13, "192.168.27.1"), ("tcp", "in", OTHER6, 8001): "open",
                      ("tcp", "other", IN, 8001): "open", ("udp", "other", IN, 8001): "open", ("ping", "other", IN, 0): "open",
                      ("tcp", "in", NEAR, 8001): "open", ("udp", "in", NEAR, 8001): "open"})
check(counted(allow) > 3 and counted(reject) == dropped(reject) == 4, f"counters: {rules()}, drops: {api.must('GET', 'drops')}")
deny = add(1, "deny", protocol="tcp", from_=f"{IN}/32", port="7990-8010")
reach("in front of it", {("tcp", "in", OTHER, 8000): "silent", ("udp", "in", OTHER, 8000): (3, 13, "192.168.27.1")})
check(counted(deny) == dropped(deny) >= 1, "counters of a denial")
remove(deny)
reach("gone again", {("tcp", "in", OTHER, 8000): "open", ("tcp", "in", OTHER, 8001): "reset"})
add(2, "allow", protocol="udp", port="8001")
reach("in the middle", {("udp", "in", OTHER, 8001): "open", ("udp", "in", OTHER, 8000): (3, 13, "192.168.27.1"), ("udp", "in", OTHER, 9): (3, 13, "192.168.27.1")})
add(1, "allow", protocol="udp", port="9")
reach("an error about what is allowed", {("udp", "in", OTHER, 9): (3, 3, OTHER)})
same("positions", [(1, "udp", "9"), (2, "tcp", "8000"), (3, "udp", "8001"), (4, None, None)],
     [(rule["position"], rule.get("protocol"), rule.get("port")) for rule in rules()])
clear()
add(1, "deny")
reach("all denied", {("tcp", "in", OTHER, 8000): "silent", ("tcp", "in", OTHER6, 8000): "silent", ("udp", "in", OUTSIDE, 8000): "silent",
                     ("udp", "outside", FLOATING, 8000): "silent", ("tcp", "in", NEAR, 8000): "open", ("ping", "in", NEAR, 0): "open",
                     ("ping", "in", "192.168.27.1", 0): "open"})
clear()
add(1, "reject", from_="2001:db8:27::/64", to="2001:db8:28::/64")
reach("IPv6", {("tcp", "in", OTHER6, 8000): "reset", ("udp", "in", OTHER6, 8000): (1, 1, "2001:db8:27::1"), ("ping", "in", OTHER6, 0): (1, 1, "2001:db8:27::1"),
               ("tcp", "other", IN6, 8000): "open", ("tcp", "in", OTHER, 8000): "open"})
clear()

# ---- to the outside, with source NAT, and from there, by a floating IP: addresses are those inside ----
add(1, "allow", protocol="tcp", from_=f"{NEAR}/32", to="172.16.0.0/16", port="8000")
add(2, "reject", from_="192.168.27.0/24", to="172.16.0.0/16")
reach("outwards", {("tcp", "near", OUTSIDE, 8000): "open", ("tcp", "near", OUTSIDE, 8001): "reset", ("udp", "near", OUTSIDE, 8000): (3, 13, "192.168.27.1"),
                   ("tcp", "in", OUTSIDE, 8000): "reset", ("tcp", "outside", FLOATING, 8000): "open", ("tcp", "other", OUTSIDE, 8001): "open"})
clear()
add(1, "reject", from_=f"{OUTSIDE}/32", to=f"{IN}/32", protocol="tcp", port="8001")
add(2, "reject", from_=f"{OUTSIDE}/32", to=f"{IN}/32", protocol="udp", port="8001")
reach("inwards", {("tcp", "outside", FLOATING, 8001): "reset", ("udp", "outside", FLOATING, 8001): (3, 13, GATEWAY), ("tcp", "outside", FLOATING, 8000): "open",
                  ("udp", "outside", FLOATING, 8000): "open", ("tcp", "in", OUTSIDE, 8001): "open"})

# ---- before security groups ----
def reasons():
    return {drop["reason"] for drop in api.must("GET", "drops") if drop["reason"] in ("firewall", "group-ingress")}

same("so far", {"firewall"}, reasons())
deny = add(1, "deny", to=f"{SEC}/32")
reach("denied by both", {("udp", "outside", FLOATING_SEC, 8000): "silent"})
same("by whom", ({"firewall"}, 1), (reasons(), dropped(deny)))
remove(deny)
reach("denied by the group", {("udp", "outside", FLOATING_SEC, 8000): "silent"})
same("by whom", {"firewall", "group-ingress"}, reasons())
same("a number that is given again", (deny, 0, 0), (number := add(1, "deny", protocol="ospf"), counted(number), dropped(number)))
clear()

# ---- a change is in force on the next packet of what is established ----
cut, reset, kept = (ends.connect("in", OTHER, port) for port in (8000, 8001, 8000))
for connection in (cut, reset, kept):
    connection.talks()
port = cut.near.getsockname()[1]
allow = add(1, "allow", protocol="tcp", to=f"{OTHER}/32", port="8000-8000")
number = counted(allow)
kept.talks()
check(counted(allow) > number, "an established connection is counted for the rule that allows it now")
reject = add(1, "reject", protocol="tcp", port="8001")
reset.near.sendall(b"x")
check(reset.is_reset(), "no RST for an established connection")
kept.talks()
deny = add(1, "deny", protocol="tcp", to=f"{OTHER}/32")
cut.near.sendall(b"x")
wait(lambda: dropped(deny), "nothing dropped")
check(cut.far_is_silent(), "it goes on")
clear()
reply = ends.connect("in", OTHER, 8000)
reply.talks()
deny = add(1, "deny", from_=f"{IN}/32", protocol="tcp")  # of the opener's direction, met by a packet of the other
reply.far.sendall(b"x")
wait(lambda: dropped(deny), "nothing dropped")
check(reply.near_is_silent(), "it goes on")
clear()
PY
py "$T/f3.py" "$T/run/$I/api.sock" "$N"

# The rule is named: by trace, in the drops.
id=$(hd -j firewall rule-add f --action reject --protocol tcp --to 192.168.28.0/24 --port 8001 | jq .id)
hd firewall rule-add f --action deny --from 192.168.27.3/32 --to 192.168.28.0/24 >/dev/null
hd trace --port in 'tcp 192.168.27.2:40000 > 192.168.28.2:8001 syn' >"$T/trace"
grep -q "firewall rejected *rule $id of firewall f" "$T/trace" || fail "trace: $(<"$T/trace")"
grep -q "^rule: f/$id$" "$T/trace" || fail "trace: $(<"$T/trace")"
grep -q 'told by TCP RST' "$T/trace" || fail "trace: $(<"$T/trace")"
hd trace --port in 'udp 192.168.27.2:40000 > 192.168.28.2:8000' >"$T/trace"
grep -q 'no rule of firewall f of router r matches' "$T/trace" || fail "trace: $(<"$T/trace")"
grep -q 'verdict: delivered to other' "$T/trace" || fail "trace: $(<"$T/trace")"

# Without the daemon it stays as it is; a new one writes nothing.
cat >"$T/alone.py" <<'PY'
from reach import *

ends = Ends(sys.argv[1])
ends.serve("other", 8000, 8001)
ends.expect("by itself", {("tcp", "in", "192.168.28.2", 8001): "reset", ("tcp", "in", "192.168.28.2", 8000): "open",
                          ("udp", "near", "192.168.28.2", 8000): "silent"})
PY
py "$T/alone.py" "$N"
daemon_kill
py "$T/alone.py" "$N"
rows() {
	bpftool -j map dump pinned "$PINS/maps/$1" | sha256sum
}
before=$(rows hd_fw_rules; rows hd_fw_shapes)
daemon_start
same "rows" "$before" "$(rows hd_fw_rules; rows hd_fw_shapes)"
py "$T/alone.py" "$N"
hd -j drops | jq -e --argjson id "$id" '[.[] | select(.rule == {firewall: "f", id: $id})] | length > 0' >/dev/null || fail "not named: $(hd drops)"
hd drops | grep -q " f/$id " || fail "not named: $(hd drops)"

# With the firewall go its rows.
hd firewall del f
same "rows" "0 0" "$(nat_rows hd_fw_rules) $(nat_rows hd_fw_shapes)"
pings in 192.168.28.2
