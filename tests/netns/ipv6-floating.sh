#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Floating IPs and port forwards of IPv6, between two tenants with the same prefix and the kernel's stack outside: ND is answered and announced, connections in and out, errors,
# pieces, from inside and to oneself; a removal cuts on the next packet, and the daemon may die.
#
#   a, a2 (2001:db8:27::2, ::3) ── r ── ::151 ┐
#                                             ├── ext (flat) ── eth1 ══ eth0 outside (2001:db8:ff::1) ── MTU 1300 ── far
#   b     (2001:db8:27::2)      ── s ── ::161 ┘    floating IPs: a ::152, a2 ::153, b ::162
#
# shellcheck source-path=SCRIPTDIR source=../lib/nat6.sh
. "$(dirname "$0")/../lib/nat6.sh"

FIP_A=2001:db8:ff::152 FIP_A2=2001:db8:ff::153 FIP_B=2001:db8:ff::162
SEEN_A='[2001:0db8:00ff:0000:0000:0000:0000:0152]' # as socat writes it
external6
tenant6 r net6 --ip $GATEWAY6
tenant6 s other --ip 2001:db8:ff::161
inside6 net6 a 2
inside6 net6 a2 3 --no-security
inside6 other b 2
far6 1300

# What is heard outside: unsolicited advertisements, whole.
cat >"$T/listen.py" <<'PY'
from scapy.all import Ether, ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6

from frames import *

wire = Wire(f"{sys.argv[1]}-outside")

def take(wire, frame):
    if frame[12:14] != b"\x86\xdd" or frame[54] != 136 or frame[38:54] != socket.inet_pton(socket.AF_INET6, "ff02::1"):
        return
    mac, address = frame[6:12].hex(":"), socket.inet_ntop(socket.AF_INET6, frame[62:78])
    right = Ether(src=mac, dst="33:33:00:00:00:01") / IPv6(src=address, dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt=address, R=0, S=0, O=1)
    right = bytes(right / ICMPv6NDOptDstLLAddr(lladdr=mac))
    print(address, mac if frame == right else f"not as it should be: {frame.hex()} {right.hex()}", flush=True)

print("listening", flush=True)
gather([wire], 600, lambda: select.select([0], [], [], 0)[0], take) # until the test has ended
PY
coproc LISTEN { py "$T/listen.py" "$N" >"$T/heard"; }
listener=$LISTEN_PID end=${LISTEN[1]}
listening() { grep -q listening "$T/heard"; }
wait_for 10 listening

ip -n "$N-outside" neigh replace $FIP_A lladdr 02:00:00:00:00:99 dev eth0 nud reachable
hd floating-ip add $FIP_A --router r --port a
hd floating-ip add $FIP_A2 --router r --port a2
hd floating-ip add $FIP_B --router s --port b
lladdr() { ip -n "$N-outside" -j neigh show "$1" | jq -r '.[0].lladdr'; }
announced() { [[ $(grep -c "^$1 02:68:65:" "$T/heard") == 3 ]]; }
told() { [[ $(lladdr $FIP_A) == 02:68:65:* ]]; }
wait_for 2 told
for address in $FIP_A $FIP_A2 $FIP_B; do
	wait_for 10 announced "$address"
done
same "not as it should be" "" "$(grep 'should be' "$T/heard" || true)"
exec {end}>&-
wait "$listener"

# ---- in ----

