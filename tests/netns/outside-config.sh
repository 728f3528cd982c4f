#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Gateways of routers, pools and floating IPs as they are configured: what is found for them, what is refused and why, files, what a restart
# keeps. No packet is sent.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

ns6 host
daemon_start
veth eth1 host eth1p
hd uplink add eth1 --physical public
hd network add blue --type local
hd network add red --type local
hd network add lab --type local
hd network add ext --type flat --physical public
hd subnet add blue4 --network blue --cidr 10.0.1.0/24 --gateway 10.0.1.1
hd subnet add red4 --network red --cidr 10.0.2.0/24 --gateway 10.0.2.1
hd subnet add lab4 --network lab --cidr 10.0.0.0/16 --gateway 10.0.0.1
hd subnet add out --network ext --cidr 203.0.113.0/24 --gateway 203.0.113.1
hd subnet add more --network ext --cidr 198.51.100.0/24
hd subnet add link --network lab --cidr 169.254.0.0/16 --gateway 169.254.0.1
hd port add web1 --network blue --internal --ip 10.0.1.11/24 --ip 2001:db8::11/64 --mac 02:00:00:00:00:11
hd port add web2 --network blue --internal --ip 10.0.1.12/24 --ip 10.0.1.13/24
hd port add tagged --network blue --internal --ip 10.0.1.14/24 --vlan-mode access --tag 7
hd port add six --network blue --internal --ip 2001:db8::16/64
hd port add db1 --network red --internal --ip 10.0.2.11/24
hd port add public --network ext --internal --ip 203.0.113.10/24
hd neighbour add 203.0.113.11 --network ext --mac 02:00:00:00:00:0b
hd router add edge
hd router add other --mac 02:68:64:00:53:02
hd router attach edge --subnet blue4
hd router attach other --subnet red4

# hinted REGEX: what refused() heard last gives this hint
hinted() {
	grep -qE -- "^hint: .*$1" "$T/refused.err" || fail "no hint '$1' in: $(<"$T/refused.err")"
}

# no STATUS REGEX HINT COMMAND...: refused, with that hint, or with none
no() {
	refused "$1" "$2" hd "${@:4}"
	if [[ $3 ]]; then
		hinted "$3"
	else
		! grep '^hint:' "$T/refused.err" || fail "a hint that is not known here"
	fi
}

# way ROUTER: what the daemon says of its gateway
way() {
	hd -j router show "$1" | jq -c .gateway
}

# ---- gateways ----

