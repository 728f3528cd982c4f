#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Firewalls as they are configured: rules and their places, what is refused and why, files, what a restart keeps. No packet is sent.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd router add r
hd router add s

# no STATUS REGEX HINT COMMAND...: refused, with that hint, or with none; and nothing has changed
no() {
	refused "$1" "$2" hd "${@:4}"
	if [[ $3 ]]; then
		grep -qE -- "^hint: .*$3" "$T/refused.err" || fail "no hint '$3' in: $(<"$T/refused.err")"
	else
		! grep '^hint:' "$T/refused.err" || fail "a hint that is not known here"
	fi
}

# add OPTION...: a rule; its id
add() {
	hd -j firewall rule-add f "$@" | jq .id
}

# places: "ID ACTION" of each rule, in order
places() {
	hd -j firewall show f | jq -r '[.rules[] | "\(.id) \(.action)"] | join(", ")'
}

hd firewall add f --router r
hd firewall add f --router r --may-exist
same "ids" "3 4 5" "$(add --action allow --protocol tcp --port 80 --to 10.0.2.0/24) $(add --action deny) \
$(add --action reject --from 2001:db8:1::/64 --position 1)"
same "said to people" "rule 6" "$(hd firewall rule-add f --position 3 --action reject --protocol udp --port 1000-1999)"
same "places" "5 reject, 3 allow, 6 reject, 4 deny" "$(places)"
same "one that is there" 3 "$(add --action allow --protocol tcp --port 80 --to 10.0.2.0/24 --may-exist --position 1)"
same "places" "5 reject, 3 allow, 6 reject, 4 deny" "$(places)"
same "list" "NAME  ROUTER  RULES
f     r           4" "$(hd firewall)"
same "list of others" "" "$(hd -j firewall list --router s | jq -r '.[]')"
same "show" "name    f
router  r

POSITION  ID  ACTION  PROTOCOL  FROM             TO           PORT       PACKETS  BYTES
       1   5  reject  any       2001:db8:1::/64  any          any              0     0B
       2   3  allow   tcp       any              10.0.2.0/24  80               0     0B
       3   6  reject  udp       any              any          1000-1999        0     0B
       4   4  deny    any       any              any          any              0     0B" "$(hd firewall show f)"

# ---- what is refused ----

before=$(hd export)
no 2 'action is missing' '--help' firewall rule-add f --protocol tcp
no 2 'router is missing' '--help' firewall add g
no 3 'router none does not exist' 'router list' firewall add g --router none
no 4 'firewall g: router r is already used by firewall f' 'rule-add' firewall add g --router r
no 4 'exists already' 'firewall set' firewall add f --router s
no 6 'position: expected a number from 1 to 5' 'without a position' firewall rule-add f --action allow --position 6
no 6 'position' '' firewall rule-add f --action allow --position 0
no 6 'action: expected' '' firewall rule-add f --action drop
no 6 'port needs protocol' '' firewall rule-add f --action allow --port 80
no 6 'port needs protocol' '' firewall rule-add f --action allow --port 80 --protocol icmp
no 6 'option port' '' firewall rule-add f --action allow --port 90-80 --protocol tcp
no 6 'not of one family' '' firewall rule-add f --action allow --from 10.0.0.0/8 --to 2001:db8::/32
no 6 "protocol's family" '' firewall rule-add f --action allow --from 10.0.0.0/8 --protocol icmpv6
no 6 'bits set' 'is 10.0.0.0/8' firewall rule-add f --action allow --from 10.0.0.1/8
no 4 'rule 4 says the same' '' firewall rule-add f --action deny
no 3 'firewall none: does not exist' 'firewall list' firewall rule-add none --action allow
no 3 'there is no rule 99' 'firewall show f' firewall rule-del f 99
no 6 "'x' is not the id of a rule" 'firewall show f' firewall rule-del f x
no 4 'router r: still used by firewall f' '' router del r
hd firewall rule-del f 99 --if-exists
hd firewall del none --if-exists
same "nothing has changed" "$before" "$(hd export)"

# Too many kinds of rules: 129 pairs of prefix lengths. Nothing of it is done.
{
	printf 'version: 1\nfirewalls:\n  f:\n    router: r\n    rules:\n'
	for i in $(seq 0 128); do
		printf '      - {action: deny, from: 0.0.0.0/%d, to: 0.0.0.0/%d}\n' $((i % 16)) $((i / 16))
	done
} >"$T/many.yaml"
no 6 'firewall f: its rules have more than 128 combinations' 'fewer different prefix lengths' apply -f "$T/many.yaml"
same "nothing has changed" "$before" "$(hd export)"

# ---- files ----

hd export >"$T/export.yaml"
same "in a file" 'firewalls:
  f:
    router: r
    rules:
    - action: reject
      from: 2001:db8:1::/64
    - action: allow
      protocol: tcp
      to: 10.0.2.0/24
      port: "80"
    - action: reject
      protocol: udp
      port: "1000-1999"
    - action: deny' "$(sed -n '/^firewalls:/,$p' "$T/export.yaml")"
same "again" "no changes" "$(hd apply -f "$T/export.yaml")"
cat >"$T/other.yaml" <<'YAML'
version: 1
firewalls:
  f:
    router: r
    rules:
      - {action: deny}
      - {action: allow, protocol: tcp, to: 10.0.2.0/24, port: 80}
      - {action: deny, protocol: ospf}
YAML
same "diff" "~ firewall f rules: + deny ospf
~ firewall f rules: - reject any from 2001:db8:1::/64
~ firewall f rules: - reject udp 1000-1999" "$(hd diff -f "$T/other.yaml" || true)"
hd apply -f "$T/other.yaml" >/dev/null
same "places" "4 deny, 3 allow, 7 deny" "$(places)"
same "again" "no changes" "$(hd apply -f "$T/other.yaml")"
sed -i '/deny}/d' "$T/other.yaml"
echo '      - {action: deny}' >>"$T/other.yaml"
same "in another order" "~ firewall f rules: the same in another order or with other ids" "$(hd diff -f "$T/other.yaml" || true)"
hd apply -f "$T/other.yaml" >/dev/null
same "places" "3 allow, 7 deny, 4 deny" "$(places)"
sed 's/action: deny, protocol: ospf/action: deny, position: 1/' "$T/other.yaml" >"$T/place.yaml"
no 6 'place.yaml:7:.*unknown option position' '' apply -f "$T/place.yaml"

# ---- what a restart keeps ----

before=$(hd export; places; hd -j firewall show f)
daemon_kill
daemon_start
same "after a restart" "$before" "$(hd export; places; hd -j firewall show f)"
hd firewall set f --router s
same "moved" s "$(hd -j firewall show f | jq -r .router)"
hd router del r
hd firewall rule-del f 7
same "places" "3 allow, 4 deny" "$(places)"
hd firewall del f
same "gone" "[]" "$(hd -j firewall list | jq -c .)"
hd router del s
