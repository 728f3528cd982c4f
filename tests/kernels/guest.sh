#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# guest.sh - what is tested on another kernel: all that the verifier or a missing feature could break, as far as an emulator gets
# in some minutes. LAYERS: instead of these layers; NETNS: instead of these netns tests.
set -u
cd "$(dirname "$0")/../.." || exit 1

export BUILT=yes LIMIT=${LIMIT:-400} PATIENCE=${PATIENCE:-4}
export NETNS=${NETNS-l2-1 l2-2 l2-8 k-1 k-2 f-1 f-2 f-4 f-5 f-6 tcp icmp fragments trace-agrees vlan tap status}
# Before 6.16 a small LRU map loses entries of one CPU when another adds some; those of the tests of programs are small.
export PROG_ON="taskset -c 0"
# shellcheck disable=SC2086 # a list of words
exec tests/run.sh ${LAYERS:-prog load netns}
