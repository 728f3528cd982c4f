# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# lib.sh - the set-ups that the suite compares
#
# A set-up NAME joins a client and a server, each in a namespace of its own. Functions make it:
#
#   NAME_can    is what it needs on this machine? If not, prints what is missing, and the suite
#               goes on without it
#   NAME_up     builds it
#   NAME_down   optional: what must happen before its processes and namespaces end
#
#   namespaces    PREFIX-NAME-client, PREFIX-NAME-server, and PREFIX-NAME-host for what lies between
#   addresses     192.0.2.1 and 192.0.2.2 (RFC 5737), the same in each
#   devices       eth0 in client and server
#
# A new set-up (vxlan, ...) needs these functions and its name on SETUPS; nothing else knows what there is.
# NAME may end in a number, which the functions find in their argument: rules_up makes rules10 and rules1000. setup_up and setup_down keep account of namespaces and processes, so that what was
# made is what is removed, also when half of it failed.
#
# Uses: PERF_TMP (a folder), PERF_BIN (rr, prog_ns), HEDDLE_BIN (heddle, heddled), PERF_CPUS.

# shellcheck disable=SC2034 # bench.sh reads it
SETUPS="bare bridge ovs heddle open"
PREFIX=hdp$$
CLIENT_IP=192.0.2.1
SERVER_IP=192.0.2.2

# For each set-up: what to end and remove, newest last.
declare -A SETUP_PIDS SETUP_NAMESPACES

die()
{
	echo "bench: $*" >&2
	exit 1
}

note()
{
	echo "bench: $*" >&2
}

ns_name() # SETUP ROLE
{
	echo "$PREFIX-$1-$2"
}

# nsenter, not ip netns exec: that one hides the machine's bpffs behind a fresh /sys.
in_ns() # NAMESPACE COMMAND...
{
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" "$@"
}

# IPv6 is off because its own traffic would disturb; TIME_WAIT is reused because a run of
# connect-request-close would otherwise soon be out of ports.
new_ns() # SETUP ROLE
{
	local ns

	ns=$(ns_name "$1" "$2")
	ip netns add "$ns" || die "$1: can't make namespace $ns"
	SETUP_NAMESPACES[$1]+=" $ns"
	in_ns "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
		net.ipv6.conf.default.disable_ipv6=1 net.ipv4.tcp_tw_reuse=1 \
		net.ipv4.ip_local_port_range="1024 65535" || die "$1: sysctl"
	ip -n "$ns" link set lo up
}

ends_of() # SETUP: both end namespaces
{
	new_ns "$1" client
	new_ns "$1" server
}

# The wire of one end to the middle: eth0 there, DEVICE here.
wire() # SETUP ROLE DEVICE ADDRESS
{
	local ns host

	ns=$(ns_name "$1" "$2")
	host=$(ns_name "$1" host)
	{
		ip -n "$host" link add "$3" type veth peer name eth0 netns "$ns" &&
			ip -n "$ns" address add "$4/24" dev eth0 &&
			ip -n "$ns" link set eth0 up &&
			ip -n "$host" link set "$3" up
	} || die "$1: wire to $2"
}

wait_until() # SECONDS COMMAND...: no sleeping on hope, but not for ever either
{
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -le "$end" ] || return 1
		sleep 0.02
	done
}

own_pid() # SETUP PID
{
	SETUP_PIDS[$1]+=" $2"
}

pid_is_gone() # PID
{
	! kill -0 "$1" 2>/dev/null
}

end_pid() # PID
{
	kill "$1" 2>/dev/null || return 0
	wait "$1" 2>/dev/null
	wait_until 5 pid_is_gone "$1" || kill -9 "$1" 2>/dev/null
	return 0
}

# The first CPU of the list is the client's, the last the server's and that of what lies between.
client_cpu()
{
	echo "${PERF_CPUS%%,*}"
}

server_cpu()
{
	echo "${PERF_CPUS##*,}"
}

reaches() # SETUP
{
	in_ns "$(ns_name "$1" client)" ping -c 1 -W 1 "$SERVER_IP"
}

