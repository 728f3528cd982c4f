#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# heddled started by "ip netns exec", which hides /sys and with it the host's bpffs: it works, and what it pins survives it.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

ns host
start() {
	ip netns exec "$N-host" "$B/heddled" --instance "$I" --state-dir "$T/state" --run-dir "$T/run"
	DAEMON=$(hd -j status | jq .pid)
}
gone() { ! kill -0 "$1"; }

start # in the background: when the command returns, it is ready
hd network list >/dev/null
hd network add blue --type local
workload blue a --ip 10.0.20.1/24
workload blue b --ip 10.0.20.2/24
pings a 10.0.20.2
[[ -e $PINS/maps/hd_fdb ]] || fail "no pins in the host's bpffs"
before=$(bpf_objects | sort)

# The daemon and its mount namespace end; the datapath goes on, and the next daemon adopts it.
traffic_start a b 10.0.20.2
kill -KILL "$DAEMON"
wait_for 5 gone "$DAEMON"
pings b 10.0.20.1
start
same "programs, maps and links" "$before" "$(bpf_objects | sort)"

# So does one that was started in another way.
kill -TERM "$DAEMON"
wait_for 5 gone "$DAEMON"
daemon_start
same "programs, maps and links" "$before" "$(bpf_objects | sort)"
grep -q adopted "$T/heddled.log" || fail "the datapath was not adopted"
traffic_stop
hd purge --yes
daemon_purged
[[ ! -e $PINS ]] || fail "pins are left"
