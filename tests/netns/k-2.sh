#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario K-2: remove everything, and the machine is as it was; by purge, and by del of every object.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

ns host a b c
ip -n "$N-host" tuntap add tap0 mode tap
veth dev0 c eth0

# Counters and what the kernel itself keeps changing are left out.
snapshot() {
	local name

	for name in host a b c; do
		echo "== $name"
		on "$name" ip -d -o link show
		on "$name" ip -o addr show
		on "$name" ip route show table all
		on "$name" ip -6 route show table all
		on "$name" ip rule show
		on "$name" tc qdisc show
		on "$name" tc filter show dev lo ingress
		on "$name" bpftool net show
		on "$name" sysctl -a --pattern '^net\.' 2>/dev/null | grep -v 'random\|nf_conntrack_count'
	done
	for name in dev0 tap0; do
		on host tc filter show dev "$name" ingress
		on host tc filter show dev "$name" egress
		on host tc qdisc show dev "$name"
		on host ethtool -k "$name"
	done
	find /sys/fs/bpf/heddle -path "*$I*" 2>/dev/null || true
}

# How many programs are attached to the ports' devices: by links, or where the kernel has none by filters.
attached() {
	local dev side

	if has_tcx; then
		grep -c ^link "$T/objects"
		return
	fi
	for dev in $(ip -n "$N-host" -j link | jq -r '.[].ifname'); do
		for side in ingress egress; do
			on host tc filter show dev "$dev" "$side"
		done
	done | grep -c direct-action
}

full_life() {
	hd network add blue --type local --neighbour-suppression on
	hd network add green --type local --flood off
	hd subnet add blue4 --network blue --cidr 10.0.20.0/24 --gateway 10.0.20.254
	hd port add a --network blue --netns "$N-a" --ifname eth0 --ip 10.0.20.1 --mac 02:00:00:00:00:0a
	hd port add b --network blue --netns "$N-b" --ifname eth0 --ip 10.0.20.2
	hd port add leg --network blue --internal --ip 10.0.20.254
	hd port add dev --network green --device dev0
	hd port add tap --network green --device tap0
	hd fdb add 02:00:00:00:00:77 --network green --port dev
	hd neighbour add 10.0.20.77 --network blue --mac 02:00:00:00:00:77
	pings a 10.0.20.2 10.0.20.254
	hd port set a --isolated --mtu 1400
	hd network set blue --mtu 1300
	bpf_objects >"$T/objects"
	(($(grep -c ^prog "$T/objects") >= 3 && $(attached) == 10)) ||
		fail "not the programs and attachments of five ports: $(<"$T/objects")"
	daemon_kill
	daemon_start
	hd port set a --unset mtu
	pings b 10.0.20.254
	bpf_objects >>"$T/objects"
}

del_all() {
	hd fdb del 02:00:00:00:00:77 --network green
	hd neighbour del 10.0.20.77 --network blue
	local port
	for port in a b leg dev tap; do
		hd port del "$port"
	done
	hd subnet del blue4
	hd network del blue
	hd network del green
	same "objects" '{"version":1}' "$(hd -j export | jq -c 'with_entries(select(.value != {}))')"
}

before=$(snapshot)

daemon_start
full_life
hd purge --yes
daemon_purged
same "after purge" "$before" "$(snapshot)"
wait_for 5 bpf_gone "$T/objects"
[[ ! -e $PINS ]] || fail "pins are left: $(find "$PINS")"

# Purge is also what is left in the database: a new daemon starts empty.
daemon_start
same "objects after purge" '{"version":1}' "$(hd -j export | jq -c 'with_entries(select(.value != {}))')"

# With del the instance itself goes on; its maps stay for the next object, and nothing else.
full_life
del_all
same "links after del" "" "$(bpf_objects | grep link || true)"
daemon_stop
same "after del" "$before" "$(snapshot | grep -v "^/sys/fs/bpf/heddle/$I\(/maps.*\|/progs.*\|/links\|\)\$")"
same "link pins after del" "" "$(ls "$PINS/links")"

# Purge by a daemon that has only just been restarted removes what its predecessors made.
daemon_start
hd purge --yes
daemon_purged
same "after the second purge" "$before" "$(snapshot)"
wait_for 5 bpf_gone "$T/objects"
