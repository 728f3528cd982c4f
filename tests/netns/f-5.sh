#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario F-5: what a port with security claims to be, in Ethernet, IP, ARP and ND: exactly its own, or dropped and named.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
hd subnet add blue4 --network blue --cidr 10.0.20.0/24 --gateway 10.0.20.254
hd subnet add blue6 --network blue --cidr 2001:db8::/64 --gateway 2001:db8::fe
mute blue a 1
mute blue b 2
bare blue free 3
bare blue any 4 --no-security
mute blue many 5 --allowed-address 10.0.20.77 --allowed-address 192.0.2.64/26 --allowed-address 10.0.20.78,02:00:00:00:00:78 \
	--allowed-address 2001:db8:1::/48 --allowed-address 2001:db8::79,02:00:00:00:00:79

cat >"$T/common.py" <<'PY'
from lab import *

lab = Lab(sys.argv[1:])
a, b, free, any_, many = lab.ends
OTHER, MAC78, MAC79 = "02:00:00:00:00:66", "02:00:00:00:00:78", "02:00:00:00:00:79"
GATEWAY = {4: "10.0.20.254", 6: "2001:db8::fe"}
FOREIGN = {4: "10.0.20.99", 6: "2001:db8::99"}

def others(end):
    return [x for x in lab.ends if x is not end]

def ip(end, version, mac=None, source=None, to=any_, sport=1000, dport=2000):
    packet = end.to(to, version) / UDP(sport=sport, dport=dport) / lab.payload()
    packet.src = mac or packet.src
    packet[1].src = source or packet[1].src
    return packet

def arp(end, psrc=None, hwsrc=None, mac=None, op=1, dst=BROADCAST, pdst="10.0.20.200", **fields):
    return Ether(src=mac or end.mac, dst=dst) / ARP(op=op, hwsrc=hwsrc or end.mac, psrc=psrc or end.address[4], pdst=pdst, **fields)

# Where any_ is: for its MAC nobody is to be asked.
lab.passes("any is known", any_, arp(any_), *others(any_))
PY

cat >"$T/ip.py" <<'PY'
from common import *

for v in (4, 6):
    lab.passes(f"own, v{v}", a, ip(a, v), any_)
    lab.drops(f"unknown MAC, v{v}", a, ip(a, v, mac=OTHER), "spoof-mac")
    lab.drops(f"b's MAC, v{v}", a, ip(a, v, mac=b.mac), "spoof-mac")
    lab.drops(f"free with b's MAC, v{v}", free, ip(free, v, mac=b.mac), "mac-static")
    for source in (FOREIGN[v], b.address[v], any_.address[v], {4: "0.0.0.0", 6: "::"}[v], {4: "224.0.0.5", 6: "ff02::5"}[v]):
        lab.drops(f"from {source}", a, ip(a, v, source=source), "spoof-ip")
    lab.drops(f"from the gateway's, v{v}", a, ip(a, v, source=GATEWAY[v]), "gateway-claimed")
    lab.drops(f"unknown MAC and address, v{v}", a, ip(a, v, mac=OTHER, source=FOREIGN[v]), "spoof-mac")

    # No addresses configured: any but the gateway's.
    lab.passes(f"free, own, v{v}", free, ip(free, v), any_)
    lab.passes(f"free from {FOREIGN[v]}", free, ip(free, v, source=FOREIGN[v]), any_)
    lab.passes(f"free with another MAC, v{v}", free, ip(free, v, mac=OTHER, sport=1001), any_)
    lab.drops(f"free from the gateway's, v{v}", free, ip(free, v, source=GATEWAY[v]), "gateway-claimed")

    # No security: any. But it is a member of default only if its port says so, whatever it says.
    lab.drops(f"any as b, v{v}", any_, ip(any_, v, source=b.address[v], to=a, sport=7), "group-ingress", a)

