#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Security groups that select their members by label: membership follows labels, ports and groups, on the next packet and before a port's first.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
hd security-group add db --select app=db
hd security-group add front --select app=web --select tier=front
hd security-group add teams --select example.org/team
rule=$(rule db --direction ingress --protocol udp --port 53 --remote-group front)
mute blue d 1 --label app=db
mute blue f 2 --label app=web --label tier=front
mute blue w 3 --label app=web --label tier=back
mute blue x 4 --label app=db --no-security

groups_are() {
	same "groups of $1" "$2" "$(hd -j port show "$1" | jq -rc '.groups | join(",")')"
}
members_are() {
	same "members of $1" "$2" "$(hd -j security-group show "$1" | jq -rc '.members | sort | join(",")')"
}
groups_are d db
groups_are f front
groups_are w default
groups_are x ""
members_are db d
members_are front f
members_are default w
same "what d names" '[]' "$(hd -j port show d | jq -c '."security-group"')"
hd port list >"$T/list"
grep -Eq '^NAME .*GROUPS +LABELS' "$T/list" || fail "no labels in: $(<"$T/list")"
grep -Eq '^d .* db +app=db ' "$T/list" || fail "not listed: $(<"$T/list")"
hd security-group list | grep -Eq '^front +app=web,tier=front +1 +1 f$' || fail "not listed: $(hd security-group list)"

# The rule is named, and what only half of the labels match is denied.
hd trace --port f 'udp 10.0.20.2:40000 > 10.0.20.1:53' >"$T/trace"
grep -q "rule $rule of security group db" "$T/trace" || fail "the group is not named: $(<"$T/trace")"
hd trace --port w 'udp 10.0.20.3:40000 > 10.0.20.1:53' | grep -q 'no ingress rule of port d' || fail "w is let in"

cat >"$T/follows.py" <<'PY'
from lab import *

lab = Lab(sys.argv[1:])
d, f, w, x = lab.ends

def labels(end, *pairs):
    lab.api.must("PATCH", f"ports/{end}", {"label": list(pairs)})

def select(group, *pairs):
    lab.api.must("PATCH", f"security-groups/{group}", {"select": list(pairs)})

sport = 1000

def asks(end, v):
    """A new flow from @end to d."""
    global sport
    sport += 1
    return lab.udp(end, d, sport, 53, v)

def may(what, end, v):
    lab.passes(what, end, asks(end, v), d)

def may_not(what, end, v):
    lab.drops(what, end, asks(end, v), "group-ingress", d)

for v in (4, 6):
    may("f has all labels", f, v)
    may_not("w has one of them", w, v)
    may_not("x has no security: a member of nothing", x, v)
    old = asks(f, v)
    lab.passes("f begins", f, old, d)
    lab.passes("d answers", d, lab.udp(d, f, 53, sport, v), f)
    labels(f, "app=web")
    lab.drops("the flow of f is cut on its next packet", f, old, "group-ingress", d)
    labels(w, "tier=front", "app=web")
    may("w has both now", w, v)
    labels(f, "app=web", "tier=front", "zone=b")
    lab.passes("f's is let through again", f, old, d)
    select("front", "app=web", "tier=front", "zone=b")
    may("f has all three", f, v)
    may_not("w has not", w, v)
    select("front", "tier")
    may("any tier", w, v)
    lab.api.must("PATCH", "security-groups/front", {"select": None})
    may_not("front selects nobody any more", f, v)
    lab.api.must("PATCH", "ports/f", {"security-group": ["front"]})
    may("f names it", f, v)
    lab.api.must("PATCH", "ports/f", {"security-group": None})
    select("front", "app=web", "tier=front")
    # d itself: without its label it is in default, which lets in its members; f is none, w becomes one again
    labels(w, "app=web", "tier=back")
    labels(d)
    may("d is in default, as w is", w, v)
    may_not("f is not", f, v)
    labels(d, "app=db")
    may_not("d is in db again", w, v)
    # A group that is gone selects nobody: d falls back to default, and f too.
    lab.api.must("DELETE", "security-groups/db")
    lab.api.must("DELETE", "security-groups/front")
    may("both in default", f, v)
    lab.api.must("POST", "security-groups", {"name": "front", "select": ["app=web", "tier=front"]})
    lab.api.must("POST", "security-groups", {"name": "db", "select": ["app=db"], "rules": [
        {"direction": "ingress", "protocol": "udp", "port": "53", "remote-group": "front"}]})
    may("new groups select who is there", f, v)
    may_not("and nobody else", w, v)
lab.done()
PY
lab "$T/follows.py" d=1 f=2 w=3 x=4

# In force before the first packet: a port comes and goes under packets that group db forbids and default allows.
cat >"$T/first.py" <<'PY'
import threading

from lab import *

lab = Lab(sys.argv[1:])
n, w = lab.ends
sent, seen, stop = 0, 0, threading.Event()

