#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# apply, diff, validate, export: a second apply changes nothing, YAML and JSON say the same, all or nothing.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
ns6 a b
ns c
veth dev0 c eth0
veth dev1 c eth1

cat >"$T/full.yaml" <<YAML
# comments and quotes of all kinds
version: 1
networks:
  blue:
    type: local
    mtu: 1400
    ageing: 60
    neighbour-suppression: true
  "green": {type: local, flood: false, port-mac-limit: 17}
subnets:
  blue4: {network: blue, cidr: 10.0.20.0/24, gateway: 10.0.20.254}
ports:
  a: {network: blue, netns: $N-a, ifname: eth0, ip: [10.0.20.1, '2001:db8::1/64'], mac: "02:00:00:00:00:0a"}
  b:
    network: blue
    netns: /run/netns/$N-b
    ifname: eth0
    ip:
      - 10.0.20.2
    label: [tier=front, owner=me]
  leg: {network: blue, internal: true, ip: [10.0.20.254]}
  dev: {network: green, device: dev0, isolated: true, hairpin: true, mtu: 1300}
fdb:
  green/02:00:00:00:00:77: {port: dev}
neighbours:
  blue/10.0.20.77: {mac: "02:00:00:00:00:77"}
  blue/2001:db8::77: {mac: "02:00:00:00:00:77"}
YAML

links() { hd -j port list | jq -Sc '.[] | del(.counters)'; }
nothing_to_do() { same "$*" "no changes" "$(hd "$@")"; }

# Looking first changes nothing.
empty=$(hd export)
hd validate -f "$T/full.yaml"
hd diff -f "$T/full.yaml" >"$T/diff"
same "lines of the diff" "2 network|1 subnet|4 port|1 fdb|2 neighbour" \
	"$(for n in network subnet port fdb neighbour; do echo "$(grep -c "^+ $n " "$T/diff") $n"; done | paste -sd'|')"
same "export after diff" "$empty" "$(hd export)"

hd apply -f "$T/full.yaml" >"$T/applied"
same "apply prints the diff" "$(<"$T/diff")" "$(<"$T/applied")"
pings a 10.0.20.2 10.0.20.254
pings host 10.0.20.1
before=$(links)
maps=$(for pin in "$PINS"/maps/*; do bpftool -j map dump pinned "$pin" 2>/dev/null | jq -c 'select(. != null)' | md5sum; done)
nothing_to_do apply -f "$T/full.yaml"
nothing_to_do diff -f "$T/full.yaml"
same "ports" "$before" "$(links)"
[[ -n $maps ]] || fail "no maps"

# What export prints, apply takes; as YAML and as JSON, and into an empty instance.
hd export >"$T/export.yaml"
hd -j export >"$T/export.json"
nothing_to_do apply -f "$T/export.yaml"
nothing_to_do apply -f "$T/export.json"
nothing_to_do apply -f - <"$T/export.json"
printf '%s' '{"version":1,"networks":{},"subnets":{},"ports":{},"fdb":{},"neighbours":{}}' >"$T/empty.json"
hd apply -f "$T/empty.json" >"$T/applied"
same "all removed" 10 "$(grep -c '^- ' "$T/applied")"
same "export when empty" "$empty" "$(hd export)"
hd apply -f "$T/export.json" >/dev/null
same "exported again" "$(jq -S . "$T/export.json")" "$(hd -j export | jq -S .)"
nothing_to_do apply -f "$T/full.yaml"
pings a 10.0.20.2 10.0.20.254

# A kind that the file does not hold is left alone; one that it holds is made equal; changes are in place.
cat >"$T/part.yaml" <<YAML
version: 1
neighbours:
  blue/10.0.20.78: {mac: "02:00:00:00:00:78"}
  blue/10.0.20.77: {mac: "02:00:00:00:00:79"}
YAML
same "a part" "+ neighbour blue/10.0.20.78 mac=02:00:00:00:00:78
- neighbour blue/2001:db8::77
~ neighbour blue/10.0.20.77 mac: 02:00:00:00:00:77 -> 02:00:00:00:00:79" "$(hd apply -f "$T/part.yaml" | sort)"
same "ports and networks stay" "4 2" "$(hd -j port | jq length) $(hd -j network | jq length)"
ids=$(hd -j port list | jq -c '[.[] | [.name, .id, .ifindex]]')
sed -i 's/mtu: 1400/mtu: 1350/; s/, isolated: true//' "$T/full.yaml"
hd apply -f "$T/full.yaml" | sort >"$T/applied"
same "changes" "~ network blue mtu: 1400 -> 1350|~ port dev isolated: on -> off" "$(grep -v neighbour "$T/applied" | paste -sd'|')"
same "devices are the same" "$ids" "$(hd -j port list | jq -c '[.[] | [.name, .id, .ifindex]]')"
same "MTU in the namespace" 1350 "$(ip -n "$N-a" -j link show eth0 | jq '.[0].mtu')"

# All or nothing: the last object of the file can't be had, and what comes before is not there either.
before=$(hd export)
links_before=$(links)
devices=$(ip -n "$N-host" -o link | cut -d: -f2)
# atomic STATUS LAST-PORT: a file with more networks and ports, which ends with a bad one
atomic() {
	hd -j export | jq --argjson last "$2" '.networks.more = {type: "local"}
		| .ports.x1 = {network: "more", device: "dev1"}
		| .ports.x2 = {network: "more", netns: "'"$N-c"'", ifname: "new"}
		| del(.ports.leg)
		| .ports.zz = $last' >"$T/bad.json"
	refused "$1" 'bad.json:[0-9]+:[0-9]+: .*zz' hd apply -f "$T/bad.json"
	same "export" "$before" "$(hd export)"
	same "ports" "$links_before" "$(links)"
	same "devices" "$devices" "$(ip -n "$N-host" -o link | cut -d: -f2)"
}
atomic 3 '{"network": "more", "device": "nodev"}'
atomic 3 '{"network": "more", "netns": "nons", "ifname": "eth0"}'
atomic 4 '{"network": "more", "device": "dev1"}'
atomic 6 '{"network": "more", "device": "lo"}'
atomic 6 '{"network": "more", "device": "dev1", "mtu": 1}'
atomic 4 '{"network": "more", "netns": "'"$N-a"'", "ifname": "lo"}'
pings a 10.0.20.2 10.0.20.254