before=$(hd export)
gateway=(router gateway edge --network)
no 2 'router gateway: --network, --uplink or --none is needed' 'router gateway --help' router gateway edge
no 2 'router gateway: --network, --uplink or --none' 'help' router gateway edge --ip 203.0.113.9
no 2 'router gateway: --network, --uplink or --none' 'help' router gateway edge --none --network ext
no 3 'router edge: uplink none does not exist' 'uplink list' router gateway edge --uplink none
no 6 'network and uplink exclude each other' '' "${gateway[@]}" ext --uplink eth1
no 2 'ROUTER is missing' 'help' router gateway --network ext
no 3 'router none: does not exist' 'router list' router gateway none --network ext --ip 203.0.113.9
no 3 'router edge: network none does not exist' 'network list' "${gateway[@]}" none --ip 203.0.113.9
no 6 'gateway at network ext: ip is missing, and no subnet there has a pool' '--ip' "${gateway[@]}" ext
no 6 'gateway 2001:db8::9 at network ext: no subnet there holds' 'subnet add SUBNET --network ext' "${gateway[@]}" ext --ip 2001:db8::9
no 6 'router edge: option gateway: ip: it has one address of each family' '' "${gateway[@]}" ext --ip 203.0.113.9 --ip 203.0.113.10
no 6 'expected an IPv4 or IPv6 address' '' "${gateway[@]}" ext --ip 203.0.113.9/24
no 6 'expected on or off' '' "${gateway[@]}" ext --ip 203.0.113.9 --snat maybe
no 6 'gateway 192.0.2.9 at network ext: no subnet there holds' 'subnet add SUBNET --network ext' "${gateway[@]}" ext --ip 192.0.2.9
no 6 'gateway 198.51.100.9 at network ext: subnet more has no gateway' 'subnet set more --gateway' "${gateway[@]}" ext --ip 198.51.100.9
no 6 'it can.t have that address' 'next router' "${gateway[@]}" ext --ip 203.0.113.1
no 6 'it can.t have that address' 'no host' "${gateway[@]}" ext --ip 203.0.113.0
no 6 'subnet link has link-local addresses' '' "${gateway[@]}" lab --ip 169.254.0.9
no 4 'address 203.0.113.10 is already used by port public' 'router gateway edge --network ext --ip IP' "${gateway[@]}" ext --ip 203.0.113.10
no 4 'address 203.0.113.11 is already used by router edge' 'router gateway edge --network ext' "${gateway[@]}" ext --ip 203.0.113.11
no 4 'subnet blue4 of that network is attached' 'router detach edge --subnet blue4' "${gateway[@]}" blue --ip 10.0.1.9
no 4 'its subnet lab4 overlaps with subnet blue4' 'router detach edge --subnet blue4' "${gateway[@]}" lab --ip 10.0.0.9
hd router route-add edge 0.0.0.0/0 --via 10.0.1.9 >/dev/null
no 4 'route 1 is a default route too' 'router route-del edge 1' "${gateway[@]}" ext --ip 203.0.113.9
hd router route-del edge 1
hd router route-add edge 203.0.113.128/25 --via 10.0.1.9 >/dev/null
no 4 'its subnet out overlaps with route 1' 'router route-del edge 1' "${gateway[@]}" ext --ip 203.0.113.9
hd router route-del edge 1
same "nothing of this is done" "$before" "$(hd export)"

# Two routers share an address outside; a lab has its outside in a local network; static routes go by what is outside.
hd "${gateway[@]}" ext --ip 203.0.113.9
hd router gateway other --network ext --ip 203.0.113.9 --snat off
same "gateway" '{"network":"ext","ip":["203.0.113.9"],"snat":true,"nat-log":false,"nat-filter":"address","nat-ports-per-address":2048}' "$(way edge)"
same "gateway" '{"network":"ext","ip":["203.0.113.9"],"snat":false,"nat-log":false}' "$(way other)"
hd router add tiny
hd router gateway tiny --network lab --ip 10.0.0.9
hd router gateway tiny --network lab --ip 10.0.0.9 --snat on
hd router route-add edge 10.9.0.0/16 --via 203.0.113.8 >/dev/null
no 6 'via 203.0.113.9: route loop' 'another router' router route-add edge 10.8.0.0/16 --via 203.0.113.9
no 6 'via 198.51.100.8: next hop unreachable' 'attach its subnet' router route-add edge 10.8.0.0/16 --via 198.51.100.8
no 4 'route 2 is a default route too' 'router gateway edge --none' router route-add edge 0.0.0.0/0 --via 10.0.1.9
no 6 'via 203.0.113.8: next hop unreachable' 'delete the' router gateway edge --none
same "list" "NAME   MAC                SUBNETS  GATEWAY      OUTSIDE  SNAT  ROUTES
edge   02:68:64:f6:d8:6a  blue4    203.0.113.9  ext      on         1
other  02:68:64:00:53:02  red4     203.0.113.9  ext      off        0
tiny   $(hd -j router show tiny | jq -r .mac)  -        10.0.0.9     lab      on         0" "$(hd router)"
no 4 'port x: address 203.0.113.9 is already used by router edge' 'router gateway edge --network ext --ip IP' \
	port add x --network ext --internal --ip 203.0.113.9/24
no 4 'subnet out: still used by router edge' 'router gateway edge --none' subnet del out
no 6 'gateway 203.0.113.9 at network ext: subnet out has no gateway' 'subnet set out --gateway' subnet set out --unset gateway
hd router del tiny