# The link-local address that belongs to the MAC is the port's own; no other is.
lab.passes("own link-local", a, ip(a, 6, source="fe80::ff:fe00:1"), any_)
lab.drops("b's link-local", a, ip(a, 6, source="fe80::ff:fe00:2"), "spoof-ip")
lab.drops("fe80::1", a, ip(a, 6, source="fe80::1"), "spoof-ip")

# What hides the addresses, or is neither IP nor ARP.
lab.drops("tagged", a, Ether(src=a.mac, dst=any_.mac) / Dot1Q(vlan=5) / ip(a, 4)[IP], "tagged")
lab.drops("priority tag", a, Ether(src=a.mac, dst=any_.mac) / Dot1Q(vlan=0, prio=5) / ip(a, 6)[IPv6], "tagged")
lab.drops("tagged ARP", a, Ether(src=a.mac, dst=BROADCAST) / Dot1Q(vlan=5) / arp(a)[ARP], "tagged")
lab.drops("RARP", a, Ether(src=a.mac, dst=BROADCAST, type=0x8035) / bytes(arp(a)[ARP]), "ethertype")
lab.drops("LLC", a, Ether(src=a.mac, dst=any_.mac, type=40) / lab.payload(40), "ethertype")

# --allowed-address: exactly that. A MAC given with it belongs to it alone, none given is the port's own.
OK, MAC, SPOOF = None, "spoof-mac", "spoof-ip"
for source, mac, reason in (("10.0.20.77", many.mac, OK), ("10.0.20.77", MAC78, MAC), ("10.0.20.76", many.mac, SPOOF),
                            ("192.0.2.64", many.mac, OK), ("192.0.2.127", many.mac, OK), ("192.0.2.63", many.mac, SPOOF),
                            ("192.0.2.128", many.mac, SPOOF), ("192.0.2.64", MAC78, MAC),
                            ("10.0.20.78", MAC78, OK), ("10.0.20.78", many.mac, SPOOF), ("10.0.20.78", MAC79, MAC),
                            ("10.0.20.5", MAC78, MAC), ("10.0.20.5", many.mac, OK),
                            ("2001:db8:1::1", many.mac, OK), ("2001:db8:1:ffff::1", many.mac, OK),
                            ("2001:db8:2::1", many.mac, SPOOF), ("2001:db8::79", MAC79, OK),
                            ("2001:db8::79", many.mac, SPOOF), ("2001:db8::5", MAC79, MAC), ("2001:db8::5", many.mac, OK)):
    packet = ip(many, 6 if ":" in source else 4, mac=mac, source=source)
    if reason:
        lab.drops(f"many from {source}, {mac}", many, packet, reason)
    else:
        lab.passes(f"many from {source}, {mac}", many, packet, any_)
lab.done()
PY

cat >"$T/neighbour.py" <<'PY'
from common import *
from scapy.all import in6_getnsma, in6_getnsmac, inet_ntop, inet_pton

def solicit(end, target, source=None, mac=None, lladdr=None, **fields):
    group = in6_getnsma(inet_pton(socket.AF_INET6, target))
    packet = Ether(src=mac or end.mac, dst=in6_getnsmac(group))
    packet /= IPv6(src=source or end.address[6], dst=inet_ntop(socket.AF_INET6, group), hlim=fields.get("hlim", 255))
    packet /= ICMPv6ND_NS(tgt=target)
    return packet if source == "::" else packet / ICMPv6NDOptSrcLLAddr(lladdr=lladdr or end.mac)

def advert(end, target, mac=None, lladdr=None, hlim=255):
    return (Ether(src=mac or end.mac, dst="33:33:00:00:00:01") / IPv6(src=end.address[6], dst="ff02::1", hlim=hlim)
            / ICMPv6ND_NA(R=0, S=0, O=1, tgt=target) / ICMPv6NDOptDstLLAddr(lladdr=lladdr or end.mac))

