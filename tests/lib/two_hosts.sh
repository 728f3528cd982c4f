# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash source-path=SCRIPTDIR source=netns.sh
#
# two_hosts.sh - what tests of tunnels start with: several hosts on a switch, and other people's tunnel endpoints among them
#
#    workload ── host "one" ── wire ═══ p-one ┐
#                 heddled                     ├ namespace "switch"
#    workload ── host "two" ── wire ═══ p-two ┘
#
# The ends of the wires have default offloads on the hosts' side, so a host may hand over 64 KB at once, as to a network card. The
# switch hands on what a card puts on the wire: whole frames of at most the wire's MTU, with all checksums. A host has 192.0.2.N
# and 2001:db8:ffff::N on its wire.

. "$(dirname "${BASH_SOURCE[0]}")/netns.sh"

declare -A WATCHES=()

# ---- the underlay ----

# bridge NAME [MTU]: the kernel's bridge br0, and nothing but a bridge: br_netfilter would drop what is malformed, and put pieces together
bridge() {
	local file

	for file in /proc/sys/net/bridge/bridge-nf-call-{iptables,ip6tables,arptables}; do
		[[ ! -e $file ]] || on "$1" tee "$file" >/dev/null <<<0
	done
	ip -n "$N-$1" link add br0 mtu "${2:-1500}" type bridge mcast_snooping 0
	ip -n "$N-$1" link set br0 up
}

MTU=1500 # of the underlay

# switch_on: the namespace "switch"
switch_on() {
	ns switch
	bridge switch "$MTU"
}

# plug HOST NUMBER: device "wire" of a namespace, joined to the switch
plug() {
	ip -n "$N-switch" link add "p-$1" mtu "$MTU" type veth peer name wire mtu "$MTU" netns "$N-$1"
	on switch ethtool -K "p-$1" tx off tso off gso off >/dev/null
	ip -n "$N-switch" link set "p-$1" master br0 up
	on "$1" tee /proc/sys/net/ipv6/conf/wire/disable_ipv6 >/dev/null <<<0
	ip -n "$N-$1" addr add "192.0.2.$2/24" dev wire
	ip -n "$N-$1" addr add "2001:db8:ffff::$2/64" dev wire nodad
	ip -n "$N-$1" link set wire up
	link_turns "$1" wire UP
	link_turns switch "p-$1" UP
}

# pair: hosts one and two on a switch, a heddled in each
pair() {
	hosts one two
	switch_on
	plug one 1
	plug two 2
}

# tunnels 4|6: one and two are each other's peers, over IPv4 or IPv6
tunnels() {
	local net=192.0.2.

	[[ $1 == 4 ]] || net=2001:db8:ffff::
	at one uplink add wire --tunnel-ip "${net}1"
	at two uplink add wire --tunnel-ip "${net}2"
	at one peer add two --tunnel-ip "${net}2"
	at two peer add one --tunnel-ip "${net}1"
	wait_for 10 peer_is one two up
	wait_for 10 peer_is two one up
}

# both COMMAND...: the same order to both
both() {
	at one "$@"
	at two "$@"
}

# host_up NAME: its heddled, once more, after host_kill or host_stop
host_up() {
	nsenter --net="/run/netns/$N-$1" "$B/heddled" --foreground --instance "$I-$1" --state-dir "$T/state" \
		--run-dir "$T/run" >>"$T/heddled.log" 2>&1 &
	DAEMONS[$1]=$!
	wait_for 90 at "$1" network list
}

host_kill() {
	kill -KILL "${DAEMONS[$1]}"
	wait "${DAEMONS[$1]}" 2>/dev/null || true
}

host_stop() {
	kill -TERM "${DAEMONS[$1]}"
	wait "${DAEMONS[$1]}" || fail "heddled of $1: exit status $? after SIGTERM"
}

# all_drops HOST: "REASON=PACKETS ..." of all reasons, sorted
all_drops() {
	at "$1" -j drops | jq -r 'group_by(.reason) | map("\(.[0].reason)=\(map(.packets) | add)") | join(" ")'
}

