#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# gen.sh [BTF] - print the part of a kernel's types that heddle's programs use, as C
#
# The full dump of a kernel is 130,000 lines that nobody reviews. This takes what roots.txt names and, line by line, what
# those definitions need in turn. Everything named there is UAPI, so the header made on one kernel fits all others and
# needs no CO-RE relocation; it is committed, and a machine without BTF builds from it.
set -eu
btf=${1:-/sys/kernel/btf/vmlinux}
roots=$(dirname "$0")/roots.txt

cat <<EOF
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Made by vmlinux/gen.sh from the BTF of Linux $(uname -r) ($(uname -m)): do not edit. */
#ifndef HD_VMLINUX_H
#define HD_VMLINUX_H

EOF
bpftool btf dump file "$btf" format c | awk -v roots="$roots" '
# A block is one top-level definition: a single line, or everything up to the line that closes it.
function close_block(    words, i, n, name) {
	blocks++
	text[blocks] = block
	if (block ~ /^typedef/) {
		name = block
		sub(/;[^;]*$/, "", name)
		if (name ~ /\)\(/ || name ~ /\(\*/) {
			sub(/^[^(]*\(\*/, "", name); sub(/\).*/, "", name)
		} else {
			sub(/\[.*\]$/, "", name); sub(/ __attribute__.*/, "", name); n = split(name, words, /[ \t\n*]+/); name = words[n]
		}
		defines["t:" name] = blocks
	} else if (match(block, /^(struct|union|enum) [A-Za-z0-9_]+ \{/)) {
		name = substr(block, 1, RLENGTH - 2)
		defines[name] = blocks
	}
	if (block ~ /^enum/) {
		n = split(block, words, /[^A-Za-z0-9_]+/)
		for (i = 1; i <= n; i++)
			if (words[i] ~ /^[A-Za-z]/) defines["e:" words[i]] = blocks
	}
	block = ""
}
function want(key) {
	if (key in defines && !(defines[key] in taken)) {
		taken[defines[key]] = 1
		queue[++queued] = defines[key]
	}
}
function scan(body,    words, n, i) {
	n = split(body, words, /[^A-Za-z0-9_]+/)
	for (i = 1; i <= n; i++) {
		want("t:" words[i])
		if (words[i] == "struct" || words[i] == "union" || words[i] == "enum")
			want(words[i] " " words[i + 1])
	}
}
/^#/ || /^$/ && block == "" { next }
{ block = block == "" ? $0 : block "\n" $0 }
block !~ /\{/ && /;$/ { close_block(); next }
/^}/ { close_block() }
END {
	while ((getline line < roots) > 0)
		if (line !~ /^#/ && line != "") want(line)
	for (i = 1; i <= queued; i++) scan(text[queue[i]])
	for (i = 1; i <= blocks; i++) if (i in taken) print text[i] "\n"
}'
echo '#endif'
