# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""kubernetes.py - the matrix of kubernetes.sh"""
import functools
import random

import netpol
from lab import *

lab = Lab(sys.argv[1:])
*ends, out = lab.ends
NAMESPACES = {"shop": {netpol.NAMESPACE: "shop", "team": "a"}, "ops": {netpol.NAMESPACE: "ops", "team": "b"},
              "lab": {netpol.NAMESPACE: "lab"}}
WHO = {"web1": ("shop", {"app": "web", "tier": "front"}), "web2": ("shop", {"app": "web"}), "db1": ("shop", {"app": "db"}),
       "web3": ("ops", {"app": "web"}), "mon": ("ops", {"app": "mon", "x.org/role": "watch"}), "cli": ("lab", {})}
PODS = {e.name: netpol.Pod(e.name, *WHO[e.name], e.address) for e in ends}
OUTSIDE = {4: ("172.20.0.1", "172.20.5.1", "172.20.5.77", "198.51.100.1"), 6: ("2001:db8:f::1", "2001:db8:f:1::1")}
PORTS = (("TCP", 80), ("TCP", 90), ("TCP", 8080), ("UDP", 53), ("UDP", 5000), ("SCTP", 80))
IP_PROTOCOL = {"TCP": 6, "UDP": 17, "SCTP": 132}


def policy(name, namespace, pods=None, **more):
    return {"name": name, "namespace": namespace, "podSelector": pods or {}, **more}


def app(name):
    return {"matchLabels": {"app": name}}


def ns(name):
    return {"matchLabels": {netpol.NAMESPACE: name}}


def block(cidr, *exceptions):
    return {"ipBlock": {"cidr": cidr, **({"except": list(exceptions)} if exceptions else {})}}