silent outside $FIP_A
allow default --direction ingress --ethertype ipv6 --protocol icmpv6
allow default --direction ingress --ethertype ipv6 --protocol udp
allow default --direction ingress --ethertype ipv6 --protocol tcp
ip -n "$N-outside" neigh flush all
first outside $FIP_A $FIP_A2 $FIP_B
pings outside $FIP_A $FIP_A2 $FIP_B
pings far $FIP_A $FIP_B
same "TTL" "63 62" "$(ttl_of outside $FIP_A) $(ttl_of far $FIP_A)"
same "the way in" "2001:db8:fa::1 $GATEWAY6 $FIP_A" "$(hops far $FIP_A)"
says() { # FROM ADDRESS [PORT]: who answers at port 23, or that one
	on "$1" timeout 2 socat -u "TCP6:[$2]:${3-23}" - 2>/dev/null || echo nothing
}
for name in a a2 b; do
	# shellcheck disable=SC2016 # socat's variable
	on $name socat TCP6-LISTEN:23,fork,reuseaddr SYSTEM:"echo $name for "'$SOCAT_PEERADDR' 2>/dev/null &
done
speaks() { [[ -n $(on "$1" ss -Hlt "sport = 23") ]]; }
for name in a a2 b; do
	wait_for 5 speaks $name
done
same "who is who" "a b a2" "$(says outside $FIP_A | cut -d' ' -f1) $(says outside $FIP_B | cut -d' ' -f1) $(says outside $FIP_A2 | cut -d' ' -f1)"

# To its own address comes nothing from outside, whatever --snat says.
ip -n "$N-outside" route add 2001:db8:27::/64 via $GATEWAY6
silent outside 2001:db8:27::2
hd router gateway r --network ext --ip $GATEWAY6 --snat off
silent outside 2001:db8:27::2
silent outside 2001:db8:27::3
pings outside $FIP_A
hd router gateway r --network ext --ip $GATEWAY6

# Whether it is still there is asked of the floating IP itself (RFC 4861 section 7.3).
probed() { [[ $(ip -n "$N-outside" -j neigh show "$1" | jq -r '.[0].state[0]') == REACHABLE ]]; }
for address in $GATEWAY6 $FIP_A $FIP_B; do
	ip -n "$N-outside" neigh replace "$address" lladdr "$(lladdr "$address")" dev eth0 nud probe
	wait_for 5 probed "$address"
done

# ---- out ----

first b 2001:db8:fa::2
for end in a=$FIP_A a2=$FIP_A2 b=$FIP_B; do
	for protocol in tcp udp; do
		same "$protocol of ${end%=*}" "${end#*=}" "$(py "$LIB/seen.py" "$N-${end%=*}" "$N-outside" $protocol $OUTSIDE6 | cut -d' ' -f1)"
	done
	pings "${end%=*}" 2001:db8:fa::2
	same "the way of ${end%=*}" "2001:db8:27::1 $OUTSIDE6 2001:db8:fa::2" "$(hops "${end%=*}" 2001:db8:fa::2)"
done
knows() { [[ $(ip -n "$N-$1" -6 route get "$2") == *" mtu $3"* ]]; }
! on a ping -n -q -M 'do' -s 1400 -c 1 -W 5 2001:db8:fa::2 >"$T/ping" || fail "1448 bytes through 1300"
wait_for 5 knows a 2001:db8:fa::2 1300
for name in a b; do
	ip -n "$N-$name" -6 route flush cache
	transfers $name far 2001:db8:fa::2 1000000
done
hd port set b --mtu 1280
! on far ping -n -q -M 'do' -s 1250 -c 1 -W 5 $FIP_B >"$T/ping" || fail "1298 bytes into 1280"
wait_for 5 knows far $FIP_B 1280

# ---- in pieces, both ways, and out of order ----

for from in outside=$FIP_A a=$OUTSIDE6; do
	on "${from%=*}" ping -n -q -c 3 -i 0.02 -s 4000 -W 5 "${from#*=}" >"$T/ping" || fail "in pieces: $(<"$T/ping")"
done
cat >"$T/pieces.py" <<'PY'
from scapy.all import UDP, Ether, IPv6, IPv6ExtHdrFragment, Raw, fragment6

from nat import *

OUTSIDE, INNER = "2001:db8:ff::1", "2001:db8:27::2"
wires = {name: Wire(f"{PREFIX}-{name}") for name in ("a", "outside")}
ROUTER = {"a": sys.argv[4], "outside": sys.argv[5]}

