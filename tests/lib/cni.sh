# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# cni.sh - the CNI plugin from a shell

# cni COMMAND CONTAINER NAMESPACE [CONF]: as a runtime on the host calls it. NAMESPACE is a name after $N-, or "" for none
cni() {
	local conf=${4:-"{\"cniVersion\": \"1.0.0\", \"name\": \"lab\", \"type\": \"heddle-cni\", \"instance\": \"$I\"}"}

	on host env CNI_COMMAND="$1" CNI_CONTAINERID="$2" CNI_NETNS="${3:+/run/netns/$N-$3}" CNI_IFNAME=eth0 CNI_PATH=/usr/lib/cni \
		"$B/heddle-cni" <<<"$conf"
}

# agree: the store, the devices and the datapath know of the same ports, and all of them are up
agree() {
	local ports

	ports=$(hd -j port list | jq -r '.[] | select(.state == "up" and .attach != "none") | ."host-device"' | sort)
	same "devices" "$ports" "$(ip -n "$N-host" -o link | awk -F'[:@ ]+' '$2 != "lo" { print $2 }' | sort)"
	same "all ports are up" "$(hd -j port list | jq length)" "$(grep -c . <<<"$ports" || true)"
	same "rows of ports" "$(hd -j port list | jq length)" "$(table_of ports | cut -d' ' -f1)"
}