setup_account() # SETUP: from here on, setup_down knows what to undo
{
	SETUP_PIDS[$1]=
	SETUP_NAMESPACES[$1]=
}

setup_kind() # SETUP: whose functions make it
{
	echo "${1%%[0-9]*}"
}

setup_number() # SETUP
{
	echo "${1##*[a-z]}"
}

setup_up() # SETUP
{
	local setup=$1

	setup_account "$setup"
	"$(setup_kind "$setup")_up" "$setup" || die "$setup: can't be set up"
	wait_until 5 reaches "$setup" || die "$setup: the server can't be reached"
	# Not in_ns: the pid would be that of a shell around it.
	nsenter --net="/run/netns/$(ns_name "$setup" server)" \
		"$PERF_BIN/rr" server -c "$(server_cpu)" &
	own_pid "$setup" $!
}

setup_down() # SETUP
{
	local setup=$1 pids=${SETUP_PIDS[$1]} word reversed=

	word=$(setup_kind "$setup")_down
	declare -F "$word" >/dev/null && "$word" "$setup"
	for word in $pids; do
		reversed="$word $reversed"
	done
	for word in $reversed; do
		end_pid "$word"
	done
	for word in ${SETUP_NAMESPACES[$setup]}; do
		ip netns del "$word"
	done
	unset "SETUP_PIDS[$setup]" "SETUP_NAMESPACES[$setup]"
}

all_down()
{
	local setup

	for setup in "${!SETUP_NAMESPACES[@]}"; do
		setup_down "$setup"
	done
}

# --- bare: one veth pair and nothing else; what everything is compared with ---

bare_can()
{
	:
}

bare_up()
{
	ends_of bare
	ip -n "$(ns_name bare client)" link add eth0 type veth \
		peer name eth0 netns "$(ns_name bare server)" &&
		ip -n "$(ns_name bare client)" address add $CLIENT_IP/24 dev eth0 &&
		ip -n "$(ns_name bare server)" address add $SERVER_IP/24 dev eth0 &&
		ip -n "$(ns_name bare client)" link set eth0 up &&
		ip -n "$(ns_name bare server)" link set eth0 up
}

# --- bridge: the kernel's ---

bridge_can()
{
	:
}

bridge_up()
{
	ends_of bridge
	new_ns bridge host
	wire bridge client c0 $CLIENT_IP
	wire bridge server s0 $SERVER_IP
	ip -n "$(ns_name bridge host)" link add br0 type bridge &&
		ip -n "$(ns_name bridge host)" link set c0 master br0 &&
		ip -n "$(ns_name bridge host)" link set s0 master br0 &&
		ip -n "$(ns_name bridge host)" link set br0 up
}

# --- ovs: Open vSwitch, its userspace datapath; an own instance that the system's does not see ---

ovs_can()
{
	local tool

	for tool in ovsdb-tool ovsdb-server ovs-vswitchd ovs-vsctl ethtool; do
		command -v $tool >/dev/null || {
			echo "$tool is not installed"
			return 1
		}
	done
}

# Bound to the CPU of the ends: its cost then counts as everybody's does. Not at their real-time
# priority: its request-response rate falls by 40 % then.
ovs_daemons()
{
	local dir=$PERF_TMP/ovs ns

	ns=$(ns_name ovs host)
	mkdir -p "$dir" || return 1
	export OVS_RUNDIR=$dir OVS_LOGDIR=$dir OVS_DBDIR=$dir
	ovsdb-tool create "$dir/conf.db" /usr/share/openvswitch/vswitch.ovsschema || return 1
	in_ns "$ns" ovsdb-server "$dir/conf.db" --remote="punix:$dir/db.sock" \
		--unixctl="$dir/db.ctl" --pidfile="$dir/db.pid" --log-file="$dir/db.log" \
		--detach >/dev/null 2>&1 || return 1
	own_pid ovs "$(cat "$dir/db.pid")"
	in_ns "$ns" taskset -c "$(server_cpu)" ovs-vswitchd "unix:$dir/db.sock" \
		--unixctl="$dir/vs.ctl" --pidfile="$dir/vs.pid" --log-file="$dir/vs.log" \
		--detach >/dev/null 2>&1 || return 1
	own_pid ovs "$(cat "$dir/vs.pid")"
}

