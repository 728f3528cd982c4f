#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Scenario R-6, the part with port forwards: TCP 81 of the external address is port 80 of a workload; others lead there as well, one listens at an address of its
# own. From outside and from inside (hairpin), with pieces, ICMP errors, a trace, and the daemon gone; what is removed is over with the next packet.
# shellcheck source-path=SCRIPTDIR source=../lib/nat.sh
. "$(dirname "$0")/../lib/nat.sh"

OTHER=172.16.200.153
external
demo
inside web 2
inside client 3
inside open 4 --no-security
for name in web client open; do
	first $name 172.16.0.1
done

# says ADDRESS PORT [FROM]: what a server there says to a connection
says() {
	on "${3-outside}" timeout $((3 * ${PATIENCE:-1})) bash -c "exec 3<>/dev/tcp/$1/$2 && cat <&3" 2>/dev/null || echo nothing
}

# Servers say who has come.
for name in web open; do
	# shellcheck disable=SC2016 # socat's variable
	on $name socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:"echo $name for "'$SOCAT_PEERADDR' &
	# shellcheck disable=SC2016
	on $name socat UDP-LISTEN:53,fork,reuseaddr SYSTEM:"read x; echo $name for "'$SOCAT_PEERADDR' &
done
udp_says() {
	echo hello | on "${3-outside}" timeout 3 socat -t 1 - "UDP:$1:$2" || true
}
listens() { [[ -n $(on "$1" ss -Hlt "sport = 80") && -n $(on "$1" ss -Hlu "sport = 53") ]]; }
wait_for 5 listens web
wait_for 5 listens open

hd port-forward add web --router r --protocol tcp --listen $GATEWAY:81 --to 192.168.27.2:80
same "the group decides" nothing "$(says $GATEWAY 81)"
rule default --direction ingress --protocol tcp --port 80 >/dev/null
rule default --direction ingress --protocol udp --port 53 >/dev/null
same "web" "web for 172.16.0.1" "$(says $GATEWAY 81)"
hd port-forward add web2 --router r --protocol tcp --listen 0.0.0.0:82 --to 192.168.27.2:80
hd pf add open --router r --protocol tcp --listen $OTHER:80 --to 192.168.27.4:80
hd pf add dns --router r --protocol udp --listen $OTHER:53 --to 192.168.27.2:53
same "web2" "web for 172.16.0.1" "$(says $GATEWAY 82)"
same "at an address of its own" "open for 172.16.0.1" "$(says $OTHER 80)"
same "UDP" "web for 172.16.0.1" "$(udp_says $OTHER 53)"
same "nothing else" "nothing nothing" "$(says $GATEWAY 80) $(says $OTHER 81)"
pings outside $OTHER
same "hairpin" "web for $GATEWAY" "$(says $GATEWAY 81 client)"
same "hairpin to oneself" "web for $GATEWAY" "$(says $GATEWAY 81 web)"
same "hairpin, no security" "open for $GATEWAY" "$(says $OTHER 80 client)"
same "hairpin, UDP" "web for $GATEWAY" "$(udp_says $OTHER 53 open)"
same "what it begins itself" "$GATEWAY" "$(seen web tcp | cut -d' ' -f1)"

# Much at once, and what says where it went.
on web socat -u TCP-LISTEN:90,reuseaddr OPEN:"$T/got",creat,trunc &
rule default --direction ingress --protocol tcp --port 90 >/dev/null
hd pf add bulk --router r --protocol tcp --listen $GATEWAY:90 --to 192.168.27.2:90
head -c 10000000 /dev/urandom >"$T/sent"
bulk_listens() { [[ -n $(on web ss -Hlt "sport = 90") ]]; }
wait_for 5 bulk_listens
on outside socat -u OPEN:"$T/sent" "TCP:$GATEWAY:90"
whole() { cmp -s "$T/sent" "$T/got"; }
wait_for 5 whole
trace=$(hd trace --port client "tcp 192.168.27.3:40000 > $GATEWAY:81 syn")
[[ $trace == *"port forward web of router r"*"its destination is 192.168.27.2:80 inside"*"its source is $GATEWAY outside"* ]] || fail "trace: $trace"

# Both tuples of a connection, of those that come in and of one that goes out.
on web socat TCP-LISTEN:90,fork,reuseaddr EXEC:cat &
wait_for 5 bulk_listens
hd pf add bulk2 --router r --protocol tcp --listen $GATEWAY:91 --to 192.168.27.2:90
for port in 90 91; do
	on outside bash -c "exec 3<>/dev/tcp/$GATEWAY/$port && exec sleep 100" &
done
outside() {
	hd -j flow list --address 172.16.0.1 --protocol "$1" --state "$2" | jq -r "[.[] | .$3 | select(.\"outside-ip\") |
		\"\(.ip):\(.\"port-number\") \(.\"outside-ip\"):\(.\"outside-port-number\")\"] | unique | .[]"
}
held() { [[ $(outside tcp established server) == "192.168.27.2:90 $GATEWAY:90"$'\n'"192.168.27.2:90 $GATEWAY:91" ]]; }
wait_for 5 held
hd flow list --address 172.16.0.1 | grep -q "web 192.168.27.2:90 *$GATEWAY:91" || fail "the table: $(hd flow list)"
seen web udp >"$T/seen"
outside udp established client | grep -q "192.168.27.2:[0-9]* $(tr ' ' : <"$T/seen")" || fail "flow list, out: $(<"$T/seen") is not in: $(outside udp established client)"