def make6(name, address, port):
    with netns(f"{PREFIX}-{name}"):
        end = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    end.bind((address, port))
    end.settimeout(10)
    return end

def send(name, source, destination, sport, dport, data, order):
    whole = IPv6(src=source, dst=destination) / IPv6ExtHdrFragment(id=int.from_bytes(os.urandom(4), "big")) / UDP(sport=sport, dport=dport) / Raw(data)
    pieces = fragment6(whole, 1280)
    for i in order(range(len(pieces))):
        wires[name].send(bytes(Ether(src=wires[name].mac, dst=ROUTER[name]) / pieces[i]))

server, client = make6("outside", OUTSIDE, 7000), make6("a", "", 5001)
for order in (list, lambda r: list(reversed(r)), lambda r: [1, 0, *r[2:]]):
    data = os.urandom(4000)
    send("a", INNER, OUTSIDE, 5001, 7000, data, order)
    got, peer = server.recvfrom(65535)
    check(got == data, "out: changed")
    same("seen by", (FLOATING, 5001), peer[:2])
    data = os.urandom(4000)
    send("outside", OUTSIDE, FLOATING, 7000, 5001, data, order)
    check(client.recv(65535) == data, "in: changed")
nobody = make6("outside", OUTSIDE, 7001)
send("outside", OUTSIDE, FLOATING, 7001, 5001, b"x" * 3000, list)
got, peer = client.recvfrom(65535)
same("a new flow", ("x" * 3000, OUTSIDE), (got.decode(), peer[0]))

# Nobody listens: told by the floating IP; and by whom it was sent to.
asker = make6("outside", OUTSIDE, 0)
asker.connect((FLOATING, 9))
asker.send(b"?")
refused(asker, "outside to a floating IP")
asker = make6("a", "", 0)
asker.connect((OUTSIDE, 9))
asker.send(b"?")
refused(asker, "a to outside")
PY
py "$T/pieces.py" "$N" $GATEWAY6 $FIP_A "$(hd -j router show r | jq -r .mac)" "$(lladdr $FIP_A)"

# ---- from inside ----

same "by another's floating IP" "a2 for $SEEN_A" "$(says a $FIP_A2)"
same "to oneself" "a for $SEEN_A" "$(says a $FIP_A)"
same "of another tenant" "b for $SEEN_A" "$(says a $FIP_B)"
pings a $FIP_A $FIP_A2 $FIP_B
pings b $FIP_A
hd floating-ip del $FIP_A2
before=$(drops_of outside)
same "who has none" nothing "$(says a2 $FIP_A)"
(($(drops_of outside) > before)) || fail "not named: $(hd drops)"
same "goes out as it is" 2001:db8:27::3 "$(py "$LIB/seen.py" "$N-a2" "$N-outside" tcp $OUTSIDE6 | cut -d' ' -f1)"

# ---- port forwards: a2, which has no name of its own ----