WEB80 = {"ports": [{"port": 80}]}
DENY_IN = policy("deny-in", "shop", policyTypes=["Ingress"])
DENY_OUT = policy("deny-out", "shop", policyTypes=["Egress"])
DENY_ALL = policy("deny-all", "shop", policyTypes=["Ingress", "Egress"])
ALLOW_IN = policy("allow-in", "shop", ingress=[{}])
FRONT = policy("front", "shop", app("db"), ingress=[{"from": [{"podSelector": app("web")}], **WEB80}])
FROM_OPS = policy("from-ops", "shop", app("db"), ingress=[{"from": [{"namespaceSelector": ns("ops")}]}])
OPS_MON = policy("ops-mon", "shop", ingress=[{"from": [{"namespaceSelector": ns("ops"), "podSelector": app("mon")}]}])
OPS_OR_WEB = policy("or", "shop", app("db"), ingress=[{"from": [{"namespaceSelector": ns("ops")}, {"podSelector": app("web")}]}])
ALL_NS = policy("all-ns", "shop", ingress=[{"from": [{"namespaceSelector": {}}], "ports": [{"protocol": "UDP", "port": 53}]}])
DNS_ONLY = policy("dns", "shop", app("web"), policyTypes=["Egress"], egress=[{"to": [{"podSelector": app("db")}],
                  "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}])
RANGE = policy("range", "ops", ingress=[{"ports": [{"port": 1, "endPort": 79}, {"port": 8000, "endPort": 9000},
               {"protocol": "UDP", "port": 4999, "endPort": 5001}, {"protocol": "SCTP"}]}])
BLOCK = policy("block", "ops", policyTypes=["Ingress", "Egress"],
               ingress=[{"from": [block("172.20.0.0/16", "172.20.5.0/24")]}],
               egress=[{"to": [block("0.0.0.0/0", "172.20.5.64/26", "10.0.20.3/32"), block("2001:db8:f::/48", "2001:db8:f:1::/64")]}])
IN_SET = policy("in", "shop", {"matchExpressions": [{"key": "app", "operator": "In", "values": ["db", "cache"]}]},
                ingress=[{"from": [{"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
                                    "podSelector": {"matchExpressions": [{"key": "app", "operator": "In",
                                                                          "values": ["web", "mon"]}]}}]}])
ROLE = policy("role", "ops", {"matchLabels": {"x.org/role": "watch"}}, policyTypes=["Ingress", "Egress"],
              egress=[{"to": [{"namespaceSelector": ns("lab")}]}])
LAB = policy("lab", "lab", policyTypes=["Egress"], egress=[{"to": [{"podSelector": {}}]}])
NAMED = (DENY_IN, DENY_OUT, DENY_ALL, ALLOW_IN, FRONT, FROM_OPS, OPS_MON, OPS_OR_WEB, ALL_NS, DNS_ONLY, RANGE, BLOCK, IN_SET, ROLE, LAB)


def apply(policies):
    controller = netpol.Controller(NAMESPACES)
    for one in policies:
        controller.add(one)
    lab.api.must("POST", "apply", controller.file())


def ways(v):
    """(sender, its pod, source, receiver, its pod, destination)"""
    for a in ends:
        for b in ends:
            if a is not b:
                yield a, PODS[a.name], a.address[v], b, PODS[b.name], b.address[v]
        for address in OUTSIDE[v]:
            yield a, PODS[a.name], a.address[v], out, None, address
            yield out, None, address, a, PODS[a.name], a.address[v]


count = 0


@functools.cache
def template(a, src, b, dst, v, protocol, port):
    kind = IP(src=src, dst=dst, proto=IP_PROTOCOL[protocol]) if v == 4 else IPv6(src=src, dst=dst, nh=IP_PROTOCOL[protocol])
    l4 = {"TCP": TCP(dport=port, flags="S"), "UDP": UDP(dport=port),
          "SCTP": Raw(struct.pack("!HHII", 0, port, 0, 0) + bytes([1, 0, 0, 20]) + bytes(16))}[protocol]
    return bytearray(bytes(Ether(src=a.mac, dst=b.mac) / kind / l4 / lab.payload()))


def frame_of(*way):
    """A flow of its own each time: the packet is the first of it. Nobody looks at its checksum."""
    global count
    count += 1
    frame = bytearray(template(*way))
    struct.pack_into("!H", frame, 34 if way[4] == 4 else 54, 1024 + count % 60000)
    struct.pack_into("!I", frame, len(frame) - 4, count)
    return bytes(frame)


def matrix(what, policies):
    apply(policies)
    due, yes, sent = {}, 0, []
    for v in (4, 6):
        for a, pod, src, b, other, dst in ways(v):
            for protocol, port in PORTS:
                frame = frame_of(a, src, b, dst, v, protocol, port)
                truth = netpol.allowed(policies, NAMESPACES, pod, src, other, dst, protocol, port)
                due[frame] = (b if truth else None, f"{what}: {a} {src} to {b} {dst} {protocol} {port}")
                yes += truth
                sent.append((a, frame))
    got = {}

    def take(wire, frame):
        if frame in due:
            check(frame not in got, due[frame][1], "came twice")
            got[frame] = lab.by_wire[wire]

    for a, frame in sent:
        a.wire.send(frame)
        if len(got) % 64 == 0:
            gather([e.wire for e in lab.ends], 0, take=take)
    gather([e.wire for e in lab.ends], 3, lambda: len(got) >= yes, take)
    gather([e.wire for e in lab.ends], 0.05, take=take)
    for frame, (end, way) in due.items():
        check(got.get(frame) is end, way, "expected", end or "nothing", "got", got.get(frame) or "nothing")
    return len(due), yes


def drawn(rng):
    """Whatever is drawn together, a direction of a pod has less than 64 shapes: 17 sorts of remotes with 3 of ports."""
    pods = lambda: rng.choice([{}, app("web"), app("db"), app("none"), {"matchLabels": {"app": "web", "tier": "front"}},
                               {"matchExpressions": [{"key": "app", "operator": "Exists"}]}])
    spaces = lambda: rng.choice([{}, ns("shop"), ns("ops"), {"matchLabels": {"team": "b"}}])
    peer = lambda: rng.choice([{"podSelector": pods()}, {"namespaceSelector": spaces()},
                               {"namespaceSelector": spaces(), "podSelector": pods()},
                               block("172.20.0.0/20", "172.20.5.0/24"), block("10.0.20.0/28", "10.0.20.4/30", "10.0.20.1/32"),
                               block("2001:db8::/40", "2001:db8:8::/45")])
    port = lambda: rng.choice([{"port": 80}, {"port": 80, "endPort": 95}, {"protocol": "UDP", "port": 53},
                               {"protocol": "SCTP", "port": 80}])
    rule = lambda peers: {k: v for k, v in ((peers, [peer() for _ in range(rng.randrange(3))]),
                                            ("ports", [port() for _ in range(rng.randrange(3))])) if v}
    types = rng.choice([["Ingress"], ["Egress"], ["Ingress", "Egress"]])
    return policy(f"p{rng.randrange(10**9)}", rng.choice(list(NAMESPACES)), pods(), policyTypes=types,
                  ingress=[rule("from") for _ in range(rng.randrange(3))], egress=[rule("to") for _ in range(rng.randrange(3))])


for pod in PODS.values():
    lab.api.must("PATCH", f"ports/{pod.name}", {"label": netpol.port_labels(pod, NAMESPACES)})
sets = [("no policy", [])] + [(p["name"], [p]) for p in NAMED]
sets += [("union", [DENY_IN, FRONT, FROM_OPS]), ("one direction each", [DENY_IN, DNS_ONLY]), ("reopened", [DENY_ALL, ALLOW_IN]),
         ("all", list(NAMED))]
seed = int.from_bytes(os.urandom(4), "big")
rng = random.Random(seed)
sets += [(f"seed {seed}, {n}", [drawn(rng) for _ in range(rng.randrange(1, 6))]) for n in range(8)]
tries = reached = 0
for what, policies in sets:
    n, yes = matrix(what, policies)
    tries, reached = tries + n, reached + yes
check(reached not in (0, tries), "nothing is told apart")
print(f"note: {len(sets)} sets of policies, {tries} packets, {reached} of them allowed: each as the model says")
