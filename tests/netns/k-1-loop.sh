#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario K-1 in a loop: 20 times kill -9 and restart under traffic; nothing is lost, and nothing grows.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
hd network add green --type local
workload blue a --ip 10.0.20.1/24 --no-security
workload blue b --ip 10.0.20.2/24 --no-security
workload green c --ip 10.0.30.3/24 --no-security
hd port add leg --network green --internal --ip 10.0.30.4/24 --no-security
pings c 10.0.30.4

pins() { find "$PINS" | sort; }
learned() { hd -j fdb | jq -c 'sort_by(.name)[] | del(.age)'; }

traffic_start a b 10.0.20.2
hd status >/dev/null # the first request's fds
before_pins=$(pins)
before_objects=$(bpf_objects | sort)
before_fds=$(open_fds)
before_learned=$(learned)

for i in {1..20}; do
	daemon_kill
	daemon_start
	same "learned MACs after restart $i" "$before_learned" "$(learned)"
done

same "pins" "$before_pins" "$(pins)"
same "programs, maps and links" "$before_objects" "$(bpf_objects | sort)"
few_fds() { (($(open_fds) <= before_fds)); }
wait_for 5 few_fds
traffic_stop
