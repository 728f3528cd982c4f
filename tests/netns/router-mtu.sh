#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Path MTU discovery through a router: a network of 1450 that goes on in a tunnel, one of 1500, one of 9000, and a port with less. The right size is said by
# the right address; large transfers finish, and nothing is in pieces on the wire.
# shellcheck source-path=SCRIPTDIR source=../lib/routing.sh
. "$(dirname "$0")/../lib/routing.sh"

pair
both network add net1 --type vxlan --id 1
at one network add net2 --type local --mtu 1500
at one network add net3 --type local --mtu 9000
tunnels 4
subnets both 1
subnets "at one" 2 3
at one router add r # at this host alone: who is behind the tunnel reaches it through that
attach "at one" r 1 2 3
both security-group rule-add default --direction ingress >/dev/null
side "at one" 1 a
LAST=12 side "at two" 1 far
side "at one" 2 c
side "at one" 3 d
LAST=12 side "at one" 3 small --mtu 1300
same "MTU" "1450 1450 1500 9000 1300" \
	"$(for w in a far c d small; do ip -n "$N-$w" -j link show eth0 | jq .[0].mtu; done | paste -sd' ')"
for to in 1.11 1.12 2.11 3.12; do
	first d "10.0.$to" "2001:db8:${to/./::}"
	first c "10.0.$to" "2001:db8:${to/./::}"
done

forget() {
	local name

	for name in a far c d small; do
		ip -n "$N-$name" route flush cache
		ip -n "$N-$name" -6 route flush cache
	done
}

# limits FROM TO GATEWAY MTU: N.LAST of who sends to whom: what is one byte larger than MTU is told by the gateway of the sender's network, what fits passes
limits() {
	local head to gateway say

	for head in 28 48; do
		to=10.0.$2 gateway=10.0.$3 say="Frag needed and DF set (mtu = $4)"
		[[ $head == 28 ]] || to=2001:db8:${2/./::} gateway=2001:db8:${3/./::} say="Packet too big: mtu=$4"
		forget
		{ on "$1" ping -n -c 1 -W 1 -M "do" -s $(($4 - head + 1)) "$to" || true; } >"$T/ping" 2>&1
		grep -qF "From $gateway icmp_seq=1 $say" "$T/ping" || fail "$1 to $to, larger than $4: $(<"$T/ping")"
		forget
		on "$1" ping -n -c 2 -i 0.1 -W 3 -M "do" -s $(($4 - head)) "$to" >"$T/ping" 2>&1 || fail "$1 to $to, $4 bytes: $(<"$T/ping")"
	done
}

watch_start one
watch_start two
limits d 2.11 3.1 1500
limits d 1.11 3.1 1450
limits d 1.12 3.1 1450
limits c 1.11 2.1 1450
limits c 1.12 2.1 1450
limits c 3.12 2.1 1300

for from in a far c d small; do
	for to in a=1.11 far=1.12 c=2.11 d=3.11 small=3.12; do
		[[ ${to%=*} != "$from" ]] || continue
		forget
		transfers "$from" "${to%=*}" "10.0.${to#*=}" 300000
		last=${to#*=}
		transfers "$from" "${to%=*}" "2001:db8:${last/./::}" 300000
	done
done
forget
for to in d=3.11 c=2.11 small=3.12; do
	transfers far "${to%=*}" "10.0.${to#*=}" 3000000
	transfers "${to%=*}" far 10.0.1.12 3000000
done
watch_stop one
watch_stop two
same "checksums" "" "$(csum_errors a far c d small)"
same "pieces" "0" "$(for w in a far c d small; do on "$w" nstat -asz IpFragCreates | awk 'NR > 1 { print $2 }'; done | sort -u)"
