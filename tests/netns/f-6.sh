#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario F-6: a workload may ask for an address and look for routers; it can't be the DHCP server or the router of others.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
hd security-group add closed # no rule at all
hd security-group rule-del closed "$(hd -j security-group show closed | jq '.rules[0].id')"
same "rules of closed" 0 "$(hd -j security-group show closed | jq '.rules | length')"
mute blue a 1
mute blue closed 2 --security-group closed
bare blue free 3
mute blue server 4 --no-security
mute blue quiet 5

cat >"$T/common.py" <<'PY'
from lab import *

lab = Lab(sys.argv[1:])
a, closed, free, server, quiet = lab.ends
DHCP4, DHCP6, ROUTERS, HOSTS = "255.255.255.255", "ff02::1:2", "ff02::2", "ff02::1"
GROUP_MAC = {DHCP4: BROADCAST, DHCP6: "33:33:00:01:00:02", ROUTERS: "33:33:00:00:00:02", HOSTS: "33:33:00:00:00:01"}

def others(end):
    return [x for x in lab.ends if x is not end]

def link_local(end):
    return f"fe80::ff:fe00:{end.mac[-1]}"

def to_group(end, group, source):
    packet = Ether(src=end.mac, dst=GROUP_MAC[group])
    return packet / (IPv6(src=source, dst=group, hlim=255) if ":" in group else IP(src=source, dst=group))

def udp(sport, dport):
    return UDP(sport=sport, dport=dport) / lab.payload(240)
PY

cat >"$T/dhcp.py" <<'PY'
from common import *

# Clients: the one whose group allows nothing, too. Those who have no security hear it, and who lets the client in.
HEARS = {a: [free, server, quiet], closed: [server], free: [a, server, quiet]}
for client in (a, closed, free):
    deaf = [("group-ingress", end.name) for end in others(client) if end not in HEARS[client]]
    lab.step(f"{client} asks", client, to_group(client, DHCP4, "0.0.0.0") / udp(68, 67), HEARS[client], deaf)
    lab.passes(f"{client} is offered", server, server.to(client) / udp(67, 68), client)
    lab.step(f"{client} asks by v6", client, to_group(client, DHCP6, link_local(client)) / udp(546, 547), HEARS[client], deaf)
    lab.passes(f"{client} is offered by v6", server, server.to(client, 6) / udp(547, 546), client)
deaf = [("group-ingress", "quiet")]
lab.step("an offer to all, to those who have asked", server, to_group(server, DHCP4, "10.0.20.4") / udp(67, 68), [a, closed, free], deaf)
lab.step("to who has not asked", server, server.to(quiet) / udp(67, 68), [], deaf)
lab.step("to who has not asked, by v6", server, server.to(quiet, 6) / udp(547, 546), [], deaf)

# Later the client knows the server, and they have a flow like others.
for v, sport, dport in ((4, 68, 67), (6, 546, 547)):
    lab.passes(f"renewed, v{v}", a, a.to(server, v) / udp(sport, dport), server)
    lab.passes(f"confirmed, v{v}", server, server.to(a, v) / udp(dport, sport), a)
    lab.drops(f"closed may not, v{v}", closed, closed.to(server, v) / udp(sport, dport), "group-egress")
lab.drops("nothing else", closed, closed.to(server) / udp(68, 69), "group-egress")
lab.drops("nothing else by v6", closed, closed.to(server, 6) / udp(546, 53), "group-egress")
lab.drops("nor in", server, server.to(closed) / udp(67, 69), "group-ingress", closed)

# A client is who it says.
wrong = to_group(a, DHCP4, "0.0.0.0") / udp(68, 67)
wrong.src = "02:00:00:00:00:66"
lab.drops("asks with another MAC", a, wrong, "spoof-mac")
lab.drops("asks from another's address", a, to_group(a, DHCP4, closed.address[4]) / udp(68, 67), "spoof-ip")
lab.drops("asks by v6 from another's", a, to_group(a, DHCP6, link_local(closed)) / udp(546, 547), "spoof-ip")

# Servers: whatever the groups allow, from whatever port: clients look at the destination port only.
WHY = "dhcp-server"
for rogue in (a, free):
    source = {4: rogue.address[4], 6: rogue.address[6]}
    for sport in (67, 68, 1067):
        lab.drops(f"{rogue} offers from {sport}", rogue, rogue.to(closed) / udp(sport, 68), WHY)
        lab.drops(f"{rogue} offers from {sport} to all", rogue, to_group(rogue, DHCP4, source[4]) / udp(sport, 68), WHY)
    for sport in (547, 546, 1547):
        lab.drops(f"{rogue} offers by v6 from {sport}", rogue, rogue.to(closed, 6) / udp(sport, 546), WHY)
    lab.drops(f"{rogue} offers to its own group", rogue, rogue.to(a if rogue is free else free) / udp(67, 68), WHY)
    lab.drops(f"{rogue} offers to who has no security", rogue, rogue.to(server) / udp(67, 68), WHY)
    lab.drops(f"{rogue} offers behind a header", rogue, rogue.to(closed, 6) / IPv6ExtHdrDestOpt() / udp(547, 546), WHY)
    lab.drops(f"{rogue} offers behind two", rogue, rogue.to(closed, 6) / IPv6ExtHdrHopByHop() / IPv6ExtHdrRouting() / udp(547, 546), WHY)

