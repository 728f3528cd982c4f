#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Containers that go without a DEL: their ports are down, and are removed once their namespace is certainly gone, whether it went with a daemon,
# without one, or with the machine. That of a container that lives stays, whatever became of its device and its path.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh source=../lib/cni.sh
. "$(dirname "$0")/../lib/netns.sh"
. "$LIB/cni.sh"

# The plugin as it was before the machine was started again: with another boot id.
in_boot_before() {
	echo 12345678-1111-2222-3333-444444444444 >"$T/boot_id"
	unshare --mount --propagation slave sh -c "mount --bind '$T/boot_id' /proc/sys/kernel/random/boot_id && exec \"\$@\"" sh "$@"
}

CONF="{\"cniVersion\": \"1.0.0\", \"name\": \"lab\", \"type\": \"heddle-cni\", \"instance\": \"$I\"}"

ports() { hd -j port list | jq -r '.[] | .name + " " + .state' | sort | paste -sd,; }
ports_are() { [[ $(ports) == "$1" ]]; }
was_down_first() {
	same "what became of $1" "down gone" \
		"$(sed -n "s/.*port $1: down: .*/down/p; s/.*port $1: the namespace of its container is gone/gone/p" "$T/heddled.log" | uniq | paste -sd' ')"
}
device_of() { hd -j port show "$1" | jq -r '."host-device"'; }

echo 'remove-vanished-after: 1' >"$T/heddled.conf"
host
hd network add lab --type local
hd subnet add lab4 --network lab --cidr 10.1.0.0/24 --gateway 10.1.0.1
ns c1 c2 c3 c4 c5 c6
for c in c1 c2 c3 c4 c5 c6; do
	cni ADD "$c" "$c" >/dev/null
done
agree

# One that is gone, with nothing else wrong. Its port may be down already when its device goes.
ip -n "$N-c1" link set eth0 down
wait_for 10 port_is c1-eth0 down
ip netns del "$N-c1"
wait_for 10 ports_are "c2-eth0 up,c3-eth0 up,c4-eth0 up,c5-eth0 up,c6-eth0 up"
was_down_first c1-eth0
agree

# Three that live: without their own device, without the host's, and without a path. A process keeps the last.
bg c4 sleep 1000
sleeper=$!
entered() { [[ $(stat -Lc %i "/proc/$sleeper/ns/net") == "$(stat -c %i "/run/netns/$N-c4")" ]]; }
wait_for 5 entered
ip -n "$N-c2" link del eth0
ip -n "$N-host" link del "$(device_of c3-eth0)"
ip -n "$N-c4" link del eth0
ip netns del "$N-c4"
wait_for 10 ports_are "c2-eth0 down,c3-eth0 down,c4-eth0 down,c5-eth0 up,c6-eth0 up"
# When one that has gone after them is removed they have been looked at, too, and have stayed.
ip netns del "$N-c6"
wait_for 10 ports_are "c2-eth0 down,c3-eth0 down,c4-eth0 down,c5-eth0 up"

# Nor is the address of one that lives given to another.
ns c6
address=$(hd -j port show c4-eth0 | jq -r '.ip[0]')
wish=$(jq --arg ip "$address" '.runtimeConfig.ips = [$ip]' <<<"$CONF")
same "ADD" 100 "$(cni ADD c6 c6 "$wish" | jq .code || true)"

# The last process ends.
kill "$sleeper"
wait "$sleeper" 2>/dev/null || true
wait_for 15 ports_are "c2-eth0 down,c3-eth0 down,c5-eth0 up"
cni ADD c6 c6 "$wish" >/dev/null
cni DEL c6 c6

# While there is no daemon.
daemon_kill
ip netns del "$N-c2"
daemon_start
wait_for 10 ports_are "c3-eth0 down,c5-eth0 up"
was_down_first c2-eth0

# After a start of the machine nothing of before is there. Here the namespaces are, to show that the boot id says so; and that a port with a device stays.
ns c7 c8
for c in c7 c8; do
	in_boot_before nsenter --net="/run/netns/$N-host" env CNI_COMMAND=ADD CNI_CONTAINERID="$c" CNI_NETNS="/run/netns/$N-$c" CNI_IFNAME=eth0 \
		"$B/heddle-cni" <<<"$CONF" >/dev/null
done
device=$(device_of c7-eth0)
daemon_kill
ip -n "$N-host" link del "$device"
daemon_start
wait_for 10 ports_are "c3-eth0 down,c5-eth0 up,c8-eth0 up"
was_down_first c7-eth0
for c in c3 c5 c8; do
	cni DEL "$c" "$c"
done
cni DEL c1 ""
agree
