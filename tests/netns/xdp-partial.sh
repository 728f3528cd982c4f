#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The kernel's vxlan device at the other end of a veth leaves the outer UDP checksum to be computed, where the inner packet has one already (ARP, ICMP):
# what XDP opens then would have a place for a checksum in front of its beginning, and a tap, which has to compute it, would lose the packet.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

hosts one
ns two
wire one two # a veth and nothing else: a switch between them would compute the checksum
at one network add blue --type vxlan --id 10 --flood on
at one uplink add wire --tunnel-ip 192.0.2.1 --mode xdp
at one peer add two --tunnel-ip 192.0.2.2
wait_for 10 peer_is one two up
ip -n "$N-one" tuntap add tap0 mode tap
ip -n "$N-one" link set tap0 up
at one port add t --network blue --device tap0 --no-security
kernel_tunnel two vxlan id 10 dstport 4789 local 192.0.2.2 remote 192.0.2.1 dev wire
behind two b 2 1450
ip -n "$N-two" link set dev-b master br0
wait_for 10 link_is two tun UNKNOWN

cat >"$T/partial.py" <<'PY'
import subprocess
from underlay import *

prefix, heddle, instance = sys.argv[1:]
tap = Tap(f"{prefix}-one", "tap0")
end = time.monotonic() + 10 * patience()
while b"up" not in subprocess.run([heddle, "-i", instance, "port", "list"], stdout=subprocess.PIPE, check=True).stdout.split():
    check(time.monotonic() < end, "the tap's port does not come up")
got = collections.Counter()

def take(_, frame):
    packet = Packet(frame)
    if packet.proto == ICMP:
        packet.check_sums()
        got[packet.body[0]] += 1

# b believes that the tap is 10.0.20.1; nobody answers, so that each is one packet.
subprocess.run(["ip", "-n", f"{prefix}-b", "neigh", "replace", "10.0.20.1", "lladdr", "02:00:00:00:00:01", "dev", "eth0"], check=True)
subprocess.run(["nsenter", f"--net=/run/netns/{prefix}-b", "ping", "-nqc5", "-i0.01", "-W1", "10.0.20.1"], stdout=subprocess.DEVNULL)
gather([tap], 3, lambda: got[8] >= 5, take)
same("pings at the tap", 5, got[8])
PY
py "$T/partial.py" "$N" "$B/heddle" "$I-one"
