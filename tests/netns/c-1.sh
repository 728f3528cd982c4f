#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# C-1 with podman: "heddle cni install" and "podman run". Containers have addresses, reach each other, the outside and what they may of the host;
# a published port is there from outside and from another container; a second network, connected and disconnected; the daemon is restarted
# and killed meanwhile. After rm nothing is left.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh source=../lib/podman.sh
. "$(dirname "$0")/../lib/netns.sh"
. "$LIB/podman.sh"

podman_ready
host
outside
outside6
cni_install lab
cni_install lab # it is there: fine
cni_install other --subnet 10.78.0.0/24 --subnet6 fd00:78::/64
before=$(belongings)

container web --network lab -p 8080:80
container db --network lab -p 192.0.2.1:8081:80
web=$(ip_of web) db=$(ip_of db)
[[ $web == 10.77.* && $db == 10.77.* && $web != "$db" ]] || fail "addresses: $web $db"
wait_for 5 fetch host "$web"

# Each other, both ways, and TCP.
pod exec web ping -c 1 -W 2 "$db" >/dev/null
pod exec db ping -c 1 -W 2 "$web" >/dev/null
same "db by web" "I am db" "$(fetch_in web "$db")"
# Outside: as the host's address.
pod exec web ping -c 1 -W 2 192.0.2.2 >/dev/null
# shellcheck disable=SC2016 # socat's variable
on out socat TCP-LISTEN:7,fork,reuseaddr 'SYSTEM:echo $SOCAT_PEERADDR' &
wait_for 5 on host socat -u TCP:192.0.2.2:7,connect-timeout=1 -
same "who it is outside" 192.0.2.1 "$(inside web socat -u TCP:192.0.2.2:7,connect-timeout=3 -)"
# The host: it reaches them, they do not reach it until a rule says so.
on host ping -c 1 -W 2 "$web" >/dev/null
same "web by the host" "I am web" "$(fetch host "$web")"
! pod exec web ping -c 1 -W 1 10.77.0.2 >/dev/null || fail "a container reaches the host"
allow lab-host --direction ingress --protocol icmp --remote-group lab
pod exec web ping -c 1 -W 2 10.77.0.2 >/dev/null
# The published port: from outside, and from another container by the host's address.
same "from outside" "I am web" "$(fetch out 192.0.2.1 8080)"
same "by the host itself" "I am web" "$(fetch host 192.0.2.1 8080)"
same "by the host, at home" "I am web" "$(fetch host 127.0.0.1 8080)"
same "by another container" "I am web" "$(fetch_in db 192.0.2.1 8080)"
same "by itself" "I am web" "$(fetch_in web 192.0.2.1 8080)"
! fetch out 192.0.2.1 80 >/dev/null 2>&1 || fail "a port that is not published is open"
same "at an address of the host" "I am db" "$(fetch out 192.0.2.1 8081)"
# podman holds the port; what is sent there is led past that.
[[ -n $(on host ss -Hlt 'sport = 8080') ]] || fail "podman does not hold the port: docs/nat.md says so"
# For the host alone: also beside another at the same port, and not for those outside or other containers.
container home --network lab -p 127.0.0.1:8082:80 -p 192.0.2.1:8083:80 -p 127.0.0.1:5353:53/udp
bg_inside home socat UDP4-RECVFROM:53,fork EXEC:cat
echoes=$!
container beside --network lab -p 127.0.0.1:8083:80
wait_for 5 fetch host 127.0.0.1 8082
same "at home" "I am home" "$(fetch host 127.0.0.1 8082)"
same "a datagram" "ping" "$(echo ping | on host socat -t 2 - UDP4-SENDTO:127.0.0.1:5353)"
same "two at a port: 127.0.0.1" "I am beside" "$(fetch host 127.0.0.1 8083)"
same "two at a port: outside" "I am home" "$(fetch out 192.0.2.1 8083)"
! fetch out 192.0.2.1 8082 >/dev/null 2>&1 || fail "127.0.0.1 is reached from outside"
! fetch host 192.0.2.1 8082 >/dev/null 2>&1 || fail "127.0.0.1 is another address as well"
! inside db timeout 1 bash -c "exec 3<>/dev/tcp/192.0.2.1/8082" 2>/dev/null || fail "127.0.0.1 is reached by a container"
same "who may come in" '["10.77.0.2/32"]' "$(hd -j security-group show "$(hd -j port-forward list | jq -r '.[] | select(.listen == "127.0.0.1:8083").name | sub("[.]tcp-.*"; "")').published" | jq -c '[.rules[].remote]')"
kill "$echoes"
pod rm -f -t 0 beside home >/dev/null
# One that is taken is refused, and leaves nothing.
refused 126 '8080' container late --network lab -p 8080:80
pod rm -f -t 0 late >/dev/null 2>&1 || true
same "ports" 3 "$(hd -j port list | jq '[.[] | select(.network == "lab")] | length')"

