#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario R-2, routing: tenants with the same prefixes, addresses and MACs, each with a router of its own, on one host and over two. None hears anything of
# the other. A tenant may have the prefix of the host's own underlay; and a network may be on two routers by different subnets.
# shellcheck source-path=SCRIPTDIR source=../lib/routing.sh
. "$(dirname "$0")/../lib/routing.sh"

# tenant COMMAND NAME TYPE NUMBER: networks NAME1 and NAME2 with the prefixes of all tenants, and router NAME
tenant() {
	local tell=$1 name=$2 n

	for n in 1 2; do
		case $3 in
		local) $tell network add "$name$n" --type local ;;
		*) $tell network add "$name$n" --type "$3" --id "$4$n" ;;
		esac
		$tell subnet add "$name-four$n" --network "$name$n" --cidr "10.0.$n.0/24" --gateway "10.0.$n.1"
		$tell subnet add "$name-six$n" --network "$name$n" --cidr "2001:db8:$n::/64" --gateway "2001:db8:$n::1"
	done
	$tell router add "$name"
	for n in 1 2; do
		$tell router attach "$name" --subnet "$name-four$n"
		$tell router attach "$name" --subnet "$name-six$n"
	done
}

# end COMMAND NAME N: workload NAME-N of a tenant; all tenants' have the same addresses and MACs
end() {
	ns6 "$2-$3"
	$1 port add "$2-$3" --network "$2$3" --netns "$N-$2-$3" --ifname eth0 --mac "02:00:00:00:0$3:11" --ip "10.0.$3.11" \
		--ip "2001:db8:$3::11" "${@:4}"
}

# Numbers of each tenant, both ways and in both families at once, from and to the same ports: what arrives is its own, all of it, once.
cat >"$T/apart.py" <<'PY'
import sys
from frames import *

prefix, *tenants = sys.argv[1:]
COUNT = 300
nonce = {t: os.urandom(8) for t in tenants}
socks = {}
for t in tenants:
    for n in "12":
        for family, address in ((socket.AF_INET, f"10.0.{n}.11"), (socket.AF_INET6, f"2001:db8:{n}::11")):
            with netns(f"{prefix}-{t}-{n}"):
                sock = socket.socket(family, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
            sock.bind((address, 5000))
            socks[t, n, family] = sock
got = {key: collections.Counter() for key in socks}

def receive(seconds):
    for sock in select.select(list(socks.values()), [], [], seconds)[0]:
        key = next(k for k, s in socks.items() if s is sock)
        got[key][sock.recv(100)] += 1

def packet(t, n, i):
    return nonce[t] + n.encode() + struct.pack("!I", i)

for i in range(COUNT):
    for (t, n, family), sock in socks.items():
        other = "2" if n == "1" else "1"
        sock.sendto(packet(t, n, i), (f"10.0.{other}.11" if family == socket.AF_INET else f"2001:db8:{other}::11", 5000))
    receive(0)
end = time.monotonic() + 10 * patience()
while any(sum(c.values()) < COUNT for c in got.values()) and time.monotonic() < end:
    receive(0.05)
for _ in range(20):
    receive(0.01)
for (t, n, family), numbers in got.items():
    want = collections.Counter(packet(t, "2" if n == "1" else "1", i) for i in range(COUNT))
    strange = [p for p in numbers if p[:8] != nonce[t]]
    check(not strange, f"{t}-{n} has got {len(strange)} packets of others")
    check(numbers == want, f"{t}-{n}: lost {len(want - numbers)}, too many {len(numbers - want)}")
PY

# pings_and_numbers TENANT...
pings_and_numbers() {
	local name

	for name; do
		first "$name-1" 10.0.2.11 2001:db8:2::11
		first "$name-2" 10.0.1.11 2001:db8:1::11
		pings "$name-1" 10.0.2.11 2001:db8:2::11
	done
	py "$T/apart.py" "$N" "$@"
}

# ---- two hosts, one of which has tenants of its own as well ----

pair
tunnels 4
tenant both red vxlan 10
tenant both blue vxlan 20
tenant "at one" grey local
tenant "at one" plain local
both security-group rule-add default --direction ingress >/dev/null
for name in red blue; do
	end "at one" "$name" 1
	end "at two" "$name" 2
done
for n in 1 2; do
	end "at one" grey "$n"
	end "at one" plain "$n" --no-security
done
watch_start two
pings_and_numbers red blue grey plain
watch_stop two
same "flows of red" "red" "$(at one -j flow list --network red1 | jq -r '[.[].router] | unique | join(" ")')"

# Where one of them has no router any more, the others do not notice.
both router del blue
silent blue-1 10.0.2.11
pings_and_numbers red grey plain
tenant_back() { both router attach blue --subnet "blue-$1"; }
both router add blue
for subnet in four1 four2 six1 six2; do
	tenant_back "$subnet"
done
pings_and_numbers red blue grey plain

# ---- the underlay's own prefix ----

for n in 1 2; do
	both network add "own$n" --type vxlan --id "3$n"
done
both subnet add own-four1 --network own1 --cidr 192.0.2.0/24 --gateway 192.0.2.1
both subnet add own-four2 --network own2 --cidr 10.0.2.0/24 --gateway 10.0.2.1
both router add own
both router attach own --subnet own-four1
both router attach own --subnet own-four2
ns own-1 own-2 own-3
at one port add own-1 --network own1 --netns "$N-own-1" --ifname eth0 --ip 192.0.2.2 # host two's address
at two port add own-2 --network own2 --netns "$N-own-2" --ifname eth0 --ip 10.0.2.11
at two port add own-3 --network own1 --netns "$N-own-3" --ifname eth0 --ip 192.0.2.3
first own-1 10.0.2.11 192.0.2.3
pings own-1 10.0.2.11 192.0.2.3 192.0.2.1
first own-2 192.0.2.2 192.0.2.3
pings own-2 192.0.2.2 192.0.2.3
same "TTL" "63" "$(ttl_of own-2 192.0.2.2)"
pings one 192.0.2.2
pings two 192.0.2.1

# ---- a network on two routers ----

at one network add shared --type local
at one subnet add shared5 --network shared --cidr 10.0.5.0/24 --gateway 10.0.5.1
at one subnet add shared6 --network shared --cidr 10.0.6.0/24 --gateway 10.0.6.1
at one router attach grey --subnet shared5
at one router attach plain --subnet shared6
ns in-grey in-plain
at one port add in-grey --network shared --netns "$N-in-grey" --ifname eth0 --ip 10.0.5.11
at one port add in-plain --network shared --netns "$N-in-plain" --ifname eth0 --ip 10.0.6.11
before=$(at one -j port show plain-1 | jq '.counters."tx-packets"')
first in-grey 10.0.1.11
pings in-grey 10.0.1.11 10.0.2.11
same "of grey alone" "$before" "$(at one -j port show plain-1 | jq '.counters."tx-packets"')"
first in-plain 10.0.1.11
before=$(at one -j port show grey-1 | jq '.counters."tx-packets"')
pings in-plain 10.0.1.11 10.0.2.11
same "of plain alone" "$before" "$(at one -j port show grey-1 | jq '.counters."tx-packets"')"
silent grey-1 10.0.6.11
silent plain-1 10.0.5.11
first grey-1 10.0.5.11
pings grey-1 10.0.5.11
pings plain-1 10.0.6.11
same "no route" "1" "$( (($(drops_at one no-route grey-1) > 0)) && echo 1)"