ovs_up()
{
	local db="unix:$PERF_TMP/ovs/db.sock" dev role

	ends_of ovs
	new_ns ovs host
	wire ovs client c0 $CLIENT_IP
	wire ovs server s0 $SERVER_IP
	# It miscomputes checksums that the sender left to the device: leave it none.
	for dev in c0 s0; do
		in_ns "$(ns_name ovs host)" ethtool -K $dev tx off >/dev/null || return 1
	done
	for role in client server; do
		in_ns "$(ns_name ovs $role)" ethtool -K eth0 tx off >/dev/null || return 1
	done
	ovs_daemons || return 1
	ovs-vsctl --db="$db" --timeout=10 add-br br0 -- set bridge br0 datapath_type=netdev \
		-- add-port br0 c0 -- add-port br0 s0
}

# --- heddle ---

heddle_can()
{
	# shellcheck disable=SC2153 # of bench.sh
	[ -x "$HEDDLE_BIN/heddled" ] && [ -x "$HEDDLE_BIN/heddle" ] && return 0
	echo "heddle is not built"
	return 1
}

HEDDLE_PINS=/sys/fs/bpf/heddle

instance_of() # SETUP
{
	echo "perf-$$-$1"
}

heddle_pin() # SETUP PROGRAM
{
	echo "$HEDDLE_PINS/$(instance_of "$1")/progs/$2"
}

hd() # SETUP ARGUMENTS...
{
	local setup=$1

	shift
	HEDDLE_RUN_DIR=$PERF_TMP/$setup/run "$HEDDLE_BIN/heddle" -i "$(instance_of "$setup")" \
		--timeout 120 "$@"
}

# Comes back when the daemon is ready: that is how long a start takes.
daemon_start() # SETUP [NAMESPACE]
{
	in_ns "${2:-$(ns_name "$1" host)}" "$HEDDLE_BIN/heddled" --instance "$(instance_of "$1")" \
		--config "$PERF_TMP/$1/conf" --state-dir "$PERF_TMP/$1/state" \
		--run-dir "$PERF_TMP/$1/run" 2>>"$PERF_TMP/$1/log"
}

daemon_pid() # SETUP
{
	hd "$1" -j status | json_value pid
}

daemon_kill() # SETUP: as a crash would
{
	local pid

	pid=$(daemon_pid "$1")
	[ -n "$pid" ] || return 1
	kill -9 "$pid"
	wait_until 5 pid_is_gone "$pid"
}

# Nothing of it may be left: what is, is a fault of heddle that the suite must not hide.
daemon_end() # SETUP
{
	local pid

	pid=$(daemon_pid "$1")
	[ -n "$pid" ] || return 0
	hd "$1" purge >/dev/null
	end_pid "$pid"
	[ ! -e "$HEDDLE_PINS/$(instance_of "$1")" ] || note "$1: purge left pins behind"
}

# First number of a key in JSON from stdin; enough for flat objects, and needs nothing installed.
json_value() # KEY
{
	sed -n "s/.*\"$1\": *\\([-0-9.][-0-9.e]*\\).*/\\1/p" | head -n 1
}

json_text() # KEY
{
	sed -n "s/.*\"$1\": *\"\\([^\"]*\\)\".*/\\1/p" | head -n 1
}

heddle_socket() # SETUP
{
	echo "$PERF_TMP/$1/run/$(instance_of "$1")/api.sock"
}

heddle_map() # SETUP MAP
{
	echo "$HEDDLE_PINS/$(instance_of "$1")/maps/$2"
}

# A port for each end; more of them is what "many" below is for.
heddle_ends() # SETUP OPTION...
{
	local setup=$1

	shift
	hd "$setup" port add client --network n1 --netns "$(ns_name "$setup" client)" --ifname eth0 \
		--mac 02:00:00:00:00:01 --ip $CLIENT_IP/24 "$@" >/dev/null &&
		hd "$setup" port add server --network n1 --netns "$(ns_name "$setup" server)" \
			--ifname eth0 --mac 02:00:00:00:00:02 --ip $SERVER_IP/24 "$@" >/dev/null
}

