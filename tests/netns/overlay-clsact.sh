#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# An uplink whose device carries somebody's clsact filter: ours goes behind it, theirs sees everything, a restart finds it again, and what
# is left after purge is theirs alone.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/foreign.sh
. "$LIB/foreign.sh"

hosts one two
wire one two
load theirs
on one tc qdisc add dev wire clsact
on one tc filter add dev wire ingress pref 1 bpf da pinned "$MINE/theirs"
filters() { on one tc filter show dev wire ingress; on one tc filter show dev wire egress; }
before=$(filters)
for host in one two; do
	at "$host" network add blue --type vxlan --id 10
done
at one uplink add wire --tunnel-ip 192.0.2.1
at two uplink add wire --tunnel-ip 192.0.2.2
at one peer add two --tunnel-ip 192.0.2.2
at two peer add one --tunnel-ip 192.0.2.1
same "attached" clsact "$(at one -j uplink show wire | jq -r .attach)"
joined one blue a 1 --no-security
joined two blue b 2 --no-security
wait_for 5 peer_is one two up
wait_for 5 peer_is two one up
pings a 10.0.20.2
count=$(seen theirs)
pings b 10.0.20.1
(($(seen theirs) >= count + 3)) || fail "theirs has seen $(seen theirs)"

kill -KILL "${DAEMONS[one]}"
wait "${DAEMONS[one]}" 2>/dev/null || true
pings a 10.0.20.2
host_start one
wait_for 30 at one network list
same "attached" clsact "$(at one -j uplink show wire | jq -r .attach)"
pings a 10.0.20.2
at one purge
wait "${DAEMONS[one]}"
same "filters" "$before" "$(filters)"