# drops_mark HOST...: what they have dropped up to now is of no interest: the first words of a workload, while the other was not there or not up yet
drops_mark() {
	local name

	for name; do all_drops "$name" >"$T/drops-$name"; done
}

# drops_since HOST: empty, or what the host has dropped then and now
drops_since() {
	local before now

	before=$(<"$T/drops-$1")
	now=$(all_drops "$1")
	[[ $now == "$before" ]] || echo "$1: $before -> $now"
}

# xdp_sent HOST DEVICE: packets that XDP has sent on from a veth, as its driver counts them; "errors" in front if one of them was lost
xdp_sent() {
	on "$1" ethtool -S "$2" | awk '/xdp_redirect:/ { sum += $2 } /_errors:/ && $2 { print "errors" } END { print sum + 0 }'
}

# ---- looking at the wire ----

# watch_start HOST [MTU [DEVICE]]: look at each frame that comes to a host by its wire, see underlay.py. Where XDP opens them it is looked at how they leave the switch:
# packet sockets of the host see what XDP has left.
watch_start() {
	local where=("$N-$1" "${3:-wire}")

	[[ ${UPLINK_MODE-} != xdp ]] || where=("$N-switch" "p-$1:out")
	rm -f "$T/ready-$1"
	PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$LIB/underlay.py" "${where[@]}" "${2:-$MTU}" "$T/ready-$1" >"$T/watch-$1" 2>&1 &
	WATCHES[$1]=$!
	wait_for 10 test -e "$T/ready-$1"
}

# watch_stop HOST: none of them was too large, in pieces, or had a wrong checksum. Leaves counts in $T/watch-HOST, as JSON.
watch_stop() {
	kill -TERM "${WATCHES[$1]}"
	wait "${WATCHES[$1]}" || fail "on the wire to $1: $(<"$T/watch-$1")"
}

# watched HOST FILTER: out of these counts
watched() {
	jq -r "$2" "$T/watch-$1"
}

# csum_errors NAME...: what receivers in these namespaces have refused for its checksum: "NAME COUNTER NUMBER", nothing if all is well
csum_errors() {
	local name

	for name; do
		{
			on "$name" cat /proc/net/snmp6
			on "$name" awk '{ if ($1 == last) for (i = 2; i <= NF; i++) print $1 word[i], $i; split($0, word); last = $1 }' \
				/proc/net/snmp
		} | awk -v name="$name" '/CsumErrors/ && $2 { print name, $0 }'
	done
}

# ---- traffic ----

# transfers FROM TO ADDRESS BYTES: over TCP, unchanged
transfers() {
	PYTHONDONTWRITEBYTECODE=1 timeout 20 /usr/bin/python3 "$LIB/transfer.py" "$N-$1" "$N-$2" "$3" "$4" >"$T/transfer" 2>&1 ||
		fail "TCP from $1 to $3, not within 20 s or not right: $(tail -1 "$T/transfer")"
}

# all_ways A B: between two workloads with 10.0.20.1 and .2, 2001:db8::1 and ::2
all_ways() {
	pings_sized "$1" 10.0.20.2 2001:db8::2
	pings_sized "$2" 10.0.20.1 2001:db8::1
	transfers "$1" "$2" 10.0.20.2 60000
	transfers "$2" "$1" 10.0.20.1 60000
	transfers "$1" "$2" 2001:db8::2 60000
	transfers "$2" "$1" 2001:db8::1 60000
}

# behind HOST NAME NUMBER MTU: a workload of a host that has no heddle; its device there is dev-NAME
behind() {
	local host=$1 name=$2 number=$3 mtu=$4

	ns6 "$name"
	ip -n "$N-$host" link add "dev-$name" mtu "$mtu" type veth peer name eth0 mtu "$mtu" netns "$N-$name"
	ip -n "$N-$name" link set eth0 address "02:00:00:00:00:0$number" up
	ip -n "$N-$name" addr add "10.0.20.$number/24" dev eth0
	ip -n "$N-$name" addr add "2001:db8::$number/64" dev eth0 nodad
	ip -n "$N-$host" link set "dev-$name" up
	link_turns "$name" eth0 UP
}

