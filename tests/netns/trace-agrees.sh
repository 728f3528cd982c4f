#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A trace says what becomes of the packet when it really comes, and changes nothing: 300 random packets both ways.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

# No flow may end of age between two looks, however slow the machine is.
printf 'timeouts:\n  tcp-half-open: 600\n  tcp-closed: 600\n  udp-new: 600\n  icmp: 600\n  other: 600\n' >"$T/heddled.conf"
host
hd network add blue --type local
hd subnet add blue4 --network blue --cidr 10.0.20.0/24 --gateway 10.0.20.254
hd security-group add server
allow server --direction ingress --protocol tcp --port 80
allow server --direction ingress --protocol udp --port 53-54 --remote 10.0.20.1/32
allow server --direction ingress --protocol udp --port 53 --remote-group server
allow server --direction ingress --protocol icmp --icmp-type 8
allow server --direction ingress --protocol icmpv6 --icmp-type 128 --remote 2001:db8::/127
hd security-group add closed
hd security-group rule-del closed "$(hd -j security-group show closed | jq '.rules[0].id')"
mute blue a 1
mute blue b 2
mute blue s 3 --security-group server
mute blue closed 4 --security-group closed
mute blue router 5 --no-security

cat >"$T/agree.py" <<'PY'
import random
from lab import *

TRIES = 300
lab = Lab(sys.argv[1:])
seed = int.from_bytes(os.urandom(4), "big")
random.seed(seed)
pick, chance = random.choice, random.random
PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132, "253": 253}

def bracketed(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

def packet():
    """(who sends it, in words, as bytes): mostly between workloads as they are, sometimes not."""
    version, kind = pick((4, 6)), pick(("tcp", "tcp", "udp", "udp", "icmp", "arp", "253", "sctp"))
    sender, to = random.sample(lab.ends, 2)
    head = sender.to(to, version)
    words = ""
    if chance() < 0.1:
        head[1].src = {4: "10.0.20.99", 6: "2001:db8::99"}[version] if chance() < 0.5 else pick(lab.ends).address[version]
    if chance() < 0.05:
        head.src = "02:00:00:00:00:66"
        words += " src-mac 02:00:00:00:00:66"
    if chance() < 0.1:
        head.dst = pick(("02:00:00:00:00:77", "ff:ff:ff:ff:ff:ff"))
        words += f" dst-mac {head.dst}"
    source, target = head[1].src, head[1].dst
    if kind == "arp":
        if head.dst == to.mac:
            head.dst = BROADCAST
        tell = "10.0.20.254" if chance() < 0.2 else sender.address[4]
        frame = Ether(src=sender.mac, dst=BROADCAST) / ARP(hwsrc=sender.mac, psrc=tell, pdst=to.address[4])
        return sender, f"arp who-has {to.address[4]} tell {tell}", bytes(frame)
    if kind == "icmp":
        number, reply = pick((7, 8)), chance() < 0.5
        echo = {4: ICMP(type=0 if reply else 8, id=number), 6: (ICMPv6EchoReply if reply else ICMPv6EchoRequest)(id=number)}[version]
        name, code = ("icmp", 0 if reply else 8) if version == 4 else ("icmpv6", 129 if reply else 128)
        return sender, f"{name} {source} > {target} type {code} id {number}{words}", bytes(head / echo)
    if kind == "253":
        head[1].fields["proto" if version == 4 else "nh"] = 253
        return sender, f"253 {source} > {target}{words}", bytes(head / Raw(bytes(8)))
    ports = pick(((1000, pick((80, 81, 53, 54, 68))), (pick((80, 81, 53, 54, 67)), 1000)))
    text = f"{kind} {bracketed(source, ports[0])} > {bracketed(target, ports[1])}"
    if kind == "tcp":
        flags = pick(("syn", "syn ack", "ack", "ack fin", "rst"))
        bits = "".join(flag[0].upper() for flag in flags.split())
        return sender, f"{text} {flags}{words}", bytes(head / TCP(sport=ports[0], dport=ports[1], flags=bits))
    if kind == "udp":
        return sender, text + words, bytes(head / UDP(sport=ports[0], dport=ports[1]))
    head[1].fields["proto" if version == 4 else "nh"] = 132
    return sender, text + words, bytes(head / Raw(struct.pack("!HHII", *ports, 0, 0)))

def state():
    """All that a packet could change."""
    ages = {"age", "idle", "timeout"}
    flows = sorted(json.dumps({k: v for k, v in flow.items() if k not in ages}, sort_keys=True) for flow in lab.flows())
    fdb = sorted(json.dumps({k: v for k, v in row.items() if k != "age"}, sort_keys=True) for row in lab.api.get("fdb"))
    return flows, fdb, lab.api.get("ports"), lab.api.get("drops"), lab.api.get("security-groups")

def truth(sender, frame):
    """(who got it, why it was dropped at whom) of the real packet. Where it is flooded, each denial is one."""
    before = lab.api.drops()
    sender.wire.send(frame)
    got = []
    lab_take = lambda wire, data: got.append(lab.by_wire[wire].name)
    gather([e.wire for e in lab.ends], 0.004, take=lab_take)
    after = lab.api.drops()
    causes = {cause for cause in after if after[cause] != before[cause]}
    if not got and not causes:
        gather([e.wire for e in lab.ends], 0.3, lambda: got, lab_take)
    return sorted(got), {reason for reason, _ in causes}

verdicts = collections.Counter()
for i in range(TRIES):
    sender, words, frame = packet()
    before = state()
    said = lab.api.must("POST", "trace", {"port": sender.name, "packet": words})
    after = state()
    for what, x, y in zip(("flows", "fdb", "ports", "drops", "rules"), before, after):
        same(f"seed {seed}: the trace of '{words}' from {sender} changed the {what}", x, y)
    got, reasons = truth(sender, frame)
    where = f"seed {seed}, packet {i}: {sender}: {words}: trace says {said['verdict']} {said['to']} {said['reason']}, in truth {got} {sorted(reasons)}"
    if got:
        check(said["verdict"] in ("delivered", "flooded") and sorted(said["to"]) == got, where)
    else:
        check(said["verdict"] == "dropped" and said["reason"] in reasons, where)
    verdicts[said["verdict"], said["reason"]] += 1
check(len(verdicts) > 6, "too little variety:", verdicts)
print(f"note: seed {seed}: {TRIES} packets, trace and truth agree;", ", ".join(sorted({reason or verdict for verdict, reason in verdicts})))
PY
lab "$T/agree.py" a=1 b=2 s=3 closed=4 router=5
