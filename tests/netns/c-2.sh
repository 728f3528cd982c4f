#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# C-2: several interfaces in one container, named as asked for; containers of a pod share one namespace and address. And C-1 by containerd: ctr run
# --cni calls with /proc/PID/ns/net, and DEL without a namespace.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh source=../lib/podman.sh
. "$(dirname "$0")/../lib/netns.sh"
. "$LIB/podman.sh"

podman_ready
command -v containerd >/dev/null || skip "containerd is not installed"
host
outside
cni_install lab
cni_install other --subnet 10.78.0.0/24
before=$(belongings)

# Two networks from the start; address, MAC and name as asked for.
container web --network lab:ip=10.77.0.50,mac=02:00:00:00:00:50,interface_name=front0 --network other:interface_name=back0
same "address" 10.77.0.50 "$(ip_of web front0)"
pod exec web ip link show dev front0 | grep -q 02:00:00:00:00:50 || fail "not the MAC that was asked for"
[[ $(ip_of web back0) == 10.78.0.* ]] || fail "no address at the second network"
container near --network lab
container far --network other
wait_for 5 fetch_in near 10.77.0.50
same "by the first" "I am web" "$(fetch_in near 10.77.0.50)"
same "by the second" "I am web" "$(fetch_in far "$(ip_of web back0)")"
same "default routes" 1 "$(pod exec web ip route | grep -c '^default')"

# Two containers, one namespace.
pod run -d --name beside --network container:near --rootfs "$T/rootfs" /bin/httpd -f -p 81 >/dev/null
same "one address" "$(ip_of near)" "$(ip_of beside)"
same "one port" 1 "$(hd -j port list | jq '[.[] | select(.ip[0] == "'"$(ip_of near)"'")] | length')"
pod rm -f -t 0 beside >/dev/null
pod rm -f -t 0 near web far >/dev/null
same "what is left" "$before" "$(belongings)"

# containerd: its places are fixed, so it gets them in a mount namespace of its own.
cat >"$T/containerd.sh" <<END
mount --bind "$T/net.d" /etc/cni/net.d
mount -t tmpfs none /opt
mkdir -p /opt/cni/bin
ln -s "$B/heddle-cni" /opt/cni/bin/heddle-cni
rm -f "$T/net.d/other.conflist" "$T/net.d/cni.lock"
containerd --root "$T/c/root" --state "$T/c/state" --address "$T/c/sock" --log-level warn >"$T/containerd.log" 2>&1 &
echo \$! >"$T/containerd.pid"
exec sleep 1000
END
mkdir -p /etc/cni/net.d "$T/c"
nsenter --net="/run/netns/$N-host" unshare -m sh "$T/containerd.sh" &
shell=$!
CTR=(nsenter --net="/run/netns/$N-host" -m"/proc/$shell/ns/mnt" ctr --address "$T/c/sock")
ctr_works() {
	[[ -S $T/c/sock ]] && "${CTR[@]}" version
}
wait_for 30 ctr_works
end_of_containerd() {
	local status=$1

	set +e
	"${CTR[@]}" task rm -f "c1-$ID"
	"${CTR[@]}" task rm -f "c2-$ID"
	kill -KILL "$(<"$T/containerd.pid")" "$shell"
	end_of_containers "$status"
} 2>/dev/null
trap 'end_of_containerd $?' EXIT

for name in "c1-$ID" "c2-$ID"; do
	mkdir -p "$T/rootfs/www/$name"
	echo "I am $name" >"$T/rootfs/www/$name/index.html"
	# Not detached: it is ctr that calls with DEL when the container has ended.
	"${CTR[@]}" run --rm --cni --runc-root "$T/c/runc" --rootfs "$T/rootfs" "$name" /bin/httpd -f -p 80 -h "/www/$name" &
done
# task NAME FIELD: process id or state
task() {
	"${CTR[@]}" task list | awk -v name="$1-$ID" -v field="$2" '$1 == name { print $field }'
}
address_of() {
	hd -j port list | jq -r --arg n "$1-$ID" '.[] | select((.owner // "") | test("/(default-)?" + $n + "/")) | .ip[0]'
}
runs() {
	[[ $(task "$1" 3) == RUNNING ]]
}
wait_for 20 runs c1
wait_for 20 runs c2
c1=$(address_of c1) c2=$(address_of c2)
[[ $c1 == 10.77.* && $c2 == 10.77.* ]] || fail "addresses: $c1 $c2"
in_c1=(nsenter --net="/proc/$(task c1 2)/ns/net")
wait_for 5 fetch host "$c2"
same "each other" "I am c2-$ID" "$("${in_c1[@]}" curl -sS --max-time 5 "http://$c2/")"
same "by the host" "I am c1-$ID" "$(fetch host "$c1")"
"${in_c1[@]}" ping -c 1 -W 2 192.0.2.2 >/dev/null

for name in c1 c2; do
	"${CTR[@]}" task kill -s KILL "$name-$ID"
done
gone() {
	[[ $(hd -j port list | jq '[.[] | select((.owner // "") != "")] | length') == 0 ]]
}
wait_for 20 gone
same "left by ctr" "$before" "$(belongings)"
