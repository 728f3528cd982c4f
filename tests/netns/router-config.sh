#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Routers as they are configured: attach, detach, routes; what is refused and why; files; what a restart keeps. No packet is sent.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
hd network add red --type local
hd subnet add blue4 --network blue --cidr 10.0.1.0/24 --gateway 10.0.1.1
hd subnet add blue5 --network blue --cidr 10.0.5.0/24 --gateway 10.0.5.1
hd subnet add blue6 --network blue --cidr 2001:db8:1::/64 --gateway 2001:db8:1::1
hd subnet add red4 --network red --cidr 10.0.2.0/24 --gateway 10.0.2.1
hd subnet add red6 --network red --cidr 2001:db8:2::/64 --gateway 2001:db8:2::1
hd subnet add tenant --network red --cidr 10.0.1.0/24 --gateway 10.0.1.1
hd subnet add bare --network red --cidr 10.0.3.0/24
hd subnet add odd --network red --cidr 10.0.4.0/24 --gateway 10.0.4.255
hd subnet add link --network red --cidr fe80::/64 --gateway fe80::1
hd subnet add taken --network red --cidr 10.0.6.0/24 --gateway 10.0.6.1
hd subnet add known --network red --cidr 10.0.7.0/24 --gateway 10.0.7.1
hd port add inside --network red --internal --ip 10.0.6.1 --mac 02:68:64:00:00:06
hd neighbour add 10.0.7.1 --network red --mac 02:00:00:00:00:07

# route ROUTER WORD...: adds a route and prints its id
route() {
	hd -j router route-add "$@" | jq .id
}

# hinted REGEX: what refused() heard last gives this hint
hinted() {
	grep -qE -- "^hint: .*$1" "$T/refused.err" || fail "no hint '$1' in: $(<"$T/refused.err")"
}

# Two routers at one network, by different subnets; two tenants with the same addresses.
hd router add r1
hd router add r2 --mac 02:68:64:00:53:02
hd router add r1 --may-exist
for subnet in blue4 blue6 red4; do
	hd router attach r1 --subnet "$subnet"
done
hd router attach r1 --subnet red4 --may-exist
hd router attach r2 --subnet blue5
hd router attach r2 --subnet tenant
hd router add r1 --may-exist
same "the ids of routes" "1 2 3 4" "$(route r1 10.9.0.0/16 --via 10.0.1.9) $(route r1 10.9.0.0/16 --via 10.0.2.9 --weight 3) \
$(route r1 10.8.0.0/16 --blackhole) $(route r1 2001:db8:9::/48 --via 2001:db8:1::9)"
same "said to people" "route 5" "$(hd router route-add r1 0.0.0.0/0 --via 10.0.1.8)"
same "a route that is there" 2 "$(route r1 10.9.0.0/16 --via 10.0.2.9 --weight 3 --may-exist)"
same "list" "NAME  MAC                SUBNETS           ROUTES
r1    02:68:64:53:fd:a0  blue4,blue6,red4       5
r2    02:68:64:00:53:02  blue5,tenant           0" "$(hd router)"
same "show" "name  r1
mac   02:68:64:53:fd:a0
id    $(hd -j router show r1 | jq .id)

SUBNET  NETWORK  CIDR             GATEWAY
blue4   blue     10.0.1.0/24      10.0.1.1
blue6   blue     2001:db8:1::/64  2001:db8:1::1
red4    red      10.0.2.0/24      10.0.2.1

ID  PREFIX           VIA            WEIGHT
 1  10.9.0.0/16      10.0.1.9            1
 2  10.9.0.0/16      10.0.2.9            3
 3  10.8.0.0/16      blackhole           -
 4  2001:db8:9::/48  2001:db8:1::9       1
 5  0.0.0.0/0        10.0.1.8            1" "$(hd router show r1)"
