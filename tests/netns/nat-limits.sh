#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What address translation refuses, and how it names it: more endpoints than one inside host may have, protocols without ports, what comes from a third
# party. One endpoint inside is one outside, whoever it talks to.
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

external
demo
hd router gateway r --network ext --ip $GATEWAY --nat-filter address-and-port
inside a 2
inside b 3
inside c 4 --no-security
first a 172.16.0.1 172.16.0.9

cat >"$T/endpoints.py" <<'PY'
from nat import *

here, there = make("outside", socket.SOCK_DGRAM, OUTSIDE, 7000), make("outside", socket.SOCK_DGRAM, "172.16.0.9", 7000)
other_port = make("outside", socket.SOCK_DGRAM, OUTSIDE, 7001)
for name in ("a", "c"):
    client = make(name, socket.SOCK_DGRAM, "", 40000)
    peer = question(client, here)
    # A third party: another port, and another address. When the answer has come, they would have, too.
    for third in (other_port, there):
        third.sendto(b"let me in", peer)
    answer(here, peer, client)
    nothing_at(client)
    # The same endpoint for all; and now they may answer.
    for server in (there, other_port):
        same("endpoint-independent mapping", peer, question(client, server))
        answer(server, peer, client)
    check(peer != question(make(name, socket.SOCK_DGRAM, "", 40001), here), "two inside, one outside")

def syn_from(address, peer):
    end = make("outside", socket.SOCK_STREAM, address)
    end.settimeout(0.5)
    try:
        end.connect(peer)
    except TimeoutError:
        return
    check(False, f"{address} connects to {peer}")

near, far, peer = connected("a", "outside", OUTSIDE)
syn_from("172.16.0.9", peer)
syn_from(OUTSIDE, peer)
stream(near, far, 10000)
stream(far, near, 10000)
PY
nat "$T/endpoints.py"
(($(drops_of outside) >= 6)) || fail "what was not let in is not counted: $(hd drops)"

# 32 blocks of 64 ports, less what a has used above; the address filter has nothing to do with it.
cat >"$T/many.py" <<'PY'
from nat import *

USED, LIMIT, MORE = int(sys.argv[4]), 32 * 64, 20
server = make("outside", socket.SOCK_DGRAM, OUTSIDE, 7000)
before = make("b")
seen = question(before, server)
clients = [make("a", socket.SOCK_DGRAM, "", 10000 + k) for k in range(LIMIT - USED + MORE)] # no port that it has used before
asked = {}
for number, client in enumerate(clients):
    client.sendto(struct.pack("!I", number), (OUTSIDE, 7000))
while len(asked) < LIMIT - USED:
    data, peer = server.recvfrom(100)
    asked[struct.unpack("!I", data)[0]] = peer
check(len(set(asked.values())) == len(asked), "two are seen by one endpoint")
for number, peer in asked.items():
    answer(server, peer, clients[number])
late = [client for number, client in enumerate(clients) if number not in asked]
check(len(late) == MORE, f"{len(late)} refused")
for client in late:
    client.sendto(b"again", (OUTSIDE, 7000))
# The others do not notice.
for number in list(asked)[::50]:
    check(question(clients[number], server) == asked[number], "another endpoint than before")
    answer(server, asked[number], clients[number])
same("b, before", seen, question(before, server))
for name in ("b", "c"):
    client = make(name)
    answer(server, question(client, server), client)
nothing_at(server)
PY
used() {
	bpftool -j map dump pinned "$PINS/maps/hd_nat_users" |
		py <(echo 'import json, sys; print(sum(bin(int(b, 16)).count("1") for r in json.load(sys.stdin) if r["key"][4:] == ["0xc0", "0xa8", "0x1b", "0x02"] for i in range(0, 512, 16) for b in r["value"][i:i + 8]))')
}
before=$(drops_of nat-ports)
nat "$T/many.py" "$(used)"
same "nat-ports" 40 "$(($(drops_of nat-ports) - before))"
same "at the port" 40 "$(($(drops_of nat-ports a) - before))"

# GRE.
cat >"$T/gre.py" <<'PY'
from scapy.all import GRE, IP, Ether, Raw

from nat import *

router, outside_mac, passes = sys.argv[4], sys.argv[5], sys.argv[6] == "passes"
inner, outer = Wire(f"{PREFIX}-b"), Wire(f"{PREFIX}-outside")
data = os.urandom(32)

def across(source, target, frame):
    """The packet as it comes out, None if it does not."""
    seen = []
    source.send(bytes(frame))
    gather([target], 5 if passes else 0.3, lambda: seen, lambda w, f: seen.append(Ether(f)) if data in f and f[23] == 47 else None)
    return seen[0] if seen else None

def right(packet, source, target):
    check(packet, "GRE does not pass")
    same("addresses", (source, target), (packet[IP].src, packet[IP].dst))
    again = IP(bytes(packet[IP])[:20])
    del again.chksum
    same("checksum", packet[IP].chksum, IP(bytes(again)).chksum)
    same("its header", bytes(head)[:8], packet.original[34:42])

head = GRE(key_present=1, key=7) / Raw(data)
out = across(inner, outer, Ether(src=inner.mac, dst=router) / IP(src="192.168.27.3", dst=OUTSIDE) / head)
if not passes:
    check(not out, "GRE passes")
else:
    right(out, FLOATING, OUTSIDE)
    back = across(outer, inner, Ether(src=outer.mac, dst=outside_mac) / IP(src=OUTSIDE, dst=FLOATING) / head)
    right(back, OUTSIDE, "192.168.27.3")
PY
macs=("$(hd -j router show r | jq -r .mac)" "$(ip -n "$N-outside" -j neigh show $GATEWAY | jq -r '.[0].lladdr')")
nat "$T/gre.py" "${macs[@]}" refused
same "nat-protocol" 1 "$(drops_of nat-protocol b)"
hd floating-ip add $FLOATING --router r --port b
nat "$T/gre.py" "${macs[@]}" passes
same "nat-protocol" 1 "$(drops_of nat-protocol)"
