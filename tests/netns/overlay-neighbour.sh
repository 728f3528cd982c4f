#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Neighbours of the underlay that somebody else keeps (permanent ones, those of a routing daemon, those that the kernel keeps fresh) stay as they
# are, however long they are next hops of peers; an ordinary one that goes stale is asked again.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

hosts one
ns two
wire one two
to=$(mac_of two wire)
for number in 3 4 5 6; do
	ip -n "$N-two" addr add "192.0.2.$number/24" dev wire
	ip -n "$N-two" addr add "2001:db8:ffff::$number/64" dev wire nodad
done

on one tee /proc/sys/net/ipv{4,6}/neigh/wire/delay_first_probe_time >/dev/null <<<1

# has ADDRESS WORD: what the kernel says about it
has() {
	ip -n "$N-one" neigh show "$1" dev wire nud all | grep -qw "$2"
}

# over NET: 2 is permanent, 3 needs no question, 4 is a routing daemon's, 5 the kernel keeps fresh, 6 is as usual
over() {
	at one uplink add wire --tunnel-ip "${1}1"
	ip -n "$N-one" neigh replace "${1}2" lladdr "$to" dev wire nud permanent
	ip -n "$N-one" neigh replace "${1}3" lladdr "$to" dev wire nud noarp
	ip -n "$N-one" neigh replace "${1}4" lladdr "$to" dev wire nud reachable extern_learn
	ip -n "$N-one" neigh replace "${1}5" dev wire managed
	for number in 2 3 4 5 6; do
		at one peer add "p$number" --tunnel-ip "$1$number"
		wait_for 5 peer_is one "p$number" up
	done

	# All of them have been looked at as soon as the last one is no longer stale.
	ip -n "$N-one" neigh replace "${1}6" lladdr "$to" dev wire nud stale
	wait_for 60 has "${1}6" REACHABLE
	has "${1}2" PERMANENT || fail "permanent: $(ip -n "$N-one" neigh)"
	has "${1}3" NOARP || fail "noarp: $(ip -n "$N-one" neigh show nud all)"
	has "${1}4" extern_learn || fail "a routing daemon's: $(ip -n "$N-one" neigh)"
	has "${1}5" managed || fail "managed: $(ip -n "$N-one" neigh)"
	for number in 2 3 4 5 6; do
		peer_is one "p$number" up || fail "p$number is down"
		at one peer del "p$number"
	done
	at one uplink del wire
}

over 192.0.2.
over 2001:db8:ffff::
