# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# far.sh - a second host: a namespace with a daemon of its own, whose command line is "far" as the first one's is "hd"

# far_start: both hosts, and the wire between them, eth1 at either end
far_start() {
	ns far
	nsenter --net="/run/netns/$N-far" "$B/heddled" --foreground --instance "$I-far" --state-dir "$T/far" \
		--run-dir "$T/run" >>"$T/far.log" 2>&1 &
	wait_for 30 far network list
	veth eth1 far eth1
}

far() {
	"$B/heddle" -i "$I-far" "$@"
}

# wire OPTION...: how both hosts treat eth1
wire() {
	hd port set eth1 "$@"
	far port set eth1 "$@"
}

# offload on|off: VLAN offload at both ends of the wire
offload() {
	on host ethtool -K eth1 rxvlan "$1" txvlan "$1" >/dev/null
	on far ethtool -K eth1 rxvlan "$1" txvlan "$1" >/dev/null
}
