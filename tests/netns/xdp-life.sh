#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Uplinks by XDP: modes change under traffic, daemons are killed and replaced, the device goes down, comes back as another one; and in the end
# nothing of it is left.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

pair
has() { at "$1" -j uplink show wire | jq -r '"\(.mode) \(."mode-in-use") \(."mode-reason")"'; }
in_use() { [[ $(at "$1" -j uplink show wire | jq -r '."mode-in-use"') == "$2" ]]; }
xdp_of() { ip -n "$N-$1" -j -d link show dev wire | jq -r '.[0].xdp.prog.name // "none"'; }
gro_of() { on "$1" ethtool -k wire | awk '/^generic-receive-offload/ { print $2 }'; }

machine() {
	ip -n "$N-$1" -d -o link show
	on "$1" ethtool -k wire
	on "$1" bpftool net show
	on "$1" tc qdisc show
	find "$PINS-$1/links" -mindepth 1 2>/dev/null || true
}
before=$(machine one)

both network add blue --type vxlan --id 10
tunnels 4
joined one blue a 1
joined two blue b 2 --no-security
same "mode of a veth by itself" "auto tc it is a veth device, and no hardware" "$(has one)"
both uplink set wire --mode xdp
same "mode that was asked for" "xdp xdp " "$(has one)"
same "on the device" "hd_uplink_xdp on" "$(xdp_of one) $(gro_of one)"
at one status | grep -q '^wire *up *xdp' || fail "status does not say so: $(at one status)"
pings a 10.0.20.2

# With XDP in front nobody loses anything when daemons come and go, and other programs take over.
resized() { # HOST ENTRIES: another datapath
	printf 'table-sizes:\n  fdb: %s\n' "$2" >"$T/heddled.conf"
	host_kill "$1"
	nsenter --net="/run/netns/$N-$1" "$B/heddled" --foreground --instance "$I-$1" --state-dir "$T/state" \
		--run-dir "$T/run" --config "$T/heddled.conf" >>"$T/heddled.log" 2>&1 &
	DAEMONS[$1]=$!
	wait_for 90 at "$1" network list
}
xdp_id() { ip -n "$N-$1" -j link show dev wire | jq '.[0].xdp.prog.id'; }

traffic_start a b 10.0.20.2
host_kill two
host_up two
old=$(xdp_id two)
for size in 70000 80000; do
	resized two $size
	same "after an upgrade" "hd_uplink_xdp on" "$(xdp_of two) $(gro_of two)"
	[[ $(xdp_id two) != "$old" ]] || fail "the program is the old one"
	old=$(xdp_id two)
done
traffic_stop

# From one mode to the other.
traffic_start a b 10.0.20.2
for _ in 1 2 3 4 5; do
	both uplink set wire --mode tc
	same "without XDP" "none off" "$(xdp_of one) $(gro_of one)"
	both uplink set wire --mode xdp
	same "with XDP" "hd_uplink_xdp on" "$(xdp_of one) $(gro_of one)"
done
traffic_stop

# Down, up; and another device of the same name.
ip -n "$N-two" link set wire down
ip -n "$N-two" link set wire up
link_turns two wire UP
wait_for 10 peer_is two one up
pings a 10.0.20.2
same "after it was down" "hd_uplink_xdp on" "$(xdp_of two) $(gro_of two)"
ip -n "$N-two" link del wire
plug two 2
wait_for 10 in_use two xdp
wait_for 10 peer_is two one up
wait_for 10 on a ping -n -q -c 1 -W 1 10.0.20.2
same "another device" "hd_uplink_xdp on" "$(xdp_of two) $(gro_of two)"

# What was on is left on.
both uplink set wire --mode tc
on one ethtool -K wire gro on
at one uplink set wire --mode xdp
at one uplink set wire --mode tc
same "GRO that others have turned on" on "$(gro_of one)"
on one ethtool -K wire gro off
at one uplink set wire --mode xdp

# A link of a daemon that was killed, for an uplink that is deleted by the next.
host_kill one
host_up one
at one port del a
at one peer del two
at one uplink del wire
at one network del blue
same "after del" "$before" "$(machine one)"
at two purge --yes
same "after purge" "none off" "$(xdp_of two) $(gro_of two)"
[[ ! -e $PINS-two ]] || fail "pins are left: $(find "$PINS-two")"