def flood():
    global sent
    while not stop.is_set():
        w.wire.send(bytes(lab.udp(w, n, 7, 7)))
        sent += 1
        time.sleep(0.0005)

def come_and_go(labels, times):
    """How many packets get through."""
    global sent
    got = 0
    for _ in range(times):
        lab.api.must("POST", "ports", {"name": "n", "network": "blue", "device": "dev-n", "label": labels,
                                       "mac": n.mac, "ip": [n.address[4]]})
        before, end = sent, time.monotonic() + 5
        while sent < before + 20 and time.monotonic() < end:
            got += sum(1 for _ in n.wire.receive())
        lab.api.must("DELETE", "ports/n")
    time.sleep(0.05)
    return got + sum(1 for _ in n.wire.receive())

lab.api.must("DELETE", "ports/n")
sender = threading.Thread(target=flood)
sender.start()
open_, closed = come_and_go([], 3), come_and_go(["app=db"], 10)
stop.set()
sender.join()
check(open_ >= 3, "a port of default is sent nothing: the test sees nothing")
same("packets to a port that is selected from its first moment", 0, closed)
print(f"note: {open_} to a port of default, {closed} of {sent} to one that is selected")
PY
mute blue n 5
lab "$T/first.py" n=5 w=3

# Files, and the daemon that comes back.
hd export >"$T/before.yaml"
grep -A1 '^  front:' "$T/before.yaml" | grep -q 'select:' || fail "not exported: $(<"$T/before.yaml")"
same "a second apply" "no changes" "$(hd apply -f "$T/before.yaml")"
sed -i 's/app=db/app=store/' "$T/before.yaml" # the group's and the ports'
same "renamed" "$(printf '%s\n' '~ security-group db select: app=db -> app=store' '~ port d label: app=db -> app=store' \
	'~ port x label: app=db -> app=store')" "$(hd diff -f "$T/before.yaml")"
hd apply -f "$T/before.yaml" >"$T/applied"
groups_are d db
bpftool -j map dump pinned "$PINS/maps/hd_ports" | jq -S 'map(.value)' >"$T/ports"
daemon_kill
daemon_start
groups_are d db
members_are front f
same "policies after a restart" "$(<"$T/ports")" "$(bpftool -j map dump pinned "$PINS/maps/hd_ports" | jq -S 'map(.value)')"

# A trace for a file that is not applied.
sed 's/tier=back/tier=front/' "$T/before.yaml" >"$T/next.yaml"
hd trace -f "$T/next.yaml" --port w 'udp 10.0.20.3:40000 > 10.0.20.1:53' | grep -q 'of security group db' ||
	fail "the file's labels are not asked"

# What is no label is refused, says so, and changes nothing.
before=$(hd export)
wrong() {
	refused 6 "$1" hd port set d --label "$2"
	refused 6 "$1" hd security-group set db --select "${3-$2}"
}
refused 6 'label: expected KEY=VALUE, not "app"' hd port set d --label app
wrong 'hint: KEY is' '=db'
wrong 'expected KEY=VALUE' 'app=db=x'
wrong 'expected KEY=VALUE' 'app=a b'
wrong 'expected KEY=VALUE' '-app=db'
wrong 'expected KEY=VALUE' 'app=db-'
wrong 'expected KEY=VALUE' 'app/=db'
wrong 'expected KEY=VALUE' '/app=db'
wrong 'expected KEY=VALUE' 'Org/app=db'
wrong 'expected KEY=VALUE' 'a..b/app=db'
wrong 'expected KEY=VALUE' "app=$(printf 'x%.0s' {1..64})"
refused 6 'app is there twice' hd port set d --label app=a --label app=b
refused 6 'app is there twice' hd security-group set db --select app=a --select app
same "after what was refused" "$before" "$(hd export)"
# Too many groups for one port: its rules have 33 + 33 shapes. Refused, whichever of port, group and label comes last.
for half in 0 1; do
	hd security-group add "half$half" --select "half$half"
	for i in {0..32}; do
		((half)) && what=(--protocol tcp --port 80) || what=()
		allow "half$half" --direction ingress "${what[@]}" --remote "$((i ? 128 : 0)).0.0.0/$i"
	done
done
hd port set w --label half0=
before=$(hd export)
refused 6 'port w: the ingress rules of its 2 security groups .half0, .* more than 64' hd port set w --label half0= --label half1=
refused 6 'hint: .*heddle port show w' hd security-group set half1 --select half0
same "after what was refused" "$before" "$(hd export)"
groups_are w half0

hd port set d --label "$(printf 'o%.0s' {1..63}).example.org/$(printf 'k%.0s' {1..63})=$(printf 'v%.0s' {1..63})" --label x=
same "completion" "--select" "$(hd complete -- security-group add g | grep -x -- --select)"