# Two networks: apart, until one container is in both.
container far --network other -p 8090:80
! pod exec far ping -c 1 -W 1 "$web" >/dev/null 2>&1 || fail "networks are not apart"
# The second has IPv6 as well: out as the host, published at its addresses, and for the host itself.
# shellcheck disable=SC2016 # socat's variable
on out socat TCP6-LISTEN:9,fork,reuseaddr 'SYSTEM:echo $SOCAT_PEERADDR' &
wait_for 5 on host socat -u "TCP6:[2001:db8:ff::2]:9,connect-timeout=1" -
same "who it is outside, IPv6" "[2001:0db8:00ff:0000:0000:0000:0000:0001]" "$(inside far socat -u "TCP6:[2001:db8:ff::2]:9,connect-timeout=3" -)"
same "from outside, IPv6" "I am far" "$(fetch out '[2001:db8:ff::1]' 8090)"
same "from outside, IPv4" "I am far" "$(fetch out 192.0.2.1 8090)"
same "by the host at home, IPv6" "I am far" "$(fetch host '[::1]' 8090)"
pod network connect other web
wait_for 5 pod exec far ping -c 1 -W 2 "$(ip_of web eth1)"
same "default route" 1 "$(pod exec web ip route | grep -c '^default')"
daemon_kill
same "without a daemon" "I am web" "$(fetch out 192.0.2.1 8080)"
same "by the host without a daemon" "I am web" "$(fetch host 192.0.2.1 8080)"
daemon_start
pod network disconnect other web
! pod exec far ping -c 1 -W 1 10.78.0.4 >/dev/null 2>&1 || fail "it is still there"
same "after a restart" "I am web" "$(fetch out 192.0.2.1 8080)"
same "by the host after a restart" "I am web" "$(fetch host 192.0.2.1 8080)"

# Stopped and started again: the same container, maybe another address.
pod stop -t 0 web >/dev/null
pod start web >/dev/null
wait_for 5 fetch out 192.0.2.1 8080
same "started again" "I am web" "$(fetch out 192.0.2.1 8080)"

# The host's port is to be had at once.
pod rm -f -t 0 web >/dev/null
container next --network lab -p 8080:80
wait_for 5 fetch out 192.0.2.1 8080
same "the next one" "I am next" "$(fetch out 192.0.2.1 8080)"

written=$(md5sum "$T"/net.d/*lab*)
refused 4 'still used by .* port' on host "$B/heddle" -i "$I" cni remove lab --conf-dir "$T/net.d"
same "the conf" "$written" "$(md5sum "$T"/net.d/*lab*)"

# rm while there is no daemon is done when there is one.
daemon_kill
pod rm -f -t 0 next >/dev/null
daemon_start
pod rm -f -t 0 db far >/dev/null
same "what is left" "$before" "$(belongings)"
on host "$B/heddle" -i "$I" cni remove lab --conf-dir "$T/net.d"
on host "$B/heddle" -i "$I" cni remove other --conf-dir "$T/net.d"
same "after remove" "[]" "$(hd -j network list | jq -c .)"
