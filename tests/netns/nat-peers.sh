#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Other people's programs across a router, translated on their way out, and to and from a floating IP: curl, wget, iperf3, traceroute, ping, with paths
# that get narrower on the way. All that arrives is compared.
#
#   a (192.168.27.2)                                                    ┌ outside (172.16.0.1)
#   b (192.168.27.3, MTU 1400) ── r: 172.16.200.151, b has 172.16.200.152 ── MTU 1300 ── far (198.51.100.2)
#   c (192.168.28.2, MTU 1400)      a, b, c: 2001:db8:27::2, ::3, 2001:db8:28::2
#
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

external
demo
far 1300
hd subnet add six27 --network demo-net --cidr 2001:db8:27::/64 --gateway 2001:db8:27::1
hd network add net28 --type local
hd subnet add four28 --network net28 --cidr 192.168.28.0/24 --gateway 192.168.28.1
hd subnet add six28 --network net28 --cidr 2001:db8:28::/64 --gateway 2001:db8:28::1
for subnet in six27 four28 six28; do
	hd router attach r --subnet $subnet
done
ns6 a b c
hd port add a --network demo-net --netns "$N-a" --ifname eth0 --ip 192.168.27.2 --ip 2001:db8:27::2
hd port add b --network demo-net --netns "$N-b" --ifname eth0 --ip 192.168.27.3 --ip 2001:db8:27::3 --mtu 1400
hd port add c --network net28 --netns "$N-c" --ifname eth0 --ip 192.168.28.2 --ip 2001:db8:28::2 --mtu 1400
hd floating-ip add $FLOATING --router r --port b
allow default --direction ingress
allow default --direction ingress --ethertype ipv6
first a 198.51.100.2 192.168.28.2 2001:db8:28::2

declare -A ADDRESS=([a]=192.168.27.2 [b]=$FLOATING [c]=192.168.28.2 [c6]=2001:db8:28::2 [outside]=172.16.0.1 [far]=198.51.100.2)
# Who begins, and to whom: the router alone, translated, from a floating IP, to one.
PATHS=("a c" "a c6" "a outside" "a far" "b far" "outside b" "far b")

# ---- ping, with what just fits and with what does not ----

forget() {
	local name

	for name in a b c outside far; do
		ip -n "$N-$name" route flush cache
		ip -n "$N-$name" -6 route flush cache
	done
}

# limit FROM TO MTU WHO [WAIT]: a packet of that size gets there, one that is larger by one does not, and WHO says so
limit() {
	local to=${ADDRESS[$2]} head=28 options=(-n -c 1 -W 5 -M "do")

	[[ $2 != *6 ]] || head=48
	forget
	{ on "$1" ping "${options[@]}" -W "${5:-5}" -s $(($3 - head + 1)) "$to" || true; } >"$T/ping" 2>&1
	grep -qE "^(From |ping: )$4.*mtu ?= ?$3\)?$" "$T/ping" || fail "$1 to $2, larger than $3: $(<"$T/ping")"
	forget
	on "$1" ping "${options[@]}" -s $(($3 - head)) "$to" >"$T/ping" || fail "$1 to $2, $3 bytes: $(<"$T/ping")"
}

limit a c 1400 192.168.27.1
limit a c6 1400 2001:db8:27::1
limit a outside 1500 local 0.1
limit a far 1300 172.16.0.1
limit b far 1300 172.16.0.1
limit outside b 1400 $GATEWAY
limit far b 1300 local 0.1

# ---- traceroute ----

for how in -U -I -T; do
	same "traceroute $how, routed" "192.168.27.1 192.168.28.2" "$(hops a 192.168.28.2 $how)"
	same "traceroute $how, routed, IPv6" "2001:db8:27::1 2001:db8:28::2" "$(hops a 2001:db8:28::2 $how)"
	for name in a b; do
		same "traceroute $how from $name" "192.168.27.1 172.16.0.1 198.51.100.2" "$(hops $name 198.51.100.2 $how)"
	done
	same "traceroute $how to a floating IP" "198.51.100.1 $GATEWAY $FLOATING" "$(hops far $FLOATING $how)"
