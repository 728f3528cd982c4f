#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Wrong input: a named error on stderr, the right exit status, and nothing changed: neither what is configured nor the datapath.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
ns a
for i in 0 1 2; do
	veth "dev$i" a "eth$i"
done
ip -n "$N-host" link add br0 type bridge
ip -n "$N-host" link set dev2 master br0
hd network add blue --type local
hd network add red --type local
hd subnet add blue4 --network blue --cidr 10.0.20.0/24
hd port add p0 --network blue --device dev0 --mac 02:00:00:00:00:01 --ip 10.0.20.1
hd fdb add 02:00:00:00:00:07 --network blue --port p0
hd neighbour add 10.0.20.7 --network blue --mac 02:00:00:00:00:07

state() {
	hd export
	bpf_objects | sort
	find "$PINS" | sort
	ip -n "$N-host" -o link | sed 's/ state .*//'
	ip -n "$N-a" -o link | sed 's/ state .*//'
}
before=$(state)

# add STATUS REGEX OPTION...: port x on network blue
add() {
	refused "$1" "$2" hd port add x --network blue "${@:3}"
}

# Devices and namespaces
add 3 'port x: device nodev does not exist' --device nodev
add 4 'device dev0 is already used by port p0' --device dev0
add 4 'device dev2 is already part of br0' --device dev2
add 6 'lo is not a veth or tap' --device lo
add 6 'br0 is not a veth or tap' --device br0
add 6 'device name' --device ../../etc/passwd
add 6 'device name' --device averyveryverylongname
add 3 'namespace nons' --netns nons --ifname eth0
add 6 'not a network namespace|is not' --netns /etc/passwd --ifname eth0
add 4 'eth0 exists already in namespace' --netns "$N-a" --ifname eth0
add 6 'netns needs ifname' --netns "$N-a"
add 6 'exactly one of' --device dev1 --internal
add 6 'exactly one of'
add 4 'exists' --internal --ifname dev1

# Names, numbers, addresses
add 6 'mac.*02:00:00:00:00' --device dev1 --mac 02:00:00:00:00
add 6 'mac.*unicast' --device dev1 --mac 01:00:00:00:00:01
add 6 'mac.*zero' --device dev1 --mac 00:00:00:00:00:00
add 6 'mac' --device dev1 --mac 02:00:00:00:00:01:02
add 4 '02:00:00:00:00:01 is already used by port p0' --device dev1 --mac 02:00:00:00:00:01
add 4 '02:00:00:00:00:07 is already used by' --device dev1 --mac 02:00:00:00:00:07
add 4 '10.0.20.1 is already used by port p0' --device dev1 --ip 10.0.20.1
add 6 'ip.*10.0.20.300' --device dev1 --ip 10.0.20.300
add 6 'ip' --device dev1 --ip 10.0.20.3/33
add 6 'no length' --netns "$N-a" --ifname new --ip 172.16.0.1
add 6 '576' --device dev1 --mtu 12
add 6 '576' --device dev1 --mtu abc
add 6 '576' --device dev1 --mtu 1500x
add 6 '576' --device dev1 --mtu 99999999999999999999
add 6 'label' --device dev1 --label novalue
add 2 'frobnicate' --device dev1 --frobnicate 3
add 3 'security-group web does not exist' --device dev1 --security-group web
add 6 'vlan-mode' --device dev1 --tag 5
for name in a/b ../x / . .. '' 'a b' $'a\nb' "$(printf 'n%.0s' {1..64})"; do
	refused 6 'not a name' hd network add "$name" --type local
	refused 6 'not a name' hd port add "$name" --network blue --device dev1
done
refused 2 '-x' hd network add -x --type local

