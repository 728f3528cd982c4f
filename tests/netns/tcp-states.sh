#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The life of a TCP connection as heddle sees it: what begins one, what ends it, and what only pretends to.
# shellcheck source-path=SCRIPTDIR source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

host
hd network add blue --type local
mute blue a 1
mute blue b 2
mute blue router 3 --no-security

cat >"$T/tcp.py" <<'PY'
from lab import *

lab = Lab(sys.argv[1:])
a, b, router = lab.ends
NONE = "tcp-no-connection"
WRAP = 1 << 32

class Connection:
    """Of a (client) and b; next sequence numbers of both. Each its own client port."""
    count = 0

    def __init__(self, version, seq=1000, ack=5000, port=None):
        Connection.count += 1
        self.version, self.sport = version, port or 10000 + Connection.count
        self.seq = {a: seq, b: ack}
        self.window = 1000

    def packet(self, end, flags, shift=0, size=0, ack=None, **fields):
        """The next packet of one side; @shift: away from the number that is due."""
        other = b if end is a else a
        ports = (self.sport, 80) if end is a else (80, self.sport)
        number = self.seq[other] if ack is None else ack
        fields.setdefault("window", self.window)
        return lab.tcp(end, other, *ports, flags, self.seq[end] + shift, number if "A" in flags else 0, self.version, size, **fields)

    def say(self, what, end, flags, size=0, shift=0, **fields):
        """It passes; without @shift its numbers count."""
        packet = self.packet(end, flags, shift, size, **fields)
        lab.passes(f"v{self.version}: {what}", end, packet, b if end is a else a)
        if not shift:
            self.seq[end] = (self.seq[end] + size + ("S" in flags) + ("F" in flags)) % WRAP

    def is_(self, what, state):
        flows = lab.flows(f"?protocol=tcp&address={a.address[self.version]}")
        mine = [f["state"] for f in flows if self.sport in (f["client"]["port-number"], f["server"]["port-number"])]
        same(f"v{self.version}: state after {what}", [state] if state else [], mine)

    def open(self, window=1000, options=((), ())):
        self.window = window
        self.say("SYN", a, "S", options=list(options[0]))
        self.is_("SYN", "new")
        self.say("SYN,ACK", b, "SA", options=list(options[1]))
        self.is_("SYN,ACK", "half-open")
        self.say("ACK", a, "A")
        self.is_("ACK", "established")
        self.say("window", b, "A")
        return self

    def talk(self):
        for end in (a, b):
            self.say("data", end, "PA", size=100)
            self.say("ACK", b if end is a else a, "A")

def refused(version):
    """Without a SYN of its own nothing begins."""
    c = Connection(version)
    for flags in ("A", "PA", "SA", "F", "FA", "R", "RA", "", "U"):
        lab.drops(f"v{version}: {flags or 'no flags'} first", a, c.packet(a, flags), NONE)
        lab.drops(f"v{version}: {flags or 'no flags'} from who has no security", router,
                  lab.tcp(router, a, 80, 80, flags, 1, 1, version), NONE)
    for flags in ("SF", "SR", "SFA", "SRFPAU"):
        lab.drops(f"v{version}: {flags}", a, c.packet(a, flags), "l4-malformed")
    c.is_("all that", None)

def outside(version):
    """What the receiver would not take, it gets and answers; here it changes nothing (RFC 5961)."""
    c = Connection(version).open()
    c.talk()
    for end in (a, b):
        for shift in (-1, -1000, 1001, 5000, 1 << 31):
            c.say(f"RST at {shift}", end, "R", shift=shift)
            c.is_(f"RST of {end} at {shift}", "established")
            c.say(f"FIN at {shift}", end, "FA", shift=shift)
            c.is_(f"FIN of {end} at {shift}", "established")
    c.say("SYN", a, "S", shift=77)
    c.is_("a SYN in the middle", "established")
    c.say("SYN from the other side", b, "S", shift=77)
    c.is_("a SYN in the middle from the other side", "established")
    c.talk()
    c.is_("data", "established")

def reset(version):
    """One that is exactly what is due ends it; one elsewhere in the window may be forged, so that the connection may go on."""
    for end in (a, b):
        for shift, state in ((0, "closed"), (1, "closing"), (999, "closing")):
            c = Connection(version).open()
            c.talk()
            c.say(f"RST at {shift}", end, "R", shift=shift)
            c.is_(f"RST of {end} at {shift}", state)
            if state == "closing":
                c.talk()
                c.say("RST", end, "R")
                c.is_("RST at last", "closed")
    c = Connection(version)
    c.say("SYN", a, "S")
    c.say("RST for another SYN", b, "RA", ack=c.seq[a] + 5, shift=-5000)
    c.is_("RST for another SYN", "new")
    c.say("refused", b, "RA", shift=-5000)
    c.is_("refused", "closed")

def close(version):
    """Both ways of it; then the ports are used again."""
    for first, second in ((a, b), (b, a)):
        c = Connection(version).open()
        c.say("FIN", first, "FA")
        c.is_("FIN", "closing")
        c.say("data of the other side", second, "PA", size=50)
        c.say("its ACK", first, "A")
        c.say("FIN of the other side", second, "FA")
        c.is_("both FINs", "closed")
        c.say("last ACK", first, "A")
        c.seq[a] += 100000
        c.seq[b] += 7
        c.open()
        c.talk()
    c.say("FIN", a, "FA")
    c.seq[a] += 9999
    c.say("SYN while closing", a, "S")
    c.is_("SYN while closing", "new")
    # The other side may be the one that begins next.
    c = Connection(version).open()
    c.say("RST", a, "R")
    c.seq[b] += 1000
    c.say("SYN of b", b, "S")
    c.is_("SYN of b", "new")
    client = lab.flows(f"?protocol=tcp&address={a.address[version]}&dport={c.sport}")
    same("client", ["b"], [f["client"]["port"] for f in client])

def simultaneous(version):
    """RFC 9293, figure 7."""
    c = Connection(version)
    one, two = c.packet(a, "S"), c.packet(b, "S")
    lab.passes("SYN of a", a, one, b)
    lab.passes("SYN of b", b, two, a)
    c.is_("two SYNs", "half-open")
    c.seq = {a: 1001, b: 5001}
    c.say("SYN,ACK of a", a, "SA", shift=-1)
    c.say("SYN,ACK of b", b, "SA", shift=-1)
    c.is_("two SYN,ACKs", "established")
    c.talk()
    c.is_("data", "established")

def scaled(version):
    """The window counts in units that both have agreed on, and only then."""
    scale = [("WScale", 7)]
    for options, last in (((scale, scale), 100 << 7), ((scale, ()), 100), (((), scale), 100),
                          (([("NOP", None), ("MSS", 1460), ("NOP", None)] + scale, [("MSS", 1460)] + scale), 100 << 7)):
        for shift, state in ((last + 1, "established"), (last, "closing")):
            c = Connection(version).open(window=100, options=options)
            c.say(f"RST at {shift}", a, "R", shift=shift)
            c.is_(f"RST at {shift} of {last}, options {options}", state)

def wrapped(version):
    c = Connection(version, seq=WRAP - 120, ack=WRAP - 2).open()
    c.talk()
    c.say("RST before", a, "R", shift=-500)
    c.is_("RST before", "established")
    c.talk()
    c.say("RST", a, "R")
    c.is_("RST", "closed")

for v in (4, 6):
    for part in (refused, outside, reset, close, simultaneous, scaled, wrapped):
        part(v)
lab.done()
PY
lab "$T/tcp.py" a=1 b=2 router=3
