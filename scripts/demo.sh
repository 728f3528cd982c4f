#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# demo.sh [start|stop] - heddle on two hosts, with four namespaces and a tap on one network, a security group, and two tenants behind routers
#
# Everything lives in namespaces that this script makes: "hd-demo-host" and "hd-demo-host2" play the hosts, with a daemon in each, so
# that the machine's own devices and routes are never touched. Their instances are "demo" and "demo2"; another heddle on the machine
# goes on undisturbed.
# B=DIR is the build to use.
set -euo pipefail
cd "$(dirname "$0")/.."

build=${B:-build}
host=hd-demo-host
host2=hd-demo-host2
far=hd-demo-5 # the workload on the second host
vm=hd-demo-vm
outside=hd-demo-net # what is outside of the routers
workloads=(hd-demo-1 hd-demo-2 hd-demo-3)
run_dir=/run/heddle/demo
pins=/sys/fs/bpf/heddle/demo
pins2=/sys/fs/bpf/heddle/demo2
made=$run_dir/demo.namespaces # what this script has made, a line for each
tap_pid=$run_dir/demo.tap

die() {
	echo "demo: $1" >&2
	[ $# -lt 2 ] || echo "hint: $2" >&2
	exit 1
}

say() {
	if [ -t 1 ]; then
		printf '\n\033[1m%s\033[0m\n\n' "$*"
	else
		printf '\n%s\n\n' "$*"
	fi
}

heddle() { "$build/heddle" -i demo "$@"; }
heddle2() { "$build/heddle" -i demo2 "$@"; }

# show COMMAND... - print a command as one would type it, run it, and leave its exit status in $status
show() {
	local line=$1 word

	for word in "${@:2}"; do
		case $word in
		*' '*) line+=" '$word'" ;;
		*) line+=" $word" ;;
		esac
	done
	printf '$ %s\n' "${line/#heddle/$build/heddle -i demo}"
	status=0
	"$@" || status=$?
}

# ping_from NAMESPACE ADDRESS - the same for two pings, without the blank lines
ping_from() {
	show ip netns exec "$1" ping -c 2 -i 0.2 -W 1 "$2" > >(grep -v '^$')
	wait $! # for grep
	echo
}

is_running() {
	local status=0
	heddle status >/dev/null 2>&1 || status=$?
	[ $status -eq 0 ] || [ $status -eq 8 ]
}

is_made() { [ -e $made ] && grep -qx "$1" $made; }

has_ipv6() { [ -e /proc/sys/net/ipv6 ]; }

has_socat() { command -v socat >/dev/null; }

# --- what must be there ---
check_machine() {
	local major minor command

	[ "$(id -u)" = 0 ] || die "this needs root: it makes network namespaces and loads programs into the kernel" "sudo make demo"
	IFS=.- read -r major minor _ < <(uname -r)
	if [ "$major" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 1 ]; }; then
		die "heddle needs Linux 6.1 or later, this is $(uname -r)"
	fi
	for command in ip nsenter ping; do
		command -v $command >/dev/null || die "$command is not installed" "scripts/deps.sh build installs what is missing"
	done
	for command in heddled heddle; do
		[ -x "$build/$command" ] || die "$build/$command is not built" "make all"
	done
}

check_devices() {
	ip -n $host link add probe type veth peer probe2 2>/dev/null ||
		die "this kernel makes no veth devices" "CONFIG_VETH is missing, or the veth module is not installed"
	ip -n $host link del probe
	[ -c /dev/net/tun ] || die "there is no /dev/net/tun, which a tap device needs" "modprobe tun; CONFIG_TUN"
}

# --- start ---
add_namespace() {
	[ ! -e "/run/netns/$1" ] || die "there is a namespace $1 already, and it is not of the demo" "ip netns del $1"
	echo "$1" >>$made # first, so that it is removed even if we are killed at the next line
	ip netns add "$1" 2>/dev/null || die "can't make network namespaces here" "a container needs CAP_SYS_ADMIN for it"
	ip -n "$1" link set lo up
}

