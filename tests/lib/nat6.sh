# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash source-path=SCRIPTDIR source=nat.sh
#
# nat6.sh - what tests of IPv6 at the outside of routers start with; the kernel's stack is outside
#
#   NAME (2001:db8:27::N) ── net6 ── router r ── 2001:db8:ff::151 ── ext (flat) ── eth1 ══ eth0 outside: 2001:db8:ff::1

. "$(dirname "${BASH_SOURCE[0]}")/nat.sh"

OUTSIDE6=2001:db8:ff::1
GATEWAY6=2001:db8:ff::151
FLOATING6=2001:db8:ff::152

# external6 [IPV4-SUBNET-OPTION...]: the host, its network outside, and what is there
external6() {
	host
	ns6 outside
	veth eth1 outside eth0
	ip -n "$N-outside" addr add $OUTSIDE6/64 dev eth0 nodad
	hd uplink add eth1 --physical physnet1
	hd network add ext --type flat --physical physnet1
	hd subnet add ext6 --network ext --cidr 2001:db8:ff::/64 --gateway $OUTSIDE6
}

# tenant6 ROUTER NETWORK [GATEWAY-OPTION...]: a router for a network with 2001:db8:27::/64
tenant6() {
	hd network add "$2" --type local
	hd subnet add "$2" --network "$2" --cidr 2001:db8:27::/64 --gateway 2001:db8:27::1
	hd router add "$1"
	hd router attach "$1" --subnet "$2"
	hd router gateway "$1" --network ext "${@:3}"
}

# inside6 NETWORK NAME N [PORT-OPTION...]
inside6() {
	ns6 "$2"
	hd port add "$2" --network "$1" --netns "$N-$2" --ifname eth0 --ip "2001:db8:27::$3" "${@:4}"
}

# far6 MTU: another network beyond, which the one outside is the router of
far6() {
	ns6 far
	ip -n "$N-outside" link add eth1 mtu "$1" type veth peer name eth0 mtu "$1" netns "$N-far"
	ip -n "$N-outside" addr add 2001:db8:fa::1/64 dev eth1 nodad
	ip -n "$N-far" addr add 2001:db8:fa::2/64 dev eth0 nodad
	ip -n "$N-outside" link set eth1 up
	ip -n "$N-far" link set eth0 up
	link_turns far eth0 UP
	link_turns outside eth1 UP
	ip -n "$N-far" route add default via 2001:db8:fa::1 advmss 1440 # as if the narrow part were between others
	on outside tee /proc/sys/net/ipv6/conf/all/forwarding >/dev/null <<<1
}

# next_hop ip|mac|state FAMILY: of router r, as "router show" has it; FAMILY: 4 or 6
next_hop() {
	hd -j router show r | jq -r --arg key "$1" --argjson v6 "$([[ $2 == 6 ]] && echo true || echo false)" \
		'.["next-hops"][] | select((.ip | contains(":")) == $v6) | .[$key]'
}

next_hop_is() { # KEY FAMILY VALUE
	[[ $(next_hop "$1" "$2") == "$3" ]]
}
