#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# lint.sh [--fix] - layout of the C code, common mistakes in C and shell, manual pages that are none; every file says its licence
set -u
cd "$(dirname "$0")/.." || exit 1
status=0

mapfile -t c < <(git ls-files --cached --others --exclude-standard '*.c' '*.h' | grep -v '^vmlinux/')
mapfile -t sh < <(git grep -Il --untracked -e '^#!/bin/bash' -e '^#!/bin/sh' -- scripts tests vmlinux .ci)

if [ "${1:-}" = --fix ]; then
	clang-format -i "${c[@]}"
	exit
fi

# What cleanup attributes free, cppcheck takes for leaks; the sanitizer builds look for real ones.
clang-format --dry-run --Werror "${c[@]}" || status=1
cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
	--suppress=missingInclude --suppress=unknownMacro --suppress=selfAssignment --suppress=uninitvar --suppress=ctuuninitvar \
	--suppress=memleak --suppress=resourceLeak \
	-Iinclude -Iloader -D_GNU_SOURCE loader cli include || status=1
shellcheck -x "${sh[@]}" || status=1
for f in "${c[@]}" "${sh[@]}"; do
	head -3 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause' || {
		echo "$f: no licence line" >&2
		status=1
	}
done
for f in docs/man/*.scd; do
	scdoc <"$f" >/dev/null || {
		echo "$f: not a manual page" >&2
		status=1
	}
done
exit $status