# ---- pools ----

no 6 'subnet out: pool 203.0.113.8-203.0.114.8 is not in 203.0.113.0/24' '' subnet set out --pool 203.0.113.8-203.0.114.8
no 6 'option pool: expected a range such as' '' subnet set out --pool 203.0.113.9-203.0.113.8
no 6 'option pool: expected a range such as' '' subnet set out --pool 203.0.113.8
hd subnet set out --pool 203.0.113.8-203.0.113.12
same "list" "out    ext      203.0.113.0/24   203.0.113.1  203.0.113.8-203.0.113.12" "$(hd subnet list | grep '^out')"
hd router add third
same "dry run" "~ router third gateway: none -> network ext ip 203.0.113.8" "$(hd --dry-run router gateway third --network ext)"
hd router gateway third --network ext
same "the first address" '{"network":"ext","ip":["203.0.113.8"],"snat":true,"nat-log":false,"nat-filter":"address","nat-ports-per-address":2048}' "$(way third)"
same "asked for again" "no changes" "$(hd --dry-run router gateway third --network ext)"
same "another way of it" "~ router third gateway: network ext ip 203.0.113.8 -> network ext ip 203.0.113.8 snat off" \
	"$(hd --dry-run router gateway third --network ext --snat off)"
hd router gateway third --network ext --snat off
same "as it is written" '{"network":"ext","ip":["203.0.113.8"],"snat":false}' "$(hd -j export | jq -c .routers.third.gateway)"
hd router gateway third --network ext
hd router add fourth
hd router gateway fourth --network ext
same "what is not taken" '"203.0.113.12"' "$(way fourth | jq -c ".ip[]")"
hd router add fifth
no 4 'gateway at network ext: no address of its subnets. pools is free' 'subnet set out --pool FIRST-LAST' router gateway fifth --network ext
hd router gateway third --none
hd router gateway third --none
same "none" null "$(way third)"
same "dry run" "~ router fourth gateway: network ext ip 203.0.113.12 -> none" "$(hd --dry-run router set fourth --unset gateway)"
hd router gateway fifth --network ext
same "what is free again" '"203.0.113.8"' "$(way fifth | jq -c ".ip[]")"
for router in third fourth fifth; do
	hd router del "$router"
done

# ---- floating IPs ----

