#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Wrong input about security groups: a named error, the right exit status, and nothing changed.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
ns a
for i in 0 1; do
	veth "dev$i" a "eth$i"
done
hd network add blue --type local
hd security-group add web
hd security-group add lonely
allow web --direction ingress --protocol tcp --port 80
allow web --direction ingress --remote-group web
hd port add p0 --network blue --device dev0 --security-group web --ip 10.0.20.1

state() {
	local map

	hd export
	hd -j security-group list | jq -Sc .
	hd -j port list | jq -Sc 'map(del(.counters))'
	for map in hd_rules hd_shapes hd_members hd_sources; do
		bpftool -j map dump pinned "$PINS/maps/$map" | jq -Sc 'sort_by(.key | tostring)'
	done
}
before=$(state)

# rule STATUS REGEX OPTION...: of group web
wrong() {
	refused "$1" "$2" hd security-group rule-add web "${@:3}"
}
IN='--direction ingress'

# shellcheck disable=SC2086 # $IN is two words
{
	wrong 2 'direction is missing' --protocol tcp
	wrong 6 'direction.*sideways' --direction sideways
	wrong 6 'port.*protocol' $IN --port 80
	wrong 6 'port.*protocol' $IN --protocol icmp --port 80
	wrong 6 'port.*protocol' $IN --protocol 89 --port 80
	wrong 6 'port' $IN --protocol tcp --port 0-70000
	wrong 6 'port' $IN --protocol tcp --port 65536
	wrong 6 'port' $IN --protocol tcp --port 90-80
	wrong 6 'port' $IN --protocol tcp --port 80,90
	wrong 6 'port' $IN --protocol tcp --port -5
	wrong 6 'protocol.*tpc' $IN --protocol tpc
	wrong 6 'protocol.*256' $IN --protocol 256
	wrong 6 'icmp-type' $IN --icmp-type 8
	wrong 6 'icmp-type' $IN --protocol tcp --icmp-type 8
	wrong 6 'icmp-type' $IN --protocol icmp --icmp-type 256
	wrong 6 'icmp-code' $IN --protocol icmp --icmp-code 1
	wrong 6 'icmp-code' $IN --protocol icmp --icmp-type 3 --icmp-code 256
	wrong 6 'remote' $IN --remote 10.0.20.0/24 --remote-group web
	wrong 6 'remote' $IN --remote 10.0.20.0/33
	wrong 6 'remote' $IN --remote 10.0.20.1/24
	wrong 6 'remote' $IN --remote 10.0.20
	wrong 6 'remote' $IN --remote 2001:db8::/129
	wrong 6 'except needs remote' $IN --except 10.0.20.0/24
	wrong 6 'except needs remote' $IN --remote-group web --except 10.0.20.0/24
	wrong 6 'except must be smaller parts of remote' $IN --remote 10.0.20.0/24 --except 10.0.20.0/24
	wrong 6 'except must be smaller parts of remote' $IN --remote 10.0.20.0/24 --except 10.0.21.0/25
	wrong 6 'except: 10.0.20.1/25 has bits set' $IN --remote 10.0.20.0/24 --except 10.0.20.1/25
	wrong 6 'port p0: the ingress rules .*more than 64 combinations' $IN --remote ::/0 --except 2001:db8::1/128
	wrong 6 'ethertype|remote' $IN --remote 10.0.20.0/24 --ethertype ipv6
	wrong 6 'ethertype|remote' $IN --remote 2001:db8::/32 --ethertype ipv4
	wrong 6 'ethertype.*ipx' $IN --ethertype ipx
	wrong 6 'ethertype|protocol' $IN --protocol icmpv6 --ethertype ipv4
	wrong 6 'ethertype|protocol' $IN --protocol icmp --ethertype ipv6
	wrong 6 'protocol|remote' $IN --protocol icmp --remote 2001:db8::/32
	wrong 3 'none does not exist' $IN --remote-group none
	wrong 4 'same|exists' $IN --protocol tcp --port 80
	wrong 2 'frobnicate' $IN --frobnicate
	refused 3 'security-group none' hd security-group rule-add none $IN
}
refused 3 'rule 4711|4711' hd security-group rule-del web 4711
refused 3 'rule' hd security-group rule-del lonely "$(hd -j security-group show web | jq '.rules[-1].id')"
refused 3 'none' hd security-group rule-del none 1
refused 6 'id|number|rule' hd security-group rule-del web abc
hd security-group rule-del web 4711 --if-exists

