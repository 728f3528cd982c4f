# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""cni_time.py - how long ADD and DEL take: of heddle-cni, or of the chain bridge, host-local, portmap

cni_time.py heddle|chain BIN SCRATCH INSTANCE alone|parallel|cycles COUNT. Runs in the namespace that plays the host. Prints a line for each figure:
NAME VALUE, in milliseconds. Namespaces of containers are made before the clock starts.
"""
import concurrent.futures
import json
import os
import subprocess
import sys
import time

KIND, BIN, SCRATCH, INSTANCE, HOW, COUNT = sys.argv[1:7]
COUNT = int(COUNT)
HEDDLE = [{"type": "heddle-cni", "network": "bench", "instance": INSTANCE}]
CHAIN = [{"type": "bridge", "bridge": "bench0", "isDefaultGateway": True,
          "ipam": {"type": "host-local", "subnet": "10.60.0.0/16", "dataDir": SCRATCH + "/leases"}},
         {"type": "portmap", "capabilities": {"portMappings": True}}]


def call(command, plugin, name, prev):
    conf = {"cniVersion": "1.0.0", "name": "bench", **plugin}
    if prev:
        conf["prevResult"] = prev
    folder = BIN if KIND == "heddle" else "/usr/lib/cni"
    env = {**os.environ, "CNI_COMMAND": command, "CNI_CONTAINERID": name, "CNI_NETNS": "/run/netns/" + name, "CNI_IFNAME": "eth0",
           "CNI_PATH": folder}
    done = subprocess.run([folder + "/" + plugin["type"]], input=json.dumps(conf).encode(), stdout=subprocess.PIPE, env=env, check=False)
    if done.returncode:
        sys.exit(f"{command} {plugin['type']}: {done.stdout.decode()}")
    return json.loads(done.stdout) if done.stdout else None


def timed(command, name, prev=None):
    plugins = HEDDLE if KIND == "heddle" else CHAIN
    began = time.perf_counter()
    for plugin in plugins if command == "ADD" else reversed(plugins):
        result = call(command, plugin, name, prev)
        prev = result if command == "ADD" else prev
    return (time.perf_counter() - began) * 1000, prev


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def tell(name, values):
    print(f"{name} {percentile(values, 0.5):.2f}")
    print(f"{name}-p99 {percentile(values, 0.99):.2f}")


def one_after_the_other(names):
    adds, dels = [], []
    for name in names:
        ms, result = timed("ADD", name)
        adds.append(ms)
        dels.append(timed("DEL", name, result)[0])
    return adds, dels


def at_once(names):
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        results = list(pool.map(lambda name: timed("ADD", name), names))
        dels = list(pool.map(lambda i: timed("DEL", names[i], results[i][1])[0], range(len(names))))
    return [ms for ms, _ in results], dels


def main():
    prefix = f"{os.path.basename(SCRATCH)}-{os.getpid()}"
    names = [f"{prefix}-{i}" for i in range(1 if HOW == "cycles" else COUNT)]
    for name in names:
        subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        if HOW == "cycles":
            adds, dels = one_after_the_other(names * COUNT)
            for name, values in ("growth", adds), ("del-growth", dels):
                print(f"{name} {percentile(values[-100:], 0.5) / percentile(values[:100], 0.5):.3f}")
        else:
            adds, dels = (at_once if HOW == "parallel" else one_after_the_other)(names)
        tell("add", adds)
        tell("del", dels)
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=True)


main()
