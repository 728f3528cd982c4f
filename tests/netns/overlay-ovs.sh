#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenarios T-1, T-4, T-8: Open vSwitch (userspace datapath) at the other end, by VXLAN, Geneve and GRE with and without a key: ping, and
# 60,000 random bytes over TCP unchanged both ways; lengths of GRE packets as they should be. The workload has default offloads; the wire is as
# a network card would be, whole frames with checksums, because what Open vSwitch reads from a veth is not marked as unfinished.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

[[ -x /usr/sbin/ovs-vswitchd ]] || skip "no Open vSwitch here"
hosts one
ns far w
ip -n "$N-one" link add wire type veth peer name wire netns "$N-far"
ip -n "$N-one" addr add 192.0.2.1/24 dev wire
ip -n "$N-one" link set wire up
ip -n "$N-far" link set wire up
plain_wire one far

# ---- Open vSwitch: everything of it in $T ----
export OVS_RUNDIR=$T/ovs
mkdir "$OVS_RUNDIR"
ovsdb-tool create "$OVS_RUNDIR/conf.db" /usr/share/openvswitch/vswitch.ovsschema
bg far ovsdb-server "$OVS_RUNDIR/conf.db" --remote="punix:$OVS_RUNDIR/db.sock" --unixctl="$OVS_RUNDIR/db.ctl" \
	>"$T/ovsdb.log" 2>&1
wait_for 10 test -S "$OVS_RUNDIR/db.sock"
vsctl() { ovs-vsctl --db="unix:$OVS_RUNDIR/db.sock" --timeout=20 "$@"; }
vsctl --no-wait init
bg far ovs-vswitchd "unix:$OVS_RUNDIR/db.sock" --unixctl="$OVS_RUNDIR/vs.ctl" >"$T/vswitchd.log" 2>&1
vsctl add-br br-ex -- set bridge br-ex datapath_type=netdev
vsctl add-port br-ex wire
vsctl add-br br-int -- set bridge br-int datapath_type=netdev
ip -n "$N-far" addr add 192.0.2.2/24 dev br-ex
ip -n "$N-far" link set br-ex up
ip -n "$N-far" link add vw type veth peer name eth0 address 02:00:00:00:00:02 netns "$N-w"
ip -n "$N-far" link set vw up
vsctl add-port br-int vw
on w tee /proc/sys/net/ipv6/conf/{all,default,eth0}/disable_ipv6 >/dev/null <<<0
on w ethtool -K eth0 tx off >/dev/null
ip -n "$N-w" link set eth0 mtu 1400 up
ip -n "$N-w" addr add 10.0.20.2/24 dev eth0
ip -n "$N-w" addr add 2001:db8::2/64 dev eth0 nodad

at one uplink add wire --tunnel-ip 192.0.2.1
at one peer add far --tunnel-ip 192.0.2.2
wait_for 20 peer_is one far up

# exchange TYPE ID OPTION...: a network of ours, a tunnel port of theirs
exchange() {
	local type=$1 id=$2 to size

	shift 2
	at one network add "$type" --type "$type" ${id:+--id "$id"} --mtu 1400
	joined one "$type" a 1 --no-security
	vsctl --may-exist add-port br-int tun -- set interface tun type="$type" options:remote_ip=192.0.2.1 \
		options:local_ip=192.0.2.2 ${id:+options:key="$id"} "$@"
	wait_for 10 on a ping -n -q -c 1 -W 1 10.0.20.2
	pings_sized a 10.0.20.2 2001:db8::2
	for to in 10.0.20. 2001:db8::; do
		py "$LIB/transfer.py" "$N-a" "$N-w" "${to}2" 60000
		py "$LIB/transfer.py" "$N-w" "$N-a" "${to}1" 60000
	done
}

leave() {
	at one port del a
	at one network del "$1"
	ip netns del "$N-a"
	vsctl del-port tun
}

# lengths LENGTH: an outer IP packet of a default ping has it, as tcpdump says
lengths() {
	bg far timeout 10 tcpdump -n -i wire -c 1 -v 'ip proto gre and src 192.0.2.1' >"$T/dump" 2>/dev/null
	local dump=$!

	for _ in {1..30}; do
		on a ping -n -q -c 1 -W 1 10.0.20.2 >/dev/null
		kill -0 "$dump" 2>/dev/null || break
	done
	wait "$dump"
	grep -q "GREv0.* length $1" "$T/dump" || fail "not GREv0, length $1: $(<"$T/dump")"
}

exchange vxlan 16777215
leave vxlan
exchange geneve 16777215
leave geneve
exchange gre ""
lengths 102
leave gre
exchange gre 4294967295 options:csum=true
lengths 106
leave gre
