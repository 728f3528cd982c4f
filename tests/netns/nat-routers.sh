#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Two routers of one host, of tenants with the same addresses, and the network outside between them: each reaches what the other lets in, by the outside
# addresses, and nothing else.
#
#   a, a2 (192.168.27.2, .3) ── router r ── .151 ┐
#                                                ├── ext (flat) ── eth1 ══ eth0 outside: 172.16.0.1
#   b, b2 (192.168.27.2, .3) ── router s ── .161 ┘    floating IP of b: .162
#
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

external
demo
hd network add other-net --type local
hd subnet add other --network other-net --cidr 192.168.27.0/24 --gateway 192.168.27.1
hd router add s
hd router attach s --subnet other
hd router gateway s --network ext --ip 172.16.200.161
inside a 2
inside a2 3 --no-security
workload other-net b --ip 192.168.27.2
workload other-net b2 --ip 192.168.27.3 --no-security
for name in a a2 b b2; do
	first $name 172.16.0.1
done

silent a 172.16.200.162
hd floating-ip add 172.16.200.162 --router s --port b
silent a 172.16.200.162 # its group does not allow it
allow default --direction ingress --protocol icmp
allow default --direction ingress --protocol tcp --port 80
pings a 172.16.200.162 172.16.200.161
pings a2 172.16.200.162
same "TTL" "62 63" "$(ttl_of a 172.16.200.162) $(ttl_of a 172.16.200.161)"
same "traceroute" "192.168.27.1 172.16.200.161 172.16.200.162" "$(hops a 172.16.200.162 -I)"

# Who is seen by whom, and much at once.
for name in b b2; do
	# shellcheck disable=SC2016 # socat's variable
	on $name socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:"echo $name for "'$SOCAT_PEERADDR' &
done
listens() { [[ -n $(on "$1" ss -Hlt "sport = 80") ]]; }
wait_for 5 listens b
wait_for 5 listens b2
says() { on "$1" timeout $((3 * ${PATIENCE:-1})) bash -c "exec 3<>/dev/tcp/$2/$3 && cat <&3" 2>/dev/null || echo nothing; }
hd port-forward add web --router s --protocol tcp --listen 0.0.0.0:81 --to 192.168.27.3:80
same "floating IP" "b for 172.16.200.151" "$(says a 172.16.200.162 80)"
same "port forward" "b2 for 172.16.200.151" "$(says a 172.16.200.161 81)"
same "from outside" "b2 for 172.16.0.1" "$(says outside 172.16.200.161 81)"
same "nothing else" nothing "$(says a 172.16.200.161 80)"
hd floating-ip add 172.16.200.152 --router r --port a
same "by a floating IP of its own" "b for 172.16.200.152" "$(says a 172.16.200.162 80)"
same "the others as before" "b for 172.16.200.151" "$(says a2 172.16.200.162 80)"
allow default --direction ingress --protocol tcp --port 90
on b socat -u TCP-LISTEN:90,reuseaddr OPEN:"$T/got",creat,trunc &
bulk_listens() { [[ -n $(on b ss -Hlt "sport = 90") ]]; }
wait_for 5 bulk_listens
head -c 3000000 /dev/urandom >"$T/sent"
on a socat -u OPEN:"$T/sent" TCP:172.16.200.162:90
whole() { cmp -s "$T/sent" "$T/got"; }
wait_for 5 whole
daemon_kill
same "without the daemon" "b for 172.16.200.152" "$(says a 172.16.200.162 80)"
daemon_start
hd floating-ip del 172.16.200.162
same "removed" nothing "$(says a 172.16.200.162 80)"
same "checksums" "" "$(csum_errors a a2 b b2 outside)"

# A route loop between them ends where nothing is let in; without translation, with the TTL.
hd router route-add r 203.0.113.0/24 --via 172.16.200.161 >/dev/null
hd router route-add s 203.0.113.0/24 --via 172.16.200.151 >/dev/null
before=$(drops_of outside)
silent a2 203.0.113.9
(($(drops_of outside) > before)) || fail "the loop is not counted: $(hd drops)"
hd router gateway r --network ext --ip $GATEWAY --snat off
hd router gateway s --network ext --ip 172.16.200.161 --snat off
before=$(drops_of ttl-expired)
for ttl in 5 64; do
	on a2 ping -n -c 1 -W 1 -t $ttl 203.0.113.9 >/dev/null || true
done
hd drops >"$T/drops"
(($(drops_of ttl-expired) > before)) || grep -q tail-call "$T/drops" || fail "the loop is not counted: $(<"$T/drops")"
pings a 172.16.0.1
