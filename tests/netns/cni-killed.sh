#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Plugin and daemon are killed while a container is added or removed, later and later, until one gets through unharmed: store and datapath
# agree afterwards, and DEL leaves nothing. Without a daemon ADD is refused, and DEL is done when it starts.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh source=../lib/cni.sh
. "$(dirname "$0")/../lib/netns.sh"
. "$LIB/cni.sh"

host
hd network add lab --type local
hd subnet add lab4 --network lab --cidr 10.1.0.0/24 --gateway 10.1.0.1
ns c1
before=$(open_fds)

# call_and_kill TICKS VICTIM COMMAND: half milliseconds after the call began; succeeds if it was over by then. What is started is one process from
# the start: it becomes the plugin.
call_and_kill() {
	local pid

	nsenter --net="/run/netns/$N-host" env CNI_COMMAND="$3" CNI_CONTAINERID=c1 CNI_NETNS="/run/netns/$N-c1" CNI_IFNAME=eth0 \
		"$B/heddle-cni" <<<"$CONF" >"$T/out" 2>&1 &
	pid=$!
	read -rt "0.$(printf '%04d' $(($1 * 5)))" <>"$T/never" || true
	if [[ $2 == daemon ]]; then
		daemon_kill
	else
		kill -KILL "$pid" 2>/dev/null || true
	fi
	wait "$pid" 2>/dev/null
}
CONF="{\"cniVersion\": \"1.0.0\", \"name\": \"lab\", \"type\": \"heddle-cni\", \"instance\": \"$I\"}"
mkfifo "$T/never"

# steps VERB PARTS: half milliseconds at which to kill: parts of what a call takes on this machine, and times beyond it
steps() {
	local from us

	[[ $1 == ADD ]] || cni ADD c1 c1 >/dev/null
	from=${EPOCHREALTIME/./}
	cni "$1" c1 c1 >/dev/null
	us=$((${EPOCHREALTIME/./} - from))
	cni DEL c1 c1
	seq 0 $((us / (500 * $2) + 1)) $((us / 100))
}

# The plugin: half milliseconds, from its start until it is done.
for verb in ADD DEL; do
	through=0
	for step in $(steps "$verb" 12); do
		[[ $verb == ADD ]] || cni ADD c1 c1 >/dev/null
		call_and_kill "$step" plugin "$verb" && through=$((through + 1))
		# What it has asked for the daemon still does; a request behind it is answered after it.
		hd network list >/dev/null
		agree
		cni DEL c1 c1
		same "after DEL" "[]" "$(hd -j port list | jq -c .)"
		agree
		((through < 2)) || break
	done
	((through >= 1)) || fail "$verb was never fast enough"
done
same "open files" "$before" "$(open_fds)"

# The daemon.
for verb in ADD DEL; do
	through=0
	for step in $(steps "$verb" 6); do
		[[ $verb == ADD ]] || cni ADD c1 c1 >/dev/null
		call_and_kill "$step" daemon "$verb" && through=$((through + 1))
		daemon_start
		# A device that was removed before the store could say so is not made again: its port is down, until DEL.
		[[ $verb == DEL ]] || agree
		cni DEL c1 c1
		same "after DEL" "[]" "$(hd -j port list | jq -c .)"
		agree
		same "in the namespace" "lo" "$(ip -n "$N-c1" -o link | awk -F'[:@ ]+' '{ print $2 }' | paste -sd' ')"
		((through < 2)) || break
	done
	((through >= 1)) || fail "$verb was never fast enough"
done

# No daemon.
cni ADD c1 c1 >/dev/null
ns c2 c4
cni ADD c2 c2 >/dev/null
cni ADD c4 c4 >/dev/null
daemon_kill
same "ADD" "11" "$(cni ADD c3 c2 | jq .code || true)"
[[ $(cni ADD c3 c2 | jq -r .details || true) == *heddled* ]] || fail "no hint"
cni DEL c1 ""
cni DEL c1 ""
cni DEL never-was ""
# Called without what says where the daemon's folder is.
(unset HEDDLE_RUN_DIR && cni DEL c4 "")
daemon_start
same "done at the start" "c2-eth0" "$(hd -j port list | jq -r '.[].name')"
same "notes" "" "$(ls "$T/run/$I/departed")$(ls "/run/heddle/$I/departed")"
rmdir "/run/heddle/$I/departed" "/run/heddle/$I"
agree

# A restart between ADD and DEL.
daemon_kill
daemon_start
agree
cni DEL c2 c2
agree