# ---- other people's endpoints ----

# kernel_tunnel HOST DEVICE-TYPE OPTION...: a tunnel device of the kernel's, tun, in bridge br0
kernel_tunnel() {
	bridge "$1"
	ip -n "$N-$1" link add tun type "${@:2}"
	ip -n "$N-$1" link set tun master br0 up
}

# kernel_tunnel_end HOST
kernel_tunnel_end() {
	ip -n "$N-$1" link del br0
	ip -n "$N-$1" link del tun
}

# needs_device DEVICE-TYPE...: the kernel has such devices, or the test is skipped
needs_device() {
	local type

	ns probe
	for type; do
		# Without options it is refused for them, or made; an unknown type is refused for being that.
		ip -n "$N-probe" link add "probe-$type" type "$type" >"$T/probe" 2>&1 || true
		! grep -q 'Unknown device type' "$T/probe" || skip "the kernel here has no $type devices"
	done
	ip netns del "$N-probe"
}

# kernel_meets TYPE UNDERLAY MTU [LARGEST]: everything gets through between the network blue of host one and the device tun of host two, with
# workloads of this MTU; packets to the kernel are as large as the wire carries, or LARGEST, and are tunnel packets of the TYPE. UNDERLAY is
# 192.0.2. or 2001:db8:ffff::. Undone by kernel_leaves.
kernel_meets() {
	local type=$1 net=$2 mtu=$3 largest=${4:-1500}

	at one uplink add wire --tunnel-ip "${net}1"
	at one peer add two --tunnel-ip "${net}2"
	wait_for 10 peer_is one two up
	behind two b 2 "$mtu"
	ip -n "$N-two" link set dev-b master br0
	joined one blue a 1 --no-security
	drops_mark one
	same "MTU over $net" "$mtu" "$(ip -n "$N-a" -j link show eth0 | jq '.[0].mtu')"

	watch_start one
	watch_start two
	all_ways a b
	watch_stop one
	watch_stop two
	same "largest to the kernel, over $net" "$largest" "$(watched two .largest)"
	same "largest from the kernel, over $net" 1500 "$(watched one .largest)"
	same "tunnel packets" "true true" "$(watched one ".$type > 100") $(watched two ".$type > 100")"
	same "checksum errors" "" "$(csum_errors a b one two)"
	same "errors of the kernel's device" "0 0" "$(ip -n "$N-two" -j -s link show tun | jq -r '.[0].stats64 | "\(.rx.errors) \(.tx.errors)"')"
	same "drops" "" "$(drops_since one)"
}

kernel_leaves() {
	at one port del a
	at one peer del two
	at one uplink del wire
	ip -n "$N-two" link del dev-b
	ip netns del "$N-a"
	ip netns del "$N-b"
	kernel_tunnel_end two
}

# ovs_start HOST: Open vSwitch in user space; br-ex has the wire and the host's addresses, br-int is for tunnels and workloads
ovs_start() {
	command -v ovs-vswitchd >/dev/null || skip "there is no Open vSwitch here"
	OVS=$T/ovs-$1
	mkdir "$OVS"
	ovsdb-tool create "$OVS/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	OVS_RUNDIR=$OVS on "$1" ovsdb-server "$OVS/conf.db" --remote="punix:$OVS/db.sock" --unixctl="$OVS/db.ctl" \
		--pidfile="$OVS/db.pid" --log-file="$OVS/db.log" --detach --no-chdir 2>>"$OVS/err"
	vsctl --no-wait init
	OVS_RUNDIR=$OVS on "$1" ovs-vswitchd "unix:$OVS/db.sock" --unixctl="$OVS/vs.ctl" --pidfile="$OVS/vs.pid" \
		--log-file="$OVS/vs.log" --detach --no-chdir 2>>"$OVS/err"
	vsctl add-br br-ex -- set bridge br-ex datapath_type=netdev -- set interface br-ex mtu_request="$MTU" -- add-port br-ex wire \
		-- add-br br-int -- set bridge br-int datapath_type=netdev
	ovs_address "$1"
}

