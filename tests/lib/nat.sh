# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash source-path=SCRIPTDIR source=routing.sh
#
# nat.sh - what tests of address translation start with: an external network, and tenants behind routers
#
#   NAME (192.168.27.N) ── demo-net ── router r ── 172.16.200.151 ── ext (flat) ── eth1 ══ eth0 outside: 172.16.0.1, 172.16.0.9
#                                                                                           eth1 ══ eth0 far: 198.51.100.2

. "$(dirname "${BASH_SOURCE[0]}")/routing.sh"

GATEWAY=172.16.200.151
FLOATING=172.16.200.152

# external: the host, its network outside, and what is there
external() {
	host
	ns outside
	veth eth1 outside eth0
	ip -n "$N-outside" addr add 172.16.0.1/16 dev eth0
	ip -n "$N-outside" addr add 172.16.0.9/16 dev eth0
	hd uplink add eth1 --physical physnet1
	hd network add ext --type flat --physical physnet1
	hd subnet add ext --network ext --cidr 172.16.0.0/16 --gateway 172.16.0.1
}

# demo: one tenant; inside NAME N [PORT-OPTION...]: a workload of it
demo() {
	hd network add demo-net --type local
	hd subnet add demo --network demo-net --cidr 192.168.27.0/24 --gateway 192.168.27.1
	hd router add r
	hd router attach r --subnet demo
	hd router gateway r --network ext --ip $GATEWAY
}

inside() {
	workload demo-net "$1" --ip "192.168.27.$2" "${@:3}"
}

# far MTU: another network beyond, which the one outside is the router of
far() {
	ns far
	ip -n "$N-outside" link add eth1 mtu "$1" type veth peer name eth0 mtu "$1" netns "$N-far"
	ip -n "$N-outside" addr add 198.51.100.1/24 dev eth1
	ip -n "$N-far" addr add 198.51.100.2/24 dev eth0
	ip -n "$N-outside" link set eth1 up
	ip -n "$N-far" link set eth0 up
	link_turns far eth0 UP
	link_turns outside eth1 UP
	ip -n "$N-far" route add default via 198.51.100.1 advmss 1460 # as if the narrow part were between others
	on outside tee /proc/sys/net/ipv4/ip_forward >/dev/null <<<1
}

# nat_rows TABLE: how many entries a table of the datapath has
nat_rows() {
	bpftool -j map dump pinned "$PINS/maps/$1" | jq length
}

# seen FROM tcp|udp [ADDRESS [TO]]: "ADDRESS PORT" by which a connection from inside is seen
seen() {
	py "$LIB/seen.py" "$N-$1" "$N-${4-outside}" "$2" "${3-172.16.0.1}"
}

# nat PROGRAM ARGUMENT...: Python that finds the namespaces, see nat.py
nat() {
	py "$1" "$N" "$GATEWAY" "$FLOATING" "${@:2}"
}

# way_out NS ADDRESS FAR: a second uplink of host one of two_hosts.sh, and who is outside behind it; NS, FAR: ns and far, or ns6 and far6. With XDP both uplinks send on
# by XDP what they may, and all that is at their other ends is as network cards are.
way_out() {
	"$1" outside
	ip -n "$N-one" link add eth1 type veth peer name eth0 netns "$N-outside"
	ip -n "$N-one" link set eth1 up
	ip -n "$N-outside" addr add "$2" dev eth0 nodad
	ip -n "$N-outside" link set eth0 up
	link_turns outside eth0 UP
	link_turns one eth1 UP
	"$3" 1500
	at one uplink add eth1 --physical physnet1
	at one network add ext --type flat --physical physnet1
	[[ ${UPLINK_MODE-} == xdp ]] || return 0
	on outside ethtool -K eth0 gro on tx off tso off gso off >/dev/null
	on switch ethtool -K p-one gro on >/dev/null
	on far ethtool -K eth0 tx off tso off gso off >/dev/null
	at one uplink set eth1 --xdp-forward on
	at one uplink set wire --xdp-forward on
}

# went_by_xdp N: with XDP: each uplink of host one has sent on more than N packets by it
went_by_xdp() {
	local device

	[[ ${UPLINK_MODE-} == xdp ]] || return 0
	for device in wire eth1; do
		(($(xdp_sent one $device) > $1)) || fail "XDP has sent on from $device: $(xdp_sent one $device)"
	done
}