# ---- ARP ----
NEIGH = "spoof-neighbour"
for op, sort in ((1, "request"), (2, "reply")):
    lab.passes(f"own ARP {sort}", a, arp(a, op=op), *others(a))
    lab.passes(f"own ARP {sort} to one", a, arp(a, op=op, dst=any_.mac, hwdst=any_.mac, pdst=any_.address[4]), any_)
    lab.passes(f"gratuitous ARP {sort}", a, arp(a, op=op, pdst=a.address[4]), *others(a))
    lab.drops(f"ARP {sort} for b", a, arp(a, psrc=b.address[4], op=op), NEIGH)
    lab.drops(f"ARP {sort} for the gateway", a, arp(a, psrc=GATEWAY[4], op=op), "gateway-claimed")
    lab.drops(f"ARP {sort} for the gateway to one", a, arp(a, psrc=GATEWAY[4], op=op, dst=b.mac), "gateway-claimed")
    lab.drops(f"ARP {sort} with another's sender MAC", a, arp(a, hwsrc=b.mac, op=op), NEIGH)
    lab.drops(f"ARP {sort} with an unknown sender MAC", a, arp(a, hwsrc=OTHER, op=op), NEIGH)
    lab.drops(f"ARP {sort} from another MAC", a, arp(a, mac=OTHER, op=op), NEIGH)
    lab.drops(f"ARP {sort} all of another MAC", a, arp(a, mac=OTHER, hwsrc=OTHER, op=op), "spoof-mac")
    lab.passes(f"free's ARP {sort}", free, arp(free, psrc=FOREIGN[4], op=op), *others(free))
    lab.drops(f"free's ARP {sort} for the gateway", free, arp(free, psrc=GATEWAY[4], op=op), "gateway-claimed")
lab.passes("ARP probe", a, arp(a, psrc="0.0.0.0", pdst="10.0.20.1"), *others(a))
lab.drops("ARP probe of another MAC", a, arp(a, psrc="0.0.0.0", mac=OTHER, hwsrc=OTHER), "spoof-mac")
lab.drops("ARP reply of nobody", a, arp(a, psrc="0.0.0.0", op=2), NEIGH)
lab.drops("ARP of another hardware", a, arp(a, hwtype=6), NEIGH)
lab.drops("ARP of another protocol", a, arp(a, ptype=0x86DD), NEIGH)
lab.drops("ARP cut off", a, bytes(arp(a))[:40], NEIGH)
lab.drops("ARP without addresses", a, Ether(src=a.mac, dst=BROADCAST, type=0x0806) / bytes(arp(a)[ARP])[:8], NEIGH)

# ---- ND ----
lab.passes("own question", a, solicit(a, b.address[6]), *others(a))
lab.passes("is mine free?", a, solicit(a, a.address[6], source="::"), *others(a))
lab.passes("own answer", a, advert(a, a.address[6]), *others(a))
lab.passes("free's answer", free, advert(free, FOREIGN[6]), *others(free))
lab.drops("question from b's address", a, solicit(a, b.address[6], source=b.address[6]), "spoof-ip")
lab.drops("question with b's MAC inside", a, solicit(a, b.address[6], lladdr=b.mac), NEIGH)
lab.drops("question from another MAC", a, solicit(a, b.address[6], mac=OTHER, lladdr=OTHER), "spoof-mac")
lab.drops("is it free? from another MAC", a, solicit(a, a.address[6], source="::", mac=OTHER), "spoof-mac")
lab.drops("answer for b", a, advert(a, b.address[6]), NEIGH)
lab.drops("answer for the gateway", a, advert(a, GATEWAY[6]), NEIGH)
lab.drops("free's answer for the gateway", free, advert(free, GATEWAY[6]), NEIGH)
lab.drops("answer with b's MAC inside", a, advert(a, a.address[6], lladdr=b.mac), NEIGH)
lab.drops("answer from further away", a, advert(a, a.address[6], hlim=64), "l4-malformed")
lab.drops("second MAC option is b's", a, advert(a, a.address[6]) / ICMPv6NDOptDstLLAddr(lladdr=b.mac), NEIGH)
behind = advert(a, b.address[6])
behind = behind[Ether].copy()
inner = behind[IPv6].payload
behind[IPv6].remove_payload()
lab.drops("answer for b behind an extension header", a, behind / IPv6ExtHdrDestOpt() / inner, "l4-malformed")

