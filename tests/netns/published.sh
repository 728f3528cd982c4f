#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Ports that a masquerading router publishes, as the host's own sockets, those outside, and workloads find them: at each address that the host has, and at none that
# it has not. The cases are in tests/lib/published.py.
#
#   web .3, db .4 ── lab 10.77.0.0/24 ── r ══ eth1: 192.0.2.1, .5 ══ out: 192.0.2.2
#                       └── the host: .2      eth2: 198.51.100.1 ══ beyond       lo: 203.0.113.7       other: a namespace of no concern
#
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
ns out beyond other
veth eth1 out eth0
veth eth2 beyond eth0
ip -n "$N-host" addr add 192.0.2.1/24 dev eth1
ip -n "$N-host" addr add 192.0.2.5/24 dev eth1
ip -n "$N-host" addr add 198.51.100.1/24 dev eth2
ip -n "$N-host" addr add 203.0.113.7/32 dev lo
ip -n "$N-out" addr add 192.0.2.2/24 dev eth0
ip -n "$N-out" route add default via 192.0.2.1
ip -n "$N-beyond" addr add 198.51.100.2/24 dev eth0
ip -n "$N-host" route add default via 192.0.2.2
# 2001:db8::1 at the uplink, :77::2 and :77::3 the legs of host and web
for name in host out other; do
	on "$name" tee /proc/sys/net/ipv6/conf/{all,default}/disable_ipv6 >/dev/null <<<0
done
ip -n "$N-host" addr add 2001:db8::1/64 dev eth1 nodad
ip -n "$N-out" addr add 2001:db8::2/64 dev eth0 nodad
for name in host other out beyond; do
	ip -n "$N-$name" link set lo up
done
ip -n "$N-other" addr add 192.0.2.1/32 dev lo
hd uplink add eth1
hd network add lab --type local
hd subnet add lab --network lab --cidr 10.77.0.0/24 --gateway 10.77.0.1
hd subnet add lab6 --network lab --cidr 2001:db8:77::/64 --gateway 2001:db8:77::1
hd port add lab-host --network lab --internal --ifname lab --ip 10.77.0.2 --ip 2001:db8:77::2 --no-security
hd router add r
hd router attach r --subnet lab
hd router attach r --subnet lab6
hd router gateway r --uplink eth1
ns6 web db
for name in web:3 db:4; do
	hd port add "${name%:*}" --network lab --netns "$N-${name%:*}" --ifname eth0 --ip "10.77.0.${name#*:}" --ip "2001:db8:77::${name#*:}" \
		--mac "02:00:00:00:00:0${name#*:}" --no-security
done
ip -n "$N-web" link set lo up
ip -n "$N-db" link set lo up

