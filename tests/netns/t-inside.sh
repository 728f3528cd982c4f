#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Tunnels that a workload makes: never opened by us, never on the underlay as ours; to another workload they are packets like others, also
# those of a kernel's vxlan device inside.
# shellcheck source-path=SCRIPTDIR source=../lib/two_hosts.sh
. "$(dirname "$0")/../lib/two_hosts.sh"

pair
both network add blue --type vxlan --id 10
both network add gen --type geneve --id 10
both network add key --type gre --id 10
at one network add lan --type local
tunnels 4
mute_at one blue a 1 --no-security
mute_at two blue b 2 --no-security
mute_at one gen c 3 --no-security
mute_at two gen d 4 --no-security
mute_at one key e 5 --no-security
mute_at two key f 6 --no-security

# The worst case: the host is a router for the workload, and lets any source address through.
mute_at one lan w 7 --no-security
at one port add leg --network lan --internal --ip 10.0.30.254/24 --mac 02:00:00:00:00:fe --no-security
on one tee /proc/sys/net/ipv4/ip_forward >/dev/null <<<1
on one tee /proc/sys/net/ipv4/conf/{all,default,leg,wire}/rp_filter >/dev/null <<<0
leg=$(ip -n "$N-one" -j addr | jq -r '.[] | select(any(.addr_info[]; .local == "10.0.30.254")).ifname')
on one tee "/proc/sys/net/ipv4/conf/$leg/rp_filter" >/dev/null <<<0
on one tee /proc/sys/net/ipv4/conf/{all,"$leg"}/accept_local >/dev/null <<<1
ip -n "$N-one" neigh replace 10.0.30.7 lladdr 02:00:00:00:00:07 nud permanent dev "$leg"

cat >"$T/inside.py" <<'PY'
from underlay import *

prefix = sys.argv[1]
one_cpu()
wires = {name: Wire(f"{prefix}-{name}") for name in "abcdefw"}
under = {name: Wire(f"{prefix}-{name}", "wire") for name in ("one", "two")}
LEG, NONCE = "02:00:00:00:00:fe", os.urandom(8)
FRAMES = {"vxlan": lambda f, s, d: (UDP, udp(s, d, 50000, 4789, vxlan(10, f))), "geneve": lambda f, s, d: (UDP, udp(s, d, 50000, 6081, geneve(10, f))),
          "gre": lambda f, s, d: (GRE, gre(f, 10))}
seen = collections.Counter()

def take(wire, frame):
    if NONCE not in frame:
        return
    packet = Packet(frame)
    if wire in under.values():
        seen[wire.label, packet.ip_src, packet.tunnel] += 1
    elif frame[14:22] == NONCE:  # not an ICMP error that quotes it
        seen[wire.label, "delivered", None] += 1

everything = list(wires.values()) + list(under.values())
sent = 0
for tunnel, wrap in FRAMES.items():
    for src in ("10.0.30.7", "192.0.2.2", "192.0.2.1"):
        for dst in ("192.0.2.1", "192.0.2.2"):
            for inner_dst in (BROADCAST, "02:00:00:00:00:01", "02:00:00:00:00:02"):
                inner = ether(inner_dst, "02:00:00:00:00:99", ETH_TEST, NONCE + bytes(40))
                proto, body = wrap(inner, src, dst)
                wires["w"].send(ether(LEG, "02:00:00:00:00:07", ETH_IP, ip(src, dst, proto, body)))
                sent += 1
gather(everything, 0.5, take=take)
for (place, source, kind), n in seen.items():
    check(source != "delivered", f"{n} of {sent} were opened, and delivered to {place}")
    check(source != "192.0.2.1" or not kind, f"{n} of {sent} came to {place} by the wire, as if from us")
print(f"note: {sent} tunnel packets by way of the host's leg, 0 opened")

# To another workload over our tunnel: payload, wrapped once more, and opened once.
for tunnel, wrap in FRAMES.items():
    for a, b in (("a", "b"), ("b", "a"), ("c", "d"), ("e", "f")):
        macs = {n: f"02:00:00:00:00:0{'abcdef'.index(n) + 1}" for n in "abcdef"}
        for src, dst in (("10.0.20.1", "10.0.20.2"), ("192.0.2.1", "192.0.2.2"), ("192.0.2.2", "192.0.2.1")):
            NONCE = os.urandom(8)
            inner = ether(macs["a"], macs["b"], ETH_TEST, NONCE + bytes(40))
            proto, body = wrap(inner, src, dst)
            frame = ether(macs[b], macs[a], ETH_IP, ip(src, dst, proto, body))
            got = collections.Counter()
            def take_it(wire, f):
                if NONCE in f and wire not in under.values():
                    got[wire.label, f] += 1
            wires[a].send(frame)
            gather(everything, 3, lambda: got, take_it)
            gather(everything, 0.02, take=take_it)
            if {label for label, _ in got} - {b}:  # the first to a MAC that is not known yet is flooded
                check(False, f"{tunnel} from {a} to {b} ({src} to {dst}) came to", {label for label, _ in got})
            same(f"{tunnel} from {a} to {b}, {src} to {dst}", {(b, frame): 1}, dict(got))
PY
# Each has said something, so nothing is flooded.
py - "$N" <<'PY'
from underlay import *
for index, name in enumerate("abcdef"):
    Wire(f"{sys.argv[1]}-{name}").send(ether(BROADCAST, f"02:00:00:00:00:0{index + 1}", ETH_TEST, bytes(50)))
PY
learned() {
	[[ $(at one -j fdb | jq '[.[] | select(.port == "two")] | length') == 3 && $(at two -j fdb | jq '[.[] | select(.port == "one")] | length') == 3 ]]
}
wait_for 5 learned
py "$T/inside.py" "$N"
same "to the peer, refused by name" 27 "$(drops_at one tunnel-forged)"

# A kernel's vxlan device in the workloads, over each of our tunnels: ping and TCP through both. What is a tunnel packet already and is to be cut
# later can't be wrapped once more ("encap"): devices that heddle makes have it cut before, as others do with what "explain" names.
for net in blue gen key; do
	joined one $net "$net-x" 1 --no-security
	joined two $net "$net-y" 2 --no-security
	for w in x y; do
		here=$([[ $w == x ]] && echo 1 || echo 2)
		ip -n "$N-$net-$w" link add vx mtu 1380 type vxlan id 10 dstport 4789 local "10.0.20.$here" remote "10.0.20.$((3 - here))" dev eth0
		ip -n "$N-$net-$w" addr add "10.0.40.$here/24" dev vx
		ip -n "$N-$net-$w" link set vx up
	done
	pings_sized "$net-x" 10.0.40.2
	transfers "$net-x" "$net-y" 10.0.40.2 1000000
	transfers "$net-y" "$net-x" 10.0.40.1 1000000
done
