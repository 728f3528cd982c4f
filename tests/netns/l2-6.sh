#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario L2-6: VLANs over two hosts. eth1 of both is a trunk of VLANs 10 and 20; access ports of equal tags reach each other, those of
# different ones do not; tagged on the wire, untagged at the access side, and the same with a native VLAN.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

# shellcheck source-path=SCRIPTDIR source=../lib/far.sh
. "$(dirname "$0")/../lib/far.sh"

host
far_start
hd network add net --type local
far network add net --type local
hd port add eth1 --network net --device eth1 --no-security --vlan-mode trunk --trunk 10,20
far port add eth1 --network net --device eth1 --no-security --vlan-mode trunk --trunk 10,20
group() {
	"$1" security-group add ping --may-exist
	"$1" security-group rule-add ping --direction ingress --protocol icmp >/dev/null
}
group hd
group far

# access COMMAND NAME TAG ADDRESS
access() {
	ns "$2"
	"$1" port add "$2" --network net --netns "$N-$2" --ifname eth0 --vlan-mode access --tag "$3" --ip "$4/24" \
		--mac "02:00:00:00:00:${4##*.}" --security-group ping
}
access hd ns1 10 192.168.0.81
access hd ns2 20 192.168.0.82
access far far1 10 192.168.0.91
access far far2 20 192.168.0.92

reach='
ns1 ns2 no
ns1 far1 yes
ns1 far2 no
ns2 far1 no
ns2 far2 yes
far1 far2 no'

# check_reach [yes]: with it only those who do
check_reach() {
	local from to answer
	declare -A ip=([ns1]=192.168.0.81 [ns2]=192.168.0.82 [far1]=192.168.0.91 [far2]=192.168.0.92)

	while read -r from to answer; do
		if [[ $answer == yes ]]; then
			pings "$from" "${ip[$to]}"
			pings "$to" "${ip[$from]}"
		elif [[ -z ${1-} ]]; then
			silent "$from" "${ip[$to]}"
			silent "$to" "${ip[$from]}"
		fi
	done <<<"${reach#?}"
}


# seen NAME DEVICE "FROM >" TAG|untagged: the echo packets of FROM that come in by a device have this form. What leaves is seen at the far
# end: it goes there without passing the packet sockets on this side.
seen() {
	local lines

	wait_for 10 echoes "$1" "$2" "$3" # what has passed may still be on its way into the file
	lines=$(echoes "$1" "$2" "$3")
	if [[ $4 == untagged ]]; then
		! grep -q 'ethertype 802.1Q' <<<"$lines" || fail "$3 is tagged on $2 of $1: $lines"
	else
		! grep -qv "ethertype 802.1Q (0x8100), length [0-9]*: vlan $4, p 0" <<<"$lines" ||
			fail "$3 is not tagged with $4 on $2 of $1: $lines"
	fi
}

echoes() {
	on "$1" timeout 5 tcpdump -nnel -r "$T/$1-$2.pcap" 2>/dev/null | grep "ICMP echo" | grep " $3 "
}

captures=() sizes=
capture() {
	bg "$1" tcpdump --immediate-mode -nn -U -Z root -i "$2" -w "$T/$1-$2.pcap" 2>"$T/$1-$2.err"
	captures+=($!)
	wait_for 10 grep -q 'listening on' "$T/$1-$2.err"
}

settled() {
	local before=$sizes

	sizes=$(stat -c %s "$T"/*.pcap)
	[[ $before == "$sizes" ]]
}

capture_read() {
	sizes=
	wait_for 5 settled
}

capture_end() {
	local pid

	for pid in "${captures[@]}"; do
		kill -TERM "$pid"
		wait "$pid" || true
	done
	captures=()
}

only= # with offload off, those who reach each other will do
for state in on off; do
	echo "trunk, VLAN offload $state"
	offload "$state"
	capture host eth1
	capture far eth1
	capture far1 eth0
	capture far2 eth0
	check_reach "$only"
	only=yes
	capture_read
	seen far eth1 '192.168.0.81 >' 10
	seen host eth1 '192.168.0.91 >' 10
	seen far eth1 '192.168.0.82 >' 20
	seen far1 eth0 '192.168.0.81 >' untagged
	seen far2 eth0 '192.168.0.82 >' untagged
	capture_end
done
offload on

echo "native-untagged"
wire --vlan-mode native-untagged --tag 10
capture far eth1
check_reach yes
silent ns1 192.168.0.92
capture_read
seen far eth1 '192.168.0.81 >' untagged
seen far eth1 '192.168.0.82 >' 20
capture_end

echo "native-tagged"
wire --vlan-mode native-tagged --tag 10
capture far eth1
check_reach yes
silent ns1 192.168.0.92
capture_read
seen far eth1 '192.168.0.81 >' 10
seen far eth1 '192.168.0.82 >' 20
capture_end

echo "different native VLANs on the two sides join them: what it says is what it does"
hd port set eth1 --vlan-mode native-untagged --tag 10
far port set eth1 --vlan-mode native-untagged --tag 20
on ns1 ip neigh flush dev eth0
pings ns1 192.168.0.92

echo "back to a trunk that lists one of them only"
wire --vlan-mode trunk --unset tag --trunk 20
silent ns1 192.168.0.91
pings ns2 192.168.0.92
same "drops at the wire" "0" "$(drops_of no-port)"