LISTENER=2001:db8:ff::154
NOT="is already used by port-forward web"
forward() { # NAME PROTOCOL LISTEN TO
	hd port-forward add "$1" --router r --protocol "$2" --listen "$3" --to "$4"
}
not_forwarded() { # REGEX LISTEN TO
	! forward x tcp "$2" "$3" 2>"$T/err" || fail "taken: $2 to $3"
	grep -Eq "$1" "$T/err" || fail "refused otherwise: $(<"$T/err")"
}
forward web tcp "[::]:8080" "[2001:db8:27::3]:23"
forward web2 tcp "[$LISTENER]:81" "[2001:db8:27::3]:23"
forward dns udp "[$LISTENER]:81" "[2001:db8:27::3]:5001"
not_forwarded "$NOT" "[$GATEWAY6]:8080" "[2001:db8:27::2]:80"
not_forwarded "address $FIP_A is already used" "[$FIP_A]:81" "[2001:db8:27::3]:80"
not_forwarded "it is IPv4, and listens by IPv6" "[::]:81" 192.0.2.1:80
not_forwarded "no subnet of network ext" "[2001:db8:aa::1]:81" "[2001:db8:27::3]:80"
not_forwarded "no host's address inside" "[::]:81" "[2001:db8:28::3]:80"
not_forwarded "expected IP:PORT" "2001:db8:ff::154:81" "[2001:db8:27::3]:80"
same "where it listens" $GATEWAY6 "$(hd -j port-forward show web | jq -r .address)"
first outside $LISTENER
same "by the router's address" "a2 for [2001:0db8:00ff:0000:0000:0000:0000:0001]" "$(says outside $GATEWAY6 8080)"
same "by an address of its own" "a2 for [2001:0db8:00fa:0000:0000:0000:0000:0002]" "$(says far $LISTENER 81)"
same "not at other ports" "nothing nothing" "$(says outside $LISTENER 23) $(says outside $LISTENER 82)"
same "from inside" "a2 for $SEEN_A" "$(says a $LISTENER 81)"
same "from inside, without a name" "a2 for [2001:0db8:00ff:0000:0000:0000:0000:0151]" "$(says a2 $LISTENER 81)"
hd trace --port a "tcp [2001:db8:27::2]:40000 > [$LISTENER]:81 syn" >"$T/trace"
grep -q "port forward web2 of router r" "$T/trace" || fail "$(<"$T/trace")"
grep -qF "its destination is [2001:db8:27::3]:23 inside" "$T/trace" || fail "$(<"$T/trace")"
cat >"$T/forwarded.py" <<'PY'
from scapy.all import IPv6, IPv6ExtHdrFragment, Raw, UDP, Ether, fragment6

from nat import *

LISTEN, INNER, FAR = sys.argv[4], "2001:db8:27::3", "2001:db8:fa::2"
wire, ROUTER = Wire(f"{PREFIX}-outside"), sys.argv[5]

def make6(name, kind, address, port):
    with netns(f"{PREFIX}-{name}"):
        end = socket.socket(socket.AF_INET6, kind)
    end.bind((address, port))
    end.settimeout(10)
    return end

# Datagrams in pieces: in, in any order; back through what is too narrow for them, of which the kernel inside learns by "too big" about the first.
server, client = make6("a2", socket.SOCK_DGRAM, "", 5001), make6("outside", socket.SOCK_DGRAM, "2001:db8:ff::1", 7002)
for order in (list, lambda r: list(reversed(r)), lambda r: [1, 0, *r[2:]]):
    data = os.urandom(4000)
    whole = IPv6(src="2001:db8:ff::1", dst=LISTEN) / IPv6ExtHdrFragment(id=int.from_bytes(os.urandom(4), "big")) / UDP(sport=7002, dport=81) / Raw(data)
    pieces = fragment6(whole, 1280)
    for i in order(range(len(pieces))):
        wire.send(bytes(Ether(src=wire.mac, dst=ROUTER) / pieces[i]))
    got, peer = server.recvfrom(65535)
    same("in", (data, 7002), (got, peer[1]))
    server.sendto(data, peer)
    got, peer = client.recvfrom(65535)
    same("back", (data, (LISTEN, 81)), (got, peer[:2]))
client = make6("far", socket.SOCK_DGRAM, FAR, 7003)
client.sendto(b"?", (LISTEN, 81))
_, peer = server.recvfrom(100)
server.sendto(b"x" * 4000, peer)
print("asked", flush=True)
sys.stdin.readline()
server.sendto(b"y" * 4000, peer)
got, peer = client.recvfrom(65535)
same("after that", (b"y" * 4000, (LISTEN, 81)), (got, peer[:2]))

