#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Somebody else's program on egress of a port's device sees all that goes to the port, not only what is flooded.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/foreign.sh
. "$LIB/foreign.sh"

host
hd network add blue --type local
workload blue far --ip 10.0.20.9/24 --no-security
for i in 1 2; do
	ns "w$i"
	veth "dev$i" "w$i" eth0
	ip -n "$N-w$i" addr add "10.0.20.$i/24" dev eth0
done
tcx by-tcx dev1 egress
clsact by-clsact dev2 egress 1
hd port add p1 --network blue --device dev1 --no-security
hd port add p2 --network blue --device dev2 --no-security
pings far 10.0.20.1 10.0.20.2

# One ARP, then three echo requests and whatever ARP the other side has.
for name in by-tcx by-clsact; do
	(($(seen "$name") >= 4)) || fail "$name has seen $(seen "$name") of at least 4 packets"
done

# The same for one that comes when the port is there already.
hd port del p1
hd port add p1 --network blue --device dev1 --no-security
tcx late dev1 egress
pings far 10.0.20.1
late_counts() {
	local before

	before=$(seen late)
	pings far 10.0.20.1
	(($(seen late) >= before + 3))
}
wait_for 10 late_counts