# start_daemon NAMESPACE INSTANCE
start_daemon() {
	nsenter --net="/run/netns/$1" "$build/heddled" --instance "$2" --config /dev/null >$run_dir/demo.start 2>&1 || {
		cat $run_dir/demo.start >&2
		die "heddled does not start, see above"
	}
}

# A virtual machine is to heddle a program that holds a tap. Here that is socat; it hands the frames to a second tap, which
# serves as the network card of the namespace $vm.
start_vm() {
	local tries=0

	add_namespace $vm
	nsenter --net=/run/netns/$host setsid socat TUN,tun-name=tap0,tun-type=tap,iff-no-pi,iff-up \
		TUN,tun-name=vm0,tun-type=tap,iff-no-pi </dev/null >$run_dir/demo.socat 2>&1 &
	echo $! >$tap_pid
	until ip -n $host link show vm0 >/dev/null 2>&1 && ip -n $host link show tap0 up 2>/dev/null | grep -q LOWER_UP; do
		[ $((tries += 1)) -lt 100 ] || die "socat made no tap device: $(cat $run_dir/demo.socat)"
		sleep 0.05
	done
	ip -n $host link set vm0 netns $vm
	ip -n $vm link set vm0 name eth0
	ip -n $vm address add 192.0.2.14/24 dev eth0
	! has_ipv6 || ip -n $vm address add 2001:db8::14/64 dev eth0 nodad
	ip -n $vm link set eth0 up
}

configure() {
	local i ip6

	heddle network add blue --type vxlan --id 10
	heddle subnet add blue4 --network blue --cidr 192.0.2.0/24
	heddle subnet add blue6 --network blue --cidr 2001:db8::/64
	for i in 1 2 3; do
		ip6=()
		! has_ipv6 || ip6=(--ip "2001:db8::1$i")
		heddle port add web$i --network blue --netns hd-demo-$i --ifname eth0 --mac 02:00:5e:00:53:1$i \
			--ip 192.0.2.1$i "${ip6[@]}"
	done
	! has_socat || heddle port add vm --network blue --device tap0
}

# --- what it shows ---
# ping_through NAMESPACE ADDRESS - a ping that must be answered
ping_through() {
	ping_from "$1" "$2"
	[ $status -eq 0 ] || die "no answer from $2: heddle does not forward here" "please report it, with 'uname -r'"
}

show_pings() {
	say "They reach each other:"
	ping_through hd-demo-2 192.0.2.13
	! has_ipv6 || ping_through hd-demo-1 2001:db8::12
	! is_made $vm || ping_through $vm 192.0.2.11
	show heddle fdb
}

# A server that says hello to one caller, and then ends.
start_server() {
	local tries=0

	ip netns exec hd-demo-3 timeout 10 socat -u EXEC:'echo hello' TCP-LISTEN:80,reuseaddr &
	until ip netns exec hd-demo-3 ss -Hltn 'sport = :80' | grep -q LISTEN; do
		[ $((tries += 1)) -lt 100 ] || die "socat does not listen on port 80"
		sleep 0.05
	done
}

show_connections() {
	start_server
	show ip netns exec hd-demo-1 socat -u TCP:192.0.2.13:80 -
	[ $status -eq 0 ] || die "no answer from 192.0.2.13: a rule allows it" "please report it, with 'uname -r'"
	show ip netns exec hd-demo-1 socat -u TCP:192.0.2.13:22,connect-timeout=1 -
	[ $status -ne 0 ] || die "192.0.2.13 answered at port 22, which no rule allows" "please report it, with 'uname -r'"
	echo
	show heddle flow --dport 80
	echo
}

show_security() {
	say "They do because they share the group 'default'. A group of its own lets nothing in but what its rules say:"
	show heddle security-group add web
	show heddle security-group rule-add web --direction ingress --protocol tcp --port 80 --remote-group default
	show heddle port set web3 --security-group web
	! has_socat || show_connections
	show heddle drops
	say "Which rule was that? The same programs answer, without a packet being sent:"
	show heddle trace --port web1 'tcp 192.0.2.11:40000 > 192.0.2.13:80'
	echo
	show heddle trace --port web1 'tcp 192.0.2.11:40000 > 192.0.2.13:22'
}