# Objects that are there, are not, or are in use
refused 4 'port p0: exists' hd port add p0 --network blue --device dev1
refused 4 'network blue: exists' hd network add blue --type local --mtu 1400
refused 4 'network blue: still used by port p0|still used by' hd network del blue
refused 4 'port p0: still used by fdb' hd port del p0
refused 3 'network none' hd port add x --network none --device dev1
refused 3 'port none' hd port show none
refused 3 'port none' hd port del none
refused 3 'port none' hd port set none --isolated
refused 3 'port none' hd stats port none
refused 3 'port none' hd fdb add 02:00:00:00:00:08 --network blue --port none
refused 4 '02:00:00:00:00:01 is already used' hd fdb add 02:00:00:00:00:01 --network blue --port p0
refused 3 'network none' hd neighbour add 10.0.20.8 --network none --mac 02:00:00:00:00:08
refused 4 '10.0.20.1 is already used' hd neighbour add 10.0.20.1 --network blue --mac 02:00:00:00:00:08
refused 3 'bogus' hd explain bogus
refused 4 'overlaps' hd subnet add more --network blue --cidr 10.0.20.128/25
refused 6 'bits set' hd subnet add more --network red --cidr 10.0.30.1/24
refused 6 'gateway' hd subnet add more --network red --cidr 10.0.30.0/24 --gateway 10.0.31.1
refused 6 'bogus' hd network add x --type bogus

# Words
refused 2 'bogus' hd bogus
refused 2 "verb 'bogus'" hd port bogus
refused 2 "did you mean 'add'" hd port addd x
refused 2 'network is missing' hd port add x --device dev1
refused 2 'fixed|can.t be changed|cannot be changed' hd port set p0 --device dev1
refused 2 'available yet' hd capture
refused 2 'file is missing' hd apply
refused 2 '.' hd --timeout abc status
refused 6 'mtu' hd network set blue --mtu 10
hd -j port show none 2>"$T/json" || true
same "JSON error" "not-found port none" "$(jq -r '"\(.error.code) \(.error.object)"' "$T/json")"

# Files: the place of the mistake, and nothing of the file is done, though what comes first is right.
# file STATUS REGEX TEXT: the text goes behind a good beginning of four lines
file() {
	printf 'version: 1\nnetworks:\n  new: {type: local}\n  blue: {type: local}\n%b' "$3" >"$T/file.yaml"
	refused "$1" "$2" hd apply -f "$T/file.yaml"
	refused "$1" "$2" hd validate -f "$T/file.yaml"
	refused "$1" "$2" hd diff -f "$T/file.yaml"
}

file 6 'file.yaml:6:1: |no tabs' 'ports:\n\tp1: {}\n'
file 6 'file.yaml:6:8: .*bogus' 'ports:\n  p1: {bogus: 1, network: new, device: dev1}\n'
file 6 'file.yaml:5:1: .*bogus' 'bogus: {}\n'
file 6 'file.yaml:7:5: .*network.*twice' 'ports:\n  p1: {network: new,\n    network: blue}\n'
file 6 'file.yaml:6:3: .*' 'ports:\n  a/b: {network: new, device: dev1}\n'
file 6 'file.yaml:8:5: .*mtu' 'ports:\n  p1:\n    network: new\n    mtu: "12"\n    device: dev1\n'
file 3 'file.yaml:6:22: .*nodev' 'ports:\n  p1: {network: new, device: nodev}\nfdb: {}\n'
file 3 'file.yaml:6:8: .*none' 'ports:\n  p1: {network: none, device: dev1}\n'
file 4 'file.yaml:7:22: .*dev1' 'ports:\n  p1: {network: new, device: dev1}\n  p2: {network: new, device: dev1}\nfdb: {}\n'
file 3 'file.yaml:.*fdb.*port p0' 'ports: {}\n'
file 6 'file.yaml:5:1: .*subnets' 'subnets: 5\n'
file 6 'file.yaml:6:1: ' 'subnets: [\n'
file 6 'file.yaml:5:.*alias|anchor' 'ports: &a {}\nfdb: *a\n'
printf 'version: 2\n' >"$T/file.yaml"
refused 6 'file.yaml:1:.*version' hd apply -f "$T/file.yaml"
printf '{"version": 1, "ports": {"p1": {"network": "blue", "device": 5}}}' >"$T/file.yaml"
refused 6 'file.yaml:1:52: .*device' hd apply -f "$T/file.yaml"
head -c 100000 /dev/urandom >"$T/file.yaml"
refused 6 'file.yaml:' hd apply -f "$T/file.yaml"
refused 3 'nofile' hd apply -f "$T/nofile"
same "state" "$before" "$(state)"