# Who listens no more says so, by the name that was asked.
server.close()
client.connect((LISTEN, 81))
client.send(b"?")
refused(client, "far to a port forward")
PY
ip -n "$N-a2" -6 route flush cache
coproc FORWARDED { py "$T/forwarded.py" "$N" $GATEWAY6 $FIP_A $LISTENER "$(lladdr $LISTENER)" 2>&1; }
forwarded=$FORWARDED_PID
read -r line <&"${FORWARDED[0]}"
same "the script" asked "$line"
wait_for 5 knows a2 2001:db8:fa::2 1300
echo go >&"${FORWARDED[1]}"
wait "$forwarded" || fail "the script has failed"
ip -n "$N-a2" -6 route flush cache
on a2 socat -u OPEN:/dev/zero,readbytes=1000000 TCP6-LISTEN:24,reuseaddr &
speaks24() { [[ -n $(on a2 ss -Hlt "sport = 24") ]]; }
wait_for 5 speaks24
hd port-forward set web2 --to "[2001:db8:27::3]:24"
same "a stream out, through 1300" 1000000 "$(on far timeout 20 socat -u "TCP6:[$LISTENER]:81" - | wc -c)"
hd port-forward set web2 --to "[2001:db8:27::3]:23"

# Removed under a connection: it ends. The daemon may be dead meanwhile.
on far socat -u OPEN:/dev/zero "TCP6:[$LISTENER]:82,retry=5" 2>"$T/cut" &
sender=$!
on a2 socat -u TCP6-LISTEN:25,reuseaddr OPEN:/dev/null 2>/dev/null &
forward long tcp "[$LISTENER]:82" "[2001:db8:27::3]:25"
flows() { hd -j flow list --dport 25 | jq -e --arg ip $LISTENER '[.. | objects | select(."outside-ip" == $ip and ."outside-port-number" == 82)] | length > 0' >/dev/null; }
wait_for 5 flows
daemon_kill
same "without the daemon" "a2 for [2001:0db8:00ff:0000:0000:0000:0000:0001]" "$(says outside $GATEWAY6 8080)"
daemon_start
before=$(drops_of outside)
hd port-forward del long
cut_off() { (($(drops_of to-router) + $(drops_of outside) > before)); }
wait_for 5 cut_off
kill "$sender" 2>/dev/null || true
hd port-forward del web
same "removed" nothing "$(says outside $GATEWAY6 8080)"
hd port-forward del web2
hd port-forward del dns
same "what is left" 0 "$(nat_rows hd_forwards6)"

# ---- named ----

bg outside /usr/bin/python3 -S "$LIB/echo.py" -i 0.05 -c 2000 $FIP_A >"$T/long"
long=$!
there() { hd -j flow list | jq -e --arg ip $FIP_A '[.. | objects | select(."outside-ip" == $ip)] | length > 0' >/dev/null; }
wait_for 5 there
hd trace --port a "udp [2001:db8:27::2]:4000 > [$OUTSIDE6]:53" >"$T/trace"
grep -q "its source is $FIP_A outside" "$T/trace" || fail "$(<"$T/trace")"

# The daemon dies under it; then it is removed.
daemon_kill
same "without the daemon" a "$(says outside $FIP_A | cut -d' ' -f1)"
daemon_start
kill -INT "$long"
wait "$long" || fail "lost: $(<"$T/long")"
bg outside ping -n -q -i 0.05 -c 2000 -w 60 $FIP_A >"$T/long"
long=$!
hd floating-ip del $FIP_A
silent outside $FIP_A
kill -INT "$long"
wait "$long" || true
same "from inside" 2001:db8:27::2 "$(py "$LIB/seen.py" "$N-a" "$N-outside" tcp $OUTSIDE6 | cut -d' ' -f1)"
same "what is left" 2 "$(nat_rows hd_fips6)"
hd floating-ip del $FIP_B
hd router gateway s --none
same "what is left" 0 "$(nat_rows hd_fips6)"
same "checksums" "" "$(csum_errors a a2 b outside far)"