same "its addresses" "10.0.1.1 2001:db8:1::1 10.0.2.1" "$(hd -j neighbour list --port r1 | jq -r '[.[] | select(.kind == "router") | .ip] | join(" ")')"
same "the router of a subnet" "r1 r2 " "$(for s in blue4 tenant bare; do hd -j subnet show $s | jq -j '.router + " "'; done | sed 's/ $//')"

state() {
	hd export
	hd -j router list
	bpf_objects | sort
}
before=$(state)

# attach STATUS REGEX HINT SUBNET
attach() {
	refused "$1" "$2" hd router attach r1 --subnet "$4"
	[[ -z $3 ]] || hinted "$3"
}
attach 3 'router r1: subnet none does not exist' 'subnet list' none
attach 4 'router r1: has subnet blue4 already' '' blue4
attach 4 'router r1: subnet blue5 is attached to router r2' 'router detach r2 --subnet blue5' blue5
attach 4 'router r1: subnet tenant is attached to router r2' 'router detach r2' tenant
attach 6 'router r1: subnet bare has no gateway' 'subnet set bare --gateway IP' bare
attach 6 'router r1: subnet odd: its gateway 10.0.4.255 is no host' 'subnet set odd --gateway IP' odd
attach 6 'router r1: subnet link has link-local addresses' '' link
attach 4 'router r1: address 10.0.6.1 is already used by port inside' 'subnet set SUBNET --gateway' taken
attach 4 'address 10.0.7.1 is already used by router r1' 'subnet set SUBNET --gateway' known
refused 3 'router none: does not exist' hd router attach none --subnet blue4
refused 3 'router r1: there is no subnet red6' hd router detach r1 --subnet red6
hinted 'router show r1'
hd router detach r1 --subnet red6 --if-exists
refused 6 'router r1: route 10.9.0.0/16 via 10.0.1.9: next hop unreachable' hd router detach r1 --subnet blue4
hinted 'delete the route first'
refused 4 'subnet blue4: still used by router r1' hd subnet del blue4
hinted 'router detach r1 --subnet blue4'
refused 6 'router r1: subnet blue4 has no gateway' hd subnet set blue4 --unset gateway
refused 6 'router r1: route .* via 10.0.1.9: route loop' hd subnet set blue4 --gateway 10.0.1.9

# to STATUS REGEX HINT PREFIX OPTION...: a route
to() {
	refused "$1" "$2" hd router route-add r1 "${@:4}"
	[[ -z $3 ]] || hinted "$3"
}
to 6 'next hop unreachable: no subnet of the router holds it' 'router attach r1 --subnet' 10.7.0.0/16 --via 10.0.3.9
to 6 'route loop: the next hop is the router itself' 'another router' 10.7.0.0/16 --via 10.0.1.1
to 6 'route loop' '' 10.7.0.0/16 --via 10.0.2.1
to 6 'is no host.s address' '' 10.7.0.0/16 --via 10.0.1.255
to 4 'a subnet with that prefix is attached' '' 10.0.2.0/24 --via 10.0.1.9
to 4 'a subnet with that prefix is attached' '' 10.0.2.0/24 --blackhole
to 4 'that is the router.s own address' '' 10.0.2.1/32 --via 10.0.1.9
to 4 'router r1: route 1 says the same' '' 10.9.0.0/16 --via 10.0.1.9
to 4 'route 2 leads there already' '' 10.9.0.0/16 --via 10.0.2.9 --weight 4
to 4 'blackhole 10.9.0.0/16: route 1 is for that prefix too' '' 10.9.0.0/16 --blackhole
to 4 'route 3 is a blackhole for that prefix' '' 10.8.0.0/16 --via 10.0.1.9
to 6 'via is not of the family' '' 2001:db8:7::/48 --via 10.0.1.9
to 6 'a route needs via, or blackhole' '' 10.7.0.0/16
to 6 'exclude each other' '' 10.7.0.0/16 --via 10.0.1.9 --blackhole
to 6 'weight needs via' '' 10.7.0.0/16 --blackhole --weight 2
to 6 'weight' '' 10.7.0.0/16 --via 10.0.1.9 --weight 0
to 6 'weight' '' 10.7.0.0/16 --via 10.0.1.9 --weight 256
to 6 'bits set behind' 'is 10.7.0.0/16' 10.7.0.1/16 --via 10.0.1.9
to 6 'expected a network such as' '' 10.7.0.0 --via 10.0.1.9
to 6 'multicast addresses are not routed' '' 239.0.0.0/8 --via 10.0.1.9
to 2 'frobnicate' '' 10.7.0.0/16 --via 10.0.1.9 --frobnicate
refused 2 'ROUTER PREFIX is missing' hd router route-add r1 --via 10.0.1.9
refused 3 'router none' hd router route-add none 10.7.0.0/16 --via 10.0.1.9
refused 3 'router r1: there is no route 4711' hd router route-del r1 4711
hinted 'router show r1'
refused 6 'not the id of a route' hd router route-del r1 default
hd router route-del r1 4711 --if-exists

