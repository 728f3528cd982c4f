#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# status and its exit status, --dry-run, --may-exist, --if-exists, timeouts, several instances, help at every level.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

ns host a
refused 5 'heddled' hd status
refused 5 'hint: ' hd port list
daemon_start
hd status >/dev/null
same "bare heddle is status" "$(hd status | grep -v daemon)" "$(hd | grep -v daemon)"
same "a bare noun is list" "$(hd network list)" "$(hd network)"

# A port whose device goes down makes the whole degraded: exit status 8, and the text says which and why.
hd network add blue --type local
veth dev0 a eth0
hd port add p0 --network blue --device dev0
same "state" ok "$(hd -j status | jq -r .state)"
ip -n "$N-a" link set eth0 down
link_turns host dev0 DOWN
wait_for 5 port_is p0 down
got=0
hd -j status >"$T/status" || got=$?
same "exit status" 8 "$got"
same "state" degraded "$(jq -r .state "$T/status")"
same "ports" '{"up":0,"down":1}' "$(jq -c .ports "$T/status")"
jq -r '.problems[]' "$T/status" | grep -q 'p0.*carrier' || fail "problems: $(jq -c .problems "$T/status")"
ip -n "$N-a" link set eth0 up
link_turns host dev0 UP
wait_for 5 port_is p0 up
hd status >/dev/null

# --dry-run says what it would do, and does nothing.
before=$(hd export)
objects=$(bpf_objects | sort)
same "dry add" "+ network red type=local" "$(hd --dry-run network add red --type local)"
same "dry set" "~ port p0 isolated: off -> on" "$(hd --dry-run port set p0 --isolated)"
same "dry del" "- port p0" "$(hd --dry-run port del p0)"
same "dry add of a device" "+ port x" "$(hd --dry-run port add x --network blue --netns "$N-a" --ifname new | cut -c1-8)"
printf 'version: 1\nports: {}\n' >"$T/file.yaml"
same "dry apply" "- port p0" "$(hd --dry-run apply -f "$T/file.yaml")"
refused 2 'dry-run' hd --dry-run purge --yes
refused 2 'dry-run' hd --dry-run fdb flush
refused 4 'exists' hd --dry-run network add blue --type local
refused 3 'none' hd --dry-run port del none
same "export" "$before" "$(hd export)"
same "objects" "$objects" "$(bpf_objects | sort)"
! ip -n "$N-a" link show new >/dev/null 2>&1 || fail "--dry-run made a device"

# Scripts can be run again.
hd network add blue --type local --may-exist
hd port add p0 --network blue --device dev0 --may-exist
refused 4 'blue' hd network add blue --type local --mtu 1400 --may-exist
refused 4 'p0' hd port add p0 --network blue --device dev0 --isolated --may-exist
hd port del none --if-exists
hd fdb add 02:00:00:00:00:07 --network blue --port p0 --may-exist
hd fdb add 02:00:00:00:00:07 --network blue --port p0 --may-exist
hd fdb del 02:00:00:00:00:07 --network blue --if-exists
hd fdb del 02:00:00:00:00:07 --network blue --if-exists
same "export" "$before" "$(hd export)"

# Events, one line each, as they happen; the first few may come before somebody listens.
timeout 20 "$B/heddle" -i "$I" -j monitor -n 4 >"$T/events" &
monitor=$!
heard() {
	hd port set p0 --isolated
	hd port set p0 --unset isolated
	! kill -0 "$monitor"
}
wait_for 10 heard
wait "$monitor"
same "events" 4 "$(jq -s '[.[] | select(.event == "set" and .noun == "port" and .name == "p0" and .time)] | length' "$T/events")"

# A daemon that does not answer: an own exit status, in the time that was given.
kill -STOP "$DAEMON"
start=${EPOCHREALTIME/./}
refused 7 'no answer|timeout' hd --timeout 1 port list
(((${EPOCHREALTIME/./} - start) < 3000000)) || fail "--timeout 1 took too long"
kill -CONT "$DAEMON"
hd port list >/dev/null

# A second daemon for the same instance is refused, and does no harm to the first.
refused 4 '.' nsenter --net="/run/netns/$N-host" "$B/heddled" --foreground --instance "$I" --state-dir "$T/state" --run-dir "$T/run"
port_is p0 up || fail "the second daemon harmed the first"

# Another instance beside it, in the background: ready when the command returns.
on host "$B/heddled" --instance "$I-2" --state-dir "$T/state" --run-dir "$T/run"
"$B/heddle" -i "$I-2" network add blue --type local
same "instances are apart" "$before" "$(hd export)"
pid=$("$B/heddle" -i "$I-2" -j status | jq .pid)
"$B/heddle" -i "$I-2" purge --yes
ended() { ! kill -0 "$pid"; }
wait_for 5 ended
[[ ! -e $PINS-2 ]] || fail "pins of the second instance are left"
port_is p0 up || fail "purge of the second instance harmed the first"

for words in "" "port" "port add" "network set" "fdb" "apply" "status" "purge"; do
	# shellcheck disable=SC2086 # they are words
	hd $words --help | grep -qi 'usage' || fail "no help for '$words'"
done
