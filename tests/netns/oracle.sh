#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The kernel's bridge is the oracle: the same random frames, in the same order, come out at the same ports of it and of heddle.
#
# Intended differences, left out of what is sent:
#  - the bridge takes frames for its own MAC; heddle's network has no leg in the host unless a port is one
#  - the bridge does not learn from a frame to 01:80:c2:00:00:01 (pause), nor from one to :02 to :0f if the kernel is built without
#    CONFIG_BRIDGE_VLAN_FILTERING (br_should_learn() is a stub then); heddle does. Here such frames have a sender of their own.
#  - the bridge lets a frame be 4 bytes longer than the MTU, tagged or not; heddle only when these are a tag
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
ip -n "$N-host" link add br0 type bridge stp_state 0 mcast_snooping 0 forward_delay 0
ip -n "$N-host" link set br0 up
# Netfilter, where it is, looks into the IP packets on a bridge and drops the malformed; it is not what is compared here.
for file in /proc/sys/net/bridge/bridge-nf-call-*; do
	[[ ! -e $file ]] || on host tee "$file" >/dev/null <<<0
done
for i in 0 1 2; do
	ns "b$i" "h$i"
	veth "bdev$i" "b$i" eth0
	ip -n "$N-host" link set "bdev$i" master br0
	veth "hdev$i" "h$i" eth0
	hd port add "h$i" --network blue --device "hdev$i" --no-security
done
forwards() { [[ $(on host bridge link show | grep -c 'state forwarding') == 3 ]]; }
wait_for 10 forwards

cat >"$T/oracle.py" <<'PY'
import random, sys
from frames import *

one_cpu()
seed, prefix = int(sys.argv[1]), sys.argv[2]
random.seed(seed)
bridge = [Wire(f"{prefix}-b{i}") for i in range(3)]
heddle = [Wire(f"{prefix}-h{i}") for i in range(3)]
m = Marker()
KNOWN = [f"02:00:00:00:01:{i:02x}" for i in range(8)]
GROUPS = [BROADCAST, "01:00:5e:00:00:fb", "33:33:00:00:00:01", "01:80:c2:00:00:00", "01:80:c2:00:00:10", "01:80:c2:00:00:21",
          "01:80:c2:00:01:01", "01:00:0c:cc:cc:cc", "03:00:00:00:00:01"]
TAGS = [(), (), (), (), ((0x8100, 10),), ((0x8100, 0x6000),), ((0x88A8, 7), (0x8100, 8)), ((0x8100, 1), (0x8100, 2))]

def frame():
    src = random.choice(KNOWN * 4 + ["00:00:00:00:00:00", "01:00:5e:00:00:01", BROADCAST])
    dst = random.choice(KNOWN * 3 + GROUPS + [f"02:00:00:00:02:{random.randrange(256):02x}", "00:00:00:00:00:00"])
    tags = random.choice(TAGS)
    size = random.choice((0, 60, 61, 64, 590, 1518 if tags and tags[0][0] == 0x8100 else 1514, random.randrange(60, 1514)))
    if random.random() < 0.05:
        dst, src = f"01:80:c2:00:00:{random.randrange(1, 16):02x}", "02:00:00:00:03:01"
    return m.frame(dst, src, kind=random.choice((ETH_TEST, 0x0800, 0x86DD, 0x0806, 0x0004)), tags=tags, size=size)

got = {w: [] for w in bridge + heddle}

def take(wire, f):
    if m.number(f) is not None:
        got[wire].append(f)

sent = 0
for _ in range(3000):
    port, f = random.randrange(3), frame()
    bridge[port].send(f)
    heddle[port].send(f)
gather(bridge + heddle, 0.5, take=take)
for i in range(3):
    b, h = collections.Counter(got[bridge[i]]), collections.Counter(got[heddle[i]])
    for what, diff in (("only from the bridge", b - h), ("only from heddle", h - b)):
        for f, n in list(diff.items())[:5]:
            print(f"port {i}: {what}: {n} x number {m.number(f)}: {f[:40].hex()} ({len(f)} bytes)")
    check(b == h, f"seed {seed}: port {i}: not the same frames")
    check(got[bridge[i]] == got[heddle[i]], f"seed {seed}: port {i}: not in the same order")
total = sum(len(got[w]) for w in bridge)
check(total > 2000, "only", total, "frames arrived: the test tests nothing")
print(f"note: seed {seed}: 3000 frames in, {total} out, the same at each port")
PY

for seed in 1 2 "$RANDOM"; do
	on host ip link set br0 type bridge fdb_flush
	hd fdb flush >/dev/null
	py "$T/oracle.py" "$seed" "$N"
done

# Where the MACs are found in the end is the same, too.
same "fdb" "$(on host bridge -j fdb show br br0 | jq -r '.[] | select(.mac | startswith("02:00:00:00:01")) | "\(.mac) \(.ifname[4:])"' | sort)" \
	"$(hd -j fdb | jq -r '.[] | select(.mac | startswith("02:00:00:00:01")) | "\(.mac) \(.port[1:])"' | sort)"
