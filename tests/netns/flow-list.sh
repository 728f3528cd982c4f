#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# heddle flow: connections of real stacks with both ends by name, their states and rules; filters; flush; 100,000 at once.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

COUNT=100000

host
hd network add blue --type local
hd security-group add server
tcp80=$(rule server --direction ingress --protocol tcp --port 80)
udp53=$(rule server --direction ingress --protocol udp --port 53)
out=$(hd -j security-group show server | jq '.rules[] | select(.direction == "egress") | .id')
dual blue a 1
dual blue s 2 --security-group server
dual blue n 3 --no-security
mute blue m 6
mute blue r 7

cat >"$T/talk.py" <<'PY'
"""Conversations that stay open until the end of the input; a word on stdout when they stand."""
import sys
from frames import *

prefix = sys.argv[1]
keep = []

listeners = {}

def local(source, address):
    return address[:-1] + {"a": "1", "n": "3"}[source]

def tcp(source, target, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with netns(f"{prefix}-{target}"):
        listener = listeners.get(address) or socket.create_server((address, 80), family=family)
    listeners[address] = listener
    with netns(f"{prefix}-{source}"):
        near = socket.create_connection((address, 80), 5, (local(source, address), 4000))
    far, _ = listener.accept()
    near.sendall(b"12345")
    check(far.recv(10) == b"12345")
    keep.append((near, far))
    return near, far

def udp(source, target, address, answered):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with netns(f"{prefix}-{target}"):
        far = socket.socket(family, socket.SOCK_DGRAM)
    far.bind((address, 53))
    with netns(f"{prefix}-{source}"):
        near = socket.socket(family, socket.SOCK_DGRAM)
    near.bind((local(source, address), 5000))
    near.settimeout(5)
    near.sendto(b"question", (address, 53))
    data, peer = far.recvfrom(100)
    if answered:
        far.sendto(b"answer", peer)
        near.recv(100)
    keep.append((near, far))

tcp("a", "s", "10.0.20.2")
tcp("a", "s", "2001:db8::2")
near, far = tcp("n", "s", "10.0.20.2")
near.shutdown(socket.SHUT_WR)
far.recv(1)
udp("a", "s", "10.0.20.2", True)
udp("n", "s", "2001:db8::2", False)
print("ready", flush=True)
for line in sys.stdin:
    keep[0][0].sendall(b"more")
PY
mkfifo "$T/in" "$T/out"
py "$T/talk.py" "$N" <"$T/in" >"$T/out" &
exec 3>"$T/in" 4<"$T/out"
read -r -t 10 -u 4 word
same "conversations" ready "$word"

ended() { printf '%s' '"\(.port)/\(.ip)/\(."port-number")"'; }
list() {
	hd -j flow list "$@" | jq -r '.[] | select(.protocol != "icmpv6") | "\(.network) \(.protocol) \(.state) \(.client | '"$(ended)"') \(.server | '"$(ended)"') \([.rules[] | "\(.group):\(.id):\(.direction)"] | join(","))"' | sort
}
from="default:1:egress"
same "flows" "blue tcp closing n/10.0.20.3/4000 s/10.0.20.2/80 server:$tcp80:ingress
blue tcp established a/10.0.20.1/4000 s/10.0.20.2/80 $from,server:$tcp80:ingress
blue tcp established a/2001:db8::1/4000 s/2001:db8::2/80 $from,server:$tcp80:ingress
blue udp established a/10.0.20.1/5000 s/10.0.20.2/53 $from,server:$udp53:ingress
blue udp new n/2001:db8::3/5000 s/2001:db8::2/53 server:$udp53:ingress" "$(list)"
[[ $out ]] || fail "no egress rule"

# Filters, alone and together
number() { list "$@" | grep -c . || true; }
same "by port" "3 2 5 0" "$(number --port a) $(number --port n) $(number --port s) $(number --port m)"
same "by protocol" "3 2 0" "$(number --protocol tcp) $(number --protocol udp) $(number --protocol sctp)"
same "by state" "3 1 1 0" "$(number --state established) $(number --state closing) $(number --state new) $(number --state closed)"
same "by address" "2 2 3" "$(number --address 10.0.20.1) $(number --address 2001:db8::2) $(number --address 10.0.20.2)"
same "by opener's destination" "3 2 0" "$(number --dport 80) $(number --dport 53) $(number --dport 4000)"
same "by all" 1 "$(number --network blue --port a --protocol tcp --address 10.0.20.2 --dport 80 --state established)"
same "limit" 2 "$(hd -j flow list --limit 2 | jq length)"
hd flow list | grep -q 'a.*10.0.20.1:4000.*s.*10.0.20.2:80' || fail "the table does not name both ends: $(hd flow list)"
hd flow show --port n --protocol tcp | grep -q "$tcp80" || fail "show does not name the rule"

# Bytes and packets: three packets of the handshake, 5 bytes and their ACK.
same "packets" "3 2" "$(hd -j flow list --port a --protocol tcp --address 10.0.20.1 | jq -r '.[] | "\(."to-server".packets) \(."to-client".packets)"')"

# Flush cuts: the connection is not known any more, and what is in the middle of one begins none.
same "flushed" 1 "$(hd -j flow flush --port a --protocol tcp --address 10.0.20.1 | jq .flushed)"
same "one less" 4 "$(number)"
before=$(drops_of tcp-no-connection a)
echo >&3
cut() { (($(drops_of tcp-no-connection a) > before)); }
wait_for 5 cut
same "nothing arrives" 4 "$(number)"
exec 3>&-

# 100,000
cat >"$T/many.py" <<'PY'
from lab import *

sock, prefix, count, *ends = sys.argv[1:]
lab = Lab([sock, prefix, *ends])
m, r = lab.ends
base = {}
for name, end, other in (("ask", m, r), ("answer", r, m)):
    base[name] = bytearray(bytes(end.to(other) / UDP(chksum=0) / Raw(b"x")))
for i in range(int(count)):
    ports = 1024 + i % 50000, 2000 + i // 50000
    struct.pack_into("!HH", base["ask"], 34, *ports)
    struct.pack_into("!HH", base["answer"], 34, *reversed(ports))
    m.wire.send(base["ask"])
    r.wire.send(base["answer"])
same("drops", {}, {cause: n for cause, n in lab.lost().items() if cause[1] in "mr"})  # a and s still mourn
PY
printf 'table-sizes:\n  flows-per-port: 200000\n' >"$T/heddled.conf"
daemon_kill
daemon_start
lab "$T/many.py" "$COUNT" m=6 r=7
start=${EPOCHREALTIME/./}
hd flow list --port m --limit "$COUNT" >"$T/table"
table=$(((${EPOCHREALTIME/./} - start) / 1000))
start=${EPOCHREALTIME/./}
curl -s --unix-socket "$T/run/$I/api.sock" "http://h/v1/flows?port=m&limit=$COUNT" >"$T/json"
api=$(((${EPOCHREALTIME/./} - start) / 1000))
same "flows listed" "$COUNT" "$(jq length "$T/json")"
(($(wc -l <"$T/table") >= COUNT)) || fail "the table has $(wc -l <"$T/table") lines"
echo "note: $COUNT flows listed in $table ms, by the API in $api ms"
((table < 5000 && api < 5000)) || fail "listing $COUNT flows took $table and $api ms"
same "flushed" "$COUNT" "$(hd -j flow flush --port m --protocol udp | jq .flushed)"
