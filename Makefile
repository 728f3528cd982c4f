# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# heddle - build, test, demo. `make help` lists the targets.
.DEFAULT_GOAL := all