# In pieces: the first is known for what it is, and without it the others go nowhere, whichever comes first.
for version in (4, 6):
    for order in ((0, 1), (1, 0)):
        lab.count += 1
        payload = bytes(udp(67, 68) if version == 4 else udp(547, 546))
        pieces = []
        for i, (start, end) in enumerate(((0, 128), (128, len(payload)))):
            if version == 4:
                head = a.to(closed, proto=17, id=lab.count, flags=0 if i else "MF", frag=start // 8)
            else:
                head = a.to(closed, 6) / IPv6ExtHdrFragment(nh=17, id=lab.count, m=1 - i, offset=start // 8)
            pieces.append(head / Raw(payload[start:end]))
        for i in order:
            lab.drops(f"offer in pieces, v{version}, piece {i} of {order}", a, pieces[i], "fragment-orphan" if i else WHY)
lab.done()
PY

cat >"$T/router.py" <<'PY'
from common import *

def advert(end, group=HOSTS, to=None, source=None):
    head = to_group(end, group, source or link_local(end)) if not to else end.to(to, 6, hlim=255)
    return head, ICMPv6ND_RA(routerlifetime=1800) / ICMPv6NDOptSrcLLAddr(lladdr=end.mac) / ICMPv6NDOptPrefixInfo(prefix="2001:db8:bad::")

# Looking for routers, and finding the real one.
for client in (a, closed):
    lab.passes(f"{client} looks", client, to_group(client, ROUTERS, link_local(client)) / ICMPv6ND_RS()
               / ICMPv6NDOptSrcLLAddr(lladdr=client.mac), *others(client))
    lab.passes(f"{client} looks, without address", client, to_group(client, ROUTERS, "::") / ICMPv6ND_RS(), *others(client))
    head, message = advert(server, to=client)
    lab.passes(f"{client} finds", server, head / message, client)
head, message = advert(server)
lab.passes("to all", server, head / message, *others(server))

# A workload that says it is one.
WHY = "router-advertisement"
EXTENSIONS = {"": [], "hop-by-hop": [IPv6ExtHdrHopByHop()], "destination options": [IPv6ExtHdrDestOpt()],
              "routing": [IPv6ExtHdrRouting()], "three": [IPv6ExtHdrHopByHop(), IPv6ExtHdrRouting(), IPv6ExtHdrDestOpt()],
              "eight": [IPv6ExtHdrDestOpt()] * 8, "atomic fragment": [IPv6ExtHdrFragment(id=5)]}
for rogue in (a, free):
    for what, extensions in EXTENSIONS.items():
        for to in (None, closed, server):
            head, message = advert(rogue, to=to)
            for extension in extensions:
                head = head / extension.copy()
            lab.drops(f"{rogue} is a router: {what} to {to}", rogue, head / message, WHY)
    head, message = advert(rogue)
    for _ in range(9):
        head = head / IPv6ExtHdrDestOpt()
    lab.drops(f"{rogue} behind nine headers", rogue, head / message, "extension-headers")
    redirect = ICMPv6ND_Redirect(tgt=rogue.address[6], dst="2001:db8:2::1")
    lab.drops(f"{rogue} redirects", rogue, rogue.to(closed, 6, hlim=255) / redirect, WHY)
head, message = advert(a)
lab.drops("tagged", a, Ether(src=a.mac, dst=head.dst) / Dot1Q(vlan=0) / head[IPv6] / message, "tagged")

# In pieces (RFC 6980): cut behind the message's beginning, within it, and so that the first has only other headers.
def in_pieces(what, chain, first, cut, reason, first_header=58):
    head, message = advert(a)
    whole = bytes(head / message)[14:]
    upper = bytearray(chain + whole[40:])
    lab.count += 1
    for more, start, end, why in ((1, 0, cut, reason), (0, cut, len(upper), "fragment-orphan")):
        head, _ = advert(a)
        piece = head / IPv6ExtHdrFragment(nh=first_header, id=lab.count, m=more, offset=start // 8) / Raw(bytes(upper[start:end]))
        lab.drops(f"in pieces: {what}: from {start}", a, piece, why)

in_pieces("behind 24 bytes", b"", 0, 24, WHY)
in_pieces("behind 8 bytes", b"", 0, 8, WHY)
destination_options = bytes([58, 0, 1, 4, 0, 0, 0, 0])
in_pieces("destination options, then 16 bytes", destination_options, 0, 24, WHY, first_header=60)
in_pieces("destination options alone", destination_options, 0, 8, "l4-malformed", first_header=60)
lab.done()
PY
for part in dhcp router; do
	lab "$T/$part.py" a=1 closed=2 free=3 server=4 quiet=5
done
