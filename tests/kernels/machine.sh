#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# machine.sh COMMAND - process 1 of a guest once its root is there: make it look like a machine, run the command, switch it off
#
# MODULES: folder of the kernel's modules, on the host.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root

for fs in proc:/proc sysfs:/sys devtmpfs:/dev tmpfs:/run tmpfs:/dev/shm devpts:/dev/pts cgroup2:/sys/fs/cgroup; do
	mkdir -p "${fs#*:}"
	mount -t "${fs%:*}" none "${fs#*:}"
done
ln -s /proc/self/fd /dev/fd
mkdir -p /lib/modules
mount --bind "$MODULES" /lib/modules
exec </dev/null >/dev/ttyS1 2>&1
stty raw <&1 # no carriage returns
ip link set lo up
modprobe tun # whose device file nobody else makes
echo "Linux $(uname -r), up after $(cut -d' ' -f1 /proc/uptime) s"
bash -c "$1"
echo "done after $(cut -d' ' -f1 /proc/uptime) s"
sync
busybox poweroff -f
sleep 100 # not the end of process 1 before that of the machine
