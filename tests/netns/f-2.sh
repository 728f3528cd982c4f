#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario F-2: rules between two workloads of the same host and subnet, by all that a rule can say.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
hd security-group add client
hd security-group add more
hd security-group add server
rule server --direction ingress --protocol tcp --port 80 >"$T/rule80"
rule server --direction ingress --protocol udp --port 5001-5006 >"$T/rule5000"
allow server --direction ingress --protocol icmp --icmp-type 8
allow server --direction ingress --protocol icmpv6 --icmp-type 128 --icmp-code 0
allow server --direction ingress --protocol tcp --port 81 --remote 10.0.20.1/32
allow server --direction ingress --protocol tcp --port 81 --remote 2001:db8::2/128
allow server --direction ingress --protocol tcp --port 82 --remote-group client
allow server --direction ingress --protocol 6 --port 83 --ethertype ipv6
allow server --direction ingress --protocol tcp --port 84-85 --remote 10.0.20.0/31
allow server --direction ingress --protocol udp --remote-group server
allow more --direction ingress --protocol tcp --port 86 --ethertype ipv4

dual blue a 1 --security-group client
dual blue b 2
dual blue s 3 --security-group server
dual blue t 4 --security-group server --security-group more
dual blue e 5 --no-security

# Each line: FROM TO VERSION PROTOCOL [PORT] ANSWER; FROM and VERSION may be several, as "a=1,b=2".
expand() {
	local froms to versions rest from version

	while read -r froms to versions rest; do
		[[ -n $froms && $froms != '#' ]] || continue
		for from in ${froms//,/ }; do
			for version in ${versions//,/ }; do
				echo "$from $to $version $rest"
			done
		done
	done
}
all=$(expand <<'TRIES'
# protocol and port
a=1,b=2,e=5 s=3 4,6 tcp 80 yes
a=1,b=2,e=5 s=3 4,6 tcp 79 no
a=1,b=2,e=5 s=3 4,6 udp 80 no
# range, from its first to its last
a=1 s=3 4,6 udp 5000 no
a=1 s=3 4,6 udp 5001 yes
a=1 s=3 4,6 udp 5003 yes
a=1 s=3 4,6 udp 5006 yes
a=1 s=3 4,6 udp 5007 no
a=1 s=3 4,6 tcp 5003 no
# type
a=1,e=5 s=3 4,6 icmp yes
a=1,e=5 s=3 4 stamp no
# remote address, one of each family
a=1 s=3 4 tcp 81 yes
a=1 s=3 6 tcp 81 no
b=2 s=3 4 tcp 81 no
b=2 s=3 6 tcp 81 yes
# remote group
a=1 s=3 4,6 tcp 82 yes
b=2,t=4,e=5 s=3 4,6 tcp 82 no
# family
a=1,b=2 s=3 6 tcp 83 yes
a=1,b=2 s=3 4 tcp 83 no
# remote network and range: 10.0.20.0/31 is .0 and .1
a=1 s=3 4 tcp 84 yes
a=1 s=3 4 tcp 85 yes
b=2 s=3 4 tcp 85 no
a=1 s=3 6 tcp 85 no
a=1 s=3 4 tcp 86 no
# its own group as remote
t=4 s=3 4,6 udp 99 yes
s=3 t=4 4,6 udp 99 yes
a=1,b=2 s=3 4,6 udp 99 no
t=4 s=3 4,6 tcp 99 no
# two groups: the union
a=1,b=2 t=4 4,6 tcp 80 yes
a=1,b=2 t=4 4 tcp 86 yes
a=1,b=2 t=4 6 tcp 86 no
a=1 t=4 4,6 tcp 82 yes
# a server has none that lets anybody in but these, and may begin all
s=3 a=1 4,6 tcp 80 no
s=3 b=2 4,6 tcp 80 no
s=3 e=5 4,6 tcp 80 yes
s=3 e=5 4,6 udp 80 yes
TRIES
)
matrix "$all"
for port in a=1 b=2 s=3 t=4; do
	same "dropped at $port" "$(grep -c " $port .* no" <<<"$all" || true)" "$(drops_of group-ingress ${port%=*})"
done

# The counter next to a rule counts what it let through: here the SYN, ACK, data and their answers, for each connection.
counted() { hd -j security-group show server | jq --argjson id "$(<"$1")" '.rules[] | select(.id == $id) | .counters.packets'; }
same "udp exchanges of the range" 12 "$(counted "$T/rule5000")"
(($(counted "$T/rule80") >= 10 * 4)) || fail "rule for tcp 80 has counted $(counted "$T/rule80")"

# Egress rules: what the workload may begin. They do not matter for replies, and say which port dropped it.
for id in $(hd -j security-group show client | jq '.rules[].id'); do
	hd security-group rule-del client "$id"
done
allow client --direction egress --protocol tcp --port 80 --remote 10.0.20.3/32
allow client --direction egress --protocol udp --port 5000-5001 --remote-group server
allow client --direction egress --protocol icmpv6
allow client --direction ingress
all=$(expand <<'TRIES'
a=1 s=3 4 tcp 80 yes
a=1 s=3 6 tcp 80 no
a=1 s=3 4 tcp 81 no
a=1 t=4 4 tcp 80 no
a=1 s=3 4,6 udp 5001 yes
a=1 s=3 4,6 udp 5002 no
a=1 e=5 4,6 udp 5001 no
a=1 s=3 4 icmp no
a=1 s=3 6 icmp yes
a=1 e=5 6 icmp yes
b=2,s=3,t=4,e=5 a=1 4,6 tcp 4000 yes
b=2,e=5 a=1 4,6 udp 4000 yes
b=2,e=5 a=1 4,6 icmp yes
TRIES
)
before=$(drops_of group-ingress)
matrix "$all"
same "dropped at a" "$(grep -c '^a=1 .* no' <<<"$all")" "$(drops_of group-egress a)"
same "nobody else drops" "$before" "$(drops_of group-ingress)"

# Who joins the group is in at once, and who leaves it is out.
tries() { expand <<<"t=4 s=3 4,6 tcp 82 $1"; }
matrix "$(tries no)"
hd port set t --security-group server --security-group client
matrix "$(tries yes)"
hd port set t --security-group server
matrix "$(tries no)"
