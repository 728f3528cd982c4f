#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# NetworkPolicies as groups (docs/kubernetes.md): for each set of policies a packet for every pair of pods, protocol, port and family, and
# to and from addresses that are no pod's; what arrives is what a model says that knows policies only.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
for pod in web1=1 web2=2 db1=3 web3=4 mon=5 cli=6; do
	mute blue "${pod%=*}" "${pod#*=}"
done
bare blue out 9 --mac 02:00:00:00:00:09 --no-security
lab "$(dirname "$0")/kubernetes.py" web1=1 web2=2 db1=3 web3=4 mon=5 cli=6 out=9
