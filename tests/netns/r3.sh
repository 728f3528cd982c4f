#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Promise R3: rules replaced 100 times under load: no forbidden packet gets in, no allowed one is lost.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
hd security-group add client
hd security-group add server
mute blue a 1 --security-group client
mute blue b 2
mute blue s 3 --security-group server

# Each of them allows UDP 5000 from a, all in different ways and among others that change; none allows it from b, or 6000 from a.
# file N RULE: the N-th set
file() {
	local i

	printf 'version: 1\nsecurity-groups:\n  client: {}\n  server:\n    rules:\n'
	for i in $(seq 40); do
		echo "    - {direction: ingress, protocol: tcp, port: '$((RANDOM + 1))', remote: 10.$1.$i.0/$((RANDOM % 8 + 24))}"
	done
	echo "    - $2"
}
file 1 "{direction: ingress, protocol: udp, port: '5000', remote: 10.0.20.1/32}" >"$T/set0.yaml"
file 2 "{direction: ingress, protocol: udp, port: 4990-5500, remote-group: client}" >"$T/set1.yaml"
file 3 "{direction: ingress, protocol: udp, port: 1000-5999, remote: 10.0.20.0/31}" >"$T/set2.yaml"
file 4 "{direction: ingress, protocol: udp, port: '5000', remote-group: client, ethertype: ipv4}" >"$T/set3.yaml"
hd apply -f "$T/set0.yaml" >/dev/null

cat >"$T/load.py" <<'PY'
import subprocess, threading
from lab import *

REPLACEMENTS, RATE = 100, 1000
*argv, files, heddle, instance = sys.argv[1:]
lab = Lab(argv)
os.sched_setaffinity(0, range(os.cpu_count()))
a, b, s = lab.ends

def maker(end, dport, fresh):
    """Frames with a number; each a flow of its own, or all the same one."""
    base = bytearray(bytes(end.to(s) / UDP(sport=1000, dport=dport, chksum=0) / Raw(bytes(16))))
    def make(number):
        if fresh:
            struct.pack_into("!H", base, 34, 2000 + number % 60000)
        struct.pack_into("!IQ", base, 42, id(make) & 0xFFFFFFFF, number)
        return bytes(base)
    return end, make

streams = {"established": maker(a, 5000, False), "new flows": maker(a, 5000, True),
           "forbidden port": maker(a, 6000, True), "forbidden sender": maker(b, 5000, True)}
sent = dict.fromkeys(streams, 0)
got = {name: collections.Counter() for name in streams}
names = {id(make) & 0xFFFFFFFF: name for name, (_, make) in streams.items()}
done = threading.Event()
errors = []

def replace():
    for i in range(REPLACEMENTS):
        run = subprocess.run([heddle, "-i", instance, "apply", "-f", f"{files}/set{(i + 1) % 4}.yaml"], capture_output=True, text=True)
        if run.returncode or "server" not in run.stdout:
            errors.append(run.stderr or "no change: " + run.stdout)
    done.set()

def take(wire, frame):
    if wire is s.wire:
        stream, number = struct.unpack_from("!IQ", frame, 42)
        got[names[stream]][number] += 1

# The established flow is one that has been answered.
end, make = streams["established"]
end.wire.send(make(0))
s.wire.send(bytes(s.to(a) / UDP(sport=5000, dport=1000) / Raw(bytes(16))))
sent["established"] = 1
same("flow", ["established"], [f["state"] for f in lab.flows("?dport=5000")])

thread = threading.Thread(target=replace)
start = time.monotonic()
thread.start()
while not done.is_set():
    due = int((time.monotonic() - start) * RATE)
    for name, (end, make) in streams.items():
        for number in range(sent[name], min(due, sent[name] + 50)):
            end.wire.send(make(number))
            sent[name] = number + 1
    for frame in s.wire.receive():
        take(s.wire, frame)
    time.sleep(0.0005)
thread.join()
gather([s.wire], 0.3, take=take)
check(not errors, "apply:", errors[:1])
for name in ("established", "new flows"):
    lost = [n for n in range(sent[name]) if n not in got[name]]
    check(not lost, f"{name}: {len(lost)} of {sent[name]} lost, first {lost[:5]}, of them by reason: {lab.lost()}")
    check(set(got[name].values()) == {1}, name, "doubled")
for name in ("forbidden port", "forbidden sender"):
    check(not got[name], f"{name}: {len(got[name])} of {sent[name]} got in, first {sorted(got[name])[:5]}")
same("dropped", {("group-ingress", "s"): sent["forbidden port"] + sent["forbidden sender"]}, lab.lost())
seconds = time.monotonic() - start
print(f"note: {REPLACEMENTS} replacements in {seconds:.1f} s: {sent['established'] + sent['new flows']} allowed, 0 lost;",
      f"{sent['forbidden port'] + sent['forbidden sender']} forbidden, 0 in")
PY
lab "$T/load.py" a=1 b=2 s=3 "$T" "$B/heddle" "$I"