# Room for what is measured. Nothing may time out in the middle of it: what is asked is what a flow costs, not
# when it ends.
heddle_conf()
{
	cat <<-END
		table-sizes: { flows: 1200000 }
		timeouts: { udp: 100000 }
	END
}

heddle_base() # SETUP
{
	ends_of "$1"
	new_ns "$1" host
	mkdir -p "$PERF_TMP/$1"
	heddle_conf >"$PERF_TMP/$1/conf"
	daemon_start "$1" || return 1
	hd "$1" network add n1 --type local >/dev/null
}

# All that a port can have: a MAC and an address that it is held to, a group with a rule that allows the traffic, flows
# that are tracked, counters of port, flow and rule. COUNT rules, of a few kinds, so that few and many need the same
# number of lookups; the traffic needs the last one.
rules_yaml() # COUNT
{
	awk -v count="$1" 'BEGIN {
		print "version: 1\nsecurity-groups:\n  bench:\n    rules:"
		print "    - { direction: egress }"
		for (i = 0; i < count - 2; i++)
			printf "    - { direction: ingress, protocol: %s, port: \"%d\", remote: 10.%d.%d.%d/%d }\n",
				i % 2 ? "tcp" : "udp", 1024 + i % 60000, i / 60000,
				i % 3 < 2 ? i / 256 % 256 : 0, i % 3 < 1 ? i % 256 : 0, 32 - i % 3 * 8
		print "    - { direction: ingress, remote: 192.0.2.0/24 }"
	}'
}

secure_up() # SETUP RULES
{
	heddle_base "$1" || return 1
	rules_yaml "$2" >"$PERF_TMP/$1/rules.yaml"
	hd "$1" security-group add bench >/dev/null && heddle_ends "$1" --security-group bench &&
		hd "$1" apply -f "$PERF_TMP/$1/rules.yaml" >/dev/null
}

heddle_up()
{
	secure_up heddle 2
}

heddle_down()
{
	daemon_end heddle
}

# --- open: heddle without security, so without flows and rules ---

open_can()
{
	heddle_can
}

open_up()
{
	heddle_base open && heddle_ends open --no-security
}

open_down()
{
	daemon_end open
}

# --- rulesN: heddle with N rules ---

rules_can()
{
	heddle_can
}

rules_up() # SETUP
{
	secure_up "$1" "$(setup_number "$1")"
}

rules_down() # SETUP
{
	daemon_end "$1"
}

# --- nftN: the host routes, and nftables tracks connections and goes through N rules ---

# The same rules as rulesN has, in a chain, as nftables users write them; the last one allows the traffic.
nft_rules() # COUNT
{
	printf 'table inet perf {\n\tchain forward {\n\t\ttype filter hook forward priority 0; policy drop;\n'
	printf '\t\tct state established,related accept\n'
	rules_yaml "$1" | sed -n 's/.*protocol: \(...\), port: "\(.*\)", remote: \(.*\) }/\t\tip saddr \3 \1 dport \2 accept/p'
	printf '\t\tip saddr 192.0.2.0/24 accept\n\t}\n}\n'
}

nft_can()
{
	local why

	command -v nft >/dev/null || {
		echo "nft is not installed"
		return 1
	}
	why=$(nft_rules 2 | unshare --net nft -f - 2>&1) && return 0
	echo "the kernel refuses: ${why%%$'\n'*}"
	return 1
}

nft_end() # SETUP ROLE DEVICE ADDRESS: routed, so the ends have no neighbour but the host
{
	local ns host

	ns=$(ns_name "$1" "$2")
	host=$(ns_name "$1" host)
	ip -n "$host" link add "$3" type veth peer name eth0 netns "$ns" &&
		ip -n "$host" address add 198.51.100.1/32 dev "$3" &&
		ip -n "$host" link set "$3" up &&
		ip -n "$ns" address add "$4/32" dev eth0 &&
		ip -n "$ns" link set eth0 up &&
		ip -n "$ns" route add 198.51.100.1 dev eth0 &&
		ip -n "$ns" route add default via 198.51.100.1 &&
		ip -n "$host" route add "$4/32" dev "$3"
}

