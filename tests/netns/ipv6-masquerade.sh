#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A router goes out by an uplink that the host keeps, by IPv6, with the host's address there, whichever that is; ports of the host lead inside; the host's own
# connections are not touched.
#
#   c, d (fd00:27::2, ::3) ── net6 ── router r ══ host, eth1: 2001:db8:64::7 ══ eth0 outside: 2001:db8:64::1 ── MTU 1300 ── far: 2001:db8:fa::2
#
# shellcheck source-path=SCRIPTDIR source=../lib/nat6.sh
. "$(dirname "$0")/../lib/nat6.sh"

HOST6=2001:db8:64::7 OUT6=2001:db8:64::1 FAR6=2001:db8:fa::2
host
ns6 outside
veth eth1 outside eth0
on host tee /proc/sys/net/ipv6/conf/eth1/disable_ipv6 >/dev/null <<<0
on host tee /proc/sys/net/ipv6/conf/eth1/accept_ra >/dev/null <<<0
ip -n "$N-outside" addr add $OUT6/64 dev eth0 nodad
ip -n "$N-host" addr add $HOST6/64 dev eth1 nodad
ip -n "$N-host" route add default via $OUT6
far6 1300
hd uplink add eth1
hd network add net6 --type local
hd subnet add net6 --network net6 --cidr fd00:27::/64 --gateway fd00:27::1
hd router add r
hd router attach r --subnet net6
hd router gateway r --uplink eth1
for i in 2 3; do
	name=$(tr 23 cd <<<$i)
	ns6 "$name"
	hd port add "$name" --network net6 --netns "$N-$name" --ifname eth0 --ip "fd00:27::$i"
done
allow default --direction ingress --ethertype ipv6 --protocol icmpv6
first c $OUT6

# ---- out, and the answers ----

seen6() { py "$LIB/seen.py" "$N-$1" "$N-$2" "$3" "$4" | cut -d' ' -f"${5-1}"; }
pings c $OUT6 $FAR6
pings d $FAR6
same "TTL" "63 62" "$(ttl_of c $OUT6) $(ttl_of c $FAR6)"
same "traceroute" "fd00:27::1 $OUT6 $FAR6" "$(hops c $FAR6)"
for protocol in tcp udp; do
	same "$protocol seen from outside" $HOST6 "$(seen6 c far $protocol $FAR6)"
done
same "ports that the host does not use" "" "$(for _ in {1..10}; do seen6 c outside udp $OUT6 2; done | awk '$1 >= 32768 && $1 < 61000')"
knows() { [[ $(ip -n "$N-$1" -6 route get "$2") == *" mtu $3"* ]]; }
! on c ping -n -q -M 'do' -s 1400 -c 1 -W 5 $FAR6 >"$T/ping" || fail "1448 bytes through 1300"
wait_for 5 knows c $FAR6 1300
transfers d far $FAR6 1000000
on c ping -n -q -c 3 -i 0.05 -W 3 -s 4000 $OUT6 >/dev/null # in pieces, both ways
same "router show" $HOST6 "$(hd -j router show r | jq -r '.gateway.ip[]')"
same "its pool" "$HOST6 2" "$(hd -j router show r | jq -r '."nat-pools"[] | "\(.ip) \(."inside-addresses")"')"
hd trace --port c "tcp [fd00:27::2]:40000 > [$FAR6]:80 syn" >"$T/trace"
grep -q "its source is .*$HOST6.* outside" "$T/trace" || fail "$(<"$T/trace")"
grep -q "delivered to eth1" "$T/trace" || fail "$(<"$T/trace")"

# ---- the host ----

cat >"$T/host.py" <<'PY'
from nat import *

HOST, OUT = "2001:db8:64::7", "2001:db8:64::1"

def make6(name, kind=socket.SOCK_DGRAM, address="", port=0):
    with netns(f"{PREFIX}-{name}"):
        end = socket.socket(socket.AF_INET6, kind)
    end.bind((address, port))
    end.settimeout(10)
    return end