# forward NAME LISTEN TO [PROTOCOL]
forward() {
	local to=10.77.0.3

	[[ $2 != \[* ]] || to='[2001:db8:77::3]'
	hd port-forward add "$1" --router r --protocol "${4-tcp}" --listen "$2" --to "$to:$3"
}
reach() {
	hd -j port-forward show "$1" | jq -r '(.reach | join("+")) + " " + .address + " " + .reason'
}
published() {
	py "$LIB/published.py" "$N" "$@"
}
uplink_mac() {
	ip -n "$N-host" -j link show dev eth1 | jq -r '.[0].address'
}

# link_id NAME: of the link of a program
link_id() {
	bpftool -j link show pinned "$PINS/host-$1" | jq .id
}

# ---- addresses ----

forward home 127.0.0.1:8080 80
forward all 0.0.0.0:8081 80
forward second 192.0.2.5:8082 80
forward elsewhere 198.51.100.1:8083 80
forward anywhere 203.0.113.7:8084 80
forward nowhere 192.0.2.99:8085 80
forward home-dns 127.0.0.1:5300 53 udp
forward dns 0.0.0.0:5301 53 udp
same "reach" "host 127.0.0.1 |outside+host 192.0.2.1 |outside+host 192.0.2.5 |host 198.51.100.1 its address is not at the uplink of the router|outside+host 203.0.113.7 | 192.0.2.99 the host does not have this address|" \
	"$(for name in home all second elsewhere anywhere nowhere; do reach $name | tr '\n' '|'; done)"
refused 4 'tcp 0.0.0.0:8080 is already used by port-forward home' forward late 0.0.0.0:8080 80
refused 4 'tcp 127.0.0.1:8081 is already used by port-forward all' forward late 127.0.0.1:8081 80
refused 6 'no host can have this address' forward late 224.0.0.1:8086 80
published addresses
published forged "$(uplink_mac)" "$(hd -j router show r | jq -r .mac)"

# ---- sockets ----

forward second-dns 0.0.0.0:5302 54 udp
for port in {5310..5329}; do
	forward "u$port" "127.0.0.1:$port" "$port" udp
done
published streams
published datagrams
forward home6 '[::1]:8080' 80
forward all6 '[::]:8081' 80
forward dns6 '[::]:5301' 53 udp
forward nowhere6 '[2001:db8::99]:8082' 80
same "reach by IPv6" "host ::1 |outside+host 2001:db8::1 | 2001:db8::99 the host does not have this address|" \
	"$(for name in home6 all6 nowhere6; do reach $name | tr '\n' '|'; done)"
refused 4 'tcp \[::\]:8080 is already used by port-forward home6' forward late '[::]:8080' 80
published six
published many 5310 5329

# An address that comes is there, and one that goes is not.
ip -n "$N-host" addr add 192.0.2.99/24 dev eth1
is() { [[ $(reach "$1") == "$2" ]]; }
wait_for 5 is nowhere "outside+host 192.0.2.99 "
ip -n "$N-host" addr del 192.0.2.99/24 dev eth1
wait_for 5 is nowhere " 192.0.2.99 the host does not have this address"

# ---- by hand, and killed ----

finds() { published only "$@"; }
rm "$PINS/host-sendmsg4"
bpftool link detach pinned "$PINS/host-connect4"
wait_for 5 grep -q 'host-connect4 was detached by somebody' "$T/heddled.log"
wait_for 5 finds host 127.0.0.1 8080 web
wait_for 5 test -e "$PINS/host-sendmsg4"
# Who has asked before gets its answer under the name that it has asked, until that leads elsewhere.
coproc PATIENT { published patient; }
patient=$PATIENT_PID # which bash forgets as soon as it has ended
told() { # WHAT EXPECTED
	local line

	echo "$1" >&"${PATIENT[1]}"
	read -r -t 5 line <&"${PATIENT[0]}"
	same "$1" "$1 $2" "$line"
}
read -r -t 5 line <&"${PATIENT[0]}"
same "the patient one" ready "$line"
told before "127.0.0.1:5300 127.0.0.1:8080"
link=$(link_id connect4)
daemon_kill
finds host 127.0.0.1 8081 web
told killed "127.0.0.1:5300 127.0.0.1:8080"
daemon_start
same "the link that was there" "$link" "$(link_id connect4)"
told restarted "127.0.0.1:5300 127.0.0.1:8080"
hd port-forward set home-dns --to 10.77.0.4:53
hd port-forward del home
told moved "10.77.0.3:53 10.77.0.3:80"
echo end >&"${PATIENT[1]}"
wait "$patient"
finds host 127.0.0.1 8080 ConnectionRefusedError
forward home 127.0.0.1:8080 80
finds host 127.0.0.1 8080 web
# Who has no port of UDP there has no datagram looked at.
same "hooks" 8 "$(find "$PINS" -name 'host-*[46]' | wc -l)"
for name in $(hd -j port-forward list | jq -r '.[] | select(.protocol == "udp").name'); do
	hd port-forward del "$name"
done
same "hooks without UDP" 4 "$(find "$PINS" -name 'host-*[46]' | wc -l)"
finds host 127.0.0.1 8080 web

# ---- the end ----

for name in $(hd -j port-forward list | jq -r '.[].name'); do
	hd port-forward del "$name"
done
same "pins" "" "$(find "$PINS" -name 'host-*')"
! bpftool link show id "$link" >/dev/null 2>&1 || fail "it is still attached"