forward_up() # SETUP: the host routes between the ends
{
	ends_of "$1"
	new_ns "$1" host
	nft_end "$1" client c0 $CLIENT_IP && nft_end "$1" server s0 $SERVER_IP &&
		in_ns "$(ns_name "$1" host)" sysctl -qw net.ipv4.ip_forward=1
}

nft_up() # SETUP
{
	forward_up "$1" &&
		nft_rules "$(setup_number "$1")" | in_ns "$(ns_name "$1" host)" nft -f -
}

# --- kroute: the host routes, and nothing else ---

kroute_can()
{
	:
}

kroute_up() # SETUP
{
	forward_up "$1"
}

# --- routedN: heddle with all there is, the ends in two networks, a router with N static routes between them ---

routed_can()
{
	heddle_can
}

# Subnets of two addresses, so that the ends have the addresses that they have everywhere.
routed_yaml() # SETUP COUNT
{
	awk -v count="$2" -v client="$(ns_name "$1" client)" -v server="$(ns_name "$1" server)" 'BEGIN {
		print "networks:\n  n1: { type: local }\n  n2: { type: local }\nsubnets:"
		print "  s1: { network: n1, cidr: 192.0.2.0/31, gateway: 192.0.2.0 }"
		print "  s2: { network: n2, cidr: 192.0.2.2/31, gateway: 192.0.2.3 }"
		print "routers:\n  r:\n    subnets: [s1, s2]\n    routes:"
		for (i = 0; i < count; i++)
			printf "      - { prefix: 10.%d.%d.0/24, via: 192.0.2.2 }\n", i / 256, i % 256
		print "ports:"
		form = "  %s: { network: n%d, netns: %s, ifname: eth0, mac: \"02:00:00:00:00:0%d\", ip: [192.0.2.%d], security-group: [bench] }\n"
		printf form, "client", 1, client, 1, 1
		printf form, "server", 2, server, 2, 2
	}'
}

routed_up() # SETUP
{
	ends_of "$1"
	new_ns "$1" host
	mkdir -p "$PERF_TMP/$1"
	heddle_conf >"$PERF_TMP/$1/conf"
	daemon_start "$1" || return 1
	{
		rules_yaml 2
		routed_yaml "$1" "$(setup_number "$1")"
	} >"$PERF_TMP/$1/heddle.yaml"
	hd "$1" apply -f "$PERF_TMP/$1/heddle.yaml" >/dev/null
}

routed_down() # SETUP
{
	daemon_end "$1"
}

# --- snat, fip, direct: heddle with all there is, one end outside of a router: translated on its way out, by a floating IP, and not at all ---

snat_can()
{
	heddle_can
}

fip_can()
{
	heddle_can
}

direct_can()
{
	heddle_can
}

# The end that is outside is by a wire on the uplink; from stdin comes what heddle is told besides.
outside_up() # SETUP ROLE ADDRESS/LEN
{
	local host end

	ends_of "$1"
	new_ns "$1" host
	host=$(ns_name "$1" host)
	end=$(ns_name "$1" "$2")
	mkdir -p "$PERF_TMP/$1"
	heddle_conf >"$PERF_TMP/$1/conf"
	{
		rules_yaml 2
		printf 'uplinks:\n  o0: { physical: outside }\n'
		cat
	} >"$PERF_TMP/$1/heddle.yaml"
	ip -n "$host" link add o0 type veth peer name eth0 netns "$end" &&
		ip -n "$end" address add "$3" dev eth0 &&
		ip -n "$end" link set eth0 up &&
		ip -n "$host" link set o0 up &&
		daemon_start "$1" &&
		hd "$1" apply -f "$PERF_TMP/$1/heddle.yaml" >/dev/null
}