# The second host, on a wire to the first.
start_second() {
	add_namespace $host2
	add_namespace $far
	ip -n $host link add wire type veth peer name wire netns $host2
	ip -n $host addr add 198.51.100.1/24 dev wire
	ip -n $host2 addr add 198.51.100.2/24 dev wire
	ip -n $host link set wire up
	ip -n $host2 link set wire up
	start_daemon $host2 demo2
}

show_second() {
	local tries=0

	say "Another host joins, on a wire of its own. Each says where its tunnels end, and who the other is:"
	cat <<-EOT
		    ┌── hd-demo-host ───┐                          ┌── hd-demo-host2 ──┐
		    │ web1 ... vm  blue ├─ wire ───────────── wire ─┤ blue    far       │
		    └───────────────────┘ 198.51.100.1          .2 └─────────┬─────────┘
		                                                     hd-demo-5, 192.0.2.15
	EOT
	echo
	start_second
	show heddle uplink add wire --tunnel-ip 198.51.100.1
	show heddle peer add host2 --tunnel-ip 198.51.100.2
	show heddle2 uplink add wire --tunnel-ip 198.51.100.2
	show heddle2 peer add host1 --tunnel-ip 198.51.100.1
	show heddle2 network add blue --type vxlan --id 10
	show heddle2 port add far --network blue --netns $far --ifname eth0 --ip 192.0.2.15/24
	show heddle2 security-group rule-add default --direction ingress --protocol icmp
	until heddle peer list | grep -q ' up ' && heddle2 peer list | grep -q ' up '; do
		[ $((tries += 1)) -lt 100 ] || die "the hosts don't reach each other"
		sleep 0.05
	done
	echo
	ping_through hd-demo-1 192.0.2.15
	show heddle peer
	echo
	show heddle trace --port web1 'icmp 192.0.2.11 > 192.0.2.15'
}

# Two tenants with the same addresses, each with a network and a router of its own, and an outside that both go to.
make_tenants() {
	local tenant

	add_namespace $outside
	ip -n $host link add outer type veth peer name eth0 netns $outside
	ip -n $outside addr add 203.0.113.1/24 dev eth0
	ip -n $outside link set eth0 up
	ip -n $host link set outer up
	heddle uplink add outer --physical internet
	heddle network add out --type flat --physical internet
	heddle subnet add out --network out --cidr 203.0.113.0/24 --gateway 203.0.113.1
	for tenant in red green; do
		add_namespace hd-demo-$tenant
		heddle network add $tenant --type local
		heddle subnet add $tenant --network $tenant --cidr 10.0.0.0/24 --gateway 10.0.0.1
		heddle port add $tenant-vm --network $tenant --netns hd-demo-$tenant --ifname eth0 --ip 10.0.0.5
	done
}

# Until the next hops have answered: the first packet to each may be lost.
ping_first() {
	ip netns exec "$1" ping -q -c 3 -i 0.2 -W 1 "$2" >/dev/null || true
}

show_tenants() {
	local tenant

	say "Two tenants with the very same addresses. Each has a router, and both go out by one address:"
	cat <<-EOT
		  hd-demo-red    10.0.0.5 ── red ──── router red ───┐
		                                                    ├─ 203.0.113.10 ── out ── hd-demo-net 203.0.113.1
		  hd-demo-green  10.0.0.5 ── green ── router green ─┘
	EOT
	echo
	make_tenants
	for tenant in red green; do
		show heddle router add $tenant
		show heddle router attach $tenant --subnet $tenant
		show heddle router gateway $tenant --network out --ip 203.0.113.10
	done
	echo
	for tenant in red green; do
		ping_first hd-demo-$tenant 203.0.113.1
		ping_through hd-demo-$tenant 203.0.113.1
	done
	say "From outside nobody gets in, unless there is a floating IP, and then what the group of the port allows:"
	show heddle floating-ip add 203.0.113.20 --router green --port green-vm
	show heddle security-group rule-add default --direction ingress --protocol icmp --remote 203.0.113.0/24
	echo
	ping_through $outside 203.0.113.20
	show heddle trace --port red-vm 'icmp 10.0.0.5 > 203.0.113.1'
}

