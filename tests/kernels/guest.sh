#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# guest.sh - what is tested on another kernel: all that the verifier or a missing feature could break, as far as an emulator gets
# in some minutes. LAYERS: instead of these layers; NETNS: instead of these netns tests.
set -u
cd "$(dirname "$0")/../.." || exit 1

export BUILT=yes LIMIT=${LIMIT:-900} PATIENCE=${PATIENCE:-4}
export NETNS=${NETNS-l2-1 l2-2 l2-6* l2-8 k-1 k-2 f-1 f-2 f-4 f-5 f-6 tcp icmp fragments trace-agrees vlan tap status mount-once provider \
	vxlan-kernel overlay-* t-*}
# Before 6.16 a small LRU map loses entries of one CPU when another adds some; those of the tests of programs are small.
export PROG_ON="taskset -c 0"
# Other people's ends of tunnels and VLANs; a test that misses one is skipped. Without those devices that gre makes in each namespace.
sysctl -qw net.core.fb_tunnels_only_for_init_net=2
for module in geneve ip_gre ip6_gre 8021q; do
	modprobe "$module"
done
# shellcheck disable=SC2086 # a list of words
exec tests/run.sh ${LAYERS:-prog load netns}