# An inside address may have 2048 ports, and each rests for two minutes: connections one after the other take these in turn.
few_ports() # SETUP
{
	in_ns "$(ns_name "$1" client)" sysctl -qw net.ipv4.ip_local_port_range="40000 40999"
}

snat_up()
{
	outside_up "$1" server $SERVER_IP/31 <<-END &&
		networks: { n1: { type: local }, out: { type: flat, physical: outside } }
		subnets:
		  s1: { network: n1, cidr: 192.0.2.0/31, gateway: 192.0.2.0 }
		  s2: { network: out, cidr: 192.0.2.2/31, gateway: $SERVER_IP }
		routers: { r: { subnets: [s1], gateway: { network: out, ip: 192.0.2.3 } } }
		ports:
		  client: { network: n1, netns: $(ns_name "$1" client), ifname: eth0, mac: "02:00:00:00:00:01", ip: [$CLIENT_IP], security-group: [bench] }
	END
		few_ports "$1"
}

snat_down()
{
	daemon_end "$1"
}

fip_up()
{
	outside_up "$1" client $CLIENT_IP/29 <<-END
		networks: { n1: { type: local }, out: { type: flat, physical: outside } }
		subnets:
		  s1: { network: n1, cidr: 198.51.100.0/24, gateway: 198.51.100.1 }
		  s2: { network: out, cidr: 192.0.2.0/29, gateway: $CLIENT_IP }
		routers: { r: { subnets: [s1], gateway: { network: out, ip: 192.0.2.3 } } }
		ports:
		  server: { network: n1, netns: $(ns_name "$1" server), ifname: eth0, mac: "02:00:00:00:00:02", ip: [198.51.100.2], security-group: [bench] }
		floating-ips: { $SERVER_IP: { router: r, port: server } }
	END
}

fip_down()
{
	daemon_end "$1"
}

direct_up()
{
	outside_up "$1" client $CLIENT_IP/31 <<-END &&
		networks: { n1: { type: local }, out: { type: flat, physical: outside } }
		subnets:
		  s1: { network: n1, cidr: 192.0.2.2/31, gateway: 192.0.2.3 }
		  s2: { network: out, cidr: 192.0.2.0/31, gateway: $CLIENT_IP }
		routers: { r: { subnets: [s1], gateway: { network: out, ip: 192.0.2.0, snat: false } } }
		ports:
		  server: { network: n1, netns: $(ns_name "$1" server), ifname: eth0, mac: "02:00:00:00:00:02", ip: [$SERVER_IP], security-group: [bench] }
	END
		ip -n "$(ns_name "$1" client)" route add default via 192.0.2.0
}

direct_down()
{
	daemon_end "$1"
}

# --- nftmasq, nftdnat: the host routes, nftables tracks connections, goes through ten rules and translates ---

nftmasq_can()
{
	nft_can
}

nftdnat_can()
{
	nft_can
}

nft_nat() # HOOK RULE
{
	printf 'table ip perfnat {\n\tchain c {\n\t\ttype nat hook %s priority 0; policy accept;\n\t\t%s\n\t}\n}\n' "$1" "$2"
}

nftmasq_up()
{
	forward_up "$1" && few_ports "$1" && {
		nft_rules 10
		nft_nat postrouting 'oifname "s0" masquerade'
	} | in_ns "$(ns_name "$1" host)" nft -f -
}

nftdnat_up()
{
	local server=203.0.113.2

	ends_of "$1"
	new_ns "$1" host
	nft_end "$1" client c0 $CLIENT_IP && nft_end "$1" server s0 $server &&
		in_ns "$(ns_name "$1" host)" sysctl -qw net.ipv4.ip_forward=1 && {
		nft_rules 10
		nft_nat prerouting "ip daddr $SERVER_IP dnat to $server"
	} | in_ns "$(ns_name "$1" host)" nft -f -
}

# --- few, many: heddle with 3 ports, and with 1,000 ports on 100 networks; the two ends without security ---

