# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash source-path=SCRIPTDIR source=two_hosts.sh
#
# routing.sh - what tests of routers start with: networks netN with 10.0.N.0/24 and 2001:db8:N::/64, gateways at .1 and ::1
#
# Functions that tell heddle something take the command that does it: "hd" for the one host, "both" or "at one" for several.

. "$(dirname "${BASH_SOURCE[0]}")/two_hosts.sh"

# subnets COMMAND N...: of network netN, both families
subnets() {
	local n tell=$1

	shift
	for n; do
		$tell subnet add "four$n" --network "net$n" --cidr "10.0.$n.0/24" --gateway "10.0.$n.1"
		$tell subnet add "six$n" --network "net$n" --cidr "2001:db8:$n::/64" --gateway "2001:db8:$n::1"
	done
}

# attach COMMAND ROUTER N...: the subnets of netN
attach() {
	local n tell=$1 router=$2

	shift 2
	for n; do
		$tell router attach "$router" --subnet "four$n"
		$tell router attach "$router" --subnet "six$n"
	done
}

# side COMMAND N NAME [OPTION...]: a workload in netN, with .11 and ::11, or $LAST in the place of 11
side() {
	local tell=$1 n=$2 name=$3 last=${LAST:-11}

	shift 3
	ns6 "$name"
	$tell port add "$name" --network "net$n" --netns "$N-$name" --ifname eth0 --ip "10.0.$n.$last" \
		--ip "2001:db8:$n::$last" "$@"
}

# first FROM ADDRESS...: a packet may be lost while a next hop is being asked for, one in each direction; the third is not. The fourth is there since ping
# waits long after the last one if none has been answered before.
first() {
	local from=$1 address

	shift
	for address; do
		on "$from" ping -n -q -c 4 -i 0.1 -W 3 "$address" >"$T/ping" 2>&1 || fail "$from can't ping $address: $(<"$T/ping")"
	done
}

# ttl_of FROM ADDRESS: of the answer
ttl_of() {
	on "$1" ping -n -c 1 -W 3 "$2" | sed -n 's/.*ttl=\([0-9]*\) .*/\1/p'
}

# hops FROM ADDRESS [OPTION...]: who answers traceroute, in one line
hops() {
	on "$1" traceroute -n -q 1 -w 3 -N 1 "${@:3}" "$2" | sed -n 's/^ *[0-9][0-9]* *\([^ ]*\).*/\1/p' | paste -sd' '
}
