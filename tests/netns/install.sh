#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# "make install" brings what README.md says and nothing else, "make uninstall" takes all of it away; the unit is one, and a daemon that is in
# its way is no reason to try for ever.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

TOP=$(cd "$LIB/../.." && pwd)
into() {
	make -s -C "$TOP" B="$B" "$1" DESTDIR="$T/root" prefix=/usr >/dev/null
}
# installed: files, with their modes
installed() {
	(cd "$T/root/usr" && find . -type f -printf '%m %P\n' | sort -k2)
}

into install
same "what is installed" "755 bin/heddle
644 lib/systemd/system/heddled.service
755 libexec/cni/heddle-cni
755 sbin/heddled
644 share/bash-completion/completions/heddle
644 share/man/man5/heddle.yaml.5
644 share/man/man8/heddle-cni.8
644 share/man/man8/heddle.8
644 share/man/man8/heddled.8" "$(installed)"

# The command that is installed finds the plugin that is.
host
on host "$T/root/usr/bin/heddle" -i "$I" cni install lab --conf-dir "$T/net.d" --plugin-dir "$T/plugins" >/dev/null
same "the plugin" "$T/root/usr/libexec/cni/heddle-cni" "$(readlink "$T/plugins/heddle-cni")"
on host "$T/root/usr/bin/heddle" -i "$I" cni remove lab --conf-dir "$T/net.d"

refused 6 'is for IPv6' on host "$B/heddle" -i "$I" cni install lab --subnet6 10.0.0.0/24 --conf-dir "$T/net.d"
refused 6 'too small' on host "$B/heddle" -i "$I" cni install lab --subnet6 fd00::/126 --conf-dir "$T/net.d"
same "networks" "[]" "$(hd -j network list | jq -c .)"

# A second daemon: its status is one that systemd does not try again after.
unit=$T/root/usr/lib/systemd/system/heddled.service
same "what the unit starts" "/usr/sbin/heddled --foreground" "$(sed -n 's/^ExecStart=//p' "$unit")"
status=0
on host "$T/root/usr/sbin/heddled" -i "$I" --foreground --state-dir "$T/state" --run-dir "$T/run" 2>/dev/null || status=$?
sed -n 's/^RestartPreventExitStatus=//p' "$unit" | grep -qw "$status" || fail "systemd would start it again and again after $status"
if command -v systemd-analyze >/dev/null; then
	sed -i "s#^ExecStart=#&$T/root#" "$unit"
	same "what is wrong with the unit" "" "$(systemd-analyze verify --man=no "$unit" 2>&1 | grep heddled || true)"
fi

into uninstall
same "what is left" "" "$(installed)"