# The addresses move from the wire to the bridge that it is in now.
ovs_address() {
	local address

	on "$1" tee /proc/sys/net/ipv6/conf/br-ex/disable_ipv6 >/dev/null <<<0
	ip -n "$N-$1" link set br-ex up
	for address in $(ip -n "$N-$1" -j addr show dev wire | jq -r '.[0].addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"'); do
		ip -n "$N-$1" addr del "$address" dev wire
		ip -n "$N-$1" addr add "$address" dev br-ex nodad 2>/dev/null || ip -n "$N-$1" addr add "$address" dev br-ex
	done
}

vsctl() {
	ovs-vsctl --db="unix:$OVS/db.sock" --timeout=20 "$@"
}

# ovs_tunnel TYPE [KEY=VALUE...]: a tunnel port, options as ovs-vswitchd.conf.db(5) has them
ovs_tunnel() {
	local type=$1 option options=()

	shift
	for option; do
		options+=("options:$option")
	done
	vsctl --if-exists del-port tun -- add-port br-int tun -- set interface tun "type=$type" "${options[@]}"
}

# ovs_workload HOST NAME NUMBER MTU: behind br-int. OVS itself computes no checksums that a workload has left to it.
ovs_workload() {
	behind "$@"
	on "$2" ethtool -K eth0 tx off >/dev/null
	on "$1" ethtool -K "dev-$2" tx off >/dev/null
	vsctl add-port br-int "dev-$2"
}

# ---- other endpoints played by a test, see sea.py ----

# sea NUMBER...: the namespace "sea", in which endpoints 192.0.2.NUMBER and 2001:db8:ffff::NUMBER are, all by what the test itself sends. Its
# kernel has none of these addresses, so it answers nothing.
sea() {
	local number mac

	ns sea
	plug sea 9
	SEA=("$T/run/$I-one/api.sock" "$N" "$(mac_of one wire)")
	for number; do
		mac=02:00:00:00:01:$number
		ip -n "$N-one" neigh replace "192.0.2.$number" lladdr "$mac" nud permanent dev wire
		ip -n "$N-one" neigh replace "2001:db8:ffff::$number" lladdr "$mac" nud permanent dev wire
	done
}

# mute_at HOST NET NAME NUMBER [PORT-OPTION...]: a workload that says nothing by itself, as mute in netns.sh
mute_at() {
	local host=$1 net=$2 name=$3 number=$4

	ns "$name"
	ip -n "$N-$host" link add "dev-$name" type veth peer name eth0 netns "$N-$name"
	ip -n "$N-$host" link set "dev-$name" up
	ip -n "$N-$name" link set eth0 address "02:00:00:00:00:0$number" up
	link_turns "$name" eth0 UP
	link_turns "$host" "dev-$name" UP
	at "$host" port add "$name" --network "$net" --device "dev-$name" "${@:5}"
}

# sail PROGRAM NAME=NUMBER|PEER=NUMBER...: see sea.py
sail() {
	py "$1" "${SEA[@]}" "${@:2}"
}

# ---- what a reader of a failed test wants to see ----

show_state() {
	local host

	[[ -z $DAEMON ]] || timeout 5 "$B/heddle" -i "$I" status 2>&1 | tail -30
	[[ -z $DAEMON ]] || timeout 5 "$B/heddle" -i "$I" drops 2>&1 | head -15
	for host in "${!DAEMONS[@]}"; do
		printf -- '--- %s: heddle status, peers, drops\n' "$host"
		timeout 5 "$B/heddle" -i "$I-$host" status 2>&1 | tail -25
		timeout 5 "$B/heddle" -i "$I-$host" peer list 2>&1 | head -15
		timeout 5 "$B/heddle" -i "$I-$host" drops 2>&1 | head -15
		ip -n "$N-$host" neigh 2>&1 | head
	done
	printf -- '--- heddled.log\n'
	tail -n 15 "$T/heddled.log" 2>/dev/null
	tail -n 15 "$T"/ovs-*/vs.log 2>/dev/null
}