# The socket: garbage, half a request, a body that is no JSON or too long; and many at a time who say nothing.
sock=$HEDDLE_RUN_DIR/$I/api.sock
py - "$sock" <<'PY'
import random, sys
from frames import *

def say(data, wait=True):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(sys.argv[1])
    try:
        s.sendall(data)
        return s.recv(65536) if wait else s
    except (ConnectionError, BrokenPipeError):
        return b""  # hanging up on garbage is an answer

HEAD = b"POST /v1/networks HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"
random.seed(1)
for data in (random.randbytes(1 << 20), b"A" * (1 << 20), b"\0" * (1 << 20), b"GET " + b"/" * (1 << 20), b"\r\n" * (1 << 19)):
    answer = say(data)
    check(answer == b"" or b" 4" in answer[:12] or b" 5" in answer[:12], "garbage is answered with", answer[:100])
for body, status in ((b"{", b"400 422"), (b"[]", b"400 422"), (b'{"name": 5}', b"400 422"), (b"\xff" * 100, b"400 422"),
                     (b'{"name": "x", "type": "local", "bogus": 1}', b"400 422"), (b"[" * 100000, b"400 422")):
    answer = say(HEAD % len(body) + body)
    check(answer.split()[1] in status.split() and b'"error"' in answer, "body", body[:50], "is answered with", answer[:200])
check(b" 4" in say(HEAD % (17 << 20) + b" " * 1000)[:12], "a body of 17 MiB is not refused")
for path, status in ((b"/v1/nothing", b"404"), (b"/v1/ports/..%2f..%2fetc", b"4"), (b"/v1/ports/none", b"404"), (b"/", b"404"),
                     (b"/v1/ports/%00", b"4"), (b"/v1/ports?bogus=1", b"")):
    answer = say(b"GET " + path + b" HTTP/1.1\r\nHost: h\r\n\r\n")
    check(answer.split()[1].startswith(status), path, "is answered with", answer[:200])
check(say(b"DELETE /v1/status HTTP/1.1\r\nHost: h\r\n\r\n").split()[1] in (b"404", b"405", b"400"), "DELETE /v1/status")
idle = [say(b"POST /v1/networks HT", wait=False) for _ in range(50)]
answer = say(b"GET /v1/status HTTP/1.1\r\nHost: h\r\n\r\n")
check(b" 200 " in answer[:20], "with 50 silent clients:", answer[:100])
PY
kill -0 "$DAEMON" || fail "heddled has died"
same "state" "$before" "$(state)"
pid=$(hd -j status | jq .pid)
same "the same daemon" "$DAEMON" "$pid"

# heddle(8): an error in a file starts with its place
: >"$T/file.yaml"
refused 6 'file.yaml:1:1: ' hd apply -f "$T/file.yaml"
same "state" "$before" "$(state)"

# Networks that leave the host, uplinks, peers.
refused 6 'needs id' hd network add x --type vxlan
refused 6 'up to 16777215' hd network add x --type geneve --id 16777216
refused 6 'has no id' hd network add x --type local --id 5
refused 6 'tunnel-port is for' hd network add x --type gre --tunnel-port 5000
refused 6 'tunnel-dscp is for type vxlan, geneve and gre' hd network add x --type local --tunnel-dscp 10
refused 6 'expected inherit or a number from 0 to 63' hd network add x --type gre --tunnel-dscp ef
refused 6 'expected a number from 1 to 255' hd network add x --type gre --tunnel-ttl 256
refused 3 'does not exist' hd uplink add nowhere
refused 6 'one of auto, xdp, tc' hd uplink add dev1 --mode generic
refused 2 'tunnel-ip is missing' hd peer add p
refused 6 'does not leave the host' hd peer add p --tunnel-ip 192.0.2.9 --network blue
