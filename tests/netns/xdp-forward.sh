#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What established flows lead out of the uplink that they came in by is sent on by XDP: a router on a stick, between two VLANs, with translation to a third. What
# the driver counts says who has sent it. Whatever XDP can't know or do goes by TC, and nobody notices.
#
#   a (VLAN 10, 10.0.1.2)  ┐                                              ┌ r 10.0.1.1, 10.0.2.1, 172.16.0.9
#   b (VLAN 20, 10.0.2.2)  ├─ host two ─ wire ═══ switch ═══ wire ─ one ──┤   a firewall
#   c (VLAN 30, 172.16.0.2)┘                                              └
#
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

pair
on switch ethtool -K p-one gro on txvlan off >/dev/null # as a network card: it takes what XDP sends, and tags are in the frame
rxvlan() { on one ethtool -k wire | sed -n 's/^rx-vlan-offload: //p'; }
was=$(rxvlan)
at one uplink add wire --physical phys --mode xdp --xdp-forward on
at two uplink add wire --physical phys
for row in "10 a 10.0.1 2001:db8:1::" "20 b 10.0.2 2001:db8:2::" "30 c 172.16.0 2001:db8:3::"; do
	read -r id name v4 v6 <<<"$row"
	both network add "net-$name" --type vlan --id "$id" --physical phys
	both subnet add "four-$name" --network "net-$name" --cidr "$v4.0/24" --gateway "$v4.1"
	both subnet add "six-$name" --network "net-$name" --cidr "${v6}/64" --gateway "${v6}1"
	ns6 "$name"
	at two port add "$name" --network "net-$name" --netns "$N-$name" --ifname eth0 --ip "$v4.2" --ip "${v6}2" --no-security
done
at one router add r
for subnet in four-a six-a four-b six-b; do
	at one router attach r --subnet "$subnet"
done
at one router gateway r --network net-c --ip 172.16.0.9
at one firewall add f --router r
rule=$(at one -j firewall rule-add f --position 1 --action allow | jq .id)
same "tags" "off" "$(rxvlan)"
same "told" "xdp" "$(at one -j uplink show wire | jq -r '."forward-in-use"')"

# sent: frames that XDP has sent on
sent() { xdp_sent one wire; }

# by_xdp yes|no COMMAND...: most of its frames are sent by XDP, or none
by_xdp() {
	local before after want=$1

	before=$(sent)
	shift
	"$@"
	after=$(sent)
	[[ $want == "$( ((after - before > 50)) && echo yes || echo no)" ]] || fail "XDP has sent $((after - before)): $*"
	[[ $want == yes ]] || ((after == before)) || fail "XDP has sent $((after - before)): $*"
}

for address in 10.0.2.2 2001:db8:2::2 172.16.0.2; do
	wait_for 10 on a ping -n -q -c 1 -W 1 "$address" >"$T/ping" # the first one asks for the neighbour
done
pings b 10.0.1.2 2001:db8:1::2
# host one has nobody who could have what a workload says to all
all_drops() { at "$1" -j drops | jq -r 'map(select(.reason != "no-member")) | group_by(.reason) | map("\(.[0].reason)=\(map(.packets) | add)") | join(" ")'; }
drops_mark one two
by_xdp yes transfers a b 10.0.2.2 300000
by_xdp yes transfers b a 10.0.1.2 300000
by_xdp yes transfers a b 2001:db8:2::2 300000
by_xdp yes transfers a c 172.16.0.2 300000
same "seen outside" 172.16.0.9 "$(py "$LIB/seen.py" "$N-a" "$N-c" tcp 172.16.0.2 | cut -d' ' -f1)"
same "TTL" 63 "$(on a ping -n -c 1 -W 3 10.0.2.2 | sed -n 's/.*ttl=\([0-9]*\).*/\1/p')"

# Counted as everywhere: the rule has seen what both ends have sent.
counted() { at one -j firewall show f | jq '.rules[0].counters.packets'; }
before=$(counted)
by_xdp yes transfers a b 10.0.2.2 300000
(($(counted) - before > 200)) || fail "the rule has counted $(($(counted) - before))"

# A sender that leaves checksums to its device, and hands over what is still to be cut.
on switch ethtool -K p-one tx on gso on tso on >/dev/null
on switch ethtool -K p-two tx on >/dev/null
on two ethtool -K wire tx on >/dev/null
transfers a b 10.0.2.2 300000
transfers a c 172.16.0.2 300000
same "checksums" "" "$(csum_errors one two a b c)"
on switch ethtool -K p-one tx off tso off gso off >/dev/null

# Where it is switched off, and on again, and while the daemon is dead, nothing is lost.
taskset -cp "$(taskset -cp $$ | sed 's/.*: \([0-9]*\).*/\1/')" $$ >/dev/null # what is polled by several CPUs may overtake itself before we see it
traffic_start a b 10.0.2.2
at one uplink set wire --xdp-forward off
same "tags" "$was" "$(rxvlan)"
by_xdp no transfers a b 10.0.2.2 300000
at one uplink set wire --xdp-forward on
host_kill one
before=$(sent)
more() { (($(sent) > before + 1000)); }
wait_for 10 more
host_up one
traffic_stop
same "drops" "" "$(drops_since one)$(drops_since two)"

# What XDP sends on is traced where it is, once.
begun() { grep -q 'trace --live: begins' "$T/heddled.log"; }
"$B/heddle" -i "$I-one" --timeout 60 -j trace --live --protocol tcp --address 10.0.2.2 -n 200 >"$T/live" &
live=$!
wait_for 20 begun
by_xdp yes transfers a b 10.0.2.2 300000
wait $live || fail "trace --live: $(<"$T/live")"
same "stages" '["uplink-xdp"]' "$(jq -s -c '[.[] | select(.steps | any(.stage == "uplink-xdp"))] | .[-1].steps | map(.stage) | unique' "$T/live")"

# A rule that is gone ends it with the next packet, and is named.
on b timeout 20 python3 -c '
import socket, sys
s = socket.create_server(("10.0.2.2", 7000))
print("ready", flush=True)
c, _ = s.accept()
n = 0
while True:
    n += len(c.recv(1 << 16))
    print(n, flush=True)' >"$T/got" &
server=$!
listening() { grep -q ready "$T/got"; }
wait_for 5 listening
on a timeout 20 python3 -c '
import socket, time
s = socket.create_connection(("10.0.2.2", 7000))
while True:
    s.send(bytes(1000))
    time.sleep(0.005)' &
client=$!
flowing() { (($(tail -1 "$T/got" | sed 's/ready/0/') > 20000)); }
wait_for 5 flowing
before=$(sent)
(($(sent) >= before)) || fail "nothing by XDP"
at one firewall rule-del f "$rule"
at one firewall rule-add f --position 1 --action deny >/dev/null
denied() { (($(drops_at one firewall) > 0)); }
wait_for 5 denied
count=$(sent)
kill $client $server
wait $client $server 2>/dev/null || true
same "sent after that" "$count" "$(sent)"
