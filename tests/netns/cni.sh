#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The CNI plugin, called as a runtime would: every command in each version of the protocol, and all that can be wrong with a call
# (tests/lib/cni.py has the cases). Nothing is left after any of them.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add lab --type local
hd subnet add lab4 --network lab --cidr 10.1.0.0/24 --gateway 10.1.0.1
hd subnet add lab6 --network lab --cidr 2001:db8:1::/64 --gateway 2001:db8:1::1
hd network add two --type local
hd subnet add two4 --network two --cidr 10.2.0.0/24 --gateway 10.2.0.1
hd security-group add web
opened=$(open_fds)

on host env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$LIB/cni.py" "$B" "$I" "$N" "$T" "$@"
# It hears a moment later that who asked has gone: at the end, and before the first count.
no_more() { (($(open_fds) <= opened)); }
wait_for 5 no_more
same "devices of the host" "lo" "$(ip -n "$N-host" -o link | awk -F': ' '{ print $2 }' | paste -sd' ')"