out = make6("outside", address=OUT, port=7000)
service = make6("host", address=HOST, port=1500)
mine = make6("host")
same("the host asks", HOST, question(mine, out)[0])
held = [make6("c") for _ in range(200)]
held = [(end, question(end, out)) for end in held]
ports = {peer[1] for _, peer in held}
same("endpoints", 200, len(ports))
ports.discard(1500)  # which the host's service has; ports are handed out at random
same("by one address", {HOST}, {peer[0] for _, peer in held})
for port in sorted(ports)[:3]:
    # Also what the host is told about what it has sent from there.
    there = make6("host", address=HOST, port=port)
    there.connect(("2001:db8:fa::2", 9))
    there.send(b"?")
    refused(there, "the host's own")
    there.close()
for port in sorted(ports)[:20]:
    # What is asked from outside at a port that a workload has is the host's, unless it comes from who was asked.
    other, there = make6("outside", address=OUT), make6("host", address=HOST, port=port)
    same("a stranger", other.getsockname()[:2], (other.sendto(b"x", (HOST, port)), there.recvfrom(10))[1][1][:2])
    other.close()
    there.close()
for end, peer in held:
    answer(out, peer, end)
    nothing_at(service)
out.sendto(b"hello", (HOST, 1500))
same("the host's service", b"hello", service.recv(10))
PY
py "$T/host.py" "$N" $HOST6 -
pings host $OUT6 $FAR6
pings outside $HOST6
pings c $HOST6 # the router has that address, too

# A tunnel packet with the host's address would be taken for the host's own, where it has tunnels; in pieces, too.
hd uplink set eth1 --tunnel-ip $HOST6
for size in 100 3000; do
	head -c $size /dev/zero | on c socat -u - "UDP6:[$OUT6]:4789"
done
dropped() { (($(drops_of tunnel-forged) >= 2)); }
wait_for 5 dropped
on c ping -n -q -c 1 -W 3 -s 4000 $OUT6 >/dev/null
hd uplink set eth1 --unset tunnel-ip

# ---- from outside: port forwards ----

MORE6=2001:db8:64::8
SEEN_FAR='[2001:0db8:00fa:0000:0000:0000:0000:0002]' # as socat writes it
SEEN_HOST='[2001:0db8:0064:0000:0000:0000:0000:0007]'
allow default --direction ingress --ethertype ipv6 --protocol tcp --port 80
hd port-forward add web --router r --protocol tcp --listen '[::]:8080' --to '[fd00:27::3]:80'
# shellcheck disable=SC2016
on d socat TCP6-LISTEN:80,fork,reuseaddr SYSTEM:'echo d for $SOCAT_PEERADDR' &
on host socat TCP6-LISTEN:8081,fork,reuseaddr SYSTEM:'echo host' &
listens() { [[ -n $(on "$1" ss -Hlt "sport = $2") ]]; }
wait_for 5 listens d 80
wait_for 5 listens host 8081
says() { on "$1" timeout 2 socat -u "TCP6:[$2]:$3" - 2>/dev/null || echo nothing; }
same "port forward" "d for $SEEN_FAR" "$(says far $HOST6 8080)"
same "hairpin" "d for $SEEN_HOST" "$(says c $HOST6 8080)"
same "to oneself" "d for $SEEN_HOST" "$(says d $HOST6 8080)"
same "the host's" "host" "$(says far $HOST6 8081)"
not_forwarded() { # REGEX LISTEN TO
	! hd port-forward add x --router r --protocol tcp --listen "$2" --to "$3" 2>"$T/err" || fail "taken: $2 to $3"
	grep -Eq "$1" "$T/err" || fail "refused otherwise: $(<"$T/err")"
}
not_forwarded "already used by port-forward web" '[::]:8080' '[fd00:27::2]:80'
not_forwarded "already used by port-forward web" "[$HOST6]:8080" '[fd00:27::2]:80'
not_forwarded "a link-local address" '[fe80::1]:81' '[fd00:27::2]:80'
not_forwarded "a multicast address" '[ff02::1]:81' '[fd00:27::2]:80'
same "shown" "$HOST6 outside" "$(hd -j port-forward show web | jq -r '"\(.address) \(.reach[])"')"

