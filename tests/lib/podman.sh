# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# podman.sh - containers on the host that a test plays, by podman and by containerd's ctr, without images: a root of one busybox

# outside: the host gets an uplink "ext", 192.0.2.1, behind which there is namespace "out", 192.0.2.2
outside() {
	ns out
	veth ext out eth0
	ip -n "$N-host" addr add 192.0.2.1/24 dev ext
	ip -n "$N-out" addr add 192.0.2.2/24 dev eth0
	ip -n "$N-host" route add default via 192.0.2.2
}

# outside6: the same by IPv6, 2001:db8:ff::1 and ::2
outside6() {
	local name

	for name in host out; do on "$name" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0; done
	ip -n "$N-host" addr add 2001:db8:ff::1/64 dev ext nodad
	ip -n "$N-out" addr add 2001:db8:ff::2/64 dev eth0 nodad
}

# cni_install [ARG]...: heddle cni, on the host, as somebody there would call it
cni_install() {
	on host "$B/heddle" -i "$I" cni install "$@" --conf-dir "$T/net.d" >/dev/null
}

rootfs() {
	local name

	mkdir -p "$T/rootfs/"{bin,proc,sys,dev,etc,tmp,run}
	cp /bin/busybox "$T/rootfs/bin/busybox"
	for name in sh ip ping httpd; do
		ln -sf busybox "$T/rootfs/bin/$name"
	done
}

# Containers live in namespaces of their own: they go first, and their mounts with them.
end_of_containers() {
	local status=$1

	trap - ERR
	set +e
	pod rm -af -t 0 >/dev/null 2>&1 || pod rm -af -t 0 >/dev/null 2>&1 # those that others depend on
	awk -v t="$T/" 'index($2, t) == 1 { print $2 }' /proc/mounts | tac | xargs -r umount 2>/dev/null
	(exit "$status")
	cleanup
}

podman_ready() {
	command -v podman >/dev/null || skip "podman is not installed"
	[[ -x /bin/busybox ]] || skip "busybox-static is not installed"
	rootfs
	cat >"$T/containers.conf" <<-END
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
		[network]
		network_backend = "cni"
		cni_plugin_dirs = ["$B", "/usr/lib/cni"]
		network_config_dir = "$T/net.d"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
	END
	export CONTAINERS_CONF=$T/containers.conf
	trap 'end_of_containers $?' EXIT
}

# pod COMMAND...: podman on the host
pod() {
	on host podman --root "$T/store" --runroot "$T/runroot" --storage-driver vfs "$@"
}

# container NAME [OPTION]...: a web server at port 80 that says its name
container() {
	local name=$1

	shift
	mkdir -p "$T/rootfs/www/$name"
	echo "I am $name" >"$T/rootfs/www/$name/index.html"
	pod run -d --name "$name" "$@" --rootfs "$T/rootfs" /bin/httpd -f -p 80 -h "/www/$name" >/dev/null
}

# ip_of NAME [IF]: the IPv4 address of a container
ip_of() {
	pod exec "$1" ip -4 -o addr show dev "${2:-eth0}" | sed -E 's/.* inet ([0-9.]+).*/\1/'
}

# fetch WHERE ADDRESS [PORT]: what is served there, for a namespace of the test
fetch() {
	on "$1" curl --silent --show-error --noproxy '*' --max-time 5 "http://$2:${3:-80}/"
}

netns_of() {
	echo "/proc/$(pod inspect -f '{{.State.Pid}}' "$1")/ns/net"
}

# inside CONTAINER COMMAND...: one of the host's programs in its network namespace (busybox's wget, linked statically, dies of a look-up)
inside() {
	nsenter --net="$(netns_of "$1")" "${@:2}"
}

# bg_inside CONTAINER COMMAND...: the same in the background; $! is the command's own pid, by which it must be ended: nobody else finds that namespace
bg_inside() {
	nsenter --net="$(netns_of "$1")" "${@:2}" &
}

# fetch_in CONTAINER ADDRESS [PORT]: as fetch
fetch_in() {
	inside "$1" curl --silent --show-error --noproxy '*' --max-time 5 "http://$2:${3:-80}/"
}

# belongings: what a container must not leave: objects, devices, names of namespaces, translations of the machine
belongings() {
	local noun

	for noun in port port-forward security-group network subnet router; do
		hd -j "$noun" list | jq -r --arg n "$noun" '.[] | "\($n) \(.name)"'
	done
	ip -n "$N-host" -o link | awk -F'[:@ ]+' '{ print "link", $2 }'
	on host nft list ruleset 2>/dev/null || true
}

# sandboxes: namespaces that a runtime has made
sandboxes() {
	find /run/netns -maxdepth 1 -name 'netns-*' | wc -l
}
