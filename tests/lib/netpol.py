# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""netpol.py - Kubernetes NetworkPolicy, twice: as what a controller tells heddle, and as a small model that knows nothing of heddle

class Controller is docs/kubernetes.md as a program. allowed() is the API's text as a program: it looks at pods and policies only. A policy is the
"spec" of a NetworkPolicy with the names of its namespace and itself.
"""
import hashlib
import ipaddress
import itertools

NAMESPACE = "kubernetes.io/metadata.name"
BOTH = ("Ingress", "Egress")


class Pod:
    def __init__(self, name, namespace, labels, addresses):
        self.name, self.namespace, self.labels, self.addresses = name, namespace, labels, addresses


# ---- the model ----

def selects(selector, labels):
    """A LabelSelector; an empty one selects everything."""
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for e in selector.get("matchExpressions", []):
        has = e["key"] in labels
        among = has and labels[e["key"]] in e.get("values", [])
        if not {"In": among, "NotIn": not among, "Exists": has, "DoesNotExist": not has}[e["operator"]]:
            return False
    return True


def peer_is(peer, policy, other, address, namespaces):
    if "ipBlock" in peer:
        inside = lambda block: ipaddress.ip_address(address) in ipaddress.ip_network(block)
        return inside(peer["ipBlock"]["cidr"]) and not any(map(inside, peer["ipBlock"].get("except", [])))
    if other is None:
        return False
    if "namespaceSelector" in peer:
        if not selects(peer["namespaceSelector"], namespaces[other.namespace]):
            return False
    elif other.namespace != policy["namespace"]:
        return False
    return selects(peer.get("podSelector", {}), other.labels)


def port_is(want, protocol, port):
    if want.get("protocol", "TCP") != protocol:
        return False
    return "port" not in want or want["port"] <= port <= want.get("endPort", want["port"])


def rule_allows(rule, peers, policy, other, address, protocol, port, namespaces):
    return (not rule.get("ports") or any(port_is(p, protocol, port) for p in rule["ports"])) and \
           (not rule.get(peers) or any(peer_is(p, policy, other, address, namespaces) for p in rule[peers]))


def types_of(policy):
    return policy.get("policyTypes") or ["Ingress"] + ["Egress"] * ("egress" in policy)


def side_allows(policies, namespaces, kind, pod, other, address, protocol, port):
    """Of one end. @other: pod at the other end, None if it is none; @address: that end's."""
    if pod is None:
        return True
    isolating = [p for p in policies if p["namespace"] == pod.namespace and kind in types_of(p) and
                 selects(p["podSelector"], pod.labels)]
    peers = "from" if kind == "Ingress" else "to"
    return not isolating or any(rule_allows(rule, peers, p, other, address, protocol, port, namespaces)
                                for p in isolating for rule in p.get(kind.lower(), []))


def allowed(policies, namespaces, src, src_address, dst, dst_address, protocol, port):
    return side_allows(policies, namespaces, "Egress", src, dst, dst_address, protocol, port) and \
        side_allows(policies, namespaces, "Ingress", dst, src, src_address, protocol, port)


# ---- the controller ----

def of_namespace(key):
    """A label of the namespace, as a label of the pods in it."""
    domain, slash, name = key.rpartition("/")
    return f"ns.{domain}/{name}" if slash else f"ns/{name}"


def port_labels(pod, namespaces):
    return [f"{k}={v}" for k, v in sorted(pod.labels.items())] + \
           [f"{of_namespace(k)}={v}" for k, v in sorted(namespaces[pod.namespace].items())]


class Controller:
    """Objects of a heddle.yaml for a set of policies."""

    def __init__(self, namespaces):
        self.namespaces = namespaces
        self.groups = {}

    def selectors(self, selector, rename=lambda key: key):
        """A LabelSelector as lists of selectors, of which one must match: a group each. "In" is why there may be several. What heddle does not
        select by (NotIn, DoesNotExist) a controller works out itself, and marks those pods with a label of its own."""
        choices = [[f"{rename(k)}={v}"] for k, v in sorted(selector.get("matchLabels", {}).items())]
        for e in selector.get("matchExpressions", []):
            choices.append([f"{rename(e['key'])}={v}" for v in e["values"]] if e["operator"] == "In" else [rename(e["key"])])
        return [list(choice) for choice in itertools.product(*choices)]

    def in_namespace(self, namespace):
        return [[f"{of_namespace(NAMESPACE)}={namespace}"]]

    def peer_groups(self, peer, policy):
        """Names of groups that isolate nothing, and only say who is meant."""
        spaces = self.in_namespace(policy["namespace"])
        if "namespaceSelector" in peer:
            spaces = self.selectors(peer["namespaceSelector"], of_namespace)
        names = []
        for space, pods in itertools.product(spaces, self.selectors(peer.get("podSelector", {}))):
            select = sorted(set(space + pods)) or [of_namespace(NAMESPACE)]  # all pods: whoever has a namespace
            name = "peer-" + hashlib.sha1(repr(select).encode()).hexdigest()[:16]
            self.groups[name] = {"select": select, "isolate": ["none"], "rules": []}
            names.append(name)
        return names

    def remotes(self, peers, policy):
        for peer in peers:
            if "ipBlock" in peer:
                block = peer["ipBlock"]
                yield {"remote": block["cidr"], **({"except": block["except"]} if block.get("except") else {})}
            else:
                yield from ({"remote-group": name} for name in self.peer_groups(peer, policy))

    @staticmethod
    def ports(wanted):
        for port in wanted:
            rule = {"protocol": port.get("protocol", "TCP").lower()}
            if "port" in port:
                rule["port"] = f"{port['port']}-{port.get('endPort', port['port'])}"
            yield rule

    def rules(self, policy, kind):
        if kind not in types_of(policy):
            return [{"direction": kind.lower()}]  # open, unless another policy isolates it
        made = []
        for rule in policy.get(kind.lower(), []):
            peers = rule.get("from" if kind == "Ingress" else "to")
            remotes = list(self.remotes(peers, policy)) if peers else [{}]
            for remote, port in itertools.product(remotes, list(self.ports(rule.get("ports") or [])) or [{}]):
                one = {"direction": kind.lower(), **remote, **port}
                made += [] if one in made else [one]
        return made

    def add(self, policy):
        rules = self.rules(policy, "Ingress") + self.rules(policy, "Egress")
        spaces = self.in_namespace(policy["namespace"])
        for n, pods in enumerate(self.selectors(policy["podSelector"])):
            self.groups[f"np-{policy['namespace']}-{policy['name']}-{n}"] = {
                "select": spaces[0] + pods, "isolate": [t.lower() for t in types_of(policy)], "rules": rules}

    def file(self):
        """Pods that no policy selects are open: that is what `default` says."""
        default = {"rules": [{"direction": "ingress"}, {"direction": "egress"}]}
        return {"version": 1, "security-groups": {"default": default, **self.groups}}