# Devices that exist but lead nowhere: the far ends lie in a namespace where nobody answers, so
# that a broadcast ends there.
make_devices() # SETUP COUNT
{
	local host sink

	host=$(ns_name "$1" host)
	sink=$(ns_name "$1" sink)
	new_ns "$1" sink
	seq "$2" | awk -v sink="$sink" '{
		printf "link add d%d up type veth peer name d%d netns %s\n", $1, $1, sink }' |
		ip -n "$host" -batch - &&
		seq "$2" | awk '{ printf "link set d%d up\n", $1 }' | ip -n "$sink" -batch -
}

# A heddle.yaml of COUNT ports on those devices.
many_yaml() # COUNT NETWORKS
{
	awk -v count="$1" -v networks="$2" 'BEGIN {
		print "version: 1\nnetworks:"
		for (i = 1; i <= networks; i++)
			printf "  n%d: { type: local }\n", i
		print "ports:"
		for (i = 1; i <= count; i++)
			printf "  p%d: { network: n%d, device: d%d, mac: \"02:00:00:01:%02x:%02x\" }\n",
				i, (i - 1) % networks + 1, i, i / 256, i % 256
	}'
}

heddle_with() # SETUP PORTS NETWORKS: so many besides the two ends
{
	heddle_base "$1" && make_devices "$1" "$2" || return 1
	many_yaml "$2" "$3" >"$PERF_TMP/$1/heddle.yaml"
	hd "$1" apply -f "$PERF_TMP/$1/heddle.yaml" >/dev/null && heddle_ends "$1" --no-security
}

few_can()
{
	heddle_can
}

few_up()
{
	heddle_with few 1 1
}

few_down()
{
	daemon_end few
}

many_can()
{
	heddle_can
}

many_up()
{
	heddle_with many "${BENCH_MANY_PORTS:-998}" 100
}

many_down()
{
	daemon_end many
}

# --- overlayN, kvxlanN: two hosts with a wire between them, a VXLAN network across; by heddle with all features, and by the kernel's vxlan device
# and bridge. N = 0: the wire carries super-packets, as only a veth does; 1: whole frames, as a network card does. ---

# host and far, with "wire" at both ends: 198.51.100.1 and .2
two_hosts() # SETUP WIRE: 0 or 1, as above
{
	local role

	ends_of "$1"
	new_ns "$1" host
	new_ns "$1" far
	ip -n "$(ns_name "$1" host)" link add wire type veth peer name wire netns "$(ns_name "$1" far)" || return 1
	for role in host far; do
		if [ "$2" = 1 ]; then
			in_ns "$(ns_name "$1" $role)" ethtool -K wire tso off gso off tx-udp_tnl-segmentation off \
				tx-udp_tnl-csum-segmentation off gro on >/dev/null || return 1
		fi
		ip -n "$(ns_name "$1" $role)" address add "198.51.100.$(host_number $role)/24" dev wire &&
			ip -n "$(ns_name "$1" $role)" link set wire up || return 1
	done
}

host_number() # ROLE
{
	[ "$1" = host ] && echo 1 || echo 2
}

overlay_can()
{
	heddle_can
}

# One of the two hosts, as a set-up of its own where that is asked for.
overlay_host() # SETUP HOST END INSTANCE
{
	local number other ip=$CLIENT_IP

	number=$(host_number "$2")
	other=$((3 - number))
	[ "$2" = host ] || ip=$SERVER_IP
	mkdir -p "$PERF_TMP/$4"
	heddle_conf >"$PERF_TMP/$4/conf"
	daemon_start "$4" "$(ns_name "$1" "$2")" &&
		hd "$4" network add n1 --type vxlan --id 10 &&
		hd "$4" uplink add wire --tunnel-ip "198.51.100.$number" --mode "${OVERLAY_MODE:-tc}" &&
		hd "$4" peer add other --tunnel-ip "198.51.100.$other" &&
		hd "$4" security-group rule-add default --direction ingress --remote 192.0.2.0/24 >/dev/null &&
		hd "$4" port add "$3" --network n1 --netns "$(ns_name "$1" "$3")" --ifname eth0 \
			--mac "02:00:00:00:00:0$number" --ip "$ip/24"
}