hd router add inner
before=$(hd export)
# fip STATUS REGEX HINT IP OPTION...
fip() {
	no "$1" "$2" "$3" floating-ip add "${@:4}"
}
web1=(--router edge --port web1)
fip 2 '--port is missing' 'help' 203.0.113.50 --router edge
fip 2 '--router is missing' 'help' 203.0.113.50 --port web1
fip 6 'floating-ip .web.: not an address' 'named by its address' web "${web1[@]}"
fip 6 'floating-ip .203.0.113.050.: not an address' 'named by' 203.0.113.050 "${web1[@]}"
fip 6 'floating-ip .2001:DB8::50.: not an address' 'it is written 2001:db8::50' 2001:DB8::50 "${web1[@]}"
fip 6 'router edge has no IPv6 address outside' 'router gateway edge --network ext --ip IP --ip IP' 2001:db8::50 "${web1[@]}"
fip 6 'fixed-ip 2001:db8::11 is not of its family' '' 203.0.113.50 "${web1[@]}" --fixed-ip 2001:db8::11
fip 3 'router none does not exist' 'router list' 203.0.113.50 --router none --port web1
fip 3 'port none does not exist' 'port list' 203.0.113.50 --router edge --port none
fip 6 'router inner has no gateway at a network' 'router gateway inner --network EXT' 203.0.113.50 --router inner --port web1
fip 6 'no subnet of network ext, where router edge has its gateway, holds it' 'subnet list' 192.0.2.50 "${web1[@]}"
fip 6 'it is no host.s address in subnet out' '' 203.0.113.255 "${web1[@]}"
fip 6 'it is the gateway of subnet out' '' 203.0.113.1 "${web1[@]}"
fip 4 'address 203.0.113.9 is already used by router edge' 'router gateway edge' 203.0.113.9 "${web1[@]}"
fip 4 'address 203.0.113.10 is already used by port public' '' 203.0.113.10 "${web1[@]}"
fip 4 'address 203.0.113.11 is already used by floating-ip' '' 203.0.113.11 "${web1[@]}"
fip 6 'port web2 has several IPv4 addresses' '--fixed-ip' 203.0.113.50 --router edge --port web2
fip 6 'port six has no IPv4 address' 'port set six --ip IP' 203.0.113.50 --router edge --port six
fip 6 'port web1 does not have address 10.0.1.12' 'port show web1' 203.0.113.50 "${web1[@]}" --fixed-ip 10.0.1.12
fip 6 'no subnet of router edge holds 10.0.2.11 of port db1 on network red' 'router attach edge' 203.0.113.50 --router edge --port db1
fip 6 'port tagged is in VLAN 7 of its network' 'untagged' 203.0.113.50 --router edge --port tagged
no 3 'floating-ip 203.0.113.50: does not exist' 'floating-ip list' floating-ip show 203.0.113.50
no 3 'floating-ip 203.0.113.50: does not exist' 'floating-ip list' floating-ip del 203.0.113.50
no 3 'floating-ip 203.0.113.50: does not exist' 'floating-ip list' fip set 203.0.113.50 --port web2
hd floating-ip del 203.0.113.50 --if-exists
same "nothing of this is done" "$before" "$(hd export)"

same "dry run" "+ floating-ip 203.0.113.50 router=edge port=web1" "$(hd --dry-run fip add 203.0.113.50 "${web1[@]}")"
hd fip add 203.0.113.50 "${web1[@]}"
hd fip add 203.0.113.50 "${web1[@]}" --may-exist
hd fip add 198.51.100.7 --router edge --port web2 --fixed-ip 10.0.1.13 # of another subnet there
hd fip add 203.0.113.51 --router other --port db1
fip 4 'floating-ip 203.0.113.50: exists already' 'floating-ip show' 203.0.113.50 "${web1[@]}"
fip 4 'exists already, with other options' 'floating-ip show' 203.0.113.50 --router other --port db1 --may-exist
fip 4 'fixed-ip 10.0.1.11 is already used by floating-ip 203.0.113.50' '' 203.0.113.52 "${web1[@]}"
same "list" "IP            NETWORK  ROUTER  FIXED-IP   PORT
198.51.100.7  ext      edge    10.0.1.13  web2
203.0.113.50  ext      edge    10.0.1.11  web1
203.0.113.51  ext      other   10.0.2.11  db1" "$(hd fip)"
same "list" "203.0.113.51" "$(hd fip --router other | awk 'NR > 1 { print $1 }')"
same "list" "203.0.113.50" "$(hd floating-ip list --port web1 | awk 'NR > 1 { print $1 }')"
same "show" "name      203.0.113.50
router    edge
port      web1
fixed-ip  10.0.1.11
network   ext" "$(hd floating-ip show 203.0.113.50)"
same "show" "name                     edge
gateway
  network                ext
  ip                     203.0.113.9
  snat                   on
  nat-log                off
  nat-filter             address
  nat-ports-per-address  2048
mac                      02:68:64:f6:d8:6a
id                       $(hd -j router show edge | jq .id)

SUBNET  NETWORK  CIDR         GATEWAY
blue4   blue     10.0.1.0/24  10.0.1.1

ID  PREFIX       VIA          WEIGHT
 1  10.9.0.0/16  203.0.113.8       1

NEXT-HOP     MAC  STATE
203.0.113.1  -    asked

FLOATING-IP   FIXED-IP   PORT
198.51.100.7  10.0.1.13  web2
203.0.113.50  10.0.1.11  web1

