#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# How many ports an inside address may have, and a router that shares its address with others (RFC 6888 REQ-4): said by the gateway, in force with the next packet,
# shown, and the same after the daemon was killed. One tenant that takes all it may leaves the rest to the other.
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

external
demo
inside a 2
inside b 3
hd network add two-net --type local
hd subnet add two --network two-net --cidr 192.168.27.0/24 --gateway 192.168.27.1
hd router add r2
hd router attach r2 --subnet two
hd router gateway r2 --network ext --ip $GATEWAY
workload two-net c --ip 192.168.27.2

way() { hd router gateway r --network ext --ip $GATEWAY "$@"; }
shown() { hd -j router show r | jq -c '.gateway | [."nat-ports-per-address", ."nat-ports", ."nat-ports-held"]'; }

# ---- what is said ----

refused 6 'blocks of 64' way --nat-ports-per-address 100
refused 6 'blocks of 64' way --nat-ports 1000
refused 6 'nat-ports-per-address' way --nat-ports-per-address 0
refused 6 'nat-ports-per-address' way --nat-ports-per-address 4096
refused 6 'needs snat' way --snat off --nat-ports 640
refused 6 'needs snat' way --snat off --nat-ports-per-address 640
same "nothing of this is done" '[2048,null,null]' "$(shown)"
way --nat-ports-per-address 64 --nat-ports 128
same "shown" '[64,128,0]' "$(shown)"
hd export >"$T/heddle.yaml"
grep -q 'nat-ports: 128' "$T/heddle.yaml" || fail "not exported: $(cat "$T/heddle.yaml")"
same "apply" "no changes" "$(hd apply -f "$T/heddle.yaml")"
way --nat-ports-per-address 2048
same "the default is none" "[2048,null,null]" "$(shown)"
grep -q 'nat-ports' <(hd export) && fail "the default is exported"

# ---- what gets out ----

# NAME FIRST TRIES: so many of these ports get an endpoint of their own; of those that do not, the sender is told
cat >"$T/take.py" <<'PY'
from nat import *

name, first, tries = sys.argv[4], int(sys.argv[5]), int(sys.argv[6])
server = make("outside", socket.SOCK_DGRAM, OUTSIDE, 7000)
clients = [make(name, socket.SOCK_DGRAM, "", first + k) for k in range(tries)]
for number, client in enumerate(clients):
    client.sendto(struct.pack("!I", number), (OUTSIDE, 7000))
# What comes behind them has no limit: when it is there, they are, or never will be.
make("c", socket.SOCK_DGRAM, "", 9).sendto(b"all", (OUTSIDE, 7000))
got = {}
while (seen := server.recvfrom(100))[0] != b"all":
    got[struct.unpack("!I", seen[0])[0]] = seen[1]
check(len(set(got.values())) == len(got), "two are seen by one endpoint")
print(len(got))
PY
take() { nat "$T/take.py" "$@"; }
first a 172.16.0.1
first c 172.16.0.1
way --nat-ports-per-address 64 --nat-ports 128
same "one address" 63 "$(take a 10000 70)" # and the ping of first
same "counted" 7 "$(drops_of nat-ports a)"
same "another" 64 "$(take b 10000 70)"
same "held" '[64,128,128]' "$(shown)"
hd router show r | grep -qE '^ *nat-ports-held +128$' || fail "router show: $(hd router show r)"
same "problem" "router r is nearly out of ports: 2 of 2 blocks" "$(hd -j status | jq -r '.problems[]')"

# Another limit is in force with the next packet, and what is there goes on; the quota of the router stands.
way --nat-ports-per-address 128 --nat-ports 128
same "no more for the router" 0 "$(take a 11000 10)"
same "what is there" 63 "$(take a 10000 63)"
same "the other tenant" 70 "$(take c 10000 70)"
way --nat-ports-per-address 128 --nat-ports 192
same "one block more" 64 "$(take a 11000 70)"
way --nat-ports-per-address 64 --nat-ports 64
same "less than there is" 0 "$(take b 12000 10)"
same "what is there" 63 "$(take a 10000 63)"

daemon_kill
daemon_start
same "after a restart" '[64,64,192]' "$(shown)"
same "still less" 0 "$(take b 12000 10)"
way
same "none" '[2048,null,null]' "$(shown)"
same "as it was" '[]' "$(hd -j status | jq -c .problems)"
same "all of the address" 70 "$(take b 12000 70)"
same "nothing is left" "0 0" "$(nat_rows hd_nat_quotas) $(nat_rows hd_nat_shares)"
