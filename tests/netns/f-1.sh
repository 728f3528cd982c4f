#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario F-1: a port that names no group gets "default": out allowed, replies in, nothing else in, except from the same group.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
same "group default" '[{"direction":"egress","id":1},{"direction":"ingress","id":2,"remote-group":"default"}]' \
	"$(hd -j security-group show default | jq -Sc '[.rules[] | del(.counters)]')"
hd security-group add other
same "a group without rules" '[{"direction":"egress"}]' \
	"$(hd -j security-group show other | jq -Sc '[.rules[] | del(.counters, .id)]')"
dual blue a 1
dual blue b 2
dual blue c 3 --security-group other
dual blue d 4 --security-group other --security-group default
dual blue e 5 --no-security
same "members of default" '["a","b","d"]' "$(hd -j security-group show default | jq -c '.members | sort')"
same "members of other" '["c","d"]' "$(hd -j security-group show other | jq -c '.members | sort')"

# reaches FROM TO yes|no: by all that there is
reaches() {
	local version what

	for version in 4 6; do
		for what in "tcp 80" "tcp 4000" "udp 53" "udp 4000" icmp; do
			echo "$1 $2 $version $what $3"
		done
	done
}

# Members of default reach each other; who is in other only has no rule that lets anything in.
all=$(
	for from in a=1 b=2 c=3 d=4 e=5; do
		for to in a=1 b=2 c=3 d=4 e=5; do
			[[ $from != "$to" ]] || continue
			case $from-$to in
			*-e=5 | [abd]=*-[abd]=*) reaches $from $to yes ;;
			*) reaches $from $to no ;;
			esac
		done
	done
)
matrix "$all"

# Each "no" was one packet, dropped at the receiver, by this name; nothing else was dropped.
denied() { grep -c " $1 .* no" <<<"$all"; }
for port in a=1 b=2 c=3 d=4; do
	same "dropped at $port" "$(denied $port)" "$(drops_of group-ingress ${port%=*})"
done
# What the kernels had to say to all (stage flood) while there were no others yet is left out.
same "drops in all" "$(grep -c ' no$' <<<"$all")" \
	"$(hd -j drops | jq '[.[] | select(.stage != "flood") | .packets] | add')"
hd explain group-ingress | grep -q 'rule-add' || fail "explain does not say what to do"

# The counters next to the rules: what is let in by rule 2 is at least all of those exchanges; other's rule lets only out.
hd -j security-group show default >"$T/default"
(($(jq '.rules[] | select(.id == 2) | .counters.packets' "$T/default") > 100)) || fail "rule 2 has counted: $(<"$T/default")"

# Broadcast and multicast from a member reach only members and who has no security; replies to them are let in like any other.
hd network add green --type local
mute green m 6
mute green n 7
mute green o 8 --security-group other
mute green p 9 --no-security
cat >"$T/many.py" <<'PY'
from lab import *

lab = Lab(sys.argv[1:])
m, n, o, p = lab.ends

def many(end, mac, address):
    packet = Ether(src=end.mac, dst=mac)
    packet /= IPv6(src=end.address[6], dst=address) if ":" in address else IP(src=end.address[4], dst=address)
    return packet / UDP(sport=5000, dport=5000) / lab.payload()

def at(*names):
    return [("group-ingress", name) for name in names]

for mac, address in ((BROADCAST, "255.255.255.255"), (BROADCAST, "10.0.20.255"), ("01:00:5e:00:00:fb", "224.0.0.251"),
                     ("33:33:00:00:00:fb", "ff02::fb")):
    lab.step(f"m to {address}", m, many(m, mac, address), [n, p], at("o"))
    lab.step(f"o to {address}", o, many(o, mac, address), [p], at("m", "n"))
    lab.step(f"p to {address}", p, many(p, mac, address), [], at("m", "n", "o"))
lab.done()
PY
lab "$T/many.py" m=6 n=7 o=8 p=9

# A port that changes its groups is judged by the new ones at once, also for the flows that it has.
cat >"$T/change.py" <<'PY'
from lab import *

lab = Lab(sys.argv[1:])
m, n, o, p = lab.ends

def groups(end, *names):
    lab.api.must("PATCH", f"ports/{end}", {"security-group": list(names)})

for v in (4, 6):
    lab.passes("m begins", m, lab.udp(m, n, 1, 2, v), n)
    lab.passes("n answers", n, lab.udp(n, m, 2, 1, v), m)
    lab.drops("o may not", o, lab.udp(o, n, 1, 2, v), "group-ingress", n)
    groups(o, "default")
    lab.passes("o may", o, lab.udp(o, n, 1, 2, v), n)
    groups(o, "other")
    lab.drops("o may not any more", o, lab.udp(o, n, 1, 2, v), "group-ingress", n)
    groups(n, "other")
    lab.drops("m may not any more", m, lab.udp(m, n, 1, 2, v), "group-ingress", n)
    groups(n)
    lab.passes("m may again", m, lab.udp(m, n, 1, 2, v), n)
lab.done()
PY
lab "$T/change.py" m=6 n=7 o=8 p=9