NAT-POOL     PORTS  INSIDE  BLOCKS  USED  RESTING  FREE
203.0.113.9      0       0    1008     0        0  1008" "$(hd router show edge | sed "s/silent$/asked/")"

# What a floating IP needs stays; what it has nobody else gets.
before=$(hd export)
no 4 'port web1: still used by floating-ip 203.0.113.50' 'floating-ip del 203.0.113.50' port del web1
no 4 'router edge: still used by floating-ip 198.51.100.7' 'floating-ip del 198.51.100.7' router del edge
no 4 'router edge: its gateway is still used by floating-ip' 'floating-ip del' router gateway edge --none
no 4 'router other: its gateway is still used by floating-ip 203.0.113.51' 'floating-ip del 203.0.113.51' router set other --unset gateway
no 4 'subnet more: still used by floating-ip 198.51.100.7' 'floating-ip del 198.51.100.7' subnet del more
no 4 'its subnet lab4 overlaps with subnet red4' 'router detach other' router gateway other --network lab --ip 10.0.0.9
no 6 'no subnet of router edge holds 10.0.1.1[13] of port' 'delete the floating IP first' router detach edge --subnet blue4
no 6 'port web1 has no IPv4 address' 'port set web1 --ip' port set web1 --unset ip
no 6 'port web2 does not have address 10.0.1.13' 'unset fixed-ip' port set web2 --ip 10.0.1.12/24
no 6 'via 203.0.113.50: route loop' 'another router' router route-add edge 10.8.0.0/16 --via 203.0.113.50
no 4 'port x: address 203.0.113.50 is already used by floating-ip 203.0.113.50' '' port add x --network ext --internal --ip 203.0.113.50/24
no 4 'port public: address 203.0.113.50 is already used by floating-ip' '' port set public --allowed-address 203.0.113.50
no 4 'address 203.0.113.50 is already used by floating-ip' '' neighbour add 203.0.113.50 --network ext --mac 02:00:00:00:00:09
no 4 'address 203.0.113.50 is already used by router other' 'router gateway other' router gateway other --network ext --ip 203.0.113.50
same "nothing of this is done" "$before" "$(hd export)"

# It follows its port where it does not say an address; it moves to another port.
hd port set web1 --ip 10.0.1.21/24
same "the port's address" '"10.0.1.21"' "$(hd -j fip show 203.0.113.50 | jq '."fixed-ip"')"
no 6 'port web1 does not have address 10.0.1.13' 'unset fixed-ip' fip set 198.51.100.7 --port web1
same "dry run" "~ floating-ip 203.0.113.50 port: web1 -> web2, fixed-ip: none -> 10.0.1.12" \
	"$(hd --dry-run fip set 203.0.113.50 --port web2 --fixed-ip 10.0.1.12)"
hd fip set 203.0.113.50 --port web2 --fixed-ip 10.0.1.12
hd fip set 198.51.100.7 --port web1 --unset fixed-ip
same "moved" "198.51.100.7 10.0.1.21 web1
203.0.113.50 10.0.1.12 web2
203.0.113.51 10.0.2.11 db1" "$(hd fip | awk 'NR > 1 { print $1, $4, $5 }')"
hd port set web1 --ip 10.0.1.11/24

# ---- files ----

hd export >"$T/all.yaml"
same "apply what was exported" "no changes" "$(hd apply -f "$T/all.yaml")"
hd -j export | jq '{version, "floating-ips": ."floating-ips", routers, ports, subnets} | .routers.edge.gateway.snat = "on" | .routers.edge.gateway.ip |= empty' \
	>"$T/turned.json"
same "the same, turned round, less the address" "no changes" "$(hd apply -f "$T/turned.json")"

# One port gets another address, one floating IP follows it, a gateway gets an address: whatever comes first in the file.
hd -j export | jq '{version, "floating-ips": (."floating-ips" | del(."203.0.113.51")), routers: (.routers | .inner.gateway = {network: "ext", snat: false}),
	ports: (.ports | .web1.ip = ["10.0.1.22/24"])}' >"$T/other.json"
