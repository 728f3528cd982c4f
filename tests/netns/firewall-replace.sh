#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Rules of a firewall replaced 100 times under load: no forbidden packet gets in, no allowed one is lost, and each that is dropped is counted.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add net1 --type local
hd network add net2 --type local
hd subnet add four1 --network net1 --cidr 10.0.20.0/24 --gateway 10.0.20.254
hd subnet add four2 --network net2 --cidr 10.0.21.0/24 --gateway 10.0.21.254
hd router add r
hd router attach r --subnet four1
hd router attach r --subnet four2
for number in 1 2; do
	name=$(tr 12 ab <<<$number)
	bare net1 "$name" $number --mac "02:00:00:00:00:0$number" --ip "10.0.20.$number" --no-security
done
bare net2 s 3 --mac 02:00:00:00:00:03 --ip 10.0.21.3 --no-security

# Each of them allows UDP 5000 from a, all in different ways and among others that change; none allows it from b, or 6000 from a. What decides
# stands at another place each time, and with rules in front of it and behind it that would decide otherwise.
# file N FRONT BACK: the N-th set, with many rules between the two that mean nothing here: what is slower gets fewer
MANY=500
! is_sanitized || MANY=20
file() {
	printf 'version: 1\nfirewalls:\n  f:\n    router: r\n    rules:\n'
	printf '%s\n' "$2" | sed 's/.*/    - {&}/'
	awk -v n="$1" -v many=$MANY 'BEGIN {
		for (i = 0; i < many * n; i++)
			print "    - {action: deny, protocol: tcp, from: 10." 50 + 8 * n + int(i / 256) "." i % 256 ".0/" 25 + i % 7 "}"
	}'
	printf '%s\n' "$3" | sed 's/.*/    - {&}/'
}
file 0 "action: allow, protocol: udp, port: 4990-5500, to: 10.0.21.3/32, from: 10.0.20.1/32" "action: deny, to: 10.0.0.0/8
action: allow" >"$T/set0.yaml"
file 1 "action: deny, protocol: udp, port: '6000'" "action: allow, from: 10.0.20.0/31, to: 10.0.21.0/24
action: deny, from: 10.0.20.0/24
action: allow" >"$T/set1.yaml"
# From the next set to the one behind it: if rows were written one by one, that which allows all of the subnet would be there before that which denies b.
file 3 "action: deny, protocol: udp, from: 10.9.9.0/24
action: allow, protocol: udp, port: '5000', from: 10.0.20.1/32" "action: deny" >"$T/set2.yaml"
file 4 "action: deny, protocol: udp, from: 10.0.20.2/32
action: deny, protocol: udp, port: '6000'
action: allow, protocol: udp, from: 10.0.20.0/24" "action: deny" >"$T/set3.yaml"
hd apply -f "$T/set0.yaml" >/dev/null

cat >"$T/load.py" <<'PY'
import subprocess, threading
from lab import *

REPLACEMENTS, RATE = 100, 1000
*argv, files, heddle, instance, router = sys.argv[1:]
lab = Lab(argv)
os.sched_setaffinity(0, range(os.cpu_count()))
a, b, s = lab.ends
s.address[4] = "10.0.21.3"

def packet(end, other, **ports):
    frame = end.to(other) / UDP(chksum=0, **ports) / Raw(bytes(16))
    frame.dst = router
    return bytearray(bytes(frame))

def maker(end, dport, fresh):
    """Frames with a number; each a flow of its own, or all the same one."""
    base = packet(end, s, sport=1000, dport=dport)
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
        if run.returncode or "firewall f" not in run.stdout:
            errors.append(run.stderr or "no change: " + run.stdout)
    done.set()

def take(wire, frame):
    if wire is s.wire:
        stream, number = struct.unpack_from("!IQ", frame, 42)
        got[names[stream]][number] += 1

# The established flow is one that has been answered.
end, make = streams["established"]
end.wire.send(make(0))
s.wire.send(bytes(packet(s, a, sport=5000, dport=1000)))
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
same("dropped", {("firewall", "a"): sent["forbidden port"], ("firewall", "b"): sent["forbidden sender"]}, lab.lost())
seconds = time.monotonic() - start
print(f"note: {REPLACEMENTS} replacements in {seconds:.1f} s: {sent['established'] + sent['new flows']} allowed, 0 lost;",
      f"{sent['forbidden port'] + sent['forbidden sender']} forbidden, 0 in")
PY
lab "$T/load.py" a=1 b=2 s=3 "$T" "$B/heddle" "$I" "$(hd -j router show r | jq -r .mac)"