# What a router has, others can't have.
refused 4 'port x: address 10.0.2.1 is already used by router r1' hd port add x --network red --internal --ip 10.0.2.1
hinted 'subnet set SUBNET --gateway'
refused 4 'port x: MAC 02:68:64:53:fd:a0 is already used by router r1' hd port add x --network red --internal --mac 02:68:64:53:fd:a0
hinted 'router set r1 --mac MAC'
refused 4 'port inside: address 10.0.2.1 is already used by router r1' hd port set inside --allowed-address 10.0.2.1
refused 4 'neighbour red/10.0.2.1: .* already used by router r1' hd neighbour add 10.0.2.1 --network red --mac 02:00:00:00:00:09
refused 4 'fdb red/02:68:64:53:fd:a0: .* already used by router r1' hd fdb add 02:68:64:53:fd:a0 --network red --port inside
refused 4 'MAC 02:68:64:00:00:06 is already used by' hd router set r1 --mac 02:68:64:00:00:06
refused 4 'MAC 02:68:64:53:fd:a0 is already used by' hd router set r2 --mac 02:68:64:53:fd:a0 # both are at blue
refused 6 'unicast' hd router set r1 --mac 01:00:5e:00:00:01
refused 6 'none that a router can have' hd router set r1 --mac 02:00:5e:00:53:02
hinted 'begin with 02:68:64'

# Names, words, what comes later
refused 4 'router r1: exists already' hd router add r1
refused 4 'router r2: exists already, with other options' hd router add r2 --may-exist
refused 6 'not a name' hd router add a/b
refused 3 'router none: does not exist' hd router show none
refused 3 'router none: does not exist' hd router del none
refused 2 'unknown option .--routes' hd router add x --routes 1
hinted 'router route-add'
refused 3 'router r1: uplink eth0 does not exist' hd router gateway r1 --uplink eth0
refused 2 'port-forward add: --protocol is missing' hd port-forward add web --router r1
same "state" "$before" "$(state)"