# Groups: in use, special, not there
refused 4 'web: still used by port p0' hd security-group del web
refused 4 'default.*(can.t|cannot) be (deleted|removed)' hd security-group del default
refused 4 'web: exists' hd security-group add web
refused 3 'none' hd security-group del none
refused 6 'isolate: expected one of ingress, egress, none, not "both"' hd security-group set web --isolate both
refused 6 'none goes with no other direction' hd security-group set web --isolate none --isolate egress
refused 6 'web: it isolates nothing, so its rules would never count' hd security-group set web --isolate none
refused 6 'hint: .*--unset rules' hd security-group set web --isolate none
refused 3 'none does not exist' hd port set p0 --security-group none
refused 3 'none does not exist' hd port add x --network blue --device dev1 --security-group web --security-group none
refused 6 'security' hd port add x --network blue --device dev1 --security-group web --no-security
refused 6 'allowed-address' hd port set p0 --allowed-address 10.0.20.300
refused 6 'allowed-address' hd port set p0 --allowed-address 10.0.20.3,02:00:00
refused 6 'allowed-address' hd port set p0 --allowed-address 10.0.20.3,01:00:00:00:00:01
refused 6 'allowed-address' hd port set p0 --allowed-address 10.0.20.1/24
same "state" "$before" "$(state)"

# Files: the place of the mistake; what comes before it is not done.
# file STATUS REGEX RULE: a file with a good group, then one with this rule in line 6
file() {
	printf 'version: 1\nsecurity-groups:\n  new: {rules: [{direction: ingress}]}\n  web:\n    rules:\n      - %s\n  lonely: {}\n' "$3" >"$T/file.yaml"
	refused "$1" "$2" hd apply -f "$T/file.yaml"
	refused "$1" "$2" hd diff -f "$T/file.yaml"
}
file 6 'file.yaml:6:[0-9]+: .*port' "{direction: ingress, port: '80'}"
file 6 'file.yaml:6:[0-9]+: .*remote' '{direction: ingress, remote: 10.0.20.0/24, remote-group: web}'
file 6 'file.yaml:6:9: .*direction' '{protocol: tcp}'
file 6 'file.yaml:6:[0-9]+: .*bogus' '{direction: ingress, bogus: 5}'
file 6 'file.yaml:6:[0-9]+: .*tpc' '{direction: ingress, protocol: tpc}'
file 6 'file.yaml:6:9: .*' 'sesame'
file 3 'file.yaml:6:.*none' '{direction: ingress, remote-group: none}'
printf 'version: 1\nsecurity-groups: {lonely: {}}\n' >"$T/file.yaml"
refused 3 'file.yaml:.*port p0: security-group web does not exist' hd apply -f "$T/file.yaml"
printf 'version: 1\nports:\n  p0: {network: blue, device: dev0, ip: [10.0.20.1], security-group: [web, none]}\n' >"$T/file.yaml"
refused 3 'file.yaml:3:[0-9]+: .*none' hd apply -f "$T/file.yaml"
same "state" "$before" "$(state)"

# Traces and flows that nobody can ask for
refused 3 'none' hd trace --port none 'tcp 10.0.20.1:1 > 10.0.20.2:2'
refused 2 'port is missing' hd trace 'tcp 10.0.20.1:1 > 10.0.20.2:2'
for packet in '' 'tcp' 'tcp 10.0.20.1' 'tcp 10.0.20.1:1 >' 'tcp 10.0.20.1:1 < 10.0.20.2:2' 'tpc 10.0.20.1:1 > 10.0.20.2:2' 'tcp 10.0.20.1:1 > [2001:db8::1]:2' \
	'tcp 10.0.20.1:70000 > 10.0.20.2:2' 'tcp 10.0.20.1:1 > 10.0.20.2:2 sin' 'udp 10.0.20.1:1 > 10.0.20.2:2 ttl 256' 'arp who-has' 'icmp 10.0.20.1 > 10.0.20.2 type 300'; do
	refused 6 'packet' hd trace --port p0 "$packet"
done
refused 3 'none' hd flow list --network none
refused 3 'none' hd flow flush --port none
refused 6 'protocol' hd flow list --protocol tpc
refused 6 'state' hd flow list --state sleepy
refused 6 'address' hd flow flush --address 10.0.20
same "state" "$before" "$(state)"
kill -0 "$DAEMON" || fail "heddled has died"