show_next() {
	cat <<-EOT

		It goes on running. Have a look around:

		  alias hd='$(realpath "$build")/heddle -i demo'
		  hd port; hd peer; hd fdb; hd flow; hd drops what there is; of the second host: -i demo2
		  hd router; hd floating-ip; hd neighbour     the tenants' routers, and whom they know
		  hd security-group show web                  the rules, and what each has let through
		  hd security-group rule-add web --direction ingress --protocol icmp    let web3 be pinged
		  hd monitor                                  what happens, as it happens
		  hd export                                   all of this as a file for 'heddle apply'
		  ip netns exec hd-demo-1 bash                a shell in a workload
		  make demo-stop                              remove everything

		README.md has a ten-minute tour.
	EOT
}

start() {
	check_machine
	if is_running; then
		say "The demo is running already:"
		show heddle status
		show_next
		return
	fi
	remove_all
	trap 'remove_all' EXIT # anything that goes wrong from here leaves nothing behind
	trap 'exit 130' INT TERM
	mkdir -p $run_dir
	add_namespace $host
	check_devices
	for ns in "${workloads[@]}"; do
		add_namespace "$ns"
	done
	if has_socat; then
		start_vm
	else
		echo "demo: socat is not installed: going on without the tap" >&2
	fi
	start_daemon $host demo
	configure

	say "One network, blue, made of eBPF programs and maps:"
	cat <<-EOT
		   hd-demo-1     hd-demo-2     hd-demo-3     hd-demo-vm
		  192.0.2.11    192.0.2.12    192.0.2.13    192.0.2.14
		       │ veth        │ veth        │ veth        │ tap
		    ┌──┴─────────────┴─────────────┴─────────────┴──┐
		    │ web1          web2          web3           vm │   hd-demo-host
		    └──────────────────── blue ─────────────────────┘

	EOT
	show heddle port
	show_pings
	show_security
	show_second
	show_tenants
	say "Is all well?"
	show heddle status
	trap - EXIT
	show_next
}

# --- stop ---
stop_vm() {
	local pid

	[ -e $tap_pid ] || return 0
	pid=$(<$tap_pid)
	if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = socat ]; then
		kill "$pid" 2>/dev/null || true
	fi
	rm -f $tap_pid
}

# Purge takes the daemon: one that was killed is started again for it.
stop_daemon() {
	[ -x "$build/heddle" ] || return 0
	heddle2 purge --yes </dev/null >/dev/null 2>&1 || true # what it leaves goes with its namespace and its pins
	if ! is_running; then
		[ -e /run/netns/$host ] && is_made $host && [ -d $pins ] && (start_daemon $host demo) || return 0
	fi
	heddle purge --yes </dev/null || true
}

remove_namespaces() {
	local ns

	[ -e $made ] || return 0
	while read -r ns; do
		[ ! -e "/run/netns/$ns" ] || ip netns del "$ns"
	done <$made
}

# Also after a start that stopped half-way: removes what is there, and is content with nothing.
remove_all() {
	trap - EXIT
	stop_daemon
	stop_vm
	remove_namespaces
	rm -rf $run_dir /run/heddle/demo2 /var/lib/heddle/demo /var/lib/heddle/demo2 $pins $pins2 # the pins of a daemon that could not be started again
	rmdir --ignore-fail-on-non-empty /run/heddle /var/lib/heddle 2>/dev/null || true
}

case ${1:-start} in
start) start ;;
stop)
	[ "$(id -u)" = 0 ] || die "this needs root" "sudo make demo-stop"
	remove_all
	echo "demo: nothing of it is left"
	;;
*)
	echo "usage: demo.sh [start|stop]" >&2
	exit 2
	;;
esac