# Files: an error names its place, and nothing of the file is done.
file() {
	printf 'version: 1\nrouters:\n  new: {}\n  r1:\n    subnets: [%s]\n    routes:\n      - %s\n' "$3" "$4" >"$T/file.yaml"
	refused "$1" "$2" hd apply -f "$T/file.yaml"
	refused "$1" "$2" hd diff -f "$T/file.yaml"
}
file 3 'file.yaml:5:5: .*subnet none does not exist' none '{prefix: 10.7.0.0/16, blackhole: true}'
file 4 'file.yaml:5:5: .*subnets blue4 and tenant overlap|subnets tenant and blue4' 'blue4, tenant' '{prefix: 10.7.0.0/16, blackhole: true}'
file 6 'file.yaml:7:9: .*needs via' blue4 '{prefix: 10.7.0.0/16}'
file 6 'file.yaml:7:9: .*missing option: prefix' blue4 '{via: 10.0.1.9}'
file 6 'file.yaml:6:5: .*unreachable' blue4 '{prefix: 10.7.0.0/16, via: 10.0.2.9}'
file 6 'file.yaml:7:[0-9]+: .*bogus' blue4 '{prefix: 10.7.0.0/16, via: 10.0.1.9, bogus: 1}'
file 6 'file.yaml:7:9: .*mapping' blue4 10.7.0.0/16
printf 'version: 1\nrouters:\n  r1: {gateway: {uplink: eth0}}\n' >"$T/file.yaml"
refused 3 'file.yaml:3:8: .*uplink eth0 does not exist' hd apply -f "$T/file.yaml"
printf 'version: 1\nrouters:\n  a: {subnets: [blue4]}\n  b: {subnets: [blue4]}\n' >"$T/file.yaml"
refused 4 'file.yaml:4:7: .*subnet blue4 is already used by router a' hd apply -f "$T/file.yaml"
hinted 'router detach a --subnet blue4'
printf 'version: 1\nsubnets:\n  blue4: {network: blue, cidr: 10.0.1.0/24, gateway: 10.0.1.1}\n' >"$T/file.yaml"
refused 3 'router r[12]: subnet [a-z0-9]+ does not exist' hd apply -f "$T/file.yaml"
same "state" "$before" "$(state)"

# Export, apply, diff: the same back, in whatever order; a route that stays keeps its id.
hd export >"$T/all.yaml"
same "apply what was exported" "no changes" "$(hd apply -f "$T/all.yaml")"
same "no ids in a file" 0 "$(hd -j export | jq '[.routers[].routes[]?.id // empty] | length')"
hd -j export | jq '.routers.r1.routes |= reverse | .routers.r1.subnets |= reverse | .routers.r1.routes[0].weight = 1' >"$T/turned.yaml"
same "the same, turned round" "no changes" "$(hd apply -f "$T/turned.yaml")"
hd -j export | jq '.routers.r1.routes |= map(select(.via != "10.0.1.9")) | .routers.r1.routes += [{prefix: "10.6.0.0/16", via: "10.0.2.7"}]
	| .routers.r2.subnets += ["red6"]' >"$T/other.yaml"
same "diff" "~ router r1 routes: + 10.6.0.0/16 via 10.0.2.7
~ router r1 routes: - 10.9.0.0/16 via 10.0.1.9
~ router r2 subnets: blue5,tenant -> blue5,red6,tenant" "$(hd diff -f "$T/other.yaml")"
same "state" "$before" "$(state)"
same "apply" "$(hd diff -f "$T/other.yaml")" "$(hd apply -f "$T/other.yaml")"
same "the ids of routes" "2 3 4 5 6" "$(hd -j router show r1 | jq -r '[.routes[].id | tostring] | join(" ")')"
hd apply -f "$T/all.yaml" >/dev/null
same "back again" "no changes" "$(hd diff -f "$T/all.yaml")"

# A restart keeps all of it, the numbers too.
before=$(hd -j router list)
daemon_kill
daemon_start
same "after a restart" "$before" "$(hd -j router list)"
same "apply after a restart" "no changes" "$(hd apply -f "$T/all.yaml")"

# A dry run does nothing; what is taken back is gone; a router leaves its subnets when it goes.
before=$(hd export)
same "dry run" "~ router r1 subnets: blue4,blue6,red4 -> blue4,blue6,red4,red6" "$(hd --dry-run router attach r1 --subnet red6)"
same "dry run" "~ router r1 routes: - 10.8.0.0/16 blackhole" "$(hd --dry-run router route-del r1 3)"
same "nothing done" "$before" "$(hd export)"
hd router route-del r1 3
hd router detach r2 --subnet tenant
hd subnet del tenant
hd router del r1
hd router del r1 --if-exists
hd subnet del blue4
hd neighbour add 10.0.2.1 --network red --mac 02:00:00:00:00:09 # its address is free again
printf 'version: 1\nrouters: {}\n' >"$T/file.yaml"
same "no routers" "- router r2" "$(hd apply -f "$T/file.yaml")"
