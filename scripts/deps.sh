#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# deps.sh [build|test|bench|kernels|machine] - install what is missing of Debian 12's packages; says nothing when nothing is
#
# "build" is enough to build and run heddle; "test" (the default) adds what `make check` needs, "bench" the peers, "kernels" what
# boots other kernels, "machine" what makes a machine for them.
set -eu

build='bpftool clang curl gcc iproute2 iputils-ping libbpf-dev libcurl4-openssl-dev libelf-dev libjansson-dev
	libmicrohttpd-dev libmnl-dev libsqlite3-dev libsystemd-dev libyaml-dev linux-libc-dev llvm make
	pkg-config procps scdoc socat util-linux uthash-dev zlib1g-dev'
test="$build bridge-utils busybox-static clang-format containerd containernetworking-plugins cppcheck
	ethtool frr git iperf3 jq libcmocka-dev nftables openvswitch-switch podman python3 python3-scapy
	runc shellcheck tcpdump traceroute wget"
bench=$test
kernels="$test cpio kmod qemu-system-x86 xz-utils"
machine="$build debootstrap e2fsprogs git openssh-client qemu-system-x86"

case ${1:-test} in
build) wanted=$build ;;
test) wanted=$test ;;
bench) wanted=$bench ;;
kernels) wanted=$kernels ;;
machine) wanted=$machine ;;
*) echo "usage: deps.sh [build|test|bench|kernels|machine]" >&2 && exit 2 ;;
esac

missing=
for package in $wanted; do
	dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "heddle needs these packages:$missing" >&2
	echo "hint: run scripts/deps.sh as root, or install them" >&2
	exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# No service that a package brings may start here, and touch the machine's network.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod +x $policy
	trap 'rm -f $policy "$log"' EXIT
else
	trap 'rm -f "$log"' EXIT
fi
# shellcheck disable=SC2086 # a list of words
if ! { apt-get update -q && apt-get install -q -y --no-install-recommends $missing; } >"$log" 2>&1; then
	cat "$log" >&2
	echo "deps.sh: the packages could not be installed" >&2
	exit 1
fi
