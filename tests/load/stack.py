# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""stack.py OBJECT... - the deepest chain of calls of each program, in bytes of stack as Linux 6.1 counts them

6.1 rounds what each function takes up to 32 bytes, newer kernels to 16: a chain that just fits here is refused there. Exit status 1 if one
takes more than 512 bytes.
"""
import re
import subprocess
import sys

LIMIT, ROUND = 512, 32
TEXT = ".text"  # where all functions but the programs are
LABEL = re.compile(r"LBB\d")


class Function:
    def __init__(self, name):
        self.name, self.bytes, self.calls = name, 0, set()

    def size(self):
        return (max(self.bytes, 1) + ROUND - 1) // ROUND * ROUND


def objdump(*args):
    return subprocess.run(["llvm-objdump", *args], check=True, capture_output=True, text=True).stdout.splitlines()


def text_functions(path):
    """{instruction number: name} of what is in .text"""
    rows = (re.match(rf"([0-9a-f]+) .* F \{TEXT}\s+[0-9a-f]+ (?:\.hidden )?(\S+)$", line) for line in objdump("-t", path))
    return {int(row[1], 16) // 8: row[2] for row in rows if row}


def read(path):
    """{name: Function}. Calls and addresses of callbacks are relocated against .text, or relative to the instruction within it."""
    at, functions = text_functions(path), {}
    section = name = code = None
    for line in objdump("-d", "-r", path) + ["Disassembly of section end:"]:
        insn = re.match(r"\s+(\d+):\s+((?:[0-9a-f]{2}\s){8})", line)
        relocated = re.search(r"R_BPF_64_(?:32|64)\s+(\S+)$", line)
        if code and not relocated and section == TEXT and code[1] is not None:
            functions[name].calls.add(at.get(code[0] + 1 + code[1]))
        if code and relocated:
            functions[name].calls.add(at.get(code[2] if relocated[1] == TEXT else None, relocated[1]))
        code = None
        if title := re.match(r"Disassembly of section (\S+):", line):
            section = title[1]
        elif (label := re.match(r"[0-9a-f]+ <(\S+)>:", line)) and not LABEL.match(label[1]):
            name = label[1]
            functions[name] = Function(name)
        elif insn:
            raw = bytes.fromhex(insn[2])
            value = int.from_bytes(raw[4:], "little", signed=True)
            if raw[0] == 0x85 and raw[1] >> 4 == 1:  # call of a function
                code = int(insn[1]), value, value + 1
            elif raw[0] == 0x18:  # address, perhaps of a callback; or a number, which is none
                code = int(insn[1]), value if raw[1] >> 4 == 4 else None, value // 8
            for offset in re.findall(r"r10 - (\d+|0x[0-9a-f]+)", line):
                functions[name].bytes = max(functions[name].bytes, int(offset, 0))
            if add := re.search(r"r\d+ \+= -(\d+)$", line):  # as a rule of a copy of r10
                functions[name].bytes = max(functions[name].bytes, int(add[1]) if int(add[1]) <= LIMIT else 0)
    return functions


def deepest(functions, name):
    """(bytes, [Function])"""
    below = [deepest(functions, other) for other in functions[name].calls if other in functions]
    depth, chain = max(below, key=lambda found: found[0], default=(0, []))
    return functions[name].size() + depth, [functions[name], *chain]


def main(paths):
    failed = False
    for path in paths:
        functions = read(path)
        for name in set(functions) - set(text_functions(path).values()):
            depth, chain = deepest(functions, name)
            if depth > LIMIT:
                failed = True
                print(f"FAIL stack of {depth} bytes on Linux 6.1:", ", ".join(f"{f.name} {f.bytes}" for f in chain))
    return failed


sys.exit(main(sys.argv[1:]))
