#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Security groups across hosts, rules with addresses: the sender's host judges what leaves, the receiver's what enters; each refusal is counted
# there, once. A rule that goes cuts on the next packet, at either end.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

pair
both network add blue --type geneve --id 10
tunnels 4

at two security-group add server
rule_at() {
	at "$1" -j security-group rule-add "${@:2}" | jq .id
}
rule_at two server --direction ingress --protocol tcp --port 80 --remote 10.0.20.1/32 >/dev/null
rule_at two server --direction ingress --protocol tcp --port 80 --remote 2001:db8::1/128 >/dev/null
rule_at two server --direction ingress --protocol udp --port 5000-5001 >"$T/ingress"
rule_at two server --direction ingress --protocol icmp --remote 10.0.20.0/30 >/dev/null
at one security-group add narrow
at one security-group rule-del narrow "$(at one -j security-group show narrow | jq '.rules[0].id')"
at one security-group rule-del narrow "$(at one -j security-group show narrow | jq '.rules[0].id')" 2>/dev/null || true
same "a group without rules" 0 "$(at one -j security-group show narrow | jq '.rules | length')"
rule_at one narrow --direction egress --protocol udp --port 5000 --remote 10.0.20.2/32 >"$T/egress"
rule_at one narrow --direction egress --protocol tcp --port 80 --remote 10.0.20.0/24 >/dev/null

joined one blue a 1
joined one blue n 4 --security-group narrow
joined one blue e 5 --no-security
joined two blue s 2 --security-group server
joined two blue f 3 --no-security

# All neighbours are known, so that only what is tried is counted.
for from in a n e s f; do
	for to in 1 2 3 4 5; do
		for address in 10.0.20.$to 2001:db8::$to; do
			ip -n "$N-$from" neigh replace "$address" lladdr "02:00:00:00:00:0$to" nud permanent dev eth0
		done
	done
done

before_one=$(drops_at one group-egress n)
before_two=$(drops_at two group-ingress s)
matrix 'a=1 s=2 4 tcp 80 yes
a=1 s=2 6 tcp 80 yes
a=1 s=2 4 tcp 81 no
a=1 s=2 6 tcp 81 no
e=5 s=2 4 tcp 80 no
e=5 s=2 6 tcp 80 no
a=1 s=2 4 udp 5000 yes
a=1 s=2 6 udp 5001 yes
e=5 s=2 6 udp 5000 yes
e=5 s=2 4 udp 5002 no
a=1 s=2 4 icmp yes
e=5 s=2 4 icmp no
a=1 s=2 6 icmp no
n=4 s=2 4 udp 5000 yes
n=4 s=2 4 udp 5001 no
n=4 s=2 6 udp 5000 no
n=4 f=3 4 udp 5000 no
n=4 s=2 4 tcp 80 no
n=4 f=3 4 tcp 80 yes
n=4 f=3 6 tcp 80 no
a=1 f=3 4 tcp 9 yes
a=1 f=3 6 udp 9 yes
f=3 a=1 4 udp 9 no
f=3 a=1 6 tcp 9 no
f=3 e=5 4 udp 10 yes
s=2 e=5 6 tcp 10 yes'
same "refused to leave, at one" 4 "$(($(drops_at one group-egress n) - before_one))"
same "refused to enter, at two" 8 "$(($(drops_at two group-ingress s) - before_two))"
same "refused to enter, at one" 2 "$(drops_at one group-ingress a)"

# Connections that are there: removing the rule at the sender's, then at the receiver's end.
cat >"$T/cut.py" <<'PY'
import subprocess
from numbered import *

prefix, cut = sys.argv[1:]
flows = [Numbers(prefix + "-n", prefix + "-s", "10.0.20.2", 5000), Numbers(prefix + "-a", prefix + "-s", "2001:db8::2", 5001)]
free = Numbers(prefix + "-a", prefix + "-f", "10.0.20.3", 6000)
for command, index in zip(cut.split(";"), (0, 1)):
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
    time.sleep(0.05)  # what was on its way has arrived
    count, sent = len(flows[index].got), flows[index].sent
    while flows[index].sent < sent + 300:
        time.sleep(0.01)
    same(f"{command}: arrived after it", count, len(flows[index].got))
    if index == 0:
        check(len(flows[1].got) > 300, "the other flow goes on")
for flow in flows:
    flow.stop()
free.all_arrived("a flow that no rule was about")
PY
py "$T/cut.py" "$N" "$B/heddle -i $I-one security-group rule-del narrow $(<"$T/egress");$B/heddle -i $I-two security-group rule-del server $(<"$T/ingress")"
