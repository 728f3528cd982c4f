#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh [-c COMMAND] [KERNEL...] - the tests that depend on the kernel, on other kernels than this one; by default 6.1 and 6.12
#
# KERNEL is a version as Debian's packages have it: 6.1, 6.12, 6.12.117. The newest package that apt knows is fetched (never
# installed) and booted in an emulator: no KVM is needed. The guest's root is this machine's, read-only, under a tmpfs that takes
# all writes; so what is tested is what is built here. guest.sh says what is run; -c runs a command in its place.
#
# Environment: B, folder of the programs (fetched kernels stay in $B/kernels); GUEST_LIMIT, seconds after which a guest is given
# up; LAYERS and NETNS, see guest.sh. Exit status 4: there was no kernel to test.
set -u
export LC_ALL=C
HERE=$(cd "$(dirname "$0")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
B=${B:-build}
[[ $B == /* ]] || B=$TOP/$B
GUEST_LIMIT=${GUEST_LIMIT:-4500}
COMMAND=$HERE/guest.sh

usage() {
	echo "usage: run.sh [-c COMMAND] [KERNEL...]" >&2
	exit 2
}

# newest VERSION - name of the package; empty if there is none. Not the "cloud" ones, which can't mount the host's files.
newest() {
	apt-cache pkgnames "linux-image-$1." | grep -E '^linux-image-[0-9.]+([-+][0-9a-z]+)?-amd64$' | sort -V | tail -1
}

# fetch PACKAGE DIR - unpack it there, once. DIR is named like its release.
fetch() {
	[[ ! -e $2/fetched ]] || return 0
	rm -rf "$2" && mkdir -p "$2" || return
	(cd "$2" && apt-get -qq -o APT::Sandbox::User=root download "$1" && dpkg-deb -x ./*.deb . && rm ./*.deb) || return
	depmod -b "$2" "${2##*/}" && touch "$2/fetched"
}

# modules DIR MODULE... - their files and those that they need, in the order in which they are to be loaded
modules() {
	local dir=$1 module

	shift
	for module; do
		modprobe -d "$dir" -S "${dir##*/}" --show-depends "$module" || return
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# initramfs DIR - just enough to mount the root
initramfs() {
	local dir=$1 root=$1/initramfs file i=100

	rm -rf "$root" && mkdir -p "$root"/{bin,modules,proc,host,over,root} || return
	cp "$(command -v busybox)" "$root/bin/busybox" && install -m 755 "$HERE/init.sh" "$root/init" || return
	for file in $(modules "$dir" virtio_pci 9pnet_virtio 9p overlay); do
		i=$((i + 1))
		case $file in
		*.xz) xz -dc "$file" ;;
		*) cat "$file" ;;
		esac >"$root/modules/$i.ko" || return
	done
	[[ $i != 100 ]] || return
	(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$dir/initramfs.gz"
}

# What init.sh goes on with.
start_script() {
	printf 'export B=%q MODULES=%q\n' "$B" "$1/lib/modules"
	declare -p LAYERS NETNS LIMIT PATIENCE 2>/dev/null | sed 's/^declare -[-x]*/export/'
	printf 'cd %q\nexec %q %q\n' "$TOP" "$HERE/machine.sh" "$COMMAND"
}

# boot DIR - what the tests print is on the second serial line; what the kernel says stays in DIR/console
boot() {
	start_script "$1" >"$1/start"
	timeout --foreground "$GUEST_LIMIT" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 2048 \
		-nodefaults -no-user-config -no-reboot -display none \
		-kernel "$1"/boot/vmlinuz-* -initrd "$1/initramfs.gz" -append "console=ttyS0 panic=-1 start=$1/start" \
		-serial "file:$1/console" -serial stdio \
		-fsdev local,id=host,path=/,security_model=none,readonly=on,multidevs=remap \
		-device virtio-9p-pci,fsdev=host,mount_tag=host </dev/null
}

# kernel VERSION - one line of the summary at the end
kernel() {
	local package dir begin=$SECONDS counts

	package=$(newest "$1")
	[[ -n $package ]] || { summary+=("$1: skipped, apt knows no such package") && return; }
	dir=$B/kernels/${package#linux-image-}
	tried=yes
	echo "=== $package"
	counts="not ready" # the package, or what is needed to boot it
	if fetch "$package" "$dir" && initramfs "$dir"; then
		boot "$dir" | tee "$dir/output"
		[[ $COMMAND == "$HERE/guest.sh" ]] || return # nothing to count
		counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$dir/output" | tail -1)
		[[ -n $counts ]] || { counts="did not end; its last words:" && tail -5 "$dir/console"; }
	fi
	[[ $counts == *" 0 failed"* ]] || failed=1
	summary+=("$1 (${dir##*/}): $counts ($((SECONDS - begin)) s)")
}

while getopts c: option; do
	case $option in
	c) COMMAND=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
(($#)) || set -- 6.1 6.12

[[ $(uname -m) == x86_64 ]] || { echo "skipped: the emulated machine is an x86-64" >&2 && exit 4; }
failed=0 tried='' summary=()
for version; do
	kernel "$version"
done
((${#summary[@]} == 0)) || printf '%s\n' "${summary[@]}"
[[ -n $tried ]] || exit 4
exit $failed
