#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario R-5: floating IPs across tunnels. The router, with the external network, is on host one alone; the workloads are behind GRE, VXLAN and Geneve on
# host two, whose security groups they have.
#
#   far ── outside (172.16.0.1) ══ eth1 one: r 172.16.200.151, .15N ── wire ═══ wire ── two: gre, vxlan, geneve (192.168.2N.2, 2001:db8:N::2)
#                                  stranger (2001:db8:9::9)
# With XDP: by two uplinks that send on what established flows lead from one to the other.
#
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

TYPES=(gre vxlan geneve)
declare -A NUMBER=([gre]=2 [vxlan]=3 [geneve]=4) MTU_OF=([gre]=1458 [vxlan]=1450 [geneve]=1450)
family=${FAMILY:-4}
[[ $family == 4 ]] || MTU_OF=([gre]=1438 [vxlan]=1430 [geneve]=1430)

pair
tunnels "$family"
way_out ns 172.16.0.1/16 far
at one subnet add ext --network ext --cidr 172.16.0.0/16 --gateway 172.16.0.1
at one router add r
at one router gateway r --network ext --ip $GATEWAY

# behind_tunnel TYPE: a network, a workload of it on host two, and a floating IP for that on host one
behind_tunnel() {
	local n=${NUMBER[$1]} mac=02:00:00:00:00:0${NUMBER[$1]}

	both network add "net-$1" --type "$1" --id "$n"
	both subnet add "sub-$1" --network "net-$1" --cidr "192.168.2$n.0/24" --gateway "192.168.2$n.1"
	at one router attach r --subnet "sub-$1"
	both subnet add "six-$1" --network "net-$1" --cidr "2001:db8:$n::/64" --gateway "2001:db8:$n::1"
	at one router attach r --subnet "six-$1"
	ns6 "$1"
	at two port add "$1" --network "net-$1" --netns "$N-$1" --ifname eth0 --ip "192.168.2$n.2" --ip "2001:db8:$n::2" --mac "$mac"
	at one port add "$1" --network "net-$1" --peer two --ip "192.168.2$n.2" --ip "2001:db8:$n::2" --mac "$mac"
	at one floating-ip add "172.16.200.15$n" --router r --port "$1"
}

port_is_at() {
	[[ $(at "$1" -j port show "$2" | jq -r .state) == "$3" ]]
}

for type in "${TYPES[@]}"; do
	behind_tunnel "$type"
done
first gre 172.16.0.1 # the router asks for its next hop, in the place of what came out of the tunnel
for type in "${TYPES[@]}"; do
	same "MTU of $type" "${MTU_OF[$type]}" "$(ip -n "$N-$type" -j link show eth0 | jq '.[0].mtu')"
	pings "$type" 172.16.0.1 198.51.100.2
done
pids=()
for type in "${TYPES[@]}"; do
	silent outside "172.16.200.15${NUMBER[$type]}" &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	wait "$pid" || fail "a floating IP answers, which the group does not allow"
done

# The same question in IPv6, about a neighbour that nothing is configured of; and what a router says to who is behind a tunnel.
at one network add yard --type local
at one subnet add six-yard --network yard --cidr 2001:db8:9::/64 --gateway 2001:db8:9::1
at one router attach r --subnet six-yard
ns6 stranger
ip -n "$N-one" link add yard type veth peer name eth0 netns "$N-stranger"
ip -n "$N-one" link set yard up
ip -n "$N-stranger" link set eth0 up
ip -n "$N-stranger" addr add 2001:db8:9::9/64 dev eth0 nodad
ip -n "$N-stranger" route add default via 2001:db8:9::1
at one port add stranger --network yard --device yard --no-security
wait_for 10 port_is_at one stranger up
first gre 2001:db8:9::9
for type in "${TYPES[@]}"; do
	pings "$type" 2001:db8:9::9
	same "the way from $type" "2001:db8:${NUMBER[$type]}::1 2001:db8:9::9" "$(hops "$type" 2001:db8:9::9)"
	same "no way from $type" "2001:db8:${NUMBER[$type]}::1" \
		"$({ on "$type" ping -n -c 1 -W 3 2001:db8:ffff::9 || true; } | sed -n 's/^From \([^ ]*\) .*No route.*/\1/p')"
done

# What the group of the workload's port allows gets in, no more; nothing of that is asked at host one.
icmp=$(at two -j security-group rule-add default --direction ingress --protocol icmp | jq .id)
tcp=$(at two -j security-group rule-add default --direction ingress --protocol tcp --port 7000 | jq .id)
at two security-group rule-add default --direction ingress --protocol udp --port 7001 >/dev/null
cat >"$T/across.py" <<'PY'
from nat import *

TYPE, FLOATING, MTU = sys.argv[4], sys.argv[5], int(sys.argv[6])

def reaches(port):
    try:
        make("far", socket.SOCK_STREAM).connect((FLOATING, port))
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "silent"
    return "open"