# Another address of the host: listened at at once, and not gone out by. One that is not there yet is waited for.
hd port-forward add more --router r --protocol tcp --listen "[$MORE6]:81" --to '[fd00:27::3]:80'
same "waited for" "" "$(hd -j port-forward show more | jq -r '.reach[]')"
ip -n "$N-host" addr add $MORE6/64 dev eth1 nodad
reached() { [[ $(hd -j port-forward show more | jq -r '.reach[]') == outside ]]; }
wait_for 5 reached
same "by another address" "d for $SEEN_FAR d for $SEEN_FAR" "$(says far $MORE6 8080) $(says far $MORE6 81)"
same "hairpin by another address" "d for $SEEN_HOST" "$(says c $MORE6 81)"
same "by the same as before" $HOST6 "$(seen6 c far tcp $FAR6)"

# ---- the daemon goes, comes; the address goes, in stages ----

bg c /usr/bin/python3 -S "$LIB/echo.py" -i 0.02 -c 3000 $FAR6 >"$T/long"
long=$!
there() { hd -j flow list | jq -e --arg ip $HOST6 '[.. | objects | select(."outside-ip" == $ip)] | length > 0' >/dev/null; }
wait_for 5 there
daemon_kill
first d $FAR6
same "without the daemon" "d for $SEEN_FAR" "$(says far $HOST6 8080)"
daemon_start
kill -INT "$long"
wait "$long" || fail "lost: $(<"$T/long")"
same "adopted" $HOST6 "$(seen6 c far tcp $FAR6)"
ip -n "$N-host" addr change $HOST6/64 dev eth1 preferred_lft 0 # deprecated: still there, and no longer the best
address_is() { [[ $(hd -j router show r | jq -r '.gateway.ip[]') == "$1" ]]; }
wait_for 5 address_is $MORE6
same "by the better one" $MORE6 "$(seen6 c far tcp $FAR6)"
same "still listened at" "d for $SEEN_FAR" "$(says far $HOST6 8080)"
ip -n "$N-host" addr add fd00:64::7/64 dev eth1 nodad
ip -n "$N-host" addr del $HOST6/64 dev eth1
same "by what the world can answer" $MORE6 "$(seen6 c far tcp $FAR6)"
ip -n "$N-host" addr flush dev eth1 scope global
wait_for 5 address_is ""
same "without an address" nothing "$(says c $FAR6 80)"
ip -n "$N-host" addr add $HOST6/64 dev eth1 nodad
ip -n "$N-host" route replace default via $OUT6
wait_for 5 address_is $HOST6
pings c $FAR6

# ---- limits, and the log ----

hd router gateway r --uplink eth1 --nat-ports-per-address 64 --nat-log on
cat >"$T/limit.py" <<'PY'
from frames import *

with netns(f"{sys.argv[1]}-d"):
    ends = [socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) for _ in range(80)]
told = 0
for end in ends:
    end.connect(("2001:db8:fa::2", 9))
    end.settimeout(0.2)
    end.send(b"?")
for end in ends:
    try:
        end.recv(10)
    except PermissionError:
        told += 1
    except (TimeoutError, ConnectionRefusedError):
        pass
print(told > 10)
PY
same "who gets no port is told" True "$(py "$T/limit.py" "$N")"
(($(drops_of nat-ports) > 10)) || fail "not counted: $(hd drops)"
logged() { grep -q "nat-log: [a-z]* router=r inside=fd00:27::3 outside=$HOST6 ports=" "$T/heddled.log"; }
wait_for 5 logged
same "checksums" "" "$(csum_errors c d outside far host)"

# ---- the end ----

hd export >"$T/exported.yaml"
same "export and apply" "no changes" "$(hd apply -f "$T/exported.yaml")"
hd port-forward del web
hd port-forward del more
same "removed" nothing "$(says far $HOST6 8080)"
hd router gateway r --none
silent c $OUT6
for table in hd_nat hd_nat_pools hd_nat_users hd_nat_names hd_nat_named hd_outsides6 hd_forwards6; do
	same "left in $table" 0 "$(nat_rows $table)"
done
