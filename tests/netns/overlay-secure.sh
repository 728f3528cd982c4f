#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Security groups and flows over two hosts: both ends decide; established connections are replayed; a rule that goes cuts them; pieces
# and ICMP errors pass as they should.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

hosts one two
for host in one two; do
	at "$host" network add blue --type vxlan --id 10
	at "$host" security-group add web
done
mesh one two
joined one blue a 1 --security-group web
joined two blue b 2 --security-group web

silent a 10.0.20.2
silent a 2001:db8::2
(($(drops_at two group-ingress b) > 0)) || fail "two has dropped nothing"
at two security-group rule-add web --direction ingress --protocol icmp >/dev/null
at two security-group rule-add web --direction ingress --protocol icmpv6 >/dev/null
pings_sized a 10.0.20.2 2001:db8::2
silent b 10.0.20.1

# A closed connection is listed for ten seconds, which is less than the next transfer may take.
at two security-group rule-add web --direction ingress --protocol tcp >"$T/rule"
for to in 10.0.20. 2001:db8::; do
	py "$LIB/transfer.py" "$N-a" "$N-b" "${to}2" 20000000
	for host in one two; do
		(($(at $host -j flow list --protocol tcp --address "${to}2" | jq length) == 1)) || fail "$host has no flow to ${to}2"
	done
done
rule=$(at two -j security-group show web | jq '.rules[] | select(.protocol == "tcp") | .id')

# A connection that is there is cut when its rule goes.
cat >"$T/hold.py" <<'PY'
import socket
import sys
import time
from frames import netns

a, b, ready = sys.argv[1:]
with netns(b):
    listener = socket.create_server(("10.0.20.2", 5000))
with netns(a):
    client = socket.create_connection(("10.0.20.2", 5000), timeout=5)
server, _ = listener.accept()
client.settimeout(3)
server.settimeout(3)
client.send(b"1")
assert server.recv(1) == b"1"
open(ready, "w").close()
end = time.monotonic() + 20
while time.monotonic() < end:
    try:
        client.send(b"2")
        server.recv(1)
    except TimeoutError:
        print("cut")
        sys.exit(0)
    time.sleep(0.05)
sys.exit("not cut")
PY
py "$T/hold.py" "$N-a" "$N-b" "$T/ready" >"$T/held" &
held=$!
wait_for 10 test -e "$T/ready"
at two security-group rule-del web "$rule"
wait "$held" || fail "the connection went on"
same "the connection" cut "$(<"$T/held")"
