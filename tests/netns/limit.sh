#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Rates of ports: UDP and TCP through ports that are limited to 10 and 500 Mbit/s, one way and the other, within a tenth; changed while traffic runs.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local

# workload with an address: NAME NUMBER [OPTION...]
end() {
	workload blue "$1" --ip "10.0.20.$2/24" "${@:3}"
}

# within WHAT MBIT GOT
within() {
	(($3 > $2 * 900000 && $3 < $2 * 1100000)) || fail "$1: $3 bit/s, not about $2 Mbit/s"
	echo "note: $1: $(($3 / 10000))e-2 Mbit/s of $2"
}

# All at once, each between two ports of its own: NAME-s sends to NAME-r, one of which has a limit.
number=10
for try in {ingress,egress}-{tcp,udp}-{10,500}; do
	IFS=- read -r direction protocol mbit <<<"$try"
	limit=("--$direction-rate" "${mbit}mbit")
	# TCP stops for 200 ms when all it had on the way was lost, and for longer when that was lost, too: a second of burst makes up for it.
	[[ $protocol == udp ]] || limit+=("--$direction-burst" "$((mbit * 122))kb")
	if [[ $direction == ingress ]]; then
		end "$try-s" "$number"
		end "$try-r" "$((number + 1))" "${limit[@]}"
	else
		end "$try-s" "$number" "${limit[@]}"
		end "$try-r" "$((number + 1))"
	fi
	py "$LIB/stream.py" "$N-$try-s" "$N-$try-r" "10.0.20.$((number + 1))" "$protocol" "$mbit" "$T/go" >"$T/$try" &
	number=$((number + 2))
done
touch "$T/go"
for try in {ingress,egress}-{tcp,udp}-{10,500}; do
	wait_for 30 test -s "$T/$try"
	within "$try" "${try##*-}" "$(<"$T/$try")"
done
# Named, and counted for the port that is limited.
for try in {tcp,udp}-{10,500}; do
	(($(drops_of rate-limit-ingress "ingress-$try-r") > 0)) || fail "no drops at ingress-$try-r: $(hd drops)"
	(($(drops_of rate-limit-egress "egress-$try-s") > 0)) || fail "no drops at egress-$try-s: $(hd drops)"
	same "at the others" "0 0" "$(drops_of rate-limit-ingress "egress-$try-r") $(drops_of rate-limit-egress "ingress-$try-s")"
done
hd explain rate-limit-ingress | grep -q 'ingress-rate' || fail "explain does not say what to do"
hd -j stats port ingress-udp-10-r | jq -e '.[].drops[] | select(.reason == "rate-limit-ingress") | .packets > 0' >/dev/null || fail "not in stats"

# Changed under a stream, in force at once: what it was limited to, then much more, then less again.
end a 1
end b 2
touch "$T/go"
py "$LIB/stream.py" "$N-a" "$N-b" 10.0.20.2 udp 20 "$T/go" "$T/run/$I/api.sock" >"$T/changed"
same "without a limit again" 8 "$(bpftool -j map dump pinned "$PINS/maps/hd_limits" | jq length)"

# In files, in show, after a restart.
hd port set b --ingress-rate 10M --egress-rate 1500000 --egress-burst 65536
same "as shown" '["10mbit","750000b","1500kbit","64kb"]' \
	"$(hd -j port show b | jq -c '[."ingress-rate", ."ingress-burst", ."egress-rate", ."egress-burst"]')"
hd export >"$T/file.yaml"
yaml_of() {
	sed -n "/^  $1:/,/^  [^ ]/p" "$T/file.yaml"
}
[[ $(yaml_of b) == *'ingress-rate: 10mbit'* ]] || fail "not exported: $(<"$T/file.yaml")"
[[ $(yaml_of b) != *ingress-burst* ]] || fail "the burst that was not given is exported"
same "a second apply" "no changes" "$(hd apply -f "$T/file.yaml")"
limits() {
	bpftool -j map dump pinned "$PINS/maps/hd_limits" | jq -Sc .
}
before=$(limits)
daemon_kill
daemon_start
same "after a restart" "$before" "$(limits)"

refused 6 'egress-rate: expected a rate .*not "10mbps"' hd port set b --egress-rate 10mbps
refused 6 'egress-burst: expected a size' hd port set b --egress-burst 1
refused 6 'port b: ingress-burst needs ingress-rate' hd port set b --ingress-burst 64kb --unset ingress-rate
same "after what was refused" "$before" "$(limits)"
