#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh - README.md on a machine of its own: a fresh Debian 12 with systemd, podman and containerd in an emulator, where a new user types
# what "Running it" and "Containers" say. The daemon runs as the service that was installed; it is restarted and killed, and the machine is
# rebooted, in good order and not.
#
# The image is made with debootstrap from where apt gets its packages; B/machine/root stays and is used again. What is installed is what is
# committed. Environment: B, folder of builds; PORT, of the loopback address, for ssh, and the next one for the published port.
# Exit status 4: something that is needed for it is not here.
set -Eeuo pipefail
export LC_ALL=C
HERE=$(cd "$(dirname "$0")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
B=${B:-build}
[[ $B == /* ]] || B=$TOP/$B
M=$B/machine
PORT=${PORT:-22122}
QEMU=

# --- the image ---

# Where this machine gets Debian from, and how.
sources() {
	# shellcheck disable=SC2016 # apt's variables
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' | sort -u
}

in_root() {
	DEBIAN_FRONTEND=noninteractive chroot "$M/root" "$@" >>"$M/log" 2>&1
}

# Once: Debian, with a kernel, a network and ssh, as its installer leaves it, and what "apt install podman containerd" brings.
make_root() {
	[[ ! -e $M/root/made ]] || return 0
	rm -rf "$M/root"
	debootstrap --variant=minbase bookworm "$M/root" "$(sources | awk '$3 == "bookworm" { print $2 }')" >>"$M/log" 2>&1
	sources >"$M/root/etc/apt/sources.list"
	apt-config dump | grep -E '^Acquire::(Check-|http)' >"$M/root/etc/apt/apt.conf.d/99machine" || true
	cp -L /etc/resolv.conf "$M/root/etc/resolv.conf"
	in_root apt-get update
	in_root apt-get install -y --no-install-recommends systemd-sysv dbus udev ifupdown isc-dhcp-client iproute2 \
		openssh-server linux-image-amd64 initramfs-tools busybox-static
	in_root apt-get install -y podman containernetworking-plugins containerd git make
	printf 'auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet dhcp\n' >"$M/root/etc/network/interfaces"
	echo machine >"$M/root/etc/hostname"
	echo '127.0.1.1 machine' >>"$M/root/etc/hosts"
	echo '/dev/vda / ext4 defaults 0 1' >"$M/root/etc/fstab"
	ssh-keygen -q -t ed25519 -N '' -f "$M/root/key"
	install -D -m 600 "$M/root/key.pub" "$M/root/root/.ssh/authorized_keys"
	touch "$M/root/made"
}

# As README.md has it, but not in the emulator, where it takes ten minutes.
install_heddle() {
	rm -rf "$M/root/root/heddle"
	git clone -q "$TOP" "$M/root/root/heddle"
	in_root sh -c 'cd /root/heddle && scripts/deps.sh build && make install'
}

make_image() {
	mkdir -p "$M"
	: >"$M/log"
	trap 'tail -20 "$M/log"' ERR
	make_root
	install_heddle
	trap - ERR
	rm -f "$M/disk"
	truncate -s 8G "$M/disk"
	mkfs.ext4 -q -F -d "$M/root" "$M/disk"
}

# --- the machine ---

boot() {
	qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 2560 -nodefaults -no-user-config -display none \
		-kernel "$M"/root/boot/vmlinuz-* -initrd "$M"/root/boot/initrd.img-* -append 'root=/dev/vda rw console=ttyS0 net.ifnames=0' \
		-serial "file:$M/console" -drive "file=$M/disk,format=raw,if=virtio,cache=unsafe" \
		-netdev "user,id=n,hostfwd=tcp:127.0.0.1:$PORT-:22,hostfwd=tcp:127.0.0.1:$((PORT + 1))-:8080" \
		-device virtio-net-pci,netdev=n -device virtio-rng-pci </dev/null &
	QEMU=$!
	trap 'kill $QEMU 2>/dev/null || true' EXIT
}

# guest COMMAND: its standard input may be a script
guest() {
	ssh -q -o ConnectTimeout=5 -o ServerAliveInterval=5 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-i "$M/root/key" -p "$PORT" root@127.0.0.1 "$@"
}

boot_id() {
	guest cat /proc/sys/kernel/random/boot_id 2>/dev/null || true
}

# up [ID]: until the machine answers, in another boot than that
up() {
	local until=$((SECONDS + 600)) id=

	while [[ -z $id || $id == "${1:-}" ]]; do
		((SECONDS < until)) || fail "the machine does not come up"
		sleep 1
		id=$(boot_id)
	done
	guest 'systemctl is-system-running --wait' >/dev/null || true
}

fail() {
	echo "FAIL: $*"
	guest 'heddle status; heddle port; podman ps -a; journalctl -b -u heddled -n 40 --no-pager' </dev/null || tail "$M/console"
	exit 1
}

# --- what is typed ---

# commands HEADING: the code blocks of a chapter of README.md
commands() {
	awk -v heading="## $1" '/^## / { inside = $0 == heading } /^```/ { code = !code; next } inside && code' "$TOP/README.md"
}

# type_in NAME: what comes on standard input, each line as a shell takes it; the first that fails ends it
type_in() {
	echo "=== $1"
	{ echo 'set -ex' && cat; } | guest bash -s || fail "$1"
}

# published: the container answers outside of the machine
published() {
	[[ $(curl -s --noproxy '*' --retry 20 --retry-delay 1 --retry-all-errors --max-time 10 "http://127.0.0.1:$((PORT + 1))/") == "I am web" ]] ||
		fail "the published port: $1"
	echo "=== the published port answers: $1"
}

# restart_by COMMAND: of the guest
restart_by() {
	local id

	id=$(boot_id)
	guest "$@" || true
	up "$id"
}

for tool in debootstrap mkfs.ext4 qemu-system-x86_64 ssh; do
	command -v "$tool" >/dev/null || { echo "skipped: there is no $tool" >&2 && exit 4; }
done
[[ $(uname -m) == x86_64 ]] || { echo "skipped: the emulated machine is an x86-64" >&2 && exit 4; }
echo "=== making $M/disk"
make_image
boot
up
commands "Running it" | sed -n '/daemon-reload/,/enable/p' | type_in "the service"
type_in "an image" <<'END'
mkdir -p web/bin web/www
cp /bin/busybox web/bin
ln -s busybox web/bin/sh
echo I am web > web/www/index.html
tar -C web -c . | podman import -c 'ENTRYPOINT ["/bin/sh", "-c", "trap exit TERM; /bin/busybox httpd -f -p 80 -h /www & wait"]' - web
END
commands Containers | sed '/^podman rm/,$d; s/^apt install/& -y/; s/^podman run -d/& --restart=always/; s/^curl/& --retry 9 --retry-all-errors/' | type_in "containers"
published "at first"
type_in "restart and crash under a ping" <<'END'
podman run -d --restart=always --name db --network heddle localhost/web
web=$(podman inspect -f '{{.NetworkSettings.Networks.heddle.IPAddress}}' web)
nsenter --net=/proc/$(podman inspect -f '{{.State.Pid}}' db)/ns/net ping -q -i 0.1 -c 200 $web > ping &
systemctl restart heddled
heddle status
systemctl kill -s KILL heddled
timeout 60 sh -c 'until heddle status; do sleep 0.2; done' > /dev/null 2>&1
wait $!
cat ping
grep ' 0% packet loss' ping
END
published "after a restart and a crash"
restart_by systemctl reboot
published "after a reboot"
restart_by 'sync; echo b > /proc/sysrq-trigger'
published "after the power was cut"
commands Containers | sed -n '/^podman rm/,/cni remove/p' | sed 's/^podman rm -f/& -t 0 db/' | type_in "no containers more"
commands "Running it" | sed -n '/purge/,/uninstall/p' | sed 's/^make/& -C heddle/' | type_in "no heddle more"
type_in "is anything left?" <<'END'
left() { find /sys/fs/bpf /usr/local -name '*heddle*'; ls /sys/class/net | grep -vx -e lo -e eth0; bpftool prog show | grep hd_; tc qdisc show clsact; }
[ -z "$(left)" ]
END
guest poweroff || true
wait $QEMU || true
echo "=== all of it works"
