#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenarios L2-6, L2-7 with the kernel's 802.1Q devices at the other end: of a VLAN network by an uplink, and of a trunk. Pings of three sizes and
# TCP both ways, both families, VLAN offload on and off; priorities are kept, both ways, where there is a tag to carry them.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

needs_device vlan
hosts one
ns two
switch_on
plug one 1
plug two 2

# PRIORITY of all packets, whatever the sender's own idea of it is
qos() {
	printf 'egress-qos-map'
	printf " %s:$1" {0..7}
}

# addressed NAME DEVICE NUMBER
addressed() {
	ip -n "$N-$1" link set "$2" address "02:00:00:00:00:0$3" up
	ip -n "$N-$1" addr add "10.0.20.$3/24" dev "$2"
	ip -n "$N-$1" addr add "2001:db8::$3/64" dev "$2" nodad
	link_turns "$1" "$2" UP
}

# tagged NAME VID PRIORITY: eth0.VID upon eth0, which has nothing to say itself
tagged() {
	on "$1" tee /proc/sys/net/ipv6/conf/eth0/disable_ipv6 >/dev/null <<<1
	# shellcheck disable=SC2046 # words
	ip -n "$N-$1" link add link eth0 name "eth0.$2" type vlan id "$2" $(qos "$3")
	ip -n "$N-$1" link set eth0 up
}

# far NAME VID PRIORITY NUMBER: a workload of host two; its eth0 is that VLAN on the wire
far() {
	ns6 "$1"
	# shellcheck disable=SC2046 # words
	ip -n "$N-two" link add link wire name "to-$1" type vlan id "$2" $(qos "$3")
	ip -n "$N-two" link set "to-$1" netns "$N-$1" name eth0
	addressed "$1" eth0 "$4"
}

# offload HOST on|off
offload() {
	on "$1" ethtool -K wire rxvlan "$2" txvlan "$2" >/dev/null
}

# tags NAME: those of all the frames that a watch has seen with one
tags() {
	watched "$1" 'keys - ["largest", "other"] | join(" ")'
}

# meets A TAG B TAG: everything between A and the kernel's B, with these tags on the wire and no others
meets() {
	local state

	for state in on off; do
		offload one "$state"
		watch_start one
		watch_start two
		all_ways "$1" "$3"
		watch_stop one
		watch_stop two
		same "tags from $1, offload $state" "$2" "$(tags two)"
		same "tags from $3, offload $state" "$4" "$(tags one)"
		same "largest, offload $state" "1500 1500" "$(watched one .largest) $(watched two .largest)"
	done
	same "checksum errors" "" "$(csum_errors "$1" "$3" one two)"
}

echo "a VLAN network"
at one uplink add wire --physical phys
at one network add red --type vlan --physical phys --id 10
far b 10 5 2
joined one red a 1 --no-security
meets a 10p0 b 10p5
at one port del a
ip netns del "$N-a"

# knows_tags NET VID PRIORITY: workload a, whose eth0 carries tags; addresses on eth0.VID
knows_tags() {
	ns6 a
	at one port add a --network "$1" --netns "$N-a" --ifname eth0 --no-security --vlan-mode trunk
	tagged a "$2" "$3"
	addressed a "eth0.$2" 1
}

echo "a workload that knows of priorities: tags of VID 0"
knows_tags red 0 3
watch_start a "$MTU" eth0
meets a 10p3 b 10p5
watch_stop a
same "tags at the workload" 0p5 "$(tags a)"
at one port del a
ip netns del "$N-a"
at one network del red
at one uplink del wire

echo "a trunk: a workload that knows of VLANs, and access ports"
at one network add net --type local
at one port add wire --network net --device wire --no-security --vlan-mode trunk --trunk 10,20
knows_tags net 10 6
watch_start a "$MTU" eth0
meets a 10p6 b 10p5
watch_stop a
same "tags at the workload" 10p5 "$(tags a)"

far c 20 4 4
joined one net d 3 --no-security --vlan-mode access --tag 20
pings_sized d 10.0.20.4 2001:db8::4
watch_start two
watch_start d "$MTU" eth0 # where pieces of pings would come without a tag
transfers d c 10.0.20.4 60000
transfers c d 10.0.20.3 60000
watch_stop two
watch_stop d
same "tags from d" 20p0 "$(tags two)"
same "tags at d" "" "$(tags d)"

echo "VLANs don't meet"
silent d 10.0.20.2
silent a 10.0.20.4
same "checksum errors" "" "$(csum_errors a b c d one two)"