same "diff" "- floating-ip 203.0.113.51
~ router inner gateway: none -> network ext ip 203.0.113.8 snat off
~ port web1 ip: 10.0.1.11/24 -> 10.0.1.22/24" "$(hd diff -f "$T/other.json")"
same "apply" "$(hd diff -f "$T/other.json")" "$(hd apply -f "$T/other.json")"
same "apply again" "no changes" "$(hd apply -f "$T/other.json")"
same "followed" '"10.0.1.22"' "$(hd -j fip show 198.51.100.7 | jq '."fixed-ip"')"
hd apply -f "$T/all.yaml" >/dev/null
same "back again" "no changes" "$(hd diff -f "$T/all.yaml")"

# file STATUS REGEX HINT LINE...: a file of routers and floating IPs
file() {
	{
		printf 'version: 1\n'
		printf '%s\n' "${@:4}"
	} >"$T/file.yaml"
	no "$1" "$2" "$3" apply -f "$T/file.yaml"
	refused "$1" "$2" hd diff -f "$T/file.yaml"
}
before=$(hd export)
file 3 'file.yaml:3:8: .*uplink none does not exist' 'uplink list' 'routers:' '  r9: {gateway: {uplink: none}}'
file 6 'file.yaml:3:8: .*unknown option sant' 'did you mean snat' 'routers:' '  r9: {gateway: {network: ext, sant: true}}'
file 6 'file.yaml:3:8: .*a gateway needs network or uplink' '' 'routers:' '  r9: {gateway: {ip: 203.0.113.9}}'
file 6 'file.yaml:3:8: .*expected a mapping' '' 'routers:' '  r9: {gateway: ext}'
file 6 'file.yaml:3:3: .*missing option: port' '' 'floating-ips:' '  203.0.113.60: {router: edge}'
file 6 'file.yaml:3:3: .*not an address' 'named by' 'floating-ips:' '  web: {router: edge, port: web1}'
file 6 'file.yaml:3:[0-9]+: .*router edge has no IPv6 address outside' 'one of each family' 'floating-ips:' '  "2001:db8::50": {router: edge, port: web1}'
file 3 'file.yaml:3:[0-9]+: .*port none does not exist' 'port list' 'floating-ips:' '  203.0.113.60: {router: edge, port: none}'
file 4 'fixed-ip 10.0.1.11 is already used by floating-ip 203.0.113.60' '' 'floating-ips:' '  203.0.113.60: {router: edge, port: web1}' \
	'  203.0.113.61: {router: edge, port: web1}'
file 3 'floating-ip .*: router (edge|other) does not exist' 'router list' 'routers: {}'
file 6 'file.yaml:3:3: .*missing options: protocol, to' '' 'port-forwards:' '  web: {router: edge, listen: "203.0.113.8:81"}'
file 6 'file.yaml:3:[0-9]+: .*expected IP:PORT' '' 'port-forwards:' '  web: {router: edge, protocol: tcp, listen: 203.0.113.8, to: "10.0.1.11:80"}'
same "nothing of this is done" "$before" "$(hd export)"

# ---- a restart, and the end ----

before=$(hd -j router list | grep -v '"state":'; hd -j floating-ip list; hd -j subnet list)
daemon_kill
daemon_start
same "after a restart" "$before" "$(hd -j router list | grep -v '"state":'; hd -j floating-ip list; hd -j subnet list)"
same "apply after a restart" "no changes" "$(hd apply -f "$T/all.yaml")"
for ip in 198.51.100.7 203.0.113.50 203.0.113.51; do
	hd floating-ip del "$ip"
done
hd router route-del edge 1
hd router gateway edge --none
hd router gateway other --none
hd neighbour del 203.0.113.11 --network ext
hd port del public
hd subnet del out
hd subnet del more
hd network del ext
same "nothing is left outside" "" "$(hd export | grep -E '203\.0\.113|198\.51\.100')"