# Allowed addresses count here, too: with their MAC, if they have one.
lab.passes("ARP for an allowed address", many, arp(many, psrc="10.0.20.77"), *others(many))
lab.passes("ARP for one with its MAC", many, arp(many, psrc="10.0.20.78", mac=MAC78, hwsrc=MAC78), *others(many))
lab.drops("ARP for it with the port's MAC", many, arp(many, psrc="10.0.20.78"), NEIGH)
lab.drops("ARP for the port's address with that MAC", many, arp(many, mac=MAC78, hwsrc=MAC78), "spoof-mac")
lab.passes("answer for an allowed address", many, advert(many, "2001:db8:1::7"), *others(many))
lab.drops("answer for one with a MAC", many, advert(many, "2001:db8::79"), NEIGH)
lab.done()
PY

cat >"$T/flow.py" <<'PY'
from common import *

# A flow of a and b is nobody else's, and no way around the checks.
for v in (4, 6):
    lab.passes(f"begin, v{v}", a, ip(a, v, to=b), b)
    lab.passes(f"answer, v{v}", b, ip(b, v, to=a, sport=2000, dport=1000), a)
    lab.passes(f"on, v{v}", a, ip(a, v, to=b), b)
    lab.drops(f"another MAC, v{v}", a, ip(a, v, to=b, mac=OTHER), "spoof-mac")
    for end in (free, any_):
        lab.drops(f"{end} as a, v{v}", end, ip(end, v, to=b, source=a.address[v]), "flow-port")
        lab.drops(f"{end} as b, v{v}", end, ip(end, v, to=a, source=b.address[v], sport=2000, dport=1000), "flow-port")
    lab.drops(f"many as a, v{v}", many, ip(many, v, to=b, source=a.address[v]), "spoof-ip")
    lab.drops(f"b's part by a, v{v}", a, ip(a, v, to=b, source=b.address[v], sport=2000, dport=1000), "spoof-ip")
    lab.passes(f"still on, v{v}", a, ip(a, v, to=b), b)
    lab.passes(f"and back, v{v}", b, ip(b, v, to=a, sport=2000, dport=1000), a)
ends = [(f["client"]["port"], f["server"]["port"], f["state"]) for f in lab.flows("?port=b")]
same("flows of b", [("a", "b", "established")] * 2, ends)
lab.done()
PY

for part in ip neighbour flow; do
	lab "$T/$part.py" a=1 b=2 free=3 any=4 many=5
done

# What a port may be can be changed in place, and is in force on the next packet of a flow.
cat >"$T/set.py" <<'PY'
from common import *

def set_allowed(value):
    lab.api.must("PATCH", "ports/a", {"allowed-address": value})

def packet():
    return ip(a, 4, source=FOREIGN[4], sport=5, dport=6)

def answer():
    reply = ip(any_, 4, to=a, sport=6, dport=5)
    reply[IP].dst = FOREIGN[4]
    return reply

lab.drops("not yet allowed", a, packet(), "spoof-ip")
set_allowed([FOREIGN[4]])
lab.passes("allowed", a, packet(), any_)
lab.passes("answered", any_, answer(), a)
lab.passes("established", a, packet(), any_)
set_allowed(None)
lab.drops("not any more", a, packet(), "spoof-ip")
set_allowed([FOREIGN[4] + "," + OTHER])
lab.drops("with another MAC only", a, packet(), "spoof-ip")
lab.done()
PY
lab "$T/set.py" a=1 b=2 free=3 any=4 many=5
