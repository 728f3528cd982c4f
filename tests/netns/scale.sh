#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# 1,000 ports on 100 networks by one apply: how long that and an adoption take, and how large the daemon is. Bounds are generous.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

PORTS=1000
NETWORKS=100
MADE=80  # ports that heddle makes itself, in namespaces; the others have devices beforehand
SPACES=8 # these namespaces

ms_since() { echo $(((${EPOCHREALTIME/./} - $1) / 1000)); }

ns host far
for i in $(seq "$SPACES"); do
	ns "w$i"
done
for i in $(seq $((MADE + 1)) "$PORTS"); do
	printf 'link add d%d up type veth peer name e%d netns %s\n' "$i" "$i" "$N-far"
done | ip -n "$N-host" -batch -
for i in $(seq $((MADE + 1)) "$PORTS"); do
	printf 'link set e%d up\n' "$i"
done | ip -n "$N-far" -batch -

# Port i is on network i mod 100; the first of them stand in namespaces.
make_file() {
	local i

	echo "version: 1"
	echo "networks:"
	for i in $(seq 0 $((NETWORKS - 1))); do
		echo "  n$i: {type: local}"
	done
	echo "ports:"
	for i in $(seq "$PORTS"); do
		printf '  p%d: {network: n%d, no-security: true, ' "$i" $((i % NETWORKS))
		if ((i <= MADE)); then
			printf 'netns: %s, ifname: eth%d, ip: [10.0.0.%d/24]}\n' "$N-w$((i % SPACES + 1))" "$i" "$i"
		else
			printf 'device: d%d}\n' "$i"
		fi
	done
}
make_file >"$T/file.yaml"

daemon_start
rss_before=$(awk '/VmRSS/ { print $2 }' "/proc/$DAEMON/status")
start=${EPOCHREALTIME/./}
hd --timeout 60 apply -f "$T/file.yaml" >"$T/applied"
apply=$(ms_since "$start")
same "objects" $((PORTS + NETWORKS)) "$(grep -c '^+ ' "$T/applied")"

all_up() { [[ $(hd -j status | jq -c .ports) == "{\"up\":$PORTS,\"down\":0}" ]]; }
wait_for 60 all_up
start=${EPOCHREALTIME/./}
same "second apply" "no changes" "$(hd --timeout 60 apply -f "$T/file.yaml")"
again=$(ms_since "$start")

# One port more costs about the same as with few.
start=${EPOCHREALTIME/./}
hd port set p500 --isolated
one=$(ms_since "$start")

before=$(find "$PINS" | sort)
daemon_kill
start=${EPOCHREALTIME/./}
daemon_start
adopt=$(ms_since "$start")
grep -q adopted "$T/heddled.log" || fail "the datapath was loaded anew"
same "pins" "$before" "$(find "$PINS" | sort)"
all_up || fail "not all ports are up after the restart"
rss=$(awk '/VmHWM/ { print $2 }' "/proc/$DAEMON/status")

start=${EPOCHREALTIME/./}
printf '{"version": 1, "ports": {}, "networks": {}}' >"$T/none.json"
hd --timeout 60 apply -f "$T/none.json" >/dev/null
del=$(ms_since "$start")
same "links" "" "$(ls "$PINS/links")"
# Gone is gone when the command returns, also of more devices than are removed at once.
same "devices" "" "$(ip -n "$N-host" -o link show type veth | grep heddle: || true)"
for i in $(seq "$SPACES"); do
	same "in a namespace" "lo" "$(ip -n "$N-w$i" -o link | awk -F'[:@ ]+' '{ print $2 }' | paste -sd' ')"
done

echo "note: $PORTS ports: apply $apply ms, no changes $again ms, one port set $one ms, restart $adopt ms, all removed $del ms"
echo "note: daemon RSS $rss_before kB empty, $rss kB at most after the restart"
((apply < 20000)) || fail "apply took $apply ms"
is_sanitized || ((rss < 65536)) || fail "the daemon has $rss kB"
