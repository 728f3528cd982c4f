#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Twenty tenants with the same subnet, addresses and MACs share one external address: all talk to one server at once, some from the same port. Nobody
# gets what is another's, and no two are seen by the same endpoint.
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

external
names=()
for k in {1..20}; do
	hd network add "net$k" --type local
	hd subnet add "sub$k" --network "net$k" --cidr 10.0.0.0/24 --gateway 10.0.0.1
	workload "net$k" "t$k" --ip 10.0.0.5 --mac 02:00:00:00:00:05
	hd router add "r$k"
	hd router attach "r$k" --subnet "sub$k"
	hd router gateway "r$k" --network ext --ip $GATEWAY
	names+=("t$k")
done
first t1 172.16.0.1

cat >"$T/tenants.py" <<'PY'
from nat import *

TENANTS = sys.argv[4:]
PORTS = (40000, 40001, 0)  # the first two of all tenants alike
MORE = 100  # endpoints of each besides, so that one block is not enough

def nonce(*words):
    return " ".join(map(str, words)).encode() + b" " + os.urandom(8).hex().encode()

def unique(what, peers):
    check(len(set(peers)) == len(peers), f"{what}: two are seen by one endpoint")
    check({address for address, _ in peers} == {GATEWAY}, f"{what}: not by the external address")

listener = make("outside", socket.SOCK_STREAM, OUTSIDE, 7000)
listener.listen(1000)
server = make("outside", socket.SOCK_DGRAM, OUTSIDE, 7000)
tcp = {make(t, socket.SOCK_STREAM, "", p): nonce(t, "tcp", p) for t in TENANTS for p in PORTS}
udp = {make(t, socket.SOCK_DGRAM, "", p): nonce(t, "udp", p) for t in TENANTS for p in PORTS + (0,) * MORE}

# All at once, and TCP and UDP mixed.
for client in tcp:
    client.setblocking(False)
    check(client.connect_ex((OUTSIDE, 7000)) == errno.EINPROGRESS, "connect")
for client, words in udp.items():
    client.sendto(words, (OUTSIDE, 7000))

# Every question comes once; the answers go back in another order.
asked = {}
while len(asked) < len(udp):
    words, peer = server.recvfrom(1000)
    check(words not in asked and words in udp.values(), "UDP:", words, "twice, or never sent")
    asked[words] = peer
unique("UDP", list(asked.values()))
for turn in range(3):
    for words, peer in reversed(asked.items()):
        server.sendto(b"%d " % turn + words, peer)
for client, words in udp.items():
    got = [client.recv(1000) for _ in range(3)]
    check(got == [b"%d " % turn + words for turn in range(3)], "UDP:", words, "got", got)

accepted = {}
while len(accepted) < len(tcp):
    end, peer = listener.accept()
    end.settimeout(10)
    accepted[peer] = end
unique("TCP", list(accepted))
for client, words in tcp.items():
    client.settimeout(10)
    client.sendall(words)
heard = {peer: end.recv(1000) for peer, end in accepted.items()}
check(sorted(heard.values()) == sorted(tcp.values()), "TCP: what was asked")
for peer, end in accepted.items():
    end.sendall(b"for " + heard[peer])
for client, words in tcp.items():
    got = client.recv(1000)
    check(got == b"for " + words, "TCP:", words, "got", got)
nothing_at(*udp)
print(f"note: {len(udp)} UDP and {len(tcp)} TCP endpoints of {len(TENANTS)} tenants, none confused")
PY
nat "$T/tenants.py" "${names[@]}"
same "endpoints" "$((20 * (103 + 3) * 2))" "$(($(nat_rows hd_nat) - $(nat_rows hd_nat_pools) * 2))" # but for the ping above
same "pools" 1 "$(nat_rows hd_nat_pools)"
same "users" 20 "$(nat_rows hd_nat_users)"
same "checksums" "" "$(csum_errors outside "${names[@]}")"
