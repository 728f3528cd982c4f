#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Group rules between hosts without a cluster: each host is told which ports are behind its peers. Members of a group reach each other over the
# tunnel; who is behind another peer does not become one by taking a member's address; a membership that ends cuts what it allowed.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

hosts one two three
for host in one two three; do
	at "$host" network add blue --type vxlan --id 10 --neighbour-suppression on --flood off
done
mesh one two three
joined one blue a 1
joined two blue b 2
silent a 10.0.20.2

at one port add b --network blue --peer two --mac 02:00:00:00:00:02 --ip 10.0.20.2 --ip 2001:db8::2
at two port add a --network blue --peer one --mac 02:00:00:00:00:01 --ip 10.0.20.1 --ip 2001:db8::1
same "state" remote "$(at two -j port show a | jq -r .state)"
pings a 10.0.20.2 2001:db8::2
pings b 10.0.20.1 2001:db8::1
py "$LIB/transfer.py" "$N-a" "$N-b" 10.0.20.2 3000000

# c, behind three, without security there: a's address does not make it a member.
joined three blue c 3 --no-security
at three port add b --network blue --peer two --mac 02:00:00:00:00:02 --ip 10.0.20.2
ip -n "$N-c" addr flush dev eth0
ip -n "$N-c" addr add 10.0.20.1/24 dev eth0
silent c 10.0.20.2
(($(drops_at two group-ingress b) > 0)) || fail "two has not refused it: $(at two drops)"

# a is in the group no more, as far as two is concerned.
pings a 10.0.20.2
at two port set a --no-security
silent a 10.0.20.2
at two port set a --unset no-security
pings a 10.0.20.2
at two port del a
silent a 10.0.20.2
refused 6 'peer needs mac' at one port add x --network blue --peer two
refused 6 'does not go with peer' at one port add x --network blue --peer two --mac 02:00:00:00:00:09 --hairpin
