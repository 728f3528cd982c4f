#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Somebody else's tcx and clsact programs on a port's device stay, and see what they saw, whoever came first.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

# shellcheck source-path=SCRIPTDIR source=../lib/foreign.sh
. "$LIB/foreign.sh"

# counting WHAT NAME...: each has counted more since the last time that it was asked: one that looks at what leaves by the device at
# least the ARP, the others each ping, too. That programs on egress see all of it is a test of its own, foreign-egress.
declare -A last=()
counting() {
	local what=$1 name now least

	for name in "${@:2}"; do
		now=$(seen "$name")
		least=$([[ $name == *-in ]] && echo 4 || echo 1)
		((now >= ${last[$name]:-0} + least)) || fail "$what: program $name has seen ${last[$name]:-0}, then $now"
		last[$name]=$now
	done
}

host
hd network add blue --type local
workload blue far --ip 10.0.20.9/24 --no-security
for i in 1 2 3 4; do
	ns "w$i"
	veth "dev$i" "w$i" eth0
	ip -n "$N-w$i" addr add "10.0.20.$i/24" dev eth0
done
far_and_back() {
	on far ip neigh flush dev eth0
	pings far "10.0.20.$1"
}

# dev1: tcx that was there first; dev2: tcx that comes later (before heddle's in the chain of a link with BPF_F_BEFORE, else behind).
tcx first-in dev1 ingress
tcx first-out dev1 egress
hd port add p1 --network blue --device dev1 --no-security
hd port add p2 --network blue --device dev2 --no-security
tcx later-out dev2 egress
far_and_back 1
counting "tcx before heddle" first-in first-out
far_and_back 2
counting "tcx after heddle" later-out
same "p1 by tcx, too" tcx "$(hd -j port show p1 | jq -r .attach)"

# dev3: a clsact qdisc with filters that was there first. Heddle then has to stand behind them: tcx would run before.
clsact filter-in dev3 ingress 1
clsact filter-out dev3 egress 1
hd port add p3 --network blue --device dev3 --no-security
far_and_back 3
counting "clsact before heddle" filter-in filter-out
pings w3 10.0.20.1 10.0.20.2
counting "clsact, to other such ports" filter-in first-out later-out

# dev4: a clsact qdisc without filters, and one that comes later on a port's device.
on host tc qdisc add dev dev4 clsact
hd port add p4 --network blue --device dev4 --no-security
far_and_back 4
clsact late-filter dev2 egress 7
far_and_back 2
counting "clsact after heddle" late-filter later-out


# A restart and a new datapath later they are all still there.
daemon_kill
daemon_start
for i in 1 2 3 4; do
	far_and_back "$i"
done
counting "after restart" first-in first-out later-out filter-in filter-out late-filter

# Heddle goes: by port del, and by purge. The others stay, and the qdiscs that were theirs.
hd port del p3
on host tc filter show dev dev3 ingress | grep -q count || fail "del took the foreign filter"
same "filters on dev3" 1 "$(on host tc filter show dev dev3 ingress | grep -c 'bpf.*handle')"
hd port add p3 --network blue --device dev3 --no-security
far_and_back 3
counting "added again" filter-in filter-out
hd purge --yes
daemon_purged
for dev in dev2 dev3 dev4; do
	on host tc qdisc show dev "$dev" | grep -q clsact || fail "purge took the qdisc of $dev"
done
! on host tc qdisc show dev dev1 | grep -q clsact || fail "a qdisc is left on dev1"
same "filters of dev3" "1 1" "$(on host tc filter show dev dev3 ingress | grep -c 'bpf.*handle') $(on host tc filter show dev dev3 egress | grep -c 'bpf.*handle')"

# Without heddle the device is the host's again, and each foreign program still counts what comes and goes.
for i in 1 2 3; do
	ip -n "$N-host" addr flush dev "dev$i"
	ip -n "$N-host" addr add "10.0.20.20$i/24" dev "dev$i"
	ip -n "$N-host" route replace "10.0.20.$i/32" dev "dev$i"
	pings "w$i" "10.0.20.20$i"
done
counting "without heddle" first-in first-out later-out filter-in filter-out late-filter
