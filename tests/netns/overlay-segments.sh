#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What comes out of a tunnel as a super-packet is cut into right segments where a device must have them so (kernel.md: state of the tunnel
# that is left on a packet): a veth without offloads, a host leg, and forwarded from there into another tunnel, as far as that goes.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/foreign.sh
. "$LIB/foreign.sh"

hosts one two
wire one two
for host in one two; do
	at "$host" network add blue --type vxlan --id 10
	at "$host" network add green --type geneve --id 11
done
at one uplink add wire --tunnel-ip 192.0.2.1
at two uplink add wire --tunnel-ip 192.0.2.2
at one peer add two --tunnel-ip 192.0.2.2
at two peer add one --tunnel-ip 192.0.2.1
joined one blue a 1 --no-security

# b: somebody's program on its device, so that packets take the way through the device, which can do nothing by itself.
ns6 b
ip -n "$N-two" link add dev-b type veth peer name eth0 netns "$N-b"
on two ethtool -K dev-b tso off gso off tx off >/dev/null
on b ethtool -K eth0 gro off >/dev/null
ip -n "$N-two" link set dev-b mtu 1450 up
ip -n "$N-b" link set eth0 mtu 1450 up
ip -n "$N-b" addr add 10.0.20.2/24 dev eth0
ip -n "$N-b" addr add 2001:db8::2/64 dev eth0 nodad
HOST=two tcx watch dev-b egress
at two port add b --network blue --device dev-b --no-security
wait_for 5 peer_is one two up
wait_for 5 peer_is two one up
for to in 10.0.20.2 2001:db8::2; do
	py "$LIB/transfer.py" "$N-a" "$N-b" "$to" 10000000
done
(($(seen watch) > 100)) || fail "the packets went past the device"
same "checksum errors" 0 "$(on b nstat -asz TcpInCsumErrors | awk 'NR > 1 { print $2 }')"

# The host's own leg, and routed by the host from there into the other network, which is another tunnel.
at two port add leg --network blue --internal --ip 10.0.20.254/24 --no-security
at two port add leg2 --network green --internal --ip 10.0.30.254/24 --no-security
ns c
at one port add c --network green --netns "$N-c" --ifname eth0 --ip 10.0.30.3/24 --no-security
on two sysctl -qw net.ipv4.ip_forward=1
ip -n "$N-a" route add 10.0.30.0/24 via 10.0.20.254
ip -n "$N-c" route add 10.0.20.0/24 via 10.0.30.254
py "$LIB/transfer.py" "$N-a" "$N-two" 10.0.20.254 10000000
py "$LIB/transfer.py" "$N-two" "$N-a" 10.0.20.1 10000000
# A super-packet keeps the kernel's marks of its first tunnel, which nobody can take off before Linux has a flag for it: it can't be wrapped
# again. The devices that heddle makes here have the offloads of tunnels off, so it is cut before it gets there.
py "$LIB/transfer.py" "$N-a" "$N-c" 10.0.30.3 3000000
same "not wrapped" 0 "$(drops_at two encap leg2)"
