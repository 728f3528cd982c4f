#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# FRR as the router outside: it has the way to the external network, and static ones by the router's external address to prefixes of floating IPs, which it
# tells its neighbour by BGP. heddle learns nothing of that, and needs not.
#
#   a, b (192.168.27.2, .3) ── r: 172.16.200.151 ── outside (FRR, 172.16.0.1, AS 65001) ── 192.0.2.0/24 ── core (FRR, AS 65002): 198.51.100.2
#                              b has 203.0.113.10
#
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

FRR=/usr/lib/frr
ROUTED=203.0.113.10
CORE=198.51.100.2
[[ -x $FRR/bgpd ]] || skip "there is no FRR here"

external
demo
inside a 2
inside b 3
hd subnet add routed --network ext --cidr 203.0.113.0/24
hd floating-ip add $ROUTED --router r --port b
allow default --direction ingress
ns core
ip -n "$N-outside" link add eth1 type veth peer name eth0 netns "$N-core"
ip -n "$N-outside" addr add 192.0.2.1/24 dev eth1
ip -n "$N-core" addr add 192.0.2.2/24 dev eth0
ip -n "$N-core" addr add $CORE/32 dev lo
ip -n "$N-outside" link set eth1 up
ip -n "$N-core" link set eth0 up
link_turns core eth0 UP
on outside sysctl -qw net.ipv4.ip_forward=1

# frr NAME AS NEIGHBOUR NEIGHBOUR-AS: zebra, staticd and bgpd in a namespace; from stdin comes what else it is told
frr() {
	local dir=$T/frr-$1 daemon

	mkdir "$dir"
	{
		printf 'router bgp %s\n no bgp ebgp-requires-policy\n timers bgp 1 3\n' "$2"
		printf ' neighbor %s remote-as %s\n neighbor %s timers connect 1\n neighbor %s advertisement-interval 0\n' "$3" "$4" "$3" "$3"
		cat
	} >"$dir/frr.conf"
	chmod 711 "$T" # they are user frr
	chown -R frr:frr "$dir"
	for daemon in zebra staticd bgpd; do
		on "$1" "$FRR/$daemon" -d -f "$dir/frr.conf" -z "$dir/zserv.api" --vty_socket "$dir" -i "$dir/$daemon.pid" -A 127.0.0.1 \
			>>"$dir/log" 2>&1 || fail "$daemon: $(<"$dir/log")"
	done
}

has_route() {
	[[ $(ip -n "$N-$1" route show "$2") == *" via $3 "* ]]
}

frr outside 65001 192.0.2.2 65002 <<-END
	 redistribute static
	 network 172.16.0.0/16
	ip route 203.0.113.0/24 $GATEWAY
END
frr core 65002 192.0.2.1 65001 <<-END
	 network $CORE/32
END
wait_for 30 has_route core 172.16.0.0/16 192.0.2.1
wait_for 30 has_route core 203.0.113.0/24 192.0.2.1
wait_for 30 has_route outside $CORE 192.0.2.2

# Out, and back by what FRR has said.
first a $CORE
first b $CORE
same "translated" $GATEWAY "$(seen a tcp $CORE core | cut -d' ' -f1)"
same "by a floating IP of another prefix" $ROUTED "$(seen b tcp $CORE core | cut -d' ' -f1)"
pings core $ROUTED $GATEWAY
same "the way out" "192.168.27.1 172.16.0.1 $CORE" "$(hops a $CORE)"
same "the way in" "192.0.2.1 $GATEWAY $ROUTED" "$(hops core $ROUTED -I)"
transfers a core $CORE 3000000
transfers b core $CORE 3000000

# Without the static route there is no way back; with it there is one again.
vty() {
	vtysh --vty_socket "$T/frr-outside" -c "configure terminal" -c "$1" >>"$T/frr-outside/log" 2>&1
}
gone() {
	! has_route core 203.0.113.0/24 192.0.2.1
}
vty "no ip route 203.0.113.0/24 $GATEWAY"
wait_for 10 gone
silent b $CORE
pings a $CORE
vty "ip route 203.0.113.0/24 $GATEWAY"
wait_for 10 has_route core 203.0.113.0/24 192.0.2.1
pings b $CORE
same "checksums" "" "$(csum_errors a b outside core)"
