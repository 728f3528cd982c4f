#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# 10,000 rules in a firewall: as many look-ups as 10 rules of the same kinds need, and the right one decides, wherever it stands. Times are told, and
# nothing is asked of them.
# shellcheck source-path=SCRIPTDIR source=../lib/routing.sh
. "$(dirname "$0")/../lib/routing.sh"

host
for n in 1 2; do
	hd network add "net$n" --type local
done
subnets hd 1 2
hd router add r
attach hd r 1 2
side hd 1 a --no-security --mac 02:00:00:00:01:11
side hd 2 b --no-security --mac 02:00:00:00:02:11

# rules N: they deny TCP ports of hosts that are not there, in five ways; the last but one rejects TCP 8001 to b, the last allows all
rules() {
	printf 'version: 1\nfirewalls:\n  f:\n    router: r\n    rules:\n'
	awk -v n="$1" 'BEGIN {
		for (i = 0; i < n - 2; i++) {
			a = "198." 18 + int(i / 65536) "." int(i / 256) % 256 "." i % 256
			kind = i % 5
			if (kind == 0) print "      - {action: deny, protocol: tcp, from: " a "/32}"
			if (kind == 1) print "      - {action: deny, protocol: tcp, to: " a "/32, port: " i % 65535 + 1 "}"
			if (kind == 2) print "      - {action: deny, from: " a "/32, to: 10.0.0.0/8}"
			if (kind == 3) print "      - {action: reject, protocol: udp, to: 2001:db8:ff::" i "/128}"
			if (kind == 4) print "      - {action: deny, protocol: " 100 + i % 30 ", from: " a "/32, to: " a "/32}"
		}
	}'
	printf '      - {action: reject, protocol: tcp, to: 10.0.2.11/32, port: 8001}\n      - {action: allow}\n'
}

# look_ups: most that a first packet needs, IPv4 and IPv6
look_ups() {
	bpftool -j map dump pinned "$PINS/maps/hd_fw_shapes" | jq -r '.[0].formatted.value.n | join(" ")'
}

ms_since() {
	echo $(((${EPOCHREALTIME/./} - $1) / 1000))
}

cat >"$T/trips.py" <<'PY'
from reach import *

ends = Ends(sys.argv[1])
ends.serve("b", 8000, 8001)
ends.expect("through", {("tcp", "a", "10.0.2.11", 8000): "open", ("tcp", "a", "10.0.2.11", 8001): "reset", ("udp", "a", "2001:db8:2::11", 8001): "open"})

def trips(near, n):
    for _ in range(n):
        near.send(b"x")
        near.recv(10)

def fresh(n):
    for _ in range(n):
        with ends.make("a", socket.AF_INET, socket.SOCK_DGRAM) as near:
            near.connect(("10.0.2.11", 8000))
            trips(near, 1)

with ends.make("a", socket.AF_INET, socket.SOCK_DGRAM) as old:
    old.connect(("10.0.2.11", 8000))
    trips(old, 100)
    times = []
    for run in (lambda: trips(old, 2000), lambda: fresh(500)):
        start = time.monotonic()
        run()
        times.append(time.monotonic() - start)
print(f"{times[0] / 2000 * 1e6:.0f} us for a round trip on a flow, {times[1] / 500 * 1e6:.0f} us with a new one and its sockets")
PY
for n in 12 10000; do
	rules "$n" >"$T/rules.yaml"
	start=${EPOCHREALTIME/./}
	hd apply -f "$T/rules.yaml" >/dev/null
	apply=$(ms_since "$start")
	eval "look_ups_$n=\$(look_ups)"
	same "rules" "$n" "$(hd -j firewall show f | jq '.rules | length')"
	start=${EPOCHREALTIME/./}
	hd firewall rule-add f --position 5 --action deny --protocol tcp --to 198.51.100.1/32 --port 1 >/dev/null
	echo "note: $n rules: applied in $apply ms, one more in $(ms_since "$start") ms; $(py "$T/trips.py" "$N")"
done
# shellcheck disable=SC2154 # made by eval
same "look-ups with 12 and with 10,000 rules" "$look_ups_12" "$look_ups_10000"
same "rows" yes "$( (($(table_of firewall-rules | cut -d' ' -f1) > 9990)) && echo yes)"
start=${EPOCHREALTIME/./}
hd firewall del f
echo "note: removed in $(ms_since "$start") ms"
same "rows" 0 "$(bpftool -j map dump pinned "$PINS/maps/hd_fw_rules" | jq length)"
