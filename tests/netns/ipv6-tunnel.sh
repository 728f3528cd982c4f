#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A floating IP of IPv6 whose workload is behind VXLAN on host two; the router, with the external network, is on host one alone.
#
#   far ── outside (2001:db8:ff::1) ══ eth1 one: r 2001:db8:ff::151, ::152 ── wire ═══ wire ── two: w (2001:db8:27::2)
#
# With XDP: by two uplinks that send on what established flows lead from one to the other.
#
# shellcheck source-path=SCRIPTDIR source=../lib/nat6.sh
. "$(dirname "$0")/../lib/nat6.sh"

pair
tunnels 4
way_out ns6 "$OUTSIDE6/64" far6
at one subnet add ext6 --network ext --cidr 2001:db8:ff::/64 --gateway $OUTSIDE6
at one router add r
at one router gateway r --network ext --ip $GATEWAY6
both network add net --type vxlan --id 7
both subnet add net --network net --cidr 2001:db8:27::/64 --gateway 2001:db8:27::1
at one router attach r --subnet net
ns6 w
at two port add w --network net --netns "$N-w" --ifname eth0 --ip 2001:db8:27::2 --mac 02:00:00:00:00:07
at one port add w --network net --peer two --ip 2001:db8:27::2 --mac 02:00:00:00:00:07
ip -n "$N-outside" route add 2001:db8:27::/64 via $GATEWAY6

# As it is; then as its floating IP.
first w $OUTSIDE6
pings w 2001:db8:fa::2
silent far 2001:db8:27::2
at one floating-ip add $FLOATING6 --router r --port w
at two security-group rule-add default --direction ingress --ethertype ipv6 --protocol icmpv6 >/dev/null
at two security-group rule-add default --direction ingress --ethertype ipv6 --protocol tcp --port 7000 >/dev/null
pings outside $FLOATING6
pings far $FLOATING6
pings w 2001:db8:fa::2
silent far 2001:db8:27::2
same "TTL" "62 62" "$(ttl_of w 2001:db8:fa::2) $(ttl_of far $FLOATING6)"
same "the way in" "2001:db8:fa::1 $GATEWAY6 $FLOATING6" "$(hops far $FLOATING6 -I)"
same "the way out" "2001:db8:27::1 $OUTSIDE6 2001:db8:fa::2" "$(hops w 2001:db8:fa::2)"
for protocol in tcp udp; do
	same "$protocol seen outside" $FLOATING6 "$(py "$LIB/seen.py" "$N-w" "$N-outside" $protocol $OUTSIDE6 | cut -d' ' -f1)"
done

# Much of it, both ways, begun by either; and what is too large for the tunnel.
transfers w far 2001:db8:fa::2 3000000
on w socat -u TCP6-LISTEN:7000,reuseaddr OPEN:"$T/got",creat,trunc &
listens() { [[ -n $(on w ss -Hlt "sport = 7000") ]]; }
wait_for 5 listens
head -c 3000000 /dev/urandom >"$T/sent"
on far socat -u OPEN:"$T/sent" "TCP6:[$FLOATING6]:7000"
whole() { cmp -s "$T/sent" "$T/got"; }
wait_for 10 whole
{ on far ping -n -c 1 -W 5 -M "do" -s 1403 $FLOATING6 || true; } >"$T/ping" 2>&1
grep -qF "From $GATEWAY6 icmp_seq=1 Packet too big: mtu=1450" "$T/ping" || fail "too large: $(<"$T/ping")"
on far ping -n -q -c 1 -W 5 -M "do" -s 1402 $FLOATING6 >"$T/ping" || fail "what fits: $(<"$T/ping")"
for from in far=$FLOATING6 w=2001:db8:fa::2; do
	on "${from%=*}" ping -n -q -c 3 -i 0.05 -s 4000 -W 5 "${from#*=}" >"$T/ping" || fail "in pieces: $(<"$T/ping")"
done
at one floating-ip del $FLOATING6
silent outside $FLOATING6
pings w 2001:db8:fa::2
same "checksums" "" "$(csum_errors one two outside far w)"
went_by_xdp 500
