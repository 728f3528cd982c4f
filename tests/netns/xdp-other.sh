#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Where XDP can't be had: another program is on the device, by the driver or generic, or the driver has none. It is named, and left alone; what was asked
# for is refused and changes nothing; what was there before goes on by TC.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

mkdir "$MINE"
clang -O2 -g -target bpf -mcpu=v3 -I"/usr/include/$(gcc -dumpmachine)" -c "$LIB/other.bpf.c" -o "$T/other.o"
bpftool prog load "$T/other.o" "$MINE/others"
id=$(bpftool -j prog show pinned "$MINE/others" | jq .id)

# ip(8) would hide /sys/fs/bpf if it entered the namespace itself.
others() { on one ip link set dev wire "$1" pinned "$MINE/others"; }
gone() { on one ip link set dev wire "$1" off; }
xdp_of() { ip -n "$N-one" -j -d link show dev wire | jq -r '.[0].xdp.prog.name // "none"'; }
mode() { at one -j uplink show wire | jq -r '"\(.mode) \(."mode-in-use") \(."mode-reason")"'; }
is_mode() { [[ $(mode) == "$1" ]]; }
named="another XDP program is on it: others (id $id)"

pair
both network add blue --type vxlan --id 10
for kind in xdpdrv xdpgeneric; do
	others $kind
	for dry in "" --dry-run; do
		refused 4 "uplink wire: another XDP program is on it: others \(id $id\)" at one $dry uplink add wire --tunnel-ip 192.0.2.1 --mode xdp
		grep -q 'hint: .*--mode tc' "$T/refused.err" || fail "no hint: $(<"$T/refused.err")"
	done
	same "uplinks" "[]" "$(at one -j uplink list)"
	same "still there" others "$(xdp_of)"
	gone $kind
done

# With the other one it works by TC; to change the mode is refused, and changes nothing.
others xdpdrv
tunnels 4
joined one blue a 1 --no-security
joined two blue b 2 --no-security
pings a 10.0.20.2
before=$(at one -j uplink show wire)
refused 4 "another XDP program" at one uplink set wire --mode xdp
same "uplink" "$before" "$(at one -j uplink show wire)"
pings a 10.0.20.2
gone xdpdrv
at one uplink set wire --mode xdp
same "without the other" "xdp xdp " "$(mode)"
pings a 10.0.20.2
! others xdpdrv 2>/dev/null || fail "another program has taken the place of ours"

# It comes while heddle is away: then the uplink goes on without XDP, and says why; and has it again when the other is gone.
host_kill one
rm "$PINS-one/links/"*-xdp
wait_for 5 others xdpdrv
host_up one
same "the other was first" "xdp tc $named" "$(mode)"
at one status >"$T/status"
grep -qF "$named" "$T/status" || fail "status does not say it: $(<"$T/status")"
same "in the log" 1 "$(grep -cF "packets are opened by TC: $named" "$T/heddled.log")"
pings a 10.0.20.2
gone xdpdrv
at one port set a --label role=web # whatever makes heddle look again
same "the other is gone" "xdp xdp " "$(mode)"
pings a 10.0.20.2

# A bridge has no XDP of its own.
ip -n "$N-one" link add br9 type bridge
ip -n "$N-one" link set br9 up
refused 6 'uplink br9: its driver has no native XDP' at one uplink add br9 --mode xdp
grep -q 'hint: .*--mode tc' "$T/refused.err" || fail "no hint: $(<"$T/refused.err")"
same "uplinks" wire "$(at one -j uplink list | jq -r '.[].name')"
same "programs on the bridge" "" "$(on one bpftool net show dev br9 | grep -v ':$' | grep . || true)"
at one uplink add br9