# Pieces, in order and the other way round; an ICMP error about an answer finds who has sent it.
hd pf add pieces --router r --protocol udp --listen $GATEWAY:7001 --to 192.168.27.2:7000
rule default --direction ingress --protocol udp --port 7000 >/dev/null
cat >"$T/pieces.py" <<'PY'
from scapy.all import IP, UDP, Ether, Raw, fragment

from nat import *

wire = Wire(f"{PREFIX}-outside")
server, client = make("web", socket.SOCK_DGRAM, "192.168.27.2", 7000), make("outside", socket.SOCK_DGRAM, OUTSIDE, 7002)
for reverse in (False, True):
    data = os.urandom(4000)
    packet = IP(src=OUTSIDE, dst=GATEWAY, id=7 + reverse) / UDP(sport=7002, dport=7001) / Raw(data)
    pieces = fragment(packet, 1200)
    for piece in reversed(pieces) if reverse else pieces:
        wire.send(bytes(Ether(src=wire.mac, dst=sys.argv[4]) / piece))
    got, peer = server.recvfrom(65535)
    check(got == data, "changed on its way in")
    same("its sender", (OUTSIDE, 7002), peer)
    data = os.urandom(4000)
    server.sendto(data, peer)
    got, peer = client.recvfrom(65535)
    check(got == data, "changed on its way out")
    same("who answers", (GATEWAY, 7001), peer)
server.connect((OUTSIDE, 7002))
client.close()
server.send(b"is anybody there?")
refused(server, "an answer to a closed port")
PY
nat "$T/pieces.py" "$(on outside ip -j neigh show $GATEWAY | jq -r '.[0].lladdr')"

# The daemon has no part in it.
daemon_kill
same "without the daemon" "web for 172.16.0.1" "$(says $GATEWAY 81)"
daemon_start
same "and with it again" "web for 172.16.0.1" "$(says $GATEWAY 81)"

# A port that somebody's connection has already: the port forward gets it, and the connection another one.
cat >"$T/taken.py" <<'PY'
import subprocess

from nat import *

server, client = make("outside", socket.SOCK_DGRAM, OUTSIDE, 7003), make("client")
before = question(client, server)[1]
subprocess.run([*sys.argv[4:], "--listen", f"{GATEWAY}:{before}"], check=True)
check(question(client, server)[1] != before, "it kept its port")
PY
nat "$T/taken.py" "$B/heddle" -i "$I" pf add taken --router r --protocol udp --to 192.168.27.2:53
port=$(hd -j pf show taken | jq -r '.listen | split(":")[1]')
same "the port forward has it" "web for 172.16.0.1" "$(udp_says $GATEWAY "$port")"

# What is removed is over, what is changed leads elsewhere; the other way to the same server goes on.
cat >"$T/removed.py" <<'PY'
from nat import *

def hold(port):
    with netns(f"{PREFIX}-outside"):
        near = socket.create_connection((GATEWAY, port), 5)
    far, _ = listener.accept()
    return near, far

listener = make("web", socket.SOCK_STREAM, "192.168.27.2", 8000)
listener.listen()
ends = [hold(81), hold(82)]
print("held", flush=True)
sys.stdin.readline()
for near, far in ends:
    for end, other in ((near, far), (far, near)):
        end.send(b"more")
        other.settimeout(1)
        try:
            print(other.recv(4).decode(), flush=True)
        except TimeoutError:
            print("nothing", flush=True)
PY
rule default --direction ingress --protocol tcp --port 8000 >/dev/null
hd pf set web --to 192.168.27.2:8000
hd pf set web2 --to 192.168.27.2:8000
coproc { nat "$T/removed.py"; }
exec 8<&"${COPROC[0]}" 9>&"${COPROC[1]}"
read -r line <&8
same "two connections" held "$line"
hd pf del web
echo >&9
same "removed, and not" "nothing nothing more more" "$(xargs <&8)"
same "for new ones" "nothing" "$(says $GATEWAY 81)"
hd pf set web2 --to 192.168.27.4:80
same "elsewhere" "open for 172.16.0.1" "$(says $GATEWAY 82)"

# What can't be.
refused() {
	local expected=$1 status=0 text

	shift
	text=$(hd "$@" 2>&1) || status=$?
	same "$*" "$expected" "$status ${text%%$'\n'*}"
}
refused "4 heddle: port-forward x: tcp $GATEWAY:82 is already used by port-forward web2" \
	pf add x --router r --protocol tcp --listen $GATEWAY:82 --to 192.168.27.2:80
refused "6 heddle: port-forward x: 192.168.28.2 is no host's address inside of router r" \
	pf add x --router r --protocol tcp --listen $GATEWAY:83 --to 192.168.28.2:80
refused "4 heddle: router r: its gateway is still used by port-forward bulk" router gateway r --none
refused "4 heddle: port-forward dns: address $OTHER is already used by floating-ip $OTHER" \
	floating-ip add $OTHER --router r --port web
hd export >"$T/exported.yaml"
same "export and apply" "no changes" "$(hd apply -f "$T/exported.yaml")"
same "checksums" "" "$(csum_errors web client open outside)"
