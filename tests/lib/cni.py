# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""cni.py - calls heddle-cni as a container runtime would, and looks at what it answers

Runs in the namespace that plays the host: cni.py BUILD INSTANCE PREFIX SCRATCH. Each case is a function; they run in order, and each leaves
nothing behind: ports, groups, forwards and networks are compared after each.
"""
import concurrent.futures
import json
import os
import subprocess
import sys
import time

BUILD, INSTANCE, PREFIX, SCRATCH = sys.argv[1:5]
PLUGIN = BUILD + "/heddle-cni"
VERSIONS = ["0.3.1", "0.4.0", "1.0.0", "1.1.0"]
CASES = []


def case(function):
    CASES.append(function)
    return function


def sh(*words, check=True):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def heddle(*words):
    return json.loads(sh(BUILD + "/heddle", "-i", INSTANCE, "-j", *words))


def state():
    return {noun: sorted(o["name"] for o in heddle(noun, "list"))
            for noun in ("port", "network", "subnet", "security-group", "port-forward")}


def netns(name):
    sh("ip", "netns", "add", f"{PREFIX}-{name}")
    return f"/run/netns/{PREFIX}-{name}"


def drop(path):
    sh("ip", "netns", "del", os.path.basename(path))


def links(path):
    out = json.loads(sh("ip", "-n", os.path.basename(path), "-j", "addr"))
    return {link["ifname"]: link for link in out if link["ifname"] != "lo"}


def conf(version="1.0.0", **more):
    return {"cniVersion": version, "name": "lab", "type": "heddle-cni", "instance": INSTANCE, **more}


def call(command, given, container="c1", ns="", ifname="eth0", env=(), raw=None):
    """Exit status, and the JSON that is on stdout: nothing, or one object and nothing else."""
    environment = {"PATH": os.environ["PATH"], "HEDDLE_RUN_DIR": os.environ["HEDDLE_RUN_DIR"], "CNI_COMMAND": command,
                   "CNI_CONTAINERID": container, "CNI_NETNS": ns, "CNI_IFNAME": ifname,
                   "CNI_PATH": SCRATCH + "/plugins:/usr/lib/cni"}
    environment.update(env)
    environment = {k: v for k, v in environment.items() if v is not None}
    text = raw if raw is not None else json.dumps(given).encode()
    done = subprocess.run([PLUGIN], input=text, capture_output=True, env=environment, timeout=60, check=False)
    out = done.stdout.decode()
    assert done.stderr == b"", done.stderr
    return done.returncode, json.loads(out) if out else None


def good(command, given, **how):
    status, answer = call(command, given, **how)
    assert status == 0, answer
    return answer


def bad(code, words, command, given, **how):
    """Refused with a code, and the words are in what it says."""
    status, answer = call(command, given, **how)
    assert status != 0, f"not refused: {answer}"
    assert set(answer) <= {"cniVersion", "code", "msg", "details"} and {"cniVersion", "code", "msg"} <= set(answer), answer
    said = answer["msg"] + " " + answer.get("details", "")
    assert answer["code"] == code, answer
    assert words in said, f"{words!r} is not in {said!r}"
    return answer


def has_hint(answer):
    assert answer.get("details"), answer


# ---- VERSION ----

@case
def version_of_each():
    for version in VERSIONS:
        assert good("VERSION", {"cniVersion": version}) == {"cniVersion": version, "supportedVersions": VERSIONS}


@case
def version_with_a_dummy_environment():
    for raw in (b"", b"junk", b'{"cniVersion": "0.2.0"}', b'{"cniVersion": 5}'):
        answer = good("VERSION", None, raw=raw, container="dummy", ns="dummy", ifname="dummy", env={"CNI_ARGS": "x"})
        assert answer["supportedVersions"] == VERSIONS


# ---- ADD, in the shape of each version ----

@case
def add_in_each_version():
    for version in VERSIONS:
        ns = netns("c1")
        answer = good("ADD", conf(version), ns=ns)
        assert answer["cniVersion"] == version
        near, far = answer["interfaces"]
        assert far["name"] == "eth0" and far["sandbox"] == ns and "sandbox" not in near
        assert far["mac"] == "4e:25:8f:3b:70:92"  # a container that is started again has the same, also after an upgrade
        assert ("mtu" in far) == (version == "1.1.0")
        sh("ip", "link", "show", near["name"])
        link = links(ns)["eth0"]
        assert link["address"] == far["mac"] and "UP" in link["flags"]
        has = {f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"] if a["scope"] == "global"}
        assert {ip["address"] for ip in answer["ips"]} == has and len(has) == 2
        four, six = answer["ips"]
        assert four["gateway"] == "10.1.0.1" and six["gateway"] == "2001:db8:1::1" and four["interface"] == 1
        assert ("version" in four) == (version in ("0.3.1", "0.4.0"))
        assert four.get("version", "4") == "4" and six.get("version", "6") == "6"
        assert answer["routes"] == [{"dst": "0.0.0.0/0", "gw": "10.1.0.1"}, {"dst": "::/0", "gw": "2001:db8:1::1"}]
        assert "default via 10.1.0.1" in sh("ip", "-n", os.path.basename(ns), "route")
        if version != "0.3.1":
            assert good("CHECK", conf(version, prevResult=answer), ns=ns) is None
        port = heddle("port", "show", "c1-eth0")
        assert port["state"] == "up" and port["owner"].startswith("cni:lab/c1/eth0/"), port
        assert good("DEL", conf(version, prevResult=answer), ns=ns) is None
        assert links(ns) == {}
        drop(ns)


@case
def dns_is_passed_on():
    ns = netns("c1")
    given = conf(dns={"nameservers": ["192.0.2.53"], "domain": "example.org", "search": ["a.example"]},
                 runtimeConfig={"dns": {"servers": ["192.0.2.54"], "searches": ["b.example"]},
                                "aliases": {"lab": ["web", "www"]}})
    answer = good("ADD", given, ns=ns)
    assert answer["dns"] == {"nameservers": ["192.0.2.54"], "domain": "example.org", "search": ["b.example"]}
    assert heddle("port", "show", "c1-eth0")["label"] == ["cni-alias/web=", "cni-alias/www="]
    good("DEL", given, ns=ns)
    drop(ns)


@case
def bandwidth_is_the_ports():
    ns = netns("c1")
    given = conf(runtimeConfig={"bandwidth": {"ingressRate": 10000000, "ingressBurst": 80000, "egressRate": 500000000, "egressBurst": 4294967296}})
    good("ADD", given, ns=ns)
    port = heddle("port", "show", "c1-eth0")
    assert (port["ingress-rate"], port["egress-rate"], port["egress-burst"]) == ("10mbit", "500mbit", "512mb"), port
    assert port["ingress-burst"] == "750000b", port  # that of the port itself
    good("DEL", given, ns=ns)
    good("ADD", conf(egressRate=64000), ns=ns)
    assert heddle("port", "show", "c1-eth0")["egress-rate"] == "64kbit"
    good("DEL", conf(), ns=ns)
    for wrong in ({"ingressRate": "10M"}, {"ingressRate": -1}, {"egressRate": 10}, 7):
        bad(7, "", "ADD", conf(runtimeConfig={"bandwidth": wrong}), ns=ns)
    drop(ns)


@case
def labels_of_conf_and_pod():
    ns = netns("c1")
    good("ADD", conf(labels={"app": "web"}), ns=ns, env={"CNI_ARGS": "K8S_POD_NAMESPACE=prod;K8S_POD_NAME=-not-a-label"})
    labels = heddle("port", "show", "c1-eth0")["label"]
    assert labels == ["app=web", "k8s-namespace=prod"], labels
    good("DEL", conf(), ns=ns)
    has_hint(bad(7, "not a label", "ADD", conf(labels={"a b": "c"}), ns=ns))
    drop(ns)


@case
def mtu_and_security_groups():
    ns = netns("c1")
    good("ADD", conf(mtu=1400, securityGroups=["web"]), ns=ns)
    assert links(ns)["eth0"]["mtu"] == 1400 and heddle("port", "show", "c1-eth0")["security-group"] == ["web"]
    good("DEL", conf(), ns=ns)
    good("ADD", conf(security=False), ns=ns)
    assert heddle("port", "show", "c1-eth0")["no-security"] is True
    good("DEL", conf(), ns=ns)
    bad(7, "securityGroups", "ADD", conf(security=False, securityGroups=["web"]), ns=ns)
    has_hint(bad(7, "security-group nope does not exist", "ADD", conf(securityGroups=["nope"]), ns=ns))
    drop(ns)


@case
def unknown_keys_are_left_alone():
    ns = netns("c1")
    given = conf(whatever={"a": [1]}, capabilities={"bandwidth": True}, runtimeConfig={"bandwidthX": 1}, args={"x": {"y": 1}},
                 ipMasq=True)
    good("ADD", given, ns=ns)
    good("DEL", given, ns=ns)
    drop(ns)


# ---- addresses ----

@case
def an_address_that_is_asked_for():
    ns = netns("c1")
    for how in ({"env": {"CNI_ARGS": "IgnoreUnknown=1;IP=10.1.0.77;FOO=bar;MAC=02:00:00:00:00:77"}},
                {"runtime": {"ips": ["10.1.0.77/16"], "mac": "02:00:00:00:00:77"}}):
        given = conf(runtimeConfig=how.get("runtime", {}))
        answer = good("ADD", given, ns=ns, env=how.get("env", {}))
        assert answer["ips"][0]["address"] == "10.1.0.77/24" and len(answer["ips"]) == 2, answer
        assert answer["interfaces"][1]["mac"] == "02:00:00:00:00:77"
        good("DEL", given, ns=ns)
    both = ["10.1.0.78", "2001:db8:1::78"]
    answer = good("ADD", conf(args={"cni": {"ips": both}}), ns=ns)
    assert [ip["address"] for ip in answer["ips"]] == ["10.1.0.78/24", "2001:db8:1::78/64"]
    good("DEL", conf(), ns=ns)
    drop(ns)


@case
def the_same_address_twice():
    one, two = netns("c1"), netns("c2")
    wish = conf(runtimeConfig={"ips": ["10.1.0.99"]})
    good("ADD", wish, ns=one)
    bad(100, "10.1.0.99", "ADD", wish, container="c2", ns=two)
    assert links(two) == {}
    good("DEL", wish, ns=one)
    good("ADD", wish, container="c2", ns=two)
    good("DEL", wish, container="c2", ns=two)
    drop(one)
    drop(two)


@case
def addresses_that_are_none():
    ns = netns("c1")
    bad(7, "not an IP address", "ADD", conf(runtimeConfig={"ips": ["10.1.0"]}), ns=ns)
    has_hint(bad(7, "no subnet of network lab holds it", "ADD", conf(runtimeConfig={"ips": ["10.9.0.1"]}), ns=ns))
    for ip in ("10.1.0.1", "10.1.0.0", "10.1.0.255", "2001:db8:1::1"):
        bad(7, "it is the gateway of its subnet, or no host's", "ADD", conf(runtimeConfig={"ips": [ip]}), ns=ns)
    bad(7, "mac", "ADD", conf(runtimeConfig={"mac": "x"}), ns=ns)
    bad(7, "ips must be a list", "ADD", conf(runtimeConfig={"ips": "10.1.0.5"}), ns=ns)
    drop(ns)


@case
def ranges_and_exhaustion():
    spaces = [netns(f"c{i}") for i in range(1, 4)]
    ranges = [[{"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.50", "rangeEnd": "10.1.0.51"}]]
    for given in (conf(ipam={"type": "heddle", "ranges": ranges}), conf(runtimeConfig={"ipRanges": ranges}),
                  conf(ipam=ranges[0][0])):
        got = set()
        for i in (1, 2):
            answer = good("ADD", given, container=f"c{i}", ns=spaces[i - 1])
            got.add(answer["ips"][0]["address"])
            assert len(answer["ips"]) == 1
        assert got == {"10.1.0.50/24", "10.1.0.51/24"}, got
        has_hint(bad(100, "no address of 10.1.0.50-10.1.0.51", "ADD", given, container="c3", ns=spaces[2]))
        assert links(spaces[2]) == {}
        good("DEL", given, container="c1", ns=spaces[0])
        good("ADD", given, container="c3", ns=spaces[2])
        good("DEL", given, container="c2", ns=spaces[1])
        good("DEL", given, container="c3", ns=spaces[2])
    for ns in spaces:
        drop(ns)


@case
def ranges_that_are_none():
    ns = netns("c1")
    for ranges in ({}, [{}], [[]], [[1]], [[{"subnet": "x"}]], [[{"subnet": "10.1.0.0/24", "rangeStart": "10.2.0.1"}]]):
        bad(7, "conf:", "ADD", conf(ipam={"type": "heddle", "ranges": ranges}), ns=ns)
    drop(ns)


@case
def routes_of_the_conf():
    ns = netns("c1")
    routes = [{"dst": "0.0.0.0/0"}, {"dst": "198.51.100.0/24", "gw": "10.1.0.9"}, {"dst": "203.0.113.0/24"}]
    good("ADD", conf(ipam={"type": "heddle", "routes": routes}), ns=ns)
    text = sh("ip", "-n", os.path.basename(ns), "route")
    assert "198.51.100.0/24 via 10.1.0.9" in text and "203.0.113.0/24 via 10.1.0.1" in text, text
    good("DEL", conf(), ns=ns)
    bad(7, "a route needs dst", "ADD", conf(ipam={"type": "heddle", "routes": [{"dst": "x"}]}), ns=ns)
    bad(7, "route 198.51.100.0/24 by 192.0.2.1", "ADD",
        conf(ipam={"type": "heddle", "routes": [{"dst": "198.51.100.0/24", "gw": "192.0.2.1"}]}), ns=ns)
    assert links(ns) == {}
    drop(ns)


@case
def no_addresses_at_all():
    ns = netns("c1")
    assert good("ADD", conf(ipam={}), ns=ns)["ips"] == []
    good("DEL", conf(ipam={}), ns=ns)
    drop(ns)


# ---- environment and stdin ----

@case
def environment_that_is_missing_or_wrong():
    ns = netns("c1")
    bad(4, "CNI_COMMAND is missing", "ADD", conf(), ns=ns, env={"CNI_COMMAND": None})
    bad(4, "CNI_COMMAND: NOPE", "NOPE", conf(), ns=ns)
    for command in ("ADD", "DEL", "CHECK"):
        bad(4, "CNI_CONTAINERID is missing", command, conf(), ns=ns, container="")
        bad(4, "CNI_IFNAME is missing", command, conf(), ns=ns, ifname="")
    for command in ("ADD", "CHECK"):
        bad(4, "CNI_NETNS is missing", command, conf(), ns="")
    for container in ("../etc", "-x", "a b", "x" * 300, "\u00e9"):
        bad(4, "is not the id of a container", "ADD", conf(), ns=ns, container=container)
    for ifname in ("a/b", "x" * 16, "..", "a b", "a:b"):
        bad(4, "can't be the name of a device", "ADD", conf(), ns=ns, ifname=ifname)
    for args in ("nonsense", "=x", "FOO=bar"):
        bad(4, "CNI_ARGS", "ADD", conf(), ns=ns, env={"CNI_ARGS": args})
    bad(4, "is not a path", "ADD", conf(), ns="web1")
    drop(ns)


@case
def text_that_is_not_utf8():
    ns = netns("c1")
    answer = bad(4, "CNI_COMMAND", "ADD", conf(), ns=ns, env={"CNI_COMMAND": "\udcff\udcfe"})
    assert "??" in answer["msg"]
    drop(ns)


@case
def junk_on_stdin():
    ns = netns("c1")
    for raw in (b"", b"{", b"[]", b"null", b"\x00" * 100, b'{"a": 1, "a": 2}', b"\xff\xfe", b'"x"'):
        bad(6, "stdin", "ADD", None, ns=ns, raw=raw)
    bad(6, "of more than", "ADD", None, ns=ns, raw=b'{"a": "' + b"x" * (5 << 20) + b'"}')
    drop(ns)


@case
def conf_that_is_wrong():
    ns = netns("c1")
    for version in (None, "0.2.0", "2.0.0", ""):
        bad(1, "0.3.1, 0.4.0, 1.0.0 and 1.1.0", "ADD", {**conf(), "cniVersion": version}, ns=ns)
    bad(7, "name is missing", "ADD", {**conf(), "name": None}, ns=ns)
    bad(7, "name", "ADD", {**conf(), "name": "a/b"}, ns=ns)
    for key, value in (("network", 1), ("network", "a/b"), ("instance", "a/b"), ("mtu", "x"), ("mtu", 5), ("securityGroups", "web"),
                       ("securityGroups", [1]), ("security", 1), ("labels", []), ("labels", {"a": 1}), ("ipam", []), ("dns", "x"),
                       ("runtimeConfig", []), ("prevResult", 1), ("ifName", "a/b")):
        bad(7, key, "ADD", conf(**{key: value}), ns=ns)
    drop(ns)


@case
def a_huge_conf_is_fine():
    ns = netns("c1")
    good("ADD", conf(comment="x" * (1 << 20)), ns=ns)
    good("DEL", conf(), ns=ns)
    drop(ns)


# ---- ADD that fails ----

@case
def namespaces_that_are_wrong():
    bad(3, "can't be opened", "ADD", conf(), ns="/run/netns/none-of-that-name")
    has_hint(bad(8, "the host's own", "ADD", conf(), ns="/proc/self/ns/net"))
    bad(7, "is not a network namespace", "ADD", conf(), ns="/proc/self/ns/mnt")
    bad(7, "is not a network namespace", "ADD", conf(), ns="/etc/passwd")


@case
def an_interface_that_is_there():
    ns = netns("c1")
    sh("ip", "-n", os.path.basename(ns), "link", "add", "eth0", "type", "veth", "peer", "name", "other")
    bad(100, "eth0", "ADD", conf(), ns=ns)
    assert set(links(ns)) == {"eth0", "other"}
    drop(ns)


@case
def add_twice():
    ns = netns("c1")
    first = good("ADD", conf(), ns=ns)
    bad(100, "c1-eth0: exists already", "ADD", conf(), ns=ns)
    good("CHECK", conf(prevResult=first), ns=ns)
    good("DEL", conf(), ns=ns)
    drop(ns)


@case
def a_network_that_is_not_there():
    ns = netns("c1")
    has_hint(bad(7, "network nope does not exist", "ADD", conf(network="nope"), ns=ns))
    drop(ns)


@case
def a_network_that_the_conf_makes():
    ns = netns("c1")
    given = conf(network="made", subnet="10.7.0.0/24", gateway="10.7.0.1")
    assert good("ADD", given, ns=ns)["ips"][0]["address"].startswith("10.7.0.")
    good("DEL", given, ns=ns)
    sh(BUILD + "/heddle", "-i", INSTANCE, "subnet", "del", "made")
    sh(BUILD + "/heddle", "-i", INSTANCE, "network", "del", "made")
    bad(7, "nope", "ADD", {**given, "securityGroups": ["nope"]}, ns=ns)
    bad(7, "", "ADD", {**given, "subnet": "10.7.0.1/24"}, ns=ns)
    bad(7, "vni", "ADD", conf(network="made", vni=0), ns=ns)
    drop(ns)


# ---- names of ports ----

@case
def names_of_ports():
    ns = netns("c1")
    for container, port in (("0123456789abcdef" * 4, "0123456789ab-eth0"), ("default-web.1", "default-web.1-eth0"),
                            ("pod_" + "x" * 90, None), ("pod_" + "x" * 89 + "y", None)):
        good("ADD", conf(), container=container, ns=ns)
        name, = state()["port"]
        assert port in (None, name) and len(name) < 56, name
        good("DEL", conf(), container=container, ns=ns)
    drop(ns)


@case
def an_id_with_the_same_beginning():
    one, two = "0123456789abcdef" * 4, "0123456789abcdee" * 4
    ns, other = netns("c1"), netns("c2")
    good("ADD", conf(), container=one, ns=ns)
    bad(100, "exists already", "ADD", conf(), container=two, ns=other)
    good("DEL", conf(), container=two, ns=other)
    assert state()["port"] == ["0123456789ab-eth0"]
    good("DEL", conf(), container=one, ns=ns)
    drop(ns)
    drop(other)


@case
def several_interfaces():
    ns = netns("c1")
    good("ADD", conf(), ns=ns)
    second = good("ADD", {**conf(), "name": "two"}, ns=ns, ifname="net1")
    assert second["ips"][0]["address"].startswith("10.2.0.") and set(links(ns)) == {"eth0", "net1"}
    route = sh("ip", "-n", os.path.basename(ns), "route", "show", "default")
    assert route.startswith("default via 10.1.0.1 dev eth0") and route.count("default") == 1, route
    good("DEL", {**conf(), "name": "two"}, ns=ns, ifname="net1")
    assert set(links(ns)) == {"eth0"}
    good("DEL", conf(), ns=ns)
    drop(ns)


# ---- DEL ----

@case
def del_of_nothing():
    ns = netns("c1")
    for version in VERSIONS:
        assert good("DEL", conf(version), ns=ns) is None
        assert good("DEL", conf(version), ns="") is None
        assert good("DEL", conf(version), ns="", env={"CNI_NETNS": None}) is None
        assert good("DEL", conf(version), ns="/run/netns/none-of-that-name") is None
    assert good("DEL", conf(network="nope"), ns=ns) is None
    drop(ns)


@case
def del_without_a_namespace():
    for empty in ("", None):
        ns = netns("c1")
        good("ADD", conf(), ns=ns)
        good("DEL", conf(), ns="", env={"CNI_NETNS": empty})
        assert links(ns) == {}
        good("DEL", conf(), ns="", env={"CNI_NETNS": empty})
        drop(ns)


@case
def del_after_the_namespace():
    ns = netns("c1")
    answer = good("ADD", conf(), ns=ns)
    drop(ns)
    good("DEL", conf(prevResult=answer), ns=ns)


# ---- CHECK ----

@case
def check_finds_damage():
    ns = netns("c1")
    damage = (("addr", "del", "{four}", "dev", "eth0"), ("addr", "del", "{six}", "dev", "eth0"), ("route", "del", "default"),
              ("-6", "route", "del", "default"), ("link", "set", "eth0", "down"), ("link", "set", "eth0", "address", "02:00:00:00:00:01"),
              ("link", "set", "eth0", "name", "eth9"), ("link", "del", "eth0"))
    for words in damage:
        answer = good("ADD", conf(), ns=ns)
        four, six = (ip["address"] for ip in answer["ips"])
        good("CHECK", conf(prevResult=answer), ns=ns)
        if "name" in words:  # Linux before 6.2 does not do it while the device is up
            sh("ip", "-n", os.path.basename(ns), "link", "set", "eth0", "down")
        sh("ip", "-n", os.path.basename(ns), *(word.format(four=four, six=six) for word in words))
        has_hint(bad(102, "eth0", "CHECK", conf(prevResult=answer), ns=ns))
        good("DEL", conf(), ns=ns)
    bad(3, "c1-eth0", "CHECK", conf(prevResult=answer), ns=ns)
    bad(7, "prevResult is missing", "CHECK", conf(), ns=ns)
    drop(ns)


@case
def check_came_with_0_4_0():
    bad(1, "CNI 0.3.1 has no CHECK", "CHECK", conf("0.3.1"), ns="/run/netns/x")
    for version in VERSIONS[:3]:
        bad(1, "has no GC", "GC", conf(version))
        bad(1, "has no STATUS", "STATUS", conf(version))


# ---- GC, STATUS ----

@case
def gc_of_some_and_of_all():
    spaces = [netns(f"c{i}") for i in range(1, 4)]
    for i, ns in enumerate(spaces):
        good("ADD", conf("1.1.0"), container=f"c{i + 1}", ns=ns)
    good("ADD", {**conf("1.1.0"), "name": "two"}, container="c1", ns=spaces[0], ifname="net1")
    keep = [{"containerID": "c2", "ifname": "eth0"}, {"containerID": "c3", "ifname": "eth9"}]
    good("GC", conf("1.1.0", **{"cni.dev/valid-attachments": keep}), env={"CNI_CONTAINERID": None, "CNI_IFNAME": None})
    assert state()["port"] == ["c1-net1", "c2-eth0"], state()
    assert links(spaces[2]) == {}
    good("GC", conf("1.1.0", **{"cni.dev/valid-attachments": []}))
    assert state()["port"] == ["c1-net1"], state()
    good("GC", {**conf("1.1.0"), "name": "two"})
    bad(7, "must be a list", "GC", conf("1.1.0", **{"cni.dev/valid-attachments": {}}))
    for ns in spaces:
        drop(ns)


@case
def status():
    assert good("STATUS", conf("1.1.0")) is None
    has_hint(bad(50, "network nope does not exist", "STATUS", conf("1.1.0", network="nope")))
    assert good("STATUS", conf("1.1.0", network="nope", subnet="10.7.0.0/24")) is None
    has_hint(bad(50, "no heddled answers", "STATUS", conf("1.1.0", instance="nope")))


# ---- sandboxes that vanish ----

def port_is(name, value):
    end = time.monotonic() + 10
    while heddle("port", "show", name)["state"] != value:
        assert time.monotonic() < end, f"port {name} is not {value}"
        time.sleep(0.02)


@case
def a_sandbox_that_vanishes():
    ns = netns("c1")
    wish = conf("1.1.0", runtimeConfig={"ips": ["10.1.0.88"]})
    good("ADD", wish, ns=ns)
    drop(ns)
    port_is("c1-eth0", "down")
    other = netns("c2")
    good("ADD", wish, container="c2", ns=other)  # the address is to be had again
    assert state()["port"] == ["c2-eth0"]
    drop(other)
    port_is("c2-eth0", "down")
    good("GC", wish)


@case
def a_container_that_is_started_again():
    for path in ("c1", "c1"):
        ns = netns(path)
        good("ADD", conf(), ns=ns)
        drop(ns)
        port_is("c1-eth0", "down")
    good("DEL", conf())


@case
def its_device_is_not_made_in_another_namespace():
    ns = netns("c1")
    good("ADD", conf(), ns=ns)
    drop(ns)
    port_is("c1-eth0", "down")
    ns = netns("c1")  # somebody else's, at the same path
    sh(BUILD + "/heddle", "-i", INSTANCE, "port", "set", "c1-eth0", "--hairpin")
    assert links(ns) == {}
    good("DEL", conf())
    drop(ns)


# ---- published ports ----

def published(*mappings):
    return conf(runtimeConfig={"portMappings": [
        {"hostPort": host, "containerPort": 80, "protocol": "tcp", **({"hostIP": ip} if ip is not None else {})} for ip, host in mappings]})


@case
def ports_at_addresses_of_the_host():
    ns, other = netns("c1"), netns("c2")
    sh("ip", "link", "set", "lo", "up")
    sh("ip", "addr", "add", "192.0.2.1/32", "dev", "lo")
    sh("ip", "link", "add", "up0", "type", "veth", "peer", "name", "up1")
    sh("ip", "addr", "add", "198.51.100.1/24", "dev", "up0")
    for words in (("uplink", "add", "up0"), ("router", "add", "r"), ("router", "attach", "r", "--subnet", "lab4"),
                  ("router", "gateway", "r", "--uplink", "up0")):
        sh(BUILD + "/heddle", "-i", INSTANCE, *words)
    # Nobody would come to it: there is no leg of the host.
    has_hint(bad(7, "nobody would reach 127.0.0.1:80: the host has no address in the network", "ADD", published(("127.0.0.1", 80)), ns=ns))
    sh(BUILD + "/heddle", "-i", INSTANCE, "port", "add", "leg", "--network", "lab", "--internal", "--ip", "10.1.0.2")
    has_hint(bad(7, "nobody would reach 192.0.2.9:80: the host does not have this address", "ADD", published(("192.0.2.9", 80)), ns=ns))
    has_hint(bad(7, "no host can have this address", "ADD", published(("224.0.0.1", 80)), ns=ns))
    bad(7, "IP:PORT", "ADD", published(("nonsense", 80)), ns=ns)
    assert links(ns) == {}
    for taken, wanted, free in ((("127.0.0.1", 80), ("0.0.0.0", 80), ("192.0.2.1", 80)), ((None, 80), ("127.0.0.1", 80), ("127.0.0.1", 81))):
        good("ADD", published(taken), ns=ns)
        bad(100, "is already used by port-forward", "ADD", published(wanted), container="c2", ns=other)
        good("ADD", published(free), container="c2", ns=other)
        good("DEL", published(free), container="c2", ns=other)
        good("DEL", published(taken), ns=ns)
    # One port of the container at several addresses; who comes to 127.0.0.1 is the host.
    good("ADD", published(("127.0.0.1", 80), ("198.51.100.1", 80)), ns=ns)
    assert [(f["listen"], f["reach"]) for f in heddle("port-forward", "list")] == [
        ("127.0.0.1:80", ["host"]), ("198.51.100.1:80", ["outside", "host"])], heddle("port-forward", "list")
    assert {r.get("remote") for r in heddle("security-group", "show", "c1-eth0.published")["rules"]} == {"10.1.0.2/32", None}
    good("DEL", conf(), ns=ns)
    good("ADD", published(("127.0.0.1", 80)), ns=ns)
    assert {r.get("remote") for r in heddle("security-group", "show", "c1-eth0.published")["rules"]} == {"10.1.0.2/32"}
    good("DEL", conf(), ns=ns)
    # One that went without a DEL, as when the power fails, is in the way of nobody: neither of itself nor of the next.
    for container in ("c1", "c1", "c2"):
        good("ADD", published((None, 80)), container=container, ns=ns)
        drop(ns)
        port_is(f"{container}-eth0", "down")
        ns = netns("c1")
    assert [f["name"] for f in heddle("port-forward", "list")] == ["c2-eth0.tcp-80"], heddle("port-forward", "list")
    good("DEL", conf(), container="c2", ns=ns)
    for words in (("port", "del", "leg"), ("router", "del", "r"), ("uplink", "del", "up0")):
        sh(BUILD + "/heddle", "-i", INSTANCE, *words)
    sh("ip", "link", "del", "up0")
    sh("ip", "addr", "del", "192.0.2.1/32", "dev", "lo")
    drop(ns)
    drop(other)


def listeners():
    return sorted((f["name"], f["listen"], f["to"]) for f in heddle("port-forward", "list"))


@case
def ports_by_both_families():
    ns = netns("c1")
    sh("ip", "link", "add", "up0", "type", "veth", "peer", "name", "up1")
    sh("sysctl", "-q", "net.ipv6.conf.up0.disable_ipv6=0")
    sh("ip", "link", "set", "up0", "up")
    sh("ip", "addr", "add", "198.51.100.1/24", "dev", "up0")
    sh("ip", "addr", "add", "2001:db8:64::1/64", "dev", "up0", "nodad")
    for words in (("uplink", "add", "up0"), ("router", "add", "r"), *(("router", "attach", "r", "--subnet", s) for s in ("lab4", "lab6", "two4")),
                  ("router", "gateway", "r", "--uplink", "up0")):
        sh(BUILD + "/heddle", "-i", INSTANCE, *words)

    def types():
        return {r["ethertype"] for r in heddle("security-group", "show", "c1-eth0.published")["rules"] if r["direction"] == "ingress"}

    for everywhere in (None, "", "::", "0:0::0"):
        good("ADD", published((everywhere, 8080)), ns=ns)
        four, six = listeners()
        assert four[:2] == ("c1-eth0.tcp-8080", "0.0.0.0:8080") and four[2].startswith("10.1.0."), four
        assert six[:2] == ("c1-eth0.tcp-8080-v6", "[::]:8080") and six[2].startswith("[2001:db8:1::"), six
        assert types() == {"ipv4", "ipv6"}, types()
        good("DEL", conf(), ns=ns)
        assert listeners() == []
    good("ADD", published(("0.0.0.0", 8080)), ns=ns)
    assert [f[1] for f in listeners()] == ["0.0.0.0:8080"] and types() == {"ipv4"}, listeners()
    good("DEL", conf(), ns=ns)
    good("ADD", published(("2001:DB8:64::1", 8080), ("198.51.100.1", 8080)), ns=ns)
    assert [f[:2] for f in listeners()] == [("c1-eth0.tcp-8080-1", "[2001:db8:64::1]:8080"), ("c1-eth0.tcp-8080-2", "198.51.100.1:8080")], listeners()
    assert heddle("port-forward", "show", "c1-eth0.tcp-8080-1")["reach"] == ["outside"]
    assert types() == {"ipv4", "ipv6"}
    good("DEL", conf(), ns=ns)
    # What nobody would reach, nobody can have, or leads nowhere; a router that has no way out by IPv6 publishes by IPv4.
    has_hint(bad(7, "nobody would reach 2001:db8:64::9:8080", "ADD", published(("2001:db8:64::9", 8080)), ns=ns))
    has_hint(bad(7, "nobody would reach ::1:8080: the host has no address in the network", "ADD", published(("::1", 8080)), ns=ns))
    has_hint(bad(7, "nobody outside reaches a link-local address", "ADD", published(("fe80::1", 8080)), ns=ns))
    bad(7, "the container has no IPv6 address", "ADD", {**published(("2001:db8:64::1", 8080)), "network": "two"}, ns=ns)
    assert links(ns) == {} and listeners() == []
    sh("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=0")
    sh(BUILD + "/heddle", "-i", INSTANCE, "port", "add", "leg6", "--network", "lab", "--internal", "--ip", "2001:db8:1::2")
    good("ADD", published(("::1", 8080)), ns=ns)
    assert heddle("port-forward", "show", "c1-eth0.tcp-8080-1")["reach"] == ["host"]
    assert {r.get("remote") for r in heddle("security-group", "show", "c1-eth0.published")["rules"]} == {"2001:db8:1::2/128"}
    good("DEL", conf(), ns=ns)
    sh(BUILD + "/heddle", "-i", INSTANCE, "port", "del", "leg6")
    sh("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
    good("ADD", {**published((None, 8080)), "network": "two"}, ns=ns)
    assert [f[1] for f in listeners()] == ["0.0.0.0:8080"], listeners()
    good("DEL", conf(), ns=ns)
    for words in (("router", "del", "r"), ("uplink", "del", "up0")):
        sh(BUILD + "/heddle", "-i", INSTANCE, *words)
    sh("ip", "link", "del", "up0")
    drop(ns)


# ---- many at once ----

@case
def sixty_four_at_once():
    spaces = [netns(f"p{i}") for i in range(64)]
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda i: good("ADD", conf(), container=f"p{i}", ns=spaces[i]), range(64)))
        addresses = {ip["address"] for answer in answers for ip in answer["ips"]}
        assert len(addresses) == 128, len(addresses)
        list(pool.map(lambda i: good("DEL", conf(), container=f"p{i}", ns=spaces[i]), range(64)))
    for ns in spaces:
        drop(ns)


# ---- other plugins ----

def script(name, text):
    os.makedirs(SCRATCH + "/plugins", exist_ok=True)
    path = f"{SCRATCH}/plugins/{name}"
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)


@case
def behind_another_plugin():
    ns = netns("c1")
    for version in VERSIONS:
        ip = {"address": "192.0.2.9/24", "interface": 0, **({"version": "4"} if version < "1" else {})}
        prev = {"cniVersion": version, "interfaces": [{"name": "eth0", "mac": "02:00:00:00:00:09", "sandbox": ns}], "ips": [ip],
                "routes": [{"dst": "192.0.2.0/24"}], "dns": {"nameservers": ["192.0.2.53"]}}
        answer = good("ADD", conf(version, prevResult=prev, ifName="net1"), ns=ns)
        assert answer["interfaces"][0] == prev["interfaces"][0] and answer["interfaces"][2]["name"] == "net1"
        assert answer["ips"][0] == ip and [i["interface"] for i in answer["ips"]] == [0, 2, 2]
        assert answer["routes"][0] == {"dst": "192.0.2.0/24"} and answer["dns"] == prev["dns"]
        if version != "0.3.1":
            good("CHECK", conf(version, prevResult=answer, ifName="net1"), ns=ns)
        good("DEL", conf(version, prevResult=answer, ifName="net1"), ns=ns)
        assert links(ns) == {}
    drop(ns)


@case
def delegated_addresses():
    ns = netns("c1")
    script("mine", 'conf=$(cat); echo "$CNI_COMMAND $CNI_CONTAINERID" >>' + SCRATCH + '/calls\n'
           '[ "$CNI_COMMAND" = ADD ] || exit 0\n'
           'echo \'{"cniVersion": "1.0.0", "ips": [{"address": "172.20.0.5/24", "gateway": "172.20.0.1"}],'
           ' "routes": [{"dst": "0.0.0.0/0"}], "dns": {"domain": "d.example"}}\'\n')
    given = conf(ipam={"type": "mine"})
    answer = good("ADD", given, ns=ns)
    assert [ip["address"] for ip in answer["ips"]] == ["172.20.0.5/24"] and answer["dns"] == {"domain": "d.example"}
    assert answer["ips"][0]["gateway"] == "172.20.0.1" and answer["routes"] == [{"dst": "0.0.0.0/0", "gw": "172.20.0.1"}], answer
    assert "default via 172.20.0.1" in sh("ip", "-n", os.path.basename(ns), "route")
    good("CHECK", {**given, "prevResult": answer}, ns=ns)
    good("DEL", given, ns=ns)
    # What is found and can't be used is given back.
    bad(7, "nope", "ADD", {**given, "securityGroups": ["nope"]}, ns=ns)
    with open(SCRATCH + "/calls", encoding="utf-8") as file:
        assert file.read().split() == "ADD c1 CHECK c1 DEL c1 ADD c1 DEL c1".split()
    drop(ns)


@case
def delegated_to_one_that_fails():
    ns = netns("c1")
    script("broken", 'echo \'{"cniVersion": "1.0.0", "code": 11, "msg": "all gone", "details": "ask later"}\'; exit 1\n')
    script("silent", "exit 1\n")
    script("strange", "echo hello\n")
    script("empty", "echo '{}'\n")
    answer = bad(11, "all gone", "ADD", conf(ipam={"type": "broken"}), ns=ns)
    assert answer["details"] == "ask later"
    bad(101, "does not say why", "ADD", conf(ipam={"type": "silent"}), ns=ns)
    bad(6, "not JSON", "ADD", conf(ipam={"type": "strange"}), ns=ns)
    bad(101, "has found no address", "ADD", conf(ipam={"type": "empty"}), ns=ns)
    has_hint(bad(7, "no plugin nope", "ADD", conf(ipam={"type": "nope"}), ns=ns))
    assert links(ns) == {}
    drop(ns)


@case
def delegated_to_host_local():
    if not os.path.exists("/usr/lib/cni/host-local"):
        return
    ns = netns("c1")
    given = conf(ipam={"type": "host-local", "subnet": "10.1.0.0/24", "rangeStart": "10.1.0.200", "dataDir": SCRATCH + "/leases"})
    answer = good("ADD", given, ns=ns)
    assert answer["ips"][0]["address"] == "10.1.0.200/24"
    assert os.path.exists(SCRATCH + "/leases/lab/10.1.0.200")
    good("DEL", given, ns=ns)
    assert not os.path.exists(SCRATCH + "/leases/lab/10.1.0.200")
    drop(ns)


def main():
    before = state()
    for function in CASES:
        if len(sys.argv) > 5 and function.__name__ not in sys.argv[5:]:
            continue
        began = time.monotonic()
        try:
            function()
            after = state()
            assert after == before, f"left behind: {after}"
        except Exception:
            print(f"case {function.__name__}:", file=sys.stderr)
            raise
        if os.environ.get("V"):
            print(f"{function.__name__} {time.monotonic() - began:.2f} s")
    print(f"{len(CASES)} cases")


main()