done

# ---- curl and wget ----

# What is asked for is the file, and what is sent is answered with its sum.
cat >"$T/serve.py" <<'PY'
import hashlib
import http.server
import socket
import sys

DATA = open(sys.argv[1], "rb").read()

class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, data):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer(DATA)

    def do_PUT(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(hashlib.sha256(data).hexdigest().encode() + b" " + self.client_address[0].encode())

    def log_message(self, *_):
        pass

class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6

Server(("::", 80), Handler).serve_forever()
PY
head -c 10000000 /dev/urandom >"$T/file"
sum=$(sha256sum <"$T/file" | cut -d' ' -f1)

# knows NAME ADDRESS MTU: what its kernel has been told about the way
knows() {
	[[ $(ip -n "$N-$1" route get "$2") == *" mtu $3"* ]]
}

listens() {
	[[ -n $(on "$1" ss -Hltn "sport = :$2") ]]
}

for name in b c outside far; do
	on $name tee /proc/sys/net/ipv6/conf/all/disable_ipv6 >/dev/null <<<0 # of sockets that take both
	bg $name /usr/bin/python3 "$T/serve.py" "$T/file"
	bg $name iperf3 -s >/dev/null
done
for name in b c outside far; do
	wait_for 10 listens $name 80
	wait_for 10 listens $name 5201
done

for path in "${PATHS[@]}"; do
	read -r from to <<<"$path"
	url=${ADDRESS[$to]}
	[[ $to != *6 ]] || url="[$url]"
	case "$from $to" in
	a\ c) seen=::ffff:192.168.27.2 ;;
	a\ c6) seen=2001:db8:27::2 ;;
	a*) seen=::ffff:$GATEWAY ;;
	b*) seen=::ffff:$FLOATING ;;
	*) seen=::ffff:${ADDRESS[$from]} ;;
	esac
	forget
	same "curl, $path" "$sum" "$(on "$from" curl -sS -m 20 "http://$url/" | sha256sum | cut -d' ' -f1)"
	forget
	same "curl -T, $path" "$sum $seen" "$(on "$from" curl -sS -m 20 -H Expect: -T "$T/file" "http://$url/file")"
	[[ $to != far ]] || wait_for 1 knows "$from" 198.51.100.2 1300
	same "wget, $path" "$sum" "$(on "$from" wget -q -T 20 -t 1 -O - "http://$url/" | sha256sum | cut -d' ' -f1)"
done

# ---- iperf3: TCP and UDP, both ways; of UDP from the client so little that a socket holds all ----

# iperf FILTER FROM TO OPTION...: prints what the filter says about the report
iperf() {
	on "$2" iperf3 -J -c "${ADDRESS[$3]}" --connect-timeout 5000 "${@:4}" >"$T/iperf" || fail "iperf3 from $2 to $3: $(jq -r .error "$T/iperf")"
	jq -r ".end | $1" "$T/iperf"
}

for path in "${PATHS[@]}"; do
	read -r from to <<<"$path"
	for direction in "" -R; do
		# shellcheck disable=SC2086 # an option or nothing
		same "iperf3 $direction, $path" true "$(iperf '.sum_sent.bytes >= 4194304 and .sum_received.bytes > 0' "$from" "$to" -n 4M $direction)"
	done
	same "iperf3 -u, $path" "0 of 80 lost" "$(iperf '.sum | "\(.lost_packets) of \(.packets) lost"' "$from" "$to" -u -l 1200 -n 96000 -b 100M)"
	same "iperf3 -u -R, $path" true "$(iperf '.sum | .packets > .lost_packets' "$from" "$to" -u -R -l 1200 -n 96000 -b 100M)"
done
same "checksums" "" "$(csum_errors a b c outside far)"
