#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What XDP opens and drops, and who sees it: packet sockets on the device, trace --live, drops; tags that XDP can't see. Nothing of a network gets to the
# host, whoever looks on.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

hosts one
switch_on
plug one 1
sea 11 13
at one network add v --type vxlan --id 10 --flood on
at one uplink add wire --tunnel-ip 192.0.2.1 --mode xdp
at one peer add p --tunnel-ip 192.0.2.11
wait_for 5 peer_is one p up
mute_at one v v 1 --no-security

cat >"$T/look.py" <<'PY'
from sea import *

sea = Sea(sys.argv[1:])
p, stranger = sea.peers
(v,) = sea.ends
FAR, TAG = "02:00:00:00:00:77", struct.pack("!HH", 0x8100, 5)
looker = None  # a packet socket on the uplink: from then on it shares each packet with the programs

def tagged(frame):
    return frame[:12] + TAG + frame[12:]

def good(what, inner=None, **how):
    inner = inner or marked(v.mac, FAR)
    sea.comes(what, p.vxlan(10, inner, **how), to=[(v, inner)])
    return inner

for turn in ("alone", "looked at"):
    good(turn)
    good(turn + ", a tag inside", tagged(marked(v.mac, FAR)))
    good(turn + ", an outer checksum", csum=True)
    good(turn + ", short", marked(v.mac, FAR, 20))
    sea.comes(turn + ", from a stranger", stranger.vxlan(10, marked(v.mac, FAR)), drops=["tunnel-source"])
    sea.comes(turn + ", in a VLAN", tagged(p.vxlan(10, marked(v.mac, FAR))), drops=["vlan-tagged"])
    # To the host's MAC, and to its address: what is in the network stays there.
    echo = b"\x08\0" + struct.pack("!H", underlay.checksum(b"\x08\0\0\0" + b"\0\1\0\1" + b"x" * 32)) + b"\0\1\0\1" + b"x" * 32
    ping = ether(sea.mac, FAR, underlay.ETH_IP, ip("192.0.2.11", "192.0.2.1", underlay.ICMP, echo))
    good(turn + ", for the host, in the network", ping)
    looker = looker or Wire(sys.argv[2] + "-one", "wire")

list(looker.receive())
inner = good("to be seen")
seen = []
gather([looker], 3, lambda: inner in seen, lambda _, frame: seen.append(frame))
check(inner in seen, "a packet socket does not see what XDP has opened")
sea.water.send(ping)  # the same on the underlay: answered, so the host would have answered the others, too
answers = []
gather([sea.water], 3, lambda: answers, lambda _, frame: frame[6:12] == mac(sea.mac) and frame[23] == underlay.ICMP and answers.append(frame))
check(len(answers) == 1, "answers of the host:", len(answers))
sea.done()
PY
sail "$T/look.py" v=1 p:11 stranger:13
# shellcheck disable=SC2016 # of awk
same "replies of the host" 1 "$(on one awk '/^Icmp:/ { if (at) print $at; for (i = 2; i <= NF; i++) if ($i == "OutEchoReps") at = i }' /proc/net/snmp)"
same "where they were dropped" "tunnel-source uplink-xdp 2
vlan-tagged uplink-in 2" "$(at one -j drops | jq -r '.[] | "\(.reason) \(.stage) \(.packets)"' | sort)"

# trace --live: what is opened is seen as what it is then, what is dropped at XDP as it came.
begun() { grep -q 'trace --live: begins' "$T/heddled.log"; }
timeout 90 "$B/heddle" -i "$I-one" -j --timeout 60 trace --live -n 2 >"$T/seen" &
looking=$!
wait_for 60 begun
cat >"$T/two.py" <<'PY'
from sea import *
sea = Sea(sys.argv[1:])
p, stranger = sea.peers
(v,) = sea.ends
inner = marked(v.mac, "02:00:00:00:00:77")
sea.comes("one", p.vxlan(10, inner), to=[(v, inner)])
sea.comes("two", stranger.vxlan(10, inner), drops=["tunnel-source"])
PY
sail "$T/two.py" v=1 p:11 stranger:13
wait $looking || fail "trace --live: $(<"$T/seen")"
same "trace" "flooded,
dropped,tunnel-source" "$(jq -r '"\(.verdict),\(.reason)"' "$T/seen")"
ended() { grep -q 'trace --live: ended' "$T/heddled.log"; }
wait_for 20 ended
sail "$T/two.py" v=1 p:11 stranger:13