# Both ways, begun by either: who is inside is the floating IP outside, and both see the other as it is.
listener = make(TYPE, socket.SOCK_STREAM, "", 7000)
listener.listen()
for name, address in (("far", "198.51.100.2"), ("outside", OUTSIDE)):
    client = make(name, socket.SOCK_STREAM, address)
    client.connect((FLOATING, 7000))
    server, peer = listener.accept()
    server.settimeout(20)
    same("seen inside", client.getsockname(), peer)
    stream(client, server, 3000000)
    stream(server, client, 3000000)
near, there, peer = connected(TYPE, "far", "198.51.100.2")
same("seen outside", (FLOATING, near.getsockname()[1]), peer)
stream(near, there, 3000000)
stream(there, near, 3000000)

# UDP of any size, whole and in pieces.
inner, outer = make(TYPE, socket.SOCK_DGRAM, "", 7001), make("far", socket.SOCK_DGRAM, "198.51.100.2", 7002)
for size in (40, MTU - 28, 4000):
    same("seen outside", (FLOATING, 7001), question(inner, outer, size))
    answer(outer, (FLOATING, 7001), inner, size)

# Errors about what nobody hears, both ways; and a port that the group does not have.
listener.close()
same("closed port, allowed", "refused", reaches(7000))
for source, to in (("far", (FLOATING, 7001)), (TYPE, ("198.51.100.2", 9))):
    inner.close()
    client = make(source)
    client.connect(to)
    client.send(b"hello")
    refused(client, f"{source} to {to}")
end = make("far", socket.SOCK_STREAM)
end.settimeout(0.3)
try:
    end.connect((FLOATING, 7003))
    check(False, "port 7003 is open")
except TimeoutError:
    pass
PY

# too_large TYPE ADDRESS MTU: one byte more is told, by the router; what fits gets through. From then on far sends pieces that fit.
too_large() {
	local size=$(($3 - 28))

	{ on far ping -n -c 1 -W 5 -M "do" -s $((size + 1)) "$2" || true; } >"$T/ping" 2>&1
	grep -qF "From $GATEWAY icmp_seq=1 Frag needed and DF set (mtu = $3)" "$T/ping" || fail "larger than $3 to $1: $(<"$T/ping")"
	on far ping -n -q -c 1 -W 5 -M "do" -s $size "$2" >"$T/ping" || fail "$3 bytes to $1: $(<"$T/ping")"
	on "$1" ping -n -q -c 1 -W 5 -M "do" -s $size 198.51.100.2 >"$T/ping" || fail "$3 bytes from $1: $(<"$T/ping")"
}

watch_start one
watch_start two
for type in "${TYPES[@]}"; do
	floating=172.16.200.15${NUMBER[$type]}
	pings outside "$floating"
	pings far "$floating"
	same "TTL" "62 62" "$(ttl_of "$type" 198.51.100.2) $(ttl_of far "$floating")"
	same "the way to $type" "198.51.100.1 $GATEWAY $floating" "$(hops far "$floating" -I)"
	same "the way from $type" "192.168.2${NUMBER[$type]}.1 172.16.0.1 198.51.100.2" "$(hops "$type" 198.51.100.2)"
	too_large "$type" "$floating" "${MTU_OF[$type]}"
	nat "$T/across.py" "$type" "$floating" "${MTU_OF[$type]}"
done

# Out of one tunnel into another, where the router is.
cat >"$T/between.py" <<'PY'
from nat import *

listener = make("vxlan", socket.SOCK_STREAM, "", 7000)
listener.listen()
client = make("gre", socket.SOCK_STREAM)
client.connect(("192.168.23.2", 7000))
server, peer = listener.accept()
server.settimeout(20)
same("seen", client.getsockname(), peer)
stream(client, server, 3000000)
stream(server, client, 3000000)
PY
pings gre 192.168.23.2 192.168.24.2
same "TTL between tunnels" 63 "$(ttl_of gre 192.168.24.2)"
nat "$T/between.py"
watch_stop one
watch_stop two

# Rules of host two are asked about the next packet; a floating IP that is gone from host one leads nowhere, and the way out is the router's own again.
at two security-group rule-del default "$icmp"
silent outside $FLOATING
same "named at host two" yes "$( (($(drops_at two group-ingress gre) > 0)) && echo yes)"
at two security-group rule-add default --direction ingress --protocol icmp >/dev/null
at two security-group rule-del default "$tcp"
pings outside $FLOATING
at one floating-ip del $FLOATING
silent outside $FLOATING
same "seen outside" $GATEWAY "$(seen gre tcp | cut -d' ' -f1)"
same "others" 172.16.200.153 "$(seen vxlan tcp | cut -d' ' -f1)"
same "checksums" "" "$(csum_errors one two outside far "${TYPES[@]}")"
went_by_xdp 1000