overlay_pair() # SETUP WIRE
{
	two_hosts "$1" "$2" && overlay_host "$1" host client "$1" && overlay_host "$1" far server "${1}b"
}

overlay_up() # SETUP
{
	overlay_pair "$1" "$(setup_number "$1")"
}

overlay_down() # SETUP
{
	daemon_end "$1"
	daemon_end "${1}b"
}

# xdpN: the same, uplinks by XDP
xdp_can()
{
	heddle_can
}

xdp_up() # SETUP
{
	OVERLAY_MODE=xdp overlay_up "$1"
}

xdp_down() # SETUP
{
	overlay_down "$1"
}

kvxlan_can()
{
	:
}

kvxlan_host() # SETUP HOST END ADDRESS
{
	local number ns

	number=$(host_number "$2")
	ns=$(ns_name "$1" "$2")
	ip -n "$ns" link add vx type vxlan id 10 dstport 4789 local "198.51.100.$number" remote "198.51.100.$((3 - number))" &&
		ip -n "$ns" link add name bridge type bridge &&
		ip -n "$ns" link set vx master bridge up &&
		ip -n "$ns" link set bridge up &&
		ip -n "$ns" link add name end type veth peer name eth0 netns "$(ns_name "$1" "$3")" &&
		ip -n "$ns" link set end master bridge up &&
		ip -n "$(ns_name "$1" "$3")" link set eth0 mtu 1450 up &&
		ip -n "$(ns_name "$1" "$3")" address add "$4/24" dev eth0
}

kvxlan_up() # SETUP
{
	two_hosts "$1" "$(setup_number "$1")" && kvxlan_host "$1" host client $CLIENT_IP && kvxlan_host "$1" far server $SERVER_IP
}

# --- peersN, macsN: overlay0 with N peers at each host, of which one answers; with N remote MACs at each, behind the one peer ---

peers_can()
{
	heddle_can
}

# All that do not answer have addresses behind the one that does, which throws away what it gets for them.
peers_yaml() # COUNT TUNNEL_IP
{
	awk -v count="$1" -v ip="$2" 'BEGIN {
		printf "version: 1\npeers:\n  other: { tunnel-ip: %s }\n", ip
		for (i = 1; i < count; i++)
			printf "  p%d: { tunnel-ip: 10.64.%d.%d }\n", i, i / 256, i % 256
	}'
}

peers_host() # SETUP HOST INSTANCE COUNT
{
	local other

	other=198.51.100.$((3 - $(host_number "$2")))
	peers_yaml "$4" "$other" >"$PERF_TMP/$3/peers.yaml"
	ip -n "$(ns_name "$1" "$2")" route add 10.64.0.0/16 via "$other" &&
		hd "$3" apply -f "$PERF_TMP/$3/peers.yaml" >/dev/null && wait_until 30 peers_are_up "$3" "$4"
}

peers_are_up() # INSTANCE COUNT
{
	[ "$(hd "$1" -j peer list | grep -o '"state": *"up"' | wc -l)" = "$2" ]
}

peers_up() # SETUP
{
	local n

	n=$(setup_number "$1")
	overlay_pair "$1" 0 && peers_host "$1" host "$1" "$n" && peers_host "$1" far "${1}b" "$n"
}

peers_down() # SETUP
{
	overlay_down "$1"
}

macs_can()
{
	heddle_can
}

macs_yaml() # COUNT
{
	awk -v count="$1" 'BEGIN {
		print count ? "version: 1\nfdb:" : "version: 1\nfdb: {}"
		for (i = 0; i < count; i++)
			printf "  \"n1/02:01:00:%02x:%02x:%02x\": { peer: other }\n", i / 65536, i / 256 % 256, i % 256
	}'
}

macs_up() # SETUP
{
	local instance

	overlay_pair "$1" 0 || return 1
	macs_yaml "$(setup_number "$1")" >"$PERF_TMP/$1/macs.yaml"
	for instance in "$1" "${1}b"; do
		hd "$instance" apply -f "$PERF_TMP/$1/macs.yaml" >/dev/null || return 1
	done
}

macs_down() # SETUP
{
	overlay_down "$1"
}
